// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions for each operation on queues, native and kipc side by side.
 *
 *   msg_bench [-m MOST_MESSAGES] [-q]
 *
 * -q: quick, few rounds and no settling; the numbers are then worth little.
 */
#include "bench.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kipc.h>

#define LONGEST		65536
#define SEVERAL		32
#define SLEEPERS	1000

/* See move(). */
#define PLACES		64
#define BALLAST		61

/* What is sent and received is of this type; others are not. */
enum { WANTED = 7, ANSWER = 8, OTHER = 100 };

struct message { long type; char text[LONGEST]; };

static struct message first;
static struct message *message = &first;
static struct { long type; char text[64]; } several[SEVERAL];
static struct kipc_msg_vec vec[SEVERAL];

/* How the operation under test receives. */
static long receive_type;
static int receive_flags;

static void op_send_receive(struct work *w)
{
	message->type = WANTED;
	if (w->ipc->msgsnd(w->id, message, w->size, 0) ||
	    w->ipc->msgrcv(w->id, message, LONGEST, receive_type, receive_flags) < 0)
		die("send, receive");
}

/* The oldest one, which is sent again. */
static void op_turn(struct work *w)
{
	if (w->ipc->msgrcv(w->id, message, LONGEST, 0, 0) < 0 ||
	    w->ipc->msgsnd(w->id, message, w->size, 0))
		die("receive, send");
}

static void op_copy(struct work *w)
{
	if (w->ipc->msgrcv(w->id, message, 64, w->count, MSG_COPY | IPC_NOWAIT) < 0)
		die("MSG_COPY");
}

static void op_round_trip(struct work *w)
{
	message->type = WANTED;
	if (w->ipc->msgsnd(w->id, message, w->size, 0) ||
	    w->ipc->msgrcv(w->id, message, LONGEST, ANSWER, 0) < 0)
		die("round trip");
}

/* By a call for each, or for all of them. */
static void op_several(struct work *w)
{
	int i;

	if (w->count) {
		if (kipc_msgsndv(w->id, vec, SEVERAL, 0, 0, 0, NULL) != SEVERAL ||
		    kipc_msgrcvv(w->id, vec, SEVERAL, 0, 0, 0, 0, NULL) != SEVERAL)
			die("batch");
		return;
	}
	for (i = 0; i < SEVERAL; i++)
		if (w->ipc->msgsnd(w->id, &several[i], sizeof(several[i].text), 0))
			die("send");
	for (i = 0; i < SEVERAL; i++)
		if (w->ipc->msgrcv(w->id, &several[i], sizeof(several[i].text), 0, 0) < 0)
			die("receive");
}

/* A queue on either side with @n messages of 64 bytes: of one type, or each of its own. */
static void queues(struct work *w, int n, bool one_type)
{
	int k, i;

	for (k = 0; k < 2; k++) {
		w[k] = (struct work){ .ipc = ipcs[k], .size = 64 };
		w[k].id = ipcs[k]->msgget(IPC_PRIVATE, 0600);
		if (w[k].id < 0)
			die("msgget");
		for (i = 0; i < n; i++) {
			/* In no order: 7919 is prime. */
			message->type = OTHER + (one_type ? 0 : i * 7919l % n);
			if (ipcs[k]->msgsnd(w[k].id, message, 64, IPC_NOWAIT))
				die("fill");
		}
	}
}

static void remove_queues(struct work *w)
{
	int k;

	for (k = 0; k < 2; k++)
		if (msg_rmid(ipcs[k], w[k].id))
			die("remove");
}

static void measure_row(const char *what, operation op, struct work *w)
{
	double m[2];

	measure(op, w, 2, m);
	row(what, m);
}

/* What a queued message takes, both before either is freed. */
static void memory(int n)
{
	struct work w[2];
	double m[2];
	char what[64];
	int k, i;

	queues(w, 0, true);
	for (k = 0; k < 2; k++) {
		long kb = used_kb();

		message->type = OTHER;
		for (i = 0; i < n; i++)
			if (ipcs[k]->msgsnd(w[k].id, message, 64, IPC_NOWAIT))
				die("fill");
		m[k] = (used_kb() - kb) * 1024.0 / n;
	}
	remove_queues(w);
	heading("memory");
	snprintf(what, sizeof(what), "a queued message of 64 bytes, of %d, bytes", n);
	row(what, m);
}

/*
 * Elsewhere: the caller's memory and the kernel's.  An emulator is slower by a multiple
 * where two addresses meet in its tables, and a boot would measure one such case.
 */
static void move(struct work *w)
{
	static char arena[sizeof(struct message) + (PLACES - 1) * PAGE] __attribute__((aligned(PAGE)));

	message = (struct message *)(arena + w->seed++ % PLACES * PAGE);
	message->type = WANTED;
	if (w->ipc->msgsnd(w->ballast, message, w->size, 0))
		die("ballast");
	if (++w->count <= BALLAST)
		return;
	if (w->ipc->msgrcv(w->ballast, message, LONGEST, 0, 0) < 0)
		die("ballast");
}

static void sizes(void)
{
	static const size_t lengths[] = { 0, 8, 64, 1024, 8192, LONGEST };
	struct work w[2], ballast[2];
	char what[64];
	double m[2];
	unsigned int i, k;

	queues(w, 0, true);
	receive_type = 0;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		queues(ballast, 0, true);
		for (k = 0; k < 2; k++) {
			w[k].size = lengths[i];
			w[k].ballast = ballast[k].id;
			w[k].count = 0;
		}
		snprintf(what, sizeof(what), "send + receive, %zu bytes", lengths[i]);
		measure_moving(op_send_receive, move, w, 2, m);
		row(what, m);
		remove_queues(ballast);
	}
	message = &first;
	w[0].count = 0;
	w[1].count = 1;
	measure_row("32 of 64 bytes; kipc by one call each way", op_several, w);
	remove_queues(w);
}

/* Where there are @n others. */
static void behind(int n)
{
	struct work w[2];
	char what[64];
	int one, i;

	for (one = 0; one < 2; one++) {
		if (one && !n)
			break;
		queues(w, n, one);
		receive_flags = 0;
		receive_type = WANTED;
		snprintf(what, sizeof(what), "send + receive by type, behind %d of %s", n,
			 one ? "one" : "their own");
		measure_row(what, op_send_receive, w);
		receive_type = -LONG_MAX;
		snprintf(what, sizeof(what), "  the lowest type");
		measure_row(what, op_send_receive, w);
		if (one) {
			receive_type = OTHER;
			receive_flags = MSG_EXCEPT;
			measure_row("  all but the one type", op_send_receive, w);
			receive_flags = 0;
		}
		if (n)
			measure_row("  receive the first and send it again", op_turn, w);
		for (i = 0; i < 2 && n; i++) {
			w[0].count = w[1].count = i ? n - 1 : 10;
			snprintf(what, sizeof(what), "  MSG_COPY of number %d", w[0].count);
			measure_row(what, op_copy, w);
		}
		remove_queues(w);
	}
}

/* ---- Several processes ---- */

static void *sleep_for_ever(void *arg)
{
	struct work *w = arg;
	char m[128];

	w->ipc->msgrcv(w->id, m, 64, OTHER + __atomic_fetch_add(&w->count, 1, __ATOMIC_SEQ_CST), 0);
	return NULL;
}

/* Asleep in numbers, each for a type that nobody sends. */
static pid_t start_sleepers(struct work *w, int n)
{
	pthread_attr_t attr;
	pthread_t t;
	pid_t pid;
	char c = 0;
	int done[2], i;

	if (pipe(done))
		die("pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, 65536))
			die("threads");
		for (i = 0; i < n; i++)
			if (pthread_create(&t, &attr, sleep_for_ever, w))
				die("threads");
		while (__atomic_load_n(&w->count, __ATOMIC_SEQ_CST) < n)
			sched_yield();
		if (write(done[1], &c, 1) != 1)
			die("pipe");
		for (;;)
			pause();
	}
	/* They have begun; with one processor they sleep soon after. */
	if (read(done[0], &c, 1) != 1)
		die("sleepers");
	usleep(100000);
	close(done[0]);
	close(done[1]);
	return pid;
}

static pid_t start_echo(struct work *w)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (w->ipc->msgrcv(w->id, message, LONGEST, WANTED, 0) >= 0) {
		message->type = ANSWER;
		if (w->ipc->msgsnd(w->id, message, w->size, 0))
			break;
	}
	_exit(0);
}

static void round_trips(int sleepers)
{
	pid_t pid[2][2] = {};
	struct work w[2];
	char what[64];
	int k;

	queues(w, 0, true);
	for (k = 0; k < 2; k++) {
		if (sleepers)
			pid[k][1] = start_sleepers(&w[k], sleepers);
		pid[k][0] = start_echo(&w[k]);
	}
	if (sleepers)
		snprintf(what, sizeof(what), "  with %d asleep for other types", sleepers);
	else
		snprintf(what, sizeof(what), "round trip between two processes, 64 bytes");
	measure_row(what, op_round_trip, w);
	remove_queues(w);
	for (k = 0; k < 2; k++) {
		waitpid(pid[k][0], NULL, 0);
		if (pid[k][1]) {
			kill(pid[k][1], SIGKILL);
			waitpid(pid[k][1], NULL, 0);
		}
	}
}

int main(int argc, char **argv)
{
	static const int counts[] = { 0, 1000, 10000 };
	int most = 10000, k;
	unsigned int i;

	start("msg_bench", argc, argv, &most);
	for (k = 0; k < 2; k++)
		if (ipc_limit_set(ipcs[k], "msgmax", LONGEST) ||
		    ipc_limit_set(ipcs[k], "msgmnb", 1 << 24)) {
			fprintf(stderr, "%s: cannot raise its limits: is kipc loaded?\n",
				ipcs[k]->name);
			return 1;
		}
	for (i = 0; i < SEVERAL; i++) {
		several[i].type = 1 + i % 3;
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&several[i], sizeof(several[i].text) };
	}
	if (most >= 10000)
		memory(10000);
	heading("medians, per operation");
	sizes();
	for (i = 0; i < ARRAY_SIZE(counts) && counts[i] <= most; i++)
		behind(counts[i]);
	round_trips(0);
	round_trips(SLEEPERS);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions for each operation on POSIX message queues, native and kipc side by side.
 *
 *   mq_bench [-m MOST_MESSAGES] [-q]
 *
 * -q: quick, few rounds and no settling; the numbers are then worth little.
 */
#include "bench.h"

#include <fcntl.h>
#include <kipc.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST		65536
#define HIGHEST		32767
#define ROOMY		10001
#define NARROW		10	/* messages of a queue that who sends has to wait for */
#define MANY		64	/* messages sent one after the other */

static const struct {
	const char *name;
	mqd_t (*open)(const char *name, int oflag, ...);
	int (*unlink)(const char *name);
	int (*send)(mqd_t mqdes, const char *msg, size_t len, unsigned int prio);
	ssize_t (*receive)(mqd_t mqdes, char *msg, size_t len, unsigned int *prio);
} mqs[2] = {
	{ "native", mq_open, mq_unlink, mq_send, mq_receive },
	{ "kipc", kipc_mq_open, kipc_mq_unlink, kipc_mq_send, kipc_mq_receive },
};

static char text[LONGEST];

/* work.id: which of them; .fd: the queue; .ballast: another; .count: priorities */

static mqd_t open_queue(int which, const char *name, long messages)
{
	struct mq_attr attr = { .mq_maxmsg = messages, .mq_msgsize = LONGEST - 1 };
	mqd_t q = mqs[which].open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);

	if (q < 0 || mqs[which].unlink(name))
		die(mqs[which].name);
	return q;
}

static void op_send_receive(struct work *w)
{
	unsigned int prio;

	if (mqs[w->id].send(w->fd, text, w->size, HIGHEST) ||
	    mqs[w->id].receive(w->fd, text, LONGEST - 1, &prio) < 0)
		die("send, receive");
}

/* The first, which is sent again with another priority. */
static void op_turn(struct work *w)
{
	unsigned int prio;

	w->seed = w->seed * 1103515245 + 12345;
	if (mqs[w->id].receive(w->fd, text, LONGEST - 1, &prio) < 0 ||
	    mqs[w->id].send(w->fd, text, w->size, (w->seed >> 16) % w->count))
		die("receive, send");
}

/* So many, and an answer when all have arrived. */
static void op_there_and_back(struct work *w)
{
	int i;

	for (i = 0; i < w->count; i++)
		if (mqs[w->id].send(w->fd, text, w->size, 0))
			die("send");
	if (mqs[w->id].receive(w->ballast, text, LONGEST - 1, NULL) < 0)
		die("receive");
}

static void open_queues(struct work *w, size_t size, long room, int messages, int priorities)
{
	int k, i;

	for (k = 0; k < 2; k++) {
		w[k] = (struct work){
			.id = k, .fd = open_queue(k, "/bench", room), .size = size,
			.count = priorities, .seed = 1,
		};
		for (i = 0; i < messages; i++)
			/* In no order: 7919 is prime. */
			if (mqs[k].send(w[k].fd, text, size, i * 7919l % priorities))
				die("fill");
	}
}

static void close_queues(struct work *w)
{
	close(w[0].fd);
	close(w[1].fd);
}

static void measure_row(const char *what, operation op, struct work *w)
{
	double m[2];

	measure(op, w, 2, m);
	row(what, m);
}

static void sizes(void)
{
	static const size_t lengths[] = { 0, 64, 1024, 8192, LONGEST - 1 };
	struct work w[2];
	char what[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		open_queues(w, lengths[i], ROOMY, 0, 1);
		snprintf(what, sizeof(what), "mq_send + mq_receive, %zu bytes", lengths[i]);
		measure_row(what, op_send_receive, w);
		close_queues(w);
	}
}

static void behind(int messages, int priorities)
{
	static const size_t lengths[] = { 64, 1024, 8192 };
	struct work w[2];
	char what[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		open_queues(w, lengths[i], ROOMY, messages, priorities);
		snprintf(what, sizeof(what), "%zu bytes, before %d of %d priorities", lengths[i],
			 messages, priorities);
		measure_row(what, op_send_receive, w);
		measure_row("  receive the first, send it with any", op_turn, w);
		close_queues(w);
	}
}

/* What arrives is answered, or every so many are. */
static void answer(const struct work *w)
{
	int i;

	for (;;) {
		for (i = 0; i < w->count; i++)
			if (mqs[w->id].receive(w->fd, text, LONGEST - 1, NULL) < 0)
				_exit(1);
		if (mqs[w->id].send(w->ballast, text, w->size, 0))
			_exit(1);
	}
}

static void between_processes(const char *what, size_t size, int messages)
{
	struct work w[2];
	char name[64];
	pid_t pid[2];
	int k;

	open_queues(w, size, NARROW, 0, 1);
	for (k = 0; k < 2; k++) {
		w[k].count = messages;
		w[k].ballast = open_queue(k, "/answers", NARROW);
		pid[k] = fork();
		if (pid[k])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer(&w[k]);
	}
	snprintf(name, sizeof(name), "%s, %zu bytes", what, size);
	measure_row(name, op_there_and_back, w);
	for (k = 0; k < 2; k++) {
		kill(pid[k], SIGKILL);
		waitpid(pid[k], NULL, 0);
		close(w[k].ballast);
	}
	close_queues(w);
}

int main(int argc, char **argv)
{
	const struct rlimit bytes = { RLIM_INFINITY, RLIM_INFINITY };
	static const size_t lengths[] = { 64, 1024, 8192, LONGEST - 1 };
	unsigned int i;
	int most = 1000;

	start("mq_bench", argc, argv, &most);
	if (setrlimit(RLIMIT_MSGQUEUE, &bytes))
		die("RLIMIT_MSGQUEUE");
	heading("medians, per operation");
	sizes();
	behind(most, 1);
	behind(most, 32);
	behind(most, HIGHEST);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		between_processes("round trip of two processes", lengths[i], 1);
	/* Of the longest it takes minutes. */
	for (i = 0; i < ARRAY_SIZE(lengths) - 1; i++)
		between_processes("64 messages to another, 10 at most queued", lengths[i], MANY);
	return 0;
}

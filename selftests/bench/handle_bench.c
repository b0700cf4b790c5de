// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions for what handles are for: waiting for many, in an epoll and in a ring; calls by
 * a ring; and what is left of it when nobody waits any more.
 *
 *   handle_bench [-m MOST_QUEUES] [-q]
 *
 * -q: quick, few rounds and no settling; the numbers are then worth little.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kipc_uring.h>

#define TEXT		64
#define SEVERAL		32
#define AT_ONCE		5
#define SETUP		(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

struct message { long type; char text[TEXT]; };

/* How somebody waits for messages of many queues. */
enum way { CALL, EPOLL, POLLS, READS, COMMANDS, THREADS, WAYS };

static const char *const way_names[WAYS] = {
	[CALL] = "no wait", [EPOLL] = "epoll", [POLLS] = "poll", [READS] = "read",
	[COMMANDS] = "command", [THREADS] = "threads",
};

/**
 * struct many - queues, and who waits for all of them
 * @ipc: whose queues
 * @way: how; all but threads are kipc's
 * @ids: of the queues
 * @fds: their handles
 * @epoll: with EPOLL
 * @ring: with POLLS, READS and COMMANDS
 * @messages: one is received to here, for each queue
 * @calls: with COMMANDS
 * @answers: a queue for answers
 */
struct many {
	const struct ipc *ipc;
	enum way way;
	int n;
	int *ids, *fds;
	int epoll;
	struct io_uring ring;
	struct message *messages;
	struct kipc_msg_op *calls;
	int answers;
};

static void *allocate(size_t n, size_t size)
{
	void *memory = calloc(n, size);

	if (!memory)
		die("memory");
	return memory;
}

/* ---- Queues ---- */

static void many_open(struct many *many, const struct ipc *ipc, enum way way, int n)
{
	int i;

	*many = (struct many){ .ipc = ipc, .way = way, .n = n };
	many->ids = allocate(n, sizeof(*many->ids));
	many->fds = allocate(n, sizeof(*many->fds));
	many->messages = allocate(n, sizeof(*many->messages));
	many->calls = allocate(n, sizeof(*many->calls));
	for (i = 0; i < n; i++) {
		many->ids[i] = ipc->msgget(IPC_PRIVATE, 0600);
		if (many->ids[i] < 0)
			die("msgget");
	}
	many->answers = ipc->msgget(IPC_PRIVATE, 0600);
	if (many->answers < 0)
		die("msgget");
}

static void many_close(struct many *many)
{
	int i;

	for (i = 0; i < many->n; i++)
		msg_rmid(many->ipc, many->ids[i]);
	msg_rmid(many->ipc, many->answers);
	free(many->ids);
	free(many->fds);
	free(many->messages);
	free(many->calls);
}

static struct io_uring_sqe *request(struct many *many)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&many->ring)))
		if (io_uring_submit(&many->ring) < 0)
			die("io_uring");
	return sqe;
}

/* Wait, or go on waiting, for a message of this queue, by the ring. */
static void many_request(struct many *many, int i)
{
	struct io_uring_sqe *sqe = request(many);
	struct message *message = &many->messages[i];

	if (many->way == POLLS)
		io_uring_prep_poll_multishot(sqe, many->fds[i], EPOLLIN);
	else if (many->way == READS)
		io_uring_prep_read(sqe, many->fds[i], message, sizeof(*message), -1);
	else
		kipc_prep_msgrcv(sqe, many->fds[i], &many->calls[i], message,
				 sizeof(message->text), 0, 0);
	io_uring_sqe_set_data64(sqe, i);
}

/* In the process that waits. */
static void many_begin(struct many *many)
{
	struct epoll_event event = { .events = EPOLLIN };
	int i, ret;

	many->epoll = epoll_create1(EPOLL_CLOEXEC);
	ret = io_uring_queue_init(256, &many->ring, SETUP);
	if (many->epoll < 0 || ret)
		die("epoll, ring");
	for (i = 0; i < many->n; i++) {
		many->fds[i] = kipc_handle(KIPC_KIND_MSG, many->ids[i], O_RDWR | O_CLOEXEC, NULL);
		event.data.u32 = i;
		if (many->fds[i] < 0)
			die("handle");
		if (many->way == EPOLL &&
		    epoll_ctl(many->epoll, EPOLL_CTL_ADD, many->fds[i], &event))
			die("epoll");
		if (many->way == POLLS || many->way == READS || many->way == COMMANDS)
			many_request(many, i);
	}
	if (io_uring_submit(&many->ring) < 0)
		die("io_uring");
}

static void many_end(struct many *many)
{
	int i;

	io_uring_queue_exit(&many->ring);
	close(many->epoll);
	for (i = 0; i < many->n; i++)
		close(many->fds[i]);
}

static void receive(struct many *many, int i)
{
	if (kipc_handle_msgrcv(many->fds[i], &many->messages[i], TEXT, 0, IPC_NOWAIT, 0, 0,
			       NULL) != TEXT)
		die("receive");
}

static int wait_by_epoll(struct many *many, void (*got)(struct message *message))
{
	struct epoll_event event[AT_ONCE];
	int i, n;

	do
		n = epoll_wait(many->epoll, event, AT_ONCE, -1);
	while (n < 0 && errno == EINTR);
	if (n < 1)
		die("epoll_wait");
	for (i = 0; i < n; i++) {
		receive(many, event[i].data.u32);
		got(&many->messages[event[i].data.u32]);
	}
	return n;
}

static int wait_by_ring(struct many *many, int most, void (*got)(struct message *message))
{
	struct io_uring_cqe *cqe;
	int i, ret, n = 0;

	do
		ret = io_uring_submit_and_wait(&many->ring, most);
	while (ret == -EINTR);
	if (ret < 0)
		die("io_uring");
	while (!io_uring_peek_cqe(&many->ring, &cqe)) {
		i = io_uring_cqe_get_data64(cqe);
		if (cqe->res < 0)
			die("a request");
		if (many->way == POLLS && !(cqe->flags & IORING_CQE_F_MORE))
			die("a poll that ended");
		io_uring_cqe_seen(&many->ring, cqe);
		if (many->way == POLLS)
			receive(many, i);
		got(&many->messages[i]);
		if (many->way != POLLS)
			many_request(many, i);
		n++;
	}
	return n;
}

/* Wait for this many messages at least, of any queues, and have them. */
static void many_wait(struct many *many, int n, void (*got)(struct message *message))
{
	while (n > 0)
		n -= many->way == EPOLL ? wait_by_epoll(many, got) : wait_by_ring(many, n, got);
}

/* ---- An event among many ---- */

static struct many events;
static struct message message = { .type = 1 };

static void ignore(struct message *message)
{
	(void)message;
}

static void op_event(struct work *w)
{
	int first, i;

	/* None that had one the last time: a ring has not gone on waiting for it. */
	w->id += w->count + rand_r(&w->seed) % (events.n - 2 * w->count + 1);
	first = w->id %= events.n;
	for (i = 0; i < w->count; i++)
		if (kipc_msgsnd(events.ids[(first + i) % events.n], &message, TEXT, 0))
			die("send");
	if (events.way != CALL)
		many_wait(&events, w->count, ignore);
	else
		for (i = 0; i < w->count; i++)
			receive(&events, (first + i) % events.n);
}

static void some_among(int count, int n)
{
	struct work w = { .seed = 1, .count = count };
	enum way way;
	double m;

	printf("%d of %-18d", count, n);
	for (way = CALL; way <= COMMANDS; way++) {
		many_open(&events, &ipc_kipc, way, n);
		many_begin(&events);
		measure(op_event, &w, 1, &m);
		printf(" %9.0f", m / count);
		fflush(stdout);
		many_end(&events);
		many_close(&events);
	}
	putchar('\n');
}

/* ---- A server of many queues ---- */

static struct many *served;

static void answer(struct message *m)
{
	if (served->ipc->msgsnd(served->answers, m, TEXT, 0))
		exit(0);
}

static void *serve_one(void *arg)
{
	int i = (long)arg;
	struct message m;

	while (served->ipc->msgrcv(served->ids[i], &m, TEXT, 0, 0) == TEXT)
		answer(&m);
	return NULL;
}

/* In a process of its own, until it is killed. */
static void serve(struct many *many, int ready)
{
	pthread_attr_t attr;
	pthread_t t;
	long i;

	served = many;
	if (many->way == THREADS) {
		if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, 65536))
			die("threads");
		for (i = 0; i < many->n; i++)
			if (pthread_create(&t, &attr, serve_one, (void *)i))
				die("threads");
	} else {
		many_begin(many);
	}
	if (write(ready, "", 1) != 1)
		exit(1);
	if (many->way == THREADS)
		for (;;)
			pause();
	for (;;)
		many_wait(many, 1, answer);
}

/* So many questions, each by another queue, and then the answers. */
static void op_served(struct work *w)
{
	int first = rand_r(&w->seed) % events.n, i;
	struct message m = { .type = 1 };

	for (i = 0; i < w->count; i++)
		if (w->ipc->msgsnd(events.ids[(first + i) % events.n], &m, TEXT, 0))
			die("question");
	for (i = 0; i < w->count; i++)
		if (w->ipc->msgrcv(events.answers, &m, TEXT, 0, 0) != TEXT)
			die("answer");
}

/* What a server takes, its own pages and the kernel's, the queues not counted. */
static long taken_kb(void)
{
	return used_kb() + meminfo("PageTables") + meminfo("AnonPages");
}

static void served_by(const struct ipc *ipc, enum way way, int n)
{
	const int settle = rounds > 11 ? 3 : 1;
	struct work w = { .ipc = ipc, .seed = 1 };
	double m[2];
	int ready[2];
	long kb;
	pid_t pid;
	char c;

	many_open(&events, ipc, way, n);
	/* What the last one had is free then; under icount that costs no time. */
	sleep(settle);
	kb = taken_kb();
	if (pipe(ready))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(&events, ready[1]);
	}
	if (read(ready[0], &c, 1) != 1)
		die("server");
	sleep(settle);
	kb = taken_kb() - kb;
	w.count = 1;
	measure(op_served, &w, 1, &m[0]);
	w.count = AT_ONCE;
	measure(op_served, &w, 1, &m[1]);
	printf("%-8s %-15s %9d %9.0f %9.0f", ipc->name, way_names[way], n, m[0],
	       m[1] / AT_ONCE);
	if (n >= 1000)
		printf(" %9.0f", kb * 1024.0 / n);
	putchar('\n');
	fflush(stdout);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	many_close(&events);
}

/* ---- A poller that has gone ---- */

static void op_pair(struct work *w)
{
	static struct sembuf down = { 0, -1, 0 }, up = { 0, 1, 0 };

	if (w->ipc->semop(w->id, &down, 1) || w->ipc->semop(w->id, &up, 1))
		die("semop");
}

static void pair(const char *what, struct work *w)
{
	double m[2];
	int i;

	/* What was mapped, or is to be, is, after so many. */
	for (i = 0; i < 100; i++)
		op_pair(&w[1]);
	measure(op_pair, w, 2, m);
	row(what, m);
}

static void pollers(void)
{
	struct kipc_filter two = { .sem_op = -2 };
	struct epoll_event event = { .events = EPOLLIN };
	struct work w[2] = { };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd, k;
	struct io_uring_cqe *cqe;
	struct io_uring ring;

	for (k = 0; k < 2; k++) {
		w[k].ipc = ipcs[k];
		w[k].id = ipcs[k]->semget(IPC_PRIVATE, 2, 0600);
		if (w[k].id < 0 || ipcs[k]->semctl(w[k].id, 0, SETVAL, 1))
			die("semget");
	}
	heading("semop down + up");
	pair("no handle", w);
	fd = kipc_handle(KIPC_KIND_SEM, w[1].id, O_RDWR, &two);
	if (fd < 0 || epoll < 0 || io_uring_queue_init(8, &ring, 0))
		die("handle");
	pair("a handle", w);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
	pair("an epoll waits for 2", w);
	if (epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL))
		die("epoll");
	pair("it has gone", w);
	io_uring_prep_poll_multishot(io_uring_get_sqe(&ring), fd, EPOLLIN);
	if (io_uring_submit(&ring) != 1)
		die("io_uring");
	pair("a ring waits for 2", w);
	io_uring_prep_cancel(io_uring_get_sqe(&ring), NULL, IORING_ASYNC_CANCEL_ANY);
	if (io_uring_submit_and_wait(&ring, 2) != 1 || io_uring_peek_cqe(&ring, &cqe))
		die("io_uring");
	pair("it has gone", w);
	io_uring_queue_exit(&ring);
	close(fd);
	pair("no handle any more", w);
	close(epoll);
	for (k = 0; k < 2; k++)
		ipcs[k]->semctl(w[k].id, 0, IPC_RMID);
}

/* ---- Several calls by one ---- */

static struct sembuf sops[2] = { { 0, 1, 0 }, { 0, -1, 0 } };
static struct kipc_sem_op sem_calls[SEVERAL];
static struct io_uring batch;
static bool is_registered, is_array;

static void op_native_calls(struct work *w)
{
	int i;

	for (i = 0; i < SEVERAL; i++)
		if (semop(w->id, &sops[i % 2], 1))
			die("semop");
}

static void op_handle_calls(struct work *w)
{
	int i;

	for (i = 0; i < SEVERAL; i++)
		if (kipc_handle_semop(w->fd, &sops[i % 2], 1, 0, 0, NULL))
			die("semop");
}

/* What a request costs that does nothing. */
static void op_nothing(struct work *w)
{
	int i;

	(void)w;
	for (i = 0; i < SEVERAL; i++)
		io_uring_prep_nop(io_uring_get_sqe(&batch));
	if (io_uring_submit_and_wait(&batch, SEVERAL) != SEVERAL)
		die("io_uring");
	io_uring_cq_advance(&batch, SEVERAL);
}

static void op_batch(struct work *w)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;
	int i;

	for (i = 0; i < SEVERAL; i++) {
		sqe = io_uring_get_sqe(&batch);
		kipc_prep_semop(sqe, is_registered ? 0 : w->fd, is_array ? &sem_calls[i] : NULL,
				&sops[i % 2], 1);
		sqe->flags |= is_registered ? IOSQE_FIXED_FILE : 0;
	}
	if (io_uring_submit_and_wait(&batch, SEVERAL) != SEVERAL)
		die("io_uring");
	io_uring_for_each_cqe(&batch, head, cqe) {
		if (cqe->res)
			die("a command");
		n++;
	}
	io_uring_cq_advance(&batch, n);
	if (n != SEVERAL)
		die("completions");
}

static void batches(void)
{
	struct work w = { .ipc = &ipc_kipc };
	int native = semget(IPC_PRIVATE, 1, 0600);
	double m, calls;

	w.id = kipc_semget(IPC_PRIVATE, 1, 0600);
	w.fd = kipc_handle(KIPC_KIND_SEM, w.id, O_RDWR, NULL);
	if (w.fd < 0 || native < 0 || io_uring_queue_init(SEVERAL, &batch, SETUP) ||
	    io_uring_register_files(&batch, &w.fd, 1))
		die("ring");
	printf("\n%-44s %10s %10s\n", "32 semops", "all", "of ioctls");
	measure(op_native_calls, &(struct work){ .id = native }, 1, &m);
	measure(op_handle_calls, &w, 1, &calls);
	printf("%-44s %10.0f %10.2f\n", "32 calls of native", m, m / calls);
	printf("%-44s %10.0f\n", "32 ioctls on a handle", calls);
	measure(op_nothing, &w, 1, &m);
	printf("%-44s %10.0f %10.2f\n", "a ring, requests that do nothing", m, m / calls);
	for (is_array = false;; is_array = true) {
		for (is_registered = false;; is_registered = true) {
			measure(op_batch, &w, 1, &m);
			printf("a ring, %s, %-*s %10.0f %10.2f\n",
			       is_array ? "by address" : "in the request",
			       is_array ? 24 : 20, is_registered ? "registered file" : "descriptor",
			       m, m / calls);
			fflush(stdout);
			if (is_registered)
				break;
		}
		if (is_array)
			break;
	}
	io_uring_queue_exit(&batch);
	close(w.fd);
	semctl(native, 0, IPC_RMID);
	kipc_semctl(w.id, 0, IPC_RMID);
}

int main(int argc, char **argv)
{
	static const int counts[] = { 10, 1000, 10000 };
	static const int server_counts[] = { 10, 1000 };
	struct rlimit files = { 1 << 16, 1 << 16 };
	int most = 10000;
	enum way way;
	unsigned int i;

	start("handle_bench", argc, argv, &most);
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
	batches();
	pollers();
	printf("\n%-24s", "of so many queues, each");
	for (way = CALL; way <= COMMANDS; way++)
		printf(" %9s", way_names[way]);
	putchar('\n');
	for (i = 0; i < ARRAY_SIZE(counts) && counts[i] <= most; i++) {
		some_among(1, counts[i]);
		some_among(AT_ONCE, counts[i]);
	}
	printf("\n%-24s %9s %9s %9s %9s\n", "a server, each question", "queues", "alone", "of 5",
	       "bytes");
	for (i = 0; i < ARRAY_SIZE(server_counts) && server_counts[i] <= most; i++) {
		served_by(&ipc_native, THREADS, server_counts[i]);
		served_by(&ipc_kipc, THREADS, server_counts[i]);
		for (way = EPOLL; way <= COMMANDS; way++)
			served_by(&ipc_kipc, way, server_counts[i]);
	}
	return 0;
}

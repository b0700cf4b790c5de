// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Cancelling a thread in calls of POSIX IPC, by libkipc-preload or the C library itself: which of
 * them are cancellation points, and that no unit and no message goes with a thread that is
 * cancelled before it has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define NAME	"/kipc-check-cancel"

static const struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
static const struct timespec late = { .tv_sec = LONG_MAX / 2 }, wrong = { .tv_nsec = -1 };

static sem_t *sem;
static mqd_t q;

/* ---- The calls.  Each returns what the call does, or -1. ---- */

static int do_wait(void) { return sem_wait(sem); }
static int do_timedwait(void) { return sem_timedwait(sem, &late); }
static int do_timedwait_wrong(void) { return sem_timedwait(sem, &wrong); }
static int do_clockwait(void) { return sem_clockwait(sem, CLOCK_MONOTONIC, &late); }
static int do_trywait(void) { return sem_trywait(sem); }
static int do_post(void) { return sem_post(sem); }

static int do_getvalue(void)
{
	int value;

	return sem_getvalue(sem, &value);
}

static int do_sem_open(void)
{
	sem_t *other = sem_open(NAME "-2", O_CREAT, 0600, 0);

	return other == SEM_FAILED ? -1 : sem_close(other) | sem_unlink(NAME "-2");
}

static int do_shm(void)
{
	int fd = shm_open(NAME, O_CREAT | O_RDWR, 0600);

	/* close() is a point. */
	return syscall(SYS_close, fd) | shm_unlink(NAME);
}

static int do_send(void) { return mq_send(q, "more", 4, 0); }
static int do_timedsend(void) { return mq_timedsend(q, "more", 4, 0, &late); }

static int do_receive(void)
{
	char buf[8];

	return mq_receive(q, buf, sizeof(buf), NULL);
}

static int do_timedreceive(void)
{
	char buf[8];

	return mq_timedreceive(q, buf, sizeof(buf), NULL, &late);
}

static int do_receive_badly(void)
{
	char buf[8];

	return mq_receive(-1, buf, sizeof(buf), NULL);
}

static int do_queue(void)
{
	const struct sigevent event = { .sigev_notify = SIGEV_NONE };
	mqd_t other = mq_open(NAME "-2", O_CREAT | O_RDWR, 0600, &attr);
	struct mq_attr now;

	return mq_getattr(other, &now) | mq_setattr(other, &now, NULL) | mq_notify(other, &event) |
	       mq_unlink(NAME "-2") | syscall(SYS_close, other);
}

/* ---- Threads ---- */

struct thread {
	pthread_t id;
	int (*call)(void);
	bool is_cancelled;	/* before the call */
	pid_t tid;
	int ret;
};

static void *run(void *arg)
{
	struct thread *t = arg;

	if (t->is_cancelled)
		pthread_cancel(pthread_self());
	__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELEASE);
	t->ret = t->call();
	return t;
}

static void begin(struct thread *t, int (*call)(void), bool is_cancelled)
{
	*t = (struct thread){ .call = call, .is_cancelled = is_cancelled, .ret = -2 };
	if (pthread_create(&t->id, NULL, run, t))
		abort();
}

/* Was it cancelled in the call? */
static bool ends_cancelled(struct thread *t)
{
	void *result;

	return !pthread_join(t->id, &result) && result == PTHREAD_CANCELED;
}

static bool is_point(int (*call)(void))
{
	struct thread t;

	begin(&t, call, true);
	return ends_cancelled(&t);
}

/* Does it go on to its end, and succeed? */
static bool is_none(int (*call)(void))
{
	struct thread t;

	begin(&t, call, true);
	return !ends_cancelled(&t) && t.ret == 0;
}

static void wait_asleep(struct thread *t)
{
	char path[64], line[512], *state;
	pid_t tid;
	FILE *f;

	while (!(tid = __atomic_load_n(&t->tid, __ATOMIC_ACQUIRE)))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	for (;;) {
		f = fopen(path, "re");
		state = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
		if (f)
			fclose(f);
		if (!state || state[2] == 'S')
			return;
		sched_yield();
	}
}

static int value(void)
{
	int now = -1;

	return sem_getvalue(sem, &now) ? -1 : now;
}

static long messages(void)
{
	struct mq_attr now;

	return mq_getattr(q, &now) ? -1 : now.mq_curmsgs;
}

/* ---- Checks ---- */

static void check_semaphore(void)
{
	static const struct {
		const char *name;
		int (*call)(void);
	} waits[] = {
		{ "sem_wait", do_wait }, { "sem_timedwait", do_timedwait },
		{ "sem_clockwait", do_clockwait },
	};
	int i, round, taken, cancelled, lost;
	struct thread t;

	sem_post(sem);
	for (i = 0; i < 2; i++)
		ok(is_point(waits[i].call) && value() == 1,
		   "%s is a point, also when there is a unit, which stays", waits[i].name);
	ok(is_none(do_clockwait) && value() == 0 && is_point(do_clockwait),
	   "sem_clockwait is one when there is none");
	sem_post(sem);
	ok(is_none(do_post) && is_none(do_trywait) && is_none(do_getvalue) && value() == 1,
	   "sem_post, sem_trywait and sem_getvalue are none");
	ok(is_none(do_sem_open), "nor are sem_open, sem_close and sem_unlink");
	begin(&t, do_timedwait_wrong, true);
	ok(!ends_cancelled(&t) && t.ret == -1, "nor is sem_timedwait when it is given no time");
	sem_wait(sem);

	for (i = 0; i < 3; i++) {
		begin(&t, waits[i].call, false);
		wait_asleep(&t);
		ok(!pthread_cancel(t.id) && ends_cancelled(&t) && !sem_post(sem) &&
		   value() == 1 && !sem_trywait(sem), "%s: while it sleeps", waits[i].name);
	}

	/* There is a unit, and it is to end: either is so, and not half of both. */
	for (i = 0; i < 3; i++) {
		taken = cancelled = lost = 0;
		for (round = 0; round < 200; round++) {
			begin(&t, waits[i].call, false);
			wait_asleep(&t);
			sem_post(sem);
			pthread_cancel(t.id);
			if (!ends_cancelled(&t)) {
				taken += !t.ret;
			} else {
				cancelled++;
				lost += sem_trywait(sem) != 0;
			}
		}
		ok(taken + cancelled == 200 && !lost && value() == 0,
		   "%s: with a unit at the same time, which stays or is had", waits[i].name);
		printf("# had %d, cancelled %d, lost %d\n", taken, cancelled, lost);
		while (!sem_trywait(sem))
			;
	}
}

static void check_queue(void)
{
	struct thread t;
	char buf[8];

	ok(is_point(do_send) && is_point(do_timedsend) && messages() == 0,
	   "mq_send and mq_timedsend are points, also when there is room, and send nothing");
	mq_send(q, "one", 3, 0);
	ok(is_point(do_receive) && is_point(do_timedreceive) && messages() == 1,
	   "mq_receive and mq_timedreceive are points, also when there is a message, which stays");
	ok(is_point(do_receive_badly), "also when there is no queue");
	ok(is_none(do_queue),
	   "mq_open, mq_getattr, mq_setattr, mq_notify and mq_unlink are none");

	begin(&t, do_send, false);
	wait_asleep(&t);
	ok(!pthread_cancel(t.id) && ends_cancelled(&t) && messages() == 1 &&
	   mq_receive(q, buf, sizeof(buf), NULL) == 3 && messages() == 0,
	   "mq_send: while it sleeps");
	begin(&t, do_receive, false);
	wait_asleep(&t);
	ok(!pthread_cancel(t.id) && ends_cancelled(&t) && !mq_send(q, "two", 3, 0) &&
	   messages() == 1 && mq_receive(q, buf, sizeof(buf), NULL) == 3,
	   "mq_receive: while it sleeps");
	begin(&t, do_timedreceive, false);
	wait_asleep(&t);
	ok(!pthread_cancel(t.id) && ends_cancelled(&t) && !mq_send(q, "two", 3, 0) &&
	   messages() == 1 && mq_receive(q, buf, sizeof(buf), NULL) == 3,
	   "mq_timedreceive: while it sleeps");
}

int main(void)
{
	/* Left by a run that was killed */
	sem_unlink(NAME);
	mq_unlink(NAME);
	sem = sem_open(NAME, O_CREAT | O_EXCL, 0600, 0);
	if (!ok(sem != SEM_FAILED, "sem_open"))
		return tap_end();
	check_semaphore();
	ok(is_none(do_shm), "shm_open and shm_unlink are no points");
	q = mq_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
	if (q < 0 && errno == ENOSYS)
		ok(true, "mq_open # SKIP this kernel has none");
	else if (ok(q >= 0, "mq_open"))
		check_queue();
	ok(!sem_unlink(NAME) && (q < 0 || !mq_unlink(NAME)), "the end");
	return tap_end();
}

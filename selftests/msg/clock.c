// SPDX-License-Identifier: GPL-2.0
/*
 * kipc's own: time-outs of senders and receivers on a clock of the caller's choice,
 * relative or a point of time.  No test asserts that something is over in time; too early
 * shows.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <kipc.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x80
#endif
#define NSEC	1000000000l
#define NW	IPC_NOWAIT

static const struct ipc *const ipc = &ipc_kipc;

static const struct {
	const char *name;
	clockid_t id;
} clocks[] = {
	{ "CLOCK_MONOTONIC", CLOCK_MONOTONIC },
	{ "CLOCK_REALTIME", CLOCK_REALTIME },
	{ "CLOCK_BOOTTIME", CLOCK_BOOTTIME },
};

FIXTURE(timed) { int id, full; };

/* A queue with nothing in it, and one that is full. */
FIXTURE_SETUP(timed)
{
	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(ipc);
	self->id = ipc->msgget(IPC_PRIVATE, 0600);
	self->full = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->full);
	ASSERT_EQ(0, msg_set_qbytes(ipc, self->full, NOTE));
	ASSERT_EQ(0, msg_send(ipc, self->full, 1, 1, 0));
}

FIXTURE_TEARDOWN(timed)
{
	EXPECT_NOTHING(&ipc_native);
}

static int receive(int id, clockid_t clock, int flags, const struct timespec *timeout)
{
	struct note n = { 0, -1 };
	ssize_t size = kipc_msgclockrcv(id, &n, NOTE, 0, 0, clock, flags, timeout);

	return size == NOTE ? n.value : size < 0 ? -1 : -2;
}

static int send(int id, clockid_t clock, int flags, const struct timespec *timeout)
{
	const struct note n = { 2, 7 };

	return kipc_msgclocksnd(id, &n, NOTE, 0, clock, flags, timeout);
}

/* What the clock says now and so many nanoseconds on. */
static struct timespec in(clockid_t clock, long ns)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ns % NSEC;
	t.tv_sec += ns / NSEC;
	if (t.tv_nsec < 0) {
		t.tv_nsec += NSEC;
		t.tv_sec--;
	} else if (t.tv_nsec >= NSEC) {
		t.tv_nsec -= NSEC;
		t.tv_sec++;
	}
	return t;
}

static bool reached(clockid_t clock, const struct timespec *t)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec > t->tv_sec || (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

TEST_F(timed, relative)
{
	static const struct timespec none = {}, tiny = { .tv_nsec = 1 },
				     some = { .tv_nsec = 50000000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		clockid_t clock = clocks[i].id;
		struct timespec end = in(clock, some.tv_nsec);

		EXPECT_ERR(EAGAIN, receive(self->id, clock, 0, &some));
		EXPECT_TRUE(reached(clock, &end))
			TH_LOG("%s: too early", clocks[i].name);
		end = in(clock, some.tv_nsec);
		EXPECT_ERR(EAGAIN, send(self->full, clock, 0, &some));
		EXPECT_TRUE(reached(clock, &end))
			TH_LOG("%s: too early", clocks[i].name);
		EXPECT_ERR(EAGAIN, receive(self->id, clock, 0, &none));
		EXPECT_ERR(EAGAIN, receive(self->id, clock, 0, &tiny));
		EXPECT_ERR(EAGAIN, send(self->full, clock, 0, &none));
		EXPECT_ERR(EAGAIN, send(self->full, clock, 0, &tiny));
		/* What can go on does. */
		EXPECT_EQ(0, send(self->id, clock, 0, &none));
		EXPECT_EQ(7, receive(self->id, clock, 0, &none));
	}
	EXPECT_EQ(0, msg_qnum(ipc, self->id));
	EXPECT_EQ(1, msg_qnum(ipc, self->full));
}

TEST_F(timed, absolute)
{
	static const struct timespec zero = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		clockid_t clock = clocks[i].id;
		struct timespec past = in(clock, -1), end = in(clock, 50000000);

		EXPECT_ERR(EAGAIN, receive(self->id, clock, TIMER_ABSTIME, &end));
		EXPECT_TRUE(reached(clock, &end))
			TH_LOG("%s: too early", clocks[i].name);
		end = in(clock, 50000000);
		EXPECT_ERR(EAGAIN, send(self->full, clock, TIMER_ABSTIME, &end));
		EXPECT_TRUE(reached(clock, &end))
			TH_LOG("%s: too early", clocks[i].name);
		EXPECT_ERR(EAGAIN, receive(self->id, clock, TIMER_ABSTIME, &past));
		EXPECT_ERR(EAGAIN, receive(self->id, clock, TIMER_ABSTIME, &zero));
		EXPECT_ERR(EAGAIN, send(self->full, clock, TIMER_ABSTIME, &past));
		EXPECT_EQ(0, send(self->id, clock, TIMER_ABSTIME, &past));
		EXPECT_EQ(7, receive(self->id, clock, TIMER_ABSTIME, &zero));
	}
}

/* Without one; and IPC_NOWAIT, which keeps its own errors. */
TEST_F(timed, none)
{
	static const struct timespec hour = { .tv_sec = 3600 };
	struct note n = { 1, 5 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		clockid_t clock = clocks[i].id;

		EXPECT_EQ(0, send(self->id, clock, 0, NULL));
		EXPECT_EQ(7, receive(self->id, clock, TIMER_ABSTIME, NULL));
		EXPECT_ERR(ENOMSG, kipc_msgclockrcv(self->id, &n, NOTE, 0, NW, clock, 0, NULL));
		EXPECT_ERR(ENOMSG, kipc_msgclockrcv(self->id, &n, NOTE, 0, NW, clock, 0, &hour));
		EXPECT_ERR(EAGAIN, kipc_msgclocksnd(self->full, &n, NOTE, NW, clock, 0, &hour));
		/* All of msgrcv's flags. */
		ASSERT_EQ(0, msg_send_bytes(ipc, self->id, 3, 20, 0));
		EXPECT_ERR(E2BIG, kipc_msgclockrcv(self->id, &n, NOTE, 0, 0, clock, 0, &hour));
		EXPECT_ERR(EINVAL, kipc_msgclockrcv(self->id, &n, 1, 0, MSG_NOERROR | MSG_COPY | NW,
						    clock, 0, &hour));
		EXPECT_EQ(NOTE, kipc_msgclockrcv(self->id, &n, NOTE, 2, MSG_EXCEPT | MSG_NOERROR,
						 clock, 0, &hour));
		EXPECT_EQ(3, n.type);
	}
}

TEST_F(timed, invalid)
{
	static const struct timespec bad[] = {
		{ -1, 0 }, { 0, -1 }, { 0, NSEC }, { LONG_MIN, 0 }, { 1, LONG_MAX },
	}, good = { 0, 1000 };
	static const clockid_t no_clock[] = {
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
		CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE, CLOCK_REALTIME_ALARM,
		CLOCK_BOOTTIME_ALARM, 77, -1, INT_MIN, INT_MAX,
	};
	static const int no_flag[] = { 2, 4, 1 << 30, INT_MIN, -1, TIMER_ABSTIME | 2 };
	struct note n = { 1, 9 };
	unsigned int i, j;

	ASSERT_EQ(0, msg_send(ipc, self->id, 1, 9, 0));
	/* Though nobody would have to wait. */
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		clockid_t clock = clocks[i].id;

		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			EXPECT_ERR(EINVAL, receive(self->id, clock, 0, &bad[j]));
			EXPECT_ERR(EINVAL, receive(self->id, clock, TIMER_ABSTIME, &bad[j]));
			EXPECT_ERR(EINVAL, send(self->id, clock, 0, &bad[j]));
		}
		for (j = 0; j < ARRAY_SIZE(no_flag); j++) {
			EXPECT_ERR(EINVAL, receive(self->id, clock, no_flag[j], &good));
			EXPECT_ERR(EINVAL, send(self->id, clock, no_flag[j], &good));
		}
		EXPECT_ERR(EFAULT, receive(self->id, clock, 0, (void *)8));
		EXPECT_ERR(EFAULT, send(self->id, clock, 0, (void *)8));
		EXPECT_ERR(EFAULT, kipc_msgclocksnd(self->id, NULL, 1, 0, clock, 0, &good));
		EXPECT_ERR(EINVAL, kipc_msgclocksnd(self->id, &n, 8193, 0, clock, 0, &good));
		EXPECT_ERR(EINVAL, kipc_msgclockrcv(self->id, &n, -1, 0, 0, clock, 0, &good));
		EXPECT_ERR(EINVAL, receive(self->id + 9, clock, 0, &good));
		EXPECT_ERR(EINVAL, send(-1, clock, 0, &good));
	}
	for (i = 0; i < ARRAY_SIZE(no_clock); i++) {
		EXPECT_ERR(EINVAL, receive(self->id, no_clock[i], 0, &good));
		EXPECT_ERR(EINVAL, send(self->id, no_clock[i], TIMER_ABSTIME, &good));
	}
	EXPECT_EQ(1, msg_qnum(ipc, self->id));
	EXPECT_EQ(9, msg_receive(ipc, self->id, 0, 0));
}

struct timed_args {
	clockid_t clock;
	int flags;
	struct timespec timeout;
};

static long do_receive(long *arg, void *buf)
{
	struct timed_args *a = buf;

	return receive(arg[0], a->clock, a->flags, &a->timeout);
}

static long do_send(long *arg, void *buf)
{
	struct timed_args *a = buf;

	return send(arg[0], a->clock, a->flags, &a->timeout);
}

static int peer_timed(struct peer *p, peer_fn fn, int id, clockid_t clock, int flags,
		      struct timespec timeout)
{
	*(struct timed_args *)p->page->buf = (struct timed_args){ clock, flags, timeout };
	return peer_begin(p, fn, id, 0, 0, 0, 0) || peer_asleep(p) ? -1 : 0;
}

/* Woken in time: by a message, by room, by the removal; so far ahead that it never ends. */
TEST_F(timed, woken)
{
	struct peer p[8], q[3];
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	for (i = 0; i < ARRAY_SIZE(q); i++)
		ASSERT_EQ(0, peer_start(&q[i]));
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		ASSERT_EQ(0, peer_timed(&p[n++], do_receive, self->id, clocks[i].id, 0,
					(struct timespec){ .tv_sec = 3600 }));
		ASSERT_EQ(0, peer_timed(&p[n++], do_receive, self->id, clocks[i].id, TIMER_ABSTIME,
					in(clocks[i].id, 3600 * NSEC)));
		ASSERT_EQ(0, peer_timed(&q[i], do_send, self->full, clocks[i].id, 0,
					(struct timespec){ .tv_sec = 3600 }));
	}
	ASSERT_EQ(0, peer_timed(&p[n++], do_receive, self->id, CLOCK_REALTIME, TIMER_ABSTIME,
				(struct timespec){ LONG_MAX, NSEC - 1 }));
	ASSERT_EQ(0, peer_timed(&p[n++], do_receive, self->id, CLOCK_BOOTTIME, 0,
				(struct timespec){ LONG_MAX, NSEC - 1 }));
	for (i = 0; i < n - 2; i++) {
		EXPECT_EQ(0, msg_send(ipc, self->id, 1, i, 0));
		EXPECT_EQ((int)i, peer_woken(&p[i]));
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(i ? 7 : 1, msg_receive(ipc, self->full, 0, NW));
		EXPECT_EQ(0, peer_woken(&q[i]));
	}
	ASSERT_EQ(0, msg_rmid(ipc, self->id));
	ASSERT_EQ(0, msg_rmid(ipc, self->full));
	EXPECT_ERR(EIDRM, peer_woken(&p[n - 2]));
	EXPECT_ERR(EIDRM, peer_woken(&p[n - 1]));
	EXPECT_ERR(EIDRM, peer_woken(&q[2]));
	for (i = 0; i < n; i++)
		peer_end(&p[i], SIGKILL);
	for (i = 0; i < ARRAY_SIZE(q); i++)
		peer_end(&q[i], SIGKILL);
}

/*
 * One in the middle gives up; the others neither wake nor lose their places.  Those behind
 * it must have come before: another one each time it was too early, for longer.
 */
TEST_F(timed, in_the_queue)
{
	struct timespec some = { .tv_nsec = 500000000 };
	struct peer p[7], early;
	int last = 0, i;
	bool in_time;

	for (i = 0; i < 7; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, peer_start(&early));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, self->id, 0, 0));
	do {
		ASSERT_GT(6, last);
		/* It may have given up already. */
		peer_timed(&early, do_receive, self->id, CLOCK_MONOTONIC, 0, some);
		ASSERT_EQ(0, peer_block_receive(&p[++last], ipc, self->id, 0, 0));
		in_time = !peer_asleep(&early);
		EXPECT_ERR(EAGAIN, peer_finish(&early));
		some.tv_sec = 2 * some.tv_sec + 1;
	} while (!in_time);
	for (i = 0; i <= last; i++) {
		EXPECT_EQ(0, peer_asleep(&p[i]));
		EXPECT_EQ(0, msg_send(ipc, self->id, 1, i, 0));
		EXPECT_EQ(i, peer_woken(&p[i]));
	}
	EXPECT_EQ(0, msg_qnum(ipc, self->id));
	for (i = 0; i < 7; i++)
		peer_end(&p[i], SIGKILL);
	peer_end(&early, SIGKILL);
}

/* A message and the end of its time at once: it is received, or it is still there. */
TEST_F(timed, message_and_timeout)
{
	unsigned int seed = 33;
	struct peer p;
	int i;

	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < 300; i++) {
		struct timespec t = { .tv_nsec = 1 + rand_r(&seed) % 4000000 };
		unsigned int spin = rand_r(&seed) % 200000;
		long ret;

		*(struct timed_args *)p.page->buf = (struct timed_args){ CLOCK_MONOTONIC, 0, t };
		ASSERT_EQ(0, peer_begin(&p, do_receive, self->id, 0, 0, 0, 0));
		if (!peer_asleep(&p))
			while (spin--)
				asm volatile("");
		ASSERT_EQ(0, msg_send(ipc, self->id, 1, i, NW));
		ret = peer_finish(&p);
		if (ret == -1) {
			ASSERT_EQ(EAGAIN, errno);
			ASSERT_EQ(i, msg_receive(ipc, self->id, 0, NW));
		} else {
			ASSERT_EQ(i, ret);
		}
		ASSERT_EQ(0, msg_qnum(ipc, self->id));
	}
	peer_end(&p, 0);
}

/* Room and the end of its time at once: it is sent, or it is not. */
TEST_F(timed, room_and_timeout)
{
	unsigned int seed = 34;
	struct peer p;
	int i;

	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < 300; i++) {
		struct timespec t = { .tv_nsec = 1 + rand_r(&seed) % 4000000 };
		unsigned int spin = rand_r(&seed) % 200000;
		long ret;

		*(struct timed_args *)p.page->buf = (struct timed_args){ CLOCK_MONOTONIC, 0, t };
		ASSERT_EQ(0, peer_begin(&p, do_send, self->full, 0, 0, 0, 0));
		if (!peer_asleep(&p))
			while (spin--)
				asm volatile("");
		ASSERT_EQ(1, msg_receive(ipc, self->full, 1, NW));
		ret = peer_finish(&p);
		if (ret) {
			ASSERT_EQ(EAGAIN, errno);
		}
		ASSERT_EQ(ret ? -1 : 7, msg_receive(ipc, self->full, 0, NW));
		ASSERT_EQ(0, msg_send(ipc, self->full, 1, 1, NW));
	}
	peer_end(&p, 0);
}

/* A signal is told as such, with SA_RESTART or without. */
TEST_F(timed, interrupted)
{
	struct peer p[2];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, peer_start(&p[i]));
		ASSERT_EQ(0, peer_catch(&p[i], SIGUSR1, i ? SA_RESTART : 0));
		ASSERT_EQ(0, peer_timed(&p[i], i ? do_send : do_receive, i ? self->full : self->id,
					CLOCK_MONOTONIC, 0, (struct timespec){ .tv_sec = 3600 }));
		ASSERT_EQ(0, kill(p[i].pid, SIGUSR1));
		EXPECT_ERR(EINTR, peer_woken(&p[i]));
		peer_end(&p[i], 0);
	}
	EXPECT_EQ(1, msg_qnum(ipc, self->full));
}

/* Set the time of day forth or back, keeping what has passed meanwhile. */
static int shift_time(long seconds)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	now.tv_sec += seconds;
	return clock_settime(CLOCK_REALTIME, &now);
}

/* A point of the time of day comes when the day's time is set; spans stay what they are. */
TEST_F(timed, time_of_day_set)
{
	struct peer p[4];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, peer_timed(&p[0], do_receive, self->id, CLOCK_REALTIME, TIMER_ABSTIME,
				in(CLOCK_REALTIME, 3600 * NSEC)));
	ASSERT_EQ(0, peer_timed(&p[1], do_receive, self->id, CLOCK_REALTIME, 0,
				(struct timespec){ .tv_sec = 3600 }));
	ASSERT_EQ(0, peer_timed(&p[2], do_receive, self->id, CLOCK_MONOTONIC, TIMER_ABSTIME,
				in(CLOCK_MONOTONIC, 3600 * NSEC)));
	ASSERT_EQ(0, peer_timed(&p[3], do_send, self->full, CLOCK_BOOTTIME, TIMER_ABSTIME,
				in(CLOCK_BOOTTIME, 3600 * NSEC)));
	/* Too little, then enough. */
	ASSERT_EQ(0, shift_time(1800));
	EXPECT_EQ(0, peer_asleep(&p[0]));
	ASSERT_EQ(0, shift_time(1900));
	EXPECT_ERR(EAGAIN, peer_finish(&p[0]));
	for (i = 1; i < 4; i++)
		EXPECT_EQ(0, peer_asleep(&p[i]));
	ASSERT_EQ(0, shift_time(-3700));
	for (i = 1; i < 3; i++) {
		EXPECT_EQ(0, msg_send(ipc, self->id, 1, i, 0));
		EXPECT_EQ(i, peer_woken(&p[i]));
	}
	EXPECT_EQ(1, msg_receive(ipc, self->full, 0, NW));
	EXPECT_EQ(0, peer_woken(&p[3]));
	for (i = 0; i < 4; i++)
		peer_end(&p[i], SIGKILL);
}

/* A point of time is one of the clock as the caller sees it. */
static int in_time_namespace(void *arg)
{
	unsigned int i;
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWTIME))
		return 77;
	if (write_text("/proc/self/timens_offsets", "monotonic 5000 0\nboottime 7000 0\n"))
		return 1;
	pid = fork();
	if (!pid) {
		int id = *(int *)arg;

		/* Far too late: killed. */
		alarm(20);
		for (i = 0; i < ARRAY_SIZE(clocks); i++) {
			struct timespec end = in(clocks[i].id, 50000000);

			if (receive(id, clocks[i].id, TIMER_ABSTIME, &end) != -1 || errno != EAGAIN)
				_exit(2);
			if (!reached(clocks[i].id, &end))
				_exit(3);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status ? 4 : 0;
}

TEST_F(timed, time_namespace)
{
	int status = in_child(in_time_namespace, &self->id);

	if (status == 77 << 8)
		SKIP(return, "no time namespaces here");
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * kipc's own: time-outs on a clock of the caller's choice, relative or a point of time.
 * No test asserts that something is over in time; too early shows.
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

static const struct ipc *const ipc = &ipc_kipc;

static const struct {
	const char *name;
	clockid_t id;
} clocks[] = {
	{ "CLOCK_MONOTONIC", CLOCK_MONOTONIC },
	{ "CLOCK_REALTIME", CLOCK_REALTIME },
	{ "CLOCK_BOOTTIME", CLOCK_BOOTTIME },
};

FIXTURE(timed) { int id; };

FIXTURE_SETUP(timed)
{
	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(ipc);
	self->id = ipc->semget(IPC_PRIVATE, 2, 0600);
	ASSERT_LE(0, self->id);
}

FIXTURE_TEARDOWN(timed)
{
	EXPECT_NOTHING(&ipc_native);
}

static int down(int id, clockid_t clock, int flags, const struct timespec *timeout)
{
	struct sembuf sop = { 0, -1, 0 };

	return kipc_semclockop(id, &sop, 1, clock, flags, timeout);
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
	static const struct timespec none = {}, some = { .tv_nsec = 50000000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		struct timespec end = in(clocks[i].id, some.tv_nsec);

		EXPECT_ERR(EAGAIN, down(self->id, clocks[i].id, 0, &some));
		EXPECT_TRUE(reached(clocks[i].id, &end))
			TH_LOG("%s: too early", clocks[i].name);
		EXPECT_ERR(EAGAIN, down(self->id, clocks[i].id, 0, &none));
		/* What can go on does. */
		ASSERT_EQ(0, semop1(ipc, self->id, 0, 1, 0));
		EXPECT_EQ(0, down(self->id, clocks[i].id, 0, &none));
	}
	EXPECT_EQ(0, sem_ncnt(ipc, self->id, 0));
}

TEST_F(timed, absolute)
{
	static const struct timespec zero = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		clockid_t clock = clocks[i].id;
		struct timespec past = in(clock, -1), end = in(clock, 50000000);

		EXPECT_ERR(EAGAIN, down(self->id, clock, TIMER_ABSTIME, &end));
		EXPECT_TRUE(reached(clock, &end))
			TH_LOG("%s: too early", clocks[i].name);
		EXPECT_ERR(EAGAIN, down(self->id, clock, TIMER_ABSTIME, &past));
		EXPECT_ERR(EAGAIN, down(self->id, clock, TIMER_ABSTIME, &zero));
		ASSERT_EQ(0, semop1(ipc, self->id, 0, 2, 0));
		EXPECT_EQ(0, down(self->id, clock, TIMER_ABSTIME, &past));
		EXPECT_EQ(0, down(self->id, clock, TIMER_ABSTIME, &zero));
	}
	EXPECT_EQ(0, sem_val(ipc, self->id, 0));
}

TEST_F(timed, none)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		ASSERT_EQ(0, semop1(ipc, self->id, 0, 2, 0));
		EXPECT_EQ(0, down(self->id, clocks[i].id, 0, NULL));
		EXPECT_EQ(0, down(self->id, clocks[i].id, TIMER_ABSTIME, NULL));
		EXPECT_ERR(EAGAIN, kipc_semclockop(self->id, SOPS({ 0, -1, IPC_NOWAIT }),
						   clocks[i].id, 0, NULL));
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
	unsigned int i, j;

	ASSERT_EQ(0, semop1(ipc, self->id, 0, 9, 0));
	/* Though nobody would have to wait. */
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		for (j = 0; j < ARRAY_SIZE(bad); j++) {
			EXPECT_ERR(EINVAL, down(self->id, clocks[i].id, 0, &bad[j]));
			EXPECT_ERR(EINVAL, down(self->id, clocks[i].id, TIMER_ABSTIME, &bad[j]));
		}
		for (j = 0; j < ARRAY_SIZE(no_flag); j++)
			EXPECT_ERR(EINVAL, down(self->id, clocks[i].id, no_flag[j], &good));
		EXPECT_ERR(EFAULT, down(self->id, clocks[i].id, 0, (void *)8));
		EXPECT_ERR(EFAULT, kipc_semclockop(self->id, NULL, 1, clocks[i].id, 0, &good));
		EXPECT_ERR(EINVAL, kipc_semclockop(self->id, NULL, 0, clocks[i].id, 0, &good));
		EXPECT_ERR(E2BIG, kipc_semclockop(self->id, NULL, 501, clocks[i].id, 0, &good));
		EXPECT_ERR(EINVAL, down(self->id + 1, clocks[i].id, 0, &good));
	}
	for (i = 0; i < ARRAY_SIZE(no_clock); i++) {
		EXPECT_ERR(EINVAL, down(self->id, no_clock[i], 0, &good));
		EXPECT_ERR(EINVAL, down(self->id, no_clock[i], TIMER_ABSTIME, &good));
	}
	EXPECT_EQ(9, sem_val(ipc, self->id, 0));
}

struct timed_args {
	clockid_t clock;
	int flags;
	struct timespec timeout;
};

static long do_down(long *arg, void *buf)
{
	struct timed_args *a = buf;

	return down(arg[0], a->clock, a->flags, &a->timeout);
}

static int peer_down(struct peer *p, int id, clockid_t clock, int flags, struct timespec timeout)
{
	*(struct timed_args *)p->page->buf = (struct timed_args){ clock, flags, timeout };
	return peer_begin(p, do_down, id, 0, 0, 0, 0) || peer_asleep(p) ? -1 : 0;
}

/* Woken in time: by its turn, by the removal, by a signal; so far ahead that it never ends. */
TEST_F(timed, woken)
{
	struct peer p[8];
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		ASSERT_EQ(0, peer_down(&p[n++], self->id, clocks[i].id, 0,
				       (struct timespec){ .tv_sec = 3600 }));
		ASSERT_EQ(0, peer_down(&p[n++], self->id, clocks[i].id, TIMER_ABSTIME,
				       in(clocks[i].id, 3600 * NSEC)));
	}
	ASSERT_EQ(0, peer_down(&p[n++], self->id, CLOCK_REALTIME, TIMER_ABSTIME,
			       (struct timespec){ LONG_MAX, NSEC - 1 }));
	ASSERT_EQ(0, peer_down(&p[n++], self->id, CLOCK_BOOTTIME, 0,
			       (struct timespec){ LONG_MAX, NSEC - 1 }));
	EXPECT_EQ((int)n, sem_ncnt(ipc, self->id, 0));
	for (i = 0; i < n - 2; i++) {
		EXPECT_EQ(0, semop1(ipc, self->id, 0, 1, 0));
		EXPECT_EQ(0, peer_woken(&p[i]));
	}
	ASSERT_EQ(0, sem_rmid(ipc, self->id));
	EXPECT_ERR(EIDRM, peer_woken(&p[n - 2]));
	EXPECT_ERR(EIDRM, peer_woken(&p[n - 1]));
	for (i = 0; i < n; i++)
		peer_end(&p[i], SIGKILL);
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
	ASSERT_EQ(0, peer_down(&p[0], self->id, CLOCK_REALTIME, TIMER_ABSTIME,
			       in(CLOCK_REALTIME, 3600 * NSEC)));
	ASSERT_EQ(0, peer_down(&p[1], self->id, CLOCK_REALTIME, 0,
			       (struct timespec){ .tv_sec = 3600 }));
	ASSERT_EQ(0, peer_down(&p[2], self->id, CLOCK_MONOTONIC, TIMER_ABSTIME,
			       in(CLOCK_MONOTONIC, 3600 * NSEC)));
	ASSERT_EQ(0, peer_down(&p[3], self->id, CLOCK_BOOTTIME, TIMER_ABSTIME,
			       in(CLOCK_BOOTTIME, 3600 * NSEC)));
	/* Too little, then enough. */
	ASSERT_EQ(0, shift_time(1800));
	EXPECT_EQ(0, peer_asleep(&p[0]));
	ASSERT_EQ(0, shift_time(1900));
	EXPECT_ERR(EAGAIN, peer_finish(&p[0]));
	for (i = 1; i < 4; i++)
		EXPECT_EQ(0, peer_asleep(&p[i]));
	EXPECT_EQ(3, sem_ncnt(ipc, self->id, 0));
	ASSERT_EQ(0, shift_time(-3700));
	EXPECT_EQ(0, semop1(ipc, self->id, 0, 3, 0));
	for (i = 1; i < 4; i++)
		EXPECT_EQ(0, peer_woken(&p[i]));
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

			if (down(id, clocks[i].id, TIMER_ABSTIME, &end) != -1 || errno != EAGAIN)
				_exit(2);
			if (!reached(clocks[i].id, &end))
				_exit(3);
			/* Long ago, before the kernel's own clock began. */
			end = (struct timespec){ .tv_sec = 1 };
			if (down(id, clocks[i].id, TIMER_ABSTIME, &end) != -1 || errno != EAGAIN)
				_exit(5);
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

/* The plain calls are those on the monotonic clock. */
TEST_F(timed, as_semtimedop)
{
	static const struct timespec some = { .tv_nsec = 20000000 };
	struct timespec end = in(CLOCK_MONOTONIC, some.tv_nsec);

	EXPECT_ERR(EAGAIN, ipc->semtimedop(self->id, SOPS({ 0, -1, 0 }), &some));
	EXPECT_TRUE(reached(CLOCK_MONOTONIC, &end));
	EXPECT_EQ(0, kipc_semclockop(self->id, SOPS({ 0, 2, SEM_UNDO }, { 1, 1, 0 }),
				     CLOCK_BOOTTIME, 0, &some));
	EXPECT_EQ(2, sem_val(ipc, self->id, 0));
	EXPECT_EQ(1, sem_val(ipc, self->id, 1));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * A process that writes at random over the page of a POSIX semaphore, while others post, sleep,
 * poll, open, close and unlink it, have it unmapped under a call, and are killed.  Each call
 * returns, with a result there may be; nobody is held up but who sleeps; two processes that
 * hand each other the turn with two semaphores next to it lose none; and nothing is left.
 */
#include "common/harness.h"
#include "posix/posix.h"

#include "common/device.h"
#include "hostile/raw.h"
#include "hostile/storm.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NAME	"/storm"

/* ---- The parts ---- */

static const struct timespec *soon(struct timespec *ts)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_nsec += 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		ts->tv_sec++;
	}
	return ts;
}

/* Another may have unlinked it. */
static int open_it(unsigned int flags)
{
	struct kipc_name_open open = {
		.name = (uintptr_t)NAME + 1, .kind = KIPC_KIND_POSIX_SEM, .mode = 0600, .size = 3,
		.flags = O_RDWR | O_CREAT | O_CLOEXEC | flags,
	};
	int fd = ioctl(raw_fd(), KIPC_IOC_NAME_OPEN, &open);

	REQUIRE(fd >= 0, fd);
	return fd;
}

static uint32_t *map_it(int fd)
{
	uint32_t *word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	REQUIRE(word != MAP_FAILED, 0);
	return word;
}

static int operate(const void *word, unsigned int op, const struct timespec *until)
{
	struct kipc_posix_sem_op call = {
		.addr = (uintptr_t)word, .op = op, .timeout = (uintptr_t)until,
		.flags = until ? KIPC_TIMEOUT_ABSOLUTE : 0, .clock = until ? CLOCK_MONOTONIC : 0,
	};

	return ioctl(raw_fd(), KIPC_IOC_POSIX_SEM_OP, &call);
}

/* A word that means something more often than not. */
static uint32_t any_word(void)
{
	static const uint32_t odd[] = {
		0, 1, 2, KIPC_POSIX_SEM_VALUE, KIPC_POSIX_SEM_VALUE - 1, KIPC_POSIX_SEM_HELD, ~0u,
	};
	uint32_t word = rnd64();

	switch (rnd(4)) {
	case 0:
		return word;
	case 1:
		return rnd(20);
	case 2:
		return KIPC_POSIX_SEM_HELD | rnd(20);
	default:
		return odd[rnd(ARRAY_SIZE(odd))];
	}
}

static void scribbler(void)
{
	volatile uint32_t *word;
	int fd, i;

	for (;;) {
		fd = open_it(0);
		word = map_it(fd);
		close(fd);
		for (i = 0; i < 300; i++) {
			if (rnd(4))
				word[0] = any_word();
			else if (rnd(2))
				__atomic_fetch_xor(word, 1u << rnd(32), __ATOMIC_SEQ_CST);
			else
				word[rnd(PAGE / sizeof(*word))] = any_word();
		}
		step();
		REQUIRE(!munmap((void *)word, PAGE), 0);
	}
}

static void by_library(void)
{
	struct timespec ts;
	int i, ret, value;
	sem_t *sem;

	for (;;) {
		sem = kipc_sem_open(NAME, O_CREAT, 0600, 3);
		REQUIRE(sem != SEM_FAILED, 0);
		for (i = 0; i < 20; i++) {
			ret = kipc_sem_post(sem);
			REQUIRE(!ret || errno == EOVERFLOW, ret);
			ret = kipc_sem_trywait(sem);
			REQUIRE(!ret || errno == EAGAIN, ret);
			ret = kipc_sem_getvalue(sem, &value);
			REQUIRE(!ret && value >= 0, ret);
		}
		ret = kipc_sem_clockwait(sem, CLOCK_MONOTONIC, soon(&ts));
		REQUIRE(!ret || errno == ETIMEDOUT, ret);
		ret = kipc_sem_close(sem);
		REQUIRE(!ret, ret);
		step();
	}
}

static void by_call(void)
{
	struct timespec ts;
	uint64_t count;
	uint32_t *word;
	int fd, i, ret;

	for (;;) {
		fd = open_it(O_NONBLOCK);
		word = map_it(fd);
		for (i = 0; i < 5; i++) {
			ret = operate(word, KIPC_POSIX_SEM_POST, NULL);
			REQUIRE(!ret || errno == EOVERFLOW, ret);
			ret = syscall(SYS_fadvise64, raw_fd(), word, KIPC_POSIX_SEM_TRYWAIT,
				      KIPC_CALL_POSIX_SEM_OP);
			REQUIRE(!ret || errno == EAGAIN, ret);
			ret = operate(word, KIPC_POSIX_SEM_WAIT, soon(&ts));
			REQUIRE(!ret || errno == ETIMEDOUT, ret);
			count = 1 + rnd(KIPC_POSIX_SEM_VALUE);
			ret = write(fd, &count, sizeof(count));
			REQUIRE(ret == sizeof(count) || errno == EOVERFLOW, ret);
			ret = read(fd, &count, sizeof(count));
			REQUIRE(ret == sizeof(count) ? count == 1 : errno == EAGAIN, ret);
		}
		close(fd);
		REQUIRE(!munmap(word, PAGE), 0);
		step();
	}
}

static void poller(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	struct pollfd one = { .events = POLLIN | POLLOUT };
	int epoll = epoll_create1(EPOLL_CLOEXEC), i, ret;

	signal(SIGIO, SIG_IGN);
	for (;;) {
		one.fd = open_it(O_NONBLOCK);
		event.events = EPOLLIN | EPOLLOUT | (rnd(2) ? EPOLLET : 0);
		REQUIRE(!epoll_ctl(epoll, EPOLL_CTL_ADD, one.fd, &event), 0);
		for (i = 0; i < 5; i++) {
			ret = poll(&one, 1, 1);
			REQUIRE(ret >= 0 && !(one.revents & ~(POLLIN | POLLOUT)), one.revents);
			ret = epoll_wait(epoll, &event, 1, 1);
			REQUIRE(ret >= 0, ret);
			fcntl(one.fd, F_SETFL, O_NONBLOCK | (rnd(2) ? O_ASYNC : 0));
		}
		if (rnd(2))
			REQUIRE(!epoll_ctl(epoll, EPOLL_CTL_DEL, one.fd, &event), 0);
		close(one.fd);
		step();
	}
}

static void *volatile contested;

/* Now the semaphore is there, now something else, now nothing. */
static void *exchanger(void *unused)
{
	void *at = contested;
	int fd;

	for (;;) {
		fd = open_it(0);
		mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
		mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		mmap(at, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
		mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
		close(fd);
		mmap(at, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return unused;
}

static void unmapper(void)
{
	struct timespec ts;
	pthread_t thread;
	int i, ret;

	contested = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(contested != MAP_FAILED, 0);
	REQUIRE(!pthread_create(&thread, NULL, exchanger, NULL), 0);
	for (;;) {
		for (i = 0; i < 20; i++) {
			ret = operate(contested, KIPC_POSIX_SEM_POST, NULL);
			REQUIRE(!ret || errno == EOVERFLOW || errno == EINVAL, ret);
			ret = operate(contested, KIPC_POSIX_SEM_WAIT, soon(&ts));
			REQUIRE(!ret || errno == ETIMEDOUT || errno == EINVAL, ret);
		}
		step();
	}
}

/* A child has the mapping of one without a name. */
static void unlinker(void)
{
	uint32_t *word;
	int fd, ret;
	pid_t pid;

	for (;;) {
		fd = open_it(0);
		word = map_it(fd);
		close(fd);
		ret = kipc_sem_unlink(NAME);
		REQUIRE(!ret, ret);
		pid = fork();
		REQUIRE(pid >= 0, pid);
		if (!pid)
			_exit(operate(word, KIPC_POSIX_SEM_POST, NULL) && errno != EOVERFLOW);
		REQUIRE(waitpid(pid, &ret, 0) == pid && !ret, ret);
		REQUIRE(!munmap(word, PAGE), 0);
		/* The others are to meet on the next one for a while. */
		for (ret = 0; ret < 50; ret++)
			sched_yield();
		step();
	}
}

/* For good, if nobody lets it go. */
static void sleeper(void)
{
	uint32_t *word;
	int fd, ret;

	for (;;) {
		fd = open_it(0);
		word = map_it(fd);
		close(fd);
		ret = operate(word, KIPC_POSIX_SEM_WAIT, NULL);
		REQUIRE(!ret, ret);
		REQUIRE(!munmap(word, PAGE), 0);
		step();
	}
}

/* One takes what the other gives; nobody else is there. */
static void take_turns(const char *mine, const char *its)
{
	sem_t *from = kipc_sem_open(mine, 0), *to = kipc_sem_open(its, 0);
	int ret;

	REQUIRE(from != SEM_FAILED && to != SEM_FAILED, 0);
	while (!storm_is_over()) {
		ret = kipc_sem_post(to);
		REQUIRE(!ret, ret);
		ret = kipc_sem_wait(from);
		REQUIRE(!ret, ret);
		step();
	}
	/* The other one may wait for a last time. */
	ret = kipc_sem_post(to);
	REQUIRE(!ret, ret);
}

static void ping(void)
{
	take_turns("/pong", "/ping");
}

static void pong(void)
{
	take_turns("/ping", "/pong");
}

static const struct storm_part parts[] = {
	{ "scribbler", scribbler, GOES_ON },
	{ "by library", by_library, GOES_ON },
	{ "by library", by_library, GOES_ON },
	{ "by call", by_call, GOES_ON },
	{ "poller", poller, GOES_ON },
	{ "unmapper", unmapper, GOES_ON },
	{ "unlinker", unlinker, GOES_ON },
	{ "sleeper", sleeper, MAY_SLEEP },
	{ "sleeper", sleeper, MAY_SLEEP },
	{ "ping", ping, RETURNS },
	{ "pong", pong, RETURNS },
};

/* ---- The test ---- */

static long do_wait(long *arg, void *buf)
{
	(void)buf;
	return kipc_sem_wait((sem_t *)arg[0]);
}

TEST_LONG(posix_sem)
{
	int kills = getenv("KIPC_LONG") ? 10000 : 200, k, value, sum;
	sem_t *ping, *pong, *sem;
	struct peer p;
	long refs;

	ASSERT_EQ(0, begin_posix());
	ASSERT_LE(0, raw_fd());
	ping = kipc_sem_open("/ping", O_CREAT | O_EXCL, 0600, 0);
	pong = kipc_sem_open("/pong", O_CREAT | O_EXCL, 0600, 0);
	ASSERT_NE(SEM_FAILED, ping);
	ASSERT_NE(SEM_FAILED, pong);
	refs = module_refs();
	ASSERT_EQ(0, storm_begin(parts, ARRAY_SIZE(parts)));
	for (k = 0; k < kills; k++) {
		ASSERT_TRUE(storm_kill_one());
		EXPECT_LE(2, count_names(NULL));
	}
	EXPECT_TRUE(storm_end());

	/* Each has posted once for each time that the other has waited, and the last time. */
	EXPECT_EQ(0, kipc_sem_getvalue(ping, &value));
	sum = value;
	EXPECT_EQ(0, kipc_sem_getvalue(pong, &value));
	EXPECT_EQ(2, sum + value);
	EXPECT_EQ(0, kipc_sem_unlink("/ping"));
	EXPECT_EQ(0, kipc_sem_unlink("/pong"));

	/* The other is a semaphore as any. */
	sem = kipc_sem_open(NAME, O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, sem);
	*(volatile uint32_t *)sem = 0;
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_begin(&p, do_wait, (long)sem, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&p));
	EXPECT_EQ(0, kipc_sem_post(sem));
	EXPECT_EQ(0, peer_finish(&p));
	EXPECT_EQ(0, kipc_sem_post(sem));
	EXPECT_EQ(0, kipc_sem_getvalue(sem, &value));
	EXPECT_EQ(1, value);
	EXPECT_EQ(0, kipc_sem_trywait(sem));
	EXPECT_ERR(EAGAIN, kipc_sem_trywait(sem));
	peer_end(&p, 0);
	EXPECT_EQ(0, kipc_sem_unlink(NAME));
	EXPECT_EQ(0, count_names(NULL));
	EXPECT_EQ(0, kipc_sem_close(sem));
	EXPECT_EQ(0, kipc_sem_close(ping));
	EXPECT_EQ(0, kipc_sem_close(pong));
	wait_until(module_refs() <= refs);
}

TEST_HARNESS_MAIN

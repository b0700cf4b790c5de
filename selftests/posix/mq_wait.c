// SPDX-License-Identifier: GPL-2.0
/* mq_send(3) and mq_receive(3) that wait, and who else has a queue. */
#include "common/harness.h"
#include "posix/queue.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

POSIX_FIXTURE(mq);

/* Of a peer. */
static long do_take_until(long *arg, void *buf)
{
	struct timespec until;
	int number;

	(void)buf;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1000;
	return ((const struct posix *)arg[0])->mq_timedreceive(arg[1], (char *)&number,
							       sizeof(number), NULL, &until);
}

/* ---- Waiting ---- */

TEST_F(mq, receivers_wait)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/r", O_RDWR, 2);
	struct peer *p = self->p;
	int i, its[3];

	ASSERT_LE(0, q);
	for (i = 0; i < 3; i++) {
		its[i] = peer_open(&p[i], posix, "/r", O_RDONLY, 0, 0, 0);
		ASSERT_EQ(0, peer_taking(&p[i], posix, its[i]));
	}
	/* First come first served, whatever the priority; nobody else gets it. */
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, put(posix, q, 10 + i, i));
		EXPECT_EQ(0, queued(posix, q));
		EXPECT_EQ((long)i << 16 | (10 + i), peer_finish(&p[i]));
	}
	/* One that is killed gets none. */
	ASSERT_EQ(0, peer_taking(&p[0], posix, its[0]));
	ASSERT_EQ(0, peer_taking(&p[1], posix, its[1]));
	peer_end(&p[0], SIGKILL);
	EXPECT_EQ(0, put(posix, q, 5, 0));
	EXPECT_EQ(5, peer_finish(&p[1]));
	/* One that sleeps does not mind the name's end. */
	ASSERT_EQ(0, peer_taking(&p[1], posix, its[1]));
	EXPECT_EQ(0, posix->mq_unlink("/r"));
	EXPECT_EQ(0, put(posix, q, 6, 0));
	EXPECT_EQ(6, peer_finish(&p[1]));
	EXPECT_EQ(0, posix->mq_close(q));
}

TEST_F(mq, senders_wait)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/s", O_RDWR, 1);
	struct peer *p = self->p;
	int i, its[3];

	ASSERT_LE(0, q);
	EXPECT_EQ(0, put(posix, q, 1, 0));
	for (i = 0; i < 3; i++) {
		its[i] = peer_open(&p[i], posix, "/s", O_WRONLY, 0, 0, 0);
		ASSERT_EQ(0, peer_putting(&p[i], posix, its[i], 10 + i, i));
	}
	/* First come first served, whatever the priority. */
	EXPECT_EQ(1, take(posix, q));
	EXPECT_EQ(0, peer_finish(&p[0]));
	EXPECT_EQ(1, queued(posix, q));
	/* One that is killed sends nothing. */
	peer_end(&p[1], SIGKILL);
	EXPECT_EQ(10, take(posix, q));
	EXPECT_EQ(0, peer_finish(&p[2]));
	EXPECT_EQ(2l << 16 | 12, take(posix, q));
	EXPECT_EQ(0, queued(posix, q));
	EXPECT_EQ(0, posix->mq_unlink("/s"));
	EXPECT_EQ(0, posix->mq_close(q));
}

TEST_F(mq, times_out)
{
	static const struct timespec bad[] = {
		{ .tv_nsec = 1000000000 }, { .tv_nsec = -1 }, { .tv_sec = -1 },
	};
	struct timespec long_ago = { .tv_sec = 1 }, soon;
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/t", O_RDWR, 1);
	int number = 7;
	unsigned int i;

	ASSERT_LE(0, q);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EINVAL, posix->mq_timedsend(q, (char *)&number, 4, 0, &bad[i]));
		EXPECT_ERR(EINVAL, posix->mq_timedreceive(q, (char *)&number, 4, NULL, &bad[i]));
	}
	EXPECT_ERR(ETIMEDOUT, posix->mq_timedreceive(q, (char *)&number, 4, NULL, &long_ago));
	/* What can be done is, however late it is. */
	EXPECT_EQ(0, posix->mq_timedsend(q, (char *)&number, 4, 9, &long_ago));
	EXPECT_ERR(ETIMEDOUT, posix->mq_timedsend(q, (char *)&number, 4, 0, &long_ago));
	EXPECT_EQ(4, posix->mq_timedreceive(q, (char *)&number, 4, &i, &long_ago));
	EXPECT_EQ(9, i);
	EXPECT_EQ(0, posix->mq_timedsend(q, (char *)&number, 4, 0, NULL));
	for (i = 0; i < 2; i++) {
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec += 20000000;
		soon.tv_sec += soon.tv_nsec / 1000000000;
		soon.tv_nsec %= 1000000000;
		if (!i)
			EXPECT_ERR(ETIMEDOUT, posix->mq_timedsend(q, (char *)&number, 4, 0, &soon));
		else
			EXPECT_ERR(ETIMEDOUT, posix->mq_timedreceive(q, (char *)&number, 4, NULL,
								     &soon));
		if (!i)
			EXPECT_EQ(4, posix->mq_timedreceive(q, (char *)&number, 4, NULL, NULL));
	}
	EXPECT_EQ(0, queued(posix, q));
	EXPECT_EQ(0, posix->mq_unlink("/t"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* A handler that was to have calls begun again, and one that was not. */
TEST_F(mq, interrupted)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/i", O_RDWR, 1);
	struct peer *p = self->p;
	int its;

	ASSERT_LE(0, q);
	its = peer_open(&p[0], posix, "/i", O_RDWR, 0, 0, 0);
	ASSERT_EQ(0, peer_catch(&p[0], SIGUSR1, 0));
	ASSERT_EQ(0, peer_catch(&p[0], SIGUSR2, SA_RESTART));
	ASSERT_EQ(0, peer_taking(&p[0], posix, its));
	kill(p[0].pid, SIGUSR1);
	EXPECT_ERR(EINTR, peer_finish(&p[0]));
	ASSERT_EQ(0, peer_taking(&p[0], posix, its));
	kill(p[0].pid, SIGUSR2);
	EXPECT_EQ(0, put(posix, q, 1, 0));
	EXPECT_EQ(1, peer_finish(&p[0]));

	ASSERT_EQ(0, peer_begin(&p[0], do_take_until, (long)posix, its, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&p[0]));
	kill(p[0].pid, SIGUSR1);
	EXPECT_ERR(EINTR, peer_finish(&p[0]));
	ASSERT_EQ(0, peer_begin(&p[0], do_take_until, (long)posix, its, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&p[0]));
	kill(p[0].pid, SIGUSR2);
	EXPECT_EQ(0, put(posix, q, 2, 0));
	EXPECT_EQ(4, peer_finish(&p[0]));

	EXPECT_EQ(0, put(posix, q, 3, 0));
	ASSERT_EQ(0, peer_putting(&p[0], posix, its, 4, 0));
	kill(p[0].pid, SIGUSR1);
	EXPECT_ERR(EINTR, peer_finish(&p[0]));
	ASSERT_EQ(0, peer_putting(&p[0], posix, its, 5, 0));
	kill(p[0].pid, SIGUSR2);
	EXPECT_EQ(3, take(posix, q));
	EXPECT_EQ(0, peer_finish(&p[0]));
	EXPECT_EQ(5, take(posix, q));
	EXPECT_EQ(0, queued(posix, q));
	EXPECT_EQ(0, posix->mq_unlink("/i"));
	EXPECT_EQ(0, posix->mq_close(q));
}

TEST_F(mq, polled)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/e", O_RDWR, 2), writer;
	struct pollfd ready = { .fd = q, .events = POLLIN | POLLOUT };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET }, got;
	struct peer *p = self->p;
	int i, its, set;

	ASSERT_LE(0, q);
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLOUT, ready.revents);
	EXPECT_EQ(0, put(posix, q, 1, 0));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, ready.revents);
	EXPECT_EQ(0, put(posix, q, 2, 0));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN, ready.revents);
	/* Who may not take it sees it nevertheless. */
	writer = posix->mq_open("/e", O_WRONLY);
	ready.fd = writer;
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN, ready.revents);
	ready.fd = q;
	EXPECT_EQ(1, take(posix, q));
	EXPECT_EQ(2, take(posix, q));

	its = peer_open(&p[0], posix, "/e", O_RDWR, 0, 0, 0);
	ready.events = POLLIN;
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, peer_begin(&p[0], do_put, (long)posix, its, i, 0, 0));
		EXPECT_EQ(1, poll(&ready, 1, -1));
		EXPECT_EQ(0, peer_finish(&p[0]));
		EXPECT_EQ(i, take(posix, q));
	}
	/* The same by epoll, edge-triggered. */
	set = epoll_create1(0);
	ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, q, &event));
	EXPECT_EQ(0, epoll_wait(set, &got, 1, 0));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, peer_begin(&p[0], do_put, (long)posix, its, i, 0, 0));
		EXPECT_EQ(1, epoll_wait(set, &got, 1, -1));
		EXPECT_EQ(0, peer_finish(&p[0]));
		EXPECT_EQ(i, take(posix, q));
	}
	close(set);
	/* And for room. */
	EXPECT_EQ(0, put(posix, q, 1, 0));
	EXPECT_EQ(0, put(posix, q, 2, 0));
	ready.events = POLLOUT;
	EXPECT_EQ(0, poll(&ready, 1, 0));
	ASSERT_EQ(0, peer_begin(&p[0], do_take, (long)posix, its, 0, 0, 0));
	EXPECT_EQ(1, poll(&ready, 1, -1));
	EXPECT_EQ(1, peer_finish(&p[0]));
	EXPECT_EQ(0, posix->mq_unlink("/e"));
	EXPECT_EQ(0, posix->mq_close(q));
	EXPECT_EQ(0, posix->mq_close(writer));
}

/* ---- Who else has it ---- */

static int use_inherited(void *arg)
{
	long *what = arg;
	const struct posix *posix = (const struct posix *)what[0];

	return put(posix, what[1], 4, 4) || put(posix, what[1], 5, 5) ||
	       take(posix, what[1]) != (5l << 16 | 5) || posix->mq_close(what[1]);
}

static int use_passed(void *arg)
{
	long *what = arg;
	const struct posix *posix = (const struct posix *)what[0];
	int q;

	if (become(&other) || unshare(CLONE_FILES))
		return 1;
	posix->mq_close(what[1]);
	q = receive_fd(what[2]);
	return take(posix, q) != (4l << 16 | 4) || put(posix, q, 1, 0) != -1 || errno != EBADF;
}

TEST_F(mq, inherited_and_passed)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/f", O_RDWR, 2);
	long what[3] = { (long)posix, q };
	int pair[2], reader;

	ASSERT_LE(0, q);
	reader = posix->mq_open("/f", O_RDONLY);
	EXPECT_EQ(0, posix->mq_unlink("/f"));
	EXPECT_EQ(0, in_child(use_inherited, what));
	EXPECT_EQ(1, queued(posix, q));

	/* By a socket, to another user, with the rights that it has. */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, send_fd(pair[0], reader));
	EXPECT_EQ(0, posix->mq_close(reader));
	what[2] = pair[1];
	EXPECT_EQ(0, in_child(use_passed, what));
	EXPECT_EQ(0, queued(posix, q));
	close(pair[0]);
	close(pair[1]);
	EXPECT_EQ(0, posix->mq_close(q));
}

/* Two threads each in four processes: every message arrives once. */
#define ROUNDS	2000

static void *pass(void *arg)
{
	long *what = arg;
	const struct posix *posix = (const struct posix *)what[0];
	long i, got;

	for (i = 0; i < ROUNDS; i++) {
		got = take(posix, what[1]);
		if (got < 0 || put(posix, what[2], got & 0xffff, got >> 16))
			return (void *)-1l;
	}
	return NULL;
}

TEST_F_TIMEOUT(mq, many, 200)
{
	const struct posix *posix = variant->posix;
	mqd_t a = open_numbers(posix, "/a", O_RDWR, 3), b = open_numbers(posix, "/b", O_RDWR, 3);
	long there[] = { (long)posix, a, b }, back[] = { (long)posix, b, a };
	int i, seen = 0;
	long got;

	ASSERT_LE(0, b);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, put(posix, a, i, i));
	ASSERT_EQ(0, pass_all(pass, there, back));
	EXPECT_EQ(3, queued(posix, a));
	EXPECT_EQ(0, queued(posix, b));
	for (i = 3; i--;) {
		got = take(posix, a);
		EXPECT_EQ(i, got >> 16);
		seen |= 1 << (got & 0xffff);
	}
	EXPECT_EQ(7, seen);
	EXPECT_EQ(0, posix->mq_unlink("/a"));
	EXPECT_EQ(0, posix->mq_unlink("/b"));
	EXPECT_EQ(0, posix->mq_close(a));
	EXPECT_EQ(0, posix->mq_close(b));
}

TEST_HARNESS_MAIN

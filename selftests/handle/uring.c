// SPDX-License-Identifier: GPL-2.0
/*
 * Handles and io_uring: plain reads, writes and polls of it, in each of the ways that a ring
 * may go about them.
 */
#include "ring.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common/device.h"

#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN	(1u << 13)
#endif

/* Objects in a namespace of the test's own, a handle of each, a ring. */
FIXTURE(uring) { struct ring ring; int shm, sem, msg, on_shm, on_sem, on_msg; };
FIXTURE_VARIANT(uring) { unsigned int setup; bool files; };
FIXTURE_VARIANT_ADD(uring, plain) { };
FIXTURE_VARIANT_ADD(uring, registered_files) { .files = true };
FIXTURE_VARIANT_ADD(uring, deferred) {
	.setup = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
};
FIXTURE_VARIANT_ADD(uring, kernel_thread) { .setup = IORING_SETUP_SQPOLL };

FIXTURE_SETUP(uring)
{
	struct kipc_filter one = { .sem_num = 1, .sem_op = -1 };

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->shm = kipc_shmget(IPC_PRIVATE, 8192, 0600);
	self->sem = kipc_semget(IPC_PRIVATE, 3, 0600);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	self->on_shm = kipc_handle(KIPC_KIND_SHM, self->shm, O_RDWR, NULL);
	self->on_sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &one);
	self->on_msg = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	ASSERT_LE(0, self->on_shm);
	ASSERT_LE(0, self->on_sem);
	ASSERT_LE(0, self->on_msg);
	ASSERT_EQ(0, ring_start(&self->ring, 64, variant->setup, variant->files));
}

FIXTURE_TEARDOWN(uring)
{
	ring_end(&self->ring);
}

#define EXPECT_DONE(_who, _res) do { \
	struct done __done = ring_next(&self->ring); \
	EXPECT_EQ((uint64_t)(_who), __done.who); \
	EXPECT_EQ((_res), __done.res) \
		TH_LOG("request %d: %s", (int)__done.who, \
		       __done.res < 0 ? strerror(-__done.res) : "done"); \
} while (0)
#define EXPECT_QUIET() EXPECT_TRUE(ring_quiet(&self->ring))

/* ---- What can be done at once ---- */

TEST_F(uring, reads_and_writes)
{
	struct packet packet = { .type = 7, .text = "seven" };
	uint64_t n = 3;

	ring_write(&self->ring, self->on_sem, &n, 8, 1);
	EXPECT_DONE(1, 8);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 3, 0);
	ring_read(&self->ring, self->on_sem, &n, 8, 2);
	EXPECT_DONE(2, 8);
	EXPECT_EQ(1, n);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 2, 0);
	/* Whichever thread it was: the process that asked. */
	EXPECT_EQ(getpid(), kipc_semctl(self->sem, 1, GETPID));

	ring_write(&self->ring, self->on_msg, &packet, 14, 3);
	EXPECT_DONE(3, 14);
	memset(&packet, POISON, sizeof(packet));
	ring_read(&self->ring, self->on_msg, &packet, sizeof(packet), 4);
	EXPECT_DONE(4, 14);
	EXPECT_EQ(7, packet.type);
	EXPECT_STREQ("seven", packet.text);
	EXPECT_EQ(POISON, (unsigned char)packet.text[6]);
}

TEST_F(uring, refuses)
{
	struct packet packet = { .type = 7, .text = "seven" };
	int ro = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDONLY, NULL);
	int wo = kipc_handle(KIPC_KIND_MSG, self->msg, O_WRONLY, NULL);
	int now = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR | O_NONBLOCK, NULL);
	struct io_uring_sqe *sqe;
	uint64_t n = 32768;

	ring_read(&self->ring, self->on_shm, &n, 8, 1);
	EXPECT_DONE(1, -EINVAL);
	ring_write(&self->ring, self->on_shm, &n, 8, 2);
	EXPECT_DONE(2, -EINVAL);
	ring_write(&self->ring, self->on_sem, &n, 8, 3);
	EXPECT_DONE(3, -EINVAL);
	ring_write(&self->ring, self->on_sem, &n, 7, 4);
	EXPECT_DONE(4, -EINVAL);
	ring_read(&self->ring, self->on_sem, &n, 7, 5);
	EXPECT_DONE(5, -EINVAL);
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 1));
	ring_read(&self->ring, self->on_sem, bad_address(0), 8, 6);
	EXPECT_DONE(6, -EFAULT);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 1, 0);
	ring_write(&self->ring, ro, &n, 8, 7);
	EXPECT_DONE(7, -EBADF);
	ring_read(&self->ring, ro, &n, 8, 8);
	EXPECT_DONE(8, -EACCES);
	ring_read(&self->ring, wo, &packet, 64, 9);
	EXPECT_DONE(9, -EBADF);
	/* A ring does not go by O_NONBLOCK, but by what the request says. */
	sqe = ring_sqe(&self->ring);
	io_uring_prep_read(sqe, now, &packet, 64, -1);
	sqe->rw_flags = RWF_NOWAIT;
	ring_add(&self->ring, sqe, 10);
	EXPECT_DONE(10, -EAGAIN);

	/* A message that does not fit, or cannot be written there, stays. */
	EXPECT_EQ(0, send_text(self->msg, 7, "seven"));
	ring_read(&self->ring, self->on_msg, &packet, 13, 11);
	EXPECT_DONE(11, -E2BIG);
	ring_read(&self->ring, self->on_msg, bad_address(0), 64, 12);
	EXPECT_DONE(12, -EFAULT);
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, self->msg));
	packet.type = 0;
	ring_write(&self->ring, self->on_msg, &packet, 14, 13);
	EXPECT_DONE(13, -EINVAL);
	close(ro);
	close(wo);
	close(now);
}

/* ---- What has to wait ---- */

TEST_F(uring, reads_what_comes)
{
	struct packet packet = { };
	uint64_t n = POISON;

	ring_read(&self->ring, self->on_sem, &n, 8, 1);
	ring_read(&self->ring, self->on_msg, &packet, sizeof(packet), 2);
	EXPECT_QUIET();
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 0, 1, 0));
	EXPECT_QUIET();
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 1, 1, 0));
	EXPECT_DONE(1, 8);
	EXPECT_EQ(1, n);
	EXPECT_VALUES(&ipc_kipc, self->sem, 1, 0, 0);
	EXPECT_QUIET();
	EXPECT_EQ(0, send_text(self->msg, 3, "three"));
	EXPECT_DONE(2, 14);
	EXPECT_STREQ("three", packet.text);
	EXPECT_EQ(0, ring_workers());
}

/* Several for what suffices for one, again and again. */
TEST_F(uring, gives_each_to_one)
{
	enum { READERS = 20 };
	struct packet packet[READERS] = { };
	bool had[READERS] = { };
	struct done done;
	int i;

	for (i = 0; i < READERS; i++)
		ring_read(&self->ring, self->on_msg, &packet[i], sizeof(*packet), i);
	EXPECT_QUIET();
	for (i = 0; i < READERS; i++) {
		EXPECT_EQ(0, send_text(self->msg, 1 + i, "one"));
		done = ring_next(&self->ring);
		ASSERT_GT(READERS, done.who);
		EXPECT_EQ(12, done.res);
		EXPECT_FALSE(had[done.who]);
		had[done.who] = true;
		EXPECT_EQ(1 + i, packet[done.who].type);
	}
	EXPECT_EQ(0, msg_qnum(&ipc_kipc, self->msg));
}

TEST_F(uring, writes_when_there_is_room)
{
	enum { WRITERS = 40, HELD = 8 };
	struct packet packet[WRITERS], in_hand;
	uint64_t had = 0;
	struct done done;
	int i, n = 0, in = 0;

	/* Room for some: messages of one size, so that room for a byte is room for one. */
	EXPECT_EQ(0, msg_set_qbytes(&ipc_kipc, self->msg, HELD * 16));
	for (i = 0; i < WRITERS; i++) {
		packet[i] = (struct packet){ .type = 1 + i, .text = "fifteen letters" };
		ring_write(&self->ring, self->on_msg, &packet[i], 24, i);
	}
	for (; n < HELD; n++)
		EXPECT_EQ(24, ring_next(&self->ring).res);
	EXPECT_QUIET();
	EXPECT_EQ(HELD, msg_qnum(&ipc_kipc, self->msg));
	while (in < WRITERS) {
		EXPECT_EQ(16, kipc_msgrcv(self->msg, &in_hand, 64, 0, 0));
		had |= 1ull << (in_hand.type - 1);
		in++;
		if (n == WRITERS)
			continue;
		done = ring_next(&self->ring);
		EXPECT_EQ(24, done.res);
		n++;
	}
	EXPECT_EQ((1ull << WRITERS) - 1, had);
	EXPECT_QUIET();
	EXPECT_EQ(0, msg_qnum(&ipc_kipc, self->msg));
}

/* Begun by a thread of the kernel's, and waiting without it. */
TEST_F(uring, is_begun_elsewhere)
{
	struct packet packet[3] = { }, out = { .type = 8, .text = "out" };
	uint64_t n[3];
	struct done done;
	int i, got = 0;

	self->ring.sqe_flags = IOSQE_ASYNC;
	for (i = 0; i < 3; i++) {
		ring_read(&self->ring, self->on_msg, &packet[i], sizeof(*packet), 1);
		ring_read(&self->ring, self->on_sem, &n[i], 8, 2);
	}
	ring_write(&self->ring, self->on_msg, &out, 12, 3);
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 1, 1, 0));
	for (i = 0; i < 3; i++) {
		done = ring_next(&self->ring);
		got |= 1 << done.who;
		EXPECT_EQ(done.who == 2 ? 8 : 12, done.res);
	}
	EXPECT_EQ(1 << 1 | 1 << 2 | 1 << 3, got);
	EXPECT_EQ(getpid(), kipc_semctl(self->sem, 1, GETPID));
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-EIDRM, ring_next(&self->ring).res);
}

/* Poll says that there is room, but it is not enough: it waits nevertheless. */
TEST_F(uring, writes_what_needs_more_room)
{
	struct packet packet = { .type = 1, .text = "fifteen letters" };

	EXPECT_EQ(0, msg_set_qbytes(&ipc_kipc, self->msg, 16));
	EXPECT_EQ(0, send_text(self->msg, 9, "few"));
	ring_write(&self->ring, self->on_msg, &packet, 24, 1);
	/* In a thread of the ring's, beside the handle, once it has tried often enough. */
	wait_until(ring_quiet(&self->ring) && kipc_object_read("msg", self->msg).users == 2);
	EXPECT_EQ(4, kipc_msgrcv(self->msg, &(struct packet){ }, 64, 9, 0));
	EXPECT_DONE(1, 24);
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, self->msg));
}

TEST_F(uring, is_told_of_removal)
{
	struct packet packet = { .type = 1 };
	uint64_t n;
	int i;

	EXPECT_EQ(0, msg_set_qbytes(&ipc_kipc, self->msg, 0));
	for (i = 0; i < 4; i++) {
		ring_read(&self->ring, self->on_msg, &packet, sizeof(packet), i);
		ring_write(&self->ring, self->on_msg, &packet, 64, i);
	}
	EXPECT_QUIET();
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(-EIDRM, ring_next(&self->ring).res);
	for (i = 0; i < 8; i++)
		ring_read(&self->ring, self->on_sem, &n, 8, i);
	EXPECT_QUIET();
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(-EIDRM, ring_next(&self->ring).res);
	ring_read(&self->ring, self->on_sem, &n, 8, 9);
	EXPECT_DONE(9, -EIDRM);
	ring_write(&self->ring, self->on_msg, &packet, 64, 10);
	EXPECT_DONE(10, -EIDRM);
	EXPECT_QUIET();
}

/* The rights are the handle's: what becomes of the object's mode does not matter. */
TEST_F(uring, outlives_permissions)
{
	struct who nobody = { "nobody", 65534, 65534, -1, 0 };
	struct packet packet = { };
	struct msqid_ds ds;
	struct peer peer;

	ASSERT_EQ(0, peer_start(&peer));
	ring_read(&self->ring, self->on_msg, &packet, sizeof(packet), 1);
	EXPECT_QUIET();
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_perm.uid = nobody.uid;
	ds.msg_perm.mode = 0200;
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_QUIET();
	ASSERT_EQ(0, peer_become(&peer, &nobody));
	EXPECT_EQ(0, peer_send(&peer, &ipc_kipc, self->msg, 5, 55, 0));
	EXPECT_DONE(1, 8 + sizeof(int));
	EXPECT_EQ(5, packet.type);
	EXPECT_EQ(0, peer_end(&peer, 0));
}

/* ---- What is not wanted any more ---- */

TEST_F(uring, takes_nothing_once_cancelled)
{
	struct packet packet = { .type = 1 };
	struct done done;
	uint64_t n;
	int i, who = 0;

	ring_read(&self->ring, self->on_msg, &packet, sizeof(packet), 1);
	ring_read(&self->ring, self->on_sem, &n, 8, 2);
	EXPECT_QUIET();
	ring_cancel(&self->ring, 1, 4);
	ring_cancel(&self->ring, 2, 8);
	for (i = 0; i < 4; i++) {
		done = ring_next(&self->ring);
		who |= done.who;
		EXPECT_EQ(done.who < 4 ? -ECANCELED : 0, done.res);
	}
	EXPECT_EQ(1 | 2 | 4 | 8, who);
	EXPECT_EQ(0, send_text(self->msg, 3, "three"));
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 1, 1, 0));
	EXPECT_QUIET();
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, self->msg));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 1, 0);
}

TEST_F(uring, has_time_outs)
{
	struct __kernel_timespec soon = { .tv_nsec = 1000000 };
	struct io_uring_sqe *sqe;
	struct packet packet;
	struct done done[2];
	int i;

	self->ring.sqe_flags = IOSQE_IO_LINK;
	ring_read(&self->ring, self->on_msg, &packet, sizeof(packet), 1);
	sqe = ring_sqe(&self->ring);
	io_uring_prep_link_timeout(sqe, &soon, 0);
	io_uring_sqe_set_data64(sqe, 2);
	for (i = 0; i < 2; i++)
		done[i] = ring_next(&self->ring);
	i = done[0].who == 2;
	EXPECT_EQ(1, done[i].who);
	EXPECT_EQ(-ECANCELED, done[i].res);
	EXPECT_EQ(-ETIME, done[!i].res);
}

/* ---- Polls ---- */

/* Byte streams, whose descriptors are no handles. */
TEST_F(uring, streams)
{
	int fd = kipc_stream_open("/uring", O_RDWR | O_CREAT | O_EXCL, 0600, 4096,
				  KIPC_LIFETIME_USERS);
	static char in[8192], out[4096];

	ASSERT_LE(0, fd);
	memset(out, 7, sizeof(out));
	ring_write(&self->ring, fd, out, 5, 1);
	EXPECT_DONE(1, 5);
	ring_read(&self->ring, fd, in, 100, 2);
	EXPECT_DONE(2, 5);
	EXPECT_EQ(0, memcmp(in, out, 5));
	ring_read(&self->ring, fd, in, 100, 3);
	EXPECT_QUIET();
	EXPECT_EQ(6, write(fd, out, 6));
	EXPECT_DONE(3, 6);
	EXPECT_EQ(4096, write(fd, out, 4096));
	ring_write(&self->ring, fd, out, 10, 4);
	EXPECT_QUIET();
	EXPECT_EQ(4096, read(fd, in, sizeof(in)));
	EXPECT_DONE(4, 10);
	EXPECT_EQ(10, read(fd, in, sizeof(in)));
	ring_read(&self->ring, fd, bad_address(0), 100, 5);
	EXPECT_QUIET();
	EXPECT_EQ(6, write(fd, out, 6));
	EXPECT_DONE(5, -EFAULT);
	EXPECT_EQ(6, read(fd, in, sizeof(in)));
	/* What still waits goes with the ring. */
	ring_read(&self->ring, fd, in, 100, 6);
	EXPECT_QUIET();
	close(fd);
}

TEST_F(uring, polls_once)
{
	ring_poll(&self->ring, self->on_shm, POLLIN, false, 1);
	EXPECT_DONE(1, POLLIN);
	ring_poll(&self->ring, self->on_sem, POLLIN, false, 2);
	ring_poll(&self->ring, self->on_msg, POLLIN, false, 3);
	EXPECT_QUIET();
	ring_poll(&self->ring, self->on_sem, POLLIN | POLLOUT, false, 4);
	EXPECT_DONE(4, POLLOUT);
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 1, 1, 0));
	EXPECT_DONE(2, POLLIN);
	EXPECT_EQ(0, send_text(self->msg, 3, "three"));
	EXPECT_DONE(3, POLLIN);
	EXPECT_QUIET();

	EXPECT_EQ(0, msg_set_qbytes(&ipc_kipc, self->msg, 6));
	ring_poll(&self->ring, self->on_msg, POLLOUT, false, 5);
	EXPECT_QUIET();
	EXPECT_EQ(6, kipc_msgrcv(self->msg, &(struct packet){ }, 64, 0, 0));
	EXPECT_DONE(5, POLLOUT);
	ring_poll(&self->ring, self->on_msg, POLLIN, false, 6);
	EXPECT_QUIET();
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	EXPECT_DONE(6, POLLIN | POLLERR | POLLHUP);
	EXPECT_QUIET();
}

/* Each time that there is something after there was nothing, until it is told to end. */
TEST_F(uring, polls_again_and_again)
{
	struct packet packet;
	struct done done;
	int i;

	ring_poll(&self->ring, self->on_msg, POLLIN, true, 1);
	ring_poll(&self->ring, self->on_sem, POLLIN, true, 2);
	EXPECT_QUIET();
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, send_text(self->msg, 3, "three"));
		done = ring_next(&self->ring);
		EXPECT_EQ(1, done.who);
		EXPECT_EQ(POLLIN, done.res);
		EXPECT_EQ(IORING_CQE_F_MORE, done.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(6, read_text(self->on_msg, &packet));
		EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 1, 1, 0));
		done = ring_next(&self->ring);
		EXPECT_EQ(2, done.who);
		EXPECT_EQ(POLLIN, done.res);
		EXPECT_EQ(IORING_CQE_F_MORE, done.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 1, -1, 0));
		EXPECT_QUIET();
	}
	ring_cancel(&self->ring, 1, 3);
	for (i = 0; i < 2; i++) {
		done = ring_next(&self->ring);
		EXPECT_EQ(0, done.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(done.who == 1 ? -ECANCELED : 0, done.res);
	}
	EXPECT_EQ(0, send_text(self->msg, 3, "three"));
	EXPECT_QUIET();
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_DONE(2, POLLIN | POLLERR | POLLHUP);
}

/* A poller in a ring costs system calls as long as it is there, as any. */
TEST_F(uring, leaves_the_fast_path_alone)
{
	struct sembuf up = { 1, 1, 0 }, down = { 1, -1, 0 };
	long before;
	int i;

	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
		ASSERT_EQ(0, kipc_semop(self->sem, &down, 1));
	}
	before = kipc_object_read("sem", self->sem).calls;
	ring_poll(&self->ring, self->on_sem, POLLIN, true, 1);
	EXPECT_QUIET();
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_DONE(1, POLLIN);
	ASSERT_EQ(0, kipc_semop(self->sem, &down, 1));
	EXPECT_EQ(before + 2, kipc_object_read("sem", self->sem).calls);
	ring_cancel(&self->ring, 1, 2);
	EXPECT_LE(0, ring_next(&self->ring).who);
	EXPECT_LE(0, ring_next(&self->ring).who);

	/* The first call finds out that nobody polls any more. */
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	before = kipc_object_read("sem", self->sem).calls;
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, kipc_semop(self->sem, &down, 1));
		ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	}
	EXPECT_EQ(before, kipc_object_read("sem", self->sem).calls);
}

/* A ring that polls an epoll that has handles, and an epoll that has the ring. */
TEST_F(uring, polls_epoll_and_the_other_way_round)
{
	struct epoll_event event = { .events = EPOLLIN };
	int inner = epoll_create1(EPOLL_CLOEXEC), outer = epoll_create1(EPOLL_CLOEXEC);
	struct packet packet;

	ASSERT_EQ(0, epoll_ctl(inner, EPOLL_CTL_ADD, self->on_msg, &event));
	ASSERT_EQ(0, epoll_ctl(outer, EPOLL_CTL_ADD, self->ring.io.ring_fd, &event));
	ring_poll(&self->ring, inner, POLLIN, false, 1);
	EXPECT_QUIET();
	EXPECT_EQ(0, epoll_wait(outer, &event, 1, 0));
	EXPECT_EQ(0, send_text(self->msg, 3, "three"));
	/* Who defers its work does it when it looks at the ring, not at an epoll. */
	if (!(variant->setup & IORING_SETUP_DEFER_TASKRUN))
		EXPECT_EQ(1, epoll_wait(outer, &event, 1, -1));
	EXPECT_DONE(1, POLLIN);
	EXPECT_EQ(1, epoll_wait(inner, &event, 1, 0));
	EXPECT_EQ(6, read_text(self->on_msg, &packet));
	EXPECT_EQ(0, epoll_wait(inner, &event, 1, 0));
	close(inner);
	close(outer);
}

/* ---- Many ---- */

/* Each its own read, and no thread for it. */
TEST_F_TIMEOUT(uring, has_a_thousand_queues, 200)
{
	enum { QUEUES = 1000 };
	static struct packet packet[QUEUES];
	static int queue[QUEUES], fd[QUEUES];
	struct done done;
	int i;

	for (i = 0; i < QUEUES; i++) {
		queue[i] = kipc_msgget(IPC_PRIVATE, 0600);
		fd[i] = kipc_handle(KIPC_KIND_MSG, queue[i], O_RDONLY, NULL);
		ASSERT_LE(0, fd[i]);
		ring_read(&self->ring, fd[i], &packet[i], sizeof(*packet), i);
	}
	EXPECT_QUIET();
	EXPECT_EQ(0, ring_workers());
	for (i = 0; i < QUEUES; i += 37) {
		EXPECT_EQ(0, send_text(queue[i], 1 + i, "here"));
		done = ring_next(&self->ring);
		EXPECT_EQ(i, (int)done.who);
		EXPECT_EQ(8 + 5, done.res);
		EXPECT_EQ(1 + i, packet[i].type);
		ring_read(&self->ring, fd[i], &packet[i], sizeof(*packet), i);
	}
	EXPECT_QUIET();
	for (i = 0; i < QUEUES; i++) {
		EXPECT_EQ(0, kipc_msgctl(queue[i], IPC_RMID, NULL));
		EXPECT_DONE(i, -EIDRM);
		close(fd[i]);
	}
	EXPECT_EQ(0, ring_workers());
}

/* ---- Multishot reads: from 6.7 on ---- */

static bool has_read_multishot(struct ring *ring)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(&ring->io);
	bool has = probe && io_uring_opcode_supported(probe, RING_READ_MULTISHOT);

	io_uring_free_probe(probe);
	return has;
}

enum { GROUP = 5, BUFFERS = 8 };

static void provide_buffers(struct ring *ring, void *memory, size_t size, int n)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_provide_buffers(sqe, memory, size, n, GROUP, 0);
	io_uring_sqe_set_data64(sqe, 99);
}

static void ring_read_multishot(struct ring *ring, int fd, uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_rw(RING_READ_MULTISHOT, sqe, fd, NULL, 0, -1);
	sqe->buf_group = GROUP;
	sqe->flags |= IOSQE_BUFFER_SELECT;
	ring_add(ring, sqe, who);
}

#define EXPECT_MORE(_who, _res) ({ \
	struct done __more = ring_next(&self->ring); \
	EXPECT_EQ((uint64_t)(_who), __more.who); \
	EXPECT_EQ((_res), __more.res); \
	EXPECT_EQ(IORING_CQE_F_MORE | IORING_CQE_F_BUFFER, \
		  __more.flags & (IORING_CQE_F_MORE | IORING_CQE_F_BUFFER)); \
	(int)(__more.flags >> IORING_CQE_BUFFER_SHIFT); \
})

TEST_F(uring, receives_again_and_again)
{
	static struct packet packet[BUFFERS];
	char text[16];
	struct done done;
	int i, buffer;

	if (!has_read_multishot(&self->ring))
		SKIP(return, "no IORING_OP_READ_MULTISHOT");
	provide_buffers(&self->ring, packet, sizeof(*packet), BUFFERS);
	EXPECT_DONE(99, 0);
	EXPECT_EQ(0, send_text(self->msg, 1, "there before"));
	ring_read_multishot(&self->ring, self->on_msg, 1);
	buffer = EXPECT_MORE(1, 8 + 13);
	ASSERT_GT(BUFFERS, buffer);
	EXPECT_STREQ("there before", packet[buffer].text);
	provide_buffers(&self->ring, packet, sizeof(*packet), BUFFERS);
	EXPECT_DONE(99, 0);
	EXPECT_QUIET();

	/* Several at a time, in their order. */
	for (i = 0; i < BUFFERS; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		EXPECT_EQ(0, send_text(self->msg, 1 + i, text));
	}
	for (i = 0; i < BUFFERS; i++) {
		buffer = EXPECT_MORE(1, 8 + 9);
		ASSERT_GT(BUFFERS, buffer);
		EXPECT_EQ(1 + i, packet[buffer].type);
	}
	EXPECT_QUIET();
	EXPECT_EQ(0, ring_workers());

	/* What is removed is removed. */
	provide_buffers(&self->ring, packet, sizeof(*packet), BUFFERS);
	EXPECT_DONE(99, 0);
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	done = ring_next(&self->ring);
	EXPECT_EQ(1, done.who);
	EXPECT_EQ(-EIDRM, done.res);
	EXPECT_EQ(0, done.flags & IORING_CQE_F_MORE);
}

/* Without a buffer, or with one that is too small: it ends, and the message stays. */
TEST_F(uring, receives_as_long_as_it_can)
{
	static struct packet packet;
	struct done done;
	int i;

	if (!has_read_multishot(&self->ring))
		SKIP(return, "no IORING_OP_READ_MULTISHOT");
	provide_buffers(&self->ring, &packet, 16, 1);
	EXPECT_DONE(99, 0);
	ring_read_multishot(&self->ring, self->on_msg, 1);
	EXPECT_QUIET();
	EXPECT_EQ(0, send_text(self->msg, 1, "1234567"));
	EXPECT_EQ(0, EXPECT_MORE(1, 16));
	EXPECT_EQ(0, send_text(self->msg, 1, "again"));
	done = ring_next(&self->ring);
	EXPECT_EQ(-ENOBUFS, done.res);
	EXPECT_EQ(0, done.flags & IORING_CQE_F_MORE);
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, self->msg));
	provide_buffers(&self->ring, &packet, 13, 1);
	EXPECT_DONE(99, 0);
	ring_read_multishot(&self->ring, self->on_msg, 2);
	done = ring_next(&self->ring);
	EXPECT_EQ(2, done.who);
	EXPECT_EQ(-E2BIG, done.res);
	EXPECT_EQ(0, done.flags & IORING_CQE_F_MORE);
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, self->msg));

	/* Of a semaphore: one decrement each. */
	provide_buffers(&self->ring, &packet, 8, 8);
	EXPECT_DONE(99, 0);
	ring_read_multishot(&self->ring, self->on_sem, 3);
	EXPECT_QUIET();
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 3));
	for (i = 0; i < 3; i++)
		EXPECT_MORE(3, 8);
	EXPECT_QUIET();
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 0, 0);
}

/* ---- Ends with all of it pending ---- */

/*
 * Hundreds of reads, writes and polls of all kinds, waiting, with a ring of their own; and
 * of those some that sleep in a thread, for poll does not tell what they wait for.
 */
enum { EACH = 100, SLEEPING = 3, HANDLES = 4 };

static struct packet pending_packet[EACH];
static uint64_t pending_number[EACH];

static void make_pending(FIXTURE_DATA(uring) *self, const FIXTURE_VARIANT(uring) *variant,
			 struct ring *ring)
{
	int full = kipc_msgget(0x700, 0), fd, i;

	if (ring_start(ring, 64, variant->setup, variant->files))
		_exit(1);
	fd = kipc_handle(KIPC_KIND_MSG, full, O_RDWR, NULL);
	if (fd < 0)
		_exit(2);
	for (i = 0; i < EACH; i++) {
		pending_packet[i] = (struct packet){ .type = 1, .text = "x" };
		ring_read(ring, self->on_sem, &pending_number[i], 8, 1);
		ring_read(ring, self->on_msg, &pending_packet[i], sizeof(*pending_packet), 1);
		ring_write(ring, fd, &pending_packet[i], 8 + (i < SLEEPING ? 32 : 1), 1);
		ring_poll(ring, self->on_sem, POLLIN, i % 2, 1);
		ring_poll(ring, self->on_msg, POLLIN, i % 2, 1);
	}
	/* Some write into what room there is; all the others wait. */
	if (io_uring_submit(&ring->io) < 0)
		_exit(3);
}

struct left {
	long sem, msg, full;
	long refs;	/* some of which an earlier test may have left to a worker */
};

static struct left count_left(FIXTURE_DATA(uring) *self, int full)
{
	return (struct left){
		kipc_object_read("sem", self->sem).users, kipc_object_read("msg", self->msg).users,
		kipc_object_read("msg", full).users, module_refs(),
	};
}

static bool same_left(struct left before, struct left now)
{
	return now.sem == before.sem && now.msg == before.msg && now.full == before.full &&
	       now.refs <= before.refs;
}

/* A queue whose room is for a byte, so that poll has it ready for what does not fit. */
static int almost_full(void)
{
	int full = kipc_msgget(0x700, IPC_CREAT | IPC_EXCL | 0600);

	if (full < 0 || msg_set_qbytes(&ipc_kipc, full, 4) ||
	    kipc_msgsnd(full, &(struct packet){ .type = 1 }, 3, IPC_NOWAIT))
		_exit(1);
	return full;
}

enum end { RING_EXIT, PROCESS_EXIT, EXECUTION, KILL, ENDS };

static void end_child(enum end end, struct ring *ring)
{
	switch (end) {
	case RING_EXIT:
		ring_end(ring);
		/* It has gone with its requests, or will have with the process. */
		break;
	case EXECUTION:
		execl("/bin/sh", "sh", "-c", ":", NULL);
		break;
	case KILL:
		raise(SIGKILL);
		break;
	default:
		break;
	}
	_exit(0);
}

TEST_F_TIMEOUT(uring, ends_with_hundreds_pending, 380)
{
	int full = almost_full(), status, round;
	struct left before = count_left(self, full);
	/* In kB: 64 bytes of each request of a round would show. */
	const long little = ENDS * 500 / 16;
	long slab, grown = little;
	enum end end;
	pid_t pid;

	ASSERT_EQ(0, before.full);
	/*
	 * What the kernel keeps for the next time is there after the first round, and others
	 * take memory, too; a leak is there after every one.
	 */
	for (round = 0; round < 2 || (round < 10 && grown >= little); round++) {
		slab = meminfo("Slab");
		for (end = 0; end < ENDS; end++) {
			pid = fork();
			ASSERT_LE(0, pid);
			if (!pid) {
				struct ring ring;

				make_pending(self, variant, &ring);
				end_child(end, &ring);
			}
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
			EXPECT_EQ(end == KILL ? SIGKILL : 0, status);
			/* The kernel's own worker takes the rest down. */
			wait_until(same_left(before, count_left(self, full)));
		}
		grown = meminfo("Slab") - slab;
	}
	/* A kernel that looks for leaks itself also keeps what is freed for a while. */
	if (access("/sys/kernel/debug/kmemleak", F_OK))
		EXPECT_GT(little, grown);
	/* Nobody took what comes now. */
	EXPECT_EQ(0, send_text(self->msg, 3, "three"));
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 1, 1, 0));
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, self->msg));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 1, 0);
}

/* A handle that only the ring has any more: for files that are registered, and requests. */
TEST_F(uring, has_the_last_handle)
{
	long before = kipc_object_read("msg", self->msg).users;
	int fd = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	struct packet packet = { };

	ASSERT_EQ(before + 1, kipc_object_read("msg", self->msg).users);
	ring_read(&self->ring, fd, &packet, sizeof(packet), 1);
	EXPECT_QUIET();
	close(fd);
	EXPECT_EQ(before + 1, kipc_object_read("msg", self->msg).users);
	EXPECT_EQ(0, send_text(self->msg, 3, "three"));
	EXPECT_DONE(1, 14);
	if (self->ring.files) {
		EXPECT_EQ(before + 1, kipc_object_read("msg", self->msg).users);
		EXPECT_EQ(1, io_uring_register_files_update(&self->ring.io, fd, &(int){ -1 }, 1));
	}
	wait_until(kipc_object_read("msg", self->msg).users == before);
}

TEST_HARNESS_MAIN

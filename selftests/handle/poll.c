// SPDX-License-Identifier: GPL-2.0
/* Handles: what poll and epoll see of an object, and that nobody pays for them afterwards. */
#include "handle.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/wait.h>

/* Semaphore operations by system call so far. */
static long calls_of(int id)
{
	return kipc_object_read("sem", id).calls;
}

/* Up and down again, so often that the library does it without a system call. */
static void up_and_down(int id, int num, int times)
{
	struct sembuf up = { num, 1, 0 }, down = { num, -1, 0 };

	while (times--)
		if (kipc_semop(id, &up, 1) || kipc_semop(id, &down, 1))
			_exit(1);
}

TEST_F(handle, of_a_semaphore)
{
	struct kipc_filter two = { .sem_num = 1, .sem_op = -2 }, zero = { .sem_num = 1 };
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &two);
	int empty = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDONLY, &zero);
	int write_only = kipc_handle(KIPC_KIND_SEM, self->sem, O_WRONLY, &two);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, empty);
	ASSERT_LE(0, write_only);
	EXPECT_EQ(POLLOUT, ready(fd));
	EXPECT_EQ(POLLIN, ready(empty));
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 1));
	EXPECT_EQ(POLLOUT, ready(fd));
	EXPECT_EQ(0, ready(empty));
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 2));
	EXPECT_EQ(POLLIN | POLLOUT, ready(fd));
	EXPECT_EQ(POLLOUT, ready(write_only));
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 32767));
	EXPECT_EQ(POLLIN, ready(fd));
	EXPECT_EQ(0, ready(write_only));
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(POLLIN | POLLOUT | POLLERR | POLLHUP, ready(fd));
	EXPECT_EQ(POLLIN | POLLERR | POLLHUP, ready(empty));
	EXPECT_ERR(EIDRM, read(fd, &(uint64_t){ 0 }, 8));
	EXPECT_ERR(EIDRM, write(fd, &(uint64_t){ 1 }, 8));
	close(fd);
	close(empty);
	close(write_only);
}

TEST_F(handle, of_a_queue)
{
	struct kipc_filter seven = { .msgtyp = 7 }, low = { .msgtyp = -6 };
	struct kipc_filter others = { .msgtyp = 7, .msgflg = MSG_EXCEPT };
	int any = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	int exact = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDONLY, &seven);
	int least = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDONLY, &low);
	int except = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDONLY, &others);
	struct packet packet;
	struct msqid_ds ds;

	EXPECT_EQ(POLLOUT, ready(any));
	EXPECT_EQ(0, ready(exact));
	EXPECT_EQ(0, send_text(self->msg, 7, "seven"));
	EXPECT_EQ(POLLIN | POLLOUT, ready(any));
	EXPECT_EQ(POLLIN, ready(exact));
	EXPECT_EQ(0, ready(least));
	EXPECT_EQ(0, ready(except));
	EXPECT_EQ(0, send_text(self->msg, 6, "six"));
	EXPECT_EQ(POLLIN, ready(least));
	EXPECT_EQ(POLLIN, ready(except));
	EXPECT_EQ(6, read_text(exact, &packet));
	EXPECT_EQ(0, ready(exact));

	/* Full is what has no room for a byte. */
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_qbytes = 4;
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_EQ(POLLIN, ready(any));
	ds.msg_qbytes = 5;
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_EQ(POLLIN | POLLOUT, ready(any));
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	EXPECT_EQ(POLLIN | POLLOUT | POLLERR | POLLHUP, ready(any));
	EXPECT_ERR(EIDRM, read(any, &packet, sizeof(packet)));
	close(any);
	close(exact);
	close(least);
	close(except);
}

/* A segment is always ready. */
TEST_F(handle, of_a_segment)
{
	int fd = kipc_handle(KIPC_KIND_SHM, self->shm, O_RDWR, NULL);

	ASSERT_LE(0, fd);
	EXPECT_EQ(POLLIN | POLLOUT, ready(fd));
	close(fd);
}

/* ---- Sleeping in poll ---- */

FIXTURE(sleeper) { int sem, msg, on_sem, on_msg; struct peer peer; };

FIXTURE_SETUP(sleeper)
{
	struct kipc_filter seven = { .msgtyp = 7 }, one = { .sem_num = 1, .sem_op = -1 };

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->sem = kipc_semget(IPC_PRIVATE, 2, 0600);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	self->on_sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR | O_NONBLOCK, &one);
	self->on_msg = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR | O_NONBLOCK, &seven);
	ASSERT_LE(0, self->on_sem);
	ASSERT_LE(0, self->on_msg);
	ASSERT_EQ(0, peer_start(&self->peer));
}

FIXTURE_TEARDOWN(sleeper)
{
	peer_end(&self->peer, SIGKILL);
	close(self->on_sem);
	close(self->on_msg);
}

#define EXPECT_SLEEPS(_fd, _events) do { \
	ASSERT_EQ(0, peer_begin(&self->peer, sleep_in_poll, _fd, _events, 0, 0, 0)); \
	EXPECT_EQ(0, peer_asleep(&self->peer)); \
} while (0)

TEST_F(sleeper, is_woken_by_an_operation)
{
	EXPECT_SLEEPS(self->on_sem, POLLIN);
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 0, 5));
	EXPECT_EQ(0, peer_asleep(&self->peer));
	EXPECT_EQ(0, kipc_semop(self->sem, &(struct sembuf){ 1, 1, 0 }, 1));
	EXPECT_EQ(POLLIN, peer_finish(&self->peer));
}

TEST_F(sleeper, is_woken_by_a_value)
{
	EXPECT_SLEEPS(self->on_sem, POLLIN);
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 5));
	EXPECT_EQ(POLLIN, peer_finish(&self->peer));
}

TEST_F(sleeper, is_woken_by_a_message)
{
	EXPECT_SLEEPS(self->on_msg, POLLIN);
	EXPECT_EQ(0, send_text(self->msg, 6, "not that"));
	EXPECT_EQ(0, peer_asleep(&self->peer));
	EXPECT_EQ(0, send_text(self->msg, 7, "that"));
	EXPECT_EQ(POLLIN, peer_finish(&self->peer));
}

TEST_F(sleeper, is_woken_by_room)
{
	struct packet packet;
	struct msqid_ds ds;

	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_qbytes = 5;
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_EQ(0, send_text(self->msg, 7, "full"));
	EXPECT_SLEEPS(self->on_msg, POLLOUT);
	EXPECT_EQ(5, kipc_msgrcv(self->msg, &packet, 64, 0, 0));
	EXPECT_EQ(POLLOUT, peer_finish(&self->peer));
}

TEST_F(sleeper, is_woken_by_more_room)
{
	struct msqid_ds ds;

	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_qbytes = 5;
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_EQ(0, send_text(self->msg, 7, "full"));
	EXPECT_SLEEPS(self->on_msg, POLLOUT);
	ds.msg_qbytes = 6;
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_EQ(POLLOUT, peer_finish(&self->peer));
}

TEST_F(sleeper, is_woken_by_removal)
{
	EXPECT_SLEEPS(self->on_sem, POLLIN);
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_LE(POLLHUP, peer_finish(&self->peer));
	EXPECT_SLEEPS(self->on_msg, POLLIN);
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	EXPECT_LE(POLLHUP, peer_finish(&self->peer));
}

/* What the dead held comes back. */
TEST_F(sleeper, is_woken_by_a_death)
{
	pid_t pid;

	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 1));
	pid = holder(self->sem, 1);
	ASSERT_LT(0, pid);
	EXPECT_SLEEPS(self->on_sem, POLLIN);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(POLLIN, peer_finish(&self->peer));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/*
 * Whoever polls first after it carries it out: the other one is to know as well.  The
 * kernel's own worker does not get the processor before.
 */
TEST_F(sleeper, is_woken_by_a_death_that_a_poll_finds)
{
	pid_t pid;
	int i;

	ASSERT_EQ(0, go_first());
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 1));
		pid = holder(self->sem, 1);
		ASSERT_LT(0, pid);
		EXPECT_SLEEPS(self->on_sem, POLLIN);
		ASSERT_EQ(0, kill_child(pid));
		EXPECT_EQ(POLLIN | POLLOUT, ready(self->on_sem));
		ASSERT_EQ(POLLIN, peer_finish(&self->peer));
	}
}

/* Somebody who operates without a system call is noticed, and not for longer than it must be. */
TEST_F(sleeper, is_woken_from_user_space)
{
	long before;

	up_and_down(self->sem, 1, 40);
	before = calls_of(self->sem);
	up_and_down(self->sem, 1, 40);
	EXPECT_EQ(before, calls_of(self->sem));

	EXPECT_SLEEPS(self->on_sem, POLLIN);
	up_and_down(self->sem, 0, 40);
	EXPECT_EQ(before, calls_of(self->sem));
	EXPECT_EQ(0, peer_asleep(&self->peer));
	EXPECT_EQ(0, kipc_semop(self->sem, &(struct sembuf){ 1, 1, 0 }, 1));
	EXPECT_EQ(POLLIN, peer_finish(&self->peer));
	EXPECT_EQ(0, kipc_semop(self->sem, &(struct sembuf){ 1, -1, 0 }, 1));

	/* The first calls find out that nobody polls any more. */
	up_and_down(self->sem, 1, 1);
	before = calls_of(self->sem);
	up_and_down(self->sem, 1, 40);
	EXPECT_EQ(before, calls_of(self->sem));
}

TEST_F(sleeper, is_killed)
{
	long before;

	up_and_down(self->sem, 1, 40);
	EXPECT_SLEEPS(self->on_sem, POLLIN);
	peer_end(&self->peer, SIGKILL);
	up_and_down(self->sem, 1, 1);
	before = calls_of(self->sem);
	up_and_down(self->sem, 1, 40);
	EXPECT_EQ(before, calls_of(self->sem));
	ASSERT_EQ(0, peer_start(&self->peer));
}

/* ---- epoll ---- */

static int wait_events(int epoll, struct epoll_event *events, int max)
{
	return epoll_wait(epoll, events, max, 0);
}

TEST_F(sleeper, has_many_descriptors)
{
	struct epoll_event event[4];
	struct packet packet;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	event[0] = (struct epoll_event){ .events = EPOLLIN, .data.u32 = 1 };
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->on_sem, event));
	event[0].data.u32 = 2;
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->on_msg, event));
	EXPECT_EQ(0, wait_events(epoll, event, 4));
	EXPECT_EQ(0, send_text(self->msg, 7, "seven"));
	EXPECT_EQ(1, wait_events(epoll, event, 4));
	EXPECT_EQ(2, event[0].data.u32);
	/* It stays so until it is read. */
	EXPECT_EQ(1, wait_events(epoll, event, 4));
	EXPECT_EQ(0, kipc_semop(self->sem, &(struct sembuf){ 1, 1, 0 }, 1));
	EXPECT_EQ(2, wait_events(epoll, event, 4));
	EXPECT_EQ(6, read_text(self->on_msg, &packet));
	EXPECT_EQ(1, wait_events(epoll, event, 4));
	EXPECT_EQ(1, event[0].data.u32);
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(1, wait_events(epoll, event, 4));
	EXPECT_EQ(EPOLLHUP, event[0].events & EPOLLHUP);
	close(epoll);
}

/* Edges: each time that there is something again after there was nothing. */
TEST_F(sleeper, wants_edges)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct packet packet;
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->on_msg, &event));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->on_sem, &event));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, wait_events(epoll, &event, 1));
		EXPECT_EQ(0, send_text(self->msg, 7, "seven"));
		EXPECT_EQ(1, wait_events(epoll, &event, 1));
		EXPECT_EQ(0, wait_events(epoll, &event, 1));
		EXPECT_EQ(6, read_text(self->on_msg, &packet));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, wait_events(epoll, &event, 1));
		EXPECT_EQ(0, kipc_semop(self->sem, &(struct sembuf){ 1, 1, 0 }, 1));
		EXPECT_EQ(1, wait_events(epoll, &event, 1));
		EXPECT_EQ(0, wait_events(epoll, &event, 1));
		EXPECT_EQ(0, kipc_semop(self->sem, &(struct sembuf){ 1, -1, 0 }, 1));
	}
	close(epoll);
}

/* An epoll that watches costs system calls; one that has gone does not. */
TEST_F(sleeper, goes_from_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	long before;

	up_and_down(self->sem, 1, 40);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->on_sem, &event));
	before = calls_of(self->sem);
	up_and_down(self->sem, 1, 10);
	EXPECT_EQ(before + 20, calls_of(self->sem));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_DEL, self->on_sem, NULL));
	up_and_down(self->sem, 1, 1);
	before = calls_of(self->sem);
	up_and_down(self->sem, 1, 40);
	EXPECT_EQ(before, calls_of(self->sem));

	/* And a handle that is closed, at once. */
	EXPECT_EQ(POLLOUT, ready(self->on_sem));
	close(self->on_sem);
	up_and_down(self->sem, 1, 40);
	EXPECT_EQ(before, calls_of(self->sem));
	close(epoll);
}

/* As many as a process can have, of one queue and of many. */
TEST_F(sleeper, has_a_thousand_queues)
{
	enum { QUEUES = 1000 };
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), queue[QUEUES], fd[QUEUES], i;
	struct packet packet;

	for (i = 0; i < QUEUES; i++) {
		queue[i] = kipc_msgget(IPC_PRIVATE, 0600);
		fd[i] = kipc_handle(KIPC_KIND_MSG, queue[i], O_RDONLY, NULL);
		ASSERT_LE(0, fd[i]);
		event.data.u32 = i;
		ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &event));
	}
	for (i = 0; i < QUEUES; i += 37) {
		EXPECT_EQ(0, send_text(queue[i], 1, "here"));
		EXPECT_EQ(1, wait_events(epoll, &event, 1));
		EXPECT_EQ(i, (int)event.data.u32);
		EXPECT_EQ(5, read_text(fd[i], &packet));
	}
	EXPECT_EQ(0, wait_events(epoll, &event, 1));
	for (i = 0; i < QUEUES; i++) {
		EXPECT_EQ(0, kipc_msgctl(queue[i], IPC_RMID, NULL));
		close(fd[i]);
	}
	close(epoll);
}

TEST_HARNESS_MAIN

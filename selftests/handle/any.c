// SPDX-License-Identifier: GPL-2.0
/*
 * One wait for any of several: which of them is carried out, that no other is, and how
 * the wait ends without.
 */
#include "handle.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

static struct sembuf down = { 0, -1, 0 }, up = { 0, 1, 0 };

static const struct timespec none;

/* On a set, on a queue, to send to a second queue, and something that is not ours. */
FIXTURE(any) {
	int sem, msg, full;
	struct kipc_any any[4];
	struct kipc_sem_op sem_call;
	struct kipc_msg_op receive, send;
	struct packet got, sent;
};

FIXTURE_SETUP(any)
{
	struct msqid_ds ds;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->sem = kipc_semget(IPC_PRIVATE, 2, 0600);
	ASSERT_LE(0, self->sem);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->msg);
	self->full = kipc_msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->full);
	ASSERT_EQ(0, kipc_msgctl(self->full, IPC_STAT, &ds));
	ds.msg_qbytes = 5;
	ASSERT_EQ(0, kipc_msgctl(self->full, IPC_SET, &ds));
	ASSERT_EQ(0, send_text(self->full, 1, "full"));
	kipc_call_semop(&self->sem_call, &down, 1);
	self->any[0] = (struct kipc_any){ kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL),
		KIPC_IOC_SEM_OP, (uintptr_t)&self->sem_call, 0 };
	kipc_call_message(&self->receive, &self->got, 64, 7, 0);
	self->any[1] = (struct kipc_any){ kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL),
		KIPC_IOC_MSG_RECEIVE, (uintptr_t)&self->receive, 0 };
	self->sent.type = 2;
	kipc_call_message(&self->send, &self->sent, 5, 0, 0);
	self->any[2] = (struct kipc_any){ kipc_handle(KIPC_KIND_MSG, self->full, O_RDWR, NULL),
		KIPC_IOC_MSG_SEND, (uintptr_t)&self->send, 0 };
	self->any[3] = (struct kipc_any){ eventfd(0, EFD_CLOEXEC), 0, POLLIN, 0 };
}

FIXTURE_TEARDOWN(any) { }

/* Nobody waits for anything, and nothing was carried out. */
#define EXPECT_UNTOUCHED(_self) do { \
	struct msqid_ds __ds; \
	EXPECT_EQ(0, kipc_semctl((_self)->sem, 0, GETNCNT)); \
	EXPECT_EQ(0, kipc_msgctl((_self)->full, IPC_STAT, &__ds)); \
	EXPECT_EQ(1, (long)__ds.msg_qnum); \
	EXPECT_VALUES(&ipc_kipc, (_self)->sem, 0); \
} while (0)

TEST_F(any, at_once)
{
	uint64_t one = 1;

	EXPECT_ERR(EAGAIN, kipc_wait_any(self->any, 4, CLOCK_MONOTONIC, 0, &none));
	EXPECT_UNTOUCHED(self);
	/* In the order given, and one at a time. */
	ASSERT_EQ(8, write(self->any[3].fd, &one, 8));
	ASSERT_EQ(0, send_text(self->msg, 7, "seven"));
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_EQ(0, kipc_wait_any(self->any, 4, 0, 0, NULL));
	EXPECT_EQ(0, self->any[0].result);
	EXPECT_EQ(1, kipc_wait_any(self->any, 4, 0, 0, NULL));
	EXPECT_EQ(6, self->any[1].result);
	EXPECT_EQ(7, self->got.type);
	EXPECT_STREQ("seven", self->got.text);
	EXPECT_EQ(3, kipc_wait_any(self->any, 4, 0, 0, NULL));
	EXPECT_EQ(POLLIN, self->any[3].result);
	EXPECT_EQ(3, kipc_wait_any(self->any, 4, 0, 0, NULL));
	ASSERT_EQ(8, read(self->any[3].fd, &one, 8));
	EXPECT_UNTOUCHED(self);
	ASSERT_EQ(5, kipc_msgrcv(self->full, &self->got, 64, 0, 0));
	EXPECT_EQ(2, kipc_wait_any(self->any, 4, 0, 0, NULL));
	EXPECT_EQ(5, kipc_msgrcv(self->full, &self->got, 64, 0, 0));
	EXPECT_EQ(2, self->got.type);
}

/* Seen asleep in its call, not on its way: a child does nothing before in which it would be. */
static int asleep(pid_t pid)
{
	wait_until(task_asleep(pid) || task_state(pid) == 'Z');
	return task_state(pid) == 'Z' ? -1 : 0;
}

/* A child that waits; its exit status: the number that it got, and 16 where that failed. */
static pid_t start(struct kipc_any *any, unsigned int count)
{
	pid_t pid = fork();
	int ret;

	if (pid)
		return pid < 0 || asleep(pid) ? -1 : pid;
	ret = kipc_wait_any(any, count, 0, 0, NULL);
	_exit(ret < 0 ? 99 : ret | (any[ret].result < 0 ? 16 : 0));
}

static int result(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(any, asleep)
{
	uint64_t one = 1;
	int i;
	pid_t pid;

	for (i = 0; i < 4; i++) {
		pid = start(self->any, 4);
		ASSERT_LT(0, pid);
		EXPECT_EQ(1, kipc_semctl(self->sem, 0, GETNCNT));
		/* What it does not wait for. */
		ASSERT_EQ(0, send_text(self->msg, 6, "six"));
		ASSERT_EQ(4, kipc_msgrcv(self->msg, &self->got, 64, 6, IPC_NOWAIT));
		switch (i) {
		case 0:
			ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
			break;
		case 1:
			ASSERT_EQ(0, send_text(self->msg, 7, "seven"));
			break;
		case 2:
			ASSERT_EQ(5, kipc_msgrcv(self->full, &self->got, 64, 0, 0));
			break;
		case 3:
			ASSERT_EQ(8, write(self->any[3].fd, &one, 8));
			break;
		}
		EXPECT_EQ(i, result(pid));
		if (i == 2) {
			EXPECT_EQ(5, kipc_msgrcv(self->full, &self->got, 64, 0, 0));
			EXPECT_EQ(2, self->got.type);
			ASSERT_EQ(0, send_text(self->full, 1, "full"));
		}
		EXPECT_UNTOUCHED(self);
		EXPECT_ERR(ENOMSG, kipc_msgrcv(self->msg, &self->got, 64, 0, IPC_NOWAIT));
	}
}

/* Two can be carried out before the waiter runs: it is the first, and the other one is not. */
TEST_F(any, one_of_two)
{
	bool sem_first;
	pid_t pid;
	int i;

	ASSERT_EQ(0, go_first());
	for (i = 0; i < 10; i++) {
		sem_first = i % 2;
		pid = start(self->any, 4);
		ASSERT_LT(0, pid);
		if (sem_first)
			EXPECT_EQ(0, kipc_semop(self->sem, &up, 1));
		EXPECT_EQ(0, send_text(self->msg, 7, "seven"));
		if (!sem_first)
			EXPECT_EQ(0, kipc_semop(self->sem, &up, 1));
		EXPECT_EQ(sem_first ? 0 : 1, result(pid));
		EXPECT_EQ(!sem_first, sem_val(&ipc_kipc, self->sem, 0));
		EXPECT_EQ(sem_first, msg_qnum(&ipc_kipc, self->msg));
		EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 0, 0));
		if (sem_first)
			EXPECT_EQ(6, kipc_msgrcv(self->msg, &self->got, 64, 0, IPC_NOWAIT));
	}
}

/* First come, first served, among those that sleep in a call of one. */
TEST_F(any, takes_turns)
{
	pid_t first, second, third;

	first = fork();
	ASSERT_LE(0, first);
	if (!first)
		_exit(kipc_semop(self->sem, &down, 1) ? 99 : 0);
	ASSERT_EQ(0, asleep(first));
	second = start(self->any, 4);
	ASSERT_LT(0, second);
	third = fork();
	ASSERT_LE(0, third);
	if (!third)
		_exit(kipc_semop(self->sem, &down, 1) ? 99 : 0);
	ASSERT_EQ(0, asleep(third));
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_EQ(0, result(first));
	EXPECT_EQ(2, kipc_semctl(self->sem, 0, GETNCNT));
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_EQ(0, result(second));
	EXPECT_EQ(1, kipc_semctl(self->sem, 0, GETNCNT));
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_EQ(0, result(third));
}

TEST_F(any, removal_and_permission)
{
	struct msqid_ds ds;
	pid_t pid = start(self->any, 4);

	ASSERT_LT(0, pid);
	/* Rights are those of the handles. */
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_perm.mode = 0;
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	ASSERT_EQ(0, asleep(pid));
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	EXPECT_EQ(1 | 16, result(pid));
	EXPECT_EQ(1, kipc_wait_any(self->any, 4, 0, 0, NULL));
	EXPECT_EQ(-EIDRM, self->any[1].result);
	EXPECT_UNTOUCHED(self);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(any, ends)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec soon = { 0, 1000000 };
	pid_t pid;

	EXPECT_ERR(EAGAIN, kipc_wait_any(self->any, 4, CLOCK_BOOTTIME, 0, &soon));
	EXPECT_UNTOUCHED(self);
	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	pid = start(self->any, 4);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_EQ(99, result(pid));
	EXPECT_UNTOUCHED(self);
	pid = start(self->any, 4);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-1, result(pid));
	EXPECT_UNTOUCHED(self);
}

/* A call that cannot be begun: nothing is; one that fails when tried: that is its result. */
TEST_F(any, bad_input)
{
	struct sembuf high = { 9, -1, 0 }, nowait = { 0, -1, IPC_NOWAIT };
	struct kipc_any bad[2];
	int ro = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDONLY, NULL);

	EXPECT_ERR(EINVAL, kipc_wait_any(self->any, 0, 0, 0, NULL));
	EXPECT_ERR(EINVAL, kipc_wait_any(self->any, KIPC_ANY_MAX + 1, 0, 0, NULL));
	EXPECT_ERR(EINVAL, kipc_wait_any(self->any, 4, 0, 2, NULL));
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	memcpy(bad, self->any, sizeof(bad));
	bad[1].fd = -1;
	EXPECT_ERR(EBADF, kipc_wait_any(bad, 2, 0, 0, NULL));
	bad[1].fd = self->any[3].fd;
	EXPECT_ERR(ENOTTY, kipc_wait_any(bad, 2, 0, 0, NULL));
	bad[1].fd = self->any[0].fd;
	EXPECT_ERR(ENOTTY, kipc_wait_any(bad, 2, 0, 0, NULL));
	bad[1].call = KIPC_IOC_SEM_GET;
	EXPECT_ERR(ENOTTY, kipc_wait_any(bad, 2, 0, 0, NULL));
	bad[1] = self->any[1];
	bad[1].arg = 16;
	EXPECT_ERR(EFAULT, kipc_wait_any(bad, 2, 0, 0, NULL));
	bad[1] = self->any[1];
	self->receive.id = 0;
	EXPECT_ERR(EINVAL, kipc_wait_any(bad, 2, 0, 0, NULL));
	self->receive.id = KIPC_SELF;
	self->receive.timeout = (uintptr_t)&none;
	EXPECT_ERR(EINVAL, kipc_wait_any(bad, 2, 0, 0, NULL));
	self->receive.timeout = 0;
	bad[1] = (struct kipc_any){ self->any[3].fd, 0, 1 << 16, 0 };
	EXPECT_ERR(EINVAL, kipc_wait_any(bad, 2, 0, 0, NULL));
	EXPECT_VALUES(&ipc_kipc, self->sem, 1);
	ASSERT_EQ(0, kipc_semctl(self->sem, 0, SETVAL, 0));

	bad[0] = self->any[1];
	bad[1] = self->any[0];
	bad[1].fd = ro;
	EXPECT_EQ(1, kipc_wait_any(bad, 2, 0, 0, NULL));
	EXPECT_EQ(-EACCES, bad[1].result);
	bad[1].fd = self->any[0].fd;
	self->sem_call.sops = (uintptr_t)&high;
	EXPECT_EQ(1, kipc_wait_any(bad, 2, 0, 0, NULL));
	EXPECT_EQ(-EFBIG, bad[1].result);
	self->sem_call.sops = (uintptr_t)&nowait;
	EXPECT_EQ(1, kipc_wait_any(bad, 2, 0, 0, NULL));
	EXPECT_EQ(-EAGAIN, bad[1].result);
	/* A message that has nowhere to go stays. */
	ASSERT_EQ(0, send_text(self->msg, 7, "seven"));
	self->receive.msg = 16;
	EXPECT_EQ(0, kipc_wait_any(bad, 2, 0, 0, NULL));
	EXPECT_EQ(-EFAULT, bad[0].result);
	EXPECT_EQ(6, kipc_msgrcv(self->msg, &self->got, 64, 7, IPC_NOWAIT));
	close(ro);
}

/*
 * Many wait for either of two queues, and who sends to both at once loses nothing: as many
 * are received as were sent, each once.
 */
TEST_F_TIMEOUT(any, none_twice, 200)
{
	enum { WAITERS = 4, EACH = 500 };
	int queues[2] = { self->msg, kipc_msgget(IPC_PRIVATE, 0600) }, i, n, status;
	struct kipc_msg_op calls[2];
	struct kipc_any any[2];
	struct packet packet = { 1, "" };
	pid_t pids[WAITERS + 2];
	bool seen[2][EACH] = { 0 };
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	for (i = 0; i < 2; i++) {
		kipc_call_message(&calls[i], &self->got, 64, 0, 0);
		any[i] = (struct kipc_any){ kipc_handle(KIPC_KIND_MSG, queues[i], O_RDWR, NULL),
			KIPC_IOC_MSG_RECEIVE, (uintptr_t)&calls[i], 0 };
	}
	for (i = 0; i < WAITERS + 2; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (pids[i])
			continue;
		for (n = 0; i >= WAITERS && n < EACH; n++) {
			packet.type = 1 + n;
			if (kipc_msgsnd(queues[i - WAITERS], &packet, 0, 0))
				_exit(1);
		}
		while (i < WAITERS && (n = kipc_wait_any(any, 2, 0, 0, NULL)) >= 0 &&
		       any[n].result >= 0) {
			int got[2] = { n, self->got.type };

			if (write(pipes[1], got, sizeof(got)) != sizeof(got))
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < 2 * EACH; i++) {
		int got[2];

		ASSERT_EQ(sizeof(got), read(pipes[0], got, sizeof(got)));
		ASSERT_TRUE(got[0] >= 0 && got[0] < 2 && got[1] > 0 && got[1] <= EACH);
		EXPECT_FALSE(seen[got[0]][got[1] - 1]);
		seen[got[0]][got[1] - 1] = true;
	}
	EXPECT_EQ(0, kipc_msgctl(queues[0], IPC_RMID, NULL));
	for (i = 0; i < WAITERS + 2; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* What was ready and is so no more, for somebody else was faster, is no error. */
TEST_F_TIMEOUT(any, lost_to_another, 200)
{
	enum { WAITERS = 3, TIMES = 400 };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), i, n, status;
	struct kipc_any any[2] = { { fd, 0, POLLIN, 0 }, self->any[1] };
	uint64_t count = 1, taken;
	pid_t pids[WAITERS];
	int pipes[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(pipes));
	for (i = 0; i < WAITERS; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (pids[i])
			continue;
		while ((n = kipc_wait_any(any, 2, 0, 0, NULL)) == 0)
			if (read(fd, &taken, 8) == 8 && write(pipes[1], &taken, 8) != 8)
				_exit(2);
		_exit(n == 1 && any[1].result == -EIDRM ? 0 : 1);
	}
	for (i = 0; i < TIMES; i++) {
		ASSERT_EQ(8, write(fd, &count, 8));
		ASSERT_EQ(8, read(pipes[0], &taken, 8));
	}
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	for (i = 0; i < WAITERS; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* A descriptor that tells of what has happened once, to who looks first; and what follows it. */
TEST_F(any, told_once)
{
	struct kipc_any any[2] = { { .arg = POLLPRI }, self->any[3] };
	uint64_t one = 1;
	pid_t pid;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	any[0].fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, any[0].fd);
	ASSERT_EQ(0, mount("/proc", "/proc", NULL, MS_BIND, NULL));
	EXPECT_EQ(0, kipc_wait_any(any, 2, CLOCK_MONOTONIC, 0, &none));
	EXPECT_EQ(POLLPRI | POLLERR, any[0].result);
	EXPECT_ERR(EAGAIN, kipc_wait_any(any, 2, CLOCK_MONOTONIC, 0, &none));
	pid = start(any, 2);
	ASSERT_LT(0, pid);
	ASSERT_EQ(8, write(self->any[3].fd, &one, 8));
	EXPECT_EQ(1, result(pid));
	close(any[0].fd);
}

TEST_HARNESS_MAIN

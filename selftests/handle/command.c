// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on handles as commands of io_uring: what they do at once, how they wait in turn
 * with callers that sleep, and how they end.
 */
#include "ring.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <kipc_uring.h>

/* Newer than the liburing of the oldest Debian that we build on. */
#define RING_DEFER_TASKRUN	(1u << 13)

#define MANY	2000

static struct sembuf up = { 0, 1, 0 }, down = { 0, -1, 0 };

static int open_sem(int id)
{
	return kipc_handle(KIPC_KIND_SEM, id, O_RDWR | O_CLOEXEC, NULL);
}

static int open_msg(int id)
{
	return kipc_handle(KIPC_KIND_MSG, id, O_RDWR | O_CLOEXEC, NULL);
}

static void add_sem(struct ring *ring, int fd, struct kipc_sem_op *call, struct sembuf *sops,
		    size_t nsops, uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	kipc_prep_semop(sqe, fd, call, sops, nsops);
	ring_add(ring, sqe, who);
}

static void add_send(struct ring *ring, int fd, struct kipc_msg_op *call,
		     const struct packet *packet, size_t size, int flags, uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	kipc_prep_msgsnd(sqe, fd, call, packet, size, flags);
	ring_add(ring, sqe, who);
}

static void add_receive(struct ring *ring, int fd, struct kipc_msg_op *call,
			struct packet *packet, size_t size, long type, int flags, uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	kipc_prep_msgrcv(sqe, fd, call, packet, size, type, flags);
	ring_add(ring, sqe, who);
}

/* The next that is done is this one, with this result. */
#define EXPECT_DONE(_who, _res, _ring) do { \
	struct done __done = ring_next(_ring); \
	EXPECT_EQ((uint64_t)(_who), __done.who); \
	EXPECT_EQ((_res), __done.res) \
		TH_LOG("%s", __done.res < 0 ? strerror(-__done.res) : "succeeded"); \
} while (0)

/* Calls of this namespace that sleep. */
static int sleeping(void)
{
	FILE *f = fopen("/proc/kipc/waiters", "re");
	char line[256];
	int n = -1;

	while (f && fgets(line, sizeof(line), f))
		n++;
	if (f)
		fclose(f);
	return n;
}

/* Submit what is there, and see so many calls of this namespace asleep. */
static bool asleep(struct ring *ring, int calls)
{
	io_uring_submit(&ring->io);
	wait_until(sleeping() == calls);
	return io_uring_cq_ready(&ring->io) == 0;
}

FIXTURE(command) { int sem, msg, sem_fd, msg_fd; struct ring ring; };

FIXTURE_VARIANT(command) { unsigned int setup, sqe_flags; bool files; };

FIXTURE_VARIANT_ADD(command, plain) { };
FIXTURE_VARIANT_ADD(command, registered) { .files = true };
FIXTURE_VARIANT_ADD(command, deferred) {
	.setup = IORING_SETUP_SINGLE_ISSUER | RING_DEFER_TASKRUN
};
FIXTURE_VARIANT_ADD(command, by_worker) { .sqe_flags = IOSQE_ASYNC };
FIXTURE_VARIANT_ADD(command, by_poller) { .setup = IORING_SETUP_SQPOLL };

static int start_ring(struct ring *ring, unsigned int setup,
		      const FIXTURE_VARIANT(command) *variant)
{
	int ret = ring_start(ring, 64, setup, variant->files);

	ring->sqe_flags = variant->sqe_flags;
	return ret;
}

FIXTURE_SETUP(command)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->sem = kipc_semget(IPC_PRIVATE, 3, 0600);
	ASSERT_LE(0, self->sem);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->msg);
	self->sem_fd = open_sem(self->sem);
	ASSERT_LE(0, self->sem_fd);
	self->msg_fd = open_msg(self->msg);
	ASSERT_LE(0, self->msg_fd);
	ASSERT_EQ(0, start_ring(&self->ring, variant->setup, variant));
}

FIXTURE_TEARDOWN(command) { }

TEST_F(command, semaphore_at_once)
{
	struct sembuf two[2] = { { 1, 2, 0 }, { 2, 3, 0 } }, nowait = { 0, -5, IPC_NOWAIT };
	struct sembuf high = { 3, 1, 0 }, zero = { 0, 0, IPC_NOWAIT };
	struct kipc_sem_op call;

	add_sem(&self->ring, self->sem_fd, NULL, &up, 1, 1);
	EXPECT_DONE(1, 0, &self->ring);
	add_sem(&self->ring, self->sem_fd, &call, two, 2, 2);
	EXPECT_DONE(2, 0, &self->ring);
	EXPECT_VALUES(&ipc_kipc, self->sem, 1, 2, 3);
	add_sem(&self->ring, self->sem_fd, NULL, &nowait, 1, 3);
	EXPECT_DONE(3, -EAGAIN, &self->ring);
	add_sem(&self->ring, self->sem_fd, &call, &nowait, 1, 4);
	EXPECT_DONE(4, -EAGAIN, &self->ring);
	add_sem(&self->ring, self->sem_fd, NULL, &zero, 1, 5);
	EXPECT_DONE(5, -EAGAIN, &self->ring);
	add_sem(&self->ring, self->sem_fd, NULL, &high, 1, 6);
	EXPECT_DONE(6, -EFBIG, &self->ring);
	add_sem(&self->ring, self->sem_fd, &call, two, 501, 7);
	EXPECT_DONE(7, -E2BIG, &self->ring);
	add_sem(&self->ring, self->sem_fd, &call, two, 0, 8);
	EXPECT_DONE(8, -EINVAL, &self->ring);
	add_sem(&self->ring, self->sem_fd, &call, (void *)16, 1, 9);
	EXPECT_DONE(9, -EFAULT, &self->ring);
	EXPECT_EQ(getpid(), kipc_semctl(self->sem, 0, GETPID));
}

TEST_F(command, message_at_once)
{
	struct packet packet = { 7, "seven" }, got = { 0 };
	struct kipc_msg_op call;
	int size;

	for (size = 0; size < 10; size++) {
		ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, size, 0));
		add_receive(&self->ring, self->msg_fd, &call, &got, 64, 0, 0, size);
		EXPECT_DONE(size, size, &self->ring);
	}
	add_receive(&self->ring, self->msg_fd, &call, &got, 64, 0, IPC_NOWAIT, 1);
	EXPECT_DONE(1, -ENOMSG, &self->ring);
	add_send(&self->ring, self->msg_fd, &call, &packet, 6, 0, 2);
	EXPECT_DONE(2, 0, &self->ring);
	packet.type = 8;
	add_send(&self->ring, self->msg_fd, &call, &packet, 6, IPC_NOWAIT, 3);
	EXPECT_DONE(3, 0, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call, &got, 64, 1, MSG_COPY | IPC_NOWAIT, 4);
	EXPECT_DONE(4, 6, &self->ring);
	EXPECT_EQ(8, got.type);
	add_receive(&self->ring, self->msg_fd, &call, &got, 3, 0, MSG_COPY | IPC_NOWAIT, 5);
	EXPECT_DONE(5, -E2BIG, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call, &got, 3, 0,
		    MSG_COPY | MSG_NOERROR | IPC_NOWAIT, 6);
	EXPECT_DONE(6, -EINVAL, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call, &got, 3, 8, 0, 7);
	EXPECT_DONE(7, -E2BIG, &self->ring);
	memset(&got, 0, sizeof(got));
	add_receive(&self->ring, self->msg_fd, &call, &got, 3, 8, MSG_NOERROR, 8);
	EXPECT_DONE(8, 3, &self->ring);
	EXPECT_EQ(8, got.type);
	EXPECT_STREQ("sev", got.text);
	add_receive(&self->ring, self->msg_fd, &call, &got, -1, -9, 0, 9);
	EXPECT_DONE(9, -EINVAL, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call, &got, LONG_MAX, -9, 0, 10);
	EXPECT_DONE(10, 6, &self->ring);
	EXPECT_STREQ("seven", got.text);
}

/* Nothing is lost when it has nowhere to go, or does not come from anywhere. */
TEST_F(command, bad_memory)
{
	struct packet packet = { 7, "seven" }, got;
	char *end = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct packet *half = (void *)(end + 4096 - 10);
	struct kipc_msg_op call;

	ASSERT_NE(MAP_FAILED, end);
	ASSERT_EQ(0, munmap(end + 4096, 4096));
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 6, 0));
	add_receive(&self->ring, self->msg_fd, &call, half, 64, 0, 0, 1);
	EXPECT_DONE(1, -EFAULT, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call, NULL, 64, 0, 0, 2);
	EXPECT_DONE(2, -EFAULT, &self->ring);
	EXPECT_EQ(6, kipc_msgrcv(self->msg, &got, 64, 0, IPC_NOWAIT));
	half->type = 1;
	add_send(&self->ring, self->msg_fd, &call, half, 6, 0, 3);
	EXPECT_DONE(3, -EFAULT, &self->ring);
	half->type = 0;
	add_send(&self->ring, self->msg_fd, &call, half, 2, 0, 4);
	EXPECT_DONE(4, -EINVAL, &self->ring);
	add_send(&self->ring, self->msg_fd, &call, &packet, 1 << 20, 0, 5);
	EXPECT_DONE(5, -EINVAL, &self->ring);

	/* Found out only once it has waited. */
	add_receive(&self->ring, self->msg_fd, &call, half, 64, 0, 0, 6);
	EXPECT_TRUE(asleep(&self->ring, 1));
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 6, 0));
	EXPECT_DONE(6, -EFAULT, &self->ring);
	EXPECT_EQ(6, kipc_msgrcv(self->msg, &got, 64, 0, IPC_NOWAIT));
}

TEST_F(command, bad_input)
{
	int device = open("/dev/kipc", O_RDWR | O_CLOEXEC), ro, wo;
	struct packet packet = { 1, "" };
	struct kipc_uring_cmd bad = { .pad = 1 };
	struct kipc_sem_op sem_call;
	struct kipc_msg_op call;
	struct io_uring_sqe *sqe;

	ASSERT_LE(0, device);
	add_sem(&self->ring, self->msg_fd, NULL, &up, 1, 1);
	EXPECT_DONE(1, -ENOTTY, &self->ring);
	add_send(&self->ring, self->sem_fd, &call, &packet, 0, 0, 2);
	EXPECT_DONE(2, -ENOTTY, &self->ring);
	add_sem(&self->ring, device, NULL, &up, 1, 3);
	EXPECT_DONE(3, -EOPNOTSUPP, &self->ring);
	sqe = ring_sqe(&self->ring);
	kipc_prep_command(sqe, self->sem_fd, KIPC_URING_SEM_OP, &bad);
	ring_add(&self->ring, sqe, 4);
	EXPECT_DONE(4, -EINVAL, &self->ring);
	bad = (struct kipc_uring_cmd){ .sop = { .op = 1, .pad = 1 } };
	sqe = ring_sqe(&self->ring);
	kipc_prep_command(sqe, self->sem_fd, KIPC_URING_SEM_OP, &bad);
	ring_add(&self->ring, sqe, 5);
	EXPECT_DONE(5, -EINVAL, &self->ring);
	bad = (struct kipc_uring_cmd){ .arg = 16 };
	sqe = ring_sqe(&self->ring);
	kipc_prep_command(sqe, self->sem_fd, KIPC_IOC_SEM_OP, &bad);
	ring_add(&self->ring, sqe, 6);
	EXPECT_DONE(6, -EFAULT, &self->ring);
	sqe = ring_sqe(&self->ring);
	kipc_prep_command(sqe, self->sem_fd, _IOW(KIPC_IOC_TYPE, 0x21, int), &bad);
	ring_add(&self->ring, sqe, 7);
	EXPECT_DONE(7, -EINVAL, &self->ring);
	add_sem(&self->ring, self->sem_fd, &sem_call, &up, 1, 8);
	sem_call.id = self->sem;
	EXPECT_DONE(8, -EINVAL, &self->ring);
	add_send(&self->ring, self->msg_fd, &call, &packet, 0, 0, 9);
	call.count = 1;
	EXPECT_DONE(9, -EINVAL, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call, &packet, 0, 0, MSG_COPY, 10);
	EXPECT_DONE(10, -EINVAL, &self->ring);
	ro = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDONLY, NULL);
	wo = kipc_handle(KIPC_KIND_MSG, self->msg, O_WRONLY, NULL);
	add_sem(&self->ring, ro, NULL, &up, 1, 11);
	EXPECT_DONE(11, -EACCES, &self->ring);
	add_receive(&self->ring, wo, &call, &packet, 0, 0, 0, 12);
	EXPECT_DONE(12, -EACCES, &self->ring);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0);
}

/* Without a thread that sleeps for it. */
TEST_F(command, waits)
{
	struct sembuf two[2] = { { 0, -1, 0 }, { 1, 0, 0 } }, one = { 1, -1, 0 };
	struct packet packet = { 7, "seven" }, got = { 0 };
	struct kipc_sem_op sem_call;
	struct kipc_msg_op call;

	ASSERT_EQ(0, kipc_semctl(self->sem, 1, SETVAL, 1));
	add_sem(&self->ring, self->sem_fd, NULL, &down, 1, 1);
	add_sem(&self->ring, self->sem_fd, &sem_call, two, 2, 2);
	add_receive(&self->ring, self->msg_fd, &call, &got, 64, 7, 0, 3);
	EXPECT_TRUE(asleep(&self->ring, 3));
	if (!(variant->sqe_flags & IOSQE_ASYNC))
		EXPECT_EQ(0, ring_workers());
	EXPECT_EQ(2, kipc_semctl(self->sem, 0, GETNCNT));

	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_DONE(1, 0, &self->ring);
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_TRUE(ring_quiet(&self->ring));
	EXPECT_EQ(1, kipc_semctl(self->sem, 1, GETZCNT));
	ASSERT_EQ(0, kipc_semop(self->sem, &one, 1));
	EXPECT_DONE(2, 0, &self->ring);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 0);

	packet.type = 6;
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 6, 0));
	EXPECT_TRUE(ring_quiet(&self->ring));
	packet.type = 7;
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 6, 0));
	EXPECT_DONE(3, 6, &self->ring);
	EXPECT_EQ(7, got.type);
	EXPECT_STREQ("seven", got.text);
}

/* A full queue: in the order in which they came, commands and callers alike. */
TEST_F(command, senders_wait)
{
	struct packet packet = { 1, "" }, got;
	struct kipc_msg_op call[2];
	struct msqid_ds ds;
	int status;
	pid_t pid;

	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_qbytes = 64;
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 64, 0));
	packet.type = 2;
	add_send(&self->ring, self->msg_fd, &call[0], &packet, 64, 0, 2);
	EXPECT_TRUE(asleep(&self->ring, 1));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		packet.type = 3;
		_exit(kipc_msgsnd(self->msg, &packet, 64, 0) ? 1 : 0);
	}
	EXPECT_TRUE(asleep(&self->ring, 2));
	packet.type = 4;
	add_send(&self->ring, self->msg_fd, &call[1], &packet, 64, 0, 4);
	EXPECT_TRUE(asleep(&self->ring, 3));

	EXPECT_EQ(64, kipc_msgrcv(self->msg, &got, 64, 0, 0));
	EXPECT_EQ(1, got.type);
	EXPECT_DONE(2, 0, &self->ring);
	EXPECT_EQ(64, kipc_msgrcv(self->msg, &got, 64, 0, 0));
	EXPECT_EQ(2, got.type);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(64, kipc_msgrcv(self->msg, &got, 64, 0, 0));
	EXPECT_EQ(3, got.type);
	EXPECT_DONE(4, 0, &self->ring);
	EXPECT_EQ(64, kipc_msgrcv(self->msg, &got, 64, 0, 0));
	EXPECT_EQ(4, got.type);
}

TEST_F(command, receivers_take_turns)
{
	struct packet packet = { 1, "" }, first = { 0 }, third = { 0 };
	struct kipc_msg_op call[2];
	int status;
	pid_t pid;

	add_receive(&self->ring, self->msg_fd, &call[0], &first, 64, 0, 0, 1);
	EXPECT_TRUE(asleep(&self->ring, 1));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		status = kipc_msgrcv(self->msg, &packet, 64, 0, 0);
		_exit(status == 0 ? packet.type : 99);
	}
	EXPECT_TRUE(asleep(&self->ring, 2));
	add_receive(&self->ring, self->msg_fd, &call[1], &third, 64, 0, 0, 3);
	EXPECT_TRUE(asleep(&self->ring, 3));
	for (packet.type = 1; packet.type <= 3; packet.type++)
		ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 0, 0));
	/* In which order one is told of them is another matter. */
	EXPECT_EQ(0, ring_next(&self->ring).res);
	EXPECT_EQ(0, ring_next(&self->ring).res);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(2, WEXITSTATUS(status));
	EXPECT_EQ(1, first.type);
	EXPECT_EQ(3, third.type);
}

/* Rights are those of the handle: others' change nothing, and nobody loses the turn. */
TEST_F(command, permission_changes)
{
	struct packet packet = { 1, "one" }, got = { 0 };
	struct kipc_msg_op call;
	struct msqid_ds ds;

	add_receive(&self->ring, self->msg_fd, &call, &got, 64, 0, 0, 1);
	EXPECT_TRUE(asleep(&self->ring, 1));
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_perm.mode = 0;
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_TRUE(asleep(&self->ring, 1));
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 4, 0));
	EXPECT_DONE(1, 4, &self->ring);
	EXPECT_STREQ("one", got.text);
}

TEST_F(command, removal)
{
	struct packet packet = { 1, "" }, got;
	struct kipc_msg_op call[2];

	add_sem(&self->ring, self->sem_fd, NULL, &down, 1, 1);
	EXPECT_TRUE(asleep(&self->ring, 1));
	ASSERT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_DONE(1, -EIDRM, &self->ring);
	add_sem(&self->ring, self->sem_fd, NULL, &down, 1, 2);
	EXPECT_DONE(2, -EIDRM, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call[0], &got, 64, 0, 0, 3);
	EXPECT_TRUE(asleep(&self->ring, 1));
	ASSERT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	EXPECT_DONE(3, -EIDRM, &self->ring);
	add_send(&self->ring, self->msg_fd, &call[1], &packet, 0, 0, 4);
	EXPECT_DONE(4, -EIDRM, &self->ring);
}

TEST_F(command, time_out)
{
	struct __kernel_timespec soon = { 0, 1000000 }, none = { 0, -1 }, past = { 0, 1 };
	struct packet packet = { 1, "" }, got;
	struct kipc_sem_op sem_call;
	struct kipc_msg_op call;

	add_sem(&self->ring, self->sem_fd, &sem_call, &down, 1, 1);
	sem_call.timeout = (uintptr_t)&soon;
	sem_call.clock = CLOCK_MONOTONIC;
	EXPECT_DONE(1, -EAGAIN, &self->ring);
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, GETNCNT));
	add_sem(&self->ring, self->sem_fd, &sem_call, &up, 1, 2);
	sem_call.timeout = (uintptr_t)&none;
	sem_call.clock = CLOCK_MONOTONIC;
	EXPECT_DONE(2, -EINVAL, &self->ring);
	add_receive(&self->ring, self->msg_fd, &call, &got, 64, 0, 0, 3);
	call.timeout = (uintptr_t)&past;
	call.timeout_flags = KIPC_TIMEOUT_ABSOLUTE;
	call.clock = CLOCK_REALTIME;
	EXPECT_DONE(3, -EAGAIN, &self->ring);
	soon.tv_sec = 1000;
	add_receive(&self->ring, self->msg_fd, &call, &got, 64, 0, 0, 4);
	call.timeout = (uintptr_t)&soon;
	call.clock = CLOCK_BOOTTIME;
	EXPECT_TRUE(asleep(&self->ring, 1));
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 0, 0));
	EXPECT_DONE(4, 0, &self->ring);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0);
}

/* A child's command with SEM_UNDO, done or asleep: its death undoes the one, not the other. */
TEST_F(command, undo)
{
	struct sembuf take = { 0, -1, SEM_UNDO }, more = { 0, -2, SEM_UNDO };
	struct ring ring;
	int status;
	pid_t pid;

	ASSERT_EQ(0, kipc_semctl(self->sem, 0, SETVAL, 2));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (start_ring(&ring, variant->setup, variant))
			_exit(1);
		add_sem(&ring, self->sem_fd, NULL, &take, 1, 1);
		if (ring_next(&ring).res)
			_exit(2);
		add_sem(&ring, self->sem_fd, NULL, &more, 1, 2);
		if (!asleep(&ring, 1))
			_exit(3);
		_exit(sem_val(&ipc_kipc, self->sem, 0) == 1 &&
		      kipc_semctl(self->sem, 0, GETNCNT) == 1 ? 0 : 4);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_VALUES(&ipc_kipc, self->sem, 2);
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, GETNCNT));
}

/* Who waits and asks is told that the holder died with it. */
TEST_F(command, death_of_the_holder)
{
	struct sembuf take = { 0, -1, SEM_UNDO };
	struct kipc_sem_op call;
	int pipes[2], status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (kipc_semop(self->sem, &take, 1) || write(pipes[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ASSERT_EQ(1, read(pipes[0], &c, 1));
	add_sem(&self->ring, self->sem_fd, &call, &down, 1, 1);
	call.flags = KIPC_SEM_OP_OWNER;
	EXPECT_TRUE(asleep(&self->ring, 1));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_DONE(1, -EOWNERDEAD, &self->ring);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0);
}

/* Until nobody uses the objects: what the end of a ring leaves behind goes a while later. */
static void until_unused(int sem, int msg)
{
	wait_until(kipc_object_read("sem", sem).users == 0);
	wait_until(kipc_object_read("msg", msg).users == 0);
}

/* A ring that is closed, and a process that is killed, with as many commands as there are. */
TEST_F_TIMEOUT(command, end_of_ring, 200)
{
	static struct kipc_msg_op calls[MANY];
	static struct packet packets[MANY];
	struct packet packet = { 1, "" };
	struct ring ring;
	int i, kills, pipes[2], status;
	char c;
	pid_t pid;

	close(self->sem_fd);
	close(self->msg_fd);
	for (kills = 0; kills < 2; kills++) {
		ASSERT_EQ(0, pipe(pipes));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			int sem = open_sem(self->sem), msg = open_msg(self->msg);

			if (start_ring(&ring, variant->setup, variant))
				_exit(1);
			for (i = 0; i < MANY; i++) {
				if (i % 2)
					add_sem(&ring, sem, NULL, &down, 1, i);
				else
					add_receive(&ring, msg, &calls[i], &packets[i], 64, 0,
						    0, i);
			}
			io_uring_submit(&ring.io);
			wait_until(kipc_semctl(self->sem, 0, GETNCNT) == MANY / 2);
			if (kills) {
				if (write(pipes[1], "", 1) != 1)
					_exit(2);
				for (;;)
					pause();
			}
			close(sem);
			close(msg);
			ring_end(&ring);
			until_unused(self->sem, self->msg);
			_exit(0);
		}
		if (kills) {
			ASSERT_EQ(1, read(pipes[0], &c, 1));
			ASSERT_EQ(0, kill(pid, SIGKILL));
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (!kills)
			EXPECT_EQ(0, WEXITSTATUS(status));
		until_unused(self->sem, self->msg);
		EXPECT_EQ(0, kipc_semctl(self->sem, 0, GETNCNT));
		/* Nobody takes it any more. */
		ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 0, 0));
		EXPECT_EQ(0, kipc_msgrcv(self->msg, &packet, 64, 0, IPC_NOWAIT));
		close(pipes[0]);
		close(pipes[1]);
	}
}

/* To go on in another program ends them. */
TEST_F(command, execve)
{
	struct packet packet = { 1, "one" }, got;
	struct kipc_msg_op call;
	struct ring ring;
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (start_ring(&ring, variant->setup, variant))
			_exit(1);
		add_receive(&ring, self->msg_fd, &call, &got, 64, 0, 0, 1);
		if (!asleep(&ring, 1))
			_exit(2);
		execl("/bin/sh", "sh", "-c", "exit 7", NULL);
		_exit(3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(7, WEXITSTATUS(status));
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 4, 0));
	EXPECT_EQ(4, kipc_msgrcv(self->msg, &got, 64, 0, 0));
}

/*
 * A ring that others have too, for what is submitted by one of them; not one with a thread of
 * its own, which would look into our memory.
 */
static int start_shared_ring(struct ring *ring, const FIXTURE_VARIANT(command) *variant)
{
	return start_ring(ring, 0, variant);
}

/* The ring lives on in another process: what the dead one asked for comes to nothing. */
TEST_F(command, ring_outlives_process)
{
	struct packet packet = { 1, "one" }, got = { 0 };
	struct kipc_msg_op call;
	struct ring ring;
	int status;
	pid_t pid;

	ASSERT_EQ(0, start_shared_ring(&ring, variant));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		add_receive(&ring, self->msg_fd, &call, &got, 64, 0, 0, 1);
		_exit(asleep(&ring, 1) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 4, 0));
	/* It may have been handed to the dead one: then it comes back. */
	EXPECT_EQ(4, kipc_msgrcv(self->msg, &got, 64, 0, 0));
	EXPECT_STREQ("one", got.text);
}

/* Nor does what it asked a set for take anything, or keep a turn. */
TEST_F(command, ring_outlives_process_of_semaphore)
{
	struct sembuf take = { 0, -1, 0 };
	struct ring ring;
	int status;
	pid_t pid;

	ASSERT_EQ(0, start_shared_ring(&ring, variant));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		add_sem(&ring, self->sem_fd, NULL, &take, 1, 1);
		_exit(asleep(&ring, 1) ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	wait_until(kipc_semctl(self->sem, 0, GETNCNT) == 0);
	ASSERT_EQ(0, kipc_semop(self->sem, &up, 1));
	EXPECT_VALUES(&ipc_kipc, self->sem, 1);
	EXPECT_DONE(1, -ECANCELED, &ring);
	ring_end(&ring);
}

/* So does what one thread of a process asked for when it ends. */
static void *submit_and_end(void *arg)
{
	return asleep(arg, 1) ? arg : NULL;
}

TEST_F(command, ring_outlives_thread)
{
	struct ring ring;
	pthread_t thread;
	void *seen;

	ASSERT_EQ(0, start_shared_ring(&ring, variant));
	add_sem(&ring, self->sem_fd, NULL, &down, 1, 1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, submit_and_end, &ring));
	ASSERT_EQ(0, pthread_join(thread, &seen));
	EXPECT_EQ(&ring, seen);
	EXPECT_DONE(1, -ECANCELED, &ring);
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, GETNCNT));
	ring_end(&ring);
}

/* Nothing of the ring is left to this process. */
static bool forget_ring(const struct ring *ring)
{
	const struct io_uring_sq *sq = &ring->io.sq;
	const struct io_uring_cq *cq = &ring->io.cq;

	return !munmap(sq->sqes, sq->ring_entries * sizeof(*sq->sqes)) &&
	       !munmap(sq->ring_ptr, sq->ring_sz) &&
	       (cq->ring_ptr == sq->ring_ptr || !munmap(cq->ring_ptr, cq->ring_sz)) &&
	       !close(ring->io.ring_fd);
}

/*
 * A ring ends while who has submitted to it is stopped, and its commands without it.  Until
 * Linux 6.6 they are completed once it goes on; and only then are registered files given back.
 */
TEST_F_TIMEOUT(command, end_of_ring_while_stopped, 200)
{
	struct utsname name;
	int status, version[2];
	struct ring ring;
	pid_t pid;
	int sem;

	ASSERT_EQ(0, uname(&name));
	ASSERT_EQ(2, sscanf(name.release, "%d.%d", &version[0], &version[1]));
	ASSERT_EQ(0, start_shared_ring(&ring, variant));
	close(self->sem_fd);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		sem = open_sem(self->sem);
		add_sem(&ring, sem, NULL, &down, 1, 1);
		if (sem < 0 || !asleep(&ring, 1) || close(sem) || !forget_ring(&ring))
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(1, kipc_object_read("sem", self->sem).users);
	ring_end(&ring);
	wait_until(kipc_semctl(self->sem, 0, GETNCNT) == 0);
	if ((version[0] > 6 || version[1] >= 7) && !variant->files)
		wait_until(kipc_object_read("sem", self->sem).users == 0);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	wait_until(kipc_object_read("sem", self->sem).users == 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN

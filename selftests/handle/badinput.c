// SPDX-License-Identifier: GPL-2.0
/*
 * Handles and what is not to be done with them: descriptors of other kinds in each call,
 * handles that hold each other, and objects that change or end while they are waited for.
 */
#include "ring.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>

#include "common/device.h"

/* ---- Descriptors of another kind ---- */

enum { ON_SHM, ON_SEM, ON_MSG, DEVICE, PIPE, SOCKET, EVENTS, NO_RIGHTS, CLOSED, FDS };

FIXTURE(kinds) { int shm, sem, msg, fd[FDS]; struct ring ring; };

FIXTURE_SETUP(kinds)
{
	int pipes[2], pair[2];

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->shm = kipc_shmget(IPC_PRIVATE, 8192, 0600);
	self->sem = kipc_semget(IPC_PRIVATE, 1, 0600);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	self->fd[ON_SHM] = kipc_handle(KIPC_KIND_SHM, self->shm, O_RDWR, NULL);
	self->fd[ON_SEM] = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
	self->fd[ON_MSG] = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	self->fd[DEVICE] = device_open();
	self->fd[PIPE] = pipes[0];
	self->fd[SOCKET] = pair[0];
	self->fd[EVENTS] = epoll_create1(EPOLL_CLOEXEC);
	self->fd[NO_RIGHTS] = open("/dev/null", O_PATH | O_CLOEXEC);
	self->fd[CLOSED] = -1;
	ASSERT_EQ(0, ring_start(&self->ring, 8, 0, false));
}

FIXTURE_TEARDOWN(kinds)
{
	ring_end(&self->ring);
	EXPECT_EQ(0, sem_val(&ipc_kipc, self->sem, 0));
	EXPECT_EQ(0, msg_qnum(&ipc_kipc, self->msg));
}

/* Whoever cannot be asked; what else a file says that knows no such call. */
static bool is_refusal(int which, long ret, int err)
{
	if (ret != -1)
		return false;
	switch (which) {
	case NO_RIGHTS:
	case CLOSED:
		return err == EBADF;
	case DEVICE:
	case EVENTS:	/* ENOTTY on old kernels */
		return err == EINVAL || err == ENOTTY;
	default:
		return err == ENOTTY;
	}
}

#define EXPECT_REFUSAL(_which, _call) do { \
	long __ret = (_call); \
	EXPECT_TRUE(is_refusal(_which, __ret, errno)) \
		TH_LOG("%s, descriptor %d: %ld, %s", #_call, _which, __ret, strerror(errno)); \
} while (0)

TEST_F(kinds, takes_calls_of_its_kind)
{
	struct sembuf up = { 0, 1, 0 };
	struct note note = { .type = 1 };
	struct kipc_sem_op sem_op;
	struct kipc_msg_op msg_op;
	struct kipc_any any;
	int i;

	kipc_call_semop(&sem_op, &up, 1);
	kipc_call_message(&msg_op, &note, NOTE, 0, IPC_NOWAIT);
	for (i = 0; i < FDS; i++) {
		any.fd = self->fd[i];
		any.call = KIPC_IOC_SEM_OP;
		any.arg = (uintptr_t)&sem_op;
		if (i != ON_SEM) {
			EXPECT_REFUSAL(i, kipc_handle_semop(self->fd[i], &up, 1, 0, 0, NULL));
			EXPECT_REFUSAL(i, kipc_wait_any(&any, 1, 0, 0, NULL));
		}
		if (i == ON_MSG)
			continue;
		any.call = KIPC_IOC_MSG_RECEIVE;
		any.arg = (uintptr_t)&msg_op;
		EXPECT_REFUSAL(i, kipc_wait_any(&any, 1, 0, 0, NULL));
		EXPECT_REFUSAL(i, kipc_handle_msgsnd(self->fd[i], &note, NOTE, 0, 0, 0, NULL));
		EXPECT_REFUSAL(i, kipc_handle_msgrcv(self->fd[i], &note, NOTE, 0, IPC_NOWAIT,
						     0, 0, NULL));
	}
}

/* By a ring: no such command, or not a file that knows any. */
TEST_F(kinds, takes_commands_of_its_kind)
{
	struct sembuf up = { 0, 1, 0 };
	struct note note = { .type = 1 };
	struct kipc_msg_op msg_op;
	struct kipc_sem_op sem_op;
	struct io_uring_sqe *sqe;
	struct done done;
	int i, way;

	for (i = 0; i < FDS; i++)
		for (way = 0; way < 5; way++) {
			if (way < 2 ? i == ON_SEM : way < 4 && i == ON_MSG)
				continue;
			sqe = ring_sqe(&self->ring);
			if (way < 2)
				kipc_prep_semop(sqe, self->fd[i], way ? &sem_op : NULL, &up, 1);
			else if (way == 2)
				kipc_prep_msgsnd(sqe, self->fd[i], &msg_op, &note, NOTE, 0);
			else
				kipc_prep_msgrcv(sqe, self->fd[i], &msg_op, &note, NOTE, 0,
						 IPC_NOWAIT);
			/* One that there is not. */
			if (way == 4)
				sqe->cmd_op = KIPC_IOC_QUERY;
			io_uring_sqe_set_data64(sqe, 1);
			done = ring_next(&self->ring);
			EXPECT_EQ(i <= ON_MSG ? -ENOTTY :
				  i < NO_RIGHTS ? -EOPNOTSUPP : -EBADF, done.res)
				TH_LOG("descriptor %d, way %d: %s", i, way, strerror(-done.res));
		}
}

/* The device's own calls have no meaning on a handle. */
TEST_F(kinds, is_not_the_device)
{
	char nothing[256] = { };
	int i, nr;

	for (i = ON_SHM; i <= ON_MSG; i++) {
		for (nr = 0; nr < 256; nr++) {
			unsigned int size = nr % 2 ? 32 : sizeof(nothing);

			if (i == ON_SEM && nr == _IOC_NR(KIPC_IOC_SEM_OP))
				continue;
			if (i == ON_MSG && (nr == _IOC_NR(KIPC_IOC_MSG_SEND) ||
					    nr == _IOC_NR(KIPC_IOC_MSG_RECEIVE)))
				continue;
			EXPECT_ERR(ENOTTY, ioctl(self->fd[i], _IOC(_IOC_READ | _IOC_WRITE,
								   KIPC_IOC_TYPE, nr, size),
						 nothing));
		}
		EXPECT_EQ(EINVAL, posix_fadvise(self->fd[i], self->sem, 0, KIPC_CALL_SEM_OP));
		EXPECT_EQ(EINVAL, posix_fadvise(self->fd[i], 0, 0, KIPC_CALL_MSG_GET));
		EXPECT_EQ(EINVAL, posix_fadvise(self->fd[i], self->msg, 0,
						KIPC_CALL_MSG_RECEIVE(0, 8)));
	}
	/* An id is not that of another kind either. */
	EXPECT_EQ(self->sem, self->msg);
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_MSG, self->msg + 1, O_RDWR, NULL));
}

/* Nor is it a file with a place in it. */
TEST_F(kinds, is_not_a_file_of_bytes)
{
	char byte[16] = { };
	int i, pipes[2];

	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC | O_NONBLOCK));
	ASSERT_EQ(1, write(pipes[1], "x", 1));
	for (i = ON_SHM; i <= ON_MSG; i++) {
		EXPECT_ERR(ESPIPE, lseek(self->fd[i], 0, SEEK_SET));
		EXPECT_ERR(ESPIPE, pread(self->fd[i], byte, sizeof(byte), 0));
		EXPECT_ERR(ESPIPE, pwrite(self->fd[i], byte, sizeof(byte), 0));
		EXPECT_ERR(EINVAL, ftruncate(self->fd[i], 0));
		EXPECT_ERR(EINVAL, fsync(self->fd[i]));
		EXPECT_ERR(EINVAL, splice(self->fd[i], NULL, pipes[1], NULL, 16, SPLICE_F_NONBLOCK));
		EXPECT_ERR(EINVAL, splice(pipes[0], NULL, self->fd[i], NULL, 1, SPLICE_F_NONBLOCK));
		EXPECT_EQ(-1, sendfile(pipes[1], self->fd[i], NULL, 16));
		EXPECT_EQ(-1, sendfile(self->fd[i], self->fd[i], NULL, 16));
		if (i != ON_SHM)
			EXPECT_ERR(ENODEV, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd[i], 0));
	}
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- Handles in circles ---- */

/* The kernel looks for sockets that hold only each other when one is closed. */
static void collect(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		_exit(1);
	close(pair[0]);
	close(pair[1]);
}

#define EXPECT_LEFT(_users) wait_until((collect(), usage_of("sem", self->sem).users == (_users)))

/* In flight to a socket that is itself in flight, and the other way round, by hundreds. */
TEST_F(handle, is_in_flight_in_a_circle)
{
	long before = usage_of("sem", self->sem).users;
	int a[2], b[2], fd, i;

	for (i = 0; i < 100; i++) {
		fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, b));
		EXPECT_EQ(0, send_fd(a[0], fd));
		EXPECT_EQ(0, send_fd(a[0], b[1]));
		EXPECT_EQ(0, send_fd(b[0], fd));
		EXPECT_EQ(0, send_fd(b[0], a[1]));
		close(fd);
		close(a[0]);
		close(a[1]);
		close(b[0]);
		close(b[1]);
	}
	EXPECT_LEFT(before);
}

/* A socket to which it was itself sent, and a handle with it. */
TEST_F(handle, is_sent_with_its_own_socket)
{
	long before = usage_of("sem", self->sem).users;
	int a[2], fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, a));
	EXPECT_EQ(0, send_fd(a[0], a[1]));
	EXPECT_EQ(0, send_fd(a[0], fd));
	EXPECT_EQ(0, send_fd(a[0], a[0]));
	close(fd);
	EXPECT_EQ(before + 1, usage_of("sem", self->sem).users);
	close(a[0]);
	close(a[1]);
	EXPECT_LEFT(before);
}

/* A ring that has a handle and the socket to which the ring was sent, where that is allowed. */
TEST_F(handle, is_in_a_ring_in_flight)
{
	long before = usage_of("sem", self->sem).users;
	int a[2], fds[3] = { kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL) };
	struct io_uring ring;
	uint64_t n;

	ASSERT_LE(0, fds[0]);
	ASSERT_EQ(0, io_uring_queue_init(4, &ring, 0));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	fds[1] = a[0];
	fds[2] = a[1];
	ASSERT_EQ(0, io_uring_register_files(&ring, fds, 3));
	io_uring_prep_read(io_uring_get_sqe(&ring), fds[0], &n, sizeof(n), -1);
	ASSERT_EQ(1, io_uring_submit(&ring));
	/* From 6.7 on it is refused, and the ring goes with its descriptor. */
	if (send_fd(a[0], ring.ring_fd))
		EXPECT_EQ(EINVAL, errno);
	close(fds[0]);
	close(a[0]);
	close(a[1]);
	EXPECT_EQ(before + 1, usage_of("sem", self->sem).users);
	io_uring_queue_exit(&ring);
	EXPECT_LEFT(before);
}

/* An epoll in flight that watches what is in flight with it. */
TEST_F(handle, is_in_an_epoll_in_flight)
{
	long before = usage_of("sem", self->sem).users;
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), a[2];
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, a[1], &event));
	EXPECT_EQ(0, send_fd(a[0], epoll));
	EXPECT_EQ(0, send_fd(a[0], fd));
	EXPECT_EQ(0, send_fd(a[0], a[1]));
	close(fd);
	close(epoll);
	close(a[0]);
	/* Still held by the socket, and still watched. */
	EXPECT_EQ(before + 1, usage_of("sem", self->sem).users);
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 0, 1, 0));
	close(a[1]);
	EXPECT_LEFT(before);
}

/* As deep as epolls can be, and no deeper, and not in a circle. */
TEST_F(handle, is_in_an_epoll_in_epolls)
{
	enum { DEEP = 5 };
	struct epoll_event event = { .events = EPOLLIN };
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL), epoll[DEEP + 2], i;
	uint64_t n;

	for (i = 0; i < DEEP + 2; i++) {
		epoll[i] = epoll_create1(EPOLL_CLOEXEC);
		if (i < DEEP)
			EXPECT_EQ(0, epoll_ctl(epoll[i], EPOLL_CTL_ADD, i ? epoll[i - 1] : fd,
					       &event));
	}
	EXPECT_ERR(ELOOP, epoll_ctl(epoll[0], EPOLL_CTL_ADD, epoll[DEEP - 1], &event));
	EXPECT_EQ(0, epoll_wait(epoll[DEEP - 1], &event, 1, 0));
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 0, 1, 0));
	EXPECT_EQ(1, epoll_wait(epoll[DEEP - 1], &event, 1, -1));
	EXPECT_EQ(8, read(fd, &n, 8));
	EXPECT_EQ(0, epoll_wait(epoll[DEEP - 1], &event, 1, 0));
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(1, epoll_wait(epoll[DEEP - 1], &event, 1, -1));
	/* It goes out of all of them. */
	close(fd);
	EXPECT_EQ(0, epoll_wait(epoll[DEEP - 1], &event, 1, 0));
	for (i = 0; i < DEEP + 2; i++)
		close(epoll[i]);
}

/* ---- What is waited for changes, or ends ---- */

static long sleep_in_poll(long *arg, void *buf)
{
	struct pollfd p = { .fd = arg[0], .events = arg[1] };

	(void)buf;
	return poll(&p, 1, -1) == 1 ? p.revents : -1;
}

static long sleep_in_semop(long *arg, void *buf)
{
	(void)buf;
	return kipc_handle_semop(arg[0], &(struct sembuf){ 0, -1, 0 }, 1, 0, 0, NULL);
}

static long sleep_in_msgrcv(long *arg, void *buf)
{
	return kipc_handle_msgrcv(arg[0], buf, 64, 0, 0, 0, 0, NULL);
}

/* Return: what its call does. */
static long sleep_in_any(long *arg, void *buf)
{
	struct sembuf down = { 0, -1, 0 };
	struct kipc_sem_op sem_op;
	struct kipc_msg_op msg_op;
	struct kipc_any any[2] = { { .fd = arg[0] } };
	int never[2];

	kipc_call_semop(&sem_op, &down, 1);
	kipc_call_message(&msg_op, buf, 64, 0, 0);
	any[0].call = arg[1] ? KIPC_IOC_SEM_OP : KIPC_IOC_MSG_RECEIVE;
	any[0].arg = arg[1] ? (uintptr_t)&sem_op : (uintptr_t)&msg_op;
	if (pipe2(never, O_CLOEXEC))
		return -1;
	any[1] = (struct kipc_any){ .fd = never[0], .arg = POLLIN };
	return kipc_wait_any(any, 2, 0, 0, NULL) ? -1 : any[0].result;
}

/*
 * One of each who waits: in poll, in an epoll, in a ring by a poll and a read, in a call,
 * by a command and for any of two.
 */
enum { IN_POLL, IN_CALL, IN_ANY, PEERS };
enum { BY_POLL = 1, BY_READ, BY_COMMAND, BY_REQUESTS = 3 };

struct waiters {
	struct peer peer[PEERS];
	struct ring ring;
	int epoll;
	struct packet packet;
	struct note note;
	struct kipc_msg_op msg_op;
};

static int waiters_start(struct waiters *waiters)
{
	int i;

	for (i = 0; i < PEERS; i++)
		if (peer_start(&waiters->peer[i]))
			return -1;
	waiters->epoll = epoll_create1(EPOLL_CLOEXEC);
	return ring_start(&waiters->ring, 16, 0, false);
}

static int waiters_begin(struct waiters *waiters, bool is_sem, int fd)
{
	static struct sembuf down = { 0, -1, 0 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct io_uring_sqe *sqe;
	int i;

	if (peer_begin(&waiters->peer[IN_POLL], sleep_in_poll, fd, POLLIN, 0, 0, 0) ||
	    peer_begin(&waiters->peer[IN_CALL], is_sem ? sleep_in_semop : sleep_in_msgrcv, fd, 0,
		       0, 0, 0) ||
	    peer_begin(&waiters->peer[IN_ANY], sleep_in_any, fd, is_sem, 0, 0, 0) ||
	    epoll_ctl(waiters->epoll, EPOLL_CTL_ADD, fd, &event))
		return -1;
	for (i = 0; i < PEERS; i++)
		if (peer_asleep(&waiters->peer[i]))
			return -1;
	ring_poll(&waiters->ring, fd, POLLIN, false, BY_POLL);
	ring_read(&waiters->ring, fd, &waiters->packet, is_sem ? 8 : sizeof(waiters->packet),
		  BY_READ);
	sqe = ring_sqe(&waiters->ring);
	if (is_sem)
		kipc_prep_semop(sqe, fd, NULL, &down, 1);
	else
		kipc_prep_msgrcv(sqe, fd, &waiters->msg_op, &waiters->note, NOTE, 0, 0);
	ring_add(&waiters->ring, sqe, BY_COMMAND);
	return !ring_quiet(&waiters->ring) || epoll_wait(waiters->epoll, &event, 1, 0);
}

/* Each is told that the object has gone.  Return: how many were. */
static int waiters_told(struct waiters *waiters)
{
	struct epoll_event event;
	struct done done;
	int i, told = 0;

	told += peer_finish(&waiters->peer[IN_POLL]) == (POLLIN | POLLERR | POLLHUP);
	told += peer_finish(&waiters->peer[IN_CALL]) == -1 && errno == EIDRM;
	told += peer_finish(&waiters->peer[IN_ANY]) == -EIDRM;
	told += epoll_wait(waiters->epoll, &event, 1, -1) == 1 && event.events & EPOLLHUP;
	for (i = 0; i < BY_REQUESTS; i++) {
		done = ring_next(&waiters->ring);
		told += done.who == BY_POLL ? done.res == (POLLIN | POLLERR | POLLHUP) :
			done.res == -EIDRM;
	}
	return told;
}

static void waiters_end(struct waiters *waiters)
{
	int i;

	for (i = 0; i < PEERS; i++)
		peer_end(&waiters->peer[i], 0);
	ring_end(&waiters->ring);
	close(waiters->epoll);
}

FIXTURE(waited_for) { int sem, msg, fd; struct waiters waiters; };
FIXTURE_VARIANT(waited_for) { bool is_sem; };
FIXTURE_VARIANT_ADD(waited_for, sem) { .is_sem = true };
FIXTURE_VARIANT_ADD(waited_for, msg) { .is_sem = false };

FIXTURE_SETUP(waited_for)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->sem = kipc_semget(IPC_PRIVATE, 1, 0600);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	self->fd = variant->is_sem ? kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL) :
				     kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, waiters_start(&self->waiters));
}

FIXTURE_TEARDOWN(waited_for)
{
	waiters_end(&self->waiters);
	close(self->fd);
}

TEST_F(waited_for, is_removed)
{
	ASSERT_EQ(0, waiters_begin(&self->waiters, variant->is_sem, self->fd));
	EXPECT_EQ(0, variant->is_sem ? sem_rmid(&ipc_kipc, self->sem) :
				       msg_rmid(&ipc_kipc, self->msg));
	EXPECT_EQ(PEERS + 1 + BY_REQUESTS, waiters_told(&self->waiters));
}

/* A handle's rights are its own, so nobody is told; what comes goes on to one who takes. */
TEST_F(waited_for, changes_its_mode)
{
	struct epoll_event event;
	struct semid_ds sem_ds;
	struct msqid_ds msg_ds;
	struct done done;
	int i, had = 0;

	ASSERT_EQ(0, waiters_begin(&self->waiters, variant->is_sem, self->fd));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, sem_stat(&ipc_kipc, self->sem, &sem_ds));
		ASSERT_EQ(0, msg_stat(&ipc_kipc, self->msg, &msg_ds));
		sem_ds.sem_perm.mode = msg_ds.msg_perm.mode = i % 2 ? 0600 : 0;
		sem_ds.sem_perm.uid = msg_ds.msg_perm.uid = i;
		ASSERT_EQ(0, variant->is_sem ?
			  kipc_semctl(self->sem, 0, IPC_SET, &sem_ds) :
			  kipc_msgctl(self->msg, IPC_SET, &msg_ds));
	}
	EXPECT_TRUE(ring_quiet(&self->waiters.ring));
	EXPECT_EQ(0, epoll_wait(self->waiters.epoll, &event, 1, 0));
	for (i = 0; i < PEERS; i++)
		EXPECT_EQ(0, peer_asleep(&self->waiters.peer[i]));
	/* For the two calls, the command and the read. */
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, variant->is_sem ? semop1(&ipc_kipc, self->sem, 0, 1, 0) :
					       msg_send(&ipc_kipc, self->msg, 1, i, 0));
	EXPECT_LE(0, peer_finish(&self->waiters.peer[IN_CALL]));
	EXPECT_LE(0, peer_finish(&self->waiters.peer[IN_ANY]));
	/* What is polled for may have been there, or was taken at once. */
	for (i = 0; i < 2; ) {
		done = ring_next(&self->waiters.ring);
		EXPECT_LT(0, 1 + done.res);
		had |= 1 << done.who;
		i += done.who != BY_POLL;
	}
	EXPECT_EQ(1 << BY_READ | 1 << BY_COMMAND, had & ~(1 << BY_POLL));
	EXPECT_EQ(0, variant->is_sem ? sem_val(&ipc_kipc, self->sem, 0) :
				       msg_qnum(&ipc_kipc, self->msg));
	EXPECT_EQ(0, variant->is_sem ? semop1(&ipc_kipc, self->sem, 0, 1, 0) :
				       msg_send(&ipc_kipc, self->msg, 1, i, 0));
	EXPECT_EQ(POLLIN, peer_finish(&self->waiters.peer[IN_POLL]));
}

/* The namespace that the object was in has nobody any more. */
TEST_F(waited_for, is_in_a_namespace_that_dies)
{
	int pair[2], fd, status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWIPC))
			_exit(1);
		fd = variant->is_sem ?
			kipc_handle(KIPC_KIND_SEM, kipc_semget(IPC_PRIVATE, 1, 0600), O_RDWR, NULL) :
			kipc_handle(KIPC_KIND_MSG, kipc_msgget(IPC_PRIVATE, 0600), O_RDWR, NULL);
		_exit(send_fd(pair[1], fd) || read(pair[1], &c, 1) != 1);
	}
	fd = receive_fd(pair[0]);
	ASSERT_LE(0, fd);
	/* Peers that have the descriptor as well. */
	waiters_end(&self->waiters);
	ASSERT_EQ(0, waiters_start(&self->waiters));
	ASSERT_EQ(0, waiters_begin(&self->waiters, variant->is_sem, fd));
	ASSERT_EQ(1, write(pair[0], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(PEERS + 1 + BY_REQUESTS, waiters_told(&self->waiters));
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

/* A segment of a dead namespace: mapped, mapped anew, sent on, forked, written to by many. */
TEST_F(handle, of_a_segment_outlives_its_namespace)
{
	long shmem = meminfo("Shmem");
	int pair[2], fd, status, i;
	const size_t size = 16 << 20;
	char *mapped[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWIPC))
			_exit(1);
		fd = kipc_shmget(IPC_PRIVATE, size, 0600);
		_exit(send_fd(pair[1], kipc_handle(KIPC_KIND_SHM, fd, O_RDWR, NULL)));
	}
	fd = receive_fd(pair[0]);
	ASSERT_LE(0, fd);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	for (i = 0; i < 2; i++) {
		mapped[i] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, mapped[i]);
	}
	memset(mapped[0], 1, size);
	EXPECT_EQ(0, send_fd(pair[1], fd));
	close(fd);
	munmap(mapped[0], size);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		mapped[1][size - 1]++;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, mapped[1][size - 1]);
	munmap(mapped[1], size);
	/* In flight it is kept as well. */
	fd = receive_fd(pair[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(POLLIN | POLLOUT, ready(fd));
	mapped[0] = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mapped[0]);
	EXPECT_EQ(2, mapped[0][size - 1]);
	EXPECT_LT(shmem + (long)(size >> 11), meminfo("Shmem"));
	munmap(mapped[0], size);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	wait_until(meminfo("Shmem") < shmem + (long)(size >> 11));
}

TEST_HARNESS_MAIN

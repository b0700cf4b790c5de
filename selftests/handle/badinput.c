// SPDX-License-Identifier: GPL-2.0
/*
 * Handles and what is not to be done with them: descriptors of other kinds in each call, and
 * handles that hold each other.  What changes or ends while it is waited for: changes.c.
 */
#include "ring.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

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

/* Without its size, as handles know it. */
#define UNSIZED(_cmd)	((_cmd) & ~IOCSIZE_MASK)

/* What a handle is asked, or may come to be asked, about its own object. */
static bool is_of_handle(int which, unsigned int cmd)
{
	switch (UNSIZED(cmd)) {
	case UNSIZED(KIPC_IOC_WAIT_ANY):
	case UNSIZED(KIPC_IOC_HANDLE_PUBLISH):
		return true;
	case UNSIZED(KIPC_IOC_SHM_CTL):
	case UNSIZED(KIPC_IOC_SHM_EXPORT):
		return which == ON_SHM;
	case UNSIZED(KIPC_IOC_SEM_OP):
	case UNSIZED(KIPC_IOC_SEM_CTL):
		return which == ON_SEM;
	case UNSIZED(KIPC_IOC_MSG_SEND):
	case UNSIZED(KIPC_IOC_MSG_RECEIVE):
	case UNSIZED(KIPC_IOC_MSG_CTL):
		return which == ON_MSG;
	case UNSIZED(KIPC_IOC_HANDLE_NOTIFY):
		return which != ON_SHM;
	default:
		return false;
	}
}

/* The device's own calls have no meaning on a handle. */
TEST_F(kinds, is_not_the_device)
{
	static const unsigned int sizes[] = { 0, 8, 16, 32, 56, 256 };
	char nothing[256] = { };
	unsigned int cmd, dir, nr, size;
	int i, known = 0, other;

	for (i = ON_SHM; i <= ON_MSG; i++) {
		for (dir = 0; dir < 4; dir++)
			for (nr = 0; nr < 256; nr++)
				for (size = 0; size < ARRAY_SIZE(sizes); size++) {
					cmd = _IOC(dir, KIPC_IOC_TYPE, nr, sizes[size]);
					if (is_of_handle(i, cmd)) {
						known++;
						continue;
					}
					EXPECT_ERR(ENOTTY, ioctl(self->fd[i], cmd, nothing));
				}
		EXPECT_EQ(EINVAL, posix_fadvise(self->fd[i], self->sem, 0, KIPC_CALL_SEM_OP));
		EXPECT_EQ(EINVAL, posix_fadvise(self->fd[i], 0, 0, KIPC_CALL_MSG_GET));
		EXPECT_EQ(EINVAL, posix_fadvise(self->fd[i], self->msg, 0,
						KIPC_CALL_MSG_RECEIVE(0, 8)));
	}
	/* Four of them on a segment, five on a set, six on a queue, of any size. */
	EXPECT_EQ(15 * (int)ARRAY_SIZE(sizes), known);
	/* An id is not that of another kind either. */
	other = kipc_semget(IPC_PRIVATE, 1, 0600);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, close(kipc_handle(KIPC_KIND_SEM, other, O_RDWR, NULL)));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SHM, other, O_RDWR, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_MSG, other, O_RDWR, NULL));
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

#define EXPECT_LEFT(_users) \
	wait_until((collect_sockets(), kipc_object_read("sem", self->sem).users == (_users)))

/* In flight to a socket that is itself in flight, and the other way round, by hundreds. */
TEST_F(handle, is_in_flight_in_a_circle)
{
	long before = kipc_object_read("sem", self->sem).users;
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
	long before = kipc_object_read("sem", self->sem).users;
	int a[2], fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, a));
	EXPECT_EQ(0, send_fd(a[0], a[1]));
	EXPECT_EQ(0, send_fd(a[0], fd));
	EXPECT_EQ(0, send_fd(a[0], a[0]));
	close(fd);
	EXPECT_EQ(before + 1, kipc_object_read("sem", self->sem).users);
	close(a[0]);
	close(a[1]);
	EXPECT_LEFT(before);
}

/* A ring that has a handle and the socket to which the ring was sent, where that is allowed. */
TEST_F(handle, is_in_a_ring_in_flight)
{
	long before = kipc_object_read("sem", self->sem).users;
	int a[2], fds[3] = { kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL) };
	struct sembuf down = { 0, -1, 0 };
	struct io_uring ring;
	uint64_t n;

	ASSERT_LE(0, fds[0]);
	ASSERT_EQ(0, io_uring_queue_init(4, &ring, 0));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	fds[1] = a[0];
	fds[2] = a[1];
	ASSERT_EQ(0, io_uring_register_files(&ring, fds, 3));
	io_uring_prep_read(io_uring_get_sqe(&ring), fds[0], &n, sizeof(n), -1);
	kipc_prep_semop(io_uring_get_sqe(&ring), fds[0], NULL, &down, 1);
	ASSERT_EQ(2, io_uring_submit(&ring));
	EXPECT_EQ(1, sem_ncnt(&ipc_kipc, self->sem, 0));
	/* From 6.7 on it is refused, and the ring goes with its descriptor. */
	if (send_fd(a[0], ring.ring_fd))
		EXPECT_EQ(EINVAL, errno);
	close(fds[0]);
	close(a[0]);
	close(a[1]);
	EXPECT_EQ(before + 1, kipc_object_read("sem", self->sem).users);
	io_uring_queue_exit(&ring);
	EXPECT_LEFT(before);
	EXPECT_EQ(0, sem_ncnt(&ipc_kipc, self->sem, 0));
}

/* An epoll in flight that watches what is in flight with it. */
TEST_F(handle, is_in_an_epoll_in_flight)
{
	long before = kipc_object_read("sem", self->sem).users;
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
	EXPECT_EQ(before + 1, kipc_object_read("sem", self->sem).users);
	EXPECT_EQ(0, semop1(&ipc_kipc, self->sem, 0, 1, 0));
	close(a[1]);
	EXPECT_LEFT(before);
}

/* As deep as epolls can be, and no deeper, and not in a circle. */
TEST_F(handle, is_in_an_epoll_in_epolls)
{
	enum { DEEP = 5 };
	struct epoll_event event = { .events = EPOLLIN };
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL), epoll[DEEP + 1], i;
	uint64_t n;

	for (i = 0; i < DEEP + 1; i++) {
		epoll[i] = epoll_create1(EPOLL_CLOEXEC);
		if (i < DEEP)
			EXPECT_EQ(0, epoll_ctl(epoll[i], EPOLL_CTL_ADD, i ? epoll[i - 1] : fd,
					       &event));
	}
	EXPECT_ERR(ELOOP, epoll_ctl(epoll[0], EPOLL_CTL_ADD, epoll[DEEP - 1], &event));
	EXPECT_ERR(ELOOP, epoll_ctl(epoll[DEEP], EPOLL_CTL_ADD, epoll[DEEP - 1], &event));
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
	for (i = 0; i < DEEP + 1; i++)
		close(epoll[i]);
}

TEST_HARNESS_MAIN

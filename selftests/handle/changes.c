// SPDX-License-Identifier: GPL-2.0
/* Objects that change or end while their handles are waited for, in each way and by thousands. */
#include "ring.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/device.h"

/* ---- By few, in each way ---- */

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
	/* What each of them is given. */
	const int called = variant->is_sem ? 0 : NOTE;
	const int given[] = {
		[BY_POLL] = POLLIN, [BY_READ] = variant->is_sem ? 8 : 8 + NOTE,
		[BY_COMMAND] = called,
	};
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
	EXPECT_EQ(called, peer_finish(&self->waiters.peer[IN_CALL]));
	EXPECT_EQ(called, peer_finish(&self->waiters.peer[IN_ANY]));
	/* What is polled for may have been there, or was taken at once. */
	for (i = 0; i < 2; ) {
		done = ring_next(&self->waiters.ring);
		ASSERT_TRUE(done.who >= BY_POLL && done.who <= BY_COMMAND);
		EXPECT_EQ(given[done.who], done.res)
			TH_LOG("request %d", (int)done.who);
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
	struct elsewhere there;
	int fd[KIPC_KINDS], kind;

	ASSERT_EQ(0, elsewhere_begin(&there, handle_of_new, fd, KIPC_KINDS));
	/* Peers that have the descriptors as well. */
	waiters_end(&self->waiters);
	ASSERT_EQ(0, waiters_start(&self->waiters));
	ASSERT_EQ(0, waiters_begin(&self->waiters, variant->is_sem,
				   fd[variant->is_sem ? KIPC_KIND_SEM : KIPC_KIND_MSG]));
	ASSERT_EQ(0, elsewhere_end(&there));
	EXPECT_EQ(PEERS + 1 + BY_REQUESTS, waiters_told(&self->waiters));
	for (kind = 0; kind < KIPC_KINDS; kind++)
		close(fd[kind]);
}

/* Calls on what there is no more have no effect, on anything; and nothing is kept. */
TEST_F(handle, of_a_dead_namespace)
{
	const short gone = POLLIN | POLLOUT | POLLERR | POLLHUP;
	struct epoll_event event = { .events = EPOLLIN };
	int fd[KIPC_KINDS], epoll = epoll_create1(EPOLL_CLOEXEC), i;
	int count = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct sembuf up = { 0, 1, SEM_UNDO };
	struct packet packet = { .type = 1 };
	struct note note = { .type = 1 };
	struct kipc_sem_op sem_op;
	struct kipc_msg_op msg_op[2];
	struct kipc_any any[3];
	struct io_uring_sqe *sqe;
	struct elsewhere there;
	struct ring ring;
	uint64_t n = 1;
	long refs;

	ASSERT_EQ(0, ring_start(&ring, 8, 0, false));
	/* This process' record, which what is to be undone makes, stays as long as it does. */
	ASSERT_EQ(0, semop1(&ipc_kipc, self->sem, 0, 1, SEM_UNDO));
	ASSERT_EQ(0, semop1(&ipc_kipc, self->sem, 0, -1, SEM_UNDO));
	refs = module_refs();
	ASSERT_EQ(0, elsewhere_begin(&there, handle_of_new, fd, KIPC_KINDS));
	ASSERT_EQ(0, elsewhere_end(&there));
	for (i = KIPC_KIND_SEM; i < KIPC_KINDS; i++) {
		ASSERT_TRUE(until_hup(fd[i]));
		EXPECT_EQ(gone, ready(fd[i]));
		ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &event));
		EXPECT_EQ(1, epoll_wait(epoll, &event, 1, -1));
		EXPECT_EQ(EPOLLIN | EPOLLERR | EPOLLHUP, event.events);
		ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_DEL, fd[i], NULL));
		/* It is told at once. */
		EXPECT_EQ(0, kipc_handle_notify(fd[i], count, POLLIN));
		EXPECT_EQ(8, read(count, &n, 8));
		EXPECT_EQ(1, n);
		EXPECT_ERR(EIDRM, read(fd[i], &packet, sizeof(packet)));
	}
	EXPECT_ERR(EIDRM, write(fd[KIPC_KIND_SEM], &n, 8));
	EXPECT_ERR(EIDRM, write(fd[KIPC_KIND_MSG], &packet, 9));
	EXPECT_ERR(EIDRM, kipc_handle_semop(fd[KIPC_KIND_SEM], &up, 1, 0, 0, NULL));
	EXPECT_ERR(EIDRM, kipc_handle_msgsnd(fd[KIPC_KIND_MSG], &note, NOTE, 0, 0, 0, NULL));
	EXPECT_ERR(EIDRM, kipc_handle_msgrcv(fd[KIPC_KIND_MSG], &note, NOTE, 0, IPC_NOWAIT, 0, 0,
					     NULL));
	kipc_call_semop(&sem_op, &up, 1);
	kipc_call_message(&msg_op[0], &note, NOTE, 0, 0);
	msg_op[1] = msg_op[0];
	any[0] = (struct kipc_any){ fd[KIPC_KIND_SEM], KIPC_IOC_SEM_OP, (uintptr_t)&sem_op, 0 };
	any[1] = (struct kipc_any){ fd[KIPC_KIND_MSG], KIPC_IOC_MSG_SEND, (uintptr_t)msg_op, 0 };
	any[2] = (struct kipc_any){ fd[KIPC_KIND_MSG], 0, POLLIN, 0 };
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, kipc_wait_any(any + i, 1, 0, 0, NULL));
		EXPECT_EQ(-EIDRM, any[i].result);
	}
	EXPECT_EQ(0, kipc_wait_any(any + 2, 1, 0, 0, NULL));
	EXPECT_EQ(POLLIN | POLLERR | POLLHUP, any[2].result);
	for (i = 0; i < 4; i++) {
		sqe = ring_sqe(&ring);
		if (i < 2)
			kipc_prep_semop(sqe, fd[KIPC_KIND_SEM], i ? &sem_op : NULL, &up, 1);
		else if (i == 2)
			kipc_prep_msgsnd(sqe, fd[KIPC_KIND_MSG], &msg_op[0], &note, NOTE, 0);
		else
			kipc_prep_msgrcv(sqe, fd[KIPC_KIND_MSG], &msg_op[1], &note, NOTE, 0, 0);
		ring_add(&ring, sqe, i);
		EXPECT_EQ(-EIDRM, ring_next(&ring).res);
	}
	/* The ids of here, which may be the same, are others'. */
	EXPECT_EQ(self->sem, id_of(fd[KIPC_KIND_SEM]));
	EXPECT_EQ(self->msg, id_of(fd[KIPC_KIND_MSG]));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0);
	EXPECT_EQ(0, msg_qnum(&ipc_kipc, self->msg));
	ring_end(&ring);
	close(epoll);
	close(count);
	for (i = 0; i < KIPC_KINDS; i++)
		close(fd[i]);
	wait_until(module_refs() <= refs);
}

#define SIZE	(16l << 20)

/* A segment, and a queue, which ends later. */
static int segment_and_queue(int i)
{
	return i ? handle_of_new(KIPC_KIND_MSG) :
		   kipc_handle(KIPC_KIND_SHM, kipc_shmget(IPC_PRIVATE, SIZE, 0600), O_RDWR, NULL);
}

/* A segment of a dead namespace: mapped, mapped anew, sent on, written to by a child. */
TEST_F(handle, of_a_segment_outlives_its_namespace)
{
	long shmem = meminfo("Shmem");
	struct elsewhere there;
	int fds[2], pair[2], fd, status, i;
	char *mapped[2];
	pid_t pid;

	ASSERT_EQ(0, elsewhere_begin(&there, segment_and_queue, fds, 2));
	ASSERT_EQ(0, elsewhere_end(&there));
	EXPECT_TRUE(until_hup(fds[1]));
	close(fds[1]);
	fd = fds[0];
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	for (i = 0; i < 2; i++) {
		mapped[i] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, mapped[i]);
	}
	memset(mapped[0], 1, SIZE);
	EXPECT_EQ(0, send_fd(pair[1], fd));
	close(fd);
	munmap(mapped[0], SIZE);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		mapped[1][SIZE - 1]++;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, mapped[1][SIZE - 1]);
	munmap(mapped[1], SIZE);
	/* In flight it is kept as well. */
	fd = receive_fd(pair[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(POLLIN | POLLOUT, ready(fd));
	mapped[0] = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mapped[0]);
	EXPECT_EQ(2, mapped[0][SIZE - 1]);
	EXPECT_LT(shmem + (SIZE >> 11), meminfo("Shmem"));
	munmap(mapped[0], SIZE);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	wait_until(meminfo("Shmem") < shmem + (SIZE >> 11));
}

/* ---- With thousands of requests pending ---- */

enum { MANY = 2000 };

static struct {
	struct ring ring;
	struct kipc_msg_op op[MANY];
	struct note note[MANY];
	uint64_t number;
	struct packet packet;
} pending;

/* A poll, a read and a command, as many of each; none is done.  Return: 0 or -1. */
static int make_pending(int fd, bool is_sem)
{
	static struct sembuf down = { 0, -1, 0 };
	struct ring *ring = &pending.ring;
	struct io_uring_sqe *sqe;
	int i;

	if (ring_start(ring, 4096, 0, false))
		return -1;
	for (i = 0; i < MANY; i++) {
		ring_poll(ring, fd, POLLIN, false, BY_POLL);
		if (is_sem)
			ring_read(ring, fd, &pending.number, 8, BY_READ);
		else
			ring_read(ring, fd, &pending.packet, sizeof(pending.packet), BY_READ);
		sqe = ring_sqe(ring);
		if (is_sem)
			kipc_prep_semop(sqe, fd, NULL, &down, 1);
		else
			kipc_prep_msgrcv(sqe, fd, &pending.op[i], &pending.note[i], NOTE, 0, 0);
		ring_add(ring, sqe, BY_COMMAND);
	}
	return ring_quiet(ring) ? 0 : -1;
}

/* All of them are told, once each, that the object has gone.  Return: how many were. */
static int pending_told(void)
{
	struct done done;
	int i, told = 0;

	for (i = 0; i < BY_REQUESTS * MANY; i++) {
		done = ring_next(&pending.ring);
		told += done.who == BY_POLL ? done.res == (POLLIN | POLLERR | POLLHUP) :
			done.res == -EIDRM;
	}
	return ring_quiet(&pending.ring) ? told : -1;
}

FIXTURE(pending) { int sem, msg, id; };
FIXTURE_VARIANT(pending) { bool is_sem; };
FIXTURE_VARIANT_ADD(pending, sem) { .is_sem = true };
FIXTURE_VARIANT_ADD(pending, msg) { .is_sem = false };

FIXTURE_SETUP(pending)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->sem = kipc_semget(IPC_PRIVATE, 1, 0600);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	self->id = variant->is_sem ? self->sem : self->msg;
}

FIXTURE_TEARDOWN(pending) { }

static int open_it(bool is_sem, int id)
{
	return kipc_handle(is_sem ? KIPC_KIND_SEM : KIPC_KIND_MSG, id, O_RDWR, NULL);
}

static int remove_it(bool is_sem, int id)
{
	return is_sem ? sem_rmid(&ipc_kipc, id) : msg_rmid(&ipc_kipc, id);
}

TEST_F_TIMEOUT(pending, as_it_is_removed, 200)
{
	long refs = module_refs();
	int fd = open_it(variant->is_sem, self->id);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, make_pending(fd, variant->is_sem));
	close(fd);
	EXPECT_EQ(0, remove_it(variant->is_sem, self->id));
	EXPECT_EQ(BY_REQUESTS * MANY, pending_told());
	ring_end(&pending.ring);
	wait_until(module_refs() < refs);
}

TEST_F_TIMEOUT(pending, as_its_namespace_dies, 200)
{
	long refs = module_refs();
	struct elsewhere there;
	int fd[KIPC_KINDS], kind;

	ASSERT_EQ(0, elsewhere_begin(&there, handle_of_new, fd, KIPC_KINDS));
	ASSERT_EQ(0, make_pending(fd[variant->is_sem ? KIPC_KIND_SEM : KIPC_KIND_MSG],
				  variant->is_sem));
	for (kind = 0; kind < KIPC_KINDS; kind++)
		close(fd[kind]);
	ASSERT_EQ(0, elsewhere_end(&there));
	EXPECT_EQ(BY_REQUESTS * MANY, pending_told());
	ring_end(&pending.ring);
	wait_until(module_refs() <= refs);
}

struct it {
	bool is_sem;
	int id;
};

static int do_make_pending(void *arg)
{
	const struct it *it = arg;
	int fd = open_it(it->is_sem, it->id);

	return fd < 0 || make_pending(fd, it->is_sem);
}

/* The ring's process is killed while the object goes; before it, and behind it. */
TEST_F_TIMEOUT(pending, as_both_end, 200)
{
	struct it it = { variant->is_sem, self->id };
	long refs = module_refs();
	pid_t pid;
	int i;

	for (i = 0; i < 6; i++) {
		pid = stopped_child(do_make_pending, &it);
		ASSERT_LT(0, pid);
		if (i % 2)
			ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(0, remove_it(it.is_sem, it.id));
		ASSERT_EQ(0, kill_child(pid));
		it.id = it.is_sem ? kipc_semget(IPC_PRIVATE, 1, 0600) :
				    kipc_msgget(IPC_PRIVATE, 0600);
		ASSERT_LE(0, it.id);
		wait_until(module_refs() <= refs);
	}
}

/* ---- All of it at once ---- */

#define STORM_KEY	0x710

static int storm_get(bool is_sem, unsigned int lifetime, int flags)
{
	return is_sem ? kipc_semget_lifetime(STORM_KEY, 1, flags, lifetime) :
			kipc_msgget_lifetime(STORM_KEY, flags, lifetime);
}

/* Wait for it in one way or another, for a moment.  Return: 0, or an errno. */
static int storm_wait(int fd, bool is_sem, unsigned int how)
{
	static struct ring ring;
	static bool has_ring;
	static struct sembuf down = { 0, -1, 0 };
	static struct kipc_msg_op late;
	static struct packet packet;
	static struct note note;
	const struct timespec moment = { .tv_nsec = 1000000 };
	struct epoll_event event = { .events = EPOLLIN };
	struct kipc_sem_op sem_op;
	struct kipc_msg_op msg_op;
	struct kipc_any any[2] = { { .fd = fd, .arg = POLLIN }, { .fd = fd } };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct io_uring_sqe *sqe;
	int other, pair[2], ret;

	switch (how % 7) {
	case 0:
		return poll(&p, 1, 1) < 0 ? errno : 0;
	case 1:
		other = epoll_create1(EPOLL_CLOEXEC);
		ret = epoll_ctl(other, EPOLL_CTL_ADD, fd, &event) ||
		      epoll_wait(other, &event, 1, 1) < 0 ? errno : 0;
		close(other);
		return ret;
	case 2:
		other = eventfd(0, EFD_CLOEXEC);
		ret = kipc_handle_notify(fd, other, POLLIN) || fcntl(fd, F_SETOWN, getpid()) ||
		      fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) ? errno : 0;
		close(other);
		return ret;
	case 3:
		kipc_call_semop(&sem_op, &down, 1);
		kipc_call_message(&msg_op, &packet, NOTE, 0, MSG_NOERROR);
		any[1].call = is_sem ? KIPC_IOC_SEM_OP : KIPC_IOC_MSG_RECEIVE;
		any[1].arg = is_sem ? (uintptr_t)&sem_op : (uintptr_t)&msg_op;
		ret = kipc_wait_any(any, 2, CLOCK_MONOTONIC, 0, &moment);
		return ret < 0 ? errno : ret && any[1].result < 0 ? -any[1].result : 0;
	case 4:
		/* It stays, with what is pending, until the next time, or a death. */
		if (has_ring)
			ring_end(&ring);
		has_ring = !ring_start(&ring, 8, 0, false);
		if (!has_ring)
			return errno;
		ring_poll(&ring, fd, POLLIN, true, BY_POLL);
		ring_read(&ring, fd, &packet, sizeof(packet), BY_READ);
		sqe = ring_sqe(&ring);
		if (is_sem)
			kipc_prep_semop(sqe, fd, NULL, &down, 1);
		else
			kipc_prep_msgrcv(sqe, fd, &late, &note, NOTE, 0, 0);
		ring_add(&ring, sqe, BY_COMMAND);
		ret = io_uring_submit(&ring.io);
		return ret < 0 ? -ret : 0;
	case 5:
		/* In flight to itself. */
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			return errno;
		ret = send_fd(pair[0], fd) || send_fd(pair[0], pair[1]) ? errno : 0;
		close(pair[0]);
		close(pair[1]);
		return ret;
	default:
		ret = is_sem ? kipc_handle_semop(fd, &down, 1, CLOCK_MONOTONIC, 0, &moment) :
			       kipc_handle_msgrcv(fd, &packet, NOTE, 0, MSG_NOERROR,
						  CLOCK_MONOTONIC, 0, &moment);
		return ret < 0 ? errno : 0;
	}
}

/* By an ordinary user: what its calls may say when others have their way with the object. */
static void storm(unsigned int seed, int *strange)
{
	static const struct who user = { "user", 1000, 1000, -1, 0 };
	unsigned int state = seed, how;
	int fd, id, err;
	bool is_sem;

	signal(SIGIO, SIG_IGN);
	if (become(&user) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		*strange = errno;
	for (;;) {
		how = rand_r(&state) >> 8;
		is_sem = how & 1;
		id = storm_get(is_sem, how & 2 ? KIPC_LIFETIME_USERS : KIPC_LIFETIME_PERSISTENT,
			       IPC_CREAT | 0600);
		fd = id < 0 ? -1 : kipc_handle(is_sem ? KIPC_KIND_SEM : KIPC_KIND_MSG, id,
					       O_RDWR | O_NONBLOCK, NULL);
		if (fd < 0 && errno != EACCES && errno != EIDRM && errno != EINVAL)
			*strange = errno;
		if (fd < 0)
			continue;
		err = storm_wait(fd, is_sem, how >> 2);
		/*
		 * What the ring completes interrupts another call; and there may be more in
		 * flight than was collected.
		 */
		if (err && err != EAGAIN && err != EIDRM && err != EINTR && err != ETOOMANYREFS)
			*strange = err;
		close(fd);
	}
}

/* Mode and owner to and fro, something to take, the end. */
static void storm_change(bool is_sem, int id, unsigned int how)
{
	struct semid_ds sem = { .sem_perm = { .uid = 1000, .mode = how & 8 ? 0600 : 0 } };
	struct msqid_ds msg = { .msg_perm = sem.sem_perm, .msg_qbytes = MSGMNB };

	if (how % 8 == 0)
		remove_it(is_sem, id);
	else if (how % 8 < 4 && is_sem)
		kipc_semctl(id, 0, IPC_SET, &sem);
	else if (how % 8 < 4)
		kipc_msgctl(id, IPC_SET, &msg);
	else if (is_sem)
		semop1(&ipc_kipc, id, 0, 1, 0);
	else
		msg_send(&ipc_kipc, id, 1, 1, IPC_NOWAIT);
}

/* Somebody whose mappings, too, are gone in the end. */
static int storm_changes(void *arg)
{
	unsigned int state = *(int *)arg, how, i;

	for (i = 0; i < 300; i++) {
		how = rand_r(&state) >> 8;
		storm_change(how & 1, storm_get(how & 1, 0, 0), how >> 1);
		sched_yield();
	}
	return 0;
}

TEST_F_TIMEOUT(handle, is_in_a_storm, 300)
{
	enum { LIVES = 30, AT_ONCE = 4 };
	long refs = module_refs(), in_use[2];
	int *strange = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int life, i, status;
	pid_t pid[AT_ONCE];

	ASSERT_NE(MAP_FAILED, strange);
	in_use[0] = kipc_ids_read("sem").in_use;
	in_use[1] = kipc_ids_read("msg").in_use;
	for (life = 0; life < LIVES; life++) {
		for (i = 0; i < AT_ONCE; i++) {
			pid[i] = fork();
			ASSERT_LE(0, pid[i]);
			if (!pid[i])
				storm(life * AT_ONCE + i, strange);
		}
		EXPECT_EQ(0, in_child(storm_changes, &life));
		for (i = 0; i < AT_ONCE; i++)
			ASSERT_EQ(0, kill(pid[i], SIGKILL));
		for (i = 0; i < AT_ONCE; i++)
			ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
	}
	EXPECT_EQ(0, *strange)
		TH_LOG("%s", strerror(*strange));
	for (i = 0; i < 2; i++)
		remove_it(i, storm_get(i, 0, 0));
	wait_until((collect_sockets(), module_refs() <= refs));
	EXPECT_EQ(in_use[0], kipc_ids_read("sem").in_use);
	EXPECT_EQ(in_use[1], kipc_ids_read("msg").in_use);
	munmap(strange, 4096);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* Handles: notice by signal and by eventfd of what becomes so. */
#include "handle.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/device.h"

/* As the realtime signal of a handle: so it is queued, and told which descriptor and why. */
#define NOTICE	(SIGRTMIN + 1)

FIXTURE(notify) { int sem, msg, on_sem, on_msg, event; };

FIXTURE_SETUP(notify)
{
	struct kipc_filter seven = { .msgtyp = 7 }, one = { .sem_num = 1, .sem_op = -1 };
	sigset_t set;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->sem = kipc_semget(IPC_PRIVATE, 2, 0600);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	self->on_sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR | O_NONBLOCK, &one);
	self->on_msg = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDONLY | O_NONBLOCK, &seven);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->on_sem);
	ASSERT_LE(0, self->on_msg);
	ASSERT_LE(0, self->event);
	sigemptyset(&set);
	sigaddset(&set, NOTICE);
	sigaddset(&set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
}

FIXTURE_TEARDOWN(notify)
{
	close(self->on_sem);
	close(self->on_msg);
	close(self->event);
}

/* How often it was counted up since the last look. */
static long counted(int event)
{
	uint64_t n = 0;

	return read(event, &n, sizeof(n)) == sizeof(n) ? (long)n : errno == EAGAIN ? 0 : -1;
}

/* The next signal that is there: si_code, and of which descriptor; 0: none. */
static int signalled(int *fd)
{
	struct timespec now = { 0, 0 };
	siginfo_t info = { .si_fd = -1 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, NOTICE);
	if (sigtimedwait(&set, &info, &now) != NOTICE)
		return 0;
	*fd = info.si_fd;
	return info.si_code;
}

static int ask_for_signals(int fd, pid_t pid)
{
	return fcntl(fd, F_SETOWN, pid) || fcntl(fd, F_SETSIG, NOTICE) ||
	       fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

static int ask_for_none(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_ASYNC);
}

static int up(int id, int num)
{
	return kipc_semop(id, &(struct sembuf){ num, 1, 0 }, 1);
}

static int down(int id, int num)
{
	return kipc_semop(id, &(struct sembuf){ num, -1, IPC_NOWAIT }, 1);
}

/* ---- eventfd ---- */

TEST_F(notify, counts_what_becomes_so)
{
	struct packet packet;
	int i;

	ASSERT_EQ(0, kipc_handle_notify(self->on_msg, self->event, POLLIN));
	EXPECT_EQ(0, counted(self->event));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, send_text(self->msg, 6, "not that"));
		EXPECT_EQ(0, counted(self->event));
		EXPECT_EQ(0, send_text(self->msg, 7, "that"));
		EXPECT_EQ(1, counted(self->event));
		/* More of what is so already is nothing new. */
		EXPECT_EQ(0, send_text(self->msg, 7, "and more"));
		EXPECT_EQ(0, counted(self->event));
		EXPECT_LT(0, read_text(self->on_msg, &packet));
		EXPECT_LT(0, read_text(self->on_msg, &packet));
		EXPECT_EQ(0, counted(self->event));
	}
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, self->event, POLLIN));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, up(self->sem, 0));
		EXPECT_EQ(0, counted(self->event));
		EXPECT_EQ(0, up(self->sem, 1));
		EXPECT_EQ(1, counted(self->event));
		EXPECT_EQ(0, down(self->sem, 1));
		EXPECT_EQ(0, counted(self->event));
	}
	/* To poll in between takes nothing away, and adds nothing. */
	EXPECT_EQ(POLLOUT, ready(self->on_sem));
	EXPECT_EQ(0, up(self->sem, 1));
	EXPECT_EQ(POLLIN | POLLOUT, ready(self->on_sem));
	EXPECT_EQ(1, counted(self->event));
	EXPECT_EQ(0, down(self->sem, 1));
	EXPECT_EQ(0, up(self->sem, 1));
	EXPECT_EQ(1, counted(self->event));
}

TEST_F(notify, tells_at_once_what_is_so)
{
	int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_LE(0, other);
	EXPECT_EQ(0, up(self->sem, 1));
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, self->event, POLLIN));
	EXPECT_EQ(1, counted(self->event));
	/* Another takes its place. */
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, other, POLLIN));
	EXPECT_EQ(1, counted(other));
	EXPECT_EQ(0, down(self->sem, 1));
	EXPECT_EQ(0, up(self->sem, 1));
	EXPECT_EQ(1, counted(other));
	/* None does. */
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, -1, 0));
	EXPECT_EQ(0, down(self->sem, 1));
	EXPECT_EQ(0, up(self->sem, 1));
	EXPECT_EQ(0, counted(other));
	EXPECT_EQ(0, counted(self->event));
	/* One only waits for the end. */
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, other, 0));
	EXPECT_EQ(0, down(self->sem, 1));
	EXPECT_EQ(0, up(self->sem, 1));
	EXPECT_EQ(0, counted(other));
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(1, counted(other));
	/* It has come already. */
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, self->event, POLLIN));
	EXPECT_EQ(1, counted(self->event));
	close(other);
}

TEST_F(notify, tells_of_room)
{
	int fd = kipc_handle(KIPC_KIND_MSG, self->msg, O_WRONLY, NULL);
	struct packet packet;
	struct msqid_ds ds;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_STAT, &ds));
	ds.msg_qbytes = 5;
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_SET, &ds));
	EXPECT_EQ(0, send_text(self->msg, 7, "full"));
	ASSERT_EQ(0, kipc_handle_notify(fd, self->event, POLLOUT));
	EXPECT_EQ(0, counted(self->event));
	EXPECT_EQ(5, kipc_msgrcv(self->msg, &packet, 64, 0, 0));
	EXPECT_EQ(1, counted(self->event));
	close(fd);
}

/* What a death gives back, whoever finds it. */
TEST_F(notify, tells_of_a_death)
{
	pid_t pid;
	int i;

	ASSERT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 1));
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, self->event, POLLIN));
	EXPECT_EQ(1, counted(self->event));
	for (i = 0; i < 20; i++) {
		pid = holder(self->sem, 1);
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, counted(self->event));
		ASSERT_EQ(0, kill_child(pid));
		if (i % 2)
			EXPECT_EQ(POLLIN | POLLOUT, ready(self->on_sem));
		EXPECT_EQ(1, sem_val(&ipc_kipc, self->sem, 1));
		EXPECT_EQ(1, counted(self->event));
	}
}

TEST_F(notify, is_asked_for)
{
	int write_only = kipc_handle(KIPC_KIND_MSG, self->msg, O_WRONLY, NULL);
	int shm = kipc_handle_create(KIPC_KIND_SHM, 1, O_RDWR, 0600, NULL);
	int device = device_open();

	EXPECT_ERR(EINVAL, kipc_handle_notify(self->on_sem, self->event, POLLPRI));
	EXPECT_ERR(EINVAL, kipc_handle_notify(self->on_sem, self->event, POLLIN | POLLHUP));
	EXPECT_ERR(EINVAL, kipc_handle_notify(self->on_sem, -2, 0));
	EXPECT_ERR(EINVAL, kipc_handle_notify(self->on_sem, -1, POLLIN));
	EXPECT_ERR(EBADF, kipc_handle_notify(self->on_sem, 1000, POLLIN));
	EXPECT_ERR(EINVAL, kipc_handle_notify(self->on_sem, self->on_msg, POLLIN));
	EXPECT_ERR(EACCES, kipc_handle_notify(self->on_msg, self->event, POLLOUT));
	EXPECT_ERR(EACCES, kipc_handle_notify(write_only, self->event, POLLIN));
	EXPECT_ERR(ENOTTY, kipc_handle_notify(shm, self->event, POLLIN));
	EXPECT_ERR(ENOTTY, kipc_handle_notify(device, self->event, POLLIN));
	EXPECT_ERR(EBADF, kipc_handle_notify(-1, self->event, POLLIN));
	EXPECT_EQ(0, counted(self->event));
	/* A segment has nothing to tell. */
	EXPECT_ERR(EINVAL, fcntl(shm, F_SETFL, O_ASYNC));
	close(write_only);
	close(shm);
	close(device);
}

/* ---- Signals ---- */

TEST_F(notify, sends_signals)
{
	struct packet packet;
	int fd = -1, i;

	ASSERT_EQ(0, ask_for_signals(self->on_msg, getpid()));
	EXPECT_EQ(0, signalled(&fd));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, send_text(self->msg, 6, "not that"));
		EXPECT_EQ(0, signalled(&fd));
		EXPECT_EQ(0, send_text(self->msg, 7, "that"));
		EXPECT_EQ(POLL_IN, signalled(&fd));
		EXPECT_EQ(self->on_msg, fd);
		EXPECT_EQ(0, send_text(self->msg, 7, "and more"));
		EXPECT_EQ(0, signalled(&fd));
		EXPECT_LT(0, read_text(self->on_msg, &packet));
		EXPECT_LT(0, read_text(self->on_msg, &packet));
	}
	/* What is so already; a semaphore has room too. */
	EXPECT_EQ(0, up(self->sem, 1));
	ASSERT_EQ(0, ask_for_signals(self->on_sem, getpid()));
	EXPECT_EQ(POLL_IN, signalled(&fd));
	EXPECT_EQ(self->on_sem, fd);
	EXPECT_EQ(POLL_OUT, signalled(&fd));
	EXPECT_EQ(0, signalled(&fd));

	ASSERT_EQ(0, ask_for_none(self->on_msg));
	EXPECT_EQ(0, send_text(self->msg, 7, "that"));
	EXPECT_EQ(0, signalled(&fd));
	/* The end is told once, whatever else it is. */
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(POLL_HUP, signalled(&fd));
	EXPECT_EQ(0, signalled(&fd));
}

/*
 * Who asks for signals finds a death that makes something so: that is told once, though
 * the handle's eventfd has been waiting for it already.
 */
TEST_F(notify, tells_who_asks_of_a_death_once)
{
	int fd = -1, i;
	pid_t pid;

	ASSERT_EQ(0, go_first());
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, self->event, POLLIN));
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 1));
		EXPECT_EQ(1, counted(self->event));
		pid = holder(self->sem, 1);
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, kill_child(pid));
		ASSERT_EQ(0, ask_for_signals(self->on_sem, getpid()));
		EXPECT_EQ(POLL_IN, signalled(&fd));
		EXPECT_EQ(self->on_sem, fd);
		EXPECT_EQ(POLL_OUT, signalled(&fd));
		EXPECT_EQ(0, signalled(&fd));
		EXPECT_EQ(1, counted(self->event));
		ASSERT_EQ(0, ask_for_none(self->on_sem));
		ASSERT_EQ(0, down(self->sem, 1));
		EXPECT_EQ(0, counted(self->event));
	}
}

/* Without a signal of one's own it is SIGIO. */
TEST_F(notify, sends_sigio)
{
	struct timespec now = { 0, 0 };
	sigset_t set;

	ASSERT_EQ(0, fcntl(self->on_msg, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->on_msg, F_SETFL, O_ASYNC));
	EXPECT_EQ(0, send_text(self->msg, 7, "that"));
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	EXPECT_EQ(SIGIO, sigtimedwait(&set, NULL, &now));
}

/* A signal and an eventfd, a sleeper in poll: each is told, none in place of another. */
TEST_F(notify, tells_all)
{
	struct peer p;
	int fd = -1;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_begin(&p, sleep_in_poll, self->on_msg, POLLIN, 0, 0, 0));
	EXPECT_EQ(0, peer_asleep(&p));
	ASSERT_EQ(0, ask_for_signals(self->on_msg, getpid()));
	ASSERT_EQ(0, kipc_handle_notify(self->on_msg, self->event, POLLIN));
	EXPECT_EQ(0, send_text(self->msg, 7, "that"));
	EXPECT_EQ(POLLIN, peer_finish(&p));
	EXPECT_EQ(POLL_IN, signalled(&fd));
	EXPECT_EQ(1, counted(self->event));
	peer_end(&p, 0);
}

/* ---- Who has gone ---- */

/* Operations by system call so far: as long as somebody is to be told there is no other way. */
static long calls_of(int id)
{
	return kipc_object_read("sem", id).calls;
}

static bool goes_without_calls(int id, int times)
{
	long before = calls_of(id);

	while (times--)
		if (up(id, 1) || down(id, 1))
			return false;
	return calls_of(id) == before;
}

TEST_F(notify, costs_nobody_when_it_has_gone)
{
	int i, fd, status;
	pid_t pid;

	for (i = 0; i < 40; i++)
		ASSERT_EQ(0, up(self->sem, 1) || down(self->sem, 1));
	EXPECT_TRUE(goes_without_calls(self->sem, 20));
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, self->event, POLLIN));
	EXPECT_FALSE(goes_without_calls(self->sem, 1));
	EXPECT_EQ(1, counted(self->event));
	ASSERT_EQ(0, kipc_handle_notify(self->on_sem, -1, 0));
	EXPECT_TRUE(goes_without_calls(self->sem, 20));
	ASSERT_EQ(0, ask_for_signals(self->on_sem, getpid()));
	EXPECT_FALSE(goes_without_calls(self->sem, 1));
	ASSERT_EQ(0, ask_for_none(self->on_sem));
	EXPECT_TRUE(goes_without_calls(self->sem, 20));

	/* Closed, executed, killed. */
	fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR | O_CLOEXEC,
			 &(struct kipc_filter){ 1, -1, 0, 0 });
	ASSERT_EQ(0, kipc_handle_notify(fd, self->event, POLLIN));
	ASSERT_EQ(0, ask_for_signals(fd, getpid()));
	EXPECT_FALSE(goes_without_calls(self->sem, 1));
	close(fd);
	EXPECT_TRUE(goes_without_calls(self->sem, 20));
	for (i = 0; i < 2; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR | O_CLOEXEC,
					 &(struct kipc_filter){ 1, -1, 0, 0 });
			if (kipc_handle_notify(fd, self->event, POLLIN) ||
			    ask_for_signals(fd, getpid()))
				_exit(1);
			if (i)
				raise(SIGKILL);
			execl("/proc/self/exe", "notify", "--executed", NULL);
			_exit(2);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(i ? SIGKILL : 0, status);
		EXPECT_TRUE(goes_without_calls(self->sem, 20));
	}
}

/* ---- Many ---- */

TEST_LONG(many)
{
	enum { MANY = 2000 };
	struct rlimit files = { 2 * MANY + 100, 2 * MANY + 100 };
	int fd[MANY], event[MANY], msg, i, round, last = -1, signals;
	struct packet packet;
	sigset_t set;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	sigemptyset(&set);
	sigaddset(&set, NOTICE);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	msg = kipc_msgget(IPC_PRIVATE, 0600);
	for (i = 0; i < MANY; i++) {
		fd[i] = kipc_handle(KIPC_KIND_MSG, msg, O_RDONLY, NULL);
		event[i] = eventfd(0, EFD_NONBLOCK);
		ASSERT_LE(0, fd[i]);
		ASSERT_LE(0, event[i]);
		/* Half of them have only the one. */
		if (i % 4)
			ASSERT_EQ(0, kipc_handle_notify(fd[i], event[i], POLLIN));
		if (i % 4 != 2)
			ASSERT_EQ(0, ask_for_signals(fd[i], getpid()));
	}
	for (round = 0; round < 2; round++) {
		EXPECT_EQ(0, send_text(msg, 1, "for all"));
		for (i = 0; i < MANY; i++)
			ASSERT_EQ(!!(i % 4), counted(event[i]));
		for (signals = 0; signalled(&last) == POLL_IN; signals++)
			;
		EXPECT_EQ(MANY * 3 / 4, signals);
		EXPECT_EQ(8, kipc_msgrcv(msg, &packet, 64, 0, 0));
	}
	/* One after the other goes; the rest is told. */
	for (i = 0; i < MANY; i += 2)
		close(fd[i]);
	EXPECT_EQ(0, kipc_msgctl(msg, IPC_RMID, NULL));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(i % 2, counted(event[i]));
	for (signals = 0; signalled(&last) == POLL_HUP; signals++)
		;
	EXPECT_EQ(MANY / 2, signals);
	for (i = 0; i < MANY; i++) {
		if (i % 2)
			close(fd[i]);
		close(event[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--executed"))
		return 0;
	return test_harness_run(argc, argv);
}

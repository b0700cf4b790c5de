// SPDX-License-Identifier: GPL-2.0
/* mq_notify(3). */
#include "common/harness.h"
#include "posix/queue.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>

POSIX_FIXTURE(mq);
KIPC_FIXTURE(extension);

/* Of a peer. */
static long do_notify(long *arg, void *buf)
{
	struct sigevent event = { .sigev_notify = arg[2], .sigev_signo = arg[3] };

	(void)buf;
	return ((const struct posix *)arg[0])->mq_notify(arg[1], arg[2] < 0 ? NULL : &event);
}

/* Blocked, so that it stays to be looked at. */
static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Which of them has come: taken away.  Return: 0: none. */
static int pending(int sig, siginfo_t *info)
{
	struct timespec now = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigtimedwait(&set, info, &now) == sig;
}

TEST_F(mq, notify_by_signal)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN,
		.sigev_value.sival_ptr = (void *)0x123456789abcull,
	};
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/g", O_RDWR, 4);
	struct peer *p = self->p;
	siginfo_t info;
	int its;

	ASSERT_LE(0, q);
	block(SIGRTMIN);
	its = peer_open(&p[0], posix, "/g", O_RDWR, 0, 0, 0);
	ASSERT_LE(0, its);
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_ERR(EBUSY, posix->mq_notify(q, &event));
	EXPECT_ERR(EBUSY, peer_run(&p[0], do_notify, (long)posix, its, SIGEV_NONE, 0, 0));
	/* Another's is not taken back. */
	EXPECT_EQ(0, peer_run(&p[0], do_notify, (long)posix, its, -1, 0, 0));
	EXPECT_EQ(0, pending(SIGRTMIN, &info));
	EXPECT_EQ(0, peer_run(&p[0], do_put, (long)posix, its, 1, 0, 0));
	EXPECT_EQ(1, pending(SIGRTMIN, &info));
	EXPECT_EQ(SI_MESGQ, info.si_code);
	EXPECT_EQ(p[0].pid, info.si_pid);
	EXPECT_EQ(0, info.si_uid);
	EXPECT_EQ((void *)0x123456789abcull, info.si_value.sival_ptr);

	/* Once; and not of what comes while there is something. */
	EXPECT_EQ(0, put(posix, q, 2, 0));
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_EQ(0, put(posix, q, 3, 0));
	EXPECT_EQ(0, pending(SIGRTMIN, &info));
	EXPECT_EQ(1, take(posix, q));
	EXPECT_EQ(2, take(posix, q));
	EXPECT_EQ(3, take(posix, q));
	/* Nor when somebody waits, who gets it. */
	ASSERT_EQ(0, peer_taking(&p[0], posix, its));
	EXPECT_EQ(0, put(posix, q, 4, 0));
	EXPECT_EQ(4, peer_finish(&p[0]));
	EXPECT_EQ(0, pending(SIGRTMIN, &info));
	EXPECT_EQ(0, put(posix, q, 5, 0));
	EXPECT_EQ(1, pending(SIGRTMIN, &info));
	EXPECT_EQ(getpid(), info.si_pid);
	EXPECT_EQ(5, take(posix, q));

	/* Taken back. */
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_EQ(0, posix->mq_notify(q, NULL));
	EXPECT_EQ(0, posix->mq_notify(q, NULL));
	EXPECT_EQ(0, put(posix, q, 6, 0));
	EXPECT_EQ(0, pending(SIGRTMIN, &info));
	EXPECT_EQ(6, take(posix, q));
	/* What is no signal, and none. */
	event.sigev_signo = 65;
	EXPECT_ERR(EINVAL, posix->mq_notify(q, &event));
	event.sigev_signo = -1;
	EXPECT_ERR(EINVAL, posix->mq_notify(q, &event));
	event.sigev_signo = 0;
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_EQ(0, put(posix, q, 7, 0));
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	event.sigev_notify = 77;
	EXPECT_ERR(EINVAL, posix->mq_notify(q, &event));
	EXPECT_EQ(0, posix->mq_unlink("/g"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* Who sends is told as the process that is told sees it. */
TEST_F(mq, notify_tells_the_user)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct posix *posix = variant->posix;
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 4 };
	struct peer *p = self->p;
	siginfo_t info;
	mqd_t q;
	int its;

	umask(0);
	q = posix->mq_open("/u", O_CREAT | O_RDWR, 0666, &attr);
	ASSERT_LE(0, q);
	block(SIGUSR1);
	ASSERT_EQ(0, peer_become(&p[0], &bob));
	its = peer_open(&p[0], posix, "/u", O_WRONLY, 0, 0, 0);
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	/* It needs no right to send signals. */
	EXPECT_EQ(0, peer_run(&p[0], do_put, (long)posix, its, 1, 0, 0));
	EXPECT_EQ(1, pending(SIGUSR1, &info));
	EXPECT_EQ(BOB, info.si_uid);
	EXPECT_EQ(p[0].pid, info.si_pid);
	EXPECT_EQ(0, posix->mq_unlink("/u"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* None is told, but it is taken; who closes it, or ends, does not stand in the way. */
TEST_F(mq, notify_ends)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/h", O_RDWR, 2);
	struct peer *p = self->p;
	int its[2], again, fd;

	ASSERT_LE(0, q);
	its[0] = peer_open(&p[0], posix, "/h", O_RDWR, 0, 0, 0);
	again = peer_open(&p[0], posix, "/h", O_RDWR, 0, 0, 0);
	its[1] = peer_open(&p[1], posix, "/h", O_RDWR, 0, 0, 0);
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_ERR(EBUSY, posix->mq_notify(q, &event));
	EXPECT_EQ(0, put(posix, q, 1, 0));
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	/* Another descriptor of it, closed by who asked, ends it; another's does not. */
	EXPECT_EQ(0, peer_run(&p[0], do_close, (long)posix, again, 0, 0, 0));
	EXPECT_ERR(EBUSY, posix->mq_notify(q, &event));
	fd = dup(q);
	close(fd);
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_EQ(0, posix->mq_notify(q, NULL));

	EXPECT_EQ(0, peer_run(&p[0], do_notify, (long)posix, its[0], SIGEV_SIGNAL, SIGUSR1, 0));
	EXPECT_ERR(EBUSY, posix->mq_notify(q, &event));
	EXPECT_EQ(0, peer_run(&p[0], do_close, (long)posix, its[0], 0, 0, 0));
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_EQ(0, posix->mq_notify(q, NULL));
	EXPECT_EQ(0, peer_run(&p[1], do_notify, (long)posix, its[1], SIGEV_SIGNAL, SIGUSR1, 0));
	EXPECT_ERR(EBUSY, posix->mq_notify(q, &event));
	peer_end(&p[1], SIGKILL);
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_EQ(0, posix->mq_unlink("/h"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* In a process of threads one that takes the signal does. */
struct signal_waiter {
	pid_t tid;
	siginfo_t info;
};

static void *wait_for_signal(void *arg)
{
	struct signal_waiter *waiter = arg;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	__atomic_store_n(&waiter->tid, gettid(), __ATOMIC_SEQ_CST);
	return (void *)(long)sigwaitinfo(&set, &waiter->info);
}

TEST_F(mq, notify_a_thread_that_waits)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 9,
	};
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/w", O_RDWR, 2);
	struct signal_waiter waiter = { 0 };
	pthread_t thread;
	void *ret;

	ASSERT_LE(0, q);
	block(SIGUSR1);
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_signal, &waiter));
	wait_until(__atomic_load_n(&waiter.tid, __ATOMIC_SEQ_CST));
	wait_until(task_asleep(waiter.tid));
	EXPECT_EQ(0, put(posix, q, 1, 0));
	pthread_join(thread, &ret);
	EXPECT_EQ(SIGUSR1, (long)ret);
	EXPECT_EQ(9, waiter.info.si_value.sival_int);
	EXPECT_EQ(0, posix->mq_unlink("/w"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* The first thread has ended, and who asked has: who is left gets it once it looks. */
static struct {
	const struct posix *posix;
	mqd_t q;
} left;

static void *ask_and_end(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };

	(void)arg;
	return (void *)(long)left.posix->mq_notify(left.q, &event);
}

static void *be_left(void *arg)
{
	siginfo_t info;

	(void)arg;
	wait_until(task_state(getpid()) == 'Z');
	_exit(put(left.posix, left.q, 1, 0) || !pending(SIGUSR1, &info));
}

static int leave_a_thread(void *arg)
{
	pthread_t thread;
	void *ret = arg;

	block(SIGUSR1);
	if (pthread_create(&thread, NULL, ask_and_end, NULL) || pthread_join(thread, &ret) || ret ||
	    pthread_create(&thread, NULL, be_left, NULL))
		return 2;
	pthread_exit(NULL);
}

TEST_F(mq, notify_the_last_thread)
{
	left.posix = variant->posix;
	left.q = open_numbers(left.posix, "/l", O_RDWR, 2);
	ASSERT_LE(0, left.q);
	EXPECT_EQ(0, in_child(leave_a_thread, NULL));
	EXPECT_EQ(0, left.posix->mq_unlink("/l"));
	EXPECT_EQ(0, left.posix->mq_close(left.q));
}

static struct {
	const struct posix *posix;
	mqd_t q;
	int value;
	bool again, masked;
	size_t stack;
	unsigned int calls;
} told;

static void tell(union sigval value)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell,
		.sigev_value.sival_int = value.sival_int + 1,
	};
	pthread_attr_t attr;
	sigset_t mask;

	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstacksize(&attr, &told.stack);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	told.masked = sigismember(&mask, SIGTERM);
	told.value = value.sival_int;
	if (told.again)
		told.posix->mq_notify(told.q, &event);
	__atomic_fetch_add(&told.calls, 1, __ATOMIC_SEQ_CST);
}

#define calls() __atomic_load_n(&told.calls, __ATOMIC_SEQ_CST)

TEST_F(mq, notify_by_thread)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tell,
		.sigev_value.sival_int = 5,
	};
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/v", O_RDWR, 4);
	pthread_attr_t attr;
	int i;

	ASSERT_LE(0, q);
	told.posix = posix;
	told.q = q;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 20);
	event.sigev_notify_attributes = &attr;
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_ERR(EBUSY, posix->mq_notify(q, &event));
	EXPECT_EQ(0, calls());
	EXPECT_EQ(0, put(posix, q, 1, 0));
	wait_until(calls() == 1);
	EXPECT_EQ(5, told.value);
	EXPECT_EQ(1 << 20, told.stack);
	EXPECT_EQ(0, told.masked);
	EXPECT_EQ(1, take(posix, q));

	/* As it is done: the function asks again. */
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	told.again = true;
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, put(posix, q, 1, 0));
		wait_until(calls() == 2u + i);
		EXPECT_EQ(5 + i, told.value);
		EXPECT_EQ(1, take(posix, q));
	}
	/* Taken back it is not called, and another may be. */
	EXPECT_EQ(0, posix->mq_notify(q, NULL));
	EXPECT_EQ(0, put(posix, q, 1, 0));
	EXPECT_EQ(1, take(posix, q));
	event.sigev_value.sival_int = 100;
	event.sigev_notify_attributes = NULL;
	told.again = false;
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	EXPECT_EQ(0, put(posix, q, 1, 0));
	wait_until(calls() == 22);
	EXPECT_EQ(100, told.value);
	pthread_attr_destroy(&attr);
	EXPECT_EQ(0, posix->mq_unlink("/v"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* ---- What kipc adds ---- */

/* A notice by a descriptor: read once, at its end when there is none to come. */
TEST_F(extension, notice_descriptor)
{
	struct kipc_mq_notify notify = { .how = KIPC_MQ_NOTIFY_FD };
	mqd_t q = open_numbers(&posix_kipc, "/o", O_RDWR, 2);
	struct pollfd ready = { .events = POLLIN };
	uint64_t count = 77;
	int fd;

	ASSERT_LE(0, q);
	fd = ioctl(q, KIPC_IOC_MQ_NOTIFY, &notify);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_ERR(EBUSY, ioctl(q, KIPC_IOC_MQ_NOTIFY, &notify));
	ready.fd = fd;
	EXPECT_EQ(0, poll(&ready, 1, 0));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	EXPECT_ERR(EAGAIN, read(fd, &count, sizeof(count)));
	EXPECT_ERR(EINVAL, read(fd, &count, 7));
	EXPECT_ERR(EBADF, write(fd, &count, sizeof(count)));
	EXPECT_EQ(0, put(&posix_kipc, q, 1, 0));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN, ready.revents);
	/* It is not lost to who cannot take it. */
	EXPECT_ERR(EFAULT, read(fd, bad_address(0), sizeof(count)));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN, ready.revents);
	EXPECT_EQ(8, read(fd, &count, sizeof(count)));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0, read(fd, &count, sizeof(count)));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN | POLLHUP, ready.revents);
	close(fd);
	EXPECT_EQ(1, take(&posix_kipc, q));

	/* Closed, it stands in nobody's way but until a message has come. */
	fd = ioctl(q, KIPC_IOC_MQ_NOTIFY, &notify);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, put(&posix_kipc, q, 1, 0));
	fd = ioctl(q, KIPC_IOC_MQ_NOTIFY, &notify);
	ASSERT_LE(0, fd);
	/* The queue's end is its end. */
	EXPECT_EQ(0, kipc_mq_unlink("/o"));
	EXPECT_EQ(0, kipc_mq_close(q));
	EXPECT_EQ(0, read(fd, &count, sizeof(count)));
	close(fd);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* semop(2) where it sleeps: what ends the sleep but an operation. */
#include "sem/block.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- Signals ---- */

static void handler(int sig)
{
	(void)sig;
}

static long do_catch(long *arg, void *buf)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = arg[1] };

	(void)buf;
	if (arg[1] == -1)
		return signal(arg[0], SIG_IGN) == SIG_ERR ? -1 : 0;
	return sigaction(arg[0], &sa, NULL);
}

/* With SA_RESTART or without: never restarted, and never in part. */
TEST_F(block, interrupted)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_run(&p[i], do_catch, SIGUSR1, i % 2 ? SA_RESTART : 0, 0, 0, 0));
	ASSERT_EQ(0, sem_setval(ipc, id, 2, 1));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, SEM_UNDO));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[2], ipc, id, 2, 0, 0));
	ASSERT_EQ(0, peer_block(&p[3], ipc, id, SOPS({ 1, 2, 0 }, { 0, -1, 0 })));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, kill(p[i].pid, SIGUSR1));
		EXPECT_ERR(EINTR, peer_woken(&p[i]));
	}
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_SEM(2, 1, 0, 0);
	EXPECT_EQ(0, sem_pid(ipc, id, 0));
	/* What comes now is for nobody who has left. */
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_SEM(0, 1, 0, 0);
	peer_end(&p[0], 0);
	EXPECT_SEM(0, 1, 0, 0);
}

/* The time-out makes no difference to a signal. */
TEST_F(block, interrupted_with_timeout)
{
	const struct ipc *ipc = variant->ipc;
	static const struct timespec hour = { .tv_sec = 3600 };
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_run(&p[0], do_catch, SIGUSR1, SA_RESTART, 0, 0, 0));
	ASSERT_EQ(0, peer_block_timed(&p[0], ipc, id, SOPS({ 0, -1, 0 }), &hour));
	ASSERT_EQ(0, kill(p[0].pid, SIGUSR1));
	EXPECT_ERR(EINTR, peer_woken(&p[0]));
	EXPECT_SEM(0, 0, 0, 0);
}

static long do_block_signal(long *arg, void *buf)
{
	sigset_t set;

	(void)buf;
	sigemptyset(&set);
	sigaddset(&set, arg[0]);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Signals that are ignored, blocked, or nothing by default. */
TEST_F(block, not_interrupted)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_run(&p[0], do_catch, SIGUSR1, -1, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&p[0], do_catch, SIGUSR2, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&p[0], do_block_signal, SIGUSR2, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	EXPECT_EQ(0, kill(p[0].pid, SIGUSR1));
	EXPECT_EQ(0, kill(p[0].pid, SIGUSR2));
	EXPECT_EQ(0, kill(p[0].pid, SIGCHLD));
	EXPECT_EQ(0, kill(p[0].pid, SIGWINCH));
	EXPECT_EQ(0, kill(p[0].pid, SIGCONT));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[0]);
}

/* A signal and its turn at once: it has operated or it was interrupted, not both. */
TEST_F(block, signal_and_turn)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i, done = 0;

	ASSERT_EQ(0, peer_run(&p[0], do_catch, SIGUSR1, 0, 0, 0, 0));
	for (i = 0; i < 200; i++) {
		long ret;

		ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
		if (i % 2) {
			kill(p[0].pid, SIGUSR1);
			ASSERT_EQ(0, semop1(ipc, id, 0, 1, 0));
		} else {
			ASSERT_EQ(0, semop1(ipc, id, 0, 1, 0));
			kill(p[0].pid, SIGUSR1);
		}
		ret = peer_woken(&p[0]);
		if (ret) {
			ASSERT_EQ(EINTR, errno);
		} else {
			done++;
		}
		ASSERT_EQ(ret ? 1 : 0, sem_val(ipc, id, 0));
		/* Whoever had its turn before the signal has it still. */
		if (!(i % 2)) {
			ASSERT_EQ(0, ret);
		}
		ASSERT_EQ(0, sem_setval(ipc, id, 0, 0));
	}
	EXPECT_LE(100, done);
}

/* A stopped process does not wait: interrupted, its place is lost, and so it learns. */
TEST_F(block, stopped)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, status;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, kill(p[0].pid, SIGSTOP));
	ASSERT_EQ(p[0].pid, waitpid(p[0].pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[1]);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_SEM(0, 1, 0, 0);
	ASSERT_EQ(0, kill(p[0].pid, SIGCONT));
	EXPECT_ERR(EINTR, peer_finish(&p[0]));
	EXPECT_SEM(0, 1, 0, 0);
}

/* Killed in its sleep: gone from the queue when wait() tells, and nothing taken. */
TEST_F(block, killed)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 1, 1, SEM_UNDO }, { 0, -1, SEM_UNDO })));
	ASSERT_EQ(0, peer_block1(&p[2], ipc, id, 0, -1, 0));
	EXPECT_SEM(0, 0, 3, 0);
	EXPECT_EQ(SIGKILL, peer_end(&p[0], SIGKILL));
	EXPECT_EQ(SIGKILL, peer_end(&p[1], SIGKILL));
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[2]);
	EXPECT_SEM(0, 0, 0, 0);
}

/* ---- Removal and permission ---- */

TEST_F(block, removed)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 1, 0, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 0, -1, 0 }, { 1, -1, 0 })));
	ASSERT_EQ(0, peer_block(&p[3], ipc, id, SOPS({ 1, 0, 0 }, { 2, 0, 0 })));
	ASSERT_EQ(0, peer_block1(&p[4], ipc, id, 0, -1, SEM_UNDO));
	ASSERT_EQ(0, peer_block(&p[5], ipc, id, SOPS({ 2, 1, SEM_UNDO }, { 0, -1, SEM_UNDO })));
	EXPECT_EQ(0, sem_rmid(ipc, id));
	for (i = 0; i < 6; i++)
		EXPECT_ERR(EIDRM, peer_woken(&p[i]));
	EXPECT_ERR(EINVAL, sem_val(ipc, id, 0));
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
	/* Another set, even under the same id, is none of theirs. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", id));
	ASSERT_EQ(id, ipc->semget(IPC_PRIVATE, 4, 0600));
	for (i = 0; i < 6; i++)
		peer_end(&p[i], i % 2 ? SIGKILL : 0);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(2, 0, 0, 0);
}

/* By one of those who wait themselves: a thread of its own process, say. */
static void *remove_set(void *arg)
{
	long *a = arg;

	wait_asleep(a[2]);
	wait_until(sem_ncnt((const struct ipc *)a[0], a[1], 0) == 1);
	return (void *)(long)sem_rmid((const struct ipc *)a[0], a[1]);
}

TEST_F(block, removed_by_a_thread)
{
	const struct ipc *ipc = variant->ipc;
	long arg[3] = { (long)ipc, self->id, getpid() };
	pthread_t t;
	void *ret;

	ASSERT_EQ(0, pthread_create(&t, NULL, remove_set, arg));
	EXPECT_ERR(EIDRM, semop1(ipc, self->id, 0, -1, SEM_UNDO));
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(NULL, ret);
}

/* Rights are asked for when the call begins; who sleeps keeps them. */
TEST_F(block, permission_changed)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct peer *p = self->p;
	struct semid_ds ds;
	int id = self->id;

	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	ds.sem_perm.mode = 0666;
	ASSERT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_become(&p[0], &user));
	ASSERT_EQ(0, peer_become(&p[1], &user));
	ASSERT_EQ(0, peer_become(&p[2], &user));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, SEM_UNDO));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 1, 0, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 2, 1, 0 }, { 0, -1, 0 })));
	ds.sem_perm.mode = 0;
	ASSERT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_ASLEEP(&p[1]);
	EXPECT_ASLEEP(&p[2]);
	EXPECT_EQ(0, semop1(ipc, id, 0, 2, 0));
	EXPECT_EQ(0, semop1(ipc, id, 1, -1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_WOKEN(&p[2]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(2, 1, 0, 0);
	EXPECT_ERR(EACCES, peer_semop1(&p[0], ipc, id, 0, 1, 0));
	/* And its undo value is applied all the same. */
	peer_end(&p[0], SIGKILL);
	EXPECT_SEM(0, 1, 0, 0);
}

/* ---- Time-outs ---- */

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

TEST_F(block, timeout)
{
	const struct ipc *ipc = variant->ipc;
	static const struct timespec none = {}, tiny = { .tv_nsec = 1 },
				     some = { .tv_nsec = 50000000 };
	struct timespec start;
	struct semid_ds ds;
	int id = self->id;

	EXPECT_ERR(EAGAIN, ipc->semtimedop(id, SOPS({ 0, -1, 0 }), &none));
	EXPECT_ERR(EAGAIN, ipc->semtimedop(id, SOPS({ 0, -1, 0 }), &tiny));
	clock_gettime(CLOCK_MONOTONIC, &start);
	EXPECT_ERR(EAGAIN, ipc->semtimedop(id, SOPS({ 0, -1, 0 }), &some));
	/* Not before its time. */
	EXPECT_LE(50, elapsed_ms(&start));
	EXPECT_ERR(EAGAIN, ipc->semtimedop(id, SOPS({ 1, 1, 0 }, { 0, -1, 0 }), &some));
	ASSERT_EQ(0, sem_setval(ipc, id, 2, 1));
	EXPECT_ERR(EAGAIN, ipc->semtimedop(id, SOPS({ 2, 0, SEM_UNDO }), &some));
	EXPECT_ERR(EAGAIN, ipc->semtimedop(id, SOPS({ 2, 0, NW }), &some));
	/* Gone from the queues, with nothing done. */
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_SEM(2, 1, 0, 0);
	EXPECT_EQ(0, sem_pid(ipc, id, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, ds.sem_otime);
	/* What can go on does, with any time. */
	EXPECT_EQ(0, ipc->semtimedop(id, SOPS({ 2, -1, 0 }), &none));
	EXPECT_EQ(0, ipc->semtimedop(id, SOPS({ 2, 1, 0 }), NULL));
	EXPECT_ERR(EAGAIN, ipc->semtimedop(id, SOPS({ 2, 0, NW }), NULL));
}

TEST_F(block, timeout_invalid)
{
	const struct ipc *ipc = variant->ipc;
	static const struct timespec bad[] = {
		{ -1, 0 }, { 0, -1 }, { 0, 1000000000 }, { 1, LONG_MAX }, { LONG_MIN, 0 },
		{ 5, LONG_MIN }, { -1, 999999999 },
	};
	static void *const nowhere[] = { (void *)1, (void *)0xffff888000000000ul,
					 (void *)(ULONG_MAX - 8) };
	struct timespec *half;
	int id = self->id;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* Even for what need not wait. */
		EXPECT_ERR(EINVAL, ipc->semtimedop(id, SOPS({ 0, 1, 0 }), &bad[i]));
		EXPECT_ERR(EINVAL, ipc->semtimedop(id, SOPS({ 0, -1, 0 }), &bad[i]));
		EXPECT_ERR(EINVAL, ipc->semtimedop(id, SOPS({ 0, -1, NW }), &bad[i]));
		EXPECT_ERR(EINVAL, ipc->semtimedop(id, SOPS({ 9, -1, 0 }), &bad[i]));
	}
	for (i = 0; i < ARRAY_SIZE(nowhere); i++)
		EXPECT_ERR(EFAULT, ipc->semtimedop(id, SOPS({ 0, 1, 0 }), nowhere[i]));
	half = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, half);
	ASSERT_EQ(0, mprotect((char *)half + PAGE, PAGE, PROT_NONE));
	half = (struct timespec *)((char *)half + PAGE - 8);
	half->tv_sec = 1;
	EXPECT_ERR(EFAULT, ipc->semtimedop(id, SOPS({ 0, 1, 0 }), half));
	EXPECT_SEM(0, 0, 0, 0);
}

/* Woken in time, and times so long that they never end. */
TEST_F(block, timeout_in_time)
{
	const struct ipc *ipc = variant->ipc;
	static const struct timespec longs[] = {
		{ 3600, 0 }, { INT_MAX, 999999999 }, { 1ul << 40, 0 }, { LONG_MAX / 1000000000, 1 },
		{ LONG_MAX, 999999999 }, { LONG_MAX, 0 },
	};
	struct peer *p = self->p;
	int id = self->id;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(longs); i++) {
		ASSERT_EQ(0, peer_block_timed(&p[i], ipc, id, SOPS({ 0, -1, 0 }), &longs[i]))
			TH_LOG("%ld s", longs[i].tv_sec);
		EXPECT_EQ((int)i + 1, sem_ncnt(ipc, id, 0));
	}
	for (i = 0; i < ARRAY_SIZE(longs); i++) {
		EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
		EXPECT_WOKEN(&p[i]);
	}
	EXPECT_SEM(0, 0, 0, 0);
}

/*
 * One in the middle of the queue gives up; the others neither wake nor lose their places.
 * Those behind it must have come before: another one each time it was too early, for longer.
 */
TEST_F(block, timeout_in_the_queue)
{
	const struct ipc *ipc = variant->ipc;
	struct timespec some = { .tv_nsec = 500000000 };
	const struct sembuf both[] = { { 0, -1, 0 }, { 1, -1, 0 } };
	struct peer *p = self->p, *early = &p[7];
	int id = self->id, last = 0, waiting, i;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	do {
		ASSERT_GT(6, last);
		/* It may have given up already. */
		peer_block_timed(early, ipc, id, both, 2, &some);
		ASSERT_EQ(0, peer_block1(&p[++last], ipc, id, 0, -1, 0));
		waiting = sem_ncnt(ipc, id, 0);
		EXPECT_ERR(EAGAIN, peer_finish(early));
		some.tv_sec = 2 * some.tv_sec + 1;
	} while (waiting < last + 2);
	EXPECT_SEM(0, 0, last + 1, 0);
	for (i = 0; i <= last; i++) {
		EXPECT_ASLEEP(&p[i]);
		EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
		EXPECT_WOKEN(&p[i]);
	}
	EXPECT_SEM(0, 0, 0, 0);
}

/* Its turn and the end of its time at once: it has operated, or it has not. */
TEST_F(block, timeout_and_turn)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	unsigned int seed = 33;
	int id = self->id, i;

	for (i = 0; i < 200; i++) {
		struct timespec t = { .tv_nsec = 1 + rand_r(&seed) % 4000000 };
		long ret;

		if (!peer_block_timed(&p[0], ipc, id, SOPS({ 0, -1, 0 }), &t)) {
			unsigned int spin = rand_r(&seed) % 200000;

			while (spin--)
				asm volatile("");
		}
		ASSERT_EQ(0, semop1(ipc, id, 0, 1, 0));
		ret = peer_finish(&p[0]);
		if (ret) {
			ASSERT_EQ(EAGAIN, errno);
		}
		ASSERT_EQ(ret ? 1 : 0, sem_val(ipc, id, 0));
		ASSERT_EQ(0, sem_setval(ipc, id, 0, 0));
	}
}

/* ---- Threads of one process ---- */

struct sleeper {
	const struct ipc *ipc;
	int id, num, op, ret, err;
	volatile pid_t tid;
	pthread_t t;
};

static void *sleep_in_semop(void *arg)
{
	struct sleeper *s = arg;

	s->tid = syscall(SYS_gettid);
	s->ret = semop1(s->ipc, s->id, s->num, s->op, 0);
	s->err = errno;
	return NULL;
}

TEST_F(block, threads)
{
	enum { N = 50 };
	const struct ipc *ipc = variant->ipc;
	struct sleeper s[N];
	int id = self->id, i;

	for (i = 0; i < N; i++) {
		s[i] = (struct sleeper){ ipc, id, 0, -1, -2, 0, 0, 0 };
		ASSERT_EQ(0, pthread_create(&s[i].t, NULL, sleep_in_semop, &s[i]));
		wait_until(sem_ncnt(ipc, id, 0) == i + 1);
	}
	/* In their order, one by one. */
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, semop1(ipc, id, 0, 1, 0));
		ASSERT_EQ(0, pthread_join(s[i].t, NULL));
		EXPECT_EQ(0, s[i].ret);
		EXPECT_SEM(0, 0, N - 1 - i, 0);
	}
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
}

/* Many of them, all woken by one call; and all by the removal. */
TEST_F_TIMEOUT(block, crowd, 200)
{
	enum { N = 1000 };
	const struct ipc *ipc = variant->ipc;
	struct sleeper *s = calloc(N, sizeof(*s));
	int id = self->id, i, round;
	pthread_attr_t attr;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, 65536));
	for (round = 0; round < 2; round++) {
		for (i = 0; i < N; i++) {
			s[i] = (struct sleeper){ ipc, id, i % 3, i % 3 == 2 ? 0 : -1, -2, 0, 0, 0 };
			if (!i) {
				ASSERT_EQ(0, sem_setval(ipc, id, 2, 1));
			}
			ASSERT_EQ(0, pthread_create(&s[i].t, &attr, sleep_in_semop, &s[i]));
		}
		wait_until(sem_ncnt(ipc, id, 0) + sem_ncnt(ipc, id, 1) + sem_zcnt(ipc, id, 2) == N);
		if (!round) {
			ASSERT_EQ(0, ipc->semop(id, SOPS({ 0, N, 0 }, { 1, N, 0 }, { 2, -1, 0 })));
			EXPECT_SEM(0, N - (N + 2) / 3, 0, 0);
			EXPECT_SEM(1, N - (N + 1) / 3, 0, 0);
			EXPECT_SEM(2, 0, 0, 0);
			ASSERT_EQ(0, sem_setval(ipc, id, 0, 0));
			ASSERT_EQ(0, sem_setval(ipc, id, 1, 0));
		} else {
			ASSERT_EQ(0, sem_rmid(ipc, id));
		}
		for (i = 0; i < N; i++) {
			ASSERT_EQ(0, pthread_join(s[i].t, NULL));
			ASSERT_EQ(round ? -1 : 0, s[i].ret);
			if (round) {
				ASSERT_EQ(EIDRM, s[i].err);
			}
		}
	}
	free(s);
}

/* The dead leader of a process: its threads go on waiting, and are served. */
static void *outlive_leader(void *arg)
{
	struct sleeper *s = arg;

	sleep_in_semop(s);
	_exit(s->ret ? 1 : 0);
}

TEST_F(block, leader_gone)
{
	const struct ipc *ipc = variant->ipc;
	int id = self->id, status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		static struct sleeper s;

		s = (struct sleeper){ ipc, id, 0, -1, -2, 0, 0, 0 };
		pthread_create(&s.t, NULL, outlive_leader, &s);
		syscall(SYS_exit, 0);
	}
	wait_until(sem_ncnt(ipc, id, 0) == 1);
	wait_until(task_state(pid) == 'Z');
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_EQ(pid, sem_pid(ipc, id, 0));
}

/* sem_otime of a sleeper's operation is that of its turn. */
TEST_F(block, otime_is_of_the_turn)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct semid_ds ds;
	int id = self->id;
	time_t start;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, ds.sem_otime);
	wait_until(stamp_now() > ds.sem_ctime);
	start = stamp_now();
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 1));
	EXPECT_WOKEN(&p[0]);
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_otime);
	EXPECT_LE(start, ds.sem_ctime);
}

TEST_HARNESS_MAIN

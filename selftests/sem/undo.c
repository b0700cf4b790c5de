// SPDX-License-Identifier: GPL-2.0
/*
 * SEM_UNDO: what a process has done to a semaphore is taken back when it ends, however
 * it ends, and is seen to be by whoever has waited for it.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO

IPC_FIXTURE(undo)

#define EXPECT_VALUES(_ipc, _id, ...) do { \
	static const int __want[] = { __VA_ARGS__ }; \
	for (unsigned int __i = 0; __i < ARRAY_SIZE(__want); __i++) { \
		EXPECT_EQ(__want[__i], sem_val(_ipc, _id, __i)) \
			TH_LOG("semaphore %u", __i); \
	} \
} while (0)

/* ---- What is undone ---- */

TEST_F(undo, at_exit)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10, 10, 10), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, 5, UNDO));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 2, -2, UNDO }, { 3, -2, 0 }, { 2, 1, UNDO })));
	EXPECT_VALUES(ipc, id, 6, 15, 9, 8);
	EXPECT_EQ(0, peer_end(&p, 0));
	EXPECT_VALUES(ipc, id, 9, 10, 10, 8);
}

/* A window between the end that wait() tells of and the undoing would show some time. */
TEST_F(undo, before_wait_returns)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(3), 0600), i, status;

	ASSERT_LE(0, id);
	for (i = 0; i < 300; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid) {
			if (semop1(ipc, id, 0, -2, UNDO))
				_exit(1);
			if (i % 3)
				raise(i % 3 == 1 ? SIGKILL : SIGTERM);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(i % 3 == 0 ? 0 : i % 3 == 1 ? SIGKILL : SIGTERM, status);
		ASSERT_EQ(3, sem_val(ipc, id, 0));
		ASSERT_EQ(0, semop1(ipc, id, 0, -3, NW));
		ASSERT_EQ(0, semop1(ipc, id, 0, 3, NW));
	}
}

/* Seen by waitid() that leaves the zombie, and by a pidfd's poll in another process, too. */
TEST_F(undo, before_it_is_reaped)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(3), 0600), i;
	siginfo_t info;
	struct peer p;

	ASSERT_LE(0, id);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
		ASSERT_EQ(0, kill(p.pid, SIGKILL));
		ASSERT_EQ(0, waitid(P_PID, p.pid, &info, WEXITED | WNOWAIT));
		ASSERT_EQ(3, sem_val(ipc, id, 0));
		peer_end(&p, SIGKILL);
		ASSERT_EQ(3, sem_val(ipc, id, 0));
	}
}

/* An array that fails leaves the undo values as they were. */
TEST_F(undo, failed_array)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 0, SEMVMX), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_ERR(EAGAIN, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 1, -1, NW | UNDO })));
	EXPECT_ERR(ERANGE, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 2, 1, UNDO })));
	EXPECT_ERR(EAGAIN, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 0, 1, UNDO },
							{ 0, 0, NW })));
	EXPECT_ERR(EFBIG, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 3, 1, UNDO })));
	EXPECT_VALUES(ipc, id, 9, 0, SEMVMX);
	peer_end(&p, SIGKILL);
	EXPECT_VALUES(ipc, id, 10, 0, SEMVMX);
}

/* What a sleeper has not yet done is not undone; what it did before is. */
TEST_F(undo, asleep)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(5, 0), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -4, UNDO));
	ASSERT_EQ(0, peer_block(&p, ipc, id, SOPS({ 0, -1, UNDO }, { 1, -1, UNDO })));
	peer_end(&p, SIGKILL);
	EXPECT_VALUES(ipc, id, 5, 0);
	/* Done by hand-over: undone like any other. */
	ASSERT_EQ(0, peer_block(&q, ipc, id, SOPS({ 0, -2, UNDO }, { 1, -1, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_VALUES(ipc, id, 3, 0);
	EXPECT_EQ(0, peer_woken(&q));
	peer_end(&q, SIGKILL);
	EXPECT_VALUES(ipc, id, 5, 1);
}

/* The hand-over and the kill at once: before its first step in user space. */
TEST_F(undo, killed_at_hand_over)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600), i;

	ASSERT_LE(0, id);
	for (i = 0; i < 100; i++) {
		struct peer p;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, UNDO));
		if (i % 2) {
			ASSERT_EQ(0, kill(p.pid, SIGKILL));
		}
		ASSERT_EQ(0, semop1(ipc, id, 0, 1, 0));
		peer_end(&p, SIGKILL);
		/* Given and undone, or never given. */
		ASSERT_EQ(1, sem_val(ipc, id, 0));
		ASSERT_EQ(0, sem_ncnt(ipc, id, 0));
		ASSERT_EQ(0, semop1(ipc, id, 0, -1, NW));
	}
}

/* ---- Its range ---- */

TEST_F(undo, clamped_at_zero)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 3), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, 5, UNDO }, { 1, 5, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 0, -3, 0));
	EXPECT_EQ(0, semop1(ipc, id, 1, -3, 0));
	peer_end(&p, 0);
	/* Nobody waits for what is not there: the rest is forgotten. */
	EXPECT_VALUES(ipc, id, 0, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(1, sem_val(ipc, id, 0));
}

TEST_F(undo, clamped_at_the_maximum)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, SEMVMX), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -5, UNDO }, { 1, -SEMVMX, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 0, SEMVMX - 7, 0));
	EXPECT_EQ(0, semop1(ipc, id, 1, SEMVMX, 0));
	EXPECT_VALUES(ipc, id, SEMVMX - 2, SEMVMX);
	peer_end(&p, 0);
	EXPECT_VALUES(ipc, id, SEMVMX, SEMVMX);
}

/* The undo value itself has a range, whatever the semaphore's value is. */
TEST_F(undo, overflow)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(SEMVMX, 0), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	/* Upwards to 32767. */
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -SEMVMX, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, 2, 0));
	EXPECT_ERR(ERANGE, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_ERR(ERANGE, peer_semop(&p, ipc, id, SOPS({ 1, 1, UNDO }, { 0, -1, UNDO })));
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	/* Not for others, nor without the flag. */
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	/* One that would have to wait waits first. */
	ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_ERR(ERANGE, peer_woken(&p));
	EXPECT_EQ(1, sem_val(ipc, id, 0));
	peer_end(&q, 0);
	peer_end(&p, 0);
	EXPECT_VALUES(ipc, id, SEMVMX, 0);
}

TEST_F(undo, underflow)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	/* Downwards to -32768, one further. */
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, SEMVMX, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, -SEMVMX, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_ERR(ERANGE, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
	/* In the middle of an array that would come back into it. */
	EXPECT_ERR(ERANGE, peer_semop(&p, ipc, id, SOPS({ 0, 1, UNDO }, { 0, -1, UNDO })));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -1, UNDO }, { 0, 1, UNDO })));
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, SEMVMX - 2, 0));
	peer_end(&p, 0);
	EXPECT_EQ(0, sem_val(ipc, id, 0));
}

/* ---- What clears it ---- */

TEST_F(undo, cleared_by_setval)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -3, UNDO }, { 1, -3, UNDO })));
	EXPECT_EQ(0, peer_semop(&q, ipc, id, SOPS({ 0, -4, UNDO }, { 1, -4, UNDO })));
	/* Of all processes, of that semaphore; even where the value stays the same. */
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 3));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -1, UNDO));
	peer_end(&p, 0);
	EXPECT_VALUES(ipc, id, 2, 6);
	peer_end(&q, 0);
	EXPECT_VALUES(ipc, id, 3, 10);
	/* One that is refused clears nothing. */
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 0, -1));
	peer_end(&p, 0);
	EXPECT_EQ(3, sem_val(ipc, id, 0));
}

TEST_F(undo, cleared_by_setall)
{
	const struct ipc *ipc = variant->ipc;
	static const unsigned short vals[2] = { 1, 2 }, high[2] = { 0, USHRT_MAX };
	int id = sem_new(ipc, SEMS(10, 10), 0600), other = sem_new(ipc, SEMS(10), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -3, UNDO }, { 1, -3, UNDO })));
	EXPECT_EQ(0, peer_semop1(&p, ipc, other, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 1, -3, UNDO));
	EXPECT_EQ(0, sem_setall(ipc, id, vals));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, -1, UNDO));
	EXPECT_ERR(ERANGE, sem_setall(ipc, id, high));
	peer_end(&p, 0);
	peer_end(&q, 0);
	EXPECT_VALUES(ipc, id, 1, 2);
	/* Another set is none of its business. */
	EXPECT_EQ(10, sem_val(ipc, other, 0));
}

TEST_F(undo, gone_with_the_set)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10), 0600), other = sem_new(ipc, SEMS(7), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, other, 0, -3, UNDO));
	ASSERT_EQ(0, sem_rmid(ipc, id));
	/* Another set of the very same id. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", id));
	ASSERT_EQ(id, ipc->semget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, 2, UNDO));
	peer_end(&p, 0);
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	EXPECT_EQ(7, sem_val(ipc, other, 0));
	peer_end(&q, 0);
	EXPECT_EQ(0, sem_val(ipc, id, 0));
}

/* A change of owner and mode clears nothing, nor does the right that is lost by it. */
TEST_F(undo, kept_over_ipc_set)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = sem_new(ipc, SEMS(10), 0666);
	struct semid_ds ds;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	ds.sem_perm.mode = 0;
	ASSERT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, 3, UNDO));
	peer_end(&p, 0);
	EXPECT_EQ(10, sem_val(ipc, id, 0));
}

/* ---- Whose it is: fork, vfork, exec, threads ---- */

static long do_fork_and_wait(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	int status = -1;
	pid_t pid = arg[2] ? vfork() : fork();

	(void)buf;
	if (!pid)
		_exit(semop1(ipc, arg[1], 0, -1, arg[3]) ? 1 : 0);
	waitpid(pid, &status, 0);
	return status;
}

TEST_F(undo, not_inherited)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	/* A child that ends takes nothing of the parent's with it. */
	EXPECT_EQ(0, peer_run(&p, do_fork_and_wait, (long)ipc, id, 0, 0, 0));
	EXPECT_EQ(6, sem_val(ipc, id, 0));
	EXPECT_EQ(0, peer_run(&p, do_fork_and_wait, (long)ipc, id, 0, UNDO, 0));
	EXPECT_EQ(6, sem_val(ipc, id, 0));
	EXPECT_EQ(0, peer_run(&p, do_fork_and_wait, (long)ipc, id, 1, UNDO, 0));
	EXPECT_EQ(6, sem_val(ipc, id, 0));
	EXPECT_EQ(0, peer_run(&p, do_fork_and_wait, (long)ipc, id, 1, 0, 0));
	EXPECT_EQ(5, sem_val(ipc, id, 0));
	peer_end(&p, 0);
	EXPECT_EQ(8, sem_val(ipc, id, 0));
}

/* A child outlives the parent whose undo value it did not inherit. */
static long do_fork(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	pid_t pid = fork();

	(void)buf;
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, 0);
	semop1(ipc, arg[1], 1, -1, UNDO);
	for (;;)
		pause();
}

TEST_F(undo, child_outlives)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10), 0600);
	struct peer p;
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	pid = peer_run(&p, do_fork, (long)ipc, id, 0, 0, 0);
	ASSERT_LT(0, pid);
	wait_until(sem_val(ipc, id, 1) == 9);
	peer_end(&p, SIGKILL);
	EXPECT_VALUES(ipc, id, 10, 9);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_VALUES(ipc, id, 10, 10);
}

/* Run by exec: operates once more, says so by semaphore 1, and sleeps on semaphore 2. */
static void __attribute__((constructor)) executed(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--executed")) {
		const struct ipc *ipc = strcmp(argv[2], "kipc") ? &ipc_native : &ipc_kipc;
		int id = atoi(argv[3]);

		if (semop1(ipc, id, 0, -1, UNDO) || semop1(ipc, id, 1, 1, 0))
			_exit(1);
		_exit(semop1(ipc, id, 2, -1, 0) ? 2 : 0);
	}
}

static void *do_exec(void *arg)
{
	long *a = arg;
	const struct ipc *ipc = (const struct ipc *)a[0];
	char id[16];

	snprintf(id, sizeof(id), "%ld", a[1]);
	if (a[2] == 1)
		syscall(SYS_close_range, 0u, ~0u, 0u);
	execl("/proc/self/exe", "undo", "--executed", ipc->name, id, NULL);
	return NULL;
}

static void *do_op_and_exec(void *arg)
{
	long *a = arg;

	semop1((const struct ipc *)a[0], a[1], 0, -1, UNDO);
	do_exec(arg);
	return NULL;
}

enum { EXEC_PLAIN, EXEC_CLOSED, EXEC_BY_THREAD, EXEC_BY_THREAD_OF_MANY, EXECS };

static void *do_pause(void *arg)
{
	long *a = arg;

	semop1((const struct ipc *)a[0], a[1], 0, -1, UNDO);
	pause();
	return NULL;
}

static void exec_child(const struct ipc *ipc, int id, int how)
{
	long arg[3] = { (long)ipc, id, how };
	pthread_t t;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (semop1(ipc, id, 0, -3, UNDO))
		_exit(1);
	if (how < EXEC_BY_THREAD)
		do_exec(arg);
	if (how == EXEC_BY_THREAD_OF_MANY)
		for (i = 0; i < 4; i++)
			pthread_create(&t, NULL, do_pause, arg);
	pthread_create(&t, NULL, do_op_and_exec, arg);
	for (;;)
		pause();
}

/* exec is no end: the values stay with the process, whichever of its threads does it. */
TEST_F(undo, kept_over_exec)
{
	const struct ipc *ipc = variant->ipc;
	int how, status;

	for (how = 0; how < EXECS; how++) {
		int id = sem_new(ipc, SEMS(20, 0, 0), 0600), held = 4;
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			exec_child(ipc, id, how);
		wait_until(sem_val(ipc, id, 1) == 1);
		if (how >= EXEC_BY_THREAD)
			held++;
		if (how == EXEC_BY_THREAD_OF_MANY) {
			/* Some of the others may have been too late. */
			EXPECT_GE(20 - held, sem_val(ipc, id, 0));
			EXPECT_LE(20 - held - 4, sem_val(ipc, id, 0));
		} else {
			EXPECT_EQ(20 - held, sem_val(ipc, id, 0))
				TH_LOG("exec %d", how);
		}
		EXPECT_EQ(pid, sem_pid(ipc, id, 0));
		/* Killed in its sleep, or at the end of its own accord. */
		if (how % 2) {
			ASSERT_EQ(0, kill(pid, SIGKILL));
		} else {
			ASSERT_EQ(0, semop1(ipc, id, 2, 1, 0));
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(how % 2 ? SIGKILL : 0, status);
		EXPECT_VALUES(ipc, id, 20, 1, 0);
		ASSERT_EQ(0, sem_rmid(ipc, id));
	}
}

static long do_failed_exec(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return execl("/proc/self/exe/no", "no", NULL);
}

TEST_F(undo, kept_over_failed_exec)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	EXPECT_ERR(ENOTDIR, peer_run(&p, do_failed_exec, 0, 0, 0, 0, 0));
	EXPECT_EQ(7, sem_val(ipc, id, 0));
	peer_end(&p, 0);
	EXPECT_EQ(10, sem_val(ipc, id, 0));
}

/* Threads have one undo value together: what one does another may undo, none by its end. */
static void *thread_op(void *arg)
{
	long *a = arg;

	return (void *)(long)semop1((const struct ipc *)a[0], a[1], a[2], a[3], UNDO);
}

static long do_op_in_thread(long *arg, void *buf)
{
	pthread_t t;
	void *ret;

	(void)buf;
	if (pthread_create(&t, NULL, thread_op, arg) || pthread_join(t, &ret))
		return -1;
	return (long)ret;
}

TEST_F(undo, shared_by_threads)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, SEMVMX), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_run(&p, do_op_in_thread, (long)ipc, id, 0, -3, 0));
	EXPECT_EQ(7, sem_val(ipc, id, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -2, UNDO));
	EXPECT_EQ(0, peer_run(&p, do_op_in_thread, (long)ipc, id, 0, 1, 0));
	EXPECT_EQ(6, sem_val(ipc, id, 0));
	/* One range as well. */
	EXPECT_EQ(0, peer_run(&p, do_op_in_thread, (long)ipc, id, 1, -SEMVMX, 0));
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_ERR(ERANGE, peer_semop1(&p, ipc, id, 1, -1, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 1, -1, 0));
	peer_end(&p, 0);
	EXPECT_VALUES(ipc, id, 10, SEMVMX);
}

/* ---- How a process ends ---- */

enum { LEADER_EXITS, THREAD_EXITS_GROUP, LEADER_EXITS_GROUP, THREAD_KILLED, THREAD_FAULTS,
       LAST_OF_MANY, KILLED_STOPPED, KILLED_TRACED, CLOSED, ABORTED, SESSION, ENDS };

static void *hold_and_end(void *arg)
{
	long *a = arg;
	const struct ipc *ipc = (const struct ipc *)a[0];

	if (semop1(ipc, a[1], 0, -1, UNDO) || semop1(ipc, a[1], 1, 1, 0))
		_exit(9);
	switch (a[2]) {
	case LEADER_EXITS:
		/* The leader is dead, this is the last one. */
		wait_until(task_state(getpid()) == 'Z');
		syscall(SYS_exit, 0);
		break;
	case THREAD_EXITS_GROUP:
		_exit(0);
	case THREAD_KILLED:
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGKILL);
		break;
	case THREAD_FAULTS:
		raise(SIGSEGV);
		break;
	case LAST_OF_MANY:
		syscall(SYS_exit, 0);
	}
	for (;;)
		pause();
}

static void end_somehow(const struct ipc *ipc, int id, int how)
{
	static const struct rlimit no_core;
	long arg[3] = { (long)ipc, id, how };
	pthread_t t;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (semop1(ipc, id, 0, -2, UNDO))
		_exit(9);
	switch (how) {
	case LAST_OF_MANY:
		for (i = 0; i < 7; i++)
			pthread_create(&t, NULL, hold_and_end, arg);
		syscall(SYS_exit, 0);
		break;
	case KILLED_STOPPED:
		semop1(ipc, id, 1, 1, 0);
		raise(SIGSTOP);
		break;
	case KILLED_TRACED:
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		semop1(ipc, id, 1, 1, 0);
		raise(SIGUSR1);
		break;
	case CLOSED:
		syscall(SYS_close_range, 0u, ~0u, 0u);
		semop1(ipc, id, 0, -1, UNDO);
		syscall(SYS_close_range, 0u, ~0u, 0u);
		_exit(0);
	case ABORTED:
		abort();
	case SESSION:
		setsid();
		prctl(PR_SET_DUMPABLE, 0);
		_exit(0);
	default:
		pthread_create(&t, NULL, hold_and_end, arg);
		if (how == LEADER_EXITS)
			syscall(SYS_exit, 0);
		if (how == LEADER_EXITS_GROUP) {
			wait_until(sem_val(ipc, id, 1) == 1);
			_exit(0);
		}
	}
	for (;;)
		pause();
}

TEST_F(undo, every_end)
{
	const struct ipc *ipc = variant->ipc;
	int how, status;

	for (how = 0; how < ENDS; how++) {
		int id = sem_new(ipc, SEMS(20, 0), 0600);
		pid_t pid;

		ASSERT_LE(0, id);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			end_somehow(ipc, id, how);
		if (how == KILLED_STOPPED || how == KILLED_TRACED) {
			ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
			ASSERT_TRUE(WIFSTOPPED(status));
			EXPECT_EQ(18, sem_val(ipc, id, 0));
			ASSERT_EQ(0, kill(pid, SIGKILL));
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		switch (how) {
		case THREAD_KILLED:
		case KILLED_STOPPED:
		case KILLED_TRACED:
			EXPECT_EQ(SIGKILL, status);
			break;
		case THREAD_FAULTS:
			EXPECT_EQ(SIGSEGV, WTERMSIG(status));
			break;
		case ABORTED:
			EXPECT_EQ(SIGABRT, WTERMSIG(status));
			break;
		default:
			EXPECT_EQ(0, status)
				TH_LOG("end %d", how);
		}
		EXPECT_EQ(20, sem_val(ipc, id, 0))
			TH_LOG("end %d", how);
		EXPECT_EQ(pid, sem_pid(ipc, id, 0));
		ASSERT_EQ(0, sem_rmid(ipc, id));
	}
}

/* A thread's end is none of the process: not the leader's either. */
static void *wait_and_end(void *arg)
{
	long *a = arg;
	const struct ipc *ipc = (const struct ipc *)a[0];

	wait_until(task_state(getpid()) == 'Z');
	semop1(ipc, a[1], 1, 1, 0);
	semop1(ipc, a[1], 2, -1, 0);
	_exit(0);
}

TEST_F(undo, leader_gone_process_not)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(5, 0, 0), 0600), status;
	pid_t pid;

	ASSERT_LE(0, id);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		static long arg[2];
		pthread_t t;

		arg[0] = (long)ipc;
		arg[1] = id;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_create(&t, NULL, wait_and_end, arg);
		semop1(ipc, id, 0, -2, UNDO);
		syscall(SYS_exit, 0);
	}
	wait_until(sem_val(ipc, id, 1) == 1);
	EXPECT_EQ(3, sem_val(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 2, 1, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(5, sem_val(ipc, id, 0));
}

/* Its core is written first, and read by nobody in time: undone all the same. */
TEST_F(undo, core_dump)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(5), 0600), status, fd;
	char old[256] = "", path[64];
	ssize_t n;
	pid_t pid;

	ASSERT_LE(0, id);
	fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
	n = read(fd, old, sizeof(old) - 1);
	close(fd);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, write_text("/proc/sys/kernel/core_pattern", "/tmp/undo-core.%p"));
	pid = fork();
	if (!pid) {
		const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };

		setrlimit(RLIMIT_CORE, &any);
		semop1(ipc, id, 0, -2, UNDO);
		abort();
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(5, sem_val(ipc, id, 0));
	EXPECT_EQ(0, write_text("/proc/sys/kernel/core_pattern", old));
	EXPECT_TRUE(WIFSIGNALED(status) && WCOREDUMP(status));
	snprintf(path, sizeof(path), "/tmp/undo-core.%d", pid);
	EXPECT_EQ(0, unlink(path));
}

/* Its memory pinned by another, its descriptors in flight: it is dead all the same. */
TEST_F(undo, memory_pinned)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(5), 0600), fd;
	char path[64];
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -2, UNDO));
	snprintf(path, sizeof(path), "/proc/%d/mem", p.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	peer_end(&p, SIGKILL);
	EXPECT_EQ(5, sem_val(ipc, id, 0));
	close(fd);
}

/* ---- What it stamps and whom it wakes ---- */

TEST_F(undo, stamps)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10, 10), 0600);
	struct semid_ds ds;
	struct peer p;
	time_t start;
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	pid = p.pid;
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -1, UNDO }, { 1, -1, UNDO })));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, 1, UNDO));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 0 })));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	wait_until(time(NULL) > ds.sem_otime);
	start = time(NULL);
	peer_end(&p, SIGKILL);
	/* The dead one operated last where something was left to be undone. */
	EXPECT_EQ(pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 1));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 2));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_otime);
	EXPECT_GE(start, ds.sem_ctime);
	EXPECT_VALUES(ipc, id, 11, 11, 11);
}

/* Nothing left to be undone: the time of the end is the last operation's all the same. */
TEST_F(undo, stamps_nothing_undone)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10), 0600);
	struct semid_ds ds;
	struct peer p;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	wait_until(time(NULL) > ds.sem_otime);
	start = time(NULL);
	peer_end(&p, 0);
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_otime);
}

/* One that never succeeded, and ends: natively it operated, by its end. */
TEST_F(undo, stamps_of_the_unsuccessful)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600);
	struct semid_ds ds;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_ERR(EAGAIN, peer_semop1(&p, ipc, id, 0, -1, UNDO | NW));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, ds.sem_otime);
	peer_end(&p, 0);
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_NE(0, ds.sem_otime);
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
}

TEST_F(undo, wakes)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(2, 1, 1), 0600), i;
	struct peer dead, p[5];
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&dead));
	pid = dead.pid;
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	EXPECT_EQ(0, peer_semop(&dead, ipc, id, SOPS({ 0, -2, UNDO }, { 1, 1, UNDO },
						     { 2, -1, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 1, -1, 0));
	/* In their order: too much, one, one and another, one too late, for zero. */
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -3, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 2, -1, 0 }, { 0, -1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[3], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[4], ipc, id, 1, 0, 0));
	EXPECT_EQ(SIGKILL, peer_end(&dead, SIGKILL));
	/* Handed over when wait() tells, though the woken may not have run yet. */
	EXPECT_VALUES(ipc, id, 0, 0, 0);
	EXPECT_EQ(2, sem_ncnt(ipc, id, 0));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 1));
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, -1, NW));
	EXPECT_EQ(p[2].pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(p[4].pid, sem_pid(ipc, id, 1));
	EXPECT_NE(pid, sem_pid(ipc, id, 2));
	EXPECT_EQ(0, peer_finish(&p[1]));
	EXPECT_EQ(0, peer_finish(&p[2]));
	EXPECT_EQ(0, peer_finish(&p[4]));
	EXPECT_EQ(0, peer_asleep(&p[0]));
	EXPECT_EQ(0, peer_asleep(&p[3]));
	for (i = 0; i < 5; i++)
		peer_end(&p[i], SIGKILL);
}

/*
 * An end has all sleepers looked at again, though there may be nothing to undo: arrays of
 * zeros then count where they are held up now.
 */
TEST_F(undo, counts_after_the_end)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1, 1, 0, 0), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_block(&p, ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 0));
	EXPECT_EQ(1, sem_zcnt(ipc, id, 1));
	EXPECT_ERR(EAGAIN, peer_semop1(&q, ipc, id, 2, -1, UNDO | NW));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 0));
	peer_end(&q, 0);
	EXPECT_EQ(1, sem_zcnt(ipc, id, 0));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 1));
	peer_end(&p, SIGKILL);
}

/* Nobody asks: the sleepers are served even so. */
TEST_F(undo, wakes_without_being_asked)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1), 0600), i;

	ASSERT_LE(0, id);
	for (i = 0; i < 20; i++) {
		struct peer dead, p;

		ASSERT_EQ(0, peer_start(&dead));
		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_semop1(&dead, ipc, id, 0, -1, UNDO));
		ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, UNDO));
		if (i % 2) {
			/* Not even reaped. */
			ASSERT_EQ(0, kill(dead.pid, SIGKILL));
			ASSERT_EQ(0, peer_finish(&p));
			peer_end(&dead, SIGKILL);
		} else {
			peer_end(&dead, SIGKILL);
			ASSERT_EQ(0, peer_finish(&p));
		}
		peer_end(&p, SIGKILL);
		ASSERT_EQ(1, sem_val(ipc, id, 0));
	}
}

/* A row of the dying: each holds what the next waits for. */
TEST_F(undo, chain_of_deaths)
{
	enum { N = 30 };
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1), 0600), i;
	pid_t pid[N];

	ASSERT_LE(0, id);
	for (i = 0; i < N; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (semop1(ipc, id, 0, -1, UNDO))
				_exit(1);
			/* Dies as soon as it has it. */
			raise(SIGKILL);
		}
	}
	for (i = 0; i < N; i++) {
		int status;

		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(SIGKILL, status);
	}
	EXPECT_EQ(1, sem_val(ipc, id, 0));
	EXPECT_EQ(0, sem_ncnt(ipc, id, 0));
}

/* ---- Many ---- */

TEST_F(undo, many_sets)
{
	enum { N = 200 };
	const struct ipc *ipc = variant->ipc;
	struct peer p, q;
	int id[N], i;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	for (i = 0; i < N; i++) {
		id[i] = sem_new(ipc, SEMS(9, 9, 9), 0600);
		ASSERT_LE(0, id[i]);
	}
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, peer_semop1(&p, ipc, id[i], i % 3, -3, UNDO));
		if (i % 2) {
			ASSERT_EQ(0, peer_semop1(&q, ipc, id[i], i % 3, -4, UNDO));
		}
	}
	for (i = 0; i < N; i += 5)
		ASSERT_EQ(0, sem_rmid(ipc, id[i]));
	peer_end(&p, SIGKILL);
	for (i = 0; i < N; i++) {
		if (i % 5) {
			EXPECT_EQ(i % 2 ? 5 : 9, sem_val(ipc, id[i], i % 3));
		} else {
			EXPECT_ERR(EINVAL, sem_val(ipc, id[i], 0));
		}
	}
	peer_end(&q, SIGKILL);
	for (i = 0; i < N; i++)
		if (i % 5) {
			EXPECT_EQ(9, sem_val(ipc, id[i], i % 3));
			EXPECT_EQ(9, sem_val(ipc, id[i], (i + 1) % 3));
		}
}

/* Every semaphore of a large set. */
TEST_F(undo, many_semaphores)
{
	enum { N = 5000 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, N, 0600), i;
	unsigned short v[N];
	struct sembuf sops[500];
	struct peer p;

	ASSERT_LE(0, id);
	for (i = 0; i < N; i++)
		v[i] = i;
	ASSERT_EQ(0, sem_setall(ipc, id, v));
	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < N; i++) {
		sops[i % 500] = (struct sembuf){ i, i % 2 ? -1 : 2, UNDO };
		if (i % 500 == 499) {
			ASSERT_EQ(0, peer_semop(&p, ipc, id, sops, 500));
		}
	}
	peer_end(&p, SIGKILL);
	ASSERT_EQ(0, sem_getall(ipc, id, v));
	for (i = 0; i < N; i++)
		ASSERT_EQ(i, v[i]);
}

TEST_F(undo, many_processes)
{
	enum { N = 150 };
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1000, 0), 0600), i;
	struct peer p[N];

	ASSERT_LE(0, id);
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, peer_start(&p[i]));
		ASSERT_EQ(0, peer_semop(&p[i], ipc, id, SOPS({ 0, -2, UNDO }, { 1, 1, UNDO })));
	}
	EXPECT_VALUES(ipc, id, 1000 - 2 * N, N);
	for (i = 0; i < N; i++) {
		peer_end(&p[i], i % 2 ? SIGKILL : 0);
		ASSERT_EQ(1000 - 2 * (N - 1 - i), sem_val(ipc, id, 0));
		ASSERT_EQ(N - 1 - i, sem_val(ipc, id, 1));
	}
}

/* The same pid again: none of its predecessor's is its own. */
TEST_F(undo, pid_reused)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10), 0600), again = 0, i;
	char text[32];

	ASSERT_LE(0, id);
	for (i = 0; i < 50 && again < 5; i++) {
		struct peer p;
		pid_t first;

		ASSERT_EQ(0, peer_start(&p));
		first = p.pid;
		ASSERT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
		peer_end(&p, SIGKILL);
		snprintf(text, sizeof(text), "%d", first - 1);
		ASSERT_EQ(0, write_text("/proc/sys/kernel/ns_last_pid", text));
		ASSERT_EQ(0, peer_start(&p));
		again += p.pid == first;
		EXPECT_EQ(10, sem_val(ipc, id, 0));
		EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
		EXPECT_EQ(p.pid, sem_pid(ipc, id, 0));
		peer_end(&p, SIGKILL);
		EXPECT_EQ(11, sem_val(ipc, id, 0));
		ASSERT_EQ(0, sem_setval(ipc, id, 0, 10));
	}
	EXPECT_LE(1, again);
}

TEST_HARNESS_MAIN

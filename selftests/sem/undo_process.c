// SPDX-License-Identifier: GPL-2.0
/*
 * SEM_UNDO and processes: undo values stay with theirs over fork, exec and threads, and
 * are taken back however it ends.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define UNDO	SEM_UNDO

IPC_FIXTURE(undo)

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

TEST_HARNESS_MAIN

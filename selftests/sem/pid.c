// SPDX-License-Identifier: GPL-2.0
/* GETPID: who operated last, as the one who asks sees him, dead or alive. */
#include "common/harness.h"
#include "common/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

IPC_FIXTURE(pid)

/* A child that operates once and ends.  Return: its pid. */
static pid_t operate_and_end(const struct ipc *ipc, int id, int num, int op, int flags)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(semop1(ipc, id, num, op, flags) ? 1 : 0);
	return waitpid(pid, &status, 0) == pid && !status ? pid : -1;
}

TEST_F(pid, of_the_dead)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 3, 0600);
	pid_t pid[3];

	ASSERT_LE(0, id);
	pid[0] = operate_and_end(ipc, id, 0, 1, 0);
	pid[1] = operate_and_end(ipc, id, 1, 0, 0);
	pid[2] = operate_and_end(ipc, id, 2, 1, SEM_UNDO);
	EXPECT_LT(0, pid[0]);
	EXPECT_EQ(pid[0], sem_pid(ipc, id, 0));
	EXPECT_EQ(pid[1], sem_pid(ipc, id, 1));
	EXPECT_EQ(pid[2], sem_pid(ipc, id, 2));
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 1));
}

/* Each of many, one semaphore each. */
TEST_F_TIMEOUT(pid, of_many_dead, 200)
{
	enum { N = 2000 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, N, 0600), i;
	pid_t pid[N];

	ASSERT_LE(0, id);
	for (i = 0; i < N; i++) {
		pid[i] = operate_and_end(ipc, id, i, 1, i % 2 ? SEM_UNDO : 0);
		ASSERT_LT(0, pid[i]);
	}
	for (i = 0; i < N; i++)
		ASSERT_EQ(pid[i], sem_pid(ipc, id, i));
	/* Those of a set that is gone are forgotten. */
	ASSERT_EQ(0, sem_rmid(ipc, id));
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", id));
	ASSERT_EQ(id, ipc->semget(IPC_PRIVATE, 2, 0600));
	EXPECT_EQ(0, sem_pid(ipc, id, 0));
	EXPECT_EQ(0, sem_pid(ipc, id, 1));
}

/* A sleeper's operation is the sleeper's, not of whoever made it possible. */
TEST_F(pid, of_the_woken)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 0, 1, 0), 0600);
	pid_t pid[3];
	struct peer p[3];
	int i;

	ASSERT_LE(0, id);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, peer_start(&p[i]));
		pid[i] = p[i].pid;
	}
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, 0 }, { 3, 0, 0 })));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[2], ipc, id, 2, 0, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 2, 0 }, { 1, 5, 0 })));
	EXPECT_EQ(pid[1], sem_pid(ipc, id, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 1));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 2));
	EXPECT_EQ(pid[0], sem_pid(ipc, id, 3));
	EXPECT_EQ(0, sem_setval(ipc, id, 2, 0));
	EXPECT_EQ(pid[2], sem_pid(ipc, id, 2));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, peer_woken(&p[i]));
		peer_end(&p[i], SIGKILL);
	}
	EXPECT_EQ(pid[1], sem_pid(ipc, id, 0));
	EXPECT_EQ(pid[0], sem_pid(ipc, id, 3));
}

/* A thread operates as its process, also when it is the last one, or has taken over. */
static void *op_in_thread(void *arg)
{
	long *a = arg;

	wait_until(!a[2] || task_state(getpid()) == 'Z');
	if (semop1((const struct ipc *)a[0], a[1], 0, 1, 0))
		_exit(1);
	if (a[2])
		_exit(0);
	return NULL;
}

TEST_F(pid, of_threads)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 1, 0600), status;
	long arg[3] = { (long)ipc, id, 0 };
	pthread_t t;
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, pthread_create(&t, NULL, op_in_thread, arg));
	ASSERT_EQ(0, pthread_join(t, NULL));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		static long gone[3];

		gone[0] = (long)ipc;
		gone[1] = id;
		gone[2] = 1;
		pthread_create(&t, NULL, op_in_thread, gone);
		syscall(SYS_exit, 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(pid, sem_pid(ipc, id, 0));
}

/* The program after exec is the same process. */
static void __attribute__((constructor)) executed(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--executed"))
		_exit(semop1(strcmp(argv[2], "kipc") ? &ipc_native : &ipc_kipc, atoi(argv[3]), 1, 1,
			     0) ? 1 : 0);
}

static void *exec_in_thread(void *arg)
{
	long *a = arg;
	const struct ipc *ipc = (const struct ipc *)a[0];
	char id[16];

	snprintf(id, sizeof(id), "%ld", a[1]);
	execl("/proc/self/exe", "pid", "--executed", ipc->name, id, NULL);
	_exit(1);
}

TEST_F(pid, after_exec)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 2, 0600), status, i;
	pid_t pid;

	ASSERT_LE(0, id);
	for (i = 0; i < 2; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			long arg[2] = { (long)ipc, id };
			pthread_t t;

			semop1(ipc, id, 0, 1, 0);
			if (i)
				pthread_create(&t, NULL, exec_in_thread, arg);
			else
				exec_in_thread(arg);
			for (;;)
				pause();
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_EQ(pid, sem_pid(ipc, id, 0));
		EXPECT_EQ(pid, sem_pid(ipc, id, 1));
	}
}

/* ---- Pid namespaces ---- */

/* Start a peer as the first process of a pid namespace of its own. */
static int start_inside(struct peer *p)
{
	int home = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC), ret;

	if (home < 0 || unshare(CLONE_NEWPID))
		return -1;
	ret = peer_start(p);
	if (setns(home, CLONE_NEWPID))
		ret = -1;
	close(home);
	return ret;
}

/* A second process in there. */
static long do_fork_and_op(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	pid_t pid = fork();
	int status;

	(void)buf;
	if (!pid)
		_exit(semop1(ipc, arg[1], arg[2], 1, arg[3]) ? 1 : 0);
	return waitpid(pid, &status, 0) == pid && !status ? pid : -1;
}

/* Each sees the other by its own numbers, and nobody where there is no number. */
TEST_F(pid, namespaces)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 0, 0), 0600);
	struct peer p, q;
	pid_t outer, inner;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, start_inside(&p));
	outer = p.pid;
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, 1, 0));
	EXPECT_EQ(q.pid, sem_pid(ipc, id, 0));
	/* Somebody, but nobody in there. */
	EXPECT_EQ(0, peer_semctl(&p, ipc, id, 0, GETPID, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, 1, 0));
	EXPECT_EQ(outer, sem_pid(ipc, id, 1));
	EXPECT_EQ(1, peer_semctl(&p, ipc, id, 1, GETPID, 0));
	EXPECT_EQ(outer, peer_semctl(&q, ipc, id, 1, GETPID, 0));
	inner = peer_run(&p, do_fork_and_op, (long)ipc, id, 2, 0, 0);
	ASSERT_LT(1, inner);
	EXPECT_EQ(inner, peer_semctl(&p, ipc, id, 2, GETPID, 0));
	EXPECT_LT(outer, sem_pid(ipc, id, 2));
	EXPECT_EQ(sem_pid(ipc, id, 2), peer_semctl(&q, ipc, id, 2, GETPID, 0));
	/* Undone by one who is seen so and so. */
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, SEM_UNDO));
	EXPECT_EQ(outer, sem_pid(ipc, id, 0));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, 1, 0));
	/* The namespace ends with its first process. */
	peer_end(&p, SIGKILL);
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	EXPECT_EQ(outer, sem_pid(ipc, id, 0));
	EXPECT_EQ(outer, sem_pid(ipc, id, 1));
	/* Another one has numbers of its own for nobody of it. */
	ASSERT_EQ(0, start_inside(&p));
	EXPECT_EQ(0, peer_semctl(&p, ipc, id, 0, GETPID, 0));
	EXPECT_EQ(0, peer_semctl(&p, ipc, id, 1, GETPID, 0));
	EXPECT_EQ(0, peer_semctl(&p, ipc, id, 2, GETPID, 0));
	peer_end(&p, 0);
	peer_end(&q, 0);
}

/* Woken and served across the border. */
TEST_F(pid, woken_across_namespaces)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, start_inside(&p));
	ASSERT_EQ(0, start_inside(&q));
	ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, SEM_UNDO));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, 1, 0));
	EXPECT_EQ(0, peer_woken(&p));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(0, peer_semctl(&q, ipc, id, 0, GETPID, 0));
	EXPECT_EQ(1, peer_semctl(&p, ipc, id, 0, GETPID, 0));
	ASSERT_EQ(0, peer_block1(&q, ipc, id, 0, -1, 0));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(0, peer_finish(&q));
	EXPECT_EQ(q.pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(1, peer_semctl(&q, ipc, id, 0, GETPID, 0));
	peer_end(&q, SIGKILL);
}

/*
 * Undo values are applied in the order of the deaths: who died last was last.  On one
 * processor and ahead of its workers, so that all are dead before anybody looks.
 */
TEST_F(pid, order_of_deaths)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600), i, k;
	struct sched_param ahead = { .sched_priority = 1 };
	struct peer p[3];
	cpu_set_t one;
	pid_t last;

	ASSERT_LE(0, id);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &ahead));
	for (i = 0; i < 30; i++) {
		for (k = 0; k < 3; k++) {
			ASSERT_EQ(0, peer_start(&p[k]));
			ASSERT_EQ(0, peer_semop1(&p[k], ipc, id, 0, 1, SEM_UNDO));
		}
		last = p[2].pid;
		for (k = 0; k < 3; k++)
			peer_end(&p[k], SIGKILL);
		EXPECT_EQ(last, sem_pid(ipc, id, 0));
		EXPECT_EQ(0, sem_val(ipc, id, 0));
	}
}

TEST_HARNESS_MAIN

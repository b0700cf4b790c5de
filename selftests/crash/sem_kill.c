// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with several threads operate on semaphores as fast as they can, without the
 * kernel mostly, and are killed at random points, thousands of them where there is time
 * for that: all they did with SEM_UNDO is undone, exactly once.
 */
#include "common/harness.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kipc.h>

extern const char __start_kipc_fast_text[], __stop_kipc_fast_text[];

#define WORKERS	4
#define THREADS	3
#define VALUE	1000
#define NSEMS	2

static int set;

static void *operate(void *arg)
{
	unsigned int seed = (unsigned int)(long)arg;
	struct sembuf op = { 0, 0, SEM_UNDO };

	for (;;) {
		op.sem_num = rand_r(&seed) % NSEMS;
		op.sem_op = rand_r(&seed) % 2 ? 1 : -1;
		/* Not for ever in one direction, or the value ends at a bound. */
		if (kipc_semop(set, &op, 1) || (op.sem_op = -op.sem_op, kipc_semop(set, &op, 1)))
			_exit(1);
	}
	return NULL;
}

static pid_t start_worker(unsigned int seed)
{
	pthread_t thread;
	pid_t pid = fork();
	long i;

	if (pid)
		return pid;
	for (i = 1; i < THREADS; i++)
		pthread_create(&thread, NULL, operate, (void *)(seed * 16 + i));
	operate((void *)(long)(seed * 16));
	_exit(2);
}

/* Where a stopped process' first thread is: in the section?  -1: cannot be told. */
static int is_inside(pid_t pid)
{
	unsigned long sp, pc;
	char path[64], word[32];
	int ret = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%31s", word) == 1 && !strcmp(word, "-1") &&
	    fscanf(f, "%lx %lx", &sp, &pc) == 2)
		ret = pc >= (unsigned long)__start_kipc_fast_text &&
		      pc < (unsigned long)__stop_kipc_fast_text;
	if (f)
		fclose(f);
	return ret;
}

static void wait_a_random_while(unsigned int *seed)
{
	volatile unsigned int n = rand_r(seed) % 200000;

	while (n)
		n--;
	if (rand_r(seed) % 4 == 0)
		sched_yield();
}

TEST_LONG(killed_at_random)
{
	int kills = getenv("KIPC_LONG") ? 20000 : 2000, inside = 0, seen = 0, i, k, status;
	/* The workers leave little of the processors, on which each kill takes its time. */
	const time_t end = stamp_now() + 150;
	unsigned short values[NSEMS] = { VALUE, VALUE };
	union semun arg = { .array = values };
	pid_t pid[WORKERS];
	unsigned int seed = 1;

	set = kipc_semget(IPC_PRIVATE, NSEMS, 0600);
	ASSERT_GE(set, 0);
	ASSERT_EQ(0, kipc_semctl(set, 0, SETALL, arg));
	for (i = 0; i < WORKERS; i++)
		pid[i] = start_worker(i);

	for (k = 0; k < kills && (k < 200 || stamp_now() < end); k++) {
		i = rand_r(&seed) % WORKERS;
		wait_a_random_while(&seed);
		if (k % 8 == 0) {
			/* Look where it is before: stopped, it does not move. */
			kill(pid[i], SIGSTOP);
			waitpid(pid[i], &status, WUNTRACED);
			status = is_inside(pid[i]);
			seen += status >= 0;
			inside += status == 1;
		}
		kill(pid[i], SIGKILL);
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) TH_LOG("status %x", status);
		pid[i] = start_worker(WORKERS + k);
	}
	for (i = 0; i < WORKERS; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
	}
	ASSERT_EQ(0, kipc_semctl(set, 0, GETALL, arg));
	for (i = 0; i < NSEMS; i++) {
		EXPECT_EQ(VALUE, values[i]);
		EXPECT_EQ(0, kipc_semctl(set, i, GETNCNT));
	}
	TH_LOG("%d kills; of %d looked at %d were inside the fast section", k, seen, inside);
	/* A test that always kills elsewhere proves nothing. */
	EXPECT_GT(inside * 20, seen);
	EXPECT_EQ(0, kipc_semctl(set, 0, IPC_RMID));
}

TEST_HARNESS_MAIN

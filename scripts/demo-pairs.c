// SPDX-License-Identifier: GPL-2.0
/*
 * A program that uses System V semaphores as any does, and knows nothing of kipc:
 * microseconds for a down and an up of one process, for the same with SEM_UNDO, and
 * for a turn between two processes.  For the demo, which runs it twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAIRS	100000
#define TURNS	10000

static int set;

static void operate(int num, int op, int flags)
{
	struct sembuf sop = { .sem_num = num, .sem_op = op, .sem_flg = flags };

	if (semop(set, &sop, 1)) {
		perror("semop");
		exit(1);
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static double pairs(int flags)
{
	double start = now();
	int i;

	for (i = 0; i < PAIRS; i++) {
		operate(0, -1, flags);
		operate(0, 1, flags);
	}
	return (now() - start) / PAIRS;
}

static double turns(void)
{
	double start = now();
	int i, status;
	pid_t pid = fork();

	for (i = 0; i < TURNS; i++) {
		operate(pid ? 1 : 2, -1, 0);
		operate(pid ? 2 : 1, 1, 0);
	}
	if (!pid)
		_exit(0);
	waitpid(pid, &status, 0);
	return (now() - start) / TURNS;
}

int main(void)
{
	double alone, undone, taken;

	set = semget(IPC_PRIVATE, 3, 0600);
	if (set < 0) {
		perror("semget");
		return 1;
	}
	operate(0, 1, 0);
	operate(1, 1, 0);
	alone = pairs(0);
	undone = pairs(SEM_UNDO);
	taken = turns();
	semctl(set, 0, IPC_RMID);
	printf("%.2f %.2f %.2f\n", alone, undone, taken);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What a program's own semaphores (sem_init) cost: a million of each operation in a loop.  Run by
 * itself and under kipcrun, whose library passes them on, it tells what that takes.
 *
 *   sem_passed
 */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS	1000000

static sem_t sem;

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void post(void)
{
	if (sem_post(&sem))
		abort();
}

static void wait(void)
{
	if (sem_wait(&sem))
		abort();
}

static void trywait(void)
{
	if (sem_trywait(&sem))
		abort();
}

static void getvalue(void)
{
	int value;

	if (sem_getvalue(&sem, &value))
		abort();
}

#define MEASURE(operation) do {						\
	long start;							\
	int i;								\
									\
	operation();		/* finds the function */		\
	start = now();							\
	for (i = 0; i < ROUNDS; i++)					\
		operation();						\
	printf("sem_%s\t%.2f\n", #operation, (double)(now() - start) / ROUNDS);	\
} while (0)

int main(void)
{
	sem_init(&sem, 0, 0);
	MEASURE(post);
	MEASURE(wait);
	sem_init(&sem, 0, ROUNDS + 1);
	MEASURE(trywait);
	MEASURE(getvalue);
	return 0;
}

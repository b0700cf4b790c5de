/* SPDX-License-Identifier: GPL-2.0 */
/* An input of the fuzzer: calls in a row, for each of some actors; and what they share. */
#ifndef KIPC_SELFTESTS_FUZZ_H
#define KIPC_SELFTESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/kipc.h>

/* Actors are threads, of two processes. */
#define PROCESSES	2
#define THREADS		2
#define ACTORS		(PROCESSES * THREADS)
#define STEPS		32
#define IDS		8

/**
 * struct step - one call
 * @actor: who makes it
 * @call: which; both are taken modulo what there is
 * @a: what its arguments are made of
 */
struct step {
	uint8_t actor, call;
	uint8_t a[6];
};

struct input {
	unsigned int steps;
	struct step step[STEPS];
};

/**
 * struct shared - what the processes of a life share
 * @ready: actors that have come to the start
 * @round: counts the inputs; a futex
 * @done: actors that are through with the input; a futex
 * @made: calls that returned
 * @limited: a limit may have been set
 * @input: to be run
 * @pid: the processes
 * @tid: the actors
 * @ids: of the objects made last, by kind
 * @next: where the next id goes, by kind
 */
struct shared {
	int ready, round, done;
	unsigned long made;
	int limited;
	struct input input;
	pid_t pid[PROCESSES], tid[ACTORS];
	int ids[KIPC_KINDS][IDS];
	unsigned int next[KIPC_KINDS];
};

extern struct shared *shared;

/* Once in each process, and once in each thread of it. */
void calls_init_process(void);
void calls_init_thread(void);
/* Once for each input, by one of the actors. */
void calls_begin(void);

/* Make the call.  What comes of it is the kernel's business. */
void calls_make(const struct step *step);

const char *calls_name(const struct step *step);

/* The first of that name; there is one. */
uint8_t calls_number(const char *name);

/* The @n-th input to begin with.  Return: whether there is one. */
bool first_input(unsigned int n, struct input *input);

#endif /* KIPC_SELFTESTS_FUZZ_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* An input of the fuzzer: calls in a row, for each of some actors. */
#ifndef KIPC_SELFTESTS_FUZZ_H
#define KIPC_SELFTESTS_FUZZ_H

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

/**
 * struct shared - what the processes of an execution share
 * @ready: actors that have come to the start
 * @done: actors that have come to their end
 * @made: calls that returned
 * @pid: the processes
 * @ids: of the objects made last, by kind
 * @next: where the next id goes, by kind
 */
struct shared {
	int ready, done;
	unsigned long made;
	pid_t pid[PROCESSES];
	int ids[KIPC_KINDS][IDS];
	unsigned int next[KIPC_KINDS];
};

extern struct shared *shared;

/* Once in each process, and once in each thread of it. */
void calls_init_process(void);
void calls_init_thread(void);

/* Make the call.  What comes of it is the kernel's business. */
void calls_make(const struct step *step);

const char *calls_name(const struct step *step);

#endif /* KIPC_SELFTESTS_FUZZ_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each allocation of each call fails in turn, and each copy from and to user space: the call
 * fails with ENOMEM or EFAULT, or goes on without; what there was is as it was, nothing is
 * left of the attempt, and the same call then succeeds.
 *
 * The kernel must be one that injects faults: make check-debug.  Each attempt is made by a
 * process of its own, for much is allocated once for a process.
 */
#ifndef KIPC_SELFTESTS_ATTEMPT_H
#define KIPC_SELFTESTS_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What was done is undone by its opposite, which shows in times and in who was last; what was
 * made is taken away again, which the counts of ids tell; what had to make way for a new
 * mapping is gone, and one that was cut stays so.
 */
enum kept { ALL, ALL_BUT_TIMES, ALL_BUT_IDS, NOT_ALL };

/**
 * struct attempt - a call, and what it is made on
 * @prepare: makes it, without faults
 * @with: argument of @prepare
 * @call: the call; not negative: it succeeded
 * @arg: argument of @call
 * @err: what it may fail with besides ENOMEM and EFAULT, as natively, or 0
 * @kept: how much must be as before when it has failed
 */
struct attempt {
	long (*prepare)(long with);
	long with;
	long (*call)(long arg);
	long arg;
	int err;
	enum kept kept;
};

/* What is seen of the state, to be compared. */
struct view {
	size_t length;
	char text[1 << 16];
};

void __attribute__((format(printf, 2, 3))) view_add(struct view *view, const char *format, ...);

/**
 * struct stage - what all attempts of a program have in common
 * @begin: in the process of an attempt, before all else
 * @look: adds what only this program knows; NULL: nothing
 * @is_wrong: whether a count is not what it should be, when the call has @failed or not;
 *	      NULL: there is none
 * @clear: in the test's process: ends what an attempt has made
 */
struct stage {
	void (*begin)(void);
	void (*look)(struct view *view, enum kept kept);
	bool (*is_wrong)(bool failed);
	void (*clear)(void);
};

/* Of the process of an attempt: its descriptor of the device; whether a look would change. */
extern int device;
extern bool unseen;
/* Mappings of segments, at the last look. */
extern unsigned long attachments;

/* Once for a process that is to have faults.  Return: 0 or -1. */
int faults_begin(void);
/* The @nth allocation or copy from now on fails, of this thread. */
void faults_inject(int nth);

/* Whether there are faults to be had; and sleeping allocations fail, without a word. */
bool faults_there_are(void);
int faults_set_up(void);

enum { AGAIN, DONE, NOT_PREPARED, WRONG_ERRNO, NOT_AS_BEFORE, THEN_FAILED, WRONG_COUNT };
extern const char *const outcomes[];

/* Return: an outcome. */
int attempt_make(const struct stage *stage, const struct attempt *attempt, int nth);

#endif /* KIPC_SELFTESTS_ATTEMPT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* What came of a call by somebody on native and on kipc, and how these are compared. */
#ifndef KIPC_SELFTESTS_CELLS_H
#define KIPC_SELFTESTS_CELLS_H

#include <stdbool.h>

#include "calls.h"

enum { NATIVE, KIPC, BOTH };

/* What came of a call. */
struct cell {
	long ret;
	int err;
	bool done;
	struct output out;
};

/**
 * struct difference - cells that differ, as Documentation/differences.rst tells
 * @heading: under which; NULL: the end of the list
 * @calls: by fnmatch
 * @who: likewise
 * @native: errno there, or 0
 * @kipc: likewise
 */
struct difference {
	const char *heading, *calls, *who;
	int native, kipc;
};

#define DIFFERENCES	32	/* of a list, at most */

/**
 * struct tally - what was compared
 * @differences: those that are wanted
 * @differed: how often
 */
struct tally {
	const struct difference *differences;
	unsigned long compared, intended, wrong;
	unsigned int differed[DIFFERENCES];
};

/* Make a cell of a call's result and errno. */
struct cell cell_of(long ret, const struct output *out);
/* LETS or REFUSES, or neither. */
unsigned int cell_shape(const struct cell *c);

/* Compare those of both.  Return: whether they differ, and are to. */
bool cells_compare(struct tally *t, const char *who, const char *what, int mode,
		   const struct cell *c);
/* A call that nobody was refused, or everybody was, has tested nothing. */
void cells_check_shape(struct tally *t, const char *what, unsigned int shape, unsigned int seen);
/* A difference that there is not has no place in the list.  Tells how many cells there were. */
void cells_check(struct tally *t);

#endif /* KIPC_SELFTESTS_CELLS_H */

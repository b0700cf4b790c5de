/* SPDX-License-Identifier: GPL-2.0 */
/* What is called: every call and command of every kind, on native IPC and on kipc. */
#ifndef KIPC_SELFTESTS_CALLS_H
#define KIPC_SELFTESTS_CALLS_H

#include "common/ipc.h"

/**
 * struct object - what is called on
 * @mode: as it was made
 * @index: in the tables of its kind
 */
struct object {
	key_t key;
	int mode, id, index;
};

/* What a call gave back beside its result, folded into one number. */
struct output {
	uint64_t sum;
};

static inline void output_add(struct output *out, uint64_t value)
{
	out->sum = (out->sum ^ value) * 0x100000001b3;
}

/*
 * Whether somebody must have been let, and somebody have been refused, EACCES or EPERM.
 * What follows from an earlier call is compared if there was no difference so far.
 */
enum { LETS = 1, REFUSES = 2, FOLLOWS = 4 };

/**
 * struct call_row - one row of the matrix
 * @try_call: the call as @ipc has it; what native lacks is compared with what stands there
 *	      for the same right
 * @shape: LETS, REFUSES, FOLLOWS
 */
struct call_row {
	const char *name;
	long (*try_call)(const struct ipc *ipc, const struct object *o, long arg,
			 struct output *out);
	long arg;
	unsigned int shape;
};

/* By kind, on objects of every mode; the last table's are on none.  In order. */
enum { SHM_CALLS, SEM_CALLS, MSG_CALLS, OTHER_CALLS, CALL_TABLES };

extern const struct call_row *const call_tables[CALL_TABLES];
extern const unsigned int call_counts[CALL_TABLES];

/* An object of a kind with that mode, made and given away by whoever calls, or id -1. */
struct object make_object(const struct ipc *ipc, unsigned int kind, int mode);
/* Its state, as root sees it. */
long look_at_object(const struct ipc *ipc, const struct object *o, long kind,
		    struct output *out);

#endif /* KIPC_SELFTESTS_CALLS_H */

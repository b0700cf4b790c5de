/* SPDX-License-Identifier: GPL-2.0 */
/* What is called: every call and command of every kind, on native IPC and on kipc. */
#ifndef KIPC_SELFTESTS_CALLS_H
#define KIPC_SELFTESTS_CALLS_H

#include <linux/kipc.h>

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
 * MAY_LET: if there is what it takes, which need not be.
 */
enum { LETS = 1, REFUSES = 2, FOLLOWS = 4, MAY_LET = 8 };

/**
 * struct call_row - one row of the matrix
 * @try_call: the call as @ipc has it; what native lacks is compared with what stands there
 *	      for the same right
 * @shape: LETS, REFUSES, FOLLOWS, MAY_LET
 */
struct call_row {
	const char *name;
	long (*try_call)(const struct ipc *ipc, const struct object *o, long arg,
			 struct output *out);
	long arg;
	unsigned int shape;
};

/* By kind, on objects of every mode, and on none.  In order. */
extern const struct call_row shm_calls[], sem_calls[], msg_calls[], other_calls[];
extern const unsigned int shm_call_count, sem_call_count, msg_call_count, other_call_count;

/* What IPC_SET is to change of an object. */
enum change { SET_SAME, SET_MODE, SET_MINE, SET_UNKNOWN };

void change_perm(struct ipc_perm *perm, enum change how);
void output_add_perm(struct output *out, const struct ipc_perm *perm);

/* An object of a kind with that mode, made and given away by whoever calls, or id -1. */
struct object make_object(const struct ipc *ipc, unsigned int kind, int mode);
/* Its state, as root sees it. */
long look_at_object(const struct ipc *ipc, const struct object *o, long kind,
		    struct output *out);

/*
 * The arg of open_handle(): a descriptor for an object, with O_RDONLY, O_WRONLY or O_RDWR.
 * Natively its key is asked for with the same rights.
 */
#define HANDLE(kind, flags)	((kind) << 8 | (flags))
long open_handle(const struct ipc *ipc, const struct object *o, long arg, struct output *out);

/* The same of each kind. */
int shm_make(const struct ipc *ipc, key_t key, int mode);
int sem_make(const struct ipc *ipc, key_t key, int mode);
int msg_make(const struct ipc *ipc, key_t key, int mode);
long shm_look(const struct ipc *ipc, const struct object *o, struct output *out);
long sem_look(const struct ipc *ipc, const struct object *o, struct output *out);
long msg_look(const struct ipc *ipc, const struct object *o, struct output *out);

#endif /* KIPC_SELFTESTS_CALLS_H */

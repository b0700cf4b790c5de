/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Permissions as a matrix: every mode of the nine bits, every relation of a caller to an
 * object, every call that asks.  The rule is told here once more in a few lines.
 */
#ifndef KIPC_SELFTESTS_MATRIX_H
#define KIPC_SELFTESTS_MATRIX_H

#include <linux/capability.h>

#include "ipc.h"
#include "peer.h"

#define MODES	01000

/* Uids and gids: an object's owner and creator are never the same. */
enum { OWNER = 2001, CREATOR, STRANGER };
enum { OWNER_GROUP = 3001, CREATOR_GROUP, NO_GROUP };

#define CAP(c)	(1ull << (c))

struct caller {
	struct who who;
	int class;	/* the shift of the mode bits that count */
};

extern const struct caller callers[];
extern const unsigned int caller_count;

/* A call of the kind's own; @needs are the rights, as in one class of the mode. */
struct call {
	const char *name;
	int kind, arg, needs;
};

#define KEY(mode)	(0x5000 + (mode))

/**
 * struct matrix - what differs between the kinds
 * @calls: the calls, up to the one without a name
 * @make: an object under KEY(mode), made by whoever calls and given to OWNER with that
 *	  mode; its id or -1
 * @try_call: one call; 0 or the errno
 */
struct matrix {
	const struct call *calls;
	int (*make)(const struct ipc *ipc, int mode);
	int (*try_call)(const struct ipc *ipc, const struct call *c, int mode, int id, int index);
};

/* An object of @mode, made by CREATOR: its id or -1. */
int matrix_make(const struct ipc *ipc, const struct matrix *matrix, int mode);
/* How many results are not as they should be, or -1; the first ten are told. */
int matrix_wrong(const struct ipc *ipc, const struct matrix *matrix, const int *id);

#endif /* KIPC_SELFTESTS_MATRIX_H */

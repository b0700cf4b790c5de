/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls on handles that do not sleep themselves: what io_uring's commands (uring.h) and a
 * wait for any of several (any.h) are made of.
 *
 * A call is loaded, once, from the structure that the ioctl of that name has; tried, as
 * often as need be; and what came of it while it slept is collected.  While it sleeps its
 * record is in a queue of the object, and whoever finishes it calls kipc_sleeper.finished.
 *
 * Level 6.  Locks: takes those of the objects.
 */
#ifndef KIPC_ASYNC_H
#define KIPC_ASYNC_H

#include "msg.h"
#include "object.h"
#include "sem.h"
#include "wait.h"

#define KIPC_ASYNC_FEW	4

/**
 * struct kipc_async - a call
 * @grant: object, and rights to it; whose file must be held
 * @msg: user address of the message to receive
 * @size: room for it, its type included
 * @many: of a set: its operations, when they are no few; else NULL
 * @few: of a set: its operations
 * @call: what both kinds have in common
 * @sem: of a set
 * @queue: of a queue
 */
struct kipc_async {
	const struct kipc_grant *grant;
	u64 msg;
	u64 size;
	struct sembuf *many;
	struct sembuf few[KIPC_ASYNC_FEW];
	union {
		struct kipc_sleeper call;
		struct kipc_sem_sleeper sem;
		struct kipc_msg_sleeper queue;
	};
};

static_assert(!offsetof(struct kipc_sem_sleeper, call));
static_assert(!offsetof(struct kipc_msg_sleeper, call));

int kipc_async_load(struct kipc_async *async, const struct kipc_grant *grant, unsigned int call,
		    u64 arg, struct kipc_timeout *timeout);
void kipc_async_load_sop(struct kipc_async *async, const struct kipc_grant *grant,
			 const struct sembuf *sop);
void kipc_async_move(struct kipc_async *to, const struct kipc_async *from);
long kipc_async_try(struct kipc_async *async, bool waits);
long kipc_async_collect(struct kipc_async *async);
bool kipc_async_end(struct kipc_object *object, struct kipc_async *async, int status);
void kipc_async_unload(struct kipc_async *async, long result);

#endif /* KIPC_ASYNC_H */

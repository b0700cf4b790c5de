/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls on handles by io_uring's IORING_OP_URING_CMD.
 *
 * A command that cannot go on sleeps in the object's queues like any other call, in turn
 * with them, but no task sleeps with it: whoever carries it out has io_uring tell the task
 * that submitted it.  It ends also when its ring or its task does, and when it is too late.
 *
 * Level 6.  Locks: none of its own; io_uring's lock of the ring is held around it.
 */
#ifndef KIPC_URING_H
#define KIPC_URING_H

#include <linux/kconfig.h>

struct io_uring_cmd;

#if IS_ENABLED(CONFIG_IO_URING)
int kipc_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
int kipc_uring_init(void);
void kipc_uring_deinit(void);
#else
static inline int kipc_uring_init(void)
{
	return 0;
}

static inline void kipc_uring_deinit(void)
{
}
#endif

#endif /* KIPC_URING_H */

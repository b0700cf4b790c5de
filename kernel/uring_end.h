/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands of io_uring that sleep, and end when their thread does, or their ring.
 *
 * io_uring has neither taken back when a thread ends whose ring lives on; until 6.6 it does
 * not tell a command that its ring ends either (compat_uring.h).
 *
 * Level 1.  Locks: kipc_uring_end_lock.
 */
#ifndef KIPC_URING_END_H
#define KIPC_URING_END_H

#include <linux/kconfig.h>

struct io_uring_cmd;
struct kipc_command;
struct task_struct;

/**
 * struct kipc_uring_end_ops - what is done to a command whose time has come
 * @get: take a reference to its record; it sleeps, and a spinlock is held
 * @end: end it, unless it has ended, and give that reference back; may sleep
 */
struct kipc_uring_end_ops {
	void (*get)(struct kipc_command *command);
	void (*end)(struct kipc_command *command);
};

#if IS_ENABLED(CONFIG_IO_URING)
void kipc_uring_end_init(const struct kipc_uring_end_ops *ops);
void kipc_uring_end_deinit(void);
void kipc_uring_end_add(struct io_uring_cmd *cmd);
void kipc_uring_end_remove(struct io_uring_cmd *cmd);
void kipc_uring_end_of_task(const struct task_struct *task);
#else
static inline void kipc_uring_end_of_task(const struct task_struct *task)
{
}
#endif

#endif /* KIPC_URING_END_H */

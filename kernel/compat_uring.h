/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What io_uring's commands of a driver look like on the kernels that kipc runs on.
 *
 * From 6.7 on a ring tells its commands when it ends, or their task.  Until then nobody
 * does: compat_uring.c looks for such every while, as long as commands sleep.
 *
 * Level 0.  Locks: kipc_uring_sleeping (mutex) is taken outside all locks of objects.
 */
#ifndef KIPC_COMPAT_URING_H
#define KIPC_COMPAT_URING_H

#include <linux/list.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#include <linux/io_uring.h>
#else
#include <linux/io_uring/cmd.h>
#endif
#include <linux/string.h>

#include <linux/kipc.h>

struct kipc_command;

/**
 * struct kipc_uring_pdu - what a command keeps for us
 * @command: its record, once it has one
 * @node: in the list of those that sleep, until 6.6
 */
struct kipc_uring_pdu {
	struct kipc_command *command;
	struct list_head node;
};

static_assert(sizeof(struct kipc_uring_pdu) <= sizeof_field(struct io_uring_cmd, pdu));

static inline struct kipc_uring_pdu *kipc_uring_pdu(struct io_uring_cmd *cmd)
{
	return (struct kipc_uring_pdu *)cmd->pdu;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline const void *kipc_uring_at(const struct io_uring_cmd *cmd)
{
	return cmd->cmd;
}
#else
static inline const void *kipc_uring_at(const struct io_uring_cmd *cmd)
{
	return cmd->sqe->cmd;
}
#endif

/**
 * kipc_uring_payload() - the bytes of a command, read once: they are user memory
 * @cmd: the command
 * @payload: filled in
 */
static inline void kipc_uring_payload(const struct io_uring_cmd *cmd,
				      struct kipc_uring_cmd *payload)
{
	const u64 *at = kipc_uring_at(cmd);

	payload->arg = READ_ONCE(at[0]);
	payload->pad = READ_ONCE(at[1]);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define IO_URING_F_CANCEL	(1 << 11)

void kipc_uring_mark_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags);
void kipc_uring_unmark_cancelable(struct io_uring_cmd *cmd);
void kipc_uring_compat_deinit(void);
#else
static inline void kipc_uring_mark_cancelable(struct io_uring_cmd *cmd,
					      unsigned int issue_flags)
{
	io_uring_cmd_mark_cancelable(cmd, issue_flags);
}

/* The ring's lock is held around it and io_uring_cmd_done(), which does it. */
static inline void kipc_uring_unmark_cancelable(struct io_uring_cmd *cmd)
{
}

static inline void kipc_uring_compat_deinit(void)
{
}
#endif

#endif /* KIPC_COMPAT_URING_H */

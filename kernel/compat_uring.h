/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What io_uring's commands of a driver look like on the kernels that kipc runs on.
 *
 * From 6.7 on a ring tells its commands when it ends.  Until then nobody does, so
 * uring_end.c looks for such every while, as long as commands sleep.
 *
 * Level 0.
 */
#ifndef KIPC_COMPAT_URING_H
#define KIPC_COMPAT_URING_H

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#include <linux/io_uring.h>
#include <linux/io_uring_types.h>
#include <linux/percpu-refcount.h>
#else
#include <linux/io_uring/cmd.h>
#endif
#include <linux/string.h>

#include <linux/kipc.h>

struct kipc_command;

/**
 * struct kipc_uring_pdu - what a command keeps for us
 * @command: its record, once it has one
 * @node: in the list of those that sleep (uring_end.c)
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
 */
static inline struct kipc_uring_cmd kipc_uring_payload(const struct io_uring_cmd *cmd)
{
	const u64 *at = kipc_uring_at(cmd);

	return (struct kipc_uring_cmd){ .arg = READ_ONCE(at[0]), .pad = READ_ONCE(at[1]) };
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
/* No command is issued with this. */
#define IO_URING_F_CANCEL	0

/* How often is looked whether rings have ended; 0: they tell. */
#define KIPC_URING_PERIOD	(HZ / 4)

static inline void io_uring_cmd_mark_cancelable(struct io_uring_cmd *cmd,
						unsigned int issue_flags)
{
}

static inline bool kipc_uring_is_asked_last(struct io_uring_cmd *cmd)
{
	return false;
}

static inline struct task_struct *io_uring_cmd_get_task(struct io_uring_cmd *cmd)
{
	return cmd_to_io_kiocb(cmd)->task;
}

/* Until 6.2 it had another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define in_cancel	in_idle
#endif

/*
 * The ring is about to end, which its reference count shows; or its task waits until its
 * commands have ended, as one that calls execve does, and one that is a ring's own.
 */
static inline bool kipc_uring_ring_ends(struct io_uring_cmd *cmd)
{
	struct io_kiocb *request = cmd_to_io_kiocb(cmd);

	return percpu_ref_is_dying(&request->ctx->refs) ||
	       atomic_read(&request->task->io_uring->in_cancel);
}
#else
#define KIPC_URING_PERIOD	0

/* Of those that a ring asks to end, before it asks all of them again; its lock is held. */
static inline bool kipc_uring_is_asked_last(struct io_uring_cmd *cmd)
{
	return !cmd_to_io_kiocb(cmd)->hash_node.next;
}

static inline bool kipc_uring_ring_ends(struct io_uring_cmd *cmd)
{
	return false;
}
#endif

#endif /* KIPC_COMPAT_URING_H */

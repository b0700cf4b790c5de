// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on handles by io_uring: see uring.h.
 *
 * What can be done at once is, with nothing but the stack.  Otherwise a record of the
 * command is made, and the call tried again with it: then it is in the object's queue.
 * The record goes when the command is completed, by its task (kipc_command_done); a
 * time-out may keep it for longer.
 */
#include <linux/errno.h>
#include <linux/hrtimer.h>
#include <linux/ipc.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#include <linux/kipc.h>

#include "compat_uring.h"
#include "handle.h"
#include "ioctl.h"
#include "msg.h"
#include "sem.h"
#include "uring.h"
#include "wait.h"

/**
 * struct kipc_command - a command that sleeps, or has
 * @cmd: io_uring's; its task only
 * @refs: one is the command's, one the timer's
 * @object: what it is about, with a reference
 * @msg: user address of the message to receive
 * @size: room for it, its type included
 * @timer: ends it, if it has a time-out
 * @late: does what @timer is for
 * @is_timed: it has
 * @call: what all kinds have in common
 * @sem: of a set
 * @queue: of a queue
 * @sops: of a set: the operations
 */
struct kipc_command {
	struct io_uring_cmd *cmd;
	refcount_t refs;
	struct kipc_object *object;
	u64 msg;
	u64 size;
	struct hrtimer timer;
	struct work_struct late;
	bool is_timed;
	union {
		struct kipc_sleeper call;
		struct kipc_sem_sleeper sem;
		struct kipc_msg_sleeper queue;
	};
	struct sembuf sops[];
};

static_assert(!offsetof(struct kipc_sem_sleeper, call));
static_assert(!offsetof(struct kipc_msg_sleeper, call));

/* No message is longer. */
#define KIPC_URING_ROOM	((u64)INT_MAX)

static struct workqueue_struct *kipc_uring_workqueue;

/* ---- Records ---- */

static void kipc_command_put(struct kipc_command *command)
{
	if (!refcount_dec_and_test(&command->refs))
		return;
	kipc_object_put(command->object);
	put_pid(command->call.pid);
	kvfree(command);
}

/* It gets this result, unless it has one. */
static void kipc_command_end(struct kipc_command *command, int status)
{
	if (command->object->kind == KIPC_KIND_SEM)
		kipc_sem_end_async(command->object, &command->sem, status);
	else
		kipc_msg_end_async(command->object, &command->queue, status);
}

static void kipc_command_late(struct work_struct *work)
{
	struct kipc_command *command = container_of(work, struct kipc_command, late);

	kipc_command_end(command, -EAGAIN);
	kipc_command_put(command);
}

static enum hrtimer_restart kipc_command_expire(struct hrtimer *timer)
{
	struct kipc_command *command = container_of(timer, struct kipc_command, timer);

	queue_work(kipc_uring_workqueue, &command->late);
	return HRTIMER_NORESTART;
}

static void kipc_command_done(struct io_uring_cmd *cmd, unsigned int issue_flags);

/* By whoever has its result; the object's lock is held. */
static void kipc_command_finished(struct kipc_sleeper *call)
{
	struct kipc_command *command = container_of(call, struct kipc_command, call);

	io_uring_cmd_complete_in_task(command->cmd, kipc_command_done);
}

static struct kipc_command *kipc_command_new(struct io_uring_cmd *cmd, unsigned int nsops)
{
	struct kipc_command *command;

	command = kvzalloc(struct_size(command, sops, nsops), GFP_KERNEL_ACCOUNT);
	if (!command)
		return NULL;
	command->cmd = cmd;
	refcount_set(&command->refs, 1);
	command->object = kipc_handle_grant(cmd->file)->object;
	kipc_object_get(command->object);
	command->call.pid = get_pid(task_tgid(current));
	command->call.status = KIPC_BEGINS;
	command->call.finished = kipc_command_finished;
	return command;
}

/* From here on it may be ended at any time. */
static void kipc_command_start(struct kipc_command *command,
			       const struct kipc_timeout *timeout, unsigned int issue_flags)
{
	struct kipc_uring_pdu *pdu = kipc_uring_pdu(command->cmd);

	pdu->command = command;
	kipc_uring_mark_cancelable(command->cmd, issue_flags);
	if (timeout->expires == KTIME_MAX)
		return;
	command->is_timed = true;
	INIT_WORK(&command->late, kipc_command_late);
	hrtimer_setup(&command->timer, kipc_command_expire, timeout->clock, HRTIMER_MODE_ABS);
	refcount_inc(&command->refs);
	hrtimer_start(&command->timer, timeout->expires, HRTIMER_MODE_ABS);
}

/* It has this result.  A message that did not get into its queue goes. */
static void kipc_command_complete(struct kipc_command *command, long ret,
				  unsigned int issue_flags)
{
	if (ret && command->object->kind == KIPC_KIND_MSG &&
	    command->queue.match == KIPC_MSG_SEND)
		kipc_msg_put(command->queue.msg);
	kipc_uring_unmark_cancelable(command->cmd);
	io_uring_cmd_done(command->cmd, ret, 0, issue_flags);
	/* Up to here its ring may have ended it. */
	if (command->is_timed && hrtimer_cancel(&command->timer))
		kipc_command_put(command);
	kipc_command_put(command);
}

/* ---- Attempts ---- */

/* What msgrcv(2) returns. */
static long kipc_uring_received(ssize_t bytes)
{
	return bytes < 0 ? bytes : bytes - (ssize_t)sizeof(s64);
}

static void kipc_uring_target(struct iov_iter *to, u64 msg, u64 size)
{
	iov_iter_ubuf(to, READ, u64_to_user_ptr(msg), size);
}

/* Return: its result, or -EIOCBQUEUED: then it is not the caller's any more. */
static long kipc_command_try(struct kipc_command *command)
{
	const struct kipc_grant *grant = kipc_handle_grant(command->cmd->file);
	struct iov_iter to;

	if (command->object->kind == KIPC_KIND_SEM)
		return kipc_sem_op_async(grant, &command->sem);
	if (command->queue.match == KIPC_MSG_SEND)
		return kipc_msg_send_async(grant, &command->queue, true);
	kipc_uring_target(&to, command->msg, command->size);
	return kipc_uring_received(kipc_msg_receive_async(grant, &command->queue, &to, true));
}

/* What follows from a call that slept; its task may have no memory any more. */
static long kipc_command_result(struct kipc_command *command)
{
	const struct kipc_grant *grant = kipc_handle_grant(command->cmd->file);
	bool is_receive = command->object->kind == KIPC_KIND_MSG &&
			  command->queue.match != KIPC_MSG_SEND;
	int status = command->call.status;
	struct iov_iter to;

	if (status == KIPC_AGAIN)
		return current->mm ? kipc_command_try(command) : -ECANCELED;
	if (status || !is_receive)
		return status;
	if (!current->mm)
		return kipc_msg_received_async(grant, &command->queue, NULL);
	kipc_uring_target(&to, command->msg, command->size);
	return kipc_uring_received(kipc_msg_received_async(grant, &command->queue, &to));
}

/* In the command's task; or, if that is gone, in a worker. */
static void kipc_command_done(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct kipc_command *command = kipc_uring_pdu(cmd)->command;
	long ret = kipc_command_result(command);

	if (ret != -EIOCBQUEUED)
		kipc_command_complete(command, ret, issue_flags);
}

static long kipc_command_run(struct kipc_command *command, const struct kipc_timeout *timeout,
			     unsigned int issue_flags)
{
	long ret;

	kipc_command_start(command, timeout, issue_flags);
	ret = kipc_command_try(command);
	if (ret != -EIOCBQUEUED)
		kipc_command_complete(command, ret, issue_flags);
	return -EIOCBQUEUED;
}

/* ---- The commands ---- */

static long kipc_uring_sem_op_one(struct io_uring_cmd *cmd, const struct kipc_uring_cmd *payload,
				  unsigned int issue_flags)
{
	struct sembuf sop = {
		.sem_num = payload->sop.num, .sem_op = payload->sop.op,
		.sem_flg = payload->sop.flg,
	};
	struct kipc_command *command;
	int ret;

	if (payload->sop.pad)
		return -EINVAL;
	ret = kipc_sem_op_one(kipc_handle_grant(cmd->file), &sop, NULL);
	if (ret != KIPC_SLEEPS)
		return ret;
	command = kipc_command_new(cmd, 1);
	if (!command)
		return -ENOMEM;
	command->sops[0] = sop;
	command->sem.sops = command->sops;
	command->sem.nsops = 1;
	return kipc_command_run(command, &kipc_no_timeout, issue_flags);
}

static long kipc_uring_sem_op(struct io_uring_cmd *cmd, u64 arg, size_t size,
			      unsigned int issue_flags)
{
	struct kipc_command *command;
	struct kipc_timeout timeout;
	struct kipc_sem_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), u64_to_user_ptr(arg), size);
	if (ret)
		return ret;
	if (op.id != KIPC_SELF)
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, op.timeout, op.flags, op.clock);
	if (ret)
		return ret;
	if (!timeout.valid)
		return -EINVAL;
	ret = kipc_sem_op_granted(kipc_handle_grant(cmd->file), u64_to_user_ptr(op.sops),
				  op.nsops, NULL);
	if (ret != KIPC_SLEEPS)
		return ret;
	command = kipc_command_new(cmd, op.nsops);
	if (!command)
		return -ENOMEM;
	if (copy_from_user(command->sops, u64_to_user_ptr(op.sops),
			   op.nsops * sizeof(*command->sops))) {
		kipc_command_put(command);
		return -EFAULT;
	}
	command->sem.sops = command->sops;
	command->sem.nsops = op.nsops;
	return kipc_command_run(command, &timeout, issue_flags);
}

static long kipc_uring_send(struct io_uring_cmd *cmd, const struct kipc_msg_op *op,
			    const struct kipc_timeout *timeout, unsigned int issue_flags)
{
	const struct kipc_grant *grant = kipc_handle_grant(cmd->file);
	struct kipc_msg_sleeper call = {};
	struct kipc_command *command;
	struct iov_iter from;
	long ret;

	iov_iter_ubuf(&from, WRITE, u64_to_user_ptr(op->msg), op->size + sizeof(s64));
	ret = kipc_msg_load_async(grant, &from, &call);
	if (ret)
		return ret;
	ret = kipc_msg_send_async(grant, &call, false);
	if (ret != -EAGAIN || op->flags & IPC_NOWAIT)
		goto put_msg;
	ret = -ENOMEM;
	command = kipc_command_new(cmd, 0);
	if (!command)
		goto put_msg;
	command->queue.match = KIPC_MSG_SEND;
	command->queue.type = call.type;
	command->queue.msg = call.msg;
	return kipc_command_run(command, timeout, issue_flags);

put_msg:
	if (ret)
		kipc_msg_put(call.msg);
	return ret;
}

static long kipc_uring_receive(struct io_uring_cmd *cmd, const struct kipc_msg_op *op,
			       const struct kipc_timeout *timeout, unsigned int issue_flags)
{
	u64 size = min_t(u64, op->size, KIPC_URING_ROOM) + sizeof(s64);
	struct kipc_msg_sleeper call = {
		.type = op->type, .room = op->size,
	};
	struct kipc_command *command;
	struct iov_iter to;
	long ret;

	call.match = kipc_msg_match_of(op->flags, &call.type);
	/* As native: a copy is whole. */
	if (op->flags & MSG_NOERROR && call.match != KIPC_MSG_COPY)
		call.room = SIZE_MAX;
	kipc_uring_target(&to, op->msg, size);
	ret = kipc_msg_receive_async(kipc_handle_grant(cmd->file), &call, &to, false);
	if (ret == -E2BIG && op->flags & MSG_NOERROR)
		return -EINVAL;
	if (ret != -ENOMSG || op->flags & IPC_NOWAIT)
		return kipc_uring_received(ret);
	command = kipc_command_new(cmd, 0);
	if (!command)
		return -ENOMEM;
	command->queue.match = call.match;
	command->queue.type = call.type;
	command->queue.room = call.room;
	command->msg = op->msg;
	command->size = size;
	return kipc_command_run(command, timeout, issue_flags);
}

/* One message; it is the call's way of saying it that differs from that of an ioctl. */
static long kipc_uring_msg_op(struct io_uring_cmd *cmd, u64 arg, size_t size, bool sends,
			      unsigned int issue_flags)
{
	struct kipc_timeout timeout;
	struct kipc_msg_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), u64_to_user_ptr(arg), size);
	if (ret)
		return ret;
	if (op.id != KIPC_SELF || op.pad || op.count || (sends && op.type) ||
	    op.type != (long)op.type)
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, op.timeout, op.timeout_flags, op.clock);
	if (ret)
		return ret;
	if (!timeout.valid || op.size > LONG_MAX)
		return -EINVAL;
	if (sends)
		return kipc_uring_send(cmd, &op, &timeout, issue_flags);
	if (op.flags & MSG_COPY && (op.flags & MSG_EXCEPT || !(op.flags & IPC_NOWAIT)))
		return -EINVAL;
	return kipc_uring_receive(cmd, &op, &timeout, issue_flags);
}

static long kipc_uring_start(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	unsigned int kind = kipc_handle_grant(cmd->file)->object->kind;
	unsigned int size = _IOC_SIZE(cmd->cmd_op);
	struct kipc_uring_cmd payload;

	kipc_uring_payload(cmd, &payload);
	if (payload.pad)
		return -EINVAL;
	switch (cmd->cmd_op & ~IOCSIZE_MASK) {
	case KIPC_URING_SEM_OP:
		if (kind != KIPC_KIND_SEM)
			return -ENOTTY;
		return kipc_uring_sem_op_one(cmd, &payload, issue_flags);
	case KIPC_IOC_SEM_OP & ~IOCSIZE_MASK:
		if (kind != KIPC_KIND_SEM)
			return -ENOTTY;
		return kipc_uring_sem_op(cmd, payload.arg, size, issue_flags);
	case KIPC_IOC_MSG_SEND & ~IOCSIZE_MASK:
		if (kind != KIPC_KIND_MSG)
			return -ENOTTY;
		return kipc_uring_msg_op(cmd, payload.arg, size, true, issue_flags);
	case KIPC_IOC_MSG_RECEIVE & ~IOCSIZE_MASK:
		if (kind != KIPC_KIND_MSG)
			return -ENOTTY;
		return kipc_uring_msg_op(cmd, payload.arg, size, false, issue_flags);
	default:
		return -ENOTTY;
	}
}

/**
 * kipc_uring_cmd() - the operation of a handle
 * @cmd: the command
 * @issue_flags: io_uring's
 *
 * Return: 0, or -EIOCBQUEUED: completed by io_uring_cmd_done(), or to be.
 */
int kipc_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	long ret;

	if (issue_flags & IO_URING_F_CANCEL) {
		kipc_command_end(kipc_uring_pdu(cmd)->command, -ECANCELED);
		return 0;
	}
	ret = kipc_uring_start(cmd, issue_flags);
	if (!ret || ret == -EIOCBQUEUED)
		return ret;
	/* Returned, a result above 0 would be lost, and -EAGAIN be taken for another's. */
	io_uring_cmd_done(cmd, ret, 0, issue_flags);
	return -EIOCBQUEUED;
}

/**
 * kipc_uring_init() - prepare for commands
 *
 * Return: 0 or -ENOMEM.
 */
int kipc_uring_init(void)
{
	kipc_uring_workqueue = alloc_workqueue("kipc_uring", WQ_UNBOUND, 0);
	return kipc_uring_workqueue ? 0 : -ENOMEM;
}

/**
 * kipc_uring_deinit() - no command is left; a time-out's work may be
 */
void kipc_uring_deinit(void)
{
	kipc_uring_compat_deinit();
	destroy_workqueue(kipc_uring_workqueue);
}

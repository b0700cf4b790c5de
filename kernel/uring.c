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
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <linux/kipc.h>

#include "async.h"
#include "compat.h"
#include "compat_uring.h"
#include "handle.h"
#include "uring.h"
#include "uring_end.h"

/**
 * struct kipc_command - a command that sleeps, or has
 * @cmd: io_uring's; until it is completed, which who has its result sees to
 * @refs: one is the command's, one the timer's, and one whoever is about to end it has
 * @object: what it is about, with a reference
 * @timer: ends it, if it has a time-out
 * @late: does what @timer is for
 * @is_timed: it has
 * @async: the call
 */
struct kipc_command {
	struct io_uring_cmd *cmd;
	refcount_t refs;
	struct kipc_object *object;
	struct hrtimer timer;
	struct work_struct late;
	bool is_timed;
	struct kipc_async async;
};

/* Time-outs of one object wait for its lock one after the other; more would just wait too. */
#define KIPC_URING_WORKERS	4

static struct workqueue_struct *kipc_uring_workqueue;

/* ---- Records ---- */

static void kipc_command_put(struct kipc_command *command)
{
	if (!refcount_dec_and_test(&command->refs))
		return;
	kipc_object_put(command->object);
	put_pid(command->async.call.pid);
	kfree(command);
}

static void kipc_command_done(struct io_uring_cmd *cmd, unsigned int issue_flags);

static void kipc_command_complete_in_task(struct kipc_command *command)
{
	io_uring_cmd_complete_in_task(command->cmd, kipc_command_done);
}

/* It ends with this result, unless it has ended; a reference is given back. */
static void kipc_command_end(struct kipc_command *command, int status)
{
	if (kipc_async_end(command->object, &command->async, status))
		kipc_command_complete_in_task(command);
	kipc_command_put(command);
}

static void kipc_command_late(struct work_struct *work)
{
	kipc_command_end(container_of(work, struct kipc_command, late), -EAGAIN);
}

static enum hrtimer_restart kipc_command_expire(struct hrtimer *timer)
{
	struct kipc_command *command = container_of(timer, struct kipc_command, timer);

	queue_work(kipc_uring_workqueue, &command->late);
	return HRTIMER_NORESTART;
}

static void kipc_command_get(struct kipc_command *command)
{
	refcount_inc(&command->refs);
}

static void kipc_command_over(struct kipc_command *command)
{
	kipc_command_end(command, -ECANCELED);
}

static const struct kipc_uring_end_ops kipc_command_end_ops = {
	.get = kipc_command_get,
	.end = kipc_command_over,
};

/* By whoever has its result; the object's lock is held. */
static void kipc_command_finished(struct kipc_sleeper *call)
{
	kipc_command_complete_in_task(container_of(call, struct kipc_command, async.call));
}

static struct kipc_command *kipc_command_new(struct io_uring_cmd *cmd,
					     const struct kipc_async *async)
{
	struct kipc_command *command = kzalloc(sizeof(*command), GFP_KERNEL_ACCOUNT);
	struct kipc_sleeper *call;

	if (!command)
		return NULL;
	command->cmd = cmd;
	refcount_set(&command->refs, 1);
	command->object = async->grant->object;
	kipc_object_get(command->object);
	kipc_async_move(&command->async, async);
	call = &command->async.call;
	call->pid = get_pid(task_tgid(current));
	call->status = KIPC_BEGINS;
	call->finished = kipc_command_finished;
	return command;
}

/* From here on it may be ended at any time. */
static void kipc_command_start(struct kipc_command *command,
			       const struct kipc_timeout *timeout, unsigned int issue_flags)
{
	struct kipc_uring_pdu *pdu = kipc_uring_pdu(command->cmd);

	pdu->command = command;
	kipc_uring_end_add(command->cmd);
	io_uring_cmd_mark_cancelable(command->cmd, issue_flags);
	if (timeout->expires == KTIME_MAX)
		return;
	command->is_timed = true;
	INIT_WORK(&command->late, kipc_command_late);
	hrtimer_setup(&command->timer, kipc_command_expire, timeout->clock, HRTIMER_MODE_ABS);
	kipc_command_get(command);
	hrtimer_start(&command->timer, timeout->expires, HRTIMER_MODE_ABS);
}

/* It has this result. */
static void kipc_command_complete(struct kipc_command *command, long ret,
				  unsigned int issue_flags)
{
	kipc_async_unload(&command->async, ret);
	kipc_uring_end_remove(command->cmd);
	io_uring_cmd_done(command->cmd, ret, 0, issue_flags);
	/* Up to here its ring may have ended it. */
	if (command->is_timed && hrtimer_cancel(&command->timer))
		kipc_command_put(command);
	kipc_command_put(command);
}

/* In the command's task; or, if that is gone, in a worker. */
static void kipc_command_done(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct kipc_command *command = kipc_uring_pdu(cmd)->command;

	kipc_command_complete(command, kipc_async_collect(&command->async), issue_flags);
}

/* A call that would sleep. */
static long kipc_uring_wait(struct io_uring_cmd *cmd, struct kipc_async *async,
			    const struct kipc_timeout *timeout, unsigned int issue_flags)
{
	struct kipc_command *command = kipc_command_new(cmd, async);
	long ret;

	if (!command) {
		kipc_async_unload(async, -ENOMEM);
		return -ENOMEM;
	}
	kipc_command_start(command, timeout, issue_flags);
	ret = kipc_async_try(&command->async, true);
	if (ret != -EIOCBQUEUED)
		kipc_command_complete(command, ret, issue_flags);
	return -EIOCBQUEUED;
}

/* An operation without SEM_UNDO, and nothing that is to be zero is not; by few instructions. */
static __always_inline bool kipc_uring_is_plain(const struct kipc_uring_cmd *payload)
{
	const struct kipc_uring_cmd other = { .sop = { .flg = SEM_UNDO, .pad = U16_MAX } };

	return !((payload->arg & other.arg) | payload->pad);
}

/* Whether it has been carried out, as most often can be; if not there may be an error. */
static __always_inline bool kipc_uring_sem_op_brief(struct io_uring_cmd *cmd)
{
	const struct kipc_grant *grant = kipc_handle_grant(cmd->file);
	struct kipc_uring_cmd payload;

	if (cmd->cmd_op != KIPC_URING_SEM_OP || grant->object->kind != KIPC_KIND_SEM)
		return false;
	payload = kipc_uring_payload(cmd);
	return kipc_uring_is_plain(&payload) &&
	       !kipc_sem_op_brief(grant, payload.sop.num, payload.sop.op);
}

static long kipc_uring_sem_op(struct io_uring_cmd *cmd, const struct kipc_uring_cmd *payload,
			      unsigned int issue_flags)
{
	const struct kipc_grant *grant = kipc_handle_grant(cmd->file);
	struct sembuf sop = {
		.sem_num = payload->sop.num, .sem_op = payload->sop.op,
		.sem_flg = payload->sop.flg,
	};
	struct kipc_async async = {};
	int ret;

	if (grant->object->kind != KIPC_KIND_SEM)
		return -ENOTTY;
	if (payload->sop.pad)
		return -EINVAL;
	ret = kipc_sem_op_one(grant, &sop, false);
	if (ret != KIPC_SLEEPS)
		return ret;
	kipc_async_load_sop(&async, grant, &sop);
	return kipc_uring_wait(cmd, &async, &kipc_no_timeout, issue_flags);
}

static long kipc_uring_call(struct io_uring_cmd *cmd, u64 arg, unsigned int issue_flags)
{
	struct kipc_async async = {};
	struct kipc_timeout timeout;
	long ret;

	ret = kipc_async_load(&async, kipc_handle_grant(cmd->file), cmd->cmd_op, arg, &timeout);
	if (ret)
		return ret;
	async.call.pid = task_tgid(current);
	ret = kipc_async_try(&async, false);
	if (ret == KIPC_WOULD_SLEEP)
		return kipc_uring_wait(cmd, &async, &timeout, issue_flags);
	kipc_async_unload(&async, ret);
	return ret;
}

/* Apart from kipc_uring_cmd(), which is to have nothing on its stack. */
static noinline int kipc_uring_start(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	const struct kipc_uring_cmd payload = kipc_uring_payload(cmd);
	long ret;

	if (payload.pad)
		ret = -EINVAL;
	else if (cmd->cmd_op == KIPC_URING_SEM_OP)
		ret = kipc_uring_sem_op(cmd, &payload, issue_flags);
	else
		ret = kipc_uring_call(cmd, payload.arg, issue_flags);
	if (!ret || ret == -EIOCBQUEUED)
		return ret;
	/* Returned, a result above 0 would be lost, and -EAGAIN be taken for another's. */
	io_uring_cmd_done(cmd, ret, 0, issue_flags);
	return -EIOCBQUEUED;
}

/*
 * The command's ring ends, or its task executes another program.  Completed here and now, for
 * the ring asks again and again until it is, and the command's task may be stopped.  One that
 * has its result is left to that task, and the ring's worker, which would not rest, waits a
 * little each time that it has asked all.
 */
static int kipc_uring_cancel(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct kipc_command *command = kipc_uring_pdu(cmd)->command;

	if (kipc_async_end(command->object, &command->async, -ECANCELED))
		kipc_command_complete(command, -ECANCELED, issue_flags);
	else if (current->flags & PF_KTHREAD && kipc_uring_is_asked_last(cmd))
		schedule_timeout_uninterruptible(1);
	return 0;
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
	if (unlikely(issue_flags & IO_URING_F_CANCEL))
		return kipc_uring_cancel(cmd, issue_flags);
	return likely(kipc_uring_sem_op_brief(cmd)) ? 0 : kipc_uring_start(cmd, issue_flags);
}

/**
 * kipc_uring_init() - prepare for commands
 *
 * Return: 0 or -ENOMEM.
 */
int kipc_uring_init(void)
{
	kipc_uring_workqueue = alloc_workqueue("kipc_uring", WQ_UNBOUND, KIPC_URING_WORKERS);
	if (!kipc_uring_workqueue)
		return -ENOMEM;
	kipc_uring_end_init(&kipc_command_end_ops);
	return 0;
}

/**
 * kipc_uring_deinit() - no command is left; a time-out's work may be
 */
void kipc_uring_deinit(void)
{
	kipc_uring_end_deinit();
	destroy_workqueue(kipc_uring_workqueue);
}

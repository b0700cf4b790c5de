// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on handles that do not sleep themselves: see async.h.
 */
#include <linux/errno.h>
#include <linux/ipc.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <linux/kipc.h>

#include "async.h"
#include "ioctl.h"
#include "space.h"

/* No message is longer. */
#define KIPC_ASYNC_ROOM	((u64)INT_MAX)

static bool kipc_async_is_receive(const struct kipc_async *async)
{
	return async->grant->object->kind == KIPC_KIND_MSG &&
	       async->queue.match != KIPC_MSG_SEND;
}

/* ---- Load ---- */

/**
 * kipc_async_load_sop() - one operation on a set
 * @async: zeroed
 * @grant: the set, and rights to it
 * @sop: the operation
 */
void kipc_async_load_sop(struct kipc_async *async, const struct kipc_grant *grant,
			 const struct sembuf *sop)
{
	async->grant = grant;
	async->few[0] = *sop;
	async->sem.sops = async->few;
	async->sem.nsops = 1;
}

static int kipc_async_load_sem(struct kipc_async *async, u64 arg, size_t size,
			       struct kipc_timeout *timeout)
{
	struct sembuf *sops = async->few;
	struct kipc_sem_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), u64_to_user_ptr(arg), size);
	if (ret)
		return ret;
	if (op.id != KIPC_SELF)
		return -EINVAL;
	ret = kipc_timeout_get(timeout, op.timeout, op.flags & ~KIPC_SEM_OP_OWNER, op.clock);
	if (ret)
		return ret;
	if (op.nsops > READ_ONCE(async->grant->object->space->sem_limits.opm))
		return -E2BIG;
	if (!op.nsops || !timeout->valid)
		return -EINVAL;
	if (op.nsops > KIPC_ASYNC_FEW) {
		sops = kvmalloc_array(op.nsops, sizeof(*sops), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!sops)
			return -ENOMEM;
		async->many = sops;
	}
	if (copy_from_user(sops, u64_to_user_ptr(op.sops), op.nsops * sizeof(*sops))) {
		kvfree(async->many);
		return -EFAULT;
	}
	async->sem.sops = sops;
	async->sem.nsops = op.nsops;
	async->sem.asks = op.flags & KIPC_SEM_OP_OWNER;
	return 0;
}

static int kipc_async_load_send(struct kipc_async *async, const struct kipc_msg_op *op)
{
	struct iov_iter from;

	iov_iter_ubuf(&from, WRITE, u64_to_user_ptr(op->msg), op->size + sizeof(s64));
	return kipc_msg_load_async(async->grant, &from, &async->queue);
}

static int kipc_async_load_receive(struct kipc_async *async, const struct kipc_msg_op *op)
{
	struct kipc_msg_sleeper *sleeper = &async->queue;

	if (op->flags & MSG_COPY && (op->flags & MSG_EXCEPT || !(op->flags & IPC_NOWAIT)))
		return -EINVAL;
	sleeper->type = op->type;
	sleeper->match = kipc_msg_match_of(op->flags, &sleeper->type);
	sleeper->room = op->flags & MSG_NOERROR ? SIZE_MAX : op->size;
	async->msg = op->msg;
	async->size = min(op->size, KIPC_ASYNC_ROOM) + sizeof(s64);
	return 0;
}

static int kipc_async_load_msg(struct kipc_async *async, u64 arg, size_t size, bool sends,
			       struct kipc_timeout *timeout)
{
	struct kipc_msg_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), u64_to_user_ptr(arg), size);
	if (ret)
		return ret;
	if (op.id != KIPC_SELF || op.pad || op.count || (sends && op.type) ||
	    op.type != (long)op.type)
		return -EINVAL;
	ret = kipc_timeout_get(timeout, op.timeout, op.timeout_flags, op.clock);
	if (ret)
		return ret;
	if (!timeout->valid || op.size > LONG_MAX)
		return -EINVAL;
	async->queue.nowait = op.flags & IPC_NOWAIT;
	return sends ? kipc_async_load_send(async, &op) : kipc_async_load_receive(async, &op);
}

/**
 * kipc_async_load() - a call in the caller's memory
 * @async: zeroed
 * @grant: the object, and rights to it
 * @call: KIPC_IOC_SEM_OP, KIPC_IOC_MSG_SEND or KIPC_IOC_MSG_RECEIVE
 * @arg: user address of its structure; its message has a type of 64 bits
 * @timeout: filled in
 *
 * Return: 0, -ENOTTY: no such call on this object, or an error as the call has it; then
 *	   there is nothing to unload.
 */
int kipc_async_load(struct kipc_async *async, const struct kipc_grant *grant, unsigned int call,
		    u64 arg, struct kipc_timeout *timeout)
{
	unsigned int kind = grant->object->kind;
	size_t size = _IOC_SIZE(call);

	async->grant = grant;
	call &= ~IOCSIZE_MASK;
	if (kind == KIPC_KIND_SEM && call == (KIPC_IOC_SEM_OP & ~IOCSIZE_MASK))
		return kipc_async_load_sem(async, arg, size, timeout);
	if (kind == KIPC_KIND_MSG && call == (KIPC_IOC_MSG_SEND & ~IOCSIZE_MASK))
		return kipc_async_load_msg(async, arg, size, true, timeout);
	if (kind == KIPC_KIND_MSG && call == (KIPC_IOC_MSG_RECEIVE & ~IOCSIZE_MASK))
		return kipc_async_load_msg(async, arg, size, false, timeout);
	return -ENOTTY;
}

/**
 * kipc_async_move() - put a call elsewhere
 * @to: from here on it is this
 * @from: loaded, and tried without waiting perhaps; gone
 */
void kipc_async_move(struct kipc_async *to, const struct kipc_async *from)
{
	*to = *from;
	if (to->grant->object->kind == KIPC_KIND_SEM && !to->many)
		to->sem.sops = to->few;
}

/**
 * kipc_async_unload() - free what a call has of its own
 * @async: the call, which does not sleep
 * @result: what came of it: a message that has been sent is the queue's
 */
void kipc_async_unload(struct kipc_async *async, long result)
{
	if (async->grant->object->kind == KIPC_KIND_SEM)
		kvfree(async->many);
	else if (result && async->queue.match == KIPC_MSG_SEND)
		kipc_msg_put(async->queue.msg);
}

/* ---- Try ---- */

/* What msgrcv(2) returns. */
static long kipc_async_received(ssize_t bytes)
{
	return bytes < 0 ? bytes : bytes - (ssize_t)sizeof(s64);
}

static void kipc_async_target(const struct kipc_async *async, struct iov_iter *to)
{
	iov_iter_ubuf(to, READ, u64_to_user_ptr(async->msg), async->size);
}

/**
 * kipc_async_try() - carry a call out, or leave it to whoever can
 * @async: the call; with @waits its kipc_sleeper.task is NULL and .finished is there
 * @waits: it may sleep, unless the caller said otherwise
 *
 * Context: process, the caller's memory; may sleep, but not until the call can go on.
 * Return: the call's result; KIPC_WOULD_SLEEP, without @waits; -EIOCBQUEUED: it
 *	   does, and kipc_sleeper.finished will be called, or has been; -ECANCELED: see
 *	   kipc_sleeper.claim.
 */
long kipc_async_try(struct kipc_async *async, bool waits)
{
	struct iov_iter to;
	long ret;

	if (async->grant->object->kind == KIPC_KIND_SEM) {
		ret = kipc_sem_op_async(async->grant, &async->sem, waits);
		return ret == KIPC_SLEEPS ? KIPC_WOULD_SLEEP : ret;
	}
	if (async->queue.match == KIPC_MSG_SEND)
		return kipc_msg_send_async(async->grant, &async->queue, waits);
	kipc_async_target(async, &to);
	return kipc_async_received(kipc_msg_receive_async(async->grant, &async->queue, &to, waits));
}

/* A process may be killed by another thread's signal, and this one have taken its own. */
static bool kipc_async_caller_dies(void)
{
	return !current->mm || fatal_signal_pending(current) ||
	       READ_ONCE(current->signal->flags) & SIGNAL_GROUP_EXIT;
}

/**
 * kipc_async_collect() - what came of a call that slept
 * @async: the call; it sleeps no more
 *
 * Context: process, as kipc_async_try(); without memory of the caller's too.
 * Return: the call's result; -ECANCELED: the caller is dying, or has no memory any more,
 *	   and the message is in the queue again.
 */
long kipc_async_collect(struct kipc_async *async)
{
	int status = async->call.status;
	struct iov_iter to;

	if (status || !kipc_async_is_receive(async))
		return status;
	if (kipc_async_caller_dies())
		return kipc_msg_received_async(async->grant, &async->queue, NULL);
	kipc_async_target(async, &to);
	return kipc_async_received(kipc_msg_received_async(async->grant, &async->queue, &to));
}

/**
 * kipc_async_end() - a call gets this result, unless it has one
 * @object: of the call, whose own grant may be gone if it has one
 * @async: the call
 * @status: the result
 *
 * Return: whether it slept; kipc_sleeper.finished will not be called then, so whoever ends
 *	   it tells whose it is.
 */
bool kipc_async_end(struct kipc_object *object, struct kipc_async *async, int status)
{
	if (object->kind == KIPC_KIND_SEM)
		return kipc_sem_end_async(object, &async->sem, status);
	return kipc_msg_end_async(object, &async->queue, status);
}

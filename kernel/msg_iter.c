// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that come from and go to where an iterator says: their type, 64 bits, then their
 * bytes.  What handles and asynchronous calls are made of.  See msg.h, and msg_op.c for what
 * happens to them.
 */
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "msg.h"
#include "space.h"

static struct kipc_msg *kipc_msg_load_typed(const struct kipc_grant *grant,
					    struct iov_iter *from)
{
	size_t size = iov_iter_count(from);
	struct kipc_msg *msg;
	s64 type;

	if (size < sizeof(type) ||
	    size - sizeof(type) > READ_ONCE(grant->object->space->msg_limits.max))
		return ERR_PTR(-EINVAL);
	if (!copy_from_iter_full(&type, sizeof(type), from))
		return ERR_PTR(-EFAULT);
	if (type < 1 || type > LONG_MAX)
		return ERR_PTR(-EINVAL);
	msg = kipc_msg_load_iter(from, size - sizeof(type));
	if (!IS_ERR(msg))
		msg->place.value = type;
	return msg;
}

/**
 * kipc_msg_write() - send a message that an iterator has: its type, 64 bits, then its bytes
 * @grant: the queue, and rights to it
 * @from: where the message is
 * @waits: for room
 *
 * Context: process; may sleep.
 * Return: the bytes of both, or an error as msgsnd(2) has it.
 */
ssize_t kipc_msg_write(const struct kipc_grant *grant, struct iov_iter *from, bool waits)
{
	size_t size = iov_iter_count(from);
	struct kipc_msg *msg;
	int ret;

	msg = kipc_msg_load_typed(grant, from);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	ret = kipc_msg_send_made(grant, msg, waits ? &kipc_no_timeout : NULL);
	if (!ret)
		return size;
	kipc_msg_put(msg);
	return ret;
}

/* Copy out what was received, a @copy or not; its type, and its bytes as far as there is room. */
static ssize_t kipc_msg_deliver_iter(struct kipc_msg_queue *queue, struct kipc_msg *msg,
				     bool copy, struct iov_iter *to)
{
	s64 type = msg->place.value;
	size_t size;

	if (copy_to_iter(&type, sizeof(type), to) == sizeof(type)) {
		size = min_t(size_t, iov_iter_count(to), msg->size);
		if (!kipc_msg_store_iter(to, size, msg)) {
			kipc_msg_put(msg);
			return sizeof(type) + size;
		}
	}
	if (copy)
		kipc_msg_put(msg);
	else
		kipc_msg_return(queue, msg);
	return -EFAULT;
}

/**
 * kipc_msg_read() - receive a message to where an iterator says, laid out as kipc_msg_write()
 * @grant: the queue, and rights to it
 * @to: where to
 * @match: which message
 * @type: of which type
 * @waits: for one
 *
 * A message that is too large, or cannot be written there, stays in the queue.
 *
 * Context: process; may sleep.
 * Return: the bytes of both, or an error as msgrcv(2) has it, but -EAGAIN for -ENOMSG.
 */
ssize_t kipc_msg_read(const struct kipc_grant *grant, struct iov_iter *to,
		      enum kipc_msg_match match, long type, bool waits)
{
	size_t room = iov_iter_count(to);
	struct kipc_msg *msg;

	if (room < sizeof(s64))
		return -EINVAL;
	msg = kipc_msg_receive_whole(grant, match, type, room - sizeof(s64),
				     waits ? &kipc_no_timeout : NULL);
	if (IS_ERR(msg))
		return PTR_ERR(msg) == -ENOMSG ? -EAGAIN : PTR_ERR(msg);
	return kipc_msg_deliver_iter(kipc_msg_queue_of(grant->object), msg, false, to);
}

/* ---- Asynchronously ---- */

/**
 * kipc_msg_load_async() - the message of an asynchronous msgsnd(2)
 * @grant: the queue, and rights to it
 * @from: where the message is, as for kipc_msg_write()
 * @sleeper: filled in
 *
 * Return: 0, or an error as msgsnd(2) has it.
 */
int kipc_msg_load_async(const struct kipc_grant *grant, struct iov_iter *from,
			struct kipc_msg_sleeper *sleeper)
{
	sleeper->match = KIPC_MSG_SEND;
	sleeper->msg = kipc_msg_load_typed(grant, from);
	if (IS_ERR(sleeper->msg))
		return PTR_ERR(sleeper->msg);
	sleeper->type = sleeper->msg->place.value;
	return 0;
}

/**
 * kipc_msg_receive_async() - msgrcv(2) that does not sleep, but may leave @sleeper to
 * @grant: the queue, and rights to it
 * @sleeper: what is wanted
 * @to: where to, laid out as kipc_msg_write()
 * @waits: for a message
 *
 * Context: process; may sleep, but not for a message.
 * Return: bytes of both; KIPC_WOULD_SLEEP and -EIOCBQUEUED as kipc_msg_send_async(); or
 *	   an error as msgrcv(2) has it.
 */
ssize_t kipc_msg_receive_async(const struct kipc_grant *grant, struct kipc_msg_sleeper *sleeper,
			       struct iov_iter *to, bool waits)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(grant->object);
	enum kipc_msg_match match = sleeper->match;
	struct kipc_msg *msg;
	int ret;

	ret = kipc_msg_take_async(grant, sleeper, waits, &msg);
	if (ret)
		return ret;
	/* As native: a copy is whole. */
	if (match == KIPC_MSG_COPY && msg->size > iov_iter_count(to) - sizeof(s64)) {
		kipc_msg_put(msg);
		return -EINVAL;
	}
	return kipc_msg_deliver_iter(queue, msg, match == KIPC_MSG_COPY, to);
}

/**
 * kipc_msg_received_async() - what an asynchronous msgrcv(2) was given while it slept
 * @grant: the queue
 * @sleeper: its status is 0
 * @to: where to; NULL: there is nowhere any more
 *
 * Return: bytes of both; -EFAULT, or -ECANCELED without @to: the message is in the queue
 *	   again.
 */
ssize_t kipc_msg_received_async(const struct kipc_grant *grant,
				struct kipc_msg_sleeper *sleeper, struct iov_iter *to)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(grant->object);

	if (to)
		return kipc_msg_deliver_iter(queue, sleeper->msg, false, to);
	kipc_msg_return(queue, sleeper->msg);
	return -ECANCELED;
}

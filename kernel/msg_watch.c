// SPDX-License-Identifier: GPL-2.0
/*
 * Watching a queue: see watch.h.
 */
#include <linux/err.h>
#include <linux/sched.h>

#include "msg.h"

/**
 * kipc_msg_see_locked() - what a watch of a queue sees
 * @object: the queue; its lock is held
 * @watch: the watch
 *
 * Return: EPOLLIN: a message as it wants; EPOLLOUT: there is room.
 */
__poll_t kipc_msg_see_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);
	struct kipc_msg *msg;
	__poll_t now = 0;

	msg = kipc_msg_find_locked(queue, watch->match, watch->type);
	if (IS_ERR(msg)) {
		/* That takes longer: it is looked again once others had the lock. */
		queue->unseen = true;
		now |= watch->shown & (EPOLLIN | EPOLLRDNORM);
	} else if (msg) {
		now |= EPOLLIN | EPOLLRDNORM;
	}
	if (kipc_msg_fits_locked(queue, 1))
		now |= EPOLLOUT | EPOLLWRNORM;
	return now;
}

/**
 * kipc_msg_object_lock() - take the lock of a queue's state, to look for something
 * @object: the queue
 * @watch: what is looked for
 *
 * Context: may sleep.
 */
void kipc_msg_object_lock(struct kipc_object *object, const struct kipc_watch *watch)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);

	mutex_lock(&queue->lock);
	while (IS_ERR(kipc_msg_find_locked(queue, watch->match, watch->type))) {
		kipc_msg_queue_unlock(queue);
		cond_resched();
		mutex_lock(&queue->lock);
	}
}

/**
 * kipc_msg_object_unlock() - give it back
 * @object: the queue
 */
void kipc_msg_object_unlock(struct kipc_object *object)
{
	kipc_msg_queue_unlock(kipc_msg_queue_of(object));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Message queues: their life, msgget.  See msg.h; msgsnd and msgrcv are in msg_op.c and
 * msg_iter.c, msgctl in msg_ctl.c, the messages in msg_list.c and msg_data.c.
 *
 * A queue that is removed leaves the tables at once (kipc_msg_end_locked); then, under
 * its own lock, its sleepers are woken and its messages dropped (kipc_msg_ended).
 * Whoever takes the lock must look at kipc_object.removed.
 */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "msg.h"
#include "perm.h"
#include "process.h"
#include "space.h"

/* ---- Life ---- */

static void kipc_msg_queue_free_rcu(struct rcu_head *rcu)
{
	kfree(kipc_msg_queue_of(container_of(rcu, struct kipc_object, rcu)));
	/* Module exit waits for this callback to return. */
	module_put(THIS_MODULE);
}

static void kipc_msg_queue_free(struct kipc_object *object)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);

	WARN_ON_ONCE(queue->count || queue->receiver_count || queue->sender_count);
	put_pid(queue->lspid);
	put_pid(queue->lrpid);
	kipc_process_put(object->owner);
	kipc_space_put(object->space);
	call_rcu(&object->rcu, kipc_msg_queue_free_rcu);
}

static bool kipc_msg_end_locked(struct kipc_object *object)
{
	kipc_ids_remove_locked(kipc_object_ids(object), object);
	kipc_process_disown(object);
	return true;
}

/**
 * kipc_msg_drop_all() - nobody receives what is left
 * @queue: the queue, which nobody sends to any more
 *
 * Context: may sleep.
 */
void kipc_msg_drop_all(struct kipc_msg_queue *queue)
{
	struct kipc_msg *msg, *next;
	LIST_HEAD(messages);

	mutex_lock(&queue->lock);
	list_for_each_entry_safe(msg, next, &queue->messages, list) {
		kipc_msg_remove_locked(queue, msg);
		list_add(&msg->list, &messages);
		cond_resched();
	}
	kipc_msg_queue_unlock(queue);
	list_for_each_entry_safe(msg, next, &messages, list) {
		kipc_msg_put(msg);
		cond_resched();
	}
}

static void kipc_msg_ended(struct kipc_object *object)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);

	mutex_lock(&queue->lock);
	kipc_msg_wake_all_locked(queue, -EIDRM);
	kipc_msg_queue_unlock(queue);
	kipc_msg_drop_all(queue);
}

static void kipc_msg_perm_changed(struct kipc_object *object)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);

	mutex_lock(&queue->lock);
	kipc_msg_permit_locked(queue);
	kipc_msg_queue_unlock(queue);
}

/* More bytes than a new queue has are for the privileged; native looks at 32 bits. */
static bool kipc_msg_may_set(struct kipc_object *object, u64 max_bytes)
{
	return (u32)max_bytes <= READ_ONCE(object->space->msg_limits.mnb) ||
	       capable(CAP_SYS_RESOURCE);
}

static void kipc_msg_set_locked(struct kipc_object *object, u64 max_bytes)
{
	/* As native: a signed number of 32 bits on its way. */
	WRITE_ONCE(kipc_msg_queue_of(object)->max_bytes, (int)max_bytes);
	WRITE_ONCE(kipc_msg_queue_of(object)->max_count, (int)max_bytes);
}

static unsigned long kipc_msg_users(struct kipc_object *object)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);

	return READ_ONCE(queue->receiver_count) + READ_ONCE(queue->sender_count);
}

static const struct kipc_object_ops kipc_msg_object_ops = {
	.end_locked	= kipc_msg_end_locked,
	.ended		= kipc_msg_ended,
	.may_set	= kipc_msg_may_set,
	.set_locked	= kipc_msg_set_locked,
	.perm_changed	= kipc_msg_perm_changed,
	.free		= kipc_msg_queue_free,
	.users		= kipc_msg_users,
	.lock		= kipc_msg_object_lock,
	.unlock		= kipc_msg_object_unlock,
	.see_locked	= kipc_msg_see_locked,
};

/**
 * kipc_msg_queue_init() - prepare a queue, but for its header
 * @queue: the queue, zeroed
 * @max_bytes: kipc_msg_queue.max_bytes
 * @max_count: kipc_msg_queue.max_count
 */
void kipc_msg_queue_init(struct kipc_msg_queue *queue, unsigned long max_bytes,
			 unsigned long max_count)
{
	mutex_init(&queue->lock);
	kipc_wakes_init(&queue->wakes);
	INIT_LIST_HEAD(&queue->messages);
	queue->sorted = RB_ROOT;
	queue->exact = RB_ROOT;
	queue->max_bytes = max_bytes;
	queue->max_count = max_count;
}

/* ---- msgget ---- */

static struct kipc_object *kipc_msg_new(struct kipc_space *space, const struct kipc_get *get)
{
	unsigned int max_bytes = READ_ONCE(space->msg_limits.mnb);
	struct kipc_process *process = NULL;
	struct kipc_msg_queue *queue;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	if (get->lifetime == KIPC_LIFETIME_CREATOR) {
		process = kipc_process_get_current();
		if (IS_ERR(process)) {
			kfree(queue);
			return ERR_CAST(process);
		}
	}

	/* A reference exists: the caller's open device. */
	__module_get(THIS_MODULE);
	kipc_msg_queue_init(queue, max_bytes, max_bytes);
	kipc_object_init(&queue->object, KIPC_KIND_MSG, &kipc_msg_object_ops,
			 kipc_space_get(space), get->key, get->flags & S_IRWXUGO);
	queue->object.lifetime = get->lifetime;
	if (process)
		kipc_process_adopt(process, &queue->object);
	return &queue->object;
}

static int kipc_msg_add_queue_locked(struct kipc_space *space, struct kipc_object *object)
{
	return kipc_ids_add_locked(&space->ids[KIPC_KIND_MSG], object, space->msg_limits.mni);
}

const struct kipc_kind kipc_msg_kind = {
	.kind		= KIPC_KIND_MSG,
	.new		= kipc_msg_new,
	.add_locked	= kipc_msg_add_queue_locked,
};

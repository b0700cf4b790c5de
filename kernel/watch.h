/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching an object: what poll(2) and its kin, and notices, are built on.
 *
 * A watch is armed by being polled, or by whoever wants a notice, and stays so while
 * somebody waits on it or has a notice to come: what it looks for is then looked at
 * whenever the object's lock is given back, and who waits is told of what was not so
 * before.  One that nobody wants any more is found out at the next such time, and costs
 * nothing from then on.
 *
 * Level 2.  Locks: kipc_watch_*_locked() want the state lock of the object's kind
 * (kipc_object_ops.lock); the others take it.
 */
#ifndef KIPC_WATCH_H
#define KIPC_WATCH_H

#include <linux/poll.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "object.h"

struct eventfd_ctx;
struct fasync_struct;
struct file;

/**
 * struct kipc_watch - what is looked for
 * @node: in kipc_object.watches while it is armed; the lock of the kind
 * @wait: who waits
 * @async: who gets a signal; the kernel's own lock
 * @event: the eventfd that is signalled, with a reference, or NULL; the lock of the kind
 * @events: EPOLL* that it is signalled for; the lock of the kind
 * @shown: EPOLL* that were so when it was last looked at; the lock of the kind
 * @tell_locked: called when something becomes so that was not, and may disarm the watch, which
 *		 is wanted as long as it is armed; or NULL; constant
 * @mask: EPOLL* that are anybody's business here; constant
 * @num: of a set: the semaphore; constant
 * @op: of a set: as sem_op, what is to be possible; constant
 * @match: of a queue: which messages, enum kipc_msg_match; constant
 * @type: of a queue: the type; constant
 */
struct kipc_watch {
	struct hlist_node node;
	wait_queue_head_t wait;
	struct fasync_struct *async;
	struct eventfd_ctx *event;
	__poll_t events;
	__poll_t shown;
	void (*tell_locked)(struct kipc_watch *watch);
	__poll_t mask;
	u16 num;
	s16 op;
	int match;
	long type;
};

/* What is so once the object is removed. */
#define KIPC_WATCH_REMOVED \
	(EPOLLHUP | EPOLLERR | EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM)

void kipc_watch_init(struct kipc_watch *watch);
void kipc_watch_deinit(struct kipc_object *object, struct kipc_watch *watch);
__poll_t kipc_watch_poll(struct kipc_object *object, struct kipc_watch *watch);
int kipc_watch_set_async(struct kipc_object *object, struct kipc_watch *watch, int fd,
			 struct file *file, int on);
void kipc_watch_set_event(struct kipc_object *object, struct kipc_watch *watch,
			  struct eventfd_ctx *event, __poll_t events);
void kipc_watch_arm_locked(struct kipc_object *object, struct kipc_watch *watch);
void kipc_watch_disarm_locked(struct kipc_object *object, struct kipc_watch *watch);
void kipc_watch_look_locked(struct kipc_object *object);

/**
 * kipc_watch_notify_locked() - the object may have changed
 * @object: the object
 */
static inline void kipc_watch_notify_locked(struct kipc_object *object)
{
	if (unlikely(!hlist_empty(&object->watches)))
		kipc_watch_look_locked(object);
}

#endif /* KIPC_WATCH_H */

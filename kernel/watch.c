// SPDX-License-Identifier: GPL-2.0
/*
 * Watching an object: see watch.h.
 */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "compat.h"
#include "watch.h"

/**
 * kipc_watch_init() - prepare a watch
 * @watch: zeroed, but for what it looks for
 */
void kipc_watch_init(struct kipc_watch *watch)
{
	INIT_HLIST_NODE(&watch->node);
	init_waitqueue_head(&watch->wait);
}

/* Whoever begins to wait polls after that, or arms it himself. */
static bool kipc_watch_is_wanted(const struct kipc_watch *watch)
{
	return waitqueue_active((wait_queue_head_t *)&watch->wait) ||
	       READ_ONCE(watch->async) || watch->event || watch->tell_locked;
}

static __poll_t kipc_watch_see_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	__poll_t now = KIPC_WATCH_REMOVED;

	if (!kipc_object_is_gone(object))
		now = object->ops->see_locked(object, watch);
	return now & watch->mask;
}

/**
 * kipc_watch_arm_locked() - what a watch looks for is looked at from now on
 * @object: the object; the lock of its kind is held
 * @watch: what is looked for
 */
void kipc_watch_arm_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	if (!hlist_unhashed(&watch->node) || kipc_object_is_gone(object))
		return;
	hlist_add_head(&watch->node, &object->watches);
	if (object->ops->armed_locked)
		object->ops->armed_locked(object, watch);
	/* What is so already is told to who armed it, by who armed it. */
	watch->shown = kipc_watch_see_locked(object, watch);
}

/**
 * kipc_watch_disarm_locked() - it is not looked at any more
 * @object: the object; the lock of its kind is held
 * @watch: what was looked for, armed or not
 */
void kipc_watch_disarm_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	if (hlist_unhashed(&watch->node))
		return;
	hlist_del_init(&watch->node);
	if (object->ops->disarmed_locked)
		object->ops->disarmed_locked(object, watch);
}

static void kipc_watch_send_signal(struct kipc_watch *watch, __poll_t fresh)
{
	if (fresh & EPOLLHUP) {
		kill_fasync(&watch->async, SIGIO, POLL_HUP);
		return;
	}
	if (fresh & EPOLLIN)
		kill_fasync(&watch->async, SIGIO, POLL_IN);
	if (fresh & EPOLLOUT)
		kill_fasync(&watch->async, SIGIO, POLL_OUT);
}

static void kipc_watch_signal_event_locked(struct kipc_watch *watch, __poll_t fresh)
{
	if (watch->event && fresh & watch->events)
		kipc_eventfd_signal(watch->event);
}

/**
 * kipc_watch_look_locked() - look for all that is looked for
 * @object: the object
 */
void kipc_watch_look_locked(struct kipc_object *object)
{
	struct kipc_watch *watch;
	struct hlist_node *next;
	__poll_t now, fresh;

	hlist_for_each_entry_safe(watch, next, &object->watches, node) {
		if (!kipc_watch_is_wanted(watch)) {
			kipc_watch_disarm_locked(object, watch);
			continue;
		}
		now = kipc_watch_see_locked(object, watch);
		fresh = now & ~watch->shown;
		watch->shown = now;
		if (fresh) {
			wake_up_poll(&watch->wait, fresh);
			kipc_watch_send_signal(watch, fresh);
			kipc_watch_signal_event_locked(watch, fresh);
			if (watch->tell_locked)
				watch->tell_locked(watch);
		}
		if (kipc_object_is_gone(object))
			kipc_watch_disarm_locked(object, watch);
		cond_resched();
	}
}

/**
 * kipc_watch_poll() - somebody polls, and waits on kipc_watch.wait perhaps
 * @object: the object
 * @watch: what is looked for
 *
 * Context: may sleep.
 * Return: EPOLL* that are so.
 */
__poll_t kipc_watch_poll(struct kipc_object *object, struct kipc_watch *watch)
{
	__poll_t now = KIPC_WATCH_REMOVED & ~(EPOLLHUP | EPOLLERR) & watch->mask;

	if (!object->ops->lock)
		return now;
	object->ops->lock(object, watch);
	kipc_watch_arm_locked(object, watch);
	now = kipc_watch_see_locked(object, watch);
	/* To lock may have changed something: who waits already learns of it here. */
	object->ops->unlock(object);
	return now;
}

/**
 * kipc_watch_set_async() - somebody wants signals, or none any more
 * @object: the object
 * @watch: what is looked for
 * @fd: descriptor that is told with the signal, or -1
 * @file: file that the watch belongs to
 * @on: as file_operations.fasync has it
 *
 * Context: may sleep.
 * Return: as fasync_helper(); -EINVAL: there is nothing to look for.
 */
int kipc_watch_set_async(struct kipc_object *object, struct kipc_watch *watch, int fd,
			 struct file *file, int on)
{
	int ret;

	if (!object->ops->lock)
		return on ? -EINVAL : 0;
	object->ops->lock(object, watch);
	/* What to lock has changed is told before whoever asks is among those who are told. */
	kipc_watch_notify_locked(object);
	ret = fasync_helper(fd, file, on, &watch->async);
	if (on && ret > 0) {
		kipc_watch_arm_locked(object, watch);
		kipc_watch_send_signal(watch, kipc_watch_see_locked(object, watch));
	}
	object->ops->unlock(object);
	return ret;
}

/**
 * kipc_watch_set_event() - somebody wants an eventfd signalled, or none any more
 * @object: the object, which has something to look for
 * @watch: what is looked for
 * @event: the eventfd, whose reference is taken over, or NULL
 * @events: EPOLL* to signal it for
 *
 * Context: may sleep.
 */
void kipc_watch_set_event(struct kipc_object *object, struct kipc_watch *watch,
			  struct eventfd_ctx *event, __poll_t events)
{
	struct eventfd_ctx *old;

	object->ops->lock(object, watch);
	kipc_watch_notify_locked(object);
	old = watch->event;
	watch->event = event;
	watch->events = events;
	if (event) {
		kipc_watch_arm_locked(object, watch);
		kipc_watch_signal_event_locked(watch, kipc_watch_see_locked(object, watch));
	}
	object->ops->unlock(object);
	if (old)
		eventfd_ctx_put(old);
}

/**
 * kipc_watch_deinit() - a watch goes
 * @object: the object
 * @watch: what was looked for, armed or not; nobody can poll it any more
 *
 * Context: may sleep.
 */
void kipc_watch_deinit(struct kipc_object *object, struct kipc_watch *watch)
{
	if (object->ops->lock) {
		object->ops->lock(object, watch);
		kipc_watch_disarm_locked(object, watch);
		object->ops->unlock(object);
	}
	if (watch->event)
		eventfd_ctx_put(watch->event);
}

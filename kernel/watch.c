// SPDX-License-Identifier: GPL-2.0
/*
 * Watching an object: see watch.h.
 */
#include <linux/sched.h>

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

static __poll_t kipc_watch_see_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	if (READ_ONCE(object->removed))
		return KIPC_WATCH_REMOVED;
	return object->ops->see_locked(object, watch);
}

/**
 * kipc_watch_arm_locked() - somebody polls, and waits on kipc_watch.wait perhaps
 * @object: the object
 * @watch: what is looked for
 *
 * Return: EPOLL* that are so.
 */
__poll_t kipc_watch_arm_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	if (hlist_unhashed(&watch->node) && !READ_ONCE(object->removed)) {
		hlist_add_head(&watch->node, &object->watches);
		if (object->ops->armed_locked)
			object->ops->armed_locked(object, watch);
	}
	/* To lock may have changed something: who waits already is to know, not only who asks. */
	kipc_watch_look_locked(object);
	watch->shown = kipc_watch_see_locked(object, watch);
	return watch->shown;
}

/**
 * kipc_watch_disarm_locked() - nobody waits any more
 * @object: the object
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
		/* Whoever begins to wait polls after that: it arms the watch again. */
		if (!waitqueue_active(&watch->wait)) {
			kipc_watch_disarm_locked(object, watch);
			continue;
		}
		now = kipc_watch_see_locked(object, watch);
		fresh = now & ~watch->shown;
		watch->shown = now;
		if (fresh)
			wake_up_poll(&watch->wait, fresh);
		if (READ_ONCE(object->removed))
			kipc_watch_disarm_locked(object, watch);
		cond_resched();
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The common header of every kipc object: see object.h.
 */
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include <linux/kipc.h>

#include "object.h"

/**
 * kipc_object_init() - fill in the header of a new object of the caller's
 * @object: the object, zeroed
 * @kind: KIPC_KIND_*
 * @ops: operations of the kind
 * @space: space it will live in; the caller sees to the reference
 * @key: key or IPC_PRIVATE
 * @mode: permission bits
 *
 * The object has one reference, the base reference.
 */
void kipc_object_init(struct kipc_object *object, unsigned int kind,
		      const struct kipc_object_ops *ops,
		      struct kipc_space *space, key_t key, umode_t mode)
{
	spin_lock_init(&object->lock);
	refcount_set(&object->refs, 1);
	INIT_LIST_HEAD(&object->owned);
	object->removed = true;
	object->kind = kind;
	object->ops = ops;
	object->space = space;
	object->key = key;
	object->mode = mode;
	current_euid_egid(&object->cuid, &object->cgid);
	object->uid = object->cuid;
	object->gid = object->cgid;
	object->ctime = ktime_get_real_seconds();
	object->born = ktime_get_boottime_seconds();
	object->creator = get_pid(task_tgid(current));
}

/**
 * kipc_object_free() - the last reference is gone
 * @object: the object
 *
 * Context: may sleep.
 */
void kipc_object_free(struct kipc_object *object)
{
	put_pid(object->creator);
	object->ops->free(object);
}

/**
 * kipc_object_is_deserted() - whether the object was to end with its users, and they are gone
 * @object: the object; its lock is held
 */
bool kipc_object_is_deserted(struct kipc_object *object)
{
	lockdep_assert_held(&object->lock);
	return object->lifetime == KIPC_LIFETIME_USERS && object->was_used &&
	       !kipc_object_is_used(object);
}

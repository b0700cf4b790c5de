// SPDX-License-Identifier: GPL-2.0
/*
 * Finding, creating and removing objects: see find.h.
 */
#include <linux/ipc.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "find.h"
#include "ids.h"
#include "perm.h"
#include "process.h"
#include "space.h"

/* The caller has a reference.  True: it was doomed, and is ended now. */
static __always_inline bool kipc_end_if_doomed(struct kipc_ids *ids,
					       struct kipc_object *object)
{
	if (unlikely(kipc_object_is_doomed(object))) {
		kipc_object_end(object);
		return true;
	}
	return unlikely(READ_ONCE(ids->mortal)) &&
	       object->ops->end_if_doomed(object);
}

/*
 * What a *get call says of an object found by its key.  No lock: it conveys no
 * right, only an id, so what it says may be a moment old.
 */
static __always_inline int kipc_get_check(struct kipc_object *object, key_t key,
					  unsigned int flags, u64 size)
{
	if (READ_ONCE(object->removed) || READ_ONCE(object->key) != key)
		return -ENOENT;
	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if (object->size < size)
		return -EINVAL;
	if (!kipc_may_access(object, flags))
		return -EACCES;
	return object->id;
}

/**
 * kipc_get_existing() - what shmget(2), semget(2) and msgget(2) do with a key in use
 * @ids: the tables of the kind
 * @key: the key, not IPC_PRIVATE
 * @flags: as those calls have them
 * @size: as struct kipc_get has it
 *
 * Context: process; may sleep.
 * Return: the id of the object, -ENOENT: there is none, or why the caller may not have it.
 */
int kipc_get_existing(struct kipc_ids *ids, key_t key, unsigned int flags, u64 size)
{
	struct kipc_object *object;
	bool mortal, again;
	int ret;

	do {
		again = false;
		ret = -ENOENT;
		rcu_read_lock();
		object = kipc_ids_find_key_rcu(ids, key);
		mortal = object && (object->owner || READ_ONCE(ids->mortal));
		if (likely(object && !mortal))
			ret = kipc_get_check(object, key, flags, size);
		else if (object && !kipc_object_get_rcu(object))
			mortal = false;
		rcu_read_unlock();

		if (unlikely(mortal)) {
			again = kipc_end_if_doomed(ids, object);
			if (!again)
				ret = kipc_get_check(object, key, flags, size);
			kipc_object_put(object);
		}
	} while (unlikely(again));
	return ret;
}

/*
 * Put a new object in the tables, unless another one has got its key meanwhile: then
 * *taken.  Return: its id, or an error; then the base reference is gone.
 */
static int kipc_add(struct kipc_space *space, const struct kipc_kind *kind,
		    struct kipc_object *object, bool *taken)
{
	struct kipc_ids *ids = &space->ids[kind->kind];
	int ret;

	*taken = false;
	down_write(&ids->rwsem);
	if (object->key != IPC_PRIVATE) {
		rcu_read_lock();
		*taken = kipc_ids_find_key_rcu(ids, object->key);
		rcu_read_unlock();
	}
	ret = *taken ? -EEXIST : kind->add_locked(space, object);
	if (!ret)
		ret = object->id;
	up_write(&ids->rwsem);
	if (ret < 0) {
		kipc_process_disown(object);
		kipc_object_put(object);
	}
	return ret;
}

static int kipc_get_new(struct kipc_space *space, const struct kipc_kind *kind,
			const struct kipc_get *get, bool *taken)
{
	struct kipc_object *object = kind->new(space, get);

	*taken = false;
	return IS_ERR(object) ? PTR_ERR(object) : kipc_add(space, kind, object, taken);
}

/**
 * kipc_create() - an object without a key that has a handle from the beginning
 * @space: the caller's space
 * @kind: the kind
 * @get: what is asked for; its key is IPC_PRIVATE
 *
 * Context: process; may sleep.
 * Return: the object with a reference and one of kipc_object.handles, or an error as
 *	   kipc_get() has it.
 */
struct kipc_object *kipc_create(struct kipc_space *space, const struct kipc_kind *kind,
				const struct kipc_get *get)
{
	struct kipc_object *object = kind->new(space, get);
	bool taken;
	int ret;

	if (IS_ERR(object))
		return object;
	/* Before anybody finds it and comes to use it, and perhaps is its last user. */
	object->handles = 1;
	object->was_used = true;
	kipc_object_get(object);
	ret = kipc_add(space, kind, object, &taken);
	if (ret < 0) {
		kipc_object_put(object);
		return ERR_PTR(ret);
	}
	return object;
}

/**
 * kipc_get() - shmget(2), semget(2), msgget(2)
 * @space: the caller's space
 * @kind: the kind
 * @get: what is asked for
 *
 * Context: process; may sleep.
 * Return: the id or an error as those have it; -ENOSPC also when the user has
 *	   too many process records.
 */
int kipc_get(struct kipc_space *space, const struct kipc_kind *kind,
	     const struct kipc_get *get)
{
	bool taken = false;
	int ret;

	if (get->key == IPC_PRIVATE)
		return kipc_get_new(space, kind, get, &taken);
	do {
		ret = kipc_get_existing(&space->ids[kind->kind], get->key, get->flags,
					get->size);
		if (ret != -ENOENT || !(get->flags & IPC_CREAT))
			return ret;
		ret = kipc_get_new(space, kind, get, &taken);
	} while (taken && !fatal_signal_pending(current));
	return taken ? -EINTR : ret;
}

typedef struct kipc_object *(*kipc_finder)(struct kipc_ids *ids, int id);

/* With a reference, or NULL. */
static __always_inline struct kipc_object *kipc_find_once(struct kipc_ids *ids, int id,
							  kipc_finder find_rcu)
{
	struct kipc_object *object;

	/* A few instructions: to keep the processor is cheaper than to tell RCU. */
	rcu_read_lock_sched();
	object = find_rcu(ids, id);
	if (object && !kipc_object_get_rcu(object))
		object = NULL;
	rcu_read_unlock_sched();
	return object;
}

/* @object was found, and may have an owner who is dead: then another may be found now. */
static noinline struct kipc_object *
kipc_find_living(struct kipc_ids *ids, int id, kipc_finder find_rcu, struct kipc_object *object)
{
	while (object && kipc_end_if_doomed(ids, object)) {
		kipc_object_put(object);
		object = kipc_find_once(ids, id, find_rcu);
	}
	return object ?: ERR_PTR(-EINVAL);
}

static __always_inline struct kipc_object *kipc_find_by(struct kipc_ids *ids, int id,
							kipc_finder find_rcu)
{
	struct kipc_object *object = kipc_find_once(ids, id, find_rcu);

	if (unlikely(!object))
		return ERR_PTR(-EINVAL);
	if (unlikely(object->owner || READ_ONCE(ids->mortal)))
		return kipc_find_living(ids, id, find_rcu, object);
	return object;
}

/**
 * kipc_find_in() - see kipc_find()
 * @ids: the tables of the space and kind
 * @id: the id
 */
struct kipc_object *kipc_find_in(struct kipc_ids *ids, int id)
{
	return kipc_find_by(ids, id, kipc_ids_find_rcu);
}

/**
 * kipc_find_index() - the object at an index
 * @space: the caller's space
 * @kind: KIPC_KIND_*
 * @index: the index
 *
 * Context: may sleep.
 * Return: the object with a reference, perhaps removed, or -EINVAL.
 */
struct kipc_object *kipc_find_index(struct kipc_space *space, unsigned int kind, int index)
{
	return kipc_find_by(&space->ids[kind], index, kipc_ids_find_index_rcu);
}

/**
 * kipc_remove() - IPC_RMID
 * @space: the caller's space
 * @kind: KIPC_KIND_*
 * @id: the id
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -EIDRM or -EPERM.
 */
int kipc_remove(struct kipc_space *space, unsigned int kind, int id)
{
	struct kipc_object *object = kipc_find(space, kind, id);
	int ret;

	if (IS_ERR(object))
		return PTR_ERR(object);
	ret = kipc_object_end_if(object, kipc_may_control);
	kipc_object_put(object);
	return ret;
}

/**
 * kipc_publish() - give an object without a key one
 * @object: the object, with a reference
 * @key: the key, not IPC_PRIVATE
 * @lifetime: KIPC_LIFETIME_* from now on
 *
 * Context: may sleep.
 * Return: 0, -EEXIST, -EIDRM, -EPERM, -EINVAL: it has a key, or an owner; or -ENOMEM.
 */
int kipc_publish(struct kipc_object *object, key_t key, unsigned int lifetime)
{
	struct kipc_ids *ids = kipc_object_ids(object);
	int ret;

	down_write(&ids->rwsem);
	spin_lock(&object->lock);
	if (object->removed || (object->kind == KIPC_KIND_SHM && object->mode & SHM_DEST))
		ret = -EIDRM;
	else if (!kipc_may_control(object))
		ret = -EPERM;
	else if (object->key != IPC_PRIVATE || object->owner)
		ret = -EINVAL;
	else
		ret = kipc_ids_set_key_locked(ids, object, key);
	if (!ret) {
		object->lifetime = lifetime;
		object->ctime = ktime_get_real_seconds();
	}
	spin_unlock(&object->lock);
	up_write(&ids->rwsem);
	return ret;
}

/**
 * kipc_set() - IPC_SET
 * @space: the caller's space
 * @kind: KIPC_KIND_*
 * @id: the id
 * @change: what to give the object
 *
 * Context: may sleep.
 * Return: 0, -EINVAL, -EIDRM or -EPERM.
 */
int kipc_set(struct kipc_space *space, unsigned int kind, int id,
	     const struct kipc_change *change)
{
	struct kipc_object *object = kipc_find(space, kind, id);
	const struct kipc_object_ops *ops;
	int ret;

	if (IS_ERR(object))
		return PTR_ERR(object);
	ops = object->ops;
	spin_lock(&object->lock);
	if (object->removed)
		ret = -EIDRM;
	else if (!kipc_may_control(object) ||
		 (ops->may_set && !ops->may_set(object, change->value)))
		ret = -EPERM;
	else
		ret = kipc_perm_set_locked(object, &change->perm);
	if (!ret && ops->set_locked)
		ops->set_locked(object, change->value);
	spin_unlock(&object->lock);
	if (!ret && ops->perm_changed)
		ops->perm_changed(object);
	kipc_object_put(object);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Id tables: see ids.h.
 */
#include <linux/ipc.h>
#include <linux/rhashtable.h>

#include "ids.h"

static const struct rhashtable_params kipc_keys_params = {
	.key_len		= sizeof(key_t),
	.key_offset		= offsetof(struct kipc_object, key),
	.head_offset		= offsetof(struct kipc_object, key_node),
	.automatic_shrinking	= true,
};

/**
 * kipc_ids_init() - empty tables
 * @ids: the tables
 *
 * Return: 0 or -ENOMEM.
 */
int kipc_ids_init(struct kipc_ids *ids)
{
	init_rwsem(&ids->rwsem);
	idr_init(&ids->objects);
	ids->in_use = 0;
	ids->last_index = -1;
	ids->max_index = -1;
	ids->seq = 0;
	ids->mortal = false;
	ids->next_id = -1;
	ids->created = 0;
	ids->removed = 0;
	return rhashtable_init(&ids->keys, &kipc_keys_params);
}

/**
 * kipc_ids_deinit() - free the tables, which are empty
 * @ids: the tables
 */
void kipc_ids_deinit(struct kipc_ids *ids)
{
	WARN_ON_ONCE(ids->in_use);
	rhashtable_destroy(&ids->keys);
	idr_destroy(&ids->objects);
}

/* Choose an index and the id that goes with it, and make the object visible there. */
static int kipc_ids_publish_locked(struct kipc_ids *ids, struct kipc_object *object)
{
	int wanted = ids->next_id;
	int index, end;

	ids->next_id = -1;
	if (wanted < 0) {
		end = max_t(s64, (s64)ids->in_use * 3 / 2, KIPC_INDEX_MIN_CYCLE);
		end = min(end, KIPC_INDEX_MAX);
		index = idr_alloc_cyclic(&ids->objects, NULL, 0, end, GFP_KERNEL);
		if (index < 0)
			return index;
		if (index <= ids->last_index && ++ids->seq >= KIPC_SEQ_MAX)
			ids->seq = 0;
		ids->last_index = index;
		object->seq = ids->seq;
	} else {
		index = idr_alloc(&ids->objects, NULL, kipc_id_index(wanted),
				  KIPC_INDEX_MAX, GFP_KERNEL);
		if (index < 0)
			return index;
		object->seq = kipc_id_seq(wanted);
	}
	object->id = (object->seq << KIPC_INDEX_BITS) + index;
	return index;
}

/**
 * kipc_ids_add_locked() - give an object its id and make it visible
 * @ids: the tables; rwsem held for writing
 * @object: complete but for its id; its key, unless IPC_PRIVATE, is not in the table
 * @limit: the most objects there may be
 *
 * Context: may sleep.
 * Return: 0, -ENOSPC (limit) or -ENOMEM.
 */
int kipc_ids_add_locked(struct kipc_ids *ids, struct kipc_object *object,
			unsigned int limit)
{
	int index, ret;

	lockdep_assert_held_write(&ids->rwsem);
	if (ids->in_use >= min_t(unsigned int, limit, KIPC_INDEX_MAX))
		return -ENOSPC;

	index = kipc_ids_publish_locked(ids, object);
	if (index < 0)
		return index;
	if (object->key != IPC_PRIVATE) {
		ret = rhashtable_insert_fast(&ids->keys, &object->key_node,
					     kipc_keys_params);
		if (ret)
			goto remove_index;
	}
	if (object->ops->named)
		object->ops->named(object);
	/* Orders the object's contents before its visibility by id. */
	idr_replace(&ids->objects, object, index);
	/* Who finds it by its key must find it by its id then. */
	smp_store_release(&object->removed, false);

	ids->in_use++;
	ids->created++;
	ids->max_index = max(ids->max_index, index);
	return 0;

remove_index:
	idr_remove(&ids->objects, index);
	return ret;
}

/**
 * kipc_ids_forget_key_locked() - make the object's key IPC_PRIVATE
 * @ids: the tables; rwsem held for writing
 * @object: the object; its lock is held
 */
void kipc_ids_forget_key_locked(struct kipc_ids *ids, struct kipc_object *object)
{
	lockdep_assert_held_write(&ids->rwsem);
	lockdep_assert_held(&object->lock);
	if (object->key == IPC_PRIVATE)
		return;
	rhashtable_remove_fast(&ids->keys, &object->key_node, kipc_keys_params);
	WRITE_ONCE(object->key, IPC_PRIVATE);
}

/**
 * kipc_ids_remove_locked() - take an object out of the tables
 * @ids: the tables; rwsem held for writing
 * @object: the object; its lock is held
 *
 * The base reference is the caller's from now on.
 */
void kipc_ids_remove_locked(struct kipc_ids *ids, struct kipc_object *object)
{
	kipc_ids_forget_key_locked(ids, object);
	WARN_ON_ONCE(idr_remove(&ids->objects, kipc_id_index(object->id)) != object);
	WRITE_ONCE(object->removed, true);
	ids->in_use--;
	ids->removed++;
}

/**
 * kipc_ids_find_key_rcu() - the object with a key
 * @ids: the tables
 * @key: the key
 *
 * Context: RCU.  The object may be losing its key or be removed already.
 */
struct kipc_object *kipc_ids_find_key_rcu(struct kipc_ids *ids, key_t key)
{
	return rhashtable_lookup(&ids->keys, &key, kipc_keys_params);
}

/**
 * kipc_ids_next() - the next object of a walk that holds no lock
 * @ids: the tables
 * @index: in, where to look from; out, where the object is
 *
 * Return: the object with a reference, perhaps removed; NULL at the end.
 */
struct kipc_object *kipc_ids_next(struct kipc_ids *ids, int *index)
{
	struct kipc_object *object;

	rcu_read_lock();
	for (;; ++*index) {
		object = idr_get_next(&ids->objects, index);
		if (!object || kipc_object_get_rcu(object))
			break;
	}
	rcu_read_unlock();
	return object;
}

/**
 * kipc_ids_max_index() - the highest index in use
 * @ids: the tables; rwsem held for writing
 *
 * Return: the index, or -1 if there is no object.
 */
int kipc_ids_max_index(struct kipc_ids *ids)
{
	int low = 0, high = ids->max_index, middle;

	lockdep_assert_held_write(&ids->rwsem);
	if (!ids->in_use) {
		ids->max_index = -1;
		return -1;
	}
	/* Something is in use at or above @low, nothing above @high. */
	while (low < high) {
		middle = low + (high - low + 1) / 2;
		if (idr_get_next(&ids->objects, &middle))
			low = middle;
		else
			high = low + (high - low + 1) / 2 - 1;
	}
	ids->max_index = low;
	return low;
}

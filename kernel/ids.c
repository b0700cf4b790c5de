// SPDX-License-Identifier: GPL-2.0
/*
 * Id tables: see ids.h.
 */
#include <linux/ipc.h>
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/string.h>

#include "ids.h"

static const struct rhashtable_params kipc_keys_params = {
	.key_len		= sizeof(key_t),
	.key_offset		= offsetof(struct kipc_object, key),
	.head_offset		= offsetof(struct kipc_object, key_node),
	.automatic_shrinking	= true,
};

static u32 kipc_name_hash(const void *text, u32 length, u32 seed)
{
	return jhash(text, strlen(text), seed);
}

static u32 kipc_name_hash_object(const void *name, u32 length, u32 seed)
{
	return kipc_name_hash(((const struct kipc_name *)name)->text, length, seed);
}

static int kipc_name_compare(struct rhashtable_compare_arg *arg, const void *name)
{
	return strcmp(arg->key, ((const struct kipc_name *)name)->text);
}

static const struct rhashtable_params kipc_names_params = {
	.head_offset		= offsetof(struct kipc_name, node),
	.hashfn			= kipc_name_hash,
	.obj_hashfn		= kipc_name_hash_object,
	.obj_cmpfn		= kipc_name_compare,
	.automatic_shrinking	= true,
};

/**
 * kipc_ids_init() - empty tables
 * @ids: the tables
 * @by_name: whether the kind has names instead of keys
 *
 * Return: 0 or -ENOMEM.
 */
int kipc_ids_init(struct kipc_ids *ids, bool by_name)
{
	init_rwsem(&ids->rwsem);
	idr_init(&ids->objects);
	ids->in_use = 0;
	ids->last_index = -1;
	ids->max_index = -1;
	ids->seq = 0;
	ids->by_name = by_name;
	ids->mortal = false;
	ids->next_id = -1;
	ids->created = 0;
	ids->removed = 0;
	return rhashtable_init(&ids->keys, by_name ? &kipc_names_params : &kipc_keys_params);
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
 * kipc_ids_set_key_locked() - give an object that is in the tables a key
 * @ids: the tables; rwsem held for writing
 * @object: the object, whose key is IPC_PRIVATE; its lock is held
 * @key: the key
 *
 * Return: 0, -EEXIST, or -ENOMEM.
 */
int kipc_ids_set_key_locked(struct kipc_ids *ids, struct kipc_object *object, key_t key)
{
	int ret;

	lockdep_assert_held_write(&ids->rwsem);
	lockdep_assert_held(&object->lock);
	/* Orders what was done to the object before its visibility by key. */
	smp_store_release(&object->key, key);
	ret = rhashtable_lookup_insert_fast(&ids->keys, &object->key_node, kipc_keys_params);
	if (ret)
		WRITE_ONCE(object->key, IPC_PRIVATE);
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
 * kipc_ids_add_name_locked() - have an object found by its name
 * @ids: the tables of a kind that has names; rwsem held for writing
 * @name: its name
 *
 * Return: 0, -EEXIST, -ENOMEM, or another error of memory.
 */
int kipc_ids_add_name_locked(struct kipc_ids *ids, struct kipc_name *name)
{
	lockdep_assert_held_write(&ids->rwsem);
	return rhashtable_lookup_insert_key(&ids->keys, name->text, &name->node,
					    kipc_names_params);
}

/**
 * kipc_ids_remove_name_locked() - have it not found any more
 * @ids: the tables; rwsem held for writing
 * @name: its name
 */
void kipc_ids_remove_name_locked(struct kipc_ids *ids, struct kipc_name *name)
{
	lockdep_assert_held_write(&ids->rwsem);
	rhashtable_remove_fast(&ids->keys, &name->node, kipc_names_params);
}

/**
 * kipc_ids_find_name_rcu() - the object with a name
 * @ids: the tables of a kind that has names
 * @text: the name
 *
 * Context: RCU.  The object may be removed already.
 */
struct kipc_name *kipc_ids_find_name_rcu(struct kipc_ids *ids, const char *text)
{
	return rhashtable_lookup(&ids->keys, text, kipc_names_params);
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

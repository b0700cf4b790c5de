/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Id tables: key→id and id→object, one pair per kind and namespace.
 *
 * Ids advance as native's do: indices are handed out cyclically, and the
 * sequence number grows whenever the cycle starts again.  Unlike native, the
 * highest index in use is worked out when somebody asks, not at every removal,
 * so creation and removal cost the same with ten objects or a million.
 *
 * Level 2.  Locks: kipc_ids.rwsem, number 4 in the lock map (object.h).
 */
#ifndef KIPC_IDS_H
#define KIPC_IDS_H

#include <linux/idr.h>
#include <linux/rhashtable-types.h>
#include <linux/rwsem.h>

#include "limits.h"
#include "object.h"

struct kipc_account;

/**
 * struct kipc_name - the name of an object of a kind that has names
 * @node: in kipc_ids.keys while the object is in the tables
 * @object: the object that this is part of; constant
 * @text: without a slash; constant
 * @serial: that no other name has or had; constant
 * @account: who is charged for the object, with a reference; constant
 */
struct kipc_name {
	struct rhash_head node;
	struct kipc_object *object;
	char *text;
	u64 serial;
	struct kipc_account *account;
};

/**
 * struct kipc_ids - the tables of one kind in one namespace
 * @rwsem: write: add, remove, change of key, limits, totals of the kind.
 *	   read: walks that sleep
 * @objects: index → object; readers need RCU only
 * @keys: key → object, or, where @by_name, name → struct kipc_name; readers need RCU only
 * @in_use: objects; @rwsem
 * @last_index: index handed out last; @rwsem
 * @max_index: no index above it is in use; @rwsem
 * @by_name: the kind has names and no keys; constant
 * @seq: sequence number of the next id; @rwsem
 * @mortal: objects may be doomed for a reason of the kind's own; @rwsem, and read without
 * @next_id: id wanted next, or -1; @rwsem
 * @created: objects ever added; @rwsem
 * @removed: objects ever removed; @rwsem
 */
struct kipc_ids {
	struct rw_semaphore rwsem;
	struct idr objects;
	struct rhashtable keys;
	int in_use;
	int last_index;
	int max_index;
	unsigned int seq;
	bool by_name;
	bool mortal;
	int next_id;
	u64 created;
	u64 removed;
};

int kipc_ids_init(struct kipc_ids *ids, bool by_name);
void kipc_ids_deinit(struct kipc_ids *ids);
int kipc_ids_add_locked(struct kipc_ids *ids, struct kipc_object *object,
			unsigned int limit);
void kipc_ids_remove_locked(struct kipc_ids *ids, struct kipc_object *object);
void kipc_ids_forget_key_locked(struct kipc_ids *ids, struct kipc_object *object);
int kipc_ids_set_key_locked(struct kipc_ids *ids, struct kipc_object *object, key_t key);
struct kipc_object *kipc_ids_find_key_rcu(struct kipc_ids *ids, key_t key);
int kipc_ids_add_name_locked(struct kipc_ids *ids, struct kipc_name *name);
void kipc_ids_remove_name_locked(struct kipc_ids *ids, struct kipc_name *name);
struct kipc_name *kipc_ids_find_name_rcu(struct kipc_ids *ids, const char *text);
struct kipc_object *kipc_ids_next(struct kipc_ids *ids, int *index);
int kipc_ids_max_index(struct kipc_ids *ids);

/* The parts of an id. */
static inline int kipc_id_index(int id)
{
	return id & (KIPC_INDEX_MAX - 1);
}

static inline unsigned int kipc_id_seq(int id)
{
	return id >> KIPC_INDEX_BITS;
}

/**
 * kipc_ids_find_index_rcu() - the object at an index
 * @ids: the tables
 * @index: the index; what is above the index bits is ignored, as native does
 *
 * Context: RCU.  The object may be removed already.
 */
static inline struct kipc_object *kipc_ids_find_index_rcu(struct kipc_ids *ids,
							  int index)
{
	return idr_find(&ids->objects, kipc_id_index(index));
}

/**
 * kipc_ids_find_rcu() - the object with an id
 * @ids: the tables
 * @id: the id
 *
 * Context: RCU.  The object may be removed already.
 * Return: the object, or NULL: no such id, or a stale one.
 */
static inline struct kipc_object *kipc_ids_find_rcu(struct kipc_ids *ids, int id)
{
	struct kipc_object *object = kipc_ids_find_index_rcu(ids, id);

	return object && object->id == id ? object : NULL;
}

#endif /* KIPC_IDS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kinds have in common above the tables: finding an object by id, the
 * *get calls (find by key, or create), and IPC_RMID.
 *
 * Whoever finds an object whose time has come though nobody has ended it yet (its
 * owner died) ends it first, and has not found it.
 *
 * Level 3.  Locks: takes kipc_ids.rwsem and kipc_object.lock (object.h).
 */
#ifndef KIPC_FIND_H
#define KIPC_FIND_H

#include <linux/ipc.h>
#include <linux/types.h>

#include "object.h"
#include "space.h"

struct file;

/**
 * struct kipc_change - what IPC_SET gives an object
 * @perm: owner and mode
 * @value: what is the kind's own: msg_qbytes
 */
struct kipc_change {
	struct ipc64_perm perm;
	u64 value;
};

/**
 * struct kipc_get - what a *get call asks for
 * @key: key or IPC_PRIVATE
 * @flags: IPC_CREAT, IPC_EXCL, mode bits and flags of the kind's own
 * @lifetime: KIPC_LIFETIME_* of an object created
 * @size: bytes of a segment, semaphores of a set; 0 for a queue
 * @memory: of a segment: the memfd that is to be it, or NULL
 */
struct kipc_get {
	key_t key;
	unsigned int flags;
	unsigned int lifetime;
	u64 size;
	struct file *memory;
};

/**
 * struct kipc_kind - what differs between the kinds before there is an object
 * @kind: KIPC_KIND_*
 * @new: an object that is in no table yet, or an error; what is not worth an
 *	 allocation is refused here
 * @add_locked: put it in the tables and count it; kipc_ids.rwsem is held for
 *		writing; 0 or an error
 */
struct kipc_kind {
	unsigned int kind;
	struct kipc_object *(*new)(struct kipc_space *space, const struct kipc_get *get);
	int (*add_locked)(struct kipc_space *space, struct kipc_object *object);
};

int kipc_get_existing(struct kipc_ids *ids, key_t key, unsigned int flags, u64 size);
int kipc_get(struct kipc_space *space, const struct kipc_kind *kind,
	     const struct kipc_get *get);
struct kipc_object *kipc_create(struct kipc_space *space, const struct kipc_kind *kind,
				const struct kipc_get *get);
struct kipc_object *kipc_find_in(struct kipc_ids *ids, int id);
struct kipc_object *kipc_find_index(struct kipc_space *space, unsigned int kind, int index);
int kipc_set(struct kipc_space *space, unsigned int kind, int id,
	     const struct kipc_change *change);
int kipc_publish(struct kipc_object *object, key_t key, unsigned int lifetime);
int kipc_remove(struct kipc_space *space, unsigned int kind, int id);

/**
 * kipc_find() - the object with an id
 * @space: the caller's space
 * @kind: KIPC_KIND_*
 * @id: the id
 *
 * Context: may sleep.
 * Return: the object with a reference, perhaps removed, or -EINVAL.
 */
static inline struct kipc_object *kipc_find(struct kipc_space *space, unsigned int kind, int id)
{
	return kipc_find_in(&space->ids[kind], id);
}

/**
 * kipc_find_granted() - the object that a call is about
 * @space: the caller's space
 * @kind: KIPC_KIND_*
 * @id: the id
 * @grant: the object instead, or NULL
 *
 * Context: may sleep.
 * Return: as kipc_find().
 */
static inline struct kipc_object *kipc_find_granted(struct kipc_space *space, unsigned int kind,
						    int id, const struct kipc_grant *grant)
{
	if (likely(!grant))
		return kipc_find(space, kind, id);
	kipc_object_get(grant->object);
	return grant->object;
}

#endif /* KIPC_FIND_H */

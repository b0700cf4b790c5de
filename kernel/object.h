/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The common header of every kipc object: reference, lock, removal.
 *
 * Level 1.
 *
 * THE LOCK MAP.  Outermost first; a lock may be taken only while holding locks
 * that stand before it.
 *
 *  1  (being in shmdt)		  wait	  shm_map.c: one shmdt at a time in an mm
 *     (uring_lock)		  mutex	  io_uring's, of a ring; held around commands
 *  2  mm->mmap_lock		  rwsem	  the kernel's; held around our vm_ops
 *  3  kipc_spaces_lock		  mutex	  space.c: making and ending spaces
 *  4  kipc_ids.rwsem		  rwsem	  ids.h: one per space and kind; what is in
 *					  the tables, limits and totals
 *     kipc_sem_set.folding	  mutex	  sem_map.c: the end of its views, one at a time
 *  5  kipc_sem_set.lock	  mutex	  sem.h: the state of a set
 *     kipc_msg_queue.lock	  mutex	  msg.h: the state of a queue
 *     kipc_posix_sem.lock	  mutex	  posix_sem.h: the state of a semaphore
 *     kipc_stream.lock		  mutex	  stream.h: the state of a stream
 *     (i_mmap_rwsem)		  rwsem	  the kernel's; taken under 5 to unmap pages
 *     (wait queues, epoll,
 *      eventfd, signals)	  spin	  the kernel's; taken under 5 to tell who watches
 *  6  kipc_object.lock		  spin	  the header; the state of a segment
 *  7  kipc_process.lock	  spin	  process.c: the record's list of objects
 *     kipc_process.undos, .views, kipc_process_tokens
 *				  spin	  the arrays' own, for their changes
 *     kipc_processes_lock	  spin	  process.c: the table of records
 *     kipc_accounts_lock	  spin	  account.c: the table of accounts
 *     kipc_shm_detaching.lock	  spin	  shm_map.c: who is in shmdt
 *     kipc_uring_end_lock	  spin	  uring_end.c: commands that sleep
 *
 * User memory is touched under none of 3-7, because a fault takes 2; but for a stream's, where
 * faults are not taken.  No lock
 * is taken with interrupts off.  The exit hook (death.c) takes no lock at all.
 *
 * LIFE OF AN OBJECT.  It is complete before its id is visible.  Finding it by
 * id or key needs RCU only; who found it takes a reference (kipc_object_get_rcu)
 * or its lock, and must then look at @removed.  The tables hold the base
 * reference.  Removal takes it out of the tables and sets @removed, both under
 * 4 and 6; the base reference goes then, or, for a segment that is still
 * attached, with the last attachment.  The last reference calls ops->free in
 * process context; the memory goes after a grace period.
 */
#ifndef KIPC_OBJECT_H
#define KIPC_OBJECT_H

#include <linux/list.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/types.h>
#include <linux/uidgid.h>

/* In kipc_object.mode of a segment, as native shows it: to be destroyed with its last user. */
#define SHM_DEST	01000

struct kipc_object;
struct kipc_process;
struct kipc_space;
struct kipc_watch;

/**
 * struct kipc_object_ops - what differs between the kinds
 * @named: the object has its id, and nobody sees it yet; or NULL: that is nothing to it
 * @end_if_doomed: end the object if its time has come for a reason of the kind's own
 *		   and say whether it had; the caller has a reference; asked only while
 *		   kipc_ids.mortal
 * @end_locked: end the object as IPC_RMID does, with no permission asked, and take
 *		it off its owner's list; kipc_ids.rwsem is held for writing and
 *		kipc_object.lock; true: the base reference is the caller's to put
 * @ended: after @end_locked, with no lock held and a reference: wake who waits; or NULL
 * @may_set: whether the caller, who may change the object, may give it this value of
 *	     IPC_SET that is the kind's own; or NULL: it has none
 * @set_locked: give it; kipc_object.lock is held; or NULL
 * @perm_changed: after owner, mode or that value changed, with no lock held; or NULL
 * @closed: one of kipc_object.handles goes: count it, and what follows from that; or NULL:
 *	    an object that ends with its users does, and nothing else
 * @free: release what the object holds, and its memory after a grace period; the
 *	  last reference is gone; may sleep
 * @users: who uses the object now, for listings; kipc_object.lock is held
 * @lock: take the lock that the object's state has, apart from its header's; may sleep;
 *	  or NULL: there is none, and nothing is looked for
 * @unlock: give it back; who watches is told what has changed; if @lock
 * @outlives: it works on, for who has it open, when it is in no table any more
 * @see_locked: EPOLL* that are so for a watch; that lock is held; if @lock
 * @armed_locked: a watch was armed, and what it looks for is to come by the kernel; or
 *		  NULL; likewise
 * @disarmed_locked: that is over; or NULL; likewise
 */
struct kipc_object_ops {
	void (*named)(struct kipc_object *object);
	bool (*end_if_doomed)(struct kipc_object *object);
	bool (*end_locked)(struct kipc_object *object);
	void (*ended)(struct kipc_object *object);
	bool (*may_set)(struct kipc_object *object, u64 value);
	void (*set_locked)(struct kipc_object *object, u64 value);
	void (*perm_changed)(struct kipc_object *object);
	void (*closed)(struct kipc_object *object);
	void (*free)(struct kipc_object *object);
	unsigned long (*users)(struct kipc_object *object);
	void (*lock)(struct kipc_object *object, const struct kipc_watch *watch);
	void (*unlock)(struct kipc_object *object);
	bool outlives;
	__poll_t (*see_locked)(struct kipc_object *object, struct kipc_watch *watch);
	void (*armed_locked)(struct kipc_object *object, struct kipc_watch *watch);
	void (*disarmed_locked)(struct kipc_object *object, struct kipc_watch *watch);
};

/**
 * struct kipc_object - the common header
 * @lock: see the lock map
 * @refs: references
 * @removed: not in the tables: not yet, or no longer; written under kipc_ids.rwsem,
 *	     and set under @lock too
 * @kind: KIPC_KIND_*; constant
 * @lifetime: KIPC_LIFETIME_*; @lock; whether it is KIPC_LIFETIME_CREATOR is constant
 * @mode: permission bits, and bits of the kind's own; @lock, and read without
 * @uid: owner; @lock, and read without
 * @gid: owner's group; @lock, and read without
 * @cuid: creator; constant
 * @cgid: creator's group; constant
 * @id: id; constant once visible
 * @seq: sequence number inside @id; constant once visible
 * @key: key; @lock and kipc_ids.rwsem
 * @key_node: in kipc_ids.keys unless @key is IPC_PRIVATE
 * @size: bytes of a segment, semaphores of a set, capacity of a stream, 0 of a queue;
 *	  constant
 * @ctime: last change, seconds of real time; @lock
 * @born: creation, seconds since boot; constant
 * @calls: operations made by system call, not counting control; by the kind's lock, and
 *	   read without
 * @handles: descriptors that stand for it; @lock, and read without
 * @nattch: attachments of a segment, and those being made; mappings of a set; @lock, and
 *	    read without
 * @was_used: there was a handle, an attachment or a mapping; @lock
 * @creator: thread group that created it; constant
 * @space: namespace it lives in, with a reference; constant
 * @ops: constant
 * @owner: record of the process whose death ends it, with a reference, or NULL; constant
 * @owned: in @owner's list; kipc_process.lock
 * @watches: those that are armed, by kipc_watch.node; the kind's lock
 * @rcu: for the grace period
 */
struct kipc_object {
	spinlock_t lock;
	refcount_t refs;
	bool removed;
	u8 kind;
	u8 lifetime;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	kuid_t cuid;
	kgid_t cgid;
	int id;
	unsigned int seq;
	key_t key;
	struct rhash_head key_node;
	u64 size;
	time64_t ctime;
	time64_t born;
	u64 calls;
	unsigned int handles;
	unsigned long nattch;
	bool was_used;
	struct pid *creator;
	struct kipc_space *space;
	const struct kipc_object_ops *ops;
	struct kipc_process *owner;
	struct list_head owned;
	struct hlist_head watches;
	struct rcu_head rcu;
};

/**
 * struct kipc_grant - rights to an object that do not depend on who the caller is
 * @object: the object; a reference comes with the file that the grant belongs to
 * @rights: S_IRUGO, S_IWUGO
 */
struct kipc_grant {
	struct kipc_object *object;
	unsigned int rights;
};

/**
 * kipc_object_is_used() - whether a descriptor or a mapping holds an object
 * @object: the object; its lock is held, or a stale answer does no harm
 */
static inline bool kipc_object_is_used(const struct kipc_object *object)
{
	return READ_ONCE(object->nattch) || READ_ONCE(object->handles);
}

/**
 * kipc_object_is_gone() - whether an object has ended for whoever has it open, too
 * @object: the object
 */
static inline bool kipc_object_is_gone(const struct kipc_object *object)
{
	return unlikely(READ_ONCE(object->removed)) && !object->ops->outlives;
}

void kipc_object_init(struct kipc_object *object, unsigned int kind,
		      const struct kipc_object_ops *ops,
		      struct kipc_space *space, key_t key, umode_t mode);
void kipc_object_free(struct kipc_object *object);
bool kipc_object_is_deserted(struct kipc_object *object);

/**
 * kipc_object_get() - one more reference, for a caller who has one or the lock
 * @object: the object, not removed or referenced
 */
static inline void kipc_object_get(struct kipc_object *object)
{
	refcount_inc(&object->refs);
}

/**
 * kipc_object_get_rcu() - a reference for a caller who found it under RCU
 * @object: the object
 *
 * Return: false if the object is being freed.
 */
static inline bool kipc_object_get_rcu(struct kipc_object *object)
{
	return refcount_inc_not_zero(&object->refs);
}

/**
 * kipc_object_put() - give a reference back
 * @object: the object
 *
 * Context: may sleep; the last one calls ops->free.
 */
static inline void kipc_object_put(struct kipc_object *object)
{
	if (unlikely(refcount_dec_and_test(&object->refs)))
		kipc_object_free(object);
}

#endif /* KIPC_OBJECT_H */

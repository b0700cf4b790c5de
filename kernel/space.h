/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A space is what kipc keeps for one IPC namespace: its tables, limits, totals.
 *
 * It is made when somebody in the namespace first calls kipc and ends with the
 * namespace.  The kernel tells nobody when a namespace dies, so the space holds
 * one reference on it; when no other is left nobody can reach the namespace any
 * more, and the space ends.  That is looked for soon after each exit from such
 * a namespace, and at a low rate while one lives (setns and the closing of a
 * namespace descriptor leave no trace).  The initial namespace never ends.
 *
 * Level 2.  Locks: kipc_spaces_lock, number 3 in the lock map (object.h), for
 * the table of spaces; lookups need RCU only.
 */
#ifndef KIPC_SPACE_H
#define KIPC_SPACE_H

#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "ids.h"

/* Limits of segments, changed under kipc_ids.rwsem of their kind; see shmctl(2). */
struct kipc_shm_limits {
	unsigned long max;		/* SHMMAX, bytes */
	unsigned long all;		/* SHMALL, pages */
	unsigned int mni;		/* SHMMNI */
	bool rmid_forced;		/* shm_rmid_forced */
};

/* Limits of semaphore sets, likewise; see semctl(2). */
struct kipc_sem_limits {
	int msl;			/* SEMMSL, semaphores of a set; negative: none fits */
	int mns;			/* SEMMNS, semaphores of all sets; likewise */
	unsigned int opm;		/* SEMOPM, operations of a call */
	unsigned int mni;		/* SEMMNI, sets */
};

/* Limits of message queues, likewise; see msgctl(2). */
struct kipc_msg_limits {
	unsigned int max;		/* MSGMAX, bytes of a message */
	unsigned int mnb;		/* MSGMNB, bytes of a new queue */
	unsigned int mni;		/* MSGMNI, queues */
};

/* Limits of POSIX message queues, likewise; see mq_overview(7). */
struct kipc_mq_limits {
	unsigned int queues_max;	/* queues */
	unsigned int msg_max;		/* messages of a queue */
	unsigned int msgsize_max;	/* bytes of a message */
	unsigned int msg_default;	/* messages of a queue, unless it is said */
	unsigned int msgsize_default;	/* bytes of a message, likewise */
};

/**
 * struct kipc_space - one IPC namespace
 * @node: in the table of spaces
 * @refs: references on this memory
 * @ns: the namespace, with a reference while in the table; constant
 * @user_ns: user namespace that owns @ns, with a reference; constant
 * @dead: the namespace is gone; set once, under kipc_spaces_lock
 * @ending: while it is being ended
 * @rcu: for the grace period; where kfree_rcu() still finds it on kernels with large locks
 * @ids: tables by KIPC_KIND_*
 * @shm_limits: ids[KIPC_KIND_SHM].rwsem, and read without
 * @shm_pages: pages of all segments; ids[KIPC_KIND_SHM].rwsem, and read without
 * @sem_limits: ids[KIPC_KIND_SEM].rwsem, and read without
 * @sem_total: semaphores of all sets; ids[KIPC_KIND_SEM].rwsem, and read without
 * @msg_limits: ids[KIPC_KIND_MSG].rwsem
 * @mq_limits: ids[KIPC_KIND_POSIX_MQ].rwsem, and read without
 * @mq_count: POSIX message queues, those that have no name any more included
 * @mq_users: account that those of users are below who have such queues here; constant
 */
struct kipc_space {
	struct hlist_node node;
	refcount_t refs;
	struct ipc_namespace *ns;
	struct user_namespace *user_ns;
	bool dead;
	struct list_head ending;
	struct rcu_head rcu;
	struct kipc_ids ids[KIPC_ALL_KINDS];
	struct kipc_shm_limits shm_limits;
	unsigned long shm_pages;
	struct kipc_sem_limits sem_limits;
	unsigned int sem_total;
	struct kipc_msg_limits msg_limits;
	struct kipc_mq_limits mq_limits;
	atomic_t mq_count;
	struct kipc_account *mq_users;
};

struct kipc_space *kipc_space_current_slow(void);
void kipc_space_put(struct kipc_space *space);
struct kipc_space *kipc_space_find_rcu(const struct ipc_namespace *ns);
bool kipc_space_is_initial(const struct ipc_namespace *ns);
int kipc_space_for_each(void (*visit)(struct kipc_space *space));
void kipc_space_reap_soon(void);
void kipc_space_deinit(void);

extern struct kipc_space *kipc_space_initial;

/**
 * kipc_space_current() - the space of the caller's namespace
 *
 * It cannot end while the caller is in its namespace, that is until the system
 * call returns; what lives longer takes a reference.
 *
 * Context: process; may sleep.
 * Return: the space or -ENOMEM.
 */
static inline struct kipc_space *kipc_space_current(void)
{
	/* Nearly every caller is in the initial namespace, whose space never ends. */
	struct kipc_space *space = READ_ONCE(kipc_space_initial);

	if (likely(space && space->ns == current->nsproxy->ipc_ns))
		return space;
	return kipc_space_current_slow();
}

static inline struct kipc_space *kipc_space_get(struct kipc_space *space)
{
	refcount_inc(&space->refs);
	return space;
}

static inline struct kipc_ids *kipc_object_ids(struct kipc_object *object)
{
	return &object->space->ids[object->kind];
}

void kipc_object_end(struct kipc_object *object);
int kipc_object_end_if(struct kipc_object *object, bool (*may)(struct kipc_object *object));
void kipc_object_left_unlock(struct kipc_object *object) __releases(&object->lock);

#endif /* KIPC_SPACE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Process records: what kipc must put right when a process dies.
 *
 * A record belongs to a thread group, found by its struct pid, which outlives
 * execve and is not reused while the record holds it.  It is made when the
 * process first makes something that depends on its life and lives until that
 * life ends; a record pins the module.
 *
 * Level 3.  Locks, in the lock map (object.h): kipc_process.lock (7)
 * and kipc_processes_lock (7).
 *
 * Death, step by step: the exit hook (death.c) sets @dead and puts the record
 * on a list, with no lock taken.  From then on whoever finds an object whose
 * owner is dead ends that object first, so nobody sees it any more once the
 * parent's wait has returned; the worker drains what nobody meets.
 */
#ifndef KIPC_PROCESS_H
#define KIPC_PROCESS_H

#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "object.h"

struct kipc_account;
struct kipc_process_slot;
struct mm_struct;
struct vm_area_struct;

/**
 * struct kipc_process - the record of one process
 * @node: in the table of records; kipc_processes_lock, readers need RCU only
 * @refs: references; the table holds one until the record is drained
 * @pid: thread group, with a reference; constant
 * @account: who is charged for the record, with a reference; constant
 * @dead: set once, by the exit hook
 * @death: in the list of records to drain, once @dead
 * @lock: protects @objects
 * @objects: objects that end with the process, by kipc_object.owned; a listed
 *	     object still has its base reference
 * @undos: undo values of semaphores, by the set's serial number; see struct
 *	   kipc_sem_undo
 * @undo_count: how many there are
 * @undo_prune: how many there must be before those of ended sets are looked for
 * @token: names the process in words shared with user space; 0: it has none yet, then
 *	   constant; set under @lock; not reused while the record is in the table
 * @slots: page of struct kipc_process_slot, hostile; constant once there is a @token
 * @maps: mappings of @slots
 * @mm: memory they are in, to be compared only; @lock
 * @views: what the process has mapped of sets, by the number that intents use; struct
 *	   kipc_sem_view
 * @rcu: for the grace period
 */
struct kipc_process {
	struct hlist_node node;
	refcount_t refs;
	struct pid *pid;
	struct kipc_account *account;
	atomic_t dead;
	struct llist_node death;
	spinlock_t lock;
	struct list_head objects;
	struct xarray undos;
	atomic_t undo_count;
	int undo_prune;
	u32 token;
	struct kipc_process_slot *slots;
	atomic_t maps;
	struct mm_struct *mm;
	struct xarray views;
	struct rcu_head rcu;
};

struct kipc_process *kipc_process_current(void);
struct kipc_process *kipc_process_get_current(void);
void kipc_process_put(struct kipc_process *process);
struct kipc_process *kipc_process_find_rcu(struct pid *pid);
void kipc_process_adopt(struct kipc_process *process, struct kipc_object *object);
void kipc_process_disown(struct kipc_object *object);
void kipc_process_drain(struct kipc_process *process);
void kipc_process_forget(struct kipc_process *process);
bool kipc_pid_is_alive(struct pid *pid);

/* process_map.c */
extern struct xarray kipc_process_tokens;
int kipc_clock_map(struct vm_area_struct *vma);
int kipc_process_enable(struct kipc_process *process);
void kipc_process_renew(struct kipc_process *process);
int kipc_process_map(struct vm_area_struct *vma);
int kipc_process_init(void);
void kipc_process_deinit(void);

/**
 * kipc_process_is_enabled() - whether a record has a token, and what a mapping of it shows
 * @process: the record
 *
 * Context: any; lock-free.
 */
static inline bool kipc_process_is_enabled(const struct kipc_process *process)
{
	/* Pairs with kipc_process_enable(): who sees the token sees the slots. */
	return smp_load_acquire(&process->token);
}

/**
 * kipc_process_of_token_rcu() - whose token it is
 * @token: hostile
 *
 * Context: RCU.
 * Return: the record, perhaps dead, or NULL.
 */
static inline struct kipc_process *kipc_process_of_token_rcu(u32 token)
{
	return xa_load(&kipc_process_tokens, token);
}

/**
 * kipc_object_is_doomed() - whether the object's owner died and it is still there
 * @object: the object
 *
 * Context: any; lock-free.  If so, kipc_object_end() it.
 */
static inline bool kipc_object_is_doomed(struct kipc_object *object)
{
	return object->owner && atomic_read(&object->owner->dead) &&
	       !list_empty(&object->owned);
}

#endif /* KIPC_PROCESS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Semaphore sets.
 *
 * A set's state is changed under its own lock, a mutex, and by nobody else while no
 * process maps it.  An operation that cannot go on sleeps in a queue and is carried
 * out by whoever makes it possible, first come first served: who sleeps on one
 * semaphore only stands in that semaphore's queue; while an operation on several
 * sleeps, everybody who wants to change something stands in the set's queue.
 *
 * Level 4.  Locks (object.h): kipc_ids.rwsem for what is in the tables and the
 * namespace's total; kipc_sem_set.lock for the state; kipc_object.lock for the
 * header.
 */
#ifndef KIPC_SEM_H
#define KIPC_SEM_H

#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/sem.h>
#include <linux/types.h>
#include <uapi/linux/sem.h>

#include <linux/kipc.h>

#include "find.h"
#include "object.h"
#include "wait.h"
#include "watch.h"

struct kipc_account;
struct kipc_process;
struct kipc_sem_pages;
struct kipc_space;
struct mm_struct;
struct task_struct;
struct vm_area_struct;

/**
 * struct kipc_sem - one semaphore; all under kipc_sem_set.lock
 * @value: its value, while no process maps the set
 * @sleepers: sleeping operations that name it, and armed watches
 * @orphaned: it was given back by the death of who had taken it, and nobody has been told
 * @pid: thread group that changed it last, with a reference, or NULL; of a mapped set
 *	  unless the word has a token and is not KEPT
 * @change: sleepers that want to change just this one, first come first
 * @zero: sleepers that wait for just this one to become zero
 */
struct kipc_sem {
	int value;
	unsigned int sleepers : 31;
	unsigned int orphaned : 1;
	struct pid *pid;
	struct list_head change;
	struct list_head zero;
};

/**
 * struct kipc_sem_set - a set
 * @object: common header; its size is the number of semaphores
 * @lock: see the lock map
 * @complex: sleepers with more than one operation; @lock
 * @change: while @complex, all sleepers that want to change something; @lock
 * @zero: sleepers that wait for several to become zero; @lock
 * @orphans: semaphores that are orphaned; @lock, and read without
 * @otime: last operation, seconds of real time, 0: never; @lock
 * @wakes: who is told once the lock is given back; @lock
 * @undos: undo values of processes that live, or died a moment ago, by
 *	   kipc_sem_undo.of_set; @lock
 * @forgets: how often all of them were forgotten at once; @lock
 * @views: what processes have mapped, by kipc_sem_view.of_set; @lock
 * @view_count: how many; @lock, and read without
 * @cuts: how often views were cut; @lock
 * @closed: calls until whose end nobody gets a view; @lock
 * @pages: while there are @views; @lock
 * @shared: their memory, hostile, or NULL; @lock; the exit hook looks under RCU
 * @dying: undo values of processes that died; pushed without a lock, taken out under
 *	   @lock
 * @dead: those that are being applied, in the order of the deaths, by
 *	  kipc_sem_undo.of_set; @lock
 * @deaths: how many have come there so far; @lock
 * @shown: of those up to this one semaphore may have been changed by itself; @lock
 * @whole: calls that wait for what deaths do to more than one semaphore; @lock
 * @unsettled: values have changed and sleepers not been looked at since: of the first so
 *	       many semaphores; while @complex, of all if not 0; @lock
 * @folding: see the lock map
 * @serial: names the set in a process' list of undo values; constant
 * @sems: the semaphores
 */
struct kipc_sem_set {
	struct kipc_object object;
	struct mutex lock;
	unsigned int complex;
	struct list_head change;
	struct list_head zero;
	unsigned int orphans;
	time64_t otime;
	struct kipc_wakes wakes;
	struct list_head undos;
	unsigned long forgets;
	struct list_head views;
	unsigned int view_count;
	unsigned long cuts;
	unsigned int closed;
	struct kipc_sem_pages *pages;
	struct kipc_sem_shared *shared;
	struct llist_head dying;
	struct list_head dead;
	u64 deaths;
	u64 shown;
	unsigned int whole;
	unsigned int unsettled;
	struct mutex folding;
	unsigned long serial;
	struct kipc_sem sems[];
};

/**
 * struct kipc_sem_undo - what the death of a process does to a set
 * @process: the process; its record outlives this
 * @set: the set, with a reference, or NULL once it has ended; kipc_sem_set.lock,
 *	 readers need RCU only
 * @of_set: in kipc_sem_set.undos or .dead; kipc_sem_set.lock
 * @death: in kipc_sem_set.dying, once the process died
 * @view: the process' mapping of the set to operate on it, or NULL; kipc_sem_set.lock
 * @used: some operation had SEM_UNDO; kipc_sem_set.lock
 * @calls: asynchronous calls of the process that sleep and refer to this, by
 *	   kipc_sem_sleeper.of_undo; kipc_sem_set.lock
 * @forgets: kipc_sem_set.forgets as of @adjust: all of it is 0 if that is another now;
 *	     kipc_sem_set.lock
 * @number: once it is in kipc_sem_set.dead: kipc_sem_set.deaths as of then;
 *	    kipc_sem_set.lock
 * @applied: once the process died: semaphores that are dealt with; kipc_sem_set.lock
 * @rcu: for the grace period
 * @adjust: by semaphore, what is added to its value, but for what user space keeps in
 *	    @view; kipc_sem_set.lock
 *
 * It stands in kipc_process.undos under the set's serial number.  Only a thread of
 * a living owner, or the drain of a dead one, takes it out there and frees it: so
 * the exit hook, which has no lock, meets none that is being freed.
 */
struct kipc_sem_undo {
	struct kipc_process *process;
	struct kipc_sem_set *set;
	struct list_head of_set;
	struct llist_node death;
	struct kipc_sem_view *view;
	bool used;
	struct list_head calls;
	unsigned long forgets;
	u64 number;
	unsigned int applied;
	struct rcu_head rcu;
	s32 adjust[];
};

/**
 * struct kipc_sem_view - what a process has mapped of a set
 * @set: the set, with a reference; constant
 * @process: the process, with a reference; constant
 * @mm: the memory it is mapped in, to be compared only; constant
 * @undo: undo values, or NULL: mapped for reading, or ended; kipc_sem_set.lock
 * @of_set: in kipc_sem_set.views until it has ended; kipc_sem_set.lock
 * @maps: mappings; kipc_sem_set.lock
 * @cut: the number of the cut, of kipc_sem_set.cuts, from which on no page of the set
 *	 comes into it any more, or 0; kipc_sem_set.lock
 * @folded: semaphores whose fast part, of @private, counts no more; kipc_sem_set.lock
 * @index: names it in intents of the process; constant
 * @private: pages of the process' own, hostile, or NULL: mapped for reading; constant
 * @blank: what it shows once it has been cut, or NULL: nobody has looked;
 *	   kipc_sem_set.lock
 * @account: who is charged, with a reference; constant
 * @pages: how many pages are charged; constant
 */
struct kipc_sem_view {
	struct kipc_sem_set *set;
	struct kipc_process *process;
	struct mm_struct *mm;
	struct kipc_sem_undo *undo;
	struct list_head of_set;
	unsigned int maps;
	unsigned long cut;
	unsigned int folded;
	u32 index;
	struct kipc_sem_private *private;
	void *blank;
	struct kipc_account *account;
	unsigned int pages;
};

/**
 * struct kipc_sem_layout - how a mapping of a set is laid out
 * @nsems: semaphores
 * @private: bytes of the private part, which comes first
 * @shared: bytes of the shared part
 */
struct kipc_sem_layout {
	unsigned int nsems;
	size_t private;
	size_t shared;
};

/**
 * struct kipc_sem_sleeper - a call in progress
 * @call: the call; first
 * @queue: in a queue of the set while it sleeps; kipc_sem_set.lock
 * @sops: operations
 * @nsops: how many
 * @changes: some operation is not a wait for zero
 * @asks: it is to be told whether what it takes is orphaned
 * @is_heir: it was, and is told by its result; kipc_sem_set.lock
 * @blocked: the operation that cannot go on; kipc_sem_set.lock
 * @undo: undo values of the caller, if some operation has SEM_UNDO
 * @of_undo: in kipc_sem_undo.calls if it is asynchronous and has @undo
 */
struct kipc_sem_sleeper {
	struct kipc_sleeper call;
	struct list_head queue;
	const struct sembuf *sops;
	unsigned int nsops;
	bool changes;
	bool asks;
	bool is_heir;
	const struct sembuf *blocked;
	struct kipc_sem_undo *undo;
	struct list_head of_undo;
};

/*
 * Semaphores that are worked on, or sleepers woken, before others may have the processor;
 * or the lock, where a whole may be seen in parts.
 */
#define KIPC_SEM_STRIDE		256u

static inline struct kipc_sem_set *kipc_sem_set_of(struct kipc_object *object)
{
	return container_of(object, struct kipc_sem_set, object);
}

static inline unsigned int kipc_sem_count(const struct kipc_sem_set *set)
{
	return set->object.size;
}

/**
 * kipc_sem_set_orphaned_locked() - a semaphore is orphaned, or not any more
 * @set: the set; its lock is held
 * @num: the semaphore
 * @orphaned: whether it is
 */
static inline void kipc_sem_set_orphaned_locked(struct kipc_sem_set *set, unsigned int num,
						bool orphaned)
{
	struct kipc_sem *sem = &set->sems[num];

	if (likely(sem->orphaned == orphaned))
		return;
	sem->orphaned = orphaned;
	WRITE_ONCE(set->orphans, orphaned ? set->orphans + 1 : set->orphans - 1);
}

static inline struct kipc_sem_set *kipc_sem_find(struct kipc_space *space, int id)
{
	struct kipc_object *object = kipc_find(space, KIPC_KIND_SEM, id);

	return IS_ERR(object) ? ERR_CAST(object) : kipc_sem_set_of(object);
}

/* sem.c */
extern const struct kipc_kind kipc_sem_kind;

/* sem_op.c */
int kipc_sem_op(struct kipc_space *space, int id, const struct sembuf __user *sops,
		unsigned int nsops, unsigned int flags, const struct kipc_timeout *timeout);
int kipc_sem_op_granted(const struct kipc_grant *grant, const struct sembuf __user *sops,
			unsigned int nsops, unsigned int flags,
			const struct kipc_timeout *timeout);
int kipc_sem_op_brief(const struct kipc_grant *grant, unsigned int num, int change);
int kipc_sem_op_one(const struct kipc_grant *grant, const struct sembuf *sop, bool waits);
int kipc_sem_op_async(const struct kipc_grant *grant, struct kipc_sem_sleeper *op, bool waits);
bool kipc_sem_end_async(struct kipc_object *object, struct kipc_sem_sleeper *op, int status);
void kipc_sem_cancel_locked(struct kipc_sem_set *set, struct kipc_sem_undo *undo);
void kipc_sem_settle_locked(struct kipc_sem_set *set, unsigned int num, unsigned int count);
void kipc_sem_settle_some_locked(struct kipc_sem_set *set);
typedef void (*kipc_sem_visitor)(struct kipc_sem_set *set, struct kipc_sem_sleeper *op,
				 void *data);
void kipc_sem_visit_sleepers_locked(struct kipc_sem_set *set, kipc_sem_visitor visit,
				    void *data);
void kipc_sem_wake_all_locked(struct kipc_sem_set *set, int status);

/* sem_undo.c */
struct kipc_sem_undo *kipc_sem_undo_get(struct kipc_sem_set *set);
void kipc_sem_undo_forget_locked(struct kipc_sem_set *set, unsigned int num);
void kipc_sem_undo_forget_all_locked(struct kipc_sem_set *set);
void kipc_sem_undo_clear_locked(struct kipc_sem_undo *undo);
void kipc_sem_catch_up_locked(struct kipc_sem_set *set);
void kipc_sem_catch_up_whole_locked(struct kipc_sem_set *set);
void kipc_sem_catch_up_one_locked(struct kipc_sem_set *set, unsigned int num);
void kipc_sem_catch_up_ops_locked(struct kipc_sem_set *set, const struct sembuf *sops,
				  unsigned int nsops);
void kipc_sem_undo_end_locked(struct kipc_sem_set *set);
void kipc_sem_undo_mark(struct kipc_process *process);
void kipc_sem_undo_drain(struct kipc_process *process);

/* sem_map.c */
time64_t kipc_sem_otime_locked(struct kipc_sem_set *set);
void kipc_sem_check_slot_locked(struct kipc_sem_set *set, unsigned int num);
s32 kipc_sem_fast_locked(struct kipc_sem_undo *undo, unsigned int num);
void kipc_sem_take_fast_locked(struct kipc_sem_undo *undo, unsigned int num);
void kipc_sem_show_slow_locked(struct kipc_sem_undo *undo, unsigned int num);
struct pid *kipc_sem_pid_locked(struct kipc_sem_set *set, unsigned int num);
void kipc_sem_drop_undo_locked(struct kipc_sem_undo *undo);
bool kipc_sem_fold_dead_locked(struct kipc_sem_view *view);
void kipc_sem_cut_all(struct kipc_sem_set *set);
void kipc_sem_cut_process(struct mm_struct *mm);
int kipc_sem_map_size(struct kipc_space *space, int id, bool writable,
		      struct kipc_sem_layout *layout);
int kipc_sem_map(struct kipc_space *space, int id, struct vm_area_struct *vma);

/**
 * kipc_sem_undo_renew_locked() - have forgotten undo values be 0
 * @set: the set; its lock is held
 * @undo: undo values in it, of a process that lives
 */
static inline void kipc_sem_undo_renew_locked(struct kipc_sem_set *set,
					      struct kipc_sem_undo *undo)
{
	if (unlikely(undo->forgets != set->forgets))
		kipc_sem_undo_clear_locked(undo);
}

/* Whether somebody died, or set all values, and the set does not show all of it yet. */
static inline bool kipc_sem_is_behind_locked(struct kipc_sem_set *set)
{
	/* Pairs with kipc_sem_undo_mark(), which comes before the parent's wait returns. */
	return unlikely(!llist_empty(&set->dying) || !list_empty(&set->dead) ||
			set->unsettled || (set->shared && READ_ONCE(set->shared->state))) &&
	       !READ_ONCE(set->object.removed);
}

/**
 * kipc_sem_set_lock() - take a set's lock
 * @set: the set, referenced
 *
 * What the deaths up to now do to the set has been done when this returns.
 */
static inline void kipc_sem_set_lock(struct kipc_sem_set *set)
{
	mutex_lock(&set->lock);
	if (kipc_sem_is_behind_locked(set))
		kipc_sem_catch_up_whole_locked(set);
}

/**
 * kipc_sem_set_lock_one() - take a set's lock to look at one semaphore
 * @set: the set, referenced
 * @num: the semaphore
 *
 * What the deaths up to now do to the semaphore has been done when this returns, and
 * sem_otime tells of them.
 */
static inline void kipc_sem_set_lock_one(struct kipc_sem_set *set, unsigned int num)
{
	mutex_lock(&set->lock);
	if (kipc_sem_is_behind_locked(set))
		kipc_sem_catch_up_one_locked(set, num);
}

/**
 * kipc_sem_set_unlock() - give a set's lock back
 * @set: the set
 */
static inline void kipc_sem_set_unlock(struct kipc_sem_set *set)
{
	kipc_watch_notify_locked(&set->object);
	if (unlikely(set->wakes.first))
		kipc_unlock_and_wake(&set->lock, &set->wakes);
	else
		mutex_unlock(&set->lock);
}

/**
 * kipc_sem_pause_locked() - let others have a set's lock, and the processor
 * @set: the set; its lock is held
 */
static inline void kipc_sem_pause_locked(struct kipc_sem_set *set)
{
	kipc_sem_set_unlock(set);
	cond_resched();
	mutex_lock(&set->lock);
}

/* sem_watch.c */
void kipc_sem_object_lock(struct kipc_object *object, const struct kipc_watch *watch);
void kipc_sem_object_unlock(struct kipc_object *object);
__poll_t kipc_sem_see_locked(struct kipc_object *object, struct kipc_watch *watch);
void kipc_sem_armed_locked(struct kipc_object *object, struct kipc_watch *watch);
void kipc_sem_disarmed_locked(struct kipc_object *object, struct kipc_watch *watch);

/* sem_ctl.c */
int kipc_sem_ctl(struct kipc_space *space, int id, int num, int cmd, u64 arg);
int kipc_sem_stat_granted(const struct kipc_grant *grant, void __user *buf);

#endif /* KIPC_SEM_H */

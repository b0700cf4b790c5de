// SPDX-License-Identifier: GPL-2.0
/*
 * Undo values: what SEM_UNDO has a process' death add to semaphores.  See sem.h.
 *
 * Death, step by step: the exit hook pushes the undo values of the dead process on
 * a list of each set (kipc_sem_undo_mark, no lock); who takes the set's lock next
 * applies them first (kipc_sem_undo_apply_locked), so nobody sees the set without
 * them once the parent's wait has returned; the worker takes the lock of every such
 * set and then frees them (kipc_sem_undo_drain).
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "limits.h"
#include "process.h"
#include "sem.h"
#include "sem_word.h"

/* Undo values in sets that have ended are freed whenever this many were added. */
#define KIPC_SEM_UNDO_PRUNE	32

/* ---- The caller's ---- */

static void kipc_sem_undo_free(struct kipc_process *process, unsigned long serial,
			       struct kipc_sem_undo *undo)
{
	if (xa_erase(&process->undos, serial) != undo)
		return;
	atomic_dec(&process->undo_count);
	/* A token may lead others to it. */
	kvfree_rcu(undo, rcu);
}

/* Of the calling process: it lives, so the exit hook looks at none of these. */
static void kipc_sem_undo_prune(struct kipc_process *process)
{
	struct kipc_sem_undo *undo;
	unsigned long serial;
	int prune;

	/* Another thread may do the same. */
	rcu_read_lock();
	xa_for_each(&process->undos, serial, undo)
		/* Pairs with kipc_sem_undo_detach_locked(): the last it does to it. */
		if (!smp_load_acquire(&undo->set))
			kipc_sem_undo_free(process, serial, undo);
	rcu_read_unlock();
	prune = 2 * atomic_read(&process->undo_count) + KIPC_SEM_UNDO_PRUNE;
	WRITE_ONCE(process->undo_prune, min(prune, KIPC_PROCESS_UNDOS));
}

static int kipc_sem_undo_add_locked(struct kipc_sem_set *set, struct kipc_sem_undo *undo)
{
	struct kipc_process *process = undo->process;
	int ret;

	lockdep_assert_held(&set->lock);
	if (READ_ONCE(set->object.removed))
		return -EIDRM;
	/* Before others find it: one without a set would be freed. */
	undo->set = set;
	ret = xa_insert(&process->undos, set->serial, undo, GFP_KERNEL_ACCOUNT);
	if (!ret)
		list_add(&undo->of_set, &set->undos);
	return ret;
}

static struct kipc_sem_undo *kipc_sem_undo_new(struct kipc_process *process,
					       struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo;
	int ret;

	if (atomic_read(&process->undo_count) >= READ_ONCE(process->undo_prune))
		kipc_sem_undo_prune(process);
	if (atomic_inc_return(&process->undo_count) > KIPC_PROCESS_UNDOS) {
		ret = -ENOSPC;
		goto uncount;
	}
	undo = kvzalloc(struct_size(undo, adjust, kipc_sem_count(set)), GFP_KERNEL_ACCOUNT);
	if (!undo) {
		ret = -ENOMEM;
		goto uncount;
	}
	undo->process = process;
	INIT_LIST_HEAD(&undo->calls);

	kipc_sem_set_lock(set);
	ret = kipc_sem_undo_add_locked(set, undo);
	kipc_sem_set_unlock(set);
	if (!ret)
		return undo;
	kvfree(undo);
uncount:
	atomic_dec(&process->undo_count);
	/* Another thread was faster. */
	return ret == -EBUSY ? xa_load(&process->undos, set->serial) : ERR_PTR(ret);
}

/**
 * kipc_sem_undo_get() - the caller's undo values in a set, made if need be
 * @set: the set, with a reference
 *
 * They are the caller's to look at while it holds the set's lock and the set has not
 * been removed.
 *
 * Context: process; may sleep.
 * Return: the undo values, -ENOMEM, -ENOSPC: too many, or -EIDRM.
 */
struct kipc_sem_undo *kipc_sem_undo_get(struct kipc_sem_set *set)
{
	struct kipc_process *process = kipc_process_current();
	struct kipc_sem_undo *undo;

	if (IS_ERR(process))
		return ERR_CAST(process);
	undo = xa_load(&process->undos, set->serial);
	return undo ?: kipc_sem_undo_new(process, set);
}

/* ---- Of a set ---- */

/* The last that is done to it: who sees no set there may free it. */
static void kipc_sem_undo_detach_locked(struct kipc_sem_undo *undo)
{
	kipc_sem_cancel_locked(undo->set, undo);
	list_del(&undo->of_set);
	smp_store_release(&undo->set, NULL);
}

/**
 * kipc_sem_undo_forget_locked() - nobody's death changes these semaphores any more
 * @set: the set; its lock is held
 * @num: first semaphore, all held
 * @count: how many
 */
void kipc_sem_undo_forget_locked(struct kipc_sem_set *set, unsigned int num,
				 unsigned int count)
{
	struct kipc_sem_undo *undo;
	unsigned int i;

	lockdep_assert_held(&set->lock);
	list_for_each_entry(undo, &set->undos, of_set) {
		if (count > 1)
			cond_resched();
		if (likely(!undo->view)) {
			memset(undo->adjust + num, 0, count * sizeof(*undo->adjust));
			continue;
		}
		for (i = num; i < num + count; i++) {
			if (i % KIPC_SEM_STRIDE == KIPC_SEM_STRIDE - 1)
				cond_resched();
			undo->adjust[i] = -kipc_sem_fast_locked(undo, i);
			kipc_sem_show_slow_locked(undo, i);
		}
	}
}

/**
 * kipc_sem_undo_end_locked() - the set has been removed
 * @set: the set; its lock is held
 */
void kipc_sem_undo_end_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo, *next;

	lockdep_assert_held(&set->lock);
	list_for_each_entry_safe(undo, next, &set->undos, of_set)
		kipc_sem_undo_detach_locked(undo);
}

/* All values change before anybody who sleeps looks, once, as natively. */
static void kipc_sem_undo_adjust_locked(struct kipc_sem_set *set, struct kipc_sem_undo *undo)
{
	unsigned int i, count = kipc_sem_count(set);
	int value;

	set->otime = ktime_get_real_seconds();
	for (i = 0; i < count; i++) {
		if (i % KIPC_SEM_STRIDE == 0)
			cond_resched();
		if (!undo->adjust[i])
			continue;
		kipc_sem_hold_locked(set, i, 1);
		value = kipc_sem_value(set, i) + undo->adjust[i];
		kipc_sem_set_value(set, i, clamp(value, 0, SEMVMX));
		kipc_sem_touch_locked(set, i, undo->process->pid);
	}
	kipc_sem_settle_locked(set, 0, count);
	for (i = 0; i < count; i++) {
		if (i % KIPC_SEM_STRIDE == 0)
			cond_resched();
		if (undo->adjust[i])
			kipc_sem_release_locked(set, i, 1);
	}
}

static void kipc_sem_undo_apply_one_locked(struct kipc_sem_set *set,
					   struct kipc_sem_undo *undo)
{
	if (undo->view)
		kipc_sem_cut_locked(undo->view);
	/* What it asked for and did not get is not to come into its undo values. */
	kipc_sem_cancel_locked(set, undo);
	if (undo->used)
		kipc_sem_undo_adjust_locked(set, undo);
	kipc_sem_undo_detach_locked(undo);
}

/**
 * kipc_sem_undo_apply_locked() - do to a set what the death of processes does
 * @set: the set, not removed; its lock is held
 */
void kipc_sem_undo_apply_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo, *next;

	lockdep_assert_held(&set->lock);
	/* The hook first adds to the list, then sets the state: this is overwritten if so. */
	if (set->shared) {
		WRITE_ONCE(set->shared->state, KIPC_SEM_DRAINING);
		smp_mb();
	}
	while (!llist_empty(&set->dying)) {
		/* In the order of their deaths.  Once applied it may be freed. */
		llist_for_each_entry_safe(undo, next,
					  llist_reverse_order(llist_del_all(&set->dying)), death) {
			kipc_sem_undo_apply_one_locked(set, undo);
			cond_resched();
		}
	}
	/* Otherwise it is for the next who takes the lock. */
	if (set->shared)
		cmpxchg(&set->shared->state, KIPC_SEM_DRAINING, 0);
}

/* ---- Of a dead process ---- */

/**
 * kipc_sem_undo_mark() - a process has died: its sets are to know
 * @process: its record
 *
 * Context: the exit hook: RCU, preemption off, no lock.  Bounded by
 * KIPC_PROCESS_UNDOS.
 */
void kipc_sem_undo_mark(struct kipc_process *process)
{
	struct kipc_sem_undo *undo;
	struct kipc_sem_shared *shared;
	struct kipc_sem_set *set;
	unsigned long serial;

	xa_for_each(&process->undos, serial, undo) {
		set = READ_ONCE(undo->set);
		if (!set)
			continue;
		llist_add(&undo->death, &set->dying);
		/* What begins after the parent's wait has returned sees one or the other. */
		shared = smp_load_acquire(&set->shared);
		if (shared)
			WRITE_ONCE(shared->state, KIPC_SEM_DRAIN);
	}
}

/**
 * kipc_sem_undo_drain() - see to it that a dead process' undo values are applied
 * @process: its record, marked
 *
 * Context: the worker; may sleep.
 */
void kipc_sem_undo_drain(struct kipc_process *process)
{
	struct kipc_sem_undo *undo;
	struct kipc_sem_set *set;
	unsigned long serial;

	xa_for_each(&process->undos, serial, undo) {
		rcu_read_lock();
		set = READ_ONCE(undo->set);
		if (set && !kipc_object_get_rcu(&set->object))
			set = NULL;
		rcu_read_unlock();
		if (set) {
			kipc_sem_set_lock(set);
			/* It has been removed and kipc_sem_undo_end_locked() is to come. */
			if (undo->set) {
				if (undo->view)
					kipc_sem_cut_locked(undo->view);
				kipc_sem_undo_detach_locked(undo);
			}
			kipc_sem_set_unlock(set);
			kipc_object_put(&set->object);
		}
		kipc_sem_undo_free(process, serial, undo);
		cond_resched();
	}
	xa_destroy(&process->undos);
}

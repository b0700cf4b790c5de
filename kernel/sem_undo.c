// SPDX-License-Identifier: GPL-2.0
/*
 * Undo values: what SEM_UNDO has a process' death add to semaphores.  See sem.h.
 *
 * Death, step by step: the exit hook pushes the undo values of the dead process on
 * a list of each set (kipc_sem_undo_mark, no lock); who takes the set's lock next
 * applies them first, so nobody sees the set without them once the parent's wait has
 * returned; the worker sees to it in every such set and then frees them
 * (kipc_sem_undo_drain).  So does who removes a set, before anybody is told: a death of
 * before may let a sleeper go on.
 *
 * There may be many dead, with an undo value of each of many semaphores.  So who wants
 * one semaphore applies what there is to it (kipc_sem_catch_up_one_locked), in the order
 * of the deaths, and goes on; who wants more applies all (kipc_sem_catch_up_locked), and
 * gives the lock back after each KIPC_SEM_STRIDE of them.  While a sleeper waits for
 * several semaphores they are not independent: then all are applied for everybody, and
 * sleepers look at them when those of one death are through.  So they are while somebody
 * is on the way to look at several.
 *
 * Others may go on dying meanwhile.  Deaths are numbered, and nobody waits for those that
 * come after him: but for what another has half done by then, which is done to its end at
 * once.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "limits.h"
#include "process.h"
#include "sem.h"
#include "sem_word.h"

/* Undo values in sets that have ended are freed whenever this many were added. */
#define KIPC_SEM_UNDO_PRUNE	32

/* Those of one death that are looked at before others may have the lock: most are 0. */
#define KIPC_SEM_UNDO_LOOKS	4096

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
	undo->forgets = set->forgets;
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

	mutex_lock(&set->lock);
	ret = kipc_sem_undo_add_locked(set, undo);
	mutex_unlock(&set->lock);
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
	kipc_sem_drop_undo_locked(undo);
	list_del(&undo->of_set);
	smp_store_release(&undo->set, NULL);
}

/**
 * kipc_sem_undo_forget_locked() - nobody's death changes a semaphore any more
 * @set: the set; its lock was taken for the semaphore
 * @num: the semaphore, held
 */
void kipc_sem_undo_forget_locked(struct kipc_sem_set *set, unsigned int num)
{
	struct kipc_sem_undo *undo;

	lockdep_assert_held(&set->lock);
	list_for_each_entry(undo, &set->undos, of_set) {
		undo->adjust[num] = -kipc_sem_fast_locked(undo, num);
		kipc_sem_show_slow_locked(undo, num);
	}
	/* Whoever died since the lock was taken did so after this. */
	list_for_each_entry(undo, &set->dead, of_set)
		undo->adjust[num] = -kipc_sem_fast_locked(undo, num);
}

/**
 * kipc_sem_undo_forget_all_locked() - nobody's death changes the set any more
 * @set: the set; its lock was taken for all of it, and all semaphores are held
 *
 * Those that no view has a part of are cleared when they are used next.
 */
void kipc_sem_undo_forget_all_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo;
	struct kipc_sem_view *view;
	unsigned int i;

	lockdep_assert_held(&set->lock);
	set->forgets++;
	list_for_each_entry(view, &set->views, of_set) {
		undo = view->undo;
		if (!undo)
			continue;
		undo->forgets = set->forgets;
		for (i = 0; i < kipc_sem_count(set); i++) {
			if (i % KIPC_SEM_STRIDE == 0)
				cond_resched();
			undo->adjust[i] = -kipc_sem_fast_locked(undo, i);
			kipc_sem_show_slow_locked(undo, i);
		}
	}
}

/* See kipc_sem_undo_renew_locked(). */
void kipc_sem_undo_clear_locked(struct kipc_sem_undo *undo)
{
	memset(undo->adjust, 0, kipc_sem_count(undo->set) * sizeof(*undo->adjust));
	undo->forgets = undo->set->forgets;
}

/**
 * kipc_sem_undo_end_locked() - the set has been removed
 * @set: the set; its lock is held
 */
void kipc_sem_undo_end_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo, *next;

	lockdep_assert_held(&set->lock);
	list_splice_init(&set->dead, &set->undos);
	list_for_each_entry_safe(undo, next, &set->undos, of_set) {
		kipc_sem_undo_detach_locked(undo);
		cond_resched();
	}
}

/* ---- Of the dead of a set ---- */

/* User space may go on if nothing is left to be applied. */
static void kipc_sem_undo_collected_locked(struct kipc_sem_set *set)
{
	/* If it is another by now it is for the next who takes the lock. */
	if (set->shared && list_empty(&set->dead))
		cmpxchg(&set->shared->state, KIPC_SEM_DRAINING, 0);
}

/* Who died joins those whose undo values are being applied. */
static void kipc_sem_undo_collect_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo, *next;

	lockdep_assert_held(&set->lock);
	/* The hook first adds to the list, then sets the state: this is overwritten if so. */
	if (set->shared) {
		WRITE_ONCE(set->shared->state, KIPC_SEM_DRAINING);
		smp_mb();
	}
	/* In the order of their deaths. */
	llist_for_each_entry_safe(undo, next, llist_reverse_order(llist_del_all(&set->dying)),
				  death) {
		/* What it asked for and did not get is not to come into its undo values. */
		kipc_sem_cancel_locked(set, undo);
		undo->used |= undo->view && READ_ONCE(undo->view->private->used);
		if (undo->used)
			set->otime = ktime_get_real_seconds();
		undo->number = ++set->deaths;
		list_move_tail(&undo->of_set, &set->dead);
	}
	kipc_sem_undo_collected_locked(set);
}

static struct kipc_sem_undo *kipc_sem_undo_first_dead(struct kipc_sem_set *set)
{
	return list_first_entry_or_null(&set->dead, struct kipc_sem_undo, of_set);
}

static bool kipc_sem_undo_has_values(struct kipc_sem_set *set, struct kipc_sem_undo *undo)
{
	return undo->used && undo->forgets == set->forgets;
}

/* Once: it is 0 then. */
static void kipc_sem_undo_adjust_locked(struct kipc_sem_set *set, struct kipc_sem_undo *undo,
					unsigned int num)
{
	s32 adjust, fast;

	kipc_sem_hold_locked(set, num, 1);
	fast = kipc_sem_fast_locked(undo, num);
	adjust = clamp(undo->adjust[num] + fast, -SEMAEM - 1, SEMAEM);
	undo->adjust[num] = -fast;
	if (adjust) {
		kipc_sem_set_value(set, num,
				   clamp(kipc_sem_value(set, num) + adjust, 0, SEMVMX));
		kipc_sem_touch_locked(set, num, undo->process->pid);
		/* It had taken that.  Who sleeps and asks is told in a moment. */
		if (adjust > 0)
			kipc_sem_set_orphaned_locked(set, num, true);
		if (unlikely(set->complex))
			set->unsettled = kipc_sem_count(set);
		else if (unlikely(set->sems[num].sleepers))
			kipc_sem_settle_locked(set, num, 1);
	}
	kipc_sem_release_locked(set, num, 1);
}

/* The next few of who died first; there is one.  Once all are applied it may be freed. */
static void kipc_sem_undo_apply_some_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo = kipc_sem_undo_first_dead(set);
	unsigned int i, end, found = 0;

	if (undo->view && !kipc_sem_fold_dead_locked(undo->view))
		return;
	if (kipc_sem_undo_has_values(set, undo)) {
		end = min(undo->applied + KIPC_SEM_UNDO_LOOKS, kipc_sem_count(set));
		for (i = undo->applied; i < end && found < KIPC_SEM_STRIDE; i++) {
			if (!undo->adjust[i])
				continue;
			kipc_sem_undo_adjust_locked(set, undo, i);
			found++;
		}
		undo->applied = i;
		if (i < kipc_sem_count(set))
			return;
	}
	/* As native: then they are looked at though nothing has changed. */
	if (undo->used && set->complex)
		set->unsettled = kipc_sem_count(set);
	kipc_sem_undo_detach_locked(undo);
	kipc_sem_undo_collected_locked(set);
}

static bool kipc_sem_is_half_applied_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_undo *undo = kipc_sem_undo_first_dead(set);

	return undo && undo->applied;
}

/* The next few; there are some. */
static void kipc_sem_catch_up_some_locked(struct kipc_sem_set *set)
{
	/* Of one death all values change before any sleeper looks at several of them. */
	if (set->unsettled && !(set->complex && kipc_sem_is_half_applied_locked(set)))
		kipc_sem_settle_some_locked(set);
	else
		kipc_sem_undo_apply_some_locked(set);
}

/* Is there a death that is not over, up to the one with this number? */
static bool kipc_sem_is_due_locked(struct kipc_sem_set *set, u64 last)
{
	struct kipc_sem_undo *undo = kipc_sem_undo_first_dead(set);

	return undo && undo->number <= last;
}

/*
 * Up to the death with a number, and the setting of all values; what others have begun
 * since is no longer given way to once that has been enough for all there was.
 */
static void kipc_sem_catch_up_to_locked(struct kipc_sem_set *set, u64 last)
{
	unsigned int left = kipc_sem_count(set) / KIPC_SEM_STRIDE + 1;
	bool is_due;

	while ((is_due = kipc_sem_is_due_locked(set, last)) || set->unsettled ||
	       kipc_sem_is_half_applied_locked(set)) {
		kipc_sem_catch_up_some_locked(set);
		if (!is_due && !left) {
			cond_resched();
			continue;
		}
		left -= !is_due;
		kipc_sem_pause_locked(set);
	}
}

/**
 * kipc_sem_catch_up_locked() - do to a set what deaths do, and the setting of all values
 * @set: the set; its lock is held, and given back in between
 */
void kipc_sem_catch_up_locked(struct kipc_sem_set *set)
{
	kipc_sem_undo_collect_locked(set);
	kipc_sem_catch_up_to_locked(set, set->deaths);
}

/**
 * kipc_sem_catch_up_whole_locked() - the same, to look at several semaphores then
 * @set: the set; its lock is held, and given back in between
 *
 * Meanwhile nobody is shown one semaphore of a later death, which the others would not show
 * yet: whoever has seen it came after that death, and before the caller.
 */
void kipc_sem_catch_up_whole_locked(struct kipc_sem_set *set)
{
	set->whole++;
	kipc_sem_catch_up_locked(set);
	set->whole--;
}

/* What the deaths up to @set->shown do to one semaphore. */
static void kipc_sem_adjust_one_locked(struct kipc_sem_set *set, unsigned int num)
{
	struct kipc_sem_undo *undo;

	list_for_each_entry(undo, &set->dead, of_set) {
		if (undo->number > set->shown)
			break;
		if (kipc_sem_undo_has_values(set, undo))
			kipc_sem_undo_adjust_locked(set, undo, num);
		cond_resched();
	}
}

/**
 * kipc_sem_catch_up_one_locked() - the same, to one semaphore at least
 * @set: the set, not removed; its lock is held, and perhaps given back in between
 * @num: the semaphore
 */
void kipc_sem_catch_up_one_locked(struct kipc_sem_set *set, unsigned int num)
{
	kipc_sem_undo_collect_locked(set);
	if (set->complex || set->whole) {
		kipc_sem_catch_up_to_locked(set, set->deaths);
	} else {
		if (num < set->unsettled)
			kipc_sem_settle_locked(set, num, 1);
		set->shown = set->deaths;
	}
	kipc_sem_adjust_one_locked(set, num);
}

/**
 * kipc_sem_catch_up_ops_locked() - the same, to what a call names
 * @set: the set, not removed; its lock is held, and perhaps given back in between
 * @sops: its operations
 * @nsops: how many
 */
void kipc_sem_catch_up_ops_locked(struct kipc_sem_set *set, const struct sembuf *sops,
				  unsigned int nsops)
{
	if (nsops == 1)
		kipc_sem_catch_up_one_locked(set, sops->sem_num);
	else
		kipc_sem_catch_up_whole_locked(set);
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
			mutex_lock(&set->lock);
			/* A set that is being removed is no other: see kipc_sem_ended(). */
			if (undo->set) {
				kipc_sem_undo_collect_locked(set);
				kipc_sem_catch_up_to_locked(set, undo->number);
			}
			kipc_sem_set_unlock(set);
			kipc_object_put(&set->object);
		}
		kipc_sem_undo_free(process, serial, undo);
		cond_resched();
	}
	xa_destroy(&process->undos);
}

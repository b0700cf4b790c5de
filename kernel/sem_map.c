// SPDX-License-Identifier: GPL-2.0
/*
 * Sets mapped into processes: operations without a system call.  See sem.h, sem_word.h
 * for the words and sem_undo.c for undo values.
 *
 * A view is one process' mapping of one set: the pages of the set, which all views
 * share, behind pages of its own, with the undo values that user space makes.  The set
 * has such pages only while it has views.
 *
 * Cutting a view: its mappings lose the set's pages, and a later access meets a page of
 * its own in which every word is HELD; what a thread was in the middle of counts as done;
 * undo values move to the kernel; the process goes on by system call.  That is done when
 * the process dies, unmaps or executes something else (which kills its other threads at
 * any instruction), when it is about to have other rights, when the set's permissions
 * change, when more than a few undo values are to be forgotten, and when the set is
 * removed.
 *
 * It is done in steps: the view is marked, under kipc_sem_set.lock, which a fault takes
 * too, so that no page appears in it any more; the pages are taken away; then, under the
 * lock, which is given back after each KIPC_SEM_STRIDE, semaphore after semaphore is
 * folded (kipc_sem_fold_locked); and the view ends.  Whoever has it to do goes on with
 * what another began.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "limits.h"
#include "perm.h"
#include "process.h"
#include "sem.h"
#include "sem_word.h"
#include "shared.h"
#include "space.h"

/**
 * struct kipc_sem_pages - pages of a set that views share
 * @shared: the pages
 * @account: who is charged for them, with a reference
 * @count: how many
 * @rcu: for the grace period: the exit hook looks at them
 */
struct kipc_sem_pages {
	struct kipc_sem_shared *shared;
	struct kipc_account *account;
	unsigned int count;
	struct rcu_head rcu;
};

/*
 * Values that are copied, by a few instructions each, before others may have the
 * processor: whoever wants the set would not get the lock.
 */
#define KIPC_SEM_COPIES		65536

/* Of an undo value, made by user space: the library leaves what is more to the kernel. */
#define KIPC_SEM_FAST_MUCH	4096

/* A set's window of the shared address space: private pages end where shared ones begin. */
#define KIPC_SEM_WINDOW_SHIFT	12
#define KIPC_SEM_WINDOW_SHARED	2048

static unsigned long kipc_sem_window(struct kipc_sem_set *set)
{
	return (set->serial << KIPC_SEM_WINDOW_SHIFT) + KIPC_SEM_WINDOW_SHARED;
}

static unsigned int kipc_sem_shared_pages(struct kipc_sem_set *set)
{
	return DIV_ROUND_UP(struct_size(set->shared, cells, kipc_sem_count(set)), PAGE_SIZE);
}

static unsigned int kipc_sem_private_pages(struct kipc_sem_set *set)
{
	return DIV_ROUND_UP(sizeof(struct kipc_sem_private) +
			    kipc_sem_count(set) * sizeof(struct kipc_sem_adjust), PAGE_SIZE);
}

/*
 * One that is too large for its window is not; nor is one that ends with its creator, for
 * its users would not see at once that it has ended.
 */
static bool kipc_sem_may_be_mapped(struct kipc_sem_set *set)
{
	return kipc_sem_private_pages(set) <= KIPC_SEM_WINDOW_SHARED &&
	       kipc_sem_shared_pages(set) <= KIPC_SEM_WINDOW_SHARED &&
	       set->object.lifetime != KIPC_LIFETIME_CREATOR;
}

/* ---- Pages of a set ---- */

static int kipc_sem_pages_new_locked(struct kipc_sem_set *set, struct kipc_account *account)
{
	struct kipc_sem_pages *pages;
	unsigned int i, count = kipc_sem_shared_pages(set);

	pages = kzalloc(sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	if (!kipc_account_charge(account, KIPC_CHARGE_PAGES, count, KIPC_USER_PAGES)) {
		kfree(pages);
		return -ENOSPC;
	}
	pages->shared = kipc_shared_alloc(count << PAGE_SHIFT);
	if (!pages->shared) {
		kipc_account_uncharge(account, KIPC_CHARGE_PAGES, count);
		kfree(pages);
		return -ENOMEM;
	}
	pages->account = kipc_account_get(account);
	pages->count = count;
	for (i = 0; i < kipc_sem_count(set); i++)
		pages->shared->cells[i].word = set->sems[i].value |
			(set->sems[i].sleepers ? KIPC_SEM_HELD : 0);
	set->pages = pages;
	/* The exit hook looks without a lock. */
	smp_store_release(&set->shared, pages->shared);
	/* Whoever died before it could see the pages is in the list now. */
	smp_mb();
	if (!llist_empty(&set->dying) || !list_empty(&set->dead))
		WRITE_ONCE(set->shared->state, KIPC_SEM_DRAIN);
	return 0;
}

static void kipc_sem_pages_free_rcu(struct rcu_head *rcu)
{
	struct kipc_sem_pages *pages = container_of(rcu, struct kipc_sem_pages, rcu);

	kipc_shared_free(pages->shared);
	kfree(pages);
}

/* Nobody has them mapped any more. */
static void kipc_sem_pages_end_locked(struct kipc_sem_set *set)
{
	unsigned int i, count = kipc_sem_count(set);
	struct kipc_sem_pages *pages = set->pages;
	struct kipc_sem_cell *cell = pages->shared->cells;
	struct kipc_sem *sem = set->sems;

	set->otime = kipc_sem_otime_locked(set);
	for (i = 1; i <= count; i++, sem++, cell++) {
		sem->value = kipc_sem_value_of(READ_ONCE(cell->word));
		if (i % KIPC_SEM_COPIES == 0)
			cond_resched();
	}
	WRITE_ONCE(set->shared, NULL);
	set->pages = NULL;
	kipc_account_uncharge(pages->account, KIPC_CHARGE_PAGES, pages->count);
	kipc_account_put(pages->account);
	call_rcu(&pages->rcu, kipc_sem_pages_free_rcu);
}

/**
 * kipc_sem_otime_locked() - when an operation was made last
 * @set: the set; its lock is held
 */
time64_t kipc_sem_otime_locked(struct kipc_sem_set *set)
{
	time64_t now = ktime_get_real_seconds();
	time64_t last = set->otime, time;
	struct kipc_sem_cell *cell, *end;

	if (likely(!set->shared))
		return last;
	end = set->shared->cells + kipc_sem_count(set);
	for (cell = set->shared->cells; cell < end; cell++) {
		time = READ_ONCE(cell->time);
		if (unlikely(time > last))
			last = min(time, now);
	}
	return last;
}

/* ---- Who is in the middle of an operation ---- */

/* The undo values of the process with a token, if it may have written the set's words. */
static struct kipc_sem_undo *kipc_sem_undo_of_token_locked(struct kipc_sem_set *set, u32 token)
{
	struct kipc_process *process;
	struct kipc_sem_undo *undo = NULL;

	rcu_read_lock();
	process = token ? kipc_process_of_token_rcu(token) : NULL;
	if (process)
		undo = xa_load(&process->undos, set->serial);
	/* While it is the set's it stays. */
	if (undo && (READ_ONCE(undo->set) != set || !undo->view))
		undo = NULL;
	rcu_read_unlock();
	return undo;
}

static bool kipc_sem_intent_is(u64 intent, unsigned int state, struct kipc_sem_view *view,
			       unsigned int num)
{
	return intent >> 16 == KIPC_INTENT(state, view->index, num, 0) >> 16;
}

static s32 kipc_sem_read_fast(struct kipc_sem_view *view, unsigned int num)
{
	return clamp(READ_ONCE(view->private->adjust[num].fast), -SEMAEM - 1, SEMAEM);
}

/*
 * The thread that a held word's slot names: the process' undo values and what their
 * fast part is when the thread is through.  NULL: there is none (any more); then the
 * slot is empty.
 */
static struct kipc_sem_undo *kipc_sem_operator_locked(struct kipc_sem_set *set,
						      unsigned int num, s32 *fast)
{
	u64 intent, again, word = kipc_sem_read_word(set, num);
	unsigned int slot = kipc_sem_word_slot(word);
	struct kipc_sem_undo *undo;
	struct kipc_sem_view *view;

	if (!slot)
		return NULL;
	undo = kipc_sem_undo_of_token_locked(set, kipc_sem_word_token(word));
	if (!undo)
		goto bogus;
	view = undo->view;
	intent = READ_ONCE(undo->process->slots[slot].intent);
	if (kipc_sem_intent_is(intent, KIPC_INTENT_PENDING, view, num)) {
		/* The thread says COMPUTED before it stores what it computed. */
		smp_rmb();
		*fast = kipc_sem_read_fast(view, num) + (s16)intent;
		smp_rmb();
		again = READ_ONCE(undo->process->slots[slot].intent);
		if (again == intent) {
			/* Last the word: a store that ends it may have been overtaken. */
			smp_rmb();
			if ((kipc_sem_read_word(set, num) ^ word) >> KIPC_SEM_SLOT_SHIFT)
				return NULL;
			goto found;
		}
		intent = again;
	}
	if (kipc_sem_intent_is(intent, KIPC_INTENT_COMPUTED, view, num)) {
		*fast = (s16)intent;
		goto found;
	}
bogus:
	/* It clears the slot before its intent: a slot that is still there is nobody's. */
	smp_rmb();
	if ((kipc_sem_read_word(set, num) ^ word) >> KIPC_SEM_SLOT_SHIFT == 0)
		kipc_sem_clear_bits(set, num, KIPC_SEM_SLOT);
	return NULL;
found:
	*fast = clamp(*fast, -SEMAEM - 1, SEMAEM);
	return undo;
}

/**
 * kipc_sem_check_slot_locked() - a held word names a slot: clear it if it is nobody's
 * @set: the set; its lock is held
 * @num: the semaphore
 */
void kipc_sem_check_slot_locked(struct kipc_sem_set *set, unsigned int num)
{
	s32 fast;

	kipc_sem_operator_locked(set, num, &fast);
}

/**
 * kipc_sem_fast_locked() - the part of an undo value that user space made
 * @undo: undo values
 * @num: semaphore, held
 *
 * Context: kipc_sem_set.lock.
 */
s32 kipc_sem_fast_locked(struct kipc_sem_undo *undo, unsigned int num)
{
	s32 fast;

	if (likely(!undo->view) || num < undo->view->folded)
		return 0;
	if (kipc_sem_operator_locked(undo->set, num, &fast) == undo)
		return fast;
	return kipc_sem_read_fast(undo->view, num);
}

/**
 * kipc_sem_take_fast_locked() - make a part that user space made the kernel's
 * @undo: undo values
 * @num: semaphore, held
 *
 * For the part has less room than the whole: now and then, when nobody is changing it.
 *
 * Context: kipc_sem_set.lock.
 */
void kipc_sem_take_fast_locked(struct kipc_sem_undo *undo, unsigned int num)
{
	s32 fast;

	if (likely(!undo->view) || num < undo->view->folded)
		return;
	fast = kipc_sem_read_fast(undo->view, num);
	if (abs(fast) < KIPC_SEM_FAST_MUCH ||
	    kipc_sem_word_slot(kipc_sem_read_word(undo->set, num)))
		return;
	WRITE_ONCE(undo->view->private->adjust[num].fast, 0);
	undo->adjust[num] = clamp(undo->adjust[num] + fast, -SEMAEM - 1, SEMAEM);
	kipc_sem_show_slow_locked(undo, num);
}

/**
 * kipc_sem_show_slow_locked() - let user space see an undo value of the kernel's
 * @undo: undo values, changed
 * @num: semaphore
 *
 * Context: kipc_sem_set.lock.
 */
void kipc_sem_show_slow_locked(struct kipc_sem_undo *undo, unsigned int num)
{
	if (unlikely(undo->view))
		WRITE_ONCE(undo->view->private->adjust[num].slow, undo->adjust[num]);
}

/**
 * kipc_sem_pid_locked() - who changed a semaphore last
 * @set: the set; its lock is held
 * @num: the semaphore
 *
 * Return: the thread group or NULL; valid while the lock is held.
 */
struct pid *kipc_sem_pid_locked(struct kipc_sem_set *set, unsigned int num)
{
	struct kipc_sem_undo *undo;
	u64 word;

	if (likely(!set->shared))
		return set->sems[num].pid;
	word = kipc_sem_read_word(set, num);
	if (word & KIPC_SEM_KEPT || !kipc_sem_word_token(word))
		return set->sems[num].pid;
	undo = kipc_sem_undo_of_token_locked(set, kipc_sem_word_token(word));
	return undo ? undo->process->pid : NULL;
}

/* ---- Cutting ---- */

/* What user space did to a semaphore goes to the kernel's account. */
static void kipc_sem_fold_locked(struct kipc_sem_view *view, unsigned int num)
{
	struct kipc_sem_undo *undo = view->undo;
	u32 token = view->process->token;
	struct kipc_sem_set *set = view->set;
	u64 word = kipc_sem_read_word(set, num);
	s32 fast;

	/* Then none of its threads is in the middle of an operation, nor will be. */
	if (kipc_sem_word_token(word) != token) {
		smp_rmb();
		fast = kipc_sem_read_fast(view, num);
		if (fast || undo->adjust[num])
			undo->adjust[num] = clamp(undo->adjust[num] + fast, -SEMAEM - 1, SEMAEM);
		return;
	}
	kipc_sem_hold_locked(set, num, 1);
	undo->adjust[num] = clamp(undo->adjust[num] + kipc_sem_fast_locked(undo, num),
				  -SEMAEM - 1, SEMAEM);
	word = kipc_sem_read_word(set, num);
	if (kipc_sem_word_token(word) == token) {
		kipc_sem_clear_bits(set, num, KIPC_SEM_SLOT);
		if (word & KIPC_SEM_KEPT)
			kipc_sem_keep_pid(set, num);
		else
			kipc_sem_touch_locked(set, num, undo->process->pid);
	}
	kipc_sem_release_locked(set, num, 1);
}

static void kipc_sem_end_view_locked(struct kipc_sem_view *view)
{
	struct kipc_sem_set *set = view->set;

	if (view->undo)
		kipc_sem_drop_undo_locked(view->undo);
	xa_erase(&view->process->views, view->index);
	list_del_init(&view->of_set);
	WRITE_ONCE(set->view_count, set->view_count - 1);
	if (list_empty(&set->views))
		kipc_sem_pages_end_locked(set);
}

/* The next few semaphores of a view whose pages are gone.  Return: whether it has ended. */
static bool kipc_sem_fold_some_locked(struct kipc_sem_view *view)
{
	unsigned int end = min(view->folded + KIPC_SEM_STRIDE, kipc_sem_count(view->set));

	if (view->undo) {
		view->undo->used |= READ_ONCE(view->private->used);
		for (; view->folded < end; view->folded++)
			kipc_sem_fold_locked(view, view->folded);
		if (end < kipc_sem_count(view->set))
			return false;
	}
	kipc_sem_end_view_locked(view);
	return true;
}

/* From here on no page of the set comes into the view. */
static void kipc_sem_mark_cut_locked(struct kipc_sem_view *view)
{
	if (!view->cut)
		view->cut = ++view->set->cuts;
}

static struct kipc_sem_view *kipc_sem_find_cut_locked(struct kipc_sem_set *set,
						      unsigned long cut)
{
	struct kipc_sem_view *view;

	list_for_each_entry(view, &set->views, of_set)
		if (view->cut && view->cut <= cut)
			return view;
	return NULL;
}

/*
 * End the views that were marked by a cut and those before; no lock is held.  One does
 * after the other: who operates on the set waits behind one of them only.
 */
static void kipc_sem_end_cut(struct kipc_sem_set *set, unsigned long cut)
{
	struct kipc_sem_view *view;

	kipc_shared_cut(kipc_sem_window(set), kipc_sem_shared_pages(set));
	mutex_lock(&set->folding);
	mutex_lock(&set->lock);
	while ((view = kipc_sem_find_cut_locked(set, cut))) {
		kipc_sem_fold_some_locked(view);
		kipc_sem_pause_locked(set);
	}
	mutex_unlock(&set->lock);
	mutex_unlock(&set->folding);
}

/**
 * kipc_sem_drop_undo_locked() - undo values have a part in a view no more
 * @undo: undo values
 *
 * Context: kipc_sem_set.lock.
 */
void kipc_sem_drop_undo_locked(struct kipc_sem_undo *undo)
{
	if (!undo->view)
		return;
	undo->view->undo = NULL;
	undo->view = NULL;
}

/**
 * kipc_sem_fold_dead_locked() - the next few semaphores of the view of a dead process
 * @view: the view
 *
 * Context: kipc_sem_set.lock; may sleep.
 * Return: whether it has ended.
 */
bool kipc_sem_fold_dead_locked(struct kipc_sem_view *view)
{
	struct kipc_sem_set *set = view->set;

	lockdep_assert_held(&set->lock);
	kipc_sem_mark_cut_locked(view);
	/* As a rule its memory went before it.  What is folded already was cut already. */
	if (view->maps && !view->folded)
		kipc_shared_cut(kipc_sem_window(set), kipc_sem_shared_pages(set));
	return kipc_sem_fold_some_locked(view);
}

/**
 * kipc_sem_cut_all() - cut all views of a set
 * @set: the set, with a reference
 *
 * Context: no lock held; may sleep.
 */
void kipc_sem_cut_all(struct kipc_sem_set *set)
{
	struct kipc_sem_view *view;
	unsigned long cut;

	mutex_lock(&set->lock);
	list_for_each_entry(view, &set->views, of_set) {
		kipc_sem_mark_cut_locked(view);
		cond_resched();
	}
	cut = list_empty(&set->views) ? 0 : set->cuts;
	mutex_unlock(&set->lock);
	if (cut)
		kipc_sem_end_cut(set, cut);
}

/**
 * kipc_sem_cut_process() - cut the caller's views
 * @mm: only those that are not in this memory, or NULL: all
 *
 * Context: process; may sleep.
 */
void kipc_sem_cut_process(struct mm_struct *mm)
{
	struct kipc_process *process;
	struct kipc_sem_view *view;
	struct kipc_sem_set *set;
	unsigned long index, cut;
	bool is_ours;

	rcu_read_lock();
	process = kipc_process_find_rcu(task_tgid(current));
	rcu_read_unlock();
	if (!process)
		return;

	for (index = 0;; index++) {
		set = NULL;
		xa_lock(&process->views);
		view = xa_find(&process->views, &index, ULONG_MAX, XA_PRESENT);
		if (view && view->mm != mm) {
			set = view->set;
			kipc_object_get(&set->object);
		}
		xa_unlock(&process->views);
		if (!view)
			return;
		if (!set)
			continue;
		mutex_lock(&set->lock);
		/* It may be gone, and another one be in its place: that is another set's. */
		xa_lock(&process->views);
		is_ours = xa_load(&process->views, index) == view && view->set == set;
		xa_unlock(&process->views);
		if (is_ours)
			kipc_sem_mark_cut_locked(view);
		cut = set->cuts;
		mutex_unlock(&set->lock);
		if (is_ours)
			kipc_sem_end_cut(set, cut);
		kipc_object_put(&set->object);
	}
}

/* ---- Mappings ---- */

/* Count a mapping that is being made: from here on the set does not end with its users. */
static int kipc_sem_enter(struct kipc_sem_set *set)
{
	int ret = 0;

	spin_lock(&set->object.lock);
	if (set->object.removed)
		ret = -EIDRM;
	else
		WRITE_ONCE(set->object.nattch, set->object.nattch + 1);
	spin_unlock(&set->object.lock);
	return ret;
}

static void kipc_sem_entered(struct kipc_sem_set *set)
{
	spin_lock(&set->object.lock);
	set->object.was_used = true;
	spin_unlock(&set->object.lock);
}

static void kipc_sem_leave(struct kipc_sem_set *set)
{
	spin_lock(&set->object.lock);
	WRITE_ONCE(set->object.nattch, set->object.nattch - 1);
	kipc_object_left_unlock(&set->object);
}

static void kipc_sem_view_free(struct kipc_sem_view *view)
{
	kipc_account_uncharge(view->account, KIPC_CHARGE_PAGES, view->pages);
	kipc_account_put(view->account);
	kipc_shared_free(view->private);
	kipc_shared_free(view->blank);
	kipc_object_put(&view->set->object);
	kipc_process_put(view->process);
	kfree(view);
}

static void kipc_sem_vm_open(struct vm_area_struct *vma)
{
	struct kipc_sem_view *view = vma->vm_private_data;

	mutex_lock(&view->set->lock);
	view->maps++;
	mutex_unlock(&view->set->lock);
}

static void kipc_sem_vm_close(struct vm_area_struct *vma)
{
	struct kipc_sem_view *view = vma->vm_private_data;
	struct kipc_sem_set *set = view->set;
	bool last;

	mutex_lock(&set->lock);
	last = !--view->maps;
	if (last)
		kipc_sem_mark_cut_locked(view);
	mutex_unlock(&set->lock);
	if (!last)
		return;

	/* There are no pages in it.  Of many who end at once one does: see kipc_sem_end_cut(). */
	mutex_lock(&set->folding);
	mutex_lock(&set->lock);
	while (!list_empty(&view->of_set) && !kipc_sem_fold_some_locked(view))
		kipc_sem_pause_locked(set);
	mutex_unlock(&set->lock);
	mutex_unlock(&set->folding);
	kipc_sem_leave(set);
	kipc_sem_view_free(view);
}

static int kipc_sem_vm_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

/* What a view that has been cut shows: every word is HELD. */
static void *kipc_sem_blank_locked(struct kipc_sem_view *view)
{
	unsigned int i;

	if (view->blank)
		return view->blank;
	view->blank = kipc_shared_alloc(PAGE_SIZE);
	if (view->blank)
		for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
			((u64 *)view->blank)[i] = KIPC_SEM_HELD;
	return view->blank;
}

static vm_fault_t kipc_sem_vm_fault(struct vm_fault *vmf)
{
	struct kipc_sem_view *view = vmf->vma->vm_private_data;
	struct kipc_sem_set *set = view->set;
	unsigned long page = vmf->pgoff;
	vm_fault_t ret = VM_FAULT_OOM;
	void *blank;

	mutex_lock(&set->lock);
	if (page < kipc_sem_window(set)) {
		page -= kipc_sem_window(set) - kipc_sem_private_pages(set);
		ret = kipc_shared_insert(vmf, view->private, page);
	} else if (!view->cut) {
		page -= kipc_sem_window(set);
		ret = kipc_shared_insert(vmf, set->shared, page);
	} else {
		blank = kipc_sem_blank_locked(view);
		if (blank)
			ret = kipc_shared_insert(vmf, blank, 0);
	}
	mutex_unlock(&set->lock);
	return ret;
}

static const struct vm_operations_struct kipc_sem_vm_ops = {
	.open		= kipc_sem_vm_open,
	.close		= kipc_sem_vm_close,
	.may_split	= kipc_sem_vm_may_split,
	.fault		= kipc_sem_vm_fault,
};

static struct kipc_sem_view *kipc_sem_view_new(struct kipc_sem_set *set,
					       struct kipc_process *process, bool writable)
{
	unsigned int pages = writable ? kipc_sem_private_pages(set) : 0;
	struct kipc_sem_view *view;

	view = kzalloc(sizeof(*view), GFP_KERNEL_ACCOUNT);
	if (!view)
		return ERR_PTR(-ENOMEM);
	view->account = kipc_account_get_current();
	if (!view->account) {
		kfree(view);
		return ERR_PTR(-ENOMEM);
	}
	kipc_object_get(&set->object);
	view->set = set;
	refcount_inc(&process->refs);
	view->process = process;
	view->mm = current->mm;
	/* One more for what it shows once it has been cut. */
	if (!kipc_account_charge(view->account, KIPC_CHARGE_PAGES, pages + 1, KIPC_USER_PAGES)) {
		kipc_sem_view_free(view);
		return ERR_PTR(-ENOSPC);
	}
	view->pages = pages + 1;
	if (pages) {
		view->private = kipc_shared_alloc(pages << PAGE_SHIFT);
		if (!view->private) {
			kipc_sem_view_free(view);
			return ERR_PTR(-ENOMEM);
		}
	}
	return view;
}

/* Make it the set's, if the caller may have it. */
static int kipc_sem_view_add_locked(struct kipc_sem_view *view, struct kipc_sem_undo *undo)
{
	struct kipc_sem_set *set = view->set;
	unsigned int i;
	int ret;

	lockdep_assert_held(&set->lock);
	if (READ_ONCE(set->object.removed))
		return -EIDRM;
	/* Under the lock: a change of permissions takes it to cut views. */
	if (!kipc_may_access(&set->object, undo ? S_IRUGO | S_IWUGO : S_IRUGO))
		return -EACCES;
	if (undo && undo->view)
		return -EBUSY;
	ret = xa_alloc(&view->process->views, &view->index, view,
		       XA_LIMIT(1, KIPC_PROCESS_VIEWS), GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;
	if (!set->shared) {
		ret = kipc_sem_pages_new_locked(set, view->account);
		if (ret) {
			xa_erase(&view->process->views, view->index);
			return ret;
		}
	}
	/* Behind those that are being cut. */
	list_add_tail(&view->of_set, &set->views);
	WRITE_ONCE(set->view_count, set->view_count + 1);
	if (undo) {
		view->private->map = view->index;
		view->undo = undo;
		undo->view = view;
		kipc_sem_undo_renew_locked(set, undo);
		for (i = 0; i < kipc_sem_count(set); i++)
			kipc_sem_show_slow_locked(undo, i);
	}
	return 0;
}

/*
 * Is something in the way of a view of a set?  Then what it is has been waited for, without
 * the lock, and it is to be asked again.  @undo may be gone if the set has been removed.
 */
static bool kipc_sem_wait_closed_unlock(struct kipc_sem_set *set, struct kipc_sem_undo *undo)
{
	unsigned long cut;

	if (READ_ONCE(set->object.removed))
		return false;
	cut = undo && undo->view ? undo->view->cut : 0;
	if (!cut && !set->closed)
		return false;
	kipc_sem_set_unlock(set);
	if (cut) {
		kipc_sem_end_cut(set, cut);
	} else {
		mutex_lock(&set->folding);
		mutex_unlock(&set->folding);
		cond_resched();
	}
	return true;
}

/* A view of a set for the caller, with one mapping. */
static struct kipc_sem_view *kipc_sem_view_make(struct kipc_sem_set *set, bool writable)
{
	struct kipc_process *process = kipc_process_current();
	struct kipc_sem_undo *undo = NULL;
	struct kipc_sem_view *view;
	int ret;

	if (IS_ERR(process))
		return ERR_CAST(process);
	if (writable) {
		if (!kipc_process_is_enabled(process))
			return ERR_PTR(-EINVAL);
		undo = kipc_sem_undo_get(set);
		if (IS_ERR(undo))
			return ERR_CAST(undo);
	}
	view = kipc_sem_view_new(set, process, writable);
	if (IS_ERR(view))
		return view;
	view->maps = 1;
	ret = kipc_sem_enter(set);
	if (ret)
		goto free_view;

	do
		kipc_sem_set_lock(set);
	while (kipc_sem_wait_closed_unlock(set, undo));
	ret = kipc_sem_view_add_locked(view, undo);
	kipc_sem_set_unlock(set);
	if (ret)
		goto leave;
	kipc_sem_entered(set);
	return view;

leave:
	kipc_sem_leave(set);
free_view:
	kipc_sem_view_free(view);
	return ERR_PTR(ret);
}

/**
 * kipc_sem_map_size() - how much of the address space a view of a set takes
 * @space: the caller's space
 * @id: set
 * @writable: to operate, not just to look
 * @layout: filled in
 *
 * Return: 0; -EINVAL: no such set; -EOPNOTSUPP: it is for system calls only.
 */
int kipc_sem_map_size(struct kipc_space *space, int id, bool writable,
		      struct kipc_sem_layout *layout)
{
	struct kipc_sem_set *set = kipc_sem_find(space, id);

	if (IS_ERR(set))
		return PTR_ERR(set);
	if (!kipc_sem_may_be_mapped(set)) {
		kipc_object_put(&set->object);
		return -EOPNOTSUPP;
	}
	layout->nsems = kipc_sem_count(set);
	layout->private = writable ? kipc_sem_private_pages(set) << PAGE_SHIFT : 0;
	layout->shared = kipc_sem_shared_pages(set) << PAGE_SHIFT;
	kipc_object_put(&set->object);
	return 0;
}

/**
 * kipc_sem_map() - mmap of the device: map a set
 * @space: the caller's space
 * @id: set
 * @vma: the mapping
 *
 * A writable mapping has the private pages first; one for reading has the shared pages
 * only.
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0; -EINVAL: no such set, wrong length or kind of mapping, or no record
 *	   enabled; -EACCES, -EIDRM, -ENOMEM; -ENOSPC: too many; -EBUSY: it is mapped.
 */
int kipc_sem_map(struct kipc_space *space, int id, struct vm_area_struct *vma)
{
	bool writable = vma->vm_flags & VM_WRITE;
	struct kipc_sem_view *view;
	struct kipc_sem_set *set;
	unsigned long pages, first;
	int ret = 0;

	if (!IS_ENABLED(CONFIG_X86_64))
		return -EOPNOTSUPP;
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	set = kipc_sem_find(space, id);
	if (IS_ERR(set))
		return PTR_ERR(set);
	if (!kipc_sem_may_be_mapped(set)) {
		ret = -EOPNOTSUPP;
		goto put_set;
	}
	first = writable ? kipc_sem_private_pages(set) : 0;
	pages = first + kipc_sem_shared_pages(set);
	if (vma_pages(vma) != pages) {
		ret = -EINVAL;
		goto put_set;
	}
	view = kipc_sem_view_make(set, writable);
	if (IS_ERR(view)) {
		ret = PTR_ERR(view);
		goto put_set;
	}
	kipc_shared_prepare(vma, kipc_sem_window(set) - first);
	vma->vm_ops = &kipc_sem_vm_ops;
	vma->vm_private_data = view;
put_set:
	kipc_object_put(&set->object);
	return ret;
}

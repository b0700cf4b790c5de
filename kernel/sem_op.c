// SPDX-License-Identifier: GPL-2.0
/*
 * semop: the pure step, the queues, the sleep.  See sem.h.
 *
 * kipc_sem_try_locked() is the pure step: it carries out all operations of a call
 * or none.  Whatever changed values calls kipc_sem_settle_*_locked() afterwards,
 * which carries out what sleepers asked for as far as it goes now.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "perm.h"
#include "process.h"
#include "sem.h"
#include "sem_word.h"
#include "space.h"

/* Operations that a call may have without an allocation. */
#define KIPC_SEM_FAST_OPS	64

/* ---- The pure step ---- */

/* One operation.  0: done; KIPC_SLEEPS: cannot go on; -ERANGE. */
static int kipc_sem_step_locked(struct kipc_sem_set *set, const struct sembuf *sop,
				struct kipc_sem_undo *undo)
{
	int value = kipc_sem_value(set, sop->sem_num);
	int adjust, total;

	if (!sop->sem_op)
		return value ? KIPC_SLEEPS : 0;
	value += sop->sem_op;
	if (value < 0)
		return KIPC_SLEEPS;
	if (value > SEMVMX)
		return -ERANGE;
	if (sop->sem_flg & SEM_UNDO) {
		kipc_sem_undo_renew_locked(set, undo);
		kipc_sem_take_fast_locked(undo, sop->sem_num);
		adjust = undo->adjust[sop->sem_num] - sop->sem_op;
		total = adjust + kipc_sem_fast_locked(undo, sop->sem_num);
		if (total < -SEMAEM - 1 || total > SEMAEM)
			return -ERANGE;
		undo->adjust[sop->sem_num] = adjust;
		kipc_sem_show_slow_locked(undo, sop->sem_num);
	}
	kipc_sem_set_value(set, sop->sem_num, value);
	return 0;
}

static void kipc_sem_unstep_locked(struct kipc_sem_set *set, const struct sembuf *sop,
				   struct kipc_sem_undo *undo)
{
	kipc_sem_set_value(set, sop->sem_num,
			   kipc_sem_value(set, sop->sem_num) - sop->sem_op);
	if (sop->sem_flg & SEM_UNDO) {
		undo->adjust[sop->sem_num] += sop->sem_op;
		kipc_sem_show_slow_locked(undo, sop->sem_num);
	}
}

static void kipc_sem_hold_ops_locked(struct kipc_sem_set *set, const struct sembuf *sops,
				     unsigned int nsops)
{
	if (likely(!set->shared))
		return;
	for (; nsops; sops++, nsops--)
		kipc_sem_hold_locked(set, sops->sem_num, 1);
}

static void kipc_sem_release_ops_locked(struct kipc_sem_set *set, const struct sembuf *sops,
					unsigned int nsops)
{
	if (likely(!set->shared))
		return;
	for (; nsops; sops++, nsops--)
		kipc_sem_release_locked(set, sops->sem_num, 1);
}

/* Who asks and takes from a semaphore that is orphaned is told, and nobody after it. */
static void kipc_sem_inherit_locked(struct kipc_sem_set *set, struct kipc_sem_sleeper *op)
{
	const struct sembuf *sop;

	for (sop = op->sops; set->orphans && sop < op->sops + op->nsops; sop++) {
		if (sop->sem_op >= 0 || !set->sems[sop->sem_num].orphaned)
			continue;
		kipc_sem_set_orphaned_locked(set, sop->sem_num, false);
		op->is_heir = true;
	}
}

/* The result of a call that was carried out, or of another. */
static int kipc_sem_result(const struct kipc_sem_sleeper *op, int ret)
{
	return unlikely(op->is_heir) && !ret ? -EOWNERDEAD : ret;
}

/*
 * All operations of a call in their order, or none.
 *
 * Return: 0: done; KIPC_SLEEPS: @op->blocked cannot go on; -EAGAIN: nor is it to
 * wait; -ERANGE; -ECANCELED: see kipc_sleeper.claim.
 */
static int kipc_sem_try_locked(struct kipc_sem_set *set, struct kipc_sem_sleeper *op)
{
	const struct sembuf *sop, *end = op->sops + op->nsops;
	struct pid *pid = op->call.pid;
	int ret;

	for (sop = op->sops; sop < end; sop++) {
		ret = kipc_sem_step_locked(set, sop, op->undo);
		if (ret)
			goto undo_steps;
	}
	if (unlikely(!kipc_claim(&op->call))) {
		ret = -ECANCELED;
		goto undo_steps;
	}
	for (sop = op->sops; sop < end; sop++)
		kipc_sem_touch_locked(set, sop->sem_num, pid);
	set->otime = ktime_get_real_seconds();
	if (unlikely(op->asks))
		kipc_sem_inherit_locked(set, op);
	return 0;

undo_steps:
	if (ret == KIPC_SLEEPS && sop->sem_flg & IPC_NOWAIT)
		ret = -EAGAIN;
	op->blocked = sop;
	while (sop-- > op->sops)
		kipc_sem_unstep_locked(set, sop, op->undo);
	if (ret < 0 && ret != -ECANCELED && unlikely(!kipc_claim(&op->call)))
		ret = -ECANCELED;
	return ret;
}

/* ---- Queues ---- */

static void kipc_sem_split_queue_locked(struct kipc_sem_set *set)
{
	struct kipc_sem_sleeper *op, *next;

	list_for_each_entry_safe(op, next, &set->change, queue)
		list_move_tail(&op->queue, &set->sems[op->sops->sem_num].change);
}

static void kipc_sem_join_queues_locked(struct kipc_sem_set *set)
{
	unsigned int i;

	for (i = 0; i < kipc_sem_count(set); i++)
		list_splice_tail_init(&set->sems[i].change, &set->change);
}

static void kipc_sem_enqueue_locked(struct kipc_sem_set *set, struct kipc_sem_sleeper *op)
{
	struct kipc_sem *sem = &set->sems[op->sops->sem_num];
	unsigned int i;

	if (op->nsops > 1 && !set->complex++)
		kipc_sem_join_queues_locked(set);
	if (op->changes)
		list_add_tail(&op->queue, set->complex ? &set->change : &sem->change);
	else
		list_add_tail(&op->queue, op->nsops > 1 ? &set->zero : &sem->zero);
	for (i = 0; i < op->nsops; i++)
		set->sems[op->sops[i].sem_num].sleepers++;
	if (unlikely(!op->call.task && op->undo))
		list_add_tail(&op->of_undo, &op->undo->calls);
}

static void kipc_sem_dequeue_locked(struct kipc_sem_set *set, struct kipc_sem_sleeper *op)
{
	unsigned int i;

	list_del(&op->queue);
	if (unlikely(!op->call.task && op->undo))
		list_del(&op->of_undo);
	if (op->nsops > 1)
		set->complex--;
	for (i = 0; i < op->nsops; i++)
		set->sems[op->sops[i].sem_num].sleepers--;
	kipc_sem_release_ops_locked(set, op->sops, op->nsops);
}

/* The sleeper may return, and its stack be gone, as soon as it sees its status. */
static void kipc_sem_finish_locked(struct kipc_sem_set *set, struct kipc_sem_sleeper *op,
				   int status)
{
	kipc_sem_dequeue_locked(set, op);
	kipc_finish_locked(&set->wakes, &op->call, kipc_sem_result(op, status));
}

static void kipc_sem_settle_zero_queue_locked(struct kipc_sem_set *set,
					      struct list_head *queue)
{
	struct kipc_sem_sleeper *op, *next;
	int ret;

	list_for_each_entry_safe(op, next, queue, queue) {
		cond_resched();
		ret = kipc_sem_try_locked(set, op);
		if (ret != KIPC_SLEEPS)
			kipc_sem_finish_locked(set, op, ret);
	}
}

/*
 * Who waits for zero, when @sops have been carried out.  As native: whoever waits for several looks
 * again, after all who wait for one, if any of these is zero, changed or not.
 */
static void kipc_sem_settle_zero_locked(struct kipc_sem_set *set, const struct sembuf *sops,
					unsigned int nsops)
{
	bool is_any_zero = false;
	unsigned int i, num;

	for (i = 0; i < nsops; i++) {
		num = sops[i].sem_num;
		if (kipc_sem_value(set, num))
			continue;
		is_any_zero = true;
		kipc_sem_settle_zero_queue_locked(set, &set->sems[num].zero);
	}
	if (is_any_zero)
		kipc_sem_settle_zero_queue_locked(set, &set->zero);
}

/*
 * Who waits to change something, in their order.  A change of one semaphore lets
 * nobody go who came earlier, for it was a decrement; one of several may.
 */
static void kipc_sem_settle_queue_locked(struct kipc_sem_set *set, struct list_head *queue)
{
	struct kipc_sem_sleeper *op, *next;
	unsigned int nsops;
	bool again;
	int ret;

restart:
	list_for_each_entry_safe(op, next, queue, queue) {
		cond_resched();
		/* Decrements of one semaphore: nobody goes once it is zero. */
		if (queue != &set->change && !kipc_sem_value(set, op->sops->sem_num))
			return;
		ret = kipc_sem_try_locked(set, op);
		if (ret == KIPC_SLEEPS)
			continue;
		nsops = op->nsops;
		again = !ret && (nsops > 1 || set->complex);
		if (!ret)
			kipc_sem_settle_zero_locked(set, op->sops, nsops);
		kipc_sem_finish_locked(set, op, ret);
		if (again)
			goto restart;
	}
}

static void kipc_sem_settle_changes_locked(struct kipc_sem_set *set)
{
	kipc_sem_settle_queue_locked(set, &set->change);
	if (!set->complex)
		kipc_sem_split_queue_locked(set);
}

/* The operations of a call have been carried out. */
static void kipc_sem_settle_ops_locked(struct kipc_sem_set *set, const struct sembuf *sops,
				       unsigned int nsops)
{
	unsigned int i;

	kipc_sem_settle_zero_locked(set, sops, nsops);
	if (unlikely(!list_empty(&set->change))) {
		kipc_sem_settle_changes_locked(set);
		return;
	}
	for (i = 0; i < nsops; i++)
		if (sops[i].sem_op > 0)
			kipc_sem_settle_queue_locked(set, &set->sems[sops[i].sem_num].change);
}

/**
 * kipc_sem_settle_locked() - semaphores may have got another value
 * @set: the set; its lock is held
 * @num: first of them
 * @count: how many
 *
 * Who sleeps and can go on now does.
 */
void kipc_sem_settle_locked(struct kipc_sem_set *set, unsigned int num, unsigned int count)
{
	unsigned int i;

	for (i = num; i < num + count; i++) {
		if (i % KIPC_SEM_STRIDE == 0)
			cond_resched();
		if (!list_empty(&set->sems[i].zero) && !kipc_sem_value(set, i))
			kipc_sem_settle_zero_queue_locked(set, &set->sems[i].zero);
	}
	/* As native: whoever waits for several looks again if anything at all is zero. */
	for (i = 0; !list_empty(&set->zero) && i < kipc_sem_count(set); i++) {
		if (kipc_sem_value(set, i))
			continue;
		kipc_sem_settle_zero_queue_locked(set, &set->zero);
		break;
	}
	kipc_sem_settle_changes_locked(set);
	for (i = num; i < num + count; i++) {
		if (i % KIPC_SEM_STRIDE == 0)
			cond_resched();
		if (!list_empty(&set->sems[i].change))
			kipc_sem_settle_queue_locked(set, &set->sems[i].change);
	}
}

/**
 * kipc_sem_settle_some_locked() - the next few of kipc_sem_set.unsettled
 * @set: the set; its lock is held
 */
void kipc_sem_settle_some_locked(struct kipc_sem_set *set)
{
	unsigned int end = set->unsettled;

	if (set->complex) {
		set->unsettled = 0;
		kipc_sem_settle_locked(set, 0, kipc_sem_count(set));
		return;
	}
	set->unsettled -= min(end, KIPC_SEM_STRIDE);
	while (end-- > set->unsettled)
		if (set->sems[end].sleepers)
			kipc_sem_settle_locked(set, end, 1);
}

static void kipc_sem_wake_queue_locked(struct kipc_sem_set *set, struct list_head *queue,
				       int status)
{
	struct kipc_sem_sleeper *op, *next;

	list_for_each_entry_safe(op, next, queue, queue) {
		kipc_sem_finish_locked(set, op, status);
		cond_resched();
	}
}

/**
 * kipc_sem_wake_all_locked() - end every sleep
 * @set: the set; its lock is held
 * @status: what the sleepers' calls return
 */
void kipc_sem_wake_all_locked(struct kipc_sem_set *set, int status)
{
	unsigned int i;

	kipc_sem_wake_queue_locked(set, &set->change, status);
	kipc_sem_wake_queue_locked(set, &set->zero, status);
	for (i = 0; i < kipc_sem_count(set); i++) {
		kipc_sem_wake_queue_locked(set, &set->sems[i].change, status);
		kipc_sem_wake_queue_locked(set, &set->sems[i].zero, status);
		if (i % KIPC_SEM_STRIDE == 0)
			cond_resched();
	}
}

static void kipc_sem_visit_queue_locked(struct kipc_sem_set *set, struct list_head *queue,
					kipc_sem_visitor visit, void *data)
{
	struct kipc_sem_sleeper *op;

	list_for_each_entry(op, queue, queue) {
		visit(set, op, data);
		cond_resched();
	}
}

/**
 * kipc_sem_visit_sleepers_locked() - who sleeps on a set
 * @set: the set; its lock is held
 * @visit: called for each
 * @data: for @visit
 */
void kipc_sem_visit_sleepers_locked(struct kipc_sem_set *set, kipc_sem_visitor visit,
				    void *data)
{
	unsigned int i;

	lockdep_assert_held(&set->lock);
	kipc_sem_visit_queue_locked(set, &set->change, visit, data);
	kipc_sem_visit_queue_locked(set, &set->zero, visit, data);
	for (i = 0; i < kipc_sem_count(set); i++) {
		if (i % KIPC_SEM_STRIDE == 0)
			cond_resched();
		if (!set->sems[i].sleepers)
			continue;
		kipc_sem_visit_queue_locked(set, &set->sems[i].change, visit, data);
		kipc_sem_visit_queue_locked(set, &set->sems[i].zero, visit, data);
	}
}

/* ---- Sleep ---- */

/* Take the set's lock for all semaphores that the operations name. */
static void kipc_sem_set_lock_ops(struct kipc_sem_set *set, const struct kipc_sem_sleeper *op)
{
	mutex_lock(&set->lock);
	if (kipc_sem_is_behind_locked(set))
		kipc_sem_catch_up_ops_locked(set, op->sops, op->nsops);
}

/* So many sleep already that one more call could not be counted. */
static bool kipc_sem_is_crowded_locked(const struct kipc_sem_set *set,
				       const struct kipc_sem_sleeper *op)
{
	unsigned int i;

	for (i = 0; i < op->nsops; i++)
		if (unlikely(set->sems[op->sops[i].sem_num].sleepers > INT_MAX - op->nsops))
			return true;
	return false;
}

/* Nobody has carried it out yet; the set's lock is held, and given back. */
static int kipc_sem_sleep_unlock(struct kipc_sem_set *set, struct kipc_sem_sleeper *op,
				 const struct kipc_timeout *timeout)
{
	bool is_async = !op->call.task, is_finished;
	int ret;

	op->call.status = KIPC_SLEEPS;
	op->call.since = jiffies;
	kipc_sem_enqueue_locked(set, op);
	kipc_sem_set_unlock(set);
	if (unlikely(is_async))
		return -EIOCBQUEUED;

	ret = kipc_wait(&op->call, timeout);
	if (likely(!ret || !kipc_is_asleep(&op->call)))
		return op->call.status;

	kipc_sem_set_lock_ops(set, op);
	is_finished = op->call.status != KIPC_SLEEPS;
	if (!is_finished) {
		kipc_sem_dequeue_locked(set, op);
		if (!set->complex)
			kipc_sem_split_queue_locked(set);
	}
	kipc_sem_set_unlock(set);
	return is_finished ? kipc_wait_told(&op->call) : ret;
}

/* ---- The call ---- */

/* The caller's undo values; most often it was the last to ask for its. */
static int kipc_sem_take_undo_locked(struct kipc_sem_set *set, struct kipc_sem_sleeper *op)
{
	struct kipc_sem_undo *undo;

	undo = list_first_entry_or_null(&set->undos, struct kipc_sem_undo, of_set);
	if (unlikely(!undo || undo->process->pid != task_tgid(current))) {
		kipc_sem_set_unlock(set);
		undo = kipc_sem_undo_get(set);
		kipc_sem_set_lock_ops(set, op);
		if (IS_ERR(undo))
			return PTR_ERR(undo);
		if (READ_ONCE(set->object.removed))
			return -EIDRM;
		list_move(&undo->of_set, &set->undos);
	}
	undo->used = true;
	op->undo = undo;
	return 0;
}

/*
 * The caller's single operation, without SEM_UNDO, on a semaphore that no process maps, nobody
 * sleeps on or watches, while nobody waits for several: as kipc_sem_do_op() does it, whose answer
 * it is that it takes for KIPC_SLEEPS.
 */
static __always_inline int kipc_sem_do_simple(struct kipc_sem_set *set,
					      const struct kipc_grant *grant,
					      unsigned int num, int change)
{
	struct kipc_sem *sem;
	int value;

	if (num >= kipc_sem_count(set) || READ_ONCE(set->shared))
		return KIPC_SLEEPS;
	if (!kipc_may(&set->object, change ? S_IWUGO : S_IRUGO, grant))
		return KIPC_SLEEPS;
	barrier_nospec();

	sem = &set->sems[num];
	mutex_lock(&set->lock);
	value = sem->value + change;
	if (likely(!set->shared && !sem->sleepers && !set->complex &&
		   !kipc_sem_is_behind_locked(set) && !READ_ONCE(set->object.removed) &&
		   (change ? value >= 0 && value <= SEMVMX : !value))) {
		WRITE_ONCE(set->object.calls, set->object.calls + 1);
		sem->value = value;
		if (unlikely(sem->pid != task_tgid(current)))
			kipc_sem_touch_locked(set, num, task_tgid(current));
		set->otime = ktime_get_real_seconds();
		mutex_unlock(&set->lock);
		return 0;
	}
	mutex_unlock(&set->lock);
	return KIPC_SLEEPS;
}

static int kipc_sem_do_op(struct kipc_sem_set *set, const struct kipc_grant *grant,
			  struct kipc_sem_sleeper *op, const struct kipc_timeout *timeout)
{
	const struct sembuf *sop;
	unsigned int max = 0;
	bool undoes = false;
	int ret;

	sop = op->sops;
	if (op->nsops == 1 && !op->asks && !op->call.claim && !(sop->sem_flg & SEM_UNDO) &&
	    likely(!kipc_sem_do_simple(set, grant, sop->sem_num, sop->sem_op)))
		return 0;
	for (sop = op->sops; sop < op->sops + op->nsops; sop++) {
		max = max_t(unsigned int, max, sop->sem_num);
		op->changes |= sop->sem_op;
		undoes |= sop->sem_flg & SEM_UNDO;
	}
	if (max >= kipc_sem_count(set))
		return -EFBIG;
	if (!kipc_may(&set->object, op->changes ? S_IWUGO : S_IRUGO, grant))
		return -EACCES;
	barrier_nospec();

	kipc_sem_set_lock_ops(set, op);
	if (undoes) {
		ret = kipc_sem_take_undo_locked(set, op);
		if (ret)
			goto unlock;
	}
	if (unlikely(READ_ONCE(set->object.removed))) {
		ret = -EIDRM;
		goto unlock;
	}
	WRITE_ONCE(set->object.calls, set->object.calls + 1);
	kipc_sem_hold_ops_locked(set, op->sops, op->nsops);
	ret = kipc_sem_try_locked(set, op);
	if (ret == KIPC_SLEEPS && kipc_sem_is_crowded_locked(set, op))
		ret = -ENOMEM;
	if (ret == KIPC_SLEEPS && timeout) {
		/* That it was ended before it could sleep is for asynchronous ones only. */
		if (likely(op->call.status >= 0))
			return kipc_sem_sleep_unlock(set, op, timeout);
		ret = op->call.status;
	}
	if (!ret && op->changes)
		kipc_sem_settle_ops_locked(set, op->sops, op->nsops);
	kipc_sem_release_ops_locked(set, op->sops, op->nsops);
	ret = kipc_sem_result(op, ret);
unlock:
	kipc_sem_set_unlock(set);
	return ret;
}

/* On the set with the id, or on that of the grant. */
static __always_inline int kipc_sem_op_on(struct kipc_space *space, int id,
					  const struct kipc_grant *grant,
					  const struct sembuf __user *sops, unsigned int nsops,
					  unsigned int flags, const struct kipc_timeout *timeout)
{
	struct sembuf fast[KIPC_SEM_FAST_OPS], *copy = fast;
	struct kipc_sem_sleeper op = {
		.call = { .task = current, .pid = task_tgid(current) }, .nsops = nsops,
		.asks = flags & KIPC_SEM_OP_OWNER,
	};
	struct kipc_object *object;
	int ret;

	if (nsops > READ_ONCE(space->sem_limits.opm))
		return -E2BIG;
	if (nsops < 1)
		return -EINVAL;
	if (nsops > KIPC_SEM_FAST_OPS) {
		copy = kvmalloc_array(nsops, sizeof(*copy), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!copy)
			return -ENOMEM;
	}
	if (copy_from_user(copy, sops, nsops * sizeof(*copy))) {
		ret = -EFAULT;
		goto free_copy;
	}
	if (id < 0 || !timeout->valid) {
		ret = -EINVAL;
		goto free_copy;
	}
	object = kipc_find_granted(space, KIPC_KIND_SEM, id, grant);
	if (IS_ERR(object)) {
		ret = PTR_ERR(object);
		goto free_copy;
	}
	op.sops = copy;
	ret = kipc_sem_do_op(kipc_sem_set_of(object), grant, &op, timeout);
	kipc_object_put(object);
free_copy:
	if (unlikely(copy != fast))
		kvfree(copy);
	return ret;
}

/**
 * kipc_sem_op() - semop(2) and semtimedop(2)
 * @space: the caller's space
 * @id: set
 * @sops: the caller's operations
 * @nsops: how many
 * @flags: KIPC_SEM_OP_OWNER or 0
 * @timeout: how long to sleep at most
 *
 * Context: process; may sleep.
 * Return: 0 or an error as semtimedop(2) has it; -ENOSPC: undo values in too many
 *	   sets, or too many process records; -EOWNERDEAD: done, and what was taken was
 *	   orphaned.
 */
int kipc_sem_op(struct kipc_space *space, int id, const struct sembuf __user *sops,
		unsigned int nsops, unsigned int flags, const struct kipc_timeout *timeout)
{
	return kipc_sem_op_on(space, id, NULL, sops, nsops, flags, timeout);
}

/**
 * kipc_sem_op_granted() - the same through a handle
 * @grant: set, and rights to it
 * @sops: as kipc_sem_op(), and all that follow
 * @nsops: how many
 * @flags: see there
 * @timeout: how long
 */
int kipc_sem_op_granted(const struct kipc_grant *grant, const struct sembuf __user *sops,
			unsigned int nsops, unsigned int flags,
			const struct kipc_timeout *timeout)
{
	return kipc_sem_op_on(grant->object->space, 0, grant, sops, nsops, flags, timeout);
}

/**
 * kipc_sem_op_one() - one operation that is not in the caller's memory
 * @grant: the set, and rights to it
 * @sop: the operation
 * @waits: for the semaphore
 *
 * Context: process; may sleep.
 * Return: as kipc_sem_op(); KIPC_SLEEPS: it would, without @waits.
 */
int kipc_sem_op_one(const struct kipc_grant *grant, const struct sembuf *sop, bool waits)
{
	struct kipc_sem_sleeper op = {
		.call = { .task = current, .pid = task_tgid(current) }, .nsops = 1, .sops = sop,
	};

	return kipc_sem_do_op(kipc_sem_set_of(grant->object), grant, &op,
			      waits ? &kipc_no_timeout : NULL);
}

/**
 * kipc_sem_op_brief() - one operation without SEM_UNDO, where that is a few instructions
 * @grant: the set, and rights to it
 * @num: semaphore
 * @change: what sem_op has
 *
 * Context: process; may sleep, but not for the semaphore.
 * Return: 0; KIPC_SLEEPS: it is not; kipc_sem_op_one() tells why.
 */
int kipc_sem_op_brief(const struct kipc_grant *grant, unsigned int num, int change)
{
	return kipc_sem_do_simple(kipc_sem_set_of(grant->object), grant, num, change);
}

/* ---- Asynchronously ---- */

/**
 * kipc_sem_op_async() - semop(2) that does not sleep, but leaves @op to
 * @grant: the set, and rights to it
 * @op: the call; to wait, its kipc_sleeper.task is NULL
 * @waits: for a semaphore
 *
 * Context: process; may sleep, but not for a semaphore.
 * Return: 0; KIPC_SLEEPS: it would, without @waits; -EIOCBQUEUED: it sleeps, and
 *	   kipc_sleeper.finished will be called, or has been; -ECANCELED: see
 *	   kipc_sleeper.claim; or an error as semop(2) has it.
 */
int kipc_sem_op_async(const struct kipc_grant *grant, struct kipc_sem_sleeper *op, bool waits)
{
	return kipc_sem_do_op(kipc_sem_set_of(grant->object), grant, op,
			      waits ? &kipc_no_timeout : NULL);
}

/**
 * kipc_sem_end_async() - end an asynchronous call, if it has no result yet
 * @object: the set
 * @op: the call
 * @status: its result
 *
 * Return: whether it slept; kipc_sleeper.finished will not be called then, so whoever ends
 *	   it tells whose it is.
 */
bool kipc_sem_end_async(struct kipc_object *object, struct kipc_sem_sleeper *op, int status)
{
	struct kipc_sem_set *set = kipc_sem_set_of(object);
	bool slept;

	mutex_lock(&set->lock);
	/* Once it has a result its operations may be gone; so, too, after a pause. */
	if (op->call.status == KIPC_SLEEPS && kipc_sem_is_behind_locked(set)) {
		if (op->nsops == 1)
			kipc_sem_catch_up_one_locked(set, op->sops->sem_num);
		else
			kipc_sem_catch_up_locked(set);
	}
	slept = op->call.status == KIPC_SLEEPS;
	if (slept) {
		kipc_sem_dequeue_locked(set, op);
		if (!set->complex)
			kipc_sem_split_queue_locked(set);
	}
	if (slept || op->call.status == KIPC_BEGINS)
		WRITE_ONCE(op->call.status, status);
	kipc_sem_set_unlock(set);
	return slept;
}

/**
 * kipc_sem_cancel_locked() - end the asynchronous calls that refer to undo values
 * @set: the set; its lock is held
 * @undo: undo values, which are about to go
 */
void kipc_sem_cancel_locked(struct kipc_sem_set *set, struct kipc_sem_undo *undo)
{
	struct kipc_sem_sleeper *op, *next;

	if (likely(list_empty(&undo->calls)))
		return;
	list_for_each_entry_safe(op, next, &undo->calls, of_undo) {
		kipc_sem_finish_locked(set, op, READ_ONCE(set->object.removed) ? -EIDRM :
										  -ECANCELED);
		cond_resched();
	}
	if (!set->complex)
		kipc_sem_split_queue_locked(set);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleeping in a call until somebody else has carried it out.
 *
 * A call that cannot go on leaves a record of itself in a queue of the object, under the
 * object's mutex, and sleeps.  Whoever makes it possible carries it out, under that
 * mutex, says so in the record's status, and wakes the sleeper after the mutex is free: a
 * task that is woken earlier would only meet it again.  Such a record is on its caller's
 * stack; that of an asynchronous call (uring.c) is on its own, and is told instead.
 *
 * Level 1.  Locks: none of its own.
 */
#ifndef KIPC_WAIT_H
#define KIPC_WAIT_H

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/sched/wake_q.h>
#include <linux/types.h>

/**
 * struct kipc_timeout - until when a call may sleep
 * @expires: point of time of @clock; KTIME_MAX: for ever
 * @clock: CLOCK_*
 * @valid: what the caller gave is a time
 */
struct kipc_timeout {
	ktime_t expires;
	clockid_t clock;
	bool valid;
};

extern const struct kipc_timeout kipc_no_timeout;

int kipc_timeout_get(struct kipc_timeout *timeout, u64 user, u32 flags, u32 clock);

/* A status that is no result: it is in a queue; it is not in one yet. */
#define KIPC_SLEEPS	1
#define KIPC_BEGINS	3

/**
 * struct kipc_sleeper - a call in progress
 * @task: the caller, who sleeps; NULL: nobody does, for it is asynchronous
 * @pid: the caller's thread group
 * @status: KIPC_SLEEPS and the like, or the result; set under the object's mutex
 * @since: when it went to sleep, in jiffies
 * @claim: NULL, or shared with other calls of which one only is to be carried out: 0 until
 *	   that is; the others then end with -ECANCELED
 * @finished: asynchronous: it has a status that is not KIPC_SLEEPS any more; the object's
 *	      mutex is held; nobody touches the record after that on its behalf
 */
struct kipc_sleeper {
	struct task_struct *task;
	struct pid *pid;
	int status;
	unsigned long since;
	atomic_t *claim;
	void (*finished)(struct kipc_sleeper *sleeper);
};

/**
 * kipc_claim() - may this call be carried out, or have another result?
 * @sleeper: the call, which will be, or will have it
 */
static inline bool kipc_claim(const struct kipc_sleeper *sleeper)
{
	return likely(!sleeper->claim) || !atomic_cmpxchg(sleeper->claim, 0, 1);
}

int kipc_wait(const struct kipc_sleeper *sleeper, const struct kipc_timeout *timeout);
void kipc_unlock_and_wake(struct mutex *lock, struct wake_q_head *wakes);

/**
 * kipc_status() - the status of a sleeping call, for whoever made it
 * @sleeper: its record
 */
static inline int kipc_status(const struct kipc_sleeper *sleeper)
{
	/* Pairs with kipc_finish_locked(). */
	return smp_load_acquire(&sleeper->status);
}

/*
 * As the kernel's own wake_q_add_safe(), which modules cannot call.  A task that is on
 * another's list already is woken by that one, after this.
 */
static __always_inline void kipc_wake_later(struct wake_q_head *wakes, struct task_struct *task)
{
	struct wake_q_node *node = &task->wake_q;

	/* Pairs with that of the waking, which comes after the node is free. */
	smp_mb__before_atomic();
	if (unlikely(cmpxchg_relaxed(&node->next, NULL, WAKE_Q_TAIL))) {
		put_task_struct(task);
		return;
	}
	*wakes->lastp = node;
	wakes->lastp = &node->next;
}

/**
 * kipc_finish_locked() - say a sleeper's result
 * @wakes: of the object, whose mutex is held: tasks to wake once it is free
 * @sleeper: in no queue any more; it may be gone as soon as it sees the result
 * @result: the result
 */
static __always_inline void kipc_finish_locked(struct wake_q_head *wakes,
					       struct kipc_sleeper *sleeper, int result)
{
	struct task_struct *task = sleeper->task;

	if (unlikely(!task)) {
		sleeper->status = result;
		sleeper->finished(sleeper);
		return;
	}
	get_task_struct(task);
	/* Pairs with kipc_status(). */
	smp_store_release(&sleeper->status, result);
	kipc_wake_later(wakes, task);
}

#endif /* KIPC_WAIT_H */

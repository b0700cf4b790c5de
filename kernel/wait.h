/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleeping in a call until somebody else has carried it out.
 *
 * A call that cannot go on leaves a record of itself in a queue of the object, under the
 * object's mutex, and sleeps.  Whoever makes it possible carries it out, under that
 * mutex, and links the record to those whose sleepers are to be told and woken once the
 * mutex is free: a task that is woken earlier would only meet it again.  A sleeper that
 * wakes by itself in between waits until it is told.  Such a record is on its caller's
 * stack; that of an asynchronous call (uring.c) is on its own, and is told at once.
 *
 * Level 1.  Locks: none of its own.
 */
#ifndef KIPC_WAIT_H
#define KIPC_WAIT_H

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
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

/* A status that is no result: in no queue yet; not any more, but not told either; it is in one. */
#define KIPC_BEGINS	3
#define KIPC_FINISHES	(INT_MAX - 1)
#define KIPC_SLEEPS	INT_MAX

/* An answer that is no result, also where bytes are returned: it would sleep. */
#define KIPC_WOULD_SLEEP	(-MAX_ERRNO)

/**
 * struct kipc_sleeper - a call in progress
 * @task: the caller, who sleeps; NULL: nobody does, for it is asynchronous
 * @pid: the caller's thread group
 * @status: KIPC_SLEEPS and the like, or the result; set under the object's mutex, but for
 *	    that it is told
 * @result: what it is told; while KIPC_FINISHES
 * @next: who is told after it; likewise
 * @since: when it went to sleep, in jiffies
 * @claim: NULL, or shared with other calls of which one only is to be carried out: 0 until
 *	   that is; the others then end with -ECANCELED
 * @finished: asynchronous: it has a status that is not KIPC_SLEEPS any more, and not from
 *	      kipc_async_end(); the object's mutex is held; nobody touches the record after
 *	      that on its behalf
 */
struct kipc_sleeper {
	struct task_struct *task;
	struct pid *pid;
	int status;
	int result;
	struct kipc_sleeper *next;
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

/**
 * struct kipc_wakes - who is to be told once the mutex is free
 * @first: the first, or NULL
 * @last: where the next is linked
 */
struct kipc_wakes {
	struct kipc_sleeper *first;
	struct kipc_sleeper **last;
};

static inline void kipc_wakes_init(struct kipc_wakes *wakes)
{
	wakes->first = NULL;
	wakes->last = &wakes->first;
}

int kipc_wait(const struct kipc_sleeper *sleeper, const struct kipc_timeout *timeout);
int kipc_wait_told(const struct kipc_sleeper *sleeper);
void kipc_unlock_and_wake(struct mutex *lock, struct kipc_wakes *wakes);

/**
 * kipc_is_asleep() - has a call no result yet?  For whoever made it
 * @sleeper: its record
 */
static inline bool kipc_is_asleep(const struct kipc_sleeper *sleeper)
{
	/* Pairs with kipc_unlock_and_wake(). */
	return smp_load_acquire(&sleeper->status) >= KIPC_FINISHES;
}

/**
 * kipc_finish_locked() - a sleeper has a result
 * @wakes: of the object, whose mutex is held
 * @sleeper: in no queue any more; an asynchronous one may be gone after this
 * @result: the result
 */
static __always_inline void kipc_finish_locked(struct kipc_wakes *wakes,
					       struct kipc_sleeper *sleeper, int result)
{
	if (unlikely(!sleeper->task)) {
		WRITE_ONCE(sleeper->status, result);
		sleeper->finished(sleeper);
		return;
	}
	WRITE_ONCE(sleeper->status, KIPC_FINISHES);
	sleeper->result = result;
	sleeper->next = NULL;
	*wakes->last = sleeper;
	wakes->last = &sleeper->next;
}

#endif /* KIPC_WAIT_H */

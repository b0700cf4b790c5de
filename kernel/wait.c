// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeping in a call: see wait.h.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/nsproxy.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/time.h>
#include <linux/time_namespace.h>

#include <linux/kipc.h>

#include "wait.h"

const struct kipc_timeout kipc_no_timeout = { .expires = KTIME_MAX, .valid = true };

/* What a clock of the caller's time namespace is ahead of the kernel's. */
static ktime_t kipc_clock_offset(clockid_t clock)
{
#ifdef CONFIG_TIME_NS
	const struct timens_offsets *offsets = &current->nsproxy->time_ns->offsets;

	if (clock == CLOCK_MONOTONIC)
		return timespec64_to_ktime(offsets->monotonic);
	if (clock == CLOCK_BOOTTIME)
		return timespec64_to_ktime(offsets->boottime);
#endif
	return 0;
}

/* A point of time of the caller's: as far away as can be said, or long ago, perhaps. */
static ktime_t kipc_time_here(ktime_t time, clockid_t clock)
{
	ktime_t offset = kipc_clock_offset(clock);

	if (time < offset)
		return 0;
	return offset < 0 && time > KTIME_MAX + offset ? KTIME_MAX : ktime_sub(time, offset);
}

/**
 * kipc_timeout_get() - a caller's time-out
 * @timeout: filled in
 * @user: user address of a struct __kernel_timespec, or 0
 * @flags: KIPC_TIMEOUT_*
 * @clock: CLOCK_*
 *
 * Return: 0, -EFAULT, or -EINVAL for what is the ABI's own; that the time is none is
 *	   told by kipc_timeout.valid, for it is the caller's to say in its turn.
 */
int kipc_timeout_get(struct kipc_timeout *timeout, u64 user, u32 flags, u32 clock)
{
	struct timespec64 time;
	ktime_t now;

	*timeout = kipc_no_timeout;
	if (!user)
		return flags || clock ? -EINVAL : 0;
	if (get_timespec64(&time, u64_to_user_ptr(user)))
		return -EFAULT;
	if (flags & ~KIPC_TIMEOUT_ABSOLUTE)
		return -EINVAL;
	switch (clock) {
	case CLOCK_REALTIME:
		/* Setting the clock does not change how long a while is. */
		if (!(flags & KIPC_TIMEOUT_ABSOLUTE))
			clock = CLOCK_MONOTONIC;
		fallthrough;
	case CLOCK_MONOTONIC:
		now = ktime_get();
		break;
	case CLOCK_BOOTTIME:
		now = ktime_get_boottime();
		break;
	default:
		return -EINVAL;
	}
	timeout->clock = clock;
	timeout->valid = timespec64_valid(&time);
	if (!timeout->valid)
		return 0;
	timeout->expires = timespec64_to_ktime(time);
	if (!(flags & KIPC_TIMEOUT_ABSOLUTE))
		timeout->expires = ktime_add_safe(now, timeout->expires);
	else
		timeout->expires = kipc_time_here(timeout->expires, clock);
	return 0;
}

/* Return: -EAGAIN: it is too late. */
static noinline int kipc_schedule_until(const struct kipc_timeout *timeout)
{
	ktime_t expires = timeout->expires;

	return schedule_hrtimeout_range_clock(&expires, current->timer_slack_ns,
					      HRTIMER_MODE_ABS, timeout->clock) ? 0 : -EAGAIN;
}

/**
 * kipc_wait() - sleep until somebody says the result
 * @sleeper: the caller's record, which is in its queue
 * @timeout: how long at most
 *
 * Return: 0: there is a result; -EINTR: a signal; -EAGAIN: it is too late.  After an
 *	   error there may be a result nevertheless: look again under the mutex.
 */
int kipc_wait(const struct kipc_sleeper *sleeper, const struct kipc_timeout *timeout)
{
	int ret = 0;

	do {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kipc_is_asleep(sleeper))
			break;
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		if (likely(timeout->expires == KTIME_MAX))
			schedule();
		else
			ret = kipc_schedule_until(timeout);
	} while (!ret && kipc_is_asleep(sleeper));
	__set_current_state(TASK_RUNNING);
	return ret;
}

/**
 * kipc_wait_told() - wait until a call is told its result
 * @sleeper: the caller's record; it is in no queue any more
 *
 * Whoever tells holds no lock, and waits for nobody.
 *
 * Return: the result.
 */
int kipc_wait_told(const struct kipc_sleeper *sleeper)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (!kipc_is_asleep(sleeper))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return sleeper->status;
}

/**
 * kipc_unlock_and_wake() - give a mutex back, and tell and wake who got its turn
 * @lock: the mutex
 * @wakes: what it protects
 */
void kipc_unlock_and_wake(struct mutex *lock, struct kipc_wakes *wakes)
{
	struct kipc_sleeper *sleeper = wakes->first, *next;
	struct task_struct *task;

	kipc_wakes_init(wakes);
	mutex_unlock(lock);
	for (; sleeper; sleeper = next) {
		next = sleeper->next;
		/* Once it is told the record is gone, and soon the task perhaps. */
		rcu_read_lock();
		task = sleeper->task;
		/* Pairs with kipc_is_asleep(). */
		smp_store_release(&sleeper->status, sleeper->result);
		wake_up_process(task);
		rcu_read_unlock();
		if (next)
			cond_resched();
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * How a process ends: see death.h.
 *
 * The hook is the tracepoint sched_process_exit: it comes before the parent's
 * wait returns, and neither execve nor the closing of descriptors sets it off.
 * It is the price of living out of tree; in the tree a call beside exit_sem()
 * in do_exit() would take its place.  It runs with preemption off, where on
 * PREEMPT_RT no spinlock may be taken, so it takes no lock: it marks the record
 * dead, pushes it on a lock-free list and queues work (whose own lock is raw).
 * More than one thread may see the group's last life go; the first one counts.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/sched/signal.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "death.h"
#include "process.h"
#include "sem.h"
#include "shm.h"
#include "space.h"
#include "uring_end.h"

static void kipc_death_work(struct work_struct *work);
static void kipc_death_orphans_work(struct work_struct *work);

static LLIST_HEAD(kipc_deaths);
static DECLARE_WORK(kipc_death_drain, kipc_death_work);
static DECLARE_WORK(kipc_death_orphans, kipc_death_orphans_work);

/* Records that are dead but not drained and forgotten. */
static atomic_t kipc_deaths_pending = ATOMIC_INIT(0);

static struct tracepoint *kipc_exit_tracepoint;

static KIPC_EXIT_PROBE(kipc_death_probe)
{
	struct kipc_process *process;
	struct kipc_space *space;

	kipc_uring_end_of_task(task);
	if (atomic_read(&task->signal->live))
		return;

	rcu_read_lock();
	process = kipc_process_find_rcu(task_tgid(task));
	if (process && !atomic_xchg(&process->dead, 1)) {
		kipc_sem_undo_mark(process);
		atomic_inc(&kipc_deaths_pending);
		llist_add(&process->death, &kipc_deaths);
		schedule_work(&kipc_death_drain);
	}
	space = task->nsproxy ? kipc_space_find_rcu(task->nsproxy->ipc_ns) : NULL;
	if (space && !kipc_space_is_initial(space->ns))
		kipc_space_reap_soon();
	if (space && READ_ONCE(space->shm_limits.rmid_forced))
		schedule_work(&kipc_death_orphans);
	rcu_read_unlock();
}

static void kipc_death_work(struct work_struct *work)
{
	struct llist_node *dead = llist_del_all(&kipc_deaths);
	struct kipc_process *process, *next;

	llist_for_each_entry_safe(process, next, dead, death) {
		kipc_process_drain(process);
		kipc_sem_undo_drain(process);
		kipc_process_forget(process);
		atomic_dec(&kipc_deaths_pending);
	}
}

/* Under shm_rmid_forced a segment that nobody has attached ends with its creator. */
static void kipc_death_end_orphans(struct kipc_space *space)
{
	kipc_shm_settle(space);
}

static void kipc_death_orphans_work(struct work_struct *work)
{
	/* Out of memory: the next exit, or whoever looks, ends them. */
	if (kipc_space_for_each(kipc_death_end_orphans))
		pr_warn_ratelimited("out of memory: segments under shm_rmid_forced stay for now\n");
}

/**
 * kipc_death_settle() - wait until every death so far has been dealt with
 *
 * For calls that look at a whole table; a call on one object drains just the
 * owner of that.
 * Context: process, no lock held; may sleep.
 * Return: whether there was anything to wait for.
 */
bool kipc_death_settle(void)
{
	if (likely(!atomic_read(&kipc_deaths_pending)))
		return false;
	flush_work(&kipc_death_drain);
	return true;
}

static void kipc_death_match(struct tracepoint *tracepoint, void *data)
{
	if (!strcmp(tracepoint->name, "sched_process_exit"))
		kipc_exit_tracepoint = tracepoint;
}

/**
 * kipc_death_init() - hook the end of processes
 *
 * Return: 0, or -EOPNOTSUPP: the kernel has no such tracepoint.
 */
int kipc_death_init(void)
{
	for_each_kernel_tracepoint(kipc_death_match, NULL);
	if (!kipc_exit_tracepoint) {
		pr_err("the kernel has no tracepoint sched_process_exit\n");
		return -EOPNOTSUPP;
	}
	return tracepoint_probe_register(kipc_exit_tracepoint, kipc_death_probe, NULL);
}

/**
 * kipc_death_deinit() - unhook; no record is left
 */
void kipc_death_deinit(void)
{
	tracepoint_probe_unregister(kipc_exit_tracepoint, kipc_death_probe, NULL);
	tracepoint_synchronize_unregister();
	flush_work(&kipc_death_drain);
	flush_work(&kipc_death_orphans);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of io_uring that end with their thread, or their ring: see uring_end.h.
 */
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat_uring.h"
#include "uring_end.h"

/* Commands that are looked at before others may have the lock. */
#define KIPC_URING_STRIDE	64

static void kipc_uring_end_look(struct work_struct *work);

static DEFINE_SPINLOCK(kipc_uring_end_lock);
static LIST_HEAD(kipc_uring_sleeping);
static DECLARE_DELAYED_WORK(kipc_uring_end_work, kipc_uring_end_look);
static const struct kipc_uring_end_ops *kipc_uring_end_ops;

/* How many sleep; the lock, and read without. */
static unsigned int kipc_uring_count;

/* The record of a command whose time has come, with a reference; or NULL. */
static struct kipc_command *kipc_uring_end_get_locked(struct kipc_uring_pdu *pdu)
{
	struct io_uring_cmd *cmd = container_of((void *)pdu, struct io_uring_cmd, pdu);

	if (!(READ_ONCE(io_uring_cmd_get_task(cmd)->flags) & PF_EXITING) &&
	    !kipc_uring_ring_ends(cmd))
		return NULL;
	kipc_uring_end_ops->get(pdu->command);
	return pdu->command;
}

/* Each that sleeps now is looked at once, and none is ended with the lock held. */
static void kipc_uring_end_look(struct work_struct *work)
{
	struct kipc_command *command;
	struct kipc_uring_pdu *pdu;
	unsigned int count = 0;
	LIST_HEAD(left);

	spin_lock(&kipc_uring_end_lock);
	list_splice_init(&kipc_uring_sleeping, &left);
	while (!list_empty(&left)) {
		pdu = list_first_entry(&left, struct kipc_uring_pdu, node);
		list_move_tail(&pdu->node, &kipc_uring_sleeping);
		command = kipc_uring_end_get_locked(pdu);
		if (!command && ++count % KIPC_URING_STRIDE)
			continue;
		spin_unlock(&kipc_uring_end_lock);
		if (command)
			kipc_uring_end_ops->end(command);
		cond_resched();
		spin_lock(&kipc_uring_end_lock);
	}
	if (KIPC_URING_PERIOD && kipc_uring_count)
		schedule_delayed_work(&kipc_uring_end_work, KIPC_URING_PERIOD);
	spin_unlock(&kipc_uring_end_lock);
}

/**
 * kipc_uring_end_add() - a command sleeps
 * @cmd: the command, whose kipc_uring_pdu.command is there
 */
void kipc_uring_end_add(struct io_uring_cmd *cmd)
{
	spin_lock(&kipc_uring_end_lock);
	list_add_tail(&kipc_uring_pdu(cmd)->node, &kipc_uring_sleeping);
	WRITE_ONCE(kipc_uring_count, kipc_uring_count + 1);
	if (KIPC_URING_PERIOD && kipc_uring_count == 1)
		schedule_delayed_work(&kipc_uring_end_work, KIPC_URING_PERIOD);
	spin_unlock(&kipc_uring_end_lock);
}

/**
 * kipc_uring_end_remove() - it does not any more, and is about to be completed
 * @cmd: the command
 */
void kipc_uring_end_remove(struct io_uring_cmd *cmd)
{
	spin_lock(&kipc_uring_end_lock);
	list_del(&kipc_uring_pdu(cmd)->node);
	WRITE_ONCE(kipc_uring_count, kipc_uring_count - 1);
	spin_unlock(&kipc_uring_end_lock);
}

/**
 * kipc_uring_end_of_task() - a task ends, and so do its commands, soon
 * @task: the task: PF_EXITING is set, from when on io_uring begins nothing for it
 *
 * Context: the exit hook (death.c): takes no lock of ours.
 */
void kipc_uring_end_of_task(const struct task_struct *task)
{
	if (unlikely(task->io_uring) && READ_ONCE(kipc_uring_count))
		mod_delayed_work(system_wq, &kipc_uring_end_work, 0);
}

/**
 * kipc_uring_end_init() - prepare
 * @ops: what is done to a command whose time has come
 */
void kipc_uring_end_init(const struct kipc_uring_end_ops *ops)
{
	kipc_uring_end_ops = ops;
}

/**
 * kipc_uring_end_deinit() - no command is left
 */
void kipc_uring_end_deinit(void)
{
	cancel_delayed_work_sync(&kipc_uring_end_work);
}

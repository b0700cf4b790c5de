// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring until 6.6, which does not tell a sleeping command that its ring ends: see
 * compat_uring.h.
 *
 * A ring that ends waits for its commands, and its reference count shows it.  So does a
 * task that calls execve, or is that of a ring itself.
 */
#include "compat_uring.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)

#include <linux/fs.h>
#include <linux/io_uring_types.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

/* How often is looked. */
#define KIPC_URING_PERIOD	(HZ / 4)

static void kipc_uring_look(struct work_struct *work);

static LIST_HEAD(kipc_uring_list);
static DEFINE_MUTEX(kipc_uring_sleeping);
static DECLARE_DELAYED_WORK(kipc_uring_work, kipc_uring_look);

/* Until 6.2 it had another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define in_cancel	in_idle
#endif

/* The ring is about to end, or the task; or it waits until its commands have ended. */
static bool kipc_uring_is_over(struct io_uring_cmd *cmd)
{
	struct io_kiocb *request = cmd_to_io_kiocb(cmd);

	return percpu_ref_is_dying(&request->ctx->refs) ||
	       READ_ONCE(request->task->flags) & PF_EXITING ||
	       atomic_read(&request->task->io_uring->in_cancel);
}

static void kipc_uring_look(struct work_struct *work)
{
	struct kipc_uring_pdu *pdu;
	struct io_uring_cmd *cmd;

	mutex_lock(&kipc_uring_sleeping);
	list_for_each_entry(pdu, &kipc_uring_list, node) {
		cmd = container_of((void *)pdu, struct io_uring_cmd, pdu);
		if (kipc_uring_is_over(cmd))
			cmd->file->f_op->uring_cmd(cmd, IO_URING_F_CANCEL | IO_URING_F_UNLOCKED);
		cond_resched();
	}
	if (!list_empty(&kipc_uring_list))
		schedule_delayed_work(&kipc_uring_work, KIPC_URING_PERIOD);
	mutex_unlock(&kipc_uring_sleeping);
}

/**
 * kipc_uring_mark_cancelable() - a command is to be told when its ring ends
 * @cmd: the command
 * @issue_flags: io_uring's
 */
void kipc_uring_mark_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	mutex_lock(&kipc_uring_sleeping);
	if (list_empty(&kipc_uring_list))
		schedule_delayed_work(&kipc_uring_work, KIPC_URING_PERIOD);
	list_add_tail(&kipc_uring_pdu(cmd)->node, &kipc_uring_list);
	mutex_unlock(&kipc_uring_sleeping);
}

/**
 * kipc_uring_unmark_cancelable() - it need not be told any more, and is not being told
 * @cmd: the command, marked
 */
void kipc_uring_unmark_cancelable(struct io_uring_cmd *cmd)
{
	mutex_lock(&kipc_uring_sleeping);
	list_del(&kipc_uring_pdu(cmd)->node);
	mutex_unlock(&kipc_uring_sleeping);
}

/**
 * kipc_uring_compat_deinit() - no command is left
 */
void kipc_uring_compat_deinit(void)
{
	cancel_delayed_work_sync(&kipc_uring_work);
}

#endif

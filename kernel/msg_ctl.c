// SPDX-License-Identifier: GPL-2.0
/*
 * msgctl: what can be asked of queues and changed in them.  See msg.h.
 */
#include <linux/compat.h>
#include <linux/pid.h>
#include <linux/uaccess.h>

#include "msg.h"
#include "perm.h"
#include "space.h"

/* ---- Limits and totals ---- */

/* What is in all queues: looked at one by one, for nobody is to pay for a total. */
static void kipc_msg_count_all(struct kipc_space *space, struct msginfo *info)
{
	struct kipc_msg_queue *queue;
	struct kipc_object *object;
	u64 count = 0, bytes = 0;
	int index;

	for (index = 0; (object = kipc_ids_next(&space->ids[KIPC_KIND_MSG], &index)); index++) {
		queue = kipc_msg_queue_of(object);
		mutex_lock(&queue->lock);
		count += queue->count;
		bytes += queue->bytes;
		mutex_unlock(&queue->lock);
		kipc_object_put(object);
		cond_resched();
	}
	info->msgmap = min_t(u64, count, INT_MAX);
	info->msgtql = min_t(u64, bytes, INT_MAX);
}

static int kipc_msg_ctl_info(struct kipc_space *space, int cmd, void __user *buf)
{
	struct kipc_ids *ids = &space->ids[KIPC_KIND_MSG];
	struct msginfo info;
	int index;

	memset(&info, 0, sizeof(info));
	info.msgpool = MSGPOOL;
	info.msgmap = MSGMAP;
	info.msgssz = MSGSSZ;
	info.msgseg = MSGSEG;
	info.msgtql = MSGTQL;
	if (cmd == MSG_INFO)
		kipc_msg_count_all(space, &info);
	down_write(&ids->rwsem);
	info.msgmax = space->msg_limits.max;
	info.msgmnb = space->msg_limits.mnb;
	info.msgmni = space->msg_limits.mni;
	if (cmd == MSG_INFO)
		info.msgpool = ids->in_use;
	index = kipc_ids_max_index(ids);
	up_write(&ids->rwsem);
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : max(index, 0);
}

/* ---- A queue ---- */

#ifdef CONFIG_COMPAT
static int kipc_msg_put_stat_compat(void __user *buf, const struct msqid64_ds *stat)
{
	struct compat_msqid64_ds out;

	memset(&out, 0, sizeof(out));
	out.msg_perm.key = stat->msg_perm.key;
	out.msg_perm.uid = stat->msg_perm.uid;
	out.msg_perm.gid = stat->msg_perm.gid;
	out.msg_perm.cuid = stat->msg_perm.cuid;
	out.msg_perm.cgid = stat->msg_perm.cgid;
	out.msg_perm.mode = stat->msg_perm.mode;
	out.msg_perm.seq = stat->msg_perm.seq;
	out.msg_stime = lower_32_bits(stat->msg_stime);
	out.msg_stime_high = upper_32_bits(stat->msg_stime);
	out.msg_rtime = lower_32_bits(stat->msg_rtime);
	out.msg_rtime_high = upper_32_bits(stat->msg_rtime);
	out.msg_ctime = lower_32_bits(stat->msg_ctime);
	out.msg_ctime_high = upper_32_bits(stat->msg_ctime);
	out.msg_cbytes = stat->msg_cbytes;
	out.msg_qnum = stat->msg_qnum;
	out.msg_qbytes = stat->msg_qbytes;
	out.msg_lspid = stat->msg_lspid;
	out.msg_lrpid = stat->msg_lrpid;
	return copy_to_user(buf, &out, sizeof(out)) ? -EFAULT : 0;
}

static int kipc_msg_get_change_compat(struct kipc_change *change, void __user *buf)
{
	struct compat_msqid64_ds __user *in = buf;
	compat_ulong_t max_bytes;

	if (get_user(max_bytes, &in->msg_qbytes))
		return -EFAULT;
	change->value = max_bytes;
	return kipc_perm_copy_in(&change->perm, buf, sizeof(*in));
}
#else
static int kipc_msg_put_stat_compat(void __user *buf, const struct msqid64_ds *stat)
{
	return -EINVAL;
}

static int kipc_msg_get_change_compat(struct kipc_change *change, void __user *buf)
{
	return -EINVAL;
}
#endif

static int kipc_msg_ctl_stat(struct kipc_space *space, int id, const struct kipc_grant *grant,
			     int cmd, void __user *buf)
{
	struct kipc_msg_queue *queue;
	struct kipc_object *object;
	struct msqid64_ds stat;
	int ret = 0;

	memset(&stat, 0, sizeof(stat));
	object = cmd == IPC_STAT ? kipc_find_granted(space, KIPC_KIND_MSG, id, grant) :
				   kipc_find_index(space, KIPC_KIND_MSG, id);
	if (IS_ERR(object))
		return PTR_ERR(object);

	if (cmd != MSG_STAT_ANY && !kipc_may(object, S_IRUGO, grant)) {
		kipc_object_put(object);
		return -EACCES;
	}

	queue = kipc_msg_queue_of(object);
	mutex_lock(&queue->lock);
	spin_lock(&object->lock);
	if (object->removed) {
		ret = -EIDRM;
	} else {
		kipc_perm_show_locked(object, &stat.msg_perm);
		stat.msg_ctime = object->ctime;
		stat.msg_stime = queue->stime;
		stat.msg_rtime = queue->rtime;
		stat.msg_cbytes = queue->bytes;
		stat.msg_qnum = queue->count;
		stat.msg_qbytes = queue->max_bytes;
		stat.msg_lspid = pid_vnr(queue->lspid);
		stat.msg_lrpid = pid_vnr(queue->lrpid);
		if (cmd != IPC_STAT)
			ret = object->id;
	}
	spin_unlock(&object->lock);
	mutex_unlock(&queue->lock);
	kipc_object_put(object);
	if (ret < 0)
		return ret;

	if (in_compat_syscall())
		return kipc_msg_put_stat_compat(buf, &stat) ?: ret;
	return copy_to_user(buf, &stat, sizeof(stat)) ? -EFAULT : ret;
}

static int kipc_msg_ctl_set(struct kipc_space *space, int id, void __user *buf)
{
	struct kipc_change change;
	struct msqid64_ds in;

	if (in_compat_syscall())
		return kipc_msg_get_change_compat(&change, buf) ?:
		       kipc_set(space, KIPC_KIND_MSG, id, &change);
	if (copy_from_user(&in, buf, sizeof(in)))
		return -EFAULT;
	change.perm = in.msg_perm;
	change.value = in.msg_qbytes;
	return kipc_set(space, KIPC_KIND_MSG, id, &change);
}

/**
 * kipc_msg_ctl() - msgctl(2)
 * @space: the caller's space
 * @id: queue, or index for MSG_STAT and MSG_STAT_ANY
 * @cmd: command, without IPC_64
 * @buf: user address of a structure in the caller's layout
 *
 * Context: process; may sleep.
 * Return: what msgctl(2) returns, or an error as it has it.
 */
int kipc_msg_ctl(struct kipc_space *space, int id, int cmd, void __user *buf)
{
	if (id < 0 || cmd < 0)
		return -EINVAL;

	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return kipc_msg_ctl_info(space, cmd, buf);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return kipc_msg_ctl_stat(space, id, NULL, cmd, buf);
	case IPC_SET:
		return kipc_msg_ctl_set(space, id, buf);
	case IPC_RMID:
		return kipc_remove(space, KIPC_KIND_MSG, id);
	default:
		return -EINVAL;
	}
}

/**
 * kipc_msg_stat_granted() - IPC_STAT through a handle
 * @grant: queue, and rights to it
 * @buf: user address of a structure in the caller's layout
 *
 * Context: process; may sleep.
 * Return: 0, or an error as msgctl(2) has it.
 */
int kipc_msg_stat_granted(const struct kipc_grant *grant, void __user *buf)
{
	return kipc_msg_ctl_stat(grant->object->space, 0, grant, IPC_STAT, buf);
}

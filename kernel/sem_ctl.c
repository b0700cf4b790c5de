// SPDX-License-Identifier: GPL-2.0
/*
 * semctl: what can be asked of sets and changed in them.  See sem.h.
 */
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "perm.h"
#include "sem.h"
#include "sem_word.h"
#include "space.h"

/* Words and undo values of a mapped set that are changed while nobody else may look. */
#define KIPC_SEM_MUCH	16384

/* ---- Limits and totals ---- */

static int kipc_sem_ctl_info(struct kipc_space *space, int cmd, void __user *buf)
{
	struct kipc_ids *ids = &space->ids[KIPC_KIND_SEM];
	struct seminfo info = {
		.semvmx	= SEMVMX,
		.semmnu	= SEMMNU,
		.semmap	= SEMMAP,
		.semume	= SEMUME,
		.semusz	= SEMUSZ,
		.semaem	= SEMAEM,
	};
	int index;

	down_write(&ids->rwsem);
	info.semmni = space->sem_limits.mni;
	info.semmns = space->sem_limits.mns;
	info.semmsl = space->sem_limits.msl;
	info.semopm = space->sem_limits.opm;
	if (cmd == SEM_INFO) {
		info.semusz = ids->in_use;
		info.semaem = space->sem_total;
	}
	index = kipc_ids_max_index(ids);
	up_write(&ids->rwsem);
	return copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : max(index, 0);
}

/* ---- A set ---- */

#ifdef CONFIG_COMPAT
static int kipc_sem_put_stat_compat(void __user *buf, const struct semid64_ds *stat)
{
	struct compat_semid64_ds out = {
		.sem_perm.key	= stat->sem_perm.key,
		.sem_perm.uid	= stat->sem_perm.uid,
		.sem_perm.gid	= stat->sem_perm.gid,
		.sem_perm.cuid	= stat->sem_perm.cuid,
		.sem_perm.cgid	= stat->sem_perm.cgid,
		.sem_perm.mode	= stat->sem_perm.mode,
		.sem_perm.seq	= stat->sem_perm.seq,
		.sem_otime	= lower_32_bits(stat->sem_otime),
		.sem_otime_high	= upper_32_bits(stat->sem_otime),
		.sem_ctime	= lower_32_bits(stat->sem_ctime),
		.sem_ctime_high	= upper_32_bits(stat->sem_ctime),
		.sem_nsems	= stat->sem_nsems,
	};

	return copy_to_user(buf, &out, sizeof(out)) ? -EFAULT : 0;
}
#else
static int kipc_sem_put_stat_compat(void __user *buf, const struct semid64_ds *stat)
{
	return -EINVAL;
}
#endif

static int kipc_sem_ctl_stat(struct kipc_space *space, int id, const struct kipc_grant *grant,
			     int cmd, void __user *buf)
{
	struct kipc_object *object;
	struct kipc_sem_set *set;
	struct semid64_ds stat;
	int ret = 0;

	memset(&stat, 0, sizeof(stat));
	object = cmd == IPC_STAT ? kipc_find_granted(space, KIPC_KIND_SEM, id, grant) :
				   kipc_find_index(space, KIPC_KIND_SEM, id);
	if (IS_ERR(object))
		return PTR_ERR(object);

	set = kipc_sem_set_of(object);
	/* No semaphore matters. */
	kipc_sem_set_lock_one(set, 0);
	stat.sem_otime = kipc_sem_otime_locked(set);
	spin_lock(&object->lock);
	if (cmd != SEM_STAT_ANY && !kipc_may(object, S_IRUGO, grant)) {
		ret = -EACCES;
	} else if (object->removed) {
		ret = -EIDRM;
	} else {
		kipc_perm_show_locked(object, &stat.sem_perm);
		stat.sem_ctime = object->ctime;
		stat.sem_nsems = kipc_sem_count(set);
		if (cmd != IPC_STAT)
			ret = object->id;
	}
	spin_unlock(&object->lock);
	kipc_sem_set_unlock(set);
	kipc_object_put(object);
	if (ret < 0)
		return ret;

	if (in_compat_syscall())
		return kipc_sem_put_stat_compat(buf, &stat) ?: ret;
	return copy_to_user(buf, &stat, sizeof(stat)) ? -EFAULT : ret;
}

/* ---- Values ---- */

/* All values at one point of time: what is held stays as it is until all are. */
static void kipc_sem_get_values_locked(struct kipc_sem_set *set, u16 *values)
{
	unsigned int i, part, count = kipc_sem_count(set);

	for (i = 0; i < count; i += part) {
		part = min(count - i, KIPC_SEM_STRIDE);
		kipc_sem_hold_locked(set, i, part);
		kipc_sem_read_values_locked(set, i, part, values + i);
		cond_resched();
	}
	for (i = 0; i < count; i += part) {
		part = min(count - i, KIPC_SEM_STRIDE);
		kipc_sem_release_locked(set, i, part);
		cond_resched();
	}
}

/* A set that the caller may do @mode to. */
static struct kipc_sem_set *kipc_sem_open(struct kipc_space *space, int id, int mode)
{
	struct kipc_sem_set *set = kipc_sem_find(space, id);

	if (!IS_ERR(set) && !kipc_may_access(&set->object, mode)) {
		kipc_object_put(&set->object);
		return ERR_PTR(-EACCES);
	}
	return set;
}

static int kipc_sem_ctl_getall(struct kipc_space *space, int id, void __user *buf)
{
	struct kipc_sem_set *set = kipc_sem_open(space, id, S_IRUGO);
	unsigned int count;
	u16 *values;
	int ret = 0;

	if (IS_ERR(set))
		return PTR_ERR(set);
	count = kipc_sem_count(set);
	values = kvmalloc_array(count, sizeof(*values), GFP_KERNEL_ACCOUNT);
	if (!values) {
		ret = -ENOMEM;
		goto put_set;
	}

	kipc_sem_set_lock(set);
	if (READ_ONCE(set->object.removed))
		ret = -EIDRM;
	else
		kipc_sem_get_values_locked(set, values);
	kipc_sem_set_unlock(set);

	if (!ret && copy_to_user(buf, values, count * sizeof(*values)))
		ret = -EFAULT;
	kvfree(values);
put_set:
	kipc_object_put(&set->object);
	return ret;
}

static void kipc_sem_changed_now(struct kipc_sem_set *set)
{
	spin_lock(&set->object.lock);
	set->object.ctime = ktime_get_real_seconds();
	spin_unlock(&set->object.lock);
}

static void kipc_sem_put_pids(struct pid *pid, unsigned int count)
{
	/* The last one by the kernel's own way. */
	if (pid && !refcount_sub_and_test(count - 1, &pid->count))
		put_pid(pid);
}

/* Give all semaphores their values; references to who did before go by the run. */
static void kipc_sem_set_values_locked(struct kipc_sem_set *set, const u16 *values,
				       struct pid *pid)
{
	unsigned int i, count = kipc_sem_count(set), run = 0;
	struct pid *last = NULL;

	if (!set->shared)
		refcount_add(count, &pid->count);
	for (i = 0; i < count; i++) {
		if (i % KIPC_SEM_STRIDE == KIPC_SEM_STRIDE - 1)
			cond_resched();
		kipc_sem_set_value(set, i, values[i]);
		kipc_sem_set_orphaned_locked(set, i, false);
		if (set->shared) {
			kipc_sem_touch_locked(set, i, pid);
			continue;
		}
		if (run && set->sems[i].pid != last) {
			kipc_sem_put_pids(last, run);
			run = 0;
		}
		last = set->sems[i].pid;
		set->sems[i].pid = pid;
		run++;
	}
	if (run)
		kipc_sem_put_pids(last, run);
}

static int kipc_sem_assign_all(struct kipc_sem_set *set, const u16 *values)
{
	unsigned int count = kipc_sem_count(set);
	int ret = -EIDRM;

	kipc_sem_set_lock(set);
	if (set->shared && (set->view_count + 1ull) * count > KIPC_SEM_MUCH) {
		set->closed++;
		kipc_sem_set_unlock(set);
		kipc_sem_cut_all(set);
		kipc_sem_set_lock(set);
		set->closed--;
	}
	if (READ_ONCE(set->object.removed))
		goto unlock;
	kipc_sem_hold_locked(set, 0, count);
	kipc_sem_set_values_locked(set, values, task_tgid(current));
	kipc_sem_undo_forget_all_locked(set);
	kipc_sem_changed_now(set);
	if (set->complex || count <= KIPC_SEM_STRIDE)
		kipc_sem_settle_locked(set, 0, count);
	else
		set->unsettled = count;
	kipc_sem_release_locked(set, 0, count);
	if (set->unsettled)
		kipc_sem_catch_up_locked(set);
	ret = 0;
unlock:
	kipc_sem_set_unlock(set);
	return ret;
}

static int kipc_sem_assign(struct kipc_sem_set *set, unsigned int num, int value)
{
	int ret = -EIDRM;

	kipc_sem_set_lock_one(set, num);
	if (READ_ONCE(set->object.removed))
		goto unlock;
	kipc_sem_hold_locked(set, num, 1);
	kipc_sem_set_value(set, num, value);
	kipc_sem_touch_locked(set, num, task_tgid(current));
	kipc_sem_set_orphaned_locked(set, num, false);
	kipc_sem_undo_forget_locked(set, num);
	kipc_sem_changed_now(set);
	kipc_sem_settle_locked(set, num, 1);
	kipc_sem_release_locked(set, num, 1);
	ret = 0;
unlock:
	kipc_sem_set_unlock(set);
	return ret;
}

static int kipc_sem_copy_values(u16 *values, unsigned int count, const void __user *buf)
{
	unsigned int i;

	if (copy_from_user(values, buf, count * sizeof(*values)))
		return -EFAULT;
	for (i = 0; i < count; i++)
		if (values[i] > SEMVMX)
			return -ERANGE;
	return 0;
}

static int kipc_sem_ctl_setall(struct kipc_space *space, int id, const void __user *buf)
{
	struct kipc_sem_set *set = kipc_sem_open(space, id, S_IWUGO);
	unsigned int count;
	u16 *values;
	int ret;

	if (IS_ERR(set))
		return PTR_ERR(set);
	count = kipc_sem_count(set);
	values = kvmalloc_array(count, sizeof(*values), GFP_KERNEL_ACCOUNT);
	ret = values ? kipc_sem_copy_values(values, count, buf) : -ENOMEM;
	if (!ret)
		ret = kipc_sem_assign_all(set, values);
	kvfree(values);
	kipc_object_put(&set->object);
	return ret;
}

static int kipc_sem_ctl_setval(struct kipc_space *space, int id, int num, int value)
{
	struct kipc_sem_set *set;
	int ret;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	set = kipc_sem_find(space, id);
	if (IS_ERR(set))
		return PTR_ERR(set);
	if (num < 0 || num >= kipc_sem_count(set))
		ret = -EINVAL;
	else if (!kipc_may_access(&set->object, S_IWUGO))
		ret = -EACCES;
	else
		ret = kipc_sem_assign(set, array_index_nospec(num, kipc_sem_count(set)), value);
	kipc_object_put(&set->object);
	return ret;
}

static int kipc_sem_count_queue_locked(struct list_head *queue, unsigned int num, bool zero)
{
	struct kipc_sem_sleeper *op;
	int count = 0;

	list_for_each_entry(op, queue, queue)
		count += op->blocked->sem_num == num && zero == !op->blocked->sem_op;
	return count;
}

/* Sleepers whose blocked operation is on a semaphore and of the kind asked for. */
static int kipc_sem_count_sleepers_locked(struct kipc_sem_set *set, unsigned int num,
					  bool zero)
{
	struct kipc_sem *sem = &set->sems[num];

	return kipc_sem_count_queue_locked(zero ? &sem->zero : &sem->change, num, zero) +
	       kipc_sem_count_queue_locked(&set->change, num, zero) +
	       kipc_sem_count_queue_locked(&set->zero, num, zero);
}

static int kipc_sem_ctl_get_one(struct kipc_space *space, int id, int num, int cmd)
{
	struct kipc_sem_set *set = kipc_sem_open(space, id, S_IRUGO);
	int ret;

	if (IS_ERR(set))
		return PTR_ERR(set);
	if (num < 0 || num >= kipc_sem_count(set)) {
		ret = -EINVAL;
		goto put_set;
	}

	num = array_index_nospec(num, kipc_sem_count(set));
	kipc_sem_set_lock_one(set, num);
	if (READ_ONCE(set->object.removed))
		ret = -EIDRM;
	else if (cmd == GETVAL)
		ret = kipc_sem_value(set, num);
	else if (cmd == GETPID)
		ret = pid_vnr(kipc_sem_pid_locked(set, num));
	else
		ret = kipc_sem_count_sleepers_locked(set, num, cmd == GETZCNT);
	kipc_sem_set_unlock(set);
put_set:
	kipc_object_put(&set->object);
	return ret;
}

static int kipc_sem_ctl_set(struct kipc_space *space, int id, const void __user *buf)
{
	struct kipc_change change;

	return kipc_perm_copy_in(&change.perm, buf, sizeof(struct semid64_ds)) ?:
	       kipc_set(space, KIPC_KIND_SEM, id, &change);
}

/**
 * kipc_sem_ctl() - semctl(2)
 * @space: the caller's space
 * @id: set, or index for SEM_STAT and SEM_STAT_ANY
 * @num: semaphore
 * @cmd: command, without IPC_64
 * @arg: value, or user address of an array, or of a structure in the caller's layout
 *
 * Context: process; may sleep.
 * Return: what semctl(2) returns, or an error as it has it.
 */
int kipc_sem_ctl(struct kipc_space *space, int id, int num, int cmd, u64 arg)
{
	void __user *buf = u64_to_user_ptr(arg);

	if (id < 0)
		return -EINVAL;

	switch (cmd) {
	case IPC_INFO:
	case SEM_INFO:
		return kipc_sem_ctl_info(space, cmd, buf);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return kipc_sem_ctl_stat(space, id, NULL, cmd, buf);
	case GETALL:
		return kipc_sem_ctl_getall(space, id, buf);
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return kipc_sem_ctl_get_one(space, id, num, cmd);
	case SETALL:
		return kipc_sem_ctl_setall(space, id, buf);
	case SETVAL:
		return kipc_sem_ctl_setval(space, id, num, (int)arg);
	case IPC_SET:
		return kipc_sem_ctl_set(space, id, buf);
	case IPC_RMID:
		return kipc_remove(space, KIPC_KIND_SEM, id);
	default:
		return -EINVAL;
	}
}

/**
 * kipc_sem_stat_granted() - IPC_STAT through a handle
 * @grant: set, and rights to it
 * @buf: user address of a structure in the caller's layout
 *
 * Context: process; may sleep.
 * Return: 0, or an error as semctl(2) has it.
 */
int kipc_sem_stat_granted(const struct kipc_grant *grant, void __user *buf)
{
	return kipc_sem_ctl_stat(grant->object->space, 0, grant, IPC_STAT, buf);
}

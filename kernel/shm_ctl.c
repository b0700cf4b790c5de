// SPDX-License-Identifier: GPL-2.0
/*
 * shmctl: what can be asked of segments and changed in them.  See shm.h.
 */
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/ipc_namespace.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/shm.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "account.h"
#include "memory.h"
#include "perm.h"
#include "shm.h"
#include "space.h"

/* ---- Layouts of 32-bit callers ---- */

#ifdef CONFIG_COMPAT
struct kipc_compat_shminfo {
	u32 shmmax, shmmin, shmmni, shmseg, shmall;
	u32 unused[4];
};

struct kipc_compat_shm_info {
	s32 used_ids;
	u32 shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

static int kipc_shm_put_stat_compat(void __user *buf, const struct shmid64_ds *stat)
{
	struct compat_shmid64_ds out = {
		.shm_perm.key	= stat->shm_perm.key,
		.shm_perm.uid	= stat->shm_perm.uid,
		.shm_perm.gid	= stat->shm_perm.gid,
		.shm_perm.cuid	= stat->shm_perm.cuid,
		.shm_perm.cgid	= stat->shm_perm.cgid,
		.shm_perm.mode	= stat->shm_perm.mode,
		.shm_perm.seq	= stat->shm_perm.seq,
		.shm_segsz	= stat->shm_segsz,
		.shm_atime	= lower_32_bits(stat->shm_atime),
		.shm_atime_high	= upper_32_bits(stat->shm_atime),
		.shm_dtime	= lower_32_bits(stat->shm_dtime),
		.shm_dtime_high	= upper_32_bits(stat->shm_dtime),
		.shm_ctime	= lower_32_bits(stat->shm_ctime),
		.shm_ctime_high	= upper_32_bits(stat->shm_ctime),
		.shm_cpid	= stat->shm_cpid,
		.shm_lpid	= stat->shm_lpid,
		.shm_nattch	= stat->shm_nattch,
	};

	return copy_to_user(buf, &out, sizeof(out)) ? -EFAULT : 0;
}

static int kipc_shm_put_limits_compat(void __user *buf, const struct shminfo64 *info)
{
	struct kipc_compat_shminfo out = {
		.shmmax	= min_t(unsigned long, info->shmmax, INT_MAX),
		.shmmin	= info->shmmin,
		.shmmni	= info->shmmni,
		.shmseg	= info->shmseg,
		.shmall	= info->shmall,
	};

	return copy_to_user(buf, &out, sizeof(out)) ? -EFAULT : 0;
}

static int kipc_shm_put_info_compat(void __user *buf, const struct shm_info *info)
{
	struct kipc_compat_shm_info out = {
		.used_ids	= info->used_ids,
		.shm_tot	= info->shm_tot,
		.shm_rss	= info->shm_rss,
		.shm_swp	= info->shm_swp,
	};

	return copy_to_user(buf, &out, sizeof(out)) ? -EFAULT : 0;
}
#else
static int kipc_shm_put_stat_compat(void __user *buf, const struct shmid64_ds *stat)
{
	return -EINVAL;
}

static int kipc_shm_put_limits_compat(void __user *buf, const struct shminfo64 *info)
{
	return -EINVAL;
}

static int kipc_shm_put_info_compat(void __user *buf, const struct shm_info *info)
{
	return -EINVAL;
}
#endif

/* ---- Limits and totals ---- */

static int kipc_shm_ctl_limits(struct kipc_space *space, void __user *buf)
{
	struct kipc_ids *ids = &space->ids[KIPC_KIND_SHM];
	struct shminfo64 info = { .shmmin = SHMMIN };
	int index, ret;

	down_write(&ids->rwsem);
	info.shmmax = space->shm_limits.max;
	info.shmall = space->shm_limits.all;
	info.shmmni = space->shm_limits.mni;
	info.shmseg = space->shm_limits.mni;
	index = kipc_ids_max_index(ids);
	up_write(&ids->rwsem);

	if (in_compat_syscall())
		ret = kipc_shm_put_limits_compat(buf, &info);
	else
		ret = copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : 0;
	return ret ?: max(index, 0);
}

static void kipc_shm_total_usage(struct kipc_space *space,
				 struct kipc_memory_usage *usage)
{
	struct kipc_object *object;
	int index;

	for (index = 0;
	     (object = kipc_ids_next(&space->ids[KIPC_KIND_SHM], &index)); index++) {
		kipc_memory_add_usage(kipc_shm_of(object)->file, usage);
		kipc_object_put(object);
		cond_resched();
	}
}

static int kipc_shm_ctl_info(struct kipc_space *space, void __user *buf)
{
	struct kipc_ids *ids = &space->ids[KIPC_KIND_SHM];
	struct kipc_memory_usage usage = {};
	struct shm_info info;
	int index, ret;

	memset(&info, 0, sizeof(info));
	kipc_shm_total_usage(space, &usage);
	info.shm_rss = usage.resident;
	info.shm_swp = usage.swapped;
	down_write(&ids->rwsem);
	info.used_ids = ids->in_use;
	info.shm_tot = space->shm_pages;
	index = kipc_ids_max_index(ids);
	up_write(&ids->rwsem);

	if (in_compat_syscall())
		ret = kipc_shm_put_info_compat(buf, &info);
	else
		ret = copy_to_user(buf, &info, sizeof(info)) ? -EFAULT : 0;
	return ret ?: max(index, 0);
}

/* ---- One segment ---- */

static void kipc_shm_fill_stat_locked(struct kipc_shm *shm, struct shmid64_ds *stat)
{
	struct kipc_object *object = &shm->object;

	kipc_perm_show_locked(object, &stat->shm_perm);
	stat->shm_segsz = shm->object.size;
	stat->shm_atime = shm->atime;
	stat->shm_dtime = shm->dtime;
	stat->shm_ctime = object->ctime;
	stat->shm_cpid = pid_vnr(object->creator);
	stat->shm_lpid = pid_vnr(shm->lpid);
	stat->shm_nattch = shm->object.nattch;
}

static int kipc_shm_ctl_stat(struct kipc_space *space, int id, const struct kipc_grant *grant,
			     int cmd, void __user *buf)
{
	struct shmid64_ds stat;
	struct kipc_object *object;
	struct kipc_shm *shm;
	int ret = 0;

	memset(&stat, 0, sizeof(stat));
	object = cmd == IPC_STAT ? kipc_find_granted(space, KIPC_KIND_SHM, id, grant) :
				   kipc_find_index(space, KIPC_KIND_SHM, id);
	if (IS_ERR(object))
		return PTR_ERR(object);

	shm = kipc_shm_of(object);
	spin_lock(&shm->object.lock);
	if (cmd != SHM_STAT_ANY && !kipc_may(&shm->object, S_IRUGO, grant))
		ret = -EACCES;
	else if (shm->object.removed)
		ret = -EIDRM;
	else
		kipc_shm_fill_stat_locked(shm, &stat);
	if (!ret && cmd != IPC_STAT)
		ret = shm->object.id;
	spin_unlock(&shm->object.lock);
	kipc_object_put(&shm->object);
	if (ret < 0)
		return ret;

	if (in_compat_syscall())
		return kipc_shm_put_stat_compat(buf, &stat) ?: ret;
	return copy_to_user(buf, &stat, sizeof(stat)) ? -EFAULT : ret;
}

/* Whether the caller may lock or unlock the segment into memory. */
static int kipc_shm_may_lock_locked(struct kipc_shm *shm, bool lock)
{
	lockdep_assert_held(&shm->object.lock);
	if (shm->object.removed)
		return -EIDRM;
	if (ns_capable(shm->object.space->user_ns, CAP_IPC_LOCK))
		return 0;
	if (!kipc_is_owner(&shm->object))
		return -EPERM;
	if (lock && !rlimit(RLIMIT_MEMLOCK))
		return -EPERM;
	return 0;
}

static int kipc_shm_ctl_lock(struct kipc_space *space, int id)
{
	unsigned long pages, max = rlimit(RLIMIT_MEMLOCK);
	struct kipc_account *account;
	struct kipc_shm *shm;
	int ret;

	shm = kipc_shm_find(space, id);
	if (IS_ERR(shm))
		return PTR_ERR(shm);
	account = kipc_account_get_current();
	if (!account) {
		ret = -ENOMEM;
		goto put_shm;
	}
	pages = kipc_shm_pages(shm);
	max = max == RLIM_INFINITY || capable(CAP_IPC_LOCK) ? ULONG_MAX : max >> PAGE_SHIFT;

	spin_lock(&shm->object.lock);
	ret = kipc_shm_may_lock_locked(shm, true);
	if (ret || kipc_memory_is_huge(shm->file) || shm->locker)
		goto unlock;
	if (!kipc_account_charge(account, KIPC_CHARGE_LOCKED, pages, max)) {
		ret = -ENOMEM;
		goto unlock;
	}
	kipc_memory_set_locked(shm->file, true);
	WRITE_ONCE(shm->object.mode, shm->object.mode | SHM_LOCKED);
	swap(shm->locker, account);
unlock:
	spin_unlock(&shm->object.lock);
	kipc_account_put(account);
put_shm:
	kipc_object_put(&shm->object);
	return ret;
}

static int kipc_shm_ctl_unlock(struct kipc_space *space, int id)
{
	struct kipc_account *account = NULL;
	struct kipc_shm *shm;
	int ret;

	shm = kipc_shm_find(space, id);
	if (IS_ERR(shm))
		return PTR_ERR(shm);
	spin_lock(&shm->object.lock);
	ret = kipc_shm_may_lock_locked(shm, false);
	if (!ret && shm->locker) {
		swap(shm->locker, account);
		kipc_memory_set_locked(shm->file, false);
		WRITE_ONCE(shm->object.mode, shm->object.mode & ~SHM_LOCKED);
	}
	spin_unlock(&shm->object.lock);

	if (account) {
		kipc_account_uncharge(account, KIPC_CHARGE_LOCKED, kipc_shm_pages(shm));
		kipc_account_put(account);
		kipc_memory_make_evictable(shm->file);
	}
	kipc_object_put(&shm->object);
	return ret;
}

static int kipc_shm_ctl_set(struct kipc_space *space, int id, const void __user *buf)
{
	struct kipc_change change;

	return kipc_perm_copy_in(&change.perm, buf, sizeof(struct shmid64_ds)) ?:
	       kipc_set(space, KIPC_KIND_SHM, id, &change);
}

/**
 * kipc_shm_export() - a file of a segment's memory
 * @space: the caller's space
 * @id: segment
 * @grant: the segment instead, and rights to it, or NULL
 * @flags: O_RDONLY or O_RDWR
 *
 * Context: may sleep.
 * Return: the file, -EINVAL, -EIDRM, -EACCES or another error.
 */
struct file *kipc_shm_export(struct kipc_space *space, int id, const struct kipc_grant *grant,
			     unsigned int flags)
{
	unsigned int rights = flags == O_RDWR ? S_IRUGO | S_IWUGO : S_IRUGO;
	struct kipc_object *object;
	struct file *file = NULL;
	struct kipc_shm *shm;

	object = kipc_find_granted(space, KIPC_KIND_SHM, id, grant);
	if (IS_ERR(object))
		return ERR_CAST(object);
	shm = kipc_shm_of(object);
	spin_lock(&object->lock);
	/* What a descriptor holds is there as long as that. */
	if (object->removed && !grant)
		file = ERR_PTR(-EIDRM);
	else if (!kipc_may(object, rights, grant))
		file = ERR_PTR(-EACCES);
	spin_unlock(&object->lock);
	if (!file) {
		kipc_memory_seal(shm->file, shm->is_adopted);
		file = kipc_memory_open(shm->file, flags);
	}
	kipc_object_put(object);
	return file;
}

/**
 * kipc_shm_ctl() - shmctl(2)
 * @space: the caller's space
 * @id: segment, or index for SHM_STAT and SHM_STAT_ANY
 * @cmd: command, without IPC_64
 * @buf: the caller's structure, in its own layout
 *
 * Context: process; may sleep.
 * Return: what shmctl(2) returns, or an error as it has it.
 */
int kipc_shm_ctl(struct kipc_space *space, int id, int cmd, void __user *buf)
{
	if (cmd < 0 || id < 0)
		return -EINVAL;

	switch (cmd) {
	case IPC_INFO:
		return kipc_shm_ctl_limits(space, buf);
	case SHM_INFO:
		return kipc_shm_ctl_info(space, buf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return kipc_shm_ctl_stat(space, id, NULL, cmd, buf);
	case IPC_SET:
		return kipc_shm_ctl_set(space, id, buf);
	case IPC_RMID:
		return kipc_remove(space, KIPC_KIND_SHM, id);
	case SHM_LOCK:
		return kipc_shm_ctl_lock(space, id);
	case SHM_UNLOCK:
		return kipc_shm_ctl_unlock(space, id);
	default:
		return -EINVAL;
	}
}

/**
 * kipc_shm_stat_granted() - IPC_STAT through a handle
 * @grant: segment, and rights to it
 * @buf: user address of a structure in the caller's layout
 *
 * Context: process; may sleep.
 * Return: 0, or an error as shmctl(2) has it.
 */
int kipc_shm_stat_granted(const struct kipc_grant *grant, void __user *buf)
{
	return kipc_shm_ctl_stat(grant->object->space, 0, grant, IPC_STAT, buf);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Segments: their life, shmget.  See shm.h; their mappings are in shm_map.c and
 * shmctl is in shm_ctl.c.
 *
 * A segment ends (kipc_shm_remove_locked) when nobody has it attached and it is
 * to go: after IPC_RMID, under shm_rmid_forced, with its owner, with its users, with
 * its namespace.  In a namespace that dies it leaves the tables while it is still
 * attached and then lives, unreachable by id, until the last attachment goes.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "memory.h"
#include "perm.h"
#include "process.h"
#include "shm.h"
#include "space.h"

static struct kmem_cache *kipc_shm_cache;

static inline struct kipc_ids *kipc_shm_ids(struct kipc_space *space)
{
	return &space->ids[KIPC_KIND_SHM];
}

/* ---- Life ---- */

static void kipc_shm_free(struct kipc_object *object)
{
	struct kipc_shm *shm = kipc_shm_of(object);

	if (shm->locker) {
		kipc_memory_set_locked(shm->file, false);
		kipc_account_uncharge(shm->locker, KIPC_CHARGE_LOCKED,
				      kipc_shm_pages(shm));
		kipc_account_put(shm->locker);
	}
	put_pid(shm->lpid);
	kipc_process_put(object->owner);
	kipc_space_put(object->space);
	if (shm->readonly)
		fput(shm->readonly);
	fput(shm->file);
}

/**
 * kipc_shm_free_rcu() - free the memory of a segment that ended
 * @rcu: kipc_object.rcu, after a grace period
 */
void kipc_shm_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(kipc_shm_cache,
			kipc_shm_of(container_of(rcu, struct kipc_object, rcu)));
}

static bool kipc_shm_may_end_locked(struct kipc_shm *shm)
{
	lockdep_assert_held(&shm->object.lock);
	return !kipc_object_is_used(&shm->object) &&
	       (shm->object.mode & SHM_DEST || kipc_object_is_deserted(&shm->object) ||
		READ_ONCE(shm->object.space->shm_limits.rmid_forced));
}

/* Out of the tables; true: the base reference is the caller's to put. */
static bool kipc_shm_remove_locked(struct kipc_shm *shm)
{
	struct kipc_space *space = shm->object.space;

	kipc_ids_remove_locked(kipc_shm_ids(space), &shm->object);
	WRITE_ONCE(space->shm_pages, space->shm_pages - kipc_shm_pages(shm));
	kipc_process_disown(&shm->object);
	return !kipc_object_is_used(&shm->object);
}

/* As IPC_RMID: now, or with the last attachment. */
static bool kipc_shm_end_locked(struct kipc_object *object)
{
	struct kipc_shm *shm = kipc_shm_of(object);

	WRITE_ONCE(object->mode, object->mode | SHM_DEST);
	if (!kipc_object_is_used(&shm->object) || READ_ONCE(object->space->dead))
		return kipc_shm_remove_locked(shm);
	kipc_ids_forget_key_locked(kipc_shm_ids(object->space), object);
	kipc_process_disown(object);
	return false;
}

/* Nobody has it attached: end it, unless somebody attached it meanwhile. */
static void kipc_shm_reap(struct kipc_shm *shm)
{
	struct kipc_ids *ids = kipc_object_ids(&shm->object);
	bool ended = false;

	down_write(&ids->rwsem);
	spin_lock(&shm->object.lock);
	if (!shm->object.removed && kipc_shm_may_end_locked(shm))
		ended = kipc_shm_remove_locked(shm);
	spin_unlock(&shm->object.lock);
	up_write(&ids->rwsem);
	if (ended)
		kipc_object_put(&shm->object);
}

/* Under shm_rmid_forced a segment that nobody has attached ends with its creator. */
static bool kipc_shm_end_if_doomed(struct kipc_object *object)
{
	struct kipc_shm *shm = kipc_shm_of(object);

	if (likely(!READ_ONCE(object->space->shm_limits.rmid_forced)) ||
	    kipc_object_is_used(&shm->object) || kipc_pid_is_alive(object->creator))
		return false;
	kipc_shm_reap(shm);
	return true;
}

/* There is one user fewer: perhaps it was the last.  The lock is held, and given back. */
static void kipc_shm_left_unlock(struct kipc_shm *shm) __releases(&shm->object.lock)
{
	bool orphan, ends;

	orphan = !kipc_object_is_used(&shm->object) && shm->object.removed;
	ends = !orphan && kipc_shm_may_end_locked(shm);
	if (ends)
		kipc_object_get(&shm->object);
	spin_unlock(&shm->object.lock);

	if (ends)
		kipc_shm_reap(shm);
	if (ends || orphan)
		kipc_object_put(&shm->object);
}

static void kipc_shm_closed(struct kipc_object *object)
{
	spin_lock(&object->lock);
	WRITE_ONCE(object->handles, object->handles - 1);
	kipc_shm_left_unlock(kipc_shm_of(object));
}

/* The inode number in /proc/pid/maps is the id, as native shows it. */
static void kipc_shm_named(struct kipc_object *object)
{
	struct kipc_shm *shm = kipc_shm_of(object);

	if (!shm->is_adopted)
		file_inode(shm->file)->i_ino = object->id;
}

static unsigned long kipc_shm_users(struct kipc_object *object)
{
	return object->nattch;
}

static const struct kipc_object_ops kipc_shm_object_ops = {
	.named		= kipc_shm_named,
	.end_if_doomed	= kipc_shm_end_if_doomed,
	.end_locked	= kipc_shm_end_locked,
	.closed		= kipc_shm_closed,
	.free		= kipc_shm_free,
	.users		= kipc_shm_users,
};

static void kipc_shm_set_lpid_locked(struct kipc_shm *shm)
{
	struct pid *pid = task_tgid(current);

	lockdep_assert_held(&shm->object.lock);
	if (shm->lpid == pid)
		return;
	put_pid(shm->lpid);
	shm->lpid = get_pid(pid);
}

/**
 * kipc_shm_enter_locked() - count one more mapping
 * @shm: the segment, alive; its lock is held
 */
void kipc_shm_enter_locked(struct kipc_shm *shm)
{
	lockdep_assert_held(&shm->object.lock);
	WRITE_ONCE(shm->object.nattch, shm->object.nattch + 1);
	shm->object.was_used = true;
	shm->atime = ktime_get_real_seconds();
	kipc_shm_set_lpid_locked(shm);
}

/**
 * kipc_shm_leave() - count one mapping, or one being made, fewer
 * @shm: the segment; not to be looked at afterwards without a reference
 * @was_mapped: it had been entered, so that this is a detach
 *
 * Context: may sleep; mmap_lock may be held.
 */
void kipc_shm_leave(struct kipc_shm *shm, bool was_mapped)
{
	spin_lock(&shm->object.lock);
	if (was_mapped) {
		kipc_shm_set_lpid_locked(shm);
		shm->dtime = ktime_get_real_seconds();
	}
	WRITE_ONCE(shm->object.nattch, shm->object.nattch - 1);
	kipc_shm_left_unlock(shm);
}

/* ---- shmget ---- */

/* A segment that is in no table yet. */
static struct kipc_shm *kipc_shm_alloc(struct kipc_space *space,
				       const struct kipc_get *get)
{
	struct kipc_process *process = NULL;
	struct kipc_shm *shm;
	int ret;

	shm = kmem_cache_zalloc(kipc_shm_cache, GFP_KERNEL);
	if (!shm)
		return ERR_PTR(-ENOMEM);
	shm->object.size = get->size;
	shm->is_adopted = get->memory;
	shm->file = get->memory ? kipc_memory_adopt(get->memory, get->size) :
		    kipc_memory_new(get->key, get->size, get->flags);
	if (IS_ERR(shm->file)) {
		ret = PTR_ERR(shm->file);
		goto free_shm;
	}
	if (get->lifetime == KIPC_LIFETIME_CREATOR) {
		process = kipc_process_get_current();
		if (IS_ERR(process)) {
			ret = PTR_ERR(process);
			goto put_file;
		}
	}
	kipc_shm_hook_file(shm, shm->file);

	kipc_object_init(&shm->object, KIPC_KIND_SHM, &kipc_shm_object_ops,
			 kipc_space_get(space), get->key, get->flags & S_IRWXUGO);
	shm->object.lifetime = get->lifetime;
	if (process)
		kipc_process_adopt(process, &shm->object);
	return shm;

put_file:
	fput(shm->file);
free_shm:
	kmem_cache_free(kipc_shm_cache, shm);
	return ERR_PTR(ret);
}

static bool kipc_shm_has_room(struct kipc_space *space, unsigned long pages)
{
	unsigned long all = READ_ONCE(space->shm_limits.all);
	unsigned long used = READ_ONCE(space->shm_pages);

	return used + pages >= used && used + pages <= all;
}

static struct kipc_object *kipc_shm_new(struct kipc_space *space, const struct kipc_get *get)
{
	struct kipc_shm *shm;
	size_t size = get->size;

	if (size < SHMMIN || size > READ_ONCE(space->shm_limits.max))
		return ERR_PTR(-EINVAL);
	if (PAGE_ALIGN(size) < size ||
	    !kipc_shm_has_room(space, PAGE_ALIGN(size) >> PAGE_SHIFT))
		return ERR_PTR(-ENOSPC);
	shm = kipc_shm_alloc(space, get);
	return IS_ERR(shm) ? ERR_CAST(shm) : &shm->object;
}

static int kipc_shm_add_locked(struct kipc_space *space, struct kipc_object *object)
{
	struct kipc_shm *shm = kipc_shm_of(object);
	unsigned long pages = kipc_shm_pages(shm);
	int ret;

	if (!kipc_shm_has_room(space, pages))
		return -ENOSPC;
	ret = kipc_ids_add_locked(kipc_shm_ids(space), object, space->shm_limits.mni);
	if (ret)
		return ret;
	WRITE_ONCE(space->shm_pages, space->shm_pages + pages);
	return 0;
}

const struct kipc_kind kipc_shm_kind = {
	.kind		= KIPC_KIND_SHM,
	.new		= kipc_shm_new,
	.add_locked	= kipc_shm_add_locked,
};

/**
 * kipc_shm_settle() - end segments that shm_rmid_forced dooms
 * @space: the space
 *
 * Context: may sleep.
 * Return: whether there was any.
 */
bool kipc_shm_settle(struct kipc_space *space)
{
	struct kipc_object *object;
	bool any = false;
	int index;

	if (likely(!READ_ONCE(space->shm_limits.rmid_forced)))
		return false;
	for (index = 0; (object = kipc_ids_next(kipc_shm_ids(space), &index)); index++) {
		any |= kipc_shm_end_if_doomed(object);
		kipc_object_put(object);
		cond_resched();
	}
	return any;
}

/* ---- Init ---- */

/**
 * kipc_shm_init() - the level's part of module init
 *
 * Return: 0 or -ENOMEM.
 */
int kipc_shm_init(void)
{
	kipc_shm_map_init();
	kipc_shm_cache = KMEM_CACHE(kipc_shm, SLAB_ACCOUNT);
	return kipc_shm_cache ? 0 : -ENOMEM;
}

/**
 * kipc_shm_deinit() - no segment is left, and no callback that frees one
 */
void kipc_shm_deinit(void)
{
	kmem_cache_destroy(kipc_shm_cache);
}

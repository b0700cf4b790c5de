// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphore sets: their life, semget.  See sem.h; semop is in sem_op.c, semctl in
 * sem_ctl.c, undo values are in sem_undo.c.
 *
 * A set that is removed leaves the tables at once (kipc_sem_end_locked); then,
 * under its own lock, what came before is done to its end, its sleepers are woken and
 * its undo values dropped (kipc_sem_ended).  Whoever takes the lock must look at
 * kipc_object.removed.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "perm.h"
#include "process.h"
#include "sem.h"
#include "space.h"

static inline struct kipc_ids *kipc_sem_ids(struct kipc_space *space)
{
	return &space->ids[KIPC_KIND_SEM];
}

/* ---- Life ---- */

static void kipc_sem_free_rcu(struct rcu_head *rcu)
{
	kvfree(kipc_sem_set_of(container_of(rcu, struct kipc_object, rcu)));
	/* Module exit waits for this callback to return. */
	module_put(THIS_MODULE);
}

static void kipc_sem_free(struct kipc_object *object)
{
	struct kipc_sem_set *set = kipc_sem_set_of(object);
	unsigned int i;

	WARN_ON_ONCE(!list_empty(&set->undos) || !list_empty(&set->dead) ||
		     !list_empty(&set->views));
	for (i = 0; i < kipc_sem_count(set); i++) {
		put_pid(set->sems[i].pid);
		cond_resched();
	}
	kipc_process_put(object->owner);
	kipc_space_put(object->space);
	call_rcu(&object->rcu, kipc_sem_free_rcu);
}

static bool kipc_sem_end_locked(struct kipc_object *object)
{
	struct kipc_space *space = object->space;

	kipc_ids_remove_locked(kipc_sem_ids(space), object);
	WRITE_ONCE(space->sem_total, space->sem_total - object->size);
	kipc_process_disown(object);
	return true;
}

static void kipc_sem_ended(struct kipc_object *object)
{
	struct kipc_sem_set *set = kipc_sem_set_of(object);

	mutex_lock(&set->lock);
	/* Whom a death of before lets go on has succeeded. */
	kipc_sem_catch_up_locked(set);
	if (set->shared)
		WRITE_ONCE(set->shared->state, KIPC_SEM_REMOVED);
	kipc_sem_wake_all_locked(set, -EIDRM);
	kipc_sem_undo_end_locked(set);
	kipc_sem_set_unlock(set);
	kipc_sem_cut_all(set);
}

/* Whoever still may maps it again. */
static void kipc_sem_perm_changed(struct kipc_object *object)
{
	kipc_sem_cut_all(kipc_sem_set_of(object));
}

static unsigned long kipc_sem_users(struct kipc_object *object)
{
	return READ_ONCE(kipc_sem_set_of(object)->view_count);
}

static const struct kipc_object_ops kipc_sem_object_ops = {
	.end_locked	= kipc_sem_end_locked,
	.ended		= kipc_sem_ended,
	.perm_changed	= kipc_sem_perm_changed,
	.free		= kipc_sem_free,
	.users		= kipc_sem_users,
	.lock		= kipc_sem_object_lock,
	.unlock		= kipc_sem_object_unlock,
	.see_locked	= kipc_sem_see_locked,
	.armed_locked	= kipc_sem_armed_locked,
	.disarmed_locked = kipc_sem_disarmed_locked,
};

/* ---- semget ---- */

static struct kipc_object *kipc_sem_new(struct kipc_space *space, const struct kipc_get *get)
{
	static atomic_long_t serial;
	unsigned int i, nsems = get->size;
	struct kipc_process *process = NULL;
	struct kipc_sem_set *set;

	if (!nsems)
		return ERR_PTR(-EINVAL);
	if ((s64)READ_ONCE(space->sem_total) + nsems > READ_ONCE(space->sem_limits.mns))
		return ERR_PTR(-ENOSPC);
	if (struct_size(set, sems, nsems) > INT_MAX)
		return ERR_PTR(-ENOMEM);
	set = kvzalloc(struct_size(set, sems, nsems), GFP_KERNEL_ACCOUNT);
	if (!set)
		return ERR_PTR(-ENOMEM);
	if (get->lifetime == KIPC_LIFETIME_CREATOR) {
		process = kipc_process_get_current();
		if (IS_ERR(process)) {
			kvfree(set);
			return ERR_CAST(process);
		}
	}

	/* A reference exists: the caller's open device. */
	__module_get(THIS_MODULE);
	mutex_init(&set->lock);
	mutex_init(&set->folding);
	kipc_wakes_init(&set->wakes);
	INIT_LIST_HEAD(&set->change);
	INIT_LIST_HEAD(&set->zero);
	INIT_LIST_HEAD(&set->undos);
	INIT_LIST_HEAD(&set->views);
	INIT_LIST_HEAD(&set->dead);
	init_llist_head(&set->dying);
	set->serial = atomic_long_inc_return(&serial);
	for (i = 0; i < nsems; i++) {
		INIT_LIST_HEAD(&set->sems[i].change);
		INIT_LIST_HEAD(&set->sems[i].zero);
	}
	kipc_object_init(&set->object, KIPC_KIND_SEM, &kipc_sem_object_ops,
			 kipc_space_get(space), get->key, get->flags & S_IRWXUGO);
	set->object.size = nsems;
	set->object.lifetime = get->lifetime;
	if (process)
		kipc_process_adopt(process, &set->object);
	return &set->object;
}

static int kipc_sem_add_locked(struct kipc_space *space, struct kipc_object *object)
{
	int ret;

	if ((s64)(space->sem_total + object->size) > space->sem_limits.mns)
		return -ENOSPC;
	ret = kipc_ids_add_locked(kipc_sem_ids(space), object, space->sem_limits.mni);
	if (!ret)
		WRITE_ONCE(space->sem_total, space->sem_total + object->size);
	return ret;
}

const struct kipc_kind kipc_sem_kind = {
	.kind		= KIPC_KIND_SEM,
	.new		= kipc_sem_new,
	.add_locked	= kipc_sem_add_locked,
};

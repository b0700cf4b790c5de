// SPDX-License-Identifier: GPL-2.0
/*
 * Spaces: see space.h.
 */
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/proc_ns.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>

#include "account.h"
#include "compat.h"
#include "limits.h"
#include "space.h"

static DEFINE_HASHTABLE(kipc_spaces, 6);
static DEFINE_MUTEX(kipc_spaces_lock);

/* The space of the initial namespace once it is made; it goes with the module. */
struct kipc_space *kipc_space_initial;

static void kipc_space_reap_work(struct work_struct *work);
static void kipc_space_kick_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(kipc_space_reap, kipc_space_reap_work);
static DECLARE_DELAYED_WORK(kipc_space_reap_early, kipc_space_reap_work);
static DECLARE_WORK(kipc_space_kick, kipc_space_kick_work);

/**
 * kipc_space_is_initial() - whether a namespace is the one that never ends
 * @ns: the namespace
 */
bool kipc_space_is_initial(const struct ipc_namespace *ns)
{
	return ns->ns.inum == PROC_IPC_INIT_INO;
}

/**
 * kipc_space_find_rcu() - the space of a namespace
 * @ns: the namespace
 *
 * Context: RCU, lock-free; or kipc_spaces_lock.
 * Return: the space, or NULL if there is none yet.
 */
struct kipc_space *kipc_space_find_rcu(const struct ipc_namespace *ns)
{
	struct kipc_space *space;

	hash_for_each_possible_rcu(kipc_spaces, space, node, (unsigned long)ns,
				   lockdep_is_held(&kipc_spaces_lock))
		if (space->ns == ns)
			return space;
	return NULL;
}

static void kipc_space_limits_init(struct kipc_space *space)
{
	space->shm_limits.max = SHMMAX;
	space->shm_limits.all = SHMALL;
	space->shm_limits.mni = SHMMNI;
	space->sem_limits.msl = SEMMSL;
	space->sem_limits.mns = SEMMNS;
	space->sem_limits.opm = SEMOPM;
	space->sem_limits.mni = SEMMNI;
	space->msg_limits.max = MSGMAX;
	space->msg_limits.mnb = MSGMNB;
	space->msg_limits.mni = MSGMNI;
	space->mq_limits.queues_max = 256;
	space->mq_limits.msg_max = 10;
	space->mq_limits.msgsize_max = 8192;
	space->mq_limits.msg_default = 10;
	space->mq_limits.msgsize_default = 8192;
}

static void kipc_space_free(struct kipc_space *space)
{
	int kind;

	for (kind = 0; kind < KIPC_ALL_KINDS; kind++)
		kipc_ids_deinit(&space->ids[kind]);
	put_user_ns(space->user_ns);
	kipc_account_put(space->mq_users);
	kfree_rcu(space, rcu);
}

/* A space for the caller's namespace, in no table yet. */
static struct kipc_space *kipc_space_new(void)
{
	struct kipc_space *space;
	struct ns_common *common;
	int kind, ret;

	space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	if (!space)
		return ERR_PTR(-ENOMEM);
	for (kind = 0; kind < KIPC_ALL_KINDS; kind++) {
		ret = kipc_ids_init(&space->ids[kind], kind >= KIPC_KINDS);
		if (ret)
			goto deinit_ids;
	}
	ret = -ENOMEM;
	space->mq_users = kipc_account_new();
	if (!space->mq_users)
		goto deinit_ids;
	kipc_space_limits_init(space);
	refcount_set(&space->refs, 1);
	space->ns = current->nsproxy->ipc_ns;
	space->user_ns = get_user_ns(space->ns->user_ns);
	if (!kipc_space_is_initial(space->ns)) {
		common = space->ns->ns.ops->get(current);
		WARN_ON_ONCE(common != &space->ns->ns);
	}
	return space;

deinit_ids:
	while (kind--)
		kipc_ids_deinit(&space->ids[kind]);
	kfree(space);
	return ERR_PTR(ret);
}

static noinline struct kipc_space *kipc_space_make_current(void)
{
	struct ipc_namespace *ns = current->nsproxy->ipc_ns;
	struct kipc_space *space;

	mutex_lock(&kipc_spaces_lock);
	space = kipc_space_find_rcu(ns);
	if (!space) {
		space = kipc_space_new();
		if (!IS_ERR(space)) {
			hash_add_rcu(kipc_spaces, &space->node, (unsigned long)ns);
			if (kipc_space_is_initial(ns))
				smp_store_release(&kipc_space_initial, space);
			else
				schedule_delayed_work(&kipc_space_reap,
						      KIPC_REAP_INTERVAL);
		}
	}
	mutex_unlock(&kipc_spaces_lock);
	return space;
}

/**
 * kipc_space_current_slow() - kipc_space_current() in any other namespace
 *
 * Context: process; may sleep.
 * Return: the space or -ENOMEM.
 */
struct kipc_space *kipc_space_current_slow(void)
{
	struct kipc_space *space;

	rcu_read_lock_sched();
	space = kipc_space_find_rcu(current->nsproxy->ipc_ns);
	rcu_read_unlock_sched();
	return likely(space) ? space : kipc_space_make_current();
}

/**
 * kipc_space_put() - give a reference back
 * @space: the space
 *
 * Context: may sleep.
 */
void kipc_space_put(struct kipc_space *space)
{
	if (refcount_dec_and_test(&space->refs))
		kipc_space_free(space);
}

/**
 * kipc_object_end_if() - end an object as IPC_RMID does, if that is permitted
 * @object: the object; the caller has a reference
 * @may: asked under the object's lock, or NULL
 *
 * Context: may sleep.
 * Return: 0, -EIDRM: it has ended already, or -EPERM.
 */
int kipc_object_end_if(struct kipc_object *object, bool (*may)(struct kipc_object *object))
{
	struct kipc_ids *ids = kipc_object_ids(object);
	bool put_base = false;
	int ret = 0;

	down_write(&ids->rwsem);
	spin_lock(&object->lock);
	if (object->removed)
		ret = -EIDRM;
	else if (may && !may(object))
		ret = -EPERM;
	else
		put_base = object->ops->end_locked(object);
	spin_unlock(&object->lock);
	up_write(&ids->rwsem);

	if (!ret && object->ops->ended)
		object->ops->ended(object);
	if (put_base)
		kipc_object_put(object);
	return ret;
}

/**
 * kipc_object_end() - end an object as IPC_RMID does, with no permission asked
 * @object: the object; the caller has a reference
 *
 * Context: may sleep.
 */
void kipc_object_end(struct kipc_object *object)
{
	kipc_object_end_if(object, NULL);
}

/**
 * kipc_object_left_unlock() - a set or queue has one user fewer: perhaps it was the last
 * @object: the object; the caller has a reference, and its lock, which is given back
 *
 * Context: may sleep; mmap_lock may be held.
 */
void kipc_object_left_unlock(struct kipc_object *object) __releases(&object->lock)
{
	bool ends = kipc_object_is_deserted(object);

	spin_unlock(&object->lock);
	/* Somebody may come to use it meanwhile, or remove it. */
	if (ends)
		kipc_object_end_if(object, kipc_object_is_deserted);
}

/* End every object of a kind; in a dead space what is attached leaves the tables too. */
static void kipc_space_end_objects(struct kipc_ids *ids)
{
	struct kipc_object *object;
	int index;

	for (index = 0; (object = kipc_ids_next(ids, &index)); index++) {
		kipc_object_end(object);
		kipc_object_put(object);
		cond_resched();
	}
}

/* End a space that is in the table no more. */
static void kipc_space_end(struct kipc_space *space)
{
	struct ns_common *common = &space->ns->ns;
	int kind;

	for (kind = 0; kind < KIPC_ALL_KINDS; kind++)
		kipc_space_end_objects(&space->ids[kind]);
	if (!kipc_space_is_initial(space->ns))
		common->ops->put(common);
	kipc_space_put(space);
}

static void kipc_space_end_all(struct list_head *ending)
{
	struct kipc_space *space, *next;

	list_for_each_entry_safe(space, next, ending, ending) {
		list_del(&space->ending);
		kipc_space_end(space);
	}
}

static void kipc_space_unhash_locked(struct kipc_space *space, struct list_head *ending)
{
	lockdep_assert_held(&kipc_spaces_lock);
	hash_del_rcu(&space->node);
	WRITE_ONCE(space->dead, true);
	list_add_tail(&space->ending, ending);
}

/* End the spaces whose namespace only kipc still holds. */
static void kipc_space_reap_work(struct work_struct *work)
{
	struct kipc_space *space;
	struct hlist_node *next;
	bool foreign = false;
	LIST_HEAD(ending);
	int bucket;

	mutex_lock(&kipc_spaces_lock);
	hash_for_each_safe(kipc_spaces, bucket, next, space, node) {
		if (kipc_space_is_initial(space->ns))
			continue;
		if (kipc_ns_references(space->ns) == 1)
			kipc_space_unhash_locked(space, &ending);
		else
			foreign = true;
	}
	mutex_unlock(&kipc_spaces_lock);
	if (foreign)
		schedule_delayed_work(&kipc_space_reap, KIPC_REAP_INTERVAL);
	kipc_space_end_all(&ending);
}

/* An exiting task lets go of its namespaces shortly after the exit hook. */
static void kipc_space_kick_work(struct work_struct *work)
{
	/* Apart from the regular look, which many exits in a row must not postpone. */
	schedule_delayed_work(&kipc_space_reap_early, 1 + HZ / 100);
}

/**
 * kipc_space_for_each() - visit every space there is now
 * @visit: called with a reference on the space and no lock held
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kipc_space_for_each(void (*visit)(struct kipc_space *space))
{
	struct kipc_space **spaces, *space;
	unsigned int i, count = 0;
	int bucket;

	mutex_lock(&kipc_spaces_lock);
	hash_for_each(kipc_spaces, bucket, space, node)
		count++;
	spaces = kvmalloc_array(count, sizeof(*spaces), GFP_KERNEL);
	count = 0;
	if (spaces)
		hash_for_each(kipc_spaces, bucket, space, node)
			spaces[count++] = kipc_space_get(space);
	mutex_unlock(&kipc_spaces_lock);
	if (!spaces)
		return -ENOMEM;

	for (i = 0; i < count; i++) {
		visit(spaces[i]);
		kipc_space_put(spaces[i]);
	}
	kvfree(spaces);
	return 0;
}

/**
 * kipc_space_reap_soon() - look for spaces to end in a moment
 *
 * Context: any, takes no sleeping lock.
 */
void kipc_space_reap_soon(void)
{
	schedule_work(&kipc_space_kick);
}

/**
 * kipc_space_deinit() - end what spaces are left; none has an object
 */
void kipc_space_deinit(void)
{
	struct kipc_space *space;
	struct hlist_node *next;
	LIST_HEAD(ending);
	int bucket;

	cancel_work_sync(&kipc_space_kick);
	cancel_delayed_work_sync(&kipc_space_reap_early);
	cancel_delayed_work_sync(&kipc_space_reap);
	mutex_lock(&kipc_spaces_lock);
	hash_for_each_safe(kipc_spaces, bucket, next, space, node)
		kipc_space_unhash_locked(space, &ending);
	mutex_unlock(&kipc_spaces_lock);
	kipc_space_end_all(&ending);
}

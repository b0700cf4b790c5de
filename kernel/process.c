// SPDX-License-Identifier: GPL-2.0
/*
 * Process records: see process.h.
 */
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "limits.h"
#include "process.h"
#include "shared.h"
#include "space.h"

static DEFINE_HASHTABLE(kipc_processes, 10);
static DEFINE_SPINLOCK(kipc_processes_lock);

/**
 * kipc_process_find_rcu() - the record of a thread group
 * @pid: the thread group
 *
 * Context: RCU, lock-free; or kipc_processes_lock.
 * Return: the record, perhaps dead, or NULL.
 */
struct kipc_process *kipc_process_find_rcu(struct pid *pid)
{
	struct kipc_process *process;

	hash_for_each_possible_rcu(kipc_processes, process, node, (unsigned long)pid,
				   lockdep_is_held(&kipc_processes_lock))
		if (process->pid == pid)
			return process;
	return NULL;
}

static struct kipc_process *kipc_process_new_current(void)
{
	struct kipc_process *process;

	process = kzalloc(sizeof(*process), GFP_KERNEL_ACCOUNT);
	if (!process)
		return ERR_PTR(-ENOMEM);
	process->account = kipc_account_get_current();
	if (!process->account) {
		kfree(process);
		return ERR_PTR(-ENOMEM);
	}
	if (!kipc_account_charge(process->account, KIPC_CHARGE_RECORDS, 1,
				 KIPC_USER_RECORDS)) {
		kipc_account_put(process->account);
		kfree(process);
		return ERR_PTR(-ENOSPC);
	}
	/* A reference exists: the caller's open device. */
	__module_get(THIS_MODULE);
	refcount_set(&process->refs, 1);
	process->pid = get_pid(task_tgid(current));
	spin_lock_init(&process->lock);
	INIT_LIST_HEAD(&process->objects);
	xa_init_flags(&process->undos, XA_FLAGS_ACCOUNT);
	xa_init_flags(&process->views, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	return process;
}

static void kipc_process_free_rcu(struct rcu_head *rcu)
{
	struct kipc_process *process = container_of(rcu, struct kipc_process, rcu);

	put_pid(process->pid);
	kipc_shared_free(process->slots);
	kfree(process);
	/* Module exit waits for this callback to return. */
	module_put(THIS_MODULE);
}

/**
 * kipc_process_put() - give a reference back
 * @process: the record, or NULL
 *
 * Context: any that may take a spinlock.
 */
void kipc_process_put(struct kipc_process *process)
{
	if (!process || !refcount_dec_and_test(&process->refs))
		return;
	kipc_account_uncharge(process->account, KIPC_CHARGE_RECORDS, 1);
	kipc_account_put(process->account);
	call_rcu(&process->rcu, kipc_process_free_rcu);
}

/* Another thread of the caller's may have been faster. */
static struct kipc_process *kipc_process_make_current(void)
{
	struct kipc_process *process, *fresh;

	fresh = kipc_process_new_current();
	if (IS_ERR(fresh))
		return fresh;
	spin_lock(&kipc_processes_lock);
	process = kipc_process_find_rcu(fresh->pid);
	if (!process) {
		process = fresh;
		hash_add_rcu(kipc_processes, &process->node,
			     (unsigned long)process->pid);
	}
	spin_unlock(&kipc_processes_lock);
	if (process != fresh)
		kipc_process_put(fresh);
	return process;
}

/**
 * kipc_process_current() - the caller's record, made if need be
 *
 * It stays until the caller, the last of its threads perhaps, has exited.
 *
 * Context: process; may sleep.
 * Return: the record, -ENOMEM, or -ENOSPC: the user has KIPC_USER_RECORDS of them.
 */
struct kipc_process *kipc_process_current(void)
{
	struct kipc_process *process;

	rcu_read_lock();
	process = kipc_process_find_rcu(task_tgid(current));
	rcu_read_unlock();
	return process ?: kipc_process_make_current();
}

/**
 * kipc_process_get_current() - kipc_process_current(), with a reference
 *
 * Context: process; may sleep.
 * Return: the record or an error as kipc_process_current() has it.
 */
struct kipc_process *kipc_process_get_current(void)
{
	struct kipc_process *process = kipc_process_current();

	if (!IS_ERR(process))
		refcount_inc(&process->refs);
	return process;
}

/**
 * kipc_process_adopt() - make an object's life depend on a process
 * @process: the caller's own record; its reference goes to the object
 * @object: an object of the caller's that is not visible yet
 */
void kipc_process_adopt(struct kipc_process *process, struct kipc_object *object)
{
	object->owner = process;
	spin_lock(&process->lock);
	list_add_tail(&object->owned, &process->objects);
	spin_unlock(&process->lock);
}

/**
 * kipc_process_disown() - take an object off its owner's list
 * @object: the object, with or without an owner; must precede the end of its
 *	    base reference
 */
void kipc_process_disown(struct kipc_object *object)
{
	struct kipc_process *process = object->owner;

	if (!process)
		return;
	spin_lock(&process->lock);
	list_del_init(&object->owned);
	spin_unlock(&process->lock);
}

static struct kipc_object *kipc_process_first_object(struct kipc_process *process)
{
	struct kipc_object *object;

	spin_lock(&process->lock);
	object = list_first_entry_or_null(&process->objects, struct kipc_object, owned);
	if (object)
		kipc_object_get(object);
	spin_unlock(&process->lock);
	return object;
}

/**
 * kipc_process_drain() - end everything that was to end with a process
 * @process: a dead record
 *
 * Context: the worker; may sleep.
 */
void kipc_process_drain(struct kipc_process *process)
{
	struct kipc_object *object;

	while ((object = kipc_process_first_object(process))) {
		kipc_object_end(object);
		kipc_object_put(object);
		cond_resched();
	}
}

/**
 * kipc_process_forget() - take a drained record out of the table
 * @process: the record; the table's reference goes
 */
void kipc_process_forget(struct kipc_process *process)
{
	if (process->token)
		xa_erase(&kipc_process_tokens, process->token);
	spin_lock(&kipc_processes_lock);
	hash_del_rcu(&process->node);
	spin_unlock(&kipc_processes_lock);
	kipc_process_put(process);
}

/**
 * kipc_pid_is_alive() - whether a thread group has a thread that lives
 * @pid: the thread group
 *
 * Context: any; lock-free.
 */
bool kipc_pid_is_alive(struct pid *pid)
{
	struct task_struct *task;
	bool alive;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	alive = task && atomic_read(&task->signal->live);
	rcu_read_unlock();
	return alive;
}

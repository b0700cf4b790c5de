// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX semaphores: see posix_sem.h.
 *
 * Orders, by name:
 *   HOLD     the RMW that sets HELD comes before the value is read: no change is missed
 *   RELEASE  what was done under the lock comes before the store that clears HELD
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "compat.h"
#include "limits.h"
#include "perm.h"
#include "posix_sem.h"
#include "space.h"
#include "watch.h"

/**
 * struct kipc_posix_sem_sleeper - a call in progress
 * @call: the call; first
 * @queue: in kipc_posix_sem.sleepers while it sleeps; kipc_posix_sem.lock
 */
struct kipc_posix_sem_sleeper {
	struct kipc_sleeper call;
	struct list_head queue;
};

/* ---- The word; all under kipc_posix_sem.lock ---- */

/* Take it from user space.  Return: its value. */
static u32 kipc_posix_sem_hold_locked(struct kipc_posix_sem *sem)
{
	lockdep_assert_held(&sem->lock);
	/* HOLD */
	return atomic_fetch_or(KIPC_POSIX_SEM_HELD, (atomic_t *)sem->word) &
	       KIPC_POSIX_SEM_VALUE;
}

/* Give it back, unless somebody sleeps or watches. */
static void kipc_posix_sem_release_locked(struct kipc_posix_sem *sem, u32 value)
{
	if (sem->sleeper_count || !hlist_empty(&sem->object.watches))
		value |= KIPC_POSIX_SEM_HELD;
	/* RELEASE */
	atomic_set_release((atomic_t *)sem->word, value);
}

static void kipc_posix_sem_unlock(struct kipc_posix_sem *sem)
{
	kipc_watch_notify_locked(&sem->object);
	if (unlikely(sem->wakes.first))
		kipc_unlock_and_wake(&sem->lock, &sem->wakes);
	else
		mutex_unlock(&sem->lock);
}

static void kipc_posix_sem_dequeue_locked(struct kipc_posix_sem *sem,
					  struct kipc_posix_sem_sleeper *sleeper)
{
	list_del(&sleeper->queue);
	WRITE_ONCE(sem->sleeper_count, sem->sleeper_count - 1);
}

/* Hand out what there is to those who sleep.  Return: what is left. */
static u32 kipc_posix_sem_settle_locked(struct kipc_posix_sem *sem, u32 value)
{
	struct kipc_posix_sem_sleeper *sleeper;

	for (; value && sem->sleeper_count; value--) {
		sleeper = list_first_entry(&sem->sleepers, struct kipc_posix_sem_sleeper, queue);
		kipc_posix_sem_dequeue_locked(sem, sleeper);
		kipc_finish_locked(&sem->wakes, &sleeper->call, 0);
	}
	return value;
}

/* ---- Operations ---- */

/*
 * How a signal ends a call: it is begun again as sem_wait(3) and sem_timedwait(3) are, the
 * former after a handler, too, if that asks for it.  A time-out is a point of time.
 */
static int kipc_posix_sem_interrupted(const struct kipc_timeout *timeout)
{
	return timeout->expires == KTIME_MAX ? -ERESTARTSYS : -ERESTARTNOHAND;
}

/*
 * A sleeper has been handed its unit.  Who has a signal first is not to be ended with it, be
 * he killed, or his thread cancelled: then it is the next one's.
 */
static int kipc_posix_sem_accept(struct kipc_posix_sem *sem, const struct kipc_timeout *timeout)
{
	if (likely(!signal_pending(current)))
		return 0;
	kipc_posix_sem_add(&sem->object, 1);
	return kipc_posix_sem_interrupted(timeout);
}

/* The lock is held, and given back. */
static int kipc_posix_sem_sleep_unlock(struct kipc_posix_sem *sem,
				       const struct kipc_timeout *timeout)
{
	struct kipc_posix_sem_sleeper sleeper = {
		.call = {
			.task = current, .pid = task_tgid(current), .status = KIPC_SLEEPS,
			.since = jiffies,
		},
	};
	bool is_finished;
	int ret;

	list_add_tail(&sleeper.queue, &sem->sleepers);
	WRITE_ONCE(sem->sleeper_count, sem->sleeper_count + 1);
	kipc_posix_sem_unlock(sem);

	ret = kipc_wait(&sleeper.call, timeout);
	if (likely(!kipc_is_asleep(&sleeper.call)))
		return kipc_posix_sem_accept(sem, timeout);

	mutex_lock(&sem->lock);
	is_finished = sleeper.call.status != KIPC_SLEEPS;
	if (!is_finished) {
		kipc_posix_sem_dequeue_locked(sem, &sleeper);
		kipc_posix_sem_release_locked(sem, kipc_posix_sem_hold_locked(sem));
	}
	kipc_posix_sem_unlock(sem);
	if (is_finished) {
		kipc_wait_told(&sleeper.call);
		return kipc_posix_sem_accept(sem, timeout);
	}
	return ret == -EAGAIN ? -ETIMEDOUT : kipc_posix_sem_interrupted(timeout);
}

/**
 * kipc_posix_sem_take() - sem_wait(), sem_trywait(), sem_timedwait()
 * @object: the semaphore, with a reference
 * @timeout: how long at most; NULL: not at all
 *
 * Context: may sleep.
 * Return: 0; -EAGAIN: not without waiting; -ETIMEDOUT; -EINVAL: no time; -ERESTARTSYS or
 *	   -ERESTARTNOHAND: a signal.
 */
int kipc_posix_sem_take(struct kipc_object *object, const struct kipc_timeout *timeout)
{
	struct kipc_posix_sem *sem = kipc_posix_sem_of(object);
	int ret = 0;
	u32 value;

	mutex_lock(&sem->lock);
	WRITE_ONCE(object->calls, object->calls + 1);
	/* More than nothing while others sleep has come from outside the rules. */
	value = kipc_posix_sem_settle_locked(sem, kipc_posix_sem_hold_locked(sem));
	if (value)
		value--;
	else if (!timeout)
		ret = -EAGAIN;
	else if (!timeout->valid)
		ret = -EINVAL;
	else
		return kipc_posix_sem_sleep_unlock(sem, timeout);
	kipc_posix_sem_release_locked(sem, value);
	kipc_posix_sem_unlock(sem);
	return ret;
}

/**
 * kipc_posix_sem_add() - sem_post()
 * @object: the semaphore, with a reference
 * @count: how often, not 0
 *
 * Context: may sleep.
 * Return: 0 or -EOVERFLOW.
 */
int kipc_posix_sem_add(struct kipc_object *object, unsigned int count)
{
	struct kipc_posix_sem *sem = kipc_posix_sem_of(object);
	int ret = 0;
	u32 value;

	mutex_lock(&sem->lock);
	WRITE_ONCE(object->calls, object->calls + 1);
	value = kipc_posix_sem_hold_locked(sem);
	if (count > KIPC_POSIX_SEM_VALUE - value)
		ret = -EOVERFLOW;
	else
		value = kipc_posix_sem_settle_locked(sem, value + count);
	kipc_posix_sem_release_locked(sem, value);
	kipc_posix_sem_unlock(sem);
	return ret;
}

/* ---- Watching ---- */

static void kipc_posix_sem_object_lock(struct kipc_object *object, const struct kipc_watch *watch)
{
	mutex_lock(&kipc_posix_sem_of(object)->lock);
}

static void kipc_posix_sem_object_unlock(struct kipc_object *object)
{
	kipc_posix_sem_unlock(kipc_posix_sem_of(object));
}

static __poll_t kipc_posix_sem_see_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	u32 value = READ_ONCE(*kipc_posix_sem_of(object)->word) & KIPC_POSIX_SEM_VALUE;
	__poll_t now = 0;

	if (value)
		now |= EPOLLIN | EPOLLRDNORM;
	if (value < KIPC_POSIX_SEM_VALUE)
		now |= EPOLLOUT | EPOLLWRNORM;
	return now;
}

/* The word is the kernel's while somebody watches. */
static void kipc_posix_sem_armed_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	kipc_posix_sem_hold_locked(kipc_posix_sem_of(object));
}

static void kipc_posix_sem_disarmed_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	struct kipc_posix_sem *sem = kipc_posix_sem_of(object);

	kipc_posix_sem_release_locked(sem, kipc_posix_sem_hold_locked(sem));
}

/* ---- Mappings ---- */

static void kipc_posix_sem_vm_open(struct vm_area_struct *vma)
{
	struct kipc_object *object = vma->vm_private_data;

	kipc_object_get(object);
	spin_lock(&object->lock);
	WRITE_ONCE(object->nattch, object->nattch + 1);
	spin_unlock(&object->lock);
}

static void kipc_posix_sem_vm_close(struct vm_area_struct *vma)
{
	struct kipc_object *object = vma->vm_private_data;

	spin_lock(&object->lock);
	WRITE_ONCE(object->nattch, object->nattch - 1);
	spin_unlock(&object->lock);
	kipc_object_put(object);
}

static vm_fault_t kipc_posix_sem_vm_fault(struct vm_fault *vmf)
{
	struct page *page = virt_to_page(kipc_posix_sem_of(vmf->vma->vm_private_data)->word);

	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct kipc_posix_sem_vm_ops = {
	.open	= kipc_posix_sem_vm_open,
	.close	= kipc_posix_sem_vm_close,
	.fault	= kipc_posix_sem_vm_fault,
};

/**
 * kipc_posix_sem_map() - mmap of a handle
 * @object: the semaphore
 * @rights: of the handle
 * @vma: the mapping
 *
 * Children inherit it, as they do what sem_open() returned.
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0; -EINVAL: not one page, or private; -EACCES.
 */
int kipc_posix_sem_map(struct kipc_object *object, unsigned int rights,
		       struct vm_area_struct *vma)
{
	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != PAGE_SIZE ||
	    !(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (!(rights & S_IRUGO) || (vma->vm_flags & VM_WRITE && !(rights & S_IWUGO)))
		return -EACCES;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vm_flags_clear(vma, VM_MAYEXEC);
	if (!(vma->vm_flags & VM_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);
	vma->vm_private_data = object;
	vma->vm_ops = &kipc_posix_sem_vm_ops;
	kipc_posix_sem_vm_open(vma);
	return 0;
}

/* The semaphore that the caller has mapped, to operate on it, at an address; a reference. */
static struct kipc_object *kipc_posix_sem_at(u64 addr)
{
	struct kipc_object *object = ERR_PTR(-EINVAL);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (!mm || addr != (unsigned long)addr)
		return object;
	if (mmap_read_lock_killable(mm))
		return ERR_PTR(-EINTR);
	vma = vma_lookup(mm, addr);
	if (vma && vma->vm_ops == &kipc_posix_sem_vm_ops && vma->vm_flags & VM_MAYWRITE &&
	    addr == vma->vm_start) {
		object = vma->vm_private_data;
		kipc_object_get(object);
	}
	mmap_read_unlock(mm);
	return object;
}

/**
 * kipc_posix_sem_op() - an operation on a semaphore that the caller has mapped
 * @addr: where
 * @op: KIPC_POSIX_SEM_POST, _WAIT or _TRYWAIT
 * @timeout: how long to wait at most: until a point of time
 *
 * Context: process; may sleep.
 * Return: as the operation; -EINVAL: no semaphore there, or no such operation; -EINTR.
 */
int kipc_posix_sem_op(u64 addr, unsigned int op, const struct kipc_timeout *timeout)
{
	struct kipc_object *object = kipc_posix_sem_at(addr);
	int ret;

	if (IS_ERR(object))
		return PTR_ERR(object);
	switch (op) {
	case KIPC_POSIX_SEM_POST:
		ret = kipc_posix_sem_add(object, 1);
		break;
	case KIPC_POSIX_SEM_WAIT:
		ret = kipc_posix_sem_take(object, timeout);
		break;
	case KIPC_POSIX_SEM_TRYWAIT:
		ret = kipc_posix_sem_take(object, NULL);
		break;
	default:
		ret = -EINVAL;
	}
	kipc_object_put(object);
	return ret;
}

/* ---- Life ---- */

static void kipc_posix_sem_free_rcu(struct rcu_head *rcu)
{
	kfree(kipc_posix_sem_of(container_of(rcu, struct kipc_object, rcu)));
	/* Module exit waits for this callback to return. */
	module_put(THIS_MODULE);
}

static void kipc_posix_sem_free(struct kipc_object *object)
{
	struct kipc_posix_sem *sem = kipc_posix_sem_of(object);

	WARN_ON_ONCE(sem->sleeper_count || object->nattch || !hlist_empty(&object->watches));
	kipc_account_uncharge(sem->name.account, KIPC_CHARGE_PAGES, 1);
	free_page((unsigned long)sem->word);
	kipc_name_deinit(&sem->name);
	kipc_space_put(object->space);
	call_rcu(&object->rcu, kipc_posix_sem_free_rcu);
}

static bool kipc_posix_sem_end_locked(struct kipc_object *object)
{
	return kipc_name_end_locked(&kipc_posix_sem_of(object)->name);
}

static unsigned long kipc_posix_sem_users(struct kipc_object *object)
{
	return object->nattch + object->handles;
}

static const struct kipc_object_ops kipc_posix_sem_ops = {
	.end_locked	= kipc_posix_sem_end_locked,
	.free		= kipc_posix_sem_free,
	.users		= kipc_posix_sem_users,
	.lock		= kipc_posix_sem_object_lock,
	.unlock		= kipc_posix_sem_object_unlock,
	.outlives	= true,
	.see_locked	= kipc_posix_sem_see_locked,
	.armed_locked	= kipc_posix_sem_armed_locked,
	.disarmed_locked = kipc_posix_sem_disarmed_locked,
};

static struct kipc_object *kipc_posix_sem_new(struct kipc_space *space,
					      const struct kipc_open *open)
{
	struct kipc_posix_sem *sem;
	int ret;

	if (open->size > KIPC_POSIX_SEM_VALUE)
		return ERR_PTR(-EINVAL);
	sem = kzalloc(sizeof(*sem), GFP_KERNEL_ACCOUNT);
	if (!sem)
		return ERR_PTR(-ENOMEM);
	ret = kipc_name_init(&sem->name, &sem->object, open->text);
	if (ret)
		goto free_sem;
	if (!kipc_account_charge(sem->name.account, KIPC_CHARGE_PAGES, 1,
				 capable(CAP_SYS_RESOURCE) ? LONG_MAX : KIPC_USER_PAGES)) {
		ret = -ENOSPC;
		goto deinit_name;
	}
	/* A user at the bounds of his memory is to get ENOMEM, not to fill the kernel's log. */
	sem->word = (u32 *)get_zeroed_page(GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!sem->word) {
		ret = -ENOMEM;
		goto uncharge;
	}
	*sem->word = open->size;
	mutex_init(&sem->lock);
	INIT_LIST_HEAD(&sem->sleepers);
	kipc_wakes_init(&sem->wakes);
	/* A reference exists: the caller's open device. */
	__module_get(THIS_MODULE);
	kipc_object_init(&sem->object, KIPC_KIND_POSIX_SEM, &kipc_posix_sem_ops,
			 kipc_space_get(space), IPC_PRIVATE, open->mode);
	sem->object.uid = current_fsuid();
	sem->object.gid = current_fsgid();
	return &sem->object;

uncharge:
	kipc_account_uncharge(sem->name.account, KIPC_CHARGE_PAGES, 1);
deinit_name:
	kipc_name_deinit(&sem->name);
free_sem:
	kfree(sem);
	return ERR_PTR(ret);
}

/* ---- Names ---- */

static struct kipc_name *kipc_posix_sem_name(struct kipc_object *object)
{
	return &kipc_posix_sem_of(object)->name;
}

const struct kipc_named_kind kipc_posix_sem_kind = {
	.kind		= KIPC_KIND_POSIX_SEM,
	.new		= kipc_posix_sem_new,
	.name_of	= kipc_posix_sem_name,
	.may_unlink	= kipc_may_unlink,
	.enter		= kipc_name_enter,
};

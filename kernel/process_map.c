// SPDX-License-Identifier: GPL-2.0
/*
 * What a process maps of its record, and the clock: see process.h.
 *
 * The slots tell what the process' threads are in the middle of.  They are hostile
 * input: a slot is read once, and names nothing but an entry of the kernel's own list.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include <linux/kipc.h>

#include "process.h"
#include "shared.h"

static_assert(KIPC_PROCESS_SLOTS * sizeof(struct kipc_process_slot) == PAGE_SIZE);

DEFINE_XARRAY_ALLOC1(kipc_process_tokens);

/* ---- The clock ---- */

static struct kipc_clock *kipc_clock;
static atomic_t kipc_clock_users = ATOMIC_INIT(0);
static void kipc_clock_tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(kipc_clock_work, kipc_clock_tick);

/* At the turn of each second, as long as somebody may look. */
static void kipc_clock_tick(struct work_struct *work)
{
	struct timespec64 now;

	ktime_get_real_ts64(&now);
	WRITE_ONCE(kipc_clock->seconds, now.tv_sec);
	if (atomic_read(&kipc_clock_users))
		schedule_delayed_work(&kipc_clock_work,
				      nsecs_to_jiffies(NSEC_PER_SEC - now.tv_nsec) + 1);
}

static vm_fault_t kipc_clock_fault(struct vm_fault *vmf)
{
	return kipc_shared_insert(vmf, kipc_clock, 0);
}

static void kipc_clock_open(struct vm_area_struct *vma)
{
	atomic_inc(&kipc_clock_users);
}

static void kipc_clock_close(struct vm_area_struct *vma)
{
	atomic_dec(&kipc_clock_users);
}

static const struct vm_operations_struct kipc_clock_vm_ops = {
	.open	= kipc_clock_open,
	.close	= kipc_clock_close,
	.fault	= kipc_clock_fault,
};

/**
 * kipc_clock_map() - mmap of the device: map the clock
 * @vma: the mapping
 *
 * Return: 0 or -EINVAL: not one page, or not read-only.
 */
int kipc_clock_map(struct vm_area_struct *vma)
{
	if (vma->vm_end - vma->vm_start != PAGE_SIZE || !(vma->vm_flags & VM_MAYSHARE) ||
	    vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EINVAL;
	kipc_shared_prepare(vma, 0);
	vma->vm_ops = &kipc_clock_vm_ops;
	atomic_inc(&kipc_clock_users);
	mod_delayed_work(system_wq, &kipc_clock_work, 0);
	/* Before the caller looks at it. */
	WRITE_ONCE(kipc_clock->seconds, ktime_get_real_seconds());
	return 0;
}

/* ---- The slots ---- */

static vm_fault_t kipc_process_fault(struct vm_fault *vmf)
{
	struct kipc_process *process = vmf->vma->vm_private_data;

	return kipc_shared_insert(vmf, process->slots, 0);
}

static void kipc_process_open(struct vm_area_struct *vma)
{
	struct kipc_process *process = vma->vm_private_data;

	refcount_inc(&process->refs);
	atomic_inc(&process->maps);
}

static void kipc_process_close(struct vm_area_struct *vma)
{
	struct kipc_process *process = vma->vm_private_data;

	if (atomic_dec_and_test(&process->maps)) {
		spin_lock(&process->lock);
		/* Not if execve has been since, and what closes is the old memory's. */
		if (process->mm == vma->vm_mm)
			process->mm = NULL;
		spin_unlock(&process->lock);
	}
	kipc_process_put(process);
}

static const struct vm_operations_struct kipc_process_vm_ops = {
	.open	= kipc_process_open,
	.close	= kipc_process_close,
	.fault	= kipc_process_fault,
};

/**
 * kipc_process_enable() - give the caller's record what a mapping of it shows
 * @process: the caller's record
 *
 * Context: process; may sleep.
 * Return: 0 or -ENOMEM.
 */
int kipc_process_enable(struct kipc_process *process)
{
	static u32 next;
	void *slots;
	u32 token;

	if (kipc_process_is_enabled(process))
		return 0;
	slots = kipc_shared_alloc(PAGE_SIZE);
	if (!slots)
		return -ENOMEM;
	if (xa_alloc_cyclic(&kipc_process_tokens, &token, process, XA_LIMIT(1, U32_MAX), &next,
			    GFP_KERNEL_ACCOUNT) < 0) {
		kipc_shared_free(slots);
		return -ENOMEM;
	}
	spin_lock(&process->lock);
	/* Another thread may have been faster. */
	if (!process->token) {
		process->slots = slots;
		/* Pairs with kipc_process_is_enabled(). */
		smp_store_release(&process->token, token);
		slots = NULL;
	}
	spin_unlock(&process->lock);
	if (slots) {
		xa_erase(&kipc_process_tokens, token);
		kipc_shared_free(slots);
	}
	return 0;
}

/**
 * kipc_process_renew() - the caller has a new memory: its slots are free
 * @process: the caller's record, nothing of which is mapped in another memory
 */
void kipc_process_renew(struct kipc_process *process)
{
	spin_lock(&process->lock);
	if (process->mm != current->mm) {
		memset(process->slots, 0, PAGE_SIZE);
		process->mm = current->mm;
	}
	spin_unlock(&process->lock);
}

/**
 * kipc_process_map() - mmap of the device: map the caller's record
 * @vma: the mapping
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0, -ENOMEM, -ENOSPC, or -EINVAL: not one page, or its record is not enabled.
 */
int kipc_process_map(struct vm_area_struct *vma)
{
	struct kipc_process *process = kipc_process_current();

	if (IS_ERR(process))
		return PTR_ERR(process);
	if (vma->vm_end - vma->vm_start != PAGE_SIZE || !(vma->vm_flags & VM_MAYSHARE) ||
	    vma->vm_flags & VM_EXEC || !kipc_process_is_enabled(process))
		return -EINVAL;
	kipc_shared_prepare(vma, 1);
	vma->vm_ops = &kipc_process_vm_ops;
	vma->vm_private_data = process;
	kipc_process_open(vma);
	return 0;
}

/* ---- Init ---- */

/**
 * kipc_process_init() - the level's part of module init
 *
 * Return: 0 or -ENOMEM.
 */
int kipc_process_init(void)
{
	kipc_clock = kipc_shared_alloc(PAGE_SIZE);
	return kipc_clock ? 0 : -ENOMEM;
}

/**
 * kipc_process_deinit() - no record is left, and no mapping
 */
void kipc_process_deinit(void)
{
	cancel_delayed_work_sync(&kipc_clock_work);
	kipc_shared_free(kipc_clock);
	xa_destroy(&kipc_process_tokens);
}

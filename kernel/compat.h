/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that kipc runs on, but for io_uring's, which are in
 * compat_uring.h.  Each entry offers the newest kernel's interface to the rest of the
 * module and dies with the last kernel that lacks it; no other file tests a version.
 *
 * Level 0.
 */
#ifndef KIPC_COMPAT_H
#define KIPC_COMPAT_H

#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/ipc_namespace.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>
#include <linux/version.h>

/* Until 6.2: flags of a mapping were written directly. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}

static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/* Until 6.2: how a mount shows ids was told by a user namespace. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline struct user_namespace *file_mnt_idmap(struct file *file)
{
	return file_mnt_user_ns(file);
}
#endif

/* Until 6.7: an eventfd was told by how much to count up. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
static inline void kipc_eventfd_signal(struct eventfd_ctx *event)
{
	eventfd_signal(event, 1);
}
#else
static inline void kipc_eventfd_signal(struct eventfd_ctx *event)
{
	eventfd_signal(event);
}
#endif

/* Until 6.17: the count of a namespace was a field without an accessor. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
static inline unsigned int kipc_ns_references(struct ipc_namespace *ns)
{
	return refcount_read(&ns->ns.count);
}
#else
static inline unsigned int kipc_ns_references(struct ipc_namespace *ns)
{
	return __ns_ref_read(ns);
}
#endif

/* Until 6.4: what read_iter offers was spliced by a function of another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define kipc_splice_read	generic_file_splice_read
#else
#define kipc_splice_read	copy_splice_read
#endif

/* From 6.16 on the exit tracepoint says itself whether the group is dead. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define KIPC_EXIT_PROBE(name) \
	void name(void *data, struct task_struct *task)
#else
#define KIPC_EXIT_PROBE(name) \
	void name(void *data, struct task_struct *task, bool group_dead)
#endif

/* Until 6.12: a timer was made in two steps. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif /* KIPC_COMPAT_H */

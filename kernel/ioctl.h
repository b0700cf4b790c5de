/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls: copy in, act, copy out.
 *
 * Level 6.  Locks: none.
 */
#ifndef KIPC_IOCTL_H
#define KIPC_IOCTL_H

#include <linux/types.h>
#include <linux/uaccess.h>

struct file;

long kipc_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long kipc_handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int kipc_call(struct file *file, loff_t first, loff_t second, int call);
int kipc_handle_call(struct file *file, loff_t first, loff_t second, int call);

/**
 * kipc_copy_in() - a caller's structure
 * @to: filled in
 * @size: ours, which is theirs in nearly every call
 * @from: user address
 * @user_size: theirs: what is longer must end in zeros
 *
 * Return: 0, -EFAULT, -E2BIG, or -EINVAL: shorter than it ever was.
 */
static __always_inline int kipc_copy_in(void *to, size_t size, const void __user *from,
					size_t user_size)
{
	if (likely(user_size == size))
		return copy_from_user(to, from, size) ? -EFAULT : 0;
	if (user_size < size)
		return -EINVAL;
	return copy_struct_from_user(to, size, from, user_size);
}

#endif /* KIPC_IOCTL_H */

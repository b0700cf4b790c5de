/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls: copy in, act, copy out.
 *
 * Level 6.  Locks: none.
 */
#ifndef KIPC_IOCTL_H
#define KIPC_IOCTL_H

#include <linux/types.h>

struct file;

long kipc_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long kipc_handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int kipc_call(struct file *file, loff_t first, loff_t second, int call);

#endif /* KIPC_IOCTL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls: copy in, act, copy out.
 *
 * Level 6.  Locks: none.
 */
#ifndef KIPC_IOCTL_H
#define KIPC_IOCTL_H

struct file;

long kipc_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* KIPC_IOCTL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that one file of ioctl*.c has and another comes to.
 *
 * Each takes the caller's structure, @size bytes at @arg, and returns what the structure's
 * comment in include/uapi/linux/kipc.h says.  With a @grant it is a call on that handle.  All
 * may sleep.
 *
 * Level 6.  Locks: none.
 */
#ifndef KIPC_IOCTL_CALLS_H
#define KIPC_IOCTL_CALLS_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "space.h"

struct kipc_grant;

/* ioctl.c: on the device and on handles */
int kipc_ioctl_shm_ctl(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size);
int kipc_ioctl_shm_export(struct kipc_space *space, const struct kipc_grant *grant,
			  void __user *arg, size_t size);
int kipc_ioctl_sem_op(struct kipc_space *space, const struct kipc_grant *grant,
		      void __user *arg, size_t size);
int kipc_ioctl_sem_ctl(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size);
long kipc_ioctl_msg_op(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size, bool sends);
int kipc_ioctl_msg_ctl(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size);
long kipc_ioctl_wait_any(void __user *arg, size_t size);

/* ioctl_handle.c */
int kipc_ioctl_handle_open(struct kipc_space *space, void __user *arg, size_t size);
int kipc_ioctl_handle_create(struct kipc_space *space, void __user *arg, size_t size);

/* ioctl_name.c */
int kipc_ioctl_name_open(struct kipc_space *space, void __user *arg, size_t size);
int kipc_ioctl_name_unlink(struct kipc_space *space, void __user *arg, size_t size);
int kipc_ioctl_name_adopt(struct kipc_space *space, void __user *arg, size_t size);
int kipc_ioctl_posix_sem_op(void __user *arg, size_t size);

/* A set of more than SEMMSL is not even looked for. */
static inline bool kipc_may_ask_for(struct kipc_space *space, int nsems)
{
	return nsems >= 0 && nsems <= READ_ONCE(space->sem_limits.msl);
}

#endif /* KIPC_IOCTL_CALLS_H */

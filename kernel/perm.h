/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may do what: owner, mode and capabilities, as ipc/ checks them.
 *
 * Level 2 (it looks at the space's user namespace).  Locks: none of its own.
 */
#ifndef KIPC_PERM_H
#define KIPC_PERM_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct ipc64_perm;
struct kipc_object;
struct kipc_space;

bool kipc_may_access(struct kipc_object *object, unsigned int mode);
bool kipc_may_control(struct kipc_object *object);
bool kipc_is_owner(struct kipc_object *object);
void kipc_perm_show_locked(struct kipc_object *object, struct ipc64_perm *perm);
int kipc_perm_set_locked(struct kipc_object *object, const struct ipc64_perm *perm);
int kipc_perm_copy_in(struct ipc64_perm *perm, const void __user *buf, size_t size);
bool kipc_may_set_limits(struct kipc_space *space);
bool kipc_may_set_ids(struct kipc_space *space);

#endif /* KIPC_PERM_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may do what: owner, mode and capabilities, as ipc/ checks them.
 *
 * Level 2 (it looks at the space's user namespace).  Locks: none of its own.
 */
#ifndef KIPC_PERM_H
#define KIPC_PERM_H

#include <linux/cred.h>
#include <linux/stat.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "object.h"

struct ipc64_perm;
struct kipc_space;

bool kipc_may_access_otherwise(struct kipc_object *object, unsigned int mode);
bool kipc_may_control(struct kipc_object *object);
int kipc_may_open(struct kipc_object *object, unsigned int flags);
bool kipc_may_unlink(struct kipc_object *object);
bool kipc_is_owner(struct kipc_object *object);
void kipc_perm_show_locked(struct kipc_object *object, struct ipc64_perm *perm);
int kipc_perm_set_locked(struct kipc_object *object, const struct ipc64_perm *perm);
int kipc_perm_copy_in(struct ipc64_perm *perm, const void __user *buf, size_t size);
bool kipc_may_set_limits(struct kipc_space *space);
bool kipc_may_set_ids(struct kipc_space *space);

/**
 * kipc_may_access() - whether the caller has the rights it asks for
 * @object: the object; its lock is held, or a stale answer does no harm
 * @mode: rights asked for, in any of the three triplets of a mode word
 */
static __always_inline bool kipc_may_access(struct kipc_object *object, unsigned int mode)
{
	unsigned int asked = (mode | mode << 3 | mode << 6) & S_IRWXU;

	/* As a rule it is the owner, who has them. */
	return likely(__kuid_val(current_euid()) == READ_ONCE(object->uid.val) &&
		      !(asked & ~READ_ONCE(object->mode))) ||
	       kipc_may_access_otherwise(object, mode);
}

/**
 * kipc_may() - whether a call has the rights it needs
 * @object: as kipc_may_access() has it
 * @mode: S_IRUGO, S_IWUGO
 * @grant: rights that were granted before, or NULL: it is the caller's that count
 */
static __always_inline bool kipc_may(struct kipc_object *object, unsigned int mode,
				     const struct kipc_grant *grant)
{
	if (likely(!grant))
		return kipc_may_access(object, mode);
	return !(mode & ~grant->rights);
}

#endif /* KIPC_PERM_H */

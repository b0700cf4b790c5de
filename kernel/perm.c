// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: see perm.h.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/user_namespace.h>

#include "object.h"
#include "perm.h"
#include "space.h"

/**
 * kipc_is_owner() - whether the caller owns or created the object
 * @object: the object; its lock is held, or a stale answer does no harm
 */
bool kipc_is_owner(struct kipc_object *object)
{
	uid_t euid = __kuid_val(current_euid());

	return euid == READ_ONCE(object->uid.val) || euid == object->cuid.val;
}

/**
 * kipc_may_access() - whether the caller has the rights it asks for
 * @object: the object; its lock is held, or a stale answer does no harm
 * @mode: rights asked for, in any of the three triplets of a mode word
 *
 * Owner and creator have the owner's rights and no others, then either's group,
 * then everybody; CAP_IPC_OWNER over the namespace has all.
 */
bool kipc_may_access(struct kipc_object *object, unsigned int mode)
{
	unsigned int asked = (mode >> 6 | mode >> 3 | mode) & 07;
	unsigned int granted = READ_ONCE(object->mode);

	if (kipc_is_owner(object))
		granted >>= 6;
	else if (in_group_p(object->cgid) || in_group_p(KGIDT_INIT(READ_ONCE(object->gid.val))))
		granted >>= 3;

	return !(asked & ~granted) ||
	       ns_capable(object->space->user_ns, CAP_IPC_OWNER);
}

/**
 * kipc_may_control() - whether the caller may change or remove the object
 * @object: the object; its lock is held
 */
bool kipc_may_control(struct kipc_object *object)
{
	return kipc_is_owner(object) ||
	       ns_capable(object->space->user_ns, CAP_SYS_ADMIN);
}

/**
 * kipc_may_set_limits() - whether the caller is the superuser of the namespace
 * @space: the namespace
 */
bool kipc_may_set_limits(struct kipc_space *space)
{
	kuid_t root = make_kuid(space->user_ns, 0);

	return uid_eq(current_euid(), GLOBAL_ROOT_UID) ||
	       (uid_valid(root) && uid_eq(current_euid(), root));
}

/**
 * kipc_may_set_ids() - whether the caller may choose the next id
 * @space: the namespace
 */
bool kipc_may_set_ids(struct kipc_space *space)
{
	return checkpoint_restore_ns_capable(space->user_ns);
}

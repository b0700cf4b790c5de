// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: see perm.h.
 */
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

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
 * kipc_may_access_otherwise() - the same as kipc_may_access(), of whoever it is
 * @object: the object; its lock is held, or a stale answer does no harm
 * @mode: rights asked for, in any of the three triplets of a mode word
 *
 * Owner and creator have the owner's rights and no others, then either's group,
 * then everybody; CAP_IPC_OWNER over the namespace has all.
 */
bool kipc_may_access_otherwise(struct kipc_object *object, unsigned int mode)
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

/* Whether the caller has a capability over files of the object's owner and group. */
static bool kipc_has_capability(struct kipc_object *object, int capability)
{
	struct user_namespace *user_ns = current_user_ns();

	return kuid_has_mapping(user_ns, object->uid) && kgid_has_mapping(user_ns, object->gid) &&
	       ns_capable(user_ns, capability);
}

/**
 * kipc_may_open() - whether the caller may open the object, as a file of that owner and mode
 * @object: the object; its lock is held
 * @flags: O_RDONLY, O_WRONLY or O_RDWR
 *
 * Return: 0 or -EACCES.
 */
int kipc_may_open(struct kipc_object *object, unsigned int flags)
{
	unsigned int asked = ACC_MODE(flags) & 06, granted = object->mode;

	lockdep_assert_held(&object->lock);
	if (uid_eq(current_fsuid(), object->uid))
		granted >>= 6;
	else if (in_group_p(object->gid))
		granted >>= 3;
	if (!(asked & ~granted))
		return 0;
	if (asked == S_IROTH && kipc_has_capability(object, CAP_DAC_READ_SEARCH))
		return 0;
	return kipc_has_capability(object, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

/**
 * kipc_may_unlink() - whether the caller may take the object's name away, as a file's in a
 *		       directory where all may do so with their own
 * @object: the object; its lock is held
 */
bool kipc_may_unlink(struct kipc_object *object)
{
	lockdep_assert_held(&object->lock);
	return uid_eq(current_fsuid(), object->uid) || kipc_has_capability(object, CAP_FOWNER);
}

/**
 * kipc_perm_show_locked() - what IPC_STAT shows of the header
 * @object: the object; its lock is held
 * @perm: filled in, zeroed before
 */
void kipc_perm_show_locked(struct kipc_object *object, struct ipc64_perm *perm)
{
	struct user_namespace *user_ns = current_user_ns();

	lockdep_assert_held(&object->lock);
	perm->key = object->key;
	perm->uid = from_kuid_munged(user_ns, object->uid);
	perm->gid = from_kgid_munged(user_ns, object->gid);
	perm->cuid = from_kuid_munged(user_ns, object->cuid);
	perm->cgid = from_kgid_munged(user_ns, object->cgid);
	perm->mode = object->mode;
	perm->seq = object->seq;
}

/**
 * kipc_perm_set_locked() - what IPC_SET changes in the header; the caller may
 * @object: the object; its lock is held
 * @perm: owner, group and mode
 *
 * Return: 0, or -EINVAL: no such user or group in the caller's namespace.
 */
int kipc_perm_set_locked(struct kipc_object *object, const struct ipc64_perm *perm)
{
	kuid_t uid = make_kuid(current_user_ns(), perm->uid);
	kgid_t gid = make_kgid(current_user_ns(), perm->gid);

	lockdep_assert_held(&object->lock);
	if (!uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	/* The *get calls look without the lock. */
	WRITE_ONCE(object->uid.val, __kuid_val(uid));
	WRITE_ONCE(object->gid.val, __kgid_val(gid));
	WRITE_ONCE(object->mode, (object->mode & ~S_IRWXUGO) | (perm->mode & S_IRWXUGO));
	object->ctime = ktime_get_real_seconds();
	return 0;
}

/**
 * kipc_perm_copy_in() - the part of an IPC_SET structure that counts
 * @perm: filled in
 * @buf: the caller's structure, in its own layout: the permissions come first
 * @size: of the native structure, all of which must be readable, as native has it
 *
 * Return: 0 or -EFAULT.
 */
int kipc_perm_copy_in(struct ipc64_perm *perm, const void __user *buf, size_t size)
{
	union {
		struct ipc64_perm perm;
		u8 bytes[128];
	} in;

#ifdef CONFIG_COMPAT
	if (in_compat_syscall()) {
		struct compat_ipc64_perm compat;

		if (copy_from_user(&compat, buf, sizeof(compat)))
			return -EFAULT;
		perm->uid = compat.uid;
		perm->gid = compat.gid;
		perm->mode = compat.mode;
		return 0;
	}
#endif
	if (WARN_ON_ONCE(size > sizeof(in)) || copy_from_user(&in, buf, size))
		return -EFAULT;
	*perm = in.perm;
	return 0;
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

// SPDX-License-Identifier: GPL-2.0
/*
 * The calls: see ioctl.h; include/uapi/linux/kipc.h says what each one does.
 */
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <linux/kipc.h>

#include "death.h"
#include "ioctl.h"
#include "limit.h"
#include "shm.h"
#include "space.h"

/*
 * A caller's structure: of our size in nearly every call; a shorter one is
 * below the first version's size (EINVAL), a longer one must end in zeros.
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

static int kipc_ioctl_query(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_query query;
	int ret;

	ret = kipc_copy_in(&query, sizeof(query), arg, size);
	if (ret)
		return ret;
	if (query.pad)
		return -EINVAL;

	memset(&query, 0, sizeof(query));
	query.abi = KIPC_ABI_VERSION;
	query.features = KIPC_FEATURE_SHM | KIPC_FEATURE_LIFETIME_CREATOR;
	if (IS_ENABLED(CONFIG_HUGETLBFS))
		query.features |= KIPC_FEATURE_SHM_HUGETLB;
	strscpy(query.release, THIS_MODULE->version ?: "", sizeof(query.release));
	return copy_to_user(arg, &query, sizeof(query)) ? -EFAULT : 0;
}

static int kipc_ioctl_limit(struct kipc_space *space, void __user *arg, size_t size)
{
	const struct kipc_limit_type *type;
	struct kipc_limit limit;
	int ret;

	ret = kipc_copy_in(&limit, sizeof(limit), arg, size);
	if (ret)
		return ret;
	if (limit.limit >= kipc_limit_count || limit.flags & ~KIPC_LIMIT_SET)
		return -EINVAL;
	type = &kipc_limit_types[array_index_nospec(limit.limit, kipc_limit_count)];

	if (limit.flags & KIPC_LIMIT_SET) {
		if (!kipc_limit_may_set(space, type))
			return -EPERM;
		ret = kipc_limit_set(space, type, limit.value);
		if (ret)
			return ret;
	}
	limit.value = kipc_limit_get(space, type);
	return copy_to_user(arg, &limit, sizeof(limit)) ? -EFAULT : 0;
}

static int kipc_do_shm_get(struct kipc_space *space, key_t key, size_t size,
			   unsigned int flags, unsigned int lifetime)
{
	int ret;

	ret = kipc_shm_get(space, key, size, flags, lifetime);
	/* The dead may still hold what was lacking. */
	if (unlikely(ret == -ENOSPC) && (kipc_death_settle() | kipc_shm_settle(space)))
		ret = kipc_shm_get(space, key, size, flags, lifetime);
	return ret;
}

static int kipc_ioctl_shm_get(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_shm_get get;
	int ret;

	ret = kipc_copy_in(&get, sizeof(get), arg, size);
	if (ret)
		return ret;
	if (get.pad || get.lifetime > KIPC_LIFETIME_CREATOR)
		return -EINVAL;
	if (get.size > SIZE_MAX)
		return -EINVAL;
	return kipc_do_shm_get(space, get.key, get.size, get.flags, get.lifetime);
}

static int kipc_ioctl_shm_attach(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_shm_attach attach;
	long addr;
	int ret;

	ret = kipc_copy_in(&attach, sizeof(attach), arg, size);
	if (ret)
		return ret;
	if (attach.addr > ULONG_MAX)
		return -EINVAL;

	addr = kipc_shm_attach(space, attach.id, attach.addr, attach.flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	attach.addr = addr;
	if (copy_to_user(arg, &attach, sizeof(attach))) {
		kipc_shm_detach(addr);
		return -EFAULT;
	}
	return 0;
}

static int kipc_ioctl_shm_detach(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_shm_detach detach;
	int ret;

	ret = kipc_copy_in(&detach, sizeof(detach), arg, size);
	if (ret)
		return ret;
	if (detach.addr > ULONG_MAX)
		return -EINVAL;
	return kipc_shm_detach(detach.addr);
}

static int kipc_ioctl_shm_ctl(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_shm_ctl ctl;
	int ret;

	ret = kipc_copy_in(&ctl, sizeof(ctl), arg, size);
	if (ret)
		return ret;
	if (ctl.cmd == SHM_INFO || ctl.cmd == IPC_INFO) {
		kipc_death_settle();
		kipc_shm_settle(space);
	}
	return kipc_shm_ctl(space, ctl.id, ctl.cmd, u64_to_user_ptr(ctl.buf));
}

/**
 * kipc_ioctl() - one call
 * @file: the device; carries nothing
 * @cmd: KIPC_IOC_*, with the size of the caller's structure
 * @arg: user address of the structure
 *
 * Return: the call's result, or -ENOTTY: no such call.
 */
long kipc_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kipc_space *space = kipc_space_current();
	void __user *user = (void __user *)arg;
	size_t size = _IOC_SIZE(cmd);

	if (IS_ERR(space))
		return PTR_ERR(space);

	switch (cmd & ~IOCSIZE_MASK) {
	case KIPC_IOC_SHM_GET & ~IOCSIZE_MASK:
		return kipc_ioctl_shm_get(space, user, size);
	case KIPC_IOC_SHM_ATTACH & ~IOCSIZE_MASK:
		return kipc_ioctl_shm_attach(space, user, size);
	case KIPC_IOC_SHM_DETACH & ~IOCSIZE_MASK:
		return kipc_ioctl_shm_detach(space, user, size);
	case KIPC_IOC_SHM_CTL & ~IOCSIZE_MASK:
		return kipc_ioctl_shm_ctl(space, user, size);
	case KIPC_IOC_QUERY & ~IOCSIZE_MASK:
		return kipc_ioctl_query(space, user, size);
	case KIPC_IOC_LIMIT & ~IOCSIZE_MASK:
		return kipc_ioctl_limit(space, user, size);
	default:
		return -ENOTTY;
	}
}

/**
 * kipc_call() - one call whose arguments came in registers
 * @file: the device; carries nothing
 * @first: first argument
 * @second: second argument
 * @call: KIPC_CALL_*
 *
 * Return: the call's result, or -EINVAL: no such call.
 */
int kipc_call(struct file *file, loff_t first, loff_t second, int call)
{
	struct kipc_space *space = kipc_space_current();

	if (IS_ERR(space))
		return PTR_ERR(space);
	if (call != KIPC_CALL_SHM_GET)
		return -EINVAL;
	return kipc_do_shm_get(space, lower_32_bits(first), second,
			       upper_32_bits(first), KIPC_LIFETIME_PERSISTENT);
}

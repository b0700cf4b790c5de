// SPDX-License-Identifier: GPL-2.0
/*
 * The calls: see ioctl.h; include/uapi/linux/kipc.h says what each one does.
 */
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/time.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>

#include <linux/kipc.h>

#include "death.h"
#include "ioctl.h"
#include "limit.h"
#include "process.h"
#include "sem.h"
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
	query.features = KIPC_FEATURE_SHM | KIPC_FEATURE_LIFETIME_CREATOR | KIPC_FEATURE_SEM;
	if (IS_ENABLED(CONFIG_X86_64))
		query.features |= KIPC_FEATURE_SEM_MAP;
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

static int kipc_do_get(struct kipc_space *space, const struct kipc_kind *kind,
		       const struct kipc_get *get)
{
	int ret;

	ret = kipc_get(space, kind, get);
	/* The dead may still hold what was lacking. */
	if (unlikely(ret == -ENOSPC) && (kipc_death_settle() | kipc_shm_settle(space)))
		ret = kipc_get(space, kind, get);
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
	return kipc_do_get(space, &kipc_shm_kind,
			   &(struct kipc_get){ .key = get.key, .flags = get.flags,
					       .lifetime = get.lifetime, .size = get.size });
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

static int kipc_do_sem_get(struct kipc_space *space, const struct kipc_get *get)
{
	int nsems = get->size;

	if (nsems < 0 || nsems > READ_ONCE(space->sem_limits.msl))
		return -EINVAL;
	return kipc_do_get(space, &kipc_sem_kind, get);
}

static int kipc_ioctl_sem_get(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_sem_get get;
	int ret;

	ret = kipc_copy_in(&get, sizeof(get), arg, size);
	if (ret)
		return ret;
	if (get.lifetime > KIPC_LIFETIME_CREATOR)
		return -EINVAL;
	return kipc_do_sem_get(space, &(struct kipc_get){
		.key = get.key, .flags = get.flags, .lifetime = get.lifetime,
		.size = (u32)get.nsems });
}

static const struct kipc_timeout kipc_no_timeout = { .expires = KTIME_MAX, .valid = true };

/* What a clock of the caller's time namespace is ahead of the kernel's. */
static ktime_t kipc_clock_offset(clockid_t clock)
{
#ifdef CONFIG_TIME_NS
	const struct timens_offsets *offsets = &current->nsproxy->time_ns->offsets;

	if (clock == CLOCK_MONOTONIC)
		return timespec64_to_ktime(offsets->monotonic);
	if (clock == CLOCK_BOOTTIME)
		return timespec64_to_ktime(offsets->boottime);
#endif
	return 0;
}

/*
 * The caller's time-out.  Return: 0, -EFAULT, or -EINVAL for what is the ABI's own;
 * that the time is none is told later, in its turn.
 */
static int kipc_timeout_of(struct kipc_timeout *timeout, u64 user, u32 flags, u32 clock)
{
	struct timespec64 time;
	ktime_t now;

	*timeout = kipc_no_timeout;
	if (!user)
		return flags || clock ? -EINVAL : 0;
	if (get_timespec64(&time, u64_to_user_ptr(user)))
		return -EFAULT;
	if (flags & ~KIPC_TIMEOUT_ABSOLUTE)
		return -EINVAL;
	switch (clock) {
	case CLOCK_REALTIME:
		/* Setting the clock does not change how long a while is. */
		if (!(flags & KIPC_TIMEOUT_ABSOLUTE))
			clock = CLOCK_MONOTONIC;
		fallthrough;
	case CLOCK_MONOTONIC:
		now = ktime_get();
		break;
	case CLOCK_BOOTTIME:
		now = ktime_get_boottime();
		break;
	default:
		return -EINVAL;
	}
	timeout->clock = clock;
	timeout->valid = timespec64_valid(&time);
	timeout->expires = timespec64_to_ktime(time);
	if (!(flags & KIPC_TIMEOUT_ABSOLUTE))
		timeout->expires = ktime_add_safe(now, timeout->expires);
	else
		timeout->expires = ktime_sub(timeout->expires, kipc_clock_offset(clock));
	return 0;
}

static int kipc_ioctl_sem_op(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_timeout timeout;
	struct kipc_sem_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), arg, size);
	if (ret)
		return ret;
	ret = kipc_timeout_of(&timeout, op.timeout, op.flags, op.clock);
	if (ret)
		return ret;
	return kipc_sem_op(space, op.id, u64_to_user_ptr(op.sops), op.nsops, &timeout);
}

static int kipc_ioctl_sem_ctl(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_sem_ctl ctl;
	int ret;

	ret = kipc_copy_in(&ctl, sizeof(ctl), arg, size);
	if (ret)
		return ret;
	if (ctl.pad)
		return -EINVAL;
	if (ctl.cmd == SEM_INFO || ctl.cmd == IPC_INFO)
		kipc_death_settle();
	return kipc_sem_ctl(space, ctl.id, ctl.num, ctl.cmd, ctl.arg);
}

static int kipc_ioctl_sem_map(struct file *file, struct kipc_space *space, void __user *arg,
			      size_t size)
{
	struct kipc_sem_layout layout;
	struct kipc_sem_map map;
	unsigned long addr;
	bool writable;
	int ret;

	ret = kipc_copy_in(&map, sizeof(map), arg, size);
	if (ret)
		return ret;
	if (map.flags & ~KIPC_SEM_MAP_WRITE || map.pad || map.id < 0)
		return -EINVAL;
	writable = map.flags & KIPC_SEM_MAP_WRITE;
	ret = kipc_sem_map_size(space, map.id, writable, &layout);
	if (ret)
		return ret;
	addr = vm_mmap(file, 0, layout.private + layout.shared,
		       writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		       KIPC_MMAP_OFFSET(KIPC_KIND_SEM, map.id));
	if (IS_ERR_VALUE(addr))
		return addr;
	map.own = writable ? addr : 0;
	map.shared = addr + layout.private;
	map.nsems = layout.nsems;
	if (copy_to_user(arg, &map, sizeof(map))) {
		vm_munmap(addr, layout.private + layout.shared);
		return -EFAULT;
	}
	return 0;
}

static int kipc_ioctl_process_map(struct file *file, void __user *arg, size_t size)
{
	struct kipc_process *process;
	struct kipc_process_map map;
	unsigned long slots, clock;
	int ret;

	ret = kipc_copy_in(&map, sizeof(map), arg, size);
	if (ret)
		return ret;
	if (map.pad)
		return -EINVAL;
	process = kipc_process_current();
	if (IS_ERR(process))
		return PTR_ERR(process);
	ret = kipc_process_enable(process);
	if (ret)
		return ret;
	/* After execve: what the old memory's threads were in the middle of is settled. */
	kipc_sem_cut_process(current->mm);
	kipc_process_renew(process);

	slots = vm_mmap(file, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, KIPC_MMAP_SLOTS);
	if (IS_ERR_VALUE(slots))
		return slots;
	clock = vm_mmap(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, KIPC_MMAP_CLOCK);
	if (IS_ERR_VALUE(clock)) {
		ret = clock;
		goto unmap_slots;
	}
	map.slots = slots;
	map.clock = clock;
	map.token = process->token;
	ret = -EFAULT;
	if (!copy_to_user(arg, &map, sizeof(map)))
		return 0;
	vm_munmap(clock, PAGE_SIZE);
unmap_slots:
	vm_munmap(slots, PAGE_SIZE);
	return ret;
}

static int kipc_ioctl_process_cut(size_t size)
{
	if (size)
		return -EINVAL;
	kipc_sem_cut_process(NULL);
	return 0;
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
	case KIPC_IOC_SEM_GET & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_get(space, user, size);
	case KIPC_IOC_SEM_OP & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_op(space, user, size);
	case KIPC_IOC_SEM_CTL & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_ctl(space, user, size);
	case KIPC_IOC_SEM_MAP & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_map(file, space, user, size);
	case KIPC_IOC_PROCESS_MAP & ~IOCSIZE_MASK:
		return kipc_ioctl_process_map(file, user, size);
	case KIPC_IOC_PROCESS_CUT & ~IOCSIZE_MASK:
		return kipc_ioctl_process_cut(size);
	case KIPC_IOC_QUERY & ~IOCSIZE_MASK:
		return kipc_ioctl_query(space, user, size);
	case KIPC_IOC_LIMIT & ~IOCSIZE_MASK:
		return kipc_ioctl_limit(space, user, size);
	default:
		return -ENOTTY;
	}
}

/* Commands whose argument is a number, or that have none. */
static int kipc_call_sem_ctl(struct kipc_space *space, u64 first, u64 second)
{
	int cmd = lower_32_bits(second);

	switch (cmd) {
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
	case IPC_RMID:
		return kipc_sem_ctl(space, lower_32_bits(first), upper_32_bits(first), cmd,
				    upper_32_bits(second));
	default:
		return -EINVAL;
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
	switch (call) {
	case KIPC_CALL_SEM_OP:
		return kipc_sem_op(space, lower_32_bits(first), u64_to_user_ptr((u64)second),
				   upper_32_bits(first), &kipc_no_timeout);
	case KIPC_CALL_SHM_GET:
		return kipc_do_get(space, &kipc_shm_kind, &(struct kipc_get){
			.key = lower_32_bits(first), .flags = upper_32_bits(first),
			.size = (size_t)second });
	case KIPC_CALL_SEM_GET:
		return kipc_do_sem_get(space, &(struct kipc_get){
			.key = lower_32_bits(first), .flags = upper_32_bits(first),
			.size = (u32)second });
	case KIPC_CALL_SEM_CTL:
		return kipc_call_sem_ctl(space, first, second);
	default:
		return -EINVAL;
	}
}

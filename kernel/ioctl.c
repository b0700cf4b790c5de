// SPDX-License-Identifier: GPL-2.0
/*
 * The calls on the device: see ioctl.h; include/uapi/linux/kipc.h says what each one does.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <linux/kipc.h>

#include "any.h"
#include "death.h"
#include "ioctl.h"
#include "ioctl_calls.h"
#include "limit.h"
#include "msg.h"
#include "posix_sem.h"
#include "process.h"
#include "sem.h"
#include "shm.h"
#include "space.h"

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
	query.features = KIPC_FEATURE_SHM | KIPC_FEATURE_LIFETIME_CREATOR | KIPC_FEATURE_SEM |
			 KIPC_FEATURE_MSG | KIPC_FEATURE_HANDLE | KIPC_FEATURE_LIFETIME_USERS |
			 KIPC_FEATURE_HANDLE_NOTIFY | KIPC_FEATURE_SEM_OWNER |
			 KIPC_FEATURE_POSIX_SHM | KIPC_FEATURE_POSIX_SEM |
			 KIPC_FEATURE_POSIX_MQ | KIPC_FEATURE_SHM_MEMFD |
			 KIPC_FEATURE_HANDLE_PUBLISH | KIPC_FEATURE_STREAM |
			 KIPC_FEATURE_NAME_ADOPT;
	if (IS_ENABLED(CONFIG_IO_URING))
		query.features |= KIPC_FEATURE_URING;
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

/* What a handle conveys is not the right to control, and nothing about other objects. */
static inline bool kipc_is_for_handles(int id, int cmd)
{
	return id == KIPC_SELF && cmd == IPC_STAT;
}

static int kipc_ioctl_shm_get(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_shm_get get;
	int ret;

	ret = kipc_copy_in(&get, sizeof(get), arg, size);
	if (ret)
		return ret;
	if (get.pad || get.lifetime > KIPC_LIFETIME_USERS)
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

int kipc_ioctl_shm_ctl(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size)
{
	struct kipc_shm_ctl ctl;
	int ret;

	ret = kipc_copy_in(&ctl, sizeof(ctl), arg, size);
	if (ret)
		return ret;
	if (grant)
		return kipc_is_for_handles(ctl.id, ctl.cmd) ?
		       kipc_shm_stat_granted(grant, u64_to_user_ptr(ctl.buf)) : -EINVAL;
	if (ctl.cmd == SHM_INFO || ctl.cmd == IPC_INFO) {
		kipc_death_settle();
		kipc_shm_settle(space);
	}
	return kipc_shm_ctl(space, ctl.id, ctl.cmd, u64_to_user_ptr(ctl.buf));
}

static int kipc_ioctl_shm_adopt(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_shm_adopt adopt;
	struct kipc_get get;
	int ret;

	ret = kipc_copy_in(&adopt, sizeof(adopt), arg, size);
	if (ret)
		return ret;
	if (adopt.flags & ~S_IRWXUGO || adopt.lifetime > KIPC_LIFETIME_USERS)
		return -EINVAL;
	get = (struct kipc_get){
		.key = adopt.key, .flags = adopt.flags | IPC_CREAT | IPC_EXCL,
		.lifetime = adopt.lifetime,
	};
	get.memory = fget(adopt.fd);
	if (!get.memory)
		return -EBADF;
	get.size = i_size_read(file_inode(get.memory));
	ret = kipc_do_get(space, &kipc_shm_kind, &get);
	fput(get.memory);
	return ret;
}

int kipc_ioctl_shm_export(struct kipc_space *space, const struct kipc_grant *grant,
			  void __user *arg, size_t size)
{
	struct kipc_shm_export export;
	unsigned int mode;
	struct file *file;
	int fd, ret;

	ret = kipc_copy_in(&export, sizeof(export), arg, size);
	if (ret)
		return ret;
	mode = export.flags & O_ACCMODE;
	if (export.flags & ~(O_ACCMODE | O_CLOEXEC) || (mode != O_RDONLY && mode != O_RDWR) ||
	    (grant && export.id != KIPC_SELF))
		return -EINVAL;
	fd = get_unused_fd_flags(export.flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = kipc_shm_export(space, export.id, grant, mode);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/* A call on a handle names no other object. */
static inline bool kipc_names_another(const struct kipc_grant *grant, int id)
{
	return grant && id != KIPC_SELF;
}

static int kipc_ioctl_sem_get(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_sem_get get;
	int ret;

	ret = kipc_copy_in(&get, sizeof(get), arg, size);
	if (ret)
		return ret;
	if (get.lifetime > KIPC_LIFETIME_USERS || !kipc_may_ask_for(space, get.nsems))
		return -EINVAL;
	return kipc_do_get(space, &kipc_sem_kind,
			   &(struct kipc_get){ .key = get.key, .flags = get.flags,
					       .lifetime = get.lifetime,
					       .size = (u32)get.nsems });
}

int kipc_ioctl_sem_op(struct kipc_space *space, const struct kipc_grant *grant,
		      void __user *arg, size_t size)
{
	struct kipc_timeout timeout;
	struct kipc_sem_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), arg, size);
	if (ret)
		return ret;
	if (kipc_names_another(grant, op.id))
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, op.timeout, op.flags & ~KIPC_SEM_OP_OWNER, op.clock);
	if (ret)
		return ret;
	if (grant)
		return kipc_sem_op_granted(grant, u64_to_user_ptr(op.sops), op.nsops, op.flags,
					   &timeout);
	return kipc_sem_op(space, op.id, u64_to_user_ptr(op.sops), op.nsops, op.flags, &timeout);
}

int kipc_ioctl_sem_ctl(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size)
{
	struct kipc_sem_ctl ctl;
	int ret;

	ret = kipc_copy_in(&ctl, sizeof(ctl), arg, size);
	if (ret)
		return ret;
	if (ctl.pad)
		return -EINVAL;
	if (grant)
		return kipc_is_for_handles(ctl.id, ctl.cmd) ?
		       kipc_sem_stat_granted(grant, u64_to_user_ptr(ctl.arg)) : -EINVAL;
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

static int kipc_ioctl_msg_get(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_msg_get get;
	int ret;

	ret = kipc_copy_in(&get, sizeof(get), arg, size);
	if (ret)
		return ret;
	if (get.pad || get.lifetime > KIPC_LIFETIME_USERS)
		return -EINVAL;
	return kipc_do_get(space, &kipc_msg_kind,
			   &(struct kipc_get){ .key = get.key, .flags = get.flags,
					       .lifetime = get.lifetime });
}

static long kipc_msg_op_one(struct kipc_space *space, const struct kipc_grant *grant,
			    const struct kipc_msg_op *op, bool sends, unsigned int flags, u64 msg, u64 size,
			    const struct kipc_timeout *timeout)
{
	if (grant && sends)
		return kipc_msg_send_granted(grant, flags, msg, size, timeout);
	if (grant)
		return kipc_msg_receive_granted(grant, flags, msg, size, op->type, timeout);
	if (sends)
		return kipc_msg_send(space, op->id, flags, msg, size, timeout);
	return kipc_msg_receive(space, op->id, flags, msg, size, op->type, timeout);
}

/* Several messages, up to the first that is not to be had; how many, or its error. */
static long kipc_msg_op_batch(struct kipc_space *space, const struct kipc_grant *grant,
			      const struct kipc_msg_op *op, bool sends,
			      const struct kipc_timeout *timeout)
{
	struct kipc_msg_vec __user *user = u64_to_user_ptr(op->msg);
	unsigned int i, flags = op->flags;
	struct kipc_msg_vec vec;
	long ret = 0;

	for (i = 0; i < op->count; i++) {
		ret = -EFAULT;
		if (copy_from_user(&vec, &user[i], sizeof(vec)))
			break;
		/* Where its size cannot be written no message is taken. */
		if (!sends && put_user(vec.size, &user[i].size))
			break;
		ret = kipc_msg_op_one(space, grant, op, sends, flags, vec.msg, vec.size,
				      timeout);
		if (ret < 0)
			break;
		if (!sends && put_user((u64)ret, &user[i].size))
			return i + 1;
		if (!sends)
			flags |= IPC_NOWAIT;
		cond_resched();
	}
	return i ?: ret;
}

long kipc_ioctl_msg_op(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size, bool sends)
{
	struct kipc_timeout timeout;
	struct kipc_msg_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), arg, size);
	if (ret)
		return ret;
	if (op.pad || op.count > KIPC_MSG_BATCH || (sends && op.type) || op.type != (long)op.type)
		return -EINVAL;
	if (op.count && (op.size || (!sends && op.flags & MSG_COPY)))
		return -EINVAL;
	if (kipc_names_another(grant, op.id))
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, op.timeout, op.timeout_flags, op.clock);
	if (ret)
		return ret;
	if (op.count)
		return kipc_msg_op_batch(space, grant, &op, sends, &timeout);
	return kipc_msg_op_one(space, grant, &op, sends, op.flags, op.msg, op.size, &timeout);
}

int kipc_ioctl_msg_ctl(struct kipc_space *space, const struct kipc_grant *grant,
		       void __user *arg, size_t size)
{
	struct kipc_msg_ctl ctl;
	int ret;

	ret = kipc_copy_in(&ctl, sizeof(ctl), arg, size);
	if (ret)
		return ret;
	if (grant)
		return kipc_is_for_handles(ctl.id, ctl.cmd) ?
		       kipc_msg_stat_granted(grant, u64_to_user_ptr(ctl.buf)) : -EINVAL;
	if (ctl.cmd == MSG_INFO || ctl.cmd == IPC_INFO)
		kipc_death_settle();
	return kipc_msg_ctl(space, ctl.id, ctl.cmd, u64_to_user_ptr(ctl.buf));
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

long kipc_ioctl_wait_any(void __user *arg, size_t size)
{
	struct kipc_wait_any wait;
	int ret;

	ret = kipc_copy_in(&wait, sizeof(wait), arg, size);
	if (ret)
		return ret;
	if (wait.pad)
		return -EINVAL;
	return kipc_wait_any(&wait);
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
	case KIPC_IOC_SHM_ADOPT & ~IOCSIZE_MASK:
		return kipc_ioctl_shm_adopt(space, user, size);
	case KIPC_IOC_SHM_EXPORT & ~IOCSIZE_MASK:
		return kipc_ioctl_shm_export(space, NULL, user, size);
	case KIPC_IOC_SHM_CTL & ~IOCSIZE_MASK:
		return kipc_ioctl_shm_ctl(space, NULL, user, size);
	case KIPC_IOC_SEM_GET & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_get(space, user, size);
	case KIPC_IOC_SEM_OP & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_op(space, NULL, user, size);
	case KIPC_IOC_SEM_CTL & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_ctl(space, NULL, user, size);
	case KIPC_IOC_SEM_MAP & ~IOCSIZE_MASK:
		return kipc_ioctl_sem_map(file, space, user, size);
	case KIPC_IOC_MSG_GET & ~IOCSIZE_MASK:
		return kipc_ioctl_msg_get(space, user, size);
	case KIPC_IOC_MSG_SEND & ~IOCSIZE_MASK:
		return kipc_ioctl_msg_op(space, NULL, user, size, true);
	case KIPC_IOC_MSG_RECEIVE & ~IOCSIZE_MASK:
		return kipc_ioctl_msg_op(space, NULL, user, size, false);
	case KIPC_IOC_MSG_CTL & ~IOCSIZE_MASK:
		return kipc_ioctl_msg_ctl(space, NULL, user, size);
	case KIPC_IOC_HANDLE_OPEN & ~IOCSIZE_MASK:
		return kipc_ioctl_handle_open(space, user, size);
	case KIPC_IOC_HANDLE_CREATE & ~IOCSIZE_MASK:
		return kipc_ioctl_handle_create(space, user, size);
	case KIPC_IOC_NAME_OPEN & ~IOCSIZE_MASK:
		return kipc_ioctl_name_open(space, user, size);
	case KIPC_IOC_NAME_UNLINK & ~IOCSIZE_MASK:
		return kipc_ioctl_name_unlink(space, user, size);
	case KIPC_IOC_NAME_ADOPT & ~IOCSIZE_MASK:
		return kipc_ioctl_name_adopt(space, user, size);
	case KIPC_IOC_POSIX_SEM_OP & ~IOCSIZE_MASK:
		return kipc_ioctl_posix_sem_op(user, size);
	case KIPC_IOC_PROCESS_MAP & ~IOCSIZE_MASK:
		return kipc_ioctl_process_map(file, user, size);
	case KIPC_IOC_PROCESS_CUT & ~IOCSIZE_MASK:
		return kipc_ioctl_process_cut(size);
	case KIPC_IOC_WAIT_ANY & ~IOCSIZE_MASK:
		return kipc_ioctl_wait_any(user, size);
	case KIPC_IOC_QUERY & ~IOCSIZE_MASK:
		return kipc_ioctl_query(space, user, size);
	case KIPC_IOC_LIMIT & ~IOCSIZE_MASK:
		return kipc_ioctl_limit(space, user, size);
	default:
		return -ENOTTY;
	}
}

/* Apart from kipc_call(), which is to have no structure on its stack. */
static noinline int kipc_call_get_slow(struct kipc_space *space, const struct kipc_kind *kind,
				       u64 first, u64 size)
{
	return kipc_do_get(space, kind, &(struct kipc_get){
		.key = lower_32_bits(first), .flags = upper_32_bits(first), .size = size });
}

static __always_inline int kipc_call_get(struct kipc_space *space, const struct kipc_kind *kind,
					 u64 first, u64 size)
{
	key_t key = lower_32_bits(first);
	int ret = -ENOENT;

	if (key != IPC_PRIVATE)
		ret = kipc_get_existing(&space->ids[kind->kind], key, upper_32_bits(first),
					size);
	return ret == -ENOENT ? kipc_call_get_slow(space, kind, first, size) : ret;
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

#define KIPC_CALL_MSG_ARGUMENTS	(KIPC_CALL_MSG_SIZE | 0x3800 << 6)

/* One message; flags and size are in the number of the call. */
static int kipc_call_msg(struct kipc_space *space, u64 first, u64 second, int call)
{
	unsigned int size = call & KIPC_CALL_MSG_SIZE, flags = call >> 6 & 0x3800;
	int id = lower_32_bits(first), type = upper_32_bits(first);

	call &= ~KIPC_CALL_MSG_ARGUMENTS;
	if (call == KIPC_CALL_MSG_SEND(0, 0))
		return kipc_msg_send(space, id, flags, second, size, &kipc_no_timeout);
	if (call == KIPC_CALL_MSG_RECEIVE(0, 0))
		return kipc_msg_receive(space, id, flags, second, size, type, &kipc_no_timeout);
	return -EINVAL;
}

static int kipc_call_posix_sem_op(u64 addr, unsigned int op)
{
	int ret = kipc_posix_sem_op(addr, op, &kipc_no_timeout);

	/* Who carries it out for io_uring begins nothing again. */
	return ret == -ERESTARTSYS && current->flags & PF_IO_WORKER ? -EINTR : ret;
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
	if (call >= KIPC_CALL_MSG_SEND(0, 0))
		return kipc_call_msg(space, first, second, call);
	switch (call) {
	case KIPC_CALL_SEM_OP:
		return kipc_sem_op(space, lower_32_bits(first), u64_to_user_ptr((u64)second),
				   upper_32_bits(first), 0, &kipc_no_timeout);
	case KIPC_CALL_SHM_GET:
		return kipc_call_get(space, &kipc_shm_kind, first, (size_t)second);
	case KIPC_CALL_SEM_GET:
		if (!kipc_may_ask_for(space, second))
			return -EINVAL;
		return kipc_call_get(space, &kipc_sem_kind, first, (u32)second);
	case KIPC_CALL_MSG_GET:
		return kipc_call_get(space, &kipc_msg_kind, first, 0);
	case KIPC_CALL_SEM_CTL:
		return kipc_call_sem_ctl(space, first, second);
	case KIPC_CALL_POSIX_SEM_OP:
		return kipc_call_posix_sem_op(first, second);
	default:
		return -EINVAL;
	}
}

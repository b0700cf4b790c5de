// SPDX-License-Identifier: GPL-2.0
/*
 * The calls: see ioctl.h; include/uapi/linux/kipc.h says what each one does.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/kipc.h>

#include "any.h"
#include "death.h"
#include "handle.h"
#include "ioctl.h"
#include "limit.h"
#include "msg.h"
#include "name.h"
#include "posix_mq.h"
#include "posix_sem.h"
#include "posix_shm.h"
#include "process.h"
#include "sem.h"
#include "shm.h"
#include "space.h"
#include "stream.h"

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

static int kipc_ioctl_shm_ctl(struct kipc_space *space, const struct kipc_grant *grant,
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

static int kipc_ioctl_shm_export(struct kipc_space *space, const struct kipc_grant *grant,
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

/* A set of more than SEMMSL is not even looked for. */
static inline bool kipc_may_ask_for(struct kipc_space *space, int nsems)
{
	return nsems >= 0 && nsems <= READ_ONCE(space->sem_limits.msl);
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

static int kipc_ioctl_sem_op(struct kipc_space *space, const struct kipc_grant *grant,
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

static int kipc_ioctl_sem_ctl(struct kipc_space *space, const struct kipc_grant *grant,
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

static long kipc_ioctl_msg_op(struct kipc_space *space, const struct kipc_grant *grant,
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

static int kipc_ioctl_msg_ctl(struct kipc_space *space, const struct kipc_grant *grant,
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

static int kipc_ioctl_handle_open(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_handle_open open;
	int ret;

	ret = kipc_copy_in(&open, sizeof(open), arg, size);
	return ret ?: kipc_handle_open(space, &open);
}

/* Bits of @mode for a segment: how shmget(2) is to get its memory. */
#define KIPC_SHM_MODE	(SHM_HUGETLB | SHM_NORESERVE | (u32)SHM_HUGE_MASK << SHM_HUGE_SHIFT)

/* The size that a kind can have; what shmget(2) and semget(2) look at is left to them. */
static bool kipc_is_size_of(struct kipc_space *space, unsigned int kind, u64 size)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return size <= SIZE_MAX;
	case KIPC_KIND_SEM:
		return size <= INT_MAX && kipc_may_ask_for(space, size);
	default:
		return !size;
	}
}

static int kipc_ioctl_handle_create(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_handle_create create;
	int ret;

	ret = kipc_copy_in(&create, sizeof(create), arg, size);
	if (ret)
		return ret;
	if (create.mode & ~(S_IRWXUGO | (create.kind == KIPC_KIND_SHM ? KIPC_SHM_MODE : 0)) ||
	    !kipc_is_size_of(space, create.kind, create.size))
		return -EINVAL;
	ret = kipc_handle_create(space, &create);
	if (unlikely(ret == -ENOSPC) && (kipc_death_settle() | kipc_shm_settle(space)))
		ret = kipc_handle_create(space, &create);
	return ret;
}

static int kipc_ioctl_handle_notify(struct file *file, void __user *arg, size_t size)
{
	struct kipc_handle_notify notify;
	int ret;

	ret = kipc_copy_in(&notify, sizeof(notify), arg, size);
	return ret ?: kipc_handle_notify(file, &notify);
}

static int kipc_ioctl_handle_publish(struct file *file, void __user *arg, size_t size)
{
	struct kipc_handle_publish publish;
	int ret;

	ret = kipc_copy_in(&publish, sizeof(publish), arg, size);
	return ret ?: kipc_handle_publish(file, &publish);
}

static int kipc_ioctl_name_open(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_name_open __user *user = arg;
	struct kipc_name_open name;
	struct kipc_open open;
	char *text;
	int ret;

	ret = kipc_copy_in(&name, sizeof(name), arg, size);
	if (ret)
		return ret;
	if (name.serial || (name.flags & O_ACCMODE) == O_ACCMODE ||
	    name.kind < KIPC_KINDS || name.kind >= KIPC_ALL_KINDS ||
	    (name.msgsize && name.kind != KIPC_KIND_POSIX_MQ) ||
	    (name.lifetime && (name.kind != KIPC_KIND_STREAM ||
			       name.lifetime != KIPC_LIFETIME_USERS)) ||
	    name.flags & ~(O_ACCMODE | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK |
			   (name.kind == KIPC_KIND_POSIX_SHM ? O_TRUNC : 0)))
		return -EINVAL;
	text = kipc_name_copy_in(name.name);
	if (IS_ERR(text))
		return PTR_ERR(text);
	open = (struct kipc_open){
		.text = text, .flags = name.flags, .size = name.size,
		.msgsize = name.msgsize, .lifetime = name.lifetime,
		.mode = name.mode & S_IALLUGO & ~current_umask(),
	};
	/* Where it cannot be told which it is nothing is opened. */
	ret = put_user(0, &user->serial);
	if (!ret)
		ret = kipc_handle_open_named(space, name.kind, &open);
	kfree(text);
	if (ret >= 0)
		put_user(open.serial, &user->serial);
	return ret;
}

static int kipc_ioctl_name_unlink(struct kipc_space *space, void __user *arg, size_t size)
{
	static const struct kipc_named_kind *const kinds[] = {
		&kipc_posix_shm_kind, &kipc_posix_sem_kind, &kipc_posix_mq_kind,
		&kipc_stream_kind,
	};
	struct kipc_name_unlink name;
	unsigned int kind;
	char *text;
	int ret;

	ret = kipc_copy_in(&name, sizeof(name), arg, size);
	if (ret)
		return ret;
	kind = name.kind - KIPC_KINDS;
	if (name.pad || kind >= ARRAY_SIZE(kinds))
		return -EINVAL;
	text = kipc_name_copy_in(name.name);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = kipc_name_unlink(space, kinds[array_index_nospec(kind, ARRAY_SIZE(kinds))], text);
	kfree(text);
	return ret;
}

static int kipc_ioctl_name_adopt(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_name_adopt adopt;
	struct kipc_open open;
	struct file *memfd;
	char *text;
	int ret;

	ret = kipc_copy_in(&adopt, sizeof(adopt), arg, size);
	if (ret)
		return ret;
	if (adopt.flags || adopt.pad)
		return -EINVAL;
	text = kipc_name_copy_in(adopt.name);
	if (IS_ERR(text))
		return PTR_ERR(text);
	open = (struct kipc_open){
		.text = text, .mode = adopt.mode & S_IALLUGO & ~current_umask(),
	};
	ret = -EBADF;
	memfd = fget(adopt.fd);
	if (memfd) {
		ret = kipc_posix_shm_publish(space, &open, memfd);
		fput(memfd);
	}
	kfree(text);
	return ret;
}

static int kipc_ioctl_posix_sem_op(void __user *arg, size_t size)
{
	struct kipc_posix_sem_op __user *user = arg;
	struct kipc_posix_sem_op op;
	struct kipc_timeout timeout;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), arg, size);
	if (ret)
		return ret;
	/* Only a point of time can be waited for anew after a signal. */
	if (op.taken || (op.timeout && (op.op != KIPC_POSIX_SEM_WAIT ||
				      op.flags != KIPC_TIMEOUT_ABSOLUTE)))
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, op.timeout, op.flags, op.clock);
	/* Where it cannot be told nothing is taken. */
	if (!ret)
		ret = put_user(0, &user->taken);
	if (!ret)
		ret = kipc_posix_sem_op(op.addr, op.op, &timeout);
	if (!ret && op.op != KIPC_POSIX_SEM_POST)
		put_user(1, &user->taken);
	return ret;
}

/* No @timeout: it is not to wait. */
static const struct kipc_timeout *kipc_handle_timeout(const struct file *file,
						      const struct kipc_timeout *timeout)
{
	return unlikely(file->f_flags & O_NONBLOCK) ? NULL : timeout;
}

static long kipc_ioctl_mq_op(struct file *file, void __user *arg, size_t size, bool sends)
{
	const struct kipc_grant *grant = kipc_handle_grant(file);
	struct kipc_timeout timeout;
	struct kipc_mq_op op;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), arg, size);
	if (ret)
		return ret;
	/* Only a point of time can be waited for anew after a signal. */
	if (op.pad || (op.timeout && op.flags != KIPC_TIMEOUT_ABSOLUTE))
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, op.timeout, op.flags, op.clock);
	if (ret)
		return ret;
	if (!timeout.valid)
		return -EINVAL;
	if (sends)
		return kipc_posix_mq_send(grant, op.msg, op.size, op.priority,
					  kipc_handle_timeout(file, &timeout));
	return kipc_posix_mq_receive(grant, op.msg, op.size, kipc_handle_timeout(file, &timeout),
				     u64_to_user_ptr(op.priority));
}

static int kipc_ioctl_mq_attr(struct file *file, void __user *arg, size_t size)
{
	struct kipc_mq_attr attr;
	unsigned int set;
	int ret;

	ret = kipc_copy_in(&attr, sizeof(attr), arg, size);
	if (ret)
		return ret;
	if (attr.set > 1 || attr.flags & ~(attr.set ? O_NONBLOCK : 0) || attr.maxmsg ||
	    attr.msgsize || attr.curmsgs)
		return -EINVAL;
	set = attr.flags;
	kipc_posix_mq_show(kipc_handle_grant(file)->object, &attr);
	spin_lock(&file->f_lock);
	attr.flags = file->f_flags & O_NONBLOCK;
	if (attr.set)
		file->f_flags = (file->f_flags & ~O_NONBLOCK) | set;
	spin_unlock(&file->f_lock);
	return copy_to_user(arg, &attr, sizeof(attr)) ? -EFAULT : 0;
}

static int kipc_ioctl_mq_notify(struct file *file, void __user *arg, size_t size)
{
	struct kipc_mq_notify notify;
	int ret;

	ret = kipc_copy_in(&notify, sizeof(notify), arg, size);
	return ret ?: kipc_mq_notify(kipc_handle_grant(file)->object, &notify);
}

/* Calls on a handle of a POSIX message queue. */
static long kipc_handle_ioctl_mq(struct file *file, unsigned int cmd, void __user *user,
				 size_t size)
{
	switch (cmd) {
	case KIPC_IOC_MQ_SEND & ~IOCSIZE_MASK:
		return kipc_ioctl_mq_op(file, user, size, true);
	case KIPC_IOC_MQ_RECEIVE & ~IOCSIZE_MASK:
		return kipc_ioctl_mq_op(file, user, size, false);
	case KIPC_IOC_MQ_ATTR & ~IOCSIZE_MASK:
		return kipc_ioctl_mq_attr(file, user, size);
	case KIPC_IOC_MQ_NOTIFY & ~IOCSIZE_MASK:
		return kipc_ioctl_mq_notify(file, user, size);
	case KIPC_IOC_HANDLE_NOTIFY & ~IOCSIZE_MASK:
		return kipc_ioctl_handle_notify(file, user, size);
	default:
		return -ENOTTY;
	}
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

static long kipc_ioctl_wait_any(void __user *arg, size_t size)
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

/**
 * kipc_handle_ioctl() - one call on a handle
 * @file: the handle
 * @cmd: KIPC_IOC_*, with the size of the caller's structure
 * @arg: user address of the structure
 *
 * Return: the call's result, or -ENOTTY: no call for this kind of object.
 */
long kipc_handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct kipc_grant *grant = kipc_handle_grant(file);
	struct kipc_space *space = grant->object->space;
	unsigned int kind = grant->object->kind;
	void __user *user = (void __user *)arg;
	size_t size = _IOC_SIZE(cmd);

	cmd &= ~IOCSIZE_MASK;
	/* What is called often comes first. */
	if (kind == KIPC_KIND_SEM && cmd == (KIPC_IOC_SEM_OP & ~IOCSIZE_MASK))
		return kipc_ioctl_sem_op(space, grant, user, size);
	if (kind == KIPC_KIND_MSG && cmd == (KIPC_IOC_MSG_SEND & ~IOCSIZE_MASK))
		return kipc_ioctl_msg_op(space, grant, user, size, true);
	if (kind == KIPC_KIND_MSG && cmd == (KIPC_IOC_MSG_RECEIVE & ~IOCSIZE_MASK))
		return kipc_ioctl_msg_op(space, grant, user, size, false);
	if (cmd == (KIPC_IOC_WAIT_ANY & ~IOCSIZE_MASK))
		return kipc_ioctl_wait_any(user, size);
	if (kind == KIPC_KIND_POSIX_MQ)
		return kipc_handle_ioctl_mq(file, cmd, user, size);
	if (kind < KIPC_KINDS && cmd == (KIPC_IOC_HANDLE_PUBLISH & ~IOCSIZE_MASK))
		return kipc_ioctl_handle_publish(file, user, size);
	if (kind == KIPC_KIND_SHM && cmd == (KIPC_IOC_SHM_EXPORT & ~IOCSIZE_MASK))
		return kipc_ioctl_shm_export(space, grant, user, size);
	if (kind == KIPC_KIND_SHM && cmd == (KIPC_IOC_SHM_CTL & ~IOCSIZE_MASK))
		return kipc_ioctl_shm_ctl(space, grant, user, size);
	if (kind == KIPC_KIND_SEM && cmd == (KIPC_IOC_SEM_CTL & ~IOCSIZE_MASK))
		return kipc_ioctl_sem_ctl(space, grant, user, size);
	if (kind == KIPC_KIND_MSG && cmd == (KIPC_IOC_MSG_CTL & ~IOCSIZE_MASK))
		return kipc_ioctl_msg_ctl(space, grant, user, size);
	if (kind != KIPC_KIND_SHM && cmd == (KIPC_IOC_HANDLE_NOTIFY & ~IOCSIZE_MASK))
		return kipc_ioctl_handle_notify(file, user, size);
	return -ENOTTY;
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

/**
 * kipc_handle_call() - one call on a handle whose arguments came in registers
 * @file: the handle
 * @first: first argument
 * @second: second argument
 * @call: KIPC_CALL_MQ_*
 *
 * Return: the call's result, or -EINVAL: no call for this kind of object.
 */
int kipc_handle_call(struct file *file, loff_t first, loff_t second, int call)
{
	const struct kipc_timeout *timeout = kipc_handle_timeout(file, &kipc_no_timeout);
	const struct kipc_grant *grant = kipc_handle_grant(file);

	if (grant->object->kind != KIPC_KIND_POSIX_MQ)
		return -EINVAL;
	switch (call) {
	case KIPC_CALL_MQ_SEND:
		return kipc_posix_mq_send(grant, second, lower_32_bits(first),
					  upper_32_bits(first), timeout);
	case KIPC_CALL_MQ_RECEIVE:
		if (first & ~(loff_t)KIPC_CALL_MQ_SIZE)
			return -EINVAL;
		return kipc_posix_mq_receive_short(grant, second, first, timeout);
	default:
		return -EINVAL;
	}
}

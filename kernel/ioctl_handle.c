// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that make handles, and those on them: see ioctl.h.
 */
#include <linux/fs.h>
#include <linux/ioctl.h>
#include <linux/shm.h>
#include <linux/uaccess.h>

#include <linux/kipc.h>

#include "death.h"
#include "handle.h"
#include "ioctl.h"
#include "ioctl_calls.h"
#include "posix_mq.h"
#include "shm.h"

int kipc_ioctl_handle_open(struct kipc_space *space, void __user *arg, size_t size)
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

int kipc_ioctl_handle_create(struct kipc_space *space, void __user *arg, size_t size)
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

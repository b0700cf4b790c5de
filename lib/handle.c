// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: descriptors that stand for an object.
 *
 * Calls on a handle go to it, not to the device: they work where there is none.
 *
 * Level 3.
 */
#undef _TIME_BITS	/* both kinds of time_t have names of their own here */

#include <errno.h>
#include <kipc.h>

#include "process.h"
#include "sem.h"
#include "sys.h"
#include "timespec64.h"

#ifdef __i386__
/* What <kipc.h> makes of the names without _time64 when time_t has 64 bits. */
int kipc_handle_semop_time64(int handle, struct sembuf *sops, size_t nsops, clockid_t clock,
			     int flags, const struct kipc_timespec64 *timeout);
int kipc_handle_msgsnd_time64(int handle, const void *msgp, size_t msgsz, int msgflg,
			      clockid_t clock, int flags,
			      const struct kipc_timespec64 *timeout);
ssize_t kipc_handle_msgrcv_time64(int handle, void *msgp, size_t msgsz, long msgtyp, int msgflg,
				  clockid_t clock, int flags,
				  const struct kipc_timespec64 *timeout);
int kipc_wait_any_time64(struct kipc_any *any, unsigned int count, clockid_t clock, int flags,
			 const struct kipc_timespec64 *timeout);
#endif

KIPC_PUBLIC int kipc_handle(int kind, int id, int flags, const struct kipc_filter *filter)
{
	struct kipc_handle_open open = {
		.id = id, .kind = kind, .flags = flags, .op = kind == KIPC_KIND_SEM ? -1 : 0,
	};
	int fd = kipc_process_device();
	long ret;

	if (filter) {
		open.num = filter->sem_num;
		open.op = filter->sem_op;
		open.msgflg = filter->msgflg;
		open.type = filter->msgtyp;
	}
	while ((ret = sys_ioctl(fd, KIPC_IOC_HANDLE_OPEN, &open)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

KIPC_PUBLIC int kipc_handle_create(int kind, size_t size, int flags, mode_t mode,
				   const struct kipc_filter *filter)
{
	struct kipc_handle_create create = {
		.kind = kind, .flags = flags, .mode = mode, .size = size,
		.op = kind == KIPC_KIND_SEM ? -1 : 0,
	};
	int fd = kipc_process_device();
	long ret;

	if (filter) {
		create.num = filter->sem_num;
		create.op = filter->sem_op;
		create.msgflg = filter->msgflg;
		create.type = filter->msgtyp;
	}
	while ((ret = sys_ioctl(fd, KIPC_IOC_HANDLE_CREATE, &create)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

static long result(long ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

KIPC_PUBLIC int kipc_handle_notify(int handle, int eventfd, short events)
{
	struct kipc_handle_notify notify = { .fd = eventfd, .events = (unsigned short)events };

	return result(sys_ioctl(handle, KIPC_IOC_HANDLE_NOTIFY, &notify));
}

KIPC_PUBLIC int kipc_handle_stat(int handle, int kind, void *buf)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return result(sys_shm_ctl(handle, KIPC_SELF, IPC_STAT, buf));
	case KIPC_KIND_SEM:
		return result(sys_sem_ctl(handle, KIPC_SELF, 0, IPC_STAT, (uintptr_t)buf));
	case KIPC_KIND_MSG:
		return result(sys_msg_ctl(handle, KIPC_SELF, IPC_STAT, buf));
	default:
		return result(-EINVAL);
	}
}

KIPC_PUBLIC int kipc_handle_publish(int handle, key_t key, unsigned int lifetime)
{
	struct kipc_handle_publish publish = { .key = key, .lifetime = lifetime };

	return result(sys_ioctl(handle, KIPC_IOC_HANDLE_PUBLISH, &publish));
}

static int timeout_flags(int flags)
{
	return flags & TIMER_ABSTIME ? KIPC_TIMEOUT_ABSOLUTE : 0;
}

static int semop_by(int handle, struct sembuf *sops, size_t nsops, clockid_t clock, int flags,
		    const struct kipc_timespec64 *timeout)
{
	if (flags & ~(TIMER_ABSTIME | KIPC_SEM_OP_OWNER))
		return result(-EINVAL);
	return result(sys_sem_op_timed(handle, KIPC_SELF, sops, nsops,
				       kipc_sem_op_flags(flags, timeout), timeout ? clock : 0,
				       timeout));
}

static ssize_t operate(int handle, bool is_send, struct kipc_msg_op *op, clockid_t clock,
		       int flags, const struct kipc_timespec64 *timeout)
{
	if (flags & ~TIMER_ABSTIME)
		return result(-EINVAL);
	if (timeout) {
		op->timeout = (uintptr_t)timeout;
		op->timeout_flags = timeout_flags(flags);
		op->clock = clock;
	}
	return result(sys_msg_op(handle, is_send, op));
}

static int msgsnd_by(int handle, const void *msgp, size_t msgsz, int msgflg, clockid_t clock,
		     int flags, const struct kipc_timespec64 *timeout)
{
	struct kipc_msg_op op = {
		.id = KIPC_SELF, .flags = msgflg, .msg = (uintptr_t)msgp,
		.size = sys_msg_size(msgsz),
	};

	return operate(handle, true, &op, clock, flags, timeout);
}

static ssize_t msgrcv_by(int handle, void *msgp, size_t msgsz, long msgtyp, int msgflg,
			 clockid_t clock, int flags, const struct kipc_timespec64 *timeout)
{
	struct kipc_msg_op op = {
		.id = KIPC_SELF, .flags = msgflg, .type = msgtyp, .msg = (uintptr_t)msgp,
		.size = sys_msg_size(msgsz),
	};

	return operate(handle, false, &op, clock, flags, timeout);
}

/* Through the first handle, as all calls on handles; the device is for other descriptors. */
static int wait_any_by(struct kipc_any *any, unsigned int count, clockid_t clock, int flags,
		       const struct kipc_timespec64 *timeout)
{
	struct kipc_wait_any wait = { .any = (uintptr_t)any, .count = count };
	unsigned int i;
	long ret;
	int fd;

	if (flags & ~TIMER_ABSTIME)
		return result(-EINVAL);
	if (timeout) {
		wait.timeout = (uintptr_t)timeout;
		wait.flags = timeout_flags(flags);
		wait.clock = clock;
	}
	for (i = 0; i < count; i++)
		if (any[i].call)
			return result(sys_ioctl(any[i].fd, KIPC_IOC_WAIT_ANY, &wait));
	fd = kipc_process_device();
	while ((ret = sys_ioctl(fd, KIPC_IOC_WAIT_ANY, &wait)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

#ifdef __i386__

KIPC_PUBLIC int kipc_wait_any_time64(struct kipc_any *any, unsigned int count, clockid_t clock,
				     int flags, const struct kipc_timespec64 *timeout)
{
	return wait_any_by(any, count, clock, flags, timeout);
}

KIPC_PUBLIC int kipc_handle_semop_time64(int handle, struct sembuf *sops, size_t nsops,
					 clockid_t clock, int flags,
					 const struct kipc_timespec64 *timeout)
{
	return semop_by(handle, sops, nsops, clock, flags, timeout);
}

KIPC_PUBLIC int kipc_handle_msgsnd_time64(int handle, const void *msgp, size_t msgsz,
					  int msgflg, clockid_t clock, int flags,
					  const struct kipc_timespec64 *timeout)
{
	return msgsnd_by(handle, msgp, msgsz, msgflg, clock, flags, timeout);
}

KIPC_PUBLIC ssize_t kipc_handle_msgrcv_time64(int handle, void *msgp, size_t msgsz, long msgtyp,
					      int msgflg, clockid_t clock, int flags,
					      const struct kipc_timespec64 *timeout)
{
	return msgrcv_by(handle, msgp, msgsz, msgtyp, msgflg, clock, flags, timeout);
}

#endif

KIPC_PUBLIC int kipc_wait_any(struct kipc_any *any, unsigned int count, clockid_t clock,
			      int flags, const struct timespec *timeout)
{
	return wait_any_by(any, count, clock, flags, WIDEN(timeout));
}

KIPC_PUBLIC int kipc_handle_semop(int handle, struct sembuf *sops, size_t nsops,
				  clockid_t clock, int flags, const struct timespec *timeout)
{
	return semop_by(handle, sops, nsops, clock, flags, WIDEN(timeout));
}

KIPC_PUBLIC int kipc_handle_msgsnd(int handle, const void *msgp, size_t msgsz, int msgflg,
				   clockid_t clock, int flags, const struct timespec *timeout)
{
	return msgsnd_by(handle, msgp, msgsz, msgflg, clock, flags, WIDEN(timeout));
}

KIPC_PUBLIC ssize_t kipc_handle_msgrcv(int handle, void *msgp, size_t msgsz, long msgtyp,
				       int msgflg, clockid_t clock, int flags,
				       const struct timespec *timeout)
{
	return msgrcv_by(handle, msgp, msgsz, msgtyp, msgflg, clock, flags, WIDEN(timeout));
}

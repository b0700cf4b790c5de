// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Queues of messages: msgget(2), msgsnd(2), msgrcv(2), msgctl(2).
 *
 * As in shm.c each call is made at once, and kipc_process_recover() sorts out
 * afterwards what can be wrong with the descriptor.
 *
 * Level 3.
 */
#undef _TIME_BITS	/* both kinds of time_t have names of their own here */

#include <errno.h>
#include <kipc.h>

#include "process.h"
#include "sys.h"
#include "timespec64.h"

#ifdef __i386__
/* As with segments, see shm.c: one layout for both kinds of time_t. */
_Static_assert(offsetof(struct msqid_ds, msg_stime) == 36 &&
	       offsetof(struct msqid_ds, msg_rtime) == 44 &&
	       offsetof(struct msqid_ds, msg_ctime) == 52 &&
	       offsetof(struct msqid_ds, msg_cbytes) == 60 &&
	       offsetof(struct msqid_ds, msg_lrpid) == 76 &&
	       sizeof(struct msqid_ds) == 88, "not the kernel's msqid64_ds");

/* What <kipc.h> makes of the names without _time64 when time_t has 64 bits. */
int kipc_msgclocksnd_time64(int msqid, const void *msgp, size_t msgsz, int msgflg,
			    clockid_t clock, int flags, const struct kipc_timespec64 *timeout);
ssize_t kipc_msgclockrcv_time64(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg,
				clockid_t clock, int flags,
				const struct kipc_timespec64 *timeout);
int kipc_msgsndv_time64(int msqid, const struct kipc_msg_vec *vec, unsigned int count,
			int msgflg, clockid_t clock, int flags,
			const struct kipc_timespec64 *timeout);
int kipc_msgrcvv_time64(int msqid, struct kipc_msg_vec *vec, unsigned int count, long msgtyp,
			int msgflg, clockid_t clock, int flags,
			const struct kipc_timespec64 *timeout);
#endif

static KIPC_SLOW int get_slow(int fd, uint64_t key, long ret)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_msg_get(fd, key);
	}
	return ret;
}

KIPC_PUBLIC int kipc_msgget(key_t key, int msgflg)
{
	uint64_t key_flags = sys_key(key, msgflg);
	int fd = kipc_process_device();
	long ret = sys_msg_get(fd, key_flags);

	if (likely(ret >= 0))
		return ret;
	return get_slow(fd, key_flags, ret);
}

KIPC_PUBLIC int kipc_msgget_lifetime(key_t key, int msgflg, unsigned int lifetime)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_msg_get_lifetime(fd, sys_key(key, msgflg), lifetime)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

/*
 * A call by registers is the same to send and to receive.  @fd and @call are as wide as
 * the registers, or the compiler would keep a second copy and save others for it.
 */
static KIPC_SLOW ssize_t short_slow(long fd, uint64_t id_type, const void *msgp, long call,
				    long ret)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_msg_short(fd, id_type, msgp, call);
	}
	return ret;
}

static inline ssize_t operate_short(uint64_t id_type, const void *msgp, long call)
{
	long fd = kipc_process_device();
	long ret = sys_msg_short(fd, id_type, msgp, call);

	if (likely(ret >= 0))
		return ret;
	return short_slow(fd, id_type, msgp, call, ret);
}

/* Whatever a call by registers does not take.  Whether it can be is the kernel's to say. */
static ssize_t operate(bool is_send, const struct kipc_msg_op *op)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_msg_op(fd, is_send, op)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

static KIPC_SLOW int send_long(int msqid, const void *msgp, size_t msgsz, int msgflg)
{
	struct kipc_msg_op op = {
		.id = msqid, .flags = msgflg, .msg = (uintptr_t)msgp, .size = sys_msg_size(msgsz),
	};

	return operate(true, &op);
}

static KIPC_SLOW ssize_t receive_long(int msqid, void *msgp, size_t msgsz, long msgtyp,
				      int msgflg)
{
	struct kipc_msg_op op = {
		.id = msqid, .flags = msgflg, .type = msgtyp, .msg = (uintptr_t)msgp,
		.size = sys_msg_size(msgsz),
	};

	return operate(false, &op);
}

KIPC_PUBLIC int kipc_msgsnd(int msqid, const void *msgp, size_t msgsz, int msgflg)
{
	if (unlikely(!sys_is_short_send(msgsz)))
		return send_long(msqid, msgp, msgsz, msgflg);
	return operate_short(sys_msg_id_type(msqid, 0), msgp,
			     KIPC_CALL_MSG_SEND((unsigned int)msgflg, (unsigned int)msgsz));
}

KIPC_PUBLIC ssize_t kipc_msgrcv(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg)
{
	if (unlikely(!sys_is_short_receive(msgsz, msgtyp, msgflg)))
		return receive_long(msqid, msgp, msgsz, msgtyp, msgflg);
	return operate_short(sys_msg_id_type(msqid, msgtyp), msgp,
			     KIPC_CALL_MSG_RECEIVE((unsigned int)msgflg, (unsigned int)msgsz));
}

/* 0, or -1 with errno set: no such flag.  A clock without a time-out is not looked at. */
static int set_timeout(struct kipc_msg_op *op, clockid_t clock, int flags,
		       const struct kipc_timespec64 *timeout)
{
	if (flags & ~TIMER_ABSTIME) {
		errno = EINVAL;
		return -1;
	}
	if (timeout) {
		op->timeout = (uintptr_t)timeout;
		op->timeout_flags = flags & TIMER_ABSTIME ? KIPC_TIMEOUT_ABSOLUTE : 0;
		op->clock = clock;
	}
	return 0;
}

static int send_timed(int msqid, const void *msgp, size_t msgsz, int msgflg, clockid_t clock,
		      int flags, const struct kipc_timespec64 *timeout)
{
	struct kipc_msg_op op = {
		.id = msqid, .flags = msgflg, .msg = (uintptr_t)msgp, .size = sys_msg_size(msgsz),
	};

	if (set_timeout(&op, clock, flags, timeout))
		return -1;
	if (!timeout)
		return kipc_msgsnd(msqid, msgp, msgsz, msgflg);
	return operate(true, &op);
}

static ssize_t receive_timed(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg,
			     clockid_t clock, int flags, const struct kipc_timespec64 *timeout)
{
	struct kipc_msg_op op = {
		.id = msqid, .flags = msgflg, .type = msgtyp, .msg = (uintptr_t)msgp,
		.size = sys_msg_size(msgsz),
	};

	if (set_timeout(&op, clock, flags, timeout))
		return -1;
	if (!timeout)
		return kipc_msgrcv(msqid, msgp, msgsz, msgtyp, msgflg);
	return operate(false, &op);
}

/* Several messages; to the kernel no count means one of another kind. */
static int operate_several(bool is_send, int msqid, const struct kipc_msg_vec *vec,
			   unsigned int count, long msgtyp, int msgflg, clockid_t clock,
			   int flags, const struct kipc_timespec64 *timeout)
{
	struct kipc_msg_op op = {
		.id = msqid, .flags = msgflg, .type = msgtyp, .msg = (uintptr_t)vec,
		.count = count,
	};

	if (!count) {
		errno = EINVAL;
		return -1;
	}
	if (set_timeout(&op, clock, flags, timeout))
		return -1;
	return operate(is_send, &op);
}

#ifdef __i386__

KIPC_PUBLIC int kipc_msgclocksnd_time64(int msqid, const void *msgp, size_t msgsz, int msgflg,
					clockid_t clock, int flags,
					const struct kipc_timespec64 *timeout)
{
	return send_timed(msqid, msgp, msgsz, msgflg, clock, flags, timeout);
}

KIPC_PUBLIC ssize_t kipc_msgclockrcv_time64(int msqid, void *msgp, size_t msgsz, long msgtyp,
					    int msgflg, clockid_t clock, int flags,
					    const struct kipc_timespec64 *timeout)
{
	return receive_timed(msqid, msgp, msgsz, msgtyp, msgflg, clock, flags, timeout);
}

KIPC_PUBLIC int kipc_msgsndv_time64(int msqid, const struct kipc_msg_vec *vec,
				    unsigned int count, int msgflg, clockid_t clock, int flags,
				    const struct kipc_timespec64 *timeout)
{
	return operate_several(true, msqid, vec, count, 0, msgflg, clock, flags, timeout);
}

KIPC_PUBLIC int kipc_msgrcvv_time64(int msqid, struct kipc_msg_vec *vec, unsigned int count,
				    long msgtyp, int msgflg, clockid_t clock, int flags,
				    const struct kipc_timespec64 *timeout)
{
	return operate_several(false, msqid, vec, count, msgtyp, msgflg, clock, flags, timeout);
}

#endif

KIPC_PUBLIC int kipc_msgclocksnd(int msqid, const void *msgp, size_t msgsz, int msgflg,
				 clockid_t clock, int flags, const struct timespec *timeout)
{
	return send_timed(msqid, msgp, msgsz, msgflg, clock, flags, WIDEN(timeout));
}

KIPC_PUBLIC ssize_t kipc_msgclockrcv(int msqid, void *msgp, size_t msgsz, long msgtyp,
				     int msgflg, clockid_t clock, int flags,
				     const struct timespec *timeout)
{
	return receive_timed(msqid, msgp, msgsz, msgtyp, msgflg, clock, flags, WIDEN(timeout));
}

KIPC_PUBLIC int kipc_msgsndv(int msqid, const struct kipc_msg_vec *vec, unsigned int count,
			     int msgflg, clockid_t clock, int flags,
			     const struct timespec *timeout)
{
	return operate_several(true, msqid, vec, count, 0, msgflg, clock, flags, WIDEN(timeout));
}

KIPC_PUBLIC int kipc_msgrcvv(int msqid, struct kipc_msg_vec *vec, unsigned int count,
			     long msgtyp, int msgflg, clockid_t clock, int flags,
			     const struct timespec *timeout)
{
	return operate_several(false, msqid, vec, count, msgtyp, msgflg, clock, flags,
			       WIDEN(timeout));
}

static KIPC_SLOW int control_slow(int fd, long ret, int msqid, int cmd, struct msqid_ds *buf)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_msg_ctl(fd, msqid, cmd, buf);
	}
	return ret;
}

KIPC_PUBLIC int kipc_msgctl(int msqid, int cmd, struct msqid_ds *buf)
{
	int fd = kipc_process_device();
	long ret;

	cmd &= ~SYS_IPC_64;
	ret = sys_msg_ctl(fd, msqid, cmd, buf);
	if (likely(ret >= 0))
		return ret;
	return control_slow(fd, ret, msqid, cmd, buf);
}

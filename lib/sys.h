/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the kernel is entered: one inline function for each call, which returns
 * what the kernel returns, an error as -errno.
 *
 * The instruction itself instead of the C library's wrappers, for these reasons:
 * errno stays untouched (a success must preserve it, and the calls may run in a
 * signal handler or in a child that shares its parent's memory), there is no
 * cancellation point, and no other preloaded library gets in between (fakeroot
 * would answer statx() with a device number of its own).
 *
 * Level 0.  No other file knows that kipc's calls are ioctls, and advice.
 */
#ifndef KIPC_SYS_H
#define KIPC_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <linux/kipc.h>

#if defined(__x86_64__) && !defined(__ILP32__)

static inline long sys_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret;

	__asm__ volatile("syscall"
			 : "=a" (ret)
			 : "0" (number), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long sys_call4(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a" (ret)
			 : "0" (number), "D" (a), "S" (b), "d" (c), "r" (r10)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long sys_call3(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a" (ret)
			 : "0" (number), "D" (a), "S" (b), "d" (c)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__i386__)

static inline long sys_call(long number, long a, long b, long c, long d, long e)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a" (ret)
			 : "0" (number), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
			 : "memory");
	return ret;
}

static inline long sys_call3(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a" (ret)
			 : "0" (number), "b" (a), "c" (b), "d" (c)
			 : "memory");
	return ret;
}

#else

#include <unistd.h>

static inline long sys_call(long number, long a, long b, long c, long d, long e)
{
	int saved = errno;
	long ret = syscall(number, a, b, c, d, e);

	if (ret == -1)
		ret = -errno;
	errno = saved;
	return ret;
}

static inline long sys_call3(long number, long a, long b, long c)
{
	return sys_call(number, a, b, c, 0, 0);
}

#endif

static inline long sys_ioctl(int fd, unsigned long request, void *arg)
{
	return sys_call3(SYS_ioctl, fd, (long)request, (long)arg);
}

/*
 * What the C library adds to a command for its own system call, to have the layouts
 * of today.  On 32-bit machines it has always taken it from programs too; elsewhere
 * native knows no such flag: EINVAL.
 */
#ifdef __i386__
#define SYS_IPC_64	0x100
#else
#define SYS_IPC_64	0
#endif

/* kipc's own calls.  @fd: a descriptor of the device. */

static inline long sys_query(int fd, struct kipc_query *query)
{
	return sys_ioctl(fd, KIPC_IOC_QUERY, query);
}

/* *@value: in when KIPC_LIMIT_SET is in @flags; out, the value in force */
static inline long sys_limit(int fd, unsigned int limit, unsigned int flags, uint64_t *value)
{
	struct kipc_limit arg = { .limit = limit, .flags = flags, .value = *value };
	long ret = sys_ioctl(fd, KIPC_IOC_LIMIT, &arg);

	*value = arg.value;
	return ret;
}

/* A key and the flags of its get call travel in one word, as the kernel takes them. */
static inline uint64_t sys_key(key_t key, int flags)
{
	return (uint64_t)flags << 32 | (uint32_t)key;
}

static inline long sys_shm_get_lifetime(int fd, uint64_t key, size_t size, unsigned int lifetime)
{
	struct kipc_shm_get arg = {
		.key = (uint32_t)key, .flags = key >> 32, .size = size, .lifetime = lifetime,
	};

	return sys_ioctl(fd, KIPC_IOC_SHM_GET, &arg);
}

static inline long sys_shm_get(int fd, uint64_t key, size_t size)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)key, (long)size, KIPC_CALL_SHM_GET);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (uint32_t)key, key >> 32, (long)size,
			KIPC_CALL_SHM_GET);
#else
	return sys_shm_get_lifetime(fd, key, size, KIPC_LIFETIME_PERSISTENT);
#endif
}

/* *@addr: in, the address wanted or NULL; out, that of the attachment */
static inline long sys_shm_attach(int fd, int id, const void **addr, int flags)
{
	struct kipc_shm_attach arg = { .id = id, .flags = flags, .addr = (uintptr_t)*addr };
	long ret = sys_ioctl(fd, KIPC_IOC_SHM_ATTACH, &arg);

	*addr = (const void *)(uintptr_t)arg.addr;
	return ret;
}

static inline long sys_shm_detach(int fd, const void *addr)
{
	struct kipc_shm_detach arg = { .addr = (uintptr_t)addr };

	return sys_ioctl(fd, KIPC_IOC_SHM_DETACH, &arg);
}

static inline long sys_shm_ctl(int fd, int id, int cmd, void *buf)
{
	struct kipc_shm_ctl arg = { .id = id, .cmd = cmd, .buf = (uintptr_t)buf };

	return sys_ioctl(fd, KIPC_IOC_SHM_CTL, &arg);
}

static inline long sys_shm_adopt(int fd, key_t key, int memfd, unsigned int mode)
{
	struct kipc_shm_adopt arg = { .key = key, .flags = mode, .fd = memfd };

	return sys_ioctl(fd, KIPC_IOC_SHM_ADOPT, &arg);
}

static inline long sys_shm_export(int fd, int id, unsigned int flags)
{
	struct kipc_shm_export arg = { .id = id, .flags = flags };

	return sys_ioctl(fd, KIPC_IOC_SHM_EXPORT, &arg);
}

static inline long sys_sem_get_lifetime(int fd, uint64_t key, int nsems, unsigned int lifetime)
{
	struct kipc_sem_get arg = {
		.key = (uint32_t)key, .flags = key >> 32, .nsems = nsems, .lifetime = lifetime,
	};

	return sys_ioctl(fd, KIPC_IOC_SEM_GET, &arg);
}

static inline long sys_sem_get(int fd, uint64_t key, int nsems)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)key, (uint32_t)nsems, KIPC_CALL_SEM_GET);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (uint32_t)key, key >> 32, nsems, KIPC_CALL_SEM_GET);
#else
	return sys_sem_get_lifetime(fd, key, nsems, KIPC_LIFETIME_PERSISTENT);
#endif
}

/* @flags: KIPC_TIMEOUT_*, for the time-out that follows */
static inline long sys_sem_op_timed(int fd, int id, const struct sembuf *sops, unsigned int nsops,
				    unsigned int flags, unsigned int clock, const void *timeout)
{
	struct kipc_sem_op arg = {
		.id = id, .nsops = nsops, .sops = (uintptr_t)sops,
		.timeout = (uintptr_t)timeout, .flags = flags, .clock = clock,
	};

	return sys_ioctl(fd, KIPC_IOC_SEM_OP, &arg);
}

/*
 * A set and the number of operations travel in one word too.  Native takes the lower
 * 32 bits of that number, and so do we.
 */
static inline uint64_t sys_sem_ops(int id, unsigned int nsops)
{
	return (uint64_t)nsops << 32 | (uint32_t)id;
}

static inline long sys_sem_op(int fd, uint64_t id_nsops, const struct sembuf *sops)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)id_nsops, (long)sops, KIPC_CALL_SEM_OP);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (uint32_t)id_nsops, id_nsops >> 32, (long)sops,
			KIPC_CALL_SEM_OP);
#else
	return sys_sem_op_timed(fd, (uint32_t)id_nsops, sops, id_nsops >> 32, 0, 0, NULL);
#endif
}

/* The short way takes these commands; of 32-bit programs it takes no argument. */
static inline bool sys_is_short_sem_ctl(int cmd)
{
	switch (cmd) {
#if defined(__x86_64__)
	case SETVAL:
#endif
#if defined(__x86_64__) || defined(__i386__)
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case IPC_RMID:
		return true;
#endif
	default:
		return false;
	}
}

static inline long sys_sem_ctl(int fd, int id, int num, int cmd, unsigned long value)
{
	struct kipc_sem_ctl arg;

	if (sys_is_short_sem_ctl(cmd)) {
#if defined(__x86_64__)
		return sys_call4(SYS_fadvise64, fd, (long)((uint64_t)num << 32 | (uint32_t)id),
				 (long)(value << 32 | (uint32_t)cmd), KIPC_CALL_SEM_CTL);
#elif defined(__i386__)
		return sys_call(SYS_fadvise64, fd, id, num, cmd, KIPC_CALL_SEM_CTL);
#endif
	}
	arg = (struct kipc_sem_ctl){ .id = id, .num = num, .cmd = cmd, .arg = value };
	return sys_ioctl(fd, KIPC_IOC_SEM_CTL, &arg);
}

static inline long sys_msg_get_lifetime(int fd, uint64_t key, unsigned int lifetime)
{
	struct kipc_msg_get arg = {
		.key = (uint32_t)key, .flags = key >> 32, .lifetime = lifetime,
	};

	return sys_ioctl(fd, KIPC_IOC_MSG_GET, &arg);
}

static inline long sys_msg_get(int fd, uint64_t key)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)key, 0, KIPC_CALL_MSG_GET);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (uint32_t)key, key >> 32, 0, KIPC_CALL_MSG_GET);
#else
	return sys_msg_get_lifetime(fd, key, KIPC_LIFETIME_PERSISTENT);
#endif
}

/* Native takes the size of a message for a signed number, and refuses a negative one. */
static inline uint64_t sys_msg_size(size_t size)
{
	return (uint64_t)(ssize_t)size;
}

static inline long sys_msg_op(int fd, bool is_send, const struct kipc_msg_op *op)
{
	return sys_ioctl(fd, is_send ? KIPC_IOC_MSG_SEND : KIPC_IOC_MSG_RECEIVE, (void *)op);
}

/* What sys_msg_short() takes.  Of flags it has no place for only MSG_COPY means anything. */

static inline bool sys_is_short_send(size_t size)
{
#if defined(__x86_64__) || defined(__i386__)
	return size <= KIPC_CALL_MSG_SIZE;
#else
	(void)size;
	return false;
#endif
}

static inline bool sys_is_short_receive(size_t size, long type, int flags)
{
	return sys_is_short_send(size) && type == (int32_t)type && !(flags & MSG_COPY);
}

/* A queue and the type to receive travel in one word; to send: type 0. */
static inline uint64_t sys_msg_id_type(int id, long type)
{
	return (uint64_t)type << 32 | (uint32_t)id;
}

/* @call: KIPC_CALL_MSG_SEND() or KIPC_CALL_MSG_RECEIVE() */
static inline long sys_msg_short(int fd, uint64_t id_type, const void *msg, unsigned int call)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)id_type, (long)msg, call);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (uint32_t)id_type, id_type >> 32, (long)msg, call);
#else
	(void)fd, (void)id_type, (void)msg, (void)call;
	return -ENOSYS;	/* nothing is short */
#endif
}

static inline long sys_msg_ctl(int fd, int id, int cmd, void *buf)
{
	struct kipc_msg_ctl arg = { .id = id, .cmd = cmd, .buf = (uintptr_t)buf };

	return sys_ioctl(fd, KIPC_IOC_MSG_CTL, &arg);
}

/* Names, and POSIX objects.  @name: without a slash; @serial: out, which object it is */
static inline long sys_name_open(int fd, const struct kipc_name_open *what, uint64_t *serial)
{
	struct kipc_name_open open = *what;
	long ret = sys_ioctl(fd, KIPC_IOC_NAME_OPEN, &open);

	*serial = open.serial;
	return ret;
}

static inline long sys_name_unlink(int fd, unsigned int kind, const char *name)
{
	struct kipc_name_unlink unlink = { .name = (uintptr_t)name, .kind = kind };

	return sys_ioctl(fd, KIPC_IOC_NAME_UNLINK, &unlink);
}

static inline long sys_name_adopt(int fd, const char *name, int memfd, unsigned int mode)
{
	struct kipc_name_adopt arg = { .name = (uintptr_t)name, .fd = memfd, .mode = mode };

	return sys_ioctl(fd, KIPC_IOC_NAME_ADOPT, &arg);
}

static inline long sys_posix_sem_op(int fd, const void *addr, unsigned int op)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)addr, op, KIPC_CALL_POSIX_SEM_OP);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (long)addr, 0, op, KIPC_CALL_POSIX_SEM_OP);
#else
	struct kipc_posix_sem_op arg = { .addr = (uintptr_t)addr, .op = op };

	return sys_ioctl(fd, KIPC_IOC_POSIX_SEM_OP, &arg);
#endif
}

static inline long sys_posix_sem_wait(int fd, struct kipc_posix_sem_op *op)
{
	op->taken = 0;
	return sys_ioctl(fd, KIPC_IOC_POSIX_SEM_OP, op);
}

/*
 * Calls on a POSIX message queue, which is a handle.  A size and a priority travel in one
 * word; received, the size is returned, and the priority above it.
 */

static inline bool sys_is_short_mq_send(size_t size)
{
#if defined(__x86_64__) || defined(__i386__)
	return size <= UINT32_MAX;
#else
	(void)size;
	return false;
#endif
}

static inline bool sys_is_short_mq_receive(size_t size)
{
	return sys_is_short_mq_send(size) && size <= KIPC_CALL_MQ_SIZE;
}

static inline long sys_mq_send(int fd, const void *msg, size_t size, unsigned int priority)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)((uint64_t)priority << 32 | size), (long)msg,
			 KIPC_CALL_MQ_SEND);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (long)size, (long)priority, (long)msg,
			KIPC_CALL_MQ_SEND);
#else
	(void)fd, (void)msg, (void)size, (void)priority;
	return -ENOSYS;	/* nothing is short */
#endif
}

static inline long sys_mq_receive(int fd, void *msg, size_t size)
{
#if defined(__x86_64__)
	return sys_call4(SYS_fadvise64, fd, (long)size, (long)msg, KIPC_CALL_MQ_RECEIVE);
#elif defined(__i386__)
	return sys_call(SYS_fadvise64, fd, (long)size, 0, (long)msg, KIPC_CALL_MQ_RECEIVE);
#else
	(void)fd, (void)msg, (void)size;
	return -ENOSYS;
#endif
}

static inline long sys_mq_attr(int fd, struct kipc_mq_attr *attr)
{
	return sys_ioctl(fd, KIPC_IOC_MQ_ATTR, attr);
}

/* Mapping what operations without a system call need. */

static inline long sys_process_map(int fd, struct kipc_process_map *map)
{
	return sys_ioctl(fd, KIPC_IOC_PROCESS_MAP, map);
}

static inline long sys_process_cut(int fd)
{
	return sys_ioctl(fd, KIPC_IOC_PROCESS_CUT, NULL);
}

static inline long sys_sem_map(int fd, struct kipc_sem_map *map)
{
	return sys_ioctl(fd, KIPC_IOC_SEM_MAP, map);
}

static inline long sys_getpid(void)
{
	return sys_call3(SYS_getpid, 0, 0, 0);
}

static inline long sys_gettid(void)
{
	return sys_call3(SYS_gettid, 0, 0, 0);
}

static inline long sys_tgkill(int pid, int tid, int signal)
{
	return sys_call3(SYS_tgkill, pid, tid, signal);
}

/*
 * Can the kernel read these bytes, at most a page of them?  For what the library
 * reads in its place: a bad pointer is an error of the call, not a signal.  A
 * signal set, 8 bytes, is read before it is asked what to do with it; -1 is nothing.
 */
static inline bool sys_is_readable(const void *data, size_t size)
{
	uintptr_t first = (uintptr_t)data & ~7ul;
	uintptr_t last = ((uintptr_t)data + size - 1) & ~7ul;

	return sys_call(SYS_rt_sigprocmask, -1, first, 0, 8, 0) != -EFAULT &&
	       (first >> 12 == last >> 12 ||
		sys_call(SYS_rt_sigprocmask, -1, last, 0, 8, 0) != -EFAULT);
}

/* Can it write there?  It does so: the mask of signals, to both ends of the 8 bytes or more. */
static inline bool sys_is_writable(void *data, size_t size)
{
	return sys_call(SYS_rt_sigprocmask, 0, 0, (long)data, 8, 0) != -EFAULT &&
	       sys_call(SYS_rt_sigprocmask, 0, 0, (long)data + (long)size - 8, 8, 0) != -EFAULT;
}

/* What it takes to hold a descriptor. */

static inline long sys_open(const char *path, int flags)
{
	return sys_call(SYS_openat, AT_FDCWD, (long)path, flags, 0, 0);
}

static inline long sys_close(int fd)
{
	return sys_call3(SYS_close, fd, 0, 0);
}

static inline long sys_dup_from(int fd, int lowest)
{
	return sys_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
}

static inline long sys_type(int fd, struct statx *st)
{
	return sys_call(SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_TYPE, (long)st);
}

static inline long sys_status_flags(int fd)
{
	return sys_call3(SYS_fcntl, fd, F_GETFL, 0);
}

static inline long sys_write(int fd, const void *data, size_t size)
{
	return sys_call3(SYS_write, fd, (long)data, (long)size);
}

#endif /* KIPC_SYS_H */

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libkipc-preload: the C library's names for unmodified programs.
 *
 * Which System V IPC serves the process is decided once, when it first needs
 * to be known, and children inherit it: kipc, or native if kipc is not there
 * and KIPC_FALLBACK=native is in the environment.  Without that variable the
 * answer is always kipc, and if kipc is not there the calls fail.
 *
 * A program that uses no IPC pays nothing: there is no constructor, and the
 * wrappers of functions that other programs use too add a few instructions.
 * The C library's own function is found at the first call of each wrapper; the
 * ones that must not have a frame of their own are in preload_entry.S.
 *
 * Level 4.
 */
#undef _FILE_OFFSET_BITS	/* open and open64 are two names here */
#undef _TIME_BITS
#undef _FORTIFY_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kipc.h>

#include "preload.h"
#include "process.h"
#include "sem.h"
#include "sys.h"

/* For preload_entry.S only. */
long kipc_preload_syscall(long number, long a, long b, long c, long d, long e, long f);
void *kipc_preload_find_dlopen(void);
void *kipc_preload_find_dlmopen(void);

void *kipc_preload_dlopen;
void *kipc_preload_dlmopen;

int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

/* The decision. */

int kipc_preload_backend;

int kipc_preload_decide(void)
{
	const char *fallback = secure_getenv("KIPC_FALLBACK");
	int decision = PRELOAD_KIPC, was = PRELOAD_UNDECIDED;
	int saved = errno;

	if (fallback && strcmp(fallback, "native") == 0) {
		switch (kipc_process_hold()) {
		case -ENOSYS:
		case -EACCES:
			decision = PRELOAD_NATIVE;
			break;
		case -EMFILE:
		case -ENFILE:
		case -ENOMEM:
			/* Passing: let this call fail and the next one decide. */
			errno = saved;
			return PRELOAD_KIPC;
		}
	}
	errno = saved;
	if (!__atomic_compare_exchange_n(&kipc_preload_backend, &was, decision, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return was;
	return decision;
}

#ifdef __i386__
/* The calls of ipc(2); see <linux/ipc.h>, which cannot be had beside <sys/ipc.h>. */
enum {
	IPC_SEMOP = 1, IPC_SEMGET = 2, IPC_SEMCTL = 3, IPC_SEMTIMEDOP = 4,
	IPC_MSGSND = 11, IPC_MSGRCV = 12, IPC_MSGGET = 13, IPC_MSGCTL = 14,
	IPC_SHMAT = 21, IPC_SHMDT = 22, IPC_SHMGET = 23, IPC_SHMCTL = 24,
};

/*
 * Has the command a structure of which there is another layout, with 16-bit ids?
 * ipc(2) means that one when it is not told IPC_64, and so did the C library before
 * 1999.  It is not spoken: EINVAL.
 */
static bool has_old_layout(int kind, int cmd)
{
	if (cmd & SYS_IPC_64)
		return false;
	switch (kind) {
	case KIPC_KIND_SHM:
		return cmd != IPC_RMID && cmd != SHM_LOCK && cmd != SHM_UNLOCK;
	case KIPC_KIND_SEM:
		return cmd == IPC_STAT || cmd == IPC_SET || cmd == SEM_STAT || cmd == SEM_STAT_ANY;
	default:
		return cmd == IPC_STAT || cmd == IPC_SET || cmd == MSG_STAT || cmd == MSG_STAT_ANY;
	}
}
#endif

/* Segments. */

KIPC_PUBLIC int shmget(key_t key, size_t size, int shmflg)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_shmget, key, size, shmflg, 0, 0, 0);
	return kipc_shmget(key, size, shmflg);
}

KIPC_PUBLIC void *shmat(int shmid, const void *shmaddr, int shmflg)
{
	if (unlikely(is_native()))
		return (void *)kipc_preload_native(SYS_shmat, shmid, (long)shmaddr, shmflg,
						   0, 0, 0);
	return kipc_shmat(shmid, shmaddr, shmflg);
}

KIPC_PUBLIC int shmdt(const void *shmaddr)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_shmdt, (long)shmaddr, 0, 0, 0, 0, 0);
	return kipc_shmdt(shmaddr);
}

static int control(int shmid, int cmd, struct shmid_ds *buf)
{
	/* This number of the call has no other layout, and no such flag. */
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_shmctl, shmid, cmd & ~SYS_IPC_64, (long)buf,
					   0, 0, 0);
	return kipc_shmctl(shmid, cmd, buf);
}

KIPC_PUBLIC int shmctl(int shmid, int cmd, struct shmid_ds *buf)
{
	return control(shmid, cmd, buf);
}

#ifdef __i386__
/* What _TIME_BITS=64 makes of shmctl: the same layout, see shm.c. */
KIPC_PUBLIC int __shmctl64(int shmid, int cmd, struct shmid_ds *buf);

KIPC_PUBLIC int __shmctl64(int shmid, int cmd, struct shmid_ds *buf)
{
	return control(shmid, cmd, buf);
}
#endif

/* Sets of semaphores. */

KIPC_PUBLIC int semget(key_t key, int nsems, int semflg)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_semget, key, nsems, semflg, 0, 0, 0);
	return kipc_semget(key, nsems, semflg);
}

KIPC_PUBLIC int semop(int semid, struct sembuf *sops, size_t nsops)
{
	if (unlikely(is_native()))
#ifdef __i386__
		return kipc_preload_native(SYS_ipc, IPC_SEMOP, semid, nsops, 0, (long)sops, 0);
#else
		return kipc_preload_native(SYS_semop, semid, (long)sops, nsops, 0, 0, 0);
#endif
	return kipc_semop(semid, sops, nsops);
}

KIPC_PUBLIC int semtimedop(int semid, struct sembuf *sops, size_t nsops,
			   const struct timespec *timeout)
{
	if (unlikely(is_native()))
#ifdef __i386__
		return kipc_preload_native(SYS_ipc, IPC_SEMTIMEDOP, semid, nsops, 0, (long)sops,
					   (long)timeout);
#else
		return kipc_preload_native(SYS_semtimedop, semid, (long)sops, nsops,
					   (long)timeout, 0, 0);
#endif
	return kipc_semtimedop(semid, sops, nsops, timeout);
}

static int control_set(int semid, int semnum, int cmd, unsigned long arg)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_semctl, semid, semnum, cmd & ~SYS_IPC_64, arg,
					   0, 0);
	return kipc_semctl_argument(semid, semnum, cmd, arg);
}

KIPC_PUBLIC int semctl(int semid, int semnum, int cmd, ...)
{
	return control_set(semid, semnum, cmd, KIPC_SEMCTL_ARGUMENT(cmd));
}

#ifdef __i386__

/* What _TIME_BITS=64 makes of the last two. */
KIPC_PUBLIC int __semtimedop64(int semid, struct sembuf *sops, size_t nsops,
			       const struct kipc_timespec64 *timeout);
KIPC_PUBLIC int __semctl64(int semid, int semnum, int cmd, ...);

KIPC_PUBLIC int __semtimedop64(int semid, struct sembuf *sops, size_t nsops,
			       const struct kipc_timespec64 *timeout)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_semtimedop_time64, semid, (long)sops, nsops,
					   (long)timeout, 0, 0);
	return kipc_semtimedop_time64(semid, sops, nsops, timeout);
}

KIPC_PUBLIC int __semctl64(int semid, int semnum, int cmd, ...)
{
	return control_set(semid, semnum, cmd, KIPC_SEMCTL_ARGUMENT(cmd));
}

#endif

/* Queues of messages. */

KIPC_PUBLIC int msgget(key_t key, int msgflg)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_msgget, key, msgflg, 0, 0, 0, 0);
	return kipc_msgget(key, msgflg);
}

/* These two are cancellation points. */

static int send(int msqid, const void *msgp, size_t msgsz, int msgflg)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_msgsnd, msqid, (long)msgp, msgsz, msgflg, 0, 0);
	return kipc_msgsnd(msqid, msgp, msgsz, msgflg);
}

KIPC_PUBLIC int msgsnd(int msqid, const void *msgp, size_t msgsz, int msgflg)
{
	int type = cancellable();

	return no_longer_cancellable(type, send(msqid, msgp, msgsz, msgflg));
}

static ssize_t receive(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_msgrcv, msqid, (long)msgp, msgsz, msgtyp, msgflg,
					   0);
	return kipc_msgrcv(msqid, msgp, msgsz, msgtyp, msgflg);
}

KIPC_PUBLIC ssize_t msgrcv(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg)
{
	int type = cancellable();

	return no_longer_cancellable(type, receive(msqid, msgp, msgsz, msgtyp, msgflg));
}

static int control_queue(int msqid, int cmd, struct msqid_ds *buf)
{
	if (unlikely(is_native()))
		return kipc_preload_native(SYS_msgctl, msqid, cmd & ~SYS_IPC_64, (long)buf,
					   0, 0, 0);
	return kipc_msgctl(msqid, cmd, buf);
}

KIPC_PUBLIC int msgctl(int msqid, int cmd, struct msqid_ds *buf)
{
	return control_queue(msqid, cmd, buf);
}

#ifdef __i386__

/* What _TIME_BITS=64 makes of msgctl: the same layout, see msg.c. */
KIPC_PUBLIC int __msgctl64(int msqid, int cmd, struct msqid_ds *buf);

KIPC_PUBLIC int __msgctl64(int msqid, int cmd, struct msqid_ds *buf)
{
	return control_queue(msqid, cmd, buf);
}

/*
 * What programs of before 1999 call msgctl, semctl and shmctl.  The names of today must
 * have a version too, or they could answer for these.
 */
#define OLD_VERSION(old, name)						\
	__asm__(".symver " #old ", " #name "@GLIBC_2.0");		\
	__asm__(".symver " #name ", " #name "@@@GLIBC_2.2")

KIPC_PUBLIC int old_msgctl(int msqid, int cmd, void *buf);
KIPC_PUBLIC int old_semctl(int semid, int semnum, int cmd, ...);
KIPC_PUBLIC int old_shmctl(int shmid, int cmd, void *buf);

OLD_VERSION(old_msgctl, msgctl);
OLD_VERSION(old_semctl, semctl);
OLD_VERSION(old_shmctl, shmctl);

KIPC_PUBLIC int old_msgctl(int msqid, int cmd, void *buf)
{
	if (is_native())
		return kipc_preload_native(SYS_ipc, IPC_MSGCTL, msqid, cmd, 0, (long)buf, 0);
	if (has_old_layout(KIPC_KIND_MSG, cmd))
		return kipc_preload_error(EINVAL);
	return kipc_msgctl(msqid, cmd, buf);
}

KIPC_PUBLIC int old_semctl(int semid, int semnum, int cmd, ...)
{
	unsigned long arg = KIPC_SEMCTL_ARGUMENT(cmd);

	if (is_native())
		return kipc_preload_native(SYS_ipc, IPC_SEMCTL, semid, semnum, cmd, (long)&arg, 0);
	if (has_old_layout(KIPC_KIND_SEM, cmd))
		return kipc_preload_error(EINVAL);
	return kipc_semctl_argument(semid, semnum, cmd, arg);
}

KIPC_PUBLIC int old_shmctl(int shmid, int cmd, void *buf)
{
	if (is_native())
		return kipc_preload_native(SYS_ipc, IPC_SHMCTL, shmid, cmd, 0, (long)buf, 0);
	if (has_old_layout(KIPC_KIND_SHM, cmd))
		return kipc_preload_error(EINVAL);
	return kipc_shmctl(shmid, cmd, buf);
}

/* The call multiplexer ipc(2); see <linux/ipc.h>. */
static long ipc_call(long call, long first, long second, long third, long ptr, long fifth)
{
	long ret;

	if (is_native())
		return kipc_preload_native(SYS_ipc, call, first, second, third, ptr, fifth);

	switch (call & 0xffff) {
	case IPC_SEMOP:
		return kipc_semop(first, (struct sembuf *)ptr, second);
	case IPC_SEMGET:
		return kipc_semget(first, second, third);
	case IPC_SEMCTL:
		if (!ptr || has_old_layout(KIPC_KIND_SEM, third))
			break;
		if (!sys_is_readable((const void *)ptr, sizeof(long)))
			return kipc_preload_error(EFAULT);
		return kipc_semctl_argument(first, second, third, *(const unsigned long *)ptr);
	case IPC_SEMTIMEDOP:
		if (fifth && !sys_is_readable((const void *)fifth, sizeof(struct timespec)))
			return kipc_preload_error(EFAULT);
		return kipc_semtimedop(first, (struct sembuf *)ptr, second,
				       (const struct timespec *)fifth);
	case IPC_MSGSND:
		return kipc_msgsnd(first, (const void *)ptr, second, third);
	case IPC_MSGRCV:
		if (call >> 16)
			return kipc_msgrcv(first, (void *)ptr, second, fifth, third);
		/* Before there was a fifth argument: where the message goes, and the type. */
		if (first < 0 || second < 0 || !ptr)
			break;
		if (!sys_is_readable((const void *)ptr, 2 * sizeof(long)))
			return kipc_preload_error(EFAULT);
		return kipc_msgrcv(first, ((void *const *)ptr)[0], second,
				   ((const long *)ptr)[1], third);
	case IPC_MSGGET:
		return kipc_msgget(first, second);
	case IPC_MSGCTL:
		if (has_old_layout(KIPC_KIND_MSG, second))
			break;
		return kipc_msgctl(first, second, (struct msqid_ds *)ptr);
	case IPC_SHMAT:
		/* Of the one version that native has left. */
		if (call >> 16 == 1)
			break;
		ret = (long)kipc_shmat(first, (const void *)ptr, second);
		if (ret == -1)
			return -1;
		*(long *)third = ret;
		return 0;
	case IPC_SHMDT:
		return kipc_shmdt((const void *)ptr);
	case IPC_SHMGET:
		return kipc_shmget(first, second, third);
	case IPC_SHMCTL:
		if (has_old_layout(KIPC_KIND_SHM, second))
			break;
		return kipc_shmctl(first, second, (struct shmid_ds *)ptr);
	default:
		return kipc_preload_native(SYS_ipc, call, first, second, third, ptr, fifth);
	}
	return kipc_preload_error(EINVAL);
}
#endif

/* syscall(2) with a number that is ours. */
long kipc_preload_syscall(long number, long a, long b, long c, long d, long e,
			  long f __attribute__((unused)))
{
	switch ((int)number) {
	case SYS_shmget:
		return shmget(a, b, c);
	case SYS_shmat:
		return (long)shmat(a, (const void *)b, c);
	case SYS_shmdt:
		return shmdt((const void *)a);
	case SYS_shmctl:
		return control(a, b, (struct shmid_ds *)c);
	case SYS_semget:
		return semget(a, b, c);
	case SYS_semctl:
		return control_set(a, b, c, d);
	case SYS_msgget:
		return msgget(a, b);
	case SYS_msgsnd:
		return send(a, (const void *)b, c, d);
	case SYS_msgrcv:
		return receive(a, (void *)b, c, d, e);
	case SYS_msgctl:
		return control_queue(a, b, (struct msqid_ds *)c);
	case SYS_mq_open:
	case SYS_mq_unlink:
	case SYS_mq_timedsend:
	case SYS_mq_timedreceive:
	case SYS_mq_notify:
	case SYS_mq_getsetattr:
#ifdef __i386__
	case SYS_mq_timedsend_time64:
	case SYS_mq_timedreceive_time64:
#endif
		return kipc_preload_mq_syscall(number, a, b, c, d, e);
#ifdef __i386__
	case SYS_semtimedop_time64:
		return __semtimedop64(a, (struct sembuf *)b, c, (const void *)d);
	case SYS_ipc:
		return ipc_call(a, b, c, d, e, f);
#else
	case SYS_semop:
		return semop(a, (struct sembuf *)b, c);
	case SYS_semtimedop:
		return semtimedop(a, (struct sembuf *)b, c, (const struct timespec *)d);
#endif
	}
	return kipc_preload_native(number, a, b, c, d, e, f);
}

long kipc_preload_error(long error)
{
	errno = error;
	return -1;
}

void *kipc_preload_find_dlopen(void)
{
	return find_next(&kipc_preload_dlopen, "dlopen");
}

void *kipc_preload_find_dlmopen(void)
{
	return find_next(&kipc_preload_dlmopen, "dlmopen");
}

/*
 * Losing the device.  In its new root a process may find no /dev/kipc, while
 * native IPC works there: so have the descriptor before, whether or not the
 * program used IPC so far.  And do not let it be swept away with the rest; a
 * program that closes it by name, or puts another file over it, has it opened
 * again if the device can still be reached, and is told if not.
 */
KIPC_PUBLIC int chroot(const char *path)
{
	int saved = errno;

	if (!is_native())
		kipc_process_hold();
	errno = saved;
	return NEXT(chroot)(path);
}

KIPC_PUBLIC int close_range(unsigned int first, unsigned int last, int flags)
{
	__typeof__(&close_range) next = NEXT(close_range);
	int kept = kipc_process_held();

	if (unlikely(!next))
		return kipc_preload_error(ENOSYS);
	if (kept < 0 || (unsigned int)kept < first || (unsigned int)kept > last)
		return next(first, last, flags);
	if ((unsigned int)kept > first && next(first, kept - 1, flags))
		return -1;
	if ((unsigned int)kept < last)
		return next(kept + 1, last, flags);
	return 0;
}

KIPC_PUBLIC void closefrom(int first)
{
	int saved = errno;

	if (kipc_process_held() >= 0)
		close_range(first < 0 ? 0 : first, ~0u, 0);
	else
		NEXT(closefrom)(first);
	errno = saved;
}

/*
 * Files that show native IPC.  The path is looked at after the C library's
 * function was called, because only then it is known to be readable memory.
 */
static const char *redirect(const char *path, bool opened)
{
	static const char *const files[][2] = {
		{ "/proc/sysvipc/shm", "/proc/kipc/shm" },
		{ "/proc/sys/kernel/shmmax", "/proc/kipc/sys/shmmax" },
		{ "/proc/sys/kernel/shmall", "/proc/kipc/sys/shmall" },
		{ "/proc/sys/kernel/shmmni", "/proc/kipc/sys/shmmni" },
		{ "/proc/sys/kernel/shm_rmid_forced", "/proc/kipc/sys/shm_rmid_forced" },
		{ "/proc/sys/kernel/shm_next_id", "/proc/kipc/sys/shm_next_id" },
		{ "/proc/sysvipc/sem", "/proc/kipc/sem" },
		{ "/proc/sys/kernel/sem", "/proc/kipc/sys/sem" },
		{ "/proc/sys/kernel/sem_next_id", "/proc/kipc/sys/sem_next_id" },
		{ "/proc/sysvipc/msg", "/proc/kipc/msg" },
		{ "/proc/sys/kernel/msgmax", "/proc/kipc/sys/msgmax" },
		{ "/proc/sys/kernel/msgmnb", "/proc/kipc/sys/msgmnb" },
		{ "/proc/sys/kernel/msgmni", "/proc/kipc/sys/msgmni" },
		{ "/proc/sys/kernel/msg_next_id", "/proc/kipc/sys/msg_next_id" },
	};
	size_t i;

	/* These errors come after the path was read. */
	if (!opened && errno != ENOENT && errno != EACCES && errno != EPERM && errno != EROFS)
		return NULL;
	if (likely(path[0] != '/' || path[1] != 'p' || strncmp(path, "/proc/sys", 9) != 0))
		return NULL;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(path, files[i][0]) == 0)
			return is_native() ? NULL : files[i][1];
	return NULL;
}

#define DEFINE_FOPEN(name)						\
KIPC_PUBLIC FILE *name(const char *path, const char *mode)		\
{									\
	__typeof__(&name) next = NEXT(name);				\
	FILE *file = next(path, mode);					\
	const char *instead = redirect(path, file);			\
									\
	if (likely(!instead))						\
		return file;						\
	if (file)							\
		fclose(file);						\
	return next(instead, mode);					\
}

#define MODE(flags) ({							\
	mode_t given_ = 0;						\
									\
	if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {	\
		va_list ap_;						\
									\
		va_start(ap_, flags);					\
		given_ = va_arg(ap_, mode_t);				\
		va_end(ap_);						\
	}								\
	given_;								\
})

/* The last arguments are those for the C library's function. */
#define DEFINE_OPEN(name, prototype, mode_, ...)				\
KIPC_PUBLIC int name prototype						\
{									\
	__typeof__(&name) next = NEXT(name);				\
	mode_t mode __attribute__((unused)) = mode_;			\
	int fd = next(__VA_ARGS__);					\
	const char *instead = redirect(path, fd >= 0);			\
									\
	if (likely(!instead))						\
		return fd;						\
	if (fd >= 0)							\
		close(fd);						\
	path = instead;							\
	return next(__VA_ARGS__);					\
}

DEFINE_FOPEN(fopen)
DEFINE_FOPEN(fopen64)

DEFINE_OPEN(open, (const char *path, int flags, ...), MODE(flags), path, flags, mode)
DEFINE_OPEN(open64, (const char *path, int flags, ...), MODE(flags), path, flags, mode)
DEFINE_OPEN(__open, (const char *path, int flags, ...), MODE(flags), path, flags, mode)
DEFINE_OPEN(__open64, (const char *path, int flags, ...), MODE(flags), path, flags, mode)
DEFINE_OPEN(creat, (const char *path, mode_t access), access, path, mode)
DEFINE_OPEN(creat64, (const char *path, mode_t access), access, path, mode)
DEFINE_OPEN(openat, (int dir, const char *path, int flags, ...), MODE(flags),
	    dir, path, flags, mode)
DEFINE_OPEN(openat64, (int dir, const char *path, int flags, ...), MODE(flags),
	    dir, path, flags, mode)

/* What open becomes in a program compiled with _FORTIFY_SOURCE. */
DEFINE_OPEN(__open_2, (const char *path, int flags), 0, path, flags)
DEFINE_OPEN(__open64_2, (const char *path, int flags), 0, path, flags)
DEFINE_OPEN(__openat_2, (int dir, const char *path, int flags), 0, dir, path, flags)
DEFINE_OPEN(__openat64_2, (int dir, const char *path, int flags), 0, dir, path, flags)

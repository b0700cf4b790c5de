// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sets of semaphores: semget(2), semop(2), semtimedop(2), semctl(2).
 *
 * As in shm.c each call is made at once, and kipc_process_recover() sorts out
 * afterwards what can be wrong with the descriptor.
 *
 * Level 3.
 */
#undef _TIME_BITS	/* both kinds of time_t have names of their own here */

#include <errno.h>
#include <kipc.h>

#include "fast_sem.h"
#include "process.h"
#include "sem.h"
#include "sys.h"
#include "timespec64.h"

#ifdef __i386__
/* As with segments, see shm.c: one layout for both kinds of time_t. */
_Static_assert(offsetof(struct semid_ds, sem_otime) == 36 &&
	       offsetof(struct semid_ds, sem_ctime) == 44 &&
	       offsetof(struct semid_ds, sem_nsems) == 52 &&
	       sizeof(struct semid_ds) == 64, "not the kernel's semid64_ds");
#endif

static KIPC_SLOW int get_slow(int fd, uint64_t key, int nsems, long ret)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_sem_get(fd, key, nsems);
	}
	return ret;
}

KIPC_PUBLIC int kipc_semget(key_t key, int nsems, int semflg)
{
	uint64_t key_flags = sys_key(key, semflg);
	int fd = kipc_process_device();
	long ret = sys_sem_get(fd, key_flags, nsems);

	if (likely(ret >= 0))
		return ret;
	return get_slow(fd, key_flags, nsems, ret);
}

KIPC_PUBLIC int kipc_semget_lifetime(key_t key, int nsems, int semflg, unsigned int lifetime)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_sem_get_lifetime(fd, sys_key(key, semflg), nsems, lifetime)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

KIPC_PUBLIC int kipc_semop(int semid, struct sembuf *sops, size_t nsops)
{
	struct kipc_fast *fast = kipc_fast_mapped();

	if (likely(nsops == 1 && fast))
		return kipc_fast_semop(fast, semid, sops);
	return kipc_sem_call(semid, sops, nsops);
}

static int operate_timed(int semid, struct sembuf *sops, unsigned int nsops,
			 unsigned int flags, clockid_t clock,
			 const struct kipc_timespec64 *timeout)
{
	int fd = kipc_process_device();
	long ret;

	/* Whether the time-out is one is the kernel's to say, also when there is no need to wait. */
	while ((ret = sys_sem_op_timed(fd, semid, sops, nsops, flags, clock, timeout)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

static int timed(int semid, struct sembuf *sops, size_t nsops,
		 const struct kipc_timespec64 *timeout)
{
	if (!timeout)
		return kipc_semop(semid, sops, nsops);
	return operate_timed(semid, sops, nsops, 0, CLOCK_MONOTONIC, timeout);
}

static int timed_by_clock(int semid, struct sembuf *sops, size_t nsops, clockid_t clock,
			  int flags, const struct kipc_timespec64 *timeout)
{
	if (flags & ~(TIMER_ABSTIME | KIPC_SEM_OP_OWNER)) {
		errno = EINVAL;
		return -1;
	}
	/* What is orphaned is the kernel's to know. */
	if (!timeout && !(flags & KIPC_SEM_OP_OWNER))
		return kipc_semop(semid, sops, nsops);
	return operate_timed(semid, sops, nsops, kipc_sem_op_flags(flags, timeout),
			     timeout ? clock : 0, timeout);
}

#ifdef __i386__

KIPC_PUBLIC int kipc_semtimedop_time64(int semid, struct sembuf *sops, size_t nsops,
				       const struct kipc_timespec64 *timeout)
{
	return timed(semid, sops, nsops, timeout);
}

KIPC_PUBLIC int kipc_semclockop_time64(int semid, struct sembuf *sops, size_t nsops,
				       clockid_t clock, int flags,
				       const struct kipc_timespec64 *timeout)
{
	return timed_by_clock(semid, sops, nsops, clock, flags, timeout);
}

#endif

KIPC_PUBLIC int kipc_semtimedop(int semid, struct sembuf *sops, size_t nsops,
				const struct timespec *timeout)
{
	return timed(semid, sops, nsops, WIDEN(timeout));
}

KIPC_PUBLIC int kipc_semclockop(int semid, struct sembuf *sops, size_t nsops, clockid_t clock,
				int flags, const struct timespec *timeout)
{
	return timed_by_clock(semid, sops, nsops, clock, flags, WIDEN(timeout));
}

static KIPC_SLOW int control_slow(int fd, long ret, int semid, int semnum, int cmd,
				  unsigned long arg)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_sem_ctl(fd, semid, semnum, cmd, arg);
	}
	return ret;
}

int kipc_semctl_argument(int semid, int semnum, int cmd, unsigned long arg)
{
	struct kipc_fast *fast = kipc_fast_mapped();
	int fd = kipc_process_device();
	long ret;

	cmd &= ~SYS_IPC_64;
	if (cmd == GETVAL && fast) {
		ret = kipc_fast_getval(fast, semid, semnum);
		if (ret >= 0)
			return ret;
	}
	ret = sys_sem_ctl(fd, semid, semnum, cmd, arg);
	if (likely(ret >= 0))
		return ret;
	return control_slow(fd, ret, semid, semnum, cmd, arg);
}

KIPC_PUBLIC int kipc_semctl(int semid, int semnum, int cmd, ...)
{
	return kipc_semctl_argument(semid, semnum, cmd, KIPC_SEMCTL_ARGUMENT(cmd));
}

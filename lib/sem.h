/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sets of semaphores: what sem.c offers to the preload library beside <kipc.h>.
 *
 * Level 3.
 */
#ifndef KIPC_SEM_H
#define KIPC_SEM_H

#include <stdarg.h>
#include <stdint.h>
#include <kipc.h>

#include "process.h"
#include "sys.h"
#include "timespec64.h"

/* The fourth argument of semctl(2); programs define its union themselves. */
union kipc_semun {
	int val;
	void *buf;
};

/* A caller must pass it with these commands only: with others there may be none to read. */
static inline bool kipc_semctl_has_argument(int cmd)
{
	switch (cmd & ~SYS_IPC_64) {
	case SETVAL:
	case GETALL:
	case SETALL:
	case IPC_STAT:
	case IPC_SET:
	case IPC_INFO:
	case SEM_STAT:
	case SEM_STAT_ANY:
	case SEM_INFO:
		return true;
	default:
		return false;
	}
}

/* Flags of the functions as those of the call. */
static inline unsigned int kipc_sem_op_flags(int flags, const void *timeout)
{
	return (timeout && flags & TIMER_ABSTIME ? KIPC_TIMEOUT_ABSOLUTE : 0) |
	       (flags & KIPC_SEM_OP_OWNER);
}

/* It, in a function whose last named parameter is @cmd; zero if there is none. */
#define KIPC_SEMCTL_ARGUMENT(cmd) ({					\
	union kipc_semun given_ = { .buf = NULL };			\
									\
	if (kipc_semctl_has_argument(cmd)) {				\
		va_list ap_;						\
									\
		va_start(ap_, cmd);					\
		given_ = va_arg(ap_, union kipc_semun);			\
		va_end(ap_);						\
	}								\
	(unsigned long)(uintptr_t)given_.buf;				\
})

/* kipc_semctl() with its fourth argument taken out, 0 if the command has none. */
int kipc_semctl_argument(int semid, int semnum, int cmd, unsigned long arg) KIPC_HIDDEN;

#ifdef __i386__
/* What <kipc.h> makes of the names without _time64 when time_t has 64 bits. */
int kipc_semtimedop_time64(int semid, struct sembuf *sops, size_t nsops,
			   const struct kipc_timespec64 *timeout);
int kipc_semclockop_time64(int semid, struct sembuf *sops, size_t nsops, clockid_t clock,
			   int flags, const struct kipc_timespec64 *timeout);
#endif

#endif /* KIPC_SEM_H */

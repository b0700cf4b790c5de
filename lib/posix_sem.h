/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POSIX semaphores: what posix_sem.c offers to the preload library beside <kipc.h>.
 *
 * Level 3.
 */
#ifndef KIPC_POSIX_SEM_H
#define KIPC_POSIX_SEM_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <kipc.h>

#include "process.h"
#include "timespec64.h"

/* Where semaphores are mapped: the first address, and how many bytes; 0 until there is one. */
extern uintptr_t kipc_posix_sem_area KIPC_HIDDEN;
extern uintptr_t kipc_posix_sem_room KIPC_HIDDEN;

/* Is it one that kipc_sem_open() has returned, as far as its address tells? */
static inline bool kipc_is_posix_sem(const sem_t *sem)
{
	return (uintptr_t)sem - kipc_posix_sem_area < kipc_posix_sem_room;
}

/* Take a unit, if that needs no call.  Return: whether. */
bool kipc_sem_try(sem_t *sem) KIPC_HIDDEN;

/* Is it what can be waited for? */
bool kipc_sem_is_time(clockid_t clock, const struct kipc_timespec64 *timeout) KIPC_HIDDEN;

/* kipc_sem_wait() by a call. */
int kipc_sem_wait_called(sem_t *sem) KIPC_HIDDEN;

/*
 * The same, or kipc_sem_clockwait() if there is a time, whatever the size of time_t, by a call
 * that tells in @op, which is not to be filled in before, once a unit was taken.
 */
int kipc_sem_wait_told(struct kipc_posix_sem_op *op, sem_t *sem, clockid_t clock,
		       const struct kipc_timespec64 *timeout) KIPC_HIDDEN;

#ifdef __i386__
/* What <kipc.h> makes of the names without _time64 when time_t has 64 bits. */
int kipc_sem_timedwait_time64(sem_t *sem, const struct kipc_timespec64 *timeout);
int kipc_sem_clockwait_time64(sem_t *sem, clockid_t clock,
			      const struct kipc_timespec64 *timeout);
#endif

#endif /* KIPC_POSIX_SEM_H */

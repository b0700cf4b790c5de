/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Semaphores without a system call: one operation on one semaphore.
 *
 * A set that is operated on again and again is mapped; from then on the operation is a
 * compare and swap on its word, if nothing speaks against it.  Whatever does (it would
 * block, the kernel has the word, the process has other rights now, a process died) is
 * left to the kernel, whose answer is the same.  Documentation/fast_path.rst tells the
 * protocol, selftests/model proves it.
 *
 * What a process has mapped stands in memory that the kernel wipes at fork: a child, by
 * whatever call, starts with nothing.  A child that shares its parent's memory must not
 * come here: kipc_fast_sem_suspend().
 *
 * Level 2.
 */
#ifndef KIPC_FAST_SEM_H
#define KIPC_FAST_SEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/sem.h>

#include "process.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define KIPC_HAS_FAST_SEM

struct kipc_fast;

/*
 * 0, or how many times over children may run in this memory, or where it stands what the
 * process has mapped.  A count that comes to KIPC_FAST_SUSPENDED stays.
 */
#define KIPC_FAST_SUSPENDED	4095
extern uintptr_t kipc_fast KIPC_HIDDEN;

int kipc_fast_semop(struct kipc_fast *fast, int id, struct sembuf *sop) KIPC_HIDDEN;
int kipc_fast_getval(struct kipc_fast *fast, int id, unsigned int num) KIPC_HIDDEN;
void kipc_fast_sem_cut(void) KIPC_HIDDEN;
void kipc_fast_sem_suspend(void) KIPC_HIDDEN;
void kipc_fast_sem_resume(void) KIPC_HIDDEN;

/* What the process has mapped, or NULL: nothing, so everything goes through the kernel. */
static inline struct kipc_fast *kipc_fast_mapped(void)
{
	uintptr_t word = __atomic_load_n(&kipc_fast, __ATOMIC_ACQUIRE);

	return likely(word > KIPC_FAST_SUSPENDED) ? (struct kipc_fast *)word : NULL;
}

#else

#define kipc_fast_mapped()			((void *)0)
#define kipc_fast_semop(fast, id, sop)		kipc_sem_call(id, sop, 1)
#define kipc_fast_getval(fast, id, num)		(-1)
#define kipc_fast_sem_cut()			((void)0)
#define kipc_fast_sem_suspend()			((void)0)
#define kipc_fast_sem_resume()			((void)0)

#endif

int kipc_sem_call(int id, struct sembuf *sops, size_t nsops) KIPC_HIDDEN;

#endif /* KIPC_FAST_SEM_H */

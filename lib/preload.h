/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkipc-preload: what its files have in common: the decision whose IPC serves the
 * process, and how they find what they stand before.
 *
 * Level 4.
 */
#ifndef KIPC_PRELOAD_H
#define KIPC_PRELOAD_H

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/single_threaded.h>

#include "process.h"

/* Which IPC serves the process; see preload.c. */
enum { PRELOAD_UNDECIDED, PRELOAD_KIPC, PRELOAD_NATIVE };

extern int kipc_preload_backend KIPC_HIDDEN;

int kipc_preload_decide(void) KIPC_HIDDEN;

/* preload_entry.S: native system call, with the results of syscall(2). */
long kipc_preload_native(long number, long a, long b, long c, long d, long e, long f);

/* Return: -1, with that errno. */
long kipc_preload_error(long error) KIPC_HIDDEN;

/* syscall(2) with the number of a call on POSIX message queues. */
long kipc_preload_mq_syscall(long number, long a, long b, long c, long d, long e) KIPC_HIDDEN;

static inline bool is_native(void)
{
	int now = __atomic_load_n(&kipc_preload_backend, __ATOMIC_RELAXED);

	if (unlikely(now == PRELOAD_UNDECIDED))
		now = kipc_preload_decide();
	return now == PRELOAD_NATIVE;
}

/*
 * Cancellation points.  The C library has a way of its own to end a thread inside a system
 * call; what others can do is to let it be ended at any instruction meanwhile.
 */
static inline int cancellable(void)
{
	int type = -1;

	if (unlikely(!__libc_single_threaded))
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	return type;
}

static inline long no_longer_cancellable(int type, long ret)
{
	if (unlikely(type >= 0))
		pthread_setcanceltype(type, NULL);
	return ret;
}

/* The next definition of a name that this library takes over. */
static inline void *find_next(void **cache, const char *name)
{
	void *next = __atomic_load_n(cache, __ATOMIC_RELAXED);

	if (unlikely(!next)) {
		next = dlsym(RTLD_NEXT, name);
		__atomic_store_n(cache, next, __ATOMIC_RELAXED);
	}
	return next;
}

#define NEXT(name) ({							\
	static void *cache_;						\
	(__typeof__(&name))find_next(&cache_, #name);			\
})

#endif /* KIPC_PRELOAD_H */

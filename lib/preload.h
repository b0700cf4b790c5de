/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkipc-preload: how its files find what they stand before.
 *
 * Level 4.
 */
#ifndef KIPC_PRELOAD_H
#define KIPC_PRELOAD_H

#include <dlfcn.h>

#include "process.h"

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

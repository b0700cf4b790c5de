/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time-outs as the kernel takes them, whatever the size of the caller's time_t.
 *
 * A file that includes this undefines _TIME_BITS first: its functions for each size
 * have names of their own.
 *
 * Level 0.
 */
#ifndef KIPC_TIMESPEC64_H
#define KIPC_TIMESPEC64_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The kernel's struct timespec; of 32-bit programs the last half of tv_nsec is padding. */
struct kipc_timespec64 {
	int64_t tv_sec;
	long tv_nsec;
#ifdef __i386__
	long padding;
#endif
};

#ifdef __i386__

/* The C library too reads a time-out of the 32-bit kind itself, and may fault. */
#define WIDEN_GIVEN(timeout) \
	(&(struct kipc_timespec64){ .tv_sec = (timeout)->tv_sec, .tv_nsec = (timeout)->tv_nsec })
#define WIDEN(timeout)	((timeout) ? WIDEN_GIVEN(timeout) : NULL)

#else
_Static_assert(sizeof(struct timespec) == sizeof(struct kipc_timespec64) &&
	       offsetof(struct timespec, tv_nsec) == 8, "not the kernel's timespec");

#define WIDEN_GIVEN(timeout)	((const struct kipc_timespec64 *)(timeout))
#define WIDEN(timeout)	WIDEN_GIVEN(timeout)
#endif

#endif /* KIPC_TIMESPEC64_H */

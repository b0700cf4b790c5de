/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process: its descriptor of /dev/kipc.
 *
 * The device is opened by the first call that needs it.  The descriptor carries
 * nothing but the right to call, so it does not matter who opened it, and a
 * child uses its parent's.  The program knows nothing of it and may close it or
 * put another file in its place at any time.  A call therefore just uses the
 * number, and looks closer only when the answer is one that another file, or
 * none, could have given; kipc_process_recover() then opens the device anew.
 *
 * There is no lock and no fork handler: the state is one number, and losing a
 * race costs at most a descriptor opened in vain.  A child that shares memory
 * but not descriptors (vfork, a bare clone) may leave a number that means
 * nothing to its parent: that is the same case again.
 *
 * Level 1.
 */
#ifndef KIPC_PROCESS_H
#define KIPC_PROCESS_H

struct kipc_query;

#define KIPC_PUBLIC	__attribute__((visibility("default")))

/* For the library's own files: no symbol of the shared object. */
#define KIPC_HIDDEN	__attribute__((visibility("hidden")))

/*
 * The second half of a call, in case that it fails at first: a function of its own
 * and out of line, or the first half would have to save its arguments before it
 * enters the kernel.
 */
#define KIPC_SLOW	__attribute__((noinline, cold))

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

extern int kipc_process_fd KIPC_HIDDEN;	/* through kipc_process_device() only */

/* The descriptor to try a call with; -1 if there is none yet. */
static inline int kipc_process_device(void)
{
	return __atomic_load_n(&kipc_process_fd, __ATOMIC_RELAXED);
}

/**
 * kipc_process_recover() - what to do about a call that failed
 * @fd: descriptor it was made with
 * @error: what the kernel said, -errno
 *
 * Return: a descriptor to make the call with again, or -1 with errno set if the
 * failure is the call's own or the device cannot be had.  The latter is said on
 * standard error too, once.
 */
int kipc_process_recover(int fd, long error) KIPC_HIDDEN;

/* The same for a call that is given a descriptor of the caller's: EBADF may be said of that. */
int kipc_process_recover_given(int fd, long error) KIPC_HIDDEN;

/**
 * kipc_process_hold() - have the descriptor now, verified
 *
 * Says nothing.  Return: the descriptor, or -errno.
 */
int kipc_process_hold(void) KIPC_HIDDEN;

/**
 * kipc_process_held() - the descriptor, if there is one
 *
 * Opens nothing.  Return: its number, verified; -1 if there is none or the
 * number is no longer kipc's.
 */
int kipc_process_held(void) KIPC_HIDDEN;

/**
 * kipc_process_ask() - query the module, whatever its version
 * @query: out
 *
 * Return: 0, or -errno.
 */
int kipc_process_ask(struct kipc_query *query) KIPC_HIDDEN;

#endif /* KIPC_PROCESS_H */

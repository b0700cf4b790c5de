// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libkipc-preload: the C library's names of POSIX IPC.
 *
 * Names are looked up in kipc.  Of what a program does with a semaphore, that which it made
 * itself (sem_init) is the C library's: the address tells, in a few instructions.
 *
 * Level 4.
 */
#undef _TIME_BITS	/* both kinds of time_t have names of their own here */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <kipc.h>

#include "name.h"
#include "posix_mq.h"
#include "posix_sem.h"
#include "preload.h"
#include "process.h"
#include "sys.h"

/* ---- Shared memory ---- */

KIPC_PUBLIC int shm_open(const char *name, int oflag, mode_t mode)
{
	if (unlikely(is_native()))
		return NEXT(shm_open)(name, oflag, mode);
	return kipc_shm_open(name, oflag, mode);
}

KIPC_PUBLIC int shm_unlink(const char *name)
{
	if (unlikely(is_native()))
		return NEXT(shm_unlink)(name);
	return kipc_shm_unlink(name);
}

/* ---- Semaphores ---- */

KIPC_PUBLIC sem_t *sem_open(const char *name, int oflag, ...)
{
	unsigned int value = 0;
	mode_t mode = 0;
	va_list ap;

	if (oflag & O_CREAT) {
		va_start(ap, oflag);
		mode = va_arg(ap, mode_t);
		value = va_arg(ap, unsigned int);
		va_end(ap);
	}
	if (unlikely(is_native()))
		return NEXT(sem_open)(name, oflag, mode, value);
	return kipc_sem_open(name, oflag, mode, value);
}

KIPC_PUBLIC int sem_unlink(const char *name)
{
	if (unlikely(is_native()))
		return NEXT(sem_unlink)(name);
	return kipc_sem_unlink(name);
}

KIPC_PUBLIC int sem_close(sem_t *sem)
{
	if (!kipc_is_posix_sem(sem))
		return NEXT(sem_close)(sem);
	return kipc_sem_close(sem);
}

/*
 * Where the C library's functions are, for semaphores that a program has made itself: to pass
 * one on takes a jump.  sem_init() looks for all of them, for sem_post() may be called in a
 * signal handler, which is no place to look.  Until then each leads to a function that does:
 * the semaphore may be one that another process made, in memory they share.
 */
static void find_next_of_sem(void);

#define DEFINE_NEXT(name, parameters, ...)				\
static int find_##name parameters;					\
static __typeof__(&name) next_##name = find_##name;			\
									\
static KIPC_SLOW int find_##name parameters				\
{									\
	find_next_of_sem();						\
	return next_##name(__VA_ARGS__);				\
}

DEFINE_NEXT(sem_post, (sem_t *sem), sem)
DEFINE_NEXT(sem_wait, (sem_t *sem), sem)
DEFINE_NEXT(sem_trywait, (sem_t *sem), sem)
DEFINE_NEXT(sem_getvalue, (sem_t *sem, int *value), sem, value)
DEFINE_NEXT(sem_timedwait, (sem_t *sem, const struct timespec *timeout), sem, timeout)
DEFINE_NEXT(sem_clockwait, (sem_t *sem, clockid_t clock, const struct timespec *timeout),
	    sem, clock, timeout)

#define FIND_NEXT(name)	\
	__atomic_store_n(&next_##name, (__typeof__(&name))dlsym(RTLD_NEXT, #name), __ATOMIC_RELAXED)

static void find_next_of_sem(void)
{
	FIND_NEXT(sem_post);
	FIND_NEXT(sem_wait);
	FIND_NEXT(sem_trywait);
	FIND_NEXT(sem_getvalue);
	FIND_NEXT(sem_timedwait);
	FIND_NEXT(sem_clockwait);
}

KIPC_PUBLIC int sem_init(sem_t *sem, int pshared, unsigned int value)
{
	find_next_of_sem();
	return NEXT(sem_init)(sem, pshared, value);
}

#define PASS_ON(name, ...)	__atomic_load_n(&next_##name, __ATOMIC_RELAXED)(__VA_ARGS__)

KIPC_PUBLIC int sem_post(sem_t *sem)
{
	if (!kipc_is_posix_sem(sem))
		return PASS_ON(sem_post, sem);
	return kipc_sem_post(sem);
}

KIPC_PUBLIC int sem_trywait(sem_t *sem)
{
	if (!kipc_is_posix_sem(sem))
		return PASS_ON(sem_trywait, sem);
	return kipc_sem_trywait(sem);
}

KIPC_PUBLIC int sem_getvalue(sem_t *sem, int *value)
{
	if (!kipc_is_posix_sem(sem))
		return PASS_ON(sem_getvalue, sem, value);
	return kipc_sem_getvalue(sem, value);
}

/*
 * A thread that sleeps can be ended at any instruction, so also when the kernel has given it a
 * unit: what tells so then is in its memory, and the unit is not to go with it.
 */
static void give_back(void *arg)
{
	struct kipc_posix_sem_op *op = arg;

	if (op->taken)
		kipc_sem_post((sem_t *)(uintptr_t)op->addr);
}

/*
 * A thread that is being cancelled may have slept to the end while the signal to it was not yet
 * sent: a signal that comes when the thread is at its own end makes its result PTHREAD_CANCELED,
 * and the unit is lost.  The C library's own cancellation points wait for it, so one follows.
 */
static void meet_cancel(void)
{
	int error = errno;

	if (read(-1, NULL, 0) < 0)
		errno = error;
}

static int wait_cancellable(sem_t *sem, clockid_t clock, const struct kipc_timespec64 *timeout)
{
	struct kipc_posix_sem_op op = { 0 };
	int type, ret;

	pthread_cleanup_push(give_back, &op);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	ret = kipc_sem_wait_told(&op, sem, clock, timeout);
	pthread_setcanceltype(type, NULL);
	meet_cancel();
	pthread_cleanup_pop(0);
	return ret;
}

/* As in the C library, a thread that is to be cancelled is so before it takes anything. */
static void test_cancel(void)
{
	if (unlikely(!__libc_single_threaded))
		pthread_testcancel();
}

/* Apart from what passes on, which is to have no frame. */
static __attribute__((noinline)) int wait_for(sem_t *sem)
{
	test_cancel();
	if (likely(kipc_sem_try(sem)))
		return 0;
	return likely(__libc_single_threaded) ? kipc_sem_wait_called(sem) :
						wait_cancellable(sem, 0, NULL);
}

/* @is_point: also when there is a unit, which in the C library sem_clockwait() is not. */
static __attribute__((noinline)) int wait_until(sem_t *sem, clockid_t clock,
						const struct kipc_timespec64 *timeout,
						bool is_point)
{
	struct kipc_posix_sem_op op;

	if (!kipc_sem_is_time(clock, timeout)) {
		errno = EINVAL;
		return -1;
	}
	if (is_point)
		test_cancel();
	if (likely(kipc_sem_try(sem)))
		return 0;
	return likely(__libc_single_threaded) ? kipc_sem_wait_told(&op, sem, clock, timeout) :
						wait_cancellable(sem, clock, timeout);
}

KIPC_PUBLIC int sem_wait(sem_t *sem)
{
	if (!kipc_is_posix_sem(sem))
		return PASS_ON(sem_wait, sem);
	return wait_for(sem);
}

KIPC_PUBLIC int sem_timedwait(sem_t *sem, const struct timespec *timeout)
{
	if (!kipc_is_posix_sem(sem))
		return PASS_ON(sem_timedwait, sem, timeout);
	return wait_until(sem, CLOCK_REALTIME, WIDEN_GIVEN(timeout), true);
}

KIPC_PUBLIC int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *timeout)
{
	if (!kipc_is_posix_sem(sem))
		return PASS_ON(sem_clockwait, sem, clock, timeout);
	return wait_until(sem, clock, WIDEN_GIVEN(timeout), false);
}

#ifdef __i386__

/* What _TIME_BITS=64 makes of them. */
KIPC_PUBLIC int __sem_timedwait64(sem_t *sem, const struct kipc_timespec64 *timeout);
KIPC_PUBLIC int __sem_clockwait64(sem_t *sem, clockid_t clock,
				  const struct kipc_timespec64 *timeout);

KIPC_PUBLIC int __sem_timedwait64(sem_t *sem, const struct kipc_timespec64 *timeout)
{
	if (!kipc_is_posix_sem(sem))
		return NEXT(__sem_timedwait64)(sem, timeout);
	return wait_until(sem, CLOCK_REALTIME, timeout, true);
}

KIPC_PUBLIC int __sem_clockwait64(sem_t *sem, clockid_t clock,
				  const struct kipc_timespec64 *timeout)
{
	if (!kipc_is_posix_sem(sem))
		return NEXT(__sem_clockwait64)(sem, clock, timeout);
	return wait_until(sem, clock, timeout, false);
}

#endif

/* ---- Message queues: the descriptors are those of the library that opened them ---- */

static mqd_t open_queue(const char *name, int oflag, mode_t mode, struct mq_attr *attr)
{
	if (unlikely(is_native()))
		return NEXT(mq_open)(name, oflag, mode, attr);
	return kipc_mq_open(name, oflag, mode, attr);
}

KIPC_PUBLIC mqd_t mq_open(const char *name, int oflag, ...)
{
	struct mq_attr *attr = NULL;
	mode_t mode = 0;
	va_list ap;

	if (oflag & O_CREAT) {
		va_start(ap, oflag);
		mode = va_arg(ap, mode_t);
		attr = va_arg(ap, struct mq_attr *);
		va_end(ap);
	}
	return open_queue(name, oflag, mode, attr);
}

/* What it becomes in a program compiled with _FORTIFY_SOURCE. */
KIPC_PUBLIC mqd_t __mq_open_2(const char *name, int oflag);

KIPC_PUBLIC mqd_t __mq_open_2(const char *name, int oflag)
{
	return open_queue(name, oflag, 0, NULL);
}

KIPC_PUBLIC int mq_close(mqd_t mqdes)
{
	if (unlikely(is_native()))
		return NEXT(mq_close)(mqdes);
	return kipc_mq_close(mqdes);
}

KIPC_PUBLIC int mq_unlink(const char *name)
{
	if (unlikely(is_native()))
		return NEXT(mq_unlink)(name);
	return kipc_mq_unlink(name);
}

KIPC_PUBLIC int mq_send(mqd_t mqdes, const char *msg, size_t len, unsigned int prio)
{
	int type;

	if (unlikely(is_native()))
		return NEXT(mq_send)(mqdes, msg, len, prio);
	type = cancellable();
	return no_longer_cancellable(type, kipc_mq_send(mqdes, msg, len, prio));
}

KIPC_PUBLIC ssize_t mq_receive(mqd_t mqdes, char *msg, size_t len, unsigned int *prio)
{
	int type;

	if (unlikely(is_native()))
		return NEXT(mq_receive)(mqdes, msg, len, prio);
	type = cancellable();
	return no_longer_cancellable(type, kipc_mq_receive(mqdes, msg, len, prio));
}

KIPC_PUBLIC int mq_timedsend(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
			     const struct timespec *timeout)
{
	int type;

	if (unlikely(is_native()))
		return NEXT(mq_timedsend)(mqdes, msg, len, prio, timeout);
	type = cancellable();
	return no_longer_cancellable(type, kipc_mq_timedsend(mqdes, msg, len, prio, timeout));
}

KIPC_PUBLIC ssize_t mq_timedreceive(mqd_t mqdes, char *restrict msg, size_t len,
				    unsigned int *restrict prio,
				    const struct timespec *restrict timeout)
{
	int type;

	if (unlikely(is_native()))
		return NEXT(mq_timedreceive)(mqdes, msg, len, prio, timeout);
	type = cancellable();
	return no_longer_cancellable(type, kipc_mq_timedreceive(mqdes, msg, len, prio, timeout));
}

KIPC_PUBLIC int mq_notify(mqd_t mqdes, const struct sigevent *event)
{
	if (unlikely(is_native()))
		return NEXT(mq_notify)(mqdes, event);
	return kipc_mq_notify(mqdes, event);
}

KIPC_PUBLIC int mq_getattr(mqd_t mqdes, struct mq_attr *attr)
{
	if (unlikely(is_native()))
		return NEXT(mq_getattr)(mqdes, attr);
	return kipc_mq_getattr(mqdes, attr);
}

KIPC_PUBLIC int mq_setattr(mqd_t mqdes, const struct mq_attr *restrict attr,
			   struct mq_attr *restrict old)
{
	if (unlikely(is_native()))
		return NEXT(mq_setattr)(mqdes, attr, old);
	return kipc_mq_setattr(mqdes, attr, old);
}

#ifdef __i386__

/* What _TIME_BITS=64 makes of them. */
KIPC_PUBLIC int __mq_timedsend_time64(mqd_t mqdes, const char *msg, size_t len,
				      unsigned int prio, const struct kipc_timespec64 *timeout);
KIPC_PUBLIC ssize_t __mq_timedreceive_time64(mqd_t mqdes, char *msg, size_t len,
					     unsigned int *prio,
					     const struct kipc_timespec64 *timeout);

KIPC_PUBLIC int __mq_timedsend_time64(mqd_t mqdes, const char *msg, size_t len,
				      unsigned int prio, const struct kipc_timespec64 *timeout)
{
	int type;

	if (unlikely(is_native()))
		return NEXT(__mq_timedsend_time64)(mqdes, msg, len, prio, timeout);
	type = cancellable();
	return no_longer_cancellable(type, kipc_mq_timedsend_time64(mqdes, msg, len, prio,
								    timeout));
}

KIPC_PUBLIC ssize_t __mq_timedreceive_time64(mqd_t mqdes, char *msg, size_t len,
					     unsigned int *prio,
					     const struct kipc_timespec64 *timeout)
{
	int type;

	if (unlikely(is_native()))
		return NEXT(__mq_timedreceive_time64)(mqdes, msg, len, prio, timeout);
	type = cancellable();
	return no_longer_cancellable(type, kipc_mq_timedreceive_time64(mqdes, msg, len, prio,
								       timeout));
}

#endif

/* ---- syscall(2) ---- */

/* A name as the system calls have it, with the slash that the functions want. */
static const char *read_name(const char *name, char *copy)
{
	size_t i;

	copy[0] = '/';
	for (i = 0; i < PATH_MAX; i++) {
		if ((!i || !((uintptr_t)(name + i) % 4096)) && !sys_is_readable(name + i, 1)) {
			errno = EFAULT;
			return NULL;
		}
		copy[i + 1] = name[i];
		if (!name[i])
			return copy;
	}
	errno = ENAMETOOLONG;
	return NULL;
}

static long call_open(const char *name, int oflag, mode_t mode, struct mq_attr *attr)
{
	char copy[PATH_MAX + 1];

	if (attr && !sys_is_readable(attr, sizeof(*attr)))
		return kipc_preload_error(EFAULT);
	return read_name(name, copy) ? kipc_mq_open(copy, oflag, mode, attr) : -1;
}

static long call_unlink(const char *name)
{
	char copy[PATH_MAX + 1];
	const char *text = read_name(name, copy) ? kipc_mq_text(copy) : NULL;

	return text ? kipc_name_unlink(KIPC_KIND_POSIX_MQ, text) : -1;
}

/* The C library's own SIGEV_THREAD is a message to a socket, which nobody else asks for. */
static long call_notify(mqd_t mqdes, const struct sigevent *event)
{
	if (event && !sys_is_readable(event, sizeof(*event)))
		return kipc_preload_error(EFAULT);
	if (event && event->sigev_notify == SIGEV_THREAD)
		return kipc_preload_error(EINVAL);
	return kipc_mq_notify(mqdes, event);
}

static long call_getsetattr(mqd_t mqdes, const struct mq_attr *new, struct mq_attr *old)
{
	if ((new && !sys_is_readable(new, sizeof(*new))) ||
	    (old && !sys_is_writable(old, sizeof(*old))))
		return kipc_preload_error(EFAULT);
	return kipc_mq_setattr(mqdes, new, old);
}

long kipc_preload_mq_syscall(long number, long a, long b, long c, long d, long e)
{
	const struct kipc_timespec64 *timeout = (const struct kipc_timespec64 *)e;
#ifdef __i386__
	const struct timespec *narrow = (const struct timespec *)e;
	struct kipc_timespec64 wide;
#endif

	if (unlikely(is_native()))
		return kipc_preload_native(number, a, b, c, d, e, 0);
	switch ((int)number) {
	case SYS_mq_open:
		return call_open((const char *)a, b, c, (struct mq_attr *)d);
	case SYS_mq_unlink:
		return call_unlink((const char *)a);
	case SYS_mq_notify:
		return call_notify(a, (const struct sigevent *)b);
	case SYS_mq_getsetattr:
		return call_getsetattr(a, (const struct mq_attr *)b, (struct mq_attr *)c);
	}
#ifdef __i386__
	if (narrow && (number == SYS_mq_timedsend || number == SYS_mq_timedreceive)) {
		if (!sys_is_readable(narrow, sizeof(*narrow)))
			return kipc_preload_error(EFAULT);
		wide = *WIDEN_GIVEN(narrow);
		timeout = &wide;
	}
	if (number == SYS_mq_timedsend_time64)
		number = SYS_mq_timedsend;
#endif
	if (number == SYS_mq_timedsend)
		return kipc_mq_send_by(a, (const char *)b, c, d, CLOCK_REALTIME, timeout);
	return kipc_mq_receive_by(a, (char *)b, c, (unsigned int *)d, CLOCK_REALTIME, timeout);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * POSIX message queues: mq_open(3) and what is done with what it returns.
 *
 * A queue is a handle.  Calls go to it, not to the device: they work where there is none.
 *
 * Level 3.
 */
#undef _TIME_BITS	/* both kinds of time_t have names of their own here */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <kipc.h>

#include "name.h"
#include "posix_mq.h"
#include "sys.h"
#include "timespec64.h"

static int fail(int error)
{
	errno = error;
	return -1;
}

/* A descriptor that is none of a queue has no such call: natively that is EBADF. */
static KIPC_SLOW int fail_call(mqd_t mqdes, int error)
{
	struct kipc_mq_attr attr = { 0 };

	if (error == ENOTTY || (error == EINVAL && sys_mq_attr(mqdes, &attr) < 0))
		error = EBADF;
	return fail(error);
}

/* ---- mq_open, mq_close, mq_unlink ---- */

/* The C library's is one path component behind the slash. */
const char *kipc_mq_text(const char *name)
{
	size_t length;
	int error = 0;

	if (*name++ != '/') {
		errno = EINVAL;
		return NULL;
	}
	length = strlen(name);
	if (!length)
		error = ENOENT;
	else if (length >= PATH_MAX)
		error = ENAMETOOLONG;
	else if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		error = EACCES;
	else if (length > NAME_MAX)
		error = ENAMETOOLONG;
	if (!error)
		return name;
	errno = error;
	return NULL;
}

/* What is no number of messages or bytes is none that the kernel takes either. */
static uint64_t positive(long number)
{
	return number > 0 ? (uint64_t)number : UINT64_MAX;
}

KIPC_PUBLIC mqd_t kipc_mq_open(const char *name, int oflag, ...)
{
	struct kipc_name_open open = {
		.kind = KIPC_KIND_POSIX_MQ,
		.flags = (oflag & (O_ACCMODE | O_CREAT | O_EXCL | O_NONBLOCK)) | O_CLOEXEC,
	};
	const char *text = kipc_mq_text(name);
	const struct mq_attr *attr;
	uint64_t serial;
	va_list ap;

	if (!text)
		return -1;
	open.name = (uintptr_t)text;
	if (oflag & O_CREAT) {
		va_start(ap, oflag);
		open.mode = va_arg(ap, mode_t);
		attr = va_arg(ap, const struct mq_attr *);
		va_end(ap);
		if (attr) {
			open.size = positive(attr->mq_maxmsg);
			open.msgsize = positive(attr->mq_msgsize);
		}
	}
	return kipc_name_open(&open, &serial);
}

KIPC_PUBLIC int kipc_mq_close(mqd_t mqdes)
{
	long ret = sys_close(mqdes);

	return ret < 0 ? fail(-ret) : 0;
}

KIPC_PUBLIC int kipc_mq_unlink(const char *name)
{
	const char *text = kipc_mq_text(name);
	int ret;

	if (!text)
		return -1;
	ret = kipc_name_unlink(KIPC_KIND_POSIX_MQ, text);
	/* What the C library makes of that. */
	if (ret < 0 && errno == EPERM)
		errno = EACCES;
	return ret;
}

/* ---- Operations ---- */

/* As natively a point of time that is none is told of before a descriptor. */
static KIPC_SLOW int fail_by(mqd_t mqdes, int error, const struct kipc_timespec64 *timeout)
{
	fail_call(mqdes, error);
	if (errno == EBADF && timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 ||
					  timeout->tv_nsec >= 1000000000))
		errno = EINVAL;
	return -1;
}

KIPC_SLOW int kipc_mq_send_by(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
			      clockid_t clock, const struct kipc_timespec64 *timeout)
{
	struct kipc_mq_op op = {
		.msg = (uintptr_t)msg, .size = len, .priority = prio,
	};
	long ret;

	if (timeout) {
		op.timeout = (uintptr_t)timeout;
		op.flags = KIPC_TIMEOUT_ABSOLUTE;
		op.clock = clock;
	}
	/* Likewise. */
	if (prio >= KIPC_MQ_PRIORITIES)
		return fail(EINVAL);
	ret = sys_ioctl(mqdes, KIPC_IOC_MQ_SEND, &op);
	return ret < 0 ? fail_by(mqdes, -ret, timeout) : 0;
}

KIPC_SLOW ssize_t kipc_mq_receive_by(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
				     clockid_t clock, const struct kipc_timespec64 *timeout)
{
	struct kipc_mq_op op = {
		.msg = (uintptr_t)msg, .size = len, .priority = (uintptr_t)prio,
	};
	long ret;

	if (timeout) {
		op.timeout = (uintptr_t)timeout;
		op.flags = KIPC_TIMEOUT_ABSOLUTE;
		op.clock = clock;
	}
	ret = sys_ioctl(mqdes, KIPC_IOC_MQ_RECEIVE, &op);
	return ret < 0 ? fail_by(mqdes, -ret, timeout) : ret;
}

KIPC_PUBLIC int kipc_mq_send(mqd_t mqdes, const char *msg, size_t len, unsigned int prio)
{
	long ret;

	if (unlikely(prio >= KIPC_MQ_PRIORITIES))
		return fail(EINVAL);
	if (unlikely(!sys_is_short_mq_send(len)))
		return kipc_mq_send_by(mqdes, msg, len, prio, 0, NULL);
	ret = sys_mq_send(mqdes, msg, len, prio);
	if (likely(ret >= 0))
		return 0;
	/* What other descriptors say of such advice. */
	return fail(ret == -EINVAL || ret == -ESPIPE ? EBADF : -ret);
}

KIPC_PUBLIC ssize_t kipc_mq_receive(mqd_t mqdes, char *msg, size_t len, unsigned int *prio)
{
	long ret;

	if (unlikely(!sys_is_short_mq_receive(len)))
		return kipc_mq_receive_by(mqdes, msg, len, prio, 0, NULL);
	ret = sys_mq_receive(mqdes, msg, len);
	if (unlikely(ret < 0))
		return fail(ret == -EINVAL || ret == -ESPIPE ? EBADF : -ret);
	if (prio)
		*prio = ret >> 16;
	return ret & KIPC_CALL_MQ_SIZE;
}

static int send_until(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
		      clockid_t clock, const struct kipc_timespec64 *timeout)
{
	return timeout ? kipc_mq_send_by(mqdes, msg, len, prio, clock, timeout) :
			 kipc_mq_send(mqdes, msg, len, prio);
}

static ssize_t receive_until(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
			     clockid_t clock, const struct kipc_timespec64 *timeout)
{
	return timeout ? kipc_mq_receive_by(mqdes, msg, len, prio, clock, timeout) :
			 kipc_mq_receive(mqdes, msg, len, prio);
}

#ifdef __i386__

KIPC_PUBLIC int kipc_mq_timedsend_time64(mqd_t mqdes, const char *msg, size_t len,
					 unsigned int prio,
					 const struct kipc_timespec64 *timeout)
{
	return send_until(mqdes, msg, len, prio, CLOCK_REALTIME, timeout);
}

KIPC_PUBLIC ssize_t kipc_mq_timedreceive_time64(mqd_t mqdes, char *msg, size_t len,
						unsigned int *prio,
						const struct kipc_timespec64 *timeout)
{
	return receive_until(mqdes, msg, len, prio, CLOCK_REALTIME, timeout);
}

KIPC_PUBLIC int kipc_mq_clocksend_time64(mqd_t mqdes, const char *msg, size_t len,
					 unsigned int prio, clockid_t clock,
					 const struct kipc_timespec64 *timeout)
{
	return send_until(mqdes, msg, len, prio, clock, timeout);
}

KIPC_PUBLIC ssize_t kipc_mq_clockreceive_time64(mqd_t mqdes, char *msg, size_t len,
						unsigned int *prio, clockid_t clock,
						const struct kipc_timespec64 *timeout)
{
	return receive_until(mqdes, msg, len, prio, clock, timeout);
}

#endif

KIPC_PUBLIC int kipc_mq_timedsend(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
				  const struct timespec *timeout)
{
	return send_until(mqdes, msg, len, prio, CLOCK_REALTIME, WIDEN(timeout));
}

KIPC_PUBLIC ssize_t kipc_mq_timedreceive(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
					 const struct timespec *timeout)
{
	return receive_until(mqdes, msg, len, prio, CLOCK_REALTIME, WIDEN(timeout));
}

KIPC_PUBLIC int kipc_mq_clocksend(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
				  clockid_t clock, const struct timespec *timeout)
{
	return send_until(mqdes, msg, len, prio, clock, WIDEN(timeout));
}

KIPC_PUBLIC ssize_t kipc_mq_clockreceive(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
					 clockid_t clock, const struct timespec *timeout)
{
	return receive_until(mqdes, msg, len, prio, clock, WIDEN(timeout));
}

/* ---- Attributes ---- */

KIPC_PUBLIC int kipc_mq_setattr(mqd_t mqdes, const struct mq_attr *restrict new,
				struct mq_attr *restrict old)
{
	struct kipc_mq_attr attr = { 0 };
	long ret;

	if (new) {
		if (new->mq_flags & ~(long)O_NONBLOCK)
			return fail(EINVAL);
		attr.set = 1;
		attr.flags = new->mq_flags;
	}
	ret = sys_mq_attr(mqdes, &attr);
	if (ret < 0)
		return fail(ret == -ENOTTY || ret == -EINVAL ? EBADF : -ret);
	if (old) {
		memset(old, 0, sizeof(*old));
		old->mq_flags = attr.flags;
		old->mq_maxmsg = attr.maxmsg;
		old->mq_msgsize = attr.msgsize;
		old->mq_curmsgs = attr.curmsgs;
	}
	return 0;
}

KIPC_PUBLIC int kipc_mq_getattr(mqd_t mqdes, struct mq_attr *attr)
{
	return kipc_mq_setattr(mqdes, NULL, attr);
}

/* ---- mq_notify ---- */

/* A thread that waits to be the one in which a function is called. */
struct notice {
	int fd;
	void (*function)(union sigval value);
	union sigval value;
	sigset_t mask;
};

static long notify(mqd_t mqdes, unsigned int how, int signal, uint64_t value)
{
	struct kipc_mq_notify arg = { .how = how, .signal = signal, .value = value };

	return sys_ioctl(mqdes, KIPC_IOC_MQ_NOTIFY, &arg);
}

static void *wait_for_notice(void *arg)
{
	struct notice notice = *(struct notice *)arg;
	uint64_t count;
	ssize_t size;

	free(arg);
	do
		size = read(notice.fd, &count, sizeof(count));
	while (size < 0 && errno == EINTR);
	close(notice.fd);
	if (size <= 0)
		return NULL;
	pthread_sigmask(SIG_SETMASK, &notice.mask, NULL);
	notice.function(notice.value);
	return NULL;
}

/* With the attributes that the function is to be called with; nobody joins it. */
static int start_thread(const pthread_attr_t *attr, struct notice *notice)
{
	int state = PTHREAD_CREATE_JOINABLE, ret;
	pthread_t thread;
	sigset_t all;

	if (attr)
		pthread_attr_getdetachstate(attr, &state);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &notice->mask);
	all = notice->mask;
	ret = pthread_create(&thread, attr, wait_for_notice, notice);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	if (!ret && state == PTHREAD_CREATE_JOINABLE)
		pthread_detach(thread);
	return ret;
}

static int notify_by_thread(mqd_t mqdes, const struct sigevent *event)
{
	struct notice *notice = malloc(sizeof(*notice));
	long fd;
	int ret;

	if (!notice)
		return fail(ENOMEM);
	fd = notify(mqdes, KIPC_MQ_NOTIFY_FD, 0, 0);
	if (fd < 0) {
		free(notice);
		return fail_call(mqdes, -fd);
	}
	notice->fd = fd;
	notice->function = event->sigev_notify_function;
	notice->value = event->sigev_value;
	ret = start_thread(event->sigev_notify_attributes, notice);
	if (!ret)
		return 0;
	free(notice);
	notify(mqdes, KIPC_MQ_NOTIFY_CANCEL, 0, 0);
	sys_close(fd);
	return fail(ret);
}

KIPC_PUBLIC int kipc_mq_notify(mqd_t mqdes, const struct sigevent *event)
{
	long ret;

	if (!event) {
		ret = notify(mqdes, KIPC_MQ_NOTIFY_CANCEL, 0, 0);
	} else if (event->sigev_notify == SIGEV_THREAD) {
		return notify_by_thread(mqdes, event);
	} else if (event->sigev_notify == SIGEV_NONE) {
		ret = notify(mqdes, KIPC_MQ_NOTIFY_NONE, 0, 0);
	} else if (event->sigev_notify == SIGEV_SIGNAL && event->sigev_signo >= 0 &&
		   event->sigev_signo < _NSIG) {
		ret = notify(mqdes, KIPC_MQ_NOTIFY_SIGNAL, event->sigev_signo,
			     (uintptr_t)event->sigev_value.sival_ptr);
	} else {
		return fail(EINVAL);
	}
	return ret < 0 ? fail_call(mqdes, -ret) : 0;
}

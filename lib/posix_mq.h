/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * POSIX message queues: what posix_mq.c offers to the preload library beside <kipc.h>.
 *
 * Level 3.
 */
#ifndef KIPC_POSIX_MQ_H
#define KIPC_POSIX_MQ_H

#include <mqueue.h>
#include <kipc.h>

#include "process.h"
#include "timespec64.h"

/* The name that the kernel knows; NULL with errno as mq_open(3) has it. */
const char *kipc_mq_text(const char *name) KIPC_HIDDEN;

/* Without looking at the memory that is named: a bad address is EFAULT.  No @timeout: none. */
int kipc_mq_send_by(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
		    clockid_t clock, const struct kipc_timespec64 *timeout) KIPC_HIDDEN;
ssize_t kipc_mq_receive_by(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
			   clockid_t clock, const struct kipc_timespec64 *timeout) KIPC_HIDDEN;

#ifdef __i386__
/* What <kipc.h> makes of the names without _time64 when time_t has 64 bits. */
int kipc_mq_timedsend_time64(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
			     const struct kipc_timespec64 *timeout);
ssize_t kipc_mq_timedreceive_time64(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
				    const struct kipc_timespec64 *timeout);
int kipc_mq_clocksend_time64(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
			     clockid_t clock, const struct kipc_timespec64 *timeout);
ssize_t kipc_mq_clockreceive_time64(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
				    clockid_t clock, const struct kipc_timespec64 *timeout);
#endif

#endif /* KIPC_POSIX_MQ_H */

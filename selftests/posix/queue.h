/* SPDX-License-Identifier: GPL-2.0 */
/* POSIX message queues whose messages are numbers, and processes that use them. */
#ifndef KIPC_SELFTESTS_QUEUE_H
#define KIPC_SELFTESTS_QUEUE_H

#include "posix/posix.h"

mqd_t open_numbers(const struct posix *posix, const char *name, int oflag, long maxmsg);
int put(const struct posix *posix, mqd_t q, int number, unsigned int prio);
/* Return: priority << 16 | number, or -1. */
long take(const struct posix *posix, mqd_t q);
/* Return: messages, or -1. */
long queued(const struct posix *posix, mqd_t q);

/* Of a peer: its arguments begin with the implementation, and the queue. */
long do_put(long *arg, void *buf);
long do_take(long *arg, void *buf);
long do_close(long *arg, void *buf);

/* By a peer; without @maxmsg it says nothing of the queue that it would make. */
int peer_open(struct peer *p, const struct posix *posix, const char *name, int oflag, mode_t mode,
	      long maxmsg, long msgsize);
int peer_unlink(struct peer *p, const struct posix *posix, const char *name);
/* Begin one that must sleep.  Return: 0 once it does, -1 if it did not. */
int peer_taking(struct peer *p, const struct posix *posix, int q);
int peer_putting(struct peer *p, const struct posix *posix, int q, int number, int prio);

#endif /* KIPC_SELFTESTS_QUEUE_H */

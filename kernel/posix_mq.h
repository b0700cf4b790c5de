/* SPDX-License-Identifier: GPL-2.0 */
/*
 * POSIX message queues: mq_open and what follows.
 *
 * Such a queue is one of msg.h with a name.  A message's type is what its priority lacks of
 * KIPC_MQ_PRIORITIES, so that the lowest type is received first, and of that the oldest
 * message; the room is counted in messages.
 *
 * Who wants a notice is a watch of the queue (watch.h), one at most: it is told when the
 * lock is given back and there is a message where there was none.  What was handed to a
 * receiver that waited never was there.
 *
 * Level 4.  Locks (object.h): kipc_msg_queue.lock, number 5 in the lock map.
 */
#ifndef KIPC_POSIX_MQ_H
#define KIPC_POSIX_MQ_H

#include <linux/types.h>

#include <linux/kipc.h>

#include "msg.h"
#include "name.h"
#include "watch.h"

struct iov_iter;
struct kipc_mq_told;
struct pid;
struct user_namespace;

/**
 * struct kipc_mq_notice - who wants to be told that a message has come; all under
 *			   kipc_msg_queue.lock
 * @watch: armed while somebody does
 * @owner: thread group that asked, with a reference, or NULL: nobody does; read without, too
 * @thread: thread that asked, with a reference
 * @user_ns: its user namespace, with a reference
 * @exec_id: task_struct.self_exec_id of its group
 * @how: KIPC_MQ_NOTIFY_*
 * @signal: to send, or 0: none
 * @value: what comes with it
 * @told: what a descriptor stands for, with a reference, or NULL
 */
struct kipc_mq_notice {
	struct kipc_watch watch;
	struct pid *owner;
	struct pid *thread;
	struct user_namespace *user_ns;
	u64 exec_id;
	u32 how;
	int signal;
	u64 value;
	struct kipc_mq_told *told;
};

/**
 * struct kipc_posix_mq - a message queue with a name
 * @queue: the queue; first
 * @name: its name
 * @msgsize: bytes of a message at most; constant
 * @charge: bytes that its creator is charged for; constant
 * @user: its creator's account in the namespace, with a reference; constant
 * @notice: who wants to be told
 */
struct kipc_posix_mq {
	struct kipc_msg_queue queue;
	struct kipc_name name;
	size_t msgsize;
	unsigned long charge;
	struct kipc_account *user;
	struct kipc_mq_notice notice;
};

static inline struct kipc_posix_mq *kipc_posix_mq_of(struct kipc_object *object)
{
	return container_of(kipc_msg_queue_of(object), struct kipc_posix_mq, queue);
}

/* posix_mq.c */
extern const struct kipc_named_kind kipc_posix_mq_kind;

int kipc_posix_mq_send(const struct kipc_grant *grant, u64 user, u64 size, u64 priority,
		       const struct kipc_timeout *timeout);
long kipc_posix_mq_receive(const struct kipc_grant *grant, u64 user, u64 size,
			   const struct kipc_timeout *timeout, u32 __user *priority);
int kipc_posix_mq_receive_short(const struct kipc_grant *grant, u64 user, u64 size,
				const struct kipc_timeout *timeout);
ssize_t kipc_posix_mq_read(struct kipc_object *object, loff_t *pos, struct iov_iter *to);
void kipc_posix_mq_show(struct kipc_object *object, struct kipc_mq_attr *attr);

/* posix_mq_notice.c */
void kipc_mq_notice_init(struct kipc_posix_mq *mq);
void kipc_mq_notice_deinit(struct kipc_posix_mq *mq);
int kipc_mq_notify(struct kipc_object *object, const struct kipc_mq_notify *notify);
void kipc_mq_notice_closed(struct kipc_object *object);

#endif /* KIPC_POSIX_MQ_H */

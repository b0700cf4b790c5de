/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Message queues.
 *
 * A message is made in the kernel before its queue is locked, and copied to the
 * receiver after that.  In the queue it stands in the list of all, in order of arrival;
 * once somebody asks by type in a tree by type and arrival too, and once somebody asks
 * by exception or position in a ranked tree.
 *
 * Who cannot go on sleeps.  A message is handed to the receiver that came first among
 * those it fits; room, to the sender that came first among those whose message fits in.
 * So no sleeping receiver ever wants a message that is in the queue.
 *
 * Level 4.  Locks (object.h): kipc_ids.rwsem for what is in the tables;
 * kipc_msg_queue.lock for the state; kipc_object.lock for the header.
 */
#ifndef KIPC_MSG_H
#define KIPC_MSG_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/msg.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include <linux/kipc.h>

#include "find.h"
#include "object.h"
#include "order.h"
#include "wait.h"
#include "watch.h"

struct kipc_msg_chunk;
struct kipc_msg_rank;
struct kipc_space;
struct iov_iter;
struct task_struct;

/**
 * struct kipc_msg - a message
 * @list: in kipc_msg_queue.messages; kipc_msg_queue.lock
 * @place: in kipc_msg_queue.sorted; its value is the type, its number the arrival;
 *	   kipc_msg_queue.lock
 * @rank: in kipc_msg_queue.ranked, or NULL; kipc_msg_queue.lock
 * @rest: what did not fit in @data; constant
 * @refs: references
 * @born: when it was sent: kipc_msg_clock()
 * @size: bytes; constant
 * @data: the first of them; constant
 */
struct kipc_msg {
	struct list_head list;
	struct kipc_place place;
	struct kipc_msg_rank *rank;
	struct kipc_msg_chunk *rest;
	refcount_t refs;
	u32 born;
	u32 size;
	u8 data[] __aligned(8);
};

/**
 * struct kipc_msg_rank - a message's place in a ranked tree
 * @rank: the place
 * @msg: the message
 */
struct kipc_msg_rank {
	struct kipc_rank rank;
	struct kipc_msg *msg;
};

/**
 * struct kipc_msg_index - how far a tree of a queue's messages has got; kipc_msg_queue.lock
 * @below: messages with a lower number are in it: 0: none, for nobody asked;
 *	   KIPC_MSG_INDEXED: all
 * @next: while only some are: the message that it goes on with, whose number is @below
 */
struct kipc_msg_index {
	u64 below;
	struct kipc_msg *next;
};

#define KIPC_MSG_INDEXED	U64_MAX

/**
 * struct kipc_msg_queue - a queue; all but @object under @lock
 * @object: common header; its size is 0
 * @lock: see the lock map
 * @messages: all, in order of arrival
 * @sorted: by type and arrival, once somebody asked by type since the queue was empty
 * @ranked: in order of arrival, once somebody asked by exception or position, likewise
 * @sorting: which of them are in @sorted
 * @ranking: which of them are in @ranked
 * @seq: number of what arrives next, message or sleeper
 * @count: messages
 * @bytes: their bytes
 * @max_bytes: msg_qbytes; written under kipc_object.lock instead
 * @max_count: messages at most: as many as bytes, or mq_maxmsg; likewise
 * @wakes: who is told once the lock is given back
 * @exact: sleepers that receive one type, by type and arrival
 * @least: sleepers that receive types up to one, ranked
 * @except: sleepers that receive all types but one, ranked
 * @senders: sleepers that send, ranked by the bytes of their message, negated
 * @receiver_count: sleepers in @exact, @least and @except
 * @sender_count: sleepers in @senders; both read without the lock, too
 * @unsettled: there may be room for some of these
 * @unseen: a watch has not seen all that it is to see, and nothing more is sorted or ranked
 *	    until the lock is given back; then it is false
 * @permits: changes of permission so far
 * @lspid: thread group that sent last, with a reference, or NULL
 * @lrpid: thread group that received last, likewise
 * @stime: last message sent, seconds of real time, 0: never
 * @rtime: last message received, likewise
 */
struct kipc_msg_queue {
	struct kipc_object object;
	struct mutex lock;
	struct list_head messages;
	struct rb_root sorted;
	struct rb_root ranked;
	struct kipc_msg_index sorting;
	struct kipc_msg_index ranking;
	u64 seq;
	unsigned long count;
	unsigned long bytes;
	unsigned long max_bytes;
	unsigned long max_count;
	struct kipc_wakes wakes;
	struct rb_root exact;
	struct rb_root least;
	struct rb_root except;
	struct rb_root senders;
	unsigned int receiver_count;
	unsigned int sender_count;
	bool unsettled;
	bool unseen;
	unsigned int permits;
	struct pid *lspid;
	struct pid *lrpid;
	time64_t stime;
	time64_t rtime;
};

/* Which messages msgrcv(2) is to take. */
enum kipc_msg_match {
	KIPC_MSG_ANY,		/* the first */
	KIPC_MSG_EXACT,		/* the first of a type */
	KIPC_MSG_LEAST,		/* the first of the lowest type up to one */
	KIPC_MSG_EXCEPT,	/* the first that is not of a type */
	KIPC_MSG_COPY,		/* that at a position, and leave it there */
	KIPC_MSG_SEND,		/* none: the sleeper is a sender */
};

/**
 * struct kipc_msg_sleeper - a call in progress
 * @call: the call; first
 * @rank: in one of the trees of the queue while it sleeps; its value is what that tree
 *	  is ordered by, its number when it came; kipc_msg_queue.lock
 * @match: what is wanted; constant
 * @nowait: asynchronous: what cannot go on fails; constant
 * @permits: kipc_msg_queue.permits when it was permitted
 * @type: the type or position; to send: the type of the message; constant
 * @room: to receive: bytes of the largest message that is no error; constant
 * @msg: to send: the message; to receive: the result; kipc_msg_queue.lock
 */
struct kipc_msg_sleeper {
	struct kipc_sleeper call;
	struct kipc_rank rank;
	enum kipc_msg_match match;
	bool nowait;
	unsigned int permits;
	long type;
	size_t room;
	struct kipc_msg *msg;
};

static inline struct kipc_msg_queue *kipc_msg_queue_of(struct kipc_object *object)
{
	return container_of(object, struct kipc_msg_queue, object);
}

static inline struct kipc_msg *kipc_msg_placed(struct kipc_place *place)
{
	return place ? container_of(place, struct kipc_msg, place) : NULL;
}

void kipc_msg_settle_rest_locked(struct kipc_msg_queue *queue);

/**
 * kipc_msg_queue_unlock() - give a queue's lock back, and wake who got its turn
 * @queue: the queue
 */
static inline void kipc_msg_queue_unlock(struct kipc_msg_queue *queue)
{
	if (unlikely(queue->unsettled || !hlist_empty(&queue->object.watches)))
		kipc_msg_settle_rest_locked(queue);
	if (unlikely(queue->wakes.first))
		kipc_unlock_and_wake(&queue->lock, &queue->wakes);
	else
		mutex_unlock(&queue->lock);
}

/* Messages, or sleepers, that are worked on before others may have the lock. */
#define KIPC_MSG_STRIDE	256

/* Whether there is room for a message of @size bytes. */
static inline bool kipc_msg_fits_locked(struct kipc_msg_queue *queue, size_t size)
{
	return queue->bytes + size <= READ_ONCE(queue->max_bytes) &&
	       queue->count < READ_ONCE(queue->max_count);
}

/* msg.c */
extern const struct kipc_kind kipc_msg_kind;

void kipc_msg_queue_init(struct kipc_msg_queue *queue, unsigned long max_bytes,
			 unsigned long max_count);
void kipc_msg_drop_all(struct kipc_msg_queue *queue);

/* msg_data.c */
int kipc_msg_init(void);
void kipc_msg_deinit(void);
struct kipc_msg *kipc_msg_load(const void __user *user, size_t size);
struct kipc_msg *kipc_msg_load_iter(struct iov_iter *iter, size_t size);
int kipc_msg_store(void __user *user, size_t size, const struct kipc_msg *msg);
int kipc_msg_store_iter(struct iov_iter *iter, size_t size, const struct kipc_msg *msg);
void kipc_msg_free(struct kipc_msg *msg);

static inline void kipc_msg_put(struct kipc_msg *msg)
{
	if (refcount_dec_and_test(&msg->refs))
		kipc_msg_free(msg);
}

/* msg_list.c */
void kipc_msg_add_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg);
void kipc_msg_remove_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg);
struct kipc_msg *kipc_msg_find_behind_locked(struct kipc_msg_queue *queue,
					     enum kipc_msg_match match, long type);

/* Time in units of less than a second; comes round after years. */
#define KIPC_MSG_CLOCK_SHIFT	6

static inline u32 kipc_msg_clock(void)
{
	return jiffies >> KIPC_MSG_CLOCK_SHIFT;
}

/**
 * kipc_msg_age() - how long a message has been in its queue
 * @msg: the message
 *
 * Return: seconds.
 */
static inline u64 kipc_msg_age(const struct kipc_msg *msg)
{
	return ((u64)(kipc_msg_clock() - msg->born) << KIPC_MSG_CLOCK_SHIFT) / HZ;
}

static inline struct kipc_msg *kipc_msg_first(struct kipc_msg_queue *queue)
{
	return list_first_entry_or_null(&queue->messages, struct kipc_msg, list);
}

/**
 * kipc_msg_find_locked() - the message that a receiver is to have
 * @queue: the queue; its lock is held
 * @match: what is wanted
 * @type: the type, or the position
 *
 * Return: the message, in the queue still; NULL: there is none; -EAGAIN: that takes longer
 *	   than the lock is to be held: ask again.
 */
static inline struct kipc_msg *kipc_msg_find_locked(struct kipc_msg_queue *queue,
						    enum kipc_msg_match match, long type)
{
	struct kipc_msg *first = kipc_msg_first(queue);

	/* As a rule there is none, or the first is it. */
	if (!first || match == KIPC_MSG_ANY ||
	    (match == KIPC_MSG_EXACT && first->place.value == type))
		return first;
	return kipc_msg_find_behind_locked(queue, match, type);
}

/* msg_op.c */
enum kipc_msg_match kipc_msg_match_of(unsigned int flags, long *type);
int kipc_msg_send(struct kipc_space *space, int id, unsigned int flags, u64 user, u64 size,
		  const struct kipc_timeout *timeout);
int kipc_msg_send_granted(const struct kipc_grant *grant, unsigned int flags, u64 user, u64 size,
			  const struct kipc_timeout *timeout);
long kipc_msg_receive(struct kipc_space *space, int id, unsigned int flags, u64 user, u64 size,
		      long type, const struct kipc_timeout *timeout);
long kipc_msg_receive_granted(const struct kipc_grant *grant, unsigned int flags, u64 user,
			      u64 size, long type, const struct kipc_timeout *timeout);
int kipc_msg_send_made(const struct kipc_grant *grant, struct kipc_msg *msg,
		       const struct kipc_timeout *timeout);
struct kipc_msg *kipc_msg_receive_whole(const struct kipc_grant *grant,
					enum kipc_msg_match match, long type, size_t room,
					const struct kipc_timeout *timeout);
void kipc_msg_return(struct kipc_msg_queue *queue, struct kipc_msg *msg);
int kipc_msg_send_async(const struct kipc_grant *grant, struct kipc_msg_sleeper *sleeper,
			bool waits);
int kipc_msg_take_async(const struct kipc_grant *grant, struct kipc_msg_sleeper *sleeper,
			bool waits, struct kipc_msg **msg);
bool kipc_msg_end_async(struct kipc_object *object, struct kipc_msg_sleeper *sleeper, int status);
void kipc_msg_permit_locked(struct kipc_msg_queue *queue);
void kipc_msg_wake_all_locked(struct kipc_msg_queue *queue, int status);
typedef void (*kipc_msg_visitor)(struct kipc_msg_queue *queue, struct kipc_msg_sleeper *sleeper,
				 void *data);
void kipc_msg_visit_sleepers_locked(struct kipc_msg_queue *queue, kipc_msg_visitor visit,
				    void *data);

/* msg_iter.c */
ssize_t kipc_msg_write(const struct kipc_grant *grant, struct iov_iter *from, bool waits);
ssize_t kipc_msg_read(const struct kipc_grant *grant, struct iov_iter *to,
		      enum kipc_msg_match match, long type, bool waits);
int kipc_msg_load_async(const struct kipc_grant *grant, struct iov_iter *from,
			struct kipc_msg_sleeper *sleeper);
ssize_t kipc_msg_receive_async(const struct kipc_grant *grant, struct kipc_msg_sleeper *sleeper,
			       struct iov_iter *to, bool waits);
ssize_t kipc_msg_received_async(const struct kipc_grant *grant,
				struct kipc_msg_sleeper *sleeper, struct iov_iter *to);

/* msg_watch.c */
__poll_t kipc_msg_see_locked(struct kipc_object *object, struct kipc_watch *watch);
void kipc_msg_object_lock(struct kipc_object *object, const struct kipc_watch *watch);
void kipc_msg_object_unlock(struct kipc_object *object);

/* msg_ctl.c */
int kipc_msg_ctl(struct kipc_space *space, int id, int cmd, void __user *buf);
int kipc_msg_stat_granted(const struct kipc_grant *grant, void __user *buf);

#endif /* KIPC_MSG_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The messages of a queue, and finding one.  See msg.h.
 *
 * Most queues hold few messages, or are read from the front: then the list is all there
 * is.  Whoever asks for what the first messages do not tell has them all sorted, or
 * ranked; from then on they are, until the queue is empty.  So each message enters each
 * tree once at most.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "msg.h"

/* Messages that are looked at one after the other before they are ranked. */
#define KIPC_MSG_WALK	16

/* ---- By type ---- */

static noinline void kipc_msg_sort_all_locked(struct kipc_msg_queue *queue)
{
	struct kipc_msg *msg;

	if (queue->is_sorted)
		return;
	queue->is_sorted = true;
	list_for_each_entry(msg, &queue->messages, list) {
		kipc_sorted_insert(&queue->sorted, &msg->place);
		cond_resched();
	}
}

/* ---- By arrival ---- */

static bool kipc_msg_rank_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg)
{
	struct kipc_msg_rank *rank;

	/* Not worth killing anybody: see kipc_msg_rank_all_locked(). */
	rank = kmalloc(sizeof(*rank), GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!rank)
		return false;
	rank->msg = msg;
	rank->rank.place.seq = msg->place.seq;
	rank->rank.place.value = msg->place.value;
	kipc_ranked_insert(&queue->ranked, &rank->rank);
	msg->rank = rank;
	return true;
}

static void kipc_msg_unrank_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg)
{
	kipc_ranked_erase(&queue->ranked, &msg->rank->rank);
	kfree(msg->rank);
	msg->rank = NULL;
}

static void kipc_msg_unrank_all_locked(struct kipc_msg_queue *queue)
{
	struct kipc_msg *msg;

	queue->is_ranked = false;
	list_for_each_entry(msg, &queue->messages, list) {
		if (msg->rank)
			kipc_msg_unrank_locked(queue, msg);
		cond_resched();
	}
}

/* For lack of memory they are not: then the list is walked. */
static void kipc_msg_rank_all_locked(struct kipc_msg_queue *queue)
{
	struct kipc_msg *msg;

	if (queue->is_ranked || queue->count <= KIPC_MSG_WALK)
		return;
	queue->is_ranked = true;
	list_for_each_entry(msg, &queue->messages, list) {
		if (!kipc_msg_rank_locked(queue, msg)) {
			kipc_msg_unrank_all_locked(queue);
			return;
		}
		cond_resched();
	}
}

static struct kipc_msg *kipc_msg_ranked(struct kipc_rank *rank)
{
	return rank ? container_of(rank, struct kipc_msg_rank, rank)->msg : NULL;
}

/* ---- What is there ---- */

/* Where in the list a message belongs that was in it before: behind this one. */
static struct list_head *kipc_msg_before_locked(struct kipc_msg_queue *queue,
						struct kipc_msg *msg)
{
	struct kipc_msg *first = kipc_msg_first(queue), *other;

	/* As a rule it was one of the first. */
	if (!first || msg->place.seq < first->place.seq)
		return &queue->messages;
	list_for_each_entry_reverse(other, &queue->messages, list) {
		if (other->place.seq < msg->place.seq)
			return &other->list;
		cond_resched();
	}
	return &queue->messages;
}

/**
 * kipc_msg_add_locked() - put a message into a queue
 * @queue: the queue; its lock is held
 * @msg: with its type and number, which may be one of long ago
 */
void kipc_msg_add_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg)
{
	struct list_head *before = queue->messages.prev;

	lockdep_assert_held(&queue->lock);
	if (unlikely(!list_empty(&queue->messages) &&
		     list_last_entry(&queue->messages, struct kipc_msg, list)->place.seq >
		     msg->place.seq))
		before = kipc_msg_before_locked(queue, msg);
	list_add(&msg->list, before);
	if (queue->is_sorted)
		kipc_sorted_insert(&queue->sorted, &msg->place);
	queue->count++;
	queue->bytes += msg->size;
	if (unlikely(queue->is_ranked) && !kipc_msg_rank_locked(queue, msg))
		kipc_msg_unrank_all_locked(queue);
}

/**
 * kipc_msg_remove_locked() - take a message out of a queue
 * @queue: the queue; its lock is held
 * @msg: in it
 */
void kipc_msg_remove_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg)
{
	lockdep_assert_held(&queue->lock);
	list_del(&msg->list);
	if (queue->is_sorted)
		kipc_sorted_erase(&queue->sorted, &msg->place);
	if (unlikely(msg->rank))
		kipc_msg_unrank_locked(queue, msg);
	queue->bytes -= msg->size;
	if (!--queue->count) {
		queue->is_sorted = false;
		queue->is_ranked = false;
	}
}

static noinline struct kipc_msg *kipc_msg_find_other_locked(struct kipc_msg_queue *queue,
							    long type)
{
	unsigned int walked = 0;
	struct kipc_msg *msg;

	list_for_each_entry(msg, &queue->messages, list) {
		if (msg->place.value != type)
			return msg;
		if (++walked % KIPC_MSG_WALK)
			continue;
		if (walked == KIPC_MSG_WALK)
			kipc_msg_rank_all_locked(queue);
		if (queue->is_ranked)
			return kipc_msg_ranked(kipc_ranked_find_other(&queue->ranked, type));
		cond_resched();
	}
	return NULL;
}

static noinline struct kipc_msg *kipc_msg_at_locked(struct kipc_msg_queue *queue, long position)
{
	struct kipc_msg *msg;

	if (position < 0 || position >= queue->count)
		return NULL;
	if (position >= KIPC_MSG_WALK)
		kipc_msg_rank_all_locked(queue);
	if (queue->is_ranked)
		return kipc_msg_ranked(kipc_ranked_at(&queue->ranked, position));
	list_for_each_entry(msg, &queue->messages, list) {
		if (!position--)
			return msg;
		if (position % KIPC_MSG_WALK == 0)
			cond_resched();
	}
	return NULL;
}

/**
 * kipc_msg_find_behind_locked() - as kipc_msg_find_locked(), if that did not tell
 * @queue: the queue, not empty; its lock is held
 * @match: what is wanted
 * @type: the type, or the position
 *
 * Return: the message, in the queue still, or NULL.
 */
struct kipc_msg *kipc_msg_find_behind_locked(struct kipc_msg_queue *queue,
					     enum kipc_msg_match match, long type)
{
	struct kipc_msg *msg = kipc_msg_first(queue);

	lockdep_assert_held(&queue->lock);
	switch (match) {
	case KIPC_MSG_EXACT:
		if (queue->count == 1)
			return NULL;
		kipc_msg_sort_all_locked(queue);
		return kipc_msg_placed(kipc_sorted_find(&queue->sorted, type));
	case KIPC_MSG_LEAST:
		if (queue->count > 1) {
			kipc_msg_sort_all_locked(queue);
			msg = kipc_msg_placed(kipc_sorted_first(&queue->sorted));
		}
		return msg->place.value <= type ? msg : NULL;
	case KIPC_MSG_EXCEPT:
		return kipc_msg_find_other_locked(queue, type);
	case KIPC_MSG_COPY:
		return kipc_msg_at_locked(queue, type);
	default:
		return NULL;
	}
}

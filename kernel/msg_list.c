// SPDX-License-Identifier: GPL-2.0
/*
 * The messages of a queue, and finding one.  See msg.h.
 *
 * Most queues hold few messages, or are read from the front: then the list is all there
 * is.  Whoever asks for what the first messages do not tell has them all sorted, or
 * ranked, a few at a time, with the lock given back in between; from then on they are,
 * until the queue is empty, or there is no memory to rank one more.  So as a rule each
 * message enters each tree once at most.
 */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "msg.h"

/* Messages that are looked at one after the other before they are ranked. */
#define KIPC_MSG_WALK	16

/* ---- What has come into a tree so far ---- */

/* Return: the message that it goes on with, or NULL: it is complete. */
static struct kipc_msg *kipc_msg_index_next_locked(struct kipc_msg_queue *queue,
						   struct kipc_msg_index *index)
{
	if (!index->below)
		index->next = kipc_msg_first(queue);
	return index->next;
}

/* The message that it would go on with is in it, or leaves the queue. */
static void kipc_msg_index_advance_locked(struct kipc_msg_queue *queue,
					  struct kipc_msg_index *index)
{
	if (list_is_last(&index->next->list, &queue->messages)) {
		index->next = NULL;
		index->below = KIPC_MSG_INDEXED;
	} else {
		index->next = list_next_entry(index->next, list);
		index->below = index->next->place.seq;
	}
}

static bool kipc_msg_is_indexed(const struct kipc_msg_index *index)
{
	return index->below == KIPC_MSG_INDEXED;
}

/* ---- By type ---- */

/* The next few messages.  Return: whether all are sorted. */
static noinline bool kipc_msg_sort_some_locked(struct kipc_msg_queue *queue)
{
	unsigned int count = KIPC_MSG_STRIDE;
	struct kipc_msg *msg;

	if (likely(kipc_msg_is_indexed(&queue->sorting)))
		return true;
	if (queue->unseen)
		return false;
	for (; count && (msg = kipc_msg_index_next_locked(queue, &queue->sorting)); count--) {
		kipc_sorted_insert(&queue->sorted, &msg->place);
		kipc_msg_index_advance_locked(queue, &queue->sorting);
	}
	return kipc_msg_is_indexed(&queue->sorting);
}

/* ---- By arrival ---- */

static bool kipc_msg_rank_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg)
{
	struct kipc_msg_rank *rank;

	/* Not worth killing anybody: see kipc_msg_rank_some_locked(). */
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

	queue->ranking = (struct kipc_msg_index){};
	list_for_each_entry(msg, &queue->messages, list) {
		if (msg->rank)
			kipc_msg_unrank_locked(queue, msg);
		cond_resched();
	}
}

/*
 * The next few messages.  Return: whether that is all, or nothing to go on with: for lack
 * of memory none are ranked, and the list is walked.
 */
static bool kipc_msg_rank_some_locked(struct kipc_msg_queue *queue)
{
	unsigned int count = KIPC_MSG_STRIDE;
	struct kipc_msg *msg;

	if (kipc_msg_is_indexed(&queue->ranking) || queue->count <= KIPC_MSG_WALK)
		return true;
	if (queue->unseen)
		return false;
	for (; count && (msg = kipc_msg_index_next_locked(queue, &queue->ranking)); count--) {
		if (!kipc_msg_rank_locked(queue, msg)) {
			kipc_msg_unrank_all_locked(queue);
			return true;
		}
		kipc_msg_index_advance_locked(queue, &queue->ranking);
	}
	return kipc_msg_is_indexed(&queue->ranking);
}

static struct kipc_msg *kipc_msg_ranked(struct kipc_rank *rank)
{
	return rank ? container_of(rank, struct kipc_msg_rank, rank)->msg : NULL;
}

/* ---- What is there ---- */

/*
 * Where in the list a message belongs that was in it before: behind this one.  Looked for from
 * the end that is nearer, as far as numbers tell.
 */
static struct list_head *kipc_msg_before_locked(struct kipc_msg_queue *queue,
						struct kipc_msg *msg)
{
	struct kipc_msg *first = kipc_msg_first(queue), *other;
	struct kipc_msg *last = list_last_entry(&queue->messages, struct kipc_msg, list);
	unsigned int walked = 0;

	/* As a rule it was one of the first. */
	if (msg->place.seq < first->place.seq)
		return &queue->messages;
	if (msg->place.seq - first->place.seq < last->place.seq - msg->place.seq) {
		list_for_each_entry(other, &queue->messages, list) {
			if (other->place.seq > msg->place.seq)
				return other->list.prev;
			if (!(++walked % KIPC_MSG_STRIDE))
				cond_resched();
		}
	}
	list_for_each_entry_reverse(other, &queue->messages, list) {
		if (other->place.seq < msg->place.seq)
			return &other->list;
		if (!(++walked % KIPC_MSG_STRIDE))
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
	if (msg->place.seq < queue->sorting.below)
		kipc_sorted_insert(&queue->sorted, &msg->place);
	queue->count++;
	queue->bytes += msg->size;
	if (unlikely(msg->place.seq < queue->ranking.below) && !kipc_msg_rank_locked(queue, msg))
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
	if (unlikely(queue->sorting.next == msg))
		kipc_msg_index_advance_locked(queue, &queue->sorting);
	else if (msg->place.seq < queue->sorting.below)
		kipc_sorted_erase(&queue->sorted, &msg->place);
	if (unlikely(queue->ranking.next == msg))
		kipc_msg_index_advance_locked(queue, &queue->ranking);
	else if (unlikely(msg->rank))
		kipc_msg_unrank_locked(queue, msg);
	list_del(&msg->list);
	queue->bytes -= msg->size;
	if (!--queue->count) {
		queue->sorting.below = 0;
		queue->ranking.below = 0;
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
		if (walked == KIPC_MSG_WALK && !kipc_msg_rank_some_locked(queue))
			return ERR_PTR(-EAGAIN);
		if (kipc_msg_is_indexed(&queue->ranking))
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
	if (position >= KIPC_MSG_WALK && !kipc_msg_rank_some_locked(queue))
		return ERR_PTR(-EAGAIN);
	if (kipc_msg_is_indexed(&queue->ranking))
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
 * Return: as kipc_msg_find_locked().
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
		if (!kipc_msg_sort_some_locked(queue))
			return ERR_PTR(-EAGAIN);
		return kipc_msg_placed(kipc_sorted_find(&queue->sorted, type));
	case KIPC_MSG_LEAST:
		if (queue->count > 1) {
			if (!kipc_msg_sort_some_locked(queue))
				return ERR_PTR(-EAGAIN);
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

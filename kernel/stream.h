/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Byte streams: a FIFO with an id, a name, an owner, a capacity and a lifetime.
 *
 * A stream's bytes are in a ring of memory that it has from the first.  Whoever opens it is
 * an end of it, which reads, writes, or does both; what its ends are told, and when, is as
 * fifo(7) and pipe(7) have it, and so is that what nobody has read goes when the last end is
 * closed.
 *
 * Bytes are copied under the lock, and the memory that they come from or go to may be a
 * process' that is slow to have it, or hostile: faults are not taken there.  Where one would
 * be, the lock is given back, and it goes by way of memory of ours, or, for long writes, goes on
 * once the memory is there.
 *
 * Level 4.  Locks (object.h): kipc_stream.lock, number 5 in the lock map.
 */
#ifndef KIPC_STREAM_H
#define KIPC_STREAM_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <asm/barrier.h>

#include "name.h"
#include "object.h"

/**
 * struct kipc_stream_side - the ends that read, or those that write
 * @count: how many there are; kipc_stream.lock, and read without
 * @opened: how many there ever were; likewise
 * @wait: who of them sleeps or polls
 * @async: who of them gets a signal; the kernel's own lock
 */
struct kipc_stream_side {
	unsigned int count;
	unsigned int opened;
	wait_queue_head_t wait;
	struct fasync_struct *async;
};

/**
 * struct kipc_stream - a byte stream
 * @object: common header; its size is the capacity
 * @name: its name
 * @lock: see the lock map
 * @bytes: the ring, of a size that is a power of two; constant
 * @size: that size; constant
 * @head: what is read next, modulo @size; @lock, and read without.  Of 64 bits where a word has
 *	  them: a reader who gave the lock back tells by it that nobody else has read
 * @tail: where is written next, modulo @size; likewise
 * @readers: those who read
 * @writers: those who write
 */
struct kipc_stream {
	struct kipc_object object;
	struct kipc_name name;
	struct mutex lock;
	u8 *bytes;
	unsigned int size;
	unsigned long head;
	unsigned long tail;
	struct kipc_stream_side readers;
	struct kipc_stream_side writers;
};

static inline struct kipc_stream *kipc_stream_of(struct kipc_object *object)
{
	return container_of(object, struct kipc_stream, object);
}

/**
 * kipc_stream_used() - how many bytes are in a stream
 * @stream: the stream; its lock is held, or a stale answer does no harm
 *
 * Without the lock it is never more than there are while @head is looked at: nobody sleeps for
 * room that there is.  It may be fewer, and less than nothing.
 */
static inline unsigned int kipc_stream_used(const struct kipc_stream *stream)
{
	/* Not to be looked at after @head: pairs with what is written under the lock. */
	unsigned long tail = smp_load_acquire(&stream->tail);

	return tail - READ_ONCE(stream->head);
}

extern const struct kipc_named_kind kipc_stream_kind;

unsigned int kipc_stream_count(struct kipc_stream *stream);
struct file *kipc_stream_open(struct kipc_space *space, struct kipc_open *open);

#endif /* KIPC_STREAM_H */

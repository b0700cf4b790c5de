// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of messages.  See msg.h.
 *
 * A message is one allocation, from caches of its own: what users put into it stands
 * beside nothing else's memory.  A large one goes on in chunks of at most a page.
 */
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "msg.h"

/**
 * struct kipc_msg_chunk - the rest of a message
 * @next: the rest of the rest, or NULL
 * @data: bytes
 */
struct kipc_msg_chunk {
	struct kipc_msg_chunk *next;
	u8 data[];
};

/* What one allocation takes, a message with its header or a chunk with its own. */
static const unsigned int kipc_msg_sizes[] = {
	sizeof(struct kipc_msg) + 8, sizeof(struct kipc_msg) + 64, 192, 256, 512, 1024, 2048,
	PAGE_SIZE,
};

#define KIPC_MSG_SIZES		ARRAY_SIZE(kipc_msg_sizes)
#define KIPC_MSG_FIRST_MAX	(PAGE_SIZE - sizeof(struct kipc_msg))
#define KIPC_MSG_CHUNK_MAX	(PAGE_SIZE - sizeof(struct kipc_msg_chunk))

static struct kmem_cache *kipc_msg_caches[KIPC_MSG_SIZES];

/* The cache whose objects are large enough; @size is a page at most. */
static struct kmem_cache *kipc_msg_cache(size_t size)
{
	unsigned int i;

	/* Most are small. */
	if (size <= kipc_msg_sizes[1])
		return kipc_msg_caches[size > kipc_msg_sizes[0]];
	for (i = 2; kipc_msg_sizes[i] < size; i++)
		;
	return kipc_msg_caches[i];
}

/**
 * kipc_msg_deinit() - give the caches back; no message is left
 */
void kipc_msg_deinit(void)
{
	unsigned int i;

	for (i = 0; i < KIPC_MSG_SIZES; i++) {
		kmem_cache_destroy(kipc_msg_caches[i]);
		kipc_msg_caches[i] = NULL;
	}
}

/**
 * kipc_msg_init() - make the caches
 *
 * Return: 0 or -ENOMEM.
 */
int __init kipc_msg_init(void)
{
	/* Both the bytes of a message and those of a chunk lie behind this. */
	const unsigned int offset = sizeof(struct kipc_msg_chunk);
	unsigned int i, size;
	char name[32];

	for (i = 0; i < KIPC_MSG_SIZES; i++) {
		size = kipc_msg_sizes[i];
		snprintf(name, sizeof(name), "kipc_msg-%u", size);
		kipc_msg_caches[i] = kmem_cache_create_usercopy(name, size, 8, SLAB_ACCOUNT,
								offset, size - offset, NULL);
		if (!kipc_msg_caches[i]) {
			kipc_msg_deinit();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * kipc_msg_free() - free a message that nobody has any more
 * @msg: the message
 */
void kipc_msg_free(struct kipc_msg *msg)
{
	struct kipc_msg_chunk *chunk = msg->rest, *next;

	kfree(msg);
	for (; unlikely(chunk); chunk = next) {
		next = chunk->next;
		kfree(chunk);
	}
}

/* From @iter, or from @user. */
static __always_inline int kipc_msg_copy_in(void *to, const void __user *user,
					    struct iov_iter *iter, size_t size)
{
	if (iter)
		return copy_from_iter_full(to, size, iter) ? 0 : -EFAULT;
	return copy_from_user(to, user, size) ? -EFAULT : 0;
}

static __always_inline int kipc_msg_copy_out(void __user *user, struct iov_iter *iter,
					     const void *from, size_t size)
{
	if (iter)
		return copy_to_iter(from, size, iter) == size ? 0 : -EFAULT;
	return copy_to_user(user, from, size) ? -EFAULT : 0;
}

static int kipc_msg_load_rest(struct kipc_msg *msg, const void __user *user,
			      struct iov_iter *iter)
{
	size_t part, left = msg->size - KIPC_MSG_FIRST_MAX;
	struct kipc_msg_chunk *chunk, **link = &msg->rest;

	for (user += KIPC_MSG_FIRST_MAX; left; left -= part, user += part) {
		if (fatal_signal_pending(current))
			return -EINTR;
		part = min(left, KIPC_MSG_CHUNK_MAX);
		chunk = kmem_cache_alloc(kipc_msg_cache(sizeof(*chunk) + part), GFP_KERNEL);
		if (!chunk)
			return -ENOMEM;
		chunk->next = NULL;
		*link = chunk;
		link = &chunk->next;
		if (kipc_msg_copy_in(chunk->data, user, iter, part))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

static __always_inline struct kipc_msg *kipc_msg_make(const void __user *user,
						      struct iov_iter *iter, size_t size)
{
	size_t first = min(size, KIPC_MSG_FIRST_MAX);
	struct kipc_msg *msg;
	int ret;

	msg = kmem_cache_alloc(kipc_msg_cache(sizeof(*msg) + first), GFP_KERNEL);
	if (!msg)
		return ERR_PTR(-ENOMEM);
	msg->rank = NULL;
	msg->rest = NULL;
	msg->size = size;
	refcount_set(&msg->refs, 1);
	ret = kipc_msg_copy_in(msg->data, user, iter, first);
	if (unlikely(size > first) && !ret)
		ret = kipc_msg_load_rest(msg, user, iter);
	if (unlikely(ret)) {
		kipc_msg_free(msg);
		return ERR_PTR(ret);
	}
	return msg;
}

/**
 * kipc_msg_load() - make a message of a caller's
 * @user: its bytes
 * @size: how many
 *
 * Return: the message, without a type, -ENOMEM, -EFAULT, or -EINTR: the caller is dying.
 */
struct kipc_msg *kipc_msg_load(const void __user *user, size_t size)
{
	return kipc_msg_make(user, NULL, size);
}

/**
 * kipc_msg_load_iter() - the same of what an iterator has
 * @iter: where the bytes come from
 * @size: how many
 */
struct kipc_msg *kipc_msg_load_iter(struct iov_iter *iter, size_t size)
{
	return kipc_msg_make(NULL, iter, size);
}

static __always_inline int kipc_msg_give(void __user *user, struct iov_iter *iter, size_t size,
					 const struct kipc_msg *msg)
{
	size_t part = min(size, KIPC_MSG_FIRST_MAX);
	const struct kipc_msg_chunk *chunk;

	if (kipc_msg_copy_out(user, iter, msg->data, part))
		return -EFAULT;
	for (chunk = msg->rest; unlikely(size > part); chunk = chunk->next) {
		size -= part;
		user += part;
		part = min(size, KIPC_MSG_CHUNK_MAX);
		if (kipc_msg_copy_out(user, iter, chunk->data, part))
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

/**
 * kipc_msg_store() - copy a message's bytes to a caller
 * @user: where to
 * @size: how many at most
 * @msg: the message
 *
 * Return: 0 or -EFAULT.
 */
int kipc_msg_store(void __user *user, size_t size, const struct kipc_msg *msg)
{
	return kipc_msg_give(user, NULL, size, msg);
}

/**
 * kipc_msg_store_iter() - the same to where an iterator says
 * @iter: where the bytes go
 * @size: how many, no more than the message has
 * @msg: the message
 */
int kipc_msg_store_iter(struct iov_iter *iter, size_t size, const struct kipc_msg *msg)
{
	return kipc_msg_give(NULL, iter, size, msg);
}

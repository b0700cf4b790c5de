/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Byte streams, and FIFOs, which are what they are to be as: the same test body on both.
 */
#ifndef KIPC_SELFTESTS_FIFO_H
#define KIPC_SELFTESTS_FIFO_H

#include "common/harness.h"
#include "posix/posix.h"

#define CAPACITY	65536

/**
 * struct fifo - one implementation
 * @name: "native" or "kipc"
 * @make: mkfifo(3)
 * @open: open(2)
 * @unlink: unlink(2)
 */
struct fifo {
	const char *name;
	int (*make)(const char *name, mode_t mode);
	int (*open)(const char *name, int flags);
	int (*unlink)(const char *name);
};

static inline const char *path_of(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "/dev/shm%s", name);
	return path;
}

static inline int native_make(const char *name, mode_t mode)
{
	return mkfifo(path_of(name), mode);
}

static inline int native_open(const char *name, int flags)
{
	return open(path_of(name), flags);
}

static inline int native_unlink(const char *name)
{
	return unlink(path_of(name));
}

static inline int stream_make(const char *name, mode_t mode)
{
	int fd = kipc_stream_open(name, O_RDWR | O_CREAT | O_EXCL, mode, 0,
				  KIPC_LIFETIME_PERSISTENT);

	return fd < 0 ? -1 : close(fd);
}

static inline int stream_open(const char *name, int flags)
{
	return kipc_stream_open(name, flags, 0, 0, 0);
}

static const struct fifo fifo_native = { "native", native_make, native_open, native_unlink };
static const struct fifo fifo_kipc = { "kipc", stream_make, stream_open, kipc_stream_unlink };

static char out[4 * CAPACITY], in[4 * CAPACITY];

/* Of a peer, whose descriptors are its own. */

static inline long do_open(long *arg, void *buf)
{
	return ((const struct fifo *)arg[0])->open(buf, arg[1]);
}

static inline long do_close(long *arg, void *buf)
{
	(void)buf;
	return close(arg[0]);
}

FIXTURE(stream) {
	struct peer p, q;
};
FIXTURE_VARIANT(stream) { const struct fifo *fifo; };
FIXTURE_VARIANT_ADD(stream, native) { .fifo = &fifo_native };
FIXTURE_VARIANT_ADD(stream, kipc) { .fifo = &fifo_kipc };

FIXTURE_SETUP(stream)
{
	unsigned int i;

	skip_unless_wanted(variant->fifo->name);
	ASSERT_EQ(0, begin_posix());
	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 31 >> 3;
	ASSERT_EQ(0, peer_start(&self->p));
	ASSERT_EQ(0, peer_start(&self->q));
	ASSERT_EQ(0, variant->fifo->make("/f", 0600));
}

FIXTURE_TEARDOWN(stream)
{
	peer_end(&self->p, 0);
	peer_end(&self->q, 0);
	EXPECT_EQ(0, variant->fifo->unlink("/f"));
	if (variant->fifo == &fifo_kipc)
		EXPECT_EQ(0, count_names(NULL));
}

/* Both sides at once. */
static inline int open_both(const struct fifo *fifo, int *reads, int *writes, int flags)
{
	*reads = fifo->open("/f", O_RDONLY | O_NONBLOCK);
	*writes = fifo->open("/f", O_WRONLY | flags);
	if (*reads < 0 || *writes < 0)
		return -1;
	return fcntl(*reads, F_SETFL, flags);
}

static inline int peer_opens(struct peer *p, const struct fifo *fifo, int flags)
{
	strcpy(p->page->buf, "/f");
	return peer_run(p, do_open, (long)fifo, flags, 0, 0, 0);
}

#endif /* KIPC_SELFTESTS_FIFO_H */

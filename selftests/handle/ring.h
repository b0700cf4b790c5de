/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of io_uring have in common. */
#ifndef KIPC_SELFTESTS_RING_H
#define KIPC_SELFTESTS_RING_H

#include "handle.h"

#include <dirent.h>
#include <kipc_uring.h>
#include <stdio.h>

/* Newer than the liburing of the oldest Debian that we build on. */
#define RING_READ_MULTISHOT	49

/* Registered files are found under the number of their descriptor. */
#define RING_FILES	2048

/**
 * struct ring - a ring, and how requests go through it
 * @io: the ring
 * @sqe_flags: IOSQE_* of every request from now on
 * @files: descriptors are registered, and requests name them so
 */
struct ring {
	struct io_uring io;
	unsigned int sqe_flags;
	bool files;
};

/* What became of a request; @who is the number that it was given. */
struct done {
	uint64_t who;
	int res;
	unsigned int flags;
};

#define RING_NOP	0xffffffffull	/* the number of our own NOPs */

static inline int ring_start(struct ring *ring, unsigned int entries, unsigned int setup,
			     bool files)
{
	struct io_uring_params params = { .flags = setup, .sq_thread_idle = 1000 };
	int ret;

	ring->sqe_flags = 0;
	ring->files = files;
	ret = io_uring_queue_init_params(entries, &ring->io, &params);
	if (!ret && files)
		ret = io_uring_register_files_sparse(&ring->io, RING_FILES);
	return ret;
}

static inline void ring_end(struct ring *ring)
{
	io_uring_queue_exit(&ring->io);
}

/* A place for a request; what is there goes to the kernel first when there is none. */
static inline struct io_uring_sqe *ring_sqe(struct ring *ring)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&ring->io)))
		if (io_uring_submit(&ring->io) < 0)
			return NULL;
	return sqe;
}

/* To be called on each request when it is filled in. */
static inline void ring_add(struct ring *ring, struct io_uring_sqe *sqe, uint64_t who)
{
	int fd = sqe->fd;

	if (ring->files && io_uring_register_files_update(&ring->io, fd, &fd, 1) != 1)
		_exit(1);
	sqe->flags |= ring->sqe_flags | (ring->files ? IOSQE_FIXED_FILE : 0);
	io_uring_sqe_set_data64(sqe, who);
}

static inline void ring_read(struct ring *ring, int fd, void *to, size_t size, uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_read(sqe, fd, to, size, -1);
	ring_add(ring, sqe, who);
}

static inline void ring_write(struct ring *ring, int fd, const void *from, size_t size,
			      uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_write(sqe, fd, from, size, -1);
	ring_add(ring, sqe, who);
}

static inline void ring_poll(struct ring *ring, int fd, unsigned int events, bool multishot,
			     uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	if (multishot)
		io_uring_prep_poll_multishot(sqe, fd, events);
	else
		io_uring_prep_poll_add(sqe, fd, events);
	ring_add(ring, sqe, who);
}

/* No file is concerned. */
static inline void ring_cancel(struct ring *ring, uint64_t whom, uint64_t who)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_cancel64(sqe, whom, 0);
	io_uring_sqe_set_data64(sqe, who);
}

/* Submit what is there and wait for the next one that is done. */
static inline struct done ring_next(struct ring *ring)
{
	struct io_uring_cqe *cqe;
	struct done done = { .who = -1 };
	int ret;

	io_uring_submit(&ring->io);
	do
		ret = io_uring_wait_cqe(&ring->io, &cqe);
	while (ret == -EINTR);
	if (ret) {
		done.res = ret;
		return done;
	}
	done = (struct done){ io_uring_cqe_get_data64(cqe), cqe->res, cqe->flags };
	io_uring_cqe_seen(&ring->io, cqe);
	return done;
}

/*
 * Submit what is there, and see all of it begun: a request that does nothing, behind it,
 * is done.  Return: whether nothing else is.
 */
static inline bool ring_quiet(struct ring *ring)
{
	struct io_uring_sqe *sqe = ring_sqe(ring);

	io_uring_prep_nop(sqe);
	io_uring_sqe_set_data64(sqe, RING_NOP);
	if (ring_next(ring).who != RING_NOP)
		return false;
	/* What was deferred until somebody looks. */
	io_uring_get_events(&ring->io);
	return io_uring_cq_ready(&ring->io) == 0;
}

/* Threads that io_uring has made to carry out requests that sleep. */
static inline int ring_workers(void)
{
	char path[64], name[32];
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/task");
	int workers = 0;
	FILE *f;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", entry->d_name);
		f = fopen(path, "re");
		if (f && fgets(name, sizeof(name), f))
			workers += !strncmp(name, "iou-wrk-", 8);
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return dir ? workers : -1;
}

#endif /* KIPC_SELFTESTS_RING_H */

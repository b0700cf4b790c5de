/* SPDX-License-Identifier: GPL-2.0 */
/*
 * POSIX shared memory: shm_open, shm_unlink.
 *
 * A segment is a shmem file that kipc keeps under a name.  What shm_open returns is an open
 * of that very file: it is truncated, mapped, sealed and given away as any memfd is, and
 * its owner and mode are the inode's.  One that was a caller's memfd is no different, once
 * it has its name.
 *
 * Level 4.  Locks: see name.h.
 */
#ifndef KIPC_POSIX_SHM_H
#define KIPC_POSIX_SHM_H

#include <linux/fs.h>
#include <linux/types.h>

#include "name.h"

/**
 * struct kipc_posix_shm - a segment with a name
 * @object: common header; its owner and mode are those it was made with
 * @name: its name
 * @file: the memory, with a reference; constant
 */
struct kipc_posix_shm {
	struct kipc_object object;
	struct kipc_name name;
	struct file *file;
};

static inline struct kipc_posix_shm *kipc_posix_shm_of(struct kipc_object *object)
{
	return container_of(object, struct kipc_posix_shm, object);
}

extern const struct kipc_named_kind kipc_posix_shm_kind;

struct file *kipc_posix_shm_open(struct kipc_space *space, struct kipc_open *open);
int kipc_posix_shm_publish(struct kipc_space *space, struct kipc_open *open,
			   struct file *memfd);

#endif /* KIPC_POSIX_SHM_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory behind a segment: a shmem file, or one of huge pages.
 *
 * Level 2.  Locks: none of its own; see each function.
 */
#ifndef KIPC_MEMORY_H
#define KIPC_MEMORY_H

#include <linux/types.h>

struct file;

/**
 * struct kipc_memory_usage - what a file's memory takes, in base pages
 * @resident: in memory
 * @swapped: in swap
 */
struct kipc_memory_usage {
	unsigned long resident;
	unsigned long swapped;
};

struct file *kipc_memory_adopt(struct file *memfd, u64 size);
struct file *kipc_memory_open(struct file *file, unsigned int flags);
void kipc_memory_seal(struct file *file, bool is_adopted);
struct file *kipc_memory_new(key_t key, size_t size, unsigned int shmflg);
bool kipc_memory_is_huge(struct file *file);
void kipc_memory_add_usage(struct file *file, struct kipc_memory_usage *usage);
void kipc_memory_set_locked(struct file *file, bool locked);
void kipc_memory_make_evictable(struct file *file);

#endif /* KIPC_MEMORY_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * POSIX semaphores: sem_open and what follows.
 *
 * A semaphore is a word in a page of its own, which processes map that have it open; the
 * ABI tells its bits.  They change it by compare and swap while it is not HELD.  While
 * somebody sleeps or watches it is, and every change comes by a call, under the lock: so a
 * unit goes to who came first, and no process that dies between a change and telling of it
 * leaves anybody asleep.
 *
 * A call names the semaphore by where it is mapped: a process that has it mapped may
 * operate on it, whatever became of its name, its namespace or the caller's rights.
 *
 * Level 4.  Locks (object.h): kipc_posix_sem.lock, number 5 in the lock map.
 */
#ifndef KIPC_POSIX_SEM_H
#define KIPC_POSIX_SEM_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <linux/kipc.h>

#include "name.h"
#include "object.h"
#include "wait.h"

struct vm_area_struct;

/**
 * struct kipc_posix_sem - a semaphore with a name
 * @object: common header; nattch counts its mappings
 * @name: its name
 * @lock: see the lock map
 * @sleepers: who waits, first come first; @lock
 * @sleeper_count: how many; @lock, and read without
 * @wakes: who is told once the lock is given back; @lock
 * @word: the word, hostile, at the beginning of a page; constant
 */
struct kipc_posix_sem {
	struct kipc_object object;
	struct kipc_name name;
	struct mutex lock;
	struct list_head sleepers;
	unsigned int sleeper_count;
	struct kipc_wakes wakes;
	u32 *word;
};

static inline struct kipc_posix_sem *kipc_posix_sem_of(struct kipc_object *object)
{
	return container_of(object, struct kipc_posix_sem, object);
}

extern const struct kipc_named_kind kipc_posix_sem_kind;

int kipc_posix_sem_map(struct kipc_object *object, unsigned int rights,
		       struct vm_area_struct *vma);
int kipc_posix_sem_take(struct kipc_object *object, const struct kipc_timeout *timeout);
int kipc_posix_sem_add(struct kipc_object *object, unsigned int count);
int kipc_posix_sem_op(u64 addr, unsigned int op, const struct kipc_timeout *timeout);

#endif /* KIPC_POSIX_SEM_H */

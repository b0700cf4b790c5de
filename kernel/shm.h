/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments: System V shared memory.
 *
 * A segment is a shmem (or hugetlbfs) file with file operations of ours.  Every
 * attachment is a mapping of that file, or of one open for reading only, with
 * the file system's vm_ops wrapped, so that the number of attachments is right
 * over fork, exec, exit, mremap and partial unmapping.
 *
 * Level 4.  Locks (object.h): kipc_ids.rwsem for what is in the tables and the
 * namespace's total; kipc_object.lock for the fields below; for shmdt a wait for
 * others in the same mm.  The vm_ops run under mmap_lock.
 */
#ifndef KIPC_SHM_H
#define KIPC_SHM_H

#include <linux/mm.h>
#include <linux/shm.h>
#include <linux/types.h>
#include <uapi/linux/shm.h>

#include <linux/kipc.h>

#include "find.h"
#include "object.h"

/* What native shows in a segment's mode beside the permissions, and SHM_DEST (object.h). */
#define SHM_LOCKED	02000	/* locked into memory */

struct file;
struct kipc_account;
struct kipc_space;
struct vm_area_struct;
struct vm_operations_struct;

/**
 * struct kipc_shm - a segment
 * @object: common header; its mode also has SHM_DEST and SHM_LOCKED
 * @atime: last attach, seconds of real time, 0: never; object.lock
 * @dtime: last detach, likewise; object.lock
 * @lpid: thread group that attached or detached last, with a reference, or
 *	  NULL; object.lock
 * @locker: who is charged for SHM_LOCK, with a reference, or NULL; object.lock
 * @file: the memory, open for reading and writing, with a reference; constant
 * @readonly: the same, open for reading, with a reference; made by the first
 *	      read-only attachment, NULL until then
 * @is_adopted: the memory was a caller's memfd; constant
 * @files: files of the segment that are not released yet; the last frees the memory
 * @fops: the file system's file operations; constant
 * @vm_ops: the file system's operations of a mapping, set by the first attachment
 */
struct kipc_shm {
	struct kipc_object object;
	time64_t atime;
	time64_t dtime;
	struct pid *lpid;
	struct kipc_account *locker;
	struct file *file;
	struct file *readonly;
	bool is_adopted;
	refcount_t files;
	const struct file_operations *fops;
	const struct vm_operations_struct *vm_ops;
};

static inline struct kipc_shm *kipc_shm_of(struct kipc_object *object)
{
	return container_of(object, struct kipc_shm, object);
}

static inline unsigned long kipc_shm_pages(const struct kipc_shm *shm)
{
	return PAGE_ALIGN(shm->object.size) >> PAGE_SHIFT;
}

static inline struct kipc_shm *kipc_shm_find(struct kipc_space *space, int id)
{
	struct kipc_object *object = kipc_find(space, KIPC_KIND_SHM, id);

	return IS_ERR(object) ? ERR_CAST(object) : kipc_shm_of(object);
}

extern const struct kipc_kind kipc_shm_kind;

bool kipc_shm_settle(struct kipc_space *space);
int kipc_shm_init(void);
void kipc_shm_deinit(void);

/* shm.c, for shm_map.c */
void kipc_shm_enter_locked(struct kipc_shm *shm);
void kipc_shm_leave(struct kipc_shm *shm, bool was_mapped);
void kipc_shm_free_rcu(struct rcu_head *rcu);

/* shm_map.c */
long kipc_shm_attach(struct kipc_space *space, int id, unsigned long addr,
		     unsigned int flags);
int kipc_shm_detach(unsigned long addr);
int kipc_shm_map(struct kipc_space *space, int id, const struct kipc_grant *grant,
		 struct vm_area_struct *vma);
void kipc_shm_hook_file(struct kipc_shm *shm, struct file *file);
void kipc_shm_map_init(void);

/* shm_ctl.c */
struct file *kipc_shm_export(struct kipc_space *space, int id, const struct kipc_grant *grant,
			     unsigned int flags);
int kipc_shm_ctl(struct kipc_space *space, int id, int cmd, void __user *buf);
int kipc_shm_stat_granted(const struct kipc_grant *grant, void __user *buf);

#endif /* KIPC_SHM_H */

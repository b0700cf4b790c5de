// SPDX-License-Identifier: GPL-2.0
/*
 * The memory behind a segment: see memory.h.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagevec.h>
#include <linux/pagemap.h>
#include <linux/shm.h>
#include <uapi/linux/shm.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>

#include "hugetlb.h"
#include "memory.h"

/**
 * kipc_memory_new() - the memory of a new segment
 * @key: key of the segment, for its name in /proc/pid/maps
 * @size: bytes
 * @shmflg: flags as in shmget(2): SHM_HUGETLB with a size, SHM_NORESERVE
 *
 * Context: process with an mm; no kipc lock held; may sleep.
 * Return: the file, or an error as shmget(2) has it.
 */
struct file *kipc_memory_new(key_t key, size_t size, unsigned int shmflg)
{
	struct file *file;
	char name[16];

	snprintf(name, sizeof(name), "SYSV%08x", key);
	if (shmflg & SHM_HUGETLB)
		return kipc_hugetlb_file(name, size,
					 shmflg >> SHM_HUGE_SHIFT & SHM_HUGE_MASK,
					 !(shmflg & SHM_NORESERVE));

	file = shmem_file_setup(name, size, shmflg & SHM_NORESERVE ? VM_NORESERVE : 0);
	if (!IS_ERR(file))
		file_inode(file)->i_flags |= S_PRIVATE;
	return file;
}

/**
 * kipc_memory_is_huge() - whether the memory is of huge pages
 * @file: the memory
 */
bool kipc_memory_is_huge(struct file *file)
{
	return file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC;
}

/**
 * kipc_memory_add_usage() - add what the memory takes now
 * @file: the memory
 * @usage: where it is added
 *
 * Context: any that may take a spinlock.
 */
void kipc_memory_add_usage(struct file *file, struct kipc_memory_usage *usage)
{
	struct inode *inode = file_inode(file);

	if (kipc_memory_is_huge(file)) {
		usage->resident += pages_per_huge_page(hstate_file(file)) *
				   READ_ONCE(inode->i_mapping->nrpages);
		return;
	}
	usage->resident += READ_ONCE(inode->i_mapping->nrpages);
	usage->swapped += READ_ONCE(SHMEM_I(inode)->swapped);
}

/**
 * kipc_memory_set_locked() - keep the pages of a shmem file out of swap, or not
 * @file: the memory, not huge
 * @locked: whether
 *
 * After unlocking call kipc_memory_make_evictable().
 * Context: any that may take a spinlock.
 */
void kipc_memory_set_locked(struct file *file, bool locked)
{
	struct shmem_inode_info *info = SHMEM_I(file_inode(file));

	spin_lock_irq(&info->lock);
	if (locked) {
		info->flags |= VM_LOCKED;
		mapping_set_unevictable(file->f_mapping);
	} else {
		info->flags &= ~VM_LOCKED;
		mapping_clear_unevictable(file->f_mapping);
	}
	spin_unlock_irq(&info->lock);
}

/**
 * kipc_memory_make_evictable() - let reclaim find pages that were locked
 * @file: the memory, not huge, no longer locked
 *
 * Context: may sleep.
 */
void kipc_memory_make_evictable(struct file *file)
{
	struct address_space *mapping = file->f_mapping;
	struct folio_batch batch;
	pgoff_t index = 0;

	folio_batch_init(&batch);
	while (!mapping_unevictable(mapping) &&
	       filemap_get_folios(mapping, &index, ULONG_MAX, &batch)) {
		check_move_unevictable_folios(&batch);
		folio_batch_release(&batch);
		cond_resched();
	}
}

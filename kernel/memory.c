// SPDX-License-Identifier: GPL-2.0
/*
 * The memory behind a segment: see memory.h.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
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

/* Where the seals of a file are, or NULL: it can have none. */
static unsigned int *kipc_memory_seals(struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!S_ISREG(inode->i_mode))
		return NULL;
	if (inode->i_sb->s_magic == TMPFS_MAGIC)
		return &SHMEM_I(inode)->seals;
#ifdef CONFIG_HUGETLBFS
	if (kipc_memory_is_huge(file))
		return &HUGETLBFS_I(inode)->seals;
#endif
	return NULL;
}

/**
 * kipc_memory_open() - one more file of the same memory
 * @file: the memory
 * @flags: O_RDONLY or O_RDWR
 *
 * Context: may sleep.
 * Return: the file or an error.
 */
struct file *kipc_memory_open(struct file *file, unsigned int flags)
{
	return dentry_open(&file->f_path, flags | O_LARGEFILE, current_cred());
}

/**
 * kipc_memory_adopt() - a file of a caller's memory, for a segment
 * @memfd: the caller's file
 * @size: bytes that it must have, now and for ever
 *
 * Context: may sleep.
 * Return: the file, -EACCES: @memfd is not open for both, -EINVAL: it is no memfd, or can be
 *	   smaller.
 */
struct file *kipc_memory_adopt(struct file *memfd, u64 size)
{
	unsigned int *seals = kipc_memory_seals(memfd);

	/* No other file of these kinds can be sealed so. */
	if (!seals || !(smp_load_acquire(seals) & F_SEAL_SHRINK) ||
	    i_size_read(file_inode(memfd)) < size)
		return ERR_PTR(-EINVAL);
	if ((memfd->f_mode & (FMODE_READ | FMODE_WRITE)) != (FMODE_READ | FMODE_WRITE))
		return ERR_PTR(-EACCES);
	return kipc_memory_open(memfd, O_RDWR);
}

/**
 * kipc_memory_seal() - have nobody who has a file of it change the memory's size
 * @file: the memory
 * @is_adopted: it was somebody's memfd, whose owner and mode are his
 *
 * Nor can a file of it be opened anew, for writing, by who has none such, unless it was a
 * memfd.
 *
 * Context: may sleep.
 */
void kipc_memory_seal(struct file *file, bool is_adopted)
{
	struct inode *inode = file_inode(file);
	unsigned int *seals = kipc_memory_seals(file);

	inode_lock(inode);
	if (seals)
		*seals |= F_SEAL_SHRINK | F_SEAL_GROW;
	if (!is_adopted) {
		inode->i_mode = S_IFREG;
		inode->i_uid = GLOBAL_ROOT_UID;
		inode->i_gid = GLOBAL_ROOT_GID;
	}
	inode_unlock(inode);
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

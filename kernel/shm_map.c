// SPDX-License-Identifier: GPL-2.0
/*
 * Segments: their mappings, shmat, shmdt.  See shm.h.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>

#include "compat.h"
#include "memory.h"
#include "perm.h"
#include "shm.h"
#include "space.h"

/* The file operations of shmem with our mmap and release, made at init. */
static struct file_operations kipc_shm_fops __ro_after_init;
static int (*kipc_shmem_mmap)(struct file *file, struct vm_area_struct *vma) __ro_after_init;

/*
 * There is no exported way to find and unmap under one mmap_lock.  Two shmdt
 * of one address in one process exclude each other here instead, so that the
 * second cannot unmap what a third thread mapped there in between.
 */
static struct mutex kipc_shm_detach_locks[64];

/* ---- The operations of a mapping ---- */

static struct kipc_shm *kipc_shm_of_vma(struct vm_area_struct *vma)
{
	return vma->vm_file->private_data;
}

static const struct vm_operations_struct *kipc_shm_inner(struct vm_area_struct *vma)
{
	return READ_ONCE(kipc_shm_of_vma(vma)->vm_ops);
}

static void kipc_shm_enter(struct kipc_shm *shm)
{
	spin_lock(&shm->object.lock);
	kipc_shm_enter_locked(shm);
	spin_unlock(&shm->object.lock);
}

static void kipc_shm_vm_open(struct vm_area_struct *vma)
{
	if (kipc_shm_inner(vma)->open)
		kipc_shm_inner(vma)->open(vma);
	kipc_shm_enter(kipc_shm_of_vma(vma));
}

static void kipc_shm_vm_close(struct vm_area_struct *vma)
{
	struct kipc_shm *shm = kipc_shm_of_vma(vma);

	if (kipc_shm_inner(vma)->close)
		kipc_shm_inner(vma)->close(vma);
	kipc_shm_leave(shm, true);
}

static int kipc_shm_vm_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	if (kipc_shm_inner(vma)->may_split)
		return kipc_shm_inner(vma)->may_split(vma, addr);
	return 0;
}

static vm_fault_t kipc_shm_vm_fault(struct vm_fault *vmf)
{
	return kipc_shm_inner(vmf->vma)->fault(vmf);
}

static vm_fault_t kipc_shm_vm_map_pages(struct vm_fault *vmf, pgoff_t start,
					pgoff_t end)
{
	if (kipc_shm_inner(vmf->vma)->map_pages)
		return kipc_shm_inner(vmf->vma)->map_pages(vmf, start, end);
	return 0;
}

static unsigned long kipc_shm_vm_pagesize(struct vm_area_struct *vma)
{
	if (kipc_shm_inner(vma)->pagesize)
		return kipc_shm_inner(vma)->pagesize(vma);
	return PAGE_SIZE;
}

#ifdef CONFIG_NUMA
static int kipc_shm_vm_set_policy(struct vm_area_struct *vma,
				  struct mempolicy *policy)
{
	if (kipc_shm_inner(vma)->set_policy)
		return kipc_shm_inner(vma)->set_policy(vma, policy);
	return 0;
}
#endif

/*
 * get_policy is not wrapped: without it the kernel takes the policy of the
 * mapping or task, and its prototype differs between kernels.
 */
static const struct vm_operations_struct kipc_shm_vm_ops = {
	.open		= kipc_shm_vm_open,
	.close		= kipc_shm_vm_close,
	.may_split	= kipc_shm_vm_may_split,
	.fault		= kipc_shm_vm_fault,
	.map_pages	= kipc_shm_vm_map_pages,
	.pagesize	= kipc_shm_vm_pagesize,
#ifdef CONFIG_NUMA
	.set_policy	= kipc_shm_vm_set_policy,
#endif
};

/*
 * The file system has mapped its file: put our operations in front of its own.
 * A mapping made without write access stays so.
 */
static void kipc_shm_wrap(struct kipc_shm *shm, struct vm_area_struct *vma)
{
	WRITE_ONCE(shm->vm_ops, vma->vm_ops);
	vma->vm_ops = &kipc_shm_vm_ops;
	if (!(vma->vm_flags & VM_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);
}

/* Count a mapping that is being made; shmat keeps the segment, remap_file_pages may not. */
static int kipc_shm_enter_if_alive(struct kipc_shm *shm)
{
	int ret = 0;

	if (!kipc_object_get_rcu(&shm->object))
		return -EINVAL;
	spin_lock(&shm->object.lock);
	if (shm->object.removed && !shm->nattch)
		ret = -EINVAL;
	else
		kipc_shm_enter_locked(shm);
	spin_unlock(&shm->object.lock);
	kipc_object_put(&shm->object);
	return ret;
}

/* mmap of a segment's shmem file. */
static int kipc_shm_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kipc_shm *shm = file->private_data;
	int ret;

	ret = kipc_shm_enter_if_alive(shm);
	if (ret)
		return ret;
	ret = kipc_shmem_mmap(file, vma);
	if (ret) {
		kipc_shm_leave(shm, true);
		return ret;
	}
	kipc_shm_wrap(shm, vma);
	return 0;
}

/* mmap of the file in front of a segment of huge pages. */
static int kipc_shm_huge_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kipc_shm *shm = file->private_data;
	int ret;

	ret = kipc_shm_enter_if_alive(shm);
	if (ret)
		return ret;
	vma_set_file(vma, shm->file);
	ret = vfs_mmap(shm->file, vma);
	if (ret) {
		kipc_shm_leave(shm, true);
		return ret;
	}
	kipc_shm_wrap(shm, vma);
	return 0;
}

static unsigned long kipc_shm_huge_area(struct file *file, unsigned long addr,
					unsigned long len, unsigned long pgoff,
					unsigned long flags)
{
	struct kipc_shm *shm = file->private_data;

	return shm->file->f_op->get_unmapped_area(shm->file, addr, len, pgoff, flags);
}

/*
 * The end of the file that attachments are made through, and of the segment's
 * memory: remap_file_pages() may still hold the file, and call its mmap, when
 * the segment has ended.
 */
static int kipc_shm_release(struct inode *inode, struct file *file)
{
	struct kipc_shm *shm = file->private_data;

	call_rcu(&shm->object.rcu, kipc_shm_free_rcu);
	return 0;
}

static const struct file_operations kipc_shm_huge_fops = {
	.owner			= THIS_MODULE,
	.release		= kipc_shm_release,
	.mmap			= kipc_shm_huge_mmap,
	.get_unmapped_area	= kipc_shm_huge_area,
};

/* ---- The file ---- */

/**
 * kipc_shm_hook_file() - make attachments of a new segment go through us
 * @shm: the segment; nobody else knows its file yet
 *
 * From success on the end of map_file frees the segment's memory.
 * Return: 0 or an error.
 */
int kipc_shm_hook_file(struct kipc_shm *shm)
{
	struct file *front;

	shm->file->private_data = shm;
	if (kipc_memory_is_huge(shm->file)) {
		/* Huge pages are known by their file operations: leave them. */
		front = anon_inode_getfile("[kipc]", &kipc_shm_huge_fops, shm, O_RDWR);
		if (IS_ERR(front))
			return PTR_ERR(front);
		shm->map_file = front;
		return 0;
	}
	/* The file pins the module from here to its last fput. */
	__module_get(THIS_MODULE);
	shm->file->f_op = &kipc_shm_fops;
	shm->map_file = shm->file;
	return 0;
}

/* ---- shmat and shmdt ---- */

/* Check and count an attachment that is being made. */
static int kipc_shm_begin(struct kipc_shm *shm, unsigned int rights)
{
	int ret = 0;

	spin_lock(&shm->object.lock);
	if (shm->object.removed)
		ret = -EIDRM;
	else if (!kipc_may_access(&shm->object, rights))
		ret = -EACCES;
	else
		shm->nattch++;
	spin_unlock(&shm->object.lock);
	return ret;
}

/* The address as shmat rounds it; *map_flags gets how to place it. */
static int kipc_shm_place(unsigned long *addr, unsigned int flags,
			  unsigned long *map_flags)
{
	*map_flags = MAP_SHARED;
	if (!*addr)
		return flags & SHM_REMAP ? -EINVAL : 0;

	if (*addr & (SHMLBA - 1)) {
		if (flags & SHM_RND) {
			*addr &= ~(SHMLBA - 1);
			if (!*addr && flags & SHM_REMAP)
				return -EINVAL;
		} else if (*addr & ~PAGE_MASK) {
			return -EINVAL;
		}
	}
	*map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	return 0;
}

/**
 * kipc_shm_attach() - shmat(2)
 * @space: the caller's space
 * @id: segment
 * @addr: address wanted, or 0
 * @flags: shmflg
 *
 * Context: process; may sleep.
 * Return: the address, or an error as shmat(2) has it.
 */
long kipc_shm_attach(struct kipc_space *space, int id, unsigned long addr,
		     unsigned int flags)
{
	unsigned long prot = PROT_READ, map_flags;
	unsigned int rights = S_IRUGO;
	struct kipc_shm *shm;
	long ret;

	if (id < 0)
		return -EINVAL;
	ret = kipc_shm_place(&addr, flags, &map_flags);
	if (ret)
		return ret;
	if (!(flags & SHM_RDONLY)) {
		prot |= PROT_WRITE;
		rights |= S_IWUGO;
	}
	if (flags & SHM_EXEC) {
		prot |= PROT_EXEC;
		rights |= S_IXUGO;
	}

	shm = kipc_shm_find(space, id);
	if (IS_ERR(shm))
		return PTR_ERR(shm);
	ret = kipc_shm_begin(shm, rights);
	if (ret)
		goto put;

	if (map_flags & MAP_FIXED_NOREPLACE && addr + shm->size < addr)
		ret = -EINVAL;
	else
		ret = vm_mmap(shm->map_file, addr, i_size_read(file_inode(shm->file)),
			      prot, map_flags, 0);
	if (ret == -EEXIST)
		ret = -EINVAL;
	kipc_shm_leave(shm, false);
put:
	kipc_object_put(&shm->object);
	return ret;
}

/*
 * The first fragment at or above @at that belongs to the attachment made at
 * @base; of @file, or if that is NULL of any segment.
 */
static struct vm_area_struct *kipc_shm_next_fragment(unsigned long base,
						     unsigned long at,
						     unsigned long end,
						     struct file *file)
{
	VMA_ITERATOR(vmi, current->mm, at);
	struct vm_area_struct *vma;

	mmap_assert_locked(current->mm);
	for_each_vma_range(vmi, vma, end) {
		if (vma->vm_ops != &kipc_shm_vm_ops || vma->vm_start < base)
			continue;
		if (vma->vm_start - base != vma->vm_pgoff << PAGE_SHIFT || vma->vm_end > end)
			continue;
		if (!file || vma->vm_file == file)
			return vma;
	}
	return NULL;
}

/**
 * kipc_shm_detach() - shmdt(2)
 * @addr: address of the attachment
 *
 * Parts of the attachment may have been unmapped or moved away; what is still
 * where shmat put it goes.
 *
 * Context: process; may sleep.
 * Return: 0, -EINVAL (nothing is attached there) or -EINTR (killed).
 */
int kipc_shm_detach(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct mutex *lock = &kipc_shm_detach_locks[hash_ptr(mm, 6)];
	unsigned long at = addr, start, end = ULONG_MAX;
	struct vm_area_struct *vma;
	struct file *file = NULL;
	int ret = -EINVAL, err;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (mutex_lock_killable(lock))
		return -EINTR;
	while (at < end) {
		if (mmap_read_lock_killable(mm)) {
			ret = -EINTR;
			break;
		}
		vma = kipc_shm_next_fragment(addr, at, end, file);
		if (!vma) {
			mmap_read_unlock(mm);
			break;
		}
		if (!file) {
			file = get_file(vma->vm_file);
			end = addr + PAGE_ALIGN(i_size_read(file_inode(file)));
		}
		start = vma->vm_start;
		at = vma->vm_end;
		mmap_read_unlock(mm);

		err = vm_munmap(start, at - start);
		if (err) {
			ret = err;
			break;
		}
		ret = 0;
	}
	mutex_unlock(lock);
	if (file)
		fput(file);
	return ret;
}

/**
 * kipc_shm_map() - mmap of the device: map a segment
 * @space: the caller's space
 * @id: segment
 * @vma: the mapping, of no file system's yet
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0, -EINVAL (no such segment, or length, alignment or kind of the
 *	   mapping wrong), -EACCES or -EIDRM.
 */
int kipc_shm_map(struct kipc_space *space, int id, struct vm_area_struct *vma)
{
	unsigned int rights = 0;
	struct kipc_shm *shm;
	loff_t size, grain;
	int ret;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	/* A mapping without access could gain it later: it counts as reading. */
	rights |= S_IRUGO;
	if (vma->vm_flags & VM_WRITE)
		rights |= S_IWUGO;
	if (vma->vm_flags & VM_EXEC)
		rights |= S_IXUGO;

	shm = kipc_shm_find(space, id);
	if (IS_ERR(shm))
		return PTR_ERR(shm);
	ret = -EINVAL;
	size = PAGE_ALIGN(i_size_read(file_inode(shm->file)));
	grain = kipc_memory_is_huge(shm->file) ? i_blocksize(file_inode(shm->file)) : PAGE_SIZE;
	if (vma->vm_end - vma->vm_start > size ||
	    !IS_ALIGNED(vma->vm_start | vma->vm_end, grain))
		goto put;
	ret = kipc_shm_begin(shm, rights);
	if (ret)
		goto put;

	vma->vm_pgoff = 0;
	if (shm->map_file == shm->file)
		vma_set_file(vma, shm->file);
	ret = shm->map_file->f_op->mmap(shm->map_file, vma);
	if (!ret && !(vma->vm_flags & VM_EXEC))
		vm_flags_clear(vma, VM_MAYEXEC);
	kipc_shm_leave(shm, false);
put:
	kipc_object_put(&shm->object);
	return ret;
}

/* ---- Init ---- */

/**
 * kipc_shm_map_init() - this file's part of module init
 *
 * Return: 0 or an error.
 */
int kipc_shm_map_init(void)
{
	struct file *model;
	int i;

	for (i = 0; i < ARRAY_SIZE(kipc_shm_detach_locks); i++)
		mutex_init(&kipc_shm_detach_locks[i]);

	model = shmem_file_setup("kipc", 0, 0);
	if (IS_ERR(model))
		return PTR_ERR(model);
	kipc_shm_fops = *model->f_op;
	fput(model);
	/* shmem has none; if that changes, ours must call it. */
	if (WARN_ON_ONCE(kipc_shm_fops.release))
		return -EOPNOTSUPP;
	kipc_shmem_mmap = kipc_shm_fops.mmap;
	kipc_shm_fops.owner = THIS_MODULE;
	kipc_shm_fops.mmap = kipc_shm_file_mmap;
	kipc_shm_fops.release = kipc_shm_release;
	return 0;
}

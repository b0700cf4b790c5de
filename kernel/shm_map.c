// SPDX-License-Identifier: GPL-2.0
/*
 * Segments: their mappings, shmat, shmdt.  See shm.h.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "compat.h"
#include "memory.h"
#include "perm.h"
#include "shm.h"
#include "space.h"

/*
 * There is no exported way to find and unmap under one mmap_lock.  Two shmdt
 * in one process exclude each other here instead, so that the second cannot
 * unmap what a third thread mapped in between.  Only threads of one mm ever
 * wait for one another: how long an mmap_lock is held is up to its owner.
 */
#define KIPC_SHM_DETACHING_BITS	6

struct kipc_shm_detaching {
	spinlock_t lock;
	struct list_head list;
	wait_queue_head_t wait;
};

static struct kipc_shm_detaching kipc_shm_detaching[1 << KIPC_SHM_DETACHING_BITS];

/* Somebody in shmdt; on the stack. */
struct kipc_shm_detacher {
	struct list_head node;
	struct mm_struct *mm;
};

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

/* ---- The files ---- */

/* Count a mapping that is being made; shmat keeps the segment, remap_file_pages may not. */
static int kipc_shm_enter_if_alive(struct kipc_shm *shm)
{
	int ret = 0;

	if (!kipc_object_get_rcu(&shm->object))
		return -EINVAL;
	spin_lock(&shm->object.lock);
	if (shm->object.removed && !kipc_object_is_used(&shm->object))
		ret = -EINVAL;
	else
		kipc_shm_enter_locked(shm);
	spin_unlock(&shm->object.lock);
	kipc_object_put(&shm->object);
	return ret;
}

/*
 * Let the file system map and put our operations in front of its own.  The
 * rights of the mapping follow from the file's mode: nothing here may change
 * flags, for 6.12 then tries to merge the mapping without closing it.
 */
static int kipc_shm_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kipc_shm *shm = file->private_data;
	int ret;

	ret = kipc_shm_enter_if_alive(shm);
	if (ret)
		return ret;
	ret = shm->fops->mmap(file, vma);
	if (ret) {
		kipc_shm_leave(shm, true);
		return ret;
	}
	WRITE_ONCE(shm->vm_ops, vma->vm_ops);
	vma->vm_ops = &kipc_shm_vm_ops;
	return 0;
}

static unsigned long kipc_shm_file_area(struct file *file, unsigned long addr,
					unsigned long len, unsigned long pgoff,
					unsigned long flags)
{
	struct kipc_shm *shm = file->private_data;

	/* shmem knows its files by their operations; without a file it takes its own mount. */
	if (!kipc_memory_is_huge(file))
		file = NULL;
	return shm->fops->get_unmapped_area(file, addr, len, pgoff, flags);
}

/* For madvise(MADV_REMOVE). */
static long kipc_shm_file_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct kipc_shm *shm = file->private_data;

	if (!shm->fops->fallocate)
		return -EOPNOTSUPP;
	return shm->fops->fallocate(file, mode, offset, len);
}

/*
 * The end of a file, perhaps of the segment's memory: remap_file_pages() may
 * still hold the file, and call its mmap, when the segment has ended.
 */
static int kipc_shm_file_release(struct inode *inode, struct file *file)
{
	struct kipc_shm *shm = file->private_data;

	if (refcount_dec_and_test(&shm->files))
		call_rcu(&shm->object.rcu, kipc_shm_free_rcu);
	return 0;
}

static const struct file_operations kipc_shm_fops = {
	.owner			= THIS_MODULE,
	.mmap			= kipc_shm_file_mmap,
	.get_unmapped_area	= kipc_shm_file_area,
	.fsync			= noop_fsync,
	.fallocate		= kipc_shm_file_fallocate,
	.release		= kipc_shm_file_release,
};

/**
 * kipc_shm_hook_file() - make mappings of a file go through us
 * @shm: the segment
 * @file: a file of its memory that nobody else knows yet
 *
 * From here to its end the file pins the module and the segment's memory.
 */
void kipc_shm_hook_file(struct kipc_shm *shm, struct file *file)
{
	if (file == shm->file) {
		refcount_set(&shm->files, 1);
		shm->fops = file->f_op;
	} else {
		refcount_inc(&shm->files);
	}
	__module_get(THIS_MODULE);
	file->private_data = shm;
	file->f_op = &kipc_shm_fops;
}

/* The file for read-only attachments. */
static struct file *kipc_shm_readonly_file(struct kipc_shm *shm)
{
	struct file *file = smp_load_acquire(&shm->readonly), *other;
	struct inode *inode = file_inode(shm->file);

	if (file)
		return file;
	ihold(inode);
	file = alloc_file_pseudo(inode, shm->file->f_path.mnt,
				 shm->file->f_path.dentry->d_name.name,
				 O_RDONLY | O_LARGEFILE, shm->fops);
	if (IS_ERR(file)) {
		iput(inode);
		return file;
	}
	kipc_shm_hook_file(shm, file);
	other = cmpxchg(&shm->readonly, NULL, file);
	if (other) {
		fput(file);
		return other;
	}
	return file;
}

/* ---- shmat and shmdt ---- */

/* Check and count an attachment that is being made. */
static int kipc_shm_begin(struct kipc_shm *shm, unsigned int rights,
			  const struct kipc_grant *grant)
{
	int ret = 0;

	spin_lock(&shm->object.lock);
	/* What a descriptor holds is there as long as that. */
	if (shm->object.removed && !grant)
		ret = -EIDRM;
	else if (!kipc_may(&shm->object, rights, grant))
		ret = -EACCES;
	else
		WRITE_ONCE(shm->object.nattch, shm->object.nattch + 1);
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
	/* Rounded down to 0, an address replaces what is there, as natively. */
	*map_flags |= flags & SHM_REMAP || !*addr ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	return 0;
}

/*
 * Whether something is mapped where an attachment is to be; this error comes
 * before all others of mapping.  What comes in between vm_mmap() refuses.
 */
static bool kipc_shm_is_occupied(unsigned long addr, size_t size)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool occupied;

	if (addr + size < addr)
		return true;
	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	occupied = vma && vma->vm_start < addr + size;
	mmap_read_unlock(mm);
	return occupied;
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
	struct file *file;
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
	ret = kipc_shm_begin(shm, rights, NULL);
	if (ret)
		goto put;

	file = flags & SHM_RDONLY ? kipc_shm_readonly_file(shm) : shm->file;
	if (IS_ERR(file))
		ret = PTR_ERR(file);
	else if (map_flags & MAP_FIXED_NOREPLACE && kipc_shm_is_occupied(addr, shm->object.size))
		ret = -EINVAL;
	else
		ret = vm_mmap(file, addr, i_size_read(file_inode(file)), prot, map_flags, 0);
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

	lockdep_assert_held(&current->mm->mmap_lock);
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

static bool kipc_shm_try_detach(struct kipc_shm_detaching *detaching,
				struct kipc_shm_detacher *self)
{
	struct kipc_shm_detacher *other;
	bool alone = true;

	spin_lock(&detaching->lock);
	list_for_each_entry(other, &detaching->list, node)
		if (other->mm == self->mm)
			alone = false;
	if (alone)
		list_add(&self->node, &detaching->list);
	spin_unlock(&detaching->lock);
	return alone;
}

static void kipc_shm_end_detach(struct kipc_shm_detaching *detaching,
				struct kipc_shm_detacher *self)
{
	spin_lock(&detaching->lock);
	list_del(&self->node);
	spin_unlock(&detaching->lock);
	wake_up_all(&detaching->wait);
}

/* Unmap what is left of the attachment made at @addr; nobody else does so in this mm. */
static int kipc_shm_unmap_fragments(struct mm_struct *mm, unsigned long addr)
{
	unsigned long at = addr, start, end = ULONG_MAX;
	struct vm_area_struct *vma;
	struct file *file = NULL;
	int ret = -EINVAL;

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

		ret = 0;
		if (vm_munmap(start, at - start) == -EINTR) {
			ret = -EINTR;
			break;
		}
	}
	if (file)
		fput(file);
	return ret;
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
	struct kipc_shm_detacher self = { .mm = current->mm };
	struct kipc_shm_detaching *detaching =
		&kipc_shm_detaching[hash_ptr(self.mm, KIPC_SHM_DETACHING_BITS)];
	int ret;

	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!kipc_shm_try_detach(detaching, &self) &&
	    wait_event_killable(detaching->wait, kipc_shm_try_detach(detaching, &self)))
		return -EINTR;
	ret = kipc_shm_unmap_fragments(self.mm, addr);
	kipc_shm_end_detach(detaching, &self);
	return ret;
}

/**
 * kipc_shm_map() - mmap of the device or of a handle: map a segment
 * @space: the caller's space
 * @id: segment
 * @grant: the segment instead, and rights to it, or NULL
 * @vma: the mapping, of no file system's yet
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0, -EINVAL (no such segment, or length, alignment or kind of the
 *	   mapping wrong), -EACCES or -EIDRM.
 */
int kipc_shm_map(struct kipc_space *space, int id, const struct kipc_grant *grant,
		 struct vm_area_struct *vma)
{
	/* A mapping without access could gain it later: it counts as reading. */
	unsigned int rights = S_IRUGO;
	struct kipc_object *object;
	struct kipc_shm *shm;
	loff_t size, grain;
	struct file *file;
	int ret;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		rights |= S_IWUGO;
	if (vma->vm_flags & VM_EXEC)
		rights |= S_IXUGO;

	object = kipc_find_granted(space, KIPC_KIND_SHM, id, grant);
	if (IS_ERR(object))
		return PTR_ERR(object);
	shm = kipc_shm_of(object);
	ret = -EINVAL;
	size = PAGE_ALIGN(i_size_read(file_inode(shm->file)));
	grain = kipc_memory_is_huge(shm->file) ? i_blocksize(file_inode(shm->file)) : PAGE_SIZE;
	if (vma->vm_end - vma->vm_start > size ||
	    !IS_ALIGNED(vma->vm_start | vma->vm_end, grain))
		goto put;
	ret = kipc_shm_begin(shm, rights, grant);
	if (ret)
		goto put;

	/* A read-only mapping is of the read-only file, or remap_file_pages() would lift it. */
	file = vma->vm_flags & VM_WRITE ? shm->file : kipc_shm_readonly_file(shm);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
	} else {
		vma->vm_pgoff = 0;
		vma_set_file(vma, file);
		ret = kipc_shm_file_mmap(file, vma);
		if (!ret && file != shm->file)
			vm_flags_clear(vma, VM_MAYWRITE);
	}
	kipc_shm_leave(shm, false);
put:
	kipc_object_put(&shm->object);
	return ret;
}

/* ---- Init ---- */

/**
 * kipc_shm_map_init() - this file's part of module init
 */
void kipc_shm_map_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kipc_shm_detaching); i++) {
		spin_lock_init(&kipc_shm_detaching[i].lock);
		INIT_LIST_HEAD(&kipc_shm_detaching[i].list);
		init_waitqueue_head(&kipc_shm_detaching[i].wait);
	}
}

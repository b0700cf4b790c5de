// SPDX-License-Identifier: GPL-2.0
/*
 * Pages shared with user space: see shared.h.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "shared.h"

#define KIPC_SHARED_MAGIC	0x6b697063

static struct vfsmount *kipc_shared_mount;
static struct inode *kipc_shared_inode;

static int kipc_shared_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, KIPC_SHARED_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: the mount is the module's own and must not keep it from being unloaded. */
static struct file_system_type kipc_shared_type = {
	.name		 = "kipc",
	.init_fs_context = kipc_shared_init_fs_context,
	.kill_sb	 = kill_anon_super,
};

/**
 * kipc_shared_adopt() - have an open device's mappings found by kipc_shared_cut()
 * @file: the device, being opened
 */
void kipc_shared_adopt(struct file *file)
{
	file->f_mapping = kipc_shared_inode->i_mapping;
}

/**
 * kipc_shared_alloc() - zeroed pages
 * @size: bytes
 *
 * Return: the pages or NULL.
 */
void *kipc_shared_alloc(size_t size)
{
	/* A user at the bounds of his memory is to get ENOMEM, not to fill the kernel's log. */
	return __vmalloc(PAGE_ALIGN(size), GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
}

/**
 * kipc_shared_free() - free pages that nobody has mapped
 * @pages: the pages or NULL
 *
 * Context: any but hard interrupt.
 */
void kipc_shared_free(void *pages)
{
	vfree(pages);
}

/**
 * kipc_shared_prepare() - make a new mapping one of shared pages
 * @vma: the mapping
 * @window: page offset of its first page in the address space
 */
void kipc_shared_prepare(struct vm_area_struct *vma, unsigned long window)
{
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP);
	if (!(vma->vm_flags & VM_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);
	vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_pgoff = window;
}

/**
 * kipc_shared_insert() - give a faulting address its page
 * @vmf: the fault
 * @pages: pages from kipc_shared_alloc()
 * @page: which one
 *
 * Whatever may cut the mapping is excluded by the caller, by the lock under which
 * it decided what the address shows.
 */
vm_fault_t kipc_shared_insert(struct vm_fault *vmf, void *pages, unsigned long page)
{
	return vmf_insert_pfn(vmf->vma, vmf->address,
			      vmalloc_to_pfn(pages + (page << PAGE_SHIFT)));
}

/**
 * kipc_shared_cut() - take pages away from whoever has them mapped
 * @window: page offset of the first
 * @pages: how many
 *
 * The next access faults.
 *
 * Context: may sleep; mmap_lock must not be needed.
 */
void kipc_shared_cut(unsigned long window, unsigned long pages)
{
	unmap_mapping_range(kipc_shared_inode->i_mapping, (loff_t)window << PAGE_SHIFT,
			    (loff_t)pages << PAGE_SHIFT, 1);
}

/**
 * kipc_shared_init() - the level's part of module init
 *
 * Return: 0 or an error.
 */
int kipc_shared_init(void)
{
	kipc_shared_mount = kern_mount(&kipc_shared_type);
	if (IS_ERR(kipc_shared_mount))
		return PTR_ERR(kipc_shared_mount);
	kipc_shared_inode = alloc_anon_inode(kipc_shared_mount->mnt_sb);
	if (IS_ERR(kipc_shared_inode)) {
		kern_unmount(kipc_shared_mount);
		return PTR_ERR(kipc_shared_inode);
	}
	return 0;
}

/**
 * kipc_shared_deinit() - nothing is mapped any more, and no device open
 */
void kipc_shared_deinit(void)
{
	iput(kipc_shared_inode);
	kern_unmount(kipc_shared_mount);
}

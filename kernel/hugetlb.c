// SPDX-License-Identifier: GPL-2.0
/*
 * Files of huge pages: see hugetlb.h.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>
#include <linux/uidgid.h>

#include "hugetlb.h"

/* By log2 of the page size; 0 is the default size. */
static struct vfsmount *kipc_hugetlb_mounts[64];
static DEFINE_MUTEX(kipc_hugetlb_lock);

static unsigned int hugetlb_shm_group;
module_param(hugetlb_shm_group, uint, 0644);
MODULE_PARM_DESC(hugetlb_shm_group,
		 "group that may use SHM_HUGETLB without CAP_IPC_LOCK, as vm.hugetlb_shm_group");

static bool kipc_hugetlb_is_allowed(void)
{
	return capable(CAP_IPC_LOCK) ||
	       in_group_p(make_kgid(&init_user_ns, hugetlb_shm_group));
}

static struct vfsmount *kipc_hugetlb_mount(unsigned int size_log)
{
	struct file_system_type *type;
	struct vfsmount *mount;
	char options[40];

	if (size_log >= BITS_PER_LONG)
		return ERR_PTR(-EINVAL);

	mutex_lock(&kipc_hugetlb_lock);
	mount = kipc_hugetlb_mounts[size_log];
	if (mount)
		goto unlock;

	type = get_fs_type("hugetlbfs");
	if (!type) {
		mount = ERR_PTR(-EINVAL);
		goto unlock;
	}
	snprintf(options, sizeof(options), "pagesize=%lu", 1UL << size_log);
	mount = vfs_kern_mount(type, SB_KERNMOUNT, type->name,
			       size_log ? options : NULL);
	module_put(type->owner);
	if (!IS_ERR(mount))
		kipc_hugetlb_mounts[size_log] = mount;
unlock:
	mutex_unlock(&kipc_hugetlb_lock);
	return mount;
}

/* An unnamed inode of the mount behind a file with our name for it. */
static struct file *kipc_hugetlb_make(struct vfsmount *mount, const char *name,
				      loff_t size)
{
	struct path root = { .mnt = mount, .dentry = mount->mnt_root };
	struct file *unnamed, *file;
	struct inode *inode;

	unnamed = file_open_root(&root, ".", O_TMPFILE | O_RDWR | O_LARGEFILE, 0600);
	if (IS_ERR(unnamed))
		return unnamed;
	inode = file_inode(unnamed);
	ihold(inode);
	inode_lock(inode);
	i_size_write(inode, size);
	inode_unlock(inode);
	file = alloc_file_pseudo(inode, mount, name, O_RDWR, unnamed->f_op);
	if (IS_ERR(file))
		iput(inode);
	fput(unnamed);
	return file;
}

/*
 * The reservation that a shared mapping makes stays with the inode, so mapping
 * the file for a moment, without access, reserves its pages.
 */
static int kipc_hugetlb_reserve(struct file *file, loff_t size)
{
	unsigned long addr = vm_mmap(file, 0, size, PROT_NONE, MAP_SHARED, 0);

	/* Also when RLIMIT_AS or RLIMIT_MEMLOCK stand in the way. */
	if (IS_ERR_VALUE(addr))
		return -ENOMEM;
	vm_munmap(addr, size);
	return 0;
}

/**
 * kipc_hugetlb_file() - a file of huge pages for the caller
 * @name: name shown in /proc/pid/maps
 * @size: bytes; the file has it rounded up to whole pages
 * @size_log: log2 of the page size, or 0 for the default size
 * @reserve: reserve the pages now
 *
 * Context: process with an mm; no kipc lock held; may sleep.
 * Return: the file, or -EPERM (not allowed), -EINVAL (no such page size),
 *	   -ENOMEM (not enough huge pages).
 */
struct file *kipc_hugetlb_file(const char *name, size_t size,
			       unsigned int size_log, bool reserve)
{
	bool allowed = kipc_hugetlb_is_allowed();
	const struct cred *caller;
	struct vfsmount *mount;
	struct cred *kernel;
	struct file *file;
	loff_t real;
	int ret;

	kernel = prepare_kernel_cred(&init_task);
	if (!kernel)
		return ERR_PTR(-ENOMEM);

	caller = override_creds(kernel);
	mount = kipc_hugetlb_mount(size_log);
	if (IS_ERR(mount)) {
		file = ERR_CAST(mount);
	} else if (!allowed) {
		file = ERR_PTR(-EPERM);
	} else {
		real = ALIGN((loff_t)size, (loff_t)mount->mnt_sb->s_blocksize);
		file = kipc_hugetlb_make(mount, name, real);
	}
	revert_creds(caller);
	put_cred(kernel);
	if (IS_ERR(file))
		return file;

	if (reserve) {
		ret = kipc_hugetlb_reserve(file, real);
		if (ret) {
			fput(file);
			return ERR_PTR(ret);
		}
	}
	/* From now on mapping the file reserves nothing. */
	file_inode(file)->i_flags |= S_PRIVATE;
	return file;
}

/**
 * kipc_hugetlb_deinit() - unmount; no file is in use
 */
void kipc_hugetlb_deinit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kipc_hugetlb_mounts); i++)
		if (kipc_hugetlb_mounts[i])
			kern_unmount(kipc_hugetlb_mounts[i]);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/kipc, and what a handle can do: see device.h.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#include <linux/kipc.h>

#include "device.h"
#include "handle.h"
#include "ioctl.h"
#include "process.h"
#include "sem.h"
#include "shared.h"
#include "shm.h"
#include "space.h"
#include "uring.h"

static int kipc_open(struct inode *inode, struct file *file)
{
	/* The misc layer leaves its own pointer there; a descriptor carries nothing. */
	file->private_data = NULL;
	kipc_shared_adopt(file);
	return nonseekable_open(inode, file);
}

static int kipc_mmap(struct file *file, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 id = offset >> 20 & U32_MAX;
	struct kipc_space *space;

	if (offset == KIPC_MMAP_SLOTS)
		return kipc_process_map(vma);
	if (offset == KIPC_MMAP_CLOCK)
		return kipc_clock_map(vma);
	if (id > INT_MAX)
		return -EINVAL;
	space = kipc_space_current();
	if (IS_ERR(space))
		return PTR_ERR(space);
	if (offset == KIPC_MMAP_OFFSET(KIPC_KIND_SHM, id))
		return kipc_shm_map(space, id, NULL, vma);
	if (offset == KIPC_MMAP_OFFSET(KIPC_KIND_SEM, id))
		return kipc_sem_map(space, id, vma);
	return -EINVAL;
}

static const struct file_operations kipc_device_fops = {
	.owner		= THIS_MODULE,
	.open		= kipc_open,
	.unlocked_ioctl	= kipc_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.fadvise	= kipc_call,
	.mmap		= kipc_mmap,
};

const struct file_operations kipc_handle_fops = {
	.owner		= THIS_MODULE,
	.read_iter	= kipc_handle_read,
	.write_iter	= kipc_handle_write,
	.poll		= kipc_handle_poll,
	.fasync		= kipc_handle_fasync,
	.unlocked_ioctl	= kipc_handle_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.fadvise	= kipc_handle_call,
	.mmap		= kipc_handle_mmap,
#if IS_ENABLED(CONFIG_IO_URING)
	.uring_cmd	= kipc_uring_cmd,
#endif
	.flush		= kipc_handle_flush,
	.release	= kipc_handle_release,
	.show_fdinfo	= kipc_handle_show,
};

static struct miscdevice kipc_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kipc",
	.fops	= &kipc_device_fops,
	.mode	= 0666,
};

/**
 * kipc_device_init() - make the device
 *
 * Return: 0 or an error.
 */
int kipc_device_init(void)
{
	return misc_register(&kipc_device);
}

/**
 * kipc_device_deinit() - remove the device
 */
void kipc_device_deinit(void)
{
	misc_deregister(&kipc_device);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX shared memory: see posix_shm.h.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "compat.h"
#include "memory.h"
#include "perm.h"
#include "posix_shm.h"
#include "space.h"

/* ---- Life ---- */

static void kipc_posix_shm_free_rcu(struct rcu_head *rcu)
{
	kfree(kipc_posix_shm_of(container_of(rcu, struct kipc_object, rcu)));
	/* Module exit waits for this callback to return. */
	module_put(THIS_MODULE);
}

static void kipc_posix_shm_free(struct kipc_object *object)
{
	struct kipc_posix_shm *shm = kipc_posix_shm_of(object);

	fput(shm->file);
	kipc_name_deinit(&shm->name);
	kipc_space_put(object->space);
	call_rcu(&object->rcu, kipc_posix_shm_free_rcu);
}

static bool kipc_posix_shm_end_locked(struct kipc_object *object)
{
	return kipc_name_end_locked(&kipc_posix_shm_of(object)->name);
}

/*
 * fstat() of who has it open tells it.  Nobody else changes the number while there is a name,
 * and the inode's lock may be held for as long as somebody likes who writes to the file.
 */
static void kipc_posix_shm_ended(struct kipc_object *object)
{
	clear_nlink(file_inode(kipc_posix_shm_of(object)->file));
}

/* All opens but kipc's own. */
static unsigned long kipc_posix_shm_users(struct kipc_object *object)
{
	return d_count(kipc_posix_shm_of(object)->file->f_path.dentry) - 1;
}

static const struct kipc_object_ops kipc_posix_shm_ops = {
	.end_locked	= kipc_posix_shm_end_locked,
	.ended		= kipc_posix_shm_ended,
	.free		= kipc_posix_shm_free,
	.users		= kipc_posix_shm_users,
	.outlives	= true,
};

static struct file *kipc_posix_shm_memory(const struct kipc_open *open)
{
	char name[NAME_MAX + 8];
	struct inode *inode;
	struct file *file;

	if (open->size > MAX_LFS_FILESIZE)
		return ERR_PTR(-EFBIG);
	snprintf(name, sizeof(name), "kipc:/%s", open->text);
	file = shmem_file_setup(name, open->size, VM_NORESERVE);
	if (IS_ERR(file))
		return file;
	inode = file_inode(file);
	inode->i_mode = S_IFREG | open->mode;
	set_nlink(inode, 1);
	/* Nothing is sealed, not even against sealing. */
	SHMEM_I(inode)->seals = 0;
	return file;
}

/**
 * struct kipc_posix_shm_claim - a memfd that is to have a name
 * @memfd: the caller's file
 * @is_made: owner, mode and number of names are a segment's now
 * @mode: before that
 * @gid: likewise
 */
struct kipc_posix_shm_claim {
	struct file *memfd;
	bool is_made;
	umode_t mode;
	kgid_t gid;
};

/*
 * Who looks the name up, or opens a descriptor anew, is to meet the owner and mode that a new
 * segment of the caller's has.  He must own the memory, for whoever does can change them.
 */
static int kipc_posix_shm_claim(struct kipc_posix_shm_claim *claim, umode_t mode)
{
	struct inode *inode = file_inode(claim->memfd);
	struct iattr attr = {
		.ia_valid = ATTR_MODE | ATTR_GID | ATTR_CTIME,
		.ia_mode = S_IFREG | mode, .ia_gid = current_fsgid(),
	};
	int ret;

	inode_lock(inode);
	claim->mode = inode->i_mode;
	claim->gid = inode->i_gid;
	if (!uid_eq(inode->i_uid, current_fsuid()))
		ret = -EPERM;
	else if (inode->i_nlink)
		ret = -EBUSY;
	else
		ret = notify_change(file_mnt_idmap(claim->memfd), claim->memfd->f_path.dentry,
				    &attr, NULL);
	if (!ret)
		set_nlink(inode, 1);
	claim->is_made = !ret;
	inode_unlock(inode);
	return ret;
}

static void kipc_posix_shm_unclaim(const struct kipc_posix_shm_claim *claim)
{
	struct inode *inode = file_inode(claim->memfd);

	inode_lock(inode);
	inode->i_mode = claim->mode;
	inode->i_gid = claim->gid;
	clear_nlink(inode);
	inode_unlock(inode);
}

static struct kipc_object *kipc_posix_shm_new(struct kipc_space *space,
					      const struct kipc_open *open)
{
	struct kipc_posix_shm *shm;
	int ret;

	shm = kzalloc(sizeof(*shm), GFP_KERNEL_ACCOUNT);
	if (!shm)
		return ERR_PTR(-ENOMEM);
	shm->file = open->claim ? kipc_memory_adopt(open->claim->memfd, 0) :
		    kipc_posix_shm_memory(open);
	if (IS_ERR(shm->file)) {
		ret = PTR_ERR(shm->file);
		goto free_shm;
	}
	ret = kipc_name_init(&shm->name, &shm->object, open->text);
	if (ret)
		goto put_file;
	if (open->claim) {
		ret = kipc_posix_shm_claim(open->claim, open->mode);
		if (ret)
			goto deinit_name;
	}
	/* A reference exists: the caller's open device. */
	__module_get(THIS_MODULE);
	kipc_object_init(&shm->object, KIPC_KIND_POSIX_SHM, &kipc_posix_shm_ops,
			 kipc_space_get(space), IPC_PRIVATE, open->mode);
	return &shm->object;

deinit_name:
	kipc_name_deinit(&shm->name);
put_file:
	fput(shm->file);
free_shm:
	kfree(shm);
	return ERR_PTR(ret);
}

/* ---- Names ---- */

static struct kipc_name *kipc_posix_shm_name(struct kipc_object *object)
{
	return &kipc_posix_shm_of(object)->name;
}

static bool kipc_posix_shm_may_unlink(struct kipc_object *object)
{
	struct inode *inode = file_inode(kipc_posix_shm_of(object)->file);

	/* Where fchown() has left it. */
	object->uid = inode->i_uid;
	object->gid = inode->i_gid;
	return kipc_may_unlink(object);
}

static int kipc_posix_shm_enter(struct kipc_object *object, const struct kipc_open *open,
				bool is_new)
{
	struct file *file = kipc_posix_shm_of(object)->file;
	int mask = ACC_MODE(open->flags) & (MAY_READ | MAY_WRITE);
	kuid_t owner = file_inode(file)->i_uid;

	if (is_new)
		return 0;
	/* As with fs.protected_regular: who means to make one does not get a stranger's. */
	if (open->flags & O_CREAT && !uid_eq(owner, current_fsuid()) &&
	    !uid_eq(owner, GLOBAL_ROOT_UID))
		return -EACCES;
	if (open->flags & O_TRUNC)
		mask |= MAY_WRITE;
	return file_permission(file, mask);
}

const struct kipc_named_kind kipc_posix_shm_kind = {
	.kind		= KIPC_KIND_POSIX_SHM,
	.new		= kipc_posix_shm_new,
	.name_of	= kipc_posix_shm_name,
	.may_unlink	= kipc_posix_shm_may_unlink,
	.enter		= kipc_posix_shm_enter,
};

/**
 * kipc_posix_shm_open() - shm_open()
 * @space: the caller's space
 * @open: what is asked for; O_TRUNC too
 *
 * Context: process; may sleep.
 * Return: the file, or an error as kipc_name_open() has it, or -EPERM: sealed.
 */
struct file *kipc_posix_shm_open(struct kipc_space *space, struct kipc_open *open)
{
	struct kipc_object *object = kipc_name_open(space, &kipc_posix_shm_kind, open);
	struct kipc_posix_shm *shm;
	struct file *file;
	int ret;

	if (IS_ERR(object))
		return ERR_CAST(object);
	shm = kipc_posix_shm_of(object);
	file = dentry_open(&shm->file->f_path,
			   (open->flags & (O_ACCMODE | O_NONBLOCK)) | O_NOFOLLOW | O_LARGEFILE,
			   current_cred());
	/* Then there is to be none of that name either. */
	if (IS_ERR(file) && open->is_new)
		kipc_object_end(object);
	/* Once nothing else can fail. */
	if (!IS_ERR(file) && open->flags & O_TRUNC && !open->is_new &&
	    i_size_read(file_inode(shm->file))) {
		ret = vfs_truncate(&shm->file->f_path, 0);
		if (ret) {
			fput(file);
			file = ERR_PTR(ret);
		}
	}
	kipc_object_put(object);
	return file;
}

/**
 * kipc_posix_shm_publish() - give a memfd of the caller's a name
 * @space: the caller's space
 * @open: the name, and the permissions
 * @memfd: the caller's file
 *
 * Context: process; may sleep.
 * Return: 0, -EEXIST: the name is taken, -EBUSY: it has one, -EPERM: it is somebody else's,
 *	   or a seal is for its mode, an error as kipc_memory_adopt() has it, -ENOSPC, -ENOMEM.
 */
int kipc_posix_shm_publish(struct kipc_space *space, struct kipc_open *open,
			   struct file *memfd)
{
	struct kipc_posix_shm_claim claim = { .memfd = memfd };
	struct kipc_object *object;

	open->flags = O_RDWR | O_CREAT | O_EXCL;
	open->claim = &claim;
	object = kipc_name_open(space, &kipc_posix_shm_kind, open);
	if (IS_ERR(object)) {
		/* Another was quicker with the name. */
		if (claim.is_made)
			kipc_posix_shm_unclaim(&claim);
		return PTR_ERR(object);
	}
	kipc_object_put(object);
	return 0;
}

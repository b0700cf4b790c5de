/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handles: descriptors that stand for an object.
 *
 * A handle has the rights that it was opened with, and what poll and read are about: a
 * semaphore and an operation on it, or a type of messages.  It holds the object: what is
 * removed answers EIDRM, a segment stays as long as if it were attached.
 *
 * Level 5.  Locks (object.h): takes kipc_object.lock to count a handle; kipc_ids.rwsem before
 * it, to make an object or to end one whose last user this was; and the state lock of the
 * object's kind, for the watch and in the calls that it makes.
 */
#ifndef KIPC_HANDLE_H
#define KIPC_HANDLE_H

#include <linux/fs.h>

#include "object.h"
#include "watch.h"

struct kipc_handle_create;
struct kipc_handle_notify;
struct kipc_handle_open;
struct kipc_handle_publish;
struct kipc_open;
struct kipc_space;
struct seq_file;
struct vm_area_struct;

/**
 * struct kipc_handle - what a file of ours stands for
 * @grant: object and rights; constant
 * @watch: what it is about
 */
struct kipc_handle {
	struct kipc_grant grant;
	struct kipc_watch watch;
};

/* device.c */
extern const struct file_operations kipc_handle_fops;

int kipc_handle_open(struct kipc_space *space, const struct kipc_handle_open *open);
int kipc_handle_create(struct kipc_space *space, const struct kipc_handle_create *create);
int kipc_handle_open_named(struct kipc_space *space, unsigned int kind,
			   struct kipc_open *open);
ssize_t kipc_handle_read(struct kiocb *iocb, struct iov_iter *to);
ssize_t kipc_handle_write(struct kiocb *iocb, struct iov_iter *from);
__poll_t kipc_handle_poll(struct file *file, struct poll_table_struct *table);
int kipc_handle_fasync(int fd, struct file *file, int on);
int kipc_handle_notify(struct file *file, const struct kipc_handle_notify *notify);
int kipc_handle_flush(struct file *file, fl_owner_t id);
int kipc_handle_publish(struct file *file, const struct kipc_handle_publish *publish);
int kipc_handle_mmap(struct file *file, struct vm_area_struct *vma);
int kipc_handle_release(struct inode *inode, struct file *file);
void kipc_handle_show(struct seq_file *s, struct file *file);

static inline struct kipc_handle *kipc_handle_of(struct file *file)
{
	return file->private_data;
}

/**
 * kipc_handle_grant() - the object and the rights of a handle
 * @file: the handle
 */
static inline const struct kipc_grant *kipc_handle_grant(struct file *file)
{
	return &kipc_handle_of(file)->grant;
}

#endif /* KIPC_HANDLE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: see handle.h.
 */
#include <linux/anon_inodes.h>
#include <linux/eventfd.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/msg.h>
#include <linux/nospec.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include <linux/kipc.h>

#include "find.h"
#include "handle.h"
#include "msg.h"
#include "name.h"
#include "perm.h"
#include "posix_mq.h"
#include "posix_sem.h"
#include "posix_shm.h"
#include "sem.h"
#include "shm.h"
#include "space.h"
#include "stream.h"

/* ---- Open ---- */

static unsigned int kipc_handle_rights(unsigned int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return S_IRUGO;
	case O_WRONLY:
		return S_IWUGO;
	default:
		return S_IRUGO | S_IWUGO;
	}
}

/* EPOLL* that tell nothing but what may be done with a handle. */
static __poll_t kipc_handle_mask(unsigned int rights)
{
	__poll_t mask = EPOLLERR | EPOLLHUP;

	if (rights & S_IRUGO)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (rights & S_IWUGO)
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static int kipc_handle_check(const struct kipc_handle_open *open, unsigned int kinds)
{
	if (open->flags & ~(O_ACCMODE | O_CLOEXEC | O_NONBLOCK) ||
	    (open->flags & O_ACCMODE) == O_ACCMODE || open->kind >= kinds || open->id < 0)
		return -EINVAL;
	if (open->kind != KIPC_KIND_SEM && (open->num || open->op))
		return -EINVAL;
	if (open->kind != KIPC_KIND_MSG && (open->msgflg || open->type))
		return -EINVAL;
	if (open->num > U16_MAX || open->op > 0 || open->op < -SEMVMX ||
	    open->msgflg & ~MSG_EXCEPT || open->type != (long)open->type)
		return -EINVAL;
	return 0;
}

/* Count the handle, if the caller has the rights that it is to convey. */
static int kipc_handle_enter(struct kipc_object *object, unsigned int rights)
{
	int ret = 0;

	spin_lock(&object->lock);
	if (object->removed) {
		ret = -EIDRM;
	} else if (!kipc_may_access(object, rights)) {
		ret = -EACCES;
	} else {
		WRITE_ONCE(object->handles, object->handles + 1);
		object->was_used = true;
	}
	spin_unlock(&object->lock);
	return ret;
}

static void kipc_handle_leave(struct kipc_object *object)
{
	if (object->ops->closed) {
		object->ops->closed(object);
		return;
	}
	spin_lock(&object->lock);
	WRITE_ONCE(object->handles, object->handles - 1);
	kipc_object_left_unlock(object);
}

/* A handle of no object yet; to release it then does nothing else. */
static struct file *kipc_handle_file(const struct kipc_handle_open *open)
{
	struct kipc_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	struct kipc_watch *watch;
	struct file *file;

	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->grant.rights = kipc_handle_rights(open->flags);
	watch = &handle->watch;
	kipc_watch_init(watch);
	/* As native: whoever has a POSIX queue sees what is in it. */
	watch->mask = kipc_handle_mask(open->kind == KIPC_KIND_POSIX_MQ ? S_IRUGO | S_IWUGO :
				       handle->grant.rights);
	watch->num = open->num;
	watch->op = open->op;
	watch->type = open->type;
	if (open->kind == KIPC_KIND_MSG)
		watch->match = kipc_msg_match_of(open->msgflg, &watch->type);
	file = anon_inode_getfile("[kipc]", &kipc_handle_fops, handle,
				  open->flags & (O_ACCMODE | O_NONBLOCK));
	if (IS_ERR(file)) {
		kfree(handle);
		return file;
	}
	/* What is read of a POSIX queue is a text about it, with a beginning and an end. */
	if (open->kind != KIPC_KIND_POSIX_MQ)
		stream_open(NULL, file);
	/* An attempt that may not wait is over at once. */
	file->f_mode |= FMODE_NOWAIT;
	return file;
}

static struct kipc_object *kipc_handle_find(struct kipc_space *space,
					    const struct kipc_handle_open *open, void *what)
{
	struct kipc_object *object;
	int ret;

	object = kipc_find(space, array_index_nospec(open->kind, KIPC_KINDS), open->id);
	if (IS_ERR(object))
		return object;
	ret = open->num && open->num >= object->size ? -EINVAL :
	      kipc_handle_enter(object, kipc_handle_rights(open->flags));
	if (!ret)
		return object;
	kipc_object_put(object);
	return ERR_PTR(ret);
}

static struct kipc_object *kipc_handle_make(struct kipc_space *space,
					    const struct kipc_handle_open *open, void *what)
{
	static const struct kipc_kind *const kinds[KIPC_KINDS] = {
		[KIPC_KIND_SHM] = &kipc_shm_kind,
		[KIPC_KIND_SEM] = &kipc_sem_kind,
		[KIPC_KIND_MSG] = &kipc_msg_kind,
	};
	const struct kipc_handle_create *create = what;
	const struct kipc_get get = {
		.key = IPC_PRIVATE, .flags = create->mode,
		.lifetime = KIPC_LIFETIME_USERS, .size = create->size,
	};

	if (open->num && open->num >= create->size)
		return ERR_PTR(-EINVAL);
	return kipc_create(space, kinds[array_index_nospec(open->kind, KIPC_KINDS)], &get);
}

static struct kipc_object *kipc_handle_find_named(struct kipc_space *space,
						  const struct kipc_handle_open *open, void *what)
{
	return kipc_name_open(space, open->kind == KIPC_KIND_POSIX_MQ ? &kipc_posix_mq_kind :
			      &kipc_posix_sem_kind, what);
}

typedef struct kipc_object *(*kipc_handle_finder)(struct kipc_space *space,
						  const struct kipc_handle_open *open, void *what);

/* Nothing fails any more once there is an object that counts the handle. */
static int kipc_handle_install(struct kipc_space *space, const struct kipc_handle_open *open,
			       kipc_handle_finder find, void *what)
{
	struct kipc_object *object;
	struct file *file;
	int fd, ret;

	fd = get_unused_fd_flags(open->flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = kipc_handle_file(open);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto put_fd;
	}
	object = find(space, open, what);
	if (IS_ERR(object)) {
		ret = PTR_ERR(object);
		goto put_file;
	}
	kipc_handle_of(file)->grant.object = object;
	fd_install(fd, file);
	return fd;

put_file:
	fput(file);
put_fd:
	put_unused_fd(fd);
	return ret;
}

/**
 * kipc_handle_create() - make an object, and a handle of it
 * @space: the caller's space
 * @create: what the caller asks for
 *
 * Context: process; may sleep.
 * Return: the descriptor, or an error as struct kipc_handle_create has it.
 */
int kipc_handle_create(struct kipc_space *space, const struct kipc_handle_create *create)
{
	const struct kipc_handle_open open = {
		.kind = create->kind, .flags = create->flags, .num = create->num,
		.op = create->op, .msgflg = create->msgflg, .type = create->type,
	};
	int ret = kipc_handle_check(&open, KIPC_KINDS);

	return ret ?: kipc_handle_install(space, &open, kipc_handle_make, (void *)create);
}

/* What the descriptor stands for is no handle: the memory itself, or an end of a stream. */
static int kipc_handle_open_file(struct kipc_space *space, unsigned int kind,
				 struct kipc_open *open)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(open->flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = kind == KIPC_KIND_STREAM ? kipc_stream_open(space, open) :
	       kipc_posix_shm_open(space, open);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/**
 * kipc_handle_open_named() - find an object by its name or id, or make it
 * @space: the caller's space
 * @kind: KIPC_KIND_*, of one that has names
 * @open: what the caller asks for; its serial is filled in
 *
 * Context: process; may sleep.
 * Return: the descriptor, or an error as struct kipc_name_open has it.
 */
int kipc_handle_open_named(struct kipc_space *space, unsigned int kind,
			   struct kipc_open *open)
{
	const struct kipc_handle_open handle = {
		.kind = kind, .flags = open->flags & (O_ACCMODE | O_CLOEXEC | O_NONBLOCK),
		.op = -1,
	};

	if (kind == KIPC_KIND_POSIX_SHM || kind == KIPC_KIND_STREAM)
		return kipc_handle_open_file(space, kind, open);
	return kipc_handle_install(space, &handle, kipc_handle_find_named, open);
}

/**
 * kipc_handle_open() - make a handle
 * @space: the caller's space
 * @open: what the caller asks for
 *
 * Context: process; may sleep.
 * Return: the descriptor, or an error as struct kipc_handle_open has it.
 */
int kipc_handle_open(struct kipc_space *space, const struct kipc_handle_open *open)
{
	struct kipc_open named = { .id = open->id, .flags = open->flags };
	int ret = kipc_handle_check(open, KIPC_ALL_KINDS);

	if (ret)
		return ret;
	if (open->kind >= KIPC_KINDS)
		return kipc_handle_open_named(space, open->kind, &named);
	return kipc_handle_install(space, open, kipc_handle_find, NULL);
}

/* ---- The operations of the file ---- */

static bool kipc_handle_waits(const struct kiocb *iocb)
{
	return !(iocb->ki_flags & IOCB_NOWAIT || iocb->ki_filp->f_flags & O_NONBLOCK);
}

static ssize_t kipc_handle_take(const struct kipc_handle *handle, struct iov_iter *to, bool waits)
{
	struct sembuf sop = {
		.sem_num = handle->watch.num, .sem_op = handle->watch.op,
		.sem_flg = waits ? 0 : IPC_NOWAIT,
	};
	u64 taken = -handle->watch.op;
	int ret;

	if (iov_iter_count(to) < sizeof(taken))
		return -EINVAL;
	/* Where it cannot be written nothing is taken. */
	if (fault_in_iov_iter_writeable(to, sizeof(taken)))
		return -EFAULT;
	ret = kipc_sem_op_one(&handle->grant, &sop, true);
	if (ret)
		return ret;
	if (copy_to_iter(&taken, sizeof(taken), to) == sizeof(taken))
		return sizeof(taken);
	/*
	 * It could be written a moment ago: it was unmapped meanwhile.  Only what others have
	 * filled the semaphore up with leaves no room for what was taken.
	 */
	sop.sem_op = taken;
	if (taken)
		kipc_sem_op_one(&handle->grant, &sop, false);
	return -EFAULT;
}

static ssize_t kipc_handle_take_posix(const struct kipc_handle *handle, struct iov_iter *to,
				      bool waits)
{
	u64 taken = 1;
	int ret;

	/* To take is to change it. */
	if (!(handle->grant.rights & S_IWUGO))
		return -EACCES;
	if (iov_iter_count(to) < sizeof(taken))
		return -EINVAL;
	if (fault_in_iov_iter_writeable(to, sizeof(taken)))
		return -EFAULT;
	ret = kipc_posix_sem_take(handle->grant.object, waits ? &kipc_no_timeout : NULL);
	if (ret)
		return ret;
	if (copy_to_iter(&taken, sizeof(taken), to) == sizeof(taken))
		return sizeof(taken);
	/* It could be written a moment ago: it was unmapped meanwhile. */
	kipc_posix_sem_add(handle->grant.object, 1);
	return -EFAULT;
}

/**
 * kipc_handle_read() - read: take what the handle is about; of a POSIX queue learn about it
 * @iocb: the call
 * @to: where to
 *
 * Return: bytes, or an error; -EAGAIN: not now, and it is not to wait.
 */
ssize_t kipc_handle_read(struct kiocb *iocb, struct iov_iter *to)
{
	const struct kipc_handle *handle = kipc_handle_of(iocb->ki_filp);
	bool waits = kipc_handle_waits(iocb);

	switch (handle->grant.object->kind) {
	case KIPC_KIND_SEM:
		return kipc_handle_take(handle, to, waits);
	case KIPC_KIND_MSG:
		return kipc_msg_read(&handle->grant, to, handle->watch.match,
				     handle->watch.type, waits);
	case KIPC_KIND_POSIX_SEM:
		return kipc_handle_take_posix(handle, to, waits);
	case KIPC_KIND_POSIX_MQ:
		return kipc_posix_mq_read(handle->grant.object, &iocb->ki_pos, to);
	default:
		return -EINVAL;
	}
}

static ssize_t kipc_handle_add(const struct kipc_handle *handle, struct iov_iter *from)
{
	struct sembuf sop = { .sem_num = handle->watch.num };
	u64 count;
	int ret;

	if (iov_iter_count(from) < sizeof(count))
		return -EINVAL;
	if (!copy_from_iter_full(&count, sizeof(count), from))
		return -EFAULT;
	if (handle->grant.object->kind == KIPC_KIND_POSIX_SEM) {
		if (!count || count > KIPC_POSIX_SEM_VALUE)
			return -EINVAL;
		return kipc_posix_sem_add(handle->grant.object, count) ?: sizeof(count);
	}
	if (!count || count > SEMVMX)
		return -EINVAL;
	sop.sem_op = count;
	ret = kipc_sem_op_one(&handle->grant, &sop, true);
	return ret ?: sizeof(count);
}

/**
 * kipc_handle_write() - write: add to the semaphore, or send a message
 * @iocb: the call
 * @from: what
 *
 * Return: bytes, or an error; -EAGAIN: not now, and it is not to wait.
 */
ssize_t kipc_handle_write(struct kiocb *iocb, struct iov_iter *from)
{
	const struct kipc_handle *handle = kipc_handle_of(iocb->ki_filp);

	switch (handle->grant.object->kind) {
	case KIPC_KIND_SEM:
	case KIPC_KIND_POSIX_SEM:
		return kipc_handle_add(handle, from);
	case KIPC_KIND_MSG:
		return kipc_msg_write(&handle->grant, from, kipc_handle_waits(iocb));
	default:
		return -EINVAL;
	}
}

/**
 * kipc_handle_poll() - poll
 * @file: the handle
 * @table: who asks
 *
 * Context: may sleep.
 * Return: EPOLL* that are so, of those that the handle's rights are for.
 */
__poll_t kipc_handle_poll(struct file *file, struct poll_table_struct *table)
{
	struct kipc_handle *handle = kipc_handle_of(file);

	poll_wait(file, &handle->watch.wait, table);
	return kipc_watch_poll(handle->grant.object, &handle->watch);
}

/**
 * kipc_handle_fasync() - O_ASYNC is set, or taken away, or the handle goes
 * @fd: as file_operations.fasync has them
 * @file: the handle
 * @on: see there
 *
 * Context: may sleep.
 */
int kipc_handle_fasync(int fd, struct file *file, int on)
{
	struct kipc_handle *handle = kipc_handle_of(file);

	return kipc_watch_set_async(handle->grant.object, &handle->watch, fd, file, on);
}

/**
 * kipc_handle_notify() - have an eventfd told what poll would say
 * @file: the handle
 * @notify: what the caller asks for
 *
 * Context: process; may sleep.
 * Return: 0 or an error as struct kipc_handle_notify has it.
 */
int kipc_handle_notify(struct file *file, const struct kipc_handle_notify *notify)
{
	struct kipc_handle *handle = kipc_handle_of(file);
	__poll_t events = (__force __poll_t)notify->events;
	struct eventfd_ctx *event = NULL;

	if (notify->fd < -1 || events & ~(EPOLLIN | EPOLLOUT) || (notify->fd < 0 && events))
		return -EINVAL;
	if (events & ~handle->watch.mask)
		return -EACCES;
	if (notify->fd >= 0) {
		event = eventfd_ctx_fdget(notify->fd);
		if (IS_ERR(event))
			return PTR_ERR(event);
	}
	kipc_watch_set_event(handle->grant.object, &handle->watch, event, events | EPOLLHUP);
	return 0;
}

/**
 * kipc_handle_flush() - a process closes a descriptor of a handle
 * @file: the handle
 * @id: not used
 *
 * Context: may sleep.
 */
int kipc_handle_flush(struct file *file, fl_owner_t id)
{
	struct kipc_object *object = kipc_handle_of(file)->grant.object;

	if (object->kind == KIPC_KIND_POSIX_MQ)
		kipc_mq_notice_closed(object);
	return 0;
}

/**
 * kipc_handle_publish() - give the handle's object a key
 * @file: the handle
 * @publish: what the caller asks for
 *
 * Context: process; may sleep.
 * Return: 0 or an error as struct kipc_handle_publish has it.
 */
int kipc_handle_publish(struct file *file, const struct kipc_handle_publish *publish)
{
	if (publish->key == IPC_PRIVATE || (publish->lifetime != KIPC_LIFETIME_PERSISTENT &&
					    publish->lifetime != KIPC_LIFETIME_USERS))
		return -EINVAL;
	return kipc_publish(kipc_handle_grant(file)->object, publish->key, publish->lifetime);
}

/**
 * kipc_handle_mmap() - mmap: a segment, or a semaphore that has a name
 * @file: the handle
 * @vma: the mapping
 */
int kipc_handle_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct kipc_grant *grant = kipc_handle_grant(file);
	struct kipc_object *object = grant->object;

	if (object->kind == KIPC_KIND_POSIX_SEM)
		return kipc_posix_sem_map(object, grant->rights, vma);
	if (object->kind != KIPC_KIND_SHM)
		return -ENODEV;
	if (vma->vm_pgoff)
		return -EINVAL;
	return kipc_shm_map(object->space, object->id, grant, vma);
}

/**
 * kipc_handle_release() - nobody has the handle any more
 * @inode: not used
 * @file: the handle
 */
int kipc_handle_release(struct inode *inode, struct file *file)
{
	struct kipc_handle *handle = kipc_handle_of(file);
	struct kipc_object *object = handle->grant.object;

	if (object) {
		kipc_watch_deinit(object, &handle->watch);
		kipc_handle_leave(object);
		kipc_object_put(object);
	}
	kfree(handle);
	return 0;
}

/**
 * kipc_handle_show() - what /proc/pid/fdinfo tells
 * @s: where to
 * @file: the handle
 */
void kipc_handle_show(struct seq_file *s, struct file *file)
{
	static const char *const kinds[KIPC_ALL_KINDS] = {
		"shm", "sem", "msg", "pshm", "psem", "pmq", "strm",
	};
	const struct kipc_handle *handle = kipc_handle_of(file);
	struct kipc_object *object = handle->grant.object;
	const struct kipc_watch *watch = &handle->watch;

	seq_printf(s, "kipc-kind:\t%s\nkipc-id:\t%d\nkipc-rights:\t%s%s\n", kinds[object->kind],
		   object->id, handle->grant.rights & S_IRUGO ? "r" : "",
		   handle->grant.rights & S_IWUGO ? "w" : "");
	if (object->kind == KIPC_KIND_SEM)
		seq_printf(s, "kipc-num:\t%u\nkipc-op:\t%d\n", watch->num, watch->op);
	if (object->kind == KIPC_KIND_MSG)
		seq_printf(s, "kipc-type:\t%s%ld\n", watch->match == KIPC_MSG_EXCEPT ? "!" :
			   watch->match == KIPC_MSG_LEAST ? "-" : "", watch->type);
	if (kipc_object_is_gone(object))
		seq_puts(s, "kipc-removed:\t1\n");
}

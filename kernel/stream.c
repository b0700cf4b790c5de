// SPDX-License-Identifier: GPL-2.0
/*
 * Byte streams: see stream.h.
 *
 * Who sleeps, does so as one of several of whom one is woken (exclusively): a writer wakes a
 * reader whenever it has written, a reader a writer once there is room again, and who was
 * woken and leaves something behind wakes the next.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <asm/ioctls.h>

#include "account.h"
#include "compat.h"
#include "limits.h"
#include "perm.h"
#include "space.h"
#include "stream.h"

/**
 * struct kipc_stream_end - what a descriptor of a stream stands for
 * @stream: the stream, with a reference, or NULL: not open yet; constant
 * @reads: it is one of kipc_stream.readers; constant
 * @writes: it is one of kipc_stream.writers; constant
 * @opened: kipc_stream_side.opened of the other side when it was opened, less one if that
 *	    was there: to be another number once it has been there; constant
 */
struct kipc_stream_end {
	struct kipc_stream *stream;
	bool reads;
	bool writes;
	unsigned int opened;
};

static unsigned int kipc_stream_room(const struct kipc_stream *stream)
{
	return stream->size - kipc_stream_used(stream);
}

/* What write(2) needs if its bytes are to stay together; what poll(2) calls writable. */
static bool kipc_stream_has_room(const struct kipc_stream *stream)
{
	return kipc_stream_room(stream) >= PIPE_BUF;
}

static bool kipc_stream_is_readable(const struct kipc_stream *stream)
{
	return kipc_stream_used(stream) || !READ_ONCE(stream->writers.count);
}

static bool kipc_stream_is_writable(const struct kipc_stream *stream)
{
	return kipc_stream_has_room(stream) || !READ_ONCE(stream->readers.count);
}

/* One of those who sleep, and all who poll.  The lock is not held. */
static void kipc_stream_wake(struct kipc_stream_side *side, __poll_t events, int band)
{
	/* Pairs with the barrier of whoever has begun to wait, and looks then. */
	if (wq_has_sleeper(&side->wait))
		wake_up_interruptible_sync_poll(&side->wait, events);
	if (unlikely(READ_ONCE(side->async)))
		kill_fasync(&side->async, SIGIO, band);
}

static void kipc_stream_wake_reader(struct kipc_stream *stream)
{
	kipc_stream_wake(&stream->readers, EPOLLIN | EPOLLRDNORM, POLL_IN);
}

static void kipc_stream_wake_writer(struct kipc_stream *stream)
{
	kipc_stream_wake(&stream->writers, EPOLLOUT | EPOLLWRNORM, POLL_OUT);
}

static bool kipc_stream_waits(const struct kiocb *iocb)
{
	return !(iocb->ki_flags & IOCB_NOWAIT || iocb->ki_filp->f_flags & O_NONBLOCK);
}

/* ---- The ring; all under kipc_stream.lock.  Return: bytes, fewer if there was a fault ---- */

static size_t kipc_stream_copy_out_locked(const struct kipc_stream *stream, size_t size,
					  struct iov_iter *to)
{
	unsigned int at = stream->head & (stream->size - 1);
	size_t first = min_t(size_t, size, stream->size - at), done;

	pagefault_disable();
	done = copy_to_iter(stream->bytes + at, first, to);
	if (done == first && first < size)
		done += copy_to_iter(stream->bytes, size - first, to);
	pagefault_enable();
	return done;
}

static size_t kipc_stream_copy_in_locked(const struct kipc_stream *stream, size_t size,
					 struct iov_iter *from)
{
	unsigned int at = stream->tail & (stream->size - 1);
	size_t first = min_t(size_t, size, stream->size - at), done;

	pagefault_disable();
	done = copy_from_iter(stream->bytes + at, first, from);
	if (done == first && first < size)
		done += copy_from_iter(stream->bytes, size - first, from);
	pagefault_enable();
	return done;
}

/* ---- Read ---- */

/* So many bytes are read.  The lock is held, and given back. */
static void kipc_stream_advance_unlock(struct kipc_stream *stream, size_t done, bool slept)
{
	bool had_room = kipc_stream_has_room(stream), makes_room, is_left;

	WRITE_ONCE(stream->head, stream->head + done);
	makes_room = !had_room && kipc_stream_has_room(stream);
	is_left = kipc_stream_used(stream);
	mutex_unlock(&stream->lock);

	if (makes_room)
		kipc_stream_wake_writer(stream);
	if (unlikely(slept && is_left))
		kipc_stream_wake_reader(stream);
}

/*
 * Read what there is.  The lock is held, and given back.  Return: bytes; fewer than @size if
 * there was a fault, none if it was in a process' memory: what is read is to stay together, for
 * another may read meanwhile.
 */
static size_t kipc_stream_take_unlock(struct kipc_stream *stream, size_t size,
				      struct iov_iter *to, bool slept)
{
	size_t done = kipc_stream_copy_out_locked(stream, size, to);

	if (unlikely(done < size && user_backed_iter(to))) {
		iov_iter_revert(to, done);
		done = 0;
	}
	kipc_stream_advance_unlock(stream, done, slept);
	return done;
}

/*
 * Read what there is by way of memory of ours, which @copy is, with faults.  Whether they are
 * the next bytes still is looked at after that: if not it begins again, and nobody else is
 * given them meanwhile either.
 */
static ssize_t kipc_stream_take_copy(struct kipc_stream *stream, struct iov_iter *to, void *copy,
				     size_t room, bool slept)
{
	struct kvec part = { .iov_base = copy };
	struct iov_iter in;
	unsigned long head;
	size_t size, done;

	for (;;) {
		mutex_lock(&stream->lock);
		head = stream->head;
		size = min_t(size_t, kipc_stream_used(stream), room);
		part.iov_len = size;
		iov_iter_kvec(&in, ITER_DEST, &part, 1, size);
		kipc_stream_copy_out_locked(stream, size, &in);
		mutex_unlock(&stream->lock);

		done = copy_to_iter(copy, size, to);
		/* As natively: a short one is read wholly or not. */
		if (done < size && (!done || size <= PIPE_BUF)) {
			iov_iter_revert(to, done);
			return -EFAULT;
		}
		mutex_lock(&stream->lock);
		if (likely(stream->head == head)) {
			kipc_stream_advance_unlock(stream, done, slept);
			return done;
		}
		mutex_unlock(&stream->lock);
		iov_iter_revert(to, done);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

/* Return: bytes; 0: others have taken them; or an error. */
static noinline ssize_t kipc_stream_read_copy(struct kipc_stream *stream, struct iov_iter *to,
					      bool slept)
{
	size_t room = min_t(size_t, iov_iter_count(to), stream->size);
	void *copy;
	ssize_t ret;

	if (!user_backed_iter(to))
		return -EFAULT;
	copy = kvmalloc(room, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!copy)
		return -ENOMEM;
	ret = kipc_stream_take_copy(stream, to, copy, room, slept);
	kvfree(copy);
	return ret;
}

static int kipc_stream_wait_readable(struct kipc_stream *stream)
{
	int ret = wait_event_interruptible_exclusive(stream->readers.wait,
						     kipc_stream_is_readable(stream));

	if (unlikely(fatal_signal_pending(current))) {
		/* Whoever dies reads nothing: it is the next one's. */
		kipc_stream_wake_reader(stream);
		ret = -ERESTARTSYS;
	}
	return ret;
}

static ssize_t kipc_stream_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct kipc_stream_end *end = iocb->ki_filp->private_data;
	struct kipc_stream *stream = end->stream;
	bool slept = false;
	size_t size, done;
	ssize_t ret;

	if (unlikely(!iov_iter_count(to)))
		return 0;
	for (;;) {
		mutex_lock(&stream->lock);
		size = min_t(size_t, kipc_stream_used(stream), iov_iter_count(to));
		if (likely(size)) {
			done = kipc_stream_take_unlock(stream, size, to, slept);
			if (likely(done))
				return done;
			ret = kipc_stream_read_copy(stream, to, slept);
			if (ret)
				return ret;
		} else {
			ret = stream->writers.count ? -EAGAIN : 0;
			mutex_unlock(&stream->lock);
			if (!ret || !kipc_stream_waits(iocb))
				return ret;
			ret = kipc_stream_wait_readable(stream);
			slept = true;
			if (ret)
				return ret;
		}
	}
}

/* ---- Write ---- */

/*
 * Write as much as there is room for, which is not nothing.  The lock is held, and given
 * back.  Return: bytes, fewer than @size if there was a fault; none then if they are to stay
 * together.
 */
static size_t kipc_stream_put_unlock(struct kipc_stream *stream, size_t size,
				     struct iov_iter *from, bool together, bool slept)
{
	size_t done = kipc_stream_copy_in_locked(stream, size, from);
	bool has_room;

	if (unlikely(done < size && together)) {
		iov_iter_revert(from, done);
		done = 0;
	}
	WRITE_ONCE(stream->tail, stream->tail + done);
	has_room = kipc_stream_has_room(stream);
	mutex_unlock(&stream->lock);

	if (likely(done))
		kipc_stream_wake_reader(stream);
	if (unlikely(slept && has_room))
		kipc_stream_wake_writer(stream);
	return done;
}

/* At least the beginning of it.  Return: 0: try again, or an error. */
static noinline int kipc_stream_fault_in_readable(struct iov_iter *from, size_t size)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (!user_backed_iter(from) || fault_in_iov_iter_readable(from, size) == size)
		return -EFAULT;
	return 0;
}

static int kipc_stream_wait_writable(struct kipc_stream *stream)
{
	int ret = wait_event_interruptible_exclusive(stream->writers.wait,
						     kipc_stream_is_writable(stream));

	if (unlikely(fatal_signal_pending(current))) {
		kipc_stream_wake_writer(stream);
		ret = -ERESTARTSYS;
	}
	return ret;
}

static ssize_t kipc_stream_write(struct kiocb *iocb, struct iov_iter *from);

/*
 * Write what is to stay together, by way of memory of ours: however often the caller's goes,
 * and whatever of it cannot be read though it is there, this ends.
 */
static noinline ssize_t kipc_stream_write_copy(struct kiocb *iocb, struct iov_iter *from)
{
	struct kvec part = { .iov_len = iov_iter_count(from) };
	struct iov_iter copy;
	ssize_t ret = -EFAULT;

	part.iov_base = kmalloc(part.iov_len, GFP_KERNEL_ACCOUNT);
	if (!part.iov_base)
		return -ENOMEM;
	iov_iter_kvec(&copy, ITER_SOURCE, &part, 1, part.iov_len);
	if (copy_from_iter_full(part.iov_base, part.iov_len, from))
		ret = kipc_stream_write(iocb, &copy);
	kfree(part.iov_base);
	if (ret < 0)
		iov_iter_revert(from, part.iov_len - iov_iter_count(from));
	return ret;
}

static ssize_t kipc_stream_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct kipc_stream_end *end = iocb->ki_filp->private_data;
	struct kipc_stream *stream = end->stream;
	size_t left = iov_iter_count(from), size, done, total = 0;
	bool together = left <= PIPE_BUF, slept = false;
	int ret;

	if (unlikely(!left))
		return 0;
	for (;;) {
		mutex_lock(&stream->lock);
		size = min_t(size_t, kipc_stream_room(stream), left);
		if (unlikely(!stream->readers.count)) {
			mutex_unlock(&stream->lock);
			send_sig(SIGPIPE, current, 0);
			ret = -EPIPE;
		} else if (likely(size == left || (size && !together))) {
			done = kipc_stream_put_unlock(stream, size, from, together, slept);
			total += done;
			left -= done;
			if (likely(!left))
				return total;
			if (unlikely(together))
				return kipc_stream_write_copy(iocb, from);
			ret = done == size ? 0 : kipc_stream_fault_in_readable(from, size - done);
		} else {
			mutex_unlock(&stream->lock);
			if (!kipc_stream_waits(iocb))
				return total ?: -EAGAIN;
			ret = kipc_stream_wait_writable(stream);
			slept = true;
		}
		if (ret)
			return total ?: ret;
	}
}

/* ---- The other operations of a descriptor ---- */

/**
 * kipc_stream_count() - how many bytes are in a stream, to be shown
 * @stream: the stream
 *
 * Context: may sleep.
 */
unsigned int kipc_stream_count(struct kipc_stream *stream)
{
	unsigned int used;

	mutex_lock(&stream->lock);
	used = kipc_stream_used(stream);
	mutex_unlock(&stream->lock);
	return used;
}

static __poll_t kipc_stream_poll(struct file *file, struct poll_table_struct *table)
{
	struct kipc_stream_end *end = file->private_data;
	struct kipc_stream *stream = end->stream;
	__poll_t now = 0;

	if (end->reads)
		poll_wait(file, &stream->readers.wait, table);
	if (end->writes)
		poll_wait(file, &stream->writers.wait, table);
	mutex_lock(&stream->lock);
	if (end->reads) {
		if (kipc_stream_used(stream))
			now |= EPOLLIN | EPOLLRDNORM;
		if (!stream->writers.count && stream->writers.opened != end->opened)
			now |= EPOLLHUP;
	}
	if (end->writes) {
		if (kipc_stream_has_room(stream))
			now |= EPOLLOUT | EPOLLWRNORM;
		if (!stream->readers.count)
			now |= EPOLLERR;
	}
	mutex_unlock(&stream->lock);
	return now;
}

static int kipc_stream_fasync(int fd, struct file *file, int on)
{
	struct kipc_stream_end *end = file->private_data;
	struct kipc_stream *stream = end->stream;
	int ret = 0;

	if (end->reads)
		ret = fasync_helper(fd, file, on, &stream->readers.async);
	if (ret >= 0 && end->writes) {
		ret = fasync_helper(fd, file, on, &stream->writers.async);
		if (ret < 0 && end->reads)
			fasync_helper(-1, file, 0, &stream->readers.async);
	}
	return ret;
}

static long kipc_stream_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kipc_stream_end *end = file->private_data;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user((int)kipc_stream_count(end->stream), (int __user *)arg);
}

static void kipc_stream_show(struct seq_file *s, struct file *file)
{
	struct kipc_stream_end *end = file->private_data;
	struct kipc_stream *stream = end->stream;

	seq_printf(s, "kipc-kind:\tstrm\nkipc-id:\t%d\nkipc-rights:\t%s%s\n",
		   stream->object.id, end->reads ? "r" : "", end->writes ? "w" : "");
	seq_printf(s, "kipc-bytes:\t%u\nkipc-size:\t%u\nkipc-readers:\t%u\nkipc-writers:\t%u\n",
		   kipc_stream_count(stream), stream->size, READ_ONCE(stream->readers.count),
		   READ_ONCE(stream->writers.count));
}

/* ---- Open and close ---- */

static void kipc_stream_tell_all(struct kipc_stream_side *side, int band)
{
	wake_up_interruptible_all(&side->wait);
	if (unlikely(READ_ONCE(side->async)))
		kill_fasync(&side->async, SIGIO, band);
}

static void kipc_stream_leave(struct kipc_stream_end *end)
{
	struct kipc_stream *stream = end->stream;
	struct kipc_object *object = &stream->object;
	bool is_alone;

	mutex_lock(&stream->lock);
	WRITE_ONCE(stream->readers.count, stream->readers.count - end->reads);
	WRITE_ONCE(stream->writers.count, stream->writers.count - end->writes);
	is_alone = !stream->readers.count != !stream->writers.count;
	if (!stream->readers.count && !stream->writers.count)
		WRITE_ONCE(stream->head, stream->tail);
	mutex_unlock(&stream->lock);
	if (is_alone) {
		kipc_stream_tell_all(&stream->readers, POLL_IN);
		kipc_stream_tell_all(&stream->writers, POLL_OUT);
	}

	spin_lock(&object->lock);
	WRITE_ONCE(object->handles, object->handles - 1);
	kipc_object_left_unlock(object);
}

static int kipc_stream_release(struct inode *inode, struct file *file)
{
	struct kipc_stream_end *end = file->private_data;

	if (end->stream) {
		kipc_stream_leave(end);
		kipc_object_put(&end->stream->object);
	}
	kfree(end);
	return 0;
}

static const struct file_operations kipc_stream_fops = {
	.owner		= THIS_MODULE,
	.read_iter	= kipc_stream_read,
	.write_iter	= kipc_stream_write,
	.splice_read	= kipc_splice_read,
	.splice_write	= iter_file_splice_write,
	.poll		= kipc_stream_poll,
	.fasync		= kipc_stream_fasync,
	.unlocked_ioctl	= kipc_stream_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= kipc_stream_release,
	.show_fdinfo	= kipc_stream_show,
};

/* A descriptor of no stream yet; to release it then does nothing else. */
static struct file *kipc_stream_file(unsigned int flags)
{
	struct kipc_stream_end *end = kzalloc(sizeof(*end), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!end)
		return ERR_PTR(-ENOMEM);
	end->reads = (flags & O_ACCMODE) != O_WRONLY;
	end->writes = (flags & O_ACCMODE) != O_RDONLY;
	file = anon_inode_getfile("[kipc]", &kipc_stream_fops, end,
				  flags & (O_ACCMODE | O_NONBLOCK));
	if (IS_ERR(file)) {
		kfree(end);
		return file;
	}
	stream_open(NULL, file);
	/* An attempt that may not wait is over at once. */
	file->f_mode |= FMODE_NOWAIT;
	return file;
}

/* Whether it is to be told at once that there is nobody to read what it would write. */
static bool kipc_stream_wants_reader(unsigned int flags)
{
	return (flags & (O_ACCMODE | O_NONBLOCK)) == (O_WRONLY | O_NONBLOCK);
}

static void kipc_stream_enter_locked(struct kipc_stream *stream, struct kipc_stream_end *end)
{
	struct kipc_stream_side *other = end->reads ? &stream->writers : &stream->readers;

	lockdep_assert_held(&stream->lock);
	end->opened = other->opened - !!other->count;
	WRITE_ONCE(stream->readers.count, stream->readers.count + end->reads);
	WRITE_ONCE(stream->readers.opened, stream->readers.opened + end->reads);
	WRITE_ONCE(stream->writers.count, stream->writers.count + end->writes);
	WRITE_ONCE(stream->writers.opened, stream->writers.opened + end->writes);
}

/* As with fs.protected_fifos: who means to make one does not write to a stranger's. */
static int kipc_stream_may_open(struct kipc_object *object, unsigned int flags)
{
	if (flags & O_CREAT && !uid_eq(object->uid, current_fsuid()) &&
	    !uid_eq(object->uid, GLOBAL_ROOT_UID))
		return -EACCES;
	return kipc_may_open(object, flags);
}

static int kipc_stream_enter(struct kipc_object *object, const struct kipc_open *open,
			     bool is_new)
{
	struct kipc_stream *stream = kipc_stream_of(object);
	int ret = 0;

	mutex_lock(&stream->lock);
	spin_lock(&object->lock);
	if (!is_new)
		ret = kipc_stream_may_open(object, open->flags);
	if (!ret && !is_new && kipc_stream_wants_reader(open->flags) && !stream->readers.count)
		ret = -ENXIO;
	if (!ret)
		kipc_name_count_locked(object);
	spin_unlock(&object->lock);
	if (!ret)
		kipc_stream_enter_locked(stream, open->end);
	mutex_unlock(&stream->lock);
	return ret;
}

/* fifo(7): an end waits until there is one, or has been one, of the other side. */
static int kipc_stream_meet(struct kipc_stream_end *end, unsigned int flags)
{
	struct kipc_stream *stream = end->stream;
	struct kipc_stream_side *side = end->reads ? &stream->readers : &stream->writers;
	struct kipc_stream_side *other = end->reads ? &stream->writers : &stream->readers;

	if (end->reads)
		wake_up_interruptible_all(&stream->writers.wait);
	if (end->writes)
		wake_up_interruptible_all(&stream->readers.wait);
	if (flags & O_NONBLOCK || (end->reads && end->writes))
		return 0;
	return wait_event_interruptible(side->wait, READ_ONCE(other->opened) != end->opened);
}

/**
 * kipc_stream_open() - open a stream
 * @space: the caller's space
 * @open: what is asked for
 *
 * Context: process; may sleep until the other side is opened.
 * Return: the file, or an error as kipc_name_open() has it; -ENXIO: nobody reads; -ERESTARTSYS;
 *	   -EINTR: the same, but the stream was made, and to begin again would meet it.
 */
struct file *kipc_stream_open(struct kipc_space *space, struct kipc_open *open)
{
	struct file *file = kipc_stream_file(open->flags);
	struct kipc_stream_end *end;
	struct kipc_object *object;
	int ret;

	if (IS_ERR(file))
		return file;
	end = file->private_data;
	open->end = end;
	object = kipc_name_open(space, &kipc_stream_kind, open);
	if (IS_ERR(object)) {
		fput(file);
		return ERR_CAST(object);
	}
	end->stream = kipc_stream_of(object);
	ret = kipc_stream_meet(end, open->flags);
	if (!ret)
		return file;
	fput(file);
	return ERR_PTR(open->is_new && open->flags & O_EXCL ? -EINTR : ret);
}

/* ---- Life ---- */

static void kipc_stream_free_rcu(struct rcu_head *rcu)
{
	kfree(kipc_stream_of(container_of(rcu, struct kipc_object, rcu)));
	/* Module exit waits for this callback to return. */
	module_put(THIS_MODULE);
}

static void kipc_stream_free(struct kipc_object *object)
{
	struct kipc_stream *stream = kipc_stream_of(object);

	kvfree(stream->bytes);
	kipc_account_uncharge(stream->name.account, KIPC_CHARGE_STREAM_PAGES,
			      stream->size >> PAGE_SHIFT);
	kipc_name_deinit(&stream->name);
	kipc_space_put(object->space);
	call_rcu(&object->rcu, kipc_stream_free_rcu);
}

static bool kipc_stream_end_named_locked(struct kipc_object *object)
{
	return kipc_name_end_locked(&kipc_stream_of(object)->name);
}

static unsigned long kipc_stream_users(struct kipc_object *object)
{
	return object->handles;
}

static const struct kipc_object_ops kipc_stream_ops = {
	.end_locked	= kipc_stream_end_named_locked,
	.free		= kipc_stream_free,
	.users		= kipc_stream_users,
	.outlives	= true,
};

static void kipc_stream_init(struct kipc_stream *stream, struct kipc_space *space,
			     const struct kipc_open *open)
{
	struct kipc_object *object = &stream->object;

	mutex_init(&stream->lock);
	init_waitqueue_head(&stream->readers.wait);
	init_waitqueue_head(&stream->writers.wait);
	/* A reference exists: the caller's open device. */
	__module_get(THIS_MODULE);
	kipc_object_init(object, KIPC_KIND_STREAM, &kipc_stream_ops, kipc_space_get(space),
			 IPC_PRIVATE, open->mode);
	object->uid = current_fsuid();
	object->gid = current_fsgid();
	object->lifetime = open->lifetime;
	object->size = stream->size;
}

static struct kipc_object *kipc_stream_new(struct kipc_space *space,
					   const struct kipc_open *open)
{
	struct kipc_stream *stream;
	int ret;

	if (kipc_stream_wants_reader(open->flags))
		return ERR_PTR(-ENXIO);
	if (open->size > KIPC_STREAM_MAX)
		return ERR_PTR(-EINVAL);
	stream = kzalloc(sizeof(*stream), GFP_KERNEL_ACCOUNT);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->size = roundup_pow_of_two(max_t(unsigned long, PAGE_SIZE,
						open->size ?: KIPC_STREAM_DEFAULT));
	ret = kipc_name_init(&stream->name, &stream->object, open->text);
	if (ret)
		goto free_stream;
	if (!kipc_account_charge(stream->name.account, KIPC_CHARGE_STREAM_PAGES,
				 stream->size >> PAGE_SHIFT,
				 capable(CAP_SYS_RESOURCE) ? LONG_MAX : KIPC_USER_STREAM_PAGES)) {
		ret = -ENOSPC;
		goto deinit_name;
	}
	/* A user at the bounds of his memory is to get ENOMEM, not to fill the kernel's log. */
	stream->bytes = kvmalloc(stream->size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!stream->bytes) {
		ret = -ENOMEM;
		goto uncharge;
	}
	kipc_stream_init(stream, space, open);
	return &stream->object;

uncharge:
	kipc_account_uncharge(stream->name.account, KIPC_CHARGE_STREAM_PAGES,
			      stream->size >> PAGE_SHIFT);
deinit_name:
	kipc_name_deinit(&stream->name);
free_stream:
	kfree(stream);
	return ERR_PTR(ret);
}

static struct kipc_name *kipc_stream_name(struct kipc_object *object)
{
	return &kipc_stream_of(object)->name;
}

const struct kipc_named_kind kipc_stream_kind = {
	.kind		= KIPC_KIND_STREAM,
	.new		= kipc_stream_new,
	.name_of	= kipc_stream_name,
	.may_unlink	= kipc_may_unlink,
	.enter		= kipc_stream_enter,
};

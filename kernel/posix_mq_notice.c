// SPDX-License-Identifier: GPL-2.0
/*
 * Notices of POSIX message queues: mq_notify.  See posix_mq.h.
 *
 * A notice is given once.  It is taken back by who asked for it: by asking so, by closing
 * the queue, by its end.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/user_namespace.h>
#include <linux/wait.h>

#include "posix_mq.h"

/* ---- The descriptor that tells ---- */

/**
 * struct kipc_mq_told - what a descriptor stands for that tells of one message
 * @refs: references: the descriptor's and the notice's
 * @wait: who reads and polls
 * @state: KIPC_MQ_*
 */
struct kipc_mq_told {
	refcount_t refs;
	wait_queue_head_t wait;
	atomic_t state;
};

#define KIPC_MQ_WAITS	0	/* the notice is to come */
#define KIPC_MQ_TOLD	1	/* it has, and nobody has read it */
#define KIPC_MQ_OVER	2	/* it was read, or will not come */

static void kipc_mq_told_put(struct kipc_mq_told *told)
{
	if (told && refcount_dec_and_test(&told->refs))
		kfree(told);
}

static void kipc_mq_told_set(struct kipc_mq_told *told, int state)
{
	atomic_set(&told->state, state);
	wake_up_poll(&told->wait, EPOLLIN | EPOLLRDNORM | (state == KIPC_MQ_OVER ? EPOLLHUP : 0));
}

static ssize_t kipc_mq_told_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct kipc_mq_told *told = iocb->ki_filp->private_data;
	u64 count = 1;
	int ret;

	if (iov_iter_count(to) < sizeof(count))
		return -EINVAL;
	/* Where it cannot be written nothing is taken. */
	if (fault_in_iov_iter_writeable(to, sizeof(count)))
		return -EFAULT;
	if (atomic_read(&told->state) == KIPC_MQ_WAITS) {
		if (iocb->ki_flags & IOCB_NOWAIT || iocb->ki_filp->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(told->wait,
					       atomic_read(&told->state) != KIPC_MQ_WAITS);
		if (ret)
			return ret;
	}
	if (atomic_cmpxchg(&told->state, KIPC_MQ_TOLD, KIPC_MQ_OVER) != KIPC_MQ_TOLD)
		return 0;
	return copy_to_iter(&count, sizeof(count), to) == sizeof(count) ? sizeof(count) : -EFAULT;
}

static __poll_t kipc_mq_told_poll(struct file *file, struct poll_table_struct *table)
{
	struct kipc_mq_told *told = file->private_data;

	poll_wait(file, &told->wait, table);
	switch (atomic_read(&told->state)) {
	case KIPC_MQ_WAITS:
		return 0;
	case KIPC_MQ_TOLD:
		return EPOLLIN | EPOLLRDNORM;
	default:
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	}
}

static int kipc_mq_told_release(struct inode *inode, struct file *file)
{
	kipc_mq_told_put(file->private_data);
	return 0;
}

static const struct file_operations kipc_mq_told_fops = {
	.owner		= THIS_MODULE,
	.read_iter	= kipc_mq_told_read,
	.poll		= kipc_mq_told_poll,
	.release	= kipc_mq_told_release,
};

static struct file *kipc_mq_told_file(struct kipc_mq_told **told)
{
	struct file *file;

	*told = kzalloc(sizeof(**told), GFP_KERNEL_ACCOUNT);
	if (!*told)
		return ERR_PTR(-ENOMEM);
	refcount_set(&(*told)->refs, 1);
	init_waitqueue_head(&(*told)->wait);
	file = anon_inode_getfile("[kipc-notice]", &kipc_mq_told_fops, *told, O_RDONLY);
	if (IS_ERR(file)) {
		kfree(*told);
		return file;
	}
	stream_open(NULL, file);
	return file;
}

/* ---- Giving it ---- */

/*
 * Modules can send a signal to a thread only: one that would take it at once, as native;
 * else it waits for the thread that asked, or for another one that is left.
 */
static struct task_struct *kipc_mq_taker_rcu(const struct kipc_mq_notice *notice,
					     struct task_struct *leader)
{
	struct task_struct *asked = pid_task(notice->thread, PIDTYPE_PID);
	struct task_struct *task, *taker = NULL;

	for_each_thread(leader, task) {
		if (task->flags & (PF_EXITING | PF_IO_WORKER))
			continue;
		if (!sigismember(&task->blocked, notice->signal))
			return task;
		if (!taker || task == asked)
			taker = task;
	}
	return taker ?: leader;
}

static void kipc_mq_send_signal(const struct kipc_mq_notice *notice)
{
	struct kernel_siginfo info;
	struct task_struct *leader;

	if (!notice->signal)
		return;
	clear_siginfo(&info);
	info.si_signo = notice->signal;
	info.si_code = SI_MESGQ;
	info.si_value.sival_ptr = u64_to_user_ptr(notice->value);
	info.si_pid = task_tgid_nr_ns(current, ns_of_pid(notice->owner));
	info.si_uid = from_kuid_munged(notice->user_ns, current_uid());
	rcu_read_lock();
	leader = pid_task(notice->owner, PIDTYPE_TGID);
	/* Another program there now does not expect it. */
	if (leader && READ_ONCE(leader->self_exec_id) == notice->exec_id)
		send_sig_info(notice->signal, &info, kipc_mq_taker_rcu(notice, leader));
	rcu_read_unlock();
}

/* It was given, or is not wanted any more. */
static void kipc_mq_notice_end_locked(struct kipc_posix_mq *mq, int state)
{
	struct kipc_mq_notice *notice = &mq->notice;

	kipc_watch_disarm_locked(&mq->queue.object, &notice->watch);
	if (notice->told)
		kipc_mq_told_set(notice->told, state);
	kipc_mq_told_put(notice->told);
	notice->told = NULL;
	put_pid(notice->thread);
	put_user_ns(notice->user_ns);
	put_pid(notice->owner);
	WRITE_ONCE(notice->owner, NULL);
}

/* A message has come where there was none; kipc_watch.tell_locked. */
static void kipc_mq_notice_tell_locked(struct kipc_watch *watch)
{
	struct kipc_posix_mq *mq = container_of(watch, struct kipc_posix_mq, notice.watch);

	if (mq->notice.how == KIPC_MQ_NOTIFY_SIGNAL)
		kipc_mq_send_signal(&mq->notice);
	kipc_mq_notice_end_locked(mq, KIPC_MQ_TOLD);
}

/* ---- Asking for it ---- */

static int kipc_mq_notice_begin(struct kipc_posix_mq *mq, const struct kipc_mq_notify *notify,
				struct kipc_mq_told *told)
{
	struct kipc_mq_notice *notice = &mq->notice;
	int ret = -EBUSY;

	mutex_lock(&mq->queue.lock);
	if (!notice->owner) {
		WRITE_ONCE(notice->owner, get_pid(task_tgid(current)));
		notice->thread = get_pid(task_pid(current));
		notice->user_ns = get_user_ns(current_user_ns());
		notice->exec_id = current->self_exec_id;
		notice->how = notify->how;
		notice->signal = notify->signal;
		notice->value = notify->value;
		notice->told = told;
		if (told)
			refcount_inc(&told->refs);
		kipc_watch_arm_locked(&mq->queue.object, &notice->watch);
		ret = 0;
	}
	kipc_msg_queue_unlock(&mq->queue);
	return ret;
}

/* Return: the descriptor that will tell, or an error. */
static int kipc_mq_notice_begin_fd(struct kipc_posix_mq *mq, const struct kipc_mq_notify *notify)
{
	struct kipc_mq_told *told;
	struct file *file;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = kipc_mq_told_file(&told);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	ret = kipc_mq_notice_begin(mq, notify, told);
	if (ret) {
		fput(file);
		put_unused_fd(fd);
		return ret;
	}
	fd_install(fd, file);
	return fd;
}

/* If it is the caller's. */
static void kipc_mq_notice_take_back(struct kipc_posix_mq *mq)
{
	mutex_lock(&mq->queue.lock);
	if (mq->notice.owner == task_tgid(current))
		kipc_mq_notice_end_locked(mq, KIPC_MQ_OVER);
	kipc_msg_queue_unlock(&mq->queue);
}

/**
 * kipc_mq_notify() - mq_notify()
 * @object: the queue
 * @notify: what is asked for
 *
 * Context: process; may sleep.
 * Return: 0, a descriptor, or an error as struct kipc_mq_notify has it.
 */
int kipc_mq_notify(struct kipc_object *object, const struct kipc_mq_notify *notify)
{
	struct kipc_posix_mq *mq = kipc_posix_mq_of(object);

	if (notify->how != KIPC_MQ_NOTIFY_SIGNAL && (notify->signal || notify->value))
		return -EINVAL;
	switch (notify->how) {
	case KIPC_MQ_NOTIFY_SIGNAL:
		if (!valid_signal(notify->signal))
			return -EINVAL;
		fallthrough;
	case KIPC_MQ_NOTIFY_NONE:
		return kipc_mq_notice_begin(mq, notify, NULL);
	case KIPC_MQ_NOTIFY_FD:
		return kipc_mq_notice_begin_fd(mq, notify);
	case KIPC_MQ_NOTIFY_CANCEL:
		kipc_mq_notice_take_back(mq);
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * kipc_mq_notice_closed() - a process closes a descriptor of the queue
 * @object: the queue
 *
 * Context: process; may sleep.
 */
void kipc_mq_notice_closed(struct kipc_object *object)
{
	struct kipc_posix_mq *mq = kipc_posix_mq_of(object);

	if (unlikely(READ_ONCE(mq->notice.owner) == task_tgid(current)))
		kipc_mq_notice_take_back(mq);
}

/**
 * kipc_mq_notice_init() - nobody wants one
 * @mq: a new queue
 */
void kipc_mq_notice_init(struct kipc_posix_mq *mq)
{
	struct kipc_watch *watch = &mq->notice.watch;

	kipc_watch_init(watch);
	watch->mask = EPOLLIN;
	watch->match = KIPC_MSG_ANY;
	watch->tell_locked = kipc_mq_notice_tell_locked;
}

/**
 * kipc_mq_notice_deinit() - nobody has the queue open any more
 * @mq: the queue
 */
void kipc_mq_notice_deinit(struct kipc_posix_mq *mq)
{
	mutex_lock(&mq->queue.lock);
	if (mq->notice.owner)
		kipc_mq_notice_end_locked(mq, KIPC_MQ_OVER);
	kipc_msg_queue_unlock(&mq->queue);
}

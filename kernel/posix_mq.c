// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX message queues: see posix_mq.h.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "account.h"
#include "limits.h"
#include "perm.h"
#include "posix_mq.h"
#include "space.h"

/* ---- Operations ---- */

/* What the machinery of queues says, as these calls say it. */
static noinline int kipc_posix_mq_error(long error, const struct kipc_timeout *timeout)
{
	switch (error) {
	case -EAGAIN:
	case -ENOMSG:
		return timeout ? -ETIMEDOUT : -EAGAIN;
	case -ERESTARTNOHAND:
		return -ERESTARTSYS;
	case -EINTR:
		/* It ends at a point of time: to begin it again changes nothing. */
		return current->flags & PF_IO_WORKER ? -EINTR : -ERESTARTSYS;
	default:
		return error;
	}
}

/**
 * kipc_posix_mq_send() - mq_send(), mq_timedsend()
 * @grant: queue, and rights to it
 * @user: user address of the bytes
 * @size: how many
 * @priority: the higher the earlier it is received
 * @timeout: until when to wait for room; NULL: not at all
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL: no such priority or time; -EBADF: not to be written; -EMSGSIZE;
 *	   -EAGAIN; -ETIMEDOUT; -ERESTARTSYS; -EFAULT; -ENOMEM.
 */
int kipc_posix_mq_send(const struct kipc_grant *grant, u64 user, u64 size, u64 priority,
		       const struct kipc_timeout *timeout)
{
	struct kipc_msg *msg;
	int ret;

	if (unlikely((timeout && !timeout->valid) || priority >= KIPC_MQ_PRIORITIES))
		return -EINVAL;
	if (unlikely(!(grant->rights & S_IWUGO)))
		return -EBADF;
	if (unlikely(size > kipc_posix_mq_of(grant->object)->msgsize))
		return -EMSGSIZE;
	msg = kipc_msg_load(u64_to_user_ptr(user), size);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	msg->place.value = KIPC_MQ_PRIORITIES - priority;
	ret = kipc_msg_send_made(grant, msg, timeout);
	if (likely(!ret))
		return 0;
	kipc_msg_put(msg);
	return kipc_posix_mq_error(ret, timeout);
}

static __always_inline struct kipc_msg *kipc_posix_mq_obtain(const struct kipc_grant *grant,
							     u64 size,
							     const struct kipc_timeout *timeout)
{
	struct kipc_msg *msg;

	if (unlikely(timeout && !timeout->valid))
		return ERR_PTR(-EINVAL);
	if (unlikely(!(grant->rights & S_IRUGO)))
		return ERR_PTR(-EBADF);
	if (unlikely(size < kipc_posix_mq_of(grant->object)->msgsize))
		return ERR_PTR(-EMSGSIZE);
	msg = kipc_msg_receive_whole(grant, KIPC_MSG_LEAST, KIPC_MQ_PRIORITIES, SIZE_MAX, timeout);
	return unlikely(IS_ERR(msg)) ? ERR_PTR(kipc_posix_mq_error(PTR_ERR(msg), timeout)) : msg;
}

/**
 * kipc_posix_mq_receive() - mq_receive(), mq_timedreceive()
 * @grant: queue, and rights to it
 * @user: user address for the bytes
 * @size: room for them
 * @timeout: until when to wait for a message; NULL: not at all
 * @priority: where its priority is written, or NULL
 *
 * A message that cannot be written there stays in the queue.
 *
 * Context: process; may sleep.
 * Return: the bytes, or an error as kipc_posix_mq_send().
 */
long kipc_posix_mq_receive(const struct kipc_grant *grant, u64 user, u64 size,
			   const struct kipc_timeout *timeout, u32 __user *priority)
{
	struct kipc_msg *msg = kipc_posix_mq_obtain(grant, size, timeout);
	u32 value;
	long ret;

	if (IS_ERR(msg))
		return PTR_ERR(msg);
	ret = msg->size;
	value = KIPC_MQ_PRIORITIES - msg->place.value;
	if ((priority && put_user(value, priority)) ||
	    kipc_msg_store(u64_to_user_ptr(user), ret, msg)) {
		kipc_msg_return(kipc_msg_queue_of(grant->object), msg);
		return -EFAULT;
	}
	kipc_msg_put(msg);
	return ret;
}

/**
 * kipc_posix_mq_receive_short() - the same, of messages whose size takes 16 bits
 * @grant: queue, and rights to it
 * @user: user address for the bytes
 * @size: room for them, in 16 bits
 * @timeout: until when to wait for a message; NULL: not at all
 *
 * Return: the bytes, and above them, from bit 16 on, the priority; or an error.
 */
int kipc_posix_mq_receive_short(const struct kipc_grant *grant, u64 user, u64 size,
				const struct kipc_timeout *timeout)
{
	struct kipc_msg *msg = kipc_posix_mq_obtain(grant, size, timeout);
	int ret;

	if (IS_ERR(msg))
		return PTR_ERR(msg);
	if (unlikely(kipc_msg_store(u64_to_user_ptr(user), msg->size, msg))) {
		kipc_msg_return(kipc_msg_queue_of(grant->object), msg);
		return -EFAULT;
	}
	ret = (KIPC_MQ_PRIORITIES - msg->place.value) << 16 | msg->size;
	kipc_msg_put(msg);
	return ret;
}

/**
 * kipc_posix_mq_read() - read: what native's descriptor says of a queue
 * @object: the queue
 * @pos: where in the text
 * @to: where to
 *
 * Return: bytes, 0 behind the end, or -EFAULT.
 */
ssize_t kipc_posix_mq_read(struct kipc_object *object, loff_t *pos, struct iov_iter *to)
{
	/* By KIPC_MQ_NOTIFY_*, as SIGEV_*. */
	static const u8 ways[] = { 1, 0, 2 };
	struct kipc_posix_mq *mq = kipc_posix_mq_of(object);
	struct kipc_mq_notice *notice = &mq->notice;
	size_t length, done;
	char text[96];

	mutex_lock(&mq->queue.lock);
	length = scnprintf(text, sizeof(text),
			   "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
			   mq->queue.bytes, notice->owner ? ways[notice->how] : 0,
			   notice->owner && notice->how == KIPC_MQ_NOTIFY_SIGNAL ?
			   notice->signal : 0, pid_vnr(notice->owner));
	kipc_msg_queue_unlock(&mq->queue);
	if (*pos < 0 || *pos >= length)
		return 0;
	done = copy_to_iter(text + *pos, length - *pos, to);
	*pos += done;
	return done ?: iov_iter_count(to) ? -EFAULT : 0;
}

/**
 * kipc_posix_mq_show() - mq_getattr()
 * @object: the queue
 * @attr: filled in, but for what the descriptor has
 *
 * Context: may sleep.
 */
void kipc_posix_mq_show(struct kipc_object *object, struct kipc_mq_attr *attr)
{
	struct kipc_posix_mq *mq = kipc_posix_mq_of(object);

	attr->maxmsg = mq->queue.max_count;
	attr->msgsize = mq->msgsize;
	mutex_lock(&mq->queue.lock);
	attr->curmsgs = mq->queue.count;
	kipc_msg_queue_unlock(&mq->queue);
}

/* ---- Life ---- */

static void kipc_posix_mq_uncount(struct kipc_space *space, struct kipc_account *user)
{
	atomic_dec(&space->mq_count);
	kipc_account_add(user, KIPC_CHARGE_MQ_QUEUES, -1);
	kipc_account_put(user);
}

/*
 * As native those that have no name any more are counted, too; but a quarter is left to others
 * than one user: who has the rest does not take of it for a moment either, by trying.  Return:
 * his account, with a reference, or an error.
 */
static struct kipc_account *kipc_posix_mq_count(struct kipc_space *space)
{
	struct kipc_account *user = kipc_account_get_below(space->mq_users, space->user_ns);
	unsigned int max = READ_ONCE(space->mq_limits.queues_max);

	if (!user)
		return ERR_PTR(-ENOMEM);
	if (kipc_account_add(user, KIPC_CHARGE_MQ_QUEUES, 1) <= max - max / 4 ||
	    capable(CAP_SYS_RESOURCE)) {
		if (atomic_inc_return(&space->mq_count) <= max || capable(CAP_SYS_RESOURCE))
			return user;
		atomic_dec(&space->mq_count);
	}
	kipc_account_add(user, KIPC_CHARGE_MQ_QUEUES, -1);
	kipc_account_put(user);
	return ERR_PTR(-ENOSPC);
}

static void kipc_posix_mq_free_rcu(struct rcu_head *rcu)
{
	kfree(kipc_posix_mq_of(container_of(rcu, struct kipc_object, rcu)));
	/* Module exit waits for this callback to return. */
	module_put(THIS_MODULE);
}

static void kipc_posix_mq_free(struct kipc_object *object)
{
	struct kipc_posix_mq *mq = kipc_posix_mq_of(object);

	kipc_mq_notice_deinit(mq);
	WARN_ON_ONCE(mq->queue.receiver_count || mq->queue.sender_count ||
		     !hlist_empty(&object->watches));
	kipc_msg_drop_all(&mq->queue);
	put_pid(mq->queue.lspid);
	put_pid(mq->queue.lrpid);
	kipc_account_uncharge(mq->name.account, KIPC_CHARGE_MQ_BYTES, mq->charge);
	kipc_name_deinit(&mq->name);
	kipc_posix_mq_uncount(object->space, mq->user);
	kipc_space_put(object->space);
	call_rcu(&object->rcu, kipc_posix_mq_free_rcu);
}

static bool kipc_posix_mq_end_locked(struct kipc_object *object)
{
	return kipc_name_end_locked(&kipc_posix_mq_of(object)->name);
}

static unsigned long kipc_posix_mq_users(struct kipc_object *object)
{
	return object->handles;
}

static const struct kipc_object_ops kipc_posix_mq_ops = {
	.end_locked	= kipc_posix_mq_end_locked,
	.free		= kipc_posix_mq_free,
	.users		= kipc_posix_mq_users,
	.lock		= kipc_msg_object_lock,
	.unlock		= kipc_msg_object_unlock,
	.outlives	= true,
	.see_locked	= kipc_msg_see_locked,
};

/* What it is to hold at most: what the caller says, or the namespace. */
static int kipc_posix_mq_size(struct kipc_space *space, const struct kipc_open *open,
			      u64 *maxmsg, u64 *msgsize)
{
	const struct kipc_mq_limits *limits = &space->mq_limits;
	unsigned int max = READ_ONCE(limits->msg_max);
	unsigned int size_max = READ_ONCE(limits->msgsize_max);
	bool is_privileged = capable(CAP_SYS_RESOURCE);

	*maxmsg = open->size;
	*msgsize = open->msgsize;
	if (!*maxmsg && !*msgsize) {
		*maxmsg = min(max, READ_ONCE(limits->msg_default));
		*msgsize = min(size_max, READ_ONCE(limits->msgsize_default));
	}
	if (!*maxmsg || *maxmsg > (is_privileged ? KIPC_MQ_MSG_MAX : max) ||
	    !*msgsize || *msgsize > (is_privileged ? KIPC_MQ_MSGSIZE_MAX : size_max))
		return -EINVAL;
	return 0;
}

/* As native reckons, whatever our own structures take: getrlimit(2). */
static unsigned long kipc_posix_mq_charge(u64 maxmsg, u64 msgsize)
{
	return maxmsg * (msgsize + 48) + min_t(u64, maxmsg, KIPC_MQ_PRIORITIES) * 48;
}

static struct kipc_object *kipc_posix_mq_new(struct kipc_space *space,
					     const struct kipc_open *open)
{
	struct kipc_account *user = kipc_posix_mq_count(space);
	struct kipc_posix_mq *mq;
	u64 maxmsg, msgsize;
	int ret;

	if (IS_ERR(user))
		return ERR_CAST(user);
	ret = kipc_posix_mq_size(space, open, &maxmsg, &msgsize);
	if (ret)
		goto uncount;
	ret = -ENOMEM;
	mq = kzalloc(sizeof(*mq), GFP_KERNEL_ACCOUNT);
	if (!mq)
		goto uncount;
	ret = kipc_name_init(&mq->name, &mq->queue.object, open->text);
	if (ret)
		goto free_mq;
	mq->charge = kipc_posix_mq_charge(maxmsg, msgsize);
	if (!kipc_account_charge(mq->name.account, KIPC_CHARGE_MQ_BYTES, mq->charge,
				 rlimit(RLIMIT_MSGQUEUE))) {
		ret = -EMFILE;
		goto deinit_name;
	}
	mq->msgsize = msgsize;
	mq->user = user;
	kipc_msg_queue_init(&mq->queue, LONG_MAX, maxmsg);
	kipc_mq_notice_init(mq);
	/* A reference exists: the caller's open device. */
	__module_get(THIS_MODULE);
	kipc_object_init(&mq->queue.object, KIPC_KIND_POSIX_MQ, &kipc_posix_mq_ops,
			 kipc_space_get(space), IPC_PRIVATE, open->mode);
	mq->queue.object.uid = current_fsuid();
	mq->queue.object.gid = current_fsgid();
	return &mq->queue.object;

deinit_name:
	kipc_name_deinit(&mq->name);
free_mq:
	kfree(mq);
uncount:
	kipc_posix_mq_uncount(space, user);
	return ERR_PTR(ret);
}

/* ---- Names ---- */

static struct kipc_name *kipc_posix_mq_name(struct kipc_object *object)
{
	return &kipc_posix_mq_of(object)->name;
}

const struct kipc_named_kind kipc_posix_mq_kind = {
	.kind		= KIPC_KIND_POSIX_MQ,
	.new		= kipc_posix_mq_new,
	.name_of	= kipc_posix_mq_name,
	.may_unlink	= kipc_may_unlink,
	.enter		= kipc_name_enter,
};

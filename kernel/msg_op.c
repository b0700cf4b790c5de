// SPDX-License-Identifier: GPL-2.0
/*
 * msgsnd and msgrcv: handing over, sleeping, the calls.  See msg.h; messages that are not
 * laid out as msgsnd has them are in msg_iter.c.
 *
 * kipc_msg_put_locked() is how a message gets into a queue, kipc_msg_take_locked() how
 * it gets out.  Whatever made room calls kipc_msg_settle_senders_locked() afterwards.
 */
#include <linux/compat.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "msg.h"
#include "perm.h"
#include "space.h"

/* The status of a sleeper that is to look again: others have other rights now, perhaps. */
#define KIPC_MSG_AGAIN	2

static void kipc_msg_change_pid(struct pid **last, struct pid *pid)
{
	put_pid(*last);
	*last = get_pid(pid);
}

static __always_inline void kipc_msg_set_pid(struct pid **last, struct pid *pid)
{
	if (unlikely(*last != pid))
		kipc_msg_change_pid(last, pid);
}

/* ---- Queues of sleepers ---- */

static __always_inline void kipc_msg_enqueue_locked(struct kipc_msg_queue *queue,
						    struct kipc_msg_sleeper *sleeper)
{
	struct kipc_rank *rank = &sleeper->rank;

	rank->place.value = sleeper->type;
	switch (sleeper->match) {
	case KIPC_MSG_EXACT:
		kipc_sorted_insert(&queue->exact, &rank->place);
		break;
	case KIPC_MSG_ANY:
		rank->place.value = LONG_MAX;
		fallthrough;
	case KIPC_MSG_LEAST:
		kipc_ranked_insert(&queue->least, rank);
		break;
	case KIPC_MSG_EXCEPT:
		kipc_ranked_insert(&queue->except, rank);
		break;
	default:
		rank->place.value = -(long)sleeper->msg->size;
		kipc_ranked_insert(&queue->senders, rank);
		WRITE_ONCE(queue->sender_count, queue->sender_count + 1);
		return;
	}
	WRITE_ONCE(queue->receiver_count, queue->receiver_count + 1);
}

static void kipc_msg_dequeue_locked(struct kipc_msg_queue *queue,
				    struct kipc_msg_sleeper *sleeper)
{
	switch (sleeper->match) {
	case KIPC_MSG_EXACT:
		kipc_sorted_erase(&queue->exact, &sleeper->rank.place);
		break;
	case KIPC_MSG_ANY:
	case KIPC_MSG_LEAST:
		kipc_ranked_erase(&queue->least, &sleeper->rank);
		break;
	case KIPC_MSG_EXCEPT:
		kipc_ranked_erase(&queue->except, &sleeper->rank);
		break;
	default:
		kipc_ranked_erase(&queue->senders, &sleeper->rank);
		WRITE_ONCE(queue->sender_count, queue->sender_count - 1);
		return;
	}
	WRITE_ONCE(queue->receiver_count, queue->receiver_count - 1);
}

/* The sleeper may return, and its stack be gone, as soon as it sees its status. */
static __always_inline void kipc_msg_finish_locked(struct kipc_msg_queue *queue,
						   struct kipc_msg_sleeper *sleeper, int status)
{
	kipc_msg_dequeue_locked(queue, sleeper);
	kipc_finish_locked(&queue->wakes, &sleeper->call, status);
}

static inline struct kipc_rank *kipc_msg_earlier(struct kipc_rank *a, struct kipc_rank *b)
{
	if (!a || !b)
		return a ?: b;
	return a->place.seq < b->place.seq ? a : b;
}

static struct kipc_msg_sleeper *kipc_msg_sleeper_of(struct kipc_rank *rank)
{
	return rank ? container_of(rank, struct kipc_msg_sleeper, rank) : NULL;
}

/* Who came first of those that want a message of a type. */
static struct kipc_msg_sleeper *kipc_msg_receiver_locked(struct kipc_msg_queue *queue, long type)
{
	struct kipc_place *exact = kipc_sorted_find(&queue->exact, type);
	struct kipc_rank *first = exact ? container_of(exact, struct kipc_rank, place) : NULL;

	if (!RB_EMPTY_ROOT(&queue->least))
		first = kipc_msg_earlier(first, kipc_ranked_find_least(&queue->least, type));
	if (!RB_EMPTY_ROOT(&queue->except))
		first = kipc_msg_earlier(first, kipc_ranked_find_other(&queue->except, type));
	return kipc_msg_sleeper_of(first);
}

/* Hand a message to a sleeper.  Return: whether there was one. */
static __always_inline bool kipc_msg_hand_locked(struct kipc_msg_queue *queue,
						 struct kipc_msg *msg)
{
	struct kipc_msg_sleeper *sleeper;

	while (queue->receiver_count) {
		sleeper = kipc_msg_receiver_locked(queue, msg->place.value);
		if (!sleeper)
			break;
		if (unlikely(!kipc_claim(&sleeper->call))) {
			kipc_msg_finish_locked(queue, sleeper, -ECANCELED);
			cond_resched();
			continue;
		}
		if (sleeper->room < msg->size) {
			kipc_msg_finish_locked(queue, sleeper, -E2BIG);
			cond_resched();
			continue;
		}
		kipc_msg_set_pid(&queue->lrpid, sleeper->call.pid);
		queue->rtime = ktime_get_real_seconds();
		sleeper->msg = msg;
		kipc_msg_finish_locked(queue, sleeper, 0);
		return true;
	}
	return false;
}

/* ---- Messages ---- */

/* @pid's message enters the queue, or goes to who waits for it. */
static void kipc_msg_put_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg,
				struct pid *pid)
{
	kipc_msg_set_pid(&queue->lspid, pid);
	queue->stime = ktime_get_real_seconds();
	msg->born = kipc_msg_clock();
	msg->place.seq = queue->seq++;
	if (likely(!queue->receiver_count) || !kipc_msg_hand_locked(queue, msg))
		kipc_msg_add_locked(queue, msg);
}

/*
 * There may be room: whose message fits in goes on, first come first.  The rest of many
 * do before anybody else sends or receives: kipc_msg_settle_rest_locked().
 */
static void kipc_msg_settle_senders_locked(struct kipc_msg_queue *queue)
{
	unsigned int count = KIPC_MSG_STRIDE;
	struct kipc_msg_sleeper *sleeper;
	unsigned long max_bytes, room;

	queue->unsettled = false;
	while (queue->sender_count) {
		max_bytes = READ_ONCE(queue->max_bytes);
		if (queue->bytes > max_bytes || queue->count >= READ_ONCE(queue->max_count))
			break;
		room = min_t(unsigned long, max_bytes - queue->bytes, LONG_MAX);
		sleeper = kipc_msg_sleeper_of(kipc_ranked_find_least(&queue->senders,
								     -(long)room));
		if (!sleeper)
			break;
		if (!count--) {
			queue->unsettled = true;
			break;
		}
		if (sleeper->permits != queue->permits && sleeper->call.task) {
			kipc_msg_finish_locked(queue, sleeper, KIPC_MSG_AGAIN);
		} else if (unlikely(!kipc_claim(&sleeper->call))) {
			kipc_msg_finish_locked(queue, sleeper, -ECANCELED);
		} else {
			kipc_msg_put_locked(queue, sleeper->msg, sleeper->call.pid);
			kipc_msg_finish_locked(queue, sleeper, 0);
		}
		cond_resched();
	}
}

/**
 * kipc_msg_settle_rest_locked() - see to kipc_msg_queue.unsettled, and to who watches
 * @queue: the queue; its lock is held, and perhaps given back in between
 */
void kipc_msg_settle_rest_locked(struct kipc_msg_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	for (;;) {
		queue->unseen = false;
		kipc_watch_notify_locked(&queue->object);
		if (!queue->unsettled && !queue->unseen)
			return;
		queue->unseen = false;
		kipc_unlock_and_wake(&queue->lock, &queue->wakes);
		cond_resched();
		mutex_lock(&queue->lock);
		if (queue->unsettled)
			kipc_msg_settle_senders_locked(queue);
	}
}

/* The caller receives a message. */
static void kipc_msg_take_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg)
{
	kipc_msg_remove_locked(queue, msg);
	kipc_msg_set_pid(&queue->lrpid, task_tgid(current));
	queue->rtime = ktime_get_real_seconds();
	if (unlikely(queue->sender_count))
		kipc_msg_settle_senders_locked(queue);
}

/**
 * kipc_msg_return() - who took a message cannot have it: it goes back to its place
 * @queue: the queue
 * @msg: the message
 *
 * Context: may sleep.
 */
void kipc_msg_return(struct kipc_msg_queue *queue, struct kipc_msg *msg)
{
	bool removed;

	mutex_lock(&queue->lock);
	removed = kipc_object_is_gone(&queue->object);
	if (!removed && !kipc_msg_hand_locked(queue, msg))
		kipc_msg_add_locked(queue, msg);
	kipc_msg_queue_unlock(queue);
	if (removed)
		kipc_msg_put(msg);
}

/* ---- All sleepers ---- */

static void kipc_msg_wake_tree_locked(struct kipc_msg_queue *queue, struct rb_root *root,
				      int status)
{
	struct kipc_msg_sleeper *sleeper;
	struct rb_node *node, *next;

	for (node = rb_first(root); node; node = next) {
		next = rb_next(node);
		sleeper = kipc_msg_sleeper_of(kipc_rank_of(node));
		/* What an asynchronous call may do is its handle's. */
		if (status != KIPC_MSG_AGAIN || sleeper->call.task)
			kipc_msg_finish_locked(queue, sleeper, status);
		cond_resched();
	}
}

static void kipc_msg_wake_receivers_locked(struct kipc_msg_queue *queue, int status)
{
	kipc_msg_wake_tree_locked(queue, &queue->exact, status);
	kipc_msg_wake_tree_locked(queue, &queue->least, status);
	kipc_msg_wake_tree_locked(queue, &queue->except, status);
}

/**
 * kipc_msg_permit_locked() - permissions or the size of a queue changed
 * @queue: the queue; its lock is held
 *
 * Receivers ask anew whether they may, senders once there is room: as native.
 */
void kipc_msg_permit_locked(struct kipc_msg_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	queue->permits++;
	kipc_msg_wake_receivers_locked(queue, KIPC_MSG_AGAIN);
	kipc_msg_settle_senders_locked(queue);
}

/**
 * kipc_msg_wake_all_locked() - end every sleep
 * @queue: the queue; its lock is held
 * @status: what the sleepers' calls return
 */
void kipc_msg_wake_all_locked(struct kipc_msg_queue *queue, int status)
{
	lockdep_assert_held(&queue->lock);
	kipc_msg_wake_receivers_locked(queue, status);
	kipc_msg_wake_tree_locked(queue, &queue->senders, status);
}

static void kipc_msg_visit_tree_locked(struct kipc_msg_queue *queue, struct rb_root *root,
				       kipc_msg_visitor visit, void *data)
{
	struct rb_node *node;

	for (node = rb_first(root); node; node = rb_next(node)) {
		visit(queue, kipc_msg_sleeper_of(kipc_rank_of(node)), data);
		cond_resched();
	}
}

/**
 * kipc_msg_visit_sleepers_locked() - who sleeps on a queue
 * @queue: the queue; its lock is held
 * @visit: called for each
 * @data: for @visit
 */
void kipc_msg_visit_sleepers_locked(struct kipc_msg_queue *queue, kipc_msg_visitor visit,
				    void *data)
{
	lockdep_assert_held(&queue->lock);
	kipc_msg_visit_tree_locked(queue, &queue->exact, visit, data);
	kipc_msg_visit_tree_locked(queue, &queue->least, visit, data);
	kipc_msg_visit_tree_locked(queue, &queue->except, visit, data);
	kipc_msg_visit_tree_locked(queue, &queue->senders, visit, data);
}

/* ---- Sleep ---- */

/* What a signal does: a call without a time-out goes on if no handler ran, as native. */
static int kipc_msg_interrupted(const struct kipc_timeout *timeout)
{
	return timeout->expires != KTIME_MAX || current->flags & PF_IO_WORKER ? -EINTR :
									       -ERESTARTNOHAND;
}

/* One on the caller's stack.  What is not set here is before it is looked at. */
static __always_inline void kipc_msg_init_sleeper(struct kipc_msg_sleeper *sleeper,
						  enum kipc_msg_match match, long type)
{
	sleeper->call.task = current;
	sleeper->call.pid = task_tgid(current);
	sleeper->call.status = 0;
	sleeper->call.claim = NULL;
	sleeper->match = match;
	sleeper->type = type;
}

/* Nobody has carried it out yet: it enters its queue.  After that it is not the caller's. */
static __always_inline void kipc_msg_begin_sleep_locked(struct kipc_msg_queue *queue,
							struct kipc_msg_sleeper *sleeper)
{
	sleeper->permits = queue->permits;
	if (sleeper->call.status != KIPC_MSG_AGAIN)
		sleeper->rank.place.seq = queue->seq++;
	sleeper->call.status = KIPC_SLEEPS;
	sleeper->call.since = jiffies;
	kipc_msg_enqueue_locked(queue, sleeper);
}

/* The queue's lock is held, and given back. */
static int kipc_msg_sleep_unlock(struct kipc_msg_queue *queue,
				 struct kipc_msg_sleeper *sleeper,
				 const struct kipc_timeout *timeout)
{
	bool is_finished;
	int ret;

	kipc_msg_begin_sleep_locked(queue, sleeper);
	kipc_msg_queue_unlock(queue);

	ret = kipc_wait(&sleeper->call, timeout);
	if (likely(!ret || !kipc_is_asleep(&sleeper->call)))
		return sleeper->call.status;

	mutex_lock(&queue->lock);
	is_finished = sleeper->call.status != KIPC_SLEEPS;
	if (!is_finished)
		kipc_msg_dequeue_locked(queue, sleeper);
	kipc_msg_queue_unlock(queue);
	if (is_finished)
		return kipc_wait_told(&sleeper->call);
	return ret == -EINTR ? kipc_msg_interrupted(timeout) : ret;
}

/*
 * May the caller do @mode?  Then the lock is held.  It is asked under the lock: nothing
 * gets in or out by rights of before once IPC_SET has returned.
 */
static __always_inline int kipc_msg_lock(struct kipc_msg_queue *queue, int mode,
					 const struct kipc_grant *grant)
{
	int ret = 0;

	mutex_lock(&queue->lock);
	if (unlikely(queue->unsettled))
		kipc_msg_settle_rest_locked(queue);
	if (unlikely(!kipc_may(&queue->object, mode, grant)))
		ret = -EACCES;
	else if (unlikely(kipc_object_is_gone(&queue->object)))
		ret = -EIDRM;
	if (unlikely(ret))
		kipc_msg_queue_unlock(queue);
	return ret;
}

static struct kipc_msg_queue *kipc_msg_find_queue(struct kipc_space *space, int id,
						  const struct kipc_grant *grant)
{
	struct kipc_object *object = kipc_find_granted(space, KIPC_KIND_MSG, id, grant);

	return IS_ERR(object) ? ERR_CAST(object) : kipc_msg_queue_of(object);
}

/* ---- msgsnd ---- */

/* Enter the queue if it has room; its lock is held, and given back if it has. */
static __always_inline bool kipc_msg_try_send_unlock(struct kipc_msg_queue *queue,
						     struct kipc_msg *msg)
{
	if (unlikely(!kipc_msg_fits_locked(queue, msg->size)))
		return false;
	kipc_msg_put_locked(queue, msg, task_tgid(current));
	kipc_msg_queue_unlock(queue);
	return true;
}

/* There is no room; the queue's lock is held, and given back.  No @timeout: do not wait. */
static noinline int kipc_msg_send_blocked_unlock(struct kipc_msg_queue *queue,
						 const struct kipc_grant *grant,
						 struct kipc_msg *msg,
						 const struct kipc_timeout *timeout)
{
	struct kipc_msg_sleeper sleeper;
	int ret;

	if (!timeout) {
		kipc_msg_queue_unlock(queue);
		return -EAGAIN;
	}
	kipc_msg_init_sleeper(&sleeper, KIPC_MSG_SEND, msg->place.value);
	sleeper.msg = msg;
	do {
		ret = kipc_msg_sleep_unlock(queue, &sleeper, timeout);
		if (ret != KIPC_MSG_AGAIN)
			return ret;
		ret = kipc_msg_lock(queue, S_IWUGO, grant);
	} while (!ret && !kipc_msg_try_send_unlock(queue, msg));
	return ret;
}

/* The caller's long before the bytes, and where these are. */
static int kipc_msg_get_type(long *type, u64 user, u8 __user **bytes)
{
#ifdef CONFIG_COMPAT
	if (in_compat_syscall()) {
		compat_long_t __user *at = u64_to_user_ptr(user);
		compat_long_t narrow;

		*bytes = (u8 __user *)(at + 1);
		if (get_user(narrow, at))
			return -EFAULT;
		*type = narrow;
		return 0;
	}
#endif
	*bytes = u64_to_user_ptr(user) + sizeof(long);
	return get_user(*type, (long __user *)u64_to_user_ptr(user));
}

static int kipc_msg_put_type(long type, u64 user, u8 __user **bytes)
{
#ifdef CONFIG_COMPAT
	if (in_compat_syscall()) {
		compat_long_t __user *at = u64_to_user_ptr(user);

		*bytes = (u8 __user *)(at + 1);
		return put_user((compat_long_t)type, at);
	}
#endif
	*bytes = u64_to_user_ptr(user) + sizeof(long);
	return put_user(type, (long __user *)u64_to_user_ptr(user));
}

/* The message enters the queue, or an error. */
static __always_inline int kipc_msg_enter(struct kipc_msg_queue *queue,
					  const struct kipc_grant *grant, struct kipc_msg *msg,
					  const struct kipc_timeout *timeout)
{
	int ret = kipc_msg_lock(queue, S_IWUGO, grant);

	if (unlikely(ret))
		return ret;
	WRITE_ONCE(queue->object.calls, queue->object.calls + 1);
	if (likely(kipc_msg_try_send_unlock(queue, msg)))
		return 0;
	return kipc_msg_send_blocked_unlock(queue, grant, msg, timeout);
}

/* To the queue with the id, or to that of the grant. */
static __always_inline int kipc_msg_send_to(struct kipc_space *space, int id,
					    const struct kipc_grant *grant, unsigned int flags,
					    u64 user, u64 size,
					    const struct kipc_timeout *timeout)
{
	struct kipc_msg_queue *queue;
	struct kipc_msg *msg;
	u8 __user *bytes;
	long type;
	int ret;

	ret = kipc_msg_get_type(&type, user, &bytes);
	if (ret)
		return ret;
	if (size > READ_ONCE(space->msg_limits.max) || id < 0 || type < 1 || !timeout->valid)
		return -EINVAL;
	msg = kipc_msg_load(bytes, size);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	msg->place.value = type;

	queue = kipc_msg_find_queue(space, id, grant);
	if (IS_ERR(queue)) {
		kipc_msg_put(msg);
		return PTR_ERR(queue);
	}
	ret = kipc_msg_enter(queue, grant, msg, flags & IPC_NOWAIT ? NULL : timeout);
	kipc_object_put(&queue->object);
	if (unlikely(ret))
		kipc_msg_put(msg);
	return ret;
}

/**
 * kipc_msg_send() - msgsnd(2)
 * @space: the caller's space
 * @id: queue
 * @flags: IPC_NOWAIT
 * @user: user address of the message, in the caller's layout
 * @size: its bytes
 * @timeout: how long to sleep at most
 *
 * Context: process; may sleep.
 * Return: 0 or an error as msgsnd(2) has it; -EAGAIN also when it is too late.
 */
int kipc_msg_send(struct kipc_space *space, int id, unsigned int flags, u64 user, u64 size,
		  const struct kipc_timeout *timeout)
{
	return kipc_msg_send_to(space, id, NULL, flags, user, size, timeout);
}

/**
 * kipc_msg_send_granted() - the same through a handle
 * @grant: queue, and rights to it
 * @flags: as kipc_msg_send(), and all that follow
 * @user: user address
 * @size: bytes
 * @timeout: how long
 */
int kipc_msg_send_granted(const struct kipc_grant *grant, unsigned int flags, u64 user, u64 size,
			  const struct kipc_timeout *timeout)
{
	return kipc_msg_send_to(grant->object->space, 0, grant, flags, user, size, timeout);
}

/* ---- msgrcv ---- */

/*
 * Take what was found, or a reference if it is to stay; the queue's lock is held.
 * Return: the message; -E2BIG.
 */
static __always_inline struct kipc_msg *
kipc_msg_take_found_locked(struct kipc_msg_queue *queue, struct kipc_msg *msg,
			   enum kipc_msg_match match, size_t room)
{
	if (unlikely(msg->size > room))
		return ERR_PTR(-E2BIG);
	if (unlikely(match == KIPC_MSG_COPY))
		refcount_inc(&msg->refs);
	else
		kipc_msg_take_locked(queue, msg);
	return msg;
}

/*
 * If the caller may receive, find what is wanted.  Return: 0 with the queue's lock held, and
 * in @msg what was found, or NULL; or an error.
 */
static __always_inline int
kipc_msg_lock_and_find(struct kipc_msg_queue *queue, const struct kipc_grant *grant,
		       enum kipc_msg_match match, long type, struct kipc_msg **msg)
{
	int ret;

	for (;;) {
		ret = kipc_msg_lock(queue, S_IRUGO, grant);
		if (unlikely(ret))
			return ret;
		*msg = kipc_msg_find_locked(queue, match, type);
		if (likely(*msg != ERR_PTR(-EAGAIN)))
			return 0;
		kipc_msg_queue_unlock(queue);
		cond_resched();
	}
}

/* The same, and take it.  Return: 0, with what came of it in @msg; or an error. */
static __always_inline int
kipc_msg_lock_and_receive(struct kipc_msg_queue *queue, const struct kipc_grant *grant,
			  enum kipc_msg_match match, long type, size_t room,
			  struct kipc_msg **msg)
{
	int ret = kipc_msg_lock_and_find(queue, grant, match, type, msg);

	if (likely(!ret && *msg))
		*msg = kipc_msg_take_found_locked(queue, *msg, match, room);
	return ret;
}

/* There is none; the queue's lock is held, and given back.  No @timeout: do not wait. */
static noinline struct kipc_msg *
kipc_msg_receive_blocked_unlock(struct kipc_msg_queue *queue, const struct kipc_grant *grant,
				enum kipc_msg_match match, long type, size_t room,
				const struct kipc_timeout *timeout)
{
	struct kipc_msg_sleeper sleeper;
	struct kipc_msg *msg;
	int ret;

	if (!timeout) {
		kipc_msg_queue_unlock(queue);
		return ERR_PTR(-ENOMSG);
	}
	kipc_msg_init_sleeper(&sleeper, match, type);
	sleeper.room = room;
	do {
		ret = kipc_msg_sleep_unlock(queue, &sleeper, timeout);
		if (ret != KIPC_MSG_AGAIN)
			goto woken;
		ret = kipc_msg_lock_and_receive(queue, grant, match, type, room, &msg);
		if (ret)
			return ERR_PTR(ret);
	} while (!msg);
	kipc_msg_queue_unlock(queue);
	return msg;

woken:
	if (ret)
		return ERR_PTR(ret);
	if (likely(!fatal_signal_pending(current)))
		return sleeper.msg;
	/* It was handed to a caller that will never look at it. */
	kipc_msg_return(queue, sleeper.msg);
	return ERR_PTR(-EINTR);
}

/* The message that the caller is to have, or an error. */
static __always_inline struct kipc_msg *
kipc_msg_obtain(struct kipc_msg_queue *queue, const struct kipc_grant *grant,
		enum kipc_msg_match match, long type, size_t room,
		const struct kipc_timeout *timeout)
{
	struct kipc_msg *msg;
	int ret;

	ret = kipc_msg_lock_and_receive(queue, grant, match, type, room, &msg);
	if (unlikely(ret))
		return ERR_PTR(ret);
	WRITE_ONCE(queue->object.calls, queue->object.calls + 1);
	if (unlikely(!msg))
		return kipc_msg_receive_blocked_unlock(queue, grant, match, type, room, timeout);
	kipc_msg_queue_unlock(queue);
	return msg;
}

/**
 * kipc_msg_match_of() - what msgtyp and msgflg of msgrcv(2) say together
 * @flags: MSG_COPY, MSG_EXCEPT
 * @type: in, msgtyp; out, the type that goes with what is returned
 */
enum kipc_msg_match kipc_msg_match_of(unsigned int flags, long *type)
{
	if (flags & MSG_COPY)
		return KIPC_MSG_COPY;
	if (!*type)
		return KIPC_MSG_ANY;
	if (*type < 0) {
		*type = *type == LONG_MIN ? LONG_MAX : -*type;
		return KIPC_MSG_LEAST;
	}
	return flags & MSG_EXCEPT ? KIPC_MSG_EXCEPT : KIPC_MSG_EXACT;
}

/* Copy to the caller what was received; if it stays in the queue, it is a @copy. */
static __always_inline long kipc_msg_deliver(struct kipc_msg_queue *queue, struct kipc_msg *msg,
					     bool copy, u64 user, u64 size)
{
	u8 __user *bytes;
	long ret = min_t(u64, size, msg->size);

	if (unlikely(kipc_msg_put_type(msg->place.value, user, &bytes) ||
		     kipc_msg_store(bytes, ret, msg))) {
		ret = -EFAULT;
		if (!copy) {
			kipc_msg_return(queue, msg);
			return ret;
		}
	}
	kipc_msg_put(msg);
	return ret;
}

/* As native: the bytes must be readable, and a message that is no larger than @max fit. */
static int kipc_msg_check_copy(struct kipc_space *space, unsigned int flags, u64 user,
			       u64 size, size_t *max)
{
	if (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT))
		return -EINVAL;
	*max = min_t(u64, size, READ_ONCE(space->msg_limits.max));
	return fault_in_readable(u64_to_user_ptr(user), *max) ? -EFAULT : 0;
}

/* From the queue with the id, or from that of the grant. */
static __always_inline long kipc_msg_receive_from(struct kipc_space *space, int id,
						  const struct kipc_grant *grant,
						  unsigned int flags, u64 user, u64 size,
						  long type, const struct kipc_timeout *timeout)
{
	size_t room = flags & MSG_NOERROR ? SIZE_MAX : size, max = SIZE_MAX;
	struct kipc_msg_queue *queue;
	enum kipc_msg_match match;
	struct kipc_msg *msg;
	long ret;

	if (id < 0 || size > LONG_MAX || !timeout->valid ||
	    (size > INT_MAX && in_compat_syscall()))
		return -EINVAL;
	match = kipc_msg_match_of(flags, &type);
	if (unlikely(match == KIPC_MSG_COPY)) {
		ret = kipc_msg_check_copy(space, flags, user, size, &max);
		if (ret)
			return ret;
	}

	queue = kipc_msg_find_queue(space, id, grant);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	msg = kipc_msg_obtain(queue, grant, match, type, room,
			      flags & IPC_NOWAIT ? NULL : timeout);
	if (IS_ERR(msg)) {
		ret = PTR_ERR(msg);
	} else if (unlikely(msg->size > max)) {
		kipc_msg_put(msg);
		ret = -EINVAL;
	} else {
		ret = kipc_msg_deliver(queue, msg, match == KIPC_MSG_COPY, user, size);
	}
	kipc_object_put(&queue->object);
	return ret;
}

/**
 * kipc_msg_receive() - msgrcv(2)
 * @space: the caller's space
 * @id: queue
 * @flags: IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT, MSG_COPY
 * @user: user address of the message, in the caller's layout
 * @size: room for its bytes
 * @type: what to receive
 * @timeout: how long to sleep at most
 *
 * A message that cannot be written there stays in the queue.
 *
 * Context: process; may sleep.
 * Return: the bytes of the message, or an error as msgrcv(2) has it; -EAGAIN when it is
 *	   too late.
 */
long kipc_msg_receive(struct kipc_space *space, int id, unsigned int flags, u64 user, u64 size,
		      long type, const struct kipc_timeout *timeout)
{
	return kipc_msg_receive_from(space, id, NULL, flags, user, size, type, timeout);
}

/* ---- Through a handle ---- */

/**
 * kipc_msg_receive_granted() - the same as kipc_msg_receive()
 * @grant: queue, and rights to it
 * @flags: as kipc_msg_receive(), and all that follow
 * @user: user address
 * @size: room
 * @type: what to receive
 * @timeout: how long
 */
long kipc_msg_receive_granted(const struct kipc_grant *grant, unsigned int flags, u64 user,
			      u64 size, long type, const struct kipc_timeout *timeout)
{
	return kipc_msg_receive_from(grant->object->space, 0, grant, flags, user, size, type,
				     timeout);
}

/**
 * kipc_msg_send_made() - send a message that is made already
 * @grant: the queue, and rights to it
 * @msg: the message; the queue's once it has succeeded
 * @timeout: how long to sleep at most; NULL: not at all
 *
 * Context: process; may sleep.
 * Return: 0 or an error as msgsnd(2) has it.
 */
int kipc_msg_send_made(const struct kipc_grant *grant, struct kipc_msg *msg,
		       const struct kipc_timeout *timeout)
{
	return kipc_msg_enter(kipc_msg_queue_of(grant->object), grant, msg, timeout);
}

/**
 * kipc_msg_receive_whole() - receive a message as it is
 * @grant: the queue, and rights to it
 * @match: which message
 * @type: of which type
 * @room: bytes of the largest that is no error
 * @timeout: how long to sleep at most; NULL: not at all
 *
 * Context: process; may sleep.
 * Return: the message, or an error as msgrcv(2) has it.
 */
struct kipc_msg *kipc_msg_receive_whole(const struct kipc_grant *grant,
					enum kipc_msg_match match, long type, size_t room,
					const struct kipc_timeout *timeout)
{
	return kipc_msg_obtain(kipc_msg_queue_of(grant->object), grant, match, type, room, timeout);
}

/* ---- Asynchronously ---- */

/* It is to sleep, unless it was ended before it could; the queue's lock is given back. */
static int kipc_msg_leave_unlock(struct kipc_msg_queue *queue, struct kipc_msg_sleeper *sleeper,
				 bool waits, int error)
{
	int ret = KIPC_WOULD_SLEEP;

	if (sleeper->nowait) {
		ret = kipc_claim(&sleeper->call) ? error : -ECANCELED;
	} else if (waits && sleeper->call.status < 0) {
		ret = sleeper->call.status;
	} else if (waits) {
		kipc_msg_begin_sleep_locked(queue, sleeper);
		ret = -EIOCBQUEUED;
	}
	kipc_msg_queue_unlock(queue);
	return ret;
}

/* It can go on, but another may have done so; then the queue's lock is given back. */
static bool kipc_msg_claim_or_unlock(struct kipc_msg_queue *queue,
				     const struct kipc_msg_sleeper *sleeper)
{
	if (kipc_claim(&sleeper->call))
		return true;
	kipc_msg_queue_unlock(queue);
	return false;
}

/**
 * kipc_msg_send_async() - msgsnd(2) that does not sleep, but may leave @sleeper to
 * @grant: the queue, and rights to it
 * @sleeper: of kipc_msg_load_async(); its message is the queue's once it has succeeded
 * @waits: for room
 *
 * Context: process; may sleep, but not for room.
 * Return: 0; KIPC_WOULD_SLEEP, without @waits; -EIOCBQUEUED: it sleeps, and
 *	   kipc_sleeper.finished will be called, or has been; or an error as msgsnd(2) has it.
 */
int kipc_msg_send_async(const struct kipc_grant *grant, struct kipc_msg_sleeper *sleeper,
			bool waits)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(grant->object);
	int ret = kipc_msg_lock(queue, S_IWUGO, grant);

	if (ret)
		return ret;
	WRITE_ONCE(queue->object.calls, queue->object.calls + 1);
	if (!kipc_msg_fits_locked(queue, sleeper->msg->size))
		return kipc_msg_leave_unlock(queue, sleeper, waits, -EAGAIN);
	if (!kipc_msg_claim_or_unlock(queue, sleeper))
		return -ECANCELED;
	kipc_msg_put_locked(queue, sleeper->msg, task_tgid(current));
	kipc_msg_queue_unlock(queue);
	return 0;
}

/**
 * kipc_msg_take_async() - what msgrcv(2) would receive without sleeping
 * @grant: the queue, and rights to it
 * @sleeper: what is wanted
 * @waits: for a message: then @sleeper is left to
 * @msg: the message, in the queue still for KIPC_MSG_COPY, with a reference
 *
 * Context: process; may sleep, but not for a message.
 * Return: 0; KIPC_WOULD_SLEEP and -EIOCBQUEUED as kipc_msg_send_async(); or an error as
 *	   msgrcv(2) has it.
 */
int kipc_msg_take_async(const struct kipc_grant *grant, struct kipc_msg_sleeper *sleeper,
			bool waits, struct kipc_msg **msg)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(grant->object);
	enum kipc_msg_match match = sleeper->match;
	int ret;

	ret = kipc_msg_lock_and_find(queue, grant, match, sleeper->type, msg);
	if (ret)
		return ret;
	WRITE_ONCE(queue->object.calls, queue->object.calls + 1);
	if (!*msg)
		return kipc_msg_leave_unlock(queue, sleeper, waits, -ENOMSG);
	if (!kipc_msg_claim_or_unlock(queue, sleeper))
		return -ECANCELED;
	*msg = kipc_msg_take_found_locked(queue, *msg, match, sleeper->room);
	kipc_msg_queue_unlock(queue);
	return PTR_ERR_OR_ZERO(*msg);
}

/**
 * kipc_msg_end_async() - end an asynchronous call, if it has no result yet
 * @object: the queue
 * @sleeper: the call
 * @status: its result
 *
 * Return: whether it slept; kipc_sleeper.finished will not be called then, so whoever ends
 *	   it tells whose it is.
 */
bool kipc_msg_end_async(struct kipc_object *object, struct kipc_msg_sleeper *sleeper, int status)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);
	bool slept;

	mutex_lock(&queue->lock);
	slept = sleeper->call.status == KIPC_SLEEPS;
	if (slept)
		kipc_msg_dequeue_locked(queue, sleeper);
	if (slept || sleeper->call.status == KIPC_BEGINS)
		WRITE_ONCE(sleeper->call.status, status);
	kipc_msg_queue_unlock(queue);
	return slept;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * One wait for any of several: see any.h.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/kipc.h>

#include "any.h"
#include "async.h"
#include "handle.h"
#include "wait.h"

/**
 * struct kipc_any_item - one of them
 * @any: the wait
 * @file: the descriptor's, with a reference
 * @events: of a descriptor: EPOLL* waited for; 0: it is a call
 * @is_asleep: the call is in its object's queue, or has been finished there
 * @is_done: it was tried, and @result is what came of it; or the descriptor was seen ready
 * @result: see @is_done
 * @async: the call
 */
struct kipc_any_item {
	struct kipc_any_wait *any;
	struct file *file;
	__poll_t events;
	bool is_asleep;
	bool is_done;
	long result;
	struct kipc_async async;
};

/**
 * struct kipc_any_wait - the wait
 * @call: what the caller sleeps with: its status says that there is something to look at
 * @claim: of all calls
 * @table: for the descriptors
 * @polls: where they were entered
 * @error: that could not be done
 * @count: how many items
 * @items: the items
 */
struct kipc_any_wait {
	struct kipc_sleeper call;
	atomic_t claim;
	poll_table table;
	struct hlist_head polls;
	int error;
	unsigned int count;
	struct kipc_any_item items[];
};

/**
 * struct kipc_any_poll - a wait queue of a descriptor that we are in
 * @node: in kipc_any_wait.polls
 * @entry: in the queue
 * @head: the queue
 * @any: the wait
 */
struct kipc_any_poll {
	struct hlist_node node;
	wait_queue_entry_t entry;
	wait_queue_head_t *head;
	struct kipc_any_wait *any;
};

/* ---- Told that there is something to look at ---- */

static void kipc_any_wake(struct kipc_any_wait *any)
{
	/* Pairs with kipc_is_asleep(). */
	smp_store_release(&any->call.status, 0);
	wake_up_process(any->call.task);
}

/* The object's lock is held, and the waiter takes it before it goes. */
static void kipc_any_finished(struct kipc_sleeper *call)
{
	kipc_any_wake(container_of(call, struct kipc_any_item, async.call)->any);
}

static int kipc_any_polled(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	kipc_any_wake(container_of(entry, struct kipc_any_poll, entry)->any);
	return 1;
}

static void kipc_any_enter(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct kipc_any_wait *any = container_of(table, struct kipc_any_wait, table);
	struct kipc_any_poll *poll = kmalloc(sizeof(*poll), GFP_KERNEL_ACCOUNT);

	if (!poll) {
		any->error = -ENOMEM;
		return;
	}
	poll->head = head;
	poll->any = any;
	init_waitqueue_func_entry(&poll->entry, kipc_any_polled);
	hlist_add_head(&poll->node, &any->polls);
	add_wait_queue(head, &poll->entry);
}

/* ---- Load ---- */

static int kipc_any_load_call(struct kipc_any_item *item, const struct kipc_any *user)
{
	struct kipc_sleeper *call = &item->async.call;
	struct kipc_timeout timeout;
	int ret;

	if (item->file->f_op != &kipc_handle_fops)
		return -ENOTTY;
	ret = kipc_async_load(&item->async, kipc_handle_grant(item->file), user->call, user->arg,
			      &timeout);
	if (ret)
		return ret;
	if (timeout.expires != KTIME_MAX) {
		kipc_async_unload(&item->async, -EINVAL);
		return -EINVAL;
	}
	call->pid = task_tgid(current);
	call->status = KIPC_BEGINS;
	call->claim = &item->any->claim;
	call->finished = kipc_any_finished;
	return 0;
}

static int kipc_any_load_item(struct kipc_any_item *item, struct kipc_any __user *at)
{
	struct kipc_any user;
	int ret;

	/* Where its result cannot be written nothing is done. */
	if (copy_from_user(&user, at, sizeof(user)) || put_user(0, &at->result))
		return -EFAULT;
	item->file = fget(user.fd);
	if (!item->file)
		return -EBADF;
	if (user.call) {
		ret = kipc_any_load_call(item, &user);
	} else {
		item->events = demangle_poll((__force __u16)user.arg) | EPOLLERR | EPOLLHUP;
		ret = user.arg > U16_MAX ? -EINVAL : 0;
	}
	if (ret)
		fput(item->file);
	return ret;
}

static void kipc_any_free(struct kipc_any_wait *any)
{
	struct kipc_any_item *item;
	struct kipc_any_poll *poll;
	struct hlist_node *next;

	hlist_for_each_entry_safe(poll, next, &any->polls, node) {
		remove_wait_queue(poll->head, &poll->entry);
		kfree(poll);
	}
	for (item = any->items; item < any->items + any->count; item++) {
		if (!item->events)
			kipc_async_unload(&item->async, item->is_done ? item->result : -ECANCELED);
		fput(item->file);
	}
	kvfree(any);
}

static struct kipc_any_wait *kipc_any_load(const struct kipc_wait_any *wait)
{
	struct kipc_any __user *user = u64_to_user_ptr(wait->any);
	struct kipc_any_wait *any;
	int ret;

	any = kvzalloc(struct_size(any, items, wait->count), GFP_KERNEL_ACCOUNT);
	if (!any)
		return ERR_PTR(-ENOMEM);
	any->call.task = current;
	init_poll_funcptr(&any->table, kipc_any_enter);
	for (; any->count < wait->count; any->count++, user++) {
		any->items[any->count].any = any;
		ret = kipc_any_load_item(&any->items[any->count], user);
		if (ret) {
			kipc_any_free(any);
			return ERR_PTR(ret);
		}
		cond_resched();
	}
	return any;
}

/* ---- Wait ---- */

/* Return: whether it has a result. */
static bool kipc_any_try(struct kipc_any_item *item)
{
	long ret = kipc_async_try(&item->async, true);

	item->is_asleep = ret == -EIOCBQUEUED;
	if (item->is_asleep)
		return false;
	/* ECANCELED: another one has. */
	item->is_done = ret != -ECANCELED;
	item->result = ret;
	return true;
}

/*
 * Return: whether it is ready.  What was seen is the result, as poll(2) has it: to look again
 * would be to miss what is told once only.
 */
static bool kipc_any_ready(struct kipc_any_item *item, poll_table *table)
{
	__poll_t seen = vfs_poll(item->file, table) & item->events;

	item->is_done = seen;
	item->result = mangle_poll(seen);
	return seen;
}

/* Begin with all of them.  Return: whether one has a result. */
static bool kipc_any_begin(struct kipc_any_wait *any)
{
	struct kipc_any_item *item;

	for (item = any->items; item < any->items + any->count; item++) {
		if (item->events ? kipc_any_ready(item, &any->table) : kipc_any_try(item))
			return true;
		if (any->error)
			return true;
		cond_resched();
	}
	return false;
}

/* Look at all that began.  Return: whether one has a result. */
static bool kipc_any_look(struct kipc_any_wait *any)
{
	struct kipc_any_item *item;

	for (item = any->items; item < any->items + any->count; item++) {
		cond_resched();
		if (item->events ? kipc_any_ready(item, NULL) :
				   !kipc_is_asleep(&item->async.call))
			return true;
	}
	return false;
}

/* After this none of them will be carried out. */
static void kipc_any_end(struct kipc_any_wait *any)
{
	struct kipc_any_item *item;

	for (item = any->items; item < any->items + any->count; item++) {
		if (item->is_asleep)
			kipc_async_end(item->async.grant->object, &item->async, -ECANCELED);
		cond_resched();
	}
}

/* Which of them has a result; NULL: none.  What has been carried out goes before all else. */
static struct kipc_any_item *kipc_any_choose(struct kipc_any_wait *any)
{
	struct kipc_any_item *item, *other = NULL;
	int status;

	for (item = any->items; item < any->items + any->count; item++) {
		cond_resched();
		if (item->is_asleep) {
			status = item->async.call.status;
			if (status == -ECANCELED)
				continue;
			/* Removal takes no claim: another may have been carried out. */
			if (status != -EIDRM)
				return item;
		} else if (!item->is_done) {
			continue;
		} else if (!item->events && item->result >= 0) {
			return item;
		}
		other = other ?: item;
	}
	return other;
}

/* Wait until one has a result.  Return: 0, or why there is none. */
static int kipc_any_sleep(struct kipc_any_wait *any, const struct kipc_timeout *timeout)
{
	int ret;

	if (kipc_any_begin(any))
		return any->error;
	do {
		smp_store_mb(any->call.status, KIPC_SLEEPS);
		if (kipc_any_look(any))
			return 0;
		ret = kipc_wait(&any->call, timeout);
	} while (!ret);
	return ret;
}

/* Return: the number of the item that has a result, or an error. */
static long kipc_any_run(struct kipc_any_wait *any, const struct kipc_timeout *timeout)
{
	int ret = kipc_any_sleep(any, timeout);
	struct kipc_any_item *item;

	kipc_any_end(any);
	item = kipc_any_choose(any);
	/* A call ends without any result for a caller only who is dying. */
	if (!item)
		return ret ?: -EINTR;
	if (item->is_asleep) {
		item->result = kipc_async_collect(&item->async);
		item->is_done = true;
	}
	return item - any->items;
}

/**
 * kipc_wait_any() - wait for any of several
 * @wait: which, in the caller's memory, and how long
 *
 * Context: process; may sleep.
 * Return: the number of the one, or an error as struct kipc_wait_any has it.
 */
long kipc_wait_any(const struct kipc_wait_any *wait)
{
	struct kipc_any __user *user = u64_to_user_ptr(wait->any);
	struct kipc_timeout timeout;
	struct kipc_any_wait *any;
	long ret;

	if (!wait->count || wait->count > KIPC_ANY_MAX)
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, wait->timeout, wait->flags, wait->clock);
	if (ret)
		return ret;
	if (!timeout.valid)
		return -EINVAL;
	any = kipc_any_load(wait);
	if (IS_ERR(any))
		return PTR_ERR(any);
	ret = kipc_any_run(any, &timeout);
	if (ret >= 0 && put_user((s64)any->items[ret].result, &user[ret].result))
		ret = -EFAULT;
	kipc_any_free(any);
	return ret;
}

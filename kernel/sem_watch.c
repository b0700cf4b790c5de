// SPDX-License-Identifier: GPL-2.0
/*
 * Watching a semaphore: see watch.h.
 *
 * What is looked for is an operation that could be carried out.  While a watch is armed
 * its semaphore is the kernel's, as it is while an operation sleeps that names it: then
 * user space changes it by system call only.
 */
#include "sem.h"
#include "sem_word.h"

/**
 * kipc_sem_see_locked() - what a watch of a semaphore sees
 * @object: the set; its lock is held
 * @watch: the watch
 *
 * Return: EPOLLIN: the operation is possible; EPOLLOUT: the value can grow.
 */
__poll_t kipc_sem_see_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	int value = kipc_sem_value(kipc_sem_set_of(object), watch->num);
	__poll_t now = 0;

	if (watch->op ? value + watch->op >= 0 : !value)
		now |= EPOLLIN | EPOLLRDNORM;
	if (value < SEMVMX)
		now |= EPOLLOUT | EPOLLWRNORM;
	return now;
}

/* The semaphore is the kernel's from here on. */
void kipc_sem_armed_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	struct kipc_sem_set *set = kipc_sem_set_of(object);

	set->sems[watch->num].sleepers++;
	kipc_sem_hold_locked(set, watch->num, 1);
}

/* Nobody needs it to be. */
void kipc_sem_disarmed_locked(struct kipc_object *object, struct kipc_watch *watch)
{
	struct kipc_sem_set *set = kipc_sem_set_of(object);

	set->sems[watch->num].sleepers--;
	kipc_sem_release_locked(set, watch->num, 1);
}

/**
 * kipc_sem_object_lock() - take the lock of a set's state, to look for something
 * @object: the set
 * @watch: what is looked for
 *
 * Context: may sleep.
 */
void kipc_sem_object_lock(struct kipc_object *object, const struct kipc_watch *watch)
{
	kipc_sem_set_lock_one(kipc_sem_set_of(object), watch->num);
}

/**
 * kipc_sem_object_unlock() - give it back
 * @object: the set
 */
void kipc_sem_object_unlock(struct kipc_object *object)
{
	kipc_sem_set_unlock(kipc_sem_set_of(object));
}

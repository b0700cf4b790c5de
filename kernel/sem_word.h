/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A semaphore's value and who changed it last: in struct kipc_sem, or, while some
 * process maps the set, in a word that user space changes too.  Nothing else touches
 * these words.  selftests/model tells the protocol to the model checker.
 *
 * All under kipc_sem_set.lock.  A word that the kernel works on is HELD from before
 * its value is read until after the last store to it (kipc_sem_hold_locked,
 * kipc_sem_release_locked), and for as long as an operation sleeps that names it: an
 * honest process changes only words without a flag, all at once by compare and swap.
 * The one thing it does to a HELD word is to clear its slot, by a store of that byte or
 * an AND, at the end of an operation with undo; so the kernel stores the value as 16
 * bits, and the token only while there is no slot.
 *
 * Orders, by name:
 *   HOLD     the RMW that sets HELD comes before the value is read: no sleeper misses
 *	      a change that user space made
 *   RELEASE  all stores to a word come before the RMW that clears HELD
 *
 * A hostile process may write anything at any time.  Each function does a bounded
 * number of accesses, and what it reads is a number without a meaning beyond this
 * set.  Pages are mapped on little-endian machines that store in order only.
 *
 * Level 4.
 */
#ifndef KIPC_SEM_WORD_H
#define KIPC_SEM_WORD_H

#include <linux/atomic.h>
#include <linux/pid.h>

#include <linux/kipc.h>

#include "sem.h"

static inline u64 *kipc_sem_word(struct kipc_sem_set *set, unsigned int num)
{
	return &set->shared->cells[num].word;
}

static inline u64 kipc_sem_read_word(struct kipc_sem_set *set, unsigned int num)
{
	return READ_ONCE(*kipc_sem_word(set, num));
}

static inline unsigned int kipc_sem_word_slot(u64 word)
{
	return (word & KIPC_SEM_SLOT) >> KIPC_SEM_SLOT_SHIFT;
}

static inline u32 kipc_sem_word_token(u64 word)
{
	return word >> KIPC_SEM_TOKEN_SHIFT;
}

static inline int kipc_sem_value_of(u64 word)
{
	return min_t(int, word & KIPC_SEM_VALUE, SEMVMX);
}

static inline void kipc_sem_set_bits(struct kipc_sem_set *set, unsigned int num, u64 bits)
{
	atomic64_or(bits, (atomic64_t *)kipc_sem_word(set, num));
}

static inline void kipc_sem_clear_bits(struct kipc_sem_set *set, unsigned int num, u64 bits)
{
	atomic64_andnot(bits, (atomic64_t *)kipc_sem_word(set, num));
}

/**
 * kipc_sem_hold_locked() - take words from user space
 * @set: the set; its lock is held
 * @num: first semaphore
 * @count: how many
 */
static inline void kipc_sem_hold_locked(struct kipc_sem_set *set, unsigned int num,
					unsigned int count)
{
	struct kipc_sem_cell *cell;

	if (likely(!set->shared))
		return;
	for (cell = &set->shared->cells[num]; count; cell++, num++, count--) {
		/* HOLD */
		atomic64_or(KIPC_SEM_HELD, (atomic64_t *)&cell->word);
		smp_mb__after_atomic();
		if (unlikely(kipc_sem_word_slot(READ_ONCE(cell->word))))
			kipc_sem_check_slot_locked(set, num);
	}
}

/**
 * kipc_sem_release_locked() - give words back to user space, but for sleepers
 * @set: the set; its lock is held
 * @num: first semaphore
 * @count: how many
 */
static inline void kipc_sem_release_locked(struct kipc_sem_set *set, unsigned int num,
					   unsigned int count)
{
	struct kipc_sem *sem = &set->sems[num];
	struct kipc_sem_cell *cell;

	if (likely(!set->shared))
		return;
	for (cell = &set->shared->cells[num]; count; cell++, sem++, count--) {
		if (sem->sleepers)
			continue;
		/* RELEASE; and what flags there are beside are nobody's. */
		smp_mb__before_atomic();
		atomic64_andnot(KIPC_SEM_FLAGS & ~KIPC_SEM_KEPT, (atomic64_t *)&cell->word);
	}
}

/**
 * kipc_sem_value() - a semaphore's value
 * @set: the set; its lock is held
 * @num: the semaphore, held unless any recent value will do
 */
static inline int kipc_sem_value(struct kipc_sem_set *set, unsigned int num)
{
	if (likely(!set->shared))
		return set->sems[num].value;
	return kipc_sem_value_of(kipc_sem_read_word(set, num));
}

/**
 * kipc_sem_read_values_locked() - values of several
 * @set: the set; its lock is held
 * @num: first semaphore; as for kipc_sem_value()
 * @count: how many
 * @values: where they go
 */
static inline void kipc_sem_read_values_locked(struct kipc_sem_set *set, unsigned int num,
					       unsigned int count, u16 *values)
{
	struct kipc_sem *sem = &set->sems[num];
	struct kipc_sem_cell *cell;

	if (likely(!set->shared)) {
		for (; count; sem++, count--)
			*values++ = sem->value;
		return;
	}
	for (cell = &set->shared->cells[num]; count; cell++, count--)
		*values++ = kipc_sem_value_of(READ_ONCE(cell->word));
}

/**
 * kipc_sem_set_value() - change it
 * @set: the set; its lock is held
 * @num: the semaphore, held
 * @value: 0 to SEMVMX
 */
static inline void kipc_sem_set_value(struct kipc_sem_set *set, unsigned int num, int value)
{
	if (likely(!set->shared))
		set->sems[num].value = value;
	else
		WRITE_ONCE(*(u16 *)kipc_sem_word(set, num), value);
}

/* A thread that is in the middle of an operation needs its token to be found by. */
static inline void kipc_sem_keep_pid(struct kipc_sem_set *set, unsigned int num)
{
	if (kipc_sem_word_slot(kipc_sem_read_word(set, num))) {
		kipc_sem_set_bits(set, num, KIPC_SEM_KEPT);
	} else {
		WRITE_ONCE(((u32 *)kipc_sem_word(set, num))[1], 0);
		kipc_sem_clear_bits(set, num, KIPC_SEM_KEPT);
	}
}

/**
 * kipc_sem_touch_locked() - note who changed a semaphore last
 * @set: the set; its lock is held
 * @num: the semaphore, held
 * @pid: thread group
 */
static inline void kipc_sem_touch_locked(struct kipc_sem_set *set, unsigned int num,
					 struct pid *pid)
{
	struct kipc_sem *sem = &set->sems[num];

	if (unlikely(set->shared))
		kipc_sem_keep_pid(set, num);
	if (sem->pid == pid)
		return;
	put_pid(sem->pid);
	sem->pid = get_pid(pid);
}

#endif /* KIPC_SEM_WORD_H */

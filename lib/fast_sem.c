// SPDX-License-Identifier: LGPL-2.1-or-later
/* Semaphores without a system call: see fast_sem.h. */
#include "fast_sem.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <linux/kipc.h>

#include "sys.h"

#ifdef KIPC_HAS_FAST_SEM

/*
 * All code that touches a set's or the record's pages while an operation is under way
 * is in this section and calls nothing outside: what a test steps through.
 */
#define KIPC_FAST	__attribute__((section("kipc_fast_text"), noinline))

/* Sets that a process maps in its life at most: a mapping that was cut stays. */
#define FAST_VIEWS	1024
#define FAST_BUCKETS	256

/* Calls on a set, one after the other in its bucket, before it is mapped. */
#ifndef FAST_PATIENCE
#define FAST_PATIENCE	8
#endif

/*
 * Undo values are looked at before the word is the thread's.  They stay so far from
 * their bounds, and a single change is so small, that 255 threads at once do not get there.
 */
#define FAST_ADJUST_MAX	8192
#define FAST_CHANGE_MAX	64

/* A mapped set: constant once it is in a bucket. */
struct view {
	int id;
	unsigned int nsems;		/* 0: to be looked at only */
	struct kipc_sem_shared *shared;
	struct kipc_sem_private *private;
	uint64_t intent;		/* a pending one, but for semaphore and value */
	const struct kipc_clock *clock;
	unsigned int visible;		/* semaphores to be looked at */
	unsigned int undo_nsems;	/* nsems, once the kernel was told of SEM_UNDO */
};

/* What a process has mapped; wiped at fork. */
struct kipc_fast {
	uint64_t token;		/* as in a word; 0: its record is not mapped */
	uint32_t busy;		/* a thread is changing this */
	struct kipc_process_slot *slots;
	const struct kipc_clock *clock;
	struct view *buckets[FAST_BUCKETS];
	int last[FAST_BUCKETS];	/* id that was operated on last by call */
	uint8_t calls[FAST_BUCKETS];
	unsigned int views;	/* how many of these are used */
	struct view view[FAST_VIEWS];
};

/* Of both in one word, so that who resumes last shows nothing to a child that just came. */
uintptr_t kipc_fast;

/* Where it is once it was made, whether shown or not. */
static struct kipc_fast *table;

/* The slot of this thread and the token of the process that it is a slot of, as in a word. */
static __thread uint64_t mine __attribute__((tls_model("initial-exec")));

static inline unsigned int bucket_of(int id)
{
	return (unsigned int)id % FAST_BUCKETS;
}

static inline const struct view *view_of(const struct kipc_fast *fast, int id)
{
	const struct view *view = __atomic_load_n(&fast->buckets[bucket_of(id)],
						  __ATOMIC_ACQUIRE);

	return likely(view && view->id == id) ? view : NULL;
}

/* May user space look at the set's words, or is it for the kernel?  Comes before any word. */
static inline bool is_open(const struct view *view)
{
	return !__atomic_load_n(&view->shared->state, __ATOMIC_ACQUIRE);
}

/* A word that user space may change, or it is for the kernel. */
static inline bool is_free(uint64_t word)
{
	return !(word & (KIPC_SEM_FLAGS | KIPC_SEM_SLOT));
}

/* The value the operation makes; out of range if it is not to be done here. */
static inline unsigned long next_value(uint64_t word, long op)
{
	unsigned long value = word & KIPC_SEM_VALUE;

	return op ? value + op : value ? ~0ul : 0;
}

static inline bool is_value(unsigned long value)
{
	return value <= 32767;
}

static inline bool swap_word(struct kipc_sem_cell *cell, uint64_t *word, uint64_t next)
{
	return __atomic_compare_exchange_n(&cell->word, word, next, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline void set_intent(struct kipc_process_slot *slot, uint64_t intent)
{
	__atomic_store_n(&slot->intent, intent, __ATOMIC_RELEASE);
}

static inline bool is_small(uint16_t change)
{
	return (uint16_t)(change + FAST_CHANGE_MAX) <= 2 * FAST_CHANGE_MAX;
}

/* One after the other, for each was stored by itself: a load across both would wait. */
static inline bool are_small(const struct kipc_sem_adjust *adjust)
{
	uint32_t fast = __atomic_load_n(&adjust->fast, __ATOMIC_RELAXED);
	uint32_t slow = __atomic_load_n(&adjust->slow, __ATOMIC_RELAXED);

	return fast + FAST_ADJUST_MAX < 2 * FAST_ADJUST_MAX &&
	       slow + FAST_ADJUST_MAX < 2 * FAST_ADJUST_MAX;
}

#define COMPUTED_FROM_PENDING \
	((uint64_t)(KIPC_INTENT_COMPUTED - KIPC_INTENT_PENDING) << 48)

/*
 * The compiler is not to keep in registers what a pointer was made from: there are just
 * enough of them that need not be saved.
 */
#define FORGET_ORIGIN(pointer)	__asm__("" : "+r" (pointer))

/*
 * The value of an intent, its lowest 16 bits, changes and no carry leaves it: what the
 * compiler would need four instructions for.
 */
static inline uint64_t add_to_value(uint64_t intent, int value)
{
	__asm__("addw %w1, %w0" : "+r" (intent) : "r" (value) : "cc");
	return intent;
}

static inline uint64_t subtract_from_value(uint64_t intent, const short *value)
{
	__asm__("subw %1, %w0" : "+r" (intent) : "m" (*value) : "cc");
	return intent;
}

static KIPC_FAST int operate_undo(struct kipc_fast *fast, const struct view *view,
				  struct sembuf *sop)
{
	unsigned long num = sop->sem_num;
	struct kipc_sem_cell *cell = &view->shared->cells[num];
	struct kipc_sem_adjust *adjust = &view->private->adjust[num];
	uint64_t intent = subtract_from_value(view->intent | num << 16, &sop->sem_op);
	struct kipc_process_slot *slot;
	uint64_t word, next, me = mine;

	FORGET_ORIGIN(cell);
	FORGET_ORIGIN(adjust);
	/* No slot yet, or this is a signal handler inside the thread's own operation. */
	if (unlikely(num >= view->undo_nsems || (me ^ fast->token) >> KIPC_SEM_TOKEN_SHIFT))
		goto call;
	slot = &fast->slots[(uint8_t)(me >> KIPC_SEM_SLOT_SHIFT)];
	if (unlikely(slot->intent || !is_small(intent) || !are_small(adjust)))
		goto call;
	if (unlikely(!is_open(view)))
		goto call;
	word = __atomic_load_n(&cell->word, __ATOMIC_RELAXED);
	next = (uint16_t)(word - intent);
	if (unlikely(!is_free(word) || !is_value(next)))
		goto call;
	set_intent(slot, intent);
	if (unlikely(!swap_word(cell, &word, next | me))) {
		set_intent(slot, 0);
		/* A child may run in this memory by now. */
		fast = kipc_fast_mapped();
		if (!fast)
			goto call;
		return kipc_fast_semop(fast, view->id, sop);
	}

	/* The word is this thread's until the slot in it is cleared. */
	intent = add_to_value(intent, __atomic_load_n(&adjust->fast, __ATOMIC_RELAXED));
	set_intent(slot, intent + COMPUTED_FROM_PENDING);
	__atomic_store_n(&adjust->fast, (int16_t)intent, __ATOMIC_RELEASE);
	/* As wide as the next access of the word: see Documentation/performance.rst. */
	__atomic_fetch_and(&cell->word, ~KIPC_SEM_SLOT, __ATOMIC_RELEASE);
	set_intent(slot, 0);
	__atomic_store_n(&cell->time, view->clock->seconds, __ATOMIC_RELAXED);
	return 0;

call:
	return kipc_sem_call(view->id, sop, 1);
}

/**
 * kipc_fast_semop() - semop(2) with one operation
 * @fast: what the process has mapped
 * @id: set
 * @sop: the operation
 *
 * Return: as semop(2).
 */
KIPC_FAST int kipc_fast_semop(struct kipc_fast *fast, int id, struct sembuf *sop)
{
	const struct view *view = view_of(fast, id);
	struct kipc_sem_cell *cell;
	unsigned long value;
	unsigned int num;
	uint64_t word;

	/* Of a set that is not mapped the kernel says whether there is anything at @sop. */
	if (unlikely(!view))
		return kipc_sem_call(id, sop, 1);
	if (sop->sem_flg & SEM_UNDO && sop->sem_op)
		return operate_undo(fast, view, sop);
	num = sop->sem_num;
	if (unlikely(num >= view->nsems))
		return kipc_sem_call(id, sop, 1);
	cell = &view->shared->cells[num];
	FORGET_ORIGIN(cell);
	do {
		if (unlikely(!is_open(view)))
			return kipc_sem_call(id, sop, 1);
		word = __atomic_load_n(&cell->word, __ATOMIC_RELAXED);
		value = next_value(word, sop->sem_op);
		if (unlikely(!is_free(word) || !is_value(value)))
			return kipc_sem_call(id, sop, 1);
	} while (unlikely(!swap_word(cell, &word, value | fast->token)));
	__atomic_store_n(&cell->time, view->clock->seconds, __ATOMIC_RELAXED);
	return 0;
}

/**
 * kipc_fast_getval() - a semaphore's value
 * @fast: what the process has mapped
 * @id: set
 * @num: semaphore
 *
 * Return: the value, or -1: it is for the kernel to say.
 */
KIPC_FAST int kipc_fast_getval(struct kipc_fast *fast, int id, unsigned int num)
{
	const struct view *view = view_of(fast, id);
	unsigned long value;
	uint64_t word;

	if (!view || num >= view->visible || !is_open(view))
		return -1;
	word = __atomic_load_n(&view->shared->cells[num].word, __ATOMIC_ACQUIRE);
	value = word & KIPC_SEM_VALUE;
	return is_free(word) && is_value(value) ? (int)value : -1;
}

/* ---- Mapping ---- */

/* For the process; it is shown when nothing shares the memory. */
static void make_table(void)
{
	struct kipc_fast *fast, *none = NULL;

	fast = mmap(NULL, sizeof(*fast), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (fast == MAP_FAILED)
		return;
	if (madvise(fast, sizeof(*fast), MADV_WIPEONFORK) ||
	    !__atomic_compare_exchange_n(&table, &none, fast, false, __ATOMIC_RELEASE,
					 __ATOMIC_RELAXED))
		munmap(fast, sizeof(*fast));
}

static void show_table(void)
{
	struct kipc_fast *fast = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
	uintptr_t none = 0;

	if (fast)
		__atomic_compare_exchange_n(&kipc_fast, &none, (uintptr_t)fast, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* Will nothing ever be done in it again? */
static bool is_over(const struct view *view)
{
	uint32_t state = __atomic_load_n(&view->shared->state, __ATOMIC_RELAXED);

	/* The first is what a mapping shows that was cut: every word is held. */
	return state == KIPC_SEM_HELD || state & KIPC_SEM_REMOVED;
}

/* The set may have been mapped before, and another have come into its bucket since. */
static struct view *find_view(struct kipc_fast *fast, int id)
{
	unsigned int i = fast->views;

	while (i--)
		if (fast->view[i].id == id && !is_over(&fast->view[i]))
			return &fast->view[i];
	return NULL;
}

static bool map_process(struct kipc_fast *fast, int fd)
{
	struct kipc_process_map map = { .pad = 0 };

	if (fast->token)
		return true;
	if (sys_process_map(fd, &map) < 0)
		return false;
	fast->slots = (void *)(uintptr_t)map.slots;
	fast->clock = (void *)(uintptr_t)map.clock;
	__atomic_store_n(&fast->token, (uint64_t)map.token << KIPC_SEM_TOKEN_SHIFT,
			 __ATOMIC_RELEASE);
	return true;
}

static void map_set(struct kipc_fast *fast, int fd, int id)
{
	struct view **bucket = &fast->buckets[bucket_of(id)];
	struct kipc_sem_map map = { .id = id, .flags = KIPC_SEM_MAP_WRITE };
	struct view *view;

	view = find_view(fast, id);
	if (view) {
		__atomic_store_n(bucket, view, __ATOMIC_RELEASE);
		return;
	}
	if (fast->views == FAST_VIEWS || !map_process(fast, fd))
		return;
	if (sys_sem_map(fd, &map) < 0) {
		map.flags = 0;
		if (sys_sem_map(fd, &map) < 0)
			return;
	}
	view = &fast->view[fast->views++];
	view->id = id;
	view->visible = map.nsems;
	view->clock = fast->clock;
	view->shared = (void *)(uintptr_t)map.shared;
	if (map.own) {
		view->nsems = map.nsems;
		view->private = (void *)(uintptr_t)map.own;
		view->intent = KIPC_INTENT(KIPC_INTENT_PENDING, view->private->map, 0, 0);
	}
	__atomic_store_n(bucket, view, __ATOMIC_RELEASE);
}

/* Slots of threads that are gone are free again. */
static void free_slots(struct kipc_fast *fast)
{
	pid_t pid = sys_getpid();
	unsigned int i;
	uint32_t tid;

	for (i = 1; i < KIPC_PROCESS_SLOTS; i++) {
		tid = __atomic_load_n(&fast->slots[i].tid, __ATOMIC_RELAXED);
		if (!fast->slots[i].intent && sys_tgkill(pid, tid, 0) == -ESRCH)
			__atomic_compare_exchange_n(&fast->slots[i].tid, &tid, 0, false,
						    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	}
}

static bool take_slot(struct kipc_fast *fast, uint32_t tid)
{
	uint32_t i, none;

	for (i = 1; i < KIPC_PROCESS_SLOTS; i++) {
		none = 0;
		if (fast->slots[i].tid || fast->slots[i].intent ||
		    !__atomic_compare_exchange_n(&fast->slots[i].tid, &none, tid, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		mine = fast->token | (uint64_t)i << KIPC_SEM_SLOT_SHIFT;
		return true;
	}
	return false;
}

/* The kernel is to look at the undo values when the process ends. */
static void enable_undo(struct kipc_fast *fast, int id)
{
	struct view *view = __atomic_load_n(&fast->buckets[bucket_of(id)], __ATOMIC_ACQUIRE);

	if (!view || view->id != id || !view->nsems || view->undo_nsems)
		return;
	__atomic_store_n(&view->private->used, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&view->undo_nsems, view->nsems, __ATOMIC_RELEASE);
}

/* An operation went through the kernel, the only one of its call. */
static void learn(int fd, int id, const struct sembuf *sop)
{
	struct kipc_fast *fast = kipc_fast_mapped();
	unsigned int bucket = bucket_of(id);
	bool undoes = sop->sem_flg & SEM_UNDO;
	uint32_t tid;

	if (unlikely(!fast)) {
		if (!__atomic_load_n(&table, __ATOMIC_RELAXED))
			make_table();
		if (!__atomic_load_n(&kipc_fast, __ATOMIC_RELAXED))
			show_table();
		return;
	}
	if (undoes)
		enable_undo(fast, id);
	if (fast->last[bucket] != id) {
		fast->last[bucket] = id;
		fast->calls[bucket] = 0;
		return;
	}
	if (++fast->calls[bucket] < FAST_PATIENCE)
		return;
	fast->calls[bucket] = 0;
	if (__atomic_exchange_n(&fast->busy, 1, __ATOMIC_ACQUIRE))
		return;
	map_set(fast, fd, id);
	if (undoes)
		enable_undo(fast, id);
	if (undoes && fast->token && (mine ^ fast->token) >> KIPC_SEM_TOKEN_SHIFT) {
		tid = sys_gettid();
		if (!take_slot(fast, tid)) {
			free_slots(fast);
			take_slot(fast, tid);
		}
	}
	__atomic_store_n(&fast->busy, 0, __ATOMIC_RELEASE);
}

#else

static void learn(int fd, int id, const struct sembuf *sop)
{
	(void)fd;
	(void)id;
	(void)sop;
}

#endif

/* ---- By system call ---- */

static KIPC_SLOW int call_again(int fd, uint64_t id_nsops, struct sembuf *sops, long ret)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_sem_op(fd, id_nsops, sops);
	}
	return ret;
}

/**
 * kipc_sem_call() - semop(2) by system call
 * @id: set
 * @sops: operations
 * @nsops: how many
 *
 * Return: as semop(2).
 */
int kipc_sem_call(int id, struct sembuf *sops, size_t nsops)
{
	uint64_t id_nsops = sys_sem_ops(id, nsops);
	int fd = kipc_process_device();
	long ret = sys_sem_op(fd, id_nsops, sops);

	if (unlikely(ret < 0))
		return call_again(fd, id_nsops, sops, ret);
	if (nsops == 1)
		learn(fd, id, sops);
	return ret;
}

#ifdef KIPC_HAS_FAST_SEM

/**
 * kipc_fast_sem_cut() - the process has, or is about to have, other rights
 *
 * What is mapped is given back; sets that it still may use are mapped again.
 */
void kipc_fast_sem_cut(void)
{
	struct kipc_fast *fast = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
	int fd = kipc_process_device();

	/* Another thread may have mapped its first set and not counted it yet. */
	if (!fast || !__atomic_load_n(&fast->token, __ATOMIC_ACQUIRE))
		return;
	if (fd >= 0 && !sys_process_cut(fd))
		return;
	/* The program may have closed the descriptor, or made another file of it. */
	fd = kipc_process_hold();
	if (fd < 0 || sys_process_cut(fd))
		kipc_fast_sem_suspend();
}

/**
 * kipc_fast_sem_suspend() - from now on a child may run in this memory
 */
void kipc_fast_sem_suspend(void)
{
	uintptr_t next, word = __atomic_load_n(&kipc_fast, __ATOMIC_RELAXED);

	do {
		next = word > KIPC_FAST_SUSPENDED ? 1 : word;
		if (word < KIPC_FAST_SUSPENDED)
			next++;
	} while (!__atomic_compare_exchange_n(&kipc_fast, &word, next, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
}

/**
 * kipc_fast_sem_resume() - it does no longer
 */
void kipc_fast_sem_resume(void)
{
	uintptr_t next, word = __atomic_load_n(&kipc_fast, __ATOMIC_RELAXED);

	do {
		/* So many that they were not counted. */
		if (word == KIPC_FAST_SUSPENDED)
			return;
		next = word - 1;
		if (!next)
			next = (uintptr_t)__atomic_load_n(&table, __ATOMIC_ACQUIRE);
	} while (!__atomic_compare_exchange_n(&kipc_fast, &word, next, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
}

#endif

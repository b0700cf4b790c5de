// SPDX-License-Identifier: GPL-2.0
/*
 * What a process may write to the pages of a set, its undo values and its intents, one
 * thing at a time, and then each operation of the kernel.
 *
 * A hostile process can make values of the sets that it may alter wrong, as by SETVAL, and
 * its own undo values, and have GETPID name another process that has the set mapped, or
 * none.  All else is exact: each scribble of scribble.c says what the kernel is to make of it, and
 * each operation what comes of that.  Another process has undo values in the same set and
 * in one that the hostile one has not mapped; and the hostile one has some in a third,
 * which it leaves alone.
 */
#include "common/harness.h"
#include "common/device.h"
#include "hostile/raw.h"
#include "hostile/scribble.h"

#include <kipc.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO

/* ---- The hostile process, and the other one: run in peers ---- */

static struct {
	struct raw_process process;
	struct raw_view view;	/* the set */
	struct raw_view side;	/* the hostile one's spare set; the other one's clean one */
} me;

/*
 * Tells the time before, by both clocks that operations are stamped with: the one in memory is set by
 * a worker, at leisure, or is ahead of the kernel's own by what that has yet to tick.
 */
static long evil_start(long *arg, void *buf)
{
	time_t now = stamp_now();

	if (raw_map_process(&me.process))
		return -1;
	*(time_t *)buf = MIN(now, (time_t)me.process.clock->seconds);
	if (raw_map_set(&me.view, arg[0], KIPC_SEM_MAP_WRITE) ||
	    raw_map_set(&me.side, arg[1], KIPC_SEM_MAP_WRITE) ||
	    raw_operate(&me.process, &me.side, 0, SPARE_CHANGE) ||
	    raw_semop1(arg[0], 0, EVIL_SLOW, UNDO) ||
	    raw_operate(&me.process, &me.view, 0, EVIL_FAST))
		return -1;
	return me.process.token;
}

static long other_start(long *arg, void *buf)
{
	(void)buf;
	if (raw_map_process(&me.process) || raw_map_set(&me.side, arg[0], KIPC_SEM_MAP_WRITE) ||
	    raw_operate(&me.process, &me.side, 0, CLEAN_CHANGE))
		return -1;
	return me.process.token;
}

static long other_operate(long *arg, void *buf)
{
	(void)buf;
	return raw_map_set(&me.view, arg[0], KIPC_SEM_MAP_WRITE) ||
	       raw_operate(&me.process, &me.view, 0, OTHER_FIRST) ||
	       raw_operate(&me.process, &me.view, 1, OTHER_SECOND) ? -1 : 0;
}

/* What only the other process and the kernel write: its undo values and intents. */
static long other_look(long *arg, void *buf)
{
	const struct kipc_sem_adjust *adjust = me.view.own->adjust;
	int i;

	(void)buf;
	for (i = 0; i < KIPC_PROCESS_SLOTS; i++)
		if (me.process.slots[i].intent)
			return 1;
	if (adjust[0].fast != -OTHER_FIRST || adjust[0].fast + adjust[0].slow != arg[0])
		return 2;
	if (adjust[1].fast != -OTHER_SECOND || adjust[1].fast + adjust[1].slow != arg[1])
		return 3;
	if (adjust[2].fast || adjust[2].slow || me.view.own->map != me.view.index)
		return 4;
	return me.side.own->adjust[0].fast == -CLEAN_CHANGE && !me.side.own->adjust[0].slow ? 0 : 5;
}

static long do_unmap(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return raw_unmap_set(&me.view);
}

static long do_map(long *arg, void *buf)
{
	(void)buf;
	return raw_map_set(&me.view, arg[0], KIPC_SEM_MAP_WRITE);
}

static long do_cut(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return ioctl(raw_fd(), KIPC_IOC_PROCESS_CUT);
}

static long do_semop(long *arg, void *buf)
{
	(void)buf;
	return raw_semop((int)arg[0], (struct sembuf *)arg[1], arg[2]);
}

static long do_semop1(long *arg, void *buf)
{
	(void)buf;
	return raw_semop1(arg[0], arg[1], arg[2], arg[3]);
}

static long evil_state(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return __atomic_load_n(&me.view.shared->state, __ATOMIC_RELAXED);
}

static long evil_word(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return __atomic_load_n(&me.view.shared->cells[0].word, __ATOMIC_RELAXED);
}

static long evil_fill(long *arg, void *buf)
{
	(void)buf;
	raw_fill(NULL, &me.view, arg[0]);
	return 0;
}

/* With this program's name and the set to tell it by. */
static long evil_exec(long *arg, void *buf)
{
	char id[16];

	(void)buf;
	snprintf(id, sizeof(id), "%ld", arg[0]);
	return execl("/proc/self/exe", "sem_pages", "--executed", id, NULL);
}

static void __attribute__((constructor)) executed(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], "--executed"))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (raw_map_process(&me.process) || raw_semop1(atoi(argv[2]), 1, 1, 0))
		_exit(1);
	for (;;)
		pause();
}

static long evil_scribble(long *arg, void *buf)
{
	scribble_write((const struct scribble *)arg[0], &me.process, &me.view, &me.side, buf);
	return 0;
}

/* ---- The scene ---- */

FIXTURE(pages) {
	struct peer evil, other, third;
	int id, spare, clean;
	pid_t evil_pid;
	uint32_t tokens[WHOSES];
	time_t start;
	long refs;
};

/**
 * struct want - what is to come of an operation on the scribbled set
 * @value: of the first semaphore
 * @undo: what the end of the hostile process adds to it
 * @second: value of the second semaphore
 * @third: of the third
 * @other_undo: undo values of the other process, of the first and the second semaphore
 * @is_gone: the set is
 * @is_dead: the hostile process is
 * @is_other_new: another one is in place of the other one, which has died
 */
struct want {
	int value, undo, second, third;
	int other_undo[2];
	bool is_gone, is_dead, is_other_new;
};

typedef FIXTURE_DATA(pages) scene_t;
typedef void (*act_fn)(struct __test_metadata *_metadata, scene_t *self,
		       const struct scribble *c, struct want *want);

#define RUN(peer, fn, a, b)	peer_run(&self->peer, fn, a, b, 0, 0, 0)
#define IS(want, is)		EXPECT_EQ(want, is) TH_LOG("after: %s", c->name)
#define FAILS(error, call) do { \
	errno = 0; \
	IS(-1, call); \
	IS(error, errno); \
} while (0)

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

static int new_set(int first)
{
	return raw_new_set((unsigned short[]){ first, SECOND, THIRD }, 3);
}

static long start_other(scene_t *self)
{
	return peer_start(&self->other) ? -1 : RUN(other, other_start, self->clean, 0);
}

FIXTURE_SETUP(pages)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LE(0, raw_fd());
	self->refs = module_refs();
	self->clean = new_set(CLEAN);
	ASSERT_LE(0, self->clean);
	self->tokens[UNKNOWN] = 0x7ffffff1;
	self->tokens[OTHERS] = start_other(self);
	ASSERT_NE(-1, (int)self->tokens[OTHERS]);
	ASSERT_EQ(0, peer_start(&self->third));
}

FIXTURE_TEARDOWN(pages)
{
	/* The clean set, to which nobody did anything but its own processes. */
	EXPECT_EQ(CLEAN + CLEAN_CHANGE, raw_val(self->clean, 0));
	peer_end(&self->other, SIGKILL);
	peer_end(&self->third, SIGKILL);
	EXPECT_EQ(CLEAN, raw_val(self->clean, 0));
	EXPECT_EQ(SECOND, raw_val(self->clean, 1));
	EXPECT_EQ(0, raw_semctl(self->clean, 0, IPC_RMID, 0));
	EXPECT_NOTHING(&ipc_kipc);
	wait_until(module_refs() <= self->refs);
}

static void open_scene(struct __test_metadata *_metadata, scene_t *self)
{
	long token;

	self->id = new_set(FIRST);
	self->spare = new_set(SPARE);
	ASSERT_LE(0, self->id);
	ASSERT_LE(0, self->spare);
	ASSERT_EQ(0, peer_start(&self->evil));
	self->evil_pid = self->evil.pid;
	token = RUN(evil, evil_start, self->id, self->spare);
	ASSERT_LT(0, token) TH_LOG("%s", strerror(errno));
	self->tokens[EVILS] = token;
	self->start = *(time_t *)self->evil.page->buf;
	ASSERT_EQ(0, RUN(other, other_operate, self->id, 0));
	ASSERT_EQ(VALUE, raw_val(self->id, 0));
}

static void scribble(struct __test_metadata *_metadata, scene_t *self, const struct scribble *c)
{
	memcpy(self->evil.page->buf, self->tokens, sizeof(self->tokens));
	ASSERT_EQ(0, RUN(evil, evil_scribble, (long)c, 0));
}

static void close_scene(struct __test_metadata *_metadata, scene_t *self,
			const struct scribble *c, const struct want *want)
{
	if (!want->is_gone) {
		IS(want->value, raw_val(self->id, 0));
		IS(want->second, raw_val(self->id, 1));
		IS(want->third, raw_val(self->id, 2));
	}
	if (!want->is_dead) {
		IS(SPARE + SPARE_CHANGE, raw_val(self->spare, 0));
		peer_end(&self->evil, SIGKILL);
	}
	if (!want->is_gone) {
		IS(clamp(want->value + want->undo, 0, VMX), raw_val(self->id, 0));
		IS(want->second, raw_val(self->id, 1));
	}
	IS(SPARE, raw_val(self->spare, 0));
	IS(CLEAN + CLEAN_CHANGE, raw_val(self->clean, 0));
	if (!want->is_other_new) {
		IS(0, RUN(other, other_look, want->other_undo[0], want->other_undo[1]));
		ASSERT_EQ(0, RUN(other, do_unmap, 0, 0));
	}
	if (!want->is_gone)
		IS(0, raw_semctl(self->id, 0, IPC_RMID, 0));
	ASSERT_EQ(0, raw_semctl(self->spare, 0, IPC_RMID, 0));
}

/* Each scribble, between two parts of an operation. */
static void each(struct __test_metadata *_metadata, scene_t *self, act_fn before, act_fn act)
{
	const struct scribble *c;

	for (c = scribbles; c < scribbles_end; c++) {
		struct want want = {
			.value = c->value, .undo = clamp(c->undo, -SEMAEM - 1, SEMAEM),
			.second = SECOND + OTHER_SECOND, .third = THIRD,
			.other_undo = { -OTHER_FIRST, -OTHER_SECOND },
		};

		open_scene(_metadata, self);
		if (before)
			before(_metadata, self, c, &want);
		scribble(_metadata, self, c);
		act(_metadata, self, c, &want);
		close_scene(_metadata, self, c, &want);
	}
}

#define ACT_PARAMETERS \
	struct __test_metadata __attribute__((unused)) *_metadata, \
	scene_t __attribute__((unused)) *self, \
	const struct scribble __attribute__((unused)) *c, \
	struct want __attribute__((unused)) *want

/* A test: after each scribble an operation, the body. */
#define OPERATION(name, before) \
	static void act_##name(ACT_PARAMETERS); \
	TEST_F_TIMEOUT(pages, name, 200) { each(_metadata, self, before, act_##name); } \
	static void act_##name(ACT_PARAMETERS)

/* ---- semop ---- */

OPERATION(nothing_at_all, NULL)
{
}

OPERATION(add, NULL)
{
	if (want->value == VMX) {
		FAILS(ERANGE, raw_semop1(self->id, 0, 1, 0));
		return;
	}
	IS(0, raw_semop1(self->id, 0, 1, 0));
	IS(getpid(), raw_semctl(self->id, 0, GETPID, 0));
	want->value++;
}

/* Of flags, slots and states those are gone then that are nobody's. */
OPERATION(set_free, NULL)
{
	uint64_t word = want->value;

	if (scribble_is_busy(c))
		word |= KEPT | SLOT(1) | (uint64_t)self->tokens[EVILS] << KIPC_SEM_TOKEN_SHIFT;
	IS(0, raw_semop1(self->id, 0, want->value == VMX ? -1 : 1, 0));
	IS(0, raw_semop1(self->id, 0, want->value == VMX ? 1 : -1, 0));
	IS(0l, RUN(evil, evil_state, 0, 0));
	IS(word, (uint64_t)RUN(evil, evil_word, 0, 0));
}

OPERATION(take, NULL)
{
	if (!want->value) {
		FAILS(EAGAIN, raw_semop1(self->id, 0, -1, NW));
		return;
	}
	IS(0, raw_semop1(self->id, 0, -1, NW));
	IS(getpid(), raw_semctl(self->id, 0, GETPID, 0));
	want->value--;
}

OPERATION(wait_for_zero, NULL)
{
	if (want->value) {
		FAILS(EAGAIN, raw_semop1(self->id, 0, 0, NW));
		return;
	}
	IS(0, raw_semop1(self->id, 0, 0, NW));
	IS(getpid(), raw_semctl(self->id, 0, GETPID, 0));
}

OPERATION(array, NULL)
{
	struct sembuf sops[] = { { 1, 1, 0 }, { 0, -1, NW }, { 2, -2, 0 } };

	if (!want->value) {
		FAILS(EAGAIN, raw_semop(self->id, sops, 3));
		return;
	}
	IS(0, raw_semop(self->id, sops, 3));
	want->value--;
	want->second++;
	want->third -= 2;
}

/* Carried out in part, and taken back, with undo values. */
static struct sembuf too_much_at_last[] = { { 1, 1, UNDO }, { 0, 1, UNDO }, { 2, -THIRD - 1, NW } };

OPERATION(array_that_fails, NULL)
{
	const bool is_range = want->value == VMX || want->undo == -SEMAEM - 1;

	FAILS(is_range ? ERANGE : EAGAIN,
	      peer_run(&self->evil, do_semop, self->id, (long)too_much_at_last, 3, 0, 0));
}

static long operate_and_exit(long *arg, void *buf)
{
	(void)buf;
	_exit(raw_semop1(arg[0], 0, arg[1], UNDO) ? errno : 0);
}

/* By a process that has not mapped anything, and ends. */
OPERATION(undo, NULL)
{
	int op = want->value == VMX ? -1 : 1;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	peer_run(&p, operate_and_exit, self->id, op, 0, 0, 0);
	IS(0, peer_end(&p, 0));
}

OPERATION(undo_of_its_own, NULL)
{
	if (want->value == VMX || want->undo == -SEMAEM - 1) {
		FAILS(ERANGE, peer_run(&self->evil, do_semop1, self->id, 0, 1, UNDO, 0));
		return;
	}
	IS(0, peer_run(&self->evil, do_semop1, self->id, 0, 1, UNDO, 0));
	IS(self->evil_pid, raw_semctl(self->id, 0, GETPID, 0));
	want->value++;
	want->undo--;
}

OPERATION(undo_of_the_other, NULL)
{
	if (want->value == VMX) {
		FAILS(ERANGE, peer_run(&self->other, do_semop1, self->id, 0, 1, UNDO, 0));
		return;
	}
	IS(0, peer_run(&self->other, do_semop1, self->id, 0, 1, UNDO, 0));
	IS(self->other.pid, raw_semctl(self->id, 0, GETPID, 0));
	want->value++;
	want->other_undo[0]--;
}

/* ---- semctl ---- */

OPERATION(setval, NULL)
{
	IS(0, raw_semctl(self->id, 0, SETVAL, 5));
	IS(getpid(), raw_semctl(self->id, 0, GETPID, 0));
	want->value = 5;
	want->undo = want->other_undo[0] = 0;
}

OPERATION(setall, NULL)
{
	unsigned short values[3] = { 5, 6, 7 };

	IS(0, raw_semctl(self->id, 0, SETALL, (uintptr_t)values));
	want->value = 5;
	want->second = 6;
	want->third = 7;
	want->undo = want->other_undo[0] = want->other_undo[1] = 0;
}

OPERATION(getval, NULL)
{
	IS(want->value, raw_semctl(self->id, 0, GETVAL, 0));
}

OPERATION(getall, NULL)
{
	unsigned short values[4] = { 0xffff, 0xffff, 0xffff, 0xa5a5 };

	IS(0, raw_semctl(self->id, 0, GETALL, (uintptr_t)values));
	IS(want->value, values[0]);
	IS(want->second, values[1]);
	IS(want->third, values[2]);
	IS(0xa5a5, values[3]);
}

OPERATION(getpid, NULL)
{
	const pid_t pids[WHOSES] = { self->evil_pid, 0, self->evil_pid, self->other.pid };

	IS(pids[c->last], raw_semctl(self->id, 0, GETPID, 0));
	IS(self->other.pid, raw_semctl(self->id, 1, GETPID, 0));
	IS(getpid(), raw_semctl(self->id, 2, GETPID, 0));
}

OPERATION(counts, NULL)
{
	IS(0, raw_semctl(self->id, 0, GETNCNT, 0));
	IS(0, raw_semctl(self->id, 0, GETZCNT, 0));
}

OPERATION(stat, NULL)
{
	struct semid_ds ds;

	memset(&ds, POISON, sizeof(ds));
	IS(0, raw_semctl(self->id, 0, IPC_STAT, (uintptr_t)&ds));
	IS(3, (int)ds.sem_nsems);
	/* Not before, and never to come. */
	EXPECT_LE(self->start, ds.sem_otime) TH_LOG("after: %s", c->name);
	EXPECT_GE(time(NULL), ds.sem_otime) TH_LOG("after: %s", c->name);
}

OPERATION(listings, NULL)
{
	struct sem_row row;

	EXPECT_EQ(7, raw_read_listings());
	IS(1, sem_row_find(&ipc_kipc, self->id, &row));
	IS(3, (int)row.nsems);
	EXPECT_GE(time(NULL), (time_t)row.otime) TH_LOG("after: %s", c->name);
}

OPERATION(removed, NULL)
{
	IS(0, raw_semctl(self->id, 0, IPC_RMID, 0));
	FAILS(EINVAL, raw_val(self->id, 0));
	IS((long)HELD, RUN(evil, evil_state, 0, 0));
	FAILS(EINVAL, peer_run(&self->evil, do_semop1, self->id, 0, 1, UNDO, 0));
	want->is_gone = true;
}

/* ---- What cuts: what it scribbles afterwards is nobody's ---- */

OPERATION(permissions_set, NULL)
{
	IS(0, raw_set_mode(self->id, 0600));
	IS((long)HELD, RUN(evil, evil_state, 0, 0));
	IS(0, RUN(evil, evil_fill, ~0ul, 0));
	IS(0, RUN(evil, evil_fill, 0, 0));
}

OPERATION(rights_given_back, NULL)
{
	IS(0, RUN(evil, do_cut, 0, 0));
	IS((long)HELD, RUN(evil, evil_state, 0, 0));
	IS(0, RUN(evil, evil_fill, ~0ul, 0));
}

OPERATION(unmapped, NULL)
{
	IS(0, RUN(evil, do_unmap, 0, 0));
}

/* Twice, with undo values of both. */
OPERATION(mapped_again, NULL)
{
	IS(0, RUN(evil, do_unmap, 0, 0));
	IS(0, RUN(evil, do_map, self->id, 0));
	IS(0l, RUN(evil, evil_state, 0, 0));
}

OPERATION(executed, NULL)
{
	peer_begin(&self->evil, evil_exec, self->spare, 0, 0, 0, 0);
	wait_until(raw_val(self->spare, 1) == SECOND + 1 || task_state(self->evil_pid) == 'Z');
	IS(SECOND + 1, raw_val(self->spare, 1));
}

OPERATION(killed, NULL)
{
	peer_end(&self->evil, SIGKILL);
	want->is_dead = true;
	want->value = clamp(want->value + want->undo, 0, VMX);
	want->undo = 0;
	/* Nobody else's operation is held up by what is left of it. */
	IS(want->value, raw_val(self->id, 0));
	IS(0, raw_semctl(self->id, 0, GETNCNT, 0));
}

/* The other one dies while this is so, with its undo values. */
OPERATION(other_killed, NULL)
{
	IS(CLEAN + CLEAN_CHANGE, raw_val(self->clean, 0));
	peer_end(&self->other, SIGKILL);
	want->value = clamp(want->value - OTHER_FIRST, 0, VMX);
	want->second -= OTHER_SECOND;
	IS(want->value, raw_val(self->id, 0));
	IS(want->second, raw_val(self->id, 1));
	IS(CLEAN, raw_val(self->clean, 0));
	self->tokens[OTHERS] = start_other(self);
	want->is_other_new = true;
}

/* ---- By a sleeper ---- */

static const struct sembuf down_to_zero = { 0, 0, 0 };
static const struct sembuf blocked_by_the_third[] = { { 0, 1, 0 }, { 2, -THIRD - 1, 0 } };
static const struct sembuf too_many = { 0, -20000, 0 };

static void sleep_on(struct __test_metadata *_metadata, scene_t *self, const struct sembuf *sops,
		     int nsops)
{
	ASSERT_EQ(0, peer_begin(&self->third, do_semop, self->id, (long)sops, nsops, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->third));
}

static void before_zero(ACT_PARAMETERS)
{
	sleep_on(_metadata, self, &down_to_zero, 1);
}

OPERATION(zero_by_setval, before_zero)
{
	IS(1, raw_semctl(self->id, 0, GETZCNT, 0));
	IS(0, raw_semctl(self->id, 0, SETVAL, 0));
	IS(0, peer_woken(&self->third));
	IS(self->third.pid, raw_semctl(self->id, 0, GETPID, 0));
	want->value = want->undo = want->other_undo[0] = 0;
}

OPERATION(zero_removed, before_zero)
{
	IS(0, raw_semctl(self->id, 0, IPC_RMID, 0));
	FAILS(EIDRM, peer_woken(&self->third));
	want->is_gone = true;
}

OPERATION(zero_killed, before_zero)
{
	peer_end(&self->third, SIGKILL);
	IS(0, raw_semctl(self->id, 0, GETZCNT, 0));
	ASSERT_EQ(0, peer_start(&self->third));
}

static void before_array(ACT_PARAMETERS)
{
	sleep_on(_metadata, self, blocked_by_the_third, 2);
}

/* It names the scribbled semaphore and waits for another. */
OPERATION(array_asleep, before_array)
{
	IS(1, raw_semctl(self->id, 2, GETNCNT, 0));
	IS(0, raw_semop1(self->id, 2, 1, 0));
	want->third++;
	if (want->value == VMX) {
		FAILS(ERANGE, peer_woken(&self->third));
		return;
	}
	IS(0, peer_woken(&self->third));
	want->value++;
	want->third = 0;
}

static void before_too_many(ACT_PARAMETERS)
{
	sleep_on(_metadata, self, &too_many, 1);
}

/* Let go by the end of the hostile process, or not. */
OPERATION(sleeper_at_the_end, before_too_many)
{
	peer_end(&self->evil, SIGKILL);
	want->is_dead = true;
	want->value = clamp(want->value + want->undo, 0, VMX);
	want->undo = 0;
	if (want->value >= 20000) {
		want->value -= 20000;
		/* By the worker perhaps, in its own time. */
		IS(0, peer_finish(&self->third));
	} else {
		IS(1, raw_semctl(self->id, 0, GETNCNT, 0));
		peer_end(&self->third, SIGKILL);
		IS(0, raw_semctl(self->id, 0, GETNCNT, 0));
		ASSERT_EQ(0, peer_start(&self->third));
	}
}

/* ---- By the library, in a process that has the set mapped ---- */

static long third_warm(long *arg, void *buf)
{
	int i;

	(void)buf;
	for (i = 0; i < 40; i++) {
		struct sembuf op = { 0, i % 2 ? -1 : 1, i < 20 ? 0 : UNDO };

		if (kipc_semop(arg[0], &op, 1))
			return -1;
	}
	return 0;
}

/* The value before and after, or what differs. */
static long third_operate(long *arg, void *buf)
{
	struct sembuf op = { 0, arg[1], 0 };

	(void)buf;
	if (kipc_semctl(arg[0], 0, GETVAL) != arg[2])
		return 1;
	if (kipc_semop(arg[0], &op, 1))
		return 2;
	if (kipc_semctl(arg[0], 0, GETVAL) != arg[2] + arg[1])
		return 3;
	op.sem_op = -arg[1];
	op.sem_flg = UNDO;
	if (kipc_semop(arg[0], &op, 1))
		return 4;
	op.sem_op = arg[1];
	if (kipc_semop(arg[0], &op, 1))
		return 5;
	op.sem_flg = 0;
	op.sem_op = -arg[1];
	if (kipc_semop(arg[0], &op, 1))
		return 6;
	return kipc_semctl(arg[0], 0, GETVAL) == arg[2] ? 0 : 7;
}

static void before_warm(ACT_PARAMETERS)
{
	ASSERT_EQ(0, RUN(third, third_warm, self->id, 0));
}

static long third_look(long *arg, void *buf)
{
	(void)buf;
	return kipc_semctl(arg[0], 0, GETVAL);
}

OPERATION(by_the_library, before_warm)
{
	IS(want->value, RUN(third, third_look, self->id, 0));
	/* It takes one off what is there, be it too much; the kernel knows a maximum. */
	if (want->value == VMX) {
		IS(0, raw_semop1(self->id, 0, -1, 0));
		want->value--;
	}
	IS(0, peer_run(&self->third, third_operate, self->id, 1, want->value, 0, 0));
	IS(self->third.pid, raw_semctl(self->id, 0, GETPID, 0));
}

TEST_HARNESS_MAIN

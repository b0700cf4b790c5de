// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that write at random over all they have mapped of a set, while others operate
 * on it, by the library and by system call, map it and unmap it, and any of them is
 * killed.  Each call returns, with a result there may be; nobody is held up; the set next
 * to it is exact; and nothing is left in the end.
 */
#include "common/harness.h"
#include "common/device.h"
#include "hostile/raw.h"
#include "hostile/storm.h"

#include <kipc.h>

#include <pthread.h>
#include <stdlib.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO
#define NSEMS	3
#define CLEAN	1000
#define PARTS	10

/* That everybody operates on, and that only the honest do. */
static int set, clean;

/* ---- The parts ---- */

/* A word that means something more often than not. */
static uint64_t any_word(const struct raw_process *process, const struct raw_view *view)
{
	uint64_t word = rnd64();

	if (rnd(4) == 0)
		return word;
	if (rnd(2))
		word = (word & ~KIPC_SEM_VALUE) | rnd(20);
	if (rnd(2))
		word &= ~KIPC_SEM_FLAGS;
	if (rnd(2))
		word = (word & ~KIPC_SEM_SLOT) | (uint64_t)rnd(3) << KIPC_SEM_SLOT_SHIFT;
	switch (rnd(4)) {
	case 0:
		return (word & 0xffffffff) | (uint64_t)process->token << KIPC_SEM_TOKEN_SHIFT;
	case 1:
		/* Somebody else's, perhaps. */
		return (word & 0xffffffff) |
		       (view->shared->cells[rnd(NSEMS)].word & ~0xffffffffull);
	case 2:
		return (word & 0xffffffff) | (uint64_t)rnd(200) << KIPC_SEM_TOKEN_SHIFT;
	default:
		return word;
	}
}

static uint64_t any_intent(const struct raw_view *view)
{
	if (rnd(4) == 0)
		return rnd64();
	return KIPC_INTENT(rnd(4), rnd(3) ? view->index : rnd(4), rnd(NSEMS + 1), rnd(65536));
}

static void scribble(const struct raw_process *process, const struct raw_view *view)
{
	volatile struct kipc_sem_adjust *adjust = &view->own->adjust[rnd(NSEMS + 1)];
	volatile struct kipc_sem_cell *cell = &view->shared->cells[rnd(NSEMS + 1)];
	volatile struct kipc_process_slot *slot = &process->slots[rnd(4)];
	volatile uint64_t *any;

	switch (rnd(12)) {
	case 0:
	case 1:
	case 2:
		cell->word = any_word(process, view);
		break;
	case 3:
	case 4:
		slot->intent = any_intent(view);
		break;
	case 5:
		adjust->fast = rnd(2) ? rnd64() : rnd(100);
		break;
	case 6:
		adjust->slow = rnd64();
		break;
	case 7:
		*(volatile uint32_t *)&view->shared->state = rnd(2) ? rnd(8) : rnd64();
		break;
	case 8:
		*(volatile uint64_t *)view->own = rnd64();
		break;
	case 9:
		cell->time = rnd64();
		break;
	case 10:
		any = view->start;
		any[rnd(view->size / sizeof(*any))] = rnd64();
		break;
	default:
		any = (void *)process->slots;
		any[rnd(PAGE / sizeof(*any))] = rnd64();
		break;
	}
}

static void scribbler(void)
{
	struct raw_process process;
	struct raw_view view;

	REQUIRE(!raw_map_process(&process), 0);
	for (;;) {
		int i, ret = raw_map_set(&view, set, KIPC_SEM_MAP_WRITE);

		REQUIRE(!ret, ret);
		for (i = 0; i < 300; i++) {
			scribble(&process, &view);
			if (rnd(16) == 0) {
				ret = raw_semop1(set, rnd(NSEMS), (int)rnd(5) - 2, NW | UNDO);
				REQUIRE(!ret || errno == EAGAIN || errno == ERANGE, ret);
			}
		}
		step();
		REQUIRE(!raw_unmap_set(&view), 0);
	}
}

static void check_semop(int ret)
{
	REQUIRE(!ret || (ret == -1 && (errno == EAGAIN || errno == ERANGE)), ret);
}

static int any_semctl(const struct ipc *ipc)
{
	unsigned short values[NSEMS + 1] = { 9, 9, 9, 0xa5a5 };
	struct semid_ds ds;
	int ret, i;

	switch (rnd(9)) {
	case 0:
		return ipc->semctl(set, rnd(NSEMS), SETVAL, (union semun){ .val = rnd(20) });
	case 1:
		return sem_setall(ipc, set, values);
	case 2:
		ret = sem_getall(ipc, set, values);
		for (i = 0; i < NSEMS; i++)
			REQUIRE(values[i] <= SEMVMX, values[i]);
		REQUIRE(values[NSEMS] == 0xa5a5, values[NSEMS]);
		return ret;
	case 3:
		ret = sem_stat(ipc, set, &ds);
		REQUIRE(ds.sem_nsems == NSEMS && ds.sem_otime >= 0 && ds.sem_otime <= time(NULL), 0);
		return ret;
	case 4:
		return rnd(4) ? 0 : raw_set_mode(set, 0600);
	case 5:
		ret = sem_val(ipc, set, rnd(NSEMS));
		REQUIRE(ret >= 0 && ret <= SEMVMX, ret);
		return 0;
	case 6:
		ret = sem_ncnt(ipc, set, rnd(NSEMS));
		REQUIRE(ret >= 0 && ret <= PARTS, ret);
		return 0;
	case 7:
		ret = sem_zcnt(ipc, set, rnd(NSEMS));
		REQUIRE(ret >= 0 && ret <= PARTS, ret);
		return 0;
	default:
		ret = sem_pid(ipc, set, rnd(NSEMS));
		REQUIRE(ret >= 0, ret);
		return 0;
	}
}

static void operator(bool by_library)
{
	const struct timespec timeout = { .tv_nsec = 1000000 };
	const struct ipc *ipc = &ipc_kipc;
	struct sembuf sops[3];
	int i, n, ret;

	for (;;) {
		/* Often enough one after the other that the library maps the set. */
		for (i = 0; i < 20; i++) {
			sops[0] = (struct sembuf){ rnd(NSEMS), (int)rnd(5) - 2, NW | (rnd(2) ? UNDO : 0) };
			check_semop(by_library ? ipc->semop(set, sops, 1) :
						 raw_semop(set, sops, 1));
		}
		n = 1 + rnd(3);
		for (i = 0; i < n; i++)
			sops[i] = (struct sembuf){ rnd(NSEMS), (int)rnd(5) - 2, rnd(2) ? UNDO : 0 };
		check_semop(ipc->semtimedop(set, sops, n, &timeout));
		ret = any_semctl(ipc);
		REQUIRE(!ret, ret);
		step();
	}
}

static void by_library(void)
{
	operator(true);
}

static void by_call(void)
{
	operator(false);
}

static void *cutter(void *unused)
{
	for (;;)
		ioctl(raw_fd(), KIPC_IOC_PROCESS_CUT);
	return unused;
}

/* It maps and unmaps while another thread of its cuts. */
static void mapper(void)
{
	struct raw_process process;
	struct raw_view view;
	pthread_t thread;
	int i, ret;

	REQUIRE(!raw_map_process(&process), 0);
	REQUIRE(!pthread_create(&thread, NULL, cutter, NULL), 0);
	for (;;) {
		for (i = 0; i < 6; i++) {
			ret = raw_map_set(&view, set, i % 3 ? KIPC_SEM_MAP_WRITE : 0);
			REQUIRE(!ret, ret);
			if (i % 3)
				raw_operate(&process, &view, 0, i % 2 ? 1 : -1);
			(void)*(volatile uint32_t *)&view.shared->state;
			REQUIRE(!raw_unmap_set(&view), 0);
		}
		step();
	}
}

/* For good, if nobody lets it go. */
static void sleeper(void)
{
	struct sembuf sops[2];
	int ret;

	for (;;) {
		sops[0] = (struct sembuf){ rnd(NSEMS), rnd(2) ? -1 : 0, UNDO };
		sops[1] = (struct sembuf){ rnd(NSEMS), -1, UNDO };
		ret = raw_semop(set, sops, 1 + rnd(2));
		REQUIRE(!ret || errno == ERANGE, ret);
		step();
	}
}

/* On the set next to it, by the library; whatever it is in the middle of is undone. */
static void honest(void)
{
	for (;;) {
		struct sembuf sop = { rnd(2), 1 + rnd(3), UNDO };
		int ret = kipc_semop(clean, &sop, 1);

		REQUIRE(!ret, ret);
		sop.sem_op = -sop.sem_op;
		ret = kipc_semop(clean, &sop, 1);
		REQUIRE(!ret, ret);
		step();
	}
}

static const struct storm_part parts[PARTS] = {
	{ "scribbler", scribbler, GOES_ON },
	{ "by library", by_library, GOES_ON },
	{ "by library", by_library, GOES_ON },
	{ "by call", by_call, GOES_ON },
	{ "by call", by_call, GOES_ON },
	{ "mapper", mapper, GOES_ON },
	{ "sleeper", sleeper, MAY_SLEEP },
	{ "sleeper", sleeper, MAY_SLEEP },
	{ "honest", honest, GOES_ON },
	{ "honest", honest, GOES_ON },
};

/* ---- The test ---- */

static int new_set(int first)
{
	return raw_new_set((unsigned short[NSEMS]){ first, first, first }, NSEMS);
}

TEST_LONG(storm)
{
	int kills = getenv("KIPC_LONG") ? 10000 : 250, k, i;
	unsigned short values[NSEMS];
	long refs, listed = 0;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LE(0, raw_fd());
	refs = module_refs();
	set = new_set(10);
	clean = new_set(CLEAN);
	ASSERT_LE(0, set);
	ASSERT_LE(0, clean);
	ASSERT_EQ(0, storm_begin(parts, PARTS));
	for (k = 0; k < kills; k++) {
		ASSERT_TRUE(storm_kill_one());
		if (k % 10 == 0)
			listed += raw_read_listings() == 7;
	}
	EXPECT_EQ((kills + 9) / 10, listed);
	EXPECT_TRUE(storm_end());

	/* The clean set is exact, and the other one is a set as any. */
	ASSERT_EQ(0, raw_semctl(clean, 0, GETALL, (uintptr_t)values));
	for (i = 0; i < NSEMS; i++)
		EXPECT_EQ(CLEAN, values[i]);
	for (i = 0; i < NSEMS; i++) {
		EXPECT_EQ(0, raw_semctl(set, i, GETNCNT, 0));
		EXPECT_EQ(0, raw_semctl(set, i, GETZCNT, 0));
		EXPECT_EQ(0, raw_semctl(set, i, SETVAL, 7));
		EXPECT_EQ(0, raw_semop1(set, i, -2, 0));
		EXPECT_EQ(5, raw_val(set, i));
		EXPECT_EQ(getpid(), raw_semctl(set, i, GETPID, 0));
	}
	EXPECT_EQ(0, raw_semctl(set, 0, IPC_RMID, 0));
	EXPECT_EQ(0, raw_semctl(clean, 0, IPC_RMID, 0));
	EXPECT_EQ(7, raw_read_listings());
	EXPECT_NOTHING(&ipc_kipc);
	wait_until(module_refs() <= refs);
}

TEST_HARNESS_MAIN

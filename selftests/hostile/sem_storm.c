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

#include <kipc.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO
#define NSEMS	3
#define CLEAN	1000

enum role { SCRIBBLER, BY_LIBRARY, BY_CALL, MAPPER, SLEEPER, HONEST };

static const enum role roles[] = {
	SCRIBBLER, BY_LIBRARY, BY_LIBRARY, BY_CALL, BY_CALL, MAPPER, SLEEPER, SLEEPER, HONEST,
	HONEST,
};
#define PARTS	ARRAY_SIZE(roles)

/* What all see: sets, and how far each has come. */
static struct stage {
	int id, clean;
	unsigned long steps[PARTS];
	int wrong_line[PARTS], wrong_ret[PARTS], wrong_error[PARTS];
} *stage;

/* ---- The parts ---- */

static unsigned int seed;
static unsigned int part;

static unsigned int rnd(unsigned int n)
{
	return rand_r(&seed) % n;
}

static uint64_t rnd64(void)
{
	return (uint64_t)rand_r(&seed) << 42 ^ (uint64_t)rand_r(&seed) << 21 ^ rand_r(&seed);
}

static void step(void)
{
	__atomic_add_fetch(&stage->steps[part], 1, __ATOMIC_RELAXED);
}

#define REQUIRE(cond, ret) do { \
	if (!(cond)) { \
		stage->wrong_ret[part] = ret; \
		stage->wrong_error[part] = errno; \
		stage->wrong_line[part] = __LINE__; \
		_exit(1); \
	} \
} while (0)

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
		int i, ret = raw_map_set(&view, stage->id, KIPC_SEM_MAP_WRITE);

		REQUIRE(!ret, ret);
		for (i = 0; i < 300; i++) {
			scribble(&process, &view);
			if (rnd(16) == 0) {
				ret = raw_semop1(stage->id, rnd(NSEMS), (int)rnd(5) - 2, NW | UNDO);
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
		return ipc->semctl(stage->id, rnd(NSEMS), SETVAL, (union semun){ .val = rnd(20) });
	case 1:
		return sem_setall(ipc, stage->id, values);
	case 2:
		ret = sem_getall(ipc, stage->id, values);
		for (i = 0; i < NSEMS; i++)
			REQUIRE(values[i] <= SEMVMX, values[i]);
		REQUIRE(values[NSEMS] == 0xa5a5, values[NSEMS]);
		return ret;
	case 3:
		ret = sem_stat(ipc, stage->id, &ds);
		REQUIRE(ds.sem_nsems == NSEMS && ds.sem_otime >= 0 && ds.sem_otime <= time(NULL), 0);
		return ret;
	case 4:
		return rnd(4) ? 0 : raw_set_mode(stage->id, 0600);
	case 5:
		ret = sem_val(ipc, stage->id, rnd(NSEMS));
		REQUIRE(ret >= 0 && ret <= SEMVMX, ret);
		return 0;
	case 6:
		ret = sem_ncnt(ipc, stage->id, rnd(NSEMS));
		REQUIRE(ret >= 0 && ret <= (int)PARTS, ret);
		return 0;
	case 7:
		ret = sem_zcnt(ipc, stage->id, rnd(NSEMS));
		REQUIRE(ret >= 0 && ret <= (int)PARTS, ret);
		return 0;
	default:
		ret = sem_pid(ipc, stage->id, rnd(NSEMS));
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
			check_semop(by_library ? ipc->semop(stage->id, sops, 1) :
						 raw_semop(stage->id, sops, 1));
		}
		n = 1 + rnd(3);
		for (i = 0; i < n; i++)
			sops[i] = (struct sembuf){ rnd(NSEMS), (int)rnd(5) - 2, rnd(2) ? UNDO : 0 };
		check_semop(ipc->semtimedop(stage->id, sops, n, &timeout));
		ret = any_semctl(ipc);
		REQUIRE(!ret, ret);
		step();
	}
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
			ret = raw_map_set(&view, stage->id, i % 3 ? KIPC_SEM_MAP_WRITE : 0);
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
		ret = raw_semop(stage->id, sops, 1 + rnd(2));
		REQUIRE(!ret || errno == ERANGE, ret);
		step();
	}
}

/* On the set next to it, by the library; whatever it is in the middle of is undone. */
static void honest(void)
{
	for (;;) {
		struct sembuf sop = { rnd(2), 1 + rnd(3), UNDO };
		int ret = kipc_semop(stage->clean, &sop, 1);

		REQUIRE(!ret, ret);
		sop.sem_op = -sop.sem_op;
		ret = kipc_semop(stage->clean, &sop, 1);
		REQUIRE(!ret, ret);
		step();
	}
}

static pid_t start(unsigned int which, unsigned int with_seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	seed = with_seed;
	part = which;
	switch (roles[which]) {
	case SCRIBBLER:
		scribbler();
		break;
	case BY_LIBRARY:
	case BY_CALL:
		operator(roles[which] == BY_LIBRARY);
		break;
	case MAPPER:
		mapper();
		break;
	case SLEEPER:
		sleeper();
		break;
	default:
		honest();
	}
	_exit(2);
}

/* ---- The test ---- */

static int new_set(int first)
{
	return raw_new_set((unsigned short[NSEMS]){ first, first, first }, NSEMS);
}

/* Whether a part that ends by itself has ended: something was wrong. */
static bool is_wrong(const pid_t *pids)
{
	siginfo_t info = { .si_pid = 0 };
	unsigned int i;

	for (i = 0; i < PARTS; i++) {
		if (waitid(P_PID, pids[i], &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return true;
	}
	return false;
}

TEST_LONG(storm)
{
	int kills = getenv("KIPC_LONG") ? 10000 : 250, k, status;
	unsigned short values[NSEMS];
	unsigned int i, my_seed = 20;
	long refs, listed = 0;
	pid_t pids[PARTS];

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LE(0, raw_fd());
	refs = module_refs();
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stage);
	stage->id = new_set(10);
	stage->clean = new_set(CLEAN);
	ASSERT_LE(0, stage->id);
	ASSERT_LE(0, stage->clean);
	for (i = 0; i < PARTS; i++)
		pids[i] = start(i, i);

	for (k = 0; k < kills; k++) {
		unsigned int which = rand_r(&my_seed) % PARTS;
		unsigned long before[PARTS];

		/* Everybody goes on, but for who sleeps. */
		memcpy(before, stage->steps, sizeof(before));
		for (i = 0; i < PARTS; i++)
			wait_until(roles[i] == SLEEPER || is_wrong(pids) ||
				   __atomic_load_n(&stage->steps[i], __ATOMIC_RELAXED) != before[i]);
		kill(pids[which], SIGKILL);
		ASSERT_EQ(pids[which], waitpid(pids[which], &status, 0));
		ASSERT_EQ(SIGKILL, status)
			TH_LOG("role %d: line %d: %d, errno %d", roles[which],
			       stage->wrong_line[which], stage->wrong_ret[which],
			       stage->wrong_error[which]);
		pids[which] = start(which, PARTS + k);
		if (k % 10 == 0)
			listed += raw_read_listings() == 7;
	}
	EXPECT_EQ((kills + 9) / 10, listed);
	for (i = 0; i < PARTS; i++) {
		kill(pids[i], SIGKILL);
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(SIGKILL, status)
			TH_LOG("role %d: line %d: %d, errno %d", roles[i], stage->wrong_line[i],
			       stage->wrong_ret[i], stage->wrong_error[i]);
		TH_LOG("role %d: %lu steps", roles[i], stage->steps[i]);
	}

	/* The clean set is exact, and the other one is a set as any. */
	ASSERT_EQ(0, raw_semctl(stage->clean, 0, GETALL, (uintptr_t)values));
	for (i = 0; i < NSEMS; i++)
		EXPECT_EQ(CLEAN, values[i]);
	for (i = 0; i < NSEMS; i++) {
		EXPECT_EQ(0, raw_semctl(stage->id, i, GETNCNT, 0));
		EXPECT_EQ(0, raw_semctl(stage->id, i, GETZCNT, 0));
		EXPECT_EQ(0, raw_semctl(stage->id, i, SETVAL, 7));
		EXPECT_EQ(0, raw_semop1(stage->id, i, -2, 0));
		EXPECT_EQ(5, raw_val(stage->id, i));
		EXPECT_EQ(getpid(), raw_semctl(stage->id, i, GETPID, 0));
	}
	EXPECT_EQ(0, raw_semctl(stage->id, 0, IPC_RMID, 0));
	EXPECT_EQ(0, raw_semctl(stage->clean, 0, IPC_RMID, 0));
	EXPECT_EQ(7, raw_read_listings());
	EXPECT_NOTHING(&ipc_kipc);
	wait_until(module_refs() <= refs);
}

TEST_HARNESS_MAIN

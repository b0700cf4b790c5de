// SPDX-License-Identifier: GPL-2.0
/*
 * As much as there may be: undo values in as many sets as a process may have them in, and
 * in the largest sets; the longest arrays; ten thousand sleepers.  The end of one process
 * undoes all of it, and lets go who waited, in order, before its parent's wait returns.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO

/* Sets that a process of kipc's may have undo values in. */
#define MOST_SETS	4096
#define MOST_SEMS	32000
#define MOST_OPS	500
#define WAITERS		10000

/* Shared with the children of a test. */
struct shared {
	int stage;
	int wrong;
	int done[WAITERS], removed[WAITERS];	/* by batch */
	int ids[MOST_SETS + 2];
};

FIXTURE(maxima) { struct shared *shared; };
FIXTURE_VARIANT(maxima) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(maxima, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(maxima, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(maxima)
{
	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
}

FIXTURE_TEARDOWN(maxima)
{
	munmap(self->shared, sizeof(*self->shared));
}

static int load(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void add(int *n, int much)
{
	__atomic_add_fetch(n, much, __ATOMIC_SEQ_CST);
}

/* Say that it has come so far, and wait to be killed. */
static void __attribute__((noreturn)) reach(struct shared *shared, int stage)
{
	__atomic_store_n(&shared->stage, stage, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static void __attribute__((noreturn)) fail(struct shared *shared, int line)
{
	fprintf(stderr, "# line %d: %s\n", line, strerror(errno));
	__atomic_store_n(&shared->wrong, line, __ATOMIC_SEQ_CST);
	_exit(1);
}

#define CHECK(cond)	do { if (!(cond)) fail(shared, __LINE__); } while (0)

/* Wait until a child has come so far. */
#define AWAIT(_shared, _cond) do { \
	wait_until((_cond) || load(&(_shared)->wrong)); \
	ASSERT_EQ(0, load(&(_shared)->wrong)); \
} while (0)

static void kill_and_wait(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(SIGKILL, status);
}

/* ---- Undo values ---- */

/* In each of so many sets, often enough for the library to map as many as it will. */
static void change_sets(const struct ipc *ipc, struct shared *shared, int sets, int times)
{
	int i, k, n = MOST_SETS;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < sets; i++)
		for (k = 0; k < times; k++)
			CHECK(!semop1(ipc, shared->ids[i], 0, i % 2 ? 1 : -1, UNDO));
	if (sets < n)
		reach(shared, 1);
	if (ipc == &ipc_kipc) {
		/* One more is too many, for those that there are it goes on. */
		CHECK(semop1(ipc, shared->ids[n], 0, 1, UNDO) == -1 && errno == ENOSPC);
		CHECK(semop1(ipc, shared->ids[n], 0, 1, UNDO) == -1 && errno == ENOSPC);
	}
	CHECK(!semop1(ipc, shared->ids[n], 0, 3, 0));
	CHECK(!semop1(ipc, shared->ids[n - 1], 0, 5, UNDO));
	CHECK(!semop1(ipc, shared->ids[n - 1], 0, -5, UNDO));
	reach(shared, 1);
}

static void remove_sets(struct __test_metadata *_metadata, const struct ipc *ipc, const int *ids,
			int n)
{
	while (n--)
		ASSERT_EQ(0, sem_rmid(ipc, ids[n]));
}

TEST_F_TIMEOUT(maxima, undo_in_most_sets, 200)
{
	const struct ipc *ipc = variant->ipc;
	struct shared *shared = self->shared;
	int *ids = shared->ids, i;
	pid_t pid;

	for (i = 0; i < MOST_SETS + 2; i++) {
		ids[i] = sem_new(ipc, SEMS(100, 100), 0600);
		ASSERT_LE(0, ids[i]);
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		change_sets(ipc, shared, MOST_SETS, 1);
	AWAIT(shared, load(&shared->stage));
	for (i = 0; i < MOST_SETS; i += 97)
		EXPECT_EQ(i % 2 ? 101 : 99, sem_val(ipc, ids[i], 0));
	EXPECT_EQ(103, sem_val(ipc, ids[MOST_SETS], 0));
	kill_and_wait(_metadata, pid);
	/* The last ones first: nobody comes in the order in which they were made. */
	for (i = MOST_SETS - 1; i >= 0; i--)
		ASSERT_EQ(100, sem_val(ipc, ids[i], 0));
	EXPECT_EQ(103, sem_val(ipc, ids[MOST_SETS], 0));
	remove_sets(_metadata, ipc, ids, MOST_SETS + 2);
}

/* Where a set has been removed there is room again. */
static void change_most(const struct ipc *ipc, struct shared *shared)
{
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < MOST_SETS; i++)
		CHECK(!semop1(ipc, shared->ids[i], 0, -1, UNDO));
	CHECK(!sem_rmid(ipc, shared->ids[0]));
	CHECK(!semop1(ipc, shared->ids[MOST_SETS], 0, -1, UNDO));
	if (ipc == &ipc_kipc)
		CHECK(semop1(ipc, shared->ids[MOST_SETS + 1], 0, -1, UNDO) == -1 && errno == ENOSPC);
	reach(shared, 1);
}

TEST_F_TIMEOUT(maxima, room_after_removal, 200)
{
	const struct ipc *ipc = variant->ipc;
	struct shared *shared = self->shared;
	int *ids = shared->ids, i;
	pid_t pid;

	for (i = 0; i < MOST_SETS + 2; i++) {
		ids[i] = sem_new(ipc, SEMS(100), 0600);
		ASSERT_LE(0, ids[i]);
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		change_most(ipc, shared);
	AWAIT(shared, load(&shared->stage));
	kill_and_wait(_metadata, pid);
	for (i = 1; i < MOST_SETS + 2; i++)
		ASSERT_EQ(100, sem_val(ipc, ids[i], 0));
	remove_sets(_metadata, ipc, ids + 1, MOST_SETS + 1);
}

/* More than it maps at a time. */
TEST_F_TIMEOUT(maxima, undo_in_mapped_sets, 200)
{
	enum { N = 1100, TIMES = 12 };
	const struct ipc *ipc = variant->ipc;
	struct shared *shared = self->shared;
	int *ids = shared->ids, i;
	pid_t pid;

	for (i = 0; i < N; i++) {
		ids[i] = sem_new(ipc, SEMS(100), 0600);
		ASSERT_LE(0, ids[i]);
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		change_sets(ipc, shared, N, TIMES);
	AWAIT(shared, load(&shared->stage));
	for (i = 0; i < N; i += 7)
		EXPECT_EQ(i % 2 ? 100 + TIMES : 100 - TIMES, sem_val(ipc, ids[i], 0));
	kill_and_wait(_metadata, pid);
	for (i = N - 1; i >= 0; i--)
		ASSERT_EQ(100, sem_val(ipc, ids[i], 0));
	remove_sets(_metadata, ipc, ids, N);
}

/* Undo values of each semaphore of sets as large as may be. */
static void change_all(const struct ipc *ipc, struct shared *shared, int sets, int sems, int op)
{
	struct sembuf sops[MOST_OPS];
	int i, k, s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (s = 0; s < sets; s++) {
		/* Every second one is mapped. */
		for (i = 0; s % 2 && i < 24; i++)
			CHECK(!semop1(ipc, shared->ids[s], i, i % 2 ? 1 : -1, UNDO));
		for (i = 0; i < sems; i += MOST_OPS) {
			for (k = 0; k < MOST_OPS; k++)
				sops[k] = (struct sembuf){ i + k, op, UNDO };
			CHECK(!ipc->semop(shared->ids[s], sops, MOST_OPS));
		}
	}
	add(&shared->stage, 1);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(maxima, undo_of_most_semaphores, 200)
{
	enum { SETS = 6 };
	static unsigned short values[MOST_SEMS];
	const struct ipc *ipc = variant->ipc;
	struct shared *shared = self->shared;
	int *ids = shared->ids, i, s;
	pid_t pids[2];

	for (i = 0; i < MOST_SEMS; i++)
		values[i] = 100 + i % 1000;
	for (s = 0; s < SETS; s++) {
		ids[s] = sem_new(ipc, MOST_SEMS, values, 0600);
		ASSERT_LE(0, ids[s]);
	}
	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			change_all(ipc, shared, SETS, MOST_SEMS, i ? -3 : 2);
		AWAIT(shared, load(&shared->stage) == i + 1);
	}
	for (s = 0; s < SETS; s++)
		EXPECT_EQ(100 + 77 - 1, sem_val(ipc, ids[s], 77));
	kill_and_wait(_metadata, pids[0]);
	for (s = SETS - 1; s >= 0; s--) {
		ASSERT_EQ(0, sem_getall(ipc, ids[s], values));
		for (i = 24; i < MOST_SEMS; i++)
			ASSERT_EQ(100 + i % 1000 - 3, values[i]);
	}
	kill_and_wait(_metadata, pids[1]);
	for (s = SETS - 1; s >= 0; s--) {
		ASSERT_EQ(0, sem_getall(ipc, ids[s], values));
		for (i = 0; i < MOST_SEMS; i++)
			ASSERT_EQ(100 + i % 1000, values[i]);
	}
	remove_sets(_metadata, ipc, ids, SETS);
}

/* ---- Sleepers, let go by an end ---- */

/* Arrays as long as may be asleep, each for all that one process has: one after the other. */
TEST_F_TIMEOUT(maxima, longest_arrays, 200)
{
	enum { N = 12 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, MOST_OPS, 0600), i;
	struct sembuf up[MOST_OPS], down[MOST_OPS];
	unsigned short values[MOST_OPS];
	struct peer p[N], holder;

	ASSERT_LE(0, id);
	for (i = 0; i < MOST_OPS; i++) {
		up[i] = (struct sembuf){ i, 1, 0 };
		down[i] = (struct sembuf){ i, -1, UNDO };
	}
	ASSERT_EQ(0, ipc->semop(id, up, MOST_OPS));
	ASSERT_EQ(0, peer_start(&holder));
	ASSERT_EQ(0, peer_semop(&holder, ipc, id, down, MOST_OPS));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, peer_start(&p[i]));
		ASSERT_EQ(0, peer_block(&p[i], ipc, id, down, MOST_OPS));
	}
	EXPECT_EQ(N, sem_ncnt(ipc, id, 0));
	peer_end(&holder, SIGKILL);
	/* The end of each lets the next one go; whoever deals with it wakes it then. */
	for (i = 0; i < N; i++) {
		EXPECT_EQ(N - 1 - i, sem_ncnt(ipc, id, 0));
		EXPECT_EQ(p[i].pid, sem_pid(ipc, id, MOST_OPS - 1));
		EXPECT_EQ(0, peer_finish(&p[i]));
		peer_end(&p[i], SIGKILL);
	}
	ASSERT_EQ(0, sem_getall(ipc, id, values));
	for (i = 0; i < MOST_OPS; i++)
		EXPECT_EQ(1, values[i]);
}

/* One thread of a batch: takes one, and says how that ended. */
struct one {
	const struct ipc *ipc;
	struct shared *shared;
	int id, batch;
};

static void *take_one(void *arg)
{
	const struct one *one = arg;

	if (!semop1(one->ipc, one->id, 0, -1, 0))
		add(&one->shared->done[one->batch], 1);
	else if (errno == EIDRM || errno == EINVAL)
		add(&one->shared->removed[one->batch], 1);
	else
		add(&one->shared->wrong, 1);
	return NULL;
}

/* A process of @n threads, each on the next one of so many sets. */
static void batch(const struct ipc *ipc, struct shared *shared, int number, int n, int sets,
		  int first)
{
	struct one *ones = calloc(n, sizeof(*ones));
	pthread_attr_t attr;
	pthread_t t;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK(ones && !pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, 16384) &&
	      !pthread_attr_setguardsize(&attr, 0) &&
	      !pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	for (i = 0; i < n; i++) {
		ones[i] = (struct one){ ipc, shared, shared->ids[(first + i) % sets], number };
		CHECK(!pthread_create(&t, &attr, take_one, &ones[i]));
	}
	for (;;)
		pause();
}

static void hold(const struct ipc *ipc, struct shared *shared, int sets, int much)
{
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < sets; i++)
		CHECK(!semop1(ipc, shared->ids[i], 0, -much, UNDO));
	reach(shared, 1);
}

static int sleepers(const struct ipc *ipc, const int *ids, int sets)
{
	int n = 0, i;

	for (i = 0; i < sets; i++)
		n += sem_ncnt(ipc, ids[i], 0);
	return n;
}

/* Ten batches, in their order; the end of one process has what half of them wait for. */
static void let_go(struct __test_metadata *_metadata, const struct ipc *ipc,
		   struct shared *shared, int sets)
{
	enum { BATCHES = 10, EACH = WAITERS / BATCHES };
	int *ids = shared->ids, much = WAITERS / 2 / sets, i, k;
	pid_t holder, pids[BATCHES];

	ASSERT_EQ(0, write_text("/proc/sys/kernel/threads-max", "30000"));
	ASSERT_EQ(0, write_text("/proc/sys/kernel/pid_max", "100000"));
	for (i = 0; i < sets; i++) {
		ids[i] = sem_new(ipc, 1, &(unsigned short){ much }, 0600);
		ASSERT_LE(0, ids[i]);
	}
	holder = fork();
	ASSERT_LE(0, holder);
	if (!holder)
		hold(ipc, shared, sets, much);
	AWAIT(shared, load(&shared->stage));
	for (i = 0; i < BATCHES; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		/* As many of each batch on each set, or all sets' first ones in the first batches. */
		if (!pids[i])
			batch(ipc, shared, i, EACH, sets, i * EACH);
		AWAIT(shared, sleepers(ipc, ids, sets) == (i + 1) * EACH);
	}
	kill_and_wait(_metadata, holder);
	/* Handed over, though most of the woken have not run yet. */
	ASSERT_EQ(WAITERS / 2, sleepers(ipc, ids, sets));
	for (i = 0; i < sets; i++)
		ASSERT_EQ(0, sem_val(ipc, ids[i], 0));
	for (k = 0; k < BATCHES / 2; k++)
		AWAIT(shared, load(&shared->done[k]) == EACH);
	for (; k < BATCHES; k++)
		EXPECT_EQ(0, load(&shared->done[k]));
	/* The others when the sets are removed. */
	for (i = 0; i < sets; i++)
		ASSERT_EQ(0, sem_rmid(ipc, ids[i]));
	for (k = BATCHES / 2; k < BATCHES; k++)
		AWAIT(shared, load(&shared->removed[k]) == EACH);
	for (k = 0; k < BATCHES; k++) {
		EXPECT_EQ(k < BATCHES / 2 ? EACH : 0, load(&shared->done[k]));
		EXPECT_EQ(k < BATCHES / 2 ? 0 : EACH, load(&shared->removed[k]));
		kill_and_wait(_metadata, pids[k]);
	}
}

/* Who sleeps on several is looked at once at the end of a process, not for each undo value. */
static void *sleep_on_several(void *arg)
{
	const struct one *one = arg;
	struct sembuf zeros[] = { { 0, 0, 0 }, { 1, 0, 0 } }, many[MOST_OPS];
	int i, ret;

	for (i = 0; i < MOST_OPS; i++)
		many[i] = (struct sembuf){ i, i == MOST_OPS - 1 ? -30000 : -1, 0 };
	ret = one->batch ? one->ipc->semop(one->id, many, MOST_OPS) :
			   one->ipc->semop(one->id, zeros, 2);
	add(ret == -1 && errno == EIDRM ? &one->shared->removed[0] : &one->shared->wrong, 1);
	return NULL;
}

TEST_F_TIMEOUT(maxima, undo_with_sleepers_on_several, 200)
{
	enum { ZEROS = 1, MANY = 5 };
	static unsigned short values[MOST_SEMS];
	const struct ipc *ipc = variant->ipc;
	struct shared *shared = self->shared;
	int sems = getenv("KIPC_LONG") ? MOST_SEMS : 4000, i, id;
	struct one ones[2];
	pthread_t threads[ZEROS + MANY];
	pid_t pid;

	for (i = 0; i < sems; i++)
		values[i] = 100;
	id = shared->ids[0] = sem_new(ipc, sems, values, 0600);
	ASSERT_LE(0, id);
	for (i = 0; i < ZEROS + MANY; i++) {
		ones[i >= ZEROS] = (struct one){ ipc, shared, id, i >= ZEROS };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, sleep_on_several, &ones[i >= ZEROS]));
		wait_until(sem_zcnt(ipc, id, 0) + sem_ncnt(ipc, id, MOST_OPS - 1) == i + 1);
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		change_all(ipc, shared, 1, sems, 1);
	AWAIT(shared, load(&shared->stage));
	kill_and_wait(_metadata, pid);
	ASSERT_EQ(0, sem_getall(ipc, id, values));
	for (i = 0; i < sems; i++)
		ASSERT_EQ(100, values[i]);
	EXPECT_EQ(ZEROS, sem_zcnt(ipc, id, 0));
	EXPECT_EQ(MANY, sem_ncnt(ipc, id, MOST_OPS - 1));
	ASSERT_EQ(0, sem_rmid(ipc, id));
	for (i = 0; i < ZEROS + MANY; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(ZEROS + MANY, load(&shared->removed[0]));
}

TEST_F_TIMEOUT(maxima, sleepers_on_one_set, 200)
{
	let_go(_metadata, variant->ipc, self->shared, 1);
}

TEST_F_TIMEOUT(maxima, sleepers_on_many_sets, 200)
{
	let_go(_metadata, variant->ipc, self->shared, 500);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Threads and processes at the same segments at once.  Bounded by iterations; what is
 * checked is what must hold whatever the interleaving, and that nothing is left.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <pthread.h>
#include <sys/prctl.h>

IPC_FIXTURE(stress)

#define THREADS	4

struct worker {
	const struct ipc *ipc;
	unsigned int seed, rounds;
	int failed;		/* a line number */
	volatile int *ids;
	unsigned int n;
};

#define CHECK(w, cond) do { \
	if (!(cond) && !(w)->failed) \
		(w)->failed = __LINE__; \
} while (0)

static void nothing_left(struct __test_metadata *_metadata, const struct ipc *ipc)
{
	struct shm_info info;

	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
	ASSERT_EQ(0, ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(0, info.used_ids);
	EXPECT_EQ(0, info.shm_tot);
	EXPECT_EQ(0, info.shm_rss);
	if (ipc == &ipc_kipc)
		EXPECT_EQ(0, kipc_ids_read("shm").in_use);
}

static void run(struct __test_metadata *_metadata, struct worker *w, unsigned int n,
		void *(*fn)(void *))
{
	pthread_t t[THREADS];
	unsigned int i;

	ASSERT_LE(n, THREADS);
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, fn, &w[i]));
	for (i = 0; i < n; i++)
		ASSERT_EQ(0, pthread_join(t[i], NULL));
	for (i = 0; i < n; i++)
		EXPECT_EQ(0, w[i].failed)
			TH_LOG("worker %u: %s:%d", i, __FILE__, w[i].failed);
}

/* Attach and detach of one segment by many threads: the count comes back to what it was. */
static void *attach_detach(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < w->rounds; i++) {
		unsigned char *a = w->ipc->shmat(w->ids[0], NULL, 0);

		CHECK(w, a != MAP_FAILED);
		if (a == MAP_FAILED)
			break;
		CHECK(w, shm_nattch(w->ipc, w->ids[0]) >= 2);
		a[rand_r(&w->seed) % PAGE] = i;
		if (i % 3)
			CHECK(w, !w->ipc->shmdt(a));
		else
			CHECK(w, !munmap(a, PAGE));
	}
	return NULL;
}

TEST_F_TIMEOUT(stress, attach_detach, 120)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	struct worker w[THREADS];
	unsigned int i;
	char *a;

	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	for (i = 0; i < THREADS; i++)
		w[i] = (struct worker){ ipc, i + 1, 400, 0, &id, 1 };
	run(_metadata, w, THREADS, attach_detach);
	EXPECT_EQ(1, shm_nattch(ipc, id));
	ASSERT_EQ(0, ipc->shmdt(a));
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	nothing_left(_metadata, ipc);
}

/*
 * Some create under a handful of keys, others attach what they find there, and all
 * remove: every call succeeds or fails with one of the errors that a race explains.
 */
static void *everything(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < w->rounds; i++) {
		unsigned int r = rand_r(&w->seed);
		key_t key = 1 + r / 16 % 4;
		int id = w->ipc->shmget(key, PAGE, (r & 1 ? IPC_CREAT : 0) |
						   (r & 2 ? IPC_EXCL : 0) | 0600);
		struct shmid_ds ds;
		char *a;

		if (id < 0) {
			CHECK(w, errno == ENOENT || errno == EEXIST);
			continue;
		}
		a = w->ipc->shmat(id, NULL, r & 4 ? SHM_RDONLY : 0);
		if (a == MAP_FAILED) {
			CHECK(w, errno == EINVAL || errno == EIDRM);
			continue;
		}
		CHECK(w, *(volatile char *)a == 0 || *(volatile char *)a == key);
		if (!(r & 4))
			*(volatile char *)a = key;
		/* Attached: whoever removes it meanwhile, it is still there. */
		CHECK(w, !shm_stat(w->ipc, id, &ds));
		CHECK(w, ds.shm_nattch >= 1 && ds.shm_nattch <= 64);
		if (r & 8)
			CHECK(w, !w->ipc->shmctl(id, IPC_RMID, NULL));
		CHECK(w, !w->ipc->shmdt(a));
	}
	return NULL;
}

static void remove_keys(const struct ipc *ipc)
{
	key_t key;

	for (key = 1; key <= 4; key++) {
		int id = ipc->shmget(key, 0, 0);

		if (id >= 0)
			ipc->shmctl(id, IPC_RMID, NULL);
	}
}

TEST_F_TIMEOUT(stress, threads, 120)
{
	struct worker w[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		w[i] = (struct worker){ variant->ipc, i + 100, 700, 0, NULL, 0 };
	run(_metadata, w, THREADS, everything);
	remove_keys(variant->ipc);
	nothing_left(_metadata, variant->ipc);
}

/* The same by processes, of which some are killed in the middle. */
TEST_F_TIMEOUT(stress, processes, 120)
{
	const struct ipc *ipc = variant->ipc;
	pid_t pid[6];
	int i, status;

	for (i = 0; i < 6; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			struct worker w = { ipc, i + 200, i % 2 ? 300 : 1u << 30, 0, NULL, 0 };

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			everything(&w);
			_exit(w.failed ? 1 : 0);
		}
	}
	/* The odd ones end by themselves; the others are then in the middle of it. */
	for (i = 1; i < 6; i += 2) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	for (i = 0; i < 6; i += 2)
		ASSERT_EQ(0, kill(pid[i], SIGKILL));
	for (i = 0; i < 6; i += 2) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(SIGKILL, status);
	}
	remove_keys(ipc);
	nothing_left(_metadata, ipc);
}

/* fork while other threads attach and detach: each child's share goes with it. */
static void *fork_and_reap(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < w->rounds; i++) {
		int status;
		pid_t pid = fork();

		CHECK(w, pid >= 0);
		if (!pid)
			_exit(0);
		CHECK(w, waitpid(pid, &status, 0) == pid && !status);
	}
	return NULL;
}

static void *churn(void *arg)
{
	return ((struct worker *)arg)->seed % 2 ? attach_detach(arg) : fork_and_reap(arg);
}

TEST_F_TIMEOUT(stress, fork, 120)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	struct worker w[THREADS];
	unsigned int i;
	char *a;

	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	for (i = 0; i < THREADS; i++)
		w[i] = (struct worker){ ipc, i, i % 2 ? 250 : 25, 0, &id, 1 };
	run(_metadata, w, THREADS, churn);
	EXPECT_EQ(1, shm_nattch(ipc, id));
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	ASSERT_EQ(0, ipc->shmdt(a));
	nothing_left(_metadata, ipc);
}

/* Two removers of each of many segments: exactly one succeeds. */
static void *remove_all(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	w->seed = 0;
	for (i = 0; i < w->n; i++) {
		if (!w->ipc->shmctl(w->ids[i], IPC_RMID, NULL))
			w->seed++;
		else
			CHECK(w, errno == EINVAL || errno == EIDRM);
	}
	return NULL;
}

TEST_F(stress, removers)
{
	enum { N = 500 };
	const struct ipc *ipc = variant->ipc;
	struct worker w[THREADS];
	static int ids[N];
	unsigned int i, sum = 0;

	for (i = 0; i < N; i++) {
		ids[i] = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
		ASSERT_LE(0, ids[i]);
	}
	for (i = 0; i < THREADS; i++)
		w[i] = (struct worker){ ipc, 0, 0, 0, ids, N };
	run(_metadata, w, THREADS, remove_all);
	for (i = 0; i < THREADS; i++)
		sum += w[i].seed;
	EXPECT_EQ(N, sum);
	nothing_left(_metadata, ipc);
}

/* Many racing for one key: one creates it, all get the same. */
static pthread_barrier_t barrier;

static void *create_exclusively(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	for (i = 0; i < w->rounds; i++) {
		int id;

		pthread_barrier_wait(&barrier);
		id = w->ipc->shmget(1000 + i, PAGE, IPC_CREAT | IPC_EXCL | 0600);
		if (id >= 0)
			__atomic_fetch_add(&w->ids[i], 1, __ATOMIC_RELAXED);
		else
			CHECK(w, errno == EEXIST);
	}
	return NULL;
}

TEST_F(stress, creators)
{
	enum { ROUNDS = 150 };
	const struct ipc *ipc = variant->ipc;
	struct worker w[THREADS];
	static int won[ROUNDS];
	unsigned int i;

	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, THREADS));
	for (i = 0; i < THREADS; i++)
		w[i] = (struct worker){ ipc, 0, ROUNDS, 0, won, 0 };
	run(_metadata, w, THREADS, create_exclusively);
	EXPECT_EQ(ROUNDS, shm_rows(ipc, NULL, 0));
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(1, won[i]);
		EXPECT_EQ(0, ipc->shmctl(ipc->shmget(1000 + i, 0, 0), IPC_RMID, NULL));
	}
	nothing_left(_metadata, ipc);
}

TEST_HARNESS_MAIN

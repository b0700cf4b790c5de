// SPDX-License-Identifier: GPL-2.0
/* SHM_LOCK and SHM_UNLOCK: the mode bit, the pages, the limit, the permission. */
#include "common/harness.h"
#include "common/mem.h"

#include <sys/resource.h>

IPC_FIXTURE(lock)

static const struct who owner = { .uid = 1000, .gid = 1000, .group = -1 };
static const struct who other = { .uid = 1001, .gid = 1001, .group = -1 };

static unsigned int mode_of(const struct ipc *ipc, int id)
{
	struct shmid_ds ds;

	return shm_stat(ipc, id, &ds) ? -1u : ds.shm_perm.mode;
}

TEST_F(lock, mode_bit)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0640);
	struct shm_row row;

	ASSERT_LE(0, id);
	EXPECT_EQ(0640, mode_of(ipc, id));
	EXPECT_EQ(0, ipc->shmctl(id, SHM_UNLOCK, NULL));
	EXPECT_EQ(0, ipc->shmctl(id, SHM_LOCK, NULL));
	EXPECT_EQ(0640 | SHM_LOCKED, mode_of(ipc, id));
	EXPECT_EQ(0, ipc->shmctl(id, SHM_LOCK, NULL));
	EXPECT_EQ(0640 | SHM_LOCKED, mode_of(ipc, id));
	ASSERT_EQ(1, shm_row_find(ipc, id, &row));
	EXPECT_EQ(0640 | SHM_LOCKED, row.mode);
	/* One unlock undoes any number of locks. */
	EXPECT_EQ(0, ipc->shmctl(id, SHM_UNLOCK, NULL));
	EXPECT_EQ(0640, mode_of(ipc, id));
	EXPECT_EQ(0, ipc->shmctl(id, SHM_UNLOCK, NULL));
	EXPECT_EQ(0640, mode_of(ipc, id));
}

/* IPC_SET leaves the bit alone, and so does IPC_RMID of a segment in use. */
TEST_F(lock, bit_survives)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0640);
	struct shmid_ds ds;
	char *a;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, ipc->shmctl(id, SHM_LOCK, NULL));
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	ds.shm_perm.mode = 0600;
	ASSERT_EQ(0, ipc->shmctl(id, IPC_SET, &ds));
	EXPECT_EQ(0600 | SHM_LOCKED, mode_of(ipc, id));
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ(0600 | SHM_LOCKED | SHM_DEST, mode_of(ipc, id));
	ASSERT_EQ(0, ipc->shmctl(id, SHM_UNLOCK, NULL));
	EXPECT_EQ(0600 | SHM_DEST, mode_of(ipc, id));
	ASSERT_EQ(0, ipc->shmctl(id, SHM_LOCK, NULL));
	ASSERT_EQ(0, ipc->shmdt(a));
	EXPECT_EQ(-1u, mode_of(ipc, id));
}

/* What is touched under the lock cannot be evicted; after the unlock it can. */
TEST_F(lock, pages)
{
	const struct ipc *ipc = variant->ipc;
	const uint64_t unevictable = 1ull << KPF_UNEVICTABLE;
	int id = ipc->shmget(IPC_PRIVATE, 4 * PAGE, 0600), i;
	char *a;

	ASSERT_LE(0, id);
	if (access("/proc/kpageflags", R_OK))
		SKIP(return, "no /proc/kpageflags in this kernel");
	stay_on_cpu();
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	a[0] = 1;
	lru_drain();
	ASSERT_NE(0, page_flags(a));
	EXPECT_EQ(0, page_flags(a) & unevictable);
	ASSERT_EQ(0, ipc->shmctl(id, SHM_LOCK, NULL));
	for (i = 1; i < 4; i++)
		a[i * PAGE] = 1;
	lru_drain();
	for (i = 1; i < 4; i++) {
		ASSERT_NE(0, page_flags(a + i * PAGE));
		EXPECT_EQ(unevictable, page_flags(a + i * PAGE) & unevictable);
	}
	ASSERT_EQ(0, ipc->shmctl(id, SHM_UNLOCK, NULL));
	lru_drain();
	for (i = 0; i < 4; i++) {
		ASSERT_NE(0, page_flags(a + i * PAGE));
		EXPECT_EQ(0, page_flags(a + i * PAGE) & unevictable);
	}
}

TEST_F(lock, permission)
{
	const struct ipc *ipc = variant->ipc;
	struct peer a, b;
	int id, roots;

	roots = ipc->shmget(IPC_PRIVATE, PAGE, 0666);
	ASSERT_LE(0, roots);
	ASSERT_EQ(0, peer_start(&a));
	ASSERT_EQ(0, peer_start(&b));
	ASSERT_EQ(0, peer_become(&a, &owner));
	ASSERT_EQ(0, peer_become(&b, &other));
	id = peer_shmget(&a, ipc, IPC_PRIVATE, PAGE, 0666);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id, SHM_LOCK, NULL));
	EXPECT_ERR(EPERM, peer_shmctl(&b, ipc, id, SHM_LOCK, NULL));
	EXPECT_ERR(EPERM, peer_shmctl(&b, ipc, id, SHM_UNLOCK, NULL));
	EXPECT_EQ(0666 | SHM_LOCKED, mode_of(ipc, id));
	EXPECT_ERR(EPERM, peer_shmctl(&a, ipc, roots, SHM_LOCK, NULL));
	EXPECT_EQ(0666, mode_of(ipc, roots));
	/* The mode gives no right to lock and takes none. */
	EXPECT_EQ(0, ipc->shmctl(id, SHM_UNLOCK, NULL));
	EXPECT_EQ(0666, mode_of(ipc, id));
	peer_end(&a, 0);
	peer_end(&b, 0);
}

static long set_memlock(long *arg, void *buf)
{
	struct rlimit r = { arg[0], arg[0] };

	(void)buf;
	return setrlimit(RLIMIT_MEMLOCK, &r);
}

TEST_F(lock, none_allowed)
{
	const struct ipc *ipc = variant->ipc;
	struct peer a;
	int id;

	ASSERT_EQ(0, peer_start(&a));
	ASSERT_EQ(0, peer_run(&a, set_memlock, 0, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_become(&a, &owner));
	id = peer_shmget(&a, ipc, IPC_PRIVATE, PAGE, 0600);
	ASSERT_LE(0, id);
	EXPECT_ERR(EPERM, peer_shmctl(&a, ipc, id, SHM_LOCK, NULL));
	EXPECT_EQ(0600, mode_of(ipc, id));
	/* Unlocking needs no allowance. */
	ASSERT_EQ(0, ipc->shmctl(id, SHM_LOCK, NULL));
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id, SHM_UNLOCK, NULL));
	EXPECT_EQ(0600, mode_of(ipc, id));
	peer_end(&a, 0);
}

/* The limit is the user's: over all segments and processes, and given back. */
TEST_F(lock, memlock_limit)
{
	const struct ipc *ipc = variant->ipc;
	struct peer a, b;
	int id[4], full, i;

	ASSERT_EQ(0, peer_start(&a));
	ASSERT_EQ(0, peer_start(&b));
	ASSERT_EQ(0, peer_run(&a, set_memlock, 16 * PAGE, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&b, set_memlock, 16 * PAGE, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_become(&a, &owner));
	ASSERT_EQ(0, peer_become(&b, &owner));
	for (i = 0; i < 4; i++) {
		id[i] = peer_shmget(&a, ipc, IPC_PRIVATE, i == 3 ? 17 * PAGE : 8 * PAGE, 0600);
		ASSERT_LE(0, id[i]);
	}
	/* What an earlier test's namespace had locked of the same user's goes a little after it. */
	full = peer_shmget(&a, ipc, IPC_PRIVATE, 16 * PAGE, 0600);
	ASSERT_LE(0, full);
	wait_until(!peer_shmctl(&a, ipc, full, SHM_LOCK, NULL) || errno != ENOMEM);
	EXPECT_EQ(0600 | SHM_LOCKED, mode_of(ipc, full));
	EXPECT_EQ(0, peer_shmctl(&a, ipc, full, SHM_UNLOCK, NULL));
	EXPECT_ERR(ENOMEM, peer_shmctl(&a, ipc, id[3], SHM_LOCK, NULL));
	EXPECT_EQ(0600, mode_of(ipc, id[3]));
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id[0], SHM_LOCK, NULL));
	/* Again is no second charge. */
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id[0], SHM_LOCK, NULL));
	EXPECT_EQ(0, peer_shmctl(&b, ipc, id[1], SHM_LOCK, NULL));
	EXPECT_ERR(ENOMEM, peer_shmctl(&a, ipc, id[2], SHM_LOCK, NULL));
	EXPECT_ERR(ENOMEM, peer_shmctl(&b, ipc, id[2], SHM_LOCK, NULL));
	EXPECT_EQ(0600, mode_of(ipc, id[2]));
	/* Unlocking gives back, whoever of the user's processes does it. */
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id[1], SHM_UNLOCK, NULL));
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id[2], SHM_LOCK, NULL));
	EXPECT_ERR(ENOMEM, peer_shmctl(&a, ipc, id[1], SHM_LOCK, NULL));
	/* So does destruction. */
	EXPECT_EQ(0, peer_shmctl(&b, ipc, id[2], IPC_RMID, NULL));
	EXPECT_EQ(0, peer_shmctl(&b, ipc, id[1], SHM_LOCK, NULL));
	/* And root's unlock gives back to the one who locked. */
	EXPECT_EQ(0, ipc->shmctl(id[1], SHM_UNLOCK, NULL));
	EXPECT_EQ(0, ipc->shmctl(id[0], SHM_UNLOCK, NULL));
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id[0], SHM_LOCK, NULL));
	EXPECT_EQ(0, peer_shmctl(&a, ipc, id[1], SHM_LOCK, NULL));
	peer_end(&a, 0);
	peer_end(&b, SIGKILL);
	/* The lock is the segment's: it outlives who locked. */
	EXPECT_EQ(0600 | SHM_LOCKED, mode_of(ipc, id[0]));
	EXPECT_EQ(0600 | SHM_LOCKED, mode_of(ipc, id[1]));
}

/* A namespace that ends with locked segments gives all of it back. */
static int lock_and_leave(void *arg)
{
	const struct rlimit r = { 16 * PAGE, 16 * PAGE };
	const struct ipc *ipc = arg;
	int id;

	if (unshare(CLONE_NEWIPC) || setrlimit(RLIMIT_MEMLOCK, &r) || become(&owner))
		return 1;
	id = ipc->shmget(IPC_PRIVATE, 16 * PAGE, 0600);
	if (id < 0)
		return 2;
	/* The previous round's namespace may end a little after its process. */
	wait_until(!ipc->shmctl(id, SHM_LOCK, NULL) || errno != ENOMEM);
	return mode_of(ipc, id) == (0600 | SHM_LOCKED) ? 0 : 3;
}

TEST_F(lock, given_back_by_namespace)
{
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, in_child(lock_and_leave, (void *)variant->ipc));
}

TEST_HARNESS_MAIN

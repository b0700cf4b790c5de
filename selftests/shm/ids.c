// SPDX-License-Identifier: GPL-2.0
/* Which ids segments get, and which ids stand for nothing. */
#include "common/harness.h"

#include <limits.h>

#define INDEX(id)	((id) & ((1 << 24) - 1))

IPC_FIXTURE(ids)

/* Every call refuses an id that names nothing, and changes nothing by it. */
static void refused(struct __test_metadata *_metadata, const struct ipc *ipc, int id)
{
	struct shmid_ds ds, poison;

	memset(&poison, POISON, sizeof(poison));
	ds = poison;
	EXPECT_ERR(EINVAL, ipc->shmat(id, NULL, 0));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(0, memcmp(&ds, &poison, sizeof(ds)));
	memset(&ds, 0, sizeof(ds));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_SET, &ds));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, SHM_LOCK, NULL));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, SHM_UNLOCK, NULL));
}

TEST_F(ids, stale)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0600);

	ASSERT_LE(0, id);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	refused(_metadata, ipc, id);
}

/* The index in use again under another sequence number: the old id stays stale. */
TEST_F(ids, stale_index_reused)
{
	const struct ipc *ipc = variant->ipc;
	int shift = variant->ipc == &ipc_kipc || native_ids_extended() ? 24 : 15;
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0600), other;
	struct shmid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shm_next_id", id + (1 << shift)));
	other = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	ASSERT_EQ(id + (1 << shift), other);
	refused(_metadata, ipc, id);
	refused(_metadata, ipc, id + (2 << shift));
	EXPECT_EQ(0, shm_stat(ipc, other, &ds));
	/* By index the sequence number does not matter. */
	EXPECT_EQ(other, ipc->shmctl(id, SHM_STAT, &ds));
	EXPECT_EQ(other, ipc->shmctl(id + (2 << shift), SHM_STAT_ANY, &ds));
}

TEST_F(ids, never_seen)
{
	const struct ipc *ipc = variant->ipc;
	static const int bad[] = { -1, INT_MIN, INT_MAX, 1, 12345, 1 << 24, (1 << 24) + 1 };
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	unsigned int i;

	ASSERT_EQ(0, id);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused(_metadata, ipc, bad[i]);
	EXPECT_EQ(0, shm_nattch(ipc, id));
}

TEST_F(ids, of_other_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int mine = ipc->shmget(IPC_PRIVATE, PAGE, 0600), ids[3], i;

	ASSERT_LE(0, mine);
	for (i = 0; i < 3; i++) {
		ids[i] = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
		ASSERT_LE(0, ids[i]);
	}
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* A fresh namespace counts from the start. */
	EXPECT_EQ(mine, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	for (i = 0; i < 3; i++)
		refused(_metadata, ipc, ids[i]);
}

/* shm_next_id: the id wanted next, once. */
TEST_F(ids, next_id)
{
	const struct ipc *ipc = variant->ipc;
	int id, again;

	EXPECT_EQ(-1, ipc_limit_get(ipc, "shm_next_id"));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shm_next_id", 777));
	EXPECT_EQ(777, ipc_limit_get(ipc, "shm_next_id"));
	id = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	EXPECT_EQ(777, id);
	EXPECT_EQ(-1, ipc_limit_get(ipc, "shm_next_id"));
	/* Taken: the next free index above it, and only for this once. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "shm_next_id", 777));
	again = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	EXPECT_EQ(778, again);
	EXPECT_EQ(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	EXPECT_EQ(-EINVAL, ipc_limit_set(ipc, "shm_next_id", -2));
	EXPECT_EQ(-1, ipc_limit_get(ipc, "shm_next_id"));
}

/* IPC_INFO and SHM_INFO return the highest index in use. */
TEST_F(ids, highest_index)
{
	const struct ipc *ipc = variant->ipc;
	struct shminfo lim;
	struct shm_info info;
	int id[5], i;

	EXPECT_EQ(0, ipc->shmctl(0, IPC_INFO, (struct shmid_ds *)&lim));
	for (i = 0; i < 5; i++) {
		id[i] = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
		ASSERT_LE(0, id[i]);
		EXPECT_EQ(INDEX(id[i]), ipc->shmctl(0, IPC_INFO, (struct shmid_ds *)&lim));
	}
	ASSERT_EQ(0, ipc->shmctl(id[3], IPC_RMID, NULL));
	EXPECT_EQ(INDEX(id[4]), ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	ASSERT_EQ(0, ipc->shmctl(id[4], IPC_RMID, NULL));
	EXPECT_EQ(INDEX(id[2]), ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(INDEX(id[2]), ipc->shmctl(0, IPC_INFO, (struct shmid_ds *)&lim));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, ipc->shmctl(id[i], IPC_RMID, NULL));
	EXPECT_EQ(0, ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(0, info.used_ids);
}

/*
 * The same random creations and removals on both give the same ids throughout:
 * indexes, sequence numbers, and where they wrap.
 */
TEST_LONG(diff_progression)
{
	enum { MOST = 5000, STEPS = 12000 };
	static int native[MOST], kipc[MOST];
	int n = 0, i;
	unsigned int seed = 20240611;

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, ipc_limit_set(&ipc_native, "shmmni", MOST));
	ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, "shmmni", MOST));
	for (i = 0; i < STEPS; i++) {
		/* Now growing, now shrinking, so that the cycle grows and shrinks too. */
		int grow = i / (STEPS / 3) % 2 ? 30 : 90;

		if (n < MOST && (!n || (int)(rand_r(&seed) % 100) < grow)) {
			native[n] = shmget(IPC_PRIVATE, 1, 0600);
			kipc[n] = ipc_kipc.shmget(IPC_PRIVATE, 1, 0600);
			ASSERT_LE(0, native[n]);
			ASSERT_EQ(native[n], kipc[n])
				TH_LOG("step %d with %d segments", i, n);
			n++;
		} else {
			int victim = rand_r(&seed) % n;

			ASSERT_EQ(0, shmctl(native[victim], IPC_RMID, NULL));
			ASSERT_EQ(0, ipc_kipc.shmctl(kipc[victim], IPC_RMID, NULL));
			native[victim] = native[--n];
			kipc[victim] = kipc[n];
		}
		if (i % 97 == 0) {
			struct shm_info a, b;
			int ra, rb;

			memset(&a, POISON, sizeof(a));
			memset(&b, POISON, sizeof(b));
			ra = shmctl(0, SHM_INFO, (struct shmid_ds *)&a);
			rb = ipc_kipc.shmctl(0, SHM_INFO, (struct shmid_ds *)&b);
			EXPECT_EQ(ra, rb);
			EXPECT_EQ(n, b.used_ids);
			EXPECT_EQ(a.shm_tot, b.shm_tot);
		}
	}
}

/* Where the numbers end: the last sequence number, the last index, and what is beyond. */
TEST(diff_next_id_corners)
{
	static const long long next[] = { 0, 0, 5, 1 << 24, (127 << 24) | 5, (127 << 24) | 5,
		(1 << 24) - 1, (1 << 24) - 1, INT_MAX, INT_MAX, INT_MAX - 1, 4095, 4096, 0 };
	unsigned int i, j;

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (i = 0; i < ARRAY_SIZE(next); i++) {
		struct shm_info info;
		int n, o, nerr, oerr;

		ASSERT_EQ(0, ipc_limit_set(&ipc_native, "shm_next_id", next[i]));
		ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, "shm_next_id", next[i]));
		/* The one that was asked for, and two that follow. */
		for (j = 0; j < 3; j++) {
			errno = 0;
			n = shmget(IPC_PRIVATE, 1, 0600);
			nerr = errno;
			errno = 0;
			o = ipc_kipc.shmget(IPC_PRIVATE, 1, 0600);
			oerr = errno;
			EXPECT_EQ(n, o)
				TH_LOG("next id %lld, creation %u", next[i], j);
			EXPECT_EQ(nerr, oerr);
			EXPECT_EQ(ipc_limit_get(&ipc_native, "shm_next_id"),
				  ipc_limit_get(&ipc_kipc, "shm_next_id"));
		}
		EXPECT_EQ(shmctl(0, SHM_INFO, (struct shmid_ds *)&info),
			  ipc_kipc.shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
		EXPECT_EQ(shm_rows(&ipc_native, NULL, 0), shm_rows(&ipc_kipc, NULL, 0));
	}
}

/* All sequence numbers and round again: half a million creations, so only when asked for. */
TEST_LONG(diff_sequence_wraps)
{
	int n, o, i;

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (i = 0; i < (getenv("KIPC_LONG") ? 130 * 4096 : 4096 + 300); i++) {
		n = shmget(IPC_PRIVATE, 1, 0600);
		o = ipc_kipc.shmget(IPC_PRIVATE, 1, 0600);
		ASSERT_LE(0, n);
		ASSERT_EQ(n, o)
			TH_LOG("creation %d", i);
		ASSERT_EQ(0, shmctl(n, IPC_RMID, NULL));
		ASSERT_EQ(0, ipc_kipc.shmctl(o, IPC_RMID, NULL));
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* shmget(2): keys, sizes, flags, and what a new segment looks like. */
#include "common/harness.h"

#include <limits.h>
#include <time.h>

#define KEY	0x1234

IPC_FIXTURE(get)

TEST_F(get, private_is_always_new)
{
	const struct ipc *ipc = variant->ipc;
	int a = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	int b = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	int c = ipc->shmget(IPC_PRIVATE, PAGE, IPC_CREAT | IPC_EXCL | 0600);

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_LE(0, c);
	EXPECT_NE(a, b);
	EXPECT_NE(a, c);
	EXPECT_NE(b, c);
	EXPECT_EQ(3, shm_rows(ipc, NULL, 0));
}

TEST_F(get, new_segment)
{
	const struct ipc *ipc = variant->ipc;
	time_t before = stamp_now(), after;
	struct shmid_ds ds;
	int id;

	/* The effective ids count, not the real ones. */
	ASSERT_EQ(0, setresgid(-1, 1001, -1));
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	id = ipc->shmget(KEY, 5000, IPC_CREAT | 0654);
	ASSERT_LE(0, id);
	after = stamp_now();
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(KEY, ds.shm_perm.__key);
	EXPECT_EQ(1000, ds.shm_perm.uid);
	EXPECT_EQ(1000, ds.shm_perm.cuid);
	EXPECT_EQ(1001, ds.shm_perm.gid);
	EXPECT_EQ(1001, ds.shm_perm.cgid);
	EXPECT_EQ(0654, ds.shm_perm.mode);
	EXPECT_EQ(5000, ds.shm_segsz);
	EXPECT_EQ(0, ds.shm_atime);
	EXPECT_EQ(0, ds.shm_dtime);
	EXPECT_LE(before, ds.shm_ctime);
	EXPECT_GE(after, ds.shm_ctime);
	EXPECT_EQ(getpid(), ds.shm_cpid);
	EXPECT_EQ(0, ds.shm_lpid);
	EXPECT_EQ(0, ds.shm_nattch);
	ASSERT_EQ(0, setresuid(-1, 0, -1));
}

TEST_F(get, find_by_key)
{
	const struct ipc *ipc = variant->ipc;
	int id;

	EXPECT_ERR(ENOENT, ipc->shmget(KEY, PAGE, 0600));
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, PAGE, IPC_EXCL | 0600));
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, 0, 0));
	id = ipc->shmget(KEY, 2 * PAGE, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, id);
	EXPECT_EQ(id, ipc->shmget(KEY, 2 * PAGE, 0600));
	EXPECT_EQ(id, ipc->shmget(KEY, 2 * PAGE, 0));
	EXPECT_EQ(id, ipc->shmget(KEY, 2 * PAGE, IPC_CREAT | 0600));
	EXPECT_EQ(id, ipc->shmget(KEY, 2 * PAGE, IPC_EXCL | 0600));
	EXPECT_ERR(EEXIST, ipc->shmget(KEY, 2 * PAGE, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(ENOENT, ipc->shmget(KEY + 1, PAGE, 0600));
	EXPECT_EQ(1, shm_rows(ipc, NULL, 0));

	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, PAGE, 0600));
	EXPECT_NE(id, ipc->shmget(KEY, PAGE, IPC_CREAT | 0600));
}

TEST_F(get, size_of_existing)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(KEY, 5000, IPC_CREAT | 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(id, ipc->shmget(KEY, 0, 0600));
	EXPECT_EQ(id, ipc->shmget(KEY, 1, 0600));
	EXPECT_EQ(id, ipc->shmget(KEY, 5000, 0600));
	/* Not even to the end of its last page. */
	EXPECT_ERR(EINVAL, ipc->shmget(KEY, 5001, 0600));
	EXPECT_ERR(EINVAL, ipc->shmget(KEY, 5001, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->shmget(KEY, SIZE_MAX, 0600));
	/* That it exists comes before its size. */
	EXPECT_ERR(EEXIST, ipc->shmget(KEY, SIZE_MAX, IPC_CREAT | IPC_EXCL | 0600));
}

TEST_F(get, size_of_new)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t good[] = { 1, 4095, 4096, 4097, 1 << 20 };
	struct shmid_ds ds;
	unsigned int i;

	EXPECT_ERR(EINVAL, ipc->shmget(IPC_PRIVATE, 0, 0600));
	EXPECT_ERR(EINVAL, ipc->shmget(KEY, 0, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->shmget(IPC_PRIVATE, SIZE_MAX, 0600));
	EXPECT_ERR(EINVAL, ipc->shmget(IPC_PRIVATE, SIZE_MAX - (1 << 24) + 1, 0600));
	/* More than any file may have, and more than there is memory. */
	EXPECT_EQ(-1, ipc->shmget(IPC_PRIVATE, SIZE_MAX / 2 + 1, 0600));
	EXPECT_ERR(ENOMEM, ipc->shmget(IPC_PRIVATE, 1ul << 60, 0600));
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, 0, 0));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		int id = ipc->shmget(IPC_PRIVATE, good[i], 0600);

		ASSERT_LE(0, id);
		ASSERT_EQ(0, shm_stat(ipc, id, &ds));
		EXPECT_EQ(good[i], ds.shm_segsz);
	}
}

TEST_F(get, keys)
{
	const struct ipc *ipc = variant->ipc;
	static const key_t keys[] = { 1, -1, INT_MAX, INT_MIN, 0x01000000, (key_t)0xdeadbeef };
	int id[ARRAY_SIZE(keys)];
	struct shm_row row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		id[i] = ipc->shmget(keys[i], PAGE, IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i]);
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		EXPECT_EQ(id[i], ipc->shmget(keys[i], 0, 0));
		ASSERT_EQ(1, shm_row_find(ipc, id[i], &row));
		EXPECT_EQ(keys[i], row.key);
	}
}

/* Only the nine bits of permission are kept; bits without a meaning are ignored. */
TEST_F(get, mode_bits)
{
	const struct ipc *ipc = variant->ipc;
	static const int flags[] = { 0, 0777, 0111, 0400, SHM_DEST | 0600, SHM_LOCKED | 0600,
				     0x100000 | 0640, SHM_RDONLY | 0640, 0x3f << 26 | 0640 };
	struct shmid_ds ds;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		int id = ipc->shmget(IPC_PRIVATE, PAGE, flags[i] & ~SHM_HUGETLB);

		ASSERT_LE(0, id)
			TH_LOG("flags %#x", flags[i]);
		ASSERT_EQ(0, shm_stat(ipc, id, &ds));
		EXPECT_EQ(flags[i] & 0777, ds.shm_perm.mode);
	}
}

/* The mode in the flags of a lookup asks for those rights. */
TEST_F(get, mode_asks_for_rights)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who other = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = ipc->shmget(KEY, PAGE, IPC_CREAT | 0604);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &other));
	EXPECT_EQ(id, peer_shmget(&p, ipc, KEY, PAGE, 0));
	EXPECT_EQ(id, peer_shmget(&p, ipc, KEY, PAGE, 0400));
	EXPECT_EQ(id, peer_shmget(&p, ipc, KEY, PAGE, 0444));
	EXPECT_EQ(id, peer_shmget(&p, ipc, KEY, PAGE, 0004));
	EXPECT_ERR(EACCES, peer_shmget(&p, ipc, KEY, PAGE, 0200));
	EXPECT_ERR(EACCES, peer_shmget(&p, ipc, KEY, PAGE, 0600));
	EXPECT_ERR(EACCES, peer_shmget(&p, ipc, KEY, PAGE, 0002));
	EXPECT_ERR(EACCES, peer_shmget(&p, ipc, KEY, PAGE, 0100));
	EXPECT_ERR(EACCES, peer_shmget(&p, ipc, KEY, PAGE, IPC_CREAT | 0600));
	/* The order of the checks: existence, size, rights. */
	EXPECT_ERR(EEXIST, peer_shmget(&p, ipc, KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(EINVAL, peer_shmget(&p, ipc, KEY, 2 * PAGE, 0600));
	peer_end(&p, 0);
}

/* The namespace is the caller's, and its creator has no say in another. */
TEST_F(get, other_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(KEY, PAGE, IPC_CREAT | 0666);
	struct shmid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, PAGE, 0));
	EXPECT_ERR(EINVAL, ipc->shmat(id, NULL, 0));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_STAT, &ds));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
}

/* Every size and flag on both: the same outcome, and the same segment. */
TEST(diff_sizes_and_flags)
{
	static const size_t sizes[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1, 1ul << 31, 1ul << 40,
		1ul << 47, 1ul << 60, 1ul << 62, LONG_MAX, LONG_MAX - PAGE, 1ul << 63,
		SIZE_MAX - (1 << 24) - PAGE, SIZE_MAX - (1 << 24), SIZE_MAX - (1 << 24) + 1,
		SIZE_MAX - PAGE + 1, SIZE_MAX };
	static const int flags[] = { 0600, IPC_CREAT | 0600, SHM_NORESERVE | IPC_CREAT | 0600,
				     IPC_CREAT | IPC_EXCL | 0, SHM_NORESERVE };
	static const key_t keys[] = { IPC_PRIVATE, KEY };
	unsigned int i, j, k;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++)
			for (k = 0; k < ARRAY_SIZE(keys); k++) {
				int n, o, nerr, oerr;
				struct shmid_ds ds;

				n = shmget(keys[k], sizes[i], flags[j]);
				nerr = n < 0 ? errno : 0;
				o = ipc_kipc.shmget(keys[k], sizes[i], flags[j]);
				oerr = o < 0 ? errno : 0;
				EXPECT_EQ(nerr, oerr)
					TH_LOG("key %d size %#zx flags %#o: native %d (%s), kipc %d (%s)",
					       keys[k], sizes[i], flags[j], n, strerror(nerr), o,
					       strerror(oerr));
				if (!oerr) {
					EXPECT_EQ(0, shm_stat(&ipc_kipc, o, &ds));
					EXPECT_EQ(sizes[i], ds.shm_segsz);
					EXPECT_EQ(0, ipc_kipc.shmctl(o, IPC_RMID, NULL));
				}
				if (!nerr)
					shmctl(n, IPC_RMID, NULL);
			}
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* semget(2): keys, numbers of semaphores, flags, and what a new set looks like. */
#include "common/harness.h"

#include <limits.h>
#include <stdlib.h>

#define KEY	0x1234

IPC_FIXTURE(get)

TEST_F(get, private_is_always_new)
{
	const struct ipc *ipc = variant->ipc;
	int a = ipc->semget(IPC_PRIVATE, 1, 0600);
	int b = ipc->semget(IPC_PRIVATE, 1, 0600);
	int c = ipc->semget(IPC_PRIVATE, 1, IPC_CREAT | IPC_EXCL | 0600);

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_LE(0, c);
	EXPECT_NE(a, b);
	EXPECT_NE(a, c);
	EXPECT_NE(b, c);
	EXPECT_EQ(3, sem_rows(ipc, NULL, 0));
	/* Kinds do not mix. */
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
}

TEST_F(get, new_set)
{
	const struct ipc *ipc = variant->ipc;
	time_t before = stamp_now(), after;
	struct semid_ds ds;
	int id, i;

	/* The effective ids count, not the real ones. */
	ASSERT_EQ(0, setresgid(-1, 1001, -1));
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	id = ipc->semget(KEY, 5, IPC_CREAT | 0654);
	ASSERT_LE(0, id);
	after = stamp_now();
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(KEY, ds.sem_perm.__key);
	EXPECT_EQ(1000, ds.sem_perm.uid);
	EXPECT_EQ(1000, ds.sem_perm.cuid);
	EXPECT_EQ(1001, ds.sem_perm.gid);
	EXPECT_EQ(1001, ds.sem_perm.cgid);
	EXPECT_EQ(0654, ds.sem_perm.mode);
	EXPECT_EQ(5, ds.sem_nsems);
	EXPECT_EQ(0, ds.sem_otime);
	EXPECT_LE(before, ds.sem_ctime);
	EXPECT_GE(after, ds.sem_ctime);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, sem_val(ipc, id, i));
		EXPECT_EQ(0, sem_pid(ipc, id, i));
		EXPECT_EQ(0, sem_ncnt(ipc, id, i));
		EXPECT_EQ(0, sem_zcnt(ipc, id, i));
	}
	ASSERT_EQ(0, setresuid(-1, 0, -1));
}

TEST_F(get, find_by_key)
{
	const struct ipc *ipc = variant->ipc;
	int id;

	EXPECT_ERR(ENOENT, ipc->semget(KEY, 1, 0600));
	EXPECT_ERR(ENOENT, ipc->semget(KEY, 1, IPC_EXCL | 0600));
	EXPECT_ERR(ENOENT, ipc->semget(KEY, 0, 0));
	id = ipc->semget(KEY, 2, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, id);
	EXPECT_EQ(id, ipc->semget(KEY, 2, 0600));
	EXPECT_EQ(id, ipc->semget(KEY, 2, 0));
	EXPECT_EQ(id, ipc->semget(KEY, 2, IPC_CREAT | 0600));
	EXPECT_EQ(id, ipc->semget(KEY, 2, IPC_EXCL | 0600));
	EXPECT_ERR(EEXIST, ipc->semget(KEY, 2, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(ENOENT, ipc->semget(KEY + 1, 1, 0600));
	EXPECT_EQ(1, sem_rows(ipc, NULL, 0));
	/* A segment of the same key is another thing. */
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, 0, 0));
	EXPECT_LE(0, ipc->shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_EQ(id, ipc->semget(KEY, 0, 0));

	ASSERT_EQ(0, sem_rmid(ipc, id));
	EXPECT_ERR(ENOENT, ipc->semget(KEY, 1, 0600));
	EXPECT_NE(id, ipc->semget(KEY, 1, IPC_CREAT | 0600));
	EXPECT_LE(0, ipc->shmget(KEY, 0, 0));
}

TEST_F(get, nsems_of_existing)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(KEY, 10, IPC_CREAT | 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(id, ipc->semget(KEY, 0, 0600));
	EXPECT_EQ(id, ipc->semget(KEY, 1, 0600));
	EXPECT_EQ(id, ipc->semget(KEY, 10, 0600));
	EXPECT_EQ(id, ipc->semget(KEY, 10, IPC_CREAT | 0600));
	EXPECT_EQ(id, ipc->semget(KEY, 0, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(KEY, 11, 0600));
	EXPECT_ERR(EINVAL, ipc->semget(KEY, 11, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(KEY, 32000, 0600));
	/* That it exists comes before its size, but after what no set may be. */
	EXPECT_ERR(EEXIST, ipc->semget(KEY, 11, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(KEY, 32001, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(KEY, -1, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(KEY, -1, 0));
	EXPECT_ERR(EINVAL, ipc->semget(KEY, INT_MAX, 0));
	/* And before whether there is any. */
	EXPECT_ERR(EINVAL, ipc->semget(KEY + 1, -1, 0));
	EXPECT_ERR(EINVAL, ipc->semget(KEY + 1, 32001, 0));
}

TEST_F(get, nsems_of_new)
{
	const struct ipc *ipc = variant->ipc;
	static const int good[] = { 1, 2, 63, 64, 65, 255, 256, 257, 1000, 32000 };
	static const int bad[] = { 0, -1, INT_MIN, INT_MAX, 32001, 65536, 1 << 24 };
	struct semid_ds ds;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EINVAL, ipc->semget(IPC_PRIVATE, bad[i], 0600));
		EXPECT_ERR(EINVAL, ipc->semget(KEY, bad[i], IPC_CREAT | 0600));
	}
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
	EXPECT_ERR(ENOENT, ipc->semget(KEY, 0, 0));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		int id = ipc->semget(IPC_PRIVATE, good[i], 0600);

		ASSERT_LE(0, id);
		ASSERT_EQ(0, sem_stat(ipc, id, &ds));
		EXPECT_EQ(good[i], ds.sem_nsems);
		EXPECT_EQ(0, sem_val(ipc, id, good[i] - 1));
		EXPECT_ERR(EINVAL, sem_val(ipc, id, good[i]));
		/* The last one is as good as the first. */
		EXPECT_EQ(0, semop1(ipc, id, good[i] - 1, 3, 0));
		EXPECT_EQ(3, sem_val(ipc, id, good[i] - 1));
		EXPECT_ERR(EFBIG, semop1(ipc, id, good[i], 1, 0));
	}
}

/* Every semaphore of the largest set there is, one by one and all at once. */
TEST_F(get, largest)
{
	enum { N = 32000 };
	const struct ipc *ipc = variant->ipc;
	unsigned short *v = malloc((N + 1) * sizeof(*v));
	int id = ipc->semget(IPC_PRIVATE, N, 0600), i;

	ASSERT_LE(0, id);
	ASSERT_NE(NULL, v);
	memset(v, POISON, (N + 1) * sizeof(*v));
	ASSERT_EQ(0, sem_getall(ipc, id, v));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, v[i]);
	EXPECT_EQ(POISON << 8 | POISON, v[N]);
	for (i = 0; i < N; i += 7)
		ASSERT_EQ(0, semop1(ipc, id, i, 1 + i % 5, 0));
	ASSERT_EQ(0, sem_getall(ipc, id, v));
	for (i = 0; i < N; i++)
		ASSERT_EQ(i % 7 ? 0 : 1 + i % 5, v[i]);
	for (i = 0; i < N; i++)
		v[i] = (i * 31) % (SEMVMX + 1);
	ASSERT_EQ(0, sem_setall(ipc, id, v));
	for (i = 0; i < N; i += 97)
		ASSERT_EQ((i * 31) % (SEMVMX + 1), sem_val(ipc, id, i));
	free(v);
}

TEST_F(get, keys)
{
	const struct ipc *ipc = variant->ipc;
	static const key_t keys[] = { 1, -1, INT_MAX, INT_MIN, 0x01000000, (key_t)0xdeadbeef };
	int id[ARRAY_SIZE(keys)];
	struct sem_row row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		id[i] = ipc->semget(keys[i], 1, IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i]);
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		EXPECT_EQ(id[i], ipc->semget(keys[i], 0, 0));
		ASSERT_EQ(1, sem_row_find(ipc, id[i], &row));
		EXPECT_EQ(keys[i], row.key);
	}
}

TEST_F(get, many)
{
	enum { N = 3000 };
	const struct ipc *ipc = variant->ipc;
	static int id[N];
	int i;

	for (i = 0; i < N; i++) {
		id[i] = ipc->semget(i * 7919 + 1, 1 + i % 10, IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i]);
	}
	EXPECT_EQ(N, sem_rows(ipc, NULL, 0));
	for (i = 0; i < N; i++)
		ASSERT_EQ(id[i], ipc->semget(i * 7919 + 1, 1 + i % 10, 0600));
	for (i = 0; i < N; i += 2)
		ASSERT_EQ(0, sem_rmid(ipc, id[i]));
	for (i = 0; i < N; i++)
		ASSERT_EQ(i % 2 ? id[i] : -1, ipc->semget(i * 7919 + 1, 0, 0));
	EXPECT_EQ(N / 2, sem_rows(ipc, NULL, 0));
}

/* Only the nine bits of permission are kept; bits without a meaning are ignored. */
TEST_F(get, mode_bits)
{
	const struct ipc *ipc = variant->ipc;
	static const int flags[] = { 0, 0777, 0111, 0400, 01000 | 0600, 0100000 | 0640,
				     SEM_UNDO | 0640, IPC_NOWAIT | 0640, 0x3f << 26 | 0640,
				     0x7ffff000 | 0421 };
	struct semid_ds ds;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		int id = ipc->semget(IPC_PRIVATE, 1, flags[i]);

		ASSERT_LE(0, id)
			TH_LOG("flags %#x", flags[i]);
		ASSERT_EQ(0, sem_stat(ipc, id, &ds));
		EXPECT_EQ(flags[i] & 0777, ds.sem_perm.mode);
	}
}

/* The mode in the flags of a lookup asks for those rights. */
TEST_F(get, mode_asks_for_rights)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who other = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = ipc->semget(KEY, 1, IPC_CREAT | 0604);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &other));
	EXPECT_EQ(id, peer_semget(&p, ipc, KEY, 1, 0));
	EXPECT_EQ(id, peer_semget(&p, ipc, KEY, 1, 0400));
	EXPECT_EQ(id, peer_semget(&p, ipc, KEY, 1, 0444));
	EXPECT_EQ(id, peer_semget(&p, ipc, KEY, 1, 0004));
	EXPECT_ERR(EACCES, peer_semget(&p, ipc, KEY, 1, 0200));
	EXPECT_ERR(EACCES, peer_semget(&p, ipc, KEY, 1, 0600));
	EXPECT_ERR(EACCES, peer_semget(&p, ipc, KEY, 1, 0002));
	EXPECT_ERR(EACCES, peer_semget(&p, ipc, KEY, 1, 0100));
	EXPECT_ERR(EACCES, peer_semget(&p, ipc, KEY, 1, IPC_CREAT | 0600));
	/* The order of the checks: existence, size, rights. */
	EXPECT_ERR(EEXIST, peer_semget(&p, ipc, KEY, 1, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(EINVAL, peer_semget(&p, ipc, KEY, 2, 0600));
	peer_end(&p, 0);
}

/* A set is made for whoever asks, with the rights of its mode: here none, not even to itself. */
TEST_F(get, no_rights_of_ones_own)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct semid_ds ds;
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	id = peer_semget(&p, ipc, KEY, 1, IPC_CREAT | IPC_EXCL);
	ASSERT_LE(0, id);
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, 1, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 0, SETVAL, 1));
	EXPECT_ERR(EACCES, peer_sem_stat(&p, ipc, id, &ds));
	EXPECT_EQ(id, peer_semget(&p, ipc, KEY, 1, 0));
	EXPECT_ERR(EACCES, peer_semget(&p, ipc, KEY, 1, 0400));
	/* But it is the owner. */
	memset(&ds, 0, sizeof(ds));
	ds.sem_perm.uid = ds.sem_perm.gid = 1000;
	ds.sem_perm.mode = 0200;
	EXPECT_EQ(0, peer_sem_set(&p, ipc, id, &ds));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	EXPECT_EQ(0, peer_semctl(&p, ipc, id, 0, IPC_RMID, 0));
	peer_end(&p, 0);
}

/* The namespace is the caller's, and its creator has no say in another. */
TEST_F(get, other_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(KEY, 1, IPC_CREAT | 0666);
	struct semid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_ERR(ENOENT, ipc->semget(KEY, 1, 0));
	EXPECT_ERR(EINVAL, semop1(ipc, id, 0, 1, 0));
	EXPECT_ERR(EINVAL, sem_stat(ipc, id, &ds));
	EXPECT_ERR(EINVAL, sem_setval(ipc, id, 0, 1));
	EXPECT_ERR(EINVAL, sem_rmid(ipc, id));
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

/* Every number and flag on both: the same outcome, and the same set. */
TEST(diff_nsems_and_flags)
{
	static const int nsems[] = { 0, 1, 2, 250, 31999, 32000, 32001, 65535, 65536, INT_MAX, -1,
				     -32000, INT_MIN };
	static const int flags[] = { 0600, IPC_CREAT | 0600, IPC_CREAT | IPC_EXCL | 0600,
				     IPC_CREAT | IPC_EXCL | 0, IPC_EXCL | 0666, -1 };
	static const key_t keys[] = { IPC_PRIVATE, KEY, KEY + 1 };
	unsigned int i, j, k;

	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LE(0, semget(KEY + 1, 2, IPC_CREAT | 0640));
	ASSERT_LE(0, ipc_kipc.semget(KEY + 1, 2, IPC_CREAT | 0640));
	for (i = 0; i < ARRAY_SIZE(nsems); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++)
			for (k = 0; k < ARRAY_SIZE(keys); k++) {
				int n, o, nerr, oerr;

				n = semget(keys[k], nsems[i], flags[j]);
				nerr = n < 0 ? errno : 0;
				o = ipc_kipc.semget(keys[k], nsems[i], flags[j]);
				oerr = o < 0 ? errno : 0;
				EXPECT_EQ(nerr, oerr)
					TH_LOG("key %d nsems %d flags %#o: native %d (%s), kipc %d (%s)",
					       keys[k], nsems[i], flags[j], n, strerror(nerr), o,
					       strerror(oerr));
				if (keys[k] == KEY + 1)
					continue;
				if (!oerr) {
					struct semid_ds ds;

					EXPECT_EQ(0, sem_stat(&ipc_kipc, o, &ds));
					EXPECT_EQ(nsems[i], ds.sem_nsems);
					EXPECT_EQ(0, sem_rmid(&ipc_kipc, o));
				}
				if (!nerr)
					sem_rmid(&ipc_native, n);
			}
	EXPECT_EQ(1, sem_rows(&ipc_kipc, NULL, 0));
}

TEST_HARNESS_MAIN

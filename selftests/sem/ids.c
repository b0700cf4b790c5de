// SPDX-License-Identifier: GPL-2.0
/* Which ids sets get, and which ids stand for nothing. */
#include "common/harness.h"

#include <limits.h>

#define INDEX(id)	((id) & ((1 << 24) - 1))

IPC_FIXTURE(ids)

/* Every call refuses an id that names nothing, and changes nothing by it. */
static void refused(struct __test_metadata *_metadata, const struct ipc *ipc, int id)
{
	static const int cmds[] = { GETVAL, GETPID, GETNCNT, GETZCNT, IPC_RMID };
	unsigned short vals[4] = { 1, 1, 1, 1 };
	struct semid_ds ds, poison;
	unsigned int i;

	memset(&poison, POISON, sizeof(poison));
	ds = poison;
	EXPECT_ERR(EINVAL, semop1(ipc, id, 0, 1, 0));
	EXPECT_ERR(EINVAL, semop1(ipc, id, 0, 1, SEM_UNDO));
	EXPECT_ERR(EINVAL, semop1(ipc, id, 60000, 0, IPC_NOWAIT));
	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		EXPECT_ERR(EINVAL, ipc->semctl(id, 0, cmds[i]));
	EXPECT_ERR(EINVAL, sem_setval(ipc, id, 0, 1));
	EXPECT_ERR(EINVAL, sem_setall(ipc, id, vals));
	EXPECT_ERR(EINVAL, sem_getall(ipc, id, vals));
	EXPECT_EQ(1, vals[0]);
	EXPECT_ERR(EINVAL, ipc->semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	EXPECT_EQ(0, memcmp(&ds, &poison, sizeof(ds)));
	memset(&ds, 0, sizeof(ds));
	EXPECT_ERR(EINVAL, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
}

TEST_F(ids, stale)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 1, 0600);

	ASSERT_LE(0, id);
	ASSERT_EQ(0, sem_rmid(ipc, id));
	refused(_metadata, ipc, id);
}

/* The index in use again under another sequence number: the old id stays stale. */
TEST_F(ids, stale_index_reused)
{
	const struct ipc *ipc = variant->ipc;
	int shift = variant->ipc == &ipc_kipc || native_ids_extended() ? 24 : 15;
	int id = ipc->semget(IPC_PRIVATE, 1, 0600), other;
	struct semid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, sem_rmid(ipc, id));
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", id + (1 << shift)));
	other = ipc->semget(IPC_PRIVATE, 1, 0600);
	ASSERT_EQ(id + (1 << shift), other);
	refused(_metadata, ipc, id);
	refused(_metadata, ipc, id + (2 << shift));
	EXPECT_EQ(0, sem_stat(ipc, other, &ds));
	EXPECT_EQ(0, sem_val(ipc, other, 0));
	/* By index the sequence number does not matter. */
	EXPECT_EQ(other, ipc->semctl(id, 0, SEM_STAT, (union semun){ .buf = &ds }));
	EXPECT_EQ(other, ipc->semctl(id + (2 << shift), 0, SEM_STAT_ANY,
				     (union semun){ .buf = &ds }));
}

TEST_F(ids, never_seen)
{
	const struct ipc *ipc = variant->ipc;
	static const int bad[] = { -1, INT_MIN, INT_MAX, 1, 12345, 1 << 24, (1 << 24) + 1 };
	int id = ipc->semget(IPC_PRIVATE, 1, 0600);
	unsigned int i;

	ASSERT_EQ(0, id);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused(_metadata, ipc, bad[i]);
	EXPECT_EQ(0, sem_val(ipc, id, 0));
	EXPECT_EQ(0, sem_pid(ipc, id, 0));
}

/* Ids of segments are no ids of sets, nor the other way round. */
TEST_F(ids, of_other_kind)
{
	const struct ipc *ipc = variant->ipc;
	int set = ipc->semget(1, 1, IPC_CREAT | 0600), i;
	int segment[3];

	ASSERT_EQ(0, set);
	for (i = 0; i < 3; i++) {
		segment[i] = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
		ASSERT_EQ(i, segment[i]);
	}
	refused(_metadata, ipc, segment[1]);
	refused(_metadata, ipc, segment[2]);
	ASSERT_EQ(0, sem_rmid(ipc, set));
	EXPECT_EQ(0, shm_nattch(ipc, segment[0]));
	refused(_metadata, ipc, segment[0]);
}

TEST_F(ids, of_other_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int mine = ipc->semget(IPC_PRIVATE, 1, 0600), ids[3], i;

	ASSERT_LE(0, mine);
	for (i = 0; i < 3; i++) {
		ids[i] = ipc->semget(IPC_PRIVATE, 1, 0600);
		ASSERT_LE(0, ids[i]);
	}
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* A fresh namespace counts from the start. */
	EXPECT_EQ(mine, ipc->semget(IPC_PRIVATE, 1, 0600));
	for (i = 0; i < 3; i++)
		refused(_metadata, ipc, ids[i]);
}

/* sem_next_id: the id wanted next, once. */
TEST_F(ids, next_id)
{
	const struct ipc *ipc = variant->ipc;
	int id, again;

	EXPECT_EQ(-1, ipc_limit_get(ipc, "sem_next_id"));
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", 777));
	EXPECT_EQ(777, ipc_limit_get(ipc, "sem_next_id"));
	/* Not the one of segments. */
	EXPECT_EQ(-1, ipc_limit_get(ipc, "shm_next_id"));
	EXPECT_EQ(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	id = ipc->semget(IPC_PRIVATE, 1, 0600);
	EXPECT_EQ(777, id);
	EXPECT_EQ(-1, ipc_limit_get(ipc, "sem_next_id"));
	/* Taken: the next free index above it, and only for this once. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", 777));
	again = ipc->semget(IPC_PRIVATE, 1, 0600);
	EXPECT_EQ(778, again);
	EXPECT_EQ(0, ipc->semget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(-EINVAL, ipc_limit_set(ipc, "sem_next_id", -2));
	EXPECT_EQ(-1, ipc_limit_get(ipc, "sem_next_id"));
	/* Free again: the very same id may come back. */
	ASSERT_EQ(0, sem_rmid(ipc, 777));
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", 777));
	EXPECT_EQ(777, ipc->semget(IPC_PRIVATE, 3, 0600));
	EXPECT_EQ(0, sem_val(ipc, 777, 2));
}

/* IPC_INFO and SEM_INFO return the highest index in use. */
TEST_F(ids, highest_index)
{
	const struct ipc *ipc = variant->ipc;
	struct seminfo info;
	union semun u = { .info = &info };
	int id[5], i;

	EXPECT_EQ(0, ipc->semctl(0, 0, IPC_INFO, u));
	for (i = 0; i < 5; i++) {
		id[i] = ipc->semget(IPC_PRIVATE, 2, 0600);
		ASSERT_LE(0, id[i]);
		EXPECT_EQ(INDEX(id[i]), ipc->semctl(0, 0, IPC_INFO, u));
	}
	ASSERT_EQ(0, sem_rmid(ipc, id[3]));
	EXPECT_EQ(INDEX(id[4]), ipc->semctl(0, 0, SEM_INFO, u));
	ASSERT_EQ(0, sem_rmid(ipc, id[4]));
	EXPECT_EQ(INDEX(id[2]), ipc->semctl(0, 0, SEM_INFO, u));
	EXPECT_EQ(INDEX(id[2]), ipc->semctl(0, 0, IPC_INFO, u));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, sem_rmid(ipc, id[i]));
	EXPECT_EQ(0, ipc->semctl(0, 0, SEM_INFO, u));
	EXPECT_EQ(0, info.semusz);
	EXPECT_EQ(0, info.semaem);
}

/*
 * The same random creations and removals on both give the same ids throughout:
 * indexes, sequence numbers, and where they wrap.
 */
TEST_LONG(diff_progression)
{
	enum { MOST = 5000, STEPS = 12000 };
	static int native[MOST], kipc[MOST];
	unsigned int seed = 20240612;
	int n = 0, i;

	skip_unless_wanted("kipc");
	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, sem_limit_set(&ipc_native, SEMMNI_LIMIT, MOST));
	ASSERT_EQ(0, sem_limit_set(&ipc_kipc, SEMMNI_LIMIT, MOST));
	for (i = 0; i < STEPS; i++) {
		/* Now growing, now shrinking, so that the cycle grows and shrinks too. */
		int grow = i / (STEPS / 3) % 2 ? 30 : 90;

		if (n < MOST && (!n || (int)(rand_r(&seed) % 100) < grow)) {
			native[n] = semget(IPC_PRIVATE, 1, 0600);
			kipc[n] = ipc_kipc.semget(IPC_PRIVATE, 1, 0600);
			ASSERT_LE(0, native[n]);
			ASSERT_EQ(native[n], kipc[n])
				TH_LOG("step %d with %d sets", i, n);
			n++;
		} else {
			int k = rand_r(&seed) % n;

			ASSERT_EQ(0, sem_rmid(&ipc_native, native[k]));
			ASSERT_EQ(0, sem_rmid(&ipc_kipc, kipc[k]));
			native[k] = native[--n];
			kipc[k] = kipc[n];
		}
	}
}

TEST_HARNESS_MAIN

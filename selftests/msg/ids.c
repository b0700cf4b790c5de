// SPDX-License-Identifier: GPL-2.0
/* Which ids queues get, and which ids stand for nothing. */
#include "common/harness.h"

#include <limits.h>

#define INDEX(id)	((id) & ((1 << 24) - 1))

IPC_FIXTURE(ids)

/* Every call refuses an id that names nothing, and changes nothing by it. */
static void refused(struct __test_metadata *_metadata, const struct ipc *ipc, int id)
{
	static const int flags[] = { 0, IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT,
				     MSG_COPY | IPC_NOWAIT };
	struct msqid_ds ds, poison;
	struct note n = { 77, 88 };
	unsigned int i;

	memset(&poison, POISON, sizeof(poison));
	ds = poison;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_ERR(EINVAL, ipc->msgsnd(id, &n, NOTE, flags[i]));
		EXPECT_ERR(EINVAL, ipc->msgrcv(id, &n, NOTE, 0, flags[i]));
		EXPECT_ERR(EINVAL, ipc->msgrcv(id, &n, NOTE, 77, flags[i]));
		EXPECT_ERR(EINVAL, ipc->msgrcv(id, &n, NOTE, -77, flags[i]));
	}
	EXPECT_EQ(77, n.type);
	EXPECT_EQ(88, n.value);
	EXPECT_ERR(EINVAL, msg_rmid(ipc, id));
	EXPECT_ERR(EINVAL, ipc->msgctl(id, IPC_STAT, &ds));
	EXPECT_EQ(0, memcmp(&ds, &poison, sizeof(ds)));
	memset(&ds, 0, sizeof(ds));
	EXPECT_ERR(EINVAL, ipc->msgctl(id, IPC_SET, &ds));
}

TEST_F(ids, stale)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_rmid(ipc, id));
	refused(_metadata, ipc, id);
}

/* The index in use again under another sequence number: the old id stays stale. */
TEST_F(ids, stale_index_reused)
{
	const struct ipc *ipc = variant->ipc;
	int shift = variant->ipc == &ipc_kipc || native_ids_extended() ? 24 : 15;
	int id = ipc->msgget(IPC_PRIVATE, 0600), other;
	struct msqid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_send(ipc, id, 77, 1, 0));
	ASSERT_EQ(0, msg_rmid(ipc, id));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msg_next_id", id + (1 << shift)));
	other = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_EQ(id + (1 << shift), other);
	ASSERT_EQ(0, msg_send(ipc, other, 77, 2, 0));
	refused(_metadata, ipc, id);
	refused(_metadata, ipc, id + (2 << shift));
	EXPECT_EQ(1, msg_qnum(ipc, other));
	EXPECT_EQ(2, msg_receive(ipc, other, 0, 0));
	/* By index the sequence number does not matter. */
	EXPECT_EQ(other, ipc->msgctl(id, MSG_STAT, &ds));
	EXPECT_EQ(other, ipc->msgctl(id + (2 << shift), MSG_STAT_ANY, &ds));
}

TEST_F(ids, never_seen)
{
	const struct ipc *ipc = variant->ipc;
	static const int bad[] = { -1, INT_MIN, INT_MAX, 1, 12345, 1 << 24, (1 << 24) + 1 };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	unsigned int i;

	ASSERT_EQ(0, id);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused(_metadata, ipc, bad[i]);
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* Ids of sets and segments are no ids of queues, nor the other way round. */
TEST_F(ids, of_other_kind)
{
	const struct ipc *ipc = variant->ipc;
	int queue = ipc->msgget(1, IPC_CREAT | 0600), i;
	int segment[3], set[3];

	ASSERT_EQ(0, queue);
	for (i = 0; i < 3; i++) {
		segment[i] = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
		set[i] = ipc->semget(IPC_PRIVATE, 1, 0600);
		ASSERT_EQ(i, segment[i]);
		ASSERT_EQ(i, set[i]);
	}
	refused(_metadata, ipc, segment[1]);
	refused(_metadata, ipc, set[2]);
	ASSERT_EQ(0, msg_rmid(ipc, queue));
	EXPECT_EQ(0, shm_nattch(ipc, segment[0]));
	EXPECT_EQ(0, sem_val(ipc, set[0], 0));
	refused(_metadata, ipc, set[0]);
}

TEST_F(ids, of_other_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int mine = ipc->msgget(IPC_PRIVATE, 0600), ids[3], i;

	ASSERT_LE(0, mine);
	for (i = 0; i < 3; i++) {
		ids[i] = ipc->msgget(IPC_PRIVATE, 0600);
		ASSERT_LE(0, ids[i]);
	}
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* A fresh namespace counts from the start. */
	EXPECT_EQ(mine, ipc->msgget(IPC_PRIVATE, 0600));
	for (i = 0; i < 3; i++)
		refused(_metadata, ipc, ids[i]);
}

/* msg_next_id: the id wanted next, once. */
TEST_F(ids, next_id)
{
	const struct ipc *ipc = variant->ipc;
	int id, again;

	EXPECT_EQ(-1, ipc_limit_get(ipc, "msg_next_id"));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msg_next_id", 777));
	EXPECT_EQ(777, ipc_limit_get(ipc, "msg_next_id"));
	/* Not the one of sets. */
	EXPECT_EQ(-1, ipc_limit_get(ipc, "sem_next_id"));
	EXPECT_EQ(0, ipc->semget(IPC_PRIVATE, 1, 0600));
	id = ipc->msgget(IPC_PRIVATE, 0600);
	EXPECT_EQ(777, id);
	EXPECT_EQ(-1, ipc_limit_get(ipc, "msg_next_id"));
	/* Taken: the next free index above it, and only for this once. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "msg_next_id", 777));
	again = ipc->msgget(IPC_PRIVATE, 0600);
	EXPECT_EQ(778, again);
	EXPECT_EQ(0, ipc->msgget(IPC_PRIVATE, 0600));
	EXPECT_EQ(-EINVAL, ipc_limit_set(ipc, "msg_next_id", -2));
	EXPECT_EQ(-1, ipc_limit_get(ipc, "msg_next_id"));
	/* Free again: the very same id may come back, and nothing of what was in it. */
	ASSERT_EQ(0, msg_send(ipc, 777, 1, 1, 0));
	ASSERT_EQ(0, msg_rmid(ipc, 777));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msg_next_id", 777));
	EXPECT_EQ(777, ipc->msgget(IPC_PRIVATE, 0600));
	EXPECT_EQ(0, msg_qnum(ipc, 777));
	EXPECT_ERR(ENOMSG, msg_receive(ipc, 777, 0, IPC_NOWAIT));
}

/* IPC_INFO and MSG_INFO return the highest index in use. */
TEST_F(ids, highest_index)
{
	const struct ipc *ipc = variant->ipc;
	struct msginfo info;
	struct msqid_ds *buf = (void *)&info;
	int id[5], i;

	EXPECT_EQ(0, ipc->msgctl(0, IPC_INFO, buf));
	for (i = 0; i < 5; i++) {
		id[i] = ipc->msgget(IPC_PRIVATE, 0600);
		ASSERT_LE(0, id[i]);
		EXPECT_EQ(INDEX(id[i]), ipc->msgctl(0, IPC_INFO, buf));
	}
	ASSERT_EQ(0, msg_rmid(ipc, id[3]));
	EXPECT_EQ(INDEX(id[4]), ipc->msgctl(0, MSG_INFO, buf));
	ASSERT_EQ(0, msg_rmid(ipc, id[4]));
	EXPECT_EQ(INDEX(id[2]), ipc->msgctl(0, MSG_INFO, buf));
	EXPECT_EQ(INDEX(id[2]), ipc->msgctl(0, IPC_INFO, buf));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, msg_rmid(ipc, id[i]));
	EXPECT_EQ(0, ipc->msgctl(0, MSG_INFO, buf));
	EXPECT_EQ(0, info.msgpool);
	EXPECT_EQ(0, info.msgmap);
	EXPECT_EQ(0, info.msgtql);
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
	ASSERT_EQ(0, ipc_limit_set(&ipc_native, "msgmni", MOST));
	ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, "msgmni", MOST));
	for (i = 0; i < STEPS; i++) {
		/* Now growing, now shrinking, so that the cycle grows and shrinks too. */
		int grow = i / (STEPS / 3) % 2 ? 30 : 90;

		if (n < MOST && (!n || (int)(rand_r(&seed) % 100) < grow)) {
			native[n] = msgget(IPC_PRIVATE, 0600);
			kipc[n] = ipc_kipc.msgget(IPC_PRIVATE, 0600);
			ASSERT_LE(0, native[n]);
			ASSERT_EQ(native[n], kipc[n])
				TH_LOG("step %d with %d queues", i, n);
			n++;
		} else {
			int k = rand_r(&seed) % n;

			ASSERT_EQ(0, msg_rmid(&ipc_native, native[k]));
			ASSERT_EQ(0, msg_rmid(&ipc_kipc, kipc[k]));
			native[k] = native[--n];
			kipc[k] = kipc[n];
		}
	}
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* msgget(2): keys, flags, and what a new queue looks like. */
#include "common/harness.h"

#include <limits.h>

#define KEY	0x1234

IPC_FIXTURE(get)

TEST_F(get, private_is_always_new)
{
	const struct ipc *ipc = variant->ipc;
	int a = ipc->msgget(IPC_PRIVATE, 0600);
	int b = ipc->msgget(IPC_PRIVATE, 0600);
	int c = ipc->msgget(IPC_PRIVATE, IPC_CREAT | IPC_EXCL | 0600);

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_LE(0, c);
	EXPECT_NE(a, b);
	EXPECT_NE(a, c);
	EXPECT_NE(b, c);
	EXPECT_EQ(3, msg_rows(ipc, NULL, 0));
	/* Kinds do not mix. */
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

TEST_F(get, new_queue)
{
	const struct ipc *ipc = variant->ipc;
	time_t before = stamp_now(), after;
	struct msqid_ds ds;
	int id;

	/* The effective ids count, not the real ones. */
	ASSERT_EQ(0, setresgid(-1, 1001, -1));
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	id = ipc->msgget(KEY, IPC_CREAT | 0654);
	ASSERT_LE(0, id);
	after = stamp_now();
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(KEY, ds.msg_perm.__key);
	EXPECT_EQ(1000, ds.msg_perm.uid);
	EXPECT_EQ(1000, ds.msg_perm.cuid);
	EXPECT_EQ(1001, ds.msg_perm.gid);
	EXPECT_EQ(1001, ds.msg_perm.cgid);
	EXPECT_EQ(0654, ds.msg_perm.mode);
	EXPECT_EQ(0, ds.msg_qnum);
	EXPECT_EQ(0, ds.__msg_cbytes);
	EXPECT_EQ(MSGMNB, ds.msg_qbytes);
	EXPECT_EQ(0, ds.msg_lspid);
	EXPECT_EQ(0, ds.msg_lrpid);
	EXPECT_EQ(0, ds.msg_stime);
	EXPECT_EQ(0, ds.msg_rtime);
	EXPECT_LE(before, ds.msg_ctime);
	EXPECT_GE(after, ds.msg_ctime);
	EXPECT_ERR(ENOMSG, msg_receive(ipc, id, 0, IPC_NOWAIT));
	ASSERT_EQ(0, setresuid(-1, 0, -1));
}

TEST_F(get, find_by_key)
{
	const struct ipc *ipc = variant->ipc;
	int id;

	EXPECT_ERR(ENOENT, ipc->msgget(KEY, 0600));
	EXPECT_ERR(ENOENT, ipc->msgget(KEY, IPC_EXCL | 0600));
	EXPECT_ERR(ENOENT, ipc->msgget(KEY, 0));
	id = ipc->msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, id);
	EXPECT_EQ(id, ipc->msgget(KEY, 0600));
	EXPECT_EQ(id, ipc->msgget(KEY, 0));
	EXPECT_EQ(id, ipc->msgget(KEY, IPC_CREAT | 0600));
	EXPECT_EQ(id, ipc->msgget(KEY, IPC_EXCL | 0600));
	EXPECT_ERR(EEXIST, ipc->msgget(KEY, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_ERR(ENOENT, ipc->msgget(KEY + 1, 0600));
	EXPECT_EQ(1, msg_rows(ipc, NULL, 0));
	/* A set and a segment of the same key are other things. */
	EXPECT_ERR(ENOENT, ipc->semget(KEY, 0, 0));
	EXPECT_LE(0, ipc->semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_LE(0, ipc->shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_EQ(id, ipc->msgget(KEY, 0));

	ASSERT_EQ(0, msg_rmid(ipc, id));
	EXPECT_ERR(ENOENT, ipc->msgget(KEY, 0600));
	EXPECT_NE(id, ipc->msgget(KEY, IPC_CREAT | 0600));
	EXPECT_LE(0, ipc->semget(KEY, 0, 0));
}

/* One that is found is as it was left. */
TEST_F(get, found_as_left)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(KEY, IPC_CREAT | 0600);
	struct msqid_ds before, after;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_send(ipc, id, 5, 7, 0));
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 99));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	EXPECT_EQ(id, ipc->msgget(KEY, IPC_CREAT | 0666));
	EXPECT_EQ(id, ipc->msgget(KEY, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(7, msg_receive(ipc, id, 0, 0));
}

TEST_F(get, keys)
{
	const struct ipc *ipc = variant->ipc;
	static const key_t keys[] = { 1, -1, INT_MAX, INT_MIN, 0x01000000, (key_t)0xdeadbeef };
	int id[ARRAY_SIZE(keys)];
	struct msg_row row;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		id[i] = ipc->msgget(keys[i], IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i]);
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		EXPECT_EQ(id[i], ipc->msgget(keys[i], 0));
		ASSERT_EQ(1, msg_row_find(ipc, id[i], &row));
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
		id[i] = ipc->msgget(i * 7919 + 1, IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i]);
		ASSERT_EQ(0, msg_send(ipc, id[i], 1 + i, i, 0));
	}
	EXPECT_EQ(N, msg_rows(ipc, NULL, 0));
	for (i = 0; i < N; i++)
		ASSERT_EQ(id[i], ipc->msgget(i * 7919 + 1, 0600));
	for (i = 0; i < N; i += 2)
		ASSERT_EQ(0, msg_rmid(ipc, id[i]));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(i % 2 ? id[i] : -1, ipc->msgget(i * 7919 + 1, 0));
		ASSERT_EQ(i % 2 ? i : -1, msg_receive(ipc, id[i], 1 + i, IPC_NOWAIT));
	}
	EXPECT_EQ(N / 2, msg_rows(ipc, NULL, 0));
}

/* Only the nine bits of permission are kept; bits without a meaning are ignored. */
TEST_F(get, mode_bits)
{
	const struct ipc *ipc = variant->ipc;
	static const int flags[] = { 0, 0777, 0111, 0400, 01000 | 0600, 0100000 | 0640,
				     MSG_NOERROR | 0640, IPC_NOWAIT | 0640, MSG_EXCEPT | 0640,
				     MSG_COPY | 0640, 0x7ffff000 | 0421 };
	struct msqid_ds ds;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		int id = ipc->msgget(IPC_PRIVATE, flags[i]);

		ASSERT_LE(0, id)
			TH_LOG("flags %#x", flags[i]);
		ASSERT_EQ(0, msg_stat(ipc, id, &ds));
		EXPECT_EQ(flags[i] & 0777, ds.msg_perm.mode);
	}
}

/* The mode in the flags of a lookup asks for those rights. */
TEST_F(get, mode_asks_for_rights)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who other = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = ipc->msgget(KEY, IPC_CREAT | 0604);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &other));
	EXPECT_EQ(id, peer_msgget(&p, ipc, KEY, 0));
	EXPECT_EQ(id, peer_msgget(&p, ipc, KEY, 0400));
	EXPECT_EQ(id, peer_msgget(&p, ipc, KEY, 0444));
	EXPECT_EQ(id, peer_msgget(&p, ipc, KEY, 0004));
	EXPECT_ERR(EACCES, peer_msgget(&p, ipc, KEY, 0200));
	EXPECT_ERR(EACCES, peer_msgget(&p, ipc, KEY, 0600));
	EXPECT_ERR(EACCES, peer_msgget(&p, ipc, KEY, 0002));
	EXPECT_ERR(EACCES, peer_msgget(&p, ipc, KEY, 0100));
	EXPECT_ERR(EACCES, peer_msgget(&p, ipc, KEY, IPC_CREAT | 0600));
	/* That it exists comes before the rights. */
	EXPECT_ERR(EEXIST, peer_msgget(&p, ipc, KEY, IPC_CREAT | IPC_EXCL | 0600));
	peer_end(&p, 0);
}

/* A queue is made for whoever asks, with the rights of its mode: here none at all. */
TEST_F(get, no_rights_of_ones_own)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct msqid_ds ds = {};
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	id = peer_msgget(&p, ipc, KEY, IPC_CREAT | IPC_EXCL);
	ASSERT_LE(0, id);
	EXPECT_ERR(EACCES, peer_send(&p, ipc, id, 1, 1, 0));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, id, 0, IPC_NOWAIT));
	EXPECT_ERR(EACCES, peer_msgctl(&p, ipc, id, IPC_STAT, &ds));
	EXPECT_EQ(id, peer_msgget(&p, ipc, KEY, 0));
	EXPECT_ERR(EACCES, peer_msgget(&p, ipc, KEY, 0400));
	/* But it is the owner. */
	memset(&ds, 0, sizeof(ds));
	ds.msg_perm.uid = ds.msg_perm.gid = 1000;
	ds.msg_perm.mode = 0200;
	ds.msg_qbytes = 100;
	EXPECT_EQ(0, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 1, 0));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, id, 0, IPC_NOWAIT));
	EXPECT_EQ(0, peer_msgctl(&p, ipc, id, IPC_RMID, NULL));
	peer_end(&p, 0);
}

/* The namespace is the caller's, and its creator has no say in another. */
TEST_F(get, other_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(KEY, IPC_CREAT | 0666);
	struct msqid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_ERR(ENOENT, ipc->msgget(KEY, 0));
	EXPECT_ERR(EINVAL, msg_send(ipc, id, 1, 1, 0));
	EXPECT_ERR(EINVAL, msg_receive(ipc, id, 0, IPC_NOWAIT));
	EXPECT_ERR(EINVAL, msg_stat(ipc, id, &ds));
	EXPECT_ERR(EINVAL, msg_rmid(ipc, id));
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

/* Every flag on both: the same outcome, and the same queue. */
TEST(diff_flags)
{
	static const key_t keys[] = { IPC_PRIVATE, KEY, KEY + 1 };
	unsigned int k;
	int bits;

	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LE(0, msgget(KEY + 1, IPC_CREAT | 0640));
	ASSERT_LE(0, ipc_kipc.msgget(KEY + 1, IPC_CREAT | 0640));
	for (bits = 0; bits < 1 << 9; bits++)
		for (k = 0; k < ARRAY_SIZE(keys); k++) {
			/* Two bits of the mode, and all above it. */
			int flags = (bits & 1 ? 0600 : 0) | (bits & 2 ? 0066 : 0) |
				    (bits & ~3) << 7 | (bits & 0x100 ? INT_MIN : 0);
			struct msqid_ds a, b;
			int n, o, nerr, oerr;

			n = msgget(keys[k], flags);
			nerr = n < 0 ? errno : 0;
			o = ipc_kipc.msgget(keys[k], flags);
			oerr = o < 0 ? errno : 0;
			EXPECT_EQ(nerr, oerr)
				TH_LOG("key %d flags %#o: native %d (%s), kipc %d (%s)", keys[k],
				       flags, n, strerror(nerr), o, strerror(oerr));
			if (keys[k] == KEY + 1 || nerr || oerr)
				continue;
			EXPECT_EQ(0, msg_stat(&ipc_native, n, &a));
			EXPECT_EQ(0, msg_stat(&ipc_kipc, o, &b));
			EXPECT_EQ(a.msg_perm.mode, b.msg_perm.mode);
			EXPECT_EQ(0, msg_rmid(&ipc_native, n));
			EXPECT_EQ(0, msg_rmid(&ipc_kipc, o));
		}
	EXPECT_EQ(1, msg_rows(&ipc_kipc, NULL, 0));
}

TEST_HARNESS_MAIN

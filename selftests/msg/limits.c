// SPDX-License-Identifier: GPL-2.0
/* MSGMAX, MSGMNB, MSGMNI: their defaults, their ranges, what they refuse. */
#include "common/harness.h"

#include <fcntl.h>
#include <kipc.h>

#define NW	IPC_NOWAIT

IPC_FIXTURE(limits)

static const char *const names[] = { "msgmax", "msgmnb", "msgmni", "msg_next_id" };

TEST_F(limits, defaults)
{
	const struct ipc *ipc = variant->ipc;

	EXPECT_EQ(8192, ipc_limit_get(ipc, "msgmax"));
	EXPECT_EQ(16384, ipc_limit_get(ipc, "msgmnb"));
	EXPECT_EQ(32000, ipc_limit_get(ipc, "msgmni"));
	EXPECT_EQ(-1, ipc_limit_get(ipc, "msg_next_id"));
}

TEST_F(limits, msgmax)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 5000, NW));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmax", 100));
	EXPECT_ERR(EINVAL, msg_send_bytes(ipc, id, 2, 101, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 2, 100, NW));
	/* What is there already can be received. */
	EXPECT_ERR(E2BIG, msg_receive_bytes(ipc, id, 100, 1, NW));
	EXPECT_EQ(5000, msg_receive_bytes(ipc, id, 5000, 1, NW));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmax", 0));
	EXPECT_ERR(EINVAL, msg_send_bytes(ipc, id, 3, 1, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 3, 0, NW));
	EXPECT_EQ(100, msg_receive_bytes(ipc, id, 8192, 0, NW));
	EXPECT_EQ(0, msg_receive_bytes(ipc, id, 8192, 0, NW));
}

/* Far more than the default, through a queue that has room for it. */
TEST_F(limits, msgmax_raised)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t sizes[] = { 8193, 65535, 65536, 65537, 200001, 1 << 20, (1 << 22) - 3 };
	unsigned int i;
	int id;

	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmax", 1 << 22));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmnb", 1 << 24));
	id = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		ASSERT_EQ(0, msg_send_bytes(ipc, id, 1 + i, sizes[i], NW));
	EXPECT_ERR(EINVAL, msg_send_bytes(ipc, id, 1, (1 << 22) + 1, NW));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_ERR(E2BIG, msg_receive_bytes(ipc, id, sizes[i] - 1, 1 + i, NW));
		EXPECT_EQ((ssize_t)sizes[i], msg_receive_bytes(ipc, id, sizes[i], i,
							       NW | MSG_COPY));
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ((ssize_t)sizes[i] - (i % 2 ? 5000 : 0),
			  msg_receive_bytes(ipc, id, sizes[i] - (i % 2 ? 5000 : 0), 1 + i,
					    NW | MSG_NOERROR));
	EXPECT_EQ(0, msg_cbytes(ipc, id));
}

/* A sleeper's message is as long as was allowed when it called. */
TEST_F(limits, msgmax_while_asleep)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1000));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 1000, 0));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_block_send_bytes(&p, ipc, id, 2, 1000));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmax", 10));
	EXPECT_EQ(1000, msg_receive_bytes(ipc, id, 1000, 0, NW));
	EXPECT_EQ(0, peer_woken(&p));
	EXPECT_EQ(1000, msg_receive_bytes(ipc, id, 1000, 2, NW));
	peer_end(&p, 0);
}

/* Of queues made from then on; those there are keep theirs. */
TEST_F(limits, msgmnb)
{
	const struct ipc *ipc = variant->ipc;
	int old = ipc->msgget(1, IPC_CREAT | 0600), id;
	struct msqid_ds ds;

	ASSERT_LE(0, old);
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmnb", 50));
	id = ipc->msgget(2, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(50, ds.msg_qbytes);
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 51, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 50, NW));
	ASSERT_EQ(0, msg_stat(ipc, old, &ds));
	EXPECT_EQ(MSGMNB, ds.msg_qbytes);
	EXPECT_EQ(0, msg_send_bytes(ipc, old, 1, 8192, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, old, 1, 8192, NW));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmnb", 0));
	id = ipc->msgget(3, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 0, NW));
	/* More than the default, also for the unprivileged. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmnb", 1 << 20));
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	id = ipc->msgget(4, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, msg_set_qbytes(ipc, id, 1 << 20));
	EXPECT_ERR(EPERM, msg_set_qbytes(ipc, id, (1 << 20) + 1));
	ASSERT_EQ(0, setresuid(-1, 0, -1));
	EXPECT_EQ(0, msg_set_qbytes(ipc, id, (1 << 20) + 1));
}

/* One user fills what queues he may have: others have theirs. */
TEST_F(limits, filled_by_one_user)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int mine = ipc->msgget(IPC_PRIVATE, 0600), i, k;
	struct peer p;

	ASSERT_LE(0, mine);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	for (i = 0; i < 20; i++) {
		int id = peer_msgget(&p, ipc, IPC_PRIVATE, 0600);

		ASSERT_LE(0, id);
		for (k = 0; k < 2; k++)
			ASSERT_EQ(0, peer_send_bytes(&p, ipc, id, 1, 8192, NW));
		EXPECT_ERR(EAGAIN, peer_send_bytes(&p, ipc, id, 1, 1, NW));
	}
	EXPECT_EQ(0, msg_send_bytes(ipc, mine, 1, 8192, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, mine, 1, 8192, NW));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(21, msg_rows(ipc, NULL, 0));
}

TEST_F(limits, msgmni)
{
	const struct ipc *ipc = variant->ipc;
	int id[6], i;

	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmni", 5));
	for (i = 0; i < 5; i++) {
		id[i] = ipc->msgget(100 + i, IPC_CREAT | 0600);
		ASSERT_LE(0, id[i]);
	}
	EXPECT_ERR(ENOSPC, ipc->msgget(IPC_PRIVATE, 0600));
	EXPECT_ERR(ENOSPC, ipc->msgget(105, IPC_CREAT | 0600));
	EXPECT_ERR(ENOENT, ipc->msgget(105, 0600));
	EXPECT_EQ(id[2], ipc->msgget(102, IPC_CREAT | 0600));
	/* Sets and segments are not counted. */
	EXPECT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	EXPECT_LE(0, ipc->semget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, msg_rmid(ipc, id[2]));
	id[5] = ipc->msgget(105, IPC_CREAT | 0600);
	EXPECT_LE(0, id[5]);
	EXPECT_ERR(ENOSPC, ipc->msgget(IPC_PRIVATE, 0600));
	/* Below what is in use: nothing goes, nothing comes. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmni", 2));
	EXPECT_EQ(5, msg_rows(ipc, NULL, 0));
	EXPECT_EQ(id[5], ipc->msgget(105, IPC_CREAT | 0600));
	ASSERT_EQ(0, msg_rmid(ipc, id[0]));
	ASSERT_EQ(0, msg_rmid(ipc, id[1]));
	ASSERT_EQ(0, msg_rmid(ipc, id[3]));
	EXPECT_ERR(ENOSPC, ipc->msgget(IPC_PRIVATE, 0600));
	ASSERT_EQ(0, msg_rmid(ipc, id[4]));
	EXPECT_LE(0, ipc->msgget(IPC_PRIVATE, 0600));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmni", 0));
	EXPECT_ERR(ENOSPC, ipc->msgget(IPC_PRIVATE, 0600));
}

/* The default holds to the last one, and every id is another. */
TEST_F_TIMEOUT(limits, msgmni_default, 200)
{
	enum { N = 32000 };
	const struct ipc *ipc = variant->ipc;
	static int id[N];
	int i;

	for (i = 0; i < N; i++) {
		id[i] = ipc->msgget(1000 + i, IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i])
			TH_LOG("number %d", i);
	}
	EXPECT_ERR(ENOSPC, ipc->msgget(IPC_PRIVATE, 0600));
	for (i = 0; i < N; i += 17)
		EXPECT_EQ(id[i], ipc->msgget(1000 + i, 0));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, msg_rmid(ipc, id[i]));
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

/* Each namespace has its own. */
TEST_F(limits, per_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int ns = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC), id;

	ASSERT_LE(0, ns);
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmni", 1));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmax", 2));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmnb", 3));
	ASSERT_LE(0, ipc->msgget(IPC_PRIVATE, 0600));
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_EQ(32000, ipc_limit_get(ipc, "msgmni"));
	EXPECT_EQ(8192, ipc_limit_get(ipc, "msgmax"));
	EXPECT_EQ(16384, ipc_limit_get(ipc, "msgmnb"));
	EXPECT_LE(0, ipc->msgget(IPC_PRIVATE, 0600));
	id = ipc->msgget(IPC_PRIVATE, 0600);
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 8192, NW));
	ASSERT_EQ(0, setns(ns, CLONE_NEWIPC));
	EXPECT_EQ(1, ipc_limit_get(ipc, "msgmni"));
	EXPECT_EQ(2, ipc_limit_get(ipc, "msgmax"));
	EXPECT_EQ(3, ipc_limit_get(ipc, "msgmnb"));
	EXPECT_ERR(ENOSPC, ipc->msgget(IPC_PRIVATE, 0600));
	close(ns);
}

static int set_as_user(void *arg)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	const struct ipc *ipc = arg;
	unsigned int i;

	if (become(&user))
		return 1;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (ipc_limit_get(ipc, names[i]) == INT64_MIN)
			return 2;
		if (ipc_limit_set(ipc, names[i], 1) != -EACCES)
			return 3;
	}
	return 0;
}

/* All may read, root may write. */
TEST_F(limits, permission)
{
	const struct ipc *ipc = variant->ipc;

	EXPECT_EQ(0, in_child(set_as_user, (void *)ipc));
	EXPECT_EQ(8192, ipc_limit_get(ipc, "msgmax"));
	EXPECT_EQ(-1, ipc_limit_get(ipc, "msg_next_id"));
}

static int next_id_with_capability(void *arg)
{
	/* CAP_CHECKPOINT_RESTORE */
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1, .caps = 1ull << 40 };
	const struct ipc *ipc = arg;
	int ret;

	if (become(&user))
		return 1;
	/* The file of kipc's is root's; the call asks for the capability. */
	if (ipc == &ipc_kipc)
		ret = kipc_limit_set(KIPC_LIMIT_MSG_NEXT_ID, 55);
	else
		ret = ipc_limit_set(ipc, "msg_next_id", 55);
	if (ret)
		return 2;
	if (ipc_limit_set(ipc, "msgmni", 55) != -EACCES)
		return 3;
	return ipc->msgget(IPC_PRIVATE, 0600) == 55 ? 0 : 4;
}

TEST_F(limits, next_id_with_capability)
{
	EXPECT_EQ(0, in_child(next_id_with_capability, (void *)variant->ipc));
}

/* kipc's own way to set them, in the same ranges. */
TEST(by_call)
{
	static const struct { unsigned int limit; const char *name; } limits[] = {
		{ KIPC_LIMIT_MSGMAX, "msgmax" }, { KIPC_LIMIT_MSGMNB, "msgmnb" },
		{ KIPC_LIMIT_MSGMNI, "msgmni" },
	};
	unsigned int i;
	uint64_t value;

	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		ASSERT_EQ(0, kipc_limit_get(limits[i].limit, &value));
		EXPECT_EQ(ipc_limit_get(&ipc_kipc, limits[i].name), (long long)value);
		ASSERT_EQ(0, kipc_limit_set(limits[i].limit, 1234 + i));
		EXPECT_EQ(1234 + i, ipc_limit_get(&ipc_kipc, limits[i].name));
		EXPECT_ERR(EINVAL, kipc_limit_set(limits[i].limit, 1ul << 31));
		EXPECT_ERR(EINVAL, kipc_limit_set(limits[i].limit, 1ul << 32));
		EXPECT_ERR(EINVAL, kipc_limit_set(limits[i].limit, -1));
		EXPECT_EQ(1234 + i, ipc_limit_get(&ipc_kipc, limits[i].name));
	}
	EXPECT_EQ(8192, ipc_limit_get(&ipc_native, "msgmax"));
}

/* What is written and what is read, byte for byte; what is no number is refused. */
TEST(diff_texts)
{
	static const char *const texts[] = {
		"0", "1", "2", "4096", "-1", "-2", "2147483647", "2147483648", "4294967296",
		"16777216", "16777217", "18446744073709551615", "99999999999999999999999", "",
		"\n", " 7\n", "7x", "x", "0x10", "010", "+3", "- 4", "\t9", "32768", "32769",
	};
	struct limit_text n, k;
	unsigned int i, j;

	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		for (j = 0; j < ARRAY_SIZE(texts); j++) {
			/* Each from the same start. */
			ASSERT_EQ(0, ipc_limit_set(&ipc_native, names[i], 3));
			ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, names[i], 3));
			ASSERT_EQ(0, ipc_limit_write(&ipc_native, names[i], texts[j], &n));
			ASSERT_EQ(0, ipc_limit_write(&ipc_kipc, names[i], texts[j], &k));
			EXPECT_EQ(n.err, k.err)
				TH_LOG("'%s' to %s: native %s, kipc %s", texts[j], names[i],
				       strerror(n.err), strerror(k.err));
			EXPECT_EQ(n.ret, k.ret)
				TH_LOG("'%s' to %s", texts[j], names[i]);
			EXPECT_STREQ(n.back, k.back)
				TH_LOG("'%s' to %s", texts[j], names[i]);
		}
}

TEST_HARNESS_MAIN

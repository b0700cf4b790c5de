// SPDX-License-Identifier: GPL-2.0
/* msgctl(2): every command, the buffers, and which of two mistakes is told first. */
#include "common/harness.h"

#include <limits.h>
#include <linux/capability.h>
#include <stddef.h>
#include <sys/syscall.h>

#define KEY	0x4711
#define IPC_64	0x0100
#define NW	IPC_NOWAIT

IPC_FIXTURE(ctl)

static const struct who user = { .name = "user", .uid = 1000, .gid = 1000, .group = -1 };

/* IPC_STAT writes the whole structure, what has no meaning as zero. */
TEST_F(ctl, stat)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(KEY, IPC_CREAT | 0640);
	struct msqid_ds ds, want;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 100, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 2, 11, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 2, 0, 0));
	ASSERT_EQ(100, msg_receive_bytes(ipc, id, 100, 1, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	memset(&want, 0, sizeof(want));
	want.msg_perm.__key = KEY;
	want.msg_perm.mode = 0640;
	want.msg_perm.__seq = ds.msg_perm.__seq;
	want.msg_stime = ds.msg_stime;
	want.msg_rtime = ds.msg_rtime;
	want.msg_ctime = ds.msg_ctime;
	want.__msg_cbytes = 11;
	want.msg_qnum = 2;
	want.msg_qbytes = MSGMNB;
	want.msg_lspid = want.msg_lrpid = getpid();
	EXPECT_EQ(0, memcmp(&want, &ds, sizeof(ds)));
	EXPECT_GE(stamp_now(), ds.msg_stime);
	EXPECT_LE(stamp_now() - 60, ds.msg_stime);
	EXPECT_LE(ds.msg_ctime, ds.msg_stime);
	EXPECT_LE(ds.msg_stime, ds.msg_rtime);
}

TEST_F(ctl, stat_by_index)
{
	const struct ipc *ipc = variant->ipc;
	struct msqid_ds ds, want;
	struct peer p;
	int id[3], i;

	for (i = 0; i < 3; i++) {
		id[i] = ipc->msgget(KEY + i, IPC_CREAT | 0600);
		ASSERT_EQ(i, id[i]);
		ASSERT_EQ(0, msg_send_bytes(ipc, id[i], 1, i, 0));
	}
	ASSERT_EQ(0, msg_rmid(ipc, id[1]));
	for (i = 0; i < 3; i += 2) {
		memset(&ds, POISON, sizeof(ds));
		EXPECT_EQ(id[i], ipc->msgctl(i, MSG_STAT, &ds));
		ASSERT_EQ(0, msg_stat(ipc, id[i], &want));
		EXPECT_EQ(0, memcmp(&want, &ds, sizeof(ds)));
		memset(&ds, POISON, sizeof(ds));
		EXPECT_EQ(id[i], ipc->msgctl(i, MSG_STAT_ANY, &ds));
		EXPECT_EQ(0, memcmp(&want, &ds, sizeof(ds)));
	}
	EXPECT_ERR(EINVAL, ipc->msgctl(1, MSG_STAT, &ds));
	EXPECT_ERR(EINVAL, ipc->msgctl(1, MSG_STAT_ANY, &ds));
	EXPECT_ERR(EINVAL, ipc->msgctl(3, MSG_STAT, &ds));
	EXPECT_ERR(EINVAL, ipc->msgctl(-1, MSG_STAT, &ds));
	EXPECT_ERR(EINVAL, ipc->msgctl(INT_MAX, MSG_STAT_ANY, &ds));
	/* One asks for the right to read, the other does not. */
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EACCES, peer_msgctl(&p, ipc, 0, IPC_STAT, &ds));
	EXPECT_ERR(EACCES, peer_msgctl(&p, ipc, 0, MSG_STAT, &ds));
	EXPECT_EQ(id[0], peer_msgctl(&p, ipc, 0, MSG_STAT_ANY, &ds));
	EXPECT_EQ(1, ds.msg_qnum);
	EXPECT_ERR(EFAULT, peer_msgctl(&p, ipc, 0, MSG_STAT_ANY, NULL));
	peer_end(&p, 0);
}

TEST_F(ctl, set)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(KEY, IPC_CREAT | 0600);
	struct msqid_ds ds, now, before;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_send(ipc, id, 5, 6, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	wait_until(stamp_now() > before.msg_ctime && stamp_now() > before.msg_stime);
	start = stamp_now();
	/* Four fields count; the rest may hold anything. */
	memset(&ds, POISON, sizeof(ds));
	ds.msg_perm.uid = 1234567;
	ds.msg_perm.gid = 7654321;
	ds.msg_perm.mode = 0xfe00 | 0421;
	ds.msg_qbytes = 777;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, msg_stat(ipc, id, &now));
	EXPECT_EQ(1234567, now.msg_perm.uid);
	EXPECT_EQ(7654321, now.msg_perm.gid);
	EXPECT_EQ(0, now.msg_perm.cuid);
	EXPECT_EQ(0, now.msg_perm.cgid);
	EXPECT_EQ(0421, now.msg_perm.mode);
	EXPECT_EQ(KEY, now.msg_perm.__key);
	EXPECT_EQ(777, now.msg_qbytes);
	EXPECT_EQ(1, now.msg_qnum);
	EXPECT_EQ(NOTE, now.__msg_cbytes);
	EXPECT_EQ(before.msg_stime, now.msg_stime);
	EXPECT_EQ(0, now.msg_rtime);
	EXPECT_EQ(getpid(), now.msg_lspid);
	EXPECT_EQ(0, now.msg_lrpid);
	EXPECT_LE(start, now.msg_ctime);
	EXPECT_GE(stamp_now(), now.msg_ctime);
	/* No such user: nothing is set. */
	ds.msg_perm.uid = -1;
	ds.msg_qbytes = 888;
	EXPECT_ERR(EINVAL, ipc->msgctl(id, IPC_SET, &ds));
	ds.msg_perm.uid = 5;
	ds.msg_perm.gid = -1;
	EXPECT_ERR(EINVAL, ipc->msgctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(0, memcmp(&ds, &now, sizeof(ds)));
	EXPECT_EQ(6, msg_receive(ipc, id, 0, NW));
}

/* msg_qbytes: the kernel takes an int, and spreads its sign. */
static const unsigned long qbytes[] = {
	0, 1, NOTE - 1, NOTE, 100, MSGMNB - 1, MSGMNB, MSGMNB + 1, 1 << 20, INT_MAX, 1ul << 31,
	UINT_MAX, 1ul << 32, (1ul << 32) + NOTE, (1ul << 32) + MSGMNB + 1, LONG_MAX, 1ul << 63,
	ULONG_MAX, ULONG_MAX - 5,
};

TEST_F(ctl, qbytes)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(KEY, IPC_CREAT | 0600);
	struct msqid_ds ds;
	unsigned int i;

	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(qbytes); i++) {
		int room = qbytes[i];

		ASSERT_EQ(0, msg_set_qbytes(ipc, id, qbytes[i]));
		ASSERT_EQ(0, msg_stat(ipc, id, &ds));
		EXPECT_EQ((unsigned long)room, ds.msg_qbytes);
		if ((unsigned long)room < NOTE) {
			EXPECT_ERR(EAGAIN, msg_send(ipc, id, 1, 1, NW));
			continue;
		}
		EXPECT_EQ(0, msg_send(ipc, id, 1, 1, NW));
		EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	}
}

/* Beyond the limit only with CAP_SYS_RESOURCE, whoever the owner is. */
TEST_F(ctl, qbytes_privilege)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who callers[] = {
		user,
		{ "with CAP_SYS_RESOURCE", 1000, 1000, -1, 1ull << CAP_SYS_RESOURCE },
		{ "with other capabilities", 1000, 1000, -1,
		  1ull << CAP_SYS_ADMIN | 1ull << CAP_IPC_OWNER | 1ull << CAP_DAC_OVERRIDE },
	};
	unsigned int c, i;

	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmnb", 1000));
	for (c = 0; c < ARRAY_SIZE(callers); c++) {
		bool may = callers[c].caps & 1ull << CAP_SYS_RESOURCE;
		struct msqid_ds ds, after;
		struct peer p;
		int id;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_become(&p, &callers[c]));
		id = peer_msgget(&p, ipc, IPC_PRIVATE, 0600);
		ASSERT_LE(0, id);
		ASSERT_EQ(0, peer_msgctl(&p, ipc, id, IPC_STAT, &ds));
		EXPECT_EQ(1000, ds.msg_qbytes);
		for (i = 0; i < ARRAY_SIZE(qbytes); i++) {
			bool more = (unsigned int)qbytes[i] > 1000;

			ds.msg_qbytes = 500;
			ASSERT_EQ(0, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
			ds.msg_qbytes = qbytes[i];
			ds.msg_perm.mode ^= 0077;
			errno = 0;
			EXPECT_EQ(more && !may ? -1 : 0, peer_msgctl(&p, ipc, id, IPC_SET, &ds))
				TH_LOG("%s: %#lx", callers[c].name, qbytes[i]);
			EXPECT_EQ(more && !may ? EPERM : 0, errno);
			ASSERT_EQ(0, peer_msgctl(&p, ipc, id, IPC_STAT, &after));
			EXPECT_EQ(more && !may ? 500 : (unsigned long)(int)qbytes[i],
				  after.msg_qbytes);
			/* All or nothing. */
			EXPECT_EQ(ds.msg_perm.mode ^ (more && !may ? 0077 : 0),
				  after.msg_perm.mode);
			ds = after;
		}
		/* What is above the limit already may not even be left as it is. */
		ASSERT_EQ(0, msg_set_qbytes(ipc, id, 2000));
		ASSERT_EQ(0, peer_msgctl(&p, ipc, id, IPC_STAT, &ds));
		EXPECT_EQ(may ? 0 : -1, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
		peer_end(&p, 0);
	}
}

TEST_F(ctl, remove)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(KEY, IPC_CREAT | 0600), other;
	struct msqid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_rmid(ipc, id));
	EXPECT_ERR(EINVAL, msg_rmid(ipc, id));
	EXPECT_ERR(EINVAL, msg_stat(ipc, id, &ds));
	EXPECT_ERR(EINVAL, msg_send(ipc, id, 1, 1, 0));
	EXPECT_ERR(EINVAL, msg_receive(ipc, id, 0, 0));
	EXPECT_ERR(ENOENT, ipc->msgget(KEY, 0));
	other = ipc->msgget(KEY, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, other);
	EXPECT_NE(id, other);
	EXPECT_ERR(EINVAL, msg_rmid(ipc, id));
	EXPECT_EQ(other, ipc->msgget(KEY, 0));
	/* With messages in it, short and long. */
	ASSERT_EQ(0, msg_send_bytes(ipc, other, 1, 8192, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, other, 1, 0, 0));
	EXPECT_EQ(0, msg_rmid(ipc, other));
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

/* Every byte is written, what is padding as zero. */
#define EXPECT_INFO(_want, _info) do { \
	const unsigned char *__p = (const unsigned char *)(_info); \
	EXPECT_EQ(0, memcmp(_want, _info, INFO_BYTES)); \
	for (size_t __i = INFO_BYTES; __i < sizeof(struct msginfo); __i++) \
		EXPECT_EQ(0, __p[__i]); \
} while (0)
#define INFO_BYTES	(offsetof(struct msginfo, msgseg) + sizeof(short))

TEST_F(ctl, info)
{
	const struct ipc *ipc = variant->ipc;
	struct msginfo info, want = {
		.msgpool = 512000, .msgmap = MSGMNB, .msgmax = MSGMAX, .msgmnb = MSGMNB,
		.msgmni = 32000, .msgssz = 16, .msgtql = MSGMNB, .msgseg = 0xffff,
	};
	struct msqid_ds *buf = (void *)&info;
	int id[3];

	memset(&info, POISON, sizeof(info));
	EXPECT_EQ(0, ipc->msgctl(0, IPC_INFO, buf));
	EXPECT_INFO(&want, &info);
	memset(&info, POISON, sizeof(info));
	want.msgpool = want.msgmap = want.msgtql = 0;
	EXPECT_EQ(0, ipc->msgctl(0, MSG_INFO, buf));
	EXPECT_INFO(&want, &info);
	id[0] = ipc->msgget(IPC_PRIVATE, 0);
	id[1] = ipc->msgget(IPC_PRIVATE, 0);
	id[2] = ipc->msgget(IPC_PRIVATE, 0);
	ASSERT_LE(0, id[2]);
	ASSERT_EQ(0, msg_send_bytes(ipc, id[0], 1, 1000, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id[1], 1, 0, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id[1], 2, 37, 0));
	/* What is used: queues, messages, bytes. */
	EXPECT_EQ(2, ipc->msgctl(0, MSG_INFO, buf));
	EXPECT_EQ(3, info.msgpool);
	EXPECT_EQ(3, info.msgmap);
	EXPECT_EQ(1037, info.msgtql);
	ASSERT_EQ(37, msg_receive_bytes(ipc, id[1], 37, 2, 0));
	EXPECT_EQ(2, ipc->msgctl(0, MSG_INFO, buf));
	EXPECT_EQ(2, info.msgmap);
	EXPECT_EQ(1000, info.msgtql);
	ASSERT_EQ(0, msg_rmid(ipc, id[0]));
	EXPECT_EQ(2, ipc->msgctl(12345, MSG_INFO, buf));
	EXPECT_EQ(2, info.msgpool);
	EXPECT_EQ(1, info.msgmap);
	EXPECT_EQ(0, info.msgtql);
	EXPECT_EQ(2, ipc->msgctl(12345, IPC_INFO, buf));
	EXPECT_EQ(512000, info.msgpool);
	/* The limits are those in force. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmax", 11));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmnb", 22));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmni", 33));
	memset(&info, POISON, sizeof(info));
	EXPECT_EQ(2, ipc->msgctl(0, IPC_INFO, buf));
	want = (struct msginfo){
		.msgpool = 512000, .msgmap = MSGMNB, .msgmax = 11, .msgmnb = 22, .msgmni = 33,
		.msgssz = 16, .msgtql = MSGMNB, .msgseg = 0xffff,
	};
	EXPECT_INFO(&want, &info);
	/* Open to all, but not by an id below zero. */
	EXPECT_ERR(EINVAL, ipc->msgctl(-1, IPC_INFO, buf));
	EXPECT_ERR(EINVAL, ipc->msgctl(-1, MSG_INFO, buf));
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	EXPECT_EQ(2, ipc->msgctl(0, MSG_INFO, buf));
	ASSERT_EQ(0, setresuid(-1, 0, -1));
}

/* Which of two mistakes is told first. */
TEST_F(ctl, order_of_checks)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds = {};
	struct peer p;

	ASSERT_LE(0, id);
	/* IPC_STAT: the id, then the buffer; IPC_SET: the other way round. */
	EXPECT_ERR(EINVAL, ipc->msgctl(id + 1, IPC_STAT, NULL));
	EXPECT_ERR(EFAULT, ipc->msgctl(id, IPC_STAT, NULL));
	EXPECT_ERR(EFAULT, ipc->msgctl(id + 1, IPC_SET, NULL));
	EXPECT_ERR(EINVAL, ipc->msgctl(-1, IPC_SET, NULL));
	EXPECT_ERR(EINVAL, ipc->msgctl(id + 1, MSG_STAT, NULL));
	EXPECT_ERR(EFAULT, ipc->msgctl(id, IPC_INFO, NULL));
	EXPECT_ERR(EFAULT, ipc->msgctl(id, MSG_INFO, NULL));
	/* And where there is no right. */
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EACCES, peer_msgctl(&p, ipc, id, IPC_STAT, NULL));
	EXPECT_ERR(EFAULT, peer_msgctl(&p, ipc, id, IPC_SET, NULL));
	ds.msg_perm.uid = -1;
	EXPECT_ERR(EPERM, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
	EXPECT_ERR(EPERM, peer_msgctl(&p, ipc, id, IPC_RMID, NULL));
	/* The owner's right to more bytes, then who the owner is to be. */
	ds.msg_perm.uid = 1000;
	ds.msg_perm.mode = 0600;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	ds.msg_perm.uid = -1;
	ds.msg_qbytes = MSGMNB + 1;
	EXPECT_ERR(EPERM, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
	ds.msg_qbytes = MSGMNB;
	EXPECT_ERR(EINVAL, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
	peer_end(&p, 0);
}

/* Commands that there are not, with all bits that could be taken for something. */
TEST_F(ctl, bad_commands)
{
	const struct ipc *ipc = variant->ipc;
	static const int good[] = { IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO, MSG_STAT, MSG_INFO,
				    MSG_STAT_ANY };
	static unsigned char buf[4096];
	int id = ipc->msgget(IPC_PRIVATE, 0600), cmd, bit;
	unsigned int i;

	ASSERT_LE(0, id);
	for (cmd = -3; cmd < 300; cmd++) {
		bool skip = false;

		for (i = 0; i < ARRAY_SIZE(good); i++)
			skip |= cmd == good[i];
		if (skip)
			continue;
		EXPECT_ERR(EINVAL, ipc->msgctl(id, cmd, (void *)buf));
	}
	for (i = 0; i < ARRAY_SIZE(good); i++)
		for (bit = 8; bit < 32; bit++)
			EXPECT_ERR(EINVAL, ipc->msgctl(id, good[i] | 1u << bit, (void *)buf));
	EXPECT_ERR(EINVAL, ipc->msgctl(-1, 77, (void *)buf));
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/*
 * The kernel itself, without the C library in between: 64-bit callers have no IPC_64, and
 * the number of a command is all of it.
 */
TEST(native_system_call)
{
	struct msqid_ds ds;
	int id;

	skip_unless_wanted("native");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	id = msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, id);
	EXPECT_ERR(EINVAL, syscall(SYS_msgctl, id, IPC_STAT | IPC_64, &ds));
	EXPECT_ERR(EINVAL, syscall(SYS_msgctl, id, 77, &ds));
	EXPECT_EQ(0, syscall(SYS_msgctl, id, IPC_STAT, &ds));
}

TEST_HARNESS_MAIN

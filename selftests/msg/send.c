// SPDX-License-Identifier: GPL-2.0
/* msgsnd(2) where nothing sleeps: sizes, types, what fits, and which mistake is told first. */
#include "common/harness.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>

#define NW	IPC_NOWAIT

IPC_FIXTURE(send)

#define EXPECT_QUEUE(_id, _qnum, _cbytes) do { \
	EXPECT_EQ(_qnum, msg_qnum(ipc, _id)); \
	EXPECT_EQ(_cbytes, msg_cbytes(ipc, _id)); \
} while (0)

TEST_F(send, sizes)
{
	const struct ipc *ipc = variant->ipc;
	/* Around what the kernel may cut a message into, too. */
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 47, 48, 63, 64, 65, 127,
					255, 256, 1000, 2047, 2048, 4000, 4040, 4047, 4048, 4049,
					4095, 4096, 4097, 8135, 8136, 8143, 8144, 8191, 8192 };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	unsigned int i;

	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, msg_send_bytes(ipc, id, i + 1, sizes[i], NW))
			TH_LOG("%zu bytes", sizes[i]);
		EXPECT_QUEUE(id, 1, (long)sizes[i]);
		ASSERT_EQ((ssize_t)sizes[i], msg_receive_bytes(ipc, id, sizes[i], 0, NW))
			TH_LOG("%zu bytes", sizes[i]);
		EXPECT_QUEUE(id, 0, 0);
	}
}

TEST_F(send, too_long)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t bad[] = { 8193, 16384, 16385, INT_MAX, UINT_MAX, 1ul << 32,
				      (1ul << 32) + 1, LONG_MAX, 1ul << 63, (size_t)-1,
				      (size_t)-8192 };
	static struct { long type; char text[20000]; } m = { .type = 1 };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	unsigned int i;

	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EINVAL, ipc->msgsnd(id, &m, bad[i], 0));
		EXPECT_ERR(EINVAL, ipc->msgsnd(id, &m, bad[i], NW | MSG_NOERROR));
	}
	EXPECT_QUEUE(id, 0, 0);
}

TEST_F(send, types)
{
	const struct ipc *ipc = variant->ipc;
	static const long good[] = { 1, 2, 65535, INT_MAX, INT_MAX + 1l, 1l << 32, LONG_MAX };
	static const long bad[] = { 0, -1, INT_MIN, -(1l << 32), LONG_MIN, LONG_MIN + 1 };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct note n;
	unsigned int i;

	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_ERR(EINVAL, msg_send(ipc, id, bad[i], 1, 0));
	for (i = 0; i < ARRAY_SIZE(good); i++)
		ASSERT_EQ(0, msg_send(ipc, id, good[i], i, 0));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		ASSERT_EQ(NOTE, ipc->msgrcv(id, &n, NOTE, 0, NW));
		EXPECT_EQ(good[i], n.type);
		EXPECT_EQ((int)i, n.value);
	}
}

/* Bits of msgflg that mean something elsewhere, or nothing. */
TEST_F(send, other_flags)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), bit;

	ASSERT_LE(0, id);
	for (bit = 0; bit < 32; bit++) {
		EXPECT_EQ(0, msg_send(ipc, id, 1, bit, 1u << bit));
		EXPECT_EQ(bit, msg_receive(ipc, id, 1, 0));
	}
	EXPECT_EQ(0, msg_send(ipc, id, 1, 1, -1));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, 0));
	/* Full is full. */
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 3));
	for (bit = 0; bit < 32; bit++)
		EXPECT_ERR(EAGAIN, msg_send(ipc, id, 1, bit, 1u << bit | NW));
	EXPECT_QUEUE(id, 0, 0);
}

/* Filled by bytes. */
TEST_F(send, full)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;

	ASSERT_LE(0, id);
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, msg_send_bytes(ipc, id, i + 1, 1024, NW));
	EXPECT_QUEUE(id, 16, MSGMNB);
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 1, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, MSGMAX, NW));
	/* Of nothing there is room for more. */
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 0, NW));
	EXPECT_QUEUE(id, 17, MSGMNB);
	/* Exactly what was freed, wherever in the queue it was. */
	ASSERT_EQ(1024, msg_receive_bytes(ipc, id, 1024, 7, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 1025, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 1000, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 25, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 24, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 1, NW));
	EXPECT_QUEUE(id, 18, MSGMNB);
}

/* Filled by number: as many messages as bytes. */
TEST_F(send, full_of_nothing)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 10));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, msg_send_bytes(ipc, id, i + 1, 0, NW));
	EXPECT_QUEUE(id, 10, 0);
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 0, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 1, NW));
	ASSERT_EQ(0, msg_receive_bytes(ipc, id, 0, 5, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 10, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 0, NW));
	EXPECT_QUEUE(id, 10, 10);
	/* A queue for nothing at all. */
	id = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 0));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 0, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 1, NW));
}

/* The default's number of empty messages. */
TEST_F(send, sixteen_thousand)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;

	ASSERT_LE(0, id);
	for (i = 0; i < MSGMNB; i++)
		ASSERT_EQ(0, msg_send_bytes(ipc, id, 1 + i, 0, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 0, NW));
	EXPECT_QUEUE(id, MSGMNB, 0);
	ASSERT_EQ(0, msg_rmid(ipc, id));
}

/* One that could never fit waits like any other: with IPC_NOWAIT it does not. */
TEST_F(send, longer_than_the_queue)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 100));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 101, NW));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, MSGMAX, NW));
	EXPECT_ERR(EINVAL, msg_send_bytes(ipc, id, 1, MSGMAX + 1, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 100, NW));
	/* Less than is in it: nothing goes, nothing comes. */
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 50));
	EXPECT_ERR(EAGAIN, msg_send_bytes(ipc, id, 1, 0, NW));
	EXPECT_QUEUE(id, 1, 100);
	EXPECT_EQ(100, msg_receive_bytes(ipc, id, 100, 0, NW));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 50, NW));
}

/* What was sent is what was there then. */
TEST_F(send, copied)
{
	const struct ipc *ipc = variant->ipc;
	struct { long type; char text[64]; } m = { 9, "as it was" }, got;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, ipc->msgsnd(id, &m, sizeof(m.text), 0));
	EXPECT_EQ(9, m.type);
	EXPECT_STREQ("as it was", m.text);
	for (i = 0; i < 3; i++) {
		memset(&m.text, 'x' + i, sizeof(m.text));
		m.type = 10 + i;
		ASSERT_EQ(0, ipc->msgsnd(id, &m, sizeof(m.text), 0));
	}
	memset(&got, POISON, sizeof(got));
	ASSERT_EQ(sizeof(got.text), ipc->msgrcv(id, &got, sizeof(got.text), 0, 0));
	EXPECT_EQ(9, got.type);
	EXPECT_STREQ("as it was", got.text);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(sizeof(got.text), ipc->msgrcv(id, &got, sizeof(got.text), 0, 0));
		EXPECT_EQ(10 + i, got.type);
		EXPECT_EQ('x' + i, got.text[63]);
	}
}

/* Which of two mistakes is told first. */
TEST_F(send, order_of_checks)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct note *half;
	struct note n = { 1, 1 }, zero = { 0, 1 };
	struct peer p;
	char *page;

	ASSERT_LE(0, id);
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + PAGE, PAGE, PROT_NONE));
	/* The type can be read, the text cannot. */
	half = (struct note *)(page + PAGE - sizeof(long));
	half->type = 1;
	/* The type's memory, then the size and the sign of the id. */
	EXPECT_ERR(EFAULT, ipc->msgsnd(id, NULL, NOTE, 0));
	EXPECT_ERR(EFAULT, ipc->msgsnd(-1, NULL, NOTE, 0));
	EXPECT_ERR(EFAULT, ipc->msgsnd(-1, NULL, MSGMAX + 1, 0));
	EXPECT_ERR(EFAULT, ipc->msgsnd(id + 1, NULL, -1, 0));
	EXPECT_ERR(EINVAL, ipc->msgsnd(-1, half, NOTE, 0));
	EXPECT_ERR(EINVAL, ipc->msgsnd(id, half, MSGMAX + 1, 0));
	/* The type's value, then the text. */
	half->type = 0;
	EXPECT_ERR(EINVAL, ipc->msgsnd(id, half, NOTE, 0));
	half->type = 1;
	EXPECT_ERR(EFAULT, ipc->msgsnd(id, half, NOTE, 0));
	/* The text, then whether there is such a queue. */
	EXPECT_ERR(EFAULT, ipc->msgsnd(id + 1, half, NOTE, 0));
	EXPECT_ERR(EINVAL, ipc->msgsnd(id + 1, &n, NOTE, 0));
	EXPECT_ERR(EINVAL, ipc->msgsnd(id, &zero, NOTE, 0));
	/* No text, no need to read it. */
	EXPECT_EQ(0, ipc->msgsnd(id, half, 0, 0));
	EXPECT_EQ(0, msg_receive_bytes(ipc, id, 10, 0, NW));
	/* The rights, then whether it fits. */
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EINVAL, peer_send(&p, ipc, id, 0, 1, NW));
	EXPECT_ERR(EINVAL, peer_send_bytes(&p, ipc, id, 1, MSGMAX + 1, NW));
	EXPECT_ERR(EACCES, peer_send(&p, ipc, id, 1, 1, NW));
	EXPECT_ERR(EACCES, peer_send(&p, ipc, id, 1, 1, 0));
	EXPECT_ERR(EAGAIN, msg_send(ipc, id, 1, 1, NW));
	peer_end(&p, 0);
	EXPECT_QUEUE(id, 0, 0);
}

/* Messages that cannot be read whole, at every alignment, in memory that is read-only. */
TEST_F(send, memory)
{
	const struct ipc *ipc = variant->ipc;
	static void *const bad[] = { (void *)1, (void *)0xffff888000000000ul,
				     (void *)(ULONG_MAX - 8), (void *)0x7ffffffff000ul };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	char *p, *at, got[8192 + 8];
	unsigned int i;

	ASSERT_LE(0, id);
	p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + 3 * PAGE, PAGE, PROT_NONE));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EFAULT, ipc->msgsnd(id, bad[i], 0, 0));
		EXPECT_ERR(EFAULT, ipc->msgsnd(id, bad[i], MSGMAX, 0));
	}
	for (i = 0; i < 3 * PAGE; i++)
		p[i] = i * 7;
	/* It ends with the page, or one byte later; long or short. */
	for (i = 1; i <= 8192; i *= 2) {
		at = p + 3 * PAGE - i - sizeof(long);
		memcpy(at, &(long){ 5 }, sizeof(long));
		EXPECT_EQ(0, ipc->msgsnd(id, at, i, 0));
		if (i < 8192) {
			EXPECT_ERR(EFAULT, ipc->msgsnd(id, at, i + 1, 0));
		}
		EXPECT_EQ((int)i, ipc->msgrcv(id, got, sizeof(got) - 8, 0, NW));
		EXPECT_EQ(0, memcmp(got, at, sizeof(long) + i));
	}
	EXPECT_QUEUE(id, 0, 0);
	/* Read-only, at no alignment at all. */
	for (i = 0; i < 17; i++) {
		ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		at = p + 100 + i;
		memcpy(at, &(long){ 6 }, sizeof(long));
		ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ));
		EXPECT_EQ(0, ipc->msgsnd(id, at, 50 + i, 0));
		memset(got, POISON, sizeof(got));
		EXPECT_EQ(50 + (int)i, ipc->msgrcv(id, got, sizeof(got) - 8, 6, NW));
		EXPECT_EQ(0, memcmp(got, at, sizeof(long) + 50 + i));
		EXPECT_EQ(POISON, (unsigned char)got[sizeof(long) + 50 + i]);
	}
}

/* msg_lspid and msg_stime: of what was sent, and of nothing else. */
TEST_F(send, stamps)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct msqid_ds ds, before;
	struct peer p;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_ERR(EINVAL, msg_send(ipc, id, 0, 1, 0));
	EXPECT_ERR(EFAULT, ipc->msgsnd(id, NULL, 1, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	EXPECT_EQ(0, before.msg_stime);
	EXPECT_EQ(0, before.msg_lspid);
	wait_until(stamp_now() > before.msg_ctime + 1);
	start = stamp_now();
	EXPECT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(getpid(), ds.msg_lspid);
	EXPECT_LE(start, ds.msg_stime);
	EXPECT_GE(stamp_now(), ds.msg_stime);
	EXPECT_EQ(0, ds.msg_rtime);
	EXPECT_EQ(0, ds.msg_lrpid);
	EXPECT_EQ(before.msg_ctime, ds.msg_ctime);
	wait_until(stamp_now() > ds.msg_stime);
	start = stamp_now();
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 1, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	EXPECT_EQ(p.pid, before.msg_lspid);
	EXPECT_LE(start, before.msg_stime);
	/* What is refused leaves no trace. */
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1));
	wait_until(stamp_now() > before.msg_stime);
	EXPECT_ERR(EAGAIN, msg_send(ipc, id, 1, 1, NW));
	EXPECT_ERR(EINVAL, msg_send(ipc, id, 0, 1, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(p.pid, ds.msg_lspid);
	EXPECT_EQ(before.msg_stime, ds.msg_stime);
	peer_end(&p, 0);
}

/* Bytes and messages through random sends and receives, as they must be. */
TEST_F(send, accounting)
{
	enum { QBYTES = 2000 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), full = 0, none = 0, i;
	static int sizes[QBYTES];
	unsigned int seed = 1729;
	long qnum = 0, cbytes = 0;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, QBYTES));
	for (i = 0; i < 5000; i++) {
		/* Now more of the one, now of the other. */
		if ((int)(rand_r(&seed) % 100) < (i / 500 % 2 ? 30 : 70)) {
			int size = rand_r(&seed) % (rand_r(&seed) % 4 ? 60 : 400);
			int fits = cbytes + size <= QBYTES && qnum + 1 <= QBYTES;

			ASSERT_EQ(fits ? 0 : -1, msg_send_bytes(ipc, id, 1 + size % 9, size, NW));
			if (!fits) {
				ASSERT_EQ(EAGAIN, errno);
				full++;
				continue;
			}
			sizes[qnum++] = size;
			cbytes += size;
		} else {
			ssize_t n = msg_receive_bytes(ipc, id, 400, 0, NW);

			ASSERT_EQ(qnum ? sizes[0] : -1, n);
			if (!qnum) {
				ASSERT_EQ(ENOMSG, errno);
				none++;
				continue;
			}
			memmove(sizes, sizes + 1, --qnum * sizeof(*sizes));
			cbytes -= n;
		}
		if (i % 8)
			continue;
		ASSERT_EQ(qnum, msg_qnum(ipc, id));
		ASSERT_EQ(cbytes, msg_cbytes(ipc, id));
	}
	EXPECT_LT(20, full);
	EXPECT_LT(20, none);
}

TEST_HARNESS_MAIN

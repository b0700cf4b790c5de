// SPDX-License-Identifier: GPL-2.0
/* msgrcv(2) with MSG_COPY: a message by its position, which stays where it is. */
#include "common/harness.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#define NW	IPC_NOWAIT
#define COPY	(MSG_COPY | IPC_NOWAIT)

FIXTURE(copy) { int id; };
FIXTURE_VARIANT(copy) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(copy, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(copy, kipc) { .ipc = &ipc_kipc };

/* A queue with five messages: types 3 2 1 2 3, values from 0. */
enum { FIVE = 5 };

FIXTURE_SETUP(copy)
{
	static const long types[FIVE] = { 3, 2, 1, 2, 3 };
	int i;

	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	self->id = variant->ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->id);
	for (i = 0; i < FIVE; i++)
		ASSERT_EQ(0, msg_send(variant->ipc, self->id, types[i], i, 0));
}

FIXTURE_TEARDOWN(copy)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

TEST_F(copy, by_position)
{
	const struct ipc *ipc = variant->ipc;
	static const long types[FIVE] = { 3, 2, 1, 2, 3 };
	struct msqid_ds before, after;
	struct note n;
	int id = self->id, i, round;

	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	for (round = 0; round < 2; round++)
		for (i = FIVE - 1; i >= 0; i--) {
			memset(&n, POISON, sizeof(n));
			ASSERT_EQ(NOTE, ipc->msgrcv(id, &n, NOTE, i, COPY));
			EXPECT_EQ(types[i], n.type);
			EXPECT_EQ(i, n.value);
		}
	/* Nothing has happened. */
	ASSERT_EQ(0, msg_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	/* Positions are those of what is there now. */
	EXPECT_EQ(2, msg_receive(ipc, id, 1, NW));
	EXPECT_EQ(3, msg_receive(ipc, id, 2, COPY));
	EXPECT_EQ(4, msg_receive(ipc, id, 3, COPY));
	EXPECT_ERR(ENOMSG, msg_receive(ipc, id, 4, COPY));
	EXPECT_EQ(0, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, COPY));
	EXPECT_EQ(0, msg_send(ipc, id, 1, 9, 0));
	EXPECT_EQ(9, msg_receive(ipc, id, 3, COPY));
}

TEST_F(copy, no_such_position)
{
	const struct ipc *ipc = variant->ipc;
	static const long bad[] = { FIVE, FIVE + 1, INT_MAX, 1l << 32, (1l << 32) + 1, LONG_MAX, -1,
				    -2, -FIVE, INT_MIN, LONG_MIN };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(ENOMSG, msg_receive(ipc, self->id, bad[i], COPY));
		EXPECT_ERR(ENOMSG, msg_receive(ipc, self->id, bad[i], COPY | MSG_NOERROR));
	}
	EXPECT_EQ(FIVE, msg_qnum(ipc, self->id));
}

/* With what it does not go together. */
TEST_F(copy, flags)
{
	const struct ipc *ipc = variant->ipc;
	static const int bad[] = { MSG_COPY, MSG_COPY | MSG_EXCEPT, COPY | MSG_EXCEPT,
				   MSG_COPY | MSG_NOERROR, MSG_COPY | MSG_EXCEPT | MSG_NOERROR,
				   COPY | MSG_EXCEPT | MSG_NOERROR };
	struct note n = { 77, 88 };
	int id = self->id, bit;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EINVAL, ipc->msgrcv(id, &n, NOTE, 0, bad[i]));
		EXPECT_ERR(EINVAL, ipc->msgrcv(id, &n, NOTE, FIVE, bad[i]));
		/* Whatever else is wrong. */
		EXPECT_ERR(EINVAL, ipc->msgrcv(id, NULL, NOTE, 0, bad[i]));
		EXPECT_ERR(EINVAL, ipc->msgrcv(id + 1, &n, NOTE, 0, bad[i]));
	}
	EXPECT_EQ(77, n.type);
	EXPECT_EQ(88, n.value);
	for (bit = 0; bit < 32; bit++)
		if (1u << bit != MSG_EXCEPT)
			EXPECT_EQ(1, msg_receive(ipc, id, 1, COPY | 1u << bit));
	EXPECT_EQ(FIVE, msg_qnum(ipc, id));
}

/* Room: too little is E2BIG; and cutting is not done. */
TEST_F(copy, room)
{
	const struct ipc *ipc = variant->ipc;
	static char page[2 * MSGMAX];
	int id = self->id;
	size_t size;

	ASSERT_EQ(0, msg_send_bytes(ipc, id, 9, 8000, 0));
	for (size = 0; size < NOTE; size++) {
		EXPECT_ERR(E2BIG, ipc->msgrcv(id, page, size, 0, COPY));
		EXPECT_ERR(EINVAL, ipc->msgrcv(id, page, size, 0, COPY | MSG_NOERROR));
	}
	EXPECT_EQ(NOTE, ipc->msgrcv(id, page, NOTE + 1, 0, COPY | MSG_NOERROR));
	EXPECT_EQ(NOTE, ipc->msgrcv(id, page, sizeof(page) - 8, 0, COPY));
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, page, 7999, FIVE, COPY));
	EXPECT_ERR(EINVAL, ipc->msgrcv(id, page, 7999, FIVE, COPY | MSG_NOERROR));
	EXPECT_EQ(8000, msg_receive_bytes(ipc, id, 8000, FIVE, COPY));
	EXPECT_EQ(8000, msg_receive_bytes(ipc, id, 9000, FIVE, COPY | MSG_NOERROR));
	EXPECT_EQ(FIVE + 1, msg_qnum(ipc, id));
}

/* One that is longer than messages may be by now cannot be copied. */
TEST_F(copy, longer_than_msgmax)
{
	const struct ipc *ipc = variant->ipc;
	int id = self->id;

	ASSERT_EQ(0, msg_send_bytes(ipc, id, 9, 1000, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 9, 500, 0));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msgmax", 999));
	EXPECT_ERR(EINVAL, msg_receive_bytes(ipc, id, 1000, FIVE, COPY));
	EXPECT_ERR(EINVAL, msg_receive_bytes(ipc, id, 5000, FIVE, COPY | MSG_NOERROR));
	EXPECT_ERR(E2BIG, msg_receive_bytes(ipc, id, 999, FIVE, COPY));
	EXPECT_EQ(500, msg_receive_bytes(ipc, id, 5000, FIVE + 1, COPY));
	/* But received. */
	EXPECT_EQ(1000, msg_receive_bytes(ipc, id, 1000, 9, NW));
}

/* What must be readable before, and writable then. */
TEST_F(copy, memory)
{
	const struct ipc *ipc = variant->ipc;
	int id = self->id;
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + PAGE, PAGE, PROT_NONE));
	/* The room asked for is read, though it is not all needed. */
	EXPECT_EQ(NOTE, ipc->msgrcv(id, p + PAGE - 32, NOTE, 0, COPY));
	EXPECT_EQ(NOTE, ipc->msgrcv(id, p + PAGE - 32, 32, 0, COPY));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, p + PAGE - 32, 33, 0, COPY));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, p + PAGE - 32, LONG_MAX, 0, COPY));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, p + PAGE, 1, 0, COPY));
	/* Before the queue is looked for; after the flags. */
	EXPECT_ERR(EFAULT, ipc->msgrcv(id + 1, NULL, NOTE, 0, COPY));
	EXPECT_ERR(EINVAL, ipc->msgrcv(-1, NULL, NOTE, 0, COPY));
	EXPECT_ERR(EINVAL, ipc->msgrcv(id, NULL, -1, 0, COPY));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, NULL, NOTE, FIVE, COPY));
	/* Nothing to read: found out when it is written, if it is. */
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, NULL, 0, 0, COPY));
	EXPECT_ERR(ENOMSG, ipc->msgrcv(id, NULL, 0, FIVE, COPY));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 0, 0));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, NULL, 0, FIVE, COPY));
	/* Read-only; and writable in part. */
	ASSERT_EQ(0, mprotect(p + 2 * PAGE, PAGE, PROT_READ));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, p + 2 * PAGE, NOTE, 0, COPY));
	EXPECT_ERR(ENOMSG, ipc->msgrcv(id, p + 2 * PAGE, NOTE, 99, COPY));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, p + PAGE - 8, NOTE, 0, COPY));
	EXPECT_EQ(FIVE + 1, msg_qnum(ipc, id));
	EXPECT_EQ(0, msg_receive(ipc, id, 0, NW));
}

TEST_F(copy, rights)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct msqid_ds ds;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, self->id, 0, COPY));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, self->id, FIVE, COPY));
	EXPECT_ERR(EINVAL, peer_receive(&p, ipc, self->id, 0, MSG_COPY));
	ASSERT_EQ(0, msg_stat(ipc, self->id, &ds));
	ds.msg_perm.mode = 0604;
	ASSERT_EQ(0, ipc->msgctl(self->id, IPC_SET, &ds));
	EXPECT_EQ(0, peer_receive(&p, ipc, self->id, 0, COPY));
	EXPECT_ERR(EACCES, peer_send(&p, ipc, self->id, 1, 1, NW));
	peer_end(&p, 0);
}

/* Nobody who sleeps is woken by it. */
TEST_F(copy, wakes_nobody)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p, q;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, FIVE * NOTE));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_block_send(&p, ipc, id, 1, 7));
	ASSERT_EQ(0, peer_block_receive(&q, ipc, id, 7, 0));
	EXPECT_EQ(4, msg_receive(ipc, id, 4, COPY));
	EXPECT_EQ(0, msg_receive(ipc, id, 0, COPY));
	EXPECT_EQ(0, peer_asleep(&p));
	EXPECT_EQ(0, peer_asleep(&q));
	/* What somebody waits to send is in no queue. */
	EXPECT_ERR(ENOMSG, msg_receive(ipc, id, FIVE, COPY));
	peer_end(&p, SIGKILL);
	peer_end(&q, SIGKILL);
}

/* Long queues, whatever there is to find a position by; and changed in between. */
TEST_F_TIMEOUT(copy, ten_thousand, 200)
{
	enum { N = 10000 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i, n = N, gone = 0;
	unsigned int seed = 2718;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1 << 24));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, msg_send(ipc, id, 1 + i % 7, i, NW));
	for (i = 0; i < 1000; i++) {
		int at = rand_r(&seed) % N;

		ASSERT_EQ(at, msg_receive(ipc, id, at, COPY));
	}
	/* From the front, and to the end. */
	for (i = 0; i < 1000; i++) {
		int at = rand_r(&seed) % n;

		if (i % 3 == 0) {
			ASSERT_EQ(gone++, msg_receive(ipc, id, 0, NW));
			n--;
			at = at < n ? at : n - 1;
		} else if (i % 3 == 1) {
			ASSERT_EQ(0, msg_send(ipc, id, 9, gone + n, NW));
			n++;
		}
		ASSERT_EQ(gone + at, msg_receive(ipc, id, at, COPY));
		ASSERT_EQ(-1, msg_receive(ipc, id, n, COPY));
	}
	/* From the middle: all of one type. */
	while (msg_receive(ipc, id, 3, NW) >= 0)
		n--;
	EXPECT_EQ(n, msg_qnum(ipc, id));
	for (i = 0; i < n; i += 97) {
		int value = msg_receive(ipc, id, i, COPY), next;

		ASSERT_LE(0, value);
		ASSERT_TRUE(value >= N || value % 7 != 2);
		if (i + 1 == n)
			break;
		next = msg_receive(ipc, id, i + 1, COPY);
		ASSERT_EQ(next, value + 1 + (value + 1 < N && (value + 1) % 7 == 2));
	}
}

/* While others take and put: what is copied is one message, whole. */
struct churn {
	const struct ipc *ipc;
	int id;
	volatile bool stop;
	long done;
};

static void *churn(void *arg)
{
	struct churn *c = arg;

	while (!c->stop) {
		long type = 1 + c->done % 9;

		if (msg_send_bytes(c->ipc, c->id, 10 + type, 100 * type, NW) ||
		    msg_receive_bytes(c->ipc, c->id, 1000, -100, NW) < 0)
			return (void *)1;
		c->done++;
	}
	return NULL;
}

TEST_F(copy, while_changing)
{
	const struct ipc *ipc = variant->ipc;
	struct churn c = { ipc, self->id, false, 0 };
	int i, got = 0;
	pthread_t t;
	void *ret;

	while (msg_receive(ipc, c.id, 0, NW) >= 0)
		;
	for (i = 1; i < 9; i++)
		ASSERT_EQ(0, msg_send_bytes(ipc, c.id, 10 + i, 100 * i, NW));
	ASSERT_EQ(0, pthread_create(&t, NULL, churn, &c));
	wait_until(c.done > 10);
	for (i = 0; i < 2000; i++) {
		ssize_t n = msg_receive_bytes(ipc, c.id, 1000, i % 10, COPY);

		if (n < 0) {
			ASSERT_EQ(-1, n);
			ASSERT_EQ(ENOMSG, errno);
			continue;
		}
		ASSERT_EQ(0, n % 100);
		got++;
	}
	c.stop = true;
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_LT(1000, got);
	EXPECT_EQ(8, msg_qnum(ipc, c.id));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * msgrcv(2) where nothing sleeps: which message it is that comes, and into which room.
 * MSG_COPY is in copy.c.
 */
#include "common/harness.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <kipc.h>

#define NW	IPC_NOWAIT

IPC_FIXTURE(receive)

/* A queue with notes of these types; their values count from 0. */
#define QUEUE(_ipc, ...) \
	queue_of(_ipc, (const long[]){ __VA_ARGS__ }, sizeof((long[]){ __VA_ARGS__ }) / sizeof(long))

static int queue_of(const struct ipc *ipc, const long *types, unsigned int n)
{
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	unsigned int i;

	for (i = 0; i < n; i++)
		if (msg_send(ipc, id, types[i], i, NW))
			return -1;
	return id;
}

#define RECEIVE(_type, _flags)	msg_receive(ipc, id, _type, (_flags) | NW)

TEST_F(receive, first_of_all)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, 3, 1, 2, 3, 1), i;

	ASSERT_LE(0, id);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(i, RECEIVE(0, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(0, 0));
}

TEST_F(receive, first_of_type)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, 3, 1, 2, 3, 1, 3, 2, LONG_MAX, 3);

	ASSERT_LE(0, id);
	EXPECT_EQ(1, RECEIVE(1, 0));
	EXPECT_EQ(0, RECEIVE(3, 0));
	EXPECT_EQ(3, RECEIVE(3, 0));
	EXPECT_EQ(2, RECEIVE(2, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(4, 0));
	EXPECT_EQ(7, RECEIVE(LONG_MAX, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(LONG_MAX, 0));
	EXPECT_EQ(4, RECEIVE(1, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(1, 0));
	/* The rest, in its order. */
	EXPECT_EQ(5, RECEIVE(0, 0));
	EXPECT_EQ(6, RECEIVE(0, 0));
	EXPECT_EQ(8, RECEIVE(0, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(3, 0));
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* The first of the lowest type there is, up to the given one. */
TEST_F(receive, lowest_type)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, 5, 3, 9, 3, 4, 9, 2, 2);

	ASSERT_LE(0, id);
	EXPECT_ERR(ENOMSG, RECEIVE(-1, 0));
	EXPECT_EQ(6, RECEIVE(-2, 0));
	EXPECT_EQ(7, RECEIVE(-100, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(-2, 0));
	EXPECT_EQ(1, RECEIVE(-3, 0));
	EXPECT_EQ(3, RECEIVE(-4, 0));
	EXPECT_EQ(4, RECEIVE(-4, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(-4, 0));
	EXPECT_EQ(0, RECEIVE(-8, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(-8, 0));
	EXPECT_EQ(2, RECEIVE(-LONG_MAX, 0));
	EXPECT_EQ(5, RECEIVE(LONG_MIN, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(LONG_MIN, 0));
}

TEST_F(receive, lowest_type_at_the_ends)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, LONG_MAX, LONG_MAX - 1, 1, LONG_MAX, 1);

	ASSERT_LE(0, id);
	EXPECT_EQ(2, RECEIVE(-1, 0));
	EXPECT_EQ(4, RECEIVE(LONG_MIN, 0));
	EXPECT_EQ(1, RECEIVE(LONG_MIN, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(-(LONG_MAX - 1), 0));
	/* The highest type is within reach of both. */
	EXPECT_EQ(0, RECEIVE(-LONG_MAX, 0));
	EXPECT_EQ(3, RECEIVE(LONG_MIN, 0));
}

TEST_F(receive, except_type)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, 1, 1, 2, 1, 3, 1, 2);

	ASSERT_LE(0, id);
	EXPECT_EQ(2, RECEIVE(1, MSG_EXCEPT));
	EXPECT_EQ(0, RECEIVE(2, MSG_EXCEPT));
	EXPECT_EQ(1, RECEIVE(99, MSG_EXCEPT));
	EXPECT_EQ(4, RECEIVE(1, MSG_EXCEPT));
	EXPECT_EQ(6, RECEIVE(1, MSG_EXCEPT));
	EXPECT_ERR(ENOMSG, RECEIVE(1, MSG_EXCEPT));
	EXPECT_EQ(3, RECEIVE(LONG_MAX, MSG_EXCEPT));
	EXPECT_EQ(5, RECEIVE(LONG_MAX, MSG_EXCEPT));
	EXPECT_ERR(ENOMSG, RECEIVE(LONG_MAX, MSG_EXCEPT));
}

/* Without a type, and with one below zero, MSG_EXCEPT means nothing. */
TEST_F(receive, except_nothing)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, 4, 2, 3, 2);

	ASSERT_LE(0, id);
	EXPECT_EQ(0, RECEIVE(0, MSG_EXCEPT));
	EXPECT_ERR(ENOMSG, RECEIVE(-1, MSG_EXCEPT));
	EXPECT_EQ(1, RECEIVE(-3, MSG_EXCEPT));
	EXPECT_EQ(3, RECEIVE(LONG_MIN, MSG_EXCEPT));
	EXPECT_EQ(2, RECEIVE(0, MSG_EXCEPT));
	EXPECT_ERR(ENOMSG, RECEIVE(0, MSG_EXCEPT));
}

/* Types that are equal in their lower bits only. */
TEST_F(receive, types_alike)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, 1l << 32 | 7, 1l << 62 | 7, 7, 1l << 33 | 7, 65536 + 7, 256 + 7);

	ASSERT_LE(0, id);
	EXPECT_EQ(2, RECEIVE(7, 0));
	EXPECT_ERR(ENOMSG, RECEIVE(7, 0));
	EXPECT_EQ(1, RECEIVE(1l << 62 | 7, 0));
	EXPECT_EQ(5, RECEIVE(-(1l << 32), 0));
	EXPECT_EQ(4, RECEIVE(-(1l << 32), 0));
	EXPECT_ERR(ENOMSG, RECEIVE(-(1l << 32), 0));
	EXPECT_EQ(3, RECEIVE(1l << 32 | 7, MSG_EXCEPT));
	EXPECT_EQ(0, RECEIVE(1l << 32 | 7, 0));
}

/* Too little room: the message stays where it is. */
TEST_F(receive, too_big)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct { long type; unsigned char text[64]; } m;
	static const long types[] = { 0, 1, -1, -9, 2 };
	struct msqid_ds before, after;
	unsigned int i;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 40, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 10, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 2, 5, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	memset(&m, POISON, sizeof(m));
	for (i = 0; i < ARRAY_SIZE(types) - 1; i++) {
		EXPECT_ERR(E2BIG, ipc->msgrcv(id, &m, 39, types[i], 0));
		EXPECT_ERR(E2BIG, ipc->msgrcv(id, &m, 0, types[i], NW));
	}
	/* Not the next one that would do. */
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, &m, 10, 1, NW));
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, &m, 10, 2, NW | MSG_EXCEPT));
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, &m, 4, 2, NW));
	for (i = 0; i < sizeof(m); i++)
		ASSERT_EQ(POISON, ((unsigned char *)&m)[i]);
	ASSERT_EQ(0, msg_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(40, msg_receive_bytes(ipc, id, 40, 0, NW));
	EXPECT_EQ(10, msg_receive_bytes(ipc, id, 64, 0, NW));
	EXPECT_EQ(5, msg_receive_bytes(ipc, id, 5, 0, NW));
}

/* MSG_NOERROR: cut to what there is room for, and gone whole. */
TEST_F(receive, cut)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t rooms[] = { 0, 1, 7, 8, 39, 40, 4000, 4048, 4049, 4096, 7999, 8000,
					8001 };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	unsigned int i;

	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		ASSERT_EQ(0, msg_send_bytes(ipc, id, 1 + i, 8000, 0));
		ASSERT_EQ(0, msg_send_bytes(ipc, id, 99, 3, 0));
		EXPECT_EQ((ssize_t)(rooms[i] < 8000 ? rooms[i] : 8000),
			  msg_receive_bytes(ipc, id, rooms[i], -98, NW | MSG_NOERROR));
		EXPECT_EQ(1, msg_qnum(ipc, id));
		EXPECT_EQ(3, msg_cbytes(ipc, id));
		EXPECT_EQ(3, msg_receive_bytes(ipc, id, 3, 0, NW | MSG_NOERROR));
		EXPECT_EQ(0, msg_cbytes(ipc, id));
	}
}

/* The room: any that is not negative, and no more of it is written than the message. */
TEST_F(receive, rooms)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t good[] = { 4, 5, 8192, 8193, 1 << 20, INT_MAX, UINT_MAX, 1ul << 32,
				       LONG_MAX };
	static const size_t bad[] = { 1ul << 63, (size_t)-1, (size_t)-4096, (size_t)LONG_MIN + 4 };
	static const int flags[] = { 0, NW, MSG_NOERROR, MSG_EXCEPT, NW | MSG_COPY };
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	unsigned int i, j;
	struct note n[2];

	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		memset(n, POISON, sizeof(n));
		ASSERT_EQ(0, msg_send(ipc, id, 3, i, 0));
		EXPECT_EQ(NOTE, ipc->msgrcv(id, n, good[i], 0, i % 2 ? NW : NW | MSG_NOERROR));
		EXPECT_EQ(3, n[0].type);
		EXPECT_EQ((int)i, n[0].value);
		/* Padding included. */
		for (j = offsetof(struct note, value) + NOTE; j < sizeof(n); j++)
			EXPECT_EQ(POISON, ((unsigned char *)n)[j]);
	}
	ASSERT_EQ(0, msg_send(ipc, id, 3, 1, 0));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++)
			EXPECT_ERR(EINVAL, ipc->msgrcv(id, n, bad[i], 0, flags[j]));
	EXPECT_EQ(1, msg_qnum(ipc, id));
}

/* Bits of msgflg that mean nothing. */
TEST_F(receive, other_flags)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), bit;

	ASSERT_LE(0, id);
	for (bit = 0; bit < 32; bit++) {
		int flag = 1u << bit;

		if (flag == MSG_COPY)
			continue;
		EXPECT_ERR(ENOMSG, RECEIVE(5, flag));
		ASSERT_EQ(0, msg_send(ipc, id, 5, bit, 0));
		EXPECT_EQ(bit, RECEIVE(flag == MSG_EXCEPT ? 4 : 5, flag));
	}
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* Which of two mistakes is told first. */
TEST_F(receive, order_of_checks)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = QUEUE(ipc, 1);
	struct note n;
	struct peer p;

	ASSERT_LE(0, id);
	/* The buffer comes last of all. */
	EXPECT_ERR(EINVAL, ipc->msgrcv(-1, NULL, NOTE, 0, 0));
	EXPECT_ERR(EINVAL, ipc->msgrcv(id, NULL, -1, 0, 0));
	EXPECT_ERR(EINVAL, ipc->msgrcv(id + 1, NULL, NOTE, 0, 0));
	EXPECT_ERR(ENOMSG, ipc->msgrcv(id, NULL, NOTE, 2, NW));
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, NULL, NOTE - 1, 0, NW));
	/* The rights, then whether there is a message, and of what size. */
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, id, 0, 0));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, id, 2, NW));
	EXPECT_ERR(EACCES, peer_receive_bytes(&p, ipc, id, 1, 0, NW));
	peer_end(&p, 0);
	EXPECT_EQ(NOTE, ipc->msgrcv(id, &n, NOTE, 0, NW));
}

/* msg_lrpid and msg_rtime: of what was received, and of nothing else. */
TEST_F(receive, stamps)
{
	const struct ipc *ipc = variant->ipc;
	int id = QUEUE(ipc, 1, 2, 3);
	struct msqid_ds ds, before;
	struct peer p;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_ERR(ENOMSG, RECEIVE(7, 0));
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, &ds, 1, 0, NW));
	EXPECT_EQ(NOTE, ipc->msgrcv(id, &ds, NOTE, 0, NW | MSG_COPY));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	EXPECT_EQ(0, before.msg_rtime);
	EXPECT_EQ(0, before.msg_lrpid);
	wait_until(stamp_now() > before.msg_stime && stamp_now() > before.msg_ctime);
	start = stamp_now();
	EXPECT_EQ(1, RECEIVE(2, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(getpid(), ds.msg_lrpid);
	EXPECT_LE(start, ds.msg_rtime);
	EXPECT_GE(stamp_now(), ds.msg_rtime);
	EXPECT_EQ(before.msg_stime, ds.msg_stime);
	EXPECT_EQ(before.msg_ctime, ds.msg_ctime);
	EXPECT_EQ(getpid(), ds.msg_lspid);
	wait_until(stamp_now() > ds.msg_rtime);
	start = stamp_now();
	EXPECT_EQ(0, peer_receive(&p, ipc, id, 0, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	EXPECT_EQ(p.pid, before.msg_lrpid);
	EXPECT_LE(start, before.msg_rtime);
	/* What is refused leaves no trace. */
	wait_until(stamp_now() > before.msg_rtime);
	EXPECT_ERR(ENOMSG, RECEIVE(7, 0));
	EXPECT_ERR(E2BIG, ipc->msgrcv(id, &ds, 1, 0, NW));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(0, memcmp(&before, &ds, sizeof(ds)));
	peer_end(&p, 0);
}

/* ---- Against a few lines that say the same ---- */

struct model {
	int n;
	struct { long type; int size, value; } m[12000];
};

static int model_find(const struct model *q, long type, int flags)
{
	long most = type == LONG_MIN ? LONG_MAX : -type;
	int i, found = -1;

	for (i = 0; i < q->n; i++) {
		long t = q->m[i].type;

		if (type < 0) {
			if (t <= most && (found < 0 || t < q->m[found].type))
				found = i;
		} else if (!type || ((flags & MSG_EXCEPT) ? t != type : t == type)) {
			return i;
		}
	}
	return found;
}

static void model_remove(struct model *q, int i)
{
	q->n--;
	memmove(&q->m[i], &q->m[i + 1], (q->n - i) * sizeof(q->m[0]));
}

/* Some of few types, some of many, now and then the very highest. */
static long some_type(unsigned int *seed, int most)
{
	unsigned int r = rand_r(seed) % 100;

	return r < 40 ? 1 + rand_r(seed) % 5 : r < 98 ? 1 + rand_r(seed) % most : LONG_MAX - r % 2;
}

static void random_operations(struct __test_metadata *_metadata, const struct ipc *ipc, int length,
			      int operations, unsigned int seed)
{
	struct { long type; int value; char more[84]; } m;
	struct model *q = calloc(1, sizeof(*q));
	int id = ipc->msgget(IPC_PRIVATE, 0600), i, met[4] = {};

	ASSERT_NE(NULL, q);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1 << 24));
	memset(&m, 0, sizeof(m));
	for (i = 0; i < length + operations; i++) {
		int size = NOTE + rand_r(&seed) % 64, want, flags, r = rand_r(&seed) % 100;
		size_t room = sizeof(m) - sizeof(long);
		ssize_t got;
		long type;

		/* First filled, then about as full for the rest. */
		if (i < length || (q->n < length && r < 55)) {
			m.type = some_type(&seed, length);
			m.value = i;
			ASSERT_EQ(0, ipc->msgsnd(id, &m, size, NW));
			q->m[q->n].type = m.type;
			q->m[q->n].size = size;
			q->m[q->n++].value = i;
			continue;
		}
		type = r % 4 ? some_type(&seed, length) : 0;
		if (r % 4 == 2)
			type = -type;
		flags = NW | (rand_r(&seed) % 3 ? 0 : MSG_EXCEPT) |
			(rand_r(&seed) % 3 ? 0 : MSG_NOERROR);
		if (!(rand_r(&seed) % 3))
			room = NOTE + rand_r(&seed) % 64;
		want = model_find(q, type, flags);
		memset(&m, 0, sizeof(m));
		got = ipc->msgrcv(id, &m, room, type, flags);
		if (want < 0) {
			ASSERT_EQ(-1, got);
			ASSERT_EQ(ENOMSG, errno);
			met[0]++;
		} else if ((size_t)q->m[want].size > room && !(flags & MSG_NOERROR)) {
			ASSERT_EQ(-1, got);
			ASSERT_EQ(E2BIG, errno);
			met[1]++;
		} else {
			if (q->m[want].size > (int)room) {
				ASSERT_EQ((int)room, got);
				met[2]++;
			} else {
				ASSERT_EQ(q->m[want].size, got);
				met[3]++;
			}
			ASSERT_EQ(q->m[want].type, m.type);
			ASSERT_EQ(q->m[want].value, m.value)
				TH_LOG("operation %d: type %ld, flags %#o, %d queued", i, type, flags,
				       q->n);
			model_remove(q, want);
		}
	}
	EXPECT_EQ(q->n, msg_qnum(ipc, id));
	/* The rest of it, in its order. */
	for (i = 0; i < q->n; i++) {
		ASSERT_EQ(q->m[i].size, ipc->msgrcv(id, &m, sizeof(m), 0, NW));
		ASSERT_EQ(q->m[i].value, m.value);
	}
	EXPECT_EQ(0, msg_cbytes(ipc, id));
	EXPECT_LT(operations / 100, met[0] + met[1]);
	EXPECT_LT(operations / 100, met[2]);
	EXPECT_LT(operations / 20, met[3]);
	ASSERT_EQ(0, msg_rmid(ipc, id));
	free(q);
}

TEST_F(receive, random_few)
{
	random_operations(_metadata, variant->ipc, 20, 6000, 6174);
}

/* Queues that are long: whatever index there is to them, the results are the same. */
TEST_F_TIMEOUT(receive, random_many, 200)
{
	random_operations(_metadata, variant->ipc, 10000, 4000, 495);
}

/* Ten thousand, each of another type, and all of one. */
TEST_F_TIMEOUT(receive, ten_thousand, 200)
{
	enum { N = 10000 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1 << 24));
	/* 7919 is prime: every type once, in no order. */
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, msg_send(ipc, id, 1 + i * 7919l % N, i, NW));
	for (i = 0; i < N; i += 100) {
		long type = 1 + i * 7919l % N;

		ASSERT_EQ(i, RECEIVE(type, 0));
		ASSERT_EQ(-1, RECEIVE(type, 0));
	}
	/* The lowest ones, in order of type. */
	for (i = 0; i < 100; i++) {
		struct note n;

		ASSERT_EQ(NOTE, ipc->msgrcv(id, &n, NOTE, -N, NW));
		ASSERT_EQ(n.type, 1 + n.value * 7919l % N);
		ASSERT_LE(i + 1, n.type);
		ASSERT_GE(i + 3, n.type);
	}
	ASSERT_EQ(0, msg_rmid(ipc, id));
	id = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1 << 24));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, msg_send(ipc, id, 5, i, NW));
	ASSERT_EQ(0, msg_send(ipc, id, 4, N, NW));
	ASSERT_EQ(N, RECEIVE(5, MSG_EXCEPT));
	ASSERT_EQ(-1, RECEIVE(5, MSG_EXCEPT));
	ASSERT_EQ(-1, RECEIVE(-4, 0));
	for (i = 0; i < N; i++)
		ASSERT_EQ(i, RECEIVE(i % 3 ? 5 : i % 2 ? 0 : -5, 0));
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/*
 * Who watches for a type is told of each that comes, and of one that has been there all the
 * time behind so many that finding it takes a while.
 */
TEST(watched_behind_many)
{
	struct kipc_filter three = { .msgtyp = 3 };
	const struct ipc *ipc = &ipc_kipc;
	int id, fd, epoll, i;
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	id = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, id);
	fd = kipc_handle(KIPC_KIND_MSG, id, O_RDONLY, &three);
	epoll = epoll_create1(0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	ASSERT_EQ(0, msg_send(ipc, id, 3, 0, NW));
	/* The first one tells: none of these is looked at. */
	for (i = 1; i <= 3000; i++)
		ASSERT_EQ(0, msg_send(ipc, id, 2, i, NW));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, RECEIVE(0, 0));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(0, msg_send(ipc, id, 3, 0, NW));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, RECEIVE(3, 0));
	EXPECT_EQ(-1, RECEIVE(3, 0));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));

	/* Once more with one behind: it is there when the first has gone. */
	for (i = 1; i <= 3000; i++)
		ASSERT_EQ(i, RECEIVE(0, 0));
	for (i = 0; i <= 3000; i++)
		ASSERT_EQ(0, msg_send(ipc, id, i % 3000 ? 2 : 3, i, NW));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, RECEIVE(0, 0));
	event.events = EPOLLIN;
	EXPECT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(3000, RECEIVE(3, 0));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	close(epoll);
	close(fd);
	EXPECT_EQ(0, msg_rmid(ipc, id));
}

TEST_HARNESS_MAIN

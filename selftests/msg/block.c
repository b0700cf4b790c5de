// SPDX-License-Identifier: GPL-2.0
/*
 * msgsnd(2) and msgrcv(2) where they sleep: who waits, who is woken, in which order, and
 * by what.  Signals and deaths are in signal.c.
 *
 * A peer is told to send or receive and then seen asleep, so that the order of their
 * coming is known.  Whoever wakes it has done so before its own call returns: what is
 * then still seen asleep stays asleep.
 *
 * A message goes to one sleeper, which has it from then on.  Room does not: natively
 * whoever could use it is woken, and they race for it, so that only kipc's order of
 * senders can be told.
 */
#include "common/harness.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define NW	IPC_NOWAIT

FIXTURE(block) {
	struct peer p[8];
	int id;
};
FIXTURE_VARIANT(block) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(block, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(block, kipc) { .ipc = &ipc_kipc };

/* A queue, and peers. */
FIXTURE_SETUP(block)
{
	unsigned int i;

	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	self->id = variant->ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->id);
	for (i = 0; i < ARRAY_SIZE(self->p); i++)
		ASSERT_EQ(0, peer_start(&self->p[i]));
}

FIXTURE_TEARDOWN(block)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(self->p); i++)
		if (self->p[i].pid > 0)
			peer_end(&self->p[i], SIGKILL);
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

#define EXPECT_ASLEEP(_p)	EXPECT_EQ(0, peer_asleep(_p))
#define EXPECT_WOKEN(_want, _p) \
	EXPECT_EQ(_want, peer_woken(_p)) \
		TH_LOG("%s", strerror(errno))
#define EXPECT_QUEUE(_qnum, _cbytes) do { \
	EXPECT_EQ(_qnum, msg_qnum(ipc, id)); \
	EXPECT_EQ(_cbytes, msg_cbytes(ipc, id)); \
} while (0)

/* ---- Receivers ---- */

TEST_F(block, first_come_first_served)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct msqid_ds ds;
	int id = self->id, i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, peer_block_receive(&p[i], ipc, id, i % 2 ? 1 : 0, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(0, ds.msg_lrpid);
	EXPECT_EQ(0, ds.msg_rtime);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(0, msg_send(ipc, id, 1, 10 + i, 0));
		/* Handed over: nobody who comes now can take it, awake or not. */
		EXPECT_ERR(ENOMSG, msg_receive(ipc, id, 0, NW));
		ASSERT_EQ(0, msg_stat(ipc, id, &ds));
		EXPECT_EQ(p[i].pid, ds.msg_lrpid);
		EXPECT_EQ(getpid(), ds.msg_lspid);
		EXPECT_NE(0, ds.msg_rtime);
		EXPECT_EQ(0, ds.msg_qnum);
		EXPECT_EQ(0, ds.__msg_cbytes);
		EXPECT_WOKEN(10 + i, &p[i]);
		if (i < 7)
			EXPECT_ASLEEP(&p[i + 1]);
	}
	EXPECT_EQ(0, msg_send(ipc, id, 1, 5, 0));
	EXPECT_QUEUE(1, NOTE);
}

/* The first of those whom the type suits. */
TEST_F(block, by_type)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 1, 0));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, -3, 0));
	ASSERT_EQ(0, peer_block_receive(&p[2], ipc, id, 1, MSG_EXCEPT));
	ASSERT_EQ(0, peer_block_receive(&p[3], ipc, id, 5, 0));
	ASSERT_EQ(0, peer_block_receive(&p[4], ipc, id, 0, 0));
	ASSERT_EQ(0, peer_block_receive(&p[5], ipc, id, 1, 0));
	ASSERT_EQ(0, peer_block_receive(&p[6], ipc, id, LONG_MIN, 0));
	/* 1: the first waits for it; 3: the second; 5: not the fourth, but who wants no 1. */
	EXPECT_EQ(0, msg_send(ipc, id, 1, 101, 0));
	EXPECT_WOKEN(101, &p[0]);
	EXPECT_EQ(0, msg_send(ipc, id, 3, 103, 0));
	EXPECT_WOKEN(103, &p[1]);
	EXPECT_EQ(0, msg_send(ipc, id, 5, 105, 0));
	EXPECT_WOKEN(105, &p[2]);
	EXPECT_ASLEEP(&p[3]);
	/* 4: whoever takes all; 1: the one who came before the one who takes all. */
	EXPECT_EQ(0, msg_send(ipc, id, 4, 104, 0));
	EXPECT_WOKEN(104, &p[4]);
	EXPECT_EQ(0, msg_send(ipc, id, 1, 201, 0));
	EXPECT_WOKEN(201, &p[5]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_EQ(0, msg_send(ipc, id, LONG_MAX, 9, 0));
	EXPECT_WOKEN(9, &p[6]);
	/* For nobody: it stays. */
	EXPECT_EQ(0, msg_send(ipc, id, 6, 106, 0));
	EXPECT_ASLEEP(&p[3]);
	EXPECT_QUEUE(1, NOTE);
	EXPECT_EQ(0, msg_send(ipc, id, 5, 205, 0));
	EXPECT_WOKEN(205, &p[3]);
	EXPECT_EQ(106, msg_receive(ipc, id, 0, NW));
}

/* Up to a type, and all but one: what does not suit wakes nobody. */
TEST_F(block, unsuited)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_send(ipc, id, 8, 0, 0));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, -7, 0));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 8, MSG_EXCEPT));
	ASSERT_EQ(0, peer_block_receive(&p[2], ipc, id, 1l << 32 | 8, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 8, 1, 0));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_ASLEEP(&p[1]);
	EXPECT_ASLEEP(&p[2]);
	EXPECT_QUEUE(2, 2 * NOTE);
	EXPECT_EQ(0, msg_send(ipc, id, 1l << 32 | 8, 2, 0));
	EXPECT_WOKEN(2, &p[1]);
	EXPECT_EQ(0, msg_send(ipc, id, 1l << 32 | 8, 3, 0));
	EXPECT_WOKEN(3, &p[2]);
	EXPECT_EQ(0, msg_send(ipc, id, 7, 4, 0));
	EXPECT_WOKEN(4, &p[0]);
	EXPECT_QUEUE(2, 2 * NOTE);
}

/* Too long for a sleeper: it learns so, and the message goes on to the next, or stays. */
TEST_F(block, too_big_for_a_sleeper)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct msqid_ds ds;
	int id = self->id;

	ASSERT_EQ(0, peer_block_receive_bytes(&p[0], ipc, id, 9, 1, 0));
	ASSERT_EQ(0, peer_block_receive_bytes(&p[1], ipc, id, 0, 0, 0));
	ASSERT_EQ(0, peer_block_receive_bytes(&p[2], ipc, id, 9, 2, 0));
	ASSERT_EQ(0, peer_block_receive_bytes(&p[3], ipc, id, 10, -1, 0));
	ASSERT_EQ(0, peer_block_receive_bytes(&p[4], ipc, id, 9, 0, 0));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 10, 0));
	EXPECT_ERR(E2BIG, peer_woken(&p[0]));
	EXPECT_ERR(E2BIG, peer_woken(&p[1]));
	EXPECT_ASLEEP(&p[2]);
	EXPECT_WOKEN(10, &p[3]);
	EXPECT_ASLEEP(&p[4]);
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(p[3].pid, ds.msg_lrpid);
	EXPECT_QUEUE(0, 0);
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 3, 10, 0));
	EXPECT_ERR(E2BIG, peer_woken(&p[4]));
	EXPECT_ASLEEP(&p[2]);
	EXPECT_QUEUE(1, 10);
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(p[3].pid, ds.msg_lrpid);
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 2, 9, 0));
	EXPECT_WOKEN(9, &p[2]);
}

TEST_F(block, cut_for_a_sleeper)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block_receive_bytes(&p[0], ipc, id, 5000, 1, MSG_NOERROR));
	ASSERT_EQ(0, peer_block_receive_bytes(&p[1], ipc, id, 0, 0, MSG_NOERROR));
	ASSERT_EQ(0, peer_block_receive_bytes(&p[2], ipc, id, 3, 0, MSG_NOERROR));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 8000, 0));
	EXPECT_WOKEN(5000, &p[0]);
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 8000, 0));
	EXPECT_WOKEN(0, &p[1]);
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 4, 0));
	EXPECT_WOKEN(3, &p[2]);
	EXPECT_QUEUE(0, 0);
}

/* ---- Senders ---- */

/* Room for the one: the message is sent, as of the time when its turn came. */
TEST_F(block, sender)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct msqid_ds ds;
	int id = self->id;
	time_t start;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 2 * NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, msg_send(ipc, id, 2, 2, 0));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 3, 3));
	EXPECT_QUEUE(2, 2 * NOTE);
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(getpid(), ds.msg_lspid);
	wait_until(stamp_now() > ds.msg_stime);
	start = stamp_now();
	/* Nothing that it could use: a look, a failure. */
	EXPECT_ERR(ENOMSG, msg_receive(ipc, id, 3, NW));
	EXPECT_EQ(NOTE, ipc->msgrcv(id, &ds, NOTE, 0, NW | MSG_COPY));
	EXPECT_ERR(E2BIG, msg_receive_bytes(ipc, id, 1, 1, NW));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(2, msg_receive(ipc, id, 2, NW));
	EXPECT_WOKEN(0, &p[0]);
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(p[0].pid, ds.msg_lspid);
	EXPECT_LE(start, ds.msg_stime);
	EXPECT_QUEUE(2, 2 * NOTE);
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(3, msg_receive(ipc, id, 0, NW));
}

/* One place at a time: one goes on with each, and nobody is left out. */
TEST_F(block, senders)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i, k, seen = 0;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 8, 0));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, peer_block_send(&p[i], ipc, id, 1 + i % 3, i));
	for (k = 0; k < 9; k++) {
		int value = msg_receive(ipc, id, 0, 0), awake = 0;

		ASSERT_LE(0, value);
		ASSERT_EQ(0, seen & 1 << value);
		seen |= 1 << value;
		/* Whose message it was has gone on. */
		if (k) {
			EXPECT_EQ(0, peer_finish(&p[value]));
			if (ipc == &ipc_kipc)
				EXPECT_EQ(k - 1, value);
		}
		/* Of the others one, and only one, has sent; all others sleep. */
		wait_until(msg_qnum(ipc, id) == (k < 8));
		for (i = 0; i < 8; i++)
			if (!(seen & 1 << i))
				awake += peer_asleep(&p[i]) ? 1 : 0;
		EXPECT_EQ(k < 8, awake);
	}
	EXPECT_EQ(0x1ff, seen);
	EXPECT_QUEUE(0, 0);
}

/* What is too long for the room is passed by what is not, asleep or newly come. */
TEST_F(block, small_passes_big)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 100));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 50, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 40, 0));
	ASSERT_EQ(0, peer_block_send_bytes(&p[0], ipc, id, 2, 80));
	ASSERT_EQ(0, peer_block_send_bytes(&p[1], ipc, id, 3, 20));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 4, 10, NW));
	EXPECT_QUEUE(3, 100);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_ASLEEP(&p[1]);
	/* Room for the younger one only. */
	EXPECT_EQ(50, msg_receive_bytes(ipc, id, 100, 0, NW));
	EXPECT_WOKEN(0, &p[1]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_QUEUE(3, 70);
	EXPECT_EQ(40, msg_receive_bytes(ipc, id, 100, 0, NW));
	EXPECT_EQ(10, msg_receive_bytes(ipc, id, 100, 0, NW));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_QUEUE(2, 100);
	EXPECT_EQ(20, msg_receive_bytes(ipc, id, 100, 0, NW));
	EXPECT_EQ(80, msg_receive_bytes(ipc, id, 100, 0, NW));
}

/* One receipt may make room for several. */
TEST_F(block, several_at_once)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 100));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 9, 100, 0));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, peer_block_send_bytes(&p[i], ipc, id, 1 + i, 20));
	ASSERT_EQ(0, peer_block_send_bytes(&p[5], ipc, id, 6, 101));
	EXPECT_EQ(100, msg_receive_bytes(ipc, id, 100, 9, NW));
	for (i = 0; i < 5; i++)
		EXPECT_WOKEN(0, &p[i]);
	EXPECT_ASLEEP(&p[5]);
	EXPECT_QUEUE(5, 100);
}

/* Held up by the number of messages, not by their bytes. */
TEST_F(block, sender_of_nothing)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 2));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 0, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 2, 2, 0));
	ASSERT_EQ(0, peer_block_send_bytes(&p[0], ipc, id, 3, 0));
	EXPECT_EQ(0, msg_receive_bytes(ipc, id, 0, 1, NW));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_QUEUE(2, 2);
}

/* The text is that of the time of the call, not of its turn. */
static long do_send_buffer(long *arg, void *buf)
{
	return ((const struct ipc *)arg[0])->msgsnd(arg[1], buf, 64, 0);
}

TEST_F(block, text_of_the_call)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct { long type; char text[64]; } *m = (void *)p[0].page->buf, got;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 64));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 64, 0));
	m->type = 2;
	strcpy(m->text, "as it was");
	ASSERT_EQ(0, peer_begin(&p[0], do_send_buffer, (long)ipc, id, 0, 0, 0));
	EXPECT_ASLEEP(&p[0]);
	m->type = 3;
	strcpy(m->text, "as it became");
	EXPECT_EQ(64, msg_receive_bytes(ipc, id, 64, 1, NW));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_EQ(64, ipc->msgrcv(id, &got, 64, 0, NW));
	EXPECT_EQ(2, got.type);
	EXPECT_STREQ("as it was", got.text);
}

/* ---- Senders and receivers ---- */

/* A full queue holds up even what somebody waits for. */
TEST_F(block, full_though_waited_for)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 5, 0));
	EXPECT_ERR(EAGAIN, msg_send(ipc, id, 5, 5, NW));
	ASSERT_EQ(0, peer_block_send(&p[1], ipc, id, 5, 55));
	/* Natively the two would race for the room. */
	if (ipc == &ipc_kipc) {
		ASSERT_EQ(0, peer_block_send(&p[2], ipc, id, 6, 66));
	}
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_WOKEN(0, &p[1]);
	EXPECT_WOKEN(55, &p[0]);
	/* The first one was handed on, and left the room to the second. */
	if (ipc == &ipc_kipc) {
		EXPECT_WOKEN(0, &p[2]);
		EXPECT_QUEUE(1, NOTE);
		EXPECT_EQ(66, msg_receive(ipc, id, 0, NW));
	}
	EXPECT_QUEUE(0, 0);
}

/* A message that is handed over needs no room that others wait for. */
TEST_F(block, handed_past_the_queue)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 10));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 6, 0));
	ASSERT_EQ(0, peer_block_send_bytes(&p[0], ipc, id, 1, 5));
	ASSERT_EQ(0, peer_block_receive_bytes(&p[1], ipc, id, 10, 2, 0));
	EXPECT_EQ(0, msg_send_bytes(ipc, id, 2, 4, NW));
	EXPECT_WOKEN(4, &p[1]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_QUEUE(1, 6);
	EXPECT_EQ(6, msg_receive_bytes(ipc, id, 10, 0, NW));
	EXPECT_WOKEN(0, &p[0]);
}

/* Ping-pong through two types: neither misses the other. */
static long do_answer(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	int i;

	(void)buf;
	for (i = 0; i < arg[2]; i++)
		if (msg_receive(ipc, arg[1], 1, 0) != i || msg_send(ipc, arg[1], 2, i, 0))
			return -1;
	return 0;
}

TEST_F(block, ping_pong)
{
	enum { N = 1000 };
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, peer_begin(&p[0], do_answer, (long)ipc, id, N, 0, 0));
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, msg_send(ipc, id, 1, i, 0));
		ASSERT_EQ(i, msg_receive(ipc, id, 2, 0));
	}
	EXPECT_EQ(0, peer_finish(&p[0]));
	EXPECT_QUEUE(0, 0);
}

/* ---- The queue changes ---- */

TEST_F(block, removed)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_block_send(&p[i], ipc, id, 1, i));
	ASSERT_EQ(0, peer_block_send_bytes(&p[3], ipc, id, 1, 100));
	ASSERT_EQ(0, peer_block_receive(&p[4], ipc, id, 5, 0));
	ASSERT_EQ(0, peer_block_receive(&p[5], ipc, id, 1, MSG_EXCEPT));
	ASSERT_EQ(0, peer_block_receive(&p[6], ipc, id, 6, MSG_NOERROR));
	ASSERT_EQ(0, peer_block_receive(&p[7], ipc, id, 7, 0));
	EXPECT_EQ(0, msg_rmid(ipc, id));
	for (i = 0; i < 8; i++)
		EXPECT_ERR(EIDRM, peer_woken(&p[i]));
	EXPECT_ERR(EINVAL, msg_send(ipc, id, 1, 1, NW));
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
	/* Another queue, even under the same id, is none of theirs. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "msg_next_id", id));
	ASSERT_EQ(id, ipc->msgget(IPC_PRIVATE, 0600));
	EXPECT_QUEUE(0, 0);
}

/* IPC_SET with more room; and with less, which wakes nobody. */
TEST_F(block, more_room)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 10));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 10, 0));
	ASSERT_EQ(0, peer_block_send_bytes(&p[0], ipc, id, 2, 10));
	ASSERT_EQ(0, peer_block_send_bytes(&p[1], ipc, id, 3, 1000));
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 19));
	EXPECT_ASLEEP(&p[0]);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 5));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_ASLEEP(&p[1]);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 20));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_ASLEEP(&p[1]);
	EXPECT_QUEUE(2, 20);
	/* One that was never to fit. */
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1019));
	EXPECT_ASLEEP(&p[1]);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 1020));
	EXPECT_WOKEN(0, &p[1]);
	EXPECT_QUEUE(3, 1020);
	/* For several. */
	ASSERT_EQ(0, peer_block_send_bytes(&p[0], ipc, id, 2, 500));
	ASSERT_EQ(0, peer_block_send_bytes(&p[1], ipc, id, 3, 500));
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 2020));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_WOKEN(0, &p[1]);
	EXPECT_QUEUE(5, 2020);
}

/* Sleepers for which IPC_SET changes nothing sleep on, and are served afterwards. */
TEST_F(block, set_without_effect)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i, got = 0;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 2, 2));
	for (i = 1; i < 4; i++)
		ASSERT_EQ(0, peer_block_receive(&p[i], ipc, id, 5, 0));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	for (i = 0; i < 4; i++)
		EXPECT_ASLEEP(&p[i]);
	EXPECT_EQ(1, msg_receive(ipc, id, 1, NW));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_EQ(2, msg_receive(ipc, id, 2, NW));
	/* Natively all of them looked again, and came in another order, perhaps. */
	for (i = 1; i < 4; i++)
		ASSERT_EQ(0, msg_send(ipc, id, 5, 1 << i, 0));
	for (i = 1; i < 4; i++) {
		int value = peer_woken(&p[i]);

		got += value;
		if (ipc == &ipc_kipc)
			EXPECT_EQ(1 << i, value);
	}
	EXPECT_EQ(14, got);
}

static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };

static int set_mode(const struct ipc *ipc, int id, int mode)
{
	struct msqid_ds ds;

	if (msg_stat(ipc, id, &ds))
		return -1;
	ds.msg_perm.mode = mode;
	return ipc->msgctl(id, IPC_SET, &ds);
}

/* Who loses the right to read while he sleeps learns it at once. */
TEST_F(block, right_to_read_lost)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, set_mode(ipc, id, 0666));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_become(&p[i], &user));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_block_receive(&p[i], ipc, id, i % 2, i == 2 ? MSG_NOERROR : 0));
	/* Not by what leaves it. */
	ASSERT_EQ(0, set_mode(ipc, id, 0664));
	for (i = 0; i < 4; i++)
		EXPECT_ASLEEP(&p[i]);
	ASSERT_EQ(0, set_mode(ipc, id, 0662));
	for (i = 0; i < 3; i++)
		EXPECT_ERR(EACCES, peer_woken(&p[i]));
	/* Root may all the same. */
	EXPECT_ASLEEP(&p[3]);
	EXPECT_EQ(0, peer_send(&p[0], ipc, id, 1, 7, NW));
	EXPECT_WOKEN(7, &p[3]);
}

/* By a change of the owner, too. */
TEST_F(block, owner_changed)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct msqid_ds ds;
	int id = self->id;

	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	ds.msg_perm.uid = 1000;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, peer_become(&p[0], &user));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 0, 0));
	ds.msg_perm.uid = 1001;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	EXPECT_ERR(EACCES, peer_woken(&p[0]));
	EXPECT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	EXPECT_QUEUE(1, NOTE);
}

/* Who loses the right to write learns it when there is room. */
TEST_F(block, right_to_write_lost)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct msqid_ds ds;
	int id = self->id, i;

	ASSERT_EQ(0, set_mode(ipc, id, 0666));
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_become(&p[i], &user));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 2, 2));
	ASSERT_EQ(0, peer_block_send(&p[1], ipc, id, 2, 3));
	ASSERT_EQ(0, peer_block_send_bytes(&p[2], ipc, id, 2, 100));
	ASSERT_EQ(0, set_mode(ipc, id, 0664));
	for (i = 0; i < 3; i++)
		EXPECT_ASLEEP(&p[i]);
	ASSERT_EQ(0, peer_become(&p[3], &user));
	EXPECT_ERR(EACCES, peer_send(&p[3], ipc, id, 1, 1, NW));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_ERR(EACCES, peer_woken(&p[0]));
	EXPECT_ERR(EACCES, peer_woken(&p[1]));
	EXPECT_ASLEEP(&p[2]);
	EXPECT_QUEUE(0, 0);
	/* Both at once. */
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	ds.msg_qbytes = 1000;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	EXPECT_ERR(EACCES, peer_woken(&p[2]));
	EXPECT_QUEUE(0, 0);
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(getpid(), ds.msg_lspid);
}

/* The right comes back before there is room: nobody has noticed. */
TEST_F(block, right_to_write_back)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, set_mode(ipc, id, 0666));
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_become(&p[0], &user));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 2, 2));
	ASSERT_EQ(0, set_mode(ipc, id, 0));
	EXPECT_ASLEEP(&p[0]);
	ASSERT_EQ(0, set_mode(ipc, id, 0622));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_EQ(2, msg_receive(ipc, id, 0, NW));
}

/* ---- Threads of one process ---- */

struct sleeper {
	const struct ipc *ipc;
	int id, flags;
	long type;
	int ret, err;
	volatile pid_t tid;
	pthread_t t;
};

static void *sleep_in_receive(void *arg)
{
	struct sleeper *s = arg;

	s->tid = syscall(SYS_gettid);
	s->ret = msg_receive(s->ipc, s->id, s->type, s->flags);
	s->err = errno;
	return NULL;
}

static int start_sleeper(struct sleeper *s, const pthread_attr_t *attr)
{
	if (pthread_create(&s->t, attr, sleep_in_receive, s))
		return -1;
	wait_until(s->tid && task_asleep(s->tid));
	return 0;
}

TEST_F(block, threads)
{
	enum { N = 50 };
	const struct ipc *ipc = variant->ipc;
	struct sleeper s[N];
	int id = self->id, i;

	for (i = 0; i < N; i++) {
		s[i] = (struct sleeper){ .ipc = ipc, .id = id };
		ASSERT_EQ(0, start_sleeper(&s[i], NULL));
	}
	/* In their order, one by one. */
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, msg_send(ipc, id, 1, i, 0));
		ASSERT_EQ(0, pthread_join(s[i].t, NULL));
		ASSERT_EQ(i, s[i].ret);
	}
	EXPECT_QUEUE(0, 0);
}

/* Five hundred, each for a type of its own: the right one is woken; the rest by the removal. */
TEST_F_TIMEOUT(block, crowd, 200)
{
	enum { N = 500 };
	const struct ipc *ipc = variant->ipc;
	struct sleeper *s = calloc(N, sizeof(*s));
	int id = self->id, i;
	pthread_attr_t attr;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, pthread_attr_init(&attr));
	ASSERT_EQ(0, pthread_attr_setstacksize(&attr, 65536));
	for (i = 0; i < N; i++) {
		s[i] = (struct sleeper){ .ipc = ipc, .id = id, .type = 1 + i * 7l };
		ASSERT_EQ(0, start_sleeper(&s[i], &attr));
	}
	for (i = 1; i < N; i += 2) {
		int k = i * 379 % N;	/* odd, each once */

		ASSERT_EQ(0, msg_send(ipc, id, 2 + k * 7l, k, 0));
		ASSERT_EQ(0, msg_send(ipc, id, 1 + k * 7l, k, 0));
		ASSERT_EQ(0, pthread_join(s[k].t, NULL));
		ASSERT_EQ(k, s[k].ret);
	}
	EXPECT_QUEUE(N / 2, (long)(N / 2 * NOTE));
	for (i = 0; i < N; i += 2)
		ASSERT_EQ('S', task_state(s[i].tid));
	ASSERT_EQ(0, msg_rmid(ipc, id));
	for (i = 0; i < N; i += 2) {
		ASSERT_EQ(0, pthread_join(s[i].t, NULL));
		ASSERT_EQ(-1, s[i].ret);
		ASSERT_EQ(EIDRM, s[i].err);
	}
	free(s);
}

/* Removed by one of the threads that wait themselves. */
static void *remove_queue(void *arg)
{
	struct sleeper *s = arg;

	wait_until(task_asleep(getpid()));
	return (void *)(long)msg_rmid(s->ipc, s->id);
}

TEST_F(block, removed_by_a_thread)
{
	struct sleeper s = { .ipc = variant->ipc, .id = self->id };
	pthread_t t;
	void *ret;

	ASSERT_EQ(0, pthread_create(&t, NULL, remove_queue, &s));
	EXPECT_ERR(EIDRM, msg_receive(s.ipc, s.id, 0, 0));
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(NULL, ret);
}

TEST_HARNESS_MAIN

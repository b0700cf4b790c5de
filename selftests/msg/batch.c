// SPDX-License-Identifier: GPL-2.0
/* kipc's own: several messages by one call. */
#include "common/harness.h"

#include <kipc.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#define NW	IPC_NOWAIT
#define MOST	KIPC_MSG_BATCH

static const struct ipc *const ipc = &ipc_kipc;

FIXTURE(batch) {
	int id;
	struct note *notes;
	struct kipc_msg_vec vec[MOST + 1];
};

/* A queue, and the vector of notes of type 1 to 5 with values from 0. */
FIXTURE_SETUP(batch)
{
	int i;

	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(ipc);
	self->id = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->id);
	self->notes = calloc(MOST + 1, sizeof(*self->notes));
	ASSERT_NE(NULL, self->notes);
	for (i = 0; i <= MOST; i++) {
		self->notes[i] = (struct note){ 1 + i % 5, i };
		self->vec[i] = (struct kipc_msg_vec){ (uintptr_t)&self->notes[i], NOTE };
	}
}

FIXTURE_TEARDOWN(batch)
{
	EXPECT_NOTHING(&ipc_native);
}

#define SEND(_count, _flags) \
	kipc_msgsndv(self->id, self->vec, _count, _flags, CLOCK_MONOTONIC, 0, NULL)
#define RECEIVE(_count, _type, _flags) \
	kipc_msgrcvv(self->id, self->vec, _count, _type, _flags, CLOCK_MONOTONIC, 0, NULL)

static void poison(struct note *notes, struct kipc_msg_vec *vec, int n)
{
	int i;

	memset(notes, POISON, n * sizeof(*notes));
	for (i = 0; i < n; i++)
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&notes[i], NOTE };
}

TEST_F(batch, all)
{
	static const int counts[] = { 1, 2, 3, 32, 33, 1000, MOST };
	unsigned int c;
	int i;

	for (c = 0; c < ARRAY_SIZE(counts); c++) {
		int n = counts[c];

		for (i = 0; i < n; i++)
			self->notes[i] = (struct note){ 1 + i % 5, i };
		ASSERT_EQ(n, SEND(n, 0));
		EXPECT_EQ(n, msg_qnum(ipc, self->id));
		EXPECT_EQ((long)(n * NOTE), msg_cbytes(ipc, self->id));
		poison(self->notes, self->vec, n);
		ASSERT_EQ(n, RECEIVE(n, 0, 0));
		for (i = 0; i < n; i++) {
			ASSERT_EQ(1 + i % 5, self->notes[i].type);
			ASSERT_EQ(i, self->notes[i].value);
			ASSERT_EQ(NOTE, self->vec[i].size);
		}
		EXPECT_EQ(0, msg_cbytes(ipc, self->id));
	}
}

/* Each of another size, up to the largest. */
TEST_F(batch, sizes)
{
	static const size_t sizes[] = { 0, 1, 4000, 8192, 17, 0, 4096 };
	static struct { long type; unsigned char text[8192]; } m[ARRAY_SIZE(sizes)];
	struct kipc_msg_vec vec[ARRAY_SIZE(sizes)];
	unsigned int i, k;

	ASSERT_EQ(0, msg_set_qbytes(ipc, self->id, 1 << 20));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		m[i].type = 1 + i;
		memset(m[i].text, 'a' + i, sizes[i]);
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&m[i], sizes[i] };
	}
	ASSERT_EQ((int)i, kipc_msgsndv(self->id, vec, i, 0, 0, 0, NULL));
	memset(m, POISON, sizeof(m));
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		vec[i].size = 8192;
	ASSERT_EQ((int)i, kipc_msgrcvv(self->id, vec, i, 0, 0, 0, 0, NULL));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(sizes[i], vec[i].size);
		EXPECT_EQ(1 + i, m[i].type);
		for (k = 0; k < 8192; k++)
			ASSERT_EQ(k < sizes[i] ? 'a' + i : POISON, m[i].text[k]);
	}
}

/* As many as there are; none is an error. */
TEST_F(batch, as_many_as_there_are)
{
	struct kipc_msg_vec before[MOST + 1];

	EXPECT_ERR(ENOMSG, RECEIVE(5, 0, NW));
	ASSERT_EQ(3, SEND(3, 0));
	poison(self->notes, self->vec, 10);
	memcpy(before, self->vec, sizeof(before));
	EXPECT_EQ(3, RECEIVE(10, 0, 0));
	EXPECT_EQ(2, self->notes[2].value);
	/* The rest is as it was. */
	EXPECT_EQ(POISON << 24 | POISON << 16 | POISON << 8 | POISON,
		  (unsigned int)self->notes[3].value);
	EXPECT_EQ(0, memcmp(&before[3], &self->vec[3], 7 * sizeof(before[0])));
	EXPECT_ERR(ENOMSG, RECEIVE(5, 0, NW));
}

/* Of a type, of the lowest types, of all but one. */
TEST_F(batch, by_type)
{
	static const int lowest[] = { 0, 5, 10, 1, 6, 11 };
	int i;

	ASSERT_EQ(15, SEND(15, 0));
	poison(self->notes, self->vec, 15);
	EXPECT_ERR(ENOMSG, RECEIVE(15, 9, NW));
	EXPECT_EQ(2, RECEIVE(2, 4, 0));
	EXPECT_EQ(3, self->notes[0].value);
	EXPECT_EQ(8, self->notes[1].value);
	EXPECT_EQ(1, RECEIVE(15, 4, 0));
	EXPECT_EQ(13, self->notes[0].value);
	EXPECT_EQ(6, RECEIVE(15, -2, 0));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(lowest[i], self->notes[i].value);
	EXPECT_EQ(3, RECEIVE(15, 3, MSG_EXCEPT));
	EXPECT_EQ(4, self->notes[0].value);
	EXPECT_EQ(14, self->notes[2].value);
	EXPECT_EQ(3, RECEIVE(15, 0, 0));
	EXPECT_EQ(12, self->notes[2].value);
}

/* The number itself. */
TEST_F(batch, counts)
{
	static const unsigned int bad[] = { 0, MOST + 1, MOST * 2, 65536, INT_MAX, 1u << 31,
					    UINT_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EINVAL, SEND(bad[i], NW));
		EXPECT_ERR(EINVAL, RECEIVE(bad[i], 0, NW));
	}
	EXPECT_EQ(0, msg_qnum(ipc, self->id));
}

/* The first that fails ends it: those before count, or it is the error. */
TEST_F(batch, partly_sent)
{
	ASSERT_EQ(0, msg_set_qbytes(ipc, self->id, 5 * NOTE));
	EXPECT_EQ(5, SEND(10, NW));
	EXPECT_ERR(EAGAIN, SEND(10, NW));
	EXPECT_EQ(5, RECEIVE(10, 0, NW));
	/* A type that is none; a size that is none; an address that is none. */
	self->notes[3].type = 0;
	EXPECT_EQ(3, SEND(5, NW));
	EXPECT_EQ(3, RECEIVE(10, 0, NW));
	self->notes[0].type = 0;
	EXPECT_ERR(EINVAL, SEND(5, NW));
	poison(self->notes, self->vec, 10);
	self->notes[0].type = self->notes[1].type = self->notes[2].type = 1;
	self->vec[1].size = MSGMAX + 1;
	EXPECT_EQ(1, SEND(3, NW));
	self->vec[1].size = NOTE;
	self->vec[2].msg = 8;
	EXPECT_EQ(2, SEND(3, NW));
	EXPECT_EQ(3, msg_qnum(ipc, self->id));
	self->vec[0].msg = -8;
	EXPECT_ERR(EFAULT, SEND(3, NW));
}

TEST_F(batch, partly_received)
{
	ASSERT_EQ(0, msg_send(ipc, self->id, 1, 0, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, self->id, 2, 100, 0));
	ASSERT_EQ(0, msg_send(ipc, self->id, 3, 2, 0));
	/* Too long for its room: it stays, and what is behind it. */
	EXPECT_EQ(1, RECEIVE(3, 0, 0));
	EXPECT_EQ(2, msg_qnum(ipc, self->id));
	EXPECT_ERR(E2BIG, RECEIVE(3, 0, 0));
	EXPECT_EQ(2, RECEIVE(3, 0, MSG_NOERROR));
	EXPECT_EQ(NOTE, self->vec[0].size);
	EXPECT_EQ(2, self->notes[1].value);
	/* No such address: the same. */
	poison(self->notes, self->vec, 3);
	ASSERT_EQ(0, msg_send(ipc, self->id, 1, 10, 0));
	ASSERT_EQ(0, msg_send(ipc, self->id, 1, 11, 0));
	ASSERT_EQ(0, msg_send(ipc, self->id, 1, 12, 0));
	self->vec[1].msg = 8;
	EXPECT_EQ(1, RECEIVE(3, 0, 0));
	EXPECT_EQ(10, self->notes[0].value);
	self->vec[0].msg = 8;
	EXPECT_ERR(EFAULT, RECEIVE(3, 0, 0));
	EXPECT_EQ(11, msg_receive(ipc, self->id, 0, NW));
	EXPECT_EQ(12, msg_receive(ipc, self->id, 0, NW));
}

/* A vector that cannot be read to its end; one that cannot be written to receives nothing. */
TEST_F(batch, memory)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kipc_msg_vec *half;

	ASSERT_NE(MAP_FAILED, p);
	half = (struct kipc_msg_vec *)(p + PAGE) - 2;
	memcpy(half, self->vec, 4 * sizeof(*half));
	ASSERT_EQ(0, mprotect(p + PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(2, kipc_msgsndv(self->id, half, 4, NW, 0, 0, NULL));
	EXPECT_EQ(2, kipc_msgsndv(self->id, half, 4, NW, 0, 0, NULL));
	EXPECT_ERR(EFAULT, kipc_msgsndv(self->id, NULL, 1, NW, 0, 0, NULL));
	EXPECT_ERR(EFAULT, kipc_msgrcvv(self->id, half + 2, 1, 0, NW, 0, 0, NULL));
	EXPECT_EQ(2, kipc_msgrcvv(self->id, half, 4, 0, NW, 0, 0, NULL));
	EXPECT_EQ(2, msg_qnum(ipc, self->id));
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ));
	EXPECT_EQ(2, kipc_msgsndv(self->id, half, 2, NW, 0, 0, NULL));
	EXPECT_ERR(EFAULT, kipc_msgrcvv(self->id, half, 2, 0, NW, 0, 0, NULL));
	EXPECT_EQ(4, msg_qnum(ipc, self->id));
}

TEST_F(batch, refused)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };

	EXPECT_ERR(EINVAL, kipc_msgsndv(self->id + 1, self->vec, 3, 0, 0, 0, NULL));
	EXPECT_ERR(EINVAL, kipc_msgrcvv(-1, self->vec, 3, 0, 0, 0, 0, NULL));
	/* MSG_COPY is for one. */
	ASSERT_EQ(3, SEND(3, 0));
	EXPECT_ERR(EINVAL, RECEIVE(3, 0, NW | MSG_COPY));
	EXPECT_ERR(EINVAL, RECEIVE(1, 0, NW | MSG_COPY));
	EXPECT_EQ(3, msg_qnum(ipc, self->id));
	ASSERT_EQ(0, become(&user));
	EXPECT_ERR(EACCES, SEND(3, NW));
	EXPECT_ERR(EACCES, RECEIVE(3, 0, NW));
}

/* ---- Asleep ---- */

struct batch_args {
	struct timespec timeout;
	int timed, count;
	struct note notes[8];
	struct kipc_msg_vec vec[8];
};

static long do_send(long *arg, void *buf)
{
	struct batch_args *a = buf;

	return kipc_msgsndv(arg[0], a->vec, a->count, 0, CLOCK_MONOTONIC, 0,
			    a->timed ? &a->timeout : NULL);
}

static long do_receive(long *arg, void *buf)
{
	struct batch_args *a = buf;

	return kipc_msgrcvv(arg[0], a->vec, a->count, arg[1], 0, CLOCK_MONOTONIC, 0,
			    a->timed ? &a->timeout : NULL);
}

static struct batch_args *args_of(struct peer *p, int count)
{
	struct batch_args *a = (struct batch_args *)p->page->buf;
	int i;

	memset(a, 0, sizeof(*a));
	a->count = count;
	for (i = 0; i < 8; i++) {
		a->notes[i] = (struct note){ 1, 100 + i };
		a->vec[i] = (struct kipc_msg_vec){ (uintptr_t)&a->notes[i], NOTE };
	}
	return a;
}

/* To send waits until all are sent; others may come in between. */
TEST_F(batch, sender_waits_for_all)
{
	struct peer p;
	int i;

	ASSERT_EQ(0, peer_start(&p));
	args_of(&p, 6);
	ASSERT_EQ(0, msg_set_qbytes(ipc, self->id, 2 * NOTE));
	ASSERT_EQ(0, peer_begin(&p, do_send, self->id, 0, 0, 0, 0));
	for (i = 0; i < 6; i++) {
		if (i < 4) {
			EXPECT_EQ(0, peer_asleep(&p));
		}
		EXPECT_EQ(100 + i, msg_receive(ipc, self->id, 0, 0));
	}
	EXPECT_EQ(6, peer_finish(&p));
	EXPECT_EQ(0, msg_qnum(ipc, self->id));
	peer_end(&p, 0);
}

/* To receive waits for the first, and takes what is there by then. */
TEST_F(batch, receiver_waits_for_the_first)
{
	struct batch_args *a;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	a = args_of(&p, 6);
	ASSERT_EQ(0, msg_send(ipc, self->id, 9, 1, 0));
	ASSERT_EQ(0, peer_begin(&p, do_receive, self->id, 5, 0, 0, 0));
	EXPECT_EQ(0, peer_asleep(&p));
	EXPECT_EQ(0, msg_send(ipc, self->id, 5, 50, 0));
	EXPECT_EQ(1, peer_finish(&p));
	EXPECT_EQ(50, a->notes[0].value);
	EXPECT_EQ(101, a->notes[1].value);
	EXPECT_EQ(1, msg_qnum(ipc, self->id));
	peer_end(&p, 0);
}

/* Removed, interrupted, too late: those that were sent count. */
TEST_F(batch, sender_ends_early)
{
	struct batch_args *a;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_catch(&p, SIGUSR1, SA_RESTART));
	ASSERT_EQ(0, msg_set_qbytes(ipc, self->id, 2 * NOTE));
	args_of(&p, 6);
	ASSERT_EQ(0, peer_begin(&p, do_send, self->id, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_asleep(&p));
	ASSERT_EQ(0, kill(p.pid, SIGUSR1));
	EXPECT_EQ(2, peer_woken(&p));
	/* None at all. */
	ASSERT_EQ(0, peer_begin(&p, do_send, self->id, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_asleep(&p));
	ASSERT_EQ(0, kill(p.pid, SIGUSR1));
	EXPECT_ERR(EINTR, peer_woken(&p));
	a = args_of(&p, 3);
	a->timed = 1;
	a->timeout.tv_nsec = 1000000;
	EXPECT_ERR(EAGAIN, peer_run(&p, do_send, self->id, 0, 0, 0, 0));
	EXPECT_EQ(100, msg_receive(ipc, self->id, 0, NW));
	EXPECT_EQ(1, peer_run(&p, do_send, self->id, 0, 0, 0, 0));
	EXPECT_EQ(101, msg_receive(ipc, self->id, 0, NW));
	EXPECT_EQ(100, msg_receive(ipc, self->id, 0, NW));
	/* The removal. */
	args_of(&p, 6);
	ASSERT_EQ(0, peer_begin(&p, do_send, self->id, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_asleep(&p));
	ASSERT_EQ(0, msg_rmid(ipc, self->id));
	EXPECT_EQ(2, peer_woken(&p));
	EXPECT_ERR(EINVAL, peer_run(&p, do_send, self->id, 0, 0, 0, 0));
	peer_end(&p, 0);
}

TEST_F(batch, receiver_ends_early)
{
	struct batch_args *a;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_catch(&p, SIGUSR1, 0));
	args_of(&p, 6);
	ASSERT_EQ(0, peer_begin(&p, do_receive, self->id, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_asleep(&p));
	ASSERT_EQ(0, kill(p.pid, SIGUSR1));
	EXPECT_ERR(EINTR, peer_woken(&p));
	a = args_of(&p, 6);
	a->timed = 1;
	EXPECT_ERR(EAGAIN, peer_run(&p, do_receive, self->id, 0, 0, 0, 0));
	/* With what there is nobody looks at the time. */
	ASSERT_EQ(2, SEND(2, 0));
	EXPECT_EQ(2, peer_run(&p, do_receive, self->id, 0, 0, 0, 0));
	args_of(&p, 6);
	ASSERT_EQ(0, peer_begin(&p, do_receive, self->id, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_asleep(&p));
	ASSERT_EQ(0, msg_rmid(ipc, self->id));
	EXPECT_ERR(EIDRM, peer_woken(&p));
	peer_end(&p, 0);
}

/* Batches of several processes against each other: all arrive, each sender's in order. */
struct producer {
	int id, n;
};

static int produce(void *arg)
{
	struct { long type; int from, value; } m[32];
	struct kipc_msg_vec vec[32];
	const struct producer *p = arg;
	int i, k, sent = 0;

	for (i = 0; i < 32; i++)
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&m[i], sizeof(m[0]) - sizeof(long) };
	while (sent < 3200) {
		int n = 1 + (sent * 7 + p->n) % 32;

		n = n < 3200 - sent ? n : 3200 - sent;
		for (k = 0; k < n; k++) {
			m[k].type = 1 + (sent + k) % 3;
			m[k].from = p->n;
			m[k].value = sent + k;
		}
		if (kipc_msgsndv(p->id, vec, n, 0, 0, 0, NULL) != n)
			return 1;
		sent += n;
	}
	return 0;
}

TEST_F(batch, several_senders)
{
	enum { SENDERS = 4 };
	struct { long type; int from, value; } m[100];
	struct kipc_msg_vec vec[100];
	int next[SENDERS] = {}, i, n, got = 0, status;
	struct producer p[SENDERS];
	pid_t pid[SENDERS];

	ASSERT_EQ(0, msg_set_qbytes(ipc, self->id, 1000));
	for (i = 0; i < SENDERS; i++) {
		p[i] = (struct producer){ self->id, i };
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			_exit(produce(&p[i]));
	}
	while (got < SENDERS * 3200) {
		for (i = 0; i < 100; i++)
			vec[i] = (struct kipc_msg_vec){ (uintptr_t)&m[i],
							sizeof(m[0]) - sizeof(long) };
		n = kipc_msgrcvv(self->id, vec, 100, 0, 0, 0, 0, NULL);
		ASSERT_LT(0, n);
		for (i = 0; i < n; i++) {
			ASSERT_EQ(next[m[i].from], m[i].value);
			ASSERT_EQ(1 + m[i].value % 3, m[i].type);
			next[m[i].from]++;
		}
		got += n;
	}
	for (i = 0; i < SENDERS; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, msg_qnum(ipc, self->id));
}

TEST_HARNESS_MAIN

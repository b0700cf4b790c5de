// SPDX-License-Identifier: GPL-2.0
/*
 * Nonsense in, an errno out, nothing lost, nothing leaked: by the calls, and past the
 * library by the device itself.
 */
#include "common/harness.h"
#include "common/device.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* The same call with a structure of another size. */
#define RESIZED(cmd, size)	_IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), (size))

#define NW	IPC_NOWAIT

IPC_FIXTURE(bad)

TEST_F(bad, pointers)
{
	const struct ipc *ipc = variant->ipc;
	static const int cmds[] = { IPC_STAT, IPC_SET, IPC_INFO, MSG_INFO, MSG_STAT, MSG_STAT_ANY };
	int id = ipc->msgget(1, IPC_CREAT | 0600), which;
	struct msqid_ds before, after;
	unsigned int c;
	void *p;

	ASSERT_EQ(0, id);
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	for (which = 0; (p = bad_address(which)) != MAP_FAILED; which++) {
		for (c = 0; c < ARRAY_SIZE(cmds); c++) {
			errno = 0;
			EXPECT_EQ(-1, ipc->msgctl(id, cmds[c], p))
				TH_LOG("command %d, pointer %p", cmds[c], p);
			EXPECT_EQ(EFAULT, errno)
				TH_LOG("command %d, pointer %p: %s", cmds[c], p, strerror(errno));
		}
		/* One has room for a type and as much again. */
		EXPECT_ERR(EFAULT, ipc->msgsnd(id, p, BAD_ADDRESS_ROOM, 0));
		EXPECT_ERR(ENOMSG, ipc->msgrcv(id, p, 100, 7, NW));
		EXPECT_ERR(E2BIG, ipc->msgrcv(id, p, 1, 1, NW));
		EXPECT_ERR(EFAULT, ipc->msgrcv(id, p, 100, 0, NW | MSG_COPY));
	}
	ASSERT_EQ(0, msg_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	/* This looks at no buffer. */
	EXPECT_EQ(0, ipc->msgctl(id, IPC_RMID, (void *)1));
}

/* Memory that may be read only: good for IPC_SET and msgsnd, not for the others. */
TEST_F(bad, read_only_buffer)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(1, IPC_CREAT | 0600);
	struct msqid_ds *ds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, ds);
	ds->msg_perm.mode = 0640;
	ds->msg_qbytes = 1000;
	/* The beginning of it is a type. */
	ds->msg_perm.__key = 5;
	ASSERT_EQ(0, mprotect(ds, PAGE, PROT_READ));
	EXPECT_ERR(EFAULT, ipc->msgctl(id, IPC_STAT, ds));
	EXPECT_ERR(EFAULT, ipc->msgctl(id, MSG_INFO, ds));
	EXPECT_EQ(0, ipc->msgctl(id, IPC_SET, ds));
	EXPECT_EQ(0, ipc->msgsnd(id, ds, 100, NW));
	EXPECT_EQ(100, msg_cbytes(ipc, id));
}

/* ---- Receivers whose buffer cannot take it ---- */

/*
 * Two messages before, two behind; in the middle one that cannot be written to where the
 * receiver wants it.  Native loses it; in kipc it stays in its place.
 */
static void lost_or_not(struct __test_metadata *_metadata, const struct ipc *ipc, void *buf,
			size_t room, size_t size, int flags)
{
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;
	bool kept = ipc == &ipc_kipc;

	ASSERT_LE(0, id);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, i == 2 ? msg_send_bytes(ipc, id, 7, size, NW)
				    : msg_send(ipc, id, 1 + i % 2, i, NW));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, buf, room, 7, NW | flags));
	EXPECT_EQ(kept ? 5 : 4, msg_qnum(ipc, id));
	EXPECT_EQ((long)(4 * NOTE + (kept ? size : 0)), msg_cbytes(ipc, id));
	EXPECT_EQ(0, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	if (kept) {
		EXPECT_EQ((ssize_t)size, msg_receive_bytes(ipc, id, size, 0, NW));
	}
	EXPECT_EQ(3, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(4, msg_receive(ipc, id, 0, NW));
	ASSERT_EQ(0, msg_rmid(ipc, id));
}

TEST_F(bad, receivers_buffer)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t sizes[] = { 9, 16, 100, 4096, 8192 };
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i, which;
	void *bad;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + 3 * PAGE, PAGE, PROT_NONE));
	/* Nowhere; not the type; the type and no text; all but the last byte; read-only. */
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (which = 0; (bad = bad_address(which)) != MAP_FAILED; which++)
			lost_or_not(_metadata, ipc, bad, sizes[i], sizes[i], 0);
		lost_or_not(_metadata, ipc, p + 3 * PAGE - 4, sizes[i], sizes[i], 0);
		lost_or_not(_metadata, ipc, p + 3 * PAGE - 8, sizes[i], sizes[i], MSG_NOERROR);
		lost_or_not(_metadata, ipc, p + 3 * PAGE - 8 - sizes[i] + 1, sizes[i], sizes[i], 0);
		lost_or_not(_metadata, ipc, p + 3 * PAGE - 8 - sizes[i] + 1, 1 << 20, sizes[i],
			    MSG_NOERROR);
		ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ));
		lost_or_not(_metadata, ipc, p, sizes[i], sizes[i], 0);
		ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
		/* Not even of no bytes, when there is nowhere to put the type. */
		lost_or_not(_metadata, ipc, NULL, 0, sizes[i], MSG_NOERROR);
	}
}

/* Wherever it was; also of those whose neighbours have gone. */
TEST_F(bad, back_to_its_place)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;

	if (ipc == &ipc_native)
		SKIP(return, "native loses it");
	ASSERT_LE(0, id);
	for (i = 0; i < 60; i++)
		ASSERT_EQ(0, msg_send(ipc, id, i + 1, i, NW));
	for (i = 1; i < 60; i += 4)
		EXPECT_EQ(i, msg_receive(ipc, id, i + 1, NW));
	/* Each once, but not in order, by which one could make good what the last did wrong. */
	for (i = 0; i < 60; i++)
		if (i * 37 % 60 % 4 != 1)
			EXPECT_ERR(EFAULT, ipc->msgrcv(id, NULL, NOTE, i * 37 % 60 + 1, NW));
	for (i = 0; i < 60; i++)
		if (i % 4 != 1)
			EXPECT_EQ(i, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, msg_qnum(ipc, id));
	ASSERT_EQ(0, msg_rmid(ipc, id));
}

/* Only what is written must be writable. */
TEST_F(bad, unneeded_part)
{
	const struct ipc *ipc = variant->ipc;
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id = ipc->msgget(IPC_PRIVATE, 0600);

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + PAGE, PAGE, PROT_NONE));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 8, 0));
	EXPECT_EQ(8, ipc->msgrcv(id, p + PAGE - 16, MSGMAX, 0, NW));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 100, 0));
	EXPECT_EQ(8, ipc->msgrcv(id, p + PAGE - 16, 8, 0, NW | MSG_NOERROR));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 0, 0));
	EXPECT_EQ(0, ipc->msgrcv(id, p + PAGE - 8, MSGMAX, 0, NW));
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* A sleeper whose buffer is bad: kipc gives the message to the next one, or keeps it. */
static long do_receive_at(long *arg, void *buf)
{
	(void)buf;
	return ((const struct ipc *)arg[0])->msgrcv(arg[1], (void *)arg[2], arg[3], arg[4], 0);
}

TEST_F(bad, sleepers_buffer)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;
	bool kept = ipc == &ipc_kipc;
	struct peer p[4];

	ASSERT_LE(0, id);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, peer_begin(&p[0], do_receive_at, (long)ipc, id, 8, 100, 0));
	ASSERT_EQ(0, peer_asleep(&p[0]));
	ASSERT_EQ(0, peer_begin(&p[1], do_receive_at, (long)ipc, id, 0, 100, 5));
	ASSERT_EQ(0, peer_asleep(&p[1]));
	ASSERT_EQ(0, peer_block_receive(&p[2], ipc, id, 6, 0));
	ASSERT_EQ(0, peer_block_receive(&p[3], ipc, id, -5, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 50, 0));
	EXPECT_ERR(EFAULT, peer_finish(&p[0]));
	if (kept) {
		EXPECT_ERR(EFAULT, peer_finish(&p[1]));
		EXPECT_EQ(50, peer_finish(&p[3]));
		ASSERT_EQ(0, peer_begin(&p[1], do_receive_at, (long)ipc, id, 0, 100, 5));
		ASSERT_EQ(0, peer_asleep(&p[1]));
	} else {
		EXPECT_EQ(0, peer_asleep(&p[1]));
		EXPECT_EQ(0, peer_asleep(&p[3]));
	}
	EXPECT_EQ(0, peer_asleep(&p[2]));
	EXPECT_EQ(0, msg_qnum(ipc, id));
	/* For nobody else: it stays, or is gone. */
	EXPECT_EQ(0, msg_send(ipc, id, 5, 51, 0));
	EXPECT_ERR(EFAULT, peer_finish(&p[1]));
	EXPECT_EQ(kept, msg_qnum(ipc, id));
	for (i = 0; i < 4; i++)
		peer_end(&p[i], SIGKILL);
}

/* It stays though the queue has been filled up meanwhile, and though its limit was lowered. */
TEST_F(bad, kept_beyond_the_limit)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;
	struct peer p;

	if (ipc == &ipc_native)
		SKIP(return, "native loses it");
	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, 2 * NOTE));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, msg_send(ipc, id, 1, i, 0));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_block_send(&p, ipc, id, 2, 7));
	EXPECT_ERR(EFAULT, ipc->msgrcv(id, NULL, NOTE, 0, NW));
	/* Whether the sender could use the moment is its luck. */
	EXPECT_EQ(0, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, peer_finish(&p));
	EXPECT_EQ(7, msg_receive(ipc, id, 0, NW));
	peer_end(&p, 0);
}

/* ---- Memory that changes ---- */

/* The type changes while the kernel reads it: what was checked is what is sent. */
static void *flicker(void *arg)
{
	volatile long *type = arg;

	while (*type != -1) {
		*type = 5;
		*type = 0;
		*type = LONG_MIN;
		*type = 5;
	}
	return NULL;
}

TEST_F(bad, changing_type)
{
	const struct ipc *ipc = variant->ipc;
	static volatile struct { long type; char text[8]; } m = { .type = 5 };
	int id = ipc->msgget(IPC_PRIVATE, 0600), i, sent = 0;
	struct { long type; char text[8]; } got;
	pthread_t t;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, pthread_create(&t, NULL, flicker, (void *)&m.type));
	/* Until it was right often enough. */
	for (i = 0; i < 3000 || sent < 100; i++) {
		if (!ipc->msgsnd(id, (const void *)&m, 8, NW)) {
			sent++;
			ASSERT_EQ(8, ipc->msgrcv(id, &got, 8, 0, NW));
			ASSERT_EQ(5, got.type);
		} else {
			ASSERT_EQ(EINVAL, errno);
		}
	}
	/* It may miss that once. */
	while (pthread_tryjoin_np(t, NULL))
		m.type = -1;
}

/* ---- Floods ---- */

/* Random arguments change nothing and leave nothing. */
TEST_F(bad, random)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;
	struct msqid_ds before, after;
	unsigned int seed = 4711;
	struct note n = { 1, 1 };

	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_send(ipc, id, 7, 7, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	for (i = 0; i < 3000; i++) {
		int r = (int)((unsigned int)rand_r(&seed) << 16 ^ (unsigned int)rand_r(&seed));
		unsigned long l = (unsigned long)r * 0x9e3779b97f4a7c15ul | 1ul << 63;

		if (r != id) {
			EXPECT_EQ(-1, msg_send(ipc, r, 1, 1, r));
			EXPECT_EQ(-1, msg_receive(ipc, r, l, r));
			EXPECT_EQ(-1, msg_rmid(ipc, r));
			EXPECT_EQ(-1, ipc->msgctl(r, IPC_STAT, (void *)l));
		}
		EXPECT_EQ(-1, ipc->msgsnd(id, (void *)l, r & 0xffff, NW));
		EXPECT_EQ(-1, ipc->msgsnd(id, &n, l, r | NW));
		EXPECT_EQ(-1, ipc->msgsnd(id, &n, 8193 + (r & 0xffffff), NW));
		EXPECT_EQ(-1, ipc->msgrcv(id, &n, l, 0, r | NW));
		/* No such type, no such position. */
		EXPECT_EQ(-1, msg_receive(ipc, id, (l >> 1) | 8, (r | NW) & ~MSG_EXCEPT));
		EXPECT_EQ(-1, ipc->msgctl(id, r | 0x1000, (void *)&n));
	}
	ASSERT_EQ(0, msg_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(1, msg_rows(ipc, NULL, 0));
	EXPECT_EQ(7, msg_receive(ipc, id, 0, NW));
}

/*
 * Sleepers by the thousand, senders and receivers, of a process that is killed: nobody
 * else is held up, nothing is left.
 */
struct many {
	const struct ipc *ipc;
	int id, begun;
};

static void *one_of_many(void *arg)
{
	struct many *m = arg;
	int n = __atomic_fetch_add(&m->begun, 1, __ATOMIC_SEQ_CST);

	if (n % 3)
		msg_receive(m->ipc, m->id, n % 3 == 1 ? 1000 + n : 1, n % 3 == 1 ? 0 : MSG_EXCEPT);
	else
		msg_send(m->ipc, m->id, 1000 + n, n, 0);
	return NULL;
}

static int many_sleepers(struct many *m, int n)
{
	pthread_attr_t attr;
	pthread_t t;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, 16384) ||
	    pthread_attr_setguardsize(&attr, 0))
		return 1;
	for (i = 0; i < n; i++)
		if (pthread_create(&t, &attr, one_of_many, m))
			return 2;
	for (;;)
		pause();
}

TEST_F_TIMEOUT(bad, many_sleepers, 200)
{
	enum { N = 2500 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600), status;
	struct many *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct peer p;
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, m);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, write_text("/proc/sys/kernel/threads-max", "30000"));
	ASSERT_EQ(0, write_text("/proc/sys/kernel/pid_max", "100000"));
	ASSERT_EQ(0, peer_start(&p));
	*m = (struct many){ ipc, id, 0 };
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(many_sleepers(m, N));
	/* Nobody can go on: whoever has begun sleeps, or is about to. */
	while (__atomic_load_n(&m->begun, __ATOMIC_SEQ_CST) < N) {
		siginfo_t info = {};

		ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT));
		ASSERT_EQ(0, info.si_pid)
			TH_LOG("only %d sleepers", m->begun);
		wait_a_little();
	}
	/* One more, of another process, behind them all. */
	ASSERT_EQ(0, peer_block_receive(&p, ipc, id, 5, 0));
	EXPECT_EQ(1, msg_qnum(ipc, id));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(1, msg_receive(ipc, id, 1, NW));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 55, 0));
	EXPECT_EQ(55, peer_woken(&p));
	EXPECT_EQ(0, msg_qnum(ipc, id));
	peer_end(&p, 0);
}

/* ---- The device ---- */

FIXTURE(device) {
	int fd, id;
	struct note n;
};

FIXTURE_SETUP(device)
{
	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(&ipc_kipc);
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->id = ipc_kipc.msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->id);
	ASSERT_EQ(0, msg_send(&ipc_kipc, self->id, 3, 4, 0));
	self->n = (struct note){ 9, 9 };
}

FIXTURE_TEARDOWN(device)
{
	EXPECT_EQ(1, msg_rows(&ipc_kipc, NULL, 0));
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, self->id));
	EXPECT_EQ(4, msg_receive(&ipc_kipc, self->id, 3, NW));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_NOTHING(&ipc_native);
}

static const unsigned int msg_cmds[] = {
	KIPC_IOC_MSG_GET, KIPC_IOC_MSG_SEND, KIPC_IOC_MSG_RECEIVE, KIPC_IOC_MSG_CTL,
};

TEST_F(device, feature)
{
	struct kipc_query q = {};

	ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_QUERY, &q));
	EXPECT_EQ(KIPC_FEATURE_MSG, q.features & KIPC_FEATURE_MSG);
}

TEST_F(device, shorter)
{
	unsigned char buf[128], zero[128] = {};
	unsigned int c, size;

	for (c = 0; c < ARRAY_SIZE(msg_cmds); c++)
		for (size = 0; size < _IOC_SIZE(msg_cmds[c]); size++) {
			memset(buf, 0, sizeof(buf));
			EXPECT_ERR(EINVAL, ioctl(self->fd, RESIZED(msg_cmds[c], size), buf));
			EXPECT_EQ(0, memcmp(buf, zero, sizeof(buf)));
		}
}

TEST_F(device, longer)
{
	static unsigned char buf[8192];
	static const unsigned int more[] = { 1, 8, 64, 1024, 3000 };
	struct kipc_msg_op op = { .id = self->id, .flags = NW, .type = 8,
				  .msg = (uintptr_t)&self->n, .size = NOTE };
	struct kipc_msg_ctl ctl = { .id = self->id, .cmd = 77 };
	unsigned int i, c;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		memset(buf, 0, sizeof(buf));
		memcpy(buf, &op, sizeof(op));
		EXPECT_ERR(ENOMSG, ioctl(self->fd, RESIZED(KIPC_IOC_MSG_RECEIVE,
							   sizeof(op) + more[i]), buf));
		memset(buf, 0, sizeof(buf));
		memcpy(buf, &ctl, sizeof(ctl));
		EXPECT_ERR(EINVAL, ioctl(self->fd, RESIZED(KIPC_IOC_MSG_CTL, sizeof(ctl) + more[i]),
					 buf));
	}
	for (c = 0; c < ARRAY_SIZE(msg_cmds); c++) {
		unsigned int n = _IOC_SIZE(msg_cmds[c]);

		memset(buf, 0, sizeof(buf));
		buf[n + 7] = 1;
		EXPECT_ERR(E2BIG, ioctl(self->fd, RESIZED(msg_cmds[c], n + 8), buf));
	}
}

TEST_F(device, pointers)
{
	unsigned int c;
	int which;
	void *p;

	for (which = 0; (p = bad_address(which)) != MAP_FAILED; which++)
		for (c = 0; c < ARRAY_SIZE(msg_cmds); c++) {
			/* One of them leaves room for the shortest structures. */
			if (bad_address(which + 1) == MAP_FAILED &&
			    _IOC_SIZE(msg_cmds[c]) <= BAD_ADDRESS_ROOM)
				continue;
			EXPECT_ERR(EFAULT, ioctl(self->fd, msg_cmds[c], p));
		}
}

TEST_F(device, padding_and_flags)
{
	static const unsigned int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, 2,
					       3, 4, 5, 6, 8, 9, 11, 77, 0x80000000, ~0u };
	static const struct timespec past = { 0, 1 };
	struct kipc_msg_get get = { .key = IPC_PRIVATE, .flags = 0600 };
	struct kipc_msg_op op = { .id = self->id, .type = 8, .msg = (uintptr_t)&self->n,
				  .size = NOTE, .flags = NW };
	unsigned int bit, c;

	for (bit = 0; bit < 32; bit++) {
		get.pad = 1u << bit;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_GET, &get));
		get.pad = 0;
		if (bit > 1) {
			get.lifetime = 1u << bit;
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_GET, &get));
			get.lifetime = 0;
		}
		op.pad = 1u << bit;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_SEND, &op));
		op.pad = 0;
		/* One bit there is, but not without a time-out. */
		op.timeout_flags = 1u << bit;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		op.timeout = (uintptr_t)&past;
		op.flags = 0;
		if (op.timeout_flags == KIPC_TIMEOUT_ABSOLUTE) {
			EXPECT_ERR(EAGAIN, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		} else {
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		}
		op.timeout = op.timeout_flags = 0;
		op.flags = NW;
	}
	/* To send there is no type to ask for. */
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_SEND, &op));
	for (c = 0; c < ARRAY_SIZE(clocks); c++) {
		op.clock = clocks[c];
		op.timeout = 0;
		op.flags = NW;
		if (op.clock) {
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		}
		op.timeout = (uintptr_t)&past;
		op.flags = 0;
		if (op.clock <= CLOCK_MONOTONIC || op.clock == CLOCK_BOOTTIME) {
			EXPECT_ERR(EAGAIN, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		} else {
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		}
		op.timeout = 0xffff888000000000ul;
		EXPECT_ERR(EFAULT, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
	}
}

TEST_F(device, numbers)
{
	static const int ids[] = { -1, INT_MIN, INT_MAX, 1, 1 << 24, 12345 };
	static const uint64_t sizes[] = { 8193, 65536, 1ul << 31, 1ul << 32, (1ul << 32) + NOTE,
					  1ul << 63, ~0ul };
	static const unsigned int counts[] = { KIPC_MSG_BATCH + 1, 1u << 31, ~0u };
	struct kipc_msg_vec vec = { (uintptr_t)&self->n, NOTE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		struct kipc_msg_op op = { .id = ids[i], .flags = NW, .msg = (uintptr_t)&self->n,
					  .size = NOTE };
		struct kipc_msg_ctl ctl = { .id = ids[i], .cmd = IPC_RMID };

		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_SEND, &op));
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_CTL, &ctl));
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kipc_msg_op op = { .id = self->id, .flags = NW, .msg = (uintptr_t)&self->n,
					  .size = sizes[i] };

		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_SEND, &op));
		op.type = 8;
		errno = 0;
		EXPECT_EQ(-1, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		EXPECT_EQ(sizes[i] >> 63 ? EINVAL : ENOMSG, errno);
	}
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		struct kipc_msg_op op = { .id = self->id, .flags = NW, .msg = (uintptr_t)&vec,
					  .count = counts[i] };

		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_SEND, &op));
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
		/* A size has no meaning beside a count. */
		op.count = 1;
		op.size = NOTE;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_SEND, &op));
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_MSG_RECEIVE, &op));
	}
}

/* The same by the short way in. */
static long call(int fd, unsigned int nr, unsigned int high, unsigned int low, unsigned long len)
{
	return syscall(SYS_fadvise64, fd, (unsigned long)high << 32 | low, len, nr);
}

static bool within(unsigned int nr, unsigned int first, unsigned int last)
{
	return nr >= (first & 0xffffff) && nr <= (last & 0xffffff);
}

TEST_F(device, short_way)
{
	static struct { long type; char text[KIPC_CALL_MSG_SIZE]; } big = { .type = 5 };
	struct note n = { 5, 50 };
	unsigned int size, nr;
	int id;

	id = call(self->fd, KIPC_CALL_MSG_GET, IPC_CREAT | 0600, 0x77, 0);
	ASSERT_LE(0, id);
	EXPECT_EQ(id, ipc_kipc.msgget(0x77, 0));
	EXPECT_ERR(EEXIST, call(self->fd, KIPC_CALL_MSG_GET, IPC_CREAT | IPC_EXCL, 0x77, 0));
	EXPECT_ERR(ENOENT, call(self->fd, KIPC_CALL_MSG_GET, 0, 0x78, 0));
	EXPECT_EQ(0, call(self->fd, KIPC_CALL_MSG_SEND(0, NOTE), 0, id, (uintptr_t)&n));
	EXPECT_EQ(0, call(self->fd, KIPC_CALL_MSG_SEND(NW, NOTE), 0, id, (uintptr_t)&n));
	n.type = n.value = 0;
	EXPECT_EQ(NOTE, call(self->fd, KIPC_CALL_MSG_RECEIVE(0, NOTE), 5, id, (uintptr_t)&n));
	EXPECT_EQ(5, n.type);
	EXPECT_EQ(50, n.value);
	/* The type has a sign. */
	EXPECT_ERR(ENOMSG, call(self->fd, KIPC_CALL_MSG_RECEIVE(NW, NOTE), -4, id, (uintptr_t)&n));
	EXPECT_ERR(ENOMSG, call(self->fd, KIPC_CALL_MSG_RECEIVE(NW | MSG_EXCEPT, NOTE), 5, id,
				(uintptr_t)&n));
	EXPECT_ERR(E2BIG, call(self->fd, KIPC_CALL_MSG_RECEIVE(NW, 1), -5, id, (uintptr_t)&n));
	EXPECT_EQ(1, call(self->fd, KIPC_CALL_MSG_RECEIVE(NW | MSG_NOERROR, 1), -5, id,
			  (uintptr_t)&n));
	/* All sizes that there are, and that may not be. */
	for (size = 0; size <= KIPC_CALL_MSG_SIZE; size += size < 8200 ? 257 : 5000) {
		if (size <= MSGMAX) {
			EXPECT_EQ(0, call(self->fd, KIPC_CALL_MSG_SEND(0, size), 0, id,
					  (uintptr_t)&big));
			EXPECT_EQ(size, call(self->fd, KIPC_CALL_MSG_RECEIVE(0, size), 0, id,
					     (uintptr_t)&big));
		} else {
			EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_MSG_SEND(0, size), 0, id,
						(uintptr_t)&big));
		}
	}
	EXPECT_ERR(EFAULT, call(self->fd, KIPC_CALL_MSG_SEND(0, NOTE), 0, id, 8));
	EXPECT_ERR(EFAULT, call(self->fd, KIPC_CALL_MSG_SEND(0, NOTE), 0, id, ULONG_MAX - 8));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_MSG_SEND(0, NOTE), 0, -1, (uintptr_t)&n));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_MSG_SEND(0, NOTE), 0, id + 1, (uintptr_t)&n));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_MSG_RECEIVE(0, NOTE), 0, -1, (uintptr_t)&n));
	EXPECT_ERR(ENOMSG, call(self->fd, KIPC_CALL_MSG_RECEIVE(NW, NOTE), 0, id, 8));
	EXPECT_EQ(0, msg_qnum(&ipc_kipc, id));
	/* Numbers around the known ones. */
	for (nr = 1; nr < 64; nr++) {
		EXPECT_EQ(-1, call(self->fd, KIPC_CALL_MSG_GET + nr, 1, id, (uintptr_t)&n));
		/* Those with flags or of a size are many. */
		if (!within(nr << 16, KIPC_CALL_MSG_SEND(0, 0),
			    KIPC_CALL_MSG_SEND(~0u, KIPC_CALL_MSG_SIZE)) &&
		    !within(nr << 16, KIPC_CALL_MSG_RECEIVE(0, 0),
			    KIPC_CALL_MSG_RECEIVE(~0u, KIPC_CALL_MSG_SIZE)))
			EXPECT_EQ(-1, call(self->fd, 0x6b000000 + (nr << 16), 1, id,
					   (uintptr_t)&n));
	}
	EXPECT_EQ(0, msg_qnum(&ipc_kipc, id));
	EXPECT_EQ(0, msg_rmid(&ipc_kipc, id));
}

/* Random bytes for structures: whatever they mean, nothing breaks. */
TEST_F(device, random_bytes)
{
	unsigned int seed = 271828, i, j;
	unsigned char buf[64];

	for (i = 0; i < 5000; i++) {
		unsigned int c = rand_r(&seed) % ARRAY_SIZE(msg_cmds);

		for (j = 0; j < sizeof(buf); j++)
			buf[j] = rand_r(&seed) % (j % 4 ? 2 : 256);
		/* Not the queue itself, nor a new one. */
		if (c)
			((int *)buf)[0] = 1 + rand_r(&seed) % 100;
		else
			((int *)buf)[0] = 0x700;
		if (!c)
			buf[5] &= ~(IPC_CREAT >> 8);
		EXPECT_EQ(-1, ioctl(self->fd, msg_cmds[c], buf));
	}
}

TEST_HARNESS_MAIN

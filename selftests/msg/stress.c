// SPDX-License-Identifier: GPL-2.0
/*
 * Many senders and receivers at once, some of them killed, stopped or unable to take what
 * they asked for.  Every message has a number and a checksum: in the end each one must
 * have arrived once and whole, and what may be missing, and why, is counted.  Bounded by
 * numbers of messages and kills, not by time.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define NW		IPC_NOWAIT
#define MOST		4		/* senders, and as many receivers */
#define TYPES		6
#define NUMBERS		20000		/* messages of one sender at most */
#define TEXT		6000		/* bytes of a message at most */

struct message {
	long type;
	unsigned int sender, number, size;	/* @size: bytes after @type */
	unsigned int sum;
	unsigned char text[TEXT];
};
#define HEADER	(offsetof(struct message, text) - sizeof(long))

/* Shared by all processes of a test. */
struct arena {
	const struct ipc *ipc;
	int id;
	unsigned int count;		/* messages of each sender; 0: for ever */
	unsigned int rounds;
	volatile bool stop;
	/* Of each sender: the number it last began to send, and had sent. */
	volatile unsigned int begun[MOST], sent[MOST];
	/* How often each message arrived; and whether it may have been sent or not. */
	unsigned char arrived[MOST][NUMBERS], doubtful[MOST][NUMBERS];
	long arrivals, faults;
	/* Where each receiver has its messages written, so that a dead one's can be seen. */
	struct message in[MOST];
	int failed;			/* a line number */
	int err;
};

FIXTURE(stress) { struct arena *a; };
FIXTURE_VARIANT(stress) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(stress, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(stress, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(stress)
{
	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	self->a = mmap(NULL, sizeof(*self->a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT_NE(MAP_FAILED, self->a);
	self->a->ipc = variant->ipc;
	self->a->id = variant->ipc->msgget(1, IPC_CREAT | 0600);
	ASSERT_LE(0, self->a->id);
}

FIXTURE_TEARDOWN(stress)
{
	struct arena *a = self->a;
	int id = a->ipc->msgget(1, 0);

	EXPECT_EQ(0, a->failed)
		TH_LOG("%s:%d: errno %d (%s)", __FILE__, a->failed, a->err, strerror(a->err));
	if (id >= 0)
		EXPECT_EQ(0, msg_rmid(a->ipc, id));
	EXPECT_NOTHING(a->ipc);
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

#define CHECK(a, cond) do { \
	if (!(cond) && !(a)->failed) { \
		(a)->err = errno; \
		(a)->failed = __LINE__; \
	} \
} while (0)

typedef void (*work)(struct arena *a, int me);

static pid_t start(struct arena *a, work fn, int me)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(a, me);
		_exit(0);
	}
	return pid;
}

static void end(struct __test_metadata *_metadata, pid_t *pid, int n)
{
	int i, status;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* ---- Messages ---- */

static unsigned int sum_of(const struct message *m)
{
	unsigned int sum = m->type * 2654435761u ^ m->sender << 24 ^ m->number ^ m->size << 12;
	unsigned int i;

	for (i = HEADER; i < m->size; i++)
		sum = (sum << 5 | sum >> 27) ^ m->text[i - HEADER];
	return sum;
}

static void fill(struct message *m, int sender, unsigned int number, unsigned int *seed)
{
	unsigned int i;

	m->type = 1 + rand_r(seed) % TYPES;
	m->sender = sender;
	m->number = number;
	/* Mostly short ones; some that take several pages. */
	m->size = HEADER + rand_r(seed) % (rand_r(seed) % 4 ? 100 : TEXT);
	for (i = HEADER; i < m->size; i++)
		m->text[i - HEADER] = number + i * sender;
	m->sum = sum_of(m);
}

static bool is_whole(const struct message *m, ssize_t size)
{
	return m->size >= HEADER && m->size <= sizeof(*m) - sizeof(long) &&
	       (size < 0 || m->size == size) && m->sender < MOST && m->number < NUMBERS &&
	       m->type >= 1 && m->type <= TYPES && m->sum == sum_of(m);
}

/* It came: whole, and not for the second time. */
static void arrive(struct arena *a, const struct message *m, ssize_t size)
{
	CHECK(a, is_whole(m, size));
	if (a->failed)
		return;
	CHECK(a, __atomic_fetch_add(&a->arrived[m->sender][m->number], 1, __ATOMIC_SEQ_CST) == 0);
	__atomic_fetch_add(&a->arrivals, 1, __ATOMIC_SEQ_CST);
}

static void send_many(struct arena *a, int me)
{
	unsigned int seed = 31 * me + a->begun[me], n;
	struct message m;

	for (n = a->begun[me]; !a->stop && !a->failed && n < (a->count ?: NUMBERS); n++) {
		fill(&m, me, n, &seed);
		a->begun[me] = n + 1;
		while (a->ipc->msgsnd(a->id, &m, m.size, n % 16 ? 0 : NW)) {
			CHECK(a, errno == EAGAIN);
			if (errno != EAGAIN)
				return;
			sched_yield();
		}
		a->sent[me] = n + 1;
	}
}

/* In some way of those there are; the first receiver always takes whatever there is. */
static ssize_t receive_some(struct arena *a, int me, struct message *m, size_t room,
			    unsigned int *seed, int flags)
{
	long type = 1 + rand_r(seed) % TYPES;

	switch (me) {
	case 1:
		/* For one type this one waits alone, so it must not wait for ever. */
		return a->ipc->msgrcv(a->id, m, room, type, flags | NW);
	case 2:
		return a->ipc->msgrcv(a->id, m, room, -(type + 1), flags | NW);
	case 3:
		return a->ipc->msgrcv(a->id, m, room, type, flags | MSG_EXCEPT);
	default:
		return a->ipc->msgrcv(a->id, m, room, 0, flags);
	}
}

static void receive_many(struct arena *a, int me)
{
	struct message *m = &a->in[me];
	unsigned int seed = 77 + me;

	while (!a->failed) {
		ssize_t n;

		m->size = 0;
		n = receive_some(a, me, m, sizeof(*m) - sizeof(long), &seed, 0);
		if (n < 0) {
			if (errno == ENOMSG) {
				sched_yield();
				continue;
			}
			/* The end. */
			CHECK(a, errno == EIDRM || errno == EINVAL);
			return;
		}
		arrive(a, m, n);
	}
}

/* All numbers up to the last: those that arrived, and those that did not. */
static long missing(struct __test_metadata *_metadata, struct arena *a, long *doubtful)
{
	long lost = 0;
	unsigned int n;
	int s;

	*doubtful = 0;
	for (s = 0; s < MOST; s++)
		for (n = 0; n < a->begun[s]; n++) {
			ASSERT_GE(1, a->arrived[s][n]);
			if (a->arrived[s][n])
				continue;
			if (a->doubtful[s][n])
				++*doubtful;
			else
				lost++;
		}
	return lost;
}

/* ---- Nobody dies ---- */

TEST_F_TIMEOUT(stress, all_arrive, 200)
{
	struct arena *a = self->a;
	pid_t s[MOST], r[MOST];
	long doubtful;
	int i;

	a->count = 1000;
	for (i = 0; i < MOST; i++) {
		s[i] = start(a, send_many, i);
		r[i] = start(a, receive_many, i);
		ASSERT_LE(0, s[i]);
		ASSERT_LE(0, r[i]);
	}
	end(_metadata, s, MOST);
	wait_until(a->failed || a->arrivals == MOST * (long)a->count);
	EXPECT_EQ(0, msg_cbytes(a->ipc, a->id));
	ASSERT_EQ(0, msg_rmid(a->ipc, a->id));
	end(_metadata, r, MOST);
	EXPECT_EQ(0, missing(_metadata, a, &doubtful));
	EXPECT_EQ(0, doubtful);
}

/* One receiver: of each sender and type the order is that of sending. */
TEST_F_TIMEOUT(stress, order, 200)
{
	struct arena *a = self->a;
	unsigned int next[MOST][TYPES + 1] = {}, seed = 5;
	struct message m;
	pid_t s[MOST];
	long got = 0;
	int i;

	a->count = 800;
	for (i = 0; i < MOST; i++) {
		s[i] = start(a, send_many, i);
		ASSERT_LE(0, s[i]);
	}
	while (got < MOST * (long)a->count) {
		static const int ways[] = { 0, 0, 1, 2, 3 };
		int way = ways[rand_r(&seed) % ARRAY_SIZE(ways)];
		/* This one is alone: it must not wait for what may never come. */
		ssize_t n = receive_some(a, way, &m, sizeof(m) - sizeof(long), &seed,
					 way == 3 ? NW : 0);

		if (n < 0) {
			ASSERT_EQ(ENOMSG, errno);
			continue;
		}
		ASSERT_TRUE(is_whole(&m, n));
		ASSERT_LE(next[m.sender][m.type], m.number);
		next[m.sender][m.type] = m.number + 1;
		a->arrived[m.sender][m.number]++;
		got++;
	}
	end(_metadata, s, MOST);
	EXPECT_EQ(0, missing(_metadata, a, &got));
	EXPECT_EQ(0, msg_qnum(a->ipc, a->id));
}

/* ---- Somebody dies ---- */

/* What its death leaves open: a sender's last message, a receiver's that it had in hand. */
static void settle_sender(struct arena *a, int me)
{
	if (a->begun[me] != a->sent[me])
		a->doubtful[me][a->begun[me] - 1] = 1;
	a->sent[me] = a->begun[me];
}

static void settle_receiver(struct arena *a, int me)
{
	struct message *m = &a->in[me];

	/* Written whole, and perhaps not counted yet. */
	if (m->size && is_whole(m, -1) && !a->arrived[m->sender][m->number]) {
		a->arrived[m->sender][m->number] = 1;
		a->arrivals++;
	}
	m->size = 0;
}

static void a_while(unsigned int *seed)
{
	struct timespec t = { .tv_nsec = rand_r(seed) % 1500000 };

	/* Where it hits is a matter of chance. */
	if (rand_r(seed) % 4)
		nanosleep(&t, NULL);
}

/* Natively each receiver that is killed may take one message with it. */
TEST_F_TIMEOUT(stress, killed, 200)
{
	enum { KILLS = 200 };
	struct arena *a = self->a;
	long doubtful, lost, before = 0, receivers_killed = 0;
	unsigned int seed = 1009, k;
	pid_t pid[2 * MOST];
	struct message m;
	int i;

	ASSERT_EQ(0, msg_set_qbytes(a->ipc, a->id, 3 * TEXT));
	for (i = 0; i < 2 * MOST; i++) {
		pid[i] = start(a, i < MOST ? send_many : receive_many, i % MOST);
		ASSERT_LE(0, pid[i]);
	}
	for (k = 0; k < KILLS && !a->failed; k++) {
		i = rand_r(&seed) % (2 * MOST);
		a_while(&seed);
		if (k % 50 == 0) {
			/* It has not come to a stop. */
			wait_until(a->failed || a->arrivals > before + 25);
			before = a->arrivals;
		}
		if (rand_r(&seed) % 5 == 0) {
			kill(pid[i], SIGSTOP);
			a_while(&seed);
			if (rand_r(&seed) % 2) {
				kill(pid[i], SIGCONT);
				continue;
			}
		}
		ASSERT_EQ(0, kill(pid[i], SIGKILL));
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
		if (i < MOST) {
			settle_sender(a, i);
		} else {
			settle_receiver(a, i - MOST);
			receivers_killed++;
		}
		pid[i] = start(a, i < MOST ? send_many : receive_many, i % MOST);
		ASSERT_LE(0, pid[i]);
	}
	for (i = 0; i < 2 * MOST; i++) {
		kill(pid[i], SIGKILL);
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
		if (i < MOST) {
			settle_sender(a, i);
		} else {
			settle_receiver(a, i - MOST);
			receivers_killed++;
		}
	}
	/* What is left in it. */
	for (;;) {
		ssize_t n = a->ipc->msgrcv(a->id, &m, sizeof(m) - sizeof(long), 0, NW);

		if (n < 0)
			break;
		arrive(a, &m, n);
	}
	ASSERT_EQ(ENOMSG, errno);
	EXPECT_EQ(0, msg_cbytes(a->ipc, a->id));
	lost = missing(_metadata, a, &doubtful);
	if (a->ipc == &ipc_kipc) {
		EXPECT_EQ(0, lost);
	} else {
		EXPECT_GE(receivers_killed, lost);
	}
	EXPECT_LT(100, a->arrivals);
}

/* ---- Memory that fails ---- */

/*
 * A buffer that ends after two pages, so that the long messages do not fit into what is
 * mapped: natively each EFAULT is a message lost, in kipc none is.
 */
static void receive_at_the_edge(struct arena *a, int me)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct message *m = (struct message *)(p + 2 * PAGE - 2000);
	unsigned int seed = me;

	CHECK(a, p != MAP_FAILED && !munmap(p + 2 * PAGE, PAGE));
	while (!a->failed) {
		ssize_t n = receive_some(a, me, m, sizeof(*m) - sizeof(long), &seed, 0);

		if (n >= 0) {
			arrive(a, m, n);
		} else if (errno == EFAULT) {
			__atomic_fetch_add(&a->faults, 1, __ATOMIC_SEQ_CST);
			/* Somebody else's turn, or it would be the same one again. */
			sched_yield();
		} else if (errno != ENOMSG) {
			CHECK(a, errno == EIDRM || errno == EINVAL);
			return;
		}
	}
}

static void receive_until_faults(struct __test_metadata *_metadata, struct arena *a, work bad)
{
	pid_t s[MOST], r[MOST];
	long doubtful, lost;
	int i;

	a->count = 400;
	for (i = 0; i < MOST; i++) {
		s[i] = start(a, send_many, i);
		/* One that has no such trouble, so that all arrive in the end. */
		r[i] = start(a, i ? bad : receive_many, i);
		ASSERT_LE(0, s[i]);
		ASSERT_LE(0, r[i]);
	}
	end(_metadata, s, MOST);
	/* Not natively: what is lost does not arrive. */
	wait_until(a->failed || a->arrivals == MOST * (long)a->count ||
		   (a->ipc == &ipc_native && a->arrivals + a->faults >= MOST * (long)a->count));
	EXPECT_EQ(0, msg_cbytes(a->ipc, a->id));
	ASSERT_EQ(0, msg_rmid(a->ipc, a->id));
	end(_metadata, r, MOST);
	lost = missing(_metadata, a, &doubtful);
	EXPECT_EQ(a->ipc == &ipc_kipc ? 0 : a->faults, lost);
	EXPECT_LT(0, a->faults);
}

TEST_F_TIMEOUT(stress, half_mapped, 200)
{
	receive_until_faults(_metadata, self->a, receive_at_the_edge);
}

/* A page that another thread protects and permits, while the kernel writes to it. */
struct flicker {
	struct arena *a;
	char *page;
};

static void *protect(void *arg)
{
	struct flicker *f = arg;

	while (!f->a->stop) {
		mprotect(f->page, PAGE, PROT_NONE);
		sched_yield();
		mprotect(f->page, PAGE, PROT_READ | PROT_WRITE);
		sched_yield();
	}
	return NULL;
}

/* Read what was received there, which is not possible just now, perhaps. */
static void read_flicker(struct flicker *f, const struct message *from, ssize_t n,
			 struct message *to)
{
	const struct iovec remote = { (void *)from, sizeof(long) + n };
	const struct iovec local = { to, sizeof(long) + n };

	while (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)sizeof(long) + n)
		mprotect(f->page, PAGE, PROT_READ | PROT_WRITE);
}

static void receive_into_flicker(struct arena *a, int me)
{
	char *buf = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct flicker f = { a, buf + PAGE };
	struct message *m = (struct message *)(buf + PAGE - 64);
	static struct message whole;
	unsigned int seed = me;
	pthread_t t;

	CHECK(a, buf != MAP_FAILED && !pthread_create(&t, NULL, protect, &f));
	while (!a->failed) {
		ssize_t n = receive_some(a, me, m, sizeof(*m) - sizeof(long), &seed, 0);

		if (n >= 0) {
			read_flicker(&f, m, n, &whole);
			arrive(a, &whole, n);
		} else if (errno == EFAULT) {
			__atomic_fetch_add(&a->faults, 1, __ATOMIC_SEQ_CST);
			sched_yield();
		} else if (errno != ENOMSG) {
			CHECK(a, errno == EIDRM || errno == EINVAL);
			break;
		}
	}
	_exit(0);
}

TEST_F_TIMEOUT(stress, protected_meanwhile, 200)
{
	receive_until_faults(_metadata, self->a, receive_into_flicker);
}

/* The same to send from: what cannot be read is not sent, and the rest whole. */
static void send_from_flicker(struct arena *a, int me)
{
	char *buf = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct flicker f = { a, buf + PAGE };
	struct message *m = (struct message *)(buf + PAGE - 64);
	const struct iovec remote = { m, sizeof(*m) };
	static struct message whole;
	unsigned int seed = me, n;
	pthread_t t;

	CHECK(a, buf != MAP_FAILED && !pthread_create(&t, NULL, protect, &f));
	for (n = 0; n < a->count && !a->failed; n++) {
		const struct iovec local = { &whole, sizeof(whole) };

		fill(&whole, me, n, &seed);
		a->begun[me] = n + 1;
		while (process_vm_writev(getpid(), &local, 1, &remote, 1, 0) != sizeof(whole))
			mprotect(f.page, PAGE, PROT_READ | PROT_WRITE);
		while (a->ipc->msgsnd(a->id, m, whole.size, 0) && !a->failed) {
			CHECK(a, errno == EFAULT);
			__atomic_fetch_add(&a->faults, 1, __ATOMIC_SEQ_CST);
		}
	}
	_exit(0);
}

TEST_F_TIMEOUT(stress, sent_from_flicker, 200)
{
	struct arena *a = self->a;
	pid_t s, r[MOST];
	long doubtful;
	int i;

	a->count = 1000;
	for (i = 0; i < MOST; i++) {
		r[i] = start(a, receive_many, i);
		ASSERT_LE(0, r[i]);
	}
	s = start(a, send_from_flicker, 0);
	ASSERT_LE(0, s);
	end(_metadata, &s, 1);
	wait_until(a->failed || a->arrivals == (long)a->count);
	ASSERT_EQ(0, msg_rmid(a->ipc, a->id));
	end(_metadata, r, MOST);
	EXPECT_EQ(0, missing(_metadata, a, &doubtful));
}

/* ---- A copy that takes its time ---- */

/*
 * A page that is not there until somebody fetches it: whoever copies to it or from it
 * stands still in the middle of it.
 */
struct lazy {
	char *page;
	int fd;
	volatile char *flags;
};

static int lazy_page(struct lazy *l)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	l->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	l->page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)l->page + PAGE;
	reg.range.len = PAGE;
	return l->fd < 0 || l->page == MAP_FAILED || ioctl(l->fd, UFFDIO_API, &api) ||
	       ioctl(l->fd, UFFDIO_REGISTER, &reg) ? -1 : 0;
}

/* Of a peer's buffer: somebody wants the page; it may have it. */
enum { WANTED, GRANTED };

static void *fetch_page(void *arg)
{
	struct lazy *l = arg;
	struct uffdio_zeropage zero = { .range = { .start = (uintptr_t)l->page + PAGE,
						   .len = PAGE } };
	struct uffd_msg msg;

	if (read(l->fd, &msg, sizeof(msg)) != sizeof(msg))
		return NULL;
	l->flags[WANTED] = 1;
	wait_until(l->flags[GRANTED]);
	ioctl(l->fd, UFFDIO_ZEROPAGE, &zero);
	return NULL;
}

/* arg: ipc, id, to send?  -2: there is no such thing here. */
static long do_lazily(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	static struct lazy l;
	pthread_t t;
	long *m;

	l.flags = buf;
	l.flags[GRANTED] = 0;
	if (lazy_page(&l) || pthread_create(&t, NULL, fetch_page, &l)) {
		l.flags[WANTED] = 2;
		return -2;
	}
	/* The type and a few bytes before it. */
	m = (long *)(l.page + PAGE - 16);
	if (arg[2]) {
		*m = 5;
		return ipc->msgsnd(arg[1], m, 100, 0);
	}
	return ipc->msgrcv(arg[1], m, 8000, 0, 0) == 100 && m[0] == 5 ? 0 : -1;
}

/* Until it is in the middle of its copy.  Return: whether it can be. */
static bool copying(struct peer *p)
{
	volatile char *flags = p->page->buf;

	wait_until(flags[WANTED]);
	return flags[WANTED] == 1;
}

/* Nobody else is held up meanwhile, and a kill leaves the message where it was. */
TEST_F(stress, killed_while_copying)
{
	struct arena *a = self->a;
	const struct ipc *ipc = a->ipc;
	struct peer p;
	int i;

	for (i = 0; i < 2; i++) {
		/* Received at once, or after a sleep. */
		ASSERT_EQ(0, peer_start(&p));
		if (!i) {
			ASSERT_EQ(0, msg_send_bytes(ipc, a->id, 5, 100, 0));
		}
		ASSERT_EQ(0, peer_begin(&p, do_lazily, (long)ipc, a->id, 0, 0, 0));
		if (i) {
			ASSERT_EQ(0, peer_asleep(&p));
			ASSERT_EQ(0, msg_send_bytes(ipc, a->id, 5, 100, 0));
		}
		if (!copying(&p))
			SKIP(return, "no userfaultfd here");
		EXPECT_EQ(0, msg_qnum(ipc, a->id));
		EXPECT_EQ(0, msg_send(ipc, a->id, 6, 60, NW));
		EXPECT_EQ(0, msg_send(ipc, a->id, 7, 70, NW));
		EXPECT_EQ(60, msg_receive(ipc, a->id, 0, NW));
		EXPECT_EQ(SIGKILL, peer_end(&p, SIGKILL));
		if (ipc == &ipc_kipc) {
			EXPECT_EQ(2, msg_qnum(ipc, a->id));
			EXPECT_EQ(100, msg_receive_bytes(ipc, a->id, 100, 0, NW));
		}
		EXPECT_EQ(70, msg_receive(ipc, a->id, 0, NW));
		EXPECT_EQ(0, msg_cbytes(ipc, a->id));
	}
	/* A sender: nothing has been sent. */
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_begin(&p, do_lazily, (long)ipc, a->id, 1, 0, 0));
	ASSERT_TRUE(copying(&p));
	EXPECT_EQ(0, msg_send(ipc, a->id, 6, 60, NW));
	EXPECT_EQ(60, msg_receive(ipc, a->id, 0, NW));
	EXPECT_EQ(SIGKILL, peer_end(&p, SIGKILL));
	EXPECT_EQ(0, msg_qnum(ipc, a->id));
}

/* The queue goes while somebody copies: what he had taken is his; what he sends has no queue. */
TEST_F(stress, removed_while_copying)
{
	struct arena *a = self->a;
	const struct ipc *ipc = a->ipc;
	struct peer p;
	int sends;

	for (sends = 0; sends < 2; sends++) {
		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, msg_send_bytes(ipc, a->id, 5, 100, 0));
		ASSERT_EQ(0, peer_begin(&p, do_lazily, (long)ipc, a->id, sends, 0, 0));
		if (!copying(&p))
			SKIP(return, "no userfaultfd here");
		EXPECT_EQ(sends, msg_qnum(ipc, a->id));
		ASSERT_EQ(0, msg_rmid(ipc, a->id));
		((volatile char *)p.page->buf)[GRANTED] = 1;
		if (sends) {
			EXPECT_ERR(EINVAL, peer_finish(&p));
		} else {
			EXPECT_EQ(0, peer_finish(&p));
		}
		peer_end(&p, 0);
		a->id = ipc->msgget(1, IPC_CREAT | 0600);
		ASSERT_LE(0, a->id);
	}
}

/* Taken, being copied, and the right to it withdrawn: it is the receiver's. */
TEST_F(stress, forbidden_while_copying)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct arena *a = self->a;
	const struct ipc *ipc = a->ipc;
	struct msqid_ds ds;
	struct peer p;

	ASSERT_EQ(0, msg_stat(ipc, a->id, &ds));
	ds.msg_perm.mode = 0666;
	ASSERT_EQ(0, ipc->msgctl(a->id, IPC_SET, &ds));
	ASSERT_EQ(0, write_text("/proc/sys/vm/unprivileged_userfaultfd", "1"));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	memset(p.page->buf, 0, PEER_BUF);
	ASSERT_EQ(0, msg_send_bytes(ipc, a->id, 5, 100, 0));
	ASSERT_EQ(0, peer_begin(&p, do_lazily, (long)ipc, a->id, 0, 0, 0));
	if (!copying(&p))
		SKIP(return, "no userfaultfd here");
	ds.msg_perm.mode = 0600;
	ASSERT_EQ(0, ipc->msgctl(a->id, IPC_SET, &ds));
	((volatile char *)p.page->buf)[GRANTED] = 1;
	EXPECT_EQ(0, peer_finish(&p));
	EXPECT_EQ(0, msg_qnum(ipc, a->id));
	peer_end(&p, 0);
}

/* ---- The queue changes under them ---- */

/* Every call there is, on a queue that is set, removed and made anew all the time. */
static void anything(struct arena *a, int me)
{
	unsigned int seed = 12345 * me + a->rounds, i;
	struct msqid_ds ds;
	struct message m;

	for (i = 0; i < a->rounds; i++) {
		int id = a->ipc->msgget(1, IPC_CREAT | 0600);
		long ret = 0, type = (long)(rand_r(&seed) % 9) - 4;

		CHECK(a, id >= 0);
		switch (rand_r(&seed) % 12) {
		case 0:
			ret = msg_set_qbytes(a->ipc, id, 1 << rand_r(&seed) % 15);
			break;
		case 1:
			ret = rand_r(&seed) % 4 ? 0 : msg_rmid(a->ipc, id);
			break;
		case 2:
			ret = msg_stat(a->ipc, id, &ds);
			break;
		case 3:
			ret = a->ipc->msgrcv(id, &m, sizeof(m) - 8, type, MSG_COPY | NW);
			break;
		case 4:
			ret = a->ipc->msgrcv(id, &m, HEADER, type, NW);
			break;
		case 5:
		case 6:
			ret = a->ipc->msgrcv(id, &m, sizeof(m) - 8, type, NW | MSG_EXCEPT);
			break;
		case 7:
			ret = a->ipc->msgrcv(id, rand_r(&seed) % 3 ? &m : NULL, sizeof(m) - 8, 0, NW);
			break;
		case 8:
			/* It sleeps now and then; the others set, remove, send and receive. */
			if (me % 2) {
				fill(&m, 0, 0, &seed);
				ret = a->ipc->msgsnd(id, &m, m.size, 0);
			} else {
				ret = a->ipc->msgrcv(id, &m, sizeof(m) - 8, type, MSG_NOERROR);
			}
			break;
		default:
			fill(&m, 0, 0, &seed);
			ret = a->ipc->msgsnd(id, &m, m.size, NW);
		}
		CHECK(a, ret >= 0 || errno == EAGAIN || errno == ENOMSG || errno == EINVAL ||
			 errno == EIDRM || errno == E2BIG || errno == EFAULT);
	}
}

/* Whoever sleeps is woken by those who are killed and come back, or by the removal. */
static void anything_for_ever(struct arena *a, int me)
{
	while (!a->failed) {
		anything(a, me);
		__atomic_fetch_add(&a->arrivals, 1, __ATOMIC_SEQ_CST);
	}
}

TEST_F_TIMEOUT(stress, everything_killed, 200)
{
	enum { N = 6 };
	struct arena *a = self->a;
	unsigned int seed = 77, k;
	struct message m;
	pid_t pid[N];
	int i, id;

	a->rounds = 40;
	for (i = 0; i < N; i++) {
		pid[i] = start(a, anything_for_ever, i);
		ASSERT_LE(0, pid[i]);
	}
	for (k = 0; k < 200 && !a->failed; k++) {
		i = rand_r(&seed) % N;
		a_while(&seed);
		ASSERT_EQ(0, kill(pid[i], SIGKILL));
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
		a->rounds = 40 + k;
		pid[i] = start(a, anything_for_ever, i);
		ASSERT_LE(0, pid[i]);
	}
	for (i = 0; i < N; i++) {
		kill(pid[i], SIGKILL);
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
	}
	/* Nobody is left, so nobody takes what is sent now. */
	id = a->ipc->msgget(1, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_set_qbytes(a->ipc, id, 1 << 16));
	while (a->ipc->msgrcv(id, &m, sizeof(m) - 8, 0, NW | MSG_NOERROR) >= 0)
		;
	EXPECT_EQ(0, msg_cbytes(a->ipc, id));
	for (i = 1; i < 100; i++)
		EXPECT_EQ(0, msg_send(a->ipc, id, i, i, NW));
	EXPECT_EQ(99, msg_qnum(a->ipc, id));
	for (i = 99; i > 0; i--)
		EXPECT_EQ(i, msg_receive(a->ipc, id, i, NW));
}

TEST_HARNESS_MAIN

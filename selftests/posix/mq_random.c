// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls on POSIX message queues, each made on the C library's and on kipc's, by
 * processes of several users, which sleep, are interrupted and killed meanwhile: each call
 * must have the same result, to the last byte, and end at the same step.
 *
 * A seed is a sequence.  All processes are on one processor with the one who orders, and go
 * before him: when he goes on each of them has answered, or sleeps.
 */
#include "posix/posix.h"

#include <kselftest.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define ACTORS		4
#define SLOTS		5
#define NAMES		3
#define ROOM		6000
#define BYTES		60000	/* that a user's queues may take */
#define ERRORS		134
#define KEPT		40	/* calls told before one that differs */
#define RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"

enum { NATIVE, KIPC, WORLDS };
enum { NEVER, PAST, INVALID, FUTURE };

enum call {
	OPEN, CLOSE, UNLINK, SEND, RECEIVE, GETATTR, SETATTR, NOTIFY, SIGNALS, POLL, READ, DUP,
	CALLS
};

static const char *const call_names[CALLS] = {
	"open", "close", "unlink", "send", "receive", "getattr", "setattr", "notify", "signals",
	"poll", "read", "dup",
};

static const struct posix *const worlds[WORLDS] = { &posix_native, &posix_kipc };

static const struct who users[ACTORS] = {
	{ "root", -1, -1, -1, 0 }, { "alice", 1000, 1000, -1, 0 }, { "bob", 1001, 1001, 1000, 0 },
	{ "another root", -1, -1, -1, 0 },
};

/* What a process is to do. */
struct order {
	enum call call;
	int world, slot, name, flags, mode, when, how, signal;
	long maxmsg, msgsize, size, number;
	unsigned int prio;
};

/* What came of it; all bytes of it are compared. */
struct answer {
	long ret;
	long err;
	long from;		/* of a signal, or of who is to be told: which process */
	long uid, code, value;
	long flags, maxmsg, msgsize, curmsgs;
	unsigned long prio, bytes;
	char text[120];
};

struct desk {
	struct order order;
	struct answer answer;
};

struct actor {
	struct peer p[WORLDS];
	bool is_busy, is_open[SLOTS];
};

static struct actor actors[ACTORS];
static unsigned int seed;
static char kept[KEPT][160];
static unsigned long step, met[CALLS][ERRORS], slept;

/* ---- In the process ---- */

static int fds[SLOTS + 2];	/* the last two are no queues */

static unsigned char byte_of(long number, size_t at)
{
	return number * 7 + at * (at >> 8 | 1);
}

static unsigned long sum_of(const unsigned char *bytes, size_t size)
{
	unsigned long sum = size;

	while (size--)
		sum = sum * 31 + *bytes++;
	return sum;
}

static struct timespec *until(int when, struct timespec *time)
{
	clock_gettime(CLOCK_REALTIME, time);
	if (when == NEVER)
		return NULL;
	if (when == FUTURE)
		time->tv_sec += 100000;
	else if (when == PAST)
		time->tv_sec -= time->tv_sec % 3 ? 1 : time->tv_sec;
	else
		time->tv_nsec = 1000000000;
	return time;
}

static void open_one(const struct posix *posix, const struct order *o, struct answer *a)
{
	struct mq_attr attr = { .mq_maxmsg = o->maxmsg, .mq_msgsize = o->msgsize };
	char name[] = { '/', 'a' + o->name, 0 };
	int fd = posix->mq_open(name, o->flags, o->mode, o->msgsize == LONG_MAX ? NULL : &attr);

	a->ret = fd < 0 ? -1 : 0;
	a->err = errno;
	if (fd < 0)
		return;
	if (fds[o->slot] >= 0)
		posix->mq_close(fds[o->slot]);
	fds[o->slot] = fd;
}

static void send_one(const struct posix *posix, const struct order *o, struct answer *a, int fd)
{
	static unsigned char bytes[ROOM];
	struct timespec time;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = byte_of(o->number, i);
	a->ret = o->when == NEVER && o->number & 1 ?
		 posix->mq_send(fd, (char *)bytes, o->size, o->prio) :
		 posix->mq_timedsend(fd, (char *)bytes, o->size, o->prio, until(o->when, &time));
	a->err = errno;
}

static void receive_one(const struct posix *posix, const struct order *o, struct answer *a,
			int fd)
{
	static unsigned char bytes[ROOM + 1];
	unsigned int prio = 77, *where = o->number & 2 ? &prio : NULL;
	struct timespec time;

	memset(bytes, POISON, sizeof(bytes));
	a->ret = o->when == NEVER && o->number & 1 ?
		 posix->mq_receive(fd, (char *)bytes, o->size, where) :
		 posix->mq_timedreceive(fd, (char *)bytes, o->size, where, until(o->when, &time));
	a->err = errno;
	a->prio = prio;
	a->bytes = sum_of(bytes, sizeof(bytes));
}

static void tell_attr(struct answer *a, const struct mq_attr *attr)
{
	a->flags = attr->mq_flags;
	a->maxmsg = attr->mq_maxmsg;
	a->msgsize = attr->mq_msgsize;
	a->curmsgs = attr->mq_curmsgs;
}

/* The first that waits to be taken, with who has sent it. */
static void take_signal(struct answer *a)
{
	struct timespec now = { 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGHUP);
	memset(&info, 0, sizeof(info));
	a->ret = sigtimedwait(&set, &info, &now);
	a->err = errno;
	a->from = info.si_pid;
	a->uid = info.si_uid;
	a->code = info.si_code;
	a->value = info.si_value.sival_int;
}

/* Who is told is another process in each world. */
static void read_text(struct answer *a, int fd)
{
	char *pid;

	a->ret = read(fd, a->text, sizeof(a->text) - 1);
	a->err = errno;
	pid = strstr(a->text, "NOTIFY_PID:");
	if (!pid)
		return;
	a->from = strtol(pid + 11, NULL, 10);
	memset(pid, 0, sizeof(a->text) - (pid - a->text));
	a->ret = 0;
}

static long carry_out(long *arg, void *buf)
{
	struct answer *a = &((struct desk *)buf)->answer;
	const struct order *o = &((struct desk *)buf)->order;
	const struct posix *posix = worlds[o->world];
	struct sigevent event = {
		.sigev_notify = o->how, .sigev_signo = o->signal,
		.sigev_value.sival_int = o->number,
	};
	struct mq_attr attr = { .mq_flags = o->flags };
	struct pollfd ready = { .events = POLLIN | POLLOUT };
	char name[] = { '/', 'a' + o->name, 0 };
	int fd = fds[o->slot];

	(void)arg;
	memset(a, 0, sizeof(*a));
	errno = 0;
	switch (o->call) {
	case OPEN:
		open_one(posix, o, a);
		return 0;
	case CLOSE:
		a->ret = posix->mq_close(fd);
		if (o->slot < SLOTS)
			fds[o->slot] = -1;
		break;
	case UNLINK:
		a->ret = posix->mq_unlink(name);
		break;
	case SEND:
		send_one(posix, o, a, fd);
		return 0;
	case RECEIVE:
		receive_one(posix, o, a, fd);
		return 0;
	case GETATTR:
		a->ret = posix->mq_getattr(fd, &attr);
		if (!a->ret)
			tell_attr(a, &attr);
		break;
	case SETATTR:
		a->ret = posix->mq_setattr(fd, &attr, &attr);
		if (!a->ret)
			tell_attr(a, &attr);
		break;
	case NOTIFY:
		a->ret = posix->mq_notify(fd, o->how < 0 ? NULL : &event);
		break;
	case SIGNALS:
		take_signal(a);
		return 0;
	case POLL:
		ready.fd = fd;
		a->ret = poll(&ready, 1, 0);
		a->flags = ready.revents;
		break;
	case READ:
		if (o->slot < SLOTS)
			read_text(a, fd);
		return 0;
	case DUP:
		if (o->slot >= SLOTS || fd < 0)
			return 0;
		a->ret = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (fds[o->name] >= 0)
			posix->mq_close(fds[o->name]);
		fds[o->name] = a->ret;
		a->ret = 0;
		break;
	default:
		break;
	}
	a->err = errno;
	return 0;
}

static long settle_in(long *arg, void *buf)
{
	struct rlimit bytes = { .rlim_cur = BYTES, .rlim_max = BYTES };
	const struct sched_param first = { .sched_priority = 1 };
	sigset_t set;
	int i, pair[2];

	(void)buf;
	for (i = 0; i < SLOTS; i++)
		fds[i] = -1;
	fds[SLOTS] = -1;
	if (pipe2(pair, O_CLOEXEC))
		return -1;
	fds[SLOTS + 1] = pair[0];
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGHUP);
	umask(arg[0] & 1 ? 022 : 0);
	return sigprocmask(SIG_BLOCK, &set, NULL) || setrlimit(RLIMIT_MSGQUEUE, &bytes) ||
	       sched_setscheduler(0, SCHED_FIFO, &first) || become(&users[arg[0]]) ? -1 : 0;
}

/* ---- Who orders ---- */

static unsigned int any(unsigned int n)
{
	return rand_r(&seed) % n;
}

static long pick_long(const long *list, unsigned int n)
{
	return list[any(n)];
}

#define PICK(...) ({ \
	static const long list_[] = { __VA_ARGS__ }; \
	pick_long(list_, ARRAY_SIZE(list_)); \
})

static int start(int i)
{
	struct actor *a = &actors[i];
	int w;

	a->is_busy = false;
	memset(a->is_open, 0, sizeof(a->is_open));
	for (w = 0; w < WORLDS; w++)
		if (peer_start(&a->p[w]) || peer_run(&a->p[w], settle_in, i, 0, 0, 0, 0) ||
		    peer_catch(&a->p[w], SIGUSR1, 0) || peer_catch(&a->p[w], SIGUSR2, SA_RESTART))
			return -1;
	return 0;
}

static void end(int i)
{
	int w;

	for (w = 0; w < WORLDS; w++)
		if (actors[i].p[w].pid > 0)
			peer_end(&actors[i].p[w], SIGKILL);
}

static __attribute__((format(printf, 1, 2))) void keep(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(kept[step % KEPT], sizeof(kept[0]), format, ap);
	va_end(ap);
	if (getenv("KIPC_TRACE"))
		ksft_print_msg("%lu: %s\n", step, kept[step % KEPT]);
}

static void tell_kept(void)
{
	unsigned long i;

	for (i = step >= KEPT ? step - KEPT + 1 : 0; i <= step; i++)
		ksft_print_msg("%lu: %s\n", i, kept[i % KEPT]);
}

static bool has_answered(struct peer *p)
{
	return __atomic_load_n(&p->page->state, __ATOMIC_SEQ_CST) == PEER_IDLE;
}

/* Which of them a process is, in either world; of none, what it is in both. */
static long which(long pid, int world)
{
	int i;

	for (i = 0; i < ACTORS; i++)
		if (actors[i].p[world].pid == pid)
			return i + 1;
	return pid ? -1 : 0;
}

static struct desk *desk_of(int i, int world)
{
	return (struct desk *)actors[i].p[world].page->buf;
}

static void tell_answer(int i, int world)
{
	const struct answer *a = &desk_of(i, world)->answer;

	if (actors[i].is_busy && !has_answered(&actors[i].p[world])) {
		ksft_print_msg("%s: sleeps\n", worlds[world]->name);
		return;
	}
	ksft_print_msg("%s: %ld %s, from %ld uid %ld code %ld value %ld\n", worlds[world]->name,
		       a->ret, a->ret < 0 ? strerror(a->err) : "", a->from, a->uid, a->code,
		       a->value);
	ksft_print_msg("    flags %#lo attr %ld %ld %ld prio %lu bytes %lx text %s\n", a->flags,
		       a->maxmsg, a->msgsize, a->curmsgs, a->prio, a->bytes, a->text);
}

/* Which of its descriptors are queues now. */
static void note(struct actor *actor, const struct order *o, const struct answer *a)
{
	if (o->call == OPEN && !a->ret)
		actor->is_open[o->slot] = true;
	if (o->call == CLOSE && o->slot < SLOTS)
		actor->is_open[o->slot] = false;
	if (o->call == DUP && o->slot < SLOTS && actor->is_open[o->slot])
		actor->is_open[o->name] = true;
}

/* Return: whether it is the same in both worlds what has come of its call, if anything. */
static bool agree(int i)
{
	struct actor *actor = &actors[i];
	struct answer *a[WORLDS];
	bool answered[WORLDS];
	int w;

	for (w = 0; w < WORLDS; w++)
		answered[w] = has_answered(&actor->p[w]);
	/* One that waits for a lock or a worker of the kernel's is not there yet. */
	for (w = 0; answered[NATIVE] != answered[KIPC] && w < WORLDS; w++)
		answered[w] = answered[w] || peer_asleep(&actor->p[w]);
	if (answered[NATIVE] == answered[KIPC]) {
		if (!answered[NATIVE])
			return true;
		actor->is_busy = false;
		for (w = 0; w < WORLDS; w++) {
			peer_finish(&actor->p[w]);
			a[w] = &desk_of(i, w)->answer;
			a[w]->from = which(a[w]->from, w);
			if (a[w]->ret >= 0)
				a[w]->err = 0;
		}
		note(actor, &desk_of(i, NATIVE)->order, a[NATIVE]);
		met[desk_of(i, NATIVE)->order.call][a[NATIVE]->ret < 0 ? a[NATIVE]->err : 0]++;
		if (!memcmp(a[NATIVE], a[KIPC], sizeof(*a[NATIVE])))
			return true;
	}
	tell_kept();
	ksft_print_msg("%lu: of process %d, which was to %s:\n", step, i,
		       call_names[desk_of(i, 0)->order.call]);
	for (w = 0; w < WORLDS; w++)
		tell_answer(i, w);
	return false;
}

/* Most often one that is a queue.  Return: a slot. */
static int choose_slot(const struct actor *actor)
{
	int first = any(SLOTS), slot = first;

	if (!any(20))
		return any(SLOTS + 2);
	while (!actor->is_open[slot]) {
		slot = (slot + 1) % SLOTS;
		if (slot == first)
			break;
	}
	return slot;
}

/* What is asked for; more often what does something. */
static void choose(const struct actor *actor, struct order *o)
{
	static const enum call calls[] = {
		OPEN, OPEN, OPEN, CLOSE, SEND, SEND, SEND, SEND, SEND, SEND, SEND, RECEIVE,
		RECEIVE, RECEIVE, RECEIVE, RECEIVE, RECEIVE, GETATTR, SETATTR, NOTIFY, NOTIFY,
		SIGNALS, SIGNALS, POLL, READ, DUP,
	};

	memset(o, 0, sizeof(*o));
	o->slot = choose_slot(actor);
	o->call = calls[any(ARRAY_SIZE(calls))];
	if (!any(60))
		o->call = UNLINK;
	else if (o->slot < SLOTS && !actor->is_open[o->slot] && any(4))
		o->call = OPEN;
	if (o->call == OPEN)
		o->slot = any(SLOTS);
	o->name = any(NAMES);
	o->number = step;
	o->when = any(3) ? NEVER : any(12) ? any(3) ? FUTURE : PAST : INVALID;
	switch (o->call) {
	case OPEN:
		o->flags = PICK(O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR) |
			   PICK(0, O_CREAT, O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_EXCL) |
			   PICK(0, 0, 0, 0, 0, O_NONBLOCK);
		o->mode = PICK(0666, 0666, 0666, 0660, 0600, 0640, 0622, 0, 07777);
		o->maxmsg = PICK(1, 2, 3, 10, 10, 10, 5, 5);
		o->msgsize = PICK(8, 64, 64, 200, 200, 5000, 5000, LONG_MAX);
		if (!any(5)) {
			o->maxmsg = PICK(0, -1, 10, 11, 65536, 65537, LONG_MAX);
			o->msgsize = PICK(0, -1, 64, 8193, 1 << 24, (1 << 24) + 1, LONG_MAX - 1);
		}
		break;
	case SEND:
		o->size = PICK(0, 1, 8, 8, 8, 8, 8, 64, 64, 200, 4000, 5000, 5001);
		o->prio = PICK(0, 0, 1, 2, 5, 5, 32767);
		if (!any(10))
			o->prio = PICK(32767, 32768, UINT_MAX);
		break;
	case RECEIVE:
		o->size = PICK(ROOM, ROOM, ROOM, ROOM, ROOM, ROOM, 5000, 200, 64, 63, 7);
		break;
	case SETATTR:
		o->flags = PICK(0, 0, 0, O_NONBLOCK, O_NONBLOCK | 1);
		break;
	case NOTIFY:
		o->how = PICK(-1, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_SIGNAL, SIGEV_SIGNAL, 77);
		o->signal = PICK(SIGHUP, SIGHUP, 34, 34, 34, 34, 0, 65);
		break;
	default:
		break;
	}
}

static void order(int i)
{
	struct order o;
	int w;

	choose(&actors[i], &o);
	keep("%d %s: slot %d name %d flags %#o mode %o attr %ld %ld size %ld prio %u when %d "
	     "how %d %d",
	     i, call_names[o.call], o.slot, o.name, o.flags, o.mode, o.maxmsg, o.msgsize, o.size,
	     o.prio, o.when, o.how, o.signal);
	actors[i].is_busy = true;
	for (w = 0; w < WORLDS; w++) {
		o.world = w;
		desk_of(i, w)->order = o;
		peer_begin(&actors[i].p[w], carry_out, 0, 0, 0, 0, 0);
		/* The clock tells it that it is too late. */
		if (o.when == PAST)
			wait_until(has_answered(&actors[i].p[w]));
	}
	slept += !has_answered(&actors[i].p[NATIVE]);
}

static int set_limit(const char *name, long value)
{
	char path[64], text[32];
	int w, ret = 0;

	snprintf(text, sizeof(text), "%ld", value);
	for (w = 0; w < WORLDS; w++) {
		snprintf(path, sizeof(path), "%s/%s", worlds[w]->mq_limits, name);
		ret |= write_text(path, text);
	}
	return ret;
}

/* Return: whether it could be done. */
static bool disturb(int i)
{
	int signal = any(2) ? SIGUSR1 : SIGUSR2, w;
	const char *name;
	long value;

	if (any(4)) {
		keep("%d gets %s", i, strsignal(signal));
		for (w = 0; w < WORLDS; w++)
			kill(actors[i].p[w].pid, signal);
		return true;
	}
	if (any(3)) {
		keep("%d is killed", i);
		end(i);
		return !start(i);
	}
	name = any(2) ? "queues_max" : "msg_max";
	value = *name == 'q' ? PICK(1, 2, 3, 256, 256) : PICK(2, 10, 10, 10);
	keep("%s = %ld", name, value);
	return !set_limit(name, value);
}

/* Return: whether all were the same. */
static bool run(unsigned long steps)
{
	int i, k;

	for (i = 0; i < ACTORS; i++)
		if (start(i))
			ksft_exit_fail_msg("cannot start: %s\n", strerror(errno));
	for (step = 0; step < steps; step++) {
		i = any(ACTORS);
		/* Else soon all of them would sleep. */
		while (actors[i].is_busy && any(6))
			i = any(ACTORS);
		if (!actors[i].is_busy && any(40))
			order(i);
		else if (!disturb(i))
			ksft_exit_fail_msg("%s: %s\n", kept[step % KEPT], strerror(errno));
		for (k = 0; k < ACTORS; k++)
			if (actors[k].is_busy && !agree(k))
				return false;
	}
	return true;
}

/* Nothing is left, whatever was. */
static bool clean_up(void)
{
	char name[] = "/a";
	int i, w;

	for (i = 0; i < ACTORS; i++)
		end(i);
	for (i = 0; i < NAMES; i++, name[1]++)
		for (w = 0; w < WORLDS; w++)
			worlds[w]->mq_unlink(name);
	return !set_limit("queues_max", 256) && !set_limit("msg_max", 10) && !count_names(NULL);
}

/* Whether each call has had each result that it is to have had. */
static bool is_covered(void)
{
	static const struct { enum call call; int errors[9]; } wanted[] = {
		{ OPEN, { 0, ENOENT, EEXIST, EACCES, EINVAL, EMFILE, ENOSPC } },
		{ CLOSE, { 0, EBADF } }, { UNLINK, { 0, ENOENT, EACCES } },
		{ SEND, { 0, EAGAIN, EBADF, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT } },
		{ RECEIVE, { 0, EAGAIN, EBADF, EINTR, EINVAL, EMSGSIZE, ETIMEDOUT } },
		{ GETATTR, { 0, EBADF } }, { SETATTR, { 0, EBADF, EINVAL } },
		{ NOTIFY, { 0, EBADF, EBUSY, EINVAL } }, { SIGNALS, { 0, EAGAIN } },
		{ POLL, { 0 } }, { READ, { 0, EBADF } }, { DUP, { 0 } },
	};
	bool covered = slept;
	char line[400];
	size_t length;
	unsigned int i;
	int k;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		for (k = 0, length = 0; k < ERRORS; k++)
			if (met[wanted[i].call][k])
				length += snprintf(line + length, sizeof(line) - length, " %s %lu",
						   strerrorname_np(k), met[wanted[i].call][k]);
		ksft_print_msg("%s:%s\n", call_names[wanted[i].call], line);
		for (k = 0; k < 9 && (!k || wanted[i].errors[k]); k++)
			covered &= met[wanted[i].call][wanted[i].errors[k]] > 0;
	}
	ksft_print_msg("%lu slept\n", slept);
	return covered;
}

int main(int argc, char **argv)
{
	unsigned long steps = 3000, first = 1, runs = 2, i;
	long runtime = read_number(RT_RUNTIME);
	char text[32];
	cpu_set_t cpu;
	bool same;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:r:")) != -1) {
		unsigned long number = strtoul(optarg ?: "", NULL, 0);

		if (opt == 'n')
			steps = number;
		else if (opt == 's')
			first = number;
		else if (opt == 'r')
			runs = number;
		else
			ksft_exit_fail_msg("usage: mq_random [-n STEPS] [-s SEED] [-r RUNS]\n");
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(runs + 1);
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (begin_posix() || sched_setaffinity(0, sizeof(cpu), &cpu) ||
	    write_text(RT_RUNTIME, "-1"))
		ksft_exit_fail_msg("cannot begin: %s\n", strerror(errno));
	for (i = 0; i < runs; i++) {
		seed = first + i;
		same = run(steps);
		same &= clean_up();
		ksft_test_result(same, "%lu steps from seed %lu\n", steps, first + i);
	}
	ksft_test_result(is_covered() || steps < 1000, "coverage\n");
	snprintf(text, sizeof(text), "%ld", runtime);
	write_text(RT_RUNTIME, text);
	ksft_finished();
	return KSFT_FAIL;	/* not reached */
}

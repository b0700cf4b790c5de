// SPDX-License-Identifier: GPL-2.0
/*
 * The actors' processes.  All are on one processor with the one who orders, and go first:
 * when he goes on, each of them has answered, sleeps or waits for something.  So nobody
 * has to be looked at who was seen asleep and has not answered.
 */
#include "engine.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A memfd by a fixed number, so that an executed program finds it again. */
#define FD_DESKS	100

static struct desk *desks;

static long futex(unsigned int *word, int op, unsigned int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

static unsigned int load(const unsigned int *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static int desks_find(void)
{
	desks = mmap(NULL, ACTORS * sizeof(*desks), PROT_READ | PROT_WRITE, MAP_SHARED, FD_DESKS,
		     0);
	return desks == MAP_FAILED ? -1 : 0;
}

int desks_set_up(void)
{
	int fd = memfd_create("oracle", 0);

	if (fd < 0 || ftruncate(fd, ACTORS * sizeof(*desks)) || dup2(fd, FD_DESKS) < 0)
		return -1;
	close(fd);
	return desks_find();
}

const struct out *answer_of_process(int slot, int world)
{
	return &desks[slot].of[world].out;
}

/* ---- In the process ---- */

static void handler(int sig)
{
	(void)sig;
}

static void answer(struct desk *d, int world)
{
	__atomic_store_n(&d->of[world].done, load(&d->told), __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&d->of[world].awaited, __ATOMIC_SEQ_CST))
		futex(&d->of[world].done, FUTEX_WAKE, 1, NULL);
}

static void execute(int slot, int world)
{
	char s[16], w[16];

	snprintf(s, sizeof(s), "%d", slot);
	snprintf(w, sizeof(w), "%d", world);
	execl("/proc/self/exe", "oracle", "--serve", s, w, NULL);
	_exit(1);
}

static void serve(int slot, int world)
{
	const struct sigaction sa = { .sa_handler = handler };
	struct desk *d = &desks[slot];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &sa, NULL);
	for (;;) {
		unsigned int done = load(&d->of[world].done);
		struct out *out = &d->of[world].out;

		while (load(&d->told) == done)
			futex(&d->told, FUTEX_WAIT, done, NULL);
		switch (d->op.type) {
		case OP_EXIT:
			exit(0);
		case OP_FORK: {
			/* A sibling, that the driver can wait for; and by no libc's fork. */
			int child = d->op.a[0];	/* read now: the next order overwrites it */
			pid_t pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

			if (!pid) {
				d = &desks[child];
				slot = child;
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				continue;
			}
			out->ret = pid;
			break;
		}
		case OP_EXEC:
			execute(slot, world);
			break;
		default:
			__atomic_store_n(&d->of[world].busy, 1, __ATOMIC_SEQ_CST);
			errno = 0;
			out->ret = kind_of(d->op.type)->call(&d->op, ipcs[world], out);
			out->err = out->ret == -1 ? errno : 0;
			__atomic_store_n(&d->of[world].busy, 0, __ATOMIC_SEQ_CST);
		}
		answer(d, world);
	}
}

int serve_again(int slot, int world)
{
	if (slot < 0 || slot >= ACTORS || desks_find())
		return 1;
	answer(&desks[slot], world);
	serve(slot, world);
	return 1;	/* not reached */
}

/* ---- Who orders ---- */

void desk_clear(int slot)
{
	struct desk *d = &desks[slot];
	int w;

	d->told = 0;
	for (w = 0; w < 2; w++) {
		d->of[w].done = 0;
		d->of[w].busy = d->of[w].awaited = 0;
	}
}

pid_t process_start(int slot, int world, int user)
{
	const struct sched_param first = { .sched_priority = 1 };
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (!pid) {
		if (sched_setscheduler(0, SCHED_FIFO, &first) || become(&users[user]))
			_exit(1);
		serve(slot, world);
	}
	return pid;
}

void processes_order(int slot, const struct op *op)
{
	struct desk *d = &desks[slot];
	int w;

	d->op = *op;
	for (w = 0; w < 2; w++) {
		memset(&d->of[w].out, POISON, offsetof(struct out, text));
		d->of[w].out.text[0] = '\0';
		d->of[w].busy = 0;
	}
	__atomic_add_fetch(&d->told, 1, __ATOMIC_SEQ_CST);
	futex(&d->told, FUTEX_WAKE, 2, NULL);
}

bool process_answered(int slot, int world)
{
	return load(&desks[slot].of[world].done) == load(&desks[slot].told);
}

long seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* For a millisecond at most. */
static void await_a_little(int slot, int world)
{
	const struct timespec little = { .tv_nsec = 1000000 };
	struct desk *d = &desks[slot];
	unsigned int done = load(&d->of[world].done);

	__atomic_store_n(&d->of[world].awaited, 1, __ATOMIC_SEQ_CST);
	if (done != load(&d->told))
		futex(&d->of[world].done, FUTEX_WAIT, done, &little);
	__atomic_store_n(&d->of[world].awaited, 0, __ATOMIC_SEQ_CST);
}

bool process_await(int slot, int world, int seconds)
{
	long end = seconds_now() + seconds;

	while (!process_answered(slot, world)) {
		if (seconds_now() > end)
			return false;
		await_a_little(slot, world);
	}
	return true;
}

enum rest process_rest(int slot, int world, pid_t pid, int seconds)
{
	const int *busy = &desks[slot].of[world].busy;
	long end = 0;

	for (;;) {
		int before = __atomic_load_n(busy, __ATOMIC_SEQ_CST);
		char state;

		if (process_answered(slot, world))
			return DONE_IT;
		state = task_state(pid);
		if (!state || state == 'Z' || state == 'X')
			return DEAD;
		if (before && state == 'S' && __atomic_load_n(busy, __ATOMIC_SEQ_CST))
			return ASLEEP;
		if (!end)
			end = seconds_now() + seconds;
		else if (seconds_now() > end)
			return HUNG;
		await_a_little(slot, world);
	}
}

// SPDX-License-Identifier: GPL-2.0
/* What oracles have in common: see oracle.h. */
#include "oracle.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HISTORY		40

const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };

const struct who users[USERS] = {
	{ "root", 0, 0, -1, 0 },
	{ "alice", 1000, 1000, -1, 0 },
	{ "bob", 1001, 1001, 1000, 0 },
	{ "owner of all", 1002, 1002, -1, 1ull << CAP_IPC_OWNER },
};

static const struct oracle *oracle;

struct desk {
	struct op op;
	struct out out;
	int busy;	/* within the call */
};

/* Shared by all processes; a memfd, so that an executed program finds it again. */
static struct desk (*shared)[2];

/* Descriptors by fixed numbers, for the programs that are executed. */
enum { FD_SHARED = 100, FD_GO = 110, FD_DONE = 140 };
#define GO(actor, world)	(FD_GO + 2 * (actor) + (world))
#define DONE(actor, world)	(FD_DONE + 2 * (actor) + (world))

/* ---- The processes ---- */

static void handler(int sig)
{
	(void)sig;
}

static void serve(int actor, int world)
{
	const struct sigaction sa = { .sa_handler = handler };
	struct desk *d = &shared[actor][world];
	uint64_t one;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGUSR1, &sa, NULL);
	for (;;) {
		ssize_t n;

		do
			n = read(GO(actor, world), &one, sizeof(one));
		while (n < 0 && errno == EINTR);
		if (n != sizeof(one))
			_exit(1);
		switch (d->op.type) {
		case OP_EXIT:
			exit(0);
		case OP_FORK: {
			/* A sibling, that the driver can wait for; and by no libc's fork. */
			int child = d->op.a[0];	/* read now: the next order overwrites it */
			pid_t pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

			if (!pid) {
				actor = child;
				d = &shared[actor][world];
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				continue;
			}
			d->out.ret = pid;
			break;
		}
		case OP_EXEC: {
			char a[16], w[16];

			snprintf(a, sizeof(a), "%d", actor);
			snprintf(w, sizeof(w), "%d", world);
			execl("/proc/self/exe", oracle->name, "--serve", a, w, NULL);
			_exit(1);
		}
		default:
			__atomic_store_n(&d->busy, 1, __ATOMIC_SEQ_CST);
			errno = 0;
			d->out.ret = oracle->call(&d->op, ipcs[world], &d->out);
			d->out.err = d->out.ret == -1 ? errno : 0;
			__atomic_store_n(&d->busy, 0, __ATOMIC_SEQ_CST);
		}
		one = 1;
		if (write(DONE(actor, world), &one, sizeof(one)) != sizeof(one))
			_exit(1);
	}
}

/* ---- The driver ---- */

static int set_up(void)
{
	int fd = memfd_create("oracle", 0), i;

	if (fd < 0 || ftruncate(fd, ACTORS * sizeof(*shared)) || dup2(fd, FD_SHARED) < 0)
		return -1;
	close(fd);
	for (i = 0; i < 2 * ACTORS; i++) {
		int go = eventfd(0, 0), done = eventfd(0, EFD_NONBLOCK);

		if (dup2(go, FD_GO + i) < 0 || dup2(done, FD_DONE + i) < 0)
			return -1;
		close(go);
		close(done);
	}
	return 0;
}

static int find_shared(void)
{
	shared = mmap(NULL, ACTORS * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
		      FD_SHARED, 0);
	return shared == MAP_FAILED ? -1 : 0;
}

/* All processes there have been, by actor's serial number: to compare pids. */
#define SERIALS	4000

static struct {
	unsigned int seed, first_seed;
	long step;
	struct actor {
		pid_t pid[2];
		int user, serial;
		bool asleep;
	} actors[ACTORS];
	pid_t pids[SERIALS][2];
	int serials;
	struct { int id, number; } ids[IDS];
	int n_ids;
	bool tight;		/* a limit is not what it was to begin with */
	char history[HISTORY][400];
	bool failed;
} run;

/* How often each operation came to each end; 0 is a success. */
#define ERRNOS		140
#define MOST_TYPES	32
static struct {
	unsigned int end[MOST_TYPES][ERRNOS];
	unsigned int slept;
	/* Sleepers, by what woke them, and how their calls ended. */
	unsigned int woken[MOST_TYPES][ERRNOS];
} *seen;

static const char *name_of(int type)
{
	static const char *const names[OP_OWN] = { "fork", "exec", "exit", "kill", "signal", "stop" };

	return type < OP_OWN ? names[type] : oracle->calls[type - OP_OWN];
}

int rnd(int n)
{
	return rand_r(&run.seed) % n;
}

bool chance(int percent)
{
	return rnd(100) < percent;
}

static char *history(void)
{
	return run.history[run.step % HISTORY];
}

void differ(const char *what)
{
	int i;

	if (run.failed)
		return;
	run.failed = true;
	ksft_print_msg("%s differ at step %ld; again: %s -s %u -r 1 -n %ld\n", what, run.step,
		       oracle->name, run.first_seed, run.step + 1);
	ksft_print_msg("the last steps:\n");
	for (i = 1; i <= HISTORY; i++)
		if (run.history[(run.step + i) % HISTORY][0])
			ksft_print_msg("  %s\n", run.history[(run.step + i) % HISTORY]);
}

/* Whether it does within so many milliseconds. */
static bool answered(int actor, int world, int timeout)
{
	struct pollfd p = { .fd = DONE(actor, world), .events = POLLIN };

	return poll(&p, 1, timeout) == 1;
}

enum rest { DONE_IT, ASLEEP, DEAD };

/*
 * Until the process has answered, or sleeps in its call; the answer is left for later.
 * That it sleeps is taken on trust: see same_rest().
 */
static enum rest at_rest(int actor, int world)
{
	struct desk *d = &shared[actor][world];

	for (;;) {
		int busy = __atomic_load_n(&d->busy, __ATOMIC_SEQ_CST);
		char state;

		if (answered(actor, world, 0))
			return DONE_IT;
		state = task_state(run.actors[actor].pid[world]);
		if (!state || state == 'Z' || state == 'X')
			return DEAD;
		if (busy && state == 'S' && __atomic_load_n(&d->busy, __ATOMIC_SEQ_CST))
			return ASLEEP;
		answered(actor, world, 1);
	}
}

static void take_answer(int actor, int world)
{
	uint64_t one;

	if (read(DONE(actor, world), &one, sizeof(one)) != sizeof(one))
		abort();
}

static enum rest come_to_rest(int actor, int world)
{
	enum rest rest = at_rest(actor, world);

	if (rest == DONE_IT)
		take_answer(actor, world);
	return rest;
}

/* Both twins; one that seems to sleep while the other has answered is looked at closely. */
static bool same_rest(int actor, enum rest *rest)
{
	int w;

	for (w = 0; w < 2; w++)
		rest[w] = at_rest(actor, w);
	for (w = 0; w < 2 && rest[0] != rest[1]; w++)
		while (rest[w] == ASLEEP && !task_asleep(run.actors[actor].pid[w])) {
			answered(actor, w, 1);
			rest[w] = at_rest(actor, w);
		}
	for (w = 0; w < 2; w++)
		if (rest[w] == DONE_IT)
			take_answer(actor, w);
	return rest[0] == rest[1];
}

static void order(const struct op *op, int world)
{
	struct desk *d = &shared[op->actor][world];
	uint64_t one = 1;

	d->op = *op;
	memset(&d->out, POISON, sizeof(d->out));
	d->busy = 0;
	if (write(GO(op->actor, world), &one, sizeof(one)) != sizeof(one))
		abort();
}

static int new_serial(pid_t native, pid_t kipc)
{
	if (run.serials == SERIALS)
		abort();
	run.pids[run.serials][0] = native;
	run.pids[run.serials][1] = kipc;
	return run.serials++;
}

static void spawn(int actor, int user)
{
	struct actor *a = &run.actors[actor];
	int w;

	a->user = user;
	a->asleep = false;
	for (w = 0; w < 2; w++) {
		a->pid[w] = fork();
		if (!a->pid[w]) {
			if (become(&users[user]))
				_exit(1);
			serve(actor, w);
		}
	}
	a->serial = new_serial(a->pid[0], a->pid[1]);
}

int who(int pid, int world)
{
	int i;

	if (pid <= 0)
		return pid;
	for (i = run.serials - 1; i >= 0; i--)
		if (run.pids[i][world] == pid)
			return i + 1;
	return -2;
}

/* ---- What comes next ---- */

static int awake(int *n)
{
	int list[ACTORS], i;

	for (*n = i = 0; i < ACTORS; i++)
		if (run.actors[i].pid[0] && !run.actors[i].asleep)
			list[(*n)++] = i;
	return *n ? list[rnd(*n)] : -1;
}

bool is_asleep(int actor)
{
	return run.actors[actor].pid[0] && run.actors[actor].asleep;
}

int sleeping(void)
{
	int list[ACTORS], n = 0, i;

	for (i = 0; i < ACTORS; i++)
		if (is_asleep(i))
			list[n++] = i;
	return n ? list[rnd(n)] : -1;
}

const struct op *last_op(int actor)
{
	return &shared[actor][0].op;
}

int awake_root(int actor)
{
	int i;

	for (i = 0; i < ACTORS; i++)
		if (run.actors[i].pid[0] && !run.actors[i].asleep && !run.actors[i].user)
			actor = i;
	return actor;
}

void limits_are_tight(void)
{
	run.tight = true;
}

void remember(int id, int number)
{
	int i;

	for (i = 0; i < run.n_ids; i++)
		if (run.ids[i].id == id)
			break;
	if (i == run.n_ids)
		i = run.n_ids < IDS ? run.n_ids++ : rnd(IDS);
	run.ids[i].id = id;
	run.ids[i].number = number;
}

int some_object(int *id)
{
	int i;

	if (chance(2) || !run.n_ids) {
		*id = chance(50) ? -1 : rnd(40) + (chance(30) ? 1 << 24 : 0);
		return -1;
	}
	i = rnd(run.n_ids);
	*id = run.ids[i].id;
	return run.ids[i].number;
}

static void choose(struct op *op)
{
	const struct weight *w = oracle->weights;
	int n, r, sum = 0, i;

	memset(op, 0, sizeof(*op));
	op->actor = awake(&n);
	for (i = 0; i < oracle->n_weights; i++)
		sum += w[i].weight;
	do {
		for (r = rnd(sum), i = 0; r >= w[i].weight; i++)
			r -= w[i].weight;
		op->type = w[i].type;
	} while (n < 1 && op->type != OP_KILL && op->type != OP_SIGNAL && op->type != OP_STOP);

	switch (op->type) {
	case OP_FORK:
		for (i = 0; i < ACTORS && run.actors[i].pid[0]; i++)
			;
		if (i < ACTORS) {
			op->a[0] = i;
			break;
		}
		op->type = OP_KILL;
		/* fallthrough */
	case OP_KILL:
		/* Asleep or not. */
		if (n < 1 || chance(50))
			op->actor = sleeping() >= 0 ? sleeping() : op->actor;
		break;
	case OP_SIGNAL:
	case OP_STOP:
		op->actor = sleeping();
		break;
	case OP_EXEC:
	case OP_EXIT:
		break;
	default:
		/* One who is awake is needed to go on. */
		oracle->choose(op, n > 2);
	}
}

static void describe_more(const char *format, ...)
{
	size_t n = strlen(history());
	va_list ap;

	va_start(ap, format);
	vsnprintf(history() + n, sizeof(run.history[0]) - n, format, ap);
	va_end(ap);
}

static void describe(const struct op *op)
{
	char text[256] = "";

	history()[0] = '\0';
	if (op->type >= OP_OWN)
		oracle->describe(op, text, sizeof(text));
	else if (op->type == OP_FORK)
		snprintf(text, sizeof(text), "%ld", op->a[0]);
	describe_more("%ld: %d (%s) %s(%s)", run.step, op->actor,
		      op->actor >= 0 ? users[run.actors[op->actor].user].name : "",
		      name_of(op->type), text);
}

/* ---- What there is to be seen ---- */

/* Most of the ids tried must mean something. */
static void compare_object(int id)
{
	int i;

	if (oracle->compare_object(id) || !chance(40))
		return;
	for (i = 0; i < run.n_ids; i++)
		if (run.ids[i].id == id) {
			run.ids[i] = run.ids[--run.n_ids];
			break;
		}
}

static void count(const struct op *op, int err)
{
	seen->end[op->type][err > 0 && err < ERRNOS ? err : 0]++;
}

/* Both twins of an actor: asleep alike, or with the same answer. */
static void compare_actor(int actor, int cause)
{
	struct actor *a = &run.actors[actor];
	struct out *out[2] = { &shared[actor][0].out, &shared[actor][1].out };
	const struct op *op = &shared[actor][0].op;
	enum rest rest[2];
	bool same;

	if (!same_rest(actor, rest) || rest[0] == DEAD) {
		static const char *const names[] = { "done", "asleep", "dead" };

		ksft_print_msg("actor %d: native %s", actor, names[rest[0]]);
		if (rest[0] == DONE_IT)
			printf(" %ld, errno %d", out[0]->ret, out[0]->err);
		printf("; kipc %s", names[rest[1]]);
		if (rest[1] == DONE_IT)
			printf(" %ld, errno %d", out[1]->ret, out[1]->err);
		printf("\n");
		differ("sleepers");
		return;
	}
	if (rest[0] == ASLEEP) {
		if (!a->asleep)
			seen->slept++;
		a->asleep = true;
		return;
	}
	if (a->asleep) {
		describe_more("; %d woken: %ld errno %d, %ld errno %d", actor, out[0]->ret,
			      out[0]->err, out[1]->ret, out[1]->err);
		seen->woken[cause][out[0]->err]++;
	} else {
		describe_more(" native %ld errno %d, kipc %ld errno %d", out[0]->ret, out[0]->err,
			      out[1]->ret, out[1]->err);
	}
	a->asleep = false;
	if (oracle->is_pid && oracle->is_pid(op) && out[0]->ret > 0)
		same = who(out[0]->ret, 0) == who(out[1]->ret, 1);
	else
		same = out[0]->ret == out[1]->ret;
	if (!same || out[0]->err != out[1]->err)
		differ("results");
	oracle->compare(op, out[0], out[1]);
	count(op, out[0]->err);
}

/* A limit that was set to little lasts for some steps, or nothing would happen any more. */
static void relax(void)
{
	int w;

	if (!run.tight || !chance(4))
		return;
	for (w = 0; w < 2; w++)
		if (oracle->relax(ipcs[w]))
			differ("limits");
	run.tight = false;
}

/*
 * Whom the step woke is awake; but he may have woken others in turn.  Until nobody else of
 * the sleepers has an answer.  Return: a bit for each actor of whom one twin has.
 */
static unsigned int settle(void)
{
	unsigned int before, now = 0;
	int i, w;

	do {
		before = now;
		for (i = 0; i < ACTORS; i++)
			for (w = 0; w < 2 && is_asleep(i); w++)
				if (at_rest(i, w) != ASLEEP)
					now |= 1u << i;
	} while (now != before);
	return now;
}

/* End both twins.  All that this does to others is done when it returns. */
static void end_actor(const struct op *op)
{
	struct actor *a = &run.actors[op->actor];
	int w, i, n = 0;

	/* Never the last two: somebody has to go on. */
	for (i = 0; i < ACTORS; i++)
		n += run.actors[i].pid[0] && (op->type == OP_KILL || !run.actors[i].asleep);
	if (n <= 2)
		return;
	for (w = 0; w < 2; w++) {
		if (op->type == OP_EXIT)
			order(op, w);
		else
			kill(a->pid[w], SIGKILL);
		waitpid(a->pid[w], NULL, 0);
		a->pid[w] = 0;
	}
	a->asleep = false;
	count(op, 0);
	for (i = 0; i < ACTORS && oracle->after_death; i++)
		if (is_asleep(i))
			oracle->after_death(&shared[i][1].op);
}

static void step(void)
{
	unsigned int woken;
	struct op op;
	int i, w;

	choose(&op);
	describe(&op);
	if (op.actor < 0)
		return;
	switch (op.type) {
	case OP_EXIT:
	case OP_KILL:
		end_actor(&op);
		break;
	case OP_SIGNAL:
		for (w = 0; w < 2; w++)
			kill(run.actors[op.actor].pid[w], SIGUSR1);
		count(&op, 0);
		break;
	case OP_STOP:
		/* Seen while it is stopped, too. */
		for (w = 0; w < 2; w++) {
			kill(run.actors[op.actor].pid[w], SIGSTOP);
			waitpid(run.actors[op.actor].pid[w], NULL, WUNTRACED);
		}
		for (i = 0; i < run.n_ids && !run.failed; i++)
			compare_object(run.ids[i].id);
		for (w = 0; w < 2; w++)
			kill(run.actors[op.actor].pid[w], SIGCONT);
		count(&op, 0);
		break;
	case OP_EXEC:
		for (w = 0; w < 2; w++)
			order(&op, w);
		for (w = 0; w < 2; w++)
			if (come_to_rest(op.actor, w) != DONE_IT)
				differ("lives after exec");
		count(&op, 0);
		break;
	case OP_FORK: {
		struct actor *child = &run.actors[op.a[0]];

		for (w = 0; w < 2; w++) {
			order(&op, w);
			if (come_to_rest(op.actor, w) != DONE_IT || shared[op.actor][w].out.ret <= 0)
				differ("forks");
			child->pid[w] = shared[op.actor][w].out.ret;
		}
		child->user = run.actors[op.actor].user;
		child->asleep = false;
		child->serial = new_serial(child->pid[0], child->pid[1]);
		count(&op, 0);
		break;
	}
	default:
		for (w = 0; w < 2; w++) {
			order(&op, w);
			answered(op.actor, w, 1);
			at_rest(op.actor, w);
		}
		/* A time-out that ends meanwhile ends in both. */
		for (w = 0; w < 2 && op.is_brief; w++)
			answered(op.actor, w, 60000);
		compare_actor(op.actor, op.type);
	}
	/* Awake, but perhaps still on its way out of the queue. */
	if (op.type == OP_SIGNAL || op.type == OP_STOP)
		compare_actor(op.actor, op.type);
	woken = settle();
	for (i = 0; i < run.n_ids && !run.failed; i++)
		if ((op.type >= OP_EXIT && op.type < OP_OWN) || run.ids[i].id == op.a[0] ||
		    run.step % 8 == 0)
			compare_object(run.ids[i].id);
	for (i = 0; i < ACTORS && !run.failed; i++)
		if (woken & 1u << i)
			compare_actor(i, op.type);
	if (!run.failed && run.step % 10 == 0)
		oracle->compare_listings();
}

/* A run in a process and a namespace of its own.  Return: an exit status. */
static int do_run(unsigned int seed, long steps)
{
	int i, k, w;

	run.seed = run.first_seed = seed;
	/* One process runs at a time: waking another processor would only cost. */
	stay_on_cpu();
	/* Channels of its own too: nothing of a run that failed is left in them. */
	if (unshare(CLONE_NEWIPC) || set_up() || find_shared() || sem_rows(&ipc_kipc, NULL, 0) ||
	    msg_rows(&ipc_kipc, NULL, 0) || oracle->relax(ipcs[0]) || oracle->relax(ipcs[1])) {
		ksft_print_msg("cannot begin: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < 4; i++)
		spawn(i, i);
	for (run.step = 0; run.step < steps && !run.failed; run.step++) {
		step();
		relax();
		/* The users stay mixed. */
		for (i = 0; i < ACTORS && !run.failed; i++)
			if (!run.actors[i].pid[0] && chance(8))
				spawn(i, rnd(USERS));
	}
	/* One after the other; in the end nobody may wait, and all is undone alike. */
	for (i = 0; i < ACTORS; i++) {
		for (w = 0; w < 2; w++)
			if (run.actors[i].pid[w]) {
				kill(run.actors[i].pid[w], SIGKILL);
				waitpid(run.actors[i].pid[w], NULL, 0);
				run.actors[i].pid[w] = 0;
			}
		settle();
		for (k = 0; k < run.n_ids && !run.failed; k++)
			oracle->compare_object(run.ids[k].id);
	}
	if (!run.failed)
		oracle->compare_listings();
	return run.failed;
}

static void tell(const char *name, const unsigned int *ends)
{
	char text[512];
	size_t used = 0;
	unsigned int e;

	for (e = 0; e < ERRNOS; e++)
		if (ends[e] && used < sizeof(text) - 32)
			used += snprintf(text + used, sizeof(text) - used, " %s %u",
					 e ? strerrorname_np(e) : "ok", ends[e]);
	ksft_print_msg("%-12s%s\n", name, used ? text : " never");
}

/* Return: whether something that must have been met was not. */
static bool tell_missing(const char *how, const struct ending *ends, int n,
			 unsigned int (*met)[ERRNOS])
{
	bool thin = false;
	int i;

	for (i = 0; i < n; i++)
		if (!met[ends[i].type][ends[i].err]) {
			thin = true;
			ksft_print_msg("never%s: %s, %s\n", how, name_of(ends[i].type),
				       ends[i].err ? strerrorname_np(ends[i].err) : "ok");
		}
	return thin;
}

static bool tell_coverage(void)
{
	int i, types = OP_OWN + oracle->n_calls;
	bool thin;

	for (i = 0; i < types; i++)
		tell(name_of(i), seen->end[i]);
	ksft_print_msg("%u calls slept; woken by\n", seen->slept);
	for (i = 0; i < types; i++)
		tell(name_of(i), seen->woken[i]);
	thin = tell_missing("", oracle->coverage, oracle->n_coverage, seen->end);
	return tell_missing(" woken by", oracle->woken_by, oracle->n_woken_by, seen->woken) || thin;
}

int oracle_main(const struct oracle *o, int argc, char **argv)
{
	const char *env = getenv("KIPC_ORACLE_STEPS");
	long steps = env ? atol(env) : o->steps;
	unsigned int seed = 1, runs = 3, i;
	int opt;

	oracle = o;
	if (argc == 4 && !strcmp(argv[1], "--serve")) {
		int actor = atoi(argv[2]), world = atoi(argv[3]);
		uint64_t one = 1;

		if (find_shared() || write(DONE(actor, world), &one, sizeof(one)) != sizeof(one))
			return 1;
		serve(actor, world);
	}
	while ((opt = getopt(argc, argv, "n:s:r:")) != -1)
		switch (opt) {
		case 'n':
			steps = atol(optarg);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			runs = atoi(optarg);
			break;
		default:
			return KSFT_FAIL;
		}

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(runs + 1);
	if (!native_ids_extended()) {
		for (i = 0; i <= runs; i++)
			ksft_test_result_skip("boot with ipcmni_extend: native ids have another shape\n");
		ksft_finished();
	}
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED || OP_OWN + o->n_calls > MOST_TYPES)
		ksft_exit_fail_msg("cannot set up: %s\n", strerror(errno));
	for (i = 0; i < runs; i++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid)
			_exit(do_run(seed + i, steps));
		waitpid(pid, &status, 0);
		ksft_test_result(!status, "%ld steps from seed %u\n", steps, seed + i);
	}
	ksft_test_result(!tell_coverage(), "coverage\n");
	ksft_finished();
	return KSFT_FAIL;	/* not reached */
}

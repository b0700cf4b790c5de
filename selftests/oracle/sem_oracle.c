// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle of semaphores: random sequences of calls by several processes and users,
 * each made on native IPC and on kipc, and everything that can be seen afterwards
 * compared: results, errnos, values, who sleeps, who was woken and with what, counts of
 * sleepers, last processes, listings.
 *
 *   sem_oracle [-n STEPS] [-s SEED] [-r RUNS]
 *
 * An actor is a pair of processes, one that makes its calls natively and one that makes
 * them on kipc, for both may sleep.  A step is over when each process concerned has
 * answered or is seen asleep in its call; whom a call wakes is awake when it returns, so
 * the sleepers of both worlds must then be the same.  Processes are compared by actor.
 *
 * The namespace is fresh, so that ids are equal (the kernel is booted with
 * ipcmni_extend).  A sequence that differs is told by its seed and its last steps.  What
 * was hardly tried makes the run fail as well: see coverage[] and woken_by[].
 */
#include "common/ipc.h"
#include "common/mem.h"
#include "common/peer.h"

#include <kselftest.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACTORS		8		/* at a time */
#define IDS		5		/* sets remembered, most of them alive */
#define MOST_SEMS	70		/* of one set: numbers that are equal modulo 64, too */
#define MOST_OPS	6
#define HISTORY		40

/* Native and kipc, in this order everywhere. */
static const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };

enum op_type {
	OP_GET, OP_SEMOP, OP_TIMED, OP_CTL, OP_SETVAL, OP_SETALL, OP_RMID, OP_LIMIT, OP_FORK, OP_EXEC,
	OP_EXIT, OP_KILL, OP_SIGNAL, OP_STOP,
	OP_TYPES,
};

static const char *const op_names[OP_TYPES] = {
	"semget", "semop", "semtimedop", "semctl", "SETVAL", "SETALL", "IPC_RMID", "limit", "fork",
	"exec", "exit", "kill", "signal", "stop",
};

struct op {
	enum op_type type;
	int actor;
	long a[4];
	int nsops;
	struct sembuf sops[MOST_OPS];
	struct timespec timeout;
	unsigned short vals[MOST_SEMS];
	struct semid_ds ds;
};

/* What a process tells after its call. */
struct out {
	long ret;
	int err;
	union {
		struct semid_ds ds;
		struct seminfo info;
		unsigned short vals[MOST_SEMS + 2];
	};
};

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

static long do_one(const struct op *op, const struct ipc *ipc, struct out *out)
{
	union semun u = { .buf = &out->ds };
	long ret;

	switch (op->type) {
	case OP_GET:
		return ipc->semget(op->a[0], op->a[1], op->a[2]);
	case OP_SEMOP:
		return ipc->semop(op->a[0], (struct sembuf *)op->sops, op->nsops);
	case OP_TIMED:
		return ipc->semtimedop(op->a[0], (struct sembuf *)op->sops, op->nsops, &op->timeout);
	case OP_SETVAL:
		u.val = op->a[2];
		return ipc->semctl(op->a[0], op->a[1], SETVAL, u);
	case OP_SETALL:
		return sem_setall(ipc, op->a[0], op->vals);
	case OP_RMID:
		return sem_rmid(ipc, op->a[0]);
	case OP_CTL:
		if (op->a[2] == IPC_SET)
			out->ds = op->ds;
		return ipc->semctl(op->a[0], op->a[1], op->a[2], u);
	case OP_LIMIT:
		if (op->a[0] < SEM_LIMITS)
			ret = sem_limit_set(ipc, op->a[0], op->a[1]);
		else
			ret = ipc_limit_set(ipc, "sem_next_id", op->a[1]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : 0;
	default:
		errno = ENOSYS;
		return -1;
	}
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
			execl("/proc/self/exe", "sem_oracle", "--serve", a, w, NULL);
			_exit(1);
		}
		default:
			__atomic_store_n(&d->busy, 1, __ATOMIC_SEQ_CST);
			errno = 0;
			d->out.ret = do_one(&d->op, ipcs[world], &d->out);
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

static const struct who users[] = {
	{ "root", 0, 0, -1, 0 },
	{ "alice", 1000, 1000, -1, 0 },
	{ "bob", 1001, 1001, 1000, 0 },
	{ "owner of all", 1002, 1002, -1, 1ull << CAP_IPC_OWNER },
};

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
	struct { int id, nsems; } ids[IDS];
	int n_ids;
	int denied[64], n_denied;
	bool tight;		/* a limit is not the default */
	char history[HISTORY][400];
	bool failed;
} run;

/* How often each operation came to each end; 0 is a success. */
#define ERRNOS	140
static struct {
	unsigned int end[OP_TYPES][ERRNOS];
	unsigned int slept;
	/* Sleepers, by what woke them, and how their calls ended. */
	unsigned int woken[OP_TYPES][ERRNOS];
} *seen;

static int rnd(int n)
{
	return rand_r(&run.seed) % n;
}

static bool chance(int percent)
{
	return rnd(100) < percent;
}

static char *history(void)
{
	return run.history[run.step % HISTORY];
}

static void differ(const char *what)
{
	int i;

	if (run.failed)
		return;
	run.failed = true;
	ksft_print_msg("%s differ at step %ld; again: sem_oracle -s %u -r 1 -n %ld\n", what,
		       run.step, run.first_seed, run.step + 1);
	ksft_print_msg("the last steps:\n");
	for (i = 1; i <= HISTORY; i++)
		if (run.history[(run.step + i) % HISTORY][0])
			ksft_print_msg("  %s\n", run.history[(run.step + i) % HISTORY]);
}

enum rest { DONE_IT, ASLEEP, DEAD };

/* Until the process has answered, or sleeps in its call. */
static enum rest come_to_rest(int actor, int world)
{
	const struct actor *a = &run.actors[actor];
	struct desk *d = &shared[actor][world];
	struct pollfd p = { .fd = DONE(actor, world), .events = POLLIN };
	uint64_t one;

	for (;;) {
		int busy = __atomic_load_n(&d->busy, __ATOMIC_SEQ_CST);
		char state;

		if (read(p.fd, &one, sizeof(one)) == sizeof(one))
			return DONE_IT;
		state = task_state(a->pid[world]);
		if (!state || state == 'Z' || state == 'X')
			return DEAD;
		if (busy && state == 'S' && __atomic_load_n(&d->busy, __ATOMIC_SEQ_CST))
			return ASLEEP;
		poll(&p, 1, 1);
	}
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

/* A pid as the serial number of its actor, from 1 on; 0 is nobody. */
static int who(int pid, int world)
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

static int sleeping(void)
{
	int list[ACTORS], n = 0, i;

	for (i = 0; i < ACTORS; i++)
		if (run.actors[i].pid[0] && run.actors[i].asleep)
			list[n++] = i;
	return n ? list[rnd(n)] : -1;
}

/* Index in run.ids, mostly of a set that is alive. */
static int some_set(int *id)
{
	int i;

	if (chance(2) || !run.n_ids) {
		*id = chance(50) ? -1 : rnd(40) + (chance(30) ? 1 << 24 : 0);
		return -1;
	}
	i = rnd(run.n_ids);
	*id = run.ids[i].id;
	return i;
}

static int some_sem(int set)
{
	static const int high[] = { 0, 1, 2, 64, 65, 69 };
	int nsems = set < 0 ? 4 : run.ids[set].nsems;

	if (chance(1))
		return nsems + rnd(3);
	if (nsems > 60 && chance(80))
		return high[rnd(ARRAY_SIZE(high))] % nsems;
	/* Few, so that they meet. */
	return rnd(nsems < 4 || chance(10) ? nsems : 4);
}

/* What some sleeper waits for, perhaps with something else. */
static void choose_wake(struct op *op, int actor)
{
	const struct op *slept = &shared[actor][0].op;
	int i, n = 1 + rnd(slept->nsops);

	op->a[0] = slept->a[0];
	for (i = 0; i < n; i++) {
		const struct sembuf *s = &slept->sops[i];

		op->sops[i] = (struct sembuf){ s->sem_num, s->sem_op < 0 ? -s->sem_op : -1,
					       (chance(30) ? SEM_UNDO : 0) |
					       (s->sem_op < 0 ? 0 : IPC_NOWAIT) };
	}
	op->nsops = n;
}

static void choose_semop(struct op *op, bool may_sleep)
{
	int id, set = some_set(&id), i, undo = rnd(3) * 45, sleeper = sleeping();

	if (sleeper >= 0 && chance(30)) {
		choose_wake(op, sleeper);
		return;
	}
	op->a[0] = id;
	op->nsops = chance(55) ? 1 : 2 + rnd(chance(80) ? 2 : MOST_OPS - 1);
	for (i = 0; i < op->nsops; i++) {
		struct sembuf *s = &op->sops[i];

		s->sem_num = some_sem(set);
		s->sem_op = chance(20) ? 0 : chance(50) ? 1 + rnd(2) : -1 - rnd(2);
		if (chance(2))
			s->sem_op = chance(50) ? SEMVMX - rnd(3) : -SEMVMX + rnd(3);
		else if (chance(1))
			s->sem_op = rnd(65536) - 32768;
		s->sem_flg = (chance(undo) ? SEM_UNDO : 0) | (chance(may_sleep ? 12 : 60) ? IPC_NOWAIT
											   : 0);
	}
	if (op->type == OP_TIMED) {
		op->timeout = (struct timespec){ .tv_nsec = rnd(3) * 1000000 };
		if (may_sleep && chance(50))
			op->timeout.tv_sec = 3600;
		if (chance(4))
			op->timeout.tv_nsec = chance(50) ? -1 : 1000000000;
		return;
	}
	/* Without a time-out and where too many sleep already. */
	for (i = 0; i < op->nsops && !may_sleep; i++)
		op->sops[i].sem_flg |= IPC_NOWAIT;
}

static void choose_ctl(struct op *op)
{
	static const int cmds[] = { GETVAL, GETVAL, GETPID, GETNCNT, GETZCNT, GETALL, GETALL, IPC_STAT,
				    IPC_STAT, IPC_SET, IPC_SET, IPC_SET, SEM_STAT, SEM_STAT_ANY,
				    IPC_INFO, SEM_INFO, 77 };
	static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0666, 0666, 0777, 0666,
				     0666, 0666, 0, 0604, 0622 };
	int id, set = some_set(&id);

	op->a[0] = id;
	op->a[1] = some_sem(set);
	if (chance(3))
		op->a[1] = -1;
	op->a[2] = cmds[rnd(ARRAY_SIZE(cmds))];
	if (op->a[2] == SEM_STAT || op->a[2] == SEM_STAT_ANY)
		op->a[0] &= chance(80) ? 0xffffff : -1;
	memset(&op->ds, POISON, sizeof(op->ds));
	if (op->a[2] == IPC_SET) {
		op->ds.sem_perm.uid = chance(3) ? -1u : users[rnd(4)].uid;
		op->ds.sem_perm.gid = chance(3) ? -1u : users[rnd(4)].gid;
		op->ds.sem_perm.mode = modes[rnd(ARRAY_SIZE(modes))] | (chance(20) ? 07000 : 0);
	}
}

static void choose(struct op *op)
{
	static const struct { enum op_type type; int weight; } weights[] = {
		{ OP_GET, 22 }, { OP_SEMOP, 110 }, { OP_TIMED, 20 }, { OP_CTL, 24 }, { OP_SETVAL, 8 },
		{ OP_SETALL, 4 }, { OP_RMID, 3 }, { OP_LIMIT, 9 }, { OP_FORK, 6 }, { OP_EXEC, 2 },
		{ OP_EXIT, 3 }, { OP_KILL, 5 }, { OP_SIGNAL, 2 }, { OP_STOP, 1 },
	};
	static const int sizes[] = { 1, 2, 3, 4, 4, 4, MOST_SEMS, 0, -1, 32001 };
	static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0666, 0666, 0777, 0666,
				     0666, 0666, 0, 0622 };
	static const long limits[SEM_LIMITS + 1][4] = {
		{ 32000, 3, 100, 0 },
		{ 1024000000, 12, 80, 0 },
		{ 500, 1, 2, 3 },
		{ 32000, 1, 3, (1 << 24) + 1 },
		{ 10, 3, (1 << 24) + 4, -2 },
	};
	int n, r, sum = 0, set, id;
	unsigned int i;

	memset(op, 0, sizeof(*op));
	op->actor = awake(&n);
	for (i = 0; i < ARRAY_SIZE(weights); i++)
		sum += weights[i].weight;
	do {
		for (r = rnd(sum), i = 0; r >= weights[i].weight; i++)
			r -= weights[i].weight;
		op->type = weights[i].type;
	} while (n < 1 && op->type != OP_KILL && op->type != OP_SIGNAL && op->type != OP_STOP);

	switch (op->type) {
	case OP_GET:
		op->a[0] = rnd(IDS);
		op->a[1] = sizes[rnd(chance(85) ? 7 : ARRAY_SIZE(sizes))];
		op->a[2] = (chance(75) ? IPC_CREAT : 0) | (chance(15) ? IPC_EXCL : 0) |
			   modes[rnd(ARRAY_SIZE(modes))];
		/* What a lookup asks for must mostly be granted. */
		if (chance(60))
			op->a[2] &= ~0777 | 0066;
		break;
	case OP_SEMOP:
	case OP_TIMED:
		/* One who is awake is needed to go on. */
		choose_semop(op, n > 2);
		break;
	case OP_CTL:
		choose_ctl(op);
		break;
	case OP_SETVAL:
		set = some_set(&id);
		op->a[0] = id;
		op->a[1] = some_sem(set);
		op->a[2] = chance(5) ? SEMVMX + rnd(2) : chance(3) ? -1 : rnd(4);
		break;
	case OP_SETALL:
		some_set(&id);
		op->a[0] = id;
		for (i = 0; i < MOST_SEMS; i++)
			op->vals[i] = rnd(3);
		if (chance(10))
			op->vals[rnd(3)] = SEMVMX + rnd(2);
		break;
	case OP_RMID:
		some_set(&id);
		op->a[0] = id;
		break;
	case OP_LIMIT:
		/* Mostly by one who may; a tight one is relaxed soon, or nothing happens. */
		for (i = 0; i < ACTORS && chance(90); i++)
			if (run.actors[i].pid[0] && !run.actors[i].asleep && !run.actors[i].user)
				op->actor = i;
		op->a[0] = rnd(SEM_LIMITS + 1);
		op->a[1] = limits[op->a[0]][chance(60) ? 0 : rnd(4)];
		break;
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
	default:
		break;
	}
}

static void describe(const struct op *op)
{
	char *h = history();
	int n, i;

	n = snprintf(h, sizeof(run.history[0]), "%ld: %d (%s) %s(%ld, %ld, %ld", run.step, op->actor,
		     op->actor >= 0 ? users[run.actors[op->actor].user].name : "", op_names[op->type],
		     op->a[0], op->a[1], op->a[2]);
	for (i = 0; i < op->nsops; i++)
		n += snprintf(h + n, sizeof(run.history[0]) - n, "%s{%d %+d%s%s}", i ? " " : ": ",
			      op->sops[i].sem_num, op->sops[i].sem_op,
			      op->sops[i].sem_flg & IPC_NOWAIT ? " nowait" : "",
			      op->sops[i].sem_flg & SEM_UNDO ? " undo" : "");
	if (op->type == OP_TIMED)
		n += snprintf(h + n, sizeof(run.history[0]) - n, " within %ld.%09ld",
			      (long)op->timeout.tv_sec, op->timeout.tv_nsec);
	snprintf(h + n, sizeof(run.history[0]) - n, ")");
}

static void describe_more(const char *format, ...)
{
	size_t n = strlen(history());
	va_list ap;

	va_start(ap, format);
	vsnprintf(history() + n, sizeof(run.history[0]) - n, format, ap);
	va_end(ap);
}

/* ---- What there is to be seen ---- */

static void add_set(int id)
{
	struct semid_ds ds;
	int i;

	if (sem_stat(&ipc_native, id, &ds))
		return;
	for (i = 0; i < run.n_ids; i++)
		if (run.ids[i].id == id)
			break;
	if (i == run.n_ids)
		i = run.n_ids < IDS ? run.n_ids++ : rnd(IDS);
	run.ids[i].id = id;
	run.ids[i].nsems = ds.sem_nsems;
}

/*
 * Who asks for SEM_UNDO and may not, or of a semaphore that there is not, natively sets
 * sem_otime when he ends.  There kipc differs, and says so: Documentation/differences.rst.
 */
static bool otime_counts(int id)
{
	int i;

	for (i = 0; i < run.n_denied; i++)
		if (run.denied[i] == id)
			return false;
	return true;
}

static void note_denied(const struct op *op, int err)
{
	int i;

	if ((err != EACCES && err != EFBIG) || !otime_counts(op->a[0]))
		return;
	for (i = 0; i < op->nsops; i++)
		if (op->sops[i].sem_flg & SEM_UNDO) {
			run.denied[run.n_denied++ % ARRAY_SIZE(run.denied)] = op->a[0];
			break;
		}
	if (run.n_denied > (int)ARRAY_SIZE(run.denied))
		run.n_denied = ARRAY_SIZE(run.denied);
}

static bool same_ds(int id, const struct semid_ds *a, const struct semid_ds *b)
{
	return !memcmp(&a->sem_perm, &b->sem_perm, sizeof(a->sem_perm)) &&
	       a->sem_nsems == b->sem_nsems &&
	       (!a->sem_otime == !b->sem_otime || !otime_counts(id)) &&
	       !a->sem_ctime == !b->sem_ctime;
}

/* Most of the ids tried must mean something. */
static void forget_set(int id)
{
	int i;

	for (i = 0; i < run.n_ids; i++)
		if (run.ids[i].id == id) {
			run.ids[i] = run.ids[--run.n_ids];
			break;
		}
}

static void compare_set(int id)
{
	static unsigned short v[2][40000];
	struct semid_ds ds[2];
	int ret[2], err[2], w, i;

	for (w = 0; w < 2; w++) {
		ret[w] = sem_stat(ipcs[w], id, &ds[w]);
		err[w] = ret[w] ? errno : 0;
	}
	if (ret[0] != ret[1] || err[0] != err[1]) {
		differ("lives of a set");
		return;
	}
	if (ret[0]) {
		if (chance(40))
			forget_set(id);
		return;
	}
	if (!same_ds(id, &ds[0], &ds[1])) {
		ksft_print_msg("set %d: native mode %o nsems %lu otime %ld ctime %ld\n", id,
			       ds[0].sem_perm.mode, ds[0].sem_nsems, ds[0].sem_otime, ds[0].sem_ctime);
		ksft_print_msg("set %d: kipc   mode %o nsems %lu otime %ld ctime %ld\n", id,
			       ds[1].sem_perm.mode, ds[1].sem_nsems, ds[1].sem_otime, ds[1].sem_ctime);
		differ("structures");
		return;
	}
	for (w = 0; w < 2; w++)
		if (sem_getall(ipcs[w], id, v[w]))
			differ("sets");
	for (i = 0; i < (int)ds[0].sem_nsems && !run.failed; i++) {
		int pid[2], ncnt[2], zcnt[2];

		if (v[0][i] != v[1][i]) {
			ksft_print_msg("set %d, semaphore %d: native %d, kipc %d\n", id, i, v[0][i],
				       v[1][i]);
			differ("values");
		}
		/* Of a large set the few that are used most. */
		if (i > 3 && i < 64)
			continue;
		for (w = 0; w < 2; w++) {
			pid[w] = who(sem_pid(ipcs[w], id, i), w);
			ncnt[w] = sem_ncnt(ipcs[w], id, i);
			zcnt[w] = sem_zcnt(ipcs[w], id, i);
		}
		if (pid[0] == pid[1] && ncnt[0] == ncnt[1] && zcnt[0] == zcnt[1])
			continue;
		ksft_print_msg("set %d, semaphore %d: native last %d, ncnt %d, zcnt %d; kipc last %d, ncnt %d, zcnt %d\n",
			       id, i, pid[0], ncnt[0], zcnt[0], pid[1], ncnt[1], zcnt[1]);
		differ("last processes or sleepers");
	}
}

static bool same_row(const struct sem_row *a, const struct sem_row *b)
{
	return a->key == b->key && a->id == b->id && a->mode == b->mode && a->nsems == b->nsems &&
	       a->uid == b->uid && a->gid == b->gid && a->cuid == b->cuid && a->cgid == b->cgid &&
	       (!a->otime == !b->otime || !otime_counts(a->id)) && !a->ctime == !b->ctime;
}

static void compare_listings(void)
{
	static struct sem_row n[512], o[512];
	int rows = sem_rows(&ipc_native, n, 512), i;

	if (rows != sem_rows(&ipc_kipc, o, 512))
		differ("numbers of sets");
	for (i = 0; i < rows && i < 512 && !run.failed; i++)
		if (!same_row(&n[i], &o[i]))
			differ("listings");
}

static void count(const struct op *op, int err)
{
	seen->end[op->type][err > 0 && err < ERRNOS ? err : 0]++;
}

/* Both twins of an actor: asleep alike, or with the same answer. */
static void compare_actor(int actor, enum op_type cause)
{
	struct actor *a = &run.actors[actor];
	struct out *out[2] = { &shared[actor][0].out, &shared[actor][1].out };
	const struct op *op = &shared[actor][0].op;
	enum rest rest[2];
	int w;

	for (w = 0; w < 2; w++)
		rest[w] = come_to_rest(actor, w);
	if (rest[0] != rest[1] || rest[0] == DEAD) {
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
		describe_more("; %d woken: %d, %d", actor, out[0]->err, out[1]->err);
		seen->woken[cause][out[0]->err]++;
	} else {
		describe_more(" native %ld errno %d, kipc %ld errno %d", out[0]->ret, out[0]->err,
			      out[1]->ret, out[1]->err);
	}
	a->asleep = false;
	if (op->type == OP_CTL && op->a[2] == GETPID && out[0]->ret > 0) {
		if (who(out[0]->ret, 0) != who(out[1]->ret, 1))
			differ("processes");
	} else if (out[0]->ret != out[1]->ret || out[0]->err != out[1]->err) {
		differ("results");
	}
	if (op->type == OP_CTL) {
		bool times = !out[0]->err && (op->a[2] == IPC_STAT || op->a[2] == SEM_STAT ||
					      op->a[2] == SEM_STAT_ANY);

		if (times ? !same_ds(op->a[2] == IPC_STAT ? op->a[0] : out[0]->ret, &out[0]->ds,
				     &out[1]->ds)
			  : memcmp(&out[0]->ds, &out[1]->ds,
				   sizeof(*out[0]) - offsetof(struct out, ds)))
			differ("structures");
	}
	if (op->type == OP_GET && out[0]->ret >= 0)
		add_set(out[0]->ret);
	if (op->type == OP_SEMOP || op->type == OP_TIMED)
		note_denied(op, out[0]->err);
	if (op->type == OP_LIMIT && !out[0]->err)
		run.tight = true;
	count(op, out[0]->err);
}

/* A limit that was set to little lasts for some steps, or nothing would happen any more. */
static void relax(void)
{
	static const long defaults[SEM_LIMITS] = { 32000, 1024000000, 500, 32000 };
	int w, i;

	if (!run.tight || !chance(4))
		return;
	for (w = 0; w < 2; w++)
		for (i = 0; i < SEM_LIMITS; i++)
			if (sem_limit_set(ipcs[w], i, defaults[i]))
				differ("limits");
	run.tight = false;
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
	/* The dead are dealt with by whoever looks at a set, at the latest. */
	for (i = 0; i < ACTORS; i++)
		if (run.actors[i].pid[0] && run.actors[i].asleep)
			sem_val(&ipc_kipc, shared[i][1].op.a[0], 0);
}

static void step(void)
{
	struct op op;
	int i, w;

	choose(&op);
	history()[0] = '\0';
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
			compare_set(run.ids[i].id);
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
			/* A time-out that ends meanwhile ends in both. */
			if (come_to_rest(op.actor, w) == DONE_IT) {
				uint64_t one = 1;

				if (write(DONE(op.actor, w), &one, sizeof(one)) != sizeof(one))
					abort();
			}
		}
		if (op.type == OP_TIMED && op.timeout.tv_sec == 0) {
			struct pollfd p[2] = { { DONE(op.actor, 0), POLLIN, 0 },
					       { DONE(op.actor, 1), POLLIN, 0 } };

			for (w = 0; w < 2; w++)
				poll(&p[w], 1, 60000);
		}
		compare_actor(op.actor, op.type);
	}
	/* Awake, but perhaps still on its way out of the queue. */
	if (op.type == OP_SIGNAL || op.type == OP_STOP)
		compare_actor(op.actor, op.type);
	for (i = 0; i < run.n_ids && !run.failed; i++)
		if (op.type >= OP_EXIT || run.ids[i].id == op.a[0] || run.step % 8 == 0)
			compare_set(run.ids[i].id);
	for (i = 0; i < ACTORS && !run.failed; i++)
		if (run.actors[i].pid[0] && run.actors[i].asleep && i != op.actor)
			compare_actor(i, op.type);
	if (!run.failed && run.step % 10 == 0)
		compare_listings();
}

/* A run in a process and a namespace of its own.  Return: an exit status. */
static int do_run(unsigned int seed, long steps)
{
	int i, w;

	run.seed = run.first_seed = seed;
	/* One process runs at a time: waking another processor would only cost. */
	stay_on_cpu();
	/* Channels of its own too: nothing of a run that failed is left in them. */
	if (unshare(CLONE_NEWIPC) || set_up() || find_shared() || sem_rows(&ipc_kipc, NULL, 0)) {
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
				spawn(i, rnd(ARRAY_SIZE(users)));
	}
	for (i = 0; i < ACTORS; i++)
		for (w = 0; w < 2; w++)
			if (run.actors[i].pid[w]) {
				kill(run.actors[i].pid[w], SIGKILL);
				waitpid(run.actors[i].pid[w], NULL, 0);
			}
	/* Nobody is left: nobody may wait, and all is undone alike. */
	for (i = 0; i < run.n_ids && !run.failed; i++) {
		compare_set(run.ids[i].id);
		if (sem_ncnt(&ipc_kipc, run.ids[i].id, 0) > 0 || sem_zcnt(&ipc_kipc, run.ids[i].id, 0) > 0)
			differ("sleepers that are nobody");
	}
	if (!run.failed)
		compare_listings();
	return run.failed;
}

/* What must have been met, or the sequences are not worth the time. */
static const struct { enum op_type type; int err; } coverage[] = {
	{ OP_GET, 0 }, { OP_GET, ENOENT }, { OP_GET, EEXIST }, { OP_GET, EINVAL },
	{ OP_GET, ENOSPC }, { OP_GET, EACCES }, { OP_SEMOP, 0 }, { OP_SEMOP, EAGAIN },
	{ OP_SEMOP, ERANGE }, { OP_SEMOP, EFBIG }, { OP_SEMOP, EACCES }, { OP_SEMOP, EINVAL },
	{ OP_SEMOP, E2BIG }, { OP_SEMOP, EINTR }, { OP_SEMOP, EIDRM }, { OP_TIMED, 0 },
	{ OP_TIMED, EAGAIN }, { OP_TIMED, EINVAL }, { OP_CTL, 0 }, { OP_CTL, EINVAL },
	{ OP_CTL, EACCES }, { OP_CTL, EPERM }, { OP_SETVAL, 0 }, { OP_SETVAL, ERANGE },
	{ OP_SETVAL, EACCES }, { OP_SETALL, 0 }, { OP_SETALL, ERANGE }, { OP_SETALL, EACCES },
	{ OP_RMID, 0 }, { OP_RMID, EPERM }, { OP_LIMIT, 0 }, { OP_LIMIT, EACCES },
	{ OP_LIMIT, ERANGE }, { OP_LIMIT, EINVAL }, { OP_FORK, 0 }, { OP_EXEC, 0 }, { OP_EXIT, 0 },
	{ OP_KILL, 0 }, { OP_SIGNAL, 0 }, { OP_STOP, 0 },
};

/* By what sleepers must have been woken, and with which end. */
static const struct { enum op_type type; int err; } woken_by[] = {
	{ OP_SEMOP, 0 }, { OP_TIMED, 0 }, { OP_SEMOP, EAGAIN }, { OP_SETVAL, 0 }, { OP_SETALL, 0 },
	{ OP_KILL, 0 }, { OP_RMID, EIDRM }, { OP_SIGNAL, EINTR }, { OP_STOP, EINTR },
};

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

static bool tell_coverage(void)
{
	bool thin = false;
	unsigned int i;

	for (i = 0; i < OP_TYPES; i++)
		tell(op_names[i], seen->end[i]);
	ksft_print_msg("%u calls slept; woken by\n", seen->slept);
	for (i = 0; i < OP_TYPES; i++)
		tell(op_names[i], seen->woken[i]);
	for (i = 0; i < ARRAY_SIZE(coverage); i++)
		if (!seen->end[coverage[i].type][coverage[i].err]) {
			thin = true;
			ksft_print_msg("never: %s, %s\n", op_names[coverage[i].type],
				       coverage[i].err ? strerrorname_np(coverage[i].err) : "ok");
		}
	for (i = 0; i < ARRAY_SIZE(woken_by); i++)
		if (!seen->woken[woken_by[i].type][woken_by[i].err]) {
			thin = true;
			ksft_print_msg("never woken by %s with %s\n", op_names[woken_by[i].type],
				       woken_by[i].err ? strerrorname_np(woken_by[i].err) : "ok");
		}
	return thin;
}

int main(int argc, char **argv)
{
	const char *env = getenv("KIPC_ORACLE_STEPS");
	long steps = env ? atol(env) : 2000;
	unsigned int seed = 1, runs = 3, i;
	int opt;

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
	if (seen == MAP_FAILED)
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
}

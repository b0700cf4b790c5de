// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle of semaphores: see oracle.h.  Compared are results, errnos, values, who
 * sleeps, who was woken and with what, counts of sleepers, last processes, listings.
 *
 *   sem_oracle [-n STEPS] [-s SEED] [-r RUNS]
 */
#include "oracle.h"

#include <stddef.h>
#include <stdio.h>

#define MOST_SEMS	70		/* of one set: numbers that are equal modulo 64, too */
#define MOST_OPS	6

enum {
	OP_GET = OP_OWN, OP_SEMOP, OP_TIMED, OP_CTL, OP_SETVAL, OP_SETALL, OP_RMID, OP_LIMIT,
};

static const char *const calls[] = {
	"semget", "semop", "semtimedop", "semctl", "SETVAL", "SETALL", "IPC_RMID", "limit",
};

struct sem_call {
	int nsops;
	struct sembuf sops[MOST_OPS];
	struct timespec timeout;
	unsigned short vals[MOST_SEMS];
	struct semid_ds ds;
};
static_assert(sizeof(struct sem_call) <= OP_DATA, "struct op has room for it");

union sem_answer {
	struct semid_ds ds;
	struct seminfo info;
	unsigned short vals[MOST_SEMS + 2];
};
static_assert(sizeof(union sem_answer) <= OP_DATA, "struct out has room for it");

static struct sem_call *call_of(const struct op *op)
{
	return (struct sem_call *)op->data;
}

static union sem_answer *answer_of(const struct out *out)
{
	return (union sem_answer *)out->data;
}

static long call(const struct op *op, const struct ipc *ipc, struct out *out)
{
	const struct sem_call *c = call_of(op);
	union semun u = { .buf = &answer_of(out)->ds };
	long ret;

	switch (op->type) {
	case OP_GET:
		return ipc->semget(op->a[0], op->a[1], op->a[2]);
	case OP_SEMOP:
		return ipc->semop(op->a[0], (struct sembuf *)c->sops, c->nsops);
	case OP_TIMED:
		return ipc->semtimedop(op->a[0], (struct sembuf *)c->sops, c->nsops, &c->timeout);
	case OP_SETVAL:
		u.val = op->a[2];
		return ipc->semctl(op->a[0], op->a[1], SETVAL, u);
	case OP_SETALL:
		return sem_setall(ipc, op->a[0], c->vals);
	case OP_RMID:
		return sem_rmid(ipc, op->a[0]);
	case OP_CTL:
		if (op->a[2] == IPC_SET)
			*u.buf = c->ds;
		return ipc->semctl(op->a[0], op->a[1], op->a[2], u);
	default:
		if (op->a[0] < SEM_LIMITS)
			ret = sem_limit_set(ipc, op->a[0], op->a[1]);
		else
			ret = ipc_limit_set(ipc, "sem_next_id", op->a[1]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : 0;
	}
}

/* ---- What comes next ---- */

static int some_sem(int nsems)
{
	static const int high[] = { 0, 1, 2, 64, 65, 69 };

	if (nsems < 0)
		nsems = 4;
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
	const struct sem_call *slept = call_of(last_op(actor));
	struct sem_call *c = call_of(op);
	int i, n = 1 + rnd(slept->nsops);

	op->a[0] = last_op(actor)->a[0];
	for (i = 0; i < n; i++) {
		const struct sembuf *s = &slept->sops[i];

		c->sops[i] = (struct sembuf){ s->sem_num, s->sem_op < 0 ? -s->sem_op : -1,
					      (chance(30) ? SEM_UNDO : 0) |
					      (s->sem_op < 0 ? 0 : IPC_NOWAIT) };
	}
	c->nsops = n;
}

static void choose_semop(struct op *op, bool may_sleep)
{
	int id, nsems = some_object(&id), i, undo = rnd(3) * 45, sleeper = sleeping();
	struct sem_call *c = call_of(op);

	if (sleeper >= 0 && chance(30)) {
		choose_wake(op, sleeper);
		return;
	}
	op->a[0] = id;
	c->nsops = chance(55) ? 1 : 2 + rnd(chance(80) ? 2 : MOST_OPS - 1);
	for (i = 0; i < c->nsops; i++) {
		struct sembuf *s = &c->sops[i];

		s->sem_num = some_sem(nsems);
		s->sem_op = chance(20) ? 0 : chance(50) ? 1 + rnd(2) : -1 - rnd(2);
		if (chance(2))
			s->sem_op = chance(50) ? SEMVMX - rnd(3) : -SEMVMX + rnd(3);
		else if (chance(1))
			s->sem_op = rnd(65536) - 32768;
		s->sem_flg = (chance(undo) ? SEM_UNDO : 0) | (chance(may_sleep ? 12 : 60) ? IPC_NOWAIT
											   : 0);
	}
	if (op->type == OP_TIMED) {
		c->timeout = (struct timespec){ .tv_nsec = rnd(3) * 1000000 };
		if (may_sleep && chance(50))
			c->timeout.tv_sec = 3600;
		if (chance(4))
			c->timeout.tv_nsec = chance(50) ? -1 : 1000000000;
		op->is_brief = c->timeout.tv_sec == 0;
		return;
	}
	/* Without a time-out and where too many sleep already. */
	for (i = 0; i < c->nsops && !may_sleep; i++)
		c->sops[i].sem_flg |= IPC_NOWAIT;
}

static void choose_ctl(struct op *op)
{
	static const int cmds[] = { GETVAL, GETVAL, GETPID, GETNCNT, GETZCNT, GETALL, GETALL, IPC_STAT,
				    IPC_STAT, IPC_SET, IPC_SET, IPC_SET, SEM_STAT, SEM_STAT_ANY,
				    IPC_INFO, SEM_INFO, 77 };
	static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0666, 0666, 0777, 0666,
				     0666, 0666, 0, 0604, 0622 };
	struct semid_ds *ds = &call_of(op)->ds;
	int id, nsems = some_object(&id);

	op->a[0] = id;
	op->a[1] = some_sem(nsems);
	if (chance(3))
		op->a[1] = -1;
	op->a[2] = cmds[rnd(ARRAY_SIZE(cmds))];
	if (op->a[2] == SEM_STAT || op->a[2] == SEM_STAT_ANY)
		op->a[0] &= chance(80) ? 0xffffff : -1;
	memset(ds, POISON, sizeof(*ds));
	if (op->a[2] == IPC_SET) {
		ds->sem_perm.uid = chance(3) ? -1u : users[rnd(USERS)].uid;
		ds->sem_perm.gid = chance(3) ? -1u : users[rnd(USERS)].gid;
		ds->sem_perm.mode = modes[rnd(ARRAY_SIZE(modes))] | (chance(20) ? 07000 : 0);
	}
}

static void choose(struct op *op, bool may_sleep)
{
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
	int nsems, id, i;

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
		choose_semop(op, may_sleep);
		break;
	case OP_CTL:
		choose_ctl(op);
		break;
	case OP_SETVAL:
		nsems = some_object(&id);
		op->a[0] = id;
		op->a[1] = some_sem(nsems);
		op->a[2] = chance(5) ? SEMVMX + rnd(2) : chance(3) ? -1 : rnd(4);
		break;
	case OP_SETALL:
		some_object(&id);
		op->a[0] = id;
		for (i = 0; i < MOST_SEMS; i++)
			call_of(op)->vals[i] = rnd(3);
		if (chance(10))
			call_of(op)->vals[rnd(3)] = SEMVMX + rnd(2);
		break;
	case OP_RMID:
		some_object(&id);
		op->a[0] = id;
		break;
	case OP_LIMIT:
		/* Mostly by one who may; a tight one is relaxed soon, or nothing happens. */
		if (chance(90))
			op->actor = awake_root(op->actor);
		op->a[0] = rnd(SEM_LIMITS + 1);
		op->a[1] = limits[op->a[0]][chance(40) ? 0 : rnd(4)];
		break;
	}
}

static int describe(const struct op *op, char *text, size_t size)
{
	const struct sem_call *c = call_of(op);
	int n, i;

	n = snprintf(text, size, "%ld, %ld, %ld", op->a[0], op->a[1], op->a[2]);
	for (i = 0; i < c->nsops; i++)
		n += snprintf(text + n, size - n, "%s{%d %+d%s%s}", i ? " " : ": ",
			      c->sops[i].sem_num, c->sops[i].sem_op,
			      c->sops[i].sem_flg & IPC_NOWAIT ? " nowait" : "",
			      c->sops[i].sem_flg & SEM_UNDO ? " undo" : "");
	if (op->type == OP_TIMED)
		n += snprintf(text + n, size - n, " within %ld.%09ld", (long)c->timeout.tv_sec,
			      c->timeout.tv_nsec);
	return n;
}

/* ---- What there is to be seen ---- */

/*
 * Who asks for SEM_UNDO and may not, or of a semaphore that there is not, natively sets
 * sem_otime when he ends.  There kipc differs, and says so: Documentation/differences.rst.
 */
static int denied[64], n_denied;

static bool otime_counts(int id)
{
	int i;

	for (i = 0; i < n_denied; i++)
		if (denied[i] == id)
			return false;
	return true;
}

static void note_denied(const struct op *op, int err)
{
	const struct sem_call *c = call_of(op);
	int i;

	if ((err != EACCES && err != EFBIG) || !otime_counts(op->a[0]))
		return;
	for (i = 0; i < c->nsops; i++)
		if (c->sops[i].sem_flg & SEM_UNDO) {
			denied[n_denied++ % ARRAY_SIZE(denied)] = op->a[0];
			break;
		}
	if (n_denied > (int)ARRAY_SIZE(denied))
		n_denied = ARRAY_SIZE(denied);
}

static bool same_ds(int id, const struct semid_ds *a, const struct semid_ds *b)
{
	return !memcmp(&a->sem_perm, &b->sem_perm, sizeof(a->sem_perm)) &&
	       a->sem_nsems == b->sem_nsems &&
	       (!a->sem_otime == !b->sem_otime || !otime_counts(id)) &&
	       !a->sem_ctime == !b->sem_ctime;
}

static void compare_values(int id, int nsems)
{
	static unsigned short v[2][40000];
	int w, i;

	for (w = 0; w < 2; w++)
		if (sem_getall(ipcs[w], id, v[w]))
			differ("sets");
	for (i = 0; i < nsems; i++) {
		int pid[2], ncnt[2], zcnt[2];

		if (v[0][i] != v[1][i]) {
			ksft_print_msg("set %d, semaphore %d: native %d, kipc %d\n", id, i, v[0][i],
				       v[1][i]);
			differ("values");
			return;
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
		return;
	}
}

static bool compare_object(int id)
{
	struct semid_ds ds[2];
	int ret[2], err[2], w;

	for (w = 0; w < 2; w++) {
		ret[w] = sem_stat(ipcs[w], id, &ds[w]);
		err[w] = ret[w] ? errno : 0;
	}
	if (ret[0] != ret[1] || err[0] != err[1])
		differ("lives of a set");
	if (ret[0] || ret[1])
		return false;
	if (!same_ds(id, &ds[0], &ds[1])) {
		ksft_print_msg("set %d: native mode %o nsems %lu otime %ld ctime %ld\n", id,
			       ds[0].sem_perm.mode, ds[0].sem_nsems, ds[0].sem_otime, ds[0].sem_ctime);
		ksft_print_msg("set %d: kipc   mode %o nsems %lu otime %ld ctime %ld\n", id,
			       ds[1].sem_perm.mode, ds[1].sem_nsems, ds[1].sem_otime, ds[1].sem_ctime);
		differ("structures");
		return true;
	}
	compare_values(id, ds[0].sem_nsems);
	return true;
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

	if (rows != sem_rows(&ipc_kipc, o, 512)) {
		differ("numbers of sets");
		return;
	}
	for (i = 0; i < rows && i < 512; i++)
		if (!same_row(&n[i], &o[i])) {
			differ("listings");
			return;
		}
}

static bool is_pid(const struct op *op)
{
	return op->type == OP_CTL && op->a[2] == GETPID;
}

static void compare(const struct op *op, const struct out *native, const struct out *kipc)
{
	const union sem_answer *n = answer_of(native), *k = answer_of(kipc);
	struct semid_ds ds;

	switch (op->type) {
	case OP_CTL: {
		bool times = !native->err && (op->a[2] == IPC_STAT || op->a[2] == SEM_STAT ||
					      op->a[2] == SEM_STAT_ANY);

		if (times ? !same_ds(op->a[2] == IPC_STAT ? op->a[0] : native->ret, &n->ds, &k->ds)
			  : memcmp(n, k, sizeof(*n)))
			differ("structures");
		break;
	}
	case OP_GET:
		if (native->ret >= 0 && !sem_stat(&ipc_native, native->ret, &ds))
			remember(native->ret, ds.sem_nsems);
		break;
	case OP_SEMOP:
	case OP_TIMED:
		note_denied(op, native->err);
		break;
	case OP_LIMIT:
		if (!native->err)
			limits_are_tight();
		break;
	}
}

static int relax(const struct ipc *ipc)
{
	static const long defaults[SEM_LIMITS] = { 32000, 1024000000, 500, 32000 };
	int i;

	for (i = 0; i < SEM_LIMITS; i++)
		if (sem_limit_set(ipc, i, defaults[i]))
			return -1;
	return 0;
}

/* The dead are dealt with by whoever looks at a set, at the latest. */
static void after_death(const struct op *op)
{
	sem_val(&ipc_kipc, op->a[0], 0);
}

static const struct weight weights[] = {
	{ OP_GET, 22 }, { OP_SEMOP, 110 }, { OP_TIMED, 20 }, { OP_CTL, 24 }, { OP_SETVAL, 8 },
	{ OP_SETALL, 4 }, { OP_RMID, 3 }, { OP_LIMIT, 9 }, { OP_FORK, 6 }, { OP_EXEC, 2 },
	{ OP_EXIT, 3 }, { OP_KILL, 5 }, { OP_SIGNAL, 2 }, { OP_STOP, 1 },
};

/* What must have been met, or the sequences are not worth the time. */
static const struct ending coverage[] = {
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

static const struct ending woken_by[] = {
	{ OP_SEMOP, 0 }, { OP_TIMED, 0 }, { OP_SEMOP, EAGAIN }, { OP_SETVAL, 0 }, { OP_SETALL, 0 },
	{ OP_KILL, 0 }, { OP_RMID, EIDRM }, { OP_SIGNAL, EINTR }, { OP_STOP, EINTR },
};

static const struct oracle sem = {
	.name = "sem_oracle",
	.calls = calls, .n_calls = ARRAY_SIZE(calls),
	.weights = weights, .n_weights = ARRAY_SIZE(weights),
	.coverage = coverage, .n_coverage = ARRAY_SIZE(coverage),
	.woken_by = woken_by, .n_woken_by = ARRAY_SIZE(woken_by),
	.steps = 2000,
	.call = call,
	.choose = choose,
	.describe = describe,
	.compare = compare,
	.is_pid = is_pid,
	.compare_object = compare_object,
	.compare_listings = compare_listings,
	.relax = relax,
	.after_death = after_death,
};

int main(int argc, char **argv)
{
	return oracle_main(&sem, argc, argv);
}

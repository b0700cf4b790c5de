// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphores, for the oracle: see oracle.h.  Compared are results, errnos, values, who
 * sleeps, who was woken and with what, counts of sleepers, last processes, structures,
 * listings.
 *
 * Not tried: pointers of semop that cannot be read, whose signal is a wanted difference
 * (Documentation/differences.rst).  Not compared: sem_otime of a set where SEM_UNDO was
 * refused, for the same reason.  Not met without another process in the middle of the same
 * call: EIDRM of semctl.
 */
#include "oracle.h"

#define MOST_SEMS	70		/* of one set: numbers that are equal modulo 64, too */
#define MOST_OPS	6
#define KEYS		5
#define OBJECTS		5

enum {
	OP_GET = OPS_OF_SEM, OP_SEMOP, OP_TIMED, OP_GETVAL, OP_GETPID, OP_GETNCNT, OP_GETZCNT,
	OP_GETALL, OP_SETVAL, OP_SETALL, OP_STAT, OP_SET, OP_RMID, OP_SEM_STAT, OP_STAT_ANY,
	OP_INFO, OP_SEM_INFO, OP_NO_CMD, OP_LIMIT, OPS_END,
};
static_assert((int)OPS_END <= (int)OPS_OF_MSG, "calls have numbers of their own");

static const struct call_info calls[] = {
	{ "semget", 22, .errnos = ERRNOS(ENOENT, EEXIST, EINVAL, ENOSPC, EACCES),
	  .flags = FLAGS("IPC_CREAT", "IPC_EXCL", "IPC_PRIVATE") },
	{ "semop", 110,
	  .errnos = ERRNOS(EAGAIN, ERANGE, EFBIG, EACCES, EINVAL, E2BIG, EINTR, EIDRM),
	  .flags = FLAGS("IPC_NOWAIT", "SEM_UNDO", "several", "zero"), .sleeps = true },
	{ "semtimedop", 32,
	  .errnos = ERRNOS(EAGAIN, ERANGE, EFBIG, EACCES, EINVAL, E2BIG, EINTR, EIDRM),
	  .flags = FLAGS("IPC_NOWAIT", "SEM_UNDO", "several", "zero"), .sleeps = true },
	{ "GETVAL", 3, GETVAL, .errnos = ERRNOS(EINVAL, EACCES) },
	{ "GETPID", 3, GETPID, .errnos = ERRNOS(EINVAL, EACCES) },
	{ "GETNCNT", 3, GETNCNT, .errnos = ERRNOS(EINVAL, EACCES) },
	{ "GETZCNT", 3, GETZCNT, .errnos = ERRNOS(EINVAL, EACCES) },
	{ "GETALL", 4, GETALL, .errnos = ERRNOS(EINVAL, EACCES, EFAULT) },
	{ "SETVAL", 8, SETVAL, .errnos = ERRNOS(EINVAL, EACCES, ERANGE) },
	{ "SETALL", 5, SETALL, .errnos = ERRNOS(EINVAL, EACCES, ERANGE, EFAULT) },
	{ "IPC_STAT", 4, IPC_STAT, .errnos = ERRNOS(EINVAL, EACCES, EFAULT) },
	{ "IPC_SET", 6, IPC_SET, .errnos = ERRNOS(EINVAL, EPERM, EFAULT) },
	{ "IPC_RMID", 3, IPC_RMID, .errnos = ERRNOS(EINVAL, EPERM) },
	{ "SEM_STAT", 3, SEM_STAT, .errnos = ERRNOS(EINVAL, EACCES, EFAULT) },
	{ "SEM_STAT_ANY", 2, SEM_STAT_ANY, .errnos = ERRNOS(EINVAL, EFAULT) },
	{ "IPC_INFO", 2, IPC_INFO, .errnos = ERRNOS(EFAULT) },
	{ "SEM_INFO", 2, SEM_INFO, .errnos = ERRNOS(EFAULT) },
	{ "semctl(none)", 1, 77, .errnos = ERRNOS(EINVAL), .fails = true },
	{ "sem limit", 8, .errnos = ERRNOS(EACCES, ERANGE, EINVAL) },
};

static const struct wake wakes[] = {
	{ OP_SEMOP, OP_SEMOP, 0 }, { OP_SEMOP, OP_TIMED, 0 }, { OP_SEMOP, OP_SEMOP, EAGAIN },
	{ OP_TIMED, OP_SEMOP, 0 }, { OP_TIMED, OP_TIMED, 0 }, { OP_SETVAL, OP_SEMOP, 0 },
	{ OP_SETALL, OP_SEMOP, 0 }, { OP_KILL, OP_SEMOP, 0 }, { OP_EXIT, OP_SEMOP, 0 },
	{ OP_RMID, OP_SEMOP, EIDRM }, { OP_RMID, OP_TIMED, EIDRM }, { OP_SIGNAL, OP_SEMOP, EINTR },
	{ OP_SIGNAL, OP_TIMED, EINTR }, { OP_STOP, OP_SEMOP, EINTR }, { OP_STOP, OP_TIMED, EINTR },
};

struct sem_call {
	bool is_nowhere;	/* the address is none */
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
static_assert(sizeof(union sem_answer) <= OUT_DATA, "struct out has room for it");

static struct sem_call *call_of(const struct op *op)
{
	return (struct sem_call *)op->data;
}

static union sem_answer *answer_of(const struct out *out)
{
	return (union sem_answer *)out->data;
}

static int command(const struct op *op)
{
	return calls[op->type - OPS_OF_SEM].number;
}

static const char *const limits[] = { "SEMMSL", "SEMMNS", "SEMOPM", "SEMMNI", "sem_next_id" };

static long call(const struct op *op, const struct ipc *ipc, struct out *out)
{
	struct sem_call *c = call_of(op);
	union semun u = { .buf = &answer_of(out)->ds };
	long ret;

	switch (op->type) {
	case OP_GET:
		return ipc->semget(op->a[0], op->a[1], op->a[2]);
	case OP_SEMOP:
		return ipc->semop(op->a[0], c->sops, c->nsops);
	case OP_TIMED:
		return ipc->semtimedop(op->a[0], c->sops, c->nsops, &c->timeout);
	case OP_LIMIT:
		if (op->a[0] < SEM_LIMITS)
			ret = sem_limit_set(ipc, op->a[0], op->a[1]);
		else
			ret = ipc_limit_set(ipc, limits[op->a[0]], op->a[1]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : 0;
	case OP_SETVAL:
		u.val = op->a[2];
		break;
	case OP_SETALL:
		u.array = c->vals;
		break;
	case OP_SET:
		*u.buf = c->ds;
		break;
	}
	if (c->is_nowhere)
		u.buf = NULL;
	return ipc->semctl(op->a[0], op->a[1], command(op), u);
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
static void choose_wake(struct op *op, const struct op *slept)
{
	const struct sem_call *s = call_of(slept);
	struct sem_call *c = call_of(op);
	int i, n = 1 + rnd(s->nsops);

	same_object(op, slept);
	for (i = 0; i < n; i++)
		c->sops[i] = (struct sembuf){ s->sops[i].sem_num,
					      s->sops[i].sem_op < 0 ? -s->sops[i].sem_op : -1,
					      (chance(30) ? SEM_UNDO : 0) |
					      (s->sops[i].sem_op < 0 ? 0 : IPC_NOWAIT) };
	c->nsops = n;
}

static void choose_sops(struct op *op, bool may_sleep)
{
	int nsems = some_object(op), i, undo = rnd(3) * 45;
	struct sem_call *c = call_of(op);

	c->nsops = chance(55) ? 1 : 2 + rnd(chance(80) ? 2 : MOST_OPS - 1);
	for (i = 0; i < c->nsops; i++) {
		struct sembuf *s = &c->sops[i];

		s->sem_num = some_sem(nsems);
		s->sem_op = chance(20) ? 0 : chance(50) ? 1 + rnd(2) : -1 - rnd(2);
		if (chance(2))
			s->sem_op = chance(50) ? SEMVMX - rnd(3) : -SEMVMX + rnd(3);
		else if (chance(1))
			s->sem_op = rnd(65536) - 32768;
		s->sem_flg = (chance(undo) ? SEM_UNDO : 0) |
			     (chance(may_sleep ? 12 : 60) ? IPC_NOWAIT : 0);
	}
}

static void choose_semop(struct op *op, bool may_sleep)
{
	const struct op *slept = some_sleep(OP_SEMOP, OP_TIMED);
	struct sem_call *c = call_of(op);
	int i;

	if (slept && chance(30))
		choose_wake(op, slept);
	else
		choose_sops(op, may_sleep);
	if (op->type == OP_TIMED) {
		c->timeout = (struct timespec){ .tv_nsec = rnd(3) * 1000000 };
		if (may_sleep && chance(75))
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

static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0666, 0666, 0777, 0666, 0666, 0666,
			     0, 0622, 0604 };

static void choose_ctl(struct op *op)
{
	struct sem_call *c = call_of(op);
	const struct op *slept = some_sleep(OP_SEMOP, OP_TIMED);
	int nsems = some_object(op), i;

	op->a[1] = chance(3) ? -1 : some_sem(nsems);
	switch (op->type) {
	case OP_SEM_STAT:
	case OP_STAT_ANY:
		op->is_index = op->object != NOTHING && chance(70);
		op->a[0] &= op->is_index ? 0xffffff : -1;
		break;
	case OP_SETVAL:
		/* Where somebody waits. */
		if (slept && chance(30)) {
			same_object(op, slept);
			op->a[1] = call_of(slept)->sops[0].sem_num;
		}
		op->a[2] = chance(5) ? SEMVMX + rnd(2) : chance(3) ? -1 : rnd(4);
		return;
	case OP_SETALL:
		for (i = 0; i < MOST_SEMS; i++)
			c->vals[i] = rnd(3);
		if (chance(20))
			c->vals[rnd(3)] = SEMVMX + rnd(2);
		break;
	case OP_SET:
		c->ds.sem_perm.uid = chance(3) ? -1u : users[rnd(USERS)].uid;
		c->ds.sem_perm.gid = chance(3) ? -1u : users[rnd(USERS)].gid;
		c->ds.sem_perm.mode = modes[rnd(ARRAY_SIZE(modes))] | (chance(20) ? 07000 : 0);
		by_root(op, 40);
		break;
	case OP_RMID:
		by_root(op, 40);
		return;
	case OP_GETVAL:
	case OP_GETPID:
	case OP_GETNCNT:
	case OP_GETZCNT:
		return;
	}
	c->is_nowhere = chance(10);
}

static void choose(struct op *op, bool may_sleep)
{
	static const int sizes[] = { 1, 2, 3, 4, 4, 4, MOST_SEMS, 0, -1, 32001 };
	static const long values[ARRAY_SIZE(limits)][4] = {
		{ 32000, 3, 100, 0 },
		{ 1024000000, 12, 80, 0 },
		{ 500, 1, 2, 3 },
		{ 32000, 1, 3, (1 << 24) + 1 },
		{ 10, -2, (1 << 24) + 4, -2 },
	};

	switch (op->type) {
	case OP_GET:
		op->a[0] = rnd(KEYS);
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
	case OP_LIMIT:
		/* Mostly by one who may; a tight one is relaxed soon, or nothing happens. */
		by_root(op, 90);
		op->a[0] = rnd(ARRAY_SIZE(limits));
		op->a[1] = values[op->a[0]][chance(40) ? 0 : rnd(4)];
		break;
	default:
		choose_ctl(op);
	}
}

static unsigned int flags(const struct op *op, const struct out *out)
{
	const struct sem_call *c = call_of(op);
	unsigned int seen = 0;
	int i;

	(void)out;
	if (op->type == OP_GET)
		return FLAG(0, op->a[2] & IPC_CREAT) | FLAG(1, op->a[2] & IPC_EXCL) |
		       FLAG(2, !op->a[0]);
	for (i = 0; i < c->nsops; i++)
		seen |= FLAG(0, c->sops[i].sem_flg & IPC_NOWAIT) |
			FLAG(1, c->sops[i].sem_flg & SEM_UNDO) | FLAG(2, c->nsops > 1) |
			FLAG(3, !c->sops[i].sem_op);
	return seen;
}

static int describe(const struct op *op, char *text, size_t size)
{
	const struct sem_call *c = call_of(op);
	const char *object = object_name(op);
	int n, i;

	switch (op->type) {
	case OP_GET:
		return snprintf(text, size, "key %ld, %ld, flags %#lo", op->a[0], op->a[1],
				op->a[2]);
	case OP_LIMIT:
		return snprintf(text, size, "%s, %ld", limits[op->a[0]], op->a[1]);
	case OP_SEMOP:
	case OP_TIMED:
		n = snprintf(text, size, "%s", object);
		for (i = 0; i < c->nsops; i++)
			n += snprintf(text + n, size - n, ", {%d %+d%s%s}", c->sops[i].sem_num,
				      c->sops[i].sem_op,
				      c->sops[i].sem_flg & IPC_NOWAIT ? " nowait" : "",
				      c->sops[i].sem_flg & SEM_UNDO ? " undo" : "");
		if (op->type == OP_TIMED)
			n += snprintf(text + n, size - n, ", within %ld.%09ld",
				      (long)c->timeout.tv_sec, c->timeout.tv_nsec);
		return n;
	case OP_SET:
		return snprintf(text, size, "%s, owner %u.%u mode %o%s", object, c->ds.sem_perm.uid,
				c->ds.sem_perm.gid, c->ds.sem_perm.mode,
				c->is_nowhere ? ", nowhere" : "");
	case OP_SETVAL:
		return snprintf(text, size, "%s, %ld, %ld", object, op->a[1], op->a[2]);
	case OP_SETALL:
		return snprintf(text, size, "%s, %d %d %d %d…%s", object, c->vals[0], c->vals[1],
				c->vals[2], c->vals[3], c->is_nowhere ? ", nowhere" : "");
	default:
		return snprintf(text, size, "%s, %ld%s", object, op->a[1],
				c->is_nowhere ? ", nowhere" : "");
	}
}

/* ---- What there is to be seen ---- */

/*
 * Who asks for SEM_UNDO and may not, or of a semaphore that there is not, natively sets
 * sem_otime when he ends.
 */
static int denied[64], n_denied;

static bool otime_counts(int id)
{
	int i;

	for (i = 0; i < n_denied && i < (int)ARRAY_SIZE(denied); i++)
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
}

static bool same_ds(int id, const struct semid_ds *n, const struct semid_ds *k)
{
	return !memcmp(&n->sem_perm, &k->sem_perm, sizeof(n->sem_perm)) &&
	       n->sem_nsems == k->sem_nsems &&
	       (!n->sem_otime == !k->sem_otime || !otime_counts(id)) &&
	       !n->sem_ctime == !k->sem_ctime;
}

static void differ_ds(int id, const struct semid_ds *ds)
{
	char text[2][120];
	int w;

	for (w = 0; w < 2; w++)
		snprintf(text[w], sizeof(text[w]), "mode %o owner %u.%u semaphores %lu times %d%d",
			 ds[w].sem_perm.mode, ds[w].sem_perm.uid, ds[w].sem_perm.gid,
			 ds[w].sem_nsems, !!ds[w].sem_otime, !!ds[w].sem_ctime);
	differ("structures", "set %d: native %s; kipc %s", id, text[0], text[1]);
}

static void compare_values(int id, int nsems)
{
	static unsigned short v[2][40000];
	int w, i;

	for (w = 0; w < 2; w++)
		if (sem_getall(ipcs[w], id, v[w]))
			differ("sets", "GETALL of %d: errno %d", id, errno);
	for (i = 0; i < nsems; i++) {
		int pid[2], ncnt[2], zcnt[2];

		if (v[0][i] != v[1][i]) {
			differ("values", "set %d, semaphore %d: native %d, kipc %d", id, i, v[0][i],
			       v[1][i]);
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
		differ("last processes or sleepers",
		       "set %d, semaphore %d: native last %d, ncnt %d, zcnt %d; kipc last %d, ncnt %d, zcnt %d",
		       id, i, pid[0] - 1, ncnt[0], zcnt[0], pid[1] - 1, ncnt[1], zcnt[1]);
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
		differ("lives of a set", "%d: native errno %d, kipc errno %d", id, err[0], err[1]);
	if (ret[0] || ret[1])
		return false;
	if (!same_ds(id, &ds[0], &ds[1]))
		differ_ds(id, ds);
	else
		compare_values(id, ds[0].sem_nsems);
	return true;
}

static bool same_row(const struct sem_row *n, const struct sem_row *k)
{
	return n->key == k->key && n->id == k->id && n->mode == k->mode && n->nsems == k->nsems &&
	       n->uid == k->uid && n->gid == k->gid && n->cuid == k->cuid && n->cgid == k->cgid &&
	       (!n->otime == !k->otime || !otime_counts(n->id)) && !n->ctime == !k->ctime;
}

#define MOST_ROWS	512

static void compare_listings(void)
{
	static struct sem_row rows[2][MOST_ROWS];
	int n[2], w, i;

	for (w = 0; w < 2; w++)
		n[w] = sem_rows(ipcs[w], rows[w], MOST_ROWS);
	if (n[0] != n[1]) {
		differ("listings", "native %d sets, kipc %d", n[0], n[1]);
		return;
	}
	for (i = 0; i < n[0] && i < MOST_ROWS; i++)
		if (!same_row(&rows[0][i], &rows[1][i])) {
			differ("listings", "of set %d and %d", rows[0][i].id, rows[1][i].id);
			return;
		}
}

static bool is_pid(const struct op *op)
{
	return op->type == OP_GETPID;
}

static void compare(const struct op *op, const struct out *native, const struct out *kipc)
{
	const union sem_answer *n = answer_of(native), *k = answer_of(kipc);
	struct semid_ds ds;

	switch (op->type) {
	case OP_GET:
		if (native->ret >= 0 && !sem_stat(&ipc_native, native->ret, &ds))
			remember(op, native->ret, ds.sem_nsems);
		return;
	case OP_SEMOP:
	case OP_TIMED:
		note_denied(op, native->err);
		return;
	case OP_LIMIT:
		if (!native->err)
			limits_are_tight();
		return;
	case OP_STAT:
	case OP_SEM_STAT:
	case OP_STAT_ANY:
		if (native->err)
			break;
		if (!same_ds(op->type == OP_STAT ? op->a[0] : native->ret, &n->ds, &k->ds))
			differ_ds(op->a[0], (struct semid_ds[]){ n->ds, k->ds });
		return;
	}
	if (memcmp(n, k, sizeof(*n)))
		differ("structures", "of %s", calls[op->type - OPS_OF_SEM].name);
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

const struct kind sem_kind = {
	.name = "sem",
	.base = OPS_OF_SEM,
	.calls = calls, .n_calls = ARRAY_SIZE(calls),
	.wakes = wakes, .n_wakes = ARRAY_SIZE(wakes),
	.listed = 10,
	.objects = OBJECTS,
	.call = call,
	.choose = choose,
	.flags = flags,
	.describe = describe,
	.compare = compare,
	.is_pid = is_pid,
	.compare_object = compare_object,
	.compare_listings = compare_listings,
	.relax = relax,
	.after_death = after_death,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * Message queues, for the oracle: see oracle.h.  Compared are results, errnos, the messages
 * received, what is queued and in which order, who sleeps, who was woken and with what,
 * last processes, counts, listings.
 *
 * Native leaves to chance, and so is not tried: which of several senders uses the room
 * that there is for one, hence one sleeps on a queue at a time; in which order sleepers
 * that IPC_SET has woken come back, hence one sleeps when it is called.  A receiver's
 * buffer is good: else native loses the message (Documentation/differences.rst).  Not met
 * without another process in the middle of the same call: EIDRM of msgctl.
 */
#include "oracle.h"

#include <limits.h>

#define NW		IPC_NOWAIT
#define BUFFER		9200
#define QBYTES		400		/* of a queue to begin with: it is soon full */
#define LOOKED_AT	30		/* messages of a queue that are compared */
#define KEYS		5
#define OBJECTS		5

enum {
	OP_GET = OPS_OF_MSG, OP_SEND, OP_RECEIVE, OP_COPY, OP_STAT, OP_SET, OP_RMID, OP_MSG_STAT,
	OP_STAT_ANY, OP_INFO, OP_MSG_INFO, OP_NO_CMD, OP_LIMIT, OPS_END,
};
static_assert((int)OPS_END <= (int)OP_TYPES, "calls have numbers of their own");

static const struct call_info calls[] = {
	{ "msgget", 18, .errnos = ERRNOS(ENOENT, EEXIST, ENOSPC, EACCES),
	  .flags = FLAGS("IPC_CREAT", "IPC_EXCL", "IPC_PRIVATE") },
	{ "msgsnd", 85, .errnos = ERRNOS(EAGAIN, EACCES, EINVAL, EFAULT, EINTR, EIDRM),
	  .flags = FLAGS("IPC_NOWAIT", "no text"), .sleeps = true },
	{ "msgrcv", 75, .errnos = ERRNOS(ENOMSG, E2BIG, EACCES, EINVAL, EINTR, EIDRM),
	  .flags = FLAGS("IPC_NOWAIT", "MSG_NOERROR", "MSG_EXCEPT", "any type", "a type",
			 "up to a type", "truncated"), .sleeps = true },
	{ "MSG_COPY", 12, .errnos = ERRNOS(ENOMSG, E2BIG, EINVAL, EFAULT, EACCES),
	  .flags = FLAGS("MSG_NOERROR", "not the first") },
	{ "IPC_STAT", 4, IPC_STAT, .errnos = ERRNOS(EINVAL, EACCES, EFAULT) },
	{ "IPC_SET", 13, IPC_SET, .errnos = ERRNOS(EINVAL, EPERM, EFAULT) },
	{ "IPC_RMID", 3, IPC_RMID, .errnos = ERRNOS(EINVAL, EPERM) },
	{ "MSG_STAT", 3, MSG_STAT, .errnos = ERRNOS(EINVAL, EACCES, EFAULT) },
	{ "MSG_STAT_ANY", 2, MSG_STAT_ANY, .errnos = ERRNOS(EINVAL, EFAULT) },
	{ "IPC_INFO", 2, IPC_INFO, .errnos = ERRNOS(EFAULT) },
	{ "MSG_INFO", 2, MSG_INFO, .errnos = ERRNOS(EFAULT) },
	{ "msgctl(none)", 1, 77, .errnos = ERRNOS(EINVAL), .fails = true },
	{ "msg limit", 8, .errnos = ERRNOS(EACCES, EINVAL) },
};

/* A receiver's success is counted as such whatever its bytes are. */
static const struct wake wakes[] = {
	{ OP_SEND, OP_RECEIVE, 0 }, { OP_SEND, OP_RECEIVE, E2BIG }, { OP_RECEIVE, OP_SEND, 0 },
	{ OP_SET, OP_SEND, 0 }, { OP_SET, OP_SEND, EACCES }, { OP_SET, OP_RECEIVE, EACCES },
	{ OP_RMID, OP_SEND, EIDRM }, { OP_RMID, OP_RECEIVE, EIDRM }, { OP_SIGNAL, OP_SEND, EINTR },
	{ OP_SIGNAL, OP_RECEIVE, EINTR },
};

/* a[] of a call: id, size or room, type, flags. */
struct msg_call {
	unsigned char fill;	/* the text begins with it */
	bool is_nowhere;	/* the address is none */
	struct msqid_ds ds;
};
static_assert(sizeof(struct msg_call) <= OP_DATA, "struct op has room for it");

struct msg_answer {
	union {
		struct msqid_ds ds;
		struct msginfo info;
	};
	long type;		/* of what was received */
	unsigned int sum;
};
static_assert(sizeof(struct msg_answer) <= OUT_DATA, "struct out has room for it");

static struct msg_call *call_of(const struct op *op)
{
	return (struct msg_call *)op->data;
}

static struct msg_answer *answer_of(const struct out *out)
{
	return (struct msg_answer *)out->data;
}

static int command(const struct op *op)
{
	return calls[op->type - OPS_OF_MSG].number;
}

static const char *const limits[] = { "msgmax", "msgmnb", "msgmni", "msg_next_id" };

static struct { long type; unsigned char text[BUFFER]; } message;

static unsigned int sum_of(size_t size)
{
	unsigned int sum = 1;
	size_t i;

	for (i = 0; i < size; i++)
		sum = sum * 31 + message.text[i];
	return sum;
}

/* Whether nothing was written from there on. */
static bool is_poison(size_t from)
{
	return from == BUFFER ||
	       (message.text[from] == POISON &&
		!memcmp(message.text + from, message.text + from + 1, BUFFER - from - 1));
}

static long send(const struct op *op, const struct ipc *ipc)
{
	const struct msg_call *c = call_of(op);
	long i;

	message.type = op->a[2];
	for (i = 0; i < op->a[1] && i < BUFFER; i++)
		message.text[i] = c->fill + i * 3;
	return ipc->msgsnd(op->a[0], c->is_nowhere ? NULL : &message, op->a[1], op->a[3]);
}

static long receive(const struct op *op, const struct ipc *ipc, struct msg_answer *answer)
{
	long ret;
	int err;

	memset(&message, POISON, sizeof(message));
	ret = ipc->msgrcv(op->a[0], call_of(op)->is_nowhere ? NULL : &message, op->a[1], op->a[2],
			  op->a[3]);
	err = errno;
	answer->type = message.type;
	/* Of all bytes that were written, or, if others were than should be, of the whole. */
	answer->sum = sum_of(is_poison(ret > 0 ? ret : 0) ? (ret > 0 ? ret : 0) : BUFFER);
	errno = err;
	return ret;
}

static long call(const struct op *op, const struct ipc *ipc, struct out *out)
{
	struct msg_answer *answer = answer_of(out);
	long ret;

	switch (op->type) {
	case OP_GET:
		return ipc->msgget(op->a[0], op->a[1]);
	case OP_SEND:
		return send(op, ipc);
	case OP_RECEIVE:
	case OP_COPY:
		return receive(op, ipc, answer);
	case OP_LIMIT:
		ret = ipc_limit_set(ipc, limits[op->a[0]], op->a[1]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : 0;
	case OP_SET:
		answer->ds = call_of(op)->ds;
		break;
	}
	return ipc->msgctl(op->a[0], command(op), call_of(op)->is_nowhere ? NULL : &answer->ds);
}

/* ---- What comes next ---- */

/* How many sleep on a queue, to send or to receive. */
static int sleepers(int id, int type)
{
	int i, n = 0;

	for (i = 0; i < ACTORS; i++)
		n += actors[i].pid[0] && actors[i].asleep && actors[i].op.type == type &&
		     actors[i].op.a[0] == id;
	return n;
}

static bool is_fit(const struct op *op)
{
	int receive = sleepers(op->a[0], OP_RECEIVE), send = sleepers(op->a[0], OP_SEND);

	if (op->type == OP_SEND)
		return !send || op->a[3] & NW;
	return op->type != OP_SET || (receive <= 1 && !(receive && send));
}

static long some_type(void)
{
	return chance(3) ? LONG_MAX - rnd(2) : chance(2) ? 1l << 32 | 3 : 1 + rnd(6);
}

static void choose_send(struct op *op, bool may_sleep)
{
	const struct op *slept = some_sleep(OP_RECEIVE, OP_RECEIVE);

	some_object(op);
	op->a[1] = chance(4) ? rnd(9000) : chance(15) ? 0 : rnd(90);
	op->a[2] = chance(3) ? -rnd(3) : some_type();
	op->a[3] = chance(may_sleep ? 20 : 100) ? NW : 0;
	call_of(op)->fill = rnd(256);
	call_of(op)->is_nowhere = chance(1);
	/* What some sleeper waits for. */
	if (slept && chance(25)) {
		long type = slept->a[2];

		same_object(op, slept);
		if (slept->a[3] & MSG_EXCEPT && type > 0)
			type++;
		op->a[2] = type > 0 ? type : type < 0 ? 1 : some_type();
	}
	if (sleepers(op->a[0], OP_SEND))
		op->a[3] |= NW;
	if (chance(3))
		op->a[3] |= MSG_NOERROR | MSG_EXCEPT;
	if (chance(1))
		op->a[1] = chance(50) ? 8193 : -1;
}

/* Mostly one with messages in it.  Return: how many. */
static int some_full_object(struct op *op)
{
	int tries = 3, n;

	do
		some_object(op);
	while ((n = msg_qnum(&ipc_native, op->a[0])) <= 0 && --tries);
	return n;
}

static void choose_receive(struct op *op, bool may_sleep)
{
	const struct op *slept = some_sleep(OP_SEND, OP_SEND);

	if (may_sleep && chance(60))
		some_object(op);
	else
		some_full_object(op);
	op->a[1] = chance(75) ? BUFFER : rnd(100);
	op->a[2] = chance(35) ? 0 : chance(60) ? some_type() : -some_type();
	if (chance(1))
		op->a[2] = LONG_MIN;
	op->a[3] = (chance(may_sleep ? 45 : 100) ? NW : 0) | (chance(25) ? MSG_NOERROR : 0) |
		   (chance(25) ? MSG_EXCEPT : 0);
	/* Where somebody waits for room. */
	if (slept && chance(25)) {
		same_object(op, slept);
		op->a[1] = BUFFER;
		op->a[2] = 0;
	}
	if (chance(1))
		op->a[1] = -1;
}

static void choose_copy(struct op *op)
{
	int n = some_full_object(op);

	op->a[1] = chance(75) ? BUFFER - 100 : rnd(100);
	op->a[2] = chance(4) ? -1 : rnd(n > 0 && chance(85) ? n : 8);
	op->a[3] = MSG_COPY | (chance(96) ? NW : 0) | (chance(20) ? MSG_NOERROR : 0) |
		   (chance(4) ? MSG_EXCEPT : 0);
	call_of(op)->is_nowhere = chance(3);
}

static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0666, 0666, 0777, 0666, 0666, 0666,
			     0, 0604, 0622 };

static void choose_ctl(struct op *op)
{
	static const unsigned long qbytes[] = { QBYTES, QBYTES, QBYTES, 200, 600, 2000, 0, 3, 16384,
						16385, UINT_MAX, 1ul << 32 };
	const struct op *slept = some_sleep(OP_SEND, OP_RECEIVE);
	struct msqid_ds *ds = &call_of(op)->ds;

	some_object(op);
	/* Where it matters to somebody. */
	if (slept && op->type == OP_SET && chance(50))
		same_object(op, slept);
	if (op->type == OP_MSG_STAT || op->type == OP_STAT_ANY) {
		op->is_index = op->object != NOTHING && chance(70);
		op->a[0] &= op->is_index ? 0xffffff : -1;
	}
	call_of(op)->is_nowhere = chance(10) && op->type != OP_RMID;
	memset(ds, POISON, sizeof(*ds));
	/* Mostly by one who may. */
	if (op->type == OP_SET || op->type == OP_RMID)
		by_root(op, op->type == OP_SET ? 70 : 40);
	if (op->type == OP_SET) {
		ds->msg_perm.uid = chance(3) ? -1u : users[rnd(USERS)].uid;
		ds->msg_perm.gid = chance(3) ? -1u : users[rnd(USERS)].gid;
		ds->msg_perm.mode = modes[rnd(ARRAY_SIZE(modes))] | (chance(20) ? 07000 : 0);
		ds->msg_qbytes = qbytes[rnd(ARRAY_SIZE(qbytes))];
		/* Take a sleeper his right. */
		if (slept && chance(50)) {
			ds->msg_perm.uid = 0;
			ds->msg_perm.mode = 0600;
		}
		if (!is_fit(op))
			op->type = OP_STAT;
	}
}

static void choose(struct op *op, bool may_sleep)
{
	static const long values[ARRAY_SIZE(limits)][4] = {
		{ 8192, 10, 0, -1 },
		{ QBYTES, 16384, 50, 0 },
		{ 32000, 1, 3, (1 << 24) + 1 },
		{ 10, 3, (1 << 24) + 4, -2 },
	};

	switch (op->type) {
	case OP_GET:
		op->a[0] = rnd(KEYS);
		op->a[1] = (chance(75) ? IPC_CREAT : 0) | (chance(15) ? IPC_EXCL : 0) |
			   modes[rnd(ARRAY_SIZE(modes))];
		/* What a lookup asks for must mostly be granted. */
		if (chance(60))
			op->a[1] &= ~0777 | 0066;
		break;
	case OP_SEND:
		choose_send(op, may_sleep);
		break;
	case OP_RECEIVE:
		choose_receive(op, may_sleep);
		break;
	case OP_COPY:
		choose_copy(op);
		break;
	case OP_LIMIT:
		/* Mostly by one who may; a tight one is relaxed soon, or nothing happens. */
		by_root(op, 90);
		op->a[0] = rnd(ARRAY_SIZE(limits));
		op->a[1] = values[op->a[0]][chance(30) ? 0 : rnd(4)];
		break;
	default:
		choose_ctl(op);
	}
}

static unsigned int flags(const struct op *op, const struct out *out)
{
	long f = op->a[3], type = op->a[2];
	/* What was left of it cannot be told from what was sent so. */
	bool is_full = f & MSG_NOERROR && out->ret == op->a[1];

	switch (op->type) {
	case OP_GET:
		return FLAG(0, op->a[1] & IPC_CREAT) | FLAG(1, op->a[1] & IPC_EXCL) |
		       FLAG(2, !op->a[0]);
	case OP_SEND:
		return FLAG(0, f & NW) | FLAG(1, !op->a[1]);
	case OP_RECEIVE:
		return FLAG(0, f & NW) | FLAG(1, f & MSG_NOERROR) |
		       FLAG(2, f & MSG_EXCEPT && type > 0) | FLAG(3, !type) |
		       FLAG(4, type > 0 && !(f & MSG_EXCEPT)) | FLAG(5, type < 0) |
		       FLAG(6, is_full);
	case OP_COPY:
		return FLAG(0, f & MSG_NOERROR) | FLAG(1, type > 0);
	}
	return 0;
}

static int describe(const struct op *op, char *text, size_t size)
{
	const struct msqid_ds *ds = &call_of(op)->ds;
	const char *object = object_name(op);
	int n;

	switch (op->type) {
	case OP_GET:
		return snprintf(text, size, "key %ld, flags %#lo", op->a[0], op->a[1]);
	case OP_LIMIT:
		return snprintf(text, size, "%s, %ld", limits[op->a[0]], op->a[1]);
	case OP_SEND:
	case OP_RECEIVE:
	case OP_COPY:
		n = snprintf(text, size, "%s, %ld bytes, type %ld%s%s%s", object, op->a[1],
			     op->a[2], op->a[3] & NW ? " nowait" : "",
			     op->a[3] & MSG_NOERROR ? " noerror" : "",
			     op->a[3] & MSG_EXCEPT ? " except" : "");
		break;
	case OP_SET:
		n = snprintf(text, size, "%s, owner %u.%u mode %o qbytes %lu", object,
			     ds->msg_perm.uid, ds->msg_perm.gid, ds->msg_perm.mode, ds->msg_qbytes);
		break;
	default:
		n = snprintf(text, size, "%s", object);
	}
	return n + snprintf(text + n, size - n, "%s", call_of(op)->is_nowhere ? ", nowhere" : "");
}

/* ---- What there is to be seen ---- */

static bool same_ds(const struct msqid_ds *n, const struct msqid_ds *k)
{
	return !memcmp(&n->msg_perm, &k->msg_perm, sizeof(n->msg_perm)) &&
	       n->msg_qnum == k->msg_qnum && n->__msg_cbytes == k->__msg_cbytes &&
	       n->msg_qbytes == k->msg_qbytes && who(n->msg_lspid, 0) == who(k->msg_lspid, 1) &&
	       who(n->msg_lrpid, 0) == who(k->msg_lrpid, 1) && !n->msg_stime == !k->msg_stime &&
	       !n->msg_rtime == !k->msg_rtime && !n->msg_ctime == !k->msg_ctime;
}

static void differ_ds(int id, const struct msqid_ds *ds)
{
	char text[2][200];
	int w;

	for (w = 0; w < 2; w++)
		snprintf(text[w], sizeof(text[w]),
			 "mode %o owner %u.%u messages %lu bytes %lu of %lu last %d %d times %d%d%d",
			 ds[w].msg_perm.mode, ds[w].msg_perm.uid, ds[w].msg_perm.gid,
			 ds[w].msg_qnum, ds[w].__msg_cbytes, ds[w].msg_qbytes,
			 who(ds[w].msg_lspid, w) - 1, who(ds[w].msg_lrpid, w) - 1,
			 !!ds[w].msg_stime, !!ds[w].msg_rtime, !!ds[w].msg_ctime);
	differ("structures", "queue %d: native %s; kipc %s", id, text[0], text[1]);
}

/* Every message in its place. */
static void compare_messages(int id, unsigned long qnum)
{
	unsigned long i;

	for (i = 0; i < qnum && i < LOOKED_AT; i++) {
		unsigned int sum[2];
		ssize_t size[2];
		int err[2], w;
		long type[2];

		for (w = 0; w < 2; w++) {
			message.type = 0;
			/* The kernel reads all of the room first: little will mostly do. */
			size[w] = ipcs[w]->msgrcv(id, &message, 100, i, MSG_COPY | NW);
			if (size[w] < 0 && errno == E2BIG)
				size[w] = ipcs[w]->msgrcv(id, &message, BUFFER, i, MSG_COPY | NW);
			/* Of one that is longer than any may be by now there is no copy. */
			err[w] = size[w] < 0 ? errno : 0;
			type[w] = message.type;
			sum[w] = sum_of(size[w] < 0 ? 0 : size[w]);
		}
		if (size[0] == size[1] && err[0] == err[1] && type[0] == type[1] &&
		    sum[0] == sum[1])
			continue;
		differ("messages",
		       "queue %d, message %lu: native %zd bytes of type %ld, errno %d; kipc %zd bytes of type %ld, errno %d",
		       id, i, size[0], type[0], err[0], size[1], type[1], err[1]);
		return;
	}
}

static bool compare_object(int id)
{
	struct msqid_ds ds[2];
	int ret[2], err[2], w;

	for (w = 0; w < 2; w++) {
		ret[w] = msg_stat(ipcs[w], id, &ds[w]);
		err[w] = ret[w] ? errno : 0;
	}
	if (ret[0] != ret[1] || err[0] != err[1])
		differ("lives of a queue", "%d: native errno %d, kipc errno %d", id, err[0],
		       err[1]);
	if (ret[0] || ret[1])
		return false;
	if (!same_ds(&ds[0], &ds[1]))
		differ_ds(id, ds);
	else
		compare_messages(id, ds[0].msg_qnum);
	return true;
}

static bool same_row(const struct msg_row *n, const struct msg_row *k)
{
	return n->key == k->key && n->id == k->id && n->mode == k->mode && n->cbytes == k->cbytes &&
	       n->qnum == k->qnum && who(n->lspid, 0) == who(k->lspid, 1) &&
	       who(n->lrpid, 0) == who(k->lrpid, 1) && n->uid == k->uid && n->gid == k->gid &&
	       n->cuid == k->cuid && n->cgid == k->cgid && !n->stime == !k->stime &&
	       !n->rtime == !k->rtime && !n->ctime == !k->ctime;
}

#define MOST_ROWS	512

static void compare_listings(void)
{
	static struct msg_row rows[2][MOST_ROWS];
	int n[2], w, i;

	for (w = 0; w < 2; w++)
		n[w] = msg_rows(ipcs[w], rows[w], MOST_ROWS);
	if (n[0] != n[1]) {
		differ("listings", "native %d queues, kipc %d", n[0], n[1]);
		return;
	}
	for (i = 0; i < n[0] && i < MOST_ROWS; i++)
		if (!same_row(&rows[0][i], &rows[1][i])) {
			differ("listings", "of queue %d and %d", rows[0][i].id, rows[1][i].id);
			return;
		}
}

static void compare(const struct op *op, const struct out *native, const struct out *kipc)
{
	const struct msg_answer *n = answer_of(native), *k = answer_of(kipc);

	switch (op->type) {
	case OP_GET:
		if (native->ret >= 0)
			remember(op, native->ret, 0);
		return;
	case OP_SEND:
		return;
	case OP_RECEIVE:
	case OP_COPY:
		if (n->type != k->type || n->sum != k->sum)
			differ("messages received", "type %ld natively, %ld on kipc%s", n->type,
			       k->type, n->type == k->type ? ", of another text" : "");
		return;
	case OP_LIMIT:
		if (!native->err)
			limits_are_tight();
		return;
	case OP_STAT:
	case OP_MSG_STAT:
	case OP_STAT_ANY:
		if (native->err)
			break;
		if (!same_ds(&n->ds, &k->ds))
			differ_ds(op->a[0], (struct msqid_ds[]){ n->ds, k->ds });
		return;
	}
	if (memcmp(&n->ds, &k->ds, sizeof(n->ds)))
		differ("structures", "of %s", calls[op->type - OPS_OF_MSG].name);
}

static int relax(const struct ipc *ipc)
{
	return ipc_limit_set(ipc, "msgmax", MSGMAX) || ipc_limit_set(ipc, "msgmnb", QBYTES) ||
	       ipc_limit_set(ipc, "msgmni", 32000) ? -1 : 0;
}

const struct kind msg_kind = {
	.name = "msg",
	.base = OPS_OF_MSG,
	.calls = calls, .n_calls = ARRAY_SIZE(calls),
	.wakes = wakes, .n_wakes = ARRAY_SIZE(wakes),
	.listed = 10,
	.objects = OBJECTS,
	.call = call,
	.choose = choose,
	.is_fit = is_fit,
	.flags = flags,
	.describe = describe,
	.compare = compare,
	.compare_object = compare_object,
	.compare_listings = compare_listings,
	.relax = relax,
};

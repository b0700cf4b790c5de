// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle of message queues: see oracle.h.  Compared are results, errnos, the messages
 * received, what is queued and in which order, who sleeps, who was woken and with what,
 * last processes, counts, listings.
 *
 *   msg_oracle [-n STEPS] [-s SEED] [-r RUNS]
 *
 * Native leaves to chance, and so is not tried: which of several senders uses the room
 * that there is for one, hence one sleeps on a queue at a time; in which order sleepers
 * that IPC_SET has woken come back, hence one sleeps when it is called.  A receiver's
 * buffer is good: else native loses the message (Documentation/differences.rst).
 */
#include "oracle.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

#define NW		IPC_NOWAIT
#define BUFFER		9200
#define QBYTES		400		/* of a queue to begin with: it is soon full */
#define LOOKED_AT	30		/* messages of a queue that are compared */

enum { OP_GET = OP_OWN, OP_SEND, OP_RECEIVE, OP_COPY, OP_CTL, OP_RMID, OP_LIMIT };

static const char *const calls[] = {
	"msgget", "msgsnd", "msgrcv", "MSG_COPY", "msgctl", "IPC_RMID", "limit",
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
static_assert(sizeof(struct msg_answer) <= OP_DATA, "struct out has room for it");

static struct msg_call *call_of(const struct op *op)
{
	return (struct msg_call *)op->data;
}

static struct msg_answer *answer_of(const struct out *out)
{
	return (struct msg_answer *)out->data;
}

static struct { long type; unsigned char text[BUFFER]; } message;

/* Of all bytes that could have been written. */
static unsigned int sum_of(void)
{
	unsigned int sum = 1, i;

	for (i = 0; i < sizeof(message.text); i++)
		sum = sum * 31 + message.text[i];
	return sum;
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
	answer->sum = sum_of();
	errno = err;
	return ret;
}

static long call(const struct op *op, const struct ipc *ipc, struct out *out)
{
	static const char *const names[] = { "msgmax", "msgmnb", "msgmni", "msg_next_id" };
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
	case OP_RMID:
		return msg_rmid(ipc, op->a[0]);
	case OP_CTL:
		if (op->a[1] == IPC_SET)
			answer->ds = call_of(op)->ds;
		return ipc->msgctl(op->a[0], op->a[1], &answer->ds);
	default:
		ret = ipc_limit_set(ipc, names[op->a[0]], op->a[1]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : 0;
	}
}

/* ---- What comes next ---- */

/* How many sleep on a queue, to send or to receive. */
static int sleepers(int id, int type)
{
	int i, n = 0;

	for (i = 0; i < ACTORS; i++)
		n += is_asleep(i) && last_op(i)->type == type && last_op(i)->a[0] == id;
	return n;
}

static long some_type(void)
{
	return chance(3) ? LONG_MAX - rnd(2) : chance(2) ? 1l << 32 | 3 : 1 + rnd(6);
}

static void choose_send(struct op *op, bool may_sleep)
{
	int id, sleeper = sleeping();

	some_object(&id);
	op->a[0] = id;
	op->a[1] = chance(4) ? rnd(9000) : chance(15) ? 0 : rnd(90);
	op->a[2] = chance(3) ? -rnd(3) : some_type();
	op->a[3] = chance(may_sleep ? 35 : 100) ? NW : 0;
	call_of(op)->fill = rnd(256);
	call_of(op)->is_nowhere = chance(1);
	/* What some sleeper waits for. */
	if (sleeper >= 0 && last_op(sleeper)->type == OP_RECEIVE && chance(40)) {
		long type = last_op(sleeper)->a[2];

		op->a[0] = last_op(sleeper)->a[0];
		if (last_op(sleeper)->a[3] & MSG_EXCEPT && type > 0)
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

static void choose_receive(struct op *op, bool may_sleep)
{
	int id, sleeper = sleeping();

	some_object(&id);
	op->a[0] = id;
	op->a[1] = chance(75) ? BUFFER : rnd(100);
	op->a[2] = chance(30) ? 0 : chance(60) ? some_type() : -some_type();
	if (chance(1))
		op->a[2] = LONG_MIN;
	op->a[3] = (chance(may_sleep ? 45 : 100) ? NW : 0) | (chance(25) ? MSG_NOERROR : 0) |
		   (chance(25) ? MSG_EXCEPT : 0);
	/* Where somebody waits for room. */
	if (sleeper >= 0 && last_op(sleeper)->type == OP_SEND && chance(40)) {
		op->a[0] = last_op(sleeper)->a[0];
		op->a[1] = BUFFER;
		op->a[2] = 0;
	}
	if (chance(1))
		op->a[1] = -1;
}

static void choose_copy(struct op *op)
{
	int id;

	some_object(&id);
	op->a[0] = id;
	op->a[1] = chance(75) ? BUFFER - 100 : rnd(100);
	op->a[2] = chance(5) ? -1 : rnd(8);
	op->a[3] = MSG_COPY | (chance(95) ? NW : 0) | (chance(20) ? MSG_NOERROR : 0) |
		   (chance(5) ? MSG_EXCEPT : 0);
	call_of(op)->is_nowhere = chance(3);
}

static void choose_ctl(struct op *op)
{
	static const int cmds[] = { IPC_STAT, IPC_STAT, IPC_SET, IPC_SET, IPC_SET, IPC_SET, IPC_SET,
				    IPC_SET, MSG_STAT, MSG_STAT_ANY, IPC_INFO, MSG_INFO, 77 };
	static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0666, 0666, 0777, 0666,
				     0, 0604, 0622 };
	static const unsigned long qbytes[] = { QBYTES, QBYTES, QBYTES, 200, 600, 2000, 0, 3, 16384,
						16385, UINT_MAX, 1ul << 32 };
	struct msqid_ds *ds = &call_of(op)->ds;
	int id, receive, send, sleeper = sleeping();

	some_object(&id);
	/* Where it matters to somebody. */
	if (sleeper >= 0 && chance(30))
		id = last_op(sleeper)->a[0];
	op->a[0] = id;
	op->a[1] = cmds[rnd(ARRAY_SIZE(cmds))];
	receive = sleepers(id, OP_RECEIVE);
	send = sleepers(id, OP_SEND);
	if (op->a[1] == IPC_SET && (receive > 1 || (receive && send)))
		op->a[1] = IPC_STAT;
	if (op->a[1] == MSG_STAT || op->a[1] == MSG_STAT_ANY)
		op->a[0] &= chance(80) ? 0xffffff : -1;
	memset(ds, POISON, sizeof(*ds));
	if (op->a[1] == IPC_SET) {
		/* Mostly by one who may. */
		if (chance(70))
			op->actor = awake_root(op->actor);
		ds->msg_perm.uid = chance(3) ? -1u : users[rnd(USERS)].uid;
		ds->msg_perm.gid = chance(3) ? -1u : users[rnd(USERS)].gid;
		ds->msg_perm.mode = modes[rnd(ARRAY_SIZE(modes))] | (chance(20) ? 07000 : 0);
		ds->msg_qbytes = qbytes[rnd(ARRAY_SIZE(qbytes))];
	}
}

static void choose(struct op *op, bool may_sleep)
{
	static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0666, 0666, 0777, 0666,
				     0666, 0666, 0, 0622 };
	static const long limits[][4] = {
		{ 8192, 10, 0, -1 },
		{ QBYTES, 16384, 50, 0 },
		{ 32000, 1, 3, (1 << 24) + 1 },
		{ 10, 3, (1 << 24) + 4, -2 },
	};
	int id;

	switch (op->type) {
	case OP_GET:
		op->a[0] = rnd(IDS);
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
	case OP_CTL:
		choose_ctl(op);
		break;
	case OP_RMID:
		some_object(&id);
		op->a[0] = id;
		break;
	case OP_LIMIT:
		/* Mostly by one who may; a tight one is relaxed soon, or nothing happens. */
		if (chance(90))
			op->actor = awake_root(op->actor);
		op->a[0] = rnd(ARRAY_SIZE(limits));
		op->a[1] = limits[op->a[0]][chance(30) ? 0 : rnd(4)];
		break;
	}
}

static int describe(const struct op *op, char *text, size_t size)
{
	int n = snprintf(text, size, "%ld, %ld", op->a[0], op->a[1]);

	if (op->type == OP_SEND || op->type == OP_RECEIVE || op->type == OP_COPY)
		n += snprintf(text + n, size - n, ", type %ld%s%s%s%s", op->a[2],
			      op->a[3] & NW ? " nowait" : "",
			      op->a[3] & MSG_NOERROR ? " noerror" : "",
			      op->a[3] & MSG_EXCEPT ? " except" : "",
			      call_of(op)->is_nowhere ? " nowhere" : "");
	if (op->type == OP_CTL && op->a[1] == IPC_SET)
		n += snprintf(text + n, size - n, ": mode %o qbytes %lu",
			      call_of(op)->ds.msg_perm.mode, call_of(op)->ds.msg_qbytes);
	return n;
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
			sum[w] = 0;
			for (ssize_t b = 0; b < size[w]; b++)
				sum[w] = sum[w] * 31 + message.text[b];
		}
		if (size[0] == size[1] && err[0] == err[1] && type[0] == type[1] && sum[0] == sum[1])
			continue;
		ksft_print_msg("queue %d, message %lu: native %zd bytes of type %ld (%s), kipc %zd bytes of type %ld (%s)\n",
			       id, i, size[0], type[0], strerror(err[0]), size[1], type[1],
			       strerror(err[1]));
		differ("messages");
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
		differ("lives of a queue");
	if (ret[0] || ret[1])
		return false;
	if (!same_ds(&ds[0], &ds[1])) {
		for (w = 0; w < 2; w++)
			ksft_print_msg("queue %d: %s mode %o messages %lu bytes %lu of %lu last %d %d times %ld %ld %ld\n",
				       id, ipcs[w]->name, ds[w].msg_perm.mode, ds[w].msg_qnum,
				       ds[w].__msg_cbytes, ds[w].msg_qbytes, who(ds[w].msg_lspid, w),
				       who(ds[w].msg_lrpid, w), ds[w].msg_stime, ds[w].msg_rtime,
				       ds[w].msg_ctime);
		differ("structures");
		return true;
	}
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

static void compare_listings(void)
{
	static struct msg_row n[512], k[512];
	int rows = msg_rows(&ipc_native, n, 512), i;

	if (rows != msg_rows(&ipc_kipc, k, 512)) {
		differ("numbers of queues");
		return;
	}
	for (i = 0; i < rows && i < 512; i++)
		if (!same_row(&n[i], &k[i])) {
			differ("listings");
			return;
		}
}

static void compare(const struct op *op, const struct out *native, const struct out *kipc)
{
	const struct msg_answer *n = answer_of(native), *k = answer_of(kipc);

	switch (op->type) {
	case OP_CTL: {
		bool times = !native->err && (op->a[1] == IPC_STAT || op->a[1] == MSG_STAT ||
					      op->a[1] == MSG_STAT_ANY);

		if (times ? !same_ds(&n->ds, &k->ds) : memcmp(&n->ds, &k->ds, sizeof(n->ds)))
			differ("structures");
		break;
	}
	case OP_RECEIVE:
	case OP_COPY:
		if (n->type != k->type || n->sum != k->sum)
			differ("messages received");
		break;
	case OP_GET:
		if (native->ret >= 0)
			remember(native->ret, 0);
		break;
	case OP_LIMIT:
		if (!native->err)
			limits_are_tight();
		break;
	}
}

static int relax(const struct ipc *ipc)
{
	return ipc_limit_set(ipc, "msgmax", MSGMAX) || ipc_limit_set(ipc, "msgmnb", QBYTES) ||
	       ipc_limit_set(ipc, "msgmni", 32000) ? -1 : 0;
}

static const struct weight weights[] = {
	{ OP_GET, 18 }, { OP_SEND, 85 }, { OP_RECEIVE, 75 }, { OP_COPY, 12 }, { OP_CTL, 26 },
	{ OP_RMID, 3 }, { OP_LIMIT, 8 }, { OP_FORK, 6 }, { OP_EXEC, 2 }, { OP_EXIT, 3 },
	{ OP_KILL, 5 }, { OP_SIGNAL, 3 }, { OP_STOP, 3 },
};

/* What must have been met, or the sequences are not worth the time. */
static const struct ending coverage[] = {
	{ OP_GET, 0 }, { OP_GET, ENOENT }, { OP_GET, EEXIST }, { OP_GET, ENOSPC },
	{ OP_GET, EACCES }, { OP_SEND, 0 }, { OP_SEND, EAGAIN }, { OP_SEND, EACCES },
	{ OP_SEND, EINVAL }, { OP_SEND, EFAULT }, { OP_SEND, EINTR }, { OP_SEND, EIDRM },
	{ OP_RECEIVE, 0 }, { OP_RECEIVE, ENOMSG }, { OP_RECEIVE, E2BIG }, { OP_RECEIVE, EACCES },
	{ OP_RECEIVE, EINVAL }, { OP_RECEIVE, EINTR }, { OP_RECEIVE, EIDRM }, { OP_COPY, 0 },
	{ OP_COPY, ENOMSG }, { OP_COPY, E2BIG }, { OP_COPY, EINVAL }, { OP_COPY, EFAULT },
	{ OP_COPY, EACCES }, { OP_CTL, 0 }, { OP_CTL, EINVAL }, { OP_CTL, EACCES },
	{ OP_CTL, EPERM }, { OP_RMID, 0 }, { OP_RMID, EPERM }, { OP_LIMIT, 0 },
	{ OP_LIMIT, EACCES }, { OP_LIMIT, EINVAL }, { OP_FORK, 0 }, { OP_EXEC, 0 },
	{ OP_EXIT, 0 }, { OP_KILL, 0 }, { OP_SIGNAL, 0 }, { OP_STOP, 0 },
};

/* A receiver's success is counted as such whatever its bytes are. */
static const struct ending woken_by[] = {
	{ OP_SEND, 0 }, { OP_SEND, E2BIG }, { OP_RECEIVE, 0 }, { OP_CTL, 0 }, { OP_CTL, EACCES },
	{ OP_RMID, EIDRM }, { OP_SIGNAL, EINTR },
};

static const struct oracle msg = {
	.name = "msg_oracle",
	.calls = calls, .n_calls = ARRAY_SIZE(calls),
	.weights = weights, .n_weights = ARRAY_SIZE(weights),
	.coverage = coverage, .n_coverage = ARRAY_SIZE(coverage),
	.woken_by = woken_by, .n_woken_by = ARRAY_SIZE(woken_by),
	.steps = 2500,
	.call = call,
	.choose = choose,
	.describe = describe,
	.compare = compare,
	.compare_object = compare_object,
	.compare_listings = compare_listings,
	.relax = relax,
};

int main(int argc, char **argv)
{
	return oracle_main(&msg, argc, argv);
}

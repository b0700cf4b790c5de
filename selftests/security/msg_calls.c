// SPDX-License-Identifier: GPL-2.0
/* The matrix' calls on message queues: with a message of type 1, and room. */
#include "calls.h"

#include <fcntl.h>
#include <kipc.h>

#include "common/matrix.h"

static long msg_get(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	(void)out;
	return ipc->msgget(o->key, arg);
}

static long msg_snd(const struct ipc *ipc, const struct object *o, long type, struct output *out)
{
	(void)out;
	return msg_send(ipc, o->id, type, 7, IPC_NOWAIT);
}

static long msg_snd_large(const struct ipc *ipc, const struct object *o, long size,
			  struct output *out)
{
	(void)out;
	return msg_send_bytes(ipc, o->id, 1, size, IPC_NOWAIT);
}

/* With a type that is there, or with flags; a message that is there is put back by msgsnd. */
static long msg_rcv(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	long type = arg & 0xff;

	(void)out;
	return msg_receive(ipc, o->id, type, (arg & ~0xff) | IPC_NOWAIT);
}

#define RECEIVE(type, flags)	((type) | (flags))

static long msg_rcv_short(const struct ipc *ipc, const struct object *o, long flags,
			  struct output *out)
{
	struct note n = {};

	(void)out;
	return ipc->msgrcv(o->id, &n, 1, 0, flags | IPC_NOWAIT);
}

/* What kipc has besides: the same with a time-out, and several at once. */
static long msg_snd_timed(const struct ipc *ipc, const struct object *o, long type,
			  struct output *out)
{
	const struct timespec none = {};
	struct note n = { type, 7 };

	if (ipc == &ipc_native)
		return msg_snd(ipc, o, type, out);
	return kipc_msgclocksnd(o->id, &n, NOTE, 0, CLOCK_MONOTONIC, 0, &none);
}

static long msg_rcv_timed(const struct ipc *ipc, const struct object *o, long type,
			  struct output *out)
{
	const struct timespec none = {};
	struct note n = {};

	(void)out;
	if (ipc == &ipc_native)
		return ipc->msgrcv(o->id, &n, NOTE, type, IPC_NOWAIT);
	return kipc_msgclockrcv(o->id, &n, NOTE, type, IPC_NOWAIT, CLOCK_MONOTONIC, 0, &none);
}

static long msg_snd_two(const struct ipc *ipc, const struct object *o, long type,
			struct output *out)
{
	struct note n[2] = { { type, 8 }, { type, 9 } };
	struct kipc_msg_vec vec[2] = { { (uintptr_t)&n[0], NOTE }, { (uintptr_t)&n[1], NOTE } };

	(void)out;
	if (ipc == &ipc_native)
		return ipc->msgsnd(o->id, &n[0], NOTE, IPC_NOWAIT) ||
		       ipc->msgsnd(o->id, &n[1], NOTE, IPC_NOWAIT) ? -1 : 2;
	return kipc_msgsndv(o->id, vec, 2, IPC_NOWAIT, CLOCK_MONOTONIC, 0, NULL);
}

static long msg_rcv_two(const struct ipc *ipc, const struct object *o, long type,
			struct output *out)
{
	struct note n[2] = {};
	struct kipc_msg_vec vec[2] = { { (uintptr_t)&n[0], NOTE }, { (uintptr_t)&n[1], NOTE } };
	long ret = 0;

	if (ipc == &ipc_native) {
		while (ret < 2 && ipc->msgrcv(o->id, &n[ret], NOTE, type, IPC_NOWAIT) == NOTE)
			ret++;
		ret = ret ? ret : -1;
	} else {
		ret = kipc_msgrcvv(o->id, vec, 2, type, IPC_NOWAIT, CLOCK_MONOTONIC, 0, NULL);
	}
	output_add(out, n[0].value);
	output_add(out, n[1].value);
	return ret;
}

static long msg_stat_by(const struct ipc *ipc, const struct object *o, long cmd,
			struct output *out)
{
	struct msqid_ds ds;
	long ret = ipc->msgctl(cmd == IPC_STAT ? o->id : o->index, cmd, &ds);

	if (ret < 0)
		return -1;
	output_add_perm(out, &ds.msg_perm);
	output_add(out, ds.msg_qnum);
	output_add(out, ds.__msg_cbytes);
	output_add(out, ds.msg_qbytes);
	output_add(out, !ds.msg_stime + 2 * !ds.msg_rtime);
	output_add(out, ds.msg_lspid);
	output_add(out, ds.msg_lrpid);
	return ret;
}

static long msg_set(const struct ipc *ipc, const struct object *o, long how, struct output *out)
{
	struct msqid_ds ds = {};

	(void)out;
	ipc->msgctl(o->index, MSG_STAT_ANY, &ds);
	change_perm(&ds.msg_perm, how);
	return ipc->msgctl(o->id, IPC_SET, &ds);
}

static long msg_set_bytes(const struct ipc *ipc, const struct object *o, long bytes,
			  struct output *out)
{
	struct msqid_ds ds = {};

	(void)out;
	ipc->msgctl(o->index, MSG_STAT_ANY, &ds);
	ds.msg_qbytes = bytes;
	return ipc->msgctl(o->id, IPC_SET, &ds);
}

static long msg_ctl(const struct ipc *ipc, const struct object *o, long cmd, struct output *out)
{
	(void)out;
	return ipc->msgctl(o->id, cmd, NULL);
}

const struct call_row msg_calls[] = {
	{ "msgget 0", msg_get, 0, LETS },
	{ "msgget 0400", msg_get, 0400, LETS | REFUSES },
	{ "msgget 0200", msg_get, 0200, LETS | REFUSES },
	{ "msgget 0100", msg_get, 0100, LETS | REFUSES },
	{ "msgget 0600", msg_get, 0600, LETS | REFUSES },
	{ "msgget 0040", msg_get, 0040, LETS | REFUSES },
	{ "msgget 0004", msg_get, 0004, LETS | REFUSES },
	{ "msgget 0777", msg_get, 0777, LETS | REFUSES },
	{ "msgget IPC_CREAT, there", msg_get, IPC_CREAT | 0600, LETS | REFUSES },
	{ "msgget IPC_EXCL, there", msg_get, IPC_CREAT | IPC_EXCL | 0600, 0 },
	{ "msgrcv MSG_COPY", msg_rcv, RECEIVE(0, MSG_COPY), LETS | REFUSES },
	{ "msgrcv MSG_COPY beyond", msg_rcv, RECEIVE(9, MSG_COPY), REFUSES },
	{ "msgrcv MSG_COPY MSG_EXCEPT", msg_rcv, RECEIVE(0, MSG_COPY | MSG_EXCEPT), 0 },
	{ "msgrcv of a type, not there", msg_rcv, RECEIVE(9, 0), REFUSES },
	{ "msgrcv too short", msg_rcv_short, 0, REFUSES },
	{ "msgrcv MSG_EXCEPT", msg_rcv, RECEIVE(9, MSG_EXCEPT), LETS | REFUSES },
	{ "msgsnd", msg_snd, 1, LETS | REFUSES },
	{ "msgsnd type 0", msg_snd, 0, 0 },
	{ "msgsnd above MSGMAX", msg_snd_large, MSGMAX + 1, 0 },
	{ "msgsnd again", msg_snd, 1, LETS | REFUSES },
	{ "msgrcv", msg_rcv, RECEIVE(0, 0), LETS | REFUSES },
	{ "msgrcv MSG_NOERROR", msg_rcv_short, MSG_NOERROR, LETS | REFUSES },
	{ "send with a time-out", msg_snd_timed, 2, LETS | REFUSES },
	{ "receive with a time-out", msg_rcv_timed, 2, LETS | REFUSES },
	{ "send several", msg_snd_two, 3, LETS | REFUSES },
	{ "receive several", msg_rcv_two, 3, LETS | REFUSES },
	{ "a handle, O_RDONLY", open_handle, HANDLE(KIPC_KIND_MSG, O_RDONLY), LETS | REFUSES },
	{ "a handle, O_WRONLY", open_handle, HANDLE(KIPC_KIND_MSG, O_WRONLY), LETS | REFUSES },
	{ "a handle, O_RDWR", open_handle, HANDLE(KIPC_KIND_MSG, O_RDWR), LETS | REFUSES },
	{ "msgctl IPC_STAT", msg_stat_by, IPC_STAT, LETS | REFUSES },
	{ "msgctl MSG_STAT", msg_stat_by, MSG_STAT, LETS | REFUSES },
	{ "msgctl MSG_STAT_ANY", msg_stat_by, MSG_STAT_ANY, LETS },
	{ "msgctl unknown", msg_ctl, 99, 0 },
	{ "msgctl IPC_SET to nobody", msg_set, SET_UNKNOWN, REFUSES },
	{ "msgctl IPC_SET as it is", msg_set, SET_SAME, LETS | REFUSES },
	{ "msgctl IPC_SET fewer bytes", msg_set_bytes, 1, LETS | REFUSES },
	{ "msgctl IPC_SET all bytes", msg_set_bytes, MSGMNB, LETS | REFUSES },
	{ "msgctl IPC_SET more bytes", msg_set_bytes, MSGMNB + 1, LETS | REFUSES },
	{ "msgctl IPC_SET mode", msg_set, SET_MODE, LETS | REFUSES },
	{ "msgctl IPC_SET to the caller", msg_set, SET_MINE, LETS | REFUSES },
	{ "msgctl IPC_STAT after IPC_SET", msg_stat_by, IPC_STAT, LETS | REFUSES },
	{ "msgctl IPC_RMID", msg_ctl, IPC_RMID, LETS | REFUSES },
	{ "msgctl IPC_RMID again", msg_ctl, IPC_RMID, REFUSES },
};

const unsigned int msg_call_count = sizeof(msg_calls) / sizeof(*msg_calls);

int msg_make(const struct ipc *ipc, key_t key, int mode)
{
	struct msqid_ds ds = { .msg_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode },
			       .msg_qbytes = MSGMNB };
	int id = ipc->msgget(key, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0 && (msg_send(ipc, id, 1, 1, 0) || ipc->msgctl(id, IPC_SET, &ds)) ? -1 : id;
}

long msg_look(const struct ipc *ipc, const struct object *o, struct output *out)
{
	return msg_stat_by(ipc, o, IPC_STAT, out);
}

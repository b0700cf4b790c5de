// SPDX-License-Identifier: GPL-2.0
/* The matrix' calls on semaphore sets: of two, 1 and 0. */
#include "calls.h"

#include <fcntl.h>

#include "common/matrix.h"
#include "hostile/raw.h"

#define NSEMS	2

static long sem_get(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	(void)out;
	return ipc->semget(o->key, 0, arg);
}

static long sem_get_larger(const struct ipc *ipc, const struct object *o, long arg,
			   struct output *out)
{
	(void)out;
	return ipc->semget(o->key, NSEMS + 1, arg);
}

static const struct sembuf sem_ops[][2] = {
	{ { 0, 1, 0 } },
	{ { 0, -1, IPC_NOWAIT } },
	{ { 1, 0, IPC_NOWAIT } },
	{ { 0, 0, IPC_NOWAIT } },
	{ { 0, -100, IPC_NOWAIT } },
	{ { 0, 1, SEM_UNDO } },
	{ { NSEMS, 1, 0 } },
	{ { NSEMS, 0, 0 } },
	{ { 1, 0, IPC_NOWAIT }, { 0, 1, 0 } },
};

static long sem_op(const struct ipc *ipc, const struct object *o, long op, struct output *out)
{
	struct sembuf sops[2] = { sem_ops[op][0], sem_ops[op][1] };

	(void)out;
	return ipc->semop(o->id, sops, op == 8 ? 2 : 1);
}

static long sem_op_timed(const struct ipc *ipc, const struct object *o, long op,
			 struct output *out)
{
	const struct timespec none = {};
	struct sembuf sop = sem_ops[op][0];

	(void)out;
	return ipc->semtimedop(o->id, &sop, 1, &none);
}

static long sem_ctl_one(const struct ipc *ipc, const struct object *o, long cmd,
			struct output *out)
{
	(void)out;
	return ipc->semctl(o->id, 0, cmd, (union semun){ .val = 1 });
}

static long sem_ctl_beyond(const struct ipc *ipc, const struct object *o, long cmd,
			   struct output *out)
{
	(void)out;
	return ipc->semctl(o->id, NSEMS, cmd, (union semun){ .val = 1 });
}

static long sem_set_value(const struct ipc *ipc, const struct object *o, long value,
			  struct output *out)
{
	(void)out;
	return sem_setval(ipc, o->id, 0, value);
}

static long sem_get_all(const struct ipc *ipc, const struct object *o, long arg,
			struct output *out)
{
	unsigned short values[NSEMS];

	(void)arg;
	if (sem_getall(ipc, o->id, values))
		return -1;
	output_add(out, values[0]);
	output_add(out, values[1]);
	return 0;
}

static long sem_set_all(const struct ipc *ipc, const struct object *o, long value,
			struct output *out)
{
	const unsigned short values[NSEMS] = { value, 0 };

	(void)out;
	return sem_setall(ipc, o->id, values);
}

static long sem_stat_by(const struct ipc *ipc, const struct object *o, long cmd,
			struct output *out)
{
	struct semid_ds ds;
	long ret = ipc->semctl(cmd == IPC_STAT ? o->id : o->index, 0, cmd,
			       (union semun){ .buf = &ds });

	if (ret < 0)
		return -1;
	output_add_perm(out, &ds.sem_perm);
	output_add(out, ds.sem_nsems);
	return ret;
}

static long sem_used(const struct ipc *ipc, const struct object *o, long cmd, struct output *out)
{
	struct semid_ds ds;

	if (ipc->semctl(o->id, 0, cmd, (union semun){ .buf = &ds }))
		return -1;
	output_add(out, !ds.sem_otime);
	return 0;
}

static long sem_set(const struct ipc *ipc, const struct object *o, long how, struct output *out)
{
	struct semid_ds ds = {};

	(void)out;
	ipc->semctl(o->index, 0, SEM_STAT_ANY, (union semun){ .buf = &ds });
	change_perm(&ds.sem_perm, how);
	return ipc->semctl(o->id, 0, IPC_SET, (union semun){ .buf = &ds });
}

/* Nobody is refused a record, which it takes to map sets. */
static long map_process(const struct ipc *ipc, const struct object *o, long arg,
			struct output *out)
{
	struct raw_process process;

	(void)o;
	(void)arg;
	(void)out;
	return ipc == &ipc_native ? 0 : raw_map_process(&process);
}

/* To look asks for what GETALL asks for, to operate for what SETALL asks for as well. */
static long sem_map(const struct ipc *ipc, const struct object *o, long flags,
		    struct output *out)
{
	struct raw_view view;

	if (ipc == &ipc_native)
		return sem_get_all(ipc, o, 0, out) ||
		       (flags && sem_set_all(ipc, o, 1, out)) ? -1 : 0;
	if (raw_map_set(&view, o->id, flags))
		return -1;
	output_add(out, view.shared->cells[0].word & KIPC_SEM_VALUE);
	output_add(out, view.shared->cells[1].word & KIPC_SEM_VALUE);
	return raw_unmap_set(&view);
}

const struct call_row sem_calls[] = {
	{ "semget 0", sem_get, 0, LETS },
	{ "semget 0400", sem_get, 0400, LETS | REFUSES },
	{ "semget 0200", sem_get, 0200, LETS | REFUSES },
	{ "semget 0100", sem_get, 0100, LETS | REFUSES },
	{ "semget 0600", sem_get, 0600, LETS | REFUSES },
	{ "semget 0040", sem_get, 0040, LETS | REFUSES },
	{ "semget 0004", sem_get, 0004, LETS | REFUSES },
	{ "semget 0777", sem_get, 0777, LETS | REFUSES },
	{ "semget IPC_CREAT, there", sem_get, IPC_CREAT | 0600, LETS | REFUSES },
	{ "semget IPC_EXCL, there", sem_get, IPC_CREAT | IPC_EXCL | 0600, 0 },
	{ "semget larger", sem_get_larger, 0400, 0 },
	{ "map the record", map_process, 0, LETS },
	{ "map a set, to look", sem_map, 0, LETS | REFUSES },
	{ "map a set, to operate", sem_map, KIPC_SEM_MAP_WRITE, LETS | REFUSES },
	{ "a handle, O_RDONLY", open_handle, HANDLE(KIPC_KIND_SEM, O_RDONLY), LETS | REFUSES },
	{ "a handle, O_WRONLY", open_handle, HANDLE(KIPC_KIND_SEM, O_WRONLY), LETS | REFUSES },
	{ "a handle, O_RDWR", open_handle, HANDLE(KIPC_KIND_SEM, O_RDWR), LETS | REFUSES },
	{ "semop +1", sem_op, 0, LETS | REFUSES },
	{ "semop -1", sem_op, 1, LETS | REFUSES },
	{ "semop 0", sem_op, 2, LETS | REFUSES },
	{ "semop 0, not now", sem_op, 3, REFUSES },
	{ "semop -100, not now", sem_op, 4, REFUSES },
	{ "semop +1 SEM_UNDO", sem_op, 5, LETS | REFUSES },
	{ "semop +1 beyond", sem_op, 6, 0 },
	{ "semop 0 beyond", sem_op, 7, 0 },
	{ "semop 0 and +1", sem_op, 8, LETS | REFUSES },
	{ "semtimedop +1", sem_op_timed, 0, LETS | REFUSES },
	{ "semtimedop 0", sem_op_timed, 2, LETS | REFUSES },
	{ "semctl GETVAL", sem_ctl_one, GETVAL, LETS | REFUSES },
	{ "semctl GETPID", sem_ctl_one, GETPID, LETS | REFUSES },
	{ "semctl GETNCNT", sem_ctl_one, GETNCNT, LETS | REFUSES },
	{ "semctl GETZCNT", sem_ctl_one, GETZCNT, LETS | REFUSES },
	{ "semctl GETVAL beyond", sem_ctl_beyond, GETVAL, REFUSES },
	{ "semctl SETVAL beyond", sem_ctl_beyond, SETVAL, 0 },
	{ "semctl GETALL", sem_get_all, 0, LETS | REFUSES },
	{ "semctl SETALL", sem_set_all, 1, LETS | REFUSES },
	{ "semctl SETALL too much", sem_set_all, SEMVMX + 1, REFUSES },
	{ "semctl SETVAL", sem_set_value, 2, LETS | REFUSES },
	{ "semctl SETVAL too much", sem_set_value, SEMVMX + 1, 0 },
	{ "semctl IPC_STAT", sem_stat_by, IPC_STAT, LETS | REFUSES },
	{ "semctl IPC_STAT, sem_otime", sem_used, IPC_STAT, LETS | REFUSES },
	{ "semctl SEM_STAT", sem_stat_by, SEM_STAT, LETS | REFUSES },
	{ "semctl SEM_STAT_ANY", sem_stat_by, SEM_STAT_ANY, LETS },
	{ "semctl unknown", sem_ctl_one, 99, 0 },
	{ "semctl IPC_SET to nobody", sem_set, SET_UNKNOWN, REFUSES },
	{ "semctl IPC_SET as it is", sem_set, SET_SAME, LETS | REFUSES },
	{ "semctl IPC_SET mode", sem_set, SET_MODE, LETS | REFUSES },
	{ "semctl IPC_SET to the caller", sem_set, SET_MINE, LETS | REFUSES },
	{ "semctl IPC_STAT after IPC_SET", sem_stat_by, IPC_STAT, LETS | REFUSES },
	{ "semctl IPC_RMID", sem_ctl_one, IPC_RMID, LETS | REFUSES },
	{ "semctl IPC_RMID again", sem_ctl_one, IPC_RMID, REFUSES },
};

const unsigned int sem_call_count = sizeof(sem_calls) / sizeof(*sem_calls);

int sem_make(const struct ipc *ipc, key_t key, int mode)
{
	static const unsigned short values[NSEMS] = { 1, 0 };
	struct semid_ds ds = { .sem_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode } };
	int id = ipc->semget(key, NSEMS, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0 && (sem_setall(ipc, id, values) ||
			   ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds })) ? -1 : id;
}

/* But for sem_otime: natively the end of a process sets it that was refused SEM_UNDO. */
long sem_look(const struct ipc *ipc, const struct object *o, struct output *out)
{
	return sem_stat_by(ipc, o, IPC_STAT, out) || sem_get_all(ipc, o, 0, out);
}

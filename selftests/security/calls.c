// SPDX-License-Identifier: GPL-2.0
#include "calls.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kipc.h>

#include "common/matrix.h"
#include "common/mem.h"
#include "hostile/raw.h"

#define ROWS		64		/* of a listing */
#define MISSING_KEY	0x7777

static void add_perm(struct output *out, const struct ipc_perm *perm)
{
	output_add(out, perm->__key);
	output_add(out, perm->uid);
	output_add(out, perm->gid);
	output_add(out, perm->cuid);
	output_add(out, perm->cgid);
	output_add(out, perm->mode);
	output_add(out, perm->__seq);
}

/* ---- Segments ---- */

static long shm_get(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	(void)out;
	return ipc->shmget(o->key, 0, arg);
}

static long shm_get_larger(const struct ipc *ipc, const struct object *o, long arg,
			   struct output *out)
{
	(void)out;
	return ipc->shmget(o->key, 2 * PAGE, arg);
}

/* What the attachment can become counts too. */
static long use_segment(char *a, struct output *out)
{
	output_add(out, mprotect(a, PAGE, PROT_READ | PROT_WRITE) ? errno : 0);
	output_add(out, mprotect(a, PAGE, PROT_READ | PROT_EXEC) ? errno : 0);
	output_add(out, mprotect(a, PAGE, PROT_READ) ? errno : 0);
	output_add(out, *a);
	return 0;
}

static long shm_at(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	char *a = ipc->shmat(o->id, NULL, arg);

	if (a == MAP_FAILED)
		return -1;
	use_segment(a, out);
	return ipc->shmdt(a);
}

/* mmap of the device; natively an attachment with these rights. */
static long shm_map(const struct ipc *ipc, const struct object *o, long prot, struct output *out)
{
	int flags = (prot & PROT_WRITE ? 0 : SHM_RDONLY) | (prot & PROT_EXEC ? SHM_EXEC : 0);
	char *a;

	if (ipc == &ipc_native) {
		a = shmat(o->id, NULL, flags);
		return a == MAP_FAILED ? -1 : shmdt(a);
	}
	a = mmap(NULL, PAGE, prot, MAP_SHARED, raw_fd(), KIPC_MMAP_OFFSET(KIPC_KIND_SHM, o->id));
	if (a == MAP_FAILED)
		return -1;
	(void)out;
	return munmap(a, PAGE);
}

static long shm_dt(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	(void)o;
	(void)out;
	return ipc->shmdt((void *)arg);
}

static long shm_stat_by(const struct ipc *ipc, const struct object *o, long cmd,
			struct output *out)
{
	struct shmid_ds ds;
	long ret = ipc->shmctl(cmd == IPC_STAT ? o->id : o->index, cmd, &ds);

	if (ret < 0)
		return -1;
	add_perm(out, &ds.shm_perm);
	output_add(out, ds.shm_segsz);
	output_add(out, ds.shm_nattch);
	output_add(out, !ds.shm_atime + 2 * !ds.shm_dtime);
	output_add(out, ds.shm_cpid);
	output_add(out, ds.shm_lpid);
	return ret;
}

enum { SET_SAME, SET_MODE, SET_MINE, SET_UNKNOWN };

static void change_perm(struct ipc_perm *perm, long how)
{
	if (how == SET_MODE)
		perm->mode ^= 0111;
	if (how == SET_MINE) {
		perm->uid = geteuid();
		perm->gid = getegid();
	}
	if (how == SET_UNKNOWN)
		perm->uid = -1;
}

/* With what everybody can see of the object as it is. */
static long shm_set(const struct ipc *ipc, const struct object *o, long how, struct output *out)
{
	struct shmid_ds ds = {};

	(void)out;
	ipc->shmctl(o->index, SHM_STAT_ANY, &ds);
	change_perm(&ds.shm_perm, how);
	return ipc->shmctl(o->id, IPC_SET, &ds);
}

static long shm_ctl(const struct ipc *ipc, const struct object *o, long cmd, struct output *out)
{
	(void)out;
	return ipc->shmctl(o->id, cmd, NULL);
}

static long shm_lock_beyond(const struct ipc *ipc, const struct object *o, long cmd,
			    struct output *out)
{
	struct rlimit old, none;
	long ret;
	int err;

	(void)out;
	getrlimit(RLIMIT_MEMLOCK, &old);
	none = old;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_MEMLOCK, &none);
	ret = ipc->shmctl(o->id, cmd, NULL);
	err = errno;
	setrlimit(RLIMIT_MEMLOCK, &old);
	errno = err;
	return ret;
}

static const struct call_row shm_calls[] = {
	{ "shmget 0", shm_get, 0, LETS },
	{ "shmget 0400", shm_get, 0400, LETS | REFUSES },
	{ "shmget 0200", shm_get, 0200, LETS | REFUSES },
	{ "shmget 0100", shm_get, 0100, LETS | REFUSES },
	{ "shmget 0600", shm_get, 0600, LETS | REFUSES },
	{ "shmget 0040", shm_get, 0040, LETS | REFUSES },
	{ "shmget 0004", shm_get, 0004, LETS | REFUSES },
	{ "shmget 0777", shm_get, 0777, LETS | REFUSES },
	{ "shmget IPC_CREAT, there", shm_get, IPC_CREAT | 0600, LETS | REFUSES },
	{ "shmget IPC_EXCL, there", shm_get, IPC_CREAT | IPC_EXCL | 0600, 0 },
	{ "shmget larger", shm_get_larger, 0400, 0 },
	{ "shmat SHM_RDONLY", shm_at, SHM_RDONLY, LETS | REFUSES },
	{ "shmat", shm_at, 0, LETS | REFUSES },
	{ "shmat SHM_RDONLY SHM_EXEC", shm_at, SHM_RDONLY | SHM_EXEC, LETS | REFUSES },
	{ "shmat SHM_EXEC", shm_at, SHM_EXEC, LETS | REFUSES },
	{ "shmat SHM_REMAP nowhere", shm_at, SHM_REMAP, 0 },
	{ "shmdt of nothing", shm_dt, 0x10000, 0 },
	{ "mmap PROT_NONE", shm_map, PROT_NONE, LETS | REFUSES },
	{ "mmap PROT_READ", shm_map, PROT_READ, LETS | REFUSES },
	{ "mmap PROT_WRITE", shm_map, PROT_WRITE, LETS | REFUSES },
	{ "mmap PROT_READ PROT_EXEC", shm_map, PROT_READ | PROT_EXEC, LETS | REFUSES },
	{ "mmap all", shm_map, PROT_READ | PROT_WRITE | PROT_EXEC, LETS | REFUSES },
	{ "shmctl IPC_STAT", shm_stat_by, IPC_STAT, LETS | REFUSES },
	{ "shmctl SHM_STAT", shm_stat_by, SHM_STAT, LETS | REFUSES },
	{ "shmctl SHM_STAT_ANY", shm_stat_by, SHM_STAT_ANY, LETS },
	{ "shmctl SHM_LOCK", shm_ctl, SHM_LOCK, LETS | REFUSES },
	{ "shmctl SHM_UNLOCK", shm_ctl, SHM_UNLOCK, LETS | REFUSES },
	{ "shmctl SHM_LOCK, RLIMIT_MEMLOCK 0", shm_lock_beyond, SHM_LOCK, LETS | REFUSES },
	{ "shmctl SHM_UNLOCK, RLIMIT_MEMLOCK 0", shm_lock_beyond, SHM_UNLOCK, LETS | REFUSES },
	{ "shmctl unknown", shm_ctl, 99, 0 },
	{ "shmctl IPC_SET to nobody", shm_set, SET_UNKNOWN, REFUSES },
	{ "shmctl IPC_SET as it is", shm_set, SET_SAME, LETS | REFUSES },
	{ "shmctl IPC_SET mode", shm_set, SET_MODE, LETS | REFUSES },
	{ "shmctl IPC_SET to the caller", shm_set, SET_MINE, LETS | REFUSES },
	{ "shmctl IPC_STAT after IPC_SET", shm_stat_by, IPC_STAT, LETS | REFUSES },
	{ "shmctl IPC_RMID", shm_ctl, IPC_RMID, LETS | REFUSES },
	{ "shmctl IPC_RMID again", shm_ctl, IPC_RMID, REFUSES },
};

/* ---- Semaphore sets: of two, 1 and 0 ---- */

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
	add_perm(out, &ds.sem_perm);
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

static const struct call_row sem_calls[] = {
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

/* ---- Message queues: with a message of type 1, and room ---- */

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
	add_perm(out, &ds.msg_perm);
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

static const struct call_row msg_calls[] = {
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

/* ---- What is on no object ---- */

/* Answered at any rate. */
static long cut_process(const struct ipc *ipc, const struct object *o, long arg,
			struct output *out)
{
	(void)o;
	(void)arg;
	(void)out;
	return ipc == &ipc_native ? 0 : ioctl(raw_fd(), KIPC_IOC_PROCESS_CUT);
}

static long query(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	struct kipc_query q;

	(void)o;
	(void)arg;
	(void)out;
	return ipc == &ipc_native ? 0 : kipc_query(&q);
}

static long missing(const struct ipc *ipc, const struct object *o, long kind, struct output *out)
{
	(void)o;
	(void)out;
	switch (kind) {
	case KIPC_KIND_SHM:
		return ipc->shmget(MISSING_KEY, 0, 0);
	case KIPC_KIND_SEM:
		return ipc->semget(MISSING_KEY, 0, 0);
	default:
		return ipc->msgget(MISSING_KEY, 0);
	}
}

static long new_one(const struct ipc *ipc, const struct object *o, long kind, struct output *out)
{
	(void)o;
	(void)out;
	switch (kind) {
	case KIPC_KIND_SHM:
		return ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	case KIPC_KIND_SEM:
		return ipc->semget(IPC_PRIVATE, 3, 0600);
	default:
		return ipc->msgget(IPC_PRIVATE, 0600);
	}
}

/* One of kipc's that ends with its creator is as any other until then. */
static long new_mortal(const struct ipc *ipc, const struct object *o, long kind,
		       struct output *out)
{
	if (ipc == &ipc_native)
		return new_one(ipc, o, kind, out);
	switch (kind) {
	case KIPC_KIND_SHM:
		return kipc_shmget_lifetime(IPC_PRIVATE, PAGE, 0600, KIPC_LIFETIME_CREATOR);
	case KIPC_KIND_SEM:
		return kipc_semget_lifetime(IPC_PRIVATE, 3, 0600, KIPC_LIFETIME_CREATOR);
	default:
		return kipc_msgget_lifetime(IPC_PRIVATE, 0600, KIPC_LIFETIME_CREATOR);
	}
}

/* Refused, or there are no such pages. */
static long new_huge(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	(void)o;
	(void)arg;
	(void)out;
	return ipc->shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600);
}

static long shm_totals(const struct ipc *ipc, const struct object *o, long cmd,
		       struct output *out)
{
	union {
		struct shmid_ds ds;
		struct shminfo limits;
		struct shm_info info;
	} u = {};
	long ret = ipc->shmctl(0, cmd, &u.ds);

	(void)o;
	if (cmd == SHM_INFO) {
		output_add(out, u.info.used_ids);
		output_add(out, u.info.shm_tot);
	} else {
		output_add(out, u.limits.shmmax);
		output_add(out, u.limits.shmmin);
		output_add(out, u.limits.shmmni);
		output_add(out, u.limits.shmseg);
		output_add(out, u.limits.shmall);
	}
	return ret;
}

static void add_bytes(struct output *out, const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size--)
		output_add(out, *p++);
}

static long sem_totals(const struct ipc *ipc, const struct object *o, long cmd,
		       struct output *out)
{
	struct seminfo info = {};
	long ret = ipc->semctl(0, 0, cmd, (union semun){ .info = &info });

	(void)o;
	add_bytes(out, &info, sizeof(info));
	return ret;
}

static long msg_totals(const struct ipc *ipc, const struct object *o, long cmd,
		       struct output *out)
{
	struct msginfo info = {};
	long ret = ipc->msgctl(0, cmd, (struct msqid_ds *)&info);

	(void)o;
	add_bytes(out, &info, sizeof(info));
	return ret;
}

static void add_owners(struct output *out, const unsigned int ids[4])
{
	int i;

	for (i = 0; i < 4; i++)
		output_add(out, ids[i]);
}

/* The rows of a listing, but for times and memory in use. */
static long list_shm(const struct ipc *ipc, struct output *out)
{
	struct shm_row r[ROWS];
	long n = shm_rows(ipc, r, ROWS), i;

	for (i = 0; i < n && i < ROWS; i++) {
		output_add(out, r[i].key);
		output_add(out, r[i].id);
		output_add(out, r[i].mode);
		output_add(out, r[i].size);
		output_add(out, r[i].cpid);
		output_add(out, r[i].lpid);
		output_add(out, r[i].nattch);
		add_owners(out, (unsigned int []){ r[i].uid, r[i].gid, r[i].cuid, r[i].cgid });
	}
	return n;
}

static long list_sem(const struct ipc *ipc, struct output *out)
{
	struct sem_row r[ROWS];
	long n = sem_rows(ipc, r, ROWS), i;

	for (i = 0; i < n && i < ROWS; i++) {
		output_add(out, r[i].key);
		output_add(out, r[i].id);
		output_add(out, r[i].mode);
		output_add(out, r[i].nsems);
		add_owners(out, (unsigned int []){ r[i].uid, r[i].gid, r[i].cuid, r[i].cgid });
	}
	return n;
}

static long list_msg(const struct ipc *ipc, struct output *out)
{
	struct msg_row r[ROWS];
	long n = msg_rows(ipc, r, ROWS), i;

	for (i = 0; i < n && i < ROWS; i++) {
		output_add(out, r[i].key);
		output_add(out, r[i].id);
		output_add(out, r[i].mode);
		output_add(out, r[i].cbytes);
		output_add(out, r[i].qnum);
		output_add(out, r[i].lspid);
		output_add(out, r[i].lrpid);
		add_owners(out, (unsigned int []){ r[i].uid, r[i].gid, r[i].cuid, r[i].cgid });
	}
	return n;
}

static long list(const struct ipc *ipc, const struct object *o, long kind, struct output *out)
{
	(void)o;
	switch (kind) {
	case KIPC_KIND_SHM:
		return list_shm(ipc, out);
	case KIPC_KIND_SEM:
		return list_sem(ipc, out);
	default:
		return list_msg(ipc, out);
	}
}

/* ---- Limits, by their files and by kipc's call ---- */

static const struct {
	const char *file;
	int word;		/* of the file, or the whole */
	long value;		/* in its range, and no other test's matter */
} limits[] = {
	[KIPC_LIMIT_SHMMAX] = { "shmmax", -1, 1 << 20 },
	[KIPC_LIMIT_SHMALL] = { "shmall", -1, 1 << 20 },
	[KIPC_LIMIT_SHMMNI] = { "shmmni", -1, 500 },
	[KIPC_LIMIT_SHM_RMID_FORCED] = { "shm_rmid_forced", -1, 0 },
	[KIPC_LIMIT_SHM_NEXT_ID] = { "shm_next_id", -1, 300 },
	[KIPC_LIMIT_SEMMSL] = { "sem", SEMMSL_LIMIT, 500 },
	[KIPC_LIMIT_SEMMNS] = { "sem", SEMMNS_LIMIT, 5000 },
	[KIPC_LIMIT_SEMOPM] = { "sem", SEMOPM_LIMIT, 50 },
	[KIPC_LIMIT_SEMMNI] = { "sem", SEMMNI_LIMIT, 500 },
	[KIPC_LIMIT_SEM_NEXT_ID] = { "sem_next_id", -1, 300 },
	[KIPC_LIMIT_MSGMAX] = { "msgmax", -1, 500 },
	[KIPC_LIMIT_MSGMNB] = { "msgmnb", -1, 5000 },
	[KIPC_LIMIT_MSGMNI] = { "msgmni", -1, 500 },
	[KIPC_LIMIT_MSG_NEXT_ID] = { "msg_next_id", -1, 300 },
};

static long failed(long ret)
{
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : 0;
}

static long read_limit(const struct ipc *ipc, const struct object *o, long limit,
		       struct output *out)
{
	long v[SEM_LIMITS];

	(void)o;
	if (limits[limit].word < 0) {
		output_add(out, ipc_limit_get(ipc, limits[limit].file));
		return 0;
	}
	if (sem_limits_get(ipc, v))
		return -1;
	output_add(out, v[limits[limit].word]);
	return 0;
}

static long put_limit(const struct ipc *ipc, long limit, long value)
{
	if (limits[limit].word < 0)
		return failed(ipc_limit_set(ipc, limits[limit].file, value));
	return failed(sem_limit_set(ipc, limits[limit].word, value));
}

/* Another value than by the call; but a segment that nobody has attached is to stay. */
static long write_limit(const struct ipc *ipc, const struct object *o, long limit,
			struct output *out)
{
	(void)o;
	(void)out;
	return put_limit(ipc, limit, limits[limit].value + !!limits[limit].value);
}

static long ask_limit(const struct ipc *ipc, const struct object *o, long limit,
		      struct output *out)
{
	uint64_t value = 0;

	if (ipc == &ipc_native)
		return read_limit(ipc, o, limit, out);
	if (kipc_limit_get(limit, &value))
		return -1;
	output_add(out, value);
	return 0;
}

/* Natively a file that may not be opened is EACCES, for a call it is EPERM. */
static long set_limit(const struct ipc *ipc, const struct object *o, long limit,
		      struct output *out)
{
	long ret;

	if (ipc == &ipc_kipc)
		return kipc_limit_set(limit, limits[limit].value);
	(void)o;
	(void)out;
	ret = put_limit(ipc, limit, limits[limit].value);
	if (ret && errno == EACCES)
		errno = EPERM;
	return ret;
}

#define EACH_LIMIT(prefix, fn, shape) \
	{ prefix "shmmax", fn, KIPC_LIMIT_SHMMAX, shape }, \
	{ prefix "shmall", fn, KIPC_LIMIT_SHMALL, shape }, \
	{ prefix "shmmni", fn, KIPC_LIMIT_SHMMNI, shape }, \
	{ prefix "shm_rmid_forced", fn, KIPC_LIMIT_SHM_RMID_FORCED, shape }, \
	{ prefix "semmsl", fn, KIPC_LIMIT_SEMMSL, shape }, \
	{ prefix "semmns", fn, KIPC_LIMIT_SEMMNS, shape }, \
	{ prefix "semopm", fn, KIPC_LIMIT_SEMOPM, shape }, \
	{ prefix "semmni", fn, KIPC_LIMIT_SEMMNI, shape }, \
	{ prefix "msgmax", fn, KIPC_LIMIT_MSGMAX, shape }, \
	{ prefix "msgmnb", fn, KIPC_LIMIT_MSGMNB, shape }, \
	{ prefix "msgmni", fn, KIPC_LIMIT_MSGMNI, shape }

#define EACH_NEXT_ID(prefix, fn, shape) \
	{ prefix "shm_next_id", fn, KIPC_LIMIT_SHM_NEXT_ID, shape }, \
	{ prefix "sem_next_id", fn, KIPC_LIMIT_SEM_NEXT_ID, shape }, \
	{ prefix "msg_next_id", fn, KIPC_LIMIT_MSG_NEXT_ID, shape }

#define EACH_NEW(suffix, shape) \
	{ "shmget IPC_PRIVATE" suffix, new_one, KIPC_KIND_SHM, shape }, \
	{ "semget IPC_PRIVATE" suffix, new_one, KIPC_KIND_SEM, shape }, \
	{ "msgget IPC_PRIVATE" suffix, new_one, KIPC_KIND_MSG, shape }

/* The ids that come of next_id tell whether a limit that could be set was. */
static const struct call_row other_calls[] = {
	{ "query", query, 0, LETS },
	{ "cut the record", cut_process, 0, LETS },
	{ "shmget, missing", missing, KIPC_KIND_SHM, 0 },
	{ "semget, missing", missing, KIPC_KIND_SEM, 0 },
	{ "msgget, missing", missing, KIPC_KIND_MSG, 0 },
	EACH_NEW("", LETS),
	{ "a segment of its creator's", new_mortal, KIPC_KIND_SHM, LETS },
	{ "a set of its creator's", new_mortal, KIPC_KIND_SEM, LETS },
	{ "a queue of its creator's", new_mortal, KIPC_KIND_MSG, LETS },
	{ "shmget SHM_HUGETLB", new_huge, 0, REFUSES },
	{ "shmctl IPC_INFO", shm_totals, IPC_INFO, LETS },
	{ "shmctl SHM_INFO", shm_totals, SHM_INFO, LETS },
	{ "semctl IPC_INFO", sem_totals, IPC_INFO, LETS },
	{ "semctl SEM_INFO", sem_totals, SEM_INFO, LETS },
	{ "msgctl IPC_INFO", msg_totals, IPC_INFO, LETS },
	{ "msgctl MSG_INFO", msg_totals, MSG_INFO, LETS },
	{ "the listing of segments", list, KIPC_KIND_SHM, LETS },
	{ "the listing of sets", list, KIPC_KIND_SEM, LETS },
	{ "the listing of queues", list, KIPC_KIND_MSG, LETS },
	EACH_LIMIT("read ", read_limit, LETS),
	EACH_NEXT_ID("read ", read_limit, LETS),
	EACH_LIMIT("ask for ", ask_limit, LETS),
	EACH_NEXT_ID("ask for ", ask_limit, LETS),
	EACH_NEXT_ID("ask to choose ", set_limit, LETS | REFUSES),
	EACH_NEXT_ID("ask again for ", ask_limit, LETS),
	EACH_NEW(", id asked for", LETS),
	EACH_LIMIT("set ", set_limit, LETS | REFUSES),
	EACH_LIMIT("ask again for ", ask_limit, LETS | FOLLOWS),
	EACH_LIMIT("write ", write_limit, LETS | REFUSES),
	EACH_LIMIT("read again ", read_limit, LETS | FOLLOWS),
	EACH_NEXT_ID("choose ", write_limit, LETS | REFUSES),
	EACH_NEXT_ID("read again ", read_limit, LETS | FOLLOWS),
	EACH_NEW(", id chosen", LETS | FOLLOWS),
};

#define COUNT(table)	(sizeof(table) / sizeof(*(table)))

const struct call_row *const call_tables[CALL_TABLES] = {
	[SHM_CALLS] = shm_calls,
	[SEM_CALLS] = sem_calls,
	[MSG_CALLS] = msg_calls,
	[OTHER_CALLS] = other_calls,
};

const unsigned int call_counts[CALL_TABLES] = {
	[SHM_CALLS] = COUNT(shm_calls),
	[SEM_CALLS] = COUNT(sem_calls),
	[MSG_CALLS] = COUNT(msg_calls),
	[OTHER_CALLS] = COUNT(other_calls),
};

/* ---- Objects ---- */

static int make_shm(const struct ipc *ipc, key_t key, int mode)
{
	struct shmid_ds ds = { .shm_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode } };
	int id = ipc->shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0 && ipc->shmctl(id, IPC_SET, &ds) ? -1 : id;
}

static int make_sem(const struct ipc *ipc, key_t key, int mode)
{
	static const unsigned short values[NSEMS] = { 1, 0 };
	struct semid_ds ds = { .sem_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode } };
	int id = ipc->semget(key, NSEMS, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0 && (sem_setall(ipc, id, values) ||
			   ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds })) ? -1 : id;
}

static int make_msg(const struct ipc *ipc, key_t key, int mode)
{
	struct msqid_ds ds = { .msg_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode },
			       .msg_qbytes = MSGMNB };
	int id = ipc->msgget(key, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0 && (msg_send(ipc, id, 1, 1, 0) || ipc->msgctl(id, IPC_SET, &ds)) ? -1 : id;
}

struct object make_object(const struct ipc *ipc, unsigned int kind, int mode)
{
	struct object o = { .key = KEY(mode), .mode = mode };

	if (kind == KIPC_KIND_SHM)
		o.id = make_shm(ipc, o.key, mode);
	else if (kind == KIPC_KIND_SEM)
		o.id = make_sem(ipc, o.key, mode);
	else
		o.id = make_msg(ipc, o.key, mode);
	o.index = o.id & (KIPC_INDEX_MAX - 1);
	return o;
}

long look_at_object(const struct ipc *ipc, const struct object *o, long kind,
		    struct output *out)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return shm_stat_by(ipc, o, IPC_STAT, out);
	case KIPC_KIND_SEM:
		return sem_stat_by(ipc, o, IPC_STAT, out) || sem_get_all(ipc, o, 0, out);
	default:
		return msg_stat_by(ipc, o, IPC_STAT, out);
	}
}

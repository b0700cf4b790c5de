// SPDX-License-Identifier: GPL-2.0
/* The matrix' calls on segments. */
#include "calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kipc.h>

#include "common/matrix.h"
#include "hostile/raw.h"

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
	output_add_perm(out, &ds.shm_perm);
	output_add(out, ds.shm_segsz);
	output_add(out, ds.shm_nattch);
	output_add(out, !ds.shm_atime + 2 * !ds.shm_dtime);
	output_add(out, ds.shm_cpid);
	output_add(out, ds.shm_lpid);
	return ret;
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

/* A descriptor of its memory is for what the same key could be asked for with. */
static long shm_export(const struct ipc *ipc, const struct object *o, long mode,
		       struct output *out)
{
	int fd;

	if (ipc == &ipc_native)
		return open_handle(ipc, o, HANDLE(KIPC_KIND_SHM, mode), out);
	fd = kipc_shm_export(o->id, mode);
	return fd < 0 ? -1 : close(fd);
}

const struct call_row shm_calls[] = {
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
	{ "a handle, O_RDONLY", open_handle, HANDLE(KIPC_KIND_SHM, O_RDONLY), LETS | REFUSES },
	{ "a handle, O_WRONLY", open_handle, HANDLE(KIPC_KIND_SHM, O_WRONLY), LETS | REFUSES },
	{ "a handle, O_RDWR", open_handle, HANDLE(KIPC_KIND_SHM, O_RDWR), LETS | REFUSES },
	{ "a descriptor, O_RDONLY", shm_export, O_RDONLY, LETS | REFUSES },
	{ "a descriptor, O_RDWR", shm_export, O_RDWR, LETS | REFUSES },
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

const unsigned int shm_call_count = sizeof(shm_calls) / sizeof(*shm_calls);

int shm_make(const struct ipc *ipc, key_t key, int mode)
{
	struct shmid_ds ds = { .shm_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode } };
	int id = ipc->shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0 && ipc->shmctl(id, IPC_SET, &ds) ? -1 : id;
}

long shm_look(const struct ipc *ipc, const struct object *o, struct output *out)
{
	return shm_stat_by(ipc, o, IPC_STAT, out);
}

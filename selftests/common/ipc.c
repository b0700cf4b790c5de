// SPDX-License-Identifier: GPL-2.0
#include "ipc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kipc.h>

const struct ipc ipc_native = {
	.name = "native",
	.shmget = shmget,
	.shmat = shmat,
	.shmdt = shmdt,
	.shmctl = shmctl,
	.semget = semget,
	.semop = semop,
	.semtimedop = semtimedop,
	.semctl = semctl,
	.msgget = msgget,
	.msgsnd = msgsnd,
	.msgrcv = msgrcv,
	.msgctl = msgctl,
	.listing = "/proc/sysvipc/shm",
	.sem_listing = "/proc/sysvipc/sem",
	.msg_listing = "/proc/sysvipc/msg",
	.sysctl = "/proc/sys/kernel",
};

const struct ipc ipc_kipc = {
	.name = "kipc",
	.shmget = kipc_shmget,
	.shmat = kipc_shmat,
	.shmdt = kipc_shmdt,
	.shmctl = kipc_shmctl,
	.semget = kipc_semget,
	.semop = kipc_semop,
	.semtimedop = kipc_semtimedop,
	.semctl = kipc_semctl,
	.msgget = kipc_msgget,
	.msgsnd = kipc_msgsnd,
	.msgrcv = kipc_msgrcv,
	.msgctl = kipc_msgctl,
	.listing = "/proc/kipc/shm",
	.sem_listing = "/proc/kipc/sem",
	.msg_listing = "/proc/kipc/msg",
	.sysctl = "/proc/kipc/sys",
};

/* How a kind's listing is read: a row's first two fields are its key and its id. */
struct format {
	size_t size;
	bool (*parse)(const char *line, void *row);
};

struct any_row {
	int key, id;
};

/**
 * read_rows() - read a listing
 * @rows: filled with at most @max rows
 *
 * Return: the number of rows in the listing, -1 if it cannot be read or parsed.
 */
static int read_rows(const char *path, const struct format *format, void *rows, int max)
{
	char line[512], row[256] __attribute__((aligned(16)));
	int n = -1;
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (n++ < 0)	/* the heading */
			continue;
		if (!format->parse(line, row)) {
			fprintf(stderr, "# %s: cannot parse: %s", path, line);
			n = -1;
			break;
		}
		if (n <= max)
			memcpy((char *)rows + (n - 1) * format->size, row, format->size);
	}
	fclose(f);
	return n;
}

/* Return: 1 if @id is listed, 0 if not, -1 if the listing cannot be read. */
static int find_row(const char *path, const struct format *format, int id, void *row)
{
	int n = read_rows(path, format, NULL, 0), i, found = 0;
	char *rows;

	if (n < 0)
		return -1;
	rows = calloc(n + 1, format->size);
	if (!rows)
		return -1;
	i = read_rows(path, format, rows, n);
	n = i < n ? i : n;
	for (i = 0; i < n && !found; i++)
		if (((struct any_row *)(rows + i * format->size))->id == id) {
			memcpy(row, rows + i * format->size, format->size);
			found = 1;
		}
	free(rows);
	return found;
}

static bool parse_shm(const char *line, void *row)
{
	struct shm_row *r = row;

	return sscanf(line, "%d %d %o %lu %u %u %lu %u %u %u %u %lu %lu %lu %lu %lu", &r->key,
		      &r->id, &r->mode, &r->size, &r->cpid, &r->lpid, &r->nattch, &r->uid, &r->gid,
		      &r->cuid, &r->cgid, &r->atime, &r->dtime, &r->ctime, &r->rss, &r->swap) == 16;
}

static bool parse_sem(const char *line, void *row)
{
	struct sem_row *r = row;

	return sscanf(line, "%d %d %o %u %u %u %u %u %lu %lu", &r->key, &r->id, &r->mode, &r->nsems,
		      &r->uid, &r->gid, &r->cuid, &r->cgid, &r->otime, &r->ctime) == 10;
}

static bool parse_msg(const char *line, void *row)
{
	struct msg_row *r = row;

	return sscanf(line, "%d %d %o %lu %lu %u %u %u %u %u %u %lu %lu %lu", &r->key, &r->id,
		      &r->mode, &r->cbytes, &r->qnum, &r->lspid, &r->lrpid, &r->uid, &r->gid,
		      &r->cuid, &r->cgid, &r->stime, &r->rtime, &r->ctime) == 14;
}

static const struct format shm_format = { sizeof(struct shm_row), parse_shm };
static const struct format sem_format = { sizeof(struct sem_row), parse_sem };
static const struct format msg_format = { sizeof(struct msg_row), parse_msg };

int shm_rows(const struct ipc *ipc, struct shm_row *rows, int max)
{
	return read_rows(ipc->listing, &shm_format, rows, max);
}

int shm_row_find(const struct ipc *ipc, int id, struct shm_row *row)
{
	return find_row(ipc->listing, &shm_format, id, row);
}

int sem_rows(const struct ipc *ipc, struct sem_row *rows, int max)
{
	return read_rows(ipc->sem_listing, &sem_format, rows, max);
}

int sem_row_find(const struct ipc *ipc, int id, struct sem_row *row)
{
	return find_row(ipc->sem_listing, &sem_format, id, row);
}

int msg_rows(const struct ipc *ipc, struct msg_row *rows, int max)
{
	return read_rows(ipc->msg_listing, &msg_format, rows, max);
}

int msg_row_find(const struct ipc *ipc, int id, struct msg_row *row)
{
	return find_row(ipc->msg_listing, &msg_format, id, row);
}

struct kipc_ids_row kipc_ids_read(const char *kind)
{
	struct kipc_ids_row r = { -1, -1, -1, -1, -1, -1, -1 }, t;
	FILE *f = fopen("/proc/kipc/ids", "re");
	char line[256], name[32];

	if (!f)
		return r;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%31s %ld %ld %ld %ld %ld %ld %ld", name, &t.in_use, &t.max_idx,
			   &t.seq, &t.next_id, &t.limit, &t.created, &t.removed) == 8 &&
		    !strcmp(name, kind))
			r = t;
	fclose(f);
	return r;
}

struct kipc_object_row kipc_object_read(const char *kind, int id)
{
	struct kipc_object_row r = { "", -1, -1, -1, -1 }, t;
	FILE *f = fopen("/proc/kipc/objects", "re");
	char line[256], row_kind[8];
	int row_id;

	while (f && r.users < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%7s %d %*s %*s %*s %ld %15s %*s %*s %ld %ld %ld", row_kind,
			   &row_id, &t.users, t.lifetime, &t.calls, &t.handles,
			   &t.orphans) == 7 && row_id == id && !strcmp(row_kind, kind))
			r = t;
	if (f)
		fclose(f);
	return r;
}

/* Return: the limit's value (ULONG_MAX reads as -1), or LLONG_MIN. */
long long ipc_limit_get(const struct ipc *ipc, const char *name)
{
	char path[128], buf[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", ipc->sysctl, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return INT64_MIN;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return INT64_MIN;
	buf[n] = '\0';
	return buf[0] == '-' ? strtoll(buf, NULL, 10) : (long long)strtoull(buf, NULL, 10);
}

/* Return: 0 or -errno. */
int ipc_limit_set(const struct ipc *ipc, const char *name, long long value)
{
	char path[128], buf[64];
	int fd, n, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", ipc->sysctl, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = snprintf(buf, sizeof(buf), "%lld\n", value);
	if (write(fd, buf, n) != n)
		ret = -errno;
	close(fd);
	return ret;
}

/* Return: 0, or -1 if the file cannot be opened or read to its end. */
int ipc_limit_write(const struct ipc *ipc, const char *name, const char *text,
		    struct limit_text *result)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", ipc->sysctl, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	errno = 0;
	result->ret = write(fd, text, strlen(text));
	result->err = errno;
	close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, result->back, sizeof(result->back) - 1);
	result->back[n > 0 ? n : 0] = '\0';
	/* The second read is the end. */
	n = n < 0 ? n : read(fd, path, 1);
	close(fd);
	return n ? -1 : 0;
}

/* Return: 0 or -errno. */
int sem_limits_get(const struct ipc *ipc, long *limits)
{
	char path[128];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "%s/sem", ipc->sysctl);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fscanf(f, "%ld %ld %ld %ld", &limits[0], &limits[1], &limits[2], &limits[3]);
	fclose(f);
	return n == SEM_LIMITS ? 0 : -EINVAL;
}

/* Set one of the four and leave the others.  Return: 0 or -errno. */
int sem_limit_set(const struct ipc *ipc, int which, long value)
{
	char path[128], buf[128];
	long v[SEM_LIMITS];
	int fd, n, ret = sem_limits_get(ipc, v);

	if (ret)
		return ret;
	v[which] = value;
	snprintf(path, sizeof(path), "%s/sem", ipc->sysctl);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = snprintf(buf, sizeof(buf), "%ld %ld %ld %ld\n", v[0], v[1], v[2], v[3]);
	if (write(fd, buf, n) != n)
		ret = -errno;
	close(fd);
	return ret;
}

int shm_stat(const struct ipc *ipc, int id, struct shmid_ds *ds)
{
	memset(ds, POISON, sizeof(*ds));
	return ipc->shmctl(id, IPC_STAT, ds);
}

long shm_nattch(const struct ipc *ipc, int id)
{
	struct shmid_ds ds;

	return shm_stat(ipc, id, &ds) ? -errno : (long)ds.shm_nattch;
}

int sem_stat(const struct ipc *ipc, int id, struct semid_ds *ds)
{
	memset(ds, POISON, sizeof(*ds));
	return ipc->semctl(id, 0, IPC_STAT, (union semun){ .buf = ds });
}

int semop1(const struct ipc *ipc, int id, int num, int op, int flags)
{
	struct sembuf sop = { num, op, flags };

	return ipc->semop(id, &sop, 1);
}

int sem_setval(const struct ipc *ipc, int id, int num, int val)
{
	return ipc->semctl(id, num, SETVAL, (union semun){ .val = val });
}

int sem_getall(const struct ipc *ipc, int id, unsigned short *vals)
{
	return ipc->semctl(id, 0, GETALL, (union semun){ .array = vals });
}

int sem_setall(const struct ipc *ipc, int id, const unsigned short *vals)
{
	return ipc->semctl(id, 0, SETALL, (union semun){ .array = (unsigned short *)vals });
}

int sem_rmid(const struct ipc *ipc, int id)
{
	return ipc->semctl(id, 0, IPC_RMID);
}

int sem_new(const struct ipc *ipc, int nsems, const unsigned short *vals, int mode)
{
	int id = ipc->semget(IPC_PRIVATE, nsems, mode);

	return id < 0 || sem_setall(ipc, id, vals) ? -1 : id;
}

int msg_stat(const struct ipc *ipc, int id, struct msqid_ds *ds)
{
	memset(ds, POISON, sizeof(*ds));
	return ipc->msgctl(id, IPC_STAT, ds);
}

int msg_set_qbytes(const struct ipc *ipc, int id, unsigned long qbytes)
{
	struct msqid_ds ds;

	if (ipc->msgctl(id, IPC_STAT, &ds))
		return -1;
	ds.msg_qbytes = qbytes;
	return ipc->msgctl(id, IPC_SET, &ds);
}

int msg_rmid(const struct ipc *ipc, int id)
{
	return ipc->msgctl(id, IPC_RMID, NULL);
}

long msg_qnum(const struct ipc *ipc, int id)
{
	struct msqid_ds ds;

	return msg_stat(ipc, id, &ds) ? -errno : (long)ds.msg_qnum;
}

long msg_cbytes(const struct ipc *ipc, int id)
{
	struct msqid_ds ds;

	return msg_stat(ipc, id, &ds) ? -errno : (long)ds.__msg_cbytes;
}

int msg_send(const struct ipc *ipc, int id, long type, int value, int flags)
{
	const struct note n = { type, value };

	return ipc->msgsnd(id, &n, NOTE, flags);
}

int msg_receive(const struct ipc *ipc, int id, long type, int flags)
{
	struct note n = { 0, -1 };
	ssize_t size = ipc->msgrcv(id, &n, NOTE, type, flags);

	if (size < 0)
		return -1;
	errno = 0;
	return size == NOTE && n.type > 0 && n.value >= 0 ? n.value : -2;
}

static unsigned char text_at(long type, size_t i)
{
	return type * 31 + i * 13 + (i >> 8);
}

int msg_send_bytes(const struct ipc *ipc, int id, long type, size_t size, int flags)
{
	struct { long type; unsigned char text[]; } *m = malloc(sizeof(*m) + size);
	int ret, err;
	size_t i;

	if (!m)
		return -1;
	m->type = type;
	for (i = 0; i < size; i++)
		m->text[i] = text_at(type, i);
	ret = ipc->msgsnd(id, m, size, flags);
	err = errno;
	free(m);
	errno = err;
	return ret;
}

ssize_t msg_receive_bytes(const struct ipc *ipc, int id, size_t size, long type, int flags)
{
	struct { long type; unsigned char text[]; } *m = malloc(sizeof(*m) + size + 1);
	ssize_t n, i;
	int err;

	if (!m)
		return -1;
	memset(m, POISON, sizeof(*m) + size + 1);
	n = ipc->msgrcv(id, m, size, type, flags);
	err = errno;
	for (i = 0; i < n && m->text[i] == text_at(m->type, i); i++)
		;
	/* Nothing beyond. */
	for (; n >= 0 && i >= n && i <= (ssize_t)size && m->text[i] == POISON; i++)
		;
	if (n >= 0 && i <= (ssize_t)size)
		n = -2;
	free(m);
	errno = err;
	return n;
}

bool native_ids_extended(void)
{
	/* shmmni may be set up to the number of ids there are. */
	long long old = ipc_limit_get(&ipc_native, "shmmni");
	bool extended = ipc_limit_set(&ipc_native, "shmmni", 1 << 24) == 0;

	if (extended)
		ipc_limit_set(&ipc_native, "shmmni", old);
	return extended;
}

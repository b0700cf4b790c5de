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
	.listing = "/proc/sysvipc/shm",
	.sem_listing = "/proc/sysvipc/sem",
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
	.listing = "/proc/kipc/shm",
	.sem_listing = "/proc/kipc/sem",
	.sysctl = "/proc/kipc/sys",
};

/**
 * shm_rows() - read the listing of segments
 * @rows: filled with at most @max rows
 *
 * Return: the number of rows in the listing, -1 if it cannot be read or parsed.
 */
int shm_rows(const struct ipc *ipc, struct shm_row *rows, int max)
{
	char line[512];
	int n = -1;
	FILE *f = fopen(ipc->listing, "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		struct shm_row r;

		if (n++ < 0)	/* the heading */
			continue;
		if (sscanf(line, "%d %d %o %lu %u %u %lu %u %u %u %u %lu %lu %lu %lu %lu",
			   &r.key, &r.id, &r.mode, &r.size, &r.cpid, &r.lpid, &r.nattch,
			   &r.uid, &r.gid, &r.cuid, &r.cgid, &r.atime, &r.dtime, &r.ctime,
			   &r.rss, &r.swap) != 16) {
			fprintf(stderr, "# %s: cannot parse: %s", ipc->listing, line);
			n = -1;
			break;
		}
		if (n <= max)
			rows[n - 1] = r;
	}
	fclose(f);
	return n;
}

/* Return: 1 if @id is listed, 0 if not, -1 if the listing cannot be read. */
int shm_row_find(const struct ipc *ipc, int id, struct shm_row *row)
{
	int n = shm_rows(ipc, NULL, 0), i, found = 0;
	struct shm_row *rows;

	if (n < 0)
		return -1;
	rows = calloc(n + 1, sizeof(*rows));
	if (!rows)
		return -1;
	i = shm_rows(ipc, rows, n);
	n = i < n ? i : n;
	for (i = 0; i < n && !found; i++)
		if (rows[i].id == id) {
			*row = rows[i];
			found = 1;
		}
	free(rows);
	return found;
}

/* As shm_rows(), of semaphore sets. */
int sem_rows(const struct ipc *ipc, struct sem_row *rows, int max)
{
	char line[512];
	int n = -1;
	FILE *f = fopen(ipc->sem_listing, "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		struct sem_row r;

		if (n++ < 0)	/* the heading */
			continue;
		if (sscanf(line, "%d %d %o %u %u %u %u %u %lu %lu", &r.key, &r.id, &r.mode,
			   &r.nsems, &r.uid, &r.gid, &r.cuid, &r.cgid, &r.otime,
			   &r.ctime) != 10) {
			fprintf(stderr, "# %s: cannot parse: %s", ipc->sem_listing, line);
			n = -1;
			break;
		}
		if (n <= max)
			rows[n - 1] = r;
	}
	fclose(f);
	return n;
}

int sem_row_find(const struct ipc *ipc, int id, struct sem_row *row)
{
	int n = sem_rows(ipc, NULL, 0), i, found = 0;
	struct sem_row *rows;

	if (n < 0)
		return -1;
	rows = calloc(n + 1, sizeof(*rows));
	if (!rows)
		return -1;
	i = sem_rows(ipc, rows, n);
	n = i < n ? i : n;
	for (i = 0; i < n && !found; i++)
		if (rows[i].id == id) {
			*row = rows[i];
			found = 1;
		}
	free(rows);
	return found;
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

bool native_ids_extended(void)
{
	/* shmmni may be set up to the number of ids there are. */
	long long old = ipc_limit_get(&ipc_native, "shmmni");
	bool extended = ipc_limit_set(&ipc_native, "shmmni", 1 << 24) == 0;

	if (extended)
		ipc_limit_set(&ipc_native, "shmmni", old);
	return extended;
}

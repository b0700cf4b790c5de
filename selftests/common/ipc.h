/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls under test, as tables: the same test body runs on native IPC, which
 * is the oracle, and on kipc.
 */
#ifndef KIPC_SELFTESTS_IPC_H
#define KIPC_SELFTESTS_IPC_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/types.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY	15
#endif
#ifndef SHM_DEST
#define SHM_DEST	01000
#endif
#ifndef SHM_LOCKED
#define SHM_LOCKED	02000
#endif
#ifndef SHM_HUGE_SHIFT
#define SHM_HUGE_SHIFT	26
#endif

#define PAGE		4096ul
#define POISON		0xa5

/**
 * struct ipc - one implementation of System V IPC
 * @name: "native" or "kipc"
 * @listing: its /proc file of segments
 * @sysctl: the directory of its limits
 */
struct ipc {
	const char *name;
	int (*shmget)(key_t key, size_t size, int flags);
	void *(*shmat)(int id, const void *addr, int flags);
	int (*shmdt)(const void *addr);
	int (*shmctl)(int id, int cmd, struct shmid_ds *buf);
	const char *listing;
	const char *sysctl;
};

extern const struct ipc ipc_native, ipc_kipc;

/* The other implementation: a call on one must leave no trace in it. */
static inline const struct ipc *ipc_other(const struct ipc *ipc)
{
	return ipc == &ipc_kipc ? &ipc_native : &ipc_kipc;
}

/* One line of a listing. */
struct shm_row {
	int key, id;
	unsigned int mode;
	unsigned long size;
	unsigned int cpid, lpid;
	unsigned long nattch;
	unsigned int uid, gid, cuid, cgid;
	unsigned long atime, dtime, ctime;
	unsigned long rss, swap;
};

int shm_rows(const struct ipc *ipc, struct shm_row *rows, int max);
int shm_row_find(const struct ipc *ipc, int id, struct shm_row *row);

/* /proc/kipc/ids, one kind; every field is -1 when the file or the row is missing. */
struct kipc_ids_row {
	long in_use, max_idx, seq, next_id, limit, created, removed;
};

struct kipc_ids_row kipc_ids_read(const char *kind);

long long ipc_limit_get(const struct ipc *ipc, const char *name);
int ipc_limit_set(const struct ipc *ipc, const char *name, long long value);

/* IPC_STAT into poisoned memory, so that a field that is not written shows. */
int shm_stat(const struct ipc *ipc, int id, struct shmid_ds *ds);
/* The attachments of a segment, or -errno. */
long shm_nattch(const struct ipc *ipc, int id);

/* Whether native ids have kipc's shape: the boot option ipcmni_extend. */
bool native_ids_extended(void);

#endif /* KIPC_SELFTESTS_IPC_H */

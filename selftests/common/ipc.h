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
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/types.h>
#include <time.h>

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
#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY	20
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY	13
#endif
#ifndef MSG_COPY
#define MSG_COPY	040000
#endif
#define SEMVMX		32767		/* the highest value of a semaphore */
#define SEMAEM		32767		/* of an undo value; the lowest is -SEMAEM - 1 */

/* The fourth argument of semctl(2), which each program has to declare itself. */
union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
	unsigned long word;
};

#define PAGE		4096ul
#define POISON		0xa5

/**
 * struct ipc - one implementation of System V IPC
 * @name: "native" or "kipc"
 * @listing: its /proc file of segments
 * @sem_listing: its /proc file of semaphore sets
 * @msg_listing: its /proc file of message queues
 * @sysctl: the directory of its limits
 */
struct ipc {
	const char *name;
	int (*shmget)(key_t key, size_t size, int flags);
	void *(*shmat)(int id, const void *addr, int flags);
	int (*shmdt)(const void *addr);
	int (*shmctl)(int id, int cmd, struct shmid_ds *buf);
	int (*semget)(key_t key, int nsems, int flags);
	int (*semop)(int id, struct sembuf *sops, size_t nsops);
	int (*semtimedop)(int id, struct sembuf *sops, size_t nsops,
			  const struct timespec *timeout);
	int (*semctl)(int id, int num, int cmd, ...);
	int (*msgget)(key_t key, int flags);
	int (*msgsnd)(int id, const void *msg, size_t size, int flags);
	ssize_t (*msgrcv)(int id, void *msg, size_t size, long type, int flags);
	int (*msgctl)(int id, int cmd, struct msqid_ds *buf);
	const char *listing, *sem_listing, *msg_listing;
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

struct sem_row {
	int key, id;
	unsigned int mode, nsems;
	unsigned int uid, gid, cuid, cgid;
	unsigned long otime, ctime;
};

struct msg_row {
	int key, id;
	unsigned int mode;
	unsigned long cbytes, qnum;
	unsigned int lspid, lrpid;
	unsigned int uid, gid, cuid, cgid;
	unsigned long stime, rtime, ctime;
};

int shm_rows(const struct ipc *ipc, struct shm_row *rows, int max);
int shm_row_find(const struct ipc *ipc, int id, struct shm_row *row);
int sem_rows(const struct ipc *ipc, struct sem_row *rows, int max);
int sem_row_find(const struct ipc *ipc, int id, struct sem_row *row);
int msg_rows(const struct ipc *ipc, struct msg_row *rows, int max);
int msg_row_find(const struct ipc *ipc, int id, struct msg_row *row);

/* /proc/kipc/ids, one kind; every field is -1 when the file or the row is missing. */
struct kipc_ids_row {
	long in_use, max_idx, seq, next_id, limit, created, removed;
};

struct kipc_ids_row kipc_ids_read(const char *kind);

/* /proc/kipc/objects, one object; every number is -1 when the file or the row is missing. */
struct kipc_object_row {
	char lifetime[16];
	long users, calls, handles, orphans;
};

struct kipc_object_row kipc_object_read(const char *kind, int id);

long long ipc_limit_get(const struct ipc *ipc, const char *name);
int ipc_limit_set(const struct ipc *ipc, const char *name, long long value);

/* What comes of a text that is written to a limit, and what the file says afterwards. */
struct limit_text {
	long ret;
	int err;
	char back[64];
};

int ipc_limit_write(const struct ipc *ipc, const char *name, const char *text,
		    struct limit_text *result);

/* The four limits of the file "sem", in its order. */
enum { SEMMSL_LIMIT, SEMMNS_LIMIT, SEMOPM_LIMIT, SEMMNI_LIMIT, SEM_LIMITS };

int sem_limits_get(const struct ipc *ipc, long *limits);
int sem_limit_set(const struct ipc *ipc, int which, long value);

/* IPC_STAT into poisoned memory, so that a field that is not written shows. */
int shm_stat(const struct ipc *ipc, int id, struct shmid_ds *ds);
/* The attachments of a segment, or -errno. */
long shm_nattch(const struct ipc *ipc, int id);

int sem_stat(const struct ipc *ipc, int id, struct semid_ds *ds);

/* One operation on one semaphore, and an array of them as two arguments of a call. */
int semop1(const struct ipc *ipc, int id, int num, int op, int flags);
#define SOPS(...) (struct sembuf[]){ __VA_ARGS__ }, \
	sizeof((struct sembuf[]){ __VA_ARGS__ }) / sizeof(struct sembuf)

static inline int sem_val(const struct ipc *ipc, int id, int num)
{
	return ipc->semctl(id, num, GETVAL);
}

static inline int sem_pid(const struct ipc *ipc, int id, int num)
{
	return ipc->semctl(id, num, GETPID);
}

static inline int sem_ncnt(const struct ipc *ipc, int id, int num)
{
	return ipc->semctl(id, num, GETNCNT);
}

static inline int sem_zcnt(const struct ipc *ipc, int id, int num)
{
	return ipc->semctl(id, num, GETZCNT);
}

int sem_setval(const struct ipc *ipc, int id, int num, int val);
int sem_getall(const struct ipc *ipc, int id, unsigned short *vals);
int sem_setall(const struct ipc *ipc, int id, const unsigned short *vals);
int sem_rmid(const struct ipc *ipc, int id);
/* A new private set with these values, or -1. */
int sem_new(const struct ipc *ipc, int nsems, const unsigned short *vals, int mode);
#define SEMS(...) \
	sizeof((unsigned short[]){ __VA_ARGS__ }) / sizeof(short), (unsigned short[]){ __VA_ARGS__ }

#define MSGMAX		8192		/* the limits' defaults */
#define MSGMNB		16384

/* A message of little text; most tests need no more. */
struct note {
	long type;
	int value;
};
#define NOTE	sizeof(int)

int msg_stat(const struct ipc *ipc, int id, struct msqid_ds *ds);
int msg_set_qbytes(const struct ipc *ipc, int id, unsigned long qbytes);
int msg_rmid(const struct ipc *ipc, int id);
/* Messages in the queue, or -errno. */
long msg_qnum(const struct ipc *ipc, int id);
long msg_cbytes(const struct ipc *ipc, int id);

/* A note; to receive returns its value, which is not negative, or -1. */
int msg_send(const struct ipc *ipc, int id, long type, int value, int flags);
int msg_receive(const struct ipc *ipc, int id, long type, int flags);

/*
 * A message of @size bytes, whose text follows from its type.  To receive returns the
 * bytes received, or -1; -2 if the text is another, or something was written beyond.
 */
int msg_send_bytes(const struct ipc *ipc, int id, long type, size_t size, int flags);
ssize_t msg_receive_bytes(const struct ipc *ipc, int id, size_t size, long type, int flags);

/* Whether native ids have kipc's shape: the boot option ipcmni_extend. */
bool native_ids_extended(void);

#endif /* KIPC_SELFTESTS_IPC_H */

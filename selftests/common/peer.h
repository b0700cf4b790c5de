/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second process that does what it is told, one call at a time, so that a test
 * with several processes is a sequence and needs no sleep.
 */
#ifndef KIPC_SELFTESTS_PEER_H
#define KIPC_SELFTESTS_PEER_H

#include "ipc.h"

/* What a peer runs: up to six arguments and a buffer shared with the caller. */
typedef long (*peer_fn)(long *arg, void *buf);

#define PEER_BUF	4096

enum peer_state { PEER_IDLE, PEER_TOLD, PEER_BUSY };

struct peer_page {
	peer_fn fn;
	enum peer_state state;
	long arg[6];
	long ret;
	int err;
	char buf[PEER_BUF] __attribute__((aligned(16)));
};

struct peer {
	pid_t pid;
	int cmd, reply;		/* pipes */
	struct peer_page *page;
};

/* Whom a process acts as; uid -1 leaves everything as it is. */
struct who {
	const char *name;
	uid_t uid;
	gid_t gid;
	gid_t group;		/* the one supplementary group, or -1 */
	uint64_t caps;		/* effective capabilities kept by a non-root uid */
};

int become(const struct who *who);

/* Over a Unix socket, with a byte.  Return: 0, or the descriptor; -1: it did not work. */
int send_fd(int to, int fd);
int receive_fd(int from);

int peer_start(struct peer *p);
/* The call's return value and errno; -1 and EPIPE when the peer is dead. */
long peer_run(struct peer *p, peer_fn fn, long a0, long a1, long a2, long a3, long a4);
/*
 * The same in two halves, for a call that sleeps: tell it to begin, and fetch what
 * came of it.  In between, peer_asleep() waits until it is seen asleep within the call
 * (0), or has returned from it (-1).
 */
int peer_begin(struct peer *p, peer_fn fn, long a0, long a1, long a2, long a3, long a4);
long peer_finish(struct peer *p);
int peer_asleep(struct peer *p);
/* As peer_finish(), but EINPROGRESS when nobody has woken it. */
long peer_woken(struct peer *p);
/* End it: 0 lets it exit, else by that signal.  Return: its wait status. */
int peer_end(struct peer *p, int sig);

int peer_become(struct peer *p, const struct who *who);
int peer_shmget(struct peer *p, const struct ipc *ipc, key_t key, size_t size, int flags);
void *peer_shmat(struct peer *p, const struct ipc *ipc, int id, const void *addr, int flags);
int peer_shmdt(struct peer *p, const struct ipc *ipc, const void *addr);
int peer_shmctl(struct peer *p, const struct ipc *ipc, int id, int cmd, struct shmid_ds *ds);
int peer_semget(struct peer *p, const struct ipc *ipc, key_t key, int nsems, int flags);
int peer_semop(struct peer *p, const struct ipc *ipc, int id, const struct sembuf *sops,
	       size_t nsops);
int peer_semop1(struct peer *p, const struct ipc *ipc, int id, int num, int op, int flags);
/* GETVAL to GETZCNT, SETVAL, IPC_RMID: what needs no buffer. */
int peer_semctl(struct peer *p, const struct ipc *ipc, int id, int num, int cmd, int val);
int peer_sem_stat(struct peer *p, const struct ipc *ipc, int id, struct semid_ds *ds);
int peer_sem_set(struct peer *p, const struct ipc *ipc, int id, const struct semid_ds *ds);
/* Begin an operation that must sleep.  Return: 0 once it does, -1 if it did not. */
int peer_block(struct peer *p, const struct ipc *ipc, int id, const struct sembuf *sops,
	       size_t nsops);
int peer_block1(struct peer *p, const struct ipc *ipc, int id, int num, int op, int flags);
int peer_block_timed(struct peer *p, const struct ipc *ipc, int id, const struct sembuf *sops,
		     size_t nsops, const struct timespec *timeout);
int peer_msgget(struct peer *p, const struct ipc *ipc, key_t key, int flags);
/* As msg_send() to msg_receive_bytes(). */
int peer_send(struct peer *p, const struct ipc *ipc, int id, long type, int value, int flags);
int peer_receive(struct peer *p, const struct ipc *ipc, int id, long type, int flags);
int peer_send_bytes(struct peer *p, const struct ipc *ipc, int id, long type, size_t size,
		    int flags);
int peer_receive_bytes(struct peer *p, const struct ipc *ipc, int id, size_t size, long type,
		       int flags);
/* With this structure, which may be NULL. */
int peer_msgctl(struct peer *p, const struct ipc *ipc, int id, int cmd, struct msqid_ds *ds);
/* Begin one that must sleep.  Return: 0 once it does, -1 if it did not. */
int peer_block_send(struct peer *p, const struct ipc *ipc, int id, long type, int value);
int peer_block_send_bytes(struct peer *p, const struct ipc *ipc, int id, long type, size_t size);
int peer_block_receive(struct peer *p, const struct ipc *ipc, int id, long type, int flags);
int peer_block_receive_bytes(struct peer *p, const struct ipc *ipc, int id, size_t size, long type,
			     int flags);
int peer_peek(struct peer *p, const void *addr);
int peer_poke(struct peer *p, void *addr, int byte);

/* Of a peer's process: catch a signal with these flags of sigaction, or ignore it (-1). */
int peer_catch(struct peer *p, int sig, int flags);
int peer_mask(struct peer *p, int sig);

/* Run @fn in a child of its own and return its wait status. */
int in_child(int (*fn)(void *arg), void *arg);

/* One that stops when @fn has returned 0, and exits when it goes on; -1: it did not stop. */
pid_t stopped_child(int (*fn)(void *arg), void *arg);
/* One that has taken one of a semaphore of kipc's, with SEM_UNDO. */
pid_t holder(int sem, int num);
/* Return: 0 once it is dead. */
int kill_child(pid_t pid);

/* On one processor, with its children, and before the kernel's workers.  Return: 0 or -1. */
int go_first(void);

/* Whether the byte can be read or written; else the signal that it gave. */
int probe_read(const void *addr);
int probe_write(void *addr);

/* Poll a condition that another party will make true; the harness bounds it. */
#define wait_until(cond) do { while (!(cond)) wait_a_little(); } while (0)
void wait_a_little(void);

/* The letter of its state in /proc, or 0 when it is gone. */
char task_state(pid_t tid);
/* Whether it sleeps, interruptibly, and nobody has woken it. */
bool task_asleep(pid_t tid);
/* Wait until a thread is seen asleep in the kernel (state S or D). */
int wait_asleep(pid_t tid);

#endif /* KIPC_SELFTESTS_PEER_H */

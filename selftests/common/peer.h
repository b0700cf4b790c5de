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

#define PEER_BUF	2048

struct peer_page {
	peer_fn fn;
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

int peer_start(struct peer *p);
/* The call's return value and errno; -1 and EPIPE when the peer is dead. */
long peer_run(struct peer *p, peer_fn fn, long a0, long a1, long a2, long a3, long a4);
/* End it: 0 lets it exit, else by that signal.  Return: its wait status. */
int peer_end(struct peer *p, int sig);

int peer_become(struct peer *p, const struct who *who);
int peer_shmget(struct peer *p, const struct ipc *ipc, key_t key, size_t size, int flags);
void *peer_shmat(struct peer *p, const struct ipc *ipc, int id, const void *addr, int flags);
int peer_shmdt(struct peer *p, const struct ipc *ipc, const void *addr);
int peer_shmctl(struct peer *p, const struct ipc *ipc, int id, int cmd, struct shmid_ds *ds);
int peer_peek(struct peer *p, const void *addr);
int peer_poke(struct peer *p, void *addr, int byte);

/* Run @fn in a child of its own and return its wait status. */
int in_child(int (*fn)(void *arg), void *arg);

/* Whether the byte can be read or written; else the signal that it gave. */
int probe_read(const void *addr);
int probe_write(void *addr);

/* Poll a condition that another party will make true; the harness bounds it. */
#define wait_until(cond) do { while (!(cond)) wait_a_little(); } while (0)
void wait_a_little(void);

/* Wait until a thread is seen asleep in the kernel (state S or D). */
int wait_asleep(pid_t tid);

#endif /* KIPC_SELFTESTS_PEER_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkipc: System V shared memory by the kipc module.
 *
 * kipc_shmget(), kipc_shmat(), kipc_shmdt() and kipc_shmctl() are shmget(2),
 * shmat(2), shmdt(2) and shmctl(2), word for word: arguments, results, errno.
 * They may be called from signal handlers, are no cancellation points, and
 * work in a child made by fork, vfork or a bare clone.
 *
 * Every function can also fail with ENOSYS (no kipc on this system), EPROTO
 * (library and module of different versions), EACCES (the device is restricted),
 * or EMFILE, ENFILE, ENOMEM (no descriptor for the device); kipc_query(3).
 */
#ifndef _KIPC_H
#define _KIPC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/types.h>
#include <linux/kipc.h>

#ifdef __cplusplus
extern "C" {
#endif

int kipc_shmget(key_t key, size_t size, int shmflg);
void *kipc_shmat(int shmid, const void *shmaddr, int shmflg);
int kipc_shmdt(const void *shmaddr);
int kipc_shmctl(int shmid, int cmd, struct shmid_ds *buf);

/* kipc_shmget(), and how long a segment made by this call lives: KIPC_LIFETIME_*. */
int kipc_shmget_lifetime(key_t key, size_t size, int shmflg, unsigned int lifetime);

/*
 * What the module is.  When it fails with EPROTO, *query is filled in
 * nevertheless, as far as that module could.
 */
int kipc_query(struct kipc_query *query);

/* Read or set a limit of the caller's IPC namespace: KIPC_LIMIT_*. */
int kipc_limit_get(unsigned int limit, uint64_t *value);
int kipc_limit_set(unsigned int limit, uint64_t value);

#ifdef __cplusplus
}
#endif

#endif /* _KIPC_H */

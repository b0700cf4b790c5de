/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkipc: System V shared memory, semaphores and message queues by the kipc module.
 *
 * kipc_shmget(), kipc_shmat() and so on are shmget(2), shmat(2) and so on, word for
 * word: arguments, results, errno.
 * They may be called from signal handlers, are no cancellation points, and
 * work in a child made by fork, vfork or a bare clone.
 *
 * Every function can also fail with ENOSYS (no kipc on this system), EPROTO
 * (library and module of different versions), EACCES (the device is restricted),
 * or EMFILE, ENFILE, ENOMEM (no descriptor for the device); kipc_query(3).
 */
#ifndef _KIPC_H
#define _KIPC_H

#include <mqueue.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/types.h>
#include <time.h>
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
 * Make a segment of a memfd that is sealed against shrinking and open for reading and
 * writing; mode is of nine bits.  And the memory of a segment as a descriptor, for O_RDONLY or
 * O_RDWR, and O_CLOEXEC.
 */
int kipc_shm_adopt(key_t key, int memfd, mode_t mode);
int kipc_shm_export(int shmid, int flags);

/* A 32-bit program with a time_t of 64 bits (_TIME_BITS) has these functions for it. */
#if defined(__i386__) && defined(__USE_TIME_BITS64)
#define KIPC_TIME64(name)	__asm__(name "_time64")
#else
#define KIPC_TIME64(name)
#endif

/* semget(2), semop(2), semtimedop(2), semctl(2), word for word. */
int kipc_semget(key_t key, int nsems, int semflg);
int kipc_semop(int semid, struct sembuf *sops, size_t nsops);
int kipc_semtimedop(int semid, struct sembuf *sops, size_t nsops,
		    const struct timespec *timeout) KIPC_TIME64("kipc_semtimedop");
int kipc_semctl(int semid, int semnum, int cmd, ...);

/* kipc_semget(), and how long a set made by this call lives: KIPC_LIFETIME_*. */
int kipc_semget_lifetime(key_t key, int nsems, int semflg, unsigned int lifetime);

/*
 * kipc_semop() with a time-out on a clock of the caller's choice: CLOCK_MONOTONIC,
 * CLOCK_REALTIME or CLOCK_BOOTTIME; flags: TIMER_ABSTIME for a point of time; timeout
 * NULL: none.  KIPC_SEM_OP_OWNER in flags: fails with EOWNERDEAD, but is carried out, if
 * who had taken what this takes has died with it, and nobody was told yet.
 */
int kipc_semclockop(int semid, struct sembuf *sops, size_t nsops, clockid_t clock,
		    int flags, const struct timespec *timeout) KIPC_TIME64("kipc_semclockop");

/* msgget(2), msgsnd(2), msgrcv(2), msgctl(2), word for word. */
int kipc_msgget(key_t key, int msgflg);
int kipc_msgsnd(int msqid, const void *msgp, size_t msgsz, int msgflg);
ssize_t kipc_msgrcv(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg);
int kipc_msgctl(int msqid, int cmd, struct msqid_ds *buf);

/* kipc_msgget(), and how long a queue made by this call lives: KIPC_LIFETIME_*. */
int kipc_msgget_lifetime(key_t key, int msgflg, unsigned int lifetime);

/*
 * kipc_msgsnd() and kipc_msgrcv() with a time-out, as kipc_semclockop() has it; EAGAIN
 * when it is over.
 */
int kipc_msgclocksnd(int msqid, const void *msgp, size_t msgsz, int msgflg, clockid_t clock,
		     int flags, const struct timespec *timeout)
	KIPC_TIME64("kipc_msgclocksnd");
ssize_t kipc_msgclockrcv(int msqid, void *msgp, size_t msgsz, long msgtyp, int msgflg,
			 clockid_t clock, int flags, const struct timespec *timeout)
	KIPC_TIME64("kipc_msgclockrcv");

/*
 * Several messages by one call, at most KIPC_MSG_BATCH; return how many were.  Sending
 * waits until all are sent; receiving waits for the first and takes as many as there
 * are then.  size of each: in, as msgsz; received, its bytes.
 */
int kipc_msgsndv(int msqid, const struct kipc_msg_vec *vec, unsigned int count, int msgflg,
		 clockid_t clock, int flags, const struct timespec *timeout)
	KIPC_TIME64("kipc_msgsndv");
int kipc_msgrcvv(int msqid, struct kipc_msg_vec *vec, unsigned int count, long msgtyp,
		 int msgflg, clockid_t clock, int flags, const struct timespec *timeout)
	KIPC_TIME64("kipc_msgrcvv");

/**
 * struct kipc_filter - what poll(2) and read(2) of a handle are about
 * @sem_num: of a set: the semaphore
 * @sem_op: of a set: what is to be possible: a decrement, or 0, to wait for zero
 * @msgflg: of a queue: MSG_EXCEPT or 0
 * @msgtyp: of a queue: as msgrcv(2) has it
 */
struct kipc_filter {
	unsigned int sem_num;
	int sem_op;
	int msgflg;
	long msgtyp;
};

/*
 * A descriptor that stands for an object: kind is KIPC_KIND_*; flags are O_RDONLY,
 * O_WRONLY or O_RDWR, for the rights that it conveys, O_CLOEXEC and O_NONBLOCK.  filter
 * NULL: a decrement of the first semaphore by one; all messages.
 */
int kipc_handle(int kind, int id, int flags, const struct kipc_filter *filter);

/*
 * Make an object that lives only as descriptors and mappings, and return a descriptor
 * that stands for it.  size: bytes of a segment, semaphores of a set, 0 of a queue;
 * flags and filter as kipc_handle() has them; mode: what others may do who find its id.
 */
int kipc_handle_create(int kind, size_t size, int flags, mode_t mode,
		       const struct kipc_filter *filter);

/*
 * Have an eventfd counted up by one whenever something of events, POLLIN and POLLOUT,
 * becomes so for the handle, at once if it is so, and when the object is removed;
 * eventfd -1 with events 0: no longer.
 */
int kipc_handle_notify(int handle, int eventfd, short events);

/*
 * IPC_STAT through a handle, which must be open to read.  kind: the handle's, and buf what
 * shmctl(), semctl() or msgctl() fill in.
 */
int kipc_handle_stat(int handle, int kind, void *buf);

/*
 * Give the object of a handle, which has no key, this one, and a lifetime:
 * KIPC_LIFETIME_PERSISTENT or KIPC_LIFETIME_USERS.  Others find it as it is then.
 */
int kipc_handle_publish(int handle, key_t key, unsigned int lifetime);

/* Calls on a handle; time-outs as kipc_semclockop() has them. */
int kipc_handle_semop(int handle, struct sembuf *sops, size_t nsops, clockid_t clock,
		      int flags, const struct timespec *timeout)
	KIPC_TIME64("kipc_handle_semop");
int kipc_handle_msgsnd(int handle, const void *msgp, size_t msgsz, int msgflg, clockid_t clock,
		       int flags, const struct timespec *timeout)
	KIPC_TIME64("kipc_handle_msgsnd");
ssize_t kipc_handle_msgrcv(int handle, void *msgp, size_t msgsz, long msgtyp, int msgflg,
			   clockid_t clock, int flags, const struct timespec *timeout)
	KIPC_TIME64("kipc_handle_msgrcv");

/* The arguments of a call on a handle, for what is carried out later. */
static inline void kipc_call_semop(struct kipc_sem_op *call, const struct sembuf *sops,
				   size_t nsops)
{
	call->id = KIPC_SELF;
	call->nsops = (unsigned int)nsops;
	call->sops = (uintptr_t)sops;
	call->timeout = 0;
	call->flags = 0;
	call->clock = 0;
}

/* As kipc_handle_msgsnd(), with msgtyp 0, and kipc_handle_msgrcv() have them. */
static inline void kipc_call_message(struct kipc_msg_op *call, const void *msgp, size_t msgsz,
				     long msgtyp, int msgflg)
{
	call->id = KIPC_SELF;
	call->flags = (unsigned int)msgflg;
	call->type = msgtyp;
	call->msg = (uintptr_t)msgp;
	call->size = msgsz;
	call->timeout = 0;
	call->timeout_flags = 0;
	call->clock = 0;
	call->count = 0;
	call->pad = 0;
}

/*
 * Wait until one of several is possible, carry that out and no other; returns its number.
 * See struct kipc_any; kipc_call_semop() and kipc_call_message() fill in what its arg leads
 * to.  A message begins with its type in 64 bits.  Time-outs as kipc_semclockop() has them.
 */
int kipc_wait_any(struct kipc_any *any, unsigned int count, clockid_t clock, int flags,
		  const struct timespec *timeout) KIPC_TIME64("kipc_wait_any");

/* shm_open(3), shm_unlink(3), word for word; the descriptor can be sealed, too. */
int kipc_shm_open(const char *name, int oflag, mode_t mode);
int kipc_shm_unlink(const char *name);

/* kipc_shm_open(), and how many bytes a segment that is made by this call has from the first. */
int kipc_shm_open_size(const char *name, int oflag, mode_t mode, size_t size);

/*
 * Give a memfd of the caller's, sealed against shrinking and open for reading and writing, a
 * name that kipc_shm_open() opens, and these permissions: nobody meets it before it is filled.
 */
int kipc_shm_publish(const char *name, int memfd, mode_t mode);

/* sem_open(3) and so on, word for word, on semaphores that kipc_sem_open() returned. */
sem_t *kipc_sem_open(const char *name, int oflag, ...);
int kipc_sem_close(sem_t *sem);
int kipc_sem_unlink(const char *name);
int kipc_sem_wait(sem_t *sem);
int kipc_sem_trywait(sem_t *sem);
int kipc_sem_timedwait(sem_t *sem, const struct timespec *timeout)
	KIPC_TIME64("kipc_sem_timedwait");
int kipc_sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *timeout)
	KIPC_TIME64("kipc_sem_clockwait");
int kipc_sem_post(sem_t *sem);
int kipc_sem_getvalue(sem_t *sem, int *value);

/* mq_open(3) and so on, word for word, on queues that kipc_mq_open() returned. */
mqd_t kipc_mq_open(const char *name, int oflag, ...);
int kipc_mq_close(mqd_t mqdes);
int kipc_mq_unlink(const char *name);
int kipc_mq_send(mqd_t mqdes, const char *msg, size_t len, unsigned int prio);
ssize_t kipc_mq_receive(mqd_t mqdes, char *msg, size_t len, unsigned int *prio);
int kipc_mq_timedsend(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
		      const struct timespec *timeout) KIPC_TIME64("kipc_mq_timedsend");
ssize_t kipc_mq_timedreceive(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
			     const struct timespec *timeout)
	KIPC_TIME64("kipc_mq_timedreceive");
int kipc_mq_getattr(mqd_t mqdes, struct mq_attr *attr);
int kipc_mq_setattr(mqd_t mqdes, const struct mq_attr *attr, struct mq_attr *old);
int kipc_mq_notify(mqd_t mqdes, const struct sigevent *event);

/* With a point of time of a clock of the caller's choice, as kipc_semclockop() has them. */
int kipc_mq_clocksend(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
		      clockid_t clock, const struct timespec *timeout)
	KIPC_TIME64("kipc_mq_clocksend");
ssize_t kipc_mq_clockreceive(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
			     clockid_t clock, const struct timespec *timeout)
	KIPC_TIME64("kipc_mq_clockreceive");

/*
 * A byte stream, which is a FIFO with an id, a capacity and a lifetime: open, or make, the one
 * of that name.  oflag: O_RDONLY, O_WRONLY or O_RDWR, O_CREAT, O_EXCL, O_CLOEXEC, O_NONBLOCK.
 * Of one that is made, size: the bytes that it holds at least, 0: 65,536; lifetime:
 * KIPC_LIFETIME_PERSISTENT or KIPC_LIFETIME_USERS.
 */
int kipc_stream_open(const char *name, int oflag, mode_t mode, size_t size,
		     unsigned int lifetime);
int kipc_stream_unlink(const char *name);

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

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * POSIX IPC: the same test body on the C library's, which is the oracle, and on kipc's.
 *
 * Each test has a namespace and a directory /dev/shm of its own, both empty.
 */
#ifndef KIPC_SELFTESTS_POSIX_H
#define KIPC_SELFTESTS_POSIX_H

#include "common/mem.h"
#include "common/peer.h"

#include <fcntl.h>
#include <kipc.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/**
 * struct posix - one implementation of POSIX IPC
 * @name: "native" or "kipc"
 * @mq_limits: the directory of the limits of message queues
 */
struct posix {
	const char *name;
	int (*shm_open)(const char *name, int oflag, mode_t mode);
	int (*shm_unlink)(const char *name);
	sem_t *(*sem_open)(const char *name, int oflag, ...);
	int (*sem_close)(sem_t *sem);
	int (*sem_unlink)(const char *name);
	int (*sem_wait)(sem_t *sem);
	int (*sem_trywait)(sem_t *sem);
	int (*sem_timedwait)(sem_t *sem, const struct timespec *timeout);
	int (*sem_clockwait)(sem_t *sem, clockid_t clock, const struct timespec *timeout);
	int (*sem_post)(sem_t *sem);
	int (*sem_getvalue)(sem_t *sem, int *value);
	mqd_t (*mq_open)(const char *name, int oflag, ...);
	int (*mq_close)(mqd_t mqdes);
	int (*mq_unlink)(const char *name);
	int (*mq_send)(mqd_t mqdes, const char *msg, size_t len, unsigned int prio);
	ssize_t (*mq_receive)(mqd_t mqdes, char *msg, size_t len, unsigned int *prio);
	int (*mq_timedsend)(mqd_t mqdes, const char *msg, size_t len, unsigned int prio,
			    const struct timespec *timeout);
	ssize_t (*mq_timedreceive)(mqd_t mqdes, char *msg, size_t len, unsigned int *prio,
				   const struct timespec *timeout);
	int (*mq_getattr)(mqd_t mqdes, struct mq_attr *attr);
	int (*mq_setattr)(mqd_t mqdes, const struct mq_attr *attr, struct mq_attr *old);
	int (*mq_notify)(mqd_t mqdes, const struct sigevent *event);
	const char *mq_limits;
};

static const struct posix posix_native = {
	"native", shm_open, shm_unlink, sem_open, sem_close, sem_unlink, sem_wait, sem_trywait,
	sem_timedwait, sem_clockwait, sem_post, sem_getvalue,
	mq_open, mq_close, mq_unlink, mq_send, mq_receive, mq_timedsend, mq_timedreceive,
	mq_getattr, mq_setattr, mq_notify, "/proc/sys/fs/mqueue",
};

static const struct posix posix_kipc = {
	"kipc", kipc_shm_open, kipc_shm_unlink, kipc_sem_open, kipc_sem_close, kipc_sem_unlink,
	kipc_sem_wait, kipc_sem_trywait, kipc_sem_timedwait, kipc_sem_clockwait, kipc_sem_post,
	kipc_sem_getvalue,
	kipc_mq_open, kipc_mq_close, kipc_mq_unlink, kipc_mq_send, kipc_mq_receive,
	kipc_mq_timedsend, kipc_mq_timedreceive, kipc_mq_getattr, kipc_mq_setattr,
	kipc_mq_notify, "/proc/kipc/sys",
};

#define ALICE	1000
#define BOB	1001

static const struct who alice = { "alice", ALICE, ALICE, -1, 0 };
static const struct who bob = { "bob, of alice's group", BOB, BOB, ALICE, 0 };
static const struct who other = { "other", 1002, 1002, -1, 0 };

/* A world with nothing in it. */
static inline int begin_posix(void)
{
	umask(022);
	/* As Debian has it: what somebody else has made is not opened by who would make it. */
	if (write_text("/proc/sys/fs/protected_regular", "1"))
		return -1;
	return unshare(CLONE_NEWIPC | CLONE_NEWNS) ||
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("shm", "/dev/shm", "tmpfs", 0, "mode=1777") ? -1 : 0;
}

/* How many objects with names kipc shows: all, or one kind. */
static inline int count_names(const char *kind)
{
	FILE *f = fopen("/proc/kipc/names", "re");
	char line[2048];
	int count = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (count < 0 || !kind || !strncmp(line, kind, strlen(kind)))
			count++;
	fclose(f);
	return count;
}

/* Return: 0, or another value: one of the two threads returned something. */
static inline int run_twice(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	void *ret;

	if (pthread_create(&thread, NULL, run, arg))
		return 1;
	return run(arg) || pthread_join(thread, &ret) || ret;
}

/* Two threads each in four processes pass on what there is, @there or @back.  Return: likewise. */
static inline int pass_all(void *(*pass)(void *), void *there, void *back)
{
	int i, status, wrong = 0;
	pid_t child[4];

	for (i = 0; i < 4; i++) {
		child[i] = fork();
		if (!child[i])
			_exit(run_twice(pass, i & 1 ? back : there));
	}
	for (i = 0; i < 4; i++)
		wrong |= child[i] < 0 || waitpid(child[i], &status, 0) != child[i] || status;
	return wrong;
}

/*
 * For who includes common/harness.h: a fixture with three peers and the two implementations as
 * variants.
 */
#define POSIX_FIXTURE(_name) \
	FIXTURE(_name) { struct peer p[3]; }; \
	FIXTURE_VARIANT(_name) { const struct posix *posix; }; \
	FIXTURE_VARIANT_ADD(_name, native) { .posix = &posix_native }; \
	FIXTURE_VARIANT_ADD(_name, kipc) { .posix = &posix_kipc }; \
	FIXTURE_SETUP(_name) \
	{ \
		skip_unless_wanted(variant->posix->name); \
		ASSERT_EQ(0, begin_posix()); \
		for (unsigned int __i = 0; __i < ARRAY_SIZE(self->p); __i++) \
			ASSERT_EQ(0, peer_start(&self->p[__i])); \
	} \
	FIXTURE_TEARDOWN(_name) \
	{ \
		for (unsigned int __i = 0; __i < ARRAY_SIZE(self->p); __i++) \
			if (self->p[__i].pid > 0) \
				peer_end(&self->p[__i], SIGKILL); \
		if (variant->posix == &posix_kipc) \
			EXPECT_EQ(0, count_names(NULL)); \
	}

/* One with a peer, of what is kipc's alone. */
#define KIPC_FIXTURE(_name) \
	FIXTURE(_name) { struct peer p; }; \
	FIXTURE_SETUP(_name) \
	{ \
		ASSERT_EQ(0, begin_posix()); \
		ASSERT_EQ(0, peer_start(&self->p)); \
	} \
	FIXTURE_TEARDOWN(_name) \
	{ \
		peer_end(&self->p, SIGKILL); \
		EXPECT_EQ(0, count_names(NULL)); \
	}

#endif /* KIPC_SELFTESTS_POSIX_H */

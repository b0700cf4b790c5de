// SPDX-License-Identifier: GPL-2.0
/*
 * Sets and IPC namespaces: sleepers and undo values of processes that go elsewhere, and
 * namespaces that end with sets, sleepers and undo values in them.
 */
#include "common/harness.h"
#include "common/device.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

FIXTURE(space) { int home; };
FIXTURE_VARIANT(space) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(space, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(space, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(space)
{
	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	/* The library opens its descriptor now, before references are counted. */
	ASSERT_EQ(-1, variant->ipc->semget(1, 0, 0));
	ASSERT_EQ(ENOENT, errno);
	self->home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->home);
}

FIXTURE_TEARDOWN(space)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

static long do_unshare(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return unshare(CLONE_NEWIPC);
}

static int ns_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* To where another process is. */
static long do_visit(long *arg, void *buf)
{
	int fd = ns_of(arg[0]), ret;

	(void)buf;
	ret = setns(fd, CLONE_NEWIPC);
	close(fd);
	return ret;
}

/* Equal ids and keys, different sets. */
TEST_F(space, independent)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(1, 1, IPC_CREAT | 0600), theirs;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	theirs = peer_semget(&p, ipc, 1, 1, IPC_CREAT | IPC_EXCL | 0600);
	EXPECT_EQ(id, theirs);
	EXPECT_EQ(0, peer_semop1(&p, ipc, theirs, 0, 5, SEM_UNDO));
	EXPECT_EQ(0, sem_val(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 3, 0));
	EXPECT_EQ(5, peer_semctl(&p, ipc, theirs, 0, GETVAL, 0));
	EXPECT_EQ(0, peer_semctl(&p, ipc, theirs, 0, IPC_RMID, 0));
	EXPECT_EQ(3, sem_val(ipc, id, 0));
	peer_end(&p, 0);
	EXPECT_EQ(3, sem_val(ipc, id, 0));
}

/*
 * Whoever leaves cannot operate there any more, and what he did is undone: natively as he
 * leaves, in kipc when he ends, at the latest.
 */
TEST_F(space, left_by_unshare)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, SEM_UNDO));
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	EXPECT_ERR(EINVAL, peer_semop1(&p, ipc, id, 0, 1, 0));
	if (ipc == &ipc_native) {
		EXPECT_EQ(10, sem_val(ipc, id, 0));
	}
	/* A set of the same id elsewhere has nothing to do with it. */
	EXPECT_EQ(id, peer_semget(&p, ipc, IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, SEM_UNDO));
	peer_end(&p, 0);
	EXPECT_EQ(10, sem_val(ipc, id, 0));
}

TEST_F(space, left_by_setns)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p, q;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_run(&q, do_visit, p.pid, 0, 0, 0, 0));
	id = peer_semget(&p, ipc, IPC_PRIVATE, 1, 0600);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 10, 0));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -3, SEM_UNDO));
	ASSERT_EQ(0, peer_run(&q, do_visit, getpid(), 0, 0, 0, 0));
	EXPECT_ERR(EINVAL, peer_semop1(&q, ipc, id, 0, 1, 0));
	peer_end(&q, SIGKILL);
	EXPECT_EQ(10, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	/* And back again: the same process, the same set. */
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_run(&q, do_visit, p.pid, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -3, SEM_UNDO));
	ASSERT_EQ(0, peer_run(&q, do_visit, getpid(), 0, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&q, do_visit, p.pid, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -2, SEM_UNDO));
	peer_end(&q, SIGKILL);
	EXPECT_EQ(10, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	peer_end(&p, 0);
}

/* A sleeper is in the namespace of its call, wherever the process' other threads go. */
static long sleeper_args[2];
static int sleeper_ret;

static void *sleep_here(void *arg)
{
	(void)arg;
	sleeper_ret = semop1((const struct ipc *)sleeper_args[0], sleeper_args[1], 0, -1, 0);
	return NULL;
}

TEST_F(space, one_thread_elsewhere)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600);
	pthread_t t;

	ASSERT_LE(0, id);
	sleeper_args[0] = (long)ipc;
	sleeper_args[1] = id;
	sleeper_ret = -2;
	ASSERT_EQ(0, pthread_create(&t, NULL, sleep_here, NULL));
	wait_until(sem_ncnt(ipc, id, 0) == 1);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_ERR(EINVAL, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(id, ipc->semget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(0, sem_ncnt(ipc, id, 0));
	ASSERT_EQ(0, setns(self->home, CLONE_NEWIPC));
	EXPECT_EQ(1, sem_ncnt(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	ASSERT_EQ(0, pthread_join(t, NULL));
	EXPECT_EQ(0, sleeper_ret);
}

static long module_pins(const struct ipc *ipc)
{
	return ipc == &ipc_kipc ? module_refs() : 0;
}

/* Fill a fresh namespace: many sets, some with undo values. */
static long do_fill(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	int i, id;

	(void)buf;
	if (unshare(CLONE_NEWIPC))
		return -1;
	for (i = 0; i < 50; i++) {
		id = ipc->semget(i + 1, 100, IPC_CREAT | 0600);
		if (id < 0 || semop1(ipc, id, i, 5, i % 2 ? SEM_UNDO : 0))
			return -1;
	}
	return 0;
}

TEST_F(space, ends_with_its_process)
{
	const struct ipc *ipc = variant->ipc;
	long before = module_pins(ipc);
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
	peer_end(&p, SIGKILL);
	wait_until(module_pins(ipc) <= before);
}

/* With undo values of a process that lives on elsewhere: they go with the sets. */
TEST_F(space, ends_with_undo_outstanding)
{
	const struct ipc *ipc = variant->ipc;
	long before;
	struct peer p;
	int i;

	ASSERT_EQ(0, peer_start(&p));
	/* It has a record from now on, with sets of two namespaces. */
	ASSERT_EQ(0, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&p, do_visit, getpid(), 0, 0, 0, 0));
	before = module_pins(ipc);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
		ASSERT_EQ(0, peer_run(&p, do_visit, getpid(), 0, 0, 0, 0));
	}
	wait_until(module_pins(ipc) <= before);
	peer_end(&p, 0);
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

/* Sleepers keep their namespace, and leave it by being killed. */
TEST_F(space, ends_with_its_sleepers)
{
	const struct ipc *ipc = variant->ipc;
	long before = module_pins(ipc);
	struct peer p[4];
	int i, id, there;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, peer_run(&p[0], do_fill, (long)ipc, 0, 0, 0, 0));
	there = ns_of(p[0].pid);
	ASSERT_LE(0, there);
	id = peer_semget(&p[0], ipc, 1, 0, 0);
	ASSERT_LE(0, id);
	for (i = 0; i < 4; i++) {
		if (i) {
			ASSERT_EQ(0, peer_run(&p[i], do_visit, p[0].pid, 0, 0, 0, 0));
		}
		ASSERT_EQ(0, peer_block(&p[i], ipc, id, SOPS({ 7, -1, SEM_UNDO },
							     { i, -1, SEM_UNDO })));
	}
	ASSERT_EQ(0, setns(there, CLONE_NEWIPC));
	EXPECT_EQ(4, sem_ncnt(ipc, id, 7));
	ASSERT_EQ(0, setns(self->home, CLONE_NEWIPC));
	close(there);
	for (i = 0; i < 4; i++)
		peer_end(&p[i], SIGKILL);
	wait_until(module_pins(ipc) <= before);
}

/* Many, at once and one after another. */
TEST_F_TIMEOUT(space, many, 100)
{
	enum { N = 40 };
	const struct ipc *ipc = variant->ipc;
	long before = module_pins(ipc);
	int i, round;

	for (round = 0; round < 3; round++) {
		struct peer p[N];

		for (i = 0; i < N; i++) {
			ASSERT_EQ(0, peer_start(&p[i]));
			ASSERT_EQ(0, peer_run(&p[i], do_unshare, 0, 0, 0, 0, 0));
			/* The same key and the same id in each. */
			ASSERT_EQ(0, peer_semget(&p[i], ipc, 1, 2, IPC_CREAT | 0600));
			ASSERT_EQ(0, peer_semop1(&p[i], ipc, 0, 1, i, SEM_UNDO));
		}
		for (i = 0; i < N; i++)
			EXPECT_EQ(i, peer_semctl(&p[i], ipc, 0, 1, GETVAL, 0));
		for (i = 0; i < N; i++)
			peer_end(&p[i], i % 2 ? SIGKILL : 0);
	}
	wait_until(module_pins(ipc) <= before);
}

/* A visitor operates on what is there, and is waited for by those who live there. */
TEST_F(space, visited)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p, q;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	id = peer_semget(&p, ipc, 1, 0, 0);
	ASSERT_EQ(0, peer_block1(&p, ipc, id, 9, -1, 0));
	ASSERT_EQ(0, peer_run(&q, do_visit, p.pid, 0, 0, 0, 0));
	EXPECT_EQ(1, peer_semctl(&q, ipc, id, 9, GETNCNT, 0));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 9, 1, 0));
	EXPECT_EQ(0, peer_woken(&p));
	EXPECT_EQ(0, peer_semctl(&q, ipc, id, 0, IPC_RMID, 0));
	EXPECT_ERR(EINVAL, peer_semop1(&p, ipc, id, 9, 1, 0));
	peer_end(&p, 0);
	/* The last one in there now. */
	EXPECT_LE(0, peer_semget(&q, ipc, 2, 0, 0));
	peer_end(&q, 0);
}

TEST_HARNESS_MAIN

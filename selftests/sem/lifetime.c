// SPDX-License-Identifier: GPL-2.0
/* kipc's own: sets that end with the process that made them. */
#include "common/harness.h"
#include "common/device.h"

#include <kipc.h>
#include <signal.h>
#include <sys/wait.h>

#define KEY	0x600

static const struct ipc *const ipc = &ipc_kipc;

FIXTURE(lifetime) { int unused; };

FIXTURE_SETUP(lifetime)
{
	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(ipc);
}

FIXTURE_TEARDOWN(lifetime)
{
	EXPECT_NOTHING(&ipc_native);
}

static long do_create(long *arg, void *buf)
{
	(void)buf;
	return kipc_semget_lifetime(arg[0], arg[1], IPC_CREAT | 0666, arg[2]);
}

static int peer_create(struct peer *p, key_t key, int nsems)
{
	return peer_run(p, do_create, key, nsems, KIPC_LIFETIME_CREATOR, 0, 0);
}

TEST_F(lifetime, of_the_creator)
{
	struct peer p;
	int id, i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, peer_start(&p));
		id = peer_create(&p, KEY, 3);
		ASSERT_LE(0, id);
		EXPECT_EQ(0, semop1(ipc, id, 2, 1, 0));
		EXPECT_EQ(id, ipc->semget(KEY, 0, 0));
		peer_end(&p, i % 2 ? SIGKILL : 0);
		/* When wait() tells, not some time later. */
		ASSERT_EQ(-1, sem_val(ipc, id, 0))
			TH_LOG("round %d", i);
		ASSERT_EQ(EINVAL, errno);
		ASSERT_EQ(-1, ipc->semget(KEY, 0, 0));
	}
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

TEST_F(lifetime, persistent)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_run(&p, do_create, KEY, 1, KIPC_LIFETIME_PERSISTENT, 0, 0);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(1, sem_val(ipc, id, 0));
	/* It is asked for at creation; later it changes nothing. */
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(id, peer_create(&p, KEY, 1));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(1, sem_val(ipc, id, 0));
}

TEST_F(lifetime, unknown)
{
	static const unsigned int bad[] = { 3, 4, 1u << 31, ~0u };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EINVAL, kipc_semget_lifetime(KEY, 1, IPC_CREAT | 0600, bad[i]));
		EXPECT_ERR(EINVAL, kipc_semget_lifetime(IPC_PRIVATE, 1, 0600, bad[i]));
	}
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

/* Sleepers learn of the end as of a removal. */
TEST_F(lifetime, sleepers)
{
	struct peer owner, p[3];
	int id, i;

	ASSERT_EQ(0, peer_start(&owner));
	id = peer_create(&owner, KEY, 2);
	ASSERT_LE(0, id);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, peer_semop1(&p[0], ipc, id, 1, 1, SEM_UNDO));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, SEM_UNDO));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 1, 0, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 0, -1, 0 }, { 1, -1, 0 })));
	peer_end(&owner, SIGKILL);
	for (i = 0; i < 3; i++)
		EXPECT_ERR(EIDRM, peer_finish(&p[i]));
	EXPECT_ERR(EINVAL, sem_val(ipc, id, 0));
	for (i = 0; i < 3; i++)
		peer_end(&p[i], 0);
}

/* The creator sleeps on its own set, with undo values in it, and dies. */
TEST_F(lifetime, creator_asleep)
{
	struct peer p, q;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	id = peer_create(&p, KEY, 2);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 5, SEM_UNDO));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, 5, SEM_UNDO));
	ASSERT_EQ(0, peer_block1(&p, ipc, id, 1, -1, 0));
	peer_end(&p, SIGKILL);
	EXPECT_ERR(EINVAL, sem_val(ipc, id, 0));
	peer_end(&q, 0);
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

/* Many sets, and segments too, in one process: all gone, in one go. */
TEST_F(lifetime, many)
{
	struct peer p;
	int i;

	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < 300; i++)
		ASSERT_LE(0, peer_create(&p, i % 2 ? KEY + i : IPC_PRIVATE, 1 + i % 7));
	ASSERT_LE(0, sem_new(ipc, SEMS(1), 0600));
	EXPECT_EQ(301, sem_rows(ipc, NULL, 0));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(1, sem_rows(ipc, NULL, 0));
}

/* fork, a thread's end, a change of owner, exec: none of it ends the creator. */
static long do_fork(long *arg, void *buf)
{
	pid_t pid = fork();

	(void)arg;
	(void)buf;
	if (!pid)
		_exit(0);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

TEST_F(lifetime, not_inherited)
{
	struct semid_ds ds;
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY, 1);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, peer_run(&p, do_fork, 0, 0, 0, 0, 0));
	EXPECT_EQ(0, sem_val(ipc, id, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	ds.sem_perm.uid = 1000;
	EXPECT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_EQ(0, sem_val(ipc, id, 0));
	peer_end(&p, 0);
	EXPECT_ERR(EINVAL, sem_val(ipc, id, 0));
}

/* Removed by hand before, its id in use again. */
TEST_F(lifetime, removed_before)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY, 1);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, sem_rmid(ipc, id));
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", id));
	ASSERT_EQ(id, ipc->semget(KEY, 1, IPC_CREAT | 0600));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(0, sem_val(ipc, id, 0));
}

TEST_HARNESS_MAIN

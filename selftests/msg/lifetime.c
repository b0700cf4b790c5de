// SPDX-License-Identifier: GPL-2.0
/* kipc's own: queues that end with the process that made them. */
#include "common/harness.h"

#include <kipc.h>
#include <signal.h>
#include <sys/wait.h>

#define KEY	0x600
#define NW	IPC_NOWAIT

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
	return kipc_msgget_lifetime(arg[0], IPC_CREAT | 0666, arg[1]);
}

static int peer_create(struct peer *p, key_t key)
{
	return peer_run(p, do_create, key, KIPC_LIFETIME_CREATOR, 0, 0, 0);
}

TEST_F(lifetime, of_the_creator)
{
	struct msqid_ds ds;
	struct peer p;
	int id, i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, peer_start(&p));
		id = peer_create(&p, KEY);
		ASSERT_LE(0, id);
		EXPECT_EQ(0, msg_send_bytes(ipc, id, 1, 100 * i, 0));
		EXPECT_EQ(id, ipc->msgget(KEY, 0));
		peer_end(&p, i % 2 ? SIGKILL : 0);
		/* When wait() tells, not some time later. */
		ASSERT_EQ(-1, msg_stat(ipc, id, &ds))
			TH_LOG("round %d", i);
		ASSERT_EQ(EINVAL, errno);
		ASSERT_EQ(-1, ipc->msgget(KEY, 0));
	}
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

TEST_F(lifetime, persistent)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_run(&p, do_create, KEY, KIPC_LIFETIME_PERSISTENT, 0, 0, 0);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 5, 0));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(1, msg_qnum(ipc, id));
	/* It is asked for at creation; later it changes nothing. */
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(id, peer_create(&p, KEY));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(5, msg_receive(ipc, id, 0, NW));
}

TEST_F(lifetime, unknown)
{
	static const unsigned int bad[] = { 3, 4, 1u << 31, ~0u };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EINVAL, kipc_msgget_lifetime(KEY, IPC_CREAT | 0600, bad[i]));
		EXPECT_ERR(EINVAL, kipc_msgget_lifetime(IPC_PRIVATE, 0600, bad[i]));
	}
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

/* Sleepers learn of the end as of a removal. */
TEST_F(lifetime, sleepers)
{
	struct peer owner, p[3];
	int id, i;

	ASSERT_EQ(0, peer_start(&owner));
	id = peer_create(&owner, KEY);
	ASSERT_LE(0, id);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 1, 2));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 2, 0));
	ASSERT_EQ(0, peer_block_receive(&p[2], ipc, id, 1, MSG_EXCEPT));
	peer_end(&owner, SIGKILL);
	for (i = 0; i < 3; i++)
		EXPECT_ERR(EIDRM, peer_finish(&p[i]));
	EXPECT_ERR(EINVAL, msg_send(ipc, id, 1, 1, NW));
	for (i = 0; i < 3; i++)
		peer_end(&p[i], 0);
}

/* The creator sleeps on its own queue, and dies. */
TEST_F(lifetime, creator_asleep)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_block_receive(&p, ipc, id, 2, 0));
	peer_end(&p, SIGKILL);
	EXPECT_ERR(EINVAL, msg_send(ipc, id, 1, 1, NW));
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

/* Many queues, sets and segments in one process: all gone, in one go. */
static long do_create_others(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return kipc_semget_lifetime(IPC_PRIVATE, 2, 0600, KIPC_LIFETIME_CREATOR) < 0 ||
	       kipc_shmget_lifetime(IPC_PRIVATE, PAGE, 0600, KIPC_LIFETIME_CREATOR) < 0 ? -1 : 0;
}

TEST_F(lifetime, many)
{
	struct peer p;
	int i, kept;

	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < 300; i++) {
		int id = peer_create(&p, i % 2 ? KEY + i : IPC_PRIVATE);

		ASSERT_LE(0, id);
		ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, i, NW));
		if (i % 10 == 0) {
			ASSERT_EQ(0, peer_run(&p, do_create_others, 0, 0, 0, 0, 0));
		}
	}
	kept = ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, kept);
	EXPECT_EQ(301, msg_rows(ipc, NULL, 0));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(1, msg_rows(ipc, NULL, 0));
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
	EXPECT_EQ(0, msg_rmid(ipc, kept));
}

/* A fork, a change of owner: none of it ends the creator. */
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
	struct msqid_ds ds;
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, peer_run(&p, do_fork, 0, 0, 0, 0, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	ds.msg_perm.uid = 1000;
	EXPECT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	EXPECT_EQ(0, msg_qnum(ipc, id));
	peer_end(&p, 0);
	EXPECT_ERR(EINVAL, msg_stat(ipc, id, &ds));
}

/* Removed by hand before, its id in use again. */
TEST_F(lifetime, removed_before)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, msg_rmid(ipc, id));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msg_next_id", id));
	ASSERT_EQ(id, ipc->msgget(KEY, IPC_CREAT | 0600));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

TEST_HARNESS_MAIN

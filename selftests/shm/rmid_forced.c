// SPDX-License-Identifier: GPL-2.0
/* kernel.shm_rmid_forced: no segment without an attachment but the creator's own. */
#include "common/harness.h"

#include <fcntl.h>
#include <pthread.h>

FIXTURE(forced) { int unused; };
FIXTURE_VARIANT(forced) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(forced, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(forced, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(forced)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, ipc_limit_get(variant->ipc, "shm_rmid_forced"));
	ASSERT_EQ(0, ipc_limit_set(variant->ipc, "shm_rmid_forced", 1));
}

FIXTURE_TEARDOWN(forced)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_EQ(0, shm_rows(&ipc_native, NULL, 0));
}

static bool exists(const struct ipc *ipc, int id)
{
	return shm_nattch(ipc, id) >= 0;
}

TEST_F(forced, values)
{
	const struct ipc *ipc = variant->ipc;

	EXPECT_EQ(1, ipc_limit_get(ipc, "shm_rmid_forced"));
	EXPECT_EQ(-EINVAL, ipc_limit_set(ipc, "shm_rmid_forced", 2));
	EXPECT_EQ(-EINVAL, ipc_limit_set(ipc, "shm_rmid_forced", -1));
	EXPECT_EQ(1, ipc_limit_get(ipc, "shm_rmid_forced"));
	EXPECT_EQ(0, ipc_limit_set(ipc, "shm_rmid_forced", 0));
	EXPECT_EQ(0, ipc_limit_get(ipc, "shm_rmid_forced"));
}

/* Never attached: it lives as long as its creator. */
TEST_F(forced, creator_exits)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p, q;
	int a, b, c;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	a = peer_shmget(&p, ipc, IPC_PRIVATE, PAGE, 0600);
	b = peer_shmget(&p, ipc, IPC_PRIVATE, PAGE, 0600);
	c = peer_shmget(&q, ipc, IPC_PRIVATE, PAGE, 0600);
	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_LE(0, c);
	EXPECT_TRUE(exists(ipc, a));
	EXPECT_TRUE(exists(ipc, b));
	/* One is in use by somebody else when the creator goes. */
	ASSERT_NE(MAP_FAILED, peer_shmat(&q, ipc, b, NULL, 0));
	peer_end(&p, 0);
	EXPECT_FALSE(exists(ipc, a));
	EXPECT_TRUE(exists(ipc, b));
	EXPECT_TRUE(exists(ipc, c));
	peer_end(&q, SIGKILL);
	EXPECT_FALSE(exists(ipc, b));
	EXPECT_FALSE(exists(ipc, c));
}

/* The last detach destroys, the creator's own too. */
TEST_F(forced, last_detach)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(99, PAGE, IPC_CREAT | 0600);
	struct shmid_ds ds;
	char *a, *b;

	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	b = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_NE(MAP_FAILED, b);
	ASSERT_EQ(0, ipc->shmdt(a));
	EXPECT_TRUE(exists(ipc, id));
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(0600, ds.shm_perm.mode);
	ASSERT_EQ(0, ipc->shmdt(b));
	EXPECT_FALSE(exists(ipc, id));
	EXPECT_ERR(ENOENT, ipc->shmget(99, 0, 0));
}

/* An attach that fails after it was counted is a detach as well. */
TEST_F(forced, failed_attach)
{
	const struct ipc *ipc = variant->ipc;
	char *h = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int occupied, misaligned;

	ASSERT_NE(MAP_FAILED, h);
	/* Which of the failures count is an accident of native's: the same here. */
	occupied = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	misaligned = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	ASSERT_LE(0, occupied);
	ASSERT_LE(0, misaligned);
	EXPECT_ERR(EINVAL, ipc->shmat(occupied, h, 0));
	EXPECT_ERR(EINVAL, ipc->shmat(misaligned, h + 1, 0));
	EXPECT_FALSE(exists(ipc, occupied));
	EXPECT_TRUE(exists(ipc, misaligned));
}

/* Setting it collects what is orphaned already, and only that. */
TEST_F(forced, set_later)
{
	const struct ipc *ipc = variant->ipc;
	int orphan, used, mine;
	struct peer p, q;

	ASSERT_EQ(0, ipc_limit_set(ipc, "shm_rmid_forced", 0));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	orphan = peer_shmget(&p, ipc, IPC_PRIVATE, PAGE, 0600);
	used = peer_shmget(&p, ipc, IPC_PRIVATE, PAGE, 0600);
	mine = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	ASSERT_LE(0, orphan);
	ASSERT_LE(0, used);
	ASSERT_LE(0, mine);
	ASSERT_NE(MAP_FAILED, peer_shmat(&q, ipc, used, NULL, 0));
	peer_end(&p, 0);
	EXPECT_TRUE(exists(ipc, orphan));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shm_rmid_forced", 1));
	EXPECT_FALSE(exists(ipc, orphan));
	EXPECT_TRUE(exists(ipc, used));
	EXPECT_TRUE(exists(ipc, mine));
	peer_end(&q, 0);
	EXPECT_FALSE(exists(ipc, used));
	EXPECT_TRUE(exists(ipc, mine));
}

/* Reset to 0 in time: everything stays. */
TEST_F(forced, unset)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_shmget(&p, ipc, IPC_PRIVATE, PAGE, 0600);
	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, peer_shmat(&p, ipc, id, NULL, 0));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shm_rmid_forced", 0));
	peer_end(&p, 0);
	EXPECT_TRUE(exists(ipc, id));
}

/* It is the namespace's setting. */
TEST_F(forced, per_namespace)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p;
	int id;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_EQ(0, ipc_limit_get(ipc, "shm_rmid_forced"));
	ASSERT_EQ(0, peer_start(&p));
	id = peer_shmget(&p, ipc, IPC_PRIVATE, PAGE, 0600);
	ASSERT_LE(0, id);
	peer_end(&p, 0);
	EXPECT_TRUE(exists(ipc, id));
}

static void *make_one(void *arg)
{
	return (void *)(long)((const struct ipc *)arg)->shmget(IPC_PRIVATE, PAGE, 0600);
}

static long do_unshare(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return unshare(CLONE_NEWIPC);
}

/*
 * The creator goes to another namespace.  Native counts that as its end; kipc is not
 * told of it and waits for the real one, at the latest.
 */
TEST_F(forced, creator_leaves)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_shmget(&p, ipc, IPC_PRIVATE, PAGE, 0600);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	if (ipc == &ipc_native)
		EXPECT_FALSE(exists(ipc, id));
	peer_end(&p, 0);
	EXPECT_FALSE(exists(ipc, id));
}

static long do_exec(long *arg, void *buf)
{
	char cmd[16], reply[16];

	(void)buf;
	fcntl(arg[0], F_SETFD, 0);
	fcntl(arg[1], F_SETFD, 0);
	snprintf(cmd, sizeof(cmd), "%ld", arg[0]);
	snprintf(reply, sizeof(reply), "%ld", arg[1]);
	execl("/proc/self/exe", "rmid_forced", "--tell", cmd, reply, NULL);
	return -1;
}

/* After exec: tells that it is there, and stays. */
static void __attribute__((constructor)) executed(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--tell")) {
		if (write(atoi(argv[3]), "e", 1) == 1)
			pause();
		_exit(0);
	}
}

/* exec is no end of the creator. */
TEST_F(forced, creator_executes)
{
	const struct ipc *ipc = variant->ipc;
	int told[2], id, status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(told));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		long arg[2] = { told[0], told[1] };

		if (ipc->shmget(9, PAGE, IPC_CREAT | 0600) >= 0)
			do_exec(arg, NULL);
		_exit(1);
	}
	ASSERT_EQ(1, read(told[0], &c, 1));
	id = ipc->shmget(9, PAGE, 0);
	EXPECT_LE(0, id);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_FALSE(exists(ipc, id));
}

TEST_F(forced, fork_is_not_creation)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	peer_end(&p, 0);
	EXPECT_TRUE(exists(ipc, id));
}

/* By the thread, as native has it?  Both alike, at least for the last one. */
TEST_F(forced, made_by_a_thread)
{
	const struct ipc *ipc = variant->ipc;
	int status, pipes[2];
	long id = -1;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	if (!pid) {
		pthread_t t;
		void *ret;

		if (pthread_create(&t, NULL, make_one, (void *)ipc) || pthread_join(t, &ret) ||
		    write(pipes[1], &ret, sizeof(ret)) != sizeof(ret))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(sizeof(id), read(pipes[0], &id, sizeof(id)));
	ASSERT_LE(0, id);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FALSE(exists(ipc, id));
}

/* What a dead creator leaves makes room before anybody is refused. */
TEST_F(forced, makes_room)
{
	const struct ipc *ipc = variant->ipc;
	int i, status;
	pid_t pid;

	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmni", 1));
	for (i = 0; i < 100; i++) {
		pid = fork();
		if (!pid)
			_exit(ipc->shmget(IPC_PRIVATE, PAGE, 0600) < 0);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status)
			TH_LOG("round %d", i);
	}
}

TEST_HARNESS_MAIN

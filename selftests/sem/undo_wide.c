// SPDX-License-Identifier: GPL-2.0
/*
 * SEM_UNDO, so many values that they are not applied at once.  Whoever has waited for all who
 * died finds the semaphore that he asks for first, and then all, as they are to be.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO

IPC_FIXTURE(wide)

#define WIDE	6000
#define DEAD	10

static long add_to_all(long *arg, void *buf)
{
	const struct ipc *ipc = (void *)arg[0];
	struct sembuf sops[500];
	int i, k;

	(void)buf;
	for (i = 0; i < WIDE; i += 500) {
		for (k = 0; k < 500; k++)
			sops[k] = (struct sembuf){ i + k, arg[2], UNDO };
		if (ipc->semop(arg[1], sops, 500))
			return -1;
	}
	return 0;
}

static int wide_set(const struct ipc *ipc, int value)
{
	unsigned short values[WIDE];
	int i;

	for (i = 0; i < WIDE; i++)
		values[i] = value;
	return sem_new(ipc, WIDE, values, 0600);
}

/* How many of them, but the last, have another value. */
static int others_than(const struct ipc *ipc, int id, int value)
{
	unsigned short values[WIDE];
	int i, count = 0;

	if (sem_getall(ipc, id, values))
		return -1;
	for (i = 0; i < WIDE - 1; i++)
		count += values[i] != value;
	return count;
}

/* DEAD processes do @op to all of a set. */
static void start_wide(struct __test_metadata *_metadata, struct peer *p, const struct ipc *ipc,
		       int id, int op)
{
	int i;

	for (i = 0; i < DEAD; i++) {
		EXPECT_EQ(0, peer_start(&p[i]));
		EXPECT_EQ(0, peer_run(&p[i], add_to_all, (long)ipc, id, op, 0, 0));
	}
}

/* They die one after the other.  Return: the last. */
static pid_t end_wide(struct peer *p)
{
	pid_t last = p[DEAD - 1].pid;
	int i;

	for (i = 0; i < DEAD; i++)
		peer_end(&p[i], SIGKILL);
	return last;
}

/* From here on nobody else runs on this processor, but while the caller waits. */
static int come_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &param);
}

/* Both; the last has just died, and no worker has come to it yet. */
static pid_t die_wide(struct __test_metadata *_metadata, const struct ipc *ipc, int id, int op)
{
	struct peer p[DEAD];

	stay_on_cpu();
	start_wide(_metadata, p, ipc, id, op);
	EXPECT_EQ(0, come_first());
	return end_wide(p);
}

TEST_F(wide, value)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, 100);

	ASSERT_LE(0, id);
	die_wide(_metadata, ipc, id, 1);
	EXPECT_EQ(100, sem_val(ipc, id, WIDE - 1));
	EXPECT_EQ(100, sem_val(ipc, id, WIDE / 2));
	EXPECT_EQ(0, others_than(ipc, id, 100));
	EXPECT_EQ(100, sem_val(ipc, id, WIDE - 1));
}

TEST_F(wide, all_values)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, 100);

	ASSERT_LE(0, id);
	die_wide(_metadata, ipc, id, 1);
	EXPECT_EQ(0, others_than(ipc, id, 100));
}

TEST_F(wide, pid)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, 100);
	pid_t last;

	ASSERT_LE(0, id);
	last = die_wide(_metadata, ipc, id, -1);
	EXPECT_EQ(last, sem_pid(ipc, id, WIDE - 1));
	EXPECT_EQ(last, sem_pid(ipc, id, 0));
}

TEST_F(wide, operation)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, DEAD);

	ASSERT_LE(0, id);
	die_wide(_metadata, ipc, id, -1);
	EXPECT_EQ(0, semop1(ipc, id, WIDE - 1, -DEAD, NW));
	EXPECT_EQ(0, others_than(ipc, id, DEAD));
	EXPECT_EQ(0, sem_val(ipc, id, WIDE - 1));
}

TEST_F(wide, operations)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, DEAD);

	ASSERT_LE(0, id);
	die_wide(_metadata, ipc, id, -1);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, -DEAD, NW }, { WIDE - 1, -DEAD, NW },
					 { 0, DEAD, NW })));
	EXPECT_EQ(0, others_than(ipc, id, DEAD));
	EXPECT_EQ(0, sem_val(ipc, id, WIDE - 1));
}

/* What is set afterwards stays. */
TEST_F(wide, set_one)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, 100);

	ASSERT_LE(0, id);
	die_wide(_metadata, ipc, id, 1);
	EXPECT_EQ(0, sem_setval(ipc, id, WIDE - 1, 7));
	EXPECT_EQ(0, others_than(ipc, id, 100));
	EXPECT_EQ(7, sem_val(ipc, id, WIDE - 1));
}

TEST_F(wide, set_all)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, 100), i;
	unsigned short values[WIDE];
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, add_to_all, (long)ipc, id, 1, 0, 0));
	die_wide(_metadata, ipc, id, 1);
	for (i = 0; i < WIDE; i++)
		values[i] = 7;
	EXPECT_EQ(0, sem_setall(ipc, id, values));
	EXPECT_EQ(0, others_than(ipc, id, 7));
	/* Of what a living one had done to it nothing is left but what comes now. */
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, 2, UNDO));
	EXPECT_EQ(9, sem_val(ipc, id, 1));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(0, others_than(ipc, id, 7));
}

/* Each death by itself: what one takes away below zero another does not give. */
TEST_F(wide, in_order)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, 0), i;
	struct peer p[3];

	ASSERT_LE(0, id);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	EXPECT_EQ(0, peer_run(&p[0], add_to_all, (long)ipc, id, 5, 0, 0));
	EXPECT_EQ(0, peer_run(&p[1], add_to_all, (long)ipc, id, -3, 0, 0));
	EXPECT_EQ(0, peer_run(&p[2], add_to_all, (long)ipc, id, -2, 0, 0));
	for (i = 0; i < 3; i++)
		peer_end(&p[i], SIGKILL);
	EXPECT_EQ(5, sem_val(ipc, id, WIDE - 1));
	EXPECT_EQ(0, others_than(ipc, id, 5));
}

/* Who sleeps on the last one goes on when all are dead, not earlier. */
TEST_F(wide, sleeper)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, DEAD);
	struct peer p[DEAD], sleeper;

	ASSERT_LE(0, id);
	start_wide(_metadata, p, ipc, id, -1);
	ASSERT_EQ(0, peer_start(&sleeper));
	ASSERT_EQ(0, peer_block1(&sleeper, ipc, id, WIDE - 1, -DEAD, 0));
	end_wide(p);
	EXPECT_EQ(0, sem_val(ipc, id, WIDE - 1));
	EXPECT_EQ(0, sem_ncnt(ipc, id, WIDE - 1));
	EXPECT_EQ(0, peer_finish(&sleeper));
	EXPECT_EQ(0, others_than(ipc, id, DEAD));
	peer_end(&sleeper, SIGKILL);
}

/* And on the last and the first. */
TEST_F(wide, sleeper_on_two)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, DEAD);
	struct peer p[DEAD], sleeper;

	ASSERT_LE(0, id);
	start_wide(_metadata, p, ipc, id, -1);
	ASSERT_EQ(0, peer_start(&sleeper));
	ASSERT_EQ(0, peer_block(&sleeper, ipc, id, SOPS({ WIDE - 1, -DEAD, 0 }, { 0, -DEAD, 0 },
							{ 0, DEAD, 0 })));
	end_wide(p);
	EXPECT_EQ(0, sem_val(ipc, id, WIDE - 1));
	EXPECT_EQ(DEAD, sem_val(ipc, id, 0));
	EXPECT_EQ(0, peer_finish(&sleeper));
	EXPECT_EQ(0, others_than(ipc, id, DEAD));
	peer_end(&sleeper, SIGKILL);
}

/* The set goes while they are being dealt with. */
TEST_F(wide, removed)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, DEAD);

	ASSERT_LE(0, id);
	die_wide(_metadata, ipc, id, -1);
	EXPECT_EQ(DEAD, sem_val(ipc, id, WIDE - 1));
	EXPECT_EQ(0, sem_rmid(ipc, id));
}

/* Whom the dead let go before that has succeeded, though nobody has looked meanwhile. */
TEST_F(wide, removed_sleeper)
{
	const struct ipc *ipc = variant->ipc;
	int id = wide_set(ipc, DEAD);
	struct peer p[DEAD], sleeper, in_vain;

	ASSERT_LE(0, id);
	stay_on_cpu();
	start_wide(_metadata, p, ipc, id, -1);
	ASSERT_EQ(0, peer_start(&sleeper));
	ASSERT_EQ(0, peer_start(&in_vain));
	ASSERT_EQ(0, peer_block1(&sleeper, ipc, id, WIDE - 1, -DEAD, 0));
	ASSERT_EQ(0, peer_block1(&in_vain, ipc, id, WIDE - 2, -DEAD - 1, 0));
	ASSERT_EQ(0, come_first());
	end_wide(p);
	EXPECT_EQ(0, sem_rmid(ipc, id));
	EXPECT_EQ(0, peer_finish(&sleeper));
	EXPECT_ERR(EIDRM, peer_finish(&in_vain));
	peer_end(&sleeper, SIGKILL);
	peer_end(&in_vain, SIGKILL);
}

static pid_t start_dying(const struct ipc *ipc, int id, int *deaths)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;; __atomic_add_fetch(deaths, 1, __ATOMIC_SEQ_CST)) {
		pid = vfork();
		if (!pid)
			_exit(semop1(ipc, id, 0, 1, UNDO));
	}
}

/* Others go on dying: nobody waits for more than the deaths before. */
TEST_F(wide, others_go_on_dying)
{
	enum { MOST = 32000, PARENTS = 4 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, MOST, 0600), other = sem_new(ipc, SEMS(1), 0600);
	static unsigned short values[MOST];
	struct peer holder, sleeper;
	pid_t parents[PARENTS];
	int i, *deaths;

	ASSERT_LE(0, id);
	ASSERT_LE(0, other);
	deaths = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, deaths);
	ASSERT_EQ(0, peer_start(&holder));
	ASSERT_EQ(0, peer_start(&sleeper));
	ASSERT_EQ(0, peer_semop1(&holder, ipc, other, 0, -1, UNDO));
	ASSERT_EQ(0, peer_block1(&sleeper, ipc, other, 0, -1, 0));
	for (i = 0; i < PARENTS; i++) {
		parents[i] = start_dying(ipc, id, deaths);
		ASSERT_LE(0, parents[i]);
	}
	wait_until(__atomic_load_n(deaths, __ATOMIC_SEQ_CST) > 100);
	EXPECT_EQ(0, sem_getall(ipc, id, values));
	/* For another set nobody asks. */
	peer_end(&holder, SIGKILL);
	EXPECT_EQ(0, peer_finish(&sleeper));
	EXPECT_EQ(0, sem_getall(ipc, id, values));
	for (i = 0; i < PARENTS; i++) {
		kill(parents[i], SIGKILL);
		waitpid(parents[i], NULL, 0);
	}
	/* The last children are nobody's. */
	wait_until(!sem_val(ipc, id, 0));
	for (i = 1; i < MOST; i++)
		ASSERT_EQ(0, values[i]);
	peer_end(&sleeper, SIGKILL);
	EXPECT_EQ(0, sem_rmid(ipc, id));
	EXPECT_EQ(0, sem_rmid(ipc, other));
	munmap(deaths, 4096);
}

TEST_HARNESS_MAIN

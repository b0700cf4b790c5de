// SPDX-License-Identifier: GPL-2.0
/*
 * SEM_UNDO: what a process has done to a semaphore is taken back when it ends, and is
 * seen to be by whoever has waited for it.  Whose it is and how processes end is in
 * undo_process.c; more of it than is applied at once, in undo_wide.c.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO

IPC_FIXTURE(undo)

/* ---- What is undone ---- */

TEST_F(undo, at_exit)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10, 10, 10), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, 5, UNDO));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 2, -2, UNDO }, { 3, -2, 0 }, { 2, 1, UNDO })));
	EXPECT_VALUES(ipc, id, 6, 15, 9, 8);
	EXPECT_EQ(0, peer_end(&p, 0));
	EXPECT_VALUES(ipc, id, 9, 10, 10, 8);
}

/* A window between the end that wait() tells of and the undoing would show some time. */
TEST_F(undo, before_wait_returns)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(3), 0600), i, status;

	ASSERT_LE(0, id);
	for (i = 0; i < 300; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid) {
			if (semop1(ipc, id, 0, -2, UNDO))
				_exit(1);
			if (i % 3)
				raise(i % 3 == 1 ? SIGKILL : SIGTERM);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(i % 3 == 0 ? 0 : i % 3 == 1 ? SIGKILL : SIGTERM, status);
		ASSERT_EQ(3, sem_val(ipc, id, 0));
		ASSERT_EQ(0, semop1(ipc, id, 0, -3, NW));
		ASSERT_EQ(0, semop1(ipc, id, 0, 3, NW));
	}
}

/* Seen by waitid() that leaves the zombie, and by a pidfd's poll in another process, too. */
TEST_F(undo, before_it_is_reaped)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(3), 0600), i;
	siginfo_t info;
	struct peer p;

	ASSERT_LE(0, id);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
		ASSERT_EQ(0, kill(p.pid, SIGKILL));
		ASSERT_EQ(0, waitid(P_PID, p.pid, &info, WEXITED | WNOWAIT));
		ASSERT_EQ(3, sem_val(ipc, id, 0));
		peer_end(&p, SIGKILL);
		ASSERT_EQ(3, sem_val(ipc, id, 0));
	}
}

/* An array that fails leaves the undo values as they were. */
TEST_F(undo, failed_array)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 0, SEMVMX), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_ERR(EAGAIN, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 1, -1, NW | UNDO })));
	EXPECT_ERR(ERANGE, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 2, 1, UNDO })));
	EXPECT_ERR(EAGAIN, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 0, 1, UNDO },
							{ 0, 0, NW })));
	EXPECT_ERR(EFBIG, peer_semop(&p, ipc, id, SOPS({ 0, -2, UNDO }, { 3, 1, UNDO })));
	EXPECT_VALUES(ipc, id, 9, 0, SEMVMX);
	peer_end(&p, SIGKILL);
	EXPECT_VALUES(ipc, id, 10, 0, SEMVMX);
}

/* What a sleeper has not yet done is not undone; what it did before is. */
TEST_F(undo, asleep)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(5, 0), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -4, UNDO));
	ASSERT_EQ(0, peer_block(&p, ipc, id, SOPS({ 0, -1, UNDO }, { 1, -1, UNDO })));
	peer_end(&p, SIGKILL);
	EXPECT_VALUES(ipc, id, 5, 0);
	/* Done by hand-over: undone like any other. */
	ASSERT_EQ(0, peer_block(&q, ipc, id, SOPS({ 0, -2, UNDO }, { 1, -1, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_VALUES(ipc, id, 3, 0);
	EXPECT_EQ(0, peer_woken(&q));
	peer_end(&q, SIGKILL);
	EXPECT_VALUES(ipc, id, 5, 1);
}

/* The hand-over and the kill at once: before its first step in user space. */
TEST_F(undo, killed_at_hand_over)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600), i;

	ASSERT_LE(0, id);
	for (i = 0; i < 100; i++) {
		struct peer p;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, UNDO));
		if (i % 2) {
			ASSERT_EQ(0, kill(p.pid, SIGKILL));
		}
		ASSERT_EQ(0, semop1(ipc, id, 0, 1, 0));
		peer_end(&p, SIGKILL);
		/* Given and undone, or never given. */
		ASSERT_EQ(1, sem_val(ipc, id, 0));
		ASSERT_EQ(0, sem_ncnt(ipc, id, 0));
		ASSERT_EQ(0, semop1(ipc, id, 0, -1, NW));
	}
}

/* ---- Its range ---- */

TEST_F(undo, clamped_at_zero)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 3), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, 5, UNDO }, { 1, 5, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 0, -3, 0));
	EXPECT_EQ(0, semop1(ipc, id, 1, -3, 0));
	peer_end(&p, 0);
	/* Nobody waits for what is not there: the rest is forgotten. */
	EXPECT_VALUES(ipc, id, 0, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(1, sem_val(ipc, id, 0));
}

TEST_F(undo, clamped_at_the_maximum)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, SEMVMX), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -5, UNDO }, { 1, -SEMVMX, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 0, SEMVMX - 7, 0));
	EXPECT_EQ(0, semop1(ipc, id, 1, SEMVMX, 0));
	EXPECT_VALUES(ipc, id, SEMVMX - 2, SEMVMX);
	peer_end(&p, 0);
	EXPECT_VALUES(ipc, id, SEMVMX, SEMVMX);
}

/* The undo value itself has a range, whatever the semaphore's value is. */
TEST_F(undo, overflow)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(SEMVMX, 0), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	/* Upwards to 32767. */
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -SEMVMX, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, 2, 0));
	EXPECT_ERR(ERANGE, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_ERR(ERANGE, peer_semop(&p, ipc, id, SOPS({ 1, 1, UNDO }, { 0, -1, UNDO })));
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	/* Not for others, nor without the flag. */
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	/* One that would have to wait waits first. */
	ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_ERR(ERANGE, peer_woken(&p));
	EXPECT_EQ(1, sem_val(ipc, id, 0));
	peer_end(&q, 0);
	peer_end(&p, 0);
	EXPECT_VALUES(ipc, id, SEMVMX, 0);
}

TEST_F(undo, underflow)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	/* Downwards to -32768, one further. */
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, SEMVMX, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, -SEMVMX, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_ERR(ERANGE, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
	/* In the middle of an array that would come back into it. */
	EXPECT_ERR(ERANGE, peer_semop(&p, ipc, id, SOPS({ 0, 1, UNDO }, { 0, -1, UNDO })));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -1, UNDO }, { 0, 1, UNDO })));
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, SEMVMX - 2, 0));
	peer_end(&p, 0);
	EXPECT_EQ(0, sem_val(ipc, id, 0));
}

/* ---- What clears it ---- */

TEST_F(undo, cleared_by_setval)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -3, UNDO }, { 1, -3, UNDO })));
	EXPECT_EQ(0, peer_semop(&q, ipc, id, SOPS({ 0, -4, UNDO }, { 1, -4, UNDO })));
	/* Of all processes, of that semaphore; even where the value stays the same. */
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 3));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -1, UNDO));
	peer_end(&p, 0);
	EXPECT_VALUES(ipc, id, 2, 6);
	peer_end(&q, 0);
	EXPECT_VALUES(ipc, id, 3, 10);
	/* One that is refused clears nothing. */
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 0, -1));
	peer_end(&p, 0);
	EXPECT_EQ(3, sem_val(ipc, id, 0));
}

TEST_F(undo, cleared_by_setall)
{
	const struct ipc *ipc = variant->ipc;
	static const unsigned short vals[2] = { 1, 2 }, high[2] = { 0, USHRT_MAX };
	int id = sem_new(ipc, SEMS(10, 10), 0600), other = sem_new(ipc, SEMS(10), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -3, UNDO }, { 1, -3, UNDO })));
	EXPECT_EQ(0, peer_semop1(&p, ipc, other, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 1, -3, UNDO));
	EXPECT_EQ(0, sem_setall(ipc, id, vals));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, -1, UNDO));
	EXPECT_ERR(ERANGE, sem_setall(ipc, id, high));
	peer_end(&p, 0);
	peer_end(&q, 0);
	EXPECT_VALUES(ipc, id, 1, 2);
	/* Another set is none of its business. */
	EXPECT_EQ(10, sem_val(ipc, other, 0));
}

/* A sleeper's undo value, asked for before all was set, counts from then on. */
TEST_F(undo, set_all_while_asleep)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 5), 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, -3, UNDO));
	ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -2, UNDO));
	EXPECT_EQ(0, sem_setall(ipc, id, (unsigned short[]){ 4, 4 }));
	EXPECT_EQ(0, peer_finish(&p));
	EXPECT_VALUES(ipc, id, 2, 4);
	peer_end(&p, SIGKILL);
	EXPECT_VALUES(ipc, id, 4, 4);
}

TEST_F(undo, gone_with_the_set)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10), 0600), other = sem_new(ipc, SEMS(7), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, -3, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, other, 0, -3, UNDO));
	ASSERT_EQ(0, sem_rmid(ipc, id));
	/* Another set of the very same id. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "sem_next_id", id));
	ASSERT_EQ(id, ipc->semget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(0, peer_semop1(&q, ipc, id, 0, 2, UNDO));
	peer_end(&p, 0);
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	EXPECT_EQ(7, sem_val(ipc, other, 0));
	peer_end(&q, 0);
	EXPECT_EQ(0, sem_val(ipc, id, 0));
}

/* A change of owner and mode clears nothing, nor does the right that is lost by it. */
TEST_F(undo, kept_over_ipc_set)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = sem_new(ipc, SEMS(10), 0666);
	struct semid_ds ds;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	ds.sem_perm.mode = 0;
	ASSERT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, 3, UNDO));
	peer_end(&p, 0);
	EXPECT_EQ(10, sem_val(ipc, id, 0));
}

/* ---- What it stamps and whom it wakes ---- */

TEST_F(undo, stamps)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10, 10, 10), 0600);
	struct semid_ds ds;
	struct peer p;
	time_t start;
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	pid = p.pid;
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 0, -1, UNDO }, { 1, -1, UNDO })));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 1, 1, UNDO));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 0 })));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	wait_until(stamp_now() > ds.sem_otime);
	start = stamp_now();
	peer_end(&p, SIGKILL);
	/* The dead one operated last where something was left to be undone. */
	EXPECT_EQ(pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 1));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 2));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_otime);
	EXPECT_GE(start, ds.sem_ctime);
	EXPECT_VALUES(ipc, id, 11, 11, 11);
}

/* Nothing left to be undone: the time of the end is the last operation's all the same. */
TEST_F(undo, stamps_nothing_undone)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10), 0600);
	struct semid_ds ds;
	struct peer p;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, UNDO));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, UNDO));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	wait_until(stamp_now() > ds.sem_otime);
	start = stamp_now();
	peer_end(&p, 0);
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_otime);
}

/* One that never succeeded, and ends: natively it operated, by its end. */
TEST_F(undo, stamps_of_the_unsuccessful)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600);
	struct semid_ds ds;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_ERR(EAGAIN, peer_semop1(&p, ipc, id, 0, -1, UNDO | NW));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, ds.sem_otime);
	peer_end(&p, 0);
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_NE(0, ds.sem_otime);
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
}

TEST_F(undo, wakes)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(2, 1, 1), 0600), i;
	struct peer dead, p[5];
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&dead));
	pid = dead.pid;
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	EXPECT_EQ(0, peer_semop(&dead, ipc, id, SOPS({ 0, -2, UNDO }, { 1, 1, UNDO },
						     { 2, -1, UNDO })));
	EXPECT_EQ(0, semop1(ipc, id, 1, -1, 0));
	/* In their order: too much, one, one and another, one too late, for zero. */
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -3, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 2, -1, 0 }, { 0, -1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[3], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[4], ipc, id, 1, 0, 0));
	EXPECT_EQ(SIGKILL, peer_end(&dead, SIGKILL));
	/* Handed over when wait() tells, though the woken may not have run yet. */
	EXPECT_VALUES(ipc, id, 0, 0, 0);
	EXPECT_EQ(2, sem_ncnt(ipc, id, 0));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 1));
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, -1, NW));
	EXPECT_EQ(p[2].pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(p[4].pid, sem_pid(ipc, id, 1));
	EXPECT_NE(pid, sem_pid(ipc, id, 2));
	EXPECT_EQ(0, peer_finish(&p[1]));
	EXPECT_EQ(0, peer_finish(&p[2]));
	EXPECT_EQ(0, peer_finish(&p[4]));
	EXPECT_EQ(0, peer_asleep(&p[0]));
	EXPECT_EQ(0, peer_asleep(&p[3]));
	for (i = 0; i < 5; i++)
		peer_end(&p[i], SIGKILL);
}

/*
 * An end has all sleepers looked at again, though there may be nothing to undo: arrays of
 * zeros then count where they are held up now.
 */
TEST_F(undo, counts_after_the_end)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1, 1, 0, 0), 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_block(&p, ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 0));
	EXPECT_EQ(1, sem_zcnt(ipc, id, 1));
	EXPECT_ERR(EAGAIN, peer_semop1(&q, ipc, id, 2, -1, UNDO | NW));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 0));
	peer_end(&q, 0);
	EXPECT_EQ(1, sem_zcnt(ipc, id, 0));
	EXPECT_EQ(0, sem_zcnt(ipc, id, 1));
	peer_end(&p, SIGKILL);
}

/* Nobody asks: the sleepers are served even so. */
TEST_F(undo, wakes_without_being_asked)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1), 0600), i;

	ASSERT_LE(0, id);
	for (i = 0; i < 20; i++) {
		struct peer dead, p;

		ASSERT_EQ(0, peer_start(&dead));
		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_semop1(&dead, ipc, id, 0, -1, UNDO));
		ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, UNDO));
		if (i % 2) {
			/* Not even reaped. */
			ASSERT_EQ(0, kill(dead.pid, SIGKILL));
			ASSERT_EQ(0, peer_finish(&p));
			peer_end(&dead, SIGKILL);
		} else {
			peer_end(&dead, SIGKILL);
			ASSERT_EQ(0, peer_finish(&p));
		}
		peer_end(&p, SIGKILL);
		ASSERT_EQ(1, sem_val(ipc, id, 0));
	}
}

/* A row of the dying: each holds what the next waits for. */
TEST_F(undo, chain_of_deaths)
{
	enum { N = 30 };
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1), 0600), i;
	pid_t pid[N];

	ASSERT_LE(0, id);
	for (i = 0; i < N; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (semop1(ipc, id, 0, -1, UNDO))
				_exit(1);
			/* Dies as soon as it has it. */
			raise(SIGKILL);
		}
	}
	for (i = 0; i < N; i++) {
		int status;

		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(SIGKILL, status);
	}
	EXPECT_EQ(1, sem_val(ipc, id, 0));
	EXPECT_EQ(0, sem_ncnt(ipc, id, 0));
}

/* ---- Many ---- */

TEST_F(undo, many_sets)
{
	enum { N = 200 };
	const struct ipc *ipc = variant->ipc;
	struct peer p, q;
	int id[N], i;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	for (i = 0; i < N; i++) {
		id[i] = sem_new(ipc, SEMS(9, 9, 9), 0600);
		ASSERT_LE(0, id[i]);
	}
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, peer_semop1(&p, ipc, id[i], i % 3, -3, UNDO));
		if (i % 2) {
			ASSERT_EQ(0, peer_semop1(&q, ipc, id[i], i % 3, -4, UNDO));
		}
	}
	for (i = 0; i < N; i += 5)
		ASSERT_EQ(0, sem_rmid(ipc, id[i]));
	peer_end(&p, SIGKILL);
	for (i = 0; i < N; i++) {
		if (i % 5) {
			EXPECT_EQ(i % 2 ? 5 : 9, sem_val(ipc, id[i], i % 3));
		} else {
			EXPECT_ERR(EINVAL, sem_val(ipc, id[i], 0));
		}
	}
	peer_end(&q, SIGKILL);
	for (i = 0; i < N; i++)
		if (i % 5) {
			EXPECT_EQ(9, sem_val(ipc, id[i], i % 3));
			EXPECT_EQ(9, sem_val(ipc, id[i], (i + 1) % 3));
		}
}

/* Every semaphore of a large set. */
TEST_F(undo, many_semaphores)
{
	enum { N = 5000 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, N, 0600), i;
	unsigned short v[N];
	struct sembuf sops[500];
	struct peer p;

	ASSERT_LE(0, id);
	for (i = 0; i < N; i++)
		v[i] = i;
	ASSERT_EQ(0, sem_setall(ipc, id, v));
	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < N; i++) {
		sops[i % 500] = (struct sembuf){ i, i % 2 ? -1 : 2, UNDO };
		if (i % 500 == 499) {
			ASSERT_EQ(0, peer_semop(&p, ipc, id, sops, 500));
		}
	}
	peer_end(&p, SIGKILL);
	ASSERT_EQ(0, sem_getall(ipc, id, v));
	for (i = 0; i < N; i++)
		ASSERT_EQ(i, v[i]);
}

TEST_F(undo, many_processes)
{
	enum { N = 150 };
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1000, 0), 0600), i;
	struct peer p[N];

	ASSERT_LE(0, id);
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, peer_start(&p[i]));
		ASSERT_EQ(0, peer_semop(&p[i], ipc, id, SOPS({ 0, -2, UNDO }, { 1, 1, UNDO })));
	}
	EXPECT_VALUES(ipc, id, 1000 - 2 * N, N);
	for (i = 0; i < N; i++) {
		peer_end(&p[i], i % 2 ? SIGKILL : 0);
		ASSERT_EQ(1000 - 2 * (N - 1 - i), sem_val(ipc, id, 0));
		ASSERT_EQ(N - 1 - i, sem_val(ipc, id, 1));
	}
}

/* The same pid again: none of its predecessor's is its own. */
TEST_F(undo, pid_reused)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(10), 0600), again = 0, i;
	char text[32];

	ASSERT_LE(0, id);
	for (i = 0; i < 50 && again < 5; i++) {
		struct peer p;
		pid_t first;

		ASSERT_EQ(0, peer_start(&p));
		first = p.pid;
		ASSERT_EQ(0, peer_semop1(&p, ipc, id, 0, -3, UNDO));
		peer_end(&p, SIGKILL);
		snprintf(text, sizeof(text), "%d", first - 1);
		ASSERT_EQ(0, write_text("/proc/sys/kernel/ns_last_pid", text));
		ASSERT_EQ(0, peer_start(&p));
		again += p.pid == first;
		EXPECT_EQ(10, sem_val(ipc, id, 0));
		EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
		EXPECT_EQ(p.pid, sem_pid(ipc, id, 0));
		peer_end(&p, SIGKILL);
		EXPECT_EQ(11, sem_val(ipc, id, 0));
		ASSERT_EQ(0, sem_setval(ipc, id, 0, 10));
	}
	EXPECT_LE(1, again);
}

TEST_HARNESS_MAIN

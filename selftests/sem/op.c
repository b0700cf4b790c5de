// SPDX-License-Identifier: GPL-2.0
/*
 * semop(2) where nothing sleeps: what an array of operations does, in which order, and
 * that one which fails has done nothing.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>

#define NW	IPC_NOWAIT

IPC_FIXTURE(op)

TEST_F(op, add_and_take)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 2, 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(0, semop1(ipc, id, 0, 5, 0));
	EXPECT_EQ(5, sem_val(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, -3, 0));
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, -3, NW));
	EXPECT_EQ(2, sem_val(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, -2, NW));
	EXPECT_EQ(0, sem_val(ipc, id, 0));
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, -1, NW));
	EXPECT_EQ(0, semop1(ipc, id, 0, 0, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, SEMVMX, 0));
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, 0, NW));
	EXPECT_EQ(0, semop1(ipc, id, 0, -SEMVMX, 0));
	EXPECT_VALUES(ipc, id, 0, 0);
}

/* Each operation sees what those before it in the array have done. */
TEST_F(op, order_in_array)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 0, 1), 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, NW }, { 0, -1, NW })));
	EXPECT_VALUES(ipc, id, 0, 0, 1);
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 0, -1, NW }, { 0, 1, NW })));
	EXPECT_VALUES(ipc, id, 0, 0, 1);
	/* The lock of old: wait for zero, then take. */
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 0, NW }, { 0, 1, NW })));
	EXPECT_VALUES(ipc, id, 1, 0, 1);
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 0, 0, NW }, { 0, 1, NW })));
	EXPECT_VALUES(ipc, id, 1, 0, 1);
	/* A zero in the middle, and one that comes too late. */
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 2, -1, NW }, { 2, 0, NW }, { 2, 1, NW })));
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 1, 1, NW }, { 1, 0, NW })));
	EXPECT_VALUES(ipc, id, 1, 0, 1);
	/* Beyond the maximum on the way down again is too high all the same. */
	EXPECT_EQ(0, sem_setval(ipc, id, 0, SEMVMX));
	EXPECT_ERR(ERANGE, ipc->semop(id, SOPS({ 0, 1, NW }, { 0, -1, NW })));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, -1, NW }, { 0, 1, NW })));
	EXPECT_VALUES(ipc, id, SEMVMX, 0, 1);
}

TEST_F(op, all_or_nothing)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1, 1, 0, 7), 0600);

	ASSERT_LE(0, id);
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 0, -1, NW }, { 1, -1, NW }, { 2, -1, NW })));
	EXPECT_VALUES(ipc, id, 1, 1, 0, 7);
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 0, 5, 0 }, { 3, -7, 0 }, { 1, 0, NW })));
	EXPECT_VALUES(ipc, id, 1, 1, 0, 7);
	EXPECT_ERR(ERANGE, ipc->semop(id, SOPS({ 0, 5, 0 }, { 3, -7, 0 }, { 1, SEMVMX, 0 })));
	EXPECT_VALUES(ipc, id, 1, 1, 0, 7);
	EXPECT_ERR(EFBIG, ipc->semop(id, SOPS({ 0, 5, 0 }, { 3, -7, 0 }, { 4, 1, 0 })));
	EXPECT_VALUES(ipc, id, 1, 1, 0, 7);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, -1, NW }, { 1, -1, NW }, { 2, 1, 0 }, { 3, 1, 0 })));
	EXPECT_VALUES(ipc, id, 0, 0, 1, 8);
}

/* One semaphore several times, and with undo, so that the way back is walked as well. */
TEST_F(op, duplicates_roll_back)
{
	const struct ipc *ipc = variant->ipc;
	unsigned short start[200] = {};
	int id, i;

	for (i = 0; i < 200; i++)
		start[i] = 10;
	id = sem_new(ipc, 200, start, 0600);
	ASSERT_LE(0, id);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 0, 2, 0 }, { 0, -4, 0 }, { 0, -9, NW })));
	EXPECT_EQ(0, sem_val(ipc, id, 0));
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 10));
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 0, 1, 0 }, { 0, 2, 0 }, { 0, -4, 0 },
					       { 0, -10, NW })));
	EXPECT_EQ(10, sem_val(ipc, id, 0));
	EXPECT_ERR(ERANGE, ipc->semop(id, SOPS({ 0, -10, SEM_UNDO }, { 0, SEMVMX, SEM_UNDO },
					       { 0, 1, SEM_UNDO })));
	EXPECT_EQ(10, sem_val(ipc, id, 0));
	/* Numbers that are equal in their lower bits only. */
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 0, -3, 0 }, { 64, -4, 0 }, { 128, -5, 0 },
					       { 192, 0, NW })));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 1, -3, 0 }, { 65, -4, 0 }, { 129, -5, 0 },
					 { 1, -7, NW })));
	for (i = 0; i < 200; i++)
		EXPECT_EQ(i == 1 ? 0 : i == 65 ? 6 : i == 129 ? 5 : 10, sem_val(ipc, id, i));
}

/* The first operation that cannot go on decides, by its own flag. */
TEST_F(op, nowait_is_per_operation)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1, 0, SEMVMX), 0600);

	ASSERT_LE(0, id);
	/* The flag of one that can go on does not matter, nor do those that come later. */
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 0, -1, 0 }, { 1, -1, NW }, { 2, 1, 0 })));
	EXPECT_ERR(ERANGE, ipc->semop(id, SOPS({ 0, -1, 0 }, { 2, 1, 0 }, { 1, -1, 0 })));
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 1, -1, NW }, { 2, 1, 0 })));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, -1, NW }, { 1, 0, NW }, { 1, 1, 0 })));
	EXPECT_VALUES(ipc, id, 0, 1, SEMVMX);
}

TEST_F(op, range)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(SEMVMX, 1, 0), 0600);

	ASSERT_LE(0, id);
	EXPECT_ERR(ERANGE, semop1(ipc, id, 0, 1, 0));
	EXPECT_ERR(ERANGE, semop1(ipc, id, 0, SHRT_MAX, 0));
	EXPECT_ERR(ERANGE, semop1(ipc, id, 0, 1, NW));
	EXPECT_ERR(ERANGE, semop1(ipc, id, 1, SEMVMX, 0));
	EXPECT_EQ(0, semop1(ipc, id, 1, SEMVMX - 1, 0));
	/* One that could never be granted waits like any other. */
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, SHRT_MIN, NW));
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 2, SHRT_MIN, NW));
	EXPECT_VALUES(ipc, id, SEMVMX, SEMVMX, 0);
}

TEST_F(op, no_such_semaphore)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 0, 0), 0600);

	ASSERT_LE(0, id);
	EXPECT_ERR(EFBIG, semop1(ipc, id, 3, 1, 0));
	EXPECT_ERR(EFBIG, semop1(ipc, id, 3, 0, 0));
	EXPECT_ERR(EFBIG, semop1(ipc, id, 3, -1, NW));
	EXPECT_ERR(EFBIG, semop1(ipc, id, 65535, 1, 0));
	EXPECT_ERR(EFBIG, semop1(ipc, id, 32768, 1, SEM_UNDO));
	/* Found out before anything sleeps or fails. */
	EXPECT_ERR(EFBIG, ipc->semop(id, SOPS({ 0, -1, 0 }, { 3, 1, 0 })));
	EXPECT_ERR(EFBIG, ipc->semop(id, SOPS({ 0, -1, NW }, { 3, 1, 0 })));
	EXPECT_VALUES(ipc, id, 0, 0, 0);
}

TEST_F(op, number_of_operations)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600), i;
	struct sembuf sops[501];

	ASSERT_LE(0, id);
	for (i = 0; i < 501; i++)
		sops[i] = (struct sembuf){ 0, 1, 0 };
	EXPECT_EQ(0, ipc->semop(id, sops, 500));
	EXPECT_EQ(500, sem_val(ipc, id, 0));
	EXPECT_ERR(E2BIG, ipc->semop(id, sops, 501));
	EXPECT_ERR(EINVAL, ipc->semop(id, sops, 0));
	EXPECT_ERR(E2BIG, ipc->semop(id, sops, INT_MAX));
	EXPECT_ERR(E2BIG, ipc->semop(id, sops, UINT_MAX));
	EXPECT_ERR(E2BIG, ipc->semop(id, sops, SIZE_MAX));
	/* The kernel takes 32 bits of the number. */
	EXPECT_ERR(EINVAL, ipc->semop(id, sops, 1ul << 32));
	EXPECT_EQ(0, ipc->semop(id, sops, (1ul << 32) + 2));
	EXPECT_EQ(502, sem_val(ipc, id, 0));
	EXPECT_ERR(E2BIG, ipc->semtimedop(id, sops, (1ul << 33) - 1, NULL));
}

/* Many operations, all on different semaphores, one of which fails. */
TEST_F(op, five_hundred)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 500, 0600), i;
	struct sembuf sops[500];

	ASSERT_LE(0, id);
	for (i = 0; i < 500; i++)
		sops[i] = (struct sembuf){ 499 - i, 1 + i, NW };
	ASSERT_EQ(0, ipc->semop(id, sops, 500));
	for (i = 0; i < 500; i++)
		sops[i] = (struct sembuf){ i, -(500 - i), NW };
	sops[499].sem_op--;
	EXPECT_ERR(EAGAIN, ipc->semop(id, sops, 500));
	for (i = 0; i < 500; i++)
		EXPECT_EQ(500 - i, sem_val(ipc, id, i));
	sops[499].sem_op++;
	EXPECT_EQ(0, ipc->semop(id, sops, 500));
	for (i = 0; i < 500; i++)
		sops[i] = (struct sembuf){ i, 0, NW };
	EXPECT_EQ(0, ipc->semop(id, sops, 500));
	for (i = 0; i < 500; i++)
		EXPECT_EQ(getpid(), sem_pid(ipc, id, i));
}

/* Which of two mistakes is told first. */
TEST_F(op, order_of_checks)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	static const struct timespec bad = { .tv_sec = -1 };
	int id = sem_new(ipc, SEMS(SEMVMX), 0600);
	struct sembuf sop = { 0, 1, 0 };
	struct peer p;

	ASSERT_LE(0, id);
	/* The number, then the array, then the id, then the time-out. */
	EXPECT_ERR(EINVAL, ipc->semop(id, NULL, 0));
	EXPECT_ERR(E2BIG, ipc->semop(id, NULL, 501));
	EXPECT_ERR(E2BIG, ipc->semop(-1, NULL, 501));
	EXPECT_ERR(EFAULT, ipc->semop(id, NULL, 1));
	EXPECT_ERR(EFAULT, ipc->semop(-1, NULL, 1));
	EXPECT_ERR(EFAULT, ipc->semop(id + 1, NULL, 1));
	EXPECT_ERR(EFAULT, ipc->semtimedop(id, NULL, 1, &bad));
	EXPECT_ERR(EINVAL, ipc->semop(-1, &sop, 1));
	EXPECT_ERR(EINVAL, ipc->semtimedop(id, &sop, 1, &bad));
	/* An unreadable time-out before all of them. */
	EXPECT_ERR(EFAULT, ipc->semtimedop(-1, NULL, 501, (void *)8));
	EXPECT_ERR(EFAULT, ipc->semtimedop(id, &sop, 0, (void *)8));
	EXPECT_ERR(E2BIG, ipc->semtimedop(-1, NULL, 501, &bad));
	/* The semaphore's number, then the permission, then the values. */
	sop.sem_num = 1;
	EXPECT_ERR(EINVAL, ipc->semop(id + 1, &sop, 1));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EFBIG, peer_semop1(&p, ipc, id, 1, 1, 0));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, 1, 0));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, 0, NW));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, -1, SEM_UNDO));
	peer_end(&p, 0);
	EXPECT_EQ(SEMVMX, sem_val(ipc, id, 0));
}

/* Operations that alter ask for the right to write, and none other. */
TEST_F(op, rights)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int reads = sem_new(ipc, SEMS(1, 0), 0604), writes = sem_new(ipc, SEMS(1, 0), 0602);
	struct peer p;

	ASSERT_LE(0, reads);
	ASSERT_LE(0, writes);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_EQ(0, peer_semop1(&p, ipc, reads, 1, 0, 0));
	EXPECT_ERR(EAGAIN, peer_semop1(&p, ipc, reads, 0, 0, NW));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, reads, 0, 1, 0));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, reads, 0, -1, 0));
	EXPECT_ERR(EACCES, peer_semop(&p, ipc, reads, SOPS({ 1, 0, 0 }, { 0, -1, 0 })));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, writes, 1, 0, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, writes, 0, 1, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, writes, 0, -1, 0));
	/* With one that alters the array asks to write only. */
	EXPECT_EQ(0, peer_semop(&p, ipc, writes, SOPS({ 1, 0, 0 }, { 0, -1, 0 })));
	EXPECT_EQ(0, sem_val(ipc, writes, 0));
	EXPECT_EQ(1, sem_val(ipc, reads, 0));
	peer_end(&p, 0);
}

/* Arrays that cannot be read, as a whole or at their end; read-only memory will do. */
TEST_F(op, memory)
{
	const struct ipc *ipc = variant->ipc;
	static void *const bad[] = { NULL, (void *)1, (void *)0xffff888000000000ul,
				     (void *)(ULONG_MAX - 8), (void *)0x7ffffffff000ul };
	int id = sem_new(ipc, SEMS(0, 0), 0600);
	struct sembuf *sops, *at;
	unsigned int i;
	char *p;

	ASSERT_LE(0, id);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(EFAULT, ipc->semop(id, bad[i], 1));
		EXPECT_ERR(EFAULT, ipc->semop(id, bad[i], 500));
	}
	sops = (struct sembuf *)(p + PAGE) - 3;
	for (i = 0; i < 6; i++)
		sops[i] = (struct sembuf){ 0, 1, 0 };
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ));
	ASSERT_EQ(0, mprotect(p + PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(0, ipc->semop(id, sops, 3));
	EXPECT_ERR(EFAULT, ipc->semop(id, sops, 4));
	EXPECT_EQ(3, sem_val(ipc, id, 0));
	/* At no alignment at all. */
	ASSERT_EQ(0, mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	for (i = 0; i < 8; i++) {
		at = (void *)(p + 100 + i);
		memcpy(at, &(struct sembuf){ 1, 2, 0 }, sizeof(*at));
		EXPECT_EQ(0, ipc->semop(id, at, 1));
	}
	EXPECT_VALUES(ipc, id, 3, 16);
	/* The array is the caller's: it comes back as it was. */
	memset(p, POISON, PAGE);
	sops = (struct sembuf *)p;
	for (i = 0; i < 10; i++)
		sops[i] = (struct sembuf){ i % 2, 1, SEM_UNDO };
	EXPECT_EQ(0, ipc->semop(id, sops, 10));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(i % 2, sops[i].sem_num);
		EXPECT_EQ(1, sops[i].sem_op);
		EXPECT_EQ(SEM_UNDO, sops[i].sem_flg);
	}
	EXPECT_EQ(POISON, (unsigned char)p[10 * sizeof(*sops)]);
}

/* Bits of sem_flg that mean nothing. */
TEST_F(op, unknown_flags)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1), 0600), bit;

	ASSERT_LE(0, id);
	for (bit = 0; bit < 16; bit++) {
		int flag = 1 << bit;

		if (flag == SEM_UNDO || flag == IPC_NOWAIT)
			continue;
		EXPECT_EQ(0, semop1(ipc, id, 0, 1, flag));
		EXPECT_EQ(0, semop1(ipc, id, 0, -1, flag));
		EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, -2, flag | NW));
	}
	EXPECT_EQ(1, sem_val(ipc, id, 0));
}

/* Who operated last: stamped on each semaphore of the array, by zero operations too. */
TEST_F(op, last_process)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 5, 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, sem_pid(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	EXPECT_EQ(0, sem_pid(ipc, id, 1));
	EXPECT_EQ(0, peer_semop(&p, ipc, id, SOPS({ 1, 0, 0 }, { 2, 3, 0 }, { 3, 0, 0 })));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 1));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 2));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 3));
	EXPECT_EQ(0, sem_pid(ipc, id, 4));
	/* What fails leaves no trace, even where it could have gone on. */
	EXPECT_ERR(EAGAIN, ipc->semop(id, SOPS({ 1, 1, 0 }, { 2, -9, NW })));
	EXPECT_ERR(ERANGE, ipc->semop(id, SOPS({ 3, 1, 0 }, { 2, SEMVMX, 0 })));
	EXPECT_ERR(EFBIG, ipc->semop(id, SOPS({ 1, 1, 0 }, { 5, 1, 0 })));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 1));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 2));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 3));
	/* A look does not count. */
	EXPECT_EQ(3, peer_semctl(&p, ipc, id, 2, GETVAL, 0));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, 0));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 0, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	peer_end(&p, 0);
}

/* sem_otime: the last operation that succeeded, of whatever kind; ctime is none of it. */
TEST_F(op, otime)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 3, 0600);
	struct semid_ds ds, before;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, sem_stat(ipc, id, &before));
	EXPECT_EQ(0, before.sem_otime);
	EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, -1, NW));
	EXPECT_ERR(EFBIG, semop1(ipc, id, 3, 1, 0));
	EXPECT_EQ(0, sem_val(ipc, id, 0));
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, ds.sem_otime);
	/* A second later than the creation. */
	wait_until(stamp_now() > before.sem_ctime + 1);
	start = stamp_now();
	EXPECT_EQ(0, semop1(ipc, id, 1, 0, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_otime);
	EXPECT_GE(stamp_now(), ds.sem_otime);
	EXPECT_GE(before.sem_ctime + 1, ds.sem_ctime);
	/* The latest of all its semaphores. */
	wait_until(stamp_now() > ds.sem_otime);
	start = stamp_now();
	EXPECT_EQ(0, semop1(ipc, id, 2, 1, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_otime);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 1, 1, 0 })));
	EXPECT_LE(start, ds.sem_otime);
	EXPECT_GE(before.sem_ctime + 1, ds.sem_ctime);
}

/* Against a few lines that say the same. */
static int expected(int *v, int nsems, const struct sembuf *sops, int n)
{
	int now[8], i;

	memcpy(now, v, sizeof(now));
	for (i = 0; i < n; i++)
		if (sops[i].sem_num >= nsems)
			return EFBIG;
	for (i = 0; i < n; i++) {
		int *x = &now[sops[i].sem_num];

		if ((!sops[i].sem_op && *x) || *x + sops[i].sem_op < 0)
			return EAGAIN;
		*x += sops[i].sem_op;
		if (*x > SEMVMX)
			return ERANGE;
	}
	memcpy(v, now, sizeof(now));
	return 0;
}

TEST_F(op, random_arrays)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 8, 0600), v[8] = {}, met[ERANGE + 1] = {};
	unsigned int seed = 8128, round;
	struct sembuf sops[12];
	unsigned short got[8];

	ASSERT_LE(0, id);
	for (round = 0; round < 6000; round++) {
		int n = 1 + rand_r(&seed) % (round % 3 ? 3 : 12), i, want, err;

		for (i = 0; i < n; i++) {
			int r = rand_r(&seed) % 100, op = rand_r(&seed) % 5 - 2;

			if (r < 5)
				op = SEMVMX - rand_r(&seed) % 3;
			else if (r < 10)
				op = -(SEMVMX - rand_r(&seed) % 3);
			sops[i] = (struct sembuf){ rand_r(&seed) % (r == 99 ? 9 : 8), op,
						   NW | (r % 2 ? SEM_UNDO : 0) };
		}
		/* Without undo where its range would come into it. */
		for (i = 0; i < n; i++)
			if (sops[i].sem_op > 2 || sops[i].sem_op < -2)
				sops[i].sem_flg = NW;
		want = expected(v, 8, sops, n);
		err = ipc->semop(id, sops, n) ? errno : 0;
		ASSERT_EQ(want, err)
			TH_LOG("round %u", round);
		met[want]++;
		ASSERT_EQ(0, sem_getall(ipc, id, got));
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(v[i], got[i])
				TH_LOG("round %u, semaphore %d", round, i);
		}
	}
	EXPECT_LT(500, met[0]);
	EXPECT_LT(500, met[EAGAIN]);
	EXPECT_LT(50, met[ERANGE]);
	EXPECT_LT(5, met[EFBIG]);
}

TEST_HARNESS_MAIN

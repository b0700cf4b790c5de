// SPDX-License-Identifier: GPL-2.0
/* semop(2) where it sleeps: who waits, who is woken, in which order. */
#include "sem/block.h"

#include <limits.h>
#include <signal.h>

/* ---- One semaphore ---- */

TEST_F(block, first_come_first_served)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, peer_block1(&p[i], ipc, id, 0, -1, 0));
		EXPECT_EQ(i + 1, sem_ncnt(ipc, id, 0));
	}
	EXPECT_EQ(0, sem_ncnt(ipc, id, 1));
	EXPECT_EQ(0, sem_pid(ipc, id, 0));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
		/* Handed over: nobody who comes now can take it, awake or not. */
		EXPECT_ERR(EAGAIN, semop1(ipc, id, 0, -1, NW));
		EXPECT_EQ(p[i].pid, sem_pid(ipc, id, 0));
		EXPECT_WOKEN(&p[i]);
		EXPECT_SEM(0, 0, 5 - i, 0);
		EXPECT_ASLEEP(&p[i + 1]);
	}
	/* Several at once, and what is left over. */
	EXPECT_EQ(0, semop1(ipc, id, 0, 3, 0));
	for (i = 2; i < 5; i++)
		EXPECT_WOKEN(&p[i]);
	EXPECT_ASLEEP(&p[5]);
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 3, 0));
	EXPECT_WOKEN(&p[5]);
	EXPECT_SEM(0, 2, 0, 0);
}

/* A late one who asks for more than is there waits behind those who ask for less. */
TEST_F(block, small_passes_big)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -3, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[2], ipc, id, 0, -2, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[1]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_ASLEEP(&p[2]);
	/* One comes and takes what is there, past both. */
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_SEM(0, 1, 2, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[2]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 0, 1, 0);
	/* Enough for both, the elder first. */
	ASSERT_EQ(0, peer_block1(&p[3], ipc, id, 0, -1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 3, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_EQ(0, semop1(ipc, id, 0, SEMVMX, 0));
	EXPECT_WOKEN(&p[3]);
	EXPECT_SEM(0, SEMVMX - 1, 0, 0);
}

TEST_F(block, impossible)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, SEMVMX));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, SHRT_MIN, 0));
	EXPECT_SEM(0, SEMVMX, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_ASLEEP(&p[0]);
	peer_end(&p[0], SIGKILL);
	EXPECT_SEM(0, SEMVMX, 0, 0);
}

/* ---- Waiting for zero ---- */

TEST_F(block, zero_wakes_all)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 2));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, peer_block1(&p[i], ipc, id, 0, 0, 0));
		EXPECT_SEM(0, 2, 0, i + 1);
	}
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	for (i = 0; i < 4; i++)
		EXPECT_ASLEEP(&p[i]);
	EXPECT_EQ(0, semop1(ipc, id, 0, -2, 0));
	for (i = 0; i < 4; i++)
		EXPECT_WOKEN(&p[i]);
	EXPECT_SEM(0, 0, 0, 0);
	/* The last of them operated last. */
	EXPECT_EQ(p[3].pid, sem_pid(ipc, id, 0));
}

/* Zero in passing, within one array, is not seen. */
TEST_F(block, zero_in_passing)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 2));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, 0, 0));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, -2, 0 }, { 0, 1, 0 })));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, -1, 0 }, { 0, 0, 0 }, { 0, 2, 0 })));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 2, 0, 1);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 5, 0 }, { 0, -7, 0 })));
	EXPECT_WOKEN(&p[0]);
}

/* A sleeper that takes all wakes those who wait for zero, within the same call. */
TEST_F(block, zero_by_hand_over)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, 0, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -3, 0));
	EXPECT_SEM(0, 1, 1, 1);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_ASLEEP(&p[1]);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_SEM(0, 0, 0, 0);
	/* Who waited for zero was the last. */
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 0));
	/* Not so when something is left. */
	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, 0, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -3, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 4, 0));
	EXPECT_WOKEN(&p[1]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 2, 0, 1);
}

/* Those who wait for zero come before those who take, when both can go on. */
TEST_F(block, zero_before_taking)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	/* The lock of old: who gets it makes it non-zero for the next. */
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, 0, 0 }, { 0, 1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, 0, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 0, 0, 0 }, { 0, 1, 0 })));
	EXPECT_SEM(0, 1, 0, 3);
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_ASLEEP(&p[2]);
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_WOKEN(&p[2]);
	EXPECT_SEM(0, 1, 0, 0);
}

/* ---- Several semaphores ---- */

TEST_F(block, all_at_once)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, 0 }, { 1, -2, 0 }, { 2, 5, 0 })));
	/* Counted where it first cannot go on, which changes. */
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 1, 0, 0);
	EXPECT_SEM(1, 0, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_SEM(1, 1, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_SEM(1, 1, 0, 0);
	EXPECT_SEM(2, 0, 0, 0);
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_SEM(2, 5, 0, 0);
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 2));
}

/* It waits with a decrement and for a zero: counted as the one or the other. */
TEST_F(block, counts_by_kind)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, 0 }, { 1, 0, 0 })));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 1, 0, 0 }, { 0, -1, 0 })));
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_SEM(1, 1, 0, 1);
	EXPECT_EQ(0, semop1(ipc, id, 0, 2, 0));
	EXPECT_SEM(0, 2, 0, 0);
	EXPECT_SEM(1, 1, 0, 2);
	/* Nothing but zeros, on two semaphores: these do not alter. */
	ASSERT_EQ(0, sem_setval(ipc, id, 2, 1));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 1, 0, 0 }, { 2, 0, 0 })));
	ASSERT_EQ(0, peer_block(&p[3], ipc, id, SOPS({ 2, 0, 0 }, { 1, 0, 0 })));
	EXPECT_SEM(1, 1, 0, 3);
	EXPECT_SEM(2, 1, 0, 1);
	EXPECT_EQ(0, semop1(ipc, id, 1, -1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_SEM(2, 1, 0, 2);
	EXPECT_EQ(0, semop1(ipc, id, 2, -1, 0));
	EXPECT_WOKEN(&p[2]);
	EXPECT_WOKEN(&p[3]);
	EXPECT_SEM(2, 0, 0, 0);
}

/*
 * An array of zeros is looked at again when one of the semaphores becomes zero, not when
 * it ceases to be: until then it counts where it was last held up.
 */
TEST_F(block, counts_of_the_last_look)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 1, 0, 1);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_SEM(0, 1, 0, 0);
	EXPECT_SEM(1, 1, 0, 1);
	EXPECT_EQ(0, semop1(ipc, id, 1, -1, 0));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_WOKEN(&p[0]);
}

/*
 * A call that alters something has it looked at again if one of the call's semaphores is zero,
 * changed or not.
 */
TEST_F(block, counts_after_zero_unchanged)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_SEM(0, 1, 0, 0);
	EXPECT_SEM(1, 1, 0, 1);
	/* Nothing but zeros alters nothing. */
	EXPECT_EQ(0, semop1(ipc, id, 3, 0, 0));
	EXPECT_SEM(1, 1, 0, 1);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 3, 0, 0 }, { 2, 1, 0 })));
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_SEM(1, 1, 0, 0);
	EXPECT_ASLEEP(&p[0]);
}

/* Who waits for one zero goes before who waits for several, though he came later. */
TEST_F(block, one_zero_before_several)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 1, 0, 0));
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, -1, 0 }, { 1, -1, 0 })));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 1));
	/* As well when it is a sleeper who makes them zero. */
	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 1, 0, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 2, -1, 0 }, { 0, -1, 0 }, { 1, -1, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 2, 1, 0));
	EXPECT_WOKEN(&p[2]);
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 1));
}

/*
 * SETVAL and SETALL have all of them looked at again, if there is a zero anywhere in the
 * set, though it is not the one that was set.
 */
TEST_F(block, counts_after_setval)
{
	const struct ipc *ipc = variant->ipc;
	static const unsigned short one[4] = { 1, 1, 1, 1 };
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 2, 0, 0 }, { 0, 0, 0 })));
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_SEM(2, 0, 0, 0);
	EXPECT_EQ(0, sem_setval(ipc, id, 2, 1));
	EXPECT_SEM(0, 1, 0, 0);
	EXPECT_SEM(2, 1, 0, 1);
	/* By an operation it would not have been. */
	EXPECT_EQ(0, sem_setval(ipc, id, 2, 0));
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_EQ(0, semop1(ipc, id, 2, 1, 0));
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_SEM(2, 1, 0, 0);
	/* Nor where nothing is zero. */
	EXPECT_EQ(0, sem_setall(ipc, id, one));
	EXPECT_SEM(0, 1, 0, 1);
	EXPECT_SEM(2, 1, 0, 0);
	EXPECT_EQ(0, sem_setval(ipc, id, 3, 0));
	EXPECT_SEM(0, 1, 0, 0);
	EXPECT_SEM(2, 1, 0, 1);
	EXPECT_ASLEEP(&p[0]);
}

/* An elder that waits for more does not keep a younger, simple one from what is there. */
TEST_F(block, simple_passes_array)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, 0 }, { 1, -1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[2], ipc, id, 1, -1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[1]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_ASLEEP(&p[2]);
	EXPECT_SEM(0, 0, 1, 0);
	/* Both at once: the elder, alone. */
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 1, 1, 0 })));
	EXPECT_WOKEN(&p[0]);
	EXPECT_ASLEEP(&p[2]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 0, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_WOKEN(&p[2]);
}

/* The order among simple ones and arrays is that of their coming. */
TEST_F(block, one_queue)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 1, -1, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 1, -1, 0 }, { 0, -1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[3], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block(&p[4], ipc, id, SOPS({ 0, -1, 0 }, { 1, -1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[5], ipc, id, 1, -1, 0));
	EXPECT_SEM(0, 0, 3, 0);
	EXPECT_SEM(1, 0, 3, 0);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 1, 1, 0 })));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_ASLEEP(&p[2]);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 1, 1, 0 })));
	EXPECT_WOKEN(&p[2]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_ASLEEP(&p[4]);
	EXPECT_ASLEEP(&p[5]);
	/* Two of the one and one of the other: the simple elder, then the array. */
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 2, 0 }, { 1, 1, 0 })));
	EXPECT_WOKEN(&p[3]);
	EXPECT_WOKEN(&p[4]);
	EXPECT_ASLEEP(&p[5]);
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_WOKEN(&p[5]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 0, 0, 0);
}

/* The last array leaves: the simple ones that stay keep their order. */
TEST_F(block, array_leaves_the_queue)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 1, -1, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 3, -1, 0 }, { 2, -1, 0 })));
	for (i = 3; i < 7; i++)
		ASSERT_EQ(0, peer_block1(&p[i], ipc, id, i % 2, -1, 0));
	peer_end(&p[2], SIGKILL);
	EXPECT_EQ(3, sem_ncnt(ipc, id, 0));
	EXPECT_EQ(3, sem_ncnt(ipc, id, 1));
	EXPECT_EQ(0, sem_ncnt(ipc, id, 3));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[4]);
	EXPECT_ASLEEP(&p[6]);
	EXPECT_EQ(0, semop1(ipc, id, 1, 2, 0));
	EXPECT_WOKEN(&p[1]);
	EXPECT_WOKEN(&p[3]);
	EXPECT_ASLEEP(&p[5]);
	EXPECT_EQ(0, ipc->semop(id, SOPS({ 0, 1, 0 }, { 1, 1, 0 })));
	EXPECT_WOKEN(&p[5]);
	EXPECT_WOKEN(&p[6]);
}

/* One that gives as well as takes: its gift goes on to the next, and back to elders. */
TEST_F(block, chain)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	/* The end of the chain waits first. */
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 3, -1, 0));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 2, -1, 0 }, { 3, 1, 0 })));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 1, -1, 0 }, { 2, 1, 0 })));
	ASSERT_EQ(0, peer_block(&p[3], ipc, id, SOPS({ 0, -1, 0 }, { 1, 1, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_WOKEN(&p[2]);
	EXPECT_WOKEN(&p[3]);
	EXPECT_EQ(p[3].pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(p[2].pid, sem_pid(ipc, id, 1));
	EXPECT_EQ(p[1].pid, sem_pid(ipc, id, 2));
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 3));
	/* With a wait for zero in it, which one before makes true. */
	ASSERT_EQ(0, sem_setval(ipc, id, 2, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 2, 0, 0 }, { 3, 2, 0 })));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 2, 0, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 0, -1, 0 }, { 2, -1, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_WOKEN(&p[2]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 0, 0, 0);
	EXPECT_SEM(2, 0, 0, 0);
	EXPECT_SEM(3, 2, 0, 0);
}

/* After each that is granted the search starts with the eldest again. */
TEST_F(block, eldest_first_again)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	/* A waits for two of s1; B takes s0 and gives one of s1; C takes one of s1. */
	ASSERT_EQ(0, sem_setval(ipc, id, 1, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 1, -2, 0 }, { 2, 1, 0 })));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 0, -1, 0 }, { 1, 1, 0 })));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 1, -1, 0 }, { 2, -1, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	/* C would have taken the second of s1, had it been asked next. */
	EXPECT_ASLEEP(&p[2]);
	EXPECT_SEM(1, 0, 1, 0);
	EXPECT_SEM(2, 1, 0, 0);
}

/* The same semaphore several times in a sleeping array. */
TEST_F(block, duplicates)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, 0 }, { 0, -1, 0 }, { 1, 1, 0 })));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 1, 1, 0);
	/* The value is nobody's yet. */
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, NW));
	EXPECT_EQ(0, semop1(ipc, id, 0, 2, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, 1, 0, 0);
	/* Up and down: counted at the operation that cannot go on. */
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, 2, 0 }, { 0, 0, 0 })));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 0, 2, 0 }, { 0, -3, 0 })));
	EXPECT_SEM(0, 0, 1, 1);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_WOKEN(&p[1]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 0, 0, 1);
}

/* What fails while it waits: woken with the error, nothing taken, and the next in line served. */
TEST_F(block, error_while_asleep)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 1, SEMVMX));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, 0 }, { 1, 1, 0 })));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 0, -1, 0 }, { 2, -1, NW })));
	ASSERT_EQ(0, peer_block1(&p[2], ipc, id, 0, -1, 0));
	EXPECT_SEM(0, 0, 3, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_ERR(ERANGE, peer_woken(&p[0]));
	EXPECT_ERR(EAGAIN, peer_woken(&p[1]));
	EXPECT_WOKEN(&p[2]);
	EXPECT_SEM(0, 0, 0, 0);
	EXPECT_SEM(1, SEMVMX, 0, 0);
	EXPECT_EQ(p[2].pid, sem_pid(ipc, id, 0));
}

/* IPC_NOWAIT on what could go on at first, and no longer can. */
TEST_F(block, nowait_later)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 1));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, NW }, { 1, -1, 0 })));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 2, 0, NW }, { 1, -1, 0 })));
	EXPECT_SEM(1, 0, 2, 0);
	EXPECT_EQ(0, semop1(ipc, id, 0, -1, 0));
	EXPECT_ERR(EAGAIN, peer_woken(&p[0]));
	EXPECT_SEM(1, 0, 1, 0);
	EXPECT_EQ(0, semop1(ipc, id, 2, 1, 0));
	EXPECT_ERR(EAGAIN, peer_woken(&p[1]));
	EXPECT_SEM(1, 0, 0, 0);
}

/* ---- Values set from outside ---- */

TEST_F(block, woken_by_setval)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct semid_ds ds;
	int id = self->id;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -2, 0));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 0, -1, 0 }, { 1, -1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[3], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, ds.sem_otime);
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 3));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_ASLEEP(&p[2]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_SEM(0, 0, 2, 0);
	EXPECT_EQ(p[1].pid, sem_pid(ipc, id, 0));
	/* Theirs were operations. */
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_NE(0, ds.sem_otime);
	/* To what it is already: nothing. */
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 0));
	EXPECT_ASLEEP(&p[2]);
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	EXPECT_EQ(0, sem_setval(ipc, id, 1, 1));
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 1));
	EXPECT_WOKEN(&p[2]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_SEM(1, 0, 0, 0);
}

TEST_F(block, zero_by_setval)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 0, 9));
	ASSERT_EQ(0, sem_setval(ipc, id, 1, 9));
	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, 0, 0));
	ASSERT_EQ(0, peer_block(&p[1], ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
	ASSERT_EQ(0, peer_block(&p[2], ipc, id, SOPS({ 0, 0, 0 }, { 0, 4, 0 })));
	EXPECT_SEM(0, 9, 0, 3);
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 1));
	EXPECT_SEM(0, 1, 0, 3);
	EXPECT_EQ(0, sem_setval(ipc, id, 1, 0));
	EXPECT_EQ(0, sem_setval(ipc, id, 0, 0));
	EXPECT_WOKEN(&p[0]);
	EXPECT_WOKEN(&p[1]);
	EXPECT_WOKEN(&p[2]);
	EXPECT_SEM(0, 4, 0, 0);
}

TEST_F(block, woken_by_setall)
{
	const struct ipc *ipc = variant->ipc;
	static const unsigned short vals[4] = { 1, 1, 2, 0 };
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, sem_setval(ipc, id, 3, 5));
	ASSERT_EQ(0, peer_block(&p[0], ipc, id, SOPS({ 0, -1, 0 }, { 1, -1, 0 }, { 2, -1, 0 })));
	ASSERT_EQ(0, peer_block1(&p[1], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[2], ipc, id, 2, -1, 0));
	ASSERT_EQ(0, peer_block1(&p[3], ipc, id, 3, 0, 0));
	EXPECT_EQ(0, sem_setall(ipc, id, vals));
	EXPECT_WOKEN(&p[0]);
	EXPECT_ASLEEP(&p[1]);
	EXPECT_WOKEN(&p[2]);
	EXPECT_WOKEN(&p[3]);
	EXPECT_SEM(0, 0, 1, 0);
	EXPECT_SEM(2, 0, 0, 0);
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 0));
	EXPECT_EQ(p[0].pid, sem_pid(ipc, id, 1));
	EXPECT_EQ(p[3].pid, sem_pid(ipc, id, 3));
}

/* IPC_SET and the looks wake nobody. */
TEST_F(block, not_woken)
{
	const struct ipc *ipc = variant->ipc;
	unsigned short vals[4];
	struct peer *p = self->p;
	struct semid_ds ds;
	int id = self->id;

	ASSERT_EQ(0, peer_block1(&p[0], ipc, id, 0, -1, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_EQ(0, sem_getall(ipc, id, vals));
	EXPECT_EQ(0, semop1(ipc, id, 1, 1, 0));
	EXPECT_EQ(0, semop1(ipc, id, 0, 0, 0));
	EXPECT_EQ(1, sem_rows(ipc, NULL, 0));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 0, -1));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_SEM(0, 0, 1, 0);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphores without a system call, ended or stopped before every instruction of an
 * operation: the short way.  sem_every.c has all ways, and all that others may do.
 */
#include "common/harness.h"

#include <kipc.h>

#include "step.h"

FIXTURE(step) { int unused; };
FIXTURE_SETUP(step)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
}
FIXTURE_TEARDOWN(step) { }

/* The fast path is taken: the kernel sees nothing of a thousand operations. */
TEST_F(step, not_a_call)
{
	struct sembuf up = { 0, 1, 0 }, down = { 0, -1, SEM_UNDO }, upu = { 0, 1, SEM_UNDO };
	int id, i;
	long calls;

	id = kipc_semget(IPC_PRIVATE, 2, 0600);
	ASSERT_GE(id, 0);
	ASSERT_EQ(0, step_warm(id, 0));
	ASSERT_EQ(0, step_warm(id, SEM_UNDO));
	calls = kipc_object_read("sem", id).calls;
	ASSERT_GT(calls, 0);
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, kipc_semop(id, &up, 1));
		ASSERT_EQ(0, kipc_semop(id, &down, 1));
		ASSERT_EQ(0, kipc_semop(id, &upu, 1));
		ASSERT_EQ(0, kipc_semop(id, &down, 1));
	}
	EXPECT_EQ(calls, kipc_object_read("sem", id).calls);
	EXPECT_VALUES(&ipc_kipc, id, 0, 0);
	EXPECT_EQ(getpid(), kipc_semctl(id, 0, GETPID));
	/* And not when it would block. */
	down.sem_flg = IPC_NOWAIT;
	EXPECT_ERR(EAGAIN, kipc_semop(id, &down, 1));
	EXPECT_EQ(calls + 1, kipc_object_read("sem", id).calls);
	EXPECT_EQ(0, kipc_semctl(id, 0, IPC_RMID));
}

static void check(struct __test_metadata *_metadata, const struct scene *scene, enum act act,
		  unsigned int ends)
{
	int steps = 0;

	EXPECT_EQ(0, step_scene(scene, act, ends, WAY_AT_SWAP, &steps))
		TH_LOG("%s", scene->name);
	EXPECT_GT(steps, 20);
	TH_LOG("%s: %d instructions", scene->name, steps);
}

static const struct scene up = { "up", .op = { 0, 1, 0 }, .value = 5 };
static const struct scene down = { "down", .op = { 0, -1, 0 }, .value = 5 };
static const struct scene zero = { "wait for zero", .op = { 0, 0, 0 } };
static const struct scene undo_up = { "up with undo", .op = { 0, 1, SEM_UNDO }, .value = 5 };
static const struct scene undo_down = { "down with undo", .op = { 0, -1, SEM_UNDO }, .value = 1 };
static const struct scene in_handler = { "up with undo in a handler", .op = { 0, 1, SEM_UNDO },
					 .value = 5, .flags = STEP_IN_HANDLER };
static const struct scene swap_lost = { "swap lost, with undo", .op = { 0, 1, SEM_UNDO },
					.value = 5, .meddle = OPERATE };

/* The word is as it was when the handler is done: the compare and swap succeeds. */
static const struct scene interrupted = { "undo and back in undo", .op = { 0, 1, SEM_UNDO },
					  .inner = { 0, -1, SEM_UNDO }, .value = 5,
					  .meddle = SIGNAL, .flags = STEP_AND_BACK };

TEST_F_TIMEOUT(step, killed, 380)
{
	check(_metadata, &up, NOTHING, STEP_END(KILLED_SEEN));
	check(_metadata, &down, NOTHING, STEP_END(KILLED));
	check(_metadata, &zero, NOTHING, STEP_END(KILLED_SEEN));
}

TEST_F_TIMEOUT(step, killed_undo, 380)
{
	check(_metadata, &undo_up, NOTHING, STEP_END(KILLED));
	check(_metadata, &undo_down, NOTHING, STEP_END(KILLED_SEEN));
	check(_metadata, &in_handler, NOTHING, STEP_END(KILLED_SEEN));
	check(_metadata, &swap_lost, NOTHING, STEP_END(WENT_ON));
}

/* A handler's operations between the intent and the compare and swap of another. */
TEST_F_TIMEOUT(step, killed_interrupted, 380)
{
	check(_metadata, &interrupted, NOTHING, STEP_END(KILLED));
}

/* Somebody comes, and is let go by the undo value of the one who died, or by the value. */
TEST_F_TIMEOUT(step, killed_with_waiter, 380)
{
	check(_metadata, &undo_down, COME_DOWN, STEP_END(KILLED_SEEN));
}

/* Stopped in the middle, while others do what they like; then it goes on, or is killed. */
TEST_F_TIMEOUT(step, stopped_while_others_operate, 380)
{
	check(_metadata, &undo_up, OPERATE, STEP_END(WENT_ON));
}

TEST_F_TIMEOUT(step, stopped_setval, 380)
{
	check(_metadata, &undo_up, SET_VALUE, STEP_END(KILLED) | STEP_END(WENT_ON));
}

TEST_F_TIMEOUT(step, stopped_setall, 380)
{
	check(_metadata, &undo_up, SET_ALL, STEP_END(KILLED_SEEN));
}

TEST_F_TIMEOUT(step, stopped_permissions_set, 380)
{
	check(_metadata, &undo_up, SET_MODE, STEP_END(KILLED) | STEP_END(WENT_ON));
}

/* The set is gone under the stopped child, which finds EIDRM or EINVAL when it goes on. */
TEST_F_TIMEOUT(step, stopped_removed, 380)
{
	check(_metadata, &undo_up, REMOVE, STEP_END(WENT_ON));
}

TEST_HARNESS_MAIN

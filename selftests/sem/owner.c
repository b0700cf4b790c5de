// SPDX-License-Identifier: GPL-2.0
/* kipc's own: to learn that whoever had taken a semaphore died with it. */
#include "common/harness.h"
#include "common/device.h"

#include <kipc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static const struct ipc *const ipc = &ipc_kipc;

/* Once with all by system call, once with a holder who has the set mapped. */
FIXTURE(owner) { int sem; };
FIXTURE_VARIANT(owner) { bool mapped; };
FIXTURE_VARIANT_ADD(owner, by_call) { .mapped = false };
FIXTURE_VARIANT_ADD(owner, mapped) { .mapped = true };

FIXTURE_SETUP(owner)
{
	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->sem = sem_new(ipc, SEMS(1, 1, 1), 0600);
	ASSERT_LE(0, self->sem);
}

FIXTURE_TEARDOWN(owner) { }

static int op(int id, int num, int by, int flags)
{
	return kipc_semop(id, &(struct sembuf){ num, by, flags }, 1);
}

/* The call that asks. */
static int ask(int id, struct sembuf *sops, size_t nsops)
{
	return kipc_semclockop(id, sops, nsops, 0, KIPC_SEM_OP_OWNER, NULL);
}

static int ask1(int id, int num, int by)
{
	return ask(id, &(struct sembuf){ num, by, IPC_NOWAIT }, 1);
}

/* Semaphores that are orphaned. */
static long orphans(int id)
{
	return kipc_object_read("sem", id).orphans;
}

struct hold {
	int id, num, by;
	bool mapped;
};

static int do_hold(void *arg)
{
	const struct hold *hold = arg;
	long before;
	int i;

	/* So often that the set is mapped, with a slot for undo values. */
	for (i = 0; hold->mapped && i < 40; i++)
		if (op(hold->id, hold->num, -1, SEM_UNDO) || op(hold->id, hold->num, 1, SEM_UNDO))
			return 1;
	before = kipc_object_read("sem", hold->id).calls;
	if (op(hold->id, hold->num, hold->by, SEM_UNDO))
		return 2;
	return hold->mapped && kipc_object_read("sem", hold->id).calls != before ? 3 : 0;
}

/* A process that does that with SEM_UNDO, and stops; or -1. */
static pid_t hold(int id, int num, int by, bool mapped)
{
	return stopped_child(do_hold, &(struct hold){ id, num, by, mapped });
}

TEST_F(owner, is_told_once)
{
	pid_t pid = hold(self->sem, 1, -1, variant->mapped);

	ASSERT_LT(0, pid);
	EXPECT_ERR(EAGAIN, ask1(self->sem, 1, -1));
	EXPECT_EQ(0, orphans(self->sem));
	ASSERT_EQ(0, kill_child(pid));
	/* Carried out, by whoever was told. */
	EXPECT_ERR(EOWNERDEAD, ask1(self->sem, 1, -1));
	EXPECT_VALUES(ipc, self->sem, 1, 0, 1);
	EXPECT_EQ(getpid(), sem_pid(ipc, self->sem, 1));
	EXPECT_EQ(0, orphans(self->sem));
	EXPECT_EQ(0, op(self->sem, 1, 1, 0));
	EXPECT_EQ(0, ask1(self->sem, 1, -1));
	EXPECT_EQ(0, op(self->sem, 1, 1, 0));

	/* And again, with a time-out beside. */
	pid = hold(self->sem, 1, -1, variant->mapped);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill_child(pid));
	EXPECT_EQ(1, sem_val(ipc, self->sem, 1));
	EXPECT_EQ(1, orphans(self->sem));
	EXPECT_ERR(EOWNERDEAD,
		   kipc_semclockop(self->sem, &(struct sembuf){ 1, -1, 0 }, 1, CLOCK_REALTIME,
				   KIPC_SEM_OP_OWNER | TIMER_ABSTIME, &(struct timespec){ 1, 0 }));
	EXPECT_ERR(EAGAIN,
		   kipc_semclockop(self->sem, &(struct sembuf){ 1, -1, 0 }, 1, CLOCK_REALTIME,
				   KIPC_SEM_OP_OWNER | TIMER_ABSTIME, &(struct timespec){ 1, 0 }));
}

/* Who does not ask sees System V, and takes nothing from who does. */
TEST_F(owner, is_not_told_unasked)
{
	pid_t pid = hold(self->sem, 0, -1, variant->mapped);
	int i;

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill_child(pid));
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, op(self->sem, 0, -1, i % 2 ? SEM_UNDO : 0));
		ASSERT_EQ(0, op(self->sem, 0, 1, i % 2 ? SEM_UNDO : 0));
	}
	EXPECT_EQ(1, orphans(self->sem));
	/* Nor who only gives, waits for zero, takes another, or cannot take. */
	EXPECT_EQ(0, ask1(self->sem, 0, 1));
	EXPECT_ERR(EAGAIN, ask1(self->sem, 0, 0));
	EXPECT_ERR(EAGAIN, ask1(self->sem, 0, -3));
	EXPECT_ERR(EAGAIN, ask(self->sem, SOPS({ 0, -1, 0 }, { 1, -2, IPC_NOWAIT })));
	EXPECT_ERR(ERANGE, ask(self->sem, SOPS({ 0, -1, 0 }, { 1, 32767, 0 })));
	EXPECT_EQ(0, ask1(self->sem, 1, -1));
	EXPECT_EQ(1, orphans(self->sem));
	EXPECT_ERR(EOWNERDEAD, ask1(self->sem, 0, -1));
	EXPECT_EQ(0, orphans(self->sem));
}

/* ---- Sleepers ---- */

static long do_ask(long *arg, void *buf)
{
	(void)buf;
	return ask(arg[0], &(struct sembuf){ arg[1], arg[2], arg[3] }, 1);
}

TEST_F(owner, is_told_asleep)
{
	pid_t pid = hold(self->sem, 2, -1, variant->mapped);
	struct peer plain, first, second;

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, peer_start(&plain));
	ASSERT_EQ(0, peer_start(&first));
	ASSERT_EQ(0, peer_start(&second));
	/* The one that came first has it, and does not ask. */
	ASSERT_EQ(0, peer_block1(&plain, ipc, self->sem, 2, -1, 0));
	ASSERT_EQ(0, peer_begin(&first, do_ask, self->sem, 2, -1, SEM_UNDO, 0));
	ASSERT_EQ(0, peer_asleep(&first));
	ASSERT_EQ(0, peer_begin(&second, do_ask, self->sem, 2, -1, 0, 0));
	ASSERT_EQ(0, peer_asleep(&second));
	ASSERT_EQ(0, kill_child(pid));
	EXPECT_EQ(0, peer_finish(&plain));
	EXPECT_EQ(0, peer_asleep(&first));
	EXPECT_EQ(1, orphans(self->sem));
	EXPECT_EQ(0, op(self->sem, 2, 1, 0));
	EXPECT_ERR(EOWNERDEAD, peer_finish(&first));
	EXPECT_EQ(0, peer_asleep(&second));
	EXPECT_EQ(0, orphans(self->sem));
	/* It dies with it itself. */
	peer_end(&first, SIGKILL);
	EXPECT_ERR(EOWNERDEAD, peer_finish(&second));
	EXPECT_EQ(0, op(self->sem, 2, 1, 0));
	EXPECT_EQ(0, ask1(self->sem, 2, -1));
	peer_end(&plain, 0);
	peer_end(&second, 0);
}

/* Handed over by the death itself, before the parent looks. */
TEST_F(owner, inherits)
{
	pid_t pid = hold(self->sem, 0, -1, variant->mapped);
	struct peer p;

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_begin(&p, do_ask, self->sem, 0, -1, 0, 0));
	ASSERT_EQ(0, peer_asleep(&p));
	ASSERT_EQ(0, kill_child(pid));
	EXPECT_ERR(EOWNERDEAD, peer_finish(&p));
	EXPECT_VALUES(ipc, self->sem, 0, 1, 1);
	EXPECT_EQ(0, orphans(self->sem));
	peer_end(&p, 0);
}

static long do_orphans(long *arg, void *buf)
{
	(void)buf;
	return orphans(arg[0]);
}

/* ---- What makes an orphan, and what ends one ---- */

TEST_F(owner, leaves_by_any_way)
{
	pid_t pid = hold(self->sem, 0, -1, variant->mapped), other;

	/* An orderly exit leaves it as well. */
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_ERR(EOWNERDEAD, ask1(self->sem, 0, -1));
	EXPECT_EQ(0, op(self->sem, 0, 1, 0));
	/* Not so who had given. */
	pid = hold(self->sem, 0, 1, variant->mapped);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill_child(pid));
	EXPECT_EQ(0, ask1(self->sem, 0, -1));
	EXPECT_EQ(0, op(self->sem, 0, 1, 0));
	/* Nor who had nothing to give back, because the value was set. */
	pid = hold(self->sem, 0, -1, variant->mapped);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, sem_setval(ipc, self->sem, 0, 1));
	ASSERT_EQ(0, kill_child(pid));
	EXPECT_EQ(0, ask1(self->sem, 0, -1));
	EXPECT_EQ(0, op(self->sem, 0, 1, 0));

	/* Two at once are told of once each, three units of one once. */
	EXPECT_EQ(0, sem_setval(ipc, self->sem, 1, 3));
	pid = hold(self->sem, 0, -1, variant->mapped);
	other = hold(self->sem, 1, -3, variant->mapped);
	ASSERT_LT(0, pid);
	ASSERT_LT(0, other);
	ASSERT_EQ(0, kill_child(pid));
	ASSERT_EQ(0, kill_child(other));
	EXPECT_EQ(1, sem_val(ipc, self->sem, 0));
	EXPECT_EQ(2, orphans(self->sem));
	EXPECT_ERR(EOWNERDEAD, ask(self->sem, SOPS({ 2, -1, 0 }, { 1, -1, 0 }, { 1, -1, 0 })));
	EXPECT_EQ(1, orphans(self->sem));
	EXPECT_EQ(0, ask1(self->sem, 1, -1));
	EXPECT_ERR(EOWNERDEAD, ask1(self->sem, 0, -1));
	EXPECT_VALUES(ipc, self->sem, 0, 0, 0);
}

TEST_F(owner, is_forgotten_by_a_value)
{
	static const unsigned short ones[3] = { 1, 1, 1 };
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		pid = hold(self->sem, 0, -1, variant->mapped);
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, kill_child(pid));
		EXPECT_EQ(1, sem_val(ipc, self->sem, 0));
		EXPECT_EQ(1, orphans(self->sem));
		EXPECT_EQ(0, i ? sem_setall(ipc, self->sem, ones) :
			  sem_setval(ipc, self->sem, 0, 1));
		EXPECT_EQ(0, orphans(self->sem));
		EXPECT_EQ(0, ask1(self->sem, 0, -1));
		EXPECT_EQ(0, op(self->sem, 0, 1, 0));
	}
}

/* By a handle; and not who has no right to the set. */
TEST_F(owner, is_told_by_a_handle)
{
	static const struct who nobody = { "nobody", 65534, 65534, -1, 0 };
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
	pid_t pid = hold(self->sem, 0, -1, variant->mapped);
	struct sembuf down = { 0, -1, 0 };
	struct peer p;

	ASSERT_LE(0, fd);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, kill_child(pid));
	EXPECT_EQ(1, sem_val(ipc, self->sem, 0));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &nobody));
	EXPECT_ERR(EACCES, peer_run(&p, do_ask, self->sem, 0, -1, 0, 0));
	/* Who may not read it does not see it either. */
	EXPECT_EQ(0, peer_run(&p, do_orphans, self->sem, 0, 0, 0, 0));
	EXPECT_EQ(1, orphans(self->sem));
	peer_end(&p, 0);
	EXPECT_ERR(EOWNERDEAD, kipc_handle_semop(fd, &down, 1, 0, KIPC_SEM_OP_OWNER, NULL));
	EXPECT_EQ(0, op(self->sem, 0, 1, 0));
	EXPECT_EQ(0, kipc_handle_semop(fd, &down, 1, 0, KIPC_SEM_OP_OWNER, NULL));
	close(fd);
}

TEST_F(owner, asks_rightly)
{
	struct sembuf up = { 0, 1, 0 };
	struct kipc_sem_op call = { .id = self->sem, .nsops = 1, .sops = (uintptr_t)&up };
	struct timespec far = { 1000, 0 };
	int device = device_open(), bit;

	ASSERT_LE(0, device);
	for (bit = 1; bit < 32; bit++) {
		call.flags = 1u << bit;
		if (call.flags == KIPC_SEM_OP_OWNER)
			continue;
		EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_SEM_OP, &call));
		call.flags |= KIPC_SEM_OP_OWNER;
		EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_SEM_OP, &call));
	}
	call.flags = KIPC_SEM_OP_OWNER | KIPC_TIMEOUT_ABSOLUTE;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_SEM_OP, &call));
	call.flags = KIPC_SEM_OP_OWNER;
	EXPECT_EQ(0, ioctl(device, KIPC_IOC_SEM_OP, &call));
	call.timeout = (uintptr_t)&far;
	call.clock = CLOCK_MONOTONIC;
	EXPECT_EQ(0, ioctl(device, KIPC_IOC_SEM_OP, &call));
	call.flags |= KIPC_TIMEOUT_ABSOLUTE;
	EXPECT_EQ(0, ioctl(device, KIPC_IOC_SEM_OP, &call));
	call.flags |= 4;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_SEM_OP, &call));
	EXPECT_VALUES(ipc, self->sem, 4, 1, 1);
	EXPECT_ERR(EINVAL, kipc_semclockop(self->sem, &up, 1, 0, KIPC_SEM_OP_OWNER << 1, NULL));
	close(device);
}

/* Many who take in turn, and die: each death is told to exactly one. */
TEST_LONG(heirs)
{
	enum { TURNS = 60 };
	struct peer p;
	int sem, i;
	pid_t pid;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	sem = sem_new(ipc, SEMS(1), 0600);
	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < TURNS; i++) {
		pid = hold(sem, 0, -1, i % 3 == 0);
		ASSERT_LT(0, pid);
		if (i % 2) {
			ASSERT_EQ(0, peer_begin(&p, do_ask, sem, 0, -1, 0, 0));
			ASSERT_EQ(0, peer_asleep(&p));
			ASSERT_EQ(0, kill_child(pid));
			EXPECT_ERR(EOWNERDEAD, peer_finish(&p));
		} else {
			ASSERT_EQ(0, kill_child(pid));
			EXPECT_ERR(EOWNERDEAD, ask1(sem, 0, -1));
		}
		EXPECT_EQ(0, op(sem, 0, 1, 0));
		EXPECT_EQ(0, ask1(sem, 0, -1));
		EXPECT_EQ(0, op(sem, 0, 1, 0));
	}
	EXPECT_EQ(0, orphans(sem));
	peer_end(&p, 0);
}

TEST_HARNESS_MAIN

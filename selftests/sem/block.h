/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sleeping in semop: a set, peers that sleep on it, and what is seen of them.
 *
 * A peer is told to operate and then seen asleep, so that the queue's order is known.
 * Whoever wakes it has done so before its own call returns: what is then still seen
 * asleep stays asleep.
 */
#ifndef KIPC_SELFTESTS_SEM_BLOCK_H
#define KIPC_SELFTESTS_SEM_BLOCK_H

#include "common/harness.h"

#include <signal.h>

#define NW	IPC_NOWAIT

FIXTURE(block) {
	struct peer p[8];
	int id;
};
FIXTURE_VARIANT(block) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(block, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(block, kipc) { .ipc = &ipc_kipc };

/* A set of four at 0, and peers. */
FIXTURE_SETUP(block)
{
	unsigned int i;

	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	self->id = variant->ipc->semget(IPC_PRIVATE, 4, 0600);
	ASSERT_LE(0, self->id);
	for (i = 0; i < ARRAY_SIZE(self->p); i++)
		ASSERT_EQ(0, peer_start(&self->p[i]));
}

FIXTURE_TEARDOWN(block)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(self->p); i++)
		if (self->p[i].pid > 0)
			peer_end(&self->p[i], SIGKILL);
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

#define EXPECT_SEM(_num, _val, _ncnt, _zcnt) do { \
	EXPECT_EQ(_val, sem_val(ipc, id, _num)); \
	EXPECT_EQ(_ncnt, sem_ncnt(ipc, id, _num)); \
	EXPECT_EQ(_zcnt, sem_zcnt(ipc, id, _num)); \
} while (0)

#define EXPECT_ASLEEP(_p)	EXPECT_EQ(0, peer_asleep(_p))
#define EXPECT_WOKEN(_p) \
	EXPECT_EQ(0, peer_woken(_p)) \
		TH_LOG("%s", strerror(errno))

#endif /* KIPC_SELFTESTS_SEM_BLOCK_H */

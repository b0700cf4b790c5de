// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: every mode of the nine bits, every relation of a caller to a queue, every
 * call that asks, as common/matrix.h tells them.
 */
#include "common/harness.h"
#include "common/matrix.h"
#include "common/mem.h"

#include <sys/prctl.h>

/* The calls. */
enum { GET, SEND, RECEIVE, CTL };
static const struct call calls[] = {
	{ "msgget 0", GET, 0, 0 },
	{ "msgget 0400", GET, 0400, 4 },
	{ "msgget 0200", GET, 0200, 2 },
	{ "msgget 0600", GET, 0600, 6 },
	{ "msgget 0100", GET, 0100, 1 },
	{ "msgget 0040", GET, 0040, 4 },
	{ "msgget 0007", GET, 0007, 7 },
	{ "msgget 0421", GET, 0421, 7 },
	{ "msgsnd", SEND, 0, 2 },
	{ "msgrcv", RECEIVE, 0, 4 },
	{ "msgrcv, MSG_EXCEPT", RECEIVE, MSG_EXCEPT, 4 },
	{ "msgrcv, MSG_COPY", RECEIVE, MSG_COPY, 4 },
	{ "IPC_STAT", CTL, IPC_STAT, 4 },
	{ "MSG_STAT", CTL, MSG_STAT, 4 },
	{ "MSG_STAT_ANY", CTL, MSG_STAT_ANY, 0 },
	{ NULL, 0, 0, 0 },
};

/* A queue with one message and no more room. */
static int make_queue(const struct ipc *ipc, int mode)
{
	struct msqid_ds ds = { .msg_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode },
			       .msg_qbytes = 1 };
	int id;

	id = ipc->msgget(KEY(mode), IPC_CREAT | IPC_EXCL | 0600);
	if (id >= 0 && (msg_send(ipc, id, 1, 1, 0) || ipc->msgctl(id, IPC_SET, &ds)))
		id = -1;
	return id;
}

/* What is permitted and comes to nothing leaves the queue as it is, for the next caller. */
static int try_call(const struct ipc *ipc, const struct call *c, int mode, int id, int index)
{
	struct msqid_ds ds;

	errno = 0;
	switch (c->kind) {
	case GET:
		return ipc->msgget(KEY(mode), c->arg) == id ? 0 : errno;
	case SEND:
		msg_send(ipc, id, 1, 1, IPC_NOWAIT);
		return errno == EAGAIN ? 0 : errno;
	case RECEIVE:
		msg_receive(ipc, id, c->arg == MSG_COPY ? 7 : c->arg ? 1 : 2, c->arg | IPC_NOWAIT);
		return errno == ENOMSG ? 0 : errno;
	}
	switch (c->arg) {
	case MSG_STAT:
	case MSG_STAT_ANY:
		return ipc->msgctl(index, c->arg, &ds) == id ? 0 : errno;
	}
	ipc->msgctl(id, c->arg, &ds);
	return errno;
}

static const struct matrix matrix = {
	.calls		= calls,
	.make		= make_queue,
	.try_call	= try_call,
};

FIXTURE(perm) {
	int id[MODES];
};

FIXTURE_VARIANT(perm) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(perm, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(perm, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(perm)
{
	int m;

	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (m = 0; m < MODES; m++) {
		self->id[m] = matrix_make(variant->ipc, &matrix, m);
		ASSERT_LE(0, self->id[m]);
	}
}

FIXTURE_TEARDOWN(perm)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

TEST_F_TIMEOUT(perm, matrix, 200)
{
	EXPECT_EQ(0, matrix_wrong(variant->ipc, &matrix, self->id));
}

/* IPC_SET and IPC_RMID ask who one is, not for the mode; more bytes for a capability. */
TEST_F(perm, owners_calls)
{
	const struct ipc *ipc = variant->ipc;
	static const int modes[] = { 0, 0777, 0600, 0007 };
	unsigned int w, i;

	for (w = 0; w < caller_count; w++) {
		const struct caller *who = &callers[w];
		bool mine = who->class == 6, root = who->who.uid == (uid_t)-1;
		bool admin = root || who->who.caps & CAP(CAP_SYS_ADMIN);
		bool more = root || who->who.caps & CAP(CAP_SYS_RESOURCE);
		struct peer p;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_become(&p, &who->who));
		for (i = 0; i < ARRAY_SIZE(modes); i++) {
			int m = modes[i], id = self->id[m];
			struct msqid_ds ds = { .msg_perm = { .uid = OWNER, .gid = OWNER_GROUP,
							     .mode = m }, .msg_qbytes = 9 };

			if (!mine && !admin) {
				EXPECT_ERR(EPERM, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
				EXPECT_ERR(EPERM, peer_msgctl(&p, ipc, id, IPC_RMID, NULL));
				continue;
			}
			EXPECT_EQ(0, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
			ds.msg_qbytes = MSGMNB + 1;
			EXPECT_EQ(more ? 0 : -1, peer_msgctl(&p, ipc, id, IPC_SET, &ds))
				TH_LOG("by %s", who->who.name);
			EXPECT_EQ(0, peer_msgctl(&p, ipc, id, IPC_RMID, NULL))
				TH_LOG("by %s", who->who.name);
			/* Again, for the next caller. */
			self->id[m] = matrix_make(ipc, &matrix, m);
			EXPECT_LE(0, self->id[m]);
		}
		peer_end(&p, 0);
	}
}

/* The creator keeps a right that the owner was given and may take it back. */
TEST_F(perm, creator_after_giving_away)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who creator = { .uid = CREATOR, .gid = NO_GROUP, .group = -1 };
	struct msqid_ds ds;
	struct peer p;
	int id = self->id[0600];

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &creator));
	ASSERT_EQ(0, peer_msgctl(&p, ipc, id, IPC_STAT, &ds));
	EXPECT_EQ(OWNER, ds.msg_perm.uid);
	EXPECT_EQ(CREATOR, ds.msg_perm.cuid);
	EXPECT_EQ(OWNER_GROUP, ds.msg_perm.gid);
	EXPECT_EQ(CREATOR_GROUP, ds.msg_perm.cgid);
	EXPECT_EQ(1, peer_receive(&p, ipc, id, 0, 0));
	ds.msg_perm.uid = CREATOR;
	ds.msg_qbytes = 100;
	ASSERT_EQ(0, peer_msgctl(&p, ipc, id, IPC_SET, &ds));
	EXPECT_EQ(0, peer_send(&p, ipc, id, 3, 3, 0));
	ASSERT_EQ(0, peer_msgctl(&p, ipc, id, IPC_RMID, NULL));
	peer_end(&p, 0);
}

/* The caller's ids are looked at with each call: changed ones count from then on. */
TEST_F(perm, ids_changed)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who owner = { .uid = OWNER, .gid = NO_GROUP, .group = -1 };
	int id = self->id[0600];
	struct msqid_ds ds;
	struct peer p;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, MSGMNB));
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_send(&p, ipc, self->id[0], 1, 1, IPC_NOWAIT) ? errno - EAGAIN : 1);
	EXPECT_EQ(1, peer_receive(&p, ipc, self->id[0], 0, 0));
	ASSERT_EQ(0, peer_become(&p, &owner));
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 2, 0));
	EXPECT_ERR(EACCES, peer_send(&p, ipc, self->id[0400], 1, 1, 0));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, self->id[0200], 0, 0));
	/* And so does the queue's mode. */
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	ds.msg_perm.mode = 0400;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	EXPECT_ERR(EACCES, peer_send(&p, ipc, id, 1, 3, 0));
	EXPECT_EQ(1, peer_receive(&p, ipc, id, 0, 0));
	ds.msg_perm.mode = 0200;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 3, 0));
	EXPECT_ERR(EACCES, peer_receive(&p, ipc, id, 0, 0));
	peer_end(&p, 0);
	EXPECT_EQ(2, msg_receive(ipc, id, 0, 0));
	EXPECT_EQ(3, msg_receive(ipc, id, 0, 0));
}

/* Capabilities count in the user namespace that owns the IPC namespace. */
static int in_user_namespace(void *arg)
{
	const struct ipc *ipc = arg;
	struct msqid_ds ds;
	int id;

	/* Who changed his ids does not own his files in /proc otherwise. */
	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
		return 77;
	if (write_text("/proc/self/setgroups", "deny") ||
	    write_text("/proc/self/uid_map", "0 2003 1") ||
	    write_text("/proc/self/gid_map", "0 3003 1"))
		return 78;
	/* All capabilities, but not over a namespace of the parent's. */
	if (!msg_send(ipc, 0, 1, 1, IPC_NOWAIT) || errno != EACCES)
		return 1;
	if (msg_receive(ipc, 0, 0, IPC_NOWAIT) != -1 || errno != EACCES)
		return 2;
	memset(&ds, 0, sizeof(ds));
	if (!ipc->msgctl(0, IPC_SET, &ds) || errno != EPERM)
		return 3;
	if (!msg_rmid(ipc, 0) || errno != EPERM)
		return 4;
	if (ipc_limit_set(ipc, "msgmni", 5) != -EACCES)
		return 5;
	/* But over one's own. */
	if (unshare(CLONE_NEWIPC))
		return 6;
	id = ipc->msgget(IPC_PRIVATE, 0);
	if (id < 0 || msg_send(ipc, id, 1, 1, 0) || msg_receive(ipc, id, 0, 0) != 1)
		return 7;
	/* More bytes are the machine's to give. */
	if (msg_set_qbytes(ipc, id, MSGMNB))
		return 8;
	if (!msg_set_qbytes(ipc, id, MSGMNB + 1) || errno != EPERM)
		return 9;
	return msg_rmid(ipc, id) ? 10 : 0;
}

TEST_F(perm, user_namespace)
{
	int status;

	ASSERT_EQ(0, self->id[0]);
	ASSERT_EQ(0, setresgid(NO_GROUP, NO_GROUP, 0));
	ASSERT_EQ(0, setresuid(STRANGER, STRANGER, 0));
	status = in_child(in_user_namespace, (void *)variant->ipc);
	ASSERT_EQ(0, setresuid(0, 0, 0));
	if (status == 77 << 8)
		SKIP(return, "no user namespaces for users here");
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN

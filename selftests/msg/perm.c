// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: every mode of the nine bits, every relation of a caller to a queue, every
 * call that asks.  Native gives the answer, and so does the rule itself, told here once
 * more in a few lines.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MODES	01000

/* Uids and gids: a queue's owner and creator are never the same. */
enum { OWNER = 2001, CREATOR, STRANGER };
enum { OWNER_GROUP = 3001, CREATOR_GROUP, NO_GROUP };

#define CAP(c)	(1ull << (c))

static const struct caller {
	struct who who;
	int class;	/* the shift of the mode bits that count */
} callers[] = {
	{ { "root", -1, 0, -1, 0 }, 0 },
	{ { "owner", OWNER, NO_GROUP, -1, 0 }, 6 },
	{ { "creator", CREATOR, NO_GROUP, -1, 0 }, 6 },
	{ { "owner in the group too", OWNER, OWNER_GROUP, CREATOR_GROUP, 0 }, 6 },
	{ { "owner's group", STRANGER, OWNER_GROUP, -1, 0 }, 3 },
	{ { "creator's group", STRANGER, CREATOR_GROUP, -1, 0 }, 3 },
	{ { "supplementary, owner's", STRANGER, NO_GROUP, OWNER_GROUP, 0 }, 3 },
	{ { "supplementary, creator's", STRANGER, NO_GROUP, CREATOR_GROUP, 0 }, 3 },
	{ { "other", STRANGER, NO_GROUP, -1, 0 }, 0 },
	{ { "other with CAP_IPC_OWNER", STRANGER, NO_GROUP, -1, CAP(CAP_IPC_OWNER) }, 0 },
	{ { "other with CAP_SYS_ADMIN", STRANGER, NO_GROUP, -1, CAP(CAP_SYS_ADMIN) }, 0 },
	{ { "owner with CAP_IPC_OWNER", OWNER, NO_GROUP, -1, CAP(CAP_IPC_OWNER) }, 6 },
	{ { "owner with CAP_SYS_RESOURCE", OWNER, NO_GROUP, -1, CAP(CAP_SYS_RESOURCE) }, 6 },
	{ { "other with the wrong ones", STRANGER, NO_GROUP, -1,
	    CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER) | CAP(CAP_CHOWN) | CAP(CAP_SYS_RESOURCE) }, 0 },
};

/* The calls; @needs are the rights, as in one class of the mode. */
enum { GET, SEND, RECEIVE, CTL };
static const struct call {
	const char *name;
	int kind, arg, needs;
} calls[] = {
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
};

#define KEY(mode)	(0x5000 + (mode))

/* Results by mode, caller and call: 0 or the errno. */
typedef unsigned char results[ARRAY_SIZE(callers)][MODES][ARRAY_SIZE(calls)];

FIXTURE(perm) {
	int id[MODES];
	results *got;
};

FIXTURE_VARIANT(perm) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(perm, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(perm, kipc) { .ipc = &ipc_kipc };

/* A queue of @mode with one message and no more room, made by CREATOR and given to OWNER. */
static int make_queue(const struct ipc *ipc, int mode)
{
	struct msqid_ds ds = { .msg_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode },
			       .msg_qbytes = 1 };
	int id;

	if (setresgid(-1, CREATOR_GROUP, -1) || setresuid(-1, CREATOR, -1))
		return -1;
	id = ipc->msgget(KEY(mode), IPC_CREAT | IPC_EXCL | 0600);
	if (id >= 0 && (msg_send(ipc, id, 1, 1, 0) || ipc->msgctl(id, IPC_SET, &ds)))
		id = -1;
	return setresuid(-1, 0, -1) || setresgid(-1, 0, -1) ? -1 : id;
}

FIXTURE_SETUP(perm)
{
	int m;

	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (m = 0; m < MODES; m++) {
		self->id[m] = make_queue(variant->ipc, m);
		ASSERT_LE(0, self->id[m]);
	}
	self->got = mmap(NULL, sizeof(*self->got), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->got);
	memset(self->got, POISON, sizeof(*self->got));
}

FIXTURE_TEARDOWN(perm)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

static int index_of(const struct ipc *ipc, int id)
{
	return id & ((1 << (ipc == &ipc_kipc || native_ids_extended() ? 24 : 15)) - 1);
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

/* Run all calls on all queues as one caller, in a process of its own. */
static pid_t start_caller(const struct ipc *ipc, unsigned int w, const int *id, results *got)
{
	int index[MODES], m;
	unsigned int c;
	pid_t pid;

	for (m = 0; m < MODES; m++)
		index[m] = index_of(ipc, id[m]);
	pid = fork();
	if (pid)
		return pid;
	if (become(&callers[w].who))
		_exit(1);
	for (m = 0; m < MODES; m++)
		for (c = 0; c < ARRAY_SIZE(calls); c++)
			(*got)[w][m][c] = try_call(ipc, &calls[c], m, id[m], index[m]);
	_exit(0);
}

/* The rule of sysvipc(7), as ipc/ applies it. */
static int expected(const struct caller *who, int mode, int needs)
{
	int granted = mode >> who->class & 7;
	bool root = who->who.uid == (uid_t)-1;

	if (!(needs & ~granted) || root || who->who.caps & CAP(CAP_IPC_OWNER))
		return 0;
	return EACCES;
}

TEST_F_TIMEOUT(perm, matrix, 200)
{
	const struct ipc *ipc = variant->ipc;
	unsigned int w, c, wrong = 0;
	int m, status;

	for (w = 0; w < ARRAY_SIZE(callers); w++) {
		pid_t pid = start_caller(ipc, w, self->id, self->got);

		ASSERT_LT(0, pid);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		for (m = 0; m < MODES; m++)
			for (c = 0; c < ARRAY_SIZE(calls); c++) {
				int want = expected(&callers[w], m, calls[c].needs);

				if ((*self->got)[w][m][c] == want)
					continue;
				if (wrong++ < 10)
					TH_LOG("%s: %s on mode %04o: %s, not %s", callers[w].who.name,
					       calls[c].name, m, strerror((*self->got)[w][m][c]),
					       strerror(want));
			}
	}
	EXPECT_EQ(0, wrong);
}

/* IPC_SET and IPC_RMID ask who one is, not for the mode; more bytes for a capability. */
TEST_F(perm, owners_calls)
{
	const struct ipc *ipc = variant->ipc;
	static const int modes[] = { 0, 0777, 0600, 0007 };
	unsigned int w, i;

	for (w = 0; w < ARRAY_SIZE(callers); w++) {
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
			self->id[m] = make_queue(ipc, m);
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

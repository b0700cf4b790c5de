// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: every mode of the nine bits, every relation of a caller to a set, every
 * call that asks, as common/matrix.h tells them.
 */
#include "common/harness.h"
#include "common/matrix.h"


/* The calls. */
enum { GET, OP, CTL };
static const struct call calls[] = {
	{ "semget 0", GET, 0, 0 },
	{ "semget 0400", GET, 0400, 4 },
	{ "semget 0200", GET, 0200, 2 },
	{ "semget 0600", GET, 0600, 6 },
	{ "semget 0100", GET, 0100, 1 },
	{ "semget 0040", GET, 0040, 4 },
	{ "semget 0007", GET, 0007, 7 },
	{ "semget 0421", GET, 0421, 7 },
	{ "semop +1", OP, 1, 2 },
	{ "semop -1", OP, -1, 2 },
	{ "semop 0", OP, 0, 4 },
	{ "semop 0 and +1, with undo", OP, 2, 2 },
	{ "GETVAL", CTL, GETVAL, 4 },
	{ "GETPID", CTL, GETPID, 4 },
	{ "GETNCNT", CTL, GETNCNT, 4 },
	{ "GETZCNT", CTL, GETZCNT, 4 },
	{ "GETALL", CTL, GETALL, 4 },
	{ "SETVAL", CTL, SETVAL, 2 },
	{ "SETALL", CTL, SETALL, 2 },
	{ "IPC_STAT", CTL, IPC_STAT, 4 },
	{ "SEM_STAT", CTL, SEM_STAT, 4 },
	{ "SEM_STAT_ANY", CTL, SEM_STAT_ANY, 0 },
	{ NULL, 0, 0, 0 },
};

/* A set: 1 and 0. */
static int make_set(const struct ipc *ipc, int mode)
{
	static const unsigned short vals[2] = { 1, 0 };
	struct semid_ds ds = { .sem_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode } };
	int id;

	id = ipc->semget(KEY(mode), 2, IPC_CREAT | IPC_EXCL | 0600);
	if (id >= 0 && (sem_setall(ipc, id, vals) ||
			ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds })))
		id = -1;
	return id;
}

static int try_call(const struct ipc *ipc, const struct call *c, int mode, int id, int index)
{
	unsigned short vals[2] = { 1, 0 };
	struct semid_ds ds;
	union semun u = { .buf = &ds };

	errno = 0;
	switch (c->kind) {
	case GET:
		return ipc->semget(KEY(mode), 0, c->arg) == id ? 0 : errno;
	case OP:
		if (c->arg == 2)
			ipc->semop(id, SOPS({ 1, 0, IPC_NOWAIT }, { 0, 1, SEM_UNDO }));
		else
			semop1(ipc, id, c->arg ? 0 : 1, c->arg, IPC_NOWAIT);
		return errno;
	}
	switch (c->arg) {
	case GETALL:
	case SETALL:
		u.array = vals;
		break;
	case SETVAL:
		u.val = 1;
		break;
	case SEM_STAT:
	case SEM_STAT_ANY:
		return ipc->semctl(index, 0, c->arg, u) == id ? 0 : errno;
	}
	ipc->semctl(id, 0, c->arg, u);
	return errno;
}

static const struct matrix matrix = {
	.calls		= calls,
	.make		= make_set,
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

/* IPC_SET and IPC_RMID ask who one is, not for the mode. */
TEST_F(perm, owners_calls)
{
	const struct ipc *ipc = variant->ipc;
	static const int modes[] = { 0, 0777, 0600, 0007 };
	unsigned int w, i;

	for (w = 0; w < caller_count; w++) {
		const struct caller *who = &callers[w];
		bool mine = who->class == 6, root = who->who.uid == (uid_t)-1;
		bool admin = root || who->who.caps & CAP(CAP_SYS_ADMIN);
		struct peer p;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_become(&p, &who->who));
		for (i = 0; i < ARRAY_SIZE(modes); i++) {
			int m = modes[i], id = self->id[m];
			struct semid_ds ds = { .sem_perm = { .uid = OWNER, .gid = OWNER_GROUP,
							     .mode = m } };

			if (!mine && !admin) {
				EXPECT_ERR(EPERM, peer_sem_set(&p, ipc, id, &ds));
				EXPECT_ERR(EPERM, peer_semctl(&p, ipc, id, 0, IPC_RMID, 0));
				continue;
			}
			EXPECT_EQ(0, peer_sem_set(&p, ipc, id, &ds));
			EXPECT_EQ(0, peer_semctl(&p, ipc, id, 0, IPC_RMID, 0))
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
	struct semid_ds ds;
	struct peer p;
	int id = self->id[0600];

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &creator));
	ASSERT_EQ(0, peer_sem_stat(&p, ipc, id, &ds));
	EXPECT_EQ(OWNER, ds.sem_perm.uid);
	EXPECT_EQ(CREATOR, ds.sem_perm.cuid);
	EXPECT_EQ(OWNER_GROUP, ds.sem_perm.gid);
	EXPECT_EQ(CREATOR_GROUP, ds.sem_perm.cgid);
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
	ds.sem_perm.uid = CREATOR;
	ASSERT_EQ(0, peer_sem_set(&p, ipc, id, &ds));
	ASSERT_EQ(0, peer_semctl(&p, ipc, id, 0, IPC_RMID, 0));
	peer_end(&p, 0);
}

/* The caller's ids are looked at with each call: changed ones count from then on. */
TEST_F(perm, ids_changed)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who owner = { .uid = OWNER, .gid = NO_GROUP, .group = -1 };
	int id = self->id[0600], i;
	struct semid_ds ds;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, SEM_UNDO));
		EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, -1, SEM_UNDO));
		EXPECT_EQ(1, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	}
	ASSERT_EQ(0, peer_become(&p, &owner));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, SEM_UNDO));
	EXPECT_EQ(2, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, self->id[0400], 0, 1, 0));
	/* And so does the set's mode. */
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	ds.sem_perm.mode = 0400;
	ASSERT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, 1, 0));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 0, -1, IPC_NOWAIT));
	EXPECT_EQ(2, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	ds.sem_perm.mode = 0200;
	ASSERT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_EQ(0, peer_semop1(&p, ipc, id, 0, 1, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 0, GETVAL, 0));
	EXPECT_ERR(EACCES, peer_semop1(&p, ipc, id, 1, 0, 0));
	peer_end(&p, 0);
	EXPECT_EQ(2, sem_val(ipc, id, 0));
}

/* Capabilities count in the user namespace that owns the IPC namespace. */
static int in_user_namespace(void *arg)
{
	const struct ipc *ipc = arg;
	struct semid_ds ds;
	int id;

	if (unshare(CLONE_NEWUSER))
		return 77;
	/* All capabilities, but not over a namespace of the parent's. */
	if (!semop1(ipc, 0, 0, 1, 0) || errno != EACCES)
		return 1;
	if (sem_val(ipc, 0, 0) != -1 || errno != EACCES)
		return 2;
	memset(&ds, 0, sizeof(ds));
	if (!ipc->semctl(0, 0, IPC_SET, (union semun){ .buf = &ds }) || errno != EPERM)
		return 3;
	if (!sem_rmid(ipc, 0) || errno != EPERM)
		return 4;
	if (sem_limit_set(ipc, SEMMNI_LIMIT, 5) != -EACCES)
		return 5;
	/* But over one's own. */
	if (unshare(CLONE_NEWIPC))
		return 6;
	id = ipc->semget(IPC_PRIVATE, 1, 0);
	if (id < 0 || semop1(ipc, id, 0, 1, SEM_UNDO) || sem_val(ipc, id, 0) != 1)
		return 7;
	return sem_rmid(ipc, id) ? 8 : 0;
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

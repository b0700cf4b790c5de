// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: every mode of the nine bits, every relation of a caller to a segment,
 * every call that asks, as common/matrix.h tells them.
 */
#include "common/harness.h"
#include "common/matrix.h"


/* The calls. */
enum { GET, AT, CTL };
static const struct call calls[] = {
	{ "shmget 0", GET, 0, 0 },
	{ "shmget 0400", GET, 0400, 4 },
	{ "shmget 0200", GET, 0200, 2 },
	{ "shmget 0600", GET, 0600, 6 },
	{ "shmget 0100", GET, 0100, 1 },
	{ "shmget 0040", GET, 0040, 4 },
	{ "shmget 0007", GET, 0007, 7 },
	{ "shmget 0421", GET, 0421, 7 },
	{ "shmat read-only", AT, SHM_RDONLY, 4 },
	{ "shmat", AT, 0, 6 },
	{ "shmat read-only, exec", AT, SHM_RDONLY | SHM_EXEC, 5 },
	{ "shmat exec", AT, SHM_EXEC, 7 },
	{ "IPC_STAT", CTL, IPC_STAT, 4 },
	{ "SHM_STAT", CTL, SHM_STAT, 4 },
	{ "SHM_STAT_ANY", CTL, SHM_STAT_ANY, 0 },
	{ NULL, 0, 0, 0 },
};

static int make_segment(const struct ipc *ipc, int mode)
{
	struct shmid_ds ds = { .shm_perm = { .uid = OWNER, .gid = OWNER_GROUP, .mode = mode } };
	int id = ipc->shmget(KEY(mode), PAGE, IPC_CREAT | IPC_EXCL | 0600);

	return id >= 0 && ipc->shmctl(id, IPC_SET, &ds) ? -1 : id;
}

static int try_call(const struct ipc *ipc, const struct call *c, int mode, int id, int index)
{
	struct shmid_ds ds;
	void *a;

	switch (c->kind) {
	case GET:
		return ipc->shmget(KEY(mode), 0, c->arg) == id ? 0 : errno;
	case AT:
		a = ipc->shmat(id, NULL, c->arg);
		if (a == MAP_FAILED)
			return errno;
		return ipc->shmdt(a) ? 255 : 0;
	default:
		if (c->arg != IPC_STAT)
			return ipc->shmctl(index, c->arg, &ds) == id ? 0 : errno;
		return ipc->shmctl(id, c->arg, &ds) ? errno : 0;
	}
}

static const struct matrix matrix = {
	.calls		= calls,
	.make		= make_segment,
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

/* IPC_SET, SHM_LOCK and IPC_RMID ask who one is, not for the mode. */
TEST_F(perm, owners_calls)
{
	const struct ipc *ipc = variant->ipc;
	static const int modes[] = { 0, 0777, 0600, 0007 };
	unsigned int w, i;

	for (w = 0; w < caller_count; w++) {
		const struct caller *who = &callers[w];
		bool mine = who->class == 6, root = who->who.uid == (uid_t)-1;
		bool admin = root || who->who.caps & CAP(CAP_SYS_ADMIN);
		bool lock = root || who->who.caps & CAP(CAP_IPC_LOCK);
		struct peer p;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_EQ(0, peer_become(&p, &who->who));
		for (i = 0; i < ARRAY_SIZE(modes); i++) {
			int m = modes[i], id = self->id[m];
			struct shmid_ds ds = { .shm_perm = { .uid = OWNER, .gid = OWNER_GROUP,
							     .mode = m } };

			if (mine || admin) {
				EXPECT_EQ(0, peer_shmctl(&p, ipc, id, IPC_SET, &ds));
			} else {
				EXPECT_ERR(EPERM, peer_shmctl(&p, ipc, id, IPC_SET, &ds));
			}
			if (mine || lock) {
				EXPECT_EQ(0, peer_shmctl(&p, ipc, id, SHM_LOCK, NULL));
				EXPECT_EQ(0, peer_shmctl(&p, ipc, id, SHM_UNLOCK, NULL));
			} else {
				EXPECT_ERR(EPERM, peer_shmctl(&p, ipc, id, SHM_LOCK, NULL));
				EXPECT_ERR(EPERM, peer_shmctl(&p, ipc, id, SHM_UNLOCK, NULL));
			}
			if (!mine && !admin) {
				EXPECT_ERR(EPERM, peer_shmctl(&p, ipc, id, IPC_RMID, NULL));
				continue;
			}
			EXPECT_EQ(0, peer_shmctl(&p, ipc, id, IPC_RMID, NULL))
				TH_LOG("by %s", who->who.name);
			/* Again, for the next caller. */
			ASSERT_EQ(0, setresgid(-1, CREATOR_GROUP, -1));
			ASSERT_EQ(0, setresuid(-1, CREATOR, -1));
			self->id[m] = ipc->shmget(KEY(m), PAGE, IPC_CREAT | IPC_EXCL | m);
			EXPECT_LE(0, self->id[m]);
			EXPECT_EQ(0, ipc->shmctl(self->id[m], IPC_SET, &ds));
			ASSERT_EQ(0, setresuid(-1, 0, -1));
			ASSERT_EQ(0, setresgid(-1, 0, -1));
		}
		peer_end(&p, 0);
	}
}

/* The creator keeps a right that the owner was given and may take it back. */
TEST_F(perm, creator_after_giving_away)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who creator = { .uid = CREATOR, .gid = NO_GROUP, .group = -1 };
	struct shmid_ds ds;
	struct peer p;
	int id = self->id[0600];

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &creator));
	ASSERT_EQ(0, peer_shmctl(&p, ipc, id, IPC_STAT, &ds));
	EXPECT_EQ(OWNER, ds.shm_perm.uid);
	EXPECT_EQ(CREATOR, ds.shm_perm.cuid);
	EXPECT_EQ(OWNER_GROUP, ds.shm_perm.gid);
	EXPECT_EQ(CREATOR_GROUP, ds.shm_perm.cgid);
	ds.shm_perm.uid = CREATOR;
	ASSERT_EQ(0, peer_shmctl(&p, ipc, id, IPC_SET, &ds));
	ASSERT_EQ(0, peer_shmctl(&p, ipc, id, IPC_RMID, NULL));
	peer_end(&p, 0);
}

/* Capabilities count in the user namespace that owns the IPC namespace. */
static int in_user_namespace(void *arg)
{
	const struct ipc *ipc = arg;
	struct shmid_ds ds;
	int id;

	if (unshare(CLONE_NEWUSER))
		return 77;
	/* All capabilities, but not over a namespace of the parent's. */
	if (ipc->shmat(0, NULL, SHM_RDONLY) != MAP_FAILED || errno != EACCES)
		return 1;
	memset(&ds, 0, sizeof(ds));
	if (!ipc->shmctl(0, IPC_SET, &ds) || errno != EPERM)
		return 2;
	if (!ipc->shmctl(0, SHM_LOCK, NULL) || errno != EPERM)
		return 3;
	if (ipc_limit_set(ipc, "shmmni", 5) != -EACCES)
		return 4;
	/* But over one's own. */
	if (unshare(CLONE_NEWIPC))
		return 5;
	id = ipc->shmget(IPC_PRIVATE, PAGE, 0);
	if (id < 0 || ipc->shmat(id, NULL, 0) == MAP_FAILED)
		return 6;
	if (ipc->shmctl(id, SHM_LOCK, NULL) || ipc->shmctl(id, IPC_RMID, NULL))
		return 7;
	return 0;
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

/* A right is asked for when attaching: what is attached stays through a change. */
TEST_F(perm, attached_stays)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who other = { .uid = STRANGER, .gid = NO_GROUP, .group = -1 };
	struct shmid_ds ds;
	struct peer p;
	char *a;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &other));
	a = peer_shmat(&p, ipc, self->id[0666], NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, shm_stat(ipc, self->id[0666], &ds));
	ds.shm_perm.mode = 0;
	ASSERT_EQ(0, ipc->shmctl(self->id[0666], IPC_SET, &ds));
	EXPECT_EQ(0, peer_poke(&p, a, 7));
	EXPECT_EQ(7, peer_peek(&p, a));
	EXPECT_ERR(EACCES, peer_shmat(&p, ipc, self->id[0666], NULL, 0));
	EXPECT_EQ(0, peer_shmdt(&p, ipc, a));
	peer_end(&p, 0);
}

TEST_HARNESS_MAIN

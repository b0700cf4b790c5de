// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: every mode of the nine bits, every relation of a caller to a segment,
 * every call that asks.  Native gives the answer, and so does the rule itself, told
 * here once more in a few lines.
 */
#include "common/harness.h"

#include <linux/capability.h>

#define MODES	01000

/* Uids and gids: a segment's owner and creator are never the same. */
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
	{ { "other with CAP_IPC_LOCK", STRANGER, NO_GROUP, -1, CAP(CAP_IPC_LOCK) }, 0 },
	{ { "owner with CAP_IPC_OWNER", OWNER, NO_GROUP, -1, CAP(CAP_IPC_OWNER) }, 6 },
	{ { "other with the wrong ones", STRANGER, NO_GROUP, -1,
	    CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER) | CAP(CAP_CHOWN) }, 0 },
};

/* The calls; @needs are the rights, as in one class of the mode. */
enum { GET, AT, CTL };
static const struct call {
	const char *name;
	int kind, arg, needs;
} calls[] = {
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

/* One segment of each mode, made by CREATOR and given to OWNER. */
static int make_segments(const struct ipc *ipc, int *id)
{
	struct shmid_ds ds = { .shm_perm = { .uid = OWNER, .gid = OWNER_GROUP } };
	int m, ret = 0;

	if (setresgid(-1, CREATOR_GROUP, -1) || setresuid(-1, CREATOR, -1))
		return -1;
	for (m = 0; m < MODES && !ret; m++) {
		id[m] = ipc->shmget(KEY(m), PAGE, IPC_CREAT | IPC_EXCL | 0600);
		ds.shm_perm.mode = m;
		ret = id[m] < 0 ? -1 : ipc->shmctl(id[m], IPC_SET, &ds);
	}
	return setresuid(-1, 0, -1) || setresgid(-1, 0, -1) ? -1 : ret;
}

FIXTURE_SETUP(perm)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, make_segments(variant->ipc, self->id));
	self->got = mmap(NULL, sizeof(*self->got), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->got);
	memset(self->got, POISON, sizeof(*self->got));
}

FIXTURE_TEARDOWN(perm)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_EQ(0, shm_rows(&ipc_native, NULL, 0));
}

static int index_of(const struct ipc *ipc, int id)
{
	return id & ((1 << (ipc == &ipc_kipc || native_ids_extended() ? 24 : 15)) - 1);
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

/* Run all calls on all segments as one caller, in a process of its own. */
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

TEST_F_TIMEOUT(perm, matrix, 120)
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

				/* A lookup without rights asked for succeeds. */
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

/* IPC_SET, SHM_LOCK and IPC_RMID ask who one is, not for the mode. */
TEST_F(perm, owners_calls)
{
	const struct ipc *ipc = variant->ipc;
	static const int modes[] = { 0, 0777, 0600, 0007 };
	unsigned int w, i;

	for (w = 0; w < ARRAY_SIZE(callers); w++) {
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

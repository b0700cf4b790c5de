// SPDX-License-Identifier: GPL-2.0
/* shmctl(2): what each command tells, changes and refuses. */
#include "common/harness.h"

#include <limits.h>
#include <sys/mman.h>
#include <time.h>

#define KEY	0x4321

IPC_FIXTURE(ctl)

static int new_segment(struct __test_metadata *_metadata, const struct ipc *ipc, size_t size)
{
	int id = ipc->shmget(KEY, size, IPC_CREAT | IPC_EXCL | 0600);

	ASSERT_LE(0, id);
	return id;
}

TEST_F(ctl, stat)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, 3 * PAGE);
	struct shmid_ds ds, again;
	struct shm_row row;

	ASSERT_NE(MAP_FAILED, ipc->shmat(id, NULL, 0));
	memset(&ds, POISON, sizeof(ds));
	EXPECT_EQ(0, ipc->shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(KEY, ds.shm_perm.__key);
	EXPECT_EQ(0, ds.shm_perm.uid);
	EXPECT_EQ(0, ds.shm_perm.gid);
	EXPECT_EQ(0, ds.shm_perm.cuid);
	EXPECT_EQ(0, ds.shm_perm.cgid);
	EXPECT_EQ(0600, ds.shm_perm.mode);
	EXPECT_EQ(0, ds.shm_perm.__seq);
	EXPECT_EQ(3 * PAGE, ds.shm_segsz);
	EXPECT_EQ(getpid(), ds.shm_cpid);
	EXPECT_EQ(getpid(), ds.shm_lpid);
	EXPECT_EQ(1, ds.shm_nattch);
	EXPECT_NE(0, ds.shm_atime);
	EXPECT_EQ(0, ds.shm_dtime);
	EXPECT_NE(0, ds.shm_ctime);
	/* By index, with and without permission: the same, and the id. */
	memset(&again, POISON, sizeof(again));
	EXPECT_EQ(id, ipc->shmctl(0, SHM_STAT, &again));
	EXPECT_EQ(0, memcmp(&ds, &again, sizeof(ds)));
	memset(&again, POISON, sizeof(again));
	EXPECT_EQ(id, ipc->shmctl(0, SHM_STAT_ANY, &again));
	EXPECT_EQ(0, memcmp(&ds, &again, sizeof(ds)));
	/* And the listing says so too. */
	ASSERT_EQ(1, shm_row_find(ipc, id, &row));
	EXPECT_EQ(KEY, row.key);
	EXPECT_EQ(0600, row.mode);
	EXPECT_EQ(3 * PAGE, row.size);
	EXPECT_EQ(1, row.nattch);
	EXPECT_EQ(getpid(), row.cpid);
	EXPECT_EQ(getpid(), row.lpid);
	EXPECT_EQ(ds.shm_atime, row.atime);
	EXPECT_EQ(ds.shm_ctime, row.ctime);
	EXPECT_EQ(0, row.dtime);
	EXPECT_EQ(0, row.rss);
	EXPECT_EQ(0, row.swap);
}

TEST_F(ctl, stat_by_index)
{
	const struct ipc *ipc = variant->ipc;
	int id[3], i;
	struct shmid_ds ds;

	EXPECT_ERR(EINVAL, ipc->shmctl(0, SHM_STAT, &ds));
	EXPECT_ERR(EINVAL, ipc->shmctl(0, SHM_STAT_ANY, &ds));
	for (i = 0; i < 3; i++) {
		id[i] = ipc->shmget(IPC_PRIVATE, PAGE + i, 0600);
		ASSERT_LE(0, id[i]);
	}
	ASSERT_EQ(0, ipc->shmctl(id[1], IPC_RMID, NULL));
	for (i = 0; i < 3; i++) {
		if (i == 1) {
			EXPECT_ERR(EINVAL, ipc->shmctl(i, SHM_STAT, &ds));
			EXPECT_ERR(EINVAL, ipc->shmctl(i, SHM_STAT_ANY, &ds));
			continue;
		}
		EXPECT_EQ(id[i], ipc->shmctl(i, SHM_STAT, &ds));
		EXPECT_EQ(PAGE + i, ds.shm_segsz);
	}
	EXPECT_ERR(EINVAL, ipc->shmctl(3, SHM_STAT, &ds));
	EXPECT_ERR(EINVAL, ipc->shmctl(-1, SHM_STAT, &ds));
}

TEST_F(ctl, set)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	struct shmid_ds ds, was;

	ASSERT_EQ(0, shm_stat(ipc, id, &was));
	/* Only the owner, the group and nine bits of mode are taken over. */
	memset(&ds, POISON, sizeof(ds));
	ds.shm_perm.uid = 1000;
	ds.shm_perm.gid = 1001;
	ds.shm_perm.mode = 0177642;
	ASSERT_EQ(0, ipc->shmctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(1000, ds.shm_perm.uid);
	EXPECT_EQ(1001, ds.shm_perm.gid);
	EXPECT_EQ(0642, ds.shm_perm.mode);
	EXPECT_EQ(0, ds.shm_perm.cuid);
	EXPECT_EQ(0, ds.shm_perm.cgid);
	EXPECT_EQ(KEY, ds.shm_perm.__key);
	EXPECT_EQ(was.shm_segsz, ds.shm_segsz);
	EXPECT_EQ(was.shm_cpid, ds.shm_cpid);
	EXPECT_EQ(was.shm_lpid, ds.shm_lpid);
	EXPECT_EQ(was.shm_nattch, ds.shm_nattch);
	EXPECT_EQ(was.shm_atime, ds.shm_atime);
	EXPECT_EQ(was.shm_dtime, ds.shm_dtime);
	EXPECT_EQ(id, ipc->shmget(KEY, PAGE, 0));
}

TEST_F(ctl, set_no_such_owner)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	struct shmid_ds ds, was, now;

	ASSERT_EQ(0, shm_stat(ipc, id, &was));
	ds = was;
	ds.shm_perm.mode = 0777;
	ds.shm_perm.uid = -1;
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_SET, &ds));
	ds.shm_perm.uid = 0;
	ds.shm_perm.gid = -1;
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, shm_stat(ipc, id, &now));
	EXPECT_EQ(0, memcmp(&was, &now, sizeof(now)));
}

TEST_F(ctl, remove_unused)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	struct shmid_ds ds;
	struct shm_row row;

	EXPECT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_STAT, &ds));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, 0, 0));
	EXPECT_EQ(0, shm_row_find(ipc, id, &row));
}

TEST_F(ctl, info)
{
	const struct ipc *ipc = variant->ipc;
	struct shminfo lim;

	memset(&lim, POISON, sizeof(lim));
	EXPECT_EQ(0, ipc->shmctl(0, IPC_INFO, (struct shmid_ds *)&lim));
	EXPECT_EQ(ULONG_MAX - (1 << 24), lim.shmmax);
	EXPECT_EQ(1, lim.shmmin);
	EXPECT_EQ(4096, lim.shmmni);
	EXPECT_EQ(4096, lim.shmseg);
	EXPECT_EQ(ULONG_MAX - (1 << 24), lim.shmall);
	/* It follows the limits, and asks for no object. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmni", 99));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmax", 123456));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmall", 4567));
	EXPECT_EQ(0, ipc->shmctl(INT_MAX, IPC_INFO, (struct shmid_ds *)&lim));
	EXPECT_EQ(99, lim.shmmni);
	EXPECT_EQ(99, lim.shmseg);
	EXPECT_EQ(123456, lim.shmmax);
	EXPECT_EQ(4567, lim.shmall);
}

TEST_F(ctl, shm_info)
{
	const struct ipc *ipc = variant->ipc;
	struct shm_info info;
	int a, b;
	char *p;

	memset(&info, POISON, sizeof(info));
	EXPECT_EQ(0, ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(0, info.used_ids);
	EXPECT_EQ(0, info.shm_tot);
	EXPECT_EQ(0, info.shm_rss);
	EXPECT_EQ(0, info.shm_swp);
	EXPECT_EQ(0, info.swap_attempts);
	EXPECT_EQ(0, info.swap_successes);
	a = ipc->shmget(IPC_PRIVATE, 10 * PAGE, 0600);
	b = ipc->shmget(IPC_PRIVATE, 1, 0600);
	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	p = ipc->shmat(a, NULL, 0);
	ASSERT_NE(MAP_FAILED, p);
	memset(p, 1, 3 * PAGE);
	EXPECT_EQ(1, ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(2, info.used_ids);
	EXPECT_EQ(11, info.shm_tot);
	EXPECT_EQ(3, info.shm_rss);
	EXPECT_EQ(0, info.shm_swp);
	/* A segment that waits for its last detach still counts. */
	ASSERT_EQ(0, ipc->shmctl(a, IPC_RMID, NULL));
	EXPECT_EQ(1, ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(2, info.used_ids);
	EXPECT_EQ(11, info.shm_tot);
	ASSERT_EQ(0, ipc->shmdt(p));
	EXPECT_EQ(1, ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	EXPECT_EQ(1, info.used_ids);
	EXPECT_EQ(1, info.shm_tot);
	EXPECT_EQ(0, info.shm_rss);
}

/* The commands that show all ask nobody for permission; SHM_STAT and IPC_STAT do. */
TEST_F(ctl, permission_to_look)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = new_segment(_metadata, ipc, PAGE);
	struct shmid_ds ds;
	struct shm_row row;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EACCES, peer_shmctl(&p, ipc, id, IPC_STAT, &ds));
	EXPECT_ERR(EACCES, peer_shmctl(&p, ipc, 0, SHM_STAT, &ds));
	memset(&ds, POISON, sizeof(ds));
	EXPECT_EQ(id, peer_shmctl(&p, ipc, 0, SHM_STAT_ANY, &ds));
	EXPECT_EQ(KEY, ds.shm_perm.__key);
	EXPECT_EQ(0600, ds.shm_perm.mode);
	EXPECT_EQ(0, peer_shmctl(&p, ipc, 0, IPC_INFO, &ds));
	EXPECT_EQ(0, peer_shmctl(&p, ipc, 0, SHM_INFO, &ds));
	EXPECT_ERR(EPERM, peer_shmctl(&p, ipc, id, IPC_RMID, NULL));
	memset(&ds, 0, sizeof(ds));
	EXPECT_ERR(EPERM, peer_shmctl(&p, ipc, id, IPC_SET, &ds));
	peer_end(&p, 0);
	EXPECT_EQ(1, shm_row_find(ipc, id, &row));
}

/* Ids and groups are told as the reader's user namespace knows them. */
static int stat_in_userns(void *arg)
{
	const struct ipc *ipc = arg;
	struct shmid_ds ds;

	if (unshare(CLONE_NEWUSER))
		return errno == EPERM || errno == ENOSPC ? 77 : 1;
	memset(&ds, POISON, sizeof(ds));
	if (ipc->shmctl(0, SHM_STAT_ANY, &ds) < 0)
		return 2;
	if (ds.shm_perm.uid != 65534 || ds.shm_perm.cgid != 65534)
		return 3;
	/* Root of a namespace below is nobody here. */
	if (ipc->shmctl(0, IPC_RMID, NULL) != -1 || errno != EPERM)
		return 4;
	return 0;
}

TEST_F(ctl, from_a_user_namespace)
{
	const struct ipc *ipc = variant->ipc;
	struct shmid_ds ds;
	int id = new_segment(_metadata, ipc, PAGE), status;

	ASSERT_EQ(0, id);
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	ds.shm_perm.uid = 1234;
	ds.shm_perm.gid = 1234;
	ds.shm_perm.mode = 0600;
	ASSERT_EQ(0, ipc->shmctl(id, IPC_SET, &ds));
	/* The creator may remove: be somebody else. */
	ASSERT_EQ(0, setresgid(1000, 1000, 0));
	ASSERT_EQ(0, setresuid(1000, 1000, 0));
	status = in_child(stat_in_userns, (void *)ipc);
	ASSERT_EQ(0, setresuid(0, 0, 0));
	if (status == 77 << 8)
		SKIP(return, "no user namespaces for users here");
	EXPECT_EQ(0, status);
}

/* The pids of a stat are the reader's namespace's; 0 stands for one it cannot see. */
static int stat_in_pidns(void *arg)
{
	const struct ipc *ipc = arg;
	struct shmid_ds ds;
	struct shm_row row;

	if (shm_stat(ipc, 0, &ds))
		return 1;
	if (ds.shm_cpid || ds.shm_lpid)
		return 2;
	if (ipc->shmat(0, NULL, 0) == MAP_FAILED || shm_stat(ipc, 0, &ds))
		return 3;
	if (ds.shm_cpid || ds.shm_lpid != 1)
		return 4;
	/* The listing's are those of the mount it is read through. */
	return shm_row_find(ipc, 0, &row) == 1 ? 0 : 5;
}

TEST_F(ctl, from_a_pid_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	struct shmid_ds ds;

	ASSERT_EQ(0, id);
	ASSERT_NE(MAP_FAILED, ipc->shmat(id, NULL, 0));
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	EXPECT_EQ(0, in_child(stat_in_pidns, (void *)ipc));
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(getpid(), ds.shm_cpid);
	EXPECT_LT(0, ds.shm_lpid);
	EXPECT_NE(1, ds.shm_lpid);
}

/* Every command number: the same answer as native's, and nothing written when it fails. */
TEST(diff_commands)
{
	static const int ids_of[] = { 0, 1, 2, -1, INT_MAX, INT_MIN };
	unsigned int i, j;
	int cmd, n, o;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (cmd = -40; cmd < 300; cmd++)
		for (i = 0; i < ARRAY_SIZE(ids_of); i++) {
			unsigned char a[256], b[256];
			int ra, rb, ea, eb;

			/* IPC_RMID and IPC_SET have their own tests. */
			n = shmget(KEY, PAGE, IPC_CREAT | 0600);
			o = ipc_kipc.shmget(KEY, PAGE, IPC_CREAT | 0600);
			ASSERT_LE(0, n);
			ASSERT_LE(0, o);
			memset(a, 0, sizeof(a));
			memset(b, 0, sizeof(b));
			errno = 0;
			ra = shmctl(ids_of[i] ? ids_of[i] : n, cmd, (void *)a);
			ea = errno;
			errno = 0;
			rb = ipc_kipc.shmctl(ids_of[i] ? ids_of[i] : o, cmd, (void *)b);
			eb = errno;
			EXPECT_EQ(ea, eb)
				TH_LOG("cmd %d id %d: native %s, kipc %s", cmd, ids_of[i],
				       strerror(ea), strerror(eb));
			if (native_ids_extended()) {
				EXPECT_EQ(ra, rb);
			} else {
				EXPECT_EQ(ra < 0, rb < 0);
			}
			for (j = 0; rb < 0 && j < sizeof(b); j++)
				EXPECT_EQ(0, b[j]);
		}
}

/*
 * The version bit of the old system call is no part of the command: glibc and the
 * kernel refuse it.
 */
TEST_F(ctl, version_bit)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	struct shmid_ds ds;

	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_STAT | 0x100, &ds));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_RMID | 0x100, NULL));
	EXPECT_EQ(0, shm_stat(ipc, id, &ds));
}

TEST_HARNESS_MAIN

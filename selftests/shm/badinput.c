// SPDX-License-Identifier: GPL-2.0
/* Nonsense in, an errno out, nothing changed, nothing leaked. */
#include "common/harness.h"
#include "common/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

IPC_FIXTURE(bad)

TEST_F(bad, pointers)
{
	const struct ipc *ipc = variant->ipc;
	static const int cmds[] = { IPC_STAT, IPC_SET, IPC_INFO, SHM_INFO, SHM_STAT,
				    SHM_STAT_ANY };
	int id = ipc->shmget(1, PAGE, IPC_CREAT | 0600), which;
	struct shmid_ds before, after;
	unsigned int c;
	void *p;

	ASSERT_EQ(0, id);
	ASSERT_EQ(0, shm_stat(ipc, id, &before));
	for (which = 0; (p = bad_address(which)) != MAP_FAILED; which++)
		for (c = 0; c < ARRAY_SIZE(cmds); c++) {
			errno = 0;
			EXPECT_EQ(-1, ipc->shmctl(id, cmds[c], p))
				TH_LOG("command %d, pointer %p", cmds[c], p);
			EXPECT_EQ(EFAULT, errno)
				TH_LOG("command %d, pointer %p: %s", cmds[c], p, strerror(errno));
		}
	ASSERT_EQ(0, shm_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	/* These look at no buffer. */
	EXPECT_EQ(0, ipc->shmctl(id, SHM_LOCK, (void *)1));
	EXPECT_EQ(0, ipc->shmctl(id, SHM_UNLOCK, (void *)1));
	EXPECT_EQ(0, ipc->shmctl(id, IPC_RMID, (void *)1));
}

/* Memory that may be read only: good for IPC_SET, not for IPC_STAT. */
TEST_F(bad, read_only_buffer)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(1, PAGE, IPC_CREAT | 0600);
	struct shmid_ds *ds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct shmid_ds now;

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, ds);
	ds->shm_perm.uid = 5;
	ds->shm_perm.mode = 0640;
	ASSERT_EQ(0, mprotect(ds, PAGE, PROT_READ));
	EXPECT_ERR(EFAULT, ipc->shmctl(id, IPC_STAT, ds));
	EXPECT_EQ(0, ipc->shmctl(id, IPC_SET, ds));
	ASSERT_EQ(0, shm_stat(ipc, id, &now));
	EXPECT_EQ(5, now.shm_perm.uid);
	EXPECT_EQ(0640, now.shm_perm.mode);
}

/* Which of two mistakes is told first. */
TEST_F(bad, order_of_checks)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = ipc->shmget(1, PAGE, IPC_CREAT | 0600);
	struct peer p;

	ASSERT_LE(0, id);
	EXPECT_ERR(EINVAL, ipc->shmctl(id + 1, IPC_STAT, NULL));
	EXPECT_ERR(EFAULT, ipc->shmctl(id + 1, IPC_SET, NULL));
	EXPECT_ERR(EINVAL, ipc->shmctl(-1, IPC_SET, NULL));
	EXPECT_ERR(EINVAL, ipc->shmctl(-1, IPC_INFO, NULL));
	EXPECT_ERR(EINVAL, ipc->shmctl(id + 1, SHM_STAT, NULL));
	EXPECT_ERR(EINVAL, ipc->shmctl(id, 12345, NULL));
	EXPECT_ERR(EINVAL, ipc->shmat(-1, (void *)1, SHM_REMAP));
	EXPECT_ERR(EINVAL, ipc->shmat(id + 1, (void *)1, 0));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	/* Misaligned comes before the permission, occupied after it. */
	EXPECT_ERR(EINVAL, peer_shmat(&p, ipc, id, (void *)1, 0));
	EXPECT_ERR(EACCES, peer_shmat(&p, ipc, id, (void *)((unsigned long)p.page & ~(PAGE - 1)), 0));
	peer_end(&p, 0);
	EXPECT_EQ(0, shm_nattch(ipc, id));
}

/* A flood of random arguments changes nothing and leaves nothing. */
TEST_F(bad, random)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(1, PAGE, IPC_CREAT | 0600), i;
	struct shmid_ds before, after;
	unsigned int seed = 4711;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, shm_stat(ipc, id, &before));
	for (i = 0; i < 3000; i++) {
		int r = (int)((unsigned int)rand_r(&seed) << 16 ^ (unsigned int)rand_r(&seed));
		unsigned long l = (unsigned long)r * 0x9e3779b97f4a7c15ul | 1;
		char *a;

		if (r != id) {
			EXPECT_EQ(MAP_FAILED, ipc->shmat(r, NULL, r));
			EXPECT_EQ(-1, ipc->shmctl(r, IPC_RMID, NULL));
			EXPECT_EQ(-1, ipc->shmctl(r, IPC_STAT, (void *)l));
		}
		EXPECT_EQ(-1, ipc->shmdt((void *)l));
		/* With a page-aligned one, but nowhere near anything of ours. */
		EXPECT_EQ(-1, ipc->shmdt((void *)((l | 1ul << 63) & ~(PAGE - 1))));
		a = ipc->shmat(id, (void *)(l | 1ul << 63), r & ~SHM_RND);
		EXPECT_EQ(MAP_FAILED, a);
	}
	ASSERT_EQ(0, shm_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(1, shm_rows(ipc, NULL, 0));
}

/* The descriptor of the device that the library keeps, or -1. */
static int library_fd(void)
{
	char path[64], target[64];
	struct dirent *e;
	int fd = -1;
	DIR *d = opendir("/proc/self/fd");

	while (d && (e = readdir(d))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%.20s", e->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0) {
			target[n] = '\0';
			if (!strcmp(target, "/dev/kipc"))
				fd = atoi(e->d_name);
		}
	}
	if (d)
		closedir(d);
	return fd;
}

/*
 * A program may close, replace or reuse any descriptor: the library's calls go on,
 * and what the program put there is neither used nor closed.
 */
TEST(descriptor_replaced)
{
	const struct ipc *ipc = &ipc_kipc;
	int others[5], id, i, fd;
	struct shmid_ds ds;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	others[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	others[1] = eventfd(0, EFD_CLOEXEC);
	others[2] = open("/dev/kipc", O_PATH | O_CLOEXEC);
	others[3] = open("/proc/kipc/shm", O_RDONLY | O_CLOEXEC);
	others[4] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	id = ipc->shmget(1, PAGE, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	fd = library_fd();
	if (fd < 0)
		SKIP(return, "the library keeps no descriptor");
	for (i = 0; i < 5; i++) {
		char path[64], want[64] = "", got[64] = "";
		char *a;

		ASSERT_LE(0, others[i]);
		fd = library_fd();
		if (fd < 0 || fd == others[i])
			fd = others[0] + 20;
		ASSERT_EQ(fd, dup2(others[i], fd));
		EXPECT_EQ(id, ipc->shmget(1, PAGE, 0))
			TH_LOG("case %d: %s", i, strerror(errno));
		EXPECT_EQ(0, ipc->shmctl(id, IPC_STAT, &ds));
		a = ipc->shmat(id, NULL, 0);
		EXPECT_NE(MAP_FAILED, a);
		EXPECT_EQ(0, ipc->shmdt(a));
		/* Still what the program put there. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", others[i]);
		EXPECT_LT(0, readlink(path, want, sizeof(want) - 1));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		EXPECT_LT(0, readlink(path, got, sizeof(got) - 1));
		EXPECT_STREQ(want, got);
		close(fd);
	}
	/* Closed, one by one and all at once. */
	close(library_fd());
	EXPECT_EQ(id, ipc->shmget(1, PAGE, 0));
	for (i = 3; i < 100; i++)
		close(i);
	EXPECT_EQ(id, ipc->shmget(1, PAGE, 0));
	EXPECT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
}

/* No descriptor to be had for the library: an errno of open, nothing worse. */
static int without_descriptors(void *arg)
{
	const struct rlimit none = { 3, 3 };
	int id, i;

	(void)arg;
	for (i = 3; i < 1024; i++)
		close(i);
	if (setrlimit(RLIMIT_NOFILE, &none))
		return 1;
	id = ipc_kipc.shmget(1, PAGE, IPC_CREAT | 0600);
	if (id >= 0)	/* it may know a way round it */
		return ipc_kipc.shmctl(id, IPC_RMID, NULL) ? 2 : 0;
	return errno == EMFILE ? 0 : 3;
}

TEST(no_descriptor_left)
{
	EXPECT_EQ(0, in_child(without_descriptors, NULL));
}

/* Neither a root without /dev nor dropped privileges take the calls away. */
static int after_chroot(void *arg)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int id = ipc_kipc.shmget(1, PAGE, IPC_CREAT | 0666);

	(void)arg;
	if (id < 0)
		return 1;
	if (chroot("/proc/self/fdinfo") || chdir("/") || become(&user))
		return 2;
	if (ipc_kipc.shmget(1, PAGE, 0) != id || ipc_kipc.shmat(id, NULL, 0) == MAP_FAILED)
		return 3;
	return shm_nattch(&ipc_kipc, id) == 1 ? 0 : 4;
}

TEST(chroot_and_setuid)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_EQ(0, in_child(after_chroot, NULL));
}

TEST_HARNESS_MAIN

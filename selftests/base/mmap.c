// SPDX-License-Identifier: GPL-2.0
/* mmap on the device: segments by offset, and every way to get it wrong. */
#include "common/harness.h"
#include "common/device.h"

FIXTURE(mmap) {
	int fd;		/* O_RDWR */
	int id;		/* 4 pages, mode 0600 */
};

FIXTURE_SETUP(mmap)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->id = ipc_kipc.shmget(5, 4 * PAGE - 100, IPC_CREAT | 0600);
	ASSERT_LE(0, self->id);
}

FIXTURE_TEARDOWN(mmap)
{
	EXPECT_EQ(0, shm_rows(&ipc_native, NULL, 0));
}

static void *map(int fd, int id, size_t len, int prot, int flags)
{
	return mmap(NULL, len, prot, flags, fd, KIPC_MMAP_OFFSET(KIPC_KIND_SHM, id));
}

TEST_F(mmap, whole)
{
	char *a = map(self->fd, self->id, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED), *b;

	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->id));
	a[4 * PAGE - 1] = 'w';
	b = ipc_kipc.shmat(self->id, NULL, 0);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_EQ('w', b[4 * PAGE - 1]);
	EXPECT_EQ(2, shm_nattch(&ipc_kipc, self->id));
	ASSERT_EQ(0, munmap(a, PAGE));
	EXPECT_EQ(2, shm_nattch(&ipc_kipc, self->id));
	ASSERT_EQ(0, munmap(a + 2 * PAGE, PAGE));
	EXPECT_EQ(3, shm_nattch(&ipc_kipc, self->id));
	ASSERT_EQ(0, munmap(a, 4 * PAGE));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->id));
}

TEST_F(mmap, part)
{
	char *a = map(self->fd, self->id, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(0, probe_write(a));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->id));
	ASSERT_EQ(0, munmap(a, PAGE));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, self->id));
}

TEST_F(mmap, lengths)
{
	static const size_t bad[] = { 4 * PAGE + 1, 5 * PAGE, 1ul << 30, 1ul << 46 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(MAP_FAILED, map(self->fd, self->id, bad[i], PROT_READ | PROT_WRITE,
					  MAP_SHARED));
	EXPECT_ERR(EINVAL, map(self->fd, self->id, 5 * PAGE, PROT_READ, MAP_SHARED));
	EXPECT_ERR(EINVAL, map(self->fd, self->id, 0, PROT_READ, MAP_SHARED));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, self->id));
}

TEST_F(mmap, offsets)
{
	const uint64_t good = KIPC_MMAP_OFFSET(KIPC_KIND_SHM, self->id);
	const uint64_t bad[] = {
		good + PAGE,				/* no part of the offset is one */
		good + (1 << 19),
		KIPC_MMAP_OFFSET(KIPC_KIND_SHM, self->id + 1),
		KIPC_MMAP_OFFSET(KIPC_KIND_SHM, self->id + (1 << 24)),	/* stale */
		KIPC_MMAP_OFFSET(KIPC_KIND_SHM, -1),
		KIPC_MMAP_OFFSET(KIPC_KIND_SHM, 0x80000000 | self->id),
		KIPC_MMAP_OFFSET(KIPC_KIND_SEM, self->id),
		KIPC_MMAP_OFFSET(KIPC_KIND_MSG, self->id),
		KIPC_MMAP_OFFSET(3, self->id),
		KIPC_MMAP_OFFSET(15, self->id),
		KIPC_MMAP_OFFSET(0x7ff, self->id),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, bad[i]);

		EXPECT_EQ(MAP_FAILED, p)
			TH_LOG("offset %#llx", (unsigned long long)bad[i]);
		EXPECT_TRUE(errno == EINVAL || errno == EOVERFLOW)
			TH_LOG("offset %#llx: %s", (unsigned long long)bad[i], strerror(errno));
	}
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, self->id));
}

TEST_F(mmap, private)
{
	EXPECT_ERR(EINVAL, map(self->fd, self->id, PAGE, PROT_READ, MAP_PRIVATE));
	EXPECT_ERR(EINVAL, map(self->fd, self->id, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, self->id));
}

TEST_F(mmap, read_only)
{
	char *a = map(self->fd, self->id, PAGE, PROT_READ, MAP_SHARED);
	int fd = open(KIPC_DEVICE, O_RDONLY | O_CLOEXEC);

	ASSERT_NE(MAP_FAILED, a);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, probe_read(a));
	EXPECT_EQ(SIGSEGV, probe_write(a));
	EXPECT_ERR(EACCES, mprotect(a, PAGE, PROT_READ | PROT_WRITE));
	/* A descriptor that cannot write maps nothing writable. */
	EXPECT_ERR(EACCES, map(fd, self->id, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED));
	a = map(fd, self->id, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NE(MAP_FAILED, a);
	EXPECT_ERR(EACCES, mprotect(a, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(2, shm_nattch(&ipc_kipc, self->id));
}

static const struct {
	int mode, prot;
	bool good;
} table[] = {
	{ 0606, PROT_READ | PROT_WRITE, true },
	{ 0606, PROT_READ, true },
	{ 0606, PROT_READ | PROT_EXEC, false },
	{ 0604, PROT_READ, true },
	{ 0604, PROT_READ | PROT_WRITE, false },
	{ 0604, PROT_WRITE, false },
	{ 0602, PROT_READ, false },
	{ 0602, PROT_WRITE, false },
	{ 0602, PROT_READ | PROT_WRITE, false },
	{ 0660, PROT_READ, false },
	/* No access asked for at first is no way to get it later. */
	{ 0600, PROT_NONE, false },
	{ 0600, PROT_EXEC, false },
	{ 0605, PROT_READ | PROT_EXEC, true },
};

static int map_as_user(void *arg)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	int fd = ((int *)arg)[0], id = ((int *)arg)[1], which = ((int *)arg)[2];
	void *p;

	if (become(&user))
		return 1;
	p = map(fd, id, PAGE, table[which].prot, MAP_SHARED);
	if (table[which].good)
		return p == MAP_FAILED ? 2 : 0;
	if (p != MAP_FAILED)
		return mprotect(p, PAGE, PROT_READ) ? 3 : 4;
	return errno == EACCES ? 0 : 5;
}

/* The rights are the caller's on the segment, whoever opened the device. */
TEST_F(mmap, permission)
{
	struct shmid_ds ds;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		int arg[3] = { self->fd, self->id, i };

		ASSERT_EQ(0, shm_stat(&ipc_kipc, self->id, &ds));
		ds.shm_perm.mode = table[i].mode;
		ASSERT_EQ(0, ipc_kipc.shmctl(self->id, IPC_SET, &ds));
		EXPECT_EQ(0, in_child(map_as_user, arg))
			TH_LOG("mode %04o, protection %#x", table[i].mode, table[i].prot);
	}
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, self->id));
}

/* No execution unless it was asked for with the right to. */
TEST_F(mmap, executable)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct shmid_ds ds;
	struct peer p;
	char *a, *b;

	ASSERT_EQ(0, shm_stat(&ipc_kipc, self->id, &ds));
	ds.shm_perm.mode = 0606;
	ASSERT_EQ(0, ipc_kipc.shmctl(self->id, IPC_SET, &ds));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EACCES, peer_shmat(&p, &ipc_kipc, self->id, NULL, SHM_EXEC));
	peer_end(&p, 0);
	a = map(self->fd, self->id, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED);
	EXPECT_NE(MAP_FAILED, a);
	b = map(self->fd, self->id, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NE(MAP_FAILED, b);
}

TEST_F(mmap, other_namespace)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_ERR(EINVAL, map(self->fd, self->id, PAGE, PROT_READ, MAP_SHARED));
}

TEST_F(mmap, removed)
{
	char *a = map(self->fd, self->id, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, ipc_kipc.shmctl(self->id, IPC_RMID, NULL));
	/* As shmat: by id, until the last one goes. */
	EXPECT_NE(MAP_FAILED, map(self->fd, self->id, PAGE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(2, shm_nattch(&ipc_kipc, self->id));
	ASSERT_EQ(0, munmap(a, PAGE));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->id));
}

/* Over what is there, and refused at the same place: neither counts wrongly. */
TEST_F(mmap, fixed)
{
	char *a = ipc_kipc.shmat(self->id, NULL, 0);
	uint64_t off = KIPC_MMAP_OFFSET(KIPC_KIND_SHM, self->id);

	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(a, mmap(a, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, self->fd,
			  off));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->id));
	EXPECT_EQ(MAP_FAILED, mmap(a, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, self->fd,
				   off));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->id));
	EXPECT_EQ(0, munmap(a, 4 * PAGE));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, self->id));
}

/* fork, kill and close of the device: the mapping counts like an attachment. */
TEST_F(mmap, processes)
{
	char *a = map(self->fd, self->id, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct peer p;

	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, close(self->fd));
	EXPECT_EQ(0, probe_write(a));
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(2, shm_nattch(&ipc_kipc, self->id));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->id));
}

TEST_HARNESS_MAIN

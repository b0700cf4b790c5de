// SPDX-License-Identifier: GPL-2.0
/* A memfd that becomes a segment, and a segment's memory as a descriptor. */
#include "common/harness.h"
#include "common/device.h"

#include <kipc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/"

static const struct who alice = { "alice", 1000, 1000, -1, 0 };

FIXTURE(memfd) {
	struct peer p;
	int fd;
};

FIXTURE_SETUP(memfd)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, peer_start(&self->p));
	self->fd = memfd_create("a segment", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, 3 * PAGE));
}

FIXTURE_TEARDOWN(memfd)
{
	peer_end(&self->p, 0);
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
	EXPECT_EQ(0, shm_rows(&ipc_native, NULL, 0));
}

TEST_F(memfd, adopted)
{
	struct shmid_ds ds;
	struct stat st, after;
	char *a, *b, *m;
	int id;

	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_SHRINK));
	ASSERT_EQ(0, fstat(self->fd, &st));
	m = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)m);
	strcpy(m + PAGE, "before");
	id = kipc_shm_adopt(77, self->fd, 0640);
	ASSERT_LE(0, id);
	EXPECT_EQ(id, kipc_shmget(77, 3 * PAGE, 0600));
	EXPECT_ERR(EINVAL, kipc_shmget(77, 3 * PAGE + 1, 0600));
	ASSERT_EQ(0, kipc_shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(3 * PAGE, ds.shm_segsz);
	EXPECT_EQ(0640, ds.shm_perm.mode);
	EXPECT_EQ(0, ds.shm_nattch);
	a = kipc_shmat(id, NULL, 0);
	b = kipc_shmat(id, NULL, SHM_RDONLY);
	ASSERT_NE((void *)-1, (void *)a);
	ASSERT_NE((void *)-1, (void *)b);
	EXPECT_STREQ("before", a + PAGE);
	strcpy(a, "after");
	EXPECT_STREQ("after", m);
	EXPECT_STREQ("after", b);
	EXPECT_ERR(EACCES, mprotect(b, PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, kipc_shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(2, ds.shm_nattch);
	/* Nothing of the memfd itself has changed. */
	ASSERT_EQ(0, fstat(self->fd, &after));
	EXPECT_EQ(st.st_ino, after.st_ino);
	EXPECT_EQ(st.st_mode, after.st_mode);
	EXPECT_EQ(F_SEAL_SHRINK, fcntl(self->fd, F_GET_SEALS));
	/* It can grow; the segment does not. */
	EXPECT_EQ(0, ftruncate(self->fd, 5 * PAGE));
	EXPECT_ERR(EPERM, ftruncate(self->fd, PAGE));
	ASSERT_EQ(0, kipc_shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(3 * PAGE, ds.shm_segsz);
	/* Each lives without the other. */
	close(self->fd);
	munmap(m, 3 * PAGE);
	EXPECT_EQ(0, kipc_shmdt(a));
	EXPECT_STREQ("after", b);
	EXPECT_EQ(0, kipc_shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ(0, kipc_shmdt(b));
}

/* What its seals forbid cannot be done by a segment either. */
TEST_F(memfd, sealed_against_writing)
{
	int id;
	char *a;

	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
	id = kipc_shm_adopt(IPC_PRIVATE, self->fd, 0600);
	ASSERT_LE(0, id);
	EXPECT_ERR(EPERM, kipc_shmat(id, NULL, 0));
	a = kipc_shmat(id, NULL, SHM_RDONLY);
	ASSERT_NE((void *)-1, (void *)a);
	EXPECT_EQ(0, probe_read(a));
	EXPECT_ERR(EACCES, mprotect(a, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, kipc_shmdt(a));
	EXPECT_EQ(0, kipc_shmctl(id, IPC_RMID, NULL));
	close(self->fd);
}

TEST_F(memfd, not_adopted)
{
	struct kipc_shm_adopt adopt = { .key = IPC_PRIVATE, .flags = 0600, .fd = self->fd };
	int device = device_open(), tmp, reader, empty, id, other;
	char path[40];

	ASSERT_LE(0, device);
	/* What can shrink: this one, and files of whatever kind. */
	EXPECT_ERR(EINVAL, kipc_shm_adopt(IPC_PRIVATE, self->fd, 0600));
	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_GROW));
	EXPECT_ERR(EINVAL, kipc_shm_adopt(IPC_PRIVATE, self->fd, 0600));
	tmp = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, tmp);
	ASSERT_EQ(0, ftruncate(tmp, PAGE));
	EXPECT_ERR(EINVAL, kipc_shm_adopt(IPC_PRIVATE, tmp, 0600));
	close(tmp);
	EXPECT_ERR(EINVAL, kipc_shm_adopt(IPC_PRIVATE, device, 0600));
	EXPECT_ERR(EBADF, kipc_shm_adopt(IPC_PRIVATE, -1, 0600));
	EXPECT_ERR(EBADF, kipc_shm_adopt(IPC_PRIVATE, 1000, 0600));
	empty = memfd_create("empty", MFD_ALLOW_SEALING);
	ASSERT_EQ(0, fcntl(empty, F_ADD_SEALS, F_SEAL_SHRINK));
	EXPECT_ERR(EINVAL, kipc_shm_adopt(IPC_PRIVATE, empty, 0600));
	close(empty);

	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_SHRINK));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	reader = open(path, O_RDONLY);
	ASSERT_LE(0, reader);
	EXPECT_ERR(EACCES, kipc_shm_adopt(IPC_PRIVATE, reader, 0600));
	close(reader);
	reader = open(path, O_PATH);
	EXPECT_ERR(EBADF, kipc_shm_adopt(IPC_PRIVATE, reader, 0600));
	close(reader);

	adopt.flags = 01600;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_SHM_ADOPT, &adopt));
	adopt.flags = 0600;
	adopt.lifetime = KIPC_LIFETIME_USERS + 1;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_SHM_ADOPT, &adopt));
	EXPECT_ERR(EFAULT, ioctl(device, KIPC_IOC_SHM_ADOPT, bad_address(0)));
	id = kipc_shm_adopt(5, self->fd, 0600);
	ASSERT_LE(0, id);
	EXPECT_ERR(EEXIST, kipc_shm_adopt(5, self->fd, 0600));
	/* One memory can be several segments. */
	adopt.lifetime = 0;
	other = ioctl(device, KIPC_IOC_SHM_ADOPT, &adopt);
	EXPECT_LE(0, other);
	EXPECT_EQ(2, shm_rows(&ipc_kipc, NULL, 0));
	EXPECT_EQ(0, kipc_shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ(0, kipc_shmctl(other, IPC_RMID, NULL));
	close(device);
	close(self->fd);
}

/* Limits count it as any other. */
TEST_F(memfd, limited)
{
	uint64_t all = 2;

	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_SHRINK));
	ASSERT_EQ(0, kipc_limit_set(KIPC_LIMIT_SHMALL, all));
	EXPECT_ERR(ENOSPC, kipc_shm_adopt(IPC_PRIVATE, self->fd, 0600));
	ASSERT_EQ(0, kipc_limit_set(KIPC_LIMIT_SHMALL, 1000));
	ASSERT_EQ(0, kipc_limit_set(KIPC_LIMIT_SHMMAX, PAGE));
	EXPECT_ERR(EINVAL, kipc_shm_adopt(IPC_PRIVATE, self->fd, 0600));
	close(self->fd);
}

TEST_F(memfd, of_huge_pages)
{
	int fd = memfd_create("huge", MFD_ALLOW_SEALING | MFD_HUGETLB), id;
	struct shmid_ds ds;
	char *a;

	close(self->fd);
	if (fd < 0)
		SKIP(return, "no huge pages in this kernel");
	if (read_number(POOL "nr_hugepages") < 2)
		write_text(POOL "nr_hugepages", "2");
	if (read_number(POOL "nr_hugepages") < 1)
		SKIP(return, "no huge pages to be had");
	ASSERT_EQ(0, ftruncate(fd, 2 << 20));
	EXPECT_ERR(EINVAL, kipc_shm_adopt(IPC_PRIVATE, fd, 0600));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	id = kipc_shm_adopt(IPC_PRIVATE, fd, 0600);
	ASSERT_LE(0, id);
	close(fd);
	ASSERT_EQ(0, kipc_shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(2 << 20, ds.shm_segsz);
	a = kipc_shmat(id, NULL, 0);
	ASSERT_NE((void *)-1, (void *)a);
	EXPECT_EQ(0, probe_write(a + (1 << 20)));
	EXPECT_EQ(0, kipc_shmdt(a));
	EXPECT_EQ(0, kipc_shmctl(id, IPC_RMID, NULL));
}

static long try_to_write(long *arg, void *buf)
{
	char path[40];
	int fd = arg[0], anew, ret = 0;

	(void)buf;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		ret |= 1;
	if (pwrite(fd, "x", 1, 0) != -1)
		ret |= 2;
	if (fchmod(fd, 0666) != -1)
		ret |= 4;
	anew = open(path, O_RDWR);
	if (anew >= 0)
		ret |= 8;
	if (ftruncate(fd, 0) != -1)
		ret |= 16;
	if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		ret |= 32;
	return ret;
}

/* A reader has the memory, and no way to write to it or to take it from others. */
TEST_F(memfd, exported)
{
	int id = kipc_shmget(9, 2 * PAGE, IPC_CREAT | 0600), fd, reader;
	char *a = kipc_shmat(id, NULL, 0), *m;
	struct shmid_ds ds;
	struct stat st;

	close(self->fd);
	ASSERT_NE((void *)-1, (void *)a);
	fd = kipc_shm_export(id, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(2 * PAGE, st.st_size);
	EXPECT_EQ(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW, fcntl(fd, F_GET_SEALS));
	EXPECT_ERR(EPERM, ftruncate(fd, 0));
	EXPECT_ERR(EPERM, ftruncate(fd, 3 * PAGE));
	EXPECT_EQ(6, pwrite(fd, "hello", 6, PAGE));
	EXPECT_STREQ("hello", a + PAGE);
	m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)m);
	strcpy(m, "there");
	EXPECT_STREQ("there", a);
	/* No attachment, but the memory stays. */
	ASSERT_EQ(0, kipc_shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(1, ds.shm_nattch);
	close(fd);

	reader = kipc_shm_export(id, O_RDONLY);
	ASSERT_LE(0, reader);
	/* Inherited by one who is nobody in particular. */
	peer_end(&self->p, 0);
	ASSERT_EQ(0, peer_start(&self->p));
	ASSERT_EQ(0, peer_become(&self->p, &alice));
	EXPECT_EQ(0, peer_run(&self->p, try_to_write, reader, 0, 0, 0, 0));
	close(reader);
	/* It has inherited the attachment too. */
	EXPECT_EQ(0, peer_shmdt(&self->p, &ipc_kipc, a));
	EXPECT_EQ(0, kipc_shmdt(a));
	EXPECT_EQ(0, kipc_shmctl(id, IPC_RMID, NULL));
	EXPECT_STREQ("hello", m + PAGE);
	EXPECT_ERR(EINVAL, kipc_shm_export(id, O_RDONLY));
	munmap(m, 2 * PAGE);
}

static long do_export(long *arg, void *buf)
{
	int fd = kipc_shm_export(arg[0], arg[1]);

	(void)buf;
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

TEST_F(memfd, export_permitted)
{
	int id = kipc_shmget(IPC_PRIVATE, PAGE, 0604), fd, out;
	struct kipc_shm_export export = { .id = KIPC_SELF };

	close(self->fd);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_become(&self->p, &alice));
	EXPECT_EQ(0, peer_run(&self->p, do_export, id, O_RDONLY, 0, 0, 0));
	EXPECT_ERR(EACCES, peer_run(&self->p, do_export, id, O_RDWR, 0, 0, 0));
	EXPECT_ERR(EINVAL, kipc_shm_export(id, O_WRONLY));
	EXPECT_ERR(EINVAL, kipc_shm_export(id, O_RDWR | O_APPEND));
	EXPECT_ERR(EINVAL, kipc_shm_export(id + 1, O_RDWR));
	EXPECT_ERR(EINVAL, kipc_shm_export(-1, O_RDWR));
	/* A handle conveys its rights and no more. */
	fd = kipc_handle(KIPC_KIND_SHM, id, O_RDONLY, NULL);
	ASSERT_LE(0, fd);
	export.flags = O_RDWR;
	EXPECT_ERR(EACCES, ioctl(fd, KIPC_IOC_SHM_EXPORT, &export));
	export.flags = O_RDONLY;
	EXPECT_EQ(0, kipc_shmctl(id, IPC_RMID, NULL));
	out = ioctl(fd, KIPC_IOC_SHM_EXPORT, &export);
	EXPECT_LE(0, out);
	close(out);
	export.id = id;
	EXPECT_ERR(EINVAL, ioctl(fd, KIPC_IOC_SHM_EXPORT, &export));
	close(fd);
	fd = kipc_handle_create(KIPC_KIND_SEM, 1, O_RDWR, 0600, NULL);
	export.id = KIPC_SELF;
	EXPECT_ERR(ENOTTY, ioctl(fd, KIPC_IOC_SHM_EXPORT, &export));
	close(fd);
}

TEST_HARNESS_MAIN

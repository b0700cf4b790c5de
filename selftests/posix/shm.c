// SPDX-License-Identifier: GPL-2.0
/* shm_open(3), shm_unlink(3), and what can be done with the descriptor. */
#include "common/harness.h"
#include "posix/posix.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/device.h"
#include "common/mem.h"

#define HUGE_POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/"

FIXTURE(shm) {
	struct peer p;
};
FIXTURE_VARIANT(shm) { const struct posix *posix; };
FIXTURE_VARIANT_ADD(shm, native) { .posix = &posix_native };
FIXTURE_VARIANT_ADD(shm, kipc) { .posix = &posix_kipc };

FIXTURE_SETUP(shm)
{
	skip_unless_wanted(variant->posix->name);
	ASSERT_EQ(0, begin_posix());
	ASSERT_EQ(0, peer_start(&self->p));
}

FIXTURE_TEARDOWN(shm)
{
	peer_end(&self->p, 0);
	if (variant->posix == &posix_kipc)
		EXPECT_EQ(0, count_names(NULL));
}

static long do_open(long *arg, void *buf)
{
	int fd = ((const struct posix *)arg[0])->shm_open(buf, arg[1], arg[2]);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int peer_open(struct peer *p, const struct posix *posix, const char *name, int oflag,
		     mode_t mode)
{
	strcpy(p->page->buf, name);
	return peer_run(p, do_open, (long)posix, oflag, mode, 0, 0);
}

static long do_unlink(long *arg, void *buf)
{
	return ((const struct posix *)arg[0])->shm_unlink(buf);
}

static int peer_unlink(struct peer *p, const struct posix *posix, const char *name)
{
	strcpy(p->page->buf, name);
	return peer_run(p, do_unlink, (long)posix, 0, 0, 0, 0);
}

TEST_F(shm, open_and_unlink)
{
	const struct posix *posix = variant->posix;
	struct stat st, again;
	int fd, other;

	EXPECT_ERR(ENOENT, posix->shm_open("/a", O_RDWR, 0600));
	EXPECT_ERR(ENOENT, posix->shm_unlink("/a"));
	fd = posix->shm_open("/a", O_RDWR | O_CREAT | O_EXCL, 0666);
	ASSERT_LE(0, fd);
	EXPECT_ERR(EEXIST, posix->shm_open("/a", O_RDWR | O_CREAT | O_EXCL, 0666));
	EXPECT_ERR(EEXIST, posix->shm_open("/a", O_RDONLY | O_CREAT | O_EXCL, 0666));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & O_ACCMODE);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFREG | 0644, st.st_mode);
	EXPECT_EQ(0, st.st_size);
	EXPECT_EQ(1, st.st_nlink);
	EXPECT_EQ(geteuid(), st.st_uid);
	EXPECT_EQ(getegid(), st.st_gid);

	EXPECT_EQ(0, ftruncate(fd, 3 * PAGE + 7));
	EXPECT_EQ(5, pwrite(fd, "hello", 5, PAGE));
	other = posix->shm_open("a", O_RDONLY | O_CREAT, 0);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, fstat(other, &again));
	EXPECT_EQ(st.st_ino, again.st_ino);
	EXPECT_EQ(st.st_dev, again.st_dev);
	EXPECT_EQ(3 * PAGE + 7, again.st_size);
	EXPECT_EQ(S_IFREG | 0644, again.st_mode);
	EXPECT_ERR(EBADF, pwrite(other, "x", 1, 0));
	close(other);

	/* Without its name it is there as long as it is open. */
	EXPECT_EQ(0, posix->shm_unlink("/a"));
	EXPECT_ERR(ENOENT, posix->shm_unlink("/a"));
	EXPECT_ERR(ENOENT, posix->shm_open("/a", O_RDWR, 0600));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	other = posix->shm_open("/a", O_RDWR | O_CREAT | O_EXCL, 0600);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, fstat(other, &again));
	EXPECT_EQ(0, again.st_size);
	EXPECT_EQ(3 * PAGE + 7, st.st_size);
	close(other);
	close(fd);
	EXPECT_EQ(0, posix->shm_unlink("/a"));
}

TEST_F(shm, truncates)
{
	const struct posix *posix = variant->posix;
	int fd = posix->shm_open("/t", O_RDWR | O_CREAT | O_TRUNC, 0600), other;
	struct stat st;

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ftruncate(fd, PAGE));
	other = posix->shm_open("/t", O_RDWR | O_TRUNC, 0);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_size);
	close(other);
	EXPECT_EQ(0, ftruncate(fd, PAGE));
	other = posix->shm_open("/t", O_RDONLY | O_TRUNC, 0);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_size);
	EXPECT_ERR(EINVAL, ftruncate(other, PAGE));
	EXPECT_ERR(EINVAL, ftruncate(fd, -1));
	close(other);
	close(fd);
	EXPECT_EQ(0, posix->shm_unlink("/t"));
}

TEST_F(shm, names)
{
	const struct posix *posix = variant->posix;
	char name[300] = "/";
	int fd;

	EXPECT_ERR(EINVAL, posix->shm_open("", O_RDWR | O_CREAT, 0600));
	EXPECT_ERR(EINVAL, posix->shm_open("/", O_RDWR | O_CREAT, 0600));
	EXPECT_ERR(EINVAL, posix->shm_open("///", O_RDWR | O_CREAT, 0600));
	EXPECT_ERR(EINVAL, posix->shm_open("/a/b", O_RDWR | O_CREAT, 0600));
	EXPECT_ERR(EINVAL, posix->shm_open("a/", O_RDWR | O_CREAT, 0600));
	EXPECT_ERR(EINVAL, posix->shm_open("/.", O_RDWR, 0600));
	EXPECT_ERR(EINVAL, posix->shm_open("/..", O_RDWR, 0600));
	EXPECT_ERR(ENOENT, posix->shm_unlink(""));
	EXPECT_ERR(ENOENT, posix->shm_unlink("/"));
	EXPECT_ERR(ENOENT, posix->shm_unlink("/a/b"));

	memset(name + 1, 'n', 256);
	EXPECT_ERR(ENAMETOOLONG, posix->shm_open(name, O_RDWR | O_CREAT, 0600));
	EXPECT_ERR(ENAMETOOLONG, posix->shm_unlink(name));
	memset(name + 1, 'n', 290);
	EXPECT_EQ(-1, posix->shm_open(name, O_RDWR | O_CREAT, 0600));
	EXPECT_EQ(posix == &posix_kipc ? ENAMETOOLONG : EINVAL, errno);
	name[256] = '\0';
	fd = posix->shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, posix->shm_unlink(name));

	/* Slashes before it count for nothing, other bytes are as good as any. */
	fd = posix->shm_open("///x y\n\\\xff", O_RDWR | O_CREAT | O_EXCL, 0600);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, posix->shm_unlink("x y\n\\\xff"));
}

TEST_F(shm, permissions)
{
	static const struct who stranger = { "bob alone", BOB, BOB, -1, 0 };
	static const mode_t modes[] = { 0, 0400, 0200, 0600, 0440, 0660, 0444, 0666, 0604, 0007 };
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC };
	const struct posix *posix = variant->posix;
	struct peer owner, group;
	int fd, err[ARRAY_SIZE(flags)];
	unsigned int i, j;

	umask(0);
	ASSERT_EQ(0, peer_start(&owner));
	ASSERT_EQ(0, peer_start(&group));
	ASSERT_EQ(0, peer_become(&owner, &alice));
	ASSERT_EQ(0, peer_become(&group, &bob));
	ASSERT_EQ(0, peer_become(&self->p, &stranger));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct peer *const who[] = { &owner, &group, &self->p };
		const int shift[] = { 6, 3, 0 };
		unsigned int k;

		/* What a call makes it may use as it asked, whatever the mode. */
		fd = posix->shm_open("/p", O_RDWR | O_CREAT | O_EXCL, modes[i]);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, fchown(fd, ALICE, ALICE));
		for (k = 0; k < ARRAY_SIZE(who); k++) {
			unsigned int has = modes[i] >> shift[k] & 6;
			const unsigned int needs[] = { 4, 2, 6, 6 };

			for (j = 0; j < ARRAY_SIZE(flags); j++) {
				err[j] = peer_open(who[k], posix, "/p", flags[j], 0) ? errno : 0;
				EXPECT_EQ(needs[j] & ~has ? EACCES : 0, err[j])
					TH_LOG("mode %o, who %u, flags %o", modes[i], k, flags[j]);
			}
		}
		EXPECT_ERR(EACCES, peer_unlink(&self->p, posix, "/p"));
		EXPECT_ERR(EACCES, peer_unlink(&group, posix, "/p"));
		EXPECT_EQ(0, peer_unlink(&owner, posix, "/p"));
		close(fd);
	}

	/* Of one who has none of the rights but the capability. */
	fd = posix->shm_open("/p", O_RDWR | O_CREAT | O_EXCL, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fchown(fd, ALICE, ALICE));
	close(fd);
	fd = posix->shm_open("/p", O_RDWR, 0);
	EXPECT_LE(0, fd);
	/* Changing the mode of the one changes that of all. */
	EXPECT_EQ(0, fchmod(fd, 0604));
	EXPECT_EQ(0, peer_open(&self->p, posix, "/p", O_RDONLY, 0));
	/* Who means to make one is not given a stranger's. */
	EXPECT_ERR(EACCES, peer_open(&self->p, posix, "/p", O_RDONLY | O_CREAT, 0));
	EXPECT_EQ(0, fchown(fd, BOB, BOB));
	EXPECT_EQ(0, peer_open(&self->p, posix, "/p", O_RDONLY | O_CREAT, 0));
	EXPECT_EQ(0, fchown(fd, 0, 0));
	EXPECT_EQ(0, peer_open(&self->p, posix, "/p", O_RDONLY | O_CREAT, 0));
	EXPECT_ERR(EACCES, peer_open(&self->p, posix, "/p", O_RDWR, 0));
	close(fd);
	EXPECT_EQ(0, posix->shm_unlink("/p"));
	peer_end(&owner, 0);
	peer_end(&group, 0);
}

TEST_F(shm, is_mapped)
{
	const struct posix *posix = variant->posix;
	int fd = posix->shm_open("/m", O_RDWR | O_CREAT, 0600), reader;
	char *a, *b;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE));
	a = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)a);
	reader = posix->shm_open("/m", O_RDONLY, 0);
	ASSERT_LE(0, reader);
	EXPECT_ERR(EACCES, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0));
	b = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, reader, 0);
	ASSERT_NE(MAP_FAILED, (void *)b);
	EXPECT_EQ(0, posix->shm_unlink("/m"));
	close(fd);
	close(reader);
	strcpy(a + PAGE, "seen");
	EXPECT_STREQ("seen", b + PAGE);
	EXPECT_ERR(EACCES, mprotect(b, PAGE, PROT_READ | PROT_WRITE));
	/* Past the end: for whoever goes there. */
	EXPECT_EQ(SIGBUS, probe_read(a + 2 * PAGE));
	EXPECT_EQ(SIGBUS, probe_write(a + 3 * PAGE));
	EXPECT_EQ(0, probe_write(a + PAGE));
	munmap(a, 4 * PAGE);
	munmap(b, 2 * PAGE);
}

/* ---- What kipc adds ---- */

FIXTURE(extension) { int unused; };
FIXTURE_SETUP(extension)
{
	ASSERT_EQ(0, begin_posix());
}
FIXTURE_TEARDOWN(extension)
{
	EXPECT_EQ(0, count_names(NULL));
}

/* Nobody sees it without its size. */
TEST_F(extension, has_its_size_from_the_first)
{
	int fd = kipc_shm_open_size("/s", O_RDWR | O_CREAT | O_EXCL, 0600, 3 * PAGE + 1);
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(3 * PAGE + 1, st.st_size);
	close(fd);
	/* Of one that is there it changes nothing. */
	fd = kipc_shm_open_size("/s", O_RDWR | O_CREAT, 0600, 1);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(3 * PAGE + 1, st.st_size);
	close(fd);
	EXPECT_EQ(0, kipc_shm_unlink("/s"));
	/* Whoever makes it has nothing to truncate. */
	fd = kipc_shm_open_size("/s", O_RDWR | O_CREAT | O_TRUNC, 0, PAGE);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(PAGE, st.st_size);
	close(fd);
	EXPECT_EQ(0, kipc_shm_unlink("/s"));
	EXPECT_ERR(EFBIG, kipc_shm_open_size("/s", O_RDWR | O_CREAT, 0600, (size_t)1 << 63));
	EXPECT_EQ(0, access("/dev/shm/s", F_OK) ? 0 : 1);
}

TEST_F(extension, is_sealed)
{
	int fd = kipc_shm_open_size("/s", O_RDWR | O_CREAT | O_EXCL, 0600, PAGE);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GET_SEALS));
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	EXPECT_ERR(EPERM, ftruncate(fd, 0));
	EXPECT_ERR(EPERM, ftruncate(fd, 2 * PAGE));
	EXPECT_ERR(EPERM, kipc_shm_open("/s", O_RDWR | O_TRUNC, 0));
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_ERR(EPERM, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_ERR(EPERM, pwrite(fd, "x", 1, 0));
	close(fd);
	EXPECT_EQ(0, kipc_shm_unlink("/s"));
}

/* The lowest descriptor that is free: none was leaked below it. */
static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

TEST_F(extension, bad_calls)
{
	char name[300] = "a";
	const struct kipc_name_open good = {
		.name = (uintptr_t)name, .kind = KIPC_KIND_POSIX_SHM, .flags = O_RDWR | O_CREAT,
		.mode = 0600,
	};
	const struct kipc_name_unlink good_unlink = {
		.name = (uintptr_t)name, .kind = KIPC_KIND_POSIX_SHM,
	};
	struct kipc_name_unlink gone = good_unlink;
	struct kipc_name_open open = good;
	int device = device_open(), lowest, fd;

	ASSERT_LE(0, device);
	lowest = lowest_free();
	/* What earlier tests had is freed in a while. */
	wait_until(module_refs() == 1);
#define EXPECT_BAD(_err, _field, _value) do { \
	open = good; \
	open._field = (_value); \
	EXPECT_ERR(_err, ioctl(device, KIPC_IOC_NAME_OPEN, &open)); \
} while (0)
	EXPECT_BAD(EINVAL, kind, KIPC_KIND_SHM);
	EXPECT_BAD(EINVAL, kind, KIPC_KIND_MSG);
	EXPECT_BAD(EINVAL, kind, KIPC_ALL_KINDS);
	EXPECT_BAD(EINVAL, kind, -1);
	EXPECT_BAD(EINVAL, flags, O_ACCMODE);
	EXPECT_BAD(EINVAL, flags, O_RDWR | O_CREAT | O_DIRECTORY);
	EXPECT_BAD(EINVAL, lifetime, KIPC_LIFETIME_USERS);
	EXPECT_BAD(EINVAL, serial, 1);
	EXPECT_BAD(EFAULT, name, 0);
	EXPECT_BAD(EFAULT, name, (uintptr_t)bad_address(0));
	EXPECT_BAD(EFBIG, size, ~0ull);
	strcpy(name, "a/b");
	EXPECT_BAD(EINVAL, mode, 0600);
	name[0] = '\0';
	EXPECT_BAD(ENOENT, mode, 0600);
	memset(name, 'a', 256);
	EXPECT_BAD(ENAMETOOLONG, mode, 0600);
	strcpy(name, "a");
	EXPECT_ERR(EFAULT, ioctl(device, KIPC_IOC_NAME_OPEN, bad_address(0)));
	EXPECT_EQ(0, count_names(NULL));

	gone.pad = 1;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_NAME_UNLINK, &gone));
	gone = good_unlink;
	gone.kind = KIPC_KIND_SEM;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_NAME_UNLINK, &gone));
	gone.kind = KIPC_ALL_KINDS;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_NAME_UNLINK, &gone));
	gone = good_unlink;
	EXPECT_ERR(ENOENT, ioctl(device, KIPC_IOC_NAME_UNLINK, &gone));
	EXPECT_ERR(EFAULT, ioctl(device, KIPC_IOC_NAME_UNLINK, bad_address(0)));
	EXPECT_EQ(lowest, lowest_free());
	EXPECT_EQ(1, module_refs());

	/* Each one has a number of its own, and keeps it. */
	open = good;
	fd = ioctl(device, KIPC_IOC_NAME_OPEN, &open);
	ASSERT_EQ(lowest, fd);
	close(fd);
	EXPECT_EQ(2, module_refs());
	EXPECT_EQ(1, count_names("pshm"));
	EXPECT_NE(0, open.serial);
	for (uint64_t serial = open.serial; serial; serial = 0) {
		open = good;
		fd = ioctl(device, KIPC_IOC_NAME_OPEN, &open);
		EXPECT_EQ(lowest, fd);
		close(fd);
		EXPECT_EQ(serial, open.serial);
		EXPECT_EQ(0, ioctl(device, KIPC_IOC_NAME_UNLINK, &gone));
		open = good;
		close(ioctl(device, KIPC_IOC_NAME_OPEN, &open));
		EXPECT_LT(serial, open.serial);
	}
	EXPECT_EQ(0, ioctl(device, KIPC_IOC_NAME_UNLINK, &gone));
	wait_until(module_refs() == 1);
	close(device);
}

/* ---- A memfd that is given a name ---- */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	8
#endif

/* Of @size bytes, filled, and sealed against shrinking. */
static int filled_memfd(const char *text, size_t size)
{
	int fd = memfd_create("filled", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	return ftruncate(fd, size) || pwrite(fd, text, strlen(text) + 1, size / 2) < 0 ||
	       fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) ? -1 : fd;
}

TEST_F(extension, published)
{
	int fd = filled_memfd("ready", 4 * PAGE), other, again;
	char text[8] = "";
	struct stat st;
	char *a;

	ASSERT_LE(0, fd);
	umask(027);
	ASSERT_EQ(0, kipc_shm_publish("/s", fd, 0666));
	EXPECT_EQ(1, count_names("pshm"));
	other = kipc_shm_open("/s", O_RDWR, 0);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, fstat(other, &st));
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);
	EXPECT_EQ(4 * PAGE, st.st_size);
	EXPECT_EQ(1, st.st_nlink);
	EXPECT_EQ(5 + 1, pread(other, text, 6, 2 * PAGE));
	EXPECT_STREQ("ready", text);
	/* The very memory, and the memfd's own file. */
	a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	ASSERT_NE(MAP_FAILED, (void *)a);
	strcpy(a, "there");
	EXPECT_EQ(6, pread(fd, text, 6, 0));
	EXPECT_STREQ("there", text);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);

	/* One name, of one memory. */
	EXPECT_ERR(EBUSY, kipc_shm_publish("/t", fd, 0600));
	EXPECT_ERR(EBUSY, kipc_shm_publish("/t", other, 0600));
	again = filled_memfd("another", PAGE);
	ASSERT_LE(0, again);
	EXPECT_ERR(EEXIST, kipc_shm_publish("/s", again, 0600));
	ASSERT_EQ(0, fstat(again, &st));
	EXPECT_EQ(S_IFREG | 0777, st.st_mode);
	EXPECT_EQ(0, st.st_nlink);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFREG | 0640, st.st_mode);
	EXPECT_ERR(EEXIST, kipc_shm_open("/s", O_RDWR | O_CREAT | O_EXCL, 0600));

	/* Nor does it need its maker: it can grow, and cannot shrink. */
	close(fd);
	EXPECT_EQ(0, ftruncate(other, 5 * PAGE));
	EXPECT_ERR(EPERM, ftruncate(other, PAGE));
	EXPECT_ERR(EPERM, kipc_shm_open("/s", O_RDWR | O_TRUNC, 0));
	EXPECT_EQ(0, kipc_shm_unlink("/s"));
	ASSERT_EQ(0, fstat(other, &st));
	EXPECT_EQ(0, st.st_nlink);
	EXPECT_STREQ("there", a);
	/* What has no name any more can have another. */
	EXPECT_EQ(0, kipc_shm_publish("t", other, 0600));
	EXPECT_ERR(ENOENT, kipc_shm_open("/s", O_RDWR, 0));
	fd = kipc_shm_open("/t", O_RDONLY, 0);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, kipc_shm_unlink("/t"));
	close(other);
	munmap(a, PAGE);
	/* So can what shm_open() has made. */
	fd = kipc_shm_open_size("/u", O_RDWR | O_CREAT | O_EXCL, 0644, PAGE);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	EXPECT_ERR(EBUSY, kipc_shm_publish("/v", fd, 0600));
	EXPECT_EQ(0, kipc_shm_unlink("/u"));
	EXPECT_EQ(0, kipc_shm_publish("/v", fd, 0600));
	EXPECT_EQ(0, kipc_shm_unlink("/v"));
	close(fd);
	close(again);
}

static long do_publish(long *arg, void *buf)
{
	return kipc_shm_publish(buf, arg[0], arg[1]);
}

static int peer_publish(struct peer *p, const char *name, int fd, mode_t mode)
{
	strcpy(p->page->buf, name);
	return peer_run(p, do_publish, fd, mode, 0, 0, 0);
}

/* Open the name for reading, and what that gives anew for writing. */
static long open_anew(long *arg, void *buf)
{
	int fd = kipc_shm_open(buf, O_RDONLY, 0), anew, error;
	char path[40];

	(void)arg;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	anew = open(path, O_RDWR);
	error = errno;
	close(anew);
	close(fd);
	errno = error;
	return anew < 0 ? -1 : 0;
}

static int peer_open_anew(struct peer *p, const char *name)
{
	strcpy(p->page->buf, name);
	return peer_run(p, open_anew, 0, 0, 0, 0, 0);
}

/* Who may do what with it is as if shm_open() had made it. */
TEST_F(extension, published_permissions)
{
	int fd = filled_memfd("ready", PAGE), alices = filled_memfd("hers", PAGE);
	struct peer alice, bob;
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, alices);
	ASSERT_EQ(0, fchown(alices, ALICE, 7));
	ASSERT_EQ(0, fchmod(alices, 0604));
	/* They have both descriptors, for reading and writing. */
	ASSERT_EQ(0, peer_start(&alice));
	ASSERT_EQ(0, peer_start(&bob));
	ASSERT_EQ(0, peer_become(&alice, &(struct who){ "alice", ALICE, ALICE, -1, 0 }));
	ASSERT_EQ(0, peer_become(&bob, &(struct who){ "bob", BOB, BOB, -1, 0 }));

	/* Not another's, nor one's own another's: not even by root. */
	EXPECT_ERR(EPERM, peer_publish(&alice, "/s", fd, 0666));
	EXPECT_ERR(EPERM, peer_publish(&bob, "/s", alices, 0666));
	EXPECT_ERR(EPERM, kipc_shm_publish("/s", alices, 0666));
	EXPECT_EQ(0, count_names(NULL));
	ASSERT_EQ(0, fstat(alices, &st));
	EXPECT_EQ(S_IFREG | 0604, st.st_mode);
	EXPECT_EQ(7, st.st_gid);

	ASSERT_EQ(0, peer_publish(&alice, "/s", alices, 0644));
	ASSERT_EQ(0, fstat(alices, &st));
	EXPECT_EQ(S_IFREG | 0644, st.st_mode);
	EXPECT_EQ(ALICE, st.st_uid);
	EXPECT_EQ(ALICE, st.st_gid);
	EXPECT_EQ(0, peer_open(&bob, &posix_kipc, "/s", O_RDONLY, 0));
	EXPECT_ERR(EACCES, peer_open(&bob, &posix_kipc, "/s", O_RDWR, 0));
	EXPECT_ERR(EACCES, peer_open(&bob, &posix_kipc, "/s", O_RDONLY | O_CREAT, 0));
	EXPECT_EQ(0, peer_open(&alice, &posix_kipc, "/s", O_RDWR, 0));
	/* A memfd as it is made can be opened anew by whoever has it. */
	EXPECT_ERR(EACCES, peer_open_anew(&bob, "/s"));
	EXPECT_EQ(0, peer_open_anew(&alice, "/s"));
	/* Its mode is the memory's, whatever descriptor it is changed by. */
	ASSERT_EQ(0, fchmod(alices, 0666));
	EXPECT_EQ(0, peer_open(&bob, &posix_kipc, "/s", O_RDWR, 0));
	ASSERT_EQ(0, fchmod(alices, 0600));
	EXPECT_ERR(EACCES, peer_open(&bob, &posix_kipc, "/s", O_RDONLY, 0));
	EXPECT_ERR(EACCES, peer_unlink(&bob, &posix_kipc, "/s"));
	EXPECT_EQ(0, peer_unlink(&alice, &posix_kipc, "/s"));
	close(fd);
	close(alices);
	peer_end(&alice, 0);
	peer_end(&bob, 0);
}

/* What a seal forbids the name does not permit. */
TEST_F(extension, published_sealed)
{
	int fd = filled_memfd("ready", PAGE), other;
	char text[8] = "";

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
	ASSERT_EQ(0, kipc_shm_publish("/s", fd, 0600));
	other = kipc_shm_open("/s", O_RDWR, 0);
	ASSERT_LE(0, other);
	EXPECT_EQ(6, pread(other, text, 6, PAGE / 2));
	EXPECT_STREQ("ready", text);
	EXPECT_ERR(EPERM, pwrite(other, "x", 1, 0));
	EXPECT_ERR(EPERM, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0));
	EXPECT_ERR(EPERM, ftruncate(other, 2 * PAGE));
	EXPECT_EQ(0, kipc_shm_unlink("/s"));
	close(other);
	close(fd);

	fd = memfd_create("not executed", MFD_NOEXEC_SEAL);
	if (fd < 0)
		return;		/* a kernel without such */
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	EXPECT_ERR(EPERM, kipc_shm_publish("/s", fd, 0700));
	EXPECT_EQ(0, count_names(NULL));
	EXPECT_EQ(0, kipc_shm_publish("/s", fd, 0600));
	EXPECT_EQ(0, kipc_shm_unlink("/s"));
	close(fd);
}

TEST_F(extension, not_published)
{
	int fd = filled_memfd("ready", PAGE), device = device_open(), other;
	char name[300] = "s", path[40];
	const struct kipc_name_adopt good = { .name = (uintptr_t)name, .fd = fd, .mode = 0600 };
	struct kipc_name_adopt adopt;
	struct stat st;
	int lowest;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, device);
	/* The library opens the device too, and what earlier tests had is freed in a while. */
	EXPECT_ERR(ENOENT, kipc_shm_unlink("/s"));
	lowest = lowest_free();
	wait_until(module_refs() == 2);
	EXPECT_ERR(EBADF, kipc_shm_publish("/s", -1, 0600));
	EXPECT_ERR(EBADF, kipc_shm_publish("/s", 1000, 0600));
	EXPECT_ERR(EINVAL, kipc_shm_publish("/", fd, 0600));
	EXPECT_ERR(EINVAL, kipc_shm_publish("/a/b", fd, 0600));
	EXPECT_ERR(EINVAL, kipc_shm_publish("/..", fd, 0600));
	memset(name, 'n', 256);
	EXPECT_ERR(ENAMETOOLONG, kipc_shm_publish(name, fd, 0600));
#define EXPECT_NOT_ADOPTED(_err, _field, _value) do { \
	adopt = good; \
	adopt._field = (_value); \
	EXPECT_ERR(_err, ioctl(device, KIPC_IOC_NAME_ADOPT, &adopt)); \
} while (0)
	EXPECT_NOT_ADOPTED(ENAMETOOLONG, pad, 0);
	strcpy(name, "a/b");
	EXPECT_NOT_ADOPTED(EINVAL, pad, 0);
	strcpy(name, "");
	EXPECT_NOT_ADOPTED(ENOENT, pad, 0);
	strcpy(name, "s");
	EXPECT_NOT_ADOPTED(EINVAL, pad, 1);
	EXPECT_NOT_ADOPTED(EINVAL, flags, 1);
	EXPECT_NOT_ADOPTED(EBADF, fd, -1);
	EXPECT_NOT_ADOPTED(EFAULT, name, (uintptr_t)bad_address(0));
	EXPECT_ERR(EFAULT, ioctl(device, KIPC_IOC_NAME_ADOPT, bad_address(0)));
	/* What is no memory, or another's file system's. */
	EXPECT_NOT_ADOPTED(EINVAL, fd, device);
	other = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, other);
	EXPECT_NOT_ADOPTED(EINVAL, fd, other);
	close(other);
	/* What can shrink, for it is not sealed or cannot be. */
	other = memfd_create("unsealed", MFD_ALLOW_SEALING);
	EXPECT_NOT_ADOPTED(EINVAL, fd, other);
	ASSERT_EQ(0, fcntl(other, F_ADD_SEALS, F_SEAL_GROW));
	EXPECT_NOT_ADOPTED(EINVAL, fd, other);
	close(other);
	other = memfd_create("never sealed", 0);
	EXPECT_NOT_ADOPTED(EINVAL, fd, other);
	close(other);
	/* What is not open for both. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDONLY);
	EXPECT_NOT_ADOPTED(EACCES, fd, other);
	close(other);
	other = open(path, O_WRONLY);
	EXPECT_NOT_ADOPTED(EACCES, fd, other);
	close(other);
	other = open(path, O_PATH);
	EXPECT_NOT_ADOPTED(EBADF, fd, other);
	close(other);

	EXPECT_EQ(0, count_names(NULL));
	EXPECT_EQ(lowest, lowest_free());
	EXPECT_EQ(2, module_refs());
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFREG | 0777, st.st_mode);
	EXPECT_EQ(0, st.st_nlink);
	adopt = good;
	EXPECT_EQ(0, ioctl(device, KIPC_IOC_NAME_ADOPT, &adopt));
	EXPECT_EQ(3, module_refs());
	EXPECT_EQ(0, kipc_shm_unlink("/s"));
	wait_until(module_refs() == 2);
	close(fd);
	close(device);
}

TEST_F(extension, published_of_huge_pages)
{
	int fd = memfd_create("huge", MFD_ALLOW_SEALING | MFD_HUGETLB), other;
	char *a;

	if (fd < 0)
		SKIP(return, "no huge pages in this kernel");
	if (read_number(HUGE_POOL "nr_hugepages") < 2)
		write_text(HUGE_POOL "nr_hugepages", "2");
	if (read_number(HUGE_POOL "nr_hugepages") < 1)
		SKIP(return, "no huge pages to be had");
	ASSERT_EQ(0, ftruncate(fd, 2 << 20));
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	ASSERT_EQ(0, kipc_shm_publish("/huge", fd, 0600));
	close(fd);
	other = kipc_shm_open("/huge", O_RDWR, 0);
	ASSERT_LE(0, other);
	EXPECT_ERR(EPERM, kipc_shm_open("/huge", O_RDWR | O_TRUNC, 0));
	a = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	ASSERT_NE(MAP_FAILED, (void *)a);
	EXPECT_EQ(0, probe_write(a + (1 << 20)));
	munmap(a, 2 << 20);
	EXPECT_EQ(0, kipc_shm_unlink("/huge"));
	close(other);
}

/*
 * Several fill a memfd each and publish it by one name, several look the name up: one at a time
 * has it, nobody meets less than all of it, and who was too late has changed nothing.
 */
#define ROUNDS	200

static int fill_and_publish(void)
{
	struct stat st;
	int i, fd;

	for (i = 0; i < ROUNDS; i++) {
		fd = filled_memfd("all of it", 2 * PAGE);
		if (fd < 0)
			return 1;
		if (!kipc_shm_publish("/one", fd, 0600)) {
			if (kipc_shm_unlink("/one"))
				return 2;
		} else if (errno != EEXIST || fstat(fd, &st) || st.st_nlink ||
			   st.st_mode != (S_IFREG | 0777)) {
			return 3;
		}
		close(fd);
	}
	return 0;
}

static int look_up(void)
{
	char text[10];
	struct stat st;
	int i, fd;

	for (i = 0; i < 4 * ROUNDS; i++) {
		fd = kipc_shm_open("/one", O_RDWR, 0);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &st) || st.st_size != 2 * PAGE ||
		    st.st_mode != (S_IFREG | 0600) || pread(fd, text, 10, PAGE) != 10 ||
		    strcmp(text, "all of it"))
			return 4;
		close(fd);
	}
	return 0;
}

TEST_F(extension, published_by_one)
{
	pid_t child[4];
	int i, status;

	for (i = 0; i < 4; i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i])
			_exit(i & 1 ? fill_and_publish() : look_up());
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* One memory by two names at once: it gets one of them, or the other. */
struct publisher {
	const char *name;
	int fd, lost;
};

static void *publish_again_and_again(void *arg)
{
	struct publisher *p = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (!kipc_shm_publish(p->name, p->fd, 0600)) {
			if (kipc_shm_unlink(p->name))
				return p;
		} else if (errno != EBUSY) {
			return p;
		} else {
			p->lost++;
		}
	}
	return NULL;
}

TEST_F(extension, published_once)
{
	int fd = filled_memfd("ready", PAGE), i;
	struct publisher p[] = { { "/a", fd, 0 }, { "/b", fd, 0 } };
	pthread_t thread[2];
	struct stat st;
	void *failed;

	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, publish_again_and_again, &p[i]));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(thread[i], &failed));
		EXPECT_EQ(NULL, failed);
	}
	EXPECT_GT(2 * ROUNDS, p[0].lost + p[1].lost);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	close(fd);
}

/* Many by many at once: each name is made by one, and none is left. */
static int make_and_unlink(void *arg)
{
	const char name[] = { '/', *(const char *)arg, '\0' };
	int i, fd;

	for (i = 0; i < 300; i++) {
		fd = kipc_shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 && errno != EEXIST)
			return 1;
		if (fd < 0)
			continue;
		close(fd);
		if (kipc_shm_unlink(name))
			return 2;
	}
	return 0;
}

TEST_F(extension, made_by_one)
{
	bool made[2] = { false };
	pid_t child[4];
	int i, status;

	for (i = 0; i < 4; i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i])
			_exit(make_and_unlink(i & 1 ? "x" : "y"));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(child[i], waitpid(child[i], &status, 0));
		/* On one processor the other of the name may have been quicker each time. */
		if (status != 3 << 8)
			EXPECT_EQ(0, status);
		made[i & 1] |= !status;
	}
	EXPECT_TRUE(made[0] && made[1]);
}

/* It ends with its namespace; the memory stays with who has it. */
static int make_in_namespace(void *arg)
{
	int fd;

	if (unshare(CLONE_NEWIPC))
		return 1;
	fd = kipc_shm_open_size("/n", O_RDWR | O_CREAT | O_EXCL, 0600, PAGE);
	if (fd < 0 || pwrite(fd, "here", 5, 0) != 5)
		return 2;
	return send_fd(*(int *)arg, fd) ? 3 : 0;
}

TEST_F(extension, of_a_namespace)
{
	char text[5] = "";
	struct stat st;
	int pair[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	EXPECT_EQ(0, in_child(make_in_namespace, &pair[1]));
	EXPECT_ERR(ENOENT, kipc_shm_open("/n", O_RDWR, 0));
	fd = receive_fd(pair[0]);
	ASSERT_LE(0, fd);
	/* Nobody is in the namespace any more. */
	wait_until(fstat(fd, &st) == 0 && !st.st_nlink);
	EXPECT_EQ(5, pread(fd, text, 5, 0));
	EXPECT_STREQ("here", text);
	close(fd);
	/* The library has the device open. */
	wait_until(module_refs() == 1);
	close(pair[0]);
	close(pair[1]);
}

TEST_HARNESS_MAIN

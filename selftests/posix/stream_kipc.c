// SPDX-License-Identifier: GPL-2.0
/* What byte streams have that no FIFO has: capacity, lifetime, id and limits. */
#include "common/harness.h"
#include "posix/posix.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "common/device.h"


static char out[4096], in[8192];

FIXTURE(stream_kipc) {
	struct peer p;
};

FIXTURE_SETUP(stream_kipc)
{
	skip_unless_wanted("kipc");
	ASSERT_EQ(0, begin_posix());
	ASSERT_EQ(0, peer_start(&self->p));
}

FIXTURE_TEARDOWN(stream_kipc)
{
	peer_end(&self->p, 0);
	EXPECT_EQ(0, count_names(NULL));
}

static int make(const char *name, size_t size, unsigned int lifetime)
{
	return kipc_stream_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, size, lifetime);
}

static long info(int fd, const char *field)
{
	char path[64], line[128];
	long value = -1;
	size_t length = strlen(field);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, length) && line[length] == ':')
			value = strtol(line + length + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

TEST_F(stream_kipc, capacity)
{
	static const struct { size_t asked, is; } sizes[] = {
		{ 0, 65536 }, { 1, 4096 }, { 4096, 4096 }, { 4097, 8192 }, { 100000, 131072 },
		{ 1 << 20, 1 << 20 },
	};
	static char most[(1 << 20) + 4096];
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fd = make("/s", sizes[i].asked, KIPC_LIFETIME_USERS);
		ASSERT_LE(0, fd);
		EXPECT_EQ(sizes[i].is, info(fd, "kipc-size"));
		EXPECT_EQ(sizes[i].is, write(fd, most, sizeof(most)));
		EXPECT_EQ(sizes[i].is, info(fd, "kipc-bytes"));
		EXPECT_EQ(sizes[i].is, read(fd, most, sizeof(most)));
		close(fd);
	}
	EXPECT_ERR(EINVAL, make("/s", (1 << 20) + 1, 0));
	EXPECT_ERR(EINVAL, make("/s", SIZE_MAX, 0));
}

TEST_F(stream_kipc, lifetimes)
{
	int fd = make("/a", 0, KIPC_LIFETIME_USERS), other;

	ASSERT_LE(0, fd);
	other = kipc_stream_open("/a", O_RDONLY, 0, 0, 0);
	ASSERT_LE(0, other);
	close(fd);
	fd = kipc_stream_open("/a", O_WRONLY | O_NONBLOCK, 0, 0, 0);
	ASSERT_LE(0, fd);
	close(other);
	close(fd);
	EXPECT_ERR(ENOENT, kipc_stream_open("/a", O_RDWR, 0, 0, 0));
	EXPECT_EQ(0, count_names("strm"));

	/* Of one that was there before it stays what it was. */
	fd = make("/a", 0, KIPC_LIFETIME_PERSISTENT);
	other = kipc_stream_open("/a", O_RDWR | O_CREAT, 0600, 4096, KIPC_LIFETIME_USERS);
	EXPECT_EQ(65536, info(other, "kipc-size"));
	close(fd);
	close(other);
	EXPECT_EQ(1, count_names("strm"));
	EXPECT_EQ(0, kipc_stream_unlink("/a"));
	EXPECT_ERR(EINVAL, make("/a", 0, KIPC_LIFETIME_CREATOR));
	EXPECT_ERR(EINVAL, make("/a", 0, 3));
}

/* Interrupted, it has made nothing that the caller would meet. */
static long do_make(long *arg, void *buf)
{
	return kipc_stream_open(buf, arg[0], 0600, 0, arg[1]);
}

TEST_F(stream_kipc, made_and_interrupted)
{
	struct peer *p = &self->p;

	EXPECT_EQ(0, peer_catch(p, SIGUSR1, SA_RESTART));
	strcpy(p->page->buf, "/m");
	EXPECT_EQ(0, peer_begin(p, do_make, O_RDONLY | O_CREAT | O_EXCL, KIPC_LIFETIME_USERS, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(p));
	EXPECT_EQ(1, count_names("strm"));
	EXPECT_EQ(0, kill(p->pid, SIGUSR1));
	EXPECT_EQ(-1, peer_finish(p));
	EXPECT_EQ(EINTR, errno);
	EXPECT_EQ(0, count_names("strm"));
	/* Nobody reads what is made here: nothing is. */
	EXPECT_ERR(ENXIO, kipc_stream_open("/m", O_WRONLY | O_NONBLOCK | O_CREAT, 0600, 0, 0));
	EXPECT_EQ(0, count_names("strm"));
}

static int id_of(const char *kind)
{
	FILE *f = fopen("/proc/kipc/names", "re");
	char line[512];
	int id = -1;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, kind, strlen(kind)))
			sscanf(line + strlen(kind), "%d", &id);
	if (f)
		fclose(f);
	return id;
}

/* Whatever has a name can be opened by its id. */
TEST_F(stream_kipc, by_id)
{
	const struct who alice = { "alice", ALICE, ALICE, -1, 0 };
	int fd = make("/i", 0, 0), other, memory, queue, id = id_of("strm");
	struct stat st, again;
	sem_t *sem;

	ASSERT_LE(0, fd);
	EXPECT_EQ(id, info(fd, "kipc-id"));
	other = kipc_handle(KIPC_KIND_STREAM, id, O_RDONLY, NULL);
	ASSERT_LE(0, other);
	EXPECT_EQ(4, write(fd, out, 4));
	EXPECT_EQ(4, read(other, in, 100));
	EXPECT_ERR(EBADF, write(other, out, 1));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_STREAM, id + (1 << 24), O_RDONLY, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_STREAM, id + 1, O_RDONLY, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_STREAM, -1, O_RDONLY, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_ALL_KINDS, id, O_RDONLY, NULL));
	ASSERT_EQ(0, peer_become(&self->p, &alice));
	EXPECT_EQ(0, kipc_stream_unlink("/i"));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_STREAM, id, O_RDONLY, NULL));
	close(fd);
	close(other);

	memory = kipc_shm_open("/i", O_RDWR | O_CREAT, 0600);
	fd = kipc_handle(KIPC_KIND_POSIX_SHM, id_of("pshm"), O_RDWR, NULL);
	EXPECT_EQ(0, fstat(memory, &st));
	EXPECT_EQ(0, fstat(fd, &again));
	EXPECT_EQ(st.st_ino, again.st_ino);
	close(fd);
	close(memory);
	EXPECT_EQ(0, kipc_shm_unlink("/i"));

	sem = kipc_sem_open("/i", O_CREAT, 0600, 3);
	fd = kipc_handle(KIPC_KIND_POSIX_SEM, id_of("psem"), O_RDWR, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(8, read(fd, in, 8));
	EXPECT_EQ(0, kipc_sem_getvalue(sem, &other));
	EXPECT_EQ(2, other);
	close(fd);
	EXPECT_EQ(0, kipc_sem_close(sem));
	EXPECT_EQ(0, kipc_sem_unlink("/i"));

	queue = kipc_mq_open("/i", O_RDWR | O_CREAT, 0600, NULL);
	fd = kipc_handle(KIPC_KIND_POSIX_MQ, id_of("pmq"), O_RDWR, NULL);
	EXPECT_EQ(0, kipc_mq_send(queue, "x", 1, 1));
	EXPECT_EQ(1, kipc_mq_receive(fd, in, 8192, NULL));
	close(fd);
	EXPECT_EQ(0, kipc_mq_close(queue));
	EXPECT_EQ(0, kipc_mq_unlink("/i"));
}

static long do_by_id(long *arg, void *buf)
{
	(void)buf;
	return kipc_handle(KIPC_KIND_STREAM, arg[0], arg[1], NULL);
}

static int many[100];

static long do_make_many(long *arg, void *buf)
{
	char name[32];
	long i;

	(void)buf;
	for (i = 0; i < arg[0]; i++) {
		snprintf(name, sizeof(name), "/many%ld", i);
		many[i] = kipc_stream_open(name, O_RDWR | O_CREAT, 0600, arg[1],
					   KIPC_LIFETIME_USERS);
		if (many[i] < 0)
			break;
	}
	return i;
}

/* All but the first. */
static long do_close_many(long *arg, void *buf)
{
	long i;

	(void)buf;
	for (i = 1; i < arg[0]; i++)
		close(many[i]);
	return 0;
}

/* What one user may have, and what another does not see. */
TEST_F(stream_kipc, limits_and_strangers)
{
	const struct who alice = { "alice", ALICE, ALICE, -1, 0 };
	int fd = make("/mine", 0, KIPC_LIFETIME_USERS), pair[2], got;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_become(&self->p, &alice));
	EXPECT_EQ(-1, peer_run(&self->p, do_by_id, id_of("strm"), O_RDONLY, 0, 0, 0));
	EXPECT_EQ(EACCES, errno);
	/* 64 MiB of them. */
	EXPECT_EQ(64, peer_run(&self->p, do_make_many, 65, 1 << 20, 0, 0, 0));
	EXPECT_EQ(ENOSPC, errno);
	/* That is nobody else's matter. */
	EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	got = make("/other", 1 << 20, KIPC_LIFETIME_USERS);
	EXPECT_LE(0, got);
	close(got);
	EXPECT_EQ(0, peer_run(&self->p, do_close_many, 64, 0, 0, 0, 0));
	wait_until(count_names("strm") == 2);
	EXPECT_EQ(64, peer_run(&self->p, do_make_many, 65, 1 << 20, 0, 0, 0));
	EXPECT_EQ(ENOSPC, errno);

	/* Sent to whom it may concern. */
	EXPECT_EQ(0, send_fd(pair[0], fd));
	got = receive_fd(pair[1]);
	EXPECT_LE(0, got);
	close(fd);
	EXPECT_EQ(3, write(got, "abc", 3));
	EXPECT_EQ(3, read(got, in, 3));
	close(got);
	close(pair[0]);
	close(pair[1]);
	peer_end(&self->p, 0);
	wait_until(!count_names("strm"));
	ASSERT_EQ(0, peer_start(&self->p));
}

/* Memory whose last 32 bytes are on a page that comes when userfaultfd(2) gives it. */
struct late {
	int fd, faults;
	char *page, *to;
	size_t size;
	ssize_t done;
};

static int late_begin(struct late *l)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *at = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	l->faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (l->faults < 0 || at == MAP_FAILED)
		return -1;
	memset(at, 0, 4 * PAGE);
	l->page = at + 4 * PAGE;
	l->to = l->page + 32 - l->size;
	reg.range.start = (uintptr_t)l->page;
	reg.range.len = PAGE;
	return ioctl(l->faults, UFFDIO_API, &api) || ioctl(l->faults, UFFDIO_REGISTER, &reg);
}

static void *late_read(void *arg)
{
	struct late *l = arg;

	l->done = read(l->fd, l->to, l->size);
	return NULL;
}

/* While one waits for his memory, nobody else gets a piece from the middle. */
TEST_F(stream_kipc, reads_stay_together)
{
	static char first[3 * PAGE], second[3 * PAGE], got[3 * PAGE];
	static const size_t sizes[] = { 64, PAGE, 3 * PAGE };
	struct uffdio_zeropage zero = { .range = { .len = PAGE } };
	int fd = make("/t", 0, KIPC_LIFETIME_USERS);
	struct uffd_msg msg;
	pthread_t thread;
	struct late l;
	unsigned int i;

	ASSERT_LE(0, fd);
	memset(first, 1, sizeof(first));
	memset(second, 2, sizeof(second));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		l = (struct late){ .fd = fd, .size = sizes[i] };
		if (late_begin(&l))
			SKIP(break, "no userfaultfd here");
		EXPECT_EQ(l.size, write(fd, first, l.size));
		EXPECT_EQ(l.size, write(fd, second, l.size));
		ASSERT_EQ(0, pthread_create(&thread, NULL, late_read, &l));
		ASSERT_EQ(sizeof(msg), read(l.faults, &msg, sizeof(msg)));
		EXPECT_EQ(l.size, read(fd, got, l.size));
		EXPECT_EQ(0, memcmp(got, first, l.size));
		zero.range.start = (uintptr_t)l.page;
		EXPECT_EQ(0, ioctl(l.faults, UFFDIO_ZEROPAGE, &zero));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_EQ(l.size, l.done);
		EXPECT_EQ(0, memcmp(l.to, second, l.size));
		close(l.faults);
	}
	close(fd);
}

static long do_open_again(long *arg, void *buf)
{
	return kipc_stream_open(buf, arg[0], 0600, 0, 0);
}

/* As with fs.protected_fifos: who means to make one does not write to a stranger. */
TEST_F(stream_kipc, not_a_strangers)
{
	const struct who alice = { "alice", ALICE, ALICE, -1, 0 };
	int fd;

	umask(0);
	fd = kipc_stream_open("/p", O_RDWR | O_CREAT, 0666, 0, KIPC_LIFETIME_USERS);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, peer_become(&self->p, &alice));
	/* Root's is nobody's trap. */
	strcpy(self->p.page->buf, "/p");
	EXPECT_LE(0, peer_run(&self->p, do_open_again, O_RDWR | O_CREAT, 0, 0, 0, 0));
	EXPECT_EQ(0, kipc_stream_unlink("/p"));
	close(fd);

	strcpy(self->p.page->buf, "/p");
	ASSERT_EQ(0, setegid(ALICE));
	ASSERT_EQ(0, seteuid(ALICE));
	fd = kipc_stream_open("/p", O_RDWR | O_CREAT, 0666, 0, KIPC_LIFETIME_USERS);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, setegid(0));
	ASSERT_LE(0, fd);
	EXPECT_ERR(EACCES, kipc_stream_open("/p", O_RDWR | O_CREAT, 0600, 0, 0));
	EXPECT_ERR(EEXIST, kipc_stream_open("/p", O_RDWR | O_CREAT | O_EXCL, 0600, 0, 0));
	EXPECT_LE(0, peer_run(&self->p, do_open_again, O_RDWR | O_CREAT, 0, 0, 0, 0));
	peer_end(&self->p, 0);
	close(fd);
	wait_until(!count_names("strm"));
	ASSERT_EQ(0, peer_start(&self->p));
}

TEST_F(stream_kipc, namespaces)
{
	int fd = make("/n", 0, 0), other;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* The names went with the namespace; who has it open works on. */
	EXPECT_EQ(0, count_names(NULL));
	EXPECT_ERR(ENOENT, kipc_stream_open("/n", O_RDWR, 0, 0, 0));
	EXPECT_EQ(5, write(fd, out, 5));
	EXPECT_EQ(5, read(fd, in, 5));
	other = make("/n", 0, KIPC_LIFETIME_USERS);
	ASSERT_LE(0, other);
	EXPECT_ERR(EAGAIN, read(other, in, 1));
	close(other);
	close(fd);
}

TEST_F(stream_kipc, bad_calls)
{
	char name[300] = "a";
	const struct kipc_name_open good = {
		.name = (uintptr_t)name, .kind = KIPC_KIND_STREAM, .mode = 0600,
		.flags = O_RDWR | O_CREAT,
	};
	struct kipc_name_open open;
	int device = device_open();

	ASSERT_LE(0, device);
	/* What earlier tests had is freed in a while; the library has the device, too. */
	EXPECT_ERR(ENOENT, kipc_stream_unlink("/a"));
	wait_until(module_refs() == 2);
#define EXPECT_BAD(_err, _field, _value) do { \
	open = good; \
	open._field = (_value); \
	EXPECT_ERR(_err, ioctl(device, KIPC_IOC_NAME_OPEN, &open)); \
} while (0)
	EXPECT_BAD(EINVAL, msgsize, 1);
	EXPECT_BAD(EINVAL, lifetime, KIPC_LIFETIME_CREATOR);
	EXPECT_BAD(EINVAL, flags, O_RDWR | O_CREAT | O_TRUNC);
	EXPECT_BAD(EINVAL, flags, O_ACCMODE | O_CREAT);
	EXPECT_BAD(EINVAL, size, ~0ull);
	EXPECT_BAD(ENXIO, flags, O_WRONLY | O_NONBLOCK | O_CREAT);
	EXPECT_ERR(ENAMETOOLONG, kipc_stream_open(memset(name, 'a', 256), O_RDWR | O_CREAT, 0600, 0, 0));
	EXPECT_ERR(EINVAL, kipc_stream_open("/a/b", O_RDWR | O_CREAT, 0600, 0, 0));
	EXPECT_ERR(EINVAL, kipc_stream_open("", O_RDWR | O_CREAT, 0600, 0, 0));
	EXPECT_ERR(EINVAL, kipc_stream_open("/a", O_ACCMODE | O_CREAT, 0600, 0, 0));
	EXPECT_ERR(EINVAL, kipc_stream_unlink("/"));
	EXPECT_EQ(0, count_names(NULL));
	EXPECT_EQ(2, module_refs());
	close(device);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* sem_open(3) and what is done with what it returns. */
#include "common/harness.h"
#include "posix/posix.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/device.h"
#include "common/mem.h"

POSIX_FIXTURE(sem);

#define EXPECT_FAILED(_err, _call) do { \
	errno = 0; \
	EXPECT_EQ(SEM_FAILED, (_call)); \
	EXPECT_EQ(_err, errno) \
		TH_LOG("%s: %s", #_call, strerror(errno)); \
} while (0)

#define EXPECT_VALUE(_value, _sem) do { \
	int __value = -1; \
	EXPECT_EQ(0, posix->sem_getvalue(_sem, &__value)); \
	EXPECT_EQ(_value, __value); \
} while (0)

/* Of a peer: each opens for itself. */
static long do_open(long *arg, void *buf)
{
	return (long)((const struct posix *)arg[0])->sem_open(buf, arg[1], arg[2], arg[3]);
}

static sem_t *peer_open(struct peer *p, const struct posix *posix, const char *name, int oflag,
			mode_t mode, unsigned int value)
{
	strcpy(p->page->buf, name);
	return (sem_t *)peer_run(p, do_open, (long)posix, oflag, mode, value, 0);
}

static long do_wait(long *arg, void *buf)
{
	(void)buf;
	return ((const struct posix *)arg[0])->sem_wait((sem_t *)arg[1]);
}

static long do_post(long *arg, void *buf)
{
	(void)buf;
	return ((const struct posix *)arg[0])->sem_post((sem_t *)arg[1]);
}

static long do_timedwait(long *arg, void *buf)
{
	struct timespec until;

	(void)buf;
	clock_gettime(arg[2], &until);
	until.tv_sec += arg[3];
	return ((const struct posix *)arg[0])->sem_clockwait((sem_t *)arg[1], arg[2], &until);
}

static long do_unlink(long *arg, void *buf)
{
	return ((const struct posix *)arg[0])->sem_unlink(buf);
}

static int peer_wait_on(struct peer *p, const struct posix *posix, sem_t *sem)
{
	return peer_begin(p, do_wait, (long)posix, (long)sem, 0, 0, 0) ? -1 : peer_asleep(p);
}

/* Where nothing more can be mapped; what there was with what would be. */
static long do_open_without_room(long *arg, void *buf)
{
	const struct posix *posix = (const struct posix *)arg[0];
	struct rlimit limit = { .rlim_cur = 1, .rlim_max = 1 };
	sem_t *sem;
	int error;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || mlockall(MCL_FUTURE))
		return -2;
	sem = posix->sem_open(buf, arg[1], arg[2], arg[3]);
	error = errno;
	if (munlockall())
		return -3;
	errno = error;
	return (long)sem;
}

TEST_F(sem, not_left_behind)
{
	static const int flags[] = { O_CREAT, O_CREAT | O_EXCL, O_CREAT | O_EXCL, O_CREAT, 0 };
	static const struct who alice = { "alice", ALICE, ALICE, -1, 0 };
	const struct posix *posix = variant->posix;
	struct peer *p = &self->p[0];
	unsigned int i;
	sem_t *sem;

	ASSERT_EQ(0, peer_become(p, &alice));
	/* What the first call needs besides it has from here on. */
	sem = peer_open(p, posix, "/first", O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, sem);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		strcpy(p->page->buf, "/s");
		EXPECT_EQ((long)SEM_FAILED, peer_run(p, do_open_without_room, (long)posix,
						     flags[i], 0600, 3, 0));
		EXPECT_EQ(flags[i] ? EAGAIN : ENOENT, errno)
			TH_LOG("flags %o: %s", flags[i], strerror(errno));
		EXPECT_FAILED(ENOENT, posix->sem_open("/s", 0));
	}
	/* One that another has made stays. */
	sem = posix->sem_open("/s", O_CREAT | O_EXCL, 0666, 5);
	ASSERT_NE(SEM_FAILED, sem);
	strcpy(p->page->buf, "/s");
	EXPECT_EQ((long)SEM_FAILED, peer_run(p, do_open_without_room, (long)posix, O_CREAT, 0600,
					     3, 0));
	EXPECT_VALUE(5, sem);
	EXPECT_EQ(sem, posix->sem_open("/s", 0));
	EXPECT_EQ(0, posix->sem_unlink("/s"));
	EXPECT_EQ(0, posix->sem_unlink("/first"));
}

TEST_F(sem, open_and_unlink)
{
	const struct posix *posix = variant->posix;
	sem_t *sem, *again, *other;

	EXPECT_FAILED(ENOENT, posix->sem_open("/s", 0));
	EXPECT_FAILED(ENOENT, posix->sem_open("/s", O_EXCL));
	EXPECT_ERR(ENOENT, posix->sem_unlink("/s"));
	sem = posix->sem_open("/s", O_CREAT | O_EXCL, 0600, 2);
	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_FAILED(EEXIST, posix->sem_open("/s", O_CREAT | O_EXCL, 0600, 2));
	EXPECT_VALUE(2, sem);
	/* The same one is at the same place, and counted. */
	again = posix->sem_open("/s", O_CREAT, 0, 7);
	EXPECT_EQ(sem, again);
	again = posix->sem_open("/s", 0);
	EXPECT_EQ(sem, again);
	EXPECT_EQ(0, posix->sem_close(sem));
	EXPECT_EQ(0, posix->sem_close(sem));
	EXPECT_EQ(0, posix->sem_wait(sem));
	EXPECT_VALUE(1, sem);

	/* Without its name it works on; another of that name is another. */
	EXPECT_EQ(0, posix->sem_unlink("/s"));
	EXPECT_ERR(ENOENT, posix->sem_unlink("/s"));
	EXPECT_FAILED(ENOENT, posix->sem_open("/s", 0));
	EXPECT_EQ(0, posix->sem_post(sem));
	other = posix->sem_open("/s", O_CREAT, 0600, 5);
	ASSERT_NE(SEM_FAILED, other);
	EXPECT_NE(sem, other);
	EXPECT_VALUE(2, sem);
	EXPECT_VALUE(5, other);
	EXPECT_EQ(0, posix->sem_close(sem));
	EXPECT_ERR(EINVAL, posix->sem_close(sem));
	EXPECT_EQ(0, posix->sem_unlink("/s"));
	EXPECT_EQ(0, posix->sem_close(other));
}

TEST_F(sem, names)
{
	const struct posix *posix = variant->posix;
	char name[300] = "/";
	sem_t *sem;

	EXPECT_FAILED(EINVAL, posix->sem_open("", O_CREAT, 0600, 0));
	EXPECT_FAILED(EINVAL, posix->sem_open("/", O_CREAT, 0600, 0));
	EXPECT_FAILED(EINVAL, posix->sem_open("/a/b", O_CREAT, 0600, 0));
	EXPECT_FAILED(EINVAL, posix->sem_open("a/", O_CREAT, 0600, 0));
	EXPECT_ERR(ENOENT, posix->sem_unlink(""));
	EXPECT_ERR(ENOENT, posix->sem_unlink("/"));
	EXPECT_ERR(ENOENT, posix->sem_unlink("/a/b"));
	memset(name + 1, 'n', 290);
	EXPECT_FAILED(posix == &posix_kipc ? ENAMETOOLONG : EINVAL,
		      posix->sem_open(name, O_CREAT, 0600, 0));
	EXPECT_EQ(-1, posix->sem_unlink(name));
	name[253] = '\0';
	EXPECT_FAILED(ENAMETOOLONG, posix->sem_open(name, O_CREAT, 0600, 0));
	EXPECT_ERR(ENAMETOOLONG, posix->sem_unlink(name));
	name[252] = '\0';
	sem = posix->sem_open(name, O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_EQ(0, posix->sem_close(sem));
	EXPECT_EQ(0, posix->sem_unlink(name));
	sem = posix->sem_open("//..", O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_EQ(0, posix->sem_close(sem));
	EXPECT_EQ(0, posix->sem_unlink(".."));
}

TEST_F(sem, values)
{
	const struct posix *posix = variant->posix;
	sem_t *sem;

	EXPECT_FAILED(EINVAL, posix->sem_open("/v", O_CREAT, 0600, (unsigned int)INT_MAX + 1));
	EXPECT_FAILED(EINVAL, posix->sem_open("/v", O_CREAT, 0600, UINT_MAX));
	sem = posix->sem_open("/v", O_CREAT, 0600, INT_MAX);
	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_VALUE(INT_MAX, sem);
	EXPECT_ERR(EOVERFLOW, posix->sem_post(sem));
	EXPECT_VALUE(INT_MAX, sem);
	EXPECT_EQ(0, posix->sem_trywait(sem));
	EXPECT_EQ(0, posix->sem_post(sem));
	EXPECT_VALUE(INT_MAX, sem);
	/* What is there already is opened, whatever value is given. */
	EXPECT_EQ(sem, posix->sem_open("/v", O_CREAT, 0600, UINT_MAX));
	EXPECT_EQ(0, posix->sem_unlink("/v"));

	sem = posix->sem_open("/v", O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_VALUE(0, sem);
	EXPECT_ERR(EAGAIN, posix->sem_trywait(sem));
	EXPECT_EQ(0, posix->sem_post(sem));
	EXPECT_EQ(0, posix->sem_post(sem));
	EXPECT_VALUE(2, sem);
	EXPECT_EQ(0, posix->sem_wait(sem));
	EXPECT_EQ(0, posix->sem_trywait(sem));
	EXPECT_ERR(EAGAIN, posix->sem_trywait(sem));
	EXPECT_EQ(0, posix->sem_unlink("/v"));
}

TEST_F(sem, wakes)
{
	const struct posix *posix = variant->posix;
	struct peer *p = self->p;
	sem_t *sem[3], *mine;
	int i;

	mine = posix->sem_open("/w", O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, mine);
	for (i = 0; i < 3; i++) {
		sem[i] = peer_open(&p[i], posix, "/w", 0, 0, 0);
		ASSERT_NE(SEM_FAILED, sem[i]);
		ASSERT_EQ(0, peer_wait_on(&p[i], posix, sem[i]));
		EXPECT_VALUE(0, mine);
	}
	/* One for each, and nobody goes without. */
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, posix->sem_post(mine));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, peer_finish(&p[i]));
	EXPECT_VALUE(0, mine);
	/* From a child to its parent, and back. */
	EXPECT_EQ(0, peer_run(&p[0], do_post, (long)posix, (long)sem[0], 0, 0, 0));
	EXPECT_EQ(0, posix->sem_wait(mine));
	EXPECT_EQ(0, posix->sem_unlink("/w"));

	/* Who sleeps does not mind the name's end. */
	ASSERT_EQ(0, peer_wait_on(&p[0], posix, sem[0]));
	EXPECT_EQ(0, posix->sem_post(mine));
	EXPECT_EQ(0, peer_finish(&p[0]));
	EXPECT_EQ(0, posix->sem_close(mine));
}

/* One that sleeps is killed: what comes then is another's. */
TEST_F(sem, sleeper_killed)
{
	const struct posix *posix = variant->posix;
	struct peer *p = self->p;
	sem_t *sem[2], *mine;
	int i;

	mine = posix->sem_open("/k", O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, mine);
	for (i = 0; i < 2; i++) {
		sem[i] = peer_open(&p[i], posix, "/k", 0, 0, 0);
		ASSERT_EQ(0, peer_wait_on(&p[i], posix, sem[i]));
	}
	peer_end(&p[0], SIGKILL);
	EXPECT_EQ(0, posix->sem_post(mine));
	EXPECT_EQ(0, peer_finish(&p[1]));
	EXPECT_VALUE(0, mine);
	EXPECT_EQ(0, posix->sem_post(mine));
	EXPECT_EQ(0, posix->sem_trywait(mine));
	EXPECT_EQ(0, posix->sem_unlink("/k"));
}

TEST_F(sem, times_out)
{
	const struct posix *posix = variant->posix;
	struct timespec long_ago = { .tv_sec = 1 }, bad = { .tv_nsec = 1000000000 }, soon;
	sem_t *sem = posix->sem_open("/t", O_CREAT, 0600, 1);
	unsigned int i;

	ASSERT_NE(SEM_FAILED, sem);
	/* What can be had is, however late it is. */
	EXPECT_EQ(0, posix->sem_timedwait(sem, &long_ago));
	EXPECT_ERR(ETIMEDOUT, posix->sem_timedwait(sem, &long_ago));
	EXPECT_ERR(ETIMEDOUT, posix->sem_clockwait(sem, CLOCK_MONOTONIC, &(struct timespec){}));
	EXPECT_ERR(ETIMEDOUT, posix->sem_timedwait(sem, &(struct timespec){ .tv_sec = -1 }));
	EXPECT_ERR(EINVAL, posix->sem_timedwait(sem, &bad));
	EXPECT_ERR(EINVAL, posix->sem_timedwait(sem, &(struct timespec){ .tv_nsec = -1 }));
	EXPECT_ERR(EINVAL, posix->sem_clockwait(sem, CLOCK_BOOTTIME, &long_ago));
	EXPECT_EQ(0, posix->sem_post(sem));
	EXPECT_ERR(EINVAL, posix->sem_timedwait(sem, &bad));
	EXPECT_ERR(EINVAL, posix->sem_clockwait(sem, 77, &long_ago));
	EXPECT_EQ(0, posix->sem_wait(sem));
	for (i = 0; i < 2; i++) {
		clock_gettime(i ? CLOCK_MONOTONIC : CLOCK_REALTIME, &soon);
		soon.tv_nsec += 20000000;
		soon.tv_sec += soon.tv_nsec / 1000000000;
		soon.tv_nsec %= 1000000000;
		EXPECT_ERR(ETIMEDOUT, i ? posix->sem_clockwait(sem, CLOCK_MONOTONIC, &soon) :
					  posix->sem_timedwait(sem, &soon));
	}
	EXPECT_VALUE(0, sem);
	EXPECT_EQ(0, posix->sem_unlink("/t"));
}

/* A handler that was to have calls begun again, and one that was not. */
TEST_F(sem, interrupted)
{
	const struct posix *posix = variant->posix;
	struct peer *p = self->p;
	sem_t *sem, *mine;

	mine = posix->sem_open("/i", O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, mine);
	sem = peer_open(&p[0], posix, "/i", 0, 0, 0);
	ASSERT_EQ(0, peer_catch(&p[0], SIGUSR1, 0));
	ASSERT_EQ(0, peer_catch(&p[0], SIGUSR2, SA_RESTART));
	ASSERT_EQ(0, peer_wait_on(&p[0], posix, sem));
	kill(p[0].pid, SIGUSR1);
	EXPECT_ERR(EINTR, peer_finish(&p[0]));

	ASSERT_EQ(0, peer_wait_on(&p[0], posix, sem));
	kill(p[0].pid, SIGUSR2);
	EXPECT_EQ(0, posix->sem_post(mine));
	EXPECT_EQ(0, peer_finish(&p[0]));

	ASSERT_EQ(0, peer_begin(&p[0], do_timedwait, (long)posix, (long)sem, CLOCK_REALTIME,
				1000, 0));
	ASSERT_EQ(0, peer_asleep(&p[0]));
	kill(p[0].pid, SIGUSR1);
	EXPECT_ERR(EINTR, peer_finish(&p[0]));
	ASSERT_EQ(0, peer_begin(&p[0], do_timedwait, (long)posix, (long)sem, CLOCK_MONOTONIC,
				1000, 0));
	ASSERT_EQ(0, peer_asleep(&p[0]));
	kill(p[0].pid, SIGUSR2);
	EXPECT_ERR(EINTR, peer_finish(&p[0]));
	ASSERT_EQ(0, peer_begin(&p[0], do_timedwait, (long)posix, (long)sem, CLOCK_MONOTONIC,
				1000, 0));
	ASSERT_EQ(0, peer_asleep(&p[0]));
	EXPECT_EQ(0, posix->sem_post(mine));
	EXPECT_EQ(0, peer_finish(&p[0]));
	EXPECT_VALUE(0, mine);
	EXPECT_EQ(0, posix->sem_unlink("/i"));
}

TEST_F(sem, permissions)
{
	static const mode_t modes[] = { 0, 0400, 0200, 0600, 0460, 0660, 0644, 0666, 0606, 0066 };
	const struct posix *posix = variant->posix;
	struct peer *p = self->p;
	unsigned int i, k;
	sem_t *sem;

	ASSERT_EQ(0, peer_become(&p[0], &alice));
	ASSERT_EQ(0, peer_become(&p[1], &bob));
	ASSERT_EQ(0, peer_become(&p[2], &other));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		sem = peer_open(&p[0], posix, "/p", O_CREAT | O_EXCL, modes[i], 1);
		ASSERT_NE(SEM_FAILED, sem);
		for (k = 0; k < 3; k++) {
			unsigned int has = (modes[i] & ~022) >> (6 - 3 * k) & 6;
			int err = peer_open(&p[k], posix, "/p", 0, 0, 0) ? 0 : errno;

			EXPECT_EQ(6 & ~has ? EACCES : 0, err)
				TH_LOG("mode %o, who %u", modes[i], k);
		}
		strcpy(p[1].page->buf, "/p");
		EXPECT_ERR(EACCES, peer_run(&p[1], do_unlink, (long)posix, 0, 0, 0, 0));
		strcpy(p[0].page->buf, "/p");
		EXPECT_EQ(0, peer_run(&p[0], do_unlink, (long)posix, 0, 0, 0, 0));
	}
	sem = peer_open(&p[0], posix, "/p", O_CREAT | O_EXCL, 0, 1);
	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_NE(SEM_FAILED, posix->sem_open("/p", 0));
	EXPECT_EQ(0, posix->sem_unlink("/p"));
}

/* Children have what their parents have opened. */
static int post_inherited(void *arg)
{
	void **what = arg;
	const struct posix *posix = what[0];

	return posix->sem_post(what[1]) || posix->sem_post(what[1]) ||
	       posix->sem_trywait(what[1]) || posix->sem_close(what[1]);
}

TEST_F(sem, inherited)
{
	const struct posix *posix = variant->posix;
	sem_t *sem = posix->sem_open("/f", O_CREAT, 0600, 0);
	void *what[] = { (void *)posix, sem };

	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_EQ(0, posix->sem_unlink("/f"));
	EXPECT_EQ(0, in_child(post_inherited, what));
	EXPECT_VALUE(1, sem);
	EXPECT_EQ(0, posix->sem_wait(sem));
	EXPECT_EQ(0, posix->sem_close(sem));
}

/* Two threads each in four processes: every unit is taken once. */
#define ROUNDS	3000

static void *pass(void *arg)
{
	void **what = arg;
	const struct posix *posix = what[0];
	long i;

	for (i = 0; i < ROUNDS; i++)
		if (posix->sem_wait(what[1]) || posix->sem_post(what[2]))
			return (void *)-1l;
	return NULL;
}

TEST_F_TIMEOUT(sem, many, 200)
{
	const struct posix *posix = variant->posix;
	sem_t *a = posix->sem_open("/a", O_CREAT, 0600, 3), *b = posix->sem_open("/b", O_CREAT, 0600, 0);
	void *there[] = { (void *)posix, a, b }, *back[] = { (void *)posix, b, a };

	ASSERT_NE(SEM_FAILED, a);
	ASSERT_NE(SEM_FAILED, b);
	ASSERT_EQ(0, pass_all(pass, there, back));
	EXPECT_VALUE(3, a);
	EXPECT_VALUE(0, b);
	EXPECT_EQ(0, posix->sem_unlink("/a"));
	EXPECT_EQ(0, posix->sem_unlink("/b"));
}

/* ---- What kipc adds ---- */

KIPC_FIXTURE(extension);

/* Whoever came first is served first, and nobody takes what was handed to another. */
TEST_F(extension, handed_over)
{
	sem_t *sem = kipc_sem_open("/h", O_CREAT, 0600, 0), *its;
	int i;

	ASSERT_NE(SEM_FAILED, sem);
	its = peer_open(&self->p, &posix_kipc, "/h", 0, 0, 0);
	ASSERT_NE(SEM_FAILED, its);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, peer_wait_on(&self->p, &posix_kipc, its));
		EXPECT_EQ(0, kipc_sem_post(sem));
		EXPECT_ERR(EAGAIN, kipc_sem_trywait(sem));
		EXPECT_EQ(0, peer_finish(&self->p));
	}
	EXPECT_EQ(0, kipc_sem_unlink("/h"));
}

static int name_open(int device, const char *name, unsigned int kind, int flags, uint64_t size)
{
	struct kipc_name_open open = {
		.name = (uintptr_t)name, .kind = kind, .flags = flags, .mode = 0600, .size = size,
	};

	return ioctl(device, KIPC_IOC_NAME_OPEN, &open);
}

/* A descriptor of it is read, written and polled; what it sees is told. */
TEST_F(extension, descriptor)
{
	int device = device_open(), fd, reader;
	struct pollfd ready = { .events = POLLIN | POLLOUT };
	sem_t *sem = kipc_sem_open("/d", O_CREAT, 0600, 0);
	uint64_t n = 2;

	ASSERT_NE(SEM_FAILED, sem);
	fd = name_open(device, "d", KIPC_KIND_POSIX_SEM, O_RDWR | O_NONBLOCK, 0);
	ASSERT_LE(0, fd);
	reader = name_open(device, "d", KIPC_KIND_POSIX_SEM, O_RDONLY | O_NONBLOCK, 0);
	ASSERT_LE(0, reader);
	ready.fd = fd;
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLOUT, ready.revents);
	EXPECT_ERR(EAGAIN, read(fd, &n, sizeof(n)));
	EXPECT_EQ(0, kipc_sem_post(sem));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, ready.revents);
	/* Who may only read may look. */
	EXPECT_ERR(EACCES, read(reader, &n, sizeof(n)));
	EXPECT_ERR(EBADF, write(reader, &n, sizeof(n)));
	EXPECT_EQ(8, read(fd, &n, sizeof(n)));
	EXPECT_EQ(1, n);
	n = 2;
	EXPECT_EQ(8, write(fd, &n, sizeof(n)));
	n = 0;
	EXPECT_ERR(EINVAL, write(fd, &n, sizeof(n)));
	n = 1ull << 31;
	EXPECT_ERR(EINVAL, write(fd, &n, sizeof(n)));
	n = INT_MAX;
	EXPECT_ERR(EOVERFLOW, write(fd, &n, sizeof(n)));
	EXPECT_ERR(EFAULT, read(fd, bad_address(0), sizeof(n)));
	EXPECT_EQ(0, kipc_sem_wait(sem));
	EXPECT_EQ(0, kipc_sem_wait(sem));
	EXPECT_ERR(EAGAIN, kipc_sem_trywait(sem));

	/* Only as what it was opened for. */
	EXPECT_ERR(EACCES, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0));
	EXPECT_ERR(EINVAL, mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	EXPECT_ERR(EINVAL, mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	EXPECT_ERR(EINVAL, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE));
	close(fd);
	close(reader);
	close(device);
	EXPECT_EQ(0, kipc_sem_unlink("/d"));
}

/* Somebody polls while it is posted from user space. */
TEST_F(extension, polled)
{
	sem_t *sem = kipc_sem_open("/q", O_CREAT, 0600, 0), *its;
	struct pollfd ready = { .events = POLLIN };
	int device = device_open(), i;

	ASSERT_NE(SEM_FAILED, sem);
	its = peer_open(&self->p, &posix_kipc, "/q", 0, 0, 0);
	ASSERT_NE(SEM_FAILED, its);
	ready.fd = name_open(device, "q", KIPC_KIND_POSIX_SEM, O_RDWR, 0);
	ASSERT_LE(0, ready.fd);
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, peer_begin(&self->p, do_post, (long)&posix_kipc, (long)its, 0, 0, 0));
		EXPECT_EQ(1, poll(&ready, 1, -1));
		EXPECT_EQ(0, peer_finish(&self->p));
		EXPECT_EQ(0, kipc_sem_trywait(sem));
	}
	close(ready.fd);
	close(device);
	EXPECT_EQ(0, kipc_sem_unlink("/q"));
}

/* What is no semaphore of ours, and calls past the library. */
TEST_F(extension, bad_calls)
{
	struct kipc_posix_sem_op op = { .op = KIPC_POSIX_SEM_POST };
	struct timespec late = { .tv_sec = 1 };
	int device = device_open(), value, fd;
	sem_t *sem, foreign;
	char *reader;

	ASSERT_LE(0, device);
	EXPECT_EQ(0, sem_init(&foreign, 0, 1));
	EXPECT_ERR(EINVAL, kipc_sem_wait(&foreign));
	EXPECT_ERR(EINVAL, kipc_sem_trywait(&foreign));
	EXPECT_ERR(EINVAL, kipc_sem_post(&foreign));
	EXPECT_ERR(EINVAL, kipc_sem_timedwait(&foreign, &late));
	EXPECT_ERR(EINVAL, kipc_sem_getvalue(&foreign, &value));
	EXPECT_ERR(EINVAL, kipc_sem_close(&foreign));
	EXPECT_EQ(0, sem_wait(&foreign));

	sem = kipc_sem_open("/b", O_CREAT, 0600, 1);
	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_ERR(EINVAL, kipc_sem_close(sem + 1));
	op.addr = (uintptr_t)sem;
	EXPECT_EQ(0, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.addr = (uintptr_t)&foreign;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.addr = 0;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.addr = (uintptr_t)sem + 4;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.addr = ~0ull;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.addr = (uintptr_t)sem;
	op.op = 3;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.op = KIPC_POSIX_SEM_TRYWAIT;
	op.taken = 1;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.taken = 0;
	op.timeout = (uintptr_t)&late;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.op = KIPC_POSIX_SEM_WAIT;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.flags = KIPC_TIMEOUT_ABSOLUTE;
	op.clock = 77;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	op.clock = CLOCK_REALTIME;
	op.timeout = (uintptr_t)bad_address(1);
	EXPECT_ERR(EFAULT, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	EXPECT_EQ(0, kipc_sem_getvalue(sem, &value));
	EXPECT_EQ(2, value);

	/* Mapped to be looked at it cannot be operated on, nor made so. */
	fd = name_open(device, "b", KIPC_KIND_POSIX_SEM, O_RDONLY, 0);
	ASSERT_LE(0, fd);
	reader = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)reader);
	EXPECT_ERR(EACCES, mprotect(reader, PAGE, PROT_READ | PROT_WRITE));
	op = (struct kipc_posix_sem_op){ .addr = (uintptr_t)reader, .op = KIPC_POSIX_SEM_POST };
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_POSIX_SEM_OP, &op));
	munmap(reader, PAGE);
	close(fd);
	EXPECT_ERR(EINVAL, name_open(device, "c", KIPC_KIND_POSIX_SEM, O_RDWR | O_CREAT,
				     1ull << 31));
	EXPECT_ERR(EINVAL, name_open(device, "c", KIPC_KIND_POSIX_SEM, O_RDWR | O_TRUNC, 0));
	EXPECT_EQ(0, kipc_sem_close(sem));
	EXPECT_EQ(0, kipc_sem_unlink("/b"));
	close(device);
}

/* A hostile process writes what it likes: it may have more or less, and others go on. */
TEST_F(extension, scribbled)
{
	static const uint32_t words[] = { 0, 1, 5, KIPC_POSIX_SEM_VALUE, KIPC_POSIX_SEM_HELD,
					  ~0u, KIPC_POSIX_SEM_HELD | 3 };
	sem_t *sem = kipc_sem_open("/x", O_CREAT, 0600, 0), *its;
	unsigned int i;
	int value;

	ASSERT_NE(SEM_FAILED, sem);
	its = peer_open(&self->p, &posix_kipc, "/x", 0, 0, 0);
	ASSERT_NE(SEM_FAILED, its);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		ASSERT_EQ(0, peer_wait_on(&self->p, &posix_kipc, its));
		__atomic_store_n((uint32_t *)(void *)sem, words[i], __ATOMIC_SEQ_CST);
		/* Any call of the kernel's finds it, and sees to who sleeps. */
		if (kipc_sem_trywait(sem) && errno != EAGAIN)
			EXPECT_EQ(0, errno);
		while (peer_asleep(&self->p) == 0) {
			__atomic_store_n((uint32_t *)(void *)sem, KIPC_POSIX_SEM_HELD,
					 __ATOMIC_SEQ_CST);
			EXPECT_EQ(0, kipc_sem_post(sem));
			break;
		}
		EXPECT_EQ(0, peer_finish(&self->p));
		__atomic_store_n((uint32_t *)(void *)sem, 0, __ATOMIC_SEQ_CST);
		EXPECT_ERR(EAGAIN, kipc_sem_trywait(sem));
		EXPECT_EQ(0, kipc_sem_getvalue(sem, &value));
		EXPECT_EQ(0, value);
	}
	EXPECT_EQ(0, kipc_sem_unlink("/x"));
}

/* What a process drops of its own mapping comes back; another's value is not shown. */
static int look_at_names(void *arg)
{
	char line[200] = "", *at = arg;
	FILE *f;

	if (become(&alice))
		return 1;
	f = fopen("/proc/kipc/names", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, at))
			return strstr(line, "  4711 ") ? 2 : 0;
	return 3;
}

TEST_F(extension, kept_and_kept_to_itself)
{
	sem_t *sem = kipc_sem_open("/secret", O_CREAT, 0600, 4711);
	int value = 0;

	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_EQ(0, madvise(sem, PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, kipc_sem_getvalue(sem, &value));
	EXPECT_EQ(4711, value);
	EXPECT_EQ(0, in_child(look_at_names, "/secret"));
	EXPECT_EQ(0, kipc_sem_unlink("/secret"));
}

/* A unit that was handed to one who is killed before it runs again is the next one's. */
TEST_F(extension, handed_to_the_dying)
{
	sem_t *sem = kipc_sem_open("/y", O_CREAT, 0600, 0), *its;
	int i, value = -1;

	ASSERT_NE(SEM_FAILED, sem);
	for (i = 0; i < 50; i++) {
		peer_end(&self->p, SIGKILL);
		ASSERT_EQ(0, peer_start(&self->p));
		its = peer_open(&self->p, &posix_kipc, "/y", 0, 0, 0);
		ASSERT_NE(SEM_FAILED, its);
		ASSERT_EQ(0, peer_wait_on(&self->p, &posix_kipc, its));
		/* Both before it can run, as a rule. */
		kill(self->p.pid, SIGSTOP);
		EXPECT_EQ(0, kipc_sem_post(sem));
		kill(self->p.pid, SIGKILL);
		EXPECT_EQ(-1, peer_finish(&self->p));
		wait_until(!kipc_sem_getvalue(sem, &value) && value == 1);
		EXPECT_EQ(0, kipc_sem_trywait(sem));
	}
	EXPECT_EQ(0, kipc_sem_unlink("/y"));
}

/* In another namespace it is another; what is open stays open. */
TEST_F(extension, another_namespace)
{
	sem_t *sem = kipc_sem_open("/n", O_CREAT, 0600, 0);

	ASSERT_NE(SEM_FAILED, sem);
	EXPECT_EQ(0, kipc_sem_unlink("/n"));
	sem = kipc_sem_open("/n", O_CREAT, 0600, 0);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_FAILED(ENOENT, kipc_sem_open("/n", 0));
	EXPECT_EQ(0, kipc_sem_post(sem));
	EXPECT_EQ(0, kipc_sem_wait(sem));
	EXPECT_ERR(EAGAIN, kipc_sem_trywait(sem));
	EXPECT_EQ(0, kipc_sem_close(sem));
}

TEST_HARNESS_MAIN

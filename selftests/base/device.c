// SPDX-License-Identifier: GPL-2.0
/* The device by its ABI: numbers, sizes, padding, and what a descriptor carries. */
#include "common/harness.h"
#include "common/device.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* The same call with a structure of another size. */
#define RESIZED(cmd, size)	_IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), (size))

/* All that have a structure. */
static const unsigned int cmds[] = {
	KIPC_IOC_QUERY, KIPC_IOC_LIMIT, KIPC_IOC_PROCESS_MAP, KIPC_IOC_WAIT_ANY,
	KIPC_IOC_SHM_GET, KIPC_IOC_SHM_ATTACH, KIPC_IOC_SHM_DETACH, KIPC_IOC_SHM_CTL,
	KIPC_IOC_SEM_GET, KIPC_IOC_SEM_OP, KIPC_IOC_SEM_CTL, KIPC_IOC_SEM_MAP,
	KIPC_IOC_MSG_GET, KIPC_IOC_MSG_SEND, KIPC_IOC_MSG_RECEIVE, KIPC_IOC_MSG_CTL,
	KIPC_IOC_HANDLE_OPEN, KIPC_IOC_HANDLE_CREATE,
	KIPC_IOC_SHM_ADOPT, KIPC_IOC_SHM_EXPORT, KIPC_IOC_NAME_OPEN, KIPC_IOC_NAME_UNLINK,
	KIPC_IOC_POSIX_SEM_OP, KIPC_IOC_NAME_ADOPT,
};

FIXTURE(device) {
	int fd;
};

FIXTURE_SETUP(device)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(device)
{
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, shm_rows(&ipc_native, NULL, 0));
}

static const struct who user = { .name = "user", .uid = 1000, .gid = 1000, .group = -1 };

static int open_and_query(void *arg)
{
	struct kipc_query q = {};
	int fd;

	(void)arg;
	if (become(&user))
		return 1;
	fd = device_open();
	if (fd < 0)
		return 2;
	return ioctl(fd, KIPC_IOC_QUERY, &q) ? 3 : 0;
}

TEST_F(device, node)
{
	struct stat st;

	ASSERT_EQ(0, stat(KIPC_DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0666, st.st_mode & 0777);
	EXPECT_EQ(0, in_child(open_and_query, NULL));
}

static bool has_uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) != -1 || errno != ENOSYS;
}

TEST_F(device, query)
{
	struct kipc_query q;

	memset(&q, POISON, sizeof(q));
	q.pad = 0;
	ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_QUERY, &q));
	EXPECT_EQ(KIPC_ABI_VERSION, q.abi);
	EXPECT_EQ(0, q.pad);
	EXPECT_EQ(KIPC_FEATURE_SHM, q.features & KIPC_FEATURE_SHM);
	EXPECT_EQ(KIPC_FEATURE_LIFETIME_CREATOR, q.features & KIPC_FEATURE_LIFETIME_CREATOR);
	EXPECT_EQ(KIPC_FEATURE_SEM, q.features & KIPC_FEATURE_SEM);
	EXPECT_EQ(KIPC_FEATURE_MSG, q.features & KIPC_FEATURE_MSG);
	EXPECT_EQ(KIPC_FEATURE_HANDLE, q.features & KIPC_FEATURE_HANDLE);
	EXPECT_EQ(KIPC_FEATURE_HANDLE_NOTIFY, q.features & KIPC_FEATURE_HANDLE_NOTIFY);
	EXPECT_EQ(KIPC_FEATURE_SEM_OWNER, q.features & KIPC_FEATURE_SEM_OWNER);
	EXPECT_EQ(KIPC_FEATURE_LIFETIME_USERS, q.features & KIPC_FEATURE_LIFETIME_USERS);
	EXPECT_EQ(KIPC_FEATURE_POSIX_SHM, q.features & KIPC_FEATURE_POSIX_SHM);
	EXPECT_EQ(KIPC_FEATURE_HANDLE_PUBLISH, q.features & KIPC_FEATURE_HANDLE_PUBLISH);
	EXPECT_EQ(KIPC_FEATURE_SHM_MEMFD, q.features & KIPC_FEATURE_SHM_MEMFD);
	EXPECT_EQ(KIPC_FEATURE_NAME_ADOPT, q.features & KIPC_FEATURE_NAME_ADOPT);
	EXPECT_EQ(KIPC_FEATURE_POSIX_SEM, q.features & KIPC_FEATURE_POSIX_SEM);
	EXPECT_EQ(KIPC_FEATURE_POSIX_MQ, q.features & KIPC_FEATURE_POSIX_MQ);
	EXPECT_EQ(KIPC_FEATURE_STREAM, q.features & KIPC_FEATURE_STREAM);
	/* If the kernel has io_uring at all. */
	EXPECT_EQ(has_uring() ? KIPC_FEATURE_URING : 0, q.features & KIPC_FEATURE_URING);
	/* Nothing that this header does not name. */
	EXPECT_EQ(0, q.features & ~(KIPC_FEATURE_SHM | KIPC_FEATURE_SHM_HUGETLB |
				    KIPC_FEATURE_LIFETIME_CREATOR | KIPC_FEATURE_SEM |
				    KIPC_FEATURE_SEM_MAP | KIPC_FEATURE_MSG |
				    KIPC_FEATURE_HANDLE | KIPC_FEATURE_LIFETIME_USERS |
				    KIPC_FEATURE_HANDLE_NOTIFY | KIPC_FEATURE_URING |
				    KIPC_FEATURE_SEM_OWNER | KIPC_FEATURE_POSIX_SHM |
				    KIPC_FEATURE_POSIX_SEM | KIPC_FEATURE_POSIX_MQ |
				    KIPC_FEATURE_SHM_MEMFD | KIPC_FEATURE_HANDLE_PUBLISH |
				    KIPC_FEATURE_NAME_ADOPT | KIPC_FEATURE_STREAM));
	EXPECT_NE(NULL, memchr(q.release, 0, sizeof(q.release)));
	EXPECT_NE(0, q.release[0]);
}

/* The feature bit tells the truth about huge pages. */
TEST_F(device, hugetlb_feature)
{
	struct kipc_query q = {};
	int id;

	ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_QUERY, &q));
	id = ipc_kipc.shmget(IPC_PRIVATE, 1, SHM_HUGETLB | SHM_NORESERVE | 0600);
	EXPECT_EQ(!!(q.features & KIPC_FEATURE_SHM_HUGETLB), id >= 0);
}

TEST_F(device, padding)
{
	struct kipc_query q = { .pad = 1 };
	struct kipc_shm_get get = { .key = IPC_PRIVATE, .size = PAGE, .flags = 0600, .pad = 1 };

	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_QUERY, &q));
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_GET, &get));
	get.pad = 0x80000000;
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_GET, &get));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/*
 * Shorter than the first version of a structure is nobody's: refused, nothing done,
 * nothing written.
 */
TEST_F(device, shorter)
{
	unsigned char buf[64], zero[64] = {};
	unsigned int c, size;

	for (c = 0; c < ARRAY_SIZE(cmds); c++)
		for (size = 0; size < _IOC_SIZE(cmds[c]); size++) {
			memset(buf, 0, sizeof(buf));
			EXPECT_ERR(EINVAL, ioctl(self->fd, RESIZED(cmds[c], size), buf));
			EXPECT_EQ(0, memcmp(buf, zero, sizeof(buf)));
		}
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* A newer caller: good as long as it asks for nothing that the module does not know. */
TEST_F(device, longer)
{
	static const unsigned int sizes[] = { 1, 8, 64, 1024, 3000 };
	struct kipc_shm_get get = { .key = 5, .size = PAGE, .flags = IPC_CREAT | 0600 };
	struct kipc_shm_attach *at;
	static unsigned char buf[8192];
	unsigned int i, c;
	int id;

	id = ioctl(self->fd, KIPC_IOC_SHM_GET, &get);
	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned int n = sizeof(get) + sizes[i], m;

		memset(buf, 0, sizeof(buf));
		memcpy(buf, &get, sizeof(get));
		EXPECT_EQ(id, ioctl(self->fd, RESIZED(KIPC_IOC_SHM_GET, n), buf));
		buf[n - 1] = 1;
		EXPECT_ERR(E2BIG, ioctl(self->fd, RESIZED(KIPC_IOC_SHM_GET, n), buf));
		buf[n - 1] = 0;
		buf[sizeof(get)] = 1;
		EXPECT_ERR(E2BIG, ioctl(self->fd, RESIZED(KIPC_IOC_SHM_GET, n), buf));

		memset(buf, 0, sizeof(buf));
		at = (void *)buf;
		at->id = id;
		m = sizeof(*at) + sizes[i];
		EXPECT_EQ(0, ioctl(self->fd, RESIZED(KIPC_IOC_SHM_ATTACH, m), buf));
		EXPECT_EQ(0, probe_write((void *)at->addr));
		EXPECT_EQ(0, ipc_kipc.shmdt((void *)at->addr));
	}
	/* Every call alike, and before it does anything. */
	for (c = 0; c < ARRAY_SIZE(cmds); c++) {
		unsigned int n = _IOC_SIZE(cmds[c]);

		memset(buf, 0, sizeof(buf));
		buf[n + 7] = 1;
		EXPECT_ERR(E2BIG, ioctl(self->fd, RESIZED(cmds[c], n + 8), buf));
	}
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, id));
	EXPECT_EQ(1, shm_rows(&ipc_kipc, NULL, 0));
}

/* All numbers that stand for nothing. */
TEST_F(device, unknown_numbers)
{
	static const unsigned int known[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
					      0x20, 0x21, 0x22, 0x23,
					      0x30, 0x31, 0x32, 0x33, 0x40, 0x41,
					      0x50, 0x51, 0x52, 0x53 };
	static unsigned char buf[16384];
	unsigned int nr, i, dir, size;

	for (nr = 0; nr < 256; nr++) {
		bool skip = false;

		for (i = 0; i < ARRAY_SIZE(known); i++)
			skip |= known[i] == nr;
		for (dir = 0; dir < 4 && !skip; dir++)
			for (size = 0; size < 64; size += 8) {
				unsigned long cmd = _IOC(dir, KIPC_IOC_TYPE, nr, size);

				EXPECT_ERR(ENOTTY, ioctl(self->fd, cmd, buf));
			}
	}
	/* Numbers of ours under another type, FIGETBSZ's type included. */
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		EXPECT_ERR(ENOTTY, ioctl(self->fd, _IOC(3, 0xd6, known[i], 16), buf));
		EXPECT_ERR(ENOTTY, ioctl(self->fd, _IOC(3, 0xff, known[i], 16), buf));
	}
	EXPECT_EQ(-1, ioctl(self->fd, 0, buf));
	EXPECT_EQ(-1, ioctl(self->fd, 0xffffffff, buf));
	/* TCGETS: what isatty() asks. */
	EXPECT_ERR(ENOTTY, ioctl(self->fd, 0x5401, buf));
}

TEST_F(device, bad_pointers)
{
	static const unsigned long ptrs[] = { 0, 1, 0xffff888000000000ul, ~0ul - 7,
					      0x7ffffffff000ul };
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int c, i;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p + PAGE, PAGE));
	for (c = 0; c < ARRAY_SIZE(cmds); c++) {
		for (i = 0; i < ARRAY_SIZE(ptrs); i++)
			EXPECT_ERR(EFAULT, ioctl(self->fd, cmds[c], ptrs[i]));
		EXPECT_ERR(EFAULT, ioctl(self->fd, cmds[c], p + PAGE - _IOC_SIZE(cmds[c]) + 1));
	}
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* The answer of an attach goes where nothing may be written: the attachment is undone. */
TEST_F(device, answer_has_no_place)
{
	struct kipc_shm_attach *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kipc_query *q = (void *)at;
	int id = ipc_kipc.shmget(IPC_PRIVATE, PAGE, 0600), i;

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, at);
	at->id = id;
	ASSERT_EQ(0, mprotect(at, PAGE, PROT_READ));
	for (i = 0; i < 10; i++)
		EXPECT_ERR(EFAULT, ioctl(self->fd, KIPC_IOC_SHM_ATTACH, at));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, id));
	ASSERT_EQ(0, mprotect(at, PAGE, PROT_READ | PROT_WRITE));
	memset(q, 0, sizeof(*q));
	ASSERT_EQ(0, mprotect(at, PAGE, PROT_READ));
	EXPECT_ERR(EFAULT, ioctl(self->fd, KIPC_IOC_QUERY, q));
}

TEST_F(device, lifetimes)
{
	struct kipc_shm_get get = { .key = 6, .size = PAGE, .flags = IPC_CREAT | 0600 };
	unsigned int i;
	int id;

	for (i = 4; i; i <<= 1) {
		get.lifetime = i;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_GET, &get));
	}
	get.lifetime = -1;
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_GET, &get));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
	get.lifetime = KIPC_LIFETIME_CREATOR;
	id = ioctl(self->fd, KIPC_IOC_SHM_GET, &get);
	EXPECT_LE(0, id);
	/* Of what is there already the lifetime is nobody's to say, but must be one. */
	get.lifetime = KIPC_LIFETIME_PERSISTENT;
	EXPECT_EQ(id, ioctl(self->fd, KIPC_IOC_SHM_GET, &get));
	get.lifetime = KIPC_LIFETIME_USERS + 1;
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_GET, &get));
}

/* The short way in does what the ioctl does, and nothing else. */
static int advise(int fd, unsigned int flags, int key, size_t size, int which)
{
	/* As a program gives advice: the error is the result. */
	return posix_fadvise(fd, (off_t)((uint64_t)flags << 32 | (uint32_t)key), size, which);
}

static long raw_call(int fd, unsigned int flags, int key, size_t size, int which)
{
	return syscall(SYS_fadvise64, fd, (uint64_t)flags << 32 | (uint32_t)key, size, which);
}

static int call_as_user(void *arg)
{
	int fd = *(int *)arg;

	if (become(&user))
		return 1;
	if (raw_call(fd, 0, 0x66, 0, KIPC_CALL_SHM_GET) < 0)
		return 2;
	if (raw_call(fd, 0400, 0x66, 0, KIPC_CALL_SHM_GET) != -1 || errno != EACCES)
		return 3;
	return 0;
}

TEST_F(device, short_calls)
{
	int ro = open(KIPC_DEVICE, O_RDONLY | O_CLOEXEC), which;
	long id = raw_call(self->fd, IPC_CREAT | IPC_EXCL | 0600, 0x66, 5000, KIPC_CALL_SHM_GET);
	struct shmid_ds ds;

	ASSERT_LE(0, ro);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, shm_stat(&ipc_kipc, id, &ds));
	EXPECT_EQ(0x66, ds.shm_perm.__key);
	EXPECT_EQ(5000, ds.shm_segsz);
	EXPECT_EQ(0600, ds.shm_perm.mode);
	EXPECT_EQ(id, ipc_kipc.shmget(0x66, 0, 0));
	EXPECT_EQ(id, raw_call(ro, 0, 0x66, 5000, KIPC_CALL_SHM_GET));
	EXPECT_ERR(EINVAL, raw_call(self->fd, 0, 0x66, 5001, KIPC_CALL_SHM_GET));
	EXPECT_ERR(ENOENT, raw_call(self->fd, 0, 0x67, 1, KIPC_CALL_SHM_GET));
	EXPECT_ERR(EEXIST, raw_call(self->fd, IPC_CREAT | IPC_EXCL, 0x66, 1, KIPC_CALL_SHM_GET));
	/* Keys and sizes with the uppermost bit set. */
	EXPECT_ERR(ENOENT, raw_call(self->fd, 0, -5, 1, KIPC_CALL_SHM_GET));
	EXPECT_LE(0, raw_call(self->fd, IPC_CREAT | 0600, -5, 1, KIPC_CALL_SHM_GET));
	EXPECT_ERR(EINVAL, raw_call(self->fd, 0600, IPC_PRIVATE, SIZE_MAX, KIPC_CALL_SHM_GET));
	EXPECT_ERR(EINVAL, raw_call(self->fd, 0600, IPC_PRIVATE, 0, KIPC_CALL_SHM_GET));
	EXPECT_EQ(0, in_child(call_as_user, &self->fd));
	/* Real advice, and numbers next to ours. */
	for (which = -2; which < 10; which++)
		EXPECT_EQ(EINVAL, advise(self->fd, 0600, 0, PAGE, which));
	EXPECT_EQ(EINVAL, advise(self->fd, 0600, 0, PAGE, KIPC_CALL_SHM_GET - 1));
	EXPECT_EQ(EINVAL, advise(self->fd, 0600, 0, PAGE, KIPC_CALL_MSG_GET + 1));
	EXPECT_EQ(2, shm_rows(&ipc_kipc, NULL, 0));
	close(ro);
}

TEST_F(device, shm_calls)
{
	struct kipc_shm_get get = { .key = 7, .size = 3 * PAGE, .flags = IPC_CREAT | 0640 };
	struct kipc_shm_attach at = { .addr = 0 };
	struct kipc_shm_detach dt;
	struct shmid_ds ds;
	struct kipc_shm_ctl ctl = { .cmd = IPC_STAT, .buf = (uintptr_t)&ds };
	int id;

	id = ioctl(self->fd, KIPC_IOC_SHM_GET, &get);
	ASSERT_LE(0, id);
	at.id = ctl.id = id;
	ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_SHM_ATTACH, &at));
	EXPECT_NE(0, at.addr);
	EXPECT_EQ(id, at.id);
	EXPECT_EQ(0, probe_write((void *)(at.addr + 3 * PAGE - 1)));
	memset(&ds, POISON, sizeof(ds));
	ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_SHM_CTL, &ctl));
	EXPECT_EQ(3 * PAGE, ds.shm_segsz);
	EXPECT_EQ(1, ds.shm_nattch);
	EXPECT_EQ(7, ds.shm_perm.__key);
	EXPECT_EQ(0640, ds.shm_perm.mode);
	dt.addr = at.addr + PAGE;
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_DETACH, &dt));
	dt.addr = at.addr;
	EXPECT_EQ(0, ioctl(self->fd, KIPC_IOC_SHM_DETACH, &dt));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, id));
	ctl.cmd = IPC_RMID;
	EXPECT_EQ(0, ioctl(self->fd, KIPC_IOC_SHM_CTL, &ctl));
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_CTL, &ctl));
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_ATTACH, &at));
}

TEST_F(device, limits)
{
	static const struct {
		unsigned int limit;
		const char *name;
		uint64_t good, bad;
	} l[] = {
		{ KIPC_LIMIT_SHMMAX, "shmmax", 123456, 0 },
		{ KIPC_LIMIT_SHMALL, "shmall", 234567, 0 },
		{ KIPC_LIMIT_SHMMNI, "shmmni", 4000, (1 << 24) + 1 },
		{ KIPC_LIMIT_SHM_RMID_FORCED, "shm_rmid_forced", 1, 2 },
		{ KIPC_LIMIT_SHM_NEXT_ID, "shm_next_id", 17, 1ull << 31 },
		{ KIPC_LIMIT_MSGMAX, "msgmax", 5000, 1ull << 31 },
		{ KIPC_LIMIT_MSGMNB, "msgmnb", 50000, 1ull << 31 },
		{ KIPC_LIMIT_MSGMNI, "msgmni", 300, (1 << 24) + 1 },
		{ KIPC_LIMIT_MSG_NEXT_ID, "msg_next_id", 18, 1ull << 31 },
		{ KIPC_LIMIT_MQ_QUEUES, "queues_max", 30, 1ull << 31 },
		{ KIPC_LIMIT_MQ_MSG, "msg_max", 31, 65537 },
		{ KIPC_LIMIT_MQ_MSGSIZE, "msgsize_max", 320, 127 },
		{ KIPC_LIMIT_MQ_MSG_DEFAULT, "msg_default", 33, 65537 },
		{ KIPC_LIMIT_MQ_MSGSIZE_DEFAULT, "msgsize_default", 340, (1 << 24) + 1 },
	};
	struct kipc_limit lim;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(l); i++) {
		lim = (struct kipc_limit){ .limit = l[i].limit, .value = 0xa5a5a5a5a5a5a5a5 };
		ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
		EXPECT_EQ((uint64_t)ipc_limit_get(&ipc_kipc, l[i].name), lim.value)
			TH_LOG("%s", l[i].name);
		lim = (struct kipc_limit){ .limit = l[i].limit, .flags = KIPC_LIMIT_SET,
					   .value = l[i].good };
		ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
		EXPECT_EQ(l[i].good, lim.value);
		EXPECT_EQ((long long)l[i].good, ipc_limit_get(&ipc_kipc, l[i].name));
		if (l[i].bad) {
			lim.value = l[i].bad;
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
			lim.value = ~0ull - 5;
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
		}
		EXPECT_EQ((long long)l[i].good, ipc_limit_get(&ipc_kipc, l[i].name));
	}
	for (i = 1; i; i <<= 1) {
		lim = (struct kipc_limit){ .limit = KIPC_LIMIT_SHMMNI, .flags = i | 2, .value = 9 };
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
	}
	lim = (struct kipc_limit){ .limit = KIPC_LIMIT_MQ_MSGSIZE_DEFAULT + 1 };
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
	lim.limit = ~0u;
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
	EXPECT_EQ(4000, ipc_limit_get(&ipc_kipc, "shmmni"));
}

/* The four of semaphores are one file; the fifth has its own. */
TEST_F(device, sem_limits)
{
	static const struct { unsigned int limit; int which; uint64_t good, bad; } l[] = {
		{ KIPC_LIMIT_SEMMSL, SEMMSL_LIMIT, 1234, 1ull << 31 },
		{ KIPC_LIMIT_SEMMNS, SEMMNS_LIMIT, 2345, 1ull << 31 },
		{ KIPC_LIMIT_SEMOPM, SEMOPM_LIMIT, 345, 1ull << 31 },
		{ KIPC_LIMIT_SEMMNI, SEMMNI_LIMIT, 456, (1 << 24) + 1 },
	};
	struct kipc_limit lim;
	long v[SEM_LIMITS];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(l); i++) {
		ASSERT_EQ(0, sem_limits_get(&ipc_kipc, v));
		lim = (struct kipc_limit){ .limit = l[i].limit, .value = 77 };
		ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
		EXPECT_EQ((uint64_t)v[l[i].which], lim.value);
		lim = (struct kipc_limit){ .limit = l[i].limit, .flags = KIPC_LIMIT_SET,
					   .value = l[i].good };
		ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
		EXPECT_EQ(l[i].good, lim.value);
		lim.value = l[i].bad;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
		lim.value = 1ull << 40;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
		ASSERT_EQ(0, sem_limits_get(&ipc_kipc, v));
		EXPECT_EQ((long)l[i].good, v[l[i].which]);
	}
	lim = (struct kipc_limit){ .limit = KIPC_LIMIT_SEM_NEXT_ID, .flags = KIPC_LIMIT_SET,
				   .value = 888 };
	ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_LIMIT, &lim));
	EXPECT_EQ(888, ipc_kipc.semget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(0, sem_rmid(&ipc_kipc, 888));
}

static int limit_as_user(void *arg)
{
	struct kipc_limit lim = { .limit = KIPC_LIMIT_SHMMNI };
	int fd = *(int *)arg;

	if (become(&user))
		return 1;
	if (ioctl(fd, KIPC_IOC_LIMIT, &lim) || lim.value != 4096)
		return 2;
	lim.flags = KIPC_LIMIT_SET;
	lim.value = 5;
	if (!ioctl(fd, KIPC_IOC_LIMIT, &lim) || errno != EPERM)
		return 3;
	lim.limit = KIPC_LIMIT_SHM_NEXT_ID;
	if (!ioctl(fd, KIPC_IOC_LIMIT, &lim) || errno != EPERM)
		return 4;
	return 0;
}

/* root opened it: whoever uses it is asked who he is himself. */
TEST_F(device, limits_permission)
{
	EXPECT_EQ(0, in_child(limit_as_user, &self->fd));
	EXPECT_EQ(4096, ipc_limit_get(&ipc_kipc, "shmmni"));
}

static int attach_as_user(void *arg)
{
	int *a = arg;
	struct kipc_shm_attach at = { .id = a[1] };

	if (become(&user))
		return 1;
	if (!ioctl(a[0], KIPC_IOC_SHM_ATTACH, &at) || errno != EACCES)
		return 2;
	return 0;
}

TEST_F(device, descriptor_has_no_rights)
{
	int a[2] = { self->fd, ipc_kipc.shmget(IPC_PRIVATE, PAGE, 0600) };

	ASSERT_LE(0, a[1]);
	EXPECT_EQ(0, in_child(attach_as_user, a));
}

TEST_F(device, descriptor_has_no_namespace)
{
	struct kipc_shm_get get = { .key = 8, .size = PAGE, .flags = IPC_CREAT | 0600 };
	struct shmid_ds ds;
	int id = ioctl(self->fd, KIPC_IOC_SHM_GET, &get);
	struct kipc_shm_ctl ctl = { .id = id, .cmd = IPC_STAT, .buf = (uintptr_t)&ds };

	ASSERT_LE(0, id);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SHM_CTL, &ctl));
	get.flags = 0;
	EXPECT_ERR(ENOENT, ioctl(self->fd, KIPC_IOC_SHM_GET, &get));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* Containers make device nodes of their own. */
TEST_F(device, second_node)
{
	char path[] = "/tmp/kipc-node-XXXXXX";
	struct kipc_shm_attach at = {};
	struct stat st;
	int fd, id = ipc_kipc.shmget(IPC_PRIVATE, PAGE, 0600);

	ASSERT_LE(0, id);
	ASSERT_EQ(0, fstat(self->fd, &st));
	ASSERT_NE(NULL, mkdtemp(path));
	ASSERT_EQ(0, chdir(path));
	ASSERT_EQ(0, mknod("kipc", S_IFCHR | 0600, st.st_rdev));
	fd = open("kipc", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	at.id = id;
	ASSERT_EQ(0, ioctl(fd, KIPC_IOC_SHM_ATTACH, &at));
	*(volatile char *)at.addr = 's';
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, unlink("kipc"));
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(0, rmdir(path));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, id));
	/* What came through the one is the other's as well. */
	EXPECT_EQ('s', *(volatile char *)at.addr);
	EXPECT_EQ(0, ipc_kipc.shmdt((void *)at.addr));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, id));
}

/* Neither stream nor seekable; whatever is called, nothing breaks. */
TEST_F(device, other_file_calls)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN | POLLOUT };
	char buf[8];

	EXPECT_EQ(-1, read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(-1, write(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(-1, ftruncate(self->fd, 0));
	EXPECT_LE(0, poll(&p, 1, 0));
	EXPECT_EQ(0, fcntl(self->fd, F_GETFL) & O_APPEND);
}

/* A descriptor of the device that stays open holds no namespace and no object. */
TEST_F(device, open_descriptor_holds_nothing)
{
	int id = ipc_kipc.shmget(IPC_PRIVATE, PAGE, 0600), fds[20], i;

	ASSERT_LE(0, id);
	for (i = 0; i < 20; i++) {
		fds[i] = device_open();
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(0, ipc_kipc.shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ(-EINVAL, shm_nattch(&ipc_kipc, id));
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, close(fds[i]));
}

TEST_HARNESS_MAIN

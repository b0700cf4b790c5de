// SPDX-License-Identifier: GPL-2.0
/*
 * Nonsense in, an errno out, nothing changed, nothing leaked: by the calls, and past the
 * library by the device itself.
 */
#include "common/harness.h"
#include "common/mem.h"
#include "common/device.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The same call with a structure of another size. */
#define RESIZED(cmd, size)	_IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), (size))

#define NW	IPC_NOWAIT

IPC_FIXTURE(bad)

TEST_F(bad, pointers)
{
	const struct ipc *ipc = variant->ipc;
	static const int cmds[] = { IPC_STAT, IPC_SET, IPC_INFO, SEM_INFO, SEM_STAT, SEM_STAT_ANY,
				    GETALL, SETALL };
	int id = ipc->semget(1, 600, IPC_CREAT | 0600), which;
	struct semid_ds before, after;
	unsigned int c;
	void *p;

	ASSERT_EQ(0, id);
	ASSERT_EQ(0, sem_stat(ipc, id, &before));
	for (which = 0; (p = bad_address(which)) != MAP_FAILED; which++) {
		union semun u = { .buf = p };

		for (c = 0; c < ARRAY_SIZE(cmds); c++) {
			errno = 0;
			EXPECT_EQ(-1, ipc->semctl(id, 0, cmds[c], u))
				TH_LOG("command %d, pointer %p", cmds[c], p);
			EXPECT_EQ(EFAULT, errno)
				TH_LOG("command %d, pointer %p: %s", cmds[c], p, strerror(errno));
		}
		EXPECT_ERR(EFAULT, ipc->semop(id, p, 8));
		/* A time-out has room before the last one's end. */
		if (bad_address(which + 1) == MAP_FAILED)
			p = (char *)p + BAD_ADDRESS_ROOM / 2;
		/* NULL is no time-out. */
		if (p)
			EXPECT_ERR(EFAULT, ipc->semtimedop(id, SOPS({ 0, 1, 0 }), p));
	}
	ASSERT_EQ(0, sem_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	/* These look at no buffer. */
	EXPECT_EQ(0, ipc->semctl(id, 0, GETVAL, (union semun){ .buf = (void *)1 }));
	EXPECT_EQ(0, ipc->semctl(id, 0, GETPID, (union semun){ .buf = (void *)1 }));
	EXPECT_EQ(0, ipc->semctl(id, 0, GETNCNT, (union semun){ .buf = (void *)1 }));
	EXPECT_EQ(0, ipc->semctl(id, 0, IPC_RMID, (union semun){ .buf = (void *)1 }));
}

/* Memory that may be read only: good for IPC_SET and SETALL, not for IPC_STAT and GETALL. */
TEST_F(bad, read_only_buffer)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(1, 2, IPC_CREAT | 0600);
	struct semid_ds *ds = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	union semun u = { .buf = ds };

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, ds);
	ds->sem_perm.mode = 0640;
	ASSERT_EQ(0, mprotect(ds, PAGE, PROT_READ));
	EXPECT_ERR(EFAULT, ipc->semctl(id, 0, IPC_STAT, u));
	EXPECT_ERR(EFAULT, ipc->semctl(id, 0, GETALL, u));
	EXPECT_ERR(EFAULT, ipc->semctl(id, 0, SEM_INFO, u));
	EXPECT_EQ(0, ipc->semctl(id, 0, IPC_SET, u));
	EXPECT_EQ(0, ipc->semctl(id, 0, SETALL, u));
}

/* A flood of random arguments changes nothing and leaves nothing. */
TEST_F(bad, random)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(7, 7), 0600), i;
	struct semid_ds before, after;
	unsigned int seed = 4711;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, sem_stat(ipc, id, &before));
	for (i = 0; i < 3000; i++) {
		int r = (int)((unsigned int)rand_r(&seed) << 16 ^ (unsigned int)rand_r(&seed));
		unsigned long l = (unsigned long)r * 0x9e3779b97f4a7c15ul | 1ul << 63;
		struct sembuf sops[3];
		unsigned int j;

		if (r != id) {
			EXPECT_EQ(-1, semop1(ipc, r, 0, 1, NW));
			EXPECT_EQ(-1, sem_rmid(ipc, r));
			EXPECT_EQ(-1, ipc->semctl(r, r, GETVAL));
			EXPECT_EQ(-1, ipc->semctl(r, 0, IPC_STAT, (union semun){ .word = l }));
		}
		EXPECT_EQ(-1, ipc->semop(id, (void *)l, 1 + l % 500));
		/* A number that no semaphore has, somewhere. */
		for (j = 0; j < 3; j++)
			sops[j] = (struct sembuf){ rand_r(&seed), rand_r(&seed), NW };
		sops[i % 3].sem_num |= 0x100;
		EXPECT_EQ(-1, ipc->semop(id, sops, 3));
		EXPECT_EQ(-1, ipc->semctl(id, r | 2, GETVAL));
		EXPECT_EQ(-1, ipc->semctl(id, 0, SETVAL, (union semun){ .val = r | 0x8000 }));
	}
	ASSERT_EQ(0, sem_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(7, sem_val(ipc, id, 0));
	EXPECT_EQ(7, sem_val(ipc, id, 1));
	EXPECT_EQ(1, sem_rows(ipc, NULL, 0));
}

/* The array changes while the kernel reads it: what was checked is what is done. */
static struct sembuf *volatile flickering;

static void *flicker(void *arg)
{
	volatile bool *stop = arg;
	unsigned int i;

	for (i = 0; !*stop; i++) {
		flickering[i % 64].sem_num = i % 3 ? i % 4 : 0xffff;
		flickering[i % 64].sem_op = i % 5 - 2;
	}
	return NULL;
}

TEST_F(bad, changing_array)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(5000, 5000, 5000, 5000), 0600), i, ok = 0;
	struct sembuf sops[64];
	volatile bool stop = false;
	pthread_t t;

	ASSERT_LE(0, id);
	memset(sops, 0, sizeof(sops));
	for (i = 0; i < 64; i++)
		sops[i].sem_flg = NW;
	flickering = sops;
	ASSERT_EQ(0, pthread_create(&t, NULL, flicker, (void *)&stop));
	for (i = 0; i < 3000; i++) {
		if (!ipc->semop(id, sops, 1 + i % 64))
			ok++;
		else if (errno != EFBIG && errno != EAGAIN && errno != ERANGE)
			break;
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(t, NULL));
	EXPECT_EQ(3000, i);
	EXPECT_LE(0, ok);
	for (i = 0; i < 4; i++) {
		EXPECT_LE(0, sem_val(ipc, id, i));
		EXPECT_GE(SEMVMX, sem_val(ipc, id, i));
	}
}

/* The longest arrays there may be, asleep in numbers, and all that they wait for at once. */
TEST_F_TIMEOUT(bad, long_arrays_asleep, 200)
{
	enum { N = 30 };
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 500, 0600), i;
	struct sembuf sops[500];
	struct peer p[N];

	ASSERT_LE(0, id);
	for (i = 0; i < 500; i++)
		sops[i] = (struct sembuf){ i, -1, SEM_UNDO };
	for (i = 0; i < N; i++) {
		ASSERT_EQ(0, peer_start(&p[i]));
		ASSERT_EQ(0, peer_block(&p[i], ipc, id, sops, 500));
	}
	EXPECT_EQ(N, sem_ncnt(ipc, id, 0));
	for (i = 0; i < 499; i++)
		ASSERT_EQ(0, semop1(ipc, id, i, N, 0));
	EXPECT_EQ(N, sem_ncnt(ipc, id, 499));
	ASSERT_EQ(0, semop1(ipc, id, 499, N, 0));
	for (i = 0; i < N; i++)
		EXPECT_EQ(0, peer_woken(&p[i]));
	EXPECT_EQ(0, sem_val(ipc, id, 250));
	for (i = 0; i < N; i++)
		peer_end(&p[i], SIGKILL);
	for (i = 0; i < 500; i += 50)
		EXPECT_EQ(N, sem_val(ipc, id, i));
}

/* ---- The device ---- */

FIXTURE(device) {
	int fd, id;
};

FIXTURE_SETUP(device)
{
	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(&ipc_kipc);
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->id = sem_new(&ipc_kipc, SEMS(3, 4), 0600);
	ASSERT_LE(0, self->id);
}

FIXTURE_TEARDOWN(device)
{
	EXPECT_EQ(1, sem_rows(&ipc_kipc, NULL, 0));
	EXPECT_EQ(3, sem_val(&ipc_kipc, self->id, 0));
	EXPECT_EQ(4, sem_val(&ipc_kipc, self->id, 1));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_NOTHING(&ipc_native);
}

static const unsigned int sem_cmds[] = { KIPC_IOC_SEM_GET, KIPC_IOC_SEM_OP, KIPC_IOC_SEM_CTL };

TEST_F(device, feature)
{
	struct kipc_query q = {};

	ASSERT_EQ(0, ioctl(self->fd, KIPC_IOC_QUERY, &q));
	EXPECT_EQ(KIPC_FEATURE_SEM, q.features & KIPC_FEATURE_SEM);
}

TEST_F(device, shorter)
{
	unsigned char buf[64], zero[64] = {};
	unsigned int c, size;

	for (c = 0; c < ARRAY_SIZE(sem_cmds); c++)
		for (size = 0; size < _IOC_SIZE(sem_cmds[c]); size++) {
			memset(buf, 0, sizeof(buf));
			EXPECT_ERR(EINVAL, ioctl(self->fd, RESIZED(sem_cmds[c], size), buf));
			EXPECT_EQ(0, memcmp(buf, zero, sizeof(buf)));
		}
}

TEST_F(device, longer)
{
	static unsigned char buf[8192];
	static const unsigned int more[] = { 1, 8, 64, 1024, 3000 };
	struct sembuf sop = { 0, 0, NW };
	struct kipc_sem_op op = { .id = self->id, .nsops = 1, .sops = (uintptr_t)&sop };
	struct kipc_sem_ctl ctl = { .id = self->id, .num = 1, .cmd = GETVAL };
	unsigned int i, c;

	for (i = 0; i < ARRAY_SIZE(more); i++) {
		memset(buf, 0, sizeof(buf));
		memcpy(buf, &op, sizeof(op));
		EXPECT_ERR(EAGAIN, ioctl(self->fd, RESIZED(KIPC_IOC_SEM_OP, sizeof(op) + more[i]),
					 buf));
		memset(buf, 0, sizeof(buf));
		memcpy(buf, &ctl, sizeof(ctl));
		EXPECT_EQ(4, ioctl(self->fd, RESIZED(KIPC_IOC_SEM_CTL, sizeof(ctl) + more[i]), buf));
	}
	for (c = 0; c < ARRAY_SIZE(sem_cmds); c++) {
		unsigned int n = _IOC_SIZE(sem_cmds[c]);

		memset(buf, 0, sizeof(buf));
		buf[n + 7] = 1;
		EXPECT_ERR(E2BIG, ioctl(self->fd, RESIZED(sem_cmds[c], n + 8), buf));
	}
}

TEST_F(device, pointers)
{
	unsigned int c;
	int which;
	void *p;

	for (which = 0; (p = bad_address(which)) != MAP_FAILED; which++)
		for (c = 0; c < ARRAY_SIZE(sem_cmds); c++) {
			/* One of them leaves room for the shortest structure. */
			if (bad_address(which + 1) == MAP_FAILED &&
			    _IOC_SIZE(sem_cmds[c]) <= BAD_ADDRESS_ROOM)
				continue;
			EXPECT_ERR(EFAULT, ioctl(self->fd, sem_cmds[c], p));
		}
}

TEST_F(device, padding_and_flags)
{
	static const unsigned int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, 2,
					       3, 4, 5, 6, 8, 9, 11, 77, 0x80000000, ~0u };
	static const struct timespec past = { 0, 1 };
	struct sembuf sop = { 0, -9, NW };
	struct kipc_sem_get get = { .key = IPC_PRIVATE, .nsems = 1, .flags = 0600 };
	struct kipc_sem_op op = { .id = self->id, .nsops = 1, .sops = (uintptr_t)&sop };
	struct kipc_sem_ctl ctl = { .id = self->id, .num = 1, .cmd = GETVAL };
	unsigned int bit, c;

	for (bit = 2; bit < 32; bit++) {
		get.lifetime = 1u << bit;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_GET, &get));
	}
	for (bit = 0; bit < 32; bit++) {
		ctl.pad = 1u << bit;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_CTL, &ctl));
		/* Two bits there are, one of them not without a time-out. */
		op.flags = 1u << bit;
		EXPECT_ERR(op.flags == KIPC_SEM_OP_OWNER ? EAGAIN : EINVAL,
			   ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		op.timeout = (uintptr_t)&past;
		if (op.flags & (KIPC_TIMEOUT_ABSOLUTE | KIPC_SEM_OP_OWNER)) {
			EXPECT_ERR(EAGAIN, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		} else {
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		}
		op.timeout = op.flags = 0;
	}
	ctl.pad = 0;
	EXPECT_EQ(4, ioctl(self->fd, KIPC_IOC_SEM_CTL, &ctl));
	for (c = 0; c < ARRAY_SIZE(clocks); c++) {
		op.clock = clocks[c];
		op.timeout = 0;
		if (op.clock) {
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		}
		op.timeout = (uintptr_t)&past;
		if (op.clock <= CLOCK_MONOTONIC || op.clock == CLOCK_BOOTTIME) {
			EXPECT_ERR(EAGAIN, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		} else {
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		}
		op.timeout = 0xffff888000000000ul;
		EXPECT_ERR(EFAULT, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
	}
}

TEST_F(device, numbers)
{
	static const unsigned int nsops[] = { 501, 0xffff, 1 << 20, 0x7fffffff, 0x80000000,
					      0xffffffff };
	static const int ids[] = { -1, INT_MIN, INT_MAX, 1, 1 << 24, 12345 };
	struct sembuf sop = { 0, -9, NW };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nsops); i++) {
		struct kipc_sem_op op = { .id = self->id, .nsops = nsops[i],
					  .sops = (uintptr_t)&sop };

		EXPECT_ERR(E2BIG, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		op.sops = 0xffffffffffffffff;
		EXPECT_ERR(E2BIG, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
	}
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		struct kipc_sem_op op = { .id = ids[i], .nsops = 1, .sops = (uintptr_t)&sop };
		struct kipc_sem_ctl ctl = { .id = ids[i], .cmd = GETVAL };
		struct kipc_sem_get get = { .key = IPC_PRIVATE, .nsems = -(unsigned int)ids[i] };

		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_CTL, &ctl));
		ctl.cmd = IPC_RMID;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_CTL, &ctl));
		/* Numbers of semaphores: all but one. */
		if (get.nsems != 1) {
			EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_GET, &get));
		}
	}
	/* The value is an int. */
	{
		struct kipc_sem_ctl ctl = { .id = self->id, .cmd = SETVAL, .arg = SEMVMX + 1 };

		EXPECT_ERR(ERANGE, ioctl(self->fd, KIPC_IOC_SEM_CTL, &ctl));
		ctl.arg = 0xffffffff00000003;
		EXPECT_EQ(0, ioctl(self->fd, KIPC_IOC_SEM_CTL, &ctl));
		/* What the ioctl's commands are must not be told by an IPC_64 bit. */
		ctl.cmd = GETVAL | 0x100;
		EXPECT_ERR(EINVAL, ioctl(self->fd, KIPC_IOC_SEM_CTL, &ctl));
	}
}

/* The same by the short way in. */
static long call(int fd, int nr, unsigned int high, unsigned int low, unsigned long len)
{
	return syscall(SYS_fadvise64, fd, (unsigned long)high << 32 | low, len, nr);
}

TEST_F(device, short_way)
{
	struct sembuf sops[2] = { { 0, -3, NW }, { 0, 3, NW } };
	struct kipc_sem_op op = { .id = self->id, .nsops = 2, .sops = (uintptr_t)sops };
	unsigned int nr;
	int id;

	EXPECT_EQ(0, call(self->fd, KIPC_CALL_SEM_OP, 2, self->id, (uintptr_t)sops));
	EXPECT_EQ(0, ioctl(self->fd, KIPC_IOC_SEM_OP, &op));
	EXPECT_ERR(EFAULT, call(self->fd, KIPC_CALL_SEM_OP, 2, self->id, 8));
	EXPECT_ERR(EFAULT, call(self->fd, KIPC_CALL_SEM_OP, 2, self->id, ULONG_MAX - 8));
	EXPECT_ERR(EFAULT, call(self->fd, KIPC_CALL_SEM_OP, 500, self->id, 0xffff888000000000ul));
	EXPECT_ERR(E2BIG, call(self->fd, KIPC_CALL_SEM_OP, 501, self->id, (uintptr_t)sops));
	EXPECT_ERR(E2BIG, call(self->fd, KIPC_CALL_SEM_OP, ~0u, self->id, (uintptr_t)sops));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_OP, 0, self->id, (uintptr_t)sops));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_OP, 1, -1, (uintptr_t)sops));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_OP, 1, self->id + 1, (uintptr_t)sops));

	id = call(self->fd, KIPC_CALL_SEM_GET, IPC_CREAT | 0600, 0x77, 9);
	EXPECT_LE(0, id);
	EXPECT_EQ(id, ipc_kipc.semget(0x77, 9, 0));
	EXPECT_ERR(EEXIST, call(self->fd, KIPC_CALL_SEM_GET, IPC_CREAT | IPC_EXCL, 0x77, 9));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_GET, 0, 0x77, 10));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_GET, IPC_CREAT, 0x78, 32001));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_GET, IPC_CREAT, 0x78, (unsigned int)-1));
	EXPECT_ERR(ENOENT, call(self->fd, KIPC_CALL_SEM_GET, 0, 0x78, 1));
	EXPECT_EQ(0, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, 7ul << 32 | SETVAL));
	EXPECT_EQ(7, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, GETVAL));
	EXPECT_EQ(getpid(), call(self->fd, KIPC_CALL_SEM_CTL, 8, id, GETPID));
	EXPECT_EQ(0, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, GETNCNT));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_CTL, 9, id, GETVAL));
	EXPECT_ERR(ERANGE, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, 32768ul << 32 | SETVAL));
	EXPECT_ERR(ERANGE, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, 0xfffffffful << 32 | SETVAL));
	/* What needs a buffer has no room here. */
	EXPECT_EQ(-1, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, IPC_STAT));
	EXPECT_EQ(-1, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, GETALL));
	EXPECT_EQ(-1, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, SETALL));
	EXPECT_EQ(-1, call(self->fd, KIPC_CALL_SEM_CTL, 8, id, 77));
	EXPECT_EQ(0, call(self->fd, KIPC_CALL_SEM_CTL, 0, id, IPC_RMID));
	EXPECT_ERR(EINVAL, call(self->fd, KIPC_CALL_SEM_CTL, 0, id, IPC_RMID));
	/* Numbers around the known ones. */
	for (nr = KIPC_CALL_MSG_GET + 1; nr < KIPC_CALL_MSG_GET + 64; nr++)
		EXPECT_EQ(-1, call(self->fd, nr, 1, self->id, (uintptr_t)sops));
}

/* Random bytes for structures: whatever they mean, nothing breaks. */
TEST_F(device, random_bytes)
{
	unsigned int seed = 271828, i, j;
	unsigned char buf[64];

	for (i = 0; i < 5000; i++) {
		unsigned int c = rand_r(&seed) % ARRAY_SIZE(sem_cmds);

		for (j = 0; j < sizeof(buf); j++)
			buf[j] = rand_r(&seed) % (j % 4 ? 2 : 256);
		/* Not the set itself, nor a new one. */
		if (c)
			((int *)buf)[0] = 1 + rand_r(&seed) % 100;
		else
			((int *)buf)[0] = 0x700;
		if (!c)
			buf[5] &= ~(IPC_CREAT >> 8);
		EXPECT_EQ(-1, ioctl(self->fd, sem_cmds[c], buf));
	}
}

/* ---- Many ---- */

/*
 * Sleepers by the ten thousand, on one semaphore and on arrays, with undo values, of a
 * process that is killed: nobody else is held up, nothing is left.
 */
static void *one_of_many(void *arg)
{
	long *a = arg;
	struct sembuf sops[2] = { { 0, -1, SEM_UNDO }, { 1, -1, SEM_UNDO } };

	((const struct ipc *)a[0])->semop(a[1], sops, a[2]);
	return NULL;
}

static int many_sleepers(const struct ipc *ipc, int id, int n)
{
	static long simple[3], array[3];
	pthread_attr_t attr;
	pthread_t t;
	int i;

	simple[0] = array[0] = (long)ipc;
	simple[1] = array[1] = id;
	simple[2] = 1;
	array[2] = 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (semop1(ipc, id, 1, -5, SEM_UNDO) || pthread_attr_init(&attr) ||
	    pthread_attr_setstacksize(&attr, 16384) || pthread_attr_setguardsize(&attr, 0))
		return 1;
	for (i = 0; i < n; i++)
		if (pthread_create(&t, &attr, one_of_many, i % 2 ? array : simple))
			return 2;
	for (;;)
		pause();
}

TEST_F_TIMEOUT(bad, ten_thousand_sleepers, 200)
{
	enum { N = 10000 };
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0, 5), 0600), other = sem_new(ipc, SEMS(1), 0600), status;
	struct peer p;
	pid_t pid;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, write_text("/proc/sys/kernel/threads-max", "30000"));
	ASSERT_EQ(0, write_text("/proc/sys/kernel/pid_max", "100000"));
	ASSERT_EQ(0, peer_start(&p));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(many_sleepers(ipc, id, N));
	while (sem_ncnt(ipc, id, 0) < N) {
		siginfo_t info = {};

		ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT));
		ASSERT_EQ(0, info.si_pid)
			TH_LOG("only %d sleepers", sem_ncnt(ipc, id, 0));
		wait_a_little();
	}
	/* One more, of another process, behind them all. */
	ASSERT_EQ(0, peer_block1(&p, ipc, id, 0, -1, 0));
	EXPECT_EQ(0, semop1(ipc, other, 0, -1, 0));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(1, sem_ncnt(ipc, id, 0));
	EXPECT_EQ(5, sem_val(ipc, id, 1));
	EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
	EXPECT_EQ(0, peer_woken(&p));
	peer_end(&p, 0);
}

TEST_HARNESS_MAIN

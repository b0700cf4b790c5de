// SPDX-License-Identifier: GPL-2.0
/*
 * 32-bit callers, by the i386 system call gate from a 64-bit program: the kernel
 * takes such a call for a compat one.  The layouts must be those of native's own
 * i386 calls.
 */
#include "common/harness.h"
#include "common/device.h"

#include <time.h>

/* i386 numbers; its IPC calls of their own came with Linux 5.1. */
enum { I386_IOCTL = 54, I386_SEMGET = 393, I386_SEMCTL = 394, I386_SHMGET = 395,
       I386_SHMCTL = 396, I386_SHMAT = 397, I386_SHMDT = 398, I386_SEMTIMEDOP_TIME64 = 420 };

static long i386_4(long nr, unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret) : "0" (nr), "b" (a), "c" (b), "d" (c), "S" (d),
		     "D" (0) : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static long i386(long nr, unsigned int a, unsigned int b, unsigned int c)
{
	return i386_4(nr, a, b, c, 0);
}

struct low {
	struct kipc_query query;
	struct kipc_shm_get get;
	struct kipc_shm_attach at;
	struct kipc_shm_detach dt;
	struct kipc_shm_ctl ctl;
	struct kipc_limit limit;
	struct kipc_sem_get sem_get;
	struct kipc_sem_op sem_op;
	struct kipc_sem_ctl sem_ctl;
	struct timespec timeout;
	struct sembuf sops[4];
	unsigned char native[256], kipc[256];
};

FIXTURE(compat) {
	int fd;
	struct low *low;
	int native, kipc;	/* ids */
};

FIXTURE_SETUP(compat)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
	self->low = mmap(NULL, sizeof(*self->low), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->low);
	self->native = shmget(5, 3 * PAGE, IPC_CREAT | 0640);
	self->kipc = ipc_kipc.shmget(5, 3 * PAGE, IPC_CREAT | 0640);
	ASSERT_LE(0, self->native);
	ASSERT_LE(0, self->kipc);
}

FIXTURE_TEARDOWN(compat)
{
}

static bool have_i386(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(i386(20, 0, 0, 0) == getpid() ? 0 : 1);	/* getpid */
	waitpid(pid, &status, 0);
	return !status;
}

#define NEED_I386() do { \
	if (!have_i386()) \
		SKIP(return, "this kernel takes no i386 calls"); \
} while (0)

static long kipc_ctl(struct low *low, int fd, int id, int cmd)
{
	low->ctl = (struct kipc_shm_ctl){ .id = id, .cmd = cmd, .buf = (uintptr_t)low->kipc };
	return i386(I386_IOCTL, fd, KIPC_IOC_SHM_CTL, (uintptr_t)&low->ctl);
}

TEST_F(compat, query)
{
	struct low *low = self->low;

	NEED_I386();
	memset(&low->query, POISON, sizeof(low->query));
	low->query.pad = 0;
	ASSERT_EQ(0, i386(I386_IOCTL, self->fd, KIPC_IOC_QUERY, (uintptr_t)&low->query));
	EXPECT_EQ(KIPC_ABI_VERSION, low->query.abi);
	EXPECT_NE(0, low->query.features & KIPC_FEATURE_SHM);
}

/* Each command that fills in a structure: byte for byte what native fills in. */
TEST_F(compat, same_structures)
{
	static const int cmds[] = { IPC_STAT, SHM_STAT, SHM_STAT_ANY, IPC_INFO, SHM_INFO };
	struct low *low = self->low;
	unsigned int i, j;
	time_t start;
	long n, o;

	NEED_I386();
	/* Both within a second, each the first of its namespace. */
	do {
		start = stamp_now();
		ASSERT_EQ(0, unshare(CLONE_NEWIPC));
		self->native = shmget(5, 3 * PAGE, IPC_CREAT | 0640);
		self->kipc = ipc_kipc.shmget(5, 3 * PAGE, IPC_CREAT | 0640);
		ASSERT_LE(0, self->native);
		ASSERT_LE(0, self->kipc);
	} while (stamp_now() != start);
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		bool by_id = cmds[i] == IPC_STAT;

		memset(low->native, POISON, sizeof(low->native));
		memset(low->kipc, POISON, sizeof(low->kipc));
		n = i386(I386_SHMCTL, by_id ? self->native : 0, cmds[i], (uintptr_t)low->native);
		o = kipc_ctl(low, self->fd, by_id ? self->kipc : 0, cmds[i]);
		ASSERT_LE(0, n);
		EXPECT_EQ(n, o);
		for (j = 0; j < sizeof(low->kipc); j++) {
			EXPECT_EQ(low->native[j], low->kipc[j])
				TH_LOG("command %d, byte %u", cmds[i], j);
		}
	}
}

TEST_F(compat, set)
{
	struct low *low = self->low;
	unsigned int *perm = (unsigned int *)low->kipc;
	struct shmid_ds ds;

	NEED_I386();
	ASSERT_EQ(0, kipc_ctl(low, self->fd, self->kipc, IPC_STAT));
	perm[1] = 1000;			/* uid */
	perm[2] = 1001;			/* gid */
	perm[5] = 0604;			/* mode */
	ASSERT_EQ(0, kipc_ctl(low, self->fd, self->kipc, IPC_SET));
	ASSERT_EQ(0, shm_stat(&ipc_kipc, self->kipc, &ds));
	EXPECT_EQ(1000, ds.shm_perm.uid);
	EXPECT_EQ(1001, ds.shm_perm.gid);
	EXPECT_EQ(0604, ds.shm_perm.mode);
}

TEST_F(compat, errors)
{
	struct low *low = self->low;

	NEED_I386();
	EXPECT_EQ(-EINVAL, kipc_ctl(low, self->fd, -1, IPC_STAT));
	EXPECT_EQ(-EINVAL, kipc_ctl(low, self->fd, self->kipc + 1, IPC_STAT));
	low->ctl = (struct kipc_shm_ctl){ .id = self->kipc, .cmd = IPC_STAT, .buf = 0 };
	EXPECT_EQ(-EFAULT, i386(I386_IOCTL, self->fd, KIPC_IOC_SHM_CTL, (uintptr_t)&low->ctl));
	EXPECT_EQ(-EFAULT, i386(I386_IOCTL, self->fd, KIPC_IOC_SHM_CTL, 0));
	/* An address above the 32 bits is no address of such a caller. */
	low->ctl.buf = 1ull << 32;
	EXPECT_GT(0, i386(I386_IOCTL, self->fd, KIPC_IOC_SHM_CTL, (uintptr_t)&low->ctl));
	EXPECT_EQ(-ENOTTY, i386(I386_IOCTL, self->fd, _IO(KIPC_IOC_TYPE, 0x7f), 0));
}

TEST_F(compat, get_attach_detach)
{
	struct low *low = self->low;
	char *a;

	NEED_I386();
	low->get = (struct kipc_shm_get){ .key = 5 };
	EXPECT_EQ(self->kipc, i386(I386_IOCTL, self->fd, KIPC_IOC_SHM_GET, (uintptr_t)&low->get));
	low->at = (struct kipc_shm_attach){ .id = self->kipc };
	ASSERT_EQ(0, i386(I386_IOCTL, self->fd, KIPC_IOC_SHM_ATTACH, (uintptr_t)&low->at));
	/* Somewhere that such a caller can reach. */
	EXPECT_EQ(0, low->at.addr >> 32);
	a = (char *)low->at.addr;
	EXPECT_EQ(0, probe_write(a));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, self->kipc));
	low->dt.addr = low->at.addr;
	EXPECT_EQ(0, i386(I386_IOCTL, self->fd, KIPC_IOC_SHM_DETACH, (uintptr_t)&low->dt));
	EXPECT_EQ(0, shm_nattch(&ipc_kipc, self->kipc));
}

/* ---- Semaphores ---- */

static long sem_ctl(struct low *low, int fd, int id, int num, int cmd)
{
	low->sem_ctl = (struct kipc_sem_ctl){ .id = id, .num = num, .cmd = cmd,
					      .arg = (uintptr_t)low->kipc };
	return i386(I386_IOCTL, fd, KIPC_IOC_SEM_CTL, (uintptr_t)&low->sem_ctl);
}

static long sem_op(struct low *low, int fd, int id, int op, int flags, bool timed)
{
	low->sops[0] = (struct sembuf){ 1, op, flags };
	low->sem_op = (struct kipc_sem_op){ .id = id, .nsops = 1, .sops = (uintptr_t)low->sops };
	if (timed) {
		low->sem_op.timeout = (uintptr_t)&low->timeout;
		low->sem_op.clock = CLOCK_MONOTONIC;
	}
	return i386(I386_IOCTL, fd, KIPC_IOC_SEM_OP, (uintptr_t)&low->sem_op);
}

TEST_F(compat, sem_calls)
{
	struct low *low = self->low;
	int id;

	NEED_I386();
	low->sem_get = (struct kipc_sem_get){ .key = 9, .nsems = 3, .flags = IPC_CREAT | 0600 };
	id = i386(I386_IOCTL, self->fd, KIPC_IOC_SEM_GET, (uintptr_t)&low->sem_get);
	ASSERT_LE(0, id);
	EXPECT_EQ(id, ipc_kipc.semget(9, 3, 0));
	EXPECT_EQ(0, sem_op(low, self->fd, id, 5, SEM_UNDO, false));
	EXPECT_EQ(5, sem_ctl(low, self->fd, id, 1, GETVAL));
	EXPECT_EQ(getpid(), sem_ctl(low, self->fd, id, 1, GETPID));
	EXPECT_EQ(-EAGAIN, sem_op(low, self->fd, id, -6, IPC_NOWAIT, false));
	low->timeout = (struct timespec){ 0, 1000000 };
	EXPECT_EQ(-EAGAIN, sem_op(low, self->fd, id, -6, 0, true));
	low->timeout.tv_nsec = 1000000000;
	EXPECT_EQ(-EINVAL, sem_op(low, self->fd, id, -6, 0, true));
	low->sem_op.timeout = 1ull << 32;
	EXPECT_GT(0, i386(I386_IOCTL, self->fd, KIPC_IOC_SEM_OP, (uintptr_t)&low->sem_op));
	low->sem_op.timeout = 0;
	low->sem_op.clock = 0;
	low->sem_op.sops = 1ull << 32;
	EXPECT_GT(0, i386(I386_IOCTL, self->fd, KIPC_IOC_SEM_OP, (uintptr_t)&low->sem_op));
	low->sem_op.sops = 0;
	EXPECT_EQ(-EFAULT, i386(I386_IOCTL, self->fd, KIPC_IOC_SEM_OP, (uintptr_t)&low->sem_op));
	EXPECT_EQ(0, sem_ctl(low, self->fd, id, 0, GETALL));
	EXPECT_EQ(5, ((unsigned short *)low->kipc)[1]);
	EXPECT_EQ(0, ((unsigned short *)low->kipc)[2]);
	((unsigned short *)low->kipc)[2] = 77;
	EXPECT_EQ(0, sem_ctl(low, self->fd, id, 0, SETALL));
	EXPECT_EQ(77, sem_val(&ipc_kipc, id, 2));
	EXPECT_EQ(0, sem_ctl(low, self->fd, id, 0, IPC_RMID));
}

/* Each command that fills in a structure: byte for byte what native fills in. */
TEST_F(compat, sem_same_structures)
{
	static const int cmds[] = { IPC_STAT, SEM_STAT, SEM_STAT_ANY, IPC_INFO, SEM_INFO };
	struct low *low = self->low;
	int native = -1, kipc = -1;
	unsigned int i, j;
	time_t start;
	long n, o;

	NEED_I386();
	/* Both within a second. */
	do {
		start = stamp_now();
		sem_rmid(&ipc_native, native);
		sem_rmid(&ipc_kipc, kipc);
		native = i386(I386_SEMGET, 9, 3, IPC_CREAT | 0640);
		kipc = ipc_kipc.semget(9, 3, IPC_CREAT | 0640);
		ASSERT_LE(0, native);
		ASSERT_LE(0, kipc);
		low->sops[0] = (struct sembuf){ 2, 5, 0 };
		ASSERT_EQ(0, i386_4(I386_SEMTIMEDOP_TIME64, native, (uintptr_t)low->sops, 1, 0));
		ASSERT_EQ(0, semop1(&ipc_kipc, kipc, 2, 5, 0));
	} while (stamp_now() != start);
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		memset(low->native, POISON, sizeof(low->native));
		memset(low->kipc, POISON, sizeof(low->kipc));
		n = i386_4(I386_SEMCTL, native, 0, cmds[i], (uintptr_t)low->native);
		o = sem_ctl(low, self->fd, kipc, 0, cmds[i]);
		ASSERT_LE(0, n);
		EXPECT_EQ(n, o);
		for (j = 0; j < sizeof(low->kipc); j++) {
			EXPECT_EQ(low->native[j], low->kipc[j])
				TH_LOG("command %d, byte %u", cmds[i], j);
		}
	}
}

TEST_F(compat, sem_set)
{
	struct low *low = self->low;
	unsigned int *perm = (unsigned int *)low->kipc;
	int id = ipc_kipc.semget(9, 3, IPC_CREAT | 0640);
	struct semid_ds ds;

	NEED_I386();
	ASSERT_EQ(0, sem_ctl(low, self->fd, id, 0, IPC_STAT));
	perm[1] = 1000;			/* uid */
	perm[2] = 1001;			/* gid */
	perm[5] = 0604;			/* mode */
	ASSERT_EQ(0, sem_ctl(low, self->fd, id, 0, IPC_SET));
	ASSERT_EQ(0, sem_stat(&ipc_kipc, id, &ds));
	EXPECT_EQ(1000, ds.sem_perm.uid);
	EXPECT_EQ(1001, ds.sem_perm.gid);
	EXPECT_EQ(0604, ds.sem_perm.mode);
	EXPECT_EQ(3, ds.sem_nsems);
}

TEST_HARNESS_MAIN

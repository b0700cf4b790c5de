// SPDX-License-Identifier: GPL-2.0
/*
 * 32-bit callers, by the i386 system call gate from a 64-bit program: the kernel
 * takes such a call for a compat one.  The layouts must be those of native's own
 * i386 calls.
 */
#include "common/harness.h"
#include "common/device.h"

/* i386 numbers; its IPC calls of their own came with Linux 5.1. */
enum { I386_IOCTL = 54, I386_SHMGET = 395, I386_SHMCTL = 396, I386_SHMAT = 397,
       I386_SHMDT = 398 };

static long i386(long nr, unsigned int a, unsigned int b, unsigned int c)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret) : "0" (nr), "b" (a), "c" (b), "d" (c), "S" (0),
		     "D" (0) : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

struct low {
	struct kipc_query query;
	struct kipc_shm_get get;
	struct kipc_shm_attach at;
	struct kipc_shm_detach dt;
	struct kipc_shm_ctl ctl;
	struct kipc_limit limit;
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
	long n, o;

	NEED_I386();
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		bool by_id = cmds[i] == IPC_STAT;

		memset(low->native, POISON, sizeof(low->native));
		memset(low->kipc, POISON, sizeof(low->kipc));
		n = i386(I386_SHMCTL, by_id ? self->native : 0, cmds[i], (uintptr_t)low->native);
		o = kipc_ctl(low, self->fd, by_id ? self->kipc : 0, cmds[i]);
		ASSERT_LE(0, n);
		EXPECT_EQ(n, o);
		for (j = 0; j < sizeof(low->kipc); j++) {
			/* The low bytes of the creation's second may differ by a tick. */
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

TEST_HARNESS_MAIN

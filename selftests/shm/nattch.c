// SPDX-License-Identifier: GPL-2.0
/*
 * The count of attachments is exact at every moment that anybody can name: after
 * each call, and when wait() has told of a death.  PostgreSQL's interlock against
 * two servers on one data directory relies on it.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

FIXTURE(nattch) {
	int id;			/* 8 pages */
	char *hole;		/* 32 pages of free address space */
};

FIXTURE_VARIANT(nattch) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(nattch, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(nattch, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(nattch)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->id = variant->ipc->shmget(IPC_PRIVATE, 8 * PAGE, 0600);
	ASSERT_LE(0, self->id);
	self->hole = mmap(NULL, 32 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->hole);
	ASSERT_EQ(0, munmap(self->hole, 32 * PAGE));
}

FIXTURE_TEARDOWN(nattch)
{
}

/* The count by IPC_STAT and in the listing. */
#define EXPECT_NATTCH(_n) do { \
	struct shm_row __row = { .nattch = -1ul }; \
	EXPECT_EQ((_n), shm_nattch(variant->ipc, self->id)); \
	EXPECT_EQ(1, shm_row_find(variant->ipc, self->id, &__row)); \
	EXPECT_EQ((unsigned long)(_n), __row.nattch); \
} while (0)

TEST_F(nattch, attach_and_detach)
{
	const struct ipc *ipc = variant->ipc;
	char *a[20];
	int i;

	EXPECT_NATTCH(0);
	for (i = 0; i < 20; i++) {
		a[i] = ipc->shmat(self->id, NULL, i % 2 ? SHM_RDONLY : 0);
		ASSERT_NE(MAP_FAILED, a[i]);
		EXPECT_NATTCH(i + 1);
	}
	for (i = 19; i >= 0; i--) {
		ASSERT_EQ(0, ipc->shmdt(a[i]));
		EXPECT_NATTCH(i);
	}
}

TEST_F(nattch, fork_and_exit)
{
	struct peer p[5];
	int i;

	ASSERT_NE(MAP_FAILED, variant->ipc->shmat(self->id, NULL, 0));
	ASSERT_NE(MAP_FAILED, variant->ipc->shmat(self->id, NULL, SHM_RDONLY));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, peer_start(&p[i]));
		EXPECT_NATTCH(2 + 2 * (i + 1));
	}
	for (i = 0; i < 5; i++) {
		peer_end(&p[i], 0);
		EXPECT_NATTCH(2 + 2 * (4 - i));
	}
}

TEST_F(nattch, sigkill)
{
	struct peer p;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, peer_start(&p));
		ASSERT_NE(MAP_FAILED, peer_shmat(&p, variant->ipc, self->id, NULL, 0));
		EXPECT_NATTCH(1);
		EXPECT_EQ(SIGKILL, peer_end(&p, SIGKILL));
		EXPECT_NATTCH(0);
	}
}

TEST_F(nattch, crash)
{
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(MAP_FAILED, peer_shmat(&p, variant->ipc, self->id, NULL, 0));
	EXPECT_NATTCH(1);
	EXPECT_ERR(EPIPE, peer_poke(&p, (void *)8, 0));
	EXPECT_EQ(SIGSEGV, peer_end(&p, 0) & 0x7f);
	EXPECT_NATTCH(0);
}

static long do_fork_child(long *arg, void *buf)
{
	pid_t pid = fork();

	(void)arg;
	(void)buf;
	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* A grandchild holds on when its parent is gone. */
TEST_F(nattch, grandchild)
{
	struct peer p;
	pid_t pid;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(MAP_FAILED, peer_shmat(&p, variant->ipc, self->id, NULL, 0));
	pid = peer_run(&p, do_fork_child, 0, 0, 0, 0, 0);
	ASSERT_LT(0, pid);
	EXPECT_NATTCH(2);
	peer_end(&p, SIGKILL);
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	/* Not our child: wait until it is seen gone. */
	wait_until(kill(pid, 0) && errno == ESRCH);
	EXPECT_NATTCH(0);
}

/* exec lets go before the new program's first instruction. */
static long do_exec(long *arg, void *buf)
{
	char fd[16];

	(void)buf;
	snprintf(fd, sizeof(fd), "%ld", arg[0]);
	execl("/proc/self/exe", "nattch", "--tell", fd, NULL);
	return -1;
}

TEST_F(nattch, exec)
{
	const struct ipc *ipc = variant->ipc;
	struct shmid_ds ds;
	int done[2], hold[2];
	struct peer p;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(done));
	ASSERT_EQ(0, pipe(hold));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(MAP_FAILED, peer_shmat(&p, ipc, self->id, NULL, 0));
	EXPECT_NATTCH(1);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		long fd = done[1];

		if (ipc->shmat(self->id, NULL, 0) == MAP_FAILED || dup2(hold[0], 0) < 0)
			_exit(1);
		do_exec(&fd, NULL);
		_exit(2);
	}
	ASSERT_EQ(1, read(done[0], &c, 1));
	ASSERT_EQ('e', c);
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, shm_stat(ipc, self->id, &ds));
	EXPECT_EQ(pid, ds.shm_lpid);
	close(hold[1]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	peer_end(&p, 0);
	EXPECT_NATTCH(0);
}

/* A failed exec lets go of nothing. */
TEST_F(nattch, failed_exec)
{
	char *a = variant->ipc->shmat(self->id, NULL, 0);

	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(-1, execl("/proc/self/exe/no", "no", NULL));
	EXPECT_EQ(-1, execl("/proc/self/maps", "no", NULL));
	EXPECT_NATTCH(1);
	EXPECT_EQ(0, probe_write(a));
}

/* vfork and threads share the memory: no attachment more, none less after. */
TEST_F(nattch, vfork)
{
	pid_t pid;
	int status;

	ASSERT_NE(MAP_FAILED, variant->ipc->shmat(self->id, NULL, 0));
	pid = vfork();
	if (!pid)
		_exit(shm_nattch(variant->ipc, self->id) == 1 ? 0 : 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_NATTCH(1);
}

static void *count_and_attach(void *arg)
{
	const struct ipc *ipc = ((void **)arg)[0];
	int id = (int)(long)((void **)arg)[1];

	if (shm_nattch(ipc, id) != 1 || ipc->shmat(id, NULL, 0) == MAP_FAILED)
		return NULL;
	return (void *)shm_nattch(ipc, id);
}

TEST_F(nattch, thread)
{
	void *arg[2] = { (void *)variant->ipc, (void *)(long)self->id }, *ret;
	pthread_t t;

	ASSERT_NE(MAP_FAILED, variant->ipc->shmat(self->id, NULL, 0));
	ASSERT_EQ(0, pthread_create(&t, NULL, count_and_attach, arg));
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(2, (long)ret);
	/* The attachment is the process', not the thread's. */
	EXPECT_NATTCH(2);
}

TEST_F(nattch, dontfork)
{
	char *a = variant->ipc->shmat(self->id, NULL, 0);
	struct peer p;

	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, madvise(a, 8 * PAGE, MADV_DONTFORK));
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_NATTCH(1);
	peer_end(&p, 0);
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, madvise(a, 8 * PAGE, MADV_DOFORK));
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_NATTCH(2);
	peer_end(&p, 0);
	EXPECT_NATTCH(1);
}

TEST_F(nattch, partial_unmap)
{
	char *h = self->hole;

	ASSERT_EQ(h, variant->ipc->shmat(self->id, h, 0));
	ASSERT_EQ(0, munmap(h, PAGE));
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, munmap(h + 7 * PAGE, PAGE));
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, munmap(h + 4 * PAGE, PAGE));
	EXPECT_NATTCH(2);
	ASSERT_EQ(0, munmap(h + 2 * PAGE, PAGE));
	EXPECT_NATTCH(3);
	ASSERT_EQ(0, munmap(h + 3 * PAGE, PAGE));
	EXPECT_NATTCH(2);
	ASSERT_EQ(0, munmap(h, 8 * PAGE));
	EXPECT_NATTCH(0);
}

/* Whatever splits a mapping: protection, locking, advice, a mapping over it. */
TEST_F(nattch, splits)
{
	char *h = self->hole;

	ASSERT_EQ(h, variant->ipc->shmat(self->id, h, 0));
	ASSERT_EQ(0, mprotect(h + 2 * PAGE, PAGE, PROT_READ));
	EXPECT_NATTCH(3);
	ASSERT_EQ(0, munlock(h, 8 * PAGE));
	EXPECT_NATTCH(3);
	ASSERT_EQ(0, mlock(h + 4 * PAGE, PAGE));
	EXPECT_NATTCH(5);
	ASSERT_EQ(0, madvise(h + 6 * PAGE, PAGE, MADV_RANDOM));
	EXPECT_NATTCH(7);
	ASSERT_NE(MAP_FAILED, mmap(h + 6 * PAGE, PAGE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_NATTCH(6);
	ASSERT_EQ(0, munmap(h, 8 * PAGE));
	EXPECT_NATTCH(0);
}

TEST_F(nattch, mremap_move)
{
	char *h = self->hole, *to = h + 16 * PAGE;

	ASSERT_EQ(h, variant->ipc->shmat(self->id, h, 0));
	h[5 * PAGE] = 'm';
	ASSERT_EQ(to, mremap(h, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_NATTCH(1);
	EXPECT_EQ('m', to[5 * PAGE]);
	/* A part: the rest stays. */
	ASSERT_EQ(h, mremap(to + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, h));
	EXPECT_NATTCH(3);
	ASSERT_EQ(0, munmap(h, 32 * PAGE));
	EXPECT_NATTCH(0);
}

TEST_F(nattch, mremap_grow_and_shrink)
{
	char *h = self->hole;

	ASSERT_EQ(h, variant->ipc->shmat(self->id, h, 0));
	ASSERT_EQ(h, mremap(h, 8 * PAGE, 4 * PAGE, 0));
	EXPECT_NATTCH(1);
	ASSERT_EQ(h, mremap(h, 4 * PAGE, 8 * PAGE, 0));
	EXPECT_NATTCH(1);
	EXPECT_EQ(0, probe_write(h + 7 * PAGE));
	ASSERT_EQ(h, mremap(h, 8 * PAGE, 16 * PAGE, 0));
	EXPECT_NATTCH(1);
	EXPECT_EQ(SIGBUS, probe_read(h + 8 * PAGE));
	/* Growing where something is in the way moves. */
	ASSERT_NE(MAP_FAILED, mmap(h + 16 * PAGE, PAGE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	h[0] = 'g';
	h = mremap(h, 16 * PAGE, 24 * PAGE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, h);
	EXPECT_NE(self->hole, h);
	EXPECT_EQ('g', h[0]);
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, munmap(h, 24 * PAGE));
	EXPECT_NATTCH(0);
}

/* Old size 0 maps a shared mapping once more; DONTUNMAP leaves the old one there. */
TEST_F(nattch, mremap_duplicate)
{
	char *h = self->hole, *dup;

	ASSERT_EQ(h, variant->ipc->shmat(self->id, h, 0));
	h[0] = 'd';
	dup = mremap(h, 0, 8 * PAGE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, dup);
	EXPECT_EQ('d', dup[0]);
	EXPECT_NATTCH(2);
	ASSERT_EQ(0, munmap(dup, 8 * PAGE));
	EXPECT_NATTCH(1);
	dup = mremap(h, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	ASSERT_NE(MAP_FAILED, dup);
	EXPECT_EQ('d', dup[0]);
	EXPECT_EQ('d', h[0]);
	EXPECT_NATTCH(2);
	EXPECT_EQ(0, variant->ipc->shmdt(h));
	EXPECT_EQ(0, variant->ipc->shmdt(dup));
	EXPECT_NATTCH(0);
}

/* Over another attachment of the same segment. */
TEST_F(nattch, mremap_over)
{
	char *h = self->hole, *other = h + 8 * PAGE;

	ASSERT_EQ(h, variant->ipc->shmat(self->id, h, 0));
	ASSERT_EQ(other, variant->ipc->shmat(self->id, other, 0));
	EXPECT_NATTCH(2);
	ASSERT_EQ(other, mremap(h, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other));
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, variant->ipc->shmdt(other));
	EXPECT_NATTCH(0);
}

/* Emulated since Linux 4.0 by a new mapping of the same file. */
TEST_F(nattch, remap_file_pages)
{
	char *h = self->hole;
	long e[2];

	ASSERT_EQ(h, variant->ipc->shmat(self->id, h, 0));
	h[3 * PAGE] = 'r';
	e[0] = syscall(SYS_remap_file_pages, h, PAGE, 0, 3, 0);
	ASSERT_EQ(0, e[0]);
	EXPECT_EQ('r', h[0]);
	EXPECT_NATTCH(2);
	EXPECT_EQ(0, munmap(h, 8 * PAGE));
	EXPECT_NATTCH(0);
}

/* The memory outlives the process through a pinned mm, not the attachment's end. */
TEST_F(nattch, proc_mem_open)
{
	struct peer p;
	char path[64];
	int fd;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(MAP_FAILED, peer_shmat(&p, variant->ipc, self->id, NULL, 0));
	snprintf(path, sizeof(path), "/proc/%d/mem", p.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_NATTCH(1);
	peer_end(&p, SIGKILL);
	EXPECT_NATTCH(0);
	close(fd);
}

/* A process that left the namespace holds on to what it attached there. */
TEST_F(nattch, across_unshare)
{
	const struct ipc *ipc = variant->ipc;
	int ns = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	char *a = ipc->shmat(self->id, NULL, 0);

	ASSERT_LE(0, ns);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_EQ(-EINVAL, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, probe_write(a));
	ASSERT_EQ(0, setns(ns, CLONE_NEWIPC));
	EXPECT_NATTCH(1);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* Detaching goes by address and knows no namespace. */
	EXPECT_EQ(0, ipc->shmdt(a));
	ASSERT_EQ(0, setns(ns, CLONE_NEWIPC));
	EXPECT_NATTCH(0);
	close(ns);
}

static const struct ipc *detacher_ipc;

static int detach_in_new_namespace(void *arg)
{
	if (unshare(CLONE_NEWIPC))
		return 1;
	return detacher_ipc->shmdt(arg) ? 2 : 0;
}

TEST_F(nattch, detach_from_other_namespace)
{
	char *a = variant->ipc->shmat(self->id, NULL, 0);

	ASSERT_NE(MAP_FAILED, a);
	detacher_ipc = variant->ipc;
	EXPECT_EQ(0, in_child(detach_in_new_namespace, a));
	EXPECT_NATTCH(1);
	EXPECT_EQ(0, probe_write(a));
}

/* Run by exec above: tell that the new program is there, then stay. */
static void __attribute__((constructor)) tell_if_asked(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--tell")) {
		if (write(atoi(argv[2]), "e", 1) == 1)
			pause();
		_exit(0);
	}
}

/* A read-only attachment is not shared in the kernel's sense: nothing to remap, nothing counted. */
TEST_F(nattch, remap_file_pages_read_only)
{
	char *a;
	int i;

	a = variant->ipc->shmat(self->id, NULL, SHM_RDONLY);
	ASSERT_NE(MAP_FAILED, a);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-1, syscall(SYS_remap_file_pages, a + PAGE, PAGE, 0, 1, 0));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_NATTCH(1);
	}
	EXPECT_EQ(-1, mprotect(a + PAGE, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, variant->ipc->shmdt(a));
	EXPECT_NATTCH(0);
}

TEST_HARNESS_MAIN

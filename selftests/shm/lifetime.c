// SPDX-License-Identifier: GPL-2.0
/* From IPC_RMID to the last detach, and that the memory goes with it. */
#include "common/harness.h"
#include "common/mem.h"

#define KEY	0x7777
#define BIG	(64ul << 20)

IPC_FIXTURE(lifetime)

static void destroyed(struct __test_metadata *_metadata, const struct ipc *ipc, int id)
{
	struct shmid_ds ds;
	struct shm_row row;

	EXPECT_ERR(EINVAL, ipc->shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(0, shm_row_find(ipc, id, &row));
}

TEST_F(lifetime, deferred)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(KEY, PAGE, IPC_CREAT | 0640), fresh;
	struct shmid_ds ds;
	struct shm_row row;
	char *a, *b;

	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	a[0] = 'x';
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	/* No longer to be found by key, which is free for another. */
	EXPECT_ERR(ENOENT, ipc->shmget(KEY, 0, 0));
	fresh = ipc->shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
	EXPECT_LE(0, fresh);
	EXPECT_NE(id, fresh);
	/* By id it is all there: to see, attach and change. */
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(IPC_PRIVATE, ds.shm_perm.__key);
	EXPECT_EQ(0640 | SHM_DEST, ds.shm_perm.mode);
	EXPECT_EQ(1, ds.shm_nattch);
	ASSERT_EQ(1, shm_row_find(ipc, id, &row));
	EXPECT_EQ(0, row.key);
	EXPECT_EQ(0640 | SHM_DEST, row.mode);
	b = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_EQ('x', b[0]);
	ds.shm_perm.mode = 0600;
	EXPECT_EQ(0, ipc->shmctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(0600 | SHM_DEST, ds.shm_perm.mode);
	/* Removing it once more is no error. */
	EXPECT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ(2, shm_nattch(ipc, id));
	EXPECT_EQ(0, ipc->shmdt(a));
	EXPECT_EQ(1, shm_nattch(ipc, id));
	EXPECT_EQ('x', b[0]);
	EXPECT_EQ(0, ipc->shmdt(b));
	destroyed(_metadata, ipc, id);
	EXPECT_EQ(0, shm_nattch(ipc, fresh));
	EXPECT_EQ(fresh, ipc->shmget(KEY, 0, 0));
}

TEST_F(lifetime, last_by_exit)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(KEY, PAGE, IPC_CREAT | 0600);
	struct peer p, q;
	char *a;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	a = peer_shmat(&p, ipc, id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_NE(MAP_FAILED, peer_shmat(&q, ipc, id, NULL, SHM_RDONLY));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(1, shm_nattch(ipc, id));
	peer_end(&q, SIGKILL);
	destroyed(_metadata, ipc, id);
}

TEST_F(lifetime, last_by_unmap)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(KEY, 3 * PAGE, IPC_CREAT | 0600);
	char *a;

	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	ASSERT_EQ(0, munmap(a + PAGE, PAGE));
	EXPECT_EQ(2, shm_nattch(ipc, id));
	ASSERT_EQ(0, munmap(a, PAGE));
	EXPECT_EQ(1, shm_nattch(ipc, id));
	EXPECT_EQ(0, probe_write(a + 2 * PAGE));
	ASSERT_EQ(0, munmap(a + 2 * PAGE, PAGE));
	destroyed(_metadata, ipc, id);
}

/* A move in the middle of it all must not count as the last detach. */
TEST_F(lifetime, move_is_no_detach)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(KEY, PAGE, IPC_CREAT | 0600);
	char *a, *b;

	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	a[0] = 'm';
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	b = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, b);
	ASSERT_EQ(b, mremap(a, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b));
	EXPECT_EQ('m', b[0]);
	EXPECT_EQ(1, shm_nattch(ipc, id));
	/* Over itself: the new attachment is there before the old one goes. */
	ASSERT_EQ(b, ipc->shmat(id, b, SHM_REMAP));
	EXPECT_EQ('m', b[0]);
	EXPECT_EQ(1, shm_nattch(ipc, id));
	ASSERT_EQ(0, ipc->shmdt(b));
	destroyed(_metadata, ipc, id);
}

/* Without IPC_RMID a segment stays when its last user dies, contents and all. */
TEST_F(lifetime, persistent)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p;
	char *a;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_shmget(&p, ipc, KEY, PAGE, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	a = peer_shmat(&p, ipc, id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, peer_poke(&p, a, 'p'));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(id, ipc->shmget(KEY, PAGE, 0));
	EXPECT_EQ(0, shm_nattch(ipc, id));
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ('p', a[0]);
}

/* The pages go at once: with the removal when unused, else with the last detach. */
TEST_F(lifetime, memory_freed)
{
	const struct ipc *ipc = variant->ipc;
	const long big = BIG >> 10, slack = big / 2;
	long before = meminfo("Shmem"), now;
	int id = ipc->shmget(KEY, BIG, IPC_CREAT | 0600);
	char *a;

	ASSERT_LE(0, id);
	ASSERT_LT(0, before);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	memset(a, 1, BIG);
	now = meminfo("Shmem");
	EXPECT_LE(before + big - slack, now);
	EXPECT_EQ(big, smaps(a, "Rss"));
	ASSERT_EQ(0, ipc->shmdt(a));
	EXPECT_LE(before + big - slack, meminfo("Shmem"));
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	/* Counters lag, and what earlier tests used may go meanwhile: not half of this. */
	wait_until(meminfo("Shmem") < before + slack);

	id = ipc->shmget(KEY, BIG, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	memset(a, 1, BIG);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	EXPECT_LE(before + big - slack, meminfo("Shmem"));
	ASSERT_EQ(0, ipc->shmdt(a));
	wait_until(meminfo("Shmem") < before + slack);
}

/* The listing tells what is resident. */
TEST_F(lifetime, resident)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(KEY, 10 * PAGE, IPC_CREAT | 0600), i;
	struct shm_row row;
	char *a;

	ASSERT_LE(0, id);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, shm_row_find(ipc, id, &row));
		EXPECT_EQ(i * PAGE, row.rss);
		a[2 * i * PAGE] = 1;
	}
	/* Reading a hole brings in a page as well; it is shared memory. */
	(void)*(volatile char *)(a + PAGE);
	ASSERT_EQ(1, shm_row_find(ipc, id, &row));
	EXPECT_EQ(6 * PAGE, row.rss);
	ASSERT_EQ(0, madvise(a, 10 * PAGE, MADV_REMOVE));
	ASSERT_EQ(1, shm_row_find(ipc, id, &row));
	EXPECT_EQ(0, row.rss);
	EXPECT_EQ(0, a[0]);
}

/*
 * Memory is promised at creation; SHM_NORESERVE asks for no promise.  Under strict
 * accounting nobody is let off: natively from the creation, in kipc, which cannot read
 * the setting, from the touch of each page.
 */
TEST_F(lifetime, reservation)
{
	const struct ipc *ipc = variant->ipc;
	const long slack = 4 << 10, big = BIG >> 10;
	long mode = read_number("/proc/sys/vm/overcommit_memory");
	long before = meminfo("Committed_AS"), now, touched = big;
	unsigned long i;
	int id, err;
	char *a;

	ASSERT_LE(0, mode);
	if (mode == 2)
		SKIP(return, "vm.overcommit_memory is 2 here already");
	id = ipc->shmget(IPC_PRIVATE, BIG, 0600);
	ASSERT_LE(0, id);
	now = meminfo("Committed_AS");
	EXPECT_LE(before + big - slack, now);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	wait_until(meminfo("Committed_AS") < before + slack);
	id = ipc->shmget(IPC_PRIVATE, BIG, SHM_NORESERVE | 0600);
	ASSERT_LE(0, id);
	now = meminfo("Committed_AS");
	EXPECT_GT(before + slack, now);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	/* Strict: the memory counts whatever the flag. */
	ASSERT_EQ(0, write_text("/proc/sys/vm/overcommit_memory", "2"));
	before = meminfo("Committed_AS");
	errno = 0;
	id = ipc->shmget(IPC_PRIVATE, BIG, SHM_NORESERVE | 0600);
	err = errno;
	if (id >= 0 && ipc == &ipc_kipc) {
		a = ipc->shmat(id, NULL, 0);
		/* Up to what the kernel still grants. */
		for (i = 0; a != MAP_FAILED && i < BIG && !probe_write(a + i); i += PAGE)
			;
		touched = i >> 10;
	}
	now = meminfo("Committed_AS");
	write_text("/proc/sys/vm/overcommit_memory", mode == 1 ? "1" : "0");
	if (id >= 0) {
		EXPECT_LE(before + touched - slack, now);
		EXPECT_LT(slack, touched);
	} else {
		EXPECT_EQ(ENOMEM, err);
	}
}

TEST_HARNESS_MAIN

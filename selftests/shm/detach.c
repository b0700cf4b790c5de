// SPDX-License-Identifier: GPL-2.0
/* shmdt(2): which mappings it finds and which it leaves alone. */
#include "common/harness.h"
#include "common/mem.h"

FIXTURE(detach) {
	char *hole;		/* 32 pages of free address space */
	int id, other;		/* of 8 pages each */
};

FIXTURE_VARIANT(detach) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(detach, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(detach, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(detach)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->id = variant->ipc->shmget(IPC_PRIVATE, 8 * PAGE, 0600);
	self->other = variant->ipc->shmget(IPC_PRIVATE, 8 * PAGE, 0600);
	ASSERT_LE(0, self->id);
	ASSERT_LE(0, self->other);
	self->hole = mmap(NULL, 32 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->hole);
	ASSERT_EQ(0, munmap(self->hole, 32 * PAGE));
}

FIXTURE_TEARDOWN(detach)
{
}

/* Which of @pages pages from @p are mapped, lowest bit first. */
static unsigned int mapped(const char *p, unsigned int pages)
{
	unsigned char vec;
	unsigned int i, map = 0;

	for (i = 0; i < pages; i++)
		if (!mincore((void *)(p + i * PAGE), PAGE, &vec))
			map |= 1u << i;
	return map;
}

static void put(struct __test_metadata *_metadata, const struct ipc *ipc, int id, char *at)
{
	ASSERT_EQ(at, ipc->shmat(id, at, 0));
}

TEST_F(detach, whole)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	EXPECT_EQ(0xff, mapped(h, 9));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 9));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
	EXPECT_ERR(EINVAL, ipc->shmdt(h));
}

TEST_F(detach, wrong_address)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;
	char *anon = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const unsigned long far[] = { 0x7ffffffff000ul, 0x800000000000ul, 1ul << 63,
					     0xffffffff81000000ul, ~0ul & ~(PAGE - 1) };
	unsigned int i;

	put(_metadata, ipc, self->id, h);
	EXPECT_ERR(EINVAL, ipc->shmdt(NULL));
	EXPECT_ERR(EINVAL, ipc->shmdt(h + 1));
	EXPECT_ERR(EINVAL, ipc->shmdt(h + PAGE));
	EXPECT_ERR(EINVAL, ipc->shmdt(h + 7 * PAGE));
	EXPECT_ERR(EINVAL, ipc->shmdt(h + 8 * PAGE));
	EXPECT_ERR(EINVAL, ipc->shmdt(h - PAGE));
	EXPECT_ERR(EINVAL, ipc->shmdt(anon));
	EXPECT_ERR(EINVAL, ipc->shmdt((void *)((unsigned long)mapped & ~(PAGE - 1))));
	for (i = 0; i < ARRAY_SIZE(far); i++) {
		EXPECT_ERR(EINVAL, ipc->shmdt((void *)far[i]));
		EXPECT_ERR(EINVAL, ipc->shmdt((void *)(far[i] | 1)));
	}
	EXPECT_EQ(0xff, mapped(h, 9));
	EXPECT_EQ(1, mapped(anon, 1));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
}

/* The fragments that unmapping left: one call takes them all. */
TEST_F(detach, hole_in_the_middle)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(0, munmap(h + 3 * PAGE, 2 * PAGE));
	EXPECT_EQ(2, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 8));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

TEST_F(detach, head_unmapped)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(0, munmap(h, 3 * PAGE));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	EXPECT_ERR(EINVAL, ipc->shmdt(h + 3 * PAGE));
	EXPECT_EQ(0xf8, mapped(h, 8));
	/* Still known by the address it was attached at. */
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 8));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

TEST_F(detach, tail_unmapped)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(0, munmap(h + PAGE, 7 * PAGE));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 8));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

TEST_F(detach, all_unmapped)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(0, munmap(h, 8 * PAGE));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
	EXPECT_ERR(EINVAL, ipc->shmdt(h));
}

TEST_F(detach, many_fragments)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(0, mprotect(h + PAGE, PAGE, PROT_READ));
	EXPECT_EQ(3, shm_nattch(ipc, self->id));
	ASSERT_EQ(0, mprotect(h + 3 * PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(5, shm_nattch(ipc, self->id));
	ASSERT_EQ(0, munmap(h + 5 * PAGE, PAGE));
	EXPECT_EQ(6, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 8));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

TEST_F(detach, neighbours_stay)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	put(_metadata, ipc, self->id, h + 8 * PAGE);
	put(_metadata, ipc, self->other, h + 16 * PAGE);
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0xffff00, mapped(h, 24));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	put(_metadata, ipc, self->id, h);
	EXPECT_EQ(0, ipc->shmdt(h + 8 * PAGE));
	EXPECT_EQ(0xff00ff, mapped(h, 24));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	EXPECT_EQ(1, shm_nattch(ipc, self->other));
}

/* What others put into the gaps stays: foreign memory, another segment. */
TEST_F(detach, foreign_in_the_gaps)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;
	int one = ipc->shmget(IPC_PRIVATE, PAGE, 0600);

	ASSERT_LE(0, one);
	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(h + 2 * PAGE, mmap(h + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_EQ(h + 4 * PAGE, ipc->shmat(one, h + 4 * PAGE, SHM_REMAP));
	EXPECT_EQ(3, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(1u << 2 | 1u << 4, mapped(h, 8));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
	EXPECT_EQ(1, shm_nattch(ipc, one));
}

/*
 * A fragment of another attachment of the same segment, moved to where a fragment of
 * this one was.  Natively it is left alone, and found by the next shmdt; kipc takes it
 * for what it looks like.  Whichever: in the end all is gone, and counted right.
 */
TEST_F(detach, second_attach_in_the_gap)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole, *second = h + 16 * PAGE;

	put(_metadata, ipc, self->id, h);
	put(_metadata, ipc, self->id, second);
	ASSERT_EQ(h + 4 * PAGE, mremap(second + 4 * PAGE, PAGE, PAGE,
				       MREMAP_MAYMOVE | MREMAP_FIXED, h + 4 * PAGE));
	EXPECT_EQ(0, ipc->shmdt(h));
	if (ipc == &ipc_native) {
		EXPECT_EQ(1u << 4, mapped(h, 8));
		EXPECT_EQ(3, shm_nattch(ipc, self->id));
		/* Found by the address of the first: the offset fits. */
		EXPECT_EQ(0, ipc->shmdt(h));
	}
	EXPECT_EQ(0, mapped(h, 8));
	EXPECT_EQ(0xffef0000, mapped(h, 32) | 0xff000000);
	EXPECT_EQ(2, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, ipc->shmdt(second));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, mapped(h, 32));
}

TEST_F(detach, moved)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole, *to = h + 16 * PAGE;

	put(_metadata, ipc, self->id, h);
	h[3] = 'x';
	ASSERT_EQ(to, mremap(h, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	EXPECT_EQ('x', to[3]);
	EXPECT_ERR(EINVAL, ipc->shmdt(h));
	EXPECT_EQ(0, ipc->shmdt(to));
	EXPECT_EQ(0, mapped(to, 8));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

/* A fragment moved out of the attachment's reach is on its own. */
TEST_F(detach, fragment_moved_away)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole, *to = h + 20 * PAGE;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(to, mremap(h + 4 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(3, shm_nattch(ipc, self->id));
	EXPECT_ERR(EINVAL, ipc->shmdt(to));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 8));
	EXPECT_EQ(3, mapped(to, 2));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	/* Four pages before it is where its segment would begin. */
	EXPECT_EQ(0, ipc->shmdt(to - 4 * PAGE));
	EXPECT_EQ(0, mapped(to, 2));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

TEST_F(detach, grown)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(h, mremap(h, 8 * PAGE, 12 * PAGE, 0));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, probe_write(h + 7 * PAGE));
	EXPECT_EQ(SIGBUS, probe_write(h + 8 * PAGE));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 12));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

TEST_F(detach, shrunk)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(h, mremap(h, 8 * PAGE, 3 * PAGE, 0));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	EXPECT_EQ(7, mapped(h, 8));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, mapped(h, 8));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
}

/* Another process' attachment at the same address is not ours to detach. */
TEST_F(detach, own_only)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;
	struct shmid_ds ds;
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(h, peer_shmat(&p, ipc, self->id, h, 0));
	EXPECT_ERR(EINVAL, ipc->shmdt(h));
	put(_metadata, ipc, self->id, h);
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(1, shm_nattch(ipc, self->id));
	ASSERT_EQ(0, peer_poke(&p, h, 1));
	EXPECT_EQ(0, peer_shmdt(&p, ipc, h));
	ASSERT_EQ(0, shm_stat(ipc, self->id, &ds));
	EXPECT_EQ(0, ds.shm_nattch);
	EXPECT_EQ(p.pid, ds.shm_lpid);
	peer_end(&p, 0);
}

/* What fork inherited is detached like one's own, by either side alone. */
TEST_F(detach, inherited)
{
	const struct ipc *ipc = variant->ipc;
	char *h = self->hole;
	struct peer p;

	put(_metadata, ipc, self->id, h);
	ASSERT_EQ(0, munmap(h + 3 * PAGE, PAGE));
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(4, shm_nattch(ipc, self->id));
	EXPECT_EQ(0, peer_shmdt(&p, ipc, h));
	EXPECT_EQ(2, shm_nattch(ipc, self->id));
	EXPECT_EQ(0xf7, mapped(h, 8));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(0, shm_nattch(ipc, self->id));
	peer_end(&p, 0);
}

TEST_HARNESS_MAIN

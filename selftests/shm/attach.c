// SPDX-License-Identifier: GPL-2.0
/* shmat(2): addresses, flags, protection, and what is mapped. */
#include "common/harness.h"
#include "common/mem.h"

#include <limits.h>
#include <sys/resource.h>
#include <time.h>

IPC_FIXTURE(attach)

/* A stretch of address space that nothing else uses. */
static char *hole(struct __test_metadata *_metadata, size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p, pages * PAGE));
	return p;
}

static int new_segment(struct __test_metadata *_metadata, const struct ipc *ipc, size_t size)
{
	int id = ipc->shmget(IPC_PRIVATE, size, 0600);

	ASSERT_LE(0, id);
	return id;
}

TEST_F(attach, anywhere)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, 2 * PAGE), other;
	char *a, *b;
	unsigned int i;

	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(0, (unsigned long)a % PAGE);
	for (i = 0; i < 2 * PAGE; i++)
		ASSERT_EQ(0, a[i]);
	b = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_NE(a, b);
	a[0] = 'x';
	b[2 * PAGE - 1] = 'y';
	EXPECT_EQ('x', b[0]);
	EXPECT_EQ('y', a[2 * PAGE - 1]);
	EXPECT_EQ(2, shm_nattch(ipc, id));
	/* The contents stay while nobody is attached, and are the segment's own. */
	other = new_segment(_metadata, ipc, 2 * PAGE);
	ASSERT_EQ(0, ipc->shmdt(a));
	ASSERT_EQ(0, ipc->shmdt(b));
	EXPECT_EQ(0, shm_nattch(ipc, id));
	a = ipc->shmat(id, NULL, 0);
	b = ipc->shmat(other, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_EQ('x', a[0]);
	EXPECT_EQ(0, b[0]);
}

TEST_F(attach, between_processes)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	char *a = ipc->shmat(id, NULL, 0), *b;
	struct peer p;

	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, peer_start(&p));
	/* What fork inherited, and an attachment of the peer's own. */
	a[0] = 1;
	EXPECT_EQ(1, peer_peek(&p, a));
	ASSERT_EQ(0, peer_poke(&p, a, 2));
	EXPECT_EQ(2, a[0]);
	b = peer_shmat(&p, ipc, id, NULL, 0);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_EQ(2, peer_peek(&p, b));
	ASSERT_EQ(0, peer_poke(&p, b, 3));
	EXPECT_EQ(3, a[0]);
	/* An id that the peer made after the fork. */
	id = peer_shmget(&p, ipc, 77, PAGE, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	b = peer_shmat(&p, ipc, id, NULL, 0);
	ASSERT_NE(MAP_FAILED, b);
	ASSERT_EQ(0, peer_poke(&p, b, 4));
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	EXPECT_EQ(4, a[0]);
	peer_end(&p, SIGKILL);
	EXPECT_EQ(4, a[0]);
}

/* A size that is no multiple of the page: the rest of the last page is there too. */
TEST_F(attach, odd_size)
{
	const struct ipc *ipc = variant->ipc;
	char *h = hole(_metadata, 4);
	int id = new_segment(_metadata, ipc, PAGE + 1);

	ASSERT_EQ(h, ipc->shmat(id, h, 0));
	EXPECT_EQ(0, probe_write(h + 2 * PAGE - 1));
	EXPECT_EQ(SIGSEGV, probe_read(h + 2 * PAGE));
	EXPECT_EQ(0, ipc->shmdt(h));
	EXPECT_EQ(SIGSEGV, probe_read(h));
	EXPECT_EQ(SIGSEGV, probe_read(h + 2 * PAGE - 1));
}

TEST_F(attach, at_address)
{
	const struct ipc *ipc = variant->ipc;
	char *h = hole(_metadata, 8);
	int id = new_segment(_metadata, ipc, 2 * PAGE);

	EXPECT_EQ(h + PAGE, ipc->shmat(id, h + PAGE, 0));
	EXPECT_ERR(EINVAL, ipc->shmat(id, h + 4 * PAGE + 1, 0));
	EXPECT_ERR(EINVAL, ipc->shmat(id, h + 4 * PAGE + PAGE / 2, 0));
	EXPECT_EQ(h + 4 * PAGE, ipc->shmat(id, h + 4 * PAGE + 1, SHM_RND));
	EXPECT_EQ(0, ipc->shmdt(h + 4 * PAGE));
	EXPECT_EQ(h + 4 * PAGE, ipc->shmat(id, h + 5 * PAGE - 1, SHM_RND));
	EXPECT_EQ(0, ipc->shmdt(h + 4 * PAGE));
	EXPECT_EQ(h + 4 * PAGE, ipc->shmat(id, h + 4 * PAGE, SHM_RND));
	EXPECT_EQ(2, shm_nattch(ipc, id));
}

TEST_F(attach, occupied)
{
	const struct ipc *ipc = variant->ipc;
	char *h = hole(_metadata, 8);
	int id = new_segment(_metadata, ipc, 2 * PAGE), i;

	ASSERT_EQ(h + 2 * PAGE, mmap(h + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	h[2 * PAGE] = 'k';
	for (i = 1; i <= 2; i++) {
		EXPECT_ERR(EINVAL, ipc->shmat(id, h + i * PAGE, 0));
		EXPECT_ERR(EINVAL, ipc->shmat(id, h + i * PAGE, SHM_RDONLY));
		EXPECT_ERR(EINVAL, ipc->shmat(id, h + i * PAGE + 5, SHM_RND));
	}
	EXPECT_EQ('k', h[2 * PAGE]);
	EXPECT_EQ(0, shm_nattch(ipc, id));
	/* Exactly between: fits. */
	EXPECT_EQ(h, ipc->shmat(id, h, 0));
	EXPECT_EQ(h + 3 * PAGE, ipc->shmat(id, h + 3 * PAGE, 0));
	EXPECT_ERR(EINVAL, ipc->shmat(id, h + 4 * PAGE, 0));
	EXPECT_EQ(2, shm_nattch(ipc, id));
}

TEST_F(attach, remap)
{
	const struct ipc *ipc = variant->ipc;
	int a = new_segment(_metadata, ipc, 2 * PAGE), b = new_segment(_metadata, ipc, PAGE);
	char *h = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, h);
	memset(h, 'k', 4 * PAGE);
	EXPECT_ERR(EINVAL, ipc->shmat(a, NULL, SHM_REMAP));
	EXPECT_ERR(EINVAL, ipc->shmat(a, (void *)1, SHM_REMAP | SHM_RND));
	EXPECT_ERR(EINVAL, ipc->shmat(a, h + 1, SHM_REMAP));
	ASSERT_EQ(h + PAGE, ipc->shmat(a, h + PAGE, SHM_REMAP));
	EXPECT_EQ('k', h[PAGE - 1]);
	EXPECT_EQ(0, h[PAGE]);
	EXPECT_EQ(0, h[3 * PAGE - 1]);
	EXPECT_EQ('k', h[3 * PAGE]);
	EXPECT_EQ(1, shm_nattch(ipc, a));
	/* Over the half of an attachment: the rest of that one stays. */
	ASSERT_EQ(h + PAGE, ipc->shmat(b, h + PAGE + 7, SHM_REMAP | SHM_RND));
	EXPECT_EQ(1, shm_nattch(ipc, a));
	EXPECT_EQ(1, shm_nattch(ipc, b));
	/* Over the other half: gone. */
	ASSERT_EQ(h + 2 * PAGE, ipc->shmat(b, h + 2 * PAGE, SHM_REMAP));
	EXPECT_EQ(0, shm_nattch(ipc, a));
	EXPECT_EQ(2, shm_nattch(ipc, b));
	/* Over itself. */
	ASSERT_EQ(h + 2 * PAGE, ipc->shmat(b, h + 2 * PAGE, SHM_REMAP));
	EXPECT_EQ(2, shm_nattch(ipc, b));
}

TEST_F(attach, read_only)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	char *w = ipc->shmat(id, NULL, 0), *r = ipc->shmat(id, NULL, SHM_RDONLY);
	struct mapping m;

	ASSERT_NE(MAP_FAILED, w);
	ASSERT_NE(MAP_FAILED, r);
	w[0] = 'x';
	EXPECT_EQ('x', r[0]);
	EXPECT_EQ(SIGSEGV, probe_write(r));
	EXPECT_EQ('x', r[0]);
	EXPECT_ERR(EACCES, mprotect(r, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_ERR(EACCES, mprotect(r, PAGE, PROT_WRITE));
	EXPECT_EQ(SIGSEGV, probe_write(r));
	ASSERT_EQ(0, mapping_of(r, &m));
	EXPECT_STREQ("r--s", m.perms);
	ASSERT_EQ(0, mapping_of(w, &m));
	EXPECT_STREQ("rw-s", m.perms);
	/* The writable one may give up its right and take it back. */
	EXPECT_EQ(0, mprotect(w, PAGE, PROT_READ));
	EXPECT_EQ(SIGSEGV, probe_write(w));
	EXPECT_EQ(0, mprotect(w, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, probe_write(w));
}

/* Not by moving, nor through a page that was never touched. */
TEST_F(attach, read_only_stays)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, 2 * PAGE);
	char *h = hole(_metadata, 4), *r = ipc->shmat(id, NULL, SHM_RDONLY);

	ASSERT_NE(MAP_FAILED, r);
	EXPECT_EQ(SIGSEGV, probe_write(r + PAGE));
	ASSERT_EQ(h, mremap(r, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, h));
	EXPECT_EQ(SIGSEGV, probe_write(h));
	EXPECT_ERR(EACCES, mprotect(h, 2 * PAGE, PROT_READ | PROT_WRITE));
	EXPECT_ERR(EACCES, mprotect(h + PAGE, PAGE, PROT_READ | PROT_WRITE));
}

TEST_F(attach, executable)
{
	const struct ipc *ipc = variant->ipc;
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0700);
	struct mapping m;
	char *w, *x;

	ASSERT_LE(0, id);
	w = ipc->shmat(id, NULL, 0);
	x = ipc->shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
	ASSERT_NE(MAP_FAILED, w);
	ASSERT_NE(MAP_FAILED, x);
	memcpy(w, code, sizeof(code));
	ASSERT_EQ(0, mapping_of(w, &m));
	EXPECT_STREQ("rw-s", m.perms);
	ASSERT_EQ(0, mapping_of(x, &m));
	EXPECT_STREQ("r-xs", m.perms);
	EXPECT_EQ(42, ((int (*)(void))x)());
	EXPECT_ERR(EACCES, mprotect(x, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	EXPECT_EQ(0, ipc->shmdt(x));
	x = ipc->shmat(id, NULL, SHM_EXEC);
	ASSERT_NE(MAP_FAILED, x);
	ASSERT_EQ(0, mapping_of(x, &m));
	EXPECT_STREQ("rwxs", m.perms);
	EXPECT_EQ(42, ((int (*)(void))x)());
}

/* Flags without a meaning are ignored; the upper bits of the id are not. */
TEST_F(attach, unknown_flags)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	struct mapping m;
	char *a;

	a = ipc->shmat(id, NULL, 0777 | IPC_CREAT | IPC_NOWAIT | 1 << 30);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, mapping_of(a, &m));
	EXPECT_STREQ("rw-s", m.perms);
}

/* ps and pmap know a segment by its name and take the inode number for its id. */
TEST_F(attach, in_maps)
{
	const struct ipc *ipc = variant->ipc;
	int id[2], i;
	char *a;

	id[0] = ipc->shmget(0xabcd, PAGE, IPC_CREAT | 0600);
	id[1] = ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	for (i = 0; i < 2; i++) {
		struct mapping m;

		ASSERT_LE(0, id[i]);
		a = ipc->shmat(id[i], NULL, 0);
		ASSERT_NE(MAP_FAILED, a);
		ASSERT_EQ(0, mapping_of(a, &m));
		EXPECT_STREQ(i ? "/SYSV00000000 (deleted)" : "/SYSV0000abcd (deleted)", m.name);
		EXPECT_EQ(0, m.offset);
		EXPECT_EQ(id[i], m.inode);
		EXPECT_EQ(PAGE, m.end - m.start);
	}
}

TEST_F(attach, stat)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	time_t before = stamp_now();
	struct shmid_ds ds;
	struct peer p;
	char *a;

	ASSERT_NE(MAP_FAILED, ipc->shmat(id, NULL, 0));
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_LE(before, ds.shm_atime);
	EXPECT_GE(stamp_now(), ds.shm_atime);
	EXPECT_EQ(0, ds.shm_dtime);
	EXPECT_EQ(getpid(), ds.shm_lpid);
	EXPECT_EQ(getpid(), ds.shm_cpid);
	EXPECT_EQ(1, ds.shm_nattch);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(2, ds.shm_nattch);
	a = peer_shmat(&p, ipc, id, NULL, SHM_RDONLY);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(p.pid, ds.shm_lpid);
	EXPECT_EQ(getpid(), ds.shm_cpid);
	EXPECT_EQ(3, ds.shm_nattch);
	peer_end(&p, 0);
	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	EXPECT_EQ(1, ds.shm_nattch);
	EXPECT_LE(before, ds.shm_dtime);
	EXPECT_GE(stamp_now(), ds.shm_dtime);
}

/* Each of the three times moves with its own event and stays put over the others'. */
TEST_F(attach, times)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, PAGE);
	struct shmid_ds ds, now;
	time_t start, t;
	char *a;

	ASSERT_EQ(0, shm_stat(ipc, id, &ds));
	start = ds.shm_ctime;
	wait_until((t = stamp_now()) > start);
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, shm_stat(ipc, id, &now));
	EXPECT_LE(t, now.shm_atime);
	EXPECT_EQ(0, now.shm_dtime);
	EXPECT_EQ(start, now.shm_ctime);
	ds = now;
	wait_until((t = stamp_now()) > ds.shm_atime);
	ASSERT_EQ(0, ipc->shmdt(a));
	ASSERT_EQ(0, shm_stat(ipc, id, &now));
	EXPECT_EQ(ds.shm_atime, now.shm_atime);
	EXPECT_LE(t, now.shm_dtime);
	EXPECT_EQ(start, now.shm_ctime);
	ds = now;
	wait_until((t = stamp_now()) > ds.shm_dtime);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_SET, &now));
	ASSERT_EQ(0, shm_stat(ipc, id, &now));
	EXPECT_EQ(ds.shm_atime, now.shm_atime);
	EXPECT_EQ(ds.shm_dtime, now.shm_dtime);
	EXPECT_LE(t, now.shm_ctime);
}

/* A mapping that the kernel refuses is not counted and leaves the segment as it was. */
TEST_F(attach, refused_by_rlimit)
{
	const struct ipc *ipc = variant->ipc;
	int id = new_segment(_metadata, ipc, 256 << 20);
	struct rlimit old, none = { .rlim_cur = 64 << 20 };
	struct shmid_ds before, after;
	char *a;

	ASSERT_EQ(0, shm_stat(ipc, id, &before));
	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &old));
	none.rlim_max = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	EXPECT_ERR(ENOMEM, ipc->shmat(id, NULL, 0));
	EXPECT_ERR(ENOMEM, ipc->shmat(id, NULL, SHM_RDONLY));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &old));
	ASSERT_EQ(0, shm_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	/* Marked for destruction while an attempt fails: destroyed by the last detach. */
	a = ipc->shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	EXPECT_ERR(ENOMEM, ipc->shmat(id, NULL, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &old));
	EXPECT_EQ(1, shm_nattch(ipc, id));
	ASSERT_EQ(0, ipc->shmdt(a));
	EXPECT_EQ(-EINVAL, shm_nattch(ipc, id));
}

static int locked_attach(void *arg)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	const struct rlimit little = { 1 << 20, 1 << 20 };
	const struct ipc *ipc = arg;
	int big = ipc->shmget(IPC_PRIVATE, 4 << 20, 0666);
	int small = ipc->shmget(IPC_PRIVATE, PAGE, 0666);
	char *a;

	if (big < 0 || small < 0 || setrlimit(RLIMIT_MEMLOCK, &little) || become(&user) ||
	    mlockall(MCL_FUTURE))
		return 1;
	errno = 0;
	if (ipc->shmat(big, NULL, 0) != MAP_FAILED || errno != EAGAIN)
		return 2;
	if (shm_nattch(ipc, big))
		return 3;
	a = ipc->shmat(small, NULL, 0);
	if (a == MAP_FAILED)
		return 4;
	/* mlockall brings the pages in. */
	if (smaps(a, "Rss") != 4)
		return 5;
	return smaps(a, "Locked") == 4 ? 0 : 6;
}

/* mlockall(MCL_FUTURE) covers attachments: present at once, and within the limit. */
TEST_F(attach, mlockall_future)
{
	EXPECT_EQ(0, in_child(locked_attach, (void *)variant->ipc));
}

/* Whatever the address: both say the same, and map the same place. */
TEST(diff_addresses)
{
	static const unsigned long addrs[] = {
		1, 0x10, PAGE - 1, PAGE, PAGE + 1, 0x10000, 0x7fff00000000ul,
		0x7ffffffff000ul - 2 * PAGE, 0x7ffffffff000ul - PAGE, 0x7ffffffff000ul,
		0x7ffffffff000ul - PAGE + 1, 0x800000000000ul - PAGE, 0x800000000000ul,
		0x800000001000ul, 1ul << 56, LONG_MAX & ~(PAGE - 1), 1ul << 63,
		0xffff800000000000ul, 0xffff888000000000ul, 0xffffffff81000000ul,
		0xffffffffff600000ul, 0xffffffffff5ff000ul, ULONG_MAX & ~(PAGE - 1), ULONG_MAX,
		ULONG_MAX - PAGE, (ULONG_MAX & ~(PAGE - 1)) - PAGE,
	};
	static const int flags[] = { 0, SHM_RND, SHM_REMAP, SHM_REMAP | SHM_RND, SHM_RDONLY,
				     SHM_RDONLY | SHM_RND };
	static const size_t sizes[] = { 1, 2 * PAGE, 1ul << 30 };
	static const struct who user = { .name = "user", .uid = 1000, .gid = 1000, .group = -1 };
	unsigned int i, j, k, as_user;
	int n[3], o[3];
	struct peer p;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* The two take turns: no other processor needs to be woken for that. */
	stay_on_cpu();
	ASSERT_EQ(0, peer_start(&p));
	for (k = 0; k < ARRAY_SIZE(sizes); k++) {
		n[k] = shmget(IPC_PRIVATE, sizes[k], SHM_NORESERVE | 0666);
		o[k] = ipc_kipc.shmget(IPC_PRIVATE, sizes[k], SHM_NORESERVE | 0666);
		ASSERT_LE(0, n[k]);
		ASSERT_LE(0, o[k]);
	}
	for (as_user = 0; as_user < 2; as_user++) {
		if (as_user)
			ASSERT_EQ(0, peer_become(&p, &user));
		for (i = 0; i < ARRAY_SIZE(addrs); i++)
			for (j = 0; j < ARRAY_SIZE(flags); j++)
				for (k = 0; k < ARRAY_SIZE(sizes); k++) {
					void *at = (void *)addrs[i], *a, *b;
					int ea, eb;

					/*
					 * Not over the stack, nor a gigabyte over the program:
					 * rounded down to 0, native maps without SHM_REMAP too.
					 */
					if (flags[j] & SHM_REMAP && addrs[i] >> 32 == 0x7fff)
						continue;
					if (flags[j] & (SHM_REMAP | SHM_RND) &&
					    addrs[i] < sizes[k] && sizes[k] > 2 * PAGE)
						continue;
					a = peer_shmat(&p, &ipc_native, n[k], at, flags[j]);
					ea = a == MAP_FAILED ? errno : 0;
					if (!ea)
						EXPECT_EQ(0, peer_shmdt(&p, &ipc_native, a));
					b = peer_shmat(&p, &ipc_kipc, o[k], at, flags[j]);
					eb = b == MAP_FAILED ? errno : 0;
					if (!eb)
						EXPECT_EQ(0, peer_shmdt(&p, &ipc_kipc, b));
					EXPECT_EQ(a, b);
					EXPECT_EQ(ea, eb)
						TH_LOG("at %p flags %#o size %#zx %s: native %s, kipc %s",
						       at, flags[j], sizes[k], as_user ? "user" : "root",
						       strerror(ea), strerror(eb));
				}
	}
	peer_end(&p, 0);
	for (k = 0; k < ARRAY_SIZE(sizes); k++)
		EXPECT_EQ(0, shm_nattch(&ipc_kipc, o[k]));
}

/* What mprotect, madvise and friends may do to an attachment is the same on both. */
TEST(diff_memory_calls)
{
	static const int advice[] = { MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP,
		MADV_MERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_WIPEONFORK, MADV_KEEPONFORK,
		MADV_COLD, MADV_PAGEOUT, 22 /* POPULATE_READ */, 23 /* POPULATE_WRITE */ };
	static const int modes[] = { 0, SHM_RDONLY, SHM_EXEC, SHM_EXEC | SHM_RDONLY };
	const struct ipc *ipcs[2] = { &ipc_native, &ipc_kipc };
	unsigned int i, j, k;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (j = 0; j < ARRAY_SIZE(modes); j++) {
		char *a[2];
		int id[2];

		for (k = 0; k < 2; k++) {
			id[k] = ipcs[k]->shmget(IPC_PRIVATE, 4 * PAGE, 0700);
			ASSERT_LE(0, id[k]);
			a[k] = ipcs[k]->shmat(id[k], NULL, modes[j]);
			ASSERT_NE(MAP_FAILED, a[k]);
			probe_write(a[k]);
		}
		for (i = 0; i < ARRAY_SIZE(advice); i++) {
			int e[2];

			for (k = 0; k < 2; k++)
				e[k] = madvise(a[k], 4 * PAGE, advice[i]) ? errno : 0;
			EXPECT_EQ(e[0], e[1])
				TH_LOG("mode %#o madvise %d: native %s, kipc %s", modes[j],
				       advice[i], strerror(e[0]), strerror(e[1]));
		}
		for (i = 0; i < 8; i++) {
			int e[2];

			for (k = 0; k < 2; k++)
				e[k] = mprotect(a[k], 4 * PAGE, i) ? errno : 0;
			EXPECT_EQ(e[0], e[1])
				TH_LOG("mode %#o mprotect %u: native %s, kipc %s", modes[j], i,
				       strerror(e[0]), strerror(e[1]));
		}
		for (i = 0; i < 3; i++) {
			static const int sync[] = { MS_SYNC, MS_ASYNC, MS_SYNC | MS_INVALIDATE };
			int e[2];

			for (k = 0; k < 2; k++)
				e[k] = msync(a[k], 4 * PAGE, sync[i]) ? errno : 0;
			EXPECT_EQ(e[0], e[1])
				TH_LOG("mode %#o msync %d", modes[j], sync[i]);
		}
		for (k = 0; k < 2; k++) {
			unsigned char vec[4];
			struct mapping m;

			EXPECT_EQ(0, mincore(a[k], 4 * PAGE, vec));
			EXPECT_EQ(1, shm_nattch(ipcs[k], id[k]));
			EXPECT_EQ(0, mapping_of(a[k], &m));
			EXPECT_EQ(0, ipcs[k]->shmdt(a[k]));
		}
	}
}

/* A detach by the other's call is refused and touches nothing. */
TEST(not_each_others)
{
	int n, o;
	char *a, *b;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	n = shmget(IPC_PRIVATE, PAGE, 0600);
	o = ipc_kipc.shmget(IPC_PRIVATE, PAGE, 0600);
	a = shmat(n, NULL, 0);
	b = ipc_kipc.shmat(o, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_NE(MAP_FAILED, b);
	EXPECT_ERR(EINVAL, ipc_kipc.shmdt(a));
	EXPECT_ERR(EINVAL, shmdt(b));
	EXPECT_EQ(0, probe_write(a));
	EXPECT_EQ(0, probe_write(b));
	EXPECT_EQ(1, shm_nattch(&ipc_native, n));
	EXPECT_EQ(1, shm_nattch(&ipc_kipc, o));
}

TEST_HARNESS_MAIN

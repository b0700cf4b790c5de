// SPDX-License-Identifier: GPL-2.0
/*
 * What a process may do with the mapping of a set, other than read and write it: tear it,
 * move it, change its protection, map it wrongly, hand it to the kernel, die with it.  It
 * is refused or does no harm: the set can be operated on, undo values are undone, and when
 * the set is cut nobody has its pages any more.
 */
#include "common/harness.h"
#include "common/device.h"
#include "hostile/raw.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define HELD	KIPC_SEM_HELD
#define NSEMS	700	/* two pages of undo values, three of words */
#define VALUE	100
#define CHANGE	-7

/* The process that has the mapping runs a test's body; the test looks on. */
static struct raw_process process;
static struct raw_view view;

FIXTURE(mapping) {
	struct peer p;
	int id;
	long refs;
};

typedef FIXTURE_DATA(mapping) scene_t;

#define RUN(fn, a, b)	peer_run(&self->p, fn, a, b, 0, 0, 0)

/* ---- In the peer ---- */

static long do_map(long *arg, void *buf)
{
	(void)buf;
	return raw_map_process(&process) || raw_map_set(&view, arg[0], KIPC_SEM_MAP_WRITE) ||
	       raw_operate(&process, &view, 0, CHANGE) ? -1 : 0;
}

/* Whether its mapping is whole, shows the set, and can be operated on. */
static long is_whole(long *arg, void *buf)
{
	unsigned int i;

	(void)arg;
	(void)buf;
	if (view.own->map != view.index || view.own->adjust[0].fast != -CHANGE || view.shared->state)
		return 1;
	for (i = 1; i < NSEMS; i++)
		if (view.own->adjust[i].fast ||
		    (view.shared->cells[i].word & KIPC_SEM_VALUE) != VALUE)
			return 2;
	if (raw_operate(&process, &view, NSEMS - 1, 1) || raw_operate(&process, &view, NSEMS - 1, -1))
		return 3;
	return view.own->adjust[NSEMS - 1].fast ? 4 : 0;
}

static long is_cut(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return view.shared->state == HELD && view.shared->cells[0].word == HELD &&
	       view.shared->cells[NSEMS - 1].word == HELD;
}

FIXTURE_SETUP(mapping)
{
	unsigned short values[NSEMS];
	int i;

	for (i = 0; i < NSEMS; i++)
		values[i] = VALUE;
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LE(0, raw_fd());
	self->refs = module_refs();
	self->id = raw_new_set(values, NSEMS);
	ASSERT_LE(0, self->id);
	ASSERT_EQ(0, peer_start(&self->p));
	ASSERT_EQ(0, RUN(do_map, self->id, 0));
	ASSERT_EQ(0, RUN(is_whole, 0, 0));
}

/* Whatever was done: the set is right, the undo value is undone, nothing is left. */
FIXTURE_TEARDOWN(mapping)
{
	EXPECT_EQ(VALUE + CHANGE, raw_val(self->id, 0));
	if (self->p.pid > 0)
		peer_end(&self->p, SIGKILL);
	EXPECT_EQ(VALUE, raw_val(self->id, 0));
	EXPECT_EQ(VALUE, raw_val(self->id, NSEMS - 1));
	EXPECT_EQ(0, raw_semop1(self->id, 0, 1, 0));
	EXPECT_EQ(7, raw_read_listings());
	EXPECT_EQ(0, raw_semctl(self->id, 0, IPC_RMID, 0));
	EXPECT_NOTHING(&ipc_kipc);
	wait_until(module_refs() <= self->refs);
}

/* A test whose body is a function of the peer's, which returns the line that is wrong. */
#define IN_PEER(name) \
	static long in_peer_##name(long *arg, void *buf); \
	TEST_F(mapping, name) \
	{ \
		EXPECT_EQ(0, RUN(in_peer_##name, self->id, 0)); \
	} \
	static long in_peer_##name(long __attribute__((unused)) *arg, \
				   void __attribute__((unused)) *buf)

#define CHECK(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "# line %d: %s: errno %d\n", __LINE__, #cond, errno); \
		return __LINE__; \
	} \
} while (0)
#define REFUSED(error, call)	CHECK((errno = 0, (long)(call) == -1) && errno == (error))
#define WHOLE()			CHECK(!is_whole(NULL, NULL))
#define OWN			((char *)view.start)
#define END			(OWN + view.size)
#define SHARED			((char *)view.shared)
#define RW			(PROT_READ | PROT_WRITE)

/* ---- Torn ---- */

IN_PEER(unmapped_in_part)
{
	size_t at;

	for (at = 0; at < view.size; at += PAGE) {
		REFUSED(EINVAL, munmap(OWN + at, PAGE));
		CHECK(mmap(OWN + at, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		      MAP_FAILED);
		WHOLE();
	}
	REFUSED(EINVAL, munmap(OWN, view.size - PAGE));
	REFUSED(EINVAL, munmap(OWN + PAGE, view.size - PAGE));
	WHOLE();
	CHECK(!munmap(OWN, view.size));
	CHECK(probe_read(OWN) == SIGSEGV && probe_read(SHARED) == SIGSEGV);
	return 0;
}

/* With what lies around it, in one call. */
IN_PEER(mapped_over)
{
	char *place = mmap(NULL, view.size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(place != MAP_FAILED);
	CHECK(mremap(OWN, view.size, view.size, MREMAP_MAYMOVE | MREMAP_FIXED, place + PAGE) ==
	      place + PAGE);
	CHECK(mmap(place, view.size + 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      place);
	CHECK(!place[PAGE] && !munmap(place, view.size + 2 * PAGE));
	/* It can be mapped again, with all that was. */
	CHECK(!raw_map_set(&view, arg[0], KIPC_SEM_MAP_WRITE));
	CHECK(!view.own->adjust[0].fast && view.own->adjust[0].slow == -CHANGE);
	return 0;
}

static void move_to(char *place)
{
	view.own = (void *)place;
	view.shared = (void *)(place + raw_own_size(NSEMS));
	view.start = place;
}

IN_PEER(moved)
{
	char *old = OWN, *place;

	REFUSED(EINVAL, mremap(OWN, view.size, view.size - PAGE, 0));
	CHECK(mremap(OWN, view.size, view.size + PAGE, 0) == MAP_FAILED);
	CHECK(mremap(OWN, view.size, view.size + PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(mremap(OWN, 0, view.size, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(mremap(OWN, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED);
	CHECK(mremap(OWN, view.size, view.size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED);
	WHOLE();
	place = mmap(NULL, view.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(place != MAP_FAILED);
	/* A part of it: the first pages, and one from within. */
	CHECK(mremap(OWN, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED);
	CHECK(mremap(SHARED, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED);
	WHOLE();
	place = mmap(NULL, view.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mremap(OWN, view.size, view.size, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
	CHECK(probe_read(old) == SIGSEGV);
	move_to(place);
	WHOLE();
	/* There it is cut, too. */
	CHECK(!raw_set_mode(arg[0], 0600) && is_cut(NULL, NULL));
	CHECK(!munmap(place, view.size));
	return 0;
}

IN_PEER(page_offset_changed)
{
	unsigned long page;

	/* It maps anew, or nothing: then the set is not mapped any more. */
	for (page = 0; page < 4; page++)
		CHECK(syscall(SYS_remap_file_pages, OWN, view.size, 0, page, 0) == -1);
	if (!probe_read(OWN))
		CHECK(!munmap(OWN, view.size));
	CHECK(!raw_map_set(&view, arg[0], KIPC_SEM_MAP_WRITE));
	CHECK(view.own->adjust[0].slow == -CHANGE || view.own->adjust[0].fast == -CHANGE);
	return 0;
}

/* ---- Protection ---- */

IN_PEER(protection)
{
	struct raw_view look;

	REFUSED(EINVAL, mprotect(OWN, PAGE, PROT_READ));
	REFUSED(EINVAL, mprotect(SHARED, PAGE, PROT_NONE));
	REFUSED(EINVAL, mprotect(END - PAGE, PAGE, PROT_READ));
	REFUSED(EACCES, mprotect(OWN, view.size, PROT_READ | PROT_EXEC));
	REFUSED(EACCES, mprotect(OWN, view.size, RW | PROT_EXEC));
	WHOLE();
	CHECK(!mprotect(OWN, view.size, PROT_NONE) && probe_read(SHARED) == SIGSEGV);
	CHECK(!mprotect(OWN, view.size, PROT_READ) && !probe_read(SHARED));
	CHECK(probe_write(SHARED) == SIGSEGV && probe_write(OWN) == SIGSEGV);
	CHECK(!mprotect(OWN, view.size, RW));
	WHOLE();
	/* To look only, and never more; it is cut as any. */
	CHECK(!raw_map_set(&look, arg[0], 0));
	REFUSED(EACCES, mprotect(look.start, look.size, RW));
	REFUSED(EACCES, mprotect(look.start, look.size, PROT_WRITE));
	REFUSED(EACCES, mprotect(look.start, look.size, PROT_READ | PROT_EXEC));
	CHECK(look.shared->cells[1].word == VALUE && probe_write(look.shared) == SIGSEGV);
	REFUSED(EACCES, mprotect((void *)process.clock, PAGE, RW));
	REFUSED(EACCES, mprotect(process.slots, PAGE, RW | PROT_EXEC));
	CHECK(!raw_set_mode(arg[0], 0600) && look.shared->state == HELD && is_cut(NULL, NULL));
	CHECK(!raw_unmap_set(&look));
	return 0;
}

/* ---- Advice ---- */

/* Some are refused, some mean nothing here; none takes a page or gives one to a child. */
IN_PEER(advice)
{
	static const int refused[] = {
		MADV_DONTNEED, MADV_REMOVE, MADV_DOFORK, MADV_WIPEONFORK, MADV_DODUMP, MADV_FREE,
	};
	unsigned int i;
	int n, status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		CHECK(madvise(OWN, view.size, refused[i]) == -1);
		CHECK(madvise(SHARED, PAGE, refused[i]) == -1);
	}
	for (n = 0; n < 32; n++) {
		madvise(OWN, view.size, n);
		madvise(SHARED, PAGE, n);
		madvise(process.slots, PAGE, n);
		WHOLE();
	}
	/* The page would be lost, if it could be had. */
	CHECK(madvise(SHARED, PAGE, MADV_HWPOISON) == -1);
	CHECK(madvise(SHARED, PAGE, MADV_SOFT_OFFLINE) == -1);
	WHOLE();
	mlock(OWN, view.size);
	mlock(SHARED, PAGE);
	mlockall(MCL_CURRENT);
	munlockall();
	msync(OWN, view.size, MS_SYNC | MS_INVALIDATE);
	WHOLE();
	pid = fork();
	if (!pid)
		_exit(probe_read(OWN) == SIGSEGV && probe_read(SHARED) == SIGSEGV &&
		      probe_read(process.slots) == SIGSEGV &&
		      probe_read(process.clock) == SIGSEGV ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && !status);
	return 0;
}

/* ---- Mapped wrongly ---- */

#define MAP_AT(prot, flags, size, offset)	mmap(NULL, size, prot, flags, raw_fd(), offset)

IN_PEER(mapped_wrongly)
{
	const off_t set = KIPC_MMAP_OFFSET(KIPC_KIND_SEM, arg[0]);
	const size_t size = view.size, look = raw_shared_size(NSEMS);
	char *p;
	int fd;

	/* Lengths, and whatever lies beside. */
	for (size_t n = PAGE; n <= size + 4 * PAGE; n += PAGE) {
		if (n != size)
			REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, n, set));
		if (n != look)
			REFUSED(EINVAL, MAP_AT(PROT_READ, MAP_SHARED, n, set));
	}
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, set + PAGE));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, set + (1 << 20)));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, set | 1ul << 19));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, KIPC_MMAP_OFFSET(KIPC_KIND_MSG, arg[0])));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, KIPC_MMAP_OFFSET(KIPC_KIND_SHM, arg[0])));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, KIPC_MMAP_OFFSET(15, arg[0])));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, KIPC_MMAP_OFFSET(KIPC_KIND_SEM, -1)));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, size, KIPC_MMAP_OFFSET(KIPC_KIND_SEM, 1u << 31)));
	/* Kinds. */
	REFUSED(EINVAL, MAP_AT(RW, MAP_PRIVATE, size, set));
	REFUSED(EINVAL, MAP_AT(PROT_READ, MAP_PRIVATE, look, set));
	REFUSED(EINVAL, MAP_AT(PROT_READ | PROT_EXEC, MAP_SHARED, look, set));
	REFUSED(EINVAL, MAP_AT(RW | PROT_EXEC, MAP_SHARED, size, set));
	REFUSED(EBUSY, MAP_AT(RW, MAP_SHARED, size, set));
	REFUSED(EBUSY, MAP_AT(PROT_WRITE, MAP_SHARED, size, set));
	/* The record and the clock. */
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, 2 * PAGE, KIPC_MMAP_SLOTS));
	REFUSED(EINVAL, MAP_AT(RW, MAP_PRIVATE, PAGE, KIPC_MMAP_SLOTS));
	REFUSED(EINVAL, MAP_AT(RW | PROT_EXEC, MAP_SHARED, PAGE, KIPC_MMAP_SLOTS));
	REFUSED(EINVAL, MAP_AT(PROT_READ, MAP_SHARED, 2 * PAGE, KIPC_MMAP_CLOCK));
	REFUSED(EINVAL, MAP_AT(RW, MAP_SHARED, PAGE, KIPC_MMAP_CLOCK));
	REFUSED(EINVAL, MAP_AT(PROT_READ, MAP_PRIVATE, PAGE, KIPC_MMAP_CLOCK));
	REFUSED(EINVAL, MAP_AT(PROT_READ, MAP_SHARED, PAGE, KIPC_MMAP_OFFSET(16, 2)));
	/* A descriptor that does not write. */
	fd = open(KIPC_DEVICE, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	REFUSED(EACCES, mmap(NULL, size, RW, MAP_SHARED, fd, set));
	close(fd);
	/* Without any access at first: to look only, and never more. */
	p = MAP_AT(PROT_NONE, MAP_SHARED, look, set);
	CHECK(p != MAP_FAILED && probe_read(p) == SIGSEGV);
	REFUSED(EACCES, mprotect(p, look, RW));
	CHECK(!mprotect(p, look, PROT_READ) && !probe_read(p) && probe_write(p) == SIGSEGV);
	CHECK(!munmap(p, look));
	WHOLE();
	return 0;
}

/* ---- Handed to the kernel, which would keep the pages ---- */

IN_PEER(written_by_others)
{
	struct iovec mine, its;
	unsigned long word = 0x5a5a;
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC), pipes[2];
	long ret;

	mine = (struct iovec){ &word, sizeof(word) };
	its = (struct iovec){ (void *)view.shared->cells, sizeof(word) };
	ret = syscall(SYS_process_vm_writev, getpid(), &mine, 1, &its, 1, 0);
	CHECK(ret == -1 && (errno == EFAULT || errno == ENOSYS));
	ret = syscall(SYS_process_vm_readv, getpid(), &mine, 1, &its, 1, 0);
	CHECK(ret == -1 && (errno == EFAULT || errno == ENOSYS));
	CHECK(fd >= 0);
	CHECK(pwrite(fd, &word, sizeof(word), (off_t)SHARED) == -1);
	CHECK(pwrite(fd, &word, sizeof(word), (off_t)OWN) == -1);
	CHECK(pread(fd, &word, sizeof(word), (off_t)SHARED) == -1);
	close(fd);
	/* Copied by the kernel: as a store of the process' own. */
	CHECK(!pipe(pipes));
	CHECK(write(pipes[1], &view.shared->cells[NSEMS - 1], 8) == 8);
	CHECK(read(pipes[0], &view.shared->cells[NSEMS - 1], 8) == 8);
	WHOLE();
	return 0;
}

static int io_uring_pin(void *start, size_t size)
{
	struct io_uring_params params = { .flags = 0 };
	struct iovec iov = { start, size };
	int fd = syscall(SYS_io_uring_setup, 4, &params), ret, error;

	if (fd < 0)
		return -ENOSYS;
	ret = syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &iov, 1);
	error = errno;
	close(fd);
	return ret < 0 ? -error : 0;
}

IN_PEER(pinned)
{
	struct iovec iov = { SHARED, PAGE };
	int pipes[2], ret;

	CHECK(!pipe(pipes));
	REFUSED(EFAULT, vmsplice(pipes[1], &iov, 1, SPLICE_F_GIFT));
	REFUSED(EFAULT, vmsplice(pipes[1], &iov, 1, SPLICE_F_NONBLOCK));
	iov.iov_base = OWN;
	REFUSED(EFAULT, vmsplice(pipes[1], &iov, 1, SPLICE_F_NONBLOCK));
	ret = io_uring_pin(SHARED, PAGE);
	CHECK(ret == -EFAULT || ret == -EOPNOTSUPP || ret == -ENOSYS);
	ret = io_uring_pin(OWN, view.size);
	CHECK(ret == -EFAULT || ret == -EOPNOTSUPP || ret == -ENOSYS);
	ret = io_uring_pin(process.slots, PAGE);
	CHECK(ret == -EFAULT || ret == -EOPNOTSUPP || ret == -ENOSYS);
	/* A futex of a shared page is named by the page. */
	REFUSED(EFAULT, syscall(SYS_futex, view.shared, FUTEX_WAKE, 1, NULL, NULL, 0));
	REFUSED(EAGAIN, syscall(SYS_futex, view.shared, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, NULL,
				NULL, 0));
	WHOLE();
	return 0;
}

static long tell_words(long *arg, void *buf)
{
	(void)arg;
	((void **)buf)[0] = view.shared;
	((void **)buf)[1] = view.own;
	((void **)buf)[2] = process.slots;
	return 0;
}

/* By its tracer. */
TEST_F(mapping, traced)
{
	void *at[3];
	int i, status;

	ASSERT_EQ(0, RUN(tell_words, 0, 0));
	memcpy(at, self->p.page->buf, sizeof(at));
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, self->p.pid, 0, 0));
	ASSERT_EQ(self->p.pid, waitpid(self->p.pid, &status, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_ERR(EIO, ptrace(PTRACE_POKEDATA, self->p.pid, at[i], -1l));
		EXPECT_ERR(EIO, ptrace(PTRACE_PEEKDATA, self->p.pid, at[i], 0));
	}
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->p.pid, 0, 0));
	EXPECT_EQ(0, RUN(is_whole, 0, 0));
}

/* ---- In the memory of another ---- */

/* A process of its own in its parent's memory: it maps the set there, operates, and ends. */
static int in_shared_memory(void *arg)
{
	static struct raw_process its_process;
	static struct raw_view its_view;

	if (raw_map_process(&its_process) || raw_map_set(&its_view, (long)arg, KIPC_SEM_MAP_WRITE) ||
	    raw_operate(&its_process, &its_view, 1, -1))
		_exit(1);
	view = its_view;
	process = its_process;
	_exit(0);
}

IN_PEER(shared_memory)
{
	static char stack[65536];
	struct raw_view mine = view;
	struct raw_process mine_too = process;
	int status;
	pid_t pid;

	pid = clone(in_shared_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, (void *)arg[0]);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	/* It ended, and what it did was undone; its mapping stays, and is cut. */
	CHECK(raw_val(arg[0], 1) == VALUE && view.start != mine.start);
	CHECK(is_cut(NULL, NULL));
	raw_fill(&process, &view, ~0ul);
	raw_fill(&process, &view, 0);
	CHECK(raw_val(arg[0], 1) == VALUE && raw_val(arg[0], 0) == VALUE + CHANGE);
	CHECK(!munmap(view.start, view.size) && !munmap(process.slots, PAGE) &&
	      !munmap((void *)process.clock, PAGE));
	view = mine;
	process = mine_too;
	WHOLE();
	return 0;
}

/* ---- Dumped ---- */

#define SIGN(i)	(0x6b697063ul << 32 | ((i) ^ 0x5ca1ab1e))

/* Marks that no other memory has, one after the other, and an end with a dump. */
static long die_with_marks(long *arg, void *buf)
{
	volatile __u64 *p = (void *)&view.shared->cells[NSEMS], *end = (void *)END;
	struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	unsigned long i;

	(void)arg;
	(void)buf;
	for (i = 0; p < end; i++)
		*p++ = SIGN(i);
	setrlimit(RLIMIT_CORE, &most);
	prctl(PR_SET_DUMPABLE, 1);
	abort();
}

/* Return: how many marks stand one after the other in the file, at most. */
static long find_marks(const char *path)
{
	unsigned long word, next = 0;
	long most = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	while (fread(&word, sizeof(word), 1, f) == 1) {
		next = word == SIGN(next) ? next + 1 : 0;
		most = (long)next > most ? (long)next : most;
	}
	fclose(f);
	return most;
}

TEST_F(mapping, dumped)
{
	char path[64], pattern[128] = "", filter[64];
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "r");
	pid_t pid = self->p.pid;
	int status;

	if (!f || !fgets(pattern, sizeof(pattern), f))
		pattern[0] = 0;
	if (f)
		fclose(f);
	if (!pattern[0])
		SKIP(return, "this kernel writes no dumps");
	ASSERT_EQ(0, write_text("/proc/sys/kernel/core_pattern", "/tmp/kipc-core"));
	snprintf(filter, sizeof(filter), "/proc/%d/coredump_filter", pid);
	EXPECT_EQ(0, write_text(filter, "0x7f"));
	EXPECT_ERR(EPIPE, RUN(die_with_marks, 0, 0));
	status = peer_end(&self->p, SIGKILL);
	write_text("/proc/sys/kernel/core_pattern", pattern);
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(VALUE, raw_val(self->id, 0));
	if (WCOREDUMP(status)) {
		snprintf(path, sizeof(path), "/tmp/kipc-core.%d", pid);
		if (access(path, F_OK))
			strcpy(path, "/tmp/kipc-core");
		EXPECT_LE(0, find_marks(path));
		EXPECT_GT(4, find_marks(path));
		unlink(path);
	}
	/* For what looks on afterwards. */
	ASSERT_EQ(0, peer_start(&self->p));
	ASSERT_EQ(0, RUN(do_map, self->id, 0));
}

TEST_HARNESS_MAIN

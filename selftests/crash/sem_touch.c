// SPDX-License-Identifier: GPL-2.0
/*
 * What is mapped of sets and of the record is touched from the section of the fast paths
 * and from nowhere else while operations of all kinds are made: every page of it is taken
 * away, each access faults, is looked at, and is let through alone.
 *
 * What maps a set, and gives a thread its slot, is outside: that is done before.
 */
#include "common/harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#include <kipc.h>
#include <linux/kipc.h>

#include "step.h"

extern const unsigned char __start_kipc_fast_text[], __stop_kipc_fast_text[];

#define TRAP_FLAG	0x100	/* of the processor's flags: stop after one instruction */
#define RANGES_MAX	16
#define PLACES_MAX	256

static struct range {
	unsigned long start, size;
	int prot;
} ranges[RANGES_MAX];
static int range_count;

/* Where accesses came from. */
static volatile unsigned long places[PLACES_MAX];
static volatile int place_count, outside, strange;
static volatile long accesses;

static void protect(bool yes)
{
	int i;

	for (i = 0; i < range_count; i++)
		if (mprotect((void *)ranges[i].start, ranges[i].size,
			     yes ? PROT_NONE : ranges[i].prot))
			_exit(81);
}

static bool in_ranges(unsigned long addr)
{
	int i;

	for (i = 0; i < range_count; i++)
		if (addr - ranges[i].start < ranges[i].size)
			return true;
	return false;
}

/* Let the access through, and only that. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned long pc = regs[REG_RIP];
	int i;

	if (!in_ranges((unsigned long)info->si_addr) || sig != SIGSEGV)
		_exit(82);
	accesses++;
	outside += pc < (unsigned long)__start_kipc_fast_text ||
		   pc >= (unsigned long)__stop_kipc_fast_text;
	for (i = 0; i < place_count && places[i] != pc; i++)
		;
	if (i == place_count && i < PLACES_MAX)
		places[place_count++] = pc;
	protect(false);
	regs[REG_EFL] |= TRAP_FLAG;
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	strange += info->si_code != TRAP_TRACE;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	protect(true);
}

/* All that this process has mapped of kipc. */
static void find_ranges(void)
{
	char line[256], perms[8], name[128];
	unsigned long start, end;
	FILE *f = fopen("/proc/self/maps", "re");

	range_count = 0;
	while (f && fgets(line, sizeof(line), f) && range_count < RANGES_MAX) {
		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %127s", &start, &end, perms, name) != 4 ||
		    strcmp(name, KIPC_DEVICE))
			continue;
		ranges[range_count++] = (struct range){
			start, end - start,
			(perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0),
		};
	}
	if (f)
		fclose(f);
}

FIXTURE(touch) {
	int id, other;
};

FIXTURE_SETUP(touch)
{
	struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct sigaction trap = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->id = kipc_semget(IPC_PRIVATE, 2, 0600);
	ASSERT_GE(self->id, 0);
	/* A set whose bucket in the library is the same: ids modulo 256. */
	do {
		self->other = kipc_semget(IPC_PRIVATE, 2, 0600);
		ASSERT_GE(self->other, 0);
		if ((self->other - self->id) % 256)
			ASSERT_EQ(0, kipc_semctl(self->other, 0, IPC_RMID));
	} while ((self->other - self->id) % 256);
	ASSERT_EQ(0, step_warm(self->id, 0));
	ASSERT_EQ(0, step_warm(self->id, SEM_UNDO));
	ASSERT_EQ(0, sigaction(SIGSEGV, &fault, NULL));
	ASSERT_EQ(0, sigaction(SIGTRAP, &trap, NULL));
	find_ranges();
	/* The slots, the clock, and a set's private and shared pages. */
	ASSERT_GE(range_count, 3);
	ASSERT_LT(range_count, RANGES_MAX);
}

FIXTURE_TEARDOWN(touch)
{
	kipc_semctl(self->id, 0, IPC_RMID);
}

/*
 * Each kind several times, with pages that are there and none.  Between those that go
 * through the kernel stands a call on the other set: a library that sees many calls on
 * one set, one after the other, looks whether it should map it anew.
 */
#define CALLED(expected_errno, operation) do { \
	struct sembuf __up = { 0, 1, 0 }; \
	ASSERT_EQ(0, kipc_semop(self->other, &__up, 1)); \
	if (expected_errno) \
		EXPECT_ERR(expected_errno, operation); \
	else \
		EXPECT_EQ(0, operation); \
} while (0)

#define OP(num, op, flags)	kipc_semop(self->id, SOPS({ num, op, flags }))

TEST_F(touch, only_from_the_section)
{
	int before, i, k;

	protect(true);
	for (i = 0; i < 20; i++) {
		for (k = 0; k < 2; k++) {
			EXPECT_EQ(0, OP(0, 1, k * SEM_UNDO));
			EXPECT_EQ(1, kipc_semctl(self->id, 0, GETVAL));
			EXPECT_EQ(0, OP(0, -1, k * SEM_UNDO));
			EXPECT_EQ(0, OP(0, 0, k * SEM_UNDO));
		}
		CALLED(EAGAIN, OP(0, -1, IPC_NOWAIT));
		CALLED(EAGAIN, OP(0, -1, IPC_NOWAIT | SEM_UNDO));
		CALLED(EFBIG, OP(2, 1, 0));
		CALLED(EFBIG, OP(2, 1, SEM_UNDO));
		CALLED(EINVAL, kipc_semctl(self->id, 2, GETVAL));
		CALLED(0, OP(1, 100, SEM_UNDO));
		CALLED(0, OP(1, -100, SEM_UNDO));
		CALLED(0, kipc_semop(self->id, SOPS({ 0, 1, SEM_UNDO }, { 1, 0, 0 })));
		CALLED(0, kipc_semctl(self->id, 0, SETVAL, 0));
	}
	protect(false);
	TH_LOG("%ld accesses by %d instructions", accesses, place_count);
	/* Each operation looks at the state and at the word, at least. */
	EXPECT_GT(accesses, 20 * 2 * 8);
	EXPECT_EQ(0, outside);
	EXPECT_EQ(0, strange);
	for (i = 0; i < place_count; i++)
		if (places[i] < (unsigned long)__start_kipc_fast_text ||
		    places[i] >= (unsigned long)__stop_kipc_fast_text)
			TH_LOG("outside: %lx", places[i]);

	/* And it shows if there is one. */
	protect(true);
	before = outside;
	(void)*(volatile char *)ranges[0].start;
	protect(false);
	EXPECT_EQ(before + 1, outside);
}

/* A set that is cut or gone, and a child that operates in a handler of its own. */
TEST_F(touch, also_of_a_set_that_is_cut)
{
	struct semid_ds ds;

	protect(true);
	ASSERT_EQ(0, kipc_semctl(self->id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	ASSERT_EQ(0, kipc_semctl(self->id, 0, IPC_SET, (union semun){ .buf = &ds }));
	CALLED(0, OP(0, 1, 0));
	CALLED(0, OP(0, 1, SEM_UNDO));
	EXPECT_EQ(2, kipc_semctl(self->id, 0, GETVAL));
	ASSERT_EQ(0, kipc_semctl(self->id, 0, IPC_RMID));
	EXPECT_ERR(EINVAL, OP(0, 1, 0));
	EXPECT_ERR(EINVAL, OP(0, 1, SEM_UNDO));
	EXPECT_ERR(EINVAL, kipc_semctl(self->id, 0, GETVAL));
	protect(false);
	EXPECT_GT(accesses, 6);
	EXPECT_EQ(0, outside);
	EXPECT_EQ(0, strange);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Semaphores without a system call, ended or stopped at every instruction.
 *
 * The code that operates on a mapped set lies in a section of its own.  One traced child
 * makes an operation instruction by instruction, and tells which lie inside the section.
 * Then for each of them another child runs up to it, by a breakpoint of the processor, and
 * is killed there; or stopped while others operate, set values and remove the set.
 * Afterwards everything must be as if the operation had happened wholly or not at all.
 */
#include "common/harness.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <elf.h>

#include <kipc.h>

extern const char __start_kipc_fast_text[], __stop_kipc_fast_text[];

#define WARM	40	/* operations after which the library has the set mapped */

enum end { STOP_OPERATE, STOP_SETVAL, STOP_SETALL, STOP_MODE };

struct run {
	int id;
	struct sembuf op;
	bool in_handler;
	/* What trace() saw: the instructions inside the section, in the order they ran. */
	unsigned long *path;
	int steps;
};

static const struct run *handled;

static int set_value(int id, int num, int value)
{
	return kipc_semctl(id, num, SETVAL, (union semun){ .val = value });
}

static int value_of(int id, int num)
{
	unsigned short values[2] = { 0xffff, 0xffff };

	/* GETALL always asks the kernel. */
	if (kipc_semctl(id, 0, GETALL, (union semun){ .array = values }))
		return -errno;
	return values[num];
}

/* Operations that the kernel has seen, from its own listing. */
static long calls_of(int id)
{
	char line[256], kind[8];
	long long calls = -1;
	int listed;
	FILE *f = fopen("/proc/kipc/objects", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%7s %d %*s %*s %*s %*s %*s %*s %*s %lld", kind, &listed,
			   &calls) == 3 && !strcmp(kind, "sem") && listed == id)
			break;
		else
			calls = -1;
	if (f)
		fclose(f);
	return calls;
}

static void warm(int id, int num, int flags)
{
	struct sembuf up = { num, 1, flags }, down = { num, -1, flags };
	int i;

	for (i = 0; i < WARM; i++)
		if (kipc_semop(id, i & 1 ? &down : &up, 1))
			_exit(90);
}

static void handler(int sig)
{
	struct run run = *handled;

	(void)sig;
	kipc_semop(run.id, &run.op, 1);
}

/* Warm up, stop, make the operation, stop again. */
static void child_main(const struct run *run)
{
	struct sembuf op = run->op;

	warm(run->id, op.sem_num, op.sem_flg);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	if (run->in_handler) {
		handled = run;
		signal(SIGUSR1, handler);
		raise(SIGSTOP);
		raise(SIGUSR1);
	} else {
		raise(SIGSTOP);
		kipc_semop(run->id, &op, 1);
	}
	raise(SIGSTOP);
	_exit(91);
}

static pid_t start_child(const struct run *run)
{
	int status;
	pid_t pid = fork();

	if (pid)
		return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
		       WSTOPSIG(status) == SIGSTOP ? pid : -1;
	child_main(run);
	_exit(92);
}

static unsigned long pc_of(pid_t pid)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov))
		return 0;
	return regs.rip;
}

static bool in_section(unsigned long pc)
{
	return pc >= (unsigned long)__start_kipc_fast_text &&
	       pc < (unsigned long)__stop_kipc_fast_text;
}

static void end_child(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* The child goes on by @request until its next stop.  Return: where, 0 at the operation's end. */
static unsigned long go(pid_t pid, enum __ptrace_request request)
{
	int status, signal = 0;

	for (;;) {
		if (ptrace(request, pid, 0, signal) || waitpid(pid, &status, 0) != pid ||
		    !WIFSTOPPED(status))
			return 0;
		if (WSTOPSIG(status) == SIGTRAP)
			return pc_of(pid);
		signal = WSTOPSIG(status);
		if (signal != SIGUSR1)
			return 0;
	}
}

#define STEPS_MAX 1000

/* Learn the way of the operation through the section. */
static void trace(struct run *run)
{
	pid_t pid = start_child(run);
	unsigned long pc;

	run->steps = 0;
	run->path = calloc(STEPS_MAX, sizeof(*run->path));
	if (pid < 0 || !run->path)
		return;
	while ((pc = go(pid, PTRACE_SINGLESTEP)) && run->steps < STEPS_MAX)
		if (in_section(pc))
			run->path[run->steps++] = pc;
	end_child(pid);
}

static bool set_debug_register(pid_t pid, int n, unsigned long value)
{
	return !ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[n]), value);
}

/*
 * Let the child run until it is about to do the @n-th instruction of the way.
 * Return: the address, 0 if it never came there.
 */
static unsigned long run_to(pid_t pid, const struct run *run, int n)
{
	unsigned long pc = 0, at = run->path[n];
	int i;

	if (!set_debug_register(pid, 0, at) || !set_debug_register(pid, 7, 1))
		return 0;
	for (i = 0; i <= n; i++) {
		if (run->path[i] != at)
			continue;
		pc = go(pid, PTRACE_CONT);
		if (pc != at)
			return 0;
	}
	return set_debug_register(pid, 7, 0) ? pc : 0;
}

/* The traced child goes on, untraced, and ends by itself after its operation. */
static void release_child(pid_t pid)
{
	int status;

	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);	/* its last SIGSTOP */
	end_child(pid);
}

FIXTURE(step) { int id; };

FIXTURE_SETUP(step)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->id = kipc_semget(IPC_PRIVATE, 2, 0600);
	ASSERT_GE(self->id, 0);
}

FIXTURE_TEARDOWN(step)
{
	kipc_semctl(self->id, 0, IPC_RMID);
}

/* The fast path is taken: the kernel sees nothing of a thousand operations. */
TEST_F(step, not_a_call)
{
	struct sembuf up = { 0, 1, 0 }, down = { 0, -1, SEM_UNDO }, upu = { 0, 1, SEM_UNDO };
	long calls;
	int i;

	warm(self->id, 0, 0);
	warm(self->id, 0, SEM_UNDO);
	calls = calls_of(self->id);
	ASSERT_GT(calls, 0);
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, kipc_semop(self->id, &up, 1));
		ASSERT_EQ(0, kipc_semop(self->id, &down, 1));
		ASSERT_EQ(0, kipc_semop(self->id, &upu, 1));
		ASSERT_EQ(0, kipc_semop(self->id, &down, 1));
	}
	EXPECT_EQ(calls, calls_of(self->id));
	EXPECT_EQ(0, value_of(self->id, 0));
	EXPECT_EQ(getpid(), kipc_semctl(self->id, 0, GETPID));
	/* And not when it would block, nor for two. */
	down.sem_flg = IPC_NOWAIT;
	EXPECT_ERR(EAGAIN, kipc_semop(self->id, &down, 1));
	EXPECT_EQ(calls + 1, calls_of(self->id));
}

/* For each instruction of the way a new child, stopped there, before value is @value. */
#define FOR_EVERY_STEP(run, value, pid, n, pc) \
	ASSERT_EQ(0, set_value((run).id, (run).op.sem_num, value)); \
	trace(&(run)); \
	EXPECT_GT((run).steps, 20); \
	for (n = 0; n < (run).steps && ({ \
		ASSERT_EQ(0, set_value((run).id, (run).op.sem_num, value)); \
		pid = start_child(&(run)); \
		ASSERT_GT(pid, 0); \
		pc = run_to(pid, &(run), n); \
		ASSERT_NE(0, pc) TH_LOG("step %d of %d not reached", n, (run).steps); \
		true; }); n++)

static const short ops[] = { 1, -1, 0 };

static void killed(struct __test_metadata *_metadata, int id, int flags, bool in_handler)
{
	struct run run = { .id = id, .in_handler = in_handler };
	unsigned long pc;
	unsigned int k;
	int n, value;
	pid_t pid;

	for (k = 0; k < 3; k++) {
		run.op = (struct sembuf){ 0, ops[k], flags };
		value = ops[k] ? 5 : 0;
		FOR_EVERY_STEP(run, value, pid, n, pc) {
			int now, by;

			end_child(pid);
			now = value_of(id, 0);
			by = kipc_semctl(id, 0, GETPID);
			EXPECT_TRUE(now == value || (!(flags & SEM_UNDO) && now == value + ops[k]))
				TH_LOG("step %d at %lx: %d", n, pc, now);
			EXPECT_TRUE(by == pid || by == getpid())
				TH_LOG("step %d: pid %d", n, by);
			if (now != value)
				EXPECT_EQ(pid, by);
			EXPECT_EQ(0, kipc_semctl(id, 0, GETNCNT));
		}
		TH_LOG("op %d, flags %x%s: %d instructions", ops[k], flags,
		       in_handler ? ", in a handler" : "", n);
		free(run.path);
	}
}

TEST_F_TIMEOUT(step, killed, 200)
{
	killed(_metadata, self->id, 0, false);
}

TEST_F_TIMEOUT(step, killed_undo, 200)
{
	killed(_metadata, self->id, SEM_UNDO, false);
}

TEST_F_TIMEOUT(step, killed_undo_in_handler, 200)
{
	killed(_metadata, self->id, SEM_UNDO, true);
}

/* Somebody sleeps, and is let go by the undo value of the one who died, or by the value. */
TEST_F_TIMEOUT(step, killed_with_waiter, 200)
{
	struct run run = { .id = self->id, .op = { 0, -1, SEM_UNDO } };
	unsigned long pc;
	int n, status;
	pid_t pid, waiter;

	FOR_EVERY_STEP(run, 1, pid, n, pc) {
		waiter = fork();
		if (!waiter) {
			struct sembuf down = { 0, -1, 0 };

			_exit(kipc_semop(self->id, &down, 1) ? 1 : 0);
		}
		/* It gets the value, or sleeps until the other one's is undone. */
		while (value_of(self->id, 0) && !waitpid(waiter, &status, WNOHANG))
			;
		end_child(pid);
		if (waitpid(waiter, &status, 0) == waiter)
			EXPECT_EQ(0, status);
		EXPECT_EQ(0, value_of(self->id, 0)) TH_LOG("step %d at %lx", n, pc);
		EXPECT_EQ(0, kipc_semctl(self->id, 0, GETNCNT));
	}
}

/*
 * The child is stopped in the middle; others do what they like, at once; then the child
 * goes on to the end of its operation, or is killed, in turns.
 */
static void stopped(struct __test_metadata *_metadata, int id, enum end end, int turn)
{
	struct run run = { .id = id, .op = { 0, 1, SEM_UNDO } };
	struct sembuf up = { 0, 1, 0 };
	unsigned short zeros[2] = { 7, 7 };
	struct semid_ds ds;
	unsigned long pc;
	int n, now;
	pid_t pid;

	FOR_EVERY_STEP(run, 5, pid, n, pc) {
		int happened = value_of(id, 0) - 5;

		ASSERT_TRUE(happened == 0 || happened == 1);
		switch (end) {
		case STOP_OPERATE:
			ASSERT_EQ(0, kipc_semop(id, &up, 1));
			break;
		case STOP_SETVAL:
			ASSERT_EQ(0, set_value(id, 0, 7));
			break;
		case STOP_SETALL:
			ASSERT_EQ(0, kipc_semctl(id, 0, SETALL, (union semun){ .array = zeros }));
			break;
		case STOP_MODE:
			ASSERT_EQ(0, kipc_semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
			ASSERT_EQ(0, kipc_semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
			break;
		default:
			break;
		}
		if ((n + turn) & 1)
			release_child(pid);
		else
			end_child(pid);
		now = value_of(id, 0);
		switch (end) {
		case STOP_OPERATE:
			EXPECT_EQ(6, now) TH_LOG("step %d at %lx", n, pc);
			break;
		case STOP_SETVAL:
		case STOP_SETALL:
			/* What happened before is forgotten; what happens after is undone. */
			EXPECT_EQ(7, now) TH_LOG("step %d at %lx", n, pc);
			break;
		default:
			EXPECT_EQ(5, now) TH_LOG("step %d at %lx", n, pc);
			break;
		}
	}
}

static void in_turns(struct __test_metadata *_metadata, int id, enum end end)
{
	stopped(_metadata, id, end, 0);
	stopped(_metadata, id, end, 1);
}

TEST_F_TIMEOUT(step, stopped_while_others_operate, 200)
{
	in_turns(_metadata, self->id, STOP_OPERATE);
}

TEST_F_TIMEOUT(step, stopped_setval, 200)
{
	in_turns(_metadata, self->id, STOP_SETVAL);
}

TEST_F_TIMEOUT(step, stopped_setall, 200)
{
	in_turns(_metadata, self->id, STOP_SETALL);
}

TEST_F_TIMEOUT(step, stopped_permissions_set, 200)
{
	in_turns(_metadata, self->id, STOP_MODE);
}

/* The set is gone under the stopped child, which goes on and finds EIDRM or EINVAL. */
TEST_F_TIMEOUT(step, stopped_removed, 200)
{
	struct run run = { .id = self->id, .op = { 0, 1, SEM_UNDO } };
	unsigned long pc;
	int n, status;
	pid_t pid;

	trace(&run);
	EXPECT_GT(run.steps, 20);
	for (n = 0; n < run.steps; n++) {
		run.id = kipc_semget(IPC_PRIVATE, 2, 0600);
		ASSERT_GE(run.id, 0);
		pid = start_child(&run);
		ASSERT_GT(pid, 0);
		pc = run_to(pid, &run, n);
		ASSERT_NE(0, pc) TH_LOG("step %d of %d not reached", n, run.steps);
		ASSERT_EQ(0, kipc_semctl(run.id, 0, IPC_RMID));
		if (n & 1) {
			ptrace(PTRACE_CONT, pid, 0, 0);
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
			EXPECT_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP)
				TH_LOG("step %d at %lx: status %x", n, pc, status);
		}
		end_child(pid);
	}
}

TEST_HARNESS_MAIN

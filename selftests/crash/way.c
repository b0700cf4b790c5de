// SPDX-License-Identifier: GPL-2.0
#include "way.h"

#include <elf.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/peer.h"
#include "section.h"

/* ---- A traced child ---- */

#define RESUME_FLAG	0x10000l	/* of the processor's flags */

static unsigned long pc_of(pid_t pid)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov))
		return 0;
	return regs.rip;
}

/*
 * The child goes on by @request until its next stop, with the signal that it is to have, if
 * any.  Return: where; 0 at the operation's end.
 */
static unsigned long go(pid_t pid, enum __ptrace_request request, int *signal)
{
	int status;

	for (;;) {
		if (ptrace(request, pid, 0, *signal) || waitpid(pid, &status, 0) != pid ||
		    !WIFSTOPPED(status))
			return 0;
		*signal = 0;
		if (WSTOPSIG(status) == SIGTRAP)
			return pc_of(pid);
		*signal = WSTOPSIG(status);
		if (*signal != SIGUSR1)
			return 0;
	}
}

static bool is_code(unsigned long pc, const void *bytes, int length)
{
	return !memcmp((const void *)pc, bytes, length);
}

bool way_is_syscall(unsigned long pc)
{
	return is_code(pc, "\x0f\x05", 2);
}

/* lock cmpxchg of 64 bits. */
static bool is_swap(unsigned long pc)
{
	const unsigned char *code = (const unsigned char *)pc;

	return code[0] == 0xf0 && (code[1] & 0xf8) == 0x48 && is_code(pc + 2, "\x0f\xb1", 2);
}

int way_learn(struct way *way, pid_t pid, const struct meddler *meddler, int at, bool sleeps)
{
	unsigned long pc;
	int signal = 0;

	way->steps = 0;
	way->hook = -1;
	while ((pc = go(pid, PTRACE_SINGLESTEP, &signal)) && way->steps < WAY_MAX) {
		if (!section_has(pc))
			continue;
		if (meddler && way->hook < 0 &&
		    (at == WAY_AT_SWAP ? is_swap(pc) : at == way->steps)) {
			way->hook = way->steps;
			signal = meddler->meddle(meddler->arg);
			if (signal < 0)
				return -1;
		}
		way->pc[way->steps++] = pc;
		if (sleeps && way_is_syscall(pc))
			break;
	}
	return way->steps && way->steps < WAY_MAX && !meddler == (way->hook < 0) ? 0 : -1;
}

static bool set_debug_register(pid_t pid, int n, unsigned long value)
{
	return !ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[n]), value);
}

/* From the instruction behind the @from-th of the way to the @to-th. */
static bool run_on(pid_t pid, const struct way *way, int from, int to, int *signal)
{
	int i;

	if (!set_debug_register(pid, 0, way->pc[to]) || !set_debug_register(pid, 7, 1))
		return false;
	for (i = from; i <= to; i++)
		if (way->pc[i] == way->pc[to] &&
		    go(pid, PTRACE_CONT, signal) != way->pc[to])
			return false;
	return set_debug_register(pid, 7, 0);
}

/*
 * Behind a breakpoint the processor is told to pass over the next one at the same place,
 * and a handler would keep that for when it returns.
 */
static bool forget_breakpoint(pid_t pid)
{
	size_t flags = offsetof(struct user, regs.eflags);
	long old = ptrace(PTRACE_PEEKUSER, pid, flags, 0);

	return !ptrace(PTRACE_POKEUSER, pid, flags, old & ~RESUME_FLAG);
}

bool way_run_to(const struct way *way, pid_t pid, int n, const struct meddler *meddler)
{
	int signal = 0, from = 0;

	if (way->hook >= 0 && n > way->hook) {
		if (!run_on(pid, way, 0, way->hook, &signal))
			return false;
		signal = meddler->meddle(meddler->arg);
		if (signal < 0 || (signal && !forget_breakpoint(pid)))
			return false;
		from = way->hook + 1;
	}
	return run_on(pid, way, from, n, &signal);
}

int way_behind_swap(const struct way *way)
{
	int i;

	for (i = 0; i < way->steps; i++)
		if (is_swap(way->pc[i]))
			return i + 1 < way->steps ? i + 1 : -1;
	return -1;
}

/* What /proc tells of a stopped thread: not in a system call, and at this instruction. */
static bool is_stopped_at(pid_t pid, unsigned long pc)
{
	char path[64], word[32];
	unsigned long at, sp;
	bool is_there;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	f = fopen(path, "re");
	is_there = f && fscanf(f, "%31s %lx %lx", word, &sp, &at) == 3 && !strcmp(word, "-1") &&
		   at == pc;
	if (f)
		fclose(f);
	return is_there && task_state(pid) == 'T';
}

bool way_park(pid_t pid, unsigned long pc)
{
	int status;

	return !ptrace(PTRACE_DETACH, pid, 0, SIGSTOP) &&
	       waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == SIGSTOP && is_stopped_at(pid, pc);
}

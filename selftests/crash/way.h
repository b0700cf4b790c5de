/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A traced child's way through the section of the fast paths.
 *
 * The child's single steps tell the way of an operation through the section.  Another
 * child that is in the same position comes to any instruction of it by a breakpoint of
 * the processor, which is much faster.
 */
#ifndef KIPC_SELFTESTS_WAY_H
#define KIPC_SELFTESTS_WAY_H

#include <stdbool.h>
#include <sys/types.h>

#define WAY_MAX		1000

/**
 * struct way - instructions of the section, in the order in which they run
 * @hook: index of the one before which others meddle, or -1
 */
struct way {
	unsigned long pc[WAY_MAX];
	int steps, hook;
};

/**
 * struct meddler - what happens while the child is stopped at the hook
 * @meddle: returns the signal that the child is to have, 0, or -1: it cannot be done
 */
struct meddler {
	int (*meddle)(void *arg);
	void *arg;
};

#define WAY_AT_SWAP	(-1)

/*
 * Learn the way of a child that is stopped before its operation and stops behind it; with
 * @meddler, who comes before the @at-th instruction or the first compare and swap.
 * @sleeps: the way ends at the system call.  Return: 0 or -1.
 */
int way_learn(struct way *way, pid_t pid, const struct meddler *meddler, int at, bool sleeps);

/* Let a child run until it is about to do the @n-th instruction. */
bool way_run_to(const struct way *way, pid_t pid, int n, const struct meddler *meddler);

/* The index behind the first compare and swap, or -1. */
int way_behind_swap(const struct way *way);
bool way_is_syscall(unsigned long pc);

/*
 * From there on the child is no longer traced, but stopped by SIGSTOP, as job control
 * does; whether it is, at that instruction, /proc tells.
 */
bool way_park(pid_t pid, unsigned long pc);

#endif /* KIPC_SELFTESTS_WAY_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A storm: parts, a process each, that do at random what they do over and over, and count how
 * often; any of them is killed and begins anew.
 */
#ifndef KIPC_SELFTESTS_STORM_H
#define KIPC_SELFTESTS_STORM_H

#include <stdbool.h>
#include <stdint.h>

#define STORM_PARTS	16	/* at most */

/* A part goes on whatever happens; may sleep for good; or returns once the storm is over. */
enum storm_way { GOES_ON, MAY_SLEEP, RETURNS };

/**
 * struct storm_part - one of them
 * @way: those that return are not killed, and go on till then
 */
struct storm_part {
	const char *name;
	void (*run)(void);
	enum storm_way way;
};

/* Start all of them.  Return: 0 or -1. */
int storm_begin(const struct storm_part *parts, unsigned int count);

/*
 * Wait until each has gone on, and have one begin anew, if it is one that may be killed.
 * Return: whether all is well so far; if not, what was wrong is told.
 */
bool storm_kill_one(void);

/* It is over.  Return: whether all was well to the end. */
bool storm_end(void);

/* ---- For a part ---- */

/* Below @n. */
unsigned int rnd(unsigned int n);
uint64_t rnd64(void);

/* It has gone on. */
void step(void);

bool storm_is_over(void);

/* What must be; @ret is told if it is not. */
#define REQUIRE(cond, ret) do { \
	if (!(cond)) \
		storm_fail(__LINE__, ret); \
} while (0)
void storm_fail(int line, int ret) __attribute__((noreturn));

#endif /* KIPC_SELFTESTS_STORM_H */

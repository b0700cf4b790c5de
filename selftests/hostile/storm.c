// SPDX-License-Identifier: GPL-2.0
#include "storm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/peer.h"

/* What all see: how far each has come, and what was wrong. */
static struct stage {
	bool is_over;
	unsigned long steps[STORM_PARTS];
	int wrong_line[STORM_PARTS], wrong_ret[STORM_PARTS], wrong_error[STORM_PARTS];
} *stage;

static const struct storm_part *parts;
static unsigned int part_count, begun;
static pid_t pids[STORM_PARTS];

/* Of a part: its own. */
static unsigned int seed;
static unsigned int part;

unsigned int rnd(unsigned int n)
{
	return rand_r(&seed) % n;
}

uint64_t rnd64(void)
{
	return (uint64_t)rand_r(&seed) << 42 ^ (uint64_t)rand_r(&seed) << 21 ^ rand_r(&seed);
}

void step(void)
{
	__atomic_add_fetch(&stage->steps[part], 1, __ATOMIC_RELAXED);
}

bool storm_is_over(void)
{
	return __atomic_load_n(&stage->is_over, __ATOMIC_SEQ_CST);
}

void storm_fail(int line, int ret)
{
	stage->wrong_ret[part] = ret;
	stage->wrong_error[part] = errno;
	stage->wrong_line[part] = line;
	_exit(1);
}

static int start(unsigned int which)
{
	unsigned int its_seed = begun++;

	pids[which] = fork();
	if (pids[which])
		return pids[which] < 0 ? -1 : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	seed = its_seed;
	part = which;
	parts[which].run();
	_exit(0);
}

int storm_begin(const struct storm_part *its_parts, unsigned int count)
{
	unsigned int i;

	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (stage == MAP_FAILED || count > STORM_PARTS)
		return -1;
	parts = its_parts;
	part_count = count;
	for (i = 0; i < count; i++)
		if (start(i))
			return -1;
	return 0;
}

/* Whether a part has ended by itself: something was wrong. */
static bool is_wrong(void)
{
	siginfo_t info = { .si_pid = 0 };
	unsigned int i;

	for (i = 0; i < part_count; i++)
		if (waitid(P_PID, pids[i], &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return true;
	return false;
}

/* Return: whether it ended as it is to. */
static bool end(unsigned int which)
{
	int want = parts[which].way == RETURNS ? 0 : SIGKILL, status = -1;

	kill(pids[which], want);
	if (waitpid(pids[which], &status, 0) == pids[which] && status == want)
		return true;
	fprintf(stderr, "# %s: status %x, line %d: %d, errno %d\n", parts[which].name, status,
		stage->wrong_line[which], stage->wrong_ret[which], stage->wrong_error[which]);
	return false;
}

bool storm_kill_one(void)
{
	static unsigned int my_seed = 20;
	unsigned int which = rand_r(&my_seed) % part_count, i;
	unsigned long before[STORM_PARTS];

	memcpy(before, stage->steps, sizeof(before));
	for (i = 0; i < part_count; i++)
		wait_until(parts[i].way == MAY_SLEEP || is_wrong() ||
			   __atomic_load_n(&stage->steps[i], __ATOMIC_RELAXED) != before[i]);
	return parts[which].way == RETURNS || (end(which) && !start(which));
}

bool storm_end(void)
{
	bool is_well = true;
	unsigned int i;

	__atomic_store_n(&stage->is_over, true, __ATOMIC_SEQ_CST);
	for (i = 0; i < part_count; i++) {
		is_well &= end(i);
		fprintf(stderr, "# %s: %lu steps\n", parts[i].name, stage->steps[i]);
	}
	return is_well;
}

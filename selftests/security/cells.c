// SPDX-License-Identifier: GPL-2.0
#include "cells.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define MISMATCHES	20	/* as many are told */

struct cell cell_of(long ret, const struct output *out)
{
	struct cell c = { .ret = ret, .done = true };

	if (ret == -1)
		c.err = errno;
	else
		c.out = *out;
	return c;
}

unsigned int cell_shape(const struct cell *c)
{
	if (c->ret != -1)
		return LETS;
	return c->err == EACCES || c->err == EPERM ? REFUSES : 0;
}

static const char *say(const struct cell *c, char *text, size_t size)
{
	if (c->ret == -1)
		return strerror(c->err);
	snprintf(text, size, "%ld (%llx)", c->ret, (unsigned long long)c->out.sum);
	return text;
}

static void tell(const struct tally *t, const char *who, const char *what, int mode,
		 const struct cell *c)
{
	char native[64], kipc[64];

	if (t->wrong <= MISMATCHES)
		printf("# %s: %s on mode %04o: natively %s, kipc %s\n", who, what, mode,
		       say(&c[NATIVE], native, sizeof(native)), say(&c[KIPC], kipc, sizeof(kipc)));
}

static bool is_same(const struct cell *c)
{
	return c[NATIVE].done && c[KIPC].done && c[NATIVE].ret == c[KIPC].ret &&
	       c[NATIVE].err == c[KIPC].err && c[NATIVE].out.sum == c[KIPC].out.sum;
}

static const struct difference *find(const struct tally *t, const char *who, const char *what)
{
	const struct difference *d;

	for (d = t->differences; d->heading; d++)
		if (!fnmatch(d->calls, what, 0) && !fnmatch(d->who, who, 0))
			return d;
	return NULL;
}

bool cells_compare(struct tally *t, const char *who, const char *what, int mode,
		   const struct cell *c)
{
	const struct difference *d = find(t, who, what);

	t->compared++;
	if (d && c[NATIVE].err == d->native && c[KIPC].err == d->kipc) {
		t->intended++;
		t->differed[d - t->differences]++;
		return true;
	}
	if (d || !is_same(c)) {
		t->wrong++;
		tell(t, who, what, mode, c);
	}
	return false;
}

void cells_check_shape(struct tally *t, const char *what, unsigned int shape, unsigned int seen)
{
	unsigned int want = shape & (LETS | REFUSES);

	if (shape & MAY_LET)
		want |= seen & LETS;
	if (seen == want)
		return;
	t->wrong++;
	printf("# %s: lets somebody %d, not %d; refuses somebody %d, not %d\n", what, seen & LETS,
	       want & LETS, !!(seen & REFUSES), !!(want & REFUSES));
}

void cells_check(struct tally *t)
{
	const struct difference *d;

	for (d = t->differences; d->heading; d++) {
		if (t->differed[d - t->differences])
			continue;
		t->wrong++;
		printf("# \"%s\": no difference for %s, %s\n", d->heading, d->calls, d->who);
	}
	printf("# %lu cells compared, %lu of them differ as they should\n", t->compared,
	       t->intended);
	fflush(stdout);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the benchmarks have in common.
 *
 * In a VM under icount a nanosecond of the guest is an instruction, so what is
 * called instructions is CLOCK_MONOTONIC.  Elsewhere the numbers are plain
 * nanoseconds; the ratios are still those of one run, taken in turns.
 */
#ifndef KIPC_SELFTESTS_BENCH_H
#define KIPC_SELFTESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ipc.h"
#include "common/mem.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* What an operation works on. */
struct work {
	const struct ipc *ipc;
	int objects;		/* alive, under keys from 1 */
	int id;
	unsigned int seed;
	size_t size;
	int fd;
	int count;
	int ballast;
};

typedef void (*operation)(struct work *w);

extern int rounds;
extern const struct ipc *const ipcs[2];

long now(void);
void die(const char *what) __attribute__((noreturn));
void measure(operation op, struct work *w, int n, double *median);
void measure_moving(operation op, operation move, struct work *w, int n, double *median);
void heading(const char *unit);
void row(const char *what, const double *m);
long used_kb(void);
void start(const char *name, int argc, char **argv, int *most);

#endif /* KIPC_SELFTESTS_BENCH_H */

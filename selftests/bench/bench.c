// SPDX-License-Identifier: GPL-2.0
/* What the benchmarks have in common: see bench.h. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define BATCH	16

int rounds = 301;
const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };

long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000l + ts.tv_nsec;
}

void die(const char *what)
{
	perror(what);
	exit(1);
}

static int by_value(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static double once(operation op, struct work *w)
{
	long start = now();
	int i;

	for (i = 0; i < BATCH; i++)
		op(w);
	return (double)(now() - start) / BATCH;
}

/* Medians of many batches, native and kipc in turns; @move, if any, comes before each. */
void measure_moving(operation op, operation move, struct work *w, int n, double *median)
{
	long *t[2];
	int i, k;

	for (k = 0; k < n; k++) {
		t[k] = calloc(rounds, sizeof(**t));
		if (!t[k])
			die("memory");
		once(op, &w[k]);
	}
	for (i = 0; i < rounds; i++)
		for (k = 0; k < n; k++) {
			if (move)
				move(&w[k]);
			t[k][i] = once(op, &w[k]) * 100;
		}
	for (k = 0; k < n; k++) {
		qsort(t[k], rounds, sizeof(**t), by_value);
		median[k] = t[k][rounds / 2] / 100.0;
		free(t[k]);
	}
}

void measure(operation op, struct work *w, int n, double *median)
{
	measure_moving(op, NULL, w, n, median);
}

void heading(const char *unit)
{
	printf("\n%-44s %10s %10s %7s\n", unit, "native", "kipc", "ratio");
}

void row(const char *what, const double *m)
{
	printf("%-44s %10.0f %10.0f %7.3f\n", what, m[0], m[1], m[1] / m[0]);
	fflush(stdout);
}

/* MemFree leaves out what the processors keep for themselves; these are exact. */
long used_kb(void)
{
	return meminfo("Slab") + meminfo("VmallocUsed") + meminfo("Percpu");
}

static bool icount(void)
{
	/* Real processors do not give the same time for the same thing twice. */
	long a[5], i;

	for (i = 0; i < 5; i++) {
		long start = now();
		volatile int n = 10000;

		while (n)
			n--;
		a[i] = now() - start;
	}
	return labs(a[4] - a[3]) < 200 && labs(a[3] - a[2]) < 200;
}

/**
 * start() - options, a namespace of one's own, and the heading
 * @name: for messages
 * @most: -m, set if given
 */
void start(const char *name, int argc, char **argv, int *most)
{
	struct utsname u;
	int opt, settle = 20;

	while ((opt = getopt(argc, argv, "m:q")) != -1)
		switch (opt) {
		case 'm':
			*most = atoi(optarg);
			break;
		case 'q':
			rounds = 11;
			settle = 0;
			break;
		default:
			exit(1);
		}
	if (unshare(CLONE_NEWIPC))
		die("unshare");
	/* The boot's late work is over then; under icount it costs no time. */
	sleep(settle);
	uname(&u);
	printf("%s: Linux %s %s, %ld MB, %s\n", name, u.release, u.machine,
	       meminfo("MemTotal") / 1024,
	       icount() ? "instructions counted" : "NOT under icount: nanoseconds");
}

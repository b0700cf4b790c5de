// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions for each operation on semaphores: native, kipc, and the C library's
 * sem_wait and sem_post, side by side.
 *
 *   sem_bench [-m MOST_SETS] [-q]
 *
 * -q: quick, few rounds and no settling; the numbers are then worth little.
 */
#include "bench.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kipc.h>

static sem_t unnamed;

static void op_posix(struct work *w)
{
	(void)w;
	sem_wait(&unnamed);
	sem_post(&unnamed);
}

/* Down and up of the first @count semaphores, each by one call. */
static struct sembuf down[2] = { { 0, -1, 0 }, { 1, -1, 0 } };
static struct sembuf up[2] = { { 0, 1, 0 }, { 1, 1, 0 } };

static void op_pair(struct work *w)
{
	if (w->ipc->semop(w->id, down, w->count) || w->ipc->semop(w->id, up, w->count))
		die("semop");
}

static void op_getval(struct work *w)
{
	if (w->ipc->semctl(w->id, 0, GETVAL) < 0)
		die("GETVAL");
}

static void op_setval(struct work *w)
{
	if (w->ipc->semctl(w->id, 0, SETVAL, 1) < 0)
		die("SETVAL");
}

static void op_lookup(struct work *w)
{
	if (w->ipc->semget(1 + rand_r(&w->seed) % w->objects, 0, 0) < 0)
		die("lookup");
}

/* What of a lookup is the benchmark's own choice of a key. */
static void op_choose(struct work *w)
{
	*(volatile int *)&w->id = 1 + rand_r(&w->seed) % w->objects;
}

static void op_create_remove(struct work *w)
{
	int id = w->ipc->semget(0x70000000, 1, IPC_CREAT | IPC_EXCL | 0600);

	if (id < 0 || w->ipc->semctl(id, 0, IPC_RMID))
		die("create, remove");
}

/* By system call, as what the library cannot do without one. */
static void op_pair_call(struct work *w)
{
	long call = 1l << 32 | w->id;

	if (w->ipc == &ipc_native) {
		op_pair(w);
		return;
	}
	if (syscall(SYS_fadvise64, w->fd, call, down, KIPC_CALL_SEM_OP) ||
	    syscall(SYS_fadvise64, w->fd, call, up, KIPC_CALL_SEM_OP))
		die("fadvise64");
}

static int raise_limits(const struct ipc *ipc)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/sem", ipc->sysctl);
	return write_text(path, "32000 1024000000 500 16777216");
}

/* Neither is removed before both are made: what others freed would not be seen. */
static void with_sets(int n, double *pair0)
{
	struct work w[2] = {};
	double m[2], c[2];
	char what[64];
	int k, i, id;

	for (k = 0; k < 2; k++) {
		long kb = used_kb();

		w[k] = (struct work){ .ipc = ipcs[k], .objects = n, .seed = 1 };
		for (i = 0; i < n; i++)
			if (ipcs[k]->semget(1 + i, 1, IPC_CREAT | IPC_EXCL | 0600) < 0)
				die("create");
		m[k] = (used_kb() - kb) * 1024.0 / n;
	}
	if (n >= 30000) {
		snprintf(what, sizeof(what), "  an idle set's share of %d, bytes", n);
		row(what, m);
	}
	measure(op_choose, w, 2, c);
	measure(op_lookup, w, 2, m);
	m[0] -= c[0];
	m[1] -= c[1];
	snprintf(what, sizeof(what), "key lookup, %d sets", n);
	row(what, m);
	measure(op_create_remove, w, 2, m);
	snprintf(what, sizeof(what), "create + remove, %d sets", n);
	row(what, m);
	for (k = 0; k < 2; k++) {
		if (!pair0[k])
			pair0[k] = m[k];
		m[k] /= pair0[k];
	}
	printf("%-44s %10.2f %10.2f\n", "  grown since the first by", m[0], m[1]);
	for (k = 0; k < 2; k++)
		for (i = 0; i < n; i++) {
			id = ipcs[k]->semget(1 + i, 0, 0);
			if (ipcs[k]->semctl(id, 0, IPC_RMID))
				die("remove");
		}
}

/* A pair by native, by kipc's calls, and by kipc without a call; all in turns. */
static void pairs(const char *what, operation op, int flags, int count)
{
	struct work w[2];
	unsigned short ones[2] = { 1, 1 };
	union { unsigned short *array; } arg = { ones };
	double m[2];
	int k, i;

	for (k = 0; k < 2; k++)
		down[k].sem_flg = up[k].sem_flg = flags;
	for (k = 0; k < 2; k++) {
		w[k] = (struct work){ .ipc = ipcs[k], .count = count };
		w[k].fd = open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);
		w[k].id = ipcs[k]->semget(IPC_PRIVATE, 2, 0600);
		if (w[k].id < 0 || ipcs[k]->semctl(w[k].id, 0, SETALL, arg))
			die("semget");
		/* The library maps what is used again and again. */
		for (i = 0; i < 100; i++)
			op(&w[k]);
	}
	measure(op, w, 2, m);
	row(what, m);
	for (k = 0; k < 2; k++) {
		ipcs[k]->semctl(w[k].id, 0, IPC_RMID);
		close(w[k].fd);
	}
}

int main(int argc, char **argv)
{
	static const int counts[] = { 10, 1000, 30000, 300000, 1 << 20 };
	struct work w[2] = { { .ipc = &ipc_native }, { .ipc = &ipc_kipc } };
	double m[2], pair0[2] = {};
	int most = 1 << 20, k;
	unsigned int i;

	start("sem_bench", argc, argv, &most);
	for (k = 0; k < 2; k++)
		if (raise_limits(ipcs[k])) {
			fprintf(stderr, "%s: cannot raise SEMMNI: is kipc loaded, and the kernel booted with ipcmni_extend?\n",
				ipcs[k]->name);
			return 1;
		}

	heading("medians, per operation");
	sem_init(&unnamed, 1, 1);
	measure(op_posix, w, 1, m);
	printf("%-44s %10.0f\n", "sem_wait + sem_post, as a reference", m[0]);
	pairs("semop down + up", op_pair, 0, 1);
	pairs("the same with SEM_UNDO", op_pair, SEM_UNDO, 1);
	pairs("down + up by system call", op_pair_call, 0, 1);
	pairs("the same with SEM_UNDO", op_pair_call, SEM_UNDO, 1);
	pairs("semop of two, down + up", op_pair, 0, 2);
	pairs("the same with SEM_UNDO", op_pair, SEM_UNDO, 2);
	/* Without a mapping: new sets, which a few operations do not make worth it. */
	for (k = 0; k < 2; k++) {
		w[k].id = ipcs[k]->semget(IPC_PRIVATE, 2, 0600);
		w[k].count = 1;
	}
	measure(op_setval, w, 2, m);
	row("SETVAL", m);
	measure(op_getval, w, 2, m);
	row("GETVAL", m);
	for (i = 0; i < ARRAY_SIZE(counts) && counts[i] <= most; i++) {
		if (counts[i] * 3l > meminfo("MemAvailable")) {
			printf("%d sets: not in %ld MB of memory\n", counts[i],
			       meminfo("MemAvailable") / 1024);
			break;
		}
		if (counts[i] > 30000 && rounds > 51)
			rounds = 51;
		with_sets(counts[i], pair0);
	}
	return 0;
}

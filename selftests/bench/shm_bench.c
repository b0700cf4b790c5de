// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions for each operation on segments, native and kipc side by side.
 *
 *   shm_bench [-m MOST_OBJECTS] [-q]
 *
 * -q: quick, few rounds and no settling; the numbers are then worth little.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kipc.h>

static void op_lookup(struct work *w)
{
	if (w->ipc->shmget(1 + rand_r(&w->seed) % w->objects, 0, 0) < 0)
		die("lookup");
}

/* What of a lookup is the benchmark's own choice of a key. */
static void op_choose(struct work *w)
{
	*(volatile int *)&w->id = 1 + rand_r(&w->seed) % w->objects;
}

static void op_attach(struct work *w)
{
	void *a = w->ipc->shmat(w->id, NULL, 0);

	if (a == MAP_FAILED || w->ipc->shmdt(a))
		die("attach, detach");
}

static void op_whole(struct work *w)
{
	int id = w->ipc->shmget(IPC_PRIVATE, w->size, 0600);
	char *a = w->ipc->shmat(id, NULL, 0);
	size_t i;

	if (a == MAP_FAILED)
		die("get, attach");
	for (i = 0; i < w->size; i += PAGE)
		a[i] = 1;
	if (w->ipc->shmdt(a) || w->ipc->shmctl(id, IPC_RMID, NULL))
		die("detach, remove");
}

static void op_create_remove(struct work *w)
{
	int id = w->ipc->shmget(0x70000000, 1, IPC_CREAT | IPC_EXCL | 0600);

	if (id < 0 || w->ipc->shmctl(id, IPC_RMID, NULL))
		die("create, remove");
}

static void op_stat(struct work *w)
{
	struct shmid_ds ds;

	if (w->ipc->shmctl(w->id, IPC_STAT, &ds))
		die("stat");
}

static void op_getppid(struct work *w)
{
	(void)w;
	syscall(SYS_getppid);
}

static void op_two_ioctls(struct work *w)
{
	ioctl(w->fd, _IO(KIPC_IOC_TYPE, 0xff), 0);
	ioctl(w->fd, _IO(KIPC_IOC_TYPE, 0xff), 0);
}

/* Bulk creation under keys from 1, and what it costs. */
struct bulk {
	double create, remove, bytes;
};

static void create(const struct ipc *ipc, int from, int to, struct bulk *b)
{
	long kb = used_kb(), began = now();
	int i;

	for (i = from; i < to; i++)
		if (ipc->shmget(1 + i, 1, IPC_CREAT | IPC_EXCL | 0600) < 0)
			die("create");
	b->create = (double)(now() - began) / (to - from);
	b->bytes = (used_kb() - kb) * 1024.0 / (to - from);
}

static void remove_all(const struct ipc *ipc, int n, struct bulk *b)
{
	int *ids = malloc(n * sizeof(*ids)), i;
	long began;

	if (!ids)
		die("memory");
	for (i = 0; i < n; i++)
		ids[i] = ipc->shmget(1 + i, 0, 0);
	began = now();
	for (i = 0; i < n; i++)
		if (ipc->shmctl(ids[i], IPC_RMID, NULL))
			die("remove");
	b->remove = (double)(now() - began) / n;
	free(ids);
}

/* With n objects: lookups, and a creation and a removal more. */
static void with_objects(int n, double *pair0)
{
	struct work w[2] = {};
	struct bulk b[2];
	double m[2], c[2];
	char what[64];
	int k;

	for (k = 0; k < 2; k++) {
		w[k] = (struct work){ .ipc = ipcs[k], .objects = n, .seed = 1 };
		create(ipcs[k], 0, n, &b[k]);
	}
	measure(op_choose, w, 2, c);
	measure(op_lookup, w, 2, m);
	m[0] -= c[0];
	m[1] -= c[1];
	snprintf(what, sizeof(what), "key lookup, %d objects", n);
	row(what, m);
	measure(op_create_remove, w, 2, m);
	snprintf(what, sizeof(what), "create + remove, %d objects", n);
	row(what, m);
	for (k = 0; k < 2; k++) {
		if (!pair0[k])
			pair0[k] = m[k];
		m[k] /= pair0[k];
	}
	if (m[0] != 1 || m[1] != 1)
		printf("%-44s %10.2f %10.2f\n", "  grown since the first by", m[0], m[1]);
	for (k = 0; k < 2; k++)
		remove_all(ipcs[k], n, &b[k]);
	if (n >= 1000) {
		m[0] = b[0].create;
		m[1] = b[1].create;
		row("  each of them, created", m);
		m[0] = b[0].remove;
		m[1] = b[1].remove;
		row("  each of them, removed", m);
	}
}

/*
 * What an idle object takes.  First of all, and both before either is removed: what
 * others freed before is reused and would not be seen.
 */
static void idle_memory(int n)
{
	struct bulk b[2];
	double m[2];
	char what[64];
	int k;

	for (k = 0; k < 2; k++) {
		create(ipcs[k], 0, n, &b[k]);
		m[k] = b[k].bytes;
	}
	for (k = 0; k < 2; k++)
		remove_all(ipcs[k], n, &b[k]);
	heading("memory");
	snprintf(what, sizeof(what), "an idle object's share of %d, bytes", n);
	row(what, m);
}

int main(int argc, char **argv)
{
	static const int counts[] = { 10, 1000, 30000, 300000, 1 << 20 };
	struct work w[2] = { { .ipc = &ipc_native, .seed = 1 }, { .ipc = &ipc_kipc, .seed = 1 } };
	double m[2], pair0[2] = {};
	int most = 1 << 20, k;
	unsigned int i;

	start("shm_bench", argc, argv, &most);
	for (k = 0; k < 2; k++)
		if (ipc_limit_set(ipcs[k], "shmmni", 1 << 24)) {
			fprintf(stderr, "%s: cannot raise shmmni: is kipc loaded, and the kernel booted with ipcmni_extend?\n",
				ipcs[k]->name);
			return 1;
		}
	idle_memory(most < 30000 ? most : 30000);
	heading("medians, per operation");
	w[0].fd = w[1].fd = open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);
	measure(op_getppid, w, 1, m);
	printf("%-44s %10.0f\n", "getppid, as a reference", m[0]);
	measure(op_two_ioctls, w, 1, m);
	printf("%-44s %21.0f\n", "two refused ioctls, as a reference", m[0]);
	for (k = 0; k < 2; k++) {
		w[k].id = w[k].ipc->shmget(IPC_PRIVATE, PAGE, 0600);
		if (w[k].id < 0)
			die("shmget");
	}
	measure(op_attach, w, 2, m);
	row("attach + detach", m);
	measure(op_stat, w, 2, m);
	row("IPC_STAT", m);
	for (i = 1; i <= 256; i *= 16) {
		char what[64];

		w[0].size = w[1].size = i * PAGE;
		measure(op_whole, w, 2, m);
		snprintf(what, sizeof(what), "get, attach, touch, detach, remove: %u page%s", i,
			 i > 1 ? "s" : "");
		row(what, m);
	}
	for (k = 0; k < 2; k++)
		w[k].ipc->shmctl(w[k].id, IPC_RMID, NULL);
	for (i = 0; i < ARRAY_SIZE(counts) && counts[i] <= most; i++) {
		/* Some two kilobytes each, twice, and some room. */
		if (counts[i] * 5l > meminfo("MemAvailable")) {
			printf("%d objects: not in %ld MB of memory\n", counts[i],
			       meminfo("MemAvailable") / 1024);
			break;
		}
		if (counts[i] > 30000 && rounds > 51)
			rounds = 51;
		with_objects(counts[i], pair0);
	}
	return 0;
}

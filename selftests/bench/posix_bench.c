// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions for each operation on POSIX objects, the C library's and kipc's side by side.
 *
 *   posix_bench [-q]
 *
 * -q: quick, few rounds and no settling; the numbers are then worth little.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix/posix.h"

static const struct posix *const posixes[] = { &posix_native, &posix_kipc };
static sem_t *there[2], *back[2];

/* w->id: whose. */

static void op_post_wait(struct work *w)
{
	if (posixes[w->id]->sem_post(there[w->id]) || posixes[w->id]->sem_wait(there[w->id]))
		die("post, wait");
}

static void op_post_trywait(struct work *w)
{
	if (posixes[w->id]->sem_post(there[w->id]) || posixes[w->id]->sem_trywait(there[w->id]))
		die("post, trywait");
}

static void op_getvalue(struct work *w)
{
	int value;

	if (posixes[w->id]->sem_getvalue(there[w->id], &value))
		die("getvalue");
}

static void op_round_trip(struct work *w)
{
	if (posixes[w->id]->sem_post(there[w->id]) || posixes[w->id]->sem_wait(back[w->id]))
		die("round trip");
}

static void op_open_close(struct work *w)
{
	sem_t *sem = posixes[w->id]->sem_open("/there", 0);

	if (sem == SEM_FAILED || posixes[w->id]->sem_close(sem))
		die("open, close");
}

/* As a program does that makes one, and another that uses it once. */
static void op_make_sem(struct work *w)
{
	const struct posix *posix = posixes[w->id];
	sem_t *sem = posix->sem_open("/made", O_CREAT | O_EXCL, 0600, 1);

	if (sem == SEM_FAILED || posix->sem_unlink("/made") || posix->sem_close(sem))
		die("make");
}

static void op_make_shm(struct work *w)
{
	const struct posix *posix = posixes[w->id];
	int fd = posix->shm_open("/memory", O_RDWR | O_CREAT | O_EXCL, 0600);
	char *at;

	if (fd < 0 || ftruncate(fd, w->size))
		die("shm_open");
	at = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		die("mmap");
	at[w->size - 1] = 1;
	if (munmap(at, w->size) || close(fd) || posix->shm_unlink("/memory"))
		die("unlink");
}

static void op_open_shm(struct work *w)
{
	int fd = posixes[w->id]->shm_open("/kept", O_RDWR, 0);

	if (fd < 0 || close(fd))
		die("shm_open");
}

/* The one who answers. */
static pid_t answer(int k)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		if (posixes[k]->sem_wait(there[k]) || posixes[k]->sem_post(back[k]))
			_exit(1);
}

int main(int argc, char **argv)
{
	struct work w[2] = { { .ipc = ipcs[0], .id = 0 }, { .ipc = ipcs[1], .id = 1 } };
	pid_t pid[2];
	double m[2];
	int k, fd;

	start("posix_bench", argc, argv, NULL);
	for (k = 0; k < 2; k++) {
		there[k] = posixes[k]->sem_open("/there", O_CREAT, 0600, 0);
		back[k] = posixes[k]->sem_open("/back", O_CREAT, 0600, 0);
		fd = posixes[k]->shm_open("/kept", O_RDWR | O_CREAT, 0600);
		if (there[k] == SEM_FAILED || back[k] == SEM_FAILED || fd < 0)
			die("open");
		close(fd);
	}
	heading("operation");
#define ROW(what, op) do { measure(op, w, 2, m); row(what, m); } while (0)
	ROW("sem_post + sem_wait", op_post_wait);
	ROW("sem_post + sem_trywait", op_post_trywait);
	ROW("sem_getvalue", op_getvalue);
	ROW("sem_open + sem_close", op_open_close);
	ROW("sem_open, made + unlink + close", op_make_sem);
	ROW("shm_open + close", op_open_shm);
	w[0].size = w[1].size = 4096;
	ROW("shm_open + ftruncate + mmap + touch + unlink", op_make_shm);
	w[0].size = w[1].size = 1 << 20;
	ROW("the same, 1 MiB, one page touched", op_make_shm);
	for (k = 0; k < 2; k++)
		pid[k] = answer(k);
	ROW("round trip of two processes", op_round_trip);
	for (k = 0; k < 2; k++) {
		kill(pid[k], SIGKILL);
		waitpid(pid[k], NULL, 0);
		posixes[k]->sem_unlink("/there");
		posixes[k]->sem_unlink("/back");
		posixes[k]->shm_unlink("/kept");
	}
	return 0;
}

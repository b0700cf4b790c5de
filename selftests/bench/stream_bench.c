// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions, or nanoseconds, for what is sent through a FIFO and through a byte stream, side
 * by side.
 *
 *   stream_bench [-q]
 *
 * -q: quick, few rounds and no settling; the numbers are then worth little.
 */
#include "bench.h"

#include <fcntl.h>
#include <kipc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST	(64 << 10)

static int ends[2], answers[2];
static char *bytes;

/* w->id: whose; w->size: how many. */

static void write_all(int fd, size_t size)
{
	ssize_t done;

	for (; size; size -= (size_t)done) {
		done = write(fd, bytes, size);
		if (done <= 0)
			die("write");
	}
}

static void read_all(int fd, size_t size)
{
	ssize_t done;

	for (; size; size -= (size_t)done) {
		done = read(fd, bytes, size);
		if (done <= 0)
			die("read");
	}
}

static void op_write_read(struct work *w)
{
	write_all(ends[w->id], w->size);
	read_all(ends[w->id], w->size);
}

static void op_poll(struct work *w)
{
	struct pollfd p = { .fd = ends[w->id], .events = POLLIN | POLLOUT };

	if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT)
		die("poll");
}

/* Another process reads all of it, and answers with a byte once it has. */
static void op_send(struct work *w)
{
	write_all(ends[w->id], w->size);
}

static void op_round_trip(struct work *w)
{
	write_all(ends[w->id], w->size);
	read_all(answers[w->id], w->size);
}

/* w->count: how many are sent before the other is waited for. */
static void op_stream(struct work *w)
{
	int i;

	for (i = 0; i < w->count; i++)
		op_send(w);
	read_all(answers[w->id], 1);
}

static pid_t reader(const struct work *w)
{
	size_t left, size = w->size * (size_t)w->count;
	pid_t pid = fork();
	ssize_t done;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (left = size;; left = left ? left : size) {
		done = read(ends[w->id], bytes, w->size);
		if (done <= 0)
			_exit(1);
		left -= (size_t)done;
		if (!left)
			write_all(answers[w->id], 1);
	}
}

static pid_t answerer(const struct work *w)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		read_all(ends[w->id], w->size);
		write_all(answers[w->id], w->size);
	}
}

static void row_of_two(const char *what, operation op, pid_t (*other)(const struct work *w),
		       struct work *w)
{
	pid_t pid[2];
	double m[2];
	int k;

	for (k = 0; k < 2; k++)
		pid[k] = other(&w[k]);
	measure(op, w, 2, m);
	for (k = 0; k < 2; k++) {
		kill(pid[k], SIGKILL);
		waitpid(pid[k], NULL, 0);
		if (w->count > 1)
			m[k] /= w->count;
	}
	row(what, m);
}

static void row_of_one(const char *what, operation op, struct work *w, size_t size)
{
	double m[2];

	w[0].size = w[1].size = size;
	measure(op, w, 2, m);
	row(what, m);
}

static void stream(const char *what, struct work *w, size_t size, int count)
{
	w[0].size = w[1].size = size;
	w[0].count = w[1].count = count;
	row_of_two(what, op_stream, reader, w);
}

int main(int argc, char **argv)
{
	struct work w[2] = { { .ipc = ipcs[0], .id = 0 }, { .ipc = ipcs[1], .id = 1 } };

	start("stream_bench", argc, argv, NULL);
	bytes = calloc(1, MOST);
	if (!bytes || mkfifo("/tmp/there", 0600) || mkfifo("/tmp/back", 0600))
		die("mkfifo");
	ends[0] = open("/tmp/there", O_RDWR);
	answers[0] = open("/tmp/back", O_RDWR);
	ends[1] = kipc_stream_open("/there", O_RDWR | O_CREAT, 0600, 0, KIPC_LIFETIME_USERS);
	answers[1] = kipc_stream_open("/back", O_RDWR | O_CREAT, 0600, 0, KIPC_LIFETIME_USERS);
	if (ends[0] < 0 || ends[1] < 0 || answers[0] < 0 || answers[1] < 0)
		die("open");
	heading("operation");
	row_of_one("write + read, 64 bytes", op_write_read, w, 64);
	row_of_one("the same, 4 KiB", op_write_read, w, 4 << 10);
	row_of_one("the same, 64 KiB", op_write_read, w, 64 << 10);
	row_of_one("poll", op_poll, w, 0);
	stream("one process to another, 64 bytes each", w, 64, 512);
	stream("the same, 4 KiB each", w, 4 << 10, 64);
	stream("the same, 64 KiB each", w, 64 << 10, 8);
	w[0].size = w[1].size = 64;
	w[0].count = w[1].count = 1;
	row_of_two("round trip of two processes, 64 bytes", op_round_trip, answerer, w);
	return 0;
}

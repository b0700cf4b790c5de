/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of handles have in common. */
#ifndef KIPC_SELFTESTS_HANDLE_H
#define KIPC_SELFTESTS_HANDLE_H

#include "common/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <kipc.h>

/* Objects in a namespace of the test's own: a segment, a set of three, a queue. */
FIXTURE(handle) { int shm, sem, msg; };

FIXTURE_SETUP(handle)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->shm = kipc_shmget(IPC_PRIVATE, 8192, 0600);
	ASSERT_LE(0, self->shm);
	self->sem = kipc_semget(IPC_PRIVATE, 3, 0600);
	ASSERT_LE(0, self->sem);
	self->msg = kipc_msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->msg);
}

FIXTURE_TEARDOWN(handle) { }

/* As read and write of a queue's handle have it. */
struct packet {
	int64_t type;
	char text[64];
};

/* Events that are so now, of all that there are. */
static inline short ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* The id that a handle's fdinfo tells, or -1. */
static inline int id_of(int fd)
{
	char path[64], line[128];
	int id = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "kipc-id: %d", &id);
	if (f)
		fclose(f);
	return id;
}

static inline int send_text(int queue, long type, const char *text)
{
	struct packet packet = { .type = type };

	strncpy(packet.text, text, sizeof(packet.text) - 1);
	return kipc_msgsnd(queue, &packet, strlen(text) + 1, IPC_NOWAIT);
}

/* Bytes of the text, or -1. */
static inline ssize_t read_text(int fd, struct packet *packet)
{
	ssize_t n = read(fd, packet, sizeof(*packet));

	return n < 0 ? n : n - (ssize_t)sizeof(packet->type);
}

/* For a peer: the events of which it is woken, or -1. */
static inline long sleep_in_poll(long *arg, void *buf)
{
	struct pollfd p = { .fd = arg[0], .events = arg[1] };

	(void)buf;
	return poll(&p, 1, -1) == 1 ? p.revents : -1;
}

/* Wait for the end of the object, whatever else is so before. */
static inline bool until_hup(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	do {
		if (poll(&p, 1, -1) != 1)
			return false;
	} while (!(p.revents & POLLHUP));
	return true;
}

/* The kernel looks for sockets that hold only each other when one is closed. */
static inline void collect_sockets(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		_exit(1);
	close(pair[0]);
	close(pair[1]);
}

/* ---- Objects elsewhere ---- */

/* A process with an IPC namespace of its own. */
struct elsewhere {
	pid_t pid;
	int socket;
};

/*
 * Start it, and have it send @count handles, each made there by @make, which is given its
 * number.  Return: 0 or -1.
 */
static inline int elsewhere_begin(struct elsewhere *there, int (*make)(int i), int *fd, int count)
{
	int pair[2], i, failed;
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	there->pid = fork();
	if (!there->pid) {
		close(pair[0]);
		failed = unshare(CLONE_NEWIPC);
		for (i = 0; !failed && i < count; i++)
			failed = send_fd(pair[1], make(i));
		_exit(failed || read(pair[1], &c, 1) != 1);
	}
	close(pair[1]);
	there->socket = pair[0];
	for (i = 0; i < count; i++) {
		fd[i] = receive_fd(pair[0]);
		if (fd[i] < 0)
			return -1;
	}
	return 0;
}

/* Let it exit, and its namespace end a while later.  Return: 0 or -1. */
static inline int elsewhere_end(struct elsewhere *there)
{
	int status = -1;

	if (write(there->socket, "", 1) == 1)
		waitpid(there->pid, &status, 0);
	close(there->socket);
	return status ? -1 : 0;
}

/* One of a new object of the kind. */
static inline int handle_of_new(int kind)
{
	int id = kind == KIPC_KIND_SHM ? kipc_shmget(IPC_PRIVATE, 4096, 0600) :
		 kind == KIPC_KIND_SEM ? kipc_semget(IPC_PRIVATE, 1, 0600) :
		 kipc_msgget(IPC_PRIVATE, 0600);

	return kipc_handle(kind, id, O_RDWR, NULL);
}

static inline int remove_object(int kind, int id)
{
	return kind == KIPC_KIND_SHM ? kipc_shmctl(id, IPC_RMID, NULL) :
	       kind == KIPC_KIND_SEM ? kipc_semctl(id, 0, IPC_RMID) :
	       kipc_msgctl(id, IPC_RMID, NULL);
}

#endif /* KIPC_SELFTESTS_HANDLE_H */

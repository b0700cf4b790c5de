/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of handles have in common. */
#ifndef KIPC_SELFTESTS_HANDLE_H
#define KIPC_SELFTESTS_HANDLE_H

#include "common/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

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

/* What /proc/kipc/objects says of an object; false: there is none. */
struct listed {
	char lifetime[16];
	long users, handles;
};

static inline bool listed(const char *kind, int id, struct listed *row)
{
	char line[256], kind_of_row[8];
	bool found = false;
	int id_of_row;
	FILE *f = fopen("/proc/kipc/objects", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%7s %d %*s %*s %*s %ld %15s %*s %*s %*s %ld", kind_of_row,
			       &id_of_row, &row->users, row->lifetime, &row->handles) == 5 &&
			!strcmp(kind_of_row, kind) && id_of_row == id;
	if (f)
		fclose(f);
	return found;
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

/*
 * What /proc/kipc/objects says of an object: handles and whoever else uses it, or calls on
 * it so far; -1 if it is not there.
 */
struct usage {
	long users, calls;
};

static inline struct usage usage_of(const char *kind, int id)
{
	struct usage usage = { -1, -1 };
	char line[256], listed_kind[8];
	FILE *f = fopen("/proc/kipc/objects", "re");
	long users, calls;
	int listed;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%7s %d %*s %*s %*s %ld %*s %*s %*s %ld", listed_kind, &listed,
			   &users, &calls) == 4 && !strcmp(kind, listed_kind) && listed == id) {
			usage = (struct usage){ users, calls };
			break;
		}
	if (f)
		fclose(f);
	return usage;
}

#endif /* KIPC_SELFTESTS_HANDLE_H */

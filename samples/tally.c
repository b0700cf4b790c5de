// SPDX-License-Identifier: GPL-2.0
/* See tally.h. */
#include "tally.h"

#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct tallied {
	char name[TALLY_NAME + 1];
	int64_t count;
};

void die(const char *what)
{
	perror(what);
	exit(1);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct tallied *)a)->name, ((const struct tallied *)b)->name);
}

/**
 * tally() - one more question for a name
 * @name: not terminated
 * @size: its bytes
 *
 * Return: how many there were, this one included.
 */
int64_t tally(const char *name, size_t size)
{
	static struct tallied *fresh;
	static void *root;
	struct tallied **found;

	if (!fresh)
		fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		die("memory");
	memset(fresh, 0, sizeof(*fresh));
	memcpy(fresh->name, name, size < TALLY_NAME ? size : TALLY_NAME);
	found = tsearch(fresh, &root, compare);
	if (!found)
		die("memory");
	if (*found == fresh)
		fresh = NULL;
	return ++(*found)->count;
}

static int open_queue(key_t key, int flags, int *id)
{
	int fd;

	*id = kipc_msgget_lifetime(key, IPC_CREAT | IPC_EXCL | 0600, KIPC_LIFETIME_CREATOR);
	if (*id < 0)
		die("a queue");
	fd = kipc_handle(KIPC_KIND_MSG, *id, flags | O_CLOEXEC, NULL);
	if (fd < 0)
		die("a handle");
	return fd;
}

/**
 * service_open() - make the queues and the socket
 * @service: is filled in
 * @argc: of main
 * @argv: of main
 * @flags: O_NONBLOCK for all descriptors, or 0
 */
void service_open(struct service *service, int argc, char **argv, int flags)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct channel *channel;
	struct rlimit files;
	key_t key;

	if (argc != 4 || strlen(argv[3]) >= sizeof(address.sun_path)) {
		fprintf(stderr, "usage: %s KEY CHANNELS SOCKET\n", argv[0]);
		exit(2);
	}
	key = strtol(argv[1], NULL, 0);
	service->count = atoi(argv[2]);
	service->channels = calloc(service->count, sizeof(*service->channels));
	if (!service->channels)
		die("memory");
	if (getrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE");
	for (channel = service->channels; channel < service->channels + service->count; channel++) {
		channel->questions = open_queue(key++, O_RDONLY | flags, &channel->ids[0]);
		channel->answers = open_queue(key++, O_WRONLY | flags, &channel->ids[1]);
	}
	strcpy(address.sun_path, argv[3]);
	unlink(address.sun_path);
	service->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
				 (flags & O_NONBLOCK ? SOCK_NONBLOCK : 0), 0);
	if (service->socket < 0 ||
	    bind(service->socket, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(service->socket, SOMAXCONN))
		die(argv[3]);
}

/**
 * channel_close() - a queue was removed: the other one goes too, so that nobody waits for it
 * @channel: the channel
 */
void channel_close(struct channel *channel)
{
	int i;

	for (i = 0; i < 2; i++)
		kipc_msgctl(channel->ids[i], IPC_RMID, NULL);
	close(channel->questions);
	close(channel->answers);
}

/**
 * service_ready() - tell whoever waits for it that clients may come
 * @service: the service
 */
void service_ready(const struct service *service)
{
	printf("ready: %d channels\n", service->count);
	fflush(stdout);
}

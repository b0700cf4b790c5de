// SPDX-License-Identifier: GPL-2.0
/*
 * A server of many message queues and a socket: one thread, one epoll.
 *
 *   epoll_server KEY CHANNELS SOCKET		see tally.h
 *
 * It never waits but for all of them.  A channel whose client does not fetch its answers
 * is not read from until there is room again; the others are not concerned.
 */
#include "tally.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS	64

/**
 * struct source - what events come from
 * @ready: what is to be done then
 */
struct source {
	void (*ready)(struct source *source);
};

struct line {
	struct source source;
	struct channel channel;
	struct answer answer;		/* that there was no room for */
};

struct connection {
	struct source source;
	int fd;
};

static int epoll;

static int watch(int how, int fd, uint32_t events, struct source *source)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(epoll, how, fd, &event);
}

/* ---- Channels ---- */

static void line_question(struct source *source);

static void line_close(struct line *line)
{
	channel_close(&line->channel);
	free(line);
}

/* False: it has to wait. */
static bool line_answer(struct line *line)
{
	return !kipc_handle_msgsnd(line->channel.answers, &line->answer,
				   sizeof(line->answer.count), IPC_NOWAIT, 0, 0, NULL) ||
	       errno != EAGAIN;
}

/* The line waits for its other queue from here on: with an answer for room, else a question. */
static void line_turn(struct line *line, int from, int to, uint32_t events,
		      void (*ready)(struct source *source))
{
	line->source.ready = ready;
	if (watch(EPOLL_CTL_DEL, from, 0, NULL) ||
	    watch(EPOLL_CTL_ADD, to, events, &line->source))
		die("epoll");
}

static void line_room(struct source *source)
{
	struct line *line = (struct line *)source;

	if (line_answer(line))
		line_turn(line, line->channel.answers, line->channel.questions, EPOLLIN,
			  line_question);
}

static void line_question(struct source *source)
{
	struct line *line = (struct line *)source;
	struct question question;
	ssize_t size;

	size = kipc_handle_msgrcv(line->channel.questions, &question, sizeof(question.name), 0,
				  IPC_NOWAIT | MSG_NOERROR, 0, 0, NULL);
	if (size < 0 && errno == EIDRM)
		line_close(line);
	if (size < 0)
		return;
	line->answer = (struct answer){ question.type, tally(question.name, size) };
	if (!line_answer(line))
		line_turn(line, line->channel.questions, line->channel.answers, EPOLLOUT,
			  line_room);
}

/* ---- The socket ---- */

static void connection_question(struct source *source)
{
	struct connection *connection = (struct connection *)source;
	char name[TALLY_NAME];
	ssize_t size = recv(connection->fd, name, sizeof(name), 0);
	int64_t count;

	if (size < 0 && errno == EAGAIN)
		return;
	if (size > 0) {
		count = tally(name, size);
		/* Who asks and asks and does not listen has to go. */
		if (send(connection->fd, &count, sizeof(count), MSG_NOSIGNAL) == sizeof(count))
			return;
	}
	close(connection->fd);
	free(connection);
}

static void listener_connection(struct source *source)
{
	struct connection *listener = (struct connection *)source, *connection;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	connection = malloc(sizeof(*connection));
	if (!connection)
		die("memory");
	*connection = (struct connection){ { connection_question }, fd };
	if (watch(EPOLL_CTL_ADD, fd, EPOLLIN, &connection->source))
		die("epoll");
}

int main(int argc, char **argv)
{
	struct connection listener = { { listener_connection }, -1 };
	struct epoll_event events[EVENTS];
	struct source *source;
	struct service service;
	struct line *line;
	int i, n;

	service_open(&service, argc, argv, O_NONBLOCK);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		die("epoll");
	for (i = 0; i < service.count; i++) {
		line = calloc(1, sizeof(*line));
		if (!line)
			die("memory");
		line->source.ready = line_question;
		line->channel = service.channels[i];
		if (watch(EPOLL_CTL_ADD, line->channel.questions, EPOLLIN, &line->source))
			die("epoll");
	}
	listener.fd = service.socket;
	if (watch(EPOLL_CTL_ADD, service.socket, EPOLLIN, &listener.source))
		die("epoll");
	service_ready(&service);
	for (;;) {
		/* At most one event of each source, so none that has gone is met again. */
		n = epoll_wait(epoll, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < n; i++) {
			source = events[i].data.ptr;
			source->ready(source);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A server of many message queues and a socket: one thread, one ring.
 *
 *   uring_server KEY CHANNELS SOCKET		see tally.h
 *
 * For each channel and each connection there is one request under way: to receive a
 * question, or to send the answer.  Nothing is polled, and no thread waits.
 */
#include "tally.h"

#include <errno.h>
#include <kipc_uring.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SUBMISSIONS	256
#define COMPLETIONS	4096

/**
 * struct task - a request under way
 * @done: it is done: its result, or -errno
 */
struct task {
	void (*done)(struct task *task, int result);
};

struct line {
	struct task task;
	struct channel channel;
	struct kipc_msg_op call;
	union {
		struct question question;
		struct answer answer;
	};
};

struct connection {
	struct task task;
	int fd;
	union {
		char name[TALLY_NAME];
		int64_t count;
	};
};

static struct io_uring ring;

static struct io_uring_sqe *request(struct task *task, void (*done)(struct task *, int))
{
	struct io_uring_sqe *sqe;
	int ret;

	while (!(sqe = io_uring_get_sqe(&ring))) {
		ret = io_uring_submit(&ring);
		if (ret < 0 && ret != -EBUSY)
			die("io_uring");
	}
	task->done = done;
	return sqe;
}

/* ---- Channels ---- */

static void line_question(struct task *task, int result);

static void line_close(struct line *line)
{
	channel_close(&line->channel);
	free(line);
}

static void line_listen(struct line *line)
{
	struct io_uring_sqe *sqe = request(&line->task, line_question);

	kipc_prep_msgrcv(sqe, line->channel.questions, &line->call, &line->question,
			 sizeof(line->question.name), 0, MSG_NOERROR);
	io_uring_sqe_set_data(sqe, &line->task);
}

static void line_answered(struct task *task, int result)
{
	struct line *line = (struct line *)task;

	if (result < 0)
		line_close(line);
	else
		line_listen(line);
}

static void line_question(struct task *task, int result)
{
	struct line *line = (struct line *)task;
	struct io_uring_sqe *sqe;

	if (result < 0)
		return line_close(line);
	/* The type is the same, and in the same place. */
	line->answer.count = tally(line->question.name, result);
	sqe = request(&line->task, line_answered);
	kipc_prep_msgsnd(sqe, line->channel.answers, &line->call, &line->answer,
			 sizeof(line->answer.count), 0);
	io_uring_sqe_set_data(sqe, &line->task);
}

/* ---- The socket ---- */

static void connection_question(struct task *task, int result);

static void connection_listen(struct connection *connection)
{
	struct io_uring_sqe *sqe = request(&connection->task, connection_question);

	io_uring_prep_recv(sqe, connection->fd, connection->name, sizeof(connection->name), 0);
	io_uring_sqe_set_data(sqe, &connection->task);
}

static void connection_close(struct connection *connection)
{
	close(connection->fd);
	free(connection);
}

static void connection_answered(struct task *task, int result)
{
	struct connection *connection = (struct connection *)task;

	if (result < 0)
		connection_close(connection);
	else
		connection_listen(connection);
}

static void connection_question(struct task *task, int result)
{
	struct connection *connection = (struct connection *)task;
	struct io_uring_sqe *sqe;

	if (result <= 0)
		return connection_close(connection);
	connection->count = tally(connection->name, result);
	sqe = request(&connection->task, connection_answered);
	io_uring_prep_send(sqe, connection->fd, &connection->count, sizeof(connection->count),
			   MSG_NOSIGNAL);
	io_uring_sqe_set_data(sqe, &connection->task);
}

static void listener_listen(struct connection *listener);

static void listener_connection(struct task *task, int result)
{
	struct connection *listener = (struct connection *)task, *connection;

	if (result >= 0) {
		connection = malloc(sizeof(*connection));
		if (!connection)
			die("memory");
		connection->fd = result;
		connection_listen(connection);
	}
	listener_listen(listener);
}

static void listener_listen(struct connection *listener)
{
	struct io_uring_sqe *sqe = request(&listener->task, listener_connection);

	io_uring_prep_accept(sqe, listener->fd, NULL, NULL, SOCK_CLOEXEC);
	io_uring_sqe_set_data(sqe, &listener->task);
}

int main(int argc, char **argv)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE, .cq_entries = COMPLETIONS,
	};
	struct connection listener;
	struct io_uring_cqe *cqe;
	struct service service;
	struct line *line;
	struct task *task;
	int i, ret;

	service_open(&service, argc, argv, 0);
	errno = -io_uring_queue_init_params(SUBMISSIONS, &ring, &params);
	if (errno)
		die("io_uring");
	for (i = 0; i < service.count; i++) {
		line = calloc(1, sizeof(*line));
		if (!line)
			die("memory");
		line->channel = service.channels[i];
		line_listen(line);
	}
	listener.fd = service.socket;
	listener_listen(&listener);
	service_ready(&service);
	for (;;) {
		ret = io_uring_submit_and_wait(&ring, 1);
		if (ret < 0 && ret != -EINTR && ret != -EBUSY)
			die("io_uring");
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			task = io_uring_cqe_get_data(cqe);
			ret = cqe->res;
			io_uring_cqe_seen(&ring, cqe);
			task->done(task, ret);
		}
	}
}

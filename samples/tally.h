/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the example servers have in common: they count how often each name was asked for.
 *
 * Their clients know nothing but msgsnd(2) and msgrcv(2).  A channel is two queues, with
 * keys KEY + 2n and KEY + 2n + 1.  A question is a message to the first one: a type of
 * the client's choice, say its process id, and a name.  The answer comes by the second
 * one, with the same type: a number of 64 bits.  Or by a Unix socket: a packet with the
 * name, and one with the number.
 *
 * All answers are of one size, which divides the size of a queue: so a queue that has
 * room for a byte, which is what poll tells, has room for one.
 */
#ifndef KIPC_SAMPLES_TALLY_H
#define KIPC_SAMPLES_TALLY_H

#include <kipc.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_NAME	32	/* what is longer is cut */

/**
 * struct question - as msgrcv(2) has it
 */
struct question {
	long type;
	char name[TALLY_NAME];
};

struct answer {
	long type;
	int64_t count;
};

/**
 * struct channel - two queues
 * @questions: a handle to receive by
 * @answers: a handle to send by
 * @ids: of the queues
 */
struct channel {
	int questions, answers;
	int ids[2];
};

/**
 * struct service - what the arguments ask for: KEY CHANNELS SOCKET
 * @channels: the queues; they end with this process, however it ends
 * @count: of them
 * @socket: listens
 */
struct service {
	struct channel *channels;
	int count;
	int socket;
};

int64_t tally(const char *name, size_t size);
void service_open(struct service *service, int argc, char **argv, int flags);
void channel_close(struct channel *channel);
void service_ready(const struct service *service);
void die(const char *what) __attribute__((noreturn));

#endif /* KIPC_SAMPLES_TALLY_H */

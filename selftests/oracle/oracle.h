/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle: random sequences of calls by several processes and users, each made on
 * native IPC and on kipc, and everything that can be seen afterwards compared.
 *
 *   oracle [-n CALLS] [-s SEED] [-k shm,sem,msg] [-w TYPE,…] [-l CALLS] [-t SECONDS]
 *
 * All kinds of objects are mixed in one sequence; each run, which has a seed and a
 * namespace of its own, leans to one of them or to none.
 *
 * An actor is a pair of processes, one that makes its calls natively and one that makes
 * them on kipc, for both may sleep.  A step is over when each process concerned has
 * answered or is seen asleep in its call; whom a call wakes is awake when it returns, so
 * the sleepers of both worlds must then be the same.  Processes are compared by actor.
 * The namespace is fresh, so that ids are equal (the kernel is booted with
 * ipcmni_extend).
 *
 * A step is chosen whole before it is carried out, and recorded: objects and actors are
 * named by the step that made them, so that a sequence keeps its meaning when steps of it
 * are left out.  A sequence that differs is made as short as it goes, and told.  What chance
 * has not brought about in half of the time is sought in the other: its calls come often.
 * If something was not met all the same, or hardly, the whole fails as well.
 *
 * This header is for the kinds; engine.h is for what runs them.
 */
#ifndef KIPC_SELFTESTS_ORACLE_H
#define KIPC_SELFTESTS_ORACLE_H

#include "common/ipc.h"
#include "common/mem.h"
#include "common/peer.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <kselftest.h>

#define ACTORS		10		/* at a time */
#define USERS		4		/* the first of them is root */
#define NOTHING		-1		/* the step of what no step has made */

/* Native and kipc, in this order everywhere. */
extern const struct ipc *const ipcs[2];
extern const struct who users[USERS];

/* Steps by type: what processes do now and then; the calls of the kinds. */
enum {
	OP_SPAWN, OP_FORK, OP_EXEC, OP_EXIT, OP_KILL, OP_SIGNAL, OP_STOP, OP_RELAX,
	OPS_OF_PROCESSES,
	OPS_OF_SHM = 10, OPS_OF_SEM = 40, OPS_OF_MSG = 60, OP_TYPES = 80,
};

#define OP_DATA		320
#define OUT_DATA	160
#define OUT_TEXT	8192

/**
 * struct op - what an actor is to do
 * @actor: named by its first step
 * @object: the step that made or found the object whose id is a[0], or NOTHING
 * @a: arguments
 * @is_index: a[0] is that object's index
 * @is_brief: a call that sleeps for a short time at most
 * @look: what is compared afterwards, beside the object
 * @dice: for what is left to chance while it is carried out
 * @data: what else the kind needs
 */
struct op {
	unsigned char type, look, dice;
	bool is_index, is_brief;
	int actor, object;
	long a[4];
	unsigned char data[OP_DATA] __attribute__((aligned(16)));
};

/**
 * struct out - what a process tells after its call
 * @data: what the call has written
 * @text: the same of a kind that needs more, a string
 */
struct out {
	long ret;
	int err;
	unsigned char data[OUT_DATA] __attribute__((aligned(16)));
	char text[OUT_TEXT];
};

/**
 * struct actor - a pair of processes
 * @name: its first step
 * @pid: 0 if there is none
 * @op: its last one, that it sleeps in if @asleep
 */
struct actor {
	int name, user;
	pid_t pid[2];
	bool asleep;
	struct op op;
};

extern struct actor actors[ACTORS];

/**
 * struct call_info - one of a kind's calls, and what must be met of it
 * @weight: how often it is tried
 * @number: for the kind, a command
 * @errnos: ends beside success
 * @flags: which succeed
 * @sleeps: it may sleep
 * @fails: always
 */
struct call_info {
	const char *name;
	int weight, number;
	const int *errnos;
	const char *const *flags;
	bool sleeps, fails;
};

/* In a kind's table, and what its flags() makes of it. */
#define ERRNOS(...)	(const int[]){ __VA_ARGS__, 0 }
#define FLAGS(...)	(const char *const[]){ __VA_ARGS__, NULL }
#define FLAG(n, is)	((is) ? 1u << (n) : 0)

/* A sleeper in @sleeper is woken by the step @type, and its call ends so. */
struct wake {
	int type, sleeper, err;
};

/**
 * struct kind - one kind of object
 * @base: the type of its first call
 * @listed: per cent of its steps after which the listings are compared
 * @objects: how many of them are remembered
 * @call: make a call; in the actor's process
 * @choose: choose the arguments of a call; whether it may sleep
 * @is_fit: whether, as things are, a call's results are not left to chance (may be NULL)
 * @flags: which of the call's flags it has
 * @describe: a call's arguments
 * @compare: both answers to a call, that are equal in ret and err unless @is_pid
 * @is_pid: whether the call returns a pid
 * @is_place: whether the call returns an address, which may be another (may be NULL)
 * @compare_object: everything there is to be seen of an object; whether it is alive
 * @compare_listings: the listings
 * @relax: set all limits as they are to begin with; return 0
 * @after_death: of somebody, to a sleeper's call (may be NULL)
 * @begun: an actor is new and has all of its parent's, or without one nothing; the latter
 *	   also when it executes another program (may be NULL)
 * @at_end: when nobody is left (may be NULL)
 */
struct kind {
	const char *name;
	int base, n_calls, n_wakes, listed, objects;
	const struct call_info *calls;
	const struct wake *wakes;
	long (*call)(const struct op *op, const struct ipc *ipc, struct out *out);
	void (*choose)(struct op *op, bool may_sleep);
	bool (*is_fit)(const struct op *op);
	unsigned int (*flags)(const struct op *op, const struct out *out);
	int (*describe)(const struct op *op, char *text, size_t size);
	void (*compare)(const struct op *op, const struct out *native, const struct out *kipc);
	bool (*is_pid)(const struct op *op);
	bool (*is_place)(const struct op *op);
	bool (*compare_object)(int id);
	void (*compare_listings)(void);
	int (*relax)(const struct ipc *ipc);
	void (*after_death)(const struct op *op);
	void (*begun)(const struct actor *actor, const struct actor *parent);
	void (*at_end)(void);
};

extern const struct kind shm_kind, sem_kind, msg_kind;

/* ---- For the kinds ---- */

/* Only to choose: what is carried out is not left to chance. */
int rnd(int n);
bool chance(int percent);

/* They are not the same: end the run; what, and more of it. */
void differ(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A pid as the number of its actor, from 1 on; 0 is nobody. */
int who(int pid, int world);

/* Who makes a step; NULL if he is gone. */
const struct actor *actor_named(int name);
/* What somebody sleeps in, of these types, or NULL. */
const struct op *some_sleep(int type, int or_type);
/* Have one who is awake and root do it, that often. */
void by_root(struct op *op, int percent);

/* The step now carried out. */
int this_step(void);
/* Remember what this step has made or found, with a number that the kind keeps. */
void remember(const struct op *op, int id, int number);
/* Have the step concern one, mostly alive.  Return: the number, -1 for an id made up. */
int some_object(struct op *op);
/* What this other step concerns. */
void same_object(struct op *op, const struct op *other);
/* It, in words. */
const char *object_name(const struct op *op);
/* A limit is not what it was to begin with. */
void limits_are_tight(void);

#endif /* KIPC_SELFTESTS_ORACLE_H */

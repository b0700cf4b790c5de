/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What oracles of objects have in common on which processes sleep: random sequences of
 * calls by several processes and users, each made on native IPC and on kipc, and
 * everything that can be seen afterwards compared.
 *
 * An actor is a pair of processes, one that makes its calls natively and one that makes
 * them on kipc, for both may sleep.  A step is over when each process concerned has
 * answered or is seen asleep in its call; whom a call wakes is awake when it returns, so
 * the sleepers of both worlds must then be the same.  Processes are compared by actor.
 *
 * The namespace is fresh, so that ids are equal (the kernel is booted with
 * ipcmni_extend).  A sequence that differs is told by its seed and its last steps.  What
 * was hardly tried makes the run fail as well.
 */
#ifndef KIPC_SELFTESTS_ORACLE_H
#define KIPC_SELFTESTS_ORACLE_H

#include "common/ipc.h"
#include "common/mem.h"
#include "common/peer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <kselftest.h>

#define ACTORS		8		/* at a time */
#define IDS		5		/* objects remembered, most of them alive */
#define USERS		4		/* the first of them is root */

/* Native and kipc, in this order everywhere. */
extern const struct ipc *const ipcs[2];
extern const struct who users[USERS];

/* What every actor does now and then; the calls of a kind come after. */
enum { OP_FORK, OP_EXEC, OP_EXIT, OP_KILL, OP_SIGNAL, OP_STOP, OP_OWN };

#define OP_DATA		1024

/**
 * struct op - what an actor is to do
 * @type: OP_FORK and so on, or a call of the kind
 * @a: arguments; the first is the object's id, where there is one
 * @is_brief: a call that sleeps for a short time at most
 * @data: what else the kind needs
 */
struct op {
	int type, actor;
	long a[4];
	bool is_brief;
	unsigned char data[OP_DATA] __attribute__((aligned(16)));
};

/**
 * struct out - what a process tells after its call
 * @data: what the call has written
 */
struct out {
	long ret;
	int err;
	unsigned char data[OP_DATA] __attribute__((aligned(16)));
};

struct weight {
	int type, weight;
};

/* An end that a call must have come to, or a sleeper by that call. */
struct ending {
	int type, err;
};

/**
 * struct oracle - one kind of object
 * @name: the program's
 * @calls: names of its calls, which are numbered from OP_OWN on
 * @weights: how often what is done
 * @coverage: ends that there must have been
 * @woken_by: what must have woken sleepers, and with which end
 * @steps: of one run, by default
 * @call: make a call; in the actor's process
 * @choose: choose the arguments of a call; whether it may sleep
 * @describe: a call's arguments, for the history
 * @compare: both answers to a call, that are equal in ret and err unless @is_pid
 * @is_pid: whether the call returns a pid
 * @compare_object: everything there is to be seen of an object; whether it is alive
 * @compare_listings: the listings
 * @relax: set all limits as they are to begin with; return 0
 * @after_death: of somebody, to a sleeper's call (may be NULL)
 */
struct oracle {
	const char *name;
	const char *const *calls;
	int n_calls;
	const struct weight *weights;
	int n_weights;
	const struct ending *coverage;
	int n_coverage;
	const struct ending *woken_by;
	int n_woken_by;
	long steps;
	long (*call)(const struct op *op, const struct ipc *ipc, struct out *out);
	void (*choose)(struct op *op, bool may_sleep);
	int (*describe)(const struct op *op, char *text, size_t size);
	void (*compare)(const struct op *op, const struct out *native, const struct out *kipc);
	bool (*is_pid)(const struct op *op);
	bool (*compare_object)(int id);
	void (*compare_listings)(void);
	int (*relax)(const struct ipc *ipc);
	void (*after_death)(const struct op *op);
};

int oracle_main(const struct oracle *oracle, int argc, char **argv);

/* ---- For the kind ---- */

int rnd(int n);
bool chance(int percent);

/* They are not the same: tell what, once, and end the run. */
void differ(const char *what);
/* A pid as the serial number of its actor, from 1 on; 0 is nobody. */
int who(int pid, int world);

/* A sleeping actor's number or -1; what an actor did last; whether it sleeps in it. */
int sleeping(void);
const struct op *last_op(int actor);
bool is_asleep(int actor);
/* One that is awake and root, or the one given. */
int awake_root(int actor);

/* Objects remembered, with a number that the kind keeps. */
void remember(int id, int number);
/* The number, or -1 for an id that was made up; mostly one that is alive. */
int some_object(int *id);
/* A limit is not what it was to begin with. */
void limits_are_tight(void);

#endif /* KIPC_SELFTESTS_ORACLE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The security matrix: every call and command of every kind, on objects of every mode that
 * tells something, by everybody.  Native IPC is the oracle: result, errno and what was
 * given back are compared cell by cell, and so is what root sees afterwards.
 */
#include "common/harness.h"
#include "common/device.h"
#include "cells.h"
#include "principal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static const int modes[] = {
	0, 0400, 0200, 0100, 0040, 0020, 0010, 0004, 0002, 0001, 0777, 0600, 0060, 0006,
};

#define MODE_COUNT	ARRAY_SIZE(modes)

/* The calls of each kind, and those on no object. */
enum { OTHER_CALLS = KIPC_KINDS, TABLES };

static const struct {
	const struct call_row *calls;
	const unsigned int *count;
} tables[TABLES] = {
	[KIPC_KIND_SHM] = { shm_calls, &shm_call_count },
	[KIPC_KIND_SEM] = { sem_calls, &sem_call_count },
	[KIPC_KIND_MSG] = { msg_calls, &msg_call_count },
	[OTHER_CALLS] = { other_calls, &other_call_count },
};

#define MOST_CALLS	128

static const struct ipc *const ipcs[BOTH] = { &ipc_native, &ipc_kipc };

/* Of one principal, written by its process. */
struct answers {
	struct cell calls[TABLES][MODE_COUNT][MOST_CALLS][BOTH];
};

/* Cells that differ, as Documentation/differences.rst tells under the heading. */
#define FILES	"Limits in /proc/kipc/sys"
#define NEXT_ID	"shm_next_id, sem_next_id, msg_next_id"
static const struct difference differences[] = {
	{ FILES, "write *", "CAP_DAC_OVERRIDE", EACCES, EPERM },
	{ FILES, "write *", "container's root*", 0, EACCES },
	{ FILES, "write *", "root of a child of the container", 0, EACCES },
	{ FILES, "write *", "who made the container", 0, EACCES },
	{ FILES, "set *", "the machine's root", EPERM, 0 },
	{ FILES, "write *", "the machine's root", EACCES, 0 },
	{ NEXT_ID, "choose *", "CAP_DAC_OVERRIDE", EACCES, EPERM },
	{ NEXT_ID, "choose *", "root without capabilities", EACCES, EPERM },
	{ NEXT_ID, "choose *", "*CAP_SYS_ADMIN", 0, EACCES },
	{ NEXT_ID, "choose *", "*CAP_CHECKPOINT_RESTORE", 0, EACCES },
	{ NEXT_ID, "choose *", "owner elsewhere", 0, EACCES },
	{ NEXT_ID, "choose *", "who made the container", 0, EACCES },
	{ NEXT_ID, "choose *", "container's root", 0, EACCES },
	{},
};

/* By call: LETS and REFUSES, as seen. */
static unsigned char seen_shapes[TABLES][MOST_CALLS];

static struct answers *answers;
static struct object objects[KIPC_KINDS][MODE_COUNT][BOTH];

static struct cell ask(const struct call_row *call, const struct ipc *ipc, const struct object *o)
{
	struct output out = {};

	errno = 0;
	return cell_of(call->try_call(ipc, o, call->arg, &out), &out);
}

/* As a principal: one call on both, and the next. */
static void ask_all(void)
{
	unsigned int t, m, c, i;

	for (t = 0; t < TABLES; t++)
		for (m = 0; m < (t == OTHER_CALLS ? 1 : MODE_COUNT); m++)
			for (c = 0; c < *tables[t].count; c++)
				for (i = 0; i < BOTH; i++)
					answers->calls[t][m][c][i] =
						ask(&tables[t].calls[c], ipcs[i],
						    t == OTHER_CALLS ? NULL : &objects[t][m][i]);
}

/* Return: 0 or -1. */
static int make_objects(void)
{
	unsigned int k, m, i;
	int ret = 0;

	if (setresgid(-1, CREATOR_GROUP, -1) || setresuid(-1, CREATOR, -1))
		return -1;
	for (k = 0; k < KIPC_KINDS; k++)
		for (m = 0; m < MODE_COUNT; m++)
			for (i = 0; i < BOTH; i++) {
				objects[k][m][i] = make_object(ipcs[i], k, modes[m]);
				ret |= objects[k][m][i].id;
			}
	return setresuid(-1, 0, -1) || setresgid(-1, 0, -1) || ret < 0 ? -1 : 0;
}

/* What was asked of one object, in order. */
static void compare_calls(struct tally *t, const struct principal *p, unsigned int table,
			  unsigned int m)
{
	const struct call_row *call;
	struct cell *c;
	bool differed = false;
	unsigned int i;

	for (i = 0; i < *tables[table].count; i++) {
		call = &tables[table].calls[i];
		c = answers->calls[table][m][i];
		seen_shapes[table][i] |= cell_shape(&c[KIPC]);
		if (differed && call->shape & FOLLOWS)
			continue;
		differed |= cells_compare(t, p->who.name, call->name, modes[m], c);
	}
}

/* What is left, as root sees it: also that nothing happened where nobody was let. */
static void compare_state(struct tally *t, const struct principal *p, unsigned int k,
			  unsigned int m)
{
	static const char *const left[] = {
		"what is left of the segment", "what is left of the set",
		"what is left of the queue",
	};
	struct cell c[BOTH];
	unsigned int i;

	for (i = 0; i < BOTH; i++)
		c[i] = ask(&(struct call_row){ left[k], look_at_object, k, LETS }, ipcs[i],
			   &objects[k][m][i]);
	cells_compare(t, p->who.name, left[k], modes[m], c);
}

/* In the IPC namespace with the objects. Return: 0, or -1: it could not be run. */
static int run_principal(struct tally *t, const struct principal *p, const struct container *c)
{
	unsigned int k, m;
	int status;
	pid_t pid;

	memset(answers, 0, sizeof(*answers));
	if (make_objects())
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (principal_become(p, c))
			_exit(1);
		ask_all();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return -1;
	for (k = 0; k < TABLES; k++)
		for (m = 0; m < (k == OTHER_CALLS ? 1 : MODE_COUNT); m++) {
			compare_calls(t, p, k, m);
			if (k != OTHER_CALLS)
				compare_state(t, p, k, m);
		}
	return 0;
}

TEST_LONG(matrix)
{
	static struct tally t = { .differences = differences };
	struct container c;
	unsigned int i, k;

	answers = mmap(NULL, sizeof(*answers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, answers);
	for (i = 0; i < TABLES; i++)
		ASSERT_GE(MOST_CALLS, *tables[i].count);
	for (i = 0; i < principal_count; i++) {
		if (container_open(&c))
			SKIP(return, "no user namespaces for users here");
		ASSERT_EQ(0, principals[i].home == CONTAINER ? setns(c.ipc, CLONE_NEWIPC) :
							       unshare(CLONE_NEWIPC));
		ASSERT_EQ(0, run_principal(&t, &principals[i], &c))
			TH_LOG("%s", principals[i].who.name);
		container_close(&c);
	}
	for (k = 0; k < TABLES; k++)
		for (i = 0; i < *tables[k].count; i++)
			cells_check_shape(&t, tables[k].calls[i].name, tables[k].calls[i].shape,
					  seen_shapes[k][i]);
	cells_check(&t);
	EXPECT_EQ(0, t.wrong);
	EXPECT_LE(20000, t.compared);
}

/* ---- Rows that only those see who may read the object ---- */

/* Who sleeps on what, so that there is something to see. */
static int put_to_sleep(struct peer *set, struct peer *queue, unsigned int m)
{
	return peer_start(set) || peer_start(queue) ||
	       peer_block1(set, &ipc_kipc, objects[KIPC_KIND_SEM][m][KIPC].id, 0, -9, 0) ||
	       peer_block_receive(queue, &ipc_kipc, objects[KIPC_KIND_MSG][m][KIPC].id, 9, 0);
}

/* The lines of a listing that have @id in column @column (from 0) behind @first. */
static int lines_of(const char *path, const char *first, int column, int id)
{
	char line[256], words[2][32];
	FILE *f = fopen(path, "re");
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%31s %31s", words[0], words[1]) == 2 &&
		    (!first || !strcmp(words[0], first)) && atoi(words[column]) == id &&
		    strcmp(words[column], "id"))
			n++;
	fclose(f);
	return n;
}

struct seen {
	int sets, queues, queue_rows, may_read_set, may_read_queue, objects;
};

static void look(struct seen *seen)
{
	struct semid_ds set;
	struct msqid_ds queue;
	unsigned int m;
	int id[2];

	for (m = 0; m < MODE_COUNT; m++, seen++) {
		id[0] = objects[KIPC_KIND_SEM][m][KIPC].id;
		id[1] = objects[KIPC_KIND_MSG][m][KIPC].id;
		seen->sets = lines_of("/proc/kipc/waiters", "sem", 1, id[0]);
		seen->queues = lines_of("/proc/kipc/waiters", "msg", 1, id[1]);
		seen->queue_rows = lines_of("/proc/kipc/queues", NULL, 0, id[1]);
		seen->objects = lines_of("/proc/kipc/objects", "sem", 1, id[0]) +
				lines_of("/proc/kipc/objects", "msg", 1, id[1]);
		seen->may_read_set = !sem_stat(&ipc_native, objects[KIPC_KIND_SEM][m][NATIVE].id,
					       &set);
		seen->may_read_queue = !msg_stat(&ipc_native,
						 objects[KIPC_KIND_MSG][m][NATIVE].id, &queue);
	}
}

/* Return: what it sees, in memory shared with the process that looked, or NULL. */
static const struct seen *seen_by(const struct principal *p, const struct container *c)
{
	static struct seen *seen;
	int status = -1;
	pid_t pid;

	if (!seen)
		seen = mmap(NULL, MODE_COUNT * sizeof(*seen), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		return NULL;
	memset(seen, -1, MODE_COUNT * sizeof(*seen));
	pid = fork();
	if (!pid) {
		if (principal_become(p, c))
			_exit(1);
		look(seen);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && !status ? seen : NULL;
}

/* Who sleeps and what is in a queue is for whoever may read it, as IPC_STAT natively. */
TEST_LONG(rows)
{
	struct peer sets[MODE_COUNT], queues[MODE_COUNT];
	unsigned int home, i, m, shown = 0, hidden = 0;
	const struct principal *p;
	const struct seen *seen;
	struct container c;

	for (home = 0; home < HOMES; home++) {
		if (container_open(&c))
			SKIP(return, "no user namespaces for users here");
		ASSERT_EQ(0, home == CONTAINER ? setns(c.ipc, CLONE_NEWIPC) :
						 unshare(CLONE_NEWIPC));
		ASSERT_EQ(0, make_objects());
		for (m = 0; m < MODE_COUNT; m++)
			ASSERT_EQ(0, put_to_sleep(&sets[m], &queues[m], m));
		for (i = 0; i < principal_count; i++) {
			p = &principals[i];
			if (p->home != home)
				continue;
			seen = seen_by(p, &c);
			ASSERT_NE(NULL, seen);
			for (m = 0; m < MODE_COUNT; m++) {
				EXPECT_EQ(seen[m].may_read_set, seen[m].sets)
					TH_LOG("%s, mode %04o", p->who.name, modes[m]);
				EXPECT_EQ(seen[m].may_read_queue, seen[m].queues)
					TH_LOG("%s, mode %04o", p->who.name, modes[m]);
				EXPECT_EQ(seen[m].may_read_queue, seen[m].queue_rows)
					TH_LOG("%s, mode %04o", p->who.name, modes[m]);
				/* That there is an object is for all to see. */
				EXPECT_EQ(p->elsewhere ? 0 : 2, seen[m].objects)
					TH_LOG("%s, mode %04o", p->who.name, modes[m]);
				shown += seen[m].sets == 1;
				hidden += !seen[m].sets;
			}
		}
		for (m = 0; m < MODE_COUNT; m++) {
			peer_end(&sets[m], SIGKILL);
			peer_end(&queues[m], SIGKILL);
		}
		container_close(&c);
	}
	EXPECT_LT(100, shown);
	EXPECT_LT(100, hidden);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * How long one act can hold up others, with as much as possible of everything held.
 *
 * In a VM that counts instructions, on its one processor.  While the act goes on a thread
 * of the highest priority wakes every 50,000 instructions.  How late it is tells how long
 * the processor was not to be had: nobody looked whether somebody else is to run.  It then
 * makes a small call on the same object, or on the same table.  How long that takes tells
 * how long the lock is held.
 *
 * What can be done natively is, in the row after: what the kernel itself takes to wake or
 * end as many threads is no matter of kipc's.
 *
 *   bound [SCENARIO…]	all by default
 */
#include "bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kipc.h>
#include <linux/futex.h>

#include "common/peer.h"
#include "hostile/raw.h"

#define PERIOD		50000
#define BOUND		1000000	/* instructions */

#define NSEMS		32000	/* of the largest set */
#define OPS		500	/* of a call, by default */
#define SLEEPERS	4000
#define MEMBERS		100	/* processes with all of a set's undo values */

/* What the scenario that runs is about; semaphores past the library. */
static const struct ipc *ipc;

static int do_semctl(int id, int num, int cmd, unsigned long arg)
{
	return ipc == &ipc_native ? ipc->semctl(id, num, cmd, (union semun){ .word = arg }) :
				    raw_semctl(id, num, cmd, arg);
}

static int do_semop(int id, struct sembuf *sops, unsigned int nsops)
{
	return ipc == &ipc_native ? ipc->semop(id, sops, nsops) : raw_semop(id, sops, nsops);
}

static int do_semop1(int id, int num, int op, int flags)
{
	struct sembuf sop = { num, op, flags };

	return do_semop(id, &sop, 1);
}

/* ---- The prober ---- */

struct probe {
	volatile int go;	/* 0: wait; 1: probe; -1: end */
	volatile long rounds;
	long late, held;	/* the worst */
	int id;
};

static struct probe *probe;
static pid_t prober;

static void sleep_until(long t)
{
	struct timespec ts = { t / 1000000000, t % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

typedef void (*call)(int id);

static void look_at_nothing(int id)
{
	(void)id;
}

static void look_at_set(int id)
{
	do_semctl(id, 0, GETPID, 0);
}

static void look_at_queue(int id)
{
	struct msqid_ds ds;

	ipc->msgctl(id, IPC_STAT, &ds);
}

static void look_at_segment(int id)
{
	struct shmid_ds ds;

	ipc->shmctl(id, IPC_STAT, &ds);
}

/* The tables' own lock. */
static void make_set(int id)
{
	int set = ipc->semget(IPC_PRIVATE, 1, 0600);

	(void)id;
	ipc->semctl(set, 0, IPC_RMID);
}

static void probe_main(call call)
{
	struct sched_param param = { .sched_priority = 50 };
	long due, start, end;

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
	call(probe->id);
	for (due = now() + PERIOD;; due = end + PERIOD) {
		sleep_until(due);
		start = now();
		if (probe->go < 0)
			_exit(0);
		call(probe->id);
		end = now();
		if (start - due > probe->late)
			probe->late = start - due;
		if (end - start > probe->held)
			probe->held = end - start;
		probe->rounds++;
	}
}

static void start_prober(call call, int id)
{
	long rounds;

	probe->go = 1;
	probe->id = id;
	prober = fork();
	if (!prober) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		probe_main(call);
	}
	/* It has come to its turn a few times before anything counts. */
	rounds = probe->rounds;
	while (probe->rounds < rounds + 20)
		wait_a_little();
	probe->late = probe->held = 0;
}

static void stop_prober(void)
{
	long rounds = probe->rounds;

	/* And behind the act: memory is freed later. */
	while (probe->rounds < rounds + 2000)
		wait_a_little();
	probe->go = -1;
	waitpid(prober, NULL, 0);
}

/* ---- Those who hold things ---- */

static pid_t held[SLEEPERS];
static int held_count;
static volatile int *ready;	/* how many of them are, shared */
static volatile int *futex;	/* they may sleep on, shared */

static void wait_ready(int count)
{
	while (*ready < count)
		wait_a_little();
}

static void be_ready(void)
{
	__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
}

static pid_t start_one(void (*fn)(int id, int which), int id, int which)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(id, which);
		for (;;)
			pause();
	}
	if (pid < 0)
		die("fork");
	return pid;
}

static void start_many(void (*fn)(int id, int which), int id, int count)
{
	int i;

	*ready = 0;
	for (i = 0; i < count; i++) {
		held[held_count++] = start_one(fn, id, i);
		wait_ready(i + 1);
	}
}

static void end_many(void)
{
	int i;

	for (i = 0; i < held_count; i++)
		kill(held[i], SIGKILL);
	for (i = 0; i < held_count; i++)
		waitpid(held[i], NULL, 0);
	held_count = 0;
}

/* All who died have been dealt with: to open a listing waits for it. */
static void settle(void)
{
	FILE *f = fopen("/proc/kipc/objects", "re");

	if (f)
		fclose(f);
}

/* One of @held_count ends, and all that it held. */
static void end_one(int id)
{
	(void)id;
	kill(held[0], SIGKILL);
	waitpid(held[0], NULL, 0);
	held[0] = held[--held_count];
	settle();
}

static void end_all(int id)
{
	(void)id;
	end_many();
	settle();
}

/* ---- Sets ---- */

static int new_set(int nsems, int value)
{
	unsigned short *values = calloc(nsems, sizeof(*values));
	int id, i;

	for (i = 0; values && i < nsems; i++)
		values[i] = value;
	if (!values)
		die("memory");
	id = ipc == &ipc_native ? sem_new(ipc, nsems, values, 0600) : raw_new_set(values, nsems);
	if (id < 0)
		die("a set");
	free(values);
	return id;
}

static void set_all(int id)
{
	static unsigned short values[NSEMS];
	int i;

	for (i = 0; i < NSEMS; i++)
		values[i] = 1;
	do_semctl(id, 0, SETALL, (uintptr_t)values);
}

static void get_all(int id)
{
	static unsigned short values[NSEMS];

	do_semctl(id, 0, GETALL, (uintptr_t)values);
}

static void remove_set(int id)
{
	do_semctl(id, 0, IPC_RMID, 0);
}

static void set_mode(int id)
{
	raw_set_mode(id, 0600);
}

static void read_waiters(int id)
{
	char buf[65536];
	FILE *f = fopen("/proc/kipc/waiters", "re");

	(void)id;
	while (f && fread(buf, 1, sizeof(buf), f) > 0)
		;
	if (f)
		fclose(f);
}

static void count_sleepers(int id)
{
	do_semctl(id, 0, GETNCNT, 0);
	do_semctl(id, 0, GETZCNT, 0);
}

/* Undo values of all semaphores. */
static void undo_all(int id, int which)
{
	struct sembuf sops[OPS];
	int i, k;

	(void)which;
	for (i = 0; i < NSEMS; i += OPS) {
		for (k = 0; k < OPS; k++)
			sops[k] = (struct sembuf){ i + k, 1, SEM_UNDO };
		if (do_semop(id, sops, OPS))
			die("operations");
	}
	be_ready();
}

/* And mapped. */
static void map_and_undo_all(int id, int which)
{
	struct raw_process process;
	struct raw_view view;
	int i;

	if (raw_map_process(&process) || raw_map_set(&view, id, KIPC_SEM_MAP_WRITE))
		die("map");
	if (which % 2) {
		undo_all(id, which);
		return;
	}
	for (i = 0; i < NSEMS; i++)
		if (raw_operate(&process, &view, i, 1) && raw_semop1(id, i, 1, SEM_UNDO))
			die("operation");
	be_ready();
}

/* Undo values in many sets, the largest number; @id: the first of them. */
static int *sets;

static void undo_many_sets(int id, int which)
{
	int i;

	(void)id;
	(void)which;
	for (i = 0; i < 4096; i++)
		if (do_semop1(sets[i], 0, 1, SEM_UNDO))
			die("operation");
	be_ready();
}

/* Threads that sleep, of one process. */
static int sleep_id, sleep_on, sleep_op;	/* @sleep_on: 0: one semaphore, else each its own */

static void *sleep_on_set(void *arg)
{
	struct sembuf sop = { sleep_on ? (long)arg : 0, sleep_op, 0 };

	be_ready();
	do_semop(sleep_id, &sop, 1);
	return NULL;
}

static void *sleep_sending(void *arg)
{
	(void)arg;
	be_ready();
	msg_send(ipc, sleep_id, 1, 1, 0);
	return NULL;
}

static void *sleep_receiving(void *arg)
{
	be_ready();
	/* Each another type, which never comes. */
	msg_receive(ipc, sleep_id, 1000 + (long)arg, 0);
	return NULL;
}

/* What it costs that there are so many threads. */
static void *sleep_without_ipc(void *arg)
{
	(void)arg;
	be_ready();
	syscall(SYS_futex, futex, FUTEX_WAIT, 0, NULL, NULL, 0);
	return NULL;
}

static void *(*sleeper)(void *arg);

static void start_sleepers(int id, int which)
{
	pthread_attr_t attr;
	pthread_t thread;
	long i;

	(void)which;
	raw_fd();
	sleep_id = id;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	for (i = 0; i < SLEEPERS; i++)
		if (pthread_create(&thread, &attr, sleeper, (void *)i))
			die("thread");
}

/* Ready is who is about to call: on one processor they sleep when the others' turn is over. */
static void sleepers(int id, void *(*fn)(void *arg), int on, int op)
{
	sleeper = fn;
	sleep_on = on;
	sleep_op = op;
	*ready = 0;
	held[held_count++] = start_one(start_sleepers, id, 0);
	wait_ready(SLEEPERS);
	sleep_until(now() + 1000000000l);
}

static void wake_without_ipc(int id)
{
	(void)id;
	*futex = 1;
	syscall(SYS_futex, futex, FUTEX_WAKE, SLEEPERS, NULL, NULL, 0);
}

static void wake_all(int id)
{
	do_semctl(id, 0, SETVAL, 0);
}

static void add_many(int id)
{
	do_semop1(id, 0, SLEEPERS, 0);
}

static void largest_call(int id)
{
	struct sembuf sops[OPS];
	int i;

	for (i = 0; i < OPS; i++)
		sops[i] = (struct sembuf){ i, 1, SEM_UNDO };
	do_semop(id, sops, OPS);
}

/* ---- Queues ---- */

#define QUEUE_BYTES	(64 << 20)
#define MESSAGES	100000
#define AMID		998	/* type of the one in the middle */

static int new_queue(int messages)
{
	int id = ipc->msgget(IPC_PRIVATE, 0600), i;

	if (id < 0 || msg_set_qbytes(ipc, id, QUEUE_BYTES))
		die("a queue");
	for (i = 0; i < messages; i++)
		if (msg_send(ipc, id, i == messages / 2 ? AMID : 1 + i % 997, i, IPC_NOWAIT))
			die("a message");
	return id;
}

static void remove_queue(int id)
{
	ipc->msgctl(id, IPC_RMID, NULL);
}

static void receive_by_type(int id)
{
	msg_receive(ipc, id, 500, IPC_NOWAIT);
}

static void receive_first(int id)
{
	msg_receive(ipc, id, 0, IPC_NOWAIT);
}

static void receive_except(int id)
{
	msg_receive(ipc, id, 1, MSG_EXCEPT | IPC_NOWAIT);
}

static void receive_least(int id)
{
	msg_receive(ipc, id, -500, IPC_NOWAIT);
}

/* It goes back to where it was. */
static void receive_nowhere(int id)
{
	ipc->msgrcv(id, (void *)8, NOTE, AMID, IPC_NOWAIT);
}

static void copy_one(int id)
{
	msg_receive(ipc, id, MESSAGES / 2, MSG_COPY | IPC_NOWAIT);
}

static struct note notes[KIPC_MSG_BATCH];

static void send_many(int id)
{
	struct kipc_msg_vec vec[KIPC_MSG_BATCH];
	int i;

	for (i = 0; i < KIPC_MSG_BATCH; i++) {
		notes[i].type = 1000 + i;
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&notes[i], NOTE };
	}
	if (kipc_msgsndv(id, vec, KIPC_MSG_BATCH, 0, 0, 0, NULL) != KIPC_MSG_BATCH)
		die("messages");
}

static void receive_many(int id)
{
	struct kipc_msg_vec vec[KIPC_MSG_BATCH];
	int i;

	for (i = 0; i < KIPC_MSG_BATCH; i++)
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&notes[i], NOTE };
	if (kipc_msgrcvv(id, vec, KIPC_MSG_BATCH, 0, 0, 0, 0, NULL) != KIPC_MSG_BATCH)
		die("messages");
}

/* Room for all who sleep, at once. */
static void give_room(int id)
{
	msg_set_qbytes(ipc, id, QUEUE_BYTES);
}

static void keep_bytes(int id)
{
	struct msqid_ds ds;

	if (msg_stat(ipc, id, &ds) || ipc->msgctl(id, IPC_SET, &ds))
		die("IPC_SET");
}

/* ---- Segments ---- */

#define ATTACHMENTS	20000

static void attach_many(int id, int which)
{
	int i;

	(void)which;
	for (i = 0; i < ATTACHMENTS; i++)
		if (ipc->shmat(id, NULL, 0) == (void *)-1)
			die("attach");
	be_ready();
}

static void remove_segment(int id)
{
	ipc->shmctl(id, IPC_RMID, NULL);
}

/* ---- A namespace ---- */

#define OBJECTS		10000	/* sets, and queues */
#define SEGMENTS	4000

static void fill_namespace(int id, int which)
{
	int i;

	(void)id;
	(void)which;
	if (unshare(CLONE_NEWIPC))
		die("unshare");
	for (i = 0; i < OBJECTS; i++)
		if (ipc->semget(IPC_PRIVATE, 1, 0600) < 0 || ipc->msgget(IPC_PRIVATE, 0600) < 0 ||
		    (i < SEGMENTS && ipc->shmget(IPC_PRIVATE, 1, 0600) < 0))
			die("an object");
	be_ready();
}

/*
 * Its objects, of which sets and queues have a reference to the module each, are gone when
 * those are.  What the prober makes and removes all the while has one until a grace period
 * is over: as many as FRESH may be left of these at any time.
 */
#define FRESH	5000

static long refs_before;

static void end_namespace(int id)
{
	end_one(id);
	while (read_number("/sys/module/kipc/refcnt") > refs_before + FRESH)
		wait_a_little();
}

static void read_objects(int id)
{
	char buf[65536];
	FILE *f = fopen("/proc/kipc/objects", "re");

	(void)id;
	while (f && fread(buf, 1, sizeof(buf), f) > 0)
		;
	if (f)
		fclose(f);
}

/* ---- The scenarios ---- */

static int set_with_undo(int members, void (*fn)(int id, int which))
{
	int id = new_set(NSEMS, 1);

	start_many(fn, id, members);
	return id;
}

static int large_set(void) { return new_set(NSEMS, 1); }
static int set_undo_one(void) { return set_with_undo(1, undo_all); }
static int set_undo_many(void) { return set_with_undo(MEMBERS, undo_all); }
static int set_mapped_one(void) { return set_with_undo(1, map_and_undo_all); }
static int set_mapped_many(void) { return set_with_undo(MEMBERS, map_and_undo_all); }

static int many_sets(void)
{
	int i;

	sets = calloc(4096, sizeof(*sets));
	for (i = 0; i < 4096; i++)
		sets[i] = new_set(1, 1);
	start_many(undo_many_sets, sets[0], 1);
	return sets[0];
}

static int set_of_sleepers(int on, int op, int value)
{
	int id = new_set(NSEMS, value);

	sleepers(id, sleep_on_set, on, op);
	return id;
}

static int sleepers_on_one(void) { return set_of_sleepers(0, -1, 0); }
static int sleepers_on_all(void) { return set_of_sleepers(1, -1, 0); }
static int sleepers_for_zero(void) { return set_of_sleepers(0, 0, 1); }

static int full_queue(void) { return new_queue(MESSAGES); }

/* For messages of the first one's type, so that nobody has asked for more. */
static int watched_queue(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct kipc_filter first = { .msgtyp = 1 };
	int id = full_queue(), epoll = epoll_create1(0);
	int fd = kipc_handle(KIPC_KIND_MSG, id, O_RDONLY, &first);

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("a watch");
	return id;
}

static int idle_threads(void)
{
	*futex = 0;
	sleepers(0, sleep_without_ipc, 0, 0);
	return large_set();
}

static void hold_memory(int id, int which)
{
	size_t size = 1 << 20;
	char *mem = malloc(size);

	(void)id;
	(void)which;
	if (!mem)
		die("memory");
	memset(mem, 1, size);
	be_ready();
}

static int idle_processes(void)
{
	start_many(hold_memory, 0, MEMBERS);
	return large_set();
}

static int queue_of_senders(void)
{
	int id = new_queue(0);

	if (msg_set_qbytes(ipc, id, 4) || msg_send(ipc, id, 1, 1, IPC_NOWAIT))
		die("a queue");
	sleepers(id, sleep_sending, 0, 0);
	return id;
}

static int queue_of_receivers(void)
{
	int id = new_queue(0);

	sleepers(id, sleep_receiving, 0, 0);
	return id;
}

static int segment(void)
{
	int id = ipc->shmget(IPC_PRIVATE, PAGE, 0600);

	if (id < 0)
		die("a segment");
	start_many(attach_many, id, 1);
	return id;
}

static int namespace(void)
{
	refs_before = read_number("/sys/module/kipc/refcnt");
	start_many(fill_namespace, 0, 1);
	return 0;
}

static int full_namespace(void)
{
	fill_namespace(0, 0);
	return 0;
}

static const struct scenario {
	const char *name;
	int (*set_up)(void);
	void (*act)(int id);
	call call;
	enum { BOTH, KIPC_ONLY } worlds;	/* natively there is not everything */
} scenarios[] = {
	{ "nothing", large_set, look_at_nothing, look_at_set, KIPC_ONLY },
	{ "GETALL of 32,000", large_set, get_all, look_at_set, BOTH },
	{ "GETALL of 32,000, mapped", set_mapped_one, get_all, look_at_set, KIPC_ONLY },
	{ "SETALL of 32,000", large_set, set_all, look_at_set, BOTH },
	{ "IPC_RMID of 32,000", large_set, remove_set, look_at_set, BOTH },
	{ "500 operations", large_set, largest_call, look_at_set, BOTH },
	{ "a death, 32,000 undo values", set_undo_one, end_one, look_at_set, BOTH },
	{ "a death, 32,000 undo values, mapped", set_mapped_one, end_one, look_at_set, KIPC_ONLY },
	{ "a death, undo values in 4,096 sets", many_sets, end_one, look_at_set, BOTH },
	{ "100 deaths, 32,000 undo values each", set_undo_many, end_all, look_at_set, BOTH },
	{ "100 deaths, the same, mapped", set_mapped_many, end_all, look_at_set, KIPC_ONLY },
	{ "100 deaths, a megabyte, no IPC", idle_processes, end_all, look_at_set, KIPC_ONLY },
	{ "SETALL, 100 with 32,000 undo values", set_undo_many, set_all, look_at_set, BOTH },
	{ "SETALL, the same, mapped", set_mapped_many, set_all, look_at_set, KIPC_ONLY },
	{ "IPC_SET, mapped by 100", set_mapped_many, set_mode, look_at_set, KIPC_ONLY },
	{ "IPC_RMID, mapped by 100", set_mapped_many, remove_set, look_at_set, KIPC_ONLY },
	{ "wakes 4,000 who want one", sleepers_on_one, add_many, look_at_set, BOTH },
	{ "wakes 4,000 who wait for zero", sleepers_for_zero, wake_all, look_at_set, BOTH },
	{ "SETALL wakes 4,000 on as many", sleepers_on_all, set_all, look_at_set, BOTH },
	{ "IPC_RMID, 4,000 sleep", sleepers_on_all, remove_set, look_at_set, BOTH },
	{ "a death, 4,000 threads sleep", sleepers_on_all, end_one, look_at_set, BOTH },
	{ "wakes 4,000, no IPC", idle_threads, wake_without_ipc, look_at_set, KIPC_ONLY },
	{ "a death, 4,000 threads, no IPC", idle_threads, end_one, look_at_set, KIPC_ONLY },
	{ "GETNCNT, 4,000 sleep", sleepers_on_one, count_sleepers, look_at_set, BOTH },
	{ "listing of waiters, 4,000 sleep", sleepers_on_all, read_waiters, look_at_set,
	  KIPC_ONLY },
	{ "msgrcv by type, 100,000 messages", full_queue, receive_by_type, look_at_queue, BOTH },
	{ "msgrcv by exception", full_queue, receive_except, look_at_queue, BOTH },
	{ "msgrcv of the least type", full_queue, receive_least, look_at_queue, BOTH },
	{ "msgrcv of the first, watched", watched_queue, receive_first, look_at_queue,
	  KIPC_ONLY },
	{ "msgrcv from the middle to nowhere", full_queue, receive_nowhere, look_at_queue,
	  BOTH },
	{ "MSG_COPY", full_queue, copy_one, look_at_queue, BOTH },
	{ "1,024 sent by one call", full_queue, send_many, look_at_queue, KIPC_ONLY },
	{ "1,024 received by one call", full_queue, receive_many, look_at_queue, KIPC_ONLY },
	{ "1,024 sent to as many who sleep", queue_of_receivers, send_many, look_at_queue,
	  KIPC_ONLY },
	{ "IPC_RMID, 100,000 messages", full_queue, remove_queue, look_at_queue, BOTH },
	{ "room for 4,000 senders", queue_of_senders, give_room, look_at_queue, BOTH },
	{ "IPC_SET, 4,000 receivers", queue_of_receivers, keep_bytes, look_at_queue, BOTH },
	{ "IPC_RMID, 4,000 receivers", queue_of_receivers, remove_queue, look_at_queue, BOTH },
	{ "listing of waiters, 4,000 receivers", queue_of_receivers, read_waiters,
	  look_at_queue, KIPC_ONLY },
	{ "a death, 20,000 attachments", segment, end_one, look_at_segment, BOTH },
	{ "IPC_RMID, 20,000 attachments", segment, remove_segment, look_at_segment, BOTH },
	{ "a namespace of 24,000 objects ends", namespace, end_namespace, make_set, KIPC_ONLY },
	{ "listing of 24,000 objects", full_namespace, read_objects, make_set, KIPC_ONLY },
};

/* In a process and a namespace of its own. */
static int run(const struct scenario *s, const struct ipc *which)
{
	pid_t pid;
	int status;

	ipc = which;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		long start, took;
		bool over;
		int id;

		if (unshare(CLONE_NEWIPC))
			die("unshare");
		id = s->set_up();
		/* What was before is to be over. */
		sleep_until(now() + 200000000l);
		start_prober(s->call, id);
		start = now();
		s->act(id);
		took = now() - start;
		stop_prober();
		over = probe->late > BOUND || probe->held > BOUND;
		printf("%-40s %10ld %10ld %12ld %s\n",
		       ipc == &ipc_native ? "  natively" : s->name, probe->late, probe->held, took,
		       over && ipc == &ipc_kipc ? " over the bound" : "");
		fflush(stdout);
		end_many();
		_exit(over);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 65536, 65536 };
	unsigned int i;
	int over = 0, k;

	probe = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ready = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	futex = ready + 1;
	if (probe == MAP_FAILED || ready == MAP_FAILED)
		die("memory");
	setrlimit(RLIMIT_NPROC, &limit);
	printf("%-40s %10s %10s %12s\n", "instructions", "late", "held", "the act");
	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		bool wanted = argc == 1;

		for (k = 1; k < argc; k++)
			wanted |= !strcmp(argv[k], scenarios[i].name);
		if (!wanted)
			continue;
		over += !!run(&scenarios[i], &ipc_kipc);
		if (scenarios[i].worlds == BOTH)
			run(&scenarios[i], &ipc_native);
	}
	printf("%d over the bound of %d\n", over, BOUND);
	return !!over;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer of the whole ABI, led by the blocks of the module that an input reaches (KCOV):
 * inputs that reach new ones are kept, and changed further.
 *
 * To fork costs as much as a hundred inputs.  So two processes with two threads each, the
 * actors, run one input after the other, in an IPC namespace of their own: a life, which
 * is over after so many inputs or when one of them has died of its calls.  A call that
 * sleeps is interrupted when nothing else goes on.  What is still there at the end of a
 * life is killed.  What counts as a fault is what the kernel says of itself, a process
 * that cannot be killed, and a reference to the module that is left.
 *
 *   fuzz SECONDS SEED		look for faults
 *   fuzz -r TIMES INPUT...	run a life of these inputs, as they were printed
 *
 * A seed gives the same inputs as long as the same blocks are reached in the same order,
 * which two processors see to that they are not: the inputs are what to keep.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <linux/kcov.h>

#include "common/mem.h"
#include "common/peer.h"

#define CORPUS		4096
#define TRACE		(1 << 15)	/* entries of a thread's */
#define TEXT		(1 << 21)	/* bytes of the module's code, at most */
#define LIFE		200		/* inputs */
#define IDLE_MS		10		/* without a call that returns: whoever is left sleeps */
#define END_MS		2000		/* and does not wake: the life is over */
#define HANG_MS		120000

struct shared *shared;

static struct {
	int fd;
	unsigned long *area;
} traces[ACTORS];

static unsigned long text_start;
static uint8_t seen[TEXT];
static unsigned int blocks;

static struct input corpus[CORPUS];
static unsigned int inputs;
static uint64_t random_state;

static int kmsg;
static regex_t faults;

static void die(const char *why)
{
	printf("Bail out! %s: %s\n", why, strerror(errno));
	exit(1);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- Inputs ---- */

static uint32_t any(uint32_t below)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (random_state >> 32) % below;
}

static struct step any_step(void)
{
	struct step step;
	unsigned int i;

	for (i = 0; i < sizeof(step); i++)
		((uint8_t *)&step)[i] = any(256);
	return step;
}

static struct input any_input(void)
{
	struct input input = { .steps = 4 + any(STEPS - 4) };
	unsigned int i;

	for (i = 0; i < input.steps; i++)
		input.step[i] = any_step();
	return input;
}

static void insert(struct input *input, unsigned int at, struct step step)
{
	if (input->steps == STEPS)
		input->steps--;
	memmove(&input->step[at + 1], &input->step[at], (input->steps - at) * sizeof(step));
	input->step[at] = step;
	input->steps++;
}

static void change(struct input *input)
{
	const struct input *other = &corpus[any(inputs)];
	unsigned int at = any(input->steps);

	switch (any(8)) {
	case 0:
		insert(input, any(input->steps), any_step());
		break;
	case 1:
		insert(input, any(input->steps), input->step[at]);
		break;
	case 2:
		if (input->steps > 1) {
			input->steps--;
			memmove(&input->step[at], &input->step[at + 1],
				(input->steps - at) * sizeof(struct step));
		}
		break;
	case 3:
		insert(input, at, other->step[any(other->steps)]);
		break;
	case 4:
		for (; at < other->steps; at++)
			input->step[at] = other->step[at];
		if (input->steps < other->steps)
			input->steps = other->steps;
		break;
	case 5:
		input->step[at].actor = any(ACTORS);
		break;
	default:
		input->step[at].a[any(sizeof(input->step[at].a))] = any(256);
	}
}

static struct input next_input(void)
{
	static unsigned int first;
	struct input input;
	int changes;

	if (first_input(first, &input)) {
		first++;
		return input;
	}
	if (!inputs || !any(16))
		return any_input();
	input = corpus[any(inputs)];
	for (changes = 1 + any(4); changes; changes--)
		change(&input);
	return input;
}

static void print_input(const char *before, const struct input *input)
{
	const uint8_t *byte = (const uint8_t *)input->step;
	unsigned int i;

	printf("%s", before);
	for (i = 0; i < input->steps * sizeof(struct step); i++)
		printf("%02x", byte[i]);
	printf("\n");
	fflush(stdout);
}

static struct input parse_input(const char *text)
{
	struct input input = { 0 };
	uint8_t *byte = (uint8_t *)input.step;
	unsigned int i, value;

	for (i = 0; i < sizeof(input.step) && sscanf(text + 2 * i, "%2x", &value) == 1; i++)
		byte[i] = value;
	input.steps = i / sizeof(struct step);
	return input;
}

/* ---- Coverage ---- */

static void open_traces(void)
{
	unsigned int i;
	FILE *f;

	f = fopen("/sys/module/kipc/sections/.text", "re");
	if (!f || fscanf(f, "%lx", &text_start) != 1)
		die("where the module lies");
	fclose(f);
	for (i = 0; i < ACTORS; i++) {
		traces[i].fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
		if (traces[i].fd < 0 || ioctl(traces[i].fd, KCOV_INIT_TRACE, TRACE))
			die("KCOV");
		traces[i].area = mmap(NULL, TRACE * sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED,
				      traces[i].fd, 0);
		if (traces[i].area == MAP_FAILED)
			die("KCOV's trace");
	}
}

/* How many blocks were reached for the first time. */
static unsigned int count_new(void)
{
	unsigned int actor, fresh = 0;
	unsigned long i, n, at;

	for (actor = 0; actor < ACTORS; actor++) {
		n = __atomic_load_n(&traces[actor].area[0], __ATOMIC_RELAXED);
		for (i = 1; i <= n && i < TRACE; i++) {
			at = traces[actor].area[i] - text_start;
			if (at < TEXT && !seen[at])
				fresh += seen[at] = 1;
		}
	}
	blocks += fresh;
	return fresh;
}

/* ---- A life ---- */

static struct {
	bool lives;
	pid_t pid[PROCESSES];
	struct input inputs[LIFE];
	unsigned int n;
} life;

static void await(int *word, int value, long ms)
{
	const struct timespec timeout = { .tv_nsec = ms * 1000000 };

	syscall(SYS_futex, word, FUTEX_WAIT, value, ms ? &timeout : NULL, NULL, 0);
}

static void announce(int *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void *act(void *arg)
{
	const struct input *input = &shared->input;
	unsigned int number = (unsigned long)arg, i;
	pid_t pid = getpid();
	int round = 0;

	calls_init_thread();
	shared->tid[number] = gettid();
	traces[number].area[0] = 0;
	ioctl(traces[number].fd, KCOV_ENABLE, KCOV_TRACE_PC);
	announce(&shared->ready);
	for (;;) {
		while (__atomic_load_n(&shared->round, __ATOMIC_SEQ_CST) == round)
			await(&shared->round, round, 0);
		round++;
		traces[number].area[0] = 0;
		if (!number)
			calls_begin();
		for (i = 0; i < input->steps; i++)
			if (input->step[i].actor % ACTORS == number)
				calls_make(&input->step[i]);
		if (getpid() != pid)
			_exit(0);	/* a child, which has no part in this */
		announce(&shared->done);
	}
	return NULL;
}

static void run_process(unsigned int number)
{
	unsigned long first = number * THREADS, i;
	pthread_t thread;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shared->pid[number] = getpid();
	calls_init_process();
	for (i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, act, (void *)(first + i)))
			_exit(1);
	act((void *)first);
}

/* Whether one of the processes has died. */
static bool has_died(void)
{
	unsigned int i;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (i = 0; i < PROCESSES; i++)
			if (pid == life.pid[i])
				return true;
	return false;
}

static void begin_life(void)
{
	unsigned int i;

	memset(shared, 0, sizeof(*shared));
	life.n = 0;
	if (unshare(CLONE_NEWIPC))
		die("a namespace");
	for (i = 0; i < PROCESSES; i++) {
		life.pid[i] = fork();
		if (life.pid[i] < 0)
			die("fork");
		if (!life.pid[i])
			run_process(i);
		setpgid(life.pid[i], life.pid[i]);
	}
	life.lives = true;
	while ((i = __atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST)) < ACTORS) {
		await(&shared->ready, i, 100);
		if (has_died())
			die("an actor");
	}
}

/* All that is left of the processes.  Return: whether they died. */
static bool end_life(void)
{
	long since = now_ms();
	unsigned int i;

	life.lives = false;
	do {
		for (i = 0; i < PROCESSES; i++)
			kill(-life.pid[i], SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		wait_a_little();
	} while (now_ms() - since < HANG_MS);
	return false;
}

/* Whoever sleeps, or was stopped, is to go on.  Return: whether all are there. */
static bool interrupt(void)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < ACTORS; i++) {
		kill(shared->pid[i / THREADS], SIGCONT);
		all &= !syscall(SYS_tgkill, shared->pid[i / THREADS], shared->tid[i], SIGUSR1);
	}
	return all;
}

/* Return: whether all actors have come to the end of the input. */
static bool all_act(void)
{
	unsigned long made = 0;
	long since = now_ms(), idle = 0;
	int done;

	while ((done = __atomic_load_n(&shared->done, __ATOMIC_SEQ_CST)) < ACTORS) {
		await(&shared->done, done, IDLE_MS);
		if (made != __atomic_load_n(&shared->made, __ATOMIC_RELAXED)) {
			made = shared->made;
			since = now_ms();
			idle = 0;
		} else if (now_ms() - since >= idle + IDLE_MS) {
			idle = now_ms() - since;
			if (has_died() || !interrupt() || idle > END_MS)
				return false;
		}
	}
	return true;
}

/* Return: false if a process cannot be killed. */
static bool run(const struct input *input)
{
	if (!life.lives)
		begin_life();
	life.inputs[life.n++] = *input;
	shared->input = *input;
	shared->done = 0;
	announce(&shared->round);
	if (all_act() && life.n < LIFE)
		return true;
	return end_life();
}

/* ---- Faults ---- */

static void open_log(void)
{
	char pattern[4096] = "", line[256];
	const char *file = getenv("KIPC_FAULTS") ?: "/kipc/.vm/faults";
	FILE *f = fopen(file, "re");

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strlen(pattern) + strlen(line) + 2 > sizeof(pattern))
			die(file);
		if (*pattern)
			strcat(pattern, "|");
		strcat(pattern, line);
	}
	if (!f || regcomp(&faults, pattern, REG_EXTENDED | REG_NOSUB))
		die(file);
	fclose(f);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		die("/dev/kmsg");
}

/* Whether the kernel has found fault with itself. */
static bool is_faulty(void)
{
	char record[8192];
	bool found = false;
	ssize_t n;

	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;	/* records were lost; go on with the next */
		if (n <= 0)
			return found;
		record[n] = 0;
		found |= !regexec(&faults, record, 0, NULL, 0);
		if (found)
			printf("# kernel: %.200s\n", strchr(record, ';') ?: record);
	}
}

/* The whole life. */
static void tell(void)
{
	unsigned int i, k;

	for (i = 0; i < life.n; i++) {
		for (k = 0; k < life.inputs[i].steps; k++)
			printf("#   %u: %s\n", life.inputs[i].step[k].actor % ACTORS,
			       calls_name(&life.inputs[i].step[k]));
		print_input("# input ", &life.inputs[i]);
	}
}

/* Return: whether all is well. */
static bool is_well(bool killed)
{
	if (!killed) {
		tell();
		printf("not ok 1 - fuzz: a process cannot be killed\n");
		return false;
	}
	if (is_faulty()) {
		tell();
		printf("not ok 1 - fuzz: the kernel reports a fault\n");
		return false;
	}
	return true;
}

/* What the last namespaces hold is given back by work. */
static bool settle(long refs)
{
	long since = now_ms();

	if (unshare(CLONE_NEWIPC))
		die("a namespace");
	while (read_number("/sys/module/kipc/refcnt") > refs) {
		if (now_ms() - since > HANG_MS)
			return false;
		wait_a_little();
	}
	return true;
}

int main(int argc, char **argv)
{
	unsigned long runs = 0, lives = 0, times = 1, i;
	struct input input;
	long refs, end, k;

	if (argc == 2 && !strncmp(argv[1], "exec", 4))
		return 0;
	if (argc < 3 || (!strcmp(argv[1], "-r") && argc - 3 > LIFE)) {
		fprintf(stderr, "usage: fuzz SECONDS SEED | fuzz -r TIMES INPUT...\n");
		return 2;
	}
	printf("TAP version 13\n1..1\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("preparing");
	open_traces();
	open_log();
	refs = read_number("/sys/module/kipc/refcnt");

	if (!strcmp(argv[1], "-r")) {
		times = strtoul(argv[2], NULL, 0);
		for (i = 0; i < times; i++, lives++) {
			for (k = 3; k < argc; k++, runs++) {
				input = parse_input(argv[k]);
				if (!is_well(run(&input)))
					return 1;
				count_new();
			}
			if (life.lives && !is_well(end_life()))
				return 1;
		}
	} else {
		random_state = strtoull(argv[2], NULL, 0);
		end = now_ms() + strtol(argv[1], NULL, 0) * 1000;
		while (now_ms() < end) {
			lives += !life.lives;
			input = next_input();
			/* Should the machine not live to tell. */
			print_input(life.lives ? "> " : ">> ", &input);
			if (!is_well(run(&input)))
				return 1;
			runs++;
			if (count_new())
				corpus[inputs < CORPUS ? inputs++ : any(CORPUS)] = input;
		}
		if (life.lives && !is_well(end_life()))
			return 1;
	}
	/* As objdump -r names a call: by its operand, of four bytes. */
	for (i = 4; i < TEXT; i++)
		if (seen[i])
			printf("= %lx\n", i - 4);
	printf("# %lu inputs in %lu lives, %u kept, %u blocks reached\n", runs, lives, inputs, blocks);
	if (!settle(refs) || is_faulty()) {
		printf("not ok 1 - fuzz: something is left\n");
		return 1;
	}
	printf("ok 1 - fuzz\n");
	return 0;
}

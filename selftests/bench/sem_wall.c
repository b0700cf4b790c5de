// SPDX-License-Identifier: GPL-2.0
/*
 * The wall-clock time of operations that make no system call: the C library's sem_wait
 * and sem_post, and semop of libkipc as it is shipped, on this machine and in turns.
 *
 *   sem_wall [ROUNDS]
 *
 * There is no module here.  The library's system calls, which are few and lie before
 * what is measured, are caught by a seccomp filter and answered by answer() with pages
 * of a memfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <kipc.h>

#define PAGE	4096ul
#define PAIRS	1000
#define ID	0
#define TOKEN	7

/* ---- In the module's place ---- */

/* The pages: slots, clock, the process' own of the set, the set's. */
enum { SLOTS, CLOCK, PRIVATE, SHARED, PAGES };

static int memory;
static char *pages;

/* System calls from here are not caught. */
long gate(long number, long a, long b, long c, long d, long e, long f);
extern const char gate_end[];
__asm__(".text\n"
	"gate:	mov	%rdi, %rax\n"
	"	mov	%rsi, %rdi\n"
	"	mov	%rdx, %rsi\n"
	"	mov	%rcx, %rdx\n"
	"	mov	%r8, %r10\n"
	"	mov	%r9, %r8\n"
	"	mov	8(%rsp), %r9\n"
	"	syscall\n"
	"gate_end: ret\n");

static uint64_t address(int page)
{
	return (uintptr_t)pages + page * PAGE;
}

/* What an operation does that comes before the set is mapped, or that blocks: never here. */
static long operate(const struct sembuf *sop)
{
	struct kipc_sem_shared *shared = (void *)address(SHARED);
	__u64 *word = &shared->cells[sop->sem_num].word;

	*word = (__u64)TOKEN << KIPC_SEM_TOKEN_SHIFT | (uint16_t)(*word + sop->sem_op);
	return 0;
}

static long answer_ioctl(unsigned long request, void *arg)
{
	struct kipc_query *query = arg;
	struct kipc_process_map *process = arg;
	struct kipc_sem_map *set = arg;

	switch (request) {
	case KIPC_IOC_QUERY:
		query->abi = KIPC_ABI_VERSION;
		query->features = KIPC_FEATURE_SEM | KIPC_FEATURE_SEM_MAP;
		return 0;
	case KIPC_IOC_PROCESS_MAP:
		process->slots = address(SLOTS);
		process->clock = address(CLOCK);
		process->token = TOKEN;
		return 0;
	case KIPC_IOC_SEM_MAP:
		set->own = address(PRIVATE);
		set->shared = address(SHARED);
		set->nsems = 1;
		return 0;
	default:
		return -ENOTTY;
	}
}

static void answer(int sig, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	long a = r[REG_RDI], b = r[REG_RSI], c = r[REG_RDX], d = r[REG_R10];

	(void)sig;
	switch (info->si_syscall) {
	case SYS_openat:
		if (strcmp((const char *)b, KIPC_DEVICE) == 0)
			r[REG_RAX] = gate(SYS_fcntl, memory, F_DUPFD_CLOEXEC, 0, 0, 0, 0);
		else
			r[REG_RAX] = gate(SYS_openat, a, b, c, d, 0, 0);
		break;
	case SYS_ioctl:
		r[REG_RAX] = answer_ioctl(b, (void *)c);
		break;
	default:
		r[REG_RAX] = d == KIPC_CALL_SEM_OP ? operate((const struct sembuf *)c) : -EINVAL;
	}
}

#define FIELD(name)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

static void catch_calls(void)
{
	struct sock_filter filter[] = {
		FIELD(instruction_pointer),
		IS((uint32_t)(uintptr_t)gate_end, 8, 0),
		FIELD(nr),
		IS(SYS_openat, 5, 0),
		IS(SYS_fadvise64, 4, 0),
		IS(SYS_ioctl, 0, 4),
		FIELD(args[1]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
		IS(KIPC_IOC_TYPE << 8, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
	struct sigaction action = { .sa_sigaction = answer, .sa_flags = SA_SIGINFO };

	memory = memfd_create("kipc", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, PAGES * PAGE))
		exit(1);
	pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (pages == MAP_FAILED || sigaction(SIGSYS, &action, NULL) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("seccomp");
		exit(1);
	}
}

/* ---- The benchmark ---- */

enum { GLIBC, PLAIN, UNDO, KINDS };

static sem_t unnamed;

static void pairs(int kind)
{
	short flags = kind == UNDO ? SEM_UNDO : 0;
	struct sembuf up = { 0, 1, flags }, down = { 0, -1, flags };
	int i;

	for (i = 0; i < PAIRS; i++) {
		if (kind == GLIBC) {
			sem_post(&unnamed);
			sem_wait(&unnamed);
		} else if (kipc_semop(ID, &up, 1) || kipc_semop(ID, &down, 1)) {
			perror("semop");
			exit(1);
		}
	}
}

static double pair_time(int kind)
{
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pairs(kind);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / PAIRS;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const char * const names[KINDS] = {
		"sem_post + sem_wait", "semop up + down", "the same with SEM_UNDO",
	};
	int rounds = argc > 1 ? atoi(argv[1]) : 2001, i, k;
	double *times[KINDS], *ratios[KINDS];

	sem_init(&unnamed, 1, 0);
	catch_calls();
	for (k = 0; k < KINDS; k++) {
		times[k] = calloc(rounds, sizeof(double));
		ratios[k] = calloc(rounds, sizeof(double));
		if (!times[k] || !ratios[k])
			return 1;
		pairs(k);
	}
	for (i = 0; i < rounds; i++)
		for (k = 0; k < KINDS; k++) {
			times[k][i] = pair_time(k);
			ratios[k][i] = times[k][i] / times[GLIBC][i];
		}
	/* The first percentile is what a machine gives that does nothing else. */
	printf("%d rounds in turns\n\n%-30s %17s %17s\n%-30s %8s %8s %8s %8s\n", rounds, "",
	       "first percentile", "median", "", "ns", "ratio", "ns", "ratio");
	for (k = 0; k < KINDS; k++) {
		qsort(times[k], rounds, sizeof(double), by_value);
		qsort(ratios[k], rounds, sizeof(double), by_value);
		printf("%-30s %8.2f %8.3f %8.2f %8.3f\n", names[k], times[k][rounds / 100],
		       times[k][rounds / 100] / times[GLIBC][rounds / 100],
		       times[k][rounds / 2], ratios[k][rounds / 2]);
	}
	return 0;
}

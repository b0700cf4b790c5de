// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sets of semaphores by libkipc, or compiled for the C library's names
 * (-DPRELOADED) by libkipc-preload or the C library itself: every function and
 * every command of semctl, with what a program of this kind passes and sees.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#ifdef PRELOADED
#define get	semget
#define operate	semop
#define operate_timed semtimedop
#define control	semctl
#else
#include <kipc.h>
#define get	kipc_semget
#define operate	kipc_semop
#define operate_timed kipc_semtimedop
#define control	kipc_semctl
#endif

#define BAD_POINTER	((void *)16)
#define KEY		0x6b697065

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static const struct timespec no_time, a_while = { .tv_nsec = 20000000 };

static bool is_near(long long then)
{
	return llabs(then - (long long)time(NULL)) < 60;
}

/* Is it the error wanted, and is errno otherwise left alone? */
#define FAILS(error, call) ({ errno = 0; (call) == -1 && errno == (error); })

static void check_operations(int id)
{
	struct sembuf both[2] = { { .sem_num = 0, .sem_op = 2 }, { .sem_num = 2, .sem_op = 1 } };
	struct sembuf zero = { .sem_num = 0, .sem_op = 0, .sem_flg = IPC_NOWAIT };
	struct sembuf down = { .sem_num = 1, .sem_op = -1 };
	struct sembuf down_now = { .sem_num = 1, .sem_op = -1, .sem_flg = IPC_NOWAIT };

	errno = 77;
	ok(operate(id, both, 2) == 0 && control(id, 0, GETVAL) == 2 && control(id, 2, GETVAL) == 1,
	   "semop: two operations");
	ok(operate_timed(id, both, 2, NULL) == 0 && control(id, 0, GETVAL) == 4,
	   "semtimedop: no time-out");
	ok(operate_timed(id, both, 2, &a_while) == 0 && control(id, 0, GETVAL) == 6,
	   "semtimedop: done before");
	ok(errno == 77, "successes preserve errno");
	ok(FAILS(EAGAIN, operate(id, &zero, 1)), "semop: EAGAIN");
	ok(FAILS(EAGAIN, operate(id, &down_now, 1)), "semop: EAGAIN again");
	ok(FAILS(EAGAIN, operate_timed(id, &down, 1, &a_while)), "semtimedop: time-out");
	ok(FAILS(EAGAIN, operate_timed(id, &down, 1, &no_time)), "semtimedop: no time");
	ok(FAILS(EINVAL, operate_timed(id, &down, 1, &(struct timespec){ .tv_nsec = -1 })),
	   "semtimedop: a bad time-out");
	ok(FAILS(EINVAL, operate_timed(id, &down, 1, &(struct timespec){ .tv_sec = -1 })),
	   "semtimedop: a negative time-out");
	ok(FAILS(EINVAL, operate(id, both, 0)), "semop: no operation");
	ok(FAILS(E2BIG, operate(id, both, 501)), "semop: E2BIG");
	ok(FAILS(EFAULT, operate(id, BAD_POINTER, 1)), "semop: EFAULT");
	ok(FAILS(EFAULT, operate_timed(id, BAD_POINTER, 1, &a_while)), "semtimedop: EFAULT");
#ifndef __i386__
	/* A 32-bit C library reads the time-out itself, and faults. */
	ok(FAILS(EFAULT, operate_timed(id, both, 1, BAD_POINTER)), "semtimedop: a bad pointer");
#endif
	ok(FAILS(EINVAL, operate(-1, both, 1)), "semop: no such set");
#ifdef __LP64__
	ok(operate(id, both, (1ul << 32) + 2) == 0 && control(id, 0, GETVAL) == 8,
	   "semop: of the number of operations the lower half");
	control(id, 0, SETVAL, 6);
	control(id, 2, SETVAL, 3);
#endif
}

#ifndef PRELOADED
static void check_extensions(void)
{
	struct sembuf down = { .sem_op = -1 }, up = { .sem_op = 1 };
	struct timespec now;
	int id, status;
	pid_t pid;
	static const struct {
		clockid_t clock;
		const char *name;
	} clocks[] = {
		{ CLOCK_MONOTONIC, "monotonic" }, { CLOCK_REALTIME, "realtime" },
		{ CLOCK_BOOTTIME, "boottime" },
	};
	size_t i;

	id = get(IPC_PRIVATE, 1, 0600);
	for (i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		ok(FAILS(EAGAIN, kipc_semclockop(id, &down, 1, clocks[i].clock, 0, &a_while)),
		   "semclockop: relative, %s", clocks[i].name);
		clock_gettime(clocks[i].clock, &now);
		ok(FAILS(EAGAIN, kipc_semclockop(id, &down, 1, clocks[i].clock, TIMER_ABSTIME,
						 &now)), "semclockop: absolute, past");
		now.tv_nsec += a_while.tv_nsec;
		if (now.tv_nsec >= 1000000000) {
			now.tv_nsec -= 1000000000;
			now.tv_sec++;
		}
		ok(FAILS(EAGAIN, kipc_semclockop(id, &down, 1, clocks[i].clock, TIMER_ABSTIME,
						 &now)), "semclockop: absolute, to come");
	}
	errno = 77;
	ok(kipc_semclockop(id, &up, 1, CLOCK_BOOTTIME, 0, &a_while) == 0 &&
	   kipc_semclockop(id, &down, 1, CLOCK_BOOTTIME, TIMER_ABSTIME, NULL) == 0 && errno == 77,
	   "semclockop: successes preserve errno");
	ok(FAILS(EINVAL, kipc_semclockop(id, &up, 1, CLOCK_PROCESS_CPUTIME_ID, 0, &a_while)),
	   "semclockop: no such clock");
	ok(FAILS(EINVAL, kipc_semclockop(id, &up, 1, CLOCK_REALTIME, 2, &a_while)),
	   "semclockop: no such flag");
#ifndef __i386__
	ok(FAILS(EFAULT, kipc_semclockop(id, &up, 1, CLOCK_REALTIME, 0, BAD_POINTER)),
	   "semclockop: a bad pointer");
#endif
	control(id, 0, IPC_RMID);

	ok(FAILS(EINVAL, kipc_semget_lifetime(IPC_PRIVATE, 1, 0600, 4711)),
	   "semget_lifetime: no such lifetime");
	id = kipc_semget_lifetime(IPC_PRIVATE, 1, 0600, KIPC_LIFETIME_PERSISTENT);
	ok(id >= 0 && control(id, 0, IPC_RMID) == 0, "semget_lifetime: persistent");
	pid = fork();
	if (!pid)
		_exit(kipc_semget_lifetime(KEY + 1, 1, IPC_CREAT | IPC_EXCL | 0600,
					   KIPC_LIFETIME_CREATOR) < 0);
	ok(waitpid(pid, &status, 0) == pid && status == 0 && FAILS(ENOENT, get(KEY + 1, 0, 0)),
	   "semget_lifetime: creator");
}
#endif

static void handler(int number)
{
	(void)number;
}

static void check_interruption(int id)
{
	struct itimerval soon = { { 0, 10000 }, { 0, 10000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sembuf down = { .sem_num = 1, .sem_op = -1 };
	struct timespec long_time = { .tv_sec = 3600 };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ok(FAILS(EINTR, operate(id, &down, 1)), "semop: EINTR, whatever SA_RESTART says");
	ok(FAILS(EINTR, operate_timed(id, &down, 1, &long_time)), "semtimedop: EINTR");
	setitimer(ITIMER_REAL, &never, NULL);
}

static void check_undo(int id)
{
	struct sembuf up = { .sem_num = 1, .sem_op = 3, .sem_flg = SEM_UNDO };
	int status, value;
	pid_t pid = fork();

	if (!pid)
		_exit(operate(id, &up, 1) ? 1 : control(id, 1, GETVAL));
	ok(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3, "SEM_UNDO: done");
	value = control(id, 1, GETVAL);
	ok(value == 0 && control(id, 1, GETPID) == pid, "SEM_UNDO: undone, value %d", value);
}

static void check_control(int id)
{
	unsigned short values[3] = { 5, 6, 7 }, seen[3] = { 0xa5a5, 0xa5a5, 0xa5a5 };
	union semun arg = { .val = 9 };
	struct semid_ds ds, other;
	struct seminfo info;
	int index;

	errno = 77;
	ok(control(id, 1, SETVAL, arg) == 0 && control(id, 1, GETVAL) == 9, "semctl: SETVAL");
	ok(control(id, 1, SETVAL, 4) == 0 && control(id, 1, GETVAL) == 4, "semctl: SETVAL, an int");
	ok(control(id, 1, GETPID) == getpid(), "semctl: GETPID");
	ok(control(id, 1, GETNCNT) == 0 && control(id, 1, GETZCNT) == 0,
	   "semctl: GETNCNT, GETZCNT");
	arg.array = values;
	ok(control(id, 0, SETALL, arg) == 0 && control(id, 2, GETVAL) == 7, "semctl: SETALL");
	arg.array = seen;
	ok(control(id, 0, GETALL, arg) == 0 && memcmp(values, seen, sizeof(seen)) == 0,
	   "semctl: GETALL");

	memset(&ds, 0xa5, sizeof(ds));
	arg.buf = &ds;
	ok(control(id, 0, IPC_STAT, arg) == 0 && ds.sem_nsems == 3 && is_near(ds.sem_otime) &&
	   is_near(ds.sem_ctime) && (ds.sem_perm.mode & 0777) == 0600 &&
	   ds.sem_perm.__key == KEY && ds.sem_perm.uid == geteuid() &&
	   ds.sem_perm.cgid == getegid(), "semctl: IPC_STAT");
	ds.sem_perm.mode = 0640;
	ok(control(id, 0, IPC_SET, &ds) == 0 && control(id, 0, IPC_STAT, &other) == 0 &&
	   (other.sem_perm.mode & 0777) == 0640, "semctl: IPC_SET");

	memset(&info, 0xa5, sizeof(info));
	arg.info = &info;
	index = control(0, 0, IPC_INFO, arg);
	ok(index >= 0 && info.semmsl == 32000 && info.semopm == 500 && info.semvmx == 32767,
	   "semctl: IPC_INFO");
	memset(&info, 0xa5, sizeof(info));
	index = control(0, 0, SEM_INFO, arg);
	ok(index >= 0 && info.semusz >= 1 && info.semaem >= 3, "semctl: SEM_INFO");
	for (; index >= 0; index--)
		if (control(index, 0, SEM_STAT, &ds) == id)
			break;
	ok(index >= 0 && ds.sem_nsems == 3, "semctl: SEM_STAT");
	memset(&ds, 0xa5, sizeof(ds));
	ok(control(index, 0, SEM_STAT_ANY, &ds) == id && ds.sem_nsems == 3,
	   "semctl: SEM_STAT_ANY");
	ok(errno == 77 || index < 0, "successes preserve errno");

	ok(FAILS(ERANGE, control(id, 0, SETVAL, 32768)), "semctl: ERANGE");
	ok(FAILS(ERANGE, control(id, 0, SETVAL, -1)), "semctl: ERANGE, negative");
	ok(FAILS(EINVAL, control(id, 3, GETVAL)), "semctl: no such semaphore");
	ok(FAILS(EINVAL, control(id, -1, GETVAL)), "semctl: no such semaphore, negative");
	ok(FAILS(EINVAL, control(id, 0, 4711, 0)), "semctl: no such command");
	ok(FAILS(EFAULT, control(id, 0, GETALL, BAD_POINTER)), "semctl: GETALL, EFAULT");
	ok(FAILS(EFAULT, control(id, 0, SETALL, BAD_POINTER)), "semctl: SETALL, EFAULT");
	ok(FAILS(EFAULT, control(id, 0, IPC_INFO, BAD_POINTER)), "semctl: IPC_INFO, EFAULT");
#ifndef __i386__
	/* A 32-bit C library reads and writes these itself. */
	ok(FAILS(EFAULT, control(id, 0, IPC_STAT, BAD_POINTER)), "semctl: IPC_STAT, EFAULT");
	ok(FAILS(EFAULT, control(id, 0, IPC_SET, BAD_POINTER)), "semctl: IPC_SET, EFAULT");
#endif
}

/* What waits, and for what. */
static void check_waiters(int id)
{
	static const struct {
		struct sembuf op;
		int command;
		const char *name;
	} kinds[] = {
		{ { .sem_num = 1, .sem_op = -1 }, GETNCNT, "GETNCNT" },
		{ { .sem_num = 2, .sem_op = 0 }, GETZCNT, "GETZCNT" },
	};
	struct timespec pause = { .tv_nsec = 1000000 };
	size_t i;

	control(id, 1, SETVAL, 0);
	control(id, 2, SETVAL, 1);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct sembuf op = kinds[i].op;
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(operate(id, &op, 1) ? errno : 0);
		while (control(id, op.sem_num, kinds[i].command) == 0)
			nanosleep(&pause, NULL);
		ok(control(id, op.sem_num, kinds[i].command) == 1, "semctl: %s of one", kinds[i].name);
		control(id, op.sem_num, SETVAL, op.sem_op ? 1 : 0);
		ok(waitpid(pid, &status, 0) == pid && status == 0, "it goes on");
	}
}

#ifdef PRELOADED
static void check_syscall(int id)
{
	struct sembuf up = { .sem_op = 1 };
	struct semid_ds ds;

	control(id, 0, SETVAL, 0);
	errno = 77;
	ok(syscall(SYS_semget, KEY, 0, 0) == id, "syscall: semget");
	ok(syscall(SYS_semctl, id, 0, SETVAL, 3) == 0 && control(id, 0, GETVAL) == 3,
	   "syscall: semctl");
	ok(syscall(SYS_semctl, id, 0, IPC_STAT, &ds) == 0 && ds.sem_nsems == 3,
	   "syscall: semctl, IPC_STAT");
#ifdef __i386__
	{
		struct { int64_t sec; int32_t nsec, padding; } far = { 3600, 0, -1 };
		struct { int32_t sec, nsec; } near = { 3600, 0 };
		int value = 8, other;

		ok(syscall(SYS_semtimedop_time64, id, &up, 1, &far) == 0 &&
		   control(id, 0, GETVAL) == 4, "syscall: semtimedop_time64");
		ok(syscall(SYS_ipc, 1, id, 1, 0, &up) == 0 && control(id, 0, GETVAL) == 5,
		   "ipc: SEMOP");
		ok(syscall(SYS_ipc, 4, id, 1, 0, &up, &near) == 0 && control(id, 0, GETVAL) == 6,
		   "ipc: SEMTIMEDOP");
		ok(syscall(SYS_ipc, 3, id, 0, SETVAL, &value) == 0 && control(id, 0, GETVAL) == 8,
		   "ipc: SEMCTL without IPC_64");
		value = (int)(intptr_t)&ds;
		memset(&ds, 0xa5, sizeof(ds));
		ok(syscall(SYS_ipc, 3, id, 0, IPC_STAT | 0x100, &value) == 0 && ds.sem_nsems == 3,
		   "ipc: SEMCTL with IPC_64");
		other = syscall(SYS_ipc, 2, IPC_PRIVATE, 1, 0600);
		ok(other >= 0 && syscall(SYS_ipc, 3, other, 0, IPC_RMID, &value) == 0,
		   "ipc: SEMGET");
		ok(errno == 77, "successes preserve errno");
		ok(FAILS(EFAULT, syscall(SYS_ipc, 3, id, 0, GETVAL, BAD_POINTER)),
		   "ipc: SEMCTL, bad pointer");
		ok(FAILS(EINVAL, syscall(SYS_ipc, 3, id, 0, GETVAL, NULL)), "ipc: SEMCTL, none");
		ok(FAILS(EFAULT, syscall(SYS_ipc, 4, id, 1, 0, &up, BAD_POINTER)),
		   "ipc: SEMTIMEDOP, bad pointer");
		ok(FAILS(EFAULT, syscall(SYS_semtimedop_time64, id, &up, 1, BAD_POINTER)),
		   "syscall: semtimedop_time64, bad pointer");
	}
#else
	ok(syscall(SYS_semop, id, &up, 1) == 0 && control(id, 0, GETVAL) == 4, "syscall: semop");
	ok(syscall(SYS_semtimedop, id, &up, 1, &a_while) == 0 && control(id, 0, GETVAL) == 5,
	   "syscall: semtimedop");
	ok(errno == 77, "successes preserve errno");
#endif
}
#endif

int main(void)
{
	int id, other;

	/* Left by a run that was killed */
	other = get(KEY, 0, 0);
	if (other >= 0)
		control(other, 0, IPC_RMID);

	errno = 77;
	id = get(KEY, 3, IPC_CREAT | IPC_EXCL | 0600);
	if (!ok(id >= 0 && errno == 77, "semget: errno %d", errno))
		return tap_end();
	ok(get(KEY, 2, 0) == id, "semget: found by key");
	ok(FAILS(EEXIST, get(KEY, 3, IPC_CREAT | IPC_EXCL)), "semget: EEXIST");
	ok(FAILS(EINVAL, get(KEY, 4, 0)), "semget: too few semaphores");
	ok(FAILS(EINVAL, get(IPC_PRIVATE, 0, 0600)), "semget: no semaphores");
	ok(FAILS(EINVAL, get(IPC_PRIVATE, -1, 0600)), "semget: negative");
	ok(FAILS(EINVAL, get(IPC_PRIVATE, 32001, 0600)), "semget: too many");
	ok(FAILS(ENOENT, get(KEY + 1, 1, 0)), "semget: ENOENT");

	check_operations(id);
	check_interruption(id);
	check_undo(id);
	check_control(id);
	check_waiters(id);
#ifdef PRELOADED
	check_syscall(id);
#else
	check_extensions();
#endif

	errno = 77;
	other = get(IPC_PRIVATE, 32000, 0600);
	ok(other >= 0 && control(other, 31999, SETVAL, 1) == 0 && control(other, 0, IPC_RMID) == 0 &&
	   control(id, 4711, IPC_RMID) == 0 && errno == 77, "the end");
	ok(FAILS(EINVAL, control(id, 0, GETVAL)), "gone");
	return tap_end();
}

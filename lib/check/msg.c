// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Queues of messages by libkipc, or compiled for the C library's names
 * (-DPRELOADED) by libkipc-preload or the C library itself: every function and
 * every command of msgctl, with what a program of this kind passes and sees.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#ifdef PRELOADED
#define get	msgget
#define send	msgsnd
#define receive	msgrcv
#define control	msgctl
#else
#include <kipc.h>
#define get	kipc_msgget
#define send	kipc_msgsnd
#define receive	kipc_msgrcv
#define control	kipc_msgctl
#endif

#define BAD_POINTER	((void *)16)
#define KEY		0x6b697065
#define POISON		0xa5

/* More room than a call by registers can name. */
static struct message {
	long type;
	char text[70000];
} message;

static bool is_near(long long then)
{
	return llabs(then - (long long)time(NULL)) < 60;
}

/* Is it the error wanted, and is errno otherwise left alone? */
#define FAILS(error, call) ({ errno = 0; (call) == -1 && errno == (error); })

static int put(int id, long type, const char *text, int flags)
{
	struct message m = { .type = type };

	strcpy(m.text, text);
	return send(id, &m, strlen(text), flags);
}

/* Is this what comes, and nothing behind it? */
static bool takes(int id, long wanted, int flags, size_t room, long type, const char *text)
{
	size_t length = strlen(text);

	memset(&message, POISON, sizeof(message));
	return receive(id, &message, room, wanted, flags) == (ssize_t)length &&
	       message.type == type && memcmp(message.text, text, length) == 0 &&
	       (unsigned char)message.text[length] == POISON;
}

static long count(int id)
{
	struct msqid_ds ds;

	return control(id, IPC_STAT, &ds) ? -1 : (long)ds.msg_qnum;
}

static void check_operations(int id)
{
	struct message m = { .type = 1 };

	errno = 77;
	ok(put(id, 3, "three", 0) == 0 && put(id, 1, "one", 0) == 0 && put(id, 2, "", 0) == 0 &&
	   put(id, 3, "more", IPC_NOWAIT) == 0 && count(id) == 4, "msgsnd");
	ok(takes(id, 0, 0, 100, 3, "three"), "msgrcv: the first");
	ok(takes(id, 3, 0, 4, 3, "more"), "msgrcv: of a type, just enough room");
	ok(takes(id, -2, 0, 100, 1, "one"), "msgrcv: the lowest type");
	ok(put(id, 5, "five", 0) == 0 && takes(id, 2, MSG_EXCEPT, 100, 5, "five"),
	   "msgrcv: MSG_EXCEPT");
	ok(takes(id, 2, IPC_NOWAIT, 0, 2, ""), "msgrcv: no bytes");
	ok(put(id, 1, "truncated", 0) == 0 && takes(id, 0, MSG_NOERROR, 5, 1, "trunc") &&
	   count(id) == 0, "msgrcv: MSG_NOERROR");
	ok(put(id, 1, "far", 0) == 0 && takes(id, 0, 0, sizeof(message.text), 1, "far"),
	   "msgrcv: much room");
	ok(put(id, LONG_MAX, "high", 0) == 0 && takes(id, LONG_MAX, 0, 10, LONG_MAX, "high"),
	   "the highest type");
	ok(put(id, INT_MAX, "high", 0) == 0 && takes(id, INT_MAX, 0, 10, INT_MAX, "high"),
	   "the highest of 32 bits");
	ok(put(id, 9, "low", 0) == 0 && takes(id, LONG_MIN, 0, 10, 9, "low"), "the lowest type");
	ok(put(id, 9, "flags", 0700) == 0 && takes(id, 9, 0100700, 10, 9, "flags"),
	   "flags without a meaning");
	ok(errno == 77, "successes preserve errno");

	ok(FAILS(ENOMSG, receive(id, &message, 100, 0, IPC_NOWAIT)), "msgrcv: ENOMSG");
	put(id, 1, "long", 0);
	ok(FAILS(ENOMSG, receive(id, &message, 100, 2, IPC_NOWAIT)), "msgrcv: none of that type");
	ok(FAILS(E2BIG, receive(id, &message, 3, 0, 0)) && count(id) == 1, "msgrcv: E2BIG");
	ok(FAILS(EINVAL, receive(id, &message, -1, 0, 0)), "msgrcv: negative room");
	ok(FAILS(EINVAL, receive(-1, &message, 100, 0, 0)), "msgrcv: no such queue");
	ok(FAILS(EINVAL, receive(id, &message, 100, 0, MSG_COPY)), "msgrcv: a copy, and waiting");
	memset(&message, POISON, sizeof(message));
	errno = 77;
	if (receive(id, &message, 100, 0, MSG_COPY | IPC_NOWAIT) == -1 && errno == ENOSYS)
		ok(true, "msgrcv: MSG_COPY # SKIP this kernel has none");
	else
		ok(errno == 77 && memcmp(message.text, "long", 4) == 0 && count(id) == 1 &&
		   FAILS(ENOMSG, receive(id, &message, 100, 1, MSG_COPY | IPC_NOWAIT)),
		   "msgrcv: MSG_COPY");
	receive(id, &message, 100, 0, 0);

	ok(FAILS(EINVAL, put(id, 0, "", 0)), "msgsnd: type 0");
	ok(FAILS(EINVAL, put(id, -1, "", 0)), "msgsnd: a negative type");
	ok(FAILS(EINVAL, send(id, &m, -1, 0)), "msgsnd: a negative size");
	ok(FAILS(EINVAL, send(id, &m, 70000, 0)), "msgsnd: too large");
	ok(FAILS(EINVAL, put(-1, 1, "", 0)), "msgsnd: no such queue");
	ok(FAILS(EFAULT, send(id, BAD_POINTER, 1, 0)), "msgsnd: EFAULT");
	ok(send(id, &m, 8192, 0) == 0 && send(id, &m, 8192, 0) == 0 &&
	   FAILS(EAGAIN, send(id, &m, 1, IPC_NOWAIT)), "msgsnd: EAGAIN");
	ok(receive(id, &message, 8192, 0, 0) == 8192 && receive(id, &message, 8192, 0, 0) == 8192,
	   "msgrcv: the largest");
	put(id, 1, "bad", 0);
	ok(FAILS(EFAULT, receive(id, BAD_POINTER, 100, 0, 0)), "msgrcv: EFAULT");
#ifndef PRELOADED
	ok(count(id) == 1, "msgrcv: it stays");
#endif
	/* Natively it is lost. */
	receive(id, &message, 100, 0, IPC_NOWAIT);
}

#ifndef PRELOADED
static struct timespec after(clockid_t clock, long nsec)
{
	struct timespec now;

	clock_gettime(clock, &now);
	now.tv_nsec += nsec;
	if (now.tv_nsec >= 1000000000) {
		now.tv_nsec -= 1000000000;
		now.tv_sec++;
	}
	return now;
}

static void check_clocks(int id)
{
	static const struct timespec a_while = { .tv_nsec = 20000000 };
	static const struct {
		clockid_t clock;
		const char *name;
	} clocks[] = {
		{ CLOCK_MONOTONIC, "monotonic" }, { CLOCK_REALTIME, "realtime" },
		{ CLOCK_BOOTTIME, "boottime" },
	};
	struct message m = { .type = 1 };
	struct timespec then;
	clockid_t clock;
	size_t i;

	for (i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		clock = clocks[i].clock;
		ok(FAILS(EAGAIN, kipc_msgclockrcv(id, &m, 1, 0, 0, clock, 0, &a_while)),
		   "msgclockrcv: relative, %s", clocks[i].name);
		then = after(clock, 0);
		ok(FAILS(EAGAIN, kipc_msgclockrcv(id, &m, 1, 0, 0, clock, TIMER_ABSTIME, &then)),
		   "msgclockrcv: absolute, past");
		then = after(clock, a_while.tv_nsec);
		ok(FAILS(EAGAIN, kipc_msgclockrcv(id, &m, 1, 0, 0, clock, TIMER_ABSTIME, &then)),
		   "msgclockrcv: absolute, to come");
		then = after(clock, 0);
		ok(kipc_msgclocksnd(id, &m, 8192, 0, clock, 0, &a_while) == 0 &&
		   kipc_msgclocksnd(id, &m, 8192, 0, clock, TIMER_ABSTIME, &then) == 0,
		   "msgclocksnd: no need to wait, %s", clocks[i].name);
		ok(FAILS(EAGAIN, kipc_msgclocksnd(id, &m, 1, 0, clock, 0, &a_while)),
		   "msgclocksnd: relative");
		then = after(clock, a_while.tv_nsec);
		ok(FAILS(EAGAIN, kipc_msgclocksnd(id, &m, 1, 0, clock, TIMER_ABSTIME, &then)),
		   "msgclocksnd: absolute");
		ok(kipc_msgclockrcv(id, &m, 8192, 0, 0, clock, 0, &a_while) == 8192 &&
		   kipc_msgclockrcv(id, &m, 8192, 0, 0, clock, TIMER_ABSTIME, &then) == 8192,
		   "msgclockrcv: no need to wait");
	}
	errno = 77;
	ok(kipc_msgclocksnd(id, &m, 1, 0, CLOCK_BOOTTIME, TIMER_ABSTIME, NULL) == 0 &&
	   kipc_msgclockrcv(id, &m, 1, 0, 0, CLOCK_BOOTTIME, 0, NULL) == 1 && errno == 77,
	   "no time-out; successes preserve errno");
	ok(FAILS(ENOMSG, kipc_msgclockrcv(id, &m, 1, 0, IPC_NOWAIT, CLOCK_REALTIME, 0, &a_while)),
	   "msgclockrcv: IPC_NOWAIT");
	ok(FAILS(EINVAL, kipc_msgclocksnd(id, &m, 1, 0, CLOCK_PROCESS_CPUTIME_ID, 0, &a_while)),
	   "msgclocksnd: no such clock");
	ok(FAILS(EINVAL, kipc_msgclocksnd(id, &m, 1, 0, CLOCK_REALTIME, 2, NULL)) &&
	   FAILS(EINVAL, kipc_msgclockrcv(id, &m, 1, 0, 0, CLOCK_REALTIME, 2, &a_while)),
	   "no such flag");
	then = (struct timespec){ .tv_nsec = -1 };
	ok(FAILS(EINVAL, kipc_msgclocksnd(id, &m, 1, 0, CLOCK_REALTIME, 0, &then)),
	   "msgclocksnd: a bad time-out");
#ifndef __i386__
	/* Of a 32-bit program the library reads the time-out itself, and faults. */
	ok(FAILS(EFAULT, kipc_msgclocksnd(id, &m, 1, 0, CLOCK_REALTIME, 0, BAD_POINTER)),
	   "msgclocksnd: a bad pointer");
#endif
	ok(count(id) == 0, "nothing was sent by what failed");
}

static void check_several(int id)
{
	static const struct timespec a_while = { .tv_nsec = 20000000 };
	struct message m[4] = { { .type = 7, .text = "zero" }, { .type = 8, .text = "one" },
				{ .type = 9, .text = "two" } };
	struct kipc_msg_vec vec[4];
	struct msqid_ds ds;
	size_t i;

	for (i = 0; i < 4; i++)
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&m[i], 40 };
	vec[1].size = 3;
	errno = 77;
	ok(kipc_msgsndv(id, vec, 3, 0, 0, 0, NULL) == 3 && count(id) == 3, "msgsndv");
	ok(takes(id, 0, 0, 100, 7, m[0].text) || (message.type == 7 && errno == 77),
	   "msgrcv: one of them");
	memset(m, POISON, sizeof(m));
	for (i = 0; i < 4; i++)
		vec[i].size = 1000;
	ok(kipc_msgrcvv(id, vec, 4, 0, 0, CLOCK_REALTIME, 0, &a_while) == 2 &&
	   m[0].type == 8 && vec[0].size == 3 && memcmp(m[0].text, "one", 3) == 0 &&
	   (unsigned char)m[0].text[3] == POISON && m[1].type == 9 && vec[1].size == 40 &&
	   vec[2].size == 1000, "msgrcvv: what there is");
	ok(errno == 77, "successes preserve errno");
	ok(FAILS(ENOMSG, kipc_msgrcvv(id, vec, 4, 0, IPC_NOWAIT, 0, 0, NULL)), "msgrcvv: ENOMSG");
	ok(FAILS(EAGAIN, kipc_msgrcvv(id, vec, 4, 0, 0, CLOCK_MONOTONIC, 0, &a_while)),
	   "msgrcvv: time-out");
	ok(FAILS(EINVAL, kipc_msgsndv(id, vec, 0, 0, 0, 0, NULL)) &&
	   FAILS(EINVAL, kipc_msgrcvv(id, vec, 0, 0, 0, 0, 0, NULL)), "none at once");
	ok(FAILS(EINVAL, kipc_msgrcvv(id, vec, KIPC_MSG_BATCH + 1, 0, 0, 0, 0, NULL)),
	   "too many at once");
	ok(FAILS(EFAULT, kipc_msgsndv(id, BAD_POINTER, 1, 0, 0, 0, NULL)), "msgsndv: EFAULT");
	ok(FAILS(EINVAL, kipc_msgsndv(id, vec, 1, 0, CLOCK_REALTIME, 2, NULL)),
	   "msgsndv: no such flag");

	for (i = 0; i < 4; i++) {
		m[i].type = 1;
		vec[i].size = 40;
	}
	control(id, IPC_STAT, &ds);
	ds.msg_qbytes = 100;
	control(id, IPC_SET, &ds);
	ok(kipc_msgsndv(id, vec, 4, IPC_NOWAIT, 0, 0, NULL) == 2 && count(id) == 2,
	   "msgsndv: as many as there is room for");
	ok(FAILS(EAGAIN, kipc_msgsndv(id, vec, 4, IPC_NOWAIT, 0, 0, NULL)), "msgsndv: EAGAIN");
	ok(FAILS(EAGAIN, kipc_msgsndv(id, vec, 1, 0, CLOCK_MONOTONIC, 0, &a_while)),
	   "msgsndv: time-out");
}

static void check_extensions(void)
{
	int id, status;
	pid_t pid;

	id = get(IPC_PRIVATE, 0600);
	check_clocks(id);
	check_several(id);
	control(id, IPC_RMID, NULL);

	ok(FAILS(EINVAL, kipc_msgget_lifetime(IPC_PRIVATE, 0600, 4711)),
	   "msgget_lifetime: no such lifetime");
	id = kipc_msgget_lifetime(IPC_PRIVATE, 0600, KIPC_LIFETIME_PERSISTENT);
	ok(id >= 0 && control(id, IPC_RMID, NULL) == 0, "msgget_lifetime: persistent");
	pid = fork();
	if (!pid)
		_exit(kipc_msgget_lifetime(KEY + 1, IPC_CREAT | IPC_EXCL | 0600,
					   KIPC_LIFETIME_CREATOR) < 0);
	ok(waitpid(pid, &status, 0) == pid && status == 0 && FAILS(ENOENT, get(KEY + 1, 0)),
	   "msgget_lifetime: creator");
}
#endif

static void handler(int number)
{
	(void)number;
}

static void check_interruption(int id)
{
	struct itimerval soon = { { 0, 10000 }, { 0, 10000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct message m = { .type = 1 };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ok(FAILS(EINTR, receive(id, &m, 1, 0, 0)), "msgrcv: EINTR, whatever SA_RESTART says");
	while (send(id, &m, 8192, IPC_NOWAIT) == 0)
		;
	ok(FAILS(EINTR, send(id, &m, 8192, 0)), "msgsnd: EINTR");
	setitimer(ITIMER_REAL, &never, NULL);
	while (receive(id, &m, 8192, 0, IPC_NOWAIT) >= 0)
		;
}

static void check_control(int id)
{
	struct msqid_ds ds, other;
	struct msginfo info;
	int index;

	put(id, 1, "hello", 0);
	put(id, 1, "", 0);
	receive(id, &message, 100, 0, 0);
	put(id, 1, "hello", 0);
	errno = 77;
	memset(&ds, POISON, sizeof(ds));
	ok(control(id, IPC_STAT, &ds) == 0 && ds.msg_qnum == 2 && ds.msg_cbytes == 5 &&
	   ds.msg_qbytes == 16384 && ds.msg_lspid == getpid() && ds.msg_lrpid == getpid() &&
	   is_near(ds.msg_stime) && is_near(ds.msg_rtime) && is_near(ds.msg_ctime) &&
	   (ds.msg_perm.mode & 0777) == 0600 && ds.msg_perm.__key == KEY &&
	   ds.msg_perm.uid == geteuid() && ds.msg_perm.cgid == getegid(), "msgctl: IPC_STAT");
	ds.msg_perm.mode = 0640;
	ds.msg_qbytes = 10000;
	ok(control(id, IPC_SET, &ds) == 0 && control(id, IPC_STAT, &other) == 0 &&
	   (other.msg_perm.mode & 0777) == 0640 && other.msg_qbytes == 10000, "msgctl: IPC_SET");

	memset(&info, POISON, sizeof(info));
	index = control(0, IPC_INFO, (struct msqid_ds *)&info);
	ok(index >= 0 && info.msgmax == 8192 && info.msgmnb == 16384 && info.msgmni == 32000,
	   "msgctl: IPC_INFO");
	memset(&info, POISON, sizeof(info));
	index = control(0, MSG_INFO, (struct msqid_ds *)&info);
	ok(index >= 0 && info.msgpool >= 1 && info.msgmap >= 2 && info.msgtql >= 5,
	   "msgctl: MSG_INFO");
	for (; index >= 0; index--)
		if (control(index, MSG_STAT, &ds) == id)
			break;
	ok(index >= 0 && ds.msg_qnum == 2, "msgctl: MSG_STAT");
	memset(&ds, POISON, sizeof(ds));
	ok(control(index, MSG_STAT_ANY, &ds) == id && ds.msg_qnum == 2, "msgctl: MSG_STAT_ANY");
	ok(errno == 77 || index < 0, "successes preserve errno");

	ok(FAILS(EINVAL, control(-1, IPC_STAT, &ds)), "msgctl: no such queue");
	ok(FAILS(EINVAL, control(id, 4711, NULL)), "msgctl: no such command");
	ok(FAILS(EFAULT, control(id, IPC_INFO, BAD_POINTER)), "msgctl: IPC_INFO, EFAULT");
#ifndef __i386__
	/* A 32-bit C library reads and writes these itself. */
	ok(FAILS(EFAULT, control(id, IPC_STAT, BAD_POINTER)), "msgctl: IPC_STAT, EFAULT");
	ok(FAILS(EFAULT, control(id, IPC_SET, BAD_POINTER)), "msgctl: IPC_SET, EFAULT");
#endif
	receive(id, &message, 100, 0, 0);
	receive(id, &message, 100, 0, 0);
}

/* A letter: S is asleep. */
static char state_of(pid_t pid)
{
	char path[32], line[256] = "", *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return end ? end[2] : 0;
}

/*
 * A child that waits for a message of type 2 with room for three bytes.  It exits with
 * its errno, or with what came.
 */
static pid_t start_receiver(int id)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	pid_t pid = fork();

	if (!pid)
		_exit(receive(id, &message, 3, 2, 0) == -1 ? errno : message.text[0]);
	while (state_of(pid) != 'S')
		nanosleep(&pause, NULL);
	return pid;
}

static void check_waiters(int id)
{
	int status, other = get(IPC_PRIVATE, 0600);
	pid_t pid;

	pid = start_receiver(id);
	ok(put(id, 1, "a", 0) == 0 && put(id, 2, "b", 0) == 0 &&
	   waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 'b' && count(id) == 1,
	   "a receiver that waits for its type");
	receive(id, &message, 100, 0, 0);
	pid = start_receiver(id);
	ok(put(id, 2, "long", 0) == 0 && waitpid(pid, &status, 0) == pid &&
	   WEXITSTATUS(status) == E2BIG && count(id) == 1, "a receiver that has too little room");
	receive(id, &message, 100, 0, 0);
	pid = start_receiver(other);
	ok(control(other, IPC_RMID, NULL) == 0 && waitpid(pid, &status, 0) == pid &&
	   WEXITSTATUS(status) == EIDRM, "a receiver whose queue is removed");
}

#ifdef PRELOADED
static void check_syscall(int id)
{
	struct { long type; char text[8]; } m = { 4, "hello" };
	struct msqid_ds ds;
	int other;

	errno = 77;
	ok(syscall(SYS_msgget, KEY, 0) == id, "syscall: msgget");
	ok(syscall(SYS_msgsnd, id, &m, 5, 0) == 0 && count(id) == 1, "syscall: msgsnd");
	ok(syscall(SYS_msgctl, id, IPC_STAT, &ds) == 0 && ds.msg_cbytes == 5, "syscall: msgctl");
	memset(&m, 0, sizeof(m));
	ok(syscall(SYS_msgrcv, id, &m, 5, 3, MSG_EXCEPT) == 5 && m.type == 4 &&
	   strcmp(m.text, "hello") == 0, "syscall: msgrcv");
	other = syscall(SYS_msgget, IPC_PRIVATE, 0600);
	ok(other >= 0 && syscall(SYS_msgctl, other, IPC_RMID, 0) == 0, "syscall: IPC_RMID");
#ifdef __i386__
	{
		struct { void *msg; long type; } old = { &m, -4 };

		ok(syscall(SYS_ipc, 11, id, 5, 0, &m) == 0 &&
		   syscall(SYS_ipc, 11, id, 4, 0, &m) == 0, "ipc: MSGSND");
		memset(&m, 0, sizeof(m));
		ok(syscall(SYS_ipc, 12, id, 8, 0, &old) == 5 && m.type == 4 &&
		   strcmp(m.text, "hello") == 0, "ipc: MSGRCV, version 0");
		memset(&m, 0, sizeof(m));
		ok(syscall(SYS_ipc, 12 | 1 << 16, id, 8, 0, &m, 4) == 4 && m.type == 4 &&
		   strcmp(m.text, "hell") == 0, "ipc: MSGRCV, version 1");
		other = syscall(SYS_ipc, 13, IPC_PRIVATE, 0600);
		ok(other >= 0 && syscall(SYS_ipc, 14, other, IPC_RMID, 0, 0) == 0,
		   "ipc: MSGGET, MSGCTL without IPC_64");
		memset(&ds, POISON, sizeof(ds));
		ok(syscall(SYS_ipc, 14, id, IPC_STAT | 0x100, 0, &ds) == 0 && ds.msg_qnum == 0,
		   "ipc: MSGCTL with IPC_64");
		ok(errno == 77, "successes preserve errno");
		ok(FAILS(EFAULT, syscall(SYS_ipc, 12, id, 8, IPC_NOWAIT, BAD_POINTER)),
		   "ipc: MSGRCV, version 0, bad pointer");
		ok(FAILS(EINVAL, syscall(SYS_ipc, 12, id, 8, IPC_NOWAIT, NULL)),
		   "ipc: MSGRCV, version 0, none");
		ok(FAILS(EINVAL, syscall(SYS_ipc, 12, id, -1, IPC_NOWAIT, &old)),
		   "ipc: MSGRCV, version 0, negative room");
	}
#else
	ok(errno == 77, "successes preserve errno");
#endif
}
#endif

#ifdef PRELOADED
static void *receive_one(void *id)
{
	struct message m;

	receive(*(int *)id, &m, sizeof(m.text), 99, 0);
	return NULL;
}

static void *cancel_own(void *id)
{
	struct message m;

	pthread_cancel(pthread_self());
	receive(*(int *)id, &m, sizeof(m.text), 99, 0);
	return NULL;
}

/* Both are cancellation points: to begin with, and while they sleep. */
static void check_cancellation(int id)
{
	pthread_t thread;
	void *result;

	ok(pthread_create(&thread, NULL, cancel_own, &id) == 0 &&
	   pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED,
	   "msgrcv: a thread that is to be cancelled");
	ok(pthread_create(&thread, NULL, receive_one, &id) == 0 &&
	   pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 &&
	   result == PTHREAD_CANCELED, "msgrcv: a thread that sleeps, or is about to");
}
#endif

int main(void)
{
	int id, other;

	/* Left by a run that was killed */
	other = get(KEY, 0);
	if (other >= 0)
		control(other, IPC_RMID, NULL);

	errno = 77;
	id = get(KEY, IPC_CREAT | IPC_EXCL | 0600);
	if (!ok(id >= 0 && errno == 77, "msgget: errno %d", errno))
		return tap_end();
	ok(get(KEY, 0) == id && get(KEY, IPC_CREAT | 0600) == id, "msgget: found by key");
	ok(FAILS(EEXIST, get(KEY, IPC_CREAT | IPC_EXCL)), "msgget: EEXIST");
	ok(FAILS(ENOENT, get(KEY + 1, 0)), "msgget: ENOENT");

	check_operations(id);
	check_interruption(id);
	check_control(id);
	check_waiters(id);
#ifdef PRELOADED
	check_syscall(id);
	check_cancellation(id);
#else
	check_extensions();
#endif

	errno = 77;
	ok(put(id, 1, "left", 0) == 0 && control(id, IPC_RMID, NULL) == 0 && errno == 77,
	   "the end");
	ok(FAILS(EINVAL, put(id, 1, "", 0)) && FAILS(EINVAL, receive(id, &message, 1, 0, 0)),
	   "gone");
	return tap_end();
}

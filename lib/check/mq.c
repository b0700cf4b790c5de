// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * POSIX message queues by syscall(2), by libkipc-preload or the C library itself: each call, on
 * what the functions have made and the other way round, and what it says of bad input.
 */
#undef _TIME_BITS	/* which size a time has the number tells */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define BAD_POINTER	((void *)16)
#define NAME		"kipc-check-mq"
#define POISON		0xa5

static const struct mq_attr attr = { .mq_maxmsg = 3, .mq_msgsize = 16 };

/* Is it the error wanted, and is errno otherwise left alone? */
#define FAILS(error, call) ({ errno = 0; (call) == -1 && errno == (error); })

static int open_raw(const char *name, int flags)
{
	return syscall(SYS_mq_open, name, flags, 0600, &attr);
}

static int put(mqd_t q, const char *text, unsigned int prio)
{
	return syscall(SYS_mq_timedsend, q, text, strlen(text), prio, NULL);
}

/* Is this what comes? */
static bool takes(mqd_t q, const char *text, unsigned int prio)
{
	unsigned int got = ~0u;
	char buf[17];

	memset(buf, POISON, sizeof(buf));
	return syscall(SYS_mq_timedreceive, q, buf, 16, &got, NULL) == (long)strlen(text) &&
	       got == prio && memcmp(buf, text, strlen(text)) == 0 &&
	       (unsigned char)buf[strlen(text)] == POISON;
}

static void check_names(mqd_t q)
{
	static char page[PATH_MAX + 1];
	size_t size = sysconf(_SC_PAGESIZE);
	char *end = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	mqd_t other;

	ok(FAILS(EEXIST, open_raw(NAME, O_CREAT | O_EXCL | O_RDWR)), "mq_open: EEXIST");
	ok(FAILS(ENOENT, open_raw(NAME "-none", O_RDWR)), "mq_open: ENOENT");
	ok(FAILS(ENOENT, open_raw("", O_RDWR | O_CREAT)), "mq_open: no name");
	ok(FAILS(EACCES, open_raw("/" NAME, O_RDWR)), "mq_open: a slash before it");
	ok(FAILS(EACCES, open_raw("a/b", O_RDWR)), "mq_open: a slash in it");
	ok(FAILS(EACCES, open_raw(".", O_RDWR)), "mq_open: a directory");
	ok(FAILS(EFAULT, open_raw(BAD_POINTER, O_RDWR)), "mq_open: no address");
	ok(FAILS(EFAULT, syscall(SYS_mq_open, NAME "-none", O_CREAT | O_RDWR, 0600,
				 BAD_POINTER)), "mq_open: attributes without an address");
	memset(page, 'x', PATH_MAX);
	ok(FAILS(ENAMETOOLONG, open_raw(page, O_RDWR)), "mq_open: longer than a path");
	page[NAME_MAX + 1] = '\0';
	ok(FAILS(ENAMETOOLONG, open_raw(page, O_RDWR)), "mq_open: longer than a name");

	/* At the end of what can be read. */
	if (end == MAP_FAILED || mprotect(end + size, size, PROT_NONE))
		return;
	end += size;
	strcpy(end - sizeof(NAME), NAME);
	other = open_raw(end - sizeof(NAME), O_RDONLY);
	ok(other >= 0 && close(other) == 0, "mq_open: a name at the end of a page");
	memset(end - 5, 'x', 5);
	ok(FAILS(EFAULT, open_raw(end - 5, O_RDONLY)), "mq_open: without its end");

	ok(FAILS(ENOENT, syscall(SYS_mq_unlink, NAME "-none")), "mq_unlink: ENOENT");
	ok(FAILS(EFAULT, syscall(SYS_mq_unlink, BAD_POINTER)), "mq_unlink: EFAULT");

	/* It is what the function finds, and closed as that. */
	ok(put(q, "seen", 1) == 0, "mq_timedsend");
	other = mq_open("/" NAME, O_RDWR);
	ok(other >= 0 && takes(other, "seen", 1), "the same queue as by mq_open(3)");
	ok(mq_send(other, "back", 4, 2) == 0 && takes(q, "back", 2) && mq_close(other) == 0,
	   "and the other way round");
	ok(fcntl(q, F_GETFD) == FD_CLOEXEC, "closed by execve");
}

static void check_messages(mqd_t q)
{
	const struct timespec past = { .tv_sec = 1 }, wrong = { .tv_nsec = 1000000000 };
	mqd_t reader = open_raw(NAME, O_RDONLY | O_NONBLOCK);
	unsigned int prio;
	char buf[16];

	errno = 77;
	ok(put(q, "low", 1) == 0 && put(q, "high", 32767) == 0 && put(q, "low too", 1) == 0 &&
	   takes(q, "high", 32767) && takes(q, "low", 1) && errno == 77, "priorities");
	ok(syscall(SYS_mq_timedreceive, q, buf, 16, NULL, &past) == 7 &&
	   memcmp(buf, "low too", 7) == 0, "mq_timedreceive: nobody asks for the priority");
	ok(FAILS(ETIMEDOUT, syscall(SYS_mq_timedreceive, q, buf, 16, &prio, &past)),
	   "mq_timedreceive: ETIMEDOUT");
	ok(FAILS(EAGAIN, syscall(SYS_mq_timedreceive, reader, buf, 16, &prio, NULL)),
	   "mq_timedreceive: EAGAIN");
	ok(FAILS(EMSGSIZE, syscall(SYS_mq_timedreceive, q, buf, 15, &prio, NULL)),
	   "mq_timedreceive: EMSGSIZE");
	ok(FAILS(EINVAL, syscall(SYS_mq_timedreceive, q, buf, 16, &prio, &wrong)),
	   "mq_timedreceive: no time");
	ok(FAILS(EFAULT, syscall(SYS_mq_timedreceive, q, buf, 16, &prio, BAD_POINTER)),
	   "mq_timedreceive: a time without an address");
	ok(FAILS(EBADF, syscall(SYS_mq_timedreceive, -1, buf, 16, &prio, NULL)) &&
	   FAILS(EBADF, syscall(SYS_mq_timedreceive, 0, buf, 16, &prio, NULL)),
	   "mq_timedreceive: EBADF");
	/* Natively the message is gone. */
	put(q, "lost", 0);
	ok(FAILS(EFAULT, syscall(SYS_mq_timedreceive, q, BAD_POINTER, 16, &prio, NULL)),
	   "mq_timedreceive: EFAULT");
	syscall(SYS_mq_timedreceive, reader, buf, 16, NULL, NULL);
	put(q, "lost", 0);
	ok(FAILS(EFAULT, syscall(SYS_mq_timedreceive, q, buf, 16, BAD_POINTER, NULL)),
	   "mq_timedreceive: a priority without an address");
	syscall(SYS_mq_timedreceive, reader, buf, 16, NULL, NULL);

	ok(FAILS(EINVAL, put(q, "", 32768)), "mq_timedsend: EINVAL");
	ok(FAILS(EMSGSIZE, put(q, "more than it takes", 0)), "mq_timedsend: EMSGSIZE");
	ok(FAILS(EBADF, put(reader, "", 0)) && FAILS(EBADF, put(-1, "", 0)),
	   "mq_timedsend: EBADF");
	ok(FAILS(EFAULT, syscall(SYS_mq_timedsend, q, BAD_POINTER, 4, 0, NULL)),
	   "mq_timedsend: EFAULT");
	ok(FAILS(EFAULT, syscall(SYS_mq_timedsend, q, "", 0, 0, BAD_POINTER)),
	   "mq_timedsend: a time without an address");
	ok(put(q, "", 0) == 0 && put(q, "", 0) == 0 && put(q, "", 0) == 0 &&
	   FAILS(ETIMEDOUT, syscall(SYS_mq_timedsend, q, "", 0, 0, &past)),
	   "mq_timedsend: ETIMEDOUT");
#ifdef SYS_mq_timedsend_time64
	const long long past64[2] = { 1, 0 };

	ok(FAILS(ETIMEDOUT, syscall(SYS_mq_timedsend_time64, q, "", 0, 0, past64)) &&
	   FAILS(EFAULT, syscall(SYS_mq_timedsend_time64, q, "", 0, 0, BAD_POINTER)),
	   "mq_timedsend_time64");
	ok(syscall(SYS_mq_timedreceive_time64, q, buf, 16, &prio, past64) == 0 && !prio &&
	   put(q, "", 0) == 0, "mq_timedreceive_time64");
#endif
	ok(takes(q, "", 0) && takes(q, "", 0) && takes(q, "", 0), "messages without bytes");
	close(reader);
}

static void check_attributes(mqd_t q)
{
	struct mq_attr now, set = { .mq_flags = O_NONBLOCK, .mq_maxmsg = 99 };
	char byte;

	memset(&now, POISON, sizeof(now));
	put(q, "one", 0);
	errno = 77;
	ok(syscall(SYS_mq_getsetattr, q, NULL, &now) == 0 && now.mq_flags == 0 &&
	   now.mq_maxmsg == 3 && now.mq_msgsize == 16 && now.mq_curmsgs == 1 && errno == 77,
	   "mq_getsetattr: get");
	takes(q, "one", 0);
	ok(syscall(SYS_mq_getsetattr, q, &set, &now) == 0 && now.mq_flags == 0 &&
	   FAILS(EAGAIN, syscall(SYS_mq_timedreceive, q, &byte, 16, NULL, NULL)),
	   "mq_getsetattr: O_NONBLOCK");
	set.mq_flags = 0;
	ok(syscall(SYS_mq_getsetattr, q, &set, &now) == 0 && now.mq_flags == O_NONBLOCK &&
	   now.mq_maxmsg == 3, "mq_getsetattr: and not");
	set.mq_flags = O_NONBLOCK | O_APPEND;
	ok(FAILS(EINVAL, syscall(SYS_mq_getsetattr, q, &set, &now)), "mq_getsetattr: EINVAL");
	ok(FAILS(EBADF, syscall(SYS_mq_getsetattr, -1, NULL, &now)), "mq_getsetattr: EBADF");
	ok(FAILS(EFAULT, syscall(SYS_mq_getsetattr, q, BAD_POINTER, NULL)) &&
	   FAILS(EFAULT, syscall(SYS_mq_getsetattr, q, NULL, BAD_POINTER)),
	   "mq_getsetattr: EFAULT");
}

static void check_notice(mqd_t q)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct timespec at_once = { 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	event.sigev_value.sival_int = 4711;
	ok(syscall(SYS_mq_notify, q, &event) == 0 &&
	   FAILS(EBUSY, syscall(SYS_mq_notify, q, &event)), "mq_notify: one is told");
	ok(put(q, "told", 0) == 0 && sigtimedwait(&set, &info, &at_once) == SIGUSR1 &&
	   info.si_code == SI_MESGQ && info.si_value.sival_int == 4711 && takes(q, "told", 0),
	   "mq_notify: it is told");
	ok(syscall(SYS_mq_notify, q, &event) == 0 && syscall(SYS_mq_notify, q, NULL) == 0 &&
	   put(q, "", 0) == 0 && FAILS(EAGAIN, sigtimedwait(&set, &info, &at_once)) &&
	   takes(q, "", 0), "mq_notify: no more");
	event.sigev_notify = SIGEV_NONE;
	ok(syscall(SYS_mq_notify, q, &event) == 0 && syscall(SYS_mq_notify, q, NULL) == 0,
	   "mq_notify: nothing");
	event.sigev_notify = 4711;
	ok(FAILS(EINVAL, syscall(SYS_mq_notify, q, &event)), "mq_notify: EINVAL");
	ok(FAILS(EFAULT, syscall(SYS_mq_notify, q, BAD_POINTER)), "mq_notify: EFAULT");
	ok(FAILS(EBADF, syscall(SYS_mq_notify, -1, NULL)), "mq_notify: EBADF");
}

int main(void)
{
	mqd_t q;

	/* Left by a run that was killed */
	syscall(SYS_mq_unlink, NAME);
	errno = 77;
	q = open_raw(NAME, O_CREAT | O_EXCL | O_RDWR);
	if (q < 0 && errno == ENOSYS) {
		ok(true, "mq_open # SKIP this kernel has none");
		return tap_end();
	}
	if (!ok(q >= 0 && errno == 77, "mq_open: errno %d", errno))
		return tap_end();
	check_names(q);
	check_messages(q);
	check_attributes(q);
	check_notice(q);
	ok(syscall(SYS_mq_unlink, NAME) == 0 && FAILS(ENOENT, mq_unlink("/" NAME)) &&
	   put(q, "", 0) == 0, "mq_unlink");
	close(q);
	return tap_end();
}

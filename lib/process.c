// SPDX-License-Identifier: LGPL-2.1-or-later
/* The process: its descriptor of /dev/kipc; see process.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "process.h"
#include "sys.h"

/*
 * Where the descriptor is put: above what programs count on (small numbers
 * after each other, a shell's 10 and 255, the 200 of flock(1)'s manual), and
 * below 256, for the kernel copies a table as long as its highest descriptor
 * at each fork.
 */
#define LOWEST_FD	224

/* Which of the messages below were given. */
#define SAID_ABSENT	(1u << 0)
#define SAID_MISMATCH	(1u << 1)

int kipc_process_fd = -1;

/* Device number of what kipc_process_fd was opened on; 0 before. */
static unsigned int device_number;
static unsigned int said;

static bool is_first(unsigned int message)
{
	return !(__atomic_fetch_or(&said, message, __ATOMIC_RELAXED) & message);
}

/* One line on standard error, by one write so that it stays one. */
struct line {
	size_t length;
	char text[320];
};

static void line_add(struct line *line, const char *text)
{
	size_t n = strlen(text);

	if (n > sizeof(line->text) - line->length)
		n = sizeof(line->text) - line->length;
	memcpy(line->text + line->length, text, n);
	line->length += n;
}

static void line_add_number(struct line *line, unsigned int number)
{
	char digits[12];
	char *p = digits + sizeof(digits);

	*--p = '\0';
	do {
		*--p = '0' + number % 10;
	} while (number /= 10);
	line_add(line, p);
}

static void line_write(const struct line *line)
{
	sys_write(2, line->text, line->length);
}

static void say_absent(int error)
{
	struct line line = { 0 };

	if (!is_first(SAID_ABSENT))
		return;
	line_add(&line, "kipc: cannot use " KIPC_DEVICE ": ");
	switch (error) {
	case ENOENT:
		if (__atomic_load_n(&device_number, __ATOMIC_RELAXED))
			line_add(&line, "the program closed it, and it cannot be reached any more");
		else
			line_add(&line, "no such device; load the module with 'modprobe kipc' or 'insmod kipc.ko'");
		break;
	case ENXIO:
	case ENODEV:
		line_add(&line, "no module behind it; load it with 'modprobe kipc' or 'insmod kipc.ko'");
		break;
	case EACCES:
	case EPERM:
		line_add(&line, "permission denied");
		break;
	case ENOTTY:
		line_add(&line, "it is not kipc's device");
		break;
	case EMFILE:
	case ENFILE:
		line_add(&line, "too many open files");
		break;
	default:
		line_add(&line, "error ");
		line_add_number(&line, error);
	}
	line_add(&line, "\n");
	line_write(&line);
}

static void say_mismatch(const struct kipc_query *query)
{
	struct line line = { 0 };

	if (!is_first(SAID_MISMATCH))
		return;
	line_add(&line, "kipc: library and module do not match: the library (" KIPC_RELEASE ") has ABI ");
	line_add_number(&line, KIPC_ABI_VERSION);
	line_add(&line, ", the module (");
	line_add(&line, query->release[0] ? query->release : "unknown release");
	line_add(&line, ") has ABI ");
	line_add_number(&line, query->abi);
	line_add(&line, "; install both from one build\n");
	line_write(&line);
}

/* What the caller of a System V function is told when the device cannot be had. */
static int public_error(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EPROTO:
		return error;
	case EACCES:
	case EPERM:
		return EACCES;
	default:
		return ENOSYS;
	}
}

/*
 * Could nothing but kipc have said this?  Other files answer a foreign ioctl
 * with ENOTTY, and a few, drivers mostly, with EINVAL and the like.  The errors
 * here are those of calls that a program may well make in a loop, too often to
 * look at the descriptor each time; and those of a call that has slept, during
 * which the descriptor may have gone: to make it again would sleep again.
 */
static bool is_kipc_error(long error)
{
	return error == -EAGAIN || error == -EINTR || error == -EIDRM || error == -ERANGE ||
	       error == -ENOENT || error == -EEXIST || error == -ENOSPC || error == -ENOMEM ||
	       error == -ENOMSG || error == -E2BIG || error == -ETIMEDOUT || error == -EOVERFLOW;
}

/* The device number of @fd, 0 if it is no character device, or -errno. */
static long number_of(int fd)
{
	struct statx st;
	long ret = sys_type(fd, &st);

	if (ret < 0)
		return ret;
	if (!S_ISCHR(st.stx_mode))
		return 0;
	return (long)(st.stx_rdev_major << 20 | st.stx_rdev_minor);
}

/*
 * Another descriptor of the same device is as good.  When the kernel will not
 * say (a seccomp filter may not know statx), trust the number: to take it for
 * lost would open the device again at each failing call.
 */
static bool is_device(int fd)
{
	long number = number_of(fd);

	if (number < 0)
		return number != -EBADF;
	/* A mere path to the device takes no calls. */
	if (sys_status_flags(fd) & O_PATH)
		return false;
	return number == (long)__atomic_load_n(&device_number, __ATOMIC_RELAXED);
}

/* A new descriptor, and what stands behind it; -errno. */
static int open_device(struct kipc_query *query)
{
	long ret;
	int fd;

	/* EBADF: another thread has closed everything just now. */
	do {
		fd = sys_open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return fd;
		memset(query, 0, sizeof(*query));
		ret = sys_query(fd, query);
	} while (ret == -EBADF);
	if (ret < 0) {
		sys_close(fd);
		return ret;
	}
	query->release[sizeof(query->release) - 1] = '\0';
	return fd;
}

static int raise_fd(int fd)
{
	int lowest, raised;

	/* EINVAL: beyond RLIMIT_NOFILE. */
	for (lowest = LOWEST_FD; lowest > fd; lowest /= 2) {
		raised = sys_dup_from(fd, lowest);
		if (raised >= 0) {
			sys_close(fd);
			return raised;
		}
	}
	return fd;
}

/**
 * acquire() - open the device and make it the process's
 * @lost: the descriptor found wanting
 * @query: out, valid also with -EPROTO
 *
 * Return: the process's descriptor, or -errno.
 */
static int acquire(int lost, struct kipc_query *query)
{
	long number;
	int fd, now;

	now = kipc_process_device();
	if (now >= 0 && now != lost && is_device(now))
		return now;

	fd = open_device(query);
	if (fd < 0)
		return fd;
	if (query->abi != KIPC_ABI_VERSION) {
		sys_close(fd);
		return -EPROTO;
	}
	number = number_of(fd);
	if (number > 0)
		__atomic_store_n(&device_number, (unsigned int)number, __ATOMIC_RELAXED);
	fd = raise_fd(fd);

	/* Another thread may have been here in the meantime. */
	now = kipc_process_device();
	if (now >= 0 && now != fd && is_device(now)) {
		sys_close(fd);
		return now;
	}
	if (!__atomic_compare_exchange_n(&kipc_process_fd, &now, fd, false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
		sys_close(fd);
		return now;
	}
	return fd;
}

int kipc_process_recover(int fd, long error)
{
	struct kipc_query query;
	int now;

	/*
	 * EBADF: closed by another thread, while a third has opened it again, perhaps
	 * with the same number.
	 */
	if (fd < 0 || error == -EBADF || (!is_kipc_error(error) && !is_device(fd))) {
		now = acquire(fd, &query);
		if (now >= 0)
			return now;
		if (now == -EPROTO)
			say_mismatch(&query);
		else
			say_absent(-now);
		error = -public_error(-now);
	}
	errno = -error;
	return -1;
}

int kipc_process_recover_given(int fd, long error)
{
	/* Of the caller's, for the device's is as it was. */
	if (error == -EBADF && fd >= 0 && kipc_process_held() == fd) {
		errno = EBADF;
		return -1;
	}
	return kipc_process_recover(fd, error);
}

int kipc_process_held(void)
{
	int fd = kipc_process_device();

	return fd >= 0 && is_device(fd) ? fd : -1;
}

int kipc_process_hold(void)
{
	struct kipc_query query;
	int fd = kipc_process_device();

	if (fd < 0 || !is_device(fd))
		fd = acquire(fd, &query);
	return fd < 0 ? -public_error(-fd) : fd;
}

int kipc_process_ask(struct kipc_query *query)
{
	int fd = open_device(query);

	if (fd < 0)
		return fd;
	sys_close(fd);
	return 0;
}

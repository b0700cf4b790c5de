// SPDX-License-Identifier: GPL-2.0
#include "attempt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/device.h"
#include "common/mem.h"

int device;
bool unseen;
unsigned long attachments;

/* ---- The state, as far as it can be seen ---- */

void view_add(struct view *view, const char *format, ...)
{
	va_list ap;
	int length;

	va_start(ap, format);
	length = vsnprintf(view->text + view->length, sizeof(view->text) - view->length, format,
			   ap);
	va_end(ap);
	if (length >= 0 && view->length + length < sizeof(view->text))
		view->length += length;
}

static void add_file(struct view *view, const char *name)
{
	char path[32], line[1024];
	int before, behind;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/kipc/%s", name);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		/* How old an object with a name is changes by itself. */
		before = behind = 0;
		if (!strcmp(name, "names"))
			sscanf(line, "%*s%*s%*s%*s%*s%*s%*s%*s%n%*s%n", &before, &behind);
		view_add(view, "%.*s%s", before, line, line + behind);
	}
	if (f)
		fclose(f);
}

static void add_totals(struct view *view)
{
	struct { int used; unsigned long v[5]; } shm = { 0 };
	struct seminfo sem = { 0 };
	struct msginfo msg = { 0 };

	ioctl(device, KIPC_IOC_SHM_CTL,
	      &(struct kipc_shm_ctl){ .cmd = SHM_INFO, .buf = (uintptr_t)&shm });
	ioctl(device, KIPC_IOC_SEM_CTL,
	      &(struct kipc_sem_ctl){ .cmd = SEM_INFO, .arg = (uintptr_t)&sem });
	ioctl(device, KIPC_IOC_MSG_CTL,
	      &(struct kipc_msg_ctl){ .cmd = MSG_INFO, .buf = (uintptr_t)&msg });
	view_add(view, "%d %lu; %d %d; %d %d %d\n", shm.used, shm.v[0], sem.semusz, sem.semaem,
		 msg.msgpool, msg.msgmap, msg.msgtql);
}

static void add_mappings(struct view *view)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	attachments = 0;
	while (maps && fgets(line, sizeof(line), maps)) {
		attachments += !!strstr(line, "SYSV");
		if (strstr(line, "SYSV") || strstr(line, "kipc"))
			view_add(view, "%s", line);
	}
	if (maps)
		fclose(maps);
}

/*
 * The lists without what changes by itself; the totals of all kinds; what is mapped of kipc.
 * So a leak of a count, of bytes or of an attachment shows.
 */
static void look(struct view *view, const struct stage *stage, enum kept kept)
{
	view->length = 0;
	view->text[0] = 0;
	if (unseen)
		return;
	add_file(view, "sem");
	add_file(view, "waiters");
	add_file(view, "names");
	if (kept != ALL_BUT_IDS)
		add_file(view, "ids");
	if (kept == ALL) {
		add_file(view, "shm");
		add_file(view, "msg");
	}
	add_totals(view);
	if (stage->look)
		stage->look(view, kept);
	add_mappings(view);
}

static void tell_difference(const char *was, const char *is)
{
	while (*was && *was == *is)
		was++, is++;
	printf("# it was: %.200s\n# it is: %.200s\n", was, is);
	fflush(stdout);
}

/* ---- Faults ---- */

static int fault_fd;

/*
 * The kernel writes to a thread's area of restartable sequences on its way back to user
 * space, and kills who has it fail.
 */
static int no_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	return __rseq_size ? syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) : 0;
}

int faults_begin(void)
{
	device = device_open();
	fault_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return device < 0 || fault_fd < 0 ? -1 : no_rseq();
}

void faults_inject(int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	if (pwrite(fault_fd, text, len, 0) != len)
		_exit(9);
}

/* No more of it.  Return: whether it did not come to that: these calls count as well. */
static bool injected_nothing(void)
{
	char text[16] = "";
	ssize_t got = pread(fault_fd, text, sizeof(text) - 1, 0);

	while (pwrite(fault_fd, "0", 1, 0) != 1)
		;
	return got < 0 || atoi(text) > 0;
}

bool faults_there_are(void)
{
	return !access("/proc/thread-self/fail-nth", F_OK);
}

int faults_set_up(void)
{
	static const char *const zero[] = {
		"failslab/verbose", "failslab/ignore-gfp-wait",
		"fail_page_alloc/verbose", "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/ignore-gfp-highmem", "fail_page_alloc/min-order",
		"fail_usercopy/verbose",
	};
	char path[64];
	unsigned int i;

	for (i = 0; i < sizeof(zero) / sizeof(*zero); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", zero[i]);
		if (write_text(path, "0"))
			return -1;
	}
	return 0;
}

/* ---- An attempt ---- */

const char *const outcomes[] = {
	"", "", "could not be prepared", "another errno", "something has changed",
	"the same call, without a fault, failed", "the number of messages or attachments is wrong",
};

static void tell_errno(int err)
{
	printf("# %s\n", strerror(err));
	fflush(stdout);
}

int attempt_make(const struct stage *stage, const struct attempt *a, int nth)
{
	static struct view was, is;
	long ret;
	bool done;
	int err;

	if (stage->begin)
		stage->begin();
	if (faults_begin() || a->prepare(a->with) < 0)
		return NOT_PREPARED;
	look(&was, stage, a->kept);

	errno = 0;
	faults_inject(nth);
	ret = a->call(a->arg);
	err = errno;
	done = injected_nothing();
	if (ret >= 0) {
		if (stage->is_wrong && stage->is_wrong(false))
			return WRONG_COUNT;
		return done ? DONE : AGAIN;
	}
	if (done || (err != ENOMEM && err != EFAULT && err != a->err)) {
		tell_errno(err);
		return WRONG_ERRNO;
	}
	look(&is, stage, a->kept);
	if (a->kept != NOT_ALL && strcmp(was.text, is.text)) {
		tell_difference(was.text, is.text);
		return NOT_AS_BEFORE;
	}
	if (stage->is_wrong && stage->is_wrong(true))
		return WRONG_COUNT;
	ret = a->call(a->arg);
	if (ret < 0)
		tell_errno(errno);
	return ret < 0 ? THEN_FAILED : AGAIN;
}

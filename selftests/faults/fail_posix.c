// SPDX-License-Identifier: GPL-2.0
/* Calls on objects with names, and on memfds, each allocation and copy of which fails. */
#include "fail.h"

#include <kipc.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAGES	8
#define BIG	6000	/* bytes of a message of several chunks */
#define MESSAGES 4

/* What an attempt is made on; each process has its own. */
static struct scene {
	int fd;			/* of the object */
	int epoll, event;
	int shm;
	void *addr;
	char text[BIG];
	unsigned int priority;
} s;

static const struct timespec beginning;	/* a point of time that is over */

static long nothing(long arg)
{
	(void)arg;
	return 0;
}

/* ---- Names ---- */

static const char *const texts[KIPC_ALL_KINDS] = {
	[KIPC_KIND_POSIX_SHM] = "m", [KIPC_KIND_POSIX_SEM] = "s", [KIPC_KIND_POSIX_MQ] = "q",
	[KIPC_KIND_STREAM] = "f",
};

static int name_open(unsigned int kind, unsigned int flags)
{
	struct kipc_name_open open = {
		.name = (uintptr_t)texts[kind], .kind = kind, .flags = O_RDWR | flags, .mode = 0600,
		.size = kind == KIPC_KIND_POSIX_SHM ? PAGES * PAGE :
			kind == KIPC_KIND_POSIX_SEM ? 1 :
			kind == KIPC_KIND_STREAM ? PAGE : MESSAGES,
		.msgsize = kind == KIPC_KIND_POSIX_MQ ? BIG : 0,
	};

	return ioctl(device, KIPC_IOC_NAME_OPEN, &open);
}

static int name_unlink(unsigned int kind)
{
	struct kipc_name_unlink unlink = { .name = (uintptr_t)texts[kind], .kind = kind };

	return ioctl(device, KIPC_IOC_NAME_UNLINK, &unlink);
}

static long make(long kind)
{
	s.fd = name_open(kind, O_CREAT | O_EXCL | O_NONBLOCK);
	return s.fd;
}

static long make_and_close(long kind)
{
	int fd = name_open(kind, O_CREAT);

	return fd < 0 ? -1 : close(fd);
}

static long open_and_close(long kind)
{
	int fd = name_open(kind, 0);

	return fd < 0 ? -1 : close(fd);
}

static long take_name(long kind)
{
	return name_unlink(kind);
}

/* ---- Segments ---- */

static long open_truncated(long arg)
{
	int fd = name_open(KIPC_KIND_POSIX_SHM, O_TRUNC);

	(void)arg;
	return fd < 0 ? -1 : close(fd);
}

static long set_size(long size)
{
	return ftruncate(s.fd, size);
}

static long change_mode(long mode)
{
	return fchmod(s.fd, mode);
}

static long map(long size)
{
	s.addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
	return s.addr == MAP_FAILED ? -1 : 0;
}

static long make_mapped(long kind)
{
	return make(kind) < 0 ? -1 : map(kind == KIPC_KIND_POSIX_SHM ? PAGES * PAGE : PAGE);
}

/* A page fault that has no memory is taken again. */
static long touch(long arg)
{
	(void)arg;
	(void)*(volatile char *)s.addr;
	return 0;
}

static long unmap(long size)
{
	return munmap(s.addr, size);
}

static long do_fork(long arg)
{
	pid_t pid = fork();

	if (!pid)
		_exit(arg);
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}

/* ---- Semaphores ---- */

static int sem_op_at(void *addr, unsigned int op, const struct timespec *timeout)
{
	struct kipc_posix_sem_op call = {
		.addr = (uintptr_t)addr, .op = op, .timeout = (uintptr_t)timeout,
		.flags = timeout ? KIPC_TIMEOUT_ABSOLUTE : 0,
		.clock = timeout ? CLOCK_MONOTONIC : 0,
	};

	return ioctl(device, KIPC_IOC_POSIX_SEM_OP, &call);
}

static long sem_op(long op)
{
	return sem_op_at(s.addr, op, NULL);
}

static long sem_op_short(long op)
{
	return syscall(SYS_fadvise64, device, s.addr, op, KIPC_CALL_POSIX_SEM_OP);
}

static long make_empty(long arg)
{
	(void)arg;
	return make_mapped(KIPC_KIND_POSIX_SEM) ? -1 : sem_op(KIPC_POSIX_SEM_TRYWAIT);
}

/* Until the time is over, as it should be. */
static long sem_sleep(long arg)
{
	(void)arg;
	return sem_op_at(s.addr, KIPC_POSIX_SEM_WAIT, &beginning) && errno == ETIMEDOUT ? 0 : -1;
}

static long do_wait(long *arg, void *buf)
{
	(void)buf;
	return sem_op_at((void *)arg[0], KIPC_POSIX_SEM_WAIT, NULL);
}

/* Somebody sleeps there, until it is posted or this process ends. */
static long with_sleeper(long arg)
{
	static struct peer sleeper;

	if (make_empty(arg) || peer_start(&sleeper) ||
	    peer_begin(&sleeper, do_wait, (long)s.addr, 0, 0, 0, 0))
		return -1;
	return peer_asleep(&sleeper);
}

static long sem_read(long arg)
{
	uint64_t count;

	(void)arg;
	return read(s.fd, &count, sizeof(count)) == sizeof(count) ? 0 : -1;
}

static long sem_write(long count)
{
	return write(s.fd, &(uint64_t){ count }, sizeof(uint64_t)) == sizeof(uint64_t) ? 0 : -1;
}

/* ---- Who watches ---- */

static long look_once(long events)
{
	struct pollfd fd = { s.fd, events, 0 };

	return poll(&fd, 1, 0);
}

static long make_watched(long kind)
{
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	return s.epoll < 0 ? -1 : make(kind);
}

static long watch(long events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(s.epoll, EPOLL_CTL_ADD, s.fd, &event);
}

static long make_and_watch(long kind)
{
	return make_watched(kind) < 0 ? -1 : watch(EPOLLIN);
}

static long watch_no_more(long arg)
{
	(void)arg;
	return epoll_ctl(s.epoll, EPOLL_CTL_DEL, s.fd, NULL);
}

static long have_counted(long events)
{
	struct kipc_handle_notify notify = { .fd = s.event, .events = events };

	return ioctl(s.fd, KIPC_IOC_HANDLE_NOTIFY, &notify);
}

static long make_with_event(long kind)
{
	s.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s.event < 0 ? -1 : make(kind);
}

static long have_signals(long arg)
{
	return fcntl(s.fd, F_SETFL, O_NONBLOCK | arg);
}

/* ---- Streams ---- */

static long stream_write(long size)
{
	return write(s.fd, s.text, size) == size ? 0 : -1;
}

static long stream_read(long size)
{
	return read(s.fd, s.text, size) == size ? 0 : -1;
}

static long make_written(long size)
{
	return make(KIPC_KIND_STREAM) < 0 ? -1 : stream_write(size);
}

/* ---- Queues ---- */

static long pmq_send(long size)
{
	struct kipc_mq_op op = { .msg = (uintptr_t)s.text, .size = size, .priority = 3 };

	return ioctl(s.fd, KIPC_IOC_MQ_SEND, &op);
}

static long pmq_receive(long size)
{
	struct kipc_mq_op op = {
		.msg = (uintptr_t)s.text, .size = size, .priority = (uintptr_t)&s.priority,
	};

	return ioctl(s.fd, KIPC_IOC_MQ_RECEIVE, &op);
}

static long pmq_send_short(long size)
{
	return syscall(SYS_fadvise64, s.fd, size, s.text, KIPC_CALL_MQ_SEND);
}

static long pmq_receive_short(long size)
{
	return syscall(SYS_fadvise64, s.fd, size, s.text, KIPC_CALL_MQ_RECEIVE);
}

static long make_with_message(long size)
{
	return make(KIPC_KIND_POSIX_MQ) < 0 ? -1 : pmq_send(size);
}

/* With no room, and with no message, so that who asks for either has to sleep. */
static long make_waiting(long messages)
{
	if (make(KIPC_KIND_POSIX_MQ) < 0)
		return -1;
	while (messages--)
		if (pmq_send(BIG))
			return -1;
	return fcntl(s.fd, F_SETFL, 0);
}

static long pmq_sleep(long call)
{
	struct kipc_mq_op op = {
		.msg = (uintptr_t)s.text, .size = BIG, .timeout = (uintptr_t)&beginning,
		.flags = KIPC_TIMEOUT_ABSOLUTE, .clock = CLOCK_MONOTONIC,
	};
	int ret = ioctl(s.fd, call ? KIPC_IOC_MQ_RECEIVE : KIPC_IOC_MQ_SEND, &op);

	return ret < 0 && errno == ETIMEDOUT ? 0 : -1;
}

static long pmq_attr(long set)
{
	struct kipc_mq_attr attr = { .set = set };

	return ioctl(s.fd, KIPC_IOC_MQ_ATTR, &attr);
}

static long pmq_ask(long how)
{
	struct kipc_mq_notify notify = {
		.how = how, .signal = how == KIPC_MQ_NOTIFY_SIGNAL ? SIGURG : 0,
	};

	return ioctl(s.fd, KIPC_IOC_MQ_NOTIFY, &notify);
}

/* And not any more, for the same once more. */
static long pmq_notify_and_not(long how)
{
	long fd = pmq_ask(how);

	return fd < 0 ? -1 : close(how == KIPC_MQ_NOTIFY_FD ? fd : dup(s.fd));
}

/* A message then is told of. */
static long make_notified(long how)
{
	return make(KIPC_KIND_POSIX_MQ) < 0 ? -1 : pmq_ask(how);
}

/* ---- Memory ---- */

static long sealed_memfd(long arg)
{
	(void)arg;
	s.fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return s.fd < 0 || ftruncate(s.fd, PAGES * PAGE) ||
	       fcntl(s.fd, F_ADD_SEALS, F_SEAL_SHRINK) ? -1 : 0;
}

static long adopt(long lifetime)
{
	struct kipc_shm_adopt adopt = {
		.key = 77, .flags = 0600, .fd = s.fd, .lifetime = lifetime,
	};

	s.shm = ioctl(device, KIPC_IOC_SHM_ADOPT, &adopt);
	return s.shm;
}

static long name_memfd(long mode)
{
	struct kipc_name_adopt adopt = {
		.name = (uintptr_t)texts[KIPC_KIND_POSIX_SHM], .fd = s.fd, .mode = mode,
	};

	return ioctl(device, KIPC_IOC_NAME_ADOPT, &adopt);
}

static long adopted(long arg)
{
	return sealed_memfd(arg) ? -1 : adopt(arg);
}

static long segment(long arg)
{
	struct kipc_shm_get get = {
		.key = 77, .flags = IPC_CREAT | 0600, .size = PAGES * PAGE, .lifetime = arg,
	};

	s.shm = ioctl(device, KIPC_IOC_SHM_GET, &get);
	return s.shm;
}

static long export_and_close(long mode)
{
	struct kipc_shm_export export = { .id = s.shm, .flags = mode };
	int fd = ioctl(device, KIPC_IOC_SHM_EXPORT, &export);

	return fd < 0 ? -1 : close(fd);
}

static long without_key(long kind)
{
	struct kipc_handle_create create = {
		.kind = kind, .flags = O_RDWR, .mode = 0600,
		.size = kind == KIPC_KIND_SHM ? PAGES * PAGE : kind == KIPC_KIND_SEM ? 3 : 0,
	};

	s.fd = ioctl(device, KIPC_IOC_HANDLE_CREATE, &create);
	return s.fd;
}

static long publish(long lifetime)
{
	struct kipc_handle_publish publish = { .key = 77, .lifetime = lifetime };

	return ioctl(s.fd, KIPC_IOC_HANDLE_PUBLISH, &publish);
}

/* ---- The list of them ---- */

static long one_of_each(long arg)
{
	unsigned int kind;

	for (kind = KIPC_KINDS; kind < KIPC_ALL_KINDS; kind++)
		if (make(kind) < 0)
			return -1;
	return arg;
}

static long list(long arg)
{
	int fd = open("/proc/kipc/names", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t got;

	(void)arg;
	if (fd < 0)
		return -1;
	do
		got = read(fd, text, sizeof(text));
	while (got > 0);
	close(fd);
	return got;
}

/* ---- All of them ---- */

static void clear(void)
{
	const struct ipc *ipc = &ipc_kipc;

	ipc->shmctl(ipc->shmget(77, 0, 0), IPC_RMID, NULL);
	ipc->semctl(ipc->semget(77, 0, 0), 0, IPC_RMID);
	ipc->msgctl(ipc->msgget(77, 0), IPC_RMID, NULL);
	kipc_shm_unlink("/m");
	kipc_sem_unlink("/s");
	kipc_mq_unlink("/q");
	kipc_stream_unlink("/f");
}

static const struct stage stage = { .clear = clear };

FAIL_NTH(&stage)

#define PSHM	KIPC_KIND_POSIX_SHM
#define PSEM	KIPC_KIND_POSIX_SEM
#define PMQ	KIPC_KIND_POSIX_MQ
#define STREAM	KIPC_KIND_STREAM

ATTEMPT(shm_open, nothing, 0, make_and_close, PSHM, .err = ENOSPC, .kept = ALL_BUT_IDS);
ATTEMPT(shm_open_again, make, PSHM, open_and_close, PSHM);
ATTEMPT(shm_open_again_create, make, PSHM, make_and_close, PSHM);
ATTEMPT(shm_open_truncated, make, PSHM, open_truncated, 0);
ATTEMPT(shm_unlink, make, PSHM, take_name, PSHM);
ATTEMPT(shm_unlink_mapped, make_mapped, PSHM, take_name, PSHM);
ATTEMPT(shm_truncate, make, PSHM, set_size, 3 * PAGE);
ATTEMPT(shm_fchmod, make, PSHM, change_mode, 0640);
ATTEMPT(shm_map, make, PSHM, map, PAGES * PAGE);
ATTEMPT(shm_touch, make_mapped, PSHM, touch, 0);
ATTEMPT(shm_fork, make_mapped, PSHM, do_fork, 0, .err = EAGAIN);

ATTEMPT(sem_open, nothing, 0, make_and_close, PSEM);
ATTEMPT(sem_open_again, make, PSEM, open_and_close, PSEM);
ATTEMPT(sem_open_again_create, make, PSEM, make_and_close, PSEM);
ATTEMPT(sem_unlink, make, PSEM, take_name, PSEM);
ATTEMPT(sem_unlink_mapped, make_mapped, PSEM, take_name, PSEM);
ATTEMPT(sem_map, make, PSEM, map, PAGE);
ATTEMPT(sem_unmap, make_mapped, PSEM, unmap, PAGE);
ATTEMPT(sem_touch, make_mapped, PSEM, touch, 0);
ATTEMPT(sem_post, make_mapped, PSEM, sem_op, KIPC_POSIX_SEM_POST);
ATTEMPT(sem_post_short, make_mapped, PSEM, sem_op_short, KIPC_POSIX_SEM_POST);
ATTEMPT(sem_post_to_sleeper, with_sleeper, 0, sem_op, KIPC_POSIX_SEM_POST);
ATTEMPT(sem_wait, make_mapped, PSEM, sem_op, KIPC_POSIX_SEM_WAIT);
ATTEMPT(sem_wait_short, make_mapped, PSEM, sem_op_short, KIPC_POSIX_SEM_WAIT);
ATTEMPT(sem_trywait, make_mapped, PSEM, sem_op, KIPC_POSIX_SEM_TRYWAIT);
ATTEMPT(sem_sleep, make_empty, 0, sem_sleep, 0);
ATTEMPT(sem_read, make, PSEM, sem_read, 0);
ATTEMPT(sem_write, make, PSEM, sem_write, 5);
ATTEMPT(sem_write_to_sleeper, with_sleeper, 0, sem_write, 1);
ATTEMPT(sem_poll, make, PSEM, look_once, POLLIN);
ATTEMPT(sem_watch, make_watched, PSEM, watch, EPOLLIN);
ATTEMPT(sem_watch_no_more, make_and_watch, PSEM, watch_no_more, 0);
ATTEMPT(sem_post_watched, make_and_watch, PSEM, sem_write, 1);
ATTEMPT(sem_notify, make_with_event, PSEM, have_counted, POLLIN);
ATTEMPT(sem_async, make, PSEM, have_signals, O_ASYNC);
ATTEMPT(sem_fork, make_mapped, PSEM, do_fork, 0, .err = EAGAIN);

ATTEMPT(mq_open, nothing, 0, make_and_close, PMQ);
ATTEMPT(mq_open_again, make, PMQ, open_and_close, PMQ);
ATTEMPT(mq_open_again_create, make, PMQ, make_and_close, PMQ);
ATTEMPT(mq_unlink, make, PMQ, take_name, PMQ);
ATTEMPT(mq_unlink_full, make_with_message, BIG, take_name, PMQ);
ATTEMPT(mq_send, make, PMQ, pmq_send, BIG);
ATTEMPT(mq_receive, make_with_message, BIG, pmq_receive, BIG);
ATTEMPT(mq_send_short, make, PMQ, pmq_send_short, BIG);
ATTEMPT(mq_receive_short, make_with_message, 64, pmq_receive_short, BIG);
ATTEMPT(mq_send_sleep, make_waiting, MESSAGES, pmq_sleep, 0);
ATTEMPT(mq_receive_sleep, make_waiting, 0, pmq_sleep, 1);
ATTEMPT(mq_attr, make_with_message, 64, pmq_attr, 1);
ATTEMPT(mq_notify, make, PMQ, pmq_notify_and_not, KIPC_MQ_NOTIFY_NONE);
ATTEMPT(mq_notify_fd, make, PMQ, pmq_notify_and_not, KIPC_MQ_NOTIFY_FD);
ATTEMPT(mq_tell, make_notified, KIPC_MQ_NOTIFY_SIGNAL, pmq_send, 64);
ATTEMPT(mq_tell_fd, make_notified, KIPC_MQ_NOTIFY_FD, pmq_send, 64);
ATTEMPT(mq_poll, make, PMQ, look_once, POLLOUT);
ATTEMPT(mq_watch, make_watched, PMQ, watch, EPOLLIN);
ATTEMPT(mq_async, make, PMQ, have_signals, O_ASYNC);

ATTEMPT(stream_open, nothing, 0, make_and_close, STREAM);
ATTEMPT(stream_open_again, make, STREAM, open_and_close, STREAM);
ATTEMPT(stream_open_again_create, make, STREAM, make_and_close, STREAM);
ATTEMPT(stream_unlink, make, STREAM, take_name, STREAM);
ATTEMPT(stream_write, make, STREAM, stream_write, 64);
ATTEMPT(stream_read, make_written, 64, stream_read, 64);
ATTEMPT(stream_poll, make, STREAM, look_once, POLLOUT);
ATTEMPT(stream_watch, make_watched, STREAM, watch, EPOLLIN);
ATTEMPT(stream_async, make, STREAM, have_signals, O_ASYNC);

ATTEMPT(adopt, sealed_memfd, 0, adopt, KIPC_LIFETIME_PERSISTENT, .err = ENOSPC);
ATTEMPT(adopt_of_creator, sealed_memfd, 0, adopt, KIPC_LIFETIME_CREATOR, .err = ENOSPC);
ATTEMPT(adopt_by_name, sealed_memfd, 0, name_memfd, 0640);
ATTEMPT(export, segment, 0, export_and_close, O_RDWR);
ATTEMPT(export_to_look, segment, 0, export_and_close, O_RDONLY);
ATTEMPT(export_adopted, adopted, 0, export_and_close, O_RDWR);
ATTEMPT(publish_shm, without_key, KIPC_KIND_SHM, publish, KIPC_LIFETIME_PERSISTENT);
ATTEMPT(publish_sem, without_key, KIPC_KIND_SEM, publish, KIPC_LIFETIME_PERSISTENT);
ATTEMPT(publish_msg, without_key, KIPC_KIND_MSG, publish, KIPC_LIFETIME_USERS);

ATTEMPT(list_names, one_of_each, 0, list, 0);

TEST_HARNESS_MAIN

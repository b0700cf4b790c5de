// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of each call fails in turn, and each copy from and to user space: the call
 * fails with ENOMEM or EFAULT, or goes on without; what there was is as it was, nothing is
 * left of the attempt, and the same call then succeeds.
 *
 * The kernel must be one that injects faults: make check-debug.  Each attempt is made by a
 * process of its own, for much is allocated once for a process.
 */
#include "common/device.h"
#include "common/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MOST	3000	/* allocations of a call, and more */
#define PAGES	8
#define BIG	6000	/* bytes of a message of several chunks */
#define BATCH	4
#define MANY	600	/* semaphores of a set, operations of a call: of some pages */

/* What an attempt is made on; each process has its own. */
static struct scene {
	int fd, shm, sem, msg;
	unsigned long attached;	/* mappings of segments, at the last look */
	bool unseen;		/* a look would make what the call is to make */
	long messages;		/* that there should be after a batch, or -1 */
	void *addr;
	struct kipc_sem_map map;
	struct {
		long type;
		char text[BIG];
	} note[BATCH];
	unsigned short values[MANY];
	struct sembuf sops[MANY];
	union {
		struct shmid_ds shm;
		struct semid_ds sem;
		struct msqid_ds msg;
		char room[256];
	} ds;
} s;

static const struct timespec moment = { .tv_nsec = 1 };

/* ---- What an attempt needs ---- */

static long nothing(long arg)
{
	(void)arg;
	return 0;
}

static long new_namespace(long arg)
{
	(void)arg;
	s.unseen = true;
	return unshare(CLONE_NEWIPC);
}

static long shm_get(long lifetime)
{
	struct kipc_shm_get get = {
		.key = 77, .flags = IPC_CREAT | 0600, .size = PAGES * PAGE, .lifetime = lifetime,
	};

	s.shm = ioctl(s.fd, KIPC_IOC_SHM_GET, &get);
	return s.shm;
}

static long shm_attach(long flags)
{
	struct kipc_shm_attach attach = {
		.id = s.shm, .flags = flags, .addr = (uintptr_t)s.addr,
	};
	long ret = ioctl(s.fd, KIPC_IOC_SHM_ATTACH, &attach);

	if (!ret)
		s.addr = (void *)(uintptr_t)attach.addr;
	return ret;
}

static long attached(long arg)
{
	(void)arg;
	return shm_get(KIPC_LIFETIME_PERSISTENT) < 0 ? -1 : shm_attach(0);
}

static long sem_get(long lifetime)
{
	struct kipc_sem_get get = {
		.key = 77, .flags = IPC_CREAT | 0600, .nsems = MANY, .lifetime = lifetime,
	};

	s.sem = ioctl(s.fd, KIPC_IOC_SEM_GET, &get);
	return s.sem;
}

static long process_map(long arg)
{
	struct kipc_process_map map = { .pad = arg };

	return ioctl(s.fd, KIPC_IOC_PROCESS_MAP, &map);
}

static long sem_map(long flags)
{
	s.map = (struct kipc_sem_map){ .id = s.sem, .flags = flags };
	return ioctl(s.fd, KIPC_IOC_SEM_MAP, &s.map);
}

static long with_record(long arg)
{
	(void)arg;
	return sem_get(KIPC_LIFETIME_PERSISTENT) < 0 ? -1 : process_map(0);
}

static long mapped(long arg)
{
	(void)arg;
	return with_record(0) ? -1 : sem_map(KIPC_SEM_MAP_WRITE);
}

static long msg_get(long lifetime)
{
	struct kipc_msg_get get = { .key = 77, .flags = IPC_CREAT | 0600, .lifetime = lifetime };

	s.msg = ioctl(s.fd, KIPC_IOC_MSG_GET, &get);
	return s.msg;
}

/* One message of @size bytes, or with @count many. */
static long msg_op(unsigned long call, long size, unsigned int count, int flags)
{
	struct kipc_msg_vec vec[BATCH];
	struct kipc_msg_op op = {
		.id = s.msg, .flags = flags, .msg = (uintptr_t)s.note, .size = size,
		.timeout = (uintptr_t)&moment, .clock = CLOCK_MONOTONIC,
	};
	unsigned int i;

	for (i = 0; i < count; i++)
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)&s.note[i], size };
	if (count) {
		op.msg = (uintptr_t)vec;
		op.size = 0;
		op.count = count;
	}
	return ioctl(s.fd, call, &op);
}

static long send(long size)
{
	return msg_op(KIPC_IOC_MSG_SEND, size, 0, 0);
}

static long receive(long size)
{
	return msg_op(KIPC_IOC_MSG_RECEIVE, size, 0, 0);
}

static long sent(long size)
{
	return msg_get(KIPC_LIFETIME_PERSISTENT) < 0 ? -1 : send(size);
}

/* With several types, so that the queue keeps them apart. */
static long sent_many(long size)
{
	int i;

	if (msg_get(KIPC_LIFETIME_PERSISTENT) < 0)
		return -1;
	for (i = 0; i < BATCH; i++) {
		s.note[0].type = 1 + i;
		if (send(size))
			return -1;
	}
	return 0;
}

static long full(long size)
{
	if (msg_get(KIPC_LIFETIME_PERSISTENT) < 0)
		return -1;
	while (!msg_op(KIPC_IOC_MSG_SEND, size, 0, IPC_NOWAIT))
		;
	return errno == EAGAIN ? 0 : -1;
}

static long one_of_each(long arg)
{
	return attached(arg) || mapped(arg) ? -1 : sent_many(1);
}

/* ---- What is attempted ---- */

static long open_device(long arg)
{
	int fd = open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);

	(void)arg;
	return fd < 0 ? -1 : close(fd);
}

static long query(long arg)
{
	struct kipc_query query = { .pad = arg };

	return ioctl(s.fd, KIPC_IOC_QUERY, &query);
}

static long limit(long which)
{
	struct kipc_limit limit = { .limit = which };

	if (ioctl(s.fd, KIPC_IOC_LIMIT, &limit))
		return -1;
	limit.flags = KIPC_LIMIT_SET;
	return ioctl(s.fd, KIPC_IOC_LIMIT, &limit);
}

static long process_cut(long arg)
{
	(void)arg;
	return ioctl(s.fd, KIPC_IOC_PROCESS_CUT);
}

static long shm_detach(long arg)
{
	struct kipc_shm_detach detach = { .addr = (uintptr_t)s.addr + arg };

	return ioctl(s.fd, KIPC_IOC_SHM_DETACH, &detach);
}

static long shm_ctl(long cmd)
{
	struct kipc_shm_ctl ctl = { .id = s.shm, .cmd = cmd, .buf = (uintptr_t)&s.ds };

	if (cmd == SHM_INFO || cmd == SHM_STAT || cmd == SHM_STAT_ANY)
		ctl.id &= KIPC_INDEX_MAX - 1;
	return ioctl(s.fd, KIPC_IOC_SHM_CTL, &ctl);
}

/* A mapping whose segment is there as long as it is attached. */
static long attached_removed(long arg)
{
	return attached(arg) ? -1 : shm_ctl(IPC_RMID);
}

static long read_shm(long arg)
{
	return attached(arg) ? -1 : shm_ctl(IPC_STAT);
}

static long map_segment(long arg)
{
	void *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd,
			KIPC_MMAP_OFFSET(KIPC_KIND_SHM, s.shm) + arg);

	return at == MAP_FAILED ? -1 : 0;
}

/* A page from the middle: both ends stay attached. */
static long unmap_middle(long arg)
{
	return munmap(s.addr + PAGE * arg, PAGE);
}

static long protect_middle(long arg)
{
	return mprotect(s.addr + PAGE * arg, PAGE, PROT_READ);
}

static long move(long arg)
{
	void *to = mmap(NULL, 2 * PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (to == MAP_FAILED)
		return -1;
	if (mremap(s.addr, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		return -1;
	s.addr = to;
	return 0;
}

static long grow(long arg)
{
	void *to = mremap(s.addr, PAGE, PAGE * arg, MREMAP_MAYMOVE);

	if (to == MAP_FAILED)
		return -1;
	s.addr = to;
	return 0;
}

/* A page fault that has no memory is taken again. */
static long touch(long arg)
{
	(void)arg;
	*(volatile char *)s.addr = 1;
	return 0;
}

static long touch_set(long arg)
{
	(void)arg;
	(void)*(volatile uint64_t *)(uintptr_t)s.map.shared;
	(void)*(volatile uint32_t *)(uintptr_t)s.map.own;
	return 0;
}

static long do_fork(long arg)
{
	pid_t pid = fork();

	if (!pid)
		_exit(arg);
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}

static long sem_op(long undo)
{
	struct sembuf sop = { 0, 1, undo };
	struct kipc_sem_op op = { .id = s.sem, .nsops = 1, .sops = (uintptr_t)&sop };

	return ioctl(s.fd, KIPC_IOC_SEM_OP, &op);
}

/* Of as many operations that the copy of them is allocated. */
static long sem_op_many(long undo)
{
	struct kipc_sem_op op = {
		.id = s.sem, .nsops = 500, .sops = (uintptr_t)s.sops,
		.timeout = (uintptr_t)&moment, .clock = CLOCK_MONOTONIC,
	};
	unsigned int i;

	for (i = 0; i < op.nsops; i++)
		s.sops[i] = (struct sembuf){ i, 1, undo };
	return ioctl(s.fd, KIPC_IOC_SEM_OP, &op);
}

/* Until the time is over, as it should be. */
static long timed_out(long ret)
{
	return ret < 0 && errno == EAGAIN ? 0 : -1;
}

static long sem_sleep(long undo)
{
	struct sembuf sops[] = { { 1, 1, undo }, { 0, -1, undo } };
	struct kipc_sem_op op = {
		.id = s.sem, .nsops = 2, .sops = (uintptr_t)sops,
		.timeout = (uintptr_t)&moment, .clock = CLOCK_MONOTONIC,
	};

	return timed_out(ioctl(s.fd, KIPC_IOC_SEM_OP, &op));
}

static long sem_ctl(long cmd)
{
	struct kipc_sem_ctl ctl = { .id = s.sem, .cmd = cmd };

	switch (cmd) {
	case SETVAL:
		ctl.arg = 5;
		break;
	case GETALL:
	case SETALL:
		ctl.arg = (uintptr_t)s.values;
		break;
	case SEM_STAT:
	case SEM_STAT_ANY:
		ctl.id &= KIPC_INDEX_MAX - 1;
		/* fallthrough */
	default:
		ctl.arg = (uintptr_t)&s.ds;
	}
	return ioctl(s.fd, KIPC_IOC_SEM_CTL, &ctl);
}

/* With undo values that have to be forgotten or kept. */
static long with_undo(long arg)
{
	(void)arg;
	return sem_get(KIPC_LIFETIME_PERSISTENT) < 0 || sem_op(SEM_UNDO) ||
	       sem_ctl(IPC_STAT) ? -1 : 0;
}

static long mapped_with_undo(long arg)
{
	return mapped(arg) || sem_op(SEM_UNDO) || sem_ctl(IPC_STAT) ? -1 : touch_set(arg);
}

/* A part of them, if any, is a success. */
static long send_batch(long size)
{
	long ret = msg_op(KIPC_IOC_MSG_SEND, size, BATCH, 0);

	s.messages = ret;
	return ret;
}

static long receive_batch(long size)
{
	long ret = msg_op(KIPC_IOC_MSG_RECEIVE, size, BATCH, 0);

	s.messages = ret < 0 ? -1 : BATCH - ret;
	return ret;
}

static long send_short(long size)
{
	return syscall(SYS_fadvise64, s.fd, (long)s.msg, s.note, KIPC_CALL_MSG_SEND(0, size));
}

static long receive_short(long size)
{
	return syscall(SYS_fadvise64, s.fd, (long)s.msg, s.note, KIPC_CALL_MSG_RECEIVE(0, size));
}

static long receive_copy(long size)
{
	return msg_op(KIPC_IOC_MSG_RECEIVE, size, 0, MSG_COPY | IPC_NOWAIT);
}

static long send_timed_out(long size)
{
	return timed_out(send(size));
}

static long receive_timed_out(long size)
{
	return timed_out(receive(size));
}

static long msg_ctl(long cmd)
{
	struct kipc_msg_ctl ctl = { .id = s.msg, .cmd = cmd, .buf = (uintptr_t)&s.ds };

	if (cmd == MSG_STAT || cmd == MSG_STAT_ANY)
		ctl.id &= KIPC_INDEX_MAX - 1;
	return ioctl(s.fd, KIPC_IOC_MSG_CTL, &ctl);
}

static long sent_and_read(long size)
{
	return sent_many(size) ? -1 : msg_ctl(IPC_STAT);
}

/* Closed at once: the object goes with it. */
static long handle_create(long kind)
{
	struct kipc_handle_create create = {
		.kind = kind, .flags = O_RDWR, .size = kind == KIPC_KIND_SHM ? PAGES * PAGE :
		kind == KIPC_KIND_SEM ? MANY : 0,
	};
	int fd = ioctl(s.fd, KIPC_IOC_HANDLE_CREATE, &create);

	return fd < 0 ? -1 : close(fd);
}

static long handle_open(long kind)
{
	struct kipc_handle_open open = {
		.id = kind == KIPC_KIND_SHM ? s.shm : kind == KIPC_KIND_SEM ? s.sem : s.msg,
		.kind = kind, .flags = O_RDWR,
	};
	int fd = ioctl(s.fd, KIPC_IOC_HANDLE_OPEN, &open);

	return fd < 0 ? -1 : close(fd);
}

static const char *const listings[] = {
	"shm", "sem", "msg", "queues", "waiters", "objects", "ids", "sys/sem", "sys/shmmni",
};

static long list(long which)
{
	char path[32], text[4096];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/kipc/%s", listings[which]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	do
		got = read(fd, text, sizeof(text));
	while (got > 0);
	close(fd);
	return got;
}

/* ---- The state, as far as it can be seen ---- */

static void read_into(char *text, size_t size, const char *path)
{
	size_t len = strlen(text);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	while ((got = read(fd, text + len, size - len - 1)) > 0)
		len += got;
	text[len] = 0;
	close(fd);
}

/*
 * The lists without what changes by itself; the totals of all kinds; what is mapped of kipc.
 * So a leak of a count, of bytes or of an attachment shows.  Of segments and queues without
 * @times only what is not times, nor who was last.
 */
static void look(char *text, size_t size, bool times)
{
	static const char *const files[] = { "sem", "ids", "waiters", "shm", "msg" };
	struct shm_row segment;
	struct { int used; unsigned long v[5]; } shm = { 0 };
	struct seminfo sem = { 0 };
	struct msginfo msg = { 0 };
	char path[32], line[256];
	unsigned int i;
	size_t len;
	FILE *maps;

	text[0] = 0;
	if (s.unseen)
		return;
	for (i = 0; i < ARRAY_SIZE(files) - (times ? 0 : 2); i++) {
		snprintf(path, sizeof(path), "/proc/kipc/%s", files[i]);
		read_into(text, size, path);
	}
	len = strlen(text);
	if (!times && !shm_row_find(&ipc_kipc, s.shm, &segment))
		len += snprintf(text + len, size - len, "segment: %o %lu, %lu times\n",
				segment.mode, segment.size, segment.nattch);
	if (!times && s.msg >= 0)
		len += snprintf(text + len, size - len, "queue: %ld %ld\n",
				msg_qnum(&ipc_kipc, s.msg), msg_cbytes(&ipc_kipc, s.msg));
	ioctl(s.fd, KIPC_IOC_SHM_CTL,
	      &(struct kipc_shm_ctl){ .cmd = SHM_INFO, .buf = (uintptr_t)&shm });
	ioctl(s.fd, KIPC_IOC_SEM_CTL,
	      &(struct kipc_sem_ctl){ .cmd = SEM_INFO, .arg = (uintptr_t)&sem });
	ioctl(s.fd, KIPC_IOC_MSG_CTL,
	      &(struct kipc_msg_ctl){ .cmd = MSG_INFO, .buf = (uintptr_t)&msg });
	len += snprintf(text + len, size - len, "%d %lu; %d %d; %d %d %d\n", shm.used, shm.v[0],
			sem.semusz, sem.semaem, msg.msgpool, msg.msgmap, msg.msgtql);
	s.attached = 0;
	maps = fopen("/proc/self/maps", "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		s.attached += !!strstr(line, "SYSV");
		if (strstr(line, "SYSV") || strstr(line, "kipc"))
			len += snprintf(text + len, size - len, "%s", line);
	}
	if (maps)
		fclose(maps);
}

/* ---- An attempt ---- */

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

/* The @nth allocation or copy from now on fails, of this thread. */
static void inject(int nth)
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

/*
 * What was done is undone by its opposite, which shows in times and in who was last; what had
 * to make way for a new mapping is gone, and one that was cut stays so.
 */
enum kept { ALL, ALL_BUT_TIMES, NOT_ALL };

/**
 * struct attempt - a call, and what it is made on
 * @prepare: makes it, without faults
 * @with: argument of @prepare
 * @call: the call; not negative: it succeeded
 * @arg: argument of @call
 * @err: what it may fail with besides ENOMEM and EFAULT, as natively, or 0
 * @kept: how much must be as before when it has failed
 */
struct attempt {
	long (*prepare)(long with);
	long with;
	long (*call)(long arg);
	long arg;
	int err;
	enum kept kept;
};

enum { AGAIN, DONE, NOT_PREPARED, WRONG_ERRNO, NOT_AS_BEFORE, THEN_FAILED, WRONG_COUNT };

static const char *const outcomes[] = {
	"", "", "could not be prepared", "another errno", "something has changed",
	"the same call, without a fault, failed", "the number of messages or attachments is wrong",
};

static void tell_difference(const char *was, const char *is)
{
	while (*was && *was == *is)
		was++, is++;
	printf("# it was: %.200s\n# it is: %.200s\n", was, is);
	fflush(stdout);
}

static int attempt(const struct attempt *a, int nth)
{
	static char was[1 << 16], is[1 << 16];
	int err, i;
	long ret, counted;
	bool done;

	s = (struct scene){ .shm = -1, .sem = -1, .msg = -1, .messages = -1 };
	s.fd = device_open();
	fault_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	for (i = 0; i < BATCH; i++)
		s.note[i].type = 1 + i;
	if (s.fd < 0 || fault_fd < 0 || no_rseq() || a->prepare(a->with) < 0)
		return NOT_PREPARED;
	look(was, sizeof(was), a->kept == ALL);

	errno = 0;
	inject(nth);
	ret = a->call(a->arg);
	err = errno;
	done = injected_nothing();
	if (s.messages >= 0 && msg_qnum(&ipc_kipc, s.msg) != s.messages)
		return WRONG_COUNT;
	if (ret >= 0)
		return done ? DONE : AGAIN;
	if (done || (err != ENOMEM && err != EFAULT && err != a->err)) {
		printf("# %s\n", strerror(err));
		fflush(stdout);
		return WRONG_ERRNO;
	}
	look(is, sizeof(is), a->kept == ALL);
	if (a->kept != NOT_ALL && strcmp(was, is)) {
		tell_difference(was, is);
		return NOT_AS_BEFORE;
	}
	counted = s.shm >= 0 ? shm_nattch(&ipc_kipc, s.shm) : -1;
	if (counted >= 0 && counted != (long)s.attached)
		return WRONG_COUNT;
	ret = a->call(a->arg);
	if (ret < 0)
		printf("# %s\n", strerror(errno)), fflush(stdout);
	return ret < 0 ? THEN_FAILED : AGAIN;
}

static void clean_up(void)
{
	const struct ipc *ipc = &ipc_kipc;

	ipc->shmctl(ipc->shmget(77, 0, 0), IPC_RMID, NULL);
	ipc->semctl(ipc->semget(77, 0, 0), 0, IPC_RMID);
	ipc->msgctl(ipc->msgget(77, 0), IPC_RMID, NULL);
}

/* ---- All of them ---- */

FIXTURE(fail_nth) { long refs; };
FIXTURE_VARIANT(fail_nth) { struct attempt attempt; };

/* Sleeping allocations, and those for user space, fail as well; without a word about it. */
static int set_up_faults(void)
{
	static const char *const zero[] = {
		"failslab/verbose", "failslab/ignore-gfp-wait",
		"fail_page_alloc/verbose", "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/ignore-gfp-highmem", "fail_page_alloc/min-order",
		"fail_usercopy/verbose",
	};
	char path[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(zero); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", zero[i]);
		if (write_text(path, "0"))
			return -1;
	}
	return 0;
}

FIXTURE_SETUP(fail_nth)
{
	if (access("/proc/thread-self/fail-nth", F_OK))
		SKIP(return, "a kernel that injects no faults");
	ASSERT_EQ(0, set_up_faults());
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(&ipc_kipc);
	clean_up();	/* the library has its descriptor now */
	self->refs = module_refs();
}

FIXTURE_TEARDOWN(fail_nth)
{
}

TEST_F_TIMEOUT(fail_nth, fails_cleanly, 380)
{
	int nth, status = AGAIN;

	for (nth = 1; nth <= MOST && status == AGAIN; nth++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(attempt(&variant->attempt, nth));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status))
			TH_LOG("fault %d: killed by %d", nth, WTERMSIG(status));
		status = WEXITSTATUS(status);
		EXPECT_TRUE(status <= DONE)
			TH_LOG("fault %d: %s", nth, outcomes[status]);
		clean_up();
	}
	EXPECT_EQ(DONE, status);
	TH_LOG("%d faults", nth - 2);
	EXPECT_NOTHING(&ipc_kipc);
	/* Records, descriptors and namespaces of the dead are given back by work. */
	wait_until(module_refs() <= self->refs);
}

#define ATTEMPT(_name, ...) \
	FIXTURE_VARIANT_ADD(fail_nth, _name) { .attempt = { __VA_ARGS__ } }

ATTEMPT(open, nothing, 0, open_device, 0);
ATTEMPT(query, nothing, 0, query, 0);
ATTEMPT(limit, nothing, 0, limit, KIPC_LIMIT_SHMMNI);
ATTEMPT(namespace, new_namespace, 0, query, 0);
ATTEMPT(process_map, nothing, 0, process_map, 0);
ATTEMPT(process_cut, mapped_with_undo, 0, process_cut, 0);

ATTEMPT(shm_get, nothing, 0, shm_get, KIPC_LIFETIME_PERSISTENT, .err = ENOSPC);
ATTEMPT(shm_get_creator, nothing, 0, shm_get, KIPC_LIFETIME_CREATOR, .err = ENOSPC);
ATTEMPT(shm_get_again, attached, 0, shm_get, 0);
ATTEMPT(shm_attach, shm_get, 0, shm_attach, 0, .kept = ALL_BUT_TIMES);
ATTEMPT(shm_attach_read_only, shm_get, 0, shm_attach, SHM_RDONLY, .kept = ALL_BUT_TIMES);
ATTEMPT(shm_attach_again, attached, 0, shm_attach, SHM_REMAP, .kept = NOT_ALL);
ATTEMPT(shm_detach, attached, 0, shm_detach, 0);
ATTEMPT(shm_detach_last, attached_removed, 0, shm_detach, 0);
ATTEMPT(shm_stat, attached, 0, shm_ctl, IPC_STAT);
ATTEMPT(shm_stat_index, attached, 0, shm_ctl, SHM_STAT);
ATTEMPT(shm_stat_any, attached, 0, shm_ctl, SHM_STAT_ANY);
ATTEMPT(shm_info, attached, 0, shm_ctl, SHM_INFO);
ATTEMPT(shm_ipc_info, attached, 0, shm_ctl, IPC_INFO);
ATTEMPT(shm_set, read_shm, 0, shm_ctl, IPC_SET);
ATTEMPT(shm_lock, attached, 0, shm_ctl, SHM_LOCK);
ATTEMPT(shm_unlock, attached, 0, shm_ctl, SHM_UNLOCK);
ATTEMPT(shm_remove, attached, 0, shm_ctl, IPC_RMID);
ATTEMPT(shm_touch, attached, 0, touch, 0);
ATTEMPT(shm_mmap, shm_get, 0, map_segment, 0, .kept = ALL_BUT_TIMES);
ATTEMPT(shm_munmap, attached, 0, unmap_middle, 3, .kept = NOT_ALL);
ATTEMPT(shm_mprotect, attached, 0, protect_middle, 3, .kept = NOT_ALL);
ATTEMPT(shm_mremap, attached, 0, move, 0, .kept = ALL_BUT_TIMES);
ATTEMPT(shm_mremap_grow, attached, 0, grow, PAGES, .kept = NOT_ALL);
ATTEMPT(fork, one_of_each, 0, do_fork, 0, .err = EAGAIN, .kept = ALL_BUT_TIMES);

ATTEMPT(sem_get, nothing, 0, sem_get, KIPC_LIFETIME_PERSISTENT);
ATTEMPT(sem_get_creator, nothing, 0, sem_get, KIPC_LIFETIME_CREATOR);
ATTEMPT(sem_op, sem_get, 0, sem_op, 0);
ATTEMPT(sem_op_undo, sem_get, 0, sem_op, SEM_UNDO);
ATTEMPT(sem_op_mapped, mapped, 0, sem_op, SEM_UNDO);
ATTEMPT(sem_op_many, sem_get, 0, sem_op_many, 0);
ATTEMPT(sem_op_many_undo, sem_get, 0, sem_op_many, SEM_UNDO);
ATTEMPT(sem_sleep, sem_get, 0, sem_sleep, 0);
ATTEMPT(sem_sleep_undo, sem_get, 0, sem_sleep, SEM_UNDO);
ATTEMPT(sem_sleep_mapped, mapped, 0, sem_sleep, SEM_UNDO);
ATTEMPT(sem_setval, with_undo, 0, sem_ctl, SETVAL);
ATTEMPT(sem_setval_mapped, mapped_with_undo, 0, sem_ctl, SETVAL);
ATTEMPT(sem_setall, with_undo, 0, sem_ctl, SETALL);
ATTEMPT(sem_setall_mapped, mapped_with_undo, 0, sem_ctl, SETALL);
ATTEMPT(sem_getall, with_undo, 0, sem_ctl, GETALL);
ATTEMPT(sem_stat, with_undo, 0, sem_ctl, IPC_STAT);
ATTEMPT(sem_stat_index, with_undo, 0, sem_ctl, SEM_STAT);
ATTEMPT(sem_stat_any, with_undo, 0, sem_ctl, SEM_STAT_ANY);
ATTEMPT(sem_info, with_undo, 0, sem_ctl, SEM_INFO);
ATTEMPT(sem_set, mapped_with_undo, 0, sem_ctl, IPC_SET);
ATTEMPT(sem_remove, with_undo, 0, sem_ctl, IPC_RMID);
ATTEMPT(sem_map, with_record, 0, sem_map, KIPC_SEM_MAP_WRITE);
ATTEMPT(sem_map_to_look, with_record, 0, sem_map, 0);
ATTEMPT(sem_touch, mapped, 0, touch_set, 0);

ATTEMPT(msg_get, nothing, 0, msg_get, KIPC_LIFETIME_PERSISTENT);
ATTEMPT(msg_get_creator, nothing, 0, msg_get, KIPC_LIFETIME_CREATOR);
ATTEMPT(msg_send, msg_get, 0, send, 64);
ATTEMPT(msg_send_type, sent_many, 64, send, 64);
ATTEMPT(msg_send_big, msg_get, 0, send, BIG);
ATTEMPT(msg_send_batch, msg_get, 0, send_batch, 64);
ATTEMPT(msg_send_short, msg_get, 0, send_short, 64);
ATTEMPT(msg_send_sleep, full, BIG, send_timed_out, BIG);
ATTEMPT(msg_receive, sent, 64, receive, 64, .kept = ALL_BUT_TIMES);
ATTEMPT(msg_receive_big, sent, BIG, receive, BIG, .kept = ALL_BUT_TIMES);
ATTEMPT(msg_receive_short, sent, 64, receive_short, 64, .kept = ALL_BUT_TIMES);
ATTEMPT(msg_receive_batch, sent_many, 64, receive_batch, 64, .kept = ALL_BUT_TIMES);
ATTEMPT(msg_receive_copy, sent, BIG, receive_copy, BIG);
ATTEMPT(msg_receive_sleep, msg_get, 0, receive_timed_out, 64);
ATTEMPT(msg_stat, sent_many, 64, msg_ctl, IPC_STAT);
ATTEMPT(msg_stat_index, sent_many, 64, msg_ctl, MSG_STAT);
ATTEMPT(msg_stat_any, sent_many, 64, msg_ctl, MSG_STAT_ANY);
ATTEMPT(msg_info, sent_many, 64, msg_ctl, MSG_INFO);
ATTEMPT(msg_set, sent_and_read, 64, msg_ctl, IPC_SET);
ATTEMPT(msg_remove, sent_many, 4000, msg_ctl, IPC_RMID);

ATTEMPT(handle_open_shm, one_of_each, 0, handle_open, KIPC_KIND_SHM, .err = ENFILE);
ATTEMPT(handle_open_sem, one_of_each, 0, handle_open, KIPC_KIND_SEM, .err = ENFILE);
ATTEMPT(handle_open_msg, one_of_each, 0, handle_open, KIPC_KIND_MSG, .err = ENFILE);
ATTEMPT(handle_create_shm, nothing, 0, handle_create, KIPC_KIND_SHM, .err = ENOSPC);
ATTEMPT(handle_create_sem, nothing, 0, handle_create, KIPC_KIND_SEM);
ATTEMPT(handle_create_msg, nothing, 0, handle_create, KIPC_KIND_MSG);

ATTEMPT(namespace_list, new_namespace, 0, list, 0);
ATTEMPT(list_shm, one_of_each, 0, list, 0);
ATTEMPT(list_sem, one_of_each, 0, list, 1);
ATTEMPT(list_msg, one_of_each, 0, list, 2);
ATTEMPT(list_queues, one_of_each, 0, list, 3);
ATTEMPT(list_waiters, one_of_each, 0, list, 4);
ATTEMPT(list_objects, one_of_each, 0, list, 5);
ATTEMPT(list_ids, one_of_each, 0, list, 6);
ATTEMPT(list_limits, nothing, 0, list, 7);
ATTEMPT(list_limit, nothing, 0, list, 8);


/* ---- The end of a process, which cannot fail ---- */

FIXTURE(fail_exit) { long refs; };

FIXTURE_SETUP(fail_exit)
{
	if (access("/proc/thread-self/fail-nth", F_OK))
		SKIP(return, "a kernel that injects no faults");
	ASSERT_EQ(0, set_up_faults());
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(&ipc_kipc);
	clean_up();	/* the library has its descriptor now */
	self->refs = module_refs();
}

FIXTURE_TEARDOWN(fail_exit)
{
}

static int leave(int nth)
{
	s.fd = device_open();
	fault_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fault_fd < 0 || no_rseq() || shm_get(KIPC_LIFETIME_CREATOR) < 0 || shm_attach(0) ||
	    msg_get(KIPC_LIFETIME_CREATOR) < 0 || mapped_with_undo(0) ||
	    sem_op_many(SEM_UNDO))
		return NOT_PREPARED;
	inject(nth);
	syscall(SYS_exit_group, DONE);
	return NOT_PREPARED;
}

TEST_F_TIMEOUT(fail_exit, all_is_given_back, 380)
{
	char path[64];
	int nth, status, id;
	long left = 0;

	id = ipc_kipc.semget(77, MANY, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	for (nth = 1; nth <= MOST && left <= 0; nth++) {
		siginfo_t info;
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(leave(nth));
		/* What is left of the count is seen while it is not reaped. */
		ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
		snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
		left = read_number(path);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(DONE << 8, status);
		EXPECT_VALUES(&ipc_kipc, id, 0, 0, 0);
		EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
		EXPECT_EQ(0, msg_rows(&ipc_kipc, NULL, 0));
	}
	EXPECT_LT(0, left);
	TH_LOG("%d faults", nth - 2);
	EXPECT_EQ(0, sem_rmid(&ipc_kipc, id));
	wait_until(module_refs() <= self->refs);
}

TEST_HARNESS_MAIN

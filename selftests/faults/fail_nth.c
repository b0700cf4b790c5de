// SPDX-License-Identifier: GPL-2.0
/* Calls on System V objects and on handles, each allocation and copy of which fails. */
#include "fail.h"

#include <fcntl.h>
#include <kipc.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#define PAGES	8
#define BIG	6000	/* bytes of a message of several chunks */
#define BATCH	4
#define MANY	600	/* semaphores of a set, operations of a call: of some pages */

/* What an attempt is made on; each process has its own. */
static struct scene {
	int shm, sem, msg;
	int on_sem, on_msg, event;
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
	unseen = true;
	return unshare(CLONE_NEWIPC);
}

static long shm_get(long lifetime)
{
	struct kipc_shm_get get = {
		.key = 77, .flags = IPC_CREAT | 0600, .size = PAGES * PAGE, .lifetime = lifetime,
	};

	s.shm = ioctl(device, KIPC_IOC_SHM_GET, &get);
	return s.shm;
}

static long shm_attach(long flags)
{
	struct kipc_shm_attach attach = {
		.id = s.shm, .flags = flags, .addr = (uintptr_t)s.addr,
	};
	long ret = ioctl(device, KIPC_IOC_SHM_ATTACH, &attach);

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

	s.sem = ioctl(device, KIPC_IOC_SEM_GET, &get);
	return s.sem;
}

static long process_map(long arg)
{
	struct kipc_process_map map = { .pad = arg };

	return ioctl(device, KIPC_IOC_PROCESS_MAP, &map);
}

static long sem_map(long flags)
{
	s.map = (struct kipc_sem_map){ .id = s.sem, .flags = flags };
	return ioctl(device, KIPC_IOC_SEM_MAP, &s.map);
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

	s.msg = ioctl(device, KIPC_IOC_MSG_GET, &get);
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
	return ioctl(device, call, &op);
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

static int handle_of(unsigned int kind, int id)
{
	struct kipc_handle_open open = { .id = id, .kind = kind, .flags = O_RDWR };

	return ioctl(device, KIPC_IOC_HANDLE_OPEN, &open);
}

/* Of a set and a queue; and an eventfd, which is not ready. */
static long handles(long arg)
{
	(void)arg;
	if (sem_get(KIPC_LIFETIME_PERSISTENT) < 0 || msg_get(KIPC_LIFETIME_PERSISTENT) < 0)
		return -1;
	s.on_sem = handle_of(KIPC_KIND_SEM, s.sem);
	s.on_msg = handle_of(KIPC_KIND_MSG, s.msg);
	s.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s.on_sem < 0 || s.on_msg < 0 ? -1 : s.event;
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

	return ioctl(device, KIPC_IOC_QUERY, &query);
}

static long limit(long which)
{
	struct kipc_limit limit = { .limit = which };

	if (ioctl(device, KIPC_IOC_LIMIT, &limit))
		return -1;
	limit.flags = KIPC_LIMIT_SET;
	return ioctl(device, KIPC_IOC_LIMIT, &limit);
}

static long process_cut(long arg)
{
	(void)arg;
	return ioctl(device, KIPC_IOC_PROCESS_CUT);
}

static long shm_detach(long arg)
{
	struct kipc_shm_detach detach = { .addr = (uintptr_t)s.addr + arg };

	return ioctl(device, KIPC_IOC_SHM_DETACH, &detach);
}

static long shm_ctl(long cmd)
{
	struct kipc_shm_ctl ctl = { .id = s.shm, .cmd = cmd, .buf = (uintptr_t)&s.ds };

	if (cmd == SHM_INFO || cmd == SHM_STAT || cmd == SHM_STAT_ANY)
		ctl.id &= KIPC_INDEX_MAX - 1;
	return ioctl(device, KIPC_IOC_SHM_CTL, &ctl);
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
	void *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
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

	return ioctl(device, KIPC_IOC_SEM_OP, &op);
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
	return ioctl(device, KIPC_IOC_SEM_OP, &op);
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

	return timed_out(ioctl(device, KIPC_IOC_SEM_OP, &op));
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
	return ioctl(device, KIPC_IOC_SEM_CTL, &ctl);
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
	return syscall(SYS_fadvise64, device, (long)s.msg, s.note, KIPC_CALL_MSG_SEND(0, size));
}

static long receive_short(long size)
{
	return syscall(SYS_fadvise64, device, (long)s.msg, s.note, KIPC_CALL_MSG_RECEIVE(0, size));
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
	return ioctl(device, KIPC_IOC_MSG_CTL, &ctl);
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
	int fd = ioctl(device, KIPC_IOC_HANDLE_CREATE, &create);

	return fd < 0 ? -1 : close(fd);
}

static long handle_notify(long arg)
{
	struct kipc_handle_notify notify = { .fd = s.event, .events = POLLIN };

	return ioctl(arg ? s.on_msg : s.on_sem, KIPC_IOC_HANDLE_NOTIFY, &notify);
}

static long handle_async(long arg)
{
	return fcntl(arg ? s.on_msg : s.on_sem, F_SETFL, O_ASYNC);
}

/*
 * For any of a call on a set, of as many operations that the copy is allocated, of a message
 * that is sent or received and of a descriptor; @first is the one that need not wait.
 */
enum { A_SEMOP, A_SEND, A_RECEIVE, A_DESCRIPTOR, NONE };

static long wait_any(long first)
{
	struct kipc_msg_op send = {
		.id = KIPC_SELF, .msg = (uintptr_t)s.note, .size = BIG,
	}, receive = {
		.id = KIPC_SELF, .msg = (uintptr_t)&s.note[1], .size = BIG, .type = 9,
	};
	struct kipc_sem_op sem = { .id = KIPC_SELF, .nsops = 500, .sops = (uintptr_t)s.sops };
	struct kipc_any any[] = {
		{ .fd = s.on_sem, .call = KIPC_IOC_SEM_OP, .arg = (uintptr_t)&sem },
		{ .fd = s.on_msg, .call = KIPC_IOC_MSG_RECEIVE, .arg = (uintptr_t)&receive },
		{ .fd = s.event, .arg = POLLIN },
		{ .fd = s.on_msg, .call = KIPC_IOC_MSG_SEND, .arg = (uintptr_t)&send },
	};
	struct kipc_wait_any wait = {
		.any = (uintptr_t)any, .count = first == A_SEND ? 4 : 3,
		.timeout = (uintptr_t)&moment, .clock = CLOCK_MONOTONIC,
	};
	unsigned int i;
	long ret;

	for (i = 0; i < sem.nsops; i++)
		s.sops[i] = (struct sembuf){ i, first == A_SEMOP ? 1 : -1, 0 };
	receive.type = first == A_RECEIVE ? 1 : 9;
	any[2].arg = first == A_DESCRIPTOR ? POLLOUT : POLLIN;
	ret = ioctl(device, KIPC_IOC_WAIT_ANY, &wait);
	if (first == NONE)
		return timed_out(ret);
	if (ret >= 0 && any[ret].result < 0) {
		errno = -any[ret].result;
		return -1;
	}
	return ret;
}

static long handles_and_message(long size)
{
	return handles(0) < 0 ? -1 : send(size);
}

static long handle_open(long kind)
{
	int fd = handle_of(kind, kind == KIPC_KIND_SHM ? s.shm : kind == KIPC_KIND_SEM ? s.sem :
			   s.msg);

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

/* ---- The state ---- */

static void begin(void)
{
	int i;

	s = (struct scene){ .shm = -1, .sem = -1, .msg = -1, .messages = -1 };
	for (i = 0; i < BATCH; i++)
		s.note[i].type = 1 + i;
}

/* Of segments and queues, where times may change, what is not times, nor who was last. */
static void look(struct view *view, enum kept kept)
{
	struct shm_row segment;

	if (kept == ALL)
		return;
	if (s.shm >= 0 && shm_row_find(&ipc_kipc, s.shm, &segment) == 1)
		view_add(view, "segment: %o %lu, %lu times\n", segment.mode, segment.size,
			 segment.nattch);
	if (s.msg >= 0)
		view_add(view, "queue: %ld %ld\n", msg_qnum(&ipc_kipc, s.msg),
			 msg_cbytes(&ipc_kipc, s.msg));
}

static bool is_wrong(bool failed)
{
	long counted;

	if (!failed)
		return s.messages >= 0 && msg_qnum(&ipc_kipc, s.msg) != s.messages;
	counted = s.shm >= 0 ? shm_nattch(&ipc_kipc, s.shm) : -1;
	return counted >= 0 && counted != (long)attachments;
}

static void clear(void)
{
	const struct ipc *ipc = &ipc_kipc;

	ipc->shmctl(ipc->shmget(77, 0, 0), IPC_RMID, NULL);
	ipc->semctl(ipc->semget(77, 0, 0), 0, IPC_RMID);
	ipc->msgctl(ipc->msgget(77, 0), IPC_RMID, NULL);
}

static const struct stage stage = {
	.begin = begin, .look = look, .is_wrong = is_wrong, .clear = clear,
};

/* ---- All of them ---- */

FAIL_NTH(&stage)

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

ATTEMPT(handle_notify_sem, handles, 0, handle_notify, 0);
ATTEMPT(handle_notify_msg, handles, 0, handle_notify, 1);
ATTEMPT(handle_async_sem, handles, 0, handle_async, 0);
ATTEMPT(handle_async_msg, handles, 0, handle_async, 1);
ATTEMPT(any_semop, handles, 0, wait_any, A_SEMOP);
ATTEMPT(any_send, handles, 0, wait_any, A_SEND);
ATTEMPT(any_receive, handles_and_message, BIG, wait_any, A_RECEIVE, .kept = ALL_BUT_TIMES);
ATTEMPT(any_descriptor, handles, 0, wait_any, A_DESCRIPTOR);
ATTEMPT(any_sleep, handles, 0, wait_any, NONE);

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

FAULTS_FIXTURE(fail_exit, &stage)

static int leave(int nth)
{
	begin();
	if (faults_begin() || shm_get(KIPC_LIFETIME_CREATOR) < 0 || shm_attach(0) ||
	    msg_get(KIPC_LIFETIME_CREATOR) < 0 || mapped_with_undo(0) ||
	    sem_op_many(SEM_UNDO))
		return NOT_PREPARED;
	faults_inject(nth);
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

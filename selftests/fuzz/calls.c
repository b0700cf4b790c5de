// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the fuzzer: all of the ABI, and what processes do to what they have mapped.
 * A byte becomes an argument that is likely to mean something, or sometimes not at all.
 */
#include "args.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/ipc.h"

#define MAPS	8
#define LIMITS	(KIPC_LIMIT_MQ_MSGSIZE_DEFAULT + 1)

/* A process' own: what it has mapped. */
static struct {
	char *at;
	size_t size;
} maps[MAPS];
static unsigned int next_map;
static char *guarded;	/* a page; behind it is nothing */
static int device[2];	/* the second comes and goes */
static int forks;
static uint64_t limits[LIMITS];

__thread char buffer[ROOM] __attribute__((aligned(16)));
static __thread sigjmp_buf fault;
static __thread uint64_t state;

static uint64_t more(void)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 33;
}

/* ---- Arguments ---- */

static const uint64_t odd[] = {
	0, 16, 17, 63, 64, 100, 255, 256, 500, 512, 1000, 1023, 1024, 1025, 4000, 4095, 4096, 4097,
	8191, 8192, 8193, 16384, 32000, 32767, 32768, 65535, 65536, 1 << 20, 1 << 24, INT32_MAX,
	(uint64_t)INT32_MIN, (uint64_t)-1,
};

uint64_t number(uint8_t b)
{
	return b < 128 ? b & 15 : odd[b % (sizeof(odd) / sizeof(*odd))];
}

int id_of(int kind, uint8_t b)
{
	int id = shared->ids[kind][b % IDS];

	switch (b >> 3) {
	case 31:
		return number(b << 5);
	case 30:
		return id & (KIPC_INDEX_MAX - 1);	/* an index */
	case 29:
		return id + KIPC_INDEX_MAX;		/* the next sequence number */
	default:
		return id;
	}
}

int call(unsigned long nr, void *arg)
{
	return ioctl(device[0], nr, arg);
}

int device_fd(void)
{
	return device[0];
}

static void end_object(int kind, int id)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		call(KIPC_IOC_SHM_CTL, &(struct kipc_shm_ctl){ .id = id, .cmd = IPC_RMID });
		break;
	case KIPC_KIND_SEM:
		call(KIPC_IOC_SEM_CTL, &(struct kipc_sem_ctl){ .id = id, .cmd = IPC_RMID });
		break;
	default:
		call(KIPC_IOC_MSG_CTL, &(struct kipc_msg_ctl){ .id = id, .cmd = IPC_RMID });
	}
}

/* In the place of the one that was made longest ago, which ends. */
void made(int kind, int id)
{
	unsigned int n;
	int old;

	if (id < 0)
		return;
	n = __atomic_fetch_add(&shared->next[kind], 1, __ATOMIC_RELAXED);
	old = __atomic_exchange_n(&shared->ids[kind][n % IDS], id, __ATOMIC_RELAXED);
	if (n >= IDS && old != id)
		end_object(kind, old);
}

int key_of(uint8_t b)
{
	return b & 4 ? 1 + (b & 3) : IPC_PRIVATE;
}

static int get_flags(uint8_t b)
{
	static const int modes[] = { 0600, 0666, 0644, 0 };

	return modes[b & 3] | (b & 0x0c ? IPC_CREAT : 0) | (b & 0x30 ? 0 : IPC_EXCL) |
	       (b >= 0xf0 ? 07000 << (b & 3) * 3 : 0);
}

void keep_map(void *at, size_t size)
{
	unsigned int i = __atomic_fetch_add(&next_map, 1, __ATOMIC_RELAXED) % MAPS;

	/* They are not to become ever more; the address is another one's, perhaps. */
	if (maps[i].at && maps[i].at != at)
		munmap(maps[i].at, maps[i].size);
	maps[i].at = at;
	maps[i].size = size;
}

char *mapping(uint8_t b)
{
	return maps[b % MAPS].at;
}

/* Some place in a mapping, or NULL. */
static char *mapped(uint8_t b, uint8_t where)
{
	unsigned int i = b % MAPS;

	return maps[i].at ? maps[i].at + number(where) * 8 % (maps[i].size ?: 1) : NULL;
}

void *address(uint8_t b)
{
	switch (b & 31) {
	case 0:
		return NULL;
	case 1:
		return (void *)-4096;
	case 2:
		return guarded + PAGE - (b >> 5) * 4;
	case 3:
	case 4:
		return mapped(b >> 5, b);
	case 5:
		return (void *)1;
	default:
		return buffer;
	}
}

uint64_t timeout_of(uint8_t b, struct timespec *ts)
{
	static const struct timespec times[] = {
		{ 0, 0 }, { 0, 1 }, { 0, 1000000 }, { 0, 5000000 }, { 0, -1 }, { -1, 0 },
		{ 0, 1000000000 }, { INT64_MAX, 0 },
	};

	if (b & 1)
		return b == 255 ? 1 : 0;
	*ts = times[b >> 1 & 7];
	return (uintptr_t)ts;
}

uint32_t clock_of(uint8_t b)
{
	static const uint32_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, 99 };

	return clocks[b >> 4 & 3];
}

static void fill(uint8_t b)
{
	unsigned int i;

	for (i = 0; i < 64; i++)
		((uint64_t *)buffer)[i] = number(more() ^ b);
}

/* ---- Segments ---- */

static void shm_get(const uint8_t *a)
{
	struct kipc_shm_get get = {
		.key = key_of(a[0]), .flags = get_flags(a[1]), .size = number(a[2]) * 512,
		.lifetime = a[3] % 8 == 7 ? number(a[4]) : a[3] % 8 > 4 ? a[3] % 8u - 4 : 0, .pad = a[5] == 255,
	};

	if (a[4] > 0xf0)
		get.flags |= 04000 | (a[4] & 7) << 12;	/* huge pages and the like */
	made(KIPC_KIND_SHM, call(KIPC_IOC_SHM_GET, &get));
}

static void shm_attach(const uint8_t *a)
{
	struct kipc_shm_attach attach = {
		.id = id_of(KIPC_KIND_SHM, a[0]), .flags = (a[1] & 15) << 12,
		.addr = a[2] < 0xc0 ? 0 : (uintptr_t)mapped(a[3], a[4]),
	};

	if (!call(KIPC_IOC_SHM_ATTACH, a[5] == 255 ? guarded + PAGE - 4 : (char *)&attach))
		keep_map((void *)(uintptr_t)attach.addr, 4 * PAGE);
}

static void shm_detach(const uint8_t *a)
{
	struct kipc_shm_detach detach = {
		.addr = (uintptr_t)(a[1] < 0xe0 ? maps[a[0] % MAPS].at : mapped(a[0], a[1])),
	};

	call(KIPC_IOC_SHM_DETACH, &detach);
}

static void shm_ctl(const uint8_t *a)
{
	static const int cmds[] = {
		IPC_STAT, IPC_SET, IPC_RMID, SHM_LOCK, SHM_UNLOCK, SHM_STAT, SHM_STAT_ANY,
		SHM_INFO, IPC_INFO, 99,
	};
	struct kipc_shm_ctl ctl = {
		.id = id_of(KIPC_KIND_SHM, a[0]), .cmd = cmds[a[1] % 10],
		.buf = (uintptr_t)address(a[2]),
	};

	fill(a[3]);
	call(KIPC_IOC_SHM_CTL, &ctl);
}

/* ---- Sets ---- */

static void sem_get(const uint8_t *a)
{
	struct kipc_sem_get get = {
		.key = key_of(a[0]), .flags = get_flags(a[1]), .nsems = number(a[2]),
		.lifetime = a[3] % 8 == 7 ? number(a[4]) : a[3] % 8 > 4 ? a[3] % 8u - 4 : 0,
	};

	if (a[4] < 0xc0)
		get.nsems = 1 + (a[2] & 3);
	made(KIPC_KIND_SEM, call(KIPC_IOC_SEM_GET, &get));
}

static void sem_op(const uint8_t *a)
{
	static const int16_t by[] = { 0, 1, -1, 2, -2, 100, -100, INT16_MAX };
	struct sembuf *sops = (struct sembuf *)buffer;
	struct timespec ts;
	struct kipc_sem_op op = {
		.id = id_of(KIPC_KIND_SEM, a[0]), .nsops = a[1] < 0xc0 ? 1u + a[1] % 3 : number(a[1]),
		.sops = (uintptr_t)address(a[4] | 8), .timeout = timeout_of(a[5], &ts),
	};
	unsigned int i;

	for (i = 0; i < op.nsops && i < 600; i++)
		sops[i] = (struct sembuf){
			a[2] < 0xf0 ? more() & 3 : number(a[2]), by[more() & 7],
			(a[3] & 1 ? IPC_NOWAIT : 0) | (a[3] & 2 ? SEM_UNDO : 0),
		};
	if (op.timeout) {
		op.clock = clock_of(a[5]);
		op.flags = a[5] >> 6 & 3;
	}
	op.flags |= a[3] & 4 ? KIPC_SEM_OP_OWNER : 0;
	call(KIPC_IOC_SEM_OP, &op);
}

static void sem_ctl(const uint8_t *a)
{
	static const int cmds[] = {
		GETVAL, GETPID, GETNCNT, GETZCNT, SETVAL, SETALL, GETALL, IPC_STAT, IPC_SET,
		IPC_RMID, SEM_STAT, SEM_STAT_ANY, SEM_INFO, IPC_INFO, 99,
	};
	struct kipc_sem_ctl ctl = {
		.id = id_of(KIPC_KIND_SEM, a[0]), .num = a[1] < 0xe0 ? a[1] & 3 : number(a[1]),
		.cmd = cmds[a[2] % 15], .arg = (uintptr_t)address(a[3]), .pad = a[5] == 255,
	};

	fill(a[4]);
	if (ctl.cmd == SETVAL)
		ctl.arg = number(a[3]);
	call(KIPC_IOC_SEM_CTL, &ctl);
}

static void sem_map(const uint8_t *a)
{
	struct kipc_sem_map map = {
		.id = id_of(KIPC_KIND_SEM, a[0]),
		.flags = a[1] < 0xf0 ? a[1] & 1 : number(a[1]), .pad = a[2] == 255,
	};

	if (call(KIPC_IOC_SEM_MAP, &map))
		return;
	keep_map((void *)(uintptr_t)map.shared, PAGE);
	if (map.own)
		keep_map((void *)(uintptr_t)map.own, map.shared - map.own);
}

static void process_map(const uint8_t *a)
{
	struct kipc_process_map map = { .pad = a[0] == 255 };

	if (!call(KIPC_IOC_PROCESS_MAP, &map))
		keep_map((void *)(uintptr_t)(a[1] & 7 ? map.slots : map.clock), PAGE);
}

static void process_cut(const uint8_t *a)
{
	ioctl(device[0], KIPC_IOC_PROCESS_CUT | (a[0] == 255 ? 8 << 16 : 0), buffer);
}

/* ---- Queues ---- */

static void msg_get(const uint8_t *a)
{
	struct kipc_msg_get get = {
		.key = key_of(a[0]), .flags = get_flags(a[1]),
		.lifetime = a[3] % 8 == 7 ? number(a[4]) : a[3] % 8 > 4 ? a[3] % 8u - 4 : 0,
	};

	made(KIPC_KIND_MSG, call(KIPC_IOC_MSG_GET, &get));
}

static void msg_op(const uint8_t *a, bool sends)
{
	struct timespec ts;
	struct kipc_msg_vec vec[4];
	struct kipc_msg_op op = {
		.id = id_of(KIPC_KIND_MSG, a[0]), .size = number(a[1]),
		.msg = (uintptr_t)address(a[4] | 8), .timeout = timeout_of(a[5], &ts),
		.flags = (a[2] & 1 ? IPC_NOWAIT : 0) | (a[2] & 2 ? MSG_NOERROR : 0) |
			 (a[2] & 4 ? MSG_EXCEPT : 0) | ((a[2] & 0x18) == 0x18 ? MSG_COPY : 0),
	};
	unsigned int i;

	if (op.timeout) {
		op.clock = clock_of(a[5]);
		op.timeout_flags = a[5] >> 6 & 3;
	}
	if (sends)
		*(long *)buffer = a[3] < 0xf0 ? 1 + (a[3] & 3) : (long)number(a[3]);
	else
		op.type = a[3] < 0xf0 ? (a[3] & 7) - 3 : (long)number(a[3]);
	if ((a[2] & 0xe0) == 0xe0) {
		for (i = 0; i < 4; i++)
			vec[i] = (struct kipc_msg_vec){ op.msg, op.size };
		op.count = a[4] < 0xf0 ? 1u + (a[4] & 3) : number(a[4]);
		op.msg = (uintptr_t)vec;
		op.size = 0;
	}
	call(sends ? KIPC_IOC_MSG_SEND : KIPC_IOC_MSG_RECEIVE, &op);
}

static void msg_snd(const uint8_t *a)
{
	msg_op(a, true);
}

static void msg_rcv(const uint8_t *a)
{
	msg_op(a, false);
}

static void msg_ctl(const uint8_t *a)
{
	static const int cmds[] = {
		IPC_STAT, IPC_SET, IPC_RMID, MSG_STAT, MSG_STAT_ANY, MSG_INFO, IPC_INFO, 99,
	};
	struct kipc_msg_ctl ctl = {
		.id = id_of(KIPC_KIND_MSG, a[0]), .cmd = cmds[a[1] % 8],
		.buf = (uintptr_t)address(a[2]),
	};

	fill(a[3]);
	call(KIPC_IOC_MSG_CTL, &ctl);
}

/* ---- The device ---- */

static void query(const uint8_t *a)
{
	struct kipc_query query = { .pad = a[0] == 255 };

	call(KIPC_IOC_QUERY, &query);
}

static void limit(const uint8_t *a)
{
	struct kipc_limit limit = {
		.limit = a[0] % (LIMITS + 1), .flags = a[1] < 0xf0 ? a[1] & 1 : number(a[1]),
		.value = number(a[2]),
	};

	shared->limited = 1;
	call(KIPC_IOC_LIMIT, &limit);
}

/* Any number, any size, any contents. */
static void any_ioctl(const uint8_t *a)
{
	unsigned long nr = _IOC(a[1] & 3, KIPC_IOC_TYPE, a[0] & 0x7f, a[2] < 0xf0 ? a[2] & 0x7f : 8192);

	fill(a[3]);
	ioctl(device[a[5] == 255], nr, address(a[4]));
}

/* The short way in. */
static void short_call(const uint8_t *a)
{
	uint64_t id = (uint32_t)id_of(a[0] & 1 ? KIPC_KIND_SEM : KIPC_KIND_MSG, a[1]);
	uint64_t key = (uint64_t)get_flags(a[2]) << 32 | key_of(a[1]);
	int flags = (a[4] & 7) << 11;

	switch (a[0] & 15) {
	case 0:
		made(KIPC_KIND_SHM, syscall(SYS_fadvise64, device[0], key, number(a[3]) * 512,
					    KIPC_CALL_SHM_GET));
		break;
	case 1:
		made(KIPC_KIND_SEM, syscall(SYS_fadvise64, device[0], key, 1ul + (a[3] & 3),
					    KIPC_CALL_SEM_GET));
		break;
	case 2:
		made(KIPC_KIND_MSG, syscall(SYS_fadvise64, device[0], key, 0ul,
					    KIPC_CALL_MSG_GET));
		break;
	case 3:
	case 5:
		*(struct sembuf *)buffer = (struct sembuf){ a[2] & 3, a[3] % 5 - 2, a[5] << 11 };
		syscall(SYS_fadvise64, device[0], id | (a[4] < 0xf0 ? 1 : number(a[4])) << 32,
			address(a[5] | 8), KIPC_CALL_SEM_OP);
		break;
	case 7:
		syscall(SYS_fadvise64, device[0], id | number(a[2]) << 32,
			number(a[3]) << 32 | a[4] % 20, KIPC_CALL_SEM_CTL);
		break;
	case 4:
	case 6:
		*(long *)buffer = 1 + (a[2] & 3);
		syscall(SYS_fadvise64, device[0], id, address(a[5] | 8),
			KIPC_CALL_MSG_SEND(flags, number(a[3]) & KIPC_CALL_MSG_SIZE));
		break;
	case 8:
	case 10:
		syscall(SYS_fadvise64, device[0], id | (uint64_t)(a[2] & 7) << 32,
			address(a[5] | 8),
			KIPC_CALL_MSG_RECEIVE(flags, number(a[3]) & KIPC_CALL_MSG_SIZE));
		break;
	default:
		syscall(SYS_fadvise64, device[0], id, number(a[3]), 0x6b00 + (int)number(a[4]));
	}
}

static void open_device(const uint8_t *a)
{
	int fd = a[0] & 1 ? open(KIPC_DEVICE, a[0] & 2 ? O_RDWR : O_RDONLY) : dup(device[0]);

	if (fd >= 0)
		close(__atomic_exchange_n(&device[1], fd, __ATOMIC_RELAXED));
}

/* ---- Handles ---- */

int handle[HANDLES];
static int polled = -1;

void watch(int fd, bool ends, uint32_t events)
{
	struct epoll_event event = { .events = events };

	if (polled < 0)
		polled = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(polled, ends ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, fd, &event);
}

static void open_handle(const uint8_t *a)
{
	struct kipc_handle_open open = {
		.kind = a[0] & 3, .id = id_of(a[0] % 3, a[1]), .flags = (a[2] & 3) | O_NONBLOCK,
	};
	int *slot = &handle[a[5] % HANDLES];

	if (open.kind == KIPC_KIND_SEM) {
		open.num = a[3] & 3;
		open.op = -(a[4] % 3);
	} else if (open.kind == KIPC_KIND_MSG) {
		open.type = a[3] % 7 - 3;
		open.msgflg = a[4] & 1 ? MSG_EXCEPT : 0;
	}
	if (*slot)
		close(*slot);
	*slot = ioctl(device[0], KIPC_IOC_HANDLE_OPEN, &open);
	if (*slot < 0)
		*slot = 0;
}

static void create_handle(const uint8_t *a)
{
	static const uint64_t sizes[] = { 4096, 3, 0, 0 };
	struct kipc_handle_create create = {
		.kind = a[0] & 3, .flags = (a[2] & 3) | O_NONBLOCK, .mode = number(a[1]),
		.size = a[3] < 0xe0 ? sizes[a[0] & 3] : number(a[3]),
		.op = (a[0] & 3) == KIPC_KIND_SEM ? -(a[4] % 3) : 0,
	};
	int *slot = &handle[a[5] % HANDLES];

	if (*slot)
		close(*slot);
	*slot = ioctl(device[0], KIPC_IOC_HANDLE_CREATE, &create);
	if (*slot < 0)
		*slot = 0;
}

/* One that was never opened is 0, which is nothing of ours. */
static void use_handle(const uint8_t *a)
{
	struct kipc_msg_op msg = {
		.id = a[4] ? KIPC_SELF : 0, .flags = IPC_NOWAIT, .msg = (uintptr_t)address(a[2] | 8),
		.size = a[3],
	};
	struct sembuf sop = { a[2] & 3, a[3] % 5 - 2, IPC_NOWAIT | (a[5] & 1 ? SEM_UNDO : 0) };
	struct kipc_sem_op sem = { .id = KIPC_SELF, .nsops = 1, .sops = (uintptr_t)&sop };
	struct epoll_event event;
	struct kipc_handle_notify notify = { .events = a[3] >= 0x40 ? a[2] & 5 : number(a[2]) & 4 };
	int fd = handle[a[1] % HANDLES];
	void *mapped;

	if (!fd)
		return;
	switch (a[0] % 10) {
	case 0:
		read(fd, address(a[2]), number(a[3]));
		break;
	case 1:
		*(int64_t *)buffer = 1 + (a[3] & 3);
		write(fd, address(a[2] | 8), a[4] & 0x7f);
		break;
	case 2:
		ioctl(fd, KIPC_IOC_SEM_OP, &sem);
		break;
	case 3:
		ioctl(fd, a[5] & 1 ? KIPC_IOC_MSG_SEND : KIPC_IOC_MSG_RECEIVE, &msg);
		break;
	case 4:
		watch(fd, a[3] & 2, EPOLLIN | EPOLLOUT | (a[3] & 1 ? EPOLLET : 0));
		break;
	case 5:
		epoll_wait(polled, &event, 1, 0);
		break;
	case 6:
		mapped = mmap(NULL, 4096, a[3] & 3, MAP_SHARED, fd, 0);
		if (mapped != MAP_FAILED)
			munmap(mapped, 4096);
		break;
	case 7:
		notify.fd = a[3] < 0x40 ? -1 : a[3] < 0xf0 ? eventfd(0, EFD_NONBLOCK) : fd;
		ioctl(fd, KIPC_IOC_HANDLE_NOTIFY, &notify);
		if (notify.fd >= 0 && notify.fd != fd)
			close(notify.fd);
		break;
	case 8:
		fcntl(fd, F_SETFL, O_NONBLOCK | (a[3] & 1 ? O_ASYNC : 0));
		break;
	default:
		close(fd);
		handle[a[1] % HANDLES] = 0;
	}
}

/* Of a call on each of some handles, and one of them to be ready. */
static void wait_any(const uint8_t *a)
{
	static const uint32_t nrs[] = {
		KIPC_IOC_SEM_OP, KIPC_IOC_MSG_SEND, KIPC_IOC_MSG_RECEIVE, 0,
	};
	struct sembuf sop = { a[2] & 3, a[3] % 5 - 2, a[4] & 1 ? SEM_UNDO : 0 };
	struct kipc_sem_op sem = { .id = KIPC_SELF, .nsops = 1, .sops = (uintptr_t)&sop };
	struct kipc_msg_op msg = {
		.id = KIPC_SELF, .msg = (uintptr_t)address(a[2] | 8), .size = a[3],
	};
	struct kipc_any any[4];
	struct timespec ts = { .tv_nsec = 5000000 };
	struct kipc_wait_any wait = {
		.any = a[4] < 0xf8 ? (uintptr_t)any : (uintptr_t)address(a[3]),
		.count = a[4] < 0xf0 ? 1u + (a[4] >> 1 & 3) : number(a[4]),
		.timeout = a[5] < 0x80 ? (uintptr_t)&ts : timeout_of(a[5], &ts),
	};
	unsigned int i, which;

	if (wait.timeout) {
		wait.clock = clock_of(a[5]);
		wait.flags = a[5] >> 6 & 1;
	}
	*(int64_t *)buffer = 1 + (a[3] & 3);
	for (i = 0; i < 4; i++) {
		which = a[1] >> 2 * i & 3;
		any[i] = (struct kipc_any){
			.fd = handle[(a[0] + i) % HANDLES], .call = nrs[which],
			.arg = which == 0 ? (uintptr_t)&sem : which < 3 ? (uintptr_t)&msg : a[2] & 5,
		};
	}
	ioctl(a[0] & 0x80 ? handle[a[0] % HANDLES] : device[0], KIPC_IOC_WAIT_ANY, &wait);
}

static void listing(const uint8_t *a)
{
	static const char *const names[] = {
		"shm", "sem", "msg", "queues", "waiters", "objects", "ids", "sys/sem",
		"sys/shmmni", "sys/msgmni", "sys/shm_rmid_forced", "sys/shm_next_id", "names",
		"sys/queues_max",
	};
	char path[40], text[24];
	int fd, len;

	snprintf(path, sizeof(path), "/proc/kipc/%s", names[a[0] % (sizeof(names) / sizeof(*names))]);
	fd = open(path, (a[1] & 3) == 3 ? O_RDWR : O_RDONLY);
	if (fd < 0)
		return;
	if ((a[1] & 3) == 3) {
		shared->limited = 1;
		len = snprintf(text, sizeof(text), "%lld\t%d", (long long)number(a[2]), a[3]);
		if (write(fd, text, a[4] & 1 ? len : a[4] % len) < 0)
			errno = 0;
	}
	if (pread(fd, address(a[2] | 8), 1 + number(a[3]) % ROOM, number(a[4])) < 0)
		errno = 0;
	close(fd);
}

/* ---- Mappings ---- */

static void map_device(const uint8_t *a)
{
	static const uint64_t others[] = { KIPC_MMAP_SLOTS, KIPC_MMAP_CLOCK, 0, 1ull << 60 };
	int kind = a[0] % 4;
	size_t size = (a[2] & 7) * PAGE;
	uint64_t offset = kind < KIPC_KINDS ? KIPC_MMAP_OFFSET(kind, id_of(kind, a[1])) :
			  others[a[1] & 3];
	void *at = mmap(NULL, size, a[3] & 7, a[4] & 15 ? MAP_SHARED : MAP_PRIVATE,
			device[a[5] > 0xf0], offset + (a[4] > 0xf0 ? PAGE : 0));

	if (at != MAP_FAILED)
		keep_map(at, size);
}

static void unmap(const uint8_t *a)
{
	char *at = maps[a[0] % MAPS].at;

	if (at)
		munmap(at + (a[1] & 3) * PAGE, (a[2] & 3) * PAGE);
}

static void remap(const uint8_t *a)
{
	char *at = maps[a[0] % MAPS].at, *to;

	if (!at)
		return;
	to = mremap(at, (a[1] & 3) * PAGE, (a[2] & 7) * PAGE, a[3] & MREMAP_MAYMOVE);
	if (to != MAP_FAILED)
		keep_map(to, (a[2] & 7) * PAGE);
}

static void protect(const uint8_t *a)
{
	static const int advice[] = { MADV_DONTNEED, MADV_WILLNEED, MADV_REMOVE, MADV_DONTFORK,
				      MADV_DOFORK, MADV_PAGEOUT, MADV_COLD, MADV_HUGEPAGE };
	char *at = maps[a[0] % MAPS].at;

	if (!at)
		return;
	if (a[3] & 1)
		mprotect(at + (a[1] & 3) * PAGE, (a[2] & 3) * PAGE, a[4] & 7);
	else
		madvise(at + (a[1] & 3) * PAGE, (a[2] & 3) * PAGE, advice[a[4] & 7]);
}

/* Words as they may stand there, and others. */
static void scribble(const uint8_t *a)
{
	volatile uint64_t *word = (uint64_t *)mapped(a[0], a[1]);

	if (!word)
		return;
	switch (a[2] & 3) {
	case 0:
		*word = number(a[3]);
		break;
	case 1:
		*word = KIPC_INTENT(a[3] & 3, 1 + (a[4] & 1), a[5] & 3, number(a[4]));
		break;
	case 2:
		*word ^= 1ull << (a[3] & 63);
		break;
	default:
		*(volatile uint8_t *)word = a[3];
	}
}

static void look(const uint8_t *a)
{
	volatile uint64_t *word = (uint64_t *)mapped(a[0], a[1]);

	if (word)
		(void)*word;
}

/* ---- Processes ---- */

/* A child goes on with the steps of its parent; a few at most. */
static void do_fork(const uint8_t *a)
{
	(void)a;
	if (forks < 2 && !fork()) {
		forks++;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
}

static void exec(const uint8_t *a)
{
	char *const argv[] = { "fuzz", a[0] & 1 ? "exec-map" : "exec", NULL };

	if (a[1] > 0xf0)
		execv("/proc/self/exe", argv);
}

static void do_kill(const uint8_t *a)
{
	static const int signals[] = { SIGUSR1, SIGUSR1, SIGSTOP, SIGCONT };

	kill(shared->pid[a[1] % PROCESSES], a[0] > 0xf8 ? SIGKILL : signals[a[2] & 3]);
}

static void leave(const uint8_t *a)
{
	if (a[0] > 0xf0)
		syscall(a[1] & 1 ? SYS_exit : SYS_exit_group, 0);
}

static void become(const uint8_t *a)
{
	static const uid_t users[] = { 0, 0, 1000, 1001 };	/* for a while: the real one stays */

	syscall(SYS_setresuid, -1, users[a[0] & 3], -1);
}

static void leave_namespace(const uint8_t *a)
{
	if (a[0] > 0xf8)
		syscall(SYS_unshare, CLONE_NEWIPC);
}

static void yield(const uint8_t *a)
{
	int i;

	for (i = a[0] & 15; i >= 0; i--)
		sched_yield();
}

#define CALL(name) { #name, name }

/* What makes objects comes more than once. */
static const struct {
	const char *name;
	void (*make)(const uint8_t *a);
} calls[] = {
	CALL(shm_get), CALL(shm_get), CALL(shm_attach), CALL(shm_attach), CALL(shm_detach),
	CALL(shm_ctl), CALL(sem_get), CALL(sem_get), CALL(sem_op), CALL(sem_op), CALL(sem_ctl),
	CALL(sem_map), CALL(sem_map), CALL(process_map), CALL(process_cut), CALL(msg_get),
	CALL(msg_get), CALL(msg_snd), CALL(msg_snd), CALL(msg_rcv), CALL(msg_rcv),
	CALL(msg_ctl), CALL(open_handle), CALL(open_handle), CALL(create_handle),
	CALL(use_handle), CALL(use_handle), CALL(use_handle), CALL(wait_any), CALL(query),
	CALL(limit), CALL(any_ioctl), CALL(short_call), CALL(short_call), CALL(open_device),
	CALL(listing), CALL(map_device), CALL(unmap), CALL(remap), CALL(protect), CALL(scribble),
	CALL(scribble), CALL(look), CALL(do_fork), CALL(exec), CALL(do_kill), CALL(leave),
	CALL(become), CALL(leave_namespace), CALL(yield), CALL(name_open), CALL(name_open),
	CALL(name_open), CALL(name_unlink), CALL(use_named), CALL(use_named), CALL(use_named),
	CALL(posix_sem_op), CALL(posix_sem_op), CALL(posix_sem_op), CALL(posix_sem_word),
	CALL(mq_op), CALL(mq_op), CALL(mq_op), CALL(mq_more), CALL(shm_memfd), CALL(publish),
};

#define CALLS	(sizeof(calls) / sizeof(*calls))

const char *calls_name(const struct step *step)
{
	return calls[step->call % CALLS].name;
}

uint8_t calls_number(const char *name)
{
	unsigned int i = 0;

	while (strcmp(calls[i].name, name))
		i++;
	return i;
}

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(fault, 1);
}

static void on_signal(int sig)
{
	(void)sig;
}

void calls_init_process(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct kipc_limit limit = { .limit = 0 };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	/* Without SA_RESTART: calls that sleep are interrupted. */
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	signal(SIGCHLD, SIG_IGN);
	device[0] = open(KIPC_DEVICE, O_RDWR);
	device[1] = -1;
	guarded = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(guarded + PAGE, PAGE);
	for (limit.limit = 0; limit.limit < LIMITS; limit.limit++) {
		call(KIPC_IOC_LIMIT, &limit);
		limits[limit.limit] = limit.value;
	}
}

/* What the last input has done to the limits would be felt for ever. */
void calls_begin(void)
{
	struct kipc_limit limit = { .flags = KIPC_LIMIT_SET };

	become((const uint8_t[]){ 0 });
	if (!shared->limited)
		return;
	shared->limited = 0;
	for (limit.limit = 0; limit.limit < LIMITS; limit.limit++) {
		limit.value = limits[limit.limit];
		call(KIPC_IOC_LIMIT, &limit);
	}
}

void calls_init_thread(void)
{
	memset(buffer, 0x41, sizeof(buffer));
}

void calls_make(const struct step *step)
{
	memcpy(&state, step, sizeof(state));
	if (!sigsetjmp(fault, 0))
		calls[step->call % CALLS].make(step->a);
	__atomic_fetch_add(&shared->made, 1, __ATOMIC_RELAXED);
}

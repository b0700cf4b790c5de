// SPDX-License-Identifier: GPL-2.0
/* The fuzzer's calls on objects with names, on memfds, and what gives an object its key. */
#include "args.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/ipc.h"

/* Descriptors by name; 0: none. */
static int named[HANDLES];

static void keep_named(uint8_t slot, int fd)
{
	int old = __atomic_exchange_n(&named[slot % HANDLES], fd < 0 ? 0 : fd, __ATOMIC_RELAXED);

	if (old)
		close(old);
}

static uint64_t name_of(uint8_t b)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	if (b < 0xf0)
		return (uintptr_t)names[b & 3];
	if (b < 0xf4)
		return (uintptr_t)(b & 1 ? "" : "a/b");
	if (b < 0xf8) {
		memset(buffer, 'n', 300);
		buffer[b & 1 ? 255 : 256] = 0;
		return (uintptr_t)buffer;
	}
	return (uintptr_t)address(b);
}

static uint32_t kind_of(uint8_t b)
{
	return b < 0xf8 ? KIPC_KIND_POSIX_SHM + b % 4 : b & 7;
}

void name_open(const uint8_t *a)
{
	static const int rights[] = { O_RDWR, O_RDONLY, O_WRONLY, O_RDWR };
	struct kipc_name_open open = {
		.name = name_of(a[1]), .kind = kind_of(a[0]), .mode = a[4] & 1 ? 0666 : 0600,
		.flags = rights[a[2] & 3] | (a[2] & 0x0c ? O_CREAT : 0) |
			 ((a[2] & 0x30) == 0x30 ? O_EXCL : 0) |
			 ((a[2] & 0xc0) == 0xc0 ? O_TRUNC : 0) | (a[5] < 0xe0 ? O_NONBLOCK : 0),
		.size = number(a[3]), .lifetime = a[4] == 255, .serial = a[4] == 254,
	};

	if (open.kind == KIPC_KIND_POSIX_SHM)
		open.size *= 512;
	else if (open.kind == KIPC_KIND_POSIX_MQ && a[4] < 0xe0)
		open.msgsize = a[4] & 2 ? 64 : number(a[4]);
	else if (open.kind == KIPC_KIND_STREAM && a[4] & 2)
		open.lifetime = KIPC_LIFETIME_USERS;
	if (open.kind != KIPC_KIND_POSIX_SHM && a[4] < 0xf0)
		open.flags &= ~O_TRUNC;
	keep_named(a[5], call(KIPC_IOC_NAME_OPEN, &open));
}

void name_unlink(const uint8_t *a)
{
	struct kipc_name_unlink unlink = {
		.name = name_of(a[1]), .kind = kind_of(a[0]), .pad = a[2] == 255,
	};

	call(KIPC_IOC_NAME_UNLINK, &unlink);
}

/* What any descriptor takes, and a segment's. */
void use_named(const uint8_t *a)
{
	static const int seals[] = { F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_SEAL };
	struct kipc_handle_notify notify = { .events = a[3] & 5 };
	int fd = named[a[1] % HANDLES];
	size_t size = 4096u << (a[3] & 1);
	struct stat st;
	void *at;

	if (!fd)
		return;
	switch (a[0] % 14) {
	case 0:
	case 1:
	case 2:
		at = mmap(NULL, size, a[2] & 0x0c ? PROT_READ | PROT_WRITE : a[2] & 3,
			  a[4] & 15 ? MAP_SHARED : MAP_PRIVATE, fd, a[4] > 0xf0 ? 4096 : 0);
		if (at != MAP_FAILED)
			keep_map(at, size);
		break;
	case 3:
		if (read(fd, address(a[2]), a[3] & 15 ? 8 : number(a[4])) < 0)
			errno = 0;
		break;
	case 4:
		*(uint64_t *)buffer = number(a[3]);
		if (write(fd, address(a[2] | 8), a[4] & 15 ? 8 : number(a[4])) < 0)
			errno = 0;
		break;
	case 5:
	case 6:
		watch(fd, a[3] & 2, EPOLLIN | EPOLLOUT | (a[3] & 1 ? EPOLLET : 0));
		break;
	case 7:
		fcntl(fd, F_SETFL, (a[3] & 2 ? 0 : O_NONBLOCK) | (a[3] & 1 ? O_ASYNC : 0));
		break;
	case 8:
		notify.fd = a[3] < 0x40 ? -1 : eventfd(0, EFD_NONBLOCK);
		ioctl(fd, KIPC_IOC_HANDLE_NOTIFY, &notify);
		if (notify.fd >= 0)
			close(notify.fd);
		break;
	case 9:
		if (ftruncate(fd, number(a[3]) * 512))
			errno = 0;
		break;
	case 10:
		fchmod(fd, a[3] & 1 ? 0600 : 0644);
		if (fchown(fd, a[4] & 1 ? 1000 : 0, -1))
			errno = 0;
		break;
	case 11:
		fcntl(fd, F_ADD_SEALS, seals[a[3] & 3]);
		break;
	case 12:
		fstat(fd, &st);
		ioctl(fd, (unsigned int[]){ KIPC_IOC_SEM_OP, KIPC_IOC_MSG_SEND, KIPC_IOC_WAIT_ANY,
					    KIPC_IOC_SHM_EXPORT }[a[3] & 3], address(a[4]));
		break;
	default:
		keep_named(a[1], 0);
	}
}

/* ---- Semaphores ---- */

void posix_sem_op(const uint8_t *a)
{
	struct timespec ts;
	struct kipc_posix_sem_op op = {
		.addr = (uintptr_t)mapping(a[0]) + (a[1] > 0xf0 ? a[1] & 15 : 0),
		.op = a[2] < 0xf8 ? a[2] % 3 : number(a[2]), .taken = a[4] == 255,
	};

	if (a[4] & 1) {
		syscall(SYS_fadvise64, device_fd(), op.addr, op.op, KIPC_CALL_POSIX_SEM_OP);
		return;
	}
	op.timeout = timeout_of(a[3], &ts);
	if (op.timeout) {
		op.clock = clock_of(a[3]);
		op.flags = a[3] >> 6 & 3;
	}
	call(KIPC_IOC_POSIX_SEM_OP, &op);
}

/* Its word, as others are not to write it. */
void posix_sem_word(const uint8_t *a)
{
	volatile uint32_t *word = (uint32_t *)mapping(a[0]);

	if (!word)
		return;
	switch (a[1] & 3) {
	case 0:
		*word = number(a[2]);
		break;
	case 1:
		*word = KIPC_POSIX_SEM_HELD | number(a[2]);
		break;
	case 2:
		*word = KIPC_POSIX_SEM_VALUE - (a[2] & 3);
		break;
	default:
		*word ^= KIPC_POSIX_SEM_HELD;
	}
}

/* ---- Queues ---- */

void mq_op(const uint8_t *a)
{
	struct timespec ts;
	struct kipc_mq_op op = {
		.msg = (uintptr_t)address(a[2] | 8), .size = a[3] < 0xc0 ? a[3] & 63 : number(a[3]),
		.priority = number(a[4]), .pad = a[4] == 255,
	};
	bool sends = a[0] & 1;
	int fd = named[a[1] % HANDLES];

	if (!fd)
		return;
	/* As much room as most queues ask for. */
	if (!sends && a[3] < 0xc0)
		op.size = 64;
	if (a[0] & 2) {
		syscall(SYS_fadvise64, fd, sends ? op.priority << 32 | op.size : op.size, op.msg,
			sends ? KIPC_CALL_MQ_SEND : KIPC_CALL_MQ_RECEIVE);
		return;
	}
	if (!sends)
		op.priority = a[4] & 1 ? (uintptr_t)address(a[4]) : 0;
	op.timeout = timeout_of(a[5], &ts);
	if (op.timeout) {
		op.clock = clock_of(a[5]);
		op.flags = a[5] >> 6 & 3;
	}
	ioctl(fd, sends ? KIPC_IOC_MQ_SEND : KIPC_IOC_MQ_RECEIVE, &op);
}

void mq_more(const uint8_t *a)
{
	struct kipc_mq_attr attr = {
		.set = a[2] & 1, .flags = a[2] & 2 ? O_NONBLOCK : 0, .maxmsg = a[2] > 0xf8,
	};
	struct kipc_mq_notify notify = {
		.how = a[2] < 0xf8 ? a[2] & 3 : number(a[2]), .value = number(a[4]),
		.signal = a[3] < 0xf0 ? (a[3] & 1 ? SIGUSR1 : 0) : number(a[3]),
	};
	int fd = named[a[1] % HANDLES], told;

	if (!fd)
		return;
	if (a[0] & 1) {
		ioctl(fd, KIPC_IOC_MQ_ATTR, &attr);
		return;
	}
	if (notify.how != KIPC_MQ_NOTIFY_SIGNAL && a[4] < 0xf0)
		notify.signal = notify.value = 0;
	told = ioctl(fd, KIPC_IOC_MQ_NOTIFY, &notify);
	/* It is read, watched and closed as what has a name. */
	if (notify.how == KIPC_MQ_NOTIFY_FD && told > 0)
		keep_named(a[5], told);
}

/* ---- Memory, and keys ---- */

void shm_memfd(const uint8_t *a)
{
	static const int seals[] = { F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW, 0,
				     F_SEAL_SHRINK | F_SEAL_WRITE };
	struct kipc_shm_adopt adopt = {
		.key = key_of(a[2]), .flags = a[3] < 0xf0 ? 0600 : number(a[3]),
		.lifetime = a[4] % 8 > 4 ? a[4] % 8u - 4 : 0,
	};
	struct kipc_name_adopt name = {
		.name = name_of(a[2]), .mode = a[3] & 1 ? 0666 : 0600, .flags = a[3] == 255,
	};
	struct kipc_shm_export export = {
		.id = id_of(KIPC_KIND_SHM, a[1]), .flags = a[2] < 0xf0 ? (a[2] & 1) * O_RDWR : a[2],
	};

	if (a[0] & 1) {
		keep_named(a[5], call(KIPC_IOC_SHM_EXPORT, &export));
		return;
	}
	adopt.fd = a[1] < 0x40 ? named[a[1] % HANDLES] : memfd_create("fuzz", MFD_ALLOW_SEALING);
	if (a[1] >= 0x40) {
		if (ftruncate(adopt.fd, number(a[5]) * 512))
			errno = 0;
		fcntl(adopt.fd, F_ADD_SEALS, seals[a[1] & 3]);
	}
	if (a[0] & 2) {
		name.fd = adopt.fd;
		call(KIPC_IOC_NAME_ADOPT, &name);
	} else {
		made(KIPC_KIND_SHM, call(KIPC_IOC_SHM_ADOPT, &adopt));
	}
	if (a[1] >= 0x40)
		close(adopt.fd);
}

void publish(const uint8_t *a)
{
	struct kipc_handle_publish publish = {
		.key = key_of(a[1] | (a[1] < 0xf0 ? 4 : 0)),
		.lifetime = a[2] < 0xf0 ? a[2] & 2 : a[2],
	};
	int fd = handle[a[0] % HANDLES];

	if (fd)
		ioctl(fd, KIPC_IOC_HANDLE_PUBLISH, &publish);
}

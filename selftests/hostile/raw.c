// SPDX-License-Identifier: GPL-2.0
#include "raw.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int raw_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);
	return fd;
}

int raw_semop(int id, struct sembuf *sops, unsigned int nsops)
{
	struct kipc_sem_op op = { .id = id, .nsops = nsops, .sops = (uintptr_t)sops };

	return ioctl(raw_fd(), KIPC_IOC_SEM_OP, &op);
}

int raw_semop1(int id, int num, int op, int flags)
{
	struct sembuf sop = { num, op, flags };

	return raw_semop(id, &sop, 1);
}

int raw_semctl(int id, int num, int cmd, unsigned long arg)
{
	struct kipc_sem_ctl ctl = { .id = id, .num = num, .cmd = cmd, .arg = arg };

	return ioctl(raw_fd(), KIPC_IOC_SEM_CTL, &ctl);
}

int raw_new_set(const unsigned short *values, int nsems)
{
	struct kipc_sem_get get = { .key = IPC_PRIVATE, .flags = 0600, .nsems = nsems };
	int id = ioctl(raw_fd(), KIPC_IOC_SEM_GET, &get);

	return id < 0 || raw_semctl(id, 0, SETALL, (uintptr_t)values) ? -1 : id;
}

int raw_set_mode(int id, unsigned int mode)
{
	struct semid_ds ds;

	if (raw_semctl(id, 0, IPC_STAT, (uintptr_t)&ds))
		return -1;
	ds.sem_perm.mode = mode;
	return raw_semctl(id, 0, IPC_SET, (uintptr_t)&ds);
}

int raw_map_process(struct raw_process *process)
{
	struct kipc_process_map map = { .pad = 0 };

	if (ioctl(raw_fd(), KIPC_IOC_PROCESS_MAP, &map))
		return -1;
	process->token = map.token;
	process->slots = (void *)map.slots;
	process->clock = (void *)map.clock;
	return 0;
}

static size_t in_pages(size_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

size_t raw_own_size(unsigned int nsems)
{
	return in_pages(sizeof(struct kipc_sem_private) + nsems * sizeof(struct kipc_sem_adjust));
}

size_t raw_shared_size(unsigned int nsems)
{
	return in_pages(sizeof(struct kipc_sem_shared) + nsems * sizeof(struct kipc_sem_cell));
}

int raw_map_set(struct raw_view *view, int id, unsigned int flags)
{
	struct kipc_sem_map map = { .id = id, .flags = flags };

	if (ioctl(raw_fd(), KIPC_IOC_SEM_MAP, &map))
		return -1;
	view->id = id;
	view->nsems = map.nsems;
	view->own = (void *)map.own;
	view->shared = (void *)map.shared;
	view->index = map.own ? view->own->map : 0;
	view->start = map.own ? (void *)map.own : (void *)map.shared;
	view->size = raw_shared_size(map.nsems) + (map.own ? raw_own_size(map.nsems) : 0);
	return 0;
}

int raw_unmap_set(struct raw_view *view)
{
	return munmap(view->start, view->size);
}

int raw_operate(const struct raw_process *process, const struct raw_view *view, int num, int op)
{
	uint64_t intent = KIPC_INTENT(KIPC_INTENT_PENDING, view->index, num, -op);
	struct kipc_sem_cell *cell = &view->shared->cells[num];
	__u64 *slot = &process->slots[1].intent;
	__u64 word, next;
	int *fast = &view->own->adjust[num].fast, change;

	do {
		word = __atomic_load_n(&cell->word, __ATOMIC_ACQUIRE);
		next = (word & KIPC_SEM_VALUE) + op;
		if (__atomic_load_n(&view->shared->state, __ATOMIC_ACQUIRE) || next > SEMVMX ||
		    word & (KIPC_SEM_FLAGS | KIPC_SEM_SLOT)) {
			errno = EAGAIN;
			return -1;
		}
		__atomic_store_n(&view->own->used, 1, __ATOMIC_RELAXED);
		__atomic_store_n(slot, intent, __ATOMIC_RELEASE);
		next |= 1ull << KIPC_SEM_SLOT_SHIFT |
			(uint64_t)process->token << KIPC_SEM_TOKEN_SHIFT;
	} while (!__atomic_compare_exchange_n(&cell->word, &word, next, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	change = __atomic_load_n(fast, __ATOMIC_RELAXED) - op;
	__atomic_store_n(slot, KIPC_INTENT(KIPC_INTENT_COMPUTED, view->index, num, change),
			 __ATOMIC_RELEASE);
	__atomic_store_n(fast, change, __ATOMIC_RELEASE);
	__atomic_store_n((uint8_t *)&cell->word + KIPC_SEM_SLOT_SHIFT / 8, 0, __ATOMIC_RELEASE);
	__atomic_store_n(slot, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&cell->time, process->clock->seconds, __ATOMIC_RELAXED);
	return 0;
}

static void fill(void *start, size_t size, uint64_t word)
{
	volatile uint64_t *p = start;
	size_t i;

	for (i = 0; i < size / sizeof(*p); i++)
		p[i] = word;
}

void raw_fill(const struct raw_process *process, const struct raw_view *view, uint64_t word)
{
	fill(view->start, view->size, word);
	if (process)
		fill(process->slots, PAGE, word);
}

int raw_read_listings(void)
{
	static const char *const names[] = {
		"shm", "sem", "msg", "queues", "waiters", "objects", "ids",
	};
	char path[64], buf[4096];
	unsigned int i;
	ssize_t n;
	int fd;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "/proc/kipc/%s", names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			;
		close(fd);
		if (n)
			return -1;
	}
	return i;
}

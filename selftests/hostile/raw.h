/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets of kipc past the library: its calls as they are, and what they map.  For processes
 * that do with it as they like.
 */
#ifndef KIPC_SELFTESTS_RAW_H
#define KIPC_SELFTESTS_RAW_H

#include <stddef.h>
#include <stdint.h>

#include <linux/kipc.h>

#include "common/ipc.h"

/**
 * struct raw_process - a process' record, mapped
 * @token: as the kernel gave it
 */
struct raw_process {
	uint32_t token;
	struct kipc_process_slot *slots;
	const struct kipc_clock *clock;
};

/**
 * struct raw_view - a set, mapped
 * @index: what names it in intents; what stands in @own may be scribbled over
 * @own: the process' own part, before @shared in one mapping; NULL: to look only
 * @size: of the mapping, which starts at @start
 */
struct raw_view {
	int id;
	unsigned int nsems;
	uint32_t index;
	struct kipc_sem_private *own;
	struct kipc_sem_shared *shared;
	void *start;
	size_t size;
};

/* A descriptor of the device, one for all that are forked later. */
int raw_fd(void);

/* Always by system call. */
int raw_semop(int id, struct sembuf *sops, unsigned int nsops);
int raw_semop1(int id, int num, int op, int flags);
int raw_semctl(int id, int num, int cmd, unsigned long arg);

static inline int raw_val(int id, int num)
{
	return raw_semctl(id, num, GETVAL, 0);
}

/* A new private set with these values, or -1. */
int raw_new_set(const unsigned short *values, int nsems);
int raw_set_mode(int id, unsigned int mode);

int raw_map_process(struct raw_process *process);
int raw_map_set(struct raw_view *view, int id, unsigned int flags);
int raw_unmap_set(struct raw_view *view);
size_t raw_own_size(unsigned int nsems);
size_t raw_shared_size(unsigned int nsems);

/*
 * One honest operation with SEM_UNDO, as Documentation/fast_path.rst has it, in slot 1.
 * Return: 0, or -1 and EAGAIN: it is for the kernel.
 */
int raw_operate(const struct raw_process *process, const struct raw_view *view, int num, int op);

/* All of the mapping, and of the process' slots if @process is not NULL. */
void raw_fill(const struct raw_process *process, const struct raw_view *view, uint64_t word);

/* Read all of /proc/kipc.  Return: how many files, or -1. */
int raw_read_listings(void);

#endif /* KIPC_SELFTESTS_RAW_H */

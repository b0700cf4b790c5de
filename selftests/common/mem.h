/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells about memory and mappings. */
#ifndef KIPC_SELFTESTS_MEM_H
#define KIPC_SELFTESTS_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of /proc/kpageflags. */
#define KPF_UNEVICTABLE	18

/* A field of /proc/meminfo in kB, or -1. */
long meminfo(const char *field);

/* The number in a one-line file, or -1. */
long read_number(const char *path);
int write_text(const char *path, const char *text);

/* A field of the mapping that holds @addr in /proc/self/smaps, in kB, or -1. */
long smaps(const void *addr, const char *field);

/**
 * struct mapping - the line of /proc/self/maps that holds an address
 */
struct mapping {
	unsigned long start, end, offset, inode;
	char perms[8], dev[16], name[128];
};

/* Return: 0, or -1 when nothing is mapped there. */
int mapping_of(const void *addr, struct mapping *m);

/*
 * Addresses that the kernel must not follow, by number from 0; the last one is good for
 * BAD_ADDRESS_ROOM bytes.  Return: one, or MAP_FAILED when there are no more.
 */
#define BAD_ADDRESS_ROOM	16
void *bad_address(unsigned int which);

/* The flags of the page at @addr (which must be present), or 0. */
uint64_t page_flags(const void *addr);

/*
 * Have freshly touched pages put on their list: they wait in a batch of their CPU
 * until then.  The caller stays on one CPU.
 */
void stay_on_cpu(void);
void lru_drain(void);

#endif /* KIPC_SELFTESTS_MEM_H */

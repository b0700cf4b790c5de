// SPDX-License-Identifier: GPL-2.0
#include "mem.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

long meminfo(const char *field)
{
	FILE *f = fopen("/proc/meminfo", "re");
	size_t len = strlen(field);
	char line[128];
	long kb = -1;

	if (!f)
		return -1;
	while (kb < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, len) && line[len] == ':')
			kb = atol(line + len + 1);
	fclose(f);
	return kb;
}

long read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long n;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

long smaps(const void *addr, const char *field)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	size_t len = strlen(field);
	unsigned long start, end;
	bool inside = false;
	char line[512];
	long kb = -1;

	if (!f)
		return -1;
	while (kb < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (unsigned long)addr && (unsigned long)addr < end;
		else if (inside && !strncmp(line, field, len) && line[len] == ':')
			kb = atol(line + len + 1);
	}
	fclose(f);
	return kb;
}

int mapping_of(const void *addr, struct mapping *m)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	int found = -1;

	if (!f)
		return -1;
	while (found && fgets(line, sizeof(line), f)) {
		memset(m, 0, sizeof(*m));
		if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %127[^\n]", &m->start, &m->end,
			   m->perms, &m->offset, m->dev, &m->inode, m->name) >= 6 &&
		    m->start <= (unsigned long)addr && (unsigned long)addr < m->end)
			found = 0;
	}
	fclose(f);
	return found;
}

static uint64_t read_u64(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t v = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &v, sizeof(v), index * sizeof(v)) != sizeof(v))
		v = 0;
	close(fd);
	return v;
}

void *bad_address(unsigned int which)
{
	static void *const bad[] = { NULL, (void *)1, (void *)0xffff888000000000ul,
				     (void *)(ULONG_MAX - 8), (void *)0x7ffffffff000ul };
	const long page = sysconf(_SC_PAGESIZE);
	char *p;

	if (which < sizeof(bad) / sizeof(*bad))
		return bad[which];
	which -= sizeof(bad) / sizeof(*bad);
	if (which > 1)
		return MAP_FAILED;
	p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p + page, page, PROT_NONE))
		return MAP_FAILED;
	return which ? p + page - BAD_ADDRESS_ROOM : p + page;
}

uint64_t page_flags(const void *addr)
{
	uint64_t entry = read_u64("/proc/self/pagemap", (uintptr_t)addr / 4096);

	if (!(entry >> 63))	/* not present */
		return 0;
	return read_u64("/proc/kpageflags", entry & ((1ull << 55) - 1));
}

void stay_on_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

void lru_drain(void)
{
	/* mlock of a fresh page drains this CPU's batches. */
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	mlock(p, 4096);
	munmap(p, 4096);
}

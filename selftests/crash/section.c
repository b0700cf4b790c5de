// SPDX-License-Identifier: GPL-2.0
#include "section.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECTION_MAX	8192
#define LISTED_MAX	2048

static const unsigned char *start, *stop;

/* For each byte of the section, of all processes: what was done before the instruction there. */
static unsigned char *done_at;

static struct {
	unsigned long pc;
	bool is_padding;
	char text[80];
} listed[LISTED_MAX];
static int listed_count;

static __attribute__((constructor)) void share_done(void)
{
	done_at = mmap(NULL, SECTION_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (done_at == MAP_FAILED)
		abort();
}

void section_use(const unsigned char *first, const unsigned char *end)
{
	start = first;
	stop = end;
}

unsigned long section_offset(unsigned long pc)
{
	return pc - (unsigned long)start;
}

static unsigned long section_size(void)
{
	return stop - start;
}

bool section_has(unsigned long pc)
{
	return section_offset(pc) < section_size() && section_offset(pc) < SECTION_MAX;
}

void section_mark(unsigned long pc, int what)
{
	done_at[section_offset(pc)] |= what;
}

const char *section_text(unsigned long pc)
{
	int i;

	for (i = 0; i < listed_count; i++)
		if (listed[i].pc == pc)
			return listed[i].text;
	return "";
}

static bool starts_with_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(text, word, n) && (!text[n] || text[n] == ' ');
}

/* What fills gaps: an instruction that does nothing, whatever its prefixes are. */
static bool is_nop(const char *text)
{
	static const char *const prefixes[] = { "data16 ", "cs " };
	unsigned int i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		while (!strncmp(text, prefixes[i], strlen(prefixes[i])))
			text += strlen(prefixes[i]);
	return starts_with_word(text, "nop") || starts_with_word(text, "nopw") ||
	       starts_with_word(text, "nopl") || starts_with_word(text, "int3") ||
	       !strcmp(text, "xchg   %ax,%ax");
}

static bool never_falls_through(const char *text)
{
	return starts_with_word(text, "jmp") || starts_with_word(text, "ret") ||
	       starts_with_word(text, "ud2");
}

int section_list(void)
{
	char path[256], line[256], text[80];
	unsigned long pc, shift = 0;
	bool gap = false;
	int instructions = 0;
	ssize_t n;
	FILE *f;

	n = readlink("/proc/self/exe", path, sizeof(path) - 6);
	if (n < 0)
		return -1;
	strcpy(path + n, ".list");
	f = fopen(path, "re");
	listed_count = 0;
	while (f && fgets(line, sizeof(line), f) && listed_count < LISTED_MAX) {
		if (sscanf(line, " %lx:\t%79[^\n#]", &pc, text) != 2)
			continue;
		while (*text && text[strlen(text) - 1] == ' ')
			text[strlen(text) - 1] = '\0';
		/* The program may have been loaded elsewhere. */
		if (!listed_count)
			shift = (unsigned long)start - pc;
		listed[listed_count].pc = pc + shift;
		/* Behind what never goes on to the next; and nothing jumps there, see below. */
		listed[listed_count].is_padding = gap && is_nop(text);
		gap = never_falls_through(text) || listed[listed_count].is_padding;
		instructions += !listed[listed_count].is_padding;
		strcpy(listed[listed_count++].text, text);
	}
	if (f)
		fclose(f);
	return !listed_count || !section_has(listed[listed_count - 1].pc) ? -1 : instructions;
}

int section_uncovered(void)
{
	bool known[SECTION_MAX] = {};
	int missing = 0, i;
	unsigned long o;

	for (i = 0; i < listed_count; i++) {
		o = section_offset(listed[i].pc);
		known[o] = true;
		if (done_at[o] == (listed[i].is_padding ? 0 : SECTION_ALL))
			continue;
		missing++;
		printf("# %s: %lx <+%lx> %s\n",
		       listed[i].is_padding ? "taken for padding, but it ran" :
		       !done_at[o] ? "never reached" : !(done_at[o] & SECTION_DIED) ?
		       "nobody died there" : "nobody was stopped there",
		       listed[i].pc, o, listed[i].text);
	}
	for (o = 0; o < section_size(); o++)
		if (done_at[o] && !known[o]) {
			missing++;
			printf("# reached, and not listed: <+%lx>\n", o);
		}
	fflush(stdout);
	return missing;
}

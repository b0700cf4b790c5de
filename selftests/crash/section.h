/* SPDX-License-Identifier: GPL-2.0 */
/* A section of the program's code, all of which a test is to reach, and what was done where. */
#ifndef KIPC_SELFTESTS_SECTION_H
#define KIPC_SELFTESTS_SECTION_H

#include <stdbool.h>

/* It is the section of that name. */
#define SECTION(_name) \
	extern const unsigned char __start_##_name[], __stop_##_name[]; \
	static __attribute__((constructor)) void use_section(void) \
	{ \
		section_use(__start_##_name, __stop_##_name); \
	}

void section_use(const unsigned char *first, const unsigned char *end);
bool section_has(unsigned long pc);

#define SECTION_REACHED	1
#define SECTION_DIED	2
#define SECTION_STOPPED	4
#define SECTION_ALL	7

unsigned long section_offset(unsigned long pc);
/* Note what was done before an instruction, by whatever process. */
void section_mark(unsigned long pc, int what);

/*
 * What objdump lists of the section, in the file of the program's own name with ".list"
 * behind.  Return: the number of instructions, without what only fills gaps; -1: it is not
 * there, or not of this program.
 */
int section_list(void);
/* The line that lists an instruction, or "". */
const char *section_text(unsigned long pc);
/* Where not everything was done that is to be; each is named. */
int section_uncovered(void);

#endif /* KIPC_SELFTESTS_SECTION_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a hostile process writes to the pages of a set, its undo values and its intents; and
 * what the kernel is to make of it.
 */
#ifndef KIPC_SELFTESTS_SCRIBBLE_H
#define KIPC_SELFTESTS_SCRIBBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "hostile/raw.h"

#define VMX	SEMVMX
#define HELD	KIPC_SEM_HELD
#define KEPT	KIPC_SEM_KEPT
#define FLAGS	KIPC_SEM_FLAGS
#define SLOT(n)	((uint64_t)(n) << KIPC_SEM_SLOT_SHIFT)

/*
 * The set before a scribble: values, who has changed them by how much to be undone.  Of
 * the first semaphore the hostile process has changed EVIL_SLOW by the kernel and then
 * EVIL_FAST without, the other one OTHER_FIRST after that; it is the scribbler's.  Of
 * the second the other one has changed OTHER_SECOND.
 */
enum {
	FIRST = 10, EVIL_SLOW = 1, EVIL_FAST = -4, OTHER_FIRST = -1,
	VALUE = FIRST + EVIL_SLOW + EVIL_FAST + OTHER_FIRST,
	DONE = -EVIL_SLOW - EVIL_FAST,
	SECOND = 20, OTHER_SECOND = -3,
	THIRD = 30,
	/* The other process' set, and the hostile one's that it leaves alone. */
	CLEAN = 100, CLEAN_CHANGE = -7,
	SPARE = 50, SPARE_CHANGE = -3,
};

enum place {
	END, WORD, TIME, STATE, PAD, BEYOND, MAP, USED, FAST, SLOW, BEYOND_ADJUST, INTENT, INTENTS,
	TIDS,
};
enum whose { NOBODYS, UNKNOWN, EVILS, OTHERS, WHOSES };
enum which { THIS_SET = 1, SPARE_SET };

/**
 * struct poke - one thing that is written
 * @where: of the first semaphore, the set, the mapping or the process
 * @what: the number
 * @token: put into a word
 * @map: put into an intent, or where the number of a mapping stands
 */
struct poke {
	enum place where;
	uint64_t what;
	enum whose token;
	enum which map;
};

#define POKES	10

/**
 * struct scribble - something that a process writes
 * @value: what the value of the first semaphore is to the kernel then
 * @undo: what the end of the process adds to it
 * @last: who has changed it last; NOBODYS: who did by the kernel; UNKNOWN: no pid
 * @pokes: what it writes, in this order
 */
struct scribble {
	const char *name;
	int value, undo;
	enum whose last;
	struct poke pokes[POKES];
};

/* Up to, but without, the end. */
extern const struct scribble scribbles[];
extern const struct scribble *const scribbles_end;

/**
 * scribble_write() - write it all, one after the other
 * @tokens: by enum whose
 * @spare: the set that SPARE_SET means, mapped
 */
void scribble_write(const struct scribble *scribble, const struct raw_process *process,
		    const struct raw_view *view, const struct raw_view *spare,
		    const uint32_t *tokens);

/*
 * Whether the process is in the middle of an operation on the first semaphore then, as far
 * as can be told.
 */
bool scribble_is_busy(const struct scribble *scribble);

#endif /* KIPC_SELFTESTS_SCRIBBLE_H */

// SPDX-License-Identifier: GPL-2.0
#include "scribble.h"

#define AS(where_, what_)	{ .where = where_, .what = what_ }
#define WORD_AS(what_, whose)	{ .where = WORD, .what = what_, .token = whose }
#define NAMING(where_, what_, which) { .where = where_, .what = what_, .map = which }

/* An intent, but for the set. */
#define PENDING(num, value)	KIPC_INTENT(KIPC_INTENT_PENDING, 0, num, value)
#define COMPUTED(num, value)	KIPC_INTENT(KIPC_INTENT_COMPUTED, 0, num, value)

const struct scribble scribbles[] = {
	{ "nothing", VALUE, DONE, OTHERS, {} },
	{ "a value of 32768", VMX, DONE, OTHERS, { WORD_AS(32768, OTHERS) } },
	{ "a value of 65535", VMX, DONE, OTHERS, { WORD_AS(65535, OTHERS) } },
	{ "a value of 32767", VMX, DONE, OTHERS, { WORD_AS(32767, OTHERS) } },
	{ "a value of 0", 0, DONE, OTHERS, { WORD_AS(0, OTHERS) } },
	{ "no token", VALUE, DONE, NOBODYS, { WORD_AS(VALUE, NOBODYS) } },
	{ "the token of nobody", VALUE, DONE, UNKNOWN, { WORD_AS(VALUE, UNKNOWN) } },
	{ "its own token", VALUE, DONE, EVILS, { WORD_AS(VALUE, EVILS) } },

	{ "HELD", VALUE, DONE, OTHERS, { WORD_AS(VALUE | HELD, OTHERS) } },
	{ "KEPT", VALUE, DONE, NOBODYS, { WORD_AS(VALUE | KEPT, OTHERS) } },
	{ "unknown flags", VALUE, DONE, OTHERS, { WORD_AS(VALUE | (FLAGS & ~(HELD | KEPT)), OTHERS) } },
	{ "all flags", VALUE, DONE, NOBODYS, { WORD_AS(VALUE | FLAGS, OTHERS) } },
	{ "all flags, a value of 65535", VMX, DONE, NOBODYS, { WORD_AS(65535 | FLAGS, UNKNOWN) } },

	{ "busy, without a token", VALUE, DONE, NOBODYS, { WORD_AS(VALUE | SLOT(1), NOBODYS) } },
	{ "busy, by nobody", VALUE, DONE, UNKNOWN, { WORD_AS(VALUE | SLOT(255), UNKNOWN) } },
	{ "busy, by the other process", VALUE, DONE, OTHERS, { WORD_AS(VALUE | SLOT(1), OTHERS) } },
	{ "busy, by itself without an intent", VALUE, DONE, EVILS, { WORD_AS(VALUE | SLOT(77), EVILS) } },
	{ "busy, all bits", VMX, DONE, NOBODYS, { WORD_AS(~0ul, NOBODYS) } },
	{ "busy, pending", VALUE, DONE + 10, EVILS, {
		NAMING(INTENT, PENDING(0, 10), THIS_SET), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, pending, taking", VALUE, DONE - 10, EVILS, {
		NAMING(INTENT, PENDING(0, -10), THIS_SET), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, pending over the maximum", VALUE, SEMAEM - EVIL_SLOW, EVILS, {
		NAMING(INTENT, PENDING(0, 32767), THIS_SET), AS(FAST, 32767),
		WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, pending under the minimum", VALUE, -SEMAEM - 1, EVILS, {
		NAMING(INTENT, PENDING(0, -32768), THIS_SET), AS(FAST, -32768),
		WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, computed", VALUE, 100 - EVIL_SLOW, EVILS, {
		NAMING(INTENT, COMPUTED(0, 100), THIS_SET), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, computed the minimum", VALUE, -SEMAEM - 1, EVILS, {
		NAMING(INTENT, COMPUTED(0, -32768), THIS_SET), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy and kept, computed", VALUE, 100 - EVIL_SLOW, NOBODYS, {
		NAMING(INTENT, COMPUTED(0, 100), THIS_SET),
		WORD_AS(VALUE | SLOT(1) | HELD | KEPT, EVILS) } },
	{ "busy, an intent for another set", VALUE, DONE, EVILS, {
		NAMING(INTENT, COMPUTED(0, 100), SPARE_SET), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, an intent for no set", VALUE, DONE, EVILS, {
		AS(INTENT, PENDING(0, 100)), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, an intent for another semaphore", VALUE, DONE, EVILS, {
		NAMING(INTENT, PENDING(1, 100), THIS_SET), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, an intent for no semaphore", VALUE, DONE, EVILS, {
		NAMING(INTENT, PENDING(65535, 100), THIS_SET), WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, an intent of no kind", VALUE, DONE, EVILS, {
		NAMING(INTENT, KIPC_INTENT(3, 0, 0, 100), THIS_SET),
		WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy, an intent of all kinds", VALUE, DONE, EVILS, {
		NAMING(INTENT, KIPC_INTENT(65535, 0, 0, 100), THIS_SET),
		WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "busy by the other process, its own intents", VALUE, DONE, OTHERS, {
		NAMING(INTENTS, COMPUTED(0, 100), THIS_SET), WORD_AS(VALUE | SLOT(1), OTHERS) } },

	{ "intents for nothing busy", VALUE, DONE, OTHERS, {
		NAMING(INTENTS, PENDING(0, 100), THIS_SET) } },
	{ "intents of all bits", VALUE, DONE, OTHERS, { AS(INTENTS, ~0ul) } },
	{ "threads", VALUE, DONE, OTHERS, { AS(TIDS, 1) } },
	{ "threads that are none", VALUE, DONE, OTHERS, { AS(TIDS, ~0ul) } },

	{ "an undo value of 0", VALUE, -EVIL_SLOW, OTHERS, { AS(FAST, 0) } },
	{ "an undo value over the maximum", VALUE, SEMAEM - EVIL_SLOW, OTHERS, { AS(FAST, 32768) } },
	{ "the largest number", VALUE, SEMAEM - EVIL_SLOW, OTHERS, { AS(FAST, 0x7fffffff) } },
	{ "the smallest number", VALUE, -SEMAEM - 1, OTHERS, { AS(FAST, 0x80000000) } },
	{ "an undo value that is much", VALUE, 4096 - EVIL_SLOW, OTHERS, { AS(FAST, 4096) } },
	{ "the kernel's undo value", VALUE, DONE, OTHERS, { AS(SLOW, 1000) } },
	{ "the kernel's undo value, smallest", VALUE, DONE, OTHERS, { AS(SLOW, 0x80000000) } },
	{ "undo values of no semaphore", VALUE, DONE, OTHERS, { AS(BEYOND_ADJUST, ~0ul) } },
	{ "map of another set", VALUE, DONE, OTHERS, { NAMING(MAP, 0, SPARE_SET) } },
	{ "map of all bits", VALUE, DONE + 10, EVILS, {
		AS(MAP, ~0ul), NAMING(INTENT, PENDING(0, 10), THIS_SET),
		WORD_AS(VALUE | SLOT(1), EVILS) } },
	{ "used not", VALUE, DONE, OTHERS, { AS(USED, 0) } },
	{ "used much", VALUE, DONE, OTHERS, { AS(USED, ~0ul) } },

	{ "DRAIN", VALUE, DONE, OTHERS, { AS(STATE, KIPC_SEM_DRAIN) } },
	{ "DRAINING", VALUE, DONE, OTHERS, { AS(STATE, KIPC_SEM_DRAINING) } },
	{ "REMOVED", VALUE, DONE, OTHERS, { AS(STATE, KIPC_SEM_REMOVED) } },
	{ "a state as of a cut", VALUE, DONE, OTHERS, { AS(STATE, HELD) } },
	{ "a state of all bits", VALUE, DONE, OTHERS, { AS(STATE, ~0ul) } },
	{ "what is not used", VALUE, DONE, OTHERS, { AS(PAD, ~0ul), AS(BEYOND, ~0ul) } },
	{ "a time to come", VALUE, DONE, OTHERS, { AS(TIME, 0x7fffffffffffffff) } },
	{ "a time before all", VALUE, DONE, OTHERS, { AS(TIME, 1ul << 63) } },
	{ "no time", VALUE, DONE, OTHERS, { AS(TIME, 0) } },

	{ "all bits", VMX, -1 - EVIL_SLOW, NOBODYS, {
		AS(INTENTS, ~0ul), AS(TIDS, ~0ul), AS(MAP, ~0ul), AS(USED, ~0ul), AS(FAST, ~0ul),
		AS(SLOW, ~0ul), AS(TIME, ~0ul), AS(PAD, ~0ul), AS(STATE, ~0ul), WORD_AS(~0ul, NOBODYS) } },
	{ "no bits", 0, -EVIL_SLOW, NOBODYS, {
		AS(INTENTS, 0), AS(TIDS, 0), AS(MAP, 0), AS(USED, 0), AS(FAST, 0),
		AS(SLOW, 0), AS(TIME, 0), AS(PAD, 0), AS(STATE, 0), WORD_AS(0, NOBODYS) } },
};

const struct scribble *const scribbles_end = scribbles + sizeof(scribbles) / sizeof(*scribbles);

static void write64(void *start, void *end, uint64_t what)
{
	volatile uint64_t *p;

	for (p = start; (void *)p < end; p++)
		*p = what;
}

static void write_one(const struct poke *poke, const struct raw_process *process,
		      const struct raw_view *view, const struct raw_view *spare,
		      const uint32_t *tokens)
{
	struct kipc_sem_shared *shared = view->shared;
	struct kipc_sem_private *own = view->own;
	struct kipc_process_slot *slots = process->slots;
	const uint64_t map = poke->map == THIS_SET ? view->index :
			     poke->map == SPARE_SET ? spare->index : 0;
	int i;

	switch (poke->where) {
	case WORD:
		shared->cells[0].word =
			poke->what | (uint64_t)tokens[poke->token] << KIPC_SEM_TOKEN_SHIFT;
		break;
	case TIME:
		shared->cells[0].time = poke->what;
		break;
	case STATE:
		shared->state = poke->what;
		break;
	case PAD:
		write64(&shared->pad[1], &shared->cells[0], poke->what);
		break;
	case BEYOND:
		write64(&shared->cells[view->nsems], view->start + view->size, poke->what);
		break;
	case MAP:
		own->map = poke->what | map;
		break;
	case USED:
		own->used = poke->what;
		break;
	case FAST:
		own->adjust[0].fast = poke->what;
		break;
	case SLOW:
		own->adjust[0].slow = poke->what;
		break;
	case BEYOND_ADJUST:
		write64(&own->adjust[view->nsems], shared, poke->what);
		break;
	case INTENT:
		slots[1].intent = poke->what | map << 32;
		break;
	case INTENTS:
		for (i = 0; i < KIPC_PROCESS_SLOTS; i++)
			slots[i].intent = poke->what | map << 32;
		break;
	case TIDS:
		for (i = 0; i < KIPC_PROCESS_SLOTS; i++)
			slots[i].tid = poke->what;
		break;
	default:
		break;
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#define FOR_EACH_POKE(p, scribble) \
	for (p = (scribble)->pokes; p < (scribble)->pokes + POKES && p->where; p++)

void scribble_write(const struct scribble *scribble, const struct raw_process *process,
		    const struct raw_view *view, const struct raw_view *spare,
		    const uint32_t *tokens)
{
	const struct poke *p;

	FOR_EACH_POKE(p, scribble)
		write_one(p, process, view, spare, tokens);
}

bool scribble_is_busy(const struct scribble *scribble)
{
	const struct poke *p;
	uint64_t intent = 0;

	FOR_EACH_POKE(p, scribble)
		if (p->where == INTENT && p->map == THIS_SET)
			intent = p->what >> 16;
	return intent == PENDING(0, 0) >> 16 || intent == COMPUTED(0, 0) >> 16;
}

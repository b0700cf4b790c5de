// SPDX-License-Identifier: GPL-2.0
#include "fuzz.h"

#include <string.h>

#define FIRST_STEPS	10

/*
 * What chance would be long about: an object with a name that more than one has open and that
 * is operated on, and what comes to light only after a few calls in their order.  Mappings are
 * numbered as they come about: a process keeps them.
 */
static const struct first {
	const char *call;
	uint8_t actor, a[6];
} firsts[][FIRST_STEPS] = {
	/* A semaphore in both processes: slept on, posted to, scribbled over, polled, unlinked. */
	{
		{ "name_open", 0, { 1, 0, 4, 0, 0, 0 } }, { "use_named", 0, { 0, 0, 4, 0, 1, 0 } },
		{ "name_open", 2, { 1, 0, 4, 0, 0, 0 } }, { "use_named", 2, { 0, 0, 4, 0, 1, 0 } },
		{ "posix_sem_op", 0, { 0, 0, 1, 1, 0, 0 } },
		{ "posix_sem_op", 2, { 0, 0, 0, 1, 0, 0 } },
		{ "posix_sem_op", 1, { 0, 0, 1, 6, 0, 0 } },
		{ "use_named", 3, { 5, 0, 0, 0, 0, 0 } },
		{ "posix_sem_word", 2, { 0, 1, 3, 0, 0, 0 } },
		{ "name_unlink", 2, { 1, 0, 0, 0, 0, 0 } },
	},
	{
		{ "name_open", 0, { 1, 1, 4, 2, 0, 0 } }, { "use_named", 0, { 0, 0, 4, 0, 1, 0 } },
		{ "posix_sem_op", 0, { 1, 0, 1, 1, 1, 0 } },
		{ "posix_sem_op", 0, { 1, 0, 2, 1, 1, 0 } },
		{ "posix_sem_op", 0, { 1, 0, 2, 1, 1, 0 } },
		{ "posix_sem_word", 0, { 1, 2, 0, 0, 0, 0 } },
		{ "posix_sem_op", 0, { 1, 0, 0, 1, 0, 0 } },
		{ "use_named", 0, { 4, 0, 8, 5, 1, 0 } },
		{ "use_named", 0, { 3, 0, 8, 1, 0, 0 } }, { "do_fork", 0, { 0 } },
	},
	/* A queue: a notice of each kind, messages of priorities, both ways in, one that sleeps. */
	{
		{ "name_open", 0, { 2, 0, 4, 4, 2, 0 } }, { "mq_more", 0, { 0, 0, 2, 0, 0, 1 } },
		{ "mq_op", 0, { 1, 0, 8, 16, 3, 1 } }, { "use_named", 0, { 3, 1, 8, 1, 0, 0 } },
		{ "mq_op", 0, { 3, 0, 8, 16, 5, 1 } }, { "mq_op", 0, { 2, 0, 8, 0, 0, 1 } },
		{ "mq_op", 0, { 0, 0, 8, 0, 9, 1 } }, { "mq_more", 0, { 1, 0, 1, 0, 0, 0 } },
		{ "mq_op", 1, { 0, 0, 8, 0, 0, 6 } }, { "mq_op", 0, { 1, 0, 8, 4, 1, 1 } },
	},
	{
		{ "name_open", 0, { 2, 1, 4, 1, 2, 0 } }, { "mq_more", 0, { 0, 0, 1, 1, 4, 0 } },
		{ "mq_op", 0, { 1, 0, 8, 16, 3, 1 } }, { "mq_more", 0, { 0, 0, 0, 0, 0, 0 } },
		{ "mq_more", 0, { 0, 0, 3, 0, 0, 0 } }, { "use_named", 0, { 7, 0, 0, 2, 0, 0 } },
		{ "mq_op", 0, { 1, 0, 8, 16, 3, 6 } }, { "mq_op", 2, { 1, 0, 8, 16, 3, 6 } },
		{ "name_unlink", 2, { 2, 1, 0, 0, 0, 0 } },
		{ "use_named", 0, { 13, 0, 0, 0, 0, 0 } },
	},
	/* A segment: sized, mapped, truncated by who opens it, sealed, given away. */
	{
		{ "name_open", 0, { 0, 0, 4, 9, 0, 0 } }, { "use_named", 0, { 0, 0, 4, 0, 1, 0 } },
		{ "name_open", 2, { 0, 0, 0xc4, 0, 0, 0 } },
		{ "use_named", 2, { 9, 0, 0, 9, 0, 0 } },
		{ "use_named", 2, { 11, 0, 0, 0, 0, 0 } },
		{ "name_open", 2, { 0, 0, 0xc4, 0, 0, 1 } },
		{ "use_named", 2, { 10, 0, 0, 1, 1, 0 } }, { "name_open", 1, { 0, 0, 4, 0, 0, 2 } },
		{ "name_unlink", 0, { 0, 0, 0, 0, 0, 0 } },
		{ "listing", 3, { 12, 0, 8, 255, 0, 0 } },
	},
	/* A memfd and a segment of it; a key for what had none. */
	{
		{ "shm_memfd", 0, { 0, 0x40, 5, 0, 0, 9 } },
		{ "shm_attach", 0, { 0, 0, 0, 0, 0, 0 } },
		{ "shm_memfd", 0, { 1, 0, 1, 0, 0, 0 } }, { "use_named", 0, { 0, 0, 4, 0, 1, 0 } },
		{ "create_handle", 0, { 1, 0, 2, 0, 0, 0 } },
		{ "publish", 0, { 0, 6, 0, 0, 0, 0 } },
		{ "create_handle", 2, { 2, 0, 2, 0, 0, 0 } },
		{ "publish", 2, { 0, 7, 2, 0, 0, 0 } },
		{ "create_handle", 2, { 0, 0, 2, 0, 0, 1 } },
		{ "publish", 2, { 1, 5, 0, 0, 0, 0 } },
	},
};

bool first_input(unsigned int n, struct input *input)
{
	unsigned int i;

	if (n >= sizeof(firsts) / sizeof(*firsts))
		return false;
	for (i = 0; i < FIRST_STEPS; i++) {
		const struct first *from = &firsts[n][i];
		struct step *to = &input->step[i];

		to->actor = from->actor;
		to->call = calls_number(from->call);
		memcpy(to->a, from->a, sizeof(to->a));
	}
	input->steps = FIRST_STEPS;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a process ends.  Nothing else in kipc knows.
 *
 * Level 5.  Locks: the hook takes none; the workers take those of the levels below.
 */
#ifndef KIPC_DEATH_H
#define KIPC_DEATH_H

#include <linux/types.h>

int kipc_death_init(void);
void kipc_death_deinit(void);
bool kipc_death_settle(void);

#endif /* KIPC_DEATH_H */

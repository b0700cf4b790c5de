/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One wait for any of several: calls on handles, and other descriptors to be ready.
 *
 * Each call sleeps in its object's queue, in turn with other callers.  At most one is
 * carried out: whoever is about to do so claims all of them first (kipc_claim()).
 *
 * Level 6.  Locks: none of its own.
 */
#ifndef KIPC_ANY_H
#define KIPC_ANY_H

struct kipc_wait_any;

long kipc_wait_any(const struct kipc_wait_any *wait);

#endif /* KIPC_ANY_H */

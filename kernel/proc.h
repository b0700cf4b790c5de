/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/kipc: listings and limits, of the reader's IPC namespace.
 *
 * Level 6.  Locks: none of its own; a listing holds a reference on the row it
 * is at and takes kipc_object.lock for the row.
 */
#ifndef KIPC_PROC_H
#define KIPC_PROC_H

int kipc_proc_init(void);
void kipc_proc_deinit(void);

#endif /* KIPC_PROC_H */

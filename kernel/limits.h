/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Defaults and bounds, in one place.  The System V limits have native's
 * defaults; the bounds below them are on what native leaves unbounded or does
 * not have.
 *
 * Level 0.
 */
#ifndef KIPC_LIMITS_H
#define KIPC_LIMITS_H

#include <linux/limits.h>
#include <linux/radix-tree.h>
#include <linux/shm.h>
#include <uapi/linux/msg.h>
#include <uapi/linux/sem.h>
#include <uapi/linux/shm.h>

#include <linux/kipc.h>

#define KIPC_SEQ_MAX		(INT_MAX >> KIPC_INDEX_BITS)

/* An index is reused only after this many others, or half as many as live. */
#define KIPC_INDEX_MIN_CYCLE	(RADIX_TREE_MAP_SIZE * RADIX_TREE_MAP_SIZE)

/* Process records that one user may have, over all namespaces. */
#define KIPC_USER_RECORDS	32768

/* Sets that one process may have mapped; beyond, it operates by system call. */
#define KIPC_PROCESS_VIEWS	1024

/* Pages of sets that one user may have mapped, over all namespaces. */
#define KIPC_USER_PAGES		65536

/* Objects with names that one user may have, over all namespaces. */
#define KIPC_USER_NAMES		65536

/* What a POSIX message queue of the privileged may be made for, and no limit be beyond. */
#define KIPC_MQ_MSG_MAX		65536
#define KIPC_MQ_MSGSIZE_MAX	(16 << 20)

/* Bytes that a stream holds at most: if its maker does not say, and whoever makes it. */
#define KIPC_STREAM_DEFAULT	(64 << 10)
#define KIPC_STREAM_MAX		(1 << 20)

/* Pages of streams that one user may have, over all namespaces. */
#define KIPC_USER_STREAM_PAGES	16384

/* Sets that one process may have undo values in; the exit hook walks them. */
#define KIPC_PROCESS_UNDOS	4096

/* How often a namespace that nobody may be in any more is looked for. */
#define KIPC_REAP_INTERVAL	HZ

#endif /* KIPC_LIMITS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Per-user accounts, for what native System V IPC leaves unbounded.
 *
 * An account belongs to a user in a user namespace, and every charge is made
 * to it and to the account of the user who owns that namespace, and so on up:
 * otherwise subordinate uids would multiply a user's share.  The kernel's own
 * ucounts do the same but are not exported.
 *
 * Level 1.  Locks: a private spinlock over the table, innermost; charging is
 * atomic and may be done anywhere.
 */
#ifndef KIPC_ACCOUNT_H
#define KIPC_ACCOUNT_H

#include <linux/types.h>

struct kipc_account;

enum kipc_charge {
	KIPC_CHARGE_RECORDS,	/* process records */
	KIPC_CHARGE_LOCKED,	/* pages of segments locked into memory */
	KIPC_CHARGE_PAGES,	/* pages shared with user space */
	KIPC_CHARGE_NAMES,	/* objects that have names */
	KIPC_CHARGE_MQ_BYTES,	/* RLIMIT_MSGQUEUE: bytes of POSIX message queues */
	KIPC_CHARGE_STREAM_PAGES, /* pages of byte streams */
	KIPC_CHARGE_MQ_QUEUES,	/* POSIX message queues; of accounts in a namespace */
	KIPC_CHARGES,
};

struct user_namespace;

struct kipc_account *kipc_account_new(void);
struct kipc_account *kipc_account_get_current(void);
struct kipc_account *kipc_account_get_below(struct kipc_account *parent,
					    const struct user_namespace *user_ns);
struct kipc_account *kipc_account_get(struct kipc_account *account);
void kipc_account_put(struct kipc_account *account);
bool kipc_account_charge(struct kipc_account *account, enum kipc_charge what,
			 unsigned long amount, unsigned long max);
void kipc_account_uncharge(struct kipc_account *account, enum kipc_charge what,
			   unsigned long amount);
long kipc_account_add(struct kipc_account *account, enum kipc_charge what, long amount);

#endif /* KIPC_ACCOUNT_H */

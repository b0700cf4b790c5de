/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The settable limits of a namespace, by number (KIPC_IOC_LIMIT) and by name
 * (/proc/kipc/sys): one table for both.
 *
 * Level 5.  Locks: kipc_ids.rwsem of the kind while a limit changes.
 */
#ifndef KIPC_LIMIT_H
#define KIPC_LIMIT_H

#include <linux/types.h>

struct kipc_space;

/**
 * struct kipc_limit_type - one limit
 * @name: file name in /proc/kipc/sys, or NULL: shares one with others
 * @kind: KIPC_KIND_* whose rwsem protects it
 * @is_signed: its values are signed
 * @is_id: setting it needs kipc_may_set_ids() only
 * @min: the least value that may be set, if they are signed; else it is 0
 * @max: the largest
 * @offset: of its field in struct kipc_space, an unsigned integer or an int
 * @size: of that field
 * @changed: called after it was set, with no lock held, or NULL
 */
struct kipc_limit_type {
	const char *name;
	u8 kind;
	bool is_signed;
	bool is_id;
	int min;
	u64 max;
	u16 offset;
	u8 size;
	void (*changed)(struct kipc_space *space);
};

extern const struct kipc_limit_type kipc_limit_types[];
extern const unsigned int kipc_limit_count;

u64 kipc_limit_get(struct kipc_space *space, const struct kipc_limit_type *type);
int kipc_limit_set(struct kipc_space *space, const struct kipc_limit_type *type,
		   u64 value);
bool kipc_limit_may_set(struct kipc_space *space, const struct kipc_limit_type *type);

#endif /* KIPC_LIMIT_H */

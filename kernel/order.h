/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What came one after the other, and is looked for by a value: two kinds of tree.
 *
 * A sorted tree stands in order of value, and of arrival within a value: it finds the
 * first of a value, and the first of the lowest.  A ranked tree stands in order of
 * arrival, and finds the first whose value is large enough, or is another than a given
 * one, and the one at a position.  All in a time that grows with the logarithm of what
 * there is.
 *
 * Level 1.  Locks: the caller's.
 */
#ifndef KIPC_ORDER_H
#define KIPC_ORDER_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct kipc_place - one in a sorted tree
 * @node: in the tree
 * @seq: number of its arrival, not used twice
 * @value: what it is looked for by
 */
struct kipc_place {
	struct rb_node node;
	u64 seq;
	long value;
};

/**
 * struct kipc_rank - one in a ranked tree
 * @place: node, arrival and value
 * @sum: of it and all below
 * @sum.min: the least value
 * @sum.max: the largest
 * @sum.count: how many
 */
struct kipc_rank {
	struct kipc_place place;
	struct kipc_rank_sum {
		long min;
		long max;
		unsigned long count;
	} sum;
};

struct kipc_place *kipc_sorted_find(struct rb_root *root, long value);

void kipc_ranked_insert(struct rb_root *root, struct kipc_rank *rank);
void kipc_ranked_erase(struct rb_root *root, struct kipc_rank *rank);
struct kipc_rank *kipc_ranked_find_least(struct rb_root *root, long least);
struct kipc_rank *kipc_ranked_find_other(struct rb_root *root, long value);
struct kipc_rank *kipc_ranked_at(struct rb_root *root, unsigned long position);

static inline struct kipc_place *kipc_place_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct kipc_place, node);
}

static inline struct kipc_rank *kipc_rank_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct kipc_rank, place.node);
}

static __always_inline bool kipc_place_less(struct rb_node *node, const struct rb_node *parent)
{
	const struct kipc_place *a = rb_entry(node, struct kipc_place, node);
	const struct kipc_place *b = rb_entry(parent, struct kipc_place, node);

	return a->value != b->value ? a->value < b->value : a->seq < b->seq;
}

/**
 * kipc_sorted_insert() - put into a sorted tree
 * @root: the tree
 * @place: with its number and value
 */
static inline void kipc_sorted_insert(struct rb_root *root, struct kipc_place *place)
{
	rb_add(&place->node, root, kipc_place_less);
}

/* The first of the lowest value, or NULL. */
static inline struct kipc_place *kipc_sorted_first(struct rb_root *root)
{
	return kipc_place_of(rb_first(root));
}

static inline void kipc_sorted_erase(struct rb_root *root, struct kipc_place *place)
{
	rb_erase(&place->node, root);
}

#endif /* KIPC_ORDER_H */

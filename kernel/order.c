// SPDX-License-Identifier: GPL-2.0
/*
 * Trees in order of a value and of arrival: see order.h.
 */
#include <linux/kernel.h>
#include <linux/rbtree_augmented.h>

#include "order.h"

/* ---- Sorted ---- */

/**
 * kipc_sorted_find() - the first of a value
 * @root: the tree
 * @value: the value
 *
 * Return: it, or NULL.
 */
struct kipc_place *kipc_sorted_find(struct rb_root *root, long value)
{
	struct rb_node *node = root->rb_node;
	struct kipc_place *place, *found = NULL;

	while (node) {
		place = kipc_place_of(node);
		if (place->value == value)
			found = place;
		node = place->value < value ? node->rb_right : node->rb_left;
	}
	return found;
}

/* ---- Ranked ---- */

static __always_inline bool kipc_rank_compute(struct kipc_rank *rank, bool exit)
{
	struct kipc_rank *left = kipc_rank_of(rank->place.node.rb_left);
	struct kipc_rank *right = kipc_rank_of(rank->place.node.rb_right);
	struct kipc_rank_sum sum = {
		.min = rank->place.value, .max = rank->place.value, .count = 1,
	};

	if (left) {
		sum.min = min(sum.min, left->sum.min);
		sum.max = max(sum.max, left->sum.max);
		sum.count += left->sum.count;
	}
	if (right) {
		sum.min = min(sum.min, right->sum.min);
		sum.max = max(sum.max, right->sum.max);
		sum.count += right->sum.count;
	}
	if (exit && sum.count == rank->sum.count && sum.min == rank->sum.min &&
	    sum.max == rank->sum.max)
		return true;
	rank->sum = sum;
	return false;
}

RB_DECLARE_CALLBACKS(static, kipc_rank_callbacks, struct kipc_rank, place.node, sum,
		     kipc_rank_compute);

/**
 * kipc_ranked_insert() - put into a ranked tree
 * @root: the tree
 * @rank: with its number and value; most often the last to arrive
 */
void kipc_ranked_insert(struct rb_root *root, struct kipc_rank *rank)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = rank->place.seq < kipc_place_of(parent)->seq ? &parent->rb_left :
								      &parent->rb_right;
	}
	rb_link_node(&rank->place.node, parent, link);
	kipc_rank_compute(rank, false);
	kipc_rank_callbacks.propagate(parent, NULL);
	rb_insert_augmented(&rank->place.node, root, &kipc_rank_callbacks);
}

/**
 * kipc_ranked_erase() - take out of a ranked tree
 * @root: the tree
 * @rank: in it
 */
void kipc_ranked_erase(struct rb_root *root, struct kipc_rank *rank)
{
	rb_erase_augmented(&rank->place.node, root, &kipc_rank_callbacks);
}

typedef bool (*kipc_rank_test)(const struct kipc_rank_sum *sum, long value);

static __always_inline bool kipc_reaches(const struct kipc_rank_sum *sum, long least)
{
	return sum->max >= least;
}

static __always_inline bool kipc_differs(const struct kipc_rank_sum *sum, long value)
{
	return sum->min != value || sum->max != value;
}

/* The first that passes; a sum passes if one of its parts does. */
static __always_inline struct kipc_rank *
kipc_ranked_find(struct rb_root *root, kipc_rank_test test, long value)
{
	struct kipc_rank *rank = kipc_rank_of(root->rb_node), *left;
	struct kipc_rank_sum own;

	if (!rank || !test(&rank->sum, value))
		return NULL;
	for (;;) {
		left = kipc_rank_of(rank->place.node.rb_left);
		if (left && test(&left->sum, value)) {
			rank = left;
			continue;
		}
		own.min = own.max = rank->place.value;
		if (test(&own, value))
			return rank;
		rank = kipc_rank_of(rank->place.node.rb_right);
	}
}

/**
 * kipc_ranked_find_least() - the first whose value is large enough
 * @root: the tree
 * @least: its least value
 *
 * Return: it, or NULL.
 */
struct kipc_rank *kipc_ranked_find_least(struct rb_root *root, long least)
{
	return kipc_ranked_find(root, kipc_reaches, least);
}

/**
 * kipc_ranked_find_other() - the first that has another value
 * @root: the tree
 * @value: the value that it has not
 *
 * Return: it, or NULL.
 */
struct kipc_rank *kipc_ranked_find_other(struct rb_root *root, long value)
{
	return kipc_ranked_find(root, kipc_differs, value);
}

/**
 * kipc_ranked_at() - the one at a position
 * @root: the tree
 * @position: how many came before
 *
 * Return: it, or NULL: there are not so many.
 */
struct kipc_rank *kipc_ranked_at(struct rb_root *root, unsigned long position)
{
	struct kipc_rank *rank = kipc_rank_of(root->rb_node), *left;
	unsigned long before;

	while (rank) {
		left = kipc_rank_of(rank->place.node.rb_left);
		before = left ? left->sum.count : 0;
		if (position == before)
			break;
		if (position < before) {
			rank = left;
		} else {
			position -= before + 1;
			rank = kipc_rank_of(rank->place.node.rb_right);
		}
	}
	return rank;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the pure steps: id tables, accounts, trees.
 *
 * Built into the module where the kernel has KUnit, and run when it is loaded.
 */
#include <linux/ipc.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <kunit/test.h>

#include "account.h"
#include "ids.h"
#include "object.h"
#include "order.h"

struct kipc_ids_fixture {
	struct kipc_ids ids;
	struct kipc_object *objects;
};

#define KIPC_TEST_OBJECTS	100
#define KIPC_TEST_LIMIT		(KIPC_TEST_OBJECTS - 1)

static int kipc_ids_test_init(struct kunit *test)
{
	static const struct kipc_object_ops ops;
	struct kipc_ids_fixture *fixture;
	int i;

	fixture = kunit_kzalloc(test, sizeof(*fixture), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fixture);
	fixture->objects = kunit_kcalloc(test, KIPC_TEST_OBJECTS,
					 sizeof(*fixture->objects), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fixture->objects);
	for (i = 0; i < KIPC_TEST_OBJECTS; i++) {
		spin_lock_init(&fixture->objects[i].lock);
		refcount_set(&fixture->objects[i].refs, 1);
		fixture->objects[i].ops = &ops;
		fixture->objects[i].key = IPC_PRIVATE;
	}
	KUNIT_ASSERT_EQ(test, kipc_ids_init(&fixture->ids, false), 0);
	test->priv = fixture;
	return 0;
}

static void kipc_ids_test_remove(struct kipc_ids *ids, struct kipc_object *object)
{
	down_write(&ids->rwsem);
	spin_lock(&object->lock);
	kipc_ids_remove_locked(ids, object);
	spin_unlock(&object->lock);
	up_write(&ids->rwsem);
	/* As if freed and made anew. */
	object->removed = false;
	synchronize_rcu();
}

static void kipc_ids_test_exit(struct kunit *test)
{
	struct kipc_ids_fixture *fixture = test->priv;
	struct kipc_object *object;
	int index;

	for (index = 0; (object = kipc_ids_next(&fixture->ids, &index)); index++)
		kipc_ids_test_remove(&fixture->ids, object);
	kipc_ids_deinit(&fixture->ids);
}

static int kipc_ids_test_add(struct kipc_ids *ids, struct kipc_object *object, key_t key)
{
	int ret;

	object->key = key;
	down_write(&ids->rwsem);
	ret = kipc_ids_add_locked(ids, object, KIPC_TEST_LIMIT);
	up_write(&ids->rwsem);
	return ret;
}

static int kipc_ids_test_max(struct kipc_ids *ids)
{
	int max;

	down_write(&ids->rwsem);
	max = kipc_ids_max_index(ids);
	up_write(&ids->rwsem);
	return max;
}

/* Indices go up though lower ones are free; the sequence when the cycle starts again. */
static void kipc_ids_test_sequence(struct kunit *test)
{
	struct kipc_ids_fixture *fixture = test->priv;
	struct kipc_object *object = &fixture->objects[0];
	int i;

	for (i = 0; i < KIPC_INDEX_MIN_CYCLE; i++) {
		KUNIT_ASSERT_EQ(test, kipc_ids_test_add(&fixture->ids, object, IPC_PRIVATE), 0);
		KUNIT_ASSERT_EQ(test, object->id, i);
		down_write(&fixture->ids.rwsem);
		spin_lock(&object->lock);
		kipc_ids_remove_locked(&fixture->ids, object);
		spin_unlock(&object->lock);
		up_write(&fixture->ids.rwsem);
		object->removed = false;
	}
	KUNIT_EXPECT_EQ(test, kipc_ids_test_add(&fixture->ids, object, IPC_PRIVATE), 0);
	KUNIT_EXPECT_EQ(test, object->id, 1 << KIPC_INDEX_BITS);
	KUNIT_EXPECT_EQ(test, object->seq, 1);
}

static void kipc_ids_test_next_id(struct kunit *test)
{
	struct kipc_ids_fixture *fixture = test->priv;

	fixture->ids.next_id = (7 << KIPC_INDEX_BITS) + 42;
	KUNIT_EXPECT_EQ(test, kipc_ids_test_add(&fixture->ids, &fixture->objects[0], IPC_PRIVATE), 0);
	KUNIT_EXPECT_EQ(test, fixture->objects[0].id, (7 << KIPC_INDEX_BITS) + 42);
	KUNIT_EXPECT_EQ(test, kipc_ids_test_add(&fixture->ids, &fixture->objects[1], IPC_PRIVATE), 0);
	KUNIT_EXPECT_EQ(test, fixture->objects[1].id, 0);
}

static void kipc_ids_test_find(struct kunit *test)
{
	struct kipc_ids_fixture *fixture = test->priv;
	struct kipc_object *object = &fixture->objects[0];
	struct kipc_ids *ids = &fixture->ids;

	KUNIT_ASSERT_EQ(test, kipc_ids_test_add(ids, object, 0x1234), 0);
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, kipc_ids_find_rcu(ids, object->id), object);
	KUNIT_EXPECT_PTR_EQ(test, kipc_ids_find_key_rcu(ids, 0x1234), object);
	/* A stale id, and the index it shares with the live one. */
	KUNIT_EXPECT_NULL(test, kipc_ids_find_rcu(ids, object->id + (1 << KIPC_INDEX_BITS)));
	KUNIT_EXPECT_PTR_EQ(test,
			    kipc_ids_find_index_rcu(ids, object->id + (1 << KIPC_INDEX_BITS)),
			    object);
	KUNIT_EXPECT_NULL(test, kipc_ids_find_rcu(ids, object->id + 1));
	KUNIT_EXPECT_NULL(test, kipc_ids_find_key_rcu(ids, 0x1235));
	rcu_read_unlock();

	down_write(&ids->rwsem);
	spin_lock(&object->lock);
	kipc_ids_forget_key_locked(ids, object);
	spin_unlock(&object->lock);
	up_write(&ids->rwsem);
	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, kipc_ids_find_key_rcu(ids, 0x1234));
	KUNIT_EXPECT_PTR_EQ(test, kipc_ids_find_rcu(ids, object->id), object);
	rcu_read_unlock();
}

/* The highest index is right however it is asked for after removals. */
static void kipc_ids_test_highest(struct kunit *test)
{
	struct kipc_ids_fixture *fixture = test->priv;
	struct kipc_ids *ids = &fixture->ids;
	int i;

	KUNIT_EXPECT_EQ(test, kipc_ids_test_max(ids), -1);
	for (i = 0; i < KIPC_TEST_LIMIT; i++)
		KUNIT_ASSERT_EQ(test, kipc_ids_test_add(ids, &fixture->objects[i], IPC_PRIVATE), 0);
	KUNIT_EXPECT_EQ(test, kipc_ids_test_add(ids, &fixture->objects[i], IPC_PRIVATE), -ENOSPC);
	KUNIT_EXPECT_EQ(test, kipc_ids_test_max(ids), KIPC_TEST_LIMIT - 1);

	kipc_ids_test_remove(ids, &fixture->objects[50]);
	KUNIT_EXPECT_EQ(test, kipc_ids_test_max(ids), KIPC_TEST_LIMIT - 1);
	for (i = 64; i < KIPC_TEST_LIMIT; i++)
		kipc_ids_test_remove(ids, &fixture->objects[i]);
	KUNIT_EXPECT_EQ(test, kipc_ids_test_max(ids), 63);
	for (i = 1; i < 64; i++)
		if (i != 50)
			kipc_ids_test_remove(ids, &fixture->objects[i]);
	KUNIT_EXPECT_EQ(test, kipc_ids_test_max(ids), 0);
	kipc_ids_test_remove(ids, &fixture->objects[0]);
	KUNIT_EXPECT_EQ(test, kipc_ids_test_max(ids), -1);
}

static struct kunit_case kipc_ids_cases[] = {
	KUNIT_CASE(kipc_ids_test_sequence),
	KUNIT_CASE(kipc_ids_test_next_id),
	KUNIT_CASE(kipc_ids_test_find),
	KUNIT_CASE(kipc_ids_test_highest),
	{}
};

static struct kunit_suite kipc_ids_suite = {
	.name		= "kipc_ids",
	.init		= kipc_ids_test_init,
	.exit		= kipc_ids_test_exit,
	.test_cases	= kipc_ids_cases,
};

static void kipc_account_test_charge(struct kunit *test)
{
	struct kipc_account *account = kipc_account_get_current();
	struct kipc_account *same = kipc_account_get_current();

	KUNIT_ASSERT_NOT_NULL(test, account);
	KUNIT_EXPECT_PTR_EQ(test, account, same);
	KUNIT_EXPECT_TRUE(test, kipc_account_charge(account, KIPC_CHARGE_RECORDS, 3, 4));
	KUNIT_EXPECT_FALSE(test, kipc_account_charge(account, KIPC_CHARGE_RECORDS, 2, 4));
	/* The failure charged nothing, and other charges are apart. */
	KUNIT_EXPECT_TRUE(test, kipc_account_charge(account, KIPC_CHARGE_RECORDS, 1, 4));
	KUNIT_EXPECT_TRUE(test, kipc_account_charge(account, KIPC_CHARGE_LOCKED, 4, 4));
	KUNIT_EXPECT_FALSE(test, kipc_account_charge(account, KIPC_CHARGE_LOCKED, ULONG_MAX,
						     ULONG_MAX));
	kipc_account_uncharge(account, KIPC_CHARGE_RECORDS, 4);
	kipc_account_uncharge(account, KIPC_CHARGE_LOCKED, 4);
	kipc_account_put(same);
	kipc_account_put(account);
}

static struct kunit_case kipc_account_cases[] = {
	KUNIT_CASE(kipc_account_test_charge),
	{}
};

static struct kunit_suite kipc_account_suite = {
	.name		= "kipc_account",
	.test_cases	= kipc_account_cases,
};

/* ---- Trees ---- */

#define KIPC_TEST_RANKS		64
#define KIPC_TEST_VALUES	5
#define KIPC_TEST_STEPS		4000

struct kipc_order_fixture {
	struct rb_root ranked;
	struct rb_root sorted;
	struct kipc_rank ranks[KIPC_TEST_RANKS];
	struct kipc_place places[KIPC_TEST_RANKS];
	bool present[KIPC_TEST_RANKS];
};

/* The first by arrival that fits, found by looking at all. */
static int kipc_order_test_first(struct kipc_order_fixture *f,
				 bool (*fits)(long value, long wanted), long wanted)
{
	int i, first = -1;

	for (i = 0; i < KIPC_TEST_RANKS; i++)
		if (f->present[i] && fits(f->places[i].value, wanted) &&
		    (first < 0 || f->places[i].seq < f->places[first].seq))
			first = i;
	return first;
}

static bool kipc_order_test_is(long value, long wanted)
{
	return value == wanted;
}

static bool kipc_order_test_least(long value, long wanted)
{
	return value >= wanted;
}

static bool kipc_order_test_other(long value, long wanted)
{
	return value != wanted;
}

static void kipc_order_test_compare(struct kunit *test, struct kipc_order_fixture *f)
{
	struct kipc_place *place;
	struct kipc_rank *rank;
	unsigned long at;
	u64 last = 0;
	long value;
	int i;

	for (value = -1; value <= KIPC_TEST_VALUES; value++) {
		i = kipc_order_test_first(f, kipc_order_test_is, value);
		KUNIT_EXPECT_PTR_EQ(test, kipc_sorted_find(&f->sorted, value),
				    i < 0 ? NULL : &f->places[i]);
		i = kipc_order_test_first(f, kipc_order_test_least, value);
		KUNIT_EXPECT_PTR_EQ(test, kipc_ranked_find_least(&f->ranked, value),
				    i < 0 ? NULL : &f->ranks[i]);
		i = kipc_order_test_first(f, kipc_order_test_other, value);
		KUNIT_EXPECT_PTR_EQ(test, kipc_ranked_find_other(&f->ranked, value),
				    i < 0 ? NULL : &f->ranks[i]);
	}
	for (value = 0, i = -1; value < KIPC_TEST_VALUES && i < 0; value++)
		i = kipc_order_test_first(f, kipc_order_test_is, value);
	place = kipc_sorted_first(&f->sorted);
	KUNIT_EXPECT_PTR_EQ(test, place, i < 0 ? NULL : &f->places[i]);
	for (at = 0; (rank = kipc_ranked_at(&f->ranked, at)); at++) {
		KUNIT_EXPECT_TRUE(test, !at || rank->place.seq > last);
		last = rank->place.seq;
	}
	for (i = 0; i < KIPC_TEST_RANKS; i++)
		at -= f->present[i];
	KUNIT_EXPECT_EQ(test, at, 0ul);
}

/* Everything that is found, after each of many random changes. */
static void kipc_order_test(struct kunit *test)
{
	struct kipc_order_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i, step;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->sorted = RB_ROOT;
	prandom_seed_state(&rnd, 1);
	for (step = 0; step < KIPC_TEST_STEPS; step++) {
		i = prandom_u32_state(&rnd) % KIPC_TEST_RANKS;
		if (f->present[i]) {
			kipc_ranked_erase(&f->ranked, &f->ranks[i]);
			kipc_sorted_erase(&f->sorted, &f->places[i]);
		} else {
			f->places[i].value = prandom_u32_state(&rnd) % KIPC_TEST_VALUES;
			/* Most arrive last, some where they were long ago. */
			if (!f->places[i].seq || prandom_u32_state(&rnd) % 4)
				f->places[i].seq = step + 1;
			f->ranks[i].place = f->places[i];
			kipc_ranked_insert(&f->ranked, &f->ranks[i]);
			kipc_sorted_insert(&f->sorted, &f->places[i]);
		}
		f->present[i] = !f->present[i];
		kipc_order_test_compare(test, f);
	}
}

static struct kunit_case kipc_order_cases[] = {
	KUNIT_CASE(kipc_order_test),
	{}
};

static struct kunit_suite kipc_order_suite = {
	.name		= "kipc_order",
	.test_cases	= kipc_order_cases,
};

kunit_test_suites(&kipc_ids_suite, &kipc_account_suite, &kipc_order_suite);

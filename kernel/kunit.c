// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the pure steps: id tables and accounts.
 *
 * Built into the module where the kernel has KUnit, and run when it is loaded.
 */
#include <linux/ipc.h>
#include <linux/slab.h>
#include <kunit/test.h>

#include "account.h"
#include "ids.h"
#include "object.h"

struct kipc_ids_fixture {
	struct kipc_ids ids;
	struct kipc_object *objects;
};

#define KIPC_TEST_OBJECTS	100
#define KIPC_TEST_LIMIT		(KIPC_TEST_OBJECTS - 1)

static int kipc_ids_test_init(struct kunit *test)
{
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
		fixture->objects[i].key = IPC_PRIVATE;
	}
	KUNIT_ASSERT_EQ(test, kipc_ids_init(&fixture->ids), 0);
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

kunit_test_suites(&kipc_ids_suite, &kipc_account_suite);

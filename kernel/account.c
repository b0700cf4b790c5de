// SPDX-License-Identifier: GPL-2.0
/*
 * Per-user accounts: see account.h.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "account.h"

/**
 * struct kipc_account - what one user of one user namespace has
 * @node: in the table; kipc_accounts_lock
 * @refs: references; kipc_accounts_lock
 * @parent: account of the owner of @uid's namespace, or NULL; constant
 * @uid: the user; constant
 * @used: charges in force, by &enum kipc_charge
 */
struct kipc_account {
	struct hlist_node node;
	unsigned long refs;
	struct kipc_account *parent;
	kuid_t uid;
	atomic_long_t used[KIPC_CHARGES];
};

static DEFINE_HASHTABLE(kipc_accounts, 7);
static DEFINE_SPINLOCK(kipc_accounts_lock);

static struct kipc_account *kipc_account_find_locked(struct kipc_account *parent,
						     kuid_t uid)
{
	struct kipc_account *account;

	lockdep_assert_held(&kipc_accounts_lock);
	hash_for_each_possible(kipc_accounts, account, node, __kuid_val(uid))
		if (uid_eq(account->uid, uid) && account->parent == parent)
			return account;
	return NULL;
}

/* Find or make the account of @uid below @parent; takes over the reference on @parent. */
static struct kipc_account *kipc_account_get_child(struct kipc_account *parent,
						   kuid_t uid)
{
	struct kipc_account *account, *fresh;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	spin_lock(&kipc_accounts_lock);
	account = kipc_account_find_locked(parent, uid);
	if (account) {
		account->refs++;
	} else if (fresh) {
		account = fresh;
		fresh = NULL;
		account->refs = 1;
		account->parent = parent;
		account->uid = uid;
		hash_add(kipc_accounts, &account->node, __kuid_val(uid));
		parent = NULL;
	}
	spin_unlock(&kipc_accounts_lock);

	kfree(fresh);
	kipc_account_put(parent);
	return account;
}

/**
 * kipc_account_get_current() - the account that the caller's charges go to
 *
 * Context: may sleep.
 * Return: the account with a reference, or NULL when out of memory.
 */
struct kipc_account *kipc_account_get_current(void)
{
	struct user_namespace *path[34], *ns;
	struct kipc_account *account = NULL;
	kuid_t uid;
	int depth = 0;

	for (ns = current_user_ns(); ns->parent; ns = ns->parent) {
		if (WARN_ON_ONCE(depth == ARRAY_SIZE(path)))
			return NULL;
		path[depth++] = ns;
	}

	/* From the outermost owner down to the caller. */
	while (depth--) {
		uid = path[depth]->owner;
		account = kipc_account_get_child(account, uid);
		if (!account)
			return NULL;
	}
	return kipc_account_get_child(account, current_uid());
}

/**
 * kipc_account_new() - an account of nobody, to have those of users below it
 *
 * Context: may sleep.
 * Return: the account with a reference, or NULL when out of memory.
 */
struct kipc_account *kipc_account_new(void)
{
	struct kipc_account *account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);

	if (!account)
		return NULL;
	account->refs = 1;
	account->uid = INVALID_UID;
	return account;
}

/**
 * kipc_account_get_below() - the caller's account among those of one namespace
 * @parent: the account of nobody that the namespace has
 * @user_ns: whose users are told apart; of one below it, all are its owner
 *
 * Context: may sleep.
 * Return: the account with a reference, or NULL when out of memory.
 */
struct kipc_account *kipc_account_get_below(struct kipc_account *parent,
					    const struct user_namespace *user_ns)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_uid();

	for (; ns != user_ns && ns->parent; ns = ns->parent)
		uid = ns->owner;
	return kipc_account_get_child(kipc_account_get(parent), uid);
}

/**
 * kipc_account_get() - one more reference, for who has one
 * @account: the account
 */
struct kipc_account *kipc_account_get(struct kipc_account *account)
{
	spin_lock(&kipc_accounts_lock);
	account->refs++;
	spin_unlock(&kipc_accounts_lock);
	return account;
}

/**
 * kipc_account_put() - give a reference back
 * @account: the account, or NULL
 *
 * Context: any that may take a spinlock.
 */
void kipc_account_put(struct kipc_account *account)
{
	struct kipc_account *parent;

	while (account) {
		spin_lock(&kipc_accounts_lock);
		if (--account->refs) {
			spin_unlock(&kipc_accounts_lock);
			return;
		}
		hash_del(&account->node);
		spin_unlock(&kipc_accounts_lock);

		parent = account->parent;
		kfree(account);
		account = parent;
	}
}

/**
 * kipc_account_charge() - charge @amount to the account and all above it
 * @account: the account
 * @what: the thing charged
 * @amount: how many
 * @max: the most that any account on the way may have
 *
 * Return: true if charged, false (with nothing charged) if that exceeds @max.
 */
bool kipc_account_charge(struct kipc_account *account, enum kipc_charge what,
			 unsigned long amount, unsigned long max)
{
	struct kipc_account *at;
	unsigned long used;

	for (at = account; at; at = at->parent) {
		used = atomic_long_add_return(amount, &at->used[what]);
		if (used > max || used < amount)
			goto uncharge;
	}
	return true;

uncharge:
	atomic_long_sub(amount, &at->used[what]);
	for (; account != at; account = account->parent)
		atomic_long_sub(amount, &account->used[what]);
	return false;
}

/**
 * kipc_account_uncharge() - take a charge back
 * @account: the account charged
 * @what: the thing charged
 * @amount: how many
 */
void kipc_account_uncharge(struct kipc_account *account, enum kipc_charge what,
			   unsigned long amount)
{
	for (; account; account = account->parent)
		atomic_long_sub(amount, &account->used[what]);
}

/**
 * kipc_account_add() - charge to the account alone
 * @account: the account
 * @what: the thing charged
 * @amount: how many; negative: a charge is taken back
 *
 * Return: how many are charged then.
 */
long kipc_account_add(struct kipc_account *account, enum kipc_charge what, long amount)
{
	return atomic_long_add_return(amount, &account->used[what]);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Names: see name.h.
 */
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "account.h"
#include "ids.h"
#include "limits.h"
#include "name.h"
#include "perm.h"
#include "space.h"

/**
 * kipc_name_init() - give a new object of the caller's its name, and charge for it
 * @name: part of the object
 * @object: the object, in no table yet
 * @text: the name
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -ENOSPC: the caller has too many.
 */
int kipc_name_init(struct kipc_name *name, struct kipc_object *object, const char *text)
{
	static atomic64_t last;

	name->object = object;
	name->account = kipc_account_get_current();
	if (!name->account)
		return -ENOMEM;
	if (!kipc_account_charge(name->account, KIPC_CHARGE_NAMES, 1,
				 capable(CAP_SYS_RESOURCE) ? LONG_MAX : KIPC_USER_NAMES)) {
		kipc_account_put(name->account);
		return -ENOSPC;
	}
	name->text = kstrdup(text, GFP_KERNEL_ACCOUNT);
	if (!name->text) {
		kipc_account_uncharge(name->account, KIPC_CHARGE_NAMES, 1);
		kipc_account_put(name->account);
		return -ENOMEM;
	}
	name->serial = atomic64_inc_return(&last);
	return 0;
}

/**
 * kipc_name_deinit() - the object goes
 * @name: its name, which nobody looks up any more
 */
void kipc_name_deinit(struct kipc_name *name)
{
	kipc_account_uncharge(name->account, KIPC_CHARGE_NAMES, 1);
	kipc_account_put(name->account);
	kfree(name->text);
}

/**
 * kipc_name_end_locked() - kipc_object_ops.end_locked of what has a name
 * @name: the object's
 *
 * Return: true.
 */
bool kipc_name_end_locked(struct kipc_name *name)
{
	struct kipc_ids *ids = kipc_object_ids(name->object);

	kipc_ids_remove_name_locked(ids, name);
	kipc_ids_remove_locked(ids, name->object);
	return true;
}

/**
 * kipc_name_count_locked() - an object has one more of kipc_object.handles
 * @object: the object; its lock is held
 */
void kipc_name_count_locked(struct kipc_object *object)
{
	lockdep_assert_held(&object->lock);
	WRITE_ONCE(object->handles, object->handles + 1);
	object->was_used = true;
}

/**
 * kipc_name_enter() - kipc_named_kind.enter of what has handles
 * @object: the object
 * @open: what is asked for
 * @is_new: the object is the caller's, and nobody else has seen it
 *
 * Return: 0 or -EACCES.
 */
int kipc_name_enter(struct kipc_object *object, const struct kipc_open *open, bool is_new)
{
	int ret;

	spin_lock(&object->lock);
	ret = is_new ? 0 : kipc_may_open(object, open->flags);
	if (!ret)
		kipc_name_count_locked(object);
	spin_unlock(&object->lock);
	return ret;
}

/**
 * kipc_name_copy_in() - a caller's name
 * @user: its user address
 *
 * Context: may sleep.
 * Return: the name, to be freed by kfree(), -EFAULT, -ENOMEM, -ENAMETOOLONG, -ENOENT: it is
 *	   empty, or -EINVAL: it has a slash.
 */
char *kipc_name_copy_in(u64 user)
{
	char *text = strndup_user(u64_to_user_ptr(user), NAME_MAX + 1);
	int ret = 0;

	if (IS_ERR(text))
		return PTR_ERR(text) == -EINVAL ? ERR_PTR(-ENAMETOOLONG) : text;
	if (!*text)
		ret = -ENOENT;
	else if (strchr(text, '/'))
		ret = -EINVAL;
	if (!ret)
		return text;
	kfree(text);
	return ERR_PTR(ret);
}

static struct kipc_object *kipc_name_find_id_locked(struct kipc_ids *ids, int id)
{
	struct kipc_object *object;

	lockdep_assert_held(&ids->rwsem);
	rcu_read_lock();
	object = kipc_ids_find_rcu(ids, id);
	rcu_read_unlock();
	return object;
}

static struct kipc_object *kipc_name_find_locked(struct kipc_ids *ids, const char *text)
{
	struct kipc_name *name;

	lockdep_assert_held(&ids->rwsem);
	rcu_read_lock();
	name = kipc_ids_find_name_rcu(ids, text);
	rcu_read_unlock();
	/* What is in the table has the table's reference. */
	return name ? name->object : NULL;
}

/* Return: the object, -ENOENT, -EEXIST, -EINVAL, or what kipc_named_kind.enter says. */
static struct kipc_object *kipc_name_enter_locked(struct kipc_ids *ids,
						  const struct kipc_named_kind *kind,
						  const struct kipc_open *open)
{
	struct kipc_object *object;
	int ret;

	object = open->text ? kipc_name_find_locked(ids, open->text) :
		 kipc_name_find_id_locked(ids, open->id);
	if (!object)
		return ERR_PTR(open->text ? -ENOENT : -EINVAL);
	if ((open->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return ERR_PTR(-EEXIST);
	ret = kind->enter(object, open, false);
	if (ret)
		return ERR_PTR(ret);
	kipc_object_get(object);
	return object;
}

static struct kipc_object *kipc_name_open_existing(struct kipc_ids *ids,
						   const struct kipc_named_kind *kind,
						   const struct kipc_open *open)
{
	struct kipc_object *object;

	down_read(&ids->rwsem);
	object = kipc_name_enter_locked(ids, kind, open);
	up_read(&ids->rwsem);
	return object;
}

static int kipc_name_add_locked(struct kipc_ids *ids, struct kipc_name *name)
{
	int ret;

	ret = kipc_ids_add_name_locked(ids, name);
	if (ret)
		return ret;
	ret = kipc_ids_add_locked(ids, name->object, KIPC_INDEX_MAX);
	if (ret)
		kipc_ids_remove_name_locked(ids, name);
	return ret;
}

/* Make one, unless another has made one with that name meanwhile. */
static struct kipc_object *kipc_name_make(struct kipc_space *space,
					  const struct kipc_named_kind *kind,
					  struct kipc_open *open)
{
	struct kipc_ids *ids = &space->ids[kind->kind];
	struct kipc_object *object = kind->new(space, open);
	struct kipc_object *found;
	int ret;

	if (IS_ERR(object))
		return object;
	down_write(&ids->rwsem);
	found = kipc_name_enter_locked(ids, kind, open);
	if (found == ERR_PTR(-ENOENT)) {
		/* Nothing fails any more once somebody may find it. */
		kipc_object_get(object);
		kind->enter(object, open, true);
		ret = kipc_name_add_locked(ids, kind->name_of(object));
		if (!ret) {
			open->is_new = true;
			up_write(&ids->rwsem);
			return object;
		}
		found = ERR_PTR(ret);
		kipc_object_put(object);
	}
	up_write(&ids->rwsem);
	kipc_object_put(object);
	return found;
}

/**
 * kipc_name_open() - find an object by its name or id, or make it
 * @space: the caller's space
 * @kind: the kind
 * @open: what is asked for; its serial and is_new are filled in
 *
 * Context: process; may sleep.
 * Return: the object with a reference, entered, or -ENOENT, -EINVAL: no such id, -EEXIST,
 *	   -EACCES, -ENOSPC, -ENOMEM, or what kipc_named_kind.new or .enter says.
 */
struct kipc_object *kipc_name_open(struct kipc_space *space, const struct kipc_named_kind *kind,
				   struct kipc_open *open)
{
	struct kipc_object *object;

	object = kipc_name_open_existing(&space->ids[kind->kind], kind, open);
	if (object == ERR_PTR(-ENOENT) && open->flags & O_CREAT)
		object = kipc_name_make(space, kind, open);
	if (!IS_ERR(object))
		open->serial = kind->name_of(object)->serial;
	return object;
}

/**
 * kipc_name_unlink() - take an object's name away
 * @space: the caller's space
 * @kind: the kind
 * @text: the name
 *
 * Context: may sleep.
 * Return: 0, -ENOENT, or -EPERM: the object is somebody else's.
 */
int kipc_name_unlink(struct kipc_space *space, const struct kipc_named_kind *kind,
		     const char *text)
{
	struct kipc_ids *ids = &space->ids[kind->kind];
	struct kipc_object *object;
	int ret;

	/* Another may have unlinked it meanwhile, and a third made a new one. */
	do {
		down_read(&ids->rwsem);
		object = kipc_name_find_locked(ids, text);
		if (object)
			kipc_object_get(object);
		up_read(&ids->rwsem);
		if (!object)
			return -ENOENT;
		ret = kipc_object_end_if(object, kind->may_unlink);
		kipc_object_put(object);
	} while (ret == -EIDRM);
	return ret;
}

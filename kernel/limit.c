// SPDX-License-Identifier: GPL-2.0
/*
 * Settable limits: see limit.h.
 */
#include <linux/kernel.h>

#include "limit.h"
#include "limits.h"
#include "perm.h"
#include "shm.h"
#include "space.h"

static u64 kipc_shmmax_read(struct kipc_space *space)
{
	return space->shm_limits.max;
}

static void kipc_shmmax_write(struct kipc_space *space, u64 value)
{
	WRITE_ONCE(space->shm_limits.max, value);
}

static u64 kipc_shmall_read(struct kipc_space *space)
{
	return space->shm_limits.all;
}

static void kipc_shmall_write(struct kipc_space *space, u64 value)
{
	WRITE_ONCE(space->shm_limits.all, value);
}

static u64 kipc_shmmni_read(struct kipc_space *space)
{
	return space->shm_limits.mni;
}

static void kipc_shmmni_write(struct kipc_space *space, u64 value)
{
	space->shm_limits.mni = value;
}

static u64 kipc_rmid_forced_read(struct kipc_space *space)
{
	return space->shm_limits.rmid_forced;
}

static void kipc_rmid_forced_write(struct kipc_space *space, u64 value)
{
	WRITE_ONCE(space->shm_limits.rmid_forced, value);
}

static void kipc_rmid_forced_changed(struct kipc_space *space)
{
	kipc_shm_settle(space);
}

static u64 kipc_shm_next_id_read(struct kipc_space *space)
{
	return (s64)space->ids[KIPC_KIND_SHM].next_id;
}

static void kipc_shm_next_id_write(struct kipc_space *space, u64 value)
{
	space->ids[KIPC_KIND_SHM].next_id = value;
}

const struct kipc_limit_type kipc_limit_types[] = {
	[KIPC_LIMIT_SHMMAX] = {
		.name	= "shmmax",
		.kind	= KIPC_KIND_SHM,
		.max	= ULONG_MAX,
		.read	= kipc_shmmax_read,
		.write	= kipc_shmmax_write,
	},
	[KIPC_LIMIT_SHMALL] = {
		.name	= "shmall",
		.kind	= KIPC_KIND_SHM,
		.max	= ULONG_MAX,
		.read	= kipc_shmall_read,
		.write	= kipc_shmall_write,
	},
	[KIPC_LIMIT_SHMMNI] = {
		.name	= "shmmni",
		.kind	= KIPC_KIND_SHM,
		.max	= KIPC_INDEX_MAX,
		.read	= kipc_shmmni_read,
		.write	= kipc_shmmni_write,
	},
	[KIPC_LIMIT_SHM_RMID_FORCED] = {
		.name	= "shm_rmid_forced",
		.kind	= KIPC_KIND_SHM,
		.max	= 1,
		.read	= kipc_rmid_forced_read,
		.write	= kipc_rmid_forced_write,
		.changed = kipc_rmid_forced_changed,
	},
	[KIPC_LIMIT_SHM_NEXT_ID] = {
		.name	= "shm_next_id",
		.kind	= KIPC_KIND_SHM,
		.is_signed = true,
		.is_id	= true,
		.max	= INT_MAX,
		.read	= kipc_shm_next_id_read,
		.write	= kipc_shm_next_id_write,
	},
};

const unsigned int kipc_limit_count = ARRAY_SIZE(kipc_limit_types);

/**
 * kipc_limit_may_set() - whether the caller may set a limit
 * @space: the namespace
 * @type: the limit
 */
bool kipc_limit_may_set(struct kipc_space *space, const struct kipc_limit_type *type)
{
	return type->is_id ? kipc_may_set_ids(space) : kipc_may_set_limits(space);
}

/**
 * kipc_limit_get() - the value in force
 * @space: the namespace
 * @type: the limit
 *
 * Context: may sleep.
 */
u64 kipc_limit_get(struct kipc_space *space, const struct kipc_limit_type *type)
{
	struct kipc_ids *ids = &space->ids[type->kind];
	u64 value;

	down_read(&ids->rwsem);
	value = type->read(space);
	up_read(&ids->rwsem);
	return value;
}

/**
 * kipc_limit_set() - set a limit; the caller may
 * @space: the namespace
 * @type: the limit
 * @value: the value
 *
 * Context: may sleep.
 * Return: 0, or -EINVAL: out of range.
 */
int kipc_limit_set(struct kipc_space *space, const struct kipc_limit_type *type,
		   u64 value)
{
	struct kipc_ids *ids = &space->ids[type->kind];

	if (value > type->max)
		return -EINVAL;
	down_write(&ids->rwsem);
	type->write(space, value);
	up_write(&ids->rwsem);
	if (type->changed)
		type->changed(space);
	return 0;
}

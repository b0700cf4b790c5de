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

static void kipc_rmid_forced_changed(struct kipc_space *space)
{
	struct kipc_ids *ids = &space->ids[KIPC_KIND_SHM];

	/* The lock once more: of two who set it the later one's is the one that stays. */
	down_write(&ids->rwsem);
	WRITE_ONCE(ids->mortal, space->shm_limits.rmid_forced);
	up_write(&ids->rwsem);
	kipc_shm_settle(space);
}

#define KIPC_LIMIT_FIELD(field)						\
	.offset	= offsetof(struct kipc_space, field),			\
	.size	= sizeof_field(struct kipc_space, field)

const struct kipc_limit_type kipc_limit_types[] = {
	[KIPC_LIMIT_SHMMAX] = {
		.name	= "shmmax",
		.kind	= KIPC_KIND_SHM,
		.max	= ULONG_MAX,
		KIPC_LIMIT_FIELD(shm_limits.max),
	},
	[KIPC_LIMIT_SHMALL] = {
		.name	= "shmall",
		.kind	= KIPC_KIND_SHM,
		.max	= ULONG_MAX,
		KIPC_LIMIT_FIELD(shm_limits.all),
	},
	[KIPC_LIMIT_SHMMNI] = {
		.name	= "shmmni",
		.kind	= KIPC_KIND_SHM,
		.max	= KIPC_INDEX_MAX,
		KIPC_LIMIT_FIELD(shm_limits.mni),
	},
	[KIPC_LIMIT_SHM_RMID_FORCED] = {
		.name	= "shm_rmid_forced",
		.kind	= KIPC_KIND_SHM,
		.max	= 1,
		.changed = kipc_rmid_forced_changed,
		KIPC_LIMIT_FIELD(shm_limits.rmid_forced),
	},
	[KIPC_LIMIT_SHM_NEXT_ID] = {
		.name	= "shm_next_id",
		.kind	= KIPC_KIND_SHM,
		.is_signed = true,
		.is_id	= true,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(ids[KIPC_KIND_SHM].next_id),
	},
	[KIPC_LIMIT_SEMMSL] = {
		.kind	= KIPC_KIND_SEM,
		.is_signed = true,
		.min	= INT_MIN,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(sem_limits.msl),
	},
	[KIPC_LIMIT_SEMMNS] = {
		.kind	= KIPC_KIND_SEM,
		.is_signed = true,
		.min	= INT_MIN,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(sem_limits.mns),
	},
	[KIPC_LIMIT_SEMOPM] = {
		.kind	= KIPC_KIND_SEM,
		.is_signed = true,
		.min	= INT_MIN,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(sem_limits.opm),
	},
	[KIPC_LIMIT_SEMMNI] = {
		.kind	= KIPC_KIND_SEM,
		.max	= KIPC_INDEX_MAX,
		KIPC_LIMIT_FIELD(sem_limits.mni),
	},
	[KIPC_LIMIT_SEM_NEXT_ID] = {
		.name	= "sem_next_id",
		.kind	= KIPC_KIND_SEM,
		.is_signed = true,
		.is_id	= true,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(ids[KIPC_KIND_SEM].next_id),
	},
	[KIPC_LIMIT_MSGMAX] = {
		.name	= "msgmax",
		.kind	= KIPC_KIND_MSG,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(msg_limits.max),
	},
	[KIPC_LIMIT_MSGMNB] = {
		.name	= "msgmnb",
		.kind	= KIPC_KIND_MSG,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(msg_limits.mnb),
	},
	[KIPC_LIMIT_MSGMNI] = {
		.name	= "msgmni",
		.kind	= KIPC_KIND_MSG,
		.max	= KIPC_INDEX_MAX,
		KIPC_LIMIT_FIELD(msg_limits.mni),
	},
	[KIPC_LIMIT_MSG_NEXT_ID] = {
		.name	= "msg_next_id",
		.kind	= KIPC_KIND_MSG,
		.is_signed = true,
		.is_id	= true,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(ids[KIPC_KIND_MSG].next_id),
	},
	[KIPC_LIMIT_MQ_QUEUES] = {
		.name	= "queues_max",
		.kind	= KIPC_KIND_POSIX_MQ,
		.max	= INT_MAX,
		KIPC_LIMIT_FIELD(mq_limits.queues_max),
	},
	[KIPC_LIMIT_MQ_MSG] = {
		.name	= "msg_max",
		.kind	= KIPC_KIND_POSIX_MQ,
		.is_signed = true,
		.min	= 1,
		.max	= KIPC_MQ_MSG_MAX,
		KIPC_LIMIT_FIELD(mq_limits.msg_max),
	},
	[KIPC_LIMIT_MQ_MSGSIZE] = {
		.name	= "msgsize_max",
		.kind	= KIPC_KIND_POSIX_MQ,
		.is_signed = true,
		.min	= 128,
		.max	= KIPC_MQ_MSGSIZE_MAX,
		KIPC_LIMIT_FIELD(mq_limits.msgsize_max),
	},
	[KIPC_LIMIT_MQ_MSG_DEFAULT] = {
		.name	= "msg_default",
		.kind	= KIPC_KIND_POSIX_MQ,
		.is_signed = true,
		.min	= 1,
		.max	= KIPC_MQ_MSG_MAX,
		KIPC_LIMIT_FIELD(mq_limits.msg_default),
	},
	[KIPC_LIMIT_MQ_MSGSIZE_DEFAULT] = {
		.name	= "msgsize_default",
		.kind	= KIPC_KIND_POSIX_MQ,
		.is_signed = true,
		.min	= 128,
		.max	= KIPC_MQ_MSGSIZE_MAX,
		KIPC_LIMIT_FIELD(mq_limits.msgsize_default),
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

static u64 kipc_limit_read_locked(struct kipc_space *space, const struct kipc_limit_type *type)
{
	void *field = (void *)space + type->offset;

	switch (type->size) {
	case sizeof(u8):
		return *(u8 *)field;
	case sizeof(u32):
		return type->is_signed ? (s64)*(s32 *)field : *(u32 *)field;
	default:
		return *(u64 *)field;
	}
}

/* Others look at some limits without the lock. */
static void kipc_limit_write_locked(struct kipc_space *space, const struct kipc_limit_type *type,
				    u64 value)
{
	void *field = (void *)space + type->offset;

	switch (type->size) {
	case sizeof(u8):
		WRITE_ONCE(*(u8 *)field, value);
		break;
	case sizeof(u32):
		WRITE_ONCE(*(u32 *)field, value);
		break;
	default:
		WRITE_ONCE(*(u64 *)field, value);
	}
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
	value = kipc_limit_read_locked(space, type);
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

	if (type->is_signed ? (s64)value < type->min || (s64)value > (s64)type->max :
			      value > type->max)
		return -EINVAL;
	down_write(&ids->rwsem);
	kipc_limit_write_locked(space, type, value);
	up_write(&ids->rwsem);
	if (type->changed)
		type->changed(space);
	return 0;
}

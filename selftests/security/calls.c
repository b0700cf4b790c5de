// SPDX-License-Identifier: GPL-2.0
#include "calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <kipc.h>

#include "common/matrix.h"

void output_add_perm(struct output *out, const struct ipc_perm *perm)
{
	output_add(out, perm->__key);
	output_add(out, perm->uid);
	output_add(out, perm->gid);
	output_add(out, perm->cuid);
	output_add(out, perm->cgid);
	output_add(out, perm->mode);
	output_add(out, perm->__seq);
}

void change_perm(struct ipc_perm *perm, enum change how)
{
	if (how == SET_MODE)
		perm->mode ^= 0111;
	if (how == SET_MINE) {
		perm->uid = geteuid();
		perm->gid = getegid();
	}
	if (how == SET_UNKNOWN)
		perm->uid = -1;
}

struct object make_object(const struct ipc *ipc, unsigned int kind, int mode)
{
	static int (*const make[])(const struct ipc *ipc, key_t key, int mode) = {
		[KIPC_KIND_SHM] = shm_make,
		[KIPC_KIND_SEM] = sem_make,
		[KIPC_KIND_MSG] = msg_make,
	};
	struct object o = { .key = KEY(mode), .mode = mode };

	o.id = make[kind](ipc, o.key, mode);
	o.index = o.id & (KIPC_INDEX_MAX - 1);
	return o;
}

long look_at_object(const struct ipc *ipc, const struct object *o, long kind,
		    struct output *out)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return shm_look(ipc, o, out);
	case KIPC_KIND_SEM:
		return sem_look(ipc, o, out);
	default:
		return msg_look(ipc, o, out);
	}
}

static int get_native(unsigned int kind, key_t key, int flags)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return shmget(key, 0, flags);
	case KIPC_KIND_SEM:
		return semget(key, 0, flags);
	default:
		return msgget(key, flags);
	}
}

long open_handle(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	static const int rights[] = { [O_RDONLY] = 0400, [O_WRONLY] = 0200, [O_RDWR] = 0600 };
	unsigned int kind = arg >> 8;
	int flags = arg & O_ACCMODE, fd;

	(void)out;
	if (ipc == &ipc_native) {
		if (get_native(kind, o->key, rights[flags]) >= 0)
			return 0;
		/* As for an id that there is not. */
		if (errno == ENOENT)
			errno = EINVAL;
		return -1;
	}
	fd = kipc_handle(kind, o->id, flags, NULL);
	return fd < 0 ? -1 : close(fd);
}

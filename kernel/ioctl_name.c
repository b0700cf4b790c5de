// SPDX-License-Identifier: GPL-2.0
/*
 * The calls by name, and those on a POSIX semaphore by its address: see ioctl.h.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <linux/kipc.h>

#include "handle.h"
#include "ioctl.h"
#include "ioctl_calls.h"
#include "name.h"
#include "posix_mq.h"
#include "posix_sem.h"
#include "posix_shm.h"
#include "stream.h"

int kipc_ioctl_name_open(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_name_open __user *user = arg;
	struct kipc_name_open name;
	struct kipc_open open;
	char *text;
	int ret;

	ret = kipc_copy_in(&name, sizeof(name), arg, size);
	if (ret)
		return ret;
	if (name.serial || (name.flags & O_ACCMODE) == O_ACCMODE ||
	    name.kind < KIPC_KINDS || name.kind >= KIPC_ALL_KINDS ||
	    (name.msgsize && name.kind != KIPC_KIND_POSIX_MQ) ||
	    (name.lifetime && (name.kind != KIPC_KIND_STREAM ||
			       name.lifetime != KIPC_LIFETIME_USERS)) ||
	    name.flags & ~(O_ACCMODE | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK |
			   (name.kind == KIPC_KIND_POSIX_SHM ? O_TRUNC : 0)))
		return -EINVAL;
	text = kipc_name_copy_in(name.name);
	if (IS_ERR(text))
		return PTR_ERR(text);
	open = (struct kipc_open){
		.text = text, .flags = name.flags, .size = name.size,
		.msgsize = name.msgsize, .lifetime = name.lifetime,
		.mode = name.mode & S_IALLUGO & ~current_umask(),
	};
	/* Where it cannot be told which it is nothing is opened. */
	ret = put_user(0, &user->serial);
	if (!ret)
		ret = kipc_handle_open_named(space, name.kind, &open);
	kfree(text);
	if (ret >= 0)
		put_user(open.serial, &user->serial);
	return ret;
}

int kipc_ioctl_name_unlink(struct kipc_space *space, void __user *arg, size_t size)
{
	static const struct kipc_named_kind *const kinds[] = {
		&kipc_posix_shm_kind, &kipc_posix_sem_kind, &kipc_posix_mq_kind,
		&kipc_stream_kind,
	};
	struct kipc_name_unlink name;
	unsigned int kind;
	char *text;
	int ret;

	ret = kipc_copy_in(&name, sizeof(name), arg, size);
	if (ret)
		return ret;
	kind = name.kind - KIPC_KINDS;
	if (name.pad || kind >= ARRAY_SIZE(kinds))
		return -EINVAL;
	text = kipc_name_copy_in(name.name);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = kipc_name_unlink(space, kinds[array_index_nospec(kind, ARRAY_SIZE(kinds))], text);
	kfree(text);
	return ret;
}

int kipc_ioctl_name_adopt(struct kipc_space *space, void __user *arg, size_t size)
{
	struct kipc_name_adopt adopt;
	struct kipc_open open;
	struct file *memfd;
	char *text;
	int ret;

	ret = kipc_copy_in(&adopt, sizeof(adopt), arg, size);
	if (ret)
		return ret;
	if (adopt.flags || adopt.pad)
		return -EINVAL;
	text = kipc_name_copy_in(adopt.name);
	if (IS_ERR(text))
		return PTR_ERR(text);
	open = (struct kipc_open){
		.text = text, .mode = adopt.mode & S_IALLUGO & ~current_umask(),
	};
	ret = -EBADF;
	memfd = fget(adopt.fd);
	if (memfd) {
		ret = kipc_posix_shm_publish(space, &open, memfd);
		fput(memfd);
	}
	kfree(text);
	return ret;
}

int kipc_ioctl_posix_sem_op(void __user *arg, size_t size)
{
	struct kipc_posix_sem_op __user *user = arg;
	struct kipc_posix_sem_op op;
	struct kipc_timeout timeout;
	int ret;

	ret = kipc_copy_in(&op, sizeof(op), arg, size);
	if (ret)
		return ret;
	/* Only a point of time can be waited for anew after a signal. */
	if (op.taken || (op.timeout && (op.op != KIPC_POSIX_SEM_WAIT ||
				      op.flags != KIPC_TIMEOUT_ABSOLUTE)))
		return -EINVAL;
	ret = kipc_timeout_get(&timeout, op.timeout, op.flags, op.clock);
	/* Where it cannot be told nothing is taken. */
	if (!ret)
		ret = put_user(0, &user->taken);
	if (!ret)
		ret = kipc_posix_sem_op(op.addr, op.op, &timeout);
	if (!ret && op.op != KIPC_POSIX_SEM_POST)
		put_user(1, &user->taken);
	return ret;
}

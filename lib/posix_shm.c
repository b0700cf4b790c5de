// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * POSIX shared memory: shm_open(3), shm_unlink(3).
 *
 * Level 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <kipc.h>

#include "name.h"
#include "process.h"
#include "sys.h"

/* The C library's are files of a directory, where these two names are taken. */
static const char *text_of(const char *name)
{
	const char *text = kipc_name_text(name, NAME_MAX);

	if (text && (!strcmp(text, ".") || !strcmp(text, ".."))) {
		errno = EINVAL;
		return NULL;
	}
	return text;
}

KIPC_PUBLIC int kipc_shm_open_size(const char *name, int oflag, mode_t mode, size_t size)
{
	struct kipc_name_open open = {
		.kind = KIPC_KIND_POSIX_SHM, .mode = mode, .size = size,
		.flags = (oflag & (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC)) | O_CLOEXEC,
	};
	const char *text = text_of(name);
	uint64_t serial;

	if (!text)
		return -1;
	open.name = (uintptr_t)text;
	return kipc_name_open(&open, &serial);
}

KIPC_PUBLIC int kipc_shm_open(const char *name, int oflag, mode_t mode)
{
	return kipc_shm_open_size(name, oflag, mode, 0);
}

KIPC_PUBLIC int kipc_shm_publish(const char *name, int memfd, mode_t mode)
{
	const char *text = text_of(name);
	int fd = kipc_process_device();
	long ret;

	if (!text)
		return -1;
	while ((ret = sys_name_adopt(fd, text, memfd, mode)) < 0) {
		fd = kipc_process_recover_given(fd, ret);
		if (fd < 0)
			return -1;
	}
	return 0;
}

KIPC_PUBLIC int kipc_shm_unlink(const char *name)
{
	const char *text = text_of(name);
	int ret;

	if (!text) {
		/* As the C library has it. */
		if (errno == EINVAL)
			errno = ENOENT;
		return -1;
	}
	ret = kipc_name_unlink(KIPC_KIND_POSIX_SHM, text);
	/* What the C library makes of a file in a directory that is sticky. */
	if (ret < 0 && errno == EPERM)
		errno = EACCES;
	return ret;
}

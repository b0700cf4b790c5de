// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of POSIX objects: see name.h. */
#include "name.h"

#include <errno.h>
#include <string.h>

#include "sys.h"

const char *kipc_name_text(const char *name, size_t max)
{
	size_t length;

	name += strspn(name, "/");
	length = strlen(name);
	if (length && length <= max && !memchr(name, '/', length))
		return name;
	errno = length > max && !memchr(name, '/', length) ? ENAMETOOLONG : EINVAL;
	return NULL;
}

int kipc_name_open(const struct kipc_name_open *open, uint64_t *serial)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_name_open(fd, open, serial)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

int kipc_name_unlink(unsigned int kind, const char *text)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_name_unlink(fd, kind, text)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Byte streams: what mkfifo(3), open(2) and unlink(2) are to a FIFO.
 *
 * Level 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <kipc.h>

#include "name.h"

KIPC_PUBLIC int kipc_stream_open(const char *name, int oflag, mode_t mode, size_t size,
				 unsigned int lifetime)
{
	struct kipc_name_open open = {
		.kind = KIPC_KIND_STREAM, .mode = mode, .size = size, .lifetime = lifetime,
		.flags = oflag,
	};
	const char *text = kipc_name_text(name, NAME_MAX);
	uint64_t serial;

	if (!text)
		return -1;
	open.name = (uintptr_t)text;
	return kipc_name_open(&open, &serial);
}

KIPC_PUBLIC int kipc_stream_unlink(const char *name)
{
	const char *text = kipc_name_text(name, NAME_MAX);

	return text ? kipc_name_unlink(KIPC_KIND_STREAM, text) : -1;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module and the namespace: version, limits.
 *
 * Level 3.
 */
#include <errno.h>
#include <kipc.h>

#include "process.h"
#include "sys.h"

KIPC_PUBLIC int kipc_query(struct kipc_query *query)
{
	struct kipc_query answer = { 0 };
	int fd = kipc_process_device();
	long ret;

	while (unlikely((ret = sys_query(fd, &answer)) < 0)) {
		fd = kipc_process_recover(fd, ret);
		if (fd >= 0)
			continue;
		if (errno == EPROTO) {
			kipc_process_ask(query);
			errno = EPROTO;
		}
		return -1;
	}
	*query = answer;
	return 0;
}

static int limit_call(unsigned int limit, unsigned int flags, uint64_t *value)
{
	int fd = kipc_process_device();
	uint64_t v;
	long ret;

	while (v = *value, unlikely((ret = sys_limit(fd, limit, flags, &v)) < 0)) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	*value = v;
	return 0;
}

KIPC_PUBLIC int kipc_limit_get(unsigned int limit, uint64_t *value)
{
	uint64_t v = 0;

	if (limit_call(limit, 0, &v))
		return -1;
	*value = v;
	return 0;
}

KIPC_PUBLIC int kipc_limit_set(unsigned int limit, uint64_t value)
{
	return limit_call(limit, KIPC_LIMIT_SET, &value);
}

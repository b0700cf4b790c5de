// SPDX-License-Identifier: LGPL-2.1-or-later
// The public header in C++: it must compile, and its names must link.
#include <kipc.h>
#include <errno.h>

int main()
{
	struct kipc_query query;
	uint64_t value;

	(void)kipc_query(&query);
	(void)kipc_limit_get(KIPC_LIMIT_SHMMAX, &value);
	int id = kipc_shmget_lifetime(IPC_PRIVATE, 1, 0600, KIPC_LIFETIME_CREATOR);
	return id < 0 && errno == 0;
}

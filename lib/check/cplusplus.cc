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
	int set = kipc_semget_lifetime(IPC_PRIVATE, 1, 0600, KIPC_LIFETIME_CREATOR);
	struct sembuf op = { 0, 1, SEM_UNDO };
	struct timespec time = { 0, 0 };
	(void)kipc_semop(set, &op, 1);
	(void)kipc_semtimedop(set, &op, 1, &time);
	(void)kipc_semclockop(set, &op, 1, CLOCK_REALTIME, TIMER_ABSTIME, &time);
	(void)kipc_semctl(set, 0, SETVAL, 0);
	return id < 0 && set < 0 && errno == 0;
}

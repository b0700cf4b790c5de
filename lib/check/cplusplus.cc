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
	int queue = kipc_msgget_lifetime(IPC_PRIVATE, 0600, KIPC_LIFETIME_CREATOR);
	struct { long type; char text[1]; } message = { 1, "" };
	struct kipc_msg_vec vec = { (uintptr_t)&message, 1 };
	(void)kipc_msgsnd(queue, &message, 1, IPC_NOWAIT);
	(void)kipc_msgrcv(queue, &message, 1, 0, IPC_NOWAIT);
	(void)kipc_msgclocksnd(queue, &message, 1, 0, CLOCK_REALTIME, TIMER_ABSTIME, &time);
	(void)kipc_msgclockrcv(queue, &message, 1, 0, 0, CLOCK_REALTIME, 0, &time);
	(void)kipc_msgsndv(queue, &vec, 1, 0, CLOCK_REALTIME, 0, &time);
	(void)kipc_msgrcvv(queue, &vec, 1, 0, 0, CLOCK_REALTIME, 0, &time);
	(void)kipc_msgctl(queue, IPC_RMID, nullptr);
	return id < 0 && set < 0 && queue < 0 && errno == 0;
}

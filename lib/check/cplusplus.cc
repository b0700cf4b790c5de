// SPDX-License-Identifier: LGPL-2.1-or-later
// The public header in C++: it must compile, and its names must link.
#include <kipc.h>
// liburing's header wants some of C++'s own, which are not there for 32 bits everywhere.
#ifdef __LP64__
#include <kipc_uring.h>
#endif
#include <errno.h>
#include <fcntl.h>

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
	struct kipc_filter filter = { 0, -1, 0, 0 };
	int handle = kipc_handle(KIPC_KIND_SEM, set, O_RDWR | O_CLOEXEC, &filter);
	int other = kipc_handle_create(KIPC_KIND_MSG, 0, O_RDWR, 0600, nullptr);
	struct kipc_sem_op sem_call;
	struct kipc_msg_op msg_call;
	(void)kipc_handle_notify(handle, -1, 0);
	(void)kipc_handle_semop(handle, &op, 1, CLOCK_MONOTONIC, 0, &time);
	(void)kipc_handle_msgsnd(other, &message, 1, 0, CLOCK_MONOTONIC, 0, &time);
	(void)kipc_handle_msgrcv(other, &message, 1, 0, 0, CLOCK_MONOTONIC, 0, &time);
	kipc_call_semop(&sem_call, &op, 1);
	kipc_call_message(&msg_call, &message, 1, 0, 0);
	struct kipc_any any[2] = {
		{ handle, KIPC_IOC_SEM_OP, (uintptr_t)&sem_call, 0 },
		{ other, KIPC_IOC_MSG_SEND, (uintptr_t)&msg_call, 0 },
	};
	(void)kipc_wait_any(any, 2, CLOCK_MONOTONIC, 0, &time);
#ifdef __LP64__
	struct io_uring_sqe sqe;
	kipc_prep_semop(&sqe, handle, nullptr, &op, 1);
	kipc_prep_semop(&sqe, handle, &sem_call, &op, 1);
	kipc_prep_msgsnd(&sqe, other, &msg_call, &message, 1, 0);
	kipc_prep_msgrcv(&sqe, other, &msg_call, &message, 1, 0, 0);
#endif
	return id < 0 && set < 0 && queue < 0 && handle < 0 && other < 0 && errno == 0;
}

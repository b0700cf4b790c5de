/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls on handles by io_uring, asynchronously: for programs that use liburing.
 *
 * Each prepares a request; the rest is liburing's.  The result in the completion is what
 * the call of the same name returns, or the error negated; ECANCELED: the ring or the
 * thread that submitted it ended first.  What a pointer leads to stays until then.
 * A message begins with its type in 64 bits, as long has them except in 32-bit programs.
 *
 * Time-outs: set timeout, the flags (KIPC_TIMEOUT_*; timeout_flags of a message) and clock of
 * *call afterwards, as <linux/kipc.h> has them.  KIPC_SEM_OP_OWNER is one more flag of a
 * struct kipc_sem_op.
 */
#ifndef _KIPC_URING_H
#define _KIPC_URING_H

#include <liburing.h>
#include <string.h>

#include <kipc.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void kipc_prep_command(struct io_uring_sqe *sqe, int handle, unsigned int op,
				     const struct kipc_uring_cmd *command)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, handle, NULL, 0, 0);
	sqe->cmd_op = op;
	memcpy((void *)sqe->cmd, command, sizeof(*command));
}

/*
 * kipc_handle_semop().  call NULL: a single operation, without time-out or flags, which is
 * copied; the cheaper way.  With another number of them it fails: ENOTTY.
 */
static inline void kipc_prep_semop(struct io_uring_sqe *sqe, int handle,
				   struct kipc_sem_op *call, const struct sembuf *sops,
				   size_t nsops)
{
	struct kipc_uring_cmd command;

	memset(&command, 0, sizeof(command));
	if (!call) {
		kipc_prep_command(sqe, handle, nsops == 1 ? KIPC_URING_SEM_OP : 0, &command);
		/* struct kipc_uring_cmd begins as struct sembuf does. */
		memcpy((void *)sqe->cmd, sops, sizeof(*sops));
		return;
	}
	kipc_call_semop(call, sops, nsops);
	command.arg = (uintptr_t)call;
	kipc_prep_command(sqe, handle, KIPC_IOC_SEM_OP, &command);
}

static inline void kipc_prep_message(struct io_uring_sqe *sqe, int handle, unsigned int op,
				     struct kipc_msg_op *call, const void *msgp, size_t msgsz,
				     long msgtyp, int msgflg)
{
	struct kipc_uring_cmd command;

	memset(&command, 0, sizeof(command));
	kipc_call_message(call, msgp, msgsz, msgtyp, msgflg);
	command.arg = (uintptr_t)call;
	kipc_prep_command(sqe, handle, op, &command);
}

/* kipc_handle_msgsnd(). */
static inline void kipc_prep_msgsnd(struct io_uring_sqe *sqe, int handle,
				    struct kipc_msg_op *call, const void *msgp, size_t msgsz,
				    int msgflg)
{
	kipc_prep_message(sqe, handle, KIPC_IOC_MSG_SEND, call, msgp, msgsz, 0, msgflg);
}

/* kipc_handle_msgrcv(). */
static inline void kipc_prep_msgrcv(struct io_uring_sqe *sqe, int handle,
				    struct kipc_msg_op *call, void *msgp, size_t msgsz,
				    long msgtyp, int msgflg)
{
	kipc_prep_message(sqe, handle, KIPC_IOC_MSG_RECEIVE, call, msgp, msgsz, msgtyp, msgflg);
}

#ifdef __cplusplus
}
#endif

#endif /* _KIPC_URING_H */

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libkipc-preload: the C library's functions that change whose rights the process has, or
 * who shares its memory.
 *
 * What is mapped of semaphore sets was granted to the process as it was.  The kernel does
 * not tell kipc when that changes, so it is cut here, before the function returns; sets
 * that the process may still use are mapped again when they are used.  A child that runs
 * in its parent's memory is not the process that mapped them.
 *
 * Level 4.
 */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/fsuid.h>
#include <sys/single_threaded.h>
#include <sys/types.h>
#include <unistd.h>

#include "fast_sem.h"
#include "preload.h"
#include "process.h"

#ifdef KIPC_HAS_FAST_SEM

int capset(void *header, const void *data);

/* A failure changes nothing.  The parameters' names come twice: with types and without. */
#define CHANGES_RIGHTS(name, parameters, ...)				\
	CHANGES(name, kipc_fast_sem_cut(), parameters, __VA_ARGS__)

#define CHANGES(name, cut, parameters, ...)				\
KIPC_PUBLIC int name parameters						\
{									\
	__typeof__(&name) next_ = NEXT(name);				\
	int ret_;							\
									\
	if (unlikely(!next_)) {						\
		errno = ENOSYS;						\
		return -1;						\
	}								\
	ret_ = next_(__VA_ARGS__);					\
	if (ret_ != -1)							\
		cut;							\
	return ret_;							\
}

CHANGES_RIGHTS(setuid, (uid_t uid), uid)
CHANGES_RIGHTS(setgid, (gid_t gid), gid)
CHANGES_RIGHTS(seteuid, (uid_t euid), euid)
CHANGES_RIGHTS(setegid, (gid_t egid), egid)
CHANGES_RIGHTS(setreuid, (uid_t ruid, uid_t euid), ruid, euid)
CHANGES_RIGHTS(setregid, (gid_t rgid, gid_t egid), rgid, egid)
CHANGES_RIGHTS(setresuid, (uid_t ruid, uid_t euid, uid_t suid), ruid, euid, suid)
CHANGES_RIGHTS(setresgid, (gid_t rgid, gid_t egid, gid_t sgid), rgid, egid, sgid)
CHANGES_RIGHTS(setfsuid, (uid_t uid), uid)
CHANGES_RIGHTS(setfsgid, (gid_t gid), gid)
CHANGES_RIGHTS(setgroups, (size_t count, const gid_t *groups), count, groups)
CHANGES_RIGHTS(initgroups, (const char *user, gid_t group), user, group)
CHANGES_RIGHTS(capset, (void *header, const void *data), header, data)

/* The ids are another namespace's; those of other threads are not, so none tells a set. */
static void leave_namespace(int kinds)
{
	if (!__libc_single_threaded && (!kinds || kinds & CLONE_NEWIPC))
		kipc_fast_sem_suspend();
	kipc_fast_sem_cut();
}

CHANGES(unshare, leave_namespace(flags), (int flags), flags)
CHANGES(setns, leave_namespace(type), (int fd, int type), fd, type)

/*
 * vfork is in preload_entry.S.  Such a child of clone may live on, and there is no knowing
 * when it has ended, unless its parent waits.
 */
KIPC_PUBLIC int clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	__typeof__(&clone) next = NEXT(clone);
	int shares = (flags & (CLONE_VM | CLONE_THREAD)) == CLONE_VM;
	void *parent_tid, *tls, *child_tid;
	va_list ap;
	int ret;

	va_start(ap, argument);
	parent_tid = va_arg(ap, void *);
	tls = va_arg(ap, void *);
	child_tid = va_arg(ap, void *);
	va_end(ap);

	if (shares)
		kipc_fast_sem_suspend();
	ret = next(function, stack, flags, argument, parent_tid, tls, child_tid);
	if (shares && (ret == -1 || flags & CLONE_VFORK))
		kipc_fast_sem_resume();
	return ret;
}

int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
	__attribute__((alias("clone"), visibility("default"), nothrow, leaf));

#endif

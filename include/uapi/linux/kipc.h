/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The kipc ABI: what the module and its library say to each other.  This is the
 * only header that both sides include; Documentation/abi.rst tells its rules.
 *
 * Calls are ioctls on /dev/kipc.  The ioctl number carries the size of the
 * caller's structure; structures grow at their end only.  A longer one is a
 * newer caller: accepted if what the module does not know is zero, else E2BIG.
 * A shorter one is an older caller, whose missing fields read as zero; one that
 * is shorter than the structure ever was is refused with EINVAL.
 * Padding and bits that are kipc's own must be zero, else EINVAL.  A System V
 * flag word follows System V: unknown bits are ignored.
 *
 * A descriptor of the device carries no object, no right and no namespace: each
 * call acts in the IPC namespace and with the credentials of its caller.
 */
#ifndef _UAPI_LINUX_KIPC_H
#define _UAPI_LINUX_KIPC_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * The ABI is unstable while this is 0: module and library must agree exactly,
 * and the library says so when they do not.
 */
#define KIPC_ABI_VERSION	0

#define KIPC_DEVICE		"/dev/kipc"

/* Kinds of object.  A kind is also the number of its id table. */
#define KIPC_KIND_SHM		0
#define KIPC_KIND_SEM		1
#define KIPC_KIND_MSG		2
#define KIPC_KINDS		3
/* Those below have names, each kind for itself, and no keys. */
#define KIPC_KIND_POSIX_SHM	3
#define KIPC_KIND_POSIX_SEM	4
#define KIPC_KIND_POSIX_MQ	5
#define KIPC_KIND_STREAM	6
#define KIPC_ALL_KINDS		7

/*
 * An id is an index below 2^24 with a sequence number above it, as native ids
 * are under ipcmni_extend.
 */
#define KIPC_INDEX_BITS		24
#define KIPC_INDEX_MAX		(1 << KIPC_INDEX_BITS)

/**
 * struct kipc_query - KIPC_IOC_QUERY: what this module is
 * @abi: out, KIPC_ABI_VERSION of the module
 * @pad: must be zero
 * @features: out, KIPC_FEATURE_* bits
 * @release: out, the module's release, NUL-terminated
 */
struct kipc_query {
	__u32	abi;
	__u32	pad;
	__u64	features;
	char	release[32];
};

#define KIPC_FEATURE_SHM		(1ull << 0)	/* segments */
#define KIPC_FEATURE_SHM_HUGETLB	(1ull << 1)	/* SHM_HUGETLB */
#define KIPC_FEATURE_LIFETIME_CREATOR	(1ull << 2)	/* KIPC_LIFETIME_CREATOR */
#define KIPC_FEATURE_SEM		(1ull << 3)	/* semaphore sets */
#define KIPC_FEATURE_SEM_MAP		(1ull << 4)	/* operations without a system call */
#define KIPC_FEATURE_MSG		(1ull << 5)	/* message queues */
#define KIPC_FEATURE_HANDLE		(1ull << 6)	/* descriptors that stand for objects */
#define KIPC_FEATURE_URING		(1ull << 7)	/* commands of io_uring on them */
#define KIPC_FEATURE_LIFETIME_USERS	(1ull << 8)	/* KIPC_LIFETIME_USERS, KIPC_IOC_HANDLE_CREATE */
#define KIPC_FEATURE_HANDLE_NOTIFY	(1ull << 9)	/* KIPC_IOC_HANDLE_NOTIFY, O_ASYNC */
#define KIPC_FEATURE_SEM_OWNER		(1ull << 10)	/* KIPC_SEM_OP_OWNER */
#define KIPC_FEATURE_POSIX_SHM		(1ull << 11)	/* POSIX shared memory */
#define KIPC_FEATURE_POSIX_SEM		(1ull << 12)	/* POSIX semaphores with a name */
#define KIPC_FEATURE_POSIX_MQ		(1ull << 13)	/* POSIX message queues */
#define KIPC_FEATURE_SHM_MEMFD		(1ull << 14)	/* KIPC_IOC_SHM_ADOPT, KIPC_IOC_SHM_EXPORT */
#define KIPC_FEATURE_HANDLE_PUBLISH	(1ull << 15)	/* KIPC_IOC_HANDLE_PUBLISH */
#define KIPC_FEATURE_STREAM		(1ull << 16)	/* byte streams */
#define KIPC_FEATURE_NAME_ADOPT		(1ull << 17)	/* KIPC_IOC_NAME_ADOPT */

/* When an object ends without being removed. */
#define KIPC_LIFETIME_PERSISTENT	0	/* never, as System V has it */
#define KIPC_LIFETIME_CREATOR		1	/* with the process that made it */
/*
 * With its last user, once it has had one.  Users are handles, attachments of a segment,
 * and mappings of a segment or set.
 */
#define KIPC_LIFETIME_USERS		2

/**
 * struct kipc_limit - KIPC_IOC_LIMIT: read or set a limit of the namespace
 * @limit: KIPC_LIMIT_*
 * @flags: KIPC_LIMIT_SET to set, 0 to read
 * @value: in when set; out, the value in force after the call
 *
 * EINVAL: no such limit or flag, or a value out of its range.  EPERM: setting
 * without being the superuser of the user namespace that owns the IPC
 * namespace, or the initial one (the *_NEXT_ID limits: without
 * CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN there).
 */
struct kipc_limit {
	__u32	limit;
	__u32	flags;
	__u64	value;
};

#define KIPC_LIMIT_SET		(1u << 0)

#define KIPC_LIMIT_SHMMAX		0	/* bytes of one segment */
#define KIPC_LIMIT_SHMALL		1	/* pages of all segments */
#define KIPC_LIMIT_SHMMNI		2	/* segments */
#define KIPC_LIMIT_SHM_RMID_FORCED	3	/* 1: no segment without attachment */
#define KIPC_LIMIT_SHM_NEXT_ID		4	/* id wanted next, or -1 */
#define KIPC_LIMIT_SEMMSL		5	/* semaphores of one set */
#define KIPC_LIMIT_SEMMNS		6	/* semaphores of all sets */
#define KIPC_LIMIT_SEMOPM		7	/* operations of one call */
#define KIPC_LIMIT_SEMMNI		8	/* sets */
#define KIPC_LIMIT_SEM_NEXT_ID		9	/* id wanted next, or -1 */
#define KIPC_LIMIT_MSGMAX		10	/* bytes of one message */
#define KIPC_LIMIT_MSGMNB		11	/* bytes of a new queue */
#define KIPC_LIMIT_MSGMNI		12	/* queues */
#define KIPC_LIMIT_MSG_NEXT_ID		13	/* id wanted next, or -1 */
/* Of POSIX message queues, as mq_overview(7) has them. */
#define KIPC_LIMIT_MQ_QUEUES		14	/* queues */
#define KIPC_LIMIT_MQ_MSG		15	/* messages of one queue */
#define KIPC_LIMIT_MQ_MSGSIZE		16	/* bytes of one message */
#define KIPC_LIMIT_MQ_MSG_DEFAULT	17	/* messages of a queue whose maker does not say */
#define KIPC_LIMIT_MQ_MSGSIZE_DEFAULT	18	/* bytes of one message of such a queue */

/**
 * struct kipc_shm_get - KIPC_IOC_SHM_GET: shmget(2); returns the id
 * @key: key, or IPC_PRIVATE
 * @flags: shmflg as in shmget(2)
 * @size: bytes
 * @lifetime: KIPC_LIFETIME_*, of a segment that this call creates
 * @pad: must be zero
 */
struct kipc_shm_get {
	__s32	key;
	__u32	flags;
	__u64	size;
	__u32	lifetime;
	__u32	pad;
};

/**
 * struct kipc_shm_attach - KIPC_IOC_SHM_ATTACH: shmat(2)
 * @id: segment
 * @flags: shmflg as in shmat(2)
 * @addr: in, the address wanted or 0; out, the address of the attachment
 */
struct kipc_shm_attach {
	__s32	id;
	__u32	flags;
	__u64	addr;
};

/**
 * struct kipc_shm_detach - KIPC_IOC_SHM_DETACH: shmdt(2)
 * @addr: address of the attachment
 */
struct kipc_shm_detach {
	__u64	addr;
};

/**
 * struct kipc_shm_ctl - KIPC_IOC_SHM_CTL: shmctl(2); returns what shmctl does
 * @id: segment, or an index for SHM_STAT and SHM_STAT_ANY
 * @cmd: as in shmctl(2), without IPC_64
 * @buf: user address of a struct shmid64_ds, shminfo64 or shm_info in the
 *       layout that the caller's own native system call uses with IPC_64
 */
struct kipc_shm_ctl {
	__s32	id;
	__s32	cmd;
	__u64	buf;
};

/**
 * struct kipc_shm_adopt - KIPC_IOC_SHM_ADOPT: make a segment of a memfd; returns the id
 * @key: key, which no segment has, or IPC_PRIVATE
 * @flags: permissions of the segment, in the lowest nine bits; 0 above
 * @fd: the memfd, open for reading and writing, sealed against shrinking
 * @lifetime: KIPC_LIFETIME_*
 *
 * The segment has the bytes that the memfd has now; of huge pages too.  Its seals hold: what
 * is sealed against writing can be attached for reading only.  EBADF.  EACCES: not open for
 * both.  EINVAL: no memfd, or one that can shrink, is empty or larger than SHMMAX.  EEXIST,
 * ENOSPC, ENOMEM as shmget(2).
 */
struct kipc_shm_adopt {
	__s32	key;
	__u32	flags;
	__s32	fd;
	__u32	lifetime;
};

/**
 * struct kipc_shm_export - KIPC_IOC_SHM_EXPORT: a descriptor of a segment's memory; returns it
 * @id: segment; on a handle KIPC_SELF
 * @flags: O_RDONLY or O_RDWR, for which the caller must have the rights, or the handle;
 *	   O_CLOEXEC
 *
 * The memory is sealed against shrinking and growing, and against other seals if it is not a
 * memfd that was adopted.  What is open for reading only cannot be opened anew for writing by
 * who has no capabilities.  Descriptors keep the memory; they are no attachments.  EINVAL,
 * EIDRM, EACCES, EMFILE, ENFILE, ENOMEM.
 */
struct kipc_shm_export {
	__s32	id;
	__u32	flags;
};

/**
 * struct kipc_sem_get - KIPC_IOC_SEM_GET: semget(2); returns the id
 * @key: key, or IPC_PRIVATE
 * @flags: semflg as in semget(2)
 * @nsems: semaphores
 * @lifetime: KIPC_LIFETIME_*, of a set that this call creates
 */
struct kipc_sem_get {
	__s32	key;
	__u32	flags;
	__s32	nsems;
	__u32	lifetime;
};

/**
 * struct kipc_sem_op - KIPC_IOC_SEM_OP: semop(2) and semtimedop(2)
 * @id: set
 * @nsops: operations
 * @sops: user address of @nsops of struct sembuf
 * @timeout: user address of a struct __kernel_timespec, or 0: none
 * @flags: KIPC_TIMEOUT_* bits, none without @timeout; KIPC_SEM_OP_OWNER
 * @clock: CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME; 0 without @timeout
 *
 * Errors as semtimedop(2) has them; also EINVAL for an unknown flag or clock, and
 * ENOSPC: SEM_UNDO in more sets than one process may have undo values in.
 */
struct kipc_sem_op {
	__s32	id;
	__u32	nsops;
	__u64	sops;
	__u64	timeout;
	__u32	flags;
	__u32	clock;
};

#define KIPC_TIMEOUT_ABSOLUTE	(1u << 0)	/* a point of time of the clock, not a while */

/*
 * Of a semaphore that is orphaned, for a process that had taken from it with SEM_UNDO has
 * ended: who takes from it next with this bit is told, by the error EOWNERDEAD.  The
 * operations are carried out nevertheless, and the semaphore is not orphaned any more.
 * SETVAL and SETALL end that too; calls without the bit neither tell nor change it.
 */
#define KIPC_SEM_OP_OWNER	(1u << 16)

/**
 * struct kipc_sem_ctl - KIPC_IOC_SEM_CTL: semctl(2); returns what semctl does
 * @id: set, or an index for SEM_STAT and SEM_STAT_ANY
 * @num: semaphore
 * @cmd: as in semctl(2), without IPC_64
 * @pad: must be zero
 * @arg: SETVAL: the value, as an int; else the user address of an array of unsigned
 *	 short, a struct semid64_ds or seminfo in the layout that the caller's own
 *	 native system call uses with IPC_64
 */
struct kipc_sem_ctl {
	__s32	id;
	__s32	num;
	__s32	cmd;
	__u32	pad;
	__u64	arg;
};

/*
 * Operations on semaphores without a system call; Documentation/fast_path.rst tells
 * the protocol.  Little-endian 64-bit processors that store in program order only.
 *
 * A process maps its record once (KIPC_IOC_PROCESS_MAP) and each set it wants to use
 * (KIPC_IOC_SEM_MAP).  No mapping is inherited by fork or kept over execve.
 */

/*
 * A semaphore's word: its value, flags of the kernel's, the slot of the thread inside
 * an operation with SEM_UNDO (0: none), the token of the process that operated last.
 */
#define KIPC_SEM_VALUE		0xffffull
#define KIPC_SEM_HELD		(1ull << 16)	/* the kernel has the word */
#define KIPC_SEM_KEPT		(1ull << 17)	/* the kernel keeps who operated last */
#define KIPC_SEM_FLAGS		(0xffull << 16)
#define KIPC_SEM_SLOT		(0xffull << 24)
#define KIPC_SEM_SLOT_SHIFT	24
#define KIPC_SEM_TOKEN_SHIFT	32

/**
 * struct kipc_sem_cell - one semaphore
 * @word: see above
 * @time: seconds of real time of the last operation that user space made, or 0
 */
struct kipc_sem_cell {
	__u64	word;
	__s64	time;
};

/**
 * struct kipc_sem_shared - a set, as all processes see it that map it
 * @state: 0, or user space must leave the set to the kernel for now
 * @pad: zero
 * @cells: the semaphores
 */
struct kipc_sem_shared {
	__u32	state;
	__u32	pad[15];
	struct kipc_sem_cell cells[];
};

#define KIPC_SEM_DRAIN		(1u << 0)	/* a death is to be dealt with first */
#define KIPC_SEM_DRAINING	(1u << 1)	/* that is being done */
#define KIPC_SEM_REMOVED	(1u << 2)	/* the set is gone */

/**
 * struct kipc_sem_adjust - undo value of one semaphore: the sum of both
 * @fast: made by user space; written by the thread whose slot is in the word, and by
 *	  the kernel while it has the word and there is no slot in it
 * @slow: made by the kernel, for user space to read
 */
struct kipc_sem_adjust {
	__s32	fast;
	__s32	slow;
};

/**
 * struct kipc_sem_private - a set's part that is one process' own
 * @map: names the mapping in intents
 * @used: user space stores 1 before its first operation with SEM_UNDO
 * @adjust: undo values
 */
struct kipc_sem_private {
	__u32	map;
	__u32	used;
	struct kipc_sem_adjust adjust[];
};

/**
 * struct kipc_sem_map - KIPC_IOC_SEM_MAP: map a set
 * @id: set
 * @flags: KIPC_SEM_MAP_WRITE: to operate; else to look at values
 * @own: out, address of struct kipc_sem_private, or 0 without KIPC_SEM_MAP_WRITE
 * @shared: out, address of struct kipc_sem_shared
 * @nsems: out, semaphores
 * @pad: must be zero
 *
 * EACCES: operating needs read and alter permission, looking read permission.
 * ENOSPC: too many mappings.  EINVAL: no such set; no record mapped.  EIDRM: removed
 * meanwhile.  EBUSY: the process has it mapped to operate.  EOPNOTSUPP: for system calls
 * only: it ends with its creator, or is too large.
 */
struct kipc_sem_map {
	__s32	id;
	__u32	flags;
	__u64	own;
	__u64	shared;
	__u32	nsems;
	__u32	pad;
};

#define KIPC_SEM_MAP_WRITE	(1u << 0)

/*
 * An intent: what a thread is about to do to an undo value.  0: nothing.
 * value: while pending what is added, once computed the new value of @fast.
 */
#define KIPC_INTENT_PENDING	1
#define KIPC_INTENT_COMPUTED	2
#define KIPC_INTENT(state, map, num, value) \
	((__u64)(state) << 48 | (__u64)(map) << 32 | (__u64)(num) << 16 | (__u16)(value))

/**
 * struct kipc_process_slot - one thread's
 * @intent: see above
 * @tid: thread that uses the slot, or 0; user space takes and frees slots
 */
struct kipc_process_slot {
	__u64	intent;
	__u32	tid;
	__u32	pad;
};

#define KIPC_PROCESS_SLOTS	256	/* slot 0 is not used */

/**
 * struct kipc_clock - the time, for all to read
 * @seconds: of real time, as of the last tick or two
 */
struct kipc_clock {
	__s64	seconds;
};

/**
 * struct kipc_process_map - KIPC_IOC_PROCESS_MAP: map the caller's record
 * @slots: out, address of KIPC_PROCESS_SLOTS of struct kipc_process_slot
 * @clock: out, address of a struct kipc_clock
 * @token: out, the process' token
 * @pad: must be zero
 */
struct kipc_process_map {
	__u64	slots;
	__u64	clock;
	__u32	token;
	__u32	pad;
};

/**
 * struct kipc_msg_get - KIPC_IOC_MSG_GET: msgget(2); returns the id
 * @key: key, or IPC_PRIVATE
 * @flags: msgflg as in msgget(2)
 * @lifetime: KIPC_LIFETIME_*, of a queue that this call creates
 * @pad: must be zero
 */
struct kipc_msg_get {
	__s32	key;
	__u32	flags;
	__u32	lifetime;
	__u32	pad;
};

/**
 * struct kipc_msg_op - KIPC_IOC_MSG_SEND, KIPC_IOC_MSG_RECEIVE: msgsnd(2), msgrcv(2)
 * @id: queue
 * @flags: msgflg as in msgsnd(2) or msgrcv(2)
 * @type: to receive: msgtyp as in msgrcv(2); to send: 0
 * @msg: user address of the message, a long of the caller's and the bytes behind it;
 *	 with @count of that many struct kipc_msg_vec
 * @size: bytes of the message, or the room for it; 0 with @count
 * @timeout: user address of a struct __kernel_timespec, or 0: none
 * @timeout_flags: KIPC_TIMEOUT_* bits; 0 without @timeout
 * @clock: CLOCK_MONOTONIC, CLOCK_REALTIME or CLOCK_BOOTTIME; 0 without @timeout
 * @count: 0: one message; else messages at once, at most KIPC_MSG_BATCH
 * @pad: must be zero
 *
 * Returns and errors as msgsnd(2) and msgrcv(2) have them; also EAGAIN: the time is
 * over, and EINVAL for an unknown flag or clock.  With @count the number of messages
 * that were sent or received, if any was.  To send waits until all are sent; to receive
 * waits for the first, and takes as many as there are then.  MSG_COPY is for one.
 */
struct kipc_msg_op {
	__s32	id;
	__u32	flags;
	__s64	type;
	__u64	msg;
	__u64	size;
	__u64	timeout;
	__u32	timeout_flags;
	__u32	clock;
	__u32	count;
	__u32	pad;
};

/**
 * struct kipc_msg_vec - one of several messages
 * @msg: user address of it, as in struct kipc_msg_op
 * @size: bytes of the message, or the room for it; out, when received: its bytes
 */
struct kipc_msg_vec {
	__u64	msg;
	__u64	size;
};

#define KIPC_MSG_BATCH		1024

/**
 * struct kipc_msg_ctl - KIPC_IOC_MSG_CTL: msgctl(2); returns what msgctl does
 * @id: queue, or an index for MSG_STAT and MSG_STAT_ANY
 * @cmd: as in msgctl(2), without IPC_64
 * @buf: user address of a struct msqid64_ds or msginfo in the layout that the
 *	 caller's own native system call uses with IPC_64
 */
struct kipc_msg_ctl {
	__s32	id;
	__s32	cmd;
	__u64	buf;
};

/**
 * struct kipc_handle_open - KIPC_IOC_HANDLE_OPEN: a descriptor that stands for an object;
 *			     returns it
 * @id: object
 * @kind: KIPC_KIND_*
 * @flags: O_RDONLY, O_WRONLY or O_RDWR: the rights that it conveys, which the caller must
 *	   have; O_CLOEXEC, O_NONBLOCK
 * @num: of a set: the semaphore that poll and read are about; else 0
 * @op: of a set: what they are about, as sem_op: a decrement, or 0, to wait for zero; else 0
 * @msgflg: of a queue: MSG_EXCEPT or 0; else 0
 * @type: of a queue: which messages poll and read are about, as msgtyp of msgrcv(2); else 0
 *
 * The rights stay with the descriptor, whoever has it, until the object is removed; see
 * Documentation/handles.rst.  An object of a kind that has names is opened as
 * KIPC_IOC_NAME_OPEN does it.  EINVAL: no such kind, object, semaphore or flag.  EIDRM:
 * removed meanwhile.  EACCES.  EMFILE, ENFILE, ENOMEM.
 */
struct kipc_handle_open {
	__s32	id;
	__u32	kind;
	__u32	flags;
	__u32	num;
	__s32	op;
	__u32	msgflg;
	__s64	type;
};

/**
 * struct kipc_handle_create - KIPC_IOC_HANDLE_CREATE: make an object without a key, of
 *			       lifetime KIPC_LIFETIME_USERS, and a descriptor that stands
 *			       for it; returns the descriptor
 * @kind: KIPC_KIND_*
 * @flags: as in struct kipc_handle_open; the rights are conveyed whatever @mode says
 * @mode: permissions of others, who find the object by its id; of a segment also
 *	  SHM_HUGETLB, with a size of pages, and SHM_NORESERVE, as in shmget(2)
 * @num: as in struct kipc_handle_open, and all below but @size
 * @size: bytes of a segment, semaphores of a set, 0 of a queue
 * @op: see there
 * @msgflg: see there
 * @type: see there
 *
 * The object never is without a user.  It has an id and is listed as others are.
 * EINVAL: no such kind, semaphore, flag or bit of @mode, or a size that shmget(2) or
 * semget(2) refuses.  ENOSPC, EPERM and ENOMEM as those calls have them.  EMFILE, ENFILE.
 */
struct kipc_handle_create {
	__u32	kind;
	__u32	flags;
	__u32	mode;
	__u32	num;
	__u64	size;
	__s32	op;
	__u32	msgflg;
	__s64	type;
};

/**
 * struct kipc_handle_notify - KIPC_IOC_HANDLE_NOTIFY: on a handle of a set or queue: have
 *			       an eventfd told what becomes so
 * @fd: eventfd, instead of the one that the handle had, or -1: none any more
 * @events: POLLIN, POLLOUT; 0 with @fd -1; removal is always told
 *
 * The eventfd is counted up by one each time that something of @events becomes so that was
 * not, and at once if it is so already.  The handle keeps it, also when @fd is closed.
 * EBADF: no descriptor.  EINVAL: no eventfd, another event, @fd below -1, or -1 with
 * @events.  EACCES: an event that the handle's rights are not for.
 */
struct kipc_handle_notify {
	__s32	fd;
	__u32	events;
};

/**
 * struct kipc_handle_publish - KIPC_IOC_HANDLE_PUBLISH: on a handle of a segment, set or queue
 *				without a key: give it one
 * @key: key, which no object of the kind has; not IPC_PRIVATE
 * @lifetime: KIPC_LIFETIME_PERSISTENT or KIPC_LIFETIME_USERS, from now on
 *
 * Whoever finds it by its key finds it as it is then: so with KIPC_IOC_HANDLE_CREATE, and
 * whatever makes it ready, nobody meets an object that is not.  EEXIST.  EPERM: the caller is
 * not its owner or creator, and has no CAP_SYS_ADMIN.  EINVAL: it has a key; no such lifetime,
 * or it ends with its creator.  EIDRM.  ENOMEM.
 */
struct kipc_handle_publish {
	__s32	key;
	__u32	lifetime;
};

/*
 * The id in a call that is made on a handle instead of the device: the handle's object.
 * Such calls are KIPC_IOC_SEM_OP, KIPC_IOC_MSG_SEND and KIPC_IOC_MSG_RECEIVE, and with
 * IPC_STAT alone, which needs the right to read, KIPC_IOC_SHM_CTL, KIPC_IOC_SEM_CTL and
 * KIPC_IOC_MSG_CTL.
 * KIPC_IOC_WAIT_ANY can be made on a handle too, any one.
 */
#define KIPC_SELF		(-1)

/**
 * struct kipc_uring_cmd - IORING_OP_URING_CMD on a handle: the 16 bytes of sqe->cmd
 * @arg: with KIPC_IOC_SEM_OP, KIPC_IOC_MSG_SEND or KIPC_IOC_MSG_RECEIVE as sqe->cmd_op:
 *	 user address of the structure, which stays until the command is completed
 * @sop: with KIPC_URING_SEM_OP: one operation, as struct sembuf has it, without a time-out
 * @sop.num: semaphore
 * @sop.op: operation
 * @sop.flg: IPC_NOWAIT, SEM_UNDO
 * @sop.pad: must be zero
 * @pad: must be zero
 *
 * The result is that of the call on the handle.  A command that has to wait keeps no
 * thread: it is completed when it could be carried out, when it is too late, or with
 * ECANCELED when its ring or its thread ends.  A message's type is 64 bits here, whoever
 * asks.  One message a command: kipc_msg_op.count is 0.
 */
struct kipc_uring_cmd {
	union {
		__u64	arg;
		struct {
			__u16	num;
			__s16	op;
			__s16	flg;
			__u16	pad;
		} sop;
	};
	__u64	pad;
};

/**
 * struct kipc_any - one of several to wait for
 * @fd: a handle; with @call 0 any descriptor
 * @call: KIPC_IOC_SEM_OP, KIPC_IOC_MSG_SEND or KIPC_IOC_MSG_RECEIVE; 0: it is to be ready
 * @arg: user address of the call's structure, as for struct kipc_uring_cmd and without a
 *	 time-out of its own; or POLL* events, to which POLLERR and POLLHUP are added
 * @result: out, of the one that is returned: what the call returns, or its error negated;
 *	    or the events
 */
struct kipc_any {
	__s32	fd;
	__u32	call;
	__u64	arg;
	__s64	result;
};

/**
 * struct kipc_wait_any - KIPC_IOC_WAIT_ANY: wait for any of several; returns its number
 * @any: user address of @count of struct kipc_any
 * @count: how many, at most KIPC_ANY_MAX
 * @flags: KIPC_TIMEOUT_* bits; 0 without @timeout
 * @timeout: user address of a struct __kernel_timespec, or 0: none
 * @clock: as in struct kipc_sem_op
 * @pad: must be zero
 *
 * Of the calls one is carried out, or fails, and no other is.  Those that can go on at once
 * have their turn in the order given, else whichever can first.  EAGAIN: the time is over.
 * EINTR.  EBADF: no such descriptor.  ENOTTY: the call is not one of the handle's.  EFAULT,
 * EINVAL, E2BIG, ENOMEM, as the calls have them, when one is not to be begun at all.
 */
struct kipc_wait_any {
	__u64	any;
	__u32	count;
	__u32	flags;
	__u64	timeout;
	__u32	clock;
	__u32	pad;
};

#define KIPC_ANY_MAX		1024

/**
 * struct kipc_name_open - KIPC_IOC_NAME_OPEN: find an object by its name, or make it;
 *			   returns a descriptor
 * @name: user address of the name, NUL-terminated, of 1 to 255 bytes without a slash
 * @kind: KIPC_KIND_*, of one that has names
 * @flags: O_RDONLY, O_WRONLY or O_RDWR: the rights that the descriptor conveys; O_CREAT,
 *	   O_EXCL, O_CLOEXEC, O_NONBLOCK; of a segment O_TRUNC
 * @mode: permissions of an object that this call makes, less what umask(2) takes
 * @lifetime: of such a stream: KIPC_LIFETIME_PERSISTENT, or KIPC_LIFETIME_USERS: it ends with
 *	      its last descriptor; of another object 0
 * @size: of such an object: bytes of a segment, value of a semaphore, messages that a queue
 *	  holds at most, bytes that a stream holds at least, or 0: 65,536
 * @serial: out, a number that no other object with a name has or had
 * @msgsize: of a queue that this call makes: bytes of a message at most; both 0: as the
 *	     namespace's limits have it; of another kind 0
 *
 * Nobody finds an object that is not complete.  The descriptor of a segment is one of its
 * memory: ftruncate(2), mmap(2), fstat(2), fchmod(2) and seals are as a memfd's.  That of
 * another object is a handle; one of a semaphore, open for reading and writing, is mapped,
 * a page at offset 0, to operate on it; the calls on one of a queue are KIPC_IOC_MQ_*.  That
 * of a stream is as one of a FIFO: to open it, too, waits for the other side.
 *
 * The caller must have the rights, as for a file of that owner and mode.  ENOENT, EEXIST,
 * EACCES, as open(2).  EINVAL: no such kind or flag, a name with a slash, or a value that
 * is too large.  ENAMETOOLONG.  EFBIG.  ENOSPC: the caller, or of queues the namespace, has
 * too many.  EPERM: to be truncated, and sealed.  EMFILE, also beyond RLIMIT_MSGQUEUE.
 * ENXIO: a stream that nobody reads, with O_WRONLY and O_NONBLOCK.  EINTR.  ENFILE, ENOMEM,
 * EFAULT.
 */
struct kipc_name_open {
	__u64	name;
	__u32	kind;
	__u32	flags;
	__u32	mode;
	__u32	lifetime;
	__u64	size;
	__u64	serial;
	__u64	msgsize;
};

/**
 * struct kipc_name_unlink - KIPC_IOC_NAME_UNLINK: take an object's name away
 * @name: as in struct kipc_name_open
 * @kind: likewise
 * @pad: must be zero
 *
 * The object works on for whoever has it open, and ends with the last of them.  ENOENT.
 * EPERM: it is another user's.
 */
struct kipc_name_unlink {
	__u64	name;
	__u32	kind;
	__u32	pad;
};

/**
 * struct kipc_name_adopt - KIPC_IOC_NAME_ADOPT: give a memfd a name; it is a segment of
 *			    KIPC_KIND_POSIX_SHM then
 * @name: as in struct kipc_name_open; of no segment
 * @fd: the memfd, open for reading and writing, sealed against shrinking; of huge pages too
 * @mode: its permissions from now on, less what umask(2) takes
 * @flags: must be zero
 * @pad: must be zero
 *
 * The caller must own the memfd (fstat(2)), whose group becomes his.  Who opens the name has
 * that very memory, by its owner and mode, with what it has been filled with; its seals hold.
 * Descriptors that there are keep their rights.  If the call fails nothing has changed.
 *
 * EEXIST.  EBUSY: the memory has a name.  EPERM: it is another user's; or F_SEAL_EXEC keeps
 * its mode.  EBADF.  EACCES: not open for both.  EINVAL: no memfd, or one that can shrink, a
 * name with a slash, or a flag.  ENAMETOOLONG, ENOENT, ENOSPC, ENOMEM, EFAULT as in struct
 * kipc_name_open.
 */
struct kipc_name_adopt {
	__u64	name;
	__s32	fd;
	__u32	mode;
	__u32	flags;
	__u32	pad;
};

/*
 * The word of a POSIX semaphore, 32 bits at the beginning of its page: its value, and
 * whether the kernel has it.  A process changes it by compare and swap, and only while it
 * is not HELD; else by a call.
 */
#define KIPC_POSIX_SEM_VALUE	0x7fffffffu
#define KIPC_POSIX_SEM_HELD	0x80000000u

/**
 * struct kipc_posix_sem_op - KIPC_IOC_POSIX_SEM_OP: operate on a semaphore
 * @addr: where the caller has mapped it, for writing
 * @op: KIPC_POSIX_SEM_POST, KIPC_POSIX_SEM_WAIT, KIPC_POSIX_SEM_TRYWAIT
 * @flags: KIPC_TIMEOUT_ABSOLUTE; 0 without @timeout
 * @timeout: to wait: user address of a struct __kernel_timespec, or 0: none
 * @clock: as in struct kipc_sem_op
 * @taken: in, 0; out, 1 once a unit was taken, whatever becomes of the thread then
 *
 * EOVERFLOW, EAGAIN, ETIMEDOUT, EINTR as sem_post(3) and sem_wait(3) have them.  EINVAL: no
 * semaphore is there, or no such operation, time, clock or flag.
 */
struct kipc_posix_sem_op {
	__u64	addr;
	__u32	op;
	__u32	flags;
	__u64	timeout;
	__u32	clock;
	__u32	taken;
};

#define KIPC_POSIX_SEM_POST	0
#define KIPC_POSIX_SEM_WAIT	1
#define KIPC_POSIX_SEM_TRYWAIT	2

/* Priorities of messages: those below this. */
#define KIPC_MQ_PRIORITIES	32768

/**
 * struct kipc_mq_op - KIPC_IOC_MQ_SEND, KIPC_IOC_MQ_RECEIVE, on a handle of a POSIX message
 *		       queue: one message; to receive returns its bytes
 * @msg: user address of the bytes
 * @size: how many; to receive: room, at least for the largest that the queue takes
 * @priority: to send: its priority; to receive: user address of a __u32 for it, or 0
 * @timeout: user address of a struct __kernel_timespec, or 0: none
 * @flags: KIPC_TIMEOUT_ABSOLUTE; 0 without @timeout
 * @clock: as in struct kipc_sem_op
 * @pad: must be zero
 *
 * Of the highest priority the oldest message is received.  With O_NONBLOCK nothing waits.
 * EBADF: the handle is not for that.  EMSGSIZE, EAGAIN, ETIMEDOUT, EINTR, EINVAL as
 * mq_send(3) and mq_receive(3) have them.  EFAULT: what cannot be written stays in the queue.
 */
struct kipc_mq_op {
	__u64	msg;
	__u64	size;
	__u64	priority;
	__u64	timeout;
	__u32	flags;
	__u32	clock;
	__u64	pad;
};

/**
 * struct kipc_mq_attr - KIPC_IOC_MQ_ATTR, on a handle of a POSIX message queue: what it is
 * @set: 1: have @flags, 0: only tell
 * @flags: in, O_NONBLOCK or 0; out, which it was before
 * @maxmsg: out, messages at most; in, must be zero, and all that follow
 * @msgsize: out, bytes of a message at most
 * @curmsgs: out, messages now
 */
struct kipc_mq_attr {
	__u32	set;
	__u32	flags;
	__u64	maxmsg;
	__u64	msgsize;
	__u64	curmsgs;
};

/**
 * struct kipc_mq_notify - KIPC_IOC_MQ_NOTIFY, on a handle of a POSIX message queue: be told
 *			   when a message comes and there is none, and nobody waits for it
 * @how: KIPC_MQ_NOTIFY_*
 * @signal: the signal, or 0: none; must be 0 unless there is one
 * @value: si_value of it; likewise
 *
 * It is told once.  One process at a time is told: EBUSY.  It is not told any more once it
 * has closed a descriptor of the queue.
 */
struct kipc_mq_notify {
	__u32	how;
	__u32	signal;
	__u64	value;
};

#define KIPC_MQ_NOTIFY_NONE	0	/* not be told, but nobody else either */
#define KIPC_MQ_NOTIFY_SIGNAL	1	/* a signal, of code SI_MESGQ */
/*
 * Returns a descriptor; 8 bytes can be read from it once it is told, and it is at its end
 * after that, and when it will not be told any more.
 */
#define KIPC_MQ_NOTIFY_FD	2
#define KIPC_MQ_NOTIFY_CANCEL	3	/* if the caller was to be told it is not any more */

#define KIPC_IOC_TYPE		0xd7

/* 0x00-0x0f: the device and the namespace */
#define KIPC_IOC_QUERY		_IOWR(KIPC_IOC_TYPE, 0x00, struct kipc_query)
#define KIPC_IOC_LIMIT		_IOWR(KIPC_IOC_TYPE, 0x01, struct kipc_limit)
#define KIPC_IOC_PROCESS_MAP	_IOWR(KIPC_IOC_TYPE, 0x02, struct kipc_process_map)
/* Cut what the caller has mapped of sets: it is about to have other rights. */
#define KIPC_IOC_PROCESS_CUT	_IO(KIPC_IOC_TYPE, 0x03)
#define KIPC_IOC_WAIT_ANY	_IOW(KIPC_IOC_TYPE, 0x04, struct kipc_wait_any)

/* 0x10-0x1f: segments */
#define KIPC_IOC_SHM_GET	_IOW(KIPC_IOC_TYPE, 0x10, struct kipc_shm_get)
#define KIPC_IOC_SHM_ATTACH	_IOWR(KIPC_IOC_TYPE, 0x11, struct kipc_shm_attach)
#define KIPC_IOC_SHM_DETACH	_IOW(KIPC_IOC_TYPE, 0x12, struct kipc_shm_detach)
#define KIPC_IOC_SHM_CTL	_IOW(KIPC_IOC_TYPE, 0x13, struct kipc_shm_ctl)
#define KIPC_IOC_SHM_ADOPT	_IOW(KIPC_IOC_TYPE, 0x14, struct kipc_shm_adopt)
#define KIPC_IOC_SHM_EXPORT	_IOW(KIPC_IOC_TYPE, 0x15, struct kipc_shm_export)

/* 0x20-0x2f: semaphore sets */
#define KIPC_IOC_SEM_GET	_IOW(KIPC_IOC_TYPE, 0x20, struct kipc_sem_get)
#define KIPC_IOC_SEM_OP		_IOW(KIPC_IOC_TYPE, 0x21, struct kipc_sem_op)
#define KIPC_IOC_SEM_CTL	_IOW(KIPC_IOC_TYPE, 0x22, struct kipc_sem_ctl)
#define KIPC_IOC_SEM_MAP	_IOWR(KIPC_IOC_TYPE, 0x23, struct kipc_sem_map)
/* No ioctl, but struct kipc_uring_cmd's. */
#define KIPC_URING_SEM_OP	_IO(KIPC_IOC_TYPE, 0x24)

/* 0x30-0x3f: message queues */
#define KIPC_IOC_MSG_GET	_IOW(KIPC_IOC_TYPE, 0x30, struct kipc_msg_get)
#define KIPC_IOC_MSG_SEND	_IOW(KIPC_IOC_TYPE, 0x31, struct kipc_msg_op)
#define KIPC_IOC_MSG_RECEIVE	_IOW(KIPC_IOC_TYPE, 0x32, struct kipc_msg_op)
#define KIPC_IOC_MSG_CTL	_IOW(KIPC_IOC_TYPE, 0x33, struct kipc_msg_ctl)

/* 0x40-0x4f: handles */
#define KIPC_IOC_HANDLE_OPEN	_IOW(KIPC_IOC_TYPE, 0x40, struct kipc_handle_open)
#define KIPC_IOC_HANDLE_CREATE	_IOW(KIPC_IOC_TYPE, 0x41, struct kipc_handle_create)
#define KIPC_IOC_HANDLE_NOTIFY	_IOW(KIPC_IOC_TYPE, 0x42, struct kipc_handle_notify)
#define KIPC_IOC_HANDLE_PUBLISH	_IOW(KIPC_IOC_TYPE, 0x43, struct kipc_handle_publish)

/* 0x50-0x5f: names, and POSIX objects */
#define KIPC_IOC_NAME_OPEN	_IOWR(KIPC_IOC_TYPE, 0x50, struct kipc_name_open)
#define KIPC_IOC_NAME_UNLINK	_IOW(KIPC_IOC_TYPE, 0x51, struct kipc_name_unlink)
#define KIPC_IOC_POSIX_SEM_OP	_IOWR(KIPC_IOC_TYPE, 0x52, struct kipc_posix_sem_op)
#define KIPC_IOC_NAME_ADOPT	_IOW(KIPC_IOC_TYPE, 0x53, struct kipc_name_adopt)
#define KIPC_IOC_MQ_SEND	_IOW(KIPC_IOC_TYPE, 0x58, struct kipc_mq_op)
#define KIPC_IOC_MQ_RECEIVE	_IOW(KIPC_IOC_TYPE, 0x59, struct kipc_mq_op)
#define KIPC_IOC_MQ_ATTR	_IOWR(KIPC_IOC_TYPE, 0x5a, struct kipc_mq_attr)
#define KIPC_IOC_MQ_NOTIFY	_IOW(KIPC_IOC_TYPE, 0x5b, struct kipc_mq_notify)

/*
 * The short way in, for calls whose arguments fit in registers: fadvise64(2) on
 * the device with KIPC_CALL_* as the advice.  It does what the ioctl of the same
 * name does, at little more than half the cost of entry (no security hooks of
 * ioctl, no copy of a structure), and returns what that returns.  A file that is
 * not kipc's answers EINVAL or ESPIPE to such advice.
 */
#define KIPC_CALL_SHM_GET	0x6b00	/* offset: flags << 32 | key; len: size */
#define KIPC_CALL_SEM_GET	0x6b01	/* offset: flags << 32 | key; len: nsems */
#define KIPC_CALL_SEM_OP	0x6b02	/* offset: nsops << 32 | id; len: address of the sembufs */
#define KIPC_CALL_SEM_CTL	0x6b03	/* offset: num << 32 | id; len: arg as 32 bits << 32 | cmd;
					   GETVAL, GETPID, GETNCNT, GETZCNT, SETVAL, IPC_RMID */
#define KIPC_CALL_MSG_GET	0x6b04	/* offset: flags << 32 | key; len: 0 */
#define KIPC_CALL_POSIX_SEM_OP	0x6b05	/* offset: address; len: op, without a time-out */
/*
 * On a handle of a POSIX message queue.  To receive: room of at most KIPC_CALL_MQ_SIZE bytes;
 * returns priority << 16 | bytes.
 */
#define KIPC_CALL_MQ_SEND	0x6b06	/* offset: priority << 32 | size; len: address */
#define KIPC_CALL_MQ_RECEIVE	0x6b07	/* offset: size; len: address */
#define KIPC_CALL_MQ_SIZE	0xffff

/*
 * One message of at most KIPC_CALL_MSG_SIZE bytes; of the flags IPC_NOWAIT, MSG_NOERROR
 * and MSG_EXCEPT.
 * offset: id, and above it what type to receive, as 32 bits; len: address of the message
 */
#define KIPC_CALL_MSG_SEND(flags, size)		(0x6b100000 | ((flags) & 0x3800) << 6 | (size))
#define KIPC_CALL_MSG_RECEIVE(flags, size)	(0x6b200000 | ((flags) & 0x3800) << 6 | (size))
#define KIPC_CALL_MSG_SIZE	0x1ffff

/*
 * mmap on the device maps a segment that the caller may use, at this offset.
 * The length is at most the segment's; MAP_SHARED only; a mapping without
 * PROT_WRITE stays read-only.
 */
#define KIPC_MMAP_OFFSET(kind, id) \
	((__u64)(kind) << 52 | (__u64)(__u32)(id) << 20)

/* Also the pages of KIPC_IOC_PROCESS_MAP, and a set's, as long as that call makes it. */
#define KIPC_MMAP_SLOTS		KIPC_MMAP_OFFSET(16, 0)
#define KIPC_MMAP_CLOCK		KIPC_MMAP_OFFSET(16, 1)

#endif /* _UAPI_LINUX_KIPC_H */

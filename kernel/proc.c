// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/kipc: see proc.h.
 *
 *   shm       segments, in the format of /proc/sysvipc/shm
 *   sem       semaphore sets, in the format of /proc/sysvipc/sem
 *   msg       message queues, in the format of /proc/sysvipc/msg
 *   queues    what is in them, and who waits
 *   waiters   who sleeps on what
 *   objects   what all kinds have in common, and native does not show
 *   names     objects that have names
 *   ids       the tables
 *   sys/NAME  limits, as native's file of that name in /proc/sys/kernel
 */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/ipc.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include <linux/kipc.h>

#include "death.h"
#include "limit.h"
#include "memory.h"
#include "msg.h"
#include "proc.h"
#include "perm.h"
#include "posix_mq.h"
#include "posix_sem.h"
#include "posix_shm.h"
#include "sem.h"
#include "shm.h"
#include "space.h"
#include "stream.h"

static const char * const kipc_kind_names[KIPC_ALL_KINDS] = {
	[KIPC_KIND_SHM] = "shm",
	[KIPC_KIND_SEM] = "sem",
	[KIPC_KIND_MSG] = "msg",
	[KIPC_KIND_POSIX_SHM] = "pshm",
	[KIPC_KIND_POSIX_SEM] = "psem",
	[KIPC_KIND_POSIX_MQ] = "pmq",
	[KIPC_KIND_STREAM] = "strm",
};

/**
 * struct kipc_proc_file - a listing of objects
 * @name: in /proc/kipc
 * @first: KIPC_KIND_* listed first
 * @last: KIPC_KIND_* listed last
 * @header: its first line
 * @show: write an object's line, or lines, or none
 */
struct kipc_proc_file {
	const char *name;
	unsigned int first;
	unsigned int last;
	const char *header;
	void (*show)(struct seq_file *s, struct kipc_object *object);
};

/**
 * struct kipc_proc_walk - a listing that is being read
 * @file: the listing
 * @space: with a reference
 * @pid_ns: of the reader, with a reference
 * @user_ns: of the reader
 * @error: of @file's show
 */
struct kipc_proc_walk {
	const struct kipc_proc_file *file;
	struct kipc_space *space;
	struct pid_namespace *pid_ns;
	struct user_namespace *user_ns;
	int error;
};

/* ---- Walks: position is 0 for the header, then kind and index + 1 ---- */

#define KIPC_PROC_KIND_SHIFT	32

static struct kipc_object *kipc_proc_find(struct kipc_proc_walk *walk, loff_t *pos)
{
	unsigned int kind = *pos >> KIPC_PROC_KIND_SHIFT;
	struct kipc_object *object;
	int index = (u32)*pos - 1;

	if (kind < walk->file->first) {
		kind = walk->file->first;
		index = 0;
	}
	for (; kind <= walk->file->last; kind++, index = 0) {
		object = kipc_ids_next(&walk->space->ids[kind], &index);
		if (object) {
			*pos = ((loff_t)kind << KIPC_PROC_KIND_SHIFT) + index + 1;
			return object;
		}
	}
	return NULL;
}

static void *kipc_proc_start(struct seq_file *s, loff_t *pos)
{
	return *pos ? kipc_proc_find(s->private, pos) : SEQ_START_TOKEN;
}

static void kipc_proc_put(void *v)
{
	if (v && v != SEQ_START_TOKEN)
		kipc_object_put(v);
}

static void *kipc_proc_next(struct seq_file *s, void *v, loff_t *pos)
{
	kipc_proc_put(v);
	++*pos;
	return kipc_proc_find(s->private, pos);
}

static void kipc_proc_stop(struct seq_file *s, void *v)
{
	kipc_proc_put(v);
}

static int kipc_proc_show(struct seq_file *s, void *v)
{
	struct kipc_proc_walk *walk = s->private;
	const struct cred *reader;

	if (v == SEQ_START_TOKEN) {
		seq_puts(s, walk->file->header);
		return 0;
	}
	/* Whoever reads may have been handed the descriptor: what the opener may see counts. */
	reader = override_creds(s->file->f_cred);
	walk->error = 0;
	walk->file->show(s, v);
	revert_creds(reader);
	return walk->error;
}

static const struct seq_operations kipc_proc_seq_ops = {
	.start	= kipc_proc_start,
	.next	= kipc_proc_next,
	.stop	= kipc_proc_stop,
	.show	= kipc_proc_show,
};

static int kipc_proc_open(struct inode *inode, struct file *file)
{
	struct kipc_space *space = kipc_space_current();
	struct kipc_proc_walk *walk;

	if (IS_ERR(space))
		return PTR_ERR(space);
	kipc_death_settle();
	kipc_shm_settle(space);
	walk = __seq_open_private(file, &kipc_proc_seq_ops, sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	walk->file = pde_data(inode);
	walk->space = kipc_space_get(space);
	walk->pid_ns = get_pid_ns(task_active_pid_ns(current));
	walk->user_ns = seq_user_ns(file->private_data);
	return 0;
}

static int kipc_proc_release(struct inode *inode, struct file *file)
{
	struct seq_file *s = file->private_data;
	struct kipc_proc_walk *walk = s->private;

	put_pid_ns(walk->pid_ns);
	kipc_space_put(walk->space);
	return seq_release_private(inode, file);
}

static const struct proc_ops kipc_proc_ops = {
	.proc_open	= kipc_proc_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= kipc_proc_release,
};

/* ---- shm ---- */

static void kipc_proc_shm_show(struct seq_file *s, struct kipc_object *object)
{
	struct kipc_shm *shm = kipc_shm_of(object);
	struct kipc_proc_walk *walk = s->private;
	struct kipc_memory_usage usage = {};

	kipc_memory_add_usage(shm->file, &usage);
	spin_lock(&object->lock);
	if (!object->removed)
		seq_printf(s, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u %10llu %10llu %10llu %21lu %21lu\n",
			   object->key, object->id, object->mode,
			   (unsigned long)shm->object.size,
			   pid_nr_ns(object->creator, walk->pid_ns),
			   pid_nr_ns(shm->lpid, walk->pid_ns), shm->object.nattch,
			   from_kuid_munged(walk->user_ns, object->uid),
			   from_kgid_munged(walk->user_ns, object->gid),
			   from_kuid_munged(walk->user_ns, object->cuid),
			   from_kgid_munged(walk->user_ns, object->cgid),
			   shm->atime, shm->dtime, object->ctime,
			   usage.resident * PAGE_SIZE, usage.swapped * PAGE_SIZE);
	spin_unlock(&object->lock);
}

/* ---- sem ---- */

static void kipc_proc_sem_show(struct seq_file *s, struct kipc_object *object)
{
	struct kipc_sem_set *set = kipc_sem_set_of(object);
	struct kipc_proc_walk *walk = s->private;
	time64_t otime;

	kipc_sem_set_lock_one(set, 0);
	otime = kipc_sem_otime_locked(set);
	spin_lock(&object->lock);
	if (!object->removed)
		seq_printf(s, "%10d %10d  %4o %10u %5u %5u %5u %5u %10llu %10llu\n",
			   object->key, object->id, object->mode, kipc_sem_count(set),
			   from_kuid_munged(walk->user_ns, object->uid),
			   from_kgid_munged(walk->user_ns, object->gid),
			   from_kuid_munged(walk->user_ns, object->cuid),
			   from_kgid_munged(walk->user_ns, object->cgid),
			   otime, object->ctime);
	spin_unlock(&object->lock);
	kipc_sem_set_unlock(set);
}

/* ---- msg, queues ---- */

static void kipc_proc_msg_show(struct seq_file *s, struct kipc_object *object)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);
	struct kipc_proc_walk *walk = s->private;

	mutex_lock(&queue->lock);
	spin_lock(&object->lock);
	if (!object->removed)
		seq_printf(s, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10llu %10llu %10llu\n",
			   object->key, object->id, object->mode, queue->bytes, queue->count,
			   pid_nr_ns(queue->lspid, walk->pid_ns),
			   pid_nr_ns(queue->lrpid, walk->pid_ns),
			   from_kuid_munged(walk->user_ns, object->uid),
			   from_kgid_munged(walk->user_ns, object->gid),
			   from_kuid_munged(walk->user_ns, object->cuid),
			   from_kgid_munged(walk->user_ns, object->cgid),
			   queue->stime, queue->rtime, object->ctime);
	spin_unlock(&object->lock);
	mutex_unlock(&queue->lock);
}

static void kipc_proc_queues_show(struct seq_file *s, struct kipc_object *object)
{
	struct kipc_msg_queue *queue = kipc_msg_queue_of(object);
	struct kipc_msg *oldest;

	if (!kipc_may_access(object, S_IRUGO))
		return;
	mutex_lock(&queue->lock);
	if (READ_ONCE(object->removed))
		goto unlock;
	seq_printf(s, "%10d %10lu %10lu %10lu %10u %10u", object->id, queue->count, queue->bytes,
		   READ_ONCE(queue->max_bytes), queue->sender_count, queue->receiver_count);
	oldest = list_first_entry_or_null(&queue->messages, struct kipc_msg, list);
	if (oldest)
		seq_printf(s, " %10llu\n", kipc_msg_age(oldest));
	else
		seq_puts(s, "          -\n");
unlock:
	mutex_unlock(&queue->lock);
}

/* ---- waiters ---- */

/* What is shown of one, but for what is the object's. */
struct kipc_proc_waiter {
	long num;
	int pid;
	int op;
	unsigned long since;
};

/* What is shown of an object's: taken down with it locked, written with it free. */
struct kipc_proc_waiters {
	struct pid_namespace *pid_ns;
	unsigned int count;
	unsigned int max;
	struct kipc_proc_waiter *waiter;
};

static void kipc_proc_note(struct kipc_proc_waiters *waiters, struct pid *pid, long num,
			   int op, unsigned long since)
{
	struct kipc_proc_waiter *waiter;

	if (waiters->count++ >= waiters->max)
		return;
	waiter = &waiters->waiter[waiters->count - 1];
	waiter->num = num;
	waiter->pid = pid_nr_ns(pid, waiters->pid_ns);
	waiter->op = op;
	waiter->since = since;
}

static void kipc_proc_note_operation(struct kipc_sem_set *set, struct kipc_sem_sleeper *op,
				     void *data)
{
	kipc_proc_note(data, op->call.pid, op->blocked->sem_num, op->blocked->sem_op,
		       op->call.since);
}

/* The type as its caller gave it. */
static void kipc_proc_note_sleeper(struct kipc_msg_queue *queue,
				   struct kipc_msg_sleeper *sleeper, void *data)
{
	kipc_proc_note(data, sleeper->call.pid,
		       sleeper->match == KIPC_MSG_LEAST ? -sleeper->type : sleeper->type,
		       sleeper->match, sleeper->call.since);
}

static void kipc_proc_note_all(struct kipc_object *object, struct kipc_proc_waiters *waiters)
{
	struct kipc_msg_queue *queue;
	struct kipc_sem_set *set;

	waiters->count = 0;
	if (object->kind == KIPC_KIND_SEM) {
		set = kipc_sem_set_of(object);
		kipc_sem_set_lock(set);
		kipc_sem_visit_sleepers_locked(set, kipc_proc_note_operation, waiters);
		kipc_sem_set_unlock(set);
	} else {
		queue = kipc_msg_queue_of(object);
		mutex_lock(&queue->lock);
		kipc_msg_visit_sleepers_locked(queue, kipc_proc_note_sleeper, waiters);
		mutex_unlock(&queue->lock);
	}
}

static void kipc_proc_show_waiter(struct seq_file *s, struct kipc_object *object,
				  const struct kipc_proc_waiter *waiter)
{
	static const char * const names[] = {
		[KIPC_MSG_ANY] = "receive",
		[KIPC_MSG_EXACT] = "receive",
		[KIPC_MSG_LEAST] = "receive",
		[KIPC_MSG_EXCEPT] = "except",
		[KIPC_MSG_SEND] = "send",
	};

	seq_printf(s, "%-4s %10d %6ld %10d ", kipc_kind_names[object->kind], object->id,
		   waiter->num, waiter->pid);
	if (object->kind == KIPC_KIND_SEM)
		seq_printf(s, "%7d", waiter->op);
	else
		seq_printf(s, "%7s", names[waiter->op]);
	seq_printf(s, " %10lu\n", (jiffies - waiter->since) / HZ);
}

static void kipc_proc_waiters_show(struct seq_file *s, struct kipc_object *object)
{
	struct kipc_proc_walk *walk = s->private;
	struct kipc_proc_waiters waiters = { .pid_ns = walk->pid_ns };
	unsigned int i;

	if (!kipc_may_access(object, S_IRUGO))
		return;
	/* Until there is room for all, of whom there may be more by then. */
	for (;;) {
		kipc_proc_note_all(object, &waiters);
		if (waiters.count <= waiters.max)
			break;
		waiters.max = waiters.count + waiters.count / 8;
		kvfree(waiters.waiter);
		waiters.waiter = kvmalloc_array(waiters.max, sizeof(*waiters.waiter),
						GFP_KERNEL_ACCOUNT);
		if (!waiters.waiter) {
			walk->error = -ENOMEM;
			return;
		}
	}
	for (i = 0; i < waiters.count; i++) {
		kipc_proc_show_waiter(s, object, &waiters.waiter[i]);
		cond_resched();
	}
	kvfree(waiters.waiter);
}

/* ---- objects ---- */

static const char * const kipc_lifetime_names[] = {
	[KIPC_LIFETIME_PERSISTENT] = "persistent",
	[KIPC_LIFETIME_CREATOR] = "creator",
	[KIPC_LIFETIME_USERS] = "users",
};

static void kipc_proc_objects_show(struct seq_file *s, struct kipc_object *object)
{
	struct kipc_proc_walk *walk = s->private;
	unsigned int orphans = 0;

	/* Who held what is for those who may read it. */
	if (object->kind == KIPC_KIND_SEM && kipc_may_access(object, S_IRUGO))
		orphans = READ_ONCE(kipc_sem_set_of(object)->orphans);
	spin_lock(&object->lock);
	if (!object->removed)
		seq_printf(s, "%-4s %10d 0x%08x %10u  %4o %6lu %-10s %7u %10lld %10llu %8u %8u\n",
			   kipc_kind_names[object->kind], object->id, object->key,
			   from_kuid_munged(walk->user_ns, object->uid),
			   object->mode, object->ops->users(object) + object->handles,
			   kipc_lifetime_names[object->lifetime],
			   pid_nr_ns(object->creator, walk->pid_ns),
			   ktime_get_boottime_seconds() - object->born,
			   READ_ONCE(object->calls), object->handles, orphans);
	spin_unlock(&object->lock);
}

/* ---- names ---- */

/**
 * struct kipc_proc_named - what is shown of an object that has a name
 * @name: its name
 * @uid: owner
 * @mode: permission bits
 * @size: bytes of a segment or in a stream, value of a semaphore, messages of a queue
 * @waiters: who sleeps
 * @is_secret: @size and @waiters are for who may read the object
 */
struct kipc_proc_named {
	const struct kipc_name *name;
	kuid_t uid;
	umode_t mode;
	u64 size;
	unsigned int waiters;
	bool is_secret;
};

static void kipc_proc_look_at_posix_shm(struct kipc_object *object,
					struct kipc_proc_named *named)
{
	struct kipc_posix_shm *shm = kipc_posix_shm_of(object);
	struct inode *inode = file_inode(shm->file);

	named->name = &shm->name;
	named->uid = inode->i_uid;
	named->mode = inode->i_mode & S_IALLUGO;
	named->size = i_size_read(inode);
}

static void kipc_proc_look_at_posix_sem(struct kipc_object *object,
					struct kipc_proc_named *named)
{
	struct kipc_posix_sem *sem = kipc_posix_sem_of(object);

	named->name = &sem->name;
	named->size = READ_ONCE(*sem->word) & KIPC_POSIX_SEM_VALUE;
	named->waiters = READ_ONCE(sem->sleeper_count);
	named->is_secret = true;
}

static void kipc_proc_look_at_posix_mq(struct kipc_object *object,
				       struct kipc_proc_named *named)
{
	struct kipc_posix_mq *mq = kipc_posix_mq_of(object);

	named->name = &mq->name;
	named->size = READ_ONCE(mq->queue.count);
	named->waiters = READ_ONCE(mq->queue.receiver_count) +
			 READ_ONCE(mq->queue.sender_count);
	named->is_secret = true;
}

static void kipc_proc_look_at_stream(struct kipc_object *object,
				     struct kipc_proc_named *named)
{
	struct kipc_stream *stream = kipc_stream_of(object);

	named->name = &stream->name;
	named->size = kipc_stream_count(stream);
	named->is_secret = true;
}

static void kipc_proc_names_show(struct seq_file *s, struct kipc_object *object)
{
	struct kipc_proc_named named = { .uid = object->uid, .mode = object->mode };
	struct kipc_proc_walk *walk = s->private;

	if (object->kind == KIPC_KIND_POSIX_SHM)
		kipc_proc_look_at_posix_shm(object, &named);
	else if (object->kind == KIPC_KIND_POSIX_SEM)
		kipc_proc_look_at_posix_sem(object, &named);
	else if (object->kind == KIPC_KIND_POSIX_MQ)
		kipc_proc_look_at_posix_mq(object, &named);
	else
		kipc_proc_look_at_stream(object, &named);
	spin_lock(&object->lock);
	if (named.is_secret && kipc_may_open(object, O_RDONLY)) {
		named.size = 0;
		named.waiters = 0;
	}
	if (!object->removed) {
		seq_printf(s, "%-4s %10d %10u  %4o %20llu %6lu %7u %7u %10lld %-10s /",
			   kipc_kind_names[object->kind], object->id,
			   from_kuid_munged(walk->user_ns, named.uid), named.mode, named.size,
			   object->ops->users(object), named.waiters,
			   pid_nr_ns(object->creator, walk->pid_ns),
			   ktime_get_boottime_seconds() - object->born,
			   kipc_lifetime_names[object->lifetime]);
		seq_escape(s, named.name->text, " \t\n\\");
		seq_putc(s, '\n');
	}
	spin_unlock(&object->lock);
}

/* ---- The listings ---- */

static const struct kipc_proc_file kipc_proc_files[] = {
	{
		"shm", KIPC_KIND_SHM, KIPC_KIND_SHM,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n",
		kipc_proc_shm_show,
	}, {
		"sem", KIPC_KIND_SEM, KIPC_KIND_SEM,
		"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
		kipc_proc_sem_show,
	}, {
		"msg", KIPC_KIND_MSG, KIPC_KIND_MSG,
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      ctime\n",
		kipc_proc_msg_show,
	}, {
		"queues", KIPC_KIND_MSG, KIPC_KIND_MSG,
		"        id   messages      bytes      limit    senders  receivers     oldest\n",
		kipc_proc_queues_show,
	}, {
		"waiters", KIPC_KIND_SEM, KIPC_KIND_MSG,
		"kind         id    num        pid      op        age\n",
		kipc_proc_waiters_show,
	}, {
		"objects", KIPC_KIND_SHM, KIPC_KIND_MSG,
		"kind         id        key      owner perms  users lifetime   creator        age      calls  handles  orphans\n",
		kipc_proc_objects_show,
	}, {
		"names", KIPC_KIND_POSIX_SHM, KIPC_KIND_STREAM,
		"kind         id      owner perms                 size  users waiters creator        age lifetime   name\n",
		kipc_proc_names_show,
	},
};

/* ---- One text: of the namespace of whoever opened the file, as a listing ---- */

static int kipc_proc_open_text(struct file *file, int (*show)(struct seq_file *s, void *v))
{
	struct kipc_space *space = kipc_space_current();
	int ret;

	if (IS_ERR(space))
		return PTR_ERR(space);
	ret = single_open(file, show, kipc_space_get(space));
	if (ret)
		kipc_space_put(space);
	return ret;
}

static struct kipc_space *kipc_proc_space(struct file *file)
{
	struct seq_file *s = file->private_data;

	return s->private;
}

static int kipc_proc_release_text(struct inode *inode, struct file *file)
{
	kipc_space_put(kipc_proc_space(file));
	return single_release(inode, file);
}

/* ---- ids ---- */

static unsigned int kipc_proc_mni(struct kipc_space *space, unsigned int kind)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return space->shm_limits.mni;
	case KIPC_KIND_SEM:
		return space->sem_limits.mni;
	case KIPC_KIND_MSG:
		return space->msg_limits.mni;
	case KIPC_KIND_POSIX_MQ:
		return space->mq_limits.queues_max;
	default:
		return KIPC_INDEX_MAX;
	}
}

static int kipc_proc_ids_show(struct seq_file *s, void *v)
{
	struct kipc_space *space = s->private;
	struct kipc_ids *ids;
	unsigned int kind;

	kipc_death_settle();
	kipc_shm_settle(space);
	seq_puts(s, "kind     in_use    max_idx   seq    next_id      limit              created              removed\n");
	for (kind = 0; kind < KIPC_ALL_KINDS; kind++) {
		ids = &space->ids[kind];
		down_write(&ids->rwsem);
		seq_printf(s, "%-4s %10d %10d %5u %10d %10u %20llu %20llu\n",
			   kipc_kind_names[kind], ids->in_use, kipc_ids_max_index(ids), ids->seq,
			   ids->next_id, kipc_proc_mni(space, kind), ids->created, ids->removed);
		up_write(&ids->rwsem);
	}
	return 0;
}

static int kipc_proc_ids_open(struct inode *inode, struct file *file)
{
	return kipc_proc_open_text(file, kipc_proc_ids_show);
}

static const struct proc_ops kipc_proc_ids_ops = {
	.proc_open	= kipc_proc_ids_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= kipc_proc_release_text,
};

/* ---- sys: whether one may set a limit is asked with each write ---- */

static int kipc_proc_limit_show(struct seq_file *s, void *v)
{
	const struct kipc_limit_type *type = pde_data(file_inode(s->file));
	u64 value = kipc_limit_get(s->private, type);

	if (type->is_signed)
		seq_printf(s, "%lld\n", value);
	else
		seq_printf(s, "%llu\n", value);
	return 0;
}

static int kipc_proc_limit_open(struct inode *inode, struct file *file)
{
	return kipc_proc_open_text(file, kipc_proc_limit_show);
}

static ssize_t kipc_proc_limit_write(struct file *file, const char __user *buf,
				     size_t count, loff_t *pos)
{
	const struct kipc_limit_type *type = pde_data(file_inode(file));
	struct kipc_space *space = kipc_proc_space(file);
	char text[32], *number;
	u64 value;
	int ret;

	if (!kipc_limit_may_set(space, type))
		return -EPERM;
	if (!count)
		return 0;
	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';

	/* As sysctl files: blanks around it, no sign, and any bad number is EINVAL. */
	number = strim(text);
	if (!isdigit(*number) || kstrtoull(number, 0, &value))
		return -EINVAL;
	ret = kipc_limit_set(space, type, value);
	return ret ?: count;
}

static const struct proc_ops kipc_proc_limit = {
	.proc_open	= kipc_proc_limit_open,
	.proc_read	= seq_read,
	.proc_write	= kipc_proc_limit_write,
	.proc_lseek	= seq_lseek,
	.proc_release	= kipc_proc_release_text,
};

/* kernel.sem: four limits in one file; as many are set as are given. */
static const u8 kipc_proc_sem_limits[] = {
	KIPC_LIMIT_SEMMSL, KIPC_LIMIT_SEMMNS, KIPC_LIMIT_SEMOPM, KIPC_LIMIT_SEMMNI,
};

static int kipc_proc_sem_limits_show(struct seq_file *s, void *v)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kipc_proc_sem_limits); i++)
		seq_printf(s, "%s%lld", i ? "\t" : "",
			   kipc_limit_get(s->private, &kipc_limit_types[kipc_proc_sem_limits[i]]));
	seq_putc(s, '\n');
	return 0;
}

static int kipc_proc_sem_limits_open(struct inode *inode, struct file *file)
{
	return kipc_proc_open_text(file, kipc_proc_sem_limits_show);
}

static ssize_t kipc_proc_sem_limits_write(struct file *file, const char __user *buf,
					  size_t count, loff_t *pos)
{
	const struct kipc_limit_type *type = &kipc_limit_types[kipc_proc_sem_limits[0]];
	struct kipc_space *space = kipc_proc_space(file);
	char text[128], *rest = text, *number;
	unsigned int i;
	s64 value;
	int ret;

	if (!kipc_limit_may_set(space, type))
		return -EPERM;
	if (!count)
		return 0;
	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';

	for (i = 0; i < ARRAY_SIZE(kipc_proc_sem_limits); i++) {
		rest = skip_spaces(rest);
		number = strsep(&rest, " \t\n");
		if (!*number && i)
			break;
		if (!isdigit(*number) && *number != '-')
			return -EINVAL;
		type = &kipc_limit_types[kipc_proc_sem_limits[i]];
		if (kstrtoll(number, 0, &value) || value != (int)value)
			return -EINVAL;
		ret = kipc_limit_set(space, type, value);
		/* As native has it for SEMMNI, the one that has a range. */
		if (ret)
			return ret == -EINVAL ? -ERANGE : ret;
		if (!rest)
			break;
	}
	return count;
}

static const struct proc_ops kipc_proc_sem_limits_ops = {
	.proc_open	= kipc_proc_sem_limits_open,
	.proc_read	= seq_read,
	.proc_write	= kipc_proc_sem_limits_write,
	.proc_lseek	= seq_lseek,
	.proc_release	= kipc_proc_release_text,
};

/* ---- Init ---- */

static int kipc_proc_fill(struct proc_dir_entry *dir)
{
	struct proc_dir_entry *sys;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kipc_proc_files); i++)
		if (!proc_create_data(kipc_proc_files[i].name, 0444, dir, &kipc_proc_ops,
				      (void *)&kipc_proc_files[i]))
			return -ENOMEM;
	if (!proc_create("ids", 0444, dir, &kipc_proc_ids_ops))
		return -ENOMEM;

	sys = proc_mkdir("sys", dir);
	if (!sys)
		return -ENOMEM;
	if (!proc_create("sem", 0644, sys, &kipc_proc_sem_limits_ops))
		return -ENOMEM;
	for (i = 0; i < kipc_limit_count; i++)
		if (kipc_limit_types[i].name && !proc_create_data(kipc_limit_types[i].name, 0644, sys,
				      &kipc_proc_limit, (void *)&kipc_limit_types[i]))
			return -ENOMEM;
	return 0;
}

/**
 * kipc_proc_init() - make /proc/kipc
 *
 * Return: 0 or -ENOMEM.
 */
int kipc_proc_init(void)
{
	struct proc_dir_entry *dir = proc_mkdir("kipc", NULL);
	int ret;

	if (!dir)
		return -ENOMEM;
	ret = kipc_proc_fill(dir);
	if (ret)
		kipc_proc_deinit();
	return ret;
}

/**
 * kipc_proc_deinit() - remove /proc/kipc
 */
void kipc_proc_deinit(void)
{
	remove_proc_subtree("kipc", NULL);
}

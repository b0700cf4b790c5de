// SPDX-License-Identifier: GPL-2.0
/*
 * The security matrix of objects with names: opening and unlinking them, and what is done with
 * a segment's descriptor, on objects of every mode that tells something, by everybody.  The C
 * library's are the oracle: files of a sticky directory, and of mqueue.
 */
#include "common/harness.h"
#include "posix/posix.h"

#include "common/device.h"
#include "cells.h"
#include "hostile/raw.h"
#include "principal.h"

#include <stdio.h>
#include <sys/wait.h>

static const int modes[] = {
	0, 0400, 0200, 0100, 0040, 0020, 0010, 0004, 0002, 0001, 0777, 0600, 0060, 0006,
};

#define MODE_COUNT	ARRAY_SIZE(modes)

enum kind { SHM, SEM, MQ, KINDS };

/**
 * struct named - what is called on
 * @name: with its slash
 * @fd: root's descriptor of a segment, for both
 */
struct named {
	enum kind kind;
	char name[16];
	int mode, fd;
};

/**
 * struct name_call - one row
 * @shape: LETS, REFUSES, FOLLOWS
 */
struct name_call {
	const char *name;
	long (*try_call)(const struct posix *posix, const struct named *o, long arg,
			 struct output *out);
	long arg;
	unsigned int shape;
};

static const struct posix *const worlds[BOTH] = { &posix_native, &posix_kipc };

static struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 16 };

static long done(int fd)
{
	return fd < 0 ? -1 : close(fd);
}

/* ---- Opening ---- */

static int open_as(const struct posix *posix, const struct named *o, int oflag, int mode)
{
	sem_t *sem;

	switch (o->kind) {
	case SHM:
		return posix->shm_open(o->name, oflag, mode);
	case MQ:
		return posix->mq_open(o->name, oflag, mode, &attr);
	default:
		sem = posix->sem_open(o->name, oflag & ~O_ACCMODE, mode, 1);
		return sem == SEM_FAILED ? -1 : posix->sem_close(sem) ? -1 : dup(0);
	}
}

static long open_it(const struct posix *posix, const struct named *o, long oflag,
		    struct output *out)
{
	(void)out;
	return done(open_as(posix, o, oflag, 0640));
}

/* A semaphore's handle; natively its file. */
static long open_sem(const struct posix *posix, const struct named *o, long oflag,
		     struct output *out)
{
	struct kipc_name_open open_call = {
		.name = (uintptr_t)o->name + 1, .kind = KIPC_KIND_POSIX_SEM, .flags = oflag,
	};
	char path[64];

	(void)out;
	if (posix == &posix_kipc)
		return done(ioctl(raw_fd(), KIPC_IOC_NAME_OPEN, &open_call));
	snprintf(path, sizeof(path), "/dev/shm/sem.%s", o->name + 1);
	return done(open(path, oflag));
}

static long unlink_it(const struct posix *posix, const struct named *o, long arg,
		      struct output *out)
{
	(void)arg;
	(void)out;
	return o->kind == SHM ? posix->shm_unlink(o->name) :
	       o->kind == SEM ? posix->sem_unlink(o->name) : posix->mq_unlink(o->name);
}

/* ---- What is done with root's descriptor of a segment ---- */

static long stat_it(const struct posix *posix, const struct named *o, long arg,
		    struct output *out)
{
	struct stat st;

	(void)posix;
	(void)arg;
	if (fstat(o->fd, &st))
		return -1;
	output_add(out, st.st_mode);
	output_add(out, st.st_uid);
	output_add(out, st.st_gid);
	output_add(out, st.st_size);
	output_add(out, st.st_nlink);
	return 0;
}

static long change_mode(const struct posix *posix, const struct named *o, long mode,
			struct output *out)
{
	(void)posix;
	(void)out;
	return fchmod(o->fd, o->mode ^ mode);
}

enum { TO_ME, TO_MY_GROUP, TO_ROOT };

static long change_owner(const struct posix *posix, const struct named *o, long to,
			 struct output *out)
{
	(void)posix;
	(void)out;
	return to == TO_ME ? fchown(o->fd, geteuid(), -1) :
	       to == TO_MY_GROUP ? fchown(o->fd, -1, getegid()) : fchown(o->fd, 0, 0);
}

static long set_size(const struct posix *posix, const struct named *o, long size,
		     struct output *out)
{
	(void)posix;
	(void)out;
	return ftruncate(o->fd, size);
}

/* By what the process has of it in /proc, as if by name. */
static long open_anew(const struct posix *posix, const struct named *o, long oflag,
		      struct output *out)
{
	char path[40];

	(void)posix;
	(void)out;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->fd);
	return done(open(path, oflag));
}

static const struct name_call on_segments[] = {
	{ "shm_open O_RDONLY", open_it, O_RDONLY, LETS | REFUSES },
	{ "shm_open O_WRONLY", open_it, O_WRONLY, LETS | REFUSES },
	{ "shm_open O_RDWR", open_it, O_RDWR, LETS | REFUSES },
	{ "shm_open O_RDONLY O_CREAT, there", open_it, O_RDONLY | O_CREAT, LETS | REFUSES },
	{ "shm_open O_RDWR O_CREAT, there", open_it, O_RDWR | O_CREAT, LETS | REFUSES },
	{ "shm_open O_CREAT O_EXCL, there", open_it, O_RDWR | O_CREAT | O_EXCL, 0 },
	{ "shm_open O_RDONLY O_TRUNC", open_it, O_RDONLY | O_TRUNC, LETS | REFUSES },
	{ "shm_open O_RDWR O_CREAT O_TRUNC", open_it, O_RDWR | O_CREAT | O_TRUNC, LETS | REFUSES },
	{ "fstat", stat_it, 0, LETS },
	{ "ftruncate", set_size, PAGE, LETS },
	{ "open anew O_RDONLY", open_anew, O_RDONLY, LETS | REFUSES },
	{ "open anew O_RDWR", open_anew, O_RDWR, LETS | REFUSES },
	{ "fchmod", change_mode, 0666, LETS | REFUSES },
	{ "shm_open O_RDONLY, after fchmod", open_it, O_RDONLY, LETS | REFUSES },
	{ "shm_open O_RDWR, after fchmod", open_it, O_RDWR, LETS | REFUSES },
	{ "fchown to root", change_owner, TO_ROOT, LETS | REFUSES },
	{ "fchown to the caller's group", change_owner, TO_MY_GROUP, LETS | REFUSES },
	{ "shm_open O_RDWR, after fchown of the group", open_it, O_RDWR, LETS | REFUSES },
	{ "fchown to the caller", change_owner, TO_ME, LETS | REFUSES },
	{ "shm_open O_RDWR, after fchown", open_it, O_RDWR, LETS | REFUSES },
	{ "fstat after all", stat_it, 0, LETS },
	{ "shm_unlink", unlink_it, 0, LETS | REFUSES },
	{ "shm_open O_CREAT, after shm_unlink", open_it, O_RDWR | O_CREAT,
	  LETS | REFUSES | FOLLOWS },
};

static const struct name_call on_semaphores[] = {
	{ "sem_open", open_it, 0, LETS | REFUSES },
	{ "sem_open O_CREAT, there", open_it, O_CREAT, LETS | REFUSES },
	{ "sem_open O_CREAT O_EXCL, there", open_it, O_CREAT | O_EXCL, 0 },
	{ "a semaphore's descriptor, O_RDONLY", open_sem, O_RDONLY, LETS | REFUSES },
	{ "a semaphore's descriptor, O_WRONLY", open_sem, O_WRONLY, LETS | REFUSES },
	{ "a semaphore's descriptor, O_RDWR", open_sem, O_RDWR, LETS | REFUSES },
	{ "sem_unlink", unlink_it, 0, LETS | REFUSES },
	{ "sem_open O_CREAT, after sem_unlink", open_it, O_CREAT, LETS | REFUSES | FOLLOWS },
};

static const struct name_call on_queues[] = {
	{ "mq_open O_RDONLY", open_it, O_RDONLY, LETS | REFUSES },
	{ "mq_open O_WRONLY", open_it, O_WRONLY, LETS | REFUSES },
	{ "mq_open O_RDWR", open_it, O_RDWR, LETS | REFUSES },
	{ "mq_open O_CREAT, there", open_it, O_RDWR | O_CREAT, LETS | REFUSES },
	{ "mq_open O_CREAT O_EXCL, there", open_it, O_RDWR | O_CREAT | O_EXCL, 0 },
	{ "mq_unlink", unlink_it, 0, LETS | REFUSES },
	{ "mq_open O_CREAT, after mq_unlink", open_it, O_RDWR | O_CREAT, LETS | REFUSES | FOLLOWS },
};

#define ROW(calls)	{ calls, ARRAY_SIZE(calls) }

static const struct {
	const struct name_call *calls;
	unsigned int count;
} tables[KINDS] = { [SHM] = ROW(on_segments), [SEM] = ROW(on_semaphores), [MQ] = ROW(on_queues) };

#define MOST_CALLS	24

/* Cells that differ, as Documentation/differences.rst tells under the heading. */
#define DIRECTORY	"Who takes a name away"
#define STRANGERS	"Who makes a queue"
static const struct difference differences[] = {
	{ DIRECTORY, "*_unlink", "root without capabilities", 0, EACCES },
	{ DIRECTORY, "mq_unlink", "container's root in the group", 0, EACCES },
	{ DIRECTORY, "mq_unlink", "container's root, no capabilities", 0, EACCES },
	{ DIRECTORY, "mq_unlink", "root of a child of the container", 0, EACCES },
	{ DIRECTORY, "mq_unlink", "who made the container", 0, EACCES },
	{ STRANGERS, "mq_open O_CREAT, after mq_unlink", "the machine's root", EOVERFLOW, 0 },
	{},
};

/* Of one principal, written by its process. */
struct answers {
	struct cell calls[KINDS][MODE_COUNT][MOST_CALLS][BOTH];
};

static struct answers *answers;
static unsigned char seen_shapes[KINDS][MOST_CALLS];
static struct named objects[KINDS][MODE_COUNT][BOTH];

static struct cell ask(const struct name_call *call, unsigned int world, const struct named *o)
{
	struct output out = {};

	errno = 0;
	return cell_of(call->try_call(worlds[world], o, call->arg, &out), &out);
}

/* As a principal: one call on both, and the next. */
static void ask_all(void)
{
	unsigned int k, m, c, i;

	for (k = 0; k < KINDS; k++)
		for (m = 0; m < MODE_COUNT; m++)
			for (c = 0; c < tables[k].count; c++)
				for (i = 0; i < BOTH; i++)
					answers->calls[k][m][c][i] =
						ask(&tables[k].calls[c], i, &objects[k][m][i]);
}

/*
 * Segments are made by one and given to another; what else has a name has no other owner than
 * who made it.  Return: 0 or -1.
 */
static int make_named(struct named *o, unsigned int world)
{
	const uid_t uid = o->kind == SHM ? CREATOR : OWNER;
	const gid_t gid = o->kind == SHM ? CREATOR_GROUP : OWNER_GROUP;
	int fd;

	if (setresgid(-1, gid, -1) || setresuid(-1, uid, -1))
		return -1;
	fd = open_as(worlds[world], o, O_RDWR | O_CREAT | O_EXCL, o->mode);
	if (setresuid(-1, 0, -1) || setresgid(-1, 0, -1) || fd < 0)
		return -1;
	if (o->kind != SHM)
		return close(fd);
	o->fd = fd;
	return ftruncate(fd, PAGE) || fchown(fd, OWNER, OWNER_GROUP);
}

static int make_all(void)
{
	unsigned int k, m, i;

	for (k = 0; k < KINDS; k++)
		for (m = 0; m < MODE_COUNT; m++)
			for (i = 0; i < BOTH; i++) {
				struct named *o = &objects[k][m][i];

				*o = (struct named){ .kind = k, .mode = modes[m], .fd = -1 };
				snprintf(o->name, sizeof(o->name), "/m%o", modes[m]);
				if (make_named(o, i))
					return -1;
			}
	return 0;
}

/* Owner and mode of what has the name, as root sees it; -1: there is none. */
static long look_at(const struct posix *posix, const struct named *o, long arg,
		    struct output *out)
{
	char line[1024], kind[8], name[300], path[64];
	unsigned int uid, mode;
	struct stat st = {};
	long ret = -1;
	int fd;
	FILE *f;

	(void)arg;
	if (posix == &posix_native) {
		snprintf(path, sizeof(path), "/dev/shm/%s%s", o->kind == SEM ? "sem." : "",
			 o->name + 1);
		fd = o->kind == MQ ? mq_open(o->name, O_RDONLY) : open(path, O_RDONLY);
		if (fd < 0 || fstat(fd, &st))
			return -1;
		output_add(out, st.st_uid);
		output_add(out, st.st_mode & 07777);
		return close(fd);
	}
	f = fopen("/proc/kipc/names", "re");
	errno = ENOENT;
	while (f && ret && fgets(line, sizeof(line), f))
		if (sscanf(line, "%7s %*d %u %o %*s %*s %*s %*s %*s %*s %299s", kind, &uid, &mode,
			   name) == 4 && !strcmp(name, o->name) &&
		    !strcmp(kind, (const char *[]){ "pshm", "psem", "pmq" }[o->kind])) {
			output_add(out, uid);
			output_add(out, mode);
			ret = 0;
		}
	if (f)
		fclose(f);
	return ret;
}

static void compare(struct tally *t, const struct principal *p, unsigned int k, unsigned int m)
{
	static const struct name_call left[KINDS] = {
		{ "what is left of the segment", look_at, 0, 0 },
		{ "what is left of the semaphore", look_at, 0, 0 },
		{ "what is left of the queue", look_at, 0, 0 },
	};
	struct cell c[BOTH];
	bool differed = false;
	unsigned int i;

	for (i = 0; i < tables[k].count; i++) {
		seen_shapes[k][i] |= cell_shape(&answers->calls[k][m][i][KIPC]);
		if (differed && tables[k].calls[i].shape & FOLLOWS)
			continue;
		differed |= cells_compare(t, p->who.name, tables[k].calls[i].name, modes[m],
					  answers->calls[k][m][i]);
	}
	for (i = 0; i < BOTH; i++)
		c[i] = ask(&left[k], i, &objects[k][m][i]);
	if (!differed)
		cells_compare(t, p->who.name, left[k].name, modes[m], c);
}

/* An empty one.  Who is in another IPC namespace has another directory, too. */
static int mount_shm(void)
{
	return mount("shm", "/dev/shm", "tmpfs", 0, "mode=1777");
}

static int become_principal(const struct principal *p, const struct container *c)
{
	if (p->elsewhere && (unshare(CLONE_NEWNS) || mount_shm()))
		return -1;
	return principal_become(p, c);
}

/* Return: 0, or -1: it could not be run. */
static int run_principal(struct tally *t, const struct principal *p, const struct container *c)
{
	unsigned int k, m, i;
	int status;
	pid_t pid;

	memset(answers, 0, sizeof(*answers));
	if (mount_shm() || make_all())
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (become_principal(p, c))
			_exit(1);
		ask_all();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return -1;
	for (k = 0; k < KINDS; k++)
		for (m = 0; m < MODE_COUNT; m++) {
			compare(t, p, k, m);
			for (i = 0; k == SHM && i < BOTH; i++)
				close(objects[k][m][i].fd);
		}
	return umount2("/dev/shm", MNT_DETACH);
}

TEST_LONG(names)
{
	static struct tally t = { .differences = differences };
	struct container c;
	unsigned int i, k;

	answers = mmap(NULL, sizeof(*answers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, answers);
	ASSERT_LE(0, raw_fd());
	ASSERT_EQ(0, begin_posix());
	umask(0);
	for (i = 0; i < principal_count; i++) {
		if (container_open(&c))
			SKIP(return, "no user namespaces for users here");
		ASSERT_EQ(0, principals[i].home == CONTAINER ? setns(c.ipc, CLONE_NEWIPC) :
							       unshare(CLONE_NEWIPC));
		ASSERT_EQ(0, run_principal(&t, &principals[i], &c))
			TH_LOG("%s", principals[i].who.name);
		container_close(&c);
	}
	for (k = 0; k < KINDS; k++) {
		ASSERT_GE(MOST_CALLS, tables[k].count);
		for (i = 0; i < tables[k].count; i++)
			cells_check_shape(&t, tables[k].calls[i].name, tables[k].calls[i].shape,
					  seen_shapes[k][i]);
	}
	cells_check(&t);
	EXPECT_EQ(0, t.wrong);
	EXPECT_LE(20000, t.compared);
}

TEST_HARNESS_MAIN

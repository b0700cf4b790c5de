// SPDX-License-Identifier: GPL-2.0
/*
 * What a descriptor conveys.  One of the device: a way to call, and by its access mode
 * which mappings; whose rights and whose namespace count with each call is up to the
 * caller.  One of a listing: what its opener may see of the opener's namespace.
 */
#include "common/harness.h"
#include "common/device.h"
#include "common/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <kipc.h>

#define NOBODYS	KEY(0)		/* objects that only their owner, root, may use */

static const struct who stranger = { .uid = STRANGER, .gid = NO_GROUP, .group = -1 };

/* ---- Every way to use a descriptor of the device ---- */

struct ids {
	int shm, sem, msg;
};

static int by_shm_get(int fd, const struct ids *ids)
{
	struct kipc_shm_get get = { .key = NOBODYS, .flags = 0600 };

	return ioctl(fd, KIPC_IOC_SHM_GET, &get) == ids->shm ? 0 : -1;
}

static int by_short_shm_get(int fd, const struct ids *ids)
{
	const uint64_t key = 0600ull << 32 | NOBODYS;

	return syscall(SYS_fadvise64, fd, key, 0, KIPC_CALL_SHM_GET) == ids->shm ? 0 : -1;
}

static int by_shm_attach(int fd, const struct ids *ids)
{
	struct kipc_shm_attach at = { .id = ids->shm };

	if (ioctl(fd, KIPC_IOC_SHM_ATTACH, &at))
		return -1;
	*(volatile char *)at.addr = 'a';
	return ioctl(fd, KIPC_IOC_SHM_DETACH, &(struct kipc_shm_detach){ at.addr });
}

static int by_shm_ctl(int fd, const struct ids *ids)
{
	struct shmid_ds ds;

	return ioctl(fd, KIPC_IOC_SHM_CTL, &(struct kipc_shm_ctl){
			.id = ids->shm, .cmd = IPC_STAT, .buf = (uintptr_t)&ds });
}

static int by_sem_op(int fd, const struct ids *ids)
{
	struct sembuf sop = { 0, 1, 0 };

	return ioctl(fd, KIPC_IOC_SEM_OP, &(struct kipc_sem_op){
			.id = ids->sem, .nsops = 1, .sops = (uintptr_t)&sop });
}

static int by_short_sem_op(int fd, const struct ids *ids)
{
	struct sembuf sop = { 0, -1, IPC_NOWAIT };

	return syscall(SYS_fadvise64, fd, 1ull << 32 | ids->sem, &sop, KIPC_CALL_SEM_OP);
}

static int by_sem_ctl(int fd, const struct ids *ids)
{
	unsigned short values[1];

	return ioctl(fd, KIPC_IOC_SEM_CTL, &(struct kipc_sem_ctl){
			.id = ids->sem, .cmd = GETALL, .arg = (uintptr_t)values });
}

static int by_msg_send(int fd, const struct ids *ids)
{
	struct note n = { 1, 1 };

	return ioctl(fd, KIPC_IOC_MSG_SEND, &(struct kipc_msg_op){
			.id = ids->msg, .msg = (uintptr_t)&n, .size = NOTE, .flags = IPC_NOWAIT });
}

static int by_short_msg_receive(int fd, const struct ids *ids)
{
	struct note n;

	return syscall(SYS_fadvise64, fd, (uint64_t)ids->msg, &n,
		       KIPC_CALL_MSG_RECEIVE(IPC_NOWAIT, NOTE)) == NOTE ? 0 : -1;
}

static int by_limit(int fd, const struct ids *ids)
{
	(void)ids;
	return ioctl(fd, KIPC_IOC_LIMIT, &(struct kipc_limit){
			KIPC_LIMIT_SHMMNI, KIPC_LIMIT_SET, 4096 });
}

static int by_record(int fd, const struct ids *ids)
{
	struct kipc_process_map map = {};

	(void)ids;
	return ioctl(fd, KIPC_IOC_PROCESS_MAP, &map);
}

/* Which stays mapped: each in a process of its own. */
static int map_set(int fd, const struct ids *ids, unsigned int flags)
{
	struct kipc_sem_map map = { .id = ids->sem, .flags = flags };
	int ret = ioctl(fd, KIPC_IOC_SEM_MAP, &map);
	const struct kipc_sem_shared *shared = (void *)map.shared;

	return ret || shared->cells[0].word & KIPC_SEM_HELD ? -1 : 0;
}

static int by_set_to_look(int fd, const struct ids *ids)
{
	return map_set(fd, ids, 0);
}

static int by_set_to_operate(int fd, const struct ids *ids)
{
	struct kipc_process_map map = {};
	int own = device_open();

	/* The record is the caller's, by whatever descriptor. */
	if (ioctl(own, KIPC_IOC_PROCESS_MAP, &map))
		return -2;
	close(own);
	return map_set(fd, ids, KIPC_SEM_MAP_WRITE);
}

static int map_segment(int fd, const struct ids *ids, int prot)
{
	void *a = mmap(NULL, PAGE, prot, MAP_SHARED, fd,
		       KIPC_MMAP_OFFSET(KIPC_KIND_SHM, ids->shm));

	if (a == MAP_FAILED)
		return -1;
	/* What was not asked for stays out of reach. */
	if (!(prot & PROT_WRITE) && (!mprotect(a, PAGE, PROT_WRITE) || errno != EACCES))
		return -2;
	return munmap(a, PAGE);
}

static int by_mmap_to_read(int fd, const struct ids *ids)
{
	return map_segment(fd, ids, PROT_READ);
}

static int by_mmap_to_write(int fd, const struct ids *ids)
{
	return map_segment(fd, ids, PROT_READ | PROT_WRITE);
}

/* What each way needs of the descriptor, beside that it is open. */
static const struct way {
	const char *name;
	int (*use)(int fd, const struct ids *ids);
	int access;		/* O_RDONLY where the kernel maps for reading; -1: nothing */
	int refused;		/* what the stranger gets */
} ways[] = {
	{ "KIPC_IOC_SHM_GET", by_shm_get, -1, EACCES },
	{ "KIPC_CALL_SHM_GET", by_short_shm_get, -1, EACCES },
	{ "KIPC_IOC_SHM_ATTACH", by_shm_attach, -1, EACCES },
	{ "KIPC_IOC_SHM_CTL", by_shm_ctl, -1, EACCES },
	{ "KIPC_IOC_SEM_OP", by_sem_op, -1, EACCES },
	{ "KIPC_CALL_SEM_OP", by_short_sem_op, -1, EACCES },
	{ "KIPC_IOC_SEM_CTL", by_sem_ctl, -1, EACCES },
	{ "KIPC_IOC_MSG_SEND", by_msg_send, -1, EACCES },
	{ "KIPC_CALL_MSG_RECEIVE", by_short_msg_receive, -1, EACCES },
	{ "KIPC_IOC_LIMIT", by_limit, -1, EPERM },
	{ "KIPC_IOC_PROCESS_MAP", by_record, O_RDWR, 0 },
	{ "KIPC_IOC_SEM_MAP, to look", by_set_to_look, O_RDONLY, EACCES },
	{ "KIPC_IOC_SEM_MAP, to operate", by_set_to_operate, O_RDWR, EACCES },
	{ "mmap, to read", by_mmap_to_read, O_RDONLY, EACCES },
	{ "mmap, to write", by_mmap_to_write, O_RDWR, EACCES },
};

/* One way, in a process of its own that is @who: 0, an errno, or 255. */
static int use(const struct way *way, int fd, const struct ids *ids, const struct who *who)
{
	int status = 255 << 8, ret;
	pid_t pid = fork();

	if (!pid) {
		if (who && become(who))
			_exit(254);
		errno = 0;
		ret = way->use(fd, ids);
		_exit(ret == -1 && errno ? errno : ret ? 253 : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

FIXTURE(descriptor) {
	struct ids ids;
	int fd;
};

FIXTURE_SETUP(descriptor)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->ids.shm = kipc_shmget(NOBODYS, PAGE, IPC_CREAT | 0600);
	self->ids.sem = kipc_semget(NOBODYS, 1, IPC_CREAT | 0600);
	self->ids.msg = kipc_msgget(NOBODYS, IPC_CREAT | 0600);
	ASSERT_LE(0, self->ids.shm | self->ids.sem | self->ids.msg);
	self->fd = device_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(descriptor)
{
	close(self->fd);
	EXPECT_NOTHING(&ipc_native);
}

/* However it was opened every call works; mappings need what mmap(2) says. */
TEST_F(descriptor, access_modes)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR, O_PATH };
	unsigned int m, w;
	int fd, want;

	for (m = 0; m < ARRAY_SIZE(modes); m++) {
		fd = open(KIPC_DEVICE, modes[m] | O_CLOEXEC);
		ASSERT_LE(0, fd);
		for (w = 0; w < ARRAY_SIZE(ways); w++) {
			want = 0;
			if (modes[m] == O_PATH)
				want = EBADF;
			else if (modes[m] == O_WRONLY && ways[w].access >= 0)
				want = EACCES;
			else if (modes[m] == O_RDONLY && ways[w].access == O_RDWR)
				want = EACCES;
			EXPECT_EQ(want, use(&ways[w], fd, &self->ids, NULL))
				TH_LOG("%s, opened with %o", ways[w].name, modes[m]);
		}
		close(fd);
	}
}

/* What a process opens as @who, in an IPC namespace of its own if @elsewhere, and sends. */
struct opening {
	int to;
	const struct who *who;
	const char *path;
	int flags;
	bool elsewhere;
};

static int open_and_send(void *arg)
{
	const struct opening *o = arg;
	int fd;

	if (o->elsewhere && unshare(CLONE_NEWIPC))
		return 1;
	if (o->who && become(o->who))
		return 2;
	fd = open(o->path, o->flags | O_CLOEXEC);
	if (fd < 0)
		return 3;
	/* So that there is something of that namespace's. */
	if (o->elsewhere && kipc_shmget(0x1234, PAGE, IPC_CREAT | 0600) < 0)
		return 4;
	return send_fd(o->to, fd) ? 5 : 0;
}

/* Return: the descriptor, from a process that is gone, or -1. */
static int opened_by(const struct who *who, const char *path, int flags, bool elsewhere)
{
	struct opening o = { .who = who, .path = path, .flags = flags, .elsewhere = elsewhere };
	int pair[2], fd = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -1;
	o.to = pair[0];
	if (!in_child(open_and_send, &o))
		fd = receive_fd(pair[1]);
	close(pair[0]);
	close(pair[1]);
	return fd;
}

/* Whoever opened it: the caller's rights count. */
TEST_F(descriptor, passed)
{
	int roots = opened_by(NULL, KIPC_DEVICE, O_RDWR, false);
	int strangers = opened_by(&stranger, KIPC_DEVICE, O_RDWR, false);
	unsigned int w;

	ASSERT_LE(0, roots);
	ASSERT_LE(0, strangers);
	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		EXPECT_EQ(ways[w].refused, use(&ways[w], roots, &self->ids, &stranger))
			TH_LOG("%s by a stranger, with root's", ways[w].name);
		EXPECT_EQ(0, use(&ways[w], strangers, &self->ids, NULL))
			TH_LOG("%s by root, with a stranger's", ways[w].name);
	}
	close(roots);
	close(strangers);
}

/* Nor does it keep a namespace, or bring its objects along; the opener's is long dead. */
TEST_F(descriptor, of_a_dead_namespace)
{
	struct kipc_shm_get get = { .key = 0x1234 };
	int fd = opened_by(NULL, KIPC_DEVICE, O_RDWR, true);
	unsigned int w;

	ASSERT_LE(0, fd);
	EXPECT_ERR(ENOENT, ioctl(fd, KIPC_IOC_SHM_GET, &get));
	for (w = 0; w < ARRAY_SIZE(ways); w++)
		EXPECT_EQ(0, use(&ways[w], fd, &self->ids, NULL))
			TH_LOG("way %u", w);
	close(fd);
}

/* As its caller changes: ids, namespace and back. */
static int kept(void *arg)
{
	const struct ids *ids = arg;
	int fd = device_open(), home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	struct kipc_shm_attach at = { .id = ids->shm };
	char *a;

	if (ioctl(fd, KIPC_IOC_SHM_ATTACH, &at))
		return 1;
	a = (char *)at.addr;
	*a = 'k';
	if (unshare(CLONE_NEWIPC))
		return 2;
	/* No such key and no such ids there. */
	if (by_shm_get(fd, ids) != -1 || errno != ENOENT || by_sem_op(fd, ids) != -1 ||
	    errno != EINVAL || by_msg_send(fd, ids) != -1 || errno != EINVAL)
		return 3;
	/* What is attached is attached. */
	if (*a != 'k' || setns(home, CLONE_NEWIPC) || by_shm_get(fd, ids))
		return 4;
	if (setresgid(NO_GROUP, NO_GROUP, NO_GROUP) || setresuid(STRANGER, STRANGER, 0))
		return 5;
	if (by_shm_attach(fd, ids) != -1 || errno != EACCES || by_sem_op(fd, ids) != -1 ||
	    errno != EACCES || by_set_to_look(fd, ids) != -1 || errno != EACCES || *a != 'k')
		return 6;
	return setresuid(0, 0, 0) || by_shm_attach(fd, ids) ? 7 : 0;
}

TEST_F(descriptor, kept_through_changes)
{
	EXPECT_EQ(0, in_child(kept, &self->ids));
}

/* ---- Over execve ---- */

/* --use WAY FD SHM SEM MSG: what use() does, in the program that was executed. */
static void __attribute__((constructor)) executed(int argc, char **argv)
{
	struct ids ids;
	int ret;

	if (argc != 7 || strcmp(argv[1], "--use"))
		return;
	ids = (struct ids){ atoi(argv[4]), atoi(argv[5]), atoi(argv[6]) };
	errno = 0;
	ret = ways[atoi(argv[2])].use(atoi(argv[3]), &ids);
	_exit(ret == -1 && errno ? errno : ret ? 253 : 0);
}

/* The program at @path makes the call. */
static int use_by_exec(const char *path, unsigned int way, int fd, const struct ids *ids,
		       const struct who *who)
{
	int status = 255 << 8;
	char arg[5][16];
	pid_t pid;

	snprintf(arg[0], sizeof(arg[0]), "%u", way);
	snprintf(arg[1], sizeof(arg[1]), "%d", fd);
	snprintf(arg[2], sizeof(arg[2]), "%d", ids->shm);
	snprintf(arg[3], sizeof(arg[3]), "%d", ids->sem);
	snprintf(arg[4], sizeof(arg[4]), "%d", ids->msg);
	pid = fork();
	if (!pid) {
		if (fcntl(fd, F_SETFD, 0) || (who && become(who)))
			_exit(254);
		execl(path, path, "--use", arg[0], arg[1], arg[2], arg[3], arg[4], NULL);
		_exit(252);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int copy_file(const char *from, int to)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			n = -1;
	close(fd);
	return n < 0 ? -1 : 0;
}

/* The program is who it is: no more by root's descriptor, no less by a stranger's. */
TEST_F(descriptor, executed)
{
	char path[] = "/tmp/kipc-setuid-XXXXXX";
	int program = mkostemp(path, O_CLOEXEC), fd;
	unsigned int w;

	ASSERT_LE(0, program);
	ASSERT_EQ(0, copy_file("/proc/self/exe", program));
	ASSERT_EQ(0, fchmod(program, 04755));
	close(program);
	fd = opened_by(&stranger, KIPC_DEVICE, O_RDWR, false);
	ASSERT_LE(0, fd);
	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		EXPECT_EQ(ways[w].refused,
			  use_by_exec("/proc/self/exe", w, self->fd, &self->ids, &stranger))
			TH_LOG("%s", ways[w].name);
		EXPECT_EQ(0, use_by_exec(path, w, fd, &self->ids, &stranger))
			TH_LOG("%s, setuid root", ways[w].name);
	}
	close(fd);
	unlink(path);
}

/* ---- Another node of the device ---- */

static int open_as_stranger(void *arg)
{
	const struct opening *o = arg;

	if (become(&stranger))
		return 255;
	return open(o->path, o->flags | O_CLOEXEC) < 0 ? errno : 0;
}

struct node {
	char dir[32], path[64];
};

/* One that is root's only. */
static int node_make(struct node *node)
{
	struct stat st;

	strcpy(node->dir, "/tmp/kipc-node-XXXXXX");
	if (stat(KIPC_DEVICE, &st) || !mkdtemp(node->dir) || chmod(node->dir, 0755))
		return -1;
	snprintf(node->path, sizeof(node->path), "%s/kipc", node->dir);
	return mknod(node->path, S_IFCHR | 0600, st.st_rdev);
}

static void node_remove(const struct node *node)
{
	unlink(node->path);
	rmdir(node->dir);
}

/* A node's permissions say who opens it, and how: then the rules are those above. */
TEST_F(descriptor, second_node)
{
	struct opening o = {};
	struct node node;
	unsigned int w;
	int fd;

	ASSERT_EQ(0, node_make(&node));
	o.path = node.path;
	o.flags = O_RDWR;
	EXPECT_EQ(EACCES << 8, in_child(open_as_stranger, &o));
	o.flags = O_RDONLY;
	EXPECT_EQ(EACCES << 8, in_child(open_as_stranger, &o));
	o.flags = O_PATH;
	EXPECT_EQ(0, in_child(open_as_stranger, &o));

	/* Open once, the node's permissions are over. */
	fd = opened_by(NULL, node.path, O_RDWR, false);
	ASSERT_LE(0, fd);
	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		EXPECT_EQ(ways[w].refused, use(&ways[w], fd, &self->ids, &stranger))
			TH_LOG("%s by a stranger", ways[w].name);
		EXPECT_EQ(0, use(&ways[w], fd, &self->ids, NULL))
			TH_LOG("%s by root", ways[w].name);
	}
	close(fd);

	ASSERT_EQ(0, chmod(node.path, 0644));
	o.flags = O_RDWR;
	EXPECT_EQ(EACCES << 8, in_child(open_as_stranger, &o));
	o.flags = O_RDONLY;
	EXPECT_EQ(0, in_child(open_as_stranger, &o));
	node_remove(&node);
}

/* Through whichever node a set was mapped, a change of its permissions cuts it. */
TEST_F(descriptor, mapped_through_second_node)
{
	struct kipc_process_map process = {};
	struct kipc_sem_map map = { .id = self->ids.sem, .flags = KIPC_SEM_MAP_WRITE };
	const volatile struct kipc_sem_shared *shared;
	struct semid_ds ds;
	struct node node;
	int fd;

	ASSERT_EQ(0, node_make(&node));
	fd = open(node.path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, KIPC_IOC_PROCESS_MAP, &process));
	ASSERT_EQ(0, ioctl(fd, KIPC_IOC_SEM_MAP, &map));
	close(fd);
	node_remove(&node);
	shared = (void *)map.shared;
	EXPECT_EQ(0, shared->cells[0].word & KIPC_SEM_HELD);
	ASSERT_EQ(0, sem_stat(&ipc_kipc, self->ids.sem, &ds));
	ASSERT_EQ(0, kipc_semctl(self->ids.sem, 0, IPC_SET, (union semun){ .buf = &ds }));
	EXPECT_EQ(KIPC_SEM_HELD, shared->cells[0].word & KIPC_SEM_HELD);
}

/* ---- Files in /proc ---- */

/* What comes out of a descriptor for @who, who shares it. */
struct reading {
	int fd;
	const struct who *who;
	char text[8192];
};

static int read_as(void *arg)
{
	struct reading *r = arg;
	size_t size = 0;
	ssize_t n;

	if (r->who && become(r->who))
		return 1;
	while ((n = read(r->fd, r->text + size, sizeof(r->text) - 1 - size)) > 0)
		size += n;
	return n < 0 ? 2 : 0;
}

/* Lines after the header, or -1. */
static int lines(struct reading *r, int fd, const struct who *who)
{
	char *p;
	int n = -1;

	r->fd = fd;
	r->who = who;
	memset(r->text, 0, sizeof(r->text));
	if (lseek(fd, 0, SEEK_SET) || in_child(read_as, r))
		return -1;
	for (p = r->text; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* Rows for readers: of the object, and the one who opened the file is the reader. */
TEST_F(descriptor, listing_shows_what_its_opener_sees)
{
	static const char *const names[] = { "/proc/kipc/waiters", "/proc/kipc/queues" };
	struct reading *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int roots, strangers;
	struct peer p;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, r);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_block1(&p, &ipc_kipc, self->ids.sem, 0, -1, 0));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		roots = opened_by(NULL, names[i], O_RDONLY, false);
		strangers = opened_by(&stranger, names[i], O_RDONLY, false);
		ASSERT_LE(0, roots);
		ASSERT_LE(0, strangers);
		EXPECT_EQ(1, lines(r, roots, NULL));
		EXPECT_EQ(1, lines(r, roots, &stranger));
		EXPECT_EQ(0, lines(r, strangers, &stranger));
		EXPECT_EQ(0, lines(r, strangers, NULL));
		close(roots);
		close(strangers);
	}
	peer_end(&p, SIGKILL);
}

/* And the namespace is the opener's, until nobody has it open, though it is dead. */
TEST_F(descriptor, listing_is_of_its_openers_namespace)
{
	static const char *const names[] = { "/proc/kipc/shm", "/proc/kipc/objects" };
	struct reading *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i;
	int fd;

	ASSERT_NE(MAP_FAILED, r);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fd = opened_by(NULL, names[i], O_RDONLY, true);
		ASSERT_LE(0, fd);
		wait_until(lines(r, fd, NULL) == 0);
		close(fd);
	}
	fd = opened_by(NULL, "/proc/kipc/ids", O_RDONLY, true);
	ASSERT_LE(0, fd);
	ASSERT_EQ(KIPC_ALL_KINDS, lines(r, fd, NULL));
	/* A segment was made there, and has gone with it; no set ever was. */
	EXPECT_NE(NULL, strstr(r->text, "sem           0         -1     0         -1"))
		TH_LOG("%s", r->text);
	close(fd);
}

IPC_FIXTURE(limits);

static int write_as_stranger(void *arg)
{
	int fd = *(int *)arg;

	if (become(&stranger))
		return 255;
	return write(fd, "5\n", 2) == 2 ? 0 : errno;
}

/* A limit's file: of its opener's namespace, but for those only who may set it. */
TEST_F(limits, of_the_openers_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC), fd;
	char path[64], text[16] = "";

	ASSERT_LE(0, home);
	snprintf(path, sizeof(path), "%s/shmmni", ipc->sysctl);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM << 8, in_child(write_as_stranger, &fd));
	EXPECT_EQ(4096, ipc_limit_get(ipc, "shmmni"));
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_EQ(3, write(fd, "77\n", 3));
	EXPECT_EQ(4096, ipc_limit_get(ipc, "shmmni"));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	EXPECT_LT(0, read(fd, text, sizeof(text) - 1));
	EXPECT_EQ(77, atoi(text));
	ASSERT_EQ(0, setns(home, CLONE_NEWIPC));
	EXPECT_EQ(77, ipc_limit_get(ipc, "shmmni"));
	close(fd);
	close(home);
}

TEST_HARNESS_MAIN

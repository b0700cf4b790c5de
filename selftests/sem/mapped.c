// SPDX-License-Identifier: GPL-2.0
/*
 * Sets that the library has mapped: what ends a mapping, and that the kernel's answer is
 * the same afterwards.  Only kipc has them.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kipc.h>

#define USER	12345
#define WARM	40

static int set;

/* Mappings of this process that are shared pages of the device. */
static int mappings(void)
{
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "/dev/kipc") || strstr(line, "/second-kipc");
	if (f)
		fclose(f);
	return n;
}

static long operate(long *arg, void *buf)
{
	struct sembuf op = { 0, arg[0], arg[1] };

	(void)buf;
	return kipc_semop(set, &op, 1);
}

static long warm(long *arg, void *buf)
{
	struct sembuf op = { 0, 1, arg[0] };
	int i;

	(void)buf;
	for (i = 0; i < WARM; i++, op.sem_op = -op.sem_op)
		if (kipc_semop(set, &op, 1))
			return -1;
	return mappings();
}

static long drop_ids(long *arg, void *buf)
{
	(void)buf;
	return setresuid(arg[0], arg[0], arg[0]);
}

static int set_mode(unsigned int uid, unsigned int mode)
{
	struct semid_ds ds;

	if (kipc_semctl(set, 0, IPC_STAT, (union semun){ .buf = &ds }))
		return -1;
	ds.sem_perm.uid = uid;
	ds.sem_perm.mode = mode;
	return kipc_semctl(set, 0, IPC_SET, (union semun){ .buf = &ds });
}

FIXTURE(mapped) { struct peer peer; };

FIXTURE_SETUP(mapped)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	set = kipc_semget(IPC_PRIVATE, 2, 0666);
	ASSERT_GE(set, 0);
	ASSERT_EQ(0, peer_start(&self->peer));
}

FIXTURE_TEARDOWN(mapped)
{
	peer_end(&self->peer, SIGKILL);
	kipc_semctl(set, 0, IPC_RMID);
}

#define RUN(fn, a, b)	peer_run(&self->peer, fn, a, b, 0, 0, 0)

TEST_F(mapped, permissions_change)
{
	ASSERT_EQ(0, RUN(drop_ids, USER, 0));
	/* Its record, the clock and the set. */
	ASSERT_EQ(3, RUN(warm, 0, 0));
	ASSERT_EQ(0, set_mode(0, 0600));
	EXPECT_ERR(EACCES, RUN(operate, 1, 0));
	EXPECT_ERR(EACCES, RUN(operate, 1, SEM_UNDO));
	ASSERT_EQ(0, set_mode(0, 0644));
	EXPECT_ERR(EACCES, RUN(operate, 1, 0));
	EXPECT_EQ(0, RUN(operate, 0, 0));
	ASSERT_EQ(0, set_mode(USER, 0600));
	EXPECT_EQ(0, RUN(operate, 1, 0));
	EXPECT_EQ(1, kipc_semctl(set, 0, GETVAL));
	/* And again without the kernel. */
	EXPECT_LE(3, RUN(warm, 0, 0));
	EXPECT_EQ(1, kipc_semctl(set, 0, GETVAL));
}

TEST_F(mapped, removed)
{
	ASSERT_EQ(3, RUN(warm, SEM_UNDO, 0));
	EXPECT_EQ(0, RUN(operate, 1, SEM_UNDO));
	EXPECT_EQ(1, kipc_semctl(set, 0, GETVAL));
	ASSERT_EQ(0, kipc_semctl(set, 0, IPC_RMID));
	EXPECT_ERR(EINVAL, RUN(operate, 1, SEM_UNDO));
	EXPECT_ERR(EINVAL, RUN(operate, -1, 0));
}

/* Undo values made before and after the cut are undone alike. */
TEST_F(mapped, undo_over_a_cut)
{
	ASSERT_EQ(0, kipc_semctl(set, 0, SETVAL, (union semun){ .val = 10 }));
	ASSERT_EQ(3, RUN(warm, SEM_UNDO, 0));
	ASSERT_EQ(0, RUN(operate, 3, SEM_UNDO));
	ASSERT_EQ(0, set_mode(0, 0666));
	ASSERT_EQ(0, RUN(operate, -5, SEM_UNDO));
	ASSERT_LE(3, RUN(warm, SEM_UNDO, 0));
	ASSERT_EQ(0, RUN(operate, 4, SEM_UNDO));
	EXPECT_EQ(12, kipc_semctl(set, 0, GETVAL));
	peer_end(&self->peer, SIGKILL);
	EXPECT_EQ(10, kipc_semctl(set, 0, GETVAL));
	ASSERT_EQ(0, peer_start(&self->peer));
}

static long forked(long *arg, void *buf)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		/* No mapping of its parent's; its own operations are its own. */
		_exit(mappings() ? 1 : operate(arg, buf) ? 2 : 0);
	waitpid(pid, &status, 0);
	return status;
}

TEST_F(mapped, fork_inherits_nothing)
{
	ASSERT_EQ(3, RUN(warm, SEM_UNDO, 0));
	EXPECT_EQ(0, RUN(forked, 2, SEM_UNDO));
	EXPECT_EQ(0, kipc_semctl(set, 0, GETVAL));
	EXPECT_EQ(0, RUN(forked, 2, 0));
	EXPECT_EQ(2, kipc_semctl(set, 0, GETVAL));
}

/*
 * Who waits for several zeros counts where it was last held up.  An operation that makes any
 * semaphore zero has it look again, as natively; but one without a system call does not.
 */
TEST_F(mapped, several_look_again)
{
	const struct ipc *ipcs[] = { &ipc_native, &ipc_kipc, &ipc_kipc };
	int first = set;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ipcs); i++) {
		const struct ipc *ipc = ipcs[i];
		bool is_mapped = i == 2;
		int id = sem_new(ipc, SEMS(0, 1, 0, 1), 0600);

		ASSERT_LE(0, id);
		if (is_mapped) {
			set = id;
			ASSERT_EQ(3, warm((long [1]){ 0 }, NULL));
		}
		ASSERT_EQ(0, peer_block(&self->peer, ipc, id, SOPS({ 0, 0, 0 }, { 1, 0, 0 })));
		EXPECT_EQ(0, semop1(ipc, id, 0, 1, 0));
		EXPECT_EQ(0, sem_zcnt(ipc, id, 0));
		EXPECT_EQ(0, semop1(ipc, id, 3, -1, 0));
		EXPECT_EQ(!is_mapped, sem_zcnt(ipc, id, 0))
			TH_LOG("%s%s", ipc->name, is_mapped ? ", mapped" : "");
		EXPECT_EQ(is_mapped, sem_zcnt(ipc, id, 1));
		EXPECT_EQ(0, peer_asleep(&self->peer));
		ASSERT_EQ(0, sem_rmid(ipc, id));
		EXPECT_ERR(EIDRM, peer_woken(&self->peer));
	}
	set = first;
}

static long map_by_node(long *arg, void *buf)
{
	struct kipc_process_map process = { .pad = 0 };
	struct kipc_sem_map map = { .id = set, .flags = KIPC_SEM_MAP_WRITE };
	int fd = open("/tmp/second-kipc", O_RDWR | O_CLOEXEC);

	(void)arg;
	if (fd < 0 || ioctl(fd, KIPC_IOC_PROCESS_MAP, &process) ||
	    ioctl(fd, KIPC_IOC_SEM_MAP, &map))
		return -1;
	*(struct kipc_sem_map *)buf = map;
	close(fd);
	return 0;
}

static long peek_state(long *arg, void *buf)
{
	(void)buf;
	return *(volatile uint32_t *)arg[0];
}

/* A device node of one's own, as containers have, leads to the same device. */
TEST_F(mapped, other_node)
{
	struct kipc_sem_map *map = (void *)self->peer.page->buf;
	struct stat st;

	ASSERT_EQ(0, stat("/dev/kipc", &st));
	unlink("/tmp/second-kipc");
	ASSERT_EQ(0, mknod("/tmp/second-kipc", S_IFCHR | 0666, st.st_rdev));
	ASSERT_EQ(0, RUN(map_by_node, 0, 0));
	EXPECT_EQ(2, map->nsems);
	EXPECT_EQ(0, RUN(peek_state, map->shared, 0));
	ASSERT_EQ(0, set_mode(0, 0666));
	EXPECT_EQ(KIPC_SEM_HELD, RUN(peek_state, map->shared, 0));
	EXPECT_EQ(0, unlink("/tmp/second-kipc"));
}

static long map_raw(long *arg, void *buf)
{
	struct kipc_sem_map map = { .id = set, .flags = arg[0], .pad = arg[1] };
	int fd = open("/dev/kipc", O_RDWR | O_CLOEXEC);
	long ret = ioctl(fd, KIPC_IOC_SEM_MAP, &map);
	int saved = errno;

	(void)buf;
	close(fd);
	errno = saved;
	return ret;
}

TEST_F(mapped, bad_input)
{
	EXPECT_ERR(EINVAL, RUN(map_raw, 2, 0));
	EXPECT_ERR(EINVAL, RUN(map_raw, 0, 1));
	/* No record mapped yet. */
	EXPECT_ERR(EINVAL, RUN(map_raw, KIPC_SEM_MAP_WRITE, 0));
	EXPECT_EQ(0, RUN(map_raw, 0, 0));
	ASSERT_EQ(0, set_mode(0, 0644));
	ASSERT_EQ(0, RUN(drop_ids, USER, 0));
	EXPECT_EQ(0, RUN(map_raw, 0, 0));
	EXPECT_ERR(EINVAL, RUN(map_raw, KIPC_SEM_MAP_WRITE, 0));
	ASSERT_EQ(0, set_mode(0, 0622));
	EXPECT_ERR(EACCES, RUN(map_raw, 0, 0));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Process records, seen through segments whose lifetime is their creator's: what
 * ends a process, what does not, and that the end is complete when wait() tells.
 */
#include "common/harness.h"
#include "common/device.h"

#include <kipc.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define KEY	0x600

FIXTURE(record) {
	int unused;
};

FIXTURE_SETUP(record)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

FIXTURE_TEARDOWN(record)
{
	EXPECT_EQ(0, shm_rows(&ipc_native, NULL, 0));
}

static int create(key_t key)
{
	return kipc_shmget_lifetime(key, PAGE, (key ? IPC_CREAT | IPC_EXCL : 0) | 0600,
				    KIPC_LIFETIME_CREATOR);
}

static bool exists(int id)
{
	return shm_nattch(&ipc_kipc, id) >= 0;
}

static long do_create(long *arg, void *buf)
{
	(void)buf;
	return create(arg[0]);
}

static int peer_create(struct peer *p, key_t key)
{
	return peer_run(p, do_create, key, 0, 0, 0, 0);
}

TEST_F(record, exit)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	EXPECT_TRUE(exists(id));
	EXPECT_EQ(id, kipc_shmget(KEY, PAGE, 0));
	EXPECT_EQ(0, peer_end(&p, 0));
	EXPECT_FALSE(exists(id));
	EXPECT_ERR(ENOENT, kipc_shmget(KEY, PAGE, 0));
}

/* Once could be luck: no window between the death that wait() tells of and the end. */
TEST_F(record, sigkill)
{
	int i;

	for (i = 0; i < 100; i++) {
		struct peer p;
		int id;

		ASSERT_EQ(0, peer_start(&p));
		id = peer_create(&p, KEY);
		ASSERT_LE(0, id);
		EXPECT_EQ(SIGKILL, peer_end(&p, SIGKILL));
		ASSERT_FALSE(exists(id))
			TH_LOG("round %d", i);
		ASSERT_EQ(-1, kipc_shmget(KEY, PAGE, 0));
	}
}

TEST_F(record, abort)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	EXPECT_ERR(EPIPE, peer_poke(&p, (void *)8, 0));
	peer_end(&p, 0);
	EXPECT_FALSE(exists(id));
}

/* All of them, not the first, nor only those with a key. */
TEST_F(record, many)
{
	struct peer p;
	int i;

	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < 300; i++)
		ASSERT_LE(0, peer_create(&p, i % 2 ? KEY + i : IPC_PRIVATE));
	EXPECT_EQ(300, shm_rows(&ipc_kipc, NULL, 0));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* An ordinary segment of the same process stays. */
TEST_F(record, persistent_stays)
{
	struct peer p;
	int id, other;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	other = peer_shmget(&p, &ipc_kipc, KEY + 1, PAGE, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	ASSERT_LE(0, other);
	peer_end(&p, SIGKILL);
	EXPECT_FALSE(exists(id));
	EXPECT_TRUE(exists(other));
}

static long do_close_range(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	/* All but what the peer itself lives by. */
	for (int fd = 3; fd < 256; fd++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (strncmp(target, "pipe:", 5) && syscall(SYS_close_range, fd, fd, 0))
			return -1;
	}
	return 0;
}

TEST_F(record, outlives_close_range)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_run(&p, do_close_range, 0, 0, 0, 0, 0));
	EXPECT_TRUE(exists(id));
	/* It can even make another one. */
	EXPECT_LE(0, peer_create(&p, KEY + 1));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* A child made by hand: creates, then does @fn; @pipes carry its word and hold it. */
struct child {
	pid_t pid;
	int told, hold;
};

static int tell_fd, hold_fd;

static void tell_and_wait(void)
{
	char c = 'x';

	if (write(tell_fd, &c, 1) == 1)
		(void)!read(hold_fd, &c, 1);
}

static int child_start(struct child *c, void (*fn)(void))
{
	int told[2], hold[2];

	/* Not close-on-exec: a program that is executed goes on with them. */
	if (pipe(told) || pipe(hold))
		return -1;
	c->pid = fork();
	if (c->pid < 0)
		return -1;
	if (!c->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(told[0]);
		close(hold[1]);
		tell_fd = told[1];
		hold_fd = hold[0];
		fn();
		_exit(0);
	}
	close(told[1]);
	close(hold[0]);
	c->told = told[0];
	c->hold = hold[1];
	return 0;
}

/* Whether it reached its point. */
static bool child_told(struct child *c)
{
	char x;

	return read(c->told, &x, 1) == 1;
}

static void child_go(struct child *c)
{
	close(c->hold);
}

static int child_reap(struct child *c)
{
	int status = -1;

	waitpid(c->pid, &status, 0);
	close(c->told);
	return status;
}

/* exec is no end: the new program is the same process. */
static void create_and_exec(void)
{
	char tell[16], hold[16];

	if (create(KEY) < 0)
		return;
	snprintf(tell, sizeof(tell), "%d", tell_fd);
	snprintf(hold, sizeof(hold), "%d", hold_fd);
	execl("/proc/self/exe", "record", "--tell", tell, hold, NULL);
}

static void __attribute__((constructor)) executed(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--tell")) {
		tell_fd = atoi(argv[2]);
		hold_fd = atoi(argv[3]);
		tell_and_wait();
		/* And goes on making some as that process. */
		create(KEY + 1);
		tell_and_wait();
		_exit(0);
	}
}

TEST_F(record, outlives_exec)
{
	struct child c;
	int id;

	ASSERT_EQ(0, child_start(&c, create_and_exec));
	ASSERT_TRUE(child_told(&c));
	id = kipc_shmget(KEY, PAGE, 0);
	EXPECT_LE(0, id);
	EXPECT_TRUE(exists(id));
	ASSERT_EQ(1, write(c.hold, "", 1));
	ASSERT_TRUE(child_told(&c));
	EXPECT_LE(0, kipc_shmget(KEY + 1, PAGE, 0));
	EXPECT_TRUE(exists(id));
	ASSERT_EQ(0, kill(c.pid, SIGKILL));
	EXPECT_EQ(SIGKILL, child_reap(&c));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* Threads: the process ends with the last of them, however that comes about. */
static void *thread_exits_group(void *arg)
{
	(void)arg;
	tell_and_wait();
	syscall(SYS_exit_group, 0);
	return NULL;
}

static void exit_group_by_thread(void)
{
	pthread_t t;

	create(KEY);
	pthread_create(&t, NULL, thread_exits_group, NULL);
	for (;;)
		pause();
}

TEST_F(record, exit_group_by_a_thread)
{
	struct child c;

	ASSERT_EQ(0, child_start(&c, exit_group_by_thread));
	ASSERT_TRUE(child_told(&c));
	EXPECT_LE(0, kipc_shmget(KEY, PAGE, 0));
	child_go(&c);
	EXPECT_EQ(0, child_reap(&c));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

static void *last_thread(void *arg)
{
	pid_t leader = *(pid_t *)arg;
	char path[64], buf[512];

	/* Until the leader is seen a zombie. */
	snprintf(path, sizeof(path), "/proc/%d/stat", leader);
	for (;;) {
		FILE *f = fopen(path, "re");
		char *p = f && fgets(buf, sizeof(buf), f) ? strrchr(buf, ')') : NULL;

		if (f)
			fclose(f);
		if (p && p[2] == 'Z')
			break;
		wait_a_little();
	}
	/* One more, by a thread whose leader is gone. */
	create(KEY + 1);
	tell_and_wait();
	syscall(SYS_exit, 0);
	return NULL;
}

static void leader_first(void)
{
	static pid_t pid;
	pthread_t t;

	pid = getpid();
	create(KEY);
	pthread_create(&t, NULL, last_thread, &pid);
	syscall(SYS_exit, 0);	/* this thread only */
}

TEST_F(record, leader_exits_first)
{
	struct child c;

	ASSERT_EQ(0, child_start(&c, leader_first));
	ASSERT_TRUE(child_told(&c));
	EXPECT_LE(0, kipc_shmget(KEY, PAGE, 0));
	EXPECT_LE(0, kipc_shmget(KEY + 1, PAGE, 0));
	child_go(&c);
	EXPECT_EQ(0, child_reap(&c));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* The thread that made it ends; the process goes on, and so does the segment. */
static void *creating_thread(void *arg)
{
	(void)arg;
	create(KEY);
	return NULL;
}

static void creator_thread_ends(void)
{
	pthread_t t;

	pthread_create(&t, NULL, creating_thread, NULL);
	pthread_join(t, NULL);
	tell_and_wait();
}

TEST_F(record, not_the_threads)
{
	struct child c;

	ASSERT_EQ(0, child_start(&c, creator_thread_ends));
	ASSERT_TRUE(child_told(&c));
	EXPECT_LE(0, kipc_shmget(KEY, PAGE, 0));
	child_go(&c);
	EXPECT_EQ(0, child_reap(&c));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

static void *ends_by_pthread_exit(void *arg)
{
	(void)arg;
	tell_and_wait();
	pthread_exit(NULL);
}

static void all_by_pthread_exit(void)
{
	pthread_t t[3];
	int i;

	create(KEY);
	for (i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, ends_by_pthread_exit, NULL);
	pthread_exit(NULL);
}

TEST_F(record, pthread_exit)
{
	struct child c;

	ASSERT_EQ(0, child_start(&c, all_by_pthread_exit));
	ASSERT_TRUE(child_told(&c));
	ASSERT_TRUE(child_told(&c));
	ASSERT_TRUE(child_told(&c));
	EXPECT_LE(0, kipc_shmget(KEY, PAGE, 0));
	child_go(&c);
	EXPECT_EQ(0, child_reap(&c));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* exec from a thread that is not the leader: it takes over the leader's identity. */
static void *thread_execs(void *arg)
{
	char tell[16], hold[16];

	(void)arg;
	snprintf(tell, sizeof(tell), "%d", tell_fd);
	snprintf(hold, sizeof(hold), "%d", hold_fd);
	execl("/proc/self/exe", "record", "--tell", tell, hold, NULL);
	return NULL;
}

static void exec_by_thread(void)
{
	pthread_t t;

	create(KEY);
	pthread_create(&t, NULL, thread_execs, NULL);
	for (;;)
		pause();
}

TEST_F(record, exec_by_a_thread)
{
	struct child c;

	ASSERT_EQ(0, child_start(&c, exec_by_thread));
	ASSERT_TRUE(child_told(&c));
	EXPECT_LE(0, kipc_shmget(KEY, PAGE, 0));
	ASSERT_EQ(0, kill(c.pid, SIGKILL));
	EXPECT_EQ(SIGKILL, child_reap(&c));
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* fork does not hand it on: neither does the child's end take it away, nor its life keep it. */
static long do_fork(long *arg, void *buf)
{
	pid_t pid = fork();

	(void)buf;
	if (pid)
		return pid;
	if (arg[0])
		_exit(0);
	for (;;)
		pause();
}

static long do_reap(long *arg, void *buf)
{
	(void)buf;
	return waitpid(arg[0], NULL, 0);
}

TEST_F(record, not_inherited)
{
	struct peer p;
	pid_t pid;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	pid = peer_run(&p, do_fork, 1, 0, 0, 0, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, peer_run(&p, do_reap, pid, 0, 0, 0, 0));
	EXPECT_TRUE(exists(id));
	pid = peer_run(&p, do_fork, 0, 0, 0, 0, 0);
	ASSERT_LT(0, pid);
	peer_end(&p, SIGKILL);
	EXPECT_FALSE(exists(id));
	kill(pid, SIGKILL);
}

/* A vfork child is a process of its own. */
TEST_F(record, vfork)
{
	int mine = create(KEY), status;
	pid_t pid;

	ASSERT_LE(0, mine);
	pid = vfork();
	if (!pid)
		_exit(create(KEY + 1) >= 0 ? 0 : 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(exists(mine));
	EXPECT_ERR(ENOENT, kipc_shmget(KEY + 1, PAGE, 0));
}

/* Ended while others use it: as IPC_RMID does it. */
TEST_F(record, in_use_at_the_end)
{
	struct shmid_ds ds;
	struct peer p;
	char *a;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	a = kipc_shmat(id, NULL, 0);
	ASSERT_NE(MAP_FAILED, a);
	a[0] = 'u';
	peer_end(&p, SIGKILL);
	EXPECT_ERR(ENOENT, kipc_shmget(KEY, PAGE, 0));
	ASSERT_EQ(0, shm_stat(&ipc_kipc, id, &ds));
	EXPECT_EQ(0600 | SHM_DEST, ds.shm_perm.mode);
	EXPECT_EQ(1, ds.shm_nattch);
	EXPECT_EQ('u', a[0]);
	/* The key is free for the creator's successor. */
	EXPECT_LE(0, create(KEY));
	ASSERT_EQ(0, kipc_shmdt(a));
	EXPECT_FALSE(exists(id));
}

/* The creator itself attached: its attachment and its segment go together. */
TEST_F(record, attached_by_creator)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, peer_shmat(&p, &ipc_kipc, id, NULL, 0));
	peer_end(&p, SIGKILL);
	EXPECT_FALSE(exists(id));
}

/* Removed before by hand, by the creator or another. */
TEST_F(record, removed_before)
{
	struct peer p;
	int id[3], i;

	ASSERT_EQ(0, peer_start(&p));
	for (i = 0; i < 3; i++) {
		id[i] = peer_create(&p, KEY + i);
		ASSERT_LE(0, id[i]);
	}
	ASSERT_EQ(0, peer_shmctl(&p, &ipc_kipc, id[0], IPC_RMID, NULL));
	ASSERT_EQ(0, kipc_shmctl(id[1], IPC_RMID, NULL));
	/* Somebody else's under the same key now. */
	id[0] = kipc_shmget(KEY, PAGE, IPC_CREAT | 0600);
	ASSERT_LE(0, id[0]);
	peer_end(&p, SIGKILL);
	EXPECT_TRUE(exists(id[0]));
	EXPECT_FALSE(exists(id[2]));
	EXPECT_EQ(1, shm_rows(&ipc_kipc, NULL, 0));
}

/* Given to another owner: its creator is still who made it. */
TEST_F(record, given_away)
{
	struct shmid_ds ds;
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, shm_stat(&ipc_kipc, id, &ds));
	ds.shm_perm.uid = 1000;
	ASSERT_EQ(0, kipc_shmctl(id, IPC_SET, &ds));
	EXPECT_TRUE(exists(id));
	peer_end(&p, SIGKILL);
	EXPECT_FALSE(exists(id));
}

/* The creator goes to another namespace, and dies there. */
static long do_unshare(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return unshare(CLONE_NEWIPC);
}

TEST_F(record, in_another_namespace)
{
	struct peer p;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	EXPECT_TRUE(exists(id));
	ASSERT_LE(0, peer_create(&p, KEY));
	peer_end(&p, SIGKILL);
	EXPECT_FALSE(exists(id));
}

/* A killed process that somebody stopped before, or traced, has died all the same. */
TEST_F(record, stopped)
{
	struct peer p;
	int id, status;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, kill(p.pid, SIGSTOP));
	ASSERT_EQ(p.pid, waitpid(p.pid, &status, WUNTRACED));
	EXPECT_TRUE(exists(id));
	peer_end(&p, SIGKILL);
	EXPECT_FALSE(exists(id));
}

/* Its memory pinned by another, its zombie not reaped: it is dead, so it is gone. */
TEST_F(record, pinned_and_unreaped)
{
	char path[64], c;
	struct peer p;
	siginfo_t info;
	int id, fd;

	ASSERT_EQ(0, peer_start(&p));
	id = peer_create(&p, KEY);
	ASSERT_LE(0, id);
	snprintf(path, sizeof(path), "/proc/%d/mem", p.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, kill(p.pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, p.pid, &info, WEXITED | WNOWAIT));
	EXPECT_FALSE(exists(id));
	(void)c;
	close(fd);
	peer_end(&p, 0);
}

/* Many die at once. */
TEST_F(record, all_at_once)
{
	enum { N = 40 };
	pid_t pid[N];
	int ready[2], i;
	char c;

	ASSERT_EQ(0, pipe(ready));
	for (i = 0; i < N; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (int k = 0; k < 20; k++)
				create(KEY + 20 * i + k);
			(void)!write(ready[1], "r", 1);
			for (;;)
				pause();
		}
	}
	for (i = 0; i < N; i++)
		ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(20 * N, shm_rows(&ipc_kipc, NULL, 0));
	for (i = 0; i < N; i++)
		kill(pid[i], SIGKILL);
	for (i = 0; i < N; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
		/* Exactly this one's, whichever of the others are dead already. */
		EXPECT_EQ(-1, kipc_shmget(KEY + 20 * i, 0, 0));
		EXPECT_EQ(-1, kipc_shmget(KEY + 20 * i + 19, 0, 0));
	}
	EXPECT_EQ(0, shm_rows(&ipc_kipc, NULL, 0));
}

/* Nothing is left of the dead: no reference to the module, no object. */
TEST_F(record, nothing_left)
{
	long before = module_refs();
	int i;

	ASSERT_LE(0, before);
	for (i = 0; i < 20; i++) {
		struct peer p;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_LE(0, peer_create(&p, KEY));
		peer_end(&p, SIGKILL);
	}
	wait_until(module_refs() <= before);
	EXPECT_EQ(0, kipc_ids_read("shm").in_use);
}

TEST_HARNESS_MAIN

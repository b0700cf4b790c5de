// SPDX-License-Identifier: GPL-2.0
/*
 * One instance for each IPC namespace, gone with it: by exit, by setns, by the last
 * descriptor that held it.  Gone means the memory back and no reference left.
 */
#include "common/harness.h"
#include "common/device.h"

#include <pthread.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#define BIG	(32ul << 20)
#define BIG_KB	(long)(BIG >> 10)
#define SLACK	(8l << 10)
/* What of it is surely seen: so much of an earlier test's may still go meanwhile. */
#define SEEN	(BIG_KB - 2 * SLACK)

FIXTURE(space) { int unused; };
FIXTURE_VARIANT(space) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(space, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(space, kipc) { .ipc = &ipc_kipc };

/* Shared memory in use when the program began. */
static long shmem_at_start;

static void __attribute__((constructor)) look_at_start(void)
{
	shmem_at_start = meminfo("Shmem");
}

FIXTURE_SETUP(space)
{
	/* Native frees a namespace some time after its end: not into the next test. */
	wait_until(meminfo("Shmem") < shmem_at_start + SLACK);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* The library opens its descriptor now, before references are counted. */
	ASSERT_EQ(-1, variant->ipc->shmget(1, 0, 0));
	ASSERT_EQ(ENOENT, errno);
}

FIXTURE_TEARDOWN(space)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_EQ(0, shm_rows(&ipc_native, NULL, 0));
}

/* Fill a fresh namespace: one big touched segment and some small ones. */
static long do_fill(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	int id, i;
	char *a;

	(void)buf;
	if (unshare(CLONE_NEWIPC))
		return -1;
	id = ipc->shmget(1, BIG, IPC_CREAT | 0600);
	a = ipc->shmat(id, NULL, 0);
	if (a == MAP_FAILED)
		return -1;
	memset(a, 1, BIG);
	if (!arg[1] && ipc->shmdt(a))
		return -1;
	for (i = 0; i < 50; i++)
		if (ipc->shmget(IPC_PRIVATE, PAGE, 0600) < 0)
			return -1;
	return (long)a;
}

static int ns_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct state {
	long shmem, refs;
};

static struct state look(void)
{
	return (struct state){ meminfo("Shmem"), module_refs() };
}

/* Back to what it was: the harness' timeout is the failure. */
static void wait_gone(const struct ipc *ipc, struct state before)
{
	wait_until(meminfo("Shmem") < before.shmem + SLACK);
	if (ipc == &ipc_kipc)
		wait_until(module_refs() <= before.refs);
}

TEST_F(space, ends_with_its_process)
{
	struct state before = look();
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(-1, peer_run(&p, do_fill, (long)variant->ipc, 0, 0, 0, 0));
	EXPECT_LE(before.shmem + SEEN, meminfo("Shmem"));
	/* Not ours to see. */
	EXPECT_EQ(0, shm_rows(variant->ipc, NULL, 0));
	peer_end(&p, 0);
	wait_gone(variant->ipc, before);
}

TEST_F(space, ends_attached)
{
	struct state before = look();
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(-1, peer_run(&p, do_fill, (long)variant->ipc, 1, 0, 0, 0));
	EXPECT_LE(before.shmem + SEEN, meminfo("Shmem"));
	peer_end(&p, SIGKILL);
	wait_gone(variant->ipc, before);
}

/* Left by unshare: what is attached stays readable, and goes with the detach. */
static long do_unshare(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return unshare(CLONE_NEWIPC);
}

TEST_F(space, left_by_unshare)
{
	struct state before = look();
	struct peer p;
	char *a;

	ASSERT_EQ(0, peer_start(&p));
	a = (char *)peer_run(&p, do_fill, (long)variant->ipc, 1, 0, 0, 0);
	ASSERT_NE(MAP_FAILED, a);
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	EXPECT_EQ(1, peer_peek(&p, a));
	EXPECT_EQ(1, peer_peek(&p, a + BIG - 1));
	EXPECT_EQ(0, peer_poke(&p, a, 2));
	EXPECT_EQ(2, peer_peek(&p, a));
	EXPECT_LE(before.shmem + SEEN, meminfo("Shmem"));
	EXPECT_EQ(0, peer_shmdt(&p, variant->ipc, a));
	/* While the process lives on elsewhere. */
	wait_gone(variant->ipc, before);
	peer_end(&p, 0);
}

static long do_setns(long *arg, void *buf)
{
	(void)buf;
	return setns(arg[0], CLONE_NEWIPC);
}

/* Left by setns, with no exit at all. */
TEST_F(space, left_by_setns)
{
	int home = ns_of(getpid());
	struct state before = look();
	struct peer p;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(-1, peer_run(&p, do_fill, (long)variant->ipc, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&p, do_setns, home, 0, 0, 0, 0));
	wait_gone(variant->ipc, before);
	peer_end(&p, 0);
	close(home);
}

/* A visitor sees what is there, and keeps it there when the others are gone. */
TEST_F(space, visited)
{
	const struct ipc *ipc = variant->ipc;
	int home = ns_of(getpid()), there;
	struct state before = look();
	struct peer p;
	int id;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(-1, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	there = ns_of(p.pid);
	ASSERT_LE(0, there);
	ASSERT_EQ(0, setns(there, CLONE_NEWIPC));
	close(there);
	EXPECT_EQ(51, shm_rows(ipc, NULL, 0));
	id = ipc->shmget(1, 0, 0);
	EXPECT_LE(0, id);
	peer_end(&p, SIGKILL);
	EXPECT_EQ(51, shm_rows(ipc, NULL, 0));
	EXPECT_EQ(id, ipc->shmget(1, 0, 0));
	ASSERT_EQ(0, setns(home, CLONE_NEWIPC));
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
	wait_gone(ipc, before);
	close(home);
}

/* Nobody is in it, but a descriptor holds it: all there for whoever comes back. */
TEST_F(space, held_by_descriptor)
{
	const struct ipc *ipc = variant->ipc;
	int home = ns_of(getpid()), there, i;
	struct state before = look();
	struct peer p, other;
	char *a;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(-1, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	there = ns_of(p.pid);
	ASSERT_LE(0, there);
	peer_end(&p, SIGKILL);
	/* Other namespaces come and go meanwhile: their ends must not take this one. */
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, peer_start(&other));
		ASSERT_EQ(0, peer_run(&other, do_unshare, 0, 0, 0, 0, 0));
		ASSERT_LE(0, peer_shmget(&other, ipc, 1, PAGE, IPC_CREAT | 0600));
		peer_end(&other, 0);
	}
	ASSERT_EQ(0, setns(there, CLONE_NEWIPC));
	EXPECT_EQ(51, shm_rows(ipc, NULL, 0));
	a = ipc->shmat(ipc->shmget(1, 0, 0), NULL, SHM_RDONLY);
	EXPECT_NE(MAP_FAILED, a);
	EXPECT_EQ(1, a[BIG - 1]);
	EXPECT_EQ(0, ipc->shmdt(a));
	ASSERT_EQ(0, setns(home, CLONE_NEWIPC));
	EXPECT_LE(before.shmem + SEEN, meminfo("Shmem"));
	/* The last one: nothing exits, nobody leaves. */
	close(there);
	wait_gone(ipc, before);
	close(home);
}

/* Held by a mount of its file, as "ip netns" does it for networks. */
TEST_F(space, held_by_mount)
{
	const struct ipc *ipc = variant->ipc;
	char file[] = "/tmp/kipc-ns-XXXXXX", path[64];
	struct state before = look();
	int home = ns_of(getpid()), there, fd = mkstemp(file);
	struct peer p;

	ASSERT_LE(0, home);
	ASSERT_LE(0, fd);
	close(fd);
	/*
	 * Whose mount namespace this is matters: one may not bind the file of a
	 * namespace into a shared tree from a nested one.
	 */
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(-1, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", p.pid);
	ASSERT_EQ(0, mount(path, file, NULL, MS_BIND, NULL));
	peer_end(&p, SIGKILL);
	there = open(file, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, there);
	ASSERT_EQ(0, setns(there, CLONE_NEWIPC));
	close(there);
	EXPECT_EQ(51, shm_rows(ipc, NULL, 0));
	ASSERT_EQ(0, setns(home, CLONE_NEWIPC));
	ASSERT_EQ(0, umount2(file, MNT_DETACH));
	unlink(file);
	wait_gone(ipc, before);
	close(home);
}

/* A listing that somebody keeps open has one namespace to show, and does no harm. */
TEST_F(space, listing_held_open)
{
	const struct ipc *ipc = variant->ipc;
	struct state before = look();
	struct peer p;
	char text[256];
	int home = ns_of(getpid()), there, fd;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_NE(-1, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	there = ns_of(p.pid);
	ASSERT_EQ(0, setns(there, CLONE_NEWIPC));
	fd = open(ipc->listing, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setns(home, CLONE_NEWIPC));
	close(there);
	peer_end(&p, SIGKILL);
	EXPECT_LT(0, read(fd, text, sizeof(text)));
	close(fd);
	wait_gone(ipc, before);
	close(home);
}

/* One thread of a process in a namespace of its own: each call is its caller's. */
static void *in_own_namespace(void *arg)
{
	const struct ipc *ipc = arg;

	if (unshare(CLONE_NEWIPC))
		return (void *)1;
	if (ipc->shmget(1, PAGE, 0) >= 0)
		return (void *)2;
	if (ipc->shmget(1, PAGE, IPC_CREAT | IPC_EXCL | 0600) < 0)
		return (void *)3;
	return NULL;
}

TEST_F(space, one_thread_elsewhere)
{
	const struct ipc *ipc = variant->ipc;
	struct state before = look();
	int id = ipc->shmget(1, 2 * PAGE, IPC_CREAT | 0600);
	pthread_t t;
	void *ret;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, pthread_create(&t, NULL, in_own_namespace, (void *)ipc));
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(id, ipc->shmget(1, 2 * PAGE, 0));
	EXPECT_EQ(1, shm_rows(ipc, NULL, 0));
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	wait_gone(ipc, before);
}

/* Many, at once and one after another. */
TEST_F_TIMEOUT(space, many, 100)
{
	enum { N = 60 };
	const struct ipc *ipc = variant->ipc;
	struct state before = look();
	int i, round;

	for (round = 0; round < 3; round++) {
		struct peer p[N];

		for (i = 0; i < N; i++) {
			ASSERT_EQ(0, peer_start(&p[i]));
			ASSERT_EQ(0, peer_run(&p[i], do_unshare, 0, 0, 0, 0, 0));
			/* The same key and the same id in each. */
			ASSERT_EQ(0, peer_shmget(&p[i], ipc, 1, PAGE + i, IPC_CREAT | 0600));
		}
		for (i = 0; i < N; i++) {
			struct shmid_ds ds;

			ASSERT_EQ(0, peer_shmctl(&p[i], ipc, 0, IPC_STAT, &ds));
			EXPECT_EQ(PAGE + i, ds.shm_segsz);
		}
		for (i = 0; i < N; i++)
			peer_end(&p[i], i % 2 ? SIGKILL : 0);
	}
	wait_gone(ipc, before);
}

/* A namespace that was only looked at costs nothing that stays. */
TEST_F(space, untouched)
{
	const struct ipc *ipc = variant->ipc;
	struct state before = look();
	struct peer p;
	struct shm_info info;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	EXPECT_ERR(ENOENT, peer_shmget(&p, ipc, 1, PAGE, 0));
	EXPECT_EQ(0, peer_shmctl(&p, ipc, 0, SHM_INFO, (struct shmid_ds *)&info));
	peer_end(&p, 0);
	wait_gone(ipc, before);
}

/* Removal in one is none in another, though ids and keys are equal. */
TEST_F(space, independent)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->shmget(1, PAGE, IPC_CREAT | 0600), theirs;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	theirs = peer_shmget(&p, ipc, 1, PAGE, IPC_CREAT | 0600);
	EXPECT_EQ(id, theirs);
	EXPECT_EQ(0, peer_shmctl(&p, ipc, theirs, IPC_RMID, NULL));
	EXPECT_EQ(0, shm_nattch(ipc, id));
	EXPECT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	peer_end(&p, 0);
}

TEST_HARNESS_MAIN

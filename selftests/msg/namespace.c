// SPDX-License-Identifier: GPL-2.0
/*
 * Queues and IPC namespaces: sleepers and messages of processes that go elsewhere, and
 * namespaces that end with queues, messages and sleepers in them.
 */
#include "common/harness.h"
#include "common/device.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#define NW	IPC_NOWAIT

FIXTURE(space) { int home; };
FIXTURE_VARIANT(space) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(space, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(space, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(space)
{
	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	/* The library opens its descriptor now, before references are counted. */
	ASSERT_EQ(-1, variant->ipc->msgget(1, 0));
	ASSERT_EQ(ENOENT, errno);
	self->home = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->home);
}

FIXTURE_TEARDOWN(space)
{
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

static long do_unshare(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return unshare(CLONE_NEWIPC);
}

static int ns_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* To where another process is. */
static long do_visit(long *arg, void *buf)
{
	int fd = ns_of(arg[0]), ret;

	(void)buf;
	ret = setns(fd, CLONE_NEWIPC);
	close(fd);
	return ret;
}

static long module_pins(const struct ipc *ipc)
{
	return ipc == &ipc_kipc ? module_refs() : 0;
}

/* Equal ids and keys, different queues. */
TEST_F(space, independent)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(1, IPC_CREAT | 0600), theirs;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	theirs = peer_msgget(&p, ipc, 1, IPC_CREAT | IPC_EXCL | 0600);
	EXPECT_EQ(id, theirs);
	EXPECT_EQ(0, peer_send(&p, ipc, theirs, 5, 5, 0));
	EXPECT_EQ(0, msg_qnum(ipc, id));
	EXPECT_EQ(0, msg_send(ipc, id, 3, 3, 0));
	EXPECT_ERR(ENOMSG, peer_receive(&p, ipc, theirs, 3, NW));
	EXPECT_EQ(5, peer_receive(&p, ipc, theirs, 0, NW));
	/* A sleeper there hears nothing from here. */
	ASSERT_EQ(0, peer_block_receive(&p, ipc, theirs, 3, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 3, 4, 0));
	EXPECT_EQ(2, msg_qnum(ipc, id));
	EXPECT_EQ(0, peer_asleep(&p));
	EXPECT_EQ(0, msg_rmid(ipc, id));
	EXPECT_EQ(0, peer_asleep(&p));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

/* Whoever leaves cannot send there any more; his messages stay. */
TEST_F(space, left)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_run(&p, do_unshare, 0, 0, 0, 0, 0));
	EXPECT_ERR(EINVAL, peer_send(&p, ipc, id, 1, 2, 0));
	EXPECT_ERR(EINVAL, peer_receive(&p, ipc, id, 0, NW));
	EXPECT_EQ(id, peer_msgget(&p, ipc, IPC_PRIVATE, 0600));
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 3, 0));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_ERR(ENOMSG, msg_receive(ipc, id, 0, NW));
	/* And back again. */
	ASSERT_EQ(0, peer_run(&p, do_visit, getpid(), 0, 0, 0, 0));
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 4, 0));
	peer_end(&p, SIGKILL);
	EXPECT_EQ(4, msg_receive(ipc, id, 0, NW));
}

/* A sleeper is in the namespace of its call, wherever the process' other threads go. */
struct task {
	const struct ipc *ipc;
	int id;
	volatile pid_t tid;
};

static void *sleep_here(void *arg)
{
	struct task *t = arg;

	t->tid = syscall(SYS_gettid);
	return (void *)(long)msg_receive(t->ipc, t->id, 0, 0);
}

TEST_F(space, one_thread_elsewhere)
{
	const struct ipc *ipc = variant->ipc;
	struct task task = { ipc, ipc->msgget(IPC_PRIVATE, 0600), 0 };
	pthread_t t;
	void *ret;

	ASSERT_LE(0, task.id);
	ASSERT_EQ(0, pthread_create(&t, NULL, sleep_here, &task));
	wait_until(task.tid && task_asleep(task.tid));
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_ERR(EINVAL, msg_send(ipc, task.id, 1, 1, 0));
	EXPECT_EQ(task.id, ipc->msgget(IPC_PRIVATE, 0600));
	EXPECT_EQ(0, msg_send(ipc, task.id, 1, 1, 0));
	EXPECT_EQ(1, msg_qnum(ipc, task.id));
	ASSERT_EQ(0, setns(self->home, CLONE_NEWIPC));
	EXPECT_EQ(0, msg_send(ipc, task.id, 1, 2, 0));
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(2, (long)ret);
}

/* Fill a fresh namespace: many queues, with messages of many sizes. */
static long do_fill(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	int i, k, id;

	(void)buf;
	if (unshare(CLONE_NEWIPC))
		return -1;
	for (i = 0; i < 50; i++) {
		id = ipc->msgget(i + 1, IPC_CREAT | 0600);
		for (k = 0; k < 10; k++)
			if (id < 0 || msg_send_bytes(ipc, id, 1 + k % 3, 100 * k + i, NW))
				return -1;
	}
	return 0;
}

TEST_F(space, ends_with_its_process)
{
	const struct ipc *ipc = variant->ipc;
	long before = module_pins(ipc);
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
	peer_end(&p, SIGKILL);
	wait_until(module_pins(ipc) <= before);
}

/* Sleepers keep their namespace, and leave it by being killed. */
TEST_F(space, ends_with_its_sleepers)
{
	const struct ipc *ipc = variant->ipc;
	long before = module_pins(ipc);
	struct peer p[4];
	int i, id, there;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, peer_run(&p[0], do_fill, (long)ipc, 0, 0, 0, 0));
	there = ns_of(p[0].pid);
	ASSERT_LE(0, there);
	id = peer_msgget(&p[0], ipc, 1, 0);
	ASSERT_LE(0, id);
	for (i = 0; i < 4; i++) {
		if (i) {
			ASSERT_EQ(0, peer_run(&p[i], do_visit, p[0].pid, 0, 0, 0, 0));
		}
		if (i < 2) {
			ASSERT_EQ(0, peer_block_receive(&p[i], ipc, id, 100 + i, 0));
		} else {
			/* Room for no more of the last size. */
			while (!peer_send_bytes(&p[i], ipc, id, 9, 1000, NW))
				;
			ASSERT_EQ(0, peer_block_send_bytes(&p[i], ipc, id, 9, 1000));
		}
	}
	ASSERT_EQ(0, setns(there, CLONE_NEWIPC));
	EXPECT_LT(10, msg_qnum(ipc, id));
	ASSERT_EQ(0, setns(self->home, CLONE_NEWIPC));
	close(there);
	for (i = 0; i < 4; i++)
		peer_end(&p[i], SIGKILL);
	wait_until(module_pins(ipc) <= before);
}

/* Many, at once and one after another. */
TEST_F_TIMEOUT(space, many, 100)
{
	enum { N = 40 };
	const struct ipc *ipc = variant->ipc;
	long before = module_pins(ipc);
	int i, round;

	for (round = 0; round < 3; round++) {
		struct peer p[N];

		for (i = 0; i < N; i++) {
			ASSERT_EQ(0, peer_start(&p[i]));
			ASSERT_EQ(0, peer_run(&p[i], do_unshare, 0, 0, 0, 0, 0));
			/* The same key and the same id in each. */
			ASSERT_EQ(0, peer_msgget(&p[i], ipc, 1, IPC_CREAT | 0600));
			ASSERT_EQ(0, peer_send(&p[i], ipc, 0, 1, i, 0));
			ASSERT_EQ(0, peer_send_bytes(&p[i], ipc, 0, 2, 8192, 0));
		}
		for (i = 0; i < N; i++)
			EXPECT_EQ(i, peer_receive(&p[i], ipc, 0, 0, 0));
		for (i = 0; i < N; i++)
			peer_end(&p[i], i % 2 ? SIGKILL : 0);
	}
	wait_until(module_pins(ipc) <= before);
}

/* A visitor sends and receives, and outlives those who live there. */
TEST_F(space, visited)
{
	const struct ipc *ipc = variant->ipc;
	struct peer p, q;
	int id;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_run(&p, do_fill, (long)ipc, 0, 0, 0, 0));
	id = peer_msgget(&p, ipc, 1, 0);
	ASSERT_EQ(0, peer_block_receive(&p, ipc, id, 77, 0));
	ASSERT_EQ(0, peer_run(&q, do_visit, p.pid, 0, 0, 0, 0));
	EXPECT_EQ(0, peer_send(&q, ipc, id, 77, 7, 0));
	EXPECT_EQ(7, peer_woken(&p));
	EXPECT_EQ(0, peer_msgctl(&q, ipc, id, IPC_RMID, NULL));
	EXPECT_ERR(EINVAL, peer_send(&p, ipc, id, 1, 1, 0));
	peer_end(&p, 0);
	/* The last one in there now. */
	id = peer_msgget(&q, ipc, 2, 0);
	EXPECT_LE(0, id);
	EXPECT_EQ(1, peer_receive_bytes(&q, ipc, id, 1, 1, NW));
	peer_end(&q, 0);
}

TEST_HARNESS_MAIN

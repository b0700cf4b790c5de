// SPDX-License-Identifier: GPL-2.0
/* msg_lspid and msg_lrpid: as the one who asks sees them, dead or alive. */
#include "common/harness.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT

IPC_FIXTURE(pid)

static pid_t lspid(const struct ipc *ipc, int id)
{
	struct msqid_ds ds;

	return msg_stat(ipc, id, &ds) ? -1 : ds.msg_lspid;
}

static pid_t lrpid(const struct ipc *ipc, int id)
{
	struct msqid_ds ds;

	return msg_stat(ipc, id, &ds) ? -1 : ds.msg_lrpid;
}

/* A child that sends or receives once and ends.  Return: its pid. */
static pid_t send_and_end(const struct ipc *ipc, int id)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(msg_send(ipc, id, 1, 1, NW) ? 1 : 0);
	return waitpid(pid, &status, 0) == pid && !status ? pid : -1;
}

static pid_t receive_and_end(const struct ipc *ipc, int id)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(msg_receive(ipc, id, 0, NW) == 1 ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && !status ? pid : -1;
}

TEST_F(pid, of_the_dead)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct msg_row row;
	pid_t s, r;

	ASSERT_LE(0, id);
	s = send_and_end(ipc, id);
	ASSERT_LT(0, s);
	EXPECT_EQ(s, lspid(ipc, id));
	EXPECT_EQ(0, lrpid(ipc, id));
	r = receive_and_end(ipc, id);
	ASSERT_LT(0, r);
	EXPECT_NE(s, r);
	EXPECT_EQ(s, lspid(ipc, id));
	EXPECT_EQ(r, lrpid(ipc, id));
	ASSERT_EQ(1, msg_row_find(ipc, id, &row));
	EXPECT_EQ((unsigned int)s, row.lspid);
	EXPECT_EQ((unsigned int)r, row.lrpid);
	EXPECT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	EXPECT_EQ(getpid(), lspid(ipc, id));
	EXPECT_EQ(r, lrpid(ipc, id));
}

/* Each of many, in queues of their own; those of queues that are gone are forgotten. */
TEST_F(pid, of_many_dead)
{
	enum { N = 200 };
	const struct ipc *ipc = variant->ipc;
	pid_t s[N], r[N];
	int id[N], i;

	for (i = 0; i < N; i++) {
		id[i] = ipc->msgget(IPC_PRIVATE, 0600);
		ASSERT_LE(0, id[i]);
		s[i] = send_and_end(ipc, id[i]);
		r[i] = receive_and_end(ipc, id[i]);
		ASSERT_LT(0, s[i]);
		ASSERT_LT(0, r[i]);
	}
	for (i = 0; i < N; i++) {
		ASSERT_EQ(s[i], lspid(ipc, id[i]));
		ASSERT_EQ(r[i], lrpid(ipc, id[i]));
	}
	ASSERT_EQ(0, msg_rmid(ipc, id[0]));
	ASSERT_EQ(0, ipc_limit_set(ipc, "msg_next_id", id[0]));
	ASSERT_EQ(id[0], ipc->msgget(IPC_PRIVATE, 0600));
	EXPECT_EQ(0, lspid(ipc, id[0]));
	EXPECT_EQ(0, lrpid(ipc, id[0]));
}

/* A sleeper's doing is the sleeper's, not of whoever made it possible. */
TEST_F(pid, of_the_woken)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct peer p, q;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_start(&q));
	ASSERT_EQ(0, peer_block_receive(&p, ipc, id, 5, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 5, 0));
	EXPECT_EQ(p.pid, lrpid(ipc, id));
	EXPECT_EQ(getpid(), lspid(ipc, id));
	EXPECT_EQ(5, peer_woken(&p));
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_block_send(&q, ipc, id, 2, 2));
	EXPECT_EQ(getpid(), lspid(ipc, id));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, peer_woken(&q));
	EXPECT_EQ(q.pid, lspid(ipc, id));
	EXPECT_EQ(getpid(), lrpid(ipc, id));
	/* A sender that wakes a receiver, both of them sleepers. */
	ASSERT_EQ(0, peer_block_receive(&p, ipc, id, 7, 0));
	ASSERT_EQ(0, peer_block_send(&q, ipc, id, 7, 7));
	EXPECT_EQ(2, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, peer_woken(&q));
	EXPECT_EQ(7, peer_woken(&p));
	EXPECT_EQ(q.pid, lspid(ipc, id));
	EXPECT_EQ(p.pid, lrpid(ipc, id));
	peer_end(&p, 0);
	peer_end(&q, 0);
}

/* A thread sends and receives as its process, also when it has outlived the first one. */
struct task {
	const struct ipc *ipc;
	int id;
	volatile pid_t tid;
};

static void *send_and_receive(void *arg)
{
	struct task *t = arg;

	if (msg_send(t->ipc, t->id, 1, 1, 0) || msg_receive(t->ipc, t->id, 1, 0) != 1)
		return (void *)1;
	return NULL;
}

static void *without_leader(void *arg)
{
	wait_until(task_state(getpid()) == 'Z');
	_exit(send_and_receive(arg) ? 1 : 0);
}

TEST_F(pid, of_threads)
{
	const struct ipc *ipc = variant->ipc;
	struct task task = { ipc, ipc->msgget(IPC_PRIVATE, 0600), 0 };
	int status;
	pthread_t t;
	void *ret;
	pid_t pid;

	ASSERT_LE(0, task.id);
	ASSERT_EQ(0, pthread_create(&t, NULL, send_and_receive, &task));
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(getpid(), lspid(ipc, task.id));
	EXPECT_EQ(getpid(), lrpid(ipc, task.id));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		static struct task mine;

		mine = task;
		pthread_create(&t, NULL, without_leader, &mine);
		syscall(SYS_exit, 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(pid, lspid(ipc, task.id));
	EXPECT_EQ(pid, lrpid(ipc, task.id));
}

/* Natively a message handed to a thread that sleeps is received by the thread's own pid. */
static void *sleep_in_receive(void *arg)
{
	struct task *t = arg;

	t->tid = syscall(SYS_gettid);
	return (void *)(long)msg_receive(t->ipc, t->id, 1, 0);
}

TEST_F(pid, of_a_thread_that_slept)
{
	const struct ipc *ipc = variant->ipc;
	struct task task = { ipc, ipc->msgget(IPC_PRIVATE, 0600), 0 };
	pthread_t t;
	void *ret;

	ASSERT_LE(0, task.id);
	ASSERT_EQ(0, pthread_create(&t, NULL, sleep_in_receive, &task));
	wait_until(task.tid && task_asleep(task.tid));
	ASSERT_EQ(0, msg_send(ipc, task.id, 1, 9, 0));
	ASSERT_EQ(0, pthread_join(t, &ret));
	EXPECT_EQ(9, (long)ret);
	EXPECT_EQ(ipc == &ipc_kipc ? getpid() : task.tid, lrpid(ipc, task.id));
}

/* ---- Pid namespaces ---- */

/* Start a peer as the first process of a pid namespace of its own. */
static int start_inside(struct peer *p)
{
	int home = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC), ret;

	if (home < 0 || unshare(CLONE_NEWPID))
		return -1;
	ret = peer_start(p);
	if (setns(home, CLONE_NEWPID))
		ret = -1;
	close(home);
	return ret;
}

static void peer_pids(struct peer *p, const struct ipc *ipc, int id, pid_t *s, pid_t *r)
{
	struct msqid_ds ds;

	if (peer_msgctl(p, ipc, id, IPC_STAT, &ds))
		ds.msg_lspid = ds.msg_lrpid = -1;
	*s = ds.msg_lspid;
	*r = ds.msg_lrpid;
}

/* Each sees the other by its own numbers, and nobody where there is no number. */
TEST_F(pid, namespaces)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(IPC_PRIVATE, 0600);
	struct peer p, q;
	pid_t s, r, outer;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, start_inside(&p));
	ASSERT_EQ(0, peer_start(&q));
	outer = p.pid;
	EXPECT_EQ(0, peer_send(&q, ipc, id, 1, 1, 0));
	EXPECT_EQ(1, peer_receive(&p, ipc, id, 0, 0));
	EXPECT_EQ(q.pid, lspid(ipc, id));
	EXPECT_EQ(outer, lrpid(ipc, id));
	peer_pids(&q, ipc, id, &s, &r);
	EXPECT_EQ(q.pid, s);
	EXPECT_EQ(outer, r);
	/* Somebody, but nobody in there; and the first one of all. */
	peer_pids(&p, ipc, id, &s, &r);
	EXPECT_EQ(0, s);
	EXPECT_EQ(1, r);
	EXPECT_EQ(0, peer_send(&p, ipc, id, 1, 1, 0));
	EXPECT_EQ(outer, lspid(ipc, id));
	peer_pids(&p, ipc, id, &s, &r);
	EXPECT_EQ(1, s);
	/* Handed over across the border. */
	EXPECT_EQ(1, peer_receive(&q, ipc, id, 0, 0));
	ASSERT_EQ(0, peer_block_receive(&p, ipc, id, 0, 0));
	EXPECT_EQ(0, peer_send(&q, ipc, id, 1, 2, 0));
	EXPECT_EQ(2, peer_woken(&p));
	EXPECT_EQ(outer, lrpid(ipc, id));
	/* The namespace ends with its first process. */
	peer_end(&p, SIGKILL);
	EXPECT_EQ(outer, lrpid(ipc, id));
	/* Another one has numbers of its own for nobody of it. */
	ASSERT_EQ(0, start_inside(&p));
	peer_pids(&p, ipc, id, &s, &r);
	EXPECT_EQ(0, s);
	EXPECT_EQ(0, r);
	peer_end(&p, 0);
	peer_end(&q, 0);
}

TEST_HARNESS_MAIN

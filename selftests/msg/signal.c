// SPDX-License-Identifier: GPL-2.0
/* Senders and receivers that sleep, and are interrupted, stopped, traced or killed. */
#include "common/harness.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define NW	IPC_NOWAIT

FIXTURE(sig) {
	struct peer p[4];
	int id;
};
FIXTURE_VARIANT(sig) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(sig, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(sig, kipc) { .ipc = &ipc_kipc };

/* A queue with room for two notes, and peers. */
FIXTURE_SETUP(sig)
{
	unsigned int i;

	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	self->id = variant->ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, self->id);
	ASSERT_EQ(0, msg_set_qbytes(variant->ipc, self->id, 2 * NOTE));
	for (i = 0; i < ARRAY_SIZE(self->p); i++)
		ASSERT_EQ(0, peer_start(&self->p[i]));
}

FIXTURE_TEARDOWN(sig)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(self->p); i++)
		if (self->p[i].pid > 0)
			peer_end(&self->p[i], SIGKILL);
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

#define EXPECT_ASLEEP(_p)	EXPECT_EQ(0, peer_asleep(_p))
#define EXPECT_WOKEN(_want, _p) \
	EXPECT_EQ(_want, peer_woken(_p)) \
		TH_LOG("%s", strerror(errno))

/* With SA_RESTART or without: never restarted, and nothing done. */
TEST_F(sig, interrupted)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct msqid_ds before, after;
	int id = self->id, i;

	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 2, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_catch(&p[i], SIGUSR1, i % 2 ? SA_RESTART : 0));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 2, 3));
	ASSERT_EQ(0, peer_block_send(&p[1], ipc, id, 2, 4));
	ASSERT_EQ(0, peer_block_receive(&p[2], ipc, id, 2, 0));
	ASSERT_EQ(0, peer_block_receive(&p[3], ipc, id, 1, MSG_EXCEPT));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, kill(p[i].pid, SIGUSR1));
		EXPECT_ERR(EINTR, peer_woken(&p[i]));
	}
	ASSERT_EQ(0, msg_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	/* Nobody who has left gets or sends anything. */
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, msg_send(ipc, id, 2, 5, NW));
	EXPECT_EQ(2, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(5, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* Signals that are ignored, blocked, or nothing by default. */
TEST_F(sig, not_interrupted)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 2, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, peer_catch(&p[i], SIGUSR1, -1));
		ASSERT_EQ(0, peer_catch(&p[i], SIGUSR2, 0));
		ASSERT_EQ(0, peer_mask(&p[i], SIGUSR2));
	}
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 3, 3));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 2, 0));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, kill(p[i].pid, SIGUSR1));
		EXPECT_EQ(0, kill(p[i].pid, SIGUSR2));
		EXPECT_EQ(0, kill(p[i].pid, SIGCHLD));
		EXPECT_EQ(0, kill(p[i].pid, SIGWINCH));
		EXPECT_EQ(0, kill(p[i].pid, SIGCONT));
		EXPECT_ASLEEP(&p[i]);
	}
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_EQ(2, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, msg_send(ipc, id, 2, 4, 0));
	EXPECT_WOKEN(4, &p[1]);
}

/*
 * A signal and its message at once: it has received it or it was interrupted, and then
 * the message is still there.
 */
TEST_F(sig, signal_and_message)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, peer_catch(&p[0], SIGUSR1, 0));
	for (i = 0; i < 200; i++) {
		long ret;

		ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 1, 0));
		if (i % 2) {
			kill(p[0].pid, SIGUSR1);
			ASSERT_EQ(0, msg_send(ipc, id, 1, i, NW));
		} else {
			ASSERT_EQ(0, msg_send(ipc, id, 1, i, NW));
			kill(p[0].pid, SIGUSR1);
		}
		ret = peer_woken(&p[0]);
		if (ret == -1) {
			ASSERT_EQ(EINTR, errno);
			ASSERT_EQ(i, msg_receive(ipc, id, 0, NW));
		} else {
			ASSERT_EQ(i, ret);
			ASSERT_EQ(-1, msg_receive(ipc, id, 0, NW));
		}
		/* Whoever had it before the signal has it still. */
		if (!(i % 2)) {
			ASSERT_EQ(i, ret);
		}
	}
}

/* A signal and room at once: it has sent or it was interrupted. */
TEST_F(sig, signal_and_room)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, peer_catch(&p[0], SIGUSR1, 0));
	for (i = 0; i < 200; i++) {
		long ret;

		ASSERT_EQ(0, msg_send(ipc, id, 2, 0, NW));
		ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 1, i));
		if (i % 2) {
			kill(p[0].pid, SIGUSR1);
			ASSERT_EQ(0, msg_receive(ipc, id, 2, NW));
		} else {
			ASSERT_EQ(0, msg_receive(ipc, id, 2, NW));
			kill(p[0].pid, SIGUSR1);
		}
		ret = peer_woken(&p[0]);
		if (ret == -1) {
			ASSERT_EQ(EINTR, errno);
		} else {
			ASSERT_EQ(0, ret);
		}
		ASSERT_EQ(ret ? -1 : i, msg_receive(ipc, id, 0, NW));
	}
}

/* ---- Stopped and continued ---- */

static void stop(struct __test_metadata *_metadata, struct peer *p)
{
	int status;

	ASSERT_EQ(0, kill(p->pid, SIGSTOP));
	ASSERT_EQ(p->pid, waitpid(p->pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
}

/* Whoever is stopped has left the queue, and goes on as if he had come anew. */
TEST_F(sig, receiver_stopped)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 0, 0));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 0, 0));
	stop(_metadata, &p[0]);
	EXPECT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	EXPECT_WOKEN(1, &p[1]);
	EXPECT_EQ(0, msg_send(ipc, id, 1, 2, 0));
	EXPECT_EQ(1, msg_qnum(ipc, id));
	ASSERT_EQ(0, kill(p[0].pid, SIGCONT));
	EXPECT_EQ(2, peer_finish(&p[0]));
	/* With nothing there it sleeps again, behind whoever came meanwhile. */
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 0, 0));
	stop(_metadata, &p[0]);
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 0, 0));
	ASSERT_EQ(0, kill(p[0].pid, SIGCONT));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(0, msg_send(ipc, id, 1, 3, 0));
	EXPECT_WOKEN(3, &p[1]);
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(0, msg_send(ipc, id, 1, 4, 0));
	EXPECT_WOKEN(4, &p[0]);
}

TEST_F(sig, sender_stopped)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 2, 2));
	stop(_metadata, &p[0]);
	/* What it would have used is free for others. */
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, msg_qnum(ipc, id));
	EXPECT_EQ(0, msg_send(ipc, id, 3, 3, NW));
	ASSERT_EQ(0, kill(p[0].pid, SIGCONT));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(3, msg_receive(ipc, id, 0, NW));
	EXPECT_WOKEN(0, &p[0]);
	EXPECT_EQ(2, msg_receive(ipc, id, 0, NW));
	/* Room that there is when it goes on. */
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 2, 4));
	stop(_metadata, &p[0]);
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	ASSERT_EQ(0, kill(p[0].pid, SIGCONT));
	EXPECT_EQ(0, peer_finish(&p[0]));
	EXPECT_EQ(4, msg_receive(ipc, id, 0, NW));
}

/* Stopped, the queue removed or the right taken meanwhile: found out when it goes on. */
TEST_F(sig, changed_while_stopped)
{
	const struct ipc *ipc = variant->ipc;
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct peer *p = self->p;
	struct msqid_ds ds;
	int id = self->id;

	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	ds.msg_perm.mode = 0666;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, peer_become(&p[0], &user));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 0, 0));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 0, 0));
	stop(_metadata, &p[0]);
	stop(_metadata, &p[1]);
	ds.msg_perm.mode = 0600;
	ASSERT_EQ(0, ipc->msgctl(id, IPC_SET, &ds));
	ASSERT_EQ(0, kill(p[0].pid, SIGCONT));
	EXPECT_ERR(EACCES, peer_finish(&p[0]));
	ASSERT_EQ(0, msg_rmid(ipc, id));
	ASSERT_EQ(0, kill(p[1].pid, SIGCONT));
	/* The call begins anew: there is no such queue. */
	EXPECT_ERR(EINVAL, peer_finish(&p[1]));
}

/* A stop and a message at once: it is received once, by whomever. */
TEST_F(sig, stop_and_message)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i, status;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 1, 0));
		ASSERT_EQ(0, kill(p[0].pid, SIGSTOP));
		ASSERT_EQ(0, msg_send(ipc, id, 1, i, NW));
		ASSERT_EQ(p[0].pid, waitpid(p[0].pid, &status, WUNTRACED));
		ASSERT_EQ(0, kill(p[0].pid, SIGCONT));
		ASSERT_EQ(i, peer_finish(&p[0]));
		ASSERT_EQ(0, msg_qnum(ipc, id));
	}
}

/* A tracer comes and goes: the call goes on. */
TEST_F(sig, traced)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, status;

	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 7, 0));
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, p[0].pid, 0, 0));
	ASSERT_EQ(p[0].pid, waitpid(p[0].pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, msg_send(ipc, id, 8, 8, 0));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, p[0].pid, 0, 0));
	EXPECT_ASLEEP(&p[0]);
	EXPECT_EQ(0, msg_send(ipc, id, 7, 7, 0));
	EXPECT_WOKEN(7, &p[0]);
}

/* ---- Killed ---- */

/* Gone from the queue when wait() tells, nothing received and nothing sent. */
TEST_F(sig, killed)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	struct msqid_ds before, after;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, NOTE));
	ASSERT_EQ(0, msg_send(ipc, id, 1, 1, 0));
	ASSERT_EQ(0, msg_stat(ipc, id, &before));
	ASSERT_EQ(0, peer_block_send(&p[0], ipc, id, 2, 2));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 3, 0));
	ASSERT_EQ(0, peer_block_send(&p[2], ipc, id, 3, 33));
	ASSERT_EQ(0, peer_block_receive(&p[3], ipc, id, 3, 0));
	EXPECT_EQ(SIGKILL, peer_end(&p[0], SIGKILL));
	EXPECT_EQ(SIGKILL, peer_end(&p[1], SIGKILL));
	ASSERT_EQ(0, msg_stat(ipc, id, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_ASLEEP(&p[2]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	EXPECT_WOKEN(0, &p[2]);
	EXPECT_WOKEN(33, &p[3]);
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* Those who sleep behind one that is killed keep their places. */
TEST_F(sig, killed_in_the_middle)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_block_receive(&p[i], ipc, id, i == 2 ? -5 : 5, 0));
	peer_end(&p[1], SIGKILL);
	EXPECT_EQ(0, msg_send(ipc, id, 5, 10, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 12, 0));
	EXPECT_WOKEN(10, &p[0]);
	EXPECT_WOKEN(12, &p[2]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_EQ(0, msg_send(ipc, id, 5, 13, 0));
	EXPECT_WOKEN(13, &p[3]);
}

/* All threads of a process that is killed. */
struct sleepers {
	const struct ipc *ipc;
	int id;
	volatile int begun;
};

static void *one_sleeper(void *arg)
{
	struct sleepers *s = arg;
	int n = __atomic_fetch_add(&s->begun, 1, __ATOMIC_SEQ_CST);

	if (n % 2)
		msg_receive(s->ipc, s->id, 100 + n, 0);
	else
		msg_send_bytes(s->ipc, s->id, 100 + n, 50, 0);
	return NULL;
}

TEST_F(sig, threads_killed)
{
	enum { N = 100 };
	const struct ipc *ipc = variant->ipc;
	int id = self->id, i, status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		struct sleepers s = { ipc, id, 0 };
		pthread_t t;

		for (i = 0; i < N; i++)
			if (pthread_create(&t, NULL, one_sleeper, &s))
				_exit(1);
		wait_until(s.begun == N);
		/* Not quite asleep, some of them. */
		raise(SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, status);
	ASSERT_EQ(0, msg_set_qbytes(ipc, id, MSGMNB));
	EXPECT_EQ(0, msg_qnum(ipc, id));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, msg_send(ipc, id, 100 + i, i, NW));
	EXPECT_EQ(N, msg_qnum(ipc, id));
}

/* The dead leader of a process: its threads go on waiting, and are served. */
static void *outlive_leader(void *arg)
{
	struct sleepers *s = arg;

	_exit(msg_receive(s->ipc, s->id, 1, 0) == 77 ? 0 : 1);
}

TEST_F(sig, leader_gone)
{
	const struct ipc *ipc = variant->ipc;
	int id = self->id, status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		static struct sleepers s;
		pthread_t t;

		s = (struct sleepers){ ipc, id, 0 };
		pthread_create(&t, NULL, outlive_leader, &s);
		syscall(SYS_exit, 0);
	}
	wait_until(task_state(pid) == 'Z');
	EXPECT_EQ(0, msg_send(ipc, id, 1, 77, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* ---- Killed with a message in its hands ---- */

/*
 * The test's process keeps a processor for itself while the receiver, awake with its
 * message, wants that very one: killed then, the receiver has not come to copying.
 */
static int one_processor(struct peer *p)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	return sched_setaffinity(p->pid, sizeof(cpus), &cpus) ||
	       sched_setaffinity(0, sizeof(cpus), &cpus);
}

static int keep_processor(bool keep)
{
	const struct sched_param param = { .sched_priority = keep ? 10 : 0 };

	return sched_setscheduler(0, keep ? SCHED_FIFO : SCHED_OTHER, &param);
}

/* Native loses such a message; kipc gives it back. */
TEST_F(sig, killed_with_a_message)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, msg_set_qbytes(ipc, id, MSGMNB));
	ASSERT_EQ(0, one_processor(&p[0]));
	ASSERT_EQ(0, msg_send(ipc, id, 6, 1, 0));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 5, 0));
	ASSERT_EQ(0, keep_processor(true));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 2, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 3, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 6, 4, 0));
	EXPECT_EQ(3, msg_qnum(ipc, id));
	EXPECT_EQ(0, kill(p[0].pid, SIGKILL));
	EXPECT_EQ(SIGKILL, peer_end(&p[0], SIGKILL));
	ASSERT_EQ(0, keep_processor(false));
	EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
	/* In its place: behind what was sent before it, before what was sent after. */
	if (ipc == &ipc_kipc) {
		EXPECT_EQ(3, msg_qnum(ipc, id));
		EXPECT_EQ((long)(3 * NOTE), msg_cbytes(ipc, id));
		EXPECT_EQ(2, msg_receive(ipc, id, 0, NW));
	}
	EXPECT_EQ(3, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(4, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(0, msg_cbytes(ipc, id));
}

/* Others sleep for it: the next one in line has it. */
TEST_F(sig, killed_before_the_next)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id, i;

	ASSERT_EQ(0, one_processor(&p[0]));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, peer_block_receive(&p[i], ipc, id, i == 1 ? 6 : i == 2 ? -9 : 0, 0));
	ASSERT_EQ(0, keep_processor(true));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 2, 0));
	EXPECT_EQ(0, kill(p[0].pid, SIGKILL));
	EXPECT_EQ(SIGKILL, peer_end(&p[0], SIGKILL));
	ASSERT_EQ(0, keep_processor(false));
	if (ipc == &ipc_kipc) {
		EXPECT_WOKEN(2, &p[2]);
	} else {
		EXPECT_ASLEEP(&p[2]);
	}
	EXPECT_ASLEEP(&p[1]);
	EXPECT_ASLEEP(&p[3]);
	EXPECT_EQ(0, msg_qnum(ipc, id));
}

/* The queue is full by then: it comes back all the same, and nobody else can send. */
TEST_F(sig, killed_and_full)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, one_processor(&p[0]));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 5, 0));
	ASSERT_EQ(0, keep_processor(true));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 1, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 6, 2, NW));
	EXPECT_EQ(0, msg_send(ipc, id, 6, 3, NW));
	EXPECT_ERR(EAGAIN, msg_send(ipc, id, 6, 4, NW));
	EXPECT_EQ(0, kill(p[0].pid, SIGKILL));
	EXPECT_EQ(SIGKILL, peer_end(&p[0], SIGKILL));
	ASSERT_EQ(0, keep_processor(false));
	ASSERT_EQ(0, peer_block_send(&p[1], ipc, id, 7, 4));
	if (ipc == &ipc_kipc) {
		EXPECT_EQ(3, msg_qnum(ipc, id));
		EXPECT_EQ(1, msg_receive(ipc, id, 0, NW));
		/* Two are in it still. */
		EXPECT_ASLEEP(&p[1]);
	}
	EXPECT_EQ(2, msg_receive(ipc, id, 0, NW));
	EXPECT_WOKEN(0, &p[1]);
	EXPECT_EQ(3, msg_receive(ipc, id, 0, NW));
	EXPECT_EQ(4, msg_receive(ipc, id, 0, NW));
}

/* The queue goes meanwhile: nothing to give it back to. */
TEST_F(sig, killed_and_removed)
{
	const struct ipc *ipc = variant->ipc;
	struct peer *p = self->p;
	int id = self->id;

	ASSERT_EQ(0, one_processor(&p[0]));
	ASSERT_EQ(0, one_processor(&p[1]));
	ASSERT_EQ(0, peer_block_receive(&p[0], ipc, id, 0, 0));
	ASSERT_EQ(0, peer_block_receive(&p[1], ipc, id, 0, 0));
	ASSERT_EQ(0, keep_processor(true));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 2, 0));
	EXPECT_EQ(0, msg_send(ipc, id, 5, 3, 0));
	EXPECT_EQ(0, msg_rmid(ipc, id));
	EXPECT_EQ(0, kill(p[0].pid, SIGKILL));
	EXPECT_EQ(SIGKILL, peer_end(&p[0], SIGKILL));
	ASSERT_EQ(0, keep_processor(false));
	/* Whoever was handed a message before has it. */
	EXPECT_WOKEN(3, &p[1]);
	EXPECT_EQ(0, msg_rows(ipc, NULL, 0));
}

TEST_HARNESS_MAIN

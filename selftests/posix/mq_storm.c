// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that open, close and unlink POSIX message queues, ask for notices of all kinds and
 * take them back, send and receive, in processes that are killed meanwhile.  What two others
 * send each other arrives, each message once; and nothing is left in the end, nor anything
 * charged.
 */
#include "common/harness.h"
#include "posix/queue.h"

#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "common/device.h"

#define STORMERS	4
#define THREADS		2
#define SLOTS		4
#define MESSAGES	3000
#define KILLS		60	/* at least */
#define BYTES		(4 * (2 * 8 + 2 * 96))	/* that they may be charged: four queues */

static struct stage {
	unsigned long steps[STORMERS];
	bool has_come[MESSAGES];
	unsigned int twice, come;
} *stage;

static void ignore(union sigval value)
{
	(void)value;
}

static void ask(mqd_t q, unsigned int *seed)
{
	struct sigevent event = { .sigev_signo = SIGRTMIN, .sigev_notify_function = ignore };
	static const int ways[] = { SIGEV_NONE, SIGEV_SIGNAL, SIGEV_SIGNAL, SIGEV_THREAD };

	event.sigev_notify = ways[rand_r(seed) % ARRAY_SIZE(ways)];
	kipc_mq_notify(q, rand_r(seed) % 3 ? &event : NULL);
}

/*
 * Of "/h" it is told only.  What is sent does not fit there, and it is not open to be read, for
 * a number may stand for another descriptor meanwhile.
 */
static void storm(int *fds, unsigned int *seed)
{
	static const int flags[] = { O_RDWR, O_RDWR | O_NONBLOCK, O_RDONLY };
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	int slot = rand_r(seed) % SLOTS;
	struct pollfd ready = { .fd = fds[slot], .events = POLLIN };
	struct timespec soon;
	char text[80] = "";

	clock_gettime(CLOCK_REALTIME, &soon);
	switch (rand_r(seed) % 12) {
	case 0 ... 1:
		kipc_mq_close(fds[slot]);
		fds[slot] = !slot ? kipc_mq_open("/h", O_WRONLY) :
			    kipc_mq_open("/s", flags[rand_r(seed) % 3] | O_CREAT, 0666, &attr);
		break;
	case 2:
		kipc_mq_close(fds[slot]);
		break;
	case 3 ... 5:
		ask(fds[slot], seed);
		break;
	case 6:
		kipc_mq_unlink("/s");
		break;
	case 7:
		poll(&ready, 1, rand_r(seed) % 2);
		break;
	case 8:
		/* The number may be that of a notice by now, which may never come. */
		if (preadv2(fds[slot], &(struct iovec){ text, sizeof(text) }, 1, -1, RWF_NOWAIT) < 0)
			kipc_mq_getattr(fds[slot], &attr);
		break;
	case 9 ... 10:
		kipc_mq_timedsend(fds[slot], text, 8, rand_r(seed) % 3, &soon);
		break;
	default:
		soon.tv_sec += rand_r(seed) % 2;
		kipc_mq_timedreceive(fds[slot], text, sizeof(text), NULL, &soon);
	}
}

/* The descriptors are all threads'. */
static int fds[SLOTS] = { -1, -1, -1, -1 };
static int me;

static void *storm_on(void *arg)
{
	unsigned int seed = getpid() * THREADS + (arg ? 1 : 0);

	for (;;) {
		storm(fds, &seed);
		__atomic_fetch_add(&stage->steps[me], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static pid_t start_stormer(int i)
{
	struct rlimit bytes = { .rlim_cur = BYTES, .rlim_max = BYTES };
	pthread_t thread;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me = i;
	signal(SIGRTMIN, SIG_IGN);
	if (setrlimit(RLIMIT_MSGQUEUE, &bytes) || become(&alice) ||
	    pthread_create(&thread, NULL, storm_on, stage))
		_exit(1);
	storm_on(NULL);
	_exit(0);
}

static int send_all(void *arg)
{
	mqd_t q = kipc_mq_open("/h", O_WRONLY);
	unsigned int i;

	(void)arg;
	for (i = 0; i < MESSAGES; i++)
		if (put(&posix_kipc, q, i, i % 5))
			return 1;
	return 0;
}

static int receive_all(void *arg)
{
	mqd_t q = kipc_mq_open("/h", O_RDONLY);
	unsigned int i;
	long got;

	(void)arg;
	for (i = 0; i < MESSAGES; i++) {
		got = take(&posix_kipc, q);
		if (got < 0 || (got & 0xffff) >= MESSAGES || got >> 16 != (got & 0xffff) % 5)
			return 1;
		stage->twice += stage->has_come[got & 0xffff];
		stage->has_come[got & 0xffff] = true;
		__atomic_store_n(&stage->come, i + 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static int in_process(int (*fn)(void *arg), pid_t *pid)
{
	*pid = fork();
	if (*pid)
		return *pid < 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(fn(NULL));
}

/* One that takes all that they may be charged. */
static int make_the_largest(void *arg)
{
	struct rlimit bytes = { .rlim_cur = BYTES, .rlim_max = BYTES };
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = BYTES - 96 };

	(void)arg;
	if (setrlimit(RLIMIT_MSGQUEUE, &bytes) || become(&alice))
		return 1;
	if (kipc_mq_open("/l", O_RDWR | O_CREAT, 0600, &attr) < 0)
		return errno;
	return kipc_mq_unlink("/l");
}

FIXTURE(storm) { long refs; };
FIXTURE_SETUP(storm)
{
	ASSERT_EQ(0, begin_posix());
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	ASSERT_NE(MAP_FAILED, stage);
	ASSERT_EQ(0, in_child(make_the_largest, NULL));
	self->refs = module_refs();
}
FIXTURE_TEARDOWN(storm)
{
	EXPECT_EQ(0, count_names(NULL));
	wait_until(module_refs() <= self->refs);
}

TEST_F_TIMEOUT(storm, nothing_is_lost, 380)
{
	unsigned int kills = 0, seed = 1;
	pid_t sender, receiver, pid[STORMERS];
	unsigned long seen;
	mqd_t q;
	int i, status;

	umask(0);
	q = kipc_mq_open("/h", O_RDWR | O_CREAT, 0666, &(struct mq_attr){
			 .mq_maxmsg = 10, .mq_msgsize = 4 });
	ASSERT_LE(0, q);
	for (i = 0; i < STORMERS; i++) {
		pid[i] = start_stormer(i);
		ASSERT_LT(0, pid[i]);
	}
	ASSERT_EQ(0, in_process(send_all, &sender));
	ASSERT_EQ(0, in_process(receive_all, &receiver));
	/* As often as they have done something, not after a time. */
	while (kills < KILLS || __atomic_load_n(&stage->come, __ATOMIC_RELAXED) < MESSAGES) {
		i = rand_r(&seed) % STORMERS;
		seen = stage->steps[i] + rand_r(&seed) % 50;
		wait_until(__atomic_load_n(&stage->steps[i], __ATOMIC_RELAXED) > seen);
		kill(pid[i], SIGKILL);
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(SIGKILL, status);
		pid[i] = start_stormer(i);
		ASSERT_LT(0, pid[i]);
		kills++;
	}
	for (i = 0; i < STORMERS; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
	}
	EXPECT_EQ(sender, waitpid(sender, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(receiver, waitpid(receiver, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(MESSAGES, stage->come);
	EXPECT_EQ(0, stage->twice);
	kipc_mq_unlink("/s");
	EXPECT_EQ(0, kipc_mq_unlink("/h"));
	EXPECT_EQ(0, kipc_mq_close(q));
	/* What they were charged they are not any more. */
	EXPECT_EQ(0, in_child(make_the_largest, NULL));
}

TEST_HARNESS_MAIN

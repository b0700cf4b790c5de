// SPDX-License-Identifier: GPL-2.0
/* POSIX message queues: what is kipc's alone, and what it does otherwise than native. */
#include "common/harness.h"
#include "posix/queue.h"

#include <sys/ioctl.h>

#include "common/device.h"

KIPC_FIXTURE(extension);

/* What cannot be written stays where it was; what cannot be read is not sent. */
TEST_F(extension, bad_addresses)
{
	mqd_t q = open_numbers(&posix_kipc, "/x", O_RDWR, 3);
	unsigned int i, prio;
	int number;
	void *bad;

	ASSERT_LE(0, q);
	EXPECT_EQ(0, put(&posix_kipc, q, 1, 7));
	EXPECT_EQ(0, put(&posix_kipc, q, 2, 6));
	for (i = 0; (bad = bad_address(i)) != MAP_FAILED; i++) {
		/* The last of its bytes are not there. */
		bad = (char *)bad + BAD_ADDRESS_ROOM - 2;
		EXPECT_ERR(EFAULT, kipc_mq_receive(q, bad, 65535, &prio));
		EXPECT_ERR(EFAULT, kipc_mq_receive(q, bad, 65536, &prio));
		EXPECT_ERR(EFAULT, kipc_mq_send(q, bad, 4, 0));
		EXPECT_ERR(EFAULT, kipc_mq_receive(q, (char *)&number, 65536, bad));
	}
	EXPECT_EQ(7l << 16 | 1, take(&posix_kipc, q));
	EXPECT_EQ(6l << 16 | 2, take(&posix_kipc, q));
	EXPECT_EQ(0, queued(&posix_kipc, q));
	EXPECT_EQ(0, kipc_mq_unlink("/x"));
	EXPECT_EQ(0, kipc_mq_close(q));
}

TEST_F(extension, clocks)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
	mqd_t q = open_numbers(&posix_kipc, "/c", O_RDWR, 1);
	struct timespec soon;
	int number = 3;
	unsigned int i;

	ASSERT_LE(0, q);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		clock_gettime(clocks[i], &soon);
		soon.tv_nsec += 20000000;
		soon.tv_sec += soon.tv_nsec / 1000000000;
		soon.tv_nsec %= 1000000000;
		EXPECT_ERR(ETIMEDOUT, kipc_mq_clockreceive(q, (char *)&number, 4, NULL, clocks[i],
							   &soon));
		EXPECT_EQ(0, kipc_mq_clocksend(q, (char *)&number, 4, 0, clocks[i], &soon));
		EXPECT_ERR(ETIMEDOUT, kipc_mq_clocksend(q, (char *)&number, 4, 0, clocks[i],
							&soon));
		EXPECT_EQ(4, kipc_mq_clockreceive(q, (char *)&number, 4, NULL, clocks[i], &soon));
	}
	EXPECT_ERR(EINVAL, kipc_mq_clockreceive(q, (char *)&number, 4, NULL, 77, &soon));
	EXPECT_EQ(0, kipc_mq_unlink("/c"));
	EXPECT_EQ(0, kipc_mq_close(q));
}

static int name_open(int device, unsigned int kind, int flags, uint64_t size, uint64_t msgsize)
{
	struct kipc_name_open open = {
		.name = (uintptr_t)"raw", .kind = kind, .flags = flags, .mode = 0600,
		.size = size, .msgsize = msgsize,
	};

	return ioctl(device, KIPC_IOC_NAME_OPEN, &open);
}

/* Past the library. */
TEST_F(extension, bad_calls)
{
	struct kipc_mq_op op = { .size = 4, .priority = 0 };
	struct kipc_mq_notify notify = { .how = 4 };
	int device = device_open(), q, sem, number = 3;
	struct timespec late = { .tv_sec = 1 };
	struct kipc_mq_attr attr = { 0 };
	uint64_t count;

	ASSERT_LE(0, device);
	EXPECT_ERR(EINVAL, name_open(device, KIPC_KIND_POSIX_MQ, O_RDWR | O_CREAT, 1, 0));
	EXPECT_ERR(EINVAL, name_open(device, KIPC_KIND_POSIX_MQ, O_RDWR | O_CREAT, 0, 1));
	EXPECT_ERR(EINVAL, name_open(device, KIPC_KIND_POSIX_MQ, O_RDWR | O_CREAT, ~0ull, ~0ull));
	EXPECT_ERR(EINVAL, name_open(device, KIPC_KIND_POSIX_MQ, O_RDWR | O_TRUNC, 1, 1));
	EXPECT_ERR(EINVAL, name_open(device, KIPC_KIND_POSIX_SEM, O_RDWR | O_CREAT, 0, 1));
	EXPECT_ERR(EINVAL, name_open(device, KIPC_ALL_KINDS, O_RDWR | O_CREAT, 0, 0));
	q = name_open(device, KIPC_KIND_POSIX_MQ, O_RDWR | O_CREAT | O_NONBLOCK, 2, 4);
	ASSERT_LE(0, q);
	sem = name_open(device, KIPC_KIND_POSIX_SEM, O_RDWR | O_CREAT, 0, 0);
	ASSERT_LE(0, sem);

	op.msg = (uintptr_t)&number;
	EXPECT_EQ(0, ioctl(q, KIPC_IOC_MQ_SEND, &op));
	op.pad = 1;
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_SEND, &op));
	op.pad = 0;
	op.flags = KIPC_TIMEOUT_ABSOLUTE;
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_SEND, &op));
	op.flags = 2;
	op.timeout = (uintptr_t)&late;
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_RECEIVE, &op));
	/* A while would begin anew with each signal. */
	op.flags = 0;
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_RECEIVE, &op));
	op.flags = KIPC_TIMEOUT_ABSOLUTE;
	op.clock = 77;
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_RECEIVE, &op));
	op.clock = 0;
	op.timeout = (uintptr_t)bad_address(1);
	EXPECT_ERR(EFAULT, ioctl(q, KIPC_IOC_MQ_RECEIVE, &op));
	op.timeout = 0;
	op.flags = 0;
	op.priority = 1ull << 32;
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_SEND, &op));
	op.size = ~0ull;
	op.priority = 0;
	EXPECT_ERR(EMSGSIZE, ioctl(q, KIPC_IOC_MQ_SEND, &op));
	op.size = 4;
	EXPECT_ERR(EFAULT, ioctl(q, KIPC_IOC_MQ_SEND, bad_address(0)));
	EXPECT_ERR(EINVAL, ioctl(q, _IOC(_IOC_WRITE, KIPC_IOC_TYPE, 0x58, sizeof(op) - 8), &op));
	EXPECT_ERR(ENOTTY, ioctl(sem, KIPC_IOC_MQ_SEND, &op));
	EXPECT_ERR(ENOTTY, ioctl(device, KIPC_IOC_MQ_SEND, &op));
	EXPECT_ERR(ENOTTY, ioctl(q, KIPC_IOC_MSG_SEND, &op));
	EXPECT_ERR(EFAULT, read(q, bad_address(0), sizeof(count)));
	EXPECT_ERR(EINVAL, write(q, &count, sizeof(count)));
	EXPECT_ERR(ENODEV, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, q, 0));

	/* The short ways. */
	EXPECT_EQ(EINVAL, posix_fadvise(q, 0, 0, 0x6b00));
	EXPECT_EQ(EINVAL, posix_fadvise(q, 0, 0, KIPC_CALL_SEM_OP));
	EXPECT_EQ(EINVAL, posix_fadvise(q, 1 << 16, (long)&number, KIPC_CALL_MQ_RECEIVE));
	EXPECT_EQ(EINVAL, posix_fadvise(sem, 4, (long)&number, KIPC_CALL_MQ_SEND));
	EXPECT_EQ(EINVAL, posix_fadvise(device, 4, (long)&number, KIPC_CALL_MQ_SEND));
	EXPECT_EQ(EMSGSIZE, posix_fadvise(q, ~0u, (long)&number, KIPC_CALL_MQ_SEND));
	EXPECT_EQ(EINVAL, posix_fadvise(q, 32768l << 32, (long)&number, KIPC_CALL_MQ_SEND));

	attr.set = 2;
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_ATTR, &attr));
	attr = (struct kipc_mq_attr){ .flags = O_NONBLOCK };
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_ATTR, &attr));
	attr = (struct kipc_mq_attr){ .set = 1, .flags = O_APPEND };
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_ATTR, &attr));
	attr = (struct kipc_mq_attr){ .curmsgs = 1 };
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_ATTR, &attr));
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_NOTIFY, &notify));
	notify = (struct kipc_mq_notify){ .how = KIPC_MQ_NOTIFY_NONE, .value = 1 };
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_NOTIFY, &notify));
	notify = (struct kipc_mq_notify){ .how = KIPC_MQ_NOTIFY_SIGNAL, .signal = ~0u };
	EXPECT_ERR(EINVAL, ioctl(q, KIPC_IOC_MQ_NOTIFY, &notify));
	EXPECT_EQ(1, queued(&posix_kipc, q));
	close(q);
	close(sem);
	close(device);
	EXPECT_EQ(0, kipc_mq_unlink("/raw"));
	EXPECT_EQ(0, kipc_sem_unlink("/raw"));
}

/* In another namespace it is another; what is open stays open when its own has ended. */
static int leave_namespace(void *arg)
{
	mqd_t q = open_numbers(&posix_kipc, "/n", O_RDWR, 2);

	(void)arg;
	if (q < 0 || put(&posix_kipc, q, 1, 0) || unshare(CLONE_NEWIPC))
		return 1;
	if (kipc_mq_open("/n", O_RDWR) != -1 || errno != ENOENT)
		return 2;
	if (put(&posix_kipc, q, 2, 0) || take(&posix_kipc, q) != 1)
		return 3;
	/* Its name has ended with it, sooner or later. */
	return queued(&posix_kipc, q) == 1 ? 0 : 4;
}

TEST_F(extension, another_namespace)
{
	EXPECT_EQ(0, in_child(leave_namespace, NULL));
	EXPECT_EQ(1, count_names("pmq"));
	EXPECT_EQ(0, kipc_mq_unlink("/n"));
}

static int in_own_namespace(void *arg)
{
	mqd_t q;

	(void)arg;
	if (unshare(CLONE_NEWIPC))
		return 1;
	q = open_numbers(&posix_kipc, "/gone", O_RDWR, 2);
	if (q < 0 || put(&posix_kipc, q, 1, 3) || unshare(CLONE_NEWIPC))
		return 2;
	/* Nobody is in the first any more. */
	return take(&posix_kipc, q) == (3l << 16 | 1) ? 0 : 3;
}

/* Nothing holds the module once everybody is gone. */
TEST_F(extension, nothing_is_left)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	long before;
	mqd_t q;
	int i;

	q = open_numbers(&posix_kipc, "/y", O_RDWR, 4);
	ASSERT_LE(0, q);
	EXPECT_EQ(0, kipc_mq_unlink("/y"));
	EXPECT_EQ(0, kipc_mq_close(q));
	before = module_refs();
	for (i = 0; i < 50; i++) {
		q = open_numbers(&posix_kipc, "/y", O_RDWR, 4);
		ASSERT_LE(0, q);
		EXPECT_EQ(0, put(&posix_kipc, q, 1, i));
		EXPECT_EQ(0, put(&posix_kipc, q, 2, 2));
		EXPECT_EQ(0, kipc_mq_notify(q, &event));
		EXPECT_EQ(0, kipc_mq_unlink("/y"));
		EXPECT_EQ(0, kipc_mq_close(q));
	}
	EXPECT_EQ(0, in_child(in_own_namespace, NULL));
	wait_until(module_refs() <= before);
}

/* One user, who is not privileged, leaves a quarter of a namespace's queues to others. */
static int makes_two(void *arg)
{
	mqd_t first, second;

	(void)arg;
	if (become(&other))
		return 1;
	first = kipc_mq_open("/first", O_CREAT | O_RDWR, 0600, NULL);
	second = kipc_mq_open("/second", O_CREAT | O_RDWR, 0600, NULL);
	if (first < 0 || second < 0)
		return 2;
	if (kipc_mq_open("/third", O_CREAT | O_RDWR, 0600, NULL) >= 0 || errno != ENOSPC)
		return 3;
	return kipc_mq_unlink("/first") || kipc_mq_unlink("/second") ? 4 : 0;
}

TEST_F(extension, left_to_others)
{
	struct peer *p = &self->p;
	char name[] = "/q0";
	mqd_t q;
	int its[6], i;

	ASSERT_EQ(0, write_text("/proc/kipc/sys/queues_max", "8"));
	ASSERT_EQ(0, peer_become(p, &alice));
	for (i = 0; i < 6; i++, name[2]++) {
		its[i] = peer_open(p, &posix_kipc, name, O_CREAT | O_RDWR, 0600, 1, 4);
		ASSERT_LE(0, its[i]);
	}
	EXPECT_ERR(ENOSPC, peer_open(p, &posix_kipc, name, O_CREAT | O_RDWR, 0600, 1, 4));
	EXPECT_EQ(0, in_child(makes_two, NULL));
	/* What has lost its name counts until it is closed. */
	EXPECT_EQ(0, kipc_mq_unlink("/q0"));
	EXPECT_ERR(ENOSPC, peer_open(p, &posix_kipc, name, O_CREAT | O_RDWR, 0600, 1, 4));
	EXPECT_EQ(0, peer_run(p, do_close, (long)&posix_kipc, its[0], 0, 0, 0));
	EXPECT_LE(0, peer_open(p, &posix_kipc, name, O_CREAT | O_RDWR, 0600, 1, 4));
	/* Whoever is privileged has no part, and no bound. */
	for (i = 0; i < 8; i++) {
		q = kipc_mq_open("/root", O_CREAT | O_RDWR, 0600, NULL);
		EXPECT_LE(0, q);
		EXPECT_EQ(0, kipc_mq_unlink("/root"));
	}
	for (i = 1; i < 7; i++) {
		name[2] = '0' + i;
		EXPECT_EQ(0, kipc_mq_unlink(name));
	}
}

static int sees_nothing(void *arg)
{
	char line[512];
	long size = -1;
	FILE *f;

	(void)arg;
	if (become(&other))
		return 1;
	f = fopen("/proc/kipc/names", "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "pmq", 3) && sscanf(line, "pmq %*d %*u %*o %ld", &size) != 1)
			return 2;
	return size ? 3 : 0;
}

/* The listing tells how many messages there are and who waits. */
TEST_F(extension, listed)
{
	mqd_t q = open_numbers(&posix_kipc, "/list ed", O_RDWR, 3);
	char line[512], name[64] = "";
	unsigned int waiters = 77;
	unsigned long users = 0;
	long size = -1;
	int its;
	FILE *f;

	ASSERT_LE(0, q);
	its = peer_open(&self->p, &posix_kipc, "/list ed", O_RDWR, 0, 0, 0);
	ASSERT_EQ(0, peer_taking(&self->p, &posix_kipc, its));
	f = fopen("/proc/kipc/names", "re");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "pmq", 3))
			EXPECT_EQ(4, sscanf(line, "pmq %*d %*u %*o %ld %lu %u %*u %*d %*s %63s", &size,
					    &users, &waiters, name));
	fclose(f);
	EXPECT_EQ(0, size);
	EXPECT_EQ(2, users);
	EXPECT_EQ(1, waiters);
	EXPECT_EQ(0, strcmp("/list\\040ed", name));
	/* Who may not read it is not told what is in it. */
	EXPECT_EQ(0, put(&posix_kipc, q, 1, 0));
	EXPECT_EQ(1, peer_finish(&self->p));
	EXPECT_EQ(0, put(&posix_kipc, q, 1, 0));
	EXPECT_EQ(0, in_child(sees_nothing, NULL));
	EXPECT_EQ(1, take(&posix_kipc, q));
	ASSERT_EQ(0, peer_taking(&self->p, &posix_kipc, its));
	EXPECT_EQ(0, put(&posix_kipc, q, 1, 0));
	EXPECT_EQ(1, peer_finish(&self->p));
	EXPECT_EQ(0, kipc_mq_unlink("/list ed"));
	EXPECT_EQ(0, kipc_mq_close(q));
}

TEST_HARNESS_MAIN

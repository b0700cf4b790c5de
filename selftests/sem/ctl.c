// SPDX-License-Identifier: GPL-2.0
/* semctl(2): every command, what it returns, what it writes, what it refuses first. */
#include "common/harness.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define KEY	0x4711
#define IPC_64	0x0100

IPC_FIXTURE(ctl)

static const struct who user = { .name = "user", .uid = 1000, .gid = 1000, .group = -1 };

TEST_F(ctl, setval)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(1, 2, 3), 0600);

	ASSERT_LE(0, id);
	EXPECT_EQ(0, sem_setval(ipc, id, 1, 0));
	EXPECT_EQ(0, sem_val(ipc, id, 1));
	EXPECT_EQ(0, sem_setval(ipc, id, 1, SEMVMX));
	EXPECT_EQ(SEMVMX, sem_val(ipc, id, 1));
	EXPECT_EQ(1, sem_val(ipc, id, 0));
	EXPECT_EQ(3, sem_val(ipc, id, 2));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 1, SEMVMX + 1));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 1, -1));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 1, INT_MIN));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 1, INT_MAX));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 1, 0x10000));
	EXPECT_EQ(SEMVMX, sem_val(ipc, id, 1));
	/* The value is an int, whatever else is in the union. */
	EXPECT_EQ(0, ipc->semctl(id, 1, SETVAL, (union semun){ .word = 0xdeadbeef00000007 }));
	EXPECT_EQ(7, sem_val(ipc, id, 1));
}

/* Whoever sets a value is the last process, and sets ctime, not otime. */
TEST_F(ctl, set_stamps)
{
	const struct ipc *ipc = variant->ipc;
	static const unsigned short vals[3] = { 4, 5, 6 };
	int id = ipc->semget(IPC_PRIVATE, 3, 0600);
	struct semid_ds ds;
	struct peer p;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	wait_until(stamp_now() > ds.sem_ctime);
	start = stamp_now();
	EXPECT_EQ(0, peer_semctl(&p, ipc, id, 1, SETVAL, 0));
	EXPECT_EQ(0, sem_pid(ipc, id, 0));
	EXPECT_EQ(p.pid, sem_pid(ipc, id, 1));
	EXPECT_EQ(0, sem_pid(ipc, id, 2));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_ctime);
	EXPECT_GE(stamp_now(), ds.sem_ctime);
	EXPECT_EQ(0, ds.sem_otime);
	wait_until(stamp_now() > ds.sem_ctime);
	start = stamp_now();
	EXPECT_EQ(0, sem_setall(ipc, id, vals));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 1));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 2));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LE(start, ds.sem_ctime);
	EXPECT_EQ(0, ds.sem_otime);
	/* What is refused stamps nothing. */
	EXPECT_ERR(ERANGE, peer_semctl(&p, ipc, id, 0, SETVAL, -1));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	peer_end(&p, 0);
}

/* The semaphore's number: looked at where it means something. */
TEST_F(ctl, numbers)
{
	const struct ipc *ipc = variant->ipc;
	static const int cmds[] = { GETVAL, GETPID, GETNCNT, GETZCNT };
	static const int bad[] = { -1, 3, 4, 65536, 1 << 30, INT_MAX, INT_MIN };
	int id = sem_new(ipc, SEMS(1, 2, 3), 0600);
	unsigned short vals[3];
	struct seminfo info;
	struct semid_ds ds;
	unsigned int i, c;

	ASSERT_LE(0, id);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (c = 0; c < ARRAY_SIZE(cmds); c++)
			EXPECT_ERR(EINVAL, ipc->semctl(id, bad[i], cmds[c]));
		EXPECT_ERR(EINVAL, sem_setval(ipc, id, bad[i], 1));
		EXPECT_EQ(0, ipc->semctl(id, bad[i], GETALL, (union semun){ .array = vals }));
		EXPECT_EQ(0, ipc->semctl(id, bad[i], SETALL, (union semun){ .array = vals }));
		EXPECT_EQ(0, ipc->semctl(id, bad[i], IPC_STAT, (union semun){ .buf = &ds }));
		EXPECT_EQ(0, ipc->semctl(id, bad[i], IPC_SET, (union semun){ .buf = &ds }));
		EXPECT_EQ(id, ipc->semctl(id, bad[i], SEM_STAT, (union semun){ .buf = &ds }));
		EXPECT_LE(0, ipc->semctl(id, bad[i], SEM_INFO, (union semun){ .info = &info }));
	}
	EXPECT_EQ(1, vals[0]);
	EXPECT_EQ(3, sem_val(ipc, id, 2));
	EXPECT_EQ(0, ipc->semctl(id, -77, IPC_RMID));
}

TEST_F(ctl, all_values)
{
	const struct ipc *ipc = variant->ipc;
	static const int sizes[] = { 1, 2, 255, 256, 257, 3000 };
	unsigned short v[3001], w[3001];
	unsigned int s;
	int i;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		int n = sizes[s], id = ipc->semget(IPC_PRIVATE, n, 0600);

		ASSERT_LE(0, id);
		for (i = 0; i < n; i++)
			v[i] = SEMVMX - i;
		ASSERT_EQ(0, sem_setall(ipc, id, v));
		memset(w, POISON, sizeof(w));
		ASSERT_EQ(0, sem_getall(ipc, id, w));
		EXPECT_EQ(0, memcmp(v, w, n * sizeof(*v)));
		/* Nothing beyond. */
		EXPECT_EQ(POISON << 8 | POISON, w[n]);
		/* One that is too high, wherever: nothing is set. */
		for (i = 0; i < n; i += n / 5 + 1) {
			memset(w, 0, sizeof(w));
			w[i] = SEMVMX + 1;
			EXPECT_ERR(ERANGE, sem_setall(ipc, id, w));
			w[i] = USHRT_MAX;
			EXPECT_ERR(ERANGE, sem_setall(ipc, id, w));
		}
		ASSERT_EQ(0, sem_getall(ipc, id, w));
		EXPECT_EQ(0, memcmp(v, w, n * sizeof(*v)));
	}
}

/* IPC_STAT writes the whole structure, what has no meaning as zero. */
TEST_F(ctl, stat)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(KEY, 7, IPC_CREAT | 0640);
	struct semid_ds ds, want;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	memset(&want, 0, sizeof(want));
	want.sem_perm.__key = KEY;
	want.sem_perm.mode = 0640;
	want.sem_perm.__seq = ds.sem_perm.__seq;
	want.sem_nsems = 7;
	want.sem_ctime = ds.sem_ctime;
	EXPECT_EQ(0, memcmp(&want, &ds, sizeof(ds)));
	EXPECT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_GE(stamp_now(), ds.sem_ctime);
	EXPECT_LE(stamp_now() - 60, ds.sem_ctime);
}

TEST_F(ctl, stat_by_index)
{
	const struct ipc *ipc = variant->ipc;
	struct semid_ds ds, want;
	union semun u = { .buf = &ds };
	struct peer p;
	int id[3], i;

	for (i = 0; i < 3; i++) {
		id[i] = ipc->semget(KEY + i, i + 1, IPC_CREAT | 0600);
		ASSERT_EQ(i, id[i]);
	}
	ASSERT_EQ(0, sem_rmid(ipc, id[1]));
	for (i = 0; i < 3; i += 2) {
		memset(&ds, POISON, sizeof(ds));
		EXPECT_EQ(id[i], ipc->semctl(i, 0, SEM_STAT, u));
		ASSERT_EQ(0, sem_stat(ipc, id[i], &want));
		EXPECT_EQ(0, memcmp(&want, &ds, sizeof(ds)));
		memset(&ds, POISON, sizeof(ds));
		EXPECT_EQ(id[i], ipc->semctl(i, 0, SEM_STAT_ANY, u));
		EXPECT_EQ(0, memcmp(&want, &ds, sizeof(ds)));
	}
	EXPECT_ERR(EINVAL, ipc->semctl(1, 0, SEM_STAT, u));
	EXPECT_ERR(EINVAL, ipc->semctl(1, 0, SEM_STAT_ANY, u));
	EXPECT_ERR(EINVAL, ipc->semctl(3, 0, SEM_STAT, u));
	EXPECT_ERR(EINVAL, ipc->semctl(-1, 0, SEM_STAT, u));
	EXPECT_ERR(EINVAL, ipc->semctl(INT_MAX, 0, SEM_STAT_ANY, u));
	/* One asks for the right to read, the other does not. */
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, 0, 0, IPC_STAT, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, 0, 0, SEM_STAT, 0));
	EXPECT_ERR(EFAULT, peer_semctl(&p, ipc, 0, 0, SEM_STAT_ANY, 0));
	peer_end(&p, 0);
}

TEST_F(ctl, set)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(KEY, 2, IPC_CREAT | 0600);
	struct semid_ds ds, now, before;
	time_t start;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, semop1(ipc, id, 0, 3, 0));
	ASSERT_EQ(0, sem_stat(ipc, id, &before));
	wait_until(stamp_now() > before.sem_ctime && stamp_now() > before.sem_otime);
	start = stamp_now();
	/* Three fields count; the rest may hold anything. */
	memset(&ds, POISON, sizeof(ds));
	ds.sem_perm.uid = 1234567;
	ds.sem_perm.gid = 7654321;
	ds.sem_perm.mode = 0xfe00 | 0421;
	ASSERT_EQ(0, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	ASSERT_EQ(0, sem_stat(ipc, id, &now));
	EXPECT_EQ(1234567, now.sem_perm.uid);
	EXPECT_EQ(7654321, now.sem_perm.gid);
	EXPECT_EQ(0, now.sem_perm.cuid);
	EXPECT_EQ(0, now.sem_perm.cgid);
	EXPECT_EQ(0421, now.sem_perm.mode);
	EXPECT_EQ(KEY, now.sem_perm.__key);
	EXPECT_EQ(2, now.sem_nsems);
	EXPECT_EQ(before.sem_otime, now.sem_otime);
	EXPECT_LE(start, now.sem_ctime);
	EXPECT_GE(stamp_now(), now.sem_ctime);
	EXPECT_EQ(3, sem_val(ipc, id, 0));
	EXPECT_EQ(getpid(), sem_pid(ipc, id, 0));
	EXPECT_EQ(0, sem_pid(ipc, id, 1));
	/* No such user. */
	ds.sem_perm.uid = -1;
	EXPECT_ERR(EINVAL, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	ds.sem_perm.uid = 5;
	ds.sem_perm.gid = -1;
	EXPECT_ERR(EINVAL, ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_EQ(0, memcmp(&ds, &now, sizeof(ds)));
}

TEST_F(ctl, remove)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(KEY, 2, IPC_CREAT | 0600), other;
	struct semid_ds ds;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, sem_rmid(ipc, id));
	EXPECT_ERR(EINVAL, sem_rmid(ipc, id));
	EXPECT_ERR(EINVAL, sem_stat(ipc, id, &ds));
	EXPECT_ERR(EINVAL, sem_val(ipc, id, 0));
	EXPECT_ERR(EINVAL, semop1(ipc, id, 0, 1, 0));
	EXPECT_ERR(ENOENT, ipc->semget(KEY, 0, 0));
	other = ipc->semget(KEY, 9, IPC_CREAT | IPC_EXCL | 0600);
	ASSERT_LE(0, other);
	EXPECT_NE(id, other);
	EXPECT_ERR(EINVAL, sem_rmid(ipc, id));
	EXPECT_EQ(other, ipc->semget(KEY, 0, 0));
	/* With values, with undo values: there is nothing that keeps it. */
	ASSERT_EQ(0, semop1(ipc, other, 8, 5, SEM_UNDO));
	EXPECT_EQ(0, sem_rmid(ipc, other));
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

TEST_F(ctl, info)
{
	const struct ipc *ipc = variant->ipc;
	struct seminfo info, want = {
		.semmap = 1024000000, .semmni = 32000, .semmns = 1024000000, .semmnu = 1024000000,
		.semmsl = 32000, .semopm = 500, .semume = 500, .semusz = 20, .semvmx = SEMVMX,
		.semaem = SEMAEM,
	};
	union semun u = { .info = &info };
	int id[3];

	memset(&info, POISON, sizeof(info));
	EXPECT_EQ(0, ipc->semctl(0, 0, IPC_INFO, u));
	EXPECT_EQ(0, memcmp(&want, &info, sizeof(info)));
	memset(&info, POISON, sizeof(info));
	want.semusz = want.semaem = 0;
	EXPECT_EQ(0, ipc->semctl(0, 0, SEM_INFO, u));
	EXPECT_EQ(0, memcmp(&want, &info, sizeof(info)));
	id[0] = ipc->semget(IPC_PRIVATE, 1, 0);
	id[1] = ipc->semget(IPC_PRIVATE, 20, 0);
	id[2] = ipc->semget(IPC_PRIVATE, 300, 0);
	ASSERT_LE(0, id[2]);
	/* What is used: sets, and semaphores. */
	EXPECT_EQ(2, ipc->semctl(0, 0, SEM_INFO, u));
	EXPECT_EQ(3, info.semusz);
	EXPECT_EQ(321, info.semaem);
	ASSERT_EQ(0, sem_rmid(ipc, id[1]));
	EXPECT_EQ(2, ipc->semctl(12345, 0, SEM_INFO, u));
	EXPECT_EQ(2, info.semusz);
	EXPECT_EQ(301, info.semaem);
	EXPECT_EQ(2, ipc->semctl(12345, 0, IPC_INFO, u));
	EXPECT_EQ(20, info.semusz);
	EXPECT_EQ(SEMAEM, info.semaem);
	/* The limits are those in force. */
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMSL_LIMIT, 11));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNS_LIMIT, 22));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMOPM_LIMIT, 33));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNI_LIMIT, 44));
	EXPECT_EQ(2, ipc->semctl(0, 0, IPC_INFO, u));
	want = (struct seminfo){
		.semmap = 1024000000, .semmni = 44, .semmns = 22, .semmnu = 1024000000,
		.semmsl = 11, .semopm = 33, .semume = 500, .semusz = 20, .semvmx = SEMVMX,
		.semaem = SEMAEM,
	};
	EXPECT_EQ(0, memcmp(&want, &info, sizeof(info)));
	/* Open to all, but not by an id below zero. */
	EXPECT_ERR(EINVAL, ipc->semctl(-1, 0, IPC_INFO, u));
	EXPECT_ERR(EINVAL, ipc->semctl(-1, 0, SEM_INFO, u));
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	EXPECT_EQ(2, ipc->semctl(0, 0, SEM_INFO, u));
	ASSERT_EQ(0, setresuid(-1, 0, -1));
}

/* Which of two mistakes is told first. */
TEST_F(ctl, order_of_checks)
{
	const struct ipc *ipc = variant->ipc;
	static const unsigned short high[2] = { 0, SEMVMX + 1 };
	int id = sem_new(ipc, SEMS(1, 2), 0600);
	struct semid_ds ds = {};
	struct peer p;

	ASSERT_LE(0, id);
	/* SETVAL: an id below zero, the value, the id, the number, the right. */
	EXPECT_ERR(EINVAL, sem_setval(ipc, -1, 0, -1));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id + 1, 0, -1));
	EXPECT_ERR(ERANGE, sem_setval(ipc, id, 2, SEMVMX + 1));
	EXPECT_ERR(EINVAL, sem_setval(ipc, id, 2, 1));
	/* SETALL, GETALL: the id, the right, the array, the values. */
	EXPECT_ERR(EINVAL, sem_setall(ipc, id + 1, NULL));
	EXPECT_ERR(EFAULT, sem_setall(ipc, id, NULL));
	EXPECT_ERR(ERANGE, sem_setall(ipc, id, high));
	EXPECT_ERR(EINVAL, sem_getall(ipc, id + 1, NULL));
	EXPECT_ERR(EFAULT, sem_getall(ipc, id, NULL));
	/* IPC_STAT: the id, then the buffer; IPC_SET: the other way round. */
	EXPECT_ERR(EINVAL, ipc->semctl(id + 1, 0, IPC_STAT, (union semun){ .buf = NULL }));
	EXPECT_ERR(EFAULT, ipc->semctl(id, 0, IPC_STAT, (union semun){ .buf = NULL }));
	EXPECT_ERR(EFAULT, ipc->semctl(id + 1, 0, IPC_SET, (union semun){ .buf = NULL }));
	EXPECT_ERR(EINVAL, ipc->semctl(-1, 0, IPC_SET, (union semun){ .buf = NULL }));
	EXPECT_ERR(EINVAL, ipc->semctl(id + 1, 0, SEM_STAT, (union semun){ .buf = NULL }));
	EXPECT_ERR(EFAULT, ipc->semctl(id, 0, IPC_INFO, (union semun){ .buf = NULL }));
	/* And where there is no right. */
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_become(&p, &user));
	EXPECT_ERR(ERANGE, peer_semctl(&p, ipc, id, 0, SETVAL, -1));
	EXPECT_ERR(EINVAL, peer_semctl(&p, ipc, id, 2, SETVAL, 1));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 1, SETVAL, 1));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 0, SETALL, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 0, GETALL, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 2, GETVAL, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, -1, GETZCNT, 0));
	EXPECT_ERR(EACCES, peer_semctl(&p, ipc, id, 0, IPC_STAT, 0));
	EXPECT_ERR(EFAULT, peer_semctl(&p, ipc, id, 0, IPC_SET, 0));
	ds.sem_perm.uid = -1;
	EXPECT_ERR(EPERM, peer_sem_set(&p, ipc, id, &ds));
	EXPECT_ERR(EPERM, peer_semctl(&p, ipc, id, 0, IPC_RMID, 0));
	peer_end(&p, 0);
	EXPECT_EQ(1, sem_val(ipc, id, 0));
}

/* Commands that there are not, with all bits that could be taken for something. */
TEST_F(ctl, bad_commands)
{
	const struct ipc *ipc = variant->ipc;
	static const int good[] = { IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO, GETPID, GETVAL, GETALL,
				    GETNCNT, GETZCNT, SETVAL, SETALL, SEM_STAT, SEM_INFO,
				    SEM_STAT_ANY };
	static unsigned char buf[4096];
	int id = sem_new(ipc, SEMS(5), 0600), cmd, bit;
	union semun u = { .buf = (void *)buf };
	unsigned int i;

	ASSERT_LE(0, id);
	for (cmd = -3; cmd < 300; cmd++) {
		bool skip = false;

		for (i = 0; i < ARRAY_SIZE(good); i++)
			skip |= cmd == good[i];
		if (skip)
			continue;
		EXPECT_ERR(EINVAL, ipc->semctl(id, 0, cmd, u));
	}
	for (i = 0; i < ARRAY_SIZE(good); i++)
		for (bit = 8; bit < 32; bit++)
			EXPECT_ERR(EINVAL, ipc->semctl(id, 0, good[i] | 1u << bit, u));
	EXPECT_ERR(EINVAL, ipc->semctl(-1, 0, 77, u));
	EXPECT_EQ(5, sem_val(ipc, id, 0));
}

/* A reader of the values sees an array's operations as one. */
TEST_F(ctl, getall_is_atomic)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(100, 100, 100, 100), 0600), i, status;
	unsigned short v[4];
	pid_t pid;

	ASSERT_LE(0, id);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < 3000; i++)
			if (ipc->semop(id, SOPS({ i % 4, -1, 0 }, { (i + 1) % 4, 1, 0 })))
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < 3000; i++) {
		ASSERT_EQ(0, sem_getall(ipc, id, v));
		ASSERT_EQ(400, v[0] + v[1] + v[2] + v[3]);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/*
 * The kernel itself, without the C library in between: 64-bit callers have no IPC_64, and
 * the number of a command is all of it.
 */
TEST(native_system_call)
{
	struct semid_ds ds;
	int id;

	skip_unless_wanted("native");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	id = semget(IPC_PRIVATE, 1, 0600);
	ASSERT_LE(0, id);
	EXPECT_ERR(EINVAL, syscall(SYS_semctl, id, 0, IPC_STAT | IPC_64, &ds));
	EXPECT_ERR(EINVAL, syscall(SYS_semctl, id, 0, 77, &ds));
	EXPECT_EQ(0, syscall(SYS_semctl, id, 0, IPC_STAT, &ds));
}

TEST_HARNESS_MAIN

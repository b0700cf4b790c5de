// SPDX-License-Identifier: GPL-2.0
/* SEMMSL, SEMMNS, SEMOPM, SEMMNI: their defaults, their ranges, what they refuse. */
#include "common/harness.h"
#include "common/mem.h"

#include <fcntl.h>
#include <kipc.h>
#include <limits.h>

IPC_FIXTURE(limits)

static const char *const names[] = { "sem", "sem_next_id" };

TEST_F(limits, defaults)
{
	const struct ipc *ipc = variant->ipc;
	long v[SEM_LIMITS];

	ASSERT_EQ(0, sem_limits_get(ipc, v));
	EXPECT_EQ(32000, v[SEMMSL_LIMIT]);
	EXPECT_EQ(1024000000, v[SEMMNS_LIMIT]);
	EXPECT_EQ(500, v[SEMOPM_LIMIT]);
	EXPECT_EQ(32000, v[SEMMNI_LIMIT]);
	EXPECT_EQ(-1, ipc_limit_get(ipc, "sem_next_id"));
}

TEST_F(limits, semmsl)
{
	const struct ipc *ipc = variant->ipc;
	int old = ipc->semget(1, 20, IPC_CREAT | 0600);

	ASSERT_LE(0, old);
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMSL_LIMIT, 10));
	EXPECT_LE(0, ipc->semget(2, 10, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(3, 11, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(IPC_PRIVATE, 11, 0600));
	/* A bigger one that is there stays as it is, but may not be asked for by its size. */
	EXPECT_ERR(EINVAL, ipc->semget(1, 20, 0600));
	EXPECT_EQ(old, ipc->semget(1, 10, 0600));
	EXPECT_EQ(old, ipc->semget(1, 0, 0600));
	EXPECT_EQ(0, semop1(ipc, old, 19, 1, 0));
	EXPECT_EQ(1, sem_val(ipc, old, 19));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMSL_LIMIT, 0));
	EXPECT_ERR(EINVAL, ipc->semget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(old, ipc->semget(1, 0, 0600));
	/* More than the default. */
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMSL_LIMIT, 40000));
	old = ipc->semget(IPC_PRIVATE, 40000, 0600);
	ASSERT_LE(0, old);
	EXPECT_EQ(0, semop1(ipc, old, 39999, 1, SEM_UNDO));
	EXPECT_EQ(1, sem_val(ipc, old, 39999));
	EXPECT_EQ(3, sem_rows(ipc, NULL, 0));
}

/* Of all sets; given back by their removal. */
TEST_F(limits, semmns)
{
	const struct ipc *ipc = variant->ipc;
	struct seminfo info;
	int a, b, c;

	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNS_LIMIT, 10));
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 11, 0600));
	a = ipc->semget(1, 6, IPC_CREAT | 0600);
	ASSERT_LE(0, a);
	EXPECT_ERR(ENOSPC, ipc->semget(2, 5, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->semget(2, 0, IPC_CREAT | 0600));
	b = ipc->semget(2, 4, IPC_CREAT | 0600);
	ASSERT_LE(0, b);
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(a, ipc->semget(1, 6, IPC_CREAT | 0600));
	EXPECT_EQ(1, ipc->semctl(0, 0, SEM_INFO, (union semun){ .info = &info }));
	EXPECT_EQ(10, info.semaem);
	ASSERT_EQ(0, sem_rmid(ipc, a));
	/* Below what is in use: nothing goes, nothing comes. */
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNS_LIMIT, 3));
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNS_LIMIT, 6));
	c = ipc->semget(IPC_PRIVATE, 2, 0600);
	EXPECT_LE(0, c);
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, sem_rmid(ipc, b));
	ASSERT_EQ(0, sem_rmid(ipc, c));
	EXPECT_LE(0, ipc->semget(IPC_PRIVATE, 6, 0600));
}

/* A creation that fails later gives its semaphores back. */
TEST_F(limits, semmns_after_failure)
{
	const struct ipc *ipc = variant->ipc;
	struct seminfo info;
	int i;

	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNI_LIMIT, 1));
	ASSERT_LE(0, ipc->semget(IPC_PRIVATE, 3, 0600));
	for (i = 0; i < 10; i++)
		EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 100, 0600));
	EXPECT_EQ(0, ipc->semctl(0, 0, SEM_INFO, (union semun){ .info = &info }));
	EXPECT_EQ(1, info.semusz);
	EXPECT_EQ(3, info.semaem);
}

TEST_F(limits, semopm)
{
	const struct ipc *ipc = variant->ipc;
	int id = sem_new(ipc, SEMS(0), 0600), i;
	struct sembuf sops[1200];

	ASSERT_LE(0, id);
	for (i = 0; i < 1200; i++)
		sops[i] = (struct sembuf){ 0, 1, 0 };
	EXPECT_ERR(E2BIG, ipc->semop(id, sops, 501));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMOPM_LIMIT, 1200));
	EXPECT_EQ(0, ipc->semop(id, sops, 1200));
	EXPECT_EQ(1200, sem_val(ipc, id, 0));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMOPM_LIMIT, 2));
	EXPECT_EQ(0, ipc->semop(id, sops, 2));
	EXPECT_ERR(E2BIG, ipc->semop(id, sops, 3));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMOPM_LIMIT, 0));
	EXPECT_ERR(E2BIG, ipc->semop(id, sops, 1));
	EXPECT_ERR(EINVAL, ipc->semop(id, sops, 0));
	EXPECT_EQ(1202, sem_val(ipc, id, 0));
}

TEST_F(limits, semmni)
{
	const struct ipc *ipc = variant->ipc;
	int id[6], i;

	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNI_LIMIT, 5));
	for (i = 0; i < 5; i++) {
		id[i] = ipc->semget(100 + i, 1, IPC_CREAT | 0600);
		ASSERT_LE(0, id[i]);
	}
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	EXPECT_ERR(ENOSPC, ipc->semget(105, 1, IPC_CREAT | 0600));
	EXPECT_ERR(ENOENT, ipc->semget(105, 1, 0600));
	EXPECT_EQ(id[2], ipc->semget(102, 1, IPC_CREAT | 0600));
	/* Segments are not counted. */
	EXPECT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_EQ(0, sem_rmid(ipc, id[2]));
	id[5] = ipc->semget(105, 1, IPC_CREAT | 0600);
	EXPECT_LE(0, id[5]);
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	/* Below what is in use: nothing goes, nothing comes. */
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNI_LIMIT, 2));
	EXPECT_EQ(5, sem_rows(ipc, NULL, 0));
	EXPECT_EQ(id[5], ipc->semget(105, 1, IPC_CREAT | 0600));
	ASSERT_EQ(0, sem_rmid(ipc, id[0]));
	ASSERT_EQ(0, sem_rmid(ipc, id[1]));
	ASSERT_EQ(0, sem_rmid(ipc, id[3]));
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, sem_rmid(ipc, id[4]));
	EXPECT_LE(0, ipc->semget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNI_LIMIT, 0));
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
}

/* The default holds to the last one, and every id is another. */
TEST_F_TIMEOUT(limits, semmni_default, 200)
{
	enum { N = 32000 };
	const struct ipc *ipc = variant->ipc;
	static int id[N];
	int i;

	for (i = 0; i < N; i++) {
		id[i] = ipc->semget(1000 + i, 1, IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i])
			TH_LOG("number %d", i);
	}
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	for (i = 0; i < N; i += 17)
		EXPECT_EQ(id[i], ipc->semget(1000 + i, 0, 0));
	for (i = 0; i < N; i++)
		ASSERT_EQ(0, sem_rmid(ipc, id[i]));
	EXPECT_EQ(0, sem_rows(ipc, NULL, 0));
}

/* Each namespace has its own. */
TEST_F(limits, per_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int ns = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);
	long v[SEM_LIMITS];

	ASSERT_LE(0, ns);
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNI_LIMIT, 1));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMNS_LIMIT, 3));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMMSL_LIMIT, 2));
	ASSERT_EQ(0, sem_limit_set(ipc, SEMOPM_LIMIT, 7));
	ASSERT_LE(0, ipc->semget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, sem_limits_get(ipc, v));
	EXPECT_EQ(32000, v[SEMMNI_LIMIT]);
	EXPECT_EQ(500, v[SEMOPM_LIMIT]);
	EXPECT_LE(0, ipc->semget(IPC_PRIVATE, 9, 0600));
	EXPECT_LE(0, ipc->semget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, setns(ns, CLONE_NEWIPC));
	ASSERT_EQ(0, sem_limits_get(ipc, v));
	EXPECT_EQ(2, v[SEMMSL_LIMIT]);
	EXPECT_EQ(3, v[SEMMNS_LIMIT]);
	EXPECT_EQ(7, v[SEMOPM_LIMIT]);
	EXPECT_EQ(1, v[SEMMNI_LIMIT]);
	EXPECT_ERR(ENOSPC, ipc->semget(IPC_PRIVATE, 1, 0600));
	close(ns);
}

static int set_as_user(void *arg)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	const struct ipc *ipc = arg;
	long v[SEM_LIMITS];

	if (become(&user))
		return 1;
	if (sem_limits_get(ipc, v) || ipc_limit_get(ipc, "sem_next_id") == INT64_MIN)
		return 2;
	if (sem_limit_set(ipc, SEMMNI_LIMIT, 1) != -EACCES)
		return 3;
	return ipc_limit_set(ipc, "sem_next_id", 1) == -EACCES ? 0 : 4;
}

/* All may read, root may write. */
TEST_F(limits, permission)
{
	const struct ipc *ipc = variant->ipc;
	long v[SEM_LIMITS];

	EXPECT_EQ(0, in_child(set_as_user, (void *)ipc));
	ASSERT_EQ(0, sem_limits_get(ipc, v));
	EXPECT_EQ(32000, v[SEMMNI_LIMIT]);
	EXPECT_EQ(-1, ipc_limit_get(ipc, "sem_next_id"));
}

static int next_id_with_capability(void *arg)
{
	/* CAP_CHECKPOINT_RESTORE */
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1, .caps = 1ull << 40 };
	const struct ipc *ipc = arg;
	int ret;

	if (become(&user))
		return 1;
	/* The file of kipc's is root's; the call asks for the capability. */
	if (ipc == &ipc_kipc)
		ret = kipc_limit_set(KIPC_LIMIT_SEM_NEXT_ID, 55);
	else
		ret = ipc_limit_set(ipc, "sem_next_id", 55);
	if (ret)
		return 2;
	if (sem_limit_set(ipc, SEMMNI_LIMIT, 55) != -EACCES)
		return 3;
	return ipc->semget(IPC_PRIVATE, 1, 0600) == 55 ? 0 : 4;
}

TEST_F(limits, next_id_with_capability)
{
	EXPECT_EQ(0, in_child(next_id_with_capability, (void *)variant->ipc));
}

/*
 * One bad number of the four: the number of sets is looked at, the other three are taken
 * as they come, and kept though the whole is refused.
 */
TEST_F(limits, partly)
{
	const struct ipc *ipc = variant->ipc;
	long v[SEM_LIMITS];
	char path[128];

	snprintf(path, sizeof(path), "%s/sem", ipc->sysctl);
	ASSERT_EQ(0, write_text(path, "11 22 33 44\n"));
	EXPECT_EQ(-ERANGE, sem_limit_set(ipc, SEMMNI_LIMIT, -1));
	EXPECT_EQ(-ERANGE, sem_limit_set(ipc, SEMMNI_LIMIT, (1 << 24) + 1));
	EXPECT_EQ(-1, write_text(path, "1 2 3 -1\n"));
	ASSERT_EQ(0, sem_limits_get(ipc, v));
	EXPECT_EQ(1, v[SEMMSL_LIMIT]);
	EXPECT_EQ(2, v[SEMMNS_LIMIT]);
	EXPECT_EQ(3, v[SEMOPM_LIMIT]);
	EXPECT_EQ(44, v[SEMMNI_LIMIT]);
	/* The first few alone. */
	EXPECT_EQ(0, write_text(path, "77\n"));
	EXPECT_EQ(0, write_text(path, "\t88 99\n"));
	ASSERT_EQ(0, sem_limits_get(ipc, v));
	EXPECT_EQ(88, v[SEMMSL_LIMIT]);
	EXPECT_EQ(99, v[SEMMNS_LIMIT]);
	EXPECT_EQ(3, v[SEMOPM_LIMIT]);
	EXPECT_EQ(44, v[SEMMNI_LIMIT]);
}

/* Does it have a second word? */
static bool words(const char *text)
{
	text += strspn(text, " \t\n");
	text += strcspn(text, " \t\n");
	return text[strspn(text, " \t\n")];
}

/*
 * What is written and what is read, byte for byte; what is no number is refused.  Not
 * more numbers than the file has: natively they are read as those of a longer vector,
 * and lost.
 */
TEST(diff_texts)
{
	static const char *const texts[] = {
		"0", "1", "2", "4096", "-1", "-2", "2147483647", "2147483648", "4294967296",
		"16777216", "16777217", "18446744073709551615", "99999999999999999999999", "",
		"\n", " 7\n", "7x", "x", "0x10", "010", "+3", "- 4", "\t9", "32768",
		"1 2 3 4", "1 2 3 4\n", "1\t2\t3\t4\n", "  1  2  3  4  \n", "1 2 3", "1 2", "1 2 3 x",
		"1 2 x 4", "1 x", "5 6 7 16777216", "5 6 7 16777217", "5 6 7 -1",
		"5 6 7 99999999999", "-5 -6 -7 8", "9 99999999999 9 9",
		"2147483647 2147483647 2147483647 32000", "1\n2\n3\n4", "1,2,3,4", "0 0 0 0",
		"0x1 0x2 0x3 0x4",
	};
	unsigned int i, j, k;

	skip_unless_wanted("kipc");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		for (j = 0; j < ARRAY_SIZE(texts); j++) {
			const struct ipc *ipcs[2] = { &ipc_native, &ipc_kipc };
			long ret[2], err[2];
			char back[2][128];

			if (i && words(texts[j]))
				continue;
			for (k = 0; k < 2; k++) {
				char path[128];
				int fd, n;

				snprintf(path, sizeof(path), "%s/%s", ipcs[k]->sysctl, names[i]);
				/* Each from the same start. */
				ASSERT_EQ(0, write_text(path, i ? "3" : "91 92 93 94"));
				fd = open(path, O_RDWR | O_CLOEXEC);
				ASSERT_LE(0, fd)
					TH_LOG("%s", path);
				errno = 0;
				ret[k] = write(fd, texts[j], strlen(texts[j]));
				err[k] = errno;
				close(fd);
				fd = open(path, O_RDONLY | O_CLOEXEC);
				ASSERT_LE(0, fd);
				n = read(fd, back[k], sizeof(back[k]) - 1);
				ASSERT_LE(0, n);
				back[k][n] = '\0';
				/* The second read is the end. */
				EXPECT_EQ(0, read(fd, path, 1));
				close(fd);
			}
			EXPECT_EQ(err[0], err[1])
				TH_LOG("'%s' to %s: native %s, kipc %s", texts[j], names[i],
				       strerror(err[0]), strerror(err[1]));
			EXPECT_EQ(ret[0], ret[1])
				TH_LOG("'%s' to %s", texts[j], names[i]);
			EXPECT_STREQ(back[0], back[1])
				TH_LOG("'%s' to %s", texts[j], names[i]);
		}
}

TEST_HARNESS_MAIN

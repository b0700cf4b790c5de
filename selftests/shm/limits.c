// SPDX-License-Identifier: GPL-2.0
/* SHMMAX, SHMALL, SHMMNI: their defaults, their ranges, what they refuse. */
#include "common/harness.h"

#include <fcntl.h>
#include <kipc.h>
#include <limits.h>

IPC_FIXTURE(limits)

static const char *const names[] = { "shmmax", "shmall", "shmmni", "shm_rmid_forced",
				     "shm_next_id" };

TEST_F(limits, defaults)
{
	const struct ipc *ipc = variant->ipc;

	EXPECT_EQ((long long)(ULONG_MAX - (1 << 24)), ipc_limit_get(ipc, "shmmax"));
	EXPECT_EQ((long long)(ULONG_MAX - (1 << 24)), ipc_limit_get(ipc, "shmall"));
	EXPECT_EQ(4096, ipc_limit_get(ipc, "shmmni"));
	EXPECT_EQ(0, ipc_limit_get(ipc, "shm_rmid_forced"));
	EXPECT_EQ(-1, ipc_limit_get(ipc, "shm_next_id"));
}

TEST_F(limits, shmmax)
{
	const struct ipc *ipc = variant->ipc;
	int id, old = ipc->shmget(1, 20000, IPC_CREAT | 0600);

	ASSERT_LE(0, old);
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmax", 10000));
	id = ipc->shmget(2, 10000, IPC_CREAT | 0600);
	EXPECT_LE(0, id);
	EXPECT_ERR(EINVAL, ipc->shmget(3, 10001, IPC_CREAT | 0600));
	EXPECT_ERR(EINVAL, ipc->shmget(IPC_PRIVATE, 10001, 0600));
	EXPECT_ERR(ENOENT, ipc->shmget(3, 0, 0));
	/* A bigger one that is there already is none of its business. */
	EXPECT_EQ(old, ipc->shmget(1, 20000, 0600));
	EXPECT_NE(MAP_FAILED, ipc->shmat(old, NULL, 0));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmax", 0));
	EXPECT_ERR(EINVAL, ipc->shmget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(2, shm_rows(ipc, NULL, 0));
}

/* In pages, each segment rounded up; given back by the destruction. */
TEST_F(limits, shmall)
{
	const struct ipc *ipc = variant->ipc;
	int a, b, c;
	char *p;

	ASSERT_EQ(0, ipc_limit_set(ipc, "shmall", 10));
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, 10 * PAGE + 1, 0600));
	a = ipc->shmget(IPC_PRIVATE, 5 * PAGE + 1, 0600);
	ASSERT_LE(0, a);
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, 4 * PAGE + 1, 0600));
	b = ipc->shmget(IPC_PRIVATE, 4 * PAGE, 0600);
	ASSERT_LE(0, b);
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, 1, 0600));
	EXPECT_EQ(2, shm_rows(ipc, NULL, 0));
	/* Marked only: still counted. */
	p = ipc->shmat(a, NULL, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, ipc->shmctl(a, IPC_RMID, NULL));
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, ipc->shmdt(p));
	c = ipc->shmget(IPC_PRIVATE, 6 * PAGE, 0600);
	EXPECT_LE(0, c);
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, 1, 0600));
	ASSERT_EQ(0, ipc->shmctl(b, IPC_RMID, NULL));
	ASSERT_EQ(0, ipc->shmctl(c, IPC_RMID, NULL));
	EXPECT_LE(0, ipc->shmget(IPC_PRIVATE, 10 * PAGE, 0600));
	/* SHM_NORESERVE is no way round it. */
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, 1, SHM_NORESERVE | 0600));
}

/* A creation that fails later gives its pages back. */
TEST_F(limits, shmall_after_failure)
{
	const struct ipc *ipc = variant->ipc;
	struct shm_info info;
	int i;

	for (i = 0; i < 10; i++)
		EXPECT_ERR(ENOMEM, ipc->shmget(IPC_PRIVATE, 1ul << 60, 0600));
	ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	EXPECT_EQ(0, info.shm_tot);
	EXPECT_EQ(0, info.used_ids);
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmni", 1));
	ASSERT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	for (i = 0; i < 10; i++)
		EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ipc->shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
	EXPECT_EQ(1, info.shm_tot);
	EXPECT_EQ(1, info.used_ids);
}

TEST_F(limits, shmmni)
{
	const struct ipc *ipc = variant->ipc;
	int id[6], i;

	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmni", 5));
	for (i = 0; i < 5; i++) {
		id[i] = ipc->shmget(100 + i, PAGE, IPC_CREAT | 0600);
		ASSERT_LE(0, id[i]);
	}
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	EXPECT_ERR(ENOSPC, ipc->shmget(105, PAGE, IPC_CREAT | 0600));
	EXPECT_ERR(ENOENT, ipc->shmget(105, PAGE, 0600));
	EXPECT_EQ(id[2], ipc->shmget(102, PAGE, IPC_CREAT | 0600));
	ASSERT_EQ(0, ipc->shmctl(id[2], IPC_RMID, NULL));
	id[5] = ipc->shmget(105, PAGE, IPC_CREAT | 0600);
	EXPECT_LE(0, id[5]);
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	/* Below what is in use: nothing goes, nothing comes. */
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmni", 2));
	EXPECT_EQ(5, shm_rows(ipc, NULL, 0));
	EXPECT_EQ(id[5], ipc->shmget(105, PAGE, IPC_CREAT | 0600));
	ASSERT_EQ(0, ipc->shmctl(id[0], IPC_RMID, NULL));
	ASSERT_EQ(0, ipc->shmctl(id[1], IPC_RMID, NULL));
	ASSERT_EQ(0, ipc->shmctl(id[3], IPC_RMID, NULL));
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_EQ(0, ipc->shmctl(id[4], IPC_RMID, NULL));
	EXPECT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmni", 0));
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
}

/* The default holds to the last one: 4096, and every id is another. */
TEST_F(limits, shmmni_default)
{
	const struct ipc *ipc = variant->ipc;
	static int id[4096];
	int i;

	for (i = 0; i < 4096; i++) {
		id[i] = ipc->shmget(1000 + i, 1, IPC_CREAT | IPC_EXCL | 0600);
		ASSERT_LE(0, id[i])
			TH_LOG("number %d", i);
	}
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, 1, 0600));
	for (i = 0; i < 4096; i += 17)
		EXPECT_EQ(id[i], ipc->shmget(1000 + i, 0, 0));
	for (i = 0; i < 4096; i++)
		ASSERT_EQ(0, ipc->shmctl(id[i], IPC_RMID, NULL));
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
}

/* Each namespace has its own. */
TEST_F(limits, per_namespace)
{
	const struct ipc *ipc = variant->ipc;
	int ns = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, ns);
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmni", 1));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmall", 3));
	ASSERT_EQ(0, ipc_limit_set(ipc, "shmmax", 4097));
	ASSERT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_EQ(4096, ipc_limit_get(ipc, "shmmni"));
	EXPECT_LE(0, ipc->shmget(IPC_PRIVATE, 9 * PAGE, 0600));
	EXPECT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_EQ(0, setns(ns, CLONE_NEWIPC));
	EXPECT_EQ(1, ipc_limit_get(ipc, "shmmni"));
	EXPECT_EQ(3, ipc_limit_get(ipc, "shmall"));
	EXPECT_EQ(4097, ipc_limit_get(ipc, "shmmax"));
	EXPECT_ERR(ENOSPC, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	close(ns);
}

static int set_as_user(void *arg)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	const struct ipc *ipc = arg;
	unsigned int i;

	if (become(&user))
		return 1;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (ipc_limit_get(ipc, names[i]) == INT64_MIN)
			return 2;
		if (ipc_limit_set(ipc, names[i], 1) != -EACCES)
			return 3;
	}
	return 0;
}

/* All may read, root may write; CAP_CHECKPOINT_RESTORE is enough for the next id. */
TEST_F(limits, permission)
{
	const struct ipc *ipc = variant->ipc;

	EXPECT_EQ(0, in_child(set_as_user, (void *)ipc));
	EXPECT_EQ(4096, ipc_limit_get(ipc, "shmmni"));
	EXPECT_EQ(-1, ipc_limit_get(ipc, "shm_next_id"));
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
		ret = kipc_limit_set(KIPC_LIMIT_SHM_NEXT_ID, 55);
	else
		ret = ipc_limit_set(ipc, "shm_next_id", 55);
	if (ret)
		return 2;
	if (ipc_limit_set(ipc, "shmmni", 55) != -EACCES)
		return 3;
	return ipc->shmget(IPC_PRIVATE, PAGE, 0600) == 55 ? 0 : 4;
}

TEST_F(limits, next_id_with_capability)
{
	EXPECT_EQ(0, in_child(next_id_with_capability, (void *)variant->ipc));
}

/*
 * What is written and what is read, byte for byte; what is no number is refused.  One
 * number: natively a second one is read as that of a vector's next element, and lost.
 */
TEST(diff_texts)
{
	static const char *const texts[] = {
		"0", "1", "2", "4096", "4097", "-1", "-2", "2147483647", "2147483648", "4294967296",
		"16777216", "16777217", "18446744073709551615", "18446744073709551616",
		"99999999999999999999999", "", "\n", " 7\n", "7x", "x", "0x10", "010",
		"+3", "- 4", "\t9", "32768", "32769",
	};
	unsigned int i, j, k;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		for (j = 0; j < ARRAY_SIZE(texts); j++) {
			const struct ipc *ipcs[2] = { &ipc_native, &ipc_kipc };
			long ret[2], err[2];
			char back[2][64];

			for (k = 0; k < 2; k++) {
				char path[128];
				int fd, n;

				/* Each from the same start. */
				ipc_limit_set(ipcs[k], names[i], i == 3 ? 0 : 3);
				snprintf(path, sizeof(path), "%s/%s", ipcs[k]->sysctl, names[i]);
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
			EXPECT_STREQ(back[0], back[1]);
		}
}

TEST_HARNESS_MAIN

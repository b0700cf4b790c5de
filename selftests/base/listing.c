// SPDX-License-Identifier: GPL-2.0
/* The files of /proc/kipc: their formats, and that they are whole however read. */
#include "common/harness.h"
#include "common/device.h"

#include <kipc.h>
#include <time.h>

IPC_FIXTURE(listing)

#define BIG	(1 << 20)

static ssize_t read_all(const char *path, char *buf, size_t step)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, total = 0;

	if (fd < 0)
		return -1;
	while (total + (ssize_t)step < BIG && (n = read(fd, buf + total, step)) > 0)
		total += n;
	close(fd);
	buf[total] = '\0';
	return total;
}

/* The same segments on both: the same lines, but for the clock. */
TEST(diff_lines)
{
	static char n[BIG], o[BIG];
	struct shmid_ds ds;
	int i;

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LT(0, read_all("/proc/sysvipc/shm", n, 4096));
	ASSERT_LT(0, read_all("/proc/kipc/shm", o, 4096));
	EXPECT_STREQ(n, o);
	/* All within a second, or once more. */
	for (i = 0; i < 5; i++) {
		time_t start;
		char *a, *b;
		int k[4], l[4], j;

		start = time(NULL);
		for (j = 0; j < 4; j++) {
			k[j] = shmget(j - 1, (j + 1) * 5000, IPC_CREAT | 0600 | j);
			l[j] = ipc_kipc.shmget(j - 1, (j + 1) * 5000, IPC_CREAT | 0600 | j);
			ASSERT_LE(0, k[j]);
			ASSERT_LE(0, l[j]);
		}
		a = shmat(k[1], NULL, 0);
		b = ipc_kipc.shmat(l[1], NULL, 0);
		ASSERT_NE(MAP_FAILED, a);
		ASSERT_NE(MAP_FAILED, b);
		a[0] = b[0] = 1;
		a[5000] = b[5000] = 1;
		ASSERT_EQ(0, shmctl(k[2], SHM_LOCK, NULL));
		ASSERT_EQ(0, ipc_kipc.shmctl(l[2], SHM_LOCK, NULL));
		memset(&ds, 0, sizeof(ds));
		ds.shm_perm.uid = 1234567;
		ds.shm_perm.gid = 7;
		ds.shm_perm.mode = 0421;
		ASSERT_EQ(0, shmctl(k[3], IPC_SET, &ds));
		ASSERT_EQ(0, ipc_kipc.shmctl(l[3], IPC_SET, &ds));
		ASSERT_EQ(0, shmctl(k[1], IPC_RMID, NULL));
		ASSERT_EQ(0, ipc_kipc.shmctl(l[1], IPC_RMID, NULL));
		ASSERT_LT(0, read_all("/proc/sysvipc/shm", n, 4096));
		ASSERT_LT(0, read_all("/proc/kipc/shm", o, 4096));
		if (time(NULL) == start)
			break;
		shmdt(a);
		ipc_kipc.shmdt(b);
		for (j = 0; j < 4; j++) {
			shmctl(k[j], IPC_RMID, NULL);
			ipc_kipc.shmctl(l[j], IPC_RMID, NULL);
		}
	}
	ASSERT_LT(i, 5);
	EXPECT_STREQ(n, o);
}

/* The same sets on both: the same lines, but for the clock. */
TEST(diff_sem_lines)
{
	static char n[BIG], o[BIG];
	const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };
	struct semid_ds ds;
	int i, k;

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LT(0, read_all("/proc/sysvipc/sem", n, 4096));
	ASSERT_LT(0, read_all("/proc/kipc/sem", o, 4096));
	EXPECT_STREQ(n, o);
	/* All within a second, or once more. */
	for (i = 0; i < 5; i++) {
		time_t start = time(NULL);
		int id[2][4], j;

		for (k = 0; k < 2; k++) {
			for (j = 0; j < 4; j++) {
				id[k][j] = ipcs[k]->semget(j - 1, (j + 1) * 5000,
							   IPC_CREAT | 0600 | j);
				ASSERT_LE(0, id[k][j]);
			}
			ASSERT_EQ(0, semop1(ipcs[k], id[k][0], 0, 1, 0));
			ASSERT_EQ(0, semop1(ipcs[k], id[k][1], 4999, 1, SEM_UNDO));
			memset(&ds, 0, sizeof(ds));
			ds.sem_perm.uid = 1234567;
			ds.sem_perm.gid = 7;
			ds.sem_perm.mode = 0421;
			ASSERT_EQ(0, ipcs[k]->semctl(id[k][3], 0, IPC_SET,
						     (union semun){ .buf = &ds }));
			ASSERT_EQ(0, sem_setval(ipcs[k], id[k][3], 2, 9));
			ASSERT_EQ(0, sem_rmid(ipcs[k], id[k][2]));
		}
		ASSERT_LT(0, read_all("/proc/sysvipc/sem", n, 4096));
		ASSERT_LT(0, read_all("/proc/kipc/sem", o, 4096));
		if (time(NULL) == start)
			break;
		for (k = 0; k < 2; k++)
			for (j = 0; j < 4; j++)
				sem_rmid(ipcs[k], id[k][j]);
	}
	ASSERT_LT(i, 5);
	EXPECT_STREQ(n, o);
}

/* Byte by byte, in odd pieces, in one go: the same text. */
TEST_F(listing, pieces)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t steps[] = { 1, 7, 100, 4095, 65536 };
	static char whole[BIG], piece[BIG];
	unsigned int i;

	for (i = 0; i < 200; i++)
		ASSERT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_LT(0, read_all(ipc->listing, whole, BIG / 2));
	EXPECT_EQ(200, shm_rows(ipc, NULL, 0));
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		ASSERT_LT(0, read_all(ipc->listing, piece, steps[i]));
		EXPECT_EQ(0, strcmp(whole, piece))
			TH_LOG("in steps of %zu", steps[i]);
	}
}

TEST_F(listing, sem_pieces)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t steps[] = { 1, 7, 100, 4095, 65536 };
	static char whole[BIG], piece[BIG];
	struct sem_row row;
	unsigned int i;

	for (i = 0; i < 200; i++)
		ASSERT_LE(0, ipc->semget(IPC_PRIVATE, 1 + i, 0600));
	ASSERT_LT(0, read_all(ipc->sem_listing, whole, BIG / 2));
	EXPECT_EQ(200, sem_rows(ipc, NULL, 0));
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
	ASSERT_EQ(1, sem_row_find(ipc, 77, &row));
	EXPECT_EQ(78, row.nsems);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		ASSERT_LT(0, read_all(ipc->sem_listing, piece, steps[i]));
		EXPECT_EQ(0, strcmp(whole, piece))
			TH_LOG("in steps of %zu", steps[i]);
	}
}

/* Times of a set, as IPC_STAT tells them. */
TEST_F(listing, sem_times)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->semget(IPC_PRIVATE, 3, 0600);
	struct semid_ds ds;
	struct sem_row row;

	ASSERT_LE(0, id);
	ASSERT_EQ(1, sem_row_find(ipc, id, &row));
	EXPECT_EQ(0, row.otime);
	wait_until(time(NULL) > (time_t)row.ctime);
	ASSERT_EQ(0, semop1(ipc, id, 2, 1, 0));
	ASSERT_EQ(1, sem_row_find(ipc, id, &row));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LT(row.ctime, row.otime);
	EXPECT_EQ((unsigned long)ds.sem_otime, row.otime);
	EXPECT_EQ((unsigned long)ds.sem_ctime, row.ctime);
}

TEST_F(listing, rewind)
{
	const struct ipc *ipc = variant->ipc;
	char a[600], b[600];
	int fd, i;

	for (i = 0; i < 10; i++)
		ASSERT_LE(0, ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	fd = open(ipc->listing, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(a), read(fd, a, sizeof(a)));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	ASSERT_EQ(sizeof(b), read(fd, b, sizeof(b)));
	EXPECT_EQ(0, memcmp(a, b, sizeof(a)));
	ASSERT_EQ(100, pread(fd, b, 100, 300));
	EXPECT_EQ(0, memcmp(a + 300, b, 100));
	close(fd);
}

/* Segments that go and come while somebody reads: no line twice, none of the steady missing. */
TEST_F(listing, while_changing)
{
	enum { STEADY = 100 };
	const struct ipc *ipc = variant->ipc;
	int ids[2 * STEADY], seen[STEADY], i, fd, round;

	for (i = 0; i < 2 * STEADY; i++) {
		ids[i] = ipc->shmget(1 + i, PAGE, IPC_CREAT | 0600);
		ASSERT_LE(0, ids[i]);
	}
	for (round = 0; round < 3; round++) {
		static char text[BIG];
		char *line, *next = text;
		ssize_t n, total = 0;

		memset(seen, 0, sizeof(seen));
		fd = open(ipc->listing, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		for (i = 0; (n = read(fd, text + total, 500)) > 0; i++) {
			int v = STEADY + i % STEADY;

			total += n;
			/* One of the others goes, one comes. */
			ipc->shmctl(ids[v], IPC_RMID, NULL);
			ids[v] = ipc->shmget(1 + v, PAGE, IPC_CREAT | 0600);
			ASSERT_LE(0, ids[v]);
		}
		close(fd);
		text[total] = '\0';
		while ((line = strsep(&next, "\n"))) {
			int key, id;

			if (sscanf(line, "%d %d", &key, &id) == 2 && key >= 1 && key <= STEADY)
				seen[key - 1]++;
		}
		for (i = 0; i < STEADY; i++)
			EXPECT_EQ(1, seen[i]);
	}
}

/* The same with sets. */
TEST_F(listing, sem_while_changing)
{
	enum { STEADY = 100 };
	const struct ipc *ipc = variant->ipc;
	int ids[2 * STEADY], seen[STEADY], i, fd;
	static char text[BIG];
	char *line, *next = text;
	ssize_t n, total = 0;

	for (i = 0; i < 2 * STEADY; i++) {
		ids[i] = ipc->semget(1 + i, 1, IPC_CREAT | 0600);
		ASSERT_LE(0, ids[i]);
	}
	memset(seen, 0, sizeof(seen));
	fd = open(ipc->sem_listing, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (i = 0; (n = read(fd, text + total, 300)) > 0; i++) {
		int v = STEADY + i % STEADY;

		total += n;
		sem_rmid(ipc, ids[v]);
		ids[v] = ipc->semget(1 + v, 1, IPC_CREAT | 0600);
		ASSERT_LE(0, ids[v]);
	}
	close(fd);
	text[total] = '\0';
	while ((line = strsep(&next, "\n"))) {
		int key, id;

		if (sscanf(line, "%d %d", &key, &id) == 2 && key >= 1 && key <= STEADY)
			seen[key - 1]++;
	}
	for (i = 0; i < STEADY; i++)
		EXPECT_EQ(1, seen[i]);
}

/* A file opened in one namespace shows that one, wherever it is read. */
TEST_F(listing, of_the_opener)
{
	const struct ipc *ipc = variant->ipc;
	char text[4096];
	ssize_t n;
	int fd;

	ASSERT_LE(0, ipc->shmget(0x12345678, PAGE, IPC_CREAT | 0600));
	fd = open(ipc->listing, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	n = read(fd, text, sizeof(text) - 1);
	ASSERT_LT(0, n);
	text[n] = '\0';
	EXPECT_NE(NULL, strstr(text, "305419896"));
	EXPECT_EQ(0, shm_rows(ipc, NULL, 0));
	close(fd);
}

static int read_as_user(void *arg)
{
	static const struct who user = { .uid = 1000, .gid = 1000, .group = -1 };
	struct sem_row set;
	struct shm_row row;

	if (become(&user))
		return 1;
	if (shm_rows(arg, &row, 1) != 1 || row.mode != 0600 || row.uid)
		return 2;
	if (sem_rows(arg, &set, 1) != 1 || set.mode || set.nsems != 5)
		return 3;
	return access("/proc/kipc/ids", R_OK) && arg == &ipc_kipc ? 4 : 0;
}

/* Open to all, of objects of others too, as native's. */
TEST_F(listing, to_all)
{
	ASSERT_LE(0, variant->ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_LE(0, variant->ipc->semget(IPC_PRIVATE, 5, 0));
	EXPECT_EQ(0, in_child(read_as_user, (void *)variant->ipc));
}

TEST(ids)
{
	struct kipc_ids_row r;
	static char text[BIG];
	int id[3];

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LT(0, read_all("/proc/kipc/ids", text, 4096));
	*strchr(text, '\n') = '\0';
	{
		char words[8][16];

		ASSERT_EQ(8, sscanf(text, "%15s %15s %15s %15s %15s %15s %15s %15s", words[0],
				    words[1], words[2], words[3], words[4], words[5], words[6],
				    words[7]));
		EXPECT_STREQ("kind", words[0]);
		EXPECT_STREQ("in_use", words[1]);
		EXPECT_STREQ("max_idx", words[2]);
		EXPECT_STREQ("seq", words[3]);
		EXPECT_STREQ("next_id", words[4]);
		EXPECT_STREQ("limit", words[5]);
		EXPECT_STREQ("created", words[6]);
		EXPECT_STREQ("removed", words[7]);
	}
	r = kipc_ids_read("shm");
	EXPECT_EQ(0, r.in_use);
	EXPECT_EQ(-1, r.max_idx);
	EXPECT_EQ(0, r.seq);
	EXPECT_EQ(-1, r.next_id);
	EXPECT_EQ(4096, r.limit);
	EXPECT_EQ(0, r.created);
	EXPECT_EQ(0, r.removed);
	id[0] = ipc_kipc.shmget(1, PAGE, IPC_CREAT | 0600);
	id[1] = ipc_kipc.shmget(2, PAGE, IPC_CREAT | 0600);
	id[2] = ipc_kipc.shmget(3, PAGE, IPC_CREAT | 0600);
	ASSERT_LE(0, id[2]);
	EXPECT_EQ(-1, ipc_kipc.shmget(3, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_EQ(id[1], ipc_kipc.shmget(2, 0, IPC_CREAT));
	ASSERT_EQ(0, ipc_kipc.shmctl(id[0], IPC_RMID, NULL));
	ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, "shm_next_id", 4321));
	ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, "shmmni", 123));
	r = kipc_ids_read("shm");
	EXPECT_EQ(2, r.in_use);
	EXPECT_EQ(2, r.max_idx);
	EXPECT_EQ(4321, r.next_id);
	EXPECT_EQ(123, r.limit);
	EXPECT_EQ(3, r.created);
	EXPECT_EQ(1, r.removed);
}

TEST(sem_ids)
{
	struct kipc_ids_row r;
	int id[3];

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	r = kipc_ids_read("sem");
	EXPECT_EQ(0, r.in_use);
	EXPECT_EQ(-1, r.max_idx);
	EXPECT_EQ(-1, r.next_id);
	EXPECT_EQ(32000, r.limit);
	EXPECT_EQ(0, r.created);
	EXPECT_EQ(0, r.removed);
	id[0] = ipc_kipc.semget(1, 1, IPC_CREAT | 0600);
	id[1] = ipc_kipc.semget(2, 1, IPC_CREAT | 0600);
	id[2] = ipc_kipc.semget(3, 1, IPC_CREAT | 0600);
	ASSERT_LE(0, id[2]);
	EXPECT_EQ(-1, ipc_kipc.semget(3, 1, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_EQ(-1, ipc_kipc.semget(4, 0, IPC_CREAT | 0600));
	ASSERT_EQ(0, sem_rmid(&ipc_kipc, id[0]));
	ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, "sem_next_id", 4321));
	ASSERT_EQ(0, sem_limit_set(&ipc_kipc, SEMMNI_LIMIT, 123));
	r = kipc_ids_read("sem");
	EXPECT_EQ(2, r.in_use);
	EXPECT_EQ(2, r.max_idx);
	EXPECT_EQ(4321, r.next_id);
	EXPECT_EQ(123, r.limit);
	EXPECT_EQ(3, r.created);
	EXPECT_EQ(1, r.removed);
	EXPECT_EQ(0, kipc_ids_read("shm").created);
}

/* One row of /proc/kipc/objects. */
struct object_row {
	char kind[16], lifetime[32];
	int id, key;
	unsigned int owner, perms;
	long users, creator, age;
};

static int find_object(const char *kind, int id, struct object_row *o)
{
	FILE *f = fopen("/proc/kipc/objects", "re");
	char line[256];
	int found = 0;

	if (!f)
		return -1;
	while (!found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%15s %d %i %u %o %ld %31s %ld %ld", o->kind, &o->id, &o->key,
			   &o->owner, &o->perms, &o->users, o->lifetime, &o->creator,
			   &o->age) == 9 && o->id == id && !strcmp(o->kind, kind))
			found = 1;
	}
	fclose(f);
	return found;
}

TEST(objects)
{
	struct object_row o;
	int id[2];

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	id[0] = kipc_shmget(77, PAGE, IPC_CREAT | 0640);
	id[1] = kipc_shmget_lifetime(IPC_PRIVATE, PAGE, 0600, KIPC_LIFETIME_CREATOR);
	ASSERT_LE(0, id[0]);
	ASSERT_LE(0, id[1]);
	ASSERT_EQ(0, setresuid(-1, 0, -1));
	ASSERT_NE(MAP_FAILED, kipc_shmat(id[0], NULL, 0));
	ASSERT_NE(MAP_FAILED, kipc_shmat(id[0], NULL, 0));
	ASSERT_EQ(1, find_object("shm", id[0], &o));
	EXPECT_STREQ("shm", o.kind);
	EXPECT_EQ(77, o.key);
	EXPECT_EQ(1000, o.owner);
	EXPECT_EQ(0640, o.perms);
	EXPECT_EQ(2, o.users);
	EXPECT_STREQ("persistent", o.lifetime);
	EXPECT_EQ(getpid(), o.creator);
	EXPECT_LE(0, o.age);
	EXPECT_GE(60, o.age);
	ASSERT_EQ(1, find_object("shm", id[1], &o));
	EXPECT_EQ(0, o.key);
	EXPECT_EQ(0, o.users);
	EXPECT_STREQ("creator", o.lifetime);
	EXPECT_EQ(getpid(), o.creator);
	/* Of another kind, its id may be the same. */
	id[0] = kipc_semget_lifetime(78, 3, IPC_CREAT | 0644, KIPC_LIFETIME_CREATOR);
	ASSERT_LE(0, id[0]);
	ASSERT_EQ(1, find_object("sem", id[0], &o));
	EXPECT_EQ(78, o.key);
	EXPECT_EQ(0, o.owner);
	EXPECT_EQ(0644, o.perms);
	EXPECT_STREQ("creator", o.lifetime);
	EXPECT_EQ(getpid(), o.creator);
}

TEST_HARNESS_MAIN

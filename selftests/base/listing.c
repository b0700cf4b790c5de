// SPDX-License-Identifier: GPL-2.0
/* The files of /proc/kipc: their formats, and that they are whole however read. */
#include "common/harness.h"
#include "common/device.h"

#include <kipc.h>
#include <signal.h>
#include <time.h>

IPC_FIXTURE(listing)

#define BIG	(1 << 20)

/* What the kinds of object have in common. */
static int create_shm(const struct ipc *ipc, key_t key)
{
	return ipc->shmget(key, PAGE, IPC_CREAT | 0600);
}

static int create_sem(const struct ipc *ipc, key_t key)
{
	return ipc->semget(key, 1, IPC_CREAT | 0600);
}

static int create_msg(const struct ipc *ipc, key_t key)
{
	return ipc->msgget(key, IPC_CREAT | 0600);
}

static int remove_shm(const struct ipc *ipc, int id)
{
	return ipc->shmctl(id, IPC_RMID, NULL);
}

static int count_shm(const struct ipc *ipc)
{
	return shm_rows(ipc, NULL, 0);
}

static int count_sem(const struct ipc *ipc)
{
	return sem_rows(ipc, NULL, 0);
}

static int count_msg(const struct ipc *ipc)
{
	return msg_rows(ipc, NULL, 0);
}

static const struct kind {
	const char *name, *mni, *next_id;
	long most;
	int (*create)(const struct ipc *ipc, key_t key);
	int (*remove)(const struct ipc *ipc, int id);
	int (*count)(const struct ipc *ipc);
} kinds[] = {
	{ "shm", "shmmni", "shm_next_id", 4096, create_shm, remove_shm, count_shm },
	{ "sem", NULL, "sem_next_id", 32000, create_sem, sem_rmid, count_sem },
	{ "msg", "msgmni", "msg_next_id", 32000, create_msg, msg_rmid, count_msg },
};

static const char *listing_of(const struct ipc *ipc, unsigned int kind)
{
	return kind == 0 ? ipc->listing : kind == 1 ? ipc->sem_listing : ipc->msg_listing;
}

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

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LT(0, read_all("/proc/sysvipc/shm", n, 4096));
	ASSERT_LT(0, read_all("/proc/kipc/shm", o, 4096));
	EXPECT_STREQ(n, o);
	/* All within a second, or once more. */
	for (;;) {
		time_t start;
		char *a, *b;
		int k[4], l[4], j;

		start = stamp_now();
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
		if (stamp_now() == start)
			break;
		shmdt(a);
		ipc_kipc.shmdt(b);
		for (j = 0; j < 4; j++) {
			shmctl(k[j], IPC_RMID, NULL);
			ipc_kipc.shmctl(l[j], IPC_RMID, NULL);
		}
	}
	EXPECT_STREQ(n, o);
}

/* The same sets on both: the same lines, but for the clock. */
TEST(diff_sem_lines)
{
	static char n[BIG], o[BIG];
	const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };
	struct semid_ds ds;
	int k;

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LT(0, read_all("/proc/sysvipc/sem", n, 4096));
	ASSERT_LT(0, read_all("/proc/kipc/sem", o, 4096));
	EXPECT_STREQ(n, o);
	/* All within a second, or once more. */
	for (;;) {
		time_t start = stamp_now();
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
		if (stamp_now() == start)
			break;
		for (k = 0; k < 2; k++)
			for (j = 0; j < 4; j++)
				sem_rmid(ipcs[k], id[k][j]);
	}
	EXPECT_STREQ(n, o);
}

/* The same queues on both: the same lines, but for the clock. */
TEST(diff_msg_lines)
{
	static char n[BIG], o[BIG];
	const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };
	struct msqid_ds ds;
	int k;

	if (!native_ids_extended())
		SKIP(return, "boot with ipcmni_extend: native ids have another shape");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_LT(0, read_all("/proc/sysvipc/msg", n, 4096));
	ASSERT_LT(0, read_all("/proc/kipc/msg", o, 4096));
	EXPECT_STREQ(n, o);
	/* All within a second, or once more. */
	for (;;) {
		time_t start = stamp_now();
		int id[2][5], j;

		for (k = 0; k < 2; k++) {
			for (j = 0; j < 5; j++) {
				id[k][j] = ipcs[k]->msgget(j - 1, IPC_CREAT | 0600 | j);
				ASSERT_LE(0, id[k][j]);
			}
			for (j = 0; j < 9; j++)
				ASSERT_EQ(0, msg_send_bytes(ipcs[k], id[k][j % 2], 1 + j, 100 * j,
							    0));
			ASSERT_EQ(200, msg_receive_bytes(ipcs[k], id[k][0], 200, 3, 0));
			ASSERT_EQ(0, msg_send(ipcs[k], id[k][2], 3, 3, 0));
			ASSERT_EQ(3, msg_receive(ipcs[k], id[k][2], 0, 0));
			memset(&ds, 0, sizeof(ds));
			ds.msg_perm.uid = 1234567;
			ds.msg_perm.gid = 7;
			ds.msg_perm.mode = 0421;
			ASSERT_EQ(0, ipcs[k]->msgctl(id[k][3], IPC_SET, &ds));
			ASSERT_EQ(0, msg_rmid(ipcs[k], id[k][4]));
		}
		ASSERT_LT(0, read_all("/proc/sysvipc/msg", n, 4096));
		ASSERT_LT(0, read_all("/proc/kipc/msg", o, 4096));
		if (stamp_now() == start)
			break;
		for (k = 0; k < 2; k++)
			for (j = 0; j < 5; j++)
				msg_rmid(ipcs[k], id[k][j]);
	}
	EXPECT_STREQ(n, o);
}

/* Byte by byte, in odd pieces, in one go: the same text. */
TEST_F(listing, pieces)
{
	const struct ipc *ipc = variant->ipc;
	static const size_t steps[] = { 1, 7, 100, 4095, 65536 };
	static char whole[BIG], piece[BIG];
	unsigned int i, k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (i = 0; i < 200; i++)
			ASSERT_LE(0, kinds[k].create(ipc, IPC_PRIVATE));
		ASSERT_LT(0, read_all(listing_of(ipc, k), whole, BIG / 2));
		/* Of this kind and no other. */
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			EXPECT_EQ(i <= k ? 200 : 0, kinds[i].count(ipc));
		for (i = 0; i < ARRAY_SIZE(steps); i++) {
			ASSERT_LT(0, read_all(listing_of(ipc, k), piece, steps[i]));
			EXPECT_EQ(0, strcmp(whole, piece))
				TH_LOG("%s in steps of %zu", kinds[k].name, steps[i]);
		}
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
	wait_until(stamp_now() > (time_t)row.ctime);
	ASSERT_EQ(0, semop1(ipc, id, 2, 1, 0));
	ASSERT_EQ(1, sem_row_find(ipc, id, &row));
	ASSERT_EQ(0, sem_stat(ipc, id, &ds));
	EXPECT_LT(row.ctime, row.otime);
	EXPECT_EQ((unsigned long)ds.sem_otime, row.otime);
	EXPECT_EQ((unsigned long)ds.sem_ctime, row.ctime);
}

/* What IPC_STAT tells of a queue. */
TEST_F(listing, msg_fields)
{
	const struct ipc *ipc = variant->ipc;
	int id = ipc->msgget(0x77, IPC_CREAT | 0640);
	struct msqid_ds ds;
	struct msg_row row;
	struct peer p;

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(1, msg_row_find(ipc, id, &row));
	EXPECT_EQ(0, row.stime);
	EXPECT_EQ(0, row.rtime);
	EXPECT_EQ(0, row.lspid);
	EXPECT_EQ(0, row.lrpid);
	wait_until(stamp_now() > (time_t)row.ctime);
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 100, 0));
	ASSERT_EQ(0, msg_send_bytes(ipc, id, 1, 23, 0));
	ASSERT_EQ(100, peer_receive_bytes(&p, ipc, id, 100, 0, 0));
	ASSERT_EQ(1, msg_row_find(ipc, id, &row));
	ASSERT_EQ(0, msg_stat(ipc, id, &ds));
	EXPECT_EQ(0x77, row.key);
	EXPECT_EQ(0640, row.mode);
	EXPECT_EQ(1, row.qnum);
	EXPECT_EQ(23, row.cbytes);
	EXPECT_EQ((unsigned int)getpid(), row.lspid);
	EXPECT_EQ((unsigned int)p.pid, row.lrpid);
	EXPECT_LT(row.ctime, row.stime);
	EXPECT_EQ((unsigned long)ds.msg_stime, row.stime);
	EXPECT_EQ((unsigned long)ds.msg_rtime, row.rtime);
	EXPECT_EQ((unsigned long)ds.msg_ctime, row.ctime);
	peer_end(&p, 0);
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

/* Objects that go and come while somebody reads: no line twice, none of the steady missing. */
TEST_F(listing, while_changing)
{
	enum { STEADY = 100 };
	const struct ipc *ipc = variant->ipc;
	int ids[2 * STEADY], seen[STEADY], i, fd, round;
	unsigned int k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		for (i = 0; i < 2 * STEADY; i++) {
			ids[i] = kinds[k].create(ipc, 1 + i);
			ASSERT_LE(0, ids[i]);
		}
		for (round = 0; round < 3; round++) {
			static char text[BIG];
			char *line, *next = text;
			ssize_t n, total = 0;

			memset(seen, 0, sizeof(seen));
			fd = open(listing_of(ipc, k), O_RDONLY | O_CLOEXEC);
			ASSERT_LE(0, fd);
			for (i = 0; (n = read(fd, text + total, 500)) > 0; i++) {
				int v = STEADY + i % STEADY;

				total += n;
				/* One of the others goes, one comes. */
				kinds[k].remove(ipc, ids[v]);
				ids[v] = kinds[k].create(ipc, 1 + v);
				ASSERT_LE(0, ids[v]);
			}
			close(fd);
			text[total] = '\0';
			while ((line = strsep(&next, "\n"))) {
				int key, id;

				if (sscanf(line, "%d %d", &key, &id) == 2 && key >= 1 &&
				    key <= STEADY)
					seen[key - 1]++;
			}
			for (i = 0; i < STEADY; i++)
				EXPECT_EQ(1, seen[i])
					TH_LOG("%s", kinds[k].name);
		}
	}
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
	struct msg_row queue;
	struct sem_row set;
	struct shm_row row;

	if (become(&user))
		return 1;
	if (shm_rows(arg, &row, 1) != 1 || row.mode != 0600 || row.uid)
		return 2;
	if (sem_rows(arg, &set, 1) != 1 || set.mode || set.nsems != 5)
		return 3;
	if (msg_rows(arg, &queue, 1) != 1 || queue.mode || queue.cbytes != NOTE)
		return 4;
	return access("/proc/kipc/ids", R_OK) && arg == &ipc_kipc ? 5 : 0;
}

/* Open to all, of objects of others too, as native's. */
TEST_F(listing, to_all)
{
	ASSERT_LE(0, variant->ipc->shmget(IPC_PRIVATE, PAGE, 0600));
	ASSERT_LE(0, variant->ipc->semget(IPC_PRIVATE, 5, 0));
	ASSERT_EQ(0, variant->ipc->msgget(IPC_PRIVATE, 0));
	ASSERT_EQ(0, msg_send(variant->ipc, 0, 1, 1, 0));
	EXPECT_EQ(0, in_child(read_as_user, (void *)variant->ipc));
}

TEST(ids)
{
	struct kipc_ids_row r;
	static char text[BIG];
	unsigned int k;
	int id[3], i;

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
	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		r = kipc_ids_read(kinds[k].name);
		EXPECT_EQ(0, r.in_use);
		EXPECT_EQ(-1, r.max_idx);
		EXPECT_EQ(0, r.seq);
		EXPECT_EQ(-1, r.next_id);
		EXPECT_EQ(kinds[k].most, r.limit);
		EXPECT_EQ(0, r.created);
		EXPECT_EQ(0, r.removed);
		for (i = 0; i < 3; i++) {
			id[i] = kinds[k].create(&ipc_kipc, 1 + i);
			ASSERT_LE(0, id[i]);
		}
		EXPECT_EQ(id[1], kinds[k].create(&ipc_kipc, 2));
		ASSERT_EQ(0, kinds[k].remove(&ipc_kipc, id[0]));
		ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, kinds[k].next_id, 4321));
		if (kinds[k].mni) {
			ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, kinds[k].mni, 123));
		} else {
			ASSERT_EQ(0, sem_limit_set(&ipc_kipc, SEMMNI_LIMIT, 123));
		}
		r = kipc_ids_read(kinds[k].name);
		EXPECT_EQ(2, r.in_use);
		EXPECT_EQ(2, r.max_idx);
		EXPECT_EQ(4321, r.next_id);
		EXPECT_EQ(123, r.limit);
		EXPECT_EQ(3, r.created);
		EXPECT_EQ(1, r.removed);
	}
	/* What fails creates nothing. */
	EXPECT_EQ(-1, ipc_kipc.shmget(3, PAGE, IPC_CREAT | IPC_EXCL | 0600));
	EXPECT_EQ(-1, ipc_kipc.semget(4, 0, IPC_CREAT | 0600));
	EXPECT_EQ(-1, ipc_kipc.msgget(3, IPC_CREAT | IPC_EXCL | 0600));
	for (k = 0; k < ARRAY_SIZE(kinds); k++)
		EXPECT_EQ(3, kipc_ids_read(kinds[k].name).created);
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
	id[0] = kipc_msgget_lifetime(79, IPC_CREAT | 0622, KIPC_LIFETIME_CREATOR);
	id[1] = kipc_msgget(IPC_PRIVATE, 0);
	ASSERT_LE(0, id[1]);
	ASSERT_EQ(1, find_object("msg", id[0], &o));
	EXPECT_EQ(79, o.key);
	EXPECT_EQ(0622, o.perms);
	EXPECT_STREQ("creator", o.lifetime);
	EXPECT_EQ(getpid(), o.creator);
	ASSERT_EQ(1, find_object("msg", id[1], &o));
	EXPECT_STREQ("persistent", o.lifetime);
}

/* ---- Who waits ---- */

struct waiter_row {
	char kind[8], op[16];
	int id, pid;
	long num, age;
};

/* Rows of /proc/kipc/waiters of one kind, in a fresh namespace; -1 if it cannot be read. */
static int waiters(const char *kind, struct waiter_row *rows, int max)
{
	FILE *f = fopen("/proc/kipc/waiters", "re");
	struct waiter_row r;
	char line[256];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%7s %d %ld %d %15s %ld", r.kind, &r.id, &r.num, &r.pid, r.op,
			   &r.age) == 6 && !strcmp(r.kind, kind)) {
			if (n < max)
				rows[n] = r;
			n++;
		}
	fclose(f);
	return n;
}

/* The row of one process, or an empty one. */
static struct waiter_row waiter(const char *kind, pid_t pid)
{
	struct waiter_row rows[16], none = {};
	int n = waiters(kind, rows, 16), i;

	for (i = 0; i < n && i < 16; i++)
		if (rows[i].pid == pid)
			return rows[i];
	return none;
}

#define EXPECT_WAITER(_kind, _p, _id, _num, _op) do { \
	struct waiter_row __r = waiter(_kind, (_p)->pid); \
	EXPECT_EQ((_p)->pid, __r.pid); \
	EXPECT_EQ(_id, __r.id); \
	EXPECT_EQ(_num, __r.num); \
	EXPECT_STREQ(_op, __r.op); \
	EXPECT_LE(0, __r.age); \
	EXPECT_GE(60, __r.age); \
} while (0)

TEST(sem_waiters)
{
	struct peer p[3];
	int id, i;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	id = sem_new(&ipc_kipc, SEMS(0, 1, 0), 0600);
	ASSERT_LE(0, id);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(0, peer_block1(&p[0], &ipc_kipc, id, 0, -3, 0));
	ASSERT_EQ(0, peer_block1(&p[1], &ipc_kipc, id, 1, 0, 0));
	ASSERT_EQ(0, peer_block(&p[2], &ipc_kipc, id, SOPS({ 1, -1, 0 }, { 2, -7, SEM_UNDO })));
	EXPECT_EQ(3, waiters("sem", NULL, 0));
	EXPECT_WAITER("sem", &p[0], id, 0, "-3");
	EXPECT_WAITER("sem", &p[1], id, 1, "0");
	EXPECT_WAITER("sem", &p[2], id, 2, "-7");
	for (i = 0; i < 3; i++)
		peer_end(&p[i], SIGKILL);
	EXPECT_EQ(0, waiters("sem", NULL, 0));
}

/* One row of /proc/kipc/queues; oldest is -1 where there is none. */
struct queue_row {
	int id;
	unsigned long messages, bytes, limit;
	unsigned int senders, receivers;
	long oldest;
};

static int find_queue(int id, struct queue_row *q)
{
	FILE *f = fopen("/proc/kipc/queues", "re");
	char line[256], oldest[32];
	int found = 0;

	if (!f)
		return -1;
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%d %lu %lu %lu %u %u %31s", &q->id, &q->messages, &q->bytes,
			   &q->limit, &q->senders, &q->receivers, oldest) == 7 && q->id == id) {
			found = 1;
			q->oldest = strcmp(oldest, "-") ? atol(oldest) : -1;
		}
	fclose(f);
	return found;
}

TEST(queues)
{
	struct peer p[6];
	struct queue_row q;
	int id[2], i;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	id[0] = ipc_kipc.msgget(IPC_PRIVATE, 0600);
	id[1] = ipc_kipc.msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, id[1]);
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	ASSERT_EQ(1, find_queue(id[0], &q));
	EXPECT_EQ(0, q.messages);
	EXPECT_EQ(0, q.bytes);
	EXPECT_EQ(MSGMNB, q.limit);
	EXPECT_EQ(0, q.senders);
	EXPECT_EQ(0, q.receivers);
	EXPECT_EQ(-1, q.oldest);
	ASSERT_EQ(0, msg_set_qbytes(&ipc_kipc, id[1], 100));
	ASSERT_EQ(0, msg_send_bytes(&ipc_kipc, id[1], 3, 60, 0));
	ASSERT_EQ(0, msg_send_bytes(&ipc_kipc, id[1], 4, 40, 0));
	ASSERT_EQ(0, peer_block_receive(&p[0], &ipc_kipc, id[0], 0, 0));
	ASSERT_EQ(0, peer_block_receive(&p[1], &ipc_kipc, id[1], 7, 0));
	ASSERT_EQ(0, peer_block_receive(&p[2], &ipc_kipc, id[1], -2, MSG_NOERROR));
	ASSERT_EQ(0, peer_block_receive(&p[3], &ipc_kipc, id[0], 9, MSG_EXCEPT));
	ASSERT_EQ(0, peer_block_send(&p[4], &ipc_kipc, id[1], 11, 1));
	ASSERT_EQ(0, peer_block_send(&p[5], &ipc_kipc, id[1], 12, 1));
	ASSERT_EQ(1, find_queue(id[1], &q));
	EXPECT_EQ(2, q.messages);
	EXPECT_EQ(100, q.bytes);
	EXPECT_EQ(100, q.limit);
	EXPECT_EQ(2, q.senders);
	EXPECT_EQ(2, q.receivers);
	EXPECT_LE(0, q.oldest);
	EXPECT_GE(60, q.oldest);
	EXPECT_EQ(6, waiters("msg", NULL, 0));
	EXPECT_WAITER("msg", &p[0], id[0], 0, "receive");
	EXPECT_WAITER("msg", &p[1], id[1], 7, "receive");
	EXPECT_WAITER("msg", &p[2], id[1], -2, "receive");
	EXPECT_WAITER("msg", &p[3], id[0], 9, "except");
	EXPECT_WAITER("msg", &p[4], id[1], 11, "send");
	EXPECT_WAITER("msg", &p[5], id[1], 12, "send");
	/* Only to those who may read the queue. */
	ASSERT_EQ(0, setresuid(-1, 1000, -1));
	EXPECT_EQ(0, find_queue(id[1], &q));
	EXPECT_EQ(0, waiters("msg", NULL, 0));
	ASSERT_EQ(0, setresuid(-1, 0, -1));
	for (i = 0; i < 6; i++)
		peer_end(&p[i], SIGKILL);
	EXPECT_EQ(0, waiters("msg", NULL, 0));
	ASSERT_EQ(1, find_queue(id[1], &q));
	EXPECT_EQ(0, q.senders);
	EXPECT_EQ(0, q.receivers);
	EXPECT_EQ(2, q.messages);
	/* The age is that of what is there now. */
	ASSERT_EQ(60, msg_receive_bytes(&ipc_kipc, id[1], 60, 0, 0));
	ASSERT_EQ(40, msg_receive_bytes(&ipc_kipc, id[1], 60, 0, 0));
	ASSERT_EQ(1, find_queue(id[1], &q));
	EXPECT_EQ(-1, q.oldest);
}

TEST_HARNESS_MAIN

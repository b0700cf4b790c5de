// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing uninitialised reaches user space: each reply, message and page has exactly the
 * bytes that it is to have, its padding is 0, and what others had in the kernel's memory
 * does not show.  On a kernel booted with "slub_debug=P page_poison=1 init_on_alloc=0"
 * the allocators' own poison would.
 */
#include "common/harness.h"
#include "common/device.h"
#include "common/matrix.h"
#include "hostile/raw.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <kipc.h>

/* What is left in memory that is freed. */
#define OLD		0xd1

/* Free memory of all sizes, the caches of kipc's own included, that is full of OLD. */
static int foul(void)
{
	static const unsigned int sizes[] = { 8, 40, 100, 150, 200, 450, 900, 1900, 3900, 8000 };
	const struct ipc *const ipcs[] = { &ipc_native, &ipc_kipc };
	struct { long type; char text[8192]; } m = { .type = 1 };
	unsigned int i, s, n;
	char *pages;
	int id;

	memset(m.text, OLD, sizeof(m.text));
	for (i = 0; i < ARRAY_SIZE(ipcs); i++) {
		id = ipcs[i]->msgget(IPC_PRIVATE, 0600);
		if (id < 0 || msg_set_qbytes(ipcs[i], id, 1 << 20))
			return -1;
		for (s = 0; s < ARRAY_SIZE(sizes); s++)
			for (n = 0; n < 8; n++)
				if (ipcs[i]->msgsnd(id, &m, sizes[s], IPC_NOWAIT))
					return -1;
		if (msg_rmid(ipcs[i], id))
			return -1;
	}
	pages = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -1;
	memset(pages, OLD, 256 * PAGE);
	return munmap(pages, 256 * PAGE);
}

/* Whether there is what foul() left, or the poison of slabs and pages. */
static bool is_stale(const void *data, size_t size)
{
	static const unsigned char stale[] = { OLD, 0x6b, 0x5a, 0xaa };
	const unsigned char *p = data;
	unsigned int s, run;
	size_t i;

	for (s = 0; s < sizeof(stale); s++)
		for (i = 0, run = 0; i < size; i++) {
			run = p[i] == stale[s] ? run + 1 : 0;
			if (run == 4)
				return true;
		}
	return false;
}

static bool is_zero(const void *data, size_t size)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < size && !p[i]; i++)
		;
	return i == size;
}

/* ---- How much a call writes ---- */

#define ROOM		16384

/**
 * struct image - what is in a buffer after a call
 * @bytes: twice, of a buffer that was full of one byte and of another
 */
struct image {
	long ret;
	int err;
	unsigned char bytes[2][ROOM];
};

static const unsigned char fills[2] = { 0x11, 0x22 };

typedef long (*writer)(const struct ipc *ipc, long arg, void *buf);

static void take_image(struct image *im, const struct ipc *ipc, writer write, long arg)
{
	int i;

	for (i = 0; i < 2; i++) {
		memset(im->bytes[i], fills[i], ROOM);
		errno = 0;
		im->ret = write(ipc, arg, im->bytes[i]);
		im->err = im->ret == -1 ? errno : 0;
	}
}

static bool is_written(const struct image *im, size_t i)
{
	return im->bytes[0][i] != fills[0] || im->bytes[1][i] != fills[1];
}

/* Bytes that were written from the beginning on; -1: others too, or what they held shows. */
static long extent(const struct image *im)
{
	size_t n = 0, i;

	while (n < ROOM && is_written(im, n))
		n++;
	for (i = n; i < ROOM; i++)
		if (is_written(im, i))
			return -1;
	return memcmp(im->bytes[0], im->bytes[1], n) ? -1 : (long)n;
}

/* ---- Commands that answer with a structure ---- */

IPC_FIXTURE(reply);

#define NSEMS	7

/* An object of each kind, at index 0. */
static int make_objects(const struct ipc *ipc, int mode)
{
	if (foul())
		return -1;
	return ipc->shmget(0x1001, 100, IPC_CREAT | mode) < 0 ||
	       ipc->semget(0x1002, NSEMS, IPC_CREAT | mode) < 0 ||
	       ipc->msgget(0x1003, IPC_CREAT | mode) < 0 ? -1 : 0;
}

static long shm_reply(const struct ipc *ipc, long cmd, void *buf)
{
	return ipc->shmctl(cmd == IPC_STAT ? ipc->shmget(0x1001, 0, 0) : 0, cmd, buf);
}

static long sem_reply(const struct ipc *ipc, long cmd, void *buf)
{
	return ipc->semctl(cmd == IPC_STAT || cmd == GETALL ? ipc->semget(0x1002, 0, 0) : 0, 0,
			   cmd, (union semun){ .buf = buf });
}

/* Of queues one has been made and removed before. */
static long msg_reply(const struct ipc *ipc, long cmd, void *buf)
{
	int id = ipc->msgget(0x1003, 0);

	return ipc->msgctl(cmd == IPC_STAT ? id : id & (KIPC_INDEX_MAX - 1), cmd, buf);
}

static const struct reply {
	const char *name;
	writer write;
	long cmd;
	size_t size;
	size_t times[3];	/* offsets of what is not the same at another time */
} replies[] = {
#define SHM_TIMES { offsetof(struct shmid_ds, shm_ctime) }
	{ "IPC_STAT of a segment", shm_reply, IPC_STAT, sizeof(struct shmid_ds), SHM_TIMES },
	{ "SHM_STAT", shm_reply, SHM_STAT, sizeof(struct shmid_ds), SHM_TIMES },
	{ "SHM_STAT_ANY", shm_reply, SHM_STAT_ANY, sizeof(struct shmid_ds), SHM_TIMES },
	{ "IPC_INFO of segments", shm_reply, IPC_INFO, sizeof(struct shminfo), {} },
	{ "SHM_INFO", shm_reply, SHM_INFO, sizeof(struct shm_info), {} },
#define SEM_TIMES { offsetof(struct semid_ds, sem_ctime) }
	{ "IPC_STAT of a set", sem_reply, IPC_STAT, sizeof(struct semid_ds), SEM_TIMES },
	{ "SEM_STAT", sem_reply, SEM_STAT, sizeof(struct semid_ds), SEM_TIMES },
	{ "SEM_STAT_ANY", sem_reply, SEM_STAT_ANY, sizeof(struct semid_ds), SEM_TIMES },
	{ "IPC_INFO of sets", sem_reply, IPC_INFO, sizeof(struct seminfo), {} },
	{ "SEM_INFO", sem_reply, SEM_INFO, sizeof(struct seminfo), {} },
	{ "GETALL", sem_reply, GETALL, NSEMS * sizeof(short), {} },
#define MSG_TIMES { offsetof(struct msqid_ds, msg_ctime) }
	{ "IPC_STAT of a queue", msg_reply, IPC_STAT, sizeof(struct msqid_ds), MSG_TIMES },
	{ "MSG_STAT", msg_reply, MSG_STAT, sizeof(struct msqid_ds), MSG_TIMES },
	{ "MSG_STAT_ANY", msg_reply, MSG_STAT_ANY, sizeof(struct msqid_ds), MSG_TIMES },
	{ "IPC_INFO of queues", msg_reply, IPC_INFO, sizeof(struct msginfo), {} },
	{ "MSG_INFO", msg_reply, MSG_INFO, sizeof(struct msginfo), {} },
};

/* The whole structure and nothing else. */
TEST_F(reply, extent)
{
	static struct image im;
	unsigned int i;

	ASSERT_EQ(0, make_objects(variant->ipc, 0600));
	for (i = 0; i < ARRAY_SIZE(replies); i++) {
		take_image(&im, variant->ipc, replies[i].write, replies[i].cmd);
		EXPECT_LE(0, im.ret);
		EXPECT_EQ(replies[i].size, extent(&im))
			TH_LOG("%s", replies[i].name);
		EXPECT_FALSE(is_stale(im.bytes[0], replies[i].size))
			TH_LOG("%s", replies[i].name);
	}
	EXPECT_EQ(0, msg_rmid(variant->ipc, variant->ipc->msgget(0x1003, 0)));
}

static int refused(void *arg)
{
	static const struct who stranger = { .uid = STRANGER, .gid = NO_GROUP, .group = -1 };
	static struct image im;
	unsigned int i, count = 0;

	if (become(&stranger))
		return 254;
	for (i = 0; i < ARRAY_SIZE(replies); i++) {
		take_image(&im, arg, replies[i].write, replies[i].cmd);
		if (im.ret >= 0)
			continue;
		count++;
		if (im.err != EACCES || extent(&im))
			return i + 1;
	}
	return count == 7 ? 0 : 255;
}

/* And nothing at all for whoever may not see it. */
TEST_F(reply, nothing_when_refused)
{
	ASSERT_EQ(0, make_objects(variant->ipc, 0));
	EXPECT_EQ(0, in_child(refused, (void *)variant->ipc));
}

/* Byte for byte what native says, padding and unused fields included. */
TEST(diff_replies)
{
	static struct image native, kipc;
	unsigned int i, t;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, make_objects(&ipc_native, 0600));
	ASSERT_EQ(0, make_objects(&ipc_kipc, 0600));
	for (i = 0; i < ARRAY_SIZE(replies); i++) {
		take_image(&native, &ipc_native, replies[i].write, replies[i].cmd);
		take_image(&kipc, &ipc_kipc, replies[i].write, replies[i].cmd);
		for (t = 0; t < ARRAY_SIZE(replies[i].times) && replies[i].times[t]; t++) {
			memset(native.bytes[0] + replies[i].times[t], 0, sizeof(time_t));
			memset(kipc.bytes[0] + replies[i].times[t], 0, sizeof(time_t));
		}
		EXPECT_EQ(0, memcmp(native.bytes[0], kipc.bytes[0], replies[i].size))
			TH_LOG("%s", replies[i].name);
	}
}

/* ---- Calls of the device: of each structure the fields that are said to be out ---- */

struct range {
	size_t at, size;
};

#define OUT(type, field)	{ offsetof(type, field), sizeof(((type *)0)->field) }

union argument {
	struct kipc_query query;
	struct kipc_limit limit;
	struct kipc_process_map process;
	struct kipc_shm_get shm_get;
	struct kipc_shm_attach attach;
	struct kipc_shm_ctl shm_ctl;
	struct kipc_sem_get sem_get;
	struct kipc_sem_op sem_op;
	struct kipc_sem_ctl sem_ctl;
	struct kipc_sem_map sem_map;
	struct kipc_msg_get msg_get;
	struct kipc_msg_op msg_op;
	struct kipc_msg_ctl msg_ctl;
	unsigned char bytes[128];
};

static struct sembuf up = { 0, 1, 0 };
static struct note note = { 1, 1 };
static unsigned char scratch[256];

static const struct device_call {
	const char *name;
	unsigned long cmd;
	union argument in;
	struct range out[4];
} device_calls[] = {
	{ "QUERY", KIPC_IOC_QUERY, {},
	  { OUT(struct kipc_query, abi), OUT(struct kipc_query, features),
	    OUT(struct kipc_query, release) } },
	{ "LIMIT", KIPC_IOC_LIMIT, { .limit = { .limit = KIPC_LIMIT_SEMMNS } },
	  { OUT(struct kipc_limit, value) } },
	{ "PROCESS_MAP", KIPC_IOC_PROCESS_MAP, {},
	  { OUT(struct kipc_process_map, slots), OUT(struct kipc_process_map, clock),
	    OUT(struct kipc_process_map, token) } },
	{ "SHM_GET", KIPC_IOC_SHM_GET, { .shm_get = { .key = 0x1001 } }, {} },
	{ "SHM_ATTACH", KIPC_IOC_SHM_ATTACH, { .attach = { .id = 0 } },
	  { OUT(struct kipc_shm_attach, addr) } },
	{ "SHM_CTL", KIPC_IOC_SHM_CTL,
	  { .shm_ctl = { .cmd = IPC_STAT, .buf = (uintptr_t)scratch } }, {} },
	{ "SEM_GET", KIPC_IOC_SEM_GET, { .sem_get = { .key = 0x1002 } }, {} },
	{ "SEM_OP", KIPC_IOC_SEM_OP, { .sem_op = { .nsops = 1, .sops = (uintptr_t)&up } }, {} },
	{ "SEM_CTL", KIPC_IOC_SEM_CTL,
	  { .sem_ctl = { .cmd = GETALL, .arg = (uintptr_t)scratch } }, {} },
	{ "SEM_MAP, to look", KIPC_IOC_SEM_MAP, {},
	  { OUT(struct kipc_sem_map, own), OUT(struct kipc_sem_map, shared),
	    OUT(struct kipc_sem_map, nsems) } },
	{ "SEM_MAP, to operate", KIPC_IOC_SEM_MAP, { .sem_map = { .flags = KIPC_SEM_MAP_WRITE } },
	  { OUT(struct kipc_sem_map, own), OUT(struct kipc_sem_map, shared),
	    OUT(struct kipc_sem_map, nsems) } },
	{ "MSG_GET", KIPC_IOC_MSG_GET, { .msg_get = { .key = 0x1003 } }, {} },
	{ "MSG_SEND", KIPC_IOC_MSG_SEND,
	  { .msg_op = { .msg = (uintptr_t)&note, .size = NOTE } }, {} },
	{ "MSG_RECEIVE", KIPC_IOC_MSG_RECEIVE,
	  { .msg_op = { .msg = (uintptr_t)scratch, .size = NOTE } }, {} },
	{ "MSG_CTL", KIPC_IOC_MSG_CTL,
	  { .msg_ctl = { .cmd = IPC_INFO, .buf = (uintptr_t)scratch } }, {} },
};

/* Queues are made after foul() made and removed one: their ids do not start at 0. */
static void set_queue(const struct device_call *c, union argument *a, int queue)
{
	if (c->cmd == KIPC_IOC_MSG_SEND || c->cmd == KIPC_IOC_MSG_RECEIVE)
		a->msg_op.id = queue;
}

/* Outputs full of a byte before; then whatever is none must be as before. */
TEST(outputs)
{
	unsigned char before[sizeof(union argument)];
	union argument a;
	unsigned int i, r;
	int fd, queue;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, make_objects(&ipc_kipc, 0600));
	queue = kipc_msgget(0x1003, 0);
	fd = device_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(device_calls); i++) {
		const struct device_call *c = &device_calls[i];

		memset(&a, fills[0], sizeof(a));
		memcpy(&a, &c->in, _IOC_SIZE(c->cmd));
		set_queue(c, &a, queue);
		/* An address of an attachment is in as well. */
		if (c->cmd != KIPC_IOC_SHM_ATTACH)
			for (r = 0; r < ARRAY_SIZE(c->out); r++)
				memset(a.bytes + c->out[r].at, c->out[r].size ? fills[1] : 0,
				       c->out[r].size);
		memcpy(before, &a, sizeof(a));
		EXPECT_LE(0, ioctl(fd, c->cmd, &a))
			TH_LOG("%s: %s", c->name, strerror(errno));
		for (r = 0; r < ARRAY_SIZE(c->out); r++) {
			if (c->out[r].size)
				EXPECT_NE(0, memcmp(before + c->out[r].at, a.bytes + c->out[r].at,
						    c->out[r].size))
					TH_LOG("%s, output %u", c->name, r);
			EXPECT_FALSE(is_stale(a.bytes + c->out[r].at, c->out[r].size));
			memcpy(before + c->out[r].at, a.bytes + c->out[r].at, c->out[r].size);
		}
		EXPECT_EQ(0, memcmp(before, &a, sizeof(a)))
			TH_LOG("%s", c->name);
		if (c->cmd == KIPC_IOC_QUERY) {
			size_t n = strnlen(a.query.release, sizeof(a.query.release));

			EXPECT_TRUE(is_zero(a.query.release + n, sizeof(a.query.release) - n));
		}
	}
	close(fd);
}

/* One that fails writes nothing: an id that there is not, a command or a size. */
TEST(no_output_of_failures)
{
	union argument a, before;
	unsigned int i, failed = 0;
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, foul());
	fd = device_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(device_calls); i++) {
		const struct device_call *c = &device_calls[i];

		memset(&a, fills[0], sizeof(a));
		before = a;
		EXPECT_EQ(-1, ioctl(fd, c->cmd, &a))
			TH_LOG("%s", c->name);
		failed++;
		EXPECT_EQ(0, memcmp(&before, &a, sizeof(a)))
			TH_LOG("%s", c->name);
	}
	EXPECT_EQ(ARRAY_SIZE(device_calls), failed);
	close(fd);
}

/* ---- Messages ---- */

IPC_FIXTURE(message);

/* Around what one allocation holds, and a few of no importance. */
static const unsigned int sizes[] = {
	0, 1, 7, 8, 9, 31, 48, 56, 63, 64, 65, 100, 127, 128, 129, 500, 1023, 1024, 2047, 2048,
	3999, 4000, 4016, 4024, 4032, 4040, 4047, 4048, 4049, 4079, 4080, 4081, 4087, 4088, 4089,
	4095, 4096, 4097, 8000, 8100, 8140, 8191, 8192,
};

enum { TYPE = 5 };

/* A message of a size, at least 0, and what is asked for of it. */
struct want {
	int id;
	size_t size, room;
	int flags;
};

static long receive(const struct ipc *ipc, long arg, void *buf)
{
	static struct { long type; char text[8192]; } m = { .type = TYPE };
	const struct want *w = (const struct want *)arg;

	memset(m.text, 0x33, sizeof(m.text));
	if (msg_qnum(ipc, w->id) == 0 && ipc->msgsnd(w->id, &m, w->size, 0))
		return -2;
	return ipc->msgrcv(w->id, buf, w->room, w->flags & MSG_COPY ? 0 : TYPE,
			   w->flags | IPC_NOWAIT);
}

static bool is_message(const struct image *im, size_t size)
{
	const unsigned char *text = im->bytes[0] + sizeof(long);
	size_t i;

	for (i = 0; i < size && text[i] == 0x33; i++)
		;
	return i == size && *(const long *)im->bytes[0] == TYPE &&
	       extent(im) == (long)(sizeof(long) + size);
}

/* Its type and its bytes, however much room there is, and however they are asked for. */
TEST_F(message, extent)
{
	static const int flags[] = { 0, MSG_NOERROR, MSG_COPY };
	static struct image im;
	unsigned int i, f, s;
	struct want w = {};

	ASSERT_EQ(0, foul());
	w.id = variant->ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_LE(0, w.id);
	for (f = 0; f < ARRAY_SIZE(flags); f++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			const size_t rooms[] = { ROOM - sizeof(long), sizes[i], sizes[i] / 2 };

			for (s = 0; s < ARRAY_SIZE(rooms); s++) {
				/* Too long a message is no message without the flag. */
				if (rooms[s] < sizes[i] && flags[f] != MSG_NOERROR)
					continue;
				w.size = sizes[i];
				w.room = rooms[s];
				w.flags = flags[f];
				take_image(&im, variant->ipc, receive, (long)&w);
				EXPECT_EQ(rooms[s] < sizes[i] ? rooms[s] : sizes[i], im.ret)
					TH_LOG("%zu of %zu, %o", w.room, w.size, w.flags);
				EXPECT_TRUE(is_message(&im, im.ret))
					TH_LOG("%zu of %zu, %o", w.room, w.size, w.flags);
			}
			/* A copy leaves it there. */
			if (flags[f] & MSG_COPY)
				EXPECT_EQ(0, msg_receive_bytes(variant->ipc, w.id, 0, 0,
							       MSG_NOERROR));
		}
	EXPECT_EQ(0, msg_rmid(variant->ipc, w.id));
}

static long receive_only(const struct ipc *ipc, long arg, void *buf)
{
	const struct want *w = (const struct want *)arg;

	return ipc->msgrcv(w->id, buf, w->room, w->size, w->flags | IPC_NOWAIT);
}

/* Too long a message, or none: nothing.  @size is the type here. */
TEST_F(message, nothing_when_refused)
{
	const struct want wants[] = {
		{ 0, 0, 99, 0 }, { 0, TYPE, 99, 0 }, { 0, TYPE + 1, 500, 0 },
		{ 0, -TYPE + 1, 500, 0 }, { 0, TYPE, 500, MSG_EXCEPT }, { 0, 1, 500, MSG_COPY },
		{ 1, 0, 500, 0 },
	};
	static struct image im;
	unsigned int i;
	int id;

	ASSERT_EQ(0, foul());
	id = variant->ipc->msgget(IPC_PRIVATE, 0600);
	ASSERT_EQ(0, msg_send_bytes(variant->ipc, id, TYPE, 100, 0));
	for (i = 0; i < ARRAY_SIZE(wants); i++) {
		struct want w = wants[i];

		w.id += id;
		take_image(&im, variant->ipc, receive_only, (long)&w);
		EXPECT_EQ(-1, im.ret);
		EXPECT_EQ(0, extent(&im))
			TH_LOG("%u: %s", i, strerror(im.err));
	}
	EXPECT_EQ(0, msg_rmid(variant->ipc, id));
}

/* Several at once: as many as there are, and the rest of the places stays as it was. */
TEST(batch)
{
	enum { PLACES = 4, SENT = 2, SPACE = 512 };
	static unsigned char places[PLACES][SPACE], as_before[SPACE];
	struct kipc_msg_vec vec[PLACES];
	int id, i;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, foul());
	id = kipc_msgget(IPC_PRIVATE, 0600);
	memset(places, fills[0], sizeof(places));
	memset(as_before, fills[0], sizeof(as_before));
	for (i = 0; i < SENT; i++)
		ASSERT_EQ(0, msg_send_bytes(&ipc_kipc, id, i + 1, 10 * i + 5, 0));
	for (i = 0; i < PLACES; i++)
		vec[i] = (struct kipc_msg_vec){ (uintptr_t)places[i], SPACE - sizeof(long) };
	EXPECT_EQ(SENT, kipc_msgrcvv(id, vec, PLACES, 0, 0, CLOCK_MONOTONIC, 0, NULL));
	for (i = 0; i < PLACES; i++) {
		size_t text = i < SENT ? 10 * i + 5 : 0;
		size_t size = i < SENT ? sizeof(long) + text : 0;

		EXPECT_EQ(i < SENT ? text : SPACE - sizeof(long), vec[i].size);
		EXPECT_EQ(0, memcmp(places[i] + size, as_before, SPACE - size))
			TH_LOG("place %d", i);
	}
	EXPECT_EQ(0, msg_rmid(&ipc_kipc, id));
}

/* ---- Pages ---- */

IPC_FIXTURE(segment);

/* Whatever others had in the same frames. */
TEST_F(segment, new_ones_are_zero)
{
	const struct ipc *ipc = variant->ipc;
	const size_t size = 256 * PAGE, last = size - PAGE + 100;
	int round, id;
	char *a;

	for (round = 0; round < 6; round++) {
		ASSERT_EQ(0, foul());
		/* The last page belongs to it in part only. */
		id = ipc->shmget(IPC_PRIVATE, last, 0600);
		if (ipc == &ipc_kipc && round % 2)
			a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, raw_fd(),
				 KIPC_MMAP_OFFSET(KIPC_KIND_SHM, id));
		else
			a = ipc->shmat(id, NULL, 0);
		ASSERT_NE(MAP_FAILED, a);
		EXPECT_TRUE(is_zero(a, size));
		memset(a, OLD, size);
		ASSERT_EQ(0, munmap(a, size));
		ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	}
}

/* Sets of several pages, the last of which is used in part. */
#define MANY	600

static bool is_fresh_set(const struct raw_view *v)
{
	const struct kipc_sem_shared *s = v->shared;
	size_t used = sizeof(*s) + MANY * sizeof(s->cells[0]);
	unsigned int i;

	if (s->state || !is_zero(s->pad, sizeof(s->pad)))
		return false;
	for (i = 0; i < MANY; i++)
		if (s->cells[i].word || s->cells[i].time)
			return false;
	if (!is_zero((char *)s + used, raw_shared_size(MANY) - used))
		return false;
	return !v->own || (v->own->map && !v->own->used &&
			   is_zero(v->own->adjust,
				   raw_own_size(MANY) - offsetof(struct kipc_sem_private, adjust)));
}

/* A process maps all there is, looks at it, and leaves OLD in it. */
static int map_all(void *arg)
{
	struct raw_process process;
	struct raw_view view;
	int id = *(int *)arg;

	if (foul() || raw_map_process(&process))
		return 1;
	if (!is_zero(process.slots, PAGE) ||
	    !is_zero((char *)process.clock + sizeof(*process.clock), PAGE - sizeof(*process.clock)))
		return 2;
	if (raw_map_set(&view, id, KIPC_SEM_MAP_WRITE))
		return 3;
	if (!is_fresh_set(&view))
		return 4;
	raw_fill(&process, &view, 0x0101010101010101ull * OLD);
	return 0;
}

/* To look only: the pages of the set alone. */
static int map_to_look(void *arg)
{
	struct raw_view view;

	if (raw_map_set(&view, *(int *)arg, 0))
		return 1;
	return is_fresh_set(&view) ? 0 : 2;
}

TEST(pages_of_sets)
{
	int round, id;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (round = 0; round < 8; round++) {
		id = kipc_semget(IPC_PRIVATE, MANY, 0600);
		ASSERT_LE(0, id);
		EXPECT_EQ(0, in_child(map_to_look, &id));
		EXPECT_EQ(0, in_child(map_all, &id));
		ASSERT_EQ(0, sem_rmid(&ipc_kipc, id));
	}
}

/* What a mapping shows that was cut: nothing but that the kernel has every word. */
TEST(page_of_a_cut_set)
{
	struct raw_process process;
	const volatile uint64_t *words;
	struct raw_view view;
	unsigned int i, wrong = 0;
	int id;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	id = kipc_semget(IPC_PRIVATE, MANY, 0600);
	ASSERT_LE(0, id);
	ASSERT_EQ(0, raw_map_process(&process));
	ASSERT_EQ(0, raw_map_set(&view, id, KIPC_SEM_MAP_WRITE));
	raw_fill(&process, &view, 0x0101010101010101ull * OLD);
	ASSERT_EQ(0, foul());
	ASSERT_EQ(0, sem_rmid(&ipc_kipc, id));
	words = (void *)view.shared;
	for (i = 0; i < raw_shared_size(MANY) / sizeof(*words); i++)
		wrong += words[i] != KIPC_SEM_HELD;
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, raw_unmap_set(&view));
}

/* ---- Undo values ---- */

#define VALUE	0x51d1

/* Undo values of all the semaphores, which its end takes back. */
static int undo_all(void *arg)
{
	static struct sembuf sops[400];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sops); i++)
		sops[i] = (struct sembuf){ i, VALUE, SEM_UNDO };
	return raw_semop(*(int *)arg, sops, ARRAY_SIZE(sops)) ? 1 : 0;
}

/* Another has one of its own, and sees what the kernel keeps of the others. */
static int undo_one(void *arg)
{
	struct raw_process process;
	struct raw_view view;
	unsigned int i;
	int id = *(int *)arg;

	if (raw_semop1(id, 0, 1, SEM_UNDO) || raw_map_process(&process) ||
	    raw_map_set(&view, id, KIPC_SEM_MAP_WRITE))
		return 1;
	if (view.own->adjust[0].slow != -1)
		return 2;
	for (i = 1; i < MANY; i++)
		if (view.own->adjust[i].slow || view.own->adjust[i].fast)
			return 3;
	return 0;
}

TEST(undo_values)
{
	static unsigned short values[MANY];
	int round, id;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	for (round = 0; round < 6; round++) {
		id = kipc_semget(IPC_PRIVATE, MANY, 0600);
		ASSERT_LE(0, id);
		EXPECT_EQ(0, in_child(undo_all, &id));
		EXPECT_EQ(0, in_child(undo_one, &id));
		ASSERT_EQ(0, sem_getall(&ipc_kipc, id, values));
		EXPECT_TRUE(is_zero(values, sizeof(values)));
		ASSERT_EQ(0, sem_rmid(&ipc_kipc, id));
		ASSERT_EQ(0, foul());
	}
}

/* ---- Listings ---- */

static const char *const files[] = {
	"shm", "sem", "msg", "queues", "waiters", "objects", "ids", "sys/shmmax", "sys/shmall",
	"sys/shmmni", "sys/shm_rmid_forced", "sys/shm_next_id", "sys/sem", "sys/sem_next_id",
	"sys/msgmax", "sys/msgmnb", "sys/msgmni", "sys/msg_next_id",
};

static long read_file(const struct ipc *ipc, long file, void *buf)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)ipc;
	snprintf(path, sizeof(path), "/proc/kipc/%s", files[file]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, buf, ROOM);
	close(fd);
	return n;
}

/* Text, and no more of it than read(2) says. */
TEST(listings)
{
	static struct image im;
	unsigned int i;
	struct peer p;
	long n;

	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, make_objects(&ipc_kipc, 0600));
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, peer_block1(&p, &ipc_kipc, kipc_semget(0x1002, 0, 0), 0, -1, 0));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		take_image(&im, &ipc_kipc, read_file, i);
		EXPECT_LT(0, im.ret);
		EXPECT_EQ(im.ret, extent(&im))
			TH_LOG("%s", files[i]);
		for (n = 0; n < im.ret; n++)
			if (!strchr("\n\t", im.bytes[0][n]) &&
			    (im.bytes[0][n] < ' ' || im.bytes[0][n] > '~'))
				break;
		EXPECT_EQ(im.ret, n)
			TH_LOG("%s", files[i]);
	}
	peer_end(&p, SIGKILL);
}

TEST_HARNESS_MAIN

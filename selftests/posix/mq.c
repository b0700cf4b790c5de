// SPDX-License-Identifier: GPL-2.0
/* mq_open(3) and what is done with what it returns; see mq_wait.c and mq_notice.c too. */
#include "common/harness.h"
#include "posix/queue.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define ROOM	100000

POSIX_FIXTURE(mq);

/* Have a value, unless it is negative.  Return: the value, or 0, or -1. */
static long limit(const struct posix *posix, const char *name, long value)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "%s/%s", posix->mq_limits, name);
	if (value < 0)
		return read_number(path);
	snprintf(text, sizeof(text), "%ld", value);
	return write_text(path, text);
}

/* ---- Names and what is made ---- */

TEST_F(mq, open_and_unlink)
{
	const struct posix *posix = variant->posix;
	mqd_t q, again, another;

	EXPECT_ERR(ENOENT, posix->mq_open("/q", O_RDWR));
	EXPECT_ERR(ENOENT, posix->mq_open("/q", O_RDWR | O_EXCL));
	EXPECT_ERR(ENOENT, posix->mq_unlink("/q"));
	q = open_numbers(posix, "/q", O_RDWR | O_EXCL, 3);
	ASSERT_LE(0, q);
	EXPECT_EQ(FD_CLOEXEC, fcntl(q, F_GETFD));
	EXPECT_ERR(EEXIST, open_numbers(posix, "/q", O_RDWR | O_EXCL, 3));
	again = open_numbers(posix, "/q", O_RDWR, -1);
	ASSERT_LE(0, again);
	EXPECT_EQ(0, put(posix, q, 5, 1));
	EXPECT_EQ(1, queued(posix, again));
	EXPECT_EQ(0, posix->mq_close(q));
	EXPECT_ERR(EBADF, put(posix, q, 5, 1));
	EXPECT_ERR(EBADF, posix->mq_close(q));

	/* Without its name it works on; another of that name is another. */
	EXPECT_EQ(0, posix->mq_unlink("/q"));
	EXPECT_ERR(ENOENT, posix->mq_unlink("/q"));
	EXPECT_ERR(ENOENT, posix->mq_open("/q", O_RDWR));
	EXPECT_EQ(0, put(posix, again, 6, 2));
	another = open_numbers(posix, "/q", O_RDWR, 3);
	ASSERT_LE(0, another);
	EXPECT_EQ(0, queued(posix, another));
	EXPECT_EQ(2l << 16 | 6, take(posix, again));
	EXPECT_EQ(1, queued(posix, again));
	/* What is left goes with its last user. */
	EXPECT_EQ(0, posix->mq_close(again));
	/* And what nobody has open stays until it has no name. */
	EXPECT_EQ(0, put(posix, another, 7, 3));
	EXPECT_EQ(0, posix->mq_close(another));
	another = posix->mq_open("/q", O_RDONLY);
	EXPECT_EQ(3l << 16 | 7, take(posix, another));
	EXPECT_EQ(0, posix->mq_unlink("/q"));
	EXPECT_EQ(0, posix->mq_close(another));
}

TEST_F(mq, names)
{
	static const char *const bad[] = { "", "q", "/", "//", "/a/b", "//q", "/.", "/..", "a/b" };
	static const int errors[] = { EINVAL, EINVAL, ENOENT, EACCES, EACCES, EACCES, EACCES,
				      EACCES, EINVAL };
	const struct posix *posix = variant->posix;
	char name[PATH_MAX + 8] = "/";
	unsigned int i;
	mqd_t q;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_ERR(errors[i], posix->mq_open(bad[i], O_CREAT | O_RDWR, 0600, NULL));
		EXPECT_ERR(errors[i], posix->mq_open(bad[i], O_RDWR));
		EXPECT_ERR(errors[i], posix->mq_unlink(bad[i]));
	}
	memset(name + 1, 'n', PATH_MAX + 2);
	EXPECT_ERR(ENAMETOOLONG, posix->mq_open(name, O_CREAT | O_RDWR, 0600, NULL));
	name[300] = '/';
	EXPECT_ERR(ENAMETOOLONG, posix->mq_unlink(name));
	name[600] = '\0';
	EXPECT_ERR(EACCES, posix->mq_unlink(name));
	name[257] = '\0';
	EXPECT_ERR(ENAMETOOLONG, posix->mq_open(name, O_CREAT | O_RDWR, 0600, NULL));
	EXPECT_ERR(ENAMETOOLONG, posix->mq_unlink(name));
	name[256] = '\0';
	q = posix->mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
	ASSERT_LE(0, q);
	EXPECT_EQ(0, posix->mq_unlink(name));
	EXPECT_EQ(0, posix->mq_close(q));
}

TEST_F(mq, attributes)
{
	static const struct mq_attr bad[] = {
		{ .mq_maxmsg = 0, .mq_msgsize = 1 }, { .mq_maxmsg = 1, .mq_msgsize = 0 },
		{ .mq_maxmsg = 0, .mq_msgsize = 0 }, { .mq_maxmsg = -1, .mq_msgsize = 1 },
		{ .mq_maxmsg = 1, .mq_msgsize = -1 }, { .mq_maxmsg = 65537, .mq_msgsize = 1 },
		{ .mq_maxmsg = 1, .mq_msgsize = (16 << 20) + 1 },
		{ .mq_maxmsg = LONG_MAX, .mq_msgsize = LONG_MAX },
	};
	struct mq_attr attr = { .mq_flags = -1, .mq_curmsgs = -1 }, old;
	const struct posix *posix = variant->posix;
	unsigned int i;
	mqd_t q, dup_q;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_ERR(EINVAL, posix->mq_open("/a", O_CREAT | O_RDWR, 0600, &bad[i]));
	q = posix->mq_open("/a", O_CREAT | O_RDWR, 0600, NULL);
	ASSERT_LE(0, q);
	EXPECT_EQ(0, posix->mq_getattr(q, &attr));
	EXPECT_EQ(0, attr.mq_flags);
	EXPECT_EQ(10, attr.mq_maxmsg);
	EXPECT_EQ(8192, attr.mq_msgsize);
	EXPECT_EQ(0, attr.mq_curmsgs);

	/* Of its attributes one can be set, of all who share the description. */
	dup_q = dup(q);
	attr = (struct mq_attr){ .mq_flags = O_NONBLOCK, .mq_maxmsg = 77, .mq_curmsgs = 5 };
	EXPECT_EQ(0, posix->mq_setattr(q, &attr, &old));
	EXPECT_EQ(0, old.mq_flags);
	EXPECT_EQ(10, old.mq_maxmsg);
	EXPECT_EQ(0, posix->mq_setattr(dup_q, &attr, &old));
	EXPECT_EQ(O_NONBLOCK, old.mq_flags);
	EXPECT_EQ(O_NONBLOCK, fcntl(dup_q, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(O_RDWR, fcntl(q, F_GETFL) & O_ACCMODE);
	EXPECT_ERR(EAGAIN, posix->mq_receive(dup_q, (char *)&attr, 8192, NULL));
	attr.mq_flags = O_NONBLOCK | 1;
	EXPECT_ERR(EINVAL, posix->mq_setattr(q, &attr, NULL));
	attr.mq_flags = O_APPEND;
	EXPECT_ERR(EINVAL, posix->mq_setattr(q, &attr, &old));
	attr.mq_flags = 0;
	EXPECT_EQ(0, posix->mq_setattr(q, &attr, NULL));
	EXPECT_EQ(0, posix->mq_getattr(dup_q, &attr));
	EXPECT_EQ(0, attr.mq_flags);
	EXPECT_EQ(10, attr.mq_maxmsg);
	close(dup_q);
	EXPECT_EQ(0, posix->mq_unlink("/a"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* ---- Sending and receiving ---- */

TEST_F(mq, priorities)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/p", O_RDWR, 10);
	unsigned int i;

	ASSERT_LE(0, q);
	EXPECT_EQ(0, put(posix, q, 1, 0));
	EXPECT_EQ(0, put(posix, q, 2, 32767));
	EXPECT_EQ(0, put(posix, q, 3, 5));
	EXPECT_EQ(0, put(posix, q, 4, 32767));
	EXPECT_EQ(0, put(posix, q, 5, 5));
	EXPECT_EQ(0, put(posix, q, 6, 0));
	EXPECT_ERR(EINVAL, put(posix, q, 7, 32768));
	EXPECT_ERR(EINVAL, put(posix, q, 7, UINT_MAX));
	EXPECT_EQ(6, queued(posix, q));
	EXPECT_EQ(32767l << 16 | 2, take(posix, q));
	EXPECT_EQ(32767l << 16 | 4, take(posix, q));
	EXPECT_EQ(0, put(posix, q, 8, 6));
	EXPECT_EQ(6l << 16 | 8, take(posix, q));
	EXPECT_EQ(5l << 16 | 3, take(posix, q));
	EXPECT_EQ(5l << 16 | 5, take(posix, q));
	EXPECT_EQ(1, take(posix, q));
	EXPECT_EQ(6, take(posix, q));
	/* Once more, from empty. */
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, put(posix, q, i, i));
	for (i = 10; i--;)
		EXPECT_EQ((long)i << 16 | i, take(posix, q));
	EXPECT_EQ(0, posix->mq_unlink("/p"));
	EXPECT_EQ(0, posix->mq_close(q));
}

/* A thousand messages, few and many priorities, some of them taken in between. */
TEST_F(mq, thousand)
{
	static const unsigned int spread[] = { 1, 7, 32768 };
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/k", O_RDWR, 1000);
	static unsigned int prio[3000];
	static bool there[3000];
	unsigned int i, k, best, next, wrong;
	long got;

	ASSERT_LE(0, q);
	for (k = 0; k < ARRAY_SIZE(spread); k++) {
		srand(k + 1);
		memset(there, 0, sizeof(there));
		for (next = 0, i = 0, wrong = 0; i < 4000; i++) {
			if (next < 3000 && queued(posix, q) < 1000 &&
			    (i < 900 || rand() % 3 || !queued(posix, q))) {
				prio[next] = rand() % spread[k];
				there[next] = true;
				ASSERT_EQ(0, put(posix, q, next, prio[next]));
				next++;
				continue;
			}
			if (!queued(posix, q))
				break;
			for (best = 0; !there[best]; best++)
				;
			for (unsigned int j = best; j < next; j++)
				if (there[j] && prio[j] > prio[best])
					best = j;
			got = take(posix, q);
			wrong += got != ((long)prio[best] << 16 | best);
			there[best] = false;
		}
		EXPECT_EQ(0, wrong) TH_LOG("%u priorities", spread[k]);
		while (queued(posix, q))
			ASSERT_LE(0, take(posix, q));
	}
	EXPECT_EQ(0, posix->mq_unlink("/k"));
	EXPECT_EQ(0, posix->mq_close(q));
}

TEST_F(mq, sizes)
{
	static const size_t sizes[] = { 0, 1, 7, 64, 1000, 4000, 4096, 8192, 65535, 65536, ROOM };
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = ROOM };
	const struct posix *posix = variant->posix;
	static char out[ROOM + 1], in[ROOM + 1];
	unsigned int i, prio;
	mqd_t q, small;

	q = posix->mq_open("/z", O_CREAT | O_RDWR, 0600, &attr);
	ASSERT_LE(0, q);
	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 31 >> 3;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(in, POISON, sizeof(in));
		EXPECT_EQ(0, posix->mq_send(q, out, sizes[i], i * 1000));
		prio = ~0;
		EXPECT_EQ(sizes[i], posix->mq_receive(q, in, ROOM + i % 2, &prio));
		EXPECT_EQ(i * 1000, prio);
		EXPECT_EQ(0, memcmp(in, out, sizes[i]));
		EXPECT_EQ((char)POISON, in[sizes[i]]);
		EXPECT_EQ(0, posix->mq_send(q, out, sizes[i], i));
		EXPECT_EQ(sizes[i], posix->mq_receive(q, in, ROOM, NULL));
	}
	EXPECT_ERR(EMSGSIZE, posix->mq_send(q, out, ROOM + 1, 0));
	EXPECT_ERR(EMSGSIZE, posix->mq_send(q, out, SIZE_MAX, 0));
	EXPECT_ERR(EMSGSIZE, posix->mq_send(q, out, SIZE_MAX / 2 + 1, 0));
	EXPECT_ERR(EMSGSIZE, posix->mq_receive(q, in, ROOM - 1, NULL));
	EXPECT_ERR(EMSGSIZE, posix->mq_receive(q, in, 0, NULL));
	EXPECT_EQ(0, queued(posix, q));

	/* What the short way takes to receive, to the byte. */
	attr.mq_msgsize = 65535;
	small = posix->mq_open("/y", O_CREAT | O_RDWR, 0600, &attr);
	ASSERT_LE(0, small);
	EXPECT_EQ(0, posix->mq_send(small, out, 65535, 32767));
	EXPECT_ERR(EMSGSIZE, posix->mq_send(small, out, 65536, 0));
	memset(in, POISON, sizeof(in));
	EXPECT_EQ(65535, posix->mq_receive(small, in, 65535, &prio));
	EXPECT_EQ(32767, prio);
	EXPECT_EQ(0, memcmp(in, out, 65535));
	EXPECT_EQ(0, posix->mq_unlink("/z"));
	EXPECT_EQ(0, posix->mq_unlink("/y"));
	EXPECT_EQ(0, posix->mq_close(q));
	EXPECT_EQ(0, posix->mq_close(small));
}

TEST_F(mq, nonblocking)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/n", O_RDWR | O_NONBLOCK, 2), waits;
	struct timespec bad = { .tv_nsec = -1 }, late = { .tv_sec = 1 };
	int number;

	ASSERT_LE(0, q);
	EXPECT_ERR(EAGAIN, take(posix, q));
	EXPECT_ERR(EAGAIN, posix->mq_timedreceive(q, (char *)&number, 4, NULL, &late));
	EXPECT_ERR(EINVAL, posix->mq_timedreceive(q, (char *)&number, 4, NULL, &bad));
	EXPECT_ERR(EMSGSIZE, posix->mq_receive(q, (char *)&number, 3, NULL));
	EXPECT_EQ(0, put(posix, q, 1, 0));
	EXPECT_EQ(0, put(posix, q, 2, 0));
	EXPECT_ERR(EAGAIN, put(posix, q, 3, 0));
	EXPECT_ERR(EAGAIN, posix->mq_timedsend(q, (char *)&number, 4, 0, &late));
	/* It is the description's; another of the same queue waits. */
	waits = posix->mq_open("/n", O_WRONLY);
	ASSERT_LE(0, waits);
	EXPECT_ERR(ETIMEDOUT, posix->mq_timedsend(waits, (char *)&number, 4, 0, &late));
	EXPECT_EQ(2, queued(posix, q));
	EXPECT_EQ(0, posix->mq_unlink("/n"));
	EXPECT_EQ(0, posix->mq_close(q));
	EXPECT_EQ(0, posix->mq_close(waits));
}

/* What is read of the descriptor tells about the queue. */
TEST_F(mq, tells_of_itself)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/r", O_RDWR, 4), reader;
	char text[200] = "", want[200];

	ASSERT_LE(0, q);
	reader = posix->mq_open("/r", O_RDONLY);
	ASSERT_LE(0, reader);
	EXPECT_EQ(0, posix->mq_notify(q, &event));
	snprintf(want, sizeof(want), "QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", 0,
		 SIGEV_SIGNAL, SIGUSR1, getpid());
	EXPECT_EQ((ssize_t)strlen(want), read(reader, text, sizeof(text)));
	EXPECT_STREQ(want, text);
	EXPECT_EQ(0, read(reader, text, sizeof(text)));
	EXPECT_EQ(0, posix->mq_notify(q, NULL));
	EXPECT_EQ(0, posix->mq_send(q, "1234567", sizeof(int), 3));
	memset(text, 0, sizeof(text));
	EXPECT_EQ(5, read(q, text, 5));
	EXPECT_STREQ("QSIZE", text);
	memset(text, 0, sizeof(text));
	EXPECT_LT(10, read(q, text, sizeof(text)));
	EXPECT_EQ(0, strncmp(text, ":4 ", 3));
	posix->mq_close(reader);
	posix->mq_close(q);
	EXPECT_EQ(0, posix->mq_unlink("/r"));
}

/* What may be done with one of these rights, and with what is none. */
TEST_F(mq, bad_descriptors)
{
	const struct posix *posix = variant->posix;
	mqd_t q = open_numbers(posix, "/b", O_RDWR, 2), reader, writer;
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	struct timespec late = { .tv_sec = 1 }, bad = { .tv_nsec = 1000000000 };
	int fds[6], number = 0;
	struct mq_attr attr;
	unsigned int i;

	ASSERT_LE(0, q);
	reader = posix->mq_open("/b", O_RDONLY);
	writer = posix->mq_open("/b", O_WRONLY);
	EXPECT_ERR(EBADF, put(posix, reader, 1, 0));
	EXPECT_ERR(EINVAL, put(posix, reader, 1, 32768));
	EXPECT_ERR(EBADF, posix->mq_timedsend(reader, (char *)&number, 4, 0, &late));
	EXPECT_ERR(EBADF, take(posix, writer));
	EXPECT_ERR(EBADF, posix->mq_receive(writer, (char *)&number, 1, NULL));
	EXPECT_ERR(EBADF, posix->mq_timedreceive(writer, (char *)&number, 4, NULL, &late));
	EXPECT_EQ(0, put(posix, writer, 1, 0));
	EXPECT_EQ(1, take(posix, reader));
	/* Both may ask, and be told. */
	EXPECT_EQ(0, posix->mq_getattr(writer, &attr));
	EXPECT_EQ(0, posix->mq_notify(writer, &event));
	EXPECT_EQ(0, posix->mq_notify(reader, NULL));

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds + 2));
	fds[4] = open("/dev/null", O_RDWR);
	fds[5] = -1;
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		EXPECT_ERR(EBADF, put(posix, fds[i], 1, 0));
		EXPECT_ERR(EINVAL, put(posix, fds[i], 1, 32768));
		EXPECT_ERR(EBADF, take(posix, fds[i]));
		EXPECT_ERR(EBADF, posix->mq_receive(fds[i], (char *)&number, ROOM, NULL));
		EXPECT_ERR(EBADF, posix->mq_timedsend(fds[i], (char *)&number, 4, 0, &late));
		EXPECT_ERR(EBADF, posix->mq_timedreceive(fds[i], (char *)&number, 4, NULL,
							 &late));
		EXPECT_ERR(EINVAL, posix->mq_timedsend(fds[i], (char *)&number, 4, 32768, &late));
		EXPECT_ERR(EINVAL, posix->mq_timedsend(fds[i], (char *)&number, 4, 0, &bad));
		EXPECT_ERR(EINVAL, posix->mq_timedreceive(fds[i], (char *)&number, 4, NULL,
							  &bad));
		EXPECT_ERR(EBADF, posix->mq_getattr(fds[i], &attr));
		EXPECT_ERR(EBADF, posix->mq_setattr(fds[i], &(struct mq_attr){}, NULL));
		EXPECT_ERR(EBADF, posix->mq_notify(fds[i], NULL));
		EXPECT_ERR(EBADF, posix->mq_notify(fds[i], &event));
		event.sigev_notify = SIGEV_THREAD;
		EXPECT_ERR(EBADF, posix->mq_notify(fds[i], &event));
		event.sigev_notify = SIGEV_NONE;
	}
	for (i = 0; i < 5; i++)
		close(fds[i]);
	EXPECT_EQ(0, posix->mq_unlink("/b"));
	EXPECT_EQ(0, posix->mq_close(q));
	EXPECT_EQ(0, posix->mq_close(reader));
	EXPECT_EQ(0, posix->mq_close(writer));
}

/* ---- Rights and limits ---- */

TEST_F(mq, permissions)
{
	static const mode_t modes[] = { 0, 0400, 0200, 0600, 0460, 0660, 0644, 0666, 0606, 0066 };
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const unsigned int wants[] = { 4, 2, 6 };
	const struct posix *posix = variant->posix;
	struct peer *p = self->p;
	unsigned int i, k, f;
	int q, fd;

	ASSERT_EQ(0, peer_become(&p[0], &alice));
	ASSERT_EQ(0, peer_become(&p[1], &bob));
	ASSERT_EQ(0, peer_become(&p[2], &other));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		/* Who makes it may do with that descriptor as it has asked. */
		q = peer_open(&p[0], posix, "/m", O_CREAT | O_EXCL | O_RDWR, modes[i], 2, 4);
		ASSERT_LE(0, q);
		EXPECT_EQ(0, peer_run(&p[0], do_put, (long)posix, q, 1, 0, 0));
		for (k = 0; k < 3; k++) {
			for (f = 0; f < 3; f++) {
				unsigned int has = (modes[i] & ~022) >> (6 - 3 * k) & 6;
				int oflag = flags[f] | (i & 1 ? O_CREAT : 0);

				fd = peer_open(&p[k], posix, "/m", oflag, 0777, 2, 4);
				EXPECT_EQ(wants[f] & ~has ? EACCES : 0, fd < 0 ? errno : 0)
					TH_LOG("mode %o, who %u, flags %d", modes[i], k, oflag);
				if (fd >= 0)
					peer_run(&p[k], do_close, (long)posix, fd, 0, 0, 0);
			}
		}
		EXPECT_ERR(EACCES, peer_unlink(&p[1], posix, "/m"));
		EXPECT_EQ(0, peer_unlink(&p[0], posix, "/m"));
		peer_run(&p[0], do_close, (long)posix, q, 0, 0, 0);
	}
	q = peer_open(&p[0], posix, "/m", O_CREAT | O_EXCL | O_RDONLY, 0, 2, 4);
	ASSERT_LE(0, q);
	/* The privileged. */
	q = posix->mq_open("/m", O_RDWR);
	EXPECT_LE(0, q);
	EXPECT_EQ(0, posix->mq_unlink("/m"));
	EXPECT_EQ(0, posix->mq_close(q));
}

TEST_F(mq, limits)
{
	static const struct { const char *name; long value, least, most; } files[] = {
		{ "queues_max", 256, 0, 0 }, { "msg_max", 10, 1, 65536 },
		{ "msgsize_max", 8192, 128, 16 << 20 }, { "msg_default", 10, 1, 65536 },
		{ "msgsize_default", 8192, 128, 16 << 20 },
	};
	const struct posix *posix = variant->posix;
	struct peer *p = self->p;
	struct mq_attr attr;
	unsigned int i;
	mqd_t q, root;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(files[i].value, limit(posix, files[i].name, -1));
		if (!files[i].most)
			continue;
		EXPECT_EQ(0, limit(posix, files[i].name, files[i].most));
		EXPECT_NE(0, limit(posix, files[i].name, files[i].most + 1));
		EXPECT_EQ(0, limit(posix, files[i].name, files[i].least));
		EXPECT_NE(0, limit(posix, files[i].name, files[i].least - 1));
		EXPECT_EQ(files[i].least, limit(posix, files[i].name, -1));
		EXPECT_EQ(0, limit(posix, files[i].name, files[i].value));
	}

	/* Of one queue: others than the privileged are held to it. */
	ASSERT_EQ(0, peer_become(&p[0], &alice));
	EXPECT_ERR(EINVAL, peer_open(&p[0], posix, "/l", O_CREAT | O_RDWR, 0600, 11, 4));
	EXPECT_ERR(EINVAL, peer_open(&p[0], posix, "/l", O_CREAT | O_RDWR, 0600, 1, 8193));
	EXPECT_EQ(0, limit(posix, "msg_max", 4));
	EXPECT_EQ(0, limit(posix, "msgsize_max", 256));
	EXPECT_ERR(EINVAL, peer_open(&p[0], posix, "/l", O_CREAT | O_RDWR, 0600, 5, 4));
	/* What is not said is no more than may be said; of the privileged likewise. */
	root = posix->mq_open("/l", O_CREAT | O_RDWR, 0666, NULL);
	ASSERT_LE(0, root);
	EXPECT_EQ(0, posix->mq_getattr(root, &attr));
	EXPECT_EQ(4, attr.mq_maxmsg);
	EXPECT_EQ(256, attr.mq_msgsize);
	EXPECT_EQ(0, limit(posix, "msg_default", 2));
	EXPECT_EQ(0, limit(posix, "msgsize_default", 128));
	q = posix->mq_open("/m", O_CREAT | O_RDWR, 0666, NULL);
	EXPECT_EQ(0, posix->mq_getattr(q, &attr));
	EXPECT_EQ(2, attr.mq_maxmsg);
	EXPECT_EQ(128, attr.mq_msgsize);
	EXPECT_EQ(0, posix->mq_close(q));

	/* Of all: those without a name count as long as somebody has them open. */
	EXPECT_EQ(0, limit(posix, "queues_max", 2));
	EXPECT_ERR(ENOSPC, peer_open(&p[0], posix, "/n", O_CREAT | O_RDWR, 0600, 1, 4));
	EXPECT_ERR(ENOSPC, peer_open(&p[0], posix, "/n", O_CREAT | O_RDWR, 0600, 99, 4));
	EXPECT_EQ(0, posix->mq_unlink("/l"));
	EXPECT_ERR(ENOSPC, peer_open(&p[0], posix, "/n", O_CREAT | O_RDWR, 0600, 1, 4));
	q = posix->mq_open("/o", O_CREAT | O_RDWR, 0600, NULL);
	EXPECT_LE(0, q);
	EXPECT_EQ(0, posix->mq_close(q));
	EXPECT_EQ(0, posix->mq_unlink("/o"));
	EXPECT_EQ(0, posix->mq_close(root));
	EXPECT_EQ(0, posix->mq_unlink("/m"));
	q = peer_open(&p[0], posix, "/n", O_CREAT | O_RDWR, 0600, 1, 4);
	EXPECT_LE(0, q);
	EXPECT_EQ(0, posix->mq_unlink("/n"));
}

static long do_limit_bytes(long *arg, void *buf)
{
	struct rlimit bytes = { .rlim_cur = arg[0], .rlim_max = arg[0] };

	(void)buf;
	return setrlimit(RLIMIT_MSGQUEUE, &bytes);
}

/* RLIMIT_MSGQUEUE: bytes of all queues that a user has made. */
TEST_F(mq, bytes_of_a_user)
{
	const struct posix *posix = variant->posix;
	/* As native reckons: 10 x 100 bytes, and 10 x 96 for what goes with them. */
	const long one = 10 * 100 + 10 * 96;
	struct peer *p = self->p;
	int q, i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, peer_run(&p[i], do_limit_bytes, 2 * one + one / 2, 0, 0, 0, 0));
		ASSERT_EQ(0, peer_become(&p[i], i == 2 ? &bob : &alice));
	}
	q = peer_open(&p[0], posix, "/1", O_CREAT | O_RDWR, 0600, 10, 100);
	ASSERT_LE(0, q);
	EXPECT_LE(0, peer_open(&p[1], posix, "/2", O_CREAT | O_RDWR, 0600, 10, 100));
	/* It is the user's, not the process'; to the byte. */
	EXPECT_ERR(EMFILE, peer_open(&p[0], posix, "/3", O_CREAT | O_RDWR, 0600, 10, 100));
	EXPECT_ERR(EMFILE, peer_open(&p[1], posix, "/3", O_CREAT | O_RDWR, 0600, 1,
				     one / 2 - 96 + 1));
	EXPECT_LE(0, peer_open(&p[1], posix, "/3", O_CREAT | O_RDWR, 0600, 1, one / 2 - 96));
	/* Others are not concerned. */
	EXPECT_LE(0, peer_open(&p[2], posix, "/4", O_CREAT | O_RDWR, 0600, 10, 100));
	EXPECT_LE(0, peer_open(&p[2], posix, "/5", O_CREAT | O_RDWR, 0600, 10, 100));
	EXPECT_ERR(EMFILE, peer_open(&p[2], posix, "/6", O_CREAT | O_RDWR, 0600, 10, 100));

	/* They come back with the last user of one without a name. */
	EXPECT_EQ(0, posix->mq_unlink("/1"));
	EXPECT_ERR(EMFILE, peer_open(&p[1], posix, "/6", O_CREAT | O_RDWR, 0600, 10, 100));
	EXPECT_EQ(0, peer_run(&p[0], do_close, (long)posix, q, 0, 0, 0));
	EXPECT_LE(0, peer_open(&p[1], posix, "/6", O_CREAT | O_RDWR, 0600, 10, 100));
	for (i = '2'; i <= '6'; i++)
		EXPECT_EQ(0, posix->mq_unlink((char []){ '/', i, 0 }));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* Byte streams: who waits, who is told of what there is, and many at once. */
#include "posix/fifo.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>

static long do_read(long *arg, void *buf)
{
	(void)buf;
	return read(arg[0], in, arg[1]);
}

static long do_write(long *arg, void *buf)
{
	(void)buf;
	return write(arg[0], out, arg[1]);
}

static long do_poll(long *arg, void *buf)
{
	struct pollfd p = { .fd = arg[0], .events = arg[1] };

	(void)buf;
	return poll(&p, 1, -1) == 1 ? p.revents : -1;
}

static int ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* ---- To wait ---- */

TEST_F(stream, reader_waits)
{
	const struct fifo *fifo = variant->fifo;
	int reads, writes;

	writes = fifo->open("/f", O_RDWR);
	reads = peer_opens(&self->p, fifo, O_RDONLY);
	ASSERT_LE(0, reads);
	EXPECT_EQ(0, peer_begin(&self->p, do_read, reads, 100, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(7, write(writes, out, 7));
	EXPECT_EQ(7, peer_finish(&self->p));

	/* Until nobody can write any more. */
	EXPECT_EQ(0, peer_begin(&self->p, do_read, reads, 100, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	close(writes);
	EXPECT_EQ(0, peer_finish(&self->p));

	/* Until a signal. */
	writes = fifo->open("/f", O_WRONLY);
	EXPECT_EQ(0, peer_catch(&self->p, SIGUSR1, 0));
	EXPECT_EQ(0, peer_begin(&self->p, do_read, reads, 100, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(0, kill(self->p.pid, SIGUSR1));
	EXPECT_EQ(-1, peer_finish(&self->p));
	EXPECT_EQ(EINTR, errno);
	EXPECT_EQ(0, peer_catch(&self->p, SIGUSR1, SA_RESTART));
	EXPECT_EQ(0, peer_begin(&self->p, do_read, reads, 100, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(0, kill(self->p.pid, SIGUSR1));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(8, write(writes, out, 8));
	EXPECT_EQ(8, peer_finish(&self->p));
	close(writes);
}

TEST_F(stream, writer_waits)
{
	const struct fifo *fifo = variant->fifo;
	int reads, writes;

	reads = fifo->open("/f", O_RDWR | O_NONBLOCK);
	writes = peer_opens(&self->p, fifo, O_WRONLY);
	ASSERT_LE(0, writes);
	EXPECT_EQ(CAPACITY, peer_run(&self->p, do_write, writes, CAPACITY, 0, 0, 0));
	EXPECT_EQ(0, peer_begin(&self->p, do_write, writes, 4096, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(4095, read(reads, in, 4095));
	EXPECT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(1, read(reads, in, 1));
	EXPECT_EQ(4096, peer_finish(&self->p));

	/* What is longer than the whole goes in parts, which a signal can end. */
	EXPECT_EQ(CAPACITY, read(reads, in, sizeof(in)));
	EXPECT_EQ(0, peer_catch(&self->p, SIGUSR1, 0));
	EXPECT_EQ(0, peer_begin(&self->p, do_write, writes, 3 * CAPACITY, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(CAPACITY, read(reads, in, CAPACITY));
	wait_until(ready(reads) & POLLIN);
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(0, kill(self->p.pid, SIGUSR1));
	EXPECT_EQ(2 * CAPACITY, peer_finish(&self->p));
	EXPECT_EQ(0, peer_begin(&self->p, do_write, writes, 1, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(0, kill(self->p.pid, SIGUSR1));
	EXPECT_EQ(-1, peer_finish(&self->p));
	EXPECT_EQ(EINTR, errno);

	/* Until nobody reads any more. */
	EXPECT_EQ(0, peer_catch(&self->p, SIGPIPE, -1));
	EXPECT_EQ(0, peer_begin(&self->p, do_write, writes, 1, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	close(reads);
	EXPECT_EQ(-1, peer_finish(&self->p));
	EXPECT_EQ(EPIPE, errno);
}

/* Two sleep; the one who would be first dies.  Nobody is forgotten. */
TEST_F(stream, killed_asleep)
{
	const struct fifo *fifo = variant->fifo;
	struct peer *first = &self->p, *second = &self->q;
	int fd = fifo->open("/f", O_RDWR), k;
	int ends[2];

	for (k = 0; k < 2; k++) {
		if (k) {
			EXPECT_EQ(CAPACITY, write(fd, out, CAPACITY));
		}
		ends[0] = peer_opens(first, fifo, O_RDWR);
		ends[1] = peer_opens(second, fifo, O_RDWR);
		ASSERT_LE(0, ends[0]);
		ASSERT_LE(0, ends[1]);
		EXPECT_EQ(0, peer_begin(first, k ? do_write : do_read, ends[0], 10, 0, 0, 0));
		ASSERT_EQ(0, peer_asleep(first));
		EXPECT_EQ(0, peer_begin(second, k ? do_write : do_read, ends[1], 10, 0, 0, 0));
		ASSERT_EQ(0, peer_asleep(second));
		EXPECT_EQ(SIGKILL, peer_end(first, SIGKILL) & 0x7f);
		if (k) {
			EXPECT_EQ(CAPACITY, read(fd, in, CAPACITY));
		} else {
			EXPECT_EQ(10, write(fd, out, 10));
		}
		EXPECT_EQ(10, peer_finish(second));
		EXPECT_EQ(0, peer_run(second, do_close, ends[1], 0, 0, 0, 0));
		ASSERT_EQ(0, peer_start(first));
	}
	close(fd);
}

/* What one leaves another gets who sleeps, too. */
TEST_F(stream, two_readers)
{
	const struct fifo *fifo = variant->fifo;
	int fd = fifo->open("/f", O_RDWR), first, second;

	first = peer_opens(&self->p, fifo, O_RDONLY);
	second = peer_opens(&self->q, fifo, O_RDONLY);
	EXPECT_EQ(0, peer_begin(&self->p, do_read, first, 4, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(0, peer_begin(&self->q, do_read, second, 4, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->q));
	EXPECT_EQ(8, write(fd, out, 8));
	EXPECT_EQ(4, peer_finish(&self->p));
	EXPECT_EQ(4, peer_finish(&self->q));
	close(fd);
}

TEST_F(stream, polled)
{
	const struct fifo *fifo = variant->fifo;
	int reads, writes;

	reads = fifo->open("/f", O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(0, ready(reads));
	writes = fifo->open("/f", O_WRONLY | O_NONBLOCK);
	EXPECT_EQ(0, ready(reads));
	EXPECT_EQ(POLLOUT, ready(writes));
	EXPECT_EQ(1, write(writes, out, 1));
	EXPECT_EQ(POLLIN, ready(reads));
	EXPECT_EQ(POLLOUT, ready(writes));
	EXPECT_EQ(1, read(reads, in, 1));
	EXPECT_EQ(CAPACITY, write(writes, out, CAPACITY));
	EXPECT_EQ(0, ready(writes));
	EXPECT_EQ(100, read(reads, in, 100));
	EXPECT_EQ(0, ready(writes));
	EXPECT_EQ(3996, read(reads, in, 3996));
	EXPECT_EQ(POLLOUT, ready(writes));
	close(writes);
	EXPECT_EQ(POLLIN | POLLHUP, ready(reads));
	EXPECT_EQ(CAPACITY - 4096, read(reads, in, sizeof(in)));
	EXPECT_EQ(POLLHUP, ready(reads));
	writes = fifo->open("/f", O_WRONLY | O_NONBLOCK);
	EXPECT_EQ(0, ready(reads));
	close(reads);
	EXPECT_EQ(POLLOUT | POLLERR, ready(writes));
	close(writes);
	reads = fifo->open("/f", O_RDWR);
	EXPECT_EQ(POLLOUT, ready(reads));
	close(reads);
}

TEST_F(stream, polled_asleep)
{
	const struct fifo *fifo = variant->fifo;
	int reads, writes, fd;

	fd = fifo->open("/f", O_RDWR);
	reads = peer_opens(&self->p, fifo, O_RDONLY);
	writes = peer_opens(&self->q, fifo, O_WRONLY);
	EXPECT_EQ(0, peer_begin(&self->p, do_poll, reads, POLLIN, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(CAPACITY, write(fd, out, CAPACITY));
	EXPECT_EQ(POLLIN, peer_finish(&self->p));
	EXPECT_EQ(0, peer_begin(&self->q, do_poll, writes, POLLOUT, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->q));
	EXPECT_EQ(CAPACITY, read(fd, in, CAPACITY));
	EXPECT_EQ(POLLOUT, peer_finish(&self->q));

	EXPECT_EQ(0, peer_begin(&self->p, do_poll, reads, POLLIN, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(0, peer_run(&self->q, do_close, writes, 0, 0, 0, 0));
	close(fd);
	EXPECT_EQ(POLLHUP, peer_finish(&self->p));
}

static int epoll_events(int ep)
{
	struct epoll_event event;
	int count = epoll_wait(ep, &event, 1, 0);

	return count == 1 ? (int)event.events : count;
}

TEST_F(stream, edges)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int reads, writes, ep = epoll_create1(0);

	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, O_NONBLOCK));
	EXPECT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, reads, &event));
	EXPECT_EQ(0, epoll_events(ep));
	EXPECT_EQ(10, write(writes, out, 10));
	EXPECT_EQ(EPOLLIN, epoll_events(ep));
	EXPECT_EQ(0, epoll_events(ep));
	EXPECT_EQ(5, read(reads, in, 5));
	EXPECT_EQ(0, epoll_events(ep));
	EXPECT_EQ(1, write(writes, out, 1));
	EXPECT_EQ(EPOLLIN, epoll_events(ep));
	EXPECT_EQ(6, read(reads, in, 100));
	EXPECT_EQ(0, epoll_events(ep));
	close(writes);
	EXPECT_EQ(EPOLLHUP, epoll_events(ep));
	close(ep);
	close(reads);
}

static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
	(void)sig;
	signals++;
}

TEST_F(stream, signalled)
{
	int reads, writes;

	signal(SIGIO, count_signal);
	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, O_NONBLOCK));
	EXPECT_EQ(0, fcntl(reads, F_SETOWN, getpid()));
	EXPECT_EQ(0, fcntl(writes, F_SETOWN, getpid()));
	EXPECT_EQ(0, fcntl(reads, F_SETFL, O_NONBLOCK | O_ASYNC));
	EXPECT_EQ(0, signals);
	EXPECT_EQ(CAPACITY, write(writes, out, CAPACITY));
	EXPECT_EQ(1, signals);
	EXPECT_EQ(0, fcntl(reads, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(0, fcntl(writes, F_SETFL, O_NONBLOCK | O_ASYNC));
	EXPECT_EQ(CAPACITY, read(reads, in, CAPACITY));
	EXPECT_EQ(2, signals);
	close(reads);
	EXPECT_EQ(3, signals);
	close(writes);
}

/* ---- Many ---- */

struct part {
	unsigned int writer, number, size;
	unsigned char bytes[];
};

#define WRITERS	4
#define PARTS	400

/* Parts of up to PIPE_BUF bytes stay together, whoever else writes. */
static int write_parts(int fd, unsigned int writer)
{
	static char room[4096];
	struct part *part = (struct part *)room;
	unsigned int i, seed = writer;

	for (i = 0; i < PARTS; i++) {
		part->writer = writer;
		part->number = i;
		part->size = sizeof(*part) + rand_r(&seed) % (sizeof(room) - sizeof(*part) + 1);
		memset(part->bytes, writer * 16 + i % 16, part->size - sizeof(*part));
		if (write(fd, part, part->size) != (ssize_t)part->size)
			return 1;
	}
	return 0;
}

static int read_fully(int fd, void *to, size_t size)
{
	char *at = to;
	ssize_t done;

	for (; size; size -= (size_t)done, at += done) {
		done = read(fd, at, size);
		if (done <= 0)
			return done || at != to ? -1 : 1;
	}
	return 0;
}

TEST_F(stream, parts_stay_together)
{
	unsigned int next[WRITERS] = {}, wrong = 0, total = 0, i;
	static char room[4096];
	struct part *part = (struct part *)room;
	int reads, writes, fd, status, ret;
	pid_t pid[WRITERS];

	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, 0));
	for (i = 0; i < WRITERS; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			fd = variant->fifo->open("/f", O_WRONLY);
			_exit(write_parts(fd, i));
		}
	}
	for (total = 0; total < WRITERS * PARTS; total++) {
		ret = read_fully(reads, part, sizeof(*part));
		ASSERT_EQ(0, ret);
		ASSERT_GT(WRITERS, part->writer);
		ASSERT_LE(sizeof(*part), part->size);
		ASSERT_GE(sizeof(room), part->size);
		ASSERT_EQ(0, read_fully(reads, part->bytes, part->size - sizeof(*part)));
		wrong += part->number != next[part->writer]++;
		for (i = 0; i < part->size - sizeof(*part); i++)
			wrong += part->bytes[i] != (part->writer * 16 + part->number % 16) % 256;
	}
	EXPECT_EQ(0, wrong);
	close(writes);
	for (i = 0; i < WRITERS; i++) {
		EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, read(reads, in, 1));
	close(reads);
}

/* Several who read, and several who write, more than the capacity at once; some die. */
TEST_F(stream, crowd)
{
	unsigned long *sums = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[9];
	unsigned int i, k;
	ssize_t done;
	int status, fd, doomed;

	fd = variant->fifo->open("/f", O_RDWR);
	for (i = 0; i < 9; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (pid[i])
			continue;
		/* Three write, three read, three read and are killed with nothing in hand. */
		doomed = i >= 6;
		if (i < 3) {
			for (k = 0; k < 8; k++)
				if (write(fd, out, 3 * CAPACITY / 2 + i) != 3 * CAPACITY / 2 + i)
					_exit(1);
			_exit(0);
		}
		if (doomed) {
			struct pollfd p = { .fd = fd, .events = POLLPRI };

			poll(&p, 1, -1);
			_exit(1);
		}
		close(fd);
		fd = variant->fifo->open("/f", O_RDONLY);
		sums[i + 10] = 1;
		while ((done = read(fd, in, 5000 * i)) > 0)
			sums[i] += done;
		_exit(done < 0);
	}
	for (i = 6; i < 9; i++) {
		EXPECT_EQ(0, kill(pid[i], SIGKILL));
		EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
	}
	/* Nobody may find the end before he has begun. */
	for (i = 3; i < 6; i++)
		wait_until(__atomic_load_n(&sums[i + 10], __ATOMIC_SEQ_CST));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	close(fd);
	for (i = 3; i < 6; i++) {
		EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(8 * (3 * 3 * CAPACITY / 2 + 3), sums[3] + sums[4] + sums[5]);
	munmap(sums, PAGE);
}

TEST_HARNESS_MAIN

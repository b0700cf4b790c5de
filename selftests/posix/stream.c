// SPDX-License-Identifier: GPL-2.0
/* Byte streams: to open them, to read and write; see stream_wait.c and stream_mem.c too. */
#include "posix/fifo.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <linux/kipc.h>

static long do_unlink(long *arg, void *buf)
{
	return ((const struct fifo *)arg[0])->unlink(buf);
}

static int peer_begin_open(struct peer *p, const struct fifo *fifo, int flags)
{
	strcpy(p->page->buf, "/f");
	return peer_begin(p, do_open, (long)fifo, flags, 0, 0, 0);
}

/* ---- To open ---- */

TEST_F(stream, made_and_unlinked)
{
	const struct fifo *fifo = variant->fifo;
	int fd, other;

	EXPECT_ERR(EEXIST, fifo->make("/f", 0600));
	EXPECT_ERR(ENOENT, fifo->open("/g", O_RDWR));
	EXPECT_ERR(ENOENT, fifo->unlink("/g"));
	fd = fifo->open("/f", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	EXPECT_EQ(5, write(fd, "hello", 5));

	/* Without its name it is there as long as it is open; another has the name. */
	EXPECT_EQ(0, fifo->unlink("/f"));
	EXPECT_ERR(ENOENT, fifo->open("/f", O_RDWR));
	EXPECT_EQ(0, fifo->make("/f", 0600));
	other = fifo->open("/f", O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, fcntl(other, F_GETFD));
	EXPECT_EQ(O_NONBLOCK, fcntl(other, F_GETFL) & O_NONBLOCK);
	EXPECT_ERR(EAGAIN, read(other, in, 5));
	EXPECT_EQ(5, read(fd, in, 100));
	EXPECT_EQ(0, memcmp(in, "hello", 5));
	close(fd);
	close(other);
}

/* A side waits for the other. */
TEST_F(stream, meeting)
{
	const struct fifo *fifo = variant->fifo;
	int fd, k;

	for (k = 0; k < 2; k++) {
		EXPECT_EQ(0, peer_begin_open(&self->p, fifo, k ? O_WRONLY : O_RDONLY));
		ASSERT_EQ(0, peer_asleep(&self->p));
		/* Another of its side is not whom it waits for. */
		EXPECT_EQ(0, peer_begin_open(&self->q, fifo, k ? O_WRONLY : O_RDONLY));
		ASSERT_EQ(0, peer_asleep(&self->q));
		EXPECT_EQ(0, peer_asleep(&self->p));
		fd = fifo->open("/f", k ? O_RDONLY : O_WRONLY);
		EXPECT_LE(0, fd);
		close(fd);
		fd = peer_finish(&self->p);
		EXPECT_LE(0, fd);
		EXPECT_EQ(0, peer_run(&self->p, do_close, fd, 0, 0, 0, 0));
		fd = peer_finish(&self->q);
		EXPECT_LE(0, fd);
		EXPECT_EQ(0, peer_run(&self->q, do_close, fd, 0, 0, 0, 0));
	}
	/* Nobody was there for long: who comes now waits again. */
	EXPECT_EQ(0, peer_begin_open(&self->p, fifo, O_RDONLY));
	ASSERT_EQ(0, peer_asleep(&self->p));
	/* One who does both is of both sides, and waits for nobody. */
	fd = fifo->open("/f", O_RDWR);
	EXPECT_LE(0, fd);
	EXPECT_LE(0, peer_finish(&self->p));
	close(fd);
}

TEST_F(stream, meeting_without_waiting)
{
	const struct fifo *fifo = variant->fifo;
	int reads, writes;

	EXPECT_ERR(ENXIO, fifo->open("/f", O_WRONLY | O_NONBLOCK));
	reads = fifo->open("/f", O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, reads);
	writes = fifo->open("/f", O_WRONLY | O_NONBLOCK);
	ASSERT_LE(0, writes);
	EXPECT_ERR(EBADF, write(reads, out, 1));
	EXPECT_ERR(EBADF, read(writes, in, 1));
	close(reads);
	EXPECT_ERR(ENXIO, fifo->open("/f", O_WRONLY | O_NONBLOCK));
	close(writes);
}

/* Who has been interrupted, or killed, is not there any more. */
TEST_F(stream, meeting_interrupted)
{
	const struct fifo *fifo = variant->fifo;
	int fd;

	EXPECT_EQ(0, peer_catch(&self->p, SIGUSR1, 0));
	EXPECT_EQ(0, peer_catch(&self->q, SIGUSR1, SA_RESTART));
	EXPECT_EQ(0, peer_begin_open(&self->p, fifo, O_RDONLY));
	ASSERT_EQ(0, peer_asleep(&self->p));
	EXPECT_EQ(0, kill(self->p.pid, SIGUSR1));
	EXPECT_EQ(-1, peer_finish(&self->p));
	EXPECT_EQ(EINTR, errno);
	EXPECT_ERR(ENXIO, fifo->open("/f", O_WRONLY | O_NONBLOCK));

	EXPECT_EQ(0, peer_begin_open(&self->q, fifo, O_WRONLY));
	ASSERT_EQ(0, peer_asleep(&self->q));
	EXPECT_EQ(0, kill(self->q.pid, SIGUSR1));
	ASSERT_EQ(0, peer_asleep(&self->q));
	fd = fifo->open("/f", O_RDONLY);
	EXPECT_LE(0, fd);
	EXPECT_LE(0, peer_finish(&self->q));
	close(fd);

	EXPECT_EQ(0, peer_begin_open(&self->p, fifo, O_RDONLY));
	EXPECT_EQ(SIGKILL, peer_end(&self->p, SIGKILL) & 0x7f);
	EXPECT_ERR(ENXIO, fifo->open("/f", O_WRONLY | O_NONBLOCK));
	ASSERT_EQ(0, peer_start(&self->p));
}

TEST_F(stream, permissions)
{
	const struct who alice = { "alice", ALICE, ALICE, -1, 0 }, bob = { "bob", BOB, BOB, -1, 0 };
	const struct fifo *fifo = variant->fifo;
	struct peer *p = &self->p;

	ASSERT_EQ(0, fifo->make("/readable", 0644));
	ASSERT_EQ(0, fifo->make("/cut", 0666));
	ASSERT_EQ(0, peer_become(p, &alice));
	ASSERT_EQ(0, peer_become(&self->q, &bob));
	EXPECT_EQ(-1, peer_opens(p, fifo, O_RDONLY | O_NONBLOCK));
	EXPECT_EQ(EACCES, errno);
	/* Whoever may not open it is not told whether somebody reads. */
	EXPECT_EQ(-1, peer_opens(p, fifo, O_WRONLY | O_NONBLOCK));
	EXPECT_EQ(EACCES, errno);
	strcpy(p->page->buf, "/readable");
	EXPECT_LE(0, peer_run(p, do_open, (long)fifo, O_RDONLY | O_NONBLOCK, 0, 0, 0));
	strcpy(p->page->buf, "/readable");
	EXPECT_EQ(-1, peer_run(p, do_open, (long)fifo, O_RDWR, 0, 0, 0));
	EXPECT_EQ(EACCES, errno);
	/* Less what umask takes. */
	strcpy(p->page->buf, "/cut");
	EXPECT_EQ(-1, peer_run(p, do_open, (long)fifo, O_RDWR, 0, 0, 0));
	EXPECT_EQ(EACCES, errno);
	strcpy(p->page->buf, "/cut");
	EXPECT_EQ(-1, peer_run(p, do_unlink, (long)fifo, 0, 0, 0, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, fifo->unlink("/readable"));
	EXPECT_EQ(0, fifo->unlink("/cut"));
}

/* ---- To read and write ---- */

TEST_F(stream, reading)
{
	int reads, writes, fd;

	reads = variant->fifo->open("/f", O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, reads);
	/* Nobody writes: that is the end, also before anybody has. */
	EXPECT_EQ(0, read(reads, in, 1));
	writes = variant->fifo->open("/f", O_WRONLY);
	EXPECT_ERR(EAGAIN, read(reads, in, 1));
	EXPECT_EQ(0, read(reads, in, 0));
	EXPECT_EQ(0, write(writes, out, 0));
	EXPECT_ERR(EAGAIN, read(reads, in, 1));
	EXPECT_EQ(10, write(writes, out, 10));
	EXPECT_EQ(6, write(writes, out + 10, 6));
	EXPECT_EQ(3, read(reads, in, 3));
	EXPECT_EQ(13, read(reads, in + 3, 100));
	EXPECT_EQ(0, memcmp(in, out, 16));
	/* What is written is read after the last writer has gone, too. */
	EXPECT_EQ(7, write(writes, out, 7));
	fd = dup(writes);
	close(writes);
	EXPECT_EQ(7, read(reads, in, 100));
	EXPECT_ERR(EAGAIN, read(reads, in, 100));
	EXPECT_EQ(2, write(fd, out, 2));
	close(fd);
	EXPECT_EQ(2, read(reads, in, 100));
	EXPECT_EQ(0, read(reads, in, 100));
	/* And the next writer begins anew. */
	fd = variant->fifo->open("/f", O_WRONLY);
	EXPECT_ERR(EAGAIN, read(reads, in, 100));
	close(fd);
	close(reads);
}

/* What nobody has read goes with the last end. */
TEST_F(stream, forgotten)
{
	const struct fifo *fifo = variant->fifo;
	int reads, writes;

	ASSERT_EQ(0, open_both(fifo, &reads, &writes, O_NONBLOCK));
	EXPECT_EQ(9, write(writes, out, 9));
	close(reads);
	reads = fifo->open("/f", O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(9, read(reads, in, 100));
	EXPECT_EQ(9, write(writes, out, 9));
	close(reads);
	close(writes);
	reads = fifo->open("/f", O_RDWR | O_NONBLOCK);
	EXPECT_ERR(EAGAIN, read(reads, in, 100));
	close(reads);
}

TEST_F(stream, writing)
{
	int reads, writes;
	ssize_t done;

	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, O_NONBLOCK));
	/* What is up to PIPE_BUF long stays together; of what is longer goes what fits. */
	EXPECT_EQ(CAPACITY - 4096, write(writes, out, CAPACITY - 4096));
	EXPECT_EQ(4096, write(writes, out, 4096));
	EXPECT_ERR(EAGAIN, write(writes, out, 1));
	EXPECT_ERR(EAGAIN, write(writes, out, 5000));
	EXPECT_EQ(4096, read(reads, in, 4096));
	EXPECT_EQ(4096, write(writes, out, 3 * 4096));
	EXPECT_EQ(4096, read(reads, in, 4096));
	EXPECT_EQ(3000, write(writes, out, 3000));
	EXPECT_ERR(EAGAIN, write(writes, out, 4096));
	done = read(reads, in, sizeof(in));
	EXPECT_EQ(CAPACITY - 4096 + 3000, done);
	EXPECT_ERR(EAGAIN, read(reads, in, 1));

	signal(SIGPIPE, SIG_IGN);
	close(reads);
	EXPECT_ERR(EPIPE, write(writes, out, 1));
	EXPECT_ERR(EPIPE, write(writes, out, sizeof(out)));
	EXPECT_EQ(0, write(writes, out, 0));
	/* It gives a signal. */
	EXPECT_EQ(0, fcntl(writes, F_SETFL, 0));
	close(writes);
}

static int write_to_nobody(void *arg)
{
	const struct fifo *fifo = arg;
	int reads, writes;

	if (open_both(fifo, &reads, &writes, 0) || close(reads))
		return 1;
	signal(SIGPIPE, SIG_DFL);
	write(writes, out, 1);
	return 2;
}

TEST_F(stream, broken)
{
	int status = in_child(write_to_nobody, (void *)variant->fifo);

	EXPECT_EQ(true, WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

/* Sizes at random, at every place of the ring, against what was written. */
TEST_F(stream, random_sizes)
{
	unsigned int written = 0, taken = 0, wrong = 0, i, k;
	int reads, writes;
	ssize_t done;

	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, O_NONBLOCK));
	srand(1);
	for (i = 0; i < 4000; i++) {
		unsigned int size = rand() % (rand() % 4 ? 300 : 2 * CAPACITY) + 1;

		if (rand() % 2) {
			for (k = 0; k < size; k++)
				out[k] = (written + k) * 2654435761u >> 24;
			done = write(writes, out, size);
			written += done > 0 ? done : 0;
			continue;
		}
		done = read(reads, in, size);
		for (k = 0; done > 0 && k < (unsigned int)done; k++)
			wrong += in[k] != (char)((taken + k) * 2654435761u >> 24);
		if (done > 0)
			taken += done;
		else
			wrong += taken != written;
	}
	EXPECT_EQ(0, wrong);
	EXPECT_LT(10u * CAPACITY, taken);
	close(reads);
	close(writes);
}

TEST_F(stream, vectors)
{
	struct iovec parts[3] = { { out, 3 }, { out + 50, 0 }, { out + 3, 5000 } };
	int reads, writes;

	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, 0));
	EXPECT_EQ(5003, writev(writes, parts, 3));
	parts[0] = (struct iovec){ in, 4999 };
	parts[1] = (struct iovec){ in + 4999, 1 };
	parts[2] = (struct iovec){ in + 5000, 100 };
	EXPECT_EQ(5003, readv(reads, parts, 3));
	EXPECT_EQ(0, memcmp(in, out, 5003));
	EXPECT_ERR(ESPIPE, lseek(reads, 0, SEEK_CUR));
	EXPECT_ERR(ESPIPE, pread(reads, in, 1, 0));
	EXPECT_ERR(ESPIPE, pwrite(writes, out, 1, 0));
	EXPECT_ERR(ENODEV, (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reads, 0));
	close(reads);
	close(writes);
}

TEST_F(stream, bytes_there)
{
	int reads, writes, count = -1;

	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, 0));
	EXPECT_EQ(0, ioctl(reads, FIONREAD, &count));
	EXPECT_EQ(0, count);
	EXPECT_EQ(1234, write(writes, out, 1234));
	EXPECT_EQ(0, ioctl(reads, FIONREAD, &count));
	EXPECT_EQ(1234, count);
	EXPECT_EQ(0, ioctl(writes, FIONREAD, &count));
	EXPECT_EQ(1234, count);
	EXPECT_ERR(EFAULT, ioctl(reads, FIONREAD, bad_address(0)));
	EXPECT_ERR(ENOTTY, ioctl(reads, KIPC_IOC_QUERY, &count));
	close(reads);
	close(writes);
}

TEST_HARNESS_MAIN

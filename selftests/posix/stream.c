// SPDX-License-Identifier: GPL-2.0
/* Byte streams, and FIFOs, which are what they are to be as. */
#include "common/harness.h"
#include "posix/posix.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <linux/kipc.h>

#define CAPACITY	65536

/**
 * struct fifo - one implementation
 * @name: "native" or "kipc"
 * @make: mkfifo(3)
 * @open: open(2)
 * @unlink: unlink(2)
 */
struct fifo {
	const char *name;
	int (*make)(const char *name, mode_t mode);
	int (*open)(const char *name, int flags);
	int (*unlink)(const char *name);
};

static const char *path_of(const char *name)
{
	static char path[300];

	snprintf(path, sizeof(path), "/dev/shm%s", name);
	return path;
}

static int native_make(const char *name, mode_t mode)
{
	return mkfifo(path_of(name), mode);
}

static int native_open(const char *name, int flags)
{
	return open(path_of(name), flags);
}

static int native_unlink(const char *name)
{
	return unlink(path_of(name));
}

static int stream_make(const char *name, mode_t mode)
{
	int fd = kipc_stream_open(name, O_RDWR | O_CREAT | O_EXCL, mode, 0,
				  KIPC_LIFETIME_PERSISTENT);

	return fd < 0 ? -1 : close(fd);
}

static int stream_open(const char *name, int flags)
{
	return kipc_stream_open(name, flags, 0, 0, 0);
}

static const struct fifo fifo_native = { "native", native_make, native_open, native_unlink };
static const struct fifo fifo_kipc = { "kipc", stream_make, stream_open, kipc_stream_unlink };

static char out[4 * CAPACITY], in[4 * CAPACITY];

/* The peer opens, reads and writes; its descriptors are its own. */

static long do_open(long *arg, void *buf)
{
	return ((const struct fifo *)arg[0])->open(buf, arg[1]);
}

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

static long do_close(long *arg, void *buf)
{
	(void)buf;
	return close(arg[0]);
}

static long do_unlink(long *arg, void *buf)
{
	return ((const struct fifo *)arg[0])->unlink(buf);
}

static long do_poll(long *arg, void *buf)
{
	struct pollfd p = { .fd = arg[0], .events = arg[1] };

	(void)buf;
	return poll(&p, 1, -1) == 1 ? p.revents : -1;
}

FIXTURE(stream) {
	struct peer p, q;
};
FIXTURE_VARIANT(stream) { const struct fifo *fifo; };
FIXTURE_VARIANT_ADD(stream, native) { .fifo = &fifo_native };
FIXTURE_VARIANT_ADD(stream, kipc) { .fifo = &fifo_kipc };

FIXTURE_SETUP(stream)
{
	unsigned int i;

	skip_unless_wanted(variant->fifo->name);
	ASSERT_EQ(0, begin_posix());
	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 31 >> 3;
	ASSERT_EQ(0, peer_start(&self->p));
	ASSERT_EQ(0, peer_start(&self->q));
	ASSERT_EQ(0, variant->fifo->make("/f", 0600));
}

FIXTURE_TEARDOWN(stream)
{
	peer_end(&self->p, 0);
	peer_end(&self->q, 0);
	EXPECT_EQ(0, variant->fifo->unlink("/f"));
	if (variant->fifo == &fifo_kipc)
		EXPECT_EQ(0, count_names(NULL));
}

static int peer_begin_open(struct peer *p, const struct fifo *fifo, int flags)
{
	strcpy(p->page->buf, "/f");
	return peer_begin(p, do_open, (long)fifo, flags, 0, 0, 0);
}

/* Both sides at once. */
static int open_both(const struct fifo *fifo, int *reads, int *writes, int flags)
{
	*reads = fifo->open("/f", O_RDONLY | O_NONBLOCK);
	*writes = fifo->open("/f", O_WRONLY | flags);
	if (*reads < 0 || *writes < 0)
		return -1;
	return fcntl(*reads, F_SETFL, flags);
}

static int peer_opens(struct peer *p, const struct fifo *fifo, int flags)
{
	strcpy(p->page->buf, "/f");
	return peer_run(p, do_open, (long)fifo, flags, 0, 0, 0);
}

static int ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
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

/* ---- Memory that is not there ---- */

TEST_F(stream, bad_memory)
{
	char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int reads, writes;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, at);
	ASSERT_EQ(0, munmap(at + 2 * PAGE, PAGE));
	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, O_NONBLOCK));
	for (i = 0; bad_address(i + 1) != MAP_FAILED; i++) {
		EXPECT_ERR(EFAULT, write(writes, bad_address(i), 100));
		EXPECT_ERR(EFAULT, write(writes, bad_address(i), 2 * CAPACITY));
	}
	EXPECT_ERR(EAGAIN, read(reads, in, 1));
	/* Bytes that could not be given to anybody are there for the next. */
	EXPECT_EQ(200, write(writes, out, 200));
	for (i = 0; bad_address(i + 1) != MAP_FAILED; i++)
		EXPECT_ERR(EFAULT, read(reads, bad_address(i), 100));
	EXPECT_EQ(200, read(reads, in, 300));
	EXPECT_EQ(0, memcmp(in, out, 200));

	/* What is to stay together is written wholly or not. */
	memcpy(at, out, 2 * PAGE);
	EXPECT_ERR(EFAULT, write(writes, at + 2 * PAGE - 100, 200));
	EXPECT_ERR(EAGAIN, read(reads, in, 1));
	EXPECT_EQ(2 * PAGE, write(writes, at, 3 * PAGE));
	EXPECT_EQ(2 * PAGE, read(reads, in, sizeof(in)));
	EXPECT_EQ(0, memcmp(in, out, 2 * PAGE));
	/* Nor is as much given in parts. */
	EXPECT_EQ(200, write(writes, out, 200));
	EXPECT_ERR(EFAULT, read(reads, at + 2 * PAGE - 100, 200));
	EXPECT_EQ(200, read(reads, in, 300));

	/* Pages that are only not there yet. */
	EXPECT_EQ(0, madvise(at, 2 * PAGE, MADV_DONTNEED));
	EXPECT_EQ(2 * PAGE, write(writes, out, 2 * PAGE));
	EXPECT_EQ(2 * PAGE, read(reads, at, 2 * PAGE));
	EXPECT_EQ(0, memcmp(at, out, 2 * PAGE));
	close(reads);
	close(writes);
}

/* One that another thread takes away and gives back while it is read and written. */
static void *tear(void *arg)
{
	char *at = arg;

	while (!__atomic_load_n((int *)(at + 16 * PAGE), __ATOMIC_RELAXED))
		madvise(at, 16 * PAGE, MADV_DONTNEED);
	return NULL;
}

/* A round can take long where processors are shared: so many seconds suffice. */
#define TORN_SECONDS	20

TEST_F_TIMEOUT(stream, torn_memory, 200)
{
	time_t end = time(NULL) + TORN_SECONDS;
	char *at = mmap(NULL, 17 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread;
	int fd, i;

	ASSERT_NE(MAP_FAILED, at);
	fd = variant->fifo->open("/f", O_RDWR | O_NONBLOCK);
	ASSERT_EQ(0, pthread_create(&thread, NULL, tear, at));
	for (i = 0; i < 300 && time(NULL) <= end; i++) {
		ASSERT_EQ(16 * PAGE, write(fd, at, 16 * PAGE));
		ASSERT_EQ(16 * PAGE, read(fd, at, 16 * PAGE));
		ASSERT_EQ(4000, write(fd, at + 1000, 4000));
		ASSERT_EQ(4000, read(fd, at + 2000, 5000));
	}
	__atomic_store_n((int *)(at + 16 * PAGE), 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	close(fd);
}

/* ---- Splicing ---- */

TEST_F(stream, spliced)
{
	int reads, writes, to[2], file;
	off_t from = 0;

	ASSERT_EQ(0, pipe(to));
	ASSERT_EQ(0, open_both(variant->fifo, &reads, &writes, O_NONBLOCK));
	EXPECT_EQ(10000, write(writes, out, 10000));
	EXPECT_EQ(6000, splice(reads, NULL, to[1], NULL, 6000, 0));
	EXPECT_EQ(6000, read(to[0], in, sizeof(in)));
	EXPECT_EQ(4000, read(reads, in + 6000, 5000));
	EXPECT_EQ(0, memcmp(in, out, 10000));
	EXPECT_ERR(EAGAIN, splice(reads, NULL, to[1], NULL, 6000, SPLICE_F_NONBLOCK));

	EXPECT_EQ(9000, write(to[1], out, 9000));
	EXPECT_EQ(9000, splice(to[0], NULL, writes, NULL, 20000, 0));
	memset(in, 0, 9000);
	EXPECT_EQ(9000, read(reads, in, sizeof(in)));
	EXPECT_EQ(0, memcmp(in, out, 9000));

	file = memfd_create("file", 0);
	EXPECT_EQ(30000, write(file, out, 30000));
	EXPECT_EQ(30000, sendfile(writes, file, &from, 40000));
	memset(in, 0, 30000);
	EXPECT_EQ(30000, read(reads, in, sizeof(in)));
	EXPECT_EQ(0, memcmp(in, out, 30000));
	close(file);
	close(to[0]);
	close(to[1]);
	close(reads);
	close(writes);
}

TEST_HARNESS_MAIN

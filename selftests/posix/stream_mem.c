// SPDX-License-Identifier: GPL-2.0
/* Byte streams: memory that is not there, and splicing. */
#include "posix/fifo.h"

#include <pthread.h>
#include <sys/sendfile.h>
#include <time.h>

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

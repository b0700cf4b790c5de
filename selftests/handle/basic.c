// SPDX-License-Identifier: GPL-2.0
/* Handles: opening them, reading and writing, calls, mappings, what they tell. */
#include "handle.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "common/mem.h"

TEST_F(handle, is_asked_for)
{
	struct kipc_filter far = { .sem_num = 3 }, up = { .sem_op = 1 };
	struct kipc_filter low = { .sem_op = -32768 }, lowest = { .sem_op = -32767 };
	struct kipc_filter type = { .msgtyp = 1 }, copy = { .msgflg = MSG_COPY };
	int fd;

	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KINDS, self->sem, O_RDWR, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(-1, self->sem, O_RDWR, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, -1, O_RDWR, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, self->sem + 1, O_RDWR, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, self->sem, O_ACCMODE, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR | O_APPEND, NULL));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &far));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &up));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &low));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &type));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, &lowest));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, &copy));
	EXPECT_ERR(EINVAL, kipc_handle(KIPC_KIND_SHM, self->shm, O_RDWR, &type));

	fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &lowest);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	EXPECT_ERR(ESPIPE, lseek(fd, 0, SEEK_CUR));
	close(fd);
	fd = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDONLY | O_CLOEXEC | O_NONBLOCK, &type);
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDONLY | O_NONBLOCK, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	close(fd);
}

TEST_F(handle, of_a_semaphore)
{
	struct kipc_filter two = { .sem_num = 1, .sem_op = -2 }, zero = { .sem_num = 1 };
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR | O_NONBLOCK, &two), empty;
	uint64_t n = 3, huge = 32768, none = 0;
	char small[7];

	ASSERT_LE(0, fd);
	empty = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDONLY | O_NONBLOCK, &zero);
	ASSERT_LE(0, empty);
	EXPECT_ERR(EAGAIN, read(fd, &n, sizeof(n)));
	EXPECT_EQ(8, write(fd, &n, sizeof(n)));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 3, 0);
	EXPECT_ERR(EAGAIN, read(empty, &n, sizeof(n)));
	EXPECT_ERR(EINVAL, read(fd, small, sizeof(small)));
	EXPECT_ERR(EFAULT, read(fd, bad_address(0), sizeof(n)));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 3, 0);
	EXPECT_EQ(8, read(fd, &n, sizeof(n)));
	EXPECT_EQ(2, n);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 1, 0);
	EXPECT_ERR(EAGAIN, read(fd, &n, sizeof(n)));
	EXPECT_EQ(getpid(), kipc_semctl(self->sem, 1, GETPID));

	EXPECT_ERR(EINVAL, write(fd, small, sizeof(small)));
	EXPECT_ERR(EINVAL, write(fd, &huge, sizeof(huge)));
	EXPECT_ERR(EINVAL, write(fd, &none, sizeof(none)));
	EXPECT_ERR(EFAULT, write(fd, bad_address(0), sizeof(n)));
	n = 32767;
	EXPECT_ERR(ERANGE, write(fd, &n, sizeof(n)));
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 0));
	EXPECT_EQ(8, read(empty, &n, sizeof(n)));
	EXPECT_EQ(0, n);
	close(fd);
	close(empty);
}

static long read_count(long *arg, void *buf)
{
	(void)buf;
	return read(arg[0], (void *)arg[1], sizeof(uint64_t));
}

/* Memory that goes while its reader sleeps: what he was given is there for whoever waits next. */
TEST_F(handle, is_read_into_memory_that_goes)
{
	struct kipc_filter two = { .sem_num = 1, .sem_op = -2 }, zero = { .sem_num = 1 };
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &two), memory = memfd_create("m", 0);
	int empty = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDONLY, &zero);
	struct peer reader, next;
	uint64_t n = 2, *at;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, empty);
	ASSERT_EQ(0, ftruncate(memory, 4096));
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	ASSERT_NE(MAP_FAILED, at);
	ASSERT_EQ(0, peer_start(&reader));
	ASSERT_EQ(0, peer_start(&next));

	ASSERT_EQ(0, peer_begin(&reader, read_count, fd, (long)at, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&reader));
	ASSERT_EQ(0, peer_block1(&next, &ipc_kipc, self->sem, 1, -1, 0));
	ASSERT_EQ(0, ftruncate(memory, 0));
	EXPECT_EQ(8, write(fd, &n, sizeof(n)));
	EXPECT_ERR(EFAULT, peer_finish(&reader));
	EXPECT_EQ(0, peer_finish(&next));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 1, 0);

	/* Who waits for zero has taken nothing. */
	ASSERT_EQ(0, ftruncate(memory, 4096));
	ASSERT_EQ(0, peer_begin(&reader, read_count, empty, (long)at, 0, 0, 0));
	ASSERT_EQ(0, peer_asleep(&reader));
	ASSERT_EQ(0, ftruncate(memory, 0));
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 1, 0));
	EXPECT_ERR(EFAULT, peer_finish(&reader));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 0, 0);

	EXPECT_EQ(0, peer_end(&reader, 0));
	EXPECT_EQ(0, peer_end(&next, 0));
	munmap(at, 4096);
	close(memory);
	close(empty);
	close(fd);
}

TEST_F(handle, of_a_queue)
{
	struct kipc_filter seven = { .msgtyp = 7 }, others = { .msgtyp = 7, .msgflg = MSG_EXCEPT };
	struct kipc_filter low = { .msgtyp = -6 };
	struct packet packet = { .type = 7, .text = "seven" };
	struct iovec parts[2] = { { &packet.type, 8 }, { packet.text, 6 } };
	int fd[3], i;

	fd[0] = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR | O_NONBLOCK, &seven);
	fd[1] = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR | O_NONBLOCK, &others);
	fd[2] = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR | O_NONBLOCK, &low);
	for (i = 0; i < 3; i++)
		ASSERT_LE(0, fd[i]);
	EXPECT_ERR(EAGAIN, read(fd[0], &packet, sizeof(packet)));
	EXPECT_EQ(14, writev(fd[1], parts, 2));
	EXPECT_ERR(EAGAIN, read(fd[1], &packet, sizeof(packet)));
	EXPECT_ERR(EAGAIN, read(fd[2], &packet, sizeof(packet)));
	EXPECT_ERR(EINVAL, read(fd[0], &packet, 7));
	EXPECT_ERR(E2BIG, read(fd[0], &packet, 13));
	EXPECT_ERR(EFAULT, read(fd[0], bad_address(0), 64));
	memset(&packet, POISON, sizeof(packet));
	EXPECT_EQ(14, readv(fd[0], parts, 2));
	EXPECT_EQ(7, packet.type);
	EXPECT_STREQ("seven", packet.text);
	EXPECT_EQ(POISON, (unsigned char)packet.text[6]);

	EXPECT_EQ(0, send_text(self->msg, 6, "six"));
	EXPECT_EQ(0, send_text(self->msg, 5, "five"));
	EXPECT_EQ(5, read_text(fd[2], &packet));
	EXPECT_EQ(5, packet.type);
	EXPECT_EQ(4, read_text(fd[1], &packet));
	EXPECT_EQ(6, packet.type);

	EXPECT_ERR(EINVAL, write(fd[0], &packet, 7));
	packet.type = 0;
	EXPECT_ERR(EINVAL, write(fd[0], &packet, 9));
	packet.type = -1;
	EXPECT_ERR(EINVAL, write(fd[0], &packet, 9));
	EXPECT_ERR(EFAULT, write(fd[0], bad_address(0), 16));
	packet.type = LONG_MAX;
	EXPECT_EQ(8, write(fd[0], &packet, 8));
	EXPECT_EQ(0, read_text(fd[1], &packet));
	EXPECT_EQ(LONG_MAX, packet.type);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

/* More than a page, in pieces that are none of the message's. */
TEST_F(handle, of_a_queue_of_long_messages)
{
	static char out[8 + 8192 + 1], in[8 + 8192];
	struct iovec parts[3] = { { in, 3 }, { in + 3, 5000 }, { in + 5003, sizeof(in) - 5003 } };
	int fd = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 8; i < sizeof(in); i++)
		out[i] = i * 7;
	*(int64_t *)out = 3;
	EXPECT_EQ((ssize_t)sizeof(in), write(fd, out, sizeof(in)));
	EXPECT_EQ((ssize_t)sizeof(in), readv(fd, parts, 3));
	EXPECT_EQ(0, memcmp(out, in, sizeof(in)));
	/* msgmax. */
	EXPECT_ERR(EINVAL, write(fd, out, sizeof(out)));
	close(fd);
}

TEST_F(handle, of_a_segment)
{
	int fd = kipc_handle(KIPC_KIND_SHM, self->shm, O_RDWR, NULL), ro;
	char *attached = kipc_shmat(self->shm, NULL, 0), *mapped;
	struct shmid_ds ds;

	ASSERT_LE(0, fd);
	ro = kipc_handle(KIPC_KIND_SHM, self->shm, O_RDONLY, NULL);
	ASSERT_LE(0, ro);
	mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mapped);
	strcpy(attached + 4096, "the same memory");
	EXPECT_STREQ("the same memory", mapped + 4096);
	EXPECT_EQ(0, kipc_shmctl(self->shm, IPC_STAT, &ds));
	EXPECT_EQ(2, ds.shm_nattch);
	EXPECT_ERR(EINVAL, mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_ERR(EINVAL, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096));
	EXPECT_ERR(EINVAL, mmap(NULL, 12288, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_ERR(EACCES, mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0));
	EXPECT_ERR(EACCES, mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
	EXPECT_ERR(EINVAL, read(fd, &ds, 8));
	EXPECT_ERR(EINVAL, write(fd, &ds, 8));
	EXPECT_ERR(EINVAL, ftruncate(fd, 0));
	EXPECT_EQ(0, munmap(mapped, 8192));

	/* A read-only mapping stays one. */
	mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, ro, 0);
	ASSERT_NE(MAP_FAILED, mapped);
	EXPECT_ERR(EACCES, mprotect(mapped, 8192, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, munmap(mapped, 8192));

	/* The descriptors keep it as attachments do. */
	EXPECT_EQ(0, kipc_shmdt(attached));
	EXPECT_EQ(0, kipc_shmctl(self->shm, IPC_RMID, NULL));
	EXPECT_EQ(0, kipc_shmctl(self->shm, IPC_STAT, &ds));
	EXPECT_EQ(0, ds.shm_nattch);
	EXPECT_EQ(01000, ds.shm_perm.mode & 01000);
	close(fd);
	mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, ro, 0);
	ASSERT_NE(MAP_FAILED, mapped);
	EXPECT_STREQ("the same memory", mapped + 4096);
	close(ro);
	EXPECT_EQ(0, kipc_shmctl(self->shm, IPC_STAT, &ds));
	EXPECT_EQ(0, munmap(mapped, 8192));
	EXPECT_ERR(EINVAL, kipc_shmctl(self->shm, IPC_STAT, &ds));
}

TEST_F(handle, takes_calls)
{
	struct sembuf ups[2] = { { 0, 2, 0 }, { 2, 1, 0 } }, down = { 1, -1, 0 };
	int sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
	int msg = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	struct timespec never = { 0, 1 }, bad = { 0, -1 };
	struct packet packet = { .type = 9, .text = "nine" };

	ASSERT_LE(0, sem);
	ASSERT_LE(0, msg);
	EXPECT_EQ(0, kipc_handle_semop(sem, ups, 2, 0, 0, NULL));
	EXPECT_VALUES(&ipc_kipc, self->sem, 2, 0, 1);
	EXPECT_ERR(EAGAIN, kipc_handle_semop(sem, &down, 1, CLOCK_MONOTONIC, 0, &never));
	EXPECT_ERR(EINVAL, kipc_handle_semop(sem, &down, 1, CLOCK_MONOTONIC, 0, &bad));
	EXPECT_ERR(EINVAL, kipc_handle_semop(sem, &down, 1, CLOCK_MONOTONIC, 2, &never));
	EXPECT_ERR(EFBIG, kipc_handle_semop(sem, &(struct sembuf){ 3, 1, 0 }, 1, 0, 0, NULL));
	EXPECT_ERR(EFAULT, kipc_handle_semop(sem, bad_address(0), 1, 0, 0, NULL));
	EXPECT_ERR(ENOTTY, kipc_handle_semop(msg, ups, 1, 0, 0, NULL));

	EXPECT_EQ(0, kipc_handle_msgsnd(msg, &packet, 5, 0, 0, 0, NULL));
	EXPECT_ERR(ENOMSG, kipc_handle_msgrcv(msg, &packet, 5, 8, IPC_NOWAIT, 0, 0, NULL));
	EXPECT_ERR(EAGAIN, kipc_handle_msgrcv(msg, &packet, 5, 8, 0, CLOCK_REALTIME, 0, &never));
	memset(&packet, POISON, sizeof(packet));
	EXPECT_EQ(5, kipc_handle_msgrcv(msg, &packet, 64, 9, 0, 0, 0, NULL));
	EXPECT_STREQ("nine", packet.text);
	EXPECT_ERR(ENOTTY, kipc_handle_msgsnd(sem, &packet, 5, 0, 0, 0, NULL));
	close(sem);
	close(msg);
}

/* More operations than memory is to be had for at all: no reason for the kernel to complain. */
TEST_F(handle, takes_no_call_beyond_measure)
{
	struct sembuf up = { 0, 1, 0 };
	size_t nsops = INT_MAX / sizeof(up) + 1;
	int sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
	struct kipc_sem_op call;
	struct kipc_any any = { sem, KIPC_IOC_SEM_OP, (uintptr_t)&call, 0 };

	ASSERT_LE(0, sem);
	ASSERT_EQ(0, kipc_limit_set(KIPC_LIMIT_SEMOPM, INT_MAX));
	EXPECT_ERR(ENOMEM, kipc_semop(self->sem, &up, nsops));
	EXPECT_ERR(ENOMEM, kipc_handle_semop(sem, &up, nsops, 0, 0, NULL));
	kipc_call_semop(&call, &up, nsops);
	EXPECT_ERR(ENOMEM, kipc_wait_any(&any, 1, 0, 0, NULL));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 0, 0);
	close(sem);
}

/* A call on a handle is about its object and no other, and the device has no object. */
TEST_F(handle, is_about_one_object)
{
	struct sembuf up = { 0, 1, 0 };
	struct kipc_sem_op op = { .id = self->sem, .nsops = 1, .sops = (uintptr_t)&up };
	struct kipc_shm_get get = { .key = IPC_PRIVATE, .size = 1 };
	int sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
	int device = open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, sem);
	ASSERT_LE(0, device);
	EXPECT_ERR(EINVAL, ioctl(sem, KIPC_IOC_SEM_OP, &op));
	op.id = KIPC_SELF;
	EXPECT_EQ(0, ioctl(sem, KIPC_IOC_SEM_OP, &op));
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_SEM_OP, &op));
	EXPECT_ERR(ENOTTY, ioctl(sem, KIPC_IOC_SHM_GET, &get));
	EXPECT_ERR(ENODEV, mmap(NULL, 4096, PROT_READ, MAP_SHARED, sem, 0));
	EXPECT_ERR(EINVAL, kipc_handle_semop(device, &up, 1, 0, 0, NULL));
	close(sem);
	close(device);
}

union ds {
	struct shmid_ds shm;
	struct semid_ds sem;
	struct msqid_ds msg;
};

static int stat_by_id(int kind, int id, union ds *ds)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return kipc_shmctl(id, IPC_STAT, &ds->shm);
	case KIPC_KIND_SEM:
		return kipc_semctl(id, 0, IPC_STAT, &ds->sem);
	default:
		return kipc_msgctl(id, IPC_STAT, &ds->msg);
	}
}

/* What IPC_STAT tells by id, and through a handle whatever has become of the caller. */
TEST_F(handle, is_asked_about)
{
	union ds ds, by_id;
	const int ids[KIPC_KINDS] = { self->shm, self->sem, self->msg };
	const size_t sizes[KIPC_KINDS] = { sizeof(ds.shm), sizeof(ds.sem), sizeof(ds.msg) };
	int ro[KIPC_KINDS], wo[KIPC_KINDS], kind, other, status;
	struct packet packet = { .type = 1, .text = "one" };
	pid_t pid;

	ASSERT_EQ(0, kipc_msgsnd(self->msg, &packet, 4, 0));
	for (kind = 0; kind < KIPC_KINDS; kind++) {
		ro[kind] = kipc_handle(kind, ids[kind], O_RDONLY, NULL);
		ASSERT_LE(0, ro[kind]);
		wo[kind] = kipc_handle(kind, ids[kind], O_WRONLY, NULL);
		ASSERT_LE(0, wo[kind]);
		memset(&by_id, POISON, sizeof(by_id));
		EXPECT_EQ(0, stat_by_id(kind, ids[kind], &by_id));
		memset(&ds, POISON, sizeof(ds));
		EXPECT_EQ(0, kipc_handle_stat(ro[kind], kind, &ds));
		EXPECT_EQ(0, memcmp(&by_id, &ds, sizeof(ds)));
		EXPECT_NE(POISON, ((unsigned char *)&ds)[sizes[kind] - 1]);

		EXPECT_ERR(EACCES, kipc_handle_stat(wo[kind], kind, &ds));
		EXPECT_ERR(EFAULT, kipc_handle_stat(ro[kind], kind, bad_address(0)));
		other = (kind + 1) % KIPC_KINDS;
		EXPECT_ERR(ENOTTY, kipc_handle_stat(ro[kind], other, &ds));
		EXPECT_ERR(EINVAL, kipc_handle_stat(ro[kind], KIPC_KINDS, &ds));
		close(wo[kind]);
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWIPC) || setuid(1000))
			_exit(99);
		for (kind = 0, status = 0; kind < KIPC_KINDS; kind++)
			status |= !!kipc_handle_stat(ro[kind], kind, &ds) << kind;
		_exit(status);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);

	EXPECT_EQ(0, kipc_shmctl(self->shm, IPC_RMID, NULL));
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	/* The handle keeps a segment. */
	EXPECT_EQ(0, kipc_handle_stat(ro[KIPC_KIND_SHM], KIPC_KIND_SHM, &ds));
	EXPECT_EQ(01000, ds.shm.shm_perm.mode & 01000);
	EXPECT_ERR(EIDRM, kipc_handle_stat(ro[KIPC_KIND_SEM], KIPC_KIND_SEM, &ds));
	EXPECT_ERR(EIDRM, kipc_handle_stat(ro[KIPC_KIND_MSG], KIPC_KIND_MSG, &ds));
	for (kind = 0; kind < KIPC_KINDS; kind++)
		close(ro[kind]);
}

/* Nothing else that controls an object, and nothing about another one. */
TEST_F(handle, conveys_no_control)
{
	static const int cmds[] = {
		IPC_RMID, IPC_SET, IPC_INFO, SHM_LOCK, SHM_UNLOCK, SHM_INFO, SHM_STAT, SEM_STAT,
		MSG_STAT, GETVAL, SETVAL, GETALL, SETALL,
	};
	union ds ds;
	struct kipc_shm_ctl shm = { .buf = (uintptr_t)&ds };
	struct kipc_sem_ctl sem = { .arg = (uintptr_t)&ds };
	struct kipc_msg_ctl msg = { .buf = (uintptr_t)&ds };
	int on_shm = kipc_handle(KIPC_KIND_SHM, self->shm, O_RDWR, NULL);
	int on_sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
	int on_msg = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDWR, NULL);
	int device = open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);
	unsigned int i;

	memset(&ds, 0, sizeof(ds));
	ASSERT_LE(0, on_shm);
	ASSERT_LE(0, on_sem);
	ASSERT_LE(0, on_msg);
	ASSERT_LE(0, device);
	shm.id = sem.id = msg.id = KIPC_SELF;
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		shm.cmd = sem.cmd = msg.cmd = cmds[i];
		EXPECT_ERR(EINVAL, ioctl(on_shm, KIPC_IOC_SHM_CTL, &shm));
		EXPECT_ERR(EINVAL, ioctl(on_sem, KIPC_IOC_SEM_CTL, &sem));
		EXPECT_ERR(EINVAL, ioctl(on_msg, KIPC_IOC_MSG_CTL, &msg));
	}
	shm.cmd = sem.cmd = msg.cmd = IPC_STAT;
	EXPECT_EQ(0, ioctl(on_shm, KIPC_IOC_SHM_CTL, &shm));
	EXPECT_EQ(0, ioctl(on_sem, KIPC_IOC_SEM_CTL, &sem));
	EXPECT_EQ(0, ioctl(on_msg, KIPC_IOC_MSG_CTL, &msg));
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_MSG_CTL, &msg));
	shm.id = self->shm;
	sem.id = self->sem;
	msg.id = self->msg;
	EXPECT_ERR(EINVAL, ioctl(on_shm, KIPC_IOC_SHM_CTL, &shm));
	EXPECT_ERR(EINVAL, ioctl(on_sem, KIPC_IOC_SEM_CTL, &sem));
	EXPECT_ERR(EINVAL, ioctl(on_msg, KIPC_IOC_MSG_CTL, &msg));
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 0, 0);
	close(on_shm);
	close(on_sem);
	close(on_msg);
	close(device);
}

/* SEM_UNDO through a handle is the process' own, as ever. */
TEST_F(handle, undoes)
{
	struct sembuf up = { 0, 5, SEM_UNDO };
	int sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL), status;
	pid_t pid;

	ASSERT_LE(0, sem);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(kipc_handle_semop(sem, &up, 1, 0, 0, NULL) ||
		      sem_val(&ipc_kipc, self->sem, 0) != 5);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_VALUES(&ipc_kipc, self->sem, 0, 0, 0);
	close(sem);
}

static bool info_has(int fd, const char *line)
{
	char path[64], text[128];
	bool has = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(text, sizeof(text), f))
		has |= !strcmp(text, line);
	if (f)
		fclose(f);
	return has;
}

TEST_F(handle, tells_what_it_is)
{
	struct kipc_filter filter = { .sem_num = 2, .sem_op = -4 };
	struct kipc_filter except = { .msgtyp = 8, .msgflg = MSG_EXCEPT };
	int fd = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, &filter);
	char line[64];

	ASSERT_LE(0, fd);
	EXPECT_TRUE(info_has(fd, "kipc-kind:\tsem\n"));
	snprintf(line, sizeof(line), "kipc-id:\t%d\n", self->sem);
	EXPECT_TRUE(info_has(fd, line));
	EXPECT_TRUE(info_has(fd, "kipc-rights:\trw\n"));
	EXPECT_TRUE(info_has(fd, "kipc-num:\t2\n"));
	EXPECT_TRUE(info_has(fd, "kipc-op:\t-4\n"));
	EXPECT_FALSE(info_has(fd, "kipc-removed:\t1\n"));
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_TRUE(info_has(fd, "kipc-removed:\t1\n"));
	close(fd);
	fd = kipc_handle(KIPC_KIND_MSG, self->msg, O_WRONLY, &except);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(info_has(fd, "kipc-rights:\tw\n"));
	EXPECT_TRUE(info_has(fd, "kipc-type:\t!8\n"));
	close(fd);
}

TEST_HARNESS_MAIN

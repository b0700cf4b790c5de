// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: the rights that they convey, to whom else they are passed, for how long.
 */
#include "handle.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

static const struct who nobody = { "nobody", 65534, 65534, -1, 0 };
static const struct who owner = { "owner", 1001, 1001, -1, 0 };

TEST_F(handle, needs_the_rights)
{
	static const int flags[3] = { O_RDONLY, O_WRONLY, O_RDWR };
	int i, mode, fd, status;
	pid_t pid;

	for (mode = 0; mode < 8; mode += 2) {
		struct semid_ds ds;

		ASSERT_EQ(0, kipc_semctl(self->sem, 0, IPC_STAT, &ds));
		ds.sem_perm.mode = mode;
		ASSERT_EQ(0, kipc_semctl(self->sem, 0, IPC_SET, &ds));
		for (i = 0; i < 3; i++) {
			int want = i == 0 ? 4 : i == 1 ? 2 : 6;

			pid = fork();
			ASSERT_LE(0, pid);
			if (!pid) {
				if (become(&nobody))
					_exit(2);
				fd = kipc_handle(KIPC_KIND_SEM, self->sem, flags[i], NULL);
				_exit(fd >= 0 ? 0 : errno == EACCES ? 1 : 2);
			}
			ASSERT_EQ(pid, waitpid(pid, &status, 0));
			EXPECT_EQ((mode & want) == want ? 0 : 1, WEXITSTATUS(status))
				TH_LOG("mode %o, flags %d", mode, flags[i]);
		}
	}
}

/* It conveys those that it was opened with and no more, to anybody. */
TEST_F(handle, conveys_its_rights)
{
	struct sembuf up = { 0, 1, 0 }, zero = { 0, 0, IPC_NOWAIT };
	int ro = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDONLY, NULL);
	int wo = kipc_handle(KIPC_KIND_SEM, self->sem, O_WRONLY, NULL);
	int msg_ro = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDONLY | O_NONBLOCK, NULL);
	int msg_wo = kipc_handle(KIPC_KIND_MSG, self->msg, O_WRONLY, NULL);
	int shm_wo = kipc_handle(KIPC_KIND_SHM, self->shm, O_WRONLY, NULL);
	struct packet packet = { .type = 1 };
	uint64_t n = 1;

	EXPECT_ERR(EACCES, kipc_handle_semop(ro, &up, 1, 0, 0, NULL));
	EXPECT_EQ(0, kipc_handle_semop(ro, &zero, 1, 0, 0, NULL));
	EXPECT_ERR(EACCES, kipc_handle_semop(wo, &zero, 1, 0, 0, NULL));
	EXPECT_EQ(0, kipc_handle_semop(wo, &up, 1, 0, 0, NULL));
	EXPECT_ERR(EBADF, write(ro, &n, 8));
	EXPECT_ERR(EBADF, read(wo, &n, 8));
	/* To take is to alter. */
	EXPECT_ERR(EACCES, read(ro, &n, 8));
	EXPECT_VALUES(&ipc_kipc, self->sem, 1);

	EXPECT_ERR(EBADF, write(msg_ro, &packet, 8));
	EXPECT_ERR(EACCES, kipc_handle_msgsnd(msg_ro, &packet, 0, 0, 0, 0, NULL));
	EXPECT_ERR(EACCES, kipc_handle_msgrcv(msg_wo, &packet, 0, 0, IPC_NOWAIT, 0, 0, NULL));
	EXPECT_EQ(8, write(msg_wo, &packet, 8));
	EXPECT_EQ(8, read(msg_ro, &packet, 8));
	EXPECT_ERR(EACCES, mmap(NULL, 4096, PROT_READ, MAP_SHARED, shm_wo, 0));
	close(ro);
	close(wo);
	close(msg_ro);
	close(msg_wo);
	close(shm_wo);
}

/* Somebody else, in another namespace, with no way to the device. */
static int stranger(int socket)
{
	struct sembuf down = { 0, -1, 0 };
	struct packet packet;
	int sem, msg, shm;
	char *mapped;

	if (unshare(CLONE_NEWIPC) || become(&nobody))
		return 1;
	sem = receive_fd(socket);
	msg = receive_fd(socket);
	shm = receive_fd(socket);
	if (sem < 0 || msg < 0 || shm < 0)
		return 2;
	if (kipc_handle_semop(sem, &down, 1, 0, 0, NULL))
		return 3;
	if (read_text(msg, &packet) != 6 || strcmp(packet.text, "hello"))
		return 4;
	mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, shm, 0);
	if (mapped == MAP_FAILED)
		return 5;
	strcpy(mapped, packet.text);
	/* Removed meanwhile, all but the segment. */
	if (read(socket, &packet, 1) != 1 && errno)
		return 6;
	if (kipc_handle_semop(sem, &down, 1, 0, 0, NULL) != -1 || errno != EIDRM)
		return 7;
	if (read(msg, &packet, sizeof(packet)) != -1 || errno != EIDRM)
		return 8;
	return strcmp(mapped, "hello") ? 9 : 0;
}

TEST_F(handle, is_passed_on)
{
	int sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL);
	int msg = kipc_handle(KIPC_KIND_MSG, self->msg, O_RDONLY, NULL);
	int shm = kipc_handle(KIPC_KIND_SHM, self->shm, O_RDWR, NULL);
	int pair[2], status;
	char *mapped;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(sem);
		close(msg);
		close(shm);
		close(pair[0]);
		_exit(stranger(pair[1]));
	}
	close(pair[1]);
	EXPECT_EQ(0, send_fd(pair[0], sem));
	EXPECT_EQ(0, send_fd(pair[0], msg));
	EXPECT_EQ(0, send_fd(pair[0], shm));
	close(sem);
	close(msg);
	EXPECT_EQ(0, sem_setval(&ipc_kipc, self->sem, 0, 1));
	EXPECT_EQ(0, send_text(self->msg, 3, "hello"));
	mapped = mmap(NULL, 8192, PROT_READ, MAP_SHARED, shm, 0);
	ASSERT_NE(MAP_FAILED, mapped);
	close(shm);
	/* Once both have been used, and the last byte is there, too. */
	wait_until(!sem_val(&ipc_kipc, self->sem, 0) && !strcmp(mapped, "hello"));
	EXPECT_EQ(0, kipc_semctl(self->sem, 0, IPC_RMID));
	EXPECT_EQ(0, kipc_msgctl(self->msg, IPC_RMID, NULL));
	EXPECT_EQ(0, kipc_shmctl(self->shm, IPC_RMID, NULL));
	EXPECT_EQ(1, write(pair[0], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	munmap(mapped, 8192);
	close(pair[0]);
}

/* Rights last until the object is removed, whatever becomes of its mode or the holder. */
TEST_F(handle, outlives_permissions)
{
	struct sembuf up = { 0, 1, 0 };
	int sem = kipc_handle(KIPC_KIND_SEM, self->sem, O_RDWR, NULL), status;
	struct semid_ds ds;
	pid_t pid;

	ASSERT_EQ(0, kipc_semctl(self->sem, 0, IPC_STAT, &ds));
	ds.sem_perm.mode = 0;
	ds.sem_perm.uid = owner.uid;
	ASSERT_EQ(0, kipc_semctl(self->sem, 0, IPC_SET, &ds));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (become(&nobody))
			_exit(1);
		if (kipc_semop(self->sem, &up, 1) != -1 || errno != EACCES)
			_exit(2);
		_exit(kipc_handle_semop(sem, &up, 1, 0, 0, NULL) ? 3 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_VALUES(&ipc_kipc, self->sem, 1);
	close(sem);
}

/* The namespace ends: the segment stays, the others are gone. */
TEST_F(handle, outlives_its_namespace)
{
	struct elsewhere there;
	struct packet packet;
	int fd[KIPC_KINDS], kind;
	char *mapped;

	ASSERT_EQ(0, elsewhere_begin(&there, handle_of_new, fd, KIPC_KINDS));
	ASSERT_EQ(0, elsewhere_end(&there));
	/* Both are told, as soon as the namespace is found dead. */
	EXPECT_TRUE(until_hup(fd[KIPC_KIND_SEM]));
	EXPECT_TRUE(until_hup(fd[KIPC_KIND_MSG]));
	EXPECT_ERR(EIDRM, write(fd[KIPC_KIND_SEM], &(uint64_t){ 1 }, 8));
	EXPECT_ERR(EIDRM, read(fd[KIPC_KIND_MSG], &packet, sizeof(packet)));
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd[KIPC_KIND_SHM], 0);
	ASSERT_NE(MAP_FAILED, mapped);
	*mapped = 1;
	for (kind = 0; kind < KIPC_KINDS; kind++)
		close(fd[kind]);
	EXPECT_EQ(1, *mapped);
	munmap(mapped, 4096);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* Objects that have their key once they are ready: nobody meets one that is not. */
#include "handle.h"

#include <sys/mman.h>

#define THE_KEY	0x5ead

static const struct who alice = { "alice", 1000, 1000, -1, 0 };

/* An object that only this process knows, and makes ready. */
static int make_ready(int kind)
{
	struct sembuf up[] = { { 0, 7, 0 }, { 1, 9, 0 } };
	struct packet packet = { .type = 5, .text = "first" };
	int fd = kipc_handle_create(kind, kind == KIPC_KIND_SHM ? 4096 : kind == KIPC_KIND_SEM ? 2 : 0,
				    O_RDWR | O_CLOEXEC, 0660, NULL);
	char *a;

	if (fd < 0)
		return -1;
	switch (kind) {
	case KIPC_KIND_SHM:
		a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (a == MAP_FAILED)
			return -1;
		strcpy(a, "ready");
		munmap(a, 4096);
		break;
	case KIPC_KIND_SEM:
		if (kipc_handle_semop(fd, up, 2, 0, 0, NULL))
			return -1;
		break;
	default:
		if (write(fd, &packet, sizeof(packet)) != sizeof(packet))
			return -1;
	}
	return fd;
}

/* Is it, for one who has found it by its key?  -1: there is none. */
static int is_ready(int kind)
{
	struct msqid_ds ds;
	char *a;
	int id, ready;

	switch (kind) {
	case KIPC_KIND_SHM:
		id = kipc_shmget(THE_KEY, 0, 0600);
		if (id < 0)
			return errno == ENOENT ? -1 : 0;
		a = kipc_shmat(id, NULL, 0);
		if (a == MAP_FAILED)
			return errno == EINVAL || errno == EIDRM ? -1 : 0;
		ready = !strcmp(a, "ready");
		kipc_shmdt(a);
		return ready;
	case KIPC_KIND_SEM:
		id = kipc_semget(THE_KEY, 0, 0600);
		if (id < 0)
			return errno == ENOENT ? -1 : 0;
		ready = kipc_semctl(id, 0, GETVAL);
		if (ready < 0)
			return errno == EINVAL || errno == EIDRM ? -1 : 0;
		return ready == 7;
	default:
		id = kipc_msgget(THE_KEY, 0600);
		if (id < 0)
			return errno == ENOENT ? -1 : 0;
		if (kipc_msgctl(id, IPC_STAT, &ds))
			return errno == EINVAL || errno == EIDRM ? -1 : 0;
		return ds.msg_qnum == 1;
	}
}

FIXTURE(publish) { struct peer p; };
FIXTURE_VARIANT(publish) { int kind; const char *name; };
FIXTURE_VARIANT_ADD(publish, shm) { .kind = KIPC_KIND_SHM, .name = "shm" };
FIXTURE_VARIANT_ADD(publish, sem) { .kind = KIPC_KIND_SEM, .name = "sem" };
FIXTURE_VARIANT_ADD(publish, msg) { .kind = KIPC_KIND_MSG, .name = "msg" };

FIXTURE_SETUP(publish)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	ASSERT_EQ(0, peer_start(&self->p));
}

FIXTURE_TEARDOWN(publish)
{
	peer_end(&self->p, SIGKILL);
	EXPECT_NOTHING(&ipc_kipc);
}

TEST_F(publish, is_found)
{
	int kind = variant->kind, fd = make_ready(kind), id;

	ASSERT_LE(0, fd);
	id = id_of(fd);
	EXPECT_EQ(-1, is_ready(kind));
	EXPECT_EQ(0, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_PERSISTENT));
	EXPECT_EQ(1, is_ready(kind));
	EXPECT_ERR(EINVAL, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_PERSISTENT));
	EXPECT_ERR(EINVAL, kipc_handle_publish(fd, THE_KEY + 1, KIPC_LIFETIME_PERSISTENT));
	/* It stays. */
	close(fd);
	EXPECT_EQ(1, is_ready(kind));
	EXPECT_EQ(0, remove_object(kind, id));
	EXPECT_EQ(-1, is_ready(kind));
}

TEST_F(publish, ends_with_its_users)
{
	int kind = variant->kind, fd = make_ready(kind);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_USERS));
	EXPECT_EQ(1, is_ready(kind));
	close(fd);
	EXPECT_EQ(-1, is_ready(kind));
}

TEST_F(publish, refused)
{
	int kind = variant->kind, fd = make_ready(kind), other = make_ready(kind);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, other);
	EXPECT_ERR(EINVAL, kipc_handle_publish(fd, IPC_PRIVATE, KIPC_LIFETIME_PERSISTENT));
	EXPECT_ERR(EINVAL, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_CREATOR));
	EXPECT_ERR(EINVAL, kipc_handle_publish(fd, THE_KEY, 3));
	EXPECT_EQ(0, kipc_handle_publish(other, THE_KEY, KIPC_LIFETIME_USERS));
	EXPECT_ERR(EEXIST, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_USERS));
	close(other);
	EXPECT_EQ(0, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_USERS));
	close(fd);

	fd = make_ready(kind);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, remove_object(kind, id_of(fd)));
	/* A segment too, though it is there as long as somebody holds it. */
	EXPECT_ERR(EIDRM, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_USERS));
	close(fd);
	EXPECT_EQ(-1, is_ready(kind));
	EXPECT_ERR(ENOTTY, kipc_handle_publish(STDIN_FILENO, THE_KEY, KIPC_LIFETIME_USERS));
	EXPECT_ERR(EBADF, kipc_handle_publish(-1, THE_KEY, KIPC_LIFETIME_USERS));
}

/* The descriptor conveys rights to the object, and not that one. */
static long do_publish(long *arg, void *buf)
{
	(void)buf;
	return kipc_handle_publish(arg[0], THE_KEY, KIPC_LIFETIME_PERSISTENT);
}

TEST_F(publish, by_its_owner)
{
	int fd = make_ready(variant->kind);

	ASSERT_LE(0, fd);
	peer_end(&self->p, 0);
	ASSERT_EQ(0, peer_start(&self->p));
	ASSERT_EQ(0, peer_become(&self->p, &alice));
	EXPECT_ERR(EPERM, peer_run(&self->p, do_publish, fd, 0, 0, 0, 0));
	peer_end(&self->p, 0);
	EXPECT_EQ(0, kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_USERS));
	close(fd);
	ASSERT_EQ(0, peer_start(&self->p));
}

/* While some make and publish, others look: what they find is ready. */
#define ROUNDS	300

TEST_F(publish, never_met_unready)
{
	int kind = variant->kind, i, fd, status, ready, published = 0;
	pid_t maker[2];

	for (i = 0; i < 2; i++) {
		maker[i] = fork();
		ASSERT_LE(0, maker[i]);
		if (maker[i])
			continue;
		for (i = 0; i < ROUNDS; i++) {
			fd = make_ready(kind);
			if (fd < 0)
				_exit(1);
			if (kipc_handle_publish(fd, THE_KEY, KIPC_LIFETIME_USERS) && errno != EEXIST)
				_exit(2);
			close(fd);
		}
		_exit(0);
	}
	while (!waitpid(maker[0], &status, WNOHANG)) {
		ready = is_ready(kind);
		EXPECT_NE(0, ready);
		published += ready > 0;
	}
	EXPECT_EQ(0, status);
	ASSERT_EQ(maker[1], waitpid(maker[1], &status, 0));
	EXPECT_EQ(0, status);
	TH_LOG("found %d times", published);
}

TEST_HARNESS_MAIN

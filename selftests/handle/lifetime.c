// SPDX-License-Identifier: GPL-2.0
/* Objects that end with their last user, and those that live only as descriptors. */
#include "handle.h"

#include <errno.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/device.h"

#define KEY	0x700

static const char *const kinds[KIPC_KINDS] = { "shm", "sem", "msg" };

FIXTURE(users) { int unused; };

FIXTURE_SETUP(users)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
}

FIXTURE_TEARDOWN(users)
{
	unsigned int k;

	for (k = 0; k < KIPC_KINDS; k++)
		EXPECT_EQ(0, kipc_ids_read(kinds[k]).in_use)
			TH_LOG("%s left", kinds[k]);
}

static int get(int kind, key_t key, int flags)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return kipc_shmget_lifetime(key, 8192, flags, KIPC_LIFETIME_USERS);
	case KIPC_KIND_SEM:
		return kipc_semget_lifetime(key, 3, flags, KIPC_LIFETIME_USERS);
	default:
		return kipc_msgget_lifetime(key, flags, KIPC_LIFETIME_USERS);
	}
}

static int rmid(int kind, int id)
{
	switch (kind) {
	case KIPC_KIND_SHM:
		return kipc_shmctl(id, IPC_RMID, NULL);
	case KIPC_KIND_SEM:
		return kipc_semctl(id, 0, IPC_RMID);
	default:
		return kipc_msgctl(id, IPC_RMID, NULL);
	}
}

static bool is_there(int kind, int id)
{
	struct listed row;

	return listed(kinds[kind], id, &row);
}

/* ---- The last user ---- */

TEST_F(users, are_handles)
{
	struct listed row;
	int kind, id, fd[3], i;

	for (kind = 0; kind < KIPC_KINDS; kind++) {
		id = get(kind, KEY, IPC_CREAT | 0600);
		ASSERT_LE(0, id);
		ASSERT_TRUE(listed(kinds[kind], id, &row));
		EXPECT_STREQ("users", row.lifetime);
		EXPECT_EQ(0, row.handles);
		for (i = 0; i < 2; i++) {
			fd[i] = kipc_handle(kind, id, O_RDWR, NULL);
			ASSERT_LE(0, fd[i]);
		}
		/* The descriptor is not the user, the handle is. */
		fd[2] = dup(fd[1]);
		ASSERT_TRUE(listed(kinds[kind], id, &row));
		EXPECT_EQ(2, row.handles);
		EXPECT_EQ(2, row.users);
		close(fd[1]);
		close(fd[0]);
		ASSERT_TRUE(listed(kinds[kind], id, &row));
		EXPECT_EQ(1, row.handles);
		EXPECT_EQ(id, get(kind, KEY, 0));
		close(fd[2]);
		EXPECT_FALSE(is_there(kind, id));
		EXPECT_ERR(ENOENT, get(kind, KEY, 0));
		EXPECT_ERR(EINVAL, kipc_handle(kind, id, O_RDWR, NULL));
		EXPECT_ERR(EINVAL, rmid(kind, id));
	}
}

TEST_F(users, are_attachments)
{
	int id = get(KIPC_KIND_SHM, KEY, IPC_CREAT | 0600), fd;
	struct shmid_ds ds;
	char *at[2];

	ASSERT_LE(0, id);
	at[0] = kipc_shmat(id, NULL, 0);
	at[1] = kipc_shmat(id, NULL, SHM_RDONLY);
	ASSERT_NE((void *)-1, at[0]);
	ASSERT_NE((void *)-1, at[1]);
	EXPECT_EQ(0, kipc_shmdt(at[0]));
	ASSERT_EQ(0, kipc_shmctl(id, IPC_STAT, &ds));
	EXPECT_EQ(1, ds.shm_nattch);
	EXPECT_EQ(0, ds.shm_perm.mode & SHM_DEST);
	EXPECT_EQ(0, kipc_shmdt(at[1]));
	EXPECT_FALSE(is_there(KIPC_KIND_SHM, id));

	/* And both: whichever is the last. */
	id = get(KIPC_KIND_SHM, KEY, IPC_CREAT | 0600);
	fd = kipc_handle(KIPC_KIND_SHM, id, O_RDWR, NULL);
	ASSERT_LE(0, fd);
	at[0] = kipc_shmat(id, NULL, 0);
	EXPECT_EQ(0, kipc_shmdt(at[0]));
	EXPECT_TRUE(is_there(KIPC_KIND_SHM, id));
	at[0] = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, at[0]);
	close(fd);
	EXPECT_TRUE(is_there(KIPC_KIND_SHM, id));
	*at[0] = 1;
	/* A part is enough. */
	EXPECT_EQ(0, munmap(at[0], 4096));
	EXPECT_TRUE(is_there(KIPC_KIND_SHM, id));
	EXPECT_EQ(0, munmap(at[0] + 4096, 4096));
	EXPECT_FALSE(is_there(KIPC_KIND_SHM, id));
}

/* Operate so often that the library maps the set. */
static void operate(int id)
{
	struct sembuf up = { 0, 1, 0 }, down = { 0, -1, 0 };
	int i;

	for (i = 0; i < 40; i++)
		if (kipc_semop(id, &up, 1) || kipc_semop(id, &down, 1))
			_exit(1);
}

static long do_operate(long *arg, void *buf)
{
	(void)buf;
	operate(arg[0]);
	return 0;
}

TEST_F(users, are_mappings_of_a_set)
{
	int id = get(KIPC_KIND_SEM, KEY, IPC_CREAT | 0600);
	struct semid_ds ds;
	struct listed row;
	struct peer p[2];

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p[0]));
	ASSERT_EQ(0, peer_start(&p[1]));
	ASSERT_EQ(0, peer_run(&p[0], do_operate, id, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&p[1], do_operate, id, 0, 0, 0, 0));
	ASSERT_TRUE(listed("sem", id, &row));
	EXPECT_EQ(2, row.users);
	EXPECT_EQ(0, row.handles);
	peer_end(&p[0], SIGKILL);
	ASSERT_TRUE(listed("sem", id, &row));
	EXPECT_EQ(1, row.users);

	/* To set its owner or mode cuts the mapping, and does not end the set. */
	ASSERT_EQ(0, kipc_semctl(id, 0, IPC_STAT, &ds));
	ASSERT_EQ(0, kipc_semctl(id, 0, IPC_SET, &ds));
	ASSERT_TRUE(listed("sem", id, &row));
	EXPECT_EQ(0, peer_run(&p[1], do_operate, id, 0, 0, 0, 0));
	ASSERT_TRUE(listed("sem", id, &row));
	peer_end(&p[1], SIGKILL);
	EXPECT_FALSE(is_there(KIPC_KIND_SEM, id));
}

/* Whoever only has the id is told as by IPC_RMID, and what was to be undone is not. */
TEST_F(users, leave_others_behind)
{
	int sem = get(KIPC_KIND_SEM, KEY, IPC_CREAT | 0600);
	int msg = get(KIPC_KIND_MSG, KEY, IPC_CREAT | 0600), fd[2], i;
	struct peer p[2];

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, peer_start(&p[i]));
	fd[0] = kipc_handle(KIPC_KIND_SEM, sem, O_RDWR, NULL);
	fd[1] = kipc_handle(KIPC_KIND_MSG, msg, O_RDWR, NULL);
	ASSERT_LE(0, fd[0]);
	ASSERT_LE(0, fd[1]);
	EXPECT_EQ(0, peer_semop1(&p[0], &ipc_kipc, sem, 1, 5, SEM_UNDO));
	ASSERT_EQ(0, peer_block1(&p[0], &ipc_kipc, sem, 0, -1, SEM_UNDO));
	ASSERT_EQ(0, peer_block_receive(&p[1], &ipc_kipc, msg, 7, 0));
	EXPECT_EQ(0, send_text(msg, 6, "of no matter"));
	close(fd[0]);
	close(fd[1]);
	for (i = 0; i < 2; i++) {
		EXPECT_ERR(EIDRM, peer_finish(&p[i]));
		peer_end(&p[i], SIGKILL);
	}
	EXPECT_FALSE(is_there(KIPC_KIND_SEM, sem));
	EXPECT_FALSE(is_there(KIPC_KIND_MSG, msg));
}

/* ---- What is no user ---- */

static int without_rights(void *arg)
{
	static const struct who nobody = { "nobody", 65534, 65534, -1, 0 };
	const int *id = arg;
	int kind;

	if (become(&nobody))
		return 1;
	for (kind = 0; kind < KIPC_KINDS; kind++)
		if (kipc_handle(kind, id[kind], O_RDWR, NULL) != -1 || errno != EACCES)
			return 2;
	return 0;
}

/* It never ends before it has had a user, and an attempt is none. */
TEST_F(users, have_to_come_first)
{
	struct rlimit no_file = { 0, 0 }, before;
	struct kipc_filter bad = { .sem_op = 1 };
	int id[KIPC_KINDS], kind, fd;
	char *page;

	page = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	for (kind = 0; kind < KIPC_KINDS; kind++) {
		id[kind] = get(kind, KEY, IPC_CREAT | 0600);
		ASSERT_LE(0, id[kind]);
	}
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	no_file.rlim_max = before.rlim_max;
	for (kind = 0; kind < KIPC_KINDS; kind++) {
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &no_file));
		fd = kipc_handle(kind, id[kind], O_RDWR, NULL);
		EXPECT_EQ(-1, fd);
		EXPECT_EQ(EMFILE, errno);
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
		EXPECT_ERR(EINVAL, kipc_handle(kind, id[kind], O_RDWR, &bad));
	}
	EXPECT_EQ(0, in_child(without_rights, id));
	EXPECT_ERR(EINVAL, kipc_shmat(id[KIPC_KIND_SHM], page, 0));
	EXPECT_EQ(0, sem_setval(&ipc_kipc, id[KIPC_KIND_SEM], 0, 1));
	EXPECT_EQ(0, send_text(id[KIPC_KIND_MSG], 1, "there"));
	for (kind = 0; kind < KIPC_KINDS; kind++) {
		EXPECT_EQ(id[kind], get(kind, KEY, 0));
		fd = kipc_handle(kind, id[kind], O_RDONLY, NULL);
		ASSERT_LE(0, fd);
		/* Nor does an attempt keep it. */
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &no_file));
		EXPECT_EQ(-1, kipc_handle(kind, id[kind], O_RDWR, NULL));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
		EXPECT_EQ(id[kind], get(kind, KEY, 0));
		close(fd);
		EXPECT_FALSE(is_there(kind, id[kind]));
	}
	munmap(page, 8192);
}

/* The lifetime is that of the creation; of what is there it is nobody's to say. */
TEST_F(users, of_what_is_there)
{
	int id = kipc_semget(KEY, 3, IPC_CREAT | 0600), fd;
	struct listed row;

	EXPECT_EQ(id, get(KIPC_KIND_SEM, KEY, IPC_CREAT | 0600));
	fd = kipc_handle(KIPC_KIND_SEM, id, O_RDWR, NULL);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_TRUE(listed("sem", id, &row));
	EXPECT_STREQ("persistent", row.lifetime);
	EXPECT_EQ(0, rmid(KIPC_KIND_SEM, id));
}

/* ---- Who has a handle ---- */

TEST_F(users, are_children)
{
	int id = get(KIPC_KIND_MSG, KEY, IPC_CREAT | 0600);
	int fd = kipc_handle(KIPC_KIND_MSG, id, O_RDWR | O_CLOEXEC, NULL), go[2], status;
	pid_t pid;
	char c;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(1);
		_exit(send_text(id, 1, "still") ? 2 : 0);
	}
	close(fd);
	EXPECT_TRUE(is_there(KIPC_KIND_MSG, id));
	EXPECT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FALSE(is_there(KIPC_KIND_MSG, id));
	close(go[0]);
	close(go[1]);
}

/* Killed with everything that makes one a user: when wait() tells, all is gone. */
TEST_F(users, are_killed)
{
	int id[KIPC_KINDS], kind, i;
	struct listed row;
	pid_t pid;

	for (i = 0; i < 20; i++) {
		for (kind = 0; kind < KIPC_KINDS; kind++)
			id[kind] = get(kind, IPC_PRIVATE, 0600);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			for (kind = 0; kind < KIPC_KINDS; kind++)
				if (kipc_handle(kind, id[kind], O_RDWR, NULL) < 0)
					_exit(1);
			if (kipc_shmat(id[KIPC_KIND_SHM], NULL, 0) == (void *)-1)
				_exit(1);
			operate(id[KIPC_KIND_SEM]);
			raise(SIGSTOP);
			_exit(1);
		}
		ASSERT_EQ(pid, waitpid(pid, NULL, WUNTRACED));
		ASSERT_TRUE(listed("sem", id[KIPC_KIND_SEM], &row));
		EXPECT_EQ(2, row.users);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		for (kind = 0; kind < KIPC_KINDS; kind++)
			ASSERT_FALSE(is_there(kind, id[kind]));
	}
}

/* In flight over a socket it is a user; also when nobody will ever receive it. */
TEST_F(users, are_in_flight)
{
	int id = get(KIPC_KIND_SEM, KEY, IPC_CREAT | 0600), pair[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	fd = kipc_handle(KIPC_KIND_SEM, id, O_RDWR, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, send_fd(pair[0], fd));
	close(fd);
	EXPECT_TRUE(is_there(KIPC_KIND_SEM, id));
	fd = receive_fd(pair[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, kipc_handle_semop(fd, &(struct sembuf){ 0, 1, 0 }, 1, 0, 0, NULL));
	EXPECT_EQ(0, send_fd(pair[0], fd));
	close(fd);
	EXPECT_TRUE(is_there(KIPC_KIND_SEM, id));
	close(pair[0]);
	close(pair[1]);
	EXPECT_FALSE(is_there(KIPC_KIND_SEM, id));
}

/* ---- Other ends ---- */

/* Removed before; the id is another object's when the last handle goes. */
TEST_F(users, come_too_late)
{
	static const char *const next[KIPC_KINDS] = { "shm_next_id", "sem_next_id", "msg_next_id" };
	int kind, id, fd, other;

	for (kind = 0; kind < KIPC_KINDS; kind++) {
		id = get(kind, KEY, IPC_CREAT | 0600);
		fd = kipc_handle(kind, id, O_RDWR, NULL);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, rmid(kind, id));
		/* A segment stays, without its key, as when it is attached. */
		EXPECT_EQ(kind == KIPC_KIND_SHM, is_there(kind, id));
		if (kind != KIPC_KIND_SHM) {
			ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, next[kind], id));
			ASSERT_EQ(id, get(kind, KEY, IPC_CREAT | 0600));
		}
		close(fd);
		EXPECT_EQ(kind != KIPC_KIND_SHM, is_there(kind, id));
		other = kipc_handle(kind, id, O_RDWR, NULL);
		EXPECT_EQ(kind != KIPC_KIND_SHM, other >= 0);
		close(other);
	}
}

/* The namespace ends with everybody in it; the handles are elsewhere. */
TEST_F(users, outlive_the_namespace)
{
	int pair[2], fd[2 * KIPC_KINDS], kind, status;
	struct pollfd p = { .events = POLLIN };
	char *mapped;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWIPC))
			_exit(1);
		for (kind = 0; kind < KIPC_KINDS; kind++)
			if (send_fd(pair[1], kipc_handle(kind, get(kind, KEY, IPC_CREAT | 0600),
							 O_RDWR, NULL)) ||
			    send_fd(pair[1], kipc_handle_create(kind, kind == KIPC_KIND_MSG ? 0 : 9,
								O_RDWR, 0600, NULL)))
				_exit(2);
		_exit(0);
	}
	for (kind = 0; kind < 2 * KIPC_KINDS; kind++) {
		fd[kind] = receive_fd(pair[0]);
		ASSERT_LE(0, fd[kind]);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	for (kind = 2 * KIPC_KIND_SEM; kind < 2 * KIPC_KINDS; kind++) {
		p.fd = fd[kind];
		do {
			EXPECT_EQ(1, poll(&p, 1, -1));
		} while (!(p.revents & POLLHUP));
	}
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd[1], 0);
	ASSERT_NE(MAP_FAILED, mapped);
	for (kind = 0; kind < 2 * KIPC_KINDS; kind++)
		close(fd[kind]);
	*mapped = 1;
	EXPECT_EQ(0, munmap(mapped, 4096));
	close(pair[0]);
	close(pair[1]);
}

/* ---- Objects that live only as descriptors ---- */

TEST_F(users, begin_with_a_handle)
{
	static const size_t sizes[KIPC_KINDS] = { 8192, 3, 0 };
	struct listed row;
	int kind, fd, id;

	for (kind = 0; kind < KIPC_KINDS; kind++) {
		/* Its rights are not those of the mode. */
		fd = kipc_handle_create(kind, sizes[kind], O_RDWR | O_CLOEXEC, 0, NULL);
		ASSERT_LE(0, fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		id = id_of(fd);
		ASSERT_TRUE(listed(kinds[kind], id, &row));
		EXPECT_STREQ("users", row.lifetime);
		EXPECT_EQ(1, row.handles);
		EXPECT_EQ(1, row.users);
		EXPECT_EQ(1, kipc_ids_read(kinds[kind]).in_use);
		close(fd);
		EXPECT_FALSE(is_there(kind, id));
	}
}

TEST_F(users, use_what_has_no_key)
{
	struct kipc_filter two = { .sem_num = 2, .sem_op = -2 }, seven = { .msgtyp = 7 };
	int shm = kipc_handle_create(KIPC_KIND_SHM, 5000, O_RDWR, 0600, NULL);
	int sem = kipc_handle_create(KIPC_KIND_SEM, 3, O_RDWR | O_NONBLOCK, 0600, &two);
	int msg = kipc_handle_create(KIPC_KIND_MSG, 0, O_RDWR | O_NONBLOCK, 0640, &seven);
	int write_only = kipc_handle_create(KIPC_KIND_MSG, 0, O_WRONLY, 0600, NULL);
	struct packet packet = { .type = 7, .text = "seven" };
	struct msqid_ds ds;
	uint64_t n = 2;
	char *mapped;

	ASSERT_LE(0, shm);
	ASSERT_LE(0, sem);
	ASSERT_LE(0, msg);
	mapped = mmap(NULL, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, shm, 0);
	ASSERT_NE(MAP_FAILED, mapped);
	EXPECT_EQ(0, mapped[4999]);
	munmap(mapped, 5000);
	EXPECT_ERR(EAGAIN, read(sem, &n, 8));
	EXPECT_EQ(8, write(sem, &n, 8));
	EXPECT_VALUES(&ipc_kipc, id_of(sem), 0, 0, 2);
	EXPECT_EQ(8, read(sem, &n, 8));
	EXPECT_EQ(14, write(msg, &packet, 14));
	EXPECT_EQ(6, read_text(msg, &packet));
	EXPECT_ERR(EBADF, read(write_only, &packet, 14));
	/* Others find it by its id, and may what its mode says. */
	EXPECT_EQ(0, kipc_msgctl(id_of(msg), IPC_STAT, &ds));
	EXPECT_EQ(0640, ds.msg_perm.mode);
	EXPECT_EQ(0, ds.msg_perm.__key);
	close(shm);
	close(sem);
	close(msg);
	close(write_only);
}

TEST_F(users, ask_wrongly)
{
	struct kipc_filter up = { .sem_op = 1 }, third = { .sem_num = 3 }, type = { .msgtyp = 1 };
	struct kipc_handle_create create = { .kind = KIPC_KIND_SHM, .flags = O_RDWR, .size = 1 };
	int device = device_open();

	ASSERT_LE(0, device);
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KINDS, 0, O_RDWR, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(-1, 0, O_RDWR, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SHM, 0, O_RDWR, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SEM, 0, O_RDWR, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SEM, 32001, O_RDWR, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SEM, 1ul << 32 | 1, O_RDWR, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_MSG, 1, O_RDWR, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_MSG, 0, O_ACCMODE, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_MSG, 0, O_RDWR | O_CREAT, 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_MSG, 0, O_RDWR, IPC_CREAT | 0600, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SEM, 3, O_RDWR, SHM_NORESERVE, NULL));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SEM, 3, O_RDWR, 0600, &up));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SEM, 3, O_RDWR, 0600, &third));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SEM, 3, O_RDWR, 0600, &type));
	EXPECT_ERR(EINVAL, kipc_handle_create(KIPC_KIND_SHM, 1, O_RDWR, 0600, &type));
	create.mode = 01000;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_HANDLE_CREATE, &create));
	create.mode = 0;
	create.kind = KIPC_KIND_MSG + 1;
	EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_HANDLE_CREATE, &create));
	close(device);
}

/* What fails late leaves nothing. */
TEST_F(users, get_no_descriptor)
{
	struct rlimit no_file = { 0, 0 }, before;
	int kind, first, fd[3];

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	no_file.rlim_max = before.rlim_max;
	for (kind = 0; kind < KIPC_KINDS; kind++) {
		/* The library has its own by now. */
		first = kipc_handle_create(kind, kind < KIPC_KIND_MSG, O_RDWR, 0600, NULL);
		ASSERT_LE(0, first);
		close(first);
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &no_file));
		first = kipc_handle_create(kind, kind < KIPC_KIND_MSG, O_RDWR, 0600, NULL);
		EXPECT_EQ(-1, first);
		EXPECT_EQ(EMFILE, errno);
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
		EXPECT_EQ(0, kipc_ids_read(kinds[kind]).in_use);
	}
	/* The namespace's limits hold for these too, and what was freed can be had again. */
	ASSERT_EQ(0, ipc_limit_set(&ipc_kipc, "msgmni", 2));
	for (kind = 0; kind < 3; kind++) {
		fd[kind] = kipc_handle_create(KIPC_KIND_MSG, 0, O_RDWR, 0600, NULL);
		EXPECT_EQ(kind < 2, fd[kind] >= 0);
	}
	EXPECT_EQ(ENOSPC, errno);
	close(fd[0]);
	fd[0] = kipc_handle_create(KIPC_KIND_MSG, 0, O_RDWR, 0600, NULL);
	EXPECT_LE(0, fd[0]);
	close(fd[0]);
	close(fd[1]);
}

/* ---- All at once ---- */

#define ROUNDS	400

static int use_handle(int kind, int fd, int id)
{
	struct packet packet = { .type = 1 };
	uint64_t n = 1;
	char *at;

	switch (kind) {
	case KIPC_KIND_SHM:
		at = kipc_shmat(id, NULL, 0);
		if (at == (void *)-1)
			return 3;
		*at = 1;
		return kipc_shmdt(at) ? 4 : 0;
	case KIPC_KIND_SEM:
		return write(fd, &n, 8) != 8 || read(fd, &n, 8) != 8 ? 5 : 0;
	default:
		return write(fd, &packet, 8) != 8 || read(fd, &packet, 8) != 8 ? 6 : 0;
	}
}

/* What was opened can be used until it is closed: none of the others ends it. */
static int use(int kind)
{
	int id = get(kind, KEY, IPC_CREAT | 0600), fd, ret;

	if (id < 0)
		return 1;
	fd = kipc_handle(kind, id, O_RDWR, NULL);
	/* Its last user went before us. */
	if (fd < 0)
		return errno == EINVAL || errno == EIDRM ? 0 : 2;
	ret = use_handle(kind, fd, id);
	close(fd);
	return ret;
}

static int use_them(int seed)
{
	int i, ret;

	for (i = 0; i < ROUNDS; i++) {
		ret = use((seed + i) % KIPC_KINDS);
		if (ret)
			return ret;
		if (i % 7 == seed % 7)
			sched_yield();
	}
	return 0;
}

TEST_F(users, come_and_go)
{
	pid_t pid[6];
	int i, status;

	for (i = 0; i < 6; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			_exit(use_them(i));
	}
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* The same, with some who remove what they find, and some who are killed. */
TEST_F(users, come_and_are_removed)
{
	int i, j, kind, status;
	pid_t pid[4];

	for (j = 0; j < 40; j++) {
		for (i = 0; i < 4; i++) {
			pid[i] = fork();
			ASSERT_LE(0, pid[i]);
			if (!pid[i])
				while (true)
					for (kind = 0; kind < KIPC_KINDS; kind++)
						use(kind);
		}
		for (i = 0; i < 60; i++)
			for (kind = 0; kind < KIPC_KINDS; kind++)
				rmid(kind, get(kind, KEY, 0));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, kill(pid[i], SIGKILL));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
	}
	/* Who was killed before it opened what it had made left that without a user. */
	for (kind = 0; kind < KIPC_KINDS; kind++)
		rmid(kind, get(kind, KEY, 0));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* Objects that end with their last user, and those that live only as descriptors. */
#include "handle.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/device.h"

#define KEY	0x700

static const char *const kinds[KIPC_KINDS] = { "shm", "sem", "msg" };

FIXTURE(users) { long refs; };

FIXTURE_SETUP(users)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	/* The library has its descriptor from here on. */
	EXPECT_ERR(ENOENT, kipc_msgget(KEY, 0));
	self->refs = module_refs();
}

/* Objects, handles and who used them have gone: each has a reference to the module. */
FIXTURE_TEARDOWN(users)
{
	unsigned int k;

	for (k = 0; k < KIPC_KINDS; k++)
		EXPECT_EQ(0, kipc_ids_read(kinds[k]).in_use)
			TH_LOG("%s left", kinds[k]);
	wait_until(module_refs() <= self->refs);
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

static bool is_there(int kind, int id)
{
	return kipc_object_read(kinds[kind], id).users >= 0;
}

/* ---- The last user ---- */

TEST_F(users, are_handles)
{
	struct kipc_object_row row;
	int kind, id, fd[3], i;

	for (kind = 0; kind < KIPC_KINDS; kind++) {
		id = get(kind, KEY, IPC_CREAT | 0600);
		ASSERT_LE(0, id);
		row = kipc_object_read(kinds[kind], id);
		EXPECT_STREQ("users", row.lifetime);
		EXPECT_EQ(0, row.handles);
		for (i = 0; i < 2; i++) {
			fd[i] = kipc_handle(kind, id, O_RDWR, NULL);
			ASSERT_LE(0, fd[i]);
		}
		/* The descriptor is not the user, the handle is. */
		fd[2] = dup(fd[1]);
		row = kipc_object_read(kinds[kind], id);
		EXPECT_EQ(2, row.handles);
		EXPECT_EQ(2, row.users);
		close(fd[1]);
		close(fd[0]);
		row = kipc_object_read(kinds[kind], id);
		EXPECT_EQ(1, row.handles);
		EXPECT_EQ(id, get(kind, KEY, 0));
		close(fd[2]);
		EXPECT_FALSE(is_there(kind, id));
		EXPECT_ERR(ENOENT, get(kind, KEY, 0));
		EXPECT_ERR(EINVAL, kipc_handle(kind, id, O_RDWR, NULL));
		EXPECT_ERR(EINVAL, remove_object(kind, id));
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
	struct kipc_object_row row;
	struct peer p[2];

	ASSERT_LE(0, id);
	ASSERT_EQ(0, peer_start(&p[0]));
	ASSERT_EQ(0, peer_start(&p[1]));
	ASSERT_EQ(0, peer_run(&p[0], do_operate, id, 0, 0, 0, 0));
	ASSERT_EQ(0, peer_run(&p[1], do_operate, id, 0, 0, 0, 0));
	row = kipc_object_read("sem", id);
	EXPECT_EQ(2, row.users);
	EXPECT_EQ(0, row.handles);
	peer_end(&p[0], SIGKILL);
	row = kipc_object_read("sem", id);
	EXPECT_EQ(1, row.users);

	/* To set its owner or mode cuts the mapping, and does not end the set. */
	ASSERT_EQ(0, kipc_semctl(id, 0, IPC_STAT, &ds));
	ASSERT_EQ(0, kipc_semctl(id, 0, IPC_SET, &ds));
	ASSERT_TRUE(is_there(KIPC_KIND_SEM, id));
	EXPECT_EQ(0, peer_run(&p[1], do_operate, id, 0, 0, 0, 0));
	ASSERT_TRUE(is_there(KIPC_KIND_SEM, id));
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
	struct kipc_object_row row;

	EXPECT_EQ(id, get(KIPC_KIND_SEM, KEY, IPC_CREAT | 0600));
	fd = kipc_handle(KIPC_KIND_SEM, id, O_RDWR, NULL);
	ASSERT_LE(0, fd);
	close(fd);
	row = kipc_object_read("sem", id);
	EXPECT_STREQ("persistent", row.lifetime);
	EXPECT_EQ(0, remove_object(KIPC_KIND_SEM, id));
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
	struct kipc_object_row row;
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
		row = kipc_object_read("sem", id[KIPC_KIND_SEM]);
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

/* In sockets that are in flight to each other: nobody can receive it, and so it is none. */
TEST_F(users, are_in_flight_in_a_circle)
{
	static const size_t sizes[KIPC_KINDS] = { 8192, 3, 0 };
	int a[2], b[2], kind, fd, i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, b));
		for (kind = 0; kind < KIPC_KINDS; kind++) {
			fd = i % 2 ? kipc_handle_create(kind, sizes[kind], O_RDWR, 0600, NULL) :
				     kipc_handle(kind, get(kind, IPC_PRIVATE, 0600), O_RDWR, NULL);
			ASSERT_LE(0, fd);
			ASSERT_EQ(0, send_fd(a[0], fd));
			close(fd);
		}
		ASSERT_EQ(0, send_fd(a[0], b[1]));
		ASSERT_EQ(0, send_fd(b[0], a[1]));
		for (kind = 0; kind < 2; kind++) {
			close(a[kind]);
			close(b[kind]);
		}
	}
	for (kind = 0; kind < KIPC_KINDS; kind++)
		wait_until((collect_sockets(), kipc_ids_read(kinds[kind]).in_use == 0));
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
		ASSERT_EQ(0, remove_object(kind, id));
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

/* Of each kind one that is opened, and one that begins with its handle. */
static int open_or_create(int i)
{
	int kind = i / 2;

	return i % 2 ? kipc_handle_create(kind, kind == KIPC_KIND_MSG ? 0 : 9, O_RDWR, 0600, NULL) :
		       kipc_handle(kind, get(kind, KEY, IPC_CREAT | 0600), O_RDWR, NULL);
}

/* The namespace ends with everybody in it; the handles are elsewhere. */
TEST_F(users, outlive_the_namespace)
{
	struct elsewhere there;
	int fd[2 * KIPC_KINDS], i;
	char *mapped;

	ASSERT_EQ(0, elsewhere_begin(&there, open_or_create, fd, 2 * KIPC_KINDS));
	ASSERT_EQ(0, elsewhere_end(&there));
	for (i = 2 * KIPC_KIND_SEM; i < 2 * KIPC_KINDS; i++)
		EXPECT_TRUE(until_hup(fd[i]));
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd[1], 0);
	ASSERT_NE(MAP_FAILED, mapped);
	for (i = 0; i < 2 * KIPC_KINDS; i++)
		close(fd[i]);
	*mapped = 1;
	EXPECT_EQ(0, munmap(mapped, 4096));
}

/* ---- Objects that live only as descriptors ---- */

TEST_F(users, begin_with_a_handle)
{
	static const size_t sizes[KIPC_KINDS] = { 8192, 3, 0 };
	struct kipc_object_row row;
	int kind, fd, id;

	for (kind = 0; kind < KIPC_KINDS; kind++) {
		/* Its rights are not those of the mode. */
		fd = kipc_handle_create(kind, sizes[kind], O_RDWR | O_CLOEXEC, 0, NULL);
		ASSERT_LE(0, fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		id = id_of(fd);
		row = kipc_object_read(kinds[kind], id);
		EXPECT_STREQ("users", row.lifetime);
		EXPECT_EQ(1, row.handles);
		EXPECT_EQ(1, row.users);
		EXPECT_EQ(1, kipc_ids_read(kinds[kind]).in_use);
		close(fd);
		EXPECT_FALSE(is_there(kind, id));
	}
}

/* Of the owner's group, in a queue of mode 0640. */
static int as_group(void *arg)
{
	static const struct who member = { "member", 65534, 65534, 0, 0 };
	const int *id = arg;
	int fd;

	if (become(&member))
		return 1;
	fd = kipc_handle(KIPC_KIND_MSG, *id, O_RDONLY, NULL);
	if (fd < 0)
		return 2;
	close(fd);
	if (kipc_handle(KIPC_KIND_MSG, *id, O_RDWR, NULL) != -1 || errno != EACCES)
		return 3;
	return kipc_msgctl(*id, IPC_RMID, NULL) != -1 || errno != EPERM ? 4 : 0;
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
	int id;

	ASSERT_LE(0, shm);
	ASSERT_LE(0, sem);
	ASSERT_LE(0, msg);
	ASSERT_LE(0, write_only);
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
	EXPECT_EQ(14, write(write_only, &packet, 14));
	EXPECT_ERR(EBADF, read(write_only, &packet, 14));
	EXPECT_EQ(1, msg_qnum(&ipc_kipc, id_of(write_only)));
	EXPECT_EQ(0, kipc_msgctl(id_of(msg), IPC_STAT, &ds));
	EXPECT_EQ(0640, ds.msg_perm.mode);
	EXPECT_EQ(0, ds.msg_perm.__key);
	/* Others find it by its id, and may what its mode says. */
	id = id_of(msg);
	EXPECT_EQ(0, in_child(as_group, &id));
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
	for (create.size = 0; create.size < 2; create.size++)
		EXPECT_ERR(EINVAL, ioctl(device, KIPC_IOC_HANDLE_CREATE, &create));
	/* It was that: the rest is right. */
	create.kind = KIPC_KIND_SHM;
	create.size = 1;
	EXPECT_EQ(0, close(ioctl(device, KIPC_IOC_HANDLE_CREATE, &create)));
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

/*
 * What was opened can be used until it is closed: none of the others ends it.
 * Return: 0, GONE: its last user went before us, or what did not work.
 */
enum { GONE = 100 };

static int use(int kind)
{
	int id = get(kind, KEY, IPC_CREAT | 0600), fd, ret;

	if (id < 0)
		return 1;
	fd = kipc_handle(kind, id, O_RDWR, NULL);
	if (fd < 0)
		return errno == EINVAL || errno == EIDRM ? GONE : 2;
	ret = use_handle(kind, fd, id);
	close(fd);
	return ret;
}

static int use_them(int seed)
{
	int used[KIPC_KINDS] = { }, i, kind, ret;

	for (i = 0; i < ROUNDS; i++) {
		kind = (seed + i) % KIPC_KINDS;
		ret = use(kind);
		if (ret && ret != GONE)
			return ret;
		used[kind] += !ret;
		if (i % 7 == seed % 7)
			sched_yield();
	}
	/* Who always comes too late has shown nothing. */
	return used[KIPC_KIND_SHM] && used[KIPC_KIND_SEM] && used[KIPC_KIND_MSG] ? 0 : 7;
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

/*
 * The last user goes while somebody else opens the object: it is
 * either there for that one, or has gone before.  The two are brought as near to each other as
 * can be: who came too late begins earlier the next time, and the other way round.
 */
#define RACES	4000
/* A round can take long where processors are shared: so many seconds suffice. */
#define RACE_SECONDS	20

#define STEP	100

/* @bias: how much later the one who closes begins, or the other one if it is negative. */
struct race {
	int round, id, outcome;
	long bias;
};

FIXTURE(opened_anew) { struct race *race; pid_t pid; long refs; };
FIXTURE_VARIANT(opened_anew) { int kind; };
FIXTURE_VARIANT_ADD(opened_anew, shm) { .kind = KIPC_KIND_SHM };
FIXTURE_VARIANT_ADD(opened_anew, sem) { .kind = KIPC_KIND_SEM };
FIXTURE_VARIANT_ADD(opened_anew, msg) { .kind = KIPC_KIND_MSG };

/* The other one is awaited awake, for to sleep takes longer than what matters here. */
static void await(const int *word, int value)
{
	int i;

	for (i = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) != value; i++)
		if (i % 1000 == 999)
			sched_yield();
}

static void delay(long by)
{
	while (by-- > 0)
		__asm__ volatile("" ::: "memory");
}

enum { OPENED = 1, TOO_LATE, WRONG };

/* In each round: open, use, see that it is there, as long as the descriptor is. */
static void open_anew(struct race *race, int kind)
{
	int round, fd, outcome;

	for (round = 1; round <= RACES; round++) {
		await(&race->round, round);
		delay(-race->bias);
		fd = kipc_handle(kind, race->id, O_RDWR, NULL);
		if (fd >= 0)
			outcome = use_handle(kind, fd, race->id) ? WRONG : OPENED;
		else
			outcome = errno == EINVAL || errno == EIDRM ? TOO_LATE : WRONG;
		__atomic_store_n(&race->outcome, outcome, __ATOMIC_RELEASE);
		/* When the other one has closed his, it is still there, with one user. */
		await(&race->round, -round);
		if (outcome == OPENED && kipc_object_read(kinds[kind], race->id).users != 1)
			_exit(1);
		if (fd >= 0)
			close(fd);
		__atomic_store_n(&race->outcome, 0, __ATOMIC_RELEASE);
	}
	/* It is killed with the test. */
	pause();
}

FIXTURE_SETUP(opened_anew)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->race = mmap(NULL, sizeof(*self->race), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->race);
	EXPECT_ERR(ENOENT, kipc_msgget(KEY, 0));
	self->refs = module_refs();
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		open_anew(self->race, variant->kind);
	}
}

FIXTURE_TEARDOWN(opened_anew)
{
	EXPECT_EQ(0, kipc_ids_read(kinds[variant->kind]).in_use);
	kill_child(self->pid);
	wait_until(module_refs() <= self->refs);
}

TEST_F_TIMEOUT(opened_anew, while_the_last_user_goes, 300)
{
	struct race *race = self->race;
	int round, fd, outcome, status, seen[WRONG + 1] = { };
	time_t end = time(NULL) + RACE_SECONDS;

	for (round = 1; round <= RACES; round++) {
		if (seen[OPENED] && seen[TOO_LATE] && time(NULL) > end)
			break;
		race->id = get(variant->kind, IPC_PRIVATE, 0600);
		fd = kipc_handle(variant->kind, race->id, O_RDWR, NULL);
		ASSERT_LE(0, fd);
		__atomic_store_n(&race->round, round, __ATOMIC_RELEASE);
		delay(race->bias);
		close(fd);
		while (!(outcome = __atomic_load_n(&race->outcome, __ATOMIC_ACQUIRE))) {
			ASSERT_EQ(0, waitpid(self->pid, &status, WNOHANG));
		}
		seen[outcome]++;
		__atomic_store_n(&race->round, -round, __ATOMIC_RELEASE);
		while (__atomic_load_n(&race->outcome, __ATOMIC_ACQUIRE)) {
			ASSERT_EQ(0, waitpid(self->pid, &status, WNOHANG))
				TH_LOG("it was gone");
		}
		ASSERT_FALSE(is_there(variant->kind, race->id));
		race->bias += outcome == TOO_LATE ? STEP : -STEP;
	}
	TH_LOG("%d times opened, %d times too late", seen[OPENED], seen[TOO_LATE]);
	EXPECT_EQ(0, seen[WRONG]);
	EXPECT_LT(0, seen[OPENED]);
	EXPECT_LT(0, seen[TOO_LATE]);
}

/* The same, with some who remove what they find, and some who are killed. */
TEST_F_TIMEOUT(users, come_and_are_removed, 200)
{
	time_t end = time(NULL) + RACE_SECONDS;
	int i, j, kind, status;
	pid_t pid[4];

	for (j = 0; j < 40 && time(NULL) <= end; j++) {
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
				remove_object(kind, get(kind, KEY, 0));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(0, kill(pid[i], SIGKILL));
		for (i = 0; i < 4; i++)
			ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
	}
	/* Who was killed before it opened what it had made left that without a user. */
	for (kind = 0; kind < KIPC_KINDS; kind++)
		remove_object(kind, get(kind, KEY, 0));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/*
 * Unloading: refused while anything is used, and then it leaves nothing behind.  Run
 * last; the module is loaded again from KIPC_KO (default: kipc.ko in some directory
 * above), if it can be found.
 */
#include "common/harness.h"
#include "common/device.h"

#include <kipc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int unload(void)
{
	return syscall(SYS_delete_module, "kipc", O_NONBLOCK);
}

static int find_module(void)
{
	char path[256] = "kipc.ko";
	const char *ko = getenv("KIPC_KO");
	int fd = ko ? open(ko, O_RDONLY | O_CLOEXEC) : -1, up;

	for (up = 0; fd < 0 && up < 8; up++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		memmove(path + 3, path, strlen(path) + 1);
		memcpy(path, "../", 3);
	}
	return fd;
}

static int load(void)
{
	int fd = find_module(), ret;

	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return ret;
}

static bool loaded(void)
{
	return !access("/sys/module/kipc", F_OK);
}

FIXTURE(unload) { int unused; };

FIXTURE_SETUP(unload)
{
	if (!loaded())
		ASSERT_EQ(0, load())
			TH_LOG("kipc is not loaded and cannot be: set KIPC_KO");
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
}

FIXTURE_TEARDOWN(unload)
{
	if (!loaded())
		EXPECT_EQ(0, load());
}

/* Refused with everything as it was. */
static void refused(struct __test_metadata *_metadata, int id)
{
	EXPECT_ERR(EWOULDBLOCK, unload());
	EXPECT_TRUE(loaded());
	if (id >= 0)
		EXPECT_LE(0, shm_nattch(&ipc_kipc, id));
	EXPECT_EQ(0, access("/proc/kipc/shm", R_OK));
}

/* A call in a child of its own, so that no descriptor of the library stays with us. */
struct by_child {
	int id;
	int cmd;
};

static int remove_by_child(void *arg)
{
	struct by_child *c = arg;

	return kipc_shmctl(c->id, c->cmd, NULL) ? 1 : 0;
}

static int do_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int create_by_child(void *arg)
{
	(void)arg;
	return kipc_shmget(IPC_PRIVATE, PAGE, 0600);
}

/*
 * Other tests' namespaces may still be on their way out; once they are, it goes.
 * Whether it went while something was used is for the others here to say.
 */
static void goes(void)
{
	wait_until(!unload());
}

TEST_F(unload, device_open)
{
	int fd = device_open();

	ASSERT_LE(0, fd);
	refused(_metadata, -1);
	close(fd);
	goes();
	EXPECT_FALSE(loaded());
	EXPECT_EQ(-1, access(KIPC_DEVICE, F_OK));
	EXPECT_EQ(-1, access("/proc/kipc", F_OK));
}

/* A segment that nobody uses: it would be lost. */
TEST_F(unload, segment)
{
	int status = in_child(create_by_child, NULL);
	struct by_child c = { WEXITSTATUS(status), IPC_RMID };

	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_ERR(EWOULDBLOCK, unload());
	EXPECT_ERR(EWOULDBLOCK, unload());
	ASSERT_TRUE(loaded());
	ASSERT_EQ(0, in_child(remove_by_child, &c));
	goes();
}

static long do_attach_removed(long *arg, void *buf)
{
	int id = kipc_shmget(IPC_PRIVATE, PAGE, 0600);
	void *a = kipc_shmat(id, NULL, 0);
	int fd;

	(void)arg;
	(void)buf;
	kipc_shmctl(id, IPC_RMID, NULL);
	/* Not the descriptor shall be what holds it. */
	for (fd = 3; fd < 64; fd++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0 && (target[n] = 0, !strcmp(target, KIPC_DEVICE)))
			close(fd);
	}
	return (long)a;
}

/* An attachment, of a segment that is removed already, without a descriptor. */
TEST_F(unload, attachment)
{
	struct peer p;
	char *a;

	ASSERT_EQ(0, peer_start(&p));
	a = (char *)peer_run(&p, do_attach_removed, 0, 0, 0, 0, 0);
	ASSERT_NE(MAP_FAILED, a);
	refused(_metadata, -1);
	EXPECT_EQ(0, peer_poke(&p, a, 1));
	peer_end(&p, SIGKILL);
	goes();
}

static long do_elsewhere(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	if (unshare(CLONE_NEWIPC))
		return -1;
	return kipc_shmget(IPC_PRIVATE, PAGE, 0600);
}

/* A segment of a namespace that only a descriptor holds. */
TEST_F(unload, held_namespace)
{
	char path[64];
	struct peer p;
	int ns;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_LE(0, peer_run(&p, do_elsewhere, 0, 0, 0, 0, 0));
	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", p.pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, ns);
	refused(_metadata, -1);
	peer_end(&p, SIGKILL);
	refused(_metadata, -1);
	close(ns);
	goes();
}

static long do_make_record(long *arg, void *buf)
{
	int id = kipc_shmget_lifetime(IPC_PRIVATE, PAGE, 0600, KIPC_LIFETIME_CREATOR), fd;

	(void)arg;
	(void)buf;
	for (fd = 3; fd < 64; fd++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n > 0 && (target[n] = 0, !strcmp(target, KIPC_DEVICE)))
			close(fd);
	}
	return id;
}

/* What lives as long as its creator. */
TEST_F(unload, record)
{
	struct peer p;

	ASSERT_EQ(0, peer_start(&p));
	ASSERT_LE(0, peer_run(&p, do_make_record, 0, 0, 0, 0, 0));
	refused(_metadata, -1);
	peer_end(&p, SIGKILL);
	goes();
}

/* A listing that is open. */
TEST_F(unload, listing_open)
{
	int fd = open("/proc/kipc/shm", O_RDONLY | O_CLOEXEC);
	char c;

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, read(fd, &c, 1));
	/* proc lets a module go under an open file, which then reads as gone. */
	if (unload()) {
		EXPECT_EQ(EWOULDBLOCK, errno);
	} else {
		EXPECT_GE(0, read(fd, &c, 1));
	}
	close(fd);
	if (loaded())
		goes();
}

/* Ended processes that had one, ended namespaces: nothing of all that holds it. */
TEST_F(unload, after_use)
{
	int i;

	for (i = 0; i < 10; i++) {
		struct peer p;

		ASSERT_EQ(0, peer_start(&p));
		ASSERT_LE(0, peer_run(&p, do_elsewhere, 0, 0, 0, 0, 0));
		ASSERT_LE(0, peer_run(&p, do_make_record, 0, 0, 0, 0, 0));
		peer_end(&p, i % 2 ? SIGKILL : 0);
	}
	goes();
}

/* No cache, no symbol, no file; and with processes dying right after, no trap left. */
TEST_F(unload, leaves_nothing)
{
	char line[512];
	FILE *f;
	int i;

	ASSERT_EQ(0, in_child(create_by_child, NULL) & 0x7f);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	goes();
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, in_child(do_nothing, NULL));
	f = fopen("/proc/slabinfo", "re");
	while (f && fgets(line, sizeof(line), f))
		EXPECT_EQ(NULL, strstr(line, "kipc"));
	if (f)
		fclose(f);
	f = fopen("/proc/kallsyms", "re");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f))
		EXPECT_EQ(NULL, strstr(line, "[kipc]"));
	fclose(f);
	EXPECT_EQ(-1, access("/sys/class/misc/kipc", F_OK));
	EXPECT_EQ(-1, access("/proc/kipc", F_OK));
}

/* Loaded and unloaded again and again, in use each time. */
TEST_F_TIMEOUT(unload, again, 100)
{
	int i;

	for (i = 0; i < 10; i++) {
		struct peer p;

		if (!loaded())
			ASSERT_EQ(0, load());
		wait_until(!access(KIPC_DEVICE, R_OK | W_OK));
		ASSERT_EQ(0, peer_start(&p));
		ASSERT_LE(0, peer_run(&p, do_elsewhere, 0, 0, 0, 0, 0));
		peer_end(&p, SIGKILL);
		goes();
		EXPECT_FALSE(loaded());
	}
}

TEST_HARNESS_MAIN

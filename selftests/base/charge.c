// SPDX-License-Identifier: GPL-2.0
/* Kernel memory and pages are charged to the cgroup of whoever makes or touches them. */
#include "common/harness.h"
#include "common/device.h"

#include <sys/mount.h>
#include <sys/stat.h>

FIXTURE(charge) {
	char group[256];
	bool ready;
};

FIXTURE_VARIANT(charge) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(charge, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(charge, kipc) { .ipc = &ipc_kipc };

static bool prepare(char *group, size_t size, const char *name)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified",
					     "/tmp/kipc-cgroup" };
	char path[300];
	unsigned int i;

	mkdir(roots[2], 0755);
	mount("cgroup2", roots[2], "cgroup2", 0, NULL);
	for (i = 0; i < ARRAY_SIZE(roots); i++) {
		snprintf(path, sizeof(path), "%s/cgroup.subtree_control", roots[i]);
		if (write_text(path, "+memory"))
			continue;
		snprintf(group, size, "%s/kipc-%s-%d", roots[i], name, getpid());
		if (mkdir(group, 0755))
			continue;
		snprintf(path, sizeof(path), "%s/memory.current", group);
		return !access(path, R_OK);
	}
	return false;
}

FIXTURE_SETUP(charge)
{
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	self->ready = prepare(self->group, sizeof(self->group), variant->ipc->name);
	if (self->ready)
		ASSERT_EQ(0, ipc_limit_set(variant->ipc, "shmmni", 100000));
}

FIXTURE_TEARDOWN(charge)
{
	rmdir(self->group);
	umount("/tmp/kipc-cgroup");
	rmdir("/tmp/kipc-cgroup");
}

#define NEED_GROUP() do { \
	if (!self->ready) \
		SKIP(return, "no memory controller of cgroup v2 here"); \
} while (0)

static long group_number(const char *group, const char *file)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return read_number(path);
}

static long group_stat(const char *group, const char *field)
{
	char path[300], line[128];
	long v = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.stat", group);
	f = fopen(path, "re");
	while (f && v < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)) && line[strlen(field)] == ' ')
			v = atol(line + strlen(field) + 1);
	if (f)
		fclose(f);
	return v;
}

static int enter(const char *group, pid_t pid)
{
	char path[300], text[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(text, sizeof(text), "%d", pid);
	return write_text(path, text);
}

static long do_create_many(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	long i;

	(void)buf;
	for (i = 0; i < arg[1]; i++)
		if (ipc->shmget(1 + i, PAGE, IPC_CREAT | 0600) < 0)
			return -1;
	return 0;
}

static long do_remove_many(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	long i;

	(void)buf;
	for (i = 0; i < arg[1]; i++)
		if (ipc->shmctl(ipc->shmget(1 + i, 0, 0), IPC_RMID, NULL))
			return -1;
	return 0;
}

/* Objects that nobody attaches cost kernel memory: it shows, and goes with them. */
TEST_F(charge, idle_objects)
{
	enum { N = 4000 };
	const struct ipc *ipc = variant->ipc;
	long before, now;
	struct peer p;

	NEED_GROUP();
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, enter(self->group, p.pid));
	ASSERT_EQ(-1, peer_shmget(&p, ipc, 1, 0, 0));
	before = group_number(self->group, "memory.current");
	ASSERT_LE(0, before);
	ASSERT_EQ(0, peer_run(&p, do_create_many, (long)ipc, N, 0, 0, 0));
	now = group_number(self->group, "memory.current");
	/* A file and its inode alone are well above half a kilobyte each. */
	EXPECT_LE(before + N * 512l, now);
	ASSERT_EQ(0, peer_run(&p, do_remove_many, (long)ipc, N, 0, 0, 0));
	/* Freed after a grace period; what the slabs keep is less than half. */
	wait_until(group_number(self->group, "memory.current") < before + (now - before) / 2);
	peer_end(&p, 0);
	wait_until(!rmdir(self->group));
}

static long do_touch(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	char *a = ipc->shmat(arg[1], NULL, 0);

	(void)buf;
	if (a == MAP_FAILED)
		return -1;
	memset(a, 1, arg[2]);
	return ipc->shmdt(a);
}

/* Pages: to whoever touches them first, for as long as the segment has them. */
TEST_F(charge, pages)
{
	const struct ipc *ipc = variant->ipc;
	const size_t size = 8 << 20;
	struct peer p;
	int id;

	NEED_GROUP();
	ASSERT_EQ(0, peer_start(&p));
	ASSERT_EQ(0, enter(self->group, p.pid));
	id = ipc->shmget(1, size, IPC_CREAT | 0600);
	ASSERT_LE(0, id);
	EXPECT_GT(1 << 20, group_stat(self->group, "shmem"));
	ASSERT_EQ(0, peer_run(&p, do_touch, (long)ipc, id, size, 0, 0));
	/* The statistics are flushed when read, more or less. */
	wait_until(group_stat(self->group, "shmem") > (long)size - (1 << 20));
	EXPECT_LE((long)size, group_number(self->group, "memory.current"));
	ASSERT_EQ(0, ipc->shmctl(id, IPC_RMID, NULL));
	wait_until(group_number(self->group, "memory.current") < (long)size / 2);
	peer_end(&p, 0);
	wait_until(!rmdir(self->group));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
#include "principal.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/mem.h"

#define NOBODY		2009	/* a stranger to all, the container included */
#define ALL_CAPS	((1ull << 41) - 1)

#define WHO(_name, _uid, _gid, _group, _caps) \
	.who = { .name = _name, .uid = _uid, .gid = _gid, .group = _group, .caps = _caps }
#define NONE		((gid_t)-1)

const struct principal principals[] = {
	{ WHO("root", -1, 0, NONE, 0) },
	{ WHO("root without capabilities", 0, NO_GROUP, NONE, 0), .bare = true },
	{ WHO("owner", OWNER, NO_GROUP, NONE, 0) },
	{ WHO("creator", CREATOR, NO_GROUP, NONE, 0) },
	{ WHO("owner in the creator's group", OWNER, CREATOR_GROUP, OWNER_GROUP, 0) },
	{ WHO("owner's group", STRANGER, OWNER_GROUP, NONE, 0) },
	{ WHO("creator's group", STRANGER, CREATOR_GROUP, NONE, 0) },
	{ WHO("supplementary, owner's", STRANGER, NO_GROUP, OWNER_GROUP, 0) },
	{ WHO("supplementary, creator's", STRANGER, NO_GROUP, CREATOR_GROUP, 0) },
	{ WHO("other", STRANGER, NO_GROUP, NONE, 0) },
	{ WHO("other in root's group", STRANGER, NO_GROUP, 0, 0) },

	{ WHO("owner by effective id", OWNER, NO_GROUP, NONE, 0), .ids = EFFECTIVE_IDS },
	{ WHO("owner by real id", OWNER, NO_GROUP, NONE, 0), .ids = REAL_AND_SAVED_IDS },
	{ WHO("group by effective id", STRANGER, OWNER_GROUP, NONE, 0), .ids = EFFECTIVE_IDS },
	{ WHO("group by real id", STRANGER, OWNER_GROUP, NONE, 0), .ids = REAL_AND_SAVED_IDS },
	{ WHO("group by fsgid", STRANGER, OWNER_GROUP, NONE, 0), .ids = FILE_SYSTEM_GROUP },
	{ WHO("owner by fsuid", OWNER, NO_GROUP, NONE, 0), .ids = FILE_SYSTEM_USER },

	{ WHO("CAP_IPC_OWNER", STRANGER, NO_GROUP, NONE, CAP(CAP_IPC_OWNER)) },
	{ WHO("CAP_SYS_ADMIN", STRANGER, NO_GROUP, NONE, CAP(CAP_SYS_ADMIN)) },
	{ WHO("CAP_SYS_RESOURCE", STRANGER, NO_GROUP, NONE, CAP(CAP_SYS_RESOURCE)) },
	{ WHO("CAP_IPC_LOCK", STRANGER, NO_GROUP, NONE, CAP(CAP_IPC_LOCK)) },
	{ WHO("CAP_CHECKPOINT_RESTORE", STRANGER, NO_GROUP, NONE, 1ull << 40) },
	{ WHO("CAP_DAC_OVERRIDE", STRANGER, NO_GROUP, NONE, CAP(CAP_DAC_OVERRIDE)) },
	{ WHO("CAP_DAC_READ_SEARCH", STRANGER, NO_GROUP, NONE, CAP(CAP_DAC_READ_SEARCH)) },
	{ WHO("CAP_FOWNER", STRANGER, NO_GROUP, NONE, CAP(CAP_FOWNER)) },
	{ WHO("CAP_CHOWN", STRANGER, NO_GROUP, NONE, CAP(CAP_CHOWN)) },
	{ WHO("all but the capabilities above", STRANGER, NO_GROUP, NONE,
	      ALL_CAPS & ~(CAP(CAP_IPC_OWNER) | CAP(CAP_SYS_ADMIN) | CAP(CAP_SYS_RESOURCE) |
			   CAP(CAP_IPC_LOCK) | 1ull << 40 | CAP(CAP_DAC_OVERRIDE) |
			   CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_FOWNER) | CAP(CAP_CHOWN))) },
	{ WHO("owner with CAP_SYS_RESOURCE", OWNER, NO_GROUP, NONE, CAP(CAP_SYS_RESOURCE)) },
	{ WHO("owner with CAP_IPC_OWNER", OWNER, NO_GROUP, NONE, CAP(CAP_IPC_OWNER)) },

	{ WHO("other, root of a user namespace", STRANGER, NO_GROUP, NONE, 0),
	  .user_ns = OF_ITS_OWN },
	{ WHO("owner, root of a user namespace", OWNER, OWNER_GROUP, NONE, 0),
	  .user_ns = OF_ITS_OWN },
	{ WHO("owner's group, root of a user namespace", STRANGER, OWNER_GROUP, NONE, 0),
	  .user_ns = OF_ITS_OWN },
	{ WHO("other in a user namespace without a map", STRANGER, NO_GROUP, NONE, 0),
	  .user_ns = OF_ITS_OWN_UNMAPPED },
	{ WHO("owner in a user namespace without a map", OWNER, NO_GROUP, NONE, 0),
	  .user_ns = OF_ITS_OWN_UNMAPPED },
	{ WHO("root of a container, outside of it", 0, 0, NONE, 0),
	  .user_ns = THE_CONTAINERS },
	{ WHO("a container's owner of it, outside of it", 1, 0, NONE, 0),
	  .user_ns = THE_CONTAINERS },

	{ WHO("root elsewhere", -1, 0, NONE, 0), .elsewhere = true },
	{ WHO("owner elsewhere", OWNER, OWNER_GROUP, NONE, CAP(CAP_SYS_ADMIN)), .elsewhere = true },
	{ WHO("root of a user namespace, elsewhere", OWNER, OWNER_GROUP, NONE, 0),
	  .user_ns = OF_ITS_OWN, .elsewhere = true },

	{ WHO("container's root", 0, 0, NONE, 0), CONTAINER, THE_CONTAINERS },
	{ WHO("container's root, no capabilities", 0, 0, NONE, 0), CONTAINER, THE_CONTAINERS,
	  .bare = true },
	{ WHO("container's owner", 1, 0, NONE, 0), CONTAINER, THE_CONTAINERS },
	{ WHO("container's root in the group", 0, 1, NONE, 0), CONTAINER, THE_CONTAINERS,
	  .bare = true },
	{ WHO("unmapped in the container", NOBODY, NOBODY, NONE, 0), CONTAINER, UNMAPPED_THERE },
	{ WHO("unmapped creator", CREATOR, NOBODY, NONE, 0), CONTAINER, UNMAPPED_THERE },
	{ WHO("unmapped, creator's group", NOBODY, CREATOR_GROUP, NONE, 0), CONTAINER,
	  UNMAPPED_THERE },
	{ WHO("unmapped, CAP_IPC_OWNER", NOBODY, NOBODY, NONE, CAP(CAP_IPC_OWNER)), CONTAINER,
	  UNMAPPED_THERE },
	{ WHO("unmapped, CAP_SYS_ADMIN", NOBODY, NOBODY, NONE, CAP(CAP_SYS_ADMIN)), CONTAINER,
	  UNMAPPED_THERE },
	{ WHO("unmapped, CAP_SYS_RESOURCE", NOBODY, NOBODY, NONE, CAP(CAP_SYS_RESOURCE)), CONTAINER,
	  UNMAPPED_THERE },
	{ WHO("unmapped, CAP_IPC_LOCK", NOBODY, NOBODY, NONE, CAP(CAP_IPC_LOCK)), CONTAINER,
	  UNMAPPED_THERE },
	{ WHO("unmapped, CAP_CHECKPOINT_RESTORE", NOBODY, NOBODY, NONE, 1ull << 40), CONTAINER,
	  UNMAPPED_THERE },
	{ WHO("root of a child of the container", 0, 0, NONE, 0), CONTAINER, CHILD_OF_CONTAINERS },
	{ WHO("the machine's root", -1, 0, NONE, 0), CONTAINER },
	{ WHO("who made the container", STRANGER, NO_GROUP, NONE, 0), CONTAINER },
	{ WHO("a user of the machine", NOBODY, NO_GROUP, NONE, 0), CONTAINER },
	{ WHO("owner, of the machine", OWNER, NO_GROUP, NONE, 0), CONTAINER },
	{ WHO("CAP_IPC_OWNER of the machine", NOBODY, NO_GROUP, NONE, CAP(CAP_IPC_OWNER)),
	  CONTAINER },
	{ WHO("CAP_SYS_RESOURCE of the machine", NOBODY, NO_GROUP, NONE, CAP(CAP_SYS_RESOURCE)),
	  CONTAINER },
	{ WHO("root of another user namespace", NOBODY, NO_GROUP, NONE, 0), CONTAINER,
	  OF_ITS_OWN },
};

const unsigned int principal_count = sizeof(principals) / sizeof(*principals);

static long do_unshare(long *arg, void *buf)
{
	(void)buf;
	return unshare(arg[0]);
}

static int write_map(pid_t pid, const char *name, const char *map)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return write_text(path, map);
}

static int open_ns(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Return: 0, or -1: users may have no user namespace here, or something failed. */
int container_open(struct container *c)
{
	static const struct who maker = { .uid = STRANGER, .gid = NO_GROUP, .group = -1 };
	char uids[64], gids[64];
	struct peer p;
	int ret = -1;

	snprintf(uids, sizeof(uids), "0 %d 1\n1 %d 1\n", STRANGER, OWNER);
	snprintf(gids, sizeof(gids), "0 %d 1\n1 %d 1\n", NO_GROUP, OWNER_GROUP);
	if (peer_start(&p))
		return -1;
	if (!peer_become(&p, &maker) && !peer_run(&p, do_unshare, CLONE_NEWUSER, 0, 0, 0, 0) &&
	    !write_map(p.pid, "uid_map", uids) && !write_map(p.pid, "gid_map", gids) &&
	    !peer_run(&p, do_unshare, CLONE_NEWIPC, 0, 0, 0, 0)) {
		c->user = open_ns(p.pid, "user");
		c->ipc = open_ns(p.pid, "ipc");
		ret = c->user < 0 || c->ipc < 0 ? -1 : 0;
	}
	peer_end(&p, 0);
	return ret;
}

void container_close(struct container *c)
{
	close(c->user);
	close(c->ipc);
}

static int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = caps, .permitted = caps },
		{ .effective = caps >> 32, .permitted = caps >> 32 },
	};

	return syscall(SYS_capset, &hdr, data);
}

/* To be its root.  Whoever changed its ids does not own its files in /proc otherwise. */
static int make_user_ns(void)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof(uids), "0 %d 1\n", geteuid());
	snprintf(gids, sizeof(gids), "0 %d 1\n", getegid());
	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
		return -1;
	return write_text("/proc/self/setgroups", "deny") ||
	       write_text("/proc/self/uid_map", uids) || write_text("/proc/self/gid_map", gids);
}

static int become_unmapped(const struct who *who, const struct container *c)
{
	struct who able = *who;

	able.caps = ALL_CAPS;
	return become(&able) || setns(c->user, CLONE_NEWUSER) || set_caps(who->caps);
}

/* As the container's root first, or its other users would keep what entering gave. */
static int become_contained(const struct who *who, const struct container *c)
{
	if (setns(c->user, CLONE_NEWUSER) || setgroups(0, NULL) || setresgid(0, 0, 0) ||
	    setresuid(0, 0, 0))
		return -1;
	return who->uid || who->gid ? become(who) : 0;
}

/* What System V asks for is the effective id, and of groups that of the file system. */
static int become_mixed(const struct principal *p)
{
	uid_t uid = p->who.uid;
	gid_t gid = p->who.gid;

	if (setgroups(0, NULL))
		return -1;
	switch (p->ids) {
	case EFFECTIVE_IDS:
		return setresgid(NO_GROUP, gid, NO_GROUP) || setresuid(NOBODY, uid, NOBODY);
	case REAL_AND_SAVED_IDS:
		return setresgid(gid, NO_GROUP, gid) || setresuid(uid, NOBODY, uid);
	case FILE_SYSTEM_USER:
		if (setresgid(gid, gid, gid) || setresuid(uid, NOBODY, uid))
			return -1;
		setfsuid(uid);
		return setfsuid(-1) != (int)uid;
	default:
		if (setresgid(gid, NO_GROUP, gid))
			return -1;
		setfsgid(gid);
		return setfsgid(-1) != (int)gid || setresuid(uid, uid, uid);
	}
}

static int enter(const struct principal *p, const struct container *c)
{
	switch (p->user_ns) {
	case THE_CONTAINERS:
		return become_contained(&p->who, c);
	case UNMAPPED_THERE:
		return become_unmapped(&p->who, c);
	case CHILD_OF_CONTAINERS:
		return become_contained(&p->who, c) || make_user_ns();
	case OF_ITS_OWN:
		return become(&p->who) || make_user_ns();
	case OF_ITS_OWN_UNMAPPED:
		return become(&p->who) || unshare(CLONE_NEWUSER);
	default:
		return p->ids == ALL_IDS ? become(&p->who) : become_mixed(p);
	}
}

/* Return: 0 or -1. */
int principal_become(const struct principal *p, const struct container *c)
{
	if (p->elsewhere && unshare(CLONE_NEWIPC))
		return -1;
	return enter(p, c) || (p->bare && set_caps(0)) ? -1 : 0;
}

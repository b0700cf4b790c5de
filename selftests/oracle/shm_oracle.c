// SPDX-License-Identifier: GPL-2.0
/*
 * The oracle: random sequences of calls by several processes and users, each call
 * made on native IPC and on kipc, and everything that can be seen afterwards
 * compared: results, errnos, contents, signals, mappings, listings.
 *
 *   shm_oracle [-n STEPS] [-s SEED] [-r RUNS]
 *
 * Both work in namespaces of their own that are fresh, so that ids are equal (the
 * kernel is booted with ipcmni_extend), and in stretches of address space of their
 * own with the same layout.  A sequence that differs is told by its seed and its
 * last steps.  What was hardly tried makes the run fail as well: see coverage[].
 */
#include "common/ipc.h"
#include "common/mem.h"
#include "common/peer.h"

#include <kselftest.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS		6		/* processes at a time */
#define PAGES		160		/* of an arena */
#define IDS		12		/* ids remembered, most of them alive */
#define LOOSE		16		/* attachments that the kernel placed */
#define HISTORY		25

/* Native and kipc, in this order everywhere. */
static const struct ipc *const ipcs[2] = { &ipc_native, &ipc_kipc };
static char *const arena[2] = { (char *)0x100000000000, (char *)0x200000000000 };

enum op_type {
	OP_GET, OP_AT, OP_AT_ANYWHERE, OP_DT, OP_DT_LOOSE, OP_CTL, OP_UNMAP, OP_PROTECT,
	OP_REMAP, OP_ADVISE, OP_ANON, OP_TOUCH, OP_LIMIT, OP_FORK, OP_EXEC, OP_EXIT, OP_KILL,
	OP_TYPES,
};

static const char *const op_names[OP_TYPES] = {
	"shmget", "shmat", "shmat(NULL)", "shmdt", "shmdt(loose)", "shmctl", "munmap",
	"mprotect", "mremap", "madvise", "mmap", "touch", "limit", "fork", "exec", "exit", "kill",
};

struct op {
	enum op_type type;
	int slot;
	long a[6];
	unsigned long addr[2];
	struct shmid_ds ds;
};

/* What a peer tells after one operation on both. */
struct out {
	long ret[2];
	int err[2];
	struct shmid_ds ds[2];
	char maps[2][8192];
};

struct slot {
	struct op op;
	struct out out;
};

/* Shared by all processes; a memfd, so that an executed program finds it again. */
static struct slot *shared;
static int shared_fd, go[SLOTS], done[SLOTS];

/* ---- The peers ---- */

/* The lines of /proc/self/maps within the arenas, relative to them, without the device. */
static void read_maps(struct out *out)
{
	static char text[65536];
	size_t used[2] = {}, len = 0;
	char *line, *next = text;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), w;
	ssize_t n;

	while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = out->maps[0][0] = out->maps[1][0] = '\0';
	while ((line = strsep(&next, "\n"))) {
		unsigned long start, end, offset, inode;
		char perms[8], dev[16], name[64] = "";

		start = strtoul(line, NULL, 16);
		for (w = 0; w < 2; w++) {
			unsigned long base = (unsigned long)arena[w];

			if (start < base || start >= base + 4 * PAGES * PAGE ||
			    sscanf(line, "%lx-%lx %7s %lx %15s %lu %63[^\n]", &start, &end, perms,
				   &offset, dev, &inode, name) < 6 ||
			    used[w] > sizeof(out->maps[w]) - 128)
				continue;
			used[w] += sprintf(out->maps[w] + used[w], "%lx-%lx %s %lx %lu %s\n",
					   (start - base) / PAGE, (end - base) / PAGE, perms,
					   offset, inode, name);
		}
	}
}

static long do_one(const struct op *op, int world, struct shmid_ds *ds)
{
	const struct ipc *ipc = ipcs[world];
	char *at = arena[world] + op->a[0] * PAGE, *to;
	long ret;

	switch (op->type) {
	case OP_GET:
		return ipc->shmget(op->a[0], op->a[1], op->a[2]);
	case OP_AT:
		to = ipc->shmat(op->a[2], at + op->a[1], op->a[3]);
		return to == MAP_FAILED ? -1 : to - arena[world];
	case OP_AT_ANYWHERE:
		return (long)ipc->shmat(op->a[2], NULL, op->a[3]);
	case OP_DT:
		return ipc->shmdt(at + op->a[1]);
	case OP_DT_LOOSE:
		return ipc->shmdt((void *)op->addr[world]);
	case OP_CTL:
		*ds = op->ds;
		return ipc->shmctl(op->a[0], op->a[1], ds);
	case OP_UNMAP:
		return munmap(at, op->a[1] * PAGE);
	case OP_PROTECT:
		return mprotect(at, op->a[1] * PAGE, op->a[2]);
	case OP_REMAP:
		to = mremap(at, op->a[1] * PAGE, op->a[2] * PAGE,
			    op->a[3] < 0 ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED,
			    arena[world] + op->a[3] * PAGE);
		return to == MAP_FAILED ? -1 : to - arena[world];
	case OP_ADVISE:
		return madvise(at, op->a[1] * PAGE, op->a[2]);
	case OP_ANON:
		to = mmap(at, op->a[1] * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		return to == MAP_FAILED ? -1 : 0;
	case OP_TOUCH:
		ret = probe_read(at);
		if (ret)
			return ret << 8;
		ret = *(volatile unsigned char *)at;
		if (op->a[1] >= 0) {
			int sig = probe_write(at);

			if (sig)
				return sig << 16 | ret;
			*(volatile unsigned char *)at = op->a[1];
		}
		return ret;
	case OP_LIMIT: {
		static const char *const names[] = { "shmmax", "shmall", "shmmni",
						     "shm_rmid_forced", "shm_next_id" };

		ret = ipc_limit_set(ipc, names[op->a[0]], op->a[1]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : ipc_limit_get(ipc, names[op->a[0]]);
	}
	default:
		errno = ENOSYS;
		return -1;
	}
}

static void serve(int slot)
{
	struct slot *s = &shared[slot];
	uint64_t one = 1;
	int w;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (read(go[slot], &one, sizeof(one)) != sizeof(one))
			_exit(1);
		switch (s->op.type) {
		case OP_EXIT:
			exit(0);
		case OP_FORK: {
			/* A sibling, that the driver can wait for; and by no libc's fork. */
			int child = s->op.a[0];	/* read now: the next order overwrites it */
			pid_t pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

			if (!pid) {
				slot = child;
				s = &shared[slot];
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				continue;
			}
			s->out.ret[0] = s->out.ret[1] = pid;
			break;
		}
		case OP_EXEC: {
			char arg[16];

			snprintf(arg, sizeof(arg), "%d", slot);
			execl("/proc/self/exe", "shm_oracle", "--serve", arg, NULL);
			_exit(1);
		}
		default:
			for (w = 0; w < 2; w++) {
				errno = 0;
				s->out.ret[w] = do_one(&s->op, w, &s->out.ds[w]);
				s->out.err[w] = s->out.ret[w] == -1 ? errno : 0;
			}
			read_maps(&s->out);
		}
		if (write(done[slot], &one, sizeof(one)) != sizeof(one))
			_exit(1);
	}
}

/* ---- The driver ---- */

/* Descriptors by fixed numbers, for the programs that are executed. */
enum { FD_SHARED = 100, FD_GO = 110, FD_DONE = 130 };

static int set_up(void)
{
	int i;

	shared_fd = memfd_create("oracle", 0);
	if (shared_fd < 0 || ftruncate(shared_fd, SLOTS * sizeof(*shared)) ||
	    dup2(shared_fd, FD_SHARED) < 0)
		return -1;
	for (i = 0; i < SLOTS; i++)
		if (dup2(eventfd(0, 0), FD_GO + i) < 0 || dup2(eventfd(0, 0), FD_DONE + i) < 0)
			return -1;
	return 0;
}

static int find_shared(void)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		go[i] = FD_GO + i;
		done[i] = FD_DONE + i;
	}
	shared = mmap(NULL, SLOTS * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, FD_SHARED,
		      0);
	return shared == MAP_FAILED ? -1 : 0;
}

static const struct who users[] = {
	{ "root", 0, 0, -1, 0 },
	{ "alice", 1000, 1000, -1, 0 },
	{ "bob", 1001, 1001, 1000, 0 },
	{ "owner of all", 1002, 1002, -1, 1ull << CAP_IPC_OWNER },
};

/* One run. */
static struct {
	unsigned int seed, first_seed;
	long step;
	pid_t pid[SLOTS];
	int user[SLOTS];
	int ids[IDS], n_ids;
	struct { int slot; unsigned long addr[2]; } loose[LOOSE];
	int n_loose;
	struct { int n; short start[64], end[64], offset[64]; int id[64]; } mapped[SLOTS];
	char history[HISTORY][512];
	bool failed;
} run;

/* How often each operation came to each end; the last is a success. */
#define ERRNOS	140
static unsigned int (*seen)[ERRNOS];

static int rnd(int n)
{
	return rand_r(&run.seed) % n;
}

static bool chance(int percent)
{
	return rnd(100) < percent;
}

static void differ(const char *what)
{
	int i;

	run.failed = true;
	ksft_print_msg("%s differ at step %ld; again: shm_oracle -s %u -r 1 -n %ld\n", what,
		       run.step, run.first_seed, run.step + 1);
	ksft_print_msg("the last steps:\n");
	for (i = 1; i <= HISTORY; i++)
		if (run.history[(run.step + i) % HISTORY][0])
			ksft_print_msg("  %s\n", run.history[(run.step + i) % HISTORY]);
}

/* Wait for the peer's answer; false if it is dead. */
static bool answered(int slot)
{
	struct pollfd p = { .fd = done[slot], .events = POLLIN };
	uint64_t one;
	int status;

	for (;;) {
		if (poll(&p, 1, 200) == 1)
			return read(done[slot], &one, sizeof(one)) == sizeof(one);
		if (waitpid(run.pid[slot], &status, WNOHANG) == run.pid[slot]) {
			ksft_print_msg("peer %d died unasked, status %#x\n", slot, status);
			run.pid[slot] = 0;
			return false;
		}
	}
}

static void start_op(const struct op *op)
{
	struct slot *s = &shared[op->slot];
	uint64_t one = 1;

	s->op = *op;
	memset(&s->out, POISON, sizeof(s->out));
	if (write(go[op->slot], &one, sizeof(one)) != sizeof(one))
		abort();
}

static void spawn(int slot, int user)
{
	run.user[slot] = user;
	run.mapped[slot].n = 0;
	run.pid[slot] = fork();
	if (!run.pid[slot]) {
		if (become(&users[user]))
			_exit(1);
		serve(slot);
	}
}

static void forget_loose(int slot)
{
	int i;

	for (i = 0; i < run.n_loose; i++)
		if (run.loose[i].slot == slot)
			run.loose[i--] = run.loose[--run.n_loose];
}

static void add_loose(int slot, unsigned long a, unsigned long b)
{
	if (run.n_loose == LOOSE)
		return;
	run.loose[run.n_loose].slot = slot;
	run.loose[run.n_loose].addr[0] = a;
	run.loose[run.n_loose++].addr[1] = b;
}

static void add_id(int id)
{
	if (run.n_ids < IDS)
		run.ids[run.n_ids++] = id;
	else
		run.ids[rnd(IDS)] = id;
}

static int some_id(void)
{
	if (chance(2))
		return rnd(3) - 1;
	if (!run.n_ids || chance(2))
		return rnd(50) + (chance(30) ? 1 << 24 : 0);
	return run.ids[rnd(run.n_ids)];
}

/* Where to attach: mostly at multiples of eight pages. */
static int some_page(void)
{
	return chance(80) ? 8 * rnd(PAGES / 8) : rnd(PAGES);
}

/*
 * Mostly where the process has something mapped: from its beginning or from inside,
 * to its end or before, sometimes beyond.
 */
static void choose_range(struct op *op)
{
	int i, start, len;

	if (!run.mapped[op->slot].n || chance(10)) {
		op->a[0] = rnd(PAGES);
		op->a[1] = 1 + rnd(8);
		return;
	}
	i = rnd(run.mapped[op->slot].n);
	start = run.mapped[op->slot].start[i];
	len = run.mapped[op->slot].end[i] - start;
	if (chance(50)) {
		op->a[0] = start + rnd(len);
		len -= op->a[0] - start;
	} else {
		op->a[0] = start;
	}
	op->a[1] = chance(40) ? len : 1 + rnd(len + chance(10) * 4);
}

static void remember_mappings(int slot, const char *maps)
{
	unsigned int start, end, offset;
	int n = 0, id;

	for (; maps && *maps && n < 64; maps = strchr(maps, '\n') + 1)
		if (sscanf(maps, "%x-%x %*s %x %d", &start, &end, &offset, &id) == 4) {
			run.mapped[slot].start[n] = start;
			run.mapped[slot].end[n] = end;
			run.mapped[slot].offset[n] = offset / PAGE;
			run.mapped[slot].id[n++] = id;
		}
	run.mapped[slot].n = n;
}

/*
 * Would it make a fragment of one attachment look like one of another of the same
 * segment?  There kipc differs, and says so: Documentation/differences.rst.
 */
static bool confuses(const struct op *op)
{
	const short *start = run.mapped[op->slot].start, *end = run.mapped[op->slot].end;
	const short *offset = run.mapped[op->slot].offset;
	const int *id = run.mapped[op->slot].id;
	int n = run.mapped[op->slot].n, i, j;

	for (i = 0; i < n && op->type == OP_AT; i++)
		if (id[i] == op->a[2] && start[i] - offset[i] == op->a[0])
			return true;
	for (i = 0; i < n && op->type == OP_REMAP && op->a[3] >= 0; i++)
		for (j = 0; j < n && start[i] <= op->a[0] && op->a[0] < end[i]; j++)
			if (id[i] == id[j] && start[j] - offset[j] ==
			    op->a[3] - (offset[i] + op->a[0] - start[i]))
				return true;
	return false;
}

static void choose_any(struct op *op)
{
	static const struct { enum op_type type; int weight; } weights[] = {
		{ OP_GET, 24 }, { OP_AT, 50 }, { OP_AT_ANYWHERE, 4 }, { OP_DT, 20 },
		{ OP_DT_LOOSE, 3 }, { OP_CTL, 26 }, { OP_UNMAP, 8 }, { OP_PROTECT, 8 },
		{ OP_REMAP, 18 }, { OP_ADVISE, 5 }, { OP_ANON, 2 }, { OP_TOUCH, 20 },
		{ OP_LIMIT, 7 }, { OP_FORK, 3 }, { OP_EXEC, 1 }, { OP_EXIT, 1 }, { OP_KILL, 2 },
	};
	static const size_t sizes[] = { 0, 1, PAGE, PAGE + 1, 3 * PAGE, 8 * PAGE - 5, 8 * PAGE,
					1ul << 20, 1ul << 60, SIZE_MAX };
	static const int modes[] = { 0600, 0644, 0660, 0666, 0666, 0666, 0777, 0777, 0, 0604 };
	unsigned int i;
	int r;

	memset(op, 0, sizeof(*op));
	for (r = rnd(202), i = 0; r >= weights[i].weight; i++)
		r -= weights[i].weight;
	op->type = weights[i].type;
	do
		op->slot = rnd(SLOTS);
	while (!run.pid[op->slot]);

	switch (op->type) {
	case OP_GET:
		op->a[0] = rnd(6);
		op->a[1] = sizes[chance(80) ? 1 + rnd(6) : rnd(ARRAY_SIZE(sizes))];
		op->a[2] = (chance(70) ? IPC_CREAT : 0) | (chance(15) ? IPC_EXCL : 0) |
			   (chance(10) ? SHM_NORESERVE : 0) | modes[rnd(ARRAY_SIZE(modes))];
		/* What a lookup asks for must mostly be granted. */
		if (chance(60))
			op->a[2] &= ~0077 | 0044;
		break;
	case OP_AT:
	case OP_AT_ANYWHERE:
		op->a[0] = some_page();
		op->a[1] = chance(15) ? rnd(PAGE) : 0;
		op->a[2] = some_id();
		op->a[3] = (chance(20) ? SHM_RDONLY : 0) | (chance(15) ? SHM_REMAP : 0) |
			   (chance(20) ? SHM_RND : 0) | (chance(8) ? SHM_EXEC : 0);
		break;
	case OP_DT:
		choose_range(op);
		if (chance(50))
			op->a[0] = 8 * (op->a[0] / 8);
		op->a[1] = chance(5) ? 1 + rnd(PAGE - 1) : 0;
		break;
	case OP_DT_LOOSE:
		if (!run.n_loose) {
			op->type = OP_DT;
			op->a[0] = some_page();
			break;
		}
		i = rnd(run.n_loose);
		op->slot = run.loose[i].slot;
		op->addr[0] = run.loose[i].addr[0];
		op->addr[1] = run.loose[i].addr[1];
		run.loose[i] = run.loose[--run.n_loose];
		break;
	case OP_CTL: {
		static const int cmds[] = { IPC_STAT, IPC_STAT, IPC_SET, IPC_SET, IPC_RMID,
					    SHM_STAT, SHM_STAT_ANY, IPC_INFO, SHM_INFO, SHM_LOCK,
					    SHM_UNLOCK, 77 };

		op->a[0] = some_id();
		op->a[1] = cmds[rnd(ARRAY_SIZE(cmds))];
		if (op->a[1] == SHM_STAT || op->a[1] == SHM_STAT_ANY)
			op->a[0] &= chance(80) ? 0xffffff : -1;
		memset(&op->ds, POISON, sizeof(op->ds));
		if (op->a[1] == IPC_SET) {
			op->ds.shm_perm.uid = chance(3) ? -1u : users[rnd(4)].uid;
			op->ds.shm_perm.gid = chance(3) ? -1u : users[rnd(4)].gid;
			op->ds.shm_perm.mode = modes[rnd(ARRAY_SIZE(modes))] |
					       (chance(20) ? 07000 : 0);
		}
		break;
	}
	case OP_UNMAP:
	case OP_ADVISE:
	case OP_PROTECT:
	case OP_ANON:
		choose_range(op);
		op->a[2] = rnd(8);
		if (op->type == OP_ADVISE) {
			static const int advice[] = { MADV_NORMAL, MADV_RANDOM, MADV_DONTFORK,
						      MADV_DOFORK, MADV_REMOVE, MADV_DONTNEED };

			op->a[2] = advice[rnd(ARRAY_SIZE(advice))];
		}
		break;
	case OP_REMAP:
		/* Whole, a part, grown, shrunk, doubled (old size 0), over others, in place. */
		choose_range(op);
		if (chance(10))
			op->a[1] = 0;
		op->a[2] = chance(70) && op->a[1] ? op->a[1] : 1 + rnd(10);
		op->a[3] = chance(25) && op->a[1] ? -1 : some_page();
		/* Often to where its offset would belong in another attachment. */
		if (op->a[3] >= 0 && run.mapped[op->slot].n && chance(50)) {
			r = run.mapped[op->slot].start[rnd(run.mapped[op->slot].n)];
			op->a[3] = 8 * (r / 8) + op->a[0] % 8;
			op->a[1] = op->a[2] = 1 + rnd(2);
		}
		break;
	case OP_TOUCH:
		choose_range(op);
		op->a[1] = chance(60) ? rnd(256) : -1;
		break;
	case OP_LIMIT: {
		static const long values[5][4] = {
			{ -1 - (1 << 24), 8192, 1 << 20, 0 },
			{ -1 - (1 << 24), 40, 10, 1000 },
			{ 4096, 5, 12, 1 << 24 },
			{ 0, 0, 1, 2 },
			{ 10, 3, (1 << 24) + 4, 77 },
		};

		/* Mostly by one who may; a tight one is relaxed soon, or nothing happens. */
		for (i = 0; i < SLOTS && chance(90); i++)
			if (run.pid[i] && !run.user[i])
				op->slot = i;
		op->a[0] = rnd(5);
		op->a[1] = values[op->a[0]][chance(60) ? 0 : rnd(4)];
		break;
	}
	case OP_FORK:
		for (i = 0; i < SLOTS && run.pid[i]; i++)
			;
		if (i < SLOTS) {
			op->a[0] = i;
		} else {
			op->type = OP_TOUCH;
			op->a[0] = rnd(PAGES);
			op->a[1] = -1;
		}
		break;
	default:
		break;
	}
}

static void choose(struct op *op)
{
	do
		choose_any(op);
	while (confuses(op));
}

static void describe(const struct op *op, const struct out *out)
{
	char *h = run.history[run.step % HISTORY];

	snprintf(h, sizeof(run.history[0]),
		 "%ld: %d (%s) %s(%ld, %ld, %ld, %ld) native %ld errno %d, kipc %ld errno %d",
		 run.step, op->slot, users[run.user[op->slot]].name, op_names[op->type], op->a[0],
		 op->a[1], op->a[2], op->a[3], out ? out->ret[0] : 0, out ? out->err[0] : 0,
		 out ? out->ret[1] : 0, out ? out->err[1] : 0);
}

static bool same_ds(const struct shmid_ds *a, const struct shmid_ds *b)
{
	return !memcmp(&a->shm_perm, &b->shm_perm, sizeof(a->shm_perm)) &&
	       a->shm_segsz == b->shm_segsz && a->shm_cpid == b->shm_cpid &&
	       a->shm_lpid == b->shm_lpid && a->shm_nattch == b->shm_nattch &&
	       !a->shm_atime == !b->shm_atime && !a->shm_dtime == !b->shm_dtime &&
	       !a->shm_ctime == !b->shm_ctime;
}

static bool same_row(const struct shm_row *a, const struct shm_row *b)
{
	return a->key == b->key && a->id == b->id && a->mode == b->mode && a->size == b->size &&
	       a->cpid == b->cpid && a->lpid == b->lpid && a->nattch == b->nattch &&
	       a->uid == b->uid && a->gid == b->gid && a->cuid == b->cuid && a->cgid == b->cgid &&
	       !a->atime == !b->atime && !a->dtime == !b->dtime && a->rss == b->rss &&
	       a->swap == b->swap;
}

static void compare_listings(void)
{
	static struct shm_row n[512], o[512];
	int rows = shm_rows(&ipc_native, n, 512), i;

	if (rows != shm_rows(&ipc_kipc, o, 512)) {
		differ("numbers of segments");
		return;
	}
	for (i = 0; i < rows && i < 512; i++)
		if (!same_row(&n[i], &o[i])) {
			ksft_print_msg("native: key %d id %d mode %o size %lu cpid %u lpid %u nattch %lu owner %u.%u %u.%u rss %lu\n",
				       n[i].key, n[i].id, n[i].mode, n[i].size, n[i].cpid, n[i].lpid,
				       n[i].nattch, n[i].uid, n[i].gid, n[i].cuid, n[i].cgid, n[i].rss);
			ksft_print_msg("kipc:   key %d id %d mode %o size %lu cpid %u lpid %u nattch %lu owner %u.%u %u.%u rss %lu\n",
				       o[i].key, o[i].id, o[i].mode, o[i].size, o[i].cpid, o[i].lpid,
				       o[i].nattch, o[i].uid, o[i].gid, o[i].cuid, o[i].cgid, o[i].rss);
			differ("listings");
			return;
		}
}

static void count(const struct op *op, int err)
{
	seen[op->type][err > 0 && err < ERRNOS ? err : 0]++;
}

static void step(void)
{
	struct out *out;
	struct op op;
	int status;

	choose(&op);
	out = &shared[op.slot].out;
	run.history[run.step % HISTORY][0] = '\0';
	describe(&op, NULL);
	switch (op.type) {
	case OP_EXIT:
	case OP_KILL:
		/* Never the last two: somebody has to go on. */
		for (int i = 0, n = 0; i < SLOTS; i++)
			if (run.pid[i] && ++n > 2) {
				if (op.type == OP_EXIT)
					start_op(&op);
				else
					kill(run.pid[op.slot], SIGKILL);
				waitpid(run.pid[op.slot], &status, 0);
				run.pid[op.slot] = 0;
				forget_loose(op.slot);
				count(&op, 0);
				break;
			}
		break;
	case OP_EXEC:
		start_op(&op);
		forget_loose(op.slot);
		run.mapped[op.slot].n = 0;
		if (!answered(op.slot))
			differ("lives after exec");
		count(&op, 0);
		break;
	case OP_FORK:
		start_op(&op);
		if (!answered(op.slot) || out->ret[0] <= 0) {
			differ("forks");
			break;
		}
		run.pid[op.a[0]] = out->ret[0];
		run.user[op.a[0]] = run.user[op.slot];
		run.mapped[op.a[0]] = run.mapped[op.slot];
		for (int i = run.n_loose - 1; i >= 0; i--)
			if (run.loose[i].slot == op.slot)
				add_loose(op.a[0], run.loose[i].addr[0], run.loose[i].addr[1]);
		count(&op, 0);
		break;
	default:
		start_op(&op);
		if (!answered(op.slot)) {
			differ("a life and a death");
			return;
		}
		describe(&op, out);
		if (op.type == OP_AT_ANYWHERE) {
			if ((out->ret[0] == -1) != (out->ret[1] == -1) || out->err[0] != out->err[1])
				differ("results");
			else if (out->ret[0] != -1)
				add_loose(op.slot, out->ret[0], out->ret[1]);
		} else if (out->ret[0] != out->ret[1] || out->err[0] != out->err[1]) {
			differ("results");
		}
		if (op.type == OP_CTL) {
			if (op.a[1] == IPC_INFO || op.a[1] == SHM_INFO || out->ret[0] < 0) {
				if (memcmp(&out->ds[0], &out->ds[1], sizeof(out->ds[0])))
					differ("structures");
			} else if (!same_ds(&out->ds[0], &out->ds[1])) {
				differ("structures");
			}
		}
		if (op.type == OP_GET && out->ret[0] >= 0)
			add_id(out->ret[0]);
		if (strcmp(out->maps[0], out->maps[1])) {
			ksft_print_msg("native's mappings:\n%s# kipc's:\n%s", out->maps[0],
				       out->maps[1]);
			differ("mappings");
		}
		remember_mappings(op.slot, out->maps[0]);
		count(&op, out->err[0]);
	}
	/* Reading all of it costs more than most steps. */
	if (!run.failed && run.step % 3 == 0)
		compare_listings();
}

/* A run in a process and namespaces of its own.  Return: an exit status. */
static int do_run(unsigned int seed, long steps)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	int i;

	run.seed = run.first_seed = seed;
	/* One process runs at a time: waking another processor would only cost. */
	stay_on_cpu();
	/* Channels of its own too: nothing of a run that failed is left in them. */
	if (unshare(CLONE_NEWIPC) || setrlimit(RLIMIT_MEMLOCK, &any) || set_up() || find_shared() ||
	    shm_rows(&ipc_kipc, NULL, 0)) {
		ksft_print_msg("cannot begin: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < 4; i++)
		spawn(i, i);
	for (run.step = 0; run.step < steps && !run.failed; run.step++) {
		step();
		/* The users stay mixed. */
		for (i = 0; i < SLOTS && !run.failed; i++)
			if (!run.pid[i] && chance(4))
				spawn(i, rnd(ARRAY_SIZE(users)));
	}
	for (i = 0; i < SLOTS; i++)
		if (run.pid[i]) {
			kill(run.pid[i], SIGKILL);
			waitpid(run.pid[i], NULL, 0);
		}
	if (!run.failed) {
		/* Nobody is left: not one attachment may be. */
		static struct shm_row rows[512];
		int n = shm_rows(&ipc_kipc, rows, 512);

		compare_listings();
		for (i = 0; i < n && i < 512; i++)
			if (rows[i].nattch)
				differ("counts of nobody's attachments");
	}
	return run.failed;
}

/* What must have been met, or the sequences are not worth the time. */
static const struct { enum op_type type; int err; } coverage[] = {
	{ OP_GET, 0 }, { OP_GET, ENOENT }, { OP_GET, EEXIST }, { OP_GET, EINVAL },
	{ OP_GET, ENOSPC }, { OP_GET, EACCES }, { OP_AT, 0 }, { OP_AT, EINVAL },
	{ OP_AT, EACCES }, { OP_AT_ANYWHERE, 0 }, { OP_AT_ANYWHERE, EINVAL }, { OP_DT, 0 },
	{ OP_DT, EINVAL }, { OP_DT_LOOSE, 0 }, { OP_CTL, 0 }, { OP_CTL, EINVAL },
	{ OP_CTL, EACCES }, { OP_CTL, EPERM }, { OP_UNMAP, 0 }, { OP_PROTECT, 0 },
	{ OP_PROTECT, EACCES }, { OP_PROTECT, ENOMEM }, { OP_REMAP, 0 }, { OP_REMAP, EFAULT },
	{ OP_ADVISE, 0 }, { OP_ANON, 0 }, { OP_TOUCH, 0 }, { OP_LIMIT, 0 }, { OP_LIMIT, EACCES },
	{ OP_LIMIT, EINVAL }, { OP_FORK, 0 }, { OP_EXEC, 0 }, { OP_EXIT, 0 }, { OP_KILL, 0 },
};

static void tell_coverage(void)
{
	unsigned int i, e;

	for (i = 0; i < OP_TYPES; i++) {
		char text[512];
		size_t used = 0;

		for (e = 0; e < ERRNOS; e++)
			if (seen[i][e] && used < sizeof(text) - 32)
				used += snprintf(text + used, sizeof(text) - used, " %s %u",
						 e ? strerrorname_np(e) : "ok", seen[i][e]);
		ksft_print_msg("%-12s%s\n", op_names[i], used ? text : " never");
	}
}

int main(int argc, char **argv)
{
	const char *env = getenv("KIPC_ORACLE_STEPS");
	long steps = env ? atol(env) : 1500;
	unsigned int seed = 1, runs = 3, i;
	bool thin = false;
	int opt;

	if (argc == 3 && !strcmp(argv[1], "--serve")) {
		uint64_t one = 1;
		int slot = atoi(argv[2]);

		if (find_shared() || write(done[slot], &one, sizeof(one)) != sizeof(one))
			return 1;
		serve(slot);
	}
	while ((opt = getopt(argc, argv, "n:s:r:")) != -1)
		switch (opt) {
		case 'n':
			steps = atol(optarg);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			runs = atoi(optarg);
			break;
		default:
			return KSFT_FAIL;
		}

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(runs + 1);
	if (!native_ids_extended()) {
		for (i = 0; i <= runs; i++)
			ksft_test_result_skip("boot with ipcmni_extend: native ids have another shape\n");
		ksft_finished();
	}
	seen = mmap(NULL, OP_TYPES * sizeof(*seen), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		ksft_exit_fail_msg("cannot set up: %s\n", strerror(errno));
	for (i = 0; i < runs; i++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid)
			_exit(do_run(seed + i, steps));
		waitpid(pid, &status, 0);
		ksft_test_result(!status, "%ld steps from seed %u\n", steps, seed + i);
	}
	tell_coverage();
	for (i = 0; i < ARRAY_SIZE(coverage); i++)
		if (!seen[coverage[i].type][coverage[i].err]) {
			thin = true;
			ksft_print_msg("never: %s, %s\n", op_names[coverage[i].type],
				       coverage[i].err ? strerrorname_np(coverage[i].err) : "ok");
		}
	ksft_test_result(!thin, "coverage\n");
	ksft_finished();
}

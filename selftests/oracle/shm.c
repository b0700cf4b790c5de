// SPDX-License-Identifier: GPL-2.0
/*
 * Segments, for the oracle: see oracle.h.  Compared are results, errnos, contents, signals,
 * mappings, structures, listings.
 *
 * Each process has a stretch of address space with the same layout, the arena; an address
 * in it is told by its pages from there.
 *
 * Not tried: what makes a fragment of one attachment look like one of another of the same
 * segment (Documentation/differences.rst); huge pages, which have a test of their own.  Not
 * met without another process in the middle of the same call: EIDRM.
 */
#include "oracle.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES		160		/* of the arena */
#define OBJECTS		12
#define LOOSE		16		/* attachments that the kernel placed, of an actor */
#define MOST_MAPPED	64

static char *const arena = (char *)0x100000000000;

enum {
	OP_GET = OPS_OF_SHM, OP_AT, OP_AT_ANYWHERE, OP_DT, OP_DT_LOOSE, OP_CTL_FIRST,
	OP_STAT = OP_CTL_FIRST, OP_SET, OP_RMID, OP_SHM_STAT, OP_STAT_ANY, OP_INFO, OP_SHM_INFO,
	OP_LOCK, OP_UNLOCK, OP_NO_CMD, OP_CTL_LAST = OP_NO_CMD,
	OP_UNMAP, OP_PROTECT, OP_REMAP, OP_ADVISE, OP_ANON, OP_TOUCH, OP_LIMIT, OPS_END,
};
static_assert((int)OPS_END <= (int)OPS_OF_SEM, "calls have numbers of their own");

#define RANGE_FLAGS	FLAGS("over several", "a part")

static const struct call_info calls[] = {
	{ "shmget", 24, .errnos = ERRNOS(ENOENT, EEXIST, EINVAL, ENOSPC, EACCES, ENOMEM),
	  .flags = FLAGS("IPC_CREAT", "IPC_EXCL", "SHM_NORESERVE", "IPC_PRIVATE") },
	{ "shmat", 50, .errnos = ERRNOS(EINVAL, EACCES),
	  .flags = FLAGS("SHM_RDONLY", "SHM_REMAP", "SHM_RND", "SHM_EXEC") },
	{ "shmat(NULL)", 6, .errnos = ERRNOS(EINVAL, EACCES),
	  .flags = FLAGS("SHM_RDONLY", "SHM_EXEC") },
	{ "shmdt", 20, .errnos = ERRNOS(EINVAL) },
	{ .name = "shmdt(loose)", .weight = 3 },
	{ "IPC_STAT", 4, IPC_STAT, .errnos = ERRNOS(EINVAL, EACCES, EFAULT) },
	{ "IPC_SET", 5, IPC_SET, .errnos = ERRNOS(EINVAL, EPERM, EFAULT) },
	{ "IPC_RMID", 3, IPC_RMID, .errnos = ERRNOS(EINVAL, EPERM) },
	{ "SHM_STAT", 3, SHM_STAT, .errnos = ERRNOS(EINVAL, EACCES, EFAULT) },
	{ "SHM_STAT_ANY", 2, SHM_STAT_ANY, .errnos = ERRNOS(EINVAL, EFAULT) },
	{ "IPC_INFO", 2, IPC_INFO, .errnos = ERRNOS(EFAULT) },
	{ "SHM_INFO", 2, SHM_INFO, .errnos = ERRNOS(EFAULT) },
	{ "SHM_LOCK", 3, SHM_LOCK, .errnos = ERRNOS(EINVAL, EPERM) },
	{ "SHM_UNLOCK", 3, SHM_UNLOCK, .errnos = ERRNOS(EINVAL, EPERM) },
	{ "shmctl(none)", 1, 77, .errnos = ERRNOS(EINVAL), .fails = true },
	{ "munmap", 8, .flags = RANGE_FLAGS },
	{ "mprotect", 9, .errnos = ERRNOS(EACCES, ENOMEM), .flags = RANGE_FLAGS },
	{ "mremap", 18, .errnos = ERRNOS(EFAULT),
	  .flags = FLAGS("moved", "in place", "grown", "shrunk", "doubled") },
	{ "madvise", 6, .flags = FLAGS("MADV_DONTFORK", "MADV_REMOVE") },
	{ .name = "mmap", .weight = 2 },
	{ "touch", 20, .flags = FLAGS("a signal", "written") },
	{ "shm limit", 7, .errnos = ERRNOS(EACCES, EINVAL) },
};

struct shm_call {
	bool is_nowhere;	/* the address is none */
	struct shmid_ds ds;
};
static_assert(sizeof(struct shm_call) <= OP_DATA, "struct op has room for it");

union shm_answer {
	struct shmid_ds ds;
	struct shminfo limits;
	struct shm_info info;
};
static_assert(sizeof(union shm_answer) <= OUT_DATA, "struct out has room for it");

static struct shm_call *call_of(const struct op *op)
{
	return (struct shm_call *)op->data;
}

static union shm_answer *answer_of(const struct out *out)
{
	return (union shm_answer *)out->data;
}

static bool is_ctl(const struct op *op)
{
	return op->type >= OP_CTL_FIRST && op->type <= OP_CTL_LAST;
}

static int command(const struct op *op)
{
	return calls[op->type - OPS_OF_SHM].number;
}

/* ---- In the process ---- */

/* What the kernel placed, by the step; fork hands it on, exec does not. */
static struct { int step; void *addr; } loose[LOOSE];

static long attach_anywhere(const struct op *op, const struct ipc *ipc)
{
	void *addr = ipc->shmat(op->a[0], NULL, op->a[3]);

	if (addr != MAP_FAILED) {
		loose[op->a[1]].step = op->a[2];
		loose[op->a[1]].addr = addr;
	}
	return (long)addr;
}

static long detach_loose(const struct op *op, const struct ipc *ipc)
{
	if (loose[op->a[1]].step != op->a[2]) {
		errno = ESRCH;
		return -1;
	}
	return ipc->shmdt(loose[op->a[1]].addr);
}

/* The lines of /proc/self/maps within the arena, without the device. */
static void read_maps(char *out)
{
	static char text[65536];
	size_t used = 0, len = 0;
	char *line, *next = text;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = out[0] = '\0';
	while ((line = strsep(&next, "\n"))) {
		unsigned long start = strtoul(line, NULL, 16), base = (unsigned long)arena;
		char *device = line, *rest;
		int i;

		if (start < base || start >= base + 4 * PAGES * PAGE || used > OUT_TEXT - 256)
			continue;
		/* Range, rights, offset, device, inode, name. */
		for (i = 0; i < 3 && device; i++)
			device = strchr(device + 1, ' ');
		rest = device ? strchr(device + 1, ' ') : NULL;
		if (rest)
			used += sprintf(out + used, "%.*s%s\n", (int)(device - line), line, rest);
	}
}

static long touch(char *at, int byte)
{
	long ret = probe_read(at);

	if (ret)
		return ret << 8;
	ret = *(volatile unsigned char *)at;
	if (byte >= 0) {
		int sig = probe_write(at);

		if (sig)
			return sig << 16 | ret;
		*(volatile unsigned char *)at = byte;
	}
	return ret;
}

static const char *const limits[] = {
	"shmmax", "shmall", "shmmni", "shm_rmid_forced", "shm_next_id",
};

static long make_call(const struct op *op, const struct ipc *ipc, struct out *out)
{
	char *at = arena + op->a[0] * PAGE, *to;
	long ret;

	switch (op->type) {
	case OP_GET:
		return ipc->shmget(op->a[0], op->a[1], op->a[2]);
	case OP_AT:
		to = ipc->shmat(op->a[0], arena + op->a[1] * PAGE + op->a[2], op->a[3]);
		return to == MAP_FAILED ? -1 : to - arena;
	case OP_AT_ANYWHERE:
		return attach_anywhere(op, ipc);
	case OP_DT:
		return ipc->shmdt(at + op->a[1]);
	case OP_DT_LOOSE:
		return detach_loose(op, ipc);
	case OP_UNMAP:
		return munmap(at, op->a[1] * PAGE);
	case OP_PROTECT:
		return mprotect(at, op->a[1] * PAGE, op->a[2]);
	case OP_REMAP:
		to = mremap(at, op->a[1] * PAGE, op->a[2] * PAGE,
			    op->a[3] < 0 ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED,
			    arena + op->a[3] * PAGE);
		return to == MAP_FAILED ? -1 : to - arena;
	case OP_ADVISE:
		return madvise(at, op->a[1] * PAGE, op->a[2]);
	case OP_ANON:
		to = mmap(at, op->a[1] * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		return to == MAP_FAILED ? -1 : 0;
	case OP_TOUCH:
		return touch(at, op->a[1]);
	case OP_LIMIT:
		ret = ipc_limit_set(ipc, limits[op->a[0]], op->a[1]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : ipc_limit_get(ipc, limits[op->a[0]]);
	default:
		if (op->type == OP_SET)
			answer_of(out)->ds = call_of(op)->ds;
		return ipc->shmctl(op->a[0], command(op),
				   call_of(op)->is_nowhere ? NULL : &answer_of(out)->ds);
	}
}

static bool is_mapping(int type)
{
	return (type >= OP_AT && type <= OP_DT_LOOSE) || (type >= OP_UNMAP && type <= OP_ANON);
}

/* What maps nothing changes no mapping: that is seen when the next one does. */
static long call(const struct op *op, const struct ipc *ipc, struct out *out)
{
	long ret = make_call(op, ipc, out);
	int err = errno;

	if (is_mapping(op->type) || op->dice % 8 == 0)
		read_maps(out->text);
	errno = err;
	return ret;
}

/* ---- What comes next ---- */

/* What an actor has mapped in the arena, and loose. */
static struct mapped {
	int n;
	short start[MOST_MAPPED], end[MOST_MAPPED], offset[MOST_MAPPED];
	int id[MOST_MAPPED];
	int loose[LOOSE];	/* steps, or 0 */
} mapped[ACTORS];

static struct mapped *mapped_of(const struct actor *actor)
{
	return &mapped[actor - actors];
}

static void begun(const struct actor *actor, const struct actor *parent)
{
	if (parent)
		*mapped_of(actor) = *mapped_of(parent);
	else
		memset(mapped_of(actor), 0, sizeof(struct mapped));
}

static void remember_mappings(const struct actor *actor, const char *maps)
{
	struct mapped *m = mapped_of(actor);
	unsigned long start, end, offset;
	int n = 0, id;

	for (; *maps && n < MOST_MAPPED; maps = strchr(maps, '\n') + 1)
		if (sscanf(maps, "%lx-%lx %*s %lx %d", &start, &end, &offset, &id) == 4) {
			m->start[n] = (start - (unsigned long)arena) / PAGE;
			m->end[n] = (end - (unsigned long)arena) / PAGE;
			m->offset[n] = offset / PAGE;
			m->id[n++] = id;
		}
	m->n = n;
}

/* Would it make a fragment of one attachment look like one of another? */
static bool is_fit(const struct op *op)
{
	const struct mapped *m = mapped_of(actor_named(op->actor));
	int i, j;

	for (i = 0; i < m->n && op->type == OP_AT; i++)
		if (m->id[i] == op->a[0] && m->start[i] - m->offset[i] == op->a[1])
			return false;
	for (i = 0; i < m->n && op->type == OP_REMAP && op->a[3] >= 0; i++)
		for (j = 0; j < m->n && m->start[i] <= op->a[0] && op->a[0] < m->end[i]; j++)
			if (m->id[i] == m->id[j] && m->start[j] - m->offset[j] ==
			    op->a[3] - (m->offset[i] + op->a[0] - m->start[i]))
				return false;
	return op->type != OP_DT_LOOSE || m->loose[op->a[1]] == op->a[2];
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
	const struct mapped *m = mapped_of(actor_named(op->actor));
	int i, start, len;

	if (!m->n || chance(10)) {
		op->a[0] = rnd(PAGES);
		op->a[1] = 1 + rnd(8);
		return;
	}
	i = rnd(m->n);
	start = m->start[i];
	len = m->end[i] - start;
	if (chance(50)) {
		op->a[0] = start + rnd(len);
		len -= op->a[0] - start;
	} else {
		op->a[0] = start;
	}
	op->a[1] = chance(40) ? len : 1 + rnd(len + chance(10) * 4);
	/* To the end of the next one, where there is no hole. */
	if (!chance(25))
		return;
	for (i = 0; i + 1 < m->n; i++)
		if (m->end[i] == m->start[i + 1]) {
			op->a[0] = m->start[i];
			op->a[1] = m->end[i + 1] - m->start[i];
			return;
		}
}

/* Whole, a part, grown, shrunk, doubled (old size 0), over others, in place. */
static void choose_remap(struct op *op)
{
	const struct mapped *m = mapped_of(actor_named(op->actor));

	choose_range(op);
	if (chance(10))
		op->a[1] = 0;
	op->a[2] = chance(70) && op->a[1] ? op->a[1] : 1 + rnd(10);
	op->a[3] = chance(25) && op->a[1] ? -1 : some_page();
	/* Often to where its offset would belong in another attachment. */
	if (op->a[3] >= 0 && m->n && chance(50)) {
		op->a[3] = 8 * (m->start[rnd(m->n)] / 8) + op->a[0] % 8;
		op->a[1] = op->a[2] = 1 + rnd(2);
	}
}

static const int modes[] = { 0600, 0644, 0666, 0666, 0666, 0666, 0777, 0777, 0, 0604 };

static void choose_ctl(struct op *op)
{
	struct shm_call *c = call_of(op);

	some_object(op);
	if (op->type == OP_SHM_STAT || op->type == OP_STAT_ANY) {
		op->is_index = op->object != NOTHING && chance(70);
		op->a[0] &= op->is_index ? 0xffffff : -1;
	}
	c->is_nowhere = chance(10) && op->type != OP_LOCK && op->type != OP_UNLOCK;
	memset(&c->ds, POISON, sizeof(c->ds));
	if (op->type == OP_SET) {
		c->ds.shm_perm.uid = chance(3) ? -1u : users[rnd(USERS)].uid;
		c->ds.shm_perm.gid = chance(3) ? -1u : users[rnd(USERS)].gid;
		c->ds.shm_perm.mode = modes[rnd(ARRAY_SIZE(modes))] | (chance(20) ? 07000 : 0);
	}
	if (op->type == OP_SET || op->type == OP_LOCK || op->type == OP_UNLOCK ||
	    op->type == OP_RMID)
		by_root(op, 40);
}

static void choose_limit(struct op *op)
{
	static const long values[ARRAY_SIZE(limits)][4] = {
		{ 16 << 20, 8192, 1 << 20, 0 },
		{ 1 << 20, 40, 10, 1000 },
		{ 4096, 5, 12, (1 << 24) + 1 },
		{ 0, 1, 1, 2 },
		{ 10, 3, (1 << 24) + 4, -2 },
	};

	/* Mostly by one who may; a tight one is relaxed soon, or nothing happens. */
	by_root(op, 90);
	op->a[0] = rnd(ARRAY_SIZE(limits));
	op->a[1] = values[op->a[0]][chance(40) ? 0 : rnd(4)];
}

static void choose_loose(struct op *op)
{
	const struct mapped *m = mapped_of(actor_named(op->actor));
	int i;

	for (i = 0; i < LOOSE; i++)
		if (m->loose[i]) {
			op->a[1] = i;
			op->a[2] = m->loose[i];
			return;
		}
	op->type = OP_AT_ANYWHERE;
}

static void choose(struct op *op, bool may_sleep)
{
	static const size_t sizes[] = { 0, 1, PAGE, PAGE + 1, 3 * PAGE, 8 * PAGE - 5, 8 * PAGE,
					1ul << 20, 1ul << 60, 1ul << 60, SIZE_MAX };
	static const int advice[] = { MADV_NORMAL, MADV_RANDOM, MADV_DONTFORK, MADV_DOFORK,
				      MADV_REMOVE, MADV_DONTNEED };

	(void)may_sleep;
	if (op->type == OP_DT_LOOSE)
		choose_loose(op);
	switch (op->type) {
	case OP_GET:
		op->a[0] = rnd(6);
		op->a[1] = sizes[chance(80) ? 1 + rnd(6) : rnd(ARRAY_SIZE(sizes))];
		op->a[2] = (chance(75) ? IPC_CREAT : 0) | (chance(12) ? IPC_EXCL : 0) |
			   (chance(10) ? SHM_NORESERVE : 0) | modes[rnd(ARRAY_SIZE(modes))];
		/* What a lookup asks for must mostly be granted. */
		if (chance(60))
			op->a[2] &= ~0077 | 0044;
		break;
	case OP_AT:
	case OP_AT_ANYWHERE:
		some_object(op);
		op->a[3] = (chance(20) ? SHM_RDONLY : 0) | (chance(8) ? SHM_EXEC : 0);
		/* Kept by this number, as what this step has placed. */
		op->a[1] = rnd(LOOSE);
		op->a[2] = this_step();
		if (op->type == OP_AT_ANYWHERE)
			break;
		op->a[1] = some_page();
		op->a[2] = chance(15) ? rnd(PAGE) : 0;
		op->a[3] |= (chance(25) ? SHM_REMAP : 0) | (chance(20) ? SHM_RND : 0);
		break;
	case OP_DT:
		choose_range(op);
		if (chance(60))
			op->a[0] = 8 * (op->a[0] / 8);
		op->a[1] = chance(5) ? 1 + rnd(PAGE - 1) : 0;
		break;
	case OP_DT_LOOSE:
		break;
	case OP_UNMAP:
	case OP_ADVISE:
	case OP_PROTECT:
	case OP_ANON:
		choose_range(op);
		op->a[2] = op->type == OP_ADVISE ? advice[rnd(ARRAY_SIZE(advice))] : rnd(8);
		break;
	case OP_REMAP:
		choose_remap(op);
		break;
	case OP_TOUCH:
		choose_range(op);
		op->a[1] = chance(60) ? rnd(256) : -1;
		break;
	case OP_LIMIT:
		choose_limit(op);
		break;
	default:
		choose_ctl(op);
	}
}

/* Of mappings: whether a range covers more than one, or not one whole. */
static unsigned int range_flags(const struct op *op)
{
	const struct mapped *m = mapped_of(actor_named(op->actor));
	int i, n = 0, whole = 0;

	for (i = 0; i < m->n; i++)
		if (m->start[i] < op->a[0] + op->a[1] && op->a[0] < m->end[i]) {
			n++;
			whole += op->a[0] <= m->start[i] && m->end[i] <= op->a[0] + op->a[1];
		}
	return FLAG(0, n > 1) | FLAG(1, n > whole);
}

static unsigned int flags(const struct op *op, const struct out *out)
{
	const long *a = op->a;

	switch (op->type) {
	case OP_GET:
		return FLAG(0, a[2] & IPC_CREAT) | FLAG(1, a[2] & IPC_EXCL) |
		       FLAG(2, a[2] & SHM_NORESERVE) | FLAG(3, !a[0]);
	case OP_AT:
		return FLAG(0, a[3] & SHM_RDONLY) | FLAG(1, a[3] & SHM_REMAP) |
		       FLAG(2, a[3] & SHM_RND && a[2]) | FLAG(3, a[3] & SHM_EXEC);
	case OP_AT_ANYWHERE:
		return FLAG(0, a[3] & SHM_RDONLY) | FLAG(1, a[3] & SHM_EXEC);
	case OP_UNMAP:
	case OP_PROTECT:
		return range_flags(op);
	case OP_REMAP:
		return FLAG(0, a[3] >= 0) | FLAG(1, a[3] < 0) | FLAG(2, a[1] && a[1] < a[2]) |
		       FLAG(3, a[1] > a[2]) | FLAG(4, !a[1]);
	case OP_ADVISE:
		return FLAG(0, a[2] == MADV_DONTFORK) | FLAG(1, a[2] == MADV_REMOVE);
	case OP_TOUCH:
		return FLAG(0, out->ret > 255) | FLAG(1, out->ret <= 255 && a[1] >= 0);
	}
	return 0;
}

static int describe(const struct op *op, char *text, size_t size)
{
	const char *object = object_name(op);

	switch (op->type) {
	case OP_GET:
		return snprintf(text, size, "key %ld, size %ld, flags %#lo", op->a[0], op->a[1],
				op->a[2]);
	case OP_AT:
		return snprintf(text, size, "%s, page %ld + %ld, flags %#lo", object, op->a[1],
				op->a[2], op->a[3]);
	case OP_AT_ANYWHERE:
		return snprintf(text, size, "%s, flags %#lo", object, op->a[3]);
	case OP_DT:
		return snprintf(text, size, "page %ld + %ld", op->a[0], op->a[1]);
	case OP_DT_LOOSE:
		return snprintf(text, size, "what %ld has attached", op->a[2]);
	case OP_UNMAP:
	case OP_ANON:
		return snprintf(text, size, "page %ld, %ld pages", op->a[0], op->a[1]);
	case OP_PROTECT:
	case OP_ADVISE:
		return snprintf(text, size, "page %ld, %ld pages, %ld", op->a[0], op->a[1],
				op->a[2]);
	case OP_REMAP:
		return snprintf(text, size, "page %ld, %ld pages to %ld, at %ld", op->a[0],
				op->a[1], op->a[2], op->a[3]);
	case OP_TOUCH:
		return snprintf(text, size, "page %ld, %ld", op->a[0], op->a[1]);
	case OP_LIMIT:
		return snprintf(text, size, "%s, %ld", limits[op->a[0]], op->a[1]);
	case OP_SET:
		return snprintf(text, size, "%s, owner %u.%u mode %o%s", object,
				call_of(op)->ds.shm_perm.uid, call_of(op)->ds.shm_perm.gid,
				call_of(op)->ds.shm_perm.mode,
				call_of(op)->is_nowhere ? ", nowhere" : "");
	default:
		return snprintf(text, size, "%s%s", object,
				call_of(op)->is_nowhere ? ", nowhere" : "");
	}
}

/* ---- What there is to be seen ---- */

static bool same_ds(const struct shmid_ds *n, const struct shmid_ds *k)
{
	return !memcmp(&n->shm_perm, &k->shm_perm, sizeof(n->shm_perm)) &&
	       n->shm_segsz == k->shm_segsz && who(n->shm_cpid, 0) == who(k->shm_cpid, 1) &&
	       who(n->shm_lpid, 0) == who(k->shm_lpid, 1) && n->shm_nattch == k->shm_nattch &&
	       !n->shm_atime == !k->shm_atime && !n->shm_dtime == !k->shm_dtime &&
	       !n->shm_ctime == !k->shm_ctime;
}

static void differ_ds(int id, const struct shmid_ds *ds)
{
	char text[2][200];
	int w;

	for (w = 0; w < 2; w++)
		snprintf(text[w], sizeof(text[w]),
			 "mode %o owner %u.%u size %lu creator %d last %d attached %lu times %d%d%d",
			 ds[w].shm_perm.mode, ds[w].shm_perm.uid, ds[w].shm_perm.gid,
			 (unsigned long)ds[w].shm_segsz, who(ds[w].shm_cpid, w),
			 who(ds[w].shm_lpid, w), (unsigned long)ds[w].shm_nattch, !!ds[w].shm_atime,
			 !!ds[w].shm_dtime, !!ds[w].shm_ctime);
	differ("structures", "segment %d: native %s; kipc %s", id, text[0], text[1]);
}

static bool compare_object(int id)
{
	struct shmid_ds ds[2];
	int ret[2], err[2], w;

	for (w = 0; w < 2; w++) {
		ret[w] = shm_stat(ipcs[w], id, &ds[w]);
		err[w] = ret[w] ? errno : 0;
	}
	if (ret[0] != ret[1] || err[0] != err[1])
		differ("lives of a segment", "%d: native errno %d, kipc errno %d", id, err[0],
		       err[1]);
	if (ret[0] || ret[1])
		return false;
	if (!same_ds(&ds[0], &ds[1]))
		differ_ds(id, ds);
	return true;
}

static bool same_row(const struct shm_row *n, const struct shm_row *k)
{
	return n->key == k->key && n->id == k->id && n->mode == k->mode && n->size == k->size &&
	       who(n->cpid, 0) == who(k->cpid, 1) && who(n->lpid, 0) == who(k->lpid, 1) &&
	       n->nattch == k->nattch && n->uid == k->uid && n->gid == k->gid &&
	       n->cuid == k->cuid && n->cgid == k->cgid && !n->atime == !k->atime &&
	       !n->dtime == !k->dtime && !n->ctime == !k->ctime && n->rss == k->rss &&
	       n->swap == k->swap;
}

static void tell_row(char *text, size_t size, const struct shm_row *r, int world)
{
	snprintf(text, size,
		 "key %d id %d mode %o size %lu creator %d last %d attached %lu owner %u.%u %u.%u rss %lu",
		 r->key, r->id, r->mode, r->size, who(r->cpid, world), who(r->lpid, world),
		 r->nattch, r->uid, r->gid, r->cuid, r->cgid, r->rss);
}

#define MOST_ROWS	512

static struct shm_row rows[2][MOST_ROWS];

static void compare_listings(void)
{
	int n[2], w, i;

	for (w = 0; w < 2; w++)
		n[w] = shm_rows(ipcs[w], rows[w], MOST_ROWS);
	if (n[0] != n[1]) {
		differ("listings", "native %d segments, kipc %d", n[0], n[1]);
		return;
	}
	for (i = 0; i < n[0] && i < MOST_ROWS; i++)
		if (!same_row(&rows[0][i], &rows[1][i])) {
			char text[2][250];

			for (w = 0; w < 2; w++)
				tell_row(text[w], sizeof(text[w]), &rows[w][i], w);
			differ("listings", "native %s; kipc %s", text[0], text[1]);
			return;
		}
}

/* Nobody is left: not one attachment may be. */
static void at_end(void)
{
	int n = shm_rows(&ipc_kipc, rows[1], MOST_ROWS), i;

	for (i = 0; i < n && i < MOST_ROWS; i++)
		if (rows[1][i].nattch)
			differ("counts of nobody's attachments", "segment %d: %lu", rows[1][i].id,
			       rows[1][i].nattch);
}

static bool is_place(const struct op *op)
{
	return op->type == OP_AT_ANYWHERE;
}

static void compare(const struct op *op, const struct out *native, const struct out *kipc)
{
	const union shm_answer *n = answer_of(native), *k = answer_of(kipc);
	const struct actor *actor = actor_named(op->actor);

	if (is_ctl(op)) {
		bool structure = op->type == OP_STAT || op->type == OP_SHM_STAT ||
				 op->type == OP_STAT_ANY;

		if (structure && !native->err) {
			if (!same_ds(&n->ds, &k->ds))
				differ_ds(op->a[0], (struct shmid_ds[]){ n->ds, k->ds });
		} else if (memcmp(n, k, sizeof(*n))) {
			differ("structures", "of %s", calls[op->type - OPS_OF_SHM].name);
		}
	}
	if (strcmp(native->text, kipc->text))
		differ("mappings", "native's:\n%s# kipc's:\n%s", native->text, kipc->text);
	if (native->text[0] || is_mapping(op->type))
		remember_mappings(actor, native->text);
	if (native->err)
		return;
	switch (op->type) {
	case OP_GET:
		remember(op, native->ret, 0);
		break;
	case OP_AT_ANYWHERE:
		mapped_of(actor)->loose[op->a[1]] = op->a[2];
		break;
	case OP_DT_LOOSE:
		mapped_of(actor)->loose[op->a[1]] = 0;
		break;
	case OP_LIMIT:
		limits_are_tight();
		break;
	}
}

static int relax(const struct ipc *ipc)
{
	static const struct { const char *name; unsigned long value; } defaults[] = {
		{ "shmmax", ULONG_MAX - (1 << 24) }, { "shmall", ULONG_MAX - (1 << 24) },
		{ "shmmni", 4096 }, { "shm_rmid_forced", 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct limit_text result;
		char text[32];

		snprintf(text, sizeof(text), "%lu\n", defaults[i].value);
		if (ipc_limit_write(ipc, defaults[i].name, text, &result) || result.err)
			return -1;
	}
	return 0;
}

const struct kind shm_kind = {
	.name = "shm",
	.base = OPS_OF_SHM,
	.calls = calls, .n_calls = ARRAY_SIZE(calls),
	.listed = 20,
	.objects = OBJECTS,
	.call = call,
	.choose = choose,
	.is_fit = is_fit,
	.flags = flags,
	.describe = describe,
	.compare = compare,
	.is_place = is_place,
	.compare_object = compare_object,
	.compare_listings = compare_listings,
	.relax = relax,
	.begun = begun,
	.at_end = at_end,
};

// SPDX-License-Identifier: GPL-2.0
/* The matrix' calls on no object: what is new, totals, listings, limits. */
#include "calls.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kipc.h>

#include "hostile/raw.h"

#define ROWS		64		/* of a listing */
#define MISSING_KEY	0x7777

/* Answered at any rate. */
static long cut_process(const struct ipc *ipc, const struct object *o, long arg,
			struct output *out)
{
	(void)o;
	(void)arg;
	(void)out;
	return ipc == &ipc_native ? 0 : ioctl(raw_fd(), KIPC_IOC_PROCESS_CUT);
}

static long query(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	struct kipc_query q;

	(void)o;
	(void)arg;
	(void)out;
	return ipc == &ipc_native ? 0 : kipc_query(&q);
}

static long missing(const struct ipc *ipc, const struct object *o, long kind, struct output *out)
{
	(void)o;
	(void)out;
	switch (kind) {
	case KIPC_KIND_SHM:
		return ipc->shmget(MISSING_KEY, 0, 0);
	case KIPC_KIND_SEM:
		return ipc->semget(MISSING_KEY, 0, 0);
	default:
		return ipc->msgget(MISSING_KEY, 0);
	}
}

static long new_one(const struct ipc *ipc, const struct object *o, long kind, struct output *out)
{
	(void)o;
	(void)out;
	switch (kind) {
	case KIPC_KIND_SHM:
		return ipc->shmget(IPC_PRIVATE, PAGE, 0600);
	case KIPC_KIND_SEM:
		return ipc->semget(IPC_PRIVATE, 3, 0600);
	default:
		return ipc->msgget(IPC_PRIVATE, 0600);
	}
}

/* One of kipc's that ends with its creator is as any other until then. */
static long new_mortal(const struct ipc *ipc, const struct object *o, long kind,
		       struct output *out)
{
	if (ipc == &ipc_native)
		return new_one(ipc, o, kind, out);
	switch (kind) {
	case KIPC_KIND_SHM:
		return kipc_shmget_lifetime(IPC_PRIVATE, PAGE, 0600, KIPC_LIFETIME_CREATOR);
	case KIPC_KIND_SEM:
		return kipc_semget_lifetime(IPC_PRIVATE, 3, 0600, KIPC_LIFETIME_CREATOR);
	default:
		return kipc_msgget_lifetime(IPC_PRIVATE, 0600, KIPC_LIFETIME_CREATOR);
	}
}

/* One that ends at once: kipc's with its handle. */
static long new_handle(const struct ipc *ipc, const struct object *o, long kind,
		       struct output *out)
{
	static const size_t sizes[] = { [KIPC_KIND_SHM] = PAGE, [KIPC_KIND_SEM] = 3 };
	long ret;

	if (ipc == &ipc_kipc) {
		ret = kipc_handle_create(kind, kind == KIPC_KIND_MSG ? 0 : sizes[kind], O_RDWR, 0,
					 NULL);
		return ret < 0 ? -1 : close(ret);
	}
	ret = new_one(ipc, o, kind, out);
	if (ret < 0)
		return -1;
	return kind == KIPC_KIND_SHM ? shmctl(ret, IPC_RMID, NULL) :
	       kind == KIPC_KIND_SEM ? semctl(ret, 0, IPC_RMID) : msgctl(ret, IPC_RMID, NULL);
}

/* One of a memfd of the caller's. */
static long new_adopted(const struct ipc *ipc, const struct object *o, long arg,
			struct output *out)
{
	long ret;
	int fd;

	(void)arg;
	if (ipc == &ipc_native)
		return new_one(ipc, o, KIPC_KIND_SHM, out);
	fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, PAGE) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -1;
	ret = kipc_shm_adopt(IPC_PRIVATE, fd, 0600);
	close(fd);
	return ret;
}

/* Refused, or there are no such pages. */
static long new_huge(const struct ipc *ipc, const struct object *o, long arg, struct output *out)
{
	(void)o;
	(void)arg;
	(void)out;
	return ipc->shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600);
}

static long shm_totals(const struct ipc *ipc, const struct object *o, long cmd,
		       struct output *out)
{
	union {
		struct shmid_ds ds;
		struct shminfo limits;
		struct shm_info info;
	} u = {};
	long ret = ipc->shmctl(0, cmd, &u.ds);

	(void)o;
	if (cmd == SHM_INFO) {
		output_add(out, u.info.used_ids);
		output_add(out, u.info.shm_tot);
	} else {
		output_add(out, u.limits.shmmax);
		output_add(out, u.limits.shmmin);
		output_add(out, u.limits.shmmni);
		output_add(out, u.limits.shmseg);
		output_add(out, u.limits.shmall);
	}
	return ret;
}

static void add_bytes(struct output *out, const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size--)
		output_add(out, *p++);
}

static long sem_totals(const struct ipc *ipc, const struct object *o, long cmd,
		       struct output *out)
{
	struct seminfo info = {};
	long ret = ipc->semctl(0, 0, cmd, (union semun){ .info = &info });

	(void)o;
	add_bytes(out, &info, sizeof(info));
	return ret;
}

static long msg_totals(const struct ipc *ipc, const struct object *o, long cmd,
		       struct output *out)
{
	struct msginfo info = {};
	long ret = ipc->msgctl(0, cmd, (struct msqid_ds *)&info);

	(void)o;
	add_bytes(out, &info, sizeof(info));
	return ret;
}

static void add_owners(struct output *out, const unsigned int ids[4])
{
	int i;

	for (i = 0; i < 4; i++)
		output_add(out, ids[i]);
}

/* The rows of a listing, but for times and memory in use. */
static long list_shm(const struct ipc *ipc, struct output *out)
{
	struct shm_row r[ROWS];
	long n = shm_rows(ipc, r, ROWS), i;

	for (i = 0; i < n && i < ROWS; i++) {
		output_add(out, r[i].key);
		output_add(out, r[i].id);
		output_add(out, r[i].mode);
		output_add(out, r[i].size);
		output_add(out, r[i].cpid);
		output_add(out, r[i].lpid);
		output_add(out, r[i].nattch);
		add_owners(out, (unsigned int []){ r[i].uid, r[i].gid, r[i].cuid, r[i].cgid });
	}
	return n;
}

static long list_sem(const struct ipc *ipc, struct output *out)
{
	struct sem_row r[ROWS];
	long n = sem_rows(ipc, r, ROWS), i;

	for (i = 0; i < n && i < ROWS; i++) {
		output_add(out, r[i].key);
		output_add(out, r[i].id);
		output_add(out, r[i].mode);
		output_add(out, r[i].nsems);
		add_owners(out, (unsigned int []){ r[i].uid, r[i].gid, r[i].cuid, r[i].cgid });
	}
	return n;
}

static long list_msg(const struct ipc *ipc, struct output *out)
{
	struct msg_row r[ROWS];
	long n = msg_rows(ipc, r, ROWS), i;

	for (i = 0; i < n && i < ROWS; i++) {
		output_add(out, r[i].key);
		output_add(out, r[i].id);
		output_add(out, r[i].mode);
		output_add(out, r[i].cbytes);
		output_add(out, r[i].qnum);
		output_add(out, r[i].lspid);
		output_add(out, r[i].lrpid);
		add_owners(out, (unsigned int []){ r[i].uid, r[i].gid, r[i].cuid, r[i].cgid });
	}
	return n;
}

static long list(const struct ipc *ipc, const struct object *o, long kind, struct output *out)
{
	(void)o;
	switch (kind) {
	case KIPC_KIND_SHM:
		return list_shm(ipc, out);
	case KIPC_KIND_SEM:
		return list_sem(ipc, out);
	default:
		return list_msg(ipc, out);
	}
}

/* ---- Limits, by their files and by kipc's call ---- */

static const struct {
	const char *file;
	int word;		/* of the file, or the whole */
	long value;		/* in its range, and no other test's matter */
} limits[] = {
	[KIPC_LIMIT_SHMMAX] = { "shmmax", -1, 1 << 20 },
	[KIPC_LIMIT_SHMALL] = { "shmall", -1, 1 << 20 },
	[KIPC_LIMIT_SHMMNI] = { "shmmni", -1, 500 },
	[KIPC_LIMIT_SHM_RMID_FORCED] = { "shm_rmid_forced", -1, 0 },
	[KIPC_LIMIT_SHM_NEXT_ID] = { "shm_next_id", -1, 300 },
	[KIPC_LIMIT_SEMMSL] = { "sem", SEMMSL_LIMIT, 500 },
	[KIPC_LIMIT_SEMMNS] = { "sem", SEMMNS_LIMIT, 5000 },
	[KIPC_LIMIT_SEMOPM] = { "sem", SEMOPM_LIMIT, 50 },
	[KIPC_LIMIT_SEMMNI] = { "sem", SEMMNI_LIMIT, 500 },
	[KIPC_LIMIT_SEM_NEXT_ID] = { "sem_next_id", -1, 300 },
	[KIPC_LIMIT_MSGMAX] = { "msgmax", -1, 500 },
	[KIPC_LIMIT_MSGMNB] = { "msgmnb", -1, 5000 },
	[KIPC_LIMIT_MSGMNI] = { "msgmni", -1, 500 },
	[KIPC_LIMIT_MSG_NEXT_ID] = { "msg_next_id", -1, 300 },
};

static long failed(long ret)
{
	errno = ret < 0 ? -ret : 0;
	return ret < 0 ? -1 : 0;
}

static long read_limit(const struct ipc *ipc, const struct object *o, long limit,
		       struct output *out)
{
	long v[SEM_LIMITS];

	(void)o;
	if (limits[limit].word < 0) {
		output_add(out, ipc_limit_get(ipc, limits[limit].file));
		return 0;
	}
	if (sem_limits_get(ipc, v))
		return -1;
	output_add(out, v[limits[limit].word]);
	return 0;
}

static long put_limit(const struct ipc *ipc, long limit, long value)
{
	if (limits[limit].word < 0)
		return failed(ipc_limit_set(ipc, limits[limit].file, value));
	return failed(sem_limit_set(ipc, limits[limit].word, value));
}

/* Another value than by the call; but a segment that nobody has attached is to stay. */
static long write_limit(const struct ipc *ipc, const struct object *o, long limit,
			struct output *out)
{
	(void)o;
	(void)out;
	return put_limit(ipc, limit, limits[limit].value + !!limits[limit].value);
}

static long ask_limit(const struct ipc *ipc, const struct object *o, long limit,
		      struct output *out)
{
	uint64_t value = 0;

	if (ipc == &ipc_native)
		return read_limit(ipc, o, limit, out);
	if (kipc_limit_get(limit, &value))
		return -1;
	output_add(out, value);
	return 0;
}

/* Natively a file that may not be opened is EACCES, for a call it is EPERM. */
static long set_limit(const struct ipc *ipc, const struct object *o, long limit,
		      struct output *out)
{
	long ret;

	if (ipc == &ipc_kipc)
		return kipc_limit_set(limit, limits[limit].value);
	(void)o;
	(void)out;
	ret = put_limit(ipc, limit, limits[limit].value);
	if (ret && errno == EACCES)
		errno = EPERM;
	return ret;
}

#define EACH_LIMIT(prefix, fn, shape) \
	{ prefix "shmmax", fn, KIPC_LIMIT_SHMMAX, shape }, \
	{ prefix "shmall", fn, KIPC_LIMIT_SHMALL, shape }, \
	{ prefix "shmmni", fn, KIPC_LIMIT_SHMMNI, shape }, \
	{ prefix "shm_rmid_forced", fn, KIPC_LIMIT_SHM_RMID_FORCED, shape }, \
	{ prefix "semmsl", fn, KIPC_LIMIT_SEMMSL, shape }, \
	{ prefix "semmns", fn, KIPC_LIMIT_SEMMNS, shape }, \
	{ prefix "semopm", fn, KIPC_LIMIT_SEMOPM, shape }, \
	{ prefix "semmni", fn, KIPC_LIMIT_SEMMNI, shape }, \
	{ prefix "msgmax", fn, KIPC_LIMIT_MSGMAX, shape }, \
	{ prefix "msgmnb", fn, KIPC_LIMIT_MSGMNB, shape }, \
	{ prefix "msgmni", fn, KIPC_LIMIT_MSGMNI, shape }

#define EACH_NEXT_ID(prefix, fn, shape) \
	{ prefix "shm_next_id", fn, KIPC_LIMIT_SHM_NEXT_ID, shape }, \
	{ prefix "sem_next_id", fn, KIPC_LIMIT_SEM_NEXT_ID, shape }, \
	{ prefix "msg_next_id", fn, KIPC_LIMIT_MSG_NEXT_ID, shape }

#define EACH_NEW(suffix, shape) \
	{ "shmget IPC_PRIVATE" suffix, new_one, KIPC_KIND_SHM, shape }, \
	{ "semget IPC_PRIVATE" suffix, new_one, KIPC_KIND_SEM, shape }, \
	{ "msgget IPC_PRIVATE" suffix, new_one, KIPC_KIND_MSG, shape }

/* The ids that come of next_id tell whether a limit that could be set was. */
const struct call_row other_calls[] = {
	{ "query", query, 0, LETS },
	{ "cut the record", cut_process, 0, LETS },
	{ "shmget, missing", missing, KIPC_KIND_SHM, 0 },
	{ "semget, missing", missing, KIPC_KIND_SEM, 0 },
	{ "msgget, missing", missing, KIPC_KIND_MSG, 0 },
	EACH_NEW("", LETS),
	{ "a segment of its creator's", new_mortal, KIPC_KIND_SHM, LETS },
	{ "a set of its creator's", new_mortal, KIPC_KIND_SEM, LETS },
	{ "a queue of its creator's", new_mortal, KIPC_KIND_MSG, LETS },
	{ "a segment of a memfd", new_adopted, 0, LETS },
	{ "a segment and its handle", new_handle, KIPC_KIND_SHM, LETS },
	{ "a set and its handle", new_handle, KIPC_KIND_SEM, LETS },
	{ "a queue and its handle", new_handle, KIPC_KIND_MSG, LETS },
	{ "shmget SHM_HUGETLB", new_huge, 0, REFUSES | MAY_LET },
	{ "shmctl IPC_INFO", shm_totals, IPC_INFO, LETS },
	{ "shmctl SHM_INFO", shm_totals, SHM_INFO, LETS },
	{ "semctl IPC_INFO", sem_totals, IPC_INFO, LETS },
	{ "semctl SEM_INFO", sem_totals, SEM_INFO, LETS },
	{ "msgctl IPC_INFO", msg_totals, IPC_INFO, LETS },
	{ "msgctl MSG_INFO", msg_totals, MSG_INFO, LETS },
	{ "the listing of segments", list, KIPC_KIND_SHM, LETS },
	{ "the listing of sets", list, KIPC_KIND_SEM, LETS },
	{ "the listing of queues", list, KIPC_KIND_MSG, LETS },
	EACH_LIMIT("read ", read_limit, LETS),
	EACH_NEXT_ID("read ", read_limit, LETS),
	EACH_LIMIT("ask for ", ask_limit, LETS),
	EACH_NEXT_ID("ask for ", ask_limit, LETS),
	EACH_NEXT_ID("ask to choose ", set_limit, LETS | REFUSES),
	EACH_NEXT_ID("ask again for ", ask_limit, LETS),
	EACH_NEW(", id asked for", LETS),
	EACH_LIMIT("set ", set_limit, LETS | REFUSES),
	EACH_LIMIT("ask again for ", ask_limit, LETS | FOLLOWS),
	EACH_LIMIT("write ", write_limit, LETS | REFUSES),
	EACH_LIMIT("read again ", read_limit, LETS | FOLLOWS),
	EACH_NEXT_ID("choose ", write_limit, LETS | REFUSES),
	EACH_NEXT_ID("read again ", read_limit, LETS | FOLLOWS),
	EACH_NEW(", id chosen", LETS | FOLLOWS),
};

const unsigned int other_call_count = sizeof(other_calls) / sizeof(*other_calls);

// SPDX-License-Identifier: GPL-2.0
#include "step.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kipc.h>
#include <sys/syscall.h>
#include <linux/perf_event.h>

#include "common/ipc.h"
#include "common/peer.h"
#include "hostile/raw.h"
#include "section.h"
#include "way.h"

SECTION(kipc_fast_text)

/* The library's own: what a process has mapped, or how many children share its memory. */
extern uintptr_t kipc_fast;

#define WARM		40	/* operations after which the library has the set mapped */
#define TOLD_MAX	12	/* faults that are told in full */
#define NESTED_STRIDE	5	/* of pairs of instructions each fifth, diagonally */
#define OTHER_VALUE	3	/* of the second semaphore, always */

/* ---- Those who take part ---- */

/* What the child tells, in memory that is shared with it. */
struct told {
	int ret[2], err[2];	/* of the operation and of the handler's */
	int intents;		/* that are left in its slots */
};

#define NOT_YET	77

struct cast {
	const struct ipc *ipc;
	const struct scene *scene;
	int id;
	pid_t child, holder;
	struct told *told, *holder_told;
	bool waits[2];
	int woken[2];		/* 1000 + errno of a waiter's operation that is over */
	/* kipc's: who has the set mapped but the children, as users; operations by call. */
	struct kipc_object_row listed;
};

/* In each process that carries scenes out, once. */
static struct peer waiters[2];
static int other_set;

static const struct scene holder_scene = { .name = "holder", .op = { 0, 1, SEM_UNDO } };

static void operate_or_exit(const struct ipc *ipc, int id, int op, int flags)
{
	if (semop1(ipc, id, 0, op, flags))
		_exit(90);
}

static int warm(const struct ipc *ipc, int id, int flags)
{
	int i;

	for (i = 0; i < WARM; i++)
		if (semop1(ipc, id, 0, i & 1 ? -1 : 1, flags))
			return -1;
	return 0;
}

int step_warm(int id, int flags)
{
	return warm(&ipc_kipc, id, flags);
}

/* The value is as before when this is over. */
static void prepare(const struct ipc *ipc, const struct scene *scene, int id)
{
	int flags = scene->flags & (STEP_PLAIN | STEP_NO_SLOT | STEP_LOOKS) ? 0 :
		    scene->op.sem_flg & SEM_UNDO;
	int i;

	if (warm(ipc, scene->flags & STEP_COLD ? other_set : id, flags))
		_exit(90);
	if (scene->flags & STEP_NO_SLOT) {
		operate_or_exit(ipc, id, 1, SEM_UNDO);
		operate_or_exit(ipc, id, -1, SEM_UNDO);
	}
	if (scene->flags & STEP_BIG_FAST)
		for (i = 0; i < 129; i++) {
			operate_or_exit(ipc, id, 64, SEM_UNDO);
			operate_or_exit(ipc, id, -64, 0);
		}
	if (scene->flags & STEP_BIG_SLOW) {
		operate_or_exit(ipc, id, 10000, SEM_UNDO);
		operate_or_exit(ipc, id, -10000, 0);
	}
}

/* What a handler needs. */
static const struct cast *acting;
static int handlers_part;

static void do_part(const struct cast *cast, int part)
{
	struct sembuf op = part ? cast->scene->inner : cast->scene->op;
	int err = errno, ret;

	errno = 0;
	if (!part && cast->scene->flags & STEP_LOOKS)
		ret = cast->ipc->semctl(cast->id, op.sem_num, GETVAL);
	else
		ret = cast->ipc->semop(cast->id, &op, 1);
	op.sem_op = -op.sem_op;
	if (part && cast->scene->flags & STEP_AND_BACK)
		ret |= cast->ipc->semop(cast->id, &op, 1);
	cast->told->ret[part] = ret;
	cast->told->err[part] = ret < 0 ? errno : 0;
	errno = err;
}

static void handler(int sig)
{
	(void)sig;
	do_part(acting, handlers_part);
}

/* Prepare, stop; operate; stop again. */
static void traced_main(const struct cast *cast)
{
	bool in_handler = cast->scene->flags & STEP_IN_HANDLER;
	struct raw_process process;
	int i;

	prepare(cast->ipc, cast->scene, cast->id);
	if (raw_map_process(&process))
		_exit(94);
	acting = cast;
	handlers_part = !in_handler;
	signal(SIGUSR1, handler);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	if (in_handler)
		raise(SIGUSR1);
	else
		do_part(cast, 0);
	cast->told->intents = 0;
	for (i = 0; i < KIPC_PROCESS_SLOTS; i++)
		cast->told->intents += !!process.slots[i].intent;
	raise(SIGSTOP);
}

static bool is_nested(const struct scene *scene)
{
	return scene->meddle == SIGNAL;
}

/* Natively: @parts are done, then it stops, and does the rest when it goes on. */
static void native_main(const struct cast *cast, unsigned int parts)
{
	int i;

	prepare(cast->ipc, cast->scene, cast->id);
	raise(SIGSTOP);
	for (i = 0; i < 2; i++)
		if (parts & 1u << i)
			do_part(cast, i);
	raise(SIGSTOP);
	if (is_nested(cast->scene) && !(parts & 2))
		do_part(cast, 1);
	if (!(parts & 1))
		do_part(cast, 0);
	raise(SIGSTOP);
}

static pid_t start(struct cast *cast, unsigned int parts)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (cast->ipc == &ipc_kipc)
			traced_main(cast);
		else
			native_main(cast, parts);
		_exit(91);
	}
	return waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
	       WSTOPSIG(status) == SIGSTOP ? pid : -1;
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- What others do ---- */

/* Until it has stopped again, or sleeps. */
static bool go_on(pid_t pid)
{
	int status;
	pid_t ret;

	kill(pid, SIGCONT);
	for (;;) {
		ret = waitpid(pid, &status, WUNTRACED | WNOHANG);
		if (ret)
			return ret == pid && WIFSTOPPED(status);
		if (task_asleep(pid))
			return true;
		sched_yield();
	}
}

static int come(struct cast *cast, int who, int op)
{
	struct sembuf sop = { 0, op, 0 };

	cast->waits[who] = true;
	/* It sleeps, or has returned already: what is seen afterwards tells. */
	peer_block(&waiters[who], cast->ipc, cast->id, &sop, 1);
	return 0;
}

/* The other child stops right behind its compare and swap. */
static int let_hold(struct cast *cast)
{
	static struct way way;
	struct cast holder = *cast;
	int n;

	if (cast->ipc != &ipc_kipc)
		return go_on(cast->holder) ? 0 : -1;
	if (!way.steps) {
		/* To learn the way takes a child of its own, and adds one for good. */
		holder.scene = &holder_scene;
		holder.child = start(&holder, 0);
		if (holder.child < 0 || way_learn(&way, holder.child, NULL, 0, false))
			return -1;
		end(holder.child);
		if (sem_setval(cast->ipc, cast->id, 0, cast->scene->value))
			return -1;
	}
	n = way_behind_swap(&way);
	return n > 0 && way_run_to(&way, cast->holder, n, NULL) &&
	       way_park(cast->holder, way.pc[n]) ? 0 : -1;
}

static int perform(struct cast *cast, enum act act)
{
	static const unsigned short sevens[2] = { 7, OTHER_VALUE };
	struct semid_ds ds;

	switch (act) {
	case OPERATE:
		return semop1(cast->ipc, cast->id, 0, 1, 0);
	case OPERATE_UNDO:
		return semop1(cast->ipc, cast->id, 0, 1, SEM_UNDO);
	case SET_VALUE:
		return sem_setval(cast->ipc, cast->id, 0, 7);
	case SET_ALL:
		return sem_setall(cast->ipc, cast->id, sevens);
	case SET_MODE:
		return sem_stat(cast->ipc, cast->id, &ds) ||
		       cast->ipc->semctl(cast->id, 0, IPC_SET, (union semun){ .buf = &ds });
	case REMOVE:
		return sem_rmid(cast->ipc, cast->id);
	case COME_DOWN:
		return come(cast, 0, -1);
	case COME_ZERO:
		return come(cast, 0, 0);
	case COME_BOTH:
		return come(cast, 0, -1) || come(cast, 1, -1);
	case HOLD:
		return let_hold(cast);
	case SUSPEND:
		/* As kipc_fast_sem_suspend() does in another thread. */
		if (cast->ipc == &ipc_kipc && ptrace(PTRACE_POKEDATA, cast->child, &kipc_fast, 1))
			return -1;
		return semop1(cast->ipc, cast->id, 0, 1, 0);
	default:
		return 0;
	}
}

/* Return: the signal that the child is to have, or -1. */
static int meddle(void *arg)
{
	struct cast *cast = arg;

	if (cast->scene->meddle == SIGNAL)
		return SIGUSR1;
	return perform(cast, cast->scene->meddle) ? -1 : 0;
}

/* ---- What is seen ---- */

/* All numbers, so that two can be compared as they are. */
struct seen {
	int err, value[2], pid[2], ncnt[2], zcnt[2], waiter[2], listed_sleepers;
};

/* When stopped; after others did something; when it went on; dead; the holder dead too. */
#define LOOKS	5

struct outcome {
	struct seen seen[LOOKS];
	int ret[2], err[2];
};

/* Process numbers differ; who it is does not. */
static int role_of(const struct cast *cast, int pid)
{
	return !pid ? 0 : pid == getpid() ? 1 : pid == cast->child ? 2 :
	       pid == cast->holder ? 3 : pid == waiters[0].pid ? 4 :
	       pid == waiters[1].pid ? 5 : pid < 0 ? -1 : 99;
}

/* To open a listing waits until deaths have been dealt with. */
static int sleepers_listed(int id)
{
	char line[128];
	int listed_id, count = 0;
	FILE *f = fopen("/proc/kipc/waiters", "re");

	while (f && fgets(line, sizeof(line), f))
		count += sscanf(line, "sem %d", &listed_id) == 1 && listed_id == id;
	if (f)
		fclose(f);
	return count;
}

static void look(struct cast *cast, struct seen *seen)
{
	unsigned short values[2] = { 0xffff, 0xffff };
	int i;

	if (cast->ipc == &ipc_kipc)
		seen->listed_sleepers = sleepers_listed(cast->id);
	/* GETALL always asks the kernel. */
	if (sem_getall(cast->ipc, cast->id, values))
		seen->err = errno;
	for (i = 0; i < 2; i++) {
		seen->value[i] = seen->err ? -1 : values[i];
		seen->pid[i] = role_of(cast, sem_pid(cast->ipc, cast->id, i));
		seen->ncnt[i] = sem_ncnt(cast->ipc, cast->id, i);
		seen->zcnt[i] = sem_zcnt(cast->ipc, cast->id, i);
		if (cast->waits[i]) {
			long ret = peer_woken(&waiters[i]);

			seen->waiter[i] = ret < 0 && errno == EINPROGRESS ? -1 :
					  1000 + (ret ? errno : 0);
			if (seen->waiter[i] > 0) {
				cast->waits[i] = false;
				cast->woken[i] = seen->waiter[i];
			}
		} else {
			seen->waiter[i] = cast->woken[i];
		}
	}
	if (cast->ipc != &ipc_kipc)
		seen->listed_sleepers = seen->err ? 0 : seen->ncnt[0] + seen->ncnt[1] +
					seen->zcnt[0] + seen->zcnt[1];
	/* And without the kernel, if it may be. */
	i = sem_val(cast->ipc, cast->id, 0);
	if (!seen->err && i != seen->value[0])
		seen->value[0] = -2;
}

/* Or will be: others may find no set. */
static bool is_removed(const struct scene *scene)
{
	return scene->before == REMOVE || scene->meddle == REMOVE;
}

/* The child is where it shall be: the rest of the story. */
static int play(struct cast *cast, enum act act, enum end how, struct outcome *outcome)
{
	int i;

	if (how != KILLED)
		look(cast, &outcome->seen[0]);
	if (perform(cast, act) && !is_removed(cast->scene))
		return -1;
	if (how != KILLED)
		look(cast, &outcome->seen[1]);
	if (how == WENT_ON) {
		if (!go_on(cast->child))
			return -1;
		look(cast, &outcome->seen[2]);
	}
	end(cast->child);
	look(cast, &outcome->seen[3]);
	if (cast->holder > 0) {
		end(cast->holder);
		look(cast, &outcome->seen[4]);
	}
	if (how != WENT_ON)
		return 0;
	for (i = 0; i < 2; i++) {
		outcome->ret[i] = cast->told->ret[i];
		outcome->err[i] = cast->told->err[i];
		/* Removed under an operation, or before it: both are right. */
		if (outcome->err[i] == EIDRM)
			outcome->err[i] = EINVAL;
	}
	return 0;
}

static bool keeps_values(const struct scene *scene)
{
	return scene->flags & (STEP_BIG_FAST | STEP_BIG_SLOW | STEP_AND_BACK);
}

/* A set, a child that is about to operate, and what was before. */
static int open_scene(struct cast *cast, const struct ipc *ipc, const struct scene *scene,
		      enum act act, unsigned int parts)
{
	static struct told *told;
	unsigned short values[2] = { keeps_values(scene) ? scene->value : 100, OTHER_VALUE };

	if (!told) {
		told = mmap(NULL, 2 * sizeof(*told), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (told == MAP_FAILED)
			return -1;
	}
	memset(told, 0, 2 * sizeof(*told));
	told->ret[0] = told->ret[1] = NOT_YET;
	*cast = (struct cast){ .ipc = ipc, .scene = scene, .told = told };
	cast->id = sem_new(ipc, 2, values, 0600);
	if (cast->id < 0)
		return -1;
	/* So that the others' operations are without a system call, too. */
	if ((act == OPERATE || act == OPERATE_UNDO || scene->meddle == OPERATE ||
	     scene->meddle == SUSPEND) &&
	    warm(ipc, cast->id, act == OPERATE_UNDO ? SEM_UNDO : 0))
		return -1;
	if (ipc == &ipc_kipc) {
		cast->listed = kipc_object_read("sem", cast->id);
		if (cast->listed.users < 0)
			return -1;
	}
	if (scene->before == HOLD) {
		struct cast holder = *cast;

		holder.scene = &holder_scene;
		holder.told = told + 1;
		cast->holder = start(&holder, 1);
		if (cast->holder < 0)
			return -1;
	}
	cast->child = start(cast, parts);
	if (cast->child < 0)
		return -1;
	values[0] = scene->value;
	if (!keeps_values(scene) && sem_setall(ipc, cast->id, values))
		return -1;
	return perform(cast, scene->before);
}

static void close_scene(struct cast *cast)
{
	int i;

	end(cast->child);
	end(cast->holder);
	if (cast->id >= 0)
		sem_rmid(cast->ipc, cast->id);
	for (i = 0; i < 2; i++)
		if (cast->waits[i])
			peer_finish(&waiters[i]);
}

/* ---- The two together ---- */

struct told_scene {
	const struct scene *scene;
	enum act act;
	enum end how;
	int n;
	unsigned long pc;
};

static int told_faults;

static void tell(const struct told_scene *at, const char *what)
{
	static const char *const acts[ACTS] = {
		"nothing", "operate", "operate with undo", "SETVAL", "SETALL", "IPC_SET",
		"IPC_RMID", "one comes", "one waits for zero", "two come", "hold", "suspend",
		"signal",
	};
	static const char *const ends[ENDS] = { "killed", "killed, seen before", "went on" };

	if (told_faults++ < TOLD_MAX)
		printf("# %s; others: %s; %s: before step %d, <+%lx> %s: %s\n", at->scene->name,
		       acts[at->act], ends[at->how], at->n, section_offset(at->pc), section_text(at->pc),
		       what);
}

static void tell_numbers(const char *name, const struct outcome *outcome)
{
	const int *number = (const int *)outcome;
	unsigned int i;

	if (told_faults > TOLD_MAX)
		return;
	printf("#   %-8s", name);
	for (i = 0; i < sizeof(*outcome) / sizeof(int); i++)
		printf("%s%d", i % (sizeof(struct seen) / sizeof(int)) ? " " : " | ", number[i]);
	printf("\n");
}

/* The same story natively, with @parts done when it stops. */
static int tell_natively(const struct told_scene *at, bool meddled, unsigned int parts,
			 struct outcome *outcome)
{
	struct cast cast;
	int ret = -1;

	memset(outcome, 0, sizeof(*outcome));
	if (!open_scene(&cast, &ipc_native, at->scene, at->act, parts) &&
	    (!meddled || !perform(&cast, at->scene->meddle)) && go_on(cast.child))
		ret = play(&cast, at->act, at->how, outcome);
	close_scene(&cast);
	return ret;
}

/* How many ways there are to have happened: one bit for each part. */
static unsigned int wholes(const struct scene *scene, bool meddled)
{
	return scene->flags & STEP_SLEEPS ? 1 : is_nested(scene) && meddled ? 4 : 2;
}

/* What is in the words, in the listings and in the child's slots when all is over. */
static int is_untidy(struct cast *cast, const struct told_scene *at, bool calls_known)
{
	const struct scene *scene = at->scene;
	unsigned int sleepers;
	struct raw_view view;
	struct kipc_object_row now;
	int wrong = 0, i;

	if (at->how == WENT_ON && cast->told->ret[0] != NOT_YET && cast->told->intents) {
		tell(at, "an intent is left in its slots");
		wrong++;
	}
	if (at->act == REMOVE || is_removed(scene))
		return wrong;
	now = kipc_object_read("sem", cast->id);
	if (now.users < 0) {
		tell(at, "the set is not listed");
		return wrong + 1;
	}
	if (at->act == SET_MODE || scene->before == SET_MODE || scene->meddle == SET_MODE ?
	    now.users > cast->listed.users : now.users != cast->listed.users) {
		tell(at, "its view of the set is still counted");
		wrong++;
	}
	if (calls_known && now.calls != cast->listed.calls) {
		tell(at, "the kernel did not count the calls that it made");
		wrong++;
	}
	if (raw_map_set(&view, cast->id, 0)) {
		tell(at, "the set cannot be mapped");
		return wrong + 1;
	}
	for (i = 0; i < 2; i++) {
		uint64_t word = view.shared->cells[i].word;

		sleepers = sem_ncnt(cast->ipc, cast->id, i) + sem_zcnt(cast->ipc, cast->id, i);
		if (word & KIPC_SEM_SLOT || (word & KIPC_SEM_FLAGS & ~KIPC_SEM_KEPT) !=
		    (sleepers ? KIPC_SEM_HELD : 0) || view.shared->state) {
			tell(at, "its word is not free");
			printf("#   word %d: %llx, %u sleepers, state %x\n", i,
			       (unsigned long long)word, sleepers, view.shared->state);
			wrong++;
		}
	}
	raw_unmap_set(&view);
	return wrong;
}

struct references {
	bool known[2][4];
	struct outcome outcome[2][4];
};

/*
 * Compare with what may have happened.
 * Return: a bit for each that it is equal to, or 0.
 */
static unsigned int compare(const struct told_scene *at, bool meddled,
			    struct references *references, const struct outcome *outcome)
{
	unsigned int parts, equal = 0;

	for (parts = 0; parts < wholes(at->scene, meddled); parts++) {
		struct outcome *reference = &references->outcome[meddled][parts];

		if (!references->known[meddled][parts]) {
			if (tell_natively(at, meddled, parts, reference)) {
				tell(at, "native does not carry it out");
				return 0;
			}
			references->known[meddled][parts] = true;
		}
		if (!memcmp(reference, outcome, sizeof(*outcome)))
			equal |= 1u << parts;
	}
	if (!equal) {
		tell(at, "neither wholly nor not at all");
		for (parts = 0; parts < wholes(at->scene, meddled); parts++)
			tell_numbers(parts ? "wholly" : "not",
				     &references->outcome[meddled][parts]);
		tell_numbers("is", outcome);
	}
	return equal;
}

/* One child, up to one instruction, and one end. */
static int step(struct told_scene *at, const struct way *way, struct references *references,
		unsigned int *equal)
{
	const struct scene *scene = at->scene;
	bool meddled = way->hook >= 0 && at->n > way->hook;
	bool is_stopped = at->act != NOTHING || at->how == WENT_ON;
	bool calls_known = at->act == NOTHING && at->how != WENT_ON && !meddled &&
			   scene->before != REMOVE;
	struct outcome outcome = {};
	struct cast cast;
	const struct meddler meddler = { meddle, &cast };
	int wrong = 1, i;

	*equal = 0;
	if (open_scene(&cast, &ipc_kipc, scene, at->act, 0)) {
		tell(at, "the scene is not set");
		goto close;
	}
	/* Its users stay those from before there were children. */
	cast.listed.calls = kipc_object_read("sem", cast.id).calls;
	if (scene->before != REMOVE && cast.listed.calls < 0) {
		tell(at, "the set is not listed");
		goto close;
	}
	if (!way_run_to(way, cast.child, at->n, &meddler)) {
		tell(at, "not reached");
		goto close;
	}
	for (i = 0; i < at->n; i++)
		cast.listed.calls += way_is_syscall(way->pc[i]) &&
				     !(scene->flags & (STEP_REFUSED | STEP_LOOKS));
	section_mark(at->pc, SECTION_REACHED);
	if (is_stopped) {
		if (!way_park(cast.child, at->pc)) {
			tell(at, "it does not stop there");
			goto close;
		}
		section_mark(at->pc, SECTION_STOPPED);
	}
	if (play(&cast, at->act, at->how, &outcome)) {
		tell(at, "the others cannot do what they should");
		goto close;
	}
	if (at->how != WENT_ON)
		section_mark(at->pc, SECTION_DIED);
	wrong = is_untidy(&cast, at, calls_known);
	/* The native scene is played by the same people. */
	close_scene(&cast);
	*equal = compare(at, meddled, references, &outcome);
	return wrong + !*equal;
close:
	close_scene(&cast);
	return wrong;
}

/* Every instruction of the way; with each end, or in turns killed and not. */
static int walk(const struct scene *scene, enum act act, unsigned int ends,
		const struct way *way)
{
	static struct references references[ENDS];
	int stride = is_nested(scene) ? NESTED_STRIDE : 1, wrong = 0, turn = act;
	struct told_scene at = { .scene = scene, .act = act };
	bool happened[ENDS] = {}, is_last;
	unsigned int equal;

	at.n = is_nested(scene) ? way->hook + 1 + way->hook % stride : 0;
	for (; at.n < way->steps && wrong < TOLD_MAX; at.n += stride, turn++) {
		at.pc = way->pc[at.n];
		/* A GETVAL may be yet to come when it leaves the section. */
		is_last = at.n == way->steps - 1 && !(scene->flags & STEP_LOOKS);
		for (at.how = 0; at.how < ENDS; at.how++) {
			if (!(ends & STEP_END(at.how)) ||
			    (ends & STEP_IN_TURNS && turn % 2 != (at.how == WENT_ON)))
				continue;
			wrong += step(&at, way, &references[at.how], &equal);
			if (!equal || is_nested(scene) || scene->flags & STEP_SLEEPS)
				continue;
			/* What has happened stays so, and it has at the end. */
			if ((equal == 1 && (happened[at.how] || is_last)) ||
			    (equal == 2 && !at.n)) {
				tell(&at, "it happened too early, too late, or no longer");
				wrong++;
			}
			happened[at.how] |= equal == 2;
		}
	}
	return wrong;
}

/* A process of its own has its own mappings of sets, of which there may be so many. */
static int carry_out(const struct scene *scene, enum act act, unsigned int ends, int at,
		     int *steps)
{
	static const unsigned short zeros[2];
	static struct way way;
	struct raw_process process;
	struct cast cast;
	const struct meddler meddler = { meddle, &cast };
	int wrong = 0, i;

	if (unshare(CLONE_NEWIPC) || raw_map_process(&process))
		return 1;
	for (i = 0; i < 2; i++)
		if (peer_start(&waiters[i]))
			return 1;
	/* Of the native one only in its own tables; and another bucket than the scene's. */
	if (sem_new(&ipc_native, 2, zeros, 0600) < 0)
		return 1;
	other_set = sem_new(&ipc_kipc, 2, zeros, 0600);
	if (other_set < 0)
		return 1;
	if (open_scene(&cast, &ipc_kipc, scene, act, 0) ||
	    way_learn(&way, cast.child, scene->meddle == NOTHING ? NULL : &meddler, at,
		      scene->flags & STEP_SLEEPS)) {
		printf("# %s: its way cannot be learnt\n", scene->name);
		wrong = 1;
	}
	close_scene(&cast);
	*steps = way.steps;
	if (!wrong)
		wrong = walk(scene, act, ends, &way);
	for (i = 0; i < 2; i++)
		peer_end(&waiters[i], SIGKILL);
	return wrong;
}

int step_scene(const struct scene *scene, enum act act, unsigned int ends, int at, int *steps)
{
	int *shared, wrong;
	pid_t pid;

	fflush(stdout);
	shared = mmap(NULL, 2 * sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	shared[0] = 1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		shared[0] = carry_out(scene, act, ends, at, &shared[1]);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	wrong = shared[0];
	*steps = shared[1];
	munmap(shared, 2 * sizeof(*shared));
	return wrong;
}

/*
 * A breakpoint of the processor is an event of perf.  With the first event the kernel
 * changes its own scheduler's code, and after the last changes it back; an emulator that
 * is late to see that runs into the trap of a change that is over.  So one event is there
 * all the time.
 */
static __attribute__((constructor)) void keep_an_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY, .disabled = 1,
	};

	/* Where there is none there are no breakpoints, and the tests say so. */
	syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

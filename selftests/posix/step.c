// SPDX-License-Identifier: GPL-2.0
/*
 * An operation on a POSIX semaphore whose process is killed, or stopped while others
 * operate, before each single instruction of the part that touches the semaphore: it has
 * happened or it has not, and nobody who sleeps is forgotten.  What objdump lists of that
 * part and nobody reached is named and fails the run.
 */
#include "common/harness.h"
#include "posix/posix.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "common/device.h"
#include "crash/section.h"

SECTION(kipc_posix_text)

/* Instructions of an operation at most, and steps to them. */
#define INSTRUCTIONS	64
#define STEPS		5000

enum operation { POST, TAKE, TRY, LOOK };

/* WATCHED: the kernel has the word; REFUSED: the call fails; LOST: another's swap is first. */
enum how { WATCHED = 1, REFUSED = 2, LOST = 4 };

/**
 * struct scene - an operation and what is so before
 * @operation: what the child does
 * @value: the semaphore's
 * @change: what the operation adds
 * @how: bits of enum how
 */
struct scene {
	enum operation operation;
	int value, change, how;
};

#define MOST	((int)KIPC_POSIX_SEM_VALUE)

static const struct scene scenes[] = {
	{ POST, 0, 1, 0 }, { POST, 5, 1, 0 }, { TAKE, 1, -1, 0 }, { TAKE, 5, -1, 0 },
	{ TRY, 1, -1, 0 }, { LOOK, 3, 0, 0 },
	{ POST, 5, 1, LOST }, { TAKE, 5, -1, LOST }, { TRY, 1, -1, LOST },
	{ POST, 0, 1, WATCHED }, { TAKE, 5, -1, WATCHED }, { TRY, 1, -1, WATCHED },
	{ LOOK, 3, 0, WATCHED },
	{ POST, MOST, 0, REFUSED }, { TRY, 0, 0, REFUSED }, { TRY, 0, 0, REFUSED | WATCHED },
};

FIXTURE(step) {
	struct peer p;
	sem_t *sem, *its;
};

static long do_open(long *arg, void *buf)
{
	(void)arg;
	(void)buf;
	return (long)kipc_sem_open("/step", 0);
}

static long do_wait(long *arg, void *buf)
{
	(void)buf;
	return kipc_sem_wait((sem_t *)arg[0]);
}

FIXTURE_SETUP(step)
{
	ASSERT_EQ(0, begin_posix());
	self->sem = kipc_sem_open("/step", O_CREAT, 0600, 0);
	ASSERT_NE(SEM_FAILED, self->sem);
	ASSERT_EQ(0, peer_start(&self->p));
	self->its = (sem_t *)peer_run(&self->p, do_open, 0, 0, 0, 0, 0);
	ASSERT_NE(SEM_FAILED, self->its);
}

FIXTURE_TEARDOWN(step)
{
	peer_end(&self->p, SIGKILL);
	EXPECT_EQ(0, kipc_sem_unlink("/step"));
	EXPECT_EQ(0, count_names(NULL));
}

static int value_of(sem_t *sem)
{
	int value = -1;

	return kipc_sem_getvalue(sem, &value) ? -1 : value;
}

/* While nobody sleeps or watches. */
static void set_value(sem_t *sem, int value)
{
	__atomic_store_n((uint32_t *)sem, value, __ATOMIC_SEQ_CST);
}

/* Who polls it, so that the kernel has the word: the semaphore's descriptor, and another. */
struct watcher {
	int fd, epoll;
};

static bool watch(struct watcher *watcher)
{
	struct kipc_name_open open = {
		.name = (uintptr_t)"step", .kind = KIPC_KIND_POSIX_SEM, .flags = O_RDWR | O_CLOEXEC,
	};
	struct epoll_event event = { .events = EPOLLIN };
	int device = device_open();

	watcher->fd = ioctl(device, KIPC_IOC_NAME_OPEN, &open);
	watcher->epoll = epoll_create1(EPOLL_CLOEXEC);
	close(device);
	return !epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watcher->fd, &event);
}

static void watch_no_more(const struct watcher *watcher)
{
	close(watcher->epoll);
	close(watcher->fd);
}

static int operate(sem_t *sem, enum operation operation)
{
	int value;

	switch (operation) {
	case POST:
		return kipc_sem_post(sem);
	case TAKE:
		return kipc_sem_wait(sem);
	case TRY:
		return kipc_sem_trywait(sem);
	default:
		return kipc_sem_getvalue(sem, &value);
	}
}

/* A child that is stopped before its operation, and traced. */
static pid_t begin(sem_t *sem, enum operation operation)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		/* Here, for what raise(3) does afterwards would be stepped through each time. */
		__asm__ volatile("int3");
		_exit(operate(sem, operation) ? 2 : 0);
	}
	if (pid > 0 && (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)))
		return -1;
	return pid;
}

static unsigned long pc_of(pid_t pid)
{
	struct user_regs_struct regs;

	return ptrace(PTRACE_GETREGS, pid, NULL, &regs) ? 0 : regs.rip;
}

/* lock cmpxchg of 32 bits. */
static bool is_swap(unsigned long pc)
{
	return !memcmp((const void *)pc, "\xf0\x0f\xb1", 3);
}

/*
 * Step until @n instructions of the part are behind the child.  If its swap is to be lost
 * somebody posts before: *@lost tells.  Return: where it is; 0: it has left the part for good,
 * and ended as it should; -1: something else.
 */
static long step_to(pid_t pid, int n, sem_t *sem, const struct scene *scene, int *lost)
{
	int steps, status;
	unsigned long pc;

	*lost = 0;
	for (steps = 0; steps < STEPS; steps++) {
		pc = pc_of(pid);
		if (section_has(pc)) {
			section_mark(pc, SECTION_REACHED);
			if (!n--)
				return pc;
			if (scene->how & LOST && !*lost && is_swap(pc))
				*lost = !kipc_sem_post(sem);
		}
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid)
			return -1;
		if (WIFEXITED(status))
			return WEXITSTATUS(status) == (scene->how & REFUSED ? 2 : 0) ? 0 : -1;
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			return -1;
	}
	return -1;
}

static bool stop_there(pid_t pid)
{
	int status;

	return !ptrace(PTRACE_DETACH, pid, NULL, SIGSTOP) &&
	       waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
}

static bool kill_it(pid_t pid)
{
	int status;

	return !kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

static bool let_it_go_on(pid_t pid)
{
	int status;

	return !kill(pid, SIGCONT) && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

/*
 * For each instruction.  @stops: it is stopped, and somebody else posts, or takes what is too
 * much; @goes_on: it is not killed after that.
 */
static void carry_out(struct __test_metadata *_metadata, sem_t *sem, const struct scene *scene,
		      bool stops, bool goes_on)
{
	/* What is the kernel's happens behind the part. */
	int change = scene->how & WATCHED && !goes_on ? 0 : scene->change;
	int n, value, lost, others = 0;
	struct watcher watcher = { -1, -1 };
	bool happened = false;
	pid_t pid;
	long pc;

	for (n = 0; n < INSTRUCTIONS; n++) {
		set_value(sem, scene->value);
		if (scene->how & WATCHED)
			ASSERT_TRUE(watch(&watcher));
		pid = begin(sem, scene->operation);
		ASSERT_LT(0, pid);
		pc = step_to(pid, n, sem, scene, &lost);
		ASSERT_LE(0, pc);
		if (pc && stops) {
			ASSERT_TRUE(stop_there(pid));
			others = scene->value == MOST ? -1 : 1;
			EXPECT_EQ(0, others < 0 ? kipc_sem_trywait(sem) : kipc_sem_post(sem));
			section_mark(pc, SECTION_STOPPED);
		}
		if (pc) {
			ASSERT_TRUE(goes_on ? let_it_go_on(pid) : kill_it(pid));
			section_mark(pc, goes_on ? 0 : SECTION_DIED);
		}
		if (scene->how & WATCHED)
			watch_no_more(&watcher);
		if (!pc)
			break;
		value = value_of(sem) - others - lost - scene->value;
		if (goes_on) {
			EXPECT_EQ(change, value)
				TH_LOG("%s: %d", section_text(pc), value);
			continue;
		}
		EXPECT_TRUE(value == 0 || value == change)
			TH_LOG("instruction %d: %d", n, value);
		/* Once it has happened it has happened behind that too. */
		EXPECT_TRUE(value || !happened);
		happened = value;
	}
	EXPECT_TRUE(n > 1 && n < INSTRUCTIONS);
	EXPECT_EQ(!goes_on && change, happened);
}

TEST_F_TIMEOUT(step, killed, 380)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		carry_out(_metadata, self->sem, &scenes[i], false, false);
}

TEST_F_TIMEOUT(step, stopped_and_killed, 380)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		carry_out(_metadata, self->sem, &scenes[i], true, false);
}

TEST_F_TIMEOUT(step, stopped_and_goes_on, 380)
{
	unsigned int i;

	/* What was refused may not be any more. */
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		if (!(scenes[i].how & REFUSED))
			carry_out(_metadata, self->sem, &scenes[i], true, true);
}

/* Somebody comes to sleep while a post is under way: the post wakes it, or another does. */
TEST_F_TIMEOUT(step, a_sleeper_comes, 380)
{
	const struct scene post = { POST, 0, 1, 0 };
	int n, goes_on, value, lost;
	bool slept;
	pid_t pid;
	long pc;

	for (n = 0; n < 2 * INSTRUCTIONS; n++) {
		goes_on = n & 1;
		set_value(self->sem, 0);
		pid = begin(self->sem, POST);
		ASSERT_LT(0, pid);
		pc = step_to(pid, n / 2, self->sem, &post, &lost);
		ASSERT_LE(0, pc);
		if (!pc)
			break;
		ASSERT_TRUE(stop_there(pid));
		ASSERT_EQ(0, peer_begin(&self->p, do_wait, (long)self->its, 0, 0, 0, 0));
		slept = peer_asleep(&self->p) == 0;
		ASSERT_TRUE(goes_on ? let_it_go_on(pid) : kill_it(pid));
		/* Nobody has posted for it: it is another's turn to. */
		if (slept && !goes_on)
			EXPECT_EQ(0, kipc_sem_post(self->sem));
		EXPECT_EQ(0, peer_finish(&self->p));
		value = value_of(self->sem);
		EXPECT_EQ(0, value)
			TH_LOG("instruction %d: %d", n / 2, value);
	}
	EXPECT_TRUE(n > 2 && n < 2 * INSTRUCTIONS);
}

/* After the others. */
TEST_F(step, covered)
{
	int count = section_list();

	ASSERT_GT(count, 10) TH_LOG("no list of the part, or of another program");
	TH_LOG("%d instructions are listed", count);
	EXPECT_EQ(0, section_uncovered());
}

TEST_HARNESS_MAIN

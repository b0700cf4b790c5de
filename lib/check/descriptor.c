// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The library's descriptor against all that a program may do to it.  Needs kipc
 * and root; run by itself with libkipc, or compiled for the C library's names
 * (-DPRELOADED) under libkipc-preload.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#ifdef PRELOADED
#define get	shmget
#define attach	shmat
#define detach	shmdt
#define control	shmctl
#define get_set	semget
#define operate	semop
#define operate_timed semtimedop
#define control_set semctl
#define get_queue msgget
#define send	msgsnd
#define receive	msgrcv
#define control_queue msgctl
#else
#include <kipc.h>
#define get	kipc_shmget
#define attach	kipc_shmat
#define detach	kipc_shmdt
#define control	kipc_shmctl
#define get_set	kipc_semget
#define operate	kipc_semop
#define operate_timed kipc_semtimedop
#define control_set kipc_semctl
#define get_queue kipc_msgget
#define send	kipc_msgsnd
#define receive	kipc_msgrcv
#define control_queue kipc_msgctl
#endif

#define KEY	0x6b697064

static dev_t device;

/* Which numbers are the device's; the count, and the last one in *@fd. */
static int count_device(int *fd)
{
	struct stat st;
	int i, n = 0;

	for (i = 0; i < 1024; i++) {
		if (fstat(i, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == device) {
			*fd = i;
			n++;
		}
	}
	return n;
}

static struct sembuf up = { .sem_op = 1 }, down = { .sem_op = -1 };

struct letter {
	long type;
	char text[4];
};

static const struct letter hello = { 1, "hey" };

static bool queue_works(void)
{
	struct letter message;
	int queue = get_queue(KEY, 0);
	struct msqid_ds ds;

	return queue >= 0 && send(queue, &hello, 4, 0) == 0 &&
	       receive(queue, &message, 4, 1, 0) == 4 && message.text[0] == 'h' &&
	       control_queue(queue, IPC_STAT, &ds) == 0;
}

/* Does kipc still answer?  Every call, so that none of them is forgotten. */
static bool works(void)
{
	struct timespec long_time = { .tv_sec = 3600 };
	int id = get(KEY, 0, 0), set = get_set(KEY, 0, 0);
	struct shmid_ds ds;
	void *p;

	if (set < 0 || operate(set, &up, 1) || operate_timed(set, &down, 1, &long_time) ||
	    control_set(set, 0, GETNCNT))
		return false;
	if (!queue_works())
		return false;
	if (id < 0)
		return false;
	p = attach(id, NULL, 0);
	return p != (void *)-1 && *(char *)p == 'k' && control(id, IPC_STAT, &ds) == 0 &&
	       detach(p) == 0;
}

/* More room than a call by registers can name. */
struct message {
	long type;
	char text[70000];
};

/* One call alone meets the damage. */
static bool each_works(void (*damage)(int fd), int *count)
{
	struct timespec long_time = { .tv_sec = 3600 };
	int id = get(KEY, 0, 0), set = get_set(KEY, 0, 0), queue = get_queue(KEY, 0);
	static struct message message = { .type = 1 };
	bool passed = id >= 0 && set >= 0 && queue >= 0;
	struct shmid_ds ds;
	struct semid_ds set_ds;
	struct msqid_ds queue_ds;
	void *p;
	int fd = -1;

	count_device(&fd);
	damage(fd);
	passed &= get(KEY, 0, 0) == id;
	count_device(&fd);
	damage(fd);
	p = attach(id, NULL, 0);
	passed &= p != (void *)-1;
	count_device(&fd);
	damage(fd);
	passed &= control(id, IPC_STAT, &ds) == 0;
	count_device(&fd);
	damage(fd);
	passed &= detach(p) == 0;
	count_device(&fd);
	damage(fd);
	passed &= get_set(KEY, 0, 0) == set;
	count_device(&fd);
	damage(fd);
	passed &= operate(set, &up, 1) == 0;
	count_device(&fd);
	damage(fd);
	passed &= operate_timed(set, &down, 1, &long_time) == 0;
	count_device(&fd);
	damage(fd);
	passed &= control_set(set, 0, SETVAL, 0) == 0;
	count_device(&fd);
	damage(fd);
	passed &= control_set(set, 0, IPC_STAT, &set_ds) == 0;
	count_device(&fd);
	damage(fd);
	passed &= get_queue(KEY, 0) == queue;
	count_device(&fd);
	damage(fd);
	passed &= send(queue, &hello, 4, 0) == 0;
	count_device(&fd);
	damage(fd);
	passed &= receive(queue, &message, 4, 0, 0) == 4;
	send(queue, &hello, 3, 0);
	count_device(&fd);
	damage(fd);
	passed &= receive(queue, &message, sizeof(message.text), 0, 0) == 3;
	count_device(&fd);
	damage(fd);
	passed &= control_queue(queue, IPC_STAT, &queue_ds) == 0;
	*count = count_device(&fd);
	return passed;
}

static void do_close(int fd)
{
	close(fd);
}

static void do_raw_close_range(int fd)
{
	(void)fd;
	syscall(SYS_close_range, 3, ~0u, 0);
}

static void do_closefrom(int fd)
{
	(void)fd;
	closefrom(3);
}

static const char *over;

static void do_dup2(int fd)
{
	int other = open(over, O_RDWR);

	dup2(other, fd);
	if (other != fd)
		close(other);
}

static void do_dup2_pipe(int fd)
{
	int ends[2];

	if (pipe(ends) == 0) {
		dup2(ends[0], fd);
		close(ends[0]);
		close(ends[1]);
	}
}

static bool child_works(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!works());
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static int clone_main(void *arg)
{
	(void)arg;
	/* Its table is its own, its memory is not. */
	syscall(SYS_close_range, 3, ~0u, 0);
	return !works();
}

static bool clone_works(int flags)
{
	static char stack[1 << 18] __attribute__((aligned(16)));
	int status;
	pid_t pid = clone(clone_main, stack + sizeof(stack), flags | SIGCHLD, NULL);

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

#ifdef PRELOADED
static int drop_ids(void)
{
	return setresuid(65534, 65534, 65534);
}

static int leave_namespace(void)
{
	return unshare(CLONE_NEWIPC);
}

/* It loses the descriptor once it operates without it, and then what it operated by. */
static void after_loss(const char *name, int set, void (*damage)(int fd), int (*change)(void),
		       int expect)
{
	struct rlimit none = { 0, 0 };
	int status, fd = -1, i;
	pid_t pid = fork();

	if (!pid) {
		for (i = 0; i < 20; i++)
			if (operate(set, i % 2 ? &down : &up, 1))
				_exit(2);
		count_device(&fd);
		damage(fd);
		/* Nor is there another then. */
		if (expect == EMFILE && setrlimit(RLIMIT_NOFILE, &none))
			_exit(3);
		if (change())
			_exit(4);
		_exit(operate(set, &up, 1) != -1 || errno != expect);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0, "%s", name);
}
#endif

static void in_chroot(const char *name, void (*before)(int), void (*after)(int), bool expect)
{
	int status, fd = -1;
	pid_t pid = fork();

	if (!pid) {
		/* As a process that did no IPC yet has it. */
		if (before == do_close)
			syscall(SYS_close_range, 3, ~0u, 0);
		else if (before)
			before(count_device(&fd) ? fd : -1);
		if (chroot("/tmp/.kipc-check-root") || chdir("/"))
			_exit(2);
		if (after)
			after(count_device(&fd) ? fd : -1);
		errno = 0;
		if (works())
			_exit(0);
		_exit(errno == ENOSYS ? 1 : 3);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		status = 99 << 8;
	ok(WEXITSTATUS(status) == !expect, "chroot: %s (%d)", name, WEXITSTATUS(status));
}

#define THREADS	8

static pthread_barrier_t barrier;

static void *thread_main(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	return works() ? NULL : (void *)1;
}

static bool threads_work(void)
{
	pthread_t threads[THREADS];
	bool passed = true;
	void *result;
	int i;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_main, NULL);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		passed &= !result;
	}
	return passed;
}

static int calls_failed;
static bool is_over;

static void *caller_main(void *arg)
{
	int i, id = *(int *)arg;

	for (i = 0; i < 300; i++)
		if (get(KEY, 0, 0) != id)
			__atomic_add_fetch(&calls_failed, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *closer_main(void *arg)
{
	int i;

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		for (i = 200; i < 256; i++)
			close(i);
	return arg;
}

static bool threads_outlive_a_closer(int id, int *fd)
{
	pthread_t callers[4], closer;
	int i;

	pthread_create(&closer, NULL, closer_main, NULL);
	for (i = 0; i < 4; i++)
		pthread_create(&callers[i], NULL, caller_main, &id);
	for (i = 0; i < 4; i++)
		pthread_join(callers[i], NULL);
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	pthread_join(closer, NULL);
	for (i = 200; i < 256; i++)
		close(i);
	return !calls_failed && works() && count_device(fd) == 1;
}

static volatile sig_atomic_t handler_worked;

static void handler(int number)
{
	(void)number;
	handler_worked = works();
}

/* Lost during a sleep, it must not make the call begin again. */
static int interrupted_set, interrupted_queue, interruptions;

static void lose_it(int number)
{
	(void)number;
	syscall(SYS_close_range, 3, ~0u, 0);
	if (++interruptions != 50)
		return;
	operate(interrupted_set, &up, 1);
	send(interrupted_queue, &hello, 4, IPC_NOWAIT);
}

static bool is_interrupted(int set, int queue)
{
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct message *message = calloc(1, sizeof(*message));
	bool passed;

	interrupted_set = set;
	interrupted_queue = queue;
	signal(SIGALRM, lose_it);
	setitimer(ITIMER_REAL, &often, NULL);
	passed = operate(set, &down, 1) == -1 && errno == EINTR;
	interruptions = 0;
	passed &= receive(queue, message, 4, 0, 0) == -1 && errno == EINTR;
	interruptions = 0;
	passed &= receive(queue, message, sizeof(message->text), 0, 0) == -1 && errno == EINTR;
	setitimer(ITIMER_REAL, &never, NULL);
	control_set(set, 0, SETVAL, 0);
	while (receive(queue, message, 4, 0, IPC_NOWAIT) >= 0)
		;
	free(message);
	return passed;
}

int main(int argc, char **argv)
{
	struct rlimit few = { 32, 32 }, one = { 4, 4 };
	int fd = -1, id, set, queue, status, count, i;
	bool passed;
	struct stat st;
	pid_t pid;
	char *p;

	(void)argv;
	/* The program after exec */
	if (argc > 1)
		return !(count_device(&fd) == 0 && works());

	if (stat("/dev/kipc", &st)) {
		puts("1..0 # SKIP no /dev/kipc");
		return 4;
	}
	device = st.st_rdev;
	syscall(SYS_close_range, 3, ~0u, 0);
	ok(count_device(&fd) == 0, "no descriptor before the first call");

	id = get(KEY, 4096, IPC_CREAT | 0600);
	p = attach(id, NULL, 0);
	if (!ok(id >= 0 && p != (void *)-1, "a segment: errno %d", errno))
		return tap_end();
	*p = 'k';
	detach(p);
	set = get_set(KEY, 1, IPC_CREAT | 0600);
	ok(set >= 0, "a set");
	queue = get_queue(KEY, IPC_CREAT | 0600);
	ok(queue >= 0, "a queue");
	ok(count_device(&fd) == 1 && fd >= 200 && fd < 256, "one descriptor, %d", fd);
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC, "closed at exec");
	errno = 77;
	ok(works() && errno == 77, "successes preserve errno");

	ok(child_works(), "fork");
#ifdef PRELOADED
	/* Before a child shares the memory: then there is nothing to be cut any more. */
	over = "/dev/null";
	after_loss("close, and other ids", set, do_close, drop_ids, EACCES);
	after_loss("dup2 of a device, and other ids", set, do_dup2, drop_ids, EACCES);
	after_loss("close, and another namespace", set, do_close, leave_namespace, EINVAL);
	after_loss("close for good, and other ids", set, do_close, drop_ids, EMFILE);
	ok(control_set(set, 0, GETVAL) == 0, "nothing was done to the set");
#endif
	ok(clone_works(0), "clone");
	ok(clone_works(CLONE_VM) && works(), "clone with CLONE_VM");
	ok(clone_works(CLONE_VM | CLONE_VFORK) && works(), "clone as vfork has it");
	pid = vfork();
	if (!pid) {
		syscall(SYS_close_range, 3, ~0u, 0);
		_exit(!works());
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0 && works(), "vfork");
	pid = fork();
	if (!pid) {
		execl("/proc/self/exe", "descriptor", "again", NULL);
		_exit(9);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0, "exec");

	ok(each_works(do_close, &count) && count == 1, "close");
	ok(each_works(do_raw_close_range, &count) && count == 1, "close_range");
	ok(each_works(do_closefrom, &count) && count == 1, "closefrom");
	over = "/dev/null";
	ok(each_works(do_dup2, &count) && count == 1, "dup2 of a device");
	over = "/tmp";
	ok(each_works(do_dup2_pipe, &count) && count == 1, "dup2 of a pipe");
	syscall(SYS_close_range, 3, ~0u, 0);
	works();
	count_device(&fd);
	i = open("/dev/null", O_RDONLY);
	dup2(i, fd);
	ok(works() && fstat(fd, &st) == 0 && st.st_rdev == makedev(1, 3),
	   "what took its number is left alone");
	syscall(SYS_close_range, 3, ~0u, 0);

	ok(threads_work() && count_device(&fd) == 1, "threads open it together: %d descriptors",
	   count_device(&fd));
	passed = threads_outlive_a_closer(id, &fd);
	ok(passed, "threads while another closes: %d calls failed", calls_failed);
	signal(SIGUSR1, handler);
	syscall(SYS_close_range, 3, ~0u, 0);
	raise(SIGUSR1);
	ok(handler_worked, "signal handler");
	ok(is_interrupted(set, queue), "lost by a handler that interrupts a sleep");

	pid = fork();
	if (!pid) {
		syscall(SYS_close_range, 3, ~0u, 0);
		setrlimit(RLIMIT_NOFILE, &few);
		_exit(!(works() && count_device(&fd) == 1 && fd >= 14 && fd < 32));
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0, "RLIMIT_NOFILE 32");
	pid = fork();
	if (!pid) {
		syscall(SYS_close_range, 3, ~0u, 0);
		setrlimit(RLIMIT_NOFILE, &one);
		i = works() ? 0 : 1;
		open("/dev/null", O_RDONLY);
		count_device(&fd);
		dup2(0, fd);
		errno = 0;
		i |= get(KEY, 0, 0) != -1 || errno != EMFILE ? 2 : 0;
		errno = 0;
		i |= operate(set, &up, 1) != -1 || errno != EMFILE ? 2 : 0;
		errno = 0;
		i |= send(queue, &hello, 4, 0) != -1 || errno != EMFILE ? 2 : 0;
		close(3);
		i |= works() ? 0 : 4;
		_exit(i);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0, "EMFILE, and no longer (%d)",
	   WEXITSTATUS(status));

	mkdir("/tmp/.kipc-check-root", 0700);
	in_chroot("used before", NULL, NULL, true);
#ifdef PRELOADED
	in_chroot("not used before", do_close, NULL, true);
	in_chroot("closefrom before", do_closefrom, NULL, true);
	in_chroot("closefrom after", NULL, do_closefrom, true);
#else
	in_chroot("not used before", do_close, NULL, false);
#endif
	in_chroot("lost inside: fails with ENOSYS", NULL, do_raw_close_range, false);
	rmdir("/tmp/.kipc-check-root");

	control(id, IPC_RMID, NULL);
	control_set(set, 0, IPC_RMID);
	control_queue(queue, IPC_RMID, NULL);
	return tap_end();
}

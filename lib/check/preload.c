// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What libkipc-preload does to a program, seen from inside of one.
 *
 *   preload native|kipc|absent DIR
 *
 * The word says what is expected to serve the calls; DIR holds the plugins.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define BAD_POINTER	((void *)16)

static bool is_absent, is_kipc;

static const char *object_of(void *function)
{
	Dl_info info;
	const char *slash;

	if (!dladdr(function, &info))
		return "?";
	slash = strrchr(info.dli_fname, '/');
	return slash ? slash + 1 : info.dli_fname;
}

static bool is_ours(void *function)
{
	return strcmp(object_of(function), "libkipc-preload.so") == 0;
}

/* An exit that uses nothing of the C library's state. */
static void leave(int status)
{
	for (;;)
		syscall(SYS_exit, status);
}

static volatile int child_ran;

static void child_main(void)
{
	child_ran = 1;
	leave(7);
}

static void check_syscall(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	uintptr_t *top = (uintptr_t *)(stack + sizeof(stack) - 256);
	long number, pid;
	char *page;
	int status;

	ok(syscall(SYS_getpid) == getpid(), "syscall: no argument");
	errno = 0;
	ok(syscall(SYS_write, -1, "x", 1) == -1 && errno == EBADF, "syscall: errno");
	errno = 77;
	ok(syscall(SYS_getppid) > 0 && errno == 77, "syscall: a success preserves errno");
#ifdef SYS_mmap2
	number = SYS_mmap2;
#else
	number = SYS_mmap;
#endif
	/* Six arguments: without the sixth this is no mapping of the file's second page. */
	{
		int fd = open("/proc/self/exe", O_RDONLY);
		char second[16];

		page = (char *)syscall(number, 0, 4096, PROT_READ, MAP_PRIVATE, fd,
				       number == SYS_mmap ? 4096L : 1L);
		ok(page != MAP_FAILED && pread(fd, second, 16, 4096) == 16 &&
		   memcmp(page, second, 16) == 0, "syscall: six arguments");
		munmap(page, 4096);
		close(fd);
	}

	pid = syscall(SYS_fork);
	if (!pid)
		leave(5);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5,
	   "syscall: fork");

	/* As vfork, but on its own stack: the child returns through what is on it. */
#ifdef __i386__
	top[4] = (uintptr_t)child_main;
#else
	top[0] = (uintptr_t)child_main;
#endif
	pid = syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, top, 0, 0, 0);
	ok(pid > 0 && child_ran && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7,
	   "syscall: clone with a stack");
}

static void check_dlopen(const char *dir)
{
	void *(*get_shmget)(void), *(*load)(const char *, int);
	char path[4096];
	void *handle;

	ok(is_ours((void *)shmget), "shmget is ours (it is of %s)", object_of((void *)shmget));

	snprintf(path, sizeof(path), "%s/plugin.so", dir);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	if (!ok(handle, "dlopen with RTLD_DEEPBIND"))
		return;
	get_shmget = dlsym(handle, "plugin_shmget");
	load = dlsym(handle, "plugin_load");
	ok(is_ours(get_shmget()), "its shmget is ours");

	/* Only the plugin's own search path leads there. */
	ok(!dlopen("neighbour.so", RTLD_NOW), "what a plugin finds, the program does not");
	ok(dlerror(), "dlerror tells why");
	handle = load("neighbour.so", RTLD_NOW | RTLD_DEEPBIND);
	if (ok(handle, "the plugin finds it")) {
		get_shmget = dlsym(handle, "plugin_shmget");
		ok(is_ours(get_shmget()), "shmget there is ours");
		dlclose(handle);
	}
	snprintf(path, sizeof(path), "%s/other.so", dir);
	handle = dlmopen(LM_ID_BASE, path, RTLD_NOW | RTLD_DEEPBIND);
	if (ok(handle, "dlmopen")) {
		get_shmget = dlsym(handle, "plugin_shmget");
		ok(is_ours(get_shmget()), "shmget there is ours");
	}
}

/* The listings, by their first column, and the limits. */
static void check_file(const char *name, const char *word)
{
	char path[64], line[256] = "", link[64], target[64] = "";
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s", name);
	file = fopen(path, "r");
	fd = openat(AT_FDCWD, path, O_RDONLY);
	if (is_absent) {
		ok(!file && fd == -1, "no %s", name);
		return;
	}
	ok(file && fgets(line, sizeof(line), file) && strstr(line, word), "fopen: %s", name);
	if (file)
		fclose(file);
	memset(line, 0, sizeof(line));
	ok(fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && strstr(line, word), "openat: %s",
	   name);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, target, sizeof(target) - 1) < 0)
		target[0] = '\0';
	ok(!!strstr(target, "/kipc/") == is_kipc, "it is %s", target);
	close(fd);
}

static void check_files(void)
{
	int fd;

	errno = 0;
	ok(open(BAD_POINTER, O_RDONLY) == -1 && errno == EFAULT, "open: bad pointer");
	errno = 0;
	ok(!fopen("/proc/sys/kernel/nosuch", "r") && errno == ENOENT, "fopen: errno");
	fd = open("/tmp/.kipc-check", O_CREAT | O_EXCL | O_RDWR, 0640);
	ok(fd >= 0, "open: with a mode");
	close(fd);
	unlink("/tmp/.kipc-check");

	check_file("sysvipc/shm", "shmid");
	check_file("sysvipc/sem", "semid");
	check_file("sys/kernel/shmmni", "4096");
	check_file("sys/kernel/sem", "32000\t1024000000\t500\t32000\n");
	check_file("sys/kernel/sem_next_id", "-1");
	check_file("sysvipc/msg", "msqid");
	check_file("sys/kernel/msgmax", "8192");
	check_file("sys/kernel/msgmnb", "16384");
	check_file("sys/kernel/msgmni", "32000");
	check_file("sys/kernel/msg_next_id", "-1");
}

static void check_absent(void)
{
	struct sembuf up = { .sem_op = 1 };
	struct { long type; char text[1]; } message = { 1, "" };
	struct timespec time = { 0 };
	struct shmid_ds ds;

	errno = 0;
	ok(msgget(IPC_PRIVATE, 0600) == -1 && errno == ENOSYS, "msgget");
	errno = 0;
	ok(msgsnd(0, &message, 1, 0) == -1 && errno == ENOSYS, "msgsnd");
	errno = 0;
	ok(msgsnd(0, &message, 1 << 20, 0) == -1 && errno == ENOSYS, "msgsnd: a long one");
	errno = 0;
	ok(msgrcv(0, &message, 1, 0, 0) == -1 && errno == ENOSYS, "msgrcv");
	errno = 0;
	ok(msgrcv(0, &message, 1, 0, MSG_COPY) == -1 && errno == ENOSYS, "msgrcv: a copy");
	errno = 0;
	ok(msgctl(0, IPC_RMID, NULL) == -1 && errno == ENOSYS, "msgctl");
	errno = 0;
	ok(syscall(SYS_msgrcv, 0, &message, 1, 0, 0) == -1 && errno == ENOSYS, "syscall: msgrcv");
	errno = 0;
	ok(semget(IPC_PRIVATE, 1, 0600) == -1 && errno == ENOSYS, "semget");
	errno = 0;
	ok(semop(0, &up, 1) == -1 && errno == ENOSYS, "semop");
	errno = 0;
	ok(semtimedop(0, &up, 1, &time) == -1 && errno == ENOSYS, "semtimedop");
	errno = 0;
	ok(semctl(0, 0, GETVAL) == -1 && errno == ENOSYS, "semctl");
	errno = 0;
	ok(semctl(0, 0, IPC_STAT, &ds) == -1 && errno == ENOSYS, "semctl: IPC_STAT");
	errno = 0;
	ok(syscall(SYS_semget, IPC_PRIVATE, 1, 0600) == -1 && errno == ENOSYS, "syscall: semget");
	errno = 0;
	ok(shmget(IPC_PRIVATE, 1, 0600) == -1 && errno == ENOSYS, "shmget");
	errno = 0;
	ok(shmat(0, NULL, 0) == (void *)-1 && errno == ENOSYS, "shmat");
	errno = 0;
	ok(shmdt(NULL) == -1 && errno == ENOSYS, "shmdt");
	errno = 0;
	ok(shmctl(0, IPC_STAT, &ds) == -1 && errno == ENOSYS, "shmctl");
	errno = 0;
	ok(syscall(SYS_shmget, IPC_PRIVATE, 1, 0600) == -1 && errno == ENOSYS, "syscall: shmget");
}

#ifdef __i386__
/* The functions that programs of before 1999 are linked with. */
static void check_old(int id)
{
	int (*old_shmctl)(int, int, void *) = dlvsym(RTLD_DEFAULT, "shmctl", "GLIBC_2.0");
	int (*old_semctl)(int, int, int, ...) = dlvsym(RTLD_DEFAULT, "semctl", "GLIBC_2.0");
	int (*old_msgctl)(int, int, void *) = dlvsym(RTLD_DEFAULT, "msgctl", "GLIBC_2.0");
	struct shmid_ds shm;
	struct semid_ds sem;
	struct msqid_ds msg;
	int set, queue;

	ok(is_ours(old_shmctl) && is_ours(old_semctl) && is_ours(old_msgctl) &&
	   is_ours(dlvsym(RTLD_DEFAULT, "msgctl", "GLIBC_2.2")) &&
	   is_ours(dlvsym(RTLD_DEFAULT, "shmctl", "GLIBC_2.2")) &&
	   is_ours(dlvsym(RTLD_DEFAULT, "semctl", "GLIBC_2.2")) &&
	   is_ours(dlsym(RTLD_DEFAULT, "semctl")), "every version of these names");
	set = semget(IPC_PRIVATE, 2, 0600);
	ok(set >= 0 && old_semctl(set, 1, SETVAL, 5) == 0 && old_semctl(set, 1, GETVAL) == 5,
	   "semctl of version GLIBC_2.0");
	queue = msgget(IPC_PRIVATE, 0600);
	ok(queue >= 0, "msgget");
	if (is_kipc) {
		errno = 0;
		ok(old_shmctl(id, IPC_STAT, &shm) == -1 && errno == EINVAL,
		   "shmctl of version GLIBC_2.0: not its layout");
		errno = 0;
		ok(old_semctl(set, 0, IPC_STAT, &sem) == -1 && errno == EINVAL,
		   "semctl of version GLIBC_2.0: not its layout");
		errno = 0;
		ok(old_msgctl(queue, IPC_STAT, &msg) == -1 && errno == EINVAL,
		   "msgctl of version GLIBC_2.0: not its layout");
	} else {
		ok(old_shmctl(id, IPC_STAT, &shm) == 0 && old_semctl(set, 0, IPC_STAT, &sem) == 0 &&
		   old_msgctl(queue, IPC_STAT, &msg) == 0, "their layouts");
	}
	ok(old_semctl(set, 0, IPC_RMID) == 0 && old_msgctl(queue, IPC_RMID, NULL) == 0,
	   "IPC_RMID");
}
#endif

static void check_shm(void)
{
	struct shmid_ds ds;
	int id, other;
	char *p, *q;

	errno = 77;
	id = shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0600);
	ok(id >= 0, "shmget");
	p = shmat(id, NULL, 0);
	ok(p != (void *)-1, "shmat");
	strcpy(p, "hello");
	q = (char *)syscall(SYS_shmat, id, 0, SHM_RDONLY);
	ok(q != (void *)-1 && strcmp(q, "hello") == 0, "syscall: shmat");
	memset(&ds, 0xa5, sizeof(ds));
	ok(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_segsz == 5000 && ds.shm_nattch == 2 &&
	   ds.shm_cpid == getpid() && (ds.shm_perm.mode & 0777) == 0600 &&
	   llabs((long long)ds.shm_ctime - (long long)time(NULL)) < 60, "shmctl: IPC_STAT");
	ok(syscall(SYS_shmdt, q) == 0, "syscall: shmdt");
	ok(errno == 77, "successes preserve errno");
	errno = 0;
	ok(shmctl(id, IPC_STAT, BAD_POINTER) == -1 && errno == EFAULT, "shmctl: bad pointer");
	errno = 0;
	ok(shmctl(id, 4711, NULL) == -1 && errno == EINVAL, "shmctl: no such command");
	other = syscall(SYS_shmget, 0x6b697063, 1, IPC_CREAT | 0600);
	ok(other >= 0 && shmget(0x6b697063, 0, 0) == other, "syscall: shmget, found by key");
	ok(syscall(SYS_shmctl, other, IPC_RMID, 0) == 0, "syscall: shmctl");
	errno = 0;
	ok(shmget(0x6b697063, 0, 0) == -1 && errno == ENOENT, "removed");
#ifdef __i386__
	{
		void *at = NULL;

		other = syscall(SYS_ipc, 23, 0, 1, 0600, 0);
		ok(other >= 0 && syscall(SYS_ipc, 24, other, IPC_RMID, 0, 0) == 0,
		   "ipc: SHMGET, SHMCTL without IPC_64");
		ok(syscall(SYS_ipc, 21, id, 0, &at, 0) == 0 && at && strcmp(at, "hello") == 0,
		   "ipc: SHMAT");
		ok(syscall(SYS_ipc, 24, id, IPC_STAT | 0x100, 0, &ds) == 0 && ds.shm_nattch == 2,
		   "ipc: SHMCTL");
		ok(syscall(SYS_ipc, 22, 0, 0, 0, at) == 0, "ipc: SHMDT");
		errno = 0;
		ok(syscall(SYS_ipc, 24, id, IPC_STAT, 0, &ds) == (is_kipc ? -1 : 0) &&
		   errno == (is_kipc ? EINVAL : 0), "ipc: SHMCTL in the layout without IPC_64");
		errno = 0;
		ok(syscall(SYS_ipc, 4711, 0, 0, 0, 0) == -1 && errno == ENOSYS,
		   "ipc: what is not ours goes to the kernel");
	}
	check_old(id);
#endif
	ok(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(p) == 0, "the end");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	is_absent = strcmp(argv[1], "absent") == 0;
	is_kipc = strcmp(argv[1], "kipc") == 0;

	check_syscall();
	check_dlopen(argv[2]);
	check_files();
	if (is_absent)
		check_absent();
	else
		check_shm();
	return tap_end();
}

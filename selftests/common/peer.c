// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Return: 0 or -1 with errno. */
int become(const struct who *who)
{
	struct __user_cap_header_struct hdr = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (who->uid == (uid_t)-1)
		return 0;
	if (who->caps && prctl(PR_SET_KEEPCAPS, 1))
		return -1;
	if (setgroups(who->group != (gid_t)-1, &who->group) ||
	    setresgid(who->gid, who->gid, who->gid) ||
	    setresuid(who->uid, who->uid, who->uid))
		return -1;
	if (!who->caps)
		return 0;
	data[0].effective = data[0].permitted = (uint32_t)who->caps;
	data[1].effective = data[1].permitted = (uint32_t)(who->caps >> 32);
	return syscall(SYS_capset, &hdr, data);
}

static void peer_serve(struct peer_page *page, int cmd, int reply)
{
	char c;

	while (read(cmd, &c, 1) == 1 && page->fn) {
		errno = 0;
		page->ret = page->fn(page->arg, page->buf);
		page->err = errno;
		if (write(reply, &c, 1) != 1)
			break;
	}
	_exit(0);
}

int peer_start(struct peer *p)
{
	int cmd[2], reply[2];

	p->page = mmap(NULL, sizeof(*p->page), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->page == MAP_FAILED || pipe2(cmd, O_CLOEXEC) || pipe2(reply, O_CLOEXEC))
		return -1;
	p->pid = fork();
	if (p->pid < 0)
		return -1;
	if (!p->pid) {
		close(cmd[1]);
		close(reply[0]);
		/* A peer must not outlive a test that failed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		peer_serve(p->page, cmd[0], reply[1]);
	}
	close(cmd[0]);
	close(reply[1]);
	p->cmd = cmd[1];
	p->reply = reply[0];
	return 0;
}

long peer_run(struct peer *p, peer_fn fn, long a0, long a1, long a2, long a3, long a4)
{
	const long arg[6] = { a0, a1, a2, a3, a4, 0 };
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	char c = 0;
	bool ok;

	p->page->fn = fn;
	memcpy(p->page->arg, arg, sizeof(arg));
	ok = write(p->cmd, &c, 1) == 1 && read(p->reply, &c, 1) == 1;
	signal(SIGPIPE, old);
	errno = ok ? p->page->err : EPIPE;
	return ok ? p->page->ret : -1;
}

int peer_end(struct peer *p, int sig)
{
	int status = -1;

	/* Asked, for a younger peer may hold the other end of its pipe as well. */
	if (sig)
		kill(p->pid, sig);
	else
		peer_run(p, NULL, 0, 0, 0, 0, 0);
	close(p->cmd);
	waitpid(p->pid, &status, 0);
	close(p->reply);
	munmap(p->page, sizeof(*p->page));
	p->pid = -1;
	return status;
}

static long do_become(long *arg, void *buf)
{
	(void)arg;
	return become(buf);
}

int peer_become(struct peer *p, const struct who *who)
{
	memcpy(p->page->buf, who, sizeof(*who));
	return peer_run(p, do_become, 0, 0, 0, 0, 0);
}

static long do_shmget(long *arg, void *buf)
{
	(void)buf;
	return ((const struct ipc *)arg[0])->shmget(arg[1], arg[2], arg[3]);
}

int peer_shmget(struct peer *p, const struct ipc *ipc, key_t key, size_t size, int flags)
{
	return peer_run(p, do_shmget, (long)ipc, key, size, flags, 0);
}

static long do_shmat(long *arg, void *buf)
{
	(void)buf;
	return (long)((const struct ipc *)arg[0])->shmat(arg[1], (void *)arg[2], arg[3]);
}

void *peer_shmat(struct peer *p, const struct ipc *ipc, int id, const void *addr, int flags)
{
	return (void *)peer_run(p, do_shmat, (long)ipc, id, (long)addr, flags, 0);
}

static long do_shmdt(long *arg, void *buf)
{
	(void)buf;
	return ((const struct ipc *)arg[0])->shmdt((void *)arg[1]);
}

int peer_shmdt(struct peer *p, const struct ipc *ipc, const void *addr)
{
	return peer_run(p, do_shmdt, (long)ipc, (long)addr, 0, 0, 0);
}

static long do_shmctl(long *arg, void *buf)
{
	return ((const struct ipc *)arg[0])->shmctl(arg[1], arg[2], buf);
}

int peer_shmctl(struct peer *p, const struct ipc *ipc, int id, int cmd, struct shmid_ds *ds)
{
	int ret;

	if (ds)
		memcpy(p->page->buf, ds, sizeof(*ds));
	ret = peer_run(p, do_shmctl, (long)ipc, id, cmd, 0, 0);
	if (ds)
		memcpy(ds, p->page->buf, sizeof(*ds));
	return ret;
}

static long do_peek(long *arg, void *buf)
{
	(void)buf;
	return *(volatile unsigned char *)arg[0];
}

int peer_peek(struct peer *p, const void *addr)
{
	return peer_run(p, do_peek, (long)addr, 0, 0, 0, 0);
}

static long do_poke(long *arg, void *buf)
{
	(void)buf;
	*(volatile unsigned char *)arg[0] = arg[1];
	return 0;
}

int peer_poke(struct peer *p, void *addr, int byte)
{
	return peer_run(p, do_poke, (long)addr, byte, 0, 0, 0);
}

int in_child(int (*fn)(void *arg), void *arg)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(fn(arg));
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	return status;
}

static sigjmp_buf probe_env;
static volatile sig_atomic_t probe_sig;

static void probe_handler(int sig)
{
	probe_sig = sig;
	siglongjmp(probe_env, 1);
}

static int probe(volatile unsigned char *addr, bool write)
{
	struct sigaction sa = { .sa_handler = probe_handler }, segv, bus;

	sigaction(SIGSEGV, &sa, &segv);
	sigaction(SIGBUS, &sa, &bus);
	probe_sig = 0;
	if (!sigsetjmp(probe_env, 1)) {
		unsigned char c = *addr;

		if (write)
			*addr = c;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return probe_sig;
}

int probe_read(const void *addr)
{
	return probe((unsigned char *)addr, false);
}

int probe_write(void *addr)
{
	return probe(addr, true);
}

void wait_a_little(void)
{
	const struct timespec ts = { .tv_nsec = 1000000 };

	nanosleep(&ts, NULL);
}

/* Return: 0, or -1 when the thread is gone. */
int wait_asleep(pid_t tid)
{
	char path[64], buf[512], *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	for (;;) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		n = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (n <= 0)
			return -1;
		buf[n] = '\0';
		p = strrchr(buf, ')');
		if (p && (p[2] == 'S' || p[2] == 'D'))
			return 0;
		wait_a_little();
	}
}

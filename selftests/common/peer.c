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
#include <sys/socket.h>
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

/* A signal may be part of the test, and come when the call has returned already. */
static bool read_byte(int fd)
{
	ssize_t n;
	char c;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void peer_serve(struct peer_page *page, int cmd, int reply)
{
	char c = 0;

	while (read_byte(cmd) && page->fn) {
		__atomic_store_n(&page->state, PEER_BUSY, __ATOMIC_SEQ_CST);
		errno = 0;
		page->ret = page->fn(page->arg, page->buf);
		page->err = errno;
		__atomic_store_n(&page->state, PEER_IDLE, __ATOMIC_SEQ_CST);
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

/* Return: 0, or -1 and EPIPE when the peer is dead. */
int peer_begin(struct peer *p, peer_fn fn, long a0, long a1, long a2, long a3, long a4)
{
	const long arg[6] = { a0, a1, a2, a3, a4, 0 };
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	char c = 0;
	bool ok;

	p->page->fn = fn;
	memcpy(p->page->arg, arg, sizeof(arg));
	__atomic_store_n(&p->page->state, PEER_TOLD, __ATOMIC_SEQ_CST);
	ok = write(p->cmd, &c, 1) == 1;
	signal(SIGPIPE, old);
	errno = ok ? 0 : EPIPE;
	return ok ? 0 : -1;
}

long peer_finish(struct peer *p)
{
	bool ok = read_byte(p->reply);

	errno = ok ? p->page->err : EPIPE;
	return ok ? p->page->ret : -1;
}

long peer_run(struct peer *p, peer_fn fn, long a0, long a1, long a2, long a3, long a4)
{
	return peer_begin(p, fn, a0, a1, a2, a3, a4) ? -1 : peer_finish(p);
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

static long do_semget(long *arg, void *buf)
{
	(void)buf;
	return ((const struct ipc *)arg[0])->semget(arg[1], arg[2], arg[3]);
}

int peer_semget(struct peer *p, const struct ipc *ipc, key_t key, int nsems, int flags)
{
	return peer_run(p, do_semget, (long)ipc, key, nsems, flags, 0);
}

/* The buffer: a time-out, then the operations. */
struct semop_args {
	struct timespec timeout;
	struct sembuf sops[];
};

static long do_semop(long *arg, void *buf)
{
	const struct ipc *ipc = (const struct ipc *)arg[0];
	struct semop_args *a = buf;

	if (arg[3])
		return ipc->semtimedop(arg[1], a->sops, arg[2], &a->timeout);
	return ipc->semop(arg[1], a->sops, arg[2]);
}

static int begin_semop(struct peer *p, const struct ipc *ipc, int id, const struct sembuf *sops,
		       size_t nsops, const struct timespec *timeout)
{
	struct semop_args *a = (struct semop_args *)p->page->buf;

	if (sizeof(*a) + nsops * sizeof(*sops) > PEER_BUF)
		return -1;
	if (timeout)
		a->timeout = *timeout;
	memcpy(a->sops, sops, nsops * sizeof(*sops));
	return peer_begin(p, do_semop, (long)ipc, id, nsops, !!timeout, 0);
}

int peer_semop(struct peer *p, const struct ipc *ipc, int id, const struct sembuf *sops,
	       size_t nsops)
{
	return begin_semop(p, ipc, id, sops, nsops, NULL) ? -1 : peer_finish(p);
}

int peer_semop1(struct peer *p, const struct ipc *ipc, int id, int num, int op, int flags)
{
	const struct sembuf sop = { num, op, flags };

	return peer_semop(p, ipc, id, &sop, 1);
}

int peer_block(struct peer *p, const struct ipc *ipc, int id, const struct sembuf *sops,
	       size_t nsops)
{
	return peer_block_timed(p, ipc, id, sops, nsops, NULL);
}

int peer_block1(struct peer *p, const struct ipc *ipc, int id, int num, int op, int flags)
{
	const struct sembuf sop = { num, op, flags };

	return peer_block(p, ipc, id, &sop, 1);
}

int peer_block_timed(struct peer *p, const struct ipc *ipc, int id, const struct sembuf *sops,
		     size_t nsops, const struct timespec *timeout)
{
	return begin_semop(p, ipc, id, sops, nsops, timeout) || peer_asleep(p) ? -1 : 0;
}

static long do_semctl(long *arg, void *buf)
{
	union semun u = { .val = arg[4] };

	(void)buf;
	return ((const struct ipc *)arg[0])->semctl(arg[1], arg[2], arg[3], u);
}

int peer_semctl(struct peer *p, const struct ipc *ipc, int id, int num, int cmd, int val)
{
	return peer_run(p, do_semctl, (long)ipc, id, num, cmd, val);
}

static long do_sem_ds(long *arg, void *buf)
{
	union semun u = { .buf = buf };

	return ((const struct ipc *)arg[0])->semctl(arg[1], 0, arg[2], u);
}

int peer_sem_stat(struct peer *p, const struct ipc *ipc, int id, struct semid_ds *ds)
{
	int ret;

	memset(p->page->buf, POISON, sizeof(*ds));
	ret = peer_run(p, do_sem_ds, (long)ipc, id, IPC_STAT, 0, 0);
	memcpy(ds, p->page->buf, sizeof(*ds));
	return ret;
}

int peer_sem_set(struct peer *p, const struct ipc *ipc, int id, const struct semid_ds *ds)
{
	memcpy(p->page->buf, ds, sizeof(*ds));
	return peer_run(p, do_sem_ds, (long)ipc, id, IPC_SET, 0, 0);
}

static long do_msgget(long *arg, void *buf)
{
	(void)buf;
	return ((const struct ipc *)arg[0])->msgget(arg[1], arg[2]);
}

int peer_msgget(struct peer *p, const struct ipc *ipc, key_t key, int flags)
{
	return peer_run(p, do_msgget, (long)ipc, key, flags, 0, 0);
}

static long do_send(long *arg, void *buf)
{
	(void)buf;
	return msg_send((const struct ipc *)arg[0], arg[1], arg[2], arg[3], arg[4]);
}

static long do_send_bytes(long *arg, void *buf)
{
	(void)buf;
	return msg_send_bytes((const struct ipc *)arg[0], arg[1], arg[2], arg[3], arg[4]);
}

static long do_receive(long *arg, void *buf)
{
	(void)buf;
	return msg_receive((const struct ipc *)arg[0], arg[1], arg[2], arg[3]);
}

static long do_receive_bytes(long *arg, void *buf)
{
	(void)buf;
	return msg_receive_bytes((const struct ipc *)arg[0], arg[1], arg[2], arg[3], arg[4]);
}

int peer_send(struct peer *p, const struct ipc *ipc, int id, long type, int value, int flags)
{
	return peer_run(p, do_send, (long)ipc, id, type, value, flags);
}

int peer_send_bytes(struct peer *p, const struct ipc *ipc, int id, long type, size_t size,
		    int flags)
{
	return peer_run(p, do_send_bytes, (long)ipc, id, type, size, flags);
}

int peer_receive(struct peer *p, const struct ipc *ipc, int id, long type, int flags)
{
	return peer_run(p, do_receive, (long)ipc, id, type, flags, 0);
}

int peer_receive_bytes(struct peer *p, const struct ipc *ipc, int id, size_t size, long type,
		       int flags)
{
	return peer_run(p, do_receive_bytes, (long)ipc, id, size, type, flags);
}

int peer_block_send(struct peer *p, const struct ipc *ipc, int id, long type, int value)
{
	return peer_begin(p, do_send, (long)ipc, id, type, value, 0) || peer_asleep(p) ? -1 : 0;
}

int peer_block_send_bytes(struct peer *p, const struct ipc *ipc, int id, long type, size_t size)
{
	return peer_begin(p, do_send_bytes, (long)ipc, id, type, size, 0) || peer_asleep(p) ? -1 : 0;
}

int peer_block_receive(struct peer *p, const struct ipc *ipc, int id, long type, int flags)
{
	return peer_begin(p, do_receive, (long)ipc, id, type, flags, 0) || peer_asleep(p) ? -1 : 0;
}

int peer_block_receive_bytes(struct peer *p, const struct ipc *ipc, int id, size_t size, long type,
			     int flags)
{
	return peer_begin(p, do_receive_bytes, (long)ipc, id, size, type, flags) ||
	       peer_asleep(p) ? -1 : 0;
}

static long do_msgctl(long *arg, void *buf)
{
	return ((const struct ipc *)arg[0])->msgctl(arg[1], arg[2], arg[3] ? buf : NULL);
}

int peer_msgctl(struct peer *p, const struct ipc *ipc, int id, int cmd, struct msqid_ds *ds)
{
	int ret;

	if (ds)
		memcpy(p->page->buf, ds, sizeof(*ds));
	ret = peer_run(p, do_msgctl, (long)ipc, id, cmd, !!ds, 0);
	if (ds)
		memcpy(ds, p->page->buf, sizeof(*ds));
	return ret;
}

static void handler(int sig)
{
	(void)sig;
}

static long do_catch(long *arg, void *buf)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = arg[1] };

	(void)buf;
	if (arg[1] == -1)
		return signal(arg[0], SIG_IGN) == SIG_ERR ? -1 : 0;
	return sigaction(arg[0], &sa, NULL);
}

int peer_catch(struct peer *p, int sig, int flags)
{
	return peer_run(p, do_catch, sig, flags, 0, 0, 0);
}

static long do_mask(long *arg, void *buf)
{
	sigset_t set;

	(void)buf;
	sigemptyset(&set);
	sigaddset(&set, arg[0]);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

int peer_mask(struct peer *p, int sig)
{
	return peer_run(p, do_mask, sig, 0, 0, 0, 0);
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

pid_t stopped_child(int (*fn)(void *arg), void *arg)
{
	int status, ret;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ret = fn(arg);
		if (!ret)
			raise(SIGSTOP);
		_exit(ret);
	}
	return pid > 0 && waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) ? pid : -1;
}

struct held {
	int sem, num;
};

static int do_hold(void *arg)
{
	const struct held *held = arg;

	return semop1(&ipc_kipc, held->sem, held->num, -1, SEM_UNDO) ? 1 : 0;
}

pid_t holder(int sem, int num)
{
	return stopped_child(do_hold, &(struct held){ sem, num });
}

int kill_child(pid_t pid)
{
	return kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}

int go_first(void)
{
	const struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	return sched_setaffinity(0, sizeof(cpu), &cpu) ||
	       sched_setscheduler(0, SCHED_FIFO, &param) ? -1 : 0;
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

char task_state(pid_t tid)
{
	char path[64], buf[512], *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	p = strrchr(buf, ')');
	return p ? p[2] : 0;
}

/* Return: 0, or -1 when the thread is gone. */
int wait_asleep(pid_t tid)
{
	for (;;) {
		char state = task_state(tid);

		if (!state)
			return -1;
		if (state == 'S' || state == 'D')
			return 0;
		wait_a_little();
	}
}

/*
 * S only: in D it waits for a lock or for memory, on its way.  And off the processor: it
 * has that state also while it only looks whether it has to sleep.
 */
bool task_asleep(pid_t tid)
{
	char path[64], c = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Without the right to trace it the state has to do. */
	if (fd >= 0) {
		if (read(fd, &c, 1) != 1)
			c = 0;
		close(fd);
	}
	return c != 'r' && task_state(tid) == 'S';
}

/*
 * Whoever wakes it has done so before its own call returns, so what is seen asleep
 * afterwards was not woken.
 */
int peer_asleep(struct peer *p)
{
	for (;;) {
		enum peer_state before = __atomic_load_n(&p->page->state, __ATOMIC_SEQ_CST);
		bool asleep = task_asleep(p->pid);
		enum peer_state after = __atomic_load_n(&p->page->state, __ATOMIC_SEQ_CST);
		char task = task_state(p->pid);

		if (after == PEER_IDLE || !task || task == 'Z' || task == 'X')
			return -1;
		/* Within the call all the while; else it slept waiting to be told. */
		if (before == PEER_BUSY && asleep)
			return 0;
		wait_a_little();
	}
}

long peer_woken(struct peer *p)
{
	if (!peer_asleep(p)) {
		errno = EINPROGRESS;
		return -1;
	}
	return peer_finish(p);
}

/* ---- Descriptors ---- */

int send_fd(int to, int fd)
{
	char buf[CMSG_SPACE(sizeof(fd))] = {}, c = 0;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = buf,
			      .msg_controllen = sizeof(buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(to, &msg, 0) == 1 ? 0 : -1;
}

int receive_fd(int from)
{
	char buf[CMSG_SPACE(sizeof(int))], c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = buf,
			      .msg_controllen = sizeof(buf) };
	int fd = -1;

	if (recvmsg(from, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

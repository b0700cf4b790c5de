// SPDX-License-Identifier: GPL-2.0
/*
 * Processes at the same semaphores at once, some of them killed or stopped at whatever
 * point they are.  Bounded by rounds; what is checked is what must hold whatever the
 * interleaving: who is inside alone, sums, and that with SEM_UNDO all values are in the
 * end what they were, with nobody left waiting.
 */
#include "common/harness.h"
#include "common/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NW	IPC_NOWAIT
#define UNDO	SEM_UNDO
#define MOST	8		/* processes */
#define SEMAPHORES	6

/* Shared by all processes of a test. */
struct arena {
	const struct ipc *ipc;
	int id;
	unsigned int rounds;
	/* Who is inside, by semaphore; written by whoever holds it alone. */
	volatile long inside[SEMAPHORES];
	volatile long count[SEMAPHORES];
	unsigned long entered, interrupted;
	int failed;		/* a line number */
	int err;
};

FIXTURE(stress) {
	struct arena *a;
	pid_t pid[MOST];
};
FIXTURE_VARIANT(stress) { const struct ipc *ipc; };
FIXTURE_VARIANT_ADD(stress, native) { .ipc = &ipc_native };
FIXTURE_VARIANT_ADD(stress, kipc) { .ipc = &ipc_kipc };

FIXTURE_SETUP(stress)
{
	skip_unless_wanted(variant->ipc->name);
	ASSERT_EQ(0, unshare(CLONE_NEWIPC));
	EXPECT_NOTHING(variant->ipc);
	self->a = mmap(NULL, sizeof(*self->a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT_NE(MAP_FAILED, self->a);
	self->a->ipc = variant->ipc;
}

FIXTURE_TEARDOWN(stress)
{
	struct arena *a = self->a;

	EXPECT_EQ(0, a->failed)
		TH_LOG("%s:%d: errno %d (%s)", __FILE__, a->failed, a->err, strerror(a->err));
	if (sem_val(a->ipc, a->id, 0) >= 0)
		EXPECT_EQ(0, sem_rmid(a->ipc, a->id));
	EXPECT_NOTHING(a->ipc);
	if (variant->ipc == &ipc_kipc)
		EXPECT_NOTHING(&ipc_native);
}

#define CHECK(a, cond) do { \
	if (!(cond) && !(a)->failed) { \
		(a)->err = errno; \
		(a)->failed = __LINE__; \
	} \
} while (0)

/* Values, and nobody waiting. */
static void expect_quiet(struct __test_metadata *_metadata, struct arena *a,
			 const unsigned short *want, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		EXPECT_EQ(want[i], sem_val(a->ipc, a->id, i))
			TH_LOG("semaphore %d", i);
		EXPECT_EQ(0, sem_ncnt(a->ipc, a->id, i));
		EXPECT_EQ(0, sem_zcnt(a->ipc, a->id, i));
	}
}

typedef void (*work)(struct arena *a, unsigned int seed);

static pid_t start(struct arena *a, work fn, unsigned int seed)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(a, seed);
		_exit(0);
	}
	return pid;
}

/* Start, let them end by themselves. */
static void run(struct __test_metadata *_metadata, struct arena *a, work fn, int n)
{
	pid_t pid[MOST];
	int i, status;

	for (i = 0; i < n; i++) {
		pid[i] = start(a, fn, i + 1);
		ASSERT_LE(0, pid[i]);
	}
	for (i = 0; i < n; i++) {
		ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

/* ---- Nobody dies ---- */

/* Alone inside: a number that is not atomically counted comes out right. */
static void count_inside(struct arena *a, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < a->rounds; i++) {
		int undo = rand_r(&seed) % 2 ? UNDO : 0, s = rand_r(&seed) % 2, k;
		long me = getpid();

		CHECK(a, !semop1(a->ipc, a->id, s, -1, undo));
		a->inside[s] = me;
		a->count[s]++;
		for (k = rand_r(&seed) % 50; k; k--)
			CHECK(a, a->inside[s] == me);
		CHECK(a, !semop1(a->ipc, a->id, s, 1, undo));
	}
}

TEST_F_TIMEOUT(stress, counting, 200)
{
	static const unsigned short one[2] = { 1, 1 };
	struct arena *a = self->a;
	int n;

	a->id = sem_new(a->ipc, 2, one, 0600);
	a->rounds = 500;
	for (n = 2; n <= MOST; n += 3) {
		a->count[0] = a->count[1] = 0;
		run(_metadata, a, count_inside, n);
		EXPECT_EQ(n * (long)a->rounds, a->count[0] + a->count[1]);
		expect_quiet(_metadata, a, one, 2);
	}
}

/* Two forks at a time, by one call: no deadlock, nobody eats with another's fork. */
static void dine(struct arena *a, unsigned int seed)
{
	int left = seed % 5, right = (seed + 1) % 5;
	unsigned int i;

	for (i = 0; i < a->rounds; i++) {
		int undo = rand_r(&seed) % 3 ? UNDO : 0;
		long me = getpid();

		CHECK(a, !a->ipc->semop(a->id, SOPS({ left, -1, undo }, { right, -1, undo })));
		a->inside[left] = a->inside[right] = me;
		a->count[left]++;
		a->count[right]++;
		CHECK(a, a->inside[left] == me && a->inside[right] == me);
		/* Back together, or one by one. */
		if (rand_r(&seed) % 2) {
			CHECK(a, !a->ipc->semop(a->id, SOPS({ right, 1, undo }, { left, 1, undo })));
		} else {
			CHECK(a, !semop1(a->ipc, a->id, left, 1, undo));
			CHECK(a, !semop1(a->ipc, a->id, right, 1, undo));
		}
	}
}

TEST_F_TIMEOUT(stress, dining, 200)
{
	static const unsigned short forks[5] = { 1, 1, 1, 1, 1 };
	struct arena *a = self->a;
	int i;

	a->id = sem_new(a->ipc, 5, forks, 0600);
	a->rounds = 1000;
	run(_metadata, a, dine, 5);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(2 * (long)a->rounds, a->count[i]);
	expect_quiet(_metadata, a, forks, 5);
}

/* A buffer of five places: 0 counts the empty ones, 1 the full ones, 2 is for one at a time. */
static void produce_and_consume(struct arena *a, unsigned int seed)
{
	bool producer = seed % 2;
	unsigned int i;

	for (i = 0; i < a->rounds; i++) {
		CHECK(a, !a->ipc->semop(a->id, SOPS({ producer ? 0 : 1, -1, 0 }, { 2, -1, UNDO })));
		a->count[0] += producer ? 1 : -1;
		CHECK(a, a->count[0] >= 0 && a->count[0] <= 5);
		CHECK(a, !a->ipc->semop(a->id, SOPS({ 2, 1, UNDO }, { producer ? 1 : 0, 1, 0 })));
	}
}

TEST_F_TIMEOUT(stress, bounded_buffer, 200)
{
	static const unsigned short empty[3] = { 5, 0, 1 };
	struct arena *a = self->a;

	a->id = sem_new(a->ipc, 3, empty, 0600);
	a->rounds = 300;
	run(_metadata, a, produce_and_consume, 6);
	EXPECT_EQ(0, a->count[0]);
	expect_quiet(_metadata, a, empty, 3);
}

/* All wait for zero, the last one to come opens the gate: rounds never overlap. */
static void meet(struct arena *a, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < a->rounds; i++) {
		int here = i % 2, n = 4;

		__atomic_add_fetch(&a->count[here], 1, __ATOMIC_SEQ_CST);
		CHECK(a, !semop1(a->ipc, a->id, here, -1, 0));
		CHECK(a, !semop1(a->ipc, a->id, here, 0, 0));
		CHECK(a, a->count[here] % n == 0);
		/* One of them readies the other gate's successor. */
		if (seed == 1) {
			CHECK(a, !semop1(a->ipc, a->id, 2 + here, n - 1, 0));
			CHECK(a, !semop1(a->ipc, a->id, 2 + here, 0, 0));
			CHECK(a, !semop1(a->ipc, a->id, here, n, 0));
		} else {
			CHECK(a, !semop1(a->ipc, a->id, 2 + here, -1, 0));
			/* Not past the gate before it is closed again. */
			CHECK(a, !a->ipc->semop(a->id, SOPS({ here, -1, 0 }, { here, 1, 0 })));
		}
	}
}

TEST_F_TIMEOUT(stress, barrier, 200)
{
	static const unsigned short gates[4] = { 4, 4, 0, 0 };
	struct arena *a = self->a;

	a->id = sem_new(a->ipc, 4, gates, 0600);
	a->rounds = 150;
	run(_metadata, a, meet, 4);
	expect_quiet(_metadata, a, gates, 4);
}

/* What leaves one semaphore arrives at another, and nobody sees it on its way. */
static void transfer(struct arena *a, unsigned int seed)
{
	unsigned short v[SEMAPHORES];
	unsigned int i, sum, k;

	for (i = 0; i < a->rounds; i++) {
		int from = rand_r(&seed) % SEMAPHORES, to = rand_r(&seed) % SEMAPHORES;
		int n = 1 + rand_r(&seed) % 30;

		if (a->ipc->semop(a->id, SOPS({ from, -n, NW }, { to, n, 0 })))
			CHECK(a, errno == EAGAIN);
		if (i % 4)
			continue;
		CHECK(a, !sem_getall(a->ipc, a->id, v));
		for (sum = 0, k = 0; k < SEMAPHORES; k++)
			sum += v[k];
		CHECK(a, sum == 600);
	}
}

TEST_F_TIMEOUT(stress, transfers, 200)
{
	static const unsigned short even[SEMAPHORES] = { 100, 100, 100, 100, 100, 100 };
	struct arena *a = self->a;
	int i, sum = 0;

	a->id = sem_new(a->ipc, SEMAPHORES, even, 0600);
	a->rounds = 2000;
	run(_metadata, a, transfer, 8);
	for (i = 0; i < SEMAPHORES; i++)
		sum += sem_val(a->ipc, a->id, i);
	EXPECT_EQ(600, sum);
}

#define MANY	256

/* All values are set, and looked at, at one point of time; the last is anybody's. */
static void set_or_look(struct arena *a, unsigned int seed)
{
	unsigned short v[MANY + 1];
	unsigned int i, k;

	for (i = 0; i < a->rounds; i++) {
		if (seed % 2) {
			for (k = 0; k <= MANY; k++)
				v[k] = i + seed;
			CHECK(a, !sem_setall(a->ipc, a->id, v));
			continue;
		}
		CHECK(a, !sem_getall(a->ipc, a->id, v));
		for (k = 1; k < MANY; k++)
			CHECK(a, v[k] == v[0]);
	}
}

TEST_F_TIMEOUT(stress, all_at_once, 200)
{
	static const unsigned short none[MANY + 1];
	struct arena *a = self->a;

	a->id = sem_new(a->ipc, MANY + 1, none, 0600);
	a->rounds = 4000;
	run(_metadata, a, set_or_look, 2);
}

/* The library maps a set that somebody operates on again and again. */
static void operate_set_or_look(struct arena *a, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		semop1(a->ipc, a->id, MANY, 1, NW);
		semop1(a->ipc, a->id, MANY, -1, NW);
	}
	set_or_look(a, seed);
}

TEST_F_TIMEOUT(stress, all_at_once_mapped, 200)
{
	static const unsigned short none[MANY + 1];
	struct arena *a = self->a;

	a->id = sem_new(a->ipc, MANY + 1, none, 0600);
	a->rounds = 4000;
	run(_metadata, a, operate_set_or_look, 2);
}

/* ---- Somebody dies ---- */

/* Take one, alone or with another, be inside for a while, give back in some way. */
static const unsigned short initial[SEMAPHORES] = { 1, 1, 1, 2, 3, 0 };

static void hold(struct arena *a, unsigned int *seed)
{
	const struct timespec short_time = { .tv_nsec = 1 + rand_r(seed) % 3000000 };
	int s = rand_r(seed) % 5, t = (s + 1 + rand_r(seed) % 4) % 5, ret, k;
	bool both = rand_r(seed) % 3 == 0;
	long me = (long)pthread_self() ^ getpid();

	switch (rand_r(seed) % 8) {
	case 0:
		/* Somebody waits for zero now and then, to be in the way. */
		a->ipc->semtimedop(a->id, SOPS({ s, 0, UNDO }, { 5, 0, 0 }), &short_time);
		return;
	case 1:
		ret = a->ipc->semtimedop(a->id, SOPS({ s, -1, UNDO }, { t, -1, UNDO }), &short_time);
		both = true;
		break;
	case 2:
		ret = semop1(a->ipc, a->id, s, -1, UNDO | NW);
		both = false;
		break;
	default:
		if (both)
			ret = a->ipc->semop(a->id, SOPS({ s, -1, UNDO }, { t, -1, UNDO }));
		else
			ret = semop1(a->ipc, a->id, s, -1, UNDO);
	}
	if (ret) {
		CHECK(a, errno == EAGAIN || errno == EINTR);
		if (errno == EINTR)
			a->interrupted++;
		return;
	}
	a->inside[s] = me;
	if (both)
		a->inside[t] = me;
	a->entered++;
	for (k = rand_r(seed) % 300; k; k--) {
		CHECK(a, s > 2 || a->inside[s] == me);
		CHECK(a, !both || t > 2 || a->inside[t] == me);
	}
	/* Never again of what it has not: the others must go on whatever becomes of it. */
	if (both && rand_r(seed) % 2) {
		do
			ret = a->ipc->semop(a->id, SOPS({ t, 1, UNDO }, { s, 1, UNDO }));
		while (ret && errno == EINTR);
		CHECK(a, !ret);
		return;
	}
	CHECK(a, !semop1(a->ipc, a->id, s, 1, UNDO));
	if (both)
		CHECK(a, !semop1(a->ipc, a->id, t, 1, UNDO));
}

static void hold_for_ever(struct arena *a, unsigned int seed)
{
	while (!a->failed)
		hold(a, &seed);
}

/* Threads at it, too: three, and the leader, which goes after a while. */
struct thread {
	struct arena *a;
	unsigned int seed;
};

static void *hold_in_thread(void *arg)
{
	struct thread *t = arg;

	hold_for_ever(t->a, t->seed);
	return NULL;
}

static void hold_by_threads(struct arena *a, unsigned int seed)
{
	static struct thread t[3];
	pthread_t id;
	int i;

	for (i = 0; i < 3; i++) {
		t[i] = (struct thread){ a, rand_r(&seed) };
		if (pthread_create(&id, NULL, hold_in_thread, &t[i]))
			_exit(1);
	}
	if (seed % 2)
		hold_for_ever(a, seed);
	for (i = rand_r(&seed) % 20; i; i--)
		hold(a, &seed);
	/* Some end all, some only themselves. */
	if (seed % 4)
		pthread_exit(NULL);
	_exit(0);
}

static void a_while(unsigned int *seed)
{
	struct timespec t = { .tv_nsec = rand_r(seed) % 1500000 };

	/* Where it hits is a matter of chance; often at once, on its first steps. */
	if (rand_r(seed) % 4)
		nanosleep(&t, NULL);
}

static void kill_at_random(struct __test_metadata *_metadata, struct arena *a, work fn,
			   int processes, unsigned int kills)
{
	static const int signals[] = { SIGKILL, SIGKILL, SIGKILL, SIGTERM, SIGSEGV };
	unsigned int seed = 1009, k, phase = 0;
	pid_t pid[MOST];
	int i, status;

	for (k = 0; k < kills && !a->failed; phase++) {
		unsigned long before = a->entered;

		for (i = 0; i < processes; i++) {
			pid[i] = start(a, fn, rand_r(&seed));
			ASSERT_LE(0, pid[i]);
		}
		for (; k % 100 != 99 && !a->failed; k++) {
			i = rand_r(&seed) % processes;
			a_while(&seed);
			switch (rand_r(&seed) % 6) {
			case 0:
				/* Stopped wherever it is, and goes on. */
				kill(pid[i], SIGSTOP);
				a_while(&seed);
				kill(pid[i], SIGCONT);
				break;
			case 1:
				/* Stopped, and killed as it stands. */
				kill(pid[i], SIGSTOP);
				a_while(&seed);
				/* fallthrough */
			default:
				kill(pid[i], signals[rand_r(&seed) % 5]);
				kill(pid[i], SIGCONT);
				ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
				pid[i] = start(a, fn, rand_r(&seed));
				ASSERT_LE(0, pid[i]);
			}
		}
		k++;
		/* All dead: as it was at the beginning. */
		wait_until(a->failed || a->entered > before + 20);
		for (i = 0; i < processes; i++)
			kill(pid[i], SIGKILL);
		for (i = 0; i < processes; i++)
			ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		expect_quiet(_metadata, a, initial, SEMAPHORES);
	}
	ASSERT_EQ(0, a->failed);
}

static const struct rlimit no_core;

TEST_F_TIMEOUT(stress, two_killed, 200)
{
	struct arena *a = self->a;

	a->id = sem_new(a->ipc, SEMAPHORES, initial, 0600);
	setrlimit(RLIMIT_CORE, &no_core);
	kill_at_random(_metadata, a, hold_for_ever, 2, 400);
}

TEST_F_TIMEOUT(stress, eight_killed, 200)
{
	struct arena *a = self->a;

	a->id = sem_new(a->ipc, SEMAPHORES, initial, 0600);
	setrlimit(RLIMIT_CORE, &no_core);
	kill_at_random(_metadata, a, hold_for_ever, 8, 600);
}

TEST_F_TIMEOUT(stress, threads_killed, 200)
{
	struct arena *a = self->a;

	a->id = sem_new(a->ipc, SEMAPHORES, initial, 0600);
	setrlimit(RLIMIT_CORE, &no_core);
	kill_at_random(_metadata, a, hold_by_threads, 4, 200);
}

/* Hundreds of holders, all dead at one blow, with others waiting. */
TEST_F_TIMEOUT(stress, massacre, 200)
{
	enum { N = 200 };
	struct arena *a = self->a;
	int round, i, status;
	pid_t pid[N], group;
	struct peer p;

	a->id = sem_new(a->ipc, SEMS(3 * N, 0, 0), 0600);
	ASSERT_LE(0, a->id);
	for (round = 0; round < 4; round++) {
		group = 0;
		ASSERT_EQ(0, peer_start(&p));
		for (i = 0; i < N; i++) {
			pid[i] = fork();
			ASSERT_LE(0, pid[i]);
			if (!pid[i]) {
				setpgid(0, group);
				a->ipc->semop(a->id, SOPS({ 0, -3, UNDO }, { 1, 1, UNDO }));
				semop1(a->ipc, a->id, 2, -1, UNDO);
				_exit(1);
			}
			setpgid(pid[i], group);
			if (!group)
				group = pid[i];
		}
		wait_until(sem_ncnt(a->ipc, a->id, 2) == N);
		EXPECT_EQ(0, sem_val(a->ipc, a->id, 0));
		EXPECT_EQ(N, sem_val(a->ipc, a->id, 1));
		ASSERT_EQ(0, peer_block(&p, a->ipc, a->id, SOPS({ 0, -3 * N, 0 }, { 1, 0, 0 })));
		ASSERT_EQ(0, kill(-group, SIGKILL));
		for (i = 0; i < N; i++)
			ASSERT_EQ(pid[i], waitpid(pid[i], &status, 0));
		EXPECT_EQ(0, peer_finish(&p));
		EXPECT_EQ(0, sem_val(a->ipc, a->id, 0));
		EXPECT_EQ(0, sem_ncnt(a->ipc, a->id, 0));
		EXPECT_EQ(0, sem_ncnt(a->ipc, a->id, 2));
		peer_end(&p, 0);
		ASSERT_EQ(0, semop1(a->ipc, a->id, 0, 3 * N, 0));
	}
}

/* ---- The set changes under them ---- */

/* Every call there is, on a set that is reset, removed and made anew all the time. */
static void anything(struct arena *a, unsigned int seed)
{
	unsigned short v[SEMAPHORES];
	struct semid_ds ds;
	unsigned int i;

	for (i = 0; i < a->rounds; i++) {
		const struct timespec t = { .tv_nsec = rand_r(&seed) % 500000 };
		int id = a->ipc->semget(1, SEMAPHORES, IPC_CREAT | 0600), ret = 0, k;
		int s = rand_r(&seed) % SEMAPHORES, u = rand_r(&seed) % 2 ? UNDO : 0;

		CHECK(a, id >= 0);
		switch (rand_r(&seed) % 12) {
		case 0:
			ret = sem_setval(a->ipc, id, s, rand_r(&seed) % 3);
			break;
		case 1:
			for (k = 0; k < SEMAPHORES; k++)
				v[k] = rand_r(&seed) % 3;
			ret = sem_setall(a->ipc, id, v);
			break;
		case 2:
			ret = rand_r(&seed) % 8 ? 0 : sem_rmid(a->ipc, id);
			break;
		case 3:
			ret = sem_getall(a->ipc, id, v);
			for (k = 0; !ret && k < SEMAPHORES; k++)
				CHECK(a, v[k] <= SEMVMX);
			break;
		case 4:
			ret = sem_stat(a->ipc, id, &ds);
			if (!ret)
				ret = a->ipc->semctl(id, 0, IPC_SET, (union semun){ .buf = &ds });
			break;
		case 5:
			ret = sem_ncnt(a->ipc, id, s) + sem_zcnt(a->ipc, id, s);
			CHECK(a, ret <= 2 * MOST);
			ret = ret < 0 ? -1 : 0;
			break;
		case 6:
		case 7:
			ret = a->ipc->semtimedop(id, SOPS({ s, -1, u }, { (s + 1) % SEMAPHORES, 1, u }),
						 &t);
			break;
		case 8:
			ret = a->ipc->semtimedop(id, SOPS({ s, 0, u }), &t);
			break;
		default:
			ret = a->ipc->semtimedop(id, SOPS({ s, rand_r(&seed) % 2 ? 1 : -1, u }), &t);
		}
		/* EINTR: natively a time-out that meets the removal. */
		CHECK(a, !ret || errno == EAGAIN || errno == EINVAL || errno == EIDRM ||
			 errno == ERANGE || errno == EINTR);
	}
}

TEST_F_TIMEOUT(stress, everything, 200)
{
	struct arena *a = self->a;
	int id;

	a->rounds = 1000;
	a->id = -1;
	run(_metadata, a, anything, 8);
	id = a->ipc->semget(1, 0, 0);
	if (id >= 0)
		EXPECT_EQ(0, sem_rmid(a->ipc, id));
}

/* The same by those who are killed. */
static void anything_for_ever(struct arena *a, unsigned int seed)
{
	a->entered += 100;
	while (!a->failed)
		anything(a, rand_r(&seed));
}

TEST_F_TIMEOUT(stress, everything_killed, 200)
{
	struct arena *a = self->a;
	unsigned int seed = 77, k;
	pid_t pid[4];
	int i, id;

	a->rounds = 50;
	a->id = -1;
	for (i = 0; i < 4; i++)
		pid[i] = start(a, anything_for_ever, i);
	for (k = 0; k < 200 && !a->failed; k++) {
		i = rand_r(&seed) % 4;
		a_while(&seed);
		ASSERT_EQ(0, kill(pid[i], SIGKILL));
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
		pid[i] = start(a, anything_for_ever, rand_r(&seed));
		ASSERT_LE(0, pid[i]);
	}
	for (i = 0; i < 4; i++) {
		kill(pid[i], SIGKILL);
		ASSERT_EQ(pid[i], waitpid(pid[i], NULL, 0));
	}
	id = a->ipc->semget(1, 0, 0);
	if (id < 0)
		return;
	for (i = 0; i < SEMAPHORES; i++) {
		EXPECT_EQ(0, sem_ncnt(a->ipc, id, i));
		EXPECT_EQ(0, sem_zcnt(a->ipc, id, i));
	}
	EXPECT_EQ(0, sem_rmid(a->ipc, id));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * POSIX semaphores: sem_open(3) and what is done with what it returns.
 *
 * A semaphore is a word in a page of its own, mapped into an area that is reserved for
 * semaphores, so that its address tells whose it is.  While the kernel does not have the
 * word it is changed by compare and swap; <linux/kipc.h> tells its bits.  Children inherit
 * the mappings, and this library's memory of them.
 *
 * Level 3.
 */
#undef _TIME_BITS	/* both kinds of time_t have names of their own here */

#include "posix_sem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "name.h"
#include "sys.h"

/*
 * All code that touches a semaphore's page is in this section and calls nothing outside:
 * what a test steps through.
 */
#define KIPC_FAST_POSIX	__attribute__((section("kipc_posix_text"), noinline))

/* The name of the C library's file has "sem." before it. */
#define NAME_LENGTH_MAX	(NAME_MAX - 4)

#ifdef __LP64__
#define SLOTS		65536u
#define SLOTS_FEW	256u
#else
#define SLOTS		1024u
#define SLOTS_FEW	256u
#endif

/* A page of the area; no reference: nothing is mapped there. */
struct slot {
	uint64_t serial;
	unsigned int refs;
};

/* At first an address that no semaphore is behind: a thread may see the room before it. */
#ifdef __LP64__
uintptr_t kipc_posix_sem_area = UINTPTR_MAX / 2 + 1;
#else
uintptr_t kipc_posix_sem_area = UINTPTR_MAX - 4095;
#endif
uintptr_t kipc_posix_sem_room;

/* Protects what follows, and the area's extent. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS];
static unsigned int slots_used;		/* none at or above it is used */
static size_t page;

/* ---- The word ---- */

static inline uint32_t *word_of(sem_t *sem)
{
	return (uint32_t *)(void *)sem;
}

/* Each returns 0, or 1: it is for the kernel. */

static KIPC_FAST_POSIX int fast_post(sem_t *sem)
{
	uint32_t word = __atomic_load_n(word_of(sem), __ATOMIC_RELAXED);

	/* One that is HELD is larger too. */
	while (word < KIPC_POSIX_SEM_VALUE)
		if (likely(__atomic_compare_exchange_n(word_of(sem), &word, word + 1, true,
						       __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
			return 0;
	return 1;
}

static KIPC_FAST_POSIX int fast_take(sem_t *sem)
{
	uint32_t word = __atomic_load_n(word_of(sem), __ATOMIC_RELAXED);

	while (word && !(word & KIPC_POSIX_SEM_HELD))
		if (likely(__atomic_compare_exchange_n(word_of(sem), &word, word - 1, true,
						       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
			return 0;
	return 1;
}

static KIPC_FAST_POSIX uint32_t fast_value(sem_t *sem)
{
	return __atomic_load_n(word_of(sem), __ATOMIC_RELAXED) & KIPC_POSIX_SEM_VALUE;
}

/* ---- The area ---- */

static int fail(int error)
{
	errno = error;
	return -1;
}

static void *reserve(void *at, size_t size)
{
	void *area = mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			  (at ? MAP_FIXED : 0), -1, 0);

	/* There is nothing in it that mlockall(2) could mean. */
	if (area != MAP_FAILED)
		munlock(area, size);
	return area;
}

static int reserve_area(void)
{
	/* Addresses are the program's too where it has few, or has all that it maps locked. */
	static const unsigned int sizes[] = { SLOTS, SLOTS_FEW, SLOTS_FEW / 16 };
	struct rlimit limit;
	unsigned int i;
	void *area;

	if (kipc_posix_sem_room)
		return 0;
	page = sysconf(_SC_PAGESIZE);
	i = !getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY;
	for (; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		area = reserve(NULL, sizes[i] * page);
		if (area == MAP_FAILED)
			continue;
		__atomic_store_n(&kipc_posix_sem_area, (uintptr_t)area, __ATOMIC_RELEASE);
		__atomic_store_n(&kipc_posix_sem_room, sizes[i] * page, __ATOMIC_RELEASE);
		return 0;
	}
	return fail(ENOMEM);
}

static sem_t *address_of(unsigned int slot)
{
	return (sem_t *)(kipc_posix_sem_area + slot * page);
}

/* Map what @fd stands for, unless it is mapped; the lock is held. */
static sem_t *map_locked(int fd, uint64_t serial)
{
	unsigned int i, free = slots_used;

	for (i = 0; i < slots_used; i++) {
		if (slots[i].refs && slots[i].serial == serial) {
			slots[i].refs++;
			return address_of(i);
		}
		if (!slots[i].refs && free == slots_used)
			free = i;
	}
	if (free * page >= kipc_posix_sem_room) {
		errno = ENOMEM;
		return SEM_FAILED;
	}
	if (mmap(address_of(free), page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return SEM_FAILED;
	slots[free] = (struct slot){ .serial = serial, .refs = 1 };
	if (free == slots_used)
		slots_used++;
	return address_of(free);
}

/* Is it mapped?  The lock is held. */
static bool find_locked(const sem_t *sem, unsigned int *slot)
{
	uintptr_t offset = (uintptr_t)sem - kipc_posix_sem_area;

	if (!kipc_is_posix_sem(sem) || offset % page)
		return false;
	*slot = offset / page;
	return *slot < slots_used && slots[*slot].refs;
}

/* ---- sem_open, sem_close, sem_unlink ---- */

/*
 * One that is there; if there is none and one may be made, a new one, so that it is known which
 * it is.  Another may make it meanwhile, or unlink it.
 */
static int open_or_make(struct kipc_name_open *open, int oflag, uint64_t *serial, bool *is_new)
{
	bool may_exist = (oflag & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	int fd;

	do {
		*is_new = false;
		open->flags = O_RDWR | O_CLOEXEC;
		if (may_exist) {
			fd = kipc_name_open(open, serial);
			if (fd >= 0 || errno != ENOENT || !(oflag & O_CREAT))
				return fd;
		}
		*is_new = true;
		open->flags |= O_CREAT | O_EXCL;
		fd = kipc_name_open(open, serial);
	} while (fd < 0 && errno == EEXIST && may_exist);
	return fd;
}

static void unlink_made(const char *text)
{
	int error = errno;

	kipc_name_unlink(KIPC_KIND_POSIX_SEM, text);
	errno = error;
}

static sem_t *open_by(const char *name, int oflag, mode_t mode, unsigned int value)
{
	struct kipc_name_open open = {
		.kind = KIPC_KIND_POSIX_SEM, .mode = mode, .size = value,
	};
	const char *text = kipc_name_text(name, NAME_LENGTH_MAX);
	sem_t *sem = SEM_FAILED;
	uint64_t serial;
	bool is_new;
	int fd;

	if (!text)
		return SEM_FAILED;
	open.name = (uintptr_t)text;
	pthread_mutex_lock(&lock);
	/* What can fail does so before there is a semaphore. */
	fd = reserve_area() < 0 ? -1 : open_or_make(&open, oflag, &serial, &is_new);
	if (fd >= 0) {
		sem = map_locked(fd, serial);
		/* One that this call has made is not to stay behind. */
		if (sem == SEM_FAILED && is_new)
			unlink_made(text);
		sys_close(fd);
	}
	pthread_mutex_unlock(&lock);
	return sem;
}

KIPC_PUBLIC sem_t *kipc_sem_open(const char *name, int oflag, ...)
{
	unsigned int value = 0;
	mode_t mode = 0;
	va_list ap;

	if (oflag & O_CREAT) {
		va_start(ap, oflag);
		mode = va_arg(ap, mode_t);
		value = va_arg(ap, unsigned int);
		va_end(ap);
	}
	return open_by(name, oflag, mode, value);
}

KIPC_PUBLIC int kipc_sem_close(sem_t *sem)
{
	unsigned int slot;
	int ret = 0;

	pthread_mutex_lock(&lock);
	if (!find_locked(sem, &slot))
		ret = fail(EINVAL);
	/* The area stays reserved. */
	else if (!--slots[slot].refs && reserve(address_of(slot), page) == MAP_FAILED)
		ret = -1;
	pthread_mutex_unlock(&lock);
	return ret;
}

KIPC_PUBLIC int kipc_sem_unlink(const char *name)
{
	const char *text = kipc_name_text(name, NAME_LENGTH_MAX);
	int ret;

	/* As the C library has it. */
	if (!text)
		return fail(errno == ENAMETOOLONG ? ENAMETOOLONG : ENOENT);
	ret = kipc_name_unlink(KIPC_KIND_POSIX_SEM, text);
	if (ret < 0 && errno == EPERM)
		errno = EACCES;
	return ret;
}

/* ---- Operations ---- */

static KIPC_SLOW int operate_slow(sem_t *sem, unsigned int op)
{
	int fd = kipc_process_device();
	long ret;

	if (!kipc_is_posix_sem(sem))
		return fail(EINVAL);
	while ((ret = sys_posix_sem_op(fd, sem, op)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return 0;
}

int kipc_sem_wait_called(sem_t *sem)
{
	return operate_slow(sem, KIPC_POSIX_SEM_WAIT);
}

int kipc_sem_wait_told(struct kipc_posix_sem_op *op, sem_t *sem, clockid_t clock,
		       const struct kipc_timespec64 *timeout)
{
	static const struct kipc_timespec64 beginning;
	int fd = kipc_process_device();
	long ret;

	*op = (struct kipc_posix_sem_op){ .addr = (uintptr_t)sem, .op = KIPC_POSIX_SEM_WAIT };
	if (timeout) {
		/* What is before all time is over, but the kernel would not take it for a time. */
		op->timeout = (uintptr_t)(timeout->tv_sec < 0 ? &beginning : timeout);
		op->flags = KIPC_TIMEOUT_ABSOLUTE;
		op->clock = clock;
	}
	while ((ret = sys_posix_sem_wait(fd, op)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return 0;
}

bool kipc_sem_is_time(clockid_t clock, const struct kipc_timespec64 *timeout)
{
	return (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) && timeout->tv_nsec >= 0 &&
	       timeout->tv_nsec < 1000000000;
}

bool kipc_sem_try(sem_t *sem)
{
	return !fast_take(sem);
}

KIPC_PUBLIC int kipc_sem_post(sem_t *sem)
{
	if (likely(kipc_is_posix_sem(sem) && !fast_post(sem)))
		return 0;
	return operate_slow(sem, KIPC_POSIX_SEM_POST);
}

KIPC_PUBLIC int kipc_sem_wait(sem_t *sem)
{
	if (likely(kipc_is_posix_sem(sem) && !fast_take(sem)))
		return 0;
	return operate_slow(sem, KIPC_POSIX_SEM_WAIT);
}

KIPC_PUBLIC int kipc_sem_trywait(sem_t *sem)
{
	if (likely(kipc_is_posix_sem(sem) && !fast_take(sem)))
		return 0;
	return operate_slow(sem, KIPC_POSIX_SEM_TRYWAIT);
}

KIPC_PUBLIC int kipc_sem_getvalue(sem_t *sem, int *value)
{
	if (!kipc_is_posix_sem(sem))
		return fail(EINVAL);
	*value = fast_value(sem);
	return 0;
}

static int take_until(sem_t *sem, clockid_t clock, const struct kipc_timespec64 *timeout)
{
	struct kipc_posix_sem_op op;

	/* As the C library, before it looks at the semaphore. */
	if (!kipc_sem_is_time(clock, timeout) || !kipc_is_posix_sem(sem))
		return fail(EINVAL);
	return likely(!fast_take(sem)) ? 0 : kipc_sem_wait_told(&op, sem, clock, timeout);
}

#ifdef __i386__

KIPC_PUBLIC int kipc_sem_timedwait_time64(sem_t *sem, const struct kipc_timespec64 *timeout)
{
	return take_until(sem, CLOCK_REALTIME, timeout);
}

KIPC_PUBLIC int kipc_sem_clockwait_time64(sem_t *sem, clockid_t clock,
					  const struct kipc_timespec64 *timeout)
{
	return take_until(sem, clock, timeout);
}

#endif

KIPC_PUBLIC int kipc_sem_timedwait(sem_t *sem, const struct timespec *timeout)
{
	return take_until(sem, CLOCK_REALTIME, WIDEN(timeout));
}

KIPC_PUBLIC int kipc_sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *timeout)
{
	return take_until(sem, clock, WIDEN(timeout));
}

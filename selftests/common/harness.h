/* SPDX-License-Identifier: GPL-2.0 */
/* What every test file needs on top of the kernel's kselftest harness. */
#ifndef KIPC_SELFTESTS_HARNESS_H
#define KIPC_SELFTESTS_HARNESS_H

#include "ipc.h"
#include "peer.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kselftest_harness.h>

/* The harness' own 30 seconds are short for emulated processors that have to share. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 60

/*
 * A test without a fixture and with a timeout of its own: the harness has none of
 * that kind, so it gets a fixture with nothing in it.
 */
#define TEST_LONG(_name) \
	FIXTURE(_name) { int unused; }; \
	FIXTURE_SETUP(_name) { } \
	FIXTURE_TEARDOWN(_name) { } \
	TEST_F_TIMEOUT(_name, _name, 380)

/*
 * The second that the kernel stamps with.  For time() the C library asks the vDSO, which
 * may be ahead of it while a processor is held up in the middle of its tick.
 */
static inline time_t stamp_now(void)
{
	return syscall(SYS_time, NULL);
}

/* No object of any kind is there. */
#define EXPECT_NOTHING(_ipc) do { \
	EXPECT_EQ(0, shm_rows(_ipc, NULL, 0)) \
		TH_LOG("%s: not there, or not empty", (_ipc)->listing); \
	EXPECT_EQ(0, sem_rows(_ipc, NULL, 0)) \
		TH_LOG("%s: not there, or not empty", (_ipc)->sem_listing); \
	EXPECT_EQ(0, msg_rows(_ipc, NULL, 0)) \
		TH_LOG("%s: not there, or not empty", (_ipc)->msg_listing); \
} while (0)

/* The values of a set's first semaphores. */
#define EXPECT_VALUES(_ipc, _id, ...) do { \
	static const int __want[] = { __VA_ARGS__ }; \
	for (unsigned int __i = 0; __i < ARRAY_SIZE(__want); __i++) { \
		EXPECT_EQ(__want[__i], sem_val(_ipc, _id, __i)) \
			TH_LOG("semaphore %u", __i); \
	} \
} while (0)

/* A call that must fail with @_err and return -1. */
#define EXPECT_ERR(_err, _call) do { \
	long __ret; \
	int __errno; \
	errno = 0; \
	__ret = (long)(_call); \
	__errno = errno; \
	EXPECT_EQ(-1, __ret) \
		TH_LOG("%s succeeded", #_call); \
	if (__ret == -1) \
		EXPECT_EQ((_err), __errno) \
			TH_LOG("%s: %s", #_call, strerror(__errno)); \
} while (0)

/*
 * KIPC_VARIANT=native in the environment runs the tests of native alone, say to see
 * what it does where there is no kipc; the others count as skipped.
 */
static inline void skip_unless_wanted(const char *variant)
{
	const char *only = getenv("KIPC_VARIANT");

	if (only && *only && strcmp(only, variant))
		_exit(255);
}

/*
 * A fixture with the two implementations as variants.  Each test runs in IPC
 * namespaces of its own: nothing is left from another test, and the ids and limits
 * of both start afresh.
 */
#define IPC_FIXTURE(_name) \
	FIXTURE(_name) { int unused; }; \
	FIXTURE_VARIANT(_name) { const struct ipc *ipc; }; \
	FIXTURE_VARIANT_ADD(_name, native) { .ipc = &ipc_native }; \
	FIXTURE_VARIANT_ADD(_name, kipc) { .ipc = &ipc_kipc }; \
	FIXTURE_SETUP(_name) \
	{ \
		skip_unless_wanted(variant->ipc->name); \
		ASSERT_EQ(0, unshare(CLONE_NEWIPC)) \
			TH_LOG("run as root"); \
		EXPECT_NOTHING(variant->ipc); \
	} \
	FIXTURE_TEARDOWN(_name) \
	{ \
		/* The calls of one must not have reached the other. */ \
		if (variant->ipc == &ipc_kipc) \
			EXPECT_NOTHING(&ipc_native); \
	}

#endif /* KIPC_SELFTESTS_HARNESS_H */

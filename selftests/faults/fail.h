/* SPDX-License-Identifier: GPL-2.0 */
/* The tests that attempts make: a fixture, and one variant of it for each. */
#ifndef KIPC_SELFTESTS_FAIL_H
#define KIPC_SELFTESTS_FAIL_H

#include "attempt.h"
#include "common/device.h"
#include "common/harness.h"

#include <sys/wait.h>

#define MOST	3000	/* allocations of a call, and more */

static inline void attempt_all(struct __test_metadata *_metadata, const struct stage *stage,
			       const struct attempt *attempt)
{
	int nth, status = AGAIN;

	for (nth = 1; nth <= MOST && status == AGAIN; nth++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(attempt_make(stage, attempt, nth));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status))
			TH_LOG("fault %d: killed by %d", nth, WTERMSIG(status));
		status = WEXITSTATUS(status);
		EXPECT_TRUE(status <= DONE)
			TH_LOG("fault %d: %s", nth, outcomes[status]);
		stage->clear();
	}
	EXPECT_EQ(DONE, status);
	TH_LOG("%d faults", nth - 2);
}

/* A fixture of that name, in a namespace of its own. */
#define FAULTS_FIXTURE(_name, _stage) \
	FIXTURE(_name) { long refs; }; \
	FIXTURE_SETUP(_name) \
	{ \
		if (!faults_there_are()) \
			SKIP(return, "a kernel that injects no faults"); \
		ASSERT_EQ(0, faults_set_up()); \
		ASSERT_EQ(0, unshare(CLONE_NEWIPC)); \
		EXPECT_NOTHING(&ipc_kipc); \
		(_stage)->clear();	/* the library has its descriptor now */ \
		self->refs = module_refs(); \
	} \
	FIXTURE_TEARDOWN(_name) { }

/* The test of each attempt that follows. */
#define FAIL_NTH(_stage) \
	FIXTURE_VARIANT(fail_nth) { struct attempt attempt; }; \
	FAULTS_FIXTURE(fail_nth, _stage) \
	TEST_F_TIMEOUT(fail_nth, fails_cleanly, 380) \
	{ \
		attempt_all(_metadata, _stage, &variant->attempt); \
		EXPECT_NOTHING(&ipc_kipc); \
		/* Records, descriptors and namespaces of the dead are given back by work. */ \
		wait_until(module_refs() <= self->refs); \
	}

#define ATTEMPT(_name, ...) \
	FIXTURE_VARIANT_ADD(fail_nth, _name) { .attempt = { __VA_ARGS__ } }

#endif /* KIPC_SELFTESTS_FAIL_H */

// SPDX-License-Identifier: GPL-2.0
/* Permissions as a matrix: see matrix.h. */
#include "matrix.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

const struct caller callers[] = {
	{ { "root", -1, 0, -1, 0 }, 0 },
	{ { "owner", OWNER, NO_GROUP, -1, 0 }, 6 },
	{ { "creator", CREATOR, NO_GROUP, -1, 0 }, 6 },
	{ { "owner in the group too", OWNER, OWNER_GROUP, CREATOR_GROUP, 0 }, 6 },
	{ { "owner's group", STRANGER, OWNER_GROUP, -1, 0 }, 3 },
	{ { "creator's group", STRANGER, CREATOR_GROUP, -1, 0 }, 3 },
	{ { "supplementary, owner's", STRANGER, NO_GROUP, OWNER_GROUP, 0 }, 3 },
	{ { "supplementary, creator's", STRANGER, NO_GROUP, CREATOR_GROUP, 0 }, 3 },
	{ { "other", STRANGER, NO_GROUP, -1, 0 }, 0 },
	{ { "other with CAP_IPC_OWNER", STRANGER, NO_GROUP, -1, CAP(CAP_IPC_OWNER) }, 0 },
	{ { "other with CAP_IPC_LOCK", STRANGER, NO_GROUP, -1, CAP(CAP_IPC_LOCK) }, 0 },
	{ { "other with CAP_SYS_ADMIN", STRANGER, NO_GROUP, -1, CAP(CAP_SYS_ADMIN) }, 0 },
	{ { "owner with CAP_IPC_OWNER", OWNER, NO_GROUP, -1, CAP(CAP_IPC_OWNER) }, 6 },
	{ { "owner with CAP_SYS_RESOURCE", OWNER, NO_GROUP, -1, CAP(CAP_SYS_RESOURCE) }, 6 },
	{ { "other with the wrong ones", STRANGER, NO_GROUP, -1,
	    CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FOWNER) | CAP(CAP_CHOWN) | CAP(CAP_SYS_RESOURCE) }, 0 },
};

const unsigned int caller_count = sizeof(callers) / sizeof(*callers);

int matrix_make(const struct ipc *ipc, const struct matrix *matrix, int mode)
{
	int id;

	if (setresgid(-1, CREATOR_GROUP, -1) || setresuid(-1, CREATOR, -1))
		return -1;
	id = matrix->make(ipc, mode);
	return setresuid(-1, 0, -1) || setresgid(-1, 0, -1) ? -1 : id;
}

static int index_of(const struct ipc *ipc, int id)
{
	return id & ((1 << (ipc == &ipc_kipc || native_ids_extended() ? 24 : 15)) - 1);
}

/* All calls on all objects as one caller, in a process of its own. */
static int run_caller(const struct ipc *ipc, const struct matrix *matrix,
		      const struct caller *caller, const int *id, unsigned char *got)
{
	int index[MODES], m, status;
	const struct call *c;
	pid_t pid;

	for (m = 0; m < MODES; m++)
		index[m] = index_of(ipc, id[m]);
	pid = fork();
	if (!pid) {
		if (become(&caller->who))
			_exit(1);
		for (m = 0; m < MODES; m++)
			for (c = matrix->calls; c->name; c++)
				*got++ = matrix->try_call(ipc, c, m, id[m], index[m]);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status ? 0 : -1;
}

/* The rule of sysvipc(7), as ipc/ applies it. */
static int expected(const struct caller *caller, int mode, int needs)
{
	int granted = mode >> caller->class & 7;
	bool root = caller->who.uid == (uid_t)-1;

	if (!(needs & ~granted) || root || caller->who.caps & CAP(CAP_IPC_OWNER))
		return 0;
	return EACCES;
}

static int compare(const struct matrix *matrix, const struct caller *caller,
		   const unsigned char *got, int wrong)
{
	const struct call *c;
	int m, want;

	for (m = 0; m < MODES; m++)
		for (c = matrix->calls; c->name; c++, got++) {
			want = expected(caller, m, c->needs);
			if (*got == want)
				continue;
			if (wrong++ < 10)
				printf("# %s: %s on mode %04o: %s, not %s\n", caller->who.name,
				       c->name, m, strerror(*got), strerror(want));
		}
	return wrong;
}

int matrix_wrong(const struct ipc *ipc, const struct matrix *matrix, const int *id)
{
	unsigned int w, count = 0;
	unsigned char *got;
	int wrong = 0;

	while (matrix->calls[count].name)
		count++;
	got = mmap(NULL, MODES * count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		   -1, 0);
	if (got == MAP_FAILED)
		return -1;
	for (w = 0; w < caller_count && wrong >= 0; w++) {
		memset(got, POISON, MODES * count);
		if (run_caller(ipc, matrix, &callers[w], id, got))
			wrong = -1;
		else
			wrong = compare(matrix, &callers[w], got, wrong);
	}
	munmap(got, MODES * count);
	return wrong;
}

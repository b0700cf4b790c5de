/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who calls: every relation that a process can have to an object, by its ids, groups,
 * capabilities and namespaces.
 *
 * Objects are made by CREATOR of CREATOR_GROUP and given to OWNER and OWNER_GROUP.  They
 * are in an IPC namespace of the machine's, or of a container: a user namespace that
 * STRANGER made, in which STRANGER is 0 and OWNER is 1, of groups NO_GROUP and
 * OWNER_GROUP, and nobody else is anything.
 */
#ifndef KIPC_SELFTESTS_PRINCIPAL_H
#define KIPC_SELFTESTS_PRINCIPAL_H

#include "common/ipc.h"
#include "common/matrix.h"
#include "common/peer.h"

/* Whose the IPC namespace with the objects is. */
enum home { MACHINE, CONTAINER, HOMES };

/* The user namespace of the caller. */
enum user_ns {
	THE_MACHINES,
	THE_CONTAINERS,		/* the ids of who are its own */
	UNMAPPED_THERE,		/* in the container's with ids that it does not know */
	CHILD_OF_CONTAINERS,	/* root of one inside it */
	OF_ITS_OWN,		/* root of one that owns nothing */
	OF_ITS_OWN_UNMAPPED,
};

/* Which of its ids a process of the machine has from who; the others are a stranger's. */
enum ids { ALL_IDS, EFFECTIVE_IDS, REAL_AND_SAVED_IDS, FILE_SYSTEM_GROUP, FILE_SYSTEM_USER };

struct principal {
	struct who who;
	enum home home;
	enum user_ns user_ns;
	enum ids ids;
	bool elsewhere;		/* in an IPC namespace of its own */
	bool bare;		/* without the capabilities that its ids bring */
};

extern const struct principal principals[];
extern const unsigned int principal_count;

/**
 * struct container - a user namespace, and an IPC namespace that it owns
 * @user: descriptors
 * @ipc: of both
 */
struct container {
	int user, ipc;
};

int container_open(struct container *c);
void container_close(struct container *c);

/* Become one; from the IPC namespace of its home.  @c: for those who enter it. */
int principal_become(const struct principal *p, const struct container *c);

#endif /* KIPC_SELFTESTS_PRINCIPAL_H */

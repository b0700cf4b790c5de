/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names: how POSIX objects are found, made and unlinked.
 *
 * Kinds that have names have no keys: their table by key is one by name.  An object that
 * is unlinked, or whose namespace ends, leaves the tables and works on for whoever has it
 * open (kipc_object_ops.outlives).
 *
 * Level 3.  Locks: kipc_ids.rwsem (object.h), for reading while a name is looked up and
 * its object entered, for writing while one is added or removed; kipc_object.lock under it.
 */
#ifndef KIPC_NAME_H
#define KIPC_NAME_H

#include <linux/types.h>

#include "ids.h"
#include "object.h"

struct kipc_posix_shm_claim;
struct kipc_space;
struct kipc_stream_end;

/**
 * struct kipc_open - what an open call asks for
 * @text: the name, or NULL: it is the object with the id
 * @id: the id then
 * @flags: O_ACCMODE, O_CREAT, O_EXCL, and what the kind knows
 * @mode: permissions of an object that the call makes
 * @size: of such an object: bytes of a segment, value of a semaphore, messages of a queue,
 *	  capacity of a stream
 * @msgsize: of such a queue: bytes of a message
 * @lifetime: of such a stream: KIPC_LIFETIME_*
 * @end: of a stream: what the descriptor will stand for
 * @claim: a segment's memory, that somebody has made before; or NULL: it is to be made
 * @serial: out, kipc_name.serial
 * @is_new: out, the call has made the object
 */
struct kipc_open {
	const char *text;
	int id;
	unsigned int flags;
	umode_t mode;
	u64 size;
	u64 msgsize;
	unsigned int lifetime;
	struct kipc_stream_end *end;
	struct kipc_posix_shm_claim *claim;
	u64 serial;
	bool is_new;
};

/**
 * struct kipc_named_kind - what differs between the kinds
 * @kind: KIPC_KIND_*
 * @new: an object that is in no table yet, with a name made by kipc_name_init()
 * @name_of: its name
 * @may_unlink: whether the caller may take it away; kipc_object.lock is held
 * @enter: have the caller among the object's users; kipc_ids.rwsem is held; 0, or why an
 *	   object that was there before does not permit it
 */
struct kipc_named_kind {
	unsigned int kind;
	struct kipc_object *(*new)(struct kipc_space *space, const struct kipc_open *open);
	struct kipc_name *(*name_of)(struct kipc_object *object);
	bool (*may_unlink)(struct kipc_object *object);
	int (*enter)(struct kipc_object *object, const struct kipc_open *open, bool is_new);
};

int kipc_name_init(struct kipc_name *name, struct kipc_object *object, const char *text);
void kipc_name_deinit(struct kipc_name *name);
bool kipc_name_end_locked(struct kipc_name *name);
void kipc_name_count_locked(struct kipc_object *object);
int kipc_name_enter(struct kipc_object *object, const struct kipc_open *open, bool is_new);
struct kipc_object *kipc_name_open(struct kipc_space *space, const struct kipc_named_kind *kind,
				   struct kipc_open *open);
int kipc_name_unlink(struct kipc_space *space, const struct kipc_named_kind *kind,
		     const char *text);
char *kipc_name_copy_in(u64 user);

#endif /* KIPC_NAME_H */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of POSIX objects, as shm_open(3) and sem_open(3) take them.
 *
 * Level 2.
 */
#ifndef KIPC_NAME_H
#define KIPC_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "process.h"

struct kipc_name_open;

/**
 * kipc_name_text() - the name that the kernel knows
 * @name: the caller's: slashes before it count for nothing
 * @max: bytes of the longest
 *
 * Return: the part of @name, or NULL with errno EINVAL or ENAMETOOLONG.
 */
const char *kipc_name_text(const char *name, size_t max) KIPC_HIDDEN;

/**
 * kipc_name_open() - KIPC_IOC_NAME_OPEN
 * @open: what is asked for; its name is kipc_name_text()'s
 * @serial: out, which object it is
 *
 * Return: the descriptor, or -1 with errno set.
 */
int kipc_name_open(const struct kipc_name_open *open, uint64_t *serial) KIPC_HIDDEN;

/**
 * kipc_name_unlink() - KIPC_IOC_NAME_UNLINK
 * @kind: KIPC_KIND_*
 * @text: kipc_name_text()'s
 *
 * Return: 0, or -1 with errno set.
 */
int kipc_name_unlink(unsigned int kind, const char *text) KIPC_HIDDEN;

#endif /* KIPC_NAME_H */

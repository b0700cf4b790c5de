/* SPDX-License-Identifier: GPL-2.0 */
/* The device and the module, without the library in between. */
#ifndef KIPC_SELFTESTS_DEVICE_H
#define KIPC_SELFTESTS_DEVICE_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/kipc.h>

#include "ipc.h"
#include "mem.h"

static inline int device_open(void)
{
	return open(KIPC_DEVICE, O_RDWR | O_CLOEXEC);
}

/* References that keep the module from being unloaded, or -1. */
static inline long module_refs(void)
{
	return read_number("/sys/module/kipc/refcnt");
}

#endif /* KIPC_SELFTESTS_DEVICE_H */

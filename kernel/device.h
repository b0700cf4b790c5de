/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/kipc: open, mmap, ioctl.
 *
 * Level 6.  Locks: none.
 */
#ifndef KIPC_DEVICE_H
#define KIPC_DEVICE_H

int kipc_device_init(void);
void kipc_device_deinit(void);

#endif /* KIPC_DEVICE_H */

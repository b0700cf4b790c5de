// SPDX-License-Identifier: GPL-2.0
/*
 * Module init and exit, mirrored.
 *
 * Objects, process records and open descriptors pin the module, so exit finds
 * none of them.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "death.h"
#include "device.h"
#include "hugetlb.h"
#include "msg.h"
#include "proc.h"
#include "process.h"
#include "shared.h"
#include "shm.h"
#include "space.h"
#include "uring.h"

static int __init kipc_init(void)
{
	int ret;

	ret = kipc_shared_init();
	if (ret)
		return ret;
	ret = kipc_process_init();
	if (ret)
		goto deinit_shared;
	ret = kipc_msg_init();
	if (ret)
		goto deinit_process;
	ret = kipc_shm_init();
	if (ret)
		goto deinit_msg;
	ret = kipc_death_init();
	if (ret)
		goto deinit_shm;
	ret = kipc_uring_init();
	if (ret)
		goto deinit_death;
	ret = kipc_proc_init();
	if (ret)
		goto deinit_uring;
	ret = kipc_device_init();
	if (ret)
		goto deinit_proc;
	return 0;

deinit_proc:
	kipc_proc_deinit();
deinit_uring:
	kipc_uring_deinit();
deinit_death:
	kipc_death_deinit();
	/* A reader of /proc/kipc may have made a space. */
	kipc_space_deinit();
	rcu_barrier();
deinit_shm:
	kipc_shm_deinit();
deinit_msg:
	kipc_msg_deinit();
deinit_process:
	kipc_process_deinit();
deinit_shared:
	kipc_shared_deinit();
	return ret;
}

static void __exit kipc_exit(void)
{
	kipc_device_deinit();
	kipc_proc_deinit();
	kipc_uring_deinit();
	kipc_death_deinit();
	kipc_space_deinit();
	/* Callbacks that free objects and records run the module's code. */
	rcu_barrier();
	kipc_shm_deinit();
	kipc_msg_deinit();
	kipc_process_deinit();
	kipc_shared_deinit();
	kipc_hugetlb_deinit();
}

module_init(kipc_init);
module_exit(kipc_exit);

MODULE_AUTHOR("The kipc authors");
MODULE_DESCRIPTION("System V and POSIX IPC");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");

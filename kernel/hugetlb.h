/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of huge pages, for SHM_HUGETLB.
 *
 * The kernel's own maker of such files is not exported, so they come from
 * private mounts of hugetlbfs, one for each page size, made when first needed.
 *
 * Level 1.  Locks: kipc_hugetlb_lock, taken with no other kipc lock held.
 */
#ifndef KIPC_HUGETLB_H
#define KIPC_HUGETLB_H

#include <linux/types.h>

struct file;

struct file *kipc_hugetlb_file(const char *name, size_t size,
			       unsigned int size_log, bool reserve);
void kipc_hugetlb_deinit(void);

#endif /* KIPC_HUGETLB_H */

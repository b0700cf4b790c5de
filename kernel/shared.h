/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages shared with user space, and taking them away again.
 *
 * They are mapped by page frame (no pin outlives the mapping), through one address
 * space of the module's own: so one call cuts every mapping of a window, whichever
 * device node it was made through.
 *
 * Level 2.  Locks: none of its own; unmapping takes the kernel's i_mmap_rwsem.
 */
#ifndef KIPC_SHARED_H
#define KIPC_SHARED_H

#include <linux/mm.h>
#include <linux/types.h>

struct address_space;
struct file;

void kipc_shared_adopt(struct file *file);
void *kipc_shared_alloc(size_t size);
void kipc_shared_free(void *pages);
void kipc_shared_prepare(struct vm_area_struct *vma, unsigned long window);
vm_fault_t kipc_shared_insert(struct vm_fault *vmf, void *pages, unsigned long page);
void kipc_shared_cut(unsigned long window, unsigned long pages);
int kipc_shared_init(void);
void kipc_shared_deinit(void);

#endif /* KIPC_SHARED_H */

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Segments: shmget(2), shmat(2), shmdt(2), shmctl(2).
 *
 * Each call is made at once, with whatever descriptor there is; all that can be
 * wrong with it is sorted out by kipc_process_recover() afterwards.
 *
 * Level 3.
 */
#include <kipc.h>

#include "process.h"
#include "sys.h"

#ifdef __i386__
/*
 * The kernel writes the layout of its own system call, 32-bit halves of a time
 * beside each other.  That is struct shmid_ds with a 64-bit time_t too, so
 * callers of either kind can be served alike.
 */
_Static_assert(offsetof(struct shmid_ds, shm_atime) == 40 &&
	       offsetof(struct shmid_ds, shm_dtime) == 48 &&
	       offsetof(struct shmid_ds, shm_ctime) == 56 &&
	       offsetof(struct shmid_ds, shm_nattch) == 72 &&
	       sizeof(struct shmid_ds) == 84, "not the kernel's shmid64_ds");
#endif

static KIPC_SLOW int get_slow(int fd, uint64_t key, size_t size, long ret)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_shm_get(fd, key, size);
	}
	return ret;
}

KIPC_PUBLIC int kipc_shmget(key_t key, size_t size, int shmflg)
{
	uint64_t key_flags = sys_key(key, shmflg);
	int fd = kipc_process_device();
	long ret = sys_shm_get(fd, key_flags, size);

	if (likely(ret >= 0))
		return ret;
	return get_slow(fd, key_flags, size, ret);
}

KIPC_PUBLIC int kipc_shmget_lifetime(key_t key, size_t size, int shmflg, unsigned int lifetime)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_shm_get_lifetime(fd, sys_key(key, shmflg), size, lifetime)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

static KIPC_SLOW void *attach_slow(int fd, long ret, int shmid, const void *shmaddr, int shmflg)
{
	const void *addr = NULL;

	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return (void *)-1;
		addr = shmaddr;
		ret = sys_shm_attach(fd, shmid, &addr, shmflg);
	}
	return (void *)addr;
}

KIPC_PUBLIC void *kipc_shmat(int shmid, const void *shmaddr, int shmflg)
{
	int fd = kipc_process_device();
	const void *addr = shmaddr;
	long ret = sys_shm_attach(fd, shmid, &addr, shmflg);

	if (likely(ret >= 0))
		return (void *)addr;
	return attach_slow(fd, ret, shmid, shmaddr, shmflg);
}

static KIPC_SLOW int detach_slow(int fd, long ret, const void *shmaddr)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_shm_detach(fd, shmaddr);
	}
	return ret;
}

KIPC_PUBLIC int kipc_shmdt(const void *shmaddr)
{
	int fd = kipc_process_device();
	long ret = sys_shm_detach(fd, shmaddr);

	if (likely(ret >= 0))
		return ret;
	return detach_slow(fd, ret, shmaddr);
}

static KIPC_SLOW int control_slow(int fd, long ret, int shmid, int cmd, struct shmid_ds *buf)
{
	while (ret < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
		ret = sys_shm_ctl(fd, shmid, cmd, buf);
	}
	return ret;
}

KIPC_PUBLIC int kipc_shmctl(int shmid, int cmd, struct shmid_ds *buf)
{
	int fd = kipc_process_device();
	long ret;

	cmd &= ~SYS_IPC_64;
	ret = sys_shm_ctl(fd, shmid, cmd, buf);
	if (likely(ret >= 0))
		return ret;
	return control_slow(fd, ret, shmid, cmd, buf);
}

KIPC_PUBLIC int kipc_shm_adopt(key_t key, int memfd, mode_t mode)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_shm_adopt(fd, key, memfd, mode)) < 0) {
		fd = kipc_process_recover_given(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

KIPC_PUBLIC int kipc_shm_export(int shmid, int flags)
{
	int fd = kipc_process_device();
	long ret;

	while ((ret = sys_shm_export(fd, shmid, flags)) < 0) {
		fd = kipc_process_recover(fd, ret);
		if (fd < 0)
			return -1;
	}
	return ret;
}

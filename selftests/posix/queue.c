// SPDX-License-Identifier: GPL-2.0
#include "posix/queue.h"

mqd_t open_numbers(const struct posix *posix, const char *name, int oflag, long maxmsg)
{
	struct mq_attr attr = { .mq_maxmsg = maxmsg, .mq_msgsize = sizeof(int) };

	return posix->mq_open(name, oflag | O_CREAT, 0600, &attr);
}

int put(const struct posix *posix, mqd_t q, int number, unsigned int prio)
{
	return posix->mq_send(q, (const char *)&number, sizeof(number), prio);
}

long take(const struct posix *posix, mqd_t q)
{
	unsigned int prio = ~0;
	int number = 0xffff;

	if (posix->mq_receive(q, (char *)&number, sizeof(number), &prio) != sizeof(number))
		return -1;
	return (long)prio << 16 | number;
}

long queued(const struct posix *posix, mqd_t q)
{
	struct mq_attr attr;

	return posix->mq_getattr(q, &attr) ? -1 : attr.mq_curmsgs;
}

static long do_open(long *arg, void *buf)
{
	struct mq_attr attr = { .mq_maxmsg = arg[3], .mq_msgsize = arg[4] };

	return ((const struct posix *)arg[0])->mq_open(buf, arg[1], arg[2],
						       arg[3] ? &attr : NULL);
}

long do_put(long *arg, void *buf)
{
	(void)buf;
	return put((const struct posix *)arg[0], arg[1], arg[2], arg[3]);
}

long do_take(long *arg, void *buf)
{
	(void)buf;
	return take((const struct posix *)arg[0], arg[1]);
}

long do_close(long *arg, void *buf)
{
	(void)buf;
	return ((const struct posix *)arg[0])->mq_close(arg[1]);
}

static long do_unlink(long *arg, void *buf)
{
	return ((const struct posix *)arg[0])->mq_unlink(buf);
}

int peer_open(struct peer *p, const struct posix *posix, const char *name, int oflag, mode_t mode,
	      long maxmsg, long msgsize)
{
	strcpy(p->page->buf, name);
	return peer_run(p, do_open, (long)posix, oflag, mode, maxmsg, msgsize);
}

int peer_unlink(struct peer *p, const struct posix *posix, const char *name)
{
	strcpy(p->page->buf, name);
	return peer_run(p, do_unlink, (long)posix, 0, 0, 0, 0);
}

int peer_taking(struct peer *p, const struct posix *posix, int q)
{
	return peer_begin(p, do_take, (long)posix, q, 0, 0, 0) ? -1 : peer_asleep(p);
}

int peer_putting(struct peer *p, const struct posix *posix, int q, int number, int prio)
{
	return peer_begin(p, do_put, (long)posix, q, number, prio, 0) ? -1 : peer_asleep(p);
}

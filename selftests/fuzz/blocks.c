// SPDX-License-Identifier: GPL-2.0
/*
 * Which blocks of the module have run, in whatever context: scripts/coverage puts this into
 * the module, in which the compiler then has every block call __sanitizer_cov_trace_pc().
 * That is resolved here, so the kernel need not have KCOV.
 *
 * /sys/module/kipc/parameters/blocks tells them, one a line, as offsets from the module's
 * start; as many as fit, each time the next ones, and nothing after the last.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#define BYTES	(1 << 20)	/* of the module's code, at most */

static DECLARE_BITMAP(blocks, BYTES);
static unsigned long next;

void __sanitizer_cov_trace_pc(void);

void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned long at = _RET_IP_ - (unsigned long)THIS_MODULE->core_layout.base;

	if (at < BYTES && !test_bit(at, blocks))
		set_bit(at, blocks);
}

static int blocks_get(char *buffer, const struct kernel_param *param)
{
	int n = 0;

	while (n < PAGE_SIZE - 16) {
		next = find_next_bit(blocks, BYTES, next);
		if (next == BYTES) {
			next = n ? BYTES : 0;
			break;
		}
		n += scnprintf(buffer + n, PAGE_SIZE - n, "%lx\n", next++);
	}
	return n;
}

static const struct kernel_param_ops blocks_ops = { .get = blocks_get };
module_param_cb(blocks, &blocks_ops, NULL, 0400);

// SPDX-License-Identifier: GPL-2.0
/* See util.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

void die(const char *format, ...)
{
	va_list ap;

	fputs("kipc: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *check_memory(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

char *make_string(const char *format, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	return check_memory(n < 0 ? NULL : text);
}

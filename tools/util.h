/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of kipc(1) share: errors that end it. */
#ifndef UTIL_H
#define UTIL_H

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

/* Of an allocation: @p, unless it is NULL. */
void *check_memory(void *p);

/* A string made by format, to be freed. */
char *__attribute__((format(printf, 1, 2))) make_string(const char *format, ...);

#endif /* UTIL_H */

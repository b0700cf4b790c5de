/* SPDX-License-Identifier: GPL-2.0 */
/* What the calls of the fuzzer have in common: how bytes become arguments, and what there is. */
#ifndef KIPC_SELFTESTS_FUZZ_ARGS_H
#define KIPC_SELFTESTS_FUZZ_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define ROOM	16384	/* bytes of a thread's buffer; messages exceed their limit */
#define HANDLES	8

extern __thread char buffer[ROOM];
extern int handle[HANDLES];	/* 0: none */

/* Small in half of all cases. */
uint64_t number(uint8_t b);
int id_of(int kind, uint8_t b);
int key_of(uint8_t b);
/* Mostly the thread's buffer. */
void *address(uint8_t b);
/* A time-out at *@ts: none in half of all cases.  Returns its address for the kernel. */
uint64_t timeout_of(uint8_t b, struct timespec *ts);
uint32_t clock_of(uint8_t b);

/* On the device. */
int call(unsigned long nr, void *arg);
int device_fd(void);
/* An object of a System V kind, in the place of the one that was made longest ago. */
void made(int kind, int id);
void keep_map(void *at, size_t size);
/* The beginning of a mapping, or NULL. */
char *mapping(uint8_t b);
/* Have it watched, or not any more. */
void watch(int fd, bool ends, uint32_t events);

/* ---- Objects with names, and memfds: posix_calls.c ---- */

void name_open(const uint8_t *a);
void name_unlink(const uint8_t *a);
void use_named(const uint8_t *a);
void posix_sem_op(const uint8_t *a);
void posix_sem_word(const uint8_t *a);
void mq_op(const uint8_t *a);
void mq_more(const uint8_t *a);
void shm_memfd(const uint8_t *a);
void publish(const uint8_t *a);

#endif /* KIPC_SELFTESTS_FUZZ_ARGS_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * A client of the example servers, in plain System V: to be run by kipcrun.
 *
 *   sysv_client KEY CHANNEL NAME [TIMES]	see tally.h
 *
 * Prints what the last answer was.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct { long type; char name[32]; } question;
	struct { long type; int64_t count; } answer = { };
	int questions, answers, times = argc > 4 ? atoi(argv[4]) : 1;
	size_t size;
	key_t key;

	if (argc < 4) {
		fprintf(stderr, "usage: %s KEY CHANNEL NAME [TIMES]\n", argv[0]);
		return 2;
	}
	key = strtol(argv[1], NULL, 0) + 2 * atoi(argv[2]);
	questions = msgget(key, 0);
	answers = msgget(key + 1, 0);
	if (questions < 0 || answers < 0) {
		perror("no such channel");
		return 1;
	}
	question.type = getpid();
	size = strnlen(argv[3], sizeof(question.name));
	memcpy(question.name, argv[3], size);
	while (times--)
		if (msgsnd(questions, &question, size, 0) ||
		    msgrcv(answers, &answer, sizeof(answer.count), getpid(), 0) !=
		    sizeof(answer.count)) {
			perror("no answer");
			return 1;
		}
	printf("%lld\n", (long long)answer.count);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/* kipc: look at kipc's objects, remove them, read and set limits. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kipc.h>

#include "listing.h"
#include "table.h"
#include "util.h"

static const char usage[] =
	"usage: kipc ls [-J|--json] [-r|--raw]\n"
	"       kipc show [-J|--json] [-r|--raw] sem|msg ID...\n"
	"       kipc queues [-J|--json] [-r|--raw]\n"
	"       kipc waiters [-J|--json] [-r|--raw]\n"
	"       kipc names [-J|--json] [-r|--raw]\n"
	"       kipc rm shm|sem|msg ID...\n"
	"       kipc unlink pshm|psem|pmq|strm NAME...\n"
	"       kipc limits [NAME[=VALUE]...]\n"
	"       kipc version\n"
	"       kipc --help | --version\n";

enum { EXIT_USAGE = 2 };

static void __attribute__((noreturn)) die_usage(void)
{
	fputs(usage, stderr);
	exit(EXIT_USAGE);
}

/* ---- Words of the kernel for people ---- */

static char *user_name(const char *uid)
{
	struct passwd *pw = getpwuid(strtoul(uid, NULL, 10));

	return make_string("%s", pw ? pw->pw_name : uid);
}

static char *human_age(const char *seconds)
{
	unsigned long s = strtoul(seconds, NULL, 10);

	if (s < 60)
		return make_string("%lus", s);
	if (s < 60 * 60)
		return make_string("%lum%02lus", s / 60, s % 60);
	if (s < 24 * 60 * 60)
		return make_string("%luh%02lum", s / 3600, s / 60 % 60);
	return make_string("%lud%02luh", s / 86400, s / 3600 % 24);
}

/* What process @pid runs; NULL if that cannot be seen. */
static char *command_of(const char *pid)
{
	char *path = make_string("/proc/%s/comm", pid);
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");

	free(path);
	if (!file)
		return NULL;
	if (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
	} else {
		free(line);
		line = NULL;
	}
	fclose(file);
	return line;
}

/* ---- ls: /proc/kipc/objects, and of each kind what its own file adds ---- */

static const struct column object_columns[] = {
	{ "kind", false, NULL },
	{ "id", true, NULL },
	{ "key", false, NULL },
	{ "owner", false, NULL },
	{ "perms", false, NULL },
	{ "size", true, NULL },
	{ "users", true, NULL },
	{ "lifetime", false, NULL },
	{ "creator", true, NULL },
	{ "age", true, human_age },
	{ "sems", true, NULL },
	{ "msgs", true, NULL },
	{ "handles", true, NULL },
	{ "orphans", true, NULL },
};

/* Where they come from: a column of objects, or below of the file of one kind. */
static const struct {
	const char *name;
	char *(*value)(const char *word);
} object_sources[ARRAY_SIZE(object_columns)] = {
	{ "kind", NULL },
	{ "id", NULL },
	{ "key", NULL },
	{ "owner", user_name },
	{ "perms", NULL },
	{ NULL, NULL },
	{ "users", NULL },
	{ "lifetime", NULL },
	{ "creator", NULL },
	{ "age", NULL },
	{ NULL, NULL },
	{ NULL, NULL },
	{ "handles", NULL },
	{ "orphans", NULL },
};

static const struct {
	const char *column;
	const char *kind;
	const char *name;
} detail_sources[] = {
	{ "size", "shm", "size" },
	{ "size", "msg", "cbytes" },
	{ "sems", "sem", "nsems" },
	{ "msgs", "msg", "qnum" },
};

/* What the file of @kind calls the column @name, or NULL. */
static const char *detail_source(const char *kind, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(detail_sources); i++)
		if (strcmp(detail_sources[i].kind, kind) == 0 &&
		    strcmp(detail_sources[i].column, name) == 0)
			return detail_sources[i].name;
	return NULL;
}

/**
 * struct detail - the file of one kind
 * @kind: its name in objects
 * @path: of the file
 * @id_name: its column of ids
 * @listing: what it says
 * @rows: its rows by id
 */
struct detail {
	const char *kind;
	const char *path;
	const char *id_name;
	struct listing listing;
	struct detail_row {
		int id;
		size_t row;
	} *rows;
};

static int compare_rows(const void *a, const void *b)
{
	const struct detail_row *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void detail_init(struct detail *detail)
{
	size_t id, i;

	listing_init(&detail->listing, detail->path);
	id = listing_column(&detail->listing, detail->id_name);
	detail->rows = check_memory(calloc(detail->listing.rows + 1, sizeof(*detail->rows)));
	for (i = 0; i < detail->listing.rows; i++)
		detail->rows[i] = (struct detail_row){ atoi(listing_get(&detail->listing, i, id)),
						       i };
	qsort(detail->rows, detail->listing.rows, sizeof(*detail->rows), compare_rows);
}

static void detail_deinit(struct detail *detail)
{
	free(detail->rows);
	listing_deinit(&detail->listing);
}

static const struct detail_row *detail_find(const struct detail *detail, int id)
{
	struct detail_row key = { .id = id };

	return bsearch(&key, detail->rows, detail->listing.rows, sizeof(*detail->rows),
		       compare_rows);
}

static void gather_object(struct table *table, const struct listing *list, size_t row,
			  const struct detail *detail)
{
	const struct detail_row *more = NULL;
	const char *word, *name;
	char **cells;
	size_t c;

	if (detail) {
		more = detail_find(detail, atoi(listing_get(list, row,
							    listing_column(list, "id"))));
		/* Gone between the two files. */
		if (!more)
			return;
	}
	cells = table_add(table);
	for (c = 0; c < ARRAY_SIZE(object_columns); c++) {
		name = object_sources[c].name;
		if (name) {
			word = listing_get(list, row, listing_column(list, name));
			cells[c] = object_sources[c].value ? object_sources[c].value(word) :
							     make_string("%s", word);
			continue;
		}
		name = detail ? detail_source(detail->kind, object_columns[c].name) : NULL;
		if (name)
			cells[c] = make_string("%s", listing_get(&detail->listing, more->row,
						listing_column(&detail->listing, name)));
	}
}

static void gather_objects(struct table *table)
{
	struct detail details[] = {
		{ .kind = "shm", .path = "/proc/kipc/shm", .id_name = "shmid" },
		{ .kind = "sem", .path = "/proc/kipc/sem", .id_name = "semid" },
		{ .kind = "msg", .path = "/proc/kipc/msg", .id_name = "msqid" },
	};
	const struct detail *detail;
	struct listing list;
	const char *kind;
	size_t i, d;

	listing_init(&list, "/proc/kipc/objects");
	for (d = 0; d < ARRAY_SIZE(details); d++)
		detail_init(&details[d]);
	for (i = 0; i < list.rows; i++) {
		kind = listing_get(&list, i, listing_column(&list, "kind"));
		detail = NULL;
		for (d = 0; d < ARRAY_SIZE(details); d++)
			if (strcmp(kind, details[d].kind) == 0)
				detail = &details[d];
		gather_object(table, &list, i, detail);
	}
	for (d = 0; d < ARRAY_SIZE(details); d++)
		detail_deinit(&details[d]);
	listing_deinit(&list);
}

/* ---- waiters: /proc/kipc/waiters ---- */

/* All but the last are the file's. */
static const struct column waiter_columns[] = {
	{ "kind", false, NULL },
	{ "id", true, NULL },
	{ "num", true, NULL },
	{ "pid", true, NULL },
	{ "op", true, NULL },
	{ "age", true, human_age },
	{ "command", false, NULL },
};

static void gather_waiters(struct table *table)
{
	struct listing list;
	char **cells;
	size_t i, c;

	listing_init(&list, "/proc/kipc/waiters");
	for (i = 0; i < list.rows; i++) {
		cells = table_add(table);
		for (c = 0; c < ARRAY_SIZE(waiter_columns) - 1; c++)
			cells[c] = make_string("%s", listing_get(&list, i,
					listing_column(&list, waiter_columns[c].name)));
		cells[c] = command_of(listing_get(&list, i, listing_column(&list, "pid")));
	}
	listing_deinit(&list);
}

/* ---- names: /proc/kipc/names ---- */

/* The file's. */
static const struct column name_columns[] = {
	{ "kind", false, NULL },
	{ "id", true, NULL },
	{ "owner", false, NULL },
	{ "perms", false, NULL },
	{ "size", true, NULL },
	{ "users", true, NULL },
	{ "waiters", true, NULL },
	{ "creator", true, NULL },
	{ "age", true, human_age },
	{ "lifetime", false, NULL },
	{ "name", false, NULL },
};

static void gather_names(struct table *table)
{
	struct listing list;
	const char *word;
	char **cells;
	size_t i, c;

	listing_init(&list, "/proc/kipc/names");
	for (i = 0; i < list.rows; i++) {
		cells = table_add(table);
		for (c = 0; c < ARRAY_SIZE(name_columns); c++) {
			word = listing_get(&list, i, listing_column(&list, name_columns[c].name));
			cells[c] = strcmp(name_columns[c].name, "owner") == 0 ? user_name(word) :
				   make_string("%s", word);
		}
	}
	listing_deinit(&list);
}

/* ---- queues, show msg: /proc/kipc/queues ---- */

/* The file's. */
static const struct column queue_columns[] = {
	{ "id", true, NULL },
	{ "messages", true, NULL },
	{ "bytes", true, NULL },
	{ "limit", true, NULL },
	{ "senders", true, NULL },
	{ "receivers", true, NULL },
	{ "oldest", true, human_age },
};

/* One row of the file. */
static void gather_queue(struct table *table, const struct listing *list, size_t row)
{
	char **cells = table_add(table);
	const char *word;
	size_t c;

	for (c = 0; c < ARRAY_SIZE(queue_columns); c++) {
		word = listing_get(list, row, listing_column(list, queue_columns[c].name));
		if (strcmp(word, "-") != 0)
			cells[c] = make_string("%s", word);
	}
}

static void gather_queues(struct table *table)
{
	struct listing list;
	size_t i;

	listing_init(&list, "/proc/kipc/queues");
	for (i = 0; i < list.rows; i++)
		gather_queue(table, &list, i);
	listing_deinit(&list);
}

/* One queue; 0, or -1 with errno set: the file tells of a missing row no reason. */
static int gather_queue_of(struct table *table, int id)
{
	struct listing list;
	struct msqid_ds ds;
	size_t i, column;
	int ret;

	listing_init(&list, "/proc/kipc/queues");
	column = listing_column(&list, "id");
	for (i = 0; i < list.rows; i++)
		if (atoi(listing_get(&list, i, column)) == id)
			break;
	ret = i < list.rows ? 0 : -1;
	if (!ret)
		gather_queue(table, &list, i);
	else if (kipc_msgctl(id, IPC_STAT, &ds) == 0)
		errno = EAGAIN;
	listing_deinit(&list);
	return ret;
}

/* ---- show sem: asked for by semctl ---- */

static const struct column semaphore_columns[] = {
	{ "id", true, NULL },
	{ "num", true, NULL },
	{ "value", true, NULL },
	{ "ncnt", true, NULL },
	{ "zcnt", true, NULL },
	{ "pid", true, NULL },
};

/* One semaphore, but for its value; 0, or -1 with errno set. */
static int gather_semaphore(char **cells, int id, int num)
{
	static const int commands[] = { GETNCNT, GETZCNT, GETPID };
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		ret = kipc_semctl(id, num, commands[i]);
		if (ret < 0)
			return -1;
		cells[i] = make_string("%d", ret);
	}
	return 0;
}

static int gather_set(struct table *table, int id)
{
	unsigned short *values;
	struct semid_ds ds;
	size_t before = table->rows;
	unsigned long i;
	char **cells;
	int ret;

	if (kipc_semctl(id, 0, IPC_STAT, &ds))
		return -1;
	values = check_memory(calloc(ds.sem_nsems, sizeof(*values)));
	ret = kipc_semctl(id, 0, GETALL, values);
	for (i = 0; i < ds.sem_nsems && !ret; i++) {
		cells = table_add(table);
		cells[0] = make_string("%d", id);
		cells[1] = make_string("%lu", i);
		cells[2] = make_string("%u", values[i]);
		ret = gather_semaphore(cells + 3, id, i);
	}
	free(values);
	if (ret)
		table_truncate(table, before);
	return ret;
}

/* ---- Verbs ---- */

typedef void print_function(const struct table *table);

/* How a listing is to be printed; what is left begins at optind. */
static print_function *parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'J' },
		{ "raw", no_argument, NULL, 'r' },
		{ 0 }
	};
	print_function *print = table_print;
	int option;

	while ((option = getopt_long(argc, argv, "Jr", options, NULL)) != -1) {
		switch (option) {
		case 'J':
			print = table_print_json;
			break;
		case 'r':
			print = table_print_raw;
			break;
		default:
			die_usage();
		}
	}
	return print;
}

static int list(int argc, char **argv, struct table *table, void (*gather)(struct table *table))
{
	print_function *print = parse_options(argc, argv);

	if (argv[optind])
		die_usage();
	gather(table);
	print(table);
	table_deinit(table);
	return 0;
}

static int verb_ls(int argc, char **argv)
{
	struct table table = TABLE("objects", object_columns);

	return list(argc, argv, &table, gather_objects);
}

static int verb_names(int argc, char **argv)
{
	struct table table = TABLE("names", name_columns);

	return list(argc, argv, &table, gather_names);
}

static int verb_waiters(int argc, char **argv)
{
	struct table table = TABLE("waiters", waiter_columns);

	return list(argc, argv, &table, gather_waiters);
}

static int verb_queues(int argc, char **argv)
{
	struct table table = TABLE("queues", queue_columns);

	return list(argc, argv, &table, gather_queues);
}

/* All of @text a number?  A negative one comes back as its two's complement. */
static bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	return *text && !*end && !errno;
}

static int show_set(void *table, int id)
{
	return gather_set(table, id);
}

static int show_queue(void *table, int id)
{
	return gather_queue_of(table, id);
}

static int remove_shm(void *unused, int id)
{
	(void)unused;
	return kipc_shmctl(id, IPC_RMID, NULL);
}

static int remove_sem(void *unused, int id)
{
	(void)unused;
	return kipc_semctl(id, 0, IPC_RMID);
}

static int remove_msg(void *unused, int id)
{
	(void)unused;
	return kipc_msgctl(id, IPC_RMID, NULL);
}

/* Do it with each of @ids, all of one @kind; the exit status. */
static int for_each_id(const char *kind, char **ids, int (*act)(void *context, int id),
		       void *context)
{
	int status = 0;
	uint64_t id;

	if (!*ids)
		die_usage();
	for (; *ids; ids++) {
		if (!parse_number(*ids, &id) || id > INT32_MAX) {
			fprintf(stderr, "kipc: '%s' is no id\n", *ids);
			status = 1;
		} else if (act(context, id)) {
			fprintf(stderr, "kipc: %s %s: %s\n", kind, *ids, strerror(errno));
			status = 1;
		}
	}
	return status;
}

static int verb_show(int argc, char **argv)
{
	struct table semaphores = TABLE("semaphores", semaphore_columns);
	struct table queues = TABLE("queues", queue_columns);
	print_function *print = parse_options(argc, argv);
	struct table *table;
	int status;

	argv += optind;
	if (*argv && strcmp(*argv, "sem") == 0)
		table = &semaphores;
	else if (*argv && strcmp(*argv, "msg") == 0)
		table = &queues;
	else
		die_usage();
	status = for_each_id(*argv, argv + 1, table == &queues ? show_queue : show_set, table);
	if (table->rows || !status)
		print(table);
	table_deinit(table);
	return status;
}

static int verb_rm(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "shm") == 0)
		return for_each_id(argv[1], argv + 2, remove_shm, NULL);
	if (argc > 1 && strcmp(argv[1], "sem") == 0)
		return for_each_id(argv[1], argv + 2, remove_sem, NULL);
	if (argc > 1 && strcmp(argv[1], "msg") == 0)
		return for_each_id(argv[1], argv + 2, remove_msg, NULL);
	die_usage();
}

static int verb_unlink(int argc, char **argv)
{
	static const struct {
		const char *kind;
		int (*unlink)(const char *name);
	} kinds[] = {
		{ "pshm", kipc_shm_unlink },
		{ "psem", kipc_sem_unlink },
		{ "pmq", kipc_mq_unlink },
		{ "strm", kipc_stream_unlink },
	};
	int status = 0, i;
	size_t k;

	for (k = 0; argc > 2 && k < ARRAY_SIZE(kinds); k++) {
		if (strcmp(argv[1], kinds[k].kind) != 0)
			continue;
		for (i = 2; i < argc; i++) {
			if (!kinds[k].unlink(argv[i]))
				continue;
			fprintf(stderr, "kipc: %s %s: %s\n", argv[1], argv[i], strerror(errno));
			status = 1;
		}
		return status;
	}
	die_usage();
}

static const struct limit {
	const char *name;
	unsigned int number;
	bool is_signed;
} limits[] = {
	{ "shmmax", KIPC_LIMIT_SHMMAX, false },
	{ "shmall", KIPC_LIMIT_SHMALL, false },
	{ "shmmni", KIPC_LIMIT_SHMMNI, false },
	{ "shm_rmid_forced", KIPC_LIMIT_SHM_RMID_FORCED, false },
	{ "shm_next_id", KIPC_LIMIT_SHM_NEXT_ID, true },
	{ "semmsl", KIPC_LIMIT_SEMMSL, false },
	{ "semmns", KIPC_LIMIT_SEMMNS, false },
	{ "semopm", KIPC_LIMIT_SEMOPM, false },
	{ "semmni", KIPC_LIMIT_SEMMNI, false },
	{ "sem_next_id", KIPC_LIMIT_SEM_NEXT_ID, true },
	{ "msgmax", KIPC_LIMIT_MSGMAX, false },
	{ "msgmnb", KIPC_LIMIT_MSGMNB, false },
	{ "msgmni", KIPC_LIMIT_MSGMNI, false },
	{ "msg_next_id", KIPC_LIMIT_MSG_NEXT_ID, true },
	{ "queues_max", KIPC_LIMIT_MQ_QUEUES, false },
	{ "msg_max", KIPC_LIMIT_MQ_MSG, false },
	{ "msgsize_max", KIPC_LIMIT_MQ_MSGSIZE, false },
	{ "msg_default", KIPC_LIMIT_MQ_MSG_DEFAULT, false },
	{ "msgsize_default", KIPC_LIMIT_MQ_MSGSIZE_DEFAULT, false },
};

static void print_limit(const struct limit *limit)
{
	uint64_t value;

	if (kipc_limit_get(limit->number, &value))
		die("%s: %s", limit->name, strerror(errno));
	if (limit->is_signed)
		printf("%-15s %20lld\n", limit->name, (long long)value);
	else
		printf("%-15s %20llu\n", limit->name, (unsigned long long)value);
}

static int verb_limits(int argc, char **argv)
{
	const struct limit *limit;
	const char *equals;
	uint64_t value;
	size_t length;
	int i;

	if (argc == 1)
		for (limit = limits; limit < limits + ARRAY_SIZE(limits); limit++)
			print_limit(limit);
	for (i = 1; i < argc; i++) {
		equals = strchr(argv[i], '=');
		length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
		for (limit = limits; limit < limits + ARRAY_SIZE(limits); limit++)
			if (strlen(limit->name) == length &&
			    strncmp(limit->name, argv[i], length) == 0)
				break;
		if (limit == limits + ARRAY_SIZE(limits))
			die("no limit '%.*s'", (int)length, argv[i]);
		if (equals) {
			if (!parse_number(equals + 1, &value))
				die("'%s' is no number", equals + 1);
			if (kipc_limit_set(limit->number, value))
				die("%s: %s", argv[i], strerror(errno));
		}
		print_limit(limit);
	}
	return 0;
}

static int verb_version(int argc, char **argv)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} features[] = {
		{ KIPC_FEATURE_SHM, "shm" },
		{ KIPC_FEATURE_SHM_HUGETLB, "shm-hugetlb" },
		{ KIPC_FEATURE_LIFETIME_CREATOR, "lifetime-creator" },
		{ KIPC_FEATURE_SEM, "sem" },
		{ KIPC_FEATURE_SEM_MAP, "sem-map" },
		{ KIPC_FEATURE_MSG, "msg" },
		{ KIPC_FEATURE_HANDLE, "handle" },
		{ KIPC_FEATURE_URING, "uring" },
		{ KIPC_FEATURE_LIFETIME_USERS, "lifetime-users" },
		{ KIPC_FEATURE_HANDLE_NOTIFY, "handle-notify" },
		{ KIPC_FEATURE_SEM_OWNER, "sem-owner" },
		{ KIPC_FEATURE_HANDLE_PUBLISH, "handle-publish" },
		{ KIPC_FEATURE_SHM_MEMFD, "shm-memfd" },
		{ KIPC_FEATURE_POSIX_SHM, "posix-shm" },
		{ KIPC_FEATURE_POSIX_SEM, "posix-sem" },
		{ KIPC_FEATURE_POSIX_MQ, "posix-mq" },
		{ KIPC_FEATURE_STREAM, "stream" },
		{ KIPC_FEATURE_NAME_ADOPT, "name-adopt" },
	};
	struct kipc_query query;
	int ret, error;
	size_t i;

	(void)argv;
	if (argc != 1)
		die_usage();
	printf("library %s, ABI %d\n", KIPC_RELEASE, KIPC_ABI_VERSION);
	fflush(stdout);
	ret = kipc_query(&query);
	error = errno;
	if (ret && error != EPROTO)
		die("no module: %s", strerror(error));
	printf("module %s, ABI %u", query.release, query.abi);
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (query.features & features[i].bit)
			printf("%s %s", query.features & (features[i].bit - 1) ? "" : ", features",
			       features[i].name);
	putchar('\n');
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} verbs[] = {
		{ "ls", verb_ls },
		{ "show", verb_show },
		{ "names", verb_names },
		{ "queues", verb_queues },
		{ "waiters", verb_waiters },
		{ "rm", verb_rm },
		{ "unlink", verb_unlink },
		{ "limits", verb_limits },
		{ "version", verb_version },
	};
	int status;
	size_t i;

	if (argc < 2)
		die_usage();
	if (strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("kipc " KIPC_RELEASE);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		status = verbs[i].run(argc - 1, argv + 1);
		if (fflush(stdout) || ferror(stdout))
			die("standard output: %s", strerror(errno));
		return status;
	}
	die_usage();
}

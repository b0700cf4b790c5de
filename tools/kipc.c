// SPDX-License-Identifier: GPL-2.0
/* kipc: look at kipc's objects, remove them, read and set limits. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kipc.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const char usage[] =
	"usage: kipc ls [-J|--json] [-r|--raw]\n"
	"       kipc rm shm ID...\n"
	"       kipc limits [NAME[=VALUE]...]\n"
	"       kipc version\n"
	"       kipc --help | --version\n";

enum { EXIT_USAGE = 2 };

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list ap;

	fputs("kipc: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void __attribute__((noreturn)) die_usage(void)
{
	fputs(usage, stderr);
	exit(EXIT_USAGE);
}

static void *check_memory(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

/* ---- Gather: a file of words in columns, named by its first line ---- */

#define MAX_FIELDS	32

/**
 * struct listing - a file of /proc/kipc
 * @names: of the columns
 * @fields: how many columns
 * @cells: @rows times @fields words
 * @rows: how many lines after the first
 */
struct listing {
	char *names[MAX_FIELDS];
	size_t fields;
	char **cells;
	size_t rows;
};

static size_t split(char *line, char **words)
{
	size_t n = 0;
	char *save, *word;

	for (word = strtok_r(line, " \t\n", &save); word && n < MAX_FIELDS;
	     word = strtok_r(NULL, " \t\n", &save))
		words[n++] = check_memory(strdup(word));
	return n;
}

static void listing_read(struct listing *listing, const char *path)
{
	char *words[MAX_FIELDS] = { NULL };
	size_t size = 0, space = 0, n;
	char *line = NULL;
	FILE *file;

	memset(listing, 0, sizeof(*listing));
	file = fopen(path, "re");
	if (!file)
		die("%s: %s%s", path, strerror(errno),
		    errno == ENOENT ? "; is the module loaded?" : "");
	while (getline(&line, &size, file) > 0) {
		if (!listing->fields) {
			listing->fields = split(line, listing->names);
			continue;
		}
		n = split(line, words);
		if (n < listing->fields)
			die("%s: a line of %zu fields instead of %zu", path, n, listing->fields);
		if (listing->rows == space) {
			space = space ? 2 * space : 64;
			listing->cells = check_memory(reallocarray(listing->cells,
						space * listing->fields, sizeof(char *)));
		}
		memcpy(listing->cells + listing->rows++ * listing->fields, words,
		       listing->fields * sizeof(char *));
	}
	if (ferror(file))
		die("%s: %s", path, strerror(errno));
	free(line);
	fclose(file);
}

/* The word of @row in the column @name, or NULL. */
static char *listing_get(const struct listing *listing, size_t row, const char *name)
{
	size_t i;

	for (i = 0; i < listing->fields; i++)
		if (strcmp(listing->names[i], name) == 0)
			return listing->cells[row * listing->fields + i];
	return NULL;
}

/* ---- The columns, for every form of output ---- */

static char *user_name(const char *uid)
{
	struct passwd *pw = getpwuid(strtoul(uid, NULL, 10));

	return check_memory(strdup(pw ? pw->pw_name : uid));
}

static char *human_age(const char *seconds)
{
	unsigned long s = strtoul(seconds, NULL, 10);
	char *text;
	int n;

	if (s < 60)
		n = asprintf(&text, "%lus", s);
	else if (s < 60 * 60)
		n = asprintf(&text, "%lum%02lus", s / 60, s % 60);
	else if (s < 24 * 60 * 60)
		n = asprintf(&text, "%luh%02lum", s / 3600, s / 60 % 60);
	else
		n = asprintf(&text, "%lud%02luh", s / 86400, s / 3600 % 24);
	return check_memory(n < 0 ? NULL : text);
}

/**
 * struct column - one column of the list of objects
 * @name: in capitals in a table
 * @source: its name in /proc/kipc/objects, or
 * @shm_source: in /proc/kipc/shm
 * @is_number: in JSON; right-aligned in a table
 * @value: from the file's word to what is shown, or NULL
 * @human: from what is shown to what a table shows, or NULL
 */
static const struct column {
	const char *name;
	const char *source;
	const char *shm_source;
	bool is_number;
	char *(*value)(const char *word);
	char *(*human)(const char *value);
} columns[] = {
	{ .name = "kind", .source = "kind" },
	{ .name = "id", .source = "id", .is_number = true },
	{ .name = "key", .source = "key" },
	{ .name = "owner", .source = "owner", .value = user_name },
	{ .name = "perms", .source = "perms" },
	{ .name = "size", .shm_source = "size", .is_number = true },
	{ .name = "users", .source = "users", .is_number = true },
	{ .name = "lifetime", .source = "lifetime" },
	{ .name = "creator", .source = "creator", .is_number = true },
	{ .name = "age", .source = "age", .is_number = true, .human = human_age },
};

#define COLUMNS	ARRAY_SIZE(columns)

/* What is to be shown: a value may be NULL, for an object that has no such thing. */
struct object {
	char *values[COLUMNS];
};

static int compare_ids(const void *a, const void *b, void *listing)
{
	int x = atoi(listing_get(listing, *(const size_t *)a, "shmid"));
	int y = atoi(listing_get(listing, *(const size_t *)b, "shmid"));

	return (x > y) - (x < y);
}

static size_t *sort_ids(struct listing *shm)
{
	size_t *order = check_memory(calloc(shm->rows + 1, sizeof(*order)));
	size_t i;

	for (i = 0; i < shm->rows; i++)
		order[i] = i;
	qsort_r(order, shm->rows, sizeof(*order), compare_ids, shm);
	return order;
}

/* The row of segment @id in @shm, or -1. */
static ssize_t find_id(const struct listing *shm, const size_t *order, int id)
{
	size_t low = 0, high = shm->rows, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (atoi(listing_get(shm, order[middle], "shmid")) < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == shm->rows || atoi(listing_get(shm, order[low], "shmid")) != id)
		return -1;
	return order[low];
}

static struct object *gather(size_t *count)
{
	struct listing list, shm;
	struct object *objects;
	const char *kind, *id, *word;
	size_t *order;
	ssize_t row;
	size_t i, c;

	listing_read(&list, "/proc/kipc/objects");
	listing_read(&shm, "/proc/kipc/shm");
	if (shm.rows && !listing_get(&shm, 0, "shmid"))
		die("/proc/kipc/shm: no column shmid");
	order = sort_ids(&shm);
	objects = check_memory(calloc(list.rows + 1, sizeof(*objects)));

	*count = 0;
	for (i = 0; i < list.rows; i++) {
		kind = listing_get(&list, i, "kind");
		id = listing_get(&list, i, "id");
		row = -1;
		if (kind && id && strcmp(kind, "shm") == 0) {
			row = find_id(&shm, order, atoi(id));
			/* Gone between the two files. */
			if (row < 0)
				continue;
		}
		for (c = 0; c < COLUMNS; c++) {
			if (columns[c].source)
				word = listing_get(&list, i, columns[c].source);
			else
				word = row < 0 ? NULL : listing_get(&shm, row,
								    columns[c].shm_source);
			if (word)
				objects[*count].values[c] = columns[c].value ?
					columns[c].value(word) : check_memory(strdup(word));
		}
		++*count;
	}
	free(order);
	return objects;
}

/* ---- Print ---- */

static void print_upper(const char *text, int width, bool is_right)
{
	char upper[32];
	size_t i;

	for (i = 0; text[i] && i < sizeof(upper) - 1; i++)
		upper[i] = toupper((unsigned char)text[i]);
	upper[i] = '\0';
	printf("%*s", is_right ? width : -width, upper);
}

static void print_table(const struct object *objects, size_t count)
{
	char **cells = check_memory(calloc(count * COLUMNS + 1, sizeof(*cells)));
	size_t width[COLUMNS];
	const char *value;
	size_t i, c;

	for (c = 0; c < COLUMNS; c++)
		width[c] = strlen(columns[c].name);
	for (i = 0; i < count; i++) {
		for (c = 0; c < COLUMNS; c++) {
			value = objects[i].values[c] ?: "-";
			cells[i * COLUMNS + c] = columns[c].human && objects[i].values[c] ?
				columns[c].human(value) : check_memory(strdup(value));
			if (strlen(cells[i * COLUMNS + c]) > width[c])
				width[c] = strlen(cells[i * COLUMNS + c]);
		}
	}

	for (c = 0; c < COLUMNS; c++) {
		print_upper(columns[c].name, width[c], columns[c].is_number);
		putchar(c + 1 < COLUMNS ? ' ' : '\n');
	}
	for (i = 0; i < count * COLUMNS; i++) {
		c = i % COLUMNS;
		printf("%*s%c", columns[c].is_number ? (int)width[c] : -(int)width[c], cells[i],
		       c + 1 < COLUMNS ? ' ' : '\n');
		free(cells[i]);
	}
	free(cells);
}

static void print_raw(const struct object *objects, size_t count)
{
	size_t i, c;

	for (c = 0; c < COLUMNS; c++) {
		print_upper(columns[c].name, 0, false);
		putchar(c + 1 < COLUMNS ? ' ' : '\n');
	}
	for (i = 0; i < count; i++)
		for (c = 0; c < COLUMNS; c++)
			printf("%s%c", objects[i].values[c] ?: "-",
			       c + 1 < COLUMNS ? ' ' : '\n');
}

static void print_json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void print_json(const struct object *objects, size_t count)
{
	const char *value;
	size_t i, c;

	printf("{\"objects\":[");
	for (i = 0; i < count; i++) {
		printf("%s\n {", i ? "," : "");
		for (c = 0; c < COLUMNS; c++) {
			value = objects[i].values[c];
			printf("%s\"%s\":", c ? "," : "", columns[c].name);
			if (!value)
				printf("null");
			else if (columns[c].is_number)
				printf("%s", value);
			else
				print_json_string(value);
		}
		putchar('}');
	}
	printf("%s]}\n", count ? "\n" : "");
}

/* ---- Verbs ---- */

static int verb_ls(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'J' },
		{ "raw", no_argument, NULL, 'r' },
		{ 0 }
	};
	void (*print)(const struct object *objects, size_t count) = print_table;
	struct object *objects;
	size_t count, i, c;
	int option;

	while ((option = getopt_long(argc, argv, "Jr", options, NULL)) != -1) {
		switch (option) {
		case 'J':
			print = print_json;
			break;
		case 'r':
			print = print_raw;
			break;
		default:
			die_usage();
		}
	}
	if (argv[optind])
		die_usage();

	objects = gather(&count);
	print(objects, count);
	for (i = 0; i < count; i++)
		for (c = 0; c < COLUMNS; c++)
			free(objects[i].values[c]);
	free(objects);
	return 0;
}

/* All of @text a number?  A negative one comes back as its two's complement. */
static bool parse_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	return *text && !*end && !errno;
}

static int verb_rm(int argc, char **argv)
{
	int i, status = 0;
	uint64_t id;

	if (argc < 3 || strcmp(argv[1], "shm") != 0)
		die_usage();
	for (i = 2; i < argc; i++) {
		if (!parse_number(argv[i], &id) || id > INT32_MAX) {
			fprintf(stderr, "kipc: '%s' is no id\n", argv[i]);
			status = 1;
		} else if (kipc_shmctl(id, IPC_RMID, NULL)) {
			fprintf(stderr, "kipc: shm %s: %s\n", argv[i], strerror(errno));
			status = 1;
		}
	}
	return status;
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
		{ "rm", verb_rm },
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

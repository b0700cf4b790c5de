// SPDX-License-Identifier: GPL-2.0
/* See listing.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "util.h"

static size_t split(char *line, char **words)
{
	size_t n = 0;
	char *save, *word;

	for (word = strtok_r(line, " \t\n", &save); word && n < LISTING_FIELDS;
	     word = strtok_r(NULL, " \t\n", &save))
		words[n++] = word;
	return n;
}

/* Copies of @n words. */
static void keep(char **to, char **words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = check_memory(strdup(words[i]));
}

void listing_init(struct listing *listing, const char *path)
{
	char *words[LISTING_FIELDS], *line = NULL;
	size_t size = 0, space = 0, n;
	FILE *file;

	*listing = (struct listing){ .path = path };
	file = fopen(path, "re");
	if (!file)
		die("%s: %s%s", path, strerror(errno),
		    errno == ENOENT ? "; is the module loaded?" : "");
	while (getline(&line, &size, file) > 0) {
		n = split(line, words);
		if (!listing->fields) {
			listing->fields = n;
			keep(listing->names, words, n);
			continue;
		}
		if (n < listing->fields)
			die("%s: a line of %zu fields instead of %zu", path, n, listing->fields);
		if (listing->rows == space) {
			space = space ? 2 * space : 64;
			listing->cells = check_memory(reallocarray(listing->cells,
						space * listing->fields, sizeof(char *)));
		}
		keep(listing->cells + listing->rows++ * listing->fields, words, listing->fields);
	}
	if (ferror(file))
		die("%s: %s", path, strerror(errno));
	free(line);
	fclose(file);
}

void listing_deinit(struct listing *listing)
{
	size_t i;

	for (i = 0; i < listing->fields; i++)
		free(listing->names[i]);
	for (i = 0; i < listing->rows * listing->fields; i++)
		free(listing->cells[i]);
	free(listing->cells);
}

size_t listing_column(const struct listing *listing, const char *name)
{
	size_t i;

	for (i = 0; i < listing->fields; i++)
		if (strcmp(listing->names[i], name) == 0)
			return i;
	die("%s: no column %s", listing->path, name);
}

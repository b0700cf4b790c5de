/* SPDX-License-Identifier: GPL-2.0 */
/* Gather: a file of words in columns, named by its first line. */
#ifndef LISTING_H
#define LISTING_H

#include <stddef.h>

/* More than any file of /proc/kipc has columns. */
#define LISTING_FIELDS	32

/**
 * struct listing - a file of /proc/kipc
 * @path: of the file
 * @names: of the columns
 * @fields: how many columns
 * @cells: @rows times @fields words
 * @rows: how many lines after the first
 */
struct listing {
	const char *path;
	char *names[LISTING_FIELDS];
	size_t fields;
	char **cells;
	size_t rows;
};

/* Read the file, or die. */
void listing_init(struct listing *listing, const char *path);
void listing_deinit(struct listing *listing);

/* The column @name, or die. */
size_t listing_column(const struct listing *listing, const char *name);

static inline const char *listing_get(const struct listing *listing, size_t row, size_t column)
{
	return listing->cells[row * listing->fields + column];
}

#endif /* LISTING_H */

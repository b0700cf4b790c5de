/* SPDX-License-Identifier: GPL-2.0 */
/* Print: rows of values, for people or for programs, from one description of the columns. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct column - one column
 * @name: in capitals in a table
 * @is_number: in JSON, but for a value that is none; right-aligned in a table
 * @human: from a value to what a table shows, or NULL
 */
struct column {
	const char *name;
	bool is_number;
	char *(*human)(const char *value);
};

/**
 * struct table - what is to be shown
 * @name: of the rows, in JSON
 * @columns: their description
 * @width: how many columns
 * @cells: @rows times @width values; NULL for what a row does not have
 * @rows: how many
 * @space: for how many rows there is room
 */
struct table {
	const char *name;
	const struct column *columns;
	size_t width;
	char **cells;
	size_t rows;
	size_t space;
};

/* An initialiser; @columns_ is an array. */
#define TABLE(name_, columns_) \
	{ .name = name_, .columns = columns_, .width = sizeof(columns_) / sizeof((columns_)[0]) }

/* A new row, empty; its values are the table's to free. */
char **table_add(struct table *table);

/* Keep the first @rows. */
void table_truncate(struct table *table, size_t rows);

static inline void table_deinit(struct table *table)
{
	table_truncate(table, 0);
}

void table_print(const struct table *table);
void table_print_json(const struct table *table);
void table_print_raw(const struct table *table);

#endif /* TABLE_H */

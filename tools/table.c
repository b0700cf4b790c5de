// SPDX-License-Identifier: GPL-2.0
/* See table.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "util.h"

char **table_add(struct table *table)
{
	char **row;

	if (table->rows == table->space) {
		table->space = table->space ? 2 * table->space : 64;
		table->cells = check_memory(reallocarray(table->cells,
					table->space * table->width, sizeof(char *)));
	}
	row = table->cells + table->rows++ * table->width;
	memset(row, 0, table->width * sizeof(*row));
	return row;
}

void table_truncate(struct table *table, size_t rows)
{
	size_t i;

	for (i = rows * table->width; i < table->rows * table->width; i++)
		free(table->cells[i]);
	table->rows = rows;
	if (rows)
		return;
	free(table->cells);
	table->cells = NULL;
	table->space = 0;
}

static void print_upper(const char *text, int width, bool is_right)
{
	char upper[32];
	size_t i;

	for (i = 0; text[i] && i < sizeof(upper) - 1; i++)
		upper[i] = toupper((unsigned char)text[i]);
	upper[i] = '\0';
	printf("%*s", is_right ? width : -width, upper);
}

/* Nothing is put after the last column. */
static int pad(const struct table *table, size_t column, size_t width)
{
	if (table->columns[column].is_number)
		return width;
	return column + 1 < table->width ? -(int)width : 0;
}

static char end(const struct table *table, size_t column)
{
	return column + 1 < table->width ? ' ' : '\n';
}

void table_print(const struct table *table)
{
	size_t count = table->rows * table->width, i, c;
	char **cells = check_memory(calloc(count + 1, sizeof(*cells)));
	size_t *width = check_memory(calloc(table->width, sizeof(*width)));
	const struct column *column;
	const char *value;

	for (c = 0; c < table->width; c++)
		width[c] = strlen(table->columns[c].name);
	for (i = 0; i < count; i++) {
		c = i % table->width;
		column = &table->columns[c];
		value = table->cells[i];
		cells[i] = value && column->human ? column->human(value) :
						    check_memory(strdup(value ?: "-"));
		if (strlen(cells[i]) > width[c])
			width[c] = strlen(cells[i]);
	}

	for (c = 0; c < table->width; c++) {
		print_upper(table->columns[c].name, abs(pad(table, c, width[c])),
			    table->columns[c].is_number);
		putchar(end(table, c));
	}
	for (i = 0; i < count; i++) {
		c = i % table->width;
		printf("%*s%c", pad(table, c, width[c]), cells[i], end(table, c));
		free(cells[i]);
	}
	free(width);
	free(cells);
}

void table_print_raw(const struct table *table)
{
	size_t i, c;

	for (c = 0; c < table->width; c++) {
		print_upper(table->columns[c].name, 0, false);
		putchar(end(table, c));
	}
	for (i = 0; i < table->rows * table->width; i++)
		printf("%s%c", table->cells[i] ?: "-", end(table, i % table->width));
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

/* A column of numbers may hold a word here and there. */
static bool is_number(const char *value)
{
	value += *value == '-';
	return *value && !value[strspn(value, "0123456789")];
}

void table_print_json(const struct table *table)
{
	const char *value;
	size_t i, c;

	printf("{\"%s\":[", table->name);
	for (i = 0; i < table->rows; i++) {
		printf("%s\n {", i ? "," : "");
		for (c = 0; c < table->width; c++) {
			value = table->cells[i * table->width + c];
			printf("%s\"%s\":", c ? "," : "", table->columns[c].name);
			if (!value)
				printf("null");
			else if (table->columns[c].is_number && is_number(value))
				printf("%s", value);
			else
				print_json_string(value);
		}
		putchar('}');
	}
	printf("%s]}\n", table->rows ? "\n" : "");
}

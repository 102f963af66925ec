/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists as tables: a JSON object a row. On a terminal a table is never wider than that; what is less
 * important is cut, or left out, first. */

#include <hsvdpa/client.h>

#include "ctl/screen.h"
#include "util/macro.h"

#define TABLE_COLUMNS_MAX 24

typedef struct Column {
        const char *title;
        const char *pointer; /* of the value in the row's object; NULL: the event */
        unsigned importance; /* 1: stays to the last; no two columns of a table have the same */
        size_t min_width;    /* cut to no less than this before the column is left out */
        bool align_right;
        bool is_wide;          /* only in a wide table; such columns are the last, and the least important */
        const char *element;   /* pointer in each element of an array, to show that of it; or NULL */
        const char *separator; /* between the parts of a value; NULL: "," */
        Style (*style)(const char *text); /* or NULL */
} Column;

typedef struct Table Table;

/* columns has to outlive the table. A wide table has all of them, and is as wide as it becomes. Returns 0 or
 * -ENOMEM. */
int table_new(const Column *columns, size_t n_columns, bool is_wide, Table **ret);
Table *table_free(Table *table);
DEFINE_CLEANUP(Table *, table_free)

/* How many of the columns a table would have. */
size_t table_count_columns(const Column *columns, size_t n_columns, bool is_wide);

/* Adds every element of the array items, or one object. Returns 0 or -ENOMEM. */
int table_add(Table *table, const HsvValue *items);
int table_add_item(Table *table, const HsvValue *item);

/* Adds a row for an event: the columns without a pointer get its name. item: NULL if there is only its key, for the
 * most important column. Returns 0 or -ENOMEM. */
int table_add_event(Table *table, const char *event, const char *key, const HsvValue *item);

size_t table_count(const Table *table);

void table_print(const Table *table, const Screen *screen);

/* Prints a table that goes on where another one with the same columns has ended. widths: of the columns so far, 0
 * at the beginning; they only grow. */
void table_print_more(const Table *table, const Screen *screen, bool has_titles, size_t *widths);

/* How wide each column becomes, of those that are natural wide and have two blanks between them, in a
 * table of total columns (0: no limit). 0: the column is left out. */
void table_layout(const Column *columns, const size_t *natural, size_t n_columns, size_t total, size_t *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/table.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ctl/text.h"
#include "ctl/value.h"

#define GAP 2

struct Table {
        const Column *columns;
        size_t n_columns;
        char **cells; /* row by row */
        size_t n_rows;
        size_t rows_size;
        bool is_wide;
};

size_t table_count_columns(const Column *columns, size_t n_columns, bool is_wide) {
        while (!is_wide && columns[n_columns - 1].is_wide)
                n_columns--;
        return n_columns;
}

int table_new(const Column *columns, size_t n_columns, bool is_wide, Table **ret) {
        Table *table;

        assert(n_columns <= TABLE_COLUMNS_MAX);
        table = malloc(sizeof *table);
        if (!table)
                return -ENOMEM;
        *table = (Table){
                .columns = columns,
                .n_columns = table_count_columns(columns, n_columns, is_wide),
                .is_wide = is_wide,
        };
        *ret = table;
        return 0;
}

Table *table_free(Table *table) {
        if (!table)
                return NULL;
        for (size_t i = 0; i < table->n_rows * table->n_columns; i++)
                free(table->cells[i]);
        free(table->cells);
        free(table);
        return NULL;
}

static int grow(Table *table) {
        size_t size = table->rows_size ? table->rows_size * 2 : 64;
        char **cells = reallocarray(table->cells, size, table->n_columns * sizeof *cells);

        if (!cells)
                return -ENOMEM;
        table->cells = cells;
        table->rows_size = size;
        return 0;
}

static char *format_cell(const Column *column, const char *event, const char *key, const HsvValue *item) {
        if (!column->pointer)
                return text_escape(event, false);
        if (!item && column->importance == 1)
                return text_escape(key, false);
        return value_format_elements(hsv_value_get(item, column->pointer), column->element ?: "",
                                     column->separator ?: ",");
}

int table_add_event(Table *table, const char *event, const char *key, const HsvValue *item) {
        char **row;

        if (table->n_rows == table->rows_size && grow(table) < 0)
                return -ENOMEM;
        row = table->cells + table->n_rows * table->n_columns;
        for (size_t i = 0; i < table->n_columns; i++) {
                row[i] = format_cell(&table->columns[i], event, key, item);
                if (!row[i]) {
                        while (i > 0)
                                free(row[--i]);
                        return -ENOMEM;
                }
        }
        table->n_rows++;
        return 0;
}

int table_add_item(Table *table, const HsvValue *item) {
        return table_add_event(table, "", "", item);
}

int table_add(Table *table, const HsvValue *items) {
        for (size_t i = 0, n = hsv_value_count(items); i < n; i++) {
                int r = table_add_item(table, hsv_value_at(items, i));

                if (r < 0)
                        return r;
        }
        return 0;
}

size_t table_count(const Table *table) {
        return table->n_rows;
}

static size_t smaller(size_t a, size_t b) {
        return a < b ? a : b;
}

/* The column of that importance, which is there for every number from 1 on. */
static size_t find_importance(const Column *columns, size_t n_columns, unsigned importance) {
        for (size_t i = 0; i < n_columns; i++)
                if (columns[i].importance == importance)
                        return i;
        return 0;
}

void table_layout(const Column *columns, const size_t *natural, size_t n_columns, size_t total, size_t *ret) {
        size_t left = total + GAP;

        memset(ret, 0, n_columns * sizeof *ret);

        /* The least that each wants, by importance, while there is room. */
        for (unsigned k = 1; k <= n_columns; k++) {
                size_t i = find_importance(columns, n_columns, k), wanted = natural[i];

                if (total > 0) {
                        wanted = smaller(wanted, columns[i].min_width);
                        if (wanted + GAP > left && k > 1)
                                break;
                        wanted = smaller(wanted, left - GAP);
                        left -= wanted + GAP;
                }
                ret[i] = wanted;
        }
        if (total == 0)
                return;

        /* What is over goes to the same columns, again by importance. */
        for (unsigned k = 1; k <= n_columns; k++) {
                size_t i = find_importance(columns, n_columns, k), more;

                if (ret[i] == 0)
                        continue;
                more = smaller(natural[i] - ret[i], left);
                ret[i] += more;
                left -= more;
        }
}

/* One cell, cut to the width of its column, and filled up to it unless nothing comes after it. */
static void print_cell(const Screen *s, const Column *column, const char *text, Style style, size_t width,
                       bool is_last) {
        const char *ellipsis = "";
        size_t n_columns, n = text_fit(text, width, &n_columns);
        int fill;

        if (text[n] && text_width(text_ellipsis()) < width) {
                ellipsis = text_ellipsis();
                n = text_fit(text, width - text_width(ellipsis), &n_columns);
                n_columns += text_width(ellipsis);
        }
        fill = (int) (width - n_columns);
        (void) fprintf(s->file, "%*s%s%.*s%s%s", column->align_right ? fill : 0, "", screen_style(s, style),
                       (int) n, text, ellipsis, screen_plain(s, style));
        if (!is_last)
                (void) fprintf(s->file, "%*s", (column->align_right ? 0 : fill) + GAP, "");
}

/* row: NULL for the titles. */
static void print_row(const Table *table, const Screen *screen, char **row, const size_t *widths) {
        size_t last = 0;

        for (size_t i = 0; i < table->n_columns; i++)
                if (widths[i] > 0)
                        last = i;
        for (size_t i = 0; i <= last; i++) {
                const Column *column = &table->columns[i];
                const char *text = row ? row[i] : column->title;
                Style style = row && column->style ? column->style(text) : STYLE_NONE;

                if (widths[i] > 0)
                        print_cell(screen, column, text, style, widths[i], i == last);
        }
        (void) fputc('\n', screen->file);
}

/* Widens natural to what titles and cells need. */
static void measure(const Table *table, bool has_titles, size_t *natural) {
        for (size_t i = 0; has_titles && i < table->n_columns; i++)
                if (strlen(table->columns[i].title) > natural[i])
                        natural[i] = strlen(table->columns[i].title);
        for (size_t k = 0; k < table->n_rows * table->n_columns; k++) {
                size_t i = k % table->n_columns, width = text_width(table->cells[k]);

                if (width > natural[i])
                        natural[i] = width;
        }
}

static void print_rows(const Table *table, const Screen *screen, const size_t *widths) {
        for (size_t k = 0; k < table->n_rows; k++)
                print_row(table, screen, table->cells + k * table->n_columns, widths);
}

void table_print(const Table *table, const Screen *screen) {
        size_t natural[TABLE_COLUMNS_MAX] = {}, widths[TABLE_COLUMNS_MAX] = {};

        measure(table, true, natural);
        table_layout(table->columns, natural, table->n_columns, table->is_wide ? 0 : screen->width, widths);
        print_row(table, screen, NULL, widths);
        print_rows(table, screen, widths);
}

void table_print_more(const Table *table, const Screen *screen, bool has_titles, size_t *widths) {
        measure(table, has_titles, widths);
        if (has_titles)
                print_row(table, screen, NULL, widths);
        print_rows(table, screen, widths);
}

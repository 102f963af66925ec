/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/watch-list.h"

#include <errno.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/text.h"

/* Lines of a terminal that are no rows: what is shown, a blank line, the titles, the number of rows left out, and
 * where the cursor stands. */
#define LINES_AROUND 5

/* One item as it was last time. Its text is not kept: a list can be long. */
typedef struct Entry {
        char *key;
        uint64_t hash;
        bool is_seen;
} Entry;

typedef struct EntryList {
        Entry *entry; /* in order of key, once it is complete */
        size_t n;
        size_t size;
} EntryList;

struct Watch {
        Context *context; /* weak */
        const WatchedList *list;
        Column columns[TABLE_COLUMNS_MAX]; /* those of the list, after that of the event */
        size_t n_columns;
        size_t widths[TABLE_COLUMNS_MAX];
        bool has_titles;

        EntryList before, now;
        Table *table;   /* rows of this look */
        size_t n_items; /* of this look */
};

static void entry_list_done(EntryList *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->entry[i].key);
        free(list->entry);
        *list = (EntryList){};
}

static int entry_list_add(EntryList *list, const char *key, uint64_t hash) {
        if (list->n == list->size) {
                size_t size = list->size ? list->size * 2 : 64;
                Entry *entry = reallocarray(list->entry, size, sizeof *entry);

                if (!entry)
                        return -ENOMEM;
                list->entry = entry;
                list->size = size;
        }
        list->entry[list->n] = (Entry){ .key = strdup(key), .hash = hash };
        if (!list->entry[list->n].key)
                return -ENOMEM;
        list->n++;
        return 0;
}

static int compare_entries(const void *a, const void *b) {
        return strcmp(((const Entry *) a)->key, ((const Entry *) b)->key);
}

static Entry *entry_list_find(const EntryList *list, const char *key) {
        const Entry wanted = { .key = (char *) key };

        return list->n > 0 ? bsearch(&wanted, list->entry, list->n, sizeof wanted, compare_entries) : NULL;
}

/* FNV-1a. */
static uint64_t hash_text(const char *text) {
        uint64_t hash = 0xcbf29ce484222325;

        for (; *text; text++)
                hash = (hash ^ (unsigned char) *text) * 0x100000001b3;
        return hash;
}

int watch_new(Context *context, const WatchedList *list, Watch **ret) {
        bool is_wide = context->format == FORMAT_WIDE;
        Watch *watch = calloc(1, sizeof *watch);
        size_t n = table_count_columns(list->columns, list->n_columns, is_wide);

        if (!watch)
                return -ENOMEM;
        watch->context = context;
        watch->list = list;
        watch->columns[0] = (Column){ "EVENT", NULL, .importance = (unsigned) n + 1, .min_width = 7 };
        memcpy(watch->columns + 1, list->columns, n * sizeof *list->columns);
        watch->n_columns = n + 1;
        *ret = watch;
        return 0;
}

Watch *watch_free(Watch *watch) {
        entry_list_done(&watch->before);
        entry_list_done(&watch->now);
        table_free(watch->table);
        free(watch);
        return NULL;
}

/* One change as a document. json: of the item; NULL for one that is gone. */
static int tell_document(Watch *watch, const char *event, const char *key, const char *json) {
        _cleanup_free_ char *quoted = text_quote(key), *text = NULL;

        if (!quoted)
                return -ENOMEM;
        text = text_format("{\"event\":\"%s\",\"key\":%s%s%s}", event, quoted, json ? ",\"object\":" : "",
                           json ?: "");
        return text && watch_print_document(watch->context, text) == EXIT_CODE_OK ? 0 : -ENOMEM;
}

static int tell(Watch *watch, const char *event, const char *key, const HsvValue *item, const char *json) {
        if (format_is_document(watch->context->format))
                return tell_document(watch, event, key, json);
        return table_add_event(watch->table, event, key, item);
}

static int take_item(Watch *watch, const HsvValue *item) {
        const char *key = hsv_value_string(hsv_value_get(item, watch->list->key)) ?: "";
        _cleanup_free_ char *json = hsv_value_encode(item);
        Entry *before = entry_list_find(&watch->before, key);
        uint64_t hash;

        if (!json)
                return -ENOMEM;
        hash = hash_text(json);
        if (entry_list_add(&watch->now, key, hash) < 0)
                return -ENOMEM;
        if (!before)
                return tell(watch, "added", key, item, json);
        before->is_seen = true;
        return before->hash == hash ? 0 : tell(watch, "changed", key, item, json);
}

/* As many rows as there is room for. */
static int take_row(Watch *watch, const HsvValue *item) {
        size_t height = screen_height(&watch->context->screen);
        size_t room = height > LINES_AROUND ? height - LINES_AROUND : 1;

        if (height > 0 && table_count(watch->table) >= room)
                return 0;
        return table_add_item(watch->table, item);
}

int watch_add(Watch *watch, const HsvValue *items) {
        bool redraws = watch_redraws(watch->context);

        for (size_t i = 0, n = hsv_value_count(items); i < n; i++) {
                const HsvValue *item = hsv_value_at(items, i);
                int r = redraws ? take_row(watch, item) : take_item(watch, item);

                if (r < 0)
                        return r;
                watch->n_items++;
        }
        return 0;
}

static int tell_of_gone(Watch *watch) {
        for (size_t i = 0; i < watch->before.n; i++) {
                const Entry *entry = &watch->before.entry[i];
                int r = entry->is_seen ? 0 : tell(watch, "deleted", entry->key, NULL, NULL);

                if (r < 0)
                        return r;
        }
        return 0;
}

static ExitCode append(Watch *watch) {
        if (tell_of_gone(watch) < 0)
                return report_oom();
        if (watch->now.n > 1)
                qsort(watch->now.entry, watch->now.n, sizeof *watch->now.entry, compare_entries);
        entry_list_done(&watch->before);
        watch->before = watch->now;
        watch->now = (EntryList){};
        if (!format_is_document(watch->context->format)) {
                table_print_more(watch->table, &watch->context->screen, !watch->has_titles, watch->widths);
                watch->has_titles = true;
        }
        return EXIT_CODE_OK;
}

static ExitCode redraw(Watch *watch) {
        const Screen *screen = &watch->context->screen;
        ExitCode code;

        watch_clear(watch->context, watch->list->subject);
        code = output_table(screen, watch->table, watch->list->if_empty);
        if (watch->n_items > table_count(watch->table))
                (void) fprintf(screen->file, "and %zu more\n", watch->n_items - table_count(watch->table));
        return code;
}

int watch_look(Context *context, Watch *watch, ExitCode *ret) {
        bool redraws = watch_redraws(context), is_wide = context->format == FORMAT_WIDE;
        int r;

        watch->table = table_free(watch->table);
        watch->n_items = 0;
        entry_list_done(&watch->now);
        for (size_t i = 0; i < watch->before.n; i++)
                watch->before.entry[i].is_seen = false;
        r = redraws ? table_new(watch->list->columns, watch->list->n_columns, is_wide, &watch->table)
                    : table_new(watch->columns, watch->n_columns, true, &watch->table);
        if (r < 0) {
                *ret = report_oom();
                return 0;
        }
        r = watch->list->look(context, watch->list->userdata, watch);
        if (r == 0)
                *ret = redraws ? redraw(watch) : append(watch);
        return r == WATCH_SAME ? 0 : r;
}

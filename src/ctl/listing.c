/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/listing.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/text.h"

/* What has come so far: as rows of a table, or as the inside of a JSON array. */
typedef struct Collection {
        Table *table;
        FILE *items;
        char *items_text;
        size_t items_size;

        size_t n;
        int64_t revision; /* of the first page: what has changed since then is what a reader may have missed */
        bool has_more;
} Collection;

static void collection_done(Collection *c) {
        table_free(c->table);
        if (c->items)
                (void) fclose(c->items);
        free(c->items_text);
}

static int collection_init(Collection *c, const Listing *listing, Format format) {
        *c = (Collection){};
        if (!format_is_document(format))
                return table_new(listing->columns, listing->n_columns, format == FORMAT_WIDE, &c->table);
        c->items = open_memstream(&c->items_text, &c->items_size);
        return c->items ? 0 : -ENOMEM;
}

static int add_json(Collection *c, const HsvValue *items) {
        _cleanup_free_ char *array = hsv_value_encode(items);
        size_t size;

        if (!array)
                return -ENOMEM;
        size = strlen(array);
        if (c->n > 0)
                (void) fputc(',', c->items);
        (void) fwrite(array + 1, 1, size - 2, c->items);
        return ferror(c->items) ? -ENOMEM : 0;
}

static int collection_add(Collection *c, const HsvValue *page) {
        const HsvValue *items = hsv_value_get(page, "/items");
        int r = 0;

        if (c->revision == 0)
                (void) hsv_value_integer(hsv_value_get(page, "/revision"), &c->revision);
        c->has_more = hsv_value_get(page, "/continue");
        if (hsv_value_count(items) == 0)
                return 0;
        r = c->table ? table_add(c->table, items) : add_json(c, items);
        c->n += hsv_value_count(items);
        return r;
}

/* Lists that have no revision are shown without one. */
static char *format_document(const Collection *c) {
        if (c->revision == 0)
                return text_format("{\"items\":[%s]}", c->items_text);
        return text_format("{\"items\":[%s],\"revision\":%" PRId64 "}", c->items_text, c->revision);
}

static ExitCode collection_print(Collection *c, const Context *context, const char *if_empty) {
        const Screen *screen = &context->screen;
        _cleanup_free_ char *text = NULL;

        if (c->table) {
                (void) output_table(screen, c->table, if_empty);
                (void) fflush(screen->file);
                if (c->has_more)
                        (void) fputs("There are more; --limit has cut the list.\n", stderr);
                return EXIT_CODE_OK;
        }
        if (fflush(c->items) != 0)
                return report_oom();
        text = format_document(c);
        return text ? output_document(context, text) : report_oom();
}

char **listing_filters(const Arguments *arguments, const char *const *names) {
        _cleanup_(strings_freep) char **filters = calloc(arguments->n_options + 1, sizeof *filters);
        size_t n = 0;

        for (const char *const *name = names; filters && *name; name++)
                for (size_t k = 0; k < arguments_count(arguments, *name); k++) {
                        const char *value = arguments_nth(arguments, *name, k);

                        filters[n] = text_format("%s=%s", *name, value ?: "true");
                        if (!filters[n++])
                                return NULL;
                }
        return TAKE_PTR(filters);
}

static ExitCode collect(Context *context, HsvList *list, uint64_t limit, const char *subject, Collection *c) {
        while (c->n < limit) {
                _cleanup_(document_freep) HsvDocument *page = NULL;
                uint64_t left = limit - c->n;
                int r;

                r = hsv_list_next(list, left < LISTING_PAGE_MAX ? (unsigned) left : LISTING_PAGE_MAX, &page);
                if (r != 0)
                        return report_failure(context->client, r, subject);
                if (!page)
                        break;
                if (collection_add(c, hsv_document_root(page)) < 0)
                        return report_oom();
        }
        return EXIT_CODE_OK;
}

ExitCode listing_run(Context *context, const Arguments *arguments, const Listing *listing, HsvList *list) {
        _cleanup_(collection_done) Collection c = {};
        const char *text = arguments_get(arguments, "limit");
        uint64_t limit = UINT64_MAX;
        ExitCode code;

        if (text && (!number_parse(text, 10, INT32_MAX, &limit) || limit == 0))
                return report_usage("--limit: '%s' is not a number from 1 on", text);
        if (collection_init(&c, listing, context->format) < 0)
                return report_oom();
        code = collect(context, list, limit, listing->subject, &c);
        return code == EXIT_CODE_OK ? collection_print(&c, context, listing->if_empty) : code;
}

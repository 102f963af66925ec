/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device list: as many pages as it takes, as one list. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/device.h"
#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/watch.h"

/* The daemon gives no more at a time. */
#define PAGE_MAX 1000

#define IF_EMPTY "No devices."

static const Column columns[] = {
        { "NAME", "/name", .importance = 1, .min_width = 24 },
        { "STATE", "/status/state", .importance = 2, .min_width = 8, .style = style_of_state },
        { "CLASS", "/spec/class", .importance = 4, .min_width = 8 },
        { "ENDPOINT", "/status/endpoint", .importance = 3, .min_width = 18 },
        { "MGMTDEV", "/status/mgmtdev", .importance = 5, .min_width = 20 },
        { "DRIVER", "/status/driver", .importance = 7, .min_width = 11 },
        { "MAC", "/status/net/mac", .importance = 8, .min_width = 17 },
        { "OWNER", "/spec/owner", .importance = 6, .min_width = 8 },
        { "LABELS", "/spec/labels", .importance = 9, .min_width = 12 },
        { "MTU", "/status/net/mtu", .importance = 10, .min_width = 5, .align_right = true, .is_wide = true },
        { "VQS", "/status/max_vqs", .importance = 11, .min_width = 5, .align_right = true, .is_wide = true },
        { "PERSISTENT", "/spec/persistent", .importance = 12, .min_width = 10, .is_wide = true },
        { "CREATED", "/created", .importance = 13, .min_width = 20, .is_wide = true },
        { "REVISION", "/revision", .importance = 14, .min_width = 8, .align_right = true, .is_wide = true },
        { "UID", "/uid", .importance = 15, .min_width = 36, .is_wide = true },
        { "FEATURES", "/status/features", .importance = 16, .min_width = 12, .is_wide = true },
        { "ASIDS", "/status/asids", .importance = 17, .min_width = 5, .is_wide = true, .element = "/asid" },
        { "MSIS", "/status/msis", .importance = 18, .min_width = 5, .is_wide = true, .element = "/entry" },
        { "REASON", "/status/reason/detail", .importance = 19, .min_width = 12, .is_wide = true },
};

static const char *const filter_names[] = { "class", "state", "mgmtdev", "owner", "label", "prefix" };

/* The devices so far: as rows of a table, or as the inside of a JSON array. */
typedef struct Listing {
        Table *table;
        FILE *items;
        char *items_text;
        size_t items_size;

        size_t n;
        int64_t revision; /* of the first page: what has changed since then is what a reader may have missed */
        bool has_more;
} Listing;

static void listing_done(Listing *l) {
        table_free(l->table);
        if (l->items)
                (void) fclose(l->items);
        free(l->items_text);
}

static int listing_init(Listing *l, Format format) {
        *l = (Listing){};
        if (!format_is_document(format))
                return table_new(columns, ELEMENTSOF(columns), format == FORMAT_WIDE, &l->table);
        l->items = open_memstream(&l->items_text, &l->items_size);
        return l->items ? 0 : -ENOMEM;
}

static int add_json(Listing *l, const HsvValue *items) {
        _cleanup_free_ char *array = hsv_value_encode(items);
        size_t size;

        if (!array)
                return -ENOMEM;
        size = strlen(array);
        if (l->n > 0)
                (void) fputc(',', l->items);
        (void) fwrite(array + 1, 1, size - 2, l->items);
        return ferror(l->items) ? -ENOMEM : 0;
}

static int listing_add(Listing *l, const HsvValue *page) {
        const HsvValue *items = hsv_value_get(page, "/items");
        int r = 0;

        if (l->revision == 0)
                (void) hsv_value_integer(hsv_value_get(page, "/revision"), &l->revision);
        l->has_more = hsv_value_get(page, "/continue");
        if (hsv_value_count(items) == 0)
                return 0;
        r = l->table ? table_add(l->table, items) : add_json(l, items);
        l->n += hsv_value_count(items);
        return r;
}

static ExitCode listing_print(Listing *l, const Context *context) {
        const Screen *screen = &context->screen;
        _cleanup_free_ char *text = NULL;

        if (l->table) {
                (void) output_table(screen, l->table, IF_EMPTY);
                (void) fflush(screen->file);
                if (l->has_more)
                        (void) fputs("There are more; --limit has cut the list.\n", stderr);
                return EXIT_CODE_OK;
        }
        if (fflush(l->items) != 0)
                return report_oom();
        text = text_format("{\"items\":[%s],\"revision\":%" PRId64 "}", l->items_text, l->revision);
        return text ? output_document(context, text) : report_oom();
}

static void strings_freep(char ***strings) {
        for (char **s = *strings; s && *s; s++)
                free(*s);
        free(*strings);
}

/* NAME=VALUE of every filter that was given, and NULL at the end. NULL when out of memory. */
static char **filters_new(const Arguments *arguments) {
        _cleanup_(strings_freep) char **filters = calloc(arguments->n_options + 1, sizeof *filters);
        size_t n = 0;

        for (size_t i = 0; filters && i < ELEMENTSOF(filter_names); i++)
                for (size_t k = 0; k < arguments_count(arguments, filter_names[i]); k++) {
                        const char *value = arguments_nth(arguments, filter_names[i], k);

                        filters[n] = text_format("%s=%s", filter_names[i], value);
                        if (!filters[n++])
                                return NULL;
                }
        return TAKE_PTR(filters);
}

static ExitCode collect(Context *context, HsvDeviceList *list, uint64_t limit, Listing *listing) {
        while (listing->n < limit) {
                _cleanup_(document_freep) HsvDocument *page = NULL;
                uint64_t left = limit - listing->n;
                int r;

                r = hsv_device_list_next(list, left < PAGE_MAX ? (unsigned) left : PAGE_MAX, &page);
                if (r != 0)
                        return report_failure(context->client, r, "device list");
                if (!page)
                        break;
                if (listing_add(listing, hsv_document_root(page)) < 0)
                        return report_oom();
        }
        return listing_print(listing, context);
}

/* What --watch looks for. */
typedef struct Watched {
        const char *const *filters;
        int64_t revision; /* of the inventory, at the last look */
} Watched;

/* Asks for one device, to get the revision with it. */
static int get_revision(HsvClient *client, int64_t *ret) {
        _cleanup_(document_freep) HsvDocument *page = NULL;
        HsvDeviceList *list;
        int r;

        r = hsv_device_list_new(client, NULL, &list);
        if (r != 0)
                return r;
        r = hsv_device_list_next(list, 1, &page);
        hsv_device_list_free(list);
        *ret = 0;
        if (r == 0)
                (void) hsv_value_integer(hsv_value_get(hsv_document_root(page), "/revision"), ret);
        return r;
}

static int look_at_pages(HsvDeviceList *list, Watch *watch) {
        for (;;) {
                _cleanup_(document_freep) HsvDocument *page = NULL;
                int r;

                r = hsv_device_list_next(list, PAGE_MAX, &page);
                if (r != 0 || !page)
                        return r;
                r = watch_add(watch, hsv_value_get(hsv_document_root(page), "/items"));
                if (r < 0)
                        return r;
        }
}

static int look(Context *context, void *userdata, Watch *watch) {
        Watched *watched = userdata;
        HsvDeviceList *list;
        int64_t revision;
        int r;

        r = get_revision(context->client, &revision);
        if (r == 0 && revision == watched->revision)
                return WATCH_SAME;
        if (r == 0)
                r = hsv_device_list_new(context->client, watched->filters, &list);
        if (r != 0)
                return r;
        r = look_at_pages(list, watch);
        hsv_device_list_free(list);
        if (r == 0)
                watched->revision = revision;
        return r;
}

static ExitCode watch_devices(Context *context, const Arguments *arguments, char **filters) {
        Watched watched = { .filters = (const char *const *) filters, .revision = -1 };
        WatchedList list = {
                .subject = "device list",
                .columns = columns,
                .n_columns = ELEMENTSOF(columns),
                .key = "/name",
                .if_empty = IF_EMPTY,
                .look = look,
                .userdata = &watched,
        };

        if (arguments_has(arguments, "limit"))
                return report_usage("device list: --limit and --watch exclude each other");
        return filters ? watch_list(context, arguments, &list) : report_oom();
}

ExitCode device_list(Context *context, const Arguments *arguments) {
        _cleanup_(strings_freep) char **filters = filters_new(arguments);
        _cleanup_(listing_done) Listing listing = {};
        const char *text = arguments_get(arguments, "limit");
        uint64_t limit = UINT64_MAX;
        HsvDeviceList *list;
        ExitCode code;
        int r;

        if (text && (!number_parse(text, 10, INT32_MAX, &limit) || limit == 0))
                return report_usage("--limit: '%s' is not a number from 1 on", text);
        if (arguments_has(arguments, "watch"))
                return watch_devices(context, arguments, filters);
        if (!filters || listing_init(&listing, context->format) < 0)
                return report_oom();

        r = hsv_device_list_new(context->client, (const char *const *) filters, &list);
        if (r != 0)
                return report_failure(context->client, r, "device list");
        code = collect(context, list, limit, &listing);
        hsv_device_list_free(list);
        return code;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device list */

#include "ctl/device.h"
#include "ctl/listing.h"
#include "ctl/output.h"
#include "ctl/watch.h"

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
        { "LEASE", "/status/lease/remaining_seconds", .importance = 21, .min_width = 6, .align_right = true,
          .is_wide = true },
        { "CREATED", "/created", .importance = 13, .min_width = 20, .is_wide = true },
        { "REVISION", "/revision", .importance = 14, .min_width = 8, .align_right = true, .is_wide = true },
        { "UID", "/uid", .importance = 15, .min_width = 36, .is_wide = true },
        { "FEATURES", "/status/features", .importance = 16, .min_width = 12, .is_wide = true },
        { "VQ-GROUPS", "/status/group_of_vq", .importance = 20, .min_width = 9, .is_wide = true },
        { "ASIDS", "/status/asids", .importance = 17, .min_width = 5, .is_wide = true, .element = "/asid" },
        { "MSIS", "/status/msis", .importance = 18, .min_width = 5, .is_wide = true, .element = "/entry" },
        { "REASON", "/status/reason/detail", .importance = 19, .min_width = 12, .is_wide = true },
};

static const char *const filter_names[] = { "class", "state", "mgmtdev", "owner", "label", "prefix", NULL };

static const Listing listing = {
        .subject = "device list",
        .columns = columns,
        .n_columns = ELEMENTSOF(columns),
        .if_empty = IF_EMPTY,
};

/* What --watch looks for. */
typedef struct Watched {
        const char *const *filters;
        uint64_t revision; /* of the inventory, at the last look */
} Watched;

/* Asks for one device, to get the revision with it. */
int device_get_revision(HsvClient *client, uint64_t *ret) {
        _cleanup_(document_freep) HsvDocument *page = NULL;
        _cleanup_(list_freep) HsvList *list = NULL;
        int64_t revision = 0;
        int r;

        r = hsv_device_list_new(client, NULL, &list);
        if (r == 0)
                r = hsv_list_next(list, 1, &page);
        if (r != 0)
                return r;
        (void) hsv_value_integer(hsv_value_get(hsv_document_root(page), "/revision"), &revision);
        *ret = (uint64_t) revision;
        return 0;
}

static int look_at_pages(HsvList *list, Watch *watch) {
        for (;;) {
                _cleanup_(document_freep) HsvDocument *page = NULL;
                int r;

                r = hsv_list_next(list, LISTING_PAGE_MAX, &page);
                if (r != 0 || !page)
                        return r;
                r = watch_add(watch, hsv_value_get(hsv_document_root(page), "/items"));
                if (r < 0)
                        return r;
        }
}

static int look(Context *context, void *userdata, Watch *watch) {
        Watched *watched = userdata;
        _cleanup_(list_freep) HsvList *list = NULL;
        uint64_t revision = 0;
        int r;

        r = device_get_revision(context->client, &revision);
        if (r == 0 && revision == watched->revision)
                return WATCH_SAME;
        if (r == 0)
                r = hsv_device_list_new(context->client, watched->filters, &list);
        if (r != 0)
                return r;
        r = look_at_pages(list, watch);
        if (r == 0)
                watched->revision = revision;
        return r;
}

static ExitCode watch_devices(Context *context, const Arguments *arguments, char **filters) {
        Watched watched = { .filters = (const char *const *) filters, .revision = UINT64_MAX };
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
        return watch_list(context, arguments, &list);
}

ExitCode device_list(Context *context, const Arguments *arguments) {
        _cleanup_(strings_freep) char **filters = listing_filters(arguments, filter_names);
        _cleanup_(list_freep) HsvList *list = NULL;
        int r;

        if (!filters)
                return report_oom();
        if (arguments_has(arguments, "watch"))
                return watch_devices(context, arguments, filters);
        r = hsv_device_list_new(context->client, (const char *const *) filters, &list);
        return r != 0 ? report_failure(context->client, r, "device list")
                      : listing_run(context, arguments, &listing, list);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/device-list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>

#include "inventory/device-json.h"

/* More than there is between two devices, and around them. */
#define ROOM 256

static void take_label(HttpQuery *q, DeviceListing *l, const char *text) {
        const char *equals = strchr(text, '=');
        FilterFault fault;

        if (!equals || equals == text)
                http_query_fault(q, "label", "bad-label", "must be KEY=VALUE");
        else if (device_listing_filter_label(l, text, (size_t) (equals - text), equals + 1, &fault) < 0)
                http_query_fault(q, "label", fault.code, fault.detail);
}

void http_device_listing_decode(HttpQuery *q, uint64_t now_revision, DeviceListing *ret) {
        const char *value;

        device_listing_init(ret, now_revision);
        (void) http_query_take_integer(q, "limit", 1, DEVICE_LISTING_MAX, &ret->limit);
        for (const char *const *name = device_listing_filters; *name; name++) {
                FilterFault fault;

                if (http_query_take_string(q, *name, &value) &&
                    device_listing_filter(ret, *name, value, &fault) < 0)
                        http_query_fault(q, *name, fault.code, fault.detail);
        }
        while (http_query_take_next(q, "label", &value))
                take_label(q, ret, value);
}

/* The text of a page. Devices become text one by one: as one tree, a page takes several times as long to build and
 * to forget as to write down. */
typedef struct Page {
        char *text; /* owned; not terminated */
        size_t n, size;
} Page;

/* Room for so many bytes more. Returns 0 or -ENOMEM. */
static int reserve(Page *page, size_t n) {
        size_t size = MAX(2 * page->size, page->n + n);
        char *text;

        if (page->size - page->n >= n)
                return 0;
        text = realloc(page->text, size);
        if (!text)
                return -ENOMEM;
        page->text = text;
        page->size = size;
        return 0;
}

/* Text of less than ROOM bytes. */
_printf_(2, 3) static int append(Page *page, const char *format, ...) {
        va_list ap;

        if (reserve(page, ROOM) < 0)
                return -ENOMEM;
        va_start(ap, format);
        page->n += (size_t) vsnprintf(page->text + page->n, ROOM, format, ap);
        va_end(ap);
        return 0;
}

static int append_device(void *userdata, const Device *device) {
        _cleanup_json_ json_t *json = device_encode(device);
        Page *page = userdata;
        size_t n;

        if (!json || append(page, "%s", page->text[page->n - 1] == '[' ? "" : ",") < 0)
                return -ENOMEM;
        n = json_dumpb(json, page->text + page->n, page->size - page->n, JSON_COMPACT);
        if (n > page->size - page->n) {
                if (reserve(page, n) < 0)
                        return -ENOMEM;
                n = json_dumpb(json, page->text + page->n, page->size - page->n, JSON_COMPACT);
        }
        page->n += n;
        return n > 0 ? 0 : -ENOMEM;
}

char *http_device_listing_page(const DeviceListing *l, Inventory *inventory) {
        char token[LISTING_TOKEN_MAX] = "";
        Page page = {};
        int r;

        r = append(&page, "{\"items\":[");
        if (r >= 0)
                r = device_listing_page(l, inventory, append_device, &page, token);
        if (r >= 0)
                r = append(&page, "]");
        /* What is in a token needs no escape. */
        if (r >= 0 && token[0])
                r = append(&page, ",\"continue\":\"%s\"", token);
        if (r >= 0)
                r = append(&page, ",\"revision\":%" PRIu64 "}", l->revision);
        if (r >= 0)
                return page.text;
        free(page.text);
        return NULL;
}

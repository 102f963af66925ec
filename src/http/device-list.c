/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/device-list.h"

#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "http/stream.h"
#include "inventory/device-json.h"

static void take_label(HttpQuery *q, DeviceListing *l, const char *text) {
        const char *equals = strchr(text, '=');
        FilterFault fault;

        if (!equals || equals == text)
                http_query_fault(q, "label", "bad-label", "must be KEY=VALUE");
        else if (device_listing_filter_label(l, text, (size_t) (equals - text), equals + 1, &fault) < 0)
                http_query_fault(q, "label", fault.code, fault.detail);
}

void http_device_listing_decode(HttpQuery *q, uint64_t now_revision, int64_t limit, DeviceListing *ret) {
        const char *value;

        device_listing_init(ret, now_revision);
        ret->limit = limit;
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

static int write_device(void *userdata, const Device *device) {
        JsonWriter *w = userdata;

        device_write(w, NULL, device);
        return w->has_failed ? -ENOMEM : 0;
}

/* What there is to say beside the devices; token: "" if there are no more. */
static void write_end(JsonWriter *w, const DeviceListing *l, const char *token) {
        if (token[0])
                json_write_string(w, "continue", token);
        json_write_integer(w, "revision", (int64_t) l->revision);
        json_write_close(w, '}');
}

char *http_device_listing_page(const DeviceListing *l, Inventory *inventory) {
        _cleanup_json_writer_ JsonWriter w = {};
        char token[LISTING_TOKEN_MAX] = "";

        json_write_open(&w, NULL, '{');
        json_write_open(&w, "items", '[');
        if (device_listing_page(l, inventory, write_device, &w, token) < 0)
                return NULL;
        json_write_close(&w, ']');
        write_end(&w, l, token);
        return json_writer_take(&w);
}

/* So much is written down at a time, at least, and at most one device more: some are very large. */
#define LINES_SIZE (32u * 1024)

typedef struct Lines {
        DeviceListing listing; /* of what comes next; its strings live as long as the request */
        Inventory *inventory;  /* weak */
        int64_t n_left;
        JsonWriter w;  /* what was written down last */
        size_t offset; /* ... and is not sent yet, from here on */
        bool is_over;
} Lines;

static int write_line(void *userdata, const Device *device) {
        Lines *lines = userdata;

        device_write(&lines->w, NULL, device);
        json_write_frame(&lines->w, "\n", 1);
        lines->n_left--;
        if (lines->w.has_failed)
                return -ENOMEM;
        return lines->w.n >= LINES_SIZE;
}

/* Writes the next few down. Returns 0, or -ENOMEM. */
static int write_lines(Lines *lines) {
        char token[LISTING_TOKEN_MAX];
        FilterFault fault;
        int r;

        lines->w.n = lines->offset = 0;
        lines->listing.limit = lines->n_left;
        r = device_listing_page(&lines->listing, lines->inventory, write_line, lines, token);
        if (r < 0)
                return r;
        if (token[0] && lines->n_left > 0)
                return device_listing_filter(&lines->listing, "continue", token, &fault);

        lines->is_over = true;
        json_write_open(&lines->w, NULL, '{');
        write_end(&lines->w, &lines->listing, token);
        json_write_frame(&lines->w, "\n", 1);
        return lines->w.has_failed ? -ENOMEM : 0;
}

/* Without memory the client sees that the last line is missing. */
static ssize_t read_lines(void *userdata, char *buffer, size_t size) {
        Lines *lines = userdata;
        size_t n = 0, n_copied;

        while (n < size) {
                if (lines->offset == lines->w.n && (lines->is_over || write_lines(lines) < 0))
                        return n > 0 ? (ssize_t) n : HTTP_STREAM_END;
                /* Many were looked at, and none is asked for. */
                if (lines->w.n == 0)
                        return n > 0 ? (ssize_t) n : HTTP_STREAM_AGAIN;
                n_copied = MIN(lines->w.n - lines->offset, size - n);
                memcpy(buffer + n, lines->w.text + lines->offset, n_copied);
                lines->offset += n_copied;
                n += n_copied;
        }
        return (ssize_t) n;
}

static void free_lines(void *userdata) {
        Lines *lines = userdata;

        json_writer_done(&lines->w);
        free(lines);
}

void http_reply_device_lines(HttpRequest *r, const DeviceListing *l, Inventory *inventory) {
        static const HttpSource source = { .read = read_lines, .done = free_lines, .may_be_packed = true };
        Lines *lines = malloc(sizeof *lines);

        if (!lines) {
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return;
        }
        *lines = (Lines){ .listing = *l, .inventory = inventory, .n_left = l->limit };
        if (!http_reply_stream(r, HTTP_LINES_TYPE, &source, lines))
                free_lines(lines);
}

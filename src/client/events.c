/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Server-sent events: lines, of which an empty one ends an event, and one with a colon at its beginning is only
 * there to say that the daemon is. The daemon sends an event's data in one line. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/buffer.h"
#include "client/request.h"

typedef struct Events {
        const HsvClient *client;
        hsv_event_t take;
        void *userdata;

        Buffer line;     /* what has come of it */
        char *data;      /* of the event that has begun, or NULL */
        bool is_foreign; /* it is none that we know */
        bool is_over;    /* the caller wants no more */
} Events;

static void events_done(Events *events) {
        free(events->line.text);
        free(events->data);
}

/* What follows the field's name and its colon, or NULL if this is not the field. One blank belongs to neither. */
static const char *field_value(const char *line, const char *field) {
        size_t n = strlen(field);

        if (strncmp(line, field, n) != 0 || line[n] != ':')
                return NULL;
        line += n + 1;
        return *line == ' ' ? line + 1 : line;
}

static int end_event(Events *events) {
        _cleanup_free_ char *data = TAKE_PTR(events->data);
        bool is_foreign = events->is_foreign;
        HsvDocument *document;
        int r;

        events->is_foreign = false;
        if (!data || is_foreign)
                return 0;
        r = document_new(data, strlen(data), &document);
        if (r < 0)
                return r;
        data = NULL;
        events->is_over = !events->take(events->userdata, document);
        hsv_document_free(document);
        return events->is_over ? -ECANCELED : 0;
}

static int take_line(Events *events, char *line) {
        const char *value;

        line[strcspn(line, "\r")] = '\0';
        if (!line[0])
                return end_event(events);
        value = field_value(line, "event");
        if (value) {
                events->is_foreign = strcmp(value, "device") != 0;
                return 0;
        }
        value = field_value(line, "data");
        if (!value)
                return 0;
        free(events->data);
        events->data = strdup(value);
        return events->data ? 0 : -ENOMEM;
}

static int on_data(void *userdata, const char *data, size_t n) {
        Events *events = userdata;
        const char *newline;

        while ((newline = memchr(data, '\n', n))) {
                size_t n_line = (size_t) (newline - data);
                int r;

                r = buffer_append(&events->line, events->client->max_answer, data, n_line);
                if (r == 0)
                        r = take_line(events, events->line.text);
                if (r < 0)
                        return r;
                events->line.n = 0;
                data += n_line + 1;
                n -= n_line + 1;
        }
        return buffer_append(&events->line, events->client->max_answer, data, n);
}

int hsv_events_watch(HsvClient *client, const uint64_t *since, unsigned total_ms, hsv_event_t take,
                     void *userdata) {
        _cleanup_(events_done) Events events = { .client = client, .take = take, .userdata = userdata };
        const Sink sink = { .take = on_data, .userdata = &events, .is_stream = true, .total_ms = total_ms };
        char path[48] = "/v1/events";
        int r;

        if (since)
                (void) snprintf(path, sizeof path, "/v1/events?since=%" PRIu64, *since);
        r = client_call(client, &(Request){ .method = "GET", .path = path, .sink = &sink }, NULL, NULL);
        if (!events.is_over)
                return r;
        error_done(&client->error);
        return 0;
}

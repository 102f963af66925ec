/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/handlers.h"
#include "http/header.h"
#include "http/reply.h"
#include "http/stream.h"
#include "inventory/device-json.h"
#include "inventory/journal.h"
#include "util/clock.h"
#include "util/log.h"

/* Often enough that whatever is in between does not take the connection for dead, and that a client that has gone
 * is found out. */
#define KEEP_ALIVE_USEC (15 * USEC_PER_SEC)

typedef struct Watcher {
        LIST_ENTRY(Watcher) entry;
        HttpEvents *events; /* weak */
        HttpStream *stream;
        uint64_t position; /* in the journal */
        size_t offset;     /* of what is sent next, in the text there */
        bool wants_comment;
} Watcher;

LIST_HEAD(WatcherList, Watcher);

struct HttpEvents {
        Journal journal;
        struct WatcherList watchers;
        sd_event_source *turn; /* wakes the watchers once for all changes of one turn of the loop */
        sd_event_source *timer;
        bool is_closing;
};

static const char *const change_names[] = {
        [DEVICE_ADDED] = "added",
        [DEVICE_CHANGED] = "changed",
        [DEVICE_REMOVED] = "removed",
};

/* The device as it is now, or nothing: it may have changed again, or gone, since. */
static void write_change(JsonWriter *w, const HttpEvents *events, const JournalEntry *entry) {
        Device *device = entry->change == DEVICE_REMOVED
                                 ? NULL
                                 : inventory_find_device(events->journal.inventory, entry->name);

        if (device && strcmp(device->uid, entry->uid) != 0)
                device = NULL;
        json_write_open(w, NULL, '{');
        json_write_integer(w, "revision", (int64_t) entry->revision);
        json_write_string(w, "change", change_names[entry->change]);
        json_write_string(w, "name", entry->name);
        json_write_string(w, "uid", entry->uid);
        if (device)
                device_write(w, "device", device);
        else
                json_write_null(w, "device");
        json_write_close(w, '}');
}

/* The event's text, borrowed; NULL: out of memory. */
static const char *text_of(const HttpEvents *events, JournalEntry *entry) {
        JsonWriter w = {};
        char head[64];
        int n;

        if (entry->text)
                return entry->text;
        n = snprintf(head, sizeof head, "id: %llu\nevent: device\ndata: ", (unsigned long long) entry->revision);
        json_write_frame(&w, head, (size_t) n);
        write_change(&w, events, entry);
        json_write_frame(&w, "\n\n", 2);
        entry->text = json_writer_take(&w);
        return entry->text;
}

/* Copies what there is of the event where the watcher stands. False: it cannot go on. */
static bool copy_event(Watcher *w, char *buffer, size_t size, size_t *n) {
        JournalEntry *entry = journal_get(&w->events->journal, w->position);
        const char *text = entry ? text_of(w->events, entry) : NULL;
        size_t n_copied;

        if (!text)
                return false;
        n_copied = strnlen(text + w->offset, size - *n);
        memcpy(buffer + *n, text + w->offset, n_copied);
        *n += n_copied;
        w->offset += n_copied;
        if (!text[w->offset]) {
                w->position++;
                w->offset = 0;
        }
        return true;
}

static ssize_t on_read(void *userdata, char *buffer, size_t size) {
        static const char comment[] = ":\n\n";
        Watcher *w = userdata;
        size_t n = 0;

        if (w->wants_comment && w->offset == 0 && size >= sizeof comment) {
                n = sizeof comment - 1;
                memcpy(buffer, comment, n);
        }
        w->wants_comment = false;
        while (n < size && w->position < w->events->journal.next)
                if (!copy_event(w, buffer, size, &n))
                        return HTTP_STREAM_END;
        return n == 0 && w->events->is_closing ? HTTP_STREAM_END : (ssize_t) n;
}

static void on_done(void *userdata) {
        Watcher *w = userdata;

        LIST_REMOVE(w, entry);
        free(w);
}

static void wake_all(HttpEvents *events) {
        Watcher *w;

        LIST_FOREACH(w, &events->watchers, entry)
                http_stream_wake(w->stream);
}

static int on_turn(sd_event_source *source, void *userdata) {
        wake_all(userdata);
        return 0;
}

static void on_entry(void *userdata) {
        HttpEvents *events = userdata;

        if (!LIST_EMPTY(&events->watchers))
                (void) sd_event_source_set_enabled(events->turn, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        HttpEvents *events = userdata;
        Watcher *w;

        LIST_FOREACH(w, &events->watchers, entry)
                w->wants_comment = true;
        wake_all(events);
        if (LIST_EMPTY(&events->watchers))
                return 0;
        (void) sd_event_source_set_time_relative(source, KEEP_ALIVE_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int http_events_new(sd_event *event, Inventory *inventory, HttpEvents **ret) {
        HttpEvents *events = calloc(1, sizeof *events);
        int r;

        if (!events)
                return -ENOMEM;
        LIST_INIT(&events->watchers);
        r = journal_init(&events->journal, inventory, HTTP_EVENTS_KEPT, on_entry, events);
        if (r >= 0)
                r = sd_event_add_defer(event, &events->turn, on_turn, events);
        if (r >= 0)
                r = sd_event_source_set_enabled(events->turn, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(event, &events->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, events);
        if (r < 0) {
                http_events_free(events);
                return r;
        }

        *ret = events;
        return 0;
}

HttpEvents *http_events_free(HttpEvents *events) {
        if (!events)
                return NULL;

        journal_done(&events->journal);
        sd_event_source_disable_unref(events->turn);
        sd_event_source_disable_unref(events->timer);
        free(events);
        return NULL;
}

void http_events_quiesce(HttpEvents *events) {
        events->is_closing = true;
        wake_all(events);
}

static void watch(HttpRequest *r, HttpEvents *events, uint64_t position) {
        static const HttpSource source = { .read = on_read, .done = on_done };
        Watcher *w = malloc(sizeof *w);

        if (!w) {
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return;
        }

        /* A comment at once, so that the client sees that it watches. */
        *w = (Watcher){ .events = events, .position = position, .wants_comment = true };
        w->stream = http_reply_stream(r, "text/event-stream", &source, w);
        if (!w->stream) {
                free(w);
                return;
        }
        if (LIST_EMPTY(&events->watchers)) {
                (void) sd_event_source_set_time_relative(events->timer, KEEP_ALIVE_USEC);
                (void) sd_event_source_set_enabled(events->timer, SD_EVENT_ONESHOT);
        }
        LIST_INSERT_HEAD(&events->watchers, w, entry);
}

/* After which revision the client wants to have changes; true if it says so. */
static bool take_since(HttpRequest *r, HttpInput *in, uint64_t *ret) {
        const char *id = http_request_header(r, "Last-Event-ID");
        JsonDecoder document, d;
        int64_t since;

        /* A browser sends the field when it comes back, with the query that it began with. */
        if (http_query_take_integer(&in->query, "since", 0, INT64_MAX, &since))
                *ret = (uint64_t) since;
        else if (!id)
                return false;
        if (!id)
                return true;
        if (revision_parse(id, ret) == 0)
                return true;

        json_decoder_init(&document, &in->faults);
        json_decoder_enter(&d, &document, "header");
        json_fault(&d, "Last-Event-ID", "bad-revision", "must be a revision");
        return false;
}

void http_events_get(HttpRequest *r, HttpInput *in) {
        HttpEvents *events = r->context->events;
        uint64_t since = 0, position = events->journal.next;
        bool has_since = take_since(r, in, &since);
        Failure f;

        if (!http_input_end(in, r))
                return;
        if (has_since && journal_find(&events->journal, since, &position) < 0) {
                (void) failure_set(
                        &f, ERROR_EVENTS_GONE, ESTALE,
                        "The changes after revision %llu are not all kept any more: list the devices, and "
                        "watch from the revision of the list",
                        (unsigned long long) since);
                http_reply_failure(r, &f, NULL);
                return;
        }
        watch(r, events, position);
}

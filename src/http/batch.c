/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many devices in one request. The answer begins when the request is found good, and results are sent as they come:
 * as one JSON object, in the order of the items, or, if the client asks for application/x-ndjson, a line each in
 * the order in which they are through. */
#include "lifecycle/batch.h"

#include <errno.h>
#include <string.h>

#include "http/batch-body.h"
#include "http/handlers.h"
#include "http/header.h"
#include "http/reply.h"
#include "http/stream.h"
#include "inventory/device-json.h"

/* Of a JSON object its reader can use nothing before the end: it is sent in pieces of that size, bytes. */
#define PIECE_SIZE (16u * 1024)

/* Of an item that there was no memory to tell more of. */
static char out_of_memory[] = ",{\"status\":503}\n";

/* What is sent: a head, the results, a tail. */
typedef struct Results {
        unsigned n_ref;     /* the batch and the stream */
        HttpStream *stream; /* NULL: nobody reads */
        bool is_lines, is_create, is_minimal, missing_ok;
        size_t n;
        char **texts;         /* in the order in which they are sent, until they are; NULL: there is none yet */
        size_t n_told;        /* results that there are */
        size_t n_waiting;     /* bytes of those of which the stream does not know yet */
        size_t piece, offset; /* what is sent next */
} Results;

static void free_text(char *text) {
        if (text != out_of_memory && text != out_of_memory + 1)
                free(text);
}

static void results_unref(Results *results) {
        if (--results->n_ref > 0)
                return;
        for (size_t i = 0; i < results->n; i++)
                free_text(results->texts[i]);
        free(results->texts);
        free(results);
}

static Results *results_new(size_t n) {
        Results *results = calloc(1, sizeof *results);
        char **texts = calloc(n, sizeof *texts);

        if (!results || !texts) {
                free(results);
                free(texts);
                return NULL;
        }
        *results = (Results){ .n_ref = 1, .n = n, .texts = texts };
        return results;
}

/* NULL: it is not there yet. */
static const char *next_piece(const Results *results) {
        if (results->piece == 0)
                return results->is_lines ? "" : "{\"results\":[";
        if (results->piece <= results->n)
                return results->texts[results->piece - 1];
        return results->is_lines ? "" : "]}";
}

static void pass_piece(Results *results) {
        if (results->piece > 0 && results->piece <= results->n)
                free_text(TAKE_PTR(results->texts[results->piece - 1]));
        results->piece++;
        results->offset = 0;
}

static ssize_t on_read(void *userdata, char *buffer, size_t n) {
        Results *results = userdata;
        size_t n_copied = 0;

        while (n_copied < n && results->piece < results->n + 2) {
                const char *text = next_piece(results);
                size_t size;

                if (!text)
                        break;
                size = strnlen(text + results->offset, n - n_copied);
                memcpy(buffer + n_copied, text + results->offset, size);
                n_copied += size;
                results->offset += size;
                if (!text[results->offset])
                        pass_piece(results);
        }

        return n_copied > 0 || results->piece < results->n + 2 ? (ssize_t) n_copied : HTTP_STREAM_END;
}

static void on_nobody_reads(void *userdata) {
        Results *results = userdata;

        results->stream = NULL;
        results_unref(results);
}

static void write_result(JsonWriter *w, const Results *results, size_t i, const char *name,
                         const Outcome *outcome) {
        bool is_missing = results->missing_ok && outcome->failure.code == ERROR_DEVICE_NOT_FOUND;

        json_write_open(w, NULL, '{');
        if (results->is_lines)
                json_write_integer(w, "index", (int64_t) i);
        if (name[0])
                json_write_string(w, "name", name);
        if (outcome->failure.code != ERROR_NONE && !is_missing) {
                _cleanup_json_ json_t *problem = http_refusal_encode(outcome);

                json_write_integer(w, "status", error_info(outcome->failure.code)->http_status);
                json_write_tree(w, "problem", problem);
        } else if (results->is_create) {
                json_write_integer(w, "status", outcome->created ? MHD_HTTP_CREATED : MHD_HTTP_OK);
                if (!results->is_minimal)
                        device_write(w, "device", outcome->device);
        } else
                json_write_integer(w, "status", MHD_HTTP_NO_CONTENT);
        if (outcome->replayed)
                json_write_bool(w, "replayed", true);
        json_write_close(w, '}');
}

/* The text with what stands before and behind it. */
static char *format_result(const Results *results, size_t i, const char *name, const Outcome *outcome) {
        bool has_comma = !results->is_lines && i > 0;
        JsonWriter w = { .wants_comma = has_comma };
        char *text;

        write_result(&w, results, i, name, outcome);
        if (results->is_lines)
                json_write_frame(&w, "\n", 1);
        text = json_writer_take(&w);
        if (text)
                return text;
        return has_comma ? out_of_memory : out_of_memory + 1;
}

/* A line is sent as soon as it is there. */
static bool must_send(const Results *results) {
        return results->is_lines || results->n_waiting >= PIECE_SIZE || results->n_told == results->n;
}

static void on_item(void *userdata, size_t i, const char *name, const Outcome *outcome) {
        Results *results = userdata;
        size_t place = results->is_lines ? results->n_told : i;

        results->n_told++;
        if (!results->stream)
                return;
        results->texts[place] = format_result(results, i, name, outcome);
        results->n_waiting += strlen(results->texts[place]);
        if (!must_send(results))
                return;
        results->n_waiting = 0;
        http_stream_wake(results->stream);
}

static void on_end(void *userdata) {
        results_unref(userdata);
}

/* Takes items over. Their specs are initialized, and the request is found good. */
static void run(HttpRequest *r, Results *results, BatchKind kind, BatchItem *items) {
        static const HttpSource source = { .read = on_read, .done = on_nobody_reads };
        const BatchCalls calls = { .on_item = on_item, .on_end = on_end, .userdata = results };
        Failure f;

        results->is_create = kind != BATCH_DELETE;
        results->is_minimal = r->is_minimal = results->is_create && http_input_prefers_minimal(r);
        results->is_lines = list_names(http_request_header(r, MHD_HTTP_HEADER_ACCEPT), HTTP_LINES_TYPE);
        if (batch_run(r->context->lifecycle, kind, items, results->n, &calls, &f) < 0) {
                http_reply_failure(r, &f, NULL);
                batch_items_free(items, results->n);
                results_unref(results);
                return;
        }

        results->n_ref++;
        results->stream = http_reply_stream(r, results->is_lines ? HTTP_LINES_TYPE : HTTP_JSON_TYPE, &source,
                                            results);
        if (!results->stream)
                results_unref(results);
}

/* False: the request was answered. */
static bool set_key(HttpRequest *r, BatchKind kind, BatchItem *items, size_t n, const IdempotencyKey *key) {
        Failure f;

        if (!key->text[0])
                return true;
        if (kind == BATCH_CREATE_ATOMIC)
                (void) failure_set(&f, ERROR_NOT_IMPLEMENTED, EOPNOTSUPP,
                                   "Idempotency-Key is not implemented for atomic batches");
        else if (batch_set_key(r->context->lifecycle, items, n, key, &f) == 0)
                return true;
        http_reply_failure(r, &f, NULL);
        return false;
}

static void handle(HttpRequest *r, HttpInput *in, BatchKind kind, const char *option) {
        Results *results = NULL;
        BatchItem *items = NULL;
        IdempotencyKey key = {};
        bool is_set = false;
        JsonDecoder d;
        size_t n = 0;
        int k;

        json_decoder_init(&d, &in->faults);
        (void) json_take_bool(&d, in->body, option, &is_set);
        k = http_batch_body_decode(&d, kind, in->body, &items, &n);
        json_end(&d, in->body);
        if (k != -ENOMEM)
                k = http_input_key(in, r, &key);
        if (!http_input_end(in, r)) {
                batch_items_free(items, n);
                return;
        }

        if (kind == BATCH_CREATE && is_set)
                kind = BATCH_CREATE_ATOMIC;
        if (k == 0 && !set_key(r, kind, items, n, &key)) {
                batch_items_free(items, n);
                return;
        }
        if (k == 0)
                results = results_new(n);
        if (!results) {
                batch_items_free(items, n);
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return;
        }

        results->missing_ok = is_set;
        run(r, results, kind, items);
}

void http_batch_create(HttpRequest *r, HttpInput *in) {
        handle(r, in, BATCH_CREATE, "atomic");
}

void http_batch_delete(HttpRequest *r, HttpInput *in) {
        handle(r, in, BATCH_DELETE, "missing_ok");
}

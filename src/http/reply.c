/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/reply.h"

#include <errno.h>
#include <string.h>

#include "http/gzip.h"
#include "http/header.h"
#include "lifecycle/placement-json.h"

#define PROBLEM_TYPE "application/problem+json"

const HttpField http_replayed = { "Idempotency-Replayed", "true" };
const HttpField http_minimal = { MHD_HTTP_HEADER_PREFERENCE_APPLIED, "return=minimal" };

/* Adds the fields to a response, which it destroys if that fails. */
static struct MHD_Response *add_fields(struct MHD_Response *response, const HttpField *fields) {
        for (; response && fields && fields->name; fields++)
                if (MHD_add_response_header(response, fields->name, fields->value) != MHD_YES) {
                        MHD_destroy_response(response);
                        return NULL;
                }

        return response;
}

/* Takes text over; NULL: there was no memory for it. */
static struct MHD_Response *text_response(HttpRequest *r, const char *type, char *text) {
        struct MHD_Response *response;

        if (!text || !http_request_reserve_answer(r, strlen(text))) {
                free(text);
                return NULL;
        }
        response = MHD_create_response_from_buffer_with_free_callback(strlen(text), text, free);
        if (!response)
                free(text);
        return add_fields(response, (const HttpField[]){ { MHD_HTTP_HEADER_CONTENT_TYPE, type }, {} });
}

/* Less is not worth it. */
#define COMPRESSED_MIN 1024

/* NULL: as it is. */
static struct MHD_Response *compressed_response(HttpRequest *r, const char *type, const char *text) {
        const char *accepted = http_request_header(r, MHD_HTTP_HEADER_ACCEPT_ENCODING);
        struct MHD_Response *response;
        size_t n = strlen(text), size;
        char *data;

        if (n < COMPRESSED_MIN || !accept_encoding_has(accepted, "gzip"))
                return NULL;
        data = gzip_compress(text, n, &size);
        if (!data)
                return NULL;
        response = http_request_reserve_answer(r, size)
                           ? MHD_create_response_from_buffer_with_free_callback(size, data, free)
                           : NULL;
        if (!response)
                free(data);
        return add_fields(response, (const HttpField[]){ { MHD_HTTP_HEADER_CONTENT_TYPE, type },
                                                         { MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip" },
                                                         {} });
}

void http_reply_page(HttpRequest *r, const char *type, char *text) {
        struct MHD_Response *response = text ? compressed_response(r, type, text) : NULL;

        if (response)
                free(text);
        else
                response = text_response(r, type, text);
        http_request_answer(
                r, MHD_HTTP_OK,
                add_fields(response,
                           (const HttpField[]){ { MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding" }, {} }));
}

void http_reply_json(HttpRequest *r, unsigned status, char *text, const HttpField *fields) {
        http_request_answer(r, status, add_fields(text_response(r, HTTP_JSON_TYPE, text), fields));
}

void http_reply_tree(HttpRequest *r, unsigned status, json_t *body, const HttpField *fields) {
        http_reply_json(r, status, json_text_of(body), fields);
}

void http_reply_empty(HttpRequest *r, unsigned status, const HttpField *fields) {
        static char nothing[1];

        http_request_answer(
                r, status, add_fields(MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT), fields));
}

void http_reply_text(HttpRequest *r, const char *type, const void *text, size_t size) {
        /* The buffer is not written to; the parameter lacks a const. */
        struct MHD_Response *response = MHD_create_response_from_buffer(size, (void *) text,
                                                                        MHD_RESPMEM_PERSISTENT);

        http_request_answer(
                r, MHD_HTTP_OK,
                add_fields(response, (const HttpField[]){ { MHD_HTTP_HEADER_CONTENT_TYPE, type }, {} }));
}

static void on_image_sent(void *image) {
        store_image_free(image);
}

void http_reply_image(HttpRequest *r, StoreImage *image) {
        static const HttpField fields[] = {
                { MHD_HTTP_HEADER_CONTENT_TYPE, "application/vnd.sqlite3" },
                { MHD_HTTP_HEADER_CONTENT_DISPOSITION, "attachment; filename=\"inventory.db\"" },
                { MHD_HTTP_HEADER_CACHE_CONTROL, "no-store" },
                {},
        };
        struct MHD_Response *response;
        size_t size;
        const void *data = store_image_data(image, &size);

        response = MHD_create_response_from_buffer_with_free_callback_cls(size, (void *) data, on_image_sent,
                                                                          image);
        if (!response)
                store_image_free(image);
        http_request_answer(r, MHD_HTTP_OK, add_fields(response, fields));
}

bool http_reply_unchanged(HttpRequest *r, uint64_t revision) {
        const char *known = http_request_header(r, MHD_HTTP_HEADER_IF_NONE_MATCH);
        char etag[ETAG_MAX];

        if (!known || !if_none_match_has(known, revision))
                return false;
        http_reply_empty(r, MHD_HTTP_NOT_MODIFIED,
                         (const HttpField[]){ { MHD_HTTP_HEADER_ETAG, etag_format(revision, etag) }, {} });
        return true;
}

void http_reply_revision(HttpRequest *r, uint64_t revision, char *text) {
        char etag[ETAG_MAX];

        http_reply_json(r, MHD_HTTP_OK, text,
                        (const HttpField[]){ { MHD_HTTP_HEADER_ETAG, etag_format(revision, etag) }, {} });
}

static json_t *encode_faults(const JsonFaults *faults) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; array && i < faults->n; i++) {
                const JsonFault *f = &faults->fault[i];
                json_t *item = json_pack("{s:o, s:s, s:o}", "pointer", json_text(f->pointer), "code", f->code,
                                         "detail", json_text(f->detail));

                if (json_array_append_new(array, item) < 0)
                        return NULL;
        }

        return TAKE_PTR(array);
}

json_t *http_problem_encode(const Failure *failure, const JsonFaults *faults) {
        const ErrorInfo *info = error_info(failure->code);
        bool has_faults = faults && faults->n > 0, has_more = has_faults && faults->n_omitted > 0;

        /* clang-format off */
        return json_pack("{s:s, s:i, s:s, s:o, s:o*, s:o*}",
                         "title", info->title,
                         "status", (int) info->http_status,
                         "code", info->code,
                         "detail", json_text(failure->detail),
                         "errors", has_faults ? encode_faults(faults) : NULL,
                         "errors_omitted", has_more ? json_integer((json_int_t) faults->n_omitted) : NULL);
        /* clang-format on */
}

/* Takes body over. */
static void reply_problem(HttpRequest *r, ErrorCode code, json_t *body, bool replayed) {
        unsigned status = error_info(code)->http_status;
        HttpField fields[2] = {};

        if (r->context)
                http_counters_note_problem(&r->context->counters, code);

        if (replayed)
                fields[0] = http_replayed;
        else if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
                fields[0] = (HttpField){ MHD_HTTP_HEADER_RETRY_AFTER, "1" };
        else if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
                fields[0] = (HttpField){ MHD_HTTP_HEADER_ALLOW, r->allow };

        http_request_answer(r, status, add_fields(text_response(r, PROBLEM_TYPE, json_text_of(body)), fields));
}

void http_reply_failure(HttpRequest *r, const Failure *failure, const JsonFaults *faults) {
        reply_problem(r, failure->code, http_problem_encode(failure, faults), false);
}

static int add_candidates(json_t *problem, const Placement *placement) {
        if (json_object_set_new(problem, "candidates", placement_encode_candidates(placement)) < 0)
                return -ENOMEM;
        if (placement->n_omitted > 0 &&
            json_object_set_new(problem, "candidates_omitted", json_integer((json_int_t) placement->n_omitted)) < 0)
                return -ENOMEM;
        return 0;
}

static int add_holders(json_t *problem, const DeviceUsers *users) {
        if (json_object_set_new(problem, "holders", device_users_encode(users)) < 0)
                return -ENOMEM;
        return users->has_more ? json_object_set_new(problem, "holders_more", json_true()) : 0;
}

/* Enough to ask again with. */
static json_t *encode_current(const Device *device) {
        return json_pack("{s:s, s:I, s:I, s:s}", "uid", device->uid, "generation", (json_int_t) device->generation,
                         "revision", (json_int_t) device->revision, "state", device_state_name(device->state));
}

json_t *http_refusal_encode(const Outcome *outcome) {
        _cleanup_json_ json_t *problem = http_problem_encode(&outcome->failure, outcome->faults);

        if (problem && outcome->placement && outcome->placement->n > 0 &&
            add_candidates(problem, outcome->placement) < 0)
                return NULL;
        if (problem && outcome->users && add_holders(problem, outcome->users) < 0)
                return NULL;
        if (problem && outcome->current &&
            json_object_set_new(problem, "current", encode_current(outcome->current)) < 0)
                return NULL;
        return TAKE_PTR(problem);
}

void http_reply_refusal(HttpRequest *r, const Outcome *outcome) {
        reply_problem(r, outcome->failure.code, http_refusal_encode(outcome), outcome->replayed);
}

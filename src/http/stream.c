/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/stream.h"

#include "http/header.h"
#include "http/packed.h"
#include "http/reply.h"

/* What the library asks the source for at a time. */
#define BLOCK_SIZE (32u * 1024)

struct HttpStream {
        HttpRequest *request;     /* a reference */
        const HttpSource *source; /* NULL until the answer has begun */
        void *userdata;
};

static ssize_t on_read(void *userdata, uint64_t position, char *buffer, size_t n) {
        HttpStream *stream = userdata;
        ssize_t size;

        if (stream->request->is_cut)
                return MHD_CONTENT_READER_END_WITH_ERROR;
        size = stream->source->read(stream->userdata, buffer, n);
        if (size == HTTP_STREAM_END)
                return MHD_CONTENT_READER_END_OF_STREAM;
        if (size > 0)
                return size;
        http_request_suspend(stream->request);
        if (size == HTTP_STREAM_AGAIN)
                http_request_wake(stream->request);
        return 0;
}

static void on_free(void *userdata) {
        HttpStream *stream = userdata;

        if (stream->source)
                stream->source->done(stream->userdata);
        http_request_unref(stream->request);
        free(stream);
}

static bool takes_gzip(HttpRequest *r) {
        const char *accepted = http_request_header(r, MHD_HTTP_HEADER_ACCEPT_ENCODING);

        return accept_encoding_has(accepted, "gzip");
}

/* coding: of the content; NULL: none. */
static HttpStream *reply(HttpRequest *r, const char *type, const char *coding, const HttpSource *source,
                         void *userdata) {
        HttpStream *stream = malloc(sizeof *stream);
        struct MHD_Response *response = NULL;

        /* The response is the stream's owner once there is one. */
        if (stream) {
                *stream = (HttpStream){ .request = http_request_ref(r), .userdata = userdata };
                response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, on_read, stream,
                                                             on_free);
        }
        if (!response) {
                if (stream)
                        http_request_unref(r);
                free(stream);
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return NULL;
        }

        if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES ||
            (r->is_minimal &&
             MHD_add_response_header(response, http_minimal.name, http_minimal.value) != MHD_YES) ||
            (coding && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, coding) != MHD_YES) ||
            MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") != MHD_YES) {
                MHD_destroy_response(response);
                http_request_answer(r, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
                return NULL;
        }
        stream->source = source;
        r->is_stream = true;
        http_request_answer(r, MHD_HTTP_OK, response);
        return stream;
}

HttpStream *http_reply_stream(HttpRequest *r, const char *type, const HttpSource *source, void *userdata) {
        Packed *packed = NULL;
        HttpStream *stream;

        /* Clients that read slowly could have many of them: then the others are sent as they are. */
        if (source->may_be_packed && takes_gzip(r) && http_request_reserve_answer(r, PACKED_SIZE))
                packed = packed_new(source, userdata);
        if (!packed)
                return reply(r, type, NULL, source, userdata);
        stream = reply(r, type, "gzip", &packed_source, packed);
        if (!stream)
                packed_free(packed);
        return stream;
}

void http_stream_wake(HttpStream *stream) {
        http_request_wake(stream->request);
}

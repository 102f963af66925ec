/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An answer that is sent as it comes to be. The source is asked for more whenever the client takes more; when it
 * has nothing the connection sleeps, at no cost, until http_stream_wake(). So what a slow client does not take is
 * never gathered for it here. */

#include "http/request.h"

typedef struct HttpStream HttpStream;

#define HTTP_STREAM_END   (-1)
#define HTTP_STREAM_AGAIN (-2) /* nothing yet, but others shall have a turn before it goes on looking */

/* A JSON value a line. */
#define HTTP_LINES_TYPE "application/x-ndjson"

typedef struct HttpSource {
        /* Writes up to n bytes. Returns how many, 0 for nothing now, or one of the above. */
        ssize_t (*read)(void *userdata, char *buffer, size_t n);

        /* Nobody reads any more: the client has all of it, or has gone. May come at any time after the answer has
         * begun, once. */
        void (*done)(void *userdata);

        /* Compress it for clients that ask for that. Not where the client waits for each piece: what is small is
         * held back then until more comes. */
        bool may_be_packed;
} HttpSource;

/* Answers the request with 200 and a stream of the media type. Returns it, borrowed until done() is called; NULL
 * with -ENOMEM answered and done() not called. source must be static. */
HttpStream *http_reply_stream(HttpRequest *r, const char *type, const HttpSource *source, void *userdata);

/* The source has more, or has come to its end. */
void http_stream_wake(HttpStream *stream);

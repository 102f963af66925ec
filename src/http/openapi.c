/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/handlers.h"
#include "http/reply.h"

/* api/openapi.yaml, byte by byte. */
static const unsigned char document[] = {
#include "openapi.inc"
};

void http_openapi_get(HttpRequest *r, HttpInput *in) {
        if (http_input_end(in, r))
                http_reply_text(r, "application/yaml", document, sizeof document);
}

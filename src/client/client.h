/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The client's handle. */

#include <curl/curl.h>

#include "client/error.h"
#include "client/url.h"

struct HsvClient {
        char *url_text;
        ServerUrl url;
        CURL *curl; /* keeps the connection from one call to the next */
        unsigned connect_ms;
        unsigned total_ms;
        size_t max_answer;
        HsvError error;
};
DEFINE_CLEANUP(HsvClient *, hsv_client_free)

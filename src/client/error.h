/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a call failed with. The daemon's own words stay in the document they came in, so that to keep them
 * takes no memory that could be missing. */

#include <hsvdpa/client.h>
#include <jansson.h>

#include "util/macro.h"

struct HsvError {
        unsigned http_status;
        bool was_sent;
        json_t *problem; /* the daemon's answer, or NULL */
        char detail[512];
};

/* Forgets what is there. */
void error_done(HsvError *e);

/* error: an errno value of either sign. Returns -|error|. */
int error_set(HsvError *e, int error, const char *format, ...) _printf_(3, 4);

/* Takes in an answer with an HTTP status that means failure. text: its body, whatever that is. Returns
 * HSV_REFUSED. */
int error_set_answer(HsvError *e, unsigned http_status, const char *text, size_t n);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_done(HsvError *e) {
        json_decref(e->problem);
        *e = (HsvError){};
}

int error_set(HsvError *e, int error, const char *format, ...) {
        va_list ap;

        error_done(e);
        va_start(ap, format);
        (void) vsnprintf(e->detail, sizeof e->detail, format, ap);
        va_end(ap);
        return error < 0 ? error : -error;
}

int error_set_answer(HsvError *e, unsigned http_status, const char *text, size_t n) {
        error_done(e);
        e->http_status = http_status;
        e->was_sent = true;
        /* libmicrohttpd answers some faults of the protocol by itself, and not in JSON. */
        e->problem = json_loadb(text, n, 0, NULL);
        (void) snprintf(e->detail, sizeof e->detail, "The daemon answered with HTTP status %u and did not say why",
                        http_status);
        return HSV_REFUSED;
}

static const char *member(const json_t *object, const char *name) {
        const char *text = json_string_value(json_object_get(object, name));

        return text ? text : "";
}

static const json_t *fault(const HsvError *e, size_t i) {
        return json_array_get(json_object_get(e->problem, "errors"), i);
}

unsigned hsv_error_http_status(const HsvError *error) {
        return error->http_status;
}

const char *hsv_error_code(const HsvError *error) {
        return member(error->problem, "code");
}

const char *hsv_error_detail(const HsvError *error) {
        const char *detail = member(error->problem, "detail"), *title = member(error->problem, "title");

        if (detail[0])
                return detail;
        return title[0] ? title : error->detail;
}

bool hsv_error_was_sent(const HsvError *error) {
        return error->was_sent;
}

const HsvValue *hsv_error_problem(const HsvError *error) {
        return (const HsvValue *) error->problem;
}

size_t hsv_error_count_faults(const HsvError *error) {
        return json_array_size(json_object_get(error->problem, "errors"));
}

const char *hsv_error_fault_pointer(const HsvError *error, size_t i) {
        return member(fault(error, i), "pointer");
}

const char *hsv_error_fault_code(const HsvError *error, size_t i) {
        return member(fault(error, i), "code");
}

const char *hsv_error_fault_detail(const HsvError *error, size_t i) {
        return member(fault(error, i), "detail");
}

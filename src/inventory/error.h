/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a request can fail with, as its caller sees it. Inside the daemon an error travels as a negative errno
 * with a Failure beside it; the edges (REST, D-Bus) turn the Failure's code into a status or a name through the
 * table of api/errors.def. */

#include "util/json.h"

typedef enum ErrorCode {
        ERROR_NONE,
#define ERROR(id, code, http_status, dbus_name, title) ERROR_##id,
#include "errors.def"
#undef ERROR
        _ERROR_MAX,
} ErrorCode;

typedef struct ErrorInfo {
        const char *code;
        unsigned http_status;
        const char *dbus_name; /* without the prefix org.hsvdpa.Error. */
        const char *title;
} ErrorInfo;

/* code: not ERROR_NONE. Never NULL. */
const ErrorInfo *error_info(ErrorCode code);

/* By the code's text. Returns 0, or -EINVAL. */
int error_parse(const char *code, ErrorCode *ret);

/* One failure: the code, the errno it came from (positive; 0 if none), and a sentence for the user that says
 * what failed, with the kernel's own text where there is one, and what was done about it. */
typedef struct Failure {
        ErrorCode code;
        int error;
        char detail[512];
} Failure;

#define FAILURE_INIT ((Failure){ .code = ERROR_NONE })

/* Fills f (which may be NULL) and returns a negative errno: -error, or -EIO if error is 0. error may have
 * either sign. */
int failure_set(Failure *f, ErrorCode code, int error, const char *format, ...) _printf_(4, 5);

/* Fills f for a request that has faults: one is told, more are counted. Returns -EINVAL. */
int failure_set_faults(Failure *f, const JsonFaults *faults);

/* Appends to the detail of f, which is set: a sentence, or a part that begins with ";" and goes on in the last one,
 * whose full stop is dropped. What does not fit is cut. */
void failure_append(Failure *f, const char *format, ...) _printf_(2, 3);

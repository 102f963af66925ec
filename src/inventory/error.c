/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const ErrorInfo error_table[_ERROR_MAX] = {
#define ERROR(id, code, http_status, dbus_name, title) [ERROR_##id] = { code, http_status, dbus_name, title },
#include "errors.def"
#undef ERROR
};

const ErrorInfo *error_info(ErrorCode code) {
        assert(code > ERROR_NONE && code < _ERROR_MAX);
        return &error_table[code];
}

int error_parse(const char *code, ErrorCode *ret) {
        for (ErrorCode e = ERROR_NONE + 1; e < _ERROR_MAX; e++)
                if (strcmp(error_table[e].code, code) == 0) {
                        *ret = e;
                        return 0;
                }

        return -EINVAL;
}

int failure_set(Failure *f, ErrorCode code, int error, const char *format, ...) {
        va_list ap;

        if (error < 0)
                error = -error;

        if (f) {
                f->code = code;
                f->error = error;
                va_start(ap, format);
                (void) vsnprintf(f->detail, sizeof f->detail, format, ap);
                va_end(ap);
        }

        return error ? -error : -EIO;
}

int failure_set_faults(Failure *f, const JsonFaults *faults) {
        size_t n = faults->n + faults->n_omitted;

        if (n == 1)
                return failure_set(f, ERROR_INVALID_REQUEST, EINVAL, "%s: %s", faults->fault[0].pointer,
                                   faults->fault[0].detail);
        return failure_set(f, ERROR_INVALID_REQUEST, EINVAL, "There are %zu faults", n);
}

void failure_append(Failure *f, const char *format, ...) {
        size_t n = strlen(f->detail);
        va_list ap;

        if (n > 0 && f->detail[n - 1] == '.' && format[0] == ';')
                n--;
        va_start(ap, format);
        (void) vsnprintf(f->detail + n, sizeof f->detail - n, format, ap);
        va_end(ap);
}

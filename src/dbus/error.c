/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* What the bus does not take as UTF-8 would end the connection. */
static int reply(sd_bus_message *m, ErrorCode code, const char *text) {
        _cleanup_json_ json_t *valid = json_text(text);
        char name[128];

        (void) snprintf(name, sizeof name, ERROR_PREFIX "%s", error_info(code)->dbus_name);
        return sd_bus_reply_method_errorf(m, name, "%s", json_string_value(valid) ?: error_info(code)->title);
}

int error_reply(sd_bus_message *m, const Failure *failure, const JsonFaults *faults) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return reply(m, failure->code, failure->detail);

        (void) fputs(failure->detail, f);
        for (size_t i = 0; faults && i < faults->n; i++)
                (void) fprintf(f, "\n%s: %s [%s]", faults->fault[i].pointer, faults->fault[i].detail,
                               faults->fault[i].code);
        if (faults && faults->n_omitted > 0)
                (void) fprintf(f, "\n... and %zu more", faults->n_omitted);
        if (fclose(f) != 0)
                return reply(m, failure->code, failure->detail);
        return reply(m, failure->code, text);
}

int error_reply_faults(sd_bus_message *m, const JsonFaults *faults) {
        Failure f;

        (void) failure_set_faults(&f, faults);
        return error_reply(m, &f, faults);
}

int error_replyf(sd_bus_message *m, ErrorCode code, int error, const char *format, ...) {
        char detail[sizeof((Failure *) NULL)->detail];
        Failure f;
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(detail, sizeof detail, format, ap);
        va_end(ap);
        (void) failure_set(&f, code, error, "%s", detail);
        return error_reply(m, &f, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/placement.h"

static void write_candidates(FILE *f, const Placement *p) {
        char reason[CANDIDATE_REASON_MAX];

        for (size_t i = 0; i < p->n; i++) {
                const Candidate *c = &p->candidates[i];

                for (Obstacle o = 0; o < _OBSTACLE_MAX; o++)
                        if (candidate_has_obstacle(c, o))
                                (void) fprintf(f, "\n%s: %s [%s]", c->mgmtdev->info.handle,
                                               candidate_reason(c, o, reason), candidate_code(o));
        }
        if (p->n_omitted > 0)
                (void) fprintf(f, "\n... and %zu management devices more", p->n_omitted);
}

/* What the bus does not take as UTF-8 would end the connection. Takes text over. */
static char *make_valid(char *text) {
        _cleanup_free_ char *owned = text;
        _cleanup_json_ json_t *valid = json_text(owned);

        return valid ? strdup(json_string_value(valid)) : NULL;
}

void error_name(ErrorCode code, char ret[static ERROR_NAME_MAX]) {
        (void) snprintf(ret, ERROR_NAME_MAX, ERROR_PREFIX "%s", error_info(code)->dbus_name);
}

char *error_format_outcome(const Outcome *outcome) {
        const JsonFaults *faults = outcome->faults;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        (void) fputs(outcome->failure.detail, f);
        for (size_t i = 0; faults && i < faults->n; i++)
                (void) fprintf(f, "\n%s: %s [%s]", faults->fault[i].pointer, faults->fault[i].detail,
                               faults->fault[i].code);
        if (faults && faults->n_omitted > 0)
                (void) fprintf(f, "\n... and %zu more", faults->n_omitted);
        if (outcome->placement)
                write_candidates(f, outcome->placement);
        return fclose(f) == 0 ? make_valid(TAKE_PTR(text)) : NULL;
}

int error_reply_outcome(sd_bus_message *m, const Outcome *outcome) {
        _cleanup_free_ char *text = error_format_outcome(outcome);
        ErrorCode code = outcome->failure.code;
        char name[ERROR_NAME_MAX];

        error_name(code, name);
        return sd_bus_reply_method_errorf(m, name, "%s", text ?: error_info(code)->title);
}

int error_reply_faults(sd_bus_message *m, const JsonFaults *faults) {
        Outcome outcome = { .faults = faults };

        (void) failure_set_faults(&outcome.failure, faults);
        return error_reply_outcome(m, &outcome);
}

int error_replyf(sd_bus_message *m, ErrorCode code, int error, const char *format, ...) {
        char detail[sizeof((Failure *) NULL)->detail];
        Outcome outcome = {};
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(detail, sizeof detail, format, ap);
        va_end(ap);
        (void) failure_set(&outcome.failure, code, error, "%s", detail);
        return error_reply_outcome(m, &outcome);
}

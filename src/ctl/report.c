/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "ctl/text.h"
#include "ctl/value.h"

const char *exit_code_text(ExitCode code) {
        static const char *const texts[_EXIT_CODE_MAX] = {
                [EXIT_CODE_OK] = "done",
                [EXIT_CODE_REFUSED] = "the daemon refused, or could not do it",
                [EXIT_CODE_USAGE] = "the command line is wrong; nothing was sent",
                [EXIT_CODE_UNREACHABLE] = "the daemon cannot be reached; nothing was sent",
                [EXIT_CODE_NOT_FOUND] = "there is no such device or management device",
                [EXIT_CODE_NO_ANSWER] = "no (whole) answer came; whether it was done is not known",
                [EXIT_CODE_LOCAL] = "out of memory, or the output could not be written",
                [EXIT_CODE_PARTIAL] = "of several, some were done and some were not",
                [EXIT_CODE_TIMEOUT] = "what was waited for has not come in time",
        };

        return texts[code];
}

static const struct {
        const char *code;
        const char *hint;
} code_hints[] = {
        { "device-not-found", "'hsvdpactl device list' shows the devices there are" },
        { "mgmtdev-not-found", "'hsvdpactl mgmtdev list' shows the management devices there are" },
        { "pool-not-found", "'hsvdpactl pool list' shows the pools there are" },
        { "pool-empty", "try again in a moment; 'hsvdpactl pool show' says whether it can be filled" },
        { "already-exists", "'show' says how it was made; delete it first, or take another name" },
        { "foreign-device", "someone else made that device ('vdpa dev show'); take another name" },
        { "events-gone", "look at what there is with 'hsvdpactl device list', and watch without --since" },
        { "mismatch", "say nothing of it, or what is so" },
        { "in-use", "stop what has the endpoint open ('fuser -v' on it tells), or let --wait wait for that" },
        { "precondition-failed", "it is not what it was: look at it with 'hsvdpactl device show'" },
        { "unsatisfiable", "'hsvdpactl mgmtdev show' tells what each management device can make" },
        { "not-ready", "'hsvdpactl device show' says what is with it; 'device wait' waits until it is ready" },
        { "not-supported", "'hsvdpactl mgmtdev show' tells what a management device supports" },
        { "no-capacity", "'hsvdpactl mgmtdev list' shows where there is room; --wait waits for it" },
        { "limit-reached", "'hsvdpactl host' shows the limits; they are set in the daemon's configuration" },
        { "backend-unavailable", "'hsvdpactl host' says what is missing" },
        { "backend-failed", "'journalctl -u hsvdpad' and 'dmesg' may say more" },
        { "permission-denied", "'journalctl -u hsvdpad' may say more" },
        { "store-failed", "look at the disk of the state directory; 'journalctl -u hsvdpad' says more" },
        { "overloaded", "try again in a moment, or with --wait" },
        { "shutting-down", "try again when the daemon has started, or with --wait" },
        { "internal", "this is a fault of hsvdpad; 'journalctl -u hsvdpad' says more" },
};

static const struct {
        int error;
        const char *hint;
} errno_hints[] = {
        { ENOENT, "is hsvdpad running? 'systemctl status hsvdpad' tells; --url says where it listens" },
        { ECONNREFUSED, "is hsvdpad running? 'systemctl status hsvdpad' tells; --url says where it listens" },
        { EACCES, "the socket is for root and the group hsvdpa: become a member, and log in again" },
        { ETIMEDOUT, "is the daemon stuck? 'systemctl status hsvdpad' tells" },
        { EHOSTUNREACH, "look at the host name in --url or HSVDPA_URL" },
        { EBADMSG, "does something else listen there? --url says where hsvdpad listens" },
};

static const char *find_hint(const HsvError *error, int r) {
        if (r == HSV_REFUSED) {
                for (size_t i = 0; i < ELEMENTSOF(code_hints); i++)
                        if (strcmp(code_hints[i].code, hsv_error_code(error)) == 0)
                                return code_hints[i].hint;
                return NULL;
        }
        for (size_t i = 0; i < ELEMENTSOF(errno_hints); i++)
                if (errno_hints[i].error == -r)
                        return errno_hints[i].hint;
        return NULL;
}

static ExitCode classify(const HsvError *error, int r) {
        const char *code = hsv_error_code(error);

        if (r == HSV_REFUSED)
                return strcmp(code, "device-not-found") == 0 || strcmp(code, "mgmtdev-not-found") == 0 ||
                                       strcmp(code, "pool-not-found") == 0
                               ? EXIT_CODE_NOT_FOUND
                               : EXIT_CODE_REFUSED;
        if (r == -EINVAL)
                return EXIT_CODE_USAGE;
        if (r == -ENOMEM)
                return EXIT_CODE_LOCAL;
        return hsv_error_was_sent(error) ? EXIT_CODE_NO_ANSWER : EXIT_CODE_UNREACHABLE;
}

/* Writes text with nothing in it that a terminal would obey. */
static void put(FILE *file, const char *text) {
        _cleanup_free_ char *escaped = text_escape(text, false);

        (void) fputs(escaped ? escaped : "(out of memory)", file);
}

/* The daemon tells of a single fault in the detail too. */
static bool is_told(const HsvError *error) {
        const char *detail = hsv_error_detail(error);

        return hsv_error_count_faults(error) == 1 && strstr(detail, hsv_error_fault_detail(error, 0)) &&
               strstr(detail, hsv_error_fault_pointer(error, 0));
}

static void print_fault(FILE *file, const HsvError *error, size_t i) {
        const char *pointer = hsv_error_fault_pointer(error, i);

        (void) fputs("  ", file);
        put(file, pointer[0] ? pointer : "(all of it)");
        (void) fputs(": ", file);
        put(file, hsv_error_fault_detail(error, i));
        (void) fputs(" (", file);
        put(file, hsv_error_fault_code(error, i));
        (void) fputs(")\n", file);
}

/* What speaks against a management device, as the place of a device that has none. */
static void print_candidate(FILE *file, const HsvValue *candidate) {
        const HsvValue *reasons = hsv_value_get(candidate, "/reasons");

        (void) fputs("  ", file);
        put(file, hsv_value_string(hsv_value_get(candidate, "/mgmtdev")) ?: "");
        for (size_t i = 0, n = hsv_value_count(reasons); i < n; i++) {
                (void) fputs(i > 0 ? "; " : ": ", file);
                put(file, hsv_value_string(hsv_value_get(hsv_value_at(reasons, i), "/detail")) ?: "");
        }
        (void) fputs("\n", file);
}

static void print_candidates(FILE *file, const HsvValue *problem) {
        const HsvValue *candidates = hsv_value_get(problem, "/candidates");
        size_t n = hsv_value_count(candidates);
        int64_t n_more = 0;

        (void) hsv_value_integer(hsv_value_get(problem, "/candidates_omitted"), &n_more);
        /* A single one is what the detail tells of. */
        for (size_t i = 0; n + (size_t) n_more > 1 && i < n; i++)
                print_candidate(file, hsv_value_at(candidates, i));
        if (n_more > 0)
                (void) fprintf(file, "  and %" PRId64 " more\n", n_more);
}

ExitCode report_print(FILE *file, const HsvError *error, int r, const char *subject, const char **last_hint) {
        const char *code = hsv_error_code(error), *hint = find_hint(error, r);
        ExitCode exit_code = classify(error, r);

        (void) fputs("hsvdpactl: ", file);
        if (subject && exit_code != EXIT_CODE_UNREACHABLE) {
                put(file, subject);
                (void) fputs(": ", file);
        }
        put(file, hsv_error_detail(error));
        if (code[0]) {
                (void) fputs(" (", file);
                put(file, code);
                (void) fputs(")", file);
        }
        (void) fputs("\n", file);
        for (size_t i = 0; !is_told(error) && i < hsv_error_count_faults(error); i++)
                print_fault(file, error, i);
        print_candidates(file, hsv_error_problem(error));
        if (hint && (!last_hint || hint != *last_hint))
                (void) fprintf(file, "Hint: %s\n", hint);
        if (last_hint)
                *last_hint = hint;
        return exit_code;
}

ExitCode report_failure(const HsvClient *client, int r, const char *subject) {
        return report_print(stderr, hsv_client_last_error(client), r, subject, NULL);
}

bool report_is_failure(const HsvValue *result) {
        int64_t status = 0;

        return hsv_value_integer(hsv_value_get(result, "/status"), &status) < 0 || status >= 300;
}

ExitCode report_result(const HsvValue *result, const HsvValue *problem) {
        _cleanup_free_ char *name = value_format(hsv_value_get(result, "/name"), ","), *detail = NULL;

        detail = value_format(hsv_value_get(problem, "/detail"), ",");
        if (!name || !detail)
                return report_oom();
        (void) fprintf(stderr, "hsvdpactl: device %s: %s (%s)\n", name, detail,
                       hsv_value_string(hsv_value_get(problem, "/code")) ?: "?");
        return EXIT_CODE_OK;
}

ExitCode report_usage(const char *format, ...) {
        va_list ap;

        (void) fputs("hsvdpactl: ", stderr);
        va_start(ap, format);
        (void) vfprintf(stderr, format, ap);
        va_end(ap);
        (void) fputs("\n", stderr);
        return EXIT_CODE_USAGE;
}

ExitCode report_oom(void) {
        (void) fputs("hsvdpactl: Out of memory\n", stderr);
        return EXIT_CODE_LOCAL;
}

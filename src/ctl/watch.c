/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/watch.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "ctl/clock.h"
#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/watch-list.h"

#define INTERVAL_MAX 86400

static ExitCode parse_interval(const Arguments *arguments, uint64_t *ret_ms) {
        const char *text = arguments_get(arguments, "interval");
        uint64_t seconds = 1;

        if (text && (!number_parse(text, 10, INTERVAL_MAX, &seconds) || seconds == 0))
                return report_usage("--interval: '%s' is not a number of seconds from 1 on", text);
        *ret_ms = seconds * 1000;
        return EXIT_CODE_OK;
}

bool watch_redraws(const Context *context) {
        return context->screen.is_terminal && !format_is_document(context->format);
}

void watch_clear(Context *context, const char *subject) {
        time_t now = time(NULL);
        struct tm tm = {};
        char text[16];

        (void) localtime_r(&now, &tm);
        (void) strftime(text, sizeof text, "%H:%M:%S", &tm);
        screen_measure(&context->screen);
        (void) fprintf(context->screen.file, "\033[H\033[2J%s, as of %s\n\n", subject, text);
}

ExitCode watch_print_document(const Context *context, const char *json) {
        if (context->format == FORMAT_YAML)
                (void) fputs("---\n", context->screen.file);
        return output_document(context, json);
}

bool watch_may_come_back(const HsvError *error, int r) {
        return r < 0 ? r != -ENOMEM && r != -EINVAL : hsv_error_http_status(error) == 503;
}

/* After a failure: complains, of the same once. Returns EXIT_CODE_OK to go on. */
static ExitCode take_failure(const Context *context, const char *subject, int r, bool is_first, bool *is_told) {
        if (is_first || !watch_may_come_back(hsv_client_last_error(context->client), r))
                return report_failure(context->client, r, subject);
        if (!*is_told)
                (void) report_failure(context->client, r, subject);
        *is_told = true;
        return EXIT_CODE_OK;
}

/* Calls step again and again. It returns as calls of the client do, and failures to show are an exit code in *ret.
 */
static ExitCode go_on(Context *context, const char *subject, uint64_t interval_ms,
                      int (*step)(Context *context, void *userdata, ExitCode *ret), void *userdata) {
        bool is_first = true, is_told = false;

        for (;;) {
                ExitCode code = EXIT_CODE_OK;
                int r = step(context, userdata, &code);

                if (r == -ENOMEM)
                        return report_oom();
                if (r != 0)
                        code = take_failure(context, subject, r, is_first, &is_told);
                else
                        is_told = is_first = false;
                if (code != EXIT_CODE_OK)
                        return code;
                /* Who reads may have gone, without a signal that tells. */
                if (fflush(context->screen.file) != 0)
                        return EXIT_CODE_LOCAL;
                clock_sleep_ms(interval_ms);
        }
}

/* What an object was when it was shown last. */
typedef struct Shown {
        const WatchedObject *object;
        HsvDocument *document;
} Shown;

static ExitCode show(Context *context, const WatchedObject *object, const HsvDocument *document, bool is_first) {
        _cleanup_free_ char *compact = NULL;

        if (watch_redraws(context))
                watch_clear(context, object->subject);
        else if (!is_first && !format_is_document(context->format))
                (void) fputc('\n', context->screen.file);
        if (!format_is_document(context->format))
                return object->show(context, hsv_document_root(document));
        compact = hsv_value_encode(hsv_document_root(document));
        return compact ? watch_print_document(context, compact) : report_oom();
}

static int look_at_object(Context *context, void *userdata, ExitCode *ret) {
        Shown *shown = userdata;
        const HsvDocument *last = shown->document;
        HsvDocument *document = NULL;
        int64_t revision = 0;
        int r;

        (void) hsv_value_integer(hsv_value_get(hsv_document_root(last), "/revision"), &revision);
        r = shown->object->get(context->client, shown->object->name, revision > 0 ? (uint64_t) revision : 0,
                               &document);
        if (r != 0 || !document)
                return r;
        if (last && strcmp(hsv_document_text(last), hsv_document_text(document)) == 0) {
                hsv_document_free(document);
                return 0;
        }
        *ret = show(context, shown->object, document, !last);
        hsv_document_free(shown->document);
        shown->document = document;
        return 0;
}

ExitCode watch_object(Context *context, const Arguments *arguments, const WatchedObject *object) {
        Shown shown = { .object = object };
        uint64_t interval_ms = 0;
        ExitCode code;

        code = parse_interval(arguments, &interval_ms);
        if (code == EXIT_CODE_OK)
                code = go_on(context, object->subject, interval_ms, look_at_object, &shown);
        hsv_document_free(shown.document);
        return code;
}

static int look_at_list(Context *context, void *userdata, ExitCode *ret) {
        return watch_look(context, userdata, ret);
}

ExitCode watch_list(Context *context, const Arguments *arguments, const WatchedList *list) {
        uint64_t interval_ms = 0;
        Watch *watch;
        ExitCode code;

        code = parse_interval(arguments, &interval_ms);
        if (code != EXIT_CODE_OK)
                return code;
        if (watch_new(context, list, &watch) < 0)
                return report_oom();
        code = go_on(context, list->subject, interval_ms, look_at_list, watch);
        watch_free(watch);
        return code;
}

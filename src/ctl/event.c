/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl event watch: each change of a device as a line, or a document, of its own. When the daemon is started
 * again the watching goes on where it was, if the daemon still knows what was since. */

#include <errno.h>
#include <string.h>

#include "ctl/clock.h"
#include "ctl/device.h"
#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/patience.h"
#include "ctl/watch-list.h"
#include "ctl/watch.h"

typedef struct EventWatch {
        Context *context;
        const Arguments *arguments;
        uint64_t since;  /* the revision up to which all is shown */
        uint64_t n_left; /* events to be shown; UINT64_MAX: all there will be */
        uint64_t end_ms; /* by clock_ms(); UINT64_MAX: never */
        bool has_titles;
        size_t widths[TABLE_COLUMNS_MAX];
        ExitCode code;
} EventWatch;

static const Column columns[] = {
        { "REVISION", "/revision", .importance = 3, .min_width = 8, .align_right = true },
        { "CHANGE", "/change", .importance = 2, .min_width = 7 },
        { "NAME", "/name", .importance = 1, .min_width = 24 },
        { "STATE", "/device/status/state", .importance = 4, .min_width = 8, .style = style_of_state },
        { "ENDPOINT", "/device/status/endpoint", .importance = 5, .min_width = 18 },
        { "MGMTDEV", "/device/status/mgmtdev", .importance = 6, .min_width = 20 },
        { "OWNER", "/device/spec/owner", .importance = 7, .min_width = 8 },
        { "UID", "/uid", .importance = 8, .min_width = 36, .is_wide = true },
        { "REASON", "/device/status/reason/detail", .importance = 9, .min_width = 12, .is_wide = true },
};

static bool is_wanted(const EventWatch *w, const HsvValue *event) {
        const char *name = hsv_value_string(hsv_value_get(event, "/name"));

        for (size_t i = 0; name && i < w->arguments->n_operands; i++)
                if (strcmp(w->arguments->operands[i], name) == 0)
                        return true;
        return w->arguments->n_operands == 0;
}

static ExitCode show_row(EventWatch *w, const HsvValue *event) {
        _cleanup_(table_freep) Table *table = NULL;
        bool is_wide = w->context->format == FORMAT_WIDE;

        if (table_new(columns, ELEMENTSOF(columns), is_wide, &table) < 0 || table_add_item(table, event) < 0)
                return report_oom();
        table_print_more(table, &w->context->screen, !w->has_titles, w->widths);
        w->has_titles = true;
        return EXIT_CODE_OK;
}

static ExitCode show(EventWatch *w, const HsvDocument *event) {
        ExitCode code = format_is_document(w->context->format)
                                ? watch_print_document(w->context, hsv_document_text(event))
                                : show_row(w, hsv_document_root(event));

        /* Who reads may have gone, without a signal that tells. */
        if (code == EXIT_CODE_OK && fflush(w->context->screen.file) != 0)
                return EXIT_CODE_LOCAL;
        return code;
}

static bool on_event(void *userdata, const HsvDocument *event) {
        EventWatch *w = userdata;
        int64_t revision;

        if (is_wanted(w, hsv_document_root(event))) {
                w->code = show(w, event);
                if (w->n_left != UINT64_MAX)
                        w->n_left--;
        }
        if (hsv_value_integer(hsv_value_get(hsv_document_root(event), "/revision"), &revision) == 0)
                w->since = (uint64_t) revision;
        return w->code == EXIT_CODE_OK && w->n_left > 0;
}

/* Milliseconds until the end, as hsv_events_watch() takes them: 0 is for ever. */
static unsigned time_left(const EventWatch *w) {
        uint64_t now = clock_ms();

        if (w->end_ms == UINT64_MAX)
                return 0;
        return now < w->end_ms ? (unsigned) (w->end_ms - now) : 1;
}

/* The changes in between are lost, which whoever watches has to know. */
static int begin_anew(EventWatch *w) {
        (void) fprintf(stderr,
                       "hsvdpactl: the daemon does not know any more what has changed since revision %llu; what "
                       "follows has gaps\n",
                       (unsigned long long) w->since);
        return device_get_revision(w->context->client, &w->since);
}

static bool is_gone(const HsvError *error, int r) {
        return r == HSV_REFUSED && strcmp(hsv_error_code(error), "events-gone") == 0;
}

/* The stream has ended, or could not be had: r. Returns EXIT_CODE_OK if it may be asked for again. */
static ExitCode take_end(EventWatch *w, int r, bool is_first, Patience *patience) {
        const HsvError *error = hsv_client_last_error(w->context->client);
        bool had_stream = r == 0 || (r < 0 && hsv_error_was_sent(error));

        if (!is_first && is_gone(error, r))
                r = begin_anew(w);
        else if (had_stream) {
                (void) fputs("hsvdpactl: the daemon has ended the stream; it is asked until it answers\n", stderr);
                *patience = patience_begin(true, 0);
        }
        if (r != 0 && !had_stream && (is_first || !watch_may_come_back(error, r)))
                return report_failure(w->context->client, r, "event watch");
        patience_pause(patience);
        return EXIT_CODE_OK;
}

static ExitCode watch(EventWatch *w) {
        Patience patience = patience_begin(true, 0);
        ExitCode code = EXIT_CODE_OK;

        for (bool is_first = true; code == EXIT_CODE_OK; is_first = false) {
                int r = hsv_events_watch(w->context->client, &w->since, time_left(w), on_event, w);

                if (w->code != EXIT_CODE_OK || w->n_left == 0)
                        return w->code;
                if (clock_ms() >= w->end_ms)
                        return w->n_left == UINT64_MAX ? EXIT_CODE_OK : EXIT_CODE_TIMEOUT;
                code = take_end(w, r, is_first, &patience);
        }
        return code;
}

static ExitCode parse(const Arguments *arguments, EventWatch *w) {
        const char *since = arguments_get(arguments, "since"), *count = arguments_get(arguments, "count");

        if (since && !number_parse(since, 10, INT64_MAX, &w->since))
                return report_usage("--since: '%s' is not a revision", since);
        if (count && (!number_parse(count, 10, INT64_MAX, &w->n_left) || w->n_left == 0))
                return report_usage("--count: '%s' is not a number from 1 on", count);
        return EXIT_CODE_OK;
}

static ExitCode event_watch(Context *context, const Arguments *arguments) {
        EventWatch w = { .context = context, .arguments = arguments, .n_left = UINT64_MAX, .end_ms = UINT64_MAX };
        ExitCode code;
        int r;

        code = parse(arguments, &w);
        if (code != EXIT_CODE_OK)
                return code;
        if (context->timeout_seconds > 0)
                w.end_ms = clock_ms() + (uint64_t) context->timeout_seconds * 1000;
        /* So that nothing is missed when the connection breaks before the first event. */
        if (!arguments_has(arguments, "since")) {
                r = device_get_revision(context->client, &w.since);
                if (r != 0)
                        return report_failure(context->client, r, "event watch");
        }
        return watch(&w);
}

static const Option watch_options[] = {
        { "since", "REVISION", "begin with the first change after this one, which a list or a device told" },
        { "count", "N", "end after N changes" },
        {},
};

static const Verb verbs[] = {
        { .name = "watch",
          .synopsis = "[NAME...] [OPTION...]",
          .help = "Show each change of the devices, or of these, when it happens",
          .details = "A line for each; with -o json a document in a line. Ends after --timeout, if that is given. "
                     "When "
                     "the daemon is started again it goes on.",
          .options = watch_options,
          .max_operands = SIZE_MAX,
          .operands = VALUES_DEVICES,
          .run = event_watch },
        {},
};

const Noun noun_event = { .name = "event", .help = "Changes", .verbs = verbs };

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device wait: until each device has come to a state. */

#include <jansson.h>
#include <string.h>

#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/patience.h"
#include "ctl/text.h"

#define GONE "gone"

typedef struct Wait {
        Context *context;
        const char *wanted;
        Patience patience;
        const char *name;
        char state[32]; /* as it was last seen; "" if it was not */
        uint64_t revision;
} Wait;

static void take_state(Wait *w, const HsvDocument *device) {
        const HsvValue *root = hsv_document_root(device);
        const char *state = hsv_value_string(hsv_value_get(root, "/status/state"));
        int64_t revision = 0;

        (void) hsv_value_integer(hsv_value_get(root, "/revision"), &revision);
        w->revision = revision > 0 ? (uint64_t) revision : 0;
        (void) snprintf(w->state, sizeof w->state, "%s", state ?: "");
}

/* Looks once. Returns as a call of the client does, but to find none is no failure. */
static int look(Wait *w) {
        _cleanup_(document_freep) HsvDocument *device = NULL;
        HsvClient *client = w->context->client;
        int r;

        r = hsv_device_get_if_changed(client, w->name, w->revision, &device);
        if (r == HSV_REFUSED && strcmp(hsv_error_code(hsv_client_last_error(client)), "device-not-found") == 0) {
                (void) snprintf(w->state, sizeof w->state, GONE);
                w->revision = 0;
                return 0;
        }
        if (r == 0 && device)
                take_state(w, device);
        return r;
}

/* A device that has failed does not become ready by waiting. */
static bool is_hopeless(const Wait *w) {
        return strcmp(w->state, "failed") == 0 && strcmp(w->wanted, "ready") == 0;
}

static ExitCode give_up(const Wait *w, const char *name, ExitCode code) {
        (void) fprintf(stderr, "hsvdpactl: device %s: is %s, and not %s\n", name,
                       w->state[0] ? w->state : "not known", w->wanted);
        if (code == EXIT_CODE_REFUSED)
                (void) fprintf(stderr, "Hint: 'hsvdpactl device show %s' says why\n", name);
        return code;
}

static ExitCode wait_one(Wait *w) {
        _cleanup_free_ char *name = text_escape(w->name, false), *subject = text_format("device %s", w->name);

        if (!name || !subject)
                return report_oom();
        for (;;) {
                int r = look(w);

                if (r == 0 && strcmp(w->state, w->wanted) == 0)
                        break;
                if (r == 0 && is_hopeless(w))
                        return give_up(w, name, EXIT_CODE_REFUSED);
                if (r == 0 && patience_is_over(&w->patience))
                        return give_up(w, name, EXIT_CODE_TIMEOUT);
                if (r == 0)
                        patience_pause(&w->patience);
                else if (!patience_again(&w->patience, hsv_client_last_error(w->context->client), r, true))
                        return report_failure(w->context->client, r, subject);
        }
        if (!format_is_document(w->context->format))
                (void) fprintf(w->context->screen.file, "%s: %s\n", name, w->state);
        (void) fflush(w->context->screen.file);
        return EXIT_CODE_OK;
}

/* As bulk creation and deletion have them: the name, and the state that it was last seen in. */
static int add_result(json_t *results, const Wait *w) {
        return json_array_append_new(
                results, json_pack("{s:s, s:s?}", "name", w->name, "state", w->state[0] ? w->state : NULL));
}

static ExitCode print_results(const Context *context, json_t *results) {
        json_t *document = json_pack("{s:O}", "results", results);
        _cleanup_free_ char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;

        json_decref(document);
        return text ? output_document(context, text) : report_oom();
}

ExitCode device_wait(Context *context, const Arguments *arguments) {
        const char *wanted = arguments_get(arguments, "for") ?: "ready";
        json_t *results;
        ExitCode first = EXIT_CODE_OK;

        if (!values_include(VALUES_WAIT_STATES, wanted))
                return report_usage("--for: '%s' is neither the state of a device nor " GONE, wanted);
        results = json_array();
        if (!results)
                return report_oom();
        for (size_t i = 0; i < arguments->n_operands; i++) {
                Wait w = {
                        .context = context,
                        .wanted = wanted,
                        .patience = patience_begin(true, context->timeout_seconds),
                        .name = arguments->operands[i],
                };
                ExitCode code = wait_one(&w);

                if (first == EXIT_CODE_OK)
                        first = code;
                if (add_result(results, &w) < 0)
                        first = report_oom();
        }
        if (format_is_document(context->format)) {
                ExitCode code = print_results(context, results);

                if (first == EXIT_CODE_OK)
                        first = code;
        }
        json_decref(results);
        return first;
}

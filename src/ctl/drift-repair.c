/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl drift repair: one request, which has an outcome for each device. */

#include <jansson.h>

#include "ctl/device.h"
#include "ctl/drift.h"
#include "ctl/output.h"
#include "ctl/value.h"

/* As many names as the daemon takes. */
#define NAMES_MAX 10000

static json_t *encode_names(const Arguments *arguments) {
        json_t *names = json_array();

        for (size_t i = 0; i < arguments->n_operands && names; i++)
                if (json_array_append_new(names, json_string(arguments->operands[i])) < 0) {
                        json_decref(names);
                        return NULL;
                }
        return names;
}

static json_t *encode_kinds(const Arguments *arguments) {
        json_t *kinds = json_array();

        for (size_t i = 0; i < arguments_count(arguments, "kind") && kinds; i++)
                if (json_array_append_new(kinds, json_string(arguments_nth(arguments, "kind", i))) < 0) {
                        json_decref(kinds);
                        return NULL;
                }
        return kinds;
}

/* The body as text; NULL: a name is not UTF-8, or out of memory. A list that is not there stands for everything,
 * and an empty one for nothing. */
static char *format_request(const Arguments *arguments) {
        json_t *body = json_pack("{s:b}", "recreate", arguments_has(arguments, "recreate"));
        char *text = NULL;

        if (body &&
            (arguments->n_operands == 0 || json_object_set_new(body, "devices", encode_names(arguments)) == 0) &&
            (!arguments_has(arguments, "kind") || json_object_set_new(body, "kinds", encode_kinds(arguments)) == 0))
                text = json_dumps(body, JSON_COMPACT);
        json_decref(body);
        return text;
}

static ExitCode check_arguments(const Arguments *arguments) {
        bool all = arguments_has(arguments, "all"), has_kind = arguments_has(arguments, "kind");

        for (size_t i = 0; i < arguments_count(arguments, "kind"); i++) {
                const char *kind = arguments_nth(arguments, "kind", i);

                if (!values_include(VALUES_REPAIRABLE_KINDS, kind))
                        return report_usage("drift repair: --kind: '%s' is none of missing, extra, changed", kind);
        }
        if (arguments->n_operands > NAMES_MAX)
                return report_usage("drift repair: more than %d names", NAMES_MAX);
        if (all && (arguments->n_operands > 0 || has_kind))
                return report_usage("drift repair: --all leaves nothing to choose by name or --kind");
        if (!all && !has_kind && arguments->n_operands == 0)
                return report_usage("drift repair: say what: NAME..., --kind, or --all");
        return EXIT_CODE_OK;
}

static ExitCode print_repaired(const Context *context, const HsvValue *result, bool dry_run) {
        _cleanup_free_ char *name = value_format(hsv_value_get(result, "/name"), ","), *kind = NULL,
                            *repairs = NULL;

        kind = value_format(hsv_value_get(result, "/kind"), ",");
        repairs = value_format(hsv_value_get(result, "/repairs"), ", ");
        if (!name || !kind || !repairs)
                return report_oom();
        if (hsv_value_kind(hsv_value_get(result, "/kind")) != HSV_KIND_STRING)
                (void) fprintf(context->screen.file, "%s: is as it should be\n", name);
        else
                (void) fprintf(context->screen.file, "%s: was %s; %s (%s)\n", name, kind,
                               dry_run ? "would be repaired" : "repaired", repairs);
        return EXIT_CODE_OK;
}

static ExitCode print_results(const Context *context, const HsvValue *results, bool dry_run) {
        size_t n = hsv_value_count(results), n_failed = 0;

        for (size_t i = 0; i < n; i++) {
                const HsvValue *result = hsv_value_at(results, i);
                ExitCode code = EXIT_CODE_OK;

                if (report_is_failure(result)) {
                        n_failed++;
                        code = report_result(result, result);
                } else if (!format_is_document(context->format))
                        code = print_repaired(context, result, dry_run);
                if (code != EXIT_CODE_OK)
                        return code;
        }
        if (n == 0 && context->screen.is_terminal && !format_is_document(context->format))
                (void) fputs("There is nothing to repair.\n", context->screen.file);
        return n_failed == 0 ? EXIT_CODE_OK : n_failed < n ? EXIT_CODE_PARTIAL : EXIT_CODE_REFUSED;
}

ExitCode drift_repair(Context *context, const Arguments *arguments) {
        _cleanup_(document_freep) HsvDocument *document = NULL;
        bool dry_run = arguments_has(arguments, "dry-run");
        _cleanup_free_ char *request = NULL;
        ExitCode code, outcome;
        int r;

        code = check_arguments(arguments);
        if (code != EXIT_CODE_OK)
                return code;
        request = format_request(arguments);
        if (!request)
                return report_usage("drift repair: a name is not UTF-8");
        r = hsv_drift_repair(context->client, request, dry_run, &document);
        if (r != 0)
                return device_report_change(context, r, "drift repair");

        if (format_is_document(context->format))
                code = output_document(context, hsv_document_text(document));
        outcome = print_results(context, hsv_value_get(hsv_document_root(document), "/results"), dry_run);
        return code == EXIT_CODE_OK ? outcome : code;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device create --atomic: all in one request, which makes all of them or none. */

#include <jansson.h>
#include <string.h>

#include "ctl/device-batch.h"
#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/value.h"

/* As many as the daemon takes. */
#define BATCH_MAX 10000

static json_t *encode_items(const ItemList *items) {
        json_t *devices = json_array();

        for (size_t i = 0; i < items->n && devices; i++) {
                const Item *item = &items->item[i];
                json_t *spec = item->spec ? json_loads(item->spec, 0, NULL) : json_object();

                if (json_array_append_new(devices, json_pack("{s:s*, s:o}", "name", item->name, "spec", spec)) <
                    0) {
                        json_decref(devices);
                        return NULL;
                }
        }
        return devices;
}

/* The body as text; NULL: out of memory. */
static char *format_batch(const ItemList *items) {
        json_t *body = json_pack("{s:o, s:b}", "devices", encode_items(items), "atomic", true);
        char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

        json_decref(body);
        return text;
}

static bool has_code(const HsvValue *result, const char *code) {
        const char *text = hsv_value_string(hsv_value_get(result, "/problem/code"));

        return text && strcmp(text, code) == 0;
}

static ExitCode print_made(const Context *context, const HsvValue *result) {
        int64_t status = 0;

        (void) hsv_value_integer(hsv_value_get(result, "/status"), &status);
        return device_print_line(&context->screen, hsv_value_get(result, "/device"),
                                 status == 201 ? "created" : "is there already");
}

static ExitCode print_results(const Context *context, const HsvValue *results) {
        size_t n_failed = 0, n = hsv_value_count(results);
        ExitCode code = EXIT_CODE_OK;

        for (size_t i = 0; i < n; i++)
                n_failed += report_is_failure(hsv_value_at(results, i));
        for (size_t i = 0; i < n && code == EXIT_CODE_OK; i++) {
                const HsvValue *result = hsv_value_at(results, i);

                if (n_failed == 0 && !format_is_document(context->format))
                        code = print_made(context, result);
                /* The others failed with it. */
                else if (report_is_failure(result) && !has_code(result, "batch-failed"))
                        code = report_result(result, hsv_value_get(result, "/problem"));
        }
        if (code != EXIT_CODE_OK || n_failed == 0)
                return code;
        (void) fputs("hsvdpactl: none was created.\n"
                     "Hint: mend or leave out what failed; without --atomic the others are created\n",
                     stderr);
        return EXIT_CODE_REFUSED;
}

ExitCode device_create_batch(Context *context, const ItemList *items) {
        _cleanup_(document_freep) HsvDocument *document = NULL;
        _cleanup_free_ char *batch = NULL;
        ExitCode code = EXIT_CODE_OK, outcome;
        int r;

        if (items->n == 0 || items->n > BATCH_MAX)
                return report_usage("device create: --atomic is for 1 to %d devices", BATCH_MAX);
        batch = format_batch(items);
        if (!batch)
                return report_oom();
        r = hsv_device_create_batch(context->client, batch, &document);
        if (r != 0)
                return device_report_change(context, r, "device create");

        if (format_is_document(context->format))
                code = output_document(context, hsv_document_text(document));
        outcome = print_results(context, hsv_value_get(hsv_document_root(document), "/results"));
        return code == EXIT_CODE_OK ? outcome : code;
}

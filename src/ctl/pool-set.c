/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl pool set, delete, claim, return */

#include <errno.h>
#include <jansson.h>

#include "ctl/device-spec.h"
#include "ctl/device.h"
#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/pool.h"
#include "ctl/text.h"

/* Sets spec[name] to the number that the option of that name has, if it was given. */
static ExitCode set_number(json_t *spec, const Arguments *arguments, const char *name) {
        const char *text = arguments_get(arguments, name);
        uint64_t n;

        if (!text)
                return EXIT_CODE_OK;
        if (!number_parse(text, 10, UINT32_MAX, &n))
                return report_usage("pool set: --%s: '%s' is not a number", name, text);
        return json_object_set_new(spec, name, json_integer((json_int_t) n)) < 0 ? report_oom() : EXIT_CODE_OK;
}

/* With options that say what the devices are, these; without, those of the pool that is there, and its marks. */
static ExitCode find_base(Context *context, const Arguments *arguments, const char *subject, json_t **ret) {
        _cleanup_(document_freep) HsvDocument *document = NULL;
        json_t *device = NULL, *pool;
        ExitCode code;
        int r;

        code = spec_parse(arguments, &device);
        if (code != EXIT_CODE_OK)
                return code;
        if (json_object_size(device) > 0) {
                *ret = json_pack("{s:o}", "device", device);
                return *ret ? EXIT_CODE_OK : report_oom();
        }
        json_decref(device);

        r = hsv_pool_get(context->client, arguments->operands[0], &document);
        if (r != 0)
                return report_failure(context->client, r, subject);
        pool = json_loads(hsv_document_text(document), 0, NULL);
        *ret = json_incref(json_object_get(pool, "spec"));
        json_decref(pool);
        return *ret ? EXIT_CODE_OK : report_oom();
}

static ExitCode make_spec(Context *context, const Arguments *arguments, const char *subject, char **ret) {
        const char *on_return = arguments_get(arguments, "on-return");
        json_t *spec = NULL;
        ExitCode code = find_base(context, arguments, subject, &spec);

        if (code == EXIT_CODE_OK)
                code = set_number(spec, arguments, "low");
        if (code == EXIT_CODE_OK)
                code = set_number(spec, arguments, "high");
        if (code == EXIT_CODE_OK && on_return && json_object_set_new(spec, "on_return", json_string(on_return)) < 0)
                code = report_usage("pool set: --on-return: the value is not UTF-8");
        if (code == EXIT_CODE_OK) {
                *ret = json_dumps(spec, JSON_COMPACT);
                code = *ret ? EXIT_CODE_OK : report_oom();
        }
        json_decref(spec);
        return code;
}

ExitCode pool_set(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0];
        _cleanup_free_ char *subject = text_format("pool %s", name), *escaped = text_escape(name, false);
        _cleanup_free_ char *spec = NULL;
        _cleanup_(document_freep) HsvDocument *document = NULL;
        bool created = false;
        ExitCode code;
        int r;

        if (!subject || !escaped)
                return report_oom();
        code = make_spec(context, arguments, subject, &spec);
        if (code != EXIT_CODE_OK)
                return code;
        r = hsv_pool_set(context->client, name, spec, &document, &created);
        if (r != 0)
                return device_report_change(context, r, subject);
        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(document));
        (void) fprintf(context->screen.file, "%s: %s\n", escaped, created ? "created" : "set");
        return EXIT_CODE_OK;
}

ExitCode pool_delete(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0];
        _cleanup_free_ char *subject = text_format("pool %s", name), *escaped = text_escape(name, false);
        int r;

        if (!subject || !escaped)
                return report_oom();
        r = hsv_pool_delete(context->client, name);
        if (r != 0)
                return device_report_change(context, r, subject);
        (void) fprintf(context->screen.file, "%s: deleted\n", escaped);
        return EXIT_CODE_OK;
}

ExitCode pool_claim(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0];
        _cleanup_free_ char *subject = text_format("pool %s", name), *spec = NULL;
        HsvDocument *document = NULL;
        ExitCode code;
        int r;

        if (!subject)
                return report_oom();
        code = spec_parse_text(arguments, &spec);
        if (code != EXIT_CODE_OK)
                return code;
        r = hsv_pool_claim(context->client, name, spec, &document);
        return device_output_change(context, r, document, subject, "claimed");
}

ExitCode pool_return(Context *context, const Arguments *arguments) {
        const char *device = arguments->operands[1];
        _cleanup_free_ char *subject = text_format("device %s", device), *escaped = text_escape(device, false);
        int r;

        if (!subject || !escaped)
                return report_oom();
        r = hsv_pool_return(context->client, arguments->operands[0], device, arguments_get(arguments, "uid"));
        if (r != 0)
                return device_report_change(context, r, subject);
        (void) fprintf(context->screen.file, "%s: returned\n", escaped);
        return EXIT_CODE_OK;
}

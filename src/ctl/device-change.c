/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device create, set, delete */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/device-spec.h"
#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/value.h"

/* Sets *ret to the spec as JSON text, or returns the exit code of the mistake in it. */
static ExitCode spec_text(const Arguments *arguments, char **ret) {
        json_t *spec = NULL;
        SpecFault fault;
        int r;

        r = spec_from_arguments(arguments, &spec, &fault);
        if (r == -EINVAL)
                return report_usage("%s", fault.text);
        if (r < 0)
                return report_oom();
        *ret = json_dumps(spec, JSON_COMPACT);
        json_decref(spec);
        return *ret ? EXIT_CODE_OK : report_oom();
}

/* For a request that changes something, and may have done so without our knowing. */
static ExitCode report_change(const Context *context, int r, const char *verb, const char *name) {
        _cleanup_free_ char *subject = text_format("device %s", name ? name : verb);
        ExitCode code;

        if (!subject)
                return report_oom();
        code = report_failure(context->client, r, subject);
        if (code == EXIT_CODE_NO_ANSWER)
                (void) fputs("Whether it was done is not known: look with 'hsvdpactl device list'.\n", stderr);
        return code;
}

/* "NAME: created; ready on MGMTDEV, /dev/vhost-vdpa-7" */
static ExitCode print_device(const Screen *screen, const HsvValue *device, const char *what) {
        static const char *const pointers[] = { "/name", "/status/mgmtdev", "/status/state", "/status/endpoint" };
        _cleanup_free_ char *name = NULL, *mgmtdev = NULL, *state = NULL, *endpoint = NULL;
        char **const texts[] = { &name, &mgmtdev, &state, &endpoint };
        Style style;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                *texts[i] = value_format(hsv_value_get(device, pointers[i]), ",");
                if (!*texts[i])
                        return report_oom();
        }
        style = style_of_state(state);
        (void) fprintf(screen->file, "%s: %s; %s%s%s on %s, %s\n", name, what, screen_style(screen, style), state,
                       screen_plain(screen, style), mgmtdev, endpoint);
        return EXIT_CODE_OK;
}

static ExitCode print_answer(const Context *context, const HsvDocument *document, const char *what) {
        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(document));
        return print_device(&context->screen, hsv_document_root(document), what);
}

ExitCode device_create(Context *context, const Arguments *arguments) {
        const char *name = arguments->n_operands > 0 ? arguments->operands[0] : NULL;
        _cleanup_(document_freep) HsvDocument *document = NULL;
        _cleanup_free_ char *spec = NULL;
        bool created = false;
        ExitCode code;
        int r;

        if (!arguments_has(arguments, "class"))
                return report_usage("device create: --class is missing");
        code = spec_text(arguments, &spec);
        if (!spec)
                return code;

        r = hsv_device_create(context->client, name, spec, &document, &created);
        if (r != 0)
                return report_change(context, r, "create", name);
        return print_answer(context, document, created ? "created" : "is there already");
}

ExitCode device_set(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0];
        _cleanup_(document_freep) HsvDocument *document = NULL;
        _cleanup_free_ char *spec = NULL;
        ExitCode code;
        int r;

        if (arguments_has(arguments, "owner") && arguments_has(arguments, "no-owner"))
                return report_usage("device set: --owner and --no-owner exclude each other");
        code = spec_text(arguments, &spec);
        if (!spec)
                return code;
        if (strcmp(spec, "{}") == 0)
                return report_usage("device set: nothing is said to change");

        r = hsv_device_update(context->client, name, spec, 0, &document);
        if (r != 0)
                return report_change(context, r, "set", name);
        return print_answer(context, document, "changed");
}

static ExitCode delete_one(Context *context, const char *name, const char *uid, unsigned flags) {
        int r;

        r = hsv_device_delete(context->client, name, uid, 0, flags);
        if (r != 0)
                return report_change(context, r, "delete", name);
        /* At once, to keep the order with what goes to standard error. */
        if (!format_is_document(context->format))
                (void) fprintf(context->screen.file, "%s: deleted\n", name);
        (void) fflush(context->screen.file);
        return EXIT_CODE_OK;
}

ExitCode device_delete(Context *context, const Arguments *arguments) {
        unsigned flags = arguments_has(arguments, "missing-ok") ? HSV_DELETE_MISSING_OK : 0;
        const char *uid = arguments_get(arguments, "uid");
        ExitCode first = EXIT_CODE_OK;

        if (uid && arguments->n_operands > 1)
                return report_usage("device delete: --uid is the uid of one device; there are several names");
        for (size_t i = 0; i < arguments->n_operands; i++) {
                ExitCode code = delete_one(context, arguments->operands[i], uid, flags);

                if (first == EXIT_CODE_OK)
                        first = code;
                /* The others would fare no better. */
                if (code == EXIT_CODE_UNREACHABLE)
                        break;
        }
        return first;
}

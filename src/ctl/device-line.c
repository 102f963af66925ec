/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was done to a device, in one line. */

#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/value.h"

ExitCode device_print_line(const Screen *screen, const HsvValue *device, const char *what) {
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

ExitCode device_output_change(Context *context, int r, HsvDocument *document, const char *subject,
                              const char *what) {
        _cleanup_(document_freep) HsvDocument *owned = r == 0 ? document : NULL;

        if (r != 0)
                return device_report_change(context, r, subject);
        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(owned));
        return device_print_line(&context->screen, hsv_document_root(owned), what);
}

ExitCode device_report_change(const Context *context, int r, const char *subject) {
        ExitCode code = report_failure(context->client, r, subject);

        if (code == EXIT_CODE_NO_ANSWER)
                (void) fputs("Whether it was done is not known: look with 'hsvdpactl device list'.\n", stderr);
        return code;
}

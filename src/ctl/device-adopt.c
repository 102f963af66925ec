/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device adopt */

#include "ctl/device-spec.h"
#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/text.h"

ExitCode device_adopt(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0];
        _cleanup_free_ char *subject = text_format("device %s", name), *spec = NULL;
        HsvDocument *document = NULL;
        ExitCode code;
        int r;

        if (!subject)
                return report_oom();
        code = spec_parse_text(arguments, &spec);
        if (code != EXIT_CODE_OK)
                return code;
        r = hsv_device_adopt(context->client, name, spec, &document);
        return device_output_change(context, r, document, subject, "adopted");
}

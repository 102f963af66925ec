/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device set */

#include <string.h>

#include "ctl/device-spec.h"
#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/text.h"

ExitCode device_set(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0];
        _cleanup_free_ char *subject = text_format("device %s", name), *patch = NULL;
        HsvDocument *document = NULL;
        HsvCondition condition;
        ExitCode code;
        int r;

        if (arguments_has(arguments, "owner") && arguments_has(arguments, "no-owner"))
                return report_usage("device set: --owner and --no-owner exclude each other");
        if (!subject)
                return report_oom();
        code = spec_parse_text(arguments, &patch);
        if (code != EXIT_CODE_OK)
                return code;
        if (strcmp(patch, "{}") == 0)
                return report_usage("device set: nothing is said to change");
        code = device_condition(arguments, &condition);
        if (code != EXIT_CODE_OK)
                return code;

        r = hsv_device_update_if(context->client, name, patch, &condition, &document);
        return device_output_change(context, r, document, subject, "changed");
}

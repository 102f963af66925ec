/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device renew, and the conditions that it shares with others. */

#include "ctl/device.h"
#include "ctl/number.h"
#include "ctl/output.h"
#include "ctl/text.h"

ExitCode device_condition(const Arguments *arguments, HsvCondition *ret) {
        const char *generation = arguments_get(arguments, "generation");

        *ret = (HsvCondition){ .uid = arguments_get(arguments, "uid") };
        if (generation && (!number_parse(generation, 10, UINT32_MAX, &ret->generation) || ret->generation == 0))
                return report_usage("--generation: '%s' is not a number from 1 on", generation);
        return EXIT_CODE_OK;
}

ExitCode device_renew(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0], *lease = arguments_get(arguments, "lease");
        _cleanup_free_ char *subject = text_format("device %s", name);
        HsvDocument *document = NULL;
        HsvCondition condition;
        uint64_t seconds = 0;
        ExitCode code;
        int r;

        if (!subject)
                return report_oom();
        code = device_condition(arguments, &condition);
        if (code != EXIT_CODE_OK)
                return code;
        if (lease && (!number_parse(lease, 10, UINT32_MAX, &seconds) || seconds == 0))
                return report_usage("device renew: --lease: '%s' is not a number of seconds from 1 on", lease);

        r = hsv_device_renew(context->client, name, seconds, &condition, &document);
        return device_output_change(context, r, document, subject, "renewed");
}

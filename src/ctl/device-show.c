/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device show, stats */

#include "ctl/device-ids.h"
#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/watch.h"

static const Column stats_columns[] = {
        { "QUEUE", "/queue", .importance = 1, .min_width = 5, .align_right = true },
        { "NAME", "/name", .importance = 2, .min_width = 20 },
        { "VALUE", "/value", .importance = 3, .min_width = 20, .align_right = true },
};

static const Field fields[] = {
        { "Name", "/name" },
        { "UID", "/uid" },
        { "State", "/status/state", .style = style_of_state },
        { "Reason", "/status/reason/detail" },
        { "  code", "/status/reason/code" },
        { "Class", "/spec/class" },
        { "Management device", "/status/mgmtdev" },
        { "Simulated", "/status/simulated" },
        { "Driver", "/status/driver", .keep_null = true },
        { "Endpoint", "/status/endpoint", .keep_null = true },
        { "  in use", "/status/in_use" },
        { "  user", "/spec/endpoint/uid" },
        { "  group", "/spec/endpoint/gid" },
        { "  mode", "/spec/endpoint/mode" },
        { "MAC", "/status/net/mac" },
        { "MTU", "/status/net/mtu" },
        { "Virtqueue pairs", "/status/net/max_vqp" },
        { "Virtqueues", "/status/max_vqs" },
        { "  descriptors each", "/status/vq_size" },
        { "  groups", "/status/vq_groups" },
        { "  address spaces", "/status/address_spaces" },
        { "ASIDs", "/status/asids", .format = device_format_asids },
        { "MSI entries", "/status/msis", .format = device_format_msis },
        { "  shared", "/status/msi_shared" },
        { "Vendor", "/status/vendor_id", .is_hex = true },
        { "Features", "/status/features" },
        { "  asked for", "/spec/features" },
        { "Owner", "/spec/owner" },
        { "Labels", "/spec/labels" },
        { "Persistent", "/spec/persistent" },
        { "Created", "/created" },
        { "Revision", "/revision" },
        { "Generation", "/generation" },
};

static ExitCode print_device(const Context *context, const HsvValue *device) {
        return fields_print(&context->screen, device, fields, ELEMENTSOF(fields)) < 0 ? report_oom() : EXIT_CODE_OK;
}

ExitCode device_show(Context *context, const Arguments *arguments) {
        _cleanup_free_ char *subject = text_format("device %s", arguments->operands[0]);
        WatchedObject watched = {
                .subject = subject,
                .name = arguments->operands[0],
                .get = hsv_device_get_if_changed,
                .show = print_device,
        };
        HsvDocument *document = NULL;
        int r;

        if (!subject)
                return report_oom();
        if (arguments_has(arguments, "watch"))
                return watch_object(context, arguments, &watched);
        r = hsv_device_get(context->client, arguments->operands[0], &document);
        return output_object(context, r, document, subject, fields, ELEMENTSOF(fields));
}

ExitCode device_stats(Context *context, const Arguments *arguments) {
        _cleanup_free_ char *subject = text_format("device %s", arguments->operands[0]);
        HsvDocument *document = NULL;
        int r;

        if (!subject)
                return report_oom();
        r = hsv_device_get_stats(context->client, arguments->operands[0], &document);
        return output_items(context, r, document, subject, stats_columns, ELEMENTSOF(stats_columns),
                            "No statistics.");
}

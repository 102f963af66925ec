/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device show, stats */

#include <inttypes.h>

#include "ctl/device-ids.h"
#include "ctl/device.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/watch.h"

static void print_holder(FILE *file, const HsvValue *holder) {
        const char *kind = hsv_value_string(hsv_value_get(holder, "/kind"));
        const char *name = hsv_value_string(hsv_value_get(holder, "/name"));
        const char *comm = hsv_value_string(hsv_value_get(holder, "/comm"));
        int64_t pid;

        (void) fputs(kind ?: "?", file);
        if (hsv_value_integer(hsv_value_get(holder, "/pid"), &pid) >= 0)
                (void) fprintf(file, " %" PRId64, pid);
        if (comm)
                (void) fprintf(file, " (%s)", comm);
        if (name && name[0])
                (void) fprintf(file, " %s", name);
}

/* "process 812 (qemu-system-x86), mount /mnt" */
static char *format_holders(const HsvValue *holders) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        if (!file)
                return NULL;
        for (size_t i = 0, n = hsv_value_count(holders); i < n; i++) {
                (void) fputs(i > 0 ? ", " : "", file);
                print_holder(file, hsv_value_at(holders, i));
        }
        return fclose(file) == 0 ? text_escape(text, false) : NULL;
}

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
        { "  holders", "/status/holders", .format = format_holders },
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
        { "  group of each", "/status/group_of_vq", .format = device_format_groups },
        { "ASIDs", "/status/asids", .format = device_format_asids },
        { "MSI entries", "/status/msis", .format = device_format_msis },
        { "  shared", "/status/msi_shared" },
        { "Vendor", "/status/vendor_id", .is_hex = true },
        { "Features", "/status/features" },
        { "  asked for", "/spec/features" },
        { "Owner", "/spec/owner" },
        { "Labels", "/spec/labels" },
        { "Persistent", "/spec/persistent" },
        { "Lease", "/spec/lease_seconds" },
        { "  expires", "/status/lease/expires" },
        { "  seconds left", "/status/lease/remaining_seconds" },
        { "  kept because", "/status/lease/reason/detail" },
        { "Created", "/created" },
        { "Revision", "/revision" },
        { "Generation", "/generation" },
};

static ExitCode print_device(const Context *context, const HsvValue *device) {
        return fields_print(&context->screen, device, fields, ELEMENTSOF(fields)) < 0 ? report_oom() : EXIT_CODE_OK;
}

/* Who uses it has to be looked for: for people, but not for programs that did not ask, and a daemon that is not
 * ready does not do it. */
static int get_device(const Context *context, const char *name, HsvDocument **ret) {
        HsvClient *client = context->client;
        int r;

        if (format_is_document(context->format))
                return hsv_device_get(client, name, ret);
        r = hsv_device_get_in_use(client, name, ret);
        if (r == HSV_REFUSED && hsv_error_http_status(hsv_client_last_error(client)) == 503)
                r = hsv_device_get(client, name, ret);
        return r;
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
        r = get_device(context, arguments->operands[0], &document);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl host */

#include "ctl/command.h"
#include "ctl/host-backup.h"
#include "ctl/output.h"
#include "ctl/watch.h"

static const Field fields[] = {
        { "Version", "/version" },
        { "Kernel", "/kernel" },
        { "Boot ID", "/boot_id" },
        { "Backend", "/backend" },
        { "Can make devices", "/available", .style = style_of_good },
        { "Reason", "/reason" },
        { "Can be written", "/store/writable", .style = style_of_good },
        { "Reason", "/store/reason" },
        { "Kernel hangs since", "/stuck/since" },
        { "  in order to", "/stuck/what" },
        { "  of the device", "/stuck/device" },
        { "  command", "/stuck/command" },
        { "Driver vhost_vdpa", "/drivers/vhost_vdpa" },
        { "Driver virtio_vdpa", "/drivers/virtio_vdpa" },
        { "Autoprobe", "/autoprobe" },
        { "Devices", "/devices/total" },
        { "  reserved", "/devices/reserved" },
        { "  creating", "/devices/creating" },
        { "  ready", "/devices/ready" },
        { "  deleting", "/devices/deleting" },
        { "  failed", "/devices/failed" },
        { "  lost", "/devices/lost" },
        { "Foreign devices", "/devices/foreign" },
        { "Operations", "/operations" },
        { "Device limit", "/limits/max_devices" },
        { "Connection limit", "/limits/max_connections" },
        { "Body limit, bytes", "/limits/max_body_bytes" },
        { "List page limit", "/limits/max_list" },
};

static int get(HsvClient *client, const char *name, uint64_t revision, HsvDocument **ret) {
        return hsv_host_get(client, ret);
}

static ExitCode print_host(const Context *context, const HsvValue *host) {
        return fields_print(&context->screen, host, fields, ELEMENTSOF(fields)) < 0 ? report_oom() : EXIT_CODE_OK;
}

static const WatchedObject watched = { .subject = "host", .get = get, .show = print_host };

static ExitCode host_show(Context *context, const Arguments *arguments) {
        HsvDocument *document = NULL;
        int r;

        if (arguments_has(arguments, "watch"))
                return watch_object(context, arguments, &watched);
        r = hsv_host_get(context->client, &document);
        return output_object(context, r, document, "host", fields, ELEMENTSOF(fields));
}

static const Option watch_options[] = { WATCH_OPTIONS, {} };

static const Option backup_options[] = { { "force", NULL, "replace the file if it is there", 'f' }, {} };

static const Verb verbs[] = {
        { .name = "show",
          .synopsis = "[OPTION...]",
          .help = "Show what the daemon knows of its host",
          .options = watch_options,
          .run = host_show },
        { .name = "backup",
          .synopsis = "[OPTION...] FILE",
          .help = "Write a copy of the whole inventory to a file",
          .details = "For hsvdpad --restore. The file is there when it is whole, or not at all.",
          .options = backup_options,
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_FILES,
          .run = host_backup },
        {},
};

const Noun noun_host = {
        .name = "host", .help = "The host and its daemon", .verbs = verbs, .default_verb = &verbs[0]
};

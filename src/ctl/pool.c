/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl pool */

#include "ctl/pool.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/watch.h"

#define IF_EMPTY "No pools."

static const Column columns[] = {
        { "NAME", "/name", .importance = 1, .min_width = 16 },
        { "CLASS", "/spec/device/class", .importance = 3, .min_width = 6 },
        { "DRIVER", "/spec/device/driver", .importance = 7, .min_width = 12 },
        { "FREE", "/status/free", .importance = 2, .min_width = 6, .align_right = true },
        { "LOW", "/spec/low", .importance = 4, .min_width = 6, .align_right = true },
        { "HIGH", "/spec/high", .importance = 5, .min_width = 6, .align_right = true },
        { "FILLING", "/status/filling", .importance = 6, .min_width = 7 },
        { "CLAIMS", "/status/claims", .importance = 8, .min_width = 8, .align_right = true },
        { "MISSES", "/status/misses", .importance = 9, .min_width = 8, .align_right = true },
        { "REASON", "/status/reason/code", .importance = 10, .min_width = 12 },
        { "RETURNS", "/status/returns", .importance = 11, .min_width = 8, .align_right = true, .is_wide = true },
        { "ON-RETURN", "/spec/on_return", .importance = 12, .min_width = 9, .is_wide = true },
        { "SETS-MAC", "/status/sets_mac", .importance = 13, .min_width = 8, .is_wide = true },
};

static const Field fields[] = {
        { "Name", "/name" },
        { "UID", "/uid" },
        { "Created", "/created" },
        { "Revision", "/revision" },
        { "Devices", "/spec/device" },
        { "Low", "/spec/low" },
        { "High", "/spec/high" },
        { "On return", "/spec/on_return" },
        { "Free", "/status/free" },
        { "Being made", "/status/making" },
        { "Being filled", "/status/filling" },
        { "Sets MAC addresses", "/status/sets_mac", .keep_null = true },
        { "Claims", "/status/claims" },
        { "  that found none", "/status/misses" },
        { "Returns", "/status/returns" },
        { "Not filled because of", "/status/reason/code" },
        { "  in words", "/status/reason/detail" },
};

static int look(Context *context, void *userdata, Watch *watch) {
        _cleanup_(document_freep) HsvDocument *document = NULL;
        int r;

        r = hsv_pool_list(context->client, &document);
        return r != 0 ? r : watch_add(watch, hsv_value_get(hsv_document_root(document), "/items"));
}

static const WatchedList watched_list = {
        .subject = "pool list",
        .columns = columns,
        .n_columns = ELEMENTSOF(columns),
        .key = "/name",
        .if_empty = IF_EMPTY,
        .look = look,
};

static ExitCode pool_list(Context *context, const Arguments *arguments) {
        HsvDocument *document = NULL;
        int r;

        if (arguments_has(arguments, "watch"))
                return watch_list(context, arguments, &watched_list);
        r = hsv_pool_list(context->client, &document);
        return output_items(context, r, document, "pool list", columns, ELEMENTSOF(columns), IF_EMPTY);
}

static int get(HsvClient *client, const char *name, uint64_t revision, HsvDocument **ret) {
        return hsv_pool_get(client, name, ret);
}

static ExitCode print_pool(const Context *context, const HsvValue *pool) {
        return fields_print(&context->screen, pool, fields, ELEMENTSOF(fields)) < 0 ? report_oom() : EXIT_CODE_OK;
}

static ExitCode pool_show(Context *context, const Arguments *arguments) {
        const char *name = arguments->operands[0];
        _cleanup_free_ char *subject = text_format("pool %s", name);
        WatchedObject watched = { .subject = subject, .name = name, .get = get, .show = print_pool };
        HsvDocument *document = NULL;
        int r;

        if (!subject)
                return report_oom();
        if (arguments_has(arguments, "watch"))
                return watch_object(context, arguments, &watched);
        r = hsv_pool_get(context->client, name, &document);
        return output_object(context, r, document, subject, fields, ELEMENTSOF(fields));
}

static const Option watch_options[] = { WATCH_OPTIONS, {} };

static const Option set_options[] = {
        { "high", "N", "make so many (needed for a new pool)" },
        { "low", "N", "when fewer than so many are free, make more; else half of --high" },
        { "on-return", "WHAT", "scrub (the default) what is returned, or destroy it", .values = VALUES_ON_RETURN },
        { "class", "CLASS", "what devices: net, block, fs, ..., or a virtio device type's number",
          .values = VALUES_CLASSES },
        { "mgmtdev", "HANDLE", "the management device that makes them; else the daemon chooses one for each",
          .values = VALUES_MGMTDEVS },
        { "driver", "DRIVER",
          "vhost_vdpa, for a VM or a process (the default); or virtio_vdpa, for a container or the host",
          .values = VALUES_DRIVERS },
        { "mtu", "BYTES", "MTU (class net)" },
        { "max-vqp", "N", "virtqueue pairs (class net)" },
        { "vqs", "N", "virtqueues (classes other than net)" },
        { "vq-groups", "N", "virtqueue groups, each with an address space of its own" },
        { "msi-policy", "POLICY", "exclusive (the default), or shared", .values = VALUES_MSI_POLICIES },
        { "placement", "POLICY", "spread, where the most is free, or pack, where the least is; else as configured",
          .values = VALUES_PLACEMENTS },
        { "numa-node", "N", "only on management devices at this NUMA node" },
        { "mgmtdev-label", "KEY=VALUE", "only on management devices with this label; may be repeated" },
        { "features", "NAME,...", "virtio features to offer, such as MQ,CSUM; else all there are" },
        { "endpoint", "USER:GROUP:MODE", "who may open their device nodes; a part may be empty" },
        { "no-persistent", NULL, "do not make claimed ones again after a boot of the host" },
        {},
};

static const Option claim_options[] = {
        { "owner", "TEXT", "whom it is for" },
        { "mac", "MAC", "the MAC address that it gets (class net)" },
        { "label", "KEY=VALUE", "a label; may be repeated" },
        { "lease", "SECONDS", "delete it unless it is renewed within this time" },
        { "endpoint", "USER:GROUP:MODE", "who may open its device node; a part may be empty" },
        { "drift", "MODE", "what to do when others change it: observe, or enforce; else as configured",
          .values = VALUES_DRIFT_MODES },
        {},
};

static const Option return_options[] = {
        { "uid", "UID", "only if this is its uid, and not that of a later device of the same name" },
        {},
};

static const Verb verbs[] = {
        { .name = "list",
          .synopsis = "[OPTION...]",
          .options = watch_options,
          .help = "List the pools, and how much is in them",
          .run = pool_list },
        { .name = "show",
          .synopsis = "NAME [OPTION...]",
          .options = watch_options,
          .help = "Show one pool",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_POOLS,
          .run = pool_show },
        { .name = "set",
          .synopsis = "NAME [OPTION...]",
          .options = set_options,
          .help = "Make a pool, or change how many devices it has",
          .details =
                  "Of a pool that is there, what its devices are cannot change; without options that say what they "
                  "are, they stay what they are.",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_POOLS,
          .run = pool_set },
        { .name = "delete",
          .synopsis = "NAME",
          .help = "Delete a pool, and its free devices",
          .details = "Devices that were claimed stay.",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_POOLS,
          .run = pool_delete },
        { .name = "claim",
          .synopsis = "NAME [OPTION...]",
          .options = claim_options,
          .help = "Take a free device out of a pool",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_POOLS,
          .run = pool_claim },
        { .name = "return",
          .synopsis = "NAME DEVICE [OPTION...]",
          .options = return_options,
          .help = "Give a device back to a pool",
          .min_operands = 2,
          .max_operands = 2,
          .operands = VALUES_POOLS,
          .run = pool_return },
        {},
};

const Noun noun_pool = { .name = "pool", .help = "Devices made ahead", .verbs = verbs };

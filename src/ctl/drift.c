/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl drift list, and the verbs of hsvdpactl drift. */

#include "ctl/drift.h"
#include "ctl/listing.h"

static const Column columns[] = {
        { "NAME", "/name", .importance = 1, .min_width = 24 },
        { "KIND", "/kind", .importance = 2, .min_width = 7 },
        { "MGMTDEV", "/mgmtdev", .importance = 5, .min_width = 20 },
        { "EXPECTED", "/expected", .importance = 3, .min_width = 16 },
        { "OBSERVED", "/observed", .importance = 4, .min_width = 16 },
        { "REPAIRS", "/repairs", .importance = 6, .min_width = 8 },
        { "MODE", "/mode", .importance = 7, .min_width = 7 },
        { "UID", "/uid", .importance = 8, .min_width = 36, .is_wide = true },
};

static const Listing listing = {
        .subject = "drift list",
        .columns = columns,
        .n_columns = ELEMENTSOF(columns),
        .if_empty = "All is as it should be.",
};

static ExitCode drift_list(Context *context, const Arguments *arguments) {
        static const char *const filter_names[] = { "kind", "mgmtdev", "refresh", NULL };
        _cleanup_(strings_freep) char **filters = listing_filters(arguments, filter_names);
        _cleanup_(list_freep) HsvList *list = NULL;
        int r;

        if (!filters)
                return report_oom();
        r = hsv_drift_list_new(context->client, (const char *const *) filters, &list);
        return r != 0 ? report_failure(context->client, r, "drift list")
                      : listing_run(context, arguments, &listing, list);
}

static const Option list_options[] = {
        { "kind", "KIND", "only what is missing, extra, changed or foreign; may be repeated",
          .values = VALUES_DRIFT_KINDS },
        { "mgmtdev", "HANDLE", "only what is on this management device", .values = VALUES_MGMTDEVS },
        { "refresh", NULL, "look at the host, and at every device, first" },
        { "limit", "N", "list no more than so many" },
        {},
};

static const Option repair_options[] = {
        { "all", NULL, "all that is not as it should be" },
        { "kind", "KIND", "only what is missing, extra or changed; may be repeated",
          .values = VALUES_REPAIRABLE_KINDS },
        { "recreate", NULL, "make devices anew that cannot be changed in place, if nobody uses them" },
        { "dry-run", NULL, "only show what would be done" },
        {},
};

static const Verb verbs[] = {
        { .name = "list",
          .synopsis = "[OPTION...]",
          .help = "List what is not as it should be",
          .details = "Of what others have changed on the host. Foreign devices are those that others have made.",
          .options = list_options,
          .run = drift_list },
        { .name = "repair",
          .synopsis = "[NAME...] [OPTION...]",
          .help = "Put devices right",
          .details =
                  "Which ones has to be said: by NAME, by --kind, or with --all. A device that somebody has open "
                  "stays as it is. Foreign devices are never touched: 'device adopt' takes one over.",
          .options = repair_options,
          .max_operands = SIZE_MAX,
          .operands = VALUES_DEVICES,
          .run = drift_repair },
        {},
};

const Noun noun_drift = { .name = "drift", .help = "What is not as it should be", .verbs = verbs };

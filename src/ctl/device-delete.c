/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device delete */

#include "ctl/bulk.h"
#include "ctl/device.h"
#include "ctl/text.h"

static int call_delete(HsvClient *client, const Item *item, unsigned flags, Result *ret) {
        ret->status = 204;
        return hsv_device_delete(client, item->name, item->uid, 0, flags);
}

static ExitCode show_deleted(const Screen *screen, const Item *item, const Result *result) {
        _cleanup_free_ char *name = text_escape(item->name, false);

        if (!name)
                return report_oom();
        (void) fprintf(screen->file, "%s: deleted\n", name);
        return EXIT_CODE_OK;
}

/* Else the second attempt would complain of what the first one did. */
static bool can_repeat_delete(const Item *item, unsigned flags) {
        return flags & HSV_DELETE_MISSING_OK;
}

static const BulkVerb bulk_delete = {
        .name = "delete",
        .participle = "deleted",
        .call = call_delete,
        .can_repeat = can_repeat_delete,
        .show = show_deleted,
};

static ExitCode collect_items(const Arguments *arguments, ItemList *items) {
        const char *uid = arguments_get(arguments, "uid"), *file = arguments_get(arguments, "file");
        ExitCode code;

        if (uid && (arguments->n_operands != 1 || file))
                return report_usage("device delete: --uid is the uid of one device, which needs its name");
        for (size_t i = 0; i < arguments->n_operands; i++)
                if (item_list_add(items, arguments->operands[i], NULL, uid) < 0)
                        return report_oom();
        if (!file)
                return items->n > 0 ? EXIT_CODE_OK : report_usage("device delete: a name is missing, or --file");
        code = item_list_read(items, file, NULL);
        for (size_t i = 0; code == EXIT_CODE_OK && i < items->n; i++)
                if (!items->item[i].name)
                        code = report_usage("%s: item %zu has no name", file, i + 1 - arguments->n_operands);
        return code;
}

ExitCode device_delete(Context *context, const Arguments *arguments) {
        _cleanup_(item_list_done) ItemList items = {};
        BulkOptions options;
        ExitCode code;

        code = bulk_options_parse(arguments, &options);
        if (code == EXIT_CODE_OK)
                code = collect_items(arguments, &items);
        if (code != EXIT_CODE_OK)
                return code;
        options.flags = arguments_has(arguments, "missing-ok") ? HSV_DELETE_MISSING_OK : 0;
        options.is_many = arguments_has(arguments, "file") || items.n > 1;
        return bulk_run(context, &bulk_delete, &items, &options);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device create: one device, or many that are alike, or those of a file. */

#include <string.h>

#include "ctl/bulk.h"
#include "ctl/device-batch.h"
#include "ctl/device-plan.h"
#include "ctl/device-spec.h"
#include "ctl/device.h"
#include "ctl/number.h"
#include "ctl/text.h"

static int call_create(HsvClient *client, const Item *item, unsigned flags, Result *ret) {
        bool is_created;
        int r;

        r = hsv_device_create(client, item->name, item->spec, &ret->document, &is_created);
        if (r == 0)
                ret->status = is_created ? 201 : 200;
        return r;
}

static ExitCode show_created(const Screen *screen, const Item *item, const Result *result) {
        return device_print_line(screen, hsv_document_root(result->document),
                                 result->status == 201 ? "created" : "is there already");
}

/* With a name it is idempotent. */
static bool can_repeat_create(const Item *item, unsigned flags) {
        return item->name;
}

static const BulkVerb bulk_create = {
        .name = "create",
        .participle = "created",
        .call = call_create,
        .can_repeat = can_repeat_create,
        .show = show_created,
};

/* --count of them: PREFIX1, PREFIX2, ..., or without names. */
static ExitCode add_counted(ItemList *items, const Arguments *arguments, const char *spec) {
        const char *text = arguments_get(arguments, "count"), *prefix = arguments_get(arguments, "prefix");
        uint64_t n;

        if (!number_parse(text, 10, ITEMS_MAX, &n) || n == 0)
                return report_usage("--count: '%s' is not a number from 1 to %d", text, ITEMS_MAX);
        for (uint64_t i = 1; i <= n; i++) {
                _cleanup_free_ char *name = prefix ? text_format("%s%llu", prefix, (unsigned long long) i) : NULL;

                if ((prefix && !name) || item_list_add(items, name, spec, NULL) < 0)
                        return report_oom();
        }
        return EXIT_CODE_OK;
}

static ExitCode add_named(ItemList *items, const Arguments *arguments, const char *spec) {
        if (arguments->n_operands == 0)
                return item_list_add(items, NULL, spec, NULL) < 0 ? report_oom() : EXIT_CODE_OK;
        for (size_t i = 0; i < arguments->n_operands; i++)
                if (item_list_add(items, arguments->operands[i], spec, NULL) < 0)
                        return report_oom();
        return EXIT_CODE_OK;
}

static ExitCode check_arguments(const Arguments *a) {
        bool has_file = arguments_has(a, "file"), has_count = arguments_has(a, "count");

        if (has_file + has_count + (a->n_operands > 0) > 1)
                return report_usage("device create: names, --count and --file exclude each other");
        if (!has_file && !arguments_has(a, "class"))
                return report_usage("device create: --class is missing");
        if (arguments_has(a, "atomic") && (arguments_has(a, "dry-run") || arguments_has(a, "wait")))
                return report_usage("device create: --atomic goes with neither --dry-run nor --wait");
        if (!has_count && arguments_has(a, "prefix"))
                return report_usage("device create: --prefix goes with --count");
        if (arguments_has(a, "mac") && (has_file || has_count || a->n_operands > 1))
                return report_usage("device create: --mac is the address of one device; there are several");
        return EXIT_CODE_OK;
}

static ExitCode collect_items(const Arguments *arguments, const json_t *spec, ItemList *items) {
        _cleanup_free_ char *text = NULL;

        if (arguments_has(arguments, "file"))
                return item_list_read(items, arguments_get(arguments, "file"), spec);
        text = json_dumps(spec, JSON_COMPACT);
        if (!text)
                return report_oom();
        if (arguments_has(arguments, "count"))
                return add_counted(items, arguments, text);
        return add_named(items, arguments, text);
}

static ExitCode create_items(Context *context, const Arguments *arguments, const ItemList *items) {
        BulkOptions options;
        ExitCode code;

        code = bulk_options_parse(arguments, &options);
        if (code != EXIT_CODE_OK)
                return code;
        options.is_many = arguments_has(arguments, "file") || arguments_has(arguments, "count") || items->n > 1;
        if (arguments_has(arguments, "atomic"))
                return device_create_batch(context, items);
        if (!arguments_has(arguments, "dry-run"))
                return bulk_run(context, &bulk_create, items, &options);
        if (items->n != 1)
                return report_usage("device create: --dry-run is for one device, as the next finds less room");
        return device_plan(context, &items->item[0]);
}

ExitCode device_create(Context *context, const Arguments *arguments) {
        _cleanup_(item_list_done) ItemList items = {};
        json_t *spec = NULL;
        ExitCode code;

        code = check_arguments(arguments);
        if (code == EXIT_CODE_OK)
                code = spec_parse(arguments, &spec);
        if (code == EXIT_CODE_OK)
                code = collect_items(arguments, spec, &items);
        json_decref(spec);
        return code == EXIT_CODE_OK ? create_items(context, arguments, &items) : code;
}

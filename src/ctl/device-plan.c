/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/device-plan.h"

#include <inttypes.h>

#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/value.h"

static const Column columns[] = {
        { "MGMTDEV", "/mgmtdev", .importance = 1, .min_width = 20 },
        { "FITS", "/fits", .importance = 2, .min_width = 4, .style = style_of_good },
        { "REASONS", "/reasons", .importance = 3, .min_width = 30, .element = "/detail", .separator = "; " },
        { "SCORE", "/score", .importance = 4, .min_width = 7, .align_right = true, .is_wide = true },
};

static ExitCode print_candidates(const Context *context, const HsvValue *plan) {
        const HsvValue *candidates = hsv_value_get(plan, "/candidates");
        _cleanup_(table_freep) Table *table = NULL;
        int64_t n_more;

        /* A device that is there stays where it is. */
        if (hsv_value_count(candidates) == 0)
                return EXIT_CODE_OK;
        if (table_new(columns, ELEMENTSOF(columns), context->format == FORMAT_WIDE, &table) < 0 ||
            table_add(table, candidates) < 0)
                return report_oom();
        (void) fputc('\n', context->screen.file);
        table_print(table, &context->screen);
        if (hsv_value_integer(hsv_value_get(plan, "/candidates_omitted"), &n_more) == 0)
                (void) fprintf(context->screen.file, "and %" PRId64 " more\n", n_more);
        return EXIT_CODE_OK;
}

static ExitCode print_plan(const Context *context, const HsvValue *plan, const char *name) {
        bool exists = hsv_value_is_true(hsv_value_get(plan, "/exists"));
        _cleanup_free_ char *needs = value_format(hsv_value_get(plan, "/needs"), ", ");
        _cleanup_free_ char *where = value_format(hsv_value_get(plan, "/mgmtdev"), ",");
        FILE *file = context->screen.file;

        if (!needs || !where)
                return report_oom();
        (void) fprintf(file, "%s: %s on %s\n", name, exists ? "is there already," : "would be created", where);
        (void) fprintf(file, "It %s: %s\n", exists ? "holds" : "needs", needs);
        return print_candidates(context, plan);
}

ExitCode device_plan(Context *context, const Item *item) {
        _cleanup_free_ char *name = text_escape(item->name ?: "(a new name)", false);
        _cleanup_free_ char *subject = text_format("device %s", item->name ?: "create");
        _cleanup_(document_freep) HsvDocument *document = NULL;
        int r;

        if (!name || !subject)
                return report_oom();
        r = hsv_device_plan(context->client, item->name, item->spec, &document);
        if (r != 0)
                return report_failure(context->client, r, subject);

        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(document));
        return print_plan(context, hsv_document_root(document), name);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/device-plan.h"

#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/value.h"

static const Column columns[] = {
        { "MGMTDEV", "/mgmtdev", .importance = 1, .min_width = 20 },
        { "FITS", "/fits", .importance = 2, .min_width = 4, .style = style_of_good },
        { "REASONS", "/reasons", .importance = 3, .min_width = 30, .separator = "; " },
};

static ExitCode print_plan(const Context *context, const HsvValue *plan, const char *name) {
        const char *mgmtdev = hsv_value_string(hsv_value_get(plan, "/mgmtdev"));
        _cleanup_free_ char *needs = value_format(hsv_value_get(plan, "/needs"), ", ");
        _cleanup_free_ char *where = text_escape(mgmtdev ?: "", false);
        _cleanup_(table_freep) Table *table = NULL;
        const Screen *screen = &context->screen;

        if (!needs || !where ||
            table_new(columns, ELEMENTSOF(columns), context->format == FORMAT_WIDE, &table) < 0 ||
            table_add(table, hsv_value_get(plan, "/candidates")) < 0)
                return report_oom();
        if (mgmtdev)
                (void) fprintf(screen->file, "%s: would be created on %s\n", name, where);
        else
                (void) fprintf(screen->file, "%s: could not be created now\n", name);
        (void) fprintf(screen->file, "It needs: %s\n\n", needs);
        return output_table(screen, table, "There are no management devices.");
}

ExitCode device_plan(Context *context, const Item *item) {
        _cleanup_free_ char *name = text_escape(item->name ?: "(a new name)", false);
        _cleanup_free_ char *subject = text_format("device %s", item->name ?: "create");
        _cleanup_(document_freep) HsvDocument *document = NULL;
        const HsvValue *plan;
        ExitCode code;
        int r;

        if (!name || !subject)
                return report_oom();
        r = hsv_device_plan(context->client, item->name, item->spec, &document);
        if (r != 0)
                return report_failure(context->client, r, subject);

        plan = hsv_document_root(document);
        code = format_is_document(context->format) ? output_document(context, hsv_document_text(document))
                                                   : print_plan(context, plan, name);
        if (code != EXIT_CODE_OK)
                return code;
        return hsv_value_string(hsv_value_get(plan, "/mgmtdev")) ? EXIT_CODE_OK : EXIT_CODE_REFUSED;
}

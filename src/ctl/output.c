/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/output.h"

#include "ctl/yaml.h"

ExitCode output_document(const Context *context, const char *json) {
        _cleanup_free_ char *yaml = NULL;

        if (context->format == FORMAT_YAML) {
                yaml = yaml_from_json(json);
                if (!yaml)
                        return report_oom();
        }
        return screen_print_document(&context->screen, yaml ?: json) < 0 ? report_oom() : EXIT_CODE_OK;
}

ExitCode output_table(const Screen *screen, const Table *table, const char *if_empty) {
        /* A pipe gets the titles and nothing else, as its reader expects. */
        if (table_count(table) == 0 && screen->is_terminal)
                (void) fprintf(screen->file, "%s\n", if_empty);
        else
                table_print(table, screen);
        return EXIT_CODE_OK;
}

ExitCode output_object(Context *context, int r, HsvDocument *document, const char *subject, const Field *fields,
                       size_t n_fields) {
        _cleanup_(document_freep) HsvDocument *answer = document;

        if (r != 0)
                return report_failure(context->client, r, subject);
        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(answer));
        r = fields_print(&context->screen, hsv_document_root(answer), fields, n_fields);
        return r < 0 ? report_oom() : EXIT_CODE_OK;
}

ExitCode output_items(Context *context, int r, HsvDocument *document, const char *subject, const Column *columns,
                      size_t n_columns, const char *if_empty) {
        _cleanup_(document_freep) HsvDocument *answer = document;
        _cleanup_(table_freep) Table *table = NULL;

        if (r != 0)
                return report_failure(context->client, r, subject);
        if (format_is_document(context->format))
                return output_document(context, hsv_document_text(answer));
        if (table_new(columns, n_columns, context->format == FORMAT_WIDE, &table) < 0 ||
            table_add(table, hsv_value_get(hsv_document_root(answer), "/items")) < 0)
                return report_oom();
        return output_table(&context->screen, table, if_empty);
}

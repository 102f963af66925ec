/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What most verbs end with: an answer, or the failure to get one, in the form that the user wants. */

#include "ctl/command.h"
#include "ctl/fields.h"
#include "ctl/table.h"

static inline _unused_ void document_freep(HsvDocument **document) {
        hsv_document_free(*document);
}

/* r and document: what a call of the client gave; document is freed, and may be NULL if r is not 0.
 * subject: what was asked for, for a report of failure. */
ExitCode output_object(Context *context, int r, HsvDocument *document, const char *subject, const Field *fields,
                       size_t n_fields);

/* The same for an answer with "/items". if_empty: what to say of none, on a terminal. */
ExitCode output_items(Context *context, int r, HsvDocument *document, const char *subject, const Column *columns,
                      size_t n_columns, const char *if_empty);

/* A whole answer, as JSON or as YAML. */
ExitCode output_document(const Context *context, const char *json);

ExitCode output_table(const Screen *screen, const Table *table, const char *if_empty);

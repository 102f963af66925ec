/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One verb on many devices, several at a time, with a result for each. */

#include "ctl/command.h"
#include "ctl/item.h"

#define JOBS_DEFAULT 8
#define JOBS_MAX     64

/* What a call brought, if it did not fail. */
typedef struct Result {
        HsvDocument *document; /* the device, or NULL */
        unsigned status;       /* of HTTP */
} Result;

typedef struct BulkVerb {
        const char *name;       /* "create" */
        const char *participle; /* "created" */

        /* One call, as those of the client return. Runs in several threads at once, each with a client of its own.
         */
        int (*call)(HsvClient *client, const Item *item, unsigned flags, Result *ret);

        /* Whether a call that may have been done without our knowing can be made again. */
        bool (*can_repeat)(const Item *item, unsigned flags);

        /* Says on the screen, for people, what has come of it. */
        ExitCode (*show)(const Screen *screen, const Item *item, const Result *result);
} BulkVerb;

typedef struct BulkOptions {
        unsigned flags; /* for call() */
        unsigned jobs;  /* calls at a time, 1 to JOBS_MAX */
        bool is_many;   /* answer with a list of results even if it is one */
        bool waits;     /* call again what may fare better later */
} BulkOptions;

/* Reads --jobs and --wait into options that are otherwise zero. */
ExitCode bulk_options_parse(const Arguments *arguments, BulkOptions *ret);

/* All are tried, until the daemon cannot be reached. Returns what the first failure is, or EXIT_CODE_PARTIAL if
 * others worked. */
ExitCode bulk_run(Context *context, const BulkVerb *verb, const ItemList *items, const BulkOptions *options);

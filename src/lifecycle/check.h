/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a database can be right, and what can be done if it cannot: its structure, each record by itself, and all
 * of them together. While no daemon runs on it. */

#include "lifecycle/load.h"
#include "store/image.h"

typedef struct CheckProblem {
        const char *table; /* "structure" of the file itself */
        char *key;         /* of the record; "" where it is not of one */
        char *text;
        LoadFix fix; /* _FIX_MAX of the structure: what can be read is taken over */
} CheckProblem;

typedef struct CheckReport {
        CheckProblem *problem;
        size_t n, capacity;
        bool is_incomplete; /* there was no memory for more */
} CheckReport;

void check_report_done(CheckReport *report);

/* In words: "drop the record". */
const char *check_fix_text(LoadFix fix);

/* Returns 0 with what was found, or a negative errno with f set. */
int check_image(Database *image, CheckReport *ret, Failure *f);

/* Does what can be done about all of them, in the image only, and looks again until nothing is found; what it has
 * found then, too, is in ret. is_left: something is. n_lost: of how many tables not all rows could be read. Returns
 * 0, or a negative errno with f set. */
int check_repair(Database *image, CheckReport *ret, unsigned *ret_n_lost, Failure *f);

/* Raises the revision that is recorded to at least this one. Returns 0, or a negative errno with f set. */
int check_raise_revision(Database *image, uint64_t revision, Failure *f);

/* One that is higher than all that any database here may have given out; other: one that is to be above too, or
 * NULL. */
uint64_t check_next_revision(Database *image, Database *other);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the value of an option, or an operand, can be: for the completion of command lines. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum Values {
        VALUES_ANY, /* no one knows */
        VALUES_CLASSES,
        VALUES_COLORS,
        VALUES_DEVICES,
        VALUES_DRIFT_KINDS,
        VALUES_DRIFT_MODES,
        VALUES_DRIVERS,
        VALUES_FILES,
        VALUES_FOREIGN_DEVICES,
        VALUES_FORMATS,
        VALUES_MGMTDEVS,
        VALUES_MSI_POLICIES,
        VALUES_ON_RETURN,
        VALUES_PLACEMENTS,
        VALUES_POOLS,
        VALUES_REPAIRABLE_KINDS,
        VALUES_STATES,
        VALUES_WAIT_STATES,
        _VALUES_MAX,
} Values;

/* Where candidates go, and which ones. */
typedef struct Candidates {
        FILE *file;
        const char *prefix; /* n_prefix bytes before each: what belongs to the same word of the shell */
        size_t n_prefix;
        const char *word; /* what they have to begin with */
} Candidates;

/* Writes the candidate if it begins so. help: what it is, or NULL. */
void candidates_offer(const Candidates *c, const char *candidate, const char *help);

/* Whether the word is one of a kind that is the same everywhere. */
bool values_include(Values values, const char *word);

/* Writes those of that kind, some of which the daemon at url (NULL: where it should be) is asked for. */
void values_offer(const Candidates *c, Values values, const char *url);

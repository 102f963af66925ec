/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From options to the JSON of a spec. What values mean is the daemon's to judge; here only their form has
 * to be right: a number, a pair with "=". */

#include <jansson.h>

#include "ctl/command.h"

/* A sentence about the option that is wrong. */
typedef struct SpecFault {
        char text[256];
} SpecFault;

/* The spec, or the merge patch of one, that the options of "device create" and "device set" stand for.
 * Returns 0, -EINVAL with the fault set, or -ENOMEM. */
int spec_from_arguments(const Arguments *arguments, json_t **ret, SpecFault *fault);

/* The same; complains by itself. */
ExitCode spec_parse(const Arguments *arguments, json_t **ret);

/* The same, as JSON text; to be freed. */
ExitCode spec_parse_text(const Arguments *arguments, char **ret);

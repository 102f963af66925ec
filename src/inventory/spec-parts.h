/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A spec as it is recorded: what many devices have in common, and what is each one's own. So a start with very many
 * devices has few texts to parse. */

#include "inventory/spec-json.h"

/* Each is "" where there is none. */
typedef struct SpecParts {
        const char *common; /* JSON, as device_spec_format() has it, without what follows; or with it */
        const char *owner;
        const char *mac;
        const char *labels; /* a JSON object */
} SpecParts;

/* The parts of a spec, which must stay as long as they do. */
typedef struct SplitSpec {
        SpecParts parts;
        char *common, *labels; /* owned */
        char mac[MAC_TEXT_MAX];
} SplitSpec;

/* Returns 0, or -ENOMEM; ret is to be given to split_spec_done() in any case. */
int device_spec_split(const DeviceSpec *spec, SplitSpec *ret);
void split_spec_done(SplitSpec *split);

/* Gives a spec, which is the common part decoded, its own parts; of those that are there, it may have others.
 * Returns 0, or -EINVAL with faults (d stands at the spec), or -ENOMEM. */
int device_spec_join(JsonDecoder *d, const SpecParts *parts, DeviceSpec *spec);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a device will take of its management device, as far as its spec tells. */

#include "inventory/resource.h"
#include "inventory/spec.h"

typedef struct Needs {
        uint32_t n_vqs;
        uint32_t n_asids; /* one for each virtqueue group */
        uint32_t n_msis;  /* one for each virtqueue, and one for configuration changes */
        bool share_msis;  /* fewer will do, but at least one */
} Needs;

/* offered: the features that the management device offers to devices of the class; 0: not known, so that any may be
 * negotiated. */
Needs needs_of(const DeviceSpec *spec, uint64_t offered);

/* How much of a resource that is, at the most and at least. */
uint32_t needs_most(const Needs *needs, Resource resource);
uint32_t needs_least(const Needs *needs, Resource resource);

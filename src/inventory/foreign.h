/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What devices that are not ours hold of a management device, where the backend knows: these IDs are as used as
 * others, and no device of ours gets them. */

#include <stddef.h>
#include <stdint.h>

typedef struct ForeignIds {
        uint32_t *ids; /* owned */
        size_t n;
        size_t n_allocated;
} ForeignIds;

typedef struct Foreign {
        uint32_t n_devices;
        uint32_t n_vqs;
        ForeignIds asids;
        ForeignIds msis;
} Foreign;

/* Counts one more device, with n_asids ASIDs and then n_msis MSI entries. Returns 0, or -ENOMEM. */
int foreign_add(Foreign *foreign, const uint32_t *ids, size_t n_asids, size_t n_msis, uint32_t n_vqs);

/* In order, and each once. */
void foreign_sort(Foreign *foreign);

void foreign_done(Foreign *foreign);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done to the inventory while no daemon runs on it: check, repair, restore, rebuild. What takes the place
 * of a database keeps the old one beside it. */

#include <stdbool.h>

#include "daemon/config.h"

/* Exit statuses of a check, as those of fsck(8); they can be added up. */
#define EXIT_FSCK_REPAIRED    1
#define EXIT_FSCK_LEFT        4
#define EXIT_FSCK_OPERATIONAL 8

typedef struct OfflineOptions {
        bool repair;        /* of a check */
        bool json;          /* of a check: an object a line */
        bool force;         /* of rebuilding: also where the inventory is whole */
        const char *prefix; /* of rebuilding: of the names of devices that are ours; "": all are */
} OfflineOptions;

/* Each logs what goes wrong, writes to standard output what it finds and does, and returns the exit status. */
int offline_fsck(const Config *config, const OfflineOptions *options);
int offline_restore(const Config *config, const char *path);
int offline_rebuild(const Config *config, const OfflineOptions *options);

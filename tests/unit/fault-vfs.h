/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk for SQLite that fails when it is told to, and that knows what a loss of power would leave of it.
 *
 * It stands before the real one for every database that is opened from its installation on. Each write, sync,
 * truncation and opening of a file, and each growth of the log's index, is one operation. Nothing is really synced:
 * what a sync has made durable is kept beside the file, so that thousands of faults take no time. */

#include <stdbool.h>
#include <stdint.h>

typedef enum FaultKind {
        FAULT_FULL,
        FAULT_READ_ONLY,
        FAULT_IO,
        FAULT_SHORT, /* half of what is written; of operations that write nothing, as FAULT_IO */
        _FAULT_KIND_MAX,
} FaultKind;

/* What the loss of power leaves of what was not synced. What a failed sync was to write counts as not synced even
 * after later ones: the kernel gives such pages up. */
typedef enum FaultSurvival {
        SURVIVES_NOTHING,
        SURVIVES_ALL,
        SURVIVES_SOME, /* any of the writes, each of them whole or up to some byte */
        _FAULT_SURVIVAL_MAX,
} FaultSurvival;

/* Makes it the default. Once in a process. */
void fault_vfs_install(void);

/* Forgets all files and faults. No database is open. */
void fault_vfs_reset(void);

/* The n-th operation from now on fails (1: the next), and all after it if it is lasting, until it is healed. */
void fault_vfs_fail(uint64_t n, FaultKind kind, bool is_lasting);
void fault_vfs_heal(void);
bool fault_vfs_has_failed(void);

/* Operations since the last reset. */
uint64_t fault_vfs_count(void);

/* Writes what the loss of power would leave now of the files in one directory into another. */
void fault_vfs_lose_power(const char *to, FaultSurvival survival);

/* The words in which a fault of this kind is told. */
const char *fault_words(FaultKind kind);

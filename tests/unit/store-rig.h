/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A store in the test's directory, devices to put into it, and the means to get at its database from the side. */

#include <check.h>
#include <sqlite3.h>

#include "store/store.h"
#include "util/clock.h"

#define DRAIN_USEC (60 * USEC_PER_SEC)

typedef struct StoreRig {
        sd_event *event;
        Store *store;
} StoreRig;

extern StoreRig disk;

/* Opens the store. Returns what store_open() does; disk_open(): it must work. */
int disk_try_open(Failure *f);
void disk_open(void);

/* Waits until all is done, then closes it. */
void disk_close(void);
void disk_drain(void);

/* What a change has come to. */
typedef struct Done {
        unsigned n; /* answers: one is right */
        bool failed;
        Failure failure;
} Done;

/* Puts a device of little more than a name, a revision and a state. done may be NULL. disk_put_device() makes it
 * only, good until the next call. */
int disk_put(const char *name, uint64_t revision, DeviceState state, Done *done);
const Device *disk_put_device(const char *name, uint64_t revision, DeviceState state);

/* The same, but it holds the ASID number and the MSI entries 2 * number and the one after it, out of
 * "device-mmu/bus/m".
 */
const Device *disk_put_holder(const char *name, uint64_t revision, DeviceState state, uint32_t number);
void disk_on_done(void *userdata, const Failure *failure);

/* "a:ready b:lost", in the order in which they are loaded; good until the next call. */
const char *disk_names(void);

/* The database's file, and other connections to it. */
const char *disk_path(void);
sqlite3 *disk_open_beside(const char *sql);
void disk_execute(const char *sql);
int disk_query(const char *sql);

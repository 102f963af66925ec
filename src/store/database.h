/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The SQLite connection and its statements, all prepared at open so that a mistake in one shows at once. Used by
 * one thread at a time: the loop's until the writer starts, the writer's from then on. */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "inventory/error.h"
#include "store/store.h"

typedef enum Statement {
        STATEMENT_BEGIN,
        STATEMENT_COMMIT,
        STATEMENT_ROLLBACK,
        STATEMENT_PUT_DEVICE,
        STATEMENT_REMOVE_DEVICE,
        STATEMENT_END_HOLDER,
        STATEMENT_ADD_INTENT,
        STATEMENT_END_INTENT,
        STATEMENT_PURGE_INTENTS,
        STATEMENT_SET_REVISION,
        STATEMENT_SET_BOOT_ID,
        STATEMENT_GET_META,
        STATEMENT_LIST_DEVICES,
        STATEMENT_PUT_MGMTDEV,
        STATEMENT_REMOVE_MGMTDEV,
        STATEMENT_LIST_MGMTDEVS,
        STATEMENT_PUT_POOL,
        STATEMENT_REMOVE_POOL,
        STATEMENT_LIST_POOLS,
        STATEMENT_ADD_QUARANTINE,
        STATEMENT_PURGE_QUARANTINE,
        STATEMENT_LIST_QUARANTINE,
        STATEMENT_PUT_RECEIPT,
        STATEMENT_REMOVE_RECEIPT,
        STATEMENT_PURGE_RECEIPTS,
        STATEMENT_LIST_RECEIPTS,
        STATEMENT_PUT_TOMBSTONE,
        STATEMENT_PURGE_TOMBSTONES,
        STATEMENT_LIST_TOMBSTONES,
        STATEMENT_SET_CLOCK,
        STATEMENT_GET_CLOCK,
        _STATEMENT_MAX,
} Statement;

typedef struct Database {
        sqlite3 *db;
        sqlite3_stmt *statements[_STATEMENT_MAX];
        bool is_cut_off; /* of an image: the file that it was read from is */
} Database;

/* Opens or makes the file, checks it, migrates it. Returns as store_open() does; db is to be given to
 * database_done() even after a failure. */
int database_open(Database *db, const char *path, Failure *f);
void database_done(Database *db);

/* What database_open() does last: the statements. */
int database_prepare(Database *db, const char *path, Failure *f);

/* Copies all of one database into another, as it is at one moment. Returns an SQLite code. */
int database_copy(sqlite3 *from, sqlite3 *to);

/* Copies the database at path, which others write to, into memory. The data is ret_db's. On failure ret_db may be
 * set; it is to be closed in any case. */
int database_backup(const char *path, sqlite3 **ret_db, unsigned char **ret_data, size_t *ret_size, Failure *f);

/* Runs a statement without parameters. Returns 0, or a negative errno with f set. */
int database_run(Database *db, Statement statement, Failure *f);

/* The changes: to be called between BEGIN and COMMIT. */
int database_put_device(Database *db, const StoreRecord *record, Failure *f);
int database_remove_device(Database *db, const char *name, Failure *f);
int database_end_holder(Database *db, const char *holder, Failure *f);

/* The record with that revision tells of what is intended; or no more. Each is listed as reserved. */
int database_add_intent(Database *db, uint64_t revision, Failure *f);
int database_end_intent(Database *db, uint64_t revision, Failure *f);

/* Removes it if nothing is set. */
int database_put_mgmtdev(Database *db, const StoreMgmtdev *mgmtdev, Failure *f);

/* Removes it if it has no spec. */
int database_put_pool(Database *db, const StorePool *pool, Failure *f);

/* Adds what was released, and drops what was released before a time. */
int database_add_quarantine(Database *db, const StoreQuarantine *quarantine, uint64_t purge_usec, Failure *f);

/* Forgets what is older than what stays, beside what it is called for. */
int database_put_receipt(Database *db, const StoreReceipt *receipt, Failure *f);
int database_put_tombstone(Database *db, const StoreTombstone *tombstone, Failure *f);

int database_set_clock(Database *db, const ClockRecord *clock, Failure *f);
int database_get_clock(Database *db, ClockRecord *ret, Failure *f);

int database_set_revision(Database *db, uint64_t revision, Failure *f);
int database_set_boot_id(Database *db, const char *boot_id, Failure *f);

/* Brings the log into the database, so that it begins anew where it lies: a disk that is full may have room for the
 * next change then. Returns true if that is so. */
bool database_make_room(Database *db);

/* Reads a value of the table meta into a buffer; what does not fit or is not there is -EUCLEAN. */
int database_get_meta(Database *db, const char *key, char *buffer, size_t size, Failure *f);

/* As store_load() does, one kind of record each. */
int database_list_devices(Database *db, int (*record)(void *userdata, const StoreRecord *r), void *userdata,
                          Failure *f);
int database_list_mgmtdevs(Database *db, int (*record)(void *userdata, const StoreMgmtdev *m), void *userdata,
                           Failure *f);
int database_list_pools(Database *db, int (*record)(void *userdata, const StorePool *p), void *userdata,
                        Failure *f);
int database_list_quarantine(Database *db, int (*record)(void *userdata, const StoreQuarantine *q), void *userdata,
                             Failure *f);

int database_list_receipts(Database *db, int (*record)(void *userdata, const StoreReceipt *r), void *userdata,
                           Failure *f);
int database_list_tombstones(Database *db, int (*record)(void *userdata, const StoreTombstone *t), void *userdata,
                             Failure *f);

/* Fills f (ERROR_STORE_FAILED) with what SQLite says of rc, after the formatted text. Returns a negative errno. */
int database_failure(sqlite3 *db, int rc, Failure *f, const char *format, ...) _printf_(4, 5);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/database.h"
#include "util/crash.h"
#include "util/macro.h"

/* "hsvd": marks the file as ours in the header that file(1) and sqlite3 show. */
#define APPLICATION_ID 0x68737664

/* One entry a version: what leads from the version before to this one. Entries never change once released; a new
 * version is a new entry. */
static const char *const migrations[] = {
        /* 1. A device without ROWID lies in the order of its name, in which it is read. */
        "CREATE TABLE meta ("
        "  key TEXT NOT NULL PRIMARY KEY,"
        "  value TEXT NOT NULL"
        ") STRICT, WITHOUT ROWID;"
        "CREATE TABLE device ("
        "  name TEXT NOT NULL PRIMARY KEY,"
        "  uid TEXT NOT NULL,"
        "  revision INTEGER NOT NULL,"
        "  created_revision INTEGER NOT NULL,"
        "  created_usec INTEGER NOT NULL,"
        "  generation INTEGER NOT NULL,"
        "  state TEXT NOT NULL,"
        "  mgmtdev TEXT NOT NULL,"
        "  spec TEXT NOT NULL,"
        "  reason_code TEXT NOT NULL,"
        "  reason TEXT NOT NULL"
        ") STRICT, WITHOUT ROWID;"
        "INSERT INTO meta (key, value) VALUES ('revision', '0'), ('boot_id', '');",

        /* 2. What devices hold, what was released not long ago, and what was set of management devices. */
        "ALTER TABLE device ADD COLUMN asid_space TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE device ADD COLUMN asids TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE device ADD COLUMN vqs INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE device ADD COLUMN msis TEXT NOT NULL DEFAULT '';"
        "CREATE TABLE mgmtdev ("
        "  handle TEXT NOT NULL PRIMARY KEY,"
        "  cordoned TEXT NOT NULL,"
        "  labels TEXT NOT NULL,"
        "  overrides TEXT NOT NULL"
        ") STRICT, WITHOUT ROWID;"
        "CREATE TABLE quarantine ("
        "  id INTEGER PRIMARY KEY,"
        "  mgmtdev TEXT NOT NULL,"
        "  asid_space TEXT NOT NULL,"
        "  asids TEXT NOT NULL,"
        "  msis TEXT NOT NULL,"
        "  released_usec INTEGER NOT NULL"
        ") STRICT;"
        "CREATE INDEX quarantine_released ON quarantine (released_usec);",

        /* 3. With whom a device goes. */
        "ALTER TABLE device ADD COLUMN holder TEXT NOT NULL DEFAULT '';",

        /* 4. What one holder holds is found without reading all devices; most have none. */
        "CREATE INDEX device_holder ON device (holder) WHERE holder <> '';",

        /* 5. When a device is to go; what keyed requests have come to, and which devices have gone, each in the
         * order of time; and what time it is. */
        "ALTER TABLE device ADD COLUMN lease_usec INTEGER NOT NULL DEFAULT 0;"
        "CREATE TABLE receipt ("
        "  id INTEGER PRIMARY KEY,"
        "  key TEXT NOT NULL UNIQUE,"
        "  request TEXT NOT NULL,"
        "  name TEXT NOT NULL,"
        "  uid TEXT NOT NULL,"
        "  outcome TEXT NOT NULL,"
        "  detail TEXT NOT NULL,"
        "  made_usec INTEGER NOT NULL"
        ") STRICT;"
        "CREATE TABLE tombstone ("
        "  id INTEGER PRIMARY KEY,"
        "  name TEXT NOT NULL,"
        "  uid TEXT NOT NULL,"
        "  made_usec INTEGER NOT NULL"
        ") STRICT;"
        "CREATE TABLE clock ("
        "  id INTEGER PRIMARY KEY CHECK (id = 0),"
        "  boot_id TEXT NOT NULL,"
        "  boot_usec INTEGER NOT NULL,"
        "  wall_usec INTEGER NOT NULL,"
        "  time_usec INTEGER NOT NULL"
        ") STRICT;"
        "INSERT INTO clock (id, boot_id, boot_usec, wall_usec, time_usec) VALUES (0, '', 0, 0, 0);",

        /* 6. What devices are made before anyone asks for them. */
        "CREATE TABLE pool ("
        "  name TEXT NOT NULL PRIMARY KEY,"
        "  uid TEXT NOT NULL,"
        "  created_usec INTEGER NOT NULL,"
        "  spec TEXT NOT NULL"
        ") STRICT, WITHOUT ROWID;",

        /* 7. The revisions of records that are of devices as they will be. */
        "CREATE TABLE intent ("
        "  revision INTEGER PRIMARY KEY"
        ") STRICT;",

        /* 8. What of the spec is the device's own, mostly; records from before have it in the spec. */
        "ALTER TABLE device ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE device ADD COLUMN mac TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE device ADD COLUMN labels TEXT NOT NULL DEFAULT '';",
};

#define SCHEMA_VERSION ((int) ELEMENTSOF(migrations))

/* Runs a query of one value. Returns an SQLite code. */
static int query_int(sqlite3 *db, const char *sql, int *ret) {
        sqlite3_stmt *stmt = NULL;
        int rc;

        rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
        if (rc == SQLITE_OK) {
                rc = sqlite3_step(stmt);
                if (rc == SQLITE_ROW) {
                        *ret = sqlite3_column_int(stmt, 0);
                        rc = SQLITE_OK;
                }
        }
        sqlite3_finalize(stmt);
        return rc;
}

/* The b-trees' structure; a wrong value inside a well-formed row is found when the row is read. */
static int check_integrity(sqlite3 *db, const char *path, Failure *f) {
        sqlite3_stmt *stmt = NULL;
        int rc, r = 0;

        rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
                r = database_failure(db, rc, f, "Cannot check %s", path);
        else if (strcmp((const char *) sqlite3_column_text(stmt, 0), "ok") != 0)
                r = failure_set(f, ERROR_STORE_FAILED, EUCLEAN, "The database %s is damaged: %s", path,
                                (const char *) sqlite3_column_text(stmt, 0));
        sqlite3_finalize(stmt);
        return r;
}

int schema_is_cut_off(sqlite3 *db, const char *path, Failure *f) {
        _cleanup_free_ char *log = NULL;
        struct stat st, log_st;
        int page_size = 0, rc;

        rc = query_int(db, "PRAGMA page_size", &page_size);
        if (rc != SQLITE_OK)
                return database_failure(db, rc, f, "Cannot read %s", path);
        if (asprintf(&log, "%s-wal", path) < 0)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory");
        if (stat(path, &st) < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot look at %s: %m", path);
        return page_size > 0 && st.st_size % page_size != 0 && (stat(log, &log_st) < 0 || log_st.st_size == 0);
}

/* 1: it is empty. */
static int identify(sqlite3 *db, const char *path, Failure *f) {
        int application_id = 0, version = 0, n_tables = 0, rc;

        rc = query_int(db, "PRAGMA application_id", &application_id);
        if (rc == SQLITE_OK)
                rc = query_int(db, "PRAGMA user_version", &version);
        if (rc == SQLITE_OK)
                rc = query_int(db, "SELECT count(*) FROM sqlite_schema", &n_tables);
        if (rc != SQLITE_OK)
                return database_failure(db, rc, f, "Cannot read %s", path);

        if (application_id == 0 && version == 0 && n_tables == 0)
                return 1;
        if (application_id != APPLICATION_ID)
                return failure_set(f, ERROR_STORE_FAILED, EMEDIUMTYPE,
                                   "%s is a database of another program (application_id %#x)", path,
                                   (unsigned) application_id);
        if (version < 0)
                return failure_set(f, ERROR_STORE_FAILED, EUCLEAN,
                                   "The database %s is damaged: its schema version is %d", path, version);
        if (version > SCHEMA_VERSION)
                return failure_set(f, ERROR_STORE_FAILED, EPROTONOSUPPORT,
                                   "%s has schema version %d, and this program knows versions up to %d: "
                                   "it was written by a newer hsvdpad",
                                   path, version, SCHEMA_VERSION);

        return 0;
}

int schema_identify(sqlite3 *db, const char *path, Failure *f) {
        int r = identify(db, path, f);

        return r > 0 ? 0 : r;
}

int schema_check(sqlite3 *db, const char *path, Failure *f) {
        int r = identify(db, path, f);

        if (r != 0)
                return r > 0 ? 0 : r;
        r = schema_is_cut_off(db, path, f);
        if (r < 0)
                return r;
        if (r > 0)
                return failure_set(f, ERROR_STORE_FAILED, EUCLEAN,
                                   "The database %s is damaged: it is cut off within a page", path);
        return check_integrity(db, path, f);
}

int schema_migrate(sqlite3 *db, const char *path, Failure *f) {
        int version = 0, rc;
        char pragma[96];

        rc = query_int(db, "PRAGMA user_version", &version);
        if (rc == SQLITE_OK && version == SCHEMA_VERSION)
                return 0;

        if (rc == SQLITE_OK)
                rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        for (int v = version; rc == SQLITE_OK && v < SCHEMA_VERSION; v++)
                rc = sqlite3_exec(db, migrations[v], NULL, NULL, NULL);

        (void) snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                        APPLICATION_ID, SCHEMA_VERSION);
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(db, pragma, NULL, NULL, NULL);
        CRASH_POINT(SCHEMA_BEFORE_COMMIT);
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        CRASH_POINT(SCHEMA_AFTER_COMMIT);
        if (rc == SQLITE_OK)
                return 0;

        (void) database_failure(db, rc, f, "Cannot bring %s to schema version %d", path, SCHEMA_VERSION);
        (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return f ? -f->error : -EIO;
}

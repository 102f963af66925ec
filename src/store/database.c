/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/database.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/schema.h"

/* In the order of the parameters of the insertion and of the columns of the listing. */
#define DEVICE_COLUMNS                                                                                             \
        "name, uid, revision, created_revision, created_usec, generation, state, "                                 \
        "mgmtdev, spec, reason_code, reason, asid_space, asids, vqs, msis, holder"

static const char *const statement_sql[_STATEMENT_MAX] = {
        [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
        [STATEMENT_COMMIT] = "COMMIT",
        [STATEMENT_ROLLBACK] = "ROLLBACK",
        [STATEMENT_PUT_DEVICE] = "INSERT OR REPLACE INTO device (" DEVICE_COLUMNS ") "
                                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        [STATEMENT_REMOVE_DEVICE] = "DELETE FROM device WHERE name = ?1",
        [STATEMENT_SET_REVISION] = "UPDATE meta SET value = ?1 WHERE key = 'revision'",
        [STATEMENT_SET_BOOT_ID] = "UPDATE meta SET value = ?1 WHERE key = 'boot_id'",
        [STATEMENT_GET_META] = "SELECT value FROM meta WHERE key = ?1",
        [STATEMENT_LIST_DEVICES] = "SELECT " DEVICE_COLUMNS " FROM device ORDER BY name",
        [STATEMENT_PUT_MGMTDEV] = "INSERT OR REPLACE INTO mgmtdev (handle, cordoned, labels, overrides) "
                                  "VALUES (?1, ?2, ?3, ?4)",
        [STATEMENT_REMOVE_MGMTDEV] = "DELETE FROM mgmtdev WHERE handle = ?1",
        [STATEMENT_LIST_MGMTDEVS] = "SELECT handle, cordoned, labels, overrides FROM mgmtdev ORDER BY handle",
        [STATEMENT_ADD_QUARANTINE] = "INSERT INTO quarantine (mgmtdev, asid_space, asids, msis, released_usec) "
                                     "VALUES (?1, ?2, ?3, ?4, ?5)",
        [STATEMENT_PURGE_QUARANTINE] = "DELETE FROM quarantine WHERE released_usec < ?1",
        [STATEMENT_LIST_QUARANTINE] = "SELECT mgmtdev, asid_space, asids, msis, released_usec FROM quarantine "
                                      "ORDER BY released_usec, id",
};

static int errno_of(int rc) {
        switch (rc & 0xff) {
        case SQLITE_FULL:
                return ENOSPC;
        case SQLITE_NOMEM:
                return ENOMEM;
        case SQLITE_READONLY:
                return EROFS;
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
                return EACCES;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return EBUSY;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return EUCLEAN;
        default:
                return EIO;
        }
}

int database_failure(sqlite3 *db, int rc, Failure *f, const char *format, ...) {
        int error = errno_of(rc), system_error = db ? sqlite3_system_errno(db) : 0;
        char text[256];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof text, format, ap);
        va_end(ap);

        /* Out of memory there may be no connection to ask for a message. */
        return failure_set(f, ERROR_STORE_FAILED, error, "%s: %s%s%s%s", text,
                           error == EUCLEAN ? "it is damaged, or not a database: " : "",
                           db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), system_error ? ": " : "",
                           system_error ? strerror(system_error) : "");
}

/* synchronous=FULL: with WAL, a commit is on the disk when it returns. Only then may it be acknowledged. */
static int configure(sqlite3 *db, const char *path, Failure *f) {
        static const char pragmas[] = "PRAGMA journal_mode = WAL;"
                                      "PRAGMA synchronous = FULL;"
                                      "PRAGMA foreign_keys = ON;"
                                      "PRAGMA journal_size_limit = 67108864;";
        int rc;

        (void) sqlite3_busy_timeout(db, 5000);
        rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
        if (rc != SQLITE_OK)
                return database_failure(db, rc, f, "Cannot set up %s", path);
        return 0;
}

static int prepare(Database *db, const char *path, Failure *f) {
        for (Statement s = 0; s < _STATEMENT_MAX; s++) {
                int rc = sqlite3_prepare_v3(db->db, statement_sql[s], -1, SQLITE_PREPARE_PERSISTENT,
                                            &db->statements[s], NULL);
                /* The schema has the version for which these were written: what they miss was lost. */
                if (rc == SQLITE_ERROR)
                        rc = SQLITE_CORRUPT;
                if (rc != SQLITE_OK)
                        return database_failure(db->db, rc, f, "Cannot use %s", path);
        }

        return 0;
}

int database_open(Database *db, const char *path, Failure *f) {
        int rc, r;

        *db = (Database){};
        rc = sqlite3_open_v2(
                path, &db->db,
                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
        if (rc != SQLITE_OK)
                return database_failure(db->db, rc, f, "Cannot open %s", path);

        /* Until the file is known to be ours and whole, closing it must not write the log back into it. */
        (void) sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        r = schema_check(db->db, path, f);
        if (r < 0)
                return r;
        (void) sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);

        r = configure(db->db, path, f);
        if (r < 0)
                return r;
        r = schema_migrate(db->db, path, f);
        if (r < 0)
                return r;
        return prepare(db, path, f);
}

void database_done(Database *db) {
        for (Statement s = 0; s < _STATEMENT_MAX; s++)
                sqlite3_finalize(db->statements[s]);
        sqlite3_close(db->db);
        *db = (Database){};
}

/* Runs a statement whose parameters are bound, and makes it ready for the next time. */
static int finish(Database *db, Statement statement, Failure *f) {
        sqlite3_stmt *stmt = db->statements[statement];
        int rc = sqlite3_step(stmt), r = 0;

        if (rc != SQLITE_DONE && rc != SQLITE_ROW)
                r = database_failure(db->db, rc, f, "Cannot write the inventory");
        (void) sqlite3_reset(stmt);
        (void) sqlite3_clear_bindings(stmt);
        return r;
}

int database_run(Database *db, Statement statement, Failure *f) {
        return finish(db, statement, f);
}

/* Bound text outlives the step, so SQLite need not copy it. A failed binding is out of memory, which leaves NULL
 * there, and every column is NOT NULL: the step fails then. */
static void bind_text(Database *db, Statement statement, int index, const char *text) {
        (void) sqlite3_bind_text(db->statements[statement], index, text, -1, SQLITE_STATIC);
}

static void bind_u64(Database *db, Statement statement, int index, uint64_t value) {
        (void) sqlite3_bind_int64(db->statements[statement], index, (sqlite3_int64) value);
}

int database_put_device(Database *db, const StoreRecord *r, Failure *f) {
        const Statement s = STATEMENT_PUT_DEVICE;

        bind_text(db, s, 1, r->name);
        bind_text(db, s, 2, r->uid);
        bind_u64(db, s, 3, r->revision);
        bind_u64(db, s, 4, r->created_revision);
        bind_u64(db, s, 5, r->created_usec);
        bind_u64(db, s, 6, r->generation);
        bind_text(db, s, 7, device_state_name(r->state));
        bind_text(db, s, 8, r->mgmtdev);
        bind_text(db, s, 9, r->spec);
        bind_text(db, s, 10, r->reason_code);
        bind_text(db, s, 11, r->reason);
        bind_text(db, s, 12, r->asid_space);
        bind_text(db, s, 13, r->asids);
        bind_u64(db, s, 14, r->n_vqs);
        bind_text(db, s, 15, r->msis);
        bind_text(db, s, 16, r->holder);
        return finish(db, s, f);
}

int database_remove_device(Database *db, const char *name, Failure *f) {
        bind_text(db, STATEMENT_REMOVE_DEVICE, 1, name);
        return finish(db, STATEMENT_REMOVE_DEVICE, f);
}

int database_put_mgmtdev(Database *db, const StoreMgmtdev *m, Failure *f) {
        bool is_empty = !m->cordoned[0] && !m->labels[0] && !m->overrides[0];
        Statement s = is_empty ? STATEMENT_REMOVE_MGMTDEV : STATEMENT_PUT_MGMTDEV;

        bind_text(db, s, 1, m->handle);
        if (!is_empty) {
                bind_text(db, s, 2, m->cordoned);
                bind_text(db, s, 3, m->labels);
                bind_text(db, s, 4, m->overrides);
        }
        return finish(db, s, f);
}

int database_add_quarantine(Database *db, const StoreQuarantine *q, uint64_t purge_usec, Failure *f) {
        const Statement s = STATEMENT_ADD_QUARANTINE;
        int r;

        bind_text(db, s, 1, q->mgmtdev);
        bind_text(db, s, 2, q->asid_space);
        bind_text(db, s, 3, q->asids);
        bind_text(db, s, 4, q->msis);
        bind_u64(db, s, 5, q->released_usec);
        r = finish(db, s, f);
        if (r < 0)
                return r;

        bind_u64(db, STATEMENT_PURGE_QUARANTINE, 1, purge_usec);
        return finish(db, STATEMENT_PURGE_QUARANTINE, f);
}

int database_set_revision(Database *db, uint64_t revision, Failure *f) {
        char text[24];

        (void) snprintf(text, sizeof text, "%llu", (unsigned long long) revision);
        bind_text(db, STATEMENT_SET_REVISION, 1, text);
        return finish(db, STATEMENT_SET_REVISION, f);
}

int database_set_boot_id(Database *db, const char *boot_id, Failure *f) {
        bind_text(db, STATEMENT_SET_BOOT_ID, 1, boot_id);
        return finish(db, STATEMENT_SET_BOOT_ID, f);
}

int database_get_meta(Database *db, const char *key, char *buffer, size_t size, Failure *f) {
        sqlite3_stmt *stmt = db->statements[STATEMENT_GET_META];
        int rc, n = -1, r = 0;

        bind_text(db, STATEMENT_GET_META, 1, key);
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW)
                n = snprintf(buffer, size, "%s", (const char *) sqlite3_column_text(stmt, 0));
        if (n < 0 || (size_t) n >= size)
                r = failure_set(f, ERROR_STORE_FAILED, EUCLEAN, "The database has no usable value of '%s'", key);
        (void) sqlite3_reset(stmt);
        (void) sqlite3_clear_bindings(stmt);
        return r;
}

/* What STRICT and NOT NULL promise is true of a database that only we wrote; the contents are checked by whoever
 * takes the record. Out of memory makes a text NULL. */
static int read_record(sqlite3_stmt *stmt, StoreRecord *ret, Failure *f) {
        const char *state = (const char *) sqlite3_column_text(stmt, 6);

        *ret = (StoreRecord){
                .name = (const char *) sqlite3_column_text(stmt, 0),
                .uid = (const char *) sqlite3_column_text(stmt, 1),
                .revision = (uint64_t) sqlite3_column_int64(stmt, 2),
                .created_revision = (uint64_t) sqlite3_column_int64(stmt, 3),
                .created_usec = (uint64_t) sqlite3_column_int64(stmt, 4),
                .generation = (uint32_t) sqlite3_column_int64(stmt, 5),
                .mgmtdev = (const char *) sqlite3_column_text(stmt, 7),
                .spec = (const char *) sqlite3_column_text(stmt, 8),
                .reason_code = (const char *) sqlite3_column_text(stmt, 9),
                .reason = (const char *) sqlite3_column_text(stmt, 10),
                .asid_space = (const char *) sqlite3_column_text(stmt, 11),
                .asids = (const char *) sqlite3_column_text(stmt, 12),
                .n_vqs = (uint32_t) sqlite3_column_int64(stmt, 13),
                .msis = (const char *) sqlite3_column_text(stmt, 14),
                .holder = (const char *) sqlite3_column_text(stmt, 15),
        };
        if (!ret->name || !ret->uid || !ret->mgmtdev || !ret->spec || !ret->reason_code || !ret->reason || !state ||
            !ret->asid_space || !ret->asids || !ret->msis || !ret->holder)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory while reading the inventory");
        if (device_state_parse(state, &ret->state) < 0)
                return failure_set(f, ERROR_STORE_FAILED, EUCLEAN, "Device %s has an unknown state in the database",
                                   ret->name);
        return 0;
}

/* What a row becomes; the callback is whoever asked for it. */
typedef struct Reader {
        int (*read)(sqlite3_stmt *stmt, const struct Reader *reader, Failure *f);
        int (*device)(void *userdata, const StoreRecord *r);
        int (*mgmtdev)(void *userdata, const StoreMgmtdev *m);
        int (*quarantine)(void *userdata, const StoreQuarantine *q);
        void *userdata;
} Reader;

static int list(Database *db, Statement statement, const Reader *reader, Failure *f) {
        sqlite3_stmt *stmt = db->statements[statement];
        int rc, r = 0;

        while (r == 0 && (rc = sqlite3_step(stmt)) != SQLITE_DONE)
                if (rc != SQLITE_ROW)
                        r = database_failure(db->db, rc, f, "Cannot read the inventory");
                else
                        r = reader->read(stmt, reader, f);

        (void) sqlite3_reset(stmt);
        return r;
}

static int read_device(sqlite3_stmt *stmt, const Reader *reader, Failure *f) {
        StoreRecord row;
        int r = read_record(stmt, &row, f);

        return r < 0 ? r : reader->device(reader->userdata, &row);
}

static int out_of_memory(Failure *f) {
        return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory while reading the inventory");
}

static int read_mgmtdev(sqlite3_stmt *stmt, const Reader *reader, Failure *f) {
        const StoreMgmtdev row = {
                .handle = (const char *) sqlite3_column_text(stmt, 0),
                .cordoned = (const char *) sqlite3_column_text(stmt, 1),
                .labels = (const char *) sqlite3_column_text(stmt, 2),
                .overrides = (const char *) sqlite3_column_text(stmt, 3),
        };

        if (!row.handle || !row.cordoned || !row.labels || !row.overrides)
                return out_of_memory(f);
        return reader->mgmtdev(reader->userdata, &row);
}

static int read_quarantine(sqlite3_stmt *stmt, const Reader *reader, Failure *f) {
        const StoreQuarantine row = {
                .mgmtdev = (const char *) sqlite3_column_text(stmt, 0),
                .asid_space = (const char *) sqlite3_column_text(stmt, 1),
                .asids = (const char *) sqlite3_column_text(stmt, 2),
                .msis = (const char *) sqlite3_column_text(stmt, 3),
                .released_usec = (uint64_t) sqlite3_column_int64(stmt, 4),
        };

        if (!row.mgmtdev || !row.asid_space || !row.asids || !row.msis)
                return out_of_memory(f);
        return reader->quarantine(reader->userdata, &row);
}

int database_list_devices(Database *db, int (*record)(void *userdata, const StoreRecord *r), void *userdata,
                          Failure *f) {
        const Reader reader = { .read = read_device, .device = record, .userdata = userdata };

        return list(db, STATEMENT_LIST_DEVICES, &reader, f);
}

int database_list_mgmtdevs(Database *db, int (*record)(void *userdata, const StoreMgmtdev *m), void *userdata,
                           Failure *f) {
        const Reader reader = { .read = read_mgmtdev, .mgmtdev = record, .userdata = userdata };

        return list(db, STATEMENT_LIST_MGMTDEVS, &reader, f);
}

int database_list_quarantine(Database *db, int (*record)(void *userdata, const StoreQuarantine *q), void *userdata,
                             Failure *f) {
        const Reader reader = { .read = read_quarantine, .quarantine = record, .userdata = userdata };

        return list(db, STATEMENT_LIST_QUARANTINE, &reader, f);
}

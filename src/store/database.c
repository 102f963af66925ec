/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/database.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/schema.h"

/* In the order of the parameters of the insertion and of the columns of the listing. */
#define FIRST_COLUMNS "name, uid, revision, created_revision, created_usec, generation"
#define LAST_COLUMNS                                                                                               \
        "mgmtdev, spec, reason_code, reason, asid_space, asids, vqs, msis, holder, lease_usec, "                   \
        "owner, mac, labels"

/* What a record says, but of what is only intended. */
#define STATE_NOW "CASE WHEN revision IN (SELECT revision FROM intent) THEN 'reserved' ELSE state END"

#define RECEIPT_COLUMNS "id, key, request, name, uid, outcome, detail, made_usec"

static const char *const statement_sql[_STATEMENT_MAX] = {
        [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
        [STATEMENT_COMMIT] = "COMMIT",
        [STATEMENT_ROLLBACK] = "ROLLBACK",
        [STATEMENT_PUT_DEVICE] = "INSERT OR REPLACE INTO device (" FIRST_COLUMNS ", state, " LAST_COLUMNS ") "
                                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
                                 "?17, ?18, ?19, ?20)",
        [STATEMENT_REMOVE_DEVICE] = "DELETE FROM device WHERE name = ?1",
        [STATEMENT_END_HOLDER] = "UPDATE device SET holder = '' WHERE holder = ?1 AND holder <> ''",
        [STATEMENT_SET_REVISION] = "UPDATE meta SET value = ?1 WHERE key = 'revision'",
        [STATEMENT_SET_BOOT_ID] = "UPDATE meta SET value = ?1 WHERE key = 'boot_id'",
        [STATEMENT_GET_META] = "SELECT value FROM meta WHERE key = ?1",
        [STATEMENT_ADD_INTENT] = "INSERT OR IGNORE INTO intent (revision) VALUES (?1)",
        [STATEMENT_END_INTENT] = "DELETE FROM intent WHERE revision = ?1",
        [STATEMENT_PURGE_INTENTS] = "DELETE FROM intent WHERE revision NOT IN (SELECT revision FROM device)",
        [STATEMENT_LIST_DEVICES] = "SELECT " FIRST_COLUMNS ", " STATE_NOW ", " LAST_COLUMNS
                                   " FROM device ORDER BY name",
        [STATEMENT_PUT_MGMTDEV] = "INSERT OR REPLACE INTO mgmtdev (handle, cordoned, labels, overrides) "
                                  "VALUES (?1, ?2, ?3, ?4)",
        [STATEMENT_REMOVE_MGMTDEV] = "DELETE FROM mgmtdev WHERE handle = ?1",
        [STATEMENT_LIST_MGMTDEVS] = "SELECT handle, cordoned, labels, overrides FROM mgmtdev ORDER BY handle",
        [STATEMENT_PUT_POOL] =
                "INSERT OR REPLACE INTO pool (name, uid, created_usec, spec) VALUES (?1, ?2, ?3, ?4)",
        [STATEMENT_REMOVE_POOL] = "DELETE FROM pool WHERE name = ?1",
        [STATEMENT_LIST_POOLS] = "SELECT name, uid, created_usec, spec FROM pool ORDER BY name",
        [STATEMENT_ADD_QUARANTINE] = "INSERT INTO quarantine (mgmtdev, asid_space, asids, msis, released_usec) "
                                     "VALUES (?1, ?2, ?3, ?4, ?5)",
        [STATEMENT_PURGE_QUARANTINE] = "DELETE FROM quarantine WHERE released_usec < ?1",
        [STATEMENT_LIST_QUARANTINE] = "SELECT mgmtdev, asid_space, asids, msis, released_usec, id "
                                      "FROM quarantine ORDER BY id",
        [STATEMENT_PUT_RECEIPT] = "INSERT OR REPLACE INTO receipt (" RECEIPT_COLUMNS ") "
                                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        [STATEMENT_REMOVE_RECEIPT] = "DELETE FROM receipt WHERE id = ?1",
        [STATEMENT_PURGE_RECEIPTS] = "DELETE FROM receipt WHERE id < ?1",
        [STATEMENT_LIST_RECEIPTS] = "SELECT " RECEIPT_COLUMNS " FROM receipt ORDER BY id",
        [STATEMENT_PUT_TOMBSTONE] = "INSERT OR REPLACE INTO tombstone (id, name, uid, made_usec) "
                                    "VALUES (?1, ?2, ?3, ?4)",
        [STATEMENT_PURGE_TOMBSTONES] = "DELETE FROM tombstone WHERE id < ?1",
        [STATEMENT_LIST_TOMBSTONES] = "SELECT id, name, uid, made_usec FROM tombstone ORDER BY id",
        [STATEMENT_SET_CLOCK] = "UPDATE clock SET boot_id = ?1, boot_usec = ?2, wall_usec = ?3, time_usec = ?4",
        [STATEMENT_GET_CLOCK] = "SELECT boot_id, boot_usec, wall_usec, time_usec FROM clock",
};

/* In words, for those to whom the names of errors say nothing. */
static const struct {
        int error;
        const char *words;
} reasons[] = {
        { ENOSPC, "the disk is full" },
        { EDQUOT, "the disk quota is used up" },
        { EFBIG, "the file cannot grow any more" },
        { EROFS, "the file system is read-only" },
        { EIO, "I/O error" },
        { EACCES, "access is denied" },
        { EBUSY, "another program has it locked" },
        { ENOMEM, "out of memory" },
        { EUCLEAN, "it is damaged, or not a database" },
};

static const char *words_of(int error) {
        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (reasons[i].error == error)
                        return reasons[i].words;

        return NULL;
}

/* What the system said, if that is what has failed. SQLite keeps it of what it cannot open; of a commit that fails
 * it does not (3.40), but nothing that the roll-back does after it touches errno. */
static int system_error_of(sqlite3 *db, int rc, int last_error) {
        int kind = rc & 0xff;

        if (rc == SQLITE_IOERR_NOMEM)
                return ENOMEM;
        if (kind == SQLITE_CANTOPEN)
                return db ? sqlite3_system_errno(db) : 0;
        return kind == SQLITE_IOERR && words_of(last_error) ? last_error : 0;
}

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
        case SQLITE_CONSTRAINT:
        case SQLITE_TOOBIG:
                return EINVAL;
        default:
                return EIO;
        }
}

int database_failure(sqlite3 *db, int rc, Failure *f, const char *format, ...) {
        int system_error = system_error_of(db, rc, errno), error = system_error > 0 ? system_error : errno_of(rc);
        const char *words = words_of(error), *message;
        char text[256];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof text, format, ap);
        va_end(ap);

        /* Out of memory there may be no connection to ask for a message. */
        message = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
        if (!words)
                return failure_set(f, ERROR_STORE_FAILED, error, "%s: %s%s%s", text, message,
                                   system_error > 0 ? ": " : "", system_error > 0 ? strerror(system_error) : "");
        return failure_set(f, ERROR_STORE_FAILED, error, "%s: %s (%s%s%s)", text, words, message,
                           system_error > 0 ? ": " : "", system_error > 0 ? strerror(system_error) : "");
}

/* synchronous=FULL: with WAL, a commit is on the disk when it returns. Only then may it be acknowledged. */
static int configure(sqlite3 *db, const char *path, Failure *f) {
        static const char pragmas[] = "PRAGMA journal_mode = WAL;"
                                      "PRAGMA synchronous = FULL;"
                                      "PRAGMA foreign_keys = ON;"
                                      "PRAGMA journal_size_limit = 67108864;";
        int rc;

        (void) sqlite3_busy_timeout(db, 5000);
        errno = 0;
        rc = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
        if (rc != SQLITE_OK)
                return database_failure(db, rc, f, "Cannot set up %s", path);
        return 0;
}

int database_prepare(Database *db, const char *path, Failure *f) {
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

        r = configure(db->db, path, f);
        if (r < 0)
                return r;
        r = schema_migrate(db->db, path, f);
        if (r < 0)
                return r;
        r = database_prepare(db, path, f);
        if (r < 0)
                return r;

        (void) sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        return 0;
}

void database_done(Database *db) {
        for (Statement s = 0; s < _STATEMENT_MAX; s++)
                sqlite3_finalize(db->statements[s]);
        sqlite3_close(db->db);
        *db = (Database){};
}

int database_copy(sqlite3 *from, sqlite3 *to) {
        sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");

        if (!backup)
                return sqlite3_extended_errcode(to);
        (void) sqlite3_backup_step(backup, -1);
        return sqlite3_backup_finish(backup);
}

/* Where the header says that there is a write-ahead log. A copy has none, and needs none to be read. */
#define HEADER_WRITE_VERSION 18
#define HEADER_READ_VERSION  19

int database_backup(const char *path, sqlite3 **ret_db, unsigned char **ret_data, size_t *ret_size, Failure *f) {
        sqlite3_int64 size = 0;
        sqlite3 *from = NULL;
        int rc, r = 0;

        rc = sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
        (void) sqlite3_busy_timeout(from, 5000);
        if (rc == SQLITE_OK)
                rc = sqlite3_open_v2("file:backup?vfs=memdb", ret_db,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                                             SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                     NULL);
        if (rc == SQLITE_OK)
                rc = database_copy(from, *ret_db);
        if (rc != SQLITE_OK)
                r = database_failure(from, rc, f, "Cannot copy the inventory");
        (void) sqlite3_close(from);
        if (r < 0)
                return r;

        *ret_data = sqlite3_serialize(*ret_db, "main", &size, SQLITE_SERIALIZE_NOCOPY);
        if (!*ret_data || size <= HEADER_READ_VERSION)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Cannot copy the inventory: out of memory");
        (*ret_data)[HEADER_WRITE_VERSION] = (*ret_data)[HEADER_READ_VERSION] = 1;
        *ret_size = (size_t) size;
        return 0;
}

/* Runs a statement whose parameters are bound, and makes it ready for the next time. */
static int finish(Database *db, Statement statement, Failure *f) {
        sqlite3_stmt *stmt = db->statements[statement];
        int rc, r = 0;

        errno = 0;
        rc = sqlite3_step(stmt);
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
        bind_text(db, s, 9, r->spec.common);
        bind_text(db, s, 10, r->reason_code);
        bind_text(db, s, 11, r->reason);
        bind_text(db, s, 12, r->asid_space);
        bind_text(db, s, 13, r->asids);
        bind_u64(db, s, 14, r->n_vqs);
        bind_text(db, s, 15, r->msis);
        bind_text(db, s, 16, r->holder);
        bind_u64(db, s, 17, r->lease_usec);
        bind_text(db, s, 18, r->spec.owner);
        bind_text(db, s, 19, r->spec.mac);
        bind_text(db, s, 20, r->spec.labels);
        return finish(db, s, f);
}

int database_remove_device(Database *db, const char *name, Failure *f) {
        bind_text(db, STATEMENT_REMOVE_DEVICE, 1, name);
        return finish(db, STATEMENT_REMOVE_DEVICE, f);
}

int database_add_intent(Database *db, uint64_t revision, Failure *f) {
        bind_u64(db, STATEMENT_ADD_INTENT, 1, revision);
        return finish(db, STATEMENT_ADD_INTENT, f);
}

int database_end_intent(Database *db, uint64_t revision, Failure *f) {
        bind_u64(db, STATEMENT_END_INTENT, 1, revision);
        return finish(db, STATEMENT_END_INTENT, f);
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

int database_put_pool(Database *db, const StorePool *p, Failure *f) {
        Statement s = p->spec[0] ? STATEMENT_PUT_POOL : STATEMENT_REMOVE_POOL;

        bind_text(db, s, 1, p->name);
        if (p->spec[0]) {
                bind_text(db, s, 2, p->uid);
                bind_u64(db, s, 3, p->created_usec);
                bind_text(db, s, 4, p->spec);
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

static int purge(Database *db, Statement s, uint64_t first_id, Failure *f) {
        if (first_id == 0)
                return 0;
        bind_u64(db, s, 1, first_id);
        return finish(db, s, f);
}

int database_put_receipt(Database *db, const StoreReceipt *r, Failure *f) {
        const Statement s = r->is_forgotten ? STATEMENT_REMOVE_RECEIPT : STATEMENT_PUT_RECEIPT;
        int k;

        bind_u64(db, s, 1, r->id);
        if (!r->is_forgotten) {
                bind_text(db, s, 2, r->key);
                bind_text(db, s, 3, r->request);
                bind_text(db, s, 4, r->name);
                bind_text(db, s, 5, r->uid);
                bind_text(db, s, 6, r->outcome);
                bind_text(db, s, 7, r->detail);
                bind_u64(db, s, 8, r->made_usec);
        }
        k = finish(db, s, f);
        return k < 0 ? k : purge(db, STATEMENT_PURGE_RECEIPTS, r->first_id, f);
}

int database_put_tombstone(Database *db, const StoreTombstone *t, Failure *f) {
        const Statement s = STATEMENT_PUT_TOMBSTONE;
        int k;

        bind_u64(db, s, 1, t->id);
        bind_text(db, s, 2, t->name);
        bind_text(db, s, 3, t->uid);
        bind_u64(db, s, 4, t->made_usec);
        k = finish(db, s, f);
        return k < 0 ? k : purge(db, STATEMENT_PURGE_TOMBSTONES, t->first_id, f);
}

int database_set_clock(Database *db, const ClockRecord *c, Failure *f) {
        const Statement s = STATEMENT_SET_CLOCK;

        bind_text(db, s, 1, c->boot_id);
        bind_u64(db, s, 2, c->boot_usec);
        bind_u64(db, s, 3, c->wall_usec);
        bind_u64(db, s, 4, c->time_usec);
        return finish(db, s, f);
}

int database_get_clock(Database *db, ClockRecord *ret, Failure *f) {
        sqlite3_stmt *stmt = db->statements[STATEMENT_GET_CLOCK];
        int rc = sqlite3_step(stmt), n = -1, r = 0;

        *ret = (ClockRecord){};
        if (rc == SQLITE_ROW) {
                n = snprintf(ret->boot_id, sizeof ret->boot_id, "%s", (const char *) sqlite3_column_text(stmt, 0));
                ret->boot_usec = (uint64_t) sqlite3_column_int64(stmt, 1);
                ret->wall_usec = (uint64_t) sqlite3_column_int64(stmt, 2);
                ret->time_usec = (uint64_t) sqlite3_column_int64(stmt, 3);
        }
        /* What is added to it must not overflow. */
        if (n < 0 || (size_t) n >= sizeof ret->boot_id || ret->time_usec > CLOCK_TIME_MAX)
                r = failure_set(f, ERROR_STORE_FAILED, EUCLEAN, "The database has no usable clock");
        (void) sqlite3_reset(stmt);
        return r;
}

int database_set_revision(Database *db, uint64_t revision, Failure *f) {
        char text[24];

        (void) snprintf(text, sizeof text, "%llu", (unsigned long long) revision);
        bind_text(db, STATEMENT_SET_REVISION, 1, text);
        return finish(db, STATEMENT_SET_REVISION, f);
}

int database_end_holder(Database *db, const char *holder, Failure *f) {
        bind_text(db, STATEMENT_END_HOLDER, 1, holder);
        return finish(db, STATEMENT_END_HOLDER, f);
}

int database_set_boot_id(Database *db, const char *boot_id, Failure *f) {
        bind_text(db, STATEMENT_SET_BOOT_ID, 1, boot_id);
        return finish(db, STATEMENT_SET_BOOT_ID, f);
}

bool database_make_room(Database *db) {
        int n_log = 0, n_done = 0;

        return sqlite3_wal_checkpoint_v2(db->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &n_log, &n_done) == SQLITE_OK &&
               n_log > 0 && n_log == n_done;
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
                .spec = {
                        .common = (const char *) sqlite3_column_text(stmt, 8),
                        .owner = (const char *) sqlite3_column_text(stmt, 17),
                        .mac = (const char *) sqlite3_column_text(stmt, 18),
                        .labels = (const char *) sqlite3_column_text(stmt, 19),
                },
                .reason_code = (const char *) sqlite3_column_text(stmt, 9),
                .reason = (const char *) sqlite3_column_text(stmt, 10),
                .asid_space = (const char *) sqlite3_column_text(stmt, 11),
                .asids = (const char *) sqlite3_column_text(stmt, 12),
                .n_vqs = (uint32_t) sqlite3_column_int64(stmt, 13),
                .msis = (const char *) sqlite3_column_text(stmt, 14),
                .holder = (const char *) sqlite3_column_text(stmt, 15),
                .lease_usec = (uint64_t) sqlite3_column_int64(stmt, 16),
        };
        if (!ret->name || !ret->uid || !ret->mgmtdev || !ret->spec.common || !ret->spec.owner || !ret->spec.mac ||
            !ret->spec.labels || !ret->reason_code || !ret->reason || !state || !ret->asid_space || !ret->asids ||
            !ret->msis || !ret->holder)
                return failure_set(f, ERROR_STORE_FAILED, ENOMEM, "Out of memory while reading the inventory");
        if (device_state_parse(state, &ret->state) < 0)
                ret->state = _DEVICE_STATE_MAX;
        return 0;
}

/* What a row becomes; the callback is whoever asked for it. */
typedef struct Reader {
        int (*read)(sqlite3_stmt *stmt, const struct Reader *reader, Failure *f);
        int (*device)(void *userdata, const StoreRecord *r);
        int (*mgmtdev)(void *userdata, const StoreMgmtdev *m);
        int (*pool)(void *userdata, const StorePool *p);
        int (*quarantine)(void *userdata, const StoreQuarantine *q);
        int (*receipt)(void *userdata, const StoreReceipt *r);
        int (*tombstone)(void *userdata, const StoreTombstone *t);
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

static int read_pool(sqlite3_stmt *stmt, const Reader *reader, Failure *f) {
        const StorePool row = {
                .name = (const char *) sqlite3_column_text(stmt, 0),
                .uid = (const char *) sqlite3_column_text(stmt, 1),
                .created_usec = (uint64_t) sqlite3_column_int64(stmt, 2),
                .spec = (const char *) sqlite3_column_text(stmt, 3),
        };

        if (!row.name || !row.uid || !row.spec)
                return out_of_memory(f);
        return reader->pool(reader->userdata, &row);
}

static int read_quarantine(sqlite3_stmt *stmt, const Reader *reader, Failure *f) {
        const StoreQuarantine row = {
                .mgmtdev = (const char *) sqlite3_column_text(stmt, 0),
                .asid_space = (const char *) sqlite3_column_text(stmt, 1),
                .asids = (const char *) sqlite3_column_text(stmt, 2),
                .msis = (const char *) sqlite3_column_text(stmt, 3),
                .released_usec = (uint64_t) sqlite3_column_int64(stmt, 4),
                .id = sqlite3_column_int64(stmt, 5),
        };

        if (!row.mgmtdev || !row.asid_space || !row.asids || !row.msis)
                return out_of_memory(f);
        return reader->quarantine(reader->userdata, &row);
}

static int read_receipt(sqlite3_stmt *stmt, const Reader *reader, Failure *f) {
        const StoreReceipt row = {
                .id = (uint64_t) sqlite3_column_int64(stmt, 0),
                .key = (const char *) sqlite3_column_text(stmt, 1),
                .request = (const char *) sqlite3_column_text(stmt, 2),
                .name = (const char *) sqlite3_column_text(stmt, 3),
                .uid = (const char *) sqlite3_column_text(stmt, 4),
                .outcome = (const char *) sqlite3_column_text(stmt, 5),
                .detail = (const char *) sqlite3_column_text(stmt, 6),
                .made_usec = (uint64_t) sqlite3_column_int64(stmt, 7),
        };

        if (!row.key || !row.request || !row.name || !row.uid || !row.outcome || !row.detail)
                return out_of_memory(f);
        return reader->receipt(reader->userdata, &row);
}

static int read_tombstone(sqlite3_stmt *stmt, const Reader *reader, Failure *f) {
        const StoreTombstone row = {
                .id = (uint64_t) sqlite3_column_int64(stmt, 0),
                .name = (const char *) sqlite3_column_text(stmt, 1),
                .uid = (const char *) sqlite3_column_text(stmt, 2),
                .made_usec = (uint64_t) sqlite3_column_int64(stmt, 3),
        };

        if (!row.name || !row.uid)
                return out_of_memory(f);
        return reader->tombstone(reader->userdata, &row);
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

int database_list_pools(Database *db, int (*record)(void *userdata, const StorePool *p), void *userdata,
                        Failure *f) {
        const Reader reader = { .read = read_pool, .pool = record, .userdata = userdata };

        return list(db, STATEMENT_LIST_POOLS, &reader, f);
}

int database_list_quarantine(Database *db, int (*record)(void *userdata, const StoreQuarantine *q), void *userdata,
                             Failure *f) {
        const Reader reader = { .read = read_quarantine, .quarantine = record, .userdata = userdata };

        return list(db, STATEMENT_LIST_QUARANTINE, &reader, f);
}

int database_list_receipts(Database *db, int (*record)(void *userdata, const StoreReceipt *r), void *userdata,
                           Failure *f) {
        const Reader reader = { .read = read_receipt, .receipt = record, .userdata = userdata };

        return list(db, STATEMENT_LIST_RECEIPTS, &reader, f);
}

int database_list_tombstones(Database *db, int (*record)(void *userdata, const StoreTombstone *t), void *userdata,
                             Failure *f) {
        const Reader reader = { .read = read_tombstone, .tombstone = record, .userdata = userdata };

        return list(db, STATEMENT_LIST_TOMBSTONES, &reader, f);
}

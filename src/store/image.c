/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "store/schema.h"

#define OPEN_FLAGS (SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE)

static int open_memory(Database *ret, Failure *f) {
        int rc;

        *ret = (Database){};
        rc = sqlite3_open_v2(":memory:", &ret->db, SQLITE_OPEN_READWRITE | OPEN_FLAGS, NULL);
        return rc == SQLITE_OK ? 0 : database_failure(ret->db, rc, f, "Cannot make a database in memory");
}

/* Without a log beside it a file can lie where nothing can be written. In the name, what means something in a URI
 * is escaped. */
static int open_file(const char *path, sqlite3 **ret, Failure *f) {
        char log[PATH_MAX + 8], uri[3 * PATH_MAX + 32], *p = uri;
        int rc;

        if (access(path, R_OK) < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot read %s: %m", path);
        if (strlen(path) >= PATH_MAX)
                return failure_set(f, ERROR_STORE_FAILED, ENAMETOOLONG, "The path %.40s... is too long", path);
        (void) snprintf(log, sizeof log, "%s-wal", path);
        p = stpcpy(p, "file:");
        for (const char *c = path; *c; c++)
                p += strchr("%?#", *c) ? sprintf(p, "%%%02x", (unsigned) *c) : sprintf(p, "%c", *c);
        strcpy(p, access(log, F_OK) == 0 ? "" : "?immutable=1");

        errno = 0;
        rc = sqlite3_open_v2(uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | OPEN_FLAGS, NULL);
        if (rc != SQLITE_OK)
                return database_failure(*ret, rc, f, "Cannot open %s", path);
        (void) sqlite3_busy_timeout(*ret, 5000);
        (void) sqlite3_db_config(*ret, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return 0;
}

static int copy_file(sqlite3 *file, Database *to, const char *path, Failure *f) {
        int rc, r;

        r = schema_identify(file, path, f);
        if (r == 0)
                r = schema_is_cut_off(file, path, f);
        if (r < 0)
                return r;
        to->is_cut_off = r > 0;
        rc = database_copy(file, to->db);
        return rc == SQLITE_OK ? 0 : database_failure(to->db, rc, f, "Cannot read %s", path);
}

int image_new(Database *ret, Failure *f) {
        int r = open_memory(ret, f);

        if (r == 0)
                r = schema_migrate(ret->db, "a database in memory", f);
        return r < 0 ? r : database_prepare(ret, "a database in memory", f);
}

int image_read(Database *ret, const char *path, Failure *f) {
        sqlite3 *file = NULL;
        int r;

        r = open_memory(ret, f);
        if (r == 0)
                r = open_file(path, &file, f);
        if (r == 0)
                r = copy_file(file, ret, path, f);
        (void) sqlite3_close(file);
        if (r == 0)
                r = schema_migrate(ret->db, path, f);
        return r < 0 ? r : database_prepare(ret, path, f);
}

int image_check(const Database *image, void (*problem)(void *userdata, const char *text), void *userdata,
                Failure *f) {
        sqlite3_stmt *stmt = NULL;
        int rc, n = 0;

        if (image->is_cut_off) {
                problem(userdata, "the file is cut off within a page");
                n++;
        }
        rc = sqlite3_prepare_v2(image->db, "PRAGMA integrity_check(100)", -1, &stmt, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                const char *text = (const char *) sqlite3_column_text(stmt, 0);

                rc = SQLITE_OK;
                if (text && strcmp(text, "ok") == 0)
                        continue;
                problem(userdata, text ?: "out of memory");
                n++;
        }
        (void) sqlite3_finalize(stmt);
        if (rc == SQLITE_DONE)
                return n;
        /* What it cannot even walk through is damaged too. */
        if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB) {
                problem(userdata, sqlite3_errstr(rc));
                return n + 1;
        }
        return database_failure(image->db, rc, f, "Cannot check the database");
}

/* Copies row by row, as they are; a key that is there already stays. Returns true if the last one was reached. */
static bool copy_rows(sqlite3 *from, sqlite3 *to, const char *select, const char *insert) {
        sqlite3_stmt *in = NULL, *out = NULL;
        int rc = SQLITE_ERROR;

        if (sqlite3_prepare_v2(from, select, -1, &in, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(to, insert, -1, &out, NULL) == SQLITE_OK)
                while ((rc = sqlite3_step(in)) == SQLITE_ROW) {
                        for (int i = 0; i < sqlite3_column_count(in); i++)
                                (void) sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
                        /* What the schema does not take is no row of ours. */
                        (void) sqlite3_step(out);
                        (void) sqlite3_reset(out);
                }
        (void) sqlite3_finalize(in);
        (void) sqlite3_finalize(out);
        return rc == SQLITE_DONE;
}

/* "?1, ?2, ..." for the columns of a table. */
static int count_columns(sqlite3 *db, const char *table) {
        char sql[80];
        sqlite3_stmt *stmt = NULL;
        int n = 0;

        (void) snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
        if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK)
                n = sqlite3_column_count(stmt);
        (void) sqlite3_finalize(stmt);
        return n;
}

/* Each table has its key in the first column. */
static bool salvage_table(sqlite3 *from, sqlite3 *to, const char *table) {
        char forward[160], backward[160], insert[256];
        int n = count_columns(to, table), used;

        (void) snprintf(forward, sizeof forward, "SELECT * FROM %.60s ORDER BY 1", table);
        (void) snprintf(backward, sizeof backward, "SELECT * FROM %.60s ORDER BY 1 DESC", table);
        used = snprintf(insert, sizeof insert, "INSERT OR REPLACE INTO %.60s VALUES (?1", table);
        for (int i = 2; i <= n && used < (int) sizeof insert - 8; i++)
                used += snprintf(insert + used, sizeof insert - (size_t) used, ", ?%d", i);
        (void) snprintf(insert + used, sizeof insert - (size_t) used, ")");
        if (copy_rows(from, to, forward, insert))
                return true;

        /* What lies behind the damage. */
        (void) copy_rows(from, to, backward, insert);
        return false;
}

int image_salvage(const Database *damaged, Database *ret, unsigned *ret_n_lost, Failure *f) {
        static const char query[] =
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        sqlite3_stmt *stmt = NULL;
        unsigned n_lost = 0;
        int rc, r;

        r = image_new(ret, f);
        if (r < 0)
                return r;
        rc = sqlite3_prepare_v2(ret->db, query, -1, &stmt, NULL);
        while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                const char *table = (const char *) sqlite3_column_text(stmt, 0);

                n_lost += table && !salvage_table(damaged->db, ret->db, table);
                rc = SQLITE_OK;
        }
        (void) sqlite3_finalize(stmt);
        if (rc != SQLITE_DONE)
                return database_failure(ret->db, rc, f, "Cannot take over the tables");
        *ret_n_lost = n_lost;
        return 0;
}

static int sync_file(const char *path, Failure *f) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot write %s: %m", path);
        return 0;
}

int image_write(const Database *image, const char *path, Failure *f) {
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), rc, r = 0;
        sqlite3 *file = NULL;

        if (fd < 0)
                return failure_set(f, ERROR_STORE_FAILED, errno, "Cannot make %s: %m", path);
        close(fd);
        errno = 0;
        rc = sqlite3_open_v2(path, &file, SQLITE_OPEN_READWRITE | OPEN_FLAGS, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(file, "PRAGMA journal_mode = OFF", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
                rc = database_copy(image->db, file);
        if (rc != SQLITE_OK)
                r = database_failure(file, rc, f, "Cannot write %s", path);
        (void) sqlite3_close(file);
        if (r == 0)
                r = sync_file(path, f);
        if (r < 0)
                (void) unlink(path);
        return r;
}

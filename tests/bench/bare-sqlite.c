/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What SQLite itself takes for rows like the daemon's, with the daemon's durability (WAL, synchronous=FULL): the
 * schema and a row are those of a database of the daemon's.
 *
 * bare-sqlite insert FROM TO N ROWS    N copies of the first row of FROM, with other names, into TO, ROWS a
 * transaction bare-sqlite read FROM                reads all rows once, each column
 *
 * Prints one JSON object: rows, seconds, per_second, and p50_usec of one transaction (of the whole, for read). */
#include <err.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_nsec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

static int compare(const void *a, const void *b) {
        uint64_t left = *(const uint64_t *) a, right = *(const uint64_t *) b;

        return left < right ? -1 : left > right;
}

static void run(sqlite3 *db, const char *sql) {
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
                errx(1, "%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
        sqlite3_stmt *stmt;

        if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
                errx(1, "%s: %s", sql, sqlite3_errmsg(db));
        return stmt;
}

static sqlite3 *open_database(const char *path) {
        sqlite3 *db;

        if (sqlite3_open(path, &db) != SQLITE_OK)
                errx(1, "%s: %s", path, sqlite3_errmsg(db));
        return db;
}

/* Makes the tables and indices of the attached database "source", and takes a row of it as a model. */
static void copy_schema(sqlite3 *db) {
        sqlite3_stmt *stmt = prepare(
                db, "SELECT sql FROM source.sqlite_master WHERE tbl_name = 'device' AND sql IS NOT NULL "
                    "ORDER BY type DESC");

        while (sqlite3_step(stmt) == SQLITE_ROW)
                run(db, (const char *) sqlite3_column_text(stmt, 0));
        (void) sqlite3_finalize(stmt);
        run(db, "CREATE TEMP TABLE model AS SELECT * FROM source.device LIMIT 1");
}

/* "INSERT INTO device VALUES (?, ?, ...)" with the model's values but for the name, the first. */
static sqlite3_stmt *prepare_insert(sqlite3 *db) {
        sqlite3_stmt *model = prepare(db, "SELECT * FROM model"), *stmt;
        char sql[256] = "INSERT INTO main.device VALUES (?";

        if (sqlite3_step(model) != SQLITE_ROW)
                errx(1, "there is no device to be a model");
        for (int i = 1; i < sqlite3_column_count(model); i++)
                strcat(sql, ", ?");
        stmt = prepare(db, strcat(sql, ")"));
        for (int i = 1; i < sqlite3_column_count(model); i++)
                (void) sqlite3_bind_value(stmt, i + 1, sqlite3_column_value(model, i));
        (void) sqlite3_finalize(model);
        return stmt;
}

static void insert_row(sqlite3 *db, sqlite3_stmt *stmt, unsigned long i) {
        char name[32];

        (void) snprintf(name, sizeof name, "d%07lu", i);
        (void) sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
        if (sqlite3_step(stmt) != SQLITE_DONE)
                errx(1, "insert: %s", sqlite3_errmsg(db));
        (void) sqlite3_reset(stmt);
}

static void insert(const char *from, const char *to, unsigned long n, unsigned long n_rows) {
        unsigned long n_transactions = (n + n_rows - 1) / n_rows;
        uint64_t *nsecs = calloc(n_transactions, sizeof *nsecs), begin;
        sqlite3_stmt *stmt;
        sqlite3 *db;
        double seconds;

        if (!nsecs)
                err(1, "memory");
        (void) unlink(to);
        db = open_database(to);
        run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        stmt = prepare(db, "ATTACH ? AS source");
        (void) sqlite3_bind_text(stmt, 1, from, -1, SQLITE_STATIC);
        if (sqlite3_step(stmt) != SQLITE_DONE)
                errx(1, "%s: %s", from, sqlite3_errmsg(db));
        (void) sqlite3_finalize(stmt);
        copy_schema(db);
        run(db, "DETACH source");
        stmt = prepare_insert(db);

        begin = now_nsec();
        for (unsigned long t = 0, i = 0; t < n_transactions; t++) {
                uint64_t start = now_nsec();

                run(db, "BEGIN IMMEDIATE");
                for (unsigned long row = 0; row < n_rows && i < n; row++)
                        insert_row(db, stmt, i++);
                run(db, "COMMIT");
                nsecs[t] = now_nsec() - start;
        }
        seconds = (double) (now_nsec() - begin) / 1e9;
        qsort(nsecs, n_transactions, sizeof *nsecs, compare);
        printf("{\"rows\": %lu, \"seconds\": %.6f, \"per_second\": %.1f, \"p50_usec\": %.1f}\n", n, seconds,
               (double) n / seconds, (double) nsecs[n_transactions / 2] / 1e3);
        (void) sqlite3_finalize(stmt);
        (void) sqlite3_close(db);
        free(nsecs);
}

static void read_all(const char *from) {
        uint64_t begin = now_nsec();
        sqlite3 *db = open_database(from);
        sqlite3_stmt *stmt = prepare(db, "SELECT * FROM device ORDER BY name");
        unsigned long n = 0;
        size_t n_bytes = 0;
        double seconds;

        while (sqlite3_step(stmt) == SQLITE_ROW) {
                for (int i = 0; i < sqlite3_column_count(stmt); i++)
                        n_bytes += sqlite3_column_text(stmt, i) ? (size_t) sqlite3_column_bytes(stmt, i) : 0;
                n++;
        }
        (void) sqlite3_finalize(stmt);
        (void) sqlite3_close(db);
        seconds = (double) (now_nsec() - begin) / 1e9;
        printf("{\"rows\": %lu, \"bytes\": %zu, \"seconds\": %.6f, \"per_second\": %.1f, \"p50_usec\": %.1f}\n", n,
               n_bytes, seconds, (double) n / seconds, seconds * 1e6);
}

int main(int argc, char **argv) {
        if (argc == 3 && strcmp(argv[1], "read") == 0)
                read_all(argv[2]);
        else if (argc == 6 && strcmp(argv[1], "insert") == 0 && strtoul(argv[4], NULL, 10) > 0 &&
                 strtoul(argv[5], NULL, 10) > 0)
                insert(argv[2], argv[3], strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
        else
                errx(2, "usage: bare-sqlite insert FROM TO N ROWS | read FROM");
        return 0;
}

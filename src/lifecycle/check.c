/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/inventory.h"
#include "util/clock.h"

/* More would be one that is not getting better. */
#define PASSES_MAX 8

/* Above what a start reserves. */
#define REVISION_STEP (UINT64_C(1) << 25)

/* An inventory that was lost has given out fewer than so many for each second since the epoch. */
#define REVISIONS_PER_SEC_SHIFT 20

/* What is wrong between records, and with values that no record of ours has. Each query gives keys. */
static const struct {
        const char *table, *query, *text;
        LoadFix fix;
} rules[] = {
        { "device",
          "SELECT name FROM device d WHERE EXISTS "
          "(SELECT 1 FROM device e WHERE e.uid = d.uid AND e.created_revision < d.created_revision "
          "OR e.uid = d.uid AND e.created_revision = d.created_revision AND e.name < d.name)",
          "a uid that another device has too", FIX_NEW_UID },
        { "device",
          "SELECT name FROM device WHERE revision < 0 OR created_revision < 0 OR created_usec < 0 "
          "OR generation < 1 OR generation > 4294967295 OR vqs < 0 OR vqs > 4294967295",
          "a number that is none of ours", FIX_DROP_DEVICE },
        { "pool", "SELECT name FROM pool WHERE created_usec < 0", "a time before all times", FIX_DROP_POOL },
        { "quarantine", "SELECT id FROM quarantine WHERE released_usec < 0", "a time before all times",
          FIX_DROP_QUARANTINE },
        { "meta",
          "SELECT '' WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = 'revision' AND length(value) < 20 "
          "AND value GLOB '[0-9]*' AND NOT value GLOB '*[^0-9]*' "
          "AND CAST(value AS INTEGER) >= (SELECT coalesce(max(revision), 0) FROM device) "
          "AND CAST(value AS INTEGER) < 9007199254740992)",
          "no revision that is above those of all devices", FIX_RAISE_REVISION },
        { "meta", "SELECT '' WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = 'boot_id' AND length(value) < 64)",
          "no boot ID", FIX_EMPTY_BOOT_ID },
        { "clock", "SELECT '' WHERE NOT EXISTS (SELECT 1 FROM clock)", "no time", FIX_RESET_CLOCK },
};

/* How each is mended; the key is the first parameter, a new uid the second. */
static const struct {
        const char *text, *sql;
} fixes[_FIX_MAX] = {
        [FIX_DROP_DEVICE] = { "drop the record: the host's device becomes foreign",
                              "DELETE FROM device WHERE name = ?1" },
        [FIX_DROP_HOLDINGS] = { "record that it holds nothing: it is given others",
                                "UPDATE device SET asid_space = '', asids = '', vqs = 0, msis = '' WHERE name = "
                                "?1" },
        [FIX_DROP_HOLDER] = { "record that nobody holds it", "UPDATE device SET holder = '' WHERE name = ?1" },
        [FIX_RESET_MGMTDEV] = { "forget the settings, and cordon it",
                                "UPDATE mgmtdev SET cordoned = 'yes', labels = '', overrides = '' "
                                "WHERE handle = ?1" },
        [FIX_DROP_POOL] = { "drop the record: its free devices are deleted", "DELETE FROM pool WHERE name = ?1" },
        [FIX_DROP_QUARANTINE] = { "drop the record: what was released can be given out at once",
                                  "DELETE FROM quarantine WHERE id = ?1" },
        [FIX_DROP_RECEIPT] = { "drop the record: the request that comes again is a new one",
                               "DELETE FROM receipt WHERE id = ?1" },
        [FIX_DROP_TOMBSTONE] = { "drop the record", "DELETE FROM tombstone WHERE id = ?1" },
        [FIX_RESET_CLOCK] = { "begin anew", "INSERT OR REPLACE INTO clock (id, boot_id, boot_usec, wall_usec, "
                                            "time_usec) VALUES (0, ?1, 0, 0, 0)" },
        [FIX_RAISE_REVISION] = { "record a higher one", NULL },
        [FIX_EMPTY_BOOT_ID] = { "record none", "INSERT OR REPLACE INTO meta (key, value) VALUES ('boot_id', ?1)" },
        [FIX_NEW_UID] = { "give the device a new one", "UPDATE device SET uid = ?2 WHERE name = ?1" },
};

const char *check_fix_text(LoadFix fix) {
        return fix < _FIX_MAX ? fixes[fix].text : "take over what can be read";
}

void check_report_done(CheckReport *report) {
        for (size_t i = 0; i < report->n; i++) {
                free(report->problem[i].key);
                free(report->problem[i].text);
        }
        free(report->problem);
        *report = (CheckReport){};
}

static int report_grow(CheckReport *report) {
        size_t capacity = report->capacity ? 2 * report->capacity : 64;
        CheckProblem *grown;

        if (report->n < report->capacity)
                return 0;
        grown = reallocarray(report->problem, capacity, sizeof *grown);
        if (!grown)
                return -ENOMEM;
        report->problem = grown;
        report->capacity = capacity;
        return 0;
}

static void add_problem(void *userdata, const char *table, const char *key, LoadFix fix, const char *text) {
        CheckReport *report = userdata;
        CheckProblem p = { .table = table, .key = strdup(key), .text = strdup(text), .fix = fix };

        if (!p.key || !p.text || report_grow(report) < 0) {
                free(p.key);
                free(p.text);
                report->is_incomplete = true;
                return;
        }
        report->problem[report->n++] = p;
}

static void add_structure(void *userdata, const char *text) {
        add_problem(userdata, "structure", "", _FIX_MAX, text);
}

static int check_rules(Database *image, CheckReport *report, Failure *f) {
        for (size_t i = 0; i < ELEMENTSOF(rules); i++) {
                sqlite3_stmt *stmt = NULL;
                int rc = sqlite3_prepare_v2(image->db, rules[i].query, -1, &stmt, NULL);

                while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
                        const char *key = (const char *) sqlite3_column_text(stmt, 0);

                        add_problem(report, rules[i].table, key ?: "", rules[i].fix, rules[i].text);
                        rc = SQLITE_OK;
                }
                (void) sqlite3_finalize(stmt);
                if (rc != SQLITE_DONE)
                        return database_failure(image->db, rc, f, "Cannot check the database");
        }

        return 0;
}

static int check_records(Database *image, CheckReport *report, Failure *f) {
        const LoadCheck check = { .problem = add_problem, .userdata = report };
        Inventory inventory;
        int r;

        inventory_init(&inventory, SIZE_MAX);
        inventory_configure(&inventory, 0, NULL, 0);
        r = load_check(&inventory, image, &check, f);
        inventory_done(&inventory);
        return r < 0 ? r : check_rules(image, report, f);
}

int check_image(Database *image, CheckReport *ret, Failure *f) {
        CheckReport report = {};
        int r;

        r = image_check(image, add_structure, &report, f);
        /* What is in a damaged file is for whoever repairs it to say. */
        if (r == 0)
                r = check_records(image, &report, f);
        if (r >= 0 && report.is_incomplete)
                r = failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for all that is wrong");
        if (r < 0) {
                check_report_done(&report);
                return r;
        }

        *ret = report;
        return 0;
}

int check_raise_revision(Database *image, uint64_t revision, Failure *f) {
        int rc = sqlite3_exec(image->db, "INSERT OR IGNORE INTO meta (key, value) VALUES ('revision', '0')", NULL,
                              NULL, NULL);

        if (rc != SQLITE_OK)
                return database_failure(image->db, rc, f, "Cannot write the revision");
        return database_set_revision(image, revision, f);
}

/* Of the devices and of the database; 0 where there is none. */
static uint64_t highest_revision(Database *image) {
        static const char query[] =
                "SELECT max(coalesce((SELECT max(revision) FROM device), 0), "
                "coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'), 0))";
        sqlite3_stmt *stmt = NULL;
        sqlite3_int64 found = 0;

        if (sqlite3_prepare_v2(image->db, query, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
                found = sqlite3_column_int64(stmt, 0);
        (void) sqlite3_finalize(stmt);
        /* Numbers in JSON are exact up to here. */
        return found > 0 && found < INT64_C(1) << 52 ? (uint64_t) found : 0;
}

uint64_t check_next_revision(Database *image, Database *other) {
        uint64_t highest = highest_revision(image),
                 second = other ? highest_revision(other)
                                : clock_realtime_usec() / USEC_PER_SEC << REVISIONS_PER_SEC_SHIFT;

        return (highest > second ? highest : second) + REVISION_STEP;
}

static int apply(Database *image, const CheckProblem *p, bool is_second, Failure *f) {
        const char *sql = fixes[p->fix].sql;
        sqlite3_stmt *stmt = NULL;
        char uid[UID_TEXT_MAX];
        int rc;

        if (!sql)
                return check_raise_revision(image, check_next_revision(image, NULL), f);
        /* Not even the handle is one. */
        if (p->fix == FIX_RESET_MGMTDEV && is_second)
                sql = "DELETE FROM mgmtdev WHERE handle = ?1";
        uid_generate(clock_realtime_usec(), uid);
        rc = sqlite3_prepare_v2(image->db, sql, -1, &stmt, NULL);
        if (rc == SQLITE_OK) {
                (void) sqlite3_bind_text(stmt, 1, p->key, -1, SQLITE_STATIC);
                (void) sqlite3_bind_text(stmt, 2, uid, -1, SQLITE_STATIC);
                rc = sqlite3_step(stmt);
        }
        (void) sqlite3_finalize(stmt);
        return rc == SQLITE_DONE ? 0 : database_failure(image->db, rc, f, "Cannot repair %s %s", p->table, p->key);
}

static int apply_all(Database *image, const CheckReport *found, bool is_second, unsigned *n_lost, Failure *f) {
        Database salvaged = {};
        int r = 0;

        if (found->n > 0 && found->problem[0].fix == _FIX_MAX) {
                r = image_salvage(image, &salvaged, n_lost, f);
                if (r < 0) {
                        database_done(&salvaged);
                        return r;
                }
                database_done(image);
                *image = salvaged;
                return 0;
        }
        for (size_t i = 0; i < found->n && r == 0; i++)
                r = apply(image, &found->problem[i], is_second, f);
        return r;
}

static int append(CheckReport *to, const CheckReport *from) {
        for (size_t i = 0; i < from->n; i++)
                add_problem(to, from->problem[i].table, from->problem[i].key, from->problem[i].fix,
                            from->problem[i].text);
        return to->is_incomplete ? -ENOMEM : 0;
}

int check_repair(Database *image, CheckReport *ret, unsigned *ret_n_lost, Failure *f) {
        CheckReport all = {};
        unsigned n_lost = 0;
        int r = 0;

        for (unsigned pass = 0; r == 0 && pass < PASSES_MAX; pass++) {
                _cleanup_(check_report_done) CheckReport found = {};

                r = check_image(image, &found, f);
                if (r < 0 || found.n == 0)
                        break;
                if (append(&all, &found) < 0)
                        r = failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Out of memory");
                else
                        r = apply_all(image, &found, pass > 1, &n_lost, f);
                if (r == 0 && pass == PASSES_MAX - 1)
                        r = failure_set(f, ERROR_STORE_FAILED, EUCLEAN,
                                        "What is wrong with the database does not get less by repairing it");
        }
        if (r < 0) {
                check_report_done(&all);
                return r;
        }

        *ret = all;
        *ret_n_lost = n_lost;
        return 0;
}

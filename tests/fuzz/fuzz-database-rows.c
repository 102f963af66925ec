/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the database can have in its rows: any text in any column. The daemon starts from it, or says that it is
 * damaged; whatever it starts from can be shown and recorded. */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "fuzz.h"
#include "inventory/device-json.h"
#include "inventory/mgmtdev-json.h"
#include "lifecycle/context.h"
#include "lifecycle/load.h"
#include "util/clock.h"
#include "util/log.h"

#define ROWS_MAX 8

static sd_event *event;
static Store *store;
static sqlite3 *db;

static void leave(void) {
        store = store_close(store);
        (void) sqlite3_close(db);
        event = sd_event_unref(event);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        Failure f;

        log_open(LOG_EMERG);
        fuzz_expect(sd_event_new(&event) >= 0 && store_open(event, fuzz_directory(), &store, &f) == 0);
        fuzz_expect(sqlite3_open(fuzz_path("inventory.db"), &db) == SQLITE_OK);
        fuzz_expect(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) == SQLITE_OK);
        (void) atexit(leave);
        return 0;
}

static const char *const statements[] = {
        "INSERT OR REPLACE INTO device (revision, created_revision, created_usec, generation, vqs, name, uid, "
        "state,"
        " mgmtdev, spec, reason_code, reason, asid_space, asids, msis, holder)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        "INSERT OR REPLACE INTO mgmtdev (handle, cordoned, labels, overrides) VALUES (?,?,?,?)",
        "INSERT INTO quarantine (released_usec, mgmtdev, asid_space, asids, msis) VALUES (?,?,?,?,?)",
};

/* How many of the columns are numbers; they come first. */
static const int n_numbers[] = { 5, 0, 1 };

static void insert(FuzzInput *in) {
        unsigned kind = fuzz_take_byte(in) % ELEMENTSOF(statements);
        sqlite3_stmt *stmt = NULL;

        fuzz_expect(sqlite3_prepare_v2(db, statements[kind], -1, &stmt, NULL) == SQLITE_OK);
        for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
                _cleanup_free_ char *text = fuzz_take_text(in);

                if (i <= n_numbers[kind])
                        fuzz_expect(sqlite3_bind_int64(stmt, i, strtoll(text, NULL, 10)) == SQLITE_OK);
                else
                        fuzz_expect(sqlite3_bind_text(stmt, i, text, -1, SQLITE_TRANSIENT) == SQLITE_OK);
        }
        fuzz_expect(sqlite3_step(stmt) == SQLITE_DONE);
        sqlite3_finalize(stmt);
}

static void check_inventory(Inventory *inventory) {
        StoreRelease release = { .now_usec = 1, .quarantine_usec = 1 };

        for (Device *d = inventory_next_device(inventory, ""); d; d = inventory_next_device(inventory, d->name)) {
                _cleanup_json_ json_t *json = device_encode(d);

                fuzz_expect(json);
                fuzz_expect(store_put_noted(store, d, &release, NULL, NULL, NULL) == 0);
        }
        for (Mgmtdev *m = inventory_first_mgmtdev(inventory); m; m = inventory_next_mgmtdev(m)) {
                _cleanup_json_ json_t *json = mgmtdev_encode(m, clock_monotonic_usec());

                fuzz_expect(json);
        }
        fuzz_expect(store_drain(store, 60 * USEC_PER_SEC));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        Inventory inventory;
        Lifecycle l = { .event = event, .inventory = &inventory, .store = store };
        Failure f = FAILURE_INIT;

        fuzz_expect(sqlite3_exec(db, "BEGIN; DELETE FROM device; DELETE FROM mgmtdev; DELETE FROM quarantine", NULL,
                                 NULL, NULL) == SQLITE_OK);
        for (unsigned i = 0; i < ROWS_MAX && in.size > 0; i++)
                insert(&in);
        fuzz_expect(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);

        inventory_init(&inventory, 100);
        inventory_configure(&inventory, 60 * USEC_PER_SEC, NULL, 0);
        if (load_inventory(&l, &f) == 0)
                check_inventory(&inventory);
        inventory_done(&inventory);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The database's file, damaged anywhere and cut anywhere: it is opened and read, or said to be damaged. The input
 * says what is changed in a good file. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "store/database.h"
#include "util/log.h"

static char *good;
static size_t good_size;

static void put_rows(Database *db) {
        StoreRecord record = {
                .uid = "01890a5d-ac96-774b-bcce-b302099a8057",
                .revision = 7,
                .created_revision = 5,
                .generation = 1,
                .state = DEVICE_READY,
                .mgmtdev = "sim0",
                .spec = { "{\"class\":\"net\"}", "vm", "02:00:00:00:00:2a", "{\"k\":\"v\"}" },
                .reason_code = "",
                .reason = "",
                .asid_space = "device-mmu/sim0",
                .asids = "1",
                .n_vqs = 3,
                .msis = "1-4",
                .holder = "",
        };
        StoreMgmtdev mgmtdev = { "sim0", "yes", "{\"a\":\"b\"}", "{\"msis\":{\"total\":64}}" };
        StoreQuarantine quarantine = { "sim0", "device-mmu/sim0", "9", "9-12", 1 };
        Failure f;

        fuzz_expect(database_run(db, STATEMENT_BEGIN, &f) == 0);
        for (unsigned i = 0; i < 20; i++) {
                char name[8];

                (void) snprintf(name, sizeof name, "d%u", i);
                record.name = name;
                fuzz_expect(database_put_device(db, &record, &f) == 0);
        }
        fuzz_expect(database_put_mgmtdev(db, &mgmtdev, &f) == 0 &&
                    database_add_quarantine(db, &quarantine, 0, &f) == 0 &&
                    database_run(db, STATEMENT_COMMIT, &f) == 0);
}

static void make_good(void) {
        Database db = {};
        Failure f;
        FILE *file;

        fuzz_expect(database_open(&db, fuzz_path("good.db"), &f) == 0);
        put_rows(&db);
        fuzz_expect(sqlite3_exec(db.db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL) == SQLITE_OK);
        database_done(&db);

        file = fopen(fuzz_path("good.db"), "re");
        good = malloc(1 << 20);
        fuzz_expect(file && good);
        good_size = fread(good, 1, 1 << 20, file);
        fuzz_expect(good_size > 4096 && fclose(file) == 0);
}

static void leave(void) {
        free(good);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        log_open(LOG_EMERG);
        make_good();
        (void) atexit(leave);
        return 0;
}

static int take_device(void *userdata, const StoreRecord *r) {
        fuzz_expect(r->name && r->uid && r->spec.common && r->spec.owner && r->spec.mac && r->spec.labels &&
                    r->mgmtdev && r->asids && r->msis && r->holder && r->state <= _DEVICE_STATE_MAX);
        return 0;
}

static int take_mgmtdev(void *userdata, const StoreMgmtdev *m) {
        fuzz_expect(m->handle && m->cordoned && m->labels && m->overrides);
        return 0;
}

static int take_quarantine(void *userdata, const StoreQuarantine *q) {
        fuzz_expect(q->mgmtdev && q->asid_space && q->asids && q->msis);
        return 0;
}

/* A length, then places and what is put there. */
static void write_file(FuzzInput *in, const char *path) {
        _cleanup_free_ char *bytes = malloc(good_size);
        size_t size = fuzz_take_u16(in);

        fuzz_expect(bytes);
        memcpy(bytes, good, good_size);
        while (in->size > 0) {
                size_t at = fuzz_take_u16(in) % good_size;

                for (unsigned n = fuzz_take_byte(in) % 16; n > 0 && at < good_size; n--)
                        bytes[at++] = (char) fuzz_take_byte(in);
        }
        fuzz_write_file(path, bytes, size > 0 && size < good_size ? size : good_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *path = fuzz_path("inventory.db");
        FuzzInput in = { data, size };
        Failure f = FAILURE_INIT;
        Database db = {};
        char text[64];

        (void) unlink(fuzz_path("inventory.db-wal"));
        (void) unlink(fuzz_path("inventory.db-shm"));
        write_file(&in, path);
        if (database_open(&db, path, &f) == 0) {
                (void) database_list_devices(&db, take_device, NULL, &f);
                (void) database_list_mgmtdevs(&db, take_mgmtdev, NULL, &f);
                (void) database_list_quarantine(&db, take_quarantine, NULL, &f);
                (void) database_get_meta(&db, "boot_id", text, sizeof text, &f);
        } else
                fuzz_expect(f.code != ERROR_NONE && f.detail[0]);
        database_done(&db);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-rig.h"

#include <stdio.h>
#include <string.h>

#include "inventory/mgmtdev.h"
#include "unit.h"

StoreRig disk;

int disk_try_open(Failure *f) {
        int r;

        *f = FAILURE_INIT;
        ck_assert_int_eq(sd_event_new(&disk.event), 0);
        r = store_open(disk.event, unit_directory(), &disk.store, f);
        if (r < 0)
                disk.event = sd_event_unref(disk.event);
        return r;
}

void disk_open(void) {
        Failure f;

        ck_assert_msg(disk_try_open(&f) == 0, "%s", f.detail);
}

void disk_drain(void) {
        ck_assert(store_drain(disk.store, DRAIN_USEC));
}

void disk_close(void) {
        disk_drain();
        disk.store = store_close(disk.store);
        disk.event = sd_event_unref(disk.event);
}

void disk_on_done(void *userdata, const Failure *failure) {
        Done *done = userdata;

        done->n++;
        done->failed = failure;
        if (failure)
                done->failure = *failure;
}

const Device *disk_put_device(const char *name, uint64_t revision, DeviceState state) {
        static Mgmtdev mgmtdev = { .info.handle = "bus/m" };
        static char kept[DEVICE_NAME_MAX];
        static Device device;

        (void) snprintf(kept, sizeof kept, "%s", name);
        device = (Device){
                .name = kept, .mgmtdev = &mgmtdev, .state = state, .revision = revision, .generation = 1
        };
        strcpy(device.uid, "00000000-0000-7000-8000-000000000000");
        device_spec_init(&device.spec);
        device.spec.class = CLASS_NET;
        return &device;
}

const Device *disk_put_holder(const char *name, uint64_t revision, DeviceState state, uint32_t number) {
        static AsidSpace space = { .key = "device-mmu/bus/m" };
        static Device device;

        device = *disk_put_device(name, revision, state);
        device.mgmtdev->space = &space;
        device.resources = (DeviceResources){ .is_held = true,
                                              .n_asids = 1,
                                              .n_vqs = 1,
                                              .n_msis = 2,
                                              .few = { number, 2 * number, 2 * number + 1 } };
        return &device;
}

int disk_put(const char *name, uint64_t revision, DeviceState state, Done *done) {
        return store_put_device(disk.store, disk_put_device(name, revision, state), done ? disk_on_done : NULL,
                                done);
}

static int note_name(void *userdata, const StoreRecord *r) {
        FILE *names = userdata;

        fprintf(names, "%s%s:%s", ftell(names) > 0 ? " " : "", r->name, device_state_name(r->state));
        return 0;
}

const char *disk_names(void) {
        static char names[4096];
        FILE *out = fmemopen(names, sizeof names, "w");
        Failure f = FAILURE_INIT;

        names[0] = '\0';
        ck_assert_ptr_nonnull(out);
        ck_assert_int_eq(store_load(disk.store, &(StoreLoader){ .device = note_name }, out, &f), 0);
        ck_assert_int_eq(fclose(out), 0);
        return names;
}

const char *disk_path(void) {
        return unit_path("inventory.db");
}

sqlite3 *disk_open_beside(const char *sql) {
        sqlite3 *db;

        ck_assert_int_eq(sqlite3_open(disk_path(), &db), SQLITE_OK);
        ck_assert_int_eq(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
        ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
        return db;
}

void disk_execute(const char *sql) {
        ck_assert_int_eq(sqlite3_close(disk_open_beside(sql)), SQLITE_OK);
}

int disk_query(const char *sql) {
        sqlite3 *db = disk_open_beside("");
        sqlite3_stmt *stmt;
        int value;

        ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
        ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
        value = sqlite3_column_int(stmt, 0);
        ck_assert_int_eq(sqlite3_finalize(stmt), SQLITE_OK);
        ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
        return value;
}

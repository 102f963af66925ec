/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "unit.h"
#include "util/clock.h"
#include "util/log.h"

Rig rig;

void rig_set_up(void) {
        /* What is expected to go wrong need not be told. */
        log_open(getenv("UNIT_VERBOSE") ? LOG_DEBUG : LOG_EMERG);
        rig = (Rig){ .backend = fake_backend_new(), .max_devices = 1000, .max_operations = 100 };
}

void rig_tear_down(void) {
        if (rig.lifecycle)
                rig_stop();
        rig.backend->ops->free(rig.backend);
}

static void open_store(void) {
        Failure f = FAILURE_INIT;

        ck_assert_int_eq(sd_event_new(&rig.event), 0);
        ck_assert_msg(store_open(rig.event, unit_directory(), &rig.store, &f) == 0, "%s", f.detail);
}

static void close_store(void) {
        ck_assert(store_drain(rig.store, 60 * USEC_PER_SEC));
        rig.store = store_close(rig.store);
        rig.event = sd_event_unref(rig.event);
}

static void on_started(void *userdata, const Outcome *outcome) {
        ck_assert(!rig.started);
        ck_assert_ptr_null(outcome->device);
        rig.started = true;
}

static bool is_started(void *userdata) {
        return rig.started;
}

void rig_begin_start(void) {
        open_store();
        inventory_init(&rig.inventory, rig.max_devices);
        inventory_configure(&rig.inventory, rig.quarantine_usec, NULL, 0);
        rig.started = false;
        ck_assert_int_eq(lifecycle_new(rig.event, &rig.inventory, rig.store, rig.backend, rig.max_operations,
                                       &rig.lifecycle),
                         0);
        lifecycle_set_boot_patience(rig.lifecycle, rig.boot_patience_usec);
        ck_assert_int_eq(lifecycle_start(rig.lifecycle, on_started, NULL), 0);
}

void rig_start(void) {
        rig_begin_start();
        unit_run_until(rig.event, is_started, NULL);
}

void rig_stop(void) {
        ck_assert(lifecycle_stop(rig.lifecycle, 60 * USEC_PER_SEC));
        rig.lifecycle = lifecycle_free(rig.lifecycle);
        close_store();
        inventory_done(&rig.inventory);
}

void rig_on_answer(void *userdata, const Outcome *outcome) {
        Answer *a = userdata;

        a->n++;
        a->failure = outcome->failure;
        a->created = outcome->created;
        if (outcome->faults) {
                a->n_faults = outcome->faults->n;
                a->fault = outcome->faults->fault[0];
        }
        if (outcome->device) {
                a->has_device = true;
                strcpy(a->name, outcome->device->name);
                strcpy(a->uid, outcome->device->uid);
                strcpy(a->mgmtdev, outcome->device->mgmtdev->info.handle);
                a->state = outcome->device->state;
                a->revision = outcome->device->revision;
                a->generation = outcome->device->generation;
        }
        a->n_stats = outcome->n_stats;
        for (size_t i = 0; i < outcome->n_stats && i < ELEMENTSOF(a->stats); i++)
                a->stats[i] = outcome->stats[i];
}

static bool is_answered(void *userdata) {
        const Answer *a = userdata;

        return a->n > 0;
}

void rig_wait(Answer *answer) {
        unit_run_until(rig.event, is_answered, answer);
}

static bool is_held(void *userdata) {
        return fake_is_held(rig.backend, *(FakeCall *) userdata);
}

void rig_wait_held(FakeCall call) {
        unit_run_until(rig.event, is_held, &call);
}

static bool is_idle(void *userdata) {
        return lifecycle_n_operations(rig.lifecycle) == 0;
}

void rig_wait_idle(void) {
        unit_run_until(rig.event, is_idle, NULL);
}

DeviceSpec rig_spec(const char *json) {
        _cleanup_json_ json_t *object = json_loads(json, 0, NULL);
        JsonFaults faults = {};
        DeviceSpec spec;
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        ck_assert_msg(device_spec_decode(&d, object, &spec) == 0, "%s: %s", json, faults.fault[0].detail);
        return spec;
}

void rig_begin_create(const char *name, const char *spec, Answer *answer) {
        DeviceSpec decoded = rig_spec(spec);

        *answer = (Answer){};
        lifecycle_create_device(rig.lifecycle, name, &decoded, NULL, rig_on_answer, answer);
}

void rig_begin_delete(const char *name, Answer *answer) {
        *answer = (Answer){};
        lifecycle_delete_device(rig.lifecycle, name, NULL, rig_on_answer, answer);
}

Answer rig_create(const char *name, const char *spec) {
        Answer answer;

        rig_begin_create(name, spec, &answer);
        rig_wait(&answer);
        return answer;
}

Answer rig_delete(const char *name) {
        Answer answer;

        rig_begin_delete(name, &answer);
        rig_wait(&answer);
        return answer;
}

Answer rig_create_good(const char *name, const char *spec) {
        Answer answer = rig_create(name, spec);

        rig_assert_code(answer, ERROR_NONE);
        ck_assert(answer.created);
        return answer;
}

void rig_pass_time(void) {
        rig.lifecycle->scanner.ask_usec = 0;
}

void rig_look(void) {
        Answer answer;

        rig_pass_time();
        answer = rig_create("look", "{\"class\":\"net\",\"mgmtdev\":\"not/there\"}");
        rig_assert_code(answer, ERROR_UNSATISFIABLE);
        rig_wait_idle();
}

Device *rig_device(const char *name) {
        Device *device = inventory_find_device(&rig.inventory, name);

        ck_assert_msg(device, "there is no device '%s'", name);
        return device;
}

void rig_record(const char *name, const char *mgmtdev, const char *spec, DeviceState state, const Failure *reason) {
        _cleanup_(device_freep) Device *device = NULL;
        DeviceSpec decoded = rig_spec(spec);
        Mgmtdev m = {};

        open_store();
        ck_assert_int_eq(device_new(name, &decoded, 1000, &device), 0);
        (void) snprintf(m.info.handle, sizeof m.info.handle, "%s", mgmtdev);
        device->mgmtdev = &m;
        device->state = state;
        device->revision = device->created_revision = store_revision(rig.store) + 1;
        device_set_reason(device, reason);
        ck_assert_int_eq(store_put_device(rig.store, device, NULL, NULL), 0);
        close_store();
}

void rig_record_boot(const char *boot_id) {
        open_store();
        ck_assert_int_eq(store_put_boot_id(rig.store, boot_id, NULL, NULL), 0);
        close_store();
}

static struct {
        const char *name;
        char state[16];
} recorded;

static int note_state(void *userdata, const StoreRecord *r) {
        if (strcmp(r->name, recorded.name) == 0)
                strcpy(recorded.state, device_state_name(r->state));
        return 0;
}

const char *rig_recorded(const char *name) {
        Failure f = FAILURE_INIT;

        recorded.name = name;
        recorded.state[0] = '\0';
        open_store();
        ck_assert_int_eq(store_load(rig.store, &(StoreLoader){ .device = note_state }, NULL, &f), 0);
        close_store();
        return recorded.state;
}

size_t rig_count_free(void) {
        const Pool *pool = pool_find(&rig.inventory, "p");

        return pool ? pool_count(&rig.inventory, pool) : 0;
}

void rig_make_pool(uint32_t low, uint32_t high, PoolReturn on_return) {
        PoolSpec spec = { .device = rig_spec(RIG_NET), .low = low, .high = high, .on_return = on_return };
        Answer a = {};

        lifecycle_set_pool(rig.lifecycle, "p", &spec, rig_on_answer, &a);
        rig_wait(&a);
        rig_assert_code(a, ERROR_NONE);
        rig_wait_idle();
        ck_assert_uint_eq(rig_count_free(), high);
}

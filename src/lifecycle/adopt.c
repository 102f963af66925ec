/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/adopt.h"

#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/class.h"
#include "inventory/drift.h"
#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/log.h"

/* What can be put right without touching the device. */
#define ACCESS_FIELDS (1u << DRIFT_UID | 1u << DRIFT_GID | 1u << DRIFT_ACCESS_MODE)

/* Before there is a device that an operation could be on. */
typedef struct Adoption {
        Job job;
        Verb *verb;
        char mgmtdev[HANDLE_MAX]; /* that it was seen on */
        DeviceStatus status;
        DeviceResources resources;
        bool has_resources;
        Failure failure;
} Adoption;

/* On the worker's thread. */
static void adopt_job(Job *job, Backend *b) {
        Adoption *a = CONTAINER_OF(job, Adoption, job);
        Failure f;

        if (b->ops->observe(b, a->verb->name, a->mgmtdev, &a->status, &a->failure) >= 0 && b->ops->get_resources)
                a->has_resources = b->ops->get_resources(b, a->verb->name, &a->resources, &f) >= 0;
}

/* As it is; what it would have by default is left out where that can be known. */
static json_t *observed_spec(const DeviceStatus *s, const Mgmtdev *m) {
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = s->class;
        if (s->driver == BUS_DRIVER_VIRTIO_VDPA)
                spec.driver = s->driver;
        spec.net = s->net;
        if (s->has_access)
                spec.endpoint = s->access;
        spec.has_features = s->has_features && s->class <= CLASS_MAX && m->info.features[s->class] != s->features &&
                            m->info.knows_accepts && m->info.accepts >> ATTRIBUTE_FEATURES & 1;
        spec.features = spec.has_features ? s->features : 0;
        return device_spec_encode(&spec);
}

/* Returns 0, -EINVAL with faults, or -ENOMEM. */
static int make_spec(const Adoption *a, const Mgmtdev *m, JsonFaults *faults, DeviceSpec *ret) {
        _cleanup_json_ json_t *spec = observed_spec(&a->status, m);
        JsonDecoder d, in_spec;

        if (!spec || json_object_update_recursive(spec, a->verb->adopt_spec) < 0)
                return -ENOMEM;
        json_decoder_init(&d, faults);
        json_decoder_enter(&in_spec, &d, "spec");
        return device_spec_decode(&in_spec, spec, ret);
}

static void answer_faults(Verb *verb, const JsonFaults *faults) {
        Outcome outcome = { .faults = faults };

        (void) failure_set_faults(&outcome.failure, faults);
        verb_answer(verb, &outcome);
}

static void answer_mismatch(Verb *verb, const DeviceSpec *spec, const DeviceStatus *status, uint32_t fields) {
        _cleanup_json_ json_t *observed = drift_observed_encode(spec, status, fields);
        _cleanup_free_ char *text = observed ? json_dumps(observed, JSON_COMPACT) : NULL;

        verb_fail(verb, ERROR_MISMATCH, EINVAL, "Device '%s' is not as the request says, but %s; nothing was done",
                  verb->name, text ? text : "otherwise");
}

/* What a device of another class can have is another question, which need not be asked any more. */
static bool is_of_other_class(const Adoption *a) {
        const char *text = json_string_value(json_object_get(a->verb->adopt_spec, "class"));
        unsigned class;

        return text && class_parse(text, &class) == 0 && class != a->status.class;
}

static void answer_other_class(Verb *verb, const DeviceStatus *status) {
        char class[16];

        verb_fail(verb, ERROR_MISMATCH, EINVAL,
                  "Device '%s' is not as the request says, but of class %s; nothing was done", verb->name,
                  class_format(status->class, class));
}

static void on_published(Operation *op) {
        if (op->task.failure.code != ERROR_NONE)
                log_device(LOG_WARNING, op->task.failure.error, op->device->name, "adopted, but: %s",
                           op->task.failure.detail);
        if (op->task.has_status)
                inventory_set_status(op->lifecycle->inventory, op->device, &op->task.status);
        operation_end(op, &(Outcome){ .device = op->device, .created = true });
}

static void on_recorded(Operation *op, const Failure *failure) {
        if (failure) {
                operation_end_and_remove(op, &(Outcome){ .failure = *failure });
                return;
        }

        log_device(LOG_NOTICE, 0, op->device->name, "adopted on %s", op->device->mgmtdev->info.handle);
        watch_hint(op->lifecycle, NULL);
        if (drift_compare(&op->device->spec, &op->device->status) & ACCESS_FIELDS)
                operation_run(op, machine_publish, on_published);
        else
                operation_end(op, &(Outcome){ .device = op->device, .created = true });
}

static int acquire(Adoption *a, Device *device, Failure *f) {
        Needs needs = mgmtdev_needs(device->mgmtdev, &device->spec);

        if (a->has_resources) {
                mgmtdev_let_foreign_go(device->mgmtdev, &a->resources);
                if (device_acquire_again(device, &a->resources) < 0)
                        return failure_set(f, ERROR_ALREADY_EXISTS, EEXIST,
                                           "What '%s' holds is held by another device, too; nothing was done",
                                           device->name);
                return 0;
        }
        return device_acquire(device, &needs, clock_monotonic_usec(), f);
}

/* The device is ours when its record is durable. */
static void begin(Adoption *a, Mgmtdev *m, DeviceSpec *spec) {
        Lifecycle *l = a->verb->lifecycle;
        ForeignDevice *foreign = foreign_device_find(l->inventory, a->verb->name);
        Failure f = FAILURE_INIT;
        Device *device;
        Operation *op;
        int r;

        if (device_new(a->verb->name, spec, clock_realtime_usec(), &device) < 0) {
                verb_fail(a->verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        if (inventory_add_device(l->inventory, device, m) < 0) {
                device_free(device);
                verb_fail(a->verb, ERROR_LIMIT_REACHED, ENOSPC,
                          "There are %zu devices, which is the configured limit", l->inventory->n_devices);
                return;
        }
        r = acquire(a, device, &f);
        if (r >= 0) {
                r = operation_begin(l, device, a->verb, &op);
                if (r < 0)
                        (void) failure_set(&f, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        }
        if (r < 0) {
                inventory_remove_device(l->inventory, device);
                verb_answer(a->verb, &(Outcome){ .failure = f });
                return;
        }

        if (foreign)
                foreign_device_forget(l->inventory, foreign);
        inventory_set_status(l->inventory, device, &a->status);
        inventory_set_state(l->inventory, device, DEVICE_READY, NULL);
        record_operation(op, on_recorded);
}

/* Others may have come first while it was looked at. */
static void adopt(Adoption *a) {
        Lifecycle *l = a->verb->lifecycle;
        _cleanup_(device_spec_done) DeviceSpec spec;
        Mgmtdev *m = inventory_find_mgmtdev(l->inventory, a->mgmtdev);
        JsonFaults faults = {};
        uint32_t fields;
        int r;

        device_spec_init(&spec);
        if (a->failure.code != ERROR_NONE || inventory_find_device(l->inventory, a->verb->name) || !m) {
                adopt_run(a->verb);
                return;
        }
        if (is_of_other_class(a)) {
                answer_other_class(a->verb, &a->status);
                return;
        }
        r = make_spec(a, m, &faults, &spec);
        fields = r < 0 ? 0 : drift_compare(&spec, &a->status) & ~ACCESS_FIELDS;
        if (r == -EINVAL)
                answer_faults(a->verb, &faults);
        else if (r < 0)
                verb_fail(a->verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        else if (fields || (spec.mgmtdev && strcmp(spec.mgmtdev, a->mgmtdev) != 0))
                answer_mismatch(a->verb, &spec, &a->status, fields);
        else
                begin(a, m, &spec);
}

static void on_observed(Work *work) {
        Adoption *a = CONTAINER_OF(work, Adoption, job.work);
        Lifecycle *l = a->verb->lifecycle;

        a->verb->has_looked = true;
        if (a->failure.code != ERROR_NONE)
                verb_answer(a->verb, &(Outcome){ .failure = a->failure });
        else if (l->stopping)
                verb_fail(a->verb, ERROR_SHUTTING_DOWN, ESHUTDOWN, "The daemon is stopping; nothing was done");
        else
                adopt(a);
        device_resources_done(&a->resources);
        free(a);
        l->n_operations--;
}

void adopt_run(Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        Device *device = inventory_find_device(l->inventory, verb->name);
        Adoption *a;

        if (device && device->operation) {
                operation_wait(device->operation, verb);
                return;
        }
        if (device) {
                verb_fail(verb, ERROR_ALREADY_EXISTS, EEXIST, "Device '%s' (uid %s, %s) is ours", device->name,
                          device->uid, device_state_name(device->state));
                return;
        }
        if (verb->has_looked) {
                verb_fail(verb, ERROR_MGMTDEV_NOT_FOUND, ENODEV,
                          "The management device of '%s' is not known; nothing was done", verb->name);
                return;
        }
        if (!verb_may_operate(verb))
                return;

        a = calloc(1, sizeof *a);
        if (!a) {
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }
        a->verb = verb;
        a->job.run = adopt_job;
        a->job.work.done = on_observed;
        l->n_operations++;
        job_submit(l->worker, &a->job);
}

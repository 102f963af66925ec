/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/look.h"

#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "lifecycle/context.h"
#include "lifecycle/job.h"
#include "lifecycle/record.h"
#include "lifecycle/repair.h"
#include "util/clock.h"
#include "util/log.h"

typedef struct LookItem {
        char name[DEVICE_NAME_MAX];
        bool is_ours;
        uint64_t revision; /* of one of ours, when it was begun */
        int result;
        char mgmtdev[HANDLE_MAX]; /* that it was seen on */
        DeviceStatus status;
} LookItem;

typedef struct Look {
        Job job;
        Lifecycle *lifecycle; /* weak */
        look_done_t done;
        uint64_t duration_usec;
        size_t n;
        LookItem items[LOOK_MAX];
} Look;

/* On the worker's thread. */
static void look_job(Job *job, Backend *b) {
        Look *look = CONTAINER_OF(job, Look, job);
        uint64_t begin = clock_monotonic_usec();

        for (size_t i = 0; i < look->n; i++) {
                LookItem *item = &look->items[i];
                Failure f;

                item->result = b->ops->observe(b, item->name, item->mgmtdev, &item->status, &f);
        }
        look->duration_usec = clock_monotonic_usec() - begin;
}

/* What it holds is known when everything is listed again. */
static void note(Lifecycle *l, const LookItem *item) {
        ForeignDevice *f;

        if (foreign_device_note(l->inventory, item->name, item->mgmtdev, item->status.class, &f) != 0)
                watch_hint(l, NULL);
}

static void apply_foreign(Lifecycle *l, const LookItem *item) {
        ForeignDevice *f = foreign_device_find(l->inventory, item->name);

        if (item->result >= 0)
                note(l, item);
        else if (item->result == -ENODEV && f) {
                foreign_device_forget(l->inventory, f);
                watch_hint(l, NULL);
        }
}

static bool mac_equal(const NetSpec *a, const NetSpec *b) {
        return a->has_mac == b->has_mac && (!a->has_mac || memcmp(a->mac, b->mac, sizeof a->mac) == 0);
}

static bool access_equal(const DeviceStatus *a, const DeviceStatus *b) {
        return a->has_access == b->has_access &&
               (!a->has_access || (a->access.uid == b->access.uid && a->access.gid == b->access.gid &&
                                   a->access.mode == b->access.mode));
}

static bool status_equal(const DeviceStatus *a, const DeviceStatus *b) {
        return a->class == b->class && a->vendor_id == b->vendor_id && a->max_vqs == b->max_vqs &&
               a->vq_size == b->vq_size && a->n_vq_groups == b->n_vq_groups &&
               a->n_address_spaces == b->n_address_spaces && a->driver == b->driver &&
               strcmp(a->endpoint, b->endpoint) == 0 && a->has_features == b->has_features &&
               a->features == b->features && mac_equal(&a->net, &b->net) && a->net.mtu == b->net.mtu &&
               a->net.max_vqp == b->net.max_vqp && access_equal(a, b);
}

static void set_displaced(Lifecycle *l, Device *device) {
        const char *driver = bus_driver_name(device->status.driver);
        Failure f;

        (void) failure_set(
                &f, ERROR_NOT_READY, ENODEV,
                driver ? "Someone else has bound it to %s" : "Someone else has unbound it from its driver", driver);
        log_device(LOG_WARNING, 0, device->name, "lost: %s", f.detail);
        device->is_displaced = true;
        inventory_set_state(l->inventory, device, DEVICE_LOST, &f);
        (void) record_device(l, device, NULL);
}

static void set_ready(Lifecycle *l, Device *device) {
        log_device(LOG_NOTICE, 0, device->name, "there again");
        device->is_displaced = false;
        inventory_set_state(l->inventory, device, DEVICE_READY, NULL);
        (void) record_device(l, device, NULL);
}

void look_apply_status(Lifecycle *l, Device *device, const DeviceStatus *status) {
        bool has_changed = !status_equal(&device->status, status);
        bool is_usable = status->endpoint[0] && status->driver == device->spec.driver;

        inventory_set_status(l->inventory, device, status);
        if (!is_usable && device->state == DEVICE_READY)
                set_displaced(l, device);
        else if (is_usable && device->state == DEVICE_LOST)
                set_ready(l, device);
        else if (has_changed) {
                inventory_touch_device(l->inventory, device);
                (void) record_device(l, device, NULL);
        }
}

/* What comes of a device that is not there, or is another one now, takes a closer look. */
static void apply_ours(Lifecycle *l, Device *device, LookItem *item) {
        bool is_there = item->result >= 0 && device_may_be_there(device) &&
                        strcmp(item->mgmtdev, device->mgmtdev->info.handle) == 0;
        ForeignDevice *foreign = foreign_device_find(l->inventory, item->name);

        if (is_there && foreign)
                foreign_device_forget(l->inventory, foreign);
        if (!is_there && (item->result >= 0 || item->result == -ENODEV))
                apply_foreign(l, item);

        if (device->state == DEVICE_FAILED)
                device->is_left_over = is_there;
        if (device->state != DEVICE_READY && device->state != DEVICE_LOST)
                return;
        if (is_there && (device->state == DEVICE_READY || device->is_displaced)) {
                look_apply_status(l, device, &item->status);
                return;
        }

        /* Gone by itself, or with its management device: that is known when all is listed. */
        if (item->result == -ENODEV && device->state == DEVICE_READY) {
                watch_hint(l, NULL);
                return;
        }
        if (is_there || device->state == DEVICE_READY || device->is_displaced) {
                device->is_displaced = false;
                recovery_check(l, device, false);
        }
}

static void apply(Lifecycle *l, LookItem *item) {
        Device *device = inventory_find_device(l->inventory, item->name);

        if (item->result < 0 && item->result != -ENODEV)
                return;
        if (device && (!item->is_ours || device->operation || device->revision != item->revision))
                watch_hint(l, item->name);
        else if (device) {
                apply_ours(l, device, item);
                repair_enforce(l, device);
        } else
                apply_foreign(l, item);
}

static void on_looked(Work *work) {
        Look *look = CONTAINER_OF(work, Look, job.work);
        Lifecycle *l = look->lifecycle;
        look_done_t done = look->done;
        uint64_t duration_usec = look->duration_usec;

        for (size_t i = 0; i < look->n && l->ready; i++)
                apply(l, &look->items[i]);
        free(look);
        done(l, duration_usec);
}

int look_start(Lifecycle *l, char names[][DEVICE_NAME_MAX], size_t n, look_done_t done) {
        Look *look;

        look = calloc(1, sizeof *look);
        if (!look)
                return -ENOMEM;

        look->lifecycle = l;
        look->done = done;
        look->n = n;
        for (size_t i = 0; i < n; i++) {
                const Device *device = inventory_find_device(l->inventory, names[i]);

                strcpy(look->items[i].name, names[i]);
                look->items[i].is_ours = device;
                look->items[i].revision = device ? device->revision : 0;
        }
        look->job.run = look_job;
        look->job.work.done = on_looked;
        job_submit(l->worker, &look->job);
        return 0;
}

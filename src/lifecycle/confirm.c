/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/confirm.h"

#include <errno.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/drift.h"
#include "lifecycle/context.h"
#include "lifecycle/grow.h"
#include "lifecycle/job.h"

/* Devices of one piece of work; and pieces that there may be at a time, so that the worker has one while the next
 * one is put together. */
#define DEVICES_MAX 256u
#define PIECES_MAX  2u

/* So many are worth a look at all that there are. */
#define MANY 64u

typedef struct ConfirmItem {
        char name[DEVICE_NAME_MAX];
        bool is_ours; /* and was looked at */
        char mgmtdev[HANDLE_MAX];
        DeviceStatus status;
} ConfirmItem;

struct Confirm {
        Job job;
        Lifecycle *lifecycle; /* weak */
        size_t n;
        ConfirmItem items[DEVICES_MAX];
};

/* On the worker's thread. What is wrong with a device is found again when it is gone after. */
static void confirm_job(Job *job, Backend *b) {
        Confirm *confirm = CONTAINER_OF(job, Confirm, job);

        if (confirm->n >= MANY && b->ops->observe_all)
                b->ops->observe_all(b);
        for (size_t i = 0; i < confirm->n; i++) {
                ConfirmItem *item = &confirm->items[i];
                Failure f;

                item->is_ours = b->ops->observe(b, item->name, item->mgmtdev, &item->status, &f) >= 0 &&
                                b->ops->is_ours(b, item->name);
        }
}

bool confirm_is_possible(const Lifecycle *l, const Device *device) {
        return device->was_ready && !l->recovery.is_new_boot && device_holds(device) && device->mgmtdev->present;
}

/* Nothing that an operation would do is left to do. */
static bool is_as_recorded(const Device *device, const ConfirmItem *item) {
        const DeviceStatus *status = &item->status;

        return item->is_ours && strcmp(item->mgmtdev, device->mgmtdev->info.handle) == 0 && status->endpoint[0] &&
               !status->is_unsettled && drift_compare(&device->spec, status) == 0 &&
               !grow_is_needed(device, status);
}

void confirm_device(Lifecycle *l, Device *device, const DeviceStatus *status) {
        inventory_set_status(l->inventory, device, status);
        device->was_ready = false;
        inventory_set_state_as(l->inventory, device, DEVICE_READY, device->revision);
}

/* Returns the device, or NULL if it may be gone now. */
static Device *apply(Lifecycle *l, Device *device, const ConfirmItem *item) {
        if (device->operation || !confirm_is_possible(l, device))
                return device;
        if (is_as_recorded(device, item)) {
                confirm_device(l, device, &item->status);
                return device;
        }

        recovery_check(l, device, false);
        return NULL;
}

static void on_confirmed(Work *work) {
        Confirm *confirm = CONTAINER_OF(work, Confirm, job.work);
        Lifecycle *l = confirm->lifecycle;
        Device *device = NULL;

        for (size_t i = 0; i < confirm->n && !l->stopping; i++) {
                device = inventory_find_device_near(l->inventory, device, confirm->items[i].name);
                if (device)
                        device = apply(l, device, &confirm->items[i]);
        }
        free(confirm);
        l->confirms.n_under_way--;
        recovery_continue(l);
}

int confirm_add(Lifecycle *l, const Device *device) {
        Confirms *confirms = &l->confirms;
        Confirm *confirm = confirms->next;

        if (!confirm) {
                if (confirms->n_under_way >= PIECES_MAX)
                        return -EAGAIN;
                confirm = malloc(sizeof *confirm);
                if (!confirm)
                        return -ENOMEM;
                *confirm = (Confirm){ .job = { .run = confirm_job, .what = "look at devices" } };
                confirm->lifecycle = l;
                confirm->job.work.done = on_confirmed;
                confirms->next = confirm;
        }

        strcpy(confirm->items[confirm->n++].name, device->name);
        if (confirm->n == DEVICES_MAX)
                confirm_run(l);
        return 0;
}

void confirm_run(Lifecycle *l) {
        Confirm *confirm = TAKE_PTR(l->confirms.next);

        if (!confirm)
                return;
        l->confirms.n_under_way++;
        job_submit(l->worker, &confirm->job);
}

void confirm_done(Lifecycle *l) {
        free(TAKE_PTR(l->confirms.next));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/machine.h"

#include <errno.h>
#include <string.h>

void machine_task_done(MachineTask *task) {
        device_spec_done(&task->spec);
        device_resources_done(&task->resources);
        free(task->stats);
}

/* Looks at the device. Returns 0 if it is there and ours, -ENODEV if it is not there, or another negative errno
 * with the task's failure set. */
static int look(MachineTask *t, Backend *b) {
        int r;

        t->has_status = false;
        r = b->ops->observe(b, t->name, &t->status, &t->failure);
        if (r == -ENODEV)
                t->failure = FAILURE_INIT;
        if (r < 0)
                return r;

        if (strcmp(t->status.mgmtdev, t->mgmtdev) != 0)
                return failure_set(&t->failure, ERROR_FOREIGN_DEVICE, EEXIST,
                                   "The host has a device '%s' on %s that is not ours", t->name, t->status.mgmtdev);

        t->has_status = true;
        return 0;
}

static int look_until_ready(MachineTask *t, Backend *b) {
        int r = look(t, b);

        if (r == -ENODEV)
                return failure_set(&t->failure, ERROR_BACKEND_FAILED, ENODEV,
                                   "The device '%s' vanished from the host while it was made ready", t->name);
        if (r < 0)
                return r;
        if (!t->status.endpoint[0])
                return failure_set(&t->failure, ERROR_BACKEND_FAILED, ENODEV,
                                   "The device '%s' has no endpoint on %s", t->name,
                                   bus_driver_name(t->spec.driver));
        return 0;
}

/* A device that is recorded as holding nothing is from before there was anything to hold. */
static int assign(MachineTask *t, Backend *b) {
        return t->resources.ids ? b->ops->assign(b, t->name, &t->resources, &t->failure) : 0;
}

/* From created to ready. */
static int make_ready(MachineTask *t, Backend *b) {
        int r;

        r = assign(t, b);
        if (r < 0)
                return r;
        r = b->ops->bind(b, t->name, t->spec.driver, &t->failure);
        if (r < 0)
                return r;
        r = b->ops->publish(b, t->name, &t->spec.endpoint, &t->failure);
        if (r < 0)
                return r;
        return look_until_ready(t, b);
}

static void undo_create(MachineTask *t, Backend *b) {
        Failure f = FAILURE_INIT;

        if (b->ops->destroy(b, t->name, &f) < 0) {
                t->left_over = true;
                failure_append(&t->failure, "; the device could not be removed again: %s", f.detail);
        } else
                failure_append(&t->failure, "; the device was removed again");
}

void machine_create(MachineTask *t, Backend *b) {
        bool exists = false;

        if (t->may_exist) {
                int r = look(t, b);

                if (r < 0 && r != -ENODEV)
                        return;
                exists = r == 0;
        }

        if (!exists && b->ops->create(b, t->name, t->mgmtdev, &t->spec, &t->failure) < 0) {
                failure_append(&t->failure, "; nothing was made");
                return;
        }
        if (make_ready(t, b) == 0)
                return;
        /* What was there before may have been acknowledged, and be in use. */
        if (exists) {
                t->left_over = true;
                failure_append(&t->failure, "; the device was left as it is");
        } else
                undo_create(t, b);
}

static bool mac_differs(const MachineTask *t) {
        return t->spec.net.has_mac && t->status.net.has_mac &&
               memcmp(t->spec.net.mac, t->status.net.mac, sizeof t->spec.net.mac) != 0;
}

/* The device is there; but someone may have bound it to another driver, or made it again, as they like it. */
static void restore(MachineTask *t, Backend *b) {
        if (!t->status.endpoint[0] || t->status.driver != t->spec.driver)
                (void) make_ready(t, b);
        else if (!t->must_assign || assign(t, b) == 0)
                (void) b->ops->publish(b, t->name, &t->spec.endpoint, &t->failure);
}

void machine_check(MachineTask *t, Backend *b) {
        int r = look(t, b);

        /* A change of the MAC address may have been recorded and not yet made when the daemon died. */
        if (r == 0 && mac_differs(t) && b->ops->set_mac(b, t->name, t->spec.net.mac, &t->failure) == 0)
                r = look(t, b);
        if (r == -ENODEV)
                t->is_gone = true;
        else if (r == 0)
                restore(t, b);
}

void machine_delete(MachineTask *t, Backend *b) {
        int r = look(t, b);

        if (r == -ENODEV || r == -EEXIST) {
                t->failure = FAILURE_INIT;
                t->is_gone = true;
        }
        if (r < 0)
                return;

        if (b->ops->destroy(b, t->name, &t->failure) == 0)
                t->is_gone = true;
        else {
                Failure f = t->failure;

                t->is_gone = look(t, b) == -ENODEV;
                t->failure = f;
        }
}

void machine_set_mac(MachineTask *t, Backend *b) {
        if (b->ops->set_mac(b, t->name, t->spec.net.mac, &t->failure) == 0)
                (void) look_until_ready(t, b);
}

void machine_assign(MachineTask *t, Backend *b) {
        if (assign(t, b) == 0)
                (void) look_until_ready(t, b);
}

void machine_get_stats(MachineTask *t, Backend *b) {
        (void) b->ops->get_stats(b, t->name, &t->stats, &t->n_stats, &t->failure);
}

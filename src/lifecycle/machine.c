/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/machine.h"

#include <errno.h>
#include <string.h>

#include "inventory/drift.h"
#include "util/crash.h"

void machine_task_done(MachineTask *task) {
        device_spec_done(&task->spec);
        device_resources_done(&task->resources);
        free(task->users);
        free(task->stats);
}

/* Looks at the device. Returns 0 if it is there and ours, -ENODEV if it is not there, or another negative errno
 * with the task's failure set. */
static int look(MachineTask *t, Backend *b) {
        int r;

        t->has_status = false;
        r = b->ops->observe(b, t->name, t->seen_on, &t->status, &t->failure);
        if (r == -ENODEV)
                t->failure = FAILURE_INIT;
        if (r < 0)
                return r;

        if (strcmp(t->seen_on, t->mgmtdev) != 0)
                return failure_set(&t->failure, ERROR_FOREIGN_DEVICE, EEXIST,
                                   "The host has a device '%s' on %s that is not ours", t->name, t->seen_on);

        t->has_status = true;
        return 0;
}

/* The same of a device whose record is no proof that it is ours: others may have had the name first. */
static int look_for_ours(MachineTask *t, Backend *b) {
        int r = look(t, b);

        if (r == 0 && t->must_be_ours && !b->ops->is_ours(b, t->name))
                return failure_set(&t->failure, ERROR_FOREIGN_DEVICE, EEXIST,
                                   "The host has a device '%s' on %s that is not ours", t->name, t->mgmtdev);
        return r;
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
        /* Nor does what was recorded fit one that others have made again with other queues: it keeps what it has.
         */
        if (!t->must_assign && t->has_status &&
            ((t->status.max_vqs > 0 && t->status.max_vqs != t->resources.n_vqs) ||
             (t->status.n_vq_groups > 0 && t->status.n_vq_groups != t->resources.n_asids)))
                return 0;
        return t->resources.is_held ? b->ops->assign(b, t->name, &t->resources, &t->failure) : 0;
}

/* From created to ready. */
static int make_ready(MachineTask *t, Backend *b) {
        int r;

        r = assign(t, b);
        if (r < 0)
                return r;
        CRASH_POINT(MACHINE_AFTER_ASSIGN);
        r = b->ops->bind(b, t->name, t->spec.driver, &t->failure);
        if (r < 0)
                return r;
        CRASH_POINT(MACHINE_AFTER_BIND);
        r = b->ops->publish(b, t->name, &t->spec.endpoint, &t->failure);
        if (r < 0)
                return r;
        CRASH_POINT(MACHINE_AFTER_PUBLISH);
        return look_until_ready(t, b);
}

static void undo_create(MachineTask *t, Backend *b) {
        Failure f = FAILURE_INIT;

        CRASH_POINT(MACHINE_BEFORE_UNDO);
        if (b->ops->destroy(b, t->name, NULL, &f) < 0) {
                t->left_over = true;
                failure_append(&t->failure, "; the device could not be removed again: %s", f.detail);
        } else
                failure_append(&t->failure, "; the device was removed again");
        CRASH_POINT(MACHINE_AFTER_UNDO);
}

/* These say that something went wrong on the way, maybe on the way back: with the answer to what was done. */
static bool is_unclear(int error) {
        return error == -EIO || error == -ENOBUFS || error == -ENOMEM || error == -EINTR || error == -ETIMEDOUT;
}

static void undo_failed_create(MachineTask *t, Backend *b, int error) {
        Failure f = t->failure;
        int r = is_unclear(error) ? look(t, b) : -ENODEV;

        t->failure = f;
        if (r == -ENODEV || r == -EEXIST)
                failure_append(&t->failure, "; nothing was made");
        else
                undo_create(t, b);
}

void machine_prepare_create(MachineTask *t, Backend *b) {
        if (b->ops->prepare && !t->may_exist)
                b->ops->prepare(b, t->name, t->mgmtdev, &t->spec);
}

void machine_create(MachineTask *t, Backend *b) {
        bool exists = false;
        int r;

        if (t->may_exist) {
                r = look_for_ours(t, b);
                if (r < 0 && r != -ENODEV)
                        return;
                exists = r == 0;
        }

        CRASH_POINT(MACHINE_BEFORE_CREATE);
        r = exists ? 0 : b->ops->create(b, t->name, t->mgmtdev, &t->spec, &t->failure);
        if (r < 0) {
                undo_failed_create(t, b, r);
                return;
        }
        t->was_made = !exists;
        CRASH_POINT(MACHINE_AFTER_CREATE);
        if (make_ready(t, b) == 0)
                return;
        /* What was there before may have been acknowledged, and be in use. */
        if (exists) {
                t->left_over = true;
                failure_append(&t->failure, "; the device was left as it is");
        } else
                undo_create(t, b);
}

void machine_settle(MachineTask *t, Backend *b) {
        if (look_until_ready(t, b) == 0)
                return;
        if (t->was_made)
                undo_create(t, b);
        else
                t->left_over = true;
}

static int set_mac(MachineTask *t, Backend *b) {
        int r;

        CRASH_POINT(MACHINE_BEFORE_MAC);
        r = b->ops->set_mac(b, t->name, t->spec.net.mac, &t->failure);
        CRASH_POINT(MACHINE_AFTER_MAC);
        return r;
}

static bool mac_differs(const MachineTask *t) {
        return t->spec.net.has_mac && t->status.net.has_mac &&
               memcmp(t->spec.net.mac, t->status.net.mac, sizeof t->spec.net.mac) != 0;
}

/* The device is there; but someone may have bound it to another driver, or made it again, as they like it. */
static void restore(MachineTask *t, Backend *b) {
        bool must_assign = t->must_assign || t->has_come_back;

        if (!t->status.endpoint[0] || t->status.driver != t->spec.driver || t->may_be_half_made)
                (void) make_ready(t, b);
        else if ((!must_assign || assign(t, b) == 0) &&
                 b->ops->publish(b, t->name, &t->spec.endpoint, &t->failure) == 0 && must_assign)
                (void) look_until_ready(t, b); /* it may have got another endpoint with that */
}

void machine_check(MachineTask *t, Backend *b) {
        int r = look(t, b);

        /* A change of the MAC address may have been recorded and not yet made when the daemon died. */
        if (r == 0 && mac_differs(t) && set_mac(t, b) == 0)
                r = look(t, b);
        if (r == -ENODEV)
                t->is_gone = true;
        else if (r == 0)
                restore(t, b);
}

/* They take more room than all else, and few tasks have any. Without memory they are not known. */
static DeviceUsers *users_of(MachineTask *t) {
        if (!t->users)
                t->users = calloc(1, sizeof *t->users);
        return t->users;
}

void machine_delete(MachineTask *t, Backend *b) {
        int r = look_for_ours(t, b);

        if (r == -ENODEV || r == -EEXIST) {
                t->failure = FAILURE_INIT;
                t->is_gone = true;
        }
        if (r < 0)
                return;

        CRASH_POINT(MACHINE_BEFORE_DESTROY);
        if (b->ops->destroy(b, t->name, users_of(t), &t->failure) == 0)
                t->is_gone = true;
        else {
                Failure f = t->failure;

                t->is_gone = look(t, b) == -ENODEV;
                t->failure = f;
        }
        CRASH_POINT(MACHINE_AFTER_DESTROY);
}

/* From nothing to ready; what is half made goes again. */
static void make(MachineTask *t, Backend *b) {
        t->has_status = false;
        if (b->ops->create(b, t->name, t->mgmtdev, &t->spec, &t->failure) < 0)
                failure_append(&t->failure, "; nothing was made");
        else if (make_ready(t, b) < 0)
                undo_create(t, b);
}

static bool needs(uint32_t repairs, DriftRepair repair) {
        return repairs >> repair & 1;
}

/* Each where it is, which does not hurt a device that nobody uses. */
static int repair_in_place(MachineTask *t, Backend *b, uint32_t repairs) {
        int r = 0;

        if (needs(repairs, REPAIR_BIND))
                r = make_ready(t, b);
        else if (needs(repairs, REPAIR_PUBLISH))
                r = b->ops->publish(b, t->name, &t->spec.endpoint, &t->failure);
        if (r >= 0 && needs(repairs, REPAIR_SET_MAC))
                r = b->ops->set_mac(b, t->name, t->spec.net.mac, &t->failure);
        return r < 0 ? r : look_until_ready(t, b);
}

static void repair(MachineTask *t, Backend *b) {
        uint32_t repairs = drift_repairs(drift_compare(&t->spec, &t->status));

        if (repairs == 0 || b->ops->check_idle(b, t->name, &t->failure) < 0)
                return;
        if (needs(repairs, REPAIR_RECREATE) && t->may_recreate) {
                if (b->ops->destroy(b, t->name, NULL, &t->failure) == 0)
                        make(t, b);
                return;
        }
        if (repair_in_place(t, b, repairs) >= 0 && needs(repairs, REPAIR_RECREATE))
                (void) failure_set(&t->failure, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                                   "'%s' differs in what cannot be changed in place: it has to be made anew, which "
                                   "is only done when asked for",
                                   t->name);
}

void machine_repair(MachineTask *t, Backend *b) {
        int r = look(t, b);

        if (r == -ENODEV)
                make(t, b);
        else if (r >= 0)
                repair(t, b);
}

void machine_publish(MachineTask *t, Backend *b) {
        (void) b->ops->publish(b, t->name, &t->spec.endpoint, &t->failure);
        (void) look(t, b);
}

void machine_set_mac(MachineTask *t, Backend *b) {
        if (look_until_ready(t, b) == 0 && t->status.net.has_mac && !mac_differs(t))
                return;
        t->failure = FAILURE_INIT;
        if (set_mac(t, b) == 0)
                (void) look_until_ready(t, b);
}

void machine_claim(MachineTask *t, Backend *b) {
        if ((!t->spec.net.has_mac || set_mac(t, b) == 0) &&
            b->ops->publish(b, t->name, &t->spec.endpoint, &t->failure) == 0)
                (void) look_until_ready(t, b);
}

void machine_scrub(MachineTask *t, Backend *b) {
        int r = look(t, b);

        if (r == -ENODEV)
                (void) failure_set(&t->failure, ERROR_DEVICE_NOT_FOUND, ENODEV, "The host no longer has '%s'",
                                   t->name);
        if (r >= 0)
                r = b->ops->scrub(b, t->name, users_of(t), &t->failure);
        CRASH_POINT(MACHINE_AFTER_SCRUB);
        if (r >= 0 && t->has_scrub_mac)
                r = b->ops->set_mac(b, t->name, t->scrub_mac, &t->failure);
        t->spec.endpoint = t->scrub_endpoint;
        if (r >= 0)
                (void) make_ready(t, b);
}

void machine_assign(MachineTask *t, Backend *b) {
        if (assign(t, b) == 0)
                (void) look_until_ready(t, b);
}

void machine_get_stats(MachineTask *t, Backend *b) {
        (void) b->ops->get_stats(b, t->name, &t->stats, &t->n_stats, &t->failure);
}

const char *machine_name(void (*machine)(MachineTask *task, Backend *b)) {
        static const struct {
                void (*machine)(MachineTask *task, Backend *b);
                const char *name;
        } names[] = {
                { machine_create, "create" },        { machine_check, "look at" },
                { machine_delete, "delete" },        { machine_set_mac, "set the MAC address of" },
                { machine_assign, "assign IDs to" }, { machine_get_stats, "read the statistics of" },
                { machine_settle, "look at" },       { machine_claim, "hand out" },
                { machine_scrub, "scrub" },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i].machine == machine)
                        return names[i].name;
        return "work on";
}

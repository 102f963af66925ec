/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/creation.h"

#include <bsd/string.h>
#include <errno.h>
#include <string.h>

#include "kernel/failure.h"
#include "kernel/release.h"
#include "kernel/vdpa-netlink.h"
#include "kernel/vdpa-sysfs.h"
#include "kernel/vhost.h"
#include "util/clock.h"
#include "util/crash.h"

int creation_delete(KernelBackend *k, const char *name, DeviceUsers *ret_users, Failure *f) {
        int r;

        snapshot_forget(&k->snapshot, name);
        r = release_device(k->root, &k->detached, name, BUS_DRIVER_NONE, ret_users, f);
        CRASH_POINT(KERNEL_BEFORE_DEV_DEL);
        if (r >= 0)
                r = vdpa_netlink_delete(k->netlink, name, f);
        if (r < 0 && r != -ENODEV)
                return r;

        device_notes_remove(k->notes, name);
        if (strcmp(k->made.name, name) == 0)
                k->made.name[0] = '\0';
        return 0;
}

static int refuse_spec(const DeviceSpec *spec, Failure *f) {
        if (spec->n_vqs == 0 && spec->n_vq_groups == 0)
                return 0;

        return failure_set(f, ERROR_NOT_SUPPORTED, EOPNOTSUPP,
                           "The kernel has no way to ask for a number of %s: the management device decides.",
                           spec->n_vqs == 0 ? "virtqueue groups" : "virtqueues");
}

/* What the kernel would do with these is worse than an error: vp-vdpa overwrites its only pointer to the first
 * device even when it then refuses the second one, and frees the wrong memory when either is deleted. */
static int refuse_create(KernelBackend *k, const char *name, const char *mgmtdev, Failure *f) {
        uint32_t limit = vdpa_sysfs_get_device_limit(k->root, mgmtdev), n = 0;
        int r;

        r = vdpa_sysfs_has_device(k->root, name);
        if (r > 0)
                return failure_set(f, ERROR_FOREIGN_DEVICE, EEXIST, "The kernel already has a vDPA device '%s'.",
                                   name);
        if (r >= 0 && limit > 0)
                r = vdpa_sysfs_count_devices(k->root, mgmtdev, &n);
        if (r < 0)
                return failure_set(f, ERROR_BACKEND_FAILED, r,
                                   "Could not look into sysfs for the devices there are: %s.",
                                   kernel_error_text(r));
        if (limit > 0 && n >= limit)
                return failure_set(f, ERROR_NO_CAPACITY, ENOSPC,
                                   "The driver of '%s' makes %u vDPA device at a time, and it is there.", mgmtdev,
                                   limit);

        return 0;
}

/* The kernel is not told which class to make: a management device with several decides by itself. */
static int check_class(const DeviceStatus *status, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        if (status->class == spec->class)
                return 0;

        return failure_set(f, ERROR_UNSATISFIABLE, EINVAL,
                           "'%s' made a device of virtio type %u where %u was asked for, and the kernel has no "
                           "way to ask for one.",
                           mgmtdev, status->class, spec->class);
}

static const VhostAnswers *find_kind(const KernelBackend *k, const VhostKind *kind) {
        return vhost_kinds_find(&k->vhost_kinds, kind, clock_monotonic_usec());
}

/* virtio_vdpa's drivers can change it when they get the device. */
static bool config_is_final(const DeviceSpec *spec) {
        return spec->driver == BUS_DRIVER_VHOST_VDPA;
}

static int ask_all(KernelBackend *k, const char *name, const DeviceSpec *spec, Made *made, Failure *f) {
        Failure ignored;
        int r;

        r = vdpa_netlink_get(k->netlink, name, made->mgmtdev, &made->answers.status, f);
        if (r < 0 || made->answers.has_config || !config_is_final(spec))
                return r;
        made->answers.has_config = vdpa_netlink_get_config(k->netlink, name, &made->answers.config, &ignored) >= 0;
        return 0;
}

/* What was made, if it is what was asked for; as it is where the same was a moment ago. To ask the kernel again for
 * each has a price: it goes through all devices for a name. */
static int take_made(KernelBackend *k, const char *name, const char *mgmtdev, const DeviceSpec *spec,
                     const MakerResult *result, Failure *f) {
        Made made = {
                .kind = vhost_kind(mgmtdev, spec),
                .answers = { .has_config = result->has_config, .config = result->config },
        };
        const VhostAnswers *known = find_kind(k, &made.kind);
        int r = 0;

        if (!known)
                r = ask_all(k, name, spec, &made, f);
        else {
                (void) strlcpy(made.mgmtdev, mgmtdev, sizeof made.mgmtdev);
                made.answers.status = known->status;
                if (!made.answers.has_config && config_is_final(spec))
                        made.answers.has_config = vhost_answers_config(known, spec, &made.answers.config);
        }
        if (r >= 0)
                r = check_class(&made.answers.status, mgmtdev, spec, f);
        if (r < 0)
                return r;

        (void) strlcpy(made.name, name, sizeof made.name);
        k->made = made;
        return 0;
}

/* An answer that got lost can have been another one; but not where someone else was faster. */
static void not_made(KernelBackend *k, const char *name, int error) {
        if (error == -EEXIST || vdpa_sysfs_has_device(k->root, name) <= 0)
                device_notes_remove(k->notes, name);
}

static int refuse(KernelBackend *k, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        int r = refuse_spec(spec, f);

        return r < 0 ? r : refuse_create(k, name, mgmtdev, f);
}

/* Whether there is room where devices are made one at a time may depend on what is done before. */
void creation_prepare(KernelBackend *k, const char *name, const char *mgmtdev, const DeviceSpec *spec) {
        const VhostKind kind = vhost_kind(mgmtdev, spec);
        const VhostAnswers *known = find_kind(k, &kind);
        DeviceStatus ignored_config;
        Failure ignored;
        bool ask_config;

        if (vdpa_sysfs_get_device_limit(k->root, mgmtdev) > 0 || !maker_is_ready(k->maker) ||
            refuse(k, name, mgmtdev, spec, &ignored) < 0)
                return;
        device_notes_expect(k->notes, name);
        ask_config = config_is_final(spec) && !(known && vhost_answers_config(known, spec, &ignored_config));
        maker_begin(k->maker, name, mgmtdev, spec, ask_config);
}

static int undo(KernelBackend *k, const char *name, const Failure *why, Failure *f) {
        Failure failure = *why, again = FAILURE_INIT;

        if (creation_delete(k, name, NULL, &again) < 0)
                failure_append(&failure, " Deleting it again failed: %s", again.detail);
        else
                failure_append(&failure, " It was deleted again.");
        return failure_set(f, failure.code, failure.error, "%s", failure.detail);
}

int creation_make(KernelBackend *k, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f) {
        Failure failure = FAILURE_INIT;
        MakerResult result = {};
        int r;

        if (maker_is_next(k->maker, name))
                r = maker_finish(k->maker, &result, f);
        else {
                r = refuse(k, name, mgmtdev, spec, f);
                if (r < 0)
                        return r;
                device_notes_expect(k->notes, name);
                r = vdpa_netlink_create(k->netlink, name, mgmtdev, spec, &result.refused, f);
        }
        accepts_note_refused(k->accepts, mgmtdev, result.refused);
        if (r < 0) {
                not_made(k, name, r);
                return r;
        }
        CRASH_POINT(KERNEL_AFTER_DEV_NEW);
        r = take_made(k, name, mgmtdev, spec, &result, &failure);
        return r < 0 ? undo(k, name, &failure, f) : 0;
}

bool creation_is_unpublished(const KernelBackend *k, const char *name) {
        return strcmp(k->made.name, name) == 0 && !k->made.is_published;
}

void creation_note_bound(KernelBackend *k, const char *name, uint64_t inode) {
        bool is_new = creation_is_unpublished(k, name);
        const VhostAnswers *known = is_new ? find_kind(k, &k->made.kind) : NULL;
        VhostGroups groups = known ? known->groups : (VhostGroups){};

        if (!known && vhost_ask_groups(k->root, &k->detached, name, &groups) < 0) {
                device_notes_take(k->notes, name);
                return;
        }
        device_notes_put_groups(k->notes, name, inode, &groups);
        if (!is_new)
                return;
        k->made.answers.groups = groups;
        if (!known)
                vhost_kinds_add(&k->vhost_kinds, &k->made.kind, &k->made.answers, clock_monotonic_usec());
}

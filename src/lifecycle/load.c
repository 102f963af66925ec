/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/capacity.h"
#include "inventory/idlist.h"
#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "lifecycle/mgmtdev-patch.h"
#include "util/clock.h"
#include "util/log.h"

static int damaged(const StoreRecord *r, const char *what) {
        log_device(LOG_ERR, EUCLEAN, r->name, "the database's record has %s", what);
        return -EUCLEAN;
}

static int decode_spec(const StoreRecord *r, DeviceSpec *ret) {
        _cleanup_json_ json_t *json = json_loads(r->spec, JSON_REJECT_DUPLICATES, NULL);
        JsonFaults faults = {};
        JsonDecoder d;
        int k;

        json_decoder_init(&d, &faults);
        if (!json_is_object(json))
                return damaged(r, "a spec that is not a JSON object");
        k = device_spec_decode(&d, json, ret);
        if (k == -EINVAL)
                return log_device(LOG_ERR, EUCLEAN, r->name,
                                  "the database's record has a spec with a fault at %s: %s",
                                  faults.fault[0].pointer, faults.fault[0].detail);
        return k;
}

static void decode_reason(const StoreRecord *r, Device *device) {
        Failure reason = {};

        if (error_parse(r->reason_code, &reason.code) < 0)
                return;
        (void) snprintf(reason.detail, sizeof reason.detail, "%s", r->reason);
        device_set_reason(device, &reason);
}

/* Nothing, or at least one ASID and one MSI entry. */
static int decode_resources(const StoreRecord *r, DeviceResources *ret) {
        uint32_t asids[DEVICE_VQ_GROUPS_MAX], msis[DEVICE_VQS_MAX + 1];
        size_t n_asids, n_msis;

        if (idlist_parse(r->asids, asids, ELEMENTSOF(asids), &n_asids) < 0 ||
            idlist_parse(r->msis, msis, ELEMENTSOF(msis), &n_msis) < 0 || r->n_vqs > DEVICE_VQS_MAX ||
            n_msis > r->n_vqs + 1 || (n_asids > 0) != (n_msis > 0))
                return damaged(r, "ASIDs and MSI entries that no device can have");
        if (n_asids == 0)
                return 0;

        if (device_resources_allocate(ret, (uint16_t) n_asids, (uint16_t) r->n_vqs, (uint16_t) n_msis) < 0)
                return -ENOMEM;
        memcpy(ret->ids, asids, n_asids * sizeof asids[0]);
        memcpy(ret->ids + n_asids, msis, n_msis * sizeof msis[0]);
        return 0;
}

static int decode_record(const StoreRecord *r, Device **ret, DeviceResources *ret_resources) {
        _cleanup_(device_freep) Device *device = NULL;
        _cleanup_(device_spec_done) DeviceSpec spec;
        int k;

        device_spec_init(&spec);
        if (!device_name_is_valid(r->name))
                return damaged(r, "a name that no device can have");
        if (strlen(r->holder) >= HOLDER_MAX)
                return damaged(r, "a holder that is none");
        if (!uid_is_valid(r->uid))
                return damaged(r, "a uid that is none");
        if (!handle_is_valid(r->mgmtdev))
                return damaged(r, "a management device that is none");
        k = decode_spec(r, &spec);
        if (k < 0)
                return k;
        if (device_new(r->name, &spec, r->created_usec, &device) < 0)
                return -ENOMEM;

        strcpy(device->uid, r->uid);
        device->created_revision = r->created_revision;
        device->generation = r->generation;
        device->state = r->state;
        /* Ready is what has an endpoint, and that has to be seen first. */
        if (r->state == DEVICE_READY) {
                device->state = DEVICE_CREATING;
                device->was_ready = true;
        }
        decode_reason(r, device);
        k = decode_resources(r, ret_resources);
        if (k < 0)
                return k;

        *ret = TAKE_PTR(device);
        return 0;
}

/* A device that was being deleted when the daemon stopped may have been gone, and what it held with others. */
static bool take_from_deleted(Lifecycle *l, const Device *device, const DeviceResources *wanted) {
        bool has_taken = false;

        for (Device *d = inventory_next_device(l->inventory, ""); d;
             d = inventory_next_device(l->inventory, d->name))
                if (d != device && d->state == DEVICE_DELETING && device_shares(d, device->mgmtdev, wanted)) {
                        device_put_back(d);
                        has_taken = true;
                }

        return has_taken;
}

static int load_resources(Lifecycle *l, Device *device, const StoreRecord *r, DeviceResources *resources) {
        int k;

        if (!resources->ids)
                return 0;
        k = mgmtdev_set_space(l->inventory, device->mgmtdev, r->asid_space);
        if (k == -EINVAL)
                return damaged(r, "ASIDs of a space that is none");
        if (k < 0)
                return k;

        k = device_acquire_again(device, resources);
        if (k == -EEXIST && device->state == DEVICE_DELETING)
                return 0;
        if (k == -EEXIST && take_from_deleted(l, device, resources))
                k = device_acquire_again(device, resources);
        if (k == -EEXIST)
                return damaged(r, "an ASID or an MSI entry that another device holds too");
        return k;
}

static int load_device(void *userdata, const StoreRecord *r) {
        _cleanup_(device_resources_done) DeviceResources resources = {};
        Device *device = NULL;
        Lifecycle *l = userdata;
        Mgmtdev *mgmtdev;
        int k;

        k = decode_record(r, &device, &resources);
        if (k < 0)
                return k;
        k = inventory_ensure_mgmtdev(l->inventory, r->mgmtdev, &mgmtdev);
        if (k == 0)
                k = inventory_add_device(l->inventory, device, mgmtdev);
        if (k < 0)
                device_free(device);
        if (k == -ENOSPC)
                return log_error_errno(k,
                                       "The inventory has more than the configured %zu devices: raise max_devices",
                                       l->inventory->max_devices);
        if (k < 0)
                return k;

        /* The revision is the inventory's own matter from here on, except that a device's stays as it was told. */
        device->revision = r->revision;
        if (r->holder[0] && inventory_hold_device(l->inventory, device, r->holder) < 0)
                return -ENOMEM;
        return load_resources(l, device, r, &resources);
}

static int quarantine_list(IdSet *set, const char *list, uint64_t left, uint64_t now) {
        IdRange range;

        while (idlist_next(&list, &range) > 0)
                for (uint32_t id = range.first; id <= range.last; id++) {
                        int r = idset_quarantine(set, id, left, now);
                        if (r < 0)
                                return r;
                }

        return 0;
}

/* The time that counts here is that of the wall, as it went on while no daemon was there. */
static int load_quarantine(void *userdata, const StoreQuarantine *q) {
        Lifecycle *l = userdata;
        Inventory *inv = l->inventory;
        uint64_t real = clock_realtime_usec(), now = clock_monotonic_usec();
        uint64_t age = real > q->released_usec ? real - q->released_usec : 0;
        AsidSpace *space;
        Mgmtdev *m;
        int r;

        if (age >= inv->quarantine_usec)
                return 0;
        if (!handle_is_valid(q->mgmtdev) || idlist_check(q->asids) < 0 || idlist_check(q->msis) < 0)
                return log_error_errno(EUCLEAN, "the database has a damaged record of what was released on %s",
                                       q->mgmtdev);

        r = inventory_ensure_mgmtdev(inv, q->mgmtdev, &m);
        if (r == 0)
                r = asid_space_ensure(&inv->spaces, q->asid_space, inv->quarantine_usec, &space);
        if (r == -EINVAL)
                return log_error_errno(EUCLEAN,
                                       "the database has ASIDs that were released in a space that is none");
        if (r == 0)
                r = quarantine_list(space->ids, q->asids, inv->quarantine_usec - age, now);
        if (r == 0)
                r = quarantine_list(m->msis, q->msis, inv->quarantine_usec - age, now);
        return r;
}

/* As a patch on nothing. Labels are the whole of what was set, so they must not be merged with those configured. */
static json_t *settings_patch(const StoreMgmtdev *row) {
        _cleanup_json_ json_t *patch = json_object();

        if (row->cordoned[0] &&
            json_object_set_new(patch, "cordoned", json_boolean(strcmp(row->cordoned, "yes") == 0)) < 0)
                return NULL;
        if (row->labels[0] && json_object_set_new(patch, "labels", json_loads(row->labels, 0, NULL)) < 0)
                return NULL;
        if (row->overrides[0] && json_object_set_new(patch, "budgets", json_loads(row->overrides, 0, NULL)) < 0)
                return NULL;
        return TAKE_PTR(patch);
}

static int load_mgmtdev(void *userdata, const StoreMgmtdev *row) {
        Lifecycle *l = userdata;
        _cleanup_json_ json_t *patch = settings_patch(row);
        _cleanup_(mgmtdev_settings_done) MgmtdevSettings settings = {};
        JsonFaults faults = {};
        JsonDecoder d;
        Mgmtdev *m;
        int r;

        json_decoder_init(&d, &faults);
        if (!patch || !handle_is_valid(row->handle))
                return log_error_errno(EUCLEAN, "The database has unusable settings of %s", row->handle);
        r = inventory_ensure_mgmtdev(l->inventory, row->handle, &m);
        if (r < 0)
                return r;
        if (row->labels[0])
                m->settings.labels = json_object();
        r = mgmtdev_patch_decode(&d, m, patch, &settings);
        if (r == -EINVAL)
                return log_error_errno(EUCLEAN, "The database has settings of %s with a fault at %s: %s",
                                       row->handle, faults.fault[0].pointer, faults.fault[0].detail);
        if (r < 0)
                return r;
        return inventory_set_mgmtdev(l->inventory, m, &settings, clock_monotonic_usec());
}

int load_inventory(Lifecycle *l, Failure *f) {
        static const StoreLoader loader = {
                .mgmtdev = load_mgmtdev,
                .device = load_device,
                .quarantine = load_quarantine,
        };

        l->inventory->revision = store_revision(l->store);
        return store_load(l->store, &loader, l, f);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/load.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/capacity.h"
#include "inventory/idlist.h"
#include "inventory/pool-json.h"
#include "inventory/spec-json.h"
#include "lifecycle/context.h"
#include "lifecycle/mgmtdev-patch.h"
#include "util/clock.h"
#include "util/log.h"

/* Of a record that cannot be right: ends the loading, unless that is what is looked for. */
static int complain(const Lifecycle *l, const char *table, const char *key, LoadFix fix, const char *format, ...)
        _printf_(5, 6);
static int complain(const Lifecycle *l, const char *table, const char *key, LoadFix fix, const char *format, ...) {
        char text[400];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        if (l->check)
                l->check->problem(l->check->userdata, table, key, fix, text);
        else if (strcmp(table, "device") == 0)
                log_device(LOG_ERR, EUCLEAN, key, "the database's record has %s", text);
        else
                log_error_errno(EUCLEAN, "The database's record %s of the table %s has %s", key, table, text);
        return -EUCLEAN;
}

static int damaged(const Lifecycle *l, const StoreRecord *r, const char *what) {
        return complain(l, "device", r->name, FIX_DROP_DEVICE, "%s", what);
}

/* What there is while records are read. */
typedef struct Loading {
        Lifecycle *lifecycle; /* weak */

        /* Many devices have this part in common with the one before, which is copied in a tenth of the time that it
         * takes to parse it once more. */
        char *last_text; /* owned, or NULL */
        DeviceSpec last;
} Loading;

static void loading_done(Loading *loading) {
        free(loading->last_text);
        device_spec_done(&loading->last);
}

static int parse_common(const StoreRecord *r, JsonDecoder *d, DeviceSpec *ret) {
        bool out_of_memory;
        _cleanup_json_ json_t *json = json_parse(r->spec.common, strlen(r->spec.common), JSON_REJECT_DUPLICATES,
                                                 NULL, &out_of_memory);

        if (out_of_memory)
                return -ENOMEM;
        if (json_is_object(json))
                return device_spec_decode(d, json, ret);
        json_fault(d, NULL, "wrong-type", "it is not a JSON object");
        return -EINVAL;
}

static int decode_common(Loading *loading, const StoreRecord *r, JsonDecoder *d, DeviceSpec *ret) {
        int k;

        if (loading->last_text && strcmp(loading->last_text, r->spec.common) == 0)
                return device_spec_copy(&loading->last, ret);

        k = parse_common(r, d, ret);
        if (k < 0)
                return k;
        loading_done(loading);
        loading->last_text = NULL;
        if (device_spec_copy(ret, &loading->last) == 0)
                loading->last_text = strdup(r->spec.common);
        return 0;
}

static int decode_spec(Loading *loading, const StoreRecord *r, DeviceSpec *ret) {
        _uninitialized_ JsonFaults faults;
        JsonDecoder d;
        int k;

        faults.n = faults.n_omitted = 0;
        json_decoder_init(&d, &faults);
        k = decode_common(loading, r, &d, ret);
        if (k == 0)
                k = device_spec_join(&d, &r->spec, ret);
        if (k == -EINVAL)
                return complain(loading->lifecycle, "device", r->name, FIX_DROP_DEVICE,
                                "a spec with a fault at %s: %s", faults.fault[0].pointer, faults.fault[0].detail);
        return k;
}

static void decode_reason(const StoreRecord *r, Device *device) {
        Failure reason = {};

        if (!r->reason_code[0] || error_parse(r->reason_code, &reason.code) < 0)
                return;
        (void) snprintf(reason.detail, sizeof reason.detail, "%s", r->reason);
        device_set_reason(device, &reason);
}

/* Nothing, or at least one ASID and one MSI entry. */
static int decode_resources(const Lifecycle *l, const StoreRecord *r, DeviceResources *ret) {
        uint32_t asids[DEVICE_VQ_GROUPS_MAX], msis[DEVICE_VQS_MAX + 1];
        size_t n_asids, n_msis;

        if (idlist_parse(r->asids, asids, ELEMENTSOF(asids), &n_asids) < 0 ||
            idlist_parse(r->msis, msis, ELEMENTSOF(msis), &n_msis) < 0 || r->n_vqs > DEVICE_VQS_MAX ||
            n_msis > r->n_vqs + 1 || (n_asids > 0) != (n_msis > 0))
                return complain(l, "device", r->name, FIX_DROP_HOLDINGS,
                                "ASIDs and MSI entries that no device can have");
        if (n_asids == 0)
                return 0;

        return device_resources_set(ret, asids, (uint16_t) n_asids, (uint16_t) r->n_vqs, msis, (uint16_t) n_msis);
}

static int decode_record(Loading *loading, const StoreRecord *r, Device **ret, DeviceResources *ret_resources) {
        const Lifecycle *l = loading->lifecycle;
        _cleanup_(device_freep) Device *device = NULL;
        _cleanup_(device_spec_done) DeviceSpec spec;
        int k;

        device_spec_init(&spec);
        if (!device_name_is_valid(r->name))
                return damaged(l, r, "a name that no device can have");
        if (strlen(r->holder) >= HOLDER_MAX)
                return complain(l, "device", r->name, FIX_DROP_HOLDER, "a holder that is none");
        if (r->state >= _DEVICE_STATE_MAX)
                return damaged(l, r, "an unknown state");
        if (!uid_is_valid(r->uid))
                return complain(l, "device", r->name, FIX_NEW_UID, "a uid that is none");
        if (!handle_is_valid(r->mgmtdev))
                return damaged(l, r, "a management device that is none");
        k = decode_spec(loading, r, &spec);
        if (k < 0)
                return k;
        if (device_new_known(r->name, r->uid, &spec, r->created_usec, &device) < 0)
                return -ENOMEM;

        device->created_revision = r->created_revision;
        if (r->lease_usec > CLOCK_TIME_MAX)
                return damaged(l, r, "a lease that never ends");
        device->generation = r->generation;
        device->state = r->state;
        /* Ready is what has an endpoint, and that has to be seen first. */
        if (r->state == DEVICE_READY) {
                device->state = DEVICE_CREATING;
                device->was_ready = true;
        }
        decode_reason(r, device);
        k = decode_resources(l, r, ret_resources);
        if (k < 0)
                return k;

        *ret = TAKE_PTR(device);
        return 0;
}

/* A device that was being deleted when the daemon stopped may have been gone, and what it held with others. If
 * those were being deleted, too, the last one to get it is the one that may be there. */
static bool gives_way(const Device *deleted, const Device *device) {
        return deleted->state == DEVICE_DELETING &&
               (device->state != DEVICE_DELETING || deleted->revision < device->revision);
}

static bool take_from_deleted(Lifecycle *l, const Device *device, const DeviceResources *wanted) {
        bool has_taken = false;

        for (Device *d = inventory_next_device(l->inventory, ""); d; d = inventory_device_after(d))
                if (d != device && gives_way(d, device) && device_shares(d, device->mgmtdev, wanted)) {
                        device_put_back(d);
                        has_taken = true;
                }

        return has_taken;
}

static int load_resources(Lifecycle *l, Device *device, const StoreRecord *r, DeviceResources *resources) {
        int k;

        if (!resources->is_held)
                return 0;
        k = mgmtdev_set_space(l->inventory, device->mgmtdev, r->asid_space);
        if (k == -EINVAL)
                return complain(l, "device", r->name, FIX_DROP_HOLDINGS, "ASIDs of a space that is none");
        if (k < 0)
                return k;

        k = device_acquire_again(device, resources);
        if (k == -EEXIST && take_from_deleted(l, device, resources))
                k = device_acquire_again(device, resources);
        if (k == -EEXIST && device->state == DEVICE_DELETING)
                return 0;
        if (k == -EEXIST)
                return complain(l, "device", r->name, FIX_DROP_HOLDINGS,
                                "an ASID or an MSI entry that another device holds too");
        return k;
}

static int load_device_record(Loading *loading, const StoreRecord *r) {
        Lifecycle *l = loading->lifecycle;
        _cleanup_(device_resources_done) DeviceResources resources = {};
        Device *device = NULL;
        Mgmtdev *mgmtdev;
        int k;

        k = decode_record(loading, r, &device, &resources);
        if (k < 0)
                return k;
        assert(device);
        k = inventory_ensure_mgmtdev(l->inventory, r->mgmtdev, &mgmtdev);
        if (k == 0)
                k = inventory_add_device(l->inventory, device, mgmtdev);
        if (k < 0)
                device_free(device);
        if (k == -ENOSPC)
                return log_error_errno(k,
                                       "The inventory has more than the configured %zu devices: raise max_devices",
                                       l->inventory->max_devices);
        if (k == -EEXIST)
                return damaged(l, r, "a name that another record has, too");
        if (k < 0)
                return k;

        /* The revision is the inventory's own matter from here on, except that a device's stays as it was told. */
        device->revision = r->revision;
        if (r->lease_usec > 0)
                inventory_set_lease(l->inventory, device, r->lease_usec, r->lease_usec + l->leases.grace_usec);
        if (r->holder[0] && inventory_hold_device(l->inventory, device, r->holder) < 0)
                return -ENOMEM;
        return load_resources(l, device, r, &resources);
}

static Lifecycle *lifecycle_of(void *loading) {
        return ((Loading *) loading)->lifecycle;
}

/* What is wrong was told. */
static int go_on(const Lifecycle *l, int r) {
        return r == -EUCLEAN && l->check ? 0 : r;
}

static int load_device(void *userdata, const StoreRecord *r) {
        return go_on(lifecycle_of(userdata), load_device_record(userdata, r));
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
static int load_quarantine_record(Lifecycle *l, const StoreQuarantine *q) {
        Inventory *inv = l->inventory;
        uint64_t real = clock_realtime_usec(), now = clock_monotonic_usec();
        uint64_t age = real > q->released_usec ? real - q->released_usec : 0;
        uint64_t left = age < inv->quarantine_usec ? inv->quarantine_usec - age : 0;
        AsidSpace *space;
        char key[24];
        Mgmtdev *m;
        int r;

        (void) snprintf(key, sizeof key, "%lld", (long long) q->id);
        if (age >= inv->quarantine_usec && !l->check)
                return 0;
        if (!handle_is_valid(q->mgmtdev) || idlist_check(q->asids) < 0 || idlist_check(q->msis) < 0)
                return complain(l, "quarantine", key, FIX_DROP_QUARANTINE, "something else than what was released");

        r = inventory_ensure_mgmtdev(inv, q->mgmtdev, &m);
        if (r == 0)
                r = asid_space_ensure(&inv->spaces, q->asid_space, inv->quarantine_usec, &space);
        if (r == -EINVAL)
                return complain(l, "quarantine", key, FIX_DROP_QUARANTINE,
                                "ASIDs that were released in a space that is none");
        if (r == 0)
                r = quarantine_list(space->ids, q->asids, left, now);
        if (r == 0)
                r = quarantine_list(m->msis, q->msis, left, now);
        return r;
}

static int load_quarantine(void *userdata, const StoreQuarantine *q) {
        Lifecycle *l = lifecycle_of(userdata);

        return go_on(l, load_quarantine_record(l, q));
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

static int load_mgmtdev_record(Lifecycle *l, const StoreMgmtdev *row) {
        _cleanup_json_ json_t *patch = settings_patch(row);
        _cleanup_(mgmtdev_settings_done) MgmtdevSettings settings = {};
        JsonFaults faults = {};
        JsonDecoder d;
        Mgmtdev *m;
        int r;

        json_decoder_init(&d, &faults);
        if (!patch || !handle_is_valid(row->handle))
                return complain(l, "mgmtdev", row->handle, FIX_RESET_MGMTDEV, "unusable settings of %s",
                                row->handle);
        r = inventory_ensure_mgmtdev(l->inventory, row->handle, &m);
        if (r < 0)
                return r;
        if (row->labels[0])
                m->settings.labels = json_object();
        r = mgmtdev_patch_decode(&d, m, patch, &settings);
        if (r == -EINVAL)
                return complain(l, "mgmtdev", row->handle, FIX_RESET_MGMTDEV,
                                "settings of %s with a fault at %s: %s", row->handle, faults.fault[0].pointer,
                                faults.fault[0].detail);
        if (r < 0)
                return r;
        return inventory_set_mgmtdev(l->inventory, m, &settings, clock_monotonic_usec());
}

static int load_mgmtdev(void *userdata, const StoreMgmtdev *row) {
        Lifecycle *l = lifecycle_of(userdata);

        return go_on(l, load_mgmtdev_record(l, row));
}

static int load_pool_record(Lifecycle *l, const StorePool *row) {
        bool out_of_memory;
        _cleanup_json_ json_t *json = json_parse(row->spec, strlen(row->spec), JSON_REJECT_DUPLICATES, NULL,
                                                 &out_of_memory);
        JsonFaults faults = {};
        PoolSpec spec;
        JsonDecoder d;
        Pool *pool;
        int r;

        json_decoder_init(&d, &faults);
        if (out_of_memory)
                return -ENOMEM;
        r = json_is_object(json) && pool_name_is_valid(row->name) && uid_is_valid(row->uid)
                    ? pool_spec_decode(&d, json, &spec)
                    : -EINVAL;
        if (r == -EINVAL)
                return complain(l, "pool", row->name, FIX_DROP_POOL, "what no pool has");
        if (r < 0)
                return r;
        r = pool_new(row->name, &spec, row->created_usec, &pool);
        if (r < 0) {
                pool_spec_done(&spec);
                return r;
        }

        strcpy(pool->uid, row->uid);
        pool_add(l->inventory, pool);
        return 0;
}

static int load_pool(void *userdata, const StorePool *row) {
        Lifecycle *l = lifecycle_of(userdata);

        return go_on(l, load_pool_record(l, row));
}

static int complain_of_id(const Lifecycle *l, const char *table, uint64_t id, LoadFix fix) {
        char key[24];

        (void) snprintf(key, sizeof key, "%llu", (unsigned long long) id);
        return complain(l, table, key, fix, "what no such record of ours has");
}

static int load_receipt(void *userdata, const StoreReceipt *row) {
        Lifecycle *l = lifecycle_of(userdata);
        int r = receipts_load(&l->receipts, row);

        return r == -EINVAL ? go_on(l, complain_of_id(l, "receipt", row->id, FIX_DROP_RECEIPT)) : r;
}

static int load_tombstone(void *userdata, const StoreTombstone *row) {
        Lifecycle *l = lifecycle_of(userdata);
        int r = tombstones_load(&l->tombstones, row);

        return r == -EINVAL ? go_on(l, complain_of_id(l, "tombstone", row->id, FIX_DROP_TOMBSTONE)) : r;
}

static const StoreLoader loader = {
        .mgmtdev = load_mgmtdev,
        .pool = load_pool,
        .device = load_device,
        .quarantine = load_quarantine,
        .receipt = load_receipt,
        .tombstone = load_tombstone,
};

int load_inventory(Lifecycle *l, Failure *f) {
        _cleanup_(loading_done) Loading loading = { .lifecycle = l };

        l->inventory->revision = l->inventory->first_revision = store_revision(l->store);
        return store_load(l->store, &loader, &loading, f);
}

int load_check(Inventory *inventory, Database *db, const LoadCheck *check, Failure *f) {
        Lifecycle l = { .inventory = inventory, .check = check };
        _cleanup_(loading_done) Loading loading = { .lifecycle = &l };
        int r;

        receipts_init(&l.receipts, SIZE_MAX, UINT64_MAX);
        tombstones_init(&l.tombstones, SIZE_MAX, UINT64_MAX);
        r = database_list_mgmtdevs(db, loader.mgmtdev, &loading, f);
        if (r == 0)
                r = database_list_pools(db, loader.pool, &loading, f);
        if (r == 0)
                r = database_list_devices(db, loader.device, &loading, f);
        if (r == 0)
                r = database_list_quarantine(db, loader.quarantine, &loading, f);
        if (r == 0)
                r = database_list_receipts(db, loader.receipt, &loading, f);
        if (r == 0)
                r = database_list_tombstones(db, loader.tombstone, &loading, f);
        receipts_done(&l.receipts);
        tombstones_done(&l.tombstones);
        return r;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/budget.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static Budget budget_of_ids(const IdSet *ids, bool is_known, uint64_t now) {
        IdUsage usage = idset_usage(ids, now);

        return (Budget){
                .is_known = is_known,
                .total = usage.total,
                .reserved = usage.reserved,
                .used = usage.used,
                .quarantined = usage.quarantined,
                .free = usage.free,
        };
}

/* What is used past the total, because that has shrunk or because others made devices, counts as if it were there.
 */
static Budget budget_of_number(const Capacity *capacity, uint32_t used) {
        uint32_t total = capacity->is_known ? capacity->total : UINT32_MAX;
        Budget b = { .is_known = capacity->is_known, .used = used, .total = total > used ? total : used };

        b.reserved = capacity->n_reserved < b.total - used ? capacity->n_reserved : b.total - used;
        b.free = b.total - used - b.reserved;
        return b;
}

Budget mgmtdev_budget(const Mgmtdev *m, Resource resource, uint64_t now) {
        const Capacity *capacity = &m->capacity[resource];

        Budget b = {};

        switch (resource) {
        case RESOURCE_DEVICES:
                b = budget_of_number(capacity, m->n_devices + m->n_foreign);
                b.foreign = m->n_foreign;
                break;
        case RESOURCE_ASIDS:
                b = budget_of_ids(m->space->ids, m->space->is_known, now);
                b.foreign = m->space->n_foreign;
                break;
        case RESOURCE_MSIS:
                b = budget_of_ids(m->msis, capacity->is_known, now);
                b.foreign = (uint32_t) m->foreign.msis.n;
                break;
        case RESOURCE_VQS:
                b = budget_of_number(capacity, m->n_vqs + m->foreign.n_vqs);
                b.foreign = m->foreign.n_vqs;
                break;
        case _RESOURCE_MAX:
                break;
        }

        return b;
}

static MgmtdevNumbers numbers_of(const Mgmtdev *m, uint64_t now) {
        const MgmtdevCounts *c = &m->info.counts;
        MgmtdevNumbers n = { .traffic = { c->n_dma, c->n_interrupts, c->n_dma_refused, c->n_interrupts_refused } };

        for (Resource r = 0; r < _RESOURCE_MAX; r++) {
                Budget b = mgmtdev_budget(m, r, now);
                const uint32_t numbers[] = { b.used, b.reserved, b.quarantined, b.foreign };

                memcpy(n.budgets[r], numbers, sizeof numbers);
        }
        return n;
}

void mgmtdev_note_numbers(Inventory *inv, Mgmtdev *m, uint64_t now) {
        MgmtdevNumbers numbers = numbers_of(m, now);

        if (m->shown_revision == m->revision && memcmp(&m->shown, &numbers, sizeof numbers) != 0)
                m->revision = ++inv->revision;
        m->shown = numbers;
        m->shown_revision = m->revision;
}

Needs mgmtdev_needs(const Mgmtdev *m, const DeviceSpec *spec) {
        return needs_of(spec, spec->class <= CLASS_MAX ? m->info.features[spec->class] : 0);
}

static void describe(const Budget *b, Resource resource, uint32_t need, Shortage *ret) {
        int n = snprintf(ret->detail, sizeof ret->detail, "%s: need %u, free %u of %u", resource_name(resource),
                         need, b->free, b->total);

        if (ret->code == ERROR_UNSATISFIABLE && b->reserved > 0)
                (void) snprintf(ret->detail + n, sizeof ret->detail - (size_t) n, " (%u reserved)", b->reserved);
        else if (b->quarantined > 0)
                (void) snprintf(ret->detail + n, sizeof ret->detail - (size_t) n, " (%u in quarantine)",
                                b->quarantined);
}

static bool is_short(const Mgmtdev *m, const Needs *needs, Resource resource, uint64_t now, Shortage *ret) {
        Budget b = mgmtdev_budget(m, resource, now);
        uint32_t need = needs_least(needs, resource);

        ret->resource = resource;
        if (resource == RESOURCE_VQS && need > DEVICE_VQS_MAX) {
                ret->code = ERROR_UNSATISFIABLE;
                (void) snprintf(ret->detail, sizeof ret->detail, "vqs: need %u, and a device has %u at the most",
                                need, DEVICE_VQS_MAX);
                return true;
        }
        if (need <= b.free)
                return false;

        ret->code = need > b.total - b.reserved ? ERROR_UNSATISFIABLE : ERROR_NO_CAPACITY;
        describe(&b, resource, need, ret);
        return true;
}

size_t mgmtdev_check_needs(const Mgmtdev *m, const Needs *needs, uint64_t now, Shortage ret[_RESOURCE_MAX]) {
        size_t n = 0;

        for (Resource resource = 0; resource < _RESOURCE_MAX; resource++)
                n += is_short(m, needs, resource, now, &ret[n]);
        return n;
}

static int fail_short(const Mgmtdev *m, const Shortage *shortage, Failure *f) {
        return failure_set(f, shortage->code, ENOSPC, "%s has no room: %s", m->info.handle, shortage->detail);
}

/* That of the device itself is not asked: it is in the inventory, and counts already. */
static int check_room(const Mgmtdev *m, const Needs *needs, uint64_t now, Failure *f) {
        Shortage shortage;

        for (Resource resource = RESOURCE_ASIDS; resource < _RESOURCE_MAX; resource++)
                if (is_short(m, needs, resource, now, &shortage))
                        return fail_short(m, &shortage, f);

        return 0;
}

/* In the order in which they are used. All, or none. */
static int acquire_ids(IdSet *set, uint32_t *ids, uint32_t n, uint64_t now) {
        for (uint32_t i = 0; i < n; i++) {
                int r = idset_acquire(set, now, &ids[i]);

                if (r < 0) {
                        while (i-- > 0)
                                idset_put_back(set, ids[i]);
                        return r;
                }
        }

        return 0;
}

static void put_back_ids(IdSet *set, const uint32_t *ids, uint32_t n) {
        while (n-- > 0)
                idset_put_back(set, ids[n]);
}

/* The device holds them from now on. A failed one counts against the budget of devices only while it holds
 * something.
 */
static void take_over(Device *device, DeviceResources *resources) {
        Mgmtdev *m = device->mgmtdev;

        assert(!device_holds(device));
        device->resources = *resources;
        *resources = (DeviceResources){};
        m->n_vqs += device->resources.n_vqs;
        m->n_asids += device->resources.n_asids;
        if (device->state == DEVICE_FAILED)
                m->n_devices++;
}

static void let_go(Device *device) {
        Mgmtdev *m = device->mgmtdev;

        m->n_vqs -= device->resources.n_vqs;
        m->n_asids -= device->resources.n_asids;
        if (device->state == DEVICE_FAILED)
                m->n_devices--;
        device_resources_done(&device->resources);
}

int device_acquire(Device *device, const Needs *needs, uint64_t now, Failure *f) {
        Mgmtdev *m = device->mgmtdev;
        DeviceResources resources;
        uint32_t n_msis = needs->n_msis, *ids;
        int r;

        r = check_room(m, needs, now, f);
        if (r < 0)
                return r;
        if (needs->share_msis) {
                uint32_t n_free = mgmtdev_budget(m, RESOURCE_MSIS, now).free;

                n_msis = n_msis < n_free ? n_msis : n_free;
        }

        r = device_resources_allocate(&resources, (uint16_t) needs->n_asids, (uint16_t) needs->n_vqs,
                                      (uint16_t) n_msis);
        if (r < 0)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        ids = device_resources_ids(&resources);
        r = acquire_ids(m->space->ids, ids, needs->n_asids, now);
        if (r == 0) {
                r = acquire_ids(m->msis, ids + needs->n_asids, n_msis, now);
                if (r < 0)
                        put_back_ids(m->space->ids, ids, needs->n_asids);
        }
        if (r < 0) {
                device_resources_done(&resources);
                return failure_set(f, ERROR_OUT_OF_MEMORY, r, "Nothing was done");
        }

        take_over(device, &resources);
        return 0;
}

/* What is lacking of virtqueues and of MSI entries. */
static Needs needs_more(const Device *device, uint32_t n_vqs) {
        const DeviceResources *held = &device->resources;
        uint32_t n_msis = n_vqs + 1;

        return (Needs){
                .n_vqs = n_vqs - held->n_vqs,
                .n_msis = n_msis > held->n_msis ? n_msis - held->n_msis : 0,
                .share_msis = device->spec.share_msis,
        };
}

int device_acquire_more(Device *device, uint32_t n_vqs, uint64_t now, Failure *f) {
        Mgmtdev *m = device->mgmtdev;
        Needs needs = needs_more(device, n_vqs);
        DeviceResources grown, *held = &device->resources;
        uint32_t n_held = device_resources_n_ids(held), n_free, *ids;
        Shortage shortage;
        int r;

        n_free = mgmtdev_budget(m, RESOURCE_MSIS, now).free;
        if (needs.share_msis && needs.n_msis > n_free)
                needs.n_msis = n_free;
        needs.share_msis = false;
        if (n_vqs > DEVICE_VQS_MAX)
                return failure_set(f, ERROR_UNSATISFIABLE, ENOSPC, "vqs: need %u, and a device has %u at the most",
                                   n_vqs, DEVICE_VQS_MAX);
        if (is_short(m, &needs, RESOURCE_VQS, now, &shortage) || is_short(m, &needs, RESOURCE_MSIS, now, &shortage))
                return fail_short(m, &shortage, f);

        r = device_resources_allocate(&grown, held->n_asids, (uint16_t) n_vqs,
                                      (uint16_t) (held->n_msis + needs.n_msis));
        if (r < 0)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for more virtqueues");
        ids = device_resources_ids(&grown);
        memcpy(ids, device_resources_asids(held), n_held * sizeof *ids);
        if (acquire_ids(m->msis, ids + n_held, needs.n_msis, now) < 0) {
                device_resources_done(&grown);
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "There is no memory for more virtqueues");
        }

        let_go(device);
        take_over(device, &grown);
        return 0;
}

static int acquire_these(IdSet *set, const uint32_t *ids, uint32_t n) {
        for (uint32_t i = 0; i < n; i++) {
                int r = idset_acquire_id(set, ids[i]);

                if (r < 0) {
                        put_back_ids(set, ids, i);
                        return r;
                }
        }

        return 0;
}

int device_acquire_again(Device *device, DeviceResources *resources) {
        Mgmtdev *m = device->mgmtdev;
        int r;

        r = acquire_these(m->space->ids, device_resources_asids(resources), resources->n_asids);
        if (r < 0)
                return r;
        r = acquire_these(m->msis, device_resources_msis(resources), resources->n_msis);
        if (r < 0) {
                put_back_ids(m->space->ids, device_resources_asids(resources), resources->n_asids);
                return r;
        }

        take_over(device, resources);
        return 0;
}

void device_release(Device *device, uint64_t now) {
        const DeviceResources *held = &device->resources;

        if (!device_holds(device))
                return;

        for (uint32_t i = 0; i < held->n_asids; i++)
                idset_release(device->mgmtdev->space->ids, device_resources_asids(held)[i], now);
        for (uint32_t i = 0; i < held->n_msis; i++)
                idset_release(device->mgmtdev->msis, device_resources_msis(held)[i], now);
        let_go(device);
}

void device_put_back(Device *device) {
        const DeviceResources *held = &device->resources;

        if (!device_holds(device))
                return;

        put_back_ids(device->mgmtdev->space->ids, device_resources_asids(held), held->n_asids);
        put_back_ids(device->mgmtdev->msis, device_resources_msis(held), held->n_msis);
        let_go(device);
}

static bool lists_meet(const uint32_t *a, unsigned n_a, const uint32_t *b, unsigned n_b) {
        for (unsigned i = 0; i < n_a; i++)
                for (unsigned k = 0; k < n_b; k++)
                        if (a[i] == b[k])
                                return true;

        return false;
}

bool device_shares(const Device *device, const Mgmtdev *m, const DeviceResources *resources) {
        const DeviceResources *held = &device->resources;

        if (!device_holds(device))
                return false;
        return (device->mgmtdev->space == m->space &&
                lists_meet(device_resources_asids(held), held->n_asids, device_resources_asids(resources),
                           resources->n_asids)) ||
               (device->mgmtdev == m && lists_meet(device_resources_msis(held), held->n_msis,
                                                   device_resources_msis(resources), resources->n_msis));
}

/* Those of the one list that are not in the other are given back. Both are in order. */
static void release_others(IdSet *set, const ForeignIds *from, const ForeignIds *keep, uint64_t now) {
        for (size_t i = 0, k = 0; i < from->n; i++) {
                while (k < keep->n && keep->ids[k] < from->ids[i])
                        k++;
                if (k == keep->n || keep->ids[k] != from->ids[i])
                        idset_release(set, from->ids[i], now);
        }
}

/* Acquires those that are not held by them already. What cannot be had is left out of the list; true: there is
 * such. */
static bool acquire_others(IdSet *set, const ForeignIds *held, ForeignIds *wanted) {
        size_t n = 0, n_wanted = wanted->n;

        for (size_t i = 0, k = 0; i < n_wanted; i++) {
                while (k < held->n && held->ids[k] < wanted->ids[i])
                        k++;
                if ((k < held->n && held->ids[k] == wanted->ids[i]) || idset_acquire_id(set, wanted->ids[i]) == 0)
                        wanted->ids[n++] = wanted->ids[i];
        }
        wanted->n = n;
        return n < n_wanted;
}

void mgmtdev_take_foreign(Inventory *inv, Mgmtdev *m, uint64_t now) {
        Foreign *held = &m->foreign, *counted = &m->counted;
        bool has_changed;

        foreign_sort(counted);
        release_others(m->space->ids, &held->asids, &counted->asids, now);
        release_others(m->msis, &held->msis, &counted->msis, now);
        m->has_foreign_conflict = acquire_others(m->space->ids, &held->asids, &counted->asids);
        m->has_foreign_conflict |= acquire_others(m->msis, &held->msis, &counted->msis);

        has_changed = m->n_foreign != counted->n_devices || held->n_vqs != counted->n_vqs ||
                      held->asids.n != counted->asids.n || held->msis.n != counted->msis.n;
        m->space->n_foreign += (uint32_t) (counted->asids.n - held->asids.n);
        m->n_foreign = counted->n_devices;
        foreign_done(held);
        *held = *counted;
        *counted = (Foreign){};
        if (has_changed)
                m->revision = ++inv->revision;
}

void mgmtdev_drop_foreign(Mgmtdev *m) {
        m->space->n_foreign -= (uint32_t) m->foreign.asids.n;
        for (size_t i = 0; i < m->foreign.asids.n; i++)
                idset_put_back(m->space->ids, m->foreign.asids.ids[i]);
        for (size_t i = 0; i < m->foreign.msis.n; i++)
                idset_put_back(m->msis, m->foreign.msis.ids[i]);
        foreign_done(&m->foreign);
        foreign_done(&m->counted);
        m->has_foreign_conflict = false;
}

/* Takes those out of a list, which is in order, and gives them back as never used. Returns how many there were. */
static uint32_t take_out(IdSet *set, ForeignIds *list, const uint32_t *ids, unsigned n_ids) {
        uint32_t n_out = 0;

        for (unsigned i = 0; i < n_ids; i++)
                for (size_t k = 0; k < list->n; k++)
                        if (list->ids[k] == ids[i]) {
                                memmove(list->ids + k, list->ids + k + 1, (list->n - k - 1) * sizeof list->ids[0]);
                                list->n--;
                                n_out++;
                                idset_put_back(set, ids[i]);
                                break;
                        }
        return n_out;
}

void mgmtdev_let_foreign_go(Mgmtdev *m, const DeviceResources *held) {
        uint32_t n;

        n = take_out(m->space->ids, &m->foreign.asids, device_resources_asids(held), held->n_asids);
        m->space->n_foreign -= n;
        n = take_out(m->msis, &m->foreign.msis, device_resources_msis(held), held->n_msis);
        if (n > 0 && m->foreign.n_vqs >= held->n_vqs)
                m->foreign.n_vqs -= held->n_vqs;
        if (m->n_foreign > 0)
                m->n_foreign--;
}

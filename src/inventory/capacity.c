/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/capacity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/idlist.h"

static void apply_settings(Capacity *c, const Capacity *backend, const BudgetSettings *settings) {
        if (settings->has_total && (!backend->is_known || settings->total <= backend->total)) {
                c->is_known = true;
                c->total = settings->total;
                c->source = SOURCE_CONFIG;
        }
        if (settings->has_reserved) {
                c->n_reserved = settings->n_reserved;
                idlist_merge(backend->reserved_ids, settings->reserved_ids, c->reserved_ids,
                             sizeof c->reserved_ids);
        }
}

static Capacity effective(const Mgmtdev *m, Resource resource) {
        const Capacity *backend = &m->info.capacity[resource];
        Capacity c = *backend;

        if (m->configured)
                apply_settings(&c, backend, &m->configured->budgets[resource]);
        apply_settings(&c, backend, &m->settings.budgets[resource]);
        return c;
}

static int reserve_list(IdSet *set, const char *ranges) {
        IdRange range;

        while (idlist_next(&ranges, &range) > 0) {
                int r = idset_reserve(set, range.first, range.last);
                if (r < 0)
                        return r;
        }

        return 0;
}

static uint32_t id_limit(const Capacity *c, uint32_t max) {
        return c->is_known && c->total < max ? c->total : max;
}

static int resize_msis(Mgmtdev *m, const Capacity *c, uint64_t now) {
        idset_resize(m->msis, id_limit(c, IDS_MAX), now);
        idset_unreserve_all(m->msis, now);
        return reserve_list(m->msis, c->reserved_ids);
}

/* Whether no ASID of the management device's devices is held in the other space; *ret_end: behind the highest. */
static bool is_free_in(Inventory *inv, const Mgmtdev *m, const IdSet *ids, uint32_t *ret_end) {
        *ret_end = 0;
        for (Device *d = inventory_next_device(inv, ""); d; d = inventory_next_device(inv, d->name))
                for (uint32_t i = 0; d->mgmtdev == m && i < d->resources.n_asids; i++) {
                        uint32_t id = device_resources_asids(&d->resources)[i];

                        if (idset_is_held(ids, id))
                                return false;
                        if (id >= *ret_end)
                                *ret_end = id + 1;
                }

        return true;
}

static void move_devices(Inventory *inv, Mgmtdev *m, AsidSpace *from, AsidSpace *to) {
        for (Device *d = inventory_next_device(inv, ""); d; d = inventory_next_device(inv, d->name))
                for (uint32_t i = 0; d->mgmtdev == m && i < d->resources.n_asids; i++) {
                        (void) idset_acquire_id(to->ids, device_resources_asids(&d->resources)[i]);
                        idset_put_back(from->ids, device_resources_asids(&d->resources)[i]);
                }
}

static void enter_space(Mgmtdev *m, AsidSpace *space) {
        m->space->n_users--;
        m->space->is_stale = true;
        space->n_users++;
        space->is_stale = true;
        m->space = space;
}

int mgmtdev_set_space(Inventory *inv, Mgmtdev *m, const char *key) {
        AsidSpace *space;
        int r;

        r = asid_space_ensure(&inv->spaces, key, inv->quarantine_usec, &space);
        if (r < 0)
                return r;
        if (m->n_asids == 0)
                enter_space(m, space);
        return 0;
}

/* Where its DMA comes from is known only when the host lists it. What its devices hold goes with it, unless
 * somebody holds that there: then they stay in the old space, and it stays with them. */
static int follow_space(Inventory *inv, Mgmtdev *m) {
        AsidSpace *from = m->space, *to;
        char key[SPACE_KEY_MAX];
        uint32_t end = 0;
        int r;

        asid_space_key(m->info.asid_kind, m->info.pci_function, m->info.handle, key);
        if (strcmp(from->key, key) == 0) {
                m->is_in_other_space = false;
                return 0;
        }

        r = asid_space_ensure(&inv->spaces, key, inv->quarantine_usec, &to);
        if (r < 0)
                return r;
        mgmtdev_drop_foreign(m);
        m->is_in_other_space = m->n_asids > 0 && !is_free_in(inv, m, to->ids, &end);
        if (m->is_in_other_space)
                return 0;

        if (end > 0) {
                r = idset_make_room(to->ids, end);
                if (r < 0)
                        return r;
                move_devices(inv, m, from, to);
        }
        enter_space(m, to);
        return 0;
}

int capacity_refresh(Inventory *inv, Mgmtdev *m, uint64_t now) {
        int r = 0;

        for (Resource resource = 0; resource < _RESOURCE_MAX && r == 0; resource++) {
                Capacity c = effective(m, resource);

                if (capacity_equal(&m->capacity[resource], &c))
                        continue;
                if (resource == RESOURCE_MSIS)
                        r = resize_msis(m, &c, now);
                if (resource == RESOURCE_ASIDS)
                        m->space->is_stale = true;
                if (r == 0)
                        m->capacity[resource] = c;
        }

        if (r == 0 && m->present)
                r = follow_space(inv, m);
        return r;
}

static int refresh_space(Inventory *inv, AsidSpace *space, uint64_t now) {
        uint32_t most = space->kind == ASID_PASID ? PASIDS_MAX : IDS_MAX;
        int r = 0;

        space->is_known = false;
        space->total = most;
        idset_unreserve_all(space->ids, now);
        for (Mgmtdev *m = inventory_first_mgmtdev(inv); m && r == 0; m = inventory_next_mgmtdev(m)) {
                const Capacity *c = &m->capacity[RESOURCE_ASIDS];

                if (m->space != space)
                        continue;
                space->is_known |= c->is_known;
                space->total = id_limit(c, space->total);
                r = reserve_list(space->ids, c->reserved_ids);
        }
        if (r < 0)
                return r;

        idset_resize(space->ids, space->total, now);
        space->is_stale = false;
        return 0;
}

int capacity_refresh_spaces(Inventory *inv, uint64_t now) {
        AsidSpace *space;
        int r = 0;

        LIST_FOREACH(space, &inv->spaces, entry)
                if (space->is_stale && r == 0)
                        r = refresh_space(inv, space, now);
        if (r == 0)
                asid_space_prune(&inv->spaces, now);
        return r;
}

static bool exceeds(const MgmtdevSettings *settings, Resource r, const Capacity *backend) {
        return backend->is_known && settings->budgets[r].has_total && settings->budgets[r].total > backend->total;
}

static bool find_overpromised(const Mgmtdev *m, Resource *ret) {
        for (Resource r = 0; r < _RESOURCE_MAX; r++) {
                const Capacity *backend = &m->info.capacity[r];

                if (exceeds(&m->settings, r, backend) || (m->configured && exceeds(m->configured, r, backend))) {
                        *ret = r;
                        return true;
                }
        }

        return false;
}

bool mgmtdev_describe_conflict(const Mgmtdev *m, char *buffer, size_t size) {
        uint32_t n_msis = idset_n_surplus(m->msis), n_asids = idset_n_surplus(m->space->ids);
        Resource r;

        if (n_msis > 0 || n_asids > 0)
                (void) snprintf(buffer, size,
                                "there are fewer than before, and %u ASIDs and %u MSI entries past the "
                                "end are held; they stay with their holders",
                                n_asids, n_msis);
        else if (m->is_in_other_space)
                (void) snprintf(buffer, size,
                                "its ASIDs belong to another space now, where others hold the same ones; "
                                "they stay in %s",
                                m->space->key);
        else if (m->has_foreign_conflict)
                (void) snprintf(buffer, size,
                                "foreign devices hold ASIDs or MSI entries that are held by devices of ours, too");
        else if (find_overpromised(m, &r))
                (void) snprintf(buffer, size,
                                "the total of %s that is set is more than the %u that there are, and is "
                                "not used",
                                resource_name(r), m->info.capacity[r].total);
        else
                return false;

        return true;
}

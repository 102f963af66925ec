/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VFs are counted by what PCI leaves of them: they exist all at once or not at all, have one device ID, need
 * routing IDs, of which the buses of a domain have no more than 65536, and have at most 2048 MSI-X entries each.
 * Managed devices are counted by what the management devices behind the same function have. */
#include "lifecycle/sriov-json.h"

#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/class.h"
#include "inventory/needs.h"
#include "inventory/pci.h"
#include "util/json.h"

/* Of the table size in the MSI-X capability. */
#define MSIX_MAX 2048

/* A sum of numbers one of which may not be known: then neither is the sum. */
typedef struct Sum {
        uint64_t value;
        bool is_unknown;
} Sum;

static void sum_add(Sum *sum, const Sum *other) {
        sum->value += other->value;
        sum->is_unknown |= other->is_unknown;
}

static json_t *sum_encode(const Sum *sum) {
        return sum->is_unknown ? json_null() : json_integer((json_int_t) sum->value);
}

/* What the management devices of one kind behind a PF come to. */
typedef struct Tally {
        json_t *handles; /* owned */
        uint64_t n_used; /* devices on them, foreign ones included */
        uint64_t classes;
        Sum most;             /* devices, with an address space of their own */
        Sum most_in_space;    /* devices, out of the PASIDs of the function */
        uint32_t space_total; /* ... as many as these suffice for; 0: not known */
        Sum msis;
} Tally;

/* How many of the smallest devices it can have, were there no others; they have no more than one can hold. */
static Sum most_devices(const Mgmtdev *m, uint64_t now_usec, uint32_t *ret_by_asids) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        Sum most = { .value = UINT64_MAX, .is_unknown = true };
        Needs needs;

        device_spec_init(&spec);
        spec.class = m->info.classes ? (unsigned) __builtin_ctzll(m->info.classes) : CLASS_NET;
        needs = needs_of(&spec, m->info.features[spec.class]);
        *ret_by_asids = 0;
        for (Resource r = 0; r < _RESOURCE_MAX; r++) {
                uint32_t n, need = needs_most(&needs, r);
                Budget b = mgmtdev_budget(m, r, now_usec);

                if (!b.is_known || need == 0)
                        continue;
                n = (b.total - b.reserved) / need;
                if (r == RESOURCE_ASIDS)
                        *ret_by_asids = n;
                if (n < most.value)
                        most = (Sum){ .value = n };
        }

        if (most.is_unknown)
                most.value = 0;
        return most;
}

static int tally_add(Tally *t, const Mgmtdev *m, uint64_t now_usec) {
        uint32_t by_asids;
        Sum most = most_devices(m, now_usec, &by_asids);
        Budget msis = mgmtdev_budget(m, RESOURCE_MSIS, now_usec);

        if (m->info.asid_kind == ASID_PASID) {
                sum_add(&t->most_in_space, &most);
                t->space_total = by_asids;
        } else
                sum_add(&t->most, &most);

        sum_add(&t->msis, &(Sum){ .value = msis.is_known ? msis.total : 0, .is_unknown = !msis.is_known });
        t->n_used += m->n_devices + m->n_foreign;
        t->classes |= m->info.classes;
        return json_array_append_new(t->handles, json_text(m->info.handle));
}

/* All of them together; those that share the PASIDs cannot have more devices than these suffice for. */
static Sum tally_most(const Tally *t) {
        Sum most = t->most_in_space;

        if (t->space_total > 0 && (most.is_unknown || most.value > t->space_total))
                most = (Sum){ .value = t->space_total };
        sum_add(&most, &t->most);
        return most;
}

static json_t *classes_encode(uint64_t classes) {
        _cleanup_json_ json_t *array = json_array();

        for (unsigned c = 1; array && c <= CLASS_MAX; c++) {
                char name[16];

                if (classes >> c & 1 && json_array_append_new(array, json_string(class_format(c, name))) < 0)
                        return NULL;
        }

        return TAKE_PTR(array);
}

static json_t *buses_encode(const BackendSriov *s) {
        if (!s->has_buses)
                return json_null();

        return json_pack("{s:I, s:I, s:i}", "used", (json_int_t) s->n_buses, "with_all", (json_int_t) s->max_buses,
                         "total", (int) PCI_BUSES_MAX);
}

/* "0x1041" as lspci(8) has it; null: not known. */
static json_t *device_id_encode(uint16_t id) {
        char text[8];

        (void) snprintf(text, sizeof text, "0x%04x", id);
        return id ? json_string(text) : json_null();
}

static json_t *vfs_encode(const BackendSriov *s, const Tally *t) {
        /* clang-format off */
        return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:i, s:o, s:o, s:O, s:o}",
                         "total", (json_int_t) s->total_vfs,
                         "made", (json_int_t) s->num_vfs,
                         "unreachable", (json_int_t) s->n_lost_vfs,
                         "most_devices", (json_int_t) (s->total_vfs - s->n_lost_vfs),
                         "bus_numbers", buses_encode(s),
                         "device_id", device_id_encode(s->vf_device_id),
                         "msis_per_vf", MSIX_MAX,
                         "msis", s->has_vf_total_msix ? json_integer(s->vf_total_msix) : json_null(),
                         "classes", classes_encode(t->classes),
                         "mgmtdevs", t->handles,
                         "used_devices", json_integer((json_int_t) t->n_used));
        /* clang-format on */
}

static json_t *managed_encode(const BackendSriov *s, const Tally *t) {
        Sum most = json_array_size(t->handles) > 0 ? tally_most(t) : (Sum){};

        /* clang-format off */
        return json_pack("{s:o, s:o, s:o, s:o, s:O, s:o}",
                         "most_devices", sum_encode(&most),
                         "max_subfunctions", s->max_subfunctions ? json_integer(s->max_subfunctions) : json_null(),
                         "msis", sum_encode(&t->msis),
                         "classes", classes_encode(t->classes),
                         "mgmtdevs", t->handles,
                         "used_devices", json_integer((json_int_t) t->n_used));
        /* clang-format on */
}

static json_t *pf_encode(const BackendSriov *s, Inventory *inventory, uint64_t now_usec) {
        _cleanup_json_ json_t *vf_handles = json_array(), *handles = json_array();
        Tally vfs = { .handles = vf_handles }, managed = { .handles = handles };

        for (Mgmtdev *m = inventory_first_mgmtdev(inventory); m; m = inventory_next_mgmtdev(m)) {
                bool is_vf = strcmp(m->info.pci_pf, s->pf) == 0,
                     is_on_pf = strcmp(m->info.pci_function, s->pf) == 0;

                if (m->present && (is_vf || is_on_pf) && tally_add(is_vf ? &vfs : &managed, m, now_usec) < 0)
                        return NULL;
        }

        /* clang-format off */
        return json_pack("{s:s, s:b, s:o, s:o, s:o}",
                         "pf", s->pf,
                         "simulated", s->simulated,
                         "msix_table", s->msix_size ? json_integer(s->msix_size) : json_null(),
                         "vfs", vfs_encode(s, &vfs),
                         "managed", managed_encode(s, &managed));
        /* clang-format on */
}

json_t *sriov_encode(const BackendSriov *sriov, size_t n, Inventory *inventory, uint64_t now_usec) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; array && i < n; i++)
                if (json_array_append_new(array, pf_encode(&sriov[i], inventory, now_usec)) < 0)
                        return NULL;

        return TAKE_PTR(array);
}

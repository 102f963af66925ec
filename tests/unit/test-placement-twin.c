/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Placement against a twin that knows nothing of budgets: for each request it counts anew what all devices hold,
 * and tries one management device after the other. A request is refused only if the twin finds no place either. */
#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/class.h"
#include "inventory/feature.h"
#include "lifecycle/placement.h"
#include "unit.h"

#define N_MGMTDEVS 16
#define N_REQUESTS 100000
#define MAX_LIVE   3000
#define N_NODES    3
#define UNKNOWN    UINT32_MAX

#define GPU 16u

static const char *const racks[] = { "a", "b" };

/* One management device, as the twin knows it. */
typedef struct Place {
        MgmtdevInfo info;
        uint32_t total[_RESOURCE_MAX];
        uint32_t never[_RESOURCE_MAX];
        int rack; /* -1: no label */
        bool cordoned, present;
} Place;

typedef struct Live {
        Device *device;
        unsigned place;
        uint32_t held[_RESOURCE_MAX];
} Live;

static Inventory inventory;
static Place places[N_MGMTDEVS];
static Live live[MAX_LIVE];
static size_t n_live;

static void set_capacity(Place *p, Resource r, uint32_t total, uint32_t n_reserved) {
        Capacity *c = &p->info.capacity[r];

        c->is_known = total != UNKNOWN;
        c->total = c->is_known ? total : 0;
        c->source = SOURCE_MODEL;
        p->total[r] = total;
        p->never[r] = c->is_known ? n_reserved : 0;
        if (!c->is_known || n_reserved == 0)
                return;
        if (!resource_has_ids(r))
                c->n_reserved = n_reserved;
        else if (n_reserved == 1)
                strcpy(c->reserved_ids, "0");
        else
                (void) snprintf(c->reserved_ids, sizeof c->reserved_ids, "0-%u", n_reserved - 1);
}

static uint32_t any_total(uint32_t max) {
        return unit_random(4) == 0 ? UNKNOWN : 8 + unit_random(max);
}

/* Of all kinds: PCI functions with shared PASIDs and MMUs, small and large, of one class and of several. */
static void make_place(unsigned i) {
        static const uint64_t classes[] = { 1u << CLASS_NET, 1u << CLASS_BLOCK, 1u << GPU,
                                            1u << CLASS_NET | 1u << CLASS_BLOCK | 1u << GPU };
        Place *p = &places[i];

        *p = (Place){ .rack = (int) unit_random(3) - 1, .present = true };
        (void) snprintf(p->info.handle, sizeof p->info.handle, "pci/%02u", (i * 7) % N_MGMTDEVS);
        p->info.classes = classes[i % ELEMENTSOF(classes)];
        p->info.numa_node = (int) (i % N_NODES) - 1;
        p->info.vf_index = -1;
        p->info.max_vqs = i % 3 == 0 ? 9 : 0;
        if (p->info.classes & 1u << CLASS_NET && i % 2 == 0)
                p->info.features[CLASS_NET] = FEATURE_NET_MAC | FEATURE_NET_CTRL_VQ | FEATURE_NET_MQ;
        p->info.knows_accepts = i % 5 == 0;
        p->info.accepts = 1u << ATTRIBUTE_MAC | 1u << ATTRIBUTE_MAX_VQP | 1u << ATTRIBUTE_VQS;
        p->info.only_by_name = i == 11;
        set_capacity(p, RESOURCE_DEVICES, i % 4 == 3 ? 1 + unit_random(40) : any_total(300), unit_random(3));
        set_capacity(p, RESOURCE_MSIS, any_total(900), unit_random(5));
        set_capacity(p, RESOURCE_VQS, any_total(900), unit_random(5));

        /* 0 to 3 are behind one function, 4 to 7 behind another. */
        p->info.asid_kind = i < 8 ? ASID_PASID : ASID_DEVICE_MMU;
        if (i < 8)
                (void) snprintf(p->info.pci_function, sizeof p->info.pci_function, "0000:0%u:00.0", i / 4);
        set_capacity(p, RESOURCE_ASIDS, i < 8 ? 250 + i / 4 : any_total(400), i < 8 ? 2 : unit_random(3));
}

static bool share_space(const Place *a, const Place *b) {
        return a == b || (a->info.asid_kind == ASID_PASID && b->info.asid_kind == ASID_PASID &&
                          strcmp(a->info.pci_function, b->info.pci_function) == 0);
}

/* What all devices hold of what is had at the place. */
static uint32_t count_held(unsigned place, Resource r) {
        uint32_t n = 0;

        for (size_t i = 0; i < n_live; i++)
                if (live[i].place == place ||
                    (r == RESOURCE_ASIDS && share_space(&places[live[i].place], &places[place])))
                        n += live[i].held[r];
        return n;
}

static Mgmtdev *mgmtdev_at(unsigned place) {
        return inventory_find_mgmtdev(&inventory, places[place].info.handle);
}

static void tell_inventory(void) {
        MgmtdevInfo infos[N_MGMTDEVS];
        size_t n = 0;

        for (unsigned i = 0; i < N_MGMTDEVS; i++)
                if (places[i].present)
                        infos[n++] = places[i].info;
        ck_assert_int_eq(inventory_update_mgmtdevs(&inventory, infos, n, 1), 0);
}

static void set_settings(unsigned place) {
        MgmtdevSettings settings = { .has_cordoned = true, .cordoned = places[place].cordoned };

        if (places[place].rack >= 0)
                settings.labels = json_pack("{s:s}", "rack", racks[places[place].rack]);
        ck_assert_int_eq(inventory_set_mgmtdev(&inventory, mgmtdev_at(place), &settings, 1), 0);
}

static void set_up(void) {
        inventory_init(&inventory, MAX_LIVE);
        for (unsigned i = 0; i < N_MGMTDEVS; i++)
                make_place(i);
        tell_inventory();
        for (unsigned i = 0; i < N_MGMTDEVS; i++)
                set_settings(i);
        n_live = 0;
}

static void tear_down(void) {
        inventory_done(&inventory);
}

static DeviceSpec any_spec(void) {
        static const unsigned classes[] = { CLASS_NET, CLASS_NET, CLASS_BLOCK, GPU };
        DeviceSpec spec;

        device_spec_init(&spec);
        spec.class = classes[unit_random(ELEMENTSOF(classes))];
        if (spec.class == CLASS_NET) {
                spec.net.max_vqp = (uint16_t) unit_random(6);
                spec.net.has_mac = unit_random(2);
                spec.net.mtu = unit_random(3) == 0 ? 1500 : 0;
                spec.has_features = unit_random(4) == 0;
                spec.features = spec.has_features ? FEATURE_NET_MAC | (unit_random(2) ? FEATURE_NET_CTRL_VQ : 0)
                                                  : 0;
        } else
                spec.n_vqs = (uint16_t) unit_random(16);
        spec.n_vq_groups = unit_random(5) == 0 ? (uint16_t) (1 + unit_random(4)) : 0;
        spec.share_msis = unit_random(4) == 0;
        spec.placement.policy = (PlacementPolicy) unit_random(_PLACEMENT_POLICY_MAX);
        spec.placement.numa_node = unit_random(4) == 0 ? (int) unit_random(N_NODES) : -1;
        if (unit_random(5) == 0)
                spec.placement.labels = json_pack("{s:s}", "rack", racks[unit_random(2)]);
        if (unit_random(10) == 0)
                ck_assert_int_gt(asprintf(&spec.mgmtdev, "pci/%02u", unit_random(N_MGMTDEVS + 1)), 0);
        return spec;
}

/* Everything but room. */
static bool can_make(const Place *p, const DeviceSpec *spec) {
        uint64_t offered = p->info.features[spec->class];
        uint32_t vqs = spec->class == CLASS_NET ? (spec->net.max_vqp > 1 ? 2u * spec->net.max_vqp + 1 : 2)
                       : spec->n_vqs            ? spec->n_vqs
                                                : class_n_vqs(spec->class);

        if (!p->present || !(p->info.classes >> spec->class & 1) || (p->info.max_vqs && vqs > p->info.max_vqs))
                return false;
        if (spec->has_features && offered && (spec->features & ~offered))
                return false;
        /* What it accepts leaves out MTU, features and groups. */
        if (p->info.knows_accepts && (spec->net.mtu || spec->has_features || spec->n_vq_groups))
                return false;
        if (spec->mgmtdev ? strcmp(spec->mgmtdev, p->info.handle) != 0 : p->info.only_by_name)
                return false;
        if (spec->placement.numa_node >= 0 && spec->placement.numa_node != p->info.numa_node)
                return false;
        return !spec->placement.labels ||
               (p->rack >= 0 &&
                strcmp(json_string_value(json_object_get(spec->placement.labels, "rack")), racks[p->rack]) == 0);
}

static void needs_at(const Place *p, const DeviceSpec *spec, uint32_t ret[_RESOURCE_MAX]) {
        Needs needs = needs_of(spec, p->info.features[spec->class]);

        ret[RESOURCE_DEVICES] = 1;
        ret[RESOURCE_ASIDS] = needs.n_asids;
        ret[RESOURCE_MSIS] = spec->share_msis ? 1 : needs.n_vqs + 1;
        ret[RESOURCE_VQS] = needs.n_vqs;
}

/* held: what others hold at each place; NULL: nothing, and nothing is cordoned. */
static bool has_room(unsigned place, const DeviceSpec *spec, uint32_t (*held)[_RESOURCE_MAX]) {
        const Place *p = &places[place];
        uint32_t needs[_RESOURCE_MAX];

        needs_at(p, spec, needs);
        for (Resource r = 0; r < _RESOURCE_MAX; r++)
                if (p->total[r] != UNKNOWN && needs[r] + p->never[r] + (held ? held[place][r] : 0) > p->total[r])
                        return false;
        return !held || !p->cordoned;
}

/* How full the scarcest resource would be. */
static double fullness(unsigned place, const DeviceSpec *spec, uint32_t (*held)[_RESOURCE_MAX]) {
        const Place *p = &places[place];
        uint32_t needs[_RESOURCE_MAX], vqs;
        double most = 0;

        needs_at(p, spec, needs);
        vqs = needs[RESOURCE_VQS];
        for (Resource r = 0; r < _RESOURCE_MAX; r++) {
                double taken, full;

                if (p->total[r] == UNKNOWN)
                        continue;
                taken = r == RESOURCE_MSIS ? vqs + 1 : needs[r];
                full = (p->never[r] + held[place][r] + taken) / p->total[r];
                if (full > 1)
                        full = 1;
                if (full > most)
                        most = full;
        }
        return most;
}

static void create(size_t *n_made, size_t *n_refused) {
        static Placement placement;
        uint32_t held[N_MGMTDEVS][_RESOURCE_MAX];
        _cleanup_(device_spec_done) DeviceSpec spec = any_spec();
        bool any_fits = false, any_could = false;
        unsigned chosen = N_MGMTDEVS;
        Candidate *c = &placement.chosen;
        char name[DEVICE_NAME_MAX];
        Device *device;
        Failure f;

        placement_find(&inventory, &spec, PLACEMENT_SPREAD, 1, &placement);
        for (unsigned i = 0; i < N_MGMTDEVS; i++) {
                for (Resource r = 0; r < _RESOURCE_MAX; r++)
                        held[i][r] = count_held(i, r);
                any_could = any_could || (can_make(&places[i], &spec) && has_room(i, &spec, NULL));
                any_fits = any_fits || (can_make(&places[i], &spec) && has_room(i, &spec, held));
                if (c->mgmtdev && strcmp(c->mgmtdev->info.handle, places[i].info.handle) == 0)
                        chosen = i;
        }
        ck_assert_int_eq(c->mgmtdev != NULL, any_fits);
        if (!any_fits) {
                ck_assert_int_eq(placement.is_hopeless, !any_could);
                (*n_refused)++;
                return;
        }

        ck_assert_uint_lt(chosen, N_MGMTDEVS);
        ck_assert(can_make(&places[chosen], &spec) && has_room(chosen, &spec, held));
        for (unsigned i = 0; i < N_MGMTDEVS; i++) {
                double theirs = fullness(i, &spec, held), ours = fullness(chosen, &spec, held);

                if (!can_make(&places[i], &spec) || !has_room(i, &spec, held))
                        continue;
                /* Scores are whole millionths. */
                if (spec.placement.policy == PLACEMENT_PACK)
                        ck_assert_double_ge(ours, theirs - 1e-6);
                else
                        ck_assert_double_le(ours, theirs + 1e-6);
        }

        (void) snprintf(name, sizeof name, "d%zu", *n_made);
        ck_assert_int_eq(device_new(name, &spec, 1, &device), 0);
        ck_assert_int_eq(inventory_add_device(&inventory, device, c->mgmtdev), 0);
        ck_assert_int_eq(device_acquire(device, &c->needs, 1, &f), 0);
        ck_assert_uint_eq(device->resources.n_msis, candidate_takes(c, RESOURCE_MSIS));
        live[n_live++] = (Live){
                device, chosen, { 1, device->resources.n_asids, device->resources.n_msis, device->resources.n_vqs }
        };
        (*n_made)++;
}

static void delete (size_t i) {
        device_release(live[i].device, 1);
        inventory_remove_device(&inventory, live[i].device);
        live[i] = live[--n_live];
}

static void change(void) {
        unsigned i = unit_random(N_MGMTDEVS);

        switch (unit_random(3)) {
        case 0:
                if (!mgmtdev_at(i))
                        break;
                places[i].cordoned = !places[i].cordoned && unit_random(3) == 0;
                places[i].rack = (int) unit_random(3) - 1;
                set_settings(i);
                break;
        case 1:
                places[i].present = unit_random(4) > 0;
                tell_inventory();
                break;
        case 2:
                /* All goes, at times: else only what is small fits into what is left. */
                for (size_t n = unit_random(20) == 0 ? n_live : 0; n > 0; n--)
                        delete (n_live - 1);
                break;
        }
}

START_TEST(test_twin) {
        size_t n = unit_is_slow() ? N_REQUESTS / 50 : N_REQUESTS, n_made = 0, n_refused = 0;

        for (size_t i = 0; i < n; i++) {
                if (n_live < MAX_LIVE && (n_live == 0 || unit_random(100) < 60))
                        create(&n_made, &n_refused);
                else
                        delete (unit_random((uint32_t) n_live));
                if (i % 100 == 99)
                        change();
        }

        /* Neither is rare, or this would say little. */
        ck_assert_uint_gt(n_made, n / 5);
        ck_assert_uint_gt(n_refused, n / 50);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, test_twin);
}

int main(void) {
        return unit_main("placement-twin", add);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/candidate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "inventory/feature.h"

/* Where a spec has what a management device has to take. */
static const char *const attribute_members[_ATTRIBUTE_MAX] = {
        [ATTRIBUTE_MAC] = "net",           [ATTRIBUTE_MTU] = "net", [ATTRIBUTE_MAX_VQP] = "net",
        [ATTRIBUTE_FEATURES] = "features", [ATTRIBUTE_VQS] = "vqs", [ATTRIBUTE_VQ_GROUPS] = "vq_groups",
};

static void add_obstacle(Candidate *c, Obstacle obstacle, bool is_hopeless) {
        c->obstacles |= UINT32_C(1) << obstacle;
        c->is_hopeless |= is_hopeless;
}

static uint32_t attributes_of(const DeviceSpec *spec) {
        return (uint32_t) spec->net.has_mac << ATTRIBUTE_MAC | (uint32_t) (spec->net.mtu > 0) << ATTRIBUTE_MTU |
               (uint32_t) (spec->net.max_vqp > 0) << ATTRIBUTE_MAX_VQP |
               (uint32_t) spec->has_features << ATTRIBUTE_FEATURES | (uint32_t) (spec->n_vqs > 0) << ATTRIBUTE_VQS |
               (uint32_t) (spec->n_vq_groups > 0) << ATTRIBUTE_VQ_GROUPS;
}

/* The virtqueues that a device certainly has: with more than one pair there is the control virtqueue too. */
static uint32_t least_vqs(const DeviceSpec *spec, const Needs *needs) {
        if (spec->class != CLASS_NET)
                return needs->n_vqs;
        return spec->net.max_vqp > 1 ? 2u * spec->net.max_vqp + 1 : 2;
}

/* What a device of the class can have there. */
static void check_abilities(Candidate *c, uint64_t offered) {
        const MgmtdevInfo *info = &c->mgmtdev->info;
        const DeviceSpec *spec = c->spec;

        /* A driver need not say what it offers; then the kernel decides. */
        c->missing_features = offered && spec->has_features ? spec->features & ~offered : 0;
        if (c->missing_features)
                add_obstacle(c, OBSTACLE_FEATURES, true);

        c->missing_attributes = info->knows_accepts ? attributes_of(spec) & ~info->accepts : 0;
        if (c->missing_attributes)
                add_obstacle(c, OBSTACLE_ATTRIBUTES, true);

        if (info->max_vqs && least_vqs(spec, &c->needs) > info->max_vqs)
                add_obstacle(c, OBSTACLE_MAX_VQS, true);
}

/* What was asked of the place itself. */
static void check_wishes(Candidate *c) {
        const Mgmtdev *m = c->mgmtdev;
        const PlacementSpec *wishes = &c->spec->placement;
        json_t *value;

        if (m->info.only_by_name && !c->spec->mgmtdev)
                add_obstacle(c, OBSTACLE_ONLY_BY_NAME, true);
        if (wishes->numa_node >= 0 && m->info.numa_node != wishes->numa_node)
                add_obstacle(c, OBSTACLE_NUMA_NODE, true);
        json_object_foreach(wishes->labels, c->missing_label, value)
                if (!json_equal(json_object_get(mgmtdev_labels(m), c->missing_label), value)) {
                        add_obstacle(c, OBSTACLE_LABELS, true);
                        break;
                }
        if (mgmtdev_is_cordoned(m))
                add_obstacle(c, OBSTACLE_CORDONED, false);
}

static void check_room(Candidate *c, uint64_t now_usec) {
        c->n_shortages = mgmtdev_check_needs(c->mgmtdev, &c->needs, now_usec, c->shortages);
        for (size_t i = 0; i < c->n_shortages; i++)
                add_obstacle(c, (Obstacle) (OBSTACLE_DEVICES + c->shortages[i].resource),
                             c->shortages[i].code == ERROR_UNSATISFIABLE);
}

/* Of one that fits. */
static void measure(Candidate *c, uint64_t now_usec) {
        for (Resource r = 0; r < _RESOURCE_MAX; r++) {
                Budget b = mgmtdev_budget(c->mgmtdev, r, now_usec);
                uint64_t fullness;

                if (!b.is_known)
                        continue;
                if (r == RESOURCE_MSIS)
                        c->free_msis = b.free;
                fullness = (uint64_t) (b.total - b.free + candidate_takes(c, r)) * CANDIDATE_SCORE_MAX / b.total;
                if (fullness > c->fullness)
                        c->fullness = (uint32_t) fullness;
        }
}

void candidate_evaluate(Candidate *c, Mgmtdev *m, const DeviceSpec *spec, uint64_t now_usec) {
        uint64_t offered;

        *c = (Candidate){ .mgmtdev = m, .spec = spec, .free_msis = UINT32_MAX };
        if (!mgmtdev_has_class(m, spec->class, &offered)) {
                add_obstacle(c, OBSTACLE_CLASS, true);
                return;
        }

        c->needs = needs_of(spec, offered);
        check_abilities(c, offered);
        check_wishes(c);
        check_room(c, now_usec);
        if (c->obstacles == 0)
                measure(c, now_usec);
}

void candidate_hold(Candidate *c, Device *device) {
        const DeviceResources *held = &device->resources;

        *c = (Candidate){ .mgmtdev = device->mgmtdev, .spec = &device->spec, .free_msis = UINT32_MAX };
        c->needs = (Needs){ .n_vqs = held->n_vqs, .n_asids = held->n_asids, .n_msis = held->n_msis };
}

uint32_t candidate_takes(const Candidate *c, Resource r) {
        uint32_t most = needs_most(&c->needs, r);

        return r == RESOURCE_MSIS && most > c->free_msis ? c->free_msis : most;
}

uint32_t candidate_score(const Candidate *c, PlacementPolicy policy) {
        return policy == PLACEMENT_PACK ? c->fullness : CANDIDATE_SCORE_MAX - c->fullness;
}

static uint32_t n_devices(const Candidate *c) {
        return c->mgmtdev->n_devices + c->mgmtdev->n_foreign;
}

bool candidate_is_better(const Candidate *a, const Candidate *b, PlacementPolicy policy) {
        uint32_t score_a = candidate_score(a, policy), score_b = candidate_score(b, policy);

        if (score_a != score_b)
                return score_a > score_b;
        if (n_devices(a) != n_devices(b))
                return policy == PLACEMENT_PACK ? n_devices(a) > n_devices(b) : n_devices(a) < n_devices(b);
        return strcmp(a->mgmtdev->info.handle, b->mgmtdev->info.handle) < 0;
}

/* Names the lowest of the missing features and counts the others. */
static void describe_features(const Candidate *c, char *buffer) {
        char name[FEATURE_NAME_MAX];
        int n = __builtin_popcountll(c->missing_features);

        (void) feature_format(c->spec->class, (unsigned) __builtin_ctzll(c->missing_features), name);
        if (n > 1)
                (void) snprintf(buffer, CANDIDATE_REASON_MAX, "does not offer %s and %d more", name, n - 1);
        else
                (void) snprintf(buffer, CANDIDATE_REASON_MAX, "does not offer %s", name);
}

static void describe_class(const Candidate *c, char *buffer) {
        char name[16];

        (void) snprintf(buffer, CANDIDATE_REASON_MAX, "cannot make %s devices", class_format(c->spec->class, name));
}

static MgmtdevAttribute first_attribute(const Candidate *c) {
        return (MgmtdevAttribute) __builtin_ctz(c->missing_attributes);
}

static void describe_attributes(const Candidate *c, char *buffer) {
        (void) snprintf(buffer, CANDIDATE_REASON_MAX, "does not take %s when it makes a device",
                        mgmtdev_attribute_name(first_attribute(c)));
}

static void describe_max_vqs(const Candidate *c, char *buffer) {
        (void) snprintf(buffer, CANDIDATE_REASON_MAX, "virtqueues: need %u, and a device there has %u at the most",
                        least_vqs(c->spec, &c->needs), c->mgmtdev->info.max_vqs);
}

static void describe_only_by_name(const Candidate *c, char *buffer) {
        (void) snprintf(buffer, CANDIDATE_REASON_MAX,
                        "makes only what a program has prepared there, and has to be named");
}

static void describe_numa_node(const Candidate *c, char *buffer) {
        int node = c->mgmtdev->info.numa_node;

        if (node >= 0)
                (void) snprintf(buffer, CANDIDATE_REASON_MAX, "NUMA node: need %d, is on %d",
                                c->spec->placement.numa_node, node);
        else
                (void) snprintf(buffer, CANDIDATE_REASON_MAX, "NUMA node: need %d, is on none",
                                c->spec->placement.numa_node);
}

static void describe_labels(const Candidate *c, char *buffer) {
        const char *have = json_string_value(json_object_get(mgmtdev_labels(c->mgmtdev), c->missing_label));
        const char *need = json_string_value(json_object_get(c->spec->placement.labels, c->missing_label));

        (void) snprintf(buffer, CANDIDATE_REASON_MAX, "label %s: need \"%.32s\", is %s%.32s%s", c->missing_label,
                        need, have ? "\"" : "", have ?: "not there", have ? "\"" : "");
}

static void describe_cordoned(const Candidate *c, char *buffer) {
        (void) snprintf(buffer, CANDIDATE_REASON_MAX, "is cordoned");
}

static void describe_shortage(const Candidate *c, Resource r, char *buffer) {
        for (size_t i = 0; i < c->n_shortages; i++)
                if (c->shortages[i].resource == r)
                        (void) snprintf(buffer, CANDIDATE_REASON_MAX, "%s", c->shortages[i].detail);
}

static void describe_devices(const Candidate *c, char *buffer) {
        describe_shortage(c, RESOURCE_DEVICES, buffer);
}

static void describe_asids(const Candidate *c, char *buffer) {
        describe_shortage(c, RESOURCE_ASIDS, buffer);
}

static void describe_msis(const Candidate *c, char *buffer) {
        describe_shortage(c, RESOURCE_MSIS, buffer);
}

static void describe_vqs(const Candidate *c, char *buffer) {
        describe_shortage(c, RESOURCE_VQS, buffer);
}

static const struct {
        const char *code;
        void (*describe)(const Candidate *c, char *buffer);
} obstacles[_OBSTACLE_MAX] = {
        [OBSTACLE_CLASS] = { "unsupported-class", describe_class },
        [OBSTACLE_FEATURES] = { "unsupported-feature", describe_features },
        [OBSTACLE_ATTRIBUTES] = { "unsupported-attribute", describe_attributes },
        [OBSTACLE_MAX_VQS] = { "out-of-range", describe_max_vqs },
        [OBSTACLE_ONLY_BY_NAME] = { "only-by-name", describe_only_by_name },
        [OBSTACLE_NUMA_NODE] = { "other-numa-node", describe_numa_node },
        [OBSTACLE_LABELS] = { "other-labels", describe_labels },
        [OBSTACLE_CORDONED] = { "cordoned", describe_cordoned },
        [OBSTACLE_DEVICES] = { "no-capacity", describe_devices },
        [OBSTACLE_ASIDS] = { "no-capacity", describe_asids },
        [OBSTACLE_MSIS] = { "no-capacity", describe_msis },
        [OBSTACLE_VQS] = { "no-capacity", describe_vqs },
};

const char *candidate_code(Obstacle obstacle) {
        return obstacles[obstacle].code;
}

const char *candidate_reason(const Candidate *c, Obstacle obstacle, char buffer[static CANDIDATE_REASON_MAX]) {
        obstacles[obstacle].describe(c, buffer);
        return buffer;
}

const char *candidate_member(const Candidate *c, Obstacle obstacle) {
        const char *place = c->spec->mgmtdev ? "mgmtdev" : NULL;

        switch (obstacle) {
        case OBSTACLE_CLASS:
                return "class";
        case OBSTACLE_FEATURES:
                return "features";
        case OBSTACLE_ATTRIBUTES:
                return attribute_members[first_attribute(c)];
        case OBSTACLE_MAX_VQS:
                return c->spec->class == CLASS_NET ? "net" : "vqs";
        case OBSTACLE_ONLY_BY_NAME:
                return "mgmtdev";
        case OBSTACLE_NUMA_NODE:
        case OBSTACLE_LABELS:
                return "placement";
        case OBSTACLE_CORDONED:
        case OBSTACLE_DEVICES:
        case OBSTACLE_ASIDS:
        case OBSTACLE_MSIS:
        case OBSTACLE_VQS:
        case _OBSTACLE_MAX:
                break;
        }
        return place;
}

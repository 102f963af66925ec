/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Specs made by chance: each encodes to JSON that decodes to an equal one, and two are equal if and only if what
 * was rolled for them is. */
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "inventory/resource.h"
#include "inventory/spec-json.h"
#include "unit.h"

#define NET_FEATURES (FEATURE_NET_MAC | FEATURE_NET_MTU | FEATURE_NET_MQ)

static char *random_text(size_t max) {
        static const char *const parts[] = { "a",  "Z",  "/",    "~",        "\"",
                                             "\\", "\n", "\x7f", "\xc3\xa4", "\xf0\x9f\x98\x80" };
        size_t n = 1 + unit_random((uint32_t) max - 4), used = 0;
        char *text = calloc(1, max + 1);

        ck_assert_ptr_nonnull(text);
        while (used < n)
                used = (size_t) (stpcpy(text + used, parts[unit_random(ELEMENTSOF(parts))]) - text);
        return text;
}

static json_t *random_labels(void) {
        uint32_t n = unit_random(LABELS_MAX + 1);
        json_t *labels;

        if (n == 0)
                return NULL;
        labels = json_object();
        while (n-- > 0) {
                _cleanup_free_ char *key = random_text(LABEL_KEY_MAX - 1), *value = random_text(LABEL_VALUE_MAX);

                ck_assert_int_eq(json_object_set_new(labels, key, json_string(value)), 0);
        }
        return labels;
}

static char *random_handle(void) {
        static const char *const handles[] = { "vdpasim_net", "pci/0000:01:00.0", "auxiliary/mlx5_core.sf.4" };

        return unit_random(2) ? NULL : strdup(handles[unit_random(ELEMENTSOF(handles))]);
}

static void random_net(NetSpec *net) {
        net->has_mac = unit_random(2);
        for (size_t i = 0; i < sizeof net->mac && net->has_mac; i++)
                net->mac[i] = (uint8_t) unit_random(256);
        if (net->has_mac)
                net->mac[0] = (net->mac[0] & 0xfe) | 2;
        net->mtu = unit_random(2) ? 0 : (uint16_t) (NET_MTU_MIN + unit_random(65536 - NET_MTU_MIN));
        net->max_vqp = unit_random(2) ? 0 : (uint16_t) (1 + unit_random(32767));
}

static void random_spec(DeviceSpec *spec) {
        device_spec_init(spec);
        spec->class = unit_random(2) ? CLASS_NET : 1 + unit_random(CLASS_MAX);
        spec->mgmtdev = random_handle();
        spec->driver = unit_random(2) ? BUS_DRIVER_VHOST_VDPA : BUS_DRIVER_VIRTIO_VDPA;
        spec->has_features = unit_random(2);
        if (spec->has_features)
                spec->features = (uint64_t) unit_random(UINT32_MAX) << 32 | unit_random(UINT32_MAX);
        if (spec->class == CLASS_NET) {
                random_net(&spec->net);
                spec->features |= spec->has_features ? NET_FEATURES : 0;
        }
        spec->owner = unit_random(2) ? NULL : random_text(OWNER_MAX);
        spec->labels = random_labels();
        spec->persistent = unit_random(2);
        spec->drift = (DriftMode) unit_random(_DRIFT_MODE_MAX);
        spec->n_vqs = spec->class == CLASS_NET ? 0 : (uint16_t) unit_random(DEVICE_VQS_MAX + 1);
        spec->n_vq_groups = (uint16_t) unit_random(DEVICE_VQ_GROUPS_MAX + 1);
        spec->share_msis = unit_random(2);
        spec->placement.policy = (PlacementPolicy) unit_random(_PLACEMENT_POLICY_MAX);
        spec->placement.numa_node = (int) unit_random(4) - 1;
        spec->placement.labels = random_labels();
        spec->endpoint.uid = unit_random(UINT32_MAX);
        spec->endpoint.gid = unit_random(UINT32_MAX);
        spec->endpoint.mode = unit_random(01000);
}

START_TEST(test_round_trip) {
        unsigned n = unit_is_slow() ? 200 : 5000;

        for (unsigned i = 0; i < n; i++) {
                _cleanup_(device_spec_done) DeviceSpec spec, decoded, copy;
                _cleanup_json_ json_t *json = NULL, *parsed = NULL;
                _cleanup_free_ char *text = NULL;
                JsonFaults faults = {};
                JsonDecoder d;

                device_spec_init(&decoded);
                random_spec(&spec);
                json = device_spec_encode(&spec);
                ck_assert_ptr_nonnull(json);
                text = json_dumps(json, JSON_COMPACT);
                parsed = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
                json_decoder_init(&d, &faults);
                ck_assert_msg(device_spec_decode(&d, parsed, &decoded) == 0, "%s: %s: %s", text,
                              faults.fault[0].pointer, faults.fault[0].detail);
                ck_assert(device_spec_equal(&spec, &decoded));
                ck_assert_int_eq(device_spec_copy(&decoded, &copy), 0);
                ck_assert(device_spec_equal(&spec, &copy));
        }
}
END_TEST

/* Two specs are equal if their JSON is. */
static bool json_says_equal(const DeviceSpec *a, const DeviceSpec *b) {
        _cleanup_json_ json_t *ja = device_spec_encode(a), *jb = device_spec_encode(b);

        ck_assert(ja && jb);
        return json_equal(ja, jb);
}

static void change_class(DeviceSpec *spec) {
        spec->class = spec->class % CLASS_MAX + 1;
}

static void change_mgmtdev(DeviceSpec *spec) {
        bool had_one = spec->mgmtdev;

        free(spec->mgmtdev);
        spec->mgmtdev = had_one ? NULL : strdup("m");
}

static void change_driver(DeviceSpec *spec) {
        spec->driver = BUS_DRIVER_VHOST_VDPA + BUS_DRIVER_VIRTIO_VDPA - spec->driver;
}

static void change_has_features(DeviceSpec *spec) {
        spec->has_features = !spec->has_features;
}

static void change_features(DeviceSpec *spec) {
        spec->has_features = true;
        spec->features ^= FEATURE_VERSION_1;
}

static void change_has_mac(DeviceSpec *spec) {
        spec->net.has_mac = !spec->net.has_mac;
}

static void change_mac(DeviceSpec *spec) {
        spec->net.has_mac = true;
        spec->net.mac[5] ^= 1;
}

static void change_mtu(DeviceSpec *spec) {
        spec->net.mtu ^= 1024;
}

static void change_max_vqp(DeviceSpec *spec) {
        spec->net.max_vqp ^= 1;
}

static void change_owner(DeviceSpec *spec) {
        bool had_one = spec->owner;

        free(spec->owner);
        spec->owner = had_one ? NULL : strdup("o");
}

static void change_labels(DeviceSpec *spec) {
        if (!spec->labels)
                spec->labels = json_object();
        ck_assert_int_eq(json_object_set_new(spec->labels, "one more", json_string("")), 0);
}

static void change_drift(DeviceSpec *spec) {
        spec->drift = (spec->drift + 1) % _DRIFT_MODE_MAX;
}

static void change_persistent(DeviceSpec *spec) {
        spec->persistent = !spec->persistent;
}

static void change_uid(DeviceSpec *spec) {
        spec->endpoint.uid ^= 1;
}

static void change_gid(DeviceSpec *spec) {
        spec->endpoint.gid ^= 1;
}

static void change_mode(DeviceSpec *spec) {
        spec->endpoint.mode ^= 0200;
}

static void change_vqs(DeviceSpec *spec) {
        spec->n_vqs ^= 1;
}

static void change_vq_groups(DeviceSpec *spec) {
        spec->n_vq_groups ^= 1;
}

static void change_msi_policy(DeviceSpec *spec) {
        spec->share_msis = !spec->share_msis;
}

static void change_placement_policy(DeviceSpec *spec) {
        spec->placement.policy = (spec->placement.policy + 1) % _PLACEMENT_POLICY_MAX;
}

static void change_numa_node(DeviceSpec *spec) {
        spec->placement.numa_node = (spec->placement.numa_node + 2) % 4 - 1;
}

static void change_placement_labels(DeviceSpec *spec) {
        if (!spec->placement.labels)
                spec->placement.labels = json_object();
        ck_assert_int_eq(json_object_set_new(spec->placement.labels, "one more", json_string("")), 0);
}

static void (*const changes[])(DeviceSpec *spec) = {
        change_class,
        change_mgmtdev,
        change_driver,
        change_has_features,
        change_features,
        change_owner,
        change_labels,
        change_uid,
        change_gid,
        change_mode,
        change_persistent,
        change_drift,
        change_vqs,
        change_vq_groups,
        change_msi_policy,
        change_placement_policy,
        change_numa_node,
        change_placement_labels,
        /* Of net devices. */
        change_has_mac,
        change_mac,
        change_mtu,
        change_max_vqp,
};

#define N_FOR_ALL 17

/* Each change makes another spec. */
START_TEST(test_each_change_counts) {
        unsigned n = unit_is_slow() ? 20 : 500;

        for (unsigned i = 0; i < n; i++) {
                _cleanup_(device_spec_done) DeviceSpec spec, other;

                random_spec(&spec);
                ck_assert_int_eq(device_spec_copy(&spec, &other), 0);
                ck_assert(device_spec_equal(&spec, &other) && json_says_equal(&spec, &other));
                if (_i >= N_FOR_ALL && spec.class != CLASS_NET)
                        continue;
                changes[_i](&other);
                ck_assert(!device_spec_equal(&spec, &other) && !device_spec_equal(&other, &spec));
                ck_assert(!json_says_equal(&spec, &other));
        }
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_round_trip);
        tcase_add_loop_test(tcase, test_each_change_counts, 0, (int) ELEMENTSOF(changes));
}

int main(void) {
        return unit_main("spec-twin", add);
}

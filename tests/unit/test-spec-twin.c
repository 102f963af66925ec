/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Specs made by chance: each encodes to JSON that decodes to an equal one, and two are equal if and only if what
 * was rolled for them is. */
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"
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

/* Each change makes another spec, and is taken back with the copy. */
START_TEST(test_each_change_counts) {
        unsigned n = unit_is_slow() ? 50 : 1000;

        for (unsigned i = 0; i < n; i++) {
                _cleanup_(device_spec_done) DeviceSpec spec;

                random_spec(&spec);
                for (unsigned change = 0; change < 10; change++) {
                        _cleanup_(device_spec_done) DeviceSpec other;

                        ck_assert_int_eq(device_spec_copy(&spec, &other), 0);
                        switch (change) {
                        case 0:
                                other.class = other.class % CLASS_MAX + 1;
                                break;
                        case 1:
                                other.driver = BUS_DRIVER_VHOST_VDPA + BUS_DRIVER_VIRTIO_VDPA - other.driver;
                                break;
                        case 2:
                                other.persistent = !other.persistent;
                                break;
                        case 3:
                                other.endpoint.uid ^= 1;
                                break;
                        case 4:
                                other.endpoint.gid ^= 1;
                                break;
                        case 5:
                                other.endpoint.mode ^= 0200;
                                break;
                        case 6:
                                other.has_features = !other.has_features;
                                break;
                        case 7:
                                free(other.owner);
                                other.owner = spec.owner ? NULL : strdup("o");
                                break;
                        case 8:
                                free(other.mgmtdev);
                                other.mgmtdev = spec.mgmtdev ? NULL : strdup("m");
                                break;
                        case 9:
                                if (!other.labels)
                                        other.labels = json_object();
                                json_object_set_new(other.labels, "one more", json_string(""));
                                break;
                        }
                        ck_assert_msg(!device_spec_equal(&spec, &other), "change %u", change);
                }
        }
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_round_trip);
        tcase_add_test(tcase, test_each_change_counts);
}

int main(void) {
        return unit_main("spec-twin", add);
}

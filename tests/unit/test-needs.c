/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/needs.h"

#include "inventory/class.h"
#include "inventory/feature.h"
#include "inventory/spec-json.h"
#include "unit.h"

static const struct {
        const char *spec;
        uint64_t offered;
        uint32_t n_vqs, n_asids, n_msis_least;
} needs[] = {
        { "{\"class\":\"net\"}", 0, 3, 2, 4 },
        { "{\"class\":\"net\"}", FEATURE_NET_MAC, 2, 1, 3 },
        { "{\"class\":\"net\"}", FEATURE_NET_CTRL_VQ, 3, 2, 4 },
        { "{\"class\":\"net\",\"net\":{\"max_vqp\":4}}", 0, 9, 2, 10 },
        { "{\"class\":\"net\",\"net\":{\"max_vqp\":4}}", FEATURE_NET_MQ, 8, 1, 9 },
        { "{\"class\":\"net\",\"net\":{\"max_vqp\":32767}}", 0, 65535, 2, 65536 },
        { "{\"class\":\"net\",\"features\":[]}", FEATURE_NET_CTRL_VQ, 2, 1, 3 },
        { "{\"class\":\"net\",\"features\":[\"CTRL_VQ\"]}", FEATURE_NET_MAC, 3, 2, 4 },
        { "{\"class\":\"net\",\"vq_groups\":1}", 0, 3, 1, 4 },
        { "{\"class\":\"net\",\"msi_policy\":\"shared\"}", 0, 3, 2, 1 },
        { "{\"class\":\"block\"}", 0, 1, 1, 2 },
        { "{\"class\":\"block\",\"vqs\":64,\"vq_groups\":8}", 0, 64, 8, 65 },
        { "{\"class\":\"gpu\"}", 0, 2, 1, 3 },
        { "{\"class\":\"63\"}", 0, 1, 1, 2 },
        /* The bit of CTRL_VQ is another feature there. */
        { "{\"class\":\"block\"}", FEATURE_NET_CTRL_VQ, 1, 1, 2 },
};

START_TEST(test_needs) {
        _cleanup_json_ json_t *json = json_loads(needs[_i].spec, 0, NULL);
        _cleanup_(device_spec_done) DeviceSpec spec;
        JsonFaults faults = {};
        JsonDecoder d;
        Needs n;

        json_decoder_init(&d, &faults);
        ck_assert_int_eq(device_spec_decode(&d, json, &spec), 0);
        n = needs_of(&spec, needs[_i].offered);
        ck_assert_uint_eq(needs_most(&n, RESOURCE_DEVICES), 1);
        ck_assert_uint_eq(needs_most(&n, RESOURCE_VQS), needs[_i].n_vqs);
        ck_assert_uint_eq(needs_least(&n, RESOURCE_ASIDS), needs[_i].n_asids);
        ck_assert_uint_eq(needs_most(&n, RESOURCE_MSIS), needs[_i].n_vqs + 1);
        ck_assert_uint_eq(needs_least(&n, RESOURCE_MSIS), needs[_i].n_msis_least);
}
END_TEST

static void add(TCase *tc) {
        tcase_add_loop_test(tc, test_needs, 0, ELEMENTSOF(needs));
}

int main(void) {
        return unit_main("needs", add);
}

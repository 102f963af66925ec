/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The body of a PATCH of a device: what it makes of a spec is a spec, and nothing has changed that must not. */
#include <errno.h>

#include "fuzz.h"
#include "http/body.h"
#include "inventory/spec-json.h"
#include "lifecycle/device-patch.h"

static const char *const bases[] = {
        "{\"class\":\"net\",\"owner\":\"vm:42\",\"labels\":{\"a\":\"1\",\"b\":\"2\"},"
        "\"net\":{\"mac\":\"02:00:00:00:00:2a\",\"mtu\":1500,\"max_vqp\":4},\"features\":[\"MAC\",\"MTU\",\"MQ\"]}",
        "{\"class\":\"block\",\"vqs\":2,\"persistent\":false}",
};

static void decode_good(json_t *json, DeviceSpec *ret) {
        JsonFaults faults = {};
        JsonDecoder d;

        json_decoder_init(&d, &faults);
        if (device_spec_decode(&d, json, ret) < 0) {
                (void) fprintf(stderr, "%s: %s\n", faults.fault[0].pointer, faults.fault[0].detail);
                abort();
        }
}

static void check(const DeviceSpec *before, const DeviceSpec *after, const DevicePatch *patch) {
        _cleanup_json_ json_t *json = device_spec_encode(after);
        _cleanup_(device_spec_done) DeviceSpec again;

        device_spec_init(&again);
        fuzz_expect(json);
        decode_good(json, &again);
        fuzz_expect(device_spec_equal(after, &again));
        fuzz_expect(before->class == after->class && before->driver == after->driver &&
                    before->net.mtu == after->net.mtu && before->net.max_vqp == after->net.max_vqp &&
                    before->persistent == after->persistent && before->n_vqs == after->n_vqs);
        fuzz_expect(patch->has_mac || patch->has_owner || patch->has_labels || device_spec_equal(before, after));
}

static void run(const char *base, json_t *patch) {
        _cleanup_json_ json_t *json = json_loads(base, 0, NULL);
        _cleanup_(device_spec_done) DeviceSpec before, after;
        DevicePatch decoded = {};
        JsonFaults faults = {};
        JsonDecoder d;
        int r;

        device_spec_init(&before);
        device_spec_init(&after);
        decode_good(json, &before);
        json_decoder_init(&d, &faults);
        r = device_patch_decode(&d, &before, patch, &after, &decoded);
        fuzz_expect(r == 0 || r == -EINVAL);
        if (r == 0 && faults.n == 0)
                check(&before, &after, &decoded);
        else
                fuzz_expect(faults.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *body = NULL;
        JsonFaults faults = {};
        Failure f = FAILURE_INIT;
        json_t *patch;

        if (http_body_parse((const char *) data, size, &faults, &f, &body) < 0)
                return 0;
        patch = json_object_get(body, "spec");
        for (size_t i = 0; i < ELEMENTSOF(bases) && json_is_object(patch); i++)
                run(bases[i], patch);
        return 0;
}

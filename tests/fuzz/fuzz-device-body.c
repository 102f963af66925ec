/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The body of a request that makes a device: what is taken as a spec means the same when it is read back. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "http/body.h"
#include "inventory/device-json.h"
#include "inventory/pool-json.h"
#include "inventory/spec-json.h"

static void check_faults(const JsonFaults *faults) {
        fuzz_expect(faults->n > 0 && faults->n <= JSON_FAULTS_MAX);
        for (size_t i = 0; i < faults->n; i++)
                fuzz_expect(faults->fault[i].code && faults->fault[i].detail[0] &&
                            memchr(faults->fault[i].pointer, '\0', JSON_POINTER_MAX));
}

static int decode(json_t *json, DeviceSpec *ret) {
        JsonDecoder d, in_spec;
        JsonFaults faults = {};
        int r;

        json_decoder_init(&d, &faults);
        json_decoder_enter(&in_spec, &d, "spec");
        r = device_spec_decode(&in_spec, json, ret);
        fuzz_expect(r == 0 || r == -EINVAL);
        if (r < 0)
                check_faults(&faults);
        else
                fuzz_expect(faults.n == 0);
        return r;
}

/* Takes spec over. */
static void check_spec(DeviceSpec *spec) {
        _cleanup_json_ json_t *json = device_spec_encode(spec), *again = NULL;
        _cleanup_(device_spec_done) DeviceSpec copy, decoded;

        device_spec_init(&copy);
        device_spec_init(&decoded);
        fuzz_expect(json && decode(json, &decoded) == 0);
        fuzz_expect(device_spec_equal(spec, &decoded) && device_spec_copy(spec, &copy) == 0 &&
                    device_spec_equal(&copy, &decoded));
        again = device_spec_encode(&decoded);
        fuzz_expect(again && json_equal(json, again));
}

/* The same of a pool's. */
static void check_pool(json_t *object) {
        _cleanup_json_ json_t *json = NULL, *encoded = NULL;
        JsonFaults faults = {};
        PoolSpec spec, again;
        JsonDecoder d;
        int r;

        json_decoder_init(&d, &faults);
        r = pool_spec_decode(&d, object, &spec);
        fuzz_expect(r == 0 || r == -EINVAL);
        if (r < 0) {
                check_faults(&faults);
                return;
        }
        fuzz_expect(spec.low >= 1 && spec.low <= spec.high && pool_fits(&(Pool){ .spec = spec }, &spec.device));
        json = pool_spec_encode(&spec);
        fuzz_expect(json && pool_spec_decode(&d, json, &again) == 0);
        encoded = pool_spec_encode(&again);
        fuzz_expect(encoded && json_equal(json, encoded));
        pool_spec_done(&spec);
        pool_spec_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        _cleanup_json_ json_t *body = NULL;
        JsonFaults faults = {};
        Failure f = FAILURE_INIT;
        json_t *object;

        device_spec_init(&spec);
        if (http_body_parse((const char *) data, size, &faults, &f, &body) < 0) {
                fuzz_expect(!body && f.code != ERROR_NONE && f.detail[0]);
                return 0;
        }

        fuzz_expect(json_is_object(body));
        object = json_object_get(body, "spec");
        if (json_is_object(object) && decode(object, &spec) == 0)
                check_spec(&spec);
        if (json_is_object(object))
                check_pool(object);
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/pool-json.h"

#include <errno.h>
#include <string.h>

#include "inventory/device-json.h"
#include "inventory/spec-json.h"
#include "util/clock.h"

/* What each device gets when it is claimed, and none has before. */
static void refuse_claimed(JsonDecoder *d, const DeviceSpec *spec) {
        static const char *const members[] = { "owner", "labels", "lease_seconds" };
        const bool given[] = { spec->owner, spec->labels, spec->lease_seconds > 0 };
        JsonDecoder in_net;

        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (given[i])
                        json_fault(d, members[i], "claimed", "is given when a device is claimed");
        json_decoder_enter(&in_net, d, "net");
        if (spec->net.has_mac)
                json_fault(&in_net, "mac", "claimed", "is given when a device is claimed");
}

static int decode_device(JsonDecoder *d, json_t *object, DeviceSpec *ret) {
        JsonDecoder in_device;
        json_t *device;
        int r;

        if (!json_object_get(object, "device"))
                json_fault(d, "device", "missing", "is required");
        if (!json_take_object(d, object, "device", &device))
                return -EINVAL;
        json_decoder_enter(&in_device, d, "device");
        r = device_spec_decode(&in_device, device, ret);
        if (r == 0)
                refuse_claimed(&in_device, ret);
        return r;
}

static void decode_marks(JsonDecoder *d, json_t *object, PoolSpec *ret) {
        int64_t low, high;

        if (!json_take_integer(d, object, "high", 1, POOL_HIGH_MAX, &high)) {
                if (!json_object_get(object, "high"))
                        json_fault(d, "high", "missing", "is required");
                high = POOL_HIGH_MAX;
        }
        if (!json_take_integer(d, object, "low", 1, POOL_HIGH_MAX, &low))
                low = (high + 1) / 2;
        else if (low > high)
                json_fault(d, "low", "out-of-range", "must not be above high");
        ret->low = (uint32_t) low;
        ret->high = (uint32_t) high;
}

int pool_spec_decode(JsonDecoder *d, json_t *object, PoolSpec *ret) {
        PoolSpec spec = { .on_return = POOL_SCRUB };
        size_t n_before = d->faults->n;
        const char *text;
        int r;

        device_spec_init(&spec.device);
        r = decode_device(d, object, &spec.device);
        decode_marks(d, object, &spec);
        if (json_take_string(d, object, "on_return", 32, &text) && pool_return_parse(text, &spec.on_return) < 0)
                json_fault(d, "on_return", "unknown-value", "must be scrub or destroy");
        json_end(d, object);

        if (r == 0 && d->faults->n > n_before)
                r = -EINVAL;
        if (r < 0) {
                pool_spec_done(&spec);
                return r;
        }
        *ret = spec;
        return 0;
}

json_t *pool_spec_encode(const PoolSpec *spec) {
        return json_pack("{s:o, s:I, s:I, s:s}", "device", device_spec_encode(&spec->device), "low",
                         (json_int_t) spec->low, "high", (json_int_t) spec->high, "on_return",
                         pool_return_name(spec->on_return));
}

static json_t *encode_macs(PoolMacs macs) {
        return macs == POOL_MACS_UNKNOWN ? json_null() : json_boolean(macs == POOL_MACS_CAN_BE_SET);
}

static json_t *status_encode(Inventory *inv, const Pool *pool) {
        /* clang-format off */
        return json_pack("{s:I, s:I, s:b, s:o, s:I, s:I, s:I, s:o}",
                         "free", (json_int_t) pool_count_free(inv, pool),
                         "making", (json_int_t) pool->n_making,
                         "filling", pool->is_filling,
                         "sets_mac", encode_macs(pool->macs),
                         "claims", (json_int_t) pool->n_claims,
                         "misses", (json_int_t) pool->n_misses,
                         "returns", (json_int_t) pool->n_returns,
                         "reason", reason_encode(pool->reason));
        /* clang-format on */
}

json_t *pool_encode(Inventory *inv, const Pool *pool) {
        char created[RFC3339_MAX];

        /* clang-format off */
        return json_pack("{s:s, s:s, s:I, s:s, s:o, s:o}",
                         "name", pool->name,
                         "uid", pool->uid,
                         "revision", (json_int_t) pool->revision,
                         "created", clock_format(pool->created_usec, created),
                         "spec", pool_spec_encode(&pool->spec),
                         "status", status_encode(inv, pool));
        /* clang-format on */
}

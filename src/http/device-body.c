/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/device-body.h"

#include <errno.h>
#include <string.h>

#include "inventory/spec-json.h"

json_t *http_device_body_take_spec(JsonDecoder *d, json_t *object) {
        json_t *spec = json_object_get(object, "spec");

        if (!spec || json_is_null(spec))
                json_fault(d, "spec", "missing", "is required");
        return json_take_object(d, object, "spec", &spec) ? spec : NULL;
}

const char *http_device_body_take_name(JsonDecoder *d, json_t *object, const char *member) {
        const char *name;

        if (!json_take_string(d, object, member, DEVICE_NAME_MAX - 1, &name))
                return NULL;
        if (device_name_is_valid(name))
                return name;
        json_fault(d, member, "bad-name", "is not a device name");
        return NULL;
}

int http_device_body_decode(JsonDecoder *d, json_t *object, const char *name, const char **ret_name,
                            DeviceSpec *ret) {
        const char *in_body = http_device_body_take_name(d, object, "name");
        JsonDecoder in_spec;
        json_t *spec;
        int r = -EINVAL;

        if (in_body && name && strcmp(name, in_body) != 0)
                json_fault(d, "name", "mismatch", "must be the name in the path");
        if (in_body)
                *ret_name = in_body;

        spec = http_device_body_take_spec(d, object);
        if (spec) {
                json_decoder_enter(&in_spec, d, "spec");
                r = device_spec_decode(&in_spec, spec, ret);
        }
        json_end(d, object);
        return r;
}

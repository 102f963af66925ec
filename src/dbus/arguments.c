/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/arguments.h"

#include <errno.h>
#include <string.h>

#include "dbus/error.h"
#include "dbus/variant.h"
#include "inventory/spec-json.h"

void arguments_init(Arguments *a) {
        *a = (Arguments){};
        json_decoder_init(&a->document, &a->faults);
}

void arguments_check_name(Arguments *a, const char *name) {
        if (!device_name_is_valid(name))
                json_fault_name(&a->document, DEVICE_NAME_MAX);
}

void arguments_check_handle(Arguments *a, const char *handle) {
        if (!handle_is_valid(handle))
                json_fault(&a->document, "handle", "bad-handle", "must be \"bus/device\" or \"device\"");
}

int arguments_read_name(Arguments *a, sd_bus_message *m, bool optional, const char **ret) {
        const char *name;
        int r;

        r = sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &name);
        if (r < 0)
                return r;
        if (*name || !optional)
                arguments_check_name(a, name);

        *ret = name;
        return 0;
}

int arguments_read_object(Arguments *a, sd_bus_message *m, const char *argument, JsonDecoder *d, json_t **ret) {
        json_decoder_enter(d, &a->document, argument);
        return variant_read_object(m, d, ret);
}

void arguments_take_revision(JsonDecoder *d, json_t *options, Precondition *ret) {
        int64_t revision;

        ret->has_revision = json_take_integer(d, options, "revision", 0, INT64_MAX, &revision);
        if (ret->has_revision)
                ret->revision = (uint64_t) revision;
}

void arguments_take_precondition(JsonDecoder *d, json_t *options, Precondition *ret) {
        int64_t generation;
        const char *uid;

        arguments_take_revision(d, options, ret);
        ret->has_generation = json_take_integer(d, options, "generation", 1, UINT32_MAX, &generation);
        if (ret->has_generation)
                ret->generation = (uint32_t) generation;
        if (json_take_string(d, options, "uid", UID_TEXT_MAX, &uid) && uid_parse(uid, ret->uid) < 0)
                json_fault(d, "uid", "bad-uid", "must be a UUID");
}

int arguments_take_key(JsonDecoder *d, json_t *options, const char *verb, const char *name, const json_t *arguments,
                       IdempotencyKey *ret) {
        const char *value;
        Digest digest;

        if (!json_take_string(d, options, "idempotency-key", IDEMPOTENCY_KEY_MAX + 1, &value))
                return 0;
        if (idempotency_key_parse(value, ret) < 0) {
                json_fault(d, "idempotency-key", "bad-key", "must be 1 to 128 visible characters of ASCII");
                return 0;
        }

        /* However it is written. */
        (void) json_object_del(options, "idempotency-key");
        digest_init(&digest);
        digest_add_text(&digest, "D-Bus");
        digest_add_text(&digest, verb);
        digest_add_text(&digest, name);
        if (digest_add_json(&digest, arguments) < 0 || digest_add_json(&digest, options) < 0)
                return -ENOMEM;
        digest_finish(&digest, ret->request);
        return 0;
}

bool arguments_end(const Arguments *a, sd_bus_message *m) {
        if (a->faults.n == 0)
                return true;

        (void) error_reply_faults(m, &a->faults);
        return false;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/arguments.h"

#include <string.h>

#include "dbus/error.h"
#include "dbus/variant.h"

void arguments_init(Arguments *a) {
        *a = (Arguments){};
        json_decoder_init(&a->document, &a->faults);
}

void arguments_check_name(Arguments *a, const char *name) {
        if (!device_name_is_valid(name))
                json_fault(&a->document, "name", "bad-name",
                           "must be 1 to %d of a-z, 0-9, '.', '_' and '-', with a letter or digit at both ends",
                           DEVICE_NAME_MAX - 1);
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

void arguments_take_precondition(JsonDecoder *d, json_t *options, Precondition *ret) {
        const char *uid;
        int64_t revision;

        ret->has_revision = json_take_integer(d, options, "revision", 0, INT64_MAX, &revision);
        if (ret->has_revision)
                ret->revision = (uint64_t) revision;
        if (!json_take_string(d, options, "uid", UID_TEXT_MAX, &uid))
                return;
        if (uid_is_valid(uid))
                strcpy(ret->uid, uid);
        else
                json_fault(d, "uid", "bad-uid", "must be a UUID");
}

bool arguments_end(const Arguments *a, sd_bus_message *m) {
        if (a->faults.n == 0)
                return true;

        (void) error_reply_faults(m, &a->faults);
        return false;
}

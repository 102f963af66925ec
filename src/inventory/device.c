/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/device.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "util/clock.h"
#include "util/random.h"
#include "util/slab.h"

/* Names have lengths like these, and then devices the same size. */
#define NAME_STEP 8u

static const char *const device_state_names[_DEVICE_STATE_MAX] = {
        [DEVICE_RESERVED] = "reserved", [DEVICE_CREATING] = "creating", [DEVICE_READY] = "ready",
        [DEVICE_DELETING] = "deleting", [DEVICE_FAILED] = "failed",     [DEVICE_LOST] = "lost",
};

const char *device_state_name(DeviceState state) {
        return device_state_names[state];
}

int device_state_parse(const char *text, DeviceState *ret) {
        for (DeviceState s = 0; s < _DEVICE_STATE_MAX; s++)
                if (strcmp(device_state_names[s], text) == 0) {
                        *ret = s;
                        return 0;
                }

        return -EINVAL;
}

/* By the length of the name; what devices of that size are in. */
static Slab *slab_of(const char *name) {
        static Slab slabs[DEVICE_NAME_MAX / NAME_STEP];
        size_t i = strlen(name) / NAME_STEP;

        if (slabs[i].size == 0)
                slabs[i] = SLAB_INIT(sizeof(Device) + (i + 1) * NAME_STEP);
        return &slabs[i];
}

int device_new(const char *name, DeviceSpec *spec, uint64_t now_usec, Device **ret) {
        char uid[UID_TEXT_MAX];

        uid_generate(now_usec, uid);
        return device_new_known(name, uid, spec, now_usec, ret);
}

int device_new_known(const char *name, const char *uid, DeviceSpec *spec, uint64_t created_usec, Device **ret) {
        Device *device;

        device = slab_allocate(slab_of(name));
        if (!device)
                return -ENOMEM;

        device->name = strcpy((char *) (device + 1), name);
        strcpy(device->uid, uid);
        device->created_usec = created_usec;
        device->generation = 1;
        device->state = DEVICE_RESERVED;
        device->spec = *spec;
        device_spec_init(spec);

        *ret = device;
        return 0;
}

Device *device_free(Device *device) {
        if (!device)
                return NULL;

        device_spec_done(&device->spec);
        device_resources_done(&device->resources);
        free(device->reason);
        free(device->lease_reason);
        slab_free(slab_of(device->name), device);
        return NULL;
}

static void set_failure(Failure **target, const Failure *reason) {
        Failure *copy = NULL;

        if (reason) {
                copy = malloc(sizeof *copy);
                if (copy)
                        *copy = *reason;
        }

        free(*target);
        *target = copy;
}

void device_set_reason(Device *device, const Failure *reason) {
        set_failure(&device->reason, reason);
}

void device_set_lease_reason(Device *device, const Failure *reason) {
        set_failure(&device->lease_reason, reason);
}

/* RFC 9562: 48 bits of milliseconds, then random bits around the version and the variant. */
void uid_generate(uint64_t now_usec, char ret[UID_TEXT_MAX]) {
        uint64_t msec = now_usec / USEC_PER_MSEC;
        sd_id128_t id;

        random_fill(&id, sizeof id);
        for (int i = 0; i < 6; i++)
                id.bytes[i] = (uint8_t) (msec >> (40 - 8 * i));
        id.bytes[6] = (id.bytes[6] & 0x0f) | 0x70;
        id.bytes[8] = (id.bytes[8] & 0x3f) | 0x80;
        sd_id128_to_uuid_string(id, ret);
}

int uid_parse(const char *text, char ret[static UID_TEXT_MAX]) {
        sd_id128_t id;

        if (strlen(text) != UID_TEXT_MAX - 1 || sd_id128_from_string(text, &id) < 0)
                return -EINVAL;
        sd_id128_to_uuid_string(id, ret);
        return 0;
}

bool uid_is_valid(const char *text) {
        char uid[UID_TEXT_MAX];

        return uid_parse(text, uid) == 0 && strcmp(uid, text) == 0;
}

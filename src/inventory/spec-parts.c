/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/spec-parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory/class.h"

int device_spec_split(const DeviceSpec *spec, SplitSpec *ret) {
        DeviceSpec common = *spec;

        common.owner = NULL;
        common.labels = NULL;
        common.net.has_mac = false;
        *ret = (SplitSpec){ .common = device_spec_format(&common) };
        if (spec->labels)
                ret->labels = json_dumps(spec->labels, JSON_COMPACT);
        if (!ret->common || (spec->labels && !ret->labels))
                return -ENOMEM;

        ret->parts = (SpecParts){
                .common = ret->common,
                .owner = spec->owner ?: "",
                .mac = spec->net.has_mac ? mac_format(spec->net.mac, ret->mac) : "",
                .labels = ret->labels ?: "",
        };
        return 0;
}

void split_spec_done(SplitSpec *split) {
        free(split->common);
        free(split->labels);
}

static int join_owner(JsonDecoder *d, const char *owner, DeviceSpec *spec) {
        _cleanup_json_ json_t *checked = NULL;

        if (!*owner)
                return 0;
        checked = json_string(owner);
        if (!checked || json_string_length(checked) > OWNER_MAX) {
                json_fault(d, "owner", "bad-owner", "must be UTF-8 of %d bytes at the most", OWNER_MAX);
                return 0;
        }
        free(spec->owner);
        spec->owner = strdup(owner);
        return spec->owner ? 0 : -ENOMEM;
}

static void join_mac(JsonDecoder *d, const char *mac, DeviceSpec *spec) {
        if (!*mac)
                return;
        spec->net.has_mac = true;
        if (spec->class != CLASS_NET || mac_parse(mac, spec->net.mac) < 0)
                json_fault(d, "net", "bad-mac", "has a MAC address that no device of this class can have");
}

static int join_labels(JsonDecoder *d, const char *text, DeviceSpec *spec) {
        _cleanup_json_ json_t *labels = NULL;
        bool out_of_memory = false;
        JsonDecoder in_labels;

        if (!*text)
                return 0;
        labels = json_parse(text, strlen(text), JSON_REJECT_DUPLICATES, NULL, &out_of_memory);
        if (out_of_memory)
                return -ENOMEM;
        if (!json_is_object(labels)) {
                json_fault(d, "labels", "wrong-type", "must be an object");
                return 0;
        }
        json_decref(TAKE_PTR(spec->labels));
        json_decoder_enter(&in_labels, d, "labels");
        return labels_decode(&in_labels, labels, &spec->labels);
}

int device_spec_join(JsonDecoder *d, const SpecParts *parts, DeviceSpec *spec) {
        size_t n_before = d->faults->n;

        join_mac(d, parts->mac, spec);
        if (join_owner(d, parts->owner, spec) < 0 || join_labels(d, parts->labels, spec) < 0)
                return -ENOMEM;
        return d->faults->n > n_before ? -EINVAL : 0;
}

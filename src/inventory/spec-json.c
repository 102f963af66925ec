/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/spec-json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature-json.h"
#include "inventory/feature.h"
#include "inventory/resource.h"

#define N_FEATURES    64
#define NUMA_NODE_MAX 1023 /* the most that Linux can be configured for */

void json_fault_name(JsonDecoder *d, size_t size) {
        json_fault(d, "name", "bad-name",
                   "must be 1 to %zu of a-z, 0-9, '.', '_' and '-', with a letter or digit at both ends", size - 1);
}

static void decode_class(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        const char *text;

        if (!json_take_string(d, object, "class", 32, &text)) {
                json_t *value = json_object_get(object, "class");

                if (!value || json_is_null(value))
                        json_fault(d, "class", "missing", "is required");
        } else if (class_parse(text, &spec->class) < 0)
                json_fault(d, "class", "unknown-class",
                           "must be a virtio device type, by name or by number (1 to %u)", CLASS_MAX);
}

static int decode_mgmtdev(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        const char *text;

        if (!json_take_string(d, object, "mgmtdev", HANDLE_MAX - 1, &text))
                return 0;
        if (!handle_is_valid(text)) {
                json_fault(d, "mgmtdev", "bad-handle", "must be \"bus/device\" or \"device\"");
                return 0;
        }

        spec->mgmtdev = strdup(text);
        return spec->mgmtdev ? 0 : -ENOMEM;
}

static void decode_driver(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        const char *text;

        if (json_take_string(d, object, "driver", 32, &text) && bus_driver_parse(text, &spec->driver) < 0)
                json_fault(d, "driver", "unknown-driver", "must be vhost_vdpa or virtio_vdpa");
}

/* Features go by names of the class, so without a class there is nothing to check them against. */
static void decode_features(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        JsonDecoder in_array;
        json_t *array, *value;
        size_t i;

        if (!json_take_array(d, object, "features", N_FEATURES, &array))
                return;

        spec->has_features = true;
        json_decoder_enter(&in_array, d, "features");
        json_array_foreach(array, i, value) {
                char index[24];
                unsigned bit;

                (void) snprintf(index, sizeof index, "%zu", i);
                if (!json_is_string(value))
                        json_fault(&in_array, index, "wrong-type", "must be a string");
                else if (spec->class == 0)
                        continue;
                else if (feature_parse(spec->class, json_string_value(value), &bit) < 0)
                        json_fault(&in_array, index, "unknown-feature",
                                   "a device of this class has no such feature");
                else
                        spec->features |= UINT64_C(1) << bit;
        }
}

static void decode_mac(JsonDecoder *d, json_t *object, NetSpec *net) {
        const char *text;

        if (!json_take_string(d, object, "mac", 64, &text))
                return;

        switch (mac_parse(text, net->mac)) {
        case 0:
                net->has_mac = true;
                break;
        case -EADDRNOTAVAIL:
                json_fault(d, "mac", "bad-mac", "must be a unicast address and not zero");
                break;
        default:
                json_fault(d, "mac", "bad-mac", "must be six pairs of hexadecimal digits with colons");
        }
}

/* A feature that an attribute needs must be among those asked for, if any are: the kernel says only EINVAL. */
static void check_net_feature(JsonDecoder *d, const DeviceSpec *spec, const char *member, bool given,
                              uint64_t feature) {
        if (given && spec->has_features && !(spec->features & feature))
                json_fault(d, member, "needs-feature", "needs the feature %s among \"features\"",
                           feature == FEATURE_NET_MAC   ? "MAC"
                           : feature == FEATURE_NET_MTU ? "MTU"
                                                        : "MQ");
}

static void decode_net(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        JsonDecoder in_net;
        json_t *net;
        int64_t n;

        if (!json_take_object(d, object, "net", &net))
                return;
        if (spec->class != CLASS_NET) {
                if (spec->class != 0)
                        json_fault(d, "net", "wrong-class", "only a device of class net has it");
                return;
        }

        json_decoder_enter(&in_net, d, "net");
        decode_mac(&in_net, net, &spec->net);
        if (json_take_integer(&in_net, net, "mtu", NET_MTU_MIN, UINT16_MAX, &n))
                spec->net.mtu = (uint16_t) n;
        if (json_take_integer(&in_net, net, "max_vqp", 1, 32767, &n))
                spec->net.max_vqp = (uint16_t) n;
        json_end(&in_net, net);

        check_net_feature(&in_net, spec, "mac", spec->net.has_mac, FEATURE_NET_MAC);
        check_net_feature(&in_net, spec, "mtu", spec->net.mtu != 0, FEATURE_NET_MTU);
        check_net_feature(&in_net, spec, "max_vqp", spec->net.max_vqp > 1, FEATURE_NET_MQ);
}

static int decode_owner(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        const char *text;

        if (!json_take_string(d, object, "owner", OWNER_MAX, &text) || !*text)
                return 0;

        spec->owner = strdup(text);
        return spec->owner ? 0 : -ENOMEM;
}

int labels_decode(JsonDecoder *d, json_t *labels, json_t **ret) {
        size_t n_before = d->faults->n;
        const char *key;
        json_t *value, *copy;

        if (json_object_size(labels) > LABELS_MAX)
                json_fault(d, NULL, "out-of-range", "must have %d labels at the most", LABELS_MAX);
        json_object_foreach(labels, key, value) {
                if (!*key || strlen(key) >= LABEL_KEY_MAX)
                        json_fault(d, key, "too-long", "a key must have 1 to %d bytes", LABEL_KEY_MAX - 1);
                else if (!json_is_string(value))
                        json_fault(d, key, "wrong-type", "must be a string");
                else if (strlen(json_string_value(value)) != json_string_length(value))
                        json_fault(d, key, "bad-string", "must not have a NUL character in it");
                else if (json_string_length(value) > LABEL_VALUE_MAX)
                        json_fault(d, key, "too-long", "must have %d bytes at the most", LABEL_VALUE_MAX);
        }

        *ret = NULL;
        if (d->faults->n > n_before || json_object_size(labels) == 0)
                return 0;
        copy = json_deep_copy(labels);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int labels_merge(const json_t *labels, json_t *changes, json_t **ret) {
        _cleanup_json_ json_t *merged = labels ? json_deep_copy(labels) : json_object();
        const char *key;
        json_t *value;

        if (!merged)
                return -ENOMEM;
        json_object_foreach(changes, key, value) {
                if (json_is_null(value))
                        (void) json_object_del(merged, key);
                else if (json_object_set(merged, key, value) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(merged);
        return 0;
}

static int decode_labels(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        JsonDecoder in_labels;
        json_t *labels;

        if (!json_take_object(d, object, "labels", &labels))
                return 0;

        json_decoder_enter(&in_labels, d, "labels");
        return labels_decode(&in_labels, labels, &spec->labels);
}

/* Permission bits in octal, as chmod(1) takes them. */
static void decode_mode(JsonDecoder *d, json_t *object, EndpointSpec *endpoint) {
        const char *text;
        unsigned long mode;
        char *end;

        if (!json_take_string(d, object, "mode", 8, &text))
                return;

        mode = strtoul(text, &end, 8);
        if (text[0] < '0' || text[0] > '7' || *end || mode > 0777)
                json_fault(d, "mode", "bad-mode", "must be permission bits in octal, from \"0000\" to \"0777\"");
        else
                endpoint->mode = (mode_t) mode;
}

static void decode_endpoint(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        JsonDecoder in_endpoint;
        json_t *endpoint;
        int64_t n;

        if (!json_take_object(d, object, "endpoint", &endpoint))
                return;

        /* The highest number is (uid_t) -1, which chown(2) takes for "leave it". */
        json_decoder_enter(&in_endpoint, d, "endpoint");
        if (json_take_integer(&in_endpoint, endpoint, "uid", 0, UINT32_MAX - 1, &n))
                spec->endpoint.uid = (uid_t) n;
        if (json_take_integer(&in_endpoint, endpoint, "gid", 0, UINT32_MAX - 1, &n))
                spec->endpoint.gid = (gid_t) n;
        decode_mode(&in_endpoint, endpoint, &spec->endpoint);
        json_end(&in_endpoint, endpoint);
}

static void decode_vqs(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        int64_t n;

        if (json_take_integer(d, object, "vqs", 1, DEVICE_VQS_MAX, &n)) {
                if (spec->class == CLASS_NET)
                        json_fault(d, "vqs", "wrong-class", "a net device has max_vqp in \"net\" instead");
                spec->n_vqs = (uint16_t) n;
        }
        if (json_take_integer(d, object, "vq_groups", 1, DEVICE_VQ_GROUPS_MAX, &n))
                spec->n_vq_groups = (uint16_t) n;
}

static void decode_msi_policy(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        const char *text;

        if (!json_take_string(d, object, "msi_policy", 32, &text))
                return;
        spec->share_msis = strcmp(text, "shared") == 0;
        if (!spec->share_msis && strcmp(text, "exclusive") != 0)
                json_fault(d, "msi_policy", "unknown-policy", "must be exclusive or shared");
}

static void decode_drift(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        const char *text;

        if (json_take_string(d, object, "drift", 32, &text) && drift_mode_parse(text, &spec->drift) < 0)
                json_fault(d, "drift", "unknown-mode", "must be observe or enforce");
}

static int decode_placement(JsonDecoder *d, json_t *object, DeviceSpec *spec) {
        PlacementSpec *p = &spec->placement;
        JsonDecoder in_placement, in_labels;
        json_t *placement, *labels;
        const char *text;
        int64_t n;
        int r = 0;

        if (!json_take_object(d, object, "placement", &placement))
                return 0;

        json_decoder_enter(&in_placement, d, "placement");
        if (json_take_string(&in_placement, placement, "policy", 32, &text) &&
            placement_policy_parse(text, &p->policy) < 0)
                json_fault(&in_placement, "policy", "unknown-policy", "must be spread or pack");
        if (json_take_integer(&in_placement, placement, "numa_node", 0, NUMA_NODE_MAX, &n))
                p->numa_node = (int) n;
        if (json_take_object(&in_placement, placement, "labels", &labels)) {
                json_decoder_enter(&in_labels, &in_placement, "labels");
                r = labels_decode(&in_labels, labels, &p->labels);
        }
        json_end(&in_placement, placement);
        return r;
}

int device_spec_decode(JsonDecoder *d, json_t *object, DeviceSpec *ret) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        size_t n_before = d->faults->n;
        int64_t lease;

        device_spec_init(&spec);
        decode_class(d, object, &spec);
        decode_driver(d, object, &spec);
        decode_features(d, object, &spec);
        decode_net(d, object, &spec);
        decode_endpoint(d, object, &spec);
        decode_vqs(d, object, &spec);
        decode_msi_policy(d, object, &spec);
        decode_drift(d, object, &spec);
        (void) json_take_bool(d, object, "persistent", &spec.persistent);
        if (json_take_integer(d, object, "lease_seconds", 0, LEASE_SECONDS_MAX, &lease))
                spec.lease_seconds = (uint32_t) lease;
        if (decode_mgmtdev(d, object, &spec) < 0 || decode_owner(d, object, &spec) < 0 ||
            decode_labels(d, object, &spec) < 0 || decode_placement(d, object, &spec) < 0)
                return -ENOMEM;
        json_end(d, object);
        if (d->faults->n > n_before)
                return -EINVAL;

        *ret = spec;
        device_spec_init(&spec);
        return 0;
}

/* What is absent unless it was asked for. */
static void write_given_string(JsonWriter *w, const char *key, const char *text) {
        if (text)
                json_write_string(w, key, text);
}

static void write_given_integer(JsonWriter *w, const char *key, unsigned n) {
        if (n > 0)
                json_write_integer(w, key, n);
}

static void write_given_labels(JsonWriter *w, const json_t *labels) {
        if (labels)
                json_write_tree(w, "labels", labels);
}

static void write_net(JsonWriter *w, const NetSpec *net) {
        char mac[MAC_TEXT_MAX];

        json_write_open(w, "net", '{');
        write_given_string(w, "mac", net->has_mac ? mac_format(net->mac, mac) : NULL);
        write_given_integer(w, "mtu", net->mtu);
        write_given_integer(w, "max_vqp", net->max_vqp);
        json_write_close(w, '}');
}

static void write_endpoint(JsonWriter *w, const EndpointSpec *endpoint) {
        unsigned mode = (unsigned) endpoint->mode;
        const char octal[] = { '0', (char) ('0' + (mode >> 6 & 7)), (char) ('0' + (mode >> 3 & 7)),
                               (char) ('0' + (mode & 7)), '\0' };

        json_write_open(w, "endpoint", '{');
        json_write_integer(w, "uid", endpoint->uid);
        json_write_integer(w, "gid", endpoint->gid);
        json_write_string(w, "mode", octal);
        json_write_close(w, '}');
}

static bool placement_is_given(const PlacementSpec *p) {
        return p->policy != PLACEMENT_DEFAULT || p->numa_node >= 0 || p->labels;
}

static void write_placement(JsonWriter *w, const PlacementSpec *p) {
        json_write_open(w, "placement", '{');
        write_given_string(w, "policy", placement_policy_name(p->policy));
        if (p->numa_node >= 0)
                json_write_integer(w, "numa_node", p->numa_node);
        write_given_labels(w, p->labels);
        json_write_close(w, '}');
}

/* A spec that asks for none of it is what it was before there was any. */
static void write_resources(JsonWriter *w, const DeviceSpec *spec) {
        write_given_integer(w, "vqs", spec->n_vqs);
        write_given_integer(w, "vq_groups", spec->n_vq_groups);
        write_given_string(w, "msi_policy", spec->share_msis ? "shared" : NULL);
        write_given_string(w, "drift", drift_mode_name(spec->drift));
        if (placement_is_given(&spec->placement))
                write_placement(w, &spec->placement);
}

void device_spec_write(JsonWriter *w, const char *key, const DeviceSpec *spec) {
        char class[16];

        json_write_open(w, key, '{');
        json_write_string(w, "class", class_format(spec->class, class));
        write_given_string(w, "mgmtdev", spec->mgmtdev);
        json_write_string(w, "driver", bus_driver_name(spec->driver));
        if (spec->has_features)
                features_write(w, "features", spec->class, spec->features);
        if (spec->class == CLASS_NET)
                write_net(w, &spec->net);
        write_given_string(w, "owner", spec->owner);
        write_given_labels(w, spec->labels);
        json_write_bool(w, "persistent", spec->persistent);
        json_write_integer(w, "lease_seconds", spec->lease_seconds);
        write_endpoint(w, &spec->endpoint);
        write_resources(w, spec);
        json_write_close(w, '}');
}

char *device_spec_format(const DeviceSpec *spec) {
        JsonWriter w = {};

        device_spec_write(&w, NULL, spec);
        return json_writer_take(&w);
}

json_t *device_spec_encode(const DeviceSpec *spec) {
        _cleanup_json_writer_ JsonWriter w = {};

        device_spec_write(&w, NULL, spec);
        return json_writer_parse(&w);
}

static bool text_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool net_equal(const NetSpec *a, const NetSpec *b) {
        return a->has_mac == b->has_mac && (!a->has_mac || memcmp(a->mac, b->mac, sizeof a->mac) == 0) &&
               a->mtu == b->mtu && a->max_vqp == b->max_vqp;
}

static bool endpoint_equal(const EndpointSpec *a, const EndpointSpec *b) {
        return a->uid == b->uid && a->gid == b->gid && a->mode == b->mode;
}

static bool labels_equal(const json_t *a, const json_t *b) {
        return a && b ? json_equal(a, b) : a == b;
}

static bool placement_equal(const PlacementSpec *a, const PlacementSpec *b) {
        return a->policy == b->policy && a->numa_node == b->numa_node && labels_equal(a->labels, b->labels);
}

/* Without the JSON forms, for which there may be no memory: "another spec" would be a wrong answer then. */
bool device_spec_equal(const DeviceSpec *a, const DeviceSpec *b) {
        return a->class == b->class && text_equal(a->mgmtdev, b->mgmtdev) && a->driver == b->driver &&
               a->has_features == b->has_features && (!a->has_features || a->features == b->features) &&
               net_equal(&a->net, &b->net) && text_equal(a->owner, b->owner) &&
               labels_equal(a->labels, b->labels) && a->persistent == b->persistent &&
               a->lease_seconds == b->lease_seconds && a->n_vqs == b->n_vqs && a->n_vq_groups == b->n_vq_groups &&
               a->share_msis == b->share_msis && a->drift == b->drift &&
               placement_equal(&a->placement, &b->placement) && endpoint_equal(&a->endpoint, &b->endpoint);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a user asks for: the desired half of a device. A spec that was decoded is normalised (defaults filled
 * in), so that two specs ask for the same thing if and only if they encode to equal JSON. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/macro.h"

/* "[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?" and the NUL. Names are the kernel's device names too, and parts of
 * sysfs paths, which this alphabet cannot leave. */
#define DEVICE_NAME_MAX 64

/* "bus/device" or "device" of a management device, and the NUL. */
#define HANDLE_MAX 128

#define OWNER_MAX       256
#define LABELS_MAX      32
#define LABEL_KEY_MAX   64
#define LABEL_VALUE_MAX 256
#define NET_MTU_MIN     68

/* A year. */
#define LEASE_SECONDS_MAX (366 * 86400)

typedef enum BusDriver {
        BUS_DRIVER_NONE,        /* observed only: no driver is bound */
        BUS_DRIVER_VHOST_VDPA,  /* for a VM or a user-space process: /dev/vhost-vdpa-N */
        BUS_DRIVER_VIRTIO_VDPA, /* for a container or the host: a netdev, a block device */
        BUS_DRIVER_OTHER,       /* observed only */
        _BUS_DRIVER_MAX,
} BusDriver;

typedef struct NetSpec {
        bool has_mac;
        uint8_t mac[6];
        uint16_t mtu;     /* bytes; 0: the management device's default */
        uint16_t max_vqp; /* virtqueue pairs; 0: the management device's default */
} NetSpec;

typedef struct EndpointSpec {
        uid_t uid;
        gid_t gid;
        mode_t mode; /* permission bits */
} EndpointSpec;

typedef enum PlacementPolicy {
        PLACEMENT_DEFAULT, /* what the configuration says */
        PLACEMENT_SPREAD,  /* where the most is free */
        PLACEMENT_PACK,    /* where the least is free */
        _PLACEMENT_POLICY_MAX,
} PlacementPolicy;

/* What becomes of a device that others have changed. */
typedef enum DriftMode {
        DRIFT_DEFAULT, /* what the configuration says */
        DRIFT_OBSERVE, /* it is told of */
        DRIFT_ENFORCE, /* and repaired, as far as that hurts nobody */
        _DRIFT_MODE_MAX,
} DriftMode;

/* Which management devices are good for it, and which of them is the best. */
typedef struct PlacementSpec {
        PlacementPolicy policy;
        int numa_node;  /* -1: any */
        json_t *labels; /* that the management device must have: an object of strings, or NULL: none */
} PlacementSpec;

typedef struct DeviceSpec {
        unsigned class;
        BusDriver driver;
        char *mgmtdev;     /* NULL: the daemon chooses */
        uint64_t features; /* the bits that the device shall offer, if has_features */
        bool has_features;
        bool persistent;
        bool share_msis; /* fewer MSI entries than virtqueues will do, if there are not as many */
        NetSpec net;
        uint32_t lease_seconds; /* that it lives without being renewed; 0: for ever */
        uint16_t n_vqs;         /* 0: those of the class; of net devices max_vqp says it */
        uint16_t n_vq_groups;   /* each with an ASID of its own; 0: those of the class and its features */
        DriftMode drift;
        EndpointSpec endpoint; /* of a char device; netdevs have no owner */
        char *owner;           /* NULL: none */
        json_t *labels;        /* an object of strings, or NULL: none */
        PlacementSpec placement;
} DeviceSpec;

/* What a spec has before anything was asked for. */
void device_spec_init(DeviceSpec *spec);

/* Frees what the spec holds and leaves it as device_spec_init() does. */
void device_spec_done(DeviceSpec *spec);

/* A deep copy that shares nothing, not even reference counts, with the original: another thread may have it.
 * Returns 0 or -ENOMEM. */
int device_spec_copy(const DeviceSpec *spec, DeviceSpec *ret);

bool device_name_is_valid(const char *name);
bool handle_is_valid(const char *handle);

/* "vhost_vdpa", "virtio_vdpa", "other"; NULL for BUS_DRIVER_NONE. */
const char *bus_driver_name(BusDriver driver);

/* One of the two that a user may ask for. Returns 0, or -EINVAL. */
int bus_driver_parse(const char *text, BusDriver *ret);

/* "spread", "pack"; NULL for PLACEMENT_DEFAULT. */
const char *placement_policy_name(PlacementPolicy policy);

/* Returns 0, or -EINVAL. */
int placement_policy_parse(const char *text, PlacementPolicy *ret);

/* "observe", "enforce"; NULL for DRIFT_DEFAULT. */
const char *drift_mode_name(DriftMode mode);

/* Returns 0, or -EINVAL. */
int drift_mode_parse(const char *text, DriftMode *ret);

/* "02:00:00:00:00:2a" and the NUL. */
#define MAC_TEXT_MAX 18
const char *mac_format(const uint8_t mac[6], char *buffer);

/* Six pairs of hexadecimal digits with colons, unicast and not zero. Returns 0, or -EINVAL for what is not a
 * MAC address, -EADDRNOTAVAIL for one that no device may have. */
int mac_parse(const char *text, uint8_t ret[6]);

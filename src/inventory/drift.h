/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is asked for against what is so: for one device, without I/O. */

#include <jansson.h>

#include "inventory/device.h"

typedef enum DriftKind {
        DRIFT_MISSING, /* the host does not have it */
        DRIFT_EXTRA,   /* the host has it, though it has failed */
        DRIFT_CHANGED, /* it is not as its spec says */
        DRIFT_FOREIGN, /* the host has it, and nobody here knows of it */
        _DRIFT_KIND_MAX,
} DriftKind;

/* In what a device differs from its spec, as far as the spec says anything and it can be seen. */
typedef enum DriftField {
        DRIFT_CLASS,
        DRIFT_FEATURES,
        DRIFT_MTU,
        DRIFT_MAX_VQP,
        DRIFT_VQS,
        DRIFT_VQ_GROUPS,
        DRIFT_DRIVER,
        DRIFT_ENDPOINT, /* it has none */
        DRIFT_MAC,
        DRIFT_UID,
        DRIFT_GID,
        DRIFT_ACCESS_MODE,
        _DRIFT_FIELD_MAX,
} DriftField;

/* What puts it right. */
typedef enum DriftRepair {
        REPAIR_CREATE,   /* it is made again */
        REPAIR_RECREATE, /* deleted, and made again: it cannot be changed in place */
        REPAIR_BIND,
        REPAIR_SET_MAC,
        REPAIR_PUBLISH, /* its endpoint is given to its owner */
        REPAIR_REMOVE,  /* what is left of it is deleted */
        _DRIFT_REPAIR_MAX,
} DriftRepair;

typedef struct Drift {
        DriftKind kind;
        uint32_t fields;  /* bits of DriftField, of one that has changed */
        uint32_t repairs; /* bits of DriftRepair */
} Drift;

/* Bits of DriftField. */
uint32_t drift_compare(const DeviceSpec *spec, const DeviceStatus *status);

/* Bits of DriftRepair. */
uint32_t drift_repairs(uint32_t fields);

/* Whether a device is not as it should be. One that has an operation under way is taken to become so. */
bool device_find_drift(const Device *device, Drift *ret);

/* "missing"; "recreate". */
const char *drift_kind_name(DriftKind kind);
int drift_kind_parse(const char *text, DriftKind *ret);
const char *drift_repair_name(DriftRepair repair);

/* An array of their names; an object of the fields that differ, as the spec and as the status has them. New
 * references, or NULL when out of memory. */
json_t *drift_repairs_encode(uint32_t repairs);
json_t *drift_expected_encode(const DeviceSpec *spec, uint32_t fields);
json_t *drift_observed_encode(const DeviceSpec *spec, const DeviceStatus *status, uint32_t fields);

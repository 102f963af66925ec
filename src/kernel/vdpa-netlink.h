/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands of the vdpa netlink family, one function each: builds the message, has it carried out, reads the
 * answer. All return 0, or a negative errno with f set: which command it was, what the errno says, and the kernel's
 * own words. */

#include "backend/backend.h"
#include "kernel/genl.h"

/* Whether the kernel has vDPA (-EPROTONOSUPPORT) and would let us make devices (-EPERM). */
int vdpa_netlink_probe(GenlSocket *s, Failure *f);

/* The arrays are the caller's to free(). A listing of devices can miss some that exist, when others are deleted
 * meanwhile: the kernel finds its place again by counting. That a device is gone must be asked of the device. */
int vdpa_netlink_list_mgmtdevs(GenlSocket *s, MgmtdevInfo **ret, size_t *ret_n, Failure *f);
int vdpa_netlink_list_devices(GenlSocket *s, BackendDevice **ret, size_t *ret_n, Failure *f);

/* What DEV_GET and DEV_CONFIG_GET tell of a device. */
typedef struct VdpaStatus {
        char name[DEVICE_NAME_MAX];
        char mgmtdev[HANDLE_MAX];
        bool has_config; /* what the latter tells is there, too */
        DeviceStatus status;
} VdpaStatus;

/* Of all devices with names that ours can have, in order of name; the array is the caller's to free(). Where the
 * kernel has not told all, has_config is false. */
int vdpa_netlink_list_statuses(GenlSocket *s, VdpaStatus **ret, size_t *ret_n, Failure *f);

/* In such an array; NULL: it does not have the device. */
VdpaStatus *vdpa_status_find(VdpaStatus *statuses, size_t n, const char *name);

/* ret_refused (set in any case): the attributes that the management device does not take, as bits of
 * MgmtdevAttribute, if the creation failed for that and the kernel says so. */
int vdpa_netlink_create(GenlSocket *s, const char *name, const char *mgmtdev, const DeviceSpec *spec,
                        uint32_t *ret_refused, Failure *f);

/* Finds out which attributes the management device takes, by a creation that it cannot but refuse. Returns 0 with
 * them in *ret, 1 if it has made a device after all, -EOPNOTSUPP if it does not tell, or another negative errno if
 * it could not be asked. */
int vdpa_netlink_probe_attributes(GenlSocket *s, const char *name, const MgmtdevInfo *mgmtdev, uint32_t *ret);

/* The device must not be bound to a driver; see kernel/binding.h. */
int vdpa_netlink_delete(GenlSocket *s, const char *name, Failure *f);

/* Fills in what the kernel knows of the device, and keeps the rest of status; and where the device is. */
int vdpa_netlink_get(GenlSocket *s, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *status,
                     Failure *f);
/* The same of its configuration. The kernel can tell that of net and block devices only; of others there is nothing
 * to fill in. */
int vdpa_netlink_get_config(GenlSocket *s, const char *name, DeviceStatus *status, Failure *f);

int vdpa_netlink_set_mac(GenlSocket *s, const char *name, const uint8_t mac[6], Failure *f);

/* The counters of all virtqueues; the array is the caller's to free(). */
int vdpa_netlink_get_stats(GenlSocket *s, const char *name, BackendStat **ret, size_t *ret_n, Failure *f);

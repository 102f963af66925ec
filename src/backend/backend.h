/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The contract between the lifecycle and what makes devices.
 *
 * Every function may block and is called on the backend's worker thread only, one at a time. Each step can be run
 * again: a step whose result is there already succeeds. Each returns 0, or a negative errno with the Failure
 * filled in for the user: what failed, the kernel's own text, and what to do about it. Nothing here may wait in
 * the kernel with a lock held that others need. */

#include <systemd/sd-event.h>

#include "inventory/device.h"
#include "inventory/error.h"
#include "inventory/mgmtdev.h"
#include "inventory/user.h"

typedef struct Backend Backend;

/* What this host can do; plain words for GET /v1/host. */
typedef struct BackendHost {
        bool available;      /* vDPA devices can be made now */
        char reason[256];    /* if not: why, and what to do */
        bool can_vhost_vdpa; /* the bus drivers that are there */
        bool can_virtio_vdpa;
        bool autoprobe; /* new devices are bound by the kernel to the first driver; rebinding costs a step */
} BackendHost;

/* One counter of a device's vendor statistics. */
typedef struct BackendStat {
        uint32_t queue;
        char name[64];
        uint64_t value;
} BackendStat;

/* The name and place of a device on the host, ours or foreign, with just what one listing tells. */
typedef struct BackendDevice {
        char name[DEVICE_NAME_MAX * 4];
        char mgmtdev[HANDLE_MAX];
        unsigned class;

        /* What it holds, where that is known: ASIDs, then MSI entries. In the same allocation as the device. */
        const uint32_t *ids;
        uint16_t n_asids;
        uint16_t n_msis;
        uint16_t n_vqs;
} BackendDevice;

/* One PCI function that can have virtual functions (SR-IOV), and what it and they take. */
typedef struct BackendSriov {
        char pf[PCI_ADDRESS_MAX];
        uint32_t total_vfs;    /* that it can have */
        uint32_t num_vfs;      /* that it has now, all made at once */
        uint16_t vf_device_id; /* PCI device ID of every VF; 0: not known */
        uint32_t msix_size;    /* entries of its own MSI-X table, at most 2048; 0: none, or not known */
        bool has_vf_total_msix;
        uint32_t vf_total_msix;    /* entries that it can deal out to its VFs, if it says so */
        bool has_buses;            /* where its VFs lie is known */
        uint32_t n_buses;          /* bus numbers that it and its VFs have now */
        uint32_t max_buses;        /* ... and would have with all VFs that it can have */
        uint32_t n_lost_vfs;       /* of those, VFs that would lie past the last bus number */
        uint32_t max_subfunctions; /* that it can have beside VFs, and without bus numbers; 0: none, or not known */
        bool simulated;
} BackendSriov;

/* Something may have changed on the host, by us or by others. Just a hint: it can come late, twice, for nothing, or
 * not at all; what is so has to be looked at. */
typedef struct BackendHint {
        const char *name;     /* of a device; NULL: anything may have changed */
        uint64_t event_count; /* a status that was seen at a higher one knows of it; or BACKEND_EVENT_UNKNOWN */
        bool is_removal;      /* something has gone, which is nothing new of a device that nobody knows */
} BackendHint;

/* No status knows of that for certain. */
#define BACKEND_EVENT_UNKNOWN UINT64_MAX

typedef struct BackendWatcher {
        void (*hint)(void *userdata, const BackendHint *hint);
        void *userdata;
} BackendWatcher;

typedef struct BackendOps {
        const char *name; /* "kernel", "sim" */

        int (*get_host)(Backend *b, BackendHost *ret, Failure *f);

        /* The arrays are the caller's to free(). */
        int (*list_mgmtdevs)(Backend *b, MgmtdevInfo **ret, size_t *ret_n, Failure *f);
        /* What the hardware has counted up to now: faults are told with the step that has raised them. NULL: it
         * does not count. False: there is no such management device. */
        bool (*get_counts)(Backend *b, const char *mgmtdev, MgmtdevCounts *ret);

        int (*list_devices)(Backend *b, BackendDevice **ret, size_t *ret_n, Failure *f);

        /* In order of address; none is no error. */
        int (*list_sriov)(Backend *b, BackendSriov **ret, size_t *ret_n, Failure *f);

        /* The device will be created, by the create() after those of all that were prepared before it, and there is
         * nothing but creations until then: it may be begun now. Fails in silence, and leaves it to create(). What
         * is passed stays as it is until then. NULL: there is nothing to be gained. */
        void (*prepare)(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec);

        /* Makes the device on the management device. ERROR_FOREIGN_DEVICE with -EEXIST if the name is taken: the
         * caller knows whether that can be its own work. The bus driver that the kernel binds by itself, if any,
         * is not yet the wanted one. */
        int (*create)(Backend *b, const char *name, const char *mgmtdev, const DeviceSpec *spec, Failure *f);

        /* Gives the device its address spaces and interrupts: an ASID for each virtqueue group, an MSI entry for
         * each virtqueue and one for configuration changes. Between create and bind; but also on a device that is
         * bound, whose holdings have changed or are not known to be in effect: where it has others, and the
         * hardware wants that, it is stopped meanwhile and may have another endpoint afterwards. ERROR_IN_USE with
         * -EBUSY if its endpoint is open then. destroy takes everything back. ERROR_BACKEND_FAILED naming the rule
         * where the hardware finds one broken. */
        int (*assign)(Backend *b, const char *name, const DeviceResources *resources, Failure *f);

        /* Binds the device to the driver, away from another one if need be, and waits for the endpoint (bounded),
         * but not until that is settled. ERROR_IN_USE with -EBUSY if it would have to be taken away from a
         * user. */
        int (*bind)(Backend *b, const char *name, BusDriver driver, Failure *f);

        /* Gives the endpoint its owner and mode; nothing to do for a netdev. */
        int (*publish)(Backend *b, const char *name, const EndpointSpec *endpoint, Failure *f);

        /* Everything there is to see of one device, and the management device that it is on. -ENODEV with
         * ERROR_DEVICE_NOT_FOUND if it is not there, which is certain then. */
        int (*observe)(Backend *b, const char *name, char ret_mgmtdev[HANDLE_MAX], DeviceStatus *ret, Failure *f);

        /* Very many devices will be observed, one after the other: where it is cheaper to see all of them at once
         * that is done now, and for some seconds observe() may tell of it, as far as nothing here has changed the
         * device. NULL: it is not cheaper. */
        void (*observe_all)(Backend *b);

        /* Sets the MAC address of a net device in place, and checks that it took. ERROR_NOT_SUPPORTED where the
         * management device cannot. */
        int (*set_mac)(Backend *b, const char *name, const uint8_t mac[6], Failure *f);

        /* Unbinds and deletes; a device that is not there is success. ERROR_IN_USE with -EBUSY while its endpoint
         * is open, with the device left as it was and those who use it in ret_users (which may be NULL), as far as
         * they are known; no window is left between that check and the act. */
        int (*destroy)(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f);

        /* Takes the device away from its driver, and what its user has left with it: what the driver was told, what
         * the hardware has counted, where it can be cleared. The MAC address and what was assigned stay.
         * ERROR_IN_USE as for destroy. */
        int (*scrub)(Backend *b, const char *name, DeviceUsers *ret_users, Failure *f);

        /* Whether the device that has the name now was made here, or published, by this daemon or one before it.
         * False if others have made it, whoever had the name before, and if there is none. */
        bool (*is_ours)(Backend *b, const char *name);

        /* The command that the worker's thread waits for just now ("VDPA_CMD_DEV_NEW"), or NULL. On any thread.
         * NULL where there are no commands. */
        const char *(*get_command)(Backend *b);

        /* Who uses the device, found without touching it. Returns 1: it is in use; 0: it is not; or a negative
         * errno: that cannot be said. The one function that may be called on any thread, beside the others, and
         * that waits for no command of theirs. */
        int (*find_users)(Backend *b, const char *name, DeviceUsers *ret);

        /* Vendor statistics of every virtqueue; the array is the caller's to free(). ERROR_NOT_SUPPORTED where
         * the class or the management device has none. */
        int (*get_stats)(Backend *b, const char *name, BackendStat **ret, size_t *ret_n, Failure *f);

        /* Whether nobody has the device open just now. ERROR_IN_USE with -EBUSY if somebody has. */
        int (*check_idle)(Backend *b, const char *name, Failure *f);

        /* The IDs that a device holds, whoever has given them to it. -EOPNOTSUPP where nobody can tell. */
        int (*get_resources)(Backend *b, const char *name, DeviceResources *ret, Failure *f);

        /* Unlike all others, these two are called on the loop's thread, and do not block: the watcher (weak) is
         * given hints there from now on, until unwatch() or free(). NULL: this backend has none to give. */
        int (*watch)(Backend *b, sd_event *event, const BackendWatcher *watcher);
        void (*unwatch)(Backend *b);

        Backend *(*free)(Backend *b);
} BackendOps;

/* Embedded first in every backend's own structure. */
struct Backend {
        const BackendOps *ops;
};

static inline _unused_ void backend_freep(Backend **b) {
        if (*b)
                (*b)->ops->free(*b);
}

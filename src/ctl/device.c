/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl device: its verbs and their options. */

#include "ctl/device.h"
#include "ctl/watch.h"

#define CONDITION_OPTIONS                                                                                          \
        { "uid", "UID", "only if this is its uid, and not that of a later device of the same name" }, {            \
                "generation", "N", "only if its spec has changed no further"                                       \
        }

#define DRIFT_OPTION                                                                                               \
        {                                                                                                          \
                "drift", "MODE", "what to do when others change it: observe, or enforce; else as configured",      \
                        .values = VALUES_DRIFT_MODES                                                               \
        }

static const Option create_options[] = {
        { "class", "CLASS", "what device: net, block, fs, ..., or a virtio device type's number (needed)",
          .values = VALUES_CLASSES },
        { "mgmtdev", "HANDLE", "the management device that makes it; else the daemon chooses one",
          .values = VALUES_MGMTDEVS },
        { "driver", "DRIVER",
          "vhost_vdpa, for a VM or a process (the default); or virtio_vdpa, for a container or "
          "the host",
          .values = VALUES_DRIVERS },
        { "mac", "MAC", "MAC address (class net)" },
        { "mtu", "BYTES", "MTU (class net)" },
        { "max-vqp", "N", "virtqueue pairs (class net)" },
        { "vqs", "N", "virtqueues (classes other than net)" },
        { "vq-groups", "N", "virtqueue groups, each with an address space of its own" },
        { "msi-policy", "POLICY",
          "exclusive (the default): an MSI entry for each virtqueue; or shared, where there are too few",
          .values = VALUES_MSI_POLICIES },
        { "placement", "POLICY", "spread, where the most is free, or pack, where the least is; else as configured",
          .values = VALUES_PLACEMENTS },
        { "numa-node", "N", "only on a management device at this NUMA node" },
        { "mgmtdev-label", "KEY=VALUE", "only on a management device with this label; may be repeated" },
        { "features", "NAME,...", "virtio features to offer, such as MQ,CSUM; else all there are" },
        { "owner", "TEXT", "whom it is for" },
        { "label", "KEY=VALUE", "a label; may be repeated" },
        { "endpoint", "USER:GROUP:MODE",
          "who may open its device node, such as libvirt-qemu:kvm:0660; a part may be "
          "empty" },
        { "lease", "SECONDS", "delete it unless it is renewed within this time" },
        DRIFT_OPTION,
        { "no-persistent", NULL, "do not make it again after a boot of the host" },
        { "count", "N", "make N devices that are alike" },
        { "prefix", "PREFIX", "with --count: call them PREFIX1, PREFIX2, ...; else the daemon names them" },
        { "file", "FILE",
          "make the devices that FILE (- is standard input) lists as JSON; the other options hold for what it does "
          "not say",
          'f', VALUES_FILES },
        { "jobs", "N", "make so many at a time (8)" },
        { "wait", NULL, "try again while the daemon cannot be reached, is overloaded or has no room" },
        { "atomic", NULL, "make all of them, or none: in one request, of up to 10000 devices" },
        { "dry-run", NULL, "only show where it would be made, and what it would take" },
        {},
};

static const Option list_options[] = {
        { "class", "CLASS", "only devices of this class", .values = VALUES_CLASSES },
        { "state", "STATE", "only devices in this state: reserved, creating, ready, deleting, failed, lost",
          .values = VALUES_STATES },
        { "mgmtdev", "HANDLE", "only devices on this management device", .values = VALUES_MGMTDEVS },
        { "owner", "TEXT", "only devices of this owner" },
        { "label", "KEY=VALUE", "only devices with this label; if repeated, with all of them" },
        { "prefix", "PREFIX", "only devices whose names begin so" },
        { "limit", "N", "no more than N devices" },
        WATCH_OPTIONS,
        {},
};

static const Option watch_options[] = { WATCH_OPTIONS, {} };

static const Option set_options[] = {
        { "mac", "MAC", "another MAC address (class net)" },
        { "owner", "TEXT", "another owner" },
        { "no-owner", NULL, "no owner" },
        { "label", "KEY=VALUE", "add or change a label; may be repeated" },
        { "no-label", "KEY", "remove a label; may be repeated" },
        { "lease", "SECONDS", "from now on, delete it unless it is renewed within this time; 0: never" },
        DRIFT_OPTION,
        CONDITION_OPTIONS,
        {},
};

static const Option renew_options[] = {
        { "lease", "SECONDS", "from now on another time, instead of the one that it has" },
        CONDITION_OPTIONS,
        {},
};

static const Option adopt_options[] = {
        { "owner", "TEXT", "whom it is for" },
        { "label", "KEY=VALUE", "a label; may be repeated" },
        { "endpoint", "USER:GROUP:MODE", "who may open its device node from now on; a part may be empty" },
        { "lease", "SECONDS", "delete it unless it is renewed within this time" },
        DRIFT_OPTION,
        { "no-persistent", NULL, "do not make it again after a boot of the host" },
        { "class", "CLASS", "only if it is this", .values = VALUES_CLASSES },
        { "mgmtdev", "HANDLE", "only if it is there", .values = VALUES_MGMTDEVS },
        { "driver", "DRIVER", "only if it is bound to it", .values = VALUES_DRIVERS },
        { "mac", "MAC", "only if it has this MAC address" },
        {},
};

static const Option delete_options[] = {
        { "missing-ok", NULL, "a device that is not there counts as deleted" },
        { "uid", "UID", "only if this is its uid, and not that of a later device of the same name" },
        { "file", "FILE", "delete the devices that FILE (- is standard input) lists as JSON", 'f', VALUES_FILES },
        { "jobs", "N", "delete so many at a time (8)" },
        { "wait", NULL, "try again while a device is in use, or the daemon cannot be reached" },
        {},
};

static const Option wait_options[] = {
        { "for", "STATE",
          "wait until it is reserved, creating, ready (the default), deleting, failed, lost; or gone",
          .values = VALUES_WAIT_STATES },
        {},
};

static const Verb verbs[] = {
        { .name = "create",
          .synopsis = "[NAME...] --class CLASS [OPTION...]",
          .help = "Make devices, or confirm that they are there as asked for",
          .details =
                  "Without NAME the daemon chooses one. With NAME the same command may be given again: it succeeds "
                  "if the device is there and was made with the same options. A FILE has objects with \"name\" and "
                  "\"spec\", one after the other, in an array, or as 'device list -o json' writes them.",
          .options = create_options,
          .max_operands = SIZE_MAX,
          .run = device_create },
        { .name = "list",
          .synopsis = "[OPTION...]",
          .help = "List devices",
          .options = list_options,
          .run = device_list },
        { .name = "show",
          .synopsis = "NAME [OPTION...]",
          .help = "Show one device",
          .options = watch_options,
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_DEVICES,
          .run = device_show },
        { .name = "set",
          .synopsis = "NAME [OPTION...]",
          .help = "Change a device in place",
          .options = set_options,
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_DEVICES,
          .run = device_set },
        { .name = "renew",
          .synopsis = "NAME [OPTION...]",
          .help = "Renew the lease of a device",
          .options = renew_options,
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_DEVICES,
          .run = device_renew },
        { .name = "adopt",
          .synopsis = "NAME [OPTION...]",
          .help = "Take over a device that somebody else has made",
          .details =
                  "It stays as it is, and whoever uses it does not notice. 'drift list --kind foreign' lists what "
                  "there is to be taken over.",
          .options = adopt_options,
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_FOREIGN_DEVICES,
          .run = device_adopt },
        { .name = "delete",
          .synopsis = "[NAME...] [OPTION...]",
          .help = "Delete devices",
          .details = "A device whose endpoint is open is not deleted. All are tried. A FILE has names, or objects "
                     "with "
                     "\"name\"; where such an object has a \"uid\", only the device that has it is deleted. So "
                     "'device list -o json' can be piped into it.",
          .options = delete_options,
          .max_operands = SIZE_MAX,
          .operands = VALUES_DEVICES,
          .run = device_delete },
        { .name = "wait",
          .synopsis = "NAME... [OPTION...]",
          .help = "Wait until devices are in a state",
          .details = "A device that is not there yet is waited for. --timeout is for each device.",
          .options = wait_options,
          .min_operands = 1,
          .max_operands = SIZE_MAX,
          .operands = VALUES_DEVICES,
          .run = device_wait },
        { .name = "stats",
          .synopsis = "NAME",
          .help = "Show the vendor statistics of a device's virtqueues",
          .min_operands = 1,
          .max_operands = 1,
          .operands = VALUES_DEVICES,
          .run = device_stats },
        {},
};

const Noun noun_device = { .name = "device", .help = "Devices", .verbs = verbs };

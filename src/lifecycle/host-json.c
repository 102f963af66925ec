/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/host-json.h"

#include <sys/utsname.h>
#include <systemd/sd-id128.h>

#include "lifecycle/device-listing.h"
#include "lifecycle/sriov-json.h"
#include "lifecycle/stuck.h"
#include "util/clock.h"
#include "util/json.h"

static json_t *encode_drivers(const BackendHost *host) {
        return json_pack("{s:b, s:b}", bus_driver_name(BUS_DRIVER_VHOST_VDPA), host->can_vhost_vdpa,
                         bus_driver_name(BUS_DRIVER_VIRTIO_VDPA), host->can_virtio_vdpa);
}

static json_t *encode_devices(Inventory *inventory) {
        json_t *object = json_pack("{s:I}", "total", (json_int_t) inventory->n_devices);
        json_int_t n_foreign = 0;

        for (DeviceState state = 0; state < _DEVICE_STATE_MAX; state++)
                if (json_object_set_new(object, device_state_name(state),
                                        json_integer((json_int_t) inventory->n_states[state])) < 0) {
                        json_decref(object);
                        return NULL;
                }

        for (Mgmtdev *m = inventory_first_mgmtdev(inventory); m; m = inventory_next_mgmtdev(m))
                n_foreign += m->n_foreign;
        if (json_object_set_new(object, "foreign", json_integer(n_foreign)) < 0) {
                json_decref(object);
                return NULL;
        }

        return object;
}

static json_t *encode_store(const StoreTrouble *trouble) {
        char since[RFC3339_MAX];

        if (!trouble)
                return json_pack("{s:b, s:n, s:n}", "writable", 1, "reason", "since");
        return json_pack("{s:b, s:o, s:s}", "writable", 0, "reason", json_text(trouble->failure.detail), "since",
                         clock_format(trouble->since_usec, since));
}

json_t *host_encode(Lifecycle *l) {
        const BackendHost *host = lifecycle_host(l);
        Inventory *inventory = lifecycle_inventory(l);
        const BackendSriov *sriov;
        json_int_t max_per_owner = (json_int_t) inventory->owners.max_devices;
        struct utsname kernel;
        sd_id128_t boot_id;
        size_t n_sriov;

        /* Neither can fail but for a system without a kernel release or /proc. */
        if (uname(&kernel) < 0)
                kernel.release[0] = '\0';
        if (sd_id128_get_boot(&boot_id) < 0)
                boot_id = SD_ID128_NULL;

        sriov = lifecycle_sriov(l, &n_sriov);
        /* clang-format off */
        return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:b, s:o, s:I, s:o, s:{s:I, s:o, s:I, s:i}}",
                         "version", PACKAGE_VERSION,
                         "kernel", kernel.release,
                         "boot_id", SD_ID128_TO_UUID_STRING(boot_id),
                         "backend", lifecycle_backend_name(l),
                         "available", host->available,
                         "reason", host->available ? json_null() : json_text(host->reason),
                         "store", encode_store(lifecycle_trouble(l)),
                         "stuck", stuck_encode(l),
                         "drivers", encode_drivers(host),
                         "autoprobe", host->autoprobe,
                         "devices", encode_devices(inventory),
                         "operations", (json_int_t) lifecycle_n_operations(l),
                         "sriov", sriov_encode(sriov, n_sriov, inventory, clock_monotonic_usec()),
                         "limits",
                         "max_devices", (json_int_t) inventory->max_devices,
                         "max_devices_per_owner", max_per_owner > 0 ? json_integer(max_per_owner) : json_null(),
                         "max_operations", (json_int_t) lifecycle_max_operations(l),
                         "max_list", DEVICE_LISTING_MAX);
        /* clang-format on */
}

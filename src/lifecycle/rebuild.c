/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/rebuild.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "inventory/idlist.h"
#include "inventory/space.h"
#include "inventory/spec-json.h"
#include "util/clock.h"

/* What a net device has that was not asked for anything else. */
#define MTU_DEFAULT 1500

/* Who has the endpoint keeps it. */
static void observe_endpoint(const DeviceStatus *status, EndpointSpec *endpoint) {
        struct stat st;

        if (status->simulated || strncmp(status->endpoint, "/dev/vhost-vdpa", 15) != 0 ||
            stat(status->endpoint, &st) < 0)
                return;
        *endpoint = (EndpointSpec){ .uid = st.st_uid, .gid = st.st_gid, .mode = st.st_mode & 0777 };
}

/* As little as makes the same device again. */
static void spec_of(const DeviceStatus *status, DeviceSpec *spec) {
        spec->class = status->class;
        spec->driver = status->driver;
        if (spec->class == CLASS_NET) {
                spec->net.has_mac = status->net.has_mac;
                memcpy(spec->net.mac, status->net.mac, sizeof spec->net.mac);
                spec->net.mtu = status->net.mtu == MTU_DEFAULT ? 0 : status->net.mtu;
                spec->net.max_vqp = status->net.max_vqp > 1 ? status->net.max_vqp : 0;
        }
        observe_endpoint(status, &spec->endpoint);
}

/* All management devices of the host. */
typedef struct Hosts {
        MgmtdevInfo *info;
        size_t n;
} Hosts;

/* Of a device that holds something, the key of the space that its ASIDs are from; "" if that is not known. */
static void find_space(const Hosts *hosts, const BackendDevice *seen, char ret[SPACE_KEY_MAX]) {
        ret[0] = '\0';
        for (size_t i = 0; i < hosts->n && seen->n_asids > 0 && seen->n_msis > 0; i++)
                if (strcmp(hosts->info[i].handle, seen->mgmtdev) == 0)
                        asid_space_key(hosts->info[i].asid_kind, hosts->info[i].pci_function, seen->mgmtdev, ret);
}

static int record(Database *image, const Hosts *hosts, const BackendDevice *seen, const DeviceStatus *status,
                  uint64_t revision, Failure *f) {
        _cleanup_(device_spec_done) DeviceSpec spec;
        _cleanup_free_ char *text = NULL, *asids = NULL, *msis = NULL;
        char space[SPACE_KEY_MAX];
        uint64_t now = clock_realtime_usec();
        char uid[UID_TEXT_MAX];

        device_spec_init(&spec);
        spec_of(status, &spec);
        text = device_spec_format(&spec);
        find_space(hosts, seen, space);
        asids = idlist_format(seen->ids, space[0] ? seen->n_asids : 0);
        msis = idlist_format(seen->ids ? seen->ids + seen->n_asids : NULL, space[0] ? seen->n_msis : 0);
        if (!text || !asids || !msis)
                return failure_set(f, ERROR_OUT_OF_MEMORY, ENOMEM, "Out of memory");
        uid_generate(now, uid);
        return database_put_device(image,
                                   &(StoreRecord){
                                           .name = seen->name,
                                           .uid = uid,
                                           .revision = revision,
                                           .created_revision = revision,
                                           .created_usec = now,
                                           .generation = 1,
                                           .state = DEVICE_READY,
                                           .mgmtdev = seen->mgmtdev,
                                           .spec = { .common = text, .owner = "", .mac = "", .labels = "" },
                                           .reason_code = "",
                                           .reason = "",
                                           .asid_space = space,
                                           .asids = asids,
                                           .n_vqs = space[0] ? seen->n_vqs : 0,
                                           .msis = msis,
                                           .holder = "",
                                   },
                                   f);
}

/* Why it cannot be one of ours; NULL: it can. */
static const char *reason_to_leave(Backend *b, const BackendDevice *seen, const char *prefix, DeviceStatus *status,
                                   Failure *f) {
        char mgmtdev[HANDLE_MAX]; /* it was listed there, too */

        if (strncmp(seen->name, prefix, strlen(prefix)) != 0)
                return "its name does not begin so";
        if (!device_name_is_valid(seen->name))
                return "a managed device cannot have that name";
        if (b->ops->observe(b, seen->name, mgmtdev, status, f) < 0)
                return f->detail;
        if (status->driver != BUS_DRIVER_VHOST_VDPA && status->driver != BUS_DRIVER_VIRTIO_VDPA)
                return "it is bound to no driver that is known here";
        return NULL;
}

static int take(Backend *b, const Hosts *hosts, const BackendDevice *seen, const char *prefix, Database *image,
                RebuildCount *count, Failure *f) {
        Failure failure = FAILURE_INIT;
        DeviceStatus status = {};
        const char *why = reason_to_leave(b, seen, prefix, &status, &failure);
        int r;

        if (why) {
                count->n_left++;
                (void) printf("%s: left: %s\n", seen->name, why);
                return 0;
        }
        r = record(image, hosts, seen, &status, count->n_taken + 1, f);
        if (r < 0)
                return r;
        count->n_taken++;
        (void) printf("%s: on %s, %s\n", seen->name, seen->mgmtdev, status.endpoint);
        return 0;
}

int rebuild_image(Backend *b, const char *prefix, Database *image, RebuildCount *ret, Failure *f) {
        _cleanup_free_ BackendDevice *devices = NULL;
        _cleanup_free_ MgmtdevInfo *mgmtdevs = NULL;
        BackendHost host = {};
        Hosts hosts = {};
        size_t n = 0;
        int r;

        *ret = (RebuildCount){};
        r = b->ops->get_host(b, &host, f);
        if (r == 0 && !host.available)
                r = failure_set(f, ERROR_BACKEND_UNAVAILABLE, ENODEV, "%s", host.reason);
        if (r == 0)
                r = b->ops->list_mgmtdevs(b, &mgmtdevs, &hosts.n, f);
        hosts.info = mgmtdevs;
        if (r == 0)
                r = b->ops->list_devices(b, &devices, &n, f);
        if (r == 0)
                r = database_run(image, STATEMENT_BEGIN, f);
        for (size_t i = 0; i < n && r == 0; i++)
                r = take(b, &hosts, &devices[i], prefix, image, ret, f);
        return r < 0 ? r : database_run(image, STATEMENT_COMMIT, f);
}

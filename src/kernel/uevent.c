/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/uevent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-device.h>
#include <unistd.h>

#include "kernel/kobject-monitor.h"
#include "kernel/sysfs.h"
#include "util/log.h"

/* An interface is several events, and each takes a few KiB of the buffer while it waits: room for 10,000 at once,
 * of which nothing is taken unless they come. */
#define RECEIVE_BUFFER (256u * 1024 * 1024)

struct UeventMonitor {
        const BackendWatcher *watcher; /* weak */
        KobjectMonitor *kernel;
        sd_device_monitor *udev;
        int fd;             /* weak */
        uint32_t n_dropped; /* events that found no room, so far */
};

#define VDPA "vdpa"

/* net and block: what virtio_vdpa makes, which is ready for use when udev has seen to it. auxiliary and pci: what
 * management devices are. With the vDPA devices themselves udev has nothing to do: of those the kernel tells. */
static const char *const udev_subsystems[] = { "net", "block", "auxiliary", "pci" };

/* sd-device reads over a full buffer in silence; the socket keeps count. */
static uint32_t count_dropped(const UeventMonitor *m) {
        uint32_t info[SK_MEMINFO_VARS] = {};
        socklen_t size = sizeof info;

        if (getsockopt(m->fd, SOL_SOCKET, SO_MEMINFO, info, &size) < 0)
                return 0;
        return info[SK_MEMINFO_DROPS];
}

static const char *get_vdpa_name(sd_device *device) {
        const char *name;
        sd_device *parent;

        if (sd_device_get_parent_with_subsystem_devtype(device, VDPA, NULL, &parent) < 0)
                return NULL;
        return sd_device_get_sysname(parent, &name) >= 0 ? name : NULL;
}

/* A function or a subfunction that comes or goes may be a management device, or carry one. */
static bool is_of_mgmtdevs(sd_device *device) {
        const char *subsystem;

        return sd_device_get_subsystem(device, &subsystem) >= 0 &&
               (strcmp(subsystem, "auxiliary") == 0 || strcmp(subsystem, "pci") == 0);
}

static bool is_one_of(const char *action, const char *one, const char *other) {
        return strcmp(action, one) == 0 || strcmp(action, other) == 0;
}

/* The kernel tells of what goes while it is still there, and udev of what it does itself: whoever has looked since
 * may not have seen it. */
static BackendHint make_hint(const char *name, const char *action, uint64_t seqnum) {
        return (BackendHint){
                .name = device_name_is_valid(name) ? name : NULL,
                .event_count = is_one_of(action, "add", "bind") ? seqnum : BACKEND_EVENT_UNKNOWN,
                .is_removal = is_one_of(action, "remove", "unbind"),
        };
}

static void tell(UeventMonitor *m, const BackendHint *hint) {
        m->watcher->hint(m->watcher->userdata, hint);
}

static int on_udev_event(sd_device_monitor *monitor, sd_device *device, void *userdata) {
        BackendHint hint = { .event_count = BACKEND_EVENT_UNKNOWN };
        UeventMonitor *m = userdata;
        uint32_t n_dropped = count_dropped(m);
        const char *name = get_vdpa_name(device), *action;
        uint64_t seqnum;

        if (n_dropped != m->n_dropped)
                m->n_dropped = n_dropped;
        else if (name && sd_device_get_property_value(device, "ACTION", &action) >= 0 &&
                 sd_device_get_seqnum(device, &seqnum) >= 0)
                hint = make_hint(name, action, seqnum);
        else if (!name && !is_of_mgmtdevs(device))
                return 0;

        tell(m, &hint);
        return 0;
}

static void on_kernel_event(void *userdata, const KobjectEvent *event) {
        BackendHint hint = { .event_count = BACKEND_EVENT_UNKNOWN };

        if (event)
                hint = make_hint(event->name, event->action, event->seqnum);
        tell(userdata, &hint);
}

int uevent_counter_open(const char *root) {
        char path[SYSFS_PATH_MAX];

        return sysfs_path(path, "%s/sys/kernel/uevent_seqnum", root) < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
}

uint64_t uevent_count(int counter) {
        char text[24];
        ssize_t n = pread(counter, text, sizeof text - 1, 0);

        if (n <= 0)
                return 0;
        text[n] = '\0';
        return strtoull(text, NULL, 10) + 1;
}

static int set_up_udev(UeventMonitor *m, sd_event *event) {
        int r;

        r = sd_device_monitor_new(&m->udev);
        for (size_t i = 0; i < ELEMENTSOF(udev_subsystems) && r >= 0; i++)
                r = sd_device_monitor_filter_add_match_subsystem_devtype(m->udev, udev_subsystems[i], NULL);
        if (r >= 0)
                r = sd_device_monitor_attach_event(m->udev, event);
        if (r < 0)
                return r;

        /* Takes CAP_NET_ADMIN; with less room more has to be looked at again. */
        (void) sd_device_monitor_set_receive_buffer_size(m->udev, RECEIVE_BUFFER);
        r = sd_device_monitor_start(m->udev, on_udev_event, m);
        if (r < 0)
                return r;
        m->fd = sd_event_source_get_io_fd(sd_device_monitor_get_event_source(m->udev));
        m->n_dropped = count_dropped(m);
        return 0;
}

int uevent_monitor_new(sd_event *event, const BackendWatcher *watcher, UeventMonitor **ret) {
        _cleanup_(uevent_monitor_freep) UeventMonitor *m = NULL;
        int r;

        m = calloc(1, sizeof *m);
        if (!m)
                return -ENOMEM;

        m->watcher = watcher;
        r = kobject_monitor_new(event, VDPA, on_kernel_event, m, &m->kernel);
        if (r >= 0)
                r = set_up_udev(m, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

UeventMonitor *uevent_monitor_free(UeventMonitor *m) {
        if (m) {
                kobject_monitor_free(m->kernel);
                sd_device_monitor_unref(m->udev);
                free(m);
        }
        return NULL;
}

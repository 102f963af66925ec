/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel/uevent.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-device.h>

#include "kernel/sysfs.h"
#include "util/log.h"

/* A device that is made and bound is four events, and each takes a few KiB of the buffer while it waits: room for
 * 10,000 devices at once, of which nothing is taken unless they come. */
#define RECEIVE_BUFFER (256u * 1024 * 1024)

struct UeventMonitor {
        sd_device_monitor *monitor;
        const BackendWatcher *watcher; /* weak */
        int fd;                        /* weak */
        uint32_t n_dropped;            /* events that found no room, so far */
};

/* net and block: what virtio_vdpa makes. auxiliary and pci: what management devices are. */
static const char *const subsystems[] = { "vdpa", "vhost-vdpa", "net", "block", "auxiliary", "pci" };

/* sd-device reads over a full buffer in silence; the socket keeps count. */
static uint32_t count_dropped(const UeventMonitor *m) {
        uint32_t info[SK_MEMINFO_VARS] = {};
        socklen_t size = sizeof info;

        if (getsockopt(m->fd, SOL_SOCKET, SO_MEMINFO, info, &size) < 0)
                return 0;
        return info[SK_MEMINFO_DROPS];
}

static const char *get_vdpa_name(sd_device *device) {
        const char *subsystem, *name;
        sd_device *parent;

        if (sd_device_get_subsystem(device, &subsystem) < 0)
                return NULL;
        if (strcmp(subsystem, "vdpa") != 0) {
                if (sd_device_get_parent_with_subsystem_devtype(device, "vdpa", NULL, &parent) < 0)
                        return NULL;
                device = parent;
        }
        return sd_device_get_sysname(device, &name) >= 0 ? name : NULL;
}

/* A function or a subfunction that comes or goes may be a management device, or carry one. */
static bool is_of_mgmtdevs(sd_device *device) {
        const char *subsystem;

        return sd_device_get_subsystem(device, &subsystem) >= 0 &&
               (strcmp(subsystem, "auxiliary") == 0 || strcmp(subsystem, "pci") == 0);
}

/* The kernel tells of what goes while it is still there, and udev of what it does itself: whoever has looked since
 * may not have seen it. */
static bool is_over_when_told(sd_device_action_t action) {
        return action == SD_DEVICE_ADD || action == SD_DEVICE_BIND;
}

static BackendHint describe(sd_device *device, const char *name) {
        BackendHint hint = { .name = name && device_name_is_valid(name) ? name : NULL,
                             .event_count = BACKEND_EVENT_UNKNOWN };
        sd_device_action_t action;
        uint64_t seqnum;

        if (sd_device_get_action(device, &action) < 0)
                return hint;
        hint.is_removal = action == SD_DEVICE_REMOVE || action == SD_DEVICE_UNBIND;
        if (is_over_when_told(action) && sd_device_get_seqnum(device, &seqnum) >= 0)
                hint.event_count = seqnum;
        return hint;
}

static int on_event(sd_device_monitor *monitor, sd_device *device, void *userdata) {
        UeventMonitor *m = userdata;
        uint32_t n_dropped = count_dropped(m);
        const char *name = get_vdpa_name(device);
        BackendHint hint = describe(device, name);

        if (n_dropped != m->n_dropped) {
                m->n_dropped = n_dropped;
                hint = (BackendHint){ .event_count = BACKEND_EVENT_UNKNOWN };
        } else if (!name && !is_of_mgmtdevs(device))
                return 0;

        m->watcher->hint(m->watcher->userdata, &hint);
        return 0;
}

uint64_t uevent_count(const char *root) {
        char path[SYSFS_PATH_MAX];
        long seqnum;

        if (sysfs_path(path, "%s/sys/kernel/uevent_seqnum", root) < 0 || sysfs_read_number(path, &seqnum) < 0)
                return 0;
        return (uint64_t) seqnum + 1;
}

static int set_up(UeventMonitor *m, sd_event *event) {
        int r;

        r = sd_device_monitor_new(&m->monitor);
        for (size_t i = 0; i < ELEMENTSOF(subsystems) && r >= 0; i++)
                r = sd_device_monitor_filter_add_match_subsystem_devtype(m->monitor, subsystems[i], NULL);
        if (r >= 0)
                r = sd_device_monitor_attach_event(m->monitor, event);
        if (r < 0)
                return r;

        /* Takes CAP_NET_ADMIN; with less room more has to be looked at again. */
        (void) sd_device_monitor_set_receive_buffer_size(m->monitor, RECEIVE_BUFFER);
        r = sd_device_monitor_start(m->monitor, on_event, m);
        if (r < 0)
                return r;
        m->fd = sd_event_source_get_io_fd(sd_device_monitor_get_event_source(m->monitor));
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
        r = set_up(m, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(m);
        return 0;
}

UeventMonitor *uevent_monitor_free(UeventMonitor *m) {
        if (m) {
                sd_device_monitor_unref(m->monitor);
                free(m);
        }
        return NULL;
}

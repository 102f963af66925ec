/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/signals.h"

#include <errno.h>
#include <string.h>

#include "dbus/context.h"
#include "dbus/device.h"
#include "dbus/mgmtdev.h"
#include "dbus/path.h"
#include "inventory/budget.h"
#include "util/clock.h"
#include "util/log.h"

/* Long enough for the steps of one creation to become one change, too short to be noticed. */
#define GATHER_USEC (10 * USEC_PER_MSEC)

/* How often management devices are looked at when no device changes. */
#define IDLE_USEC USEC_PER_SEC

/* Signals in one go; and messages that may wait for the bus before more are made. */
#define BATCH_MAX  128
#define QUEUED_MAX 512

struct Subscriber {
        TAILQ_ENTRY(Subscriber) entry;
        char name[];
};

static Subscriber *find(const Signals *s, const char *name) {
        Subscriber *subscriber;

        TAILQ_FOREACH(subscriber, &s->subscribers, entry)
                if (strcmp(subscriber->name, name) == 0)
                        return subscriber;

        return NULL;
}

static int arm(Signals *s, uint64_t usec) {
        int r = sd_event_source_set_time_relative(s->timer, usec);

        return r < 0 ? r : sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static void on_device(void *userdata, const Device *device, DeviceChange change) {
        Signals *s = &((Bus *) userdata)->signals;

        if (s->n_subscribers == 0)
                return;
        if (!changes_pending(&s->changes))
                (void) arm(s, GATHER_USEC);
        changes_note(&s->changes, device->name, change);
}

static int emit_device(Bus *bus, const char *member, const char *name) {
        _cleanup_free_ char *path = path_of_device(name);

        if (!path)
                return -ENOMEM;
        return sd_bus_emit_signal(bus->bus, MANAGER_PATH, MANAGER_INTERFACE, member, "so", name, path);
}

static int emit_change(Bus *bus, const Change *change) {
        int r = 0;

        if (change->removed)
                r = emit_device(bus, "DeviceRemoved", change->name);
        if (r >= 0 && change->added)
                r = emit_device(bus, "DeviceAdded", change->name);
        if (r >= 0 && change->changed)
                r = device_emit_changed(bus->bus, change->name);
        return r;
}

static int emit_devices(Bus *bus) {
        Signals *s = &bus->signals;
        int r = 0;

        if (s->changes.lost) {
                r = sd_bus_emit_signal(bus->bus, MANAGER_PATH, MANAGER_INTERFACE, "ChangesLost", "");
                s->changes.lost = r < 0;
        }
        for (size_t n = 0; r >= 0 && n < BATCH_MAX && s->changes.n > 0; n++) {
                _cleanup_free_ Change *change = changes_take(&s->changes);

                r = emit_change(bus, change);
        }
        return r;
}

static int emit_mgmtdevs(Bus *bus) {
        Inventory *inventory = lifecycle_inventory(bus->lifecycle);
        int r = 0;

        for (Mgmtdev *m = inventory_first_mgmtdev(inventory); m && r >= 0; m = inventory_next_mgmtdev(m)) {
                mgmtdev_note_numbers(inventory, m, clock_monotonic_usec());
                if (m->revision > bus->signals.revision)
                        r = mgmtdev_emit_changed(bus->bus, m->info.handle);
        }
        bus->signals.revision = inventory->revision;
        return r;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        uint64_t n_queued = 0;
        Bus *bus = userdata;
        Signals *s = &bus->signals;
        int r = 0;

        if (s->n_subscribers == 0 || !bus->connected)
                return 0;

        (void) sd_bus_get_n_queued_write(bus->bus, &n_queued);
        if (n_queued < QUEUED_MAX)
                r = emit_devices(bus);
        if (r >= 0 && !changes_pending(&s->changes))
                r = emit_mgmtdevs(bus);
        if (r < 0) {
                log_warning_errno(r, "Subscribers on the bus cannot be told of changes: %m");
                changes_clear(&s->changes);
                s->changes.lost = true;
        }
        return arm(s, changes_pending(&s->changes) ? GATHER_USEC : IDLE_USEC);
}

int signals_subscribe(Bus *bus, const char *sender) {
        Signals *s = &bus->signals;
        Subscriber *subscriber;

        if (find(s, sender))
                return -EALREADY;
        if (s->n_subscribers == SUBSCRIBERS_MAX)
                return -ENOBUFS;
        subscriber = malloc(sizeof *subscriber + strlen(sender) + 1);
        if (!subscriber)
                return -ENOMEM;

        strcpy(subscriber->name, sender);
        TAILQ_INSERT_TAIL(&s->subscribers, subscriber, entry);
        if (s->n_subscribers++ == 0) {
                s->revision = lifecycle_inventory(bus->lifecycle)->revision;
                (void) arm(s, IDLE_USEC);
        }
        return 0;
}

int signals_unsubscribe(Bus *bus, const char *sender) {
        Signals *s = &bus->signals;
        Subscriber *subscriber = find(s, sender);

        if (!subscriber)
                return -ENOENT;

        TAILQ_REMOVE(&s->subscribers, subscriber, entry);
        free(subscriber);
        if (--s->n_subscribers == 0)
                changes_clear(&s->changes);
        return 0;
}

void signals_reset(Bus *bus) {
        Subscriber *subscriber;

        while ((subscriber = TAILQ_FIRST(&bus->signals.subscribers)))
                (void) signals_unsubscribe(bus, subscriber->name);
}

int signals_init(Bus *bus) {
        Signals *s = &bus->signals;
        int r;

        TAILQ_INIT(&s->subscribers);
        changes_init(&s->changes);
        s->watch = (InventoryWatch){ .on_device = on_device, .userdata = bus };
        r = sd_event_add_time_relative(bus->event, &s->timer, CLOCK_MONOTONIC, IDLE_USEC, USEC_PER_MSEC, on_timer,
                                       bus);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        inventory_watch(lifecycle_inventory(bus->lifecycle), &s->watch);
        return 0;
}

void signals_done(Bus *bus) {
        Signals *s = &bus->signals;

        signals_reset(bus);
        s->timer = sd_event_source_disable_unref(s->timer);
        if (s->watch.on_device)
                inventory_unwatch(lifecycle_inventory(bus->lifecycle), &s->watch);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The connection to the bus. All of it is asynchronous: where the library offers a call that waits for the bus, the
 * other one is used. */
#include "dbus/bus.h"

#include <errno.h>
#include <grp.h>
#include <string.h>

#include "dbus/context.h"
#include "dbus/device.h"
#include "dbus/holding.h"
#include "dbus/manager.h"
#include "dbus/mgmtdev.h"
#include "dbus/path.h"
#include "util/clock.h"
#include "util/log.h"

#define RETRY_MAX_USEC (60 * USEC_PER_SEC)

/* Every name that goes from the bus, and with it the connections. sd_bus_track would wait for an answer of the bus
 * for each name; and one rule of ours does not count against the bus' limit of rules as one for each client would.
 */
#define DEPARTURES                                                                                                 \
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"                                \
        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

/* Says a failure when it comes, not each time it is still there. */
static void complain(Bus *bus, int error, const char *what) {
        if (!bus->has_complained)
                log_full(bus->required ? LOG_WARNING : LOG_INFO, error, NULL, NULL,
                         "%s: %m; D-Bus is tried again later", what);
        bus->has_complained = true;
}

static void retry_later(Bus *bus) {
        uint64_t usec = USEC_PER_SEC << (bus->n_failures < 6 ? bus->n_failures : 6);

        bus->n_failures++;
        if (bus->closing)
                return;
        (void) sd_event_source_set_time_relative(bus->retry, usec < RETRY_MAX_USEC ? usec : RETRY_MAX_USEC);
        (void) sd_event_source_set_enabled(bus->retry, SD_EVENT_ONESHOT);
}

static void disconnect(Bus *bus) {
        call_note_disconnection(bus);
        signals_reset(bus);
        bus->connected = false;
        if (bus->bus)
                (void) sd_bus_detach_event(bus->bus);
        sd_bus_close(bus->bus);
        bus->bus = sd_bus_unref(bus->bus);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Bus *bus = userdata;

        if (bus->connected)
                log_notice("The bus has gone");
        /* The library is still at work on the connection, so it is let go when the timer runs. */
        bus->connected = false;
        retry_later(bus);
        return 0;
}

static int on_departure(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *name;
        Bus *bus = userdata;

        if (sd_bus_message_read_basic(m, SD_BUS_TYPE_STRING, &name) < 0 || name[0] != ':')
                return 0;

        (void) signals_unsubscribe(bus, name);
        call_note_departure(bus, name);
        holding_note_departure(bus, name);
        return 0;
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        uint32_t answer = 0;
        Bus *bus = userdata;

        if (e) {
                complain(bus, sd_bus_message_get_errno(m), "Cannot have the name " BUS_NAME " on the bus");
                retry_later(bus);
                return 0;
        }
        if (sd_bus_message_read(m, "u", &answer) < 0 || answer != 1) {
                complain(bus, EEXIST, "Cannot have the name " BUS_NAME " on the bus");
                retry_later(bus);
                return 0;
        }

        log_info("On the bus as %s", BUS_NAME);
        bus->connected = true;
        bus->has_complained = false;
        bus->n_failures = 0;
        holding_check(bus);
        return 0;
}

static int set_up(Bus *bus) {
        int r;

        r = sd_bus_match_signal_async(bus->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                      "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, bus);
        if (r < 0)
                return r;
        r = sd_bus_add_match_async(bus->bus, NULL, DEPARTURES, on_departure, NULL, bus);
        if (r < 0)
                return r;
        r = manager_add(bus, bus->bus);
        if (r < 0)
                return r;
        r = device_add(bus, bus->bus);
        if (r < 0)
                return r;
        r = mgmtdev_add(bus, bus->bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus->bus, bus->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        return sd_bus_request_name_async(bus->bus, NULL, BUS_NAME, 0, on_name, bus);
}

static void connect_bus(Bus *bus) {
        int r;

        disconnect(bus);
        r = sd_bus_open_system_with_description(&bus->bus, "system");
        if (r >= 0)
                r = set_up(bus);
        if (r < 0) {
                complain(bus, r, "Cannot connect to the system bus");
                disconnect(bus);
                retry_later(bus);
        }
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        connect_bus(userdata);
        return 0;
}

static void find_group(Bus *bus, const char *name) {
        const struct group *group = getgrnam(name);

        bus->has_group = group;
        bus->group = group ? group->gr_gid : 0;
}

int bus_new(sd_event *event, Lifecycle *lifecycle, const char *group, bool required, Bus **ret) {
        _cleanup_(bus_freep) Bus *bus = NULL;
        int r;

        bus = calloc(1, sizeof *bus);
        if (!bus)
                return -ENOMEM;
        TAILQ_INIT(&bus->calls);
        bus->event = sd_event_ref(event);
        bus->lifecycle = lifecycle;
        bus->required = required;
        find_group(bus, group);
        r = signals_init(bus);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(event, &bus->retry, CLOCK_MONOTONIC, 0, 0, on_retry, bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

void bus_quiesce(Bus *bus) {
        if (!bus)
                return;

        bus->closing = true;
        (void) sd_event_source_set_enabled(bus->retry, SD_EVENT_OFF);
}

void bus_drain(Bus *bus, uint64_t timeout_usec) {
        uint64_t now = clock_monotonic_usec(), end = now + timeout_usec, n_queued = 0;

        for (; bus && bus->connected && now < end; now = clock_monotonic_usec()) {
                if (sd_bus_get_n_queued_write(bus->bus, &n_queued) < 0 || n_queued == 0)
                        break;
                (void) sd_event_run(bus->event, end - now);
        }
}

Bus *bus_free(Bus *bus) {
        if (!bus)
                return NULL;

        disconnect(bus);
        signals_done(bus);
        sd_event_source_disable_unref(bus->retry);
        sd_event_unref(bus->event);
        free(bus);
        return NULL;
}

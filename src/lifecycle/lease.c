/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/lease.h"

#include <errno.h>
#include <string.h>

#include "lifecycle/context.h"
#include "util/clock.h"
#include "util/log.h"

/* Few enough that requests find room beside them. */
#define RUNNING_MAX 64

#define RETRY_MAX_USEC (60 * USEC_PER_SEC)
#define RECORD_USEC    (60 * USEC_PER_SEC)

/* One deletion that is under way. */
typedef struct Ending {
        Lifecycle *lifecycle; /* weak */
        char name[DEVICE_NAME_MAX];
        char uid[UID_TEXT_MAX];
        char *owner; /* "" */
        uint64_t lease_usec;
} Ending;

static Ending *ending_free(Ending *ending) {
        free(ending->owner);
        free(ending);
        return NULL;
}
DEFINE_CLEANUP(Ending *, ending_free)

static uint64_t now_usec(const Lifecycle *l) {
        return durable_clock_now(store_clock(l->store));
}

/* When a lease that ends then is over. Whoever could not renew it while there was no daemon has the grace to do so.
 */
static uint64_t over_usec(const Lifecycle *l, uint64_t lease_usec) {
        const Leases *leases = &l->leases;

        return (lease_usec > leases->start_usec ? lease_usec : leases->start_usec) + leases->grace_usec;
}

bool lease_is_over(const Lifecycle *l, const Device *device) {
        return device->lease_usec > 0 && now_usec(l) >= over_usec(l, device->lease_usec);
}

/* Sets the timer for what is next. */
static void arm(Lifecycle *l) {
        const Device *first = inventory_first_lease(l->inventory);
        uint64_t now = now_usec(l), next;

        if (!l->leases.timer)
                return;
        if (!first || !l->ready) {
                (void) sd_event_source_set_enabled(l->leases.timer, SD_EVENT_OFF);
                return;
        }

        next = l->leases.recorded_usec + RECORD_USEC;
        if (l->leases.n_running < RUNNING_MAX && first->lease_look_usec < next)
                next = first->lease_look_usec;
        (void) sd_event_source_set_time_relative(l->leases.timer, next > now ? next - now : 0);
        (void) sd_event_source_set_enabled(l->leases.timer, SD_EVENT_ONESHOT);
}

void lease_set(Lifecycle *l, Device *device, uint64_t usec) {
        device->n_lease_failures = 0;
        device_set_lease_reason(device, NULL);
        inventory_set_lease(l->inventory, device, usec, over_usec(l, usec));
        arm(l);
}

void lease_start(Lifecycle *l, Device *device) {
        uint64_t seconds = device->spec.lease_seconds;

        lease_set(l, device, seconds > 0 ? now_usec(l) + seconds * USEC_PER_SEC : 0);
}

static void note_failure(Lifecycle *l, Device *device, const Failure *failure) {
        unsigned n = device->n_lease_failures < 6 ? device->n_lease_failures : 6;
        uint64_t pause = USEC_PER_SEC << n;

        if (device->n_lease_failures++ == 0)
                log_device(LOG_WARNING, 0, device->name,
                           "its lease has ended; it is deleted when that can be done: %s", failure->detail);
        device_set_lease_reason(device, failure);
        inventory_set_lease(l->inventory, device, device->lease_usec,
                            now_usec(l) + (pause < RETRY_MAX_USEC ? pause : RETRY_MAX_USEC));
}

static void on_ended(void *userdata, const Outcome *outcome) {
        _cleanup_(ending_freep) Ending *ending = userdata;
        Lifecycle *l = ending->lifecycle;
        Device *device = inventory_find_device(l->inventory, ending->name);
        char ended[RFC3339_MAX];

        l->leases.n_running--;
        if (outcome->failure.code == ERROR_NONE)
                log_device(LOG_NOTICE, 0, ending->name, "deleted, as its lease ended at %s: owner '%s', uid %s",
                           clock_format(durable_clock_to_wall(store_clock(l->store), ending->lease_usec), ended),
                           ending->owner, ending->uid);
        else if (device && strcmp(device->uid, ending->uid) == 0 && device->lease_usec > 0 && !l->stopping) {
                if (lease_is_over(l, device))
                        note_failure(l, device, &outcome->failure);
                else
                        inventory_set_lease(l->inventory, device, device->lease_usec,
                                            over_usec(l, device->lease_usec));
        }
        arm(l);
}

static int ending_new(Lifecycle *l, const Device *device, Ending **ret) {
        _cleanup_(ending_freep) Ending *ending = calloc(1, sizeof *ending);

        if (!ending)
                return -ENOMEM;
        ending->owner = strdup(device->spec.owner ?: "");
        if (!ending->owner)
                return -ENOMEM;
        ending->lifecycle = l;
        ending->lease_usec = device->lease_usec;
        strcpy(ending->name, device->name);
        strcpy(ending->uid, device->uid);

        *ret = TAKE_PTR(ending);
        return 0;
}

/* As a deletion that somebody has asked for, unless it is renewed before its turn comes. */
static void end_lease(Lifecycle *l, Device *device) {
        Precondition precondition = { .lease_is_over = true };
        Ending *ending;

        inventory_set_lease(l->inventory, device, device->lease_usec, now_usec(l) + RETRY_MAX_USEC);
        if (ending_new(l, device, &ending) < 0) {
                log_oom();
                return;
        }
        strcpy(precondition.uid, device->uid);
        l->leases.n_running++;
        lifecycle_delete_device(l, ending->name, &precondition, on_ended, ending);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Lifecycle *l = userdata;
        uint64_t now = now_usec(l);
        Device *device;

        while (l->ready && l->leases.n_running < RUNNING_MAX && (device = inventory_first_lease(l->inventory)) &&
               device->lease_look_usec <= now)
                end_lease(l, device);
        if (now >= l->leases.recorded_usec + RECORD_USEC) {
                l->leases.recorded_usec = now;
                (void) store_put_notes(l->store, NULL, NULL, NULL);
        }
        arm(l);
        return 0;
}

void lease_begin(Lifecycle *l) {
        uint64_t now = now_usec(l);
        Device *device;

        l->leases.start_usec = l->leases.recorded_usec = now;
        /* What has ended before has the grace from now on. */
        while ((device = inventory_first_lease(l->inventory)) &&
               device->lease_look_usec < now + l->leases.grace_usec)
                lease_set(l, device, device->lease_usec);
        arm(l);
}

void lifecycle_set_lease_grace(Lifecycle *l, uint64_t usec) {
        l->leases.grace_usec = usec;
}

/* The one that goes on while the host is suspended, as leases do. */
int lease_init(Lifecycle *l) {
        int r;

        r = sd_event_add_time_relative(l->event, &l->leases.timer, CLOCK_BOOTTIME, RECORD_USEC, USEC_PER_SEC / 20,
                                       on_timer, l);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(l->leases.timer, SD_EVENT_OFF);
}

void lease_done(Lifecycle *l) {
        l->leases.timer = sd_event_source_disable_unref(l->leases.timer);
}

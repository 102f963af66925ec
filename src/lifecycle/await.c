/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/await.h"

#include <errno.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/users.h"
#include "util/clock.h"

#define PAUSE_FIRST_USEC (20 * USEC_PER_MSEC)
#define PAUSE_LAST_USEC  (500 * USEC_PER_MSEC)

struct Await {
        TAILQ_ENTRY(Await) entry;
        Lifecycle *lifecycle; /* weak */
        char name[DEVICE_NAME_MAX];
        Precondition precondition;
        bool is_pinned; /* its uid is that of the device at the beginning, and not the caller's */
        uint64_t end_usec, pause_usec;
        sd_event_source *timer;
        bool (*is_wanted)(void *userdata);
        outcome_done_t done;
        void *userdata;
};

static void end(Await *a, const Outcome *outcome) {
        a->lifecycle->awaits.n--;
        a->done(a->userdata, outcome);
        sd_event_source_disable_unref(a->timer);
        free(a);
}

static void fail(Await *a, ErrorCode code, int error, const char *detail) {
        Outcome outcome = {};

        (void) failure_set(&outcome.failure, code, error, "%s", detail);
        end(a, &outcome);
}

static void arm(Await *a);

static bool is_over(const Await *a) {
        return clock_monotonic_usec() >= a->end_usec;
}

static bool goes_on(const Await *a) {
        return !a->lifecycle->stopping && !is_over(a) && a->is_wanted(a->userdata);
}

static void on_deleted(void *userdata, const Outcome *outcome) {
        Await *a = userdata;
        const Device *device = inventory_find_device(a->lifecycle->inventory, a->name);
        bool is_same = device && strcmp(device->uid, a->precondition.uid) == 0;

        if (outcome->failure.code == ERROR_IN_USE && is_same && goes_on(a)) {
                /* The attempt has itself made a new revision of it. */
                a->precondition.revision = device->revision;
                arm(a);
        } else if (outcome->failure.code == ERROR_PRECONDITION_FAILED && a->is_pinned && !is_same)
                fail(a, ERROR_DEVICE_NOT_FOUND, ENOENT, "The device has gone while this waited for it to be free");
        else
                end(a, outcome);
}

static void try(Await *a) {
        lifecycle_delete_device(a->lifecycle, a->name, &a->precondition, on_deleted, a);
}

static void on_looked(void *userdata, int in_use, const DeviceUsers *users) {
        Await *a = userdata;

        if (a->lifecycle->stopping)
                fail(a, ERROR_SHUTTING_DOWN, ESHUTDOWN, "The daemon is stopping; nothing was done");
        else if (in_use > 0 && goes_on(a))
                arm(a);
        else
                try(a);
}

/* Nobody is answered who has gone. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Await *a = userdata;

        a->timer = sd_event_source_disable_unref(a->timer);
        TAILQ_REMOVE(&a->lifecycle->awaits.list, a, entry);
        if (!a->is_wanted(a->userdata))
                fail(a, ERROR_IN_USE, ECANCELED, "Whoever waited has gone; nothing was done");
        else if (is_over(a) || users_look(a->lifecycle, a->name, on_looked, a) < 0)
                try(a);
        return 0;
}

static void arm(Await *a) {
        uint64_t now = clock_monotonic_usec(), left = a->end_usec > now ? a->end_usec - now : 0;
        uint64_t pause = a->pause_usec < left ? a->pause_usec : left;
        int r;

        r = sd_event_add_time_relative(a->lifecycle->event, &a->timer, CLOCK_MONOTONIC, pause, USEC_PER_MSEC,
                                       on_timer, a);
        if (r < 0) {
                fail(a, ERROR_OUT_OF_MEMORY, r, "There is no memory to wait");
                return;
        }
        if (a->pause_usec < PAUSE_LAST_USEC)
                a->pause_usec *= 2;
        TAILQ_INSERT_TAIL(&a->lifecycle->awaits.list, a, entry);
}

/* A device that the caller has not named by its uid is the one that has the name now. */
static void pin(Await *a) {
        const Device *device = inventory_find_device(a->lifecycle->inventory, a->name);

        if (a->precondition.uid[0] || !device)
                return;
        strcpy(a->precondition.uid, device->uid);
        a->is_pinned = true;
}

static void refuse(outcome_done_t done, void *userdata, ErrorCode code, int error, const char *detail) {
        Outcome outcome = {};

        (void) failure_set(&outcome.failure, code, error, "%s", detail);
        done(userdata, &outcome);
}

void lifecycle_delete_device_when_free(Lifecycle *l, const char *name, const Precondition *precondition,
                                       uint64_t wait_usec, bool (*is_wanted)(void *userdata), outcome_done_t done,
                                       void *userdata) {
        Await *a;

        if (l->awaits.n >= AWAITS_MAX) {
                refuse(done, userdata, ERROR_OVERLOADED, EAGAIN,
                       "Too many wait for their devices; nothing was done");
                return;
        }
        a = calloc(1, sizeof *a);
        if (!a) {
                refuse(done, userdata, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                return;
        }

        *a = (Await){
                .lifecycle = l,
                .precondition = *precondition,
                .end_usec = clock_monotonic_usec() + wait_usec,
                .pause_usec = PAUSE_FIRST_USEC,
                .is_wanted = is_wanted,
                .done = done,
                .userdata = userdata,
        };
        (void) snprintf(a->name, sizeof a->name, "%s", name);
        pin(a);
        l->awaits.n++;
        try(a);
}

void await_init(Lifecycle *l) {
        TAILQ_INIT(&l->awaits.list);
}

void await_done(Lifecycle *l) {
        Await *a;

        while ((a = TAILQ_FIRST(&l->awaits.list))) {
                TAILQ_REMOVE(&l->awaits.list, a, entry);
                fail(a, ERROR_SHUTTING_DOWN, ESHUTDOWN, "The daemon is stopping; nothing was done");
        }
}

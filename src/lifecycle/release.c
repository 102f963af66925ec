/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/release.h"

#include <errno.h>
#include <string.h>

#include "lifecycle/context.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"

/* Few enough that requests find room beside them. */
#define RUNNING_MAX 64

#define RETRY_MAX_USEC (60 * USEC_PER_SEC)

struct Release {
        TAILQ_ENTRY(Release) entry;
        Lifecycle *lifecycle; /* weak */
        char name[DEVICE_NAME_MAX];
        Precondition precondition; /* its uid: what has the name later is left alone */
        unsigned n_failures;
        sd_event_source *timer;
};

static Release *release_free(Release *release) {
        sd_event_source_disable_unref(release->timer);
        free(release);
        return NULL;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Release *release = userdata;
        Releases *releases = &release->lifecycle->releases;

        release->timer = sd_event_source_disable_unref(release->timer);
        TAILQ_REMOVE(&releases->later, release, entry);
        TAILQ_INSERT_TAIL(&releases->waiting, release, entry);
        release_continue(release->lifecycle);
        return 0;
}

static void try_later(Release *release) {
        uint64_t usec = USEC_PER_SEC << (release->n_failures < 6 ? release->n_failures : 6);
        Lifecycle *l = release->lifecycle;
        int r;

        release->n_failures++;
        if (usec > RETRY_MAX_USEC)
                usec = RETRY_MAX_USEC;
        r = sd_event_add_time_relative(l->event, &release->timer, CLOCK_MONOTONIC, usec, USEC_PER_SEC / 10,
                                       on_timer, release);
        if (r < 0) {
                log_device(LOG_ERR, r, release->name, "stays, though its holder has gone: %m");
                release_free(release);
                return;
        }
        TAILQ_INSERT_TAIL(&l->releases.later, release, entry);
}

static void on_deleted(void *userdata, const Outcome *outcome) {
        Release *release = userdata;
        Lifecycle *l = release->lifecycle;
        ErrorCode code = outcome->failure.code;

        CRASH_POINT(HOLDER_AFTER_RELEASE);
        l->releases.n_running--;
        if (code == ERROR_NONE || code == ERROR_DEVICE_NOT_FOUND || code == ERROR_PRECONDITION_FAILED ||
            l->stopping)
                release_free(release);
        else {
                if (release->n_failures == 0)
                        log_device(LOG_NOTICE, 0, release->name,
                                   "its holder has gone; it is deleted when that can be done: %s",
                                   outcome->failure.detail);
                try_later(release);
        }
        release_continue(l);
}

void release_continue(Lifecycle *l) {
        Releases *releases = &l->releases;
        Release *release;

        while (!l->stopping && releases->n_running < RUNNING_MAX && (release = TAILQ_FIRST(&releases->waiting))) {
                TAILQ_REMOVE(&releases->waiting, release, entry);
                releases->n_running++;
                lifecycle_delete_device(l, release->name, &release->precondition, on_deleted, release);
        }
}

void release_add(Lifecycle *l, Device *device) {
        Release *release;

        if (device->is_released)
                return;
        release = calloc(1, sizeof *release);
        if (!release) {
                log_device(LOG_ERR, ENOMEM, device->name, "stays, though its holder has gone: %m");
                return;
        }

        release->lifecycle = l;
        strcpy(release->name, device->name);
        strcpy(release->precondition.uid, device->uid);
        device->is_released = true;
        TAILQ_INSERT_TAIL(&l->releases.waiting, release, entry);
}

void lifecycle_release_holder(Lifecycle *l, const char *name) {
        Holder *holder = holder_find(&l->inventory->holders, name);
        Device *device;

        /* Who is stopping leaves it to the next start. */
        if (!holder || l->stopping)
                return;
        CRASH_POINT(HOLDER_BEFORE_RELEASE);
        LIST_FOREACH(device, &holder->devices, held)
                release_add(l, device);
        release_continue(l);
}

void release_init(Lifecycle *l) {
        TAILQ_INIT(&l->releases.waiting);
        TAILQ_INIT(&l->releases.later);
}

static void drop_all(struct ReleaseList *list) {
        Release *release;

        while ((release = TAILQ_FIRST(list))) {
                TAILQ_REMOVE(list, release, entry);
                release_free(release);
        }
}

void release_done(Lifecycle *l) {
        drop_all(&l->releases.waiting);
        drop_all(&l->releases.later);
}

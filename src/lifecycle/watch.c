/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/look.h"
#include "lifecycle/settle.h"
#include "util/clock.h"
#include "util/log.h"

/* What belongs together comes together. */
#define COALESCE_USEC (10 * USEC_PER_MSEC)

/* While a device that has a hint is at work. */
#define BUSY_USEC (50 * USEC_PER_MSEC)

/* Past so many, the whole host is looked at instead. */
#define HINTS_MAX 1024

/* Whoever makes hints all the time must not keep the backend busy with listing: as for looks from time to time. */
#define ALL_INTERVAL_USEC (1 * USEC_PER_SEC)

/* A refresh waits so long at the most for what follows from what it has found. */
#define SETTLE_USEC (500 * USEC_PER_MSEC)

/* The shares of the backend's time that a sweep may take: when all is as usual; when hints were lost. */
#define SWEEP_PAUSE      20u
#define SWEEP_PAUSE_LOST 4u

struct Hint {
        RB_ENTRY(Hint) by_name;
        uint64_t event_count; /* the highest */
        bool is_removal;      /* all of them were */
        char name[DEVICE_NAME_MAX];
};

static int hint_compare(const Hint *a, const Hint *b) {
        return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(HintTree, Hint, by_name, hint_compare, _unused_ static)

static void run(Lifecycle *l);

static void arm(Lifecycle *l, uint64_t usec) {
        Watch *w = &l->watch;
        int is_on = SD_EVENT_OFF;
        uint64_t now = clock_monotonic_usec(), next = 0;

        if (l->stopping || !w->timer)
                return;
        (void) sd_event_source_get_enabled(w->timer, &is_on);
        (void) sd_event_source_get_time(w->timer, &next);
        if (is_on != SD_EVENT_OFF && next <= now + usec)
                return;
        (void) sd_event_source_set_time(w->timer, now + usec);
        (void) sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static void drop(Watch *w, Hint *hint) {
        RB_REMOVE(HintTree, &w->hints, hint);
        w->n_hints--;
        free(hint);
}

static void drop_all(Watch *w) {
        Hint *hint;

        while ((hint = RB_ROOT(&w->hints)))
                drop(w, hint);
}

/* Attributes of devices may have changed, too: those take a sweep. */
static void sweep(Watch *w, unsigned pause) {
        if (!w->is_sweeping || pause < w->sweep_pause)
                w->sweep_pause = pause;
        w->is_sweeping = true;
        w->sweep_cursor[0] = '\0';
        w->sweep_usec = 0;
}

static void lose_track(Lifecycle *l) {
        drop_all(&l->watch);
        l->watch.all = true;
        sweep(&l->watch, SWEEP_PAUSE_LOST);
}

/* NULL: there are too many, or there is no memory for one more. */
static Hint *find_or_add(Watch *w, const char *name) {
        Hint key, *hint;

        (void) snprintf(key.name, sizeof key.name, "%s", name);
        hint = RB_FIND(HintTree, &w->hints, &key);
        if (hint || w->n_hints >= HINTS_MAX)
                return hint;
        hint = malloc(sizeof *hint);
        if (!hint)
                return NULL;

        *hint = (Hint){ .is_removal = true };
        strcpy(hint->name, key.name);
        (void) RB_INSERT(HintTree, &w->hints, hint);
        w->n_hints++;
        return hint;
}

static void on_hint(void *userdata, const BackendHint *what) {
        Lifecycle *l = userdata;
        const Device *device = what->name ? inventory_find_device(l->inventory, what->name) : NULL;
        Watch *w = &l->watch;
        Hint *hint;

        arm(l, COALESCE_USEC);
        if (device && device->operation)
                settle_hint(device->operation);
        if (!what->name) {
                w->all = true;
                return;
        }
        hint = find_or_add(w, what->name);
        if (!hint) {
                lose_track(l);
                return;
        }
        hint->is_removal &= what->is_removal;
        if (what->event_count > hint->event_count)
                hint->event_count = what->event_count;
}

void watch_hint(Lifecycle *l, const char *name) {
        on_hint(l, &(BackendHint){ .name = name, .event_count = BACKEND_EVENT_UNKNOWN });
}

/* Whether the device is at work: then it is looked at afterwards, if what that has seen of it is not newer. */
static bool is_busy(Lifecycle *l, const char *name) {
        const Device *device = inventory_find_device(l->inventory, name);

        return device && device->operation;
}

/* What was done to our own devices by ourselves mostly is: it need not be looked at once more. */
static bool is_stale(Lifecycle *l, const Hint *hint) {
        const Device *device = inventory_find_device(l->inventory, hint->name);

        if (device)
                return device->status.seen_at > hint->event_count;
        return hint->is_removal && !foreign_device_find(l->inventory, hint->name);
}

static size_t take_hints(Lifecycle *l, char names[LOOK_MAX][DEVICE_NAME_MAX]) {
        Watch *w = &l->watch;
        Hint *hint, *next;
        size_t n = 0;

        for (hint = RB_MIN(HintTree, &w->hints); hint && n < LOOK_MAX; hint = next) {
                next = RB_NEXT(HintTree, &w->hints, hint);
                if (is_busy(l, hint->name))
                        continue;
                if (!is_stale(l, hint))
                        strcpy(names[n++], hint->name);
                drop(w, hint);
        }

        return n;
}

static bool can_be_swept(const Device *device) {
        return !device->operation && (device->state == DEVICE_READY || device->is_displaced);
}

/* Those that are at work meanwhile are seen by that. */
static size_t take_sweep(Lifecycle *l, char names[LOOK_MAX][DEVICE_NAME_MAX]) {
        Watch *w = &l->watch;
        Device *device = NULL;
        size_t n = 0, n_passed = 0;

        while (n < LOOK_MAX && n_passed < 64 * LOOK_MAX &&
               (device = inventory_next_device(l->inventory, w->sweep_cursor))) {
                strcpy(w->sweep_cursor, device->name);
                n_passed++;
                if (can_be_swept(device))
                        strcpy(names[n++], device->name);
        }
        if (!device)
                w->is_sweeping = false;

        return n;
}

static void on_looked(Lifecycle *l, uint64_t duration_usec) {
        Watch *w = &l->watch;

        w->is_looking = false;
        w->sweep_usec = clock_monotonic_usec() + w->sweep_pause * duration_usec;
        if (!l->stopping)
                run(l);
}

/* Returns true if a look was begun. */
static bool look(Lifecycle *l, size_t (*take)(Lifecycle *l, char names[LOOK_MAX][DEVICE_NAME_MAX])) {
        char names[LOOK_MAX][DEVICE_NAME_MAX];
        size_t n = take(l, names);

        if (n == 0)
                return false;
        if (look_start(l, names, n, on_looked) < 0) {
                log_oom();
                lose_track(l);
                arm(l, ALL_INTERVAL_USEC);
                return false;
        }
        l->watch.is_looking = true;
        return true;
}

static void look_at_all(Lifecycle *l, uint64_t now) {
        Watch *w = &l->watch;

        if (l->scanner.is_running)
                return; /* goes on when that is over */
        if (now < w->next_all_usec) {
                arm(l, w->next_all_usec - now);
                return;
        }
        w->all = false;
        scan_start(l);
}

static bool has_settled(const Lifecycle *l) {
        return l->n_own_operations == 0 && l->watch.n_hints == 0 && !l->watch.is_looking;
}

/* The verbs of a refresh run when all that was found has been dealt with. */
static void refresh_continue(Lifecycle *l) {
        Watch *w = &l->watch;

        if (w->phase == REFRESH_SWEEPS && !w->is_sweeping) {
                w->phase = REFRESH_SETTLES;
                w->settle_usec = clock_monotonic_usec() + SETTLE_USEC;
        }
        if (w->phase == REFRESH_SETTLES && (has_settled(l) || clock_monotonic_usec() > w->settle_usec)) {
                w->phase = REFRESH_NONE;
                verb_start_all(&w->refreshing);
        }
        if (w->phase == REFRESH_NONE && !STAILQ_EMPTY(&w->next)) {
                STAILQ_CONCAT(&w->refreshing, &w->next);
                w->phase = l->scanner.is_running ? REFRESH_WAITS : REFRESH_LISTS;
                scan_start(l);
        }
}

static void run(Lifecycle *l) {
        Watch *w = &l->watch;
        uint64_t now = clock_monotonic_usec();

        if (!l->ready) {
                arm(l, ALL_INTERVAL_USEC);
                return;
        }
        if (w->all)
                look_at_all(l, now);
        if (!w->is_looking && w->n_hints > 0 && !look(l, take_hints) && w->n_hints > 0)
                arm(l, BUSY_USEC);
        if (!w->is_looking && w->is_sweeping && now < w->sweep_usec)
                arm(l, w->sweep_usec - now);
        if (!w->is_looking && w->is_sweeping && now >= w->sweep_usec && !look(l, take_sweep) && w->is_sweeping)
                arm(l, 0);
        refresh_continue(l);
        if (w->phase == REFRESH_SETTLES)
                arm(l, BUSY_USEC);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        run(userdata);
        return 0;
}

void watch_continue(Lifecycle *l) {
        if (l->watch.phase == REFRESH_SETTLES && l->n_own_operations == 0)
                arm(l, 0);
}

void watch_on_scanned(Lifecycle *l, bool was_periodic) {
        Watch *w = &l->watch;
        uint64_t pause = 20 * l->scanner.duration_usec;

        w->next_all_usec = clock_monotonic_usec() + (pause > ALL_INTERVAL_USEC ? pause : ALL_INTERVAL_USEC);
        if (w->phase == REFRESH_LISTS) {
                w->phase = REFRESH_SWEEPS;
                sweep(w, 0);
        } else if (w->phase == REFRESH_WAITS) {
                w->phase = REFRESH_LISTS;
                scan_start(l);
        } else if (was_periodic && !w->is_sweeping)
                sweep(w, SWEEP_PAUSE);
        if (w->is_sweeping || w->all || w->n_hints > 0)
                arm(l, 0);
}

void watch_refresh(Lifecycle *l, Verb *verb) {
        STAILQ_INSERT_TAIL(&l->watch.next, verb, entry);
        refresh_continue(l);
}

int watch_init(Lifecycle *l) {
        Watch *w = &l->watch;
        int r;

        RB_INIT(&w->hints);
        STAILQ_INIT(&w->refreshing);
        STAILQ_INIT(&w->next);
        r = sd_event_add_time(l->event, &w->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_timer, l);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
}

void watch_start(Lifecycle *l) {
        Watch *w = &l->watch;
        int r;

        w->watcher = (BackendWatcher){ .hint = on_hint, .userdata = l };
        if (!l->backend->ops->watch)
                return;
        r = l->backend->ops->watch(l->backend, l->event, &w->watcher);
        if (r < 0)
                log_warning_errno(r, "Changes on the host are seen late, since nobody tells of them: %m");
        w->is_watching = r >= 0;
}

void watch_done(Lifecycle *l) {
        Watch *w = &l->watch;

        if (w->is_watching)
                l->backend->ops->unwatch(l->backend);
        w->is_watching = false;
        w->timer = sd_event_source_disable_unref(w->timer);
        drop_all(w);
        /* They are refused, since the daemon stops. */
        verb_start_all(&w->refreshing);
        verb_start_all(&w->next);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/service.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "lifecycle/stuck.h"
#include "util/clock.h"
#include "util/log.h"

/* How often it is looked at, at least. */
#define INTERVAL_USEC (5 * USEC_PER_SEC)

/* How much longer than now a start may take, as long as it comes forward. */
#define EXTENSION_USEC (30 * USEC_PER_SEC)

#define PLURAL(n) ((n) == 1 ? "" : "s")

static size_t count_mgmtdevs(Inventory *inv) {
        size_t n = 0;

        for (Mgmtdev *m = inventory_first_mgmtdev(inv); m; m = inventory_next_mgmtdev(m))
                n += m->present;

        return n;
}

/* What is wrong, with a separator before it; "" if all is well. */
static void format_problems(Lifecycle *l, char ret[static 192]) {
        const StoreTrouble *trouble = lifecycle_trouble(l);
        const Inventory *inv = lifecycle_inventory(l);
        const BackendHost *host = lifecycle_host(l);
        size_t n_lost = inv->n_states[DEVICE_LOST], n_failed = inv->n_states[DEVICE_FAILED];
        char lost[32] = "", failed[32] = "", text[STUCK_TEXT_MAX];
        Stuck stuck;

        if (n_lost > 0)
                (void) snprintf(lost, sizeof lost, ", %zu lost", n_lost);
        if (n_failed > 0)
                (void) snprintf(failed, sizeof failed, ", %zu failed", n_failed);
        if (trouble)
                (void) snprintf(ret, 192, "%s%s; %.120s", lost, failed, trouble->failure.detail);
        else if (lifecycle_get_stuck(l, &stuck))
                (void) snprintf(ret, 192, "%s%s; %.120s", lost, failed, stuck_format(&stuck, text));
        else
                (void) snprintf(ret, 192, "%s%s%s%.120s", lost, failed,
                                host->reason[0] && !host->available ? "; " : "",
                                host->available ? "" : host->reason);
}

static void format_status(const Service *s, char ret[static SERVICE_STATUS_MAX]) {
        Inventory *inv = lifecycle_inventory(s->lifecycle);
        size_t n_mgmtdevs = count_mgmtdevs(inv), n_operations = lifecycle_n_operations(s->lifecycle);
        const char *word = "Ready";
        char problems[192];

        if (s->is_stopping) {
                (void) snprintf(ret, SERVICE_STATUS_MAX, "Stopping: %zu operation%s under way", n_operations,
                                PLURAL(n_operations));
                return;
        }

        format_problems(s->lifecycle, problems);
        if (!lifecycle_is_ready(s->lifecycle))
                word = s->is_ready ? "Not ready" : "Starting";
        else if (problems[0])
                word = "Degraded";
        (void) snprintf(ret, SERVICE_STATUS_MAX, "%s: %zu device%s on %zu management device%s%s", word,
                        inv->n_devices, PLURAL(inv->n_devices), n_mgmtdevs, PLURAL(n_mgmtdevs), problems);
}

static void tell_status(Service *s) {
        char status[SERVICE_STATUS_MAX];

        format_status(s, status);
        if (strcmp(status, s->status) == 0)
                return;

        (void) sd_notifyf(0, "STATUS=%s", status);
        strcpy(s->status, status);
}

/* Which thread hangs, and for how long; NULL: none does. */
static const char *find_hung(const Service *s, uint64_t *ret_usec) {
        uint64_t limit = *s->limit_sec * USEC_PER_SEC;

        *ret_usec = workqueue_busy_usec(store_writer(s->store));
        if (*ret_usec > limit)
                return "The store's thread";

        *ret_usec = workqueue_busy_usec(lifecycle_worker(s->lifecycle));
        if (*ret_usec > limit && workqueue_has_reported(lifecycle_worker(s->lifecycle)))
                return "The backend's thread";

        return NULL;
}

static void look_at_threads(Service *s) {
        uint64_t usec;
        const char *what = find_hung(s, &usec);

        if (what && s->has_watchdog)
                s->hung(s->userdata, what, usec);

        if (what && !s->complained)
                log_error("%s has been in one call for %llu s", what, (unsigned long long) (usec / USEC_PER_SEC));
        s->complained = what;
        if (!what)
                (void) sd_notify(0, "WATCHDOG=1");
        if (!what && !s->is_ready)
                (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long) EXTENSION_USEC);
}

/* Once, and that it is over. */
static void tell_stuck(Service *s) {
        char text[STUCK_TEXT_MAX];
        Stuck stuck;
        bool is_stuck = lifecycle_get_stuck(s->lifecycle, &stuck);

        if (is_stuck && !s->told_stuck)
                log_warning("%s", stuck_format(&stuck, text));
        else if (!is_stuck && s->told_stuck)
                log_notice("The kernel answers again");
        s->told_stuck = is_stuck;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Service *s = userdata;

        tell_stuck(s);
        look_at_threads(s);
        tell_status(s);
        (void) sd_event_source_set_time_relative(s->timer, s->interval_usec);
        return sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

int service_init(Service *s, sd_event *event, Lifecycle *l, Store *store, const uint32_t *limit_sec,
                 void (*hung)(void *userdata, const char *what, uint64_t usec), void *userdata) {
        uint64_t watchdog_usec = 0;
        int r;

        r = sd_watchdog_enabled(1, &watchdog_usec);
        if (r < 0)
                return r;

        *s = (Service){
                .interval_usec = INTERVAL_USEC,
                .lifecycle = l,
                .store = store,
                .limit_sec = limit_sec,
                .has_watchdog = r > 0,
                .hung = hung,
                .userdata = userdata,
        };
        if (s->has_watchdog && watchdog_usec / 3 < s->interval_usec)
                s->interval_usec = watchdog_usec / 3;
        return sd_event_add_time_relative(event, &s->timer, CLOCK_MONOTONIC, s->interval_usec, 0, on_timer, s);
}

void service_done(Service *s) {
        s->timer = sd_event_source_disable_unref(s->timer);
}

/* That it is ready again must also be told after a reload; but not before it was for the first time. */
static void tell_ready(const Service *s, const char *status) {
        (void) sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_tell_ready(Service *s) {
        s->is_ready = true;
        format_status(s, s->status);
        tell_ready(s, s->status);
}

void service_tell_reloading(Service *s) {
        if (s->is_ready)
                (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading the configuration",
                                  (unsigned long long) clock_monotonic_usec());
}

void service_tell_reloaded(Service *s, const char *problem) {
        if (!s->is_ready)
                return;

        /* The problem is told for as long as nothing else changes. */
        format_status(s, s->status);
        tell_ready(s, problem ? problem : s->status);
}

void service_tell_stopping(Service *s, uint32_t timeout_sec) {
        s->is_stopping = true;
        format_status(s, s->status);
        (void) sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=%s",
                          (unsigned long long) (timeout_sec * USEC_PER_SEC), s->status);
}

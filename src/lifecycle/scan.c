/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inventory/budget.h"
#include "inventory/capacity.h"
#include "lifecycle/context.h"
#include "lifecycle/job.h"
#include "lifecycle/look.h"
#include "lifecycle/record.h"
#include "util/clock.h"
#include "util/log.h"

/* Between two looks, at least; and a look takes at most one part in this many of the backend's time: listing is
 * the more work for the kernel the more devices there are. */
#define SCAN_INTERVAL_USEC (10 * USEC_PER_SEC)
#define SCAN_SHARE         20

/* When a look is late: listing takes the kernel seconds where there are very many devices. */
#define SCAN_LATE_USEC (20 * USEC_PER_SEC)

/* While a start waits for what comes late. */
#define SCAN_SOON_USEC (300 * USEC_PER_MSEC)

/* Whoever asks for what is not there, again and again, must not keep the backend busy with looking. */
#define SCAN_ASK_INTERVAL_USEC (200 * USEC_PER_MSEC)

typedef struct Scan {
        Job job;
        Lifecycle *lifecycle; /* weak */
        BackendHost host;
        MgmtdevInfo *mgmtdevs;
        size_t n_mgmtdevs;
        BackendDevice *devices;
        size_t n_devices;
        BackendSriov *sriov;
        size_t n_sriov;
        uint64_t duration_usec;
        bool is_periodic;
        Failure failure;
} Scan;

static Scan *scan_free(Scan *scan) {
        free(scan->mgmtdevs);
        free(scan->devices);
        free(scan->sriov);
        free(scan);
        return NULL;
}

/* On the worker's thread. */
static void scan_job(Job *job, Backend *b) {
        Scan *scan = CONTAINER_OF(job, Scan, job);
        uint64_t begin = clock_monotonic_usec();

        /* Devices first: one that is missing because its management device has just gone with all that was on it
         * must not seem to be missing from a management device that is there. */
        if (b->ops->get_host(b, &scan->host, &scan->failure) == 0 && scan->host.available &&
            b->ops->list_devices(b, &scan->devices, &scan->n_devices, &scan->failure) == 0 &&
            b->ops->list_mgmtdevs(b, &scan->mgmtdevs, &scan->n_mgmtdevs, &scan->failure) == 0)
                (void) b->ops->list_sriov(b, &scan->sriov, &scan->n_sriov, &scan->failure);
        scan->duration_usec = clock_monotonic_usec() - begin;
}

/* A device of that name is recorded on that management device. The kernel has no other mark of ownership. */
static bool is_ours(const Device *device, const BackendDevice *seen) {
        return device_may_be_there(device) && strcmp(device->mgmtdev->info.handle, seen->mgmtdev) == 0;
}

/* A listing can miss a device that is there: whether it is gone is known when it is looked at by itself, or, if it
 * cannot be because of its name, when it is missed twice. */
static void miss_foreign(Lifecycle *l) {
        ForeignDevice *f, *next;

        for (f = foreign_device_next(l->inventory, ""); f; f = next) {
                next = foreign_device_next(l->inventory, f->name);
                if (f->was_seen)
                        f->was_absent = false;
                else if (device_name_is_valid(f->name))
                        watch_hint(l, f->name);
                else if (f->was_absent)
                        foreign_device_forget(l->inventory, f);
                else
                        f->was_absent = true;
        }
}

/* Also what it holds, which counts against the budgets. */
static void note_foreign(Lifecycle *l, Mgmtdev *m, const BackendDevice *seen) {
        ForeignDevice *f;

        if (foreign_add(&m->counted, seen->ids, seen->n_asids, seen->n_msis, seen->n_vqs) < 0)
                log_oom();
        if (foreign_device_note(l->inventory, seen->name, seen->mgmtdev, seen->class, &f) >= 0)
                f->was_seen = true;
}

/* Marks which of ours were seen, and notes the others where they are. */
static void mark_seen(Lifecycle *l, const Scan *scan) {
        Inventory *inv = l->inventory;
        Device *named = NULL;
        ForeignDevice *f;
        Mgmtdev *m;

        for (f = foreign_device_next(inv, ""); f; f = foreign_device_next(inv, f->name))
                f->was_seen = false;
        for (m = inventory_first_mgmtdev(inv); m; m = inventory_next_mgmtdev(m))
                foreign_done(&m->counted);
        for (size_t i = 0; i < scan->n_devices; i++) {
                const BackendDevice *seen = &scan->devices[i];
                Device *device;

                named = inventory_find_device_near(inv, named, seen->name);
                device = named && is_ours(named, seen) ? named : NULL;
                m = device ? NULL : inventory_find_mgmtdev(inv, seen->mgmtdev);
                f = device ? foreign_device_find(inv, seen->name) : NULL;
                if (f)
                        foreign_device_forget(inv, f);
                if (device)
                        device->was_seen = true;
                else if (m)
                        note_foreign(l, m, seen);
        }
        for (m = inventory_first_mgmtdev(inv); m; m = inventory_next_mgmtdev(m))
                mgmtdev_take_foreign(inv, m, clock_monotonic_usec());
        miss_foreign(l);
}

/* Begins what a free device needs: its record, if that is behind; a closer look, if it should have been seen and
 * was not, or the reverse. A listing can miss a device that is there, so nothing is decided here. */
static void compare_device(Lifecycle *l, Device *device, bool was_seen) {
        if (device->state == DEVICE_FAILED)
                device->is_left_over = was_seen;
        if (device->is_behind)
                record_catch_up(l, device);
        else if (device->is_displaced ||
                 (device->state == DEVICE_LOST && !was_seen && lifecycle_drift_mode(l, device) == DRIFT_ENFORCE))
                watch_hint(l, device->name);
        else if ((device->state == DEVICE_READY && !was_seen) || (device->state == DEVICE_LOST && was_seen) ||
                 (recovery_waits_for_mgmtdev(device) && device->mgmtdev->present))
                recovery_check(l, device, false);
}

static void compare(Lifecycle *l) {
        Inventory *inv = l->inventory;
        Device *device;

        for (device = inventory_next_device(inv, ""); device; device = inventory_device_after(device)) {
                bool was_seen = device->was_seen;

                device->was_seen = false;
                if ((l->ready || l->recovery.is_waiting) && !device->operation)
                        compare_device(l, device, was_seen);
        }
}

/* Says a failure when it comes, not each time it is still there. */
static void report_failure(Lifecycle *l, const char *text) {
        Scanner *s = &l->scanner;

        if (strcmp(s->last_failure, text) == 0)
                return;

        if (text[0])
                log_warning("Cannot use the host's vDPA: %s", text);
        else
                log_notice("The host's vDPA can be used now");
        (void) snprintf(s->last_failure, sizeof s->last_failure, "%s", text);
}

static void take_sriov(Lifecycle *l, Scan *scan) {
        free(l->sriov);
        l->sriov = TAKE_PTR(scan->sriov);
        l->n_sriov = scan->n_sriov;
}

/* Simulated hardware that raises a fault was told to do what must never be done: by us. */
static void report_faults(Lifecycle *l, const char *handle, const MgmtdevCounts *counts) {
        const Mgmtdev *known = inventory_find_mgmtdev(l->inventory, handle);
        uint64_t n_before = known ? known->info.counts.n_faults : 0;

        if (counts->n_faults > n_before)
                log_mgmtdev(LOG_ERR, 0, handle,
                            "%s has faults: %" PRIu64 " in all, %" PRIu64 " new; the last one: %s", handle,
                            counts->n_faults, counts->n_faults - n_before, counts->last_fault);
}

void scan_take_counts(Lifecycle *l, const char *handle, const MgmtdevCounts *counts) {
        Mgmtdev *m = inventory_find_mgmtdev(l->inventory, handle);

        /* One that was not listed yet is listed with what it has counted. */
        if (!m || !m->present)
                return;

        report_faults(l, handle, counts);
        if (counts->n_faults != m->info.counts.n_faults)
                m->revision = ++l->inventory->revision;
        m->info.counts = *counts;
}

/* Each once, until it is over. */
static void report_conflicts(Lifecycle *l) {
        for (Mgmtdev *m = inventory_first_mgmtdev(l->inventory); m; m = inventory_next_mgmtdev(m)) {
                char text[400];
                bool has_conflict = mgmtdev_describe_conflict(m, text, sizeof text);

                if (has_conflict && !m->was_told)
                        log_warning("%s: %s", m->info.handle, text);
                m->was_told = has_conflict;
        }
}

static void apply(Lifecycle *l, Scan *scan) {
        if (scan->failure.code != ERROR_NONE) {
                scan->host.available = false;
                (void) snprintf(scan->host.reason, sizeof scan->host.reason, "%.255s", scan->failure.detail);
        }
        l->host = scan->host;
        report_failure(l, scan->host.available ? "" : scan->host.reason);
        if (!scan->host.available)
                return;

        for (size_t i = 0; i < scan->n_mgmtdevs; i++)
                report_faults(l, scan->mgmtdevs[i].handle, &scan->mgmtdevs[i].counts);
        if (inventory_update_mgmtdevs(l->inventory, scan->mgmtdevs, scan->n_mgmtdevs, clock_monotonic_usec()) < 0)
                log_oom();
        take_sriov(l, scan);
        mark_seen(l, scan);
        report_conflicts(l);
        compare(l);
}

/* Sets the time of the next look. */
static void arm(Lifecycle *l, uint64_t interval) {
        if (l->stopping)
                return;

        (void) sd_event_source_set_time_relative(l->scanner.timer, interval);
        (void) sd_event_source_set_enabled(l->scanner.timer, SD_EVENT_ONESHOT);
}

static void on_scanned(Work *work) {
        Scan *scan = CONTAINER_OF(work, Scan, job.work);
        Lifecycle *l = scan->lifecycle;
        uint64_t interval = SCAN_SHARE * scan->duration_usec;
        bool is_periodic = scan->is_periodic;

        apply(l, scan);
        l->scanner.duration_usec = scan->duration_usec;
        scan_free(scan);
        l->scanner.is_running = false;
        if (l->scanner.is_asked_for)
                l->scanner.ask_usec = clock_monotonic_usec() + SCAN_ASK_INTERVAL_USEC;
        l->scanner.is_asked_for = false;
        arm(l, interval > SCAN_INTERVAL_USEC ? interval : SCAN_INTERVAL_USEC);

        verb_start_all(&l->scanner.waiting);
        STAILQ_CONCAT(&l->scanner.waiting, &l->scanner.next);
        if (!STAILQ_EMPTY(&l->scanner.waiting)) {
                scan_start(l);
                l->scanner.is_asked_for = l->scanner.is_running;
        }
        recovery_continue(l);
        watch_on_scanned(l, is_periodic);
        pools_check(l);
}

static void start(Lifecycle *l, bool is_periodic) {
        Scan *scan;

        if (l->scanner.is_running)
                return;

        scan = calloc(1, sizeof *scan);
        if (!scan) {
                log_oom();
                arm(l, SCAN_INTERVAL_USEC);
                return;
        }
        scan->lifecycle = l;
        scan->is_periodic = is_periodic;
        scan->job.run = scan_job;
        scan->job.what = "look at the host";
        scan->job.work.done = on_scanned;
        l->scanner.is_running = true;
        arm(l, SCAN_LATE_USEC);
        job_submit(l->worker, &scan->job);
}

void scan_start(Lifecycle *l) {
        start(l, false);
}

void scan_soon(Lifecycle *l) {
        if (!l->scanner.is_running)
                arm(l, SCAN_SOON_USEC);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Lifecycle *l = userdata;

        if (l->scanner.is_running)
                recovery_on_late_look(l);
        else
                start(l, true);
        return 0;
}

bool scan_wait(Lifecycle *l, Verb *verb) {
        Scanner *s = &l->scanner;

        if (!s->is_asked_for && clock_monotonic_usec() < s->ask_usec)
                return false;

        if (s->is_running && !s->is_asked_for) {
                STAILQ_INSERT_TAIL(&s->next, verb, entry);
                return true;
        }

        scan_start(l);
        s->is_asked_for = s->is_running;
        if (s->is_running)
                STAILQ_INSERT_TAIL(&s->waiting, verb, entry);
        else
                verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        return true;
}

int scan_init(Lifecycle *l) {
        int r;

        STAILQ_INIT(&l->scanner.waiting);
        STAILQ_INIT(&l->scanner.next);
        r = sd_event_add_time_relative(l->event, &l->scanner.timer, CLOCK_MONOTONIC, SCAN_INTERVAL_USEC,
                                       USEC_PER_SEC, on_timer, l);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(l->scanner.timer, SD_EVENT_OFF);
}

void scan_done(Lifecycle *l) {
        l->scanner.timer = sd_event_source_disable_unref(l->scanner.timer);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/placement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/feature.h"
#include "lifecycle/context.h"

/* Names the lowest of the missing features and counts the others. */
static void describe_missing(unsigned class, uint64_t missing, char *buffer, size_t size) {
        char name[FEATURE_NAME_MAX];
        int n = __builtin_popcountll(missing);

        (void) feature_format(class, (unsigned) __builtin_ctzll(missing), name);
        if (n > 1)
                (void) snprintf(buffer, size, "%s and %d more", name, n - 1);
        else
                (void) snprintf(buffer, size, "%s", name);
}

/* What speaks against making a device of the spec there, whoever else is there: one fault for each. */
static void check_spec(const Mgmtdev *m, const DeviceSpec *spec, JsonDecoder *d) {
        uint32_t vqs = 2u * spec->net.max_vqp + 1;
        uint64_t offered = 0, missing;
        char text[64];

        if (!mgmtdev_has_class(m, spec->class, &offered)) {
                json_fault(d, "class", "unsupported-class", "%s cannot make %s devices", m->info.handle,
                           class_format(spec->class, text));
                return;
        }

        /* A driver need not say what it offers; then the kernel decides. */
        missing = offered && spec->has_features ? spec->features & ~offered : 0;
        if (missing) {
                describe_missing(spec->class, missing, text, sizeof text);
                json_fault(d, "features", "unsupported-feature", "%s does not offer %s", m->info.handle, text);
        }

        /* With more than one pair there is the control virtqueue too. */
        if (spec->net.max_vqp > 1 && m->info.max_vqs && vqs > m->info.max_vqs)
                json_fault(d, "net", "out-of-range", "max_vqp %u needs %u virtqueues, and %s has %u for a device",
                           spec->net.max_vqp, vqs, m->info.handle, m->info.max_vqs);
}

static bool has_room(const Mgmtdev *m) {
        const Capacity *capacity = &m->info.capacity[RESOURCE_DEVICES];

        return capacity->total == 0 || m->n_devices + m->n_foreign < capacity->total;
}

static void describe_full(const Mgmtdev *m, char *buffer, size_t size) {
        (void) snprintf(buffer, size, "%s has no room: devices: need 1, free 0 of %u", m->info.handle,
                        m->info.capacity[RESOURCE_DEVICES].total);
}

static void answer_faults(Verb *verb, ErrorCode code, const char *detail, const JsonFaults *faults) {
        Outcome outcome = { .faults = faults };

        (void) failure_set(&outcome.failure, code, EINVAL, "%s", detail);
        verb_answer(verb, &outcome);
}

static bool choose_named(Verb *verb, JsonDecoder *d, Mgmtdev **ret) {
        Lifecycle *l = verb->lifecycle;
        const char *handle = verb->spec.mgmtdev;
        Mgmtdev *m = inventory_find_mgmtdev(l->inventory, handle);
        char text[256];

        if (!m || !m->present) {
                /* It may have come since the host was last looked at. */
                if (!verb->has_looked) {
                        verb->has_looked = true;
                        if (scan_wait(l, verb))
                                return false;
                }
                json_fault(d, "mgmtdev", "unknown-mgmtdev", "there is no management device %s on this host",
                           handle);
                answer_faults(verb, ERROR_UNSATISFIABLE, "The management device is not there", d->faults);
                return false;
        }

        check_spec(m, &verb->spec, d);
        if (d->faults->n > 0) {
                answer_faults(verb, ERROR_UNSATISFIABLE, "The management device cannot make this device",
                              d->faults);
                return false;
        }
        if (!has_room(m)) {
                describe_full(m, text, sizeof text);
                json_fault(d, "mgmtdev", "no-capacity", "%s", text);
                answer_faults(verb, ERROR_NO_CAPACITY, text, d->faults);
                return false;
        }

        *ret = m;
        return true;
}

/* Adds one candidate's reason to the list, as far as it fits. */
static void add_reason(char *reasons, size_t size, const char *reason) {
        size_t n = strlen(reasons);

        (void) snprintf(reasons + n, size - n, "%s%s", n ? "; " : "", reason);
}

/* What speaks against taking one that was not asked for. */
static void check_candidate(const Mgmtdev *m, const DeviceSpec *spec, JsonDecoder *d) {
        if (m->info.only_by_name && mgmtdev_has_class(m, spec->class, NULL))
                json_fault(d, "mgmtdev", "missing",
                           "%s makes only what a program has prepared there, and has to be named", m->info.handle);
        else
                check_spec(m, spec, d);
}

/* The one with the fewest devices; d gets what speaks against each of the others. */
static Mgmtdev *find_best(Verb *verb, JsonDecoder *d, bool *ret_any_full, char *reasons, size_t size) {
        Inventory *inv = verb->lifecycle->inventory;
        JsonFaults *faults = d->faults;
        Mgmtdev *best = NULL;
        char text[256];

        *ret_any_full = false;
        for (Mgmtdev *m = inventory_first_mgmtdev(inv); m; m = inventory_next_mgmtdev(m)) {
                size_t n = faults->n, n_omitted = faults->n_omitted;

                if (!m->present)
                        continue;
                check_candidate(m, &verb->spec, d);
                if (faults->n == n && faults->n_omitted == n_omitted) {
                        if (has_room(m)) {
                                if (!best || m->n_devices + m->n_foreign < best->n_devices + best->n_foreign)
                                        best = m;
                                continue;
                        }
                        *ret_any_full = true;
                        describe_full(m, text, sizeof text);
                        json_fault(d, NULL, "no-capacity", "%s", text);
                }
                if (faults->n > n)
                        add_reason(reasons, size, faults->fault[n].detail);
        }

        return best;
}

static bool choose_any(Verb *verb, JsonDecoder *d, Mgmtdev **ret) {
        char reasons[400] = "";
        bool any_full;
        Mgmtdev *best = find_best(verb, d, &any_full, reasons, sizeof reasons);

        if (!best) {
                if (!reasons[0]) {
                        add_reason(reasons, sizeof reasons, "this host has no management device");
                        json_fault(d, NULL, "no-mgmtdev", "%s", reasons);
                }
                answer_faults(verb, any_full ? ERROR_NO_CAPACITY : ERROR_UNSATISFIABLE, reasons, d->faults);
                return false;
        }

        *ret = best;
        return true;
}

bool placement_choose(Verb *verb, Mgmtdev **ret) {
        const BackendHost *host = &verb->lifecycle->host;
        JsonFaults faults = {};
        JsonDecoder document, d;

        if (!host->available) {
                verb_fail(verb, ERROR_BACKEND_UNAVAILABLE, ENODEV, "%s", host->reason);
                return false;
        }

        json_decoder_init(&document, &faults);
        json_decoder_enter(&d, &document, "spec");
        return verb->spec.mgmtdev ? choose_named(verb, &d, ret) : choose_any(verb, &d, ret);
}

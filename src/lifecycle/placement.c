/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/placement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "util/clock.h"

static void consider(Placement *p, Mgmtdev *m, uint64_t now_usec) {
        Candidate unlisted, *c = &unlisted;

        if (p->n < PLACEMENT_CANDIDATES_MAX)
                c = &p->candidates[p->n++];
        else
                p->n_omitted++;

        candidate_evaluate(c, m, p->spec, now_usec);
        if (!c->is_hopeless)
                p->is_hopeless = false;
        if (c->obstacles == 0 && (!p->chosen.mgmtdev || candidate_is_better(c, &p->chosen, p->policy)))
                p->chosen = *c;
}

static void init(Placement *p, const DeviceSpec *spec, PlacementPolicy policy) {
        p->spec = spec;
        p->policy = spec->placement.policy != PLACEMENT_DEFAULT ? spec->placement.policy : policy;
        p->chosen.mgmtdev = NULL;
        p->is_hopeless = true;
        p->n = p->n_omitted = 0;
}

void placement_find(Inventory *inventory, const DeviceSpec *spec, PlacementPolicy policy, uint64_t now_usec,
                    Placement *ret) {
        Mgmtdev *m;

        init(ret, spec, policy);
        if (spec->mgmtdev) {
                m = inventory_find_mgmtdev(inventory, spec->mgmtdev);
                if (m && m->present)
                        consider(ret, m, now_usec);
                return;
        }

        for (m = inventory_first_mgmtdev(inventory); m; m = inventory_next_mgmtdev(m))
                if (m->present)
                        consider(ret, m, now_usec);
}

void placement_keep(Device *device, Placement *ret) {
        init(ret, &device->spec, PLACEMENT_SPREAD);
        candidate_hold(&ret->chosen, device);
}

/* Of those that would fit if they had more room, the others need not be heard. */
static bool is_telling(const Placement *p, const Candidate *c) {
        return c->obstacles != 0 && (p->is_hopeless || !c->is_hopeless);
}

const char *placement_describe(const Placement *p, char *buffer, size_t size) {
        size_t length = 0, n_left = p->n_omitted;

        buffer[0] = '\0';
        for (size_t i = 0; i < p->n; i++) {
                const Candidate *c = &p->candidates[i];
                char reason[CANDIDATE_REASON_MAX];
                int n;

                if (!is_telling(p, c))
                        continue;
                n = snprintf(buffer + length, size - length, "%s%s: %s", length ? "; " : "",
                             c->mgmtdev->info.handle, candidate_reason(c, candidate_first_obstacle(c), reason));
                /* Leaves space for the number of those that follow. */
                if (n < 0 || length + (size_t) n + sizeof "; and 4294967295 more" > size) {
                        buffer[length] = '\0';
                        n_left++;
                } else
                        length += (size_t) n;
        }
        if (n_left > 0)
                (void) snprintf(buffer + length, size - length, "%sand %zu more", length ? "; " : "", n_left);

        return buffer;
}

/* A fault for each reason of each candidate. */
static void list_faults(const Placement *p, JsonDecoder *d) {
        char reason[CANDIDATE_REASON_MAX];

        for (size_t i = 0; i < p->n; i++)
                for (Obstacle o = 0; o < _OBSTACLE_MAX; o++)
                        if (candidate_has_obstacle(&p->candidates[i], o))
                                json_fault(d, candidate_member(&p->candidates[i], o), candidate_code(o), "%s: %s",
                                           p->candidates[i].mgmtdev->info.handle,
                                           candidate_reason(&p->candidates[i], o, reason));
}

/* There is not one candidate. */
static void describe_none(const Placement *p, JsonDecoder *d, char *buffer, size_t size) {
        const char *handle = p->spec->mgmtdev;

        if (handle) {
                (void) snprintf(buffer, size, "there is no management device %s on this host", handle);
                json_fault(d, "mgmtdev", "unknown-mgmtdev", "%s", buffer);
        } else {
                (void) snprintf(buffer, size, "this host has no management device");
                json_fault(d, NULL, "no-mgmtdev", "%s", buffer);
        }
}

static void refuse(Verb *verb, const Placement *p) {
        JsonFaults faults = {};
        Outcome outcome = { .faults = &faults, .placement = p };
        JsonDecoder document, d;
        char detail[400];

        json_decoder_init(&document, &faults);
        json_decoder_enter(&d, &document, "spec");
        if (p->n > 0) {
                list_faults(p, &d);
                placement_describe(p, detail, sizeof detail);
        } else
                describe_none(p, &d, detail, sizeof detail);
        (void) failure_set(&outcome.failure, p->is_hopeless ? ERROR_UNSATISFIABLE : ERROR_NO_CAPACITY, EINVAL, "%s",
                           detail);
        verb_answer(verb, &outcome);
}

bool placement_choose(Verb *verb, Placement *ret) {
        Lifecycle *l = verb->lifecycle;

        if (!l->host.available) {
                verb_fail(verb, ERROR_BACKEND_UNAVAILABLE, ENODEV, "%s", l->host.reason);
                return false;
        }

        placement_find(l->inventory, &verb->spec, l->placement_policy, clock_monotonic_usec(), ret);
        if (ret->chosen.mgmtdev)
                return true;

        /* One that is named may have come since the host was last looked at. */
        if (ret->n == 0 && verb->spec.mgmtdev && !verb->has_looked) {
                verb->has_looked = true;
                if (scan_wait(l, verb))
                        return false;
        }
        refuse(verb, ret);
        return false;
}

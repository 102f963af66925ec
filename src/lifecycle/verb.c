/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lifecycle/verb.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "lifecycle/idempotency.h"
#include "lifecycle/lease.h"
#include "lifecycle/operation.h"
#include "lifecycle/stuck.h"

Verb *verb_new(Lifecycle *l, void (*run)(Verb *verb), const char *name, const Precondition *precondition,
               outcome_done_t done, void *userdata) {
        Verb *verb;

        verb = calloc(1, sizeof *verb);
        if (!verb) {
                Outcome outcome = {};

                (void) failure_set(&outcome.failure, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
                done(userdata, &outcome);
                return NULL;
        }

        verb->lifecycle = l;
        verb->run = run;
        verb->done = done;
        verb->userdata = userdata;
        strcpy(verb->request_id, log_request_id());
        (void) strlcpy(verb->name, name, sizeof verb->name);
        device_spec_init(&verb->spec);
        if (precondition)
                verb->precondition = *precondition;
        return verb;
}

bool verb_take_patch(Verb *verb, const DevicePatch *patch) {
        verb->patch = *patch;
        verb->patch.owner = patch->owner ? strdup(patch->owner) : NULL;
        verb->patch.labels = json_deep_copy(patch->labels);
        if ((!patch->owner || verb->patch.owner) && (!patch->labels || verb->patch.labels))
                return true;
        verb_fail(verb, ERROR_OUT_OF_MEMORY, ENOMEM, "Nothing was done");
        return false;
}

void verb_finish(Verb *verb, const Outcome *outcome) {
        Lifecycle *l = verb->lifecycle;
        Receipt *receipt = verb->receipt;

        verb->done(verb->userdata, outcome);
        device_spec_done(&verb->spec);
        free(verb->patch.owner);
        json_decref(verb->patch.labels);
        json_decref(verb->mgmtdev_patch);
        json_decref(verb->adopt_spec);
        if (verb->pool_spec)
                pool_spec_done(verb->pool_spec);
        free(verb->pool_spec);
        free(verb);
        idempotency_end(l, receipt);
}

void verb_answer(Verb *verb, const Outcome *outcome) {
        if (!idempotency_defer(verb, outcome))
                verb_finish(verb, outcome);
}

void verb_answer_device(Verb *verb, Device *device, bool created) {
        verb_answer(verb, &(Outcome){ .device = device, .created = created });
}

void verb_fail(Verb *verb, ErrorCode code, int error, const char *format, ...) {
        Outcome outcome = {};
        char detail[sizeof outcome.failure.detail];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(detail, sizeof detail, format, ap);
        va_end(ap);
        (void) failure_set(&outcome.failure, code, error, "%s", detail);
        verb_answer(verb, &outcome);
}

void verb_start(Verb *verb) {
        Lifecycle *l = verb->lifecycle;

        log_set_context(NULL, verb->spec.owner, verb->request_id);
        if (l->stopping)
                verb_fail(verb, ERROR_SHUTTING_DOWN, ESHUTDOWN, "The daemon is stopping; nothing was done");
        else if (!l->ready)
                verb_fail(verb, ERROR_BACKEND_UNAVAILABLE, EAGAIN, "%s",
                          l->host.reason[0] ? l->host.reason
                                            : "The daemon is starting and still compares its inventory with the "
                                              "host; try again");
        else if (verb->receipt || !verb->precondition.key.text[0] || idempotency_begin(verb))
                verb->run(verb);
        log_clear_context();
}

void verb_start_all(VerbList *list) {
        VerbList taken = STAILQ_HEAD_INITIALIZER(taken);
        Verb *verb;

        /* A verb may queue itself again, so take the list first. */
        STAILQ_CONCAT(&taken, list);
        while ((verb = STAILQ_FIRST(&taken))) {
                STAILQ_REMOVE_HEAD(&taken, entry);
                verb_start(verb);
        }
}

static bool precondition_holds(const Precondition *p, const Device *device) {
        return (!p->has_revision || p->revision == device->revision) &&
               (!p->has_generation || p->generation == device->generation) &&
               (!p->uid[0] || strcmp(p->uid, device->uid) == 0);
}

bool verb_check_device(Verb *verb, const Device *device) {
        Outcome outcome = { .current = device };

        if (precondition_holds(&verb->precondition, device) && !verb->precondition.must_not_exist &&
            (!verb->precondition.lease_is_over || lease_is_over(verb->lifecycle, device)))
                return true;

        (void) failure_set(&outcome.failure, ERROR_PRECONDITION_FAILED, ESTALE,
                           "Device '%s' has uid %s, generation %u and revision %llu; nothing was done",
                           device->name, device->uid, device->generation, (unsigned long long) device->revision);
        verb_answer(verb, &outcome);
        return false;
}

Device *verb_take_device(Verb *verb) {
        Device *device = inventory_find_device(verb->lifecycle->inventory, verb->name);

        if (!device) {
                verb_fail(verb, ERROR_DEVICE_NOT_FOUND, ENOENT, "There is no device '%s'", verb->name);
                return NULL;
        }
        if (device->operation) {
                operation_wait(device->operation, verb);
                return NULL;
        }
        return verb_check_device(verb, device) ? device : NULL;
}

bool verb_may_operate(Verb *verb) {
        Lifecycle *l = verb->lifecycle;
        char text[STUCK_TEXT_MAX];
        Stuck stuck;

        if (lifecycle_get_stuck(l, &stuck)) {
                verb_fail(verb, ERROR_BACKEND_UNAVAILABLE, EAGAIN, "%s", stuck_format(&stuck, text));
                return false;
        }
        if (l->n_operations < l->max_operations)
                return true;

        verb_fail(verb, ERROR_OVERLOADED, EAGAIN, "%zu operations are under way; nothing was done, try again later",
                  l->n_operations);
        return false;
}

bool verb_owner_has_room(Verb *verb, const char *owner) {
        Owners *owners = &verb->lifecycle->inventory->owners;

        if (owners_have_room(owners, owner))
                return true;
        verb_fail(verb, ERROR_LIMIT_REACHED, EDQUOT, "The owner '%.200s' has %zu devices, as many as one may have",
                  owner, owners->max_devices);
        return false;
}

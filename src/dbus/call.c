/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/call.h"

#include <errno.h>
#include <string.h>

#include "dbus/context.h"
#include "dbus/error.h"
#include "dbus/polkit.h"
#include "dbus/variant.h"

static bool is_from(const Call *call, const char *sender) {
        return strcmp(sd_bus_message_get_sender(call->message), sender) == 0;
}

/* How many there are in all and of the sender. */
static size_t count(const Bus *bus, const char *sender, size_t *ret_of_sender) {
        size_t n = 0, n_of_sender = 0;
        const Call *call;

        TAILQ_FOREACH(call, &bus->calls, entry) {
                n++;
                n_of_sender += is_from(call, sender);
        }

        *ret_of_sender = n_of_sender;
        return n;
}

int call_new(Bus *bus, sd_bus_message *m, Call **ret) {
        const char *sender = sd_bus_message_get_sender(m);
        size_t n, n_of_sender;
        Call *call;

        if (!sender)
                return -EINVAL;
        n = count(bus, sender, &n_of_sender);
        if (n >= CALLS_MAX || n_of_sender >= CALLS_PER_SENDER_MAX) {
                (void) sd_bus_reply_method_errorf(m, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                  "%zu calls are under way, %zu of them yours; nothing was done", n,
                                                  n_of_sender);
                return 1;
        }

        call = calloc(1, sizeof *call);
        if (!call)
                return -ENOMEM;
        call->bus = bus;
        call->message = sd_bus_message_ref(m);
        device_spec_init(&call->spec);
        TAILQ_INSERT_TAIL(&bus->calls, call, entry);

        *ret = call;
        return 0;
}

Call *call_free(Call *call) {
        if (!call)
                return NULL;

        TAILQ_REMOVE(&call->bus->calls, call, entry);
        sd_bus_slot_unref(call->slot);
        sd_bus_message_unref(call->message);
        device_spec_done(&call->spec);
        json_decref(call->patch);
        batch_call_free(call->batch);
        free(call->drift);
        free(call);
        return NULL;
}

int call_authorize(Call *call, const char *action, void (*run)(Call *call)) {
        call->action = action;
        call->run = run;
        polkit_check(call);
        return 1;
}

void call_answer(Call *call, sd_bus_message *reply, int error) {
        if (error >= 0)
                error = sd_bus_send(NULL, reply, NULL);
        if (error < 0)
                (void) sd_bus_reply_method_errno(call->message, error, NULL);
}

sd_bus_message *call_begin_answer(Call *call, const Outcome *outcome) {
        sd_bus_message *reply = NULL;
        int r;

        if (outcome->failure.code != ERROR_NONE) {
                (void) error_reply_outcome(call->message, outcome);
                return NULL;
        }
        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r < 0)
                (void) sd_bus_reply_method_errno(call->message, r, NULL);
        return reply;
}

void call_answer_object(Call *call, const Outcome *outcome, json_t *object) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_t *json = object;

        reply = call_begin_answer(call, outcome);
        if (reply)
                call_answer(call, reply, variant_append_object_new(reply, TAKE_PTR(json)));
}

bool call_end_arguments(Call *call, const Arguments *a, int r) {
        if (r != -ENOMEM && arguments_end(a, call->message))
                return true;

        if (r == -ENOMEM)
                (void) sd_bus_reply_method_errno(call->message, r, NULL);
        call_free(call);
        return false;
}

void call_note_departure(Bus *bus, const char *sender) {
        Call *call;

        TAILQ_FOREACH(call, &bus->calls, entry)
                if (is_from(call, sender))
                        call->sender_gone = true;
}

void call_note_disconnection(Bus *bus) {
        Call *call = TAILQ_FIRST(&bus->calls), *next;

        for (; call; call = next) {
                next = TAILQ_NEXT(call, entry);
                call->sender_gone = true;
                if (call->slot)
                        call_free(call);
        }
}

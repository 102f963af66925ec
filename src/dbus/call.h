/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A method call that is not answered at once: it waits for an authorization, then for its verb. It lives until it
 * is answered, whether or not its caller is still there, or even the bus. */

#include <sys/queue.h>
#include <systemd/sd-bus.h>

#include "dbus/arguments.h"

/* Under way at a time; more are refused with LimitsExceeded. */
#define CALLS_MAX            2048
#define CALLS_PER_SENDER_MAX 256

typedef struct Bus Bus;
typedef struct Call Call;
typedef struct DriftListing DriftListing;
typedef struct BatchCall BatchCall; /* see dbus/batch-call.c */

TAILQ_HEAD(CallList, Call);
typedef struct CallList CallList;

struct Call {
        TAILQ_ENTRY(Call) entry;
        Bus *bus; /* weak */
        sd_bus_message *message;
        sd_bus_slot *slot; /* a question to another service that is not answered yet */
        bool sender_gone;
        bool in_group; /* the sender is a member of the group that stands in for polkit */

        const char *action; /* that the sender must be allowed; static */
        void (*run)(Call *call);

        /* What it asks for. */
        char name[DEVICE_NAME_MAX];
        char handle[HANDLE_MAX];
        char pool[POOL_NAME_MAX];
        DeviceSpec spec;
        Precondition precondition;
        json_t *patch;
        bool missing_ok;
        uint64_t wait_usec; /* for a device that is in use */
        bool has_lease;     /* of a renewal, as is the next */
        uint32_t lease_seconds;
        BatchCall *batch;        /* owned; NULL: it is none */
        DriftListing *drift;     /* the same */
        char holder[HOLDER_MAX]; /* of a device that goes with the sender; else "" */
};

/* Makes a call of the message, if there is room for it. Returns 0; or 1 if it was refused, and so answered; or
 * a negative errno. */
int call_new(Bus *bus, sd_bus_message *m, Call **ret);
Call *call_free(Call *call);
DEFINE_CLEANUP(Call *, call_free)

/* What a batch has of its own. */
BatchCall *batch_call_free(BatchCall *batch);

/* Has run() called when the sender is allowed to do what action (a static string) says; else the call is refused
 * and freed. Takes the call over. Returns 1. */
int call_authorize(Call *call, const char *action, void (*run)(Call *call));

/* The ends of calls, from a verb's done(). */

/* Begins the answer to a verb that worked; NULL with the refusal sent if it did not, or there is no memory. */
sd_bus_message *call_begin_answer(Call *call, const Outcome *outcome);

/* Sends the answer, or says why there is none: error is that of filling it. */
void call_answer(Call *call, sd_bus_message *reply, int error);

/* Answers with one object, which is taken over; NULL is out of memory. */
void call_answer_object(Call *call, const Outcome *outcome, json_t *object);

/* True if what was read when the verb's turn came (r: 0, or a negative errno) has no faults; else the call is
 * refused and freed. */
bool call_end_arguments(Call *call, const Arguments *a, int r);

/* Marks the calls of a sender that has left the bus. */
void call_note_departure(Bus *bus, const char *sender);

/* The bus has gone, and all senders with it: drops the calls that wait for another service. */
void call_note_disconnection(Bus *bus);

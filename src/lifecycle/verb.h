/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One call of a verb, from its arrival to its answer. It runs at once, or waits in a list (behind the operation
 * that its device has under way, or behind a look at the host) and then runs from its beginning: what it finds
 * then is what counts. */

#include <sys/queue.h>

#include "lifecycle/lifecycle.h"
#include "util/log.h"

typedef struct Receipt Receipt;
typedef struct Verb Verb;

STAILQ_HEAD(VerbList, Verb);
typedef struct VerbList VerbList;

struct Verb {
        STAILQ_ENTRY(Verb) entry;
        Lifecycle *lifecycle; /* weak */
        void (*run)(Verb *verb);
        outcome_done_t done;
        void *userdata;

        char request_id[LOG_REQUEST_ID_MAX]; /* for the log; "": none */
        char name[DEVICE_NAME_MAX];
        bool has_looked;         /* the host was looked at again for its sake */
        DeviceSpec spec;         /* of a create */
        bool is_plan;            /* of a create: only says what it would do */
        char holder[HOLDER_MAX]; /* of a create; "": nobody */
        bool is_batched;         /* of a create: what nobody holds is confirmed too */
        bool may_recreate;       /* of a repair */
        json_t *adopt_spec;      /* of an adoption: what was asked for of the spec */
        Precondition precondition;
        Receipt *receipt;        /* weak: of its idempotency key, once it has begun; or NULL */
        bool is_replayed;        /* the daemon before this one has begun it */
        char handle[HANDLE_MAX]; /* of an update of a management device, as is the next */
        json_t *mgmtdev_patch;
        DevicePatch patch;        /* its owner and labels are the verb's */
        char pool[POOL_NAME_MAX]; /* of a verb on one, and of a deletion that gives a device back to it; "" */
        PoolSpec *pool_spec;      /* owned: as it is to be; or NULL */
};

/* Makes a verb; out of memory answers it and returns NULL. precondition may be NULL. */
Verb *verb_new(Lifecycle *l, void (*run)(Verb *verb), const char *name, const Precondition *precondition,
               outcome_done_t done, void *userdata);

/* Copies the patch into the verb. False: out of memory; the verb was answered. */
bool verb_take_patch(Verb *verb, const DevicePatch *patch);

/* Runs it, unless the daemon does not take requests now. */
void verb_start(Verb *verb);

/* Starts each verb of the list, in order. The list is empty then. */
void verb_start_all(VerbList *list);

/* Each of these calls done() and frees the verb; if the verb has an idempotency key, when it is recorded what it
 * has come to. */
void verb_answer(Verb *verb, const Outcome *outcome);
void verb_answer_device(Verb *verb, Device *device, bool created);
void verb_fail(Verb *verb, ErrorCode code, int error, const char *format, ...) _printf_(4, 5);

/* The same, at once: for who has seen to that. */
void verb_finish(Verb *verb, const Outcome *outcome);

/* True if the device is as the verb's precondition has it; else the verb was answered. */
bool verb_check_device(Verb *verb, const Device *device);

/* The verb's device if it is there, free, and as the precondition has it. NULL: the verb was answered, or waits;
 * it must not be touched any more. */
Device *verb_take_device(Verb *verb);

/* True if one more operation may begin; else the verb was answered. */
bool verb_may_operate(Verb *verb);

/* True if the owner (NULL: nobody) may have one more device; else the verb was answered. */
bool verb_owner_has_room(Verb *verb, const char *owner);

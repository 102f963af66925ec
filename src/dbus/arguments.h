/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The arguments of a call, as one document: a fault's pointer begins with the argument's name. */

#include <systemd/sd-bus.h>

#include "lifecycle/lifecycle.h"

typedef struct Arguments {
        JsonFaults faults;
        JsonDecoder document;
} Arguments;

void arguments_init(Arguments *a);

/* Reads the string where m stands, which must be the name of a device; "" may be one too, if it is optional. *ret
 * is borrowed from m. Returns 0, or a negative errno if the message is broken. */
int arguments_read_name(Arguments *a, sd_bus_message *m, bool optional, const char **ret);

/* Checks a name that stands for a device. */
void arguments_check_name(Arguments *a, const char *name);

/* Reads the a{sv} where m stands; d is set to stand there. Returns 0 with a new reference, or a negative errno. */
int arguments_read_object(Arguments *a, sd_bus_message *m, const char *argument, JsonDecoder *d, json_t **ret);

/* Checks the handle of a management device. */
void arguments_check_handle(Arguments *a, const char *handle);

/* Takes the option "revision". */
void arguments_take_revision(JsonDecoder *d, json_t *options, Precondition *ret);

/* Takes the option "idempotency-key", if it is there, with a digest of the request: what is to be done to the
 * device of the name, with which arguments (NULL: none), and with which options. A method of the manager and that
 * of the device are the same request. Returns 0, or -ENOMEM. */
int arguments_take_key(JsonDecoder *d, json_t *options, const char *verb, const char *name, const json_t *arguments,
                       IdempotencyKey *ret);

/* Takes the options "revision", "generation" and "uid". */
void arguments_take_precondition(JsonDecoder *d, json_t *options, Precondition *ret);

/* True if there are no faults; else m is answered. */
bool arguments_end(const Arguments *a, sd_bus_message *m);

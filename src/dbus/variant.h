/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON as D-Bus values and back, so that specs and devices have one decoder and one encoder, those of JSON.
 *
 *   JSON       is written as   and is read from
 *   object     a{sv}           a dictionary with strings for keys
 *   array      av              an array
 *   string     s               s, o
 *   integer    x               y, n, q, i, u, x, t
 *   real       d               d
 *   boolean    b               b
 *   null       left out        g with nothing in it (D-Bus has no null)
 *
 * What is read is bounded in depth, number and length. */

#include <systemd/sd-bus.h>

#include "util/json.h"

#define VARIANT_DEPTH_MAX  12   /* containers in each other, variants among them */
#define VARIANT_VALUES_MAX 4096 /* in all, and variants beside what is in them */
#define VARIANT_STRING_MAX 4096 /* bytes */

/* Appends object as a{sv}. Members that are null are left out. Returns 0, or a negative errno. */
int variant_append_object(sd_bus_message *m, json_t *object);

/* Appends object, all of whose members are strings, as a{ss}; NULL: it is empty. Returns 0, or a negative errno. */
int variant_append_strings(sd_bus_message *m, const json_t *object);

/* Takes object over and appends it; NULL is out of memory. */
int variant_append_object_new(sd_bus_message *m, json_t *object);

/* Reads the a{sv} where the message stands. d stands where the object is in the document: what cannot be is a fault
 * there. Returns 0 with a new reference, also if there are faults; -ENOMEM, or another negative errno if the
 * message is broken. */
int variant_read_object(sd_bus_message *m, JsonDecoder *d, json_t **ret);

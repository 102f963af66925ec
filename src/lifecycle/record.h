/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is recorded of a device, and when: before it is acted on or answered, or afterwards. */

#include "lifecycle/operation.h"

/* Records the device of op as it is now, and what was noted of the outcome of its verb. recorded() is called when
 * that is durable (failure is NULL), or cannot be; at once if there is no memory for it. */
void record_operation(Operation *op, operation_recorded_t recorded);

/* The same of a device that is to be made. What is recorded is how it will be when it is ready, with a revision
 * that is set aside for that, and that it is not so yet. */
void record_intent(Operation *op, operation_recorded_t recorded);

/* The same, but as a device that holds nothing: what it holds is released when recorded() is called with success.
 */
void record_operation_released(Operation *op, operation_recorded_t recorded);

/* Answers the verb with the device, which nothing was done to, once its record says the same. */
void record_confirm(Verb *verb, Device *device);

/* Tries again to bring the record of a device that is behind, and has no operation, up to date. */
void record_catch_up(Lifecycle *l, Device *device);

/* The store's trouble begins, or (trouble is NULL) ends: then what could not be recorded is. userdata: the
 * Lifecycle. */
void record_on_trouble(void *userdata, const StoreTrouble *trouble);

/* A change that was asked for was not recorded, which is an error; but told once only while the disk takes none. */
int record_log_level(const Lifecycle *l);

/* Nobody waits for the following four: what they say can be observed again, so if they are lost, the next start
 * comes to the same end. One that fails is logged, and written when the store's trouble ends. */

/* Returns false if it could not even be queued, which is logged too. verb: whose outcome was noted, or NULL. */
bool record_device(Lifecycle *l, const Device *device, const Verb *verb);

/* The same of the device of op, which was made as was intended; where that is so, its record is right already. */
bool record_ready(Operation *op);

/* The device, which the host no longer has, goes from the inventory, which gets a new revision; its record follows.
 * That it has gone is remembered. What it held is released: its record says that it is being deleted, and such a
 * one gives way to others that hold the same when it is loaded again. */
bool record_removal(Lifecycle *l, Device *device, const Verb *verb);

/* The device, whose record says that it is being deleted, is another one from now on: ready, with the spec (taken
 * over), and as it was seen; that the one before has gone is remembered. */
void record_return(Lifecycle *l, Device *device, DeviceSpec *spec, const DeviceStatus *status, const Verb *verb);

/* The same as record_removal() for one whose record says otherwise: what it holds is the caller's to release when
 * done() is called with success. was_told: somebody may know it by its uid. Returns 0, or a negative errno: done()
 * is not called then. */
int record_removal_first(Lifecycle *l, const Device *device, const Verb *verb, bool was_told, store_done_t done,
                         void *userdata);

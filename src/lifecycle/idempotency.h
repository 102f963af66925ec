/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What becomes of a verb with an idempotency key: it runs if it is the first; the same request again waits for it,
 * and gets what it has come to, and another request with its key is refused.
 *
 * What it comes to is recorded in one commit with its effect, or, where there is none, before it is answered. What
 * can be otherwise a moment later (the daemon is overloaded, its disk is full) is not kept: then nothing was done,
 * and the same request again is tried again. */

#include "lifecycle/operation.h"

/* True: the verb, which has a key, is to run. Else it was answered, or waits. */
bool idempotency_begin(Verb *verb);

/* The verb is to be answered. True: that is taken care of, when it is recorded what it has come to. */
bool idempotency_defer(Verb *verb, const Outcome *outcome);

/* The verb was answered and is no more: those that have waited for it are next. receipt: its own; may be NULL. */
void idempotency_end(Lifecycle *l, Receipt *receipt);

/* Says what a verb will be answered, so that this goes to the disk with what is recorded next. verb may be NULL,
 * and need not have a key. */
void idempotency_note(Verb *verb, const Outcome *outcome);

/* Fills in what is to be recorded of the verb's receipt; NULL if it has none. */
const StoreReceipt *idempotency_receipt(const Verb *verb, StoreReceipt *ret);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Deletes that wait until their device is free. Between two attempts nothing is held: other verbs on the device run
 * as if nobody waited. It is that device which is waited for: one that gets its name later is left alone. Users are
 * looked for without touching the device (see backend.h); only when none is found it is tried again. */

#include <sys/queue.h>

#include "lifecycle/lifecycle.h"

/* More are refused. */
#define AWAITS_MAX 256

typedef struct Await Await;

TAILQ_HEAD(AwaitList, Await);

typedef struct Awaits {
        struct AwaitList list; /* those whose timers run */
        size_t n;
} Awaits;

void await_init(Lifecycle *l);

/* Answers those whose timers run. The others end with what they are at. */
void await_done(Lifecycle *l);

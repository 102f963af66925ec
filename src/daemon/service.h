/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the service manager is told, sd_notify(3): that the daemon is ready, reloads and stops, how it is, and that
 * it is alive. It is alive as long as its loop turns and no thread hangs: a thread that has been in one call for
 * longer than it may is told to hung(). But a backend that has not come back from its very first call is no reason
 * to start again: that was just done, and has not helped. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lifecycle/lifecycle.h"

#define SERVICE_STATUS_MAX 320

typedef struct Service {
        sd_event_source *timer;
        uint64_t interval_usec;
        Lifecycle *lifecycle;      /* weak */
        Store *store;              /* weak */
        const uint32_t *limit_sec; /* weak: how long a thread may be in one call */
        bool has_watchdog, is_ready, is_stopping;
        bool told_stuck;                 /* in the log, that the kernel does not answer */
        bool complained;                 /* of a thread that hangs, since there is no watchdog */
        char status[SERVICE_STATUS_MAX]; /* as last told */
        void (*hung)(void *userdata, const char *what, uint64_t usec);
        void *userdata;
} Service;

/* hung() is called only if there is a watchdog, and need not return. All pointers are borrowed.
 * Returns 0, or a negative errno. */
int service_init(Service *s, sd_event *event, Lifecycle *l, Store *store, const uint32_t *limit_sec,
                 void (*hung)(void *userdata, const char *what, uint64_t usec), void *userdata);
void service_done(Service *s);

void service_tell_ready(Service *s);
void service_tell_reloading(Service *s);

/* problem: what is wrong with the new configuration, or NULL. */
void service_tell_reloaded(Service *s, const char *problem);

/* The stop may take timeout_sec. */
void service_tell_stopping(Service *s, uint32_t timeout_sec);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who wants signals, and what they are told. Nothing is sent while nobody has subscribed; with subscribers, changes
 * are gathered for a moment, and sent no faster than the bus takes them. */

#include <systemd/sd-event.h>

#include "dbus/changes.h"

/* More cannot subscribe. */
#define SUBSCRIBERS_MAX 256

typedef struct Bus Bus;
typedef struct Subscriber Subscriber;

TAILQ_HEAD(SubscriberList, Subscriber);

typedef struct Signals {
        struct SubscriberList subscribers;
        size_t n_subscribers;
        InventoryWatch watch;
        Changes changes;
        uint64_t revision; /* of the inventory: management devices were told up to here */
        sd_event_source *timer;
} Signals;

/* Returns 0, or a negative errno. */
int signals_init(Bus *bus);
void signals_done(Bus *bus);

/* Returns 0; -EALREADY; -ENOBUFS if there are too many; or -ENOMEM. */
int signals_subscribe(Bus *bus, const char *sender);

/* Returns 0, or -ENOENT if sender has not subscribed. */
int signals_unsubscribe(Bus *bus, const char *sender);

/* The bus has gone, and all subscribers with it. */
void signals_reset(Bus *bus);

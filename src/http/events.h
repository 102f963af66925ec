/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /v1/events: what changes, as server-sent events. Those who watch share one journal and the text of each event
 * in it; each has only its place there. Who is so slow that its place is overwritten is cut off. */

#include <systemd/sd-event.h>

#include "inventory/inventory.h"

typedef struct HttpEvents HttpEvents;

/* Changes that are kept: as far back as one can resume. */
#define HTTP_EVENTS_KEPT 16384u

/* event is referenced; inventory must outlive it. Returns 0, or a negative errno. */
int http_events_new(sd_event *event, Inventory *inventory, HttpEvents **ret);

/* Nobody watches any more. */
HttpEvents *http_events_free(HttpEvents *events);

/* Ends the streams, after what there is to tell. */
void http_events_quiesce(HttpEvents *events);

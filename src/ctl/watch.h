/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* --watch: looks again and again. On a terminal what there is is drawn anew when it has changed; elsewhere each
 * change is a line, or a document, of its own. */

#include "ctl/command.h"
#include "ctl/table.h"

/* What look() returns when nothing can have changed since the last time. */
#define WATCH_SAME 2

typedef struct Watch Watch;

/* A list, as "device list" shows it. */
typedef struct WatchedList {
        const char *subject;
        const Column *columns;
        size_t n_columns;
        const char *key; /* JSON pointer to what tells one item from another */
        const char *if_empty;

        /* Looks once, and hands all items to watch_add(). Returns as calls of the client do, or WATCH_SAME. */
        int (*look)(Context *context, void *userdata, Watch *watch);
        void *userdata;
} WatchedList;

/* One object, as "device show" shows it. */
typedef struct WatchedObject {
        const char *subject;
        const char *name; /* for get() */

        /* As hsv_device_get_if_changed(). */
        int (*get)(HsvClient *client, const char *name, uint64_t revision, HsvDocument **ret);
        ExitCode (*show)(const Context *context, const HsvValue *object);
} WatchedObject;

/* The options of verbs that can watch. */
#define WATCH_OPTIONS                                                                                              \
        { "watch", NULL, "go on, and show what changes", 'w' }, {                                                  \
                "interval", "SEC", "with --watch: look so often (1)"                                               \
        }

/* Takes the items of one answer. Returns 0 or -ENOMEM. */
int watch_add(Watch *watch, const HsvValue *items);

/* Both watch until what they look for is gone, or cannot be had from the beginning. */
ExitCode watch_list(Context *context, const Arguments *arguments, const WatchedList *list);
ExitCode watch_object(Context *context, const Arguments *arguments, const WatchedObject *object);

/* After a failure of the client: whether the daemon may answer later, as it may be about to start again. */
bool watch_may_come_back(const HsvError *error, int r);

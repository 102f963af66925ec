/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What --watch remembers of a list, and how it tells of the difference. */

#include "ctl/watch.h"

/* Returns 0 or -ENOMEM. */
int watch_new(Context *context, const WatchedList *list, Watch **ret);
Watch *watch_free(Watch *watch);

/* Looks once and shows what has changed. Returns what look() does, and in *ret what showing it failed with. */
int watch_look(Context *context, Watch *watch, ExitCode *ret);

/* Whether changes are drawn in place. */
bool watch_redraws(const Context *context);

/* An empty terminal, but for a line that says what is shown. */
void watch_clear(Context *context, const char *subject);

/* One document of a stream of them. */
ExitCode watch_print_document(const Context *context, const char *json);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rest of the simulated host: other programs, which change devices behind the daemon's back. They send
 * datagrams to a socket in the runtime directory, a command each, and get an answer each; a thread of its own
 * serves them, as a kernel would beside the daemon. What they change is hinted to the daemon's loop, unless they
 * ask for silence. */

#include "backend/backend.h"

/* The socket in the runtime directory. */
#define OUTSIDE_SOCKET "sim.sock"

/* Of a command, and of its answer. */
#define OUTSIDE_TEXT_MAX 4096

typedef struct Outside Outside;

/* Runs one command, on the thread; text may be changed. Writes the answer, and to ret_hint which device may have
 * changed ("": none). */
typedef void (*outside_command_t)(void *userdata, char *text, char ret_answer[static OUTSIDE_TEXT_MAX],
                                  char ret_hint[static DEVICE_NAME_MAX]);

/* Starts the thread. Returns 0, or a negative errno. */
int outside_new(const char *runtime_dir, outside_command_t command, void *userdata, Outside **ret);
Outside *outside_free(Outside *o);
DEFINE_CLEANUP(Outside *, outside_free)

/* On the loop's thread; see backend.h. */
int outside_watch(Outside *o, sd_event *event, const BackendWatcher *watcher);
void outside_unwatch(Outside *o);

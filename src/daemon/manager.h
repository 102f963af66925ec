/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Owns everything in the daemon and orders its life: sets it up from the bottom to the top, runs the loop, takes
 * it down again. */

#include "daemon/config-load.h"

typedef struct Manager Manager;

/* Exit statuses, as sysexits.h numbers them. */
#define EXIT_USAGE        64 /* the command line */
#define EXIT_DATABASE     65 /* the database is damaged, newer than the program, or not ours; it was not touched */
#define EXIT_OTHER_DAEMON 75 /* another daemon has the state directory */
#define EXIT_CONFIG       78 /* the configuration */

/* Both are borrowed. config was loaded from arguments, and is changed when it is loaded again. What goes wrong is
 * logged. Returns 0 with *ret set, or the exit status. */
int manager_new(Config *config, const ConfigArguments *arguments, Manager **ret);

/* Runs until a signal ends it. Returns the exit status. If the kernel does not let go of an operation it does not
 * return: it ends the process. */
int manager_run(Manager *manager);

Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free)

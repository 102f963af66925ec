/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon's configuration: defaults, then the file, then the command line. One table of keys serves reading,
 * checking and printing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/sim.h"
#include "util/macro.h"

#define CONFIG_LISTEN_MAX 16
#define CONFIG_SIM_MAX    64

typedef enum BackendKind {
        BACKEND_KERNEL,
        BACKEND_SIM,
        _BACKEND_MAX,
} BackendKind;

typedef struct Config {
        BackendKind backend;
        char *state_dir;
        char *runtime_dir;
        char *listen[CONFIG_LISTEN_MAX]; /* "unix:PATH", "tcp:HOST:PORT"; none: the socket in runtime_dir */
        size_t n_listen;
        int log_level;

        uint32_t max_devices;
        uint32_t max_operations; /* that requests may have under way at a time */
        uint32_t max_connections;
        uint32_t max_body_bytes;
        uint32_t idle_timeout_sec;
        uint32_t stop_timeout_sec;

        SimMgmtdev *sims; /* configured simulated management devices; none: the default one */
        size_t n_sims;
} Config;

/* Fills in the defaults. Returns 0, or -ENOMEM. */
int config_init(Config *config);
void config_done(Config *config);

/* Reads the file. Every fault is logged with file and line. Returns 0, -ENOENT if there is no such file, or
 * another negative errno. */
int config_read(Config *config, const char *path);

/* Sets one key as if it stood in the file ("daemon", "backend", "sim"); the fault is logged after origin. */
int config_set(Config *config, const char *section, const char *key, const char *value, const char *origin);

/* Forgets the listening addresses set so far. */
void config_clear_listen(Config *config);

/* What can only be checked when all is known; adds the default listening socket. Returns 0, or a negative errno
 * that was logged. */
int config_finish(Config *config);

/* Prints it in the form of the file. */
void config_print(const Config *config, FILE *out);

const char *backend_kind_name(BackendKind kind);

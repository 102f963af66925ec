/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The daemon's configuration: defaults, then the files, then the command line. What keys there are stands in one
 * table (config-table.c), which serves reading, checking, printing and reloading. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "inventory/settings.h"
#include "sim/sim.h"
#include "util/macro.h"

#define CONFIG_LISTEN_MAX   16
#define CONFIG_SIM_MAX      64
#define CONFIG_MGMTDEV_MAX  1024
#define CONFIG_DROP_INS_MAX 256

typedef enum BackendKind {
        BACKEND_KERNEL,
        BACKEND_SIM,
        _BACKEND_MAX,
} BackendKind;

/* What the daemon does about D-Bus. */
typedef enum BusUse {
        BUS_AUTO, /* the system bus, if it is there */
        BUS_YES,  /* the same, with a warning if it is not */
        BUS_NO,
        _BUS_MAX,
} BusUse;

/* Where a value was set; see config-value.c. */
typedef struct ConfigOrigin ConfigOrigin;

typedef struct Config {
        BackendKind backend;
        char *state_dir;
        char *runtime_dir;
        char *listen[CONFIG_LISTEN_MAX]; /* "unix:PATH", "tcp:HOST:PORT"; none: the socket in runtime_dir */
        size_t n_listen;
        int log_level;
        BusUse bus;

        uint32_t max_devices;
        uint32_t max_operations; /* that requests may have under way at a time */
        uint32_t max_connections;
        uint32_t max_body_bytes;
        uint32_t max_batch_bytes;
        uint32_t max_connections_per_user;
        uint32_t idle_timeout_sec;
        uint32_t request_timeout_sec;
        uint32_t max_devices_per_owner; /* 0: as many as there can be */
        uint32_t stop_timeout_sec;
        uint32_t worker_timeout_sec;      /* that a thread may be in one call */
        uint32_t boot_patience_sec;       /* with management devices that come late in a boot */
        PlacementPolicy placement_policy; /* of devices whose spec has none */

        DriftMode drift_mode; /* of devices whose spec has none */

        unsigned exclusive; /* the vDPA bus is the daemon's alone: see kernel/autoprobe.h */

        uint32_t quarantine_sec; /* of released ASIDs and MSI entries */

        uint32_t lease_grace_sec;

        uint32_t retention_sec; /* of what requests with a key have come to, and of deleted devices */
        uint32_t max_keys;
        uint32_t max_tombstones;

        ConfiguredMgmtdev *mgmtdevs; /* what is said of management devices */
        size_t n_mgmtdevs;

        SimMgmtdev *sims; /* configured simulated management devices; none: the default one */
        size_t n_sims;

        ConfigOrigin *origins;
        size_t n_origins;
        unsigned source; /* the one that is being read */
} Config;

/* Fills in the defaults. Returns 0, or -ENOMEM. config_done() it in any case. */
int config_init(Config *config);
void config_done(Config *config);

/* What is set from now on comes from another source: its values stand instead of those of earlier ones, also where
 * a key can have several. */
void config_begin_source(Config *config);

/* Reads the file as a source of its own. Every fault is logged with file and line. Returns 0, -ENOENT if there is
 * no such file, or another negative errno. */
int config_read(Config *config, const char *path);

/* Reads every *.conf in the directories (the last is NULL), ordered by file name wherever it lies. Of files with
 * one name only that in the first of the directories counts. A directory need not be there. Returns as
 * config_read(), but never -ENOENT. */
int config_read_drop_ins(Config *config, const char *const *directories);

/* Makes sure that there is such a section; one with an argument ("sim HANDLE") is made by this. origin: where it
 * stands; the fault is logged after it. Returns 0, or a negative errno. */
int config_begin_section(Config *config, const char *section, const char *origin);

/* Sets one key as if it stood in the file ("daemon", "backend", "sim"). As config_begin_section(). */
int config_set(Config *config, const char *section, const char *key, const char *value, const char *origin);

/* What can only be checked when all is known; adds the default listening socket. Returns 0, or a negative errno
 * that was logged. */
int config_finish(Config *config);

/* Prints it in the form of the file, each value below a comment that says where it was set. */
void config_print(const Config *config, FILE *out);

/* Takes over from fresh what may change while the daemon runs; logs which keys did, and those that differ but take
 * a restart. Returns how many took over, or -ENOMEM: what was logged as changed has changed. */
int config_reload(Config *config, const Config *fresh);

const char *backend_kind_name(BackendKind kind);

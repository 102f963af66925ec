/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the configuration comes from: files and the command line. */

#include "daemon/config.h"

#define CONFIG_DEFAULT_PATH SYSCONFDIR "/hsvdpa/hsvdpad.conf"
#define CONFIG_SETTINGS_MAX 64

typedef struct ConfigArguments {
        const char *path; /* of the one file to read; NULL: the default ones */
        struct {
                const char *key, *value; /* of section [daemon] */
        } settings[CONFIG_SETTINGS_MAX];
        size_t n_settings;
} ConfigArguments;

/* Reads all of it. What is wrong is logged. Returns 0, or a negative errno. config_done() it in any case. */
int config_load(const ConfigArguments *arguments, Config *ret);

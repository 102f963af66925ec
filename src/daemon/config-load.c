/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config-load.h"

#include <errno.h>
#include <string.h>

#include "util/fs.h"
#include "util/log.h"

static const char *const drop_in_directories[] = {
        SYSCONFDIR "/hsvdpa/hsvdpad.conf.d",
        "/run/hsvdpa/hsvdpad.conf.d",
        VENDORDIR "/hsvdpa/hsvdpad.conf.d",
        NULL,
};

static int read_named_file(Config *config, const char *path) {
        int r = config_read(config, path);

        return r == -ENOENT ? log_error_errno(r, "Cannot read %s: %m", path) : r;
}

/* All faults of all files are said at once. */
static int read_default_files(Config *config) {
        int r = config_read(config, CONFIG_DEFAULT_PATH);
        int k = config_read_drop_ins(config, drop_in_directories);

        return r < 0 && r != -ENOENT ? r : k;
}

/* A path on the command line may be relative to where it was typed. */
static int apply_setting(Config *config, const char *key, const char *value) {
        _cleanup_free_ char *cwd = NULL, *path = NULL;

        if (strstr(key, "_dir") && value[0] && value[0] != '/') {
                cwd = getcwd(NULL, 0);
                if (!cwd)
                        return log_error_errno(errno, "Cannot find the working directory: %m");
                path = fs_join(cwd, value);
                if (!path)
                        return log_oom();
                value = path;
        }

        return config_set(config, "daemon", key, value, "command line");
}

int config_load(const ConfigArguments *arguments, Config *ret) {
        int r;

        r = config_init(ret);
        if (r < 0)
                return log_oom();

        r = arguments->path ? read_named_file(ret, arguments->path) : read_default_files(ret);
        if (r < 0)
                return r;

        config_begin_source(ret);
        for (size_t i = 0; i < arguments->n_settings; i++) {
                r = apply_setting(ret, arguments->settings[i].key, arguments->settings[i].value);
                if (r < 0)
                        return r;
        }

        return config_finish(ret);
}

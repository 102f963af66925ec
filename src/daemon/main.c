/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config-load.h"
#include "daemon/manager.h"
#include "daemon/offline.h"
#include "util/log.h"

typedef enum Action {
        ACTION_RUN,
        ACTION_CHECK_CONFIG,
        ACTION_PRINT_CONFIG,
        ACTION_FSCK,
        ACTION_RESTORE,
        ACTION_REBUILD,
        ACTION_EXIT,
} Action;

/* The command line is applied over the files, and so is kept until they were read; and for a reload. */
typedef struct Arguments {
        Action action;
        ConfigArguments config;
        OfflineOptions offline;
        const char *backup; /* to restore */
} Arguments;

static void print_help(void) {
        printf("hsvdpad [OPTIONS]\n\n"
               "Owns the managed vDPA devices of this host. Runs in the foreground and logs to stderr.\n\n"
               "      --config=FILE         read this file and not %s\n"
               "      --backend=NAME        kernel (the default), or sim: simulated devices, on any machine\n"
               "      --state-dir=DIR       where the inventory lies (/var/lib/hsvdpa)\n"
               "      --runtime-dir=DIR     for sockets and the like (/run/hsvdpa)\n"
               "      --listen=ADDRESS      serve REST at unix:PATH or tcp:HOST:PORT (loopback only);\n"
               "                            can be given more than once (unix:RUNTIME-DIR/api.sock)\n"
               "      --log-level=LEVEL     err, warning, notice, info (the default), debug\n"
               "      --check-config        read the configuration, say what is wrong with it, and exit\n"
               "      --print-config        print the configuration in force, and exit\n"
               "      --fsck                check the inventory, say what is wrong with it, and exit\n"
               "      --repair              with --fsck: mend what can be\n"
               "      --json                with --fsck: say it as one JSON object a line\n"
               "      --restore=FILE        put a backup in the place of the inventory, and exit\n"
               "      --rebuild             make an inventory of the devices that are on the host, and exit\n"
               "      --prefix=TEXT         with --rebuild: only of those whose names begin so\n"
               "      --force               with --rebuild: even if the inventory is whole\n"
               "      --version             print the version, and exit\n"
               "  -h, --help                print this, and exit\n\n"
               "Exit status: 0 stopped as asked, 1 failed, %d wrong options, %d the database is damaged, of a "
               "newer\n"
               "version or not ours, %d another hsvdpad is running on it, %d wrong configuration.\n",
               CONFIG_DEFAULT_PATH, EXIT_USAGE, EXIT_DATABASE, EXIT_OTHER_DAEMON, EXIT_CONFIG);
}

enum {
        OPTION_SETTING = 256,
        OPTION_CONFIG,
        OPTION_CHECK,
        OPTION_PRINT,
        OPTION_VERSION,
        OPTION_FSCK,
        OPTION_REPAIR,
        OPTION_JSON,
        OPTION_RESTORE,
        OPTION_REBUILD,
        OPTION_PREFIX,
        OPTION_FORCE
};

/* The options that set a key of section [daemon] stand first; their keys are in setting_keys in the same order. */
static const struct option options[] = {
        { "backend", required_argument, NULL, OPTION_SETTING },
        { "state-dir", required_argument, NULL, OPTION_SETTING },
        { "runtime-dir", required_argument, NULL, OPTION_SETTING },
        { "listen", required_argument, NULL, OPTION_SETTING },
        { "log-level", required_argument, NULL, OPTION_SETTING },
        { "config", required_argument, NULL, OPTION_CONFIG },
        { "check-config", no_argument, NULL, OPTION_CHECK },
        { "print-config", no_argument, NULL, OPTION_PRINT },
        { "fsck", no_argument, NULL, OPTION_FSCK },
        { "repair", no_argument, NULL, OPTION_REPAIR },
        { "json", no_argument, NULL, OPTION_JSON },
        { "restore", required_argument, NULL, OPTION_RESTORE },
        { "rebuild", no_argument, NULL, OPTION_REBUILD },
        { "prefix", required_argument, NULL, OPTION_PREFIX },
        { "force", no_argument, NULL, OPTION_FORCE },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "help", no_argument, NULL, 'h' },
        {},
};

static const char *const setting_keys[] = { "backend", "state_dir", "runtime_dir", "listen", "log_level" };

static int add_setting(Arguments *args, const char *key, const char *value) {
        assert(value); /* each of these options requires it */
        if (args->config.n_settings == CONFIG_SETTINGS_MAX)
                return log_error_errno(E2BIG, "There are too many options");

        args->config.settings[args->config.n_settings].key = key;
        args->config.settings[args->config.n_settings++].value = value;
        return 0;
}

static int set_action(Arguments *args, Action action) {
        if (args->action != ACTION_RUN && args->action != action)
                return log_error_errno(EINVAL, "Only one thing can be done at a time");
        args->action = action;
        return 0;
}

/* Returns false for what is no option of these. */
static bool parse_offline_option(Arguments *args, int c) {
        switch (c) {
        case OPTION_REPAIR:
                args->offline.repair = true;
                return true;
        case OPTION_JSON:
                args->offline.json = true;
                return true;
        case OPTION_PREFIX:
                args->offline.prefix = optarg;
                return true;
        case OPTION_FORCE:
                args->offline.force = true;
                return true;
        default:
                return false;
        }
}

static int check_offline_options(const Arguments *args) {
        const OfflineOptions *o = &args->offline;

        if ((o->repair || o->json) && args->action != ACTION_FSCK)
                return log_error_errno(EINVAL, "--repair and --json go with --fsck");
        if ((o->prefix || o->force) && args->action != ACTION_REBUILD)
                return log_error_errno(EINVAL, "--prefix and --force go with --rebuild");
        return 0;
}

static int parse_option(Arguments *args, int c, int index) {
        switch (c) {
        case OPTION_SETTING:
                return add_setting(args, setting_keys[index], optarg);
        case OPTION_CONFIG:
                args->config.path = optarg;
                return 0;
        case OPTION_CHECK:
                args->action = ACTION_CHECK_CONFIG;
                return 0;
        case OPTION_PRINT:
                args->action = ACTION_PRINT_CONFIG;
                return 0;
        case OPTION_FSCK:
                return set_action(args, ACTION_FSCK);
        case OPTION_RESTORE:
                args->backup = optarg;
                return set_action(args, ACTION_RESTORE);
        case OPTION_REBUILD:
                return set_action(args, ACTION_REBUILD);
        case OPTION_VERSION:
                puts(PACKAGE_STRING);
                args->action = ACTION_EXIT;
                return 0;
        case 'h':
                print_help();
                args->action = ACTION_EXIT;
                return 0;
        default:
                return parse_offline_option(args, c) ? 0 : -EINVAL;
        }
}

static int parse_arguments(int argc, char *argv[], Arguments *args) {
        int c, index = 0;

        while (args->action != ACTION_EXIT && (c = getopt_long(argc, argv, "h", options, &index)) >= 0) {
                int r = parse_option(args, c, index);
                if (r < 0)
                        return r;
        }
        if (args->action != ACTION_EXIT && optind < argc)
                return log_error_errno(EINVAL, "hsvdpad takes no arguments: '%s'", argv[optind]);
        return args->action == ACTION_EXIT ? 0 : check_offline_options(args);
}

static int run(Config *config, const ConfigArguments *arguments) {
        Manager *manager;
        int status;

        log_open(config->log_level);
        status = manager_new(config, arguments, &manager);
        if (status != 0)
                return status;

        status = manager_run(manager);
        manager_free(manager);
        return status;
}

static int act(Config *config, const Arguments *args) {
        switch (args->action) {
        case ACTION_PRINT_CONFIG:
                config_print(config, stdout);
                return EXIT_SUCCESS;
        case ACTION_RUN:
                return run(config, &args->config);
        case ACTION_FSCK:
                return offline_fsck(config, &args->offline);
        case ACTION_RESTORE:
                return offline_restore(config, args->backup);
        case ACTION_REBUILD:
                return offline_rebuild(config, &args->offline);
        case ACTION_CHECK_CONFIG:
        case ACTION_EXIT:
                break;
        }

        return EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        Arguments args = {};
        Config config = {};
        int status = EXIT_SUCCESS;

        log_open(LOG_INFO);
        if (parse_arguments(argc, argv, &args) < 0)
                return EXIT_USAGE;
        if (args.action == ACTION_EXIT)
                return EXIT_SUCCESS;

        if (!args.offline.prefix)
                args.offline.prefix = "";
        if (config_load(&args.config, &config) < 0)
                status = EXIT_CONFIG;
        else
                status = act(&config, &args);

        config_done(&config);
        return status;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config-load.h"
#include "daemon/manager.h"
#include "util/log.h"

typedef enum Action {
        ACTION_RUN,
        ACTION_CHECK_CONFIG,
        ACTION_PRINT_CONFIG,
        ACTION_EXIT,
} Action;

/* The command line is applied over the files, and so is kept until they were read; and for a reload. */
typedef struct Arguments {
        Action action;
        ConfigArguments config;
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
               "      --version             print the version, and exit\n"
               "  -h, --help                print this, and exit\n\n"
               "Exit status: 0 stopped as asked, 1 failed, %d wrong options, %d the database is damaged, of a "
               "newer\n"
               "version or not ours, %d another hsvdpad is running on it, %d wrong configuration.\n",
               CONFIG_DEFAULT_PATH, EXIT_USAGE, EXIT_DATABASE, EXIT_OTHER_DAEMON, EXIT_CONFIG);
}

enum { OPTION_SETTING = 256, OPTION_CONFIG, OPTION_CHECK, OPTION_PRINT, OPTION_VERSION };

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
        case OPTION_VERSION:
                puts(PACKAGE_STRING);
                args->action = ACTION_EXIT;
                return 0;
        case 'h':
                print_help();
                args->action = ACTION_EXIT;
                return 0;
        default:
                return -EINVAL;
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
        return 0;
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

int main(int argc, char *argv[]) {
        Arguments args = {};
        Config config = {};
        int status = EXIT_SUCCESS;

        log_open(LOG_INFO);
        if (parse_arguments(argc, argv, &args) < 0)
                return EXIT_USAGE;
        if (args.action == ACTION_EXIT)
                return EXIT_SUCCESS;

        if (config_load(&args.config, &config) < 0)
                status = EXIT_CONFIG;
        else if (args.action == ACTION_PRINT_CONFIG)
                config_print(&config, stdout);
        else if (args.action == ACTION_RUN)
                status = run(&config, &args.config);

        config_done(&config);
        return status;
}

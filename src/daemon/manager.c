/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/backend.h"
#include "daemon/listen.h"
#include "daemon/service.h"
#include "dbus/bus.h"
#include "http/server.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/log.h"

/* What a stop takes beside what is under way. */
#define STOP_MARGIN_SEC 5

/* How long clients at the service manager's sockets wait for the start to be through, so that a restart refuses
 * nobody. A start that takes longer answers reads, and refuses the rest with why. */
#define START_PATIENCE_USEC (3 * USEC_PER_SEC)

/* How long a stop waits for requests that have not come in whole. */
#define LAST_REQUESTS_USEC USEC_PER_SEC

struct Manager {
        Config *config;
        const ConfigArguments *arguments;
        sd_event *event;
        Inventory inventory;
        Backend *backend;
        Store *store;
        Lifecycle *lifecycle;
        HttpServer *http;
        Service service;
        bool is_listening[CONFIG_LISTEN_MAX]; /* by the index of config->listen: made here */
        int *inherited;                       /* the service manager's sockets that are not served yet */
        size_t n_inherited;
        sd_event_source *patience;
        Bus *bus; /* NULL: not wanted */
        bool stop_requested, has_failed;
};

static int make_directories(const Config *config) {
        int r;

        r = fs_make_directory(config->state_dir, 0700);
        if (r < 0)
                return log_error_errno(r, "Cannot make the state directory %s: %m", config->state_dir);
        r = fs_make_directory(config->runtime_dir, 0755);
        if (r < 0)
                return log_error_errno(r, "Cannot make the runtime directory %s: %m", config->runtime_dir);
        return 0;
}

/* Not sd_event_exit(): the loop has to go on until what is under way is through. */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Manager *m = userdata;

        m->stop_requested = true;
        return 0;
}

static HttpConfig http_config(const Config *config) {
        return (HttpConfig){
                .max_body_bytes = config->max_body_bytes,
                .max_batch_bytes = config->max_batch_bytes,
                .max_connections = config->max_connections,
                .max_connections_per_user = config->max_connections_per_user,
                .idle_timeout_sec = config->idle_timeout_sec,
                .request_timeout_sec = config->request_timeout_sec,
        };
}

static void configure_lifecycle(Manager *m) {
        const Config *c = m->config;

        lifecycle_set_placement_policy(m->lifecycle, c->placement_policy);
        lifecycle_set_drift_mode(m->lifecycle, c->drift_mode);
        lifecycle_set_retention(m->lifecycle, c->retention_sec * USEC_PER_SEC, c->max_keys, c->max_tombstones);
}

/* Hands on what has changed to those who have copies of it. */
static void apply_config(Manager *m) {
        const HttpConfig http = http_config(m->config);

        log_set_max_level(m->config->log_level);
        m->inventory.max_devices = m->config->max_devices;
        m->inventory.owners.max_devices = m->config->max_devices_per_owner;
        lifecycle_set_max_operations(m->lifecycle, m->config->max_operations);
        configure_lifecycle(m);
        http_server_configure(m->http, &http);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        const char *problem = NULL;
        Manager *m = userdata;
        Config fresh = {};

        service_tell_reloading(&m->service);
        if (config_load(m->arguments, &fresh) < 0) {
                problem = "The new configuration is wrong (see the log), and was not taken over";
                log_error("%s", problem);
        } else if (config_reload(m->config, &fresh) < 0)
                log_oom();
        apply_config(m);
        config_done(&fresh);
        service_tell_reloaded(&m->service, problem);
        return 0;
}

static int setup_event(Manager *m) {
        static const struct {
                int number;
                sd_event_signal_handler_t handler;
        } signals[] = { { SIGTERM, on_signal }, { SIGINT, on_signal }, { SIGHUP, on_reload } };
        sigset_t mask;
        int r;

        /* Blocked before any thread is made, so that no thread takes them. */
        sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                sigaddset(&mask, signals[i].number);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        (void) signal(SIGPIPE, SIG_IGN);

        r = sd_event_default(&m->event);
        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_event_add_signal(m->event, NULL, signals[i].number, signals[i].handler, m);
        return r;
}

static int refuse_database(const Manager *m) {
        log_error(
                "The database %s/inventory.db cannot be used, and was left as it is. 'hsvdpad --fsck' says what is "
                "wrong with it, 'hsvdpad --fsck --repair' mends what can be, 'hsvdpad --restore FILE' takes a "
                "backup, "
                "'hsvdpad --rebuild' goes by what is on the host",
                m->config->state_dir);
        return EXIT_DATABASE;
}

static int setup_store(Manager *m) {
        Failure f = FAILURE_INIT;
        int r;

        r = store_open(m->event, m->config->state_dir, &m->store, &f);
        if (r == 0)
                return 0;

        log_error_errno(r, "%s", f.detail);
        switch (r) {
        case -EUCLEAN:
        case -EMEDIUMTYPE:
        case -EPROTONOSUPPORT:
                return refuse_database(m);
        case -EBUSY:
                /* systemctl(1) shows it while the service manager tries again. */
                (void) sd_notifyf(0, "STATUS=%s", f.detail);
                return EXIT_OTHER_DAEMON;
        default:
                return EXIT_FAILURE;
        }
}

static int serve(Manager *m, int fd, const char *address) {
        int r = http_server_listen(m->http, fd);

        if (r < 0) {
                close(fd);
                return log_error_errno(r, "Cannot serve %s: %m", address);
        }
        return 0;
}

static bool is_inherited(const char *address, const int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (listen_is_at(fds[i], address))
                        return true;

        return false;
}

/* Serves the sockets of the service manager. Clients that came to them before wait until now. */
static int serve_inherited(Manager *m) {
        int r;

        m->patience = sd_event_source_disable_unref(m->patience);
        while (m->n_inherited > 0) {
                r = serve(m, m->inherited[--m->n_inherited], "a socket of the service manager");
                if (r < 0)
                        return r;
        }

        return 0;
}

static int on_out_of_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        return serve_inherited(userdata);
}

static int setup_listening(Manager *m) {
        int fd, r;

        r = listen_inherit(&m->inherited, &m->n_inherited);
        if (r < 0)
                return r;

        for (size_t i = 0; i < m->config->n_listen; i++) {
                const char *address = m->config->listen[i];

                if (is_inherited(address, m->inherited, m->n_inherited))
                        continue;
                r = listen_open(address, &fd);
                if (r < 0)
                        return r;
                m->is_listening[i] = true;
                r = serve(m, fd, address);
                if (r < 0)
                        return r;
        }

        r = sd_event_add_time_relative(m->event, &m->patience, CLOCK_MONOTONIC, START_PATIENCE_USEC, 0,
                                       on_out_of_patience, m);
        return r < 0 ? log_error_errno(r, "Cannot make a timer: %m") : 0;
}

static int setup_http(Manager *m) {
        const HttpConfig http = http_config(m->config);
        int r;

        r = http_server_new(m->event, m->lifecycle, &http, &m->http);
        if (r < 0)
                return log_error_errno(r, "Cannot make the HTTP server: %m");

        return setup_listening(m);
}

static int setup_bus(Manager *m) {
        int r;

        if (m->config->bus == BUS_NO)
                return 0;
        r = bus_new(m->event, m->lifecycle, LISTEN_GROUP, m->config->bus == BUS_YES, &m->bus);
        if (r < 0)
                return log_error_errno(r, "Cannot set up D-Bus: %m");
        return 0;
}

static void stop_listening(Manager *m) {
        for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
                if (m->is_listening[i])
                        listen_remove(m->config->listen[i]);
}

/* Ends the process while a thread is in a call that does not come back. Then the process stays, as a shell of that
 * thread, and so would all that it has open: the lock of the inventory, sockets that clients would wait at. */
static void let_go(Manager *m) {
        stop_listening(m);
        (void) close_range(STDERR_FILENO + 1, UINT_MAX, 0);
}

_Noreturn static void on_hung(void *userdata, const char *what, uint64_t usec) {
        Manager *m = userdata;

        log_error("%s has been in one call for %llu s: ending without it, to be started again", what,
                  (unsigned long long) (usec / USEC_PER_SEC));
        http_server_abandon(m->http, USEC_PER_SEC);
        (void) store_drain(m->store, USEC_PER_SEC);
        let_go(m);
        /* The service manager would not see the end of a process that has a thread left. */
        (void) sd_notify(0, "WATCHDOG=trigger");
        _exit(EXIT_FAILURE);
}

int manager_new(Config *config, const ConfigArguments *arguments, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        m = calloc(1, sizeof *m);
        if (!m) {
                log_oom();
                return EXIT_FAILURE;
        }
        m->config = config;
        m->arguments = arguments;
        inventory_init(&m->inventory, config->max_devices);
        m->inventory.owners.max_devices = config->max_devices_per_owner;
        inventory_configure(&m->inventory, config->quarantine_sec * USEC_PER_SEC, config->mgmtdevs,
                            config->n_mgmtdevs);

        if (make_directories(config) < 0)
                return EXIT_FAILURE;
        r = setup_event(m);
        if (r < 0) {
                log_error_errno(r, "Cannot make the event loop: %m");
                return EXIT_FAILURE;
        }
        r = setup_store(m);
        if (r != 0)
                return r;
        if (backend_open(config, &m->backend) < 0)
                return EXIT_FAILURE;
        r = lifecycle_new(m->event, &m->inventory, m->store, m->backend, config->max_operations, &m->lifecycle);
        if (r < 0) {
                log_error_errno(r, "Cannot start the lifecycle: %m");
                return EXIT_FAILURE;
        }
        configure_lifecycle(m);
        lifecycle_set_lease_grace(m->lifecycle, config->lease_grace_sec * USEC_PER_SEC);
        lifecycle_set_boot_patience(m->lifecycle, config->boot_patience_sec * USEC_PER_SEC);
        if (setup_http(m) < 0 || setup_bus(m) < 0)
                return EXIT_FAILURE;
        r = service_init(&m->service, m->event, m->lifecycle, m->store, &config->worker_timeout_sec, on_hung, m);
        if (r < 0) {
                log_error_errno(r, "Cannot make the watchdog: %m");
                return EXIT_FAILURE;
        }

        *ret = TAKE_PTR(m);
        return 0;
}

static void on_started(void *userdata, const Outcome *outcome) {
        Manager *m = userdata;

        if (serve_inherited(m) < 0)
                m->stop_requested = m->has_failed = true;
        else
                service_tell_ready(&m->service);
}

/* Who was let in before the listening sockets were closed is still served as ever: the next daemon cannot. Each
 * answer ends its connection, and who is silent is not waited for any longer. */
static void serve_the_last(Manager *m) {
        uint64_t now = clock_monotonic_usec(), end = now + LAST_REQUESTS_USEC;
        int r = 0;

        http_server_quiesce(m->http);
        for (; !http_server_is_quiet(m->http) && now < end && r >= 0; now = clock_monotonic_usec())
                r = sd_event_run(m->event, end - now);
}

static void stop(Manager *m) {
        service_tell_stopping(&m->service, m->config->stop_timeout_sec + STOP_MARGIN_SEC);
        serve_the_last(m);
        bus_quiesce(m->bus);
        if (!lifecycle_stop(m->lifecycle, m->config->stop_timeout_sec * USEC_PER_SEC)) {
                log_error("%zu operations are not through after %u s: left to the next start",
                          lifecycle_n_operations(m->lifecycle), m->config->stop_timeout_sec);
                http_server_abandon(m->http, 2 * USEC_PER_SEC);
                let_go(m);
                _exit(EXIT_FAILURE);
        }

        /* The answers that there are. */
        (void) http_server_drain(m->http, 2 * USEC_PER_SEC);
        bus_drain(m->bus, 2 * USEC_PER_SEC);
}

int manager_run(Manager *m) {
        int r;

        r = lifecycle_start(m->lifecycle, on_started, m);
        if (r == -EUCLEAN)
                return refuse_database(m);
        if (r < 0)
                return EXIT_FAILURE;

        while (!m->stop_requested && r >= 0)
                r = sd_event_run(m->event, UINT64_MAX);
        if (r < 0)
                log_error_errno(r, "The event loop failed: %m");
        stop(m);
        return r < 0 || m->has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;

        bus_free(m->bus);
        http_server_free(m->http);
        stop_listening(m);
        service_done(&m->service);
        sd_event_source_disable_unref(m->patience);
        free(m->inherited);
        lifecycle_free(m->lifecycle);
        if (m->backend)
                m->backend->ops->free(m->backend);
        store_close(m->store);
        inventory_done(&m->inventory);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

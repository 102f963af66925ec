/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/manager.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/listen.h"
#include "http/server.h"
#include "kernel/kernel.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/log.h"

struct Manager {
        const Config *config;
        sd_event *event;
        Inventory inventory;
        Backend *backend;
        Store *store;
        Lifecycle *lifecycle;
        HttpServer *http;
        size_t n_listening;
        bool stop_requested;
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

static int setup_event(Manager *m) {
        sigset_t mask;
        int r;

        /* Blocked before any thread is made, so that no thread takes them. */
        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        (void) signal(SIGPIPE, SIG_IGN);

        r = sd_event_default(&m->event);
        if (r < 0)
                return r;
        r = sd_event_add_signal(m->event, NULL, SIGTERM, on_signal, m);
        if (r < 0)
                return r;
        r = sd_event_add_signal(m->event, NULL, SIGINT, on_signal, m);
        if (r < 0)
                return r;
        return sd_event_set_watchdog(m->event, true);
}

static int refuse_database(const Manager *m) {
        log_error("The database %s/inventory.db cannot be used, and was left as it is", m->config->state_dir);
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
                return EXIT_OTHER_DAEMON;
        default:
                return EXIT_FAILURE;
        }
}

static int setup_backend(Manager *m) {
        const SimConfig sim = { .mgmtdevs = m->config->sims, .n_mgmtdevs = m->config->n_sims };
        Failure f = FAILURE_INIT;
        int r = -EINVAL;

        switch (m->config->backend) {
        case BACKEND_KERNEL:
                r = kernel_backend_new("", m->config->runtime_dir, &m->backend);
                if (r < 0)
                        return log_error_errno(r, "Cannot start the kernel backend: %m");
                return 0;
        case BACKEND_SIM:
                r = sim_backend_new(sim.n_mgmtdevs > 0 ? &sim : sim_config_default(), m->config->runtime_dir,
                                    &m->backend, &f);
                if (r < 0)
                        return log_error_errno(r, "Cannot start the simulated management devices: %s", f.detail);
                return 0;
        case _BACKEND_MAX:
                break;
        }

        return r;
}

static int setup_http(Manager *m) {
        const HttpConfig http = {
                .max_body_bytes = m->config->max_body_bytes,
                .max_connections = m->config->max_connections,
                .idle_timeout_sec = m->config->idle_timeout_sec,
        };
        int r;

        r = http_server_new(m->event, m->lifecycle, &http, &m->http);
        if (r < 0)
                return log_error_errno(r, "Cannot make the HTTP server: %m");

        for (; m->n_listening < m->config->n_listen; m->n_listening++) {
                const char *address = m->config->listen[m->n_listening];
                _cleanup_close_ int fd = -1;

                r = listen_open(address, &fd);
                if (r < 0)
                        return r;
                r = http_server_listen(m->http, fd);
                if (r < 0) {
                        listen_remove(address);
                        return log_error_errno(r, "Cannot serve %s: %m", address);
                }
                TAKE_FD(fd);
        }

        return 0;
}

int manager_new(const Config *config, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        m = calloc(1, sizeof *m);
        if (!m) {
                log_oom();
                return EXIT_FAILURE;
        }
        m->config = config;
        inventory_init(&m->inventory, config->max_devices);
        inventory_configure(&m->inventory, config->quarantine_sec * USEC_PER_SEC, NULL, 0);

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
        if (setup_backend(m) < 0)
                return EXIT_FAILURE;
        r = lifecycle_new(m->event, &m->inventory, m->store, m->backend, config->max_operations, &m->lifecycle);
        if (r < 0) {
                log_error_errno(r, "Cannot start the lifecycle: %m");
                return EXIT_FAILURE;
        }
        lifecycle_set_placement_policy(m->lifecycle, config->placement_policy);
        if (setup_http(m) < 0)
                return EXIT_FAILURE;

        *ret = TAKE_PTR(m);
        return 0;
}

static void on_started(void *userdata, const Outcome *outcome) {
        Manager *m = userdata;

        (void) sd_notifyf(0, "READY=1\nSTATUS=%zu devices, backend %s", m->inventory.n_devices,
                          backend_kind_name(m->config->backend));
}

static bool stop(Manager *m) {
        bool is_through;

        (void) sd_notify(0, "STOPPING=1\nSTATUS=Finishing what is under way");
        http_server_quiesce(m->http);
        is_through = lifecycle_stop(m->lifecycle, m->config->stop_timeout_sec * USEC_PER_SEC);
        if (!is_through)
                log_error("%zu operations are not through after %u s: left to the next start",
                          lifecycle_n_operations(m->lifecycle), m->config->stop_timeout_sec);

        /* The answers that there are. */
        (void) http_server_drain(m->http, 2 * USEC_PER_SEC);
        return is_through;
}

int manager_run(Manager *m, bool *ret_stuck) {
        int r;

        *ret_stuck = false;
        r = lifecycle_start(m->lifecycle, on_started, m);
        if (r == -EUCLEAN)
                return refuse_database(m);
        if (r < 0)
                return EXIT_FAILURE;

        while (!m->stop_requested && r >= 0)
                r = sd_event_run(m->event, UINT64_MAX);
        if (r < 0)
                log_error_errno(r, "The event loop failed: %m");
        *ret_stuck = !stop(m);
        return r < 0 || *ret_stuck ? EXIT_FAILURE : EXIT_SUCCESS;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;

        http_server_free(m->http);
        for (size_t i = 0; i < m->n_listening; i++)
                listen_remove(m->config->listen[i]);
        lifecycle_free(m->lifecycle);
        if (m->backend)
                m->backend->ops->free(m->backend);
        store_close(m->store);
        inventory_done(&m->inventory);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

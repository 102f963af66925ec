/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GET /metrics: the numbers of the daemon and of its host, in the text format of Prometheus. Of all labels only the
 * handle of a management device can have something in it that has to be escaped. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "http/exposition.h"
#include "http/handlers.h"
#include "http/reply.h"
#include "inventory/budget.h"
#include "lifecycle/stuck.h"
#include "util/clock.h"

#define TYPE "text/plain; version=0.0.4; charset=utf-8"

static void number(FILE *f, const char *name, const char *type, uint64_t value, const char *help) {
        exposition_family(f, name, type, help);
        fprintf(f, "%s %" PRIu64 "\n", name, value);
}

static void seconds(FILE *f, const char *name, const char *type, uint64_t usec, const char *help) {
        exposition_family(f, name, type, help);
        fprintf(f, "%s ", name);
        exposition_seconds(f, usec);
        fputc('\n', f);
}

static void write_daemon(Lifecycle *l, FILE *f) {
        Stuck stuck;

        exposition_family(f, "hsvdpa_info", "gauge", "Always 1.");
        fprintf(f, "hsvdpa_info{version=\"%s\",backend=\"%s\"} 1\n", PACKAGE_VERSION, lifecycle_backend_name(l));
        number(f, "hsvdpa_ready", "gauge", lifecycle_is_ready(l), "1 between the end of the start and the stop.");
        number(f, "hsvdpa_host_available", "gauge", lifecycle_host(l)->available, "1 if devices can be made here.");
        number(f, "hsvdpa_operations", "gauge", lifecycle_n_operations(l), "Operations under way.");
        number(f, "hsvdpa_operations_max", "gauge", lifecycle_max_operations(l),
               "Operations that requests may have under way.");
        number(f, "hsvdpa_backend_queue_length", "gauge", workqueue_length(lifecycle_worker(l)),
               "What the backend's thread has to do.");
        seconds(f, "hsvdpa_backend_busy_seconds", "gauge", workqueue_busy_usec(lifecycle_worker(l)),
                "How long it has been in one call; 0 if it has nothing to do.");
        number(f, "hsvdpa_backend_stuck", "gauge", lifecycle_get_stuck(l, &stuck),
               "1 while the kernel does not answer.");
        number(f, "hsvdpa_store_queue_length", "gauge", workqueue_length(lifecycle_writer(l)),
               "Changes on their way to the disk.");
        seconds(f, "hsvdpa_store_busy_seconds", "gauge", workqueue_busy_usec(lifecycle_writer(l)),
                "How long the store has been at what it writes; 0 if that is nothing.");
        number(f, "hsvdpa_store_writable", "gauge", !lifecycle_trouble(l), "0 while changes cannot be recorded.");
}

static void write_process(FILE *f) {
        uint64_t n_pages = 0, n_resident = 0;
        struct rusage usage;
        FILE *statm;

        if (getrusage(RUSAGE_SELF, &usage) >= 0)
                seconds(f, "process_cpu_seconds_total", "counter",
                        (uint64_t) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * USEC_PER_SEC +
                                (uint64_t) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
                        "Processor time of all threads, user and system.");
        statm = fopen("/proc/self/statm", "re");
        if (!statm)
                return;
        if (fscanf(statm, "%" SCNu64 " %" SCNu64, &n_pages, &n_resident) == 2)
                number(f, "process_resident_memory_bytes", "gauge", n_resident * (uint64_t) sysconf(_SC_PAGESIZE),
                       "Resident memory.");
        (void) fclose(statm);
}

static void write_devices(Inventory *inv, FILE *f) {
        exposition_family(f, "hsvdpa_devices", "gauge", "Devices of the inventory.");
        for (DeviceState state = 0; state < _DEVICE_STATE_MAX; state++)
                fprintf(f, "hsvdpa_devices{state=\"%s\"} %zu\n", device_state_name(state), inv->n_states[state]);
        number(f, "hsvdpa_devices_max", "gauge", inv->max_devices, "Devices that the inventory may have.");
        number(f, "hsvdpa_revision", "gauge", inv->revision, "Grows with each change.");
}

/* Begins a sample of the management device: up to the end of its first label. */
static void write_handle(const char *name, const Mgmtdev *m, FILE *f) {
        fprintf(f, "%s{mgmtdev=\"", name);
        for (const char *p = m->info.handle; *p; p++) {
                if (*p == '"' || *p == '\\')
                        fputc('\\', f);
                fputc(*p, f);
        }
        fputc('"', f);
}

static void write_budget(const Mgmtdev *m, Resource resource, FILE *f) {
        Budget b = mgmtdev_budget(m, resource, clock_monotonic_usec());
        const struct {
                const char *name;
                uint32_t n;
        } states[] = {
                { "reserved", b.reserved }, { "used", b.used }, { "quarantined", b.quarantined }, { "free", b.free }
        };

        for (size_t i = 0; i < ELEMENTSOF(states) - !b.is_known; i++) {
                write_handle("hsvdpa_mgmtdev_budget", m, f);
                fprintf(f, ",resource=\"%s\",state=\"%s\"} %" PRIu32 "\n", resource_name(resource), states[i].name,
                        states[i].n);
        }
}

/* A number of each management device. */
static void write_mgmtdev_numbers(Inventory *inv, FILE *f, const char *name, const char *type, const char *help,
                                  uint64_t (*get)(const Mgmtdev *m)) {
        exposition_family(f, name, type, help);
        for (Mgmtdev *m = inventory_first_mgmtdev(inv); m; m = inventory_next_mgmtdev(m)) {
                write_handle(name, m, f);
                fprintf(f, "} %" PRIu64 "\n", get(m));
        }
}

static uint64_t is_present(const Mgmtdev *m) {
        return m->present;
}

static uint64_t is_cordoned(const Mgmtdev *m) {
        return mgmtdev_is_cordoned(m);
}

static uint64_t n_foreign(const Mgmtdev *m) {
        return m->n_foreign;
}

static void write_mgmtdevs(Inventory *inv, FILE *f) {
        write_mgmtdev_numbers(inv, f, "hsvdpa_mgmtdev_present", "gauge", "1 if the host has it.", is_present);
        write_mgmtdev_numbers(inv, f, "hsvdpa_mgmtdev_cordoned", "gauge", "1 if nothing is placed there.",
                              is_cordoned);
        write_mgmtdev_numbers(inv, f, "hsvdpa_mgmtdev_foreign_devices", "gauge", "Devices there that others made.",
                              n_foreign);
        exposition_family(f, "hsvdpa_mgmtdev_budget", "gauge",
                          "How much of each resource is where; there is no free where no total is known.");
        for (Mgmtdev *m = inventory_first_mgmtdev(inv); m; m = inventory_next_mgmtdev(m))
                for (Resource r = 0; r < _RESOURCE_MAX; r++)
                        write_budget(m, r, f);
}

typedef uint64_t (*get_pool_number_t)(Inventory *inv, const Pool *pool);

static void write_pool_numbers(Inventory *inv, FILE *f, const char *name, const char *type, const char *help,
                               get_pool_number_t get) {
        exposition_family(f, name, type, help);
        for (const Pool *pool = pool_next(inv, ""); pool; pool = pool_next(inv, pool->name))
                fprintf(f, "%s{pool=\"%s\"} %" PRIu64 "\n", name, pool->name, get(inv, pool));
}

static uint64_t pool_free_devices(Inventory *inv, const Pool *pool) {
        return pool_count_free(inv, pool);
}

static uint64_t pool_making(Inventory *inv, const Pool *pool) {
        return pool->n_making;
}

static uint64_t pool_low(Inventory *inv, const Pool *pool) {
        return pool->spec.low;
}

static uint64_t pool_claims(Inventory *inv, const Pool *pool) {
        return pool->n_claims;
}

static uint64_t pool_misses(Inventory *inv, const Pool *pool) {
        return pool->n_misses;
}

static uint64_t pool_returns(Inventory *inv, const Pool *pool) {
        return pool->n_returns;
}

static void write_pools(Inventory *inv, FILE *f) {
        write_pool_numbers(inv, f, "hsvdpa_pool_free", "gauge", "Devices that can be claimed.", pool_free_devices);
        write_pool_numbers(inv, f, "hsvdpa_pool_making", "gauge", "Devices that are being made.", pool_making);
        write_pool_numbers(inv, f, "hsvdpa_pool_low", "gauge", "With fewer free ones more are made.", pool_low);
        write_pool_numbers(inv, f, "hsvdpa_pool_claims_total", "counter", "Devices handed out.", pool_claims);
        write_pool_numbers(inv, f, "hsvdpa_pool_misses_total", "counter", "Claims that found none.", pool_misses);
        write_pool_numbers(inv, f, "hsvdpa_pool_returns_total", "counter", "Devices given back.", pool_returns);
}

void http_metrics_get(HttpRequest *r, HttpInput *in) {
        Lifecycle *l = r->context->lifecycle;
        char *text = NULL;
        size_t size;
        FILE *f;

        if (!http_input_end(in, r))
                return;

        f = open_memstream(&text, &size);
        if (f) {
                write_daemon(l, f);
                write_process(f);
                write_devices(lifecycle_inventory(l), f);
                write_mgmtdevs(lifecycle_inventory(l), f);
                write_pools(lifecycle_inventory(l), f);
                http_counters_write(&r->context->counters, f);
                if (fclose(f) != 0)
                        free(TAKE_PTR(text));
        }
        http_reply_page(r, TYPE, text);
}

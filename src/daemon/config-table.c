/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All keys. They are printed in this order; those of one section stand together. */
#include "daemon/config-table.h"

#include <errno.h>
#include <string.h>

#include "daemon/config-mgmtdev.h"
#include "daemon/config-sim.h"
#include "daemon/listen.h"
#include "util/log.h"

const ConfigSection config_sections[] = {
        { "daemon" },
        { "kernel" },
        { "dbus" },
        { "limits" },
        { "placement" },
        { "drift" },
        { "resources" },
        { "leases" },
        { "idempotency" },
        { "mgmtdev", config_mgmtdev_find_or_add, config_mgmtdev_get },
        { "sim", config_sim_find_or_add, config_sim_get },
};
const size_t config_n_sections = ELEMENTSOF(config_sections);

static const char *const backend_names[_BACKEND_MAX] = { [BACKEND_KERNEL] = "kernel", [BACKEND_SIM] = "sim" };

static const char *const bus_names[_BUS_MAX] = { [BUS_AUTO] = "auto", [BUS_YES] = "yes", [BUS_NO] = "no" };

static const char *const yes_no_names[] = { "no", "yes" };

static const char *const log_level_names[] = {
        [LOG_ERR] = "err",   [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

const char *backend_kind_name(BackendKind kind) {
        return backend_names[kind];
}

static const char *name_backend(unsigned value) {
        return backend_names[value];
}

static const char *name_bus(unsigned value) {
        return bus_names[value];
}

static const char *name_log_level(unsigned value) {
        return log_level_names[value];
}

static const char *name_placement_policy(unsigned value) {
        return placement_policy_name((PlacementPolicy) value);
}

static const char *name_yes_no(unsigned value) {
        return yes_no_names[value];
}

static const char *name_drift_mode(unsigned value) {
        return drift_mode_name((DriftMode) value);
}

static int set_listen(const ConfigKey *key, void *object, const char *value) {
        Config *config = object;
        char *copy;

        if (listen_check(value) < 0)
                return -EINVAL;
        if (config->n_listen == CONFIG_LISTEN_MAX)
                return -E2BIG;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        config->listen[config->n_listen++] = copy;
        return 0;
}

static void print_listen(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const Config *config = object;

        fputs(config->listen[i], out);
}

static size_t count_listen(const ConfigKey *key, const void *object) {
        const Config *config = object;

        return config->n_listen;
}

static void clear_listen(const ConfigKey *key, void *object) {
        Config *config = object;

        while (config->n_listen > 0)
                free(config->listen[--config->n_listen]);
}

static const ConfigType type_listen = { set_listen, print_listen, count_listen, clear_listen };

#define UINT(section, name, min, max, initial, can_reload)                                                         \
        { section, #name, &config_uint, offsetof(Config, name), min, max, NULL, initial, can_reload }
#define SIM_UINT(name, member, max)                                                                                \
        { "sim", name, &config_uint, offsetof(SimMgmtdev, member), 0, max }
#define SIM_INT(name, member, max)                                                                                 \
        { "sim", name, &config_sim_number, offsetof(SimMgmtdev, member), 0, max }
#define SIM_COMMAND(name, command)                                                                                 \
        SIM_UINT("latency_" name "_usec", more_latency_usec[command], 60 * 1000 * 1000),                           \
                SIM_UINT("fail_" name, fail_every[command], UINT32_MAX)
#define PATH(section, name, initial)                                                                               \
        { section, #name, &config_path, offsetof(Config, name), 0, 0, NULL, initial }

#define MGMTDEV(name, type, resource, max)                                                                         \
        { "mgmtdev", name, &config_mgmtdev_##type, offsetof(ConfiguredMgmtdev, settings.budgets[resource]), 0, max }

const ConfigKey config_keys[] = {
        { "daemon", "backend", &config_name, offsetof(Config, backend), 0, _BACKEND_MAX, name_backend, "kernel" },
        PATH("daemon", state_dir, "/var/lib/hsvdpa"),
        PATH("daemon", runtime_dir, "/run/hsvdpa"),
        { "daemon", "listen", &type_listen },
        { "daemon", "log_level", &config_name, offsetof(Config, log_level), 0, ELEMENTSOF(log_level_names),
          name_log_level, "info", true },
        UINT("daemon", stop_timeout_sec, 1, 3600, "30", true),
        UINT("daemon", worker_timeout_sec, 1, 3600, "120", true),
        UINT("daemon", boot_patience_sec, 0, 600, "10", false),
        { "kernel", "exclusive", &config_name, offsetof(Config, exclusive), 0, ELEMENTSOF(yes_no_names),
          name_yes_no, "no" },
        { "dbus", "enable", &config_name, offsetof(Config, bus), 0, _BUS_MAX, name_bus, "auto" },
        UINT("limits", max_devices, 1, 1u << 20, "1048576", true),
        UINT("limits", max_operations, 1, 1u << 16, "4096", true),
        UINT("limits", max_connections, 1, 1u << 16, "1024", false),
        UINT("limits", max_body_bytes, 1024, 1u << 28, "1048576", true),
        UINT("limits", max_batch_bytes, 1024, 1u << 28, "16777216", true),
        UINT("limits", max_connections_per_user, 1, 1u << 16, "512", false),
        UINT("limits", idle_timeout_sec, 1, 3600, "30", true),
        UINT("limits", request_timeout_sec, 1, 3600, "20", true),
        UINT("limits", max_devices_per_owner, 0, 1u << 20, "0", true),
        { "placement", "policy", &config_name, offsetof(Config, placement_policy), 0, _PLACEMENT_POLICY_MAX,
          name_placement_policy, "spread", true },
        { "drift", "mode", &config_name, offsetof(Config, drift_mode), 0, _DRIFT_MODE_MAX, name_drift_mode,
          "observe", true },
        UINT("resources", quarantine_sec, 0, 86400, "10", false),
        { "leases", "grace_sec", &config_uint, offsetof(Config, lease_grace_sec), 0, 86400, NULL, "30" },
        UINT("idempotency", retention_sec, 1, 31 * 86400, "86400", true),
        UINT("idempotency", max_keys, 1, 1u << 20, "65536", true),
        UINT("idempotency", max_tombstones, 1, 1u << 20, "131072", true),
        { "mgmtdev", "cordoned", &config_mgmtdev_cordoned },
        { "mgmtdev", "labels", &config_mgmtdev_labels },
        MGMTDEV("devices", total, RESOURCE_DEVICES, UINT32_MAX - 1),
        MGMTDEV("asids", total, RESOURCE_ASIDS, IDS_MAX),
        MGMTDEV("msis", total, RESOURCE_MSIS, IDS_MAX),
        MGMTDEV("vqs", total, RESOURCE_VQS, UINT32_MAX - 1),
        MGMTDEV("reserved_devices", reserved, RESOURCE_DEVICES, UINT32_MAX - 1),
        MGMTDEV("reserved_asids", reserved_ids, RESOURCE_ASIDS, 0),
        MGMTDEV("reserved_msis", reserved_ids, RESOURCE_MSIS, 0),
        MGMTDEV("reserved_vqs", reserved, RESOURCE_VQS, UINT32_MAX - 1),
        { "sim", "classes", &config_sim_classes },
        { "sim", "features", &config_sim_features },
        { "sim", "transport", &config_name, offsetof(SimMgmtdev, info.transport), 0, _TRANSPORT_MAX,
          config_sim_transport_name },
        SIM_INT("numa_node", info.numa_node, 1023),
        { "sim", "pci_function", &config_sim_pci_address, offsetof(SimMgmtdev, info.pci_function) },
        { "sim", "pf", &config_sim_pci_address, offsetof(SimMgmtdev, info.pci_pf) },
        SIM_INT("vf_index", info.vf_index, UINT16_MAX - 1),
        { "sim", "asid_kind", &config_name, offsetof(SimMgmtdev, info.asid_kind), 0, _ASID_KIND_MAX,
          config_sim_asid_kind_name },
        SIM_UINT("asids", info.capacity[RESOURCE_ASIDS].total, IDS_MAX),
        { "sim", "reserved_asids", &config_sim_ranges,
          offsetof(SimMgmtdev, info.capacity[RESOURCE_ASIDS].reserved_ids) },
        SIM_UINT("msis", info.capacity[RESOURCE_MSIS].total, IDS_MAX),
        { "sim", "reserved_msis", &config_sim_ranges,
          offsetof(SimMgmtdev, info.capacity[RESOURCE_MSIS].reserved_ids) },
        SIM_UINT("vqs", info.capacity[RESOURCE_VQS].total, UINT32_MAX),
        SIM_UINT("max_devices", info.capacity[RESOURCE_DEVICES].total, 1u << 20),
        SIM_UINT("max_vqs", info.max_vqs, UINT16_MAX),
        SIM_UINT("traffic", traffic, 1000000),
        SIM_UINT("latency_usec", latency_usec, 60 * 1000 * 1000),
        SIM_COMMAND("create", SIM_CREATE),
        SIM_COMMAND("assign", SIM_ASSIGN),
        SIM_COMMAND("bind", SIM_BIND),
        SIM_COMMAND("publish", SIM_PUBLISH),
        SIM_COMMAND("set_mac", SIM_SET_MAC),
        SIM_COMMAND("destroy", SIM_DESTROY),
};
const size_t config_n_keys = ELEMENTSOF(config_keys);

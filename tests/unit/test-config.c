/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "util/log.h"

static Config config;

static void set_up(void) {
        log_open(LOG_INFO);
        ck_assert_int_eq(config_init(&config), 0);
}

static void tear_down(void) {
        config_done(&config);
}

/* The whole of it, as it would be printed, but for the comments; the caller's to free. */
static char *print(const Config *c) {
        char *text = NULL, *end;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(out);
        config_print(c, out);
        ck_assert_int_eq(fclose(out), 0);
        for (char *p = text; (p = strstr(p, "# "));) {
                end = strchr(p, '\n') + 1;
                memmove(p, end, strlen(end) + 1);
        }
        return text;
}

START_TEST(test_defaults) {
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(config_finish(&config), 0);
        text = print(&config);
        ck_assert_str_eq(text, "[daemon]\n"
                               "backend = kernel\n"
                               "state_dir = /var/lib/hsvdpa\n"
                               "runtime_dir = /run/hsvdpa\n"
                               "listen = unix:/run/hsvdpa/api.sock\n"
                               "log_level = info\n"
                               "stop_timeout_sec = 30\n"
                               "worker_timeout_sec = 120\n"
                               "boot_patience_sec = 10\n"
                               "\n"
                               "[kernel]\n"
                               "exclusive = no\n"
                               "\n"
                               "[dbus]\n"
                               "enable = auto\n"
                               "\n"
                               "[limits]\n"
                               "max_devices = 1048576\n"
                               "max_operations = 4096\n"
                               "max_connections = 1024\n"
                               "max_body_bytes = 1048576\n"
                               "max_batch_bytes = 16777216\n"
                               "max_connections_per_user = 512\n"
                               "idle_timeout_sec = 30\n"
                               "request_timeout_sec = 20\n"
                               "max_devices_per_owner = 0\n"
                               "\n"
                               "[placement]\n"
                               "policy = spread\n"
                               "\n"
                               "[drift]\n"
                               "mode = observe\n"
                               "\n"
                               "[resources]\n"
                               "quarantine_sec = 10\n"
                               "\n"
                               "[leases]\n"
                               "grace_sec = 30\n"
                               "\n"
                               "[idempotency]\n"
                               "retention_sec = 86400\n"
                               "max_keys = 65536\n"
                               "max_tombstones = 131072\n");
}
END_TEST

static const struct {
        const char *section, *key, *value;
        int r;
} settings[] = {
        { "daemon", "backend", "sim", 0 },
        { "daemon", "backend", "kernel", 0 },
        { "daemon", "backend", "Kernel", -EINVAL },
        { "daemon", "backend", "", -EINVAL },
        { "daemon", "state_dir", "/a/b", 0 },
        { "daemon", "state_dir", "a/b", -EINVAL },
        { "daemon", "state_dir", "", -EINVAL },
        { "daemon", "runtime_dir", "/x", 0 },
        { "daemon", "runtime_dir", "x", -EINVAL },
        { "daemon", "listen", "unix:/x.sock", 0 },
        { "daemon", "listen", "tcp:127.0.0.1:80", 0 },
        { "daemon", "listen", "/x.sock", -EINVAL },
        { "daemon", "log_level", "err", 0 },
        { "daemon", "log_level", "warning", 0 },
        { "daemon", "log_level", "notice", 0 },
        { "daemon", "log_level", "info", 0 },
        { "daemon", "log_level", "debug", 0 },
        { "daemon", "log_level", "7", -EINVAL },
        { "daemon", "stop_timeout_sec", "1", 0 },
        { "daemon", "stop_timeout_sec", "3600", 0 },
        { "daemon", "stop_timeout_sec", "0", -ERANGE },
        { "daemon", "stop_timeout_sec", "3601", -ERANGE },
        { "daemon", "stop_timeout_sec", "1s", -EINVAL },
        { "limits", "max_devices", "1", 0 },
        { "limits", "max_devices", "1048576", 0 },
        { "limits", "max_devices", "1048577", -ERANGE },
        { "limits", "max_devices", "0", -ERANGE },
        { "limits", "max_devices", "-1", -EINVAL },
        { "limits", "max_devices", "+1", -EINVAL },
        { "limits", "max_devices", " 1", -EINVAL },
        { "limits", "max_devices", "0x10", -EINVAL },
        { "limits", "max_devices", "", -EINVAL },
        { "limits", "max_devices", "4294967297", -ERANGE },
        { "limits", "max_devices", "99999999999999999999999", -ERANGE },
        { "placement", "policy", "pack", 0 },
        { "placement", "policy", "default", -EINVAL },
        { "kernel", "exclusive", "yes", 0 },
        { "kernel", "exclusive", "1", -EINVAL },
        { "drift", "mode", "enforce", 0 },
        { "drift", "mode", "ignore", -EINVAL },
        { "limits", "max_operations", "65536", 0 },
        { "limits", "max_operations", "65537", -ERANGE },
        { "limits", "max_connections", "65536", 0 },
        { "limits", "max_connections", "0", -ERANGE },
        { "limits", "max_body_bytes", "1024", 0 },
        { "limits", "max_body_bytes", "268435456", 0 },
        { "limits", "max_body_bytes", "1023", -ERANGE },
        { "limits", "max_body_bytes", "268435457", -ERANGE },
        { "limits", "idle_timeout_sec", "3600", 0 },
        { "limits", "idle_timeout_sec", "3601", -ERANGE },
        { "limits", "backend", "sim", -EINVAL },
        { "daemon", "max_devices", "1", -EINVAL },
        { "daemon", "Backend", "sim", -EINVAL },
        { "", "backend", "sim", -EINVAL },
        { "sim", "classes", "net", -EINVAL },
        { "other", "key", "value", -EINVAL },
        { "resources", "quarantine_sec", "0", 0 },
        { "resources", "quarantine_sec", "86401", -ERANGE },
        { "leases", "grace_sec", "0", 0 },
        { "leases", "grace_sec", "86401", -ERANGE },
        { "idempotency", "retention_sec", "1", 0 },
        { "idempotency", "retention_sec", "0", -ERANGE },
        { "idempotency", "retention_sec", "2678401", -ERANGE },
        { "idempotency", "max_keys", "0", -ERANGE },
        { "idempotency", "max_keys", "1048576", 0 },
        { "idempotency", "max_tombstones", "1048577", -ERANGE },
        { "mgmtdev a", "cordoned", "yes", 0 },
        { "mgmtdev a", "cordoned", "true", -EINVAL },
        { "mgmtdev a", "labels", "rack=7, tier=", 0 },
        { "mgmtdev a", "labels", "", -EINVAL },
        { "mgmtdev a", "labels", "rack", -EINVAL },
        { "mgmtdev a", "labels", "=7", -EINVAL },
        { "mgmtdev a", "labels", "a=1,a=2", -EINVAL },
        { "mgmtdev a", "labels", "a=\xff", -EINVAL },
        { "mgmtdev a", "devices", "0", 0 },
        { "mgmtdev a", "devices", "4294967295", -ERANGE },
        { "mgmtdev a", "msis", "16777216", 0 },
        { "mgmtdev a", "msis", "16777217", -ERANGE },
        { "mgmtdev a", "reserved_vqs", "x", -EINVAL },
        { "mgmtdev a", "reserved_asids", "0-15,100", 0 },
        { "mgmtdev a", "reserved_asids", "", 0 },
        { "mgmtdev a", "reserved_msis", "3-1", -EINVAL },
        { "mgmtdev ../a", "devices", "1", -EINVAL },
        { "mgmtdev a", "pasids", "1", -EINVAL },
        { "sim a", "classes", "net", 0 },
        { "sim a", "classes", "net,block, 26 fs", 0 },
        { "sim a", "classes", "", -EINVAL },
        { "sim a", "classes", "net,nothing", -EINVAL },
        { "sim a", "classes", "0", -EINVAL },
        { "sim a", "transport", "pci-vf", 0 },
        { "sim a", "transport", "pci", -EINVAL },
        { "sim a", "numa_node", "0", 0 },
        { "sim a", "numa_node", "1023", 0 },
        { "sim a", "numa_node", "1024", -ERANGE },
        { "sim a", "numa_node", "-1", -EINVAL },
        { "sim a", "max_devices", "1048576", 0 },
        { "sim a", "max_devices", "1048577", -ERANGE },
        { "sim a", "max_vqs", "65535", 0 },
        { "sim a", "max_vqs", "65536", -ERANGE },
        { "sim a", "latency_usec", "60000000", 0 },
        { "sim a", "latency_usec", "60000001", -ERANGE },
        { "sim a", "fail_create", "4294967295", 0 },
        { "sim a", "fail_bind", "1", 0 },
        { "sim a", "fail_publish", "1", 0 },
        { "sim a", "fail_destroy", "x", -EINVAL },
        { "sim a", "fail_nothing", "1", -EINVAL },
        { "sim a", "fail_set_mac", "1", 0 },
        { "sim a", "latency_create_usec", "60000000", 0 },
        { "sim a", "latency_destroy_usec", "60000001", -ERANGE },
        { "sim a", "traffic", "1000000", 0 },
        { "sim a", "traffic", "1000001", -ERANGE },
        { "sim a", "features", "net: MAC,MTU, bit_50", 0 },
        { "sim a", "features", "26:", 0 },
        { "sim a", "features", "MAC", -EINVAL },
        { "sim a", "features", "net MAC", -EINVAL },
        { "sim a", "features", ": MAC", -EINVAL },
        { "sim a", "features", "", -EINVAL },
        { "sim a", "features", "block: MAC", -EINVAL },
        { "sim a", "asid_kind", "pasid", 0 },
        { "sim a", "asid_kind", "device-mmu", 0 },
        { "sim a", "asid_kind", "mmu", -EINVAL },
        { "sim a", "asids", "16777216", 0 },
        { "sim a", "asids", "16777217", -ERANGE },
        { "sim a", "msis", "16777216", 0 },
        { "sim a", "msis", "16777217", -ERANGE },
        { "sim a", "vqs", "4294967295", 0 },
        { "sim a", "reserved_asids", "0-15,100", 0 },
        { "sim a", "reserved_asids", "", 0 },
        { "sim a", "reserved_asids", "15-0", -EINVAL },
        { "sim a", "reserved_msis", "x", -EINVAL },
        { "sim a", "reserved_msis", "16777216", -EINVAL },
        { "sim a", "reserved_msis", "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48",
          -EINVAL },
        { "sim a", "pci_function", "0000:01:00.0", 0 },
        { "sim a", "pci_function", "01:00.0", -EINVAL },
        { "sim a", "pf", "0000:01:00.0", 0 },
        { "sim a", "pf", "", -EINVAL },
        { "sim a", "vf_index", "65534", 0 },
        { "sim a", "vf_index", "65535", -ERANGE },
        { "sim a/b", "classes", "net", 0 },
        { "sim ", "classes", "net", -EINVAL },
        { "sim ../b", "classes", "net", -EINVAL },
        { "sim a b", "classes", "net", -EINVAL },
};

START_TEST(test_set) {
        _cleanup_free_ char *before = print(&config), *after = NULL, *log = NULL;
        int r;

        unit_capture_begin();
        r = config_set(&config, settings[_i].section, settings[_i].key, settings[_i].value, "here");
        log = unit_capture_end();
        ck_assert_int_eq(r, settings[_i].r);
        if (r == 0) {
                ck_assert_str_eq(log, "");
                return;
        }

        /* What is wrong is told, once, and changes nothing of what is there. */
        ck_assert_msg(strncmp(log, "here: ", 6) == 0 && strchr(log, '\n') == log + strlen(log) - 1, "%s", log);
        after = print(&config);
        ck_assert_int_eq(strncmp(before, after, strlen(before)), 0);
}
END_TEST

/* What was set is what is printed, under its section. */
START_TEST(test_set_and_print) {
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(config_set(&config, "daemon", "backend", "sim", ""), 0);
        ck_assert_int_eq(config_set(&config, "limits", "max_devices", "42", ""), 0);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/a", ""), 0);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/b", ""), 0);
        ck_assert_int_eq(config.backend, BACKEND_SIM);
        ck_assert_uint_eq(config.max_devices, 42);
        ck_assert_int_eq(config_finish(&config), 0);
        text = print(&config);
        ck_assert_ptr_nonnull(strstr(text, "[daemon]\nbackend = sim\n"));
        ck_assert_ptr_nonnull(strstr(text, "\n[limits]\nmax_devices = 42\n"));
        ck_assert_ptr_nonnull(strstr(text, "\nlisten = unix:/a\nlisten = unix:/b\n"));
        ck_assert_ptr_null(strstr(text, "api.sock"));
}
END_TEST

START_TEST(test_too_many) {
        char value[32];
        int r = 0;

        log_open(LOG_EMERG);
        for (unsigned i = 0; i <= CONFIG_LISTEN_MAX; i++) {
                ck_assert_int_eq(r, 0);
                (void) snprintf(value, sizeof value, "unix:/%u", i);
                r = config_set(&config, "daemon", "listen", value, "");
        }
        ck_assert_int_eq(r, -E2BIG);
        for (unsigned i = 0; i <= CONFIG_SIM_MAX; i++) {
                (void) snprintf(value, sizeof value, "sim s%u", i);
                r = config_set(&config, value, "max_vqs", "1", "");
                ck_assert_int_eq(r, i == CONFIG_SIM_MAX ? -E2BIG : 0);
        }
        ck_assert_uint_eq(config.n_sims, CONFIG_SIM_MAX);
}
END_TEST

/* The default socket follows the runtime directory, which can be too long for one. */
START_TEST(test_finish) {
        char directory[200] = "/";

        log_open(LOG_EMERG);
        memset(directory + 1, 'x', 150);
        ck_assert_int_eq(config_set(&config, "daemon", "runtime_dir", directory, ""), 0);
        ck_assert_int_lt(config_finish(&config), 0);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/a", ""), 0);
        ck_assert_int_eq(config_finish(&config), 0);
        config_begin_source(&config);
        ck_assert_int_eq(config_set(&config, "daemon", "runtime_dir", "/r", ""), 0);
        ck_assert_int_eq(config_finish(&config), 0);
        ck_assert_str_eq(config.listen[0], "unix:/a");

        config_done(&config);
        ck_assert_int_eq(config_init(&config), 0);
        ck_assert_int_eq(config_set(&config, "daemon", "runtime_dir", "/r", ""), 0);
        ck_assert_int_eq(config_finish(&config), 0);
        ck_assert_str_eq(config.listen[0], "unix:/r/api.sock");
}
END_TEST

/* Each source's values stand instead of those of the ones before, also where there can be several. */
START_TEST(test_sources) {
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/a", "first"), 0);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/b", "first"), 0);
        ck_assert_int_eq(config_set(&config, "limits", "max_devices", "1", "first"), 0);
        ck_assert_int_eq(config_set(&config, "limits", "max_operations", "1", "first"), 0);
        config_begin_source(&config);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/c", "second"), 0);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/d", "second"), 0);
        ck_assert_int_eq(config_set(&config, "limits", "max_devices", "2", "second"), 0);
        ck_assert_uint_eq(config.n_listen, 2);
        ck_assert_str_eq(config.listen[0], "unix:/c");
        ck_assert_str_eq(config.listen[1], "unix:/d");
        ck_assert_uint_eq(config.max_devices, 2);
        ck_assert_uint_eq(config.max_operations, 1);
}
END_TEST

START_TEST(test_origins) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(out);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/a", "file:1"), 0);
        ck_assert_int_eq(config_set(&config, "daemon", "listen", "unix:/b", "file:2"), 0);
        ck_assert_int_eq(config_set(&config, "limits", "max_devices", "1", "file:3"), 0);
        ck_assert_int_eq(config_set(&config, "sim a", "max_vqs", "5", "file:4"), 0);
        ck_assert_int_eq(config_set(&config, "sim b", "max_vqs", "6", "file:5"), 0);
        config_begin_source(&config);
        ck_assert_int_eq(config_set(&config, "limits", "max_devices", "2", "command line"), 0);
        config_print(&config, out);
        ck_assert_int_eq(fclose(out), 0);
        ck_assert_ptr_nonnull(strstr(text, "# file:1\nlisten = unix:/a\n# file:2\nlisten = unix:/b\n"));
        ck_assert_ptr_nonnull(strstr(text, "# command line\nmax_devices = 2\n# default\nmax_operations = 4096\n"));
        ck_assert_ptr_nonnull(strstr(text, "# file:4\nmax_vqs = 5\n"));
        ck_assert_ptr_nonnull(strstr(text, "# file:5\nmax_vqs = 6\n"));
        ck_assert_ptr_null(strstr(text, "file:3"));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_defaults);
        tcase_add_loop_test(tcase, test_set, 0, (int) ELEMENTSOF(settings));
        tcase_add_test(tcase, test_set_and_print);
        tcase_add_test(tcase, test_too_many);
        tcase_add_test(tcase, test_finish);
        tcase_add_test(tcase, test_sources);
        tcase_add_test(tcase, test_origins);
}

int main(void) {
        return unit_main("config", add);
}

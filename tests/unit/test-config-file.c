/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The configuration's file: its form, what is wrong with it and where, and that what is printed can be read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/config.h"
#include "inventory/feature.h"
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

/* The whole of it, as it would be printed; the caller's to free. */
static char *print(const Config *c) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(out);
        config_print(c, out);
        ck_assert_int_eq(fclose(out), 0);
        return text;
}

/* Reads text as a file; what was logged is the caller's to free. */
static int read_text(Config *c, const char *text, char **ret_log) {
        int r;

        unit_write_file(unit_path("conf"), text, strlen(text));
        unit_capture_begin();
        r = config_read(c, unit_path("conf"));
        *ret_log = unit_capture_end();
        return r;
}

static const char whole[] = "\xef\xbb\xbf; with a comment\n"
                            "# and another one\n"
                            "[daemon]\n"
                            "backend=sim ; here too\n"
                            "  state_dir  =  /with space/x  \n"
                            "runtime_dir: /run/x\r\n"
                            "listen = tcp:[::1]:8080\n"
                            "listen = unix:/run/x/api.sock\n"
                            "log_level = debug\n"
                            "stop_timeout_sec = 5\n"
                            "\n"
                            "[limits]\n"
                            "max_operations = 2\nmax_connections = 3\n"
                            "max_body_bytes = 1024\nidle_timeout_sec = 4\n"
                            "[sim pci/0000:01:00.0]\n"
                            "classes = net\ntransport = pci-pf\nnuma_node = 1\nmax_devices = 8\nmax_vqs = 9\n"
                            "latency_usec = 10\nfail_create = 11\nfail_bind = 12\nfail_publish = 13\n"
                            "fail_destroy = 14\nfeatures = net: MAC,MTU, bit_50\nfeatures = 63:\n"
                            "asid_kind = pasid\nasids = 15\nreserved_asids =\nmsis = 16\nreserved_msis = 0-3,7\n"
                            "vqs = 17\npf = 0000:01:00.1\nvf_index = 0\ntraffic = 18\nlatency_bind_usec = 19\n"
                            "[sim sim1]\n"
                            "classes = block,63,fs\n"
                            "[limits]\n"
                            "max_devices = 7\n";

/* Every key; a section can come twice; and what is printed reads as the same. */
START_TEST(test_read) {
        _cleanup_free_ char *log = NULL, *text = NULL, *again = NULL;
        _cleanup_(config_done) Config second;

        ck_assert_msg(read_text(&config, whole, &log) == 0, "%s", log);
        ck_assert_int_eq(config_finish(&config), 0);
        ck_assert_str_eq(log, "");
        ck_assert_str_eq(config.state_dir, "/with space/x");
        ck_assert_str_eq(config.runtime_dir, "/run/x");
        ck_assert_uint_eq(config.n_listen, 2);
        ck_assert_uint_eq(config.max_devices, 7);
        ck_assert_uint_eq(config.n_sims, 2);
        ck_assert_uint_eq(config.sims[0].info.classes, 2);
        ck_assert_uint_eq(config.sims[0].info.features[CLASS_NET],
                          FEATURE_NET_MAC | FEATURE_NET_MTU | UINT64_C(1) << 50);
        ck_assert_uint_eq(config.sims[0].info.features[63], 0);
        ck_assert_str_eq(config.sims[0].info.pci_function, "0000:01:00.0");
        ck_assert_str_eq(config.sims[0].info.pci_pf, "0000:01:00.1");
        ck_assert_str_eq(config.sims[0].info.capacity[RESOURCE_ASIDS].reserved_ids, "");
        ck_assert_str_eq(config.sims[0].info.capacity[RESOURCE_MSIS].reserved_ids, "0-3,7");
        ck_assert_str_eq(config.sims[1].info.capacity[RESOURCE_ASIDS].reserved_ids, "0");
        ck_assert_int_eq(config.sims[0].info.numa_node, 1);
        ck_assert_uint_eq(config.sims[0].fail_every[SIM_DESTROY], 14);
        ck_assert_uint_eq(config.sims[1].info.classes, UINT64_C(1) << 63 | 1 << 26 | 1 << 2);

        free(log);
        text = print(&config);
        ck_assert_int_eq(config_init(&second), 0);
        ck_assert_msg(read_text(&second, text, &log) == 0, "%s", log);
        ck_assert_int_eq(config_finish(&second), 0);
        again = print(&second);
        ck_assert_ptr_nonnull(strstr(text, "conf:4\nbackend = sim\n"));
        ck_assert_ptr_nonnull(strstr(again, "conf:3\nbackend = sim\n"));
        ck_assert_mem_eq(config.sims, second.sims, 2 * sizeof *config.sims);
}
END_TEST

static const struct {
        const char *text;
        int r;
        const char *log; /* behind the path and a colon, which '%' stands for where they come again */
} files[] = {
        { "[daemon]\n\nbackend = x\n", -EINVAL, "3: 'x' is not a value that backend can have\n" },
        { "[daemon]\nnonsense\n", -EINVAL, "2: neither a section nor \"key = value\"\n" },
        { "[daemon\n", -EINVAL, "1: neither a section nor \"key = value\"\n" },
        { "backend = sim\n", -EINVAL, "1: this stands before any [section]\n" },
        { "[limits]\nmax_devices = 0\n", -ERANGE, "2: max_devices must be from 1 to 1048576, and not '0'\n" },
        { "[sim a]\nmax_vqs = 99999\n", -ERANGE, "2: max_vqs must be from 0 to 65535, and not '99999'\n" },
        { "[sim /]\nmax_vqs = 1\n", -EINVAL, "1: '/' cannot be a management device: Invalid argument\n" },
        { "[sim]\n", -EINVAL, "1: there is no section [sim]\n" },
        { "[sim ]\n[other]\nx = 1\ny = 2\n", -EINVAL,
          "1: there is no section [sim ]\n%2: there is no section [other]\n" },
        { "[limits]\nmax_devices = 1\n[daemon]\n[limits]\nmax_devices = 1\n", -EEXIST,
          "5: max_devices was set before, at %2\n" },
        { "[daemon]\nbackend =\n", -EINVAL, "2: '' is not a value that backend can have\n" },
};

START_TEST(test_fault) {
        _cleanup_free_ char *log = NULL;
        const char *p = files[_i].log, *more;
        char expected[1024];
        size_t n;

        ck_assert_int_eq(read_text(&config, files[_i].text, &log), files[_i].r);
        n = (size_t) snprintf(expected, sizeof expected, "%s:", unit_path("conf"));
        for (; (more = strchr(p, '%')); p = more + 1)
                n += (size_t) snprintf(expected + n, sizeof expected - n, "%.*s%s:", (int) (more - p), p,
                                       unit_path("conf"));
        (void) snprintf(expected + n, sizeof expected - n, "%s", p);
        ck_assert_str_eq(log, expected);
}
END_TEST

/* All faults at once, each with its line. */
START_TEST(test_many_faults) {
        _cleanup_free_ char *log = NULL;

        ck_assert_int_lt(read_text(&config, "[daemon]\nx = 1\nbackend = y\n[limits]\nmax_devices = z\n", &log), 0);
        ck_assert_ptr_nonnull(strstr(log, "conf:2: "));
        ck_assert_ptr_nonnull(strstr(log, "conf:3: "));
        ck_assert_ptr_nonnull(strstr(log, "conf:5: "));
}
END_TEST

/* Lines that the library would cut, and so give another meaning, are refused. */
START_TEST(test_long_line) {
        for (size_t n = 150; n < 450; n += 7) {
                _cleanup_free_ char *log = NULL;
                char text[600] = "[daemon]\nstate_dir = /";
                size_t start = strlen(text) - 1;
                int r;

                memset(text + start + 1, 'x', n);
                strcpy(text + start + 1 + n, "\nlog_level = err\n");
                r = read_text(&config, text, &log);
                if (r == 0) {
                        ck_assert_str_eq(log, "");
                        ck_assert_uint_eq(strlen(config.state_dir), n + 1);
                } else
                        ck_assert_msg(strstr(log, "conf:2: "), "%s", log);
        }
}
END_TEST

START_TEST(test_long_comment) {
        _cleanup_free_ char *log = NULL;
        char text[1000] = "[daemon]\n#";

        memset(text + strlen(text), ' ', 400);
        strcat(text, "backend = sim\n");
        ck_assert_int_eq(read_text(&config, text, &log), 0);
        ck_assert_int_eq(config.backend, BACKEND_KERNEL);
}
END_TEST

START_TEST(test_long_section) {
        for (size_t n = 30; n < 120; n++) {
                _cleanup_free_ char *log = NULL;
                _cleanup_(config_done) Config c;
                char text[200] = "[sim ";

                ck_assert_int_eq(config_init(&c), 0);
                memset(text + strlen(text), 'a', n);
                strcat(text, "]\nmax_vqs = 3\n");
                if (read_text(&c, text, &log) == 0)
                        ck_assert_uint_eq(strlen(c.sims[0].info.handle), n);
                else
                        ck_assert_str_ne(log, "");
        }
}
END_TEST

/* A section is there also without a key. */
START_TEST(test_empty_section) {
        _cleanup_free_ char *log = NULL;

        ck_assert_msg(read_text(&config, "[sim a]\n  [sim b] ; as it is\n[sim c]\nmax_vqs = 3\n", &log) == 0, "%s",
                      log);
        ck_assert_uint_eq(config.n_sims, 3);
        ck_assert_str_eq(config.sims[1].info.handle, "b");
        ck_assert_uint_eq(config.sims[1].info.max_vqs, sim_config_default()->mgmtdevs[0].info.max_vqs);
        ck_assert_uint_eq(config.sims[2].info.max_vqs, 3);
}
END_TEST

/* Neither ends a line nor hides the rest of it. */
START_TEST(test_nul) {
        static const char *const texts[] = { "[daemon]\nba\0ckend = sim\n", "[daemon]\nbackend = sim\0 or so\n",
                                             "[daemon]\n#\0 backend = sim\n", "[daemon]\n\0\nbackend = sim" };
        static const size_t sizes[] = { 24, 30, 27, 24 };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *log = NULL;

                unit_write_file(unit_path("conf"), texts[i], sizes[i]);
                unit_capture_begin();
                ck_assert_int_eq(config_read(&config, unit_path("conf")), -EINVAL);
                log = unit_capture_end();
                ck_assert_msg(strstr(log, "conf:2: there is a NUL byte"), "%s", log);
        }
}
END_TEST

static void write_drop_in(const char *directory, const char *name, const char *text) {
        char path[128];

        (void) mkdir(unit_path(directory), 0755);
        (void) snprintf(path, sizeof path, "%s/%s", directory, name);
        unit_write_file(unit_path(path), text, strlen(text));
}

/* By the name of the file wherever it lies; one name counts once, in the first directory that has it. */
START_TEST(test_drop_ins) {
        char etc[256], run[256], lib[256];
        const char *const directories[] = { etc, run, lib, unit_path("none"), NULL };

        strcpy(etc, unit_path("etc"));
        strcpy(run, unit_path("run"));
        strcpy(lib, unit_path("lib"));
        write_drop_in("lib", "90-a.conf", "[limits]\nmax_devices = 90\n");
        write_drop_in("lib", "10-b.conf", "[limits]\nmax_devices = 10\nmax_operations = 10\n");
        write_drop_in("lib", "20-masked.conf", "[limits]\nmax_operations = 20\n");
        write_drop_in("run", "20-masked.conf", "[limits]\nmax_operations = 21\n");
        write_drop_in("etc", "20-masked.conf", "");
        write_drop_in("etc", "95-c", "[limits]\nmax_devices = 95\n");
        write_drop_in("etc", ".96-c.conf", "[limits]\nmax_devices = 96\n");
        write_drop_in("etc", "97-c.conf~", "[limits]\nmax_devices = 97\n");
        write_drop_in("run", "50-d.conf", "[limits]\nmax_devices = 50\nidle_timeout_sec = 50\n");
        ck_assert_int_eq(config_read_drop_ins(&config, directories), 0);
        ck_assert_uint_eq(config.max_devices, 90);
        ck_assert_uint_eq(config.max_operations, 10);
        ck_assert_uint_eq(config.idle_timeout_sec, 50);
}
END_TEST

/* A fault in one does not hide those in others. */
START_TEST(test_drop_in_faults) {
        const char *const directories[] = { unit_path("etc"), NULL };
        _cleanup_free_ char *log = NULL;

        write_drop_in("etc", "1.conf", "[limits]\nx = 1\n");
        write_drop_in("etc", "2.conf", "[limits]\nmax_devices = 2\n");
        write_drop_in("etc", "3.conf", "\n\ny = 3\n");
        unit_capture_begin();
        ck_assert_int_lt(config_read_drop_ins(&config, directories), 0);
        log = unit_capture_end();
        ck_assert_msg(strstr(log, "/etc/1.conf:2: ") && strstr(log, "/etc/3.conf:3: "), "%s", log);
        ck_assert_ptr_null(strstr(log, "2.conf"));
}
END_TEST

/* What cannot change while the daemon runs stays, and is said; the rest changes. */
START_TEST(test_reload) {
        _cleanup_(config_done) Config fresh;
        _cleanup_free_ char *log = NULL, *none = NULL;

        ck_assert_int_eq(read_text(&config, "[daemon]\nlisten = unix:/a\n[sim a]\nmax_vqs = 1\n[sim b]\n", &log),
                         0);
        ck_assert_int_eq(config_init(&fresh), 0);
        free(log);
        ck_assert_int_eq(
                read_text(&fresh,
                          "[daemon]\nlisten = unix:/a\nlisten = unix:/b\nlog_level = debug\nstate_dir = /x\n"
                          "[limits]\nmax_devices = 7\n[sim a]\nmax_vqs = 2\n[sim c]\n",
                          &log),
                0);
        free(log);

        unit_capture_begin();
        ck_assert_int_eq(config_reload(&config, &fresh), 2);
        log = unit_capture_end();
        ck_assert_int_eq(config.log_level, LOG_DEBUG);
        ck_assert_uint_eq(config.max_devices, 7);
        ck_assert_uint_eq(config.n_listen, 1);
        ck_assert_str_eq(config.state_dir, "/var/lib/hsvdpa");
        ck_assert_uint_eq(config.n_sims, 2);
        ck_assert_uint_eq(config.sims[0].info.max_vqs, 1);
        ck_assert_str_eq(log,
                         "[daemon] state_dir has changed to '/x': that takes a restart, until then it is "
                         "'/var/lib/hsvdpa'\n"
                         "[daemon] listen has changed to 'unix:/a, unix:/b': that takes a restart, until then it "
                         "is 'unix:/a'\n"
                         "[daemon] log_level is 'debug' now, and was 'info'\n"
                         "[limits] max_devices is '7' now, and was '1048576'\n"
                         "[sim a] max_vqs has changed to '2': that takes a restart, until then it is '1'\n"
                         "[sim b] has gone: that takes a restart\n"
                         "[sim c] is new: that takes a restart\n");

        unit_capture_begin();
        ck_assert_int_eq(config_reload(&config, &config), 0);
        none = unit_capture_end();
        ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(test_last_line_without_end) {
        _cleanup_free_ char *log = NULL;

        ck_assert_int_eq(read_text(&config, "[daemon]\nbackend = sim", &log), 0);
        ck_assert_int_eq(config.backend, BACKEND_SIM);
}
END_TEST

START_TEST(test_no_file) {
        _cleanup_free_ char *log = NULL;

        unit_capture_begin();
        ck_assert_int_eq(config_read(&config, unit_path("none")), -ENOENT);
        ck_assert_int_lt(config_read(&config, unit_directory()), 0);
        log = unit_capture_end();
        ck_assert_ptr_nonnull(strstr(log, "Cannot read"));
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_read);
        tcase_add_loop_test(tcase, test_fault, 0, (int) ELEMENTSOF(files));
        tcase_add_test(tcase, test_many_faults);
        tcase_add_test(tcase, test_long_line);
        tcase_add_test(tcase, test_long_comment);
        tcase_add_test(tcase, test_long_section);
        tcase_add_test(tcase, test_empty_section);
        tcase_add_test(tcase, test_nul);
        tcase_add_test(tcase, test_drop_ins);
        tcase_add_test(tcase, test_drop_in_faults);
        tcase_add_test(tcase, test_reload);
        tcase_add_test(tcase, test_last_line_without_end);
        tcase_add_test(tcase, test_no_file);
}

int main(void) {
        return unit_main("config-file", add);
}

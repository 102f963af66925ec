/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * That devices are ours, and what those of vhost-vdpa have answered, is remembered for as long as they are there:
 * beyond the daemon, and not for another device of the same name. */
#include <errno.h>
#include <sys/sysmacros.h>

#include "inventory/class.h"
#include "kernel/device-notes.h"
#include "kernel/vdpa-uapi.h"
#include "kernel/vhost-kinds.h"
#include "kernel/vhost.h"
#include "test-kernel.h"

static const VhostGroups two = { 2, 2, { .runs = { { 2, 0 }, { 1, 1 } }, .n_runs = 2, .n_vqs = 3 } },
                         one = { 1, 1, { .runs = { { 1, 0 } }, .n_runs = 1, .n_vqs = 1 } };

static const VhostGroups nothing = {};

static const VhostAnswers answers_two = { .groups = { .n_vq_groups = 2 } };

static DeviceNotes *open_notes(void) {
        DeviceNotes *n = NULL;

        ck_assert_int_eq(device_notes_new(unit_directory(), unit_directory(), &n), 0);
        return n;
}

static void check(DeviceNotes *n, const char *name, const VhostGroups *groups) {
        VhostGroups got;

        ck_assert_int_eq(device_notes_get_groups(n, name, &got), device_notes_is_ours(n, name));
        if (!groups)
                groups = &nothing;
        ck_assert_uint_eq(got.n_vq_groups, groups->n_vq_groups);
        ck_assert_uint_eq(got.n_address_spaces, groups->n_address_spaces);
        ck_assert_mem_eq(&got.vqs, &groups->vqs, sizeof got.vqs);
}

/* The same name, another device: with the old one in place until the new one is there, no number comes again. */
static void make_again(const char *name) {
        char from[512], to[512];

        (void) tree_path(from, "sys/devices/%s", name);
        (void) tree_path(to, "sys/devices/old-%s", name);
        ck_assert_int_eq(rename(from, to), 0);
        ck_assert_int_eq(mkdir(from, 0755), 0);
}

START_TEST(test_remember) {
        _cleanup_(device_notes_freep) DeviceNotes *n = open_notes();

        tree_device("a");
        tree_device("b");
        check(n, "a", NULL);
        device_notes_put_groups(n, "a", 0, &two);
        device_notes_put_groups(n, "b", 0, &one);
        device_notes_put_groups(n, "nothing", 0, &one);
        check(n, "a", &two);
        check(n, "b", &one);
        check(n, "nothing", NULL);
        device_notes_put_groups(n, "a", 0, &one);
        check(n, "a", &one);
        device_notes_remove(n, "a");
        device_notes_remove(n, "a");
        check(n, "a", NULL);
        check(n, "b", &one);
}
END_TEST

START_TEST(test_outlives_the_daemon) {
        DeviceNotes *n = open_notes();

        tree_device("a");
        tree_device("b");
        tree_device("c");
        device_notes_put_groups(n, "a", 0, &one);
        device_notes_put_groups(n, "a", 0, &two);
        device_notes_put_groups(n, "b", 0, &two);
        device_notes_put_groups(n, "c", 0, &two);
        device_notes_free(n);

        make_again("b");
        tree_remove(VDPA "/devices/c");
        n = open_notes();
        check(n, "a", &two);
        check(n, "b", NULL);
        check(n, "c", NULL);
        device_notes_put_groups(n, "b", 0, &one);
        device_notes_free(n);

        n = open_notes();
        check(n, "a", &two);
        check(n, "b", &one);
        device_notes_free(n);
}
END_TEST

START_TEST(test_another_device) {
        _cleanup_(device_notes_freep) DeviceNotes *n = open_notes();

        tree_device("a");
        device_notes_put_groups(n, "a", 0, &two);
        make_again("a");
        check(n, "a", NULL);
        device_notes_put_groups(n, "a", 0, &one);
        check(n, "a", &one);
}
END_TEST

/* The daemon ends, and another one reads what it has noted. */
static void restart(DeviceNotes **n) {
        device_notes_free(*n);
        *n = open_notes();
}

static const struct {
        const char *
                steps; /* e: expect; t: take; d: the device comes; D: others make it again; r: remove; g: it goes */
        bool is_ours;
} fates[] = {
        { "d", false },     { "ed", true },    { "edt", true },    { "dt", true },       { "edtD", false },
        { "erd", false },   { "e", false },    { "edtg", false },  { "edtgd", false },   { "edrD", false },
        { "edtret", true }, { "edtDt", true }, { "edtrD", false }, { "edtgerd", false }, { "edtged", true },
};

static void step(DeviceNotes *n, char what) {
        switch (what) {
        case 'e':
                device_notes_expect(n, "a");
                break;
        case 't':
                device_notes_take(n, "a");
                break;
        case 'r':
                device_notes_remove(n, "a");
                break;
        case 'd':
                tree_device("a");
                break;
        case 'D':
                make_again("a");
                break;
        case 'g':
                make_again("a");
                tree_remove(VDPA "/devices/a");
                tree_remove("sys/devices/a");
                break;
        default:
                ck_abort();
        }
}

/* At once, after a restart at the end, and with a restart after each step. */
START_TEST(test_ours) {
        DeviceNotes *n = open_notes();
        bool restarts = _i % 2;
        const char *steps = fates[_i / 2].steps;

        for (size_t i = 0; steps[i]; i++) {
                step(n, steps[i]);
                if (restarts && steps[i] != 'e')
                        restart(&n);
        }
        ck_assert_msg(device_notes_is_ours(n, "a") == fates[_i / 2].is_ours, "%s", steps);
        for (unsigned i = 0; i < 2; i++) {
                restart(&n);
                ck_assert_msg(device_notes_is_ours(n, "a") == fates[_i / 2].is_ours, "%s, restarted", steps);
        }
        device_notes_free(n);
}
END_TEST

START_TEST(test_in_memory_only) {
        DeviceNotes *n = NULL;

        tree_device("a");
        ck_assert_int_eq(device_notes_new(unit_directory(), NULL, &n), 0);
        device_notes_put_groups(n, "a", 0, &two);
        check(n, "a", &two);
        device_notes_free(n);

        /* A directory that is not there. */
        ck_assert_int_eq(device_notes_new(unit_directory(), "/nowhere/at/all", &n), 0);
        device_notes_put_groups(n, "a", 0, &two);
        check(n, "a", &two);
        device_notes_free(n);
}
END_TEST

/* Torn, foreign and hostile lines are left out; what is between them counts. */
START_TEST(test_nonsense) {
        char text[8192], path[512], link[512];
        struct stat st;
        DeviceNotes *n;
        int size;

        tree_device("a");
        tree_device("b");
        ck_assert_int_eq(stat(tree_path(path, VDPA "/devices/a"), &st), 0);
        size = snprintf(
                text, sizeof text,
                "\n%%s%%n 1 2 3\n../../a 1 2 3\na\na x 2 2\nb 18446744073709551616 2 2\n"
                "a %ju 2 2 2*0+1*1\na %ju 3 3 3\na %ju 3 3 1*1 1*0\na %ju 3 3  1*1\na %ju 3 3\t1*0\nb %ju 1 1",
                (uintmax_t) st.st_ino, (uintmax_t) st.st_ino, (uintmax_t) st.st_ino, (uintmax_t) st.st_ino,
                (uintmax_t) st.st_ino, (uintmax_t) st.st_ino);
        unit_write_file(tree_path(link, DEVICE_NOTES_FILE), text, (size_t) size);
        n = open_notes();
        check(n, "a", &two);
        check(n, "b", NULL);
        device_notes_free(n);

        /* One line that never ends, and one that is what its end looks like. */
        memset(text, 'x', sizeof text);
        size = (int) sizeof text / 2 +
               snprintf(text + sizeof text / 2, 200, "\na %ju 1 1 1*0\n", (uintmax_t) st.st_ino);
        unit_write_file(link, text, (size_t) size);
        n = open_notes();
        check(n, "a", &one);
        device_notes_free(n);

        memset(text, 0, sizeof text);
        unit_write_file(link, text, sizeof text);
        n = open_notes();
        check(n, "a", NULL);
        device_notes_free(n);
}
END_TEST

/* A daemon from before virtqueues were asked for. */
START_TEST(test_older_file) {
        VhostGroups older = { .n_vq_groups = 2, .n_address_spaces = 2 };
        char text[100], path[512];
        struct stat st;
        DeviceNotes *n;
        int size;

        tree_device("a");
        ck_assert_int_eq(stat(tree_path(path, VDPA "/devices/a"), &st), 0);
        size = snprintf(text, sizeof text, "a %ju 2 2\n", (uintmax_t) st.st_ino);
        unit_write_file(tree_path(path, DEVICE_NOTES_FILE), text, (size_t) size);
        for (unsigned i = 0; i < 2; i++) {
                n = open_notes();
                check(n, "a", &older);
                device_notes_free(n);
        }
}
END_TEST

/* The file does not grow with the devices that have been, only with those that are. */
START_TEST(test_file_stays_small) {
        _cleanup_(device_notes_freep) DeviceNotes *n = open_notes();
        struct stat st;

        tree_device("a");
        for (unsigned i = 0; i < 5000; i++) {
                device_notes_put_groups(n, "a", 0, i % 2 ? &one : &two);
                if (i % 3 == 0)
                        device_notes_remove(n, "a");
        }
        device_notes_put_groups(n, "a", 0, &two);
        ck_assert_int_eq(stat(unit_path(DEVICE_NOTES_FILE), &st), 0);
        ck_assert_int_lt(st.st_size, 60 * 1100);
        check(n, "a", &two);
}
END_TEST

/* Only of the same management device, made of the same, and only for a moment. */
START_TEST(test_kinds) {
        static VhostKinds kinds;
        DeviceSpec spec = { .class = CLASS_NET }, pairs = { .class = CLASS_NET, .net.max_vqp = 2 },
                   features = { .class = CLASS_NET, .has_features = true }, block = { .class = CLASS_BLOCK },
                   mtu = { .class = CLASS_NET, .net.mtu = 9000 }, mac = { .class = CLASS_NET, .net.has_mac = true };
        const char *mgmtdev = "pci/0000:01:00.0";
        const VhostKind a = vhost_kind(mgmtdev, &spec), b = vhost_kind(mgmtdev, &spec),
                        others[] = {
                                vhost_kind("pci/0000:01:00.1", &spec),
                                vhost_kind(mgmtdev, &block),
                                vhost_kind(mgmtdev, &pairs),
                                vhost_kind(mgmtdev, &features),
                                vhost_kind(mgmtdev, &mtu),
                                vhost_kind(mgmtdev, &mac),
                        };
        uint64_t now = VHOST_KINDS_USEC;

        ck_assert_ptr_null(vhost_kinds_find(&kinds, &a, now));
        vhost_kinds_add(&kinds, &a, &answers_two, now);
        ck_assert_uint_eq(vhost_kinds_find(&kinds, &b, now)->groups.n_vq_groups, 2);
        ck_assert_ptr_nonnull(vhost_kinds_find(&kinds, &b, now + VHOST_KINDS_USEC - 1));
        ck_assert_ptr_null(vhost_kinds_find(&kinds, &b, now + VHOST_KINDS_USEC));
        for (unsigned i = 0; i < ELEMENTSOF(others); i++)
                ck_assert_ptr_null(vhost_kinds_find(&kinds, &others[i], now));
        vhost_kinds_add(&kinds, &(VhostKind){}, &answers_two, now);
        ck_assert_ptr_null(vhost_kinds_find(&kinds, &(VhostKind){}, now));
        ck_assert_str_eq(vhost_kind(VDUSE_HANDLE, &spec).mgmtdev, "");
}
END_TEST

/* What was asked for is what it has; what was not asked for is known only where there is nothing. */
START_TEST(test_kind_config) {
        const DeviceSpec plain = { .class = CLASS_NET },
                         with_mac = { .class = CLASS_NET, .net = { .has_mac = true, .mac = { 2, 0, 0, 0, 0, 1 } } };
        VhostAnswers answers = { .config = { .has_features = true, .features = 5, .net = { .mtu = 1500 } } };
        DeviceStatus config;

        ck_assert(!vhost_answers_config(&answers, &plain, &config));
        answers.has_config = true;
        ck_assert(vhost_answers_config(&answers, &plain, &config));
        ck_assert_uint_eq(config.features, 5);
        ck_assert_uint_eq(config.net.mtu, 1500);
        ck_assert(!config.net.has_mac);
        ck_assert(vhost_answers_config(&answers, &with_mac, &config));
        ck_assert(!config.net.has_mac);

        answers.config.net.has_mac = true;
        ck_assert(vhost_answers_config(&answers, &plain, &config));
        ck_assert(vhost_answers_config(&answers, &with_mac, &config));
        ck_assert_mem_eq(config.net.mac, with_mac.net.mac, 6);
        answers.config.net.mac[0] = 6;
        ck_assert(!vhost_answers_config(&answers, &plain, &config));
        ck_assert(vhost_answers_config(&answers, &with_mac, &config));
        ck_assert_mem_eq(config.net.mac, with_mac.net.mac, 6);
}
END_TEST

/* There is room for so many; the oldest gives way. */
START_TEST(test_many_kinds) {
        static VhostKinds kinds;
        VhostKind kind = { .mgmtdev = "vdpasim_net" };

        for (kind.max_vqp = 0; kind.max_vqp < VHOST_KINDS_MAX + 3; kind.max_vqp++)
                vhost_kinds_add(&kinds, &kind, &answers_two, 0);
        for (kind.max_vqp = 0; kind.max_vqp < VHOST_KINDS_MAX + 3; kind.max_vqp++)
                ck_assert_int_eq(vhost_kinds_find(&kinds, &kind, 0) != NULL, kind.max_vqp >= 3);
}
END_TEST

/* Anything that has a node can be opened; only vhost-vdpa answers. */
START_TEST(test_ask) {
        Detached detached = {};
        VhostGroups groups = { .n_vq_groups = 7, .n_address_spaces = 7 };
        char path[512];

        tree_bus();
        tree_device("a");
        ck_assert_int_eq(vhost_ask_groups(unit_directory(), &detached, "a", &groups), -ENOENT);
        tree_file("sys/devices/a/vhost-vdpa-7/dev", "1:3\n");
        ck_assert_int_eq(vhost_ask_groups(unit_directory(), &detached, "a", &groups), -ENOENT);
        ck_assert_uint_eq(groups.n_vq_groups, 7);
        if (mknod(tree_path(path, "dev/vhost-vdpa-7"), S_IFCHR | 0600, makedev(1, 3)) < 0)
                return;
        ck_assert_int_eq(vhost_ask_groups(unit_directory(), &detached, "a", &groups), 0);
        ck_assert_uint_eq(groups.n_vq_groups, 0);
        ck_assert_uint_eq(groups.n_address_spaces, 0);
        detached_done(&detached);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_remember);
        tcase_add_test(tcase, test_outlives_the_daemon);
        tcase_add_test(tcase, test_another_device);
        tcase_add_loop_test(tcase, test_ours, 0, 2 * ELEMENTSOF(fates));
        tcase_add_test(tcase, test_in_memory_only);
        tcase_add_test(tcase, test_nonsense);
        tcase_add_test(tcase, test_older_file);
        tcase_add_test(tcase, test_file_stays_small);
        tcase_add_test(tcase, test_kinds);
        tcase_add_test(tcase, test_kind_config);
        tcase_add_test(tcase, test_many_kinds);
        tcase_add_test(tcase, test_ask);
}

int main(void) {
        return unit_main("kernel-vhost", add);
}

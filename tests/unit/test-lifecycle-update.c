/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The update verb, and the one that asks for statistics. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "unit.h"

static const uint8_t new_mac[6] = { 2, 0, 0, 0, 0, 0x2a };

static DevicePatch mac_patch(void) {
        DevicePatch patch = { .has_mac = true };

        memcpy(patch.mac, new_mac, sizeof patch.mac);
        return patch;
}

static void set_up(void) {
        rig_set_up();
        rig_start();
}

static Answer update(const char *name, DevicePatch patch) {
        Answer answer = {};

        lifecycle_update_device(rig.lifecycle, name, NULL, &patch, rig_on_answer, &answer);
        rig_wait(&answer);
        return answer;
}

static Answer get_stats(const char *name) {
        Answer answer = {};

        lifecycle_get_stats(rig.lifecycle, name, rig_on_answer, &answer);
        rig_wait(&answer);
        return answer;
}

START_TEST(test_mac) {
        Answer created = rig_create_good("a", RIG_NET), a;
        Device *device = rig_device("a");

        (void) fake_take_calls(rig.backend);
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NONE);
        ck_assert_str_eq(fake_take_calls(rig.backend), "observe a, set_mac a, observe a");
        ck_assert_uint_gt(a.revision, created.revision);
        ck_assert_uint_eq(a.generation, 2);
        ck_assert_mem_eq(device->spec.net.mac, new_mac, 6);
        ck_assert_mem_eq(device->status.net.mac, new_mac, 6);
        ck_assert_str_eq(a.uid, created.uid);
        rig_stop();
        rig_start();
        ck_assert_mem_eq(rig_device("a")->spec.net.mac, new_mac, 6);
        ck_assert_uint_eq(rig_device("a")->generation, 2);
}
END_TEST

/* What was recorded and could not be set when the daemon died is no reason to say that it is so. */
START_TEST(test_mac_that_the_device_lacks) {
        Answer a;

        rig_create_good("a", "{\"class\":\"net\",\"net\":{\"mac\":\"02:00:00:00:00:2a\"}}");
        rig_device("a")->status.net = (NetSpec){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 1 } };
        fake_device(rig.backend, "a")->status.net = rig_device("a")->status.net;
        fake_fail(rig.backend, FAKE_SET_MAC, 1, ERROR_NOT_SUPPORTED, EOPNOTSUPP);
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NOT_SUPPORTED);
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NONE);
        ck_assert_mem_eq(fake_device(rig.backend, "a")->status.net.mac, new_mac, 6);
        ck_assert_mem_eq(rig_device("a")->status.net.mac, new_mac, 6);
        (void) fake_take_calls(rig.backend);
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NONE);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
        rig_stop();
}
END_TEST

/* Who owns it and what it is called is the daemon's own matter. */
START_TEST(test_owner_and_labels) {
        _cleanup_json_ json_t *labels = json_pack("{s:s, s:n}", "k", "v", "old");
        _cleanup_json_ json_t *merged = json_pack("{s:s}", "k", "v");
        char owner[] = "vm:42";
        Answer a;

        rig_create_good("a", "{\"class\":\"block\",\"labels\":{\"old\":\"1\"}}");
        (void) fake_take_calls(rig.backend);
        a = update("a", (DevicePatch){ .has_owner = true, .owner = owner, .has_labels = true, .labels = labels });
        rig_assert_code(a, ERROR_NONE);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
        ck_assert_str_eq(rig_device("a")->spec.owner, "vm:42");
        ck_assert(json_equal(rig_device("a")->spec.labels, merged));
        a = update("a", (DevicePatch){ .has_owner = true, .has_labels = true });
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(a.generation, 3);
        ck_assert_ptr_null(rig_device("a")->spec.owner);
        ck_assert_ptr_null(rig_device("a")->spec.labels);
}
END_TEST

/* Two that change different labels at the same time both have their way. */
START_TEST(test_labels_of_two) {
        _cleanup_json_ json_t *first = json_pack("{s:s}", "a", "1"),
                              *second = json_pack("{s:s, s:n}", "b", "2", "c"),
                              *both = json_pack("{s:s, s:s}", "a", "1", "b", "2");
        Answer a = {}, b = {};

        rig_create_good("a", "{\"class\":\"net\",\"labels\":{\"c\":\"3\"}}");
        lifecycle_update_device(rig.lifecycle, "a", NULL, &(DevicePatch){ .has_labels = true, .labels = first },
                                rig_on_answer, &a);
        lifecycle_update_device(rig.lifecycle, "a", NULL, &(DevicePatch){ .has_labels = true, .labels = second },
                                rig_on_answer, &b);
        rig_wait(&b);
        rig_assert_code(a, ERROR_NONE);
        rig_assert_code(b, ERROR_NONE);
        ck_assert(json_equal(rig_device("a")->spec.labels, both));
}
END_TEST

/* Together they may be too many, which each alone was not. */
START_TEST(test_too_many_labels) {
        _cleanup_json_ json_t *labels = json_object();
        Answer a;

        for (unsigned i = 0; i < LABELS_MAX; i++) {
                char key[16];

                (void) snprintf(key, sizeof key, "k%u", i);
                ck_assert_int_eq(json_object_set_new(labels, key, json_string("")), 0);
        }
        rig_create_good("a", "{\"class\":\"net\",\"labels\":{\"one\":\"more\"}}");
        a = update("a", (DevicePatch){ .has_labels = true, .labels = labels });
        rig_assert_code(a, ERROR_INVALID_REQUEST);
        ck_assert_uint_eq(json_object_size(rig_device("a")->spec.labels), 1);
        ck_assert_int_eq(json_object_set_new(labels, "one", json_null()), 0);
        a = update("a", (DevicePatch){ .has_labels = true, .labels = labels });
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(json_object_size(rig_device("a")->spec.labels), LABELS_MAX);
}
END_TEST

START_TEST(test_nothing_new) {
        Answer created = rig_create_good("a", "{\"class\":\"net\",\"net\":{\"mac\":\"02:00:00:00:00:2a\"}}"), a;

        (void) fake_take_calls(rig.backend);
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(a.revision, created.revision);
        ck_assert_uint_eq(a.generation, 1);
        a = update("a", (DevicePatch){});
        rig_assert_code(a, ERROR_NONE);
        ck_assert_uint_eq(a.revision, created.revision);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
}
END_TEST

/* What the management device does not do is taken back, on the disk too. */
START_TEST(test_mac_fails) {
        Answer created = rig_create_good("a", "{\"class\":\"net\",\"net\":{\"mac\":\"02:00:00:00:00:01\"}}"), a;

        fake_fail(rig.backend, FAKE_SET_MAC, 1, ERROR_NOT_SUPPORTED, EOPNOTSUPP);
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NOT_SUPPORTED);
        ck_assert_uint_eq(rig_device("a")->spec.net.mac[5], 1);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
        ck_assert_uint_gt(rig_device("a")->revision, created.revision);
        rig_stop();
        rig_start();
        ck_assert_uint_eq(rig_device("a")->spec.net.mac[5], 1);
        ck_assert_uint_eq(fake_device(rig.backend, "a")->status.net.mac[5], 1);
}
END_TEST

START_TEST(test_mac_of_no_net) {
        Answer a;

        rig_create_good("a", "{\"class\":\"block\"}");
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NOT_SUPPORTED);
        ck_assert_uint_eq(rig_device("a")->generation, 1);
}
END_TEST

/* A spec that could not be asked for must not come about in steps: the next start could not read it. */
START_TEST(test_mac_without_feature) {
        Answer a;

        rig_create_good("a", "{\"class\":\"net\",\"features\":[\"VERSION_1\"]}");
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NOT_SUPPORTED);
        rig_stop();
        rig_start();
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

START_TEST(test_not_ready) {
        Answer a;

        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_DEVICE_NOT_FOUND);
        rig_create_good("a", RIG_NET);
        fake_remove_device(rig.backend, "a");
        rig_look();
        a = update("a", mac_patch());
        rig_assert_code(a, ERROR_NOT_READY);
        a = get_stats("a");
        rig_assert_code(a, ERROR_NOT_READY);
}
END_TEST

START_TEST(test_if_revision) {
        Answer created = rig_create_good("a", RIG_NET), a = {}, b = {};
        Precondition p = { .has_revision = true, .revision = created.revision };
        DevicePatch patch = mac_patch();

        /* Of two that have seen the same device, one comes first. */
        lifecycle_update_device(rig.lifecycle, "a", &p, &patch, rig_on_answer, &a);
        lifecycle_update_device(rig.lifecycle, "a", &p, &patch, rig_on_answer, &b);
        rig_wait(&b);
        rig_assert_code(a, ERROR_NONE);
        rig_assert_code(b, ERROR_PRECONDITION_FAILED);
}
END_TEST

/* The device goes while its MAC address is set. */
START_TEST(test_vanishes) {
        Answer a = {};
        DevicePatch patch = mac_patch();

        rig_create_good("a", RIG_NET);
        fake_hold(rig.backend, FAKE_SET_MAC);
        lifecycle_update_device(rig.lifecycle, "a", NULL, &patch, rig_on_answer, &a);
        rig_wait_held(FAKE_SET_MAC);
        fake_device(rig.backend, "a")->there = false;
        fake_let_go(rig.backend, FAKE_SET_MAC);
        rig_wait(&a);
        ck_assert_int_ne(a.failure.code, ERROR_NONE);
        ck_assert(!rig_device("a")->spec.net.has_mac);
}
END_TEST

START_TEST(test_stats) {
        Answer a;

        rig_create_good("a", RIG_NET);
        a = get_stats("a");
        rig_assert_code(a, ERROR_NONE);
        ck_assert(a.has_device);
        ck_assert_uint_eq(a.n_stats, 2);
        ck_assert_str_eq(a.stats[1].name, "completed_desc");
        ck_assert_uint_eq(a.stats[1].value, UINT64_MAX);
}
END_TEST

START_TEST(test_stats_fail) {
        Answer a;

        a = get_stats("a");
        rig_assert_code(a, ERROR_DEVICE_NOT_FOUND);
        rig_create_good("a", RIG_NET);
        fake_fail(rig.backend, FAKE_GET_STATS, 1, ERROR_NOT_SUPPORTED, EOPNOTSUPP);
        a = get_stats("a");
        rig_assert_code(a, ERROR_NOT_SUPPORTED);
        ck_assert_uint_eq(a.n_stats, 0);
        ck_assert_int_eq(rig_device("a")->state, DEVICE_READY);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
        tcase_add_test(tcase, test_mac);
        tcase_add_test(tcase, test_mac_that_the_device_lacks);
        tcase_add_test(tcase, test_owner_and_labels);
        tcase_add_test(tcase, test_labels_of_two);
        tcase_add_test(tcase, test_too_many_labels);
        tcase_add_test(tcase, test_nothing_new);
        tcase_add_test(tcase, test_mac_fails);
        tcase_add_test(tcase, test_mac_of_no_net);
        tcase_add_test(tcase, test_mac_without_feature);
        tcase_add_test(tcase, test_not_ready);
        tcase_add_test(tcase, test_if_revision);
        tcase_add_test(tcase, test_vanishes);
        tcase_add_test(tcase, test_stats);
        tcase_add_test(tcase, test_stats_fail);
}

int main(void) {
        return unit_main("lifecycle-update", add);
}

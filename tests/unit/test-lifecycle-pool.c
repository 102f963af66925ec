/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pools: how they are filled, what a claim and a return do to the host and in which order, and what is left when a
 * step fails. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/context.h"
#include "rig.h"
#include "unit.h"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };

static Answer claim(const DevicePatch *patch) {
        Answer a = {};

        lifecycle_claim_device(rig.lifecycle, "p", NULL, patch, rig_on_answer, &a);
        rig_wait(&a);
        return a;
}

static Answer give_back(const char *name, const char *uid) {
        Precondition p = {};
        Answer a = {};

        (void) snprintf(p.uid, sizeof p.uid, "%s", uid);
        lifecycle_return_device(rig.lifecycle, "p", name, &p, rig_on_answer, &a);
        rig_wait(&a);
        return a;
}

static Answer remove_pool(void) {
        Answer a = {};

        lifecycle_remove_pool(rig.lifecycle, "p", rig_on_answer, &a);
        rig_wait(&a);
        return a;
}

/* What was done to a device, without its name, which is another one each time. */
static const char *take_calls_of(const char *name) {
        static char text[512];
        const char *calls = fake_take_calls(rig.backend), *at = calls;
        size_t n = 0;

        text[0] = '\0';
        while (*at && n < sizeof text - 1) {
                if (strncmp(at, name, strlen(name)) == 0)
                        at += strlen(name);
                else
                        text[n++] = *at++;
        }
        text[n] = '\0';
        return text;
}

START_TEST(test_claim_in_memory) {
        char owner[] = "vm:1";
        Answer a;

        rig_start();
        rig_make_pool(1, 3, POOL_SCRUB);
        (void) fake_take_calls(rig.backend);
        a = claim(&(DevicePatch){ .has_owner = true, .owner = owner });
        rig_assert_code(a, ERROR_NONE);
        ck_assert(a.created && strncmp(a.name, "p-", 2) == 0);
        ck_assert_uint_eq(a.generation, 2);
        ck_assert_str_eq(rig_device(a.name)->spec.owner, "vm:1");
        ck_assert_ptr_null(rig_device(a.name)->holder);
        ck_assert_uint_eq(rig_count_free(), 2);
        /* Nothing of that is the hardware's. */
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
}
END_TEST

START_TEST(test_claim_with_mac) {
        Answer a;

        rig_start();
        rig_make_pool(1, 2, POOL_SCRUB);
        (void) fake_take_calls(rig.backend);
        a = claim(&(DevicePatch){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 9 } });
        rig_assert_code(a, ERROR_NONE);
        ck_assert_str_eq(take_calls_of(a.name), "set_mac , publish , observe ");
        ck_assert_mem_eq(fake_device(rig.backend, a.name)->status.net.mac, mac, 6);
        ck_assert_int_eq(pool_find(&rig.inventory, "p")->macs, POOL_MACS_CAN_BE_SET);
}
END_TEST

/* The device is free again, as it was; and what cannot be done is not tried again. */
START_TEST(test_claim_fails) {
        static const struct {
                FakeCall failing;
                ErrorCode code;
                PoolMacs macs;
        } faults[] = {
                { FAKE_SET_MAC, ERROR_NOT_SUPPORTED, POOL_MACS_CANNOT_BE_SET },
                { FAKE_SET_MAC, ERROR_BACKEND_FAILED, POOL_MACS_UNKNOWN },
                { FAKE_PUBLISH, ERROR_BACKEND_FAILED, POOL_MACS_UNKNOWN },
                { FAKE_OBSERVE, ERROR_BACKEND_FAILED, POOL_MACS_UNKNOWN },
        };
        Device *device;
        Answer a;

        rig_start();
        rig_make_pool(1, 1, POOL_SCRUB);
        fake_fail(rig.backend, faults[_i].failing, 1, faults[_i].code, EIO);
        a = claim(&(DevicePatch){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 9 } });
        rig_assert_code(a, faults[_i].code);
        rig_wait_idle();
        ck_assert_uint_eq(rig_count_free(), 1);
        device = inventory_next_device(&rig.inventory, "");
        ck_assert(!device->spec.net.has_mac && device->holder && device->generation == 1);
        ck_assert_int_eq(pool_find(&rig.inventory, "p")->macs, faults[_i].macs);
        ck_assert_uint_eq(pool_find(&rig.inventory, "p")->n_claims, 0);

        (void) fake_take_calls(rig.backend);
        a = claim(&(DevicePatch){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 9 } });
        rig_assert_code(a, faults[_i].macs == POOL_MACS_CANNOT_BE_SET ? ERROR_NOT_SUPPORTED : ERROR_NONE);
        if (faults[_i].macs == POOL_MACS_CANNOT_BE_SET)
                ck_assert_str_eq(fake_take_calls(rig.backend), "");
}
END_TEST

/* The pool goes while a claim of it is under way, which then fails: its device goes, too. */
START_TEST(test_pool_goes_meanwhile) {
        Answer a = {}, gone;

        rig_start();
        rig_make_pool(1, 1, POOL_SCRUB);
        fake_hold(rig.backend, FAKE_SET_MAC);
        fake_fail(rig.backend, FAKE_SET_MAC, _i, ERROR_BACKEND_FAILED, EIO);
        lifecycle_claim_device(rig.lifecycle, "p", NULL, &(DevicePatch){ .has_mac = true, .mac = { 2 } },
                               rig_on_answer, &a);
        rig_wait_held(FAKE_SET_MAC);
        gone = remove_pool();
        rig_assert_code(gone, ERROR_NONE);
        fake_let_go(rig.backend, FAKE_SET_MAC);
        rig_wait(&a);
        rig_wait_idle();
        rig_assert_code(a, _i ? ERROR_BACKEND_FAILED : ERROR_NONE);
        ck_assert_uint_eq(rig.inventory.n_devices, _i ? 0 : 1);
}
END_TEST

START_TEST(test_return) {
        Answer a, b;

        rig_start();
        rig_make_pool(1, 2, POOL_SCRUB);
        a = claim(&(DevicePatch){
                .has_mac = true, .mac = { 2, 0, 0, 0, 0, 9 }, .has_lease = true, .lease_seconds = 60 });
        (void) fake_take_calls(rig.backend);
        b = give_back(a.name, a.uid);
        rig_assert_code(b, ERROR_NONE);
        ck_assert_str_eq(take_calls_of(a.name), "observe , scrub , set_mac , assign , bind , publish , observe ");
        ck_assert_str_ne(rig_device(a.name)->uid, a.uid);
        ck_assert_uint_eq(rig_device(a.name)->generation, 1);
        ck_assert_uint_eq(rig_device(a.name)->lease_usec, 0);
        ck_assert(!rig_device(a.name)->spec.net.has_mac);
        ck_assert_uint_eq(fake_device(rig.backend, a.name)->status.net.mac[0], 2);
        ck_assert_mem_ne(fake_device(rig.backend, a.name)->status.net.mac, mac, 6);
        ck_assert_uint_eq(rig_count_free(), 2);

        /* Once more, by who does not know that it worked; and a deletion that comes late. */
        b = give_back(a.name, a.uid);
        rig_assert_code(b, ERROR_NONE);
        ck_assert_str_eq(fake_take_calls(rig.backend), "");
        rig_stop();
        ck_assert_str_eq(rig_recorded(a.name), "ready");
        rig_start();
        b = give_back(a.name, a.uid);
        rig_assert_code(b, ERROR_NONE);
        ck_assert_uint_eq(rig_count_free(), 2);
}
END_TEST

/* What cannot be scrubbed is deleted; what is in use stays as it was. */
START_TEST(test_return_fails) {
        static const FakeCall steps[] = { FAKE_SCRUB, FAKE_SET_MAC, FAKE_BIND, FAKE_PUBLISH, _FAKE_CALL_MAX };
        bool is_in_use = steps[_i] == _FAKE_CALL_MAX;
        Answer a, b;

        rig_start();
        rig_make_pool(1, 2, POOL_SCRUB);
        a = claim(&(DevicePatch){ .has_mac = true, .mac = { 2, 0, 0, 0, 0, 9 } });
        fake_device(rig.backend, a.name)->in_use = is_in_use;
        if (!is_in_use)
                fake_fail(rig.backend, steps[_i], 1, ERROR_BACKEND_FAILED, EIO);
        b = give_back(a.name, "");
        rig_assert_code(b, is_in_use ? ERROR_IN_USE : ERROR_NONE);
        ck_assert_int_eq(fake_has_device(rig.backend, a.name), is_in_use);
        ck_assert_int_eq(inventory_find_device(&rig.inventory, a.name) != NULL, is_in_use);
        if (is_in_use) {
                ck_assert_int_eq(rig_device(a.name)->state, DEVICE_READY);
                ck_assert_str_eq(rig_device(a.name)->uid, a.uid);
                ck_assert(rig_device(a.name)->spec.net.has_mac);
        }
}
END_TEST

START_TEST(test_return_is_a_deletion) {
        Answer a, b;

        rig_start();
        rig_make_pool(1, 2, _i ? POOL_DESTROY : POOL_SCRUB);
        a = _i ? claim(&(DevicePatch){}) : rig_create_good("mine", RIG_NET);
        (void) fake_take_calls(rig.backend);
        b = give_back(a.name, a.uid);
        rig_assert_code(b, ERROR_NONE);
        ck_assert_str_eq(take_calls_of(a.name), "observe , destroy ");
        ck_assert_ptr_null(inventory_find_device(&rig.inventory, a.name));
}
END_TEST

/* A daemon that stops with a pool has it at the next start, and fills it up. */
START_TEST(test_start) {
        char uid[UID_TEXT_MAX];
        Answer a;

        rig_start();
        rig_make_pool(1, 3, POOL_SCRUB);
        a = claim(&(DevicePatch){});
        strcpy(uid, pool_find(&rig.inventory, "p")->uid);
        rig_stop();
        rig_start();
        rig_wait_idle();
        ck_assert_str_eq(pool_find(&rig.inventory, "p")->uid, uid);
        ck_assert_uint_eq(rig_count_free(), 3);
        ck_assert_ptr_null(rig_device(a.name)->holder);
        ck_assert_uint_eq(rig.inventory.n_devices, 4);
}
END_TEST

/* What cannot be made is tried again later, not at once. */
START_TEST(test_cannot_be_filled) {
        PoolSpec spec = { .device = rig_spec(RIG_NET), .low = 2, .high = 2 };
        Pool *pool;
        Answer a = {};

        rig_start();
        fake_fail(rig.backend, FAKE_CREATE, 2, ERROR_BACKEND_FAILED, EPERM);
        lifecycle_set_pool(rig.lifecycle, "p", &spec, rig_on_answer, &a);
        rig_wait(&a);
        rig_wait_idle();
        pool = pool_find(&rig.inventory, "p");
        ck_assert_uint_eq(rig_count_free(), 0);
        ck_assert_int_eq(pool->reason->code, ERROR_BACKEND_FAILED);
        ck_assert_uint_ge(fake_count_calls(rig.backend, FAKE_CREATE), 1);
        ck_assert_uint_le(fake_count_calls(rig.backend, FAKE_CREATE), 2);

        pool->retry_usec = 0;
        pools_look(rig.lifecycle);
        rig_wait_idle();
        if (rig_count_free() < 2) {
                pool->retry_usec = 0;
                pools_look(rig.lifecycle);
                rig_wait_idle();
        }
        ck_assert_uint_eq(rig_count_free(), 2);
        ck_assert_ptr_null(pool->reason);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
        tcase_add_test(tcase, test_claim_in_memory);
        tcase_add_test(tcase, test_claim_with_mac);
        tcase_add_loop_test(tcase, test_claim_fails, 0, 4);
        tcase_add_loop_test(tcase, test_pool_goes_meanwhile, 0, 2);
        tcase_add_test(tcase, test_return);
        tcase_add_loop_test(tcase, test_return_fails, 0, 5);
        tcase_add_loop_test(tcase, test_return_is_a_deletion, 0, 2);
        tcase_add_test(tcase, test_start);
        tcase_add_test(tcase, test_cannot_be_filled);
}

int main(void) {
        return unit_main("lifecycle-pool", add);
}

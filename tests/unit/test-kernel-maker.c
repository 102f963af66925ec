/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Orders to the maker: in order, none lost, and each with its own answer. There is no vDPA here that could make
 * anything, or no such management device; so every answer is a refusal. */
#include "kernel/maker.h"

#include <stdio.h>

#include "inventory/class.h"
#include "unit.h"

static Maker *maker;
static const DeviceSpec spec = { .class = CLASS_NET, .driver = BUS_DRIVER_VHOST_VDPA };
static char names[16][DEVICE_NAME_MAX];

static void begin(unsigned i) {
        (void) snprintf(names[i], sizeof names[i], "d%u", i);
        ck_assert(maker_is_ready(maker));
        maker_begin(maker, names[i], "nowhere", &spec, true);
}

static void finish(unsigned i) {
        MakerResult result = { .has_config = true };
        Failure f = FAILURE_INIT;

        ck_assert(maker_is_next(maker, names[i]));
        ck_assert_int_lt(maker_finish(maker, &result, &f), 0);
        ck_assert_int_ne(f.code, ERROR_NONE);
        ck_assert(!result.has_config);
        ck_assert_uint_eq(result.refused, 0);
        ck_assert(!maker_is_next(maker, names[i]));
}

START_TEST(test_in_order) {
        ck_assert_int_eq(maker_new(&maker), 0);
        ck_assert(!maker_is_next(maker, "d0"));
        begin(0);
        begin(1);
        ck_assert(!maker_is_next(maker, "d1"));
        finish(0);
        begin(2);
        finish(1);
        finish(2);
        for (unsigned i = 3; i < ELEMENTSOF(names); i++) {
                begin(i);
                finish(i);
        }
        ck_assert_int_eq(maker_command(maker), -1);
        maker = maker_free(maker);
}
END_TEST

START_TEST(test_full) {
        ck_assert_int_eq(maker_new(&maker), 0);
        for (unsigned i = 0; i < MAKER_AHEAD_MAX; i++)
                begin(i);
        ck_assert(!maker_is_ready(maker));
        for (unsigned i = 0; i < MAKER_AHEAD_MAX; i++)
                finish(i);
        ck_assert(maker_is_ready(maker));
        maker = maker_free(maker);
}
END_TEST

/* Most hosts never make two devices at once. */
START_TEST(test_unused) {
        ck_assert_int_eq(maker_new(&maker), 0);
        maker = maker_free(maker);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, test_in_order);
        tcase_add_test(tcase, test_full);
        tcase_add_test(tcase, test_unused);
}

int main(void) {
        return unit_main("kernel-maker", add_tests);
}

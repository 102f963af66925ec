/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sim/idmap.h"
#include "unit.h"

static const uint32_t sizes[] = { 1, 2, 63, 64, 65, 4095, 4096, 4097, 262144, 262145, 1048576 };

START_TEST(test_all_and_no_more) {
        _cleanup_(idmap_freep) Idmap *map = NULL;
        uint32_t n = sizes[_i], id;

        ck_assert_int_eq(idmap_new(n, &map), 0);
        for (int round = 0; round < 2; round++) {
                for (uint32_t i = 0; i < n; i++)
                        if (idmap_acquire(map, &id) < 0 || id != i)
                                ck_abort_msg("number %u of %u", i, n);
                id = 7;
                ck_assert_int_eq(idmap_acquire(map, &id), -ENOSPC);
                ck_assert_uint_eq(id, 7);

                /* From the end, so that every release is the lowest free number at once. */
                for (uint32_t i = n; i-- > 0;)
                        idmap_release(map, i);
        }
}
END_TEST

START_TEST(test_lowest_comes_first) {
        _cleanup_(idmap_freep) Idmap *map = NULL;
        uint32_t n = sizes[_i], id;

        ck_assert_int_eq(idmap_new(n, &map), 0);
        while (idmap_acquire(map, &id) == 0)
                ;

        idmap_release(map, n - 1);
        idmap_release(map, n / 3);
        ck_assert_int_eq(idmap_acquire(map, &id), 0);
        ck_assert_uint_eq(id, n / 3);
        ck_assert_int_eq(idmap_acquire(map, &id), 0);
        ck_assert_uint_eq(id, n - 1);
        ck_assert_int_eq(idmap_acquire(map, &id), -ENOSPC);
}
END_TEST

START_TEST(test_given_numbers) {
        _cleanup_(idmap_freep) Idmap *map = NULL;
        uint32_t id;

        ck_assert_int_eq(idmap_new(100, &map), 0);
        ck_assert_int_eq(idmap_acquire_id(map, 0), 0);
        ck_assert_int_eq(idmap_acquire_id(map, 2), 0);
        ck_assert_int_eq(idmap_acquire_id(map, 99), 0);
        ck_assert_int_eq(idmap_acquire_id(map, 2), -EEXIST);
        ck_assert_int_eq(idmap_acquire_id(map, 100), -ERANGE);
        ck_assert_int_eq(idmap_acquire_id(map, UINT32_MAX), -ERANGE);

        ck_assert_int_eq(idmap_acquire(map, &id), 0);
        ck_assert_uint_eq(id, 1);
        ck_assert_int_eq(idmap_acquire(map, &id), 0);
        ck_assert_uint_eq(id, 3);
}
END_TEST

/* Against a plain array, in an order that is mixed and always the same. */
START_TEST(test_same_as_array) {
        enum { N = 5000 };
        _cleanup_(idmap_freep) Idmap *map = NULL;
        bool taken[N] = { false };
        uint32_t x = 1;

        ck_assert_int_eq(idmap_new(N, &map), 0);
        for (unsigned step = 0; step < 100000; step++) {
                uint32_t id, lowest = 0;

                x = x * 1664525 + 1013904223;
                id = (x >> 8) % N;
                if (taken[id]) {
                        idmap_release(map, id);
                        taken[id] = false;
                        continue;
                }

                while (taken[lowest])
                        lowest++;
                if (idmap_acquire(map, &id) < 0 || id != lowest)
                        ck_abort_msg("step %u: %u instead of %u", step, id, lowest);
                taken[id] = true;
        }
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_all_and_no_more, 0, ELEMENTSOF(sizes));
        tcase_add_loop_test(tcase, test_lowest_comes_first, 1, ELEMENTSOF(sizes));
        tcase_add_test(tcase, test_given_numbers);
        tcase_add_test(tcase, test_same_as_array);
}

int main(void) {
        return unit_main("sim-idmap", add);
}

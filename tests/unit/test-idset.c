/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inventory/idset.h"

#include <errno.h>
#include <string.h>

#include "inventory/idlist.h"
#include "unit.h"
#include "util/bitset.h"
#include "util/clock.h"

#define QUARANTINE (10 * USEC_PER_SEC)

static IdSet *new_set(uint32_t n, uint64_t quarantine_usec) {
        IdSet *set = NULL;

        ck_assert_int_eq(idset_new(n, quarantine_usec, &set), 0);
        return set;
}

static uint32_t take(IdSet *set, uint64_t now) {
        uint32_t id = UINT32_MAX;

        ck_assert_int_eq(idset_acquire(set, now, &id), 0);
        return id;
}

START_TEST(test_bitset) {
        static const uint32_t sizes[] = { 1, 63, 64, 65, 4097, 262145, BITSET_MAX };
        _cleanup_(bitset_freep) Bitset *set = NULL;
        uint32_t n = sizes[_i], i = 7;

        ck_assert_int_eq(bitset_new(n, &set), 0);
        ck_assert(!bitset_next(set, 0, &i));
        ck_assert_uint_eq(i, 7);
        bitset_add(set, n - 1);
        bitset_add(set, n / 2);
        ck_assert(bitset_next(set, 0, &i));
        ck_assert_uint_eq(i, n / 2);
        ck_assert(bitset_next(set, i, &i));
        ck_assert_uint_eq(i, n / 2);
        if (n > 1) {
                ck_assert(bitset_next(set, i + 1, &i));
                ck_assert_uint_eq(i, n - 1);
        }
        ck_assert(!bitset_next(set, n, &i));
        ck_assert(!bitset_next(set, UINT32_MAX, &i));
        bitset_remove(set, n / 2);
        bitset_remove(set, n - 1);
        ck_assert(!bitset_next(set, 0, &i));
        ck_assert_uint_eq(bitset_word(set, UINT32_MAX), 0);
}
END_TEST

START_TEST(test_bitset_grows) {
        _cleanup_(bitset_freep) Bitset *set = NULL;
        uint32_t i, n = 0;

        ck_assert_int_eq(bitset_new(64, &set), 0);
        for (uint32_t size = 64; size < 300000; size *= 3) {
                ck_assert_int_eq(bitset_grow(&set, size), 0);
                bitset_add(set, size - 1);
        }
        for (uint32_t size = 64; bitset_next(set, n, &i); size *= 3, n = i + 1)
                ck_assert_uint_eq(i, size - 1);
        ck_assert_uint_gt(n, 60000);
}
END_TEST

START_TEST(test_lowest_first) {
        _cleanup_(idset_freep) IdSet *set = new_set(5000, QUARANTINE);
        uint32_t id = 7;

        for (uint32_t i = 0; i < 5000; i++)
                ck_assert_uint_eq(take(set, 0), i);
        ck_assert_int_eq(idset_acquire(set, 0, &id), -ENOSPC);
        ck_assert_uint_eq(id, 7);
}
END_TEST

START_TEST(test_quarantine) {
        _cleanup_(idset_freep) IdSet *set = new_set(2, QUARANTINE);
        uint64_t now = 5;
        uint32_t id;

        (void) take(set, now);
        (void) take(set, now);
        idset_release(set, 1, now);
        ck_assert_uint_eq(idset_usage(set, now).quarantined, 1);
        ck_assert_int_eq(idset_acquire(set, now, &id), -ENOSPC);
        ck_assert_int_eq(idset_acquire(set, now + QUARANTINE - 1, &id), -ENOSPC);
        ck_assert_uint_eq(idset_usage(set, now + QUARANTINE - 1).free, 0);
        ck_assert_uint_eq(idset_usage(set, now + QUARANTINE).free, 1);
        ck_assert_uint_eq(take(set, now + QUARANTINE), 1);
}
END_TEST

/* In the order of their release, whatever their number. */
START_TEST(test_oldest_first) {
        static const uint32_t order[] = { 3, 0, 2, 1 };
        _cleanup_(idset_freep) IdSet *set = new_set(4, QUARANTINE);
        uint64_t now = 0;

        for (unsigned i = 0; i < 4; i++)
                (void) take(set, now);
        for (unsigned i = 0; i < 4; i++, now += QUARANTINE / 4)
                idset_release(set, order[i], now);
        now += QUARANTINE;
        for (unsigned i = 0; i < 4; i++)
                ck_assert_uint_eq(take(set, now), order[i]);
}
END_TEST

START_TEST(test_no_quarantine) {
        _cleanup_(idset_freep) IdSet *set = new_set(1, 0);

        for (uint64_t now = 0; now < 100; now++) {
                ck_assert_uint_eq(take(set, now), 0);
                idset_release(set, 0, now);
                ck_assert_uint_eq(idset_usage(set, now).free, 1);
        }
}
END_TEST

/* Far more spans than there are batches. */
START_TEST(test_merges) {
        _cleanup_(idset_freep) IdSet *set = new_set(1000, QUARANTINE);
        uint64_t now = 0;
        bool seen[1000] = { false };

        for (unsigned i = 0; i < 1000; i++)
                (void) take(set, now);
        for (uint32_t i = 0; i < 1000; i++, now += QUARANTINE / 3)
                idset_release(set, i, now);
        ck_assert_uint_eq(idset_usage(set, now).quarantined, 3);
        now += QUARANTINE;
        for (unsigned i = 0; i < 1000; i++) {
                uint32_t id = take(set, now);

                ck_assert(!seen[id]);
                seen[id] = true;
        }
}
END_TEST

START_TEST(test_load) {
        _cleanup_(idset_freep) IdSet *set = new_set(10, QUARANTINE);

        ck_assert_int_eq(idset_acquire_id(set, 1), 0);
        ck_assert_int_eq(idset_acquire_id(set, 1), -EEXIST);
        ck_assert_int_eq(idset_acquire_id(set, IDS_MAX), -ERANGE);
        ck_assert_int_eq(idset_quarantine(set, 0, QUARANTINE / 2, 0), 0);
        ck_assert_int_eq(idset_quarantine(set, 1, QUARANTINE, 0), 0);
        ck_assert_int_eq(idset_quarantine(set, 2, QUARANTINE, 0), 0);
        ck_assert_uint_eq(idset_usage(set, 0).quarantined, 2);
        ck_assert_uint_eq(idset_usage(set, QUARANTINE / 2).quarantined, 1);
        for (uint32_t i = 3; i < 10; i++)
                ck_assert_uint_eq(take(set, 0), i);
        ck_assert_uint_eq(take(set, QUARANTINE / 2), 0);
        ck_assert_uint_eq(take(set, QUARANTINE), 2);
}
END_TEST

START_TEST(test_reserved) {
        _cleanup_(idset_freep) IdSet *set = new_set(10, QUARANTINE);

        ck_assert_uint_eq(take(set, 0), 0);
        ck_assert_int_eq(idset_reserve(set, 0, 3), 0);
        ck_assert_int_eq(idset_reserve(set, 8, 20), 0);
        ck_assert_uint_eq(idset_usage(set, 0).reserved, 5);
        ck_assert_uint_eq(idset_usage(set, 0).used, 1);
        ck_assert_uint_eq(take(set, 0), 4);

        /* It is reserved when it comes back, and takes the way of any released one when that ends. */
        idset_release(set, 0, 0);
        ck_assert_uint_eq(idset_usage(set, 0).reserved, 6);
        idset_unreserve_all(set, 0);
        ck_assert_uint_eq(idset_usage(set, 0).reserved, 0);
        ck_assert_uint_eq(idset_usage(set, 0).quarantined, 1);
        ck_assert_uint_eq(take(set, 0), 1);
}
END_TEST

START_TEST(test_shrinks_below_what_is_held) {
        _cleanup_(idset_freep) IdSet *set = new_set(10, QUARANTINE);
        IdUsage u;
        uint32_t id;

        for (uint32_t i = 0; i < 8; i++)
                (void) take(set, 0);
        idset_release(set, 6, 0);
        idset_resize(set, 5, 0);
        u = idset_usage(set, 0);
        ck_assert_uint_eq(u.total, 8);
        ck_assert_uint_eq(u.used, 7);
        ck_assert_uint_eq(u.reserved, 1);
        ck_assert_uint_eq(u.free, 0);
        ck_assert_int_eq(idset_acquire(set, 2 * QUARANTINE, &id), -ENOSPC);

        idset_release(set, 7, 0);
        idset_release(set, 5, 0);
        u = idset_usage(set, 0);
        ck_assert_uint_eq(u.total, 5);
        ck_assert_uint_eq(u.used, 5);
        ck_assert_uint_eq(u.reserved, 0);

        /* What comes back to it was held not long ago. */
        idset_resize(set, 10, 0);
        ck_assert_uint_eq(idset_usage(set, 0).quarantined, 3);
        ck_assert_uint_eq(take(set, 0), 8);
}
END_TEST

START_TEST(test_put_back) {
        _cleanup_(idset_freep) IdSet *set = new_set(10, QUARANTINE);

        (void) take(set, 0);
        (void) take(set, 0);
        idset_put_back(set, 0);
        ck_assert_uint_eq(idset_usage(set, 0).free, 9);
        ck_assert_uint_eq(take(set, 0), 0);
}
END_TEST

START_TEST(test_none) {
        _cleanup_(idset_freep) IdSet *set = new_set(0, QUARANTINE);
        uint32_t id;

        ck_assert_int_eq(idset_acquire(set, 0, &id), -ENOSPC);
        ck_assert_uint_eq(idset_usage(set, 0).total, 0);
}
END_TEST

START_TEST(test_list_text) {
        static const uint32_t ids[] = { 40, 41, 42, 17, 16, 15, 0, 1, 16777215 };
        _cleanup_free_ char *text = idlist_format(ids, ELEMENTSOF(ids)), *none = idlist_format(NULL, 0);
        uint32_t back[ELEMENTSOF(ids)];
        size_t n = 0;

        ck_assert_str_eq(text, "40-42,17,16,15,0-1,16777215");
        ck_assert_str_eq(none, "");
        ck_assert_int_eq(idlist_parse(text, back, ELEMENTSOF(back), &n), 0);
        ck_assert_uint_eq(n, ELEMENTSOF(ids));
        ck_assert_mem_eq(back, ids, sizeof ids);
        ck_assert_int_eq(idlist_parse(text, back, ELEMENTSOF(back) - 1, &n), -E2BIG);
        ck_assert_int_eq(idlist_parse("", back, 0, &n), 0);
        ck_assert_uint_eq(n, 0);
}
END_TEST

static const struct {
        const char *text;
        int result;
} bad_lists[] = {
        { ",", -EINVAL },     { "1,", -EINVAL },       { ",1", -EINVAL },
        { "1,,2", -EINVAL },  { "1-", -EINVAL },       { "-1", -EINVAL },
        { "3-1", -EINVAL },   { "3-3", -EINVAL },      { "1 ", -EINVAL },
        { " 1", -EINVAL },    { "+1", -EINVAL },       { "01", -EINVAL },
        { "1-2-3", -EINVAL }, { "0x1", -EINVAL },      { "a", -EINVAL },
        { "1;2", -EINVAL },   { "16777216", -ERANGE }, { "0-9999999999999999999999", -ERANGE },
};

START_TEST(test_bad_list) {
        uint32_t ids[8];
        size_t n = 99;

        ck_assert_int_eq(idlist_check(bad_lists[_i].text), bad_lists[_i].result);
        ck_assert_int_eq(idlist_parse(bad_lists[_i].text, ids, ELEMENTSOF(ids), &n), bad_lists[_i].result);
        ck_assert_uint_eq(n, 99);
}
END_TEST

static void add(TCase *tc) {
        tcase_add_loop_test(tc, test_bitset, 0, 7);
        tcase_add_test(tc, test_bitset_grows);
        tcase_add_test(tc, test_lowest_first);
        tcase_add_test(tc, test_quarantine);
        tcase_add_test(tc, test_oldest_first);
        tcase_add_test(tc, test_no_quarantine);
        tcase_add_test(tc, test_merges);
        tcase_add_test(tc, test_load);
        tcase_add_test(tc, test_reserved);
        tcase_add_test(tc, test_shrinks_below_what_is_held);
        tcase_add_test(tc, test_put_back);
        tcase_add_test(tc, test_none);
        tcase_add_test(tc, test_list_text);
        tcase_add_loop_test(tc, test_bad_list, 0, ELEMENTSOF(bad_lists));
}

int main(void) {
        return unit_main("idset", add);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The names of classes and of feature bits. */
#include "inventory/class.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inventory/feature.h"
#include "unit.h"

static const struct {
        const char *text;
        unsigned class; /* 0: none */
} classes[] = {
        { "net", CLASS_NET }, { "block", CLASS_BLOCK },
        { "9p", 9 },          { "fs", 26 },
        { "1", CLASS_NET },   { "25", 25 },
        { "63", 63 },         { "01", 1 },
        { "7", 7 },           { "0", 0 },
        { "64", 0 },          { "-1", 0 },
        { "+1", 0 },          { " 1", 0 },
        { "1 ", 0 },          { "", 0 },
        { "Net", 0 },         { "nets", 0 },
        { "1net", 0 },        { "18446744073709551617", 0 },
        { "0x1", 0 },
};

START_TEST(test_class_parse) {
        unsigned class = 0;

        ck_assert_int_eq(class_parse(classes[_i].text, &class), classes[_i].class ? 0 : -EINVAL);
        ck_assert_uint_eq(class, classes[_i].class);
}
END_TEST

START_TEST(test_class_round_trip) {
        for (unsigned class = 1; class <= CLASS_MAX; class ++) {
                char text[16], number[16];
                unsigned again = 0;

                (void) snprintf(number, sizeof number, "%u", class);
                ck_assert_ptr_eq(class_format(class, text), text);
                ck_assert_str_eq(text, class_name(class) ? class_name(class) : number);
                ck_assert_int_eq(class_parse(text, &again), 0);
                ck_assert_uint_eq(again, class);
                ck_assert_int_eq(class_parse(number, &again), 0);
                ck_assert_uint_eq(again, class);
        }
}
END_TEST

START_TEST(test_class_without_name) {
        ck_assert_ptr_null(class_name(0));
        ck_assert_ptr_null(class_name(CLASS_MAX + 1));
        ck_assert_ptr_null(class_name(UINT32_MAX));
        ck_assert_ptr_null(class_name(7));
}
END_TEST

static const struct {
        unsigned class;
        const char *text;
        int bit; /* or -EINVAL */
} features[] = {
        { CLASS_NET, "MAC", 5 },
        { CLASS_NET, "MTU", 3 },
        { CLASS_NET, "MQ", 22 },
        { CLASS_NET, "CTRL_VQ", 17 },
        { CLASS_NET, "VERSION_1", 32 },
        { CLASS_NET, "ACCESS_PLATFORM", 33 },
        { CLASS_NET, "SPEED_DUPLEX", 63 },
        { CLASS_NET, "bit_4", 4 },
        { CLASS_BLOCK, "MQ", 12 },
        { CLASS_BLOCK, "FLUSH", 9 },
        { CLASS_BLOCK, "VERSION_1", 32 },
        { CLASS_BLOCK, "MAC", -EINVAL },
        { 26, "bit_0", 0 },
        { 26, "bit_63", 63 },
        { 26, "MAC", -EINVAL },
        /* Each bit goes by one name only. */
        { CLASS_NET, "bit_5", -EINVAL },
        { CLASS_NET, "bit_32", -EINVAL },
        { 26, "bit_64", -EINVAL },
        { 26, "bit_-1", -EINVAL },
        { 26, "bit_01", -EINVAL },
        { 26, "bit_", -EINVAL },
        { CLASS_NET, "mac", -EINVAL },
        { CLASS_NET, "VIRTIO_NET_F_MAC", -EINVAL },
        { CLASS_NET, "", -EINVAL },
        { CLASS_NET, "CTRL_GUEST_OFFLOADS_AND_MUCH_MORE", -EINVAL },
};

START_TEST(test_feature_parse) {
        unsigned bit = 99;
        int r = feature_parse(features[_i].class, features[_i].text, &bit);

        if (features[_i].bit < 0) {
                ck_assert_int_eq(r, features[_i].bit);
                ck_assert_uint_eq(bit, 99);
        } else {
                ck_assert_int_eq(r, 0);
                ck_assert_int_eq((int) bit, features[_i].bit);
        }
}
END_TEST

START_TEST(test_feature_round_trip) {
        for (unsigned class = 0; class <= CLASS_MAX + 1; class ++)
                for (unsigned bit = 0; bit < 64; bit++) {
                        char text[FEATURE_NAME_MAX];
                        unsigned again = 99;

                        ck_assert_ptr_eq(feature_format(class, bit, text), text);
                        ck_assert_int_eq(feature_parse(class, text, &again), 0);
                        ck_assert_uint_eq(again, bit);
                }
}
END_TEST

START_TEST(test_feature_masks) {
        static const struct {
                unsigned class;
                uint64_t mask;
                const char *text;
        } masks[] = {
                { CLASS_NET, FEATURE_NET_MTU, "MTU" },
                { CLASS_NET, FEATURE_NET_MAC, "MAC" },
                { CLASS_NET, FEATURE_NET_MQ, "MQ" },
                { CLASS_NET, FEATURE_NET_CTRL_VQ, "CTRL_VQ" },
                { CLASS_BLOCK, FEATURE_BLOCK_MQ, "MQ" },
                { CLASS_BLOCK, FEATURE_VERSION_1, "VERSION_1" },
                { 63, FEATURE_ACCESS_PLATFORM, "ACCESS_PLATFORM" },
        };

        for (size_t i = 0; i < ELEMENTSOF(masks); i++) {
                unsigned bit = 0;

                ck_assert_int_eq(feature_parse(masks[i].class, masks[i].text, &bit), 0);
                ck_assert_uint_eq(UINT64_C(1) << bit, masks[i].mask);
        }
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_class_parse, 0, (int) ELEMENTSOF(classes));
        tcase_add_test(tcase, test_class_round_trip);
        tcase_add_test(tcase, test_class_without_name);
        tcase_add_loop_test(tcase, test_feature_parse, 0, (int) ELEMENTSOF(features));
        tcase_add_test(tcase, test_feature_round_trip);
        tcase_add_test(tcase, test_feature_masks);
}

int main(void) {
        return unit_main("class", add);
}

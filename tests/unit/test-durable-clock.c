/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The clock that goes on through restarts, reboots and jumps of the wall clock; and digests. */
#include "util/durable-clock.h"

#include <string.h>

#include "unit.h"
#include "util/clock.h"
#include "util/digest.h"

#define HOUR (3600 * USEC_PER_SEC)

static const ClockRecord last = {
        .boot_id = "a", .boot_usec = 5 * HOUR, .wall_usec = 1000 * HOUR, .time_usec = 900 * HOUR
};

static const struct {
        ClockRecord now;
        uint64_t expected;
} moments[] = {
        /* The same boot: the wall clock does not count. */
        { { .boot_id = "a", .boot_usec = 6 * HOUR, .wall_usec = 1001 * HOUR }, 901 * HOUR },
        { { .boot_id = "a", .boot_usec = 6 * HOUR, .wall_usec = 5000 * HOUR }, 901 * HOUR },
        { { .boot_id = "a", .boot_usec = 6 * HOUR, .wall_usec = 0 }, 901 * HOUR },
        { { .boot_id = "a", .boot_usec = 5 * HOUR, .wall_usec = 1000 * HOUR }, 900 * HOUR },
        { { .boot_id = "a", .boot_usec = 0, .wall_usec = 1000 * HOUR }, 900 * HOUR },
        /* Another one: it is all there is, but time does not go back. */
        { { .boot_id = "b", .boot_usec = 1, .wall_usec = 1003 * HOUR }, 903 * HOUR },
        { { .boot_id = "b", .boot_usec = 99 * HOUR, .wall_usec = 1003 * HOUR }, 903 * HOUR },
        { { .boot_id = "b", .boot_usec = 1, .wall_usec = 999 * HOUR }, 900 * HOUR },
        { { .boot_id = "b", .boot_usec = 1, .wall_usec = 0 }, 900 * HOUR },
};

START_TEST(test_resume) {
        ck_assert_uint_eq(durable_clock_resume(&last, &moments[_i].now), moments[_i].expected);
}
END_TEST

START_TEST(test_first) {
        const ClockRecord none = {}, now = { .boot_id = "a", .boot_usec = 1, .wall_usec = 7 * HOUR };

        ck_assert_uint_eq(durable_clock_resume(&none, &now), 7 * HOUR);
}
END_TEST

/* A host without a clock of its own begins at the same moment each time: what is recorded once a minute is not
 * lived through again. */
START_TEST(test_many_boots) {
        ClockRecord record = last;

        for (int boot = 0; boot < 100; boot++) {
                ClockRecord now = { .boot_usec = 10, .wall_usec = 10 };

                now.boot_id[0] = (char) ('b' + boot % 20);
                now.time_usec = durable_clock_resume(&record, &now);
                record = now;
                now.boot_usec += HOUR;
                now.wall_usec += HOUR;
                now.time_usec = durable_clock_resume(&record, &now);
                record = now;
        }
        ck_assert_uint_eq(record.time_usec, last.time_usec + 100 * HOUR);
}
END_TEST

START_TEST(test_running) {
        uint64_t before = clock_realtime_usec(), now, wall;
        DurableClock clock;
        ClockRecord record;

        ck_assert_int_eq(durable_clock_start(&clock, &(ClockRecord){}), 0);
        now = durable_clock_now(&clock);
        ck_assert_uint_ge(now, before);
        ck_assert_uint_ge(durable_clock_now(&clock), now);
        durable_clock_read(&clock, &record);
        ck_assert_uint_ge(record.time_usec, now);
        ck_assert_str_ne(record.boot_id, "");

        wall = durable_clock_to_wall(&clock, now + HOUR);
        ck_assert_uint_ge(wall + USEC_PER_SEC, before + HOUR);
        ck_assert_uint_le(wall, before + HOUR + 60 * USEC_PER_SEC);
        ck_assert_uint_eq(durable_clock_to_wall(&clock, now - HOUR), wall - 2 * HOUR);
        ck_assert_uint_eq(durable_clock_to_wall(&clock, 0), 0);

        /* What it goes on from, it goes on from. */
        record.time_usec += 7 * HOUR;
        ck_assert_int_eq(durable_clock_start(&clock, &record), 0);
        ck_assert_uint_ge(durable_clock_now(&clock), record.time_usec);
        ck_assert_uint_lt(durable_clock_now(&clock), record.time_usec + HOUR);
}
END_TEST

static void digest_of(const char *a, const char *b, char ret[DIGEST_MAX]) {
        Digest d;

        digest_init(&d);
        digest_add_text(&d, a);
        digest_add_text(&d, b);
        digest_finish(&d, ret);
}

START_TEST(test_digest) {
        static const char *const pairs[][2] = { { "ab", "c" }, { "a", "bc" },   { "abc", "" }, { "abc", NULL },
                                                { "", "abc" }, { NULL, "abc" }, { NULL, NULL } };
        char digests[ELEMENTSOF(pairs)][DIGEST_MAX], again[DIGEST_MAX];

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                digest_of(pairs[i][0], pairs[i][1], digests[i]);
                digest_of(pairs[i][0], pairs[i][1], again);
                ck_assert_str_eq(digests[i], again);
                ck_assert_uint_eq(strlen(digests[i]), DIGEST_MAX - 1);
                for (size_t k = 0; k < i; k++)
                        ck_assert_str_ne(digests[i], digests[k]);
        }
}
END_TEST

/* As sha256sum(1) has it, of eight bytes of length and the text. */
START_TEST(test_digest_is_sha256) {
        char text[DIGEST_MAX];
        Digest d;

        digest_init(&d);
        SHA256Update(&d.context, (const uint8_t *) "abc", 3);
        digest_finish(&d, text);
        ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_loop_test(tcase, test_resume, 0, (int) ELEMENTSOF(moments));
        tcase_add_test(tcase, test_first);
        tcase_add_test(tcase, test_many_boots);
        tcase_add_test(tcase, test_running);
        tcase_add_test(tcase, test_digest);
        tcase_add_test(tcase, test_digest_is_sha256);
}

int main(void) {
        return unit_main("durable-clock", add);
}

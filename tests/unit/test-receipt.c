/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is remembered of requests and of devices that have gone: in order, within bounds, and for a time. */
#include "lifecycle/receipt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lifecycle/tombstone.h"
#include "unit.h"

#define REQUEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID     "019aabbd-3a45-7cc4-9dfc-1dbe2e1e7a"

static Receipts receipts;
static Tombstones tombstones;

static void set_up(void) {
        receipts_init(&receipts, 3, 100);
        tombstones_init(&tombstones, 3, 100);
}

static void tear_down(void) {
        receipts_done(&receipts);
        tombstones_done(&tombstones);
}

static Receipt *add_receipt(const char *text, uint64_t now) {
        IdempotencyKey key = { .request = REQUEST };
        Receipt *receipt;

        strcpy(key.text, text);
        ck_assert_int_eq(receipts_add(&receipts, &key, now, &receipt), 0);
        return receipt;
}

START_TEST(test_keys) {
        static const struct {
                const char *value, *text; /* NULL: none */
        } keys[] = {
                { "a", "a" }, { "\"a\"", "a" }, { "a\"b", "a\"b" }, { "\"", "\"" },       { "\"\"", NULL },
                { "", NULL }, { "a b", NULL },  { "a\t", NULL },    { "\xc3\xa4", NULL }, { "~!", "~!" },
        };
        char longest[IDEMPOTENCY_KEY_MAX + 1];
        IdempotencyKey key;

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                ck_assert_int_eq(idempotency_key_parse(keys[i].value, &key), keys[i].text ? 0 : -EINVAL);
                if (keys[i].text)
                        ck_assert_str_eq(key.text, keys[i].text);
        }
        memset(longest, 'x', sizeof longest);
        longest[IDEMPOTENCY_KEY_MAX] = '\0';
        ck_assert_int_eq(idempotency_key_parse(longest, &key), -EINVAL);
        longest[IDEMPOTENCY_KEY_MAX - 1] = '\0';
        ck_assert_int_eq(idempotency_key_parse(longest, &key), 0);
}
END_TEST

START_TEST(test_bound) {
        Receipt *a = add_receipt("a", 1), *b = add_receipt("b", 2), *c = add_receipt("c", 2), *d;
        StoreReceipt row;

        receipt_encode(&receipts, c, &row);
        ck_assert_uint_eq(row.first_id, a->id);
        d = add_receipt("d", 3);
        ck_assert_uint_eq(receipts.n, 3);
        ck_assert_ptr_null(receipts_find(&receipts, "a", 3));
        ck_assert_ptr_eq(receipts_find(&receipts, "b", 3), b);
        ck_assert_ptr_eq(receipts_find(&receipts, "d", 3), d);
        receipt_encode(&receipts, d, &row);
        ck_assert_uint_eq(row.first_id, b->id);
        ck_assert_uint_gt(d->id, c->id);
}
END_TEST

/* One that is under way is never forgotten. */
START_TEST(test_bound_while_running) {
        IdempotencyKey key = { .text = "d", .request = REQUEST };
        Receipt *a = add_receipt("a", 1), *receipt;

        a->is_running = true;
        (void) add_receipt("b", 1);
        (void) add_receipt("c", 1);
        ck_assert_int_eq(receipts_add(&receipts, &key, 500, &receipt), -EBUSY);
        ck_assert_ptr_eq(receipts_find(&receipts, "a", 500), a);
        a->is_running = false;
        ck_assert_int_eq(receipts_add(&receipts, &key, 500, &receipt), 0);
        ck_assert_uint_eq(receipts.n, 1);
}
END_TEST

START_TEST(test_age) {
        Receipt *a = add_receipt("a", 1);

        (void) add_receipt("b", 50);
        ck_assert_ptr_eq(receipts_find(&receipts, "a", 101), a);
        ck_assert_ptr_null(receipts_find(&receipts, "a", 102));
        ck_assert_uint_eq(receipts.n, 1);
        (void) add_receipt("c", 151);
        ck_assert_ptr_null(receipts_find(&receipts, "b", 151));
        ck_assert_uint_eq(receipts.n, 1);
}
END_TEST

/* What is recorded is what is loaded. */
START_TEST(test_load) {
        static const ReceiptOutcome outcomes[] = { RECEIPT_PENDING, RECEIPT_CREATED, RECEIPT_DONE };
        const Failure f = { .code = ERROR_IN_USE, .detail = "it is open" };
        Receipt *a = add_receipt("a", 7), *again;
        StoreReceipt row;
        Receipts other;

        ck_assert_int_eq(receipt_set_subject(a, "d", UID "3f"), 0);
        for (size_t i = 0; i <= ELEMENTSOF(outcomes); i++) {
                if (i == ELEMENTSOF(outcomes))
                        receipt_settle(a, RECEIPT_FAILED, &f);
                else
                        a->outcome = outcomes[i];
                receipts_init(&other, 3, 100);
                receipt_encode(&receipts, a, &row);
                ck_assert_int_eq(receipts_load(&other, &row), 0);
                again = receipts_find(&other, "a", 7);
                ck_assert_ptr_nonnull(again);
                ck_assert_int_eq(again->outcome, a->outcome);
                ck_assert_int_eq(again->code, i < ELEMENTSOF(outcomes) ? ERROR_NONE : ERROR_IN_USE);
                ck_assert_str_eq(again->detail, i < ELEMENTSOF(outcomes) ? "" : "it is open");
                ck_assert_str_eq(again->name, "d");
                ck_assert_str_eq(again->uid, UID "3f");
                ck_assert_str_eq(again->request, REQUEST);
                ck_assert_int_eq(again->is_settled, i > 0);
                ck_assert_int_eq(receipts_load(&other, &row), -EINVAL);
                receipts_done(&other);
        }
}
END_TEST

START_TEST(test_load_damaged) {
        static const StoreReceipt good = { .id = 1,
                                           .key = "a",
                                           .request = REQUEST,
                                           .name = "d",
                                           .uid = "",
                                           .outcome = "done",
                                           .detail = "",
                                           .made_usec = 1 };
        StoreReceipt bad[5] = { good, good, good, good, good };

        bad[0].key = "";
        bad[1].request = "abc";
        bad[2].uid = "x";
        bad[3].outcome = "x";
        bad[4].id = 0;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_int_eq(receipts_load(&receipts, &bad[i]), -EINVAL);
        ck_assert_uint_eq(receipts.n, 0);
        ck_assert_int_eq(receipts_load(&receipts, &good), 0);
}
END_TEST

START_TEST(test_tombstones) {
        StoreTombstone row, first;

        ck_assert_int_eq(tombstones_add(&tombstones, "a", UID "01", 1, &first), 0);
        ck_assert(tombstones_have(&tombstones, "a", UID "01", 101));
        ck_assert(!tombstones_have(&tombstones, "a", UID "01", 102));
        ck_assert(!tombstones_have(&tombstones, "b", UID "01", 1));
        ck_assert(!tombstones_have(&tombstones, "a", UID "02", 1));

        ck_assert_int_eq(tombstones_add(&tombstones, "a", UID "01", 2, &row), 0);
        ck_assert_uint_eq(row.id, first.id);
        ck_assert_int_eq(tombstones_add(&tombstones, "a", UID "02", 2, &row), 0);
        ck_assert_int_eq(tombstones_add(&tombstones, "a", UID "03", 2, &row), 0);
        ck_assert_uint_eq(row.first_id, first.id);
        ck_assert_int_eq(tombstones_add(&tombstones, "a", UID "04", 2, &row), 0);
        ck_assert_uint_eq(tombstones.n, 3);
        ck_assert_uint_gt(row.first_id, first.id);
        ck_assert(!tombstones_have(&tombstones, "a", UID "01", 2));
        ck_assert(tombstones_have(&tombstones, "a", UID "02", 2));
        ck_assert_int_eq(tombstones_add(&tombstones, "a", UID "05", 200, &row), 0);
        ck_assert_uint_eq(tombstones.n, 1);
        ck_assert_uint_eq(row.first_id, row.id);
}
END_TEST

START_TEST(test_load_tombstone) {
        StoreTombstone row = { .id = 5, .name = "a", .uid = UID "01", .made_usec = 1 };

        ck_assert_int_eq(tombstones_load(&tombstones, &row), 0);
        ck_assert(tombstones_have(&tombstones, "a", UID "01", 1));
        ck_assert_int_eq(tombstones_load(&tombstones, &row), -EINVAL);
        row.id = 6;
        ck_assert_int_eq(tombstones_load(&tombstones, &row), -EINVAL);
        row.uid = "x";
        ck_assert_int_eq(tombstones_load(&tombstones, &row), -EINVAL);
        row.uid = UID "02";
        row.name = "A";
        ck_assert_int_eq(tombstones_load(&tombstones, &row), -EINVAL);
        row.name = "b";
        ck_assert_int_eq(tombstones_load(&tombstones, &row), 0);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, test_keys);
        tcase_add_test(tcase, test_bound);
        tcase_add_test(tcase, test_bound_while_running);
        tcase_add_test(tcase, test_age);
        tcase_add_test(tcase, test_load);
        tcase_add_test(tcase, test_load_damaged);
        tcase_add_test(tcase, test_tombstones);
        tcase_add_test(tcase, test_load_tombstone);
}

int main(void) {
        return unit_main("receipt", add);
}

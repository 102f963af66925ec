/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The autoprobe of the vDPA bus is off while it is exclusive, and never for longer, whenever the daemon dies. */
#include "kernel/autoprobe.h"

#include "test-kernel.h"

#define AUTOPROBE VDPA "/drivers_autoprobe"
#define NOTE      "run/autoprobe-is-off"

static Autoprobe *make(bool exclusive) {
        char path[512];
        Autoprobe *a = NULL;

        tree_directory("run");
        ck_assert_int_eq(autoprobe_new(unit_directory(), tree_path(path, "run"), exclusive, &a), 0);
        return a;
}

static void check(const char *setting, bool is_noted) {
        char path[512];

        tree_check_file(AUTOPROBE, setting);
        ck_assert_int_eq(access(tree_path(path, NOTE), F_OK) == 0, is_noted);
}

START_TEST(test_exclusive) {
        Autoprobe *a = make(true);

        tree_file(AUTOPROBE, "1");
        check("1", false);
        autoprobe_apply(a);
        check("0", true);
        autoprobe_apply(a);
        check("0", true);
        /* By others, or with the module. */
        tree_file(AUTOPROBE, "1");
        autoprobe_apply(a);
        check("0", true);
        autoprobe_free(a);
        check("1", false);
}
END_TEST

/* What the administrator has turned off stays so. */
START_TEST(test_off_before) {
        Autoprobe *a = make(true);

        tree_file(AUTOPROBE, "0");
        autoprobe_apply(a);
        check("0", false);
        autoprobe_free(a);
        check("0", false);
}
END_TEST

START_TEST(test_not_exclusive) {
        Autoprobe *a = make(false);

        tree_file(AUTOPROBE, "1");
        autoprobe_apply(a);
        autoprobe_free(a);
        check("1", false);
        a = make(false);
        tree_file(AUTOPROBE, "0");
        autoprobe_apply(a);
        autoprobe_free(a);
        check("0", false);
}
END_TEST

/* A daemon has died: before it could turn it off, with it off, or before it could forget that it was. */
START_TEST(test_after_a_death) {
        static const char *const settings[] = { "0", "1" };
        Autoprobe *a;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                for (int exclusive = 0; exclusive < 2; exclusive++) {
                        tree_file(AUTOPROBE, settings[i]);
                        tree_file(NOTE, "");
                        a = make(exclusive);
                        autoprobe_apply(a);
                        check(exclusive ? "0" : "1", exclusive);
                        autoprobe_free(a);
                        check("1", false);
                }
}
END_TEST

START_TEST(test_no_bus) {
        Autoprobe *a = make(true);
        char path[512];

        autoprobe_apply(a);
        autoprobe_free(a);
        ck_assert_int_ne(access(tree_path(path, NOTE), F_OK), 0);
}
END_TEST

/* Without a place for the note nothing is turned off. */
START_TEST(test_no_note) {
        Autoprobe *a = NULL;

        tree_file(AUTOPROBE, "1");
        ck_assert_int_eq(autoprobe_new(unit_directory(), "/nonexistent", true, &a), 0);
        autoprobe_apply(a);
        autoprobe_apply(a);
        tree_check_file(AUTOPROBE, "1");
        autoprobe_free(a);
        ck_assert_int_eq(autoprobe_new(unit_directory(), NULL, true, &a), 0);
        autoprobe_apply(a);
        tree_check_file(AUTOPROBE, "1");
        autoprobe_free(a);
}
END_TEST

static void add(TCase *tcase) {
        tcase_add_test(tcase, test_exclusive);
        tcase_add_test(tcase, test_off_before);
        tcase_add_test(tcase, test_not_exclusive);
        tcase_add_test(tcase, test_after_a_death);
        tcase_add_test(tcase, test_no_bus);
        tcase_add_test(tcase, test_no_note);
}

int main(void) {
        return unit_main("kernel-autoprobe", add);
}

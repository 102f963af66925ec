/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The command line: options, the specs they stand for, suggestions, and the tables themselves. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/device-spec.h"
#include "ctl/number.h"
#include "ctl/suggest.h"

#define WORDS_MAX 16

typedef struct Parsed {
        char *argv[WORDS_MAX];
        Given given[WORDS_MAX];
        Arguments arguments;
        int first;
} Parsed;

static const Verb *find_verb(const Noun *noun, const char *name) {
        for (const Verb *verb = noun->verbs; verb->name; verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        ck_abort_msg("no such verb");
        return NULL;
}

/* words: NULL at the end. */
static void parse(Parsed *p, const char *const *words, const Option *options, bool stop_early) {
        int argc = 1;

        *p = (Parsed){ .argv = { (char *) "test" } };
        p->arguments.options = p->given;
        for (; *words; words++) {
                ck_assert_int_lt(argc, WORDS_MAX - 1);
                p->argv[argc++] = (char *) *words;
        }
        p->first = arguments_parse(&p->arguments, argc, p->argv, options, NULL, stop_early);
}

static const Option options[] = {
        { "label", "KEY=VALUE", "", 'l' },
        { "verbose", NULL, "", 'v' },
        {},
};

START_TEST(test_parse) {
        static const char *const words[] = { "a", "--label", "x=1", "b", "-v", "-ly=2", "--", "--label", NULL };
        Parsed p;

        parse(&p, words, options, false);
        ck_assert_int_eq(p.first, 6);
        ck_assert_str_eq(p.argv[6], "a");
        ck_assert_str_eq(p.argv[7], "b");
        ck_assert_str_eq(p.argv[8], "--label");
        ck_assert(arguments_has(&p.arguments, "verbose"));
        ck_assert_ptr_null(arguments_get(&p.arguments, "verbose"));
        ck_assert_uint_eq(arguments_count(&p.arguments, "label"), 2);
        ck_assert_str_eq(arguments_get(&p.arguments, "label"), "y=2");
        ck_assert_str_eq(arguments_nth(&p.arguments, "label", 0), "x=1");
        ck_assert_ptr_null(arguments_nth(&p.arguments, "label", 2));
        ck_assert(!arguments_has(&p.arguments, "other"));
}
END_TEST

START_TEST(test_parse_stops_early) {
        static const char *const words[] = { "-v", "noun", "--unknown", NULL };
        Parsed p;

        parse(&p, words, options, true);
        ck_assert_int_eq(p.first, 2);
        ck_assert_uint_eq(p.arguments.n_options, 1);
}
END_TEST

START_TEST(test_parse_wrong) {
        static const char *const unknown[] = { "--unknown", NULL }, *const missing[] = { "--label", NULL };
        Parsed p;

        /* getopt complains on standard error, which is not what is tested. */
        ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
        parse(&p, unknown, options, false);
        ck_assert_int_eq(p.first, -EINVAL);
        parse(&p, missing, options, false);
        ck_assert_int_eq(p.first, -EINVAL);
}
END_TEST

static const struct {
        const char *verb;
        const char *words[WORDS_MAX - 1];
        const char *spec;  /* or */
        const char *fault; /* part of it */
} specs[] = {
        { "create", { "--class", "net" }, "{\"class\":\"net\"}" },
        { "create",
          { "vm1", "--class=net", "--mgmtdev=pci/0000:01:00.0", "--driver", "virtio_vdpa", "--mac",
            "02:00:00:00:00:01", "--mtu", "1500", "--max-vqp", "4" },
          "{\"class\":\"net\",\"mgmtdev\":\"pci/0000:01:00.0\",\"driver\":\"virtio_vdpa\","
          "\"net\":{\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500,\"max_vqp\":4}}" },
        { "create",
          { "--class=block", "--features", "MQ,RO", "--features=VERSION_1", "--owner=vm:1", "--label", "a=b=c",
            "--label", "d=", "--no-persistent" },
          "{\"class\":\"block\",\"owner\":\"vm:1\",\"features\":[\"MQ\",\"RO\",\"VERSION_1\"],"
          "\"labels\":{\"a\":\"b=c\",\"d\":\"\"},\"persistent\":false}" },
        { "create",
          { "--class=net", "--endpoint=107:0:660" },
          "{\"class\":\"net\",\"endpoint\":{\"uid\":107,\"gid\":0,\"mode\":\"0660\"}}" },
        { "create", { "--class=net", "--endpoint=root::" }, "{\"class\":\"net\",\"endpoint\":{\"uid\":0}}" },
        { "create", { "--class=net", "--endpoint=:root:" }, "{\"class\":\"net\",\"endpoint\":{\"gid\":0}}" },
        { "create", { "--class=net", "--mtu", "1", "--mtu", "2" }, "{\"class\":\"net\",\"net\":{\"mtu\":2}}" },
        { "create",
          { "--class=block", "--vqs=4", "--vq-groups=2", "--msi-policy=shared", "--placement=pack", "--numa-node=0",
            "--mgmtdev-label=rack=1", "--label=x=2" },
          "{\"class\":\"block\",\"vqs\":4,\"vq_groups\":2,\"msi_policy\":\"shared\",\"labels\":{\"x\":\"2\"},"
          "\"placement\":{\"policy\":\"pack\",\"numa_node\":0,\"labels\":{\"rack\":\"1\"}}}" },
        { "create", { "--mgmtdev-label=x" }, NULL, "--mgmtdev-label: 'x'" },
        { "create", { "--numa-node=x" }, NULL, "--numa-node" },
        { "create", { "--mtu", "1x" }, NULL, "--mtu: '1x'" },
        { "create", { "--mtu", "-1" }, NULL, "--mtu" },
        { "create", { "--mtu", "" }, NULL, "--mtu" },
        { "create", { "--mtu", "99999999999999999999" }, NULL, "--mtu" },
        { "create", { "--label", "a" }, NULL, "--label: 'a'" },
        { "create", { "--label", "=a" }, NULL, "--label" },
        { "create", { "--features", "A,,B" }, NULL, "--features" },
        { "create", { "--features", "" }, NULL, "--features" },
        { "create", { "--owner", "\xff" }, NULL, "--owner" },
        { "create", { "--endpoint", "1:2" }, NULL, "--endpoint" },
        { "create", { "--endpoint", "1:2:3:4" }, NULL, "--endpoint" },
        { "create", { "--endpoint", "1:2:8" }, NULL, "octal" },
        { "create", { "--endpoint", "1:2:17777" }, NULL, "octal" },
        { "create", { "--endpoint", "4294967296::" }, NULL, "user" },
        { "create", { "--endpoint", ":no such group:" }, NULL, "group" },
        { "set", { "vm1" }, "{}" },
        { "set", { "vm1", "--mac", "02:00:00:00:00:02" }, "{\"net\":{\"mac\":\"02:00:00:00:00:02\"}}" },
        { "set", { "vm1", "--no-owner" }, "{\"owner\":null}" },
        { "set", { "vm1", "--no-label", "x", "--label", "y=1" }, "{\"labels\":{\"x\":null,\"y\":\"1\"}}" },
};

START_TEST(test_spec) {
        _cleanup_free_ char *text = NULL;
        SpecFault fault = {};
        json_t *spec = NULL;
        Parsed p;
        int r;

        parse(&p, specs[_i].words, find_verb(&noun_device, specs[_i].verb)->options, false);
        ck_assert_int_gt(p.first, 0);
        r = spec_from_arguments(&p.arguments, &spec, &fault);
        ck_assert_int_eq(r, specs[_i].spec ? 0 : -EINVAL);
        if (r < 0) {
                ck_assert_ptr_null(spec);
                ck_assert_ptr_nonnull(strstr(fault.text, specs[_i].fault));
                return;
        }
        text = json_dumps(spec, JSON_COMPACT);
        ck_assert_str_eq(text, specs[_i].spec);
        json_decref(spec);
}
END_TEST

START_TEST(test_number) {
        uint64_t number = 7;

        ck_assert(!number_parse("", 10, 100, &number));
        ck_assert(!number_parse(" 1", 10, 100, &number));
        ck_assert(!number_parse("+1", 10, 100, &number));
        ck_assert(!number_parse("101", 10, 100, &number));
        ck_assert(!number_parse("18446744073709551616", 10, UINT64_MAX, &number));
        ck_assert(!number_parse("8", 8, 100, &number));
        ck_assert(!number_parse("5", 10, 4, &number));
        ck_assert_uint_eq(number, 7);
        ck_assert(number_parse("18446744073709551615", 10, UINT64_MAX, &number));
        ck_assert(number == UINT64_MAX);
        ck_assert(number_parse("0100", 10, 100, &number));
        ck_assert_uint_eq(number, 100);
        ck_assert(number_parse("777", 8, 0777, &number));
        ck_assert_uint_eq(number, 0777);
}
END_TEST

START_TEST(test_distance) {
        ck_assert_uint_eq(edit_distance("", ""), 0);
        ck_assert_uint_eq(edit_distance("", "abc"), 3);
        ck_assert_uint_eq(edit_distance("list", "list"), 0);
        ck_assert_uint_eq(edit_distance("lsit", "list"), 1);
        ck_assert_uint_eq(edit_distance("delte", "delete"), 1);
        ck_assert_uint_eq(edit_distance("host", "device"), 6);
        ck_assert(edit_distance("0123456789012345678901234567890123456789", "list") == SIZE_MAX);
}
END_TEST

static const struct {
        const char *word;
        const char *best;
} suggestions[] = {
        { "shw", "show" },     { "lst", "list" },
        { "creat", "create" }, { "del", "delete" },
        { "st", "stats" },     { "states", "stats" },
        { "remove", NULL },    { "", NULL },
        { "x", NULL },         { "0123456789012345678901234567890123456789", NULL },
};

START_TEST(test_suggestion) {
        Suggestion s = { .word = suggestions[_i].word };

        for (const Verb *verb = noun_device.verbs; verb->name; verb++)
                suggestion_offer(&s, verb->name);
        ck_assert_pstr_eq(s.best, suggestions[_i].best);
}
END_TEST

/* What the parser and the help take for granted of the tables. */
START_TEST(test_tables) {
        static const Noun *const nouns[] = { &noun_device, &noun_host, &noun_mgmtdev };

        for (size_t i = 0; i < ELEMENTSOF(nouns); i++)
                for (const Verb *verb = nouns[i]->verbs; verb->name; verb++) {
                        ck_assert_ptr_nonnull(verb->synopsis);
                        ck_assert_ptr_nonnull(verb->help);
                        ck_assert_ptr_nonnull(verb->run);
                        ck_assert_uint_le(verb->min_operands, verb->max_operands);
                        for (const Option *o = verb->options; o && o->name; o++)
                                ck_assert_ptr_nonnull(o->help);
                }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl-command");
        TCase *tcase = tcase_create("command");
        SRunner *runner = srunner_create(suite);
        int n_failed;

        tcase_add_test(tcase, test_parse);
        tcase_add_test(tcase, test_parse_stops_early);
        tcase_add_test(tcase, test_parse_wrong);
        tcase_add_loop_test(tcase, test_spec, 0, (int) ELEMENTSOF(specs));
        tcase_add_test(tcase, test_number);
        tcase_add_test(tcase, test_distance);
        tcase_add_loop_test(tcase, test_suggestion, 0, (int) ELEMENTSOF(suggestions));
        tcase_add_test(tcase, test_tables);
        suite_add_tcase(suite, tcase);
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed > 0;
}

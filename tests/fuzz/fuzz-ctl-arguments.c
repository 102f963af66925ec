/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The words of a command line behind a verb, and the spec or the patch that they stand for. */
#include <errno.h>
#include <string.h>

#include "ctl/bulk.h"
#include "ctl/device-spec.h"
#include "fuzz.h"

#define WORDS_MAX 32

static const Noun *const nouns[] = { &noun_capacity, &noun_device, &noun_drift,
                                     &noun_event,    &noun_host,   &noun_mgmtdev };

static const Verb *choose_verb(unsigned number) {
        size_t n = 0;

        for (;;)
                for (size_t i = 0; i < ELEMENTSOF(nouns); i++)
                        for (const Verb *verb = nouns[i]->verbs; verb->name; verb++)
                                if (n++ == number % 64)
                                        return verb;
}

static void check_spec(const Arguments *arguments) {
        json_t *spec = NULL;
        SpecFault fault = {};
        int r = spec_from_arguments(arguments, &spec, &fault);

        fuzz_expect(r == 0 ? json_is_object(spec) : !spec && r == -EINVAL && fault.text[0]);
        json_decref(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const Option common[] = { { "output", "FORMAT", "", 'o', VALUES_FORMATS }, {} };
        FuzzInput in = { data, size };
        const Verb *verb = choose_verb(fuzz_take_byte(&in));
        char *argv[WORDS_MAX + 2] = { strdup("test") }, *all[WORDS_MAX + 1];
        Arguments arguments = {};
        BulkOptions options;
        int argc = 1, first;

        while (argc <= WORDS_MAX && in.size > 0)
                argv[argc++] = fuzz_take_text(&in);
        memcpy(all, argv, (size_t) argc * sizeof all[0]);
        arguments.options = calloc(arguments_count_max(argc, argv), sizeof *arguments.options);
        fuzz_expect(arguments.options);
        first = arguments_parse(&arguments, argc, argv, verb->options, common, false);
        if (first >= 0) {
                fuzz_expect(first >= 1 && first <= argc);
                check_spec(&arguments);
                (void) bulk_options_parse(&arguments, &options);
        }
        free(arguments.options);
        for (int i = 0; i < argc; i++)
                free(all[i]);
        return 0;
}

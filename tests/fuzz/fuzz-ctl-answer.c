/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a server says to hsvdpactl, which may be none of ours: each verb that shows something is given answers of
 * any bytes, in each of its formats. */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "client/request.h"
#include "ctl/command.h"
#include "ctl/yaml.h"
#include "fuzz.h"

int __wrap_client_call(HsvClient *client, const Request *request, unsigned *ret_status, HsvDocument **ret);

static FuzzInput *input;
static unsigned n_calls;

/* One text for each answer; with "!" in front it is one of failure. */
int __wrap_client_call(HsvClient *client, const Request *request, unsigned *ret_status, HsvDocument **ret) {
        _cleanup_free_ char *text = fuzz_take_text(input);
        size_t n = strlen(text);
        int r;

        error_done(&client->error);
        if (n_calls++ > 20 || n == 0)
                return error_set(&client->error, ECONNREFUSED, "There is nobody");
        if (text[0] == '!')
                return error_set_answer(&client->error, 400 + n % 100, text + 1, n - 1);
        if (!ret)
                return 0;
        r = document_new(text, n, ret);
        if (r < 0)
                return error_set(&client->error, -r, "This is no answer");
        text = NULL;
        if (ret_status)
                *ret_status = 200;
        return 0;
}

/* Verbs that neither wait nor make threads. */
static const struct {
        const Noun *noun;
        const char *words[5];
} commands[] = {
        { &noun_host, { "show" } },
        { &noun_capacity, { "show" } },
        { &noun_mgmtdev, { "list" } },
        { &noun_mgmtdev, { "show", "sim0" } },
        { &noun_mgmtdev, { "set", "sim0", "--label", "a=b" } },
        { &noun_mgmtdev, { "cordon", "sim0" } },
        { &noun_device, { "list" } },
        { &noun_device, { "show", "a" } },
        { &noun_device, { "stats", "a" } },
        { &noun_device, { "set", "a", "--owner", "vm:42" } },
        { &noun_device, { "create", "a", "--class=net", "--dry-run" } },
};

static const Verb *find_verb(const Noun *noun, const char *name) {
        for (const Verb *verb = noun->verbs; verb->name; verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}

static void run(Context *context, unsigned number) {
        const Verb *verb = find_verb(commands[number].noun, commands[number].words[0]);
        char *argv[6] = {};
        Given given[8];
        Arguments arguments = { .options = given };
        int argc = 0, first;

        fuzz_expect(verb);
        for (; commands[number].words[argc]; argc++)
                argv[argc] = (char *) commands[number].words[argc];
        first = arguments_parse(&arguments, argc, argv, verb->options, NULL, false);
        fuzz_expect(first > 0);
        arguments.operands = argv + first;
        arguments.n_operands = (size_t) (argc - first);
        fuzz_expect(verb->run(context, &arguments) < _EXIT_CODE_MAX);
}

/* The accessors, on whatever is there. */
static void check_values(const HsvValue *value, unsigned depth) {
        _cleanup_free_ char *text = hsv_value_encode(value);
        size_t n = hsv_value_count(value);
        int64_t number;

        (void) hsv_value_integer(value, &number);
        (void) hsv_value_get(value, "/items/0/~1x~0");
        for (size_t i = 0; i < n && i < 8 && depth < 8; i++) {
                (void) hsv_value_key(value, i);
                check_values(hsv_value_at(value, i), depth + 1);
        }
        fuzz_expect(hsv_value_kind(value) == HSV_KIND_ABSENT || text);
}

static void check_document(const FuzzInput *in) {
        FuzzInput copy = *in;
        char *text = fuzz_take_text(&copy);
        HsvDocument *document = NULL;

        free(yaml_from_json(text));
        if (document_new(text, strlen(text), &document) < 0) {
                free(text);
                return;
        }
        check_values(hsv_document_root(document), 0);
        hsv_document_free(document);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
        fuzz_expect(setlocale(LC_ALL, "C.UTF-8"));
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FuzzInput in = { data, size };
        unsigned number = fuzz_take_byte(&in) % ELEMENTSOF(commands), how = fuzz_take_byte(&in);
        FILE *null = fopen("/dev/null", "we");
        Context context = {
                .screen = { .file = null,
                            .width = how & 16 ? how % 100 : 0,
                            .is_terminal = how & 32,
                            .has_colours = how & 64 },
                .error = { .file = null },
                .format = (Format) (how % _FORMAT_MAX),
        };

        fuzz_expect(null && hsv_client_new("unix:/nowhere", &context.client) == 0);
        check_document(&in);
        input = &in;
        n_calls = 0;
        run(&context, number);
        hsv_client_free(context.client);
        fuzz_expect(fclose(null) == 0);
        return 0;
}

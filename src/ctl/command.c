/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

/* Options a verb and those everywhere, and the end mark. */
#define OPTIONS_MAX 48

/* getopt's two forms of the same tables. Long options are told by their place, from FIRST_LONG on. */
typedef struct GetoptTables {
        const Option *options[OPTIONS_MAX];
        struct option longs[OPTIONS_MAX];
        char shorts[2 * OPTIONS_MAX + 2];
        size_t n, n_shorts;
} GetoptTables;

#define FIRST_LONG 256

static void add_options(GetoptTables *t, const Option *options) {
        for (; options && options->name; options++) {
                assert(t->n + 1 < OPTIONS_MAX);
                t->options[t->n] = options;
                t->longs[t->n] = (struct option){
                        .name = options->name,
                        .has_arg = options->argument ? required_argument : no_argument,
                        .val = FIRST_LONG + (int) t->n,
                };
                if (options->letter) {
                        t->shorts[t->n_shorts++] = options->letter;
                        if (options->argument)
                                t->shorts[t->n_shorts++] = ':';
                }
                t->n++;
        }
}

static const Option *find_option(const GetoptTables *t, int c) {
        if (c >= FIRST_LONG)
                return t->options[c - FIRST_LONG];
        for (size_t i = 0; i < t->n; i++)
                if (t->options[i]->letter == c)
                        return t->options[i];
        return NULL;
}

int arguments_parse(Arguments *arguments, int argc, char *argv[], const Option *a, const Option *b,
                    bool stop_early) {
        GetoptTables t = {};
        int c;

        if (stop_early)
                t.shorts[t.n_shorts++] = '+';
        add_options(&t, a);
        add_options(&t, b);

        /* 0 and not 1: also forgets what an earlier call has put aside. */
        optind = 0;
        while ((c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) >= 0) {
                const Option *option = find_option(&t, c);

                if (!option)
                        return -EINVAL;
                arguments->options[arguments->n_options++] = (Given){ option, option->argument ? optarg : NULL };
        }
        return optind;
}

size_t arguments_count_max(int argc, char *argv[]) {
        size_t n = 1;

        for (int i = 0; i < argc; i++)
                n += strlen(argv[i]);
        return n;
}

int context_new_client(const Context *context, HsvClient **ret) {
        HsvClient *client;
        int r;

        r = hsv_client_new(hsv_client_get_url(context->client), &client);
        if (r < 0)
                return r;
        context_set_timeout(context, client);
        *ret = client;
        return 0;
}

void context_set_timeout(const Context *context, HsvClient *client) {
        unsigned ms = context->timeout_seconds * 1000;

        /* main() has made sure that they are not too many. */
        if (ms > 0)
                (void) hsv_client_set_timeouts(client, ms, ms);
}

size_t arguments_count(const Arguments *arguments, const char *name) {
        size_t n = 0;

        for (size_t i = 0; i < arguments->n_options; i++)
                if (strcmp(arguments->options[i].option->name, name) == 0)
                        n++;
        return n;
}

const char *arguments_nth(const Arguments *arguments, const char *name, size_t n) {
        for (size_t i = 0; i < arguments->n_options; i++)
                if (strcmp(arguments->options[i].option->name, name) == 0 && n-- == 0)
                        return arguments->options[i].value;
        return NULL;
}

const char *arguments_get(const Arguments *arguments, const char *name) {
        size_t n = arguments_count(arguments, name);

        return n > 0 ? arguments_nth(arguments, name, n - 1) : NULL;
}

bool arguments_has(const Arguments *arguments, const char *name) {
        return arguments_count(arguments, name) > 0;
}

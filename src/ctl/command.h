/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line, as tables: nouns have verbs, verbs have options. The tables drive the parsing, the
 * dispatch and the help, so that these cannot disagree. */

#include <hsvdpa/client.h>
#include <stdbool.h>
#include <stddef.h>

#include "ctl/format.h"
#include "ctl/report.h"
#include "ctl/screen.h"
#include "ctl/values.h"

typedef struct Option {
        const char *name;     /* without "--"; NULL ends a list */
        const char *argument; /* what it takes, as the help shows it; NULL: nothing */
        const char *help;
        char letter; /* 0: none */
        Values values;
} Option;

typedef struct Given {
        const Option *option;
        const char *value; /* NULL if it takes none */
} Given;

/* A command line, parsed; borrows from argv. */
typedef struct Arguments {
        Given *options; /* in order */
        size_t n_options;
        char **operands;
        size_t n_operands;
} Arguments;

typedef struct Context {
        HsvClient *client;
        Screen screen; /* standard output */
        Screen error;  /* standard error */
        Format format;
        unsigned timeout_seconds; /* 0: not said */
} Context;

typedef struct Verb {
        const char *name;      /* NULL ends a list */
        const char *synopsis;  /* what follows the verb */
        const char *help;      /* one line */
        const char *details;   /* more of it, or NULL */
        const Option *options; /* or NULL */
        size_t min_operands;
        size_t max_operands;
        Values operands; /* what they are */
        ExitCode (*run)(Context *context, const Arguments *arguments);
} Verb;

typedef struct Noun {
        const char *name;
        const char *help;
        const Verb *verbs;
        const Verb *default_verb; /* or NULL */
} Noun;

extern const Noun noun_capacity, noun_device, noun_drift, noun_event, noun_host, noun_mgmtdev, noun_pool;

/* A further client like the context's, for another thread. Returns as hsv_client_new() does. */
int context_new_client(const Context *context, HsvClient **ret);

/* Lets the client wait as long as --timeout says. */
void context_set_timeout(const Context *context, HsvClient *client);

/* Reads options of two lists (either may be NULL) into arguments, after those that are there. stop_early:
 * up to the first operand; else all, and operands may stand between them. argv[0] is skipped, and names
 * the program in complaints. Returns the index of the first operand in argv, which has been put in order,
 * or -EINVAL when getopt has complained on standard error. arguments->options has room for
 * arguments_count_max() more. */
int arguments_parse(Arguments *arguments, int argc, char *argv[], const Option *a, const Option *b,
                    bool stop_early);

/* As many options as there can be in argv: one word can have several of one letter. */
size_t arguments_count_max(int argc, char *argv[]);

/* The last value given for an option; NULL if it was not given. */
const char *arguments_get(const Arguments *arguments, const char *name);
bool arguments_has(const Arguments *arguments, const char *name);

/* How often an option was given; and the n-th value. */
size_t arguments_count(const Arguments *arguments, const char *name);
const char *arguments_nth(const Arguments *arguments, const char *name, size_t n);

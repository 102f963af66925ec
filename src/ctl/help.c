/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/help.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"

#define WIDTH       80
#define HELP_COLUMN 30

/* A name, blanks up to the column, and what it means. */
static void print_entry(FILE *file, const char *help, const char *format, ...) _printf_(3, 4);
static void print_entry(FILE *file, const char *help, const char *format, ...) {
        va_list ap;
        int n;

        va_start(ap, format);
        n = vfprintf(file, format, ap);
        va_end(ap);
        if (n + 2 > HELP_COLUMN) {
                (void) fputc('\n', file);
                n = 0;
        }
        (void) fprintf(file, "%*s", HELP_COLUMN - n, "");
        text_wrap(file, help, HELP_COLUMN, WIDTH);
        (void) fputc('\n', file);
}

static void print_options(FILE *file, const char *title, const Option *options) {
        if (!options)
                return;
        (void) fprintf(file, "\n%s:\n", title);
        for (; options->name; options++) {
                char letter[8] = "    ";

                if (options->letter)
                        (void) snprintf(letter, sizeof letter, "-%c, ", options->letter);
                print_entry(file, options->help, "  %s--%s%s%s", letter, options->name,
                            options->argument ? " " : "", options->argument ? options->argument : "");
        }
}

static void print_verbs(FILE *file, const Noun *noun) {
        for (const Verb *verb = noun->verbs; verb->name; verb++)
                print_entry(file, verb->help, "  %s %s", noun->name, verb->name);
}

static void print_exit_codes(FILE *file) {
        (void) fprintf(file, "\nExit codes:\n");
        for (int code = 0; code < _EXIT_CODE_MAX; code++)
                (void) fprintf(file, "  %d  %s\n", code, exit_code_text((ExitCode) code));
}

void help_program(FILE *file, const Noun *const *nouns, const Option *options) {
        (void) fprintf(file, "Usage: hsvdpactl [OPTION...] NOUN VERB [ARGUMENT...]\n\n"
                             "Ask hsvdpad, the daemon that owns the vDPA devices of this host.\n");
        for (; *nouns; nouns++) {
                (void) fprintf(file, "\n%s:\n", (*nouns)->help);
                print_verbs(file, *nouns);
        }
        print_options(file, "Options, anywhere on the command line", options);
        (void) fprintf(file, "\nEnvironment:\n");
        print_entry(file, "where the daemon listens, unless --url says so", "  HSVDPA_URL");
        print_entry(file, "no colours, unless it is empty", "  NO_COLOR");
        print_entry(file, "the terminal's width; lists are cut to it, and never in a pipe", "  COLUMNS");
        print_exit_codes(file);
        (void) fprintf(file, "\n'hsvdpactl NOUN VERB --help' says more.\n");
}

void help_noun(FILE *file, const Noun *noun, const Option *options) {
        (void) fprintf(file, "Usage: hsvdpactl [OPTION...] %s %s [ARGUMENT...]\n\n%s:\n", noun->name,
                       noun->default_verb ? "[VERB]" : "VERB", noun->help);
        print_verbs(file, noun);
        print_options(file, "Options, anywhere on the command line", options);
        (void) fprintf(file, "\n'hsvdpactl %s VERB --help' says more, 'hsvdpactl --help' lists the exit codes.\n",
                       noun->name);
}

void help_usage(FILE *file, const Noun *noun, const Verb *verb) {
        (void) fprintf(file, "Usage: hsvdpactl [OPTION...] %s %s %s\n", noun->name, verb->name, verb->synopsis);
}

void help_verb(FILE *file, const Noun *noun, const Verb *verb, const Option *options) {
        help_usage(file, noun, verb);
        (void) fputc('\n', file);
        text_wrap(file, verb->help, 0, WIDTH);
        (void) fputs(".\n", file);
        if (verb->details) {
                (void) fputc('\n', file);
                text_wrap(file, verb->details, 0, WIDTH);
                (void) fputc('\n', file);
        }
        print_options(file, "Options", verb->options);
        print_options(file, "Options, anywhere on the command line", options);
}

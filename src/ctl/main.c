/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hsvdpactl: finds noun and verb, and the options before, between and behind them. */

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/complete.h"
#include "ctl/help.h"
#include "ctl/number.h"
#include "ctl/suggest.h"

/* libcurl counts in milliseconds. */
#define TIMEOUT_MAX (INT_MAX / 1000)

static const Option common_options[] = {
        { "url", "URL", "where the daemon listens: unix:PATH or http://HOST:PORT (" HSV_DEFAULT_URL ")" },
        { "output", "FORMAT",
          "table, for people (the default); wide, with more columns; json, as the daemon answers; or yaml", 'o',
          VALUES_FORMATS },
        { "color", "WHEN", "auto (the default), always, never", .values = VALUES_COLORS },
        { "timeout", "SEC", "wait no longer for an answer (60); with --wait, in all (for ever)" },
        { "help", NULL, "what can be said at this place", 'h' },
        { "version", NULL, "the version of this program" },
        {},
};

static const Noun *const nouns[] = { &noun_host, &noun_capacity, &noun_mgmtdev, &noun_device,
                                     &noun_pool, &noun_drift,    &noun_event,   NULL };

/* What is left of the command line, and what it has said so far. */
typedef struct Line {
        int argc;
        char **argv;
        Arguments arguments;
        const Noun *noun;
        const Verb *verb;
} Line;

/* Takes the options at the beginning of the line, or all that are in it, after the word in argv[0]. */
static ExitCode take_options(Line *line, const Option *options, bool stop_early) {
        static char program[] = "hsvdpactl";
        int n;

        line->argv[0] = program;
        n = arguments_parse(&line->arguments, line->argc, line->argv, options, common_options, stop_early);
        if (n < 0)
                return EXIT_CODE_USAGE;
        line->argc -= n;
        line->argv += n;
        return EXIT_CODE_OK;
}

/* The i-th word that can stand here; NULL after the last one. */
static const char *choice(const Line *line, size_t i) {
        if (line->noun)
                return line->noun->verbs[i].name;
        return nouns[i] ? nouns[i]->name : NULL;
}

static void complain_of_word(const Line *line, const char *what, const Suggestion *s) {
        const char *noun = line->noun ? line->noun->name : "", *colon = line->noun ? ": " : "";

        if (line->argc > 0)
                (void) report_usage("%s%sthere is no %s '%s'", noun, colon, what, s->word);
        else
                (void) report_usage("%s%sa %s is missing", noun, colon, what);
        if (s->best) {
                (void) fprintf(stderr, "Did you mean '%s'?\n", s->best);
                return;
        }
        (void) fputs("It can be:", stderr);
        for (size_t i = 0; choice(line, i); i++)
                (void) fprintf(stderr, " %s", choice(line, i));
        (void) fputc('\n', stderr);
}

/* Returns which choice the word at the beginning of the line is, or -EINVAL after a complaint. */
static int find_word(const Line *line, const char *what) {
        Suggestion suggestion = { .word = line->argc > 0 ? line->argv[0] : "" };

        for (size_t i = 0; choice(line, i); i++) {
                if (strcmp(choice(line, i), suggestion.word) == 0)
                        return (int) i;
                suggestion_offer(&suggestion, choice(line, i));
        }
        complain_of_word(line, what, &suggestion);
        return -EINVAL;
}

static ExitCode take_noun(Line *line) {
        int i = find_word(line, "noun");

        if (i < 0)
                return EXIT_CODE_USAGE;
        line->noun = nouns[i];
        return EXIT_CODE_OK;
}

static ExitCode take_verb(Line *line) {
        int i;

        if (line->argc == 0 && line->noun->default_verb) {
                line->verb = line->noun->default_verb;
                return EXIT_CODE_OK;
        }
        i = find_word(line, "verb");
        if (i < 0)
                return EXIT_CODE_USAGE;
        line->verb = &line->noun->verbs[i];
        return EXIT_CODE_OK;
}

static ExitCode take_operands(Line *line) {
        const char *noun = line->noun->name, *verb = line->verb->name;
        size_t n = (size_t) line->argc;

        if (n < line->verb->min_operands)
                (void) report_usage("%s %s: an argument is missing", noun, verb);
        else if (n > line->verb->max_operands)
                (void) report_usage("%s %s: '%s' is one argument too many", noun, verb,
                                    line->argv[line->verb->max_operands]);
        else {
                line->arguments.operands = line->argv;
                line->arguments.n_operands = n;
                return EXIT_CODE_OK;
        }
        help_usage(stderr, line->noun, line->verb);
        return EXIT_CODE_USAGE;
}

static ExitCode open_client(const Arguments *arguments, HsvClient **ret) {
        const char *url = arguments_get(arguments, "url");
        int r;

        r = hsv_client_new(url, ret);
        if (r == 0)
                return EXIT_CODE_OK;
        if (r == -ENOMEM)
                return report_oom();
        if (!url)
                url = getenv("HSVDPA_URL");
        if (r == -ENAMETOOLONG)
                return report_usage("the path in the URL '%s' is too long for a socket", url);
        return report_usage("the URL '%s' is neither unix:/PATH nor http://HOST:PORT", url);
}

/* How things are to be shown. */
static ExitCode open_screens(const Arguments *arguments, Context *context) {
        const char *format = arguments_get(arguments, "output"), *color = arguments_get(arguments, "color");
        ColorChoice choice = color ? color_choice_parse(color) : COLOR_AUTO;

        context->format = format ? format_parse(format) : FORMAT_TABLE;
        if (context->format < 0)
                return report_usage("--output: '%s' is none of table, wide, json, yaml", format);
        if (choice < 0)
                return report_usage("--color: '%s' is none of auto, always, never", color);
        screen_open(&context->screen, stdout, choice);
        screen_open(&context->error, stderr, choice);
        return EXIT_CODE_OK;
}

static ExitCode run_verb(const Line *line) {
        const char *timeout = arguments_get(&line->arguments, "timeout");
        Context context = {};
        uint64_t seconds = 0;
        ExitCode code;

        if (timeout && (!number_parse(timeout, 10, TIMEOUT_MAX, &seconds) || seconds == 0))
                return report_usage("--timeout: '%s' is not a number of seconds from 1 on", timeout);
        context.timeout_seconds = (unsigned) seconds;

        code = open_screens(&line->arguments, &context);
        if (code == EXIT_CODE_OK)
                code = open_client(&line->arguments, &context.client);
        if (code != EXIT_CODE_OK)
                return code;
        context_set_timeout(&context, context.client);
        code = line->verb->run(&context, &line->arguments);
        hsv_client_free(context.client);
        return code;
}

/* --help and --version are obeyed at the place where they stand. Returns true if one was. */
static bool answer_help(const Line *line) {
        if (arguments_has(&line->arguments, "version"))
                (void) printf("hsvdpactl %s\n", PACKAGE_VERSION);
        else if (!arguments_has(&line->arguments, "help"))
                return false;
        else if (line->verb)
                help_verb(stdout, line->noun, line->verb, common_options);
        else if (line->noun)
                help_noun(stdout, line->noun, common_options);
        else
                help_program(stdout, nouns, common_options);
        return true;
}

/* Those of the verb that need not be there. */
static const Option *default_options(const Noun *noun) {
        return noun && noun->default_verb ? noun->default_verb->options : NULL;
}

static ExitCode run(Line *line) {
        ExitCode code;

        if (line->argc > 1 && strcmp(line->argv[1], "__complete") == 0) {
                complete(stdout, nouns, common_options, (size_t) line->argc - 2, line->argv + 2);
                return EXIT_CODE_OK;
        }
        code = take_options(line, NULL, true);
        if (code != EXIT_CODE_OK || answer_help(line))
                return code;
        code = take_noun(line);
        if (code == EXIT_CODE_OK)
                code = take_options(line, default_options(line->noun), true);
        if (code != EXIT_CODE_OK || answer_help(line))
                return code;
        code = take_verb(line);
        if (code == EXIT_CODE_OK && line->argc > 0)
                code = take_options(line, line->verb->options, false);
        if (code != EXIT_CODE_OK || answer_help(line))
                return code;
        code = take_operands(line);
        return code == EXIT_CODE_OK ? run_verb(line) : code;
}

static void point_to_help(const Line *line) {
        (void) fprintf(stderr, "Try 'hsvdpactl%s%s%s%s --help'.\n", line->noun ? " " : "",
                       line->noun ? line->noun->name : "", line->verb ? " " : "",
                       line->verb ? line->verb->name : "");
}

int main(int argc, char *argv[]) {
        Line line = { .argc = argc, .argv = argv };
        ExitCode code;

        /* execve(2) may have given us nothing, not even a name. */
        if (argc < 1)
                return EXIT_CODE_USAGE;
        (void) setlocale(LC_ALL, "");
        line.arguments.options = calloc(arguments_count_max(argc, argv), sizeof *line.arguments.options);
        code = line.arguments.options ? run(&line) : report_oom();
        free(line.arguments.options);
        if (code == EXIT_CODE_USAGE)
                point_to_help(&line);

        /* What was asked for may be done, but who asked has not seen it. */
        if (fflush(stdout) != 0 || ferror(stdout)) {
                (void) fprintf(stderr, "hsvdpactl: Cannot write the output: %m\n");
                return EXIT_CODE_LOCAL;
        }
        return (int) code;
}

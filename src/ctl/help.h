/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* --help at every level, out of the tables of commands. */

#include "ctl/command.h"

/* The first line of help_verb(). */
void help_usage(FILE *file, const Noun *noun, const Verb *verb);

/* nouns: NULL at the end. */
void help_program(FILE *file, const Noun *const *nouns, const Option *options);
void help_noun(FILE *file, const Noun *noun, const Option *options);
void help_verb(FILE *file, const Noun *noun, const Verb *verb, const Option *options);

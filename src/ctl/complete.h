/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* hsvdpactl __complete WORD...: what the last word can become, a candidate a line, with a tab and what it means
 * behind it. Shells call it, so that they need to know nothing themselves. A line that begins with a colon is for
 * the shell:
 * ":files" asks for names of files, ":nospace" says that the candidates are not whole words. */

#include <stdio.h>

#include "ctl/command.h"

/* words: those behind the program's name, up to the one with the cursor. nouns: NULL at the end. */
void complete(FILE *file, const Noun *const *nouns, const Option *common, size_t n_words, char *const *words);

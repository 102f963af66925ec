/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/complete.h"

#include <string.h>

#include "ctl/values.h"

/* What the words so far have come to. */
typedef struct Place {
        const Noun *const *nouns;
        const Option *common;
        const Noun *noun;
        const Verb *verb;
        size_t n_operands;
        const Option *pending; /* takes the next word as its value */
        const char *url;
        bool is_lost;    /* a word is none that there is */
        bool is_operand; /* behind "--" */
} Place;

static const Option *find_in(const Option *options, const char *name, size_t n) {
        for (; options && options->name; options++)
                if (strlen(options->name) == n && strncmp(options->name, name, n) == 0)
                        return options;
        return NULL;
}

/* Options that only the verb has, or the one that need not be named. */
static const Option *own_options(const Place *place) {
        if (place->verb)
                return place->verb->options;
        return place->noun && place->noun->default_verb ? place->noun->default_verb->options : NULL;
}

static const Option *find_long(const Place *place, const char *name, size_t n) {
        const Option *option = find_in(own_options(place), name, n);

        return option ?: find_in(place->common, name, n);
}

static const Option *find_short(const Place *place, char letter) {
        const Option *const lists[] = { own_options(place), place->common };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (const Option *option = lists[i]; option && option->name; option++)
                        if (option->letter == letter)
                                return option;
        return NULL;
}

static void take_value(Place *place, const Option *option, const char *value) {
        if (strcmp(option->name, "url") == 0)
                place->url = value;
}

static void take_option(Place *place, const char *word) {
        const char *equals = strchr(word, '=');
        const Option *option;
        bool has_value;

        if (word[1] == '-') {
                option = find_long(place, word + 2, equals ? (size_t) (equals - word) - 2 : strlen(word) - 2);
                has_value = equals;
        } else {
                option = find_short(place, word[1]);
                has_value = word[2];
        }
        if (!option || !option->argument)
                return;
        if (has_value)
                take_value(place, option, equals ? equals + 1 : word + 2);
        else
                place->pending = option;
}

static void take_operand(Place *place, const char *word) {
        if (place->verb) {
                place->n_operands++;
                return;
        }
        if (!place->noun) {
                for (const Noun *const *noun = place->nouns; *noun; noun++)
                        if (strcmp((*noun)->name, word) == 0)
                                place->noun = *noun;
                place->is_lost = !place->noun;
                return;
        }
        for (const Verb *verb = place->noun->verbs; verb->name; verb++)
                if (strcmp(verb->name, word) == 0)
                        place->verb = verb;
        place->is_lost = !place->verb;
}

static void take_word(Place *place, const char *word) {
        if (place->pending) {
                take_value(place, place->pending, word);
                place->pending = NULL;
        } else if (!place->is_operand && strcmp(word, "--") == 0)
                place->is_operand = true;
        else if (!place->is_operand && word[0] == '-' && word[1])
                take_option(place, word);
        else
                take_operand(place, word);
}

static void offer_options(Candidates *c, const Option *options) {
        for (; options && options->name; options++)
                candidates_offer(c, options->name, options->help);
}

/* The last word begins with a dash. */
static void complete_option(const Place *place, Candidates *c, const char *word) {
        const char *equals = strchr(word, '=');
        const Option *option;

        if (word[1] == '-' && equals) {
                option = find_long(place, word + 2, (size_t) (equals - word) - 2);
                c->n_prefix = (size_t) (equals - word) + 1;
                c->word = equals + 1;
                if (option && option->argument)
                        values_offer(c, option->values, place->url);
                return;
        }
        if (word[1] && word[1] != '-')
                return;
        c->prefix = "--";
        c->n_prefix = 2;
        c->word = word[1] ? word + 2 : "";
        offer_options(c, own_options(place));
        offer_options(c, place->common);
}

static void complete_operand(const Place *place, Candidates *c) {
        if (!place->noun)
                for (const Noun *const *noun = place->nouns; *noun; noun++)
                        candidates_offer(c, (*noun)->name, (*noun)->help);
        else if (!place->verb)
                for (const Verb *verb = place->noun->verbs; verb->name; verb++)
                        candidates_offer(c, verb->name, verb->help);
        else if (place->n_operands < place->verb->max_operands)
                values_offer(c, place->verb->operands, place->url);
}

void complete(FILE *file, const Noun *const *nouns, const Option *common, size_t n_words, char *const *words) {
        Place place = { .nouns = nouns, .common = common };
        const char *word = n_words > 0 ? words[n_words - 1] : "";
        Candidates c = { .file = file, .prefix = word, .word = word };

        for (size_t i = 0; i + 1 < n_words && !place.is_lost; i++)
                take_word(&place, words[i]);
        if (place.is_lost)
                return;
        if (place.pending)
                values_offer(&c, place.pending->values, place.url);
        else if (word[0] == '-' && !place.is_operand)
                complete_option(&place, &c, word);
        else
                complete_operand(&place, &c);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The configuration as text: all of it for people, single values to compare two configurations by. */
#include <errno.h>
#include <string.h>

#include "daemon/config-table.h"
#include "util/log.h"

static size_t count_values(const ConfigKey *key, const void *object) {
        return key->type->count ? key->type->count(key, object) : 1;
}

static void print_section(const Config *config, const ConfigSection *s, const char *name, const void *object,
                          FILE *out) {
        fprintf(out, "[%s]\n", name);
        for (size_t i = 0; i < config_n_keys; i++) {
                const ConfigKey *key = &config_keys[i];

                if (strcmp(key->section, s->name) != 0)
                        continue;
                for (size_t k = 0; k < count_values(key, object); k++) {
                        const char *origin = config_origin(config, name, key, k);

                        fprintf(out, "# %s\n%s = ", origin ? origin : "default", key->name);
                        key->type->print(key, object, k, out);
                        fputc('\n', out);
                }
        }
}

void config_print(const Config *config, FILE *out) {
        char name[CONFIG_SECTION_MAX];
        const char *separator = "";

        for (size_t i = 0; i < config_n_sections; i++) {
                const ConfigSection *s = &config_sections[i];
                const void *object;

                for (size_t k = 0; (object = config_object(config, s, k, name)); k++) {
                        fputs(separator, out);
                        print_section(config, s, name, object, out);
                        separator = "\n";
                }
        }
}

char *config_format(const ConfigKey *key, const void *object) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        for (size_t i = 0; i < count_values(key, object); i++) {
                fputs(i > 0 ? ", " : "", out);
                key->type->print(key, object, i, out);
        }
        if (fclose(out) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

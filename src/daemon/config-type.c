/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kinds of values that several keys have. */
#include <errno.h>
#include <string.h>

#include "daemon/config-table.h"

int config_parse_uint(const char *value, uint32_t min, uint32_t max, uint32_t *ret) {
        unsigned long long n;
        char *end;

        if (value[0] < '0' || value[0] > '9')
                return -EINVAL;
        errno = 0;
        n = strtoull(value, &end, 10);
        if (*end)
                return -EINVAL;
        if (errno || n < min || n > max)
                return -ERANGE;
        *ret = (uint32_t) n;
        return 0;
}

static int set_uint(const ConfigKey *key, void *object, const char *value) {
        return config_parse_uint(value, key->min, key->max, config_member(key, object));
}

static void print_uint(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        fprintf(out, "%u", *(const uint32_t *) config_const_member(key, object));
}

const ConfigType config_uint = { .set = set_uint, .print = print_uint };

static int set_path(const ConfigKey *key, void *object, const char *value) {
        char **target = config_member(key, object), *copy;

        if (value[0] != '/')
                return -EINVAL;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*target);
        *target = copy;
        return 0;
}

static void print_path(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        fputs(*(char *const *) config_const_member(key, object), out);
}

const ConfigType config_path = { .set = set_path, .print = print_path };

static int set_name(const ConfigKey *key, void *object, const char *value) {
        for (unsigned n = 0; n < key->max; n++) {
                const char *name = key->value_name(n);

                if (name && strcmp(name, value) == 0) {
                        *(unsigned *) config_member(key, object) = n;
                        return 0;
                }
        }

        return -EINVAL;
}

static void print_name(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        fputs(key->value_name(*(const unsigned *) config_const_member(key, object)), out);
}

const ConfigType config_name = { .set = set_name, .print = print_name };

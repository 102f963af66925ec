/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of keys, and what it is made of.
 *
 * To add a key: a member of Config (or of what a section with an argument describes), one line in config-table.c,
 * and one in docs/configuration.md. To add a section with an argument: one line in the table of sections. */

#include "daemon/config.h"

/* The name of a section with its argument. A line of the file is not longer than this. */
#define CONFIG_SECTION_MAX 200

typedef struct ConfigKey ConfigKey;

/* A kind of value. object is what the key's offset counts from: Config, or the section's own. */
typedef struct ConfigType {
        /* Returns 0; or, with the object as it was: -EINVAL the key cannot have such a value, -ERANGE it is not
         * between min and max, -E2BIG there are too many already, -ENOMEM. */
        int (*set)(const ConfigKey *key, void *object, const char *value);

        /* Prints the ith value as set() would read it. */
        void (*print)(const ConfigKey *key, const void *object, size_t i, FILE *out);

        /* How many values there are now. NULL: always one. */
        size_t (*count)(const ConfigKey *key, const void *object);

        /* Of a key that can have several values: forgets them. NULL: it can have but one. */
        void (*clear)(const ConfigKey *key, void *object);
} ConfigType;

typedef struct ConfigSection {
        const char *name;

        /* Only of a section with an argument. */
        int (*find_or_add)(Config *config, const char *argument, void **ret);    /* -EINVAL, -E2BIG, -ENOMEM */
        void *(*get)(const Config *config, size_t i, const char **ret_argument); /* NULL: there is no ith */
} ConfigSection;

struct ConfigKey {
        const char *section, *name;
        const ConfigType *type;
        size_t offset;
        uint32_t min, max;
        const char *(*value_name)(unsigned value); /* of a CONFIG_NAME, for all below max; NULL: no such value */
        const char *initial;                       /* NULL: as the object is made */
        bool can_reload;
};

extern const ConfigSection config_sections[];
extern const size_t config_n_sections;

extern const ConfigKey config_keys[];
extern const size_t config_n_keys;

/* A decimal uint32_t from min to max. */
extern const ConfigType config_uint;
/* An absolute path: a char * that the object owns. */
extern const ConfigType config_path;
/* A word of a list: an enum or an int, from 0 to max - 1. */
extern const ConfigType config_name;

/* A decimal number. Returns 0, -EINVAL if it is none, or -ERANGE. */
int config_parse_uint(const char *value, uint32_t min, uint32_t max, uint32_t *ret);

static inline void *config_member(const ConfigKey *key, void *object) {
        return (char *) object + key->offset;
}

static inline const void *config_const_member(const ConfigKey *key, const void *object) {
        return (const char *) object + key->offset;
}

/* The ith object of a section; section->name alone, or with the object's argument, is written to ret_name. NULL:
 * there are no more. */
void *config_object(const Config *config, const ConfigSection *section, size_t i,
                    char ret_name[static CONFIG_SECTION_MAX]);

/* Where the ith value of a key was set; NULL: nowhere, it is the default. */
const char *config_origin(const Config *config, const char *section, const ConfigKey *key, size_t i);

/* Whether the source that is being read has set the key before, though it can have but one value. */
bool config_is_set_twice(const Config *config, const char *section, const char *name, const char **ret_origin);

/* The values of a key, as text that set() reads if it has but one. The caller frees it. NULL when out of memory. */
char *config_format(const ConfigKey *key, const void *object);

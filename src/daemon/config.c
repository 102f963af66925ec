/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "daemon/config-mgmtdev.h"
#include "daemon/config-table.h"
#include "util/log.h"

/* Of one value. Of several values of a key these stand in the same order. */
struct ConfigOrigin {
        const ConfigKey *key;
        unsigned source;
        char *section, *text;
};

int config_init(Config *config) {
        int r = 0;

        *config = (Config){};
        for (size_t i = 0; i < config_n_keys && r == 0; i++)
                if (config_keys[i].initial)
                        r = config_keys[i].type->set(&config_keys[i], config, config_keys[i].initial);

        return r;
}

static void origin_done(ConfigOrigin *origin) {
        free(origin->section);
        free(origin->text);
}

void config_done(Config *config) {
        free(config->state_dir);
        free(config->runtime_dir);
        for (size_t i = 0; i < config->n_listen; i++)
                free(config->listen[i]);
        config_mgmtdev_done(config);
        free(config->sims);
        for (size_t i = 0; i < config->n_origins; i++)
                origin_done(&config->origins[i]);
        free(config->origins);
        *config = (Config){};
}

void config_begin_source(Config *config) {
        config->source++;
}

static ConfigOrigin *find_origin(const Config *config, const char *section, const ConfigKey *key, size_t i) {
        for (size_t k = 0; k < config->n_origins; k++) {
                ConfigOrigin *o = &config->origins[k];

                if (o->key == key && strcmp(o->section, section) == 0 && i-- == 0)
                        return o;
        }

        return NULL;
}

const char *config_origin(const Config *config, const char *section, const ConfigKey *key, size_t i) {
        const ConfigOrigin *o = find_origin(config, section, key, i);

        return o ? o->text : NULL;
}

bool config_is_set_twice(const Config *config, const char *section, const char *name, const char **ret_origin) {
        for (size_t i = 0; i < config->n_origins; i++) {
                const ConfigOrigin *o = &config->origins[i];

                if (o->source == config->source && !o->key->type->clear && strcmp(o->key->name, name) == 0 &&
                    strcmp(o->section, section) == 0) {
                        *ret_origin = o->text;
                        return true;
                }
        }

        return false;
}

static void forget_origins(Config *config, const char *section, const ConfigKey *key) {
        size_t n = 0;

        for (size_t i = 0; i < config->n_origins; i++) {
                ConfigOrigin *o = &config->origins[i];

                if (o->key == key && strcmp(o->section, section) == 0)
                        origin_done(o);
                else
                        config->origins[n++] = *o;
        }
        config->n_origins = n;
}

static int add_origin(Config *config, const char *section, const ConfigKey *key, const char *text) {
        ConfigOrigin *origins, new = { .key = key, .source = config->source };

        origins = reallocarray(config->origins, config->n_origins + 1, sizeof *origins);
        if (!origins)
                return -ENOMEM;
        config->origins = origins;

        new.section = strdup(section);
        new.text = strdup(text);
        if (!new.section || !new.text) {
                origin_done(&new);
                return -ENOMEM;
        }

        origins[config->n_origins++] = new;
        return 0;
}

/* The argument of a section by this name, "" of one that has none; NULL: it is another one. */
static const char *match_section(const ConfigSection *s, const char *section) {
        size_t n = strlen(s->name);

        if (strncmp(s->name, section, n) != 0)
                return NULL;
        if (!s->find_or_add)
                return section[n] ? NULL : "";
        return section[n] == ' ' && section[n + 1] ? section + n + 1 : NULL;
}

static int find_section(Config *config, const char *section, const char *origin, void **ret_object,
                        const ConfigSection **ret) {
        for (size_t i = 0; i < config_n_sections; i++) {
                const ConfigSection *s = &config_sections[i];
                const char *argument = match_section(s, section);
                int r = 0;

                if (!argument)
                        continue;
                *ret_object = config;
                *ret = s;
                if (s->find_or_add)
                        r = s->find_or_add(config, argument, ret_object);
                if (r == -E2BIG)
                        (void) log_error_errno(r, "%s: there are too many sections like [%s]", origin, section);
                else if (r < 0)
                        (void) log_error_errno(r, "%s: '%s' cannot be a management device: %m", origin, argument);
                return r;
        }

        if (!section[0])
                (void) log_error_errno(EINVAL, "%s: this stands before any [section]", origin);
        else
                (void) log_error_errno(EINVAL, "%s: there is no section [%s]", origin, section);
        return -EINVAL;
}

int config_begin_section(Config *config, const char *section, const char *origin) {
        const ConfigSection *s;
        void *object;

        return find_section(config, section, origin, &object, &s);
}

static const ConfigKey *find_key(const ConfigSection *section, const char *name) {
        for (size_t i = 0; i < config_n_keys; i++)
                if (strcmp(config_keys[i].section, section->name) == 0 && strcmp(config_keys[i].name, name) == 0)
                        return &config_keys[i];

        return NULL;
}

static int set_value(Config *config, const char *section, const ConfigKey *key, void *object, const char *value,
                     const char *origin) {
        const ConfigOrigin *last = find_origin(config, section, key, 0);
        int r;

        if (key->type->clear && last && last->source != config->source) {
                forget_origins(config, section, key);
                key->type->clear(key, object);
        }

        r = key->type->set(key, object, value);
        if (r < 0)
                return r;
        if (!key->type->clear)
                forget_origins(config, section, key);
        return add_origin(config, section, key, origin);
}

int config_set(Config *config, const char *section, const char *name, const char *value, const char *origin) {
        const ConfigSection *s;
        const ConfigKey *key;
        void *object;
        int r;

        r = find_section(config, section, origin, &object, &s);
        if (r < 0)
                return r;
        key = find_key(s, name);
        if (!key)
                return log_error_errno(EINVAL, "%s: there is no key '%s' in section [%s]", origin, name, section);

        r = set_value(config, section, key, object, value, origin);
        if (r == -ENOMEM)
                return log_oom();
        if (r == -ERANGE)
                return log_error_errno(r, "%s: %s must be from %u to %u, and not '%s'", origin, name, key->min,
                                       key->max, value);
        if (r == -E2BIG)
                return log_error_errno(r, "%s: there are too many values of %s", origin, name);
        if (r < 0)
                return log_error_errno(r, "%s: '%s' is not a value that %s can have", origin, value, name);
        return 0;
}

int config_finish(Config *config) {
        SimConfig sim = { .mgmtdevs = config->sims, .n_mgmtdevs = config->n_sims };
        char socket[PATH_MAX];
        Failure f = FAILURE_INIT;

        if (config->n_sims > 0 && sim_config_check(&sim, &f) < 0)
                return log_error_errno(EINVAL, "The configuration of the simulated management devices: %s",
                                       f.detail);
        if (config->n_listen > 0)
                return 0;

        (void) snprintf(socket, sizeof socket, "unix:%s/api.sock", config->runtime_dir);
        return config_set(config, "daemon", "listen", socket, "default, from runtime_dir");
}

void *config_object(const Config *config, const ConfigSection *section, size_t i,
                    char ret_name[static CONFIG_SECTION_MAX]) {
        void *object = i == 0 ? (void *) config : NULL;
        const char *argument = NULL;

        if (section->get)
                object = section->get(config, i, &argument);
        (void) snprintf(ret_name, CONFIG_SECTION_MAX, "%s%s%s", section->name, argument ? " " : "",
                        argument ? argument : "");
        return object;
}

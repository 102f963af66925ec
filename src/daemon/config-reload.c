/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a new reading of the configuration changes while the daemon runs. */
#include <errno.h>
#include <string.h>

#include "daemon/config-table.h"
#include "util/log.h"

/* Takes one key over if it differs and can be. Returns 1 if it was, 0 if not, or -ENOMEM. */
static int reload_key(const ConfigKey *key, const char *section, void *object, const void *fresh) {
        _cleanup_free_ char *old = config_format(key, object), *new = config_format(key, fresh);

        if (!old || !new)
                return -ENOMEM;
        if (strcmp(old, new) == 0)
                return 0;
        if (!key->can_reload || key->type->set(key, object, new) < 0) {
                log_warning("[%s] %s has changed to '%s': that takes a restart, until then it is '%s'", section,
                            key->name, new, old);
                return 0;
        }

        log_notice("[%s] %s is '%s' now, and was '%s'", section, key->name, new, old);
        return 1;
}

static int reload_object(const ConfigSection *s, const char *name, void *object, const void *fresh) {
        int n = 0;

        for (size_t i = 0; i < config_n_keys; i++) {
                int r;

                if (strcmp(config_keys[i].section, s->name) != 0)
                        continue;
                r = reload_key(&config_keys[i], name, object, fresh);
                if (r < 0)
                        return r;
                n += r;
        }

        return n;
}

/* The object of a section by its full name. */
static void *find_object(const Config *config, const ConfigSection *s, const char *name) {
        char other[CONFIG_SECTION_MAX];
        void *object;

        for (size_t i = 0; (object = config_object(config, s, i, other)); i++)
                if (strcmp(name, other) == 0)
                        return object;

        return NULL;
}

static int reload_section(Config *config, const Config *fresh, const ConfigSection *s) {
        char name[CONFIG_SECTION_MAX];
        void *object, *other;
        int n = 0, r;

        for (size_t i = 0; (object = config_object(config, s, i, name)); i++) {
                other = find_object(fresh, s, name);
                if (!other) {
                        log_warning("[%s] has gone: that takes a restart", name);
                        continue;
                }
                r = reload_object(s, name, object, other);
                if (r < 0)
                        return r;
                n += r;
        }
        for (size_t i = 0; config_object(fresh, s, i, name); i++)
                if (!find_object(config, s, name))
                        log_warning("[%s] is new: that takes a restart", name);

        return n;
}

int config_reload(Config *config, const Config *fresh) {
        int n = 0;

        for (size_t i = 0; i < config_n_sections; i++) {
                int r = reload_section(config, fresh, &config_sections[i]);

                if (r < 0)
                        return r;
                n += r;
        }

        return n;
}

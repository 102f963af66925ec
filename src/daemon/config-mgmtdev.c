/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config-mgmtdev.h"

#include <errno.h>
#include <string.h>

#include "util/json.h"

static int set_cordoned(const ConfigKey *key, void *object, const char *value) {
        MgmtdevSettings *settings = &((ConfiguredMgmtdev *) object)->settings;
        bool yes = strcmp(value, "yes") == 0;

        if (!yes && strcmp(value, "no") != 0)
                return -EINVAL;
        settings->has_cordoned = true;
        settings->cordoned = yes;
        return 0;
}

static void print_cordoned(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const ConfiguredMgmtdev *m = object;

        fputs(m->settings.cordoned ? "yes" : "no", out);
}

static size_t count_cordoned(const ConfigKey *key, const void *object) {
        const ConfiguredMgmtdev *m = object;

        return m->settings.has_cordoned;
}

const ConfigType config_mgmtdev_cordoned = { set_cordoned, print_cordoned, count_cordoned };

/* One "key=value", which is cut apart. */
static int add_label(json_t *labels, char *label) {
        char *value = strchr(label, '=');
        size_t n_key = value ? (size_t) (value - label) : 0;
        json_t *string;

        if (n_key == 0 || n_key >= LABEL_KEY_MAX || strlen(value + 1) > LABEL_VALUE_MAX)
                return -EINVAL;
        *value++ = '\0';
        if (json_object_get(labels, label))
                return -EINVAL;
        if (json_object_size(labels) == LABELS_MAX)
                return -E2BIG;

        /* NULL for what is not UTF-8, which no label can have. */
        string = json_string(value);
        return string && json_object_set_new(labels, label, string) == 0 ? 0 : -EINVAL;
}

/* "rack=7,tier=gold" */
static int set_labels(const ConfigKey *key, void *object, const char *value) {
        MgmtdevSettings *settings = &((ConfiguredMgmtdev *) object)->settings;
        _cleanup_free_ char *copy = strdup(value);
        _cleanup_json_ json_t *labels = json_object();
        char *save, *label;
        int r;

        if (!copy || !labels)
                return -ENOMEM;
        for (label = strtok_r(copy, ", ", &save); label; label = strtok_r(NULL, ", ", &save)) {
                r = add_label(labels, label);
                if (r < 0)
                        return r;
        }
        if (json_object_size(labels) == 0)
                return -EINVAL;

        json_decref(settings->labels);
        settings->labels = TAKE_PTR(labels);
        return 0;
}

static void print_labels(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const ConfiguredMgmtdev *m = object;
        const char *name, *separator = "";
        json_t *value;

        json_object_foreach(m->settings.labels, name, value) {
                fprintf(out, "%s%s=%s", separator, name, json_string_value(value));
                separator = ",";
        }
}

static size_t count_labels(const ConfigKey *key, const void *object) {
        const ConfiguredMgmtdev *m = object;

        return m->settings.labels != NULL;
}

const ConfigType config_mgmtdev_labels = { set_labels, print_labels, count_labels };

static int set_total(const ConfigKey *key, void *object, const char *value) {
        BudgetSettings *b = config_member(key, object);
        int r;

        r = config_parse_uint(value, key->min, key->max, &b->total);
        if (r == 0)
                b->has_total = true;
        return r;
}

static void print_total(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const BudgetSettings *b = config_const_member(key, object);

        fprintf(out, "%u", b->total);
}

static size_t count_total(const ConfigKey *key, const void *object) {
        const BudgetSettings *b = config_const_member(key, object);

        return b->has_total;
}

const ConfigType config_mgmtdev_total = { set_total, print_total, count_total };

static int set_reserved(const ConfigKey *key, void *object, const char *value) {
        BudgetSettings *b = config_member(key, object);
        int r;

        r = config_parse_uint(value, key->min, key->max, &b->n_reserved);
        if (r == 0)
                b->has_reserved = true;
        return r;
}

static void print_reserved(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const BudgetSettings *b = config_const_member(key, object);

        fprintf(out, "%u", b->n_reserved);
}

static size_t count_reserved(const ConfigKey *key, const void *object) {
        const BudgetSettings *b = config_const_member(key, object);

        return b->has_reserved;
}

const ConfigType config_mgmtdev_reserved = { set_reserved, print_reserved, count_reserved };

static int set_reserved_ids(const ConfigKey *key, void *object, const char *value) {
        int r = budget_settings_reserve_ids(config_member(key, object), value);

        return r == 0 ? 0 : -EINVAL;
}

static void print_reserved_ids(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const BudgetSettings *b = config_const_member(key, object);

        fputs(b->reserved_ids, out);
}

const ConfigType config_mgmtdev_reserved_ids = { set_reserved_ids, print_reserved_ids, count_reserved };

void *config_mgmtdev_get(const Config *config, size_t i, const char **ret_handle) {
        if (i >= config->n_mgmtdevs)
                return NULL;

        *ret_handle = config->mgmtdevs[i].handle;
        return &config->mgmtdevs[i];
}

int config_mgmtdev_find_or_add(Config *config, const char *handle, void **ret) {
        ConfiguredMgmtdev *mgmtdevs, *m;

        for (size_t i = 0; i < config->n_mgmtdevs; i++)
                if (strcmp(config->mgmtdevs[i].handle, handle) == 0) {
                        *ret = &config->mgmtdevs[i];
                        return 0;
                }

        if (!handle_is_valid(handle))
                return -EINVAL;
        if (config->n_mgmtdevs == CONFIG_MGMTDEV_MAX)
                return -E2BIG;
        mgmtdevs = reallocarray(config->mgmtdevs, config->n_mgmtdevs + 1, sizeof *mgmtdevs);
        if (!mgmtdevs)
                return -ENOMEM;

        config->mgmtdevs = mgmtdevs;
        m = &mgmtdevs[config->n_mgmtdevs++];
        *m = (ConfiguredMgmtdev){};
        strcpy(m->handle, handle);
        *ret = m;
        return 0;
}

void config_mgmtdev_done(Config *config) {
        for (size_t i = 0; i < config->n_mgmtdevs; i++)
                mgmtdev_settings_done(&config->mgmtdevs[i].settings);
        free(config->mgmtdevs);
}

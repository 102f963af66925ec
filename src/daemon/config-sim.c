/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config-sim.h"

#include <errno.h>
#include <string.h>

#include "inventory/class.h"

const char *config_sim_transport_name(unsigned transport) {
        return transport_name((Transport) transport);
}

static int set_numa_node(const ConfigKey *key, void *object, const char *value) {
        SimMgmtdev *sim = object;
        uint32_t n;
        int r;

        r = config_parse_uint(value, key->min, key->max, &n);
        if (r == 0)
                sim->info.numa_node = (int) n;
        return r;
}

static void print_numa_node(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const SimMgmtdev *sim = object;

        fprintf(out, "%d", sim->info.numa_node);
}

static size_t count_numa_node(const ConfigKey *key, const void *object) {
        const SimMgmtdev *sim = object;

        return sim->info.numa_node >= 0;
}

const ConfigType config_sim_numa_node = { set_numa_node, print_numa_node, count_numa_node };

static const SimMgmtdev *default_sim(void) {
        return &sim_config_default()->mgmtdevs[0];
}

/* "net,block,26" */
static int set_classes(const ConfigKey *key, void *object, const char *value) {
        _cleanup_free_ char *copy = strdup(value);
        SimMgmtdev *sim = object;
        uint64_t classes = 0;
        char *save, *word;

        if (!copy)
                return -ENOMEM;
        for (word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
                unsigned class;

                if (class_parse(word, &class) < 0)
                        return -EINVAL;
                classes |= UINT64_C(1) << class;
        }
        if (classes == 0)
                return -EINVAL;

        sim->info.classes = classes;
        memcpy(sim->info.features, default_sim()->info.features, sizeof sim->info.features);
        for (unsigned c = 0; c <= CLASS_MAX; c++)
                if (!(classes >> c & 1))
                        sim->info.features[c] = 0;
        return 0;
}

static void print_classes(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const SimMgmtdev *sim = object;
        const char *separator = "";
        char name[16];

        for (unsigned c = 1; c <= CLASS_MAX; c++) {
                if (!(sim->info.classes >> c & 1))
                        continue;
                fprintf(out, "%s%s", separator, class_format(c, name));
                separator = ",";
        }
}

/* All of them would be a longer line than can be read. */
static size_t count_classes(const ConfigKey *key, const void *object) {
        const SimMgmtdev *sim = object;

        return sim->info.classes != default_sim()->info.classes;
}

const ConfigType config_sim_classes = { set_classes, print_classes, count_classes };

void *config_sim_get(const Config *config, size_t i, const char **ret_handle) {
        if (i >= config->n_sims)
                return NULL;

        *ret_handle = config->sims[i].info.handle;
        return &config->sims[i];
}

int config_sim_find_or_add(Config *config, const char *handle, void **ret) {
        SimMgmtdev *sims;

        for (size_t i = 0; i < config->n_sims; i++)
                if (strcmp(config->sims[i].info.handle, handle) == 0) {
                        *ret = &config->sims[i];
                        return 0;
                }

        if (!handle_is_valid(handle))
                return -EINVAL;
        if (config->n_sims == CONFIG_SIM_MAX)
                return -E2BIG;
        sims = reallocarray(config->sims, config->n_sims + 1, sizeof *sims);
        if (!sims)
                return -ENOMEM;

        config->sims = sims;
        sims[config->n_sims] = *default_sim();
        strcpy(sims[config->n_sims].info.handle, handle);
        *ret = &sims[config->n_sims++];
        return 0;
}

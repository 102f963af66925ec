/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config-sim.h"

#include <errno.h>
#include <string.h>

#include "inventory/class.h"
#include "util/log.h"

#define SECTION_PREFIX "sim "

typedef struct SimKey SimKey;

struct SimKey {
        const char *name;
        int (*set)(const SimKey *key, SimMgmtdev *sim, const char *value);
        size_t offset;
        uint32_t max;
};

static int set_uint(const SimKey *key, SimMgmtdev *sim, const char *value) {
        return config_parse_uint(value, 0, key->max, (uint32_t *) (void *) ((char *) sim + key->offset));
}

static int set_numa_node(const SimKey *key, SimMgmtdev *sim, const char *value) {
        uint32_t n;
        int r;

        r = config_parse_uint(value, 0, 1023, &n);
        if (r == 0)
                sim->info.numa_node = (int) n;
        return r;
}

static int set_transport(const SimKey *key, SimMgmtdev *sim, const char *value) {
        for (Transport t = 0; t < _TRANSPORT_MAX; t++)
                if (strcmp(transport_name(t), value) == 0) {
                        sim->info.transport = t;
                        return 0;
                }

        return -EINVAL;
}

/* "net,block,26" */
static int set_classes(const SimKey *key, SimMgmtdev *sim, const char *value) {
        _cleanup_free_ char *copy = strdup(value);
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
        memcpy(sim->info.features, sim_config_default()->mgmtdevs[0].info.features, sizeof sim->info.features);
        for (unsigned c = 0; c <= CLASS_MAX; c++)
                if (!(classes >> c & 1))
                        sim->info.features[c] = 0;
        return 0;
}

#define FAIL_KEY(name, command)                                                                                    \
        { name, set_uint, offsetof(SimMgmtdev, fail_every[command]), UINT32_MAX }

static const SimKey sim_keys[] = {
        { "classes", set_classes },
        { "transport", set_transport },
        { "numa_node", set_numa_node },
        { "max_devices", set_uint, offsetof(SimMgmtdev, info.capacity[RESOURCE_DEVICES].total), 1u << 20 },
        { "max_vqs", set_uint, offsetof(SimMgmtdev, info.max_vqs), UINT16_MAX },
        { "latency_usec", set_uint, offsetof(SimMgmtdev, latency_usec), 60 * 1000 * 1000 },
        FAIL_KEY("fail_create", SIM_CREATE),
        FAIL_KEY("fail_bind", SIM_BIND),
        FAIL_KEY("fail_publish", SIM_PUBLISH),
        FAIL_KEY("fail_destroy", SIM_DESTROY),
};

bool config_sim_is_section(const char *section) {
        return strncmp(section, SECTION_PREFIX, strlen(SECTION_PREFIX)) == 0;
}

static int find_or_add(Config *config, const char *handle, SimMgmtdev **ret) {
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
        sims[config->n_sims] = sim_config_default()->mgmtdevs[0];
        strcpy(sims[config->n_sims].info.handle, handle);
        *ret = &sims[config->n_sims++];
        return 0;
}

int config_sim_set(Config *config, const char *section, const char *name, const char *value, const char *origin) {
        const char *handle = section + strlen(SECTION_PREFIX);
        SimMgmtdev *sim;
        int r;

        r = find_or_add(config, handle, &sim);
        if (r < 0)
                return log_error_errno(r, "%s: '%s' cannot be a management device: %m", origin, handle);

        for (size_t i = 0; i < ELEMENTSOF(sim_keys); i++) {
                if (strcmp(sim_keys[i].name, name) != 0)
                        continue;
                r = sim_keys[i].set(&sim_keys[i], sim, value);
                if (r < 0)
                        return log_error_errno(r, "%s: '%s' is not a value that %s can have", origin, value, name);
                return 0;
        }

        return log_error_errno(EINVAL, "%s: there is no key '%s' in section [%s]", origin, name, section);
}

static void print_classes(uint64_t classes, FILE *out) {
        const char *separator = "";
        char name[16];

        fputs("classes = ", out);
        for (unsigned c = 1; c <= CLASS_MAX; c++) {
                if (!(classes >> c & 1))
                        continue;
                fprintf(out, "%s%s", separator, class_format(c, name));
                separator = ",";
        }
        fputc('\n', out);
}

void config_sim_print(const Config *config, FILE *out) {
        for (size_t i = 0; i < config->n_sims; i++) {
                const SimMgmtdev *sim = &config->sims[i];

                fprintf(out, "\n[%s%s]\n", SECTION_PREFIX, sim->info.handle);
                /* All of them would be a longer line than can be read. */
                if (sim->info.classes != sim_config_default()->mgmtdevs[0].info.classes)
                        print_classes(sim->info.classes, out);
                fprintf(out, "transport = %s\n", transport_name(sim->info.transport));
                if (sim->info.numa_node >= 0)
                        fprintf(out, "numa_node = %d\n", sim->info.numa_node);
                for (size_t k = 0; k < ELEMENTSOF(sim_keys); k++)
                        if (sim_keys[k].set == set_uint)
                                fprintf(out, "%s = %u\n", sim_keys[k].name,
                                        *(const uint32_t *) (const void *) ((const char *) sim +
                                                                            sim_keys[k].offset));
        }
}

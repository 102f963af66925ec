/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config-sim.h"

#include <errno.h>
#include <string.h>

#include "inventory/class.h"
#include "inventory/feature.h"
#include "inventory/idlist.h"
#include "inventory/pci.h"

const char *config_sim_transport_name(unsigned transport) {
        return transport_name((Transport) transport);
}

const char *config_sim_asid_kind_name(unsigned kind) {
        return asid_kind_name((AsidKind) kind);
}

static int set_number(const ConfigKey *key, void *object, const char *value) {
        uint32_t n;
        int r;

        r = config_parse_uint(value, key->min, key->max, &n);
        if (r == 0)
                *(int *) config_member(key, object) = (int) n;
        return r;
}

static void print_number(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        fprintf(out, "%d", *(const int *) config_const_member(key, object));
}

static size_t count_number(const ConfigKey *key, const void *object) {
        return *(const int *) config_const_member(key, object) >= 0;
}

const ConfigType config_sim_number = { set_number, print_number, count_number };

static int set_pci_address(const ConfigKey *key, void *object, const char *value) {
        PciAddress address;

        if (strlen(value) >= PCI_ADDRESS_MAX || pci_address_parse(value, &address) < 0)
                return -EINVAL;
        strcpy(config_member(key, object), value);
        return 0;
}

static void print_text(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        fputs(config_const_member(key, object), out);
}

static size_t count_text(const ConfigKey *key, const void *object) {
        const char *text = config_const_member(key, object);

        return text[0] != 0;
}

const ConfigType config_sim_pci_address = { set_pci_address, print_text, count_text };

static int set_ranges(const ConfigKey *key, void *object, const char *value) {
        if (strlen(value) >= RANGES_TEXT_MAX || idlist_check(value) < 0)
                return -EINVAL;
        strcpy(config_member(key, object), value);
        return 0;
}

/* Printed even if there are none: that is not the default of each. */
const ConfigType config_sim_ranges = { set_ranges, print_text };

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

/* "net: MAC,MTU": what devices of the class can offer, instead of all that the model knows. */
static int set_features(const ConfigKey *key, void *object, const char *value) {
        _cleanup_free_ char *copy = strdup(value);
        SimMgmtdev *sim = object;
        uint64_t features = 0;
        unsigned class, bit;
        char *save, *word;

        if (!copy)
                return -ENOMEM;
        word = strtok_r(copy, ": ", &save);
        if (!word || class_parse(word, &class) < 0 || value[strspn(value, " ") + strlen(word)] != ':')
                return -EINVAL;
        for (word = strtok_r(NULL, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
                if (feature_parse(class, word, &bit) < 0)
                        return -EINVAL;
                features |= UINT64_C(1) << bit;
        }

        sim->info.features[class] = features;
        return 0;
}

static bool features_are_set(const SimMgmtdev *sim, unsigned class) {
        return sim->info.features[class] != default_sim()->info.features[class];
}

static size_t count_features(const ConfigKey *key, const void *object) {
        size_t n = 0;

        for (unsigned c = 1; c <= CLASS_MAX; c++)
                n += features_are_set(object, c);
        return n;
}

static void print_features(const ConfigKey *key, const void *object, size_t i, FILE *out) {
        const SimMgmtdev *sim = object;
        const char *separator = " ";
        char name[FEATURE_NAME_MAX];
        unsigned c = 1;

        while (!features_are_set(sim, c) || i-- > 0)
                c++;
        fprintf(out, "%s:", class_format(c, name));
        for (unsigned bit = 0; bit < 64; bit++) {
                if (!(sim->info.features[c] >> bit & 1))
                        continue;
                fprintf(out, "%s%s", separator, feature_format(c, bit, name));
                separator = ",";
        }
}

static void clear_features(const ConfigKey *key, void *object) {
        SimMgmtdev *sim = object;

        memcpy(sim->info.features, default_sim()->info.features, sizeof sim->info.features);
}

const ConfigType config_sim_features = { set_features, print_features, count_features, clear_features };

void *config_sim_get(const Config *config, size_t i, const char **ret_handle) {
        if (i >= config->n_sims)
                return NULL;

        *ret_handle = config->sims[i].info.handle;
        return &config->sims[i];
}

/* DMA of a management device that is a PCI function comes from there. */
static void init_sim(SimMgmtdev *sim, const char *handle) {
        const char *address = strchr(handle, '/');
        PciAddress parsed;

        *sim = *default_sim();
        strcpy(sim->info.handle, handle);
        if (strncmp(handle, "pci/", 4) == 0 && strlen(address + 1) < PCI_ADDRESS_MAX &&
            pci_address_parse(address + 1, &parsed) == 0)
                strcpy(sim->info.pci_function, address + 1);
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
        init_sim(&sims[config->n_sims], handle);
        *ret = &sims[config->n_sims++];
        return 0;
}

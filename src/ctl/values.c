/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/values.h"

#include <string.h>

#include "ctl/output.h"
#include "ctl/text.h"

/* Who presses a key does not want to wait. */
#define CONNECT_MS 500
#define TOTAL_MS   2000

/* Of more devices than this the letters that come next are offered, not the names. */
#define NAMES_MAX 100

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

#define NAME_SIZE 64

void candidates_offer(const Candidates *c, const char *candidate, const char *help) {
        if (strncmp(candidate, c->word, strlen(c->word)) != 0)
                return;
        (void) fprintf(c->file, "%.*s%s%s%s\n", (int) c->n_prefix, c->prefix, candidate, help ? "\t" : "",
                       help ?: "");
}

/* What the daemon has called so could have something in it that a terminal would obey. */
static void offer_foreign(const Candidates *c, const HsvValue *value) {
        const char *text = hsv_value_string(value);
        _cleanup_free_ char *escaped = text ? text_escape(text, false) : NULL;

        if (escaped && strcmp(text, escaped) == 0)
                candidates_offer(c, text, NULL);
}

/* What is at that pointer of each item. */
static void offer_items(const Candidates *c, const HsvDocument *page, const char *pointer) {
        const HsvValue *items = hsv_value_get(hsv_document_root(page), "/items");

        for (size_t i = 0; i < hsv_value_count(items); i++)
                offer_foreign(c, hsv_value_get(hsv_value_at(items, i), pointer));
}

static void offer_mgmtdevs(const Candidates *c, HsvClient *client) {
        _cleanup_(document_freep) HsvDocument *document = NULL;

        if (hsv_mgmtdev_list(client, &document) == 0)
                offer_items(c, document, "/handle");
}

/* Those that can be made here. The shell drops what comes twice. */
static void offer_classes(const Candidates *c, HsvClient *client) {
        _cleanup_(document_freep) HsvDocument *document = NULL;
        const HsvValue *items;

        if (hsv_mgmtdev_list(client, &document) != 0)
                return;
        items = hsv_value_get(hsv_document_root(document), "/items");
        for (size_t i = 0; i < hsv_value_count(items); i++) {
                const HsvValue *classes = hsv_value_get(hsv_value_at(items, i), "/classes");

                for (size_t k = 0; k < hsv_value_count(classes); k++)
                        offer_foreign(c, hsv_value_at(classes, k));
        }
}

/* The first devices whose names begin so; NULL if they cannot be had. */
static HsvDocument *list_devices(HsvClient *client, const char *prefix, unsigned limit) {
        _cleanup_free_ char *filter = text_format("prefix=%s", prefix);
        const char *const filters[] = { filter, NULL };
        HsvDocument *page = NULL;
        HsvList *list;

        if (!filter || hsv_device_list_new(client, filters, &list) != 0)
                return NULL;
        if (hsv_list_next(list, limit, &page) != 0)
                page = NULL;
        hsv_list_free(list);
        return page;
}

static bool has_device(HsvClient *client, const char *prefix) {
        _cleanup_(document_freep) HsvDocument *page = list_devices(client, prefix, 1);

        return hsv_value_get(hsv_document_root(page), "/items/0");
}

/* The names that there are go on with several letters after this one: offers each. With one only: takes it, and
 * returns true to go on from there. */
static bool offer_letters(const Candidates *c, HsvClient *client, char name[static NAME_SIZE]) {
        char found[sizeof NAME_LETTERS] = {};
        size_t n = strlen(name), n_found = 0;

        if (n + 1 == NAME_SIZE)
                return false;
        for (const char *letter = NAME_LETTERS; *letter; letter++) {
                name[n] = *letter;
                name[n + 1] = '\0';
                if (has_device(client, name))
                        found[n_found++] = *letter;
        }
        for (size_t i = 0; i < n_found; i++) {
                name[n] = found[i];
                if (n_found > 1)
                        candidates_offer(c, name, NULL);
        }
        return n_found == 1;
}

static bool is_whole(const HsvDocument *page, const char *name) {
        const char *first = hsv_value_string(hsv_value_get(hsv_document_root(page), "/items/0/name"));

        return first && strcmp(first, name) == 0;
}

/* A shell that gets a part of the names only would take what these have in common for what all have. */
static void offer_devices(const Candidates *c, HsvClient *client) {
        char name[NAME_SIZE];

        if (strlen(c->word) >= sizeof name)
                return;
        (void) snprintf(name, sizeof name, "%s", c->word);
        for (;;) {
                _cleanup_(document_freep) HsvDocument *page = list_devices(client, name, NAMES_MAX);
                bool has_more = hsv_value_get(hsv_document_root(page), "/continue");

                if (!has_more) {
                        offer_items(c, page, "/name");
                        return;
                }
                if (is_whole(page, name))
                        candidates_offer(c, name, NULL);
                if (!offer_letters(c, client, name)) {
                        (void) fputs(":nospace\n", c->file);
                        return;
                }
        }
}

static void offer_foreign_devices(const Candidates *c, HsvClient *client) {
        static const char *const filters[] = { "kind=foreign", NULL };
        _cleanup_(document_freep) HsvDocument *page = NULL;
        HsvList *list;

        if (hsv_drift_list_new(client, filters, &list) != 0)
                return;
        (void) hsv_list_next(list, NAMES_MAX, &page);
        hsv_list_free(list);
        offer_items(c, page, "/name");
}

static void offer_pools(const Candidates *c, HsvClient *client) {
        _cleanup_(document_freep) HsvDocument *document = NULL;

        if (hsv_pool_list(client, &document) == 0)
                offer_items(c, document, "/name");
}

static const struct {
        const char *const *words; /* NULL at the end */
        void (*ask)(const Candidates *c, HsvClient *client);
} kinds[_VALUES_MAX] = {
        [VALUES_CLASSES] = { .ask = offer_classes },
        [VALUES_COLORS] = { (const char *const[]){ "auto", "always", "never", NULL } },
        [VALUES_DEVICES] = { .ask = offer_devices },
        [VALUES_DRIFT_KINDS] = { (const char *const[]){ "missing", "extra", "changed", "foreign", NULL } },
        [VALUES_DRIFT_MODES] = { (const char *const[]){ "observe", "enforce", NULL } },
        [VALUES_DRIVERS] = { (const char *const[]){ "vhost_vdpa", "virtio_vdpa", NULL } },
        [VALUES_FILES] = { (const char *const[]){ NULL } },
        [VALUES_FOREIGN_DEVICES] = { .ask = offer_foreign_devices },
        [VALUES_FORMATS] = { (const char *const[]){ "table", "wide", "json", "yaml", NULL } },
        [VALUES_MGMTDEVS] = { .ask = offer_mgmtdevs },
        [VALUES_MSI_POLICIES] = { (const char *const[]){ "exclusive", "shared", NULL } },
        [VALUES_ON_RETURN] = { (const char *const[]){ "scrub", "destroy", NULL } },
        [VALUES_PLACEMENTS] = { (const char *const[]){ "pack", "spread", NULL } },
        [VALUES_POOLS] = { .ask = offer_pools },
        [VALUES_REPAIRABLE_KINDS] = { (const char *const[]){ "missing", "extra", "changed", NULL } },
        [VALUES_STATES] = { (const char *const[]){ "reserved", "creating", "ready", "deleting", "failed", "lost",
                                                   NULL } },
        [VALUES_WAIT_STATES] = { (const char *const[]){ "reserved", "creating", "ready", "deleting", "failed",
                                                        "lost", "gone", NULL } },
};

bool values_include(Values values, const char *word) {
        for (const char *const *known = kinds[values].words; known && *known; known++)
                if (strcmp(*known, word) == 0)
                        return true;
        return false;
}

void values_offer(const Candidates *c, Values values, const char *url) {
        HsvClient *client;

        if (values == VALUES_FILES)
                (void) fputs(":files\n", c->file);
        for (const char *const *word = kinds[values].words; word && *word; word++)
                candidates_offer(c, *word, NULL);
        if (!kinds[values].ask || hsv_client_new(url, &client) < 0)
                return;
        (void) hsv_client_set_timeouts(client, CONNECT_MS, TOTAL_MS);
        kinds[values].ask(c, client);
        hsv_client_free(client);
}
